// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is in the log, what has settled, and what of it a new process finds: all that was answered, and nothing twice.

use std::path::Path;

use nodoor_server::storage::{
    Append, Day, Delivered, EntryRecord, Mailboxes as _, NewEntry, Op, Outcome, RoomName,
    Storage as _,
};
use nodoor_store_embedded::Folder;
use nodoor_wire::{
    id::{AccountId, BodyId, DeviceId, HourKeyId},
    proto,
    sealed::{body_disk_name, release_check},
};

const ALICE: DeviceId = DeviceId([0xa1; 16]);
const ROOM: RoomName = RoomName([7; 32]);
const TODAY: Day = Day(20_000);
/// Together more than the log holds.
const MESSAGES: u64 = 400;
const BODY: usize = 60_000;

fn body_id(number: u64) -> BodyId {
    BodyId((u128::from(number) << 64 | 5).to_be_bytes())
}

fn send(number: u64, sequence: u64) -> Op {
    let mut once = [9; 32];
    once[..8].copy_from_slice(&number.to_be_bytes());
    let salt = [3; 16];
    let record = EntryRecord {
        key_id: HourKeyId([9; 8]),
        salt,
        release_check: release_check(&body_id(number), &salt),
        sealed: vec![1; 50].into(),
    };
    let append = Append {
        once,
        body_name: body_disk_name(&body_id(number)),
        body: vec![2; BODY].into(),
        entries: vec![NewEntry { device: ALICE, sequence, record }],
        day: TODAY,
    };
    Op::Append { head: (ROOM, 0), append }
}

async fn one(store: &Folder, operation: Op) -> Outcome {
    store.commit(vec![operation]).await.unwrap().pop().unwrap()
}

async fn alice(store: &Folder) {
    let list = proto::SignedList { body: vec![1; 40].into(), signatures: Vec::new() };
    let register = Op::Register {
        account: AccountId([1; 16]),
        list,
        handle: nodoor_wire::handle::Handle::parse("alice").unwrap(),
        handle_claim: proto::SignedBytes::default(),
        device: ALICE,
        mailbox_key: vec![1; 64].into(),
        mailbox_key_made_at_ms: 5,
    };
    assert_eq!(one(store, register).await, Outcome::Done);
    let found =
        Op::FoundRoom { room: ROOM, key_check: [1; 32], roster: vec![1; 9].into(), day: TODAY };
    assert_eq!(one(store, found).await, Outcome::Done);
}

/// Her sequences, and that each has its body.
async fn waiting(store: &Folder) -> Vec<u64> {
    let entries = store.entries(ALICE, 0, 10_000).await.unwrap();
    let sequences: Vec<u64> = entries.into_iter().map(|(sequence, _)| sequence).collect();
    for sequence in &sequences {
        let bodies = store.bodies(vec![body_id(*sequence)]).await.unwrap();
        assert_eq!(bodies, [Some(vec![2; BODY].into())]);
    }
    sequences
}

fn counted(store: &Folder, what: &str) -> u64 {
    store.counts().unwrap().into_iter().find(|(words, _)| *words == what).unwrap().1
}

async fn acknowledge(store: &Folder, up_to: u64, from: u64) {
    let releases = (from..=up_to).map(|sequence| (sequence, body_id(sequence))).collect();
    let acknowledge = Op::Acknowledge { device: ALICE, up_to, releases };
    assert_eq!(one(store, acknowledge).await, Outcome::Done);
}

/// The folder as a process leaves it that ends here and now.
fn killed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for path in crate::folder::files(folder) {
        let to = copy.path().join(path.strip_prefix(folder).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&path, to).unwrap();
    }
    copy
}

#[tokio::test]
async fn what_outgrows_the_log_settles_and_all_of_it_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open_with_reserve(folder.path(), 0).unwrap();
    alice(&store).await;
    for number in 1..=MESSAGES {
        let now = Outcome::Appended(vec![Delivered::Now]);
        assert_eq!(one(&store, send(number, number)).await, now);
    }
    // The first are in trees by now, the last in the log; she reads some of both, in pages.
    acknowledge(&store, 100, 1).await;
    let expected: Vec<u64> = (101..=MESSAGES).collect();
    assert_eq!(waiting(&store).await, expected);
    let page = store.entries(ALICE, 150, 7).await.unwrap();
    let page: Vec<u64> = page.into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(page, (151..=157).collect::<Vec<u64>>());

    let copy = killed(folder.path());
    let again = Folder::open_with_reserve(copy.path(), 0).unwrap();
    assert_eq!(waiting(&again).await, expected);
    assert_eq!(again.mailbox(ALICE).await.unwrap().unwrap().acknowledged, 100);
    let before = Outcome::Appended(vec![Delivered::Before]);
    assert_eq!(one(&again, send(1, 500)).await, before, "settled, and remembered");
    assert_eq!(one(&again, send(MESSAGES, 500)).await, before, "logged, and remembered");
    assert_eq!(counted(&again, "entries that wait"), MESSAGES - 100);

    for store in [store, again] {
        acknowledge(&store, 300, 101).await;
        acknowledge(&store, MESSAGES, 301).await;
        assert_eq!(waiting(&store).await, []);
        assert_eq!(counted(&store, "entries that wait"), 0);
        assert_eq!(counted(&store, "bodies that wait"), 0);
        let mailbox = store.mailbox(ALICE).await.unwrap().unwrap();
        assert_eq!((mailbox.acknowledged, mailbox.last), (MESSAGES, MESSAGES));
    }
}

#[tokio::test]
async fn what_was_read_at_once_leaves_nothing_and_its_sequences_are_not_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open_with_reserve(folder.path(), 0).unwrap();
    alice(&store).await;
    for number in 1..=20 {
        one(&store, send(number, number)).await;
        acknowledge(&store, number, number).await;
    }
    let copy = killed(folder.path());
    let again = Folder::open_with_reserve(copy.path(), 0).unwrap();
    assert_eq!(again.mailbox(ALICE).await.unwrap().unwrap().last, 20);
    assert_eq!(counted(&again, "entries that wait") + counted(&again, "bodies that wait"), 0);
    assert_eq!(counted(&again, "sendings remembered"), 20);
}
