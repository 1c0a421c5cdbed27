// SPDX-License-Identifier: AGPL-3.0-or-later
//! What was committed lately, in memory: rows that are mostly gone again before a tree would have sorted them in.
//!
//! Of a message that is read at once nothing stays but the memory that it was sent: its entries, body, share and cursors
//! change several times within a second. So what a group changes in these keyspaces goes to disk as one row of
//! [`Space::Log`], and into memory here. Only what is still there when the log has grown beyond its bound goes into the
//! keyspaces themselves, oldest first: it *settles*, in the batch of a later group, which deletes its log row.
//!
//! What survives a crash: a group's log row stands or does not, as all of the group. Whoever opens the folder settles every
//! log row that is there, in order, before anybody reads. Rows say what is, not what changed, so to settle twice is harmless.
//!
//! `folder` and `group` write here, under the writer's lock; `read` asks here before it asks a tree.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fjall::Slice;
use nodoor_server::storage::StorageError;
use nodoor_wire::id::DeviceId;

use crate::{
    keyspace::Space,
    read::{entry_key, sequence_of},
    record::Reader,
};

/// Log rows in memory and on disk, bytes: some ten thousand messages.
const LOG_BYTES: usize = 16 * 1024 * 1024;
/// What settles at once, at least. All rows of a batch carry one number in the engine's files, for as long as they live: a
/// batch of its own would join the entries of a message for ever, one of thousands of messages joins them to those.
const LOT_BYTES: usize = 4 * 1024 * 1024;
/// In a log: this row was put, its value follows.
const PUT: u8 = 0x80;

/// The rows.
#[derive(Default)]
pub(crate) struct Recent(Mutex<State>);

#[derive(Default)]
struct State {
    /// All but entries.
    rows: HashMap<(Space, Key), Row>,
    /// Entries, which are read in order.
    entries: HashMap<[u8; DeviceId::LENGTH], BTreeMap<u64, Row>>,
    logs: VecDeque<Log>,
    bytes: usize,
}

/// A key of up to 32 bytes, padded: those of one keyspace are of one length.
type Key = [u8; 32];

struct Row {
    /// Nothing: it was deleted, and a tree may still have it.
    value: Option<Slice>,
    /// The last log that speaks of it.
    log: u64,
    /// No tree has it.
    only_here: bool,
}

struct Log {
    number: u64,
    bytes: usize,
    keys: Vec<(Space, Vec<u8>)>,
}

/// What a group makes of one row.
pub(crate) struct Change {
    /// What it is now, or that it is gone.
    pub(crate) value: Option<Slice>,
    /// It was not there before this group.
    pub(crate) is_new: bool,
}

/// What leaves for the trees.
#[derive(Default)]
pub(crate) struct Settling {
    /// Rows, as they are now.
    pub(crate) rows: Vec<(Space, Vec<u8>, Option<Slice>)>,
    /// The logs that spoke of them.
    pub(crate) logs: Vec<u64>,
}

/// A row as whoever reads entries sees it: nothing for one that is gone.
pub(crate) type Seen = BTreeMap<u64, Option<Slice>>;

/// Whether rows of this keyspace come here first.
pub(crate) fn is_logged(space: Space) -> bool {
    place(space).is_some()
}

fn place(space: Space) -> Option<u8> {
    let place = LOGGED.iter().position(|(logged, _)| *logged == space)?;
    u8::try_from(place).ok()
}

/// The keyspaces that are logged, by their number in the log, and the bytes of their keys.
const LOGGED: [(Space, usize); 5] = [
    (Space::Entries, 24),
    (Space::Bodies, 32),
    (Space::Shares, 32),
    (Space::Once, 32),
    (Space::Cursors, 16),
];

impl Recent {
    /// What is known here of a row: its value, that it is gone, or nothing at all.
    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Option<Option<Slice>> {
        self.state().row(space, key).map(|row| row.value.clone())
    }

    /// What is known here of a mailbox's entries from a sequence on, until `limit` of them are there.
    pub(crate) fn entries(&self, device: &DeviceId, first: u64, limit: usize) -> Seen {
        let state = self.state();
        let mut seen = Seen::new();
        let mut there = 0;
        for (sequence, row) in state.entries.get(&device.0).iter().flat_map(|of| of.range(first..))
        {
            seen.insert(*sequence, row.value.clone());
            there += usize::from(row.value.is_some());
            if there == limit {
                break;
            }
        }
        seen
    }

    /// The keys of entries in a range that are known here, and whether each is there. The range is within one mailbox.
    pub(crate) fn entry_keys(&self, range: &RangeInclusive<Vec<u8>>) -> Vec<(Vec<u8>, bool)> {
        let state = self.state();
        let Some(device) = range.start().first_chunk() else { return Vec::new() };
        let rows = state.entries.get(device).into_iter().flatten();
        rows.map(|(sequence, row)| {
            let key = entry_key(&DeviceId(*device), *sequence).to_vec();
            (key, row.value.is_some())
        })
        .filter(|(key, _)| range.contains(key))
        .collect()
    }

    /// The highest sequence of a mailbox that is known here.
    pub(crate) fn last_entry(&self, device: &DeviceId) -> Option<u64> {
        self.state().entries.get(&device.0)?.last_key_value().map(|(sequence, _)| *sequence)
    }

