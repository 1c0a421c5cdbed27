// SPDX-License-Identifier: AGPL-3.0-or-later
//! The disk as the engine sees it: ordered keys, an index of words, one atomic commit a step.

use std::collections::BTreeMap;

use crate::words::{self, Term};

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

    /// The messages that hold all of what is wanted, newest first; none if nothing is.
    ///
    /// # Errors
    /// [`StoreError`]: the disk failed.
    fn search(&self, wanted: &Wanted) -> Result<Vec<Found>, StoreError>;

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
    /// What is found of messages from now on, by row number; `None`: nothing any more, and none of its words stays on the
    /// disk. Writing what is there already changes nothing.
    pub index: BTreeMap<u64, Option<Indexed>>,
}

impl WriteBatch {
    /// Nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.index.is_empty()
    }
}

/// What is found of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// When it came, milliseconds: what orders the hits.
    pub at: u64,
    /// Row number of its conversation.
    pub conversation: u64,
    /// Its words as [`words::folded`] has them, one space between.
    pub words: String,
    /// It has links.
    pub links: bool,
    /// It has files.
    pub files: bool,
}

impl Indexed {
    /// The place among all messages where this one stands if no other does: by time, then by row number. A store moves it
    /// on by one while another message is there.
    #[must_use]
    pub fn place(&self, message: u64) -> i64 {
        let at = self.at.min((1 << 42) - 1);
        i64::try_from((at << 20) | (message & 0xF_FFFF)).unwrap_or(i64::MAX)
    }

    fn holds(&self, wanted: &Wanted) -> bool {
        wanted.conversation.is_none_or(|one| one == self.conversation)
            && (!wanted.links || self.links)
            && (!wanted.files || self.files)
            && words::hold(&self.words, &wanted.terms)
    }
}

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// All of these; none: any text.
    pub terms: Vec<Term>,
    /// In this conversation alone.
    pub conversation: Option<u64>,
    /// With links alone.
    pub links: bool,
    /// With files alone.
    pub files: bool,
    /// Only before this place.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// A message that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its place: what comes next is before it.
    pub place: i64,
    /// Its row number.
    pub message: u64,
}

/// A store in memory: for tests and as the oracle of the others.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    index: BTreeMap<i64, (u64, Indexed)>,
    places: BTreeMap<u64, i64>,
}

impl MemoryStore {
    fn set_indexed(&mut self, message: u64, indexed: Option<Indexed>) {
        let there = self.places.get(&message).and_then(|place| self.index.get(place));
        if there.map(|(_, there)| there) == indexed.as_ref() {
            return;
        }
        if let Some(place) = self.places.remove(&message) {
            self.index.remove(&place);
        }
        if let Some(indexed) = indexed {
            let mut place = indexed.place(message);
            while self.index.contains_key(&place) {
                place += 1;
            }
            self.places.insert(message, place);
            self.index.insert(place, (message, indexed));
        }
    }
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

    fn search(&self, wanted: &Wanted) -> Result<Vec<Found>, StoreError> {
        let all = Wanted { before: wanted.before, limit: wanted.limit, ..Wanted::default() };
        if *wanted == all {
            return Ok(Vec::new());
        }
        let before = wanted.before.unwrap_or(i64::MAX);
        let rows = self.index.range(..before).rev();
        let found = rows.filter(|(_, (_, indexed))| indexed.holds(wanted));
        let found = found.map(|(place, (message, _))| Found { place: *place, message: *message });
        Ok(found.take(wanted.limit).collect())
    }

    fn commit(&mut self, batch: WriteBatch) -> Result<(), StoreError> {
        for (message, indexed) in batch.index {
            self.set_indexed(message, indexed);
        }
        for (key, value) in batch.writes {
            match value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
        Ok(())
    }
}
