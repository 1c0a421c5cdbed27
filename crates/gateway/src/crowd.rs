// SPDX-License-Identifier: AGPL-3.0-or-later
//! How many connections there are, of one peer and of all, and how many bytes of requests that are not whole yet.
//!
//! A connection costs memory before anybody has said anything, and up to a request's size once somebody began to say
//! it: neither budgets nor the server see that. Here both have a bound. What a peer is, is [`Peer`]'s to say; nothing here
//! can be turned back into an address.
//!
//! `serve` seats every connection; `guard` counts what it reads; `socket` and `rpc` say when a request was whole.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::sync::mpsc;

use crate::{Limits, peer::Peer};

/// Unfinished bytes of a connection that nobody counts: small requests are the rule.
const SMALL: usize = 64 * 1024;

/// Everybody who is connected.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    peers: Mutex<HashMap<[u8; 16], Arc<OfPeer>>>,
    connections: AtomicUsize,
    bytes: AtomicUsize,
}

/// What one peer has.
#[derive(Debug, Default)]
struct OfPeer {
    connections: AtomicUsize,
    bytes: AtomicUsize,
}

/// One connection, for as long as it is open: what a handler may know of it, and its place in the crowd.
pub(crate) struct Caller {
    pub(crate) peer: Peer,
    pub(crate) tls: bool,
    crowd: Arc<Crowd>,
    of_peer: Arc<OfPeer>,
    most: usize,
    most_of_peer: usize,
    /// Read since a request was whole.
    unfinished: AtomicUsize,
    /// [`crate::serve()`] waits for the last one.
    _alive: mpsc::Sender<()>,
}

impl Crowd {
    /// A place for one more connection, if there is one.
    pub(crate) fn enter(
        self: &Arc<Self>,
        peer: Peer,
        tls: bool,
        limits: &Limits,
        alive: mpsc::Sender<()>,
    ) -> Option<Arc<Caller>> {
        let mut peers = self.peers();
        let of_peer = peers.entry(peer.key()).or_default();
        // Only under this lock does either number grow.
        if self.connections.load(Relaxed) >= limits.connections
            || of_peer.connections.load(Relaxed) >= limits.connections_of_peer
        {
            if of_peer.connections.load(Relaxed) == 0 {
                peers.remove(&peer.key());
            }
            return None;
        }
        self.connections.fetch_add(1, Relaxed);
        of_peer.connections.fetch_add(1, Relaxed);
        Some(Arc::new(Caller {
            peer,
            tls,
            crowd: Arc::clone(self),
            of_peer: Arc::clone(of_peer),
            most: limits.unfinished_bytes,
            most_of_peer: limits.unfinished_bytes_of_peer,
            unfinished: AtomicUsize::new(0),
            _alive: alive,
        }))
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<[u8; 16], Arc<OfPeer>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    /// So many bytes more were read. Whether there is room for them; if not, this connection ends.
    pub(crate) fn took_in(&self, bytes: usize) -> bool {
        let before = self.unfinished.fetch_add(bytes, Relaxed);
        let large = counted(before.saturating_add(bytes)) - counted(before);
        if large == 0 {
            return true;
        }
        let all = self.crowd.bytes.fetch_add(large, Relaxed).saturating_add(large);
        let of_peer = self.of_peer.bytes.fetch_add(large, Relaxed).saturating_add(large);
        all <= self.most && of_peer <= self.most_of_peer
    }

    /// A request is whole: its bytes are the server's affair now.
    pub(crate) fn finished(&self) {
        let large = counted(self.unfinished.swap(0, Relaxed));
        if large > 0 {
            self.crowd.bytes.fetch_sub(large, Relaxed);
            self.of_peer.bytes.fetch_sub(large, Relaxed);
        }
    }
}

fn counted(unfinished: usize) -> usize {
    unfinished.saturating_sub(SMALL)
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.finished();
        let mut peers = self.crowd.peers();
        self.crowd.connections.fetch_sub(1, Relaxed);
        if self.of_peer.connections.fetch_sub(1, Relaxed) == 1 {
            peers.remove(&self.peer.key());
        }
    }
}
