// SPDX-License-Identifier: AGPL-3.0-or-later
//! The tree of RFC 6962, kept in tiles of 256 hashes: roots, proofs, and the tiles that an append adds.
//!
//! Whoever has tiles passes a closure that returns the bytes of one ([`Tile`]); what comes out of tiles that nobody
//! checked is not checked either, and its reader verifies it against a root. Verification needs no tiles.
//! Nothing here keeps state but [`Growth`], the hashes along the right edge, for whoever reads a log from its start.
//!
//! Spec: RFC 6962, 2.1; RFC 9162, 2.1.3.2 and 2.1.4.2; C2SP tlog-tiles.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// Hashes in a proof at most: a tree has fewer than 2^64 leaves.
pub const PROOF_HASHES: usize = 64;

const TILE_LEVELS: u32 = 8;

/// A proof does not prove what it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead to the root")]
pub struct ProofError;

/// A proof or root could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError<E> {
    /// The leaf is not in the tree, or the smaller tree is larger.
    #[error("not in a tree of this size")]
    OutOfRange,
    /// A tile that is shorter or longer than its width says.
    #[error("a tile is not of its width")]
    Tile,
    /// The reader of tiles failed.
    #[error(transparent)]
    Read(E),
}

/// The hash of an entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of two subtrees.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of no entries.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A tile, or a bundle of entries, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// 0 has the leaves; nothing for a bundle of entries.
    pub level: Option<u8>,
    /// Counts within its level.
    pub index: u64,
    /// Hashes or entries in it, 1 to 256. Fewer than 256: the right edge of some tree.
    pub width: u16,
}

impl Tile {
    /// A tile of hashes as it stands in a tree of this size; nothing where that tree has none.
    #[must_use]
    pub fn of_tree(size: u64, level: u8, index: u64) -> Option<Self> {
        Self::place(size, Some(level), index)
    }

    /// The bundle of entries as it stands in a tree of this size.
    #[must_use]
    pub fn bundle(size: u64, index: u64) -> Option<Self> {
        Self::place(size, None, index)
    }

    /// The same place when it is full.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: 256, ..self }
    }

    /// The path under the log's prefix: `tile/<level>/<index>[.p/<width>]`, `tile/entries/<index>[.p/<width>]`.
    #[must_use]
    pub fn path(&self) -> String {
        let level = self.level.map_or("entries".to_owned(), |level| level.to_string());
        let mut index = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            index = format!("x{:03}/{index}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.width < 256 { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{level}/{index}{partial}")
    }

    /// Reads a path, in its one form.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let level = if level == "entries" { None } else { Some(level.parse().ok()?) };
        let (digits, width) = match rest.split_once(".p/") {
            Some((digits, width)) => (digits, width.parse().ok()?),
            None => (rest, 256),
        };
        let mut index = 0_u64;
        for part in digits.split('/') {
            let part: u64 = part.strip_prefix('x').unwrap_or(part).parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(part)?;
        }
        let tile = Self { level, index, width };
        let possible = level.is_none_or(|level| level < 64) && (1..=256).contains(&width);
        (possible && tile.path() == path).then_some(tile)
    }

    fn place(size: u64, level: Option<u8>, index: u64) -> Option<Self> {
        let hashes = size.checked_shr(TILE_LEVELS * u32::from(level.unwrap_or(0))).unwrap_or(0);
        let width = hashes.checked_sub(index.checked_mul(TILE_WIDTH)?)?.min(TILE_WIDTH);
        (width > 0).then_some(Self { level, index, width: u16::try_from(width).ok()? })
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// The root of the first `size` entries.
///
/// # Errors
/// [`TreeError::Tile`], [`TreeError::Read`].
pub fn root<E>(
    size: u64,
    tiles: &mut impl FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Hash, TreeError<E>> {
    if size == 0 { Ok(empty_root()) } else { Reader { size, tiles }.subtree(0, size) }
}

/// The inclusion proof of an entry in the first `size`, the leaf's sibling first.
///
/// # Errors
/// [`TreeError`].
///
/// Spec: RFC 6962, 2.1.1.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    tiles: &mut impl FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Vec<Hash>, TreeError<E>> {
    if index >= size {
        return Err(TreeError::OutOfRange);
    }
    let mut reader = Reader { size, tiles };
    let (mut low, mut high) = (0, size);
    let mut siblings = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            siblings.push((middle, high));
            high = middle;
        } else {
            siblings.push((low, middle));
            low = middle;
        }
    }
    siblings.into_iter().rev().map(|(low, high)| reader.subtree(low, high)).collect()
}

