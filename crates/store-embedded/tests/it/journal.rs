// SPDX-License-Identifier: AGPL-3.0-or-later
//! Journals as power cuts and bad disks leave them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nodoor_server::storage::{
    Day, Op, RoomName, Rooms as _, Storage as _,
    ledger::{Appended, LedgerStorage as _, Log as _, LogAppend, Note},
};
use nodoor_store_embedded::{Folder, LedgerFolder, OpenError};

use crate::folder::files;

/// The journal that is written to.
fn journal(folder: &Path) -> PathBuf {
    let mut journals = files(folder);
    journals.retain(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    journals.sort();
    journals.pop().unwrap()
}

/// A folder in which three rooms were founded one after another, its journal, and where each stands in it.
async fn founded() -> (tempfile::TempDir, Vec<u8>, Vec<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    for room in 1..=3 {
        let roster = vec![room; 100].into();
        let name = RoomName([room; 32]);
        let found = Op::FoundRoom { room: name, key_check: [1; 32], roster, day: Day(1) };
        store.commit(vec![found]).await.unwrap();
    }
    drop(store);
    let bytes = fs::read(journal(folder.path())).unwrap();
    let place = |room: u8| bytes.windows(100).position(|window| window == [room; 100]).unwrap();
    let places = (1..=3).map(place).collect();
    (folder, bytes, places)
}

fn commits(folder: &Path, count: u64) {
    fs::write(folder.join("commits"), count.to_be_bytes()).unwrap();
}

#[tokio::test]
async fn a_last_write_that_the_power_cut_is_cut_off() {
    let (folder, mut bytes, places) = founded().await;
    // Its end reached the disk, its middle did not, and nobody was told that it stands.
    bytes[places[2]..places[2] + 50].fill(0);
    fs::write(journal(folder.path()), &bytes).unwrap();
    commits(folder.path(), 2);
    for _ in 0..2 {
        let store = Folder::open(folder.path()).unwrap();
        assert!(store.room(RoomName([2; 32])).await.unwrap().is_some());
        assert!(store.room(RoomName([3; 32])).await.unwrap().is_none());
    }
    let cut = fs::read(folder.path().join("journal.cut")).unwrap();
    assert!(cut.windows(50).any(|window| window == [3; 50]));
}

#[tokio::test]
async fn a_last_write_that_was_confirmed_is_missed() {
    let (folder, mut bytes, places) = founded().await;
    bytes[places[2]] ^= 0xff;
    fs::write(journal(folder.path()), &bytes).unwrap();
    let error = Folder::open(folder.path()).err().unwrap();
    assert!(matches!(error, OpenError::Lost { commits: 1 }), "{error}");
}

#[tokio::test]
async fn damage_before_the_end_is_said_and_nothing_is_cut() {
    let (folder, mut bytes, places) = founded().await;
    bytes[places[1]] ^= 0xff;
    fs::write(journal(folder.path()), &bytes).unwrap();
    commits(folder.path(), 0);
    for _ in 0..2 {
        let error = Folder::open(folder.path()).err().unwrap();
        assert!(matches!(error, OpenError::Journal), "{error}");
        assert!(error.to_string().contains("restore a backup"));
        assert_eq!(fs::read(journal(folder.path())).unwrap(), bytes);
        assert!(!folder.path().join("journal.cut").exists());
    }
}

#[tokio::test]
async fn a_damaged_length_is_an_answer_and_no_panic() {
    let (folder, bytes, places) = founded().await;
    // Before a value stand its key, its length on disk, and its length.
    let length = places[1] - 32 - 8 - 32 - 4 - 4;
    let found = u32::from_le_bytes(bytes[length..length + 4].try_into().unwrap());
    assert_eq!(found, 8 + 32 + 100, "the length of a room's row");
    for byte in length..length + 8 {
        let mut bytes = bytes.clone();
        bytes[byte] ^= 0xff;
        fs::write(journal(folder.path()), &bytes).unwrap();
        commits(folder.path(), 3);
        assert!(Folder::open(folder.path()).is_err(), "{byte}");
        fs::write(journal(folder.path()), &bytes).unwrap();
    }
}

/// A ledger to which three entries were appended one after another, and where each stands in its journal.
async fn appended() -> (tempfile::TempDir, PathBuf, Vec<u8>, Vec<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = LedgerFolder::open(folder.path()).unwrap();
    for entry in 1..=3_u8 {
        let at = u64::from(entry) - 1;
        let append = LogAppend { at, entries: vec![vec![entry; 100].into()], ..Default::default() };
        assert_eq!(ledger.append(append).await.unwrap(), Appended::Done);
    }
    ledger.promise(2).await.unwrap();
    drop(ledger);
    let journal = journal(&folder.path().join("ledger"));
    let bytes = fs::read(&journal).unwrap();
    let place = |room: u8| bytes.windows(100).position(|window| window == [room; 100]).unwrap();
    let places = (1..=3).map(place).collect();
    (folder, journal, bytes, places)
}

#[tokio::test]
async fn a_last_epoch_that_the_power_cut_is_cut_off_too() {
    let (folder, journal, mut bytes, places) = appended().await;
    bytes[places[2]..places[2] + 50].fill(0);
    fs::write(&journal, &bytes).unwrap();
    for _ in 0..2 {
        let ledger = LedgerFolder::open(folder.path()).unwrap();
        assert_eq!(ledger.size().await.unwrap(), 2);
        assert_eq!(ledger.promised().await.unwrap(), 2);
    }
    let cut = fs::read(folder.path().join("ledger.cut")).unwrap();
    assert!(cut.windows(50).any(|window| window == [3; 50]));
}

#[tokio::test]
async fn tokens_that_a_power_cut_left_half_written_need_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let (today, yesterday) = (Day(100), Day(99));
    let ledger = LedgerFolder::open(folder.path()).unwrap();
    for token in 1..=3 {
        assert!(ledger.spend(today, [token; 32], yesterday).await.unwrap());
    }
    drop(ledger);
    let journal = journal(&folder.path().join("ledger"));
    let mut bytes = fs::read(&journal).unwrap();
    for token in 1..=3 {
        let place = bytes.windows(32).position(|window| window == [token; 32]).unwrap();
        if token < 3 {
            bytes[place..place + 32].fill(0);
        }
    }
    fs::write(&journal, &bytes).unwrap();
    let ledger = LedgerFolder::open(folder.path()).unwrap();
    assert!(ledger.spend(today, [3; 32], yesterday).await.unwrap());
}

