// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files of people, sealed: bytes in and out, a piece at a time, none kept.
//!
//! Secrets travel in headers, so that no log of paths on the way holds one. No cookie, no name; pages of other sites are
//! refused. What a store does may block, and is done on threads for that.
//!
//! Spec: `docs/book/protocol.md`, 9. `router` calls it; it calls `server`.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{
        HeaderMap, HeaderValue, Method, Response, StatusCode,
        header::{
            ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
        },
    },
};
use bytes::BytesMut;
use futures_util::{StreamExt as _, stream};
use nodoor_server::{Files, MoveError, PIECE, storage::blobs::BlobError};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    Gateway,
    crowd::Caller,
    page::secure,
    router::{is_own_page, plain},
};

/// Bytes that go to the store, or come from it, at once.
const STEP: usize = 512 * 1024;

/// Headers that say what a person may do.
const PASS: &str = "nodoor-pass";
const UPLOAD: &str = "nodoor-upload";

/// `/v1/upload`: begin (`POST`), ask (`GET`), go on (`PUT`).
pub(crate) async fn upload(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Arc<Caller>>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let done = async {
        let files = open(&gateway, &headers)?;
        let secret = secret(&headers, UPLOAD)?;
        if method == Method::POST {
            let pass = secret_of(&headers, PASS).ok_or(MoveError::NoPass)?;
            let size = number(&headers, "nodoor-size")?;
            return blocking(move || files.begin(&pass, &secret, size)).await;
        }
        if method == Method::GET {
            return blocking(move || files.position(&secret)).await;
        }
        let at = number(&headers, "nodoor-position")?;
        take_in(&gateway, &caller, files, secret, at, body).await
    };
    match done.await {
        Ok(position) => plain(StatusCode::OK, format!("{position}\n")),
        Err(no) => refused(&no),
    }
}

