// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sealing and opening files in OPFS, a chunk at a time.

use js_sys::{Array, Reflect, Uint8Array};
use nodoor_client::{
    io::{FileFault, FileWord},
    media::{self, CLEANED, LOOK, Look},
};
use nodoor_e2ee::file::{CHUNK, Hashes, LARGEST, Opener, Sealer, TAG};
use sha2::{Digest as _, Sha256};
use wasm_bindgen::{JsCast as _, JsValue};

use super::{
    Job,
    host::{self, Open, slice, whole_number},
    part, whole,
};
use crate::browser::timer;

/// Progress is told, and the event loop has its turn, so often, bytes.
const STEP: u64 = 4 * 1024 * 1024;
/// Read at once.
const READ: usize = 16 * CHUNK;

/// Where the bytes that are sealed come from.
enum Source<'a> {
    /// A file of the page.
    Picked(&'a JsValue),
    /// A picture, cleaned.
    Cleaned(Vec<u8>),
}

impl Source<'_> {
    async fn piece(&self, from: u64, to: u64) -> Result<Vec<u8>, FileFault> {
        match self {
            Self::Picked(blob) => slice(blob, from, to).await,
            Self::Cleaned(bytes) => {
                let at = |of: u64| usize::try_from(of).map_err(|_| FileFault::Unreadable);
                Ok(bytes.get(at(from)?..at(to)?).ok_or(FileFault::Unreadable)?.to_vec())
            }
        }
    }
}

pub(super) async fn seal(job: &Job, from: &str, key: &[u8; 32]) -> Result<FileWord, FileFault> {
    let blob = host::picked_file(from);
    let size = Reflect::get(&blob, &"size".into()).ok().and_then(|size| size.as_f64());
    let size = size.map(whole_number).ok_or(FileFault::Unreadable)?;
    if size > LARGEST {
        return Err(FileFault::TooLarge);
    }
    let mut look = media::look(&slice(&blob, 0, size.min(LOOK as u64)).await?);
    let (mut source, mut length) = (Source::Picked(&blob), size);
    if look.is_cleaned() {
        let cleaned = if size <= CLEANED {
            media::clean(look.content_type, &slice(&blob, 0, size).await?)
        } else {
            None
        };
        if let Some(cleaned) = cleaned {
            (length, source) = (cleaned.len() as u64, Source::Cleaned(cleaned));
        } else {
            // What is no picture after all goes as it is, as a plain file.
            look = Look::PLAIN;
        }
    }
    let made = format!("{}-{}.new", job.message.0, job.number);
    let sealed = write_sealed(job, key, length, &source, &made).await;
    let kept = match &sealed {
        Ok(hashes) => host::rename(&made, &whole(&hashes.sealed)).await,
        Err(fault) => Err(*fault),
    };
    if kept.is_err() {
        drop(host::remove(&made).await);
    }
    kept?;
    host::unpick(from);
    Ok(FileWord::Sealed { hashes: sealed?, size: length, look })
}

async fn write_sealed(
    job: &Job,
    key: &[u8; 32],
    size: u64,
    from: &Source<'_>,
    made: &str,
) -> Result<Hashes, FileFault> {
    let to = Open::open(made, true).await?;
    to.cut(0)?;
    let mut sealer = Sealer::new(key, size).map_err(|_| FileFault::TooLarge)?;
    let mut out = Vec::with_capacity(2 * READ);
    let (mut done, mut said, mut at) = (0_u64, 0_u64, 0_u64);
    while done < size {
        job.is_stopped()?;
        let end = size.min(done + READ as u64);
        let piece = from.piece(done, end).await?;
        if piece.len() as u64 != end - done {
            return Err(FileFault::Unreadable);
        }
        sealer.push(&piece, &mut out).map_err(|_| FileFault::Unreadable)?;
        write(&to, &mut at, &mut out)?;
        done = end;
        if done - said >= STEP {
            said = done;
            job.moved(done, size);
        }
    }
    while sealer.pad(&mut out).map_err(|_| FileFault::Unreadable)? {
        write(&to, &mut at, &mut out)?;
    }
    let hashes = sealer.finish(&mut out).map_err(|_| FileFault::Unreadable)?;
    write(&to, &mut at, &mut out)?;
    to.flush()?;
    Ok(hashes)
}

