// SPDX-License-Identifier: AGPL-3.0-or-later
//! Opening: the format, the lock, the disk's end.

use std::fs;

use nodoor_server::storage::{
    Day, Op, Outcome, RoomName, Rooms as _, Storage as _, StorageError, Tokens as _,
};
use nodoor_store_embedded::{Folder, OpenError};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, DeviceId, TokenHash},
};

fn found(room: u8) -> Op {
    let roster = vec![room; 100].into();
    Op::FoundRoom { room: RoomName([room; 32]), key_check: [1; 32], roster, day: Day(1) }
}

#[tokio::test]
async fn a_folder_is_opened_by_one_process_and_keeps_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deeper/data");
    let first = Folder::open(&path).unwrap();
    assert!(matches!(Folder::open(&path), Err(OpenError::InUse)));
    let deployment = first.deployment();
    drop(first);
    let again = Folder::open(&path).unwrap();
    assert_eq!(again.deployment(), deployment);
    let other = tempfile::tempdir().unwrap();
    assert_ne!(Folder::open(other.path()).unwrap().deployment(), deployment);
}

#[test]
fn a_newer_format_and_a_foreign_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Folder::open(folder.path()).unwrap());
    let format = folder.path().join("format");
    let text = fs::read_to_string(&format).unwrap();
    let refused = |text: &str| {
        fs::write(&format, text).unwrap();
        Folder::open(folder.path()).err().unwrap()
    };
    let newer = refused(&text.replacen('1', "2", 1));
    assert!(matches!(newer, OpenError::Newer { found: 2, known: 1 }));
    assert_eq!(
        newer.to_string(),
        "the data folder has format 2, this program knows formats up to 1"
    );
    assert!(matches!(refused("1\n"), OpenError::NotADataFolder));
    assert!(matches!(refused(""), OpenError::NotADataFolder));
    fs::write(&format, text).unwrap();
    assert!(Folder::open(folder.path()).is_ok());

    let foreign = tempfile::tempdir().unwrap();
    fs::write(foreign.path().join("letters.txt"), "dear").unwrap();
    assert!(matches!(Folder::open(foreign.path()), Err(OpenError::NotADataFolder)));
}

#[tokio::test]
async fn a_disk_without_room_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open_with_reserve(folder.path(), u64::MAX).unwrap();
    assert_eq!(store.commit(vec![found(1)]).await, Err(StorageError::Full));
    assert_eq!(store.room(RoomName([1; 32])).await, Ok(None));
    drop(store);
    let store = Folder::open_with_reserve(folder.path(), 0).unwrap();
    assert!(store.commit(vec![found(1)]).await.is_ok());
}

#[tokio::test]
async fn a_disk_with_little_room_lets_everybody_make_some() {
    let folder = tempfile::tempdir().unwrap();
    let device = DeviceId([7; 16]);
    let hashes = vec![TokenHash([1; 32])];
    let handle = Handle::parse("alice").unwrap();
    let signed = nodoor_wire::proto::SignedBytes::default();
    let register = Op::Register {
        account: AccountId([1; 16]),
        list: nodoor_wire::proto::SignedList::default(),
        handle,
        handle_claim: signed,
        device,
        mailbox_key: vec![1; 64].into(),
        mailbox_key_made_at_ms: 1,
    };
    let put = Op::PutTokens { device, hashes: hashes.clone(), of_key_packages: false };
    let store = Folder::open_with_reserve(folder.path(), 0).unwrap();
    let stored = store.commit(vec![register, put.clone()]).await;
    assert_eq!(stored, Ok(vec![Outcome::Done, Outcome::Done]));
    drop(store);
    // Twice as much as there is: less than the reserve is free, and more than a fourth of it.
    let disk = rustix::fs::statvfs(folder.path()).unwrap();
    let reserve = 2 * disk.f_bavail * disk.f_frsize;
    let store = Folder::open_with_reserve(folder.path(), reserve).unwrap();
    let delete = Op::DeleteTokens { device, hashes: hashes.clone() };
    let outcomes = store.commit(vec![found(1), delete, put]).await;
    assert_eq!(outcomes, Ok(vec![Outcome::Full, Outcome::Done, Outcome::Full]));
    assert_eq!(store.mailboxes_of(hashes).await, Ok(vec![None]));
}

/// A folder of 100 rooms; then one byte of room 50's record is changed in every file that has it.
async fn damaged() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    for room in 0..100 {
        store.commit(vec![found(room)]).await.unwrap();
    }
    drop(store);
    let mut turned = 0;
    for path in files(folder.path()) {
        let mut bytes = fs::read(&path).unwrap();
        let value = bytes.windows(100).position(|window| window == [50; 100]);
        if let Some(place) = value {
            bytes[place + 50] ^= 0xff;
            fs::write(&path, bytes).unwrap();
            turned += 1;
        }
    }
    assert!(turned > 0);
    folder
}

#[tokio::test]
async fn a_damaged_value_is_said() {
    let folder = damaged().await;
    assert!(matches!(Folder::open(folder.path()), Err(OpenError::Journal)));
}

#[tokio::test]
async fn a_journal_that_ends_early_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    for room in 0..100 {
        store.commit(vec![found(room)]).await.unwrap();
    }
    drop(store);
    let journals = files(folder.path());
    let journal = journals.iter().find(|path| path.extension().is_some_and(|e| e == "jnl"));
    let journal = journal.unwrap();
    let bytes = fs::read(journal).unwrap();
    let place = bytes.windows(100).position(|window| window == [50; 100]).unwrap();
    fs::File::options().write(true).open(journal).unwrap().set_len(place as u64).unwrap();
    assert!(matches!(Folder::open(folder.path()), Err(OpenError::Lost { commits: 50 })));
    // The operator goes on without them.
    fs::remove_file(folder.path().join("commits")).unwrap();
    let store = Folder::open(folder.path()).unwrap();
    assert!(store.room(RoomName([49; 32])).await.unwrap().is_some());
    assert!(store.room(RoomName([50; 32])).await.unwrap().is_none());
}

pub(crate) fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}
