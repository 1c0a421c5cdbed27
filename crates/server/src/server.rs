// SPDX-License-Identifier: AGPL-3.0-or-later
//! The door of the server: opens it, makes connections, sends each request to the room that decides it.
//!
//! Knows of a peer only an opaque budget key. Carries out `docs/book/protocol.md`, 2 and 8. A gateway calls it; it
//! calls `accounts`, `keys`, `rooms` and `mailbox`.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use nodoor_wire::{
    PROTOCOL_VERSION,
    code::Code,
    id::DeploymentId,
    proto::{self, answer, request},
};
use rand_core::CryptoRng;
use tokio::sync::watch;

use crate::{
    blobs::Passes,
    budget::Buckets,
    calls::Calls,
    config::Config,
    connection::{Connection, Stage},
    delivery::Outlets,
    entropy::Entropy,
    ledger::{Cosigned, File, Ledger, LedgerError},
    logins::Logins,
    refusal::{Handled, Refusal},
    rendezvous::Rendezvous,
    rooms::Heads,
    storage::{
        Day, Op, Storage, StorageError,
        blobs::{BlobError, Blobs},
    },
    writer::{Work, Writer},
};

/// The time, passed in. May jump or run backwards: hour keys change early, budgets refill late, nothing is lost.
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
}

/// Nothing, or not everything, was swept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The last sweep was longer ago than a clock that is right would say, of a server that runs.
    #[error("the last sweep was {days} days ago by the clock; nothing was deleted")]
    Clock {
        /// How long ago.
        days: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Days between two sweeps, at most.
const SWEEP_DAYS: u64 = 2;

/// A file of the ledger is not given, or cosignatures are not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// This server keeps no ledger.
    #[error("this server keeps no ledger")]
    NoLedger,
    /// The budget of this address is spent.
    #[error("too many requests")]
    TooMany,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What the check of cosignatures costs, in requests.
const COSIGN_COST: u32 = 10;
/// A file of the ledger costs one request more for so many bytes.
const FILE_BYTES_A_REQUEST: usize = 64 * 1024;

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
    /// Entries handed out by [`Server::next_delivery`].
    pub delivered: u64,
    /// Groups committed.
    pub commits: u64,
}

/// The server. A clone is the same server; when the last one and the requests under way are gone, the writer
/// finishes and the store is released.
#[derive(Clone)]
pub struct Server(pub(crate) Arc<Inner>);

/// What all requests share.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) deployment: DeploymentId,
    // Before the storage: the writer ends before the store is let go.
    pub(crate) writer: Writer,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) outlets: Arc<Outlets>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) logins: Arc<Logins>,
    pub(crate) heads: Heads,
    pub(crate) budgets: BudgetsInUse,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) rendezvous: Rendezvous,
    pub(crate) blobs: OnceLock<Arc<dyn Blobs>>,
    pub(crate) passes: Passes,
    clock_is_right: AtomicBool,
    counters: Arc<Counters>,
    draining: watch::Sender<bool>,
}

/// The buckets behind [`crate::Budgets`].
pub(crate) struct BudgetsInUse {
    pub(crate) anonymous: Buckets,
    pub(crate) tokens: Buckets,
    pub(crate) files: Buckets,
    pub(crate) register: Buckets,
    pub(crate) login: Buckets,
    pub(crate) device: Buckets,
    pub(crate) take: Buckets,
    pub(crate) taken: Buckets,
}

