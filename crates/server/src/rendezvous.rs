// SPDX-License-Identifier: AGPL-3.0-or-later
//! The rendezvous: where two devices of one person leave each other sealed boxes while the second is linked.
//!
//! Knows an id that both made from the secret in a QR code, and opaque boxes; not whose they are. In memory alone, for
//! five minutes, bounded. A slot is written once, so that nobody replaces what one side left; the same bytes again are
//! the same yes. Whoever asks for a slot that is empty waits for it: [`crate::Server::tick`] ends the waiting, since this
//! room has no timer.
//!
//! Carries out `docs/book/ledger.md`, 8. `server` calls it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use nodoor_wire::{code::Code, proto, proto::answer};
use tokio::sync::watch;

use crate::{
    connection::Connection,
    refusal::{Handled, Refusal, at_most, identifier},
    server::{Inner, done},
};

/// How long a meeting lasts from its first box on.
const LASTS_MS: u64 = 5 * 60 * 1000;
/// How long one who asks for an empty slot waits.
const WAIT_MS: u64 = 20 * 1000;
/// Meetings at a time. One address begins few of them ([`crate::Config::meetings_of_address`]), or it would keep everybody
/// else from linking a device.
const MEETINGS: usize = 1000;
/// A network of many addresses begins so many times as many.
const ADDRESSES: usize = 4;
/// Slots of a meeting, more than the linking of devices has.
const SLOTS: u32 = 16;
/// Bytes of a box.
const BOX: usize = 64 * 1024;
/// So many bytes more cost one request more.
const BLOCK: usize = 4096;
/// Bytes of all boxes together.
const BYTES: usize = 64 * 1024 * 1024;

type Id = [u8; 16];

/// All meetings under way.
pub(crate) struct Rendezvous {
    meetings: Mutex<Meetings>,
    /// Counts boxes and ticks: who waits looks again when it changes.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Meetings {
    by_id: HashMap<Id, Meeting>,
    bytes: usize,
}

struct Meeting {
    since_ms: u64,
    /// Whoever began it, as budgets name callers.
    by: Id,
    slots: HashMap<u32, Bytes>,
}

impl Rendezvous {
    pub(crate) fn new() -> Self {
        Self { meetings: Mutex::default(), changed: watch::Sender::new(0) }
    }

    /// Forgets what is over and wakes those who wait, so that each looks at the clock.
    pub(crate) fn tick(&self, now_ms: u64) {
        self.meetings().forget(now_ms);
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn put(&self, id: Id, slot: u32, sealed: Bytes, caller: &Caller) -> Result<(), Refusal> {
        let now_ms = caller.now_ms;
        let mut meetings = self.meetings();
        meetings.forget(now_ms);
        let there = meetings.by_id.get(&id).and_then(|meeting| meeting.slots.get(&slot));
        if let Some(there) = there {
            return if *there == sealed { Ok(()) } else { Err(Code::ListConflict.into()) };
        }
        let is_new = !meetings.by_id.contains_key(&id);
        if is_new && (meetings.by_id.len() >= MEETINGS || meetings.are_too_many(caller)) {
            return Err(Refusal::slow_down(60));
        }
        if meetings.bytes + sealed.len() > BYTES {
            return Err(Refusal::slow_down(30));
        }
        meetings.bytes += sealed.len();
        let fresh = || Meeting { since_ms: now_ms, by: caller.budget_key, slots: HashMap::new() };
        meetings.by_id.entry(id).or_insert_with(fresh).slots.insert(slot, sealed);
        drop(meetings);
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    fn get(&self, id: &Id, slot: u32) -> Option<Bytes> {
        self.meetings().by_id.get(id)?.slots.get(&slot).cloned()
    }

    fn meetings(&self) -> MutexGuard<'_, Meetings> {
        self.meetings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who puts a box, and when.
struct Caller {
    budget_key: Id,
    /// Meetings that it may have begun.
    most: usize,
    now_ms: u64,
}

impl Meetings {
    /// Whether a caller, or the network it is in, began as many as it may.
    fn are_too_many(&self, caller: &Caller) -> bool {
        let same = |meeting: &&Meeting| meeting.by == caller.budget_key;
        let network =
            |meeting: &&Meeting| meeting.by.first_chunk::<8>() == caller.budget_key.first_chunk();
        let count = |which: &dyn Fn(&&Meeting) -> bool| self.by_id.values().filter(which).count();
        count(&same) >= caller.most || count(&network) >= caller.most.saturating_mul(ADDRESSES)
    }

    fn forget(&mut self, now_ms: u64) {
        // Also when the clock ran back: nothing stays longer than it must.
        self.by_id.retain(|_, meeting| now_ms.abs_diff(meeting.since_ms) < LASTS_MS);
        let boxes = self.by_id.values().flat_map(|meeting| meeting.slots.values());
        self.bytes = boxes.map(Bytes::len).sum();
    }
}

impl Inner {
    pub(crate) fn put_box(&self, connection: &Connection, put: proto::RendezvousPut) -> Handled {
        at_most(put.r#box.len(), BOX)?;
        let blocks = u32::try_from(put.r#box.len() / BLOCK).unwrap_or(u32::MAX);
        self.may_meet(connection, blocks.saturating_add(1))?;
        let id = identifier(&put.id)?;
        if put.slot >= SLOTS || put.r#box.is_empty() {
            return Err(Code::Malformed.into());
        }
        let caller = Caller {
            budget_key: *connection.budget_key(),
            most: self.config.meetings_of_address,
            now_ms: self.clock.now_ms(),
        };
        self.rendezvous.put(id, put.slot, put.r#box, &caller)?;
        done()
    }

    /// Whoever has no account yet, anonymously; a device that has one says who it is: its next list does too.
    fn may_meet(&self, connection: &Connection, cost: u32) -> Result<(), Refusal> {
        match connection.device() {
            Ok((_, device, _)) => self.budgets.device.spend(&device.0, cost, self.clock.now_ms()),
            Err(_) => self.without_token(connection, cost),
        }
    }

    pub(crate) async fn get_box(
        &self,
        connection: &Connection,
        get: proto::RendezvousGet,
    ) -> Handled {
        self.may_meet(connection, 1)?;
        let id = identifier(&get.id)?;
        if get.slot >= SLOTS {
            return Err(Code::Malformed.into());
        }
        let since_ms = self.clock.now_ms();
        let mut changed = self.rendezvous.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let found = self.rendezvous.get(&id, get.slot);
            let over = self.clock.now_ms().abs_diff(since_ms) >= WAIT_MS;
            // The sender lives as long as this server, so this cannot fail.
            if found.is_some() || over || changed.changed().await.is_err() {
                let sealed = found.unwrap_or_default();
                return Ok(answer::Body::RendezvousGet(proto::RendezvousGetAnswer {
                    r#box: sealed,
                }));
            }
        }
    }
}