    /// What has to leave before a log of so many bytes comes.
    pub(crate) fn settling(&self, coming: usize) -> Settling {
        let state = self.state();
        let mut settling = Settling::default();
        let mut bytes = state.bytes.saturating_add(coming);
        if bytes <= LOG_BYTES {
            return settling;
        }
        for log in &state.logs {
            if bytes <= LOG_BYTES - LOT_BYTES {
                break;
            }
            bytes = bytes.saturating_sub(log.bytes);
            settling.logs.push(log.number);
            for (space, key) in &log.keys {
                // A later log speaks of it, or it has come and gone.
                if let Some(row) = state.row(*space, key)
                    && row.log == log.number
                {
                    // A copy of its own: what a tree holds would hold the whole log.
                    let value = row.value.as_ref().map(|value| Slice::from(value.as_ref()));
                    settling.rows.push((*space, key.clone(), value));
                }
            }
        }
        settling
    }

    /// A batch with these settled rows and this log is on disk.
    pub(crate) fn committed(
        &self,
        settled: &Settling,
        log: (u64, usize),
        changes: impl Iterator<Item = (Space, Vec<u8>, Change)>,
    ) {
        let mut state = self.state();
        for (space, key, _) in &settled.rows {
            state.remove(*space, key);
        }
        for _ in &settled.logs {
            if let Some(gone) = state.logs.pop_front() {
                state.bytes = state.bytes.saturating_sub(gone.bytes);
            }
        }
        let (number, bytes) = log;
        let mut keys = Vec::new();
        for (space, key, change) in changes {
            let only_here =
                change.is_new || state.row(space, &key).is_some_and(|row| row.only_here);
            if change.value.is_none() && only_here {
                state.remove(space, &key);
            } else {
                state.set(space, &key, Row { value: change.value, log: number, only_here });
                keys.push((space, key));
            }
        }
        if bytes > 0 {
            state.bytes = state.bytes.saturating_add(bytes);
            state.logs.push_back(Log { number, bytes, keys });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn row(&self, space: Space, key: &[u8]) -> Option<&Row> {
        match entry(space, key) {
            Some((device, sequence)) => self.entries.get(&device)?.get(&sequence),
            None => self.rows.get(&(space, padded(key))),
        }
    }

    fn set(&mut self, space: Space, key: &[u8], row: Row) {
        match entry(space, key) {
            Some((device, sequence)) => {
                self.entries.entry(device).or_default().insert(sequence, row);
            }
            None => {
                self.rows.insert((space, padded(key)), row);
            }
        }
    }

    fn remove(&mut self, space: Space, key: &[u8]) {
        match entry(space, key) {
            Some((device, sequence)) => {
                if let Some(rows) = self.entries.get_mut(&device) {
                    rows.remove(&sequence);
                    if rows.is_empty() {
                        self.entries.remove(&device);
                    }
                }
            }
            None => {
                self.rows.remove(&(space, padded(key)));
            }
        }
    }
}

/// Device and sequence, if it is the key of an entry.
fn entry(space: Space, key: &[u8]) -> Option<([u8; DeviceId::LENGTH], u64)> {
    if space != Space::Entries {
        return None;
    }
    Some((*key.first_chunk()?, sequence_of(key).ok()?))
}

fn padded(key: &[u8]) -> Key {
    let mut padded = [0; 32];
    padded.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    padded
}

/// The log row of a group's changes: for each its keyspace, its key, and the length and bytes of what it is now.
pub(crate) fn log_row<'a>(
    changes: impl Iterator<Item = (Space, &'a [u8], &'a Change)>,
    size: usize,
) -> Vec<u8> {
    let mut log = Vec::with_capacity(size);
    for (space, key, change) in changes {
        let Some(place) = place(space) else { continue };
        match &change.value {
            Some(value) => {
                log.push(place | PUT);
                log.extend_from_slice(key);
                let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
                log.extend_from_slice(&length.to_be_bytes());
                log.extend_from_slice(value);
            }
            // Come and gone within the group: nobody else knows of it.
            None if change.is_new => {}
            None => {
                log.push(place);
                log.extend_from_slice(key);
            }
        }
    }
    log
}

/// The rows that a log speaks of.
pub(crate) fn read_log(log: &[u8]) -> Result<Settling, StorageError> {
    const UNKNOWN: StorageError = StorageError::Damaged("a log speaks of an unknown keyspace");
    let mut reader = Reader::new(log);
    let mut settling = Settling::default();
    while !reader.is_empty() {
        let [head] = reader.take()?;
        let (space, length) = LOGGED.get(usize::from(head & !PUT)).ok_or(UNKNOWN)?;
        let key = reader.slice(*length)?.to_vec();
        let value = if head & PUT == 0 {
            None
        } else {
            let length = usize::try_from(reader.u32()?).map_err(|_| UNKNOWN)?;
            Some(Slice::from(reader.slice(length)?))
        };
        settling.rows.push((*space, key, value));
    }
    Ok(settling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_settles_alone() {
        const MESSAGE: usize = 4096;
        let recent = Recent::default();
        let mut lots = Vec::new();
        for number in 0..20_000 {
            let settling = recent.settling(MESSAGE);
            recent.committed(&settling, (number, MESSAGE), std::iter::empty());
            if !settling.logs.is_empty() {
                lots.push(settling.logs.len());
            }
        }
        assert!(lots.len() > 5);
        assert!(lots.iter().all(|lot| lot * MESSAGE >= LOT_BYTES), "{lots:?}");
        assert!(recent.settling(usize::MAX).logs.len() > 1000, "all at a sweep");
    }
}
