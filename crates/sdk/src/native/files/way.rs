// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sealed files to the server and from it, over plain HTTP without a name.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{Method, header};
use nodoor_client::io::{FileFault, FileWord};
use nodoor_e2ee::file::{Hashes, sealed_size};
use tokio::time::timeout;

use super::{
    Job,
    disk::{disk, hash},
};
use crate::native::http::{Http, HttpError, Line};

/// Bytes of one `PUT`.
const PIECE: u64 = 8 * 1024 * 1024;
/// Progress is told so often, bytes.
const STEP: u64 = 4 * 1024 * 1024;
/// For one piece, or for the next bytes.
const WITHIN: Duration = Duration::from_secs(120);

pub(super) fn put(
    job: &Job<'_>,
    sealed: &[u8; 32],
    secret: &[u8; 32],
    pass: Option<[u8; 32]>,
) -> Result<FileWord, FileFault> {
    let mut file = File::open(job.place.whole(sealed)).map_err(|_| FileFault::NotHere)?;
    let size = file.metadata().map_err(disk)?.len();
    waited(async {
        let mut way = Way::open(job).await?;
        let (name, upload) = (hex::encode(sealed), hex::encode(secret));
        if way.ask(Method::HEAD, &format!("/v1/blob/{name}"), &[], Bytes::new()).await?.0 == 200 {
            return Ok(FileWord::Put);
        }
        let upload = [("nodoor-upload", upload)];
        let asked = way.ask(Method::GET, "/v1/upload", &upload, Bytes::new()).await?;
        let mut at = match (asked, pass) {
            ((200, text), _) => position(&text)?,
            ((404, _), None) => return Ok(FileWord::NeedsPass),
            ((404, _), Some(pass)) => {
                let [upload] = upload.clone();
                let headers =
                    [upload, ("nodoor-pass", hex::encode(pass)), ("nodoor-size", size.to_string())];
                let begun = way.ask(Method::POST, "/v1/upload", &headers, Bytes::new()).await?;
                position(&good(begun)?)?
            }
            ((status, _), _) => return Err(fault(status)),
        };
        while at < size {
            job.is_stopped()?;
            file.seek(SeekFrom::Start(at)).map_err(disk)?;
            let mut piece = Vec::new();
            (&file).take(PIECE).read_to_end(&mut piece).map_err(disk)?;
            let [upload] = upload.clone();
            let headers = [upload, ("nodoor-position", at.to_string())];
            at = match way.ask(Method::PUT, "/v1/upload", &headers, piece.into()).await? {
                (200 | 409, text) => position(&text)?,
                // Thrown away meanwhile: it begins anew.
                (404, _) => return Err(FileFault::NoAnswer),
                (status, _) => return Err(fault(status)),
            };
            job.moved(at.min(size), size);
        }
        let [upload] = upload;
        let headers = [upload, ("nodoor-hash", name)];
        match way.ask(Method::POST, "/v1/upload/done", &headers, Bytes::new()).await?.0 {
            200 => Ok(FileWord::Put),
            // Torn there by a crash, or here.
            422 if hash(job, &job.place.whole(sealed))? == *sealed => Err(FileFault::NoAnswer),
            422 => Err(FileFault::Disk),
            404 => Err(FileFault::NoAnswer),
            status => Err(fault(status)),
        }
    })
}

/// Fetches what is missing of a sealed file. Whether all of it came now.
pub(super) fn get(
    job: &Job<'_>,
    hashes: &Hashes,
    size: u64,
    pass: &[u8; 32],
) -> Result<bool, FileFault> {
    let place = job.place;
    if place.whole(&hashes.sealed).exists() {
        return Ok(false);
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&place.folder).map_err(disk)?;
    let path = place.part(&hashes.sealed);
    let mut part = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let part = part.as_mut().map_err(|_| FileFault::Disk)?;
    let total = sealed_size(size);
    let mut done = part.metadata().map_err(disk)?.len();
    if done > total {
        part.set_len(0).map_err(disk)?;
        done = 0;
    }
    if done == total {
        return Ok(false);
    }
    waited(async {
        let mut way = Way::open(job).await?;
        let blob = format!("/v1/blob/{}", hex::encode(hashes.sealed));
        let range = ("range", format!("bytes={done}-"));
        let headers = [("nodoor-pass", hex::encode(pass)), range];
        let asked = way.line.ask(Method::GET, &blob, &headers, Bytes::new());
        let answer = timeout(WITHIN, asked).await.map_err(|_| FileFault::NoAnswer)?;
        let mut answer = answer.map_err(|_| FileFault::NoAnswer)?;
        match answer.status().as_u16() {
            206 => {}
            200 => {
                part.set_len(0).map_err(disk)?;
                done = 0;
            }
            404 => return Err(FileFault::Gone),
            status => return Err(fault(status)),
        }
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let length: Option<u64> = length.and_then(|length| length.to_str().ok()?.parse().ok());
        if length != Some(total - done) {
            // Not as long as what the message says is.
            return Err(FileFault::Forged);
        }
        let (mut said, at_once) = (done, done == 0);
        while done < total {
            job.is_stopped()?;
            let frame = timeout(WITHIN, answer.frame()).await.map_err(|_| FileFault::NoAnswer)?;
            let frame = frame.ok_or(FileFault::NoAnswer)?.map_err(|_| FileFault::NoAnswer)?;
            let Ok(bytes) = frame.into_data() else { continue };
            part.write_all(&bytes).map_err(disk)?;
            done += bytes.len() as u64;
            if done - said >= STEP {
                said = done;
                job.moved(done.min(total), total);
            }
        }
        Ok(at_once)
    })
}

/// A connection to the server, for files alone.
struct Way {
    line: Line,
}

impl Way {
    async fn open(job: &Job<'_>) -> Result<Self, FileFault> {
        let place = job.place;
        let http = Http::new(place.more_roots.as_deref()).map_err(|_| FileFault::NoAnswer)?;
        let dialled = timeout(WITHIN, http.dial(&place.server)).await;
        let line = dialled.map_err(|_| FileFault::NoAnswer)?.map_err(|_| FileFault::NoAnswer)?;
        Ok(Self { line })
    }

    /// A request with a short answer: its status and text.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<(u16, String), FileFault> {
        let asked = async {
            let answer = self.line.ask(method, path, headers, body).await?;
            let status = answer.status().as_u16();
            let body = http_body_util::Limited::new(answer.into_body(), 1024);
            let body = body.collect().await.map_err(|_| HttpError::TooLong)?.to_bytes();
            Ok::<_, HttpError>((status, String::from_utf8_lossy(&body).into_owned()))
        };
        let asked = timeout(WITHIN, asked).await.map_err(|_| FileFault::NoAnswer)?;
        asked.map_err(|_| FileFault::NoAnswer)
    }
}

/// Runs on this thread until it is done.
fn waited<T>(work: impl Future<Output = Result<T, FileFault>>) -> Result<T, FileFault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|_| FileFault::NoAnswer)?.block_on(work)
}

fn good((status, text): (u16, String)) -> Result<String, FileFault> {
    if status == 200 { Ok(text) } else { Err(fault(status)) }
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