impl Server {
    /// Starts a server on a store, with its writer thread, and without a ledger: it proves nothing and issues no tokens.
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
        Self::start(storage, None, config, clock, rng)
    }

    /// Starts a server that shows its accounts in a ledger. Whoever opens it publishes: [`Ledger::publish`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with_ledger(
        storage: impl Storage,
        ledger: Ledger,
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, OpenError> {
        Self::start(storage, Some(ledger), config, clock, rng)
    }

    fn start(
        storage: impl Storage,
        ledger: Option<Ledger>,
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, OpenError> {
        let storage: Arc<dyn Storage> = Arc::new(storage);
        let calls = Arc::new(Calls::default());
        let outlets = Arc::new(Outlets::new(Arc::clone(&calls)));
        let entropy = Arc::new(Entropy::new(rng));
        let counters = Arc::new(Counters::default());
        let logins = Arc::new(Logins::default());
        let writer = Writer::start(
            Arc::clone(&storage),
            Arc::clone(&outlets),
            Arc::clone(&entropy),
            Arc::clone(&clock),
            Arc::clone(&counters),
            Arc::clone(&logins),
            &config,
        )
        .map_err(OpenError::Thread)?;
        let budgets = BudgetsInUse {
            anonymous: Buckets::new(config.budgets.anonymous),
            tokens: Buckets::new(config.budgets.tokens),
            files: Buckets::new(config.budgets.files),
            register: Buckets::new(config.budgets.register),
            login: Buckets::new(config.budgets.login),
            device: Buckets::new(config.budgets.device),
            take: Buckets::new(config.budgets.take),
            taken: Buckets::new(config.budgets.taken),
        };
        tracing::info!("the server is open");
        Ok(Self(Arc::new(Inner {
            deployment: storage.deployment(),
            heads: Heads::new(config.rooms_in_memory_bytes),
            clock_is_right: AtomicBool::new(config.clock_is_right),
            config,
            writer,
            storage,
            clock,
            entropy,
            outlets,
            calls,
            logins,
            budgets,
            ledger,
            rendezvous: Rendezvous::new(),
            blobs: OnceLock::new(),
            passes: Passes::new(),
            counters,
            draining: watch::Sender::new(false),
        })))
    }

    /// The id made with the store.
    #[must_use]
    pub fn deployment(&self) -> DeploymentId {
        self.0.deployment
    }

    /// A new socket. `budget_key` is the gateway's keyed hash of the peer's address: the server counts by it
    /// and knows no address. If its last 8 bytes are not zero, its first 8 name a network of many such peers, which
    /// together have a budget too. Dropping the connection ends it.
    #[must_use]
    pub fn connect(&self, budget_key: [u8; 16]) -> Connection {
        self.connection(budget_key, Stage::Fresh)
    }

    /// An anonymous connection that needs no `Hello`: for one request of `POST /v1/rpc`.
    #[must_use]
    pub fn connect_anonymous(&self, budget_key: [u8; 16]) -> Connection {
        self.connection(budget_key, Stage::Anonymous)
    }

    /// Does one request and answers it; the answer repeats the request's id. Several may be under way on one
    /// connection. Dropping the future may leave the request done and unanswered, as a lost answer does.
    ///
    /// After [`Code::Malformed`] the gateway closes the connection.
    pub async fn handle(&self, connection: &Connection, request: proto::Request) -> proto::Answer {
        let id = request.id;
        let handled = self.0.decide(connection, request).await;
        self.0.counters.requests.fetch_add(1, Ordering::Relaxed);
        let body = handled.unwrap_or_else(|refusal| {
            self.0.counters.refusals.fetch_add(1, Ordering::Relaxed);
            refusal.into_body()
        });
        proto::Answer { id, body: Some(body) }
    }

    /// What to push next on this connection; pending until a device is subscribed, something is there and the
    /// window is open. One caller a connection. Dropping the future loses nothing.
    pub async fn next_delivery(&self, connection: &Connection) -> proto::Deliver {
        loop {
            let Some(outlet) = connection.outlet() else {
                connection.subscribed().await;
                continue;
            };
            match outlet.next(&*self.0.storage).await {
                Some(deliver) => {
                    let delivered = deliver.entries.len() as u64;
                    self.0.counters.delivered.fetch_add(delivered, Ordering::Relaxed);
                    return deliver;
                }
                None => connection.forget(&outlet),
            }
        }
    }

    /// The ledger, if this server keeps one.
    #[must_use]
    pub fn ledger(&self) -> Option<&Ledger> {
        self.0.ledger.as_ref()
    }

    /// Ends what waited long enough. Call it every second or so: this room has no timer.
    pub fn tick(&self) {
        let now_ms = self.0.clock.now_ms();
        self.0.rendezvous.tick(now_ms);
        self.0.calls.tick(now_ms, &self.0.entropy);
    }

    /// Takes cosignatures of the newest checkpoint, of whoever has this budget: see [`Ledger::cosign`].
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn cosign(&self, budget_key: [u8; 16], body: &[u8]) -> Result<Cosigned, FileError> {
        let ledger = self.ledger().ok_or(FileError::NoLedger)?;
        self.spend_for_files(&budget_key, COSIGN_COST)?;
        Ok(ledger.cosign(body, self.0.clock.now_ms()).await?)
    }

    /// A file of the ledger, for whoever has this budget: see [`Ledger::file`].
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn ledger_file(
        &self,
        budget_key: [u8; 16],
        path: &str,
    ) -> Result<Option<File>, FileError> {
        let ledger = self.ledger().ok_or(FileError::NoLedger)?;
        self.spend_for_files(&budget_key, 1)?;
        let file = ledger.file(path).await.map_err(LedgerError::from)?;
        let bytes = file.as_ref().map_or(0, |file| file.bytes.len());
        let more = u32::try_from(bytes / FILE_BYTES_A_REQUEST).unwrap_or(u32::MAX);
        self.spend_for_files(&budget_key, more)?;
        Ok(file)
    }

    fn spend_for_files(&self, budget_key: &[u8; 16], cost: u32) -> Result<(), FileError> {
        let now_ms = self.0.clock.now_ms();
        let spent = self.0.budgets.files.spend_by_address(budget_key, cost, now_ms);
        spent.map_err(|_| FileError::TooMany)
    }

    /// Begins to stop: see [`Server::draining`]. Requests are still answered.
    pub fn drain(&self) {
        self.0.draining.send_replace(true);
        tracing::info!("the server is draining");
    }

    /// Resolves once [`Server::drain`] was called: the gateway then sends `Draining` and closes in its time.
    pub async fn draining(&self) {
        let mut draining = self.0.draining.subscribe();
        // The sender lives as long as this server, so this cannot fail.
        let _ = draining.wait_for(|draining| *draining).await;
    }

    /// Deletes what is older than its time. Call it once an hour or so, on a thread of its own: it reads a lot and an
    /// embedded store blocks meanwhile.
    ///
    /// A clock that jumps a month ahead would delete all mail that waits. So nothing is deleted when the last sweep was
    /// more than two days ago, be it that the clock is wrong or that the server was off, until the operator has looked
    /// at the clock: [`Config::clock_is_right`].
    ///
    /// # Errors
    /// [`SweepError`].
    pub async fn sweep(&self) -> Result<u64, SweepError> {
        let today = Day::of_ms(self.0.clock.now_ms());
        if let Some(last) = self.0.storage.swept().await?
            && last.is_over(SWEEP_DAYS, today)
            && !self.0.clock_is_right.swap(false, Ordering::Relaxed)
        {
            return Err(SweepError::Clock { days: u64::from(today.0 - last.0) });
        }
        self.0.writer.submit(Work::Plain(Op::NoteSweep { day: today })).await?;
        let mut gone = self.0.storage.sweep(today).await?;
        if let Ok(files) = self.files() {
            gone += files.sweep(today).map_err(|error| match error {
                BlobError::Storage(error) => error,
                _ => StorageError::Failed("files were not swept".to_owned()),
            })?;
        }
        tracing::debug!(gone, "swept");
        Ok(gone)
    }

    /// Counters.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let counters = &self.0.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Statistics {
            connections: read(&counters.connections),
            subscribed: self.0.outlets.count() as u64,
            requests: read(&counters.requests),
            refusals: read(&counters.refusals),
            appended: read(&counters.appended),
            delivered: read(&counters.delivered),
            commits: read(&counters.commits),
        }
    }

    fn connection(&self, budget_key: [u8; 16], stage: Stage) -> Connection {
        let outlets = Arc::clone(&self.0.outlets);
        Connection::new(budget_key, stage, outlets, Arc::clone(&self.0.counters))
    }
}

