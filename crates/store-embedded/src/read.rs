// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the server reads. Each answer is of one moment: where it takes several rows, from a snapshot.

use std::collections::btree_map;

use bytes::Bytes;
use fjall::{Readable as _, Slice};
use nodoor_server::storage::{
    AccountRecord, Accounts, Answer, EntryRecord, EpochRecord, KeyPackages, MailboxRecord,
    Mailboxes, RoomName, RoomRecord, Rooms, StorageError, Taken, TokenRecord, Tokens,
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, BodyId, DeviceId, HourKeyId, TokenHash},
    limits::KEY_PACKAGES,
    sealed::body_disk_name,
};

use crate::{
    cache::is_cached,
    folder::{Folder, failed},
    keyspace::Space,
    recent::is_logged,
    record::{self, Cursor, Reader},
};

impl Folder {
    /// A row as it is now: what was committed lately lies over what is in the trees.
    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, StorageError> {
        if is_logged(space)
            && let Some(value) = self.recent().get(space, key)
        {
            return Ok(value);
        }
        self.spaces().of(space).and_then(|space| space.get(key)).map_err(failed)
    }

    /// A row of which the cache keeps the beginning: that, or all of it.
    pub(crate) fn get_cached(
        &self,
        space: Space,
        key: &[u8],
    ) -> Result<Option<Slice>, StorageError> {
        if !is_cached(space) {
            return self.get(space, key);
        }
        match self.cache().get(space, key) {
            Ok(row) => Ok(Some(row)),
            Err(commits) => {
                let row = self.get(space, key)?;
                if let Some(row) = &row {
                    self.cache().keep(space, key, row, commits);
                }
                Ok(row)
            }
        }
    }

    fn account_now(&self, account: AccountId) -> Result<Option<AccountRecord>, StorageError> {
        let snapshot = self.database().snapshot();
        let spaces = self.spaces();
        let accounts = spaces.of(Space::Accounts).map_err(failed)?;
        let Some(row) = snapshot.get(accounts, account.as_bytes()).map_err(failed)? else {
            return Ok(None);
        };
        let mut reader = Reader::new(&row);
        let versions = reader.u64()?;
        let handle_claim = record::message(&reader.rest())?;
        let mut lists = Vec::new();
        for list in snapshot.prefix(spaces.of(Space::Lists).map_err(failed)?, account.as_bytes()) {
            lists.push(record::message(&list.value().map_err(failed)?)?);
        }
        if lists.len() as u64 != versions {
            return Err(StorageError::Damaged("an account lacks a list"));
        }
        let mut disputes = Vec::new();
        for dispute in
            snapshot.prefix(spaces.of(Space::Disputes).map_err(failed)?, account.as_bytes())
        {
            disputes.push(record::message(&dispute.value().map_err(failed)?)?);
        }
        Ok(Some(AccountRecord { lists, handle_claim, disputes }))
    }

    fn mailbox_now(&self, device: DeviceId) -> Result<Option<MailboxRecord>, StorageError> {
        let Some(row) = self.get(Space::Mailboxes, device.as_bytes())? else { return Ok(None) };
        let mut mailbox = record::mailbox(&row)?;
        let cursor = Cursor::read(self.get(Space::Cursors, device.as_bytes())?)?;
        mailbox.acknowledged = cursor.acknowledged;
        mailbox.done = cursor.floor;
        // Here before there: an entry that settles meanwhile is in both.
        let recent = self.recent().last_entry(&device).unwrap_or(0);
        let entries = self.spaces().of(Space::Entries).map_err(failed)?;
        let last = entries.prefix(device.as_bytes()).next_back();
        let last = last.map(|last| last.key()).transpose().map_err(failed)?;
        mailbox.last = last.map(|key| sequence_of(&key)).transpose()?.unwrap_or(0);
        mailbox.last = mailbox.last.max(recent).max(cursor.floor);
        Ok(Some(mailbox))
    }

    fn entries_now(
        &self,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, EntryRecord)>, StorageError> {
        let first = after.saturating_add(1);
        // Here before there: an entry that settles meanwhile is in both.
        let mut rows = self.recent().entries(&device, first, limit);
        let mut settled = 0;
        let entries = self.spaces().of(Space::Entries).map_err(failed)?;
        for entry in entries.range(entry_key(&device, first)..=entry_key(&device, u64::MAX)) {
            if settled == limit {
                break;
            }
            let (key, value) = entry.into_inner().map_err(failed)?;
            // What is known here of an entry is newer.
            if let btree_map::Entry::Vacant(place) = rows.entry(sequence_of(&key)?) {
                place.insert(Some(value));
                settled += 1;
            }
        }
        let rows = rows.into_iter().filter_map(|(sequence, row)| Some((sequence, row?)));
        rows.take(limit).map(|(sequence, row)| Ok((sequence, record::entry(&row)?))).collect()
    }

