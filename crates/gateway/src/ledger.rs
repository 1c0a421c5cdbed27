// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger's files, for anyone, and the one thing that comes in: cosignatures.
//!
//! A tile, a bundle or a blob under its name never changes and may be kept for ever by whoever passes it on; the
//! checkpoint is asked for each time. Other sites' pages may read them too: nothing here is a secret or says who asks.
//!
//! Spec: `docs/book/ledger.md`, 1; C2SP tlog-tiles. `router` calls it.

use std::sync::Arc;

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{
        HeaderValue, Response, StatusCode,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
};
use nodoor_server::{FileError, ledger::Cosigned};
use tokio::time::timeout;

use crate::{Gateway, crowd::Caller, page::secure, router::plain};

/// Bytes of a body with cosignatures: a checkpoint with 64 lines, the largest kind among them.
const COSIGNATURES: usize = 256 * 1024;

/// `GET /ledger/<path>`.
pub(crate) async fn file(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path(path): Path<String>,
) -> Response<Body> {
    let file = match gateway.server.ledger_file(caller.peer.key(), &path).await {
        Ok(Some(file)) => file,
        Ok(None) => return plain(StatusCode::NOT_FOUND, "no such file\n".into()),
        Err(error) => return refused(&error),
    };
    let mut response = Response::new(Body::from(file.bytes));
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    let cache = if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    out.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    secure(out, None, caller.tls);
    out.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    out.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}

/// `POST /ledger/cosignature`: lines under the newest checkpoint, or a note that has them. 200 if one counts, 422 if none
/// is by a key of the policy over that checkpoint.
pub(crate) async fn cosignature(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Arc<Caller>>,
    body: Body,
) -> Response<Body> {
    let read = timeout(gateway.limits.hello_within, to_bytes(body, COSIGNATURES)).await;
    let Ok(Ok(body)) = read else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "too long or too slow\n".into());
    };
    let (status, text) = match gateway.server.cosign(caller.peer.key(), &body).await {
        Ok(Cosigned::Taken) => (StatusCode::OK, "taken\n"),
        Ok(Cosigned::Unknown) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "no cosignature of the newest checkpoint\n")
        }
        Err(error) => return refused(&error),
    };
    plain(status, text.into())
}

fn refused(error: &FileError) -> Response<Body> {
    match error {
        FileError::NoLedger => plain(StatusCode::NOT_FOUND, "no ledger here\n".into()),
        FileError::TooMany => {
            let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "too many\n".into());
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
            response
        }
        _ => plain(StatusCode::SERVICE_UNAVAILABLE, "not now\n".into()),
    }
}
