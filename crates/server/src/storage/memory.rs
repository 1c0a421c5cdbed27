// SPDX-License-Identifier: AGPL-3.0-or-later
//! The model: every operation in its plainest form, in memory. What another store does must look like this.
//!
//! For tests and for measuring the server without a disk; nothing survives the process.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, BodyId, DeploymentId, DeviceId, HourKeyId, TokenHash},
    limits::{
        IDLE_DAYS, KEEP_DAYS, KEY_PACKAGES, ONCE_DAYS, PUSH_DAYS, PUSH_RENEW_DAYS, TOKENS,
        UNMOVED_DAYS,
    },
    sealed::{body_disk_name, release_check},
};
use sha2::{Digest as _, Sha256};

use crate::storage::{
    AccountRecord, Accounts, Answer, Append, Day, Delivered, EntryRecord, EpochRecord, KeyPackages,
    MailboxRecord, Mailboxes, MoveRoom, Op, Outcome, RoomName, RoomRecord, Rooms, Storage, Taken,
    TokenRecord, Tokens,
    directory::{Mark, Marks},
};

/// A store in memory. A clone is the same store.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    deployment: [u8; 16],
    full: bool,
    accounts: BTreeMap<AccountId, AccountRecord>,
    handles: BTreeMap<Handle, AccountId>,
    mailboxes: BTreeMap<DeviceId, MailboxRecord>,
    entries: BTreeMap<(DeviceId, u64), EntryRecord>,
    hour_keys: BTreeMap<(DeviceId, HourKeyId), (Bytes, Day)>,
    bodies: BTreeMap<[u8; 32], Body>,
    once: BTreeMap<[u8; 32], Day>,
    tokens: BTreeMap<TokenHash, TokenRecord>,
    single_use: BTreeMap<DeviceId, VecDeque<Bytes>>,
    last_resort: BTreeMap<DeviceId, Bytes>,
    seen_packages: BTreeMap<(DeviceId, [u8; 32]), Day>,
    rooms: BTreeMap<RoomName, RoomRecord>,
    epochs: BTreeMap<(RoomName, u64), EpochRecord>,
    pushes: BTreeMap<DeviceId, (Bytes, Day)>,
    marks: BTreeSet<Mark>,
    swept: Option<Day>,
}

struct Body {
    sealed: Bytes,
    shares: u32,
    day: Day,
}

impl Memory {
    /// An empty store of this deployment.
    #[must_use]
    pub fn new(deployment: DeploymentId) -> Self {
        let memory = Self::default();
        memory.state().deployment = deployment.0;
        memory
    }

    /// From now on nothing is done but what only deletes, or no longer.
    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&State) -> T) -> Answer<'_, T> {
        let answer = Ok(read(&self.state()));
        Box::pin(std::future::ready(answer))
    }
}

impl Accounts for Memory {
    fn account(&self, account: AccountId) -> Answer<'_, Option<AccountRecord>> {
        self.read(|state| state.accounts.get(&account).cloned())
    }

    fn handle(&self, handle: Handle) -> Answer<'_, Option<AccountId>> {
        self.read(|state| state.handles.get(&handle).copied())
    }
}

impl Tokens for Memory {
    fn mailboxes_of(&self, hashes: Vec<TokenHash>) -> Answer<'_, Vec<Option<TokenRecord>>> {
        self.read(|state| hashes.iter().map(|hash| state.tokens.get(hash).copied()).collect())
    }
}

impl KeyPackages for Memory {
    fn key_packages_left(&self, device: DeviceId) -> Answer<'_, u32> {
        self.read(|state| {
            let left = state.single_use.get(&device).map_or(0, VecDeque::len);
            u32::try_from(left).unwrap_or(u32::MAX)
        })
    }

    fn last_resorts(&self, devices: Vec<DeviceId>) -> Answer<'_, Vec<Option<Taken>>> {
        self.read(|state| devices.iter().map(|device| state.last_resort(device)).collect())
    }
}

