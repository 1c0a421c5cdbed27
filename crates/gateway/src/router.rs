// SPDX-License-Identifier: AGPL-3.0-or-later
//! Which path is which, and who may come in: another site's page may not.
//!
//! A browser names the page that opens a WebSocket or posts in `Origin`; it must be this very host. Other clients send
//! no `Origin`. There are no cookies, so a foreign page could act only as an anonymous caller, and even that is no use of
//! a visitor's address that we offer.
//!
//! Spec: `docs/book/protocol.md`, 2; RFC 6454. `serve` calls it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Request, State, ws::WebSocketUpgrade},
    http::{
        HeaderMap, HeaderValue, Response, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN},
    },
    response::IntoResponse as _,
    routing::{any, get, post},
};
use futures_util::FutureExt as _;

use crate::{Gateway, blobs, crowd::Caller, ledger, page::secure, rpc, socket};

impl Gateway {
    /// The routes of every listener.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/ws", any(websocket))
            .route("/v1/rpc", post(one_request))
            .route("/v1/upload", get(blobs::upload).post(blobs::upload).put(blobs::upload))
            .route("/v1/upload/done", post(blobs::done))
            .route("/v1/blob/{hash}", get(blobs::blob).post(blobs::blob))
            .route("/ledger/cosignature", post(ledger::cosignature))
            .route("/ledger/{*path}", get(ledger::file))
            .route("/health", get(async || plain(StatusCode::OK, "ok\n".into())))
            .route("/ready", get(readiness))
            .route("/metrics", get(metrics))
            .fallback(page)
            .with_state(self.clone())
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.server.draining().now_or_never().is_some()
    }
}

async fn websocket(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response<Body> {
    if !is_own_page(&headers) {
        return plain(StatusCode::FORBIDDEN, "another origin\n".into());
    }
    if gateway.is_draining() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n".into());
    }
    socket::bounded(upgrade)
        .on_upgrade(move |socket| socket::run(gateway, caller, socket))
        .into_response()
}

async fn one_request(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    if !is_own_page(&headers) {
        return plain(StatusCode::FORBIDDEN, "another origin\n".into());
    }
    let mut response = rpc::answer(&gateway, &caller, body).await;
    secure(response.headers_mut(), None, caller.tls);
    response
}

async fn readiness(State(gateway): State<Arc<Gateway>>) -> Response<Body> {
    if gateway.is_draining() {
        plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n".into())
    } else {
        plain(StatusCode::OK, "ready\n".into())
    }
}

async fn metrics(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Response<Body> {
    if !caller.peer.is_loopback() {
        return plain(StatusCode::NOT_FOUND, String::new());
    }
    let text = gateway.metrics.to_text(&gateway.server);
    plain(StatusCode::OK, text)
}

async fn page(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Arc<Caller>>,
    request: Request,
) -> Response<Body> {
    gateway.app.answer(request.method(), request.uri().path(), request.headers(), caller.tls)
}

/// Whether the caller is no page, or a page of this host.
///
/// A page may have pointed its own name at this machine after it was loaded (DNS rebinding): then `Origin` and `Host` are
/// the same, and both are the attacker's. Over TLS no such name has a certificate here. Plain HTTP is for this machine
/// alone, so there a page of any other name is refused; what a proxy passes on comes from a page loaded over TLS.
pub(crate) fn is_own_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| {
        let plain = origin.strip_prefix("http://").filter(|host| is_this_machine(host));
        origin.strip_prefix("https://").or(plain)
    });
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

/// Whether a host, with or without a port, is a name of loopback that no other machine's name can be.
fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

pub(crate) fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    secure(out, None, false);
    response
}
