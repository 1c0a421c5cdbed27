// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger's folder: a second fjall database beside the store of messages, so that an epoch of many labels never holds
//! the journal that a message waits for; and the file `signed`, which is in neither.
//!
//! Every write is one batch, synced before the next one begins: so of what a power cut left half there is one, the last, and
//! it is cut off, as in the store of messages; if it was confirmed, the file `signed` says so. Spent tokens wait in memory
//! for the next batch, and are worth none of their own until there are many: a crash lets a few be spent again, each for
//! one connection. The file `signed` holds the size last promised, in digits; it is written aside, synced and renamed, so that it is whole, and it is in no backup of the database alone: what is restored
//! from one holds fewer entries than were promised and does not open.
//!
//! Carries out `docs/book/ledger.md`, 1 and 2. `nodoord` opens it; `nodoor_server::ledger` writes.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, OwnedWriteBatch, PersistMode,
};
use nodoor_server::storage::{
    Answer, Day, StorageError,
    directory::{Directory, NodeName, version_name},
    ledger::{Appended, LedgerStorage, Log, LogAppend, Note},
};

use crate::{
    directory::now,
    folder::{OpenError, failed, free_bytes, open_error},
    journal::{self, Place},
    record::Reader,
};

/// Disk that stays free, as for messages.
const RESERVE_BYTES: u64 = 256 * 1024 * 1024;
/// Spent tokens that wait in memory, at most.
const SPENT: usize = 256;
/// Spent tokens of days before that one batch deletes, at most.
const FORGOTTEN: usize = 10_000;
/// The one key of the directory's newest epoch.
const HEAD: &[u8] = b"head";

/// The ledger's store. A clone is the same store.
#[derive(Clone)]
pub struct LedgerFolder(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    about: Keyspace,
    nodes: Keyspace,
    versions: Keyspace,
    entries: Keyspace,
    hashes: Keyspace,
    blobs: Keyspace,
    spent: Keyspace,
    database: Database,
    writer: Mutex<Written>,
}

/// Held by whoever writes.
#[derive(Default)]
struct Written {
    /// Tokens that were spent since the last batch, by day and name.
    spent: BTreeSet<[u8; 36]>,
    /// Those of days before count no more,
    forget_before: Day,
    /// and of days before this one they were deleted.
    forgotten_before: Day,
}

