// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoor release`: what a builder does between the build and the log.
//!
//! `write` makes the unsigned entry of files that were built (`cargo xtask release` calls it), `sign` adds a builder's
//! signature and, with `--with`, those of others who got the very same bytes. The operator puts the signed entry into the
//! folder `entries` of the server; `proof` fetches the `.tlog-proof` that travels beside the download from then on. Nobody
//! signs what they did not build: `sign` says what it signs, and takes no other builder's entry but one equal to one's own.
//!
//! Spec: `docs/book/ledger.md`, 1, *Releases*. It opens no profile and knows no account.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use nodoor_transparency::{
    key::SigningKey,
    ledger::{
        checkpoint::SignedCheckpoint,
        entry::{Artifact, ENTRY_BYTES, Entry, Release, ReleaseKind},
        evidence::{Evidence, Verdict},
        note::NOTE_BYTES,
        policy::{POLICY_BYTES, Policy},
        tree::{Tile, bundle_from_slice, leaf_hash},
    },
    release::{Builder, sign as signed_by},
};
use nodoor_view::text::{Lines, for_terminal};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    audit::BUNDLE_BYTES,
    files::{from_hex, hex, read, replace, write_secret},
    log::{Log, Stopped},
    update::{FILE_BYTES, read_builders},
};
use crate::{
    arguments::{ReleaseKey, ReleaseProof, ReleaseSign, ReleaseVerb, ReleaseWrite},
    failure::Failure,
};

/// Does what the verb says.
///
/// # Errors
/// A file that is not what it should be, or a log that does not have the entry.
pub(crate) async fn run(verb: &ReleaseVerb, server: &str, json: bool) -> Result<(), Failure> {
    match verb {
        ReleaseVerb::Key(options) => key(options, json),
        ReleaseVerb::Write(options) => write(options),
        ReleaseVerb::Sign(options) => sign(options, json),
        ReleaseVerb::Proof(options) => proof(options, server, json).await,
    }
}

fn key(options: &ReleaseKey, json: bool) -> Result<(), Failure> {
    let (name, key) = open(&options.key, &options.name)?;
    let builder = Builder { name, key: key.public() };
    if json {
        println!("{}", serde_json::json!({ "name": builder.name, "key": hex(&builder.key) }));
    } else {
        println!("builder {} {}", builder.name, hex(&builder.key));
    }
    Ok(())
}

fn write(options: &ReleaseWrite) -> Result<(), Failure> {
    let wrong = |hint: &str| Failure::Usage(hint.to_owned());
    let mut artifacts = Vec::new();
    for path in &options.files {
        gather(path, path, &mut artifacts)?;
    }
    artifacts.sort_by(|one: &Artifact, other| one.name.cmp(&other.name));
    let manifest = options.manifest.as_deref().map(|path| read(path, FILE_BYTES)).transpose()?;
    let release = Release {
        kind: ReleaseKind::of(&options.kind).ok_or_else(|| wrong(KINDS))?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sequence: options.sequence,
        source_commit: from_hex(&options.commit).ok_or_else(|| wrong("a commit is in hex"))?,
        toolchain: Sha256::digest(read(&options.toolchain, FILE_BYTES)?).into(),
        artifacts,
        manifest: manifest.map(|bytes| Sha256::digest(bytes).into()),
        not_before_ms: options.not_before,
        emergency: options.emergency,
        signatures: Vec::new(),
    };
    store(&options.out, release)
}

/// The files under `path`, named as they lie under `base`; a file that is `base` itself by its own name.
fn gather(base: &Path, path: &Path, artifacts: &mut Vec<Artifact>) -> Result<(), Failure> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            gather(base, &entry?.path(), artifacts)?;
        }
        return Ok(());
    }
    // What travels compressed is its uncompressed self.
    if base != path && path.extension().is_some_and(|end| end == "br") {
        return Ok(());
    }
    let name =
        if base == path { path.file_name().map(Path::new) } else { path.strip_prefix(base).ok() };
    let name = name.and_then(Path::to_str).unwrap_or_default().to_owned();
    let bytes = read(path, FILE_BYTES)?;
    let hash = Sha256::digest(&bytes).into();
    artifacts.push(Artifact { name, size_bytes: bytes.len() as u64, hash });
    Ok(())
}

