// SPDX-License-Identifier: AGPL-3.0-or-later
//! The SQLite store against the one in memory, which is its oracle.

use nodoor_client::store::{Indexed, MemoryStore, Store, Wanted, WriteBatch};
use nodoor_sdk::store::{DatabaseKey, Journal, OpenStoreError, SqliteStore};
use proptest::{collection::vec, prelude::*};
use rusqlite::Connection;
use zeroize::Zeroizing;

fn open(path: &std::path::Path, key: u8) -> Result<SqliteStore, OpenStoreError> {
    let key = DatabaseKey(Zeroizing::new([key; 32]));
    SqliteStore::open(Connection::open(path).unwrap(), &key, Journal::WriteAhead)
}

/// Few letters, so that keys meet; bytes of both ends, so that order is by bytes.
fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(vec![0_u8, 1, b'm', b'/', 127, 128, 255]), 1..5)
}

fn batch() -> impl Strategy<Value = WriteBatch> {
    let value = prop::option::weighted(0.7, vec(any::<u8>(), 0..40));
    prop::collection::btree_map(key(), value, 0..12)
        .prop_map(|writes| WriteBatch { writes, ..WriteBatch::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_disk_answers_as_memory_does(
        batches in vec(batch(), 1..6),
        scans in vec((key(), key(), any::<bool>(), 0_usize..9), 1..8),
    ) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("database");
        let mut disk = open(&path, 7).unwrap();
        let mut memory = MemoryStore::default();
        for batch in batches {
            disk.commit(batch.clone()).unwrap();
            memory.commit(batch).unwrap();
        }
        drop(disk);
        let disk = open(&path, 7).unwrap();
        for (from, to, reverse, limit) in scans {
            prop_assert_eq!(
                disk.scan(&from, &to, reverse, limit).unwrap(),
                memory.scan(&from, &to, reverse, limit).unwrap()
            );
            prop_assert_eq!(disk.get(&from).unwrap(), memory.get(&from).unwrap());
        }
        let all = |store: &dyn Store| store.scan(&[], &[255; 9], false, usize::MAX).unwrap();
        prop_assert_eq!(all(&disk), all(&memory));
    }
}

#[test]
fn another_key_does_not_open_it() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("database");
    drop(open(&path, 7).unwrap());
    assert!(matches!(open(&path, 8), Err(OpenStoreError::WrongKey)));
    open(&path, 7).unwrap();
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("database");
    drop(open(&path, 7).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(&format!("PRAGMA key = \"x'{}'\"", "07".repeat(32))).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(open(&path, 7), Err(OpenStoreError::TooNew { found: 99 })));
}

#[test]
fn a_value_of_8_mebibytes_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let mut store = open(&place.path().join("database"), 7).unwrap();
    let value = vec![42; 8 * 1024 * 1024];
    let mut batch = WriteBatch::default();
    batch.writes.insert(b"big".to_vec(), Some(value.clone()));
    store.commit(batch).unwrap();
    assert_eq!(store.get(b"big").unwrap(), Some(value));
}

#[test]
fn a_file_of_before_the_index_gets_its_tables_and_keeps_its_rows() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("database");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA key = \"x'{}'\";
             CREATE TABLE kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
             INSERT INTO kv VALUES (x'61', x'62');
             PRAGMA user_version = 1;",
            "07".repeat(32)
        ))
        .unwrap();
    drop(connection);
    for _ in 0..2 {
        let mut store = open(&path, 7).unwrap();
        assert_eq!(store.get(b"a").unwrap(), Some(b"b".to_vec()));
        let words = "garden".to_owned();
        let indexed = Indexed { at: 5, conversation: 1, words, links: false, files: false };
        let mut batch = WriteBatch::default();
        batch.index.insert(9, Some(indexed));
        store.commit(batch).unwrap();
        let terms = nodoor_client::words::asked("gar");
        let wanted = Wanted { terms, limit: 5, ..Wanted::default() };
        assert_eq!(store.search(&wanted).unwrap().len(), 1);
    }
}
