// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files of people, sealed: one plain file each, under its hash. No row anywhere says more about them.
//!
//! ```text
//! files/ab/ab01..ef             a blob; its date is the day it was last put or renewed
//! files/uploads/<name>-<size>   an upload; its length is how far it is
//! ```
//!
//! *What survives a crash.* `sync` syncs an upload before its yes. `publish` syncs the bytes, renames them to their name and
//! syncs both folders before the yes; a crash in between leaves the upload or the blob, whole. Bytes that were never synced
//! may be torn: then the hash is another, and the upload is thrown away when it ends.
//!
//! Days alone are written into dates; the disk's own change times tell more, and `nodoord capabilities` admits it.
//!
//! Spec: `docs/book/protocol.md`, 9; `docs/decisions/0020-files-beside-the-messages.md`.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use nodoor_server::storage::{
    Day, StorageError,
    blobs::{BlobError, BlobName, Blobs, KEEP_BLOB_DAYS, KEEP_UPLOAD_DAYS, UploadName},
};
use sha2::{Digest as _, Sha256};

use crate::folder::free_bytes;

/// Disk that stays free for everything else.
const RESERVE_BYTES: u64 = 1024 * 1024 * 1024;
/// Uploads whose hash is made as they come; of others it is made when they end.
const HASHED: usize = 256;
/// Bytes read at once.
const READ: usize = 256 * 1024;

/// The folder of files.
pub struct BlobFolder {
    path: PathBuf,
    most: u64,
    reserve: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: u64,
    uploads: HashMap<UploadName, Upload>,
    /// Of uploads that go on in this process.
    hashing: HashMap<UploadName, Sha256>,
}

#[derive(Clone, Copy)]
struct Upload {
    size: u64,
    position: u64,
    /// Somebody writes: one at a time.
    busy: bool,
}

impl BlobFolder {
    /// Opens the folder of files within a data folder, which is open and this process's, with room for `most` bytes. Reads the
    /// names of all.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(data: &Path, most: u64) -> io::Result<Self> {
        Self::open_with_reserve(data, most, RESERVE_BYTES)
    }

    /// The same, with another amount of disk that stays free.
    ///
    /// # Errors
    /// The disk's.
    pub fn open_with_reserve(data: &Path, most: u64, reserve: u64) -> io::Result<Self> {
        let path = data.join("files");
        fs::create_dir_all(path.join("uploads"))?;
        File::open(data)?.sync_all()?;
        let mut state = State::default();
        for entry in fs::read_dir(path.join("uploads"))? {
            let entry = entry?;
            let position = entry.metadata()?.len();
            let Some((name, size)) = read_upload(&entry.file_name().to_string_lossy()) else {
                continue;
            };
            state.used = state.used.saturating_add(size);
            state.uploads.insert(name, Upload { size, position, busy: false });
        }
        for (file, _) in blobs(&path)? {
            state.used = state.used.saturating_add(file.metadata()?.len());
        }
        Ok(Self { path, most, reserve, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn blob(&self, name: BlobName) -> PathBuf {
        let hex = hex(&name.0);
        self.path.join(hex.get(..2).unwrap_or_default()).join(hex)
    }

    fn upload(&self, name: UploadName, size: u64) -> PathBuf {
        self.path.join("uploads").join(format!("{}-{size}", hex(&name.0)))
    }

    /// Takes an upload for one writer.
    fn take(&self, name: UploadName) -> Result<(Taken<'_>, Upload), BlobError> {
        let mut state = self.state();
        let upload = state.uploads.get_mut(&name).ok_or(BlobError::Unknown)?;
        if std::mem::replace(&mut upload.busy, true) {
            // Somebody writes there: whoever asks finds out how far it is by then.
            return Err(BlobError::Elsewhere(upload.position));
        }
        Ok((Taken { folder: self, name }, *upload))
    }

    fn forget(&self, name: UploadName) {
        let mut state = self.state();
        state.hashing.remove(&name);
        if let Some(upload) = state.uploads.remove(&name) {
            state.used = state.used.saturating_sub(upload.size);
        }
    }

    fn hash_of(&self, name: UploadName, path: &Path) -> Result<[u8; 32], BlobError> {
        if let Some(hash) = self.state().hashing.remove(&name) {
            return Ok(hash.finalize().into());
        }
        let mut file = File::open(path).map_err(failed)?;
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; READ]);
        loop {
            let read = file.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                return Ok(hash.finalize().into());
            }
            hash.update(buffer.get(..read).unwrap_or_default());
        }
    }
}

/// An upload that one writer has.
struct Taken<'a> {
    folder: &'a BlobFolder,
    name: UploadName,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(upload) = self.folder.state().uploads.get_mut(&self.name) {
            upload.busy = false;
        }
    }
}

impl Blobs for BlobFolder {
    fn begin(&self, upload: UploadName, size: u64, today: Day) -> Result<u64, BlobError> {
        {
            let mut state = self.state();
            if let Some(there) = state.uploads.get(&upload) {
                return if there.size == size { Ok(there.position) } else { Err(BlobError::Size) };
            }
            if state.used.saturating_add(size) > self.most {
                return Err(BlobError::Full);
            }
            let announced: u64 = state.uploads.values().map(|one| one.size - one.position).sum();
            let free = free_bytes(&self.path)?;
            if free < self.reserve.saturating_add(announced).saturating_add(size) {
                return Err(BlobError::Full);
            }
            state.used += size;
            state.uploads.insert(upload, Upload { size, position: 0, busy: false });
            if state.hashing.len() < HASHED {
                state.hashing.insert(upload, Sha256::new());
            }
        }
        let path = self.upload(upload, size);
        let made = File::create(&path).and_then(|file| {
            file.set_modified(date(today))?;
            File::open(self.path.join("uploads"))?.sync_all()
        });
        made.map(|()| 0).map_err(|error| {
            let _ = fs::remove_file(&path);
            self.forget(upload);
            failed(error)
        })
    }

