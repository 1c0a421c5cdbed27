// SPDX-License-Identifier: AGPL-3.0-or-later
//! skeleton
use std::sync::Arc;

use nodoor_wire::{code::Code, id::DeploymentId, proto};
use rand_core::CryptoRng;

use crate::{
    config::Config,
    connection::Connection,
    refusal::Refusal,
    storage::{Storage, StorageError},
};

/// The time, passed in: milliseconds since 1970. May jump or run backwards; nothing breaks within a day of it.
pub trait Clock: Send + Sync + 'static {
    /// Now, in milliseconds since 1970.
    fn now_ms(&self) -> u64;
}

/// The server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The writer's thread could not be started.
    #[error("the writer thread could not be started")]
    Thread(#[source] std::io::Error),
    /// The store did not answer.
    #[error("the storage did not answer")]
    Storage(#[from] StorageError),
}

/// Counters since the start, for an operator's metrics. No names, no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Connections that exist now.
    pub connections: u64,
    /// Devices subscribed now.
    pub subscribed: u64,
    /// Requests answered.
    pub requests: u64,
    /// Refusals among them.
    pub refusals: u64,
    /// Entries appended to mailboxes.
    pub appended: u64,
    /// Entries handed to `next_delivery`.
    pub delivered: u64,
    /// Groups committed.
    pub commits: u64,
}

/// The server. A clone is the same server.
#[derive(Clone)]
pub struct Server {
    deployment: DeploymentId,
}

impl Server {
    /// Starts a server on a store, with its writer thread.
    ///
    /// `rng` is the operating system's or seeded from it: hour keys, body secrets and challenges come from it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        storage: impl Storage,
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, OpenError> {
        let _ = (config, clock, rng);
        Ok(Self { deployment: storage.deployment() })
    }

    /// The id made with the store.
    #[must_use]
    pub fn deployment(&self) -> DeploymentId {
        self.deployment
    }

    /// A new socket. `budget_key` is the gateway's keyed hash of the peer's address: the server counts by it
    /// and knows no address. Dropping the connection ends it.
    #[must_use]
    pub fn connect(&self, budget_key: [u8; 16]) -> Connection {
        let _ = budget_key;
        Connection {}
    }

    /// One anonymous request without a `Hello` before it: `POST /v1/rpc`.
    #[must_use]
    pub fn connect_anonymous(&self, budget_key: [u8; 16]) -> Connection {
        let _ = budget_key;
        Connection {}
    }

    /// Does one request and answers it; the answer repeats the request's id. Several may be under way on one
    /// connection. Dropping the future may leave the request done and unanswered, as a lost answer does.
    ///
    /// After [`Code::Malformed`] the gateway closes the connection.
    pub async fn handle(&self, connection: &Connection, request: proto::Request) -> proto::Answer {
        let _ = connection;
        proto::Answer { id: request.id, body: Some(Refusal::from(Code::Internal).into_body()) }
    }

    /// What to push next on this connection; pending until a device is subscribed, something is there and the
    /// window is open. Dropping the future loses nothing.
    pub async fn next_delivery(&self, connection: &Connection) -> proto::Deliver {
        let _ = connection;
        std::future::pending().await
    }

    /// Begins to stop: see [`Server::draining`]. Requests are still answered.
    pub fn drain(&self) {}

    /// Resolves once [`Server::drain`] was called: the gateway then sends `Draining` and closes in its time.
    pub async fn draining(&self) {
        std::future::pending().await
    }

    /// Deletes what is older than its time. Call it once an hour or so.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn sweep(&self) -> Result<u64, StorageError> {
        Ok(0)
    }

    /// Counters.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics::default()
    }
}
