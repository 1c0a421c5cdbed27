// SPDX-License-Identifier: AGPL-3.0-or-later
//! The engine: one step at a time. A step gathers its writes on an overlay, commits once, and only then
//! hands out what may be sent, acknowledged or shown.

use rand_core::CryptoRng;

use crate::{
    io::{Effect, Input, Wire},
    live::Live,
    overlay::Overlay,
    step::Step,
    store::{Store, StoreError},
};

/// Why a step did not happen. The store is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The disk failed or is full. The engine has dropped what it held in memory; the driver closes both
    /// connections and hands in [`Input::Start`] again after a pause.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The client of one account on one device.
pub struct Engine<S: Store> {
    store: S,
    live: Live,
}

impl<S: Store> Engine<S> {
    /// An engine over a store. `server` is the address shown to the person (`http://127.0.0.1:8448`);
    /// `device_name` is what this device is called in the person's own list. Hand in [`Input::Start`] first.
    pub fn new(store: S, server: &str, device_name: &str) -> Self {
        Self { store, live: Live::new(server, device_name) }
    }

    /// The same engine, keeping so many single-use key packages at the server (at most
    /// [`nodoor_wire::limits::KEY_PACKAGES`], which is what it keeps unless told): each takes a few milliseconds to
    /// make and 4 KiB of disk. Refilled when two fifths are left.
    #[must_use]
    pub fn with_key_packages(mut self, stock: usize) -> Self {
        self.live.stock = stock.min(nodoor_wire::limits::KEY_PACKAGES);
        self
    }

    /// Takes one input. `now_ms` is milliseconds since 1970.
    ///
    /// # Errors
    /// [`StepError`]: nothing changed and nothing may be sent; asks of this step are answered by the driver
    /// with a problem of kind `Disk`.
    pub fn handle(
        &mut self,
        input: Input,
        now_ms: u64,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<Effect>, StepError> {
        let mut step = Step {
            disk: Overlay::new(&self.store),
            live: &mut self.live,
            now: now_ms,
            rng,
            effects: Vec::new(),
        };
        step.take(input);
        let Step { disk, effects, .. } = step;
        let written = disk
            .into_batch()
            .and_then(|batch| if batch.is_empty() { Ok(()) } else { self.store.commit(batch) });
        if let Err(failure) = written {
            self.live = self.live.emptied();
            return Err(failure.into());
        }
        Ok(effects)
    }

    /// Gives the store back, to close it.
    pub fn into_store(self) -> S {
        self.store
    }
}

impl Step<'_> {
    fn take(&mut self, input: Input) {
        let first = self.next_number();
        match input {
            Input::Start => self.start(),
            Input::Ask(ask) => self.ask(ask),
            Input::Connected(wire) => self.connected(wire),
            Input::Disconnected(wire) => self.disconnected(wire),
            Input::Frame(wire, bytes) => self.frame(wire, &bytes),
            Input::File(message, word) => self.file_said(message, word),
            Input::Timer => {
                self.renew_leaves();
                self.forget_deleted();
                self.end_messages();
                self.end_typing();
                self.log_in_again();
                self.still_here();
                self.upload_again();
                self.renew_offers();
                self.renew_token_keys();
                self.acknowledge_again();
                self.retry_held();
                self.index_piece();
            }
        }
        self.end_retired();
        self.find_lost();
        self.advance_stuck();
        self.ask_again();
        self.advance();
        if !self.live.parked.is_empty() {
            self.retry_parked();
            self.advance();
        }
        if self.advance_own_devices() {
            self.advance();
        }
        if std::mem::take(&mut self.live.commanded) {
            self.was_asked_from(first);
        }
        self.advance_files();
        self.seek_admission();
        if self.is_ready(Wire::Login) {
            self.retire_offers();
            self.forget_dead_tokens();
        }
        self.advance_own_history();
        self.advance_gossip();
        self.tell_changes();
        self.tell_ledger();
        self.next_timer();
    }

    fn start(&mut self) {
        self.bind_all();
        self.live.files.check = true;
        self.begin_index();
        self.keep_named_files();
        self.want(Wire::Anonymous);
        if self.account().is_some() {
            self.want(Wire::Login);
        }
        self.resume_devices();
        self.tell_connection();
        self.renew_leaves();
        self.forget_deleted();
        self.end_messages();
        self.retry_held();
    }

    /// Asks to be called again when something can be tried.
    fn next_timer(&mut self) {
        const DAY: u64 = 24 * 3600 * 1000;
        let soonest = self
            .live
            .retry_at
            .values()
            .chain(self.live.behind.values())
            .chain(self.live.parked.iter().map(|parked| &parked.until))
            .copied()
            .chain(self.lookups_due())
            .chain(self.live.log_in_at)
            .chain(self.live.upload.as_ref().and_then(|upload| upload.again_at))
            .chain(Some(self.live.fetch_after))
            .chain(self.tokens_due())
            .chain(self.live.ack_again.as_ref().map(|(at, _)| *at))
            .chain(self.held_due())
            .chain(self.deleted_due())
            .chain(self.ending_due())
            .chain(self.typing_due())
            .chain(self.stuck_due())
            .chain(self.resend_due())
            .chain(self.retired_due())
            .chain(self.devices_due())
            .chain(self.own_history_due())
            .chain(self.gossip_due())
            .chain(self.files_due())
            .chain(self.freshness_due())
            .chain(self.index_due())
            .filter(|at| *at > self.now)
            .min();
        let at = soonest.unwrap_or(self.now + DAY).min(self.now + DAY);
        self.live.retry_at.retain(|_, at| *at > self.now);
        self.effects.push(Effect::Timer(at));
    }
}
