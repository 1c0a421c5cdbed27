// SPDX-License-Identifier: AGPL-3.0-or-later
//! One step's view of the disk: reads fall through to the store, writes gather until the one commit.
//!
//! Layers make part of a step undoable: a Welcome that the gate refuses leaves no trace, while the
//! rest of the step stands. Both our own rows and MLS state (through [`nodoor_e2ee`]'s `KeyValue`)
//! go through here, so a ratchet step and the message row it belongs to are one transaction.

use std::cell::RefCell;
use std::collections::BTreeMap;

use nodoor_e2ee::store::{KeyValue, from_slice};
use serde::{Serialize, de::DeserializeOwned};

use crate::store::{Found, Indexed, Rows, Store, StoreError, Wanted, WriteBatch};

type Layer = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The disk, with this step's writes on top.
pub(crate) struct Overlay<'s> {
    store: &'s dyn Store,
    layers: RefCell<Vec<Layer>>,
    /// As many layers of what is found of messages.
    index: RefCell<Vec<BTreeMap<u64, Option<Indexed>>>>,
    failure: RefCell<Option<StoreError>>,
}

impl<'s> Overlay<'s> {
    /// Nothing written yet.
    pub(crate) fn new(store: &'s dyn Store) -> Self {
        Self {
            store,
            layers: RefCell::new(vec![Layer::new()]),
            index: RefCell::new(vec![BTreeMap::new()]),
            failure: RefCell::new(None),
        }
    }

    /// Begins a part that [`Overlay::undo`] can take back.
    pub(crate) fn begin(&self) {
        self.layers.borrow_mut().push(Layer::new());
        self.index.borrow_mut().push(BTreeMap::new());
    }

    /// Makes the newest part one with what was before it.
    pub(crate) fn keep(&self) {
        let mut layers = self.layers.borrow_mut();
        if layers.len() > 1
            && let Some(top) = layers.pop()
            && let Some(below) = layers.last_mut()
        {
            below.extend(top);
        }
        let mut index = self.index.borrow_mut();
        if index.len() > 1
            && let Some(top) = index.pop()
            && let Some(below) = index.last_mut()
        {
            below.extend(top);
        }
    }

    /// Takes the newest part back.
    pub(crate) fn undo(&self) {
        let mut layers = self.layers.borrow_mut();
        if layers.len() > 1 {
            layers.pop();
            self.index.borrow_mut().pop();
        }
    }

    /// Everything written, for the step's one commit.
    ///
    /// # Errors
    /// The first failure any read met: such a step must not be committed.
    pub(crate) fn into_batch(self) -> Result<WriteBatch, StoreError> {
        if let Some(failure) = self.failure.into_inner() {
            return Err(failure);
        }
        let mut writes = Layer::new();
        self.layers.into_inner().into_iter().for_each(|layer| writes.extend(layer));
        let mut index = BTreeMap::new();
        self.index.into_inner().into_iter().for_each(|layer| index.extend(layer));
        Ok(WriteBatch { writes, index })
    }

    /// What is found of a message from now on.
    pub(crate) fn set_indexed(&self, message: u64, indexed: Option<Indexed>) {
        if let Some(layer) = self.index.borrow_mut().last_mut() {
            layer.insert(message, indexed);
        }
    }

    /// What is found on the disk; this step's own writes are not.
    pub(crate) fn search(&self, wanted: &Wanted) -> Vec<Found> {
        self.store.search(wanted).unwrap_or_else(|failure| {
            self.failure.borrow_mut().get_or_insert(failure);
            Vec::new()
        })
    }

    /// The bytes of a key.
    pub(crate) fn bytes(&self, key: &[u8]) -> Option<Vec<u8>> {
        for layer in self.layers.borrow().iter().rev() {
            if let Some(value) = layer.get(key) {
                return value.clone();
            }
        }
        self.store.get(key).unwrap_or_else(|failure| {
            self.failure.borrow_mut().get_or_insert(failure);
            None
        })
    }

    /// Writes the bytes of a key.
    pub(crate) fn set_bytes(&self, key: Vec<u8>, value: Option<Vec<u8>>) {
        if let Some(layer) = self.layers.borrow_mut().last_mut() {
            layer.insert(key, value);
        }
    }

