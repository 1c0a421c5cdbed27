// SPDX-License-Identifier: AGPL-3.0-or-later
//! The disk as the engine sees it: ordered keys, one atomic commit a step.

use std::collections::BTreeMap;

/// The disk failed or is full. Nothing of the batch was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);

/// Ordered key-value store. Keys up to 1 KiB, values up to 8 MiB. One engine owns it.
pub trait Store {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`]: the disk failed.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keys in `from..to` in ascending order (descending if `reverse`), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]: the disk failed.
    fn scan(&self, from: &[u8], to: &[u8], reverse: bool, limit: usize)
    -> Result<Rows, StoreError>;

    /// The keys alone of [`Store::scan`], ascending: values may be large.
    ///
    /// # Errors
    /// [`StoreError`]: the disk failed.
    fn keys(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Writes the whole batch durably, or nothing.
    ///
    /// # Errors
    /// [`StoreError`]: the disk failed or is full.
    fn commit(&mut self, batch: WriteBatch) -> Result<(), StoreError>;
}

/// Keys with their values.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Puts (`Some`) and deletions (`None`) by key.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    /// In key order.
    pub writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

/// A store in memory: for tests and as the oracle of the others.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Rows, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range =
            self.rows.range(from.to_vec()..to.to_vec()).map(|(k, v)| (k.clone(), v.clone()));
        Ok(if reverse { range.rev().take(limit).collect() } else { range.take(limit).collect() })
    }

    fn keys(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = self.rows.range(from.to_vec()..to.to_vec());
        Ok(range.map(|(key, _)| key.clone()).take(limit).collect())
    }

    fn commit(&mut self, batch: WriteBatch) -> Result<(), StoreError> {
        for (key, value) in batch.writes {
            match value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
        Ok(())
    }
}
