// SPDX-License-Identifier: AGPL-3.0-or-later
//! The engine's store on SQLite with SQLCipher: one table of keys and values.
//!
//! The same code runs natively and in the browser's worker; whoever opens the connection chooses the
//! file system (`native` a file, `browser` the OPFS pool). It knows nothing of what the rows mean. A batch is
//! one transaction: after [`Store::commit`] returned, a crash leaves all of it; before, none of it.

use nodoor_client::store::{Rows, Store, StoreError, WriteBatch};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use zeroize::Zeroizing;

/// The 32 bytes that open a database file.
pub struct DatabaseKey(pub Zeroizing<[u8; 32]>);

/// How a commit becomes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// A write-ahead log beside the file, synced at every commit.
    WriteAhead,
    /// SQLite's rollback journal, kept and truncated: for file systems without shared memory (OPFS).
    Rollback,
}

/// Why a database does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// The key is not this file's, or the file is no database.
    #[error("the key does not open this database")]
    WrongKey,
    /// The SQLite library of this build does not encrypt.
    #[error("this build cannot encrypt its database")]
    NoCipher,
    /// A newer version of this program wrote it.
    #[error("the database is of format {found}, this version reads up to {FORMAT}")]
    TooNew {
        /// The file's format.
        found: i64,
    },
    /// The disk failed or is full.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Ordered rows in an encrypted SQLite file. One engine owns it.
pub struct SqliteStore {
    connection: Connection,
}

impl SqliteStore {
    /// Opens or makes the database behind `connection`, which has run no statement yet.
    ///
    /// # Errors
    /// [`OpenStoreError`]: nothing was changed.
    pub fn open(
        connection: Connection,
        key: &DatabaseKey,
        journal: Journal,
    ) -> Result<Self, OpenStoreError> {
        // A raw key: SQLCipher derives nothing from it, so opening costs no key stretching.
        let pragma = Zeroizing::new(format!(
            "PRAGMA key = \"x'{}'\"",
            *Zeroizing::new(hex::encode(key.0.as_slice()))
        ));
        connection.execute_batch(&pragma)?;
        // A library built without encryption takes the key and writes plain text: it does not answer this.
        let cipher: Option<String> =
            connection.query_row("PRAGMA cipher_version", [], |row| row.get(0)).optional()?;
        if cipher.is_none() {
            return Err(OpenStoreError::NoCipher);
        }
        // What was deleted, erased words among it, is overwritten and not only unlinked.
        connection.execute_batch("PRAGMA secure_delete = ON;")?;
        // The library would write to standard error on a wrong key; the error we return says it once.
        connection.execute_batch("PRAGMA cipher_log_level = NONE;")?;
        let format = match connection.pragma_query_value(None, "user_version", |row| row.get(0)) {
            Ok(found) => found,
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
                return Err(OpenStoreError::WrongKey);
            }
            Err(error) => return Err(error.into()),
        };
        if format > FORMAT {
            return Err(OpenStoreError::TooNew { found: format });
        }
        match journal {
            // FULL: what was committed survives the power going; NORMAL would not in this mode.
            Journal::WriteAhead => {
                connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?
            }
            Journal::Rollback => connection
                .execute_batch("PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;")?,
        }
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)
                 STRICT, WITHOUT ROWID;
             PRAGMA user_version = {FORMAT};
             COMMIT;"
        ))?;
        Ok(Self { connection })
    }
}

impl Store for SqliteStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.connection
            .prepare_cached("SELECT value FROM kv WHERE key = ?1")
            .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
            .map_err(failed)
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Rows, StoreError> {
        let sql = if reverse {
            "SELECT key, value FROM kv WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3"
        } else {
            "SELECT key, value FROM kv WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3"
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        statement
            .query_map((from, to, limit), |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .map_err(failed)
    }

    fn keys(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT key FROM kv WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        statement
            .query_map((from, to, limit), |row| row.get(0))
            .and_then(Iterator::collect)
            .map_err(failed)
    }

    fn commit(&mut self, batch: WriteBatch) -> Result<(), StoreError> {
        if batch.writes.is_empty() {
            return Ok(());
        }
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            // Dropped without `commit`, a transaction rolls back.
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut put = transaction.prepare_cached(
                    "INSERT INTO kv (key, value) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                )?;
                let mut delete = transaction.prepare_cached("DELETE FROM kv WHERE key = ?1")?;
                for (key, value) in &batch.writes {
                    match value {
                        Some(value) => put.execute((key, value))?,
                        None => delete.execute([key])?,
                    };
                }
            }
            transaction.commit()
        };
        write(&mut self.connection).map_err(failed)
    }
}

/// SQLite's messages name tables and conditions, never values.
fn failed(error: rusqlite::Error) -> StoreError {
    StoreError(error.to_string())
}

/// `user_version` of the file: 1 is the one table.
const FORMAT: i64 = 1;
