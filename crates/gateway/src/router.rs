// SPDX-License-Identifier: AGPL-3.0-or-later
//! Which path is which, and who may come in: another site's page may not.
//!
//! A browser names the page that opens a WebSocket or posts in `Origin`; it must be this very host. Other clients send
//! no `Origin`. There are no cookies, so a foreign page could act only as an anonymous caller, and even that is no use of
//! a visitor's address that we offer.
//!
//! Spec: `docs/book/protocol.md`, 2; RFC 6454. `serve` calls it.

use std::sync::Arc;

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

use crate::{Gateway, page::secure, rpc, serve::Caller, socket};

impl Gateway {
    /// The routes of every listener.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/ws", any(websocket))
            .route("/v1/rpc", post(one_request))
            .route("/health", get(async || plain(StatusCode::OK, "ok\n".into())))
            .route("/ready", get(readiness))
            .route("/metrics", get(metrics))
            .fallback(page)
            .with_state(self.clone())
    }

    fn is_draining(&self) -> bool {
        self.server.draining().now_or_never().is_some()
    }
}

async fn websocket(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
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
    Extension(caller): Extension<Caller>,
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
    Extension(caller): Extension<Caller>,
) -> Response<Body> {
    if !caller.peer.is_loopback() {
        return plain(StatusCode::NOT_FOUND, String::new());
    }
    let text = gateway.metrics.to_text(&gateway.server.statistics());
    plain(StatusCode::OK, text)
}

async fn page(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    gateway.app.answer(request.method(), request.uri().path(), request.headers(), caller.tls)
}

/// Whether the caller is no page, or a page of this host.
fn is_own_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| {
        origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"))
    });
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    secure(out, None, false);
    response
}
