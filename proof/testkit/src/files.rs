// SPDX-License-Identifier: AGPL-3.0-or-later
//! A driver's work on files, in memory, against the real server: at once, and as far as the test lets it get.

use std::collections::HashMap;

use nodoor_client::{
    io::{FileFault, FileWord, FileWork},
    media::{Look, clean, look},
};
use nodoor_e2ee::file::{Hashes, Opener, Sealer};
use nodoor_server::{Files, MoveError, storage::blobs::BlobError};

/// A device's files.
#[derive(Default)]
pub struct Shelves {
    /// By the names that interfaces use.
    pub places: HashMap<String, Vec<u8>>,
    /// By the hash of the sealed bytes.
    pub sealed: HashMap<[u8; 32], Vec<u8>>,
    /// What came so far.
    parts: HashMap<[u8; 32], Vec<u8>>,
}

impl Shelves {
    /// Does some work; at most so many bytes move.
    pub fn work(
        &mut self,
        work: FileWork,
        files: Option<Files>,
        most: Option<usize>,
    ) -> Option<FileWord> {
        let most = most.unwrap_or(usize::MAX);
        let done = match work {
            FileWork::Seal { from, key } => self.seal(&from, &key),
            FileWork::Put { sealed, secret, pass } => self.put(sealed, &secret, pass, files?, most),
            FileWork::Get { hashes, key, size, pass } => {
                self.get(&hashes, &key, size, &pass, &files?, most)
            }
            FileWork::Save { hashes, key, size, to } => self.save(&hashes, &key, size, to),
            FileWork::Stop => return None,
            FileWork::KeepOnly { sealed } => {
                self.sealed.retain(|one, _| sealed.contains(one));
                self.parts.retain(|one, _| sealed.contains(one));
                return None;
            }
            FileWork::Forget { sealed } => {
                self.sealed.remove(&sealed);
                return None;
            }
        };
        Some(done.unwrap_or_else(FileWord::Failed))
    }

    fn seal(&mut self, from: &str, key: &[u8; 32]) -> Result<FileWord, FileFault> {
        let bytes = self.places.get(from).ok_or(FileFault::Unreadable)?.clone();
        let seen = look(&bytes);
        let cleaned = if seen.is_cleaned() { clean(seen.content_type, &bytes) } else { None };
        let look = if seen.is_cleaned() && cleaned.is_none() { Look::PLAIN } else { seen };
        let bytes = cleaned.unwrap_or(bytes);
        let size = bytes.len() as u64;
        let mut sealer = Sealer::new(key, size).map_err(|_| FileFault::TooLarge)?;
        let mut out = Vec::new();
        sealer.push(&bytes, &mut out).unwrap();
        let hashes = sealer.finish(&mut out).unwrap();
        self.sealed.insert(hashes.sealed, out);
        Ok(FileWord::Sealed { hashes, size, look })
    }

    fn put(
        &mut self,
        sealed: [u8; 32],
        secret: &[u8; 32],
        pass: Option<[u8; 32]>,
        files: Files,
        most: usize,
    ) -> Result<FileWord, FileFault> {
        let bytes = self.sealed.get(&sealed).ok_or(FileFault::NotHere)?;
        if files.length(sealed).is_ok() {
            return Ok(FileWord::Put);
        }
        let at = match (files.position(secret), pass) {
            (Ok(at), _) => at,
            (Err(_), None) => return Ok(FileWord::NeedsPass),
            (Err(_), Some(pass)) => {
                files.begin(&pass, secret, bytes.len() as u64).map_err(fault)?
            }
        };
        let rest = &bytes[usize::try_from(at).unwrap()..];
        let now = &rest[..rest.len().min(most)];
        files.append(secret, at, now).map_err(fault)?;
        if now.len() < rest.len() {
            return Err(FileFault::NoAnswer);
        }
        files.publish(secret, sealed).map_err(fault)?;
        Ok(FileWord::Put)
    }

    fn get(
        &mut self,
        hashes: &Hashes,
        key: &[u8; 32],
        size: u64,
        pass: &[u8; 32],
        files: &Files,
        most: usize,
    ) -> Result<FileWord, FileFault> {
        let part = self.parts.entry(hashes.sealed).or_default();
        let length = files.length(hashes.sealed).map_err(fault)?;
        files.pay(pass, length - part.len() as u64).map_err(fault)?;
        let more = files.read(hashes.sealed, part.len() as u64, most).map_err(fault)?;
        part.extend_from_slice(&more);
        if (part.len() as u64) < length {
            return Err(FileFault::NoAnswer);
        }
        let whole = self.parts.remove(&hashes.sealed).unwrap_or_default();
        let file = open(hashes, key, size, &whole)?;
        self.sealed.insert(hashes.sealed, whole);
        Ok(FileWord::Got { look: look(&file) })
    }

    fn save(
        &mut self,
        hashes: &Hashes,
        key: &[u8; 32],
        size: u64,
        to: String,
    ) -> Result<FileWord, FileFault> {
        let sealed = self.sealed.get(&hashes.sealed).ok_or(FileFault::NotHere)?;
        let file = open(hashes, key, size, sealed)?;
        if self.places.contains_key(&to) {
            return Err(FileFault::Disk);
        }
        self.places.insert(to, file);
        Ok(FileWord::Saved)
    }
}

fn open(hashes: &Hashes, key: &[u8; 32], size: u64, sealed: &[u8]) -> Result<Vec<u8>, FileFault> {
    let mut out = Vec::new();
    let mut opener = Opener::new(key, size).map_err(|_| FileFault::Forged)?;
    opener.push(sealed, &mut out).map_err(|_| FileFault::Forged)?;
    opener.finish(hashes).map_err(|_| FileFault::Forged)?;
    Ok(out)
}

fn fault(error: MoveError) -> FileFault {
    match error {
        MoveError::Blob(BlobError::Full) => FileFault::Full,
        MoveError::Blob(BlobError::Unknown) => FileFault::Gone,
        MoveError::TooLarge => FileFault::TooLarge,
        _ => FileFault::NoAnswer,
    }
}
