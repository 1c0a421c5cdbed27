// SPDX-License-Identifier: AGPL-3.0-or-later
//! A reader of the ledger that knows the specification alone: C2SP tlog-tiles v1.0, tlog-checkpoint, signed-note, and
//! RFC 6962 and 9162. It shares no code with what writes the ledger, or both could be wrong in one way. What entries say is
//! none of its business.

use std::collections::BTreeMap;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

type Hash = [u8; 32];

/// A log as files, and the key of whoever signs it.
struct Reader<F> {
    fetch: F,
    key: LogKey,
}

/// `<name>+<key id>+<base64 of type and key>`: signed-note, "Verifier keys".
struct LogKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Head {
    size: u64,
    root: Hash,
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.trim_end_matches('=');
    text.len().is_multiple_of(4).then_some(())?;
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in digits.bytes() {
        let value = alphabet.iter().position(|one| *one == digit)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

impl LogKey {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, base64(parts.next()?)?);
        let (kind, public) = key.split_first()?;
        // 0x01 is Ed25519.
        (*kind == 1).then_some(())?;
        let named = [name.as_bytes(), b"\n", key.as_slice()].concat();
        let computed: [u8; 4] = Sha256::digest(named)[..4].try_into().ok()?;
        (u32::from_str_radix(id, 16).ok()? == u32::from_be_bytes(computed)).then_some(())?;
        Some(Self { name: name.to_owned(), id: computed, public: public.try_into().ok()? })
    }
}

/// RFC 6962, 2.1: hashes of leaves and nodes.
fn leaf(entry: &[u8]) -> Hash {
    Sha256::digest([&[0], entry].concat()).into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::digest([&[1], left.as_slice(), right].concat()).into()
}

/// The largest power of two below a number of leaves.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// RFC 6962, 2.1: the hash of a list of leaves.
fn tree(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(split(many.len() as u64) as usize);
            node(&tree(left), &tree(right))
        }
    }
}

