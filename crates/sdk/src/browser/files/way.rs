// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sealed files to the server and from it, over plain HTTP without a name: the same walk as the native driver's.

use nodoor_client::io::{FileFault, FileWord};
use nodoor_e2ee::file::{Hashes, sealed_size};

use super::{
    Job, disk, host,
    host::{Answer, Open, ask},
    part, whole,
};

/// Bytes of one `PUT`.
const PIECE: usize = 8 * 1024 * 1024;
/// Progress is told so often, bytes.
const STEP: u64 = 4 * 1024 * 1024;
const UPLOAD: &str = "/v1/upload";

pub(super) async fn put(
    job: &Job,
    sealed: &[u8; 32],
    secret: &[u8; 32],
    pass: Option<[u8; 32]>,
) -> Result<FileWord, FileFault> {
    let name = whole(sealed);
    let file = Open::open(&name, false).await?;
    let size = file.size()?;
    if ask("HEAD", &format!("/v1/blob/{name}"), Vec::new(), None).await?.0 == 200 {
        return Ok(FileWord::Put);
    }
    let upload = |more: &[(&str, String)]| {
        let mut headers = vec!["nodoor-upload".to_owned(), hex::encode(secret)];
        headers.extend(more.iter().flat_map(|(name, value)| [(*name).to_owned(), value.clone()]));
        headers
    };
    let mut at = match (ask("GET", UPLOAD, upload(&[]), None).await?, pass) {
        ((200, text), _) => position(&text)?,
        ((404, _), None) => return Ok(FileWord::NeedsPass),
        ((404, _), Some(pass)) => {
            let headers =
                upload(&[("nodoor-pass", hex::encode(pass)), ("nodoor-size", size.to_string())]);
            match ask("POST", UPLOAD, headers, None).await? {
                (200, text) => position(&text)?,
                (status, _) => return Err(fault(status)),
            }
        }
        ((status, _), _) => return Err(fault(status)),
    };
    let mut piece = vec![0; PIECE];
    while at < size {
        job.is_stopped()?;
        let read = file.read(at, &mut piece)?;
        let headers = upload(&[("nodoor-position", at.to_string())]);
        at = match ask("PUT", UPLOAD, headers, piece.get(..read)).await? {
            (200 | 409, text) => position(&text)?,
            // Thrown away meanwhile: it begins anew.
            (404, _) => return Err(FileFault::NoAnswer),
            (status, _) => return Err(fault(status)),
        };
        job.moved(at.min(size), size);
    }
    let headers = upload(&[("nodoor-hash", name)]);
    match ask("POST", "/v1/upload/done", headers, None).await?.0 {
        200 => Ok(FileWord::Put),
        // Torn there by a crash, or here.
        422 if disk::hash(job, &file).await? == *sealed => Err(FileFault::NoAnswer),
        422 => Err(FileFault::Disk),
        404 => Err(FileFault::NoAnswer),
        status => Err(fault(status)),
    }
}

/// Fetches what is missing of a sealed file. Whether all of it came now.
pub(super) async fn get(
    job: &Job,
    hashes: &Hashes,
    size: u64,
    pass: &[u8; 32],
) -> Result<bool, FileFault> {
    if host::is_there(&whole(&hashes.sealed)).await? {
        return Ok(false);
    }
    let file = Open::open(&part(&hashes.sealed), true).await?;
    let total = sealed_size(size);
    let mut done = file.size()?;
    if done > total {
        file.cut(0)?;
        done = 0;
    }
    if done == total {
        return Ok(false);
    }
    let pairs = [("nodoor-pass", hex::encode(pass)), ("range", format!("bytes={done}-"))];
    let headers = pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
    let answer = Answer::of(&format!("/v1/blob/{}", whole(&hashes.sealed)), headers).await?;
    match answer.status {
        206 => {}
        200 => {
            file.cut(0)?;
            done = 0;
        }
        404 => return Err(FileFault::Gone),
        status => return Err(fault(status)),
    }
    if answer.length != Some(total - done) {
        // Not as long as what the message says is.
        return Err(FileFault::Forged);
    }
    let (mut said, at_once) = (done, done == 0);
    while done < total {
        job.is_stopped()?;
        let bytes = answer.next().await?;
        file.write(done, &bytes)?;
        done += bytes.len() as u64;
        if done - said >= STEP {
            said = done;
            job.moved(done.min(total), total);
        }
    }
    Ok(at_once)
}

fn position(text: &str) -> Result<u64, FileFault> {
    text.trim().parse().map_err(|_| FileFault::NoAnswer)
}

fn fault(status: u16) -> FileFault {
    match status {
        507 => FileFault::Full,
        413 => FileFault::TooLarge,
        // A pass that no longer counts, a server that stops or fails: asked again, with another pass.
        _ => FileFault::NoAnswer,
    }
}
