// SPDX-License-Identifier: AGPL-3.0-or-later
//! Outlets: what is pushed to a subscribed device, within its window.
//!
//! The disk is the truth and an outlet is a short cut. The writer pushes an entry with its body after the commit
//! that stored it; when a device is slow its queue is dropped and the outlet is *behind*: it reads from disk what
//! comes after the last sequence it handed out, until it has caught up. One outlet a device: a second
//! subscription closes the first.
//!
//! Carries out `docs/book/protocol.md`, 4 (delivery). `crate::writer` pushes, the gateway's `next_delivery` takes.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use nodoor_wire::{
    id::{DeviceId, HourKeyId},
    limits::{WINDOW_BYTES, WINDOW_ENTRIES},
    proto,
};
use tokio::sync::Notify;

use crate::{
    calls::Calls,
    storage::{EntryRecord, Storage, StorageError},
};

/// A stored entry on its way to a device, with what is at hand in memory.
#[derive(Debug, Clone)]
pub(crate) struct Pushed {
    pub(crate) sequence: u64,
    pub(crate) key_id: HourKeyId,
    pub(crate) sealed: Bytes,
    /// The body itself.
    pub(crate) body: Bytes,
    /// The sealed hour key that opens `sealed`.
    pub(crate) hour_key: Bytes,
    /// Its device is called, if it is not connected.
    pub(crate) calls: bool,
}

/// One subscription of one device.
pub(crate) struct Outlet {
    device: DeviceId,
    queue_limit: usize,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    closed: bool,
    /// Highest sequence handed out on this subscription.
    sent: u64,
    /// Handed out and not acknowledged: sequence and bytes.
    in_flight: VecDeque<(u64, usize)>,
    in_flight_bytes: usize,
    /// Waiting, when not behind.
    queue: VecDeque<Pushed>,
    queue_bytes: usize,
    /// The queue is not complete: read from disk.
    behind: bool,
    /// Highest sequence the writer spoke of.
    latest: u64,
    /// Highest sequence that its device would be called for, and the highest it acknowledged.
    calling: u64,
    acknowledged: u64,
    /// Hour keys given on this subscription.
    keys: HashSet<HourKeyId>,
    /// What is passed on and kept nowhere; of more than fit the oldest are dropped.
    signals: VecDeque<proto::Signalled>,
}

/// Signals that wait for one device.
const SIGNALS: usize = 16;

/// What an outlet does next.
enum Next {
    Deliver(proto::Deliver),
    Read { after: u64, limit: usize, latest: u64 },
    Wait,
    Closed,
}

impl Outlet {
    /// An outlet that begins with what is on disk after `acknowledged`.
    pub(crate) fn new(device: DeviceId, acknowledged: u64, queue_limit: usize) -> Self {
        Self {
            device,
            queue_limit,
            state: Mutex::new(State {
                closed: false,
                sent: acknowledged,
                in_flight: VecDeque::new(),
                in_flight_bytes: 0,
                queue: VecDeque::new(),
                queue_bytes: 0,
                behind: true,
                latest: 0,
                calling: 0,
                acknowledged,
                keys: HashSet::new(),
                signals: VecDeque::new(),
            }),
            changed: Notify::new(),
        }
    }

    /// The next delivery, or nothing when the subscription ended. Dropping the future loses nothing: the state
    /// changes only in the step that returns.
    pub(crate) async fn next(&self, storage: &dyn Storage) -> Option<proto::Deliver> {
        loop {
            match self.step() {
                Next::Deliver(deliver) => return Some(deliver),
                Next::Closed => return None,
                Next::Wait => self.changed.notified().await,
                Next::Read { after, limit, latest } => {
                    match self.read(storage, after, limit, latest).await {
                        Ok(Some(deliver)) => return Some(deliver),
                        Ok(None) => {}
                        Err(error) => {
                            // Tried again at the next push or acknowledgement, or when the device reconnects.
                            tracing::error!(%error, "a mailbox could not be read");
                            self.changed.notified().await;
                        }
                    }
                }
            }
        }
    }