impl Mailboxes for Memory {
    fn mailbox(&self, device: DeviceId) -> Answer<'_, Option<MailboxRecord>> {
        self.read(|state| {
            let mut mailbox = state.mailboxes.get(&device)?.clone();
            let first = state.entries.range((device, 0)..=(device, u64::MAX)).next();
            mailbox.done = first.map_or(mailbox.last, |((_, sequence), _)| sequence - 1);
            Some(mailbox)
        })
    }

    fn entries(
        &self,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Answer<'_, Vec<(u64, EntryRecord)>> {
        self.read(|state| {
            state
                .entries
                .range((device, after.saturating_add(1))..=(device, u64::MAX))
                .take(limit)
                .map(|((_, sequence), record)| (*sequence, record.clone()))
                .collect()
        })
    }

    fn hour_key(&self, device: DeviceId, id: HourKeyId) -> Answer<'_, Option<Bytes>> {
        self.read(|state| state.hour_keys.get(&(device, id)).map(|(sealed, _)| sealed.clone()))
    }

    fn push(&self, device: DeviceId) -> Answer<'_, Option<Bytes>> {
        self.read(|state| state.pushes.get(&device).map(|(push, _)| push.clone()))
    }

    fn bodies(&self, ids: Vec<BodyId>) -> Answer<'_, Vec<Option<Bytes>>> {
        self.read(|state| {
            ids.iter()
                .map(|id| state.bodies.get(&body_disk_name(id)).map(|body| body.sealed.clone()))
                .collect()
        })
    }
}

impl Rooms for Memory {
    fn room(&self, room: RoomName) -> Answer<'_, Option<RoomRecord>> {
        self.read(|state| state.rooms.get(&room).cloned())
    }

    fn epoch(&self, room: RoomName, epoch: u64) -> Answer<'_, Option<EpochRecord>> {
        self.read(|state| state.epochs.get(&(room, epoch)).cloned())
    }
}

impl Marks for Memory {
    fn marks(&self, after: Option<Mark>, limit: usize) -> Answer<'_, Vec<Mark>> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.read(|state| {
            let from = after.map_or(Unbounded, Excluded);
            state.marks.range((from, Unbounded)).take(limit).copied().collect()
        })
    }

    fn unmark(&self, marks: Vec<Mark>) -> Answer<'_, ()> {
        let mut state = self.state();
        state.marks.retain(|mark| !marks.contains(mark));
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Storage for Memory {
    fn deployment(&self) -> DeploymentId {
        DeploymentId(self.state().deployment)
    }

    fn commit(&self, operations: Vec<Op>) -> Answer<'_, Vec<Outcome>> {
        let mut state = self.state();
        let apply = |operation: Op| {
            if state.full && !operation.only_deletes() {
                return Outcome::Full;
            }
            state.apply(operation)
        };
        let outcomes = operations.into_iter().map(apply).collect();
        Box::pin(std::future::ready(Ok(outcomes)))
    }

    fn sweep(&self, today: Day) -> Answer<'_, u64> {
        let gone = self.state().sweep(today);
        Box::pin(std::future::ready(Ok(gone)))
    }

    fn swept(&self) -> Answer<'_, Option<Day>> {
        self.read(|state| state.swept)
    }
}