impl Inner {
    /// What every message asks for is decided in place, the rest in a box of its own: a connection moves the future of a
    /// request several times, and it is as large as the largest thing it may wait for.
    async fn decide(&self, connection: &Connection, request: proto::Request) -> Handled {
        match request.body.ok_or(Code::Malformed)? {
            request::Body::Send(send) => self.send(connection, send).await,
            request::Body::Ack(ack) => self.acknowledge(connection, ack).await,
            rarer => Box::pin(self.decide_rarer(connection, rarer)).await,
        }
    }

    async fn decide_rarer(&self, connection: &Connection, body: request::Body) -> Handled {
        use request::Body;
        match body {
            Body::Hello(hello) => self.hello(connection, &hello).await,
            Body::Register(register) => self.register(connection, register).await,
            Body::Login(login) => self.log_in(connection, login).await,
            Body::ListPut(put) => self.put_list(connection, put).await,
            Body::MailboxKeyPut(put) => self.put_mailbox_key(connection, put).await,
            Body::DisputePut(put) => self.put_dispute(connection, put).await,
            Body::Lookup(lookup) => self.look_up(connection, lookup).await,
            Body::PushPut(put) => self.put_push(connection, put).await,
            Body::TokenPut(put) => self.put_tokens(connection, put).await,
            Body::TokenDelete(delete) => self.delete_tokens(connection, delete).await,
            Body::KeyPackagePut(put) => self.put_key_packages(connection, put).await,
            Body::KeyPackageTake(take) => self.take_key_packages(connection, take).await,
            Body::Subscribe(subscribe) => self.subscribe(connection, subscribe).await,
            Body::BodyGet(get) => self.get_bodies(connection, get).await,
            Body::RoomFound(found) => self.found_room(connection, found).await,
            Body::Commit(commit) => self.commit_to_room(connection, commit).await,
            Body::Signal(signal) => self.signal(connection, signal).await,
            Body::CatchUp(catch_up) => self.catch_up(connection, catch_up).await,
            // Decided above.
            Body::Send(_) | Body::Ack(_) => Err(Code::Internal.into()),
            Body::History(history) => self.history(connection, &history).await,
            Body::TokenIssue(issue) => self.issue_tokens(connection, &issue),
            Body::TokenKeyGet(get) => self.token_key(connection, &get).await,
            Body::HandlePut(put) => self.put_handle(connection, put).await,
            Body::HandleMove(asked) => self.move_handle(connection, asked).await,
            Body::HandleNo(no) => self.keep_handle(connection, no).await,
            Body::RendezvousPut(put) => self.put_box(connection, put),
            Body::RendezvousGet(get) => self.get_box(connection, get).await,
            Body::LedgerHead(_) => self.ledger_head(connection),
            Body::Consistency(asked) => self.consistency(connection, &asked).await,
            Body::PolicyGet(_) => self.policy(connection).await,
            Body::BlobPass(asked) => self.blob_pass(connection, &asked),
        }
    }

