// SPDX-License-Identifier: AGPL-3.0-or-later
//! The model of [`LedgerStorage`]: in memory, in its plainest form.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use crate::storage::{
    Answer, Day, StorageError,
    directory::{Directory, NodeName},
    ledger::{Appended, LedgerStorage, Log, LogAppend, Note},
};

/// A ledger's store in memory. A clone is the same store.
#[derive(Clone, Default)]
pub struct LedgerMemory(Arc<Mutex<State>>);

#[derive(Default, Clone)]
struct State {
    full: bool,
    promised: u64,
    head: Option<Bytes>,
    nodes: BTreeMap<NodeName, Bytes>,
    versions: BTreeMap<(Bytes, u64), Bytes>,
    entries: Vec<Bytes>,
    hashes: BTreeMap<(u8, u64), [u8; 32]>,
    blobs: BTreeMap<[u8; 32], Bytes>,
    notes: BTreeMap<Note, Bytes>,
    spent: BTreeSet<(Day, [u8; 32])>,
}

impl LedgerMemory {
    /// From now on every append fails with [`StorageError::Full`], or no longer.
    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Another store that holds what this one holds now: a backup.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// Puts back what `copy` holds, as a restore of a backup would: the promise is beside the store, and stays.
    pub fn restore(&self, copy: &Self) {
        let old = copy.state().clone();
        let mut state = self.state();
        let promised = state.promised;
        *state = State { promised, ..old };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&mut State) -> T) -> Answer<'_, T> {
        let answer = Ok(read(&mut self.state()));
        Box::pin(std::future::ready(answer))
    }
}

impl Directory for LedgerMemory {
    fn head(&self) -> Answer<'_, Option<Bytes>> {
        self.read(|state| state.head.clone())
    }

    fn nodes(&self, names: Vec<NodeName>) -> Answer<'_, Vec<Option<Bytes>>> {
        self.read(|state| names.iter().map(|name| state.nodes.get(name).cloned()).collect())
    }

    fn versions(&self, label: Bytes) -> Answer<'_, Vec<(u64, Bytes)>> {
        self.read(|state| {
            let of_label = state.versions.range((label.clone(), 0)..=(label, u64::MAX));
            of_label.map(|((_, epoch), row)| (*epoch, row.clone())).collect()
        })
    }

    fn version(&self, label: Bytes, up_to_epoch: u64) -> Answer<'_, Option<(u64, Bytes)>> {
        self.read(|state| {
            let of_label = state.versions.range((label.clone(), 0)..=(label, up_to_epoch));
            of_label.last().map(|((_, epoch), row)| (*epoch, row.clone()))
        })
    }
}

impl Log for LedgerMemory {
    fn size(&self) -> Answer<'_, u64> {
        self.read(|state| state.entries.len() as u64)
    }

    fn entries(&self, from: u64, count: usize) -> Answer<'_, Vec<Bytes>> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        self.read(|state| state.entries.iter().skip(from).take(count).cloned().collect())
    }

    fn hashes(&self, level: u8, from: u64, count: usize) -> Answer<'_, Vec<[u8; 32]>> {
        self.read(|state| {
            let of_level = state.hashes.range((level, from)..=(level, u64::MAX));
            of_level.take(count).map(|(_, hash)| *hash).collect()
        })
    }

    fn blob(&self, hash: [u8; 32]) -> Answer<'_, Option<Bytes>> {
        self.read(|state| state.blobs.get(&hash).cloned())
    }

    fn note(&self, note: Note) -> Answer<'_, Option<Bytes>> {
        self.read(|state| state.notes.get(&note).cloned())
    }
}

impl LedgerStorage for LedgerMemory {
    fn append(&self, append: LogAppend) -> Answer<'_, Appended> {
        let mut state = self.state();
        let answer = if state.full {
            Err(StorageError::Full)
        } else if append.at != state.entries.len() as u64 {
            Ok(Appended::Moved)
        } else {
            state.apply(append);
            Ok(Appended::Done)
        };
        Box::pin(std::future::ready(answer))
    }

    fn keep(&self, note: Note, value: Bytes) -> Answer<'_, ()> {
        self.read(|state| drop(state.notes.insert(note, value)))
    }

    fn promised(&self) -> Answer<'_, u64> {
        self.read(|state| state.promised)
    }

    fn promise(&self, size: u64) -> Answer<'_, ()> {
        self.read(|state| state.promised = state.promised.max(size))
    }

    fn spend(&self, day: Day, name: [u8; 32], forget_before: Day) -> Answer<'_, bool> {
        self.read(|state| {
            state.spent = state.spent.split_off(&(forget_before, [0; 32]));
            state.spent.insert((day, name))
        })
    }
}

impl State {
    fn apply(&mut self, append: LogAppend) {
        self.entries.extend(append.entries);
        let hashes = append.hashes.into_iter();
        self.hashes.extend(hashes.map(|(level, index, hash)| ((level, index), hash)));
        self.blobs.extend(append.blobs);
        self.notes.extend(append.notes);
        if let Some(head) = append.directory.head {
            self.head = Some(head);
        }
        self.nodes.extend(append.directory.nodes);
        let versions = append.directory.versions.into_iter();
        self.versions.extend(versions.map(|(label, epoch, row)| ((label, epoch), row)));
    }
}