/// `POST /v1/upload/done`.
pub(crate) async fn done(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Response<Body> {
    let done = async {
        let files = open(&gateway, &headers)?;
        let (secret, hash) = (secret(&headers, UPLOAD)?, secret(&headers, "nodoor-hash")?);
        blocking(move || files.publish(&secret, hash)).await
    };
    match done.await {
        Ok(()) => plain(StatusCode::OK, "published\n".into()),
        Err(no) => refused(&no),
    }
}

/// `/v1/blob/HASH`: is it there (`HEAD`), give it (`GET`), keep it (`POST`).
pub(crate) async fn blob(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    let done = async {
        let files = open(&gateway, &headers)?;
        let hash = unhex(name.as_bytes()).ok_or(No::Malformed)?;
        if method == Method::HEAD {
            let length = blocking(move || files.length(hash)).await?;
            return Ok(whole(length, caller.tls));
        }
        let pass = secret_of(&headers, PASS).ok_or(MoveError::NoPass)?;
        if method == Method::POST {
            blocking(move || files.renew(&pass, hash)).await?;
            return Ok(plain(StatusCode::OK, "kept\n".into()));
        }
        give(files, &pass, hash, &headers, caller.tls).await
    };
    done.await.unwrap_or_else(|no: No| refused(&no))
}

/// Why nothing was done.
enum No {
    Moved(MoveError),
    Malformed,
    /// The body was longer than a piece may be.
    TooLong,
    /// The caller stopped in the middle.
    Broken,
    /// A page of another site, or a server that stops.
    Closed,
}

impl From<MoveError> for No {
    fn from(error: MoveError) -> Self {
        Self::Moved(error)
    }
}

fn open(gateway: &Gateway, headers: &HeaderMap) -> Result<Files, No> {
    if !is_own_page(headers) || gateway.is_draining() {
        return Err(No::Closed);
    }
    Ok(gateway.server.files()?)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MoveError> + Send + 'static,
) -> Result<T, No> {
    spawn_blocking(work).await.map_err(|_| No::Broken)?.map_err(No::Moved)
}

/// Writes a piece of an upload as it comes. What came before it broke off counts too.
async fn take_in(
    gateway: &Gateway,
    caller: &Caller,
    files: Files,
    secret: [u8; 32],
    mut at: u64,
    body: Body,
) -> Result<u64, No> {
    let mut frames = body.into_data_stream();
    let (mut taken, mut step) = (0_u64, BytesMut::new());
    loop {
        let frame = timeout(gateway.limits.write_within, frames.next()).await;
        let frame = match frame {
            Ok(Some(Ok(frame))) => Some(frame),
            Ok(None) => None,
            Ok(Some(Err(_))) | Err(_) => return Err(No::Broken),
        };
        caller.finished();
        let is_end = frame.is_none();
        if let Some(frame) = frame {
            taken += frame.len() as u64;
            if taken > PIECE {
                return Err(No::TooLong);
            }
            step.extend_from_slice(&frame);
        }
        if step.len() >= STEP || is_end && !step.is_empty() {
            let (files, bytes) = (files.clone(), step.split().freeze());
            at = blocking(move || files.append(&secret, at, &bytes)).await?;
        }
        if is_end {
            blocking(move || files.sync(&secret)).await?;
            return Ok(at);
        }
    }
}

/// Streams a blob from where it was asked for.
async fn give(
    files: Files,
    pass: &[u8; 32],
    hash: [u8; 32],
    headers: &HeaderMap,
    tls: bool,
) -> Result<Response<Body>, No> {
    let from = match headers.get(RANGE) {
        None => 0,
        Some(range) => range
            .to_str()
            .ok()
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok())
            .ok_or(No::Malformed)?,
    };
    let pass = *pass;
    let paid = files.clone();
    let length = blocking(move || {
        let length = paid.length(hash)?;
        paid.pay(&pass, length.saturating_sub(from))?;
        Ok(length)
    })
    .await?;
    let pieces = stream::try_unfold((files, from), move |(files, at)| async move {
        let read = blocking(move || Ok((files.read(hash, at, STEP)?, files))).await;
        let (piece, files) = read.map_err(|_| std::io::Error::other("the blob is gone"))?;
        let after = at + piece.len() as u64;
        Ok::<_, std::io::Error>((!piece.is_empty()).then_some((piece, (files, after))))
    });
    let mut response = whole(length, tls);
    *response.body_mut() = Body::from_stream(pieces);
    let out = response.headers_mut();
    out.insert(CONTENT_LENGTH, HeaderValue::from(length.saturating_sub(from)));
    if from > 0 {
        let last = length.saturating_sub(1);
        let range = format!("bytes {from}-{last}/{length}");
        out.insert(CONTENT_RANGE, HeaderValue::from_str(&range).map_err(|_| No::Malformed)?);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// The headers of a blob that is there.
fn whole(length: u64, tls: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    out.insert(CONTENT_LENGTH, HeaderValue::from(length));
    out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    secure(out, None, tls);
    response
}

fn refused(no: &No) -> Response<Body> {
    let (status, text) = match no {
        No::Closed => (StatusCode::SERVICE_UNAVAILABLE, "not now\n".to_owned()),
        No::Malformed | No::Broken => (StatusCode::BAD_REQUEST, "malformed\n".to_owned()),
        No::TooLong | No::Moved(MoveError::TooLarge) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "too large\n".to_owned())
        }
        No::Moved(MoveError::None) => (StatusCode::NOT_FOUND, "no files here\n".to_owned()),
        No::Moved(MoveError::NoPass) => (StatusCode::UNAUTHORIZED, "no pass\n".to_owned()),
        No::Moved(MoveError::Blob(error)) => match error {
            BlobError::Full => (StatusCode::INSUFFICIENT_STORAGE, "full\n".to_owned()),
            BlobError::Unknown => (StatusCode::NOT_FOUND, "not here\n".to_owned()),
            BlobError::Elsewhere(position) => (StatusCode::CONFLICT, format!("{position}\n")),
            BlobError::Size => (StatusCode::BAD_REQUEST, "another size\n".to_owned()),
            BlobError::Hash => (StatusCode::UNPROCESSABLE_ENTITY, "another hash\n".to_owned()),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "not now\n".to_owned()),
        },
        No::Moved(_) => (StatusCode::SERVICE_UNAVAILABLE, "not now\n".to_owned()),
    };
    plain(status, text)
}

fn secret(headers: &HeaderMap, name: &str) -> Result<[u8; 32], No> {
    secret_of(headers, name).ok_or(No::Malformed)
}

fn secret_of(headers: &HeaderMap, name: &str) -> Option<[u8; 32]> {
    unhex(headers.get(name)?.as_bytes())
}

fn number(headers: &HeaderMap, name: &str) -> Result<u64, No> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.parse().ok()).ok_or(No::Malformed)
}

fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 64 && text.is_ascii())?;
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