fn sign(options: &ReleaseSign, json: bool) -> Result<(), Failure> {
    let mut release = open_entry(&options.entry)?;
    for path in &options.with {
        let other = open_entry(path)?;
        if other.unsigned_vec() != release.unsigned_vec() {
            let hint = format!("{} is of another build than yours", path.display());
            return Err(Failure::Surroundings("refused", hint));
        }
        let fresh = |one: &_| !release.signatures.contains(one);
        let fresh: Vec<_> = other.signatures.into_iter().filter(fresh).collect();
        release.signatures.extend(fresh);
    }
    release.signatures.sort_by_key(|one| one.key);
    release.signatures.dedup_by_key(|one| one.key);
    let (name, key) = open(&options.key, &options.name)?;
    let release = signed_by(release, &key);
    let count = release.signatures.len();
    if json {
        let line = serde_json::json!({
            "kind": release.kind.name(), "version": release.version, "sequence": release.sequence,
            "signatures": count, "builder": name, "key": hex(&key.public()),
        });
        println!("{line}");
    } else {
        let version = for_terminal(&release.version, Lines::Join);
        let commit = hex(&release.source_commit);
        println!(
            "{} {version}, number {}, of commit {commit}",
            release.kind.name(),
            release.sequence
        );
        for artifact in &release.artifacts {
            println!("{}  {}", hex(&artifact.hash), for_terminal(&artifact.name, Lines::Join));
        }
        println!("signed by {name}; signatures: {count}");
    }
    store(&options.entry, release)
}

/// The newest place of the entry in the log, proved under the checkpoint that is served.
async fn proof(options: &ReleaseProof, server: &str, json: bool) -> Result<(), Failure> {
    let entry = read(&options.entry, ENTRY_BYTES)?;
    let log = Log::at(server)?;
    let wrong = |hint: &str| Stopped::Wrong(hint.to_owned());
    let served = log.file("checkpoint", NOTE_BYTES).await?;
    let served = served
        .ok_or_else(|| Stopped::Unreachable("the log serves no checkpoint yet".to_owned()))?;
    let shown =
        SignedCheckpoint::parse(&served).map_err(|_| wrong("what is served is no checkpoint"))?;
    let size = shown.head().size;
    let mut all = Vec::new();
    for bundle in (0..size.div_ceil(256)).rev() {
        let tile = Tile::bundle(size, bundle).ok_or_else(|| wrong("a size that no log has"))?;
        let missing = || Stopped::Unreachable("the log does not serve its entries".to_owned());
        let bytes = log.file(&tile.path(), BUNDLE_BYTES).await?.ok_or_else(missing)?;
        let entries = bundle_from_slice(tile.width, &bytes)
            .ok_or_else(|| wrong("a bundle of entries is spoiled"))?;
        let Some(at) = entries.iter().rposition(|one| *one == entry) else {
            all.push(entries);
            continue;
        };
        let index = bundle * 256 + at as u64;
        let proof = log.proof(index, &entry, &shown).await?;
        proof.inclusion.includes(&leaf_hash(&entry)).map_err(|error| wrong(&error.to_string()))?;
        put(&options.out, proof.to_string().as_bytes())?;
        if json {
            println!("{}", serde_json::json!({ "index": index, "size": size }));
        } else {
            println!("entry {index} of {size}; the proof is in {}", options.out.display());
        }
        return Ok(());
    }
    let hint = "the log does not have this entry; has the operator put it into `entries`?";
    let Some((out, builders)) = options.evidence.as_deref().zip(options.builders.as_deref()) else {
        return Err(Failure::Surroundings("not_logged", hint.to_owned()));
    };
    let policy = log.file("policy", POLICY_BYTES).await?.unwrap_or_default();
    let policy = Policy::parse(&policy).map_err(|_| wrong("what is served is no policy"))?;
    let key = policy.signed_by_log(&shown).map_err(|error| wrong(&error.to_string()))?;
    let entries: Vec<Vec<u8>> = all.into_iter().rev().flatten().collect();
    let is_epoch = |entry: &&Vec<u8>| matches!(Entry::decode(entry), Ok(Entry::Epoch(_)));
    let evidence = Evidence::UnloggedCode {
        log: key.clone(),
        builders: read_builders(builders)?,
        release: entry,
        leaves: entries.iter().map(|entry| leaf_hash(entry)).collect(),
        epoch: entries.iter().rev().find(is_epoch).cloned().unwrap_or_default(),
        checkpoint: shown,
    };
    match evidence.check() {
        Verdict::Proven(what) => {
            put(out, evidence.to_string().as_bytes())?;
            let hint = format!("{what}; the evidence is in {}", out.display());
            Err(Failure::Surroundings("not_logged", hint))
        }
        Verdict::Unanswered(why) | Verdict::NotProven(why) => {
            Err(Failure::Surroundings("not_logged", format!("{hint} Nothing is proved: {why}")))
        }
    }
}