impl LedgerFolder {
    /// Opens the ledger of a data folder, which a [`crate::Folder`] made; makes it if it is not there.
    ///
    /// | keyspace | key → value, integers big endian |
    /// |---|---|
    /// | `about` | `head` → the directory's newest epoch; names of notes → notes |
    /// | `nodes` | label (32), its bits (u16) → a node of the directory, now and before |
    /// | `versions` | length of label (u16), label, epoch (u64) → a version of it |
    /// | `entries` | index (u64) → entry |
    /// | `hashes` | level (u8), index (u64) → hash |
    /// | `blobs` | SHA-256 → audit blob |
    /// | `spent` | day (u32), hash of a token's nonce → nothing |
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let place = Place { folder, database: "ledger", cut: "ledger.cut" };
        let builder = || {
            Database::builder(place.path())
                // Hashes do not compress.
                .journal_compression(fjall::CompressionType::None)
                .max_journaling_size(128 * 1024 * 1024)
                .cache_size(32 * 1024 * 1024)
                .worker_threads(1)
                .open()
        };
        let database = journal::open(&place, builder)?;
        let options = |mebibytes: u64| {
            KeyspaceCreateOptions::default().max_memtable_size(mebibytes * 1024 * 1024)
        };
        let open = |name, mebibytes| database.keyspace(name, || options(mebibytes));
        // A blob is written once and never changes: compaction moves its name alone.
        let apart = || options(8).with_kv_separation(Some(KvSeparationOptions::default()));
        let inner = Inner {
            folder: folder.to_owned(),
            about: open("about", 1).map_err(open_error)?,
            nodes: open("nodes", 16).map_err(open_error)?,
            versions: open("versions", 4).map_err(open_error)?,
            entries: open("entries", 4).map_err(open_error)?,
            hashes: open("hashes", 1).map_err(open_error)?,
            blobs: database.keyspace("blobs", apart).map_err(open_error)?,
            spent: open("spent", 4).map_err(open_error)?,
            writer: Mutex::default(),
            database,
        };
        inner.database.persist(PersistMode::SyncAll).map_err(open_error)?;
        tracing::info!("the ledger's folder is open");
        Ok(Self(Arc::new(inner)))
    }

    /// What is there and how many of it, in words. Reads every key.
    ///
    /// # Errors
    /// [`StorageError`]: the folder cannot be read to its end.
    pub fn counts(&self) -> Result<Vec<(&'static str, u64)>, StorageError> {
        [
            (&self.0.entries, "entries of the ledger"),
            (&self.0.blobs, "audit blobs"),
            (&self.0.versions, "versions of labels"),
            (&self.0.nodes, "nodes of the directory"),
            (&self.0.spent, "tokens spent in two days"),
        ]
        .into_iter()
        .map(|(space, words)| Ok((words, space.len().map_err(failed)? as u64)))
        .collect()
    }

    fn write(&self) -> MutexGuard<'_, Written> {
        self.0.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn size_now(&self) -> Result<u64, StorageError> {
        let Some(last) = self.0.entries.last_key_value() else { return Ok(0) };
        let last = Reader::new(&last.key().map_err(failed)?).u64()?;
        Ok(last.saturating_add(1))
    }

    fn append_now(&self, append: LogAppend) -> Result<Appended, StorageError> {
        let mut written = self.write();
        if self.size_now()? != append.at {
            return Ok(Appended::Moved);
        }
        if free_bytes(&self.0.folder)? < RESERVE_BYTES {
            return Err(StorageError::Full);
        }
        let rows = append.directory;
        let count = append.entries.len() + append.hashes.len() + rows.nodes.len() + 8;
        let mut batch = OwnedWriteBatch::with_capacity(self.0.database.clone(), count);
        for (index, entry) in (append.at..).zip(append.entries) {
            batch.insert(&self.0.entries, index.to_be_bytes(), &*entry);
        }
        for (level, index, hash) in append.hashes {
            batch.insert(&self.0.hashes, hash_name(level, index), hash);
        }
        for (name, blob) in append.blobs {
            batch.insert(&self.0.blobs, name, &*blob);
        }
        for (note, value) in append.notes {
            batch.insert(&self.0.about, note.name(), &*value);
        }
        if let Some(head) = rows.head {
            batch.insert(&self.0.about, HEAD, &*head);
        }
        for (name, node) in rows.nodes {
            batch.insert(&self.0.nodes, name, &*node);
        }
        for (label, epoch, version) in rows.versions {
            batch.insert(&self.0.versions, version_name(&label, epoch), &*version);
        }
        self.0.commit(batch, &mut written)?;
        Ok(Appended::Done)
    }

    fn keep_now(&self, note: Note, value: &[u8]) -> Result<(), StorageError> {
        let mut written = self.write();
        let mut batch = OwnedWriteBatch::with_capacity(self.0.database.clone(), 1);
        batch.insert(&self.0.about, note.name(), value);
        self.0.commit(batch, &mut written)
    }

    fn promise_now(&self, size: u64) -> Result<(), StorageError> {
        let _written = self.write();
        if size <= self.promised_now()? {
            return Ok(());
        }
        let write = || {
            let aside = self.0.folder.join("signed.new");
            let mut file = fs::File::create(&aside)?;
            file.write_all(format!("{size}\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&aside, self.signed())?;
            fs::File::open(&self.0.folder)?.sync_all()
        };
        write().map_err(io_failed)
    }

    fn promised_now(&self) -> Result<u64, StorageError> {
        match fs::read_to_string(self.signed()) {
            Ok(text) => {
                let size = text.strip_suffix('\n').and_then(|digits| digits.parse().ok());
                size.ok_or(StorageError::Damaged("the file `signed` holds no size"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(io_failed(error)),
        }
    }

    fn signed(&self) -> PathBuf {
        self.0.folder.join("signed")
    }

    fn spend_now(
        &self,
        day: Day,
        name: [u8; 32],
        forget_before: Day,
    ) -> Result<bool, StorageError> {
        let mut written = self.write();
        written.forget_before = written.forget_before.max(forget_before);
        let mut key = [0; 36];
        let bytes = day.0.to_be_bytes().into_iter().chain(name);
        key.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        if written.spent.contains(&key) || self.0.spent.contains_key(key).map_err(failed)? {
            return Ok(false);
        }
        written.spent.insert(key);
        if written.spent.len() >= SPENT {
            let batch = OwnedWriteBatch::with_capacity(self.0.database.clone(), SPENT);
            self.0.commit(batch, &mut written)?;
        }
        Ok(true)
    }

    fn versions_now(
        &self,
        label: &[u8],
        epochs: RangeInclusive<u64>,
        newest_alone: bool,
    ) -> Result<Vec<(u64, Bytes)>, StorageError> {
        let range = version_name(label, *epochs.start())..=version_name(label, *epochs.end());
        let mut rows = self.0.versions.range(range);
        let read = |row: fjall::Guard| {
            let (key, value) = row.into_inner().map_err(failed)?;
            let (_, epoch) = key.split_last_chunk::<8>().ok_or(SHORT)?;
            Ok((u64::from_be_bytes(*epoch), Bytes::copy_from_slice(&value)))
        };
        if newest_alone {
            return rows.next_back().map(read).into_iter().collect();
        }
        rows.map(read).collect()
    }
}

impl Directory for LedgerFolder {
    fn head(&self) -> Answer<'_, Option<Bytes>> {
        now(get(&self.0.about, HEAD))
    }

    fn nodes(&self, names: Vec<NodeName>) -> Answer<'_, Vec<Option<Bytes>>> {
        now(names.iter().map(|name| get(&self.0.nodes, name)).collect())
    }

    fn versions(&self, label: Bytes) -> Answer<'_, Vec<(u64, Bytes)>> {
        now(self.versions_now(&label, 0..=u64::MAX, false))
    }

    fn version(&self, label: Bytes, up_to_epoch: u64) -> Answer<'_, Option<(u64, Bytes)>> {
        now(self.versions_now(&label, 0..=up_to_epoch, true).map(|mut one| one.pop()))
    }
}