#[tokio::test]
async fn spent_tokens_outlive_a_stop_and_are_forgotten_with_their_day() {
    let folder = tempfile::tempdir().unwrap();
    let name = |token: u16| {
        let mut name = [7; 32];
        name[..2].copy_from_slice(&token.to_be_bytes());
        name
    };
    let kept = |ledger: &LedgerFolder| ledger.counts().unwrap().last().copied().unwrap().1;
    let ledger = LedgerFolder::open(folder.path()).unwrap();
    for token in 0..600 {
        assert!(ledger.spend(Day(100), name(token), Day(99)).await.unwrap());
        assert!(!ledger.spend(Day(100), name(token), Day(99)).await.unwrap());
    }
    // Those that wait go with whatever is written next.
    assert_eq!(kept(&ledger), 512);
    ledger.keep(Note::Served, vec![1].into()).await.unwrap();
    assert_eq!(kept(&ledger), 600);
    assert!(ledger.spend(Day(101), name(0), Day(100)).await.unwrap());
    drop(ledger);
    let ledger = LedgerFolder::open(folder.path()).unwrap();
    assert_eq!(kept(&ledger), 601);
    for token in 0..600 {
        assert!(!ledger.spend(Day(100), name(token), Day(100)).await.unwrap());
    }
    assert!(!ledger.spend(Day(101), name(0), Day(100)).await.unwrap());
    assert!(ledger.spend(Day(102), name(0), Day(101)).await.unwrap());
    drop(ledger);
    let ledger = LedgerFolder::open(folder.path()).unwrap();
    assert_eq!(kept(&ledger), 2);
}

#[tokio::test]
async fn damage_in_the_ledger_before_its_end_is_said_and_nothing_is_cut() {
    let (folder, journal, mut bytes, places) = appended().await;
    bytes[places[1]] ^= 0xff;
    fs::write(&journal, &bytes).unwrap();
    let error = LedgerFolder::open(folder.path()).err().unwrap();
    assert!(matches!(error, OpenError::Journal), "{error}");
    assert_eq!(fs::read(&journal).unwrap(), bytes);
    assert!(!folder.path().join("ledger.cut").exists());
}