impl State {
    fn apply(&mut self, operation: Op) -> Outcome {
        match operation {
            Op::Register {
                account,
                list,
                handle,
                handle_claim,
                device,
                mailbox_key,
                mailbox_key_made_at_ms,
            } => {
                if let Some(known) = self.accounts.get(&account) {
                    let same =
                        known.lists.first() == Some(&list) && known.handle_claim == handle_claim;
                    return if same { Outcome::Done } else { Outcome::Conflict };
                }
                if self.handles.contains_key(&handle) {
                    return Outcome::HandleTaken;
                }
                self.marks.insert(Mark::of_list(account, 1, &list));
                self.marks.insert(Mark::of_handle(&handle, account));
                self.handles.insert(handle, account);
                let record =
                    AccountRecord { lists: vec![list], handle_claim, disputes: Vec::new() };
                self.accounts.insert(account, record);
                let mut mailbox = empty_mailbox(account);
                mailbox.key = mailbox_key;
                mailbox.key_made_at_ms = mailbox_key_made_at_ms;
                self.mailboxes.insert(device, mailbox);
                Outcome::Done
            }
            Op::PutList { account, version, list, added, removed } => {
                let Some(known) = self.accounts.get_mut(&account) else {
                    return Outcome::Conflict;
                };
                let newest = known.lists.len() as u64;
                if newest == version && known.lists.last() == Some(&list) {
                    return Outcome::Done;
                }
                if newest.checked_add(1) != Some(version) {
                    return Outcome::Conflict;
                }
                self.marks.insert(Mark::of_list(account, version, &list));
                known.lists.push(list);
                for device in added {
                    self.mailboxes.entry(device).or_insert_with(|| empty_mailbox(account));
                }
                removed.iter().for_each(|device| self.remove_device(device));
                Outcome::Done
            }
            Op::PutHandleClaim { account, handle, handle_claim } => {
                if self.handles.get(&handle) != Some(&account) {
                    return Outcome::Conflict;
                }
                let Some(known) = self.accounts.get_mut(&account) else { return Outcome::Conflict };
                known.handle_claim = handle_claim;
                Outcome::Done
            }
            Op::MoveHandle { handle, from, to, handle_claim, version } => {
                let holder = self.handles.get(&handle).copied();
                if holder == Some(to) {
                    return Outcome::Done;
                }
                let there = self.accounts.contains_key(&from) && self.accounts.contains_key(&to);
                if holder != Some(from) || !there {
                    return Outcome::Conflict;
                }
                self.marks.insert(Mark::of_moved_handle(&handle, to, version));
                self.handles.insert(handle, to);
                let claims =
                    [(from, nodoor_wire::proto::SignedBytes::default()), (to, handle_claim)];
                for (account, claim) in claims {
                    if let Some(known) = self.accounts.get_mut(&account) {
                        known.handle_claim = claim;
                    }
                }
                Outcome::Done
            }
            Op::PutMailboxKey { device, key, made_at_ms } => {
                let Some(mailbox) = self.mailboxes.get_mut(&device) else { return Outcome::Gone };
                if mailbox.key.is_empty() || made_at_ms > mailbox.key_made_at_ms {
                    mailbox.key = key;
                    mailbox.key_made_at_ms = made_at_ms;
                }
                Outcome::Done
            }
            Op::PutPush { device, subscription, day } => {
                if !self.mailboxes.contains_key(&device) {
                    return Outcome::Gone;
                }
                let kept = self.pushes.get(&device);
                let fresh = |since: &Day| !since.is_over(PUSH_RENEW_DAYS, day);
                if kept.is_none_or(|(push, since)| *push != subscription || !fresh(since)) {
                    self.pushes.insert(device, (subscription, day));
                }
                Outcome::Done
            }
            Op::DeletePush { device, only } => {
                let kept = self.pushes.get(&device).map(|(push, _)| push);
                if only.is_none() || kept == only.as_ref() {
                    self.pushes.remove(&device);
                }
                Outcome::Done
            }
            Op::PutDispute { account, device, dispute } => {
                let Some(known) = self.accounts.get_mut(&account) else {
                    return Outcome::Conflict;
                };
                if !known.disputes.iter().any(|one| one.signer == device.as_bytes()) {
                    known.disputes.push(dispute);
                }
                Outcome::Done
            }
            Op::PutTokens { device, hashes, of_key_packages } => {
                if !self.mailboxes.contains_key(&device) {
                    return Outcome::Gone;
                }
                let of_device = self.tokens.values().filter(|token| token.device == device).count();
                let new = hashes.iter().filter(|hash| !self.tokens.contains_key(hash)).count();
                if of_device + new > TOKENS {
                    return Outcome::TooMany;
                }
                let record = TokenRecord { device, of_key_package: of_key_packages };
                for hash in hashes {
                    let kept = self.tokens.entry(hash).or_insert(record);
                    if kept.device == device {
                        // Its room was accepted: it is a stranger's no more.
                        kept.of_key_package &= of_key_packages;
                    }
                }
                Outcome::Done
            }
            Op::DeleteTokens { device, hashes } => {
                for hash in hashes {
                    if self.tokens.get(&hash).is_some_and(|token| token.device == device) {
                        self.tokens.remove(&hash);
                    }
                }
                Outcome::Done
            }
            Op::PutKeyPackages { device, single_use, last_resort, renew, day } => {
                self.put_key_packages(device, single_use, last_resort, renew, day)
            }
            Op::TakeKeyPackages { devices } => {
                Outcome::Taken(devices.iter().map(|device| self.take(device)).collect())
            }
            Op::FoundRoom { room, key_check, roster, day } => {
                let same = match (self.rooms.get(&room), self.epochs.get(&(room, 0))) {
                    (None, _) => {
                        let record = RoomRecord { epoch: 0, key_check, roster, day };
                        self.rooms.insert(room, record);
                        return Outcome::Done;
                    }
                    (Some(head), _) if head.epoch == 0 => {
                        head.key_check == key_check && head.roster == roster
                    }
                    (Some(_), Some(first)) => {
                        first.key_check == key_check && first.roster == roster
                    }
                    (Some(_), None) => false,
                };
                if same { Outcome::Done } else { Outcome::Conflict }
            }
            Op::TouchRoom { room, day } => {
                if let Some(head) = self.rooms.get_mut(&room) {
                    head.day = day;
                }
                Outcome::Done
            }
            Op::NoteSweep { day } => {
                self.swept = Some(day);
                Outcome::Done
            }
            Op::MoveRoom(change) => self.move_room(*change),
            Op::PutHourKey(record) => {
                self.hour_keys.insert((record.device, record.id), (record.sealed, record.day));
                Outcome::Done
            }
            Op::Append { head: (room, epoch), append } => {
                let head = self.rooms.get(&room).map(|room| room.epoch);
                if head != Some(epoch) {
                    return Outcome::Stale(head);
                }
                Outcome::Appended(self.append(append))
            }
            Op::Acknowledge { device, up_to, releases } => {
                self.acknowledge(device, up_to, &releases);
                Outcome::Done
            }
        }
    }