    /// Rows in `from..to`, this step's writes included.
    pub(crate) fn rows(&self, from: &[u8], to: &[u8], reverse: bool, limit: usize) -> Rows {
        if from >= to {
            return Rows::new();
        }
        let mut written = Layer::new();
        for layer in self.layers.borrow().iter() {
            let range = layer.range(from.to_vec()..to.to_vec());
            written.extend(range.map(|(key, value)| (key.clone(), value.clone())));
        }
        // Deleted rows of this step may hide rows of the store, so ask for as many more.
        let asked = limit.saturating_add(written.len());
        let stored = self.store.scan(from, to, reverse, asked).unwrap_or_else(|failure| {
            self.failure.borrow_mut().get_or_insert(failure);
            Rows::new()
        });
        let mut merged: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
            stored.into_iter().map(|(key, value)| (key, Some(value))).collect();
        merged.extend(written);
        let present = merged.into_iter().filter_map(|(key, value)| Some((key, value?)));
        if reverse {
            let mut rows: Rows = present.collect();
            rows.reverse();
            rows.truncate(limit);
            rows
        } else {
            present.take(limit).collect()
        }
    }

    /// Keys that begin with `prefix`, in order; nothing of their values is read.
    pub(crate) fn keys(&self, prefix: &[u8], limit: usize) -> Vec<Vec<u8>> {
        let end = after_prefix(prefix);
        let mut written = BTreeMap::new();
        for layer in self.layers.borrow().iter() {
            let range = layer.range(prefix.to_vec()..end.clone());
            written.extend(range.map(|(key, value)| (key.clone(), value.is_some())));
        }
        let asked = limit.saturating_add(written.len());
        let stored = self.store.keys(prefix, &end, asked).unwrap_or_else(|failure| {
            self.failure.borrow_mut().get_or_insert(failure);
            Vec::new()
        });
        let mut merged: BTreeMap<Vec<u8>, bool> =
            stored.into_iter().map(|key| (key, true)).collect();
        merged.extend(written);
        let present = merged.into_iter().filter(|(_, there)| *there).map(|(key, _)| key);
        present.take(limit).collect()
    }

    /// Rows whose key begins with `prefix`.
    pub(crate) fn prefixed(&self, prefix: &[u8], limit: usize) -> Rows {
        self.rows(prefix, &after_prefix(prefix), false, limit)
    }

    /// A row of our own, CBOR. A row that does not decode counts as a failed disk.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Option<T> {
        let bytes = self.bytes(key)?;
        self.decode(&bytes)
    }

    /// Decodes a row of our own.
    pub(crate) fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Option<T> {
        match from_slice(bytes) {
            Ok(value) => Some(value),
            Err(_) => {
                let failure = StoreError("a row does not decode".to_owned());
                self.failure.borrow_mut().get_or_insert(failure);
                None
            }
        }
    }

    /// Writes a row of our own.
    pub(crate) fn put<T: Serialize>(&self, key: Vec<u8>, value: &T) {
        let mut bytes = Vec::new();
        if ciborium::into_writer(value, &mut bytes).is_err() {
            let failure = StoreError("a row does not encode".to_owned());
            self.failure.borrow_mut().get_or_insert(failure);
        }
        self.set_bytes(key, Some(bytes));
    }

    /// Removes a row.
    pub(crate) fn remove(&self, key: &[u8]) {
        self.set_bytes(key.to_vec(), None);
    }
}

impl KeyValue for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.bytes(key)
    }

    fn put(&self, key: Vec<u8>, value: Vec<u8>) {
        self.set_bytes(key, Some(value));
    }

    fn delete(&self, key: &[u8]) {
        self.set_bytes(key.to_vec(), None);
    }
}

/// The first key after all that begin with `prefix`.
pub(crate) fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn an_undone_part_leaves_no_trace_and_a_kept_one_commits() {
        let mut store = MemoryStore::default();
        let disk = Overlay::new(&store);
        disk.put(b"a/1".to_vec(), &1u8);
        disk.begin();
        disk.put(b"a/2".to_vec(), &2u8);
        disk.remove(b"a/1");
        assert_eq!(disk.get::<u8>(b"a/1"), None);
        disk.undo();
        disk.begin();
        disk.put(b"a/3".to_vec(), &3u8);
        disk.keep();
        assert_eq!(disk.prefixed(b"a/", 9).len(), 2);
        assert_eq!(disk.rows(b"a/", b"a0", true, 1)[0].0, b"a/3");
        let batch = disk.into_batch().unwrap();
        store.commit(batch).unwrap();
        assert_eq!(store.get(b"a/2").unwrap(), None);
        assert!(store.get(b"a/3").unwrap().is_some());
    }
}
