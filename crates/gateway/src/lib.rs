// SPDX-License-Identifier: AGPL-3.0-or-later
//! HTTP and WebSocket: translates, decides nothing.
//!
//! Bytes come in, [`nodoor_server::Server`] answers, bytes go out. What this room adds is only what belongs to a socket: how
//! large a frame may be, how long a caller may stay silent or refuse to read, how many requests of one
//! connection are under way, and the headers of the web app. It may know that a connection exists and,
//! as a keyed hash, from which network; it learns no account, opens nothing, logs nothing.
//!
//! | path | what |
//! |---|---|
//! | `GET /v1/ws` | the protocol, one protobuf a binary frame |
//! | `POST /v1/rpc` | one anonymous request |
//! | `GET /ledger/...` | checkpoint, tiles, entries, audit blobs, for anyone |
//! | `POST /ledger/cosignature` | what witnesses and auditors send |
//! | `/v1/upload`, `/v1/blob/...` | files, sealed, to whoever has a pass |
//! | `GET /health`, `/ready` | alive; willing (not draining) |
//! | `GET /metrics` | counters, to loopback only |
//! | else | the web app |
//!
//! Spec: `docs/book/protocol.md`, 2 and 8. `nodoord` calls it; it calls `server`.

mod blobs;
mod crowd;
mod guard;
mod ledger;
mod metrics;
mod page;
mod peer;
mod router;
mod rpc;
mod serve;
mod socket;

use std::{sync::Arc, time::Duration};

use crate::{crowd::Crowd, metrics::Metrics};
use nodoor_server::Server;

pub use page::{Asset, WebApp};
pub use peer::{Peer, PeerKey};
pub use serve::serve;

/// Bounds of one connection. The default is what a server runs with; tests make them small.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A connection that has not said Hello (or sent its HTTP header) by then is closed.
    pub hello_within: Duration,
    /// An open WebSocket is pinged this often; one that gave no sign of life since the last ping is closed.
    pub ping_every: Duration,
    /// A client that takes nothing of what it is sent for this long is closed.
    pub write_within: Duration,
    /// How long a draining connection may take for what is under way.
    pub drain_within: Duration,
    /// How long a connection that is over may take to read its last frames.
    pub goodbye_within: Duration,
    /// Requests of one connection under way; more wait in the socket.
    pub requests_under_way: usize,
    /// Connections at once. One more is closed as it comes.
    pub connections: usize,
    /// Connections of one peer at once: of a household, an office, or all behind one address of a provider.
    pub connections_of_peer: usize,
    /// Bytes of large requests that are not whole, of everybody. The connection that would go beyond is closed.
    pub unfinished_bytes: usize,
    /// The same of one peer.
    pub unfinished_bytes_of_peer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello_within: Duration::from_secs(10),
            ping_every: Duration::from_secs(60),
            write_within: Duration::from_secs(30),
            drain_within: Duration::from_secs(5),
            goodbye_within: Duration::from_secs(1),
            requests_under_way: 64,
            connections: 100_000,
            connections_of_peer: 1000,
            unfinished_bytes: 256 * 1024 * 1024,
            unfinished_bytes_of_peer: 32 * 1024 * 1024,
        }
    }
}

/// A server with its doors. One for all listeners of a process.
pub struct Gateway {
    server: Server,
    app: WebApp,
    limits: Limits,
    peers: PeerKey,
    metrics: Metrics,
    crowd: Arc<Crowd>,
}

impl Gateway {
    /// Puts doors before a server. They close when [`Server::drain`] is called: every client is told, no new
    /// connection and no new request is taken, what is under way ends, and [`serve`] returns.
    #[must_use]
    pub fn new(server: Server, app: WebApp, limits: Limits, peers: PeerKey) -> Arc<Self> {
        Arc::new(Self {
            server,
            app,
            limits,
            peers,
            metrics: Metrics::default(),
            crowd: Arc::default(),
        })
    }
}