    fn remove_device(&mut self, device: &DeviceId) {
        self.mailboxes.remove(device);
        self.entries.retain(|(mailbox, _), _| mailbox != device);
        self.hour_keys.retain(|(mailbox, _), _| mailbox != device);
        self.tokens.retain(|_, token| token.device != *device);
        self.single_use.remove(device);
        self.last_resort.remove(device);
        self.pushes.remove(device);
    }

    fn put_key_packages(
        &mut self,
        device: DeviceId,
        single_use: Vec<Bytes>,
        last_resort: Bytes,
        renew: bool,
        day: Day,
    ) -> Outcome {
        if !self.mailboxes.contains_key(&device) {
            return Outcome::Gone;
        }
        let kept = self.single_use.entry(device).or_default();
        kept.retain(|package| !renew || single_use.contains(package));
        for package in single_use {
            let seen = (device, Sha256::digest(&package).into());
            if kept.len() < KEY_PACKAGES && !self.seen_packages.contains_key(&seen) {
                kept.push_back(package);
                self.seen_packages.insert(seen, day);
            }
        }
        if !last_resort.is_empty() {
            self.last_resort.insert(device, last_resort);
        }
        Outcome::Done
    }

    fn take(&mut self, device: &DeviceId) -> Option<Taken> {
        let single = self.single_use.get_mut(device).and_then(VecDeque::pop_front);
        match single {
            Some(key_package) => Some(Taken { key_package, last_resort: false }),
            None => self.last_resort(device),
        }
    }

    fn last_resort(&self, device: &DeviceId) -> Option<Taken> {
        let package = self.last_resort.get(device)?;
        Some(Taken { key_package: package.clone(), last_resort: true })
    }

