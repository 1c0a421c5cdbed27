// SPDX-License-Identifier: AGPL-3.0-or-later
//! Calls: who is told, through a push service, that something waits in a mailbox of a device that is not connected.
//!
//! Decides who is called and when; a driver posts what it is given and says what came of it. A call says that something is
//! there and nothing else. Whoever subscribes is called no more for what came until then. All that waits here is in memory:
//! after a restart a device is called with the next thing that comes.
//!
//! Carries out `docs/book/protocol.md`, 10. `crate::writer` says what came, [`crate::Server::next_call`] hands out.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use nodoor_wire::{code::Code, id::DeviceId, limits::PUSH_ENDPOINT, proto};
use prost::Message as _;
use tokio::sync::Notify;

use crate::{
    connection::Connection,
    entropy::Entropy,
    refusal::{Handled, Refusal},
    server::{Inner, Server, done},
    storage::{Day, Op, Outcome, StorageError},
    writer::Work,
};

/// A call waits so long at least, milliseconds: a device that is just reconnecting needs none, and what comes together is one.
const DELAY: u64 = 2_000;
/// And up to so much longer, by chance, so that the second of a call is not that of a message.
const MORE: u64 = 3_000;
/// Between two calls of one device that did not connect meanwhile.
const GAP: u64 = 5 * 60_000;
/// A call that failed is made again after so long, then twice as long, and so on.
const AGAIN: u64 = 60_000;
/// So often; then not before something new comes.
const TRIES: u32 = 6;
/// Longest pause that a push service may ask for.
const PAUSE: u64 = 3_600_000;
/// Devices that are remembered here. Who comes beyond is not called this time.
const DEVICES: usize = 200_000;
const POINT: usize = 65;
const AUTH: usize = 16;

/// A call to make: post it where the subscription says.
// Not for a log: where somebody is called.
#[derive(Clone)]
pub struct Call {
    device: DeviceId,
    stored: Bytes,
    /// Where, and for whom it is sealed.
    pub subscription: proto::PushPut,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// The push service has it.
    Taken,
    /// Not now; so many milliseconds later at the soonest.
    Later(u64),
    /// The push service knows no such subscription, or it must not be called at all: it is forgotten.
    Gone,
}

/// Who is to be called.
#[derive(Default)]
pub(crate) struct Calls {
    /// By which push services know this server; not set: nobody is called.
    key: OnceLock<Bytes>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Whose subscription ended before they took what came.
    missed: Vec<DeviceId>,
    devices: HashMap<DeviceId, Caller>,
    due: VecDeque<DeviceId>,
}

/// What is remembered of a device until it subscribes or nothing is to be remembered.
#[derive(Default)]
struct Caller {
    /// When to call, if something came since the last call.
    at: Option<u64>,
    /// Not before.
    not_before: u64,
    tries: u32,
}

impl Calls {
    /// Something came for these devices, which are not connected.
    pub(crate) fn arrived(&self, devices: &[DeviceId], now_ms: u64, entropy: &Entropy) {
        if self.key.get().is_none() || devices.is_empty() {
            return;
        }
        let mut state = self.state();
        for device in devices {
            if state.devices.len() >= DEVICES && !state.devices.contains_key(device) {
                continue;
            }
            let more = u64::from(u16::from_be_bytes(entropy.bytes())) % MORE;
            let caller = state.devices.entry(*device).or_default();
            if caller.at.is_none() {
                // The clock may have run back.
                let not_before = caller.not_before.min(now_ms + GAP);
                caller.at = Some(not_before.max(now_ms + DELAY + more));
                caller.tries = 0;
            }
        }
    }

    /// A subscription ended, and what was handed out on it was not acknowledged: a telephone that sleeps keeps its connection for
    /// a while.
    pub(crate) fn missed(&self, device: DeviceId) {
        if self.key.get().is_some() {
            self.state().missed.push(device);
        }
    }

    /// It is here, or gone.
    pub(crate) fn forget(&self, device: &DeviceId) {
        self.state().devices.remove(device);
    }

    /// Lines up whoever is due.
    pub(crate) fn tick(&self, now_ms: u64, entropy: &Entropy) {
        let missed = std::mem::take(&mut self.state().missed);
        self.arrived(&missed, now_ms, entropy);
        let mut state = self.state();
        let State { devices, due, .. } = &mut *state;
        for (device, caller) in devices.iter_mut() {
            if caller.at.take_if(|at| *at <= now_ms).is_some() {
                caller.not_before = now_ms + GAP;
                due.push_back(*device);
            }
        }
        devices.retain(|_, caller| caller.at.is_some() || caller.not_before > now_ms);
        if !due.is_empty() {
            self.changed.notify_one();
        }
    }

