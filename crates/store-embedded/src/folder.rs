// SPDX-License-Identifier: AGPL-3.0-or-later
//! Opens the folder: one process at a time, a format that this program knows, a deployment id made with it.

use std::{
    collections::HashMap,
    fs,
    io::{self, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fjall::{Database, OwnedWriteBatch, PersistMode};
use nodoor_server::storage::{Answer, Day, Op, Outcome, Storage, StorageError};
use nodoor_wire::id::DeploymentId;

use crate::{
    cache::Cache,
    group::Group,
    journal::{self, Place},
    keyspace::{Space, Spaces},
    recent::{Recent, Settling, read_log},
    record::Reader,
    sweep,
};

/// The format that this program writes, first line of the file `format`. The second is the deployment id.
const FORMAT: u32 = 1;
/// Room that stays free on the disk, so that the engine never meets its end while it syncs or compacts.
const RESERVE_BYTES: u64 = 256 * 1024 * 1024;
/// The free room is asked for again after so many bytes were written.
const ASK_EVERY_BYTES: u64 = 16 * 1024 * 1024;
/// The keys of [`Space::About`].
const COMMITS: &[u8] = b"commits";
pub(crate) const SWEPT: &[u8] = b"swept";
/// What only deletes is done until a fourth of the reserve is left.
const LAST_RESERVE: u64 = 4;

/// The folder does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error("the data folder is in use by another process")]
    InUse,
    /// A newer program wrote it. Use that program.
    #[error("the data folder has format {found}, this program knows formats up to {known}")]
    Newer {
        /// What is there.
        found: u32,
        /// What this program knows.
        known: u32,
    },
    /// The folder is not empty and is no data folder, or its `format` file is damaged.
    #[error("the folder is not a data folder of this program")]
    NotADataFolder,
    /// The disk did not do what was asked.
    #[error("the data folder cannot be read or written")]
    Io(#[from] io::Error),
    /// The engine found a damaged end of its journal and would go on without commits that were confirmed. Restore a
    /// backup; or remove the file `commits` to go on without them.
    #[error("the data folder lacks {commits} commits that were confirmed")]
    Lost {
        /// How many, at least.
        commits: u64,
    },
    /// The journal is damaged before its end. Restore a backup: what was confirmed since the trees were written is in
    /// the journal alone.
    #[error("the journal of the data folder is damaged before its end; restore a backup")]
    Journal,
    /// The engine refuses what is there. Restore a backup.
    #[error("the data folder is damaged: {0}")]
    Damaged(StorageError),
}

/// The store. A clone is the same store; the folder is released when the last one is gone.
#[derive(Clone)]
pub struct Folder(Arc<Inner>);

struct Inner {
    path: PathBuf,
    deployment: DeploymentId,
    reserve_bytes: u64,
    spaces: Spaces,
    cache: Cache,
    recent: Recent,
    database: Database,
    writer: Mutex<Written>,
}

/// Held by whoever writes.
#[derive(Debug)]
pub(crate) struct Written {
    since_asked: u64,
    asked: bool,
    commits: u64,
    /// Holds `commits`, after each of them. Not synced: after a power loss it may be behind the store, and only
    /// one that is ahead of it says that something is missing.
    count: fs::File,
}

impl Folder {
    /// Opens a data folder, and makes it if it is not there or empty.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with_reserve(path, RESERVE_BYTES)
    }

    /// The same, with another amount of disk that stays free. Below it commits answer [`StorageError::Full`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with_reserve(path: &Path, reserve_bytes: u64) -> Result<Self, OpenError> {
        fs::create_dir_all(path)?;
        let deployment = read_or_make_format(path)?;
        let place = Place { folder: path, database: "store", cut: "journal.cut" };
        let builder = || {
            Database::builder(place.path())
                // No value of ours compresses: all of the large ones are sealed.
                .journal_compression(fjall::CompressionType::None)
                .max_journaling_size(256 * 1024 * 1024)
                .cache_size(64 * 1024 * 1024)
                // With more than one, fjall's first worker passes compactions to itself for as long as the second is
                // busy: a core's worth of nothing.
                .worker_threads(1)
                .open()
        };
        let database = journal::open(&place, builder)?;
        let spaces = Spaces::open(&database).map_err(open_error)?;
        settle_logs(&database, &spaces)?;
        database.persist(PersistMode::SyncAll).map_err(open_error)?;
        let written = open_count(path, &spaces)?;
        tracing::info!("the data folder is open");
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            deployment,
            reserve_bytes,
            spaces,
            cache: Cache::new(),
            recent: Recent::default(),
            database,
            writer: Mutex::new(written),
        })))
    }

    pub(crate) fn spaces(&self) -> &Spaces {
        &self.0.spaces
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.0.recent
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    /// One writer at a time: a group reads what it decides on.
    pub(crate) fn write(&self) -> MutexGuard<'_, Written> {
        self.0.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits a group: atomic, and on disk when it returns.
    pub(crate) fn persist(
        &self,
        written: &mut Written,
        group: Group<'_>,
    ) -> Result<(), StorageError> {
        if group.is_empty() {
            return Ok(());
        }
        let log = group.log();
        let settling = self.0.recent.settling(log.len());
        self.write_batch(written, group, log, settling)
    }

    /// Puts everything where it belongs, so that no log row is left.
    pub(crate) fn settle(&self, written: &mut Written) -> Result<(), StorageError> {
        let settling = self.0.recent.settling(usize::MAX);
        if settling.logs.is_empty() {
            return Ok(());
        }
        self.write_batch(written, Group::new(self), Vec::new(), settling)
    }

    fn write_batch(
        &self,
        written: &mut Written,
        mut group: Group<'_>,
        log: Vec<u8>,
        settling: Settling,
    ) -> Result<(), StorageError> {
        let commits = written.commits.saturating_add(1);
        group.put(Space::About, COMMITS.to_vec(), commits.to_be_bytes());
        let mut batch = group.batch()?.durability(Some(PersistMode::SyncData));
        put_settled(&mut batch, &self.0.spaces, &settling).map_err(failed)?;
        let log_bytes = log.len();
        if log_bytes > 0 {
            let space = self.0.spaces.of(Space::Log).map_err(failed)?;
            batch.insert(space, commits.to_be_bytes(), log);
        }
        written.since_asked = written.since_asked.saturating_add(2 * group.size_bytes());
        if let Err(error) = batch.commit() {
            self.0.cache.clear();
            return Err(failed(error));
        }
        self.0.cache.changed(group.rows());
        self.0.recent.committed(&settling, (commits, log_bytes), group.into_logged());
        written.commits = commits;
        let counted = written
            .count
            .seek(io::SeekFrom::Start(0))
            .and_then(|_| written.count.write_all(&commits.to_be_bytes()));
        if let Err(error) = counted {
            // What was asked for is on disk; only the watch over it is behind.
            tracing::warn!(%error, "the count of commits could not be written");
        }
        Ok(())
    }

    fn commit_now(&self, operations: Vec<Op>) -> Result<Vec<Outcome>, StorageError> {
        let mut written = self.write();
        let has_room = self.has_room(&mut written)?;
        let mut group = Group::new(self);
        let mut apply = |operation: Op| {
            if has_room || operation.only_deletes() {
                group.apply(operation)
            } else {
                Ok(Outcome::Full)
            }
        };
        let outcomes = operations.into_iter().map(&mut apply).collect::<Result<Vec<_>, _>>()?;
        self.persist(&mut written, group)?;
        Ok(outcomes)
    }

    /// Whether more may be stored; if not, there is still room to delete.
    fn has_room(&self, written: &mut Written) -> Result<bool, StorageError> {
        if written.asked && written.since_asked < ASK_EVERY_BYTES {
            return Ok(true);
        }
        let free = free_bytes(&self.0.path)?;
        written.since_asked = 0;
        written.asked = free >= self.0.reserve_bytes;
        if free < self.0.reserve_bytes / LAST_RESERVE {
            return Err(StorageError::Full);
        }
        Ok(written.asked)
    }
}