fn open_entry(path: &Path) -> Result<Release, Failure> {
    match Entry::decode(&read(path, ENTRY_BYTES)?) {
        Ok(Entry::Release(release)) => Ok(release),
        _ => {
            let hint = format!("{} is not the entry of a release", path.display());
            Err(Failure::Surroundings("entry", hint))
        }
    }
}

fn store(path: &Path, release: Release) -> Result<(), Failure> {
    let bytes = Entry::Release(release).encode();
    let bytes = bytes.map_err(|error| Failure::Surroundings("entry", error.to_string()))?;
    put(path, &bytes)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::Usage("the file to write has no name".to_owned()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    Ok(replace(&folder, name, bytes)?)
}

/// A builder's name and key, from a file of one line `builder-key NAME SEED`; made if there is none.
fn open(path: &Path, name: &str) -> Result<(String, SigningKey), Failure> {
    let failed = |hint: String| Failure::Surroundings("key", format!("{}: {hint}", path.display()));
    match fs::read_to_string(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            parse(&text).ok_or_else(|| failed("not the key file of a builder".to_owned()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(Failure::Usage("a builder's name has no spaces".to_owned()));
            }
            let mut seed = Zeroizing::new([0; 32]);
            getrandom::fill(seed.as_mut()).map_err(|_| {
                Failure::Surroundings("system", "no randomness to be had".to_owned())
            })?;
            let line = Zeroizing::new(format!("{PREFIX} {name} {}\n", hex(seed.as_slice())));
            write_secret(path, &line)?;
            Ok((name.to_owned(), SigningKey::from_seed(*seed)))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

fn parse(text: &str) -> Option<(String, SigningKey)> {
    let words: Vec<&str> = text.trim_end().split(' ').collect();
    let [PREFIX, name, seed] = words.as_slice() else { return None };
    let seed = Zeroizing::new(from_hex(seed)?);
    let seed: [u8; 32] = seed.as_slice().try_into().ok()?;
    Some(((*name).to_owned(), SigningKey::from_seed(seed)))
}

const PREFIX: &str = "builder-key";
/// What can be released.
pub(crate) const KINDS: &str = "a kind is web, terminal, desktop or server";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_builders_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let (_, made) = open(&path, "bob").unwrap();
        let (name, read) = open(&path, "somebody").unwrap();
        assert_eq!((name.as_str(), read.public()), ("bob", made.public()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for spoiled in ["", "builder-key bob 00", "PRIVATE+KEY+bob"] {
            fs::write(&path, spoiled).unwrap();
            assert!(open(&path, "bob").is_err());
        }
        assert_eq!(open(&folder.path().join("b"), "two words").unwrap_err().exit_code(), 2);
    }
}