impl Log for LedgerFolder {
    fn size(&self) -> Answer<'_, u64> {
        now(self.size_now())
    }

    fn entries(&self, from: u64, count: usize) -> Answer<'_, Vec<Bytes>> {
        let rows = self.0.entries.range(from.to_be_bytes()..).take(count);
        let value = |row: fjall::Guard| {
            row.value().map(|value| Bytes::copy_from_slice(&value)).map_err(failed)
        };
        now(rows.map(value).collect())
    }

    fn hashes(&self, level: u8, from: u64, count: usize) -> Answer<'_, Vec<[u8; 32]>> {
        let range = hash_name(level, from)..=hash_name(level, u64::MAX);
        let rows = self.0.hashes.range(range).take(count);
        let value =
            |row: fjall::Guard| (*row.value().map_err(failed)?).try_into().map_err(|_| SHORT);
        now(rows.map(value).collect())
    }

    fn blob(&self, hash: [u8; 32]) -> Answer<'_, Option<Bytes>> {
        now(get(&self.0.blobs, &hash))
    }

    fn note(&self, note: Note) -> Answer<'_, Option<Bytes>> {
        now(get(&self.0.about, note.name().as_bytes()))
    }
}

impl LedgerStorage for LedgerFolder {
    fn append(&self, append: LogAppend) -> Answer<'_, Appended> {
        now(self.append_now(append))
    }

    fn keep(&self, note: Note, value: Bytes) -> Answer<'_, ()> {
        now(self.keep_now(note, &value))
    }

    fn promised(&self) -> Answer<'_, u64> {
        now(self.promised_now())
    }

    fn promise(&self, size: u64) -> Answer<'_, ()> {
        now(self.promise_now(size))
    }

    fn spend(&self, day: Day, name: [u8; 32], forget_before: Day) -> Answer<'_, bool> {
        now(self.spend_now(day, name, forget_before))
    }
}

impl Inner {
    /// Writes a batch, and with it what was spent since the last one; what is over is deleted.
    fn commit(
        &self,
        mut batch: OwnedWriteBatch,
        written: &mut Written,
    ) -> Result<(), StorageError> {
        for key in &written.spent {
            batch.insert(&self.spent, key, []);
        }
        let mut forgotten_before = written.forgotten_before;
        if forgotten_before < written.forget_before {
            let end = written.forget_before.0.to_be_bytes().to_vec();
            let mut left = FORGOTTEN;
            for row in self.spent.range(..end).take(FORGOTTEN) {
                batch.remove(&self.spent, row.key().map_err(failed)?);
                left -= 1;
            }
            if left > 0 {
                forgotten_before = written.forget_before;
            }
        }
        batch.durability(Some(PersistMode::SyncData)).commit().map_err(failed)?;
        written.forgotten_before = forgotten_before;
        written.spent.clear();
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut written =
            std::mem::take(&mut self.writer).into_inner().unwrap_or_else(PoisonError::into_inner);
        if !written.spent.is_empty() {
            let batch = OwnedWriteBatch::with_capacity(self.database.clone(), SPENT);
            if let Err(error) = self.commit(batch, &mut written) {
                tracing::error!(%error, "spent tokens could not be kept");
            }
        }
    }
}

const SHORT: StorageError = StorageError::Damaged("a row of the ledger is too short");

fn get(space: &Keyspace, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
    let row = space.get(key).map_err(failed)?;
    Ok(row.map(|row| Bytes::copy_from_slice(&row)))
}

fn hash_name(level: u8, index: u64) -> [u8; 9] {
    let mut name = [level; 9];
    let digits = index.to_be_bytes();
    name.iter_mut().skip(1).zip(digits).for_each(|(to, from)| *to = from);
    name
}

fn io_failed(error: io::Error) -> StorageError {
    match error.kind() {
        io::ErrorKind::StorageFull => StorageError::Full,
        _ => StorageError::Failed(error.to_string()),
    }
}
