// SPDX-License-Identifier: AGPL-3.0-or-later
//! The native driver: a profile folder, one engine thread, two TCP connections.
//!
//! [`Client::open`] starts the engine on a thread of its own, behind a channel; interfaces on any thread ask
//! and listen. The thread holds the only handle on the database. Unix alone so far: file modes protect the key.

pub mod address;
mod driver;
mod files;
pub mod http;
mod link;
pub mod profile;

use std::{path::PathBuf, thread, time::Duration};

use getrandom::SysRng;
use nodoor_client::engine::Engine;
use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    model::{Problem, ProblemKind},
};
use rand_core::UnwrapErr;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::{
    native::{
        address::Address,
        driver::{Ended, Order, drive},
        files::Place,
        profile::{Profile, ProfileError},
    },
    store::{Journal, OpenStoreError, SqliteStore},
};

/// A running client: the engine of one profile.
///
/// Ends with [`Client::close`]; dropped without it, what was queued for the server may not go out (it stays on disk and goes
/// out next time).
pub struct Client {
    orders: mpsc::UnboundedSender<Order>,
    thread: thread::JoinHandle<()>,
}

/// Why a client does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The profile folder or its key.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The database.
    #[error(transparent)]
    Store(#[from] OpenStoreError),
    /// The TLS library does not offer what is needed.
    #[error("TLS 1.3 is not available: {0}")]
    Tls(#[from] rustls::Error),
    /// The system gave no thread.
    #[error("no thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl Client {
    /// Opens a profile and starts its engine, which connects by itself if there is an account.
    ///
    /// `passphrase` is used if the database was made with one, or is made now; `device_name` is what this
    /// device is called in the person's own list. The file of certificates that `SSL_CERT_FILE` names is
    /// trusted beside the usual ones, for servers with a certificate authority of their own.
    ///
    /// # Errors
    /// [`OpenError`]: nothing runs, the profile is free again.
    pub async fn open(
        profile: Profile,
        server: &Address,
        passphrase: Option<Zeroizing<String>>,
        device_name: &str,
    ) -> Result<Self, OpenError> {
        let more_roots = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let tls = match server.is_tls() {
            true => Some(link::connector(more_roots.as_deref())?),
            false => None,
        };
        let (orders, taken) = mpsc::unbounded_channel();
        let (opened, outcome) = oneshot::channel();
        let (address, device_name) = (server.clone(), device_name.to_owned());
        let place = Place::new(profile.folder(), server.as_str(), more_roots.as_deref());
        let thread = thread::Builder::new().name("nodoor-engine".into()).spawn(move || {
            let started = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(OpenError::from)
                .and_then(|runtime| Ok((runtime, open_store(&profile, passphrase)?)));
            let (runtime, store) = match started {
                Ok(started) => started,
                Err(error) => {
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            let _ = opened.send(Ok(()));
            let mut engine = Engine::new(store, address.as_str(), &device_name);
            let mut rng = UnwrapErr(SysRng);
            let step = Box::new(move |input, now| engine.handle(input, now, &mut rng));
            if runtime.block_on(drive(step, taken, address, tls, place)) == Ended::Erased {
                // Without its key, which goes first, nothing of it can be read.
                let _ = profile.erase();
            }
        })?;
        match outcome.await {
            Ok(Ok(())) => Ok(Self { orders, thread }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(std::io::Error::other("the engine's thread ended").into()),
        }
    }

    /// Asks the engine. Waits as long as the engine does; it gives up on the server by itself.
    pub async fn ask(&self, command: Command) -> Reply {
        let (answer, reply) = oneshot::channel();
        let _ = self.orders.send(Order::Ask(command, answer));
        // The engine ended (erased, or its thread failed): nothing was changed.
        let ended = Problem { kind: ProblemKind::Internal, code: 0, wait_seconds: 0 };
        reply.await.unwrap_or(Reply::Problem(ended))
    }

    /// Events from now on; first the connection's state and the counts, as last told.
    ///
    /// The stream is not bounded: read it or drop it.
    #[must_use]
    pub fn events(&self) -> Events {
        let (listener, events) = mpsc::unbounded_channel();
        let _ = self.orders.send(Order::Listen(listener));
        Events(events)
    }

    /// Waits until both connections stand and every request has had its answer for `quiet`. True if that came
    /// within `at_most`; false, at once where there is no connection, is no failure: what waits is on disk.
    pub async fn settle(&self, quiet: Duration, at_most: Duration) -> bool {
        let (answer, settled) = oneshot::channel();
        let _ = self.orders.send(Order::Settle(quiet, answer));
        matches!(tokio::time::timeout(at_most, settled).await, Ok(Ok(true)))
    }

    /// Sends what is queued, closes the connections and the database, frees the profile.
    pub async fn close(self) {
        let _ = self.orders.send(Order::Close);
        let thread = self.thread;
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

/// What the engine tells unasked.
pub struct Events(mpsc::UnboundedReceiver<Event>);

impl Events {
    /// The next event; `None` when the engine ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

fn open_store(
    profile: &Profile,
    passphrase: Option<Zeroizing<String>>,
) -> Result<SqliteStore, OpenError> {
    let key = profile.database_key(passphrase.as_ref().map(|text| text.as_str()))?;
    let connection = Connection::open(profile.database().map_err(ProfileError::from)?)
        .map_err(OpenStoreError::from)?;
    Ok(SqliteStore::open(connection, &key, Journal::WriteAhead)?)
}
