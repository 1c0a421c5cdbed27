// SPDX-License-Identifier: AGPL-3.0-or-later
//! A group of operations on its way to the disk: what it has written so far lies over what is on disk, so that
//! each operation sees those before it; then all of it becomes one batch.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::RangeInclusive,
};

use bytes::Bytes;
use fjall::{OwnedWriteBatch, Slice};
use nodoor_server::storage::{
    Append, Day, Delivered, EpochRecord, MoveRoom, Op, Outcome, RoomName, RoomRecord, StorageError,
    Taken, TokenRecord, directory::Mark,
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, BodyId, DeviceId},
    limits::{KEY_PACKAGES, PUSH_RENEW_DAYS, TOKENS},
    proto,
    sealed::{body_disk_name, release_check},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    folder::{Folder, SWEPT, failed},
    keyspace::Space,
    read::entry_key,
    recent::{Change, is_logged, log_row},
    record::{self, Cursor, Reader},
};

/// An acknowledgement of more sequences than this looks for them on disk; a shorter one names each.
const NAMED_SEQUENCES: u64 = 512;

/// Rows of a removed device that one commit deletes of each kind.
const REMOVED_ROWS: usize = 1000;

type Written = HashMap<Vec<u8>, Change>;

/// Operations applied and not yet written.
pub(crate) struct Group<'a> {
    folder: &'a Folder,
    written: BTreeMap<usize, (Space, Written)>,
    size_bytes: u64,
}

impl<'a> Group<'a> {
    pub(crate) fn new(folder: &'a Folder) -> Self {
        Self { folder, written: BTreeMap::new(), size_bytes: 0 }
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// What goes to the trees at once, as one batch.
    pub(crate) fn batch(&self) -> Result<OwnedWriteBatch, StorageError> {
        let mut batch = OwnedWriteBatch::with_capacity(self.folder.database().clone(), 8);
        for (space, key, change) in self.rows().filter(|(space, ..)| !is_logged(*space)) {
            let space = self.folder.spaces().of(space).map_err(failed)?;
            match &change.value {
                Some(value) => batch.insert(space, key, value.clone()),
                None => batch.remove(space, key),
            }
        }
        Ok(batch)
    }

    /// What goes to the log, as one row; empty if there is nothing.
    pub(crate) fn log(&self) -> Vec<u8> {
        let size = self.size_bytes.saturating_add(self.size_bytes / 8);
        log_row(self.rows(), usize::try_from(size).unwrap_or_default())
    }

    /// The rows written that go to the log.
    pub(crate) fn into_logged(self) -> impl Iterator<Item = (Space, Vec<u8>, Change)> {
        let logged = self.written.into_values().filter(|(space, _)| is_logged(*space));
        logged.flat_map(|(space, rows)| {
            rows.into_iter().map(move |(key, change)| (space, key, change))
        })
    }

    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, StorageError> {
        if let Some((_, rows)) = self.written.get(&(space as usize))
            && let Some(change) = rows.get(key)
        {
            return Ok(change.value.clone());
        }
        self.folder.get(space, key)
    }

    pub(crate) fn cursor(&self, device: &[u8]) -> Result<Cursor, StorageError> {
        Cursor::read(self.get(Space::Cursors, device)?)
    }

    /// The rows written, with their keyspaces.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Space, &[u8], &Change)> {
        self.written.values().flat_map(|(space, rows)| {
            rows.iter().map(|(key, change)| (*space, key.as_slice(), change))
        })
    }

    fn has(&self, space: Space, key: &[u8]) -> Result<bool, StorageError> {
        Ok(self.beginning(space, key)?.is_some())
    }