/// tlog-tiles, "Merkle tree": `tile/<level>/<number>[.p/<width>]`, the number in groups of three digits.
fn path(level: &str, number: u64, width: u64) -> String {
    let mut groups = vec![format!("{:03}", number % 1000)];
    let mut rest = number / 1000;
    while rest > 0 {
        groups.insert(0, format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
    format!("tile/{level}/{}{partial}", groups.join("/"))
}

impl<F: Fn(&str) -> Option<Vec<u8>>> Reader<F> {
    /// tlog-checkpoint: origin, size, root; signed-note: a line of the key over all before the blank line.
    fn checkpoint(&self) -> Option<Head> {
        let note = String::from_utf8((self.fetch)("checkpoint")?).ok()?;
        let (text, signatures) = note.split_once("\n\n")?;
        let text = format!("{text}\n");
        let signature = signatures.lines().find_map(|line| {
            let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let bytes = base64(signature)?;
            let (id, signature) = bytes.split_first_chunk::<4>()?;
            (name == self.key.name && *id == self.key.id).then(|| signature.to_vec())
        })?;
        let key = VerifyingKey::from_bytes(&self.key.public).ok()?;
        key.verify_strict(text.as_bytes(), &Signature::from_slice(&signature).ok()?).ok()?;
        let mut lines = text.lines();
        (lines.next()? == self.key.name).then_some(())?;
        let size = lines.next()?.parse().ok()?;
        Some(Head { size, root: base64(lines.next()?)?.try_into().ok()? })
    }

    /// All entries: bundles of up to 256, each entry behind its length.
    fn entries(&self, size: u64) -> Option<Vec<Vec<u8>>> {
        let mut entries = Vec::new();
        for number in 0..size.div_ceil(256) {
            let width = (size - number * 256).min(256);
            let bundle = (self.fetch)(&path("entries", number, width))?;
            let mut rest = bundle.as_slice();
            for _ in 0..width {
                let (length, behind) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*length));
                entries.push(behind.get(..length)?.to_vec());
                rest = behind.get(length..)?;
            }
            rest.is_empty().then_some(())?;
        }
        Some(entries)
    }

    /// The whole log: its entries are the signed tree's, and every tile is what they make of it.
    fn read(&self) -> Option<(Head, Vec<Vec<u8>>)> {
        let head = self.checkpoint()?;
        let entries = self.entries(head.size)?;
        let mut row: Vec<Hash> = entries.iter().map(|entry| leaf(entry)).collect();
        (tree(&row) == head.root).then_some(())?;
        let mut level = 0;
        while !row.is_empty() {
            for (number, hashes) in (0..).zip(row.chunks(256)) {
                let tile = (self.fetch)(&path(&level.to_string(), number, hashes.len() as u64))?;
                (tile == hashes.concat()).then_some(())?;
            }
            row = row.chunks_exact(256).map(tree).collect();
            level += 1;
        }
        Some((head, entries))
    }

    /// The hash of a whole subtree: `1 << height` leaves from a multiple of that on. Of tiles alone.
    fn subtree(&self, size: u64, first: u64, height: u32) -> Option<Hash> {
        let level = height / 8;
        let count = 1_u64 << (height % 8);
        let from = first >> (8 * level);
        let (number, at) = (from / 256, from % 256);
        let width = ((size >> (8 * level)) - number * 256).min(256);
        let tile = (self.fetch)(&path(&level.to_string(), number, width))?;
        let hashes: Vec<Hash> = tile.chunks(32).filter_map(|hash| hash.try_into().ok()).collect();
        Some(tree(hashes.get(at as usize..(at + count) as usize)?))
    }

    /// The hash of any run of leaves that begins where one of its own halves may.
    fn run(&self, size: u64, first: u64, last: u64) -> Option<Hash> {
        let leaves = last - first;
        if leaves.is_power_of_two() {
            return self.subtree(size, first, leaves.ilog2());
        }
        let middle = first + split(leaves);
        Some(node(&self.run(size, first, middle)?, &self.run(size, middle, last)?))
    }

    /// RFC 6962, 2.1.1.
    fn inclusion(&self, size: u64, index: u64) -> Option<Vec<Hash>> {
        let (mut first, mut last, mut proof) = (0, size, Vec::new());
        while last - first > 1 {
            let middle = first + split(last - first);
            if index < middle {
                proof.push(self.run(size, middle, last)?);
                last = middle;
            } else {
                proof.push(self.run(size, first, middle)?);
                first = middle;
            }
        }
        proof.reverse();
        Some(proof)
    }

    /// RFC 6962, 2.1.2.
    fn consistency(&self, size: u64, before: u64) -> Option<Vec<Hash>> {
        let (mut first, mut last, mut proof) = (0, size, Vec::new());
        let mut whole = true;
        while before != last {
            let middle = first + split(last - first);
            if before <= middle {
                proof.push(self.run(size, middle, last)?);
                last = middle;
            } else {
                proof.push(self.run(size, first, middle)?);
                first = middle;
                whole = false;
            }
        }
        if !whole {
            proof.push(self.run(size, first, last)?);
        }
        proof.reverse();
        Some(proof)
    }
}

/// RFC 9162, 2.1.3.2.
fn includes(head: &Head, index: u64, entry: &[u8], proof: &[Hash]) -> bool {
    let (mut place, mut last, mut hash) = (index, head.size - 1, leaf(entry));
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == head.root
}