/// The proof that the first `to` entries begin with the first `from`. Empty if `from` is 0 or `to`.
///
/// # Errors
/// [`TreeError`].
///
/// Spec: RFC 6962, 2.1.2.
pub fn consistency_proof<E>(
    from: u64,
    to: u64,
    tiles: &mut impl FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Vec<Hash>, TreeError<E>> {
    if from > to {
        return Err(TreeError::OutOfRange);
    }
    if from == 0 {
        return Ok(Vec::new());
    }
    let mut reader = Reader { size: to, tiles };
    let (mut low, mut high) = (0, to);
    let mut parts = Vec::new();
    // SUBPROOF(from, D[low..high]): down to the subtree that ends at `from`.
    while from != high {
        let middle = low + split(high - low);
        if from <= middle {
            parts.push((middle, high));
            high = middle;
        } else {
            parts.push((low, middle));
            low = middle;
        }
    }
    if low != 0 {
        parts.push((low, high));
    }
    parts.into_iter().rev().map(|(low, high)| reader.subtree(low, high)).collect()
}

/// That an entry of this hash stands at `index` of the first `size`.
///
/// # Errors
/// [`ProofError`].
///
/// Spec: RFC 9162, 2.1.3.2.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError);
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(ProofError) }
}

/// That a tree of `to` entries begins with the tree of `from` entries.
///
/// # Errors
/// [`ProofError`]; also for a proof that has anything in it where nothing is to be proved.
///
/// Spec: RFC 9162, 2.1.4.2.
pub fn verify_consistency(
    from: u64,
    to: u64,
    from_root: &Hash,
    to_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if from > to {
        return Err(ProofError);
    }
    if from == 0 || from == to {
        let known = if from == 0 { from_root == &empty_root() } else { from_root == to_root };
        return if proof.is_empty() && known { Ok(()) } else { Err(ProofError) };
    }
    // A power of two is itself a subtree of the larger one: its root is not written a second time.
    let old = if from.is_power_of_two() {
        prefix_root(from, to, to_root, &[&[*from_root], proof].concat())?
    } else {
        prefix_root(from, to, to_root, proof)?
    };
    if old == *from_root { Ok(()) } else { Err(ProofError) }
}