    /// The beginning of a row as the cache keeps it, or all of it.
    fn beginning(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, StorageError> {
        if let Some((_, rows)) = self.written.get(&(space as usize))
            && let Some(change) = rows.get(key)
        {
            return Ok(change.value.clone());
        }
        self.folder.get_cached(space, key)
    }

    pub(crate) fn put(&mut self, space: Space, key: Vec<u8>, value: impl Into<Slice>) {
        self.change(space, key, Some(value.into()), false);
    }

    /// Puts a row that is not there yet.
    fn put_new(&mut self, space: Space, key: Vec<u8>, value: impl Into<Slice>) {
        self.change(space, key, Some(value.into()), true);
    }

    pub(crate) fn delete(&mut self, space: Space, key: Vec<u8>) {
        self.change(space, key, None, false);
    }

    fn change(&mut self, space: Space, key: Vec<u8>, value: Option<Slice>, is_new: bool) {
        self.size_bytes += (key.len() + value.as_ref().map_or(0, |value| value.len())) as u64;
        let (_, rows) =
            self.written.entry(space as usize).or_insert_with(|| (space, HashMap::new()));
        // What this group made and then changed is still new to everybody else.
        let change = rows.entry(key).or_insert(Change { value: None, is_new });
        change.value = value;
    }

    /// The keys there are within a range, sorted.
    pub(crate) fn keys(
        &self,
        space: Space,
        range: RangeInclusive<Vec<u8>>,
    ) -> Result<BTreeSet<Vec<u8>>, StorageError> {
        self.keys_up_to(space, range, usize::MAX)
    }

    /// The same; of those in a tree the first ones, so many.
    fn keys_up_to(
        &self,
        space: Space,
        range: RangeInclusive<Vec<u8>>,
        limit: usize,
    ) -> Result<BTreeSet<Vec<u8>>, StorageError> {
        let on_disk = self.folder.spaces().of(space).map_err(failed)?.range(range.clone());
        let written = self.written.get(&(space as usize)).map(|(_, rows)| rows);
        let recent: HashMap<Vec<u8>, bool> = if space == Space::Entries {
            self.folder.recent().entry_keys(&range).into_iter().collect()
        } else {
            HashMap::new()
        };
        // What a tree still has and is gone counts for nothing, or a limit of such rows would hide those behind them.
        let is_deleted = |key: &[u8]| match written.and_then(|rows| rows.get(key)) {
            Some(change) => change.value.is_none(),
            None => recent.get(key) == Some(&false),
        };
        let mut keys = BTreeSet::new();
        for row in on_disk {
            if keys.len() >= limit {
                break;
            }
            let key = row.key().map_err(failed)?.to_vec();
            if !is_deleted(&key) {
                keys.insert(key);
            }
        }
        keys.extend(recent.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key));
        if let Some((_, rows)) = self.written.get(&(space as usize)) {
            for (key, change) in rows.iter().filter(|(key, _)| range.contains(*key)) {
                match change.value {
                    Some(_) => keys.insert(key.clone()),
                    None => keys.remove(key),
                };
            }
        }
        Ok(keys)
    }

    fn keys_of(&self, space: Space, device: &DeviceId) -> Result<BTreeSet<Vec<u8>>, StorageError> {
        self.first_keys_of(space, device, usize::MAX)
    }

    fn first_keys_of(
        &self,
        space: Space,
        device: &DeviceId,
        limit: usize,
    ) -> Result<BTreeSet<Vec<u8>>, StorageError> {
        // No key behind a device's id is longer than 32 bytes.
        let last = [device.as_bytes(), [0xff; 33].as_slice()].concat();
        self.keys_up_to(space, device.as_bytes().to_vec()..=last, limit)
    }