impl Storage for Folder {
    fn deployment(&self) -> DeploymentId {
        self.0.deployment
    }

    fn commit(&self, operations: Vec<Op>) -> Answer<'_, Vec<Outcome>> {
        Box::pin(std::future::ready(self.commit_now(operations)))
    }

    fn sweep(&self, today: Day) -> Answer<'_, u64> {
        let settled = self.settle(&mut self.write());
        Box::pin(std::future::ready(settled.and_then(|()| sweep::sweep(self, today))))
    }

    fn swept(&self) -> Answer<'_, Option<Day>> {
        let row = self.get(Space::About, SWEPT);
        let day = row.and_then(|row| row.map(|row| Reader::new(&row).day()).transpose());
        Box::pin(std::future::ready(day))
    }
}

/// What the disk under a path has left.
pub(crate) fn free_bytes(path: &Path) -> Result<u64, StorageError> {
    let disk = rustix::fs::statvfs(path)
        .map_err(|error| StorageError::Failed(io::Error::from(error).to_string()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What the engine says, as the server understands it. The text names no value.
pub(crate) fn failed(error: fjall::Error) -> StorageError {
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error))
            if error.kind() == io::ErrorKind::StorageFull =>
        {
            StorageError::Full
        }
        fjall::Error::Storage(fjall::LsmError::ChecksumMismatch { .. }) => {
            StorageError::Damaged("a block does not have its checksum")
        }
        error => StorageError::Failed(error.to_string()),
    }
}