    async fn next(&self) -> DeviceId {
        loop {
            // Taken in a statement of its own: the lock is not held while it waits.
            let due = self.state().due.pop_front();
            match due {
                Some(device) => return device,
                None => self.changed.notified().await,
            }
        }
    }

    fn again(&self, device: DeviceId, now_ms: u64, pause_ms: u64) {
        let mut state = self.state();
        // It subscribed meanwhile: it has what it would be called for.
        let Some(caller) = state.devices.get_mut(&device) else { return };
        caller.tries += 1;
        if caller.tries < TRIES {
            let pause = (AGAIN << caller.tries.min(TRIES)) / 2;
            caller.at = Some(now_ms + pause.max(pause_ms.min(PAUSE)));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// From now on devices may say where they are called. `key` is by what push services know this server: a point of
    /// P-256, 65 bytes. Whoever sets it posts what [`Server::next_call`] gives.
    pub fn call_as(&self, key: Bytes) {
        // The first one counts: devices subscribe under it.
        let _ = self.0.calls.key.set(key);
    }

    /// The next call to make; pending until there is one. Several may be under way.
    pub async fn next_call(&self) -> Call {
        loop {
            let device = self.0.calls.next().await;
            match self.0.call_of(device).await {
                Ok(Some(call)) => return call,
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a subscription could not be read"),
            }
        }
    }

    /// What came of a call.
    pub async fn called(&self, call: &Call, what: Called) {
        match what {
            Called::Taken => {}
            Called::Later(pause_ms) => {
                self.0.calls.again(call.device, self.0.clock.now_ms(), pause_ms);
            }
            Called::Gone => {
                self.0.calls.forget(&call.device);
                let only = Some(call.stored.clone());
                let operation = Op::DeletePush { device: call.device, only };
                if let Err(error) = self.0.writer.submit(Work::Plain(operation)).await {
                    tracing::error!(%error, "a subscription could not be forgotten");
                }
            }
        }
    }
}

impl Inner {
    /// By which push services know this server; empty where nobody is called.
    pub(crate) fn push_key(&self) -> Bytes {
        self.calls.key.get().cloned().unwrap_or_default()
    }

    /// A device says where it is called: its own, and no other's.
    pub(crate) async fn put_push(&self, connection: &Connection, put: proto::PushPut) -> Handled {
        let (_, device) = self.known_device(connection)?;
        let operation = if put.endpoint.is_empty() {
            Op::DeletePush { device, only: None }
        } else {
            check(&put, self.config.push_to_loopback)?;
            if self.calls.key.get().is_none() {
                return Err(Code::Forbidden.into());
            }
            let day = Day::of_ms(self.clock.now_ms());
            Op::PutPush { device, subscription: put.encode_to_vec().into(), day }
        };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            _ => Err(Code::Unauthorised.into()),
        }
    }

    /// The call of a device that is due, unless it is not wanted or not needed any more.
    async fn call_of(&self, device: DeviceId) -> Result<Option<Call>, StorageError> {
        if self.outlets.has(&device) {
            return Ok(None);
        }
        let Some(stored) = self.storage.push(device).await? else { return Ok(None) };
        let waits = self.storage.mailbox(device).await?.is_some_and(|one| one.done < one.last);
        let subscription = proto::PushPut::decode(stored.clone()).ok().filter(|_| waits);
        Ok(subscription.map(|subscription| Call { device, stored, subscription }))
    }
}

/// What can be seen without looking anything up. Where an address leads is looked at when it is called, each time.
fn check(put: &proto::PushPut, to_loopback: bool) -> Result<(), Refusal> {
    let sizes = (put.key.len(), put.auth.len());
    let keys = sizes == (0, 0) || sizes == (POINT, AUTH) && put.key.first() == Some(&4);
    let plain = put.endpoint.bytes().all(|byte| byte.is_ascii_graphic());
    if put.endpoint.len() > PUSH_ENDPOINT {
        return Err(Code::TooLarge.into());
    }
    let scheme = put.endpoint.starts_with("https://")
        || to_loopback && put.endpoint.starts_with("http://127.0.0.1:");
    if !scheme || !plain || !keys {
        return Err(Code::Malformed.into());
    }
    Ok(())
}