    fn room_now(&self, room: RoomName) -> Result<Option<RoomRecord>, StorageError> {
        let Some(row) = self.get(Space::Rooms, &room.0)? else { return Ok(None) };
        let mut record = record::room(&row)?;
        if let Some(day) = self.get(Space::RoomDays, &room.0)? {
            record.day = Reader::new(&day).day()?;
        }
        Ok(Some(record))
    }

    fn bodies_now(&self, ids: &[BodyId]) -> Result<Vec<Option<Bytes>>, StorageError> {
        ids.iter()
            .map(|id| {
                let body = self.get(Space::Bodies, &body_disk_name(id))?;
                Ok(body.map(|body| Bytes::copy_from_slice(&body)))
            })
            .collect()
    }
}

pub(crate) fn entry_key(device: &DeviceId, sequence: u64) -> [u8; 24] {
    let mut key = [0; 24];
    let bytes = device.as_bytes().iter().copied().chain(sequence.to_be_bytes());
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    key
}

pub(crate) fn sequence_of(entry_key: &[u8]) -> Result<u64, StorageError> {
    let mut reader = Reader::new(entry_key);
    let _device: [u8; 16] = reader.take()?;
    reader.u64()
}

fn now<T: Send + 'static>(answer: Result<T, StorageError>) -> Answer<'static, T> {
    Box::pin(std::future::ready(answer))
}

impl Accounts for Folder {
    fn account(&self, account: AccountId) -> Answer<'_, Option<AccountRecord>> {
        now(self.account_now(account))
    }

    fn handle(&self, handle: Handle) -> Answer<'_, Option<AccountId>> {
        let row = self.get(Space::Handles, handle.as_str().as_bytes());
        now(row.and_then(|row| row.map(|row| record::account(&row)).transpose()))
    }
}

impl Tokens for Folder {
    fn mailboxes_of(&self, hashes: Vec<TokenHash>) -> Answer<'_, Vec<Option<TokenRecord>>> {
        let find = |hash: &TokenHash| {
            let row = self.get_cached(Space::Tokens, hash.as_bytes())?;
            row.map(|row| record::token(&row)).transpose()
        };
        now(hashes.iter().map(find).collect())
    }
}

impl KeyPackages for Folder {
    fn key_packages_left(&self, device: DeviceId) -> Answer<'_, u32> {
        let count = |space: &fjall::Keyspace| {
            let kept = space.prefix(device.as_bytes()).take(KEY_PACKAGES).count();
            u32::try_from(kept).unwrap_or(u32::MAX)
        };
        now(self.spaces().of(Space::KeyPackages).map(count).map_err(failed))
    }

    fn last_resorts(&self, devices: Vec<DeviceId>) -> Answer<'_, Vec<Option<Taken>>> {
        let find = |device: &DeviceId| {
            let package = self.get(Space::LastResort, device.as_bytes())?;
            Ok(package.map(|package| Taken {
                key_package: Bytes::copy_from_slice(&package),
                last_resort: true,
            }))
        };
        now(devices.iter().map(find).collect())
    }
}

impl Mailboxes for Folder {
    fn mailbox(&self, device: DeviceId) -> Answer<'_, Option<MailboxRecord>> {
        now(self.mailbox_now(device))
    }

    fn entries(
        &self,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Answer<'_, Vec<(u64, EntryRecord)>> {
        now(self.entries_now(device, after, limit))
    }

    fn hour_key(&self, device: DeviceId, id: HourKeyId) -> Answer<'_, Option<Bytes>> {
        let key = [device.as_bytes(), id.as_bytes()].concat();
        now(self.get(Space::HourKeys, &key).and_then(|row| {
            row.map(|row| {
                let mut reader = Reader::new(&row);
                reader.day()?;
                Ok(reader.rest())
            })
            .transpose()
        }))
    }

    fn push(&self, device: DeviceId) -> Answer<'_, Option<Bytes>> {
        let row = self.get(Space::Pushes, device.as_bytes());
        now(row.and_then(|row| row.map(|row| Ok(record::push(&row)?.1)).transpose()))
    }

    fn bodies(&self, ids: Vec<BodyId>) -> Answer<'_, Vec<Option<Bytes>>> {
        now(self.bodies_now(&ids))
    }
}

impl Rooms for Folder {
    fn room(&self, room: RoomName) -> Answer<'_, Option<RoomRecord>> {
        now(self.room_now(room))
    }

    fn epoch(&self, room: RoomName, epoch: u64) -> Answer<'_, Option<EpochRecord>> {
        let key = [room.0.as_slice(), &epoch.to_be_bytes()].concat();
        let row = self.get(Space::Epochs, &key);
        now(row.and_then(|row| row.map(|row| record::epoch(epoch, &row)).transpose()))
    }
}
