// SPDX-License-Identifier: AGPL-3.0-or-later
//! Opens the ledger beside the store, publishes every few seconds, and carries new checkpoints to the witnesses.
//!
//! The loops live here because rooms below have no timer and no socket. Publishing computes, so it has a thread of the
//! blocking kind; witnesses that are slow hold up nothing but the log itself, which waits for them.
//!
//! Spec: `docs/book/ledger.md`, 1 and 2. `run` calls it; it calls `nodoor_server::ledger` and `witnesses`.

use std::{collections::HashMap, fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use nodoor_server::{
    Clock as _, Server,
    ledger::{EPOCH_LABELS, Ledger, LedgerError, Offer, Published},
    storage::{Storage as _, ledger::Log as _},
};
use nodoor_store_embedded::{Folder, LedgerFolder};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    WrongUse,
    clock::SystemClock,
    handed_in::HandedIn,
    keys,
    witnesses::{Asked, Witnesses},
};

/// While more waits than an epoch holds, the next one begins after this.
const CATCH_UP: Duration = Duration::from_secs(1);
/// After a witness did not answer it is asked again, twice as late each time, up to the second.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// Opens the ledger of a data folder.
///
/// # Errors
/// [`WrongUse`] for a policy file that is none; otherwise what keeps the ledger from opening.
pub(crate) async fn open(data: &Path, store: &Folder, policy: Option<&Path>) -> Result<Ledger> {
    let policy = policy
        .map(|path| fs::read_to_string(path).context("cannot read the ledger policy"))
        .transpose()?;
    let folder = LedgerFolder::open(data).context("cannot open the ledger's folder")?;
    let size = folder.size().await?;
    if size == 0 {
        // A folder from before there was a ledger: what is in it is published first.
        let marked = store.mark_everything().context("cannot mark what is to be published")?;
        if marked > 0 {
            tracing::info!(marked, "accounts and handles that the ledger lacks are published");
        }
    }
    let keys = keys::read_or_make(data, size == 0)?;
    let ledger = Ledger::open(
        store.deployment(),
        Arc::new(folder),
        Arc::new(store.clone()),
        keys,
        policy.as_deref(),
        SystemClock.now_ms(),
    )
    .await
    .map_err(|error| match error {
        LedgerError::Policy(_) | LedgerError::PolicyRefused(_) => {
            anyhow::Error::new(WrongUse(error.to_string()))
        }
        error => anyhow::Error::new(error).context("cannot open the ledger"),
    })?;
    tracing::info!(key = %ledger.log_key(), size, "the ledger is open");
    Ok(ledger)
}

/// Publishes every `pause`, for ever.
///
/// What an operator has to log is gone from its folder once it stands in the log.
pub(crate) async fn publish(
    server: Server,
    handed_in: HandedIn,
    pause: Duration,
    changed: watch::Sender<u64>,
) {
    let mut beat = interval(pause);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut waits = false;
    loop {
        let Some(ledger) = server.ledger().cloned() else { return };
        if ledger.statistics().waiting < EPOCH_LABELS as u64 {
            beat.tick().await;
        } else {
            // A whole epoch waits behind the last one: nobody is served by a pause.
            sleep(pause.min(CATCH_UP)).await;
        }
        let (runtime, handed_in) = (Handle::current(), handed_in.clone());
        let published = spawn_blocking(move || {
            let (paths, entries) = handed_in.read();
            let now_ms = SystemClock.now_ms();
            let published = runtime.block_on(ledger.publish_with(entries, now_ms));
            if matches!(published, Ok(Published::Epoch { .. } | Published::Nothing)) {
                paths.iter().for_each(|path| drop(fs::remove_file(path)));
            }
            published
        });
        match published.await {
            Ok(Ok(Published::Epoch { size, epoch, labels })) => {
                tracing::debug!(size, epoch, labels, "an epoch is logged");
                changed.send_replace(size);
                waits = false;
            }
            Ok(Ok(Published::Waiting)) if !waits => {
                waits = true;
                tracing::info!("the ledger waits for its witnesses");
            }
            Ok(Ok(Published::ClockAhead { days })) if !waits => {
                waits = true;
                tracing::error!(
                    days,
                    "the clock is ahead of the ledger's last epoch, and what is logged is not taken back; look at the \
                     clock; if it is right, start with --clock-is-right"
                );
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the ledger could not go on"),
            // A panic there was told by the hook.
            Err(_) => tracing::error!("publishing ended early"),
        }
    }
}

/// Carries each new checkpoint to the witnesses that have not cosigned it.
pub(crate) async fn carry(server: Server, mut changed: watch::Receiver<u64>) {
    let Some(ledger) = server.ledger() else { return };
    let witnesses = match Witnesses::new() {
        Ok(witnesses) => Arc::new(witnesses),
        Err(error) => return tracing::error!(%error, "witnesses cannot be asked"),
    };
    // Where each witness stands, as it said last.
    let mut sizes: HashMap<String, u64> = HashMap::new();
    let mut pause = PATIENCE.0;
    loop {
        changed.mark_unchanged();
        let offer = ledger.offer();
        let all_answered = match &offer {
            Some(offer) => ask_all(ledger, &witnesses, offer, &mut sizes).await,
            None => true,
        };
        pause = if all_answered { PATIENCE.0 } else { PATIENCE.1.min(pause * 2) };
        let again =
            async { if all_answered { std::future::pending().await } else { sleep(pause).await } };
        tokio::select! {
            changed = changed.changed() => if changed.is_err() { return },
            () = again => {}
        }
    }
}

/// Asks every witness of an offer at once; whether all gave their line.
async fn ask_all(
    ledger: &Ledger,
    witnesses: &Arc<Witnesses>,
    offer: &Offer,
    sizes: &mut HashMap<String, u64>,
) -> bool {
    let mut asking = JoinSet::new();
    for (key, url) in &offer.witnesses {
        let (name, url) = (key.to_string(), url.clone());
        let from = sizes.get(&name).copied().unwrap_or(0);
        let (ledger, witnesses, checkpoint) =
            (ledger.clone(), Arc::clone(witnesses), offer.checkpoint.clone());
        asking.spawn(async move {
            let asked = witnesses.ask(&ledger, &url, from, &checkpoint).await;
            (name, url, asked)
        });
    }
    let mut all = true;
    while let Some(asked) = asking.join_next().await {
        let Ok((name, url, asked)) = asked else { continue };
        match asked {
            Ok(Asked::Cosigned(lines)) => {
                sizes.insert(name, offer.checkpoint.head().size);
                if let Err(error) = ledger.cosign(&lines, SystemClock.now_ms()).await {
                    tracing::error!(%error, "a cosignature could not be kept");
                    all = false;
                }
            }
            Ok(Asked::StandsAt(size)) => {
                if size > offer.checkpoint.head().size {
                    tracing::error!(
                        url,
                        size,
                        "a witness saw more entries than this ledger has: it is an old copy"
                    );
                }
                sizes.insert(name, size);
                all = false;
            }
            Err(error) => {
                tracing::warn!(url, error = %format!("{error:#}"), "a witness did not cosign");
                all = false;
            }
        }
    }
    all
}