    fn move_room(&mut self, change: MoveRoom) -> Outcome {
        let Some(head) = self.rooms.get_mut(&change.room) else { return Outcome::Stale(None) };
        if head.epoch == change.epoch {
            let past = EpochRecord {
                epoch: change.epoch,
                key_check: head.key_check,
                roster: head.roster.clone(),
                commit_id: change.commit_id,
                commit: change.commit,
                day: change.day,
            };
            head.epoch = change.epoch.saturating_add(1);
            head.key_check = change.next_key_check;
            head.roster = change.next_roster;
            head.day = change.day;
            self.epochs.insert((change.room, change.epoch), past);
        } else {
            let past = self.epochs.get(&(change.room, change.epoch));
            if past.is_none_or(|past| past.commit_id != change.commit_id) {
                return Outcome::Stale(Some(head.epoch));
            }
        }
        Outcome::Moved(change.appends.into_iter().map(|append| self.append(append)).collect())
    }

    fn append(&mut self, append: Append) -> Vec<Delivered> {
        if self.once.contains_key(&append.once) {
            return vec![Delivered::Before; append.entries.len()];
        }
        self.once.insert(append.once, append.day);
        let mut shares = 0;
        let mut delivered = Vec::new();
        for entry in append.entries {
            let Some(mailbox) = self.mailboxes.get_mut(&entry.device) else {
                delivered.push(Delivered::Nowhere);
                continue;
            };
            mailbox.last = mailbox.last.max(entry.sequence);
            self.entries.insert((entry.device, entry.sequence), entry.record);
            shares += 1;
            delivered.push(Delivered::Now);
        }
        if shares > 0 {
            let body = Body { sealed: append.body, shares, day: append.day };
            self.bodies.insert(append.body_name, body);
        }
        delivered
    }

    fn acknowledge(&mut self, device: DeviceId, up_to: u64, releases: &[(u64, BodyId)]) {
        let Some(mailbox) = self.mailboxes.get_mut(&device) else { return };
        mailbox.acknowledged = mailbox.acknowledged.max(up_to);
        mailbox.last = mailbox.last.max(up_to);
        for (sequence, body) in releases.iter().filter(|(sequence, _)| *sequence <= up_to) {
            let Some(entry) = self.entries.remove(&(device, *sequence)) else { continue };
            if release_check(body, &entry.salt) == entry.release_check {
                self.release(&body_disk_name(body));
            }
        }
        self.entries.retain(|(mailbox, sequence), _| *mailbox != device || *sequence > up_to);
    }

    fn release(&mut self, body_name: &[u8; 32]) {
        if let Some(body) = self.bodies.get_mut(body_name) {
            body.shares = body.shares.saturating_sub(1);
            if body.shares == 0 {
                self.bodies.remove(body_name);
            }
        }
    }

    fn sweep(&mut self, today: Day) -> u64 {
        let before = self.size();
        let over = |day: Day| day.is_over(KEEP_DAYS, today);
        let old_keys: Vec<(DeviceId, HourKeyId)> = self
            .hour_keys
            .iter()
            .filter(|(_, (_, day))| over(*day))
            .map(|(name, _)| *name)
            .collect();
        for (device, id) in old_keys {
            self.hour_keys.remove(&(device, id));
            let of_key = |(mailbox, _): &(DeviceId, u64), entry: &EntryRecord| {
                *mailbox == device && entry.key_id == id
            };
            self.entries.retain(|name, entry| !of_key(name, entry));
        }
        self.bodies.retain(|_, body| !over(body.day));
        self.epochs.retain(|_, past| !over(past.day));
        self.seen_packages.retain(|_, day| !over(*day));
        self.once.retain(|_, day| !day.is_over(ONCE_DAYS, today));
        self.pushes.retain(|_, (_, day)| !day.is_over(PUSH_DAYS, today));
        self.rooms.retain(|_, room| {
            let days = if room.epoch == 0 { UNMOVED_DAYS } else { IDLE_DAYS };
            !room.day.is_over(days, today)
        });
        before.saturating_sub(self.size())
    }

    fn size(&self) -> u64 {
        (self.hour_keys.len()
            + self.entries.len()
            + self.bodies.len()
            + self.epochs.len()
            + self.seen_packages.len()
            + self.once.len()
            + self.pushes.len()
            + self.rooms.len()) as u64
    }
}

fn empty_mailbox(account: AccountId) -> MailboxRecord {
    MailboxRecord {
        account,
        key: Bytes::new(),
        key_made_at_ms: 0,
        acknowledged: 0,
        done: 0,
        last: 0,
    }
}