    pub(crate) fn apply(&mut self, operation: Op) -> Result<Outcome, StorageError> {
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
                if let Some(row) = self.get(Space::Accounts, account.as_bytes())? {
                    let first = self.list(&account, 1)?;
                    let mut reader = Reader::new(&row);
                    reader.u64()?;
                    let claim: proto::SignedBytes = record::message(&reader.rest())?;
                    let same = first.as_ref() == Some(&list) && claim == handle_claim;
                    return Ok(if same { Outcome::Done } else { Outcome::Conflict });
                }
                let handle_mark = Mark::of_handle(&handle, account);
                let handle = handle.as_str().as_bytes().to_vec();
                if self.has(Space::Handles, &handle)? {
                    return Ok(Outcome::HandleTaken);
                }
                self.mark(&Mark::of_list(account, 1, &list));
                self.mark(&handle_mark);
                self.put(Space::Handles, handle, account.0);
                let row = record::account_row(1, &handle_claim);
                self.put(Space::Accounts, account.as_bytes().to_vec(), row);
                self.put(Space::Lists, list_key(&account, 1), list.encode_to_vec());
                self.finish_removal(&device)?;
                let row = record::mailbox_row(&account, &mailbox_key, mailbox_key_made_at_ms);
                self.put(Space::Mailboxes, device.as_bytes().to_vec(), row);
                Ok(Outcome::Done)
            }
            Op::PutList { account, version, list, added, removed } => {
                self.put_list(account, version, &list, &added, &removed)
            }
            Op::PutHandleClaim { account, handle, handle_claim } => {
                self.put_handle_claim(&account, &handle, &handle_claim)
            }
            Op::MoveHandle { handle, from, to, handle_claim, version } => {
                self.move_handle(&handle, &from, &to, &handle_claim, version)
            }
            Op::PutMailboxKey { device, key, made_at_ms } => {
                let Some(row) = self.get(Space::Mailboxes, device.as_bytes())? else {
                    return Ok(Outcome::Gone);
                };
                let known = record::mailbox(&row)?;
                if known.key.is_empty() || made_at_ms > known.key_made_at_ms {
                    let row = record::mailbox_row(&known.account, &key, made_at_ms);
                    self.put(Space::Mailboxes, device.as_bytes().to_vec(), row);
                }
                Ok(Outcome::Done)
            }
            Op::PutPush { device, subscription, day } => {
                if !self.has(Space::Mailboxes, device.as_bytes())? {
                    return Ok(Outcome::Gone);
                }
                if let Some(row) = self.get(Space::Pushes, device.as_bytes())? {
                    let (since, kept) = record::push(&row)?;
                    if kept == subscription && !since.is_over(PUSH_RENEW_DAYS, day) {
                        return Ok(Outcome::Done);
                    }
                }
                let row = record::push_row(day, &subscription);
                self.put(Space::Pushes, device.as_bytes().to_vec(), row);
                Ok(Outcome::Done)
            }
            Op::DeletePush { device, only } => {
                if let Some(row) = self.get(Space::Pushes, device.as_bytes())? {
                    let (_, kept) = record::push(&row)?;
                    if only.is_none_or(|only| only == kept) {
                        self.delete(Space::Pushes, device.as_bytes().to_vec());
                    }
                }
                Ok(Outcome::Done)
            }
            Op::PutDispute { account, device, dispute } => {
                if !self.has(Space::Accounts, account.as_bytes())? {
                    return Ok(Outcome::Conflict);
                }
                let key = [account.as_bytes(), device.as_bytes()].concat();
                if !self.has(Space::Disputes, &key)? {
                    self.put(Space::Disputes, key, dispute.encode_to_vec());
                }
                Ok(Outcome::Done)
            }
            Op::PutTokens { device, hashes, of_key_packages } => {
                if !self.has(Space::Mailboxes, device.as_bytes())? {
                    return Ok(Outcome::Gone);
                }
                let mut kept = self.keys_of(Space::DeviceTokens, &device)?.len();
                for hash in &hashes {
                    kept += usize::from(!self.has(Space::Tokens, hash.as_bytes())?);
                }
                if kept > TOKENS {
                    return Ok(Outcome::TooMany);
                }
                let record = TokenRecord { device, of_key_package: of_key_packages };
                for hash in hashes {
                    let row = record::token_row(&record);
                    match self.get(Space::Tokens, hash.as_bytes())? {
                        None => {
                            self.put(Space::Tokens, hash.as_bytes().to_vec(), row);
                            let key = [device.as_bytes(), hash.as_bytes()].concat();
                            self.put(Space::DeviceTokens, key, []);
                        }
                        // Its room was accepted: it is a stranger's no more.
                        Some(kept) => {
                            let kept = record::token(&kept)?;
                            if kept.device == device && kept.of_key_package && !of_key_packages {
                                self.put(Space::Tokens, hash.as_bytes().to_vec(), row);
                            }
                        }
                    }
                }
                Ok(Outcome::Done)
            }
            Op::DeleteTokens { device, hashes } => {
                for hash in hashes {
                    let key = [device.as_bytes(), hash.as_bytes()].concat();
                    if self.has(Space::DeviceTokens, &key)? {
                        self.delete(Space::DeviceTokens, key);
                        self.delete(Space::Tokens, hash.as_bytes().to_vec());
                    }
                }
                Ok(Outcome::Done)
            }
            Op::PutKeyPackages { device, single_use, last_resort, renew, day } => {
                self.put_key_packages(&device, &single_use, &last_resort, renew, day)
            }
            Op::TakeKeyPackages { devices } => {
                let taken = devices.iter().map(|device| self.take(device));
                Ok(Outcome::Taken(taken.collect::<Result<_, _>>()?))
            }
            Op::FoundRoom { room, key_check, roster, day } => {
                self.found_room(room, key_check, roster, day)
            }
            Op::TouchRoom { room, day } => {
                if let Some(head) = self.beginning(Space::Rooms, &room.0)? {
                    let moved = Reader::new(&head).u64()? > 0;
                    self.put(Space::RoomDays, room.0.to_vec(), record::room_day_row(day, moved));
                }
                Ok(Outcome::Done)
            }
            Op::NoteSweep { day } => {
                self.put(Space::About, SWEPT.to_vec(), day.0.to_be_bytes());
                Ok(Outcome::Done)
            }
            Op::MoveRoom(change) => self.move_room(*change),
            Op::PutHourKey(record) => {
                let key = [record.device.as_bytes(), record.id.as_bytes()].concat();
                self.put(Space::HourKeys, key, record::hour_key_row(&record));
                Ok(Outcome::Done)
            }
            Op::Append { head: (room, epoch), append } => {
                let head = self.beginning(Space::Rooms, &room.0)?;
                let head = head.map(|row| Reader::new(&row).u64()).transpose()?;
                if head != Some(epoch) {
                    return Ok(Outcome::Stale(head));
                }
                Ok(Outcome::Appended(self.append(append)?))
            }
            Op::Acknowledge { device, up_to, releases } => {
                self.acknowledge(&device, up_to, &releases)?;
                Ok(Outcome::Done)
            }
        }
    }

    pub(crate) fn list(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<Option<proto::SignedList>, StorageError> {
        let row = self.get(Space::Lists, &list_key(account, version))?;
        row.map(|row| record::message(&row)).transpose()
    }

    pub(crate) fn mark(&mut self, mark: &Mark) {
        self.put(Space::Marks, mark.to_key(), mark.value);
    }

    fn put_handle_claim(
        &mut self,
        account: &AccountId,
        handle: &Handle,
        claim: &proto::SignedBytes,
    ) -> Result<Outcome, StorageError> {
        let holder = self.get(Space::Handles, handle.as_str().as_bytes())?;
        let Some(row) = self.get(Space::Accounts, account.as_bytes())? else {
            return Ok(Outcome::Conflict);
        };
        if holder.is_none_or(|holder| *holder != account.0) {
            return Ok(Outcome::Conflict);
        }
        let versions = Reader::new(&row).u64()?;
        let row = record::account_row(versions, claim);
        self.put(Space::Accounts, account.as_bytes().to_vec(), row);
        Ok(Outcome::Done)
    }

    fn move_handle(
        &mut self,
        handle: &Handle,
        from: &AccountId,
        to: &AccountId,
        claim: &proto::SignedBytes,
        version: u64,
    ) -> Result<Outcome, StorageError> {
        let name = handle.as_str().as_bytes().to_vec();
        let holder = self.get(Space::Handles, &name)?;
        if holder.as_ref().is_some_and(|holder| **holder == to.0) {
            return Ok(Outcome::Done);
        }
        let old = self.get(Space::Accounts, from.as_bytes())?;
        let new = self.get(Space::Accounts, to.as_bytes())?;
        let (Some(old), Some(new), true) =
            (old, new, holder.is_some_and(|holder| *holder == from.0))
        else {
            return Ok(Outcome::Conflict);
        };
        self.mark(&Mark::of_moved_handle(handle, *to, version));
        self.put(Space::Handles, name, to.0);
        let none = proto::SignedBytes::default();
        for (account, row, claim) in [(from, old, &none), (to, new, claim)] {
            let row = record::account_row(Reader::new(&row).u64()?, claim);
            self.put(Space::Accounts, account.as_bytes().to_vec(), row);
        }
        Ok(Outcome::Done)
    }

    fn put_list(
        &mut self,
        account: AccountId,
        version: u64,
        list: &proto::SignedList,
        added: &[DeviceId],
        removed: &[DeviceId],
    ) -> Result<Outcome, StorageError> {
        let Some(row) = self.get(Space::Accounts, account.as_bytes())? else {
            return Ok(Outcome::Conflict);
        };
        let mut reader = Reader::new(&row);
        let newest = reader.u64()?;
        let claim: proto::SignedBytes = record::message(&reader.rest())?;
        if newest == version && self.list(&account, version)?.as_ref() == Some(list) {
            return Ok(Outcome::Done);
        }
        if newest.checked_add(1) != Some(version) {
            return Ok(Outcome::Conflict);
        }
        self.mark(&Mark::of_list(account, version, list));
        let row = record::account_row(version, &claim);
        self.put(Space::Accounts, account.as_bytes().to_vec(), row);
        self.put(Space::Lists, list_key(&account, version), list.encode_to_vec());
        for device in added {
            if !self.has(Space::Mailboxes, device.as_bytes())? {
                self.finish_removal(device)?;
                let row = record::mailbox_row(&account, &[], 0);
                self.put(Space::Mailboxes, device.as_bytes().to_vec(), row);
            }
        }
        for device in removed {
            self.remove_device(device)?;
        }
        Ok(Outcome::Done)
    }

    /// Without its mailbox a device is gone for everybody. What it had may be a lot: what is not deleted here is by
    /// the next sweep.
    fn remove_device(&mut self, device: &DeviceId) -> Result<(), StorageError> {
        for space in [Space::Mailboxes, Space::Cursors, Space::LastResort, Space::Pushes] {
            self.delete(space, device.as_bytes().to_vec());
        }
        if self.remove_rows(device)? > 0 {
            self.put(Space::Removed, device.as_bytes().to_vec(), []);
        }
        Ok(())
    }

    /// A removed device that comes back finds nothing of what it had.
    fn finish_removal(&mut self, device: &DeviceId) -> Result<(), StorageError> {
        if self.has(Space::Removed, device.as_bytes())? {
            while self.remove_rows(device)? > 0 {}
            self.delete(Space::Removed, device.as_bytes().to_vec());
        }
        Ok(())
    }

    /// Deletes rows of a removed device, not more than a commit should hold. Returns how many; none were left when it
    /// is none.
    pub(crate) fn remove_rows(&mut self, device: &DeviceId) -> Result<u64, StorageError> {
        let mut gone = 0;
        for space in [Space::DeviceTokens, Space::Entries, Space::HourKeys, Space::KeyPackages] {
            for key in self.first_keys_of(space, device, REMOVED_ROWS)? {
                if space == Space::DeviceTokens {
                    let hash = key.get(DeviceId::LENGTH..).unwrap_or_default().to_vec();
                    self.delete(Space::Tokens, hash);
                }
                self.delete(space, key);
                gone += 1;
            }
        }
        Ok(gone)
    }

    fn put_key_packages(
        &mut self,
        device: &DeviceId,
        single_use: &[Bytes],
        last_resort: &[u8],
        renew: bool,
        day: Day,
    ) -> Result<Outcome, StorageError> {
        if !self.has(Space::Mailboxes, device.as_bytes())? {
            return Ok(Outcome::Gone);
        }
        let key_of =
            |package: &Bytes| [device.as_bytes(), Sha256::digest(package).as_slice()].concat();
        if renew {
            let these: BTreeSet<Vec<u8>> = single_use.iter().map(key_of).collect();
            for old in self.keys_of(Space::KeyPackages, device)?.difference(&these) {
                self.delete(Space::KeyPackages, old.clone());
            }
        }
        let mut kept = self.keys_of(Space::KeyPackages, device)?.len();
        for package in single_use {
            let key = key_of(package);
            if kept < KEY_PACKAGES && !self.has(Space::SeenPackages, &key)? {
                kept += 1;
                self.put(Space::SeenPackages, key.clone(), day.0.to_be_bytes());
                self.put(Space::KeyPackages, key, package.as_ref());
            }
        }
        if !last_resort.is_empty() {
            self.put(Space::LastResort, device.as_bytes().to_vec(), last_resort);
        }
        Ok(Outcome::Done)
    }

    fn take(&mut self, device: &DeviceId) -> Result<Option<Taken>, StorageError> {
        if let Some(key) = self.keys_of(Space::KeyPackages, device)?.pop_first()
            && let Some(package) = self.get(Space::KeyPackages, &key)?
        {
            self.delete(Space::KeyPackages, key);
            let key_package = Bytes::copy_from_slice(&package);
            return Ok(Some(Taken { key_package, last_resort: false }));
        }
        let last = self.get(Space::LastResort, device.as_bytes())?;
        Ok(last.map(|package| Taken {
            key_package: Bytes::copy_from_slice(&package),
            last_resort: true,
        }))
    }

    fn room(&self, room: &RoomName) -> Result<Option<RoomRecord>, StorageError> {
        self.get(Space::Rooms, &room.0)?.map(|row| record::room(&row)).transpose()
    }

    fn past(&self, room: &RoomName, epoch: u64) -> Result<Option<EpochRecord>, StorageError> {
        let row = self.get(Space::Epochs, &epoch_key(room, epoch))?;
        row.map(|row| record::epoch(epoch, &row)).transpose()
    }

    fn found_room(
        &mut self,
        room: RoomName,
        key_check: [u8; 32],
        roster: Bytes,
        day: Day,
    ) -> Result<Outcome, StorageError> {
        let first = match self.room(&room)? {
            None => {
                let record = RoomRecord { epoch: 0, key_check, roster, day };
                self.put(Space::Rooms, room.0.to_vec(), record::room_row(&record));
                self.put(Space::RoomDays, room.0.to_vec(), record::room_day_row(day, false));
                return Ok(Outcome::Done);
            }
            Some(head) if head.epoch == 0 => Some((head.key_check, head.roster)),
            Some(_) => self.past(&room, 0)?.map(|past| (past.key_check, past.roster)),
        };
        let same = first == Some((key_check, roster));
        Ok(if same { Outcome::Done } else { Outcome::Conflict })
    }

    fn move_room(&mut self, change: MoveRoom) -> Result<Outcome, StorageError> {
        let Some(head) = self.room(&change.room)? else { return Ok(Outcome::Stale(None)) };
        if head.epoch == change.epoch {
            let past = EpochRecord {
                epoch: change.epoch,
                key_check: head.key_check,
                roster: head.roster,
                commit_id: change.commit_id,
                commit: change.commit,
                day: change.day,
            };
            let next = RoomRecord {
                epoch: change.epoch.saturating_add(1),
                key_check: change.next_key_check,
                roster: change.next_roster,
                day: change.day,
            };
            let key = epoch_key(&change.room, change.epoch);
            self.put(Space::Epochs, key, record::epoch_row(&past));
            self.put(Space::Rooms, change.room.0.to_vec(), record::room_row(&next));
            let day = record::room_day_row(change.day, true);
            self.put(Space::RoomDays, change.room.0.to_vec(), day);
        } else {
            let past = self.past(&change.room, change.epoch)?;
            if past.is_none_or(|past| past.commit_id != change.commit_id) {
                return Ok(Outcome::Stale(Some(head.epoch)));
            }
        }
        let appends = change.appends.into_iter().map(|append| self.append(append));
        Ok(Outcome::Moved(appends.collect::<Result<_, _>>()?))
    }

    fn append(&mut self, append: Append) -> Result<Vec<Delivered>, StorageError> {
        if self.has(Space::Once, &append.once)? {
            return Ok(vec![Delivered::Before; append.entries.len()]);
        }
        self.put_new(Space::Once, append.once.to_vec(), append.day.0.to_be_bytes());
        let mut shares = 0;
        let mut delivered = Vec::with_capacity(append.entries.len());
        for entry in append.entries {
            if !self.has(Space::Mailboxes, entry.device.as_bytes())? {
                delivered.push(Delivered::Nowhere);
                continue;
            }
            let key = entry_key(&entry.device, entry.sequence).to_vec();
            self.put_new(Space::Entries, key, record::entry_row(&entry.record));
            shares += 1;
            delivered.push(Delivered::Now);
        }
        if shares > 0 {
            let row = record::share_row(shares, append.day);
            self.put_new(Space::Shares, append.body_name.to_vec(), row);
            self.put_new(Space::Bodies, append.body_name.to_vec(), append.body.as_ref());
        }
        Ok(delivered)
    }

    fn acknowledge(
        &mut self,
        device: &DeviceId,
        up_to: u64,
        releases: &[(u64, BodyId)],
    ) -> Result<(), StorageError> {
        if !self.has(Space::Mailboxes, device.as_bytes())? {
            return Ok(());
        }
        let mut cursor = self.cursor(device.as_bytes())?;
        for (sequence, body) in releases.iter().filter(|(sequence, _)| *sequence <= up_to) {
            let key = entry_key(device, *sequence).to_vec();
            let Some(row) = self.get(Space::Entries, &key)? else { continue };
            let entry = record::entry(&row)?;
            if release_check(body, &entry.salt) == entry.release_check {
                self.release(body_disk_name(body))?;
            }
            self.delete(Space::Entries, key);
        }
        if up_to <= cursor.acknowledged {
            return Ok(());
        }
        let first = cursor.acknowledged.saturating_add(1);
        cursor.acknowledged = up_to;
        cursor.floor = cursor.floor.max(up_to);
        self.put(Space::Cursors, device.as_bytes().to_vec(), cursor.to_row());
        if up_to - first < NAMED_SEQUENCES {
            for sequence in first..=up_to {
                let key = entry_key(device, sequence).to_vec();
                if self.has(Space::Entries, &key)? {
                    self.delete(Space::Entries, key);
                }
            }
        } else {
            let range = entry_key(device, first).to_vec()..=entry_key(device, up_to).to_vec();
            for key in self.keys(Space::Entries, range)? {
                self.delete(Space::Entries, key);
            }
        }
        Ok(())
    }

    fn release(&mut self, body_name: [u8; 32]) -> Result<(), StorageError> {
        let Some(row) = self.get(Space::Shares, &body_name)? else { return Ok(()) };
        let mut reader = Reader::new(&row);
        let (shares, day) = (reader.u32()?, reader.day()?);
        match shares.checked_sub(1) {
            Some(left) if left > 0 => {
                self.put(Space::Shares, body_name.to_vec(), record::share_row(left, day));
            }
            _ => {
                self.delete(Space::Shares, body_name.to_vec());
                self.delete(Space::Bodies, body_name.to_vec());
            }
        }
        Ok(())
    }
}

fn list_key(account: &AccountId, version: u64) -> Vec<u8> {
    [account.as_bytes(), &version.to_be_bytes()].concat()
}

fn epoch_key(room: &RoomName, epoch: u64) -> Vec<u8> {
    [room.0.as_slice(), &epoch.to_be_bytes()].concat()
}
