// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoord run`: from a folder and an address to a server, and down again without losing a yes.
//!
//! The order of going down: clients are told, nothing new is taken, what is under way is answered (each yes is already
//! on disk), then the store is closed. What a kill leaves instead is the store's business: every yes was durable before
//! it was said.

use std::{future::pending, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use nodoor_gateway::{Gateway, Limits, PeerKey, serve};
use nodoor_server::{Budget, Config, Registration, Server, SweepError};
use nodoor_store_embedded::{BlobFolder, Folder};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::{interval, timeout},
};

use crate::{
    Run, WrongUse,
    chance::Chance,
    clock::SystemClock,
    handed_in::HandedIn,
    ledger, listen, push, tls,
    tls::{Handshakes, TlsListener},
    web,
};

/// Serves until a signal.
///
/// # Errors
/// [`WrongUse`] for options that do not go together; anything else that keeps the server from starting.
pub(crate) fn run(options: &Run) -> Result<()> {
    let tls = options.tls_cert.as_deref().zip(options.tls_key.as_deref());
    listen::allowed(&options.listen, tls.is_some())?;
    if options.without_budgets {
        listen::allowed(&options.listen, false)
            .map_err(|_| WrongUse("a server without budgets listens on 127.0.0.1 only".into()))?;
    }
    let tls = tls.map(|(certificates, key)| tls::config(certificates, key)).transpose()?;
    let app = web::load(options.web.as_deref())?;
    let handed_in = HandedIn::of(&options.data, options.builders.as_deref())?;
    start_log();
    raise_open_files();

    let mut config = if options.without_budgets { Config::unlimited() } else { Config::default() };
    config.registration = options.registration.clone();
    config.tokens_needed = !options.tokens_optional && !options.without_budgets;
    config.clock_is_right = options.clock_is_right;
    config.push_to_loopback = options.push_to_loopback;
    let mut limits = Limits::default();
    if listen::allowed(&options.listen, false).is_ok() {
        // Everybody on this machine, or behind its proxy, has the same address: what is bounded by address would be
        // bounded for all.
        limits.connections_of_peer = limits.connections;
        limits.unfinished_bytes_of_peer = limits.unfinished_bytes;
    }
    if !options.without_budgets && listen::allowed(&options.listen, false).is_ok() {
        let wide = Budget { burst: 10_000, per_minute: 10_000 };
        let budgets = &mut config.budgets;
        (budgets.register, budgets.login, budgets.take) = (wide, wide, wide);
        budgets.tokens = wide;
        budgets.anonymous = Budget { burst: 100_000, per_minute: 100_000 };
        budgets.files = budgets.anonymous;
        config.meetings_of_address = 1_000;
    }
    // Before a folder is made: a port that is taken leaves nothing behind.
    let runtime = runtime(options.threads)?;
    let listeners = {
        let _entered = runtime.enter();
        options.listen.iter().map(|address| listen::bind(*address)).collect::<Result<Vec<_>>>()?
    };
    let store = Folder::open(&options.data)
        .with_context(|| format!("cannot open the data folder {}", options.data.display()))?;
    if others_may_read(&options.data) {
        tracing::warn!(
            "other users of this machine may read the data folder; chmod 700 would keep them out"
        );
    }
    let chance = Chance::draw().context("the system gives no randomness")?;
    let policy = options.ledger_policy.as_deref();
    let ledger = runtime.block_on(ledger::open(&options.data, &store, policy))?;
    if options.clock_is_right {
        ledger.trust_clock();
    }
    let clock = Arc::new(SystemClock);
    let mut server = Server::open_with_ledger(store, ledger, config, clock, Box::new(chance))?;
    if options.files_mib > 0 {
        let room = options.files_mib.saturating_mul(1024 * 1024);
        let files = BlobFolder::open(&options.data, room).context("cannot open the files")?;
        server = server.with_blobs(Arc::new(files));
    }
    let peers = PeerKey::draw().context("the system gives no randomness")?;
    let gateway = Gateway::new(server.clone(), app, limits, peers);

    let done = runtime.block_on(async {
        // Before anybody is told where it listens: from then on it goes down in order.
        let stop = stop_asked()?;
        let mut serving = JoinSet::new();
        for listener in listeners {
            let bound = listener.local_addr()?;
            let gateway = gateway.clone();
            let scheme = match tls.clone() {
                Some(config) => {
                    let listener = TlsListener::new(listener, config, HANDSHAKES)?;
                    serving.spawn(serve(listener, gateway, true));
                    "https"
                }
                None => {
                    serving.spawn(serve(listen::NoDelay(listener), gateway, false));
                    "http"
                }
            };
            announce(scheme, bound);
        }
        drop(gateway);
        let (published, changed) = watch::channel(0);
        let pause = Duration::from_secs(options.epoch_seconds);
        let mut beside = JoinSet::new();
        beside.spawn(sweep(server.clone()));
        beside.spawn(tick(server.clone()));
        if !options.without_push {
            let data = options.data.clone();
            let options = push::Options {
                contact: options.push_contact.clone(),
                to_loopback: options.push_to_loopback,
            };
            beside.spawn(push::start(server.clone(), &data, &options)?);
        }
        beside.spawn(ledger::publish(server.clone(), handed_in, pause, published));
        beside.spawn(ledger::carry(server.clone(), changed));
        stop.await;
        tracing::info!("stopping: clients are told, what is under way is finished");
        server.drain();
        beside.abort_all();
        let all = async { while serving.join_next().await.is_some() {} };
        if timeout(STOP_WITHIN, all).await.is_err() {
            tracing::warn!("some connections did not end in time and are cut");
        }
        anyhow::Ok(())
    });
    // Connections that are still there end with the runtime, and with them the last handles of the server; then the store
    // closes, once everything that was said is on disk.
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(server);
    done
}