    fn position(&self, upload: UploadName) -> Result<u64, BlobError> {
        self.state().uploads.get(&upload).map(|one| one.position).ok_or(BlobError::Unknown)
    }

    fn append(&self, upload: UploadName, at: u64, bytes: &[u8]) -> Result<u64, BlobError> {
        let (_taken, there) = self.take(upload)?;
        if at != there.position {
            return Err(BlobError::Elsewhere(there.position));
        }
        let after = at.saturating_add(bytes.len() as u64);
        if after > there.size {
            return Err(BlobError::Size);
        }
        let path = self.upload(upload, there.size);
        let written = File::options().write(true).open(path).and_then(|mut file| {
            let date = file.metadata()?.modified()?;
            file.seek(SeekFrom::Start(at))?;
            file.write_all(bytes)?;
            // The day it was begun stays.
            file.set_modified(date)
        });
        let mut state = self.state();
        match written {
            Ok(()) => {
                if let Some(hash) = state.hashing.get_mut(&upload) {
                    hash.update(bytes);
                }
                if let Some(upload) = state.uploads.get_mut(&upload) {
                    upload.position = after;
                }
                Ok(after)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn sync(&self, upload: UploadName) -> Result<(), BlobError> {
        let size = self.state().uploads.get(&upload).map(|one| one.size);
        let path = self.upload(upload, size.ok_or(BlobError::Unknown)?);
        File::open(path).and_then(|file| file.sync_data()).map_err(failed)
    }

    fn publish(&self, upload: UploadName, name: BlobName, today: Day) -> Result<(), BlobError> {
        let (_taken, there) = self.take(upload)?;
        let from = self.upload(upload, there.size);
        let whole = there.position == there.size;
        if !whole || self.hash_of(upload, &from)? != name.0 {
            fs::remove_file(&from).map_err(failed)?;
            self.forget(upload);
            return Err(BlobError::Hash);
        }
        let to = self.blob(name);
        let folder = to.parent().unwrap_or(&self.path);
        let was_there = to.exists();
        fs::create_dir_all(folder)
            .and_then(|()| File::open(&self.path)?.sync_all())
            .and_then(|()| {
                let file = File::options().write(true).open(&from)?;
                file.set_modified(date(today))?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&from, &to))
            .and_then(|()| File::open(folder)?.sync_all())
            .and_then(|()| File::open(self.path.join("uploads"))?.sync_all())
            .map_err(failed)?;
        let mut state = self.state();
        state.uploads.remove(&upload);
        if was_there {
            state.used = state.used.saturating_sub(there.size);
        }
        Ok(())
    }

    fn length(&self, name: BlobName) -> Result<u64, BlobError> {
        Ok(fs::metadata(self.blob(name)).map_err(failed)?.len())
    }

    fn read(&self, name: BlobName, at: u64, limit: usize) -> Result<Bytes, BlobError> {
        let mut file = File::open(self.blob(name)).map_err(failed)?;
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes.into())
    }

    fn renew(&self, name: BlobName, today: Day) -> Result<(), BlobError> {
        let file = File::options().write(true).open(self.blob(name)).map_err(failed)?;
        file.set_modified(date(today)).and_then(|()| file.sync_all()).map_err(failed)
    }

    fn sweep(&self, today: Day) -> Result<u64, BlobError> {
        let mut gone = 0;
        for entry in fs::read_dir(self.path.join("uploads")).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Some((name, _)) = read_upload(&entry.file_name().to_string_lossy()) else {
                continue;
            };
            if day(&entry.metadata().map_err(failed)?)?.is_over(KEEP_UPLOAD_DAYS, today)
                && let Ok((taken, _)) = self.take(name)
            {
                fs::remove_file(entry.path()).map_err(failed)?;
                self.forget(taken.name);
                gone += 1;
            }
        }
        for (file, _) in blobs(&self.path).map_err(failed)? {
            let about = file.metadata().map_err(failed)?;
            if day(&about)?.is_over(KEEP_BLOB_DAYS, today) {
                fs::remove_file(file.path()).map_err(failed)?;
                let mut state = self.state();
                state.used = state.used.saturating_sub(about.len());
                gone += 1;
            }
        }
        Ok(gone)
    }

    fn used_bytes(&self) -> u64 {
        self.state().used
    }
}

/// All blobs, one folder after the other.
fn blobs(path: &Path) -> io::Result<Vec<(fs::DirEntry, BlobName)>> {
    let mut found = Vec::new();
    for folder in fs::read_dir(path)? {
        let folder = folder?;
        if folder.file_name().len() != 2 {
            continue;
        }
        for file in fs::read_dir(folder.path())? {
            let file = file?;
            if let Some(name) = unhex(&file.file_name().to_string_lossy()) {
                found.push((file, BlobName(name)));
            }
        }
    }
    Ok(found)
}

fn read_upload(file: &str) -> Option<(UploadName, u64)> {
    let (name, size) = file.split_once('-')?;
    Some((UploadName(unhex(name)?), size.parse().ok()?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn date(day: Day) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::from(day.0) * 86_400)
}

fn day(about: &fs::Metadata) -> Result<Day, BlobError> {
    let since = about.modified().map_err(failed)?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Day::of_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

fn failed(error: io::Error) -> BlobError {
    match error.kind() {
        io::ErrorKind::NotFound => BlobError::Unknown,
        io::ErrorKind::StorageFull => BlobError::Full,
        // The kind alone: a path would name the blob.
        kind => BlobError::Storage(StorageError::Failed(kind.to_string())),
    }
}
