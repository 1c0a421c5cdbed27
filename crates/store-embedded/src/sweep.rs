// SPDX-License-Identifier: AGPL-3.0-or-later
//! Deletes what is older than its time, in small commits between which the writer goes on.

use std::collections::BTreeSet;

use nodoor_server::storage::{Day, StorageError};
use nodoor_wire::{
    id::{DeviceId, HourKeyId},
    limits::{IDLE_DAYS, KEEP_DAYS, ONCE_DAYS, PUSH_DAYS, UNMOVED_DAYS},
};

use crate::{
    folder::{Folder, failed},
    group::Group,
    keyspace::Space,
    read::{entry_key, sequence_of},
    record::{self, Reader},
};

/// Rows that one commit deletes.
const ROWS: usize = 1000;

/// How many rows went.
pub(crate) fn sweep(folder: &Folder, today: Day) -> Result<u64, StorageError> {
    let mut gone = removed_devices(folder)?;
    // Entries expire with their hour key, so they carry no time of their own; and before it, so that none is left
    // behind that nobody can date.
    let mut swept = BTreeSet::new();
    for row in folder.spaces().of(Space::HourKeys).map_err(failed)?.iter() {
        let (key, value) = row.into_inner().map_err(failed)?;
        let device = record::device(&key)?;
        if Reader::new(&value).day()?.is_over(KEEP_DAYS, today) && swept.insert(device) {
            gone += entries(folder, device, today)?;
        }
    }
    let keep = |_: &[u8]| KEEP_DAYS;
    gone += over(folder, Space::HourKeys, today, 0, keep, |_, _| Ok(0))?;
    gone += over(folder, Space::Shares, today, 4, keep, |group, name| {
        group.delete(Space::Bodies, name.to_vec());
        Ok(1)
    })?;
    for space in [Space::Epochs, Space::SeenPackages] {
        gone += over(folder, space, today, 0, keep, |_, _| Ok(0))?;
    }
    gone += over(folder, Space::Once, today, 0, |_| ONCE_DAYS, |_, _| Ok(0))?;
    gone += over(folder, Space::Pushes, today, 0, |_| PUSH_DAYS, |_, _| Ok(0))?;
    let days_of_room = |row: &[u8]| if row.last() == Some(&0) { UNMOVED_DAYS } else { IDLE_DAYS };
    gone += over(folder, Space::RoomDays, today, 0, days_of_room, |group, name| {
        group.delete(Space::Rooms, name.to_vec());
        Ok(0)
    })?;
    Ok(gone)
}

/// Deletes the rows of a keyspace whose day, `at` bytes into the value, is over; `with` deletes what hangs on each.
fn over(
    folder: &Folder,
    space: Space,
    today: Day,
    at: usize,
    days: impl Fn(&[u8]) -> u64,
    with: impl Fn(&mut Group<'_>, &[u8]) -> Result<u64, StorageError>,
) -> Result<u64, StorageError> {
    let mut gone = 0;
    let mut old = Vec::new();
    let is_over = |row: &[u8]| {
        let day = Reader::new(row.get(at..).unwrap_or_default()).day()?;
        Ok::<_, StorageError>(day.is_over(days(row), today))
    };
    let mut flush = |old: &mut Vec<Vec<u8>>| {
        // While the lock is held nobody else writes.
        let mut written = folder.write();
        let mut group = Group::new(folder);
        for key in old.drain(..) {
            // It may have gone since it was seen, or have been used.
            let Some(row) = group.get(space, &key)? else { continue };
            if is_over(&row)? {
                gone += 1 + with(&mut group, &key)?;
                group.delete(space, key);
            }
        }
        folder.persist(&mut written, group)
    };
    let rows = folder.spaces().of(space).map_err(failed)?.iter();
    for row in rows {
        let (key, value) = row.into_inner().map_err(failed)?;
        if is_over(&value)? {
            old.push(key.to_vec());
        }
        if old.len() >= ROWS {
            flush(&mut old)?;
        }
    }
    flush(&mut old)?;
    Ok(gone)
}

/// Deletes the entries of a mailbox whose hour key is over or gone. Hour keys follow one another as sequences do, so
/// they are the oldest ones: it stops at the first other entry, and never reads what stays. Their highest sequence is
/// kept, so that none is used again.
fn entries(folder: &Folder, device: DeviceId, today: Day) -> Result<u64, StorageError> {
    let mut gone = 0;
    let mut first = 0;
    loop {
        let mut written = folder.write();
        let mut group = Group::new(folder);
        let mut cursor = group.cursor(device.as_bytes())?;
        let mut known: Option<(HourKeyId, bool)> = None;
        let mut seen = 0;
        let range = entry_key(&device, first)..=entry_key(&device, u64::MAX);
        for row in folder.spaces().of(Space::Entries).map_err(failed)?.range(range).take(ROWS) {
            let key = row.key().map_err(failed)?;
            first = sequence_of(&key)?.saturating_add(1);
            seen += 1;
            // What was acknowledged since it came to its tree.
            let Some(row) = group.get(Space::Entries, &key)? else { continue };
            let key_id = record::entry(&row)?.key_id;
            let is_over = match known {
                Some((id, is_over)) if id == key_id => is_over,
                _ => hour_is_over(&group, device, key_id, today)?,
            };
            known = Some((key_id, is_over));
            if !is_over {
                seen = 0;
                break;
            }
            cursor.floor = cursor.floor.max(first.saturating_sub(1));
            group.delete(Space::Entries, key.to_vec());
            gone += 1;
        }
        if !group.is_empty() {
            group.put(Space::Cursors, device.as_bytes().to_vec(), cursor.to_row());
        }
        folder.persist(&mut written, group)?;
        if seen < ROWS {
            return Ok(gone);
        }
    }
}

fn hour_is_over(
    group: &Group<'_>,
    device: DeviceId,
    id: HourKeyId,
    today: Day,
) -> Result<bool, StorageError> {
    let key = [device.as_bytes(), id.as_bytes()].concat();
    let row = group.get(Space::HourKeys, &key)?;
    let day = row.map(|row| Reader::new(&row).day()).transpose()?;
    Ok(day.is_none_or(|day| day.is_over(KEEP_DAYS, today)))
}

/// Goes on deleting what removed devices had.
fn removed_devices(folder: &Folder) -> Result<u64, StorageError> {
    let mut gone = 0;
    for row in folder.spaces().of(Space::Removed).map_err(failed)?.iter() {
        let device = record::device(&row.key().map_err(failed)?)?;
        loop {
            let mut written = folder.write();
            let mut group = Group::new(folder);
            // It may have come back, and found nothing.
            if group.get(Space::Removed, device.as_bytes())?.is_none() {
                break;
            }
            let rows = group.remove_rows(&device)?;
            if rows == 0 {
                group.delete(Space::Removed, device.as_bytes().to_vec());
            }
            folder.persist(&mut written, group)?;
            gone += rows;
        }
    }
    Ok(gone)
}
