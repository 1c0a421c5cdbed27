// SPDX-License-Identifier: AGPL-3.0-or-later
//! Deletes what is older than its time, in small commits between which the writer goes on.

use nodoor_server::storage::{Day, StorageError};
use nodoor_wire::{
    id::DeviceId,
    limits::{KEEP_DAYS, ONCE_DAYS},
};

use crate::{
    folder::{Folder, failed},
    group::Group,
    keyspace::Space,
    read::sequence_of,
    record::{self, Reader},
};

/// Rows that one commit deletes.
const ROWS: usize = 1000;

/// How many rows went.
pub(crate) fn sweep(folder: &Folder, today: Day) -> Result<u64, StorageError> {
    // Entries expire with their hour key, so they carry no time of their own.
    let mut gone = over(folder, Space::HourKeys, KEEP_DAYS, today, 0, |group, key| {
        expire_entries(group, key)
    })?;
    gone += over(folder, Space::Shares, KEEP_DAYS, today, 4, |group, name| {
        group.delete(Space::Bodies, name.to_vec());
        Ok(1)
    })?;
    for (space, days) in
        [(Space::Epochs, KEEP_DAYS), (Space::SeenPackages, KEEP_DAYS), (Space::Once, ONCE_DAYS)]
    {
        gone += over(folder, space, days, today, 0, |_, _| Ok(0))?;
    }
    Ok(gone)
}

/// Deletes the rows of a keyspace whose day, `at` bytes into the value, is over; `with` deletes what hangs on each.
fn over(
    folder: &Folder,
    space: Space,
    days: u64,
    today: Day,
    at: usize,
    with: impl Fn(&mut Group<'_>, &[u8]) -> Result<u64, StorageError>,
) -> Result<u64, StorageError> {
    let mut gone = 0;
    let mut old = Vec::new();
    let mut flush = |old: &mut Vec<Vec<u8>>| {
        // While the lock is held nobody else writes.
        let mut written = folder.write();
        let mut group = Group::new(folder);
        for key in old.drain(..) {
            // It may have gone since it was seen.
            if group.get(space, &key)?.is_some() {
                gone += 1 + with(&mut group, &key)?;
                group.delete(space, key);
            }
        }
        folder.persist(&mut written, group)
    };
    let rows = folder.spaces().of(space).map_err(failed)?.iter();
    for row in rows {
        let (key, value) = row.into_inner().map_err(failed)?;
        let day = Reader::new(value.get(at..).unwrap_or_default()).day()?;
        if day.is_over(days, today) {
            old.push(key.to_vec());
        }
        if old.len() >= ROWS {
            flush(&mut old)?;
        }
    }
    flush(&mut old)?;
    Ok(gone)
}

/// The entries under an hour key. Their highest sequence is kept, so that none is used again.
fn expire_entries(group: &mut Group<'_>, hour_key: &[u8]) -> Result<u64, StorageError> {
    let (device, key_id) = hour_key.split_at_checked(DeviceId::LENGTH).unwrap_or_default();
    let last = [device, [0xff; 9].as_slice()].concat();
    let mut gone = 0;
    let mut cursor = group.cursor(device)?;
    for key in group.keys(Space::Entries, device.to_vec()..=last)? {
        let Some(row) = group.get(Space::Entries, &key)? else { continue };
        if record::entry(&row)?.key_id.as_bytes() == key_id {
            cursor.floor = cursor.floor.max(sequence_of(&key)?);
            group.delete(Space::Entries, key);
            gone += 1;
        }
    }
    if gone > 0 {
        group.put(Space::Cursors, device.to_vec(), cursor.to_row());
    }
    Ok(gone)
}