pub(crate) fn open_error(error: fjall::Error) -> OpenError {
    match error {
        fjall::Error::Locked => OpenError::InUse,
        fjall::Error::Io(error) => OpenError::Io(error),
        error => OpenError::Damaged(failed(error)),
    }
}

/// Settles the logs that a process left, in one batch: the newest word on each row counts.
fn settle_logs(database: &Database, spaces: &Spaces) -> Result<(), OpenError> {
    let mut rows = HashMap::new();
    let mut settled = Settling::default();
    for row in spaces.of(Space::Log).map_err(open_error)?.iter() {
        let (key, log) = row.into_inner().map_err(open_error)?;
        settled.logs.push(Reader::new(&key).u64().map_err(OpenError::Damaged)?);
        let of_log = read_log(&log).map_err(OpenError::Damaged)?;
        rows.extend(of_log.rows.into_iter().map(|(space, key, value)| ((space, key), value)));
    }
    settled.rows.extend(rows.into_iter().map(|((space, key), value)| (space, key, value)));
    let mut batch = database.batch();
    put_settled(&mut batch, spaces, &settled).map_err(open_error)?;
    batch.commit().map_err(open_error)
}

fn put_settled(
    batch: &mut OwnedWriteBatch,
    spaces: &Spaces,
    settling: &Settling,
) -> fjall::Result<()> {
    for (space, key, value) in &settling.rows {
        match value {
            Some(value) => batch.insert(spaces.of(*space)?, key.as_slice(), value.clone()),
            None => batch.remove(spaces.of(*space)?, key.as_slice()),
        }
    }
    for number in &settling.logs {
        batch.remove(spaces.of(Space::Log)?, number.to_be_bytes());
    }
    Ok(())
}

/// Opens the file `commits` and holds it against the store.
fn open_count(folder: &Path, spaces: &Spaces) -> Result<Written, OpenError> {
    let row = spaces.of(Space::About).and_then(|about| about.get(COMMITS)).map_err(open_error)?;
    let stored = row.as_deref().and_then(read_count).unwrap_or(0);
    let path = folder.join("commits");
    let counted = fs::read(&path).ok().as_deref().and_then(read_count).unwrap_or(0);
    if counted > stored {
        return Err(OpenError::Lost { commits: counted - stored });
    }
    let count = fs::File::options().create(true).truncate(false).write(true).open(&path)?;
    Ok(Written { since_asked: 0, asked: false, commits: stored, count })
}

fn read_count(bytes: &[u8]) -> Option<u64> {
    <[u8; 8]>::try_from(bytes).ok().map(u64::from_be_bytes)
}

/// Reads `format`, or writes it into an empty folder: written aside, synced, renamed, so that it is whole or not
/// there.
fn read_or_make_format(folder: &Path) -> Result<DeploymentId, OpenError> {
    let path = folder.join("format");
    match fs::read_to_string(&path) {
        Ok(text) => return parse_format(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(OpenError::NotADataFolder);
        }
        Err(error) => return Err(error.into()),
    }
    let aside = folder.join("format.new");
    for entry in fs::read_dir(folder)? {
        if entry?.path() != aside {
            return Err(OpenError::NotADataFolder);
        }
    }
    let mut deployment = DeploymentId([0; 16]);
    getrandom::fill(&mut deployment.0).map_err(|error| io::Error::other(error.to_string()))?;
    let mut file = fs::File::create(&aside)?;
    file.write_all(format!("{FORMAT}\n{}\n", deployment.to_hex()).as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, &path)?;
    fs::File::open(folder)?.sync_all()?;
    Ok(deployment)
}

fn parse_format(text: &str) -> Result<DeploymentId, OpenError> {
    let mut lines = text.lines();
    let found: u32 =
        lines.next().and_then(|line| line.parse().ok()).ok_or(OpenError::NotADataFolder)?;
    if found > FORMAT {
        return Err(OpenError::Newer { found, known: FORMAT });
    }
    lines.next().and_then(|line| DeploymentId::from_hex(line).ok()).ok_or(OpenError::NotADataFolder)
}