    /// The device acknowledged up to here: the window opens.
    pub(crate) fn acknowledge(&self, up_to: u64) {
        let mut state = self.state();
        state.acknowledged = state.acknowledged.max(up_to);
        while let Some((sequence, bytes)) = state.in_flight.front().copied() {
            if sequence > up_to {
                break;
            }
            state.in_flight.pop_front();
            state.in_flight_bytes = state.in_flight_bytes.saturating_sub(bytes);
        }
        drop(state);
        self.changed.notify_one();
    }

    fn push(&self, pushed: Pushed) {
        let mut state = self.state();
        state.latest = state.latest.max(pushed.sequence);
        if pushed.calls {
            state.calling = pushed.sequence;
        }
        if !state.behind {
            state.queue_bytes += pushed.size();
            if state.queue_bytes <= self.queue_limit || state.queue.is_empty() {
                state.queue.push_back(pushed);
            } else {
                state.behind = true;
                state.queue = VecDeque::new();
                state.queue_bytes = 0;
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    fn signal(&self, signalled: proto::Signalled) {
        let mut state = self.state();
        if state.signals.len() >= SIGNALS {
            state.signals.pop_front();
        }
        state.signals.push_back(signalled);
        drop(state);
        self.changed.notify_one();
    }

    /// Something came that its device would have been called for, and was not acknowledged.
    fn owes(&self) -> bool {
        let state = self.state();
        state.calling > state.acknowledged
    }

    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.queue = VecDeque::new();
        drop(state);
        self.changed.notify_one();
    }

    fn step(&self) -> Next {
        let mut state = self.state();
        if state.closed {
            return Next::Closed;
        }
        if !state.signals.is_empty() {
            let signalled = state.signals.drain(..).collect();
            return Next::Deliver(proto::Deliver { signalled, ..proto::Deliver::default() });
        }
        let limit = WINDOW_ENTRIES.saturating_sub(state.in_flight.len());
        if limit == 0 || state.in_flight_bytes >= WINDOW_BYTES {
            return Next::Wait;
        }
        if state.behind {
            return Next::Read { after: state.sent, limit, latest: state.latest };
        }
        let mut deliver = proto::Deliver::default();
        while state.window_is_open() {
            let Some(pushed) = state.queue.pop_front() else { break };
            state.queue_bytes = state.queue_bytes.saturating_sub(pushed.size());
            // Read from disk already, in the moment between its commit and its push.
            if pushed.sequence > state.sent {
                state.hand_out(pushed, &mut deliver);
            }
        }
        if deliver.entries.is_empty() { Next::Wait } else { Next::Deliver(deliver) }
    }

    async fn read(
        &self,
        storage: &dyn Storage,
        after: u64,
        limit: usize,
        latest: u64,
    ) -> Result<Option<proto::Deliver>, StorageError> {
        let page = storage.entries(self.device, after, limit).await?;
        let mut needed: Vec<HourKeyId> = page.iter().map(|(_, entry)| entry.key_id).collect();
        needed.sort_unstable();
        needed.dedup();
        let known = self.state().keys.clone();
        let mut keys = HashMap::new();
        for id in needed.into_iter().filter(|id| !known.contains(id)) {
            if let Some(sealed) = storage.hour_key(self.device, id).await? {
                keys.insert(id, sealed);
            }
        }
        Ok(self.hand_out_page(page, &keys, limit, latest))
    }

    fn hand_out_page(
        &self,
        page: Vec<(u64, EntryRecord)>,
        keys: &HashMap<HourKeyId, Bytes>,
        limit: usize,
        latest: u64,
    ) -> Option<proto::Deliver> {
        let mut state = self.state();
        // Everything the writer had spoken of when the read began was on disk by then.
        if page.len() < limit && state.latest == latest {
            state.behind = false;
        }
        let mut deliver = proto::Deliver::default();
        for (sequence, entry) in page {
            if sequence <= state.sent {
                continue;
            }
            let pushed = Pushed {
                sequence,
                key_id: entry.key_id,
                sealed: entry.sealed,
                body: Bytes::new(),
                hour_key: keys.get(&entry.key_id).cloned().unwrap_or_default(),
                calls: false,
            };
            state.hand_out(pushed, &mut deliver);
        }
        (!deliver.entries.is_empty()).then_some(deliver)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn window_is_open(&self) -> bool {
        self.in_flight.len() < WINDOW_ENTRIES && self.in_flight_bytes < WINDOW_BYTES
    }

    fn hand_out(&mut self, pushed: Pushed, deliver: &mut proto::Deliver) {
        let size = pushed.size();
        self.sent = pushed.sequence;
        self.in_flight.push_back((pushed.sequence, size));
        self.in_flight_bytes += size;
        if !pushed.hour_key.is_empty() && self.keys.insert(pushed.key_id) {
            deliver
                .hour_keys
                .push(proto::HourKey { key_id: pushed.key_id.to_bytes(), sealed: pushed.hour_key });
        }
        deliver.entries.push(proto::Entry {
            sequence: pushed.sequence,
            key_id: pushed.key_id.to_bytes(),
            sealed: pushed.sealed,
            body: pushed.body,
        });
    }
}

impl Pushed {
    fn size(&self) -> usize {
        self.sealed.len() + self.body.len()
    }
}

/// The outlets of all subscribed devices.
pub(crate) struct Outlets {
    map: Mutex<HashMap<DeviceId, Arc<Outlet>>>,
    calls: Arc<Calls>,
}

impl Outlets {
    pub(crate) fn new(calls: Arc<Calls>) -> Self {
        Self { map: Mutex::default(), calls }
    }

    /// Where those are called who are not subscribed.
    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Puts an outlet in the place of the device's earlier one, which closes.
    pub(crate) fn open(&self, outlet: &Arc<Outlet>) {
        if let Some(before) = self.map().insert(outlet.device, Arc::clone(outlet)) {
            before.close();
        }
    }

    /// Ends a subscription, unless another took its place already.
    pub(crate) fn leave(&self, outlet: &Arc<Outlet>) {
        let mut map = self.map();
        if map.get(&outlet.device).is_some_and(|now| Arc::ptr_eq(now, outlet)) {
            map.remove(&outlet.device);
            if outlet.owes() {
                self.calls.missed(outlet.device);
            }
        }
        drop(map);
        outlet.close();
    }

    /// Ends whatever subscription a device has: it was removed.
    pub(crate) fn close(&self, device: &DeviceId) {
        if let Some(outlet) = self.map().remove(device) {
            outlet.close();
        }
    }

    /// Hands stored entries to those who are connected, in the order given, and says who of the others is to be called.
    pub(crate) fn push(&self, entries: Vec<(DeviceId, Pushed)>) -> Vec<DeviceId> {
        let (mut found, mut away) = (Vec::with_capacity(entries.len()), Vec::new());
        {
            let map = self.map();
            for (device, pushed) in entries {
                match map.get(&device) {
                    Some(outlet) => found.push((Arc::clone(outlet), pushed)),
                    None if pushed.calls => away.push(device),
                    None => {}
                }
            }
        }
        for (outlet, pushed) in found {
            outlet.push(pushed);
        }
        away
    }

    /// Whether a device is subscribed.
    pub(crate) fn has(&self, device: &DeviceId) -> bool {
        self.map().contains_key(device)
    }

    /// Passes something on to those of these devices who are connected.
    pub(crate) fn signal(
        &self,
        devices: impl Iterator<Item = DeviceId>,
        signalled: &proto::Signalled,
    ) {
        let found: Vec<Arc<Outlet>> = {
            let map = self.map();
            devices.filter_map(|device| map.get(&device).cloned()).collect()
        };
        for outlet in found {
            outlet.signal(signalled.clone());
        }
    }

    /// How many devices are subscribed.
    pub(crate) fn count(&self) -> usize {
        self.map().len()
    }

    fn map(&self) -> MutexGuard<'_, HashMap<DeviceId, Arc<Outlet>>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