fn write(to: &Open, at: &mut u64, out: &mut Vec<u8>) -> Result<(), FileFault> {
    to.write(*at, out)?;
    *at += out.len() as u64;
    out.clear();
    Ok(())
}

/// A fetched file that is as long as it should be: is it the one? `at_once`: no crash can have torn it.
pub(super) async fn receive(
    job: &Job,
    hashes: &Hashes,
    key: &[u8; 32],
    size: u64,
    at_once: bool,
) -> Result<FileWord, FileFault> {
    let (name, part) = (whole(&hashes.sealed), part(&hashes.sealed));
    if !host::is_there(&name).await? {
        let file = Open::open(&part, false).await?;
        let right = hash(job, &file).await? == hashes.sealed;
        if right {
            file.flush()?;
        } else {
            // Another try begins anew. What was torn by a crash comes whole then; what the server made of it does not.
            file.cut(0)?;
        }
        drop(file);
        if !right {
            return Err(if at_once { FileFault::Forged } else { FileFault::NoAnswer });
        }
        host::rename(&part, &name).await?;
    }
    let mut first = vec![0; CHUNK + TAG];
    let read = Open::open(&name, false).await?.read(0, &mut first)?;
    let mut out = Vec::new();
    let mut opener = Opener::new(key, size).map_err(|_| FileFault::Forged)?;
    let first = first.get(..read).unwrap_or_default();
    opener.push(first, &mut out).map_err(|_| FileFault::Forged)?;
    Ok(FileWord::Got { look: media::look(&out) })
}

/// Opens a sealed file that is kept, as a blob without a type, which exists only once all of it was checked.
pub(super) async fn open(
    job: &Job,
    hashes: &Hashes,
    key: &[u8; 32],
    size: u64,
) -> Result<JsValue, FileFault> {
    let sealed = Open::open(&whole(&hashes.sealed), false).await?;
    let mut opener = Opener::new(key, size).map_err(|_| FileFault::Forged)?;
    let (parts, mut buffer) = (Array::new(), vec![0; READ]);
    let mut opened = Vec::with_capacity(2 * READ);
    let (mut done, mut said) = (0_u64, 0_u64);
    loop {
        job.is_stopped()?;
        let read = sealed.read(done, &mut buffer)?;
        if read == 0 {
            opener.finish(hashes).map_err(|_| FileFault::Forged)?;
            return host::blob(&parts).map_err(|_| FileFault::Disk);
        }
        let piece = buffer.get(..read).unwrap_or_default();
        opener.push(piece, &mut opened).map_err(|_| FileFault::Forged)?;
        // A blob each: the browser keeps those where it likes, and this worker's memory stays small.
        let bytes: JsValue = Uint8Array::from(opened.as_slice()).unchecked_into();
        parts.push(&host::blob(&Array::of1(&bytes)).map_err(|_| FileFault::Disk)?);
        opened.clear();
        done += read as u64;
        if done - said >= STEP {
            said = done;
            job.moved(done.min(size), size);
            timer::pause(0).await;
        }
    }
}

/// SHA-256 of a file.
pub(super) async fn hash(job: &Job, file: &Open) -> Result<[u8; 32], FileFault> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; READ]);
    let mut done = 0_u64;
    loop {
        job.is_stopped()?;
        let read = file.read(done, &mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(buffer.get(..read).unwrap_or_default());
        done += read as u64;
        if done.is_multiple_of(STEP) {
            timer::pause(0).await;
        }
    }
}
