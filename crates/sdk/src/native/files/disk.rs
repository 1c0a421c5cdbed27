// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sealing and opening files on this disk, a chunk at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use nodoor_client::{
    io::{FileFault, FileWord},
    media::{self, CLEANED, LOOK, Look},
};
use nodoor_e2ee::file::{CHUNK, Hashes, LARGEST, Opener, Sealer, TAG};
use sha2::{Digest as _, Sha256};

use super::Job;

/// Progress is told so often, bytes.
const STEP: u64 = 4 * 1024 * 1024;
/// Read at once.
const READ: usize = 16 * CHUNK;

pub(super) fn seal(job: &Job<'_>, from: &Path, key: &[u8; 32]) -> Result<FileWord, FileFault> {
    let unreadable = |_: io::Error| FileFault::Unreadable;
    let file = File::open(from).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(FileFault::Unreadable);
    }
    if about.len() > LARGEST {
        return Err(FileFault::TooLarge);
    }
    let mut first = Vec::new();
    (&file).take(LOOK as u64).read_to_end(&mut first).map_err(unreadable)?;
    let mut look = media::look(&first);
    if look.is_cleaned() {
        let cleaned = if about.len() <= CLEANED {
            let mut all = first.clone();
            (&file).take(CLEANED).read_to_end(&mut all).map_err(unreadable)?;
            media::clean(look.content_type, &all).ok_or(all)
        } else {
            Err(Vec::new())
        };
        match cleaned {
            Ok(cleaned) => {
                return write_sealed(job, key, cleaned.len() as u64, &mut &*cleaned, look);
            }
            // What is no picture after all goes as it is, as a plain file.
            Err(read) if !read.is_empty() => first = read,
            Err(_) => {}
        }
        look = Look::PLAIN;
    }
    let mut all = first.as_slice().chain(file);
    write_sealed(job, key, about.len(), &mut all, look)
}

fn write_sealed(
    job: &Job<'_>,
    key: &[u8; 32],
    size: u64,
    from: &mut dyn Read,
    look: Look,
) -> Result<FileWord, FileFault> {
    let folder = &job.place.folder;
    let made = job.place.made(job.message);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(disk)?;
    let mut to = private(&made).map_err(disk)?;
    let mut sealer = Sealer::new(key, size).map_err(|_| FileFault::TooLarge)?;
    let (mut buffer, mut out) = (vec![0; READ], Vec::with_capacity(2 * READ));
    let (mut done, mut said) = (0_u64, 0_u64);
    loop {
        job.is_stopped()?;
        let read = from.read(&mut buffer).map_err(|_| FileFault::Unreadable)?;
        let piece = buffer.get(..read).unwrap_or_default();
        sealer.push(piece, &mut out).map_err(|_| FileFault::Unreadable)?;
        to.write_all(&out).map_err(disk)?;
        out.clear();
        done += read as u64;
        if read == 0 {
            break;
        }
        if done - said >= STEP {
            said = done;
            job.moved(done, size);
        }
    }
    while sealer.pad(&mut out).map_err(|_| FileFault::Unreadable)? {
        to.write_all(&out).map_err(disk)?;
        out.clear();
    }
    let hashes = sealer.finish(&mut out).map_err(|_| FileFault::Unreadable)?;
    to.sync_all().map_err(disk)?;
    keep(job, &made, &hashes.sealed)?;
    Ok(FileWord::Sealed { hashes, size, look })
}

/// A fetched file that is as long as it should be: is it the one? `at_once`: no crash can have torn it.
pub(super) fn receive(
    job: &Job<'_>,
    hashes: &Hashes,
    key: &[u8; 32],
    size: u64,
    at_once: bool,
) -> Result<FileWord, FileFault> {
    let whole = job.place.whole(&hashes.sealed);
    if !whole.exists() {
        let part = job.place.part(&hashes.sealed);
        if hash(job, &part)? != hashes.sealed {
            // Another try begins anew. What was torn by a crash comes whole then; what the server made of it does not.
            fs::remove_file(&part).map_err(disk)?;
            return Err(if at_once { FileFault::Forged } else { FileFault::NoAnswer });
        }
        File::open(&part).and_then(|file| file.sync_all()).map_err(disk)?;
        keep(job, &part, &hashes.sealed)?;
    }
    let mut first = Vec::new();
    let file = File::open(&whole).map_err(disk)?;
    file.take((CHUNK + TAG) as u64).read_to_end(&mut first).map_err(disk)?;
    let mut out = Vec::new();
    let mut opener = Opener::new(key, size).map_err(|_| FileFault::Forged)?;
    opener.push(&first, &mut out).map_err(|_| FileFault::Forged)?;
    Ok(FileWord::Got { look: media::look(&out) })
}

pub(super) fn save(
    job: &Job<'_>,
    hashes: &Hashes,
    key: &[u8; 32],
    size: u64,
    to: &Path,
) -> Result<FileWord, FileFault> {
    let mut sealed = File::open(job.place.whole(&hashes.sealed)).map_err(|_| FileFault::NotHere)?;
    if to.exists() {
        return Err(FileFault::Disk);
    }
    let folder = to.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let beside = folder.join(format!(".nodoor-{}-{}", std::process::id(), job.message.0));
    let written = private(&beside).map_err(disk).and_then(|mut out| {
        open(job, &mut sealed, &mut out, hashes, key, size)?;
        out.sync_all().map_err(disk)?;
        // Unlike a rename it replaces nothing.
        match fs::hard_link(&beside, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(FileFault::Disk),
            Err(_) if !to.exists() => fs::rename(&beside, to).map_err(disk),
            Err(_) => Err(FileFault::Disk),
            Ok(()) => Ok(()),
        }
    });
    let _ = fs::remove_file(&beside);
    written.map(|()| FileWord::Saved)
}

fn open(
    job: &Job<'_>,
    sealed: &mut File,
    out: &mut File,
    hashes: &Hashes,
    key: &[u8; 32],
    size: u64,
) -> Result<(), FileFault> {
    let mut opener = Opener::new(key, size).map_err(|_| FileFault::Forged)?;
    let (mut buffer, mut opened) = (vec![0; READ], Vec::with_capacity(2 * READ));
    let (mut done, mut said) = (0_u64, 0_u64);
    loop {
        job.is_stopped()?;
        let read = sealed.read(&mut buffer).map_err(disk)?;
        if read == 0 {
            return opener.finish(hashes).map_err(|_| FileFault::Forged);
        }
        let piece = buffer.get(..read).unwrap_or_default();
        opener.push(piece, &mut opened).map_err(|_| FileFault::Forged)?;
        out.write_all(&opened).map_err(disk)?;
        opened.clear();
        done += read as u64;
        if done - said >= STEP {
            said = done;
            job.moved(done.min(size), size);
        }
    }
}

/// SHA-256 of a file.
pub(super) fn hash(job: &Job<'_>, path: &Path) -> Result<[u8; 32], FileFault> {
    let mut file = File::open(path).map_err(disk)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; READ]);
    loop {
        job.is_stopped()?;
        let read = file.read(&mut buffer).map_err(disk)?;
        if read == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}

/// Gives a sealed file that is whole and synced its name, durably.
fn keep(job: &Job<'_>, made: &Path, sealed: &[u8; 32]) -> Result<(), FileFault> {
    fs::rename(made, job.place.whole(sealed)).map_err(disk)?;
    File::open(&job.place.folder).and_then(|folder| folder.sync_all()).map_err(disk)
}

/// A new file for this user alone; what a crash left under that name goes.
pub(super) fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

pub(super) fn disk(_: io::Error) -> FileFault {
    FileFault::Disk
}
