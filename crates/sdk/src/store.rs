// SPDX-License-Identifier: AGPL-3.0-or-later
//! The engine's store on SQLite with SQLCipher: one table of keys and values, and an index of words.
//!
//! The index is an FTS5 table over a table of words, in the same file under the same key. The words come folded
//! ([`nodoor_client::words`]), so its tokenizer has only to cut at spaces; a conversation, and what has links, is a word of
//! its own in characters that no text gets there. Indexes of the first one, two and three letters answer while somebody
//! types (decision 0022). What is taken out is overwritten, not only marked as gone.
//!
//! The same code runs natively and in the browser's worker; whoever opens the connection chooses the
//! file system (`native` a file, `browser` the OPFS pool). It knows nothing of what the rows mean. A batch is
//! one transaction: after [`Store::commit`] returned, a crash leaves all of it; before, none of it.

use nodoor_client::{
    store::{Found, Indexed, Rows, Store, StoreError, Wanted, WriteBatch},
    words::Term,
};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
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
        if format < FORMAT {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {FORMAT}; COMMIT;"
            ))?;
        }
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

    fn search(&self, wanted: &Wanted) -> Result<Vec<Found>, StoreError> {
        let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
        let before = wanted.before.unwrap_or(i64::MAX);
        let question = question(wanted);
        if question.is_empty() {
            return Ok(Vec::new());
        }
        // `rowid <`: the index is walked backwards from there, and no further than the limit.
        let sql = "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid < ?2
                   ORDER BY rowid DESC LIMIT ?3";
        let search = || -> rusqlite::Result<Vec<Found>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut whose =
                self.connection.prepare_cached("SELECT message FROM said WHERE at = ?1")?;
            let places = statement.query_map((&question, before, limit), |row| row.get(0))?;
            let mut found = Vec::new();
            for place in places {
                let place: i64 = place?;
                let message: i64 = whose.query_row([place], |row| row.get(0))?;
                found.push(Found { place, message: message.cast_unsigned() });
            }
            Ok(found)
        };
        search().map_err(failed)
    }

    fn commit(&mut self, batch: WriteBatch) -> Result<(), StoreError> {
        if batch.is_empty() {
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
            for (message, indexed) in &batch.index {
                set_indexed(&transaction, *message, indexed.as_ref())?;
            }
            transaction.commit()
        };
        write(&mut self.connection).map_err(failed)
    }
}

/// Puts what is found of a message in place of what was.
fn set_indexed(
    transaction: &Transaction<'_>,
    message: u64,
    indexed: Option<&Indexed>,
) -> rusqlite::Result<()> {
    let number = message.cast_signed();
    let there: Option<(i64, String)> = transaction
        .prepare_cached("SELECT at, text FROM said WHERE message = ?1")?
        .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let text = indexed.map(stored_text);
    if let Some((place, old)) = there {
        let same_time = indexed.is_some_and(|new| new.place(message) == place);
        if same_time && text.as_ref() == Some(&old) {
            return Ok(());
        }
        // The index first: it reads there what it has to take out.
        transaction.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([place])?;
        transaction.prepare_cached("DELETE FROM said WHERE at = ?1")?.execute([place])?;
    }
    if let (Some(indexed), Some(text)) = (indexed, text) {
        let mut taken = transaction.prepare_cached("SELECT 1 FROM said WHERE at = ?1")?;
        let mut place = indexed.place(message);
        while taken.exists([place])? {
            place += 1;
        }
        transaction
            .prepare_cached("INSERT INTO said (at, message, text) VALUES (?1, ?2, ?3)")?
            .execute((place, number, &text))?;
        transaction
            .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
            .execute((place, &text))?;
    }
    Ok(())
}

/// The words, and those that name the conversation and what the message has: characters for private use, which are no
/// letters and so in no folded text.
fn stored_text(indexed: &Indexed) -> String {
    let links = if indexed.links { LINKS } else { "" };
    let files = if indexed.files { FILES } else { "" };
    format!("{} {}{links}{files}", indexed.words, of_conversation(indexed.conversation))
}

fn of_conversation(conversation: u64) -> String {
    format!("\u{E000}{conversation}")
}

/// The question in FTS5's words. Everything in quotes: folded words hold no quote, and what is asked is no syntax.
fn question(wanted: &Wanted) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', ""));
    let mut all: Vec<String> = Vec::new();
    for term in &wanted.terms {
        all.push(match term {
            Term::Beginning(word) => format!("{} *", quoted(word)),
            Term::Row(row) => quoted(&row.join(" ")),
        });
    }
    all.extend(wanted.conversation.map(|one| quoted(&of_conversation(one))));
    all.extend(wanted.links.then(|| quoted(LINKS)));
    all.extend(wanted.files.then(|| quoted(FILES)));
    all.join(" AND ")
}

/// SQLite's messages name tables and conditions, never values.
fn failed(error: rusqlite::Error) -> StoreError {
    StoreError(error.to_string())
}

/// The tables of an empty file; an older one gets those it lacks. Of the index `secure-delete` is kept in its own
/// configuration: what is taken out of it is gone at once, and not when two of its parts are next merged.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS said (
        at INTEGER PRIMARY KEY NOT NULL, message INTEGER NOT NULL UNIQUE, text TEXT NOT NULL) STRICT;
    CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
        text, content='said', content_rowid='at', tokenize='ascii', prefix='1 2 3', columnsize=0);
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);";

/// The word of messages with links, and with files.
const LINKS: &str = " \u{E001}";
const FILES: &str = " \u{E002}";

/// `user_version` of the file: 1 is the one table, 2 has the index of words.
const FORMAT: i64 = 2;