/// As [`consistency_proof`], with the first hash written even where the smaller tree's root would do: enough to
/// show what the root of the first `from` entries *is*, to somebody who was told another.
///
/// # Errors
/// [`TreeError`]; [`TreeError::OutOfRange`] also unless `0 < from < to`.
pub fn prefix_proof<E>(
    from: u64,
    to: u64,
    tiles: &mut impl FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Vec<Hash>, TreeError<E>> {
    if from == 0 || from >= to {
        return Err(TreeError::OutOfRange);
    }
    let mut proof = consistency_proof(from, to, tiles)?;
    if from.is_power_of_two() {
        proof.insert(0, Reader { size: to, tiles }.subtree(0, from)?);
    }
    Ok(proof)
}

/// The root of the first `from` of `to` entries, from hashes that lead to the root over all of them.
///
/// # Errors
/// [`ProofError`]: they do not lead there.
///
/// Spec: RFC 9162, 2.1.4.2, from step 3 on.
pub fn prefix_root(from: u64, to: u64, to_root: &Hash, proof: &[Hash]) -> Result<Hash, ProofError> {
    let (first, rest) = proof.split_first().ok_or(ProofError)?;
    if from == 0 || from >= to {
        return Err(ProofError);
    }
    let (mut place, mut last) = (from - 1, to - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*first, *first);
    for hash in rest {
        if last == 0 {
            return Err(ProofError);
        }
        if place & 1 == 1 || place == last {
            old = node_hash(hash, &old);
            new = node_hash(hash, &new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 && new == *to_root { Ok(old) } else { Err(ProofError) }
}

/// The tiles that are new or wider once these leaves stand behind the first `size`: to be written before the
/// checkpoint is signed. Reads the partial tiles of the right edge.
///
/// # Errors
/// [`TreeError::Tile`], [`TreeError::Read`].
pub fn appended_tiles<E>(
    size: u64,
    leaves: &[Hash],
    tiles: &mut impl FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Vec<(Tile, Vec<u8>)>, TreeError<E>> {
    let mut written = Vec::new();
    let mut hashes = leaves.to_vec();
    let mut before = size;
    let mut level = 0;
    while !hashes.is_empty() {
        let index = before / TILE_WIDTH;
        let mut edge = match Tile::of_tree(size, level, index) {
            Some(tile) => Reader { size, tiles: &mut *tiles }.hashes(tile)?,
            None => Vec::new(),
        };
        edge.append(&mut hashes);
        for (index, part) in (index..).zip(edge.chunks(256)) {
            let width = u16::try_from(part.len()).unwrap_or(256);
            written.push((Tile { level: Some(level), index, width }, part.concat()));
            if width == 256 {
                hashes.push(fold(part.to_vec()).ok_or(TreeError::Tile)?);
            }
        }
        before /= TILE_WIDTH;
        level += 1;
    }
    Ok(written)
}

/// The roots of the full subtrees along the right edge: enough to add leaves and to know the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growth {
    size: u64,
    /// Largest first: one for each bit of the size.
    peaks: Vec<Hash>,
}

impl Growth {
    /// No entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Leaves so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return empty_root() };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// The hashes along the edge, largest subtree first, to be stored.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// What was stored; nothing if it does not fit the size.
    #[must_use]
    pub fn of(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }
}

/// Entries of a bundle, each behind its length in two bytes. Nothing if one is longer than 65,535 bytes.
#[must_use]
pub fn bundle_to_vec<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Some(bytes)
}

/// Reads a bundle of `width` entries; nothing if there are more, fewer or half ones.
#[must_use]
pub fn bundle_from_slice(width: u16, mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    for _ in 0..width {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

struct Reader<'a, F> {
    size: u64,
    tiles: &'a mut F,
}

impl<E, F: FnMut(Tile) -> Result<Vec<u8>, E>> Reader<'_, F> {
    /// MTH(D[low..high]), where the range is one that the recursion of RFC 6962 meets in a tree of this size.
    fn subtree(&mut self, low: u64, high: u64) -> Result<Hash, TreeError<E>> {
        let leaves = high - low;
        if leaves.is_power_of_two() {
            return self.perfect(low, leaves.trailing_zeros());
        }
        let middle = low + split(leaves);
        let (left, right) = (self.subtree(low, middle)?, self.subtree(middle, high)?);
        Ok(node_hash(&left, &right))
    }

    /// The root of the 2^height leaves from `low` on.
    fn perfect(&mut self, low: u64, height: u32) -> Result<Hash, TreeError<E>> {
        let level = height / TILE_LEVELS;
        let first = low >> (TILE_LEVELS * level);
        let count = 1_usize << (height % TILE_LEVELS);
        let level = u8::try_from(level).map_err(|_| TreeError::OutOfRange)?;
        let tile =
            Tile::of_tree(self.size, level, first / TILE_WIDTH).ok_or(TreeError::OutOfRange)?;
        let skip = usize::try_from(first % TILE_WIDTH).map_err(|_| TreeError::OutOfRange)?;
        let hashes: Vec<Hash> = self.hashes(tile)?.into_iter().skip(skip).take(count).collect();
        if hashes.len() != count {
            return Err(TreeError::Tile);
        }
        fold(hashes).ok_or(TreeError::Tile)
    }

    fn hashes(&mut self, tile: Tile) -> Result<Vec<Hash>, TreeError<E>> {
        let bytes = (self.tiles)(tile).map_err(TreeError::Read)?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() != usize::from(tile.width) {
            return Err(TreeError::Tile);
        }
        Ok(hashes.to_vec())
    }
}

/// The root of a power of two of hashes.
fn fold(mut hashes: Vec<Hash>) -> Option<Hash> {
    while hashes.len() > 1 {
        hashes = hashes
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => Some(node_hash(left, right)),
                _ => None,
            })
            .collect::<Option<_>>()?;
    }
    hashes.pop()
}

/// The largest power of two below `leaves`, which is more than one.
fn split(leaves: u64) -> u64 {
    1 << (leaves.saturating_sub(1).max(1)).ilog2()
}