    async fn hello(&self, connection: &Connection, hello: &proto::Hello) -> Handled {
        if !hello.versions.contains(&PROTOCOL_VERSION) {
            return Err(Code::Version.into());
        }
        let wanted = hello.token.as_ref().filter(|_| connection.allowance().is_none());
        let allowance = match wanted {
            Some(_) if hello.kind() != proto::ConnectionKind::Anonymous => {
                return Err(Code::Malformed.into());
            }
            Some(token) => {
                let (key, now_ms) = (connection.budget_key(), self.clock.now_ms());
                self.budgets.tokens.spend_by_address(key, 1, now_ms)?;
                Some(self.take_token(token).await?)
            }
            None => None,
        };
        let challenge = connection.hello(hello.kind(), self.entropy.bytes())?;
        if let Some(allowance) = allowance {
            connection.allow(allowance);
        }
        let now_ms = self.clock.now_ms();
        let ledger = self.ledger.as_ref();
        Ok(answer::Body::Hello(proto::HelloAnswer {
            version: PROTOCOL_VERSION,
            deployment: self.deployment.to_bytes(),
            challenge: challenge.map(Vec::from).unwrap_or_default().into(),
            now_ms,
            policy: ledger.map(Ledger::policy).unwrap_or_default(),
            token_keys: ledger
                .map(|ledger| ledger.tokens().keys(Day::of_ms(now_ms)))
                .unwrap_or_default(),
        }))
    }

    /// The gate of every anonymous request but the few below: the right connection, and a token's allowance or, where the
    /// operator does not ask for one, the budget of its address.
    pub(crate) fn anonymous(&self, connection: &Connection, cost: u32) -> Result<(), Refusal> {
        connection.anonymous()?;
        if self.config.tokens_needed && connection.allowance().is_none() {
            return Err(Code::Unauthorised.into());
        }
        self.without_token(connection, cost)
    }

    /// The gate of what somebody without an account may ask: look-ups, and where a second device is linked.
    pub(crate) fn without_token(&self, connection: &Connection, cost: u32) -> Result<(), Refusal> {
        connection.anonymous()?;
        match connection.allowance() {
            Some(allowance) => allowance.spend(cost),
            None => self.budgets.anonymous.spend_by_address(
                connection.budget_key(),
                cost,
                self.clock.now_ms(),
            ),
        }
    }

    /// The gate of what both kinds of connection may ask.
    pub(crate) fn open_to_all(&self, connection: &Connection) -> Result<(), Refusal> {
        match connection.login() {
            Ok(_) => self.signed(connection).map(drop),
            Err(_) => self.without_token(connection, 1),
        }
    }

    /// The gate of what is signed by somebody who need not be logged in: within the address's login budget.
    pub(crate) fn signed(&self, connection: &Connection) -> Result<[u8; 32], Refusal> {
        let challenge = connection.login()?;
        self.budgets.login.spend_by_address(connection.budget_key(), 1, self.clock.now_ms())?;
        Ok(challenge)
    }
}

/// The yes.
pub(crate) fn done() -> Handled {
    Ok(answer::Body::Done(proto::Done {}))
}

/// What [`Statistics`] shows.
#[derive(Default)]
pub(crate) struct Counters {
    connections: AtomicU64,
    requests: AtomicU64,
    refusals: AtomicU64,
    appended: AtomicU64,
    delivered: AtomicU64,
    commits: AtomicU64,
}

impl Counters {
    pub(crate) fn connected(&self, now: bool) {
        if now {
            self.connections.fetch_add(1, Ordering::Relaxed);
        } else {
            self.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn appended(&self, entries: usize) {
        self.appended.fetch_add(entries as u64, Ordering::Relaxed);
    }
}