/// Reads `--registration`.
pub(crate) fn registration(text: &str) -> Result<Registration, String> {
    match text.split_once(':') {
        None if text == "open" => Ok(Registration::Open),
        None if text == "closed" => Ok(Registration::Closed),
        Some(("ticket", word)) if !word.is_empty() => Ok(Registration::Ticket(word.into())),
        _ => Err("open, closed or ticket:WORD".into()),
    }
}

/// Where people find it: for them and for scripts, hence on standard output.
fn announce(scheme: &str, address: SocketAddr) {
    println!("nodoord listens on {scheme}://{address}");
}

async fn tick(server: Server) {
    let mut second = interval(Duration::from_secs(1));
    loop {
        second.tick().await;
        server.tick();
    }
}

async fn sweep(server: Server) {
    let mut hour = interval(Duration::from_secs(3600));
    loop {
        hour.tick().await;
        // It reads a lot, and the store blocks meanwhile: not on a thread that serves.
        let (server, runtime) = (server.clone(), Handle::current());
        let swept = spawn_blocking(move || runtime.block_on(server.sweep())).await;
        match swept {
            Ok(Ok(0)) => {}
            Ok(Ok(gone)) => tracing::info!(gone, "expired things were deleted"),
            Ok(Err(error @ SweepError::Clock { .. })) => {
                tracing::error!(%error, "look at the clock; if it is right, start with --clock-is-right");
            }
            Ok(Err(error)) => tracing::error!(%error, "the hourly sweep failed"),
            // A panic there was told by the hook; the server goes on, and so do the sweeps.
            Err(_) => tracing::error!("the hourly sweep ended early"),
        }
    }
}

/// Resolves when somebody asks this process to stop, from now on.
fn stop_asked() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            Some(()) = terminate.recv() => {}
            Some(()) = interrupt.recv() => {}
            else => pending().await,
        }
    })
}

fn runtime(threads: Option<usize>) -> Result<Runtime> {
    let mut builder = match threads {
        Some(0 | 1) => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if let Some(threads) = threads.filter(|threads| *threads > 1) {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().context("cannot start threads")
}

/// Lines for an operator on stderr: `NODOOR_LOG` chooses how much (`info` if it is not set). No content, no names, no addresses of
/// people ever: the rooms below have none to give.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("NODOOR_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// Folders made by this program are for its user alone; one that was there may be for more.
fn others_may_read(data: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    data.metadata().is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}

/// As many open files as the system allows: each connection is one.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err()
    {
        tracing::warn!("the number of open files, and so of connections, could not be raised");
    }
}

const HANDSHAKES: Handshakes =
    Handshakes { within: Duration::from_secs(10), of_peer: 16, at_once: 1024 };
/// For all of the way down; an operator's tools wait ten seconds.
const STOP_WITHIN: Duration = Duration::from_secs(8);
