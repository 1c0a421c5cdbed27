// SPDX-License-Identifier: AGPL-3.0-or-later
//! Accepting connections: HTTP/1.1 with small buffers and a clock on its header, then whatever the router says.
//!
//! `axum::serve` sets no timer, so that a connection that never speaks would stay for ever; hence hyper
//! itself, as axum uses it. Addresses end here: what goes on is a [`crate::Peer`].
//!
//! `nodoord` calls it, once for each address it listens on; it calls `router`.

use std::{net::SocketAddr, pin::pin, sync::Arc};

use axum::{Router, body::Body, serve::Listener};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::mpsc;
use tower_service::Service as _;

use crate::{Gateway, crowd::Caller, guard::Guarded};

/// Serves one listener until [`nodoor_server::Server::drain`], then until its last connection has ended.
///
/// `tls` says what `listener` is: it only chooses between `ws:` and `wss:` in headers.
pub async fn serve<L>(mut listener: L, gateway: Arc<Gateway>, tls: bool)
where
    L: Listener<Addr = SocketAddr>,
{
    let router = gateway.router();
    let (alive, mut last) = mpsc::channel(1);
    let mut draining = pin!(gateway.server.draining());
    loop {
        let (io, address) = tokio::select! {
            biased;
            () = draining.as_mut() => break,
            accepted = listener.accept() => accepted,
        };
        let peer = gateway.peers.peer(address);
        let entered = gateway.crowd.enter(peer, tls, &gateway.limits, alive.clone());
        // One too many: it is closed without a word.
        let Some(caller) = entered else { continue };
        tokio::spawn(connection(io, router.clone(), caller, gateway.clone()));
    }
    drop((listener, alive));
    // Nothing is ever sent: this ends when every sender is gone.
    let _ = last.recv().await;
}

async fn connection<I>(io: I, router: Router, caller: Arc<Caller>, gateway: Arc<Gateway>)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let io = Guarded::new(io, Arc::clone(&caller), gateway.limits.write_within);
    let service = service_fn(move |request: axum::http::Request<Incoming>| {
        // The one before it was.
        caller.finished();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(caller.clone());
        router.clone().call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(gateway.limits.hello_within)
        .max_buf_size(HTTP_BUFFER)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    let mut served = pin!(served);
    tokio::select! {
        // How an HTTP connection ends is the client's affair: nothing to count, nothing to log.
        _ = served.as_mut() => return,
        () = gateway.server.draining() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

/// Bytes of a connection's HTTP buffer at most: headers, and pieces of an rpc body.
const HTTP_BUFFER: usize = 16 * 1024;