/// RFC 9162, 2.1.4.2.
fn grew(before: &Head, head: &Head, proof: &[Hash]) -> bool {
    if before.size == head.size {
        return proof.is_empty() && before == head;
    }
    let (mut place, mut last) = (before.size - 1, head.size - 1);
    let mut proof = proof.to_vec();
    if before.size.is_power_of_two() {
        proof.insert(0, before.root);
    }
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let Some((mut old, mut new)) = proof.first().map(|first| (*first, *first)) else {
        return false;
    };
    for sibling in &proof[1..] {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old = node(sibling, &old);
            new = node(sibling, &new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node(&new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old == before.root && new == head.root
}

/// The server's files, as they are now.
fn mirror(address: &str, size: u64) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut take = |path: String| {
        let bytes = crate::ledger::file(address, &path).unwrap_or_else(|| panic!("{path}"));
        files.insert(path, bytes);
    };
    take("checkpoint".to_owned());
    let (mut level, mut count) = (0, size);
    while count > 0 {
        for number in 0..count.div_ceil(256) {
            let width = (count - number * 256).min(256);
            take(path(&level.to_string(), number, width));
            if level == 0 {
                take(path("entries", number, width));
            }
        }
        (level, count) = (level + 1, count / 256);
    }
    files
}

#[test]
fn a_reader_that_knows_only_the_specification_reads_and_proves_all_of_it() {
    let data = tempfile::tempdir().unwrap();
    let daemon = crate::daemon::Daemon::start(data.path(), &["--epoch-seconds", "1"]);
    let at = daemon.address.clone();
    let policy = String::from_utf8(crate::ledger::file(&at, "policy").unwrap()).unwrap();
    let key = policy.lines().find_map(|line| line.strip_prefix("log ")).unwrap();
    let key = key.split(' ').next().unwrap();
    let live = Reader {
        fetch: |path: &str| crate::ledger::file(&at, path),
        key: LogKey::parse(key).unwrap(),
    };
    let before = crate::ledger::until(|| live.read()).0;
    crate::ledger::hand_in_notes(data.path(), 600);
    let (head, entries) =
        crate::ledger::until(|| live.read().filter(|(head, _)| head.size >= before.size + 600));
    assert_eq!(entries.len() as u64, head.size);
    for index in [0, 1, 254, 255, 256, 257, 511, 512, head.size - 1] {
        let entry = &entries[index as usize];
        let proof = live.inclusion(head.size, index).unwrap();
        assert!(includes(&head, index, entry, &proof), "{index}");
        assert!(!includes(&head, index, b"another", &proof));
        assert!(index + 1 == head.size || !includes(&head, index + 1, entry, &proof));
    }
    let proof = live.consistency(head.size, before.size).unwrap();
    assert!(grew(&before, &head, &proof));
    assert!(!grew(&Head { root: [1; 32], ..before }, &head, &proof));
    for size in [1, 255, 256, 257, 512, head.size - 1, head.size] {
        let leaves: Vec<Hash> = entries[..size as usize].iter().map(|entry| leaf(entry)).collect();
        let then = Head { size, root: tree(&leaves) };
        assert!(grew(&then, &head, &live.consistency(head.size, size).unwrap()), "{size}");
    }

    // It reads what is there: any file with one bit changed is not the log, nor is one that another key signed.
    let of = |files: &BTreeMap<String, Vec<u8>>, key: LogKey| {
        let fetch = |path: &str| files.get(path).cloned();
        Reader { fetch, key }.read().map(|(head, _)| head)
    };
    let files = crate::ledger::until(|| {
        let (head, _) = live.read()?;
        let files = mirror(&at, head.size);
        (of(&files, LogKey::parse(key).unwrap()) == Some(head)).then_some(files)
    });
    for path in files.keys() {
        let mut changed = files.clone();
        let bytes = changed.get_mut(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert_eq!(of(&changed, LogKey::parse(key).unwrap()), None, "{path}");
    }
    let mut other = LogKey::parse(key).unwrap();
    other.public = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    assert_eq!(of(&files, other), None);
    drop(daemon);
}

#[test]
fn the_reader_shares_nothing_with_the_writer() {
    let text = include_str!("reader.rs");
    let ours = concat!("nodoor", "_");
    assert!(!text.contains(ours));
    assert!(include_str!("ledger.rs").contains(ours), "the search finds it");
}
