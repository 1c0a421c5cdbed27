// SPDX-License-Identifier: AGPL-3.0-or-later
//! The suite of every store: what the server relies on, said once.
//!
//! A store's tests call [`all`] with a [`Factory`]. A broken promise comes back as a sentence.

use std::collections::HashSet;

use bytes::Bytes;
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, BodyId, DeviceId, HourKeyId, TokenHash},
    limits::{
        IDLE_DAYS, KEEP_DAYS, KEY_PACKAGES, ONCE_DAYS, PUSH_DAYS, PUSH_RENEW_DAYS, TOKENS,
        UNMOVED_DAYS,
    },
    proto,
    sealed::{body_disk_name, release_check},
};

use crate::{
    storage::{
        Accounts, Append, Day, Delivered, EntryRecord, HourKeyRecord, KeyPackages, Mailboxes,
        MoveRoom, NewEntry, Op, Outcome, RoomName, Rooms, Storage, StorageError, Taken,
        TokenRecord,
    },
    writer::block_on,
};

/// Makes the stores that the suite runs on.
pub trait Factory {
    /// The store.
    type Store: Storage;
    /// A new, empty one.
    fn make(&mut self) -> Self::Store;
    /// What is there after the process that held this store has gone.
    fn reopen(&mut self, store: Self::Store) -> Self::Store;
}

/// A promise that the store did not keep.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// What was expected.
    #[error("not so: {0}")]
    Promise(&'static str),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The suite's own data is wrong.
    #[error("the suite is wrong")]
    Suite,
}

pub(crate) type Checked = Result<(), Violation>;

/// Runs everything, each on a store of its own.
///
/// # Errors
/// The first [`Violation`].
pub fn all<F: Factory>(factory: &mut F) -> Checked {
    for check in [
        accounts_and_handles_are_taken_once,
        a_handle_moves_to_one_account,
        lists_follow_one_another,
        a_removed_device_leaves_nothing,
        tokens_lead_to_whoever_had_them_first,
        key_packages_live_once,
        room_heads_move_by_compare_and_swap,
        a_commit_repeated_repeats_its_appends_once,
        appends_happen_once_and_at_the_head_only,
        a_group_sees_itself,
        an_acknowledgement_releases_its_own_body_and_no_other,
        what_is_old_goes_and_no_sequence_comes_back,
        a_sweep_takes_the_oldest_hours_and_no_others,
        rooms_that_nobody_uses_go,
        a_mailbox_has_so_many_tokens_and_no_more,
        a_device_with_much_leaves_nothing_once_swept,
        a_later_mailbox_key_replaces_an_earlier_one,
        a_device_is_called_where_it_said_last,
    ] {
        check(&factory.make())?;
    }
    packages_are_taken_once_by_many(&factory.make())?;
    everything_answered_is_there_afterwards(factory)
}

const ALICE: DeviceId = DeviceId([0xa1; 16]);
const BOB: DeviceId = DeviceId([0xb0; 16]);
const ACCOUNT: AccountId = AccountId([1; 16]);
const OTHER: AccountId = AccountId([2; 16]);
const ROOM: RoomName = RoomName([7; 32]);
const TODAY: Day = Day(20_000);

pub(crate) fn ensure(kept: bool, promise: &'static str) -> Checked {
    if kept { Ok(()) } else { Err(Violation::Promise(promise)) }
}

fn one(store: &impl Storage, operation: Op) -> Result<Outcome, Violation> {
    let mut outcomes = block_on(store.commit(vec![operation]))?;
    ensure(outcomes.len() == 1, "there is one outcome for each operation")?;
    outcomes.pop().ok_or(Violation::Suite)
}

fn expect(
    store: &impl Storage,
    operation: Op,
    outcome: &Outcome,
    promise: &'static str,
) -> Checked {
    ensure(one(store, operation)? == *outcome, promise)
}

fn signed_list(version: u8) -> proto::SignedList {
    proto::SignedList { body: vec![version; 40].into(), signatures: Vec::new() }
}

fn signed_bytes(byte: u8, signer: &DeviceId) -> proto::SignedBytes {
    proto::SignedBytes {
        body: vec![byte; 30].into(),
        signer: signer.to_bytes(),
        signature: vec![byte; 64].into(),
    }
}

fn register(account: AccountId, device: DeviceId, handle: &str) -> Result<Op, Violation> {
    Ok(Op::Register {
        account,
        list: signed_list(1),
        handle: Handle::parse(handle).map_err(|_| Violation::Suite)?,
        handle_claim: signed_bytes(1, &device),
        device,
        mailbox_key: vec![device.0[0]; 64].into(),
        mailbox_key_made_at_ms: 5,
    })
}

fn alice_and_bob(store: &impl Storage) -> Checked {
    expect(store, register(ACCOUNT, ALICE, "alice")?, &Outcome::Done, "an account is made")?;
    expect(store, register(OTHER, BOB, "bob")?, &Outcome::Done, "another account is made")?;
    let found = found(ROOM, 1);
    expect(store, found, &Outcome::Done, "a room is founded")
}

fn found(room: RoomName, roster: u8) -> Op {
    Op::FoundRoom { room, key_check: [1; 32], roster: vec![roster; 9].into(), day: TODAY }
}

fn put_list(version: u64, added: &[DeviceId], removed: &[DeviceId]) -> Op {
    Op::PutList {
        account: ACCOUNT,
        version,
        list: signed_list(u8::try_from(version).unwrap_or(u8::MAX)),
        added: added.to_vec(),
        removed: removed.to_vec(),
    }
}

fn body_id(number: u8) -> BodyId {
    BodyId([number; 16])
}

/// A body into mailboxes at these sequences; the once key follows from `number`.
fn append(number: u8, to: &[(DeviceId, u64)], day: Day) -> Append {
    let entries = to.iter().map(|(device, sequence)| {
        let salt = [number ^ device.0[0]; 16];
        NewEntry {
            device: *device,
            sequence: *sequence,
            record: EntryRecord {
                key_id: HourKeyId([9; 8]),
                salt,
                release_check: release_check(&body_id(number), &salt),
                sealed: vec![number; 50].into(),
            },
        }
    });
    Append {
        once: [number; 32],
        body_name: body_disk_name(&body_id(number)),
        body: vec![number; 100].into(),
        entries: entries.collect(),
        day,
    }
}

fn send(epoch: u64, append: Append) -> Op {
    Op::Append { head: (ROOM, epoch), append }
}

fn commit(epoch: u64, id: u8, appends: Vec<Append>) -> Op {
    Op::MoveRoom(Box::new(MoveRoom {
        room: ROOM,
        epoch,
        commit_id: [id; 32],
        commit: vec![id; 70].into(),
        next_key_check: [id; 32],
        next_roster: vec![id; 9].into(),
        appends,
        day: TODAY,
    }))
}

fn acknowledge(device: DeviceId, up_to: u64, releases: &[(u64, BodyId)]) -> Op {
    Op::Acknowledge { device, up_to, releases: releases.to_vec() }
}

fn sequences(store: &impl Storage, device: DeviceId) -> Result<Vec<u64>, Violation> {
    let entries = block_on(store.entries(device, 0, 10_000))?;
    Ok(entries.into_iter().map(|(sequence, _)| sequence).collect())
}

fn has_body(store: &impl Storage, number: u8) -> Result<bool, Violation> {
    Ok(block_on(store.bodies(vec![body_id(number)]))? == [Some(vec![number; 100].into())])
}

fn accounts_and_handles_are_taken_once(store: &impl Storage) -> Checked {
    let alice = register(ACCOUNT, ALICE, "alice")?;
    expect(store, alice.clone(), &Outcome::Done, "an account is made")?;
    expect(store, alice, &Outcome::Done, "the same registration again is the same yes")?;
    let taken = register(OTHER, BOB, "alice")?;
    expect(store, taken, &Outcome::HandleTaken, "a handle belongs to one account")?;
    let renamed = register(ACCOUNT, ALICE, "alice2")?;
    // The claim's bytes are the same here, so this is the same registration to the store.
    expect(store, renamed, &Outcome::Done, "an account keeps what it registered first")?;
    let free = block_on(store.handle(Handle::parse("alice2").map_err(|_| Violation::Suite)?))?;
    ensure(free.is_none(), "a repeated registration takes no second handle")?;
    let mut other = register(ACCOUNT, ALICE, "alice")?;
    if let Op::Register { list, .. } = &mut other {
        *list = signed_list(9);
    }
    expect(store, other, &Outcome::Conflict, "an account has one first list")?;
    let handle = Handle::parse("alice").map_err(|_| Violation::Suite)?;
    ensure(block_on(store.handle(handle))? == Some(ACCOUNT), "a handle finds its account")?;
    let record = block_on(store.account(ACCOUNT))?.ok_or(Violation::Promise("it is there"))?;
    ensure(record.lists == [signed_list(1)], "the list is kept byte for byte")?;
    ensure(block_on(store.account(OTHER))?.is_none(), "a refused account is not there")?;
    ensure(block_on(store.mailbox(BOB))?.is_none(), "nor is its mailbox")
}

fn a_handle_moves_to_one_account(store: &impl Storage) -> Checked {
    expect(store, register(ACCOUNT, ALICE, "alice")?, &Outcome::Done, "an account is made")?;
    expect(store, register(OTHER, BOB, "bob")?, &Outcome::Done, "and another")?;
    let handle = Handle::parse("alice").map_err(|_| Violation::Suite)?;
    let handle_claim = signed_bytes(7, &BOB);
    let moves = |from, to| Op::MoveHandle {
        handle: handle.clone(),
        from,
        to,
        handle_claim: handle_claim.clone(),
        version: 9,
    };
    let nobody = AccountId([0x77; 16]);
    expect(store, moves(OTHER, ACCOUNT), &Outcome::Done, "it is there already")?;
    expect(store, moves(nobody, OTHER), &Outcome::Conflict, "not from who does not hold it")?;
    expect(store, moves(ACCOUNT, nobody), &Outcome::Conflict, "not to nobody")?;
    ensure(block_on(store.handle(handle.clone()))? == Some(ACCOUNT), "nothing moved")?;
    expect(store, moves(ACCOUNT, OTHER), &Outcome::Done, "it moves")?;
    expect(store, moves(ACCOUNT, OTHER), &Outcome::Done, "and again is the same yes")?;
    ensure(block_on(store.handle(handle))? == Some(OTHER), "it finds the other account")?;
    let record = block_on(store.account(ACCOUNT))?.ok_or(Violation::Promise("it is there"))?;
    ensure(record.handle_claim.body.is_empty(), "who lost it claims it no more")?;
    let record = block_on(store.account(OTHER))?.ok_or(Violation::Promise("it is there"))?;
    ensure(record.handle_claim == handle_claim, "who has it claims it")
}

fn lists_follow_one_another(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let added = DeviceId([0xa2; 16]);
    expect(store, put_list(3, &[], &[]), &Outcome::Conflict, "no version is left out")?;
    expect(store, put_list(1, &[], &[]), &Outcome::Done, "the newest again is the same yes")?;
    expect(store, put_list(2, &[added], &[]), &Outcome::Done, "the next version stands")?;
    expect(store, put_list(2, &[added], &[]), &Outcome::Done, "and again is the same yes")?;
    let mut rival = put_list(2, &[added], &[]);
    if let Op::PutList { list, .. } = &mut rival {
        *list = signed_list(99);
    }
    expect(store, rival, &Outcome::Conflict, "a version has one list")?;
    let record = block_on(store.account(ACCOUNT))?.ok_or(Violation::Promise("it is there"))?;
    ensure(record.lists == [signed_list(1), signed_list(2)], "all lists are kept in order")?;
    let mailbox = block_on(store.mailbox(added))?;
    ensure(mailbox.is_some_and(|m| m.key.is_empty()), "an added device has an empty mailbox")?;
    for byte in [5, 6] {
        let dispute =
            Op::PutDispute { account: ACCOUNT, device: BOB, dispute: signed_bytes(byte, &BOB) };
        expect(store, dispute, &Outcome::Done, "a dispute is taken")?;
    }
    let record = block_on(store.account(ACCOUNT))?.ok_or(Violation::Promise("it is there"))?;
    ensure(record.disputes == [signed_bytes(5, &BOB)], "a device disputes once")
}

fn a_removed_device_leaves_nothing(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let token = TokenHash([3; 32]);
    one(store, put_tokens(ALICE, vec![token]))?;
    one(store, packages(ALICE, 0..2, true))?;
    one(store, hour_key(ALICE, TODAY))?;
    one(store, send(0, append(1, &[(ALICE, 1), (BOB, 1)], TODAY)))?;
    expect(store, put_list(2, &[], &[ALICE]), &Outcome::Done, "a device is removed")?;
    ensure(block_on(store.mailbox(ALICE))?.is_none(), "its mailbox is gone")?;
    ensure(sequences(store, ALICE)?.is_empty(), "its entries are gone")?;
    ensure(sequences(store, BOB)? == [1], "others keep theirs")?;
    ensure(led_to(store, vec![token])? == [None], "its tokens are gone")?;
    let hour = block_on(store.hour_key(ALICE, HourKeyId([9; 8])))?;
    ensure(hour.is_none(), "its hour keys are gone")?;
    let taken = one(store, Op::TakeKeyPackages { devices: vec![ALICE] })?;
    ensure(taken == Outcome::Taken(vec![None]), "its key packages are gone")?;
    let again = one(store, send(0, append(2, &[(ALICE, 2), (BOB, 2)], TODAY)))?;
    let expected = Outcome::Appended(vec![Delivered::Nowhere, Delivered::Now]);
    ensure(again == expected, "nothing is appended to it")?;
    for operation in [
        put_tokens(ALICE, vec![token]),
        packages(ALICE, 2..3, true),
        Op::PutMailboxKey { device: ALICE, key: vec![1].into(), made_at_ms: 9 },
    ] {
        expect(store, operation, &Outcome::Gone, "nothing is put for it")?;
    }
    Ok(())
}

fn tokens_lead_to_whoever_had_them_first(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let (first, second) = (TokenHash([3; 32]), TokenHash([4; 32]));
    let put = |device, hash| put_tokens(device, vec![hash]);
    expect(store, put(ALICE, first), &Outcome::Done, "a token is registered")?;
    expect(store, put(ALICE, first), &Outcome::Done, "and again")?;
    expect(store, put(BOB, first), &Outcome::Done, "another's attempt is not told apart")?;
    one(store, put(BOB, second))?;
    let found = led_to(store, vec![second, TokenHash([5; 32]), first])?;
    ensure(found == [Some(BOB), None, Some(ALICE)], "each leads to its first holder, in order")?;
    one(store, Op::DeleteTokens { device: BOB, hashes: vec![first, second] })?;
    let found = led_to(store, vec![first, second])?;
    ensure(found == [Some(ALICE), None], "one deletes one's own alone")?;
    // A token of a key package is one until its own device says otherwise, and never becomes one.
    let of_packages = |device, hash| {
        let hashes = vec![hash];
        Op::PutTokens { device, hashes, of_key_packages: true }
    };
    let of = |device, of_key_package| Some(TokenRecord { device, of_key_package });
    let found = || block_on(store.mailboxes_of(vec![first, second]));
    one(store, of_packages(BOB, second))?;
    one(store, of_packages(ALICE, first))?;
    one(store, put(ALICE, second))?;
    ensure(found()? == [of(ALICE, false), of(BOB, true)], "of a key package is known as such")?;
    one(store, put(BOB, second))?;
    ensure(found()? == [of(ALICE, false), of(BOB, false)], "until its device says otherwise")?;
    one(store, of_packages(BOB, second))?;
    ensure(found()? == [of(ALICE, false), of(BOB, false)], "for good")
}

fn put_tokens(device: DeviceId, hashes: Vec<TokenHash>) -> Op {
    Op::PutTokens { device, hashes, of_key_packages: false }
}

fn led_to(
    store: &impl Storage,
    hashes: Vec<TokenHash>,
) -> Result<Vec<Option<DeviceId>>, Violation> {
    let found = block_on(store.mailboxes_of(hashes))?;
    Ok(found.into_iter().map(|token| token.map(|token| token.device)).collect())
}

fn packages(device: DeviceId, numbers: std::ops::Range<u8>, last_resort: bool) -> Op {
    Op::PutKeyPackages {
        device,
        single_use: numbers.map(|number| Bytes::from(vec![number, device.0[0], 1])).collect(),
        last_resort: if last_resort { vec![0xff; 3].into() } else { Bytes::new() },
        renew: false,
        day: TODAY,
    }
}

fn renewed(mut put: Op) -> Op {
    if let Op::PutKeyPackages { renew, .. } = &mut put {
        *renew = true;
    }
    put
}

fn take(store: &impl Storage, device: DeviceId) -> Result<Option<Taken>, Violation> {
    match one(store, Op::TakeKeyPackages { devices: vec![device] })? {
        Outcome::Taken(mut taken) => Ok(taken.pop().flatten()),
        _ => Err(Violation::Promise("a take is answered with what was taken")),
    }
}

fn key_packages_live_once(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    ensure(take(store, ALICE)?.is_none(), "there is none before one was put")?;
    expect(store, packages(ALICE, 0..2, true), &Outcome::Done, "they are put")?;
    expect(store, packages(ALICE, 0..2, false), &Outcome::Done, "they are put again")?;
    ensure(block_on(store.key_packages_left(ALICE))? == 2, "the same bytes count once")?;
    let first = take(store, ALICE)?.ok_or(Violation::Promise("one is taken"))?;
    let second = take(store, ALICE)?.ok_or(Violation::Promise("the second is taken"))?;
    ensure(!first.last_resort && !second.last_resort, "single-use ones go first")?;
    ensure(first.key_package != second.key_package, "none is handed out twice")?;
    for _ in 0..2 {
        let last = take(store, ALICE)?.ok_or(Violation::Promise("the last resort stays"))?;
        ensure(last.last_resort, "the last resort comes when they are used up")?;
    }
    one(store, packages(ALICE, 0..2, false))?;
    ensure(block_on(store.key_packages_left(ALICE))? == 0, "a taken one does not come back")?;
    let most = u8::try_from(KEY_PACKAGES).map_err(|_| Violation::Suite)?;
    one(store, packages(BOB, 0..most, false))?;
    one(store, packages(BOB, most..most + 9, false))?;
    let left = block_on(store.key_packages_left(BOB))?;
    ensure(left as usize == KEY_PACKAGES, "a device keeps so many and no more")?;
    // The same twice, as after a lost answer: the old ones go, the new ones stay.
    for _ in 0..2 {
        one(store, renewed(packages(BOB, most..most + 3, false)))?;
        let left = block_on(store.key_packages_left(BOB))?;
        ensure(left == 3, "what is renewed takes the place of all before")?;
    }
    let both = one(store, Op::TakeKeyPackages { devices: vec![BOB, DeviceId([3; 16]), BOB] })?;
    let Outcome::Taken(both) = both else { return Err(Violation::Promise("taken")) };
    ensure(both.len() == 3 && both.get(1) == Some(&None), "the answer is in the order asked")?;
    ensure(both.first() != both.get(2), "two of one device are two")
}

fn packages_are_taken_once_by_many(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    one(store, packages(ALICE, 0..40, false))?;
    let results: Vec<Result<Vec<Taken>, Violation>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut all = Vec::new();
                    while let Some(taken) = take(store, ALICE)? {
                        all.push(taken);
                    }
                    Ok(all)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or(Err(Violation::Promise("it panics"))))
            .collect()
    });
    let mut all = Vec::new();
    for taken in results {
        all.extend(taken?.into_iter().map(|taken| taken.key_package));
    }
    let different: HashSet<&Bytes> = all.iter().collect();
    ensure(all.len() == 40 && different.len() == 40, "many takers take each package once")
}

fn room_heads_move_by_compare_and_swap(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let found = |roster: u8| found(ROOM, roster);
    expect(store, found(1), &Outcome::Done, "the same founding again is the same yes")?;
    expect(store, found(2), &Outcome::Conflict, "another's founding is refused")?;
    expect(store, commit(1, 5, vec![]), &Outcome::Stale(Some(0)), "no epoch is left out")?;
    expect(store, commit(0, 5, vec![]), &Outcome::Moved(vec![]), "the head moves")?;
    expect(store, commit(0, 6, vec![]), &Outcome::Stale(Some(1)), "heads are final")?;
    expect(store, commit(0, 5, vec![]), &Outcome::Moved(vec![]), "the same one: the same yes")?;
    expect(store, commit(1, 6, vec![]), &Outcome::Moved(vec![]), "and on it goes")?;
    expect(store, commit(0, 5, vec![]), &Outcome::Moved(vec![]), "the same one, much later")?;
    expect(store, found(1), &Outcome::Done, "the same founding, much later")?;
    expect(store, found(2), &Outcome::Conflict, "another's founding, much later")?;
    let head = block_on(store.room(ROOM))?.ok_or(Violation::Promise("the room is there"))?;
    ensure(head.epoch == 2 && head.key_check == [6; 32], "the head is the last commit's")?;
    let past = block_on(store.epoch(ROOM, 1))?.ok_or(Violation::Promise("the past is kept"))?;
    ensure(past.key_check == [5; 32], "an epoch keeps its own key check")?;
    ensure(past.roster == vec![5; 9] && past.commit == vec![6; 70], "its roster and its commit")?;
    ensure(past.commit_id == [6; 32] && past.day == TODAY, "its commit's id and day")?;
    let Op::MoveRoom(mut nowhere) = commit(0, 1, vec![]) else { return Err(Violation::Suite) };
    nowhere.room = RoomName([8; 32]);
    expect(store, Op::MoveRoom(nowhere), &Outcome::Stale(None), "an unknown room has no head")
}

fn a_commit_repeated_repeats_its_appends_once(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let of = |sequence| {
        vec![append(1, &[(ALICE, sequence)], TODAY), append(2, &[(BOB, sequence)], TODAY)]
    };
    let now = Outcome::Moved(vec![vec![Delivered::Now], vec![Delivered::Now]]);
    expect(store, commit(0, 5, of(1)), &now, "a commit brings its frame and its Welcome")?;
    let before = Outcome::Moved(vec![vec![Delivered::Before], vec![Delivered::Before]]);
    expect(store, commit(0, 5, of(2)), &before, "again it brings nothing new")?;
    expect(store, commit(0, 6, of(3)), &Outcome::Stale(Some(1)), "a late one brings nothing")?;
    ensure(sequences(store, ALICE)? == [1] && sequences(store, BOB)? == [1], "one entry each")
}

fn appends_happen_once_and_at_the_head_only(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let both = |n, a, b| append(n, &[(ALICE, a), (BOB, b)], TODAY);
    let now = Outcome::Appended(vec![Delivered::Now, Delivered::Now]);
    expect(store, send(0, both(1, 1, 1)), &now, "a body goes to both")?;
    let before = Outcome::Appended(vec![Delivered::Before, Delivered::Before]);
    expect(store, send(0, both(1, 2, 2)), &before, "the same sending again goes to nobody")?;
    one(store, acknowledge(ALICE, 1, &[(1, body_id(1))]))?;
    expect(store, send(0, both(1, 3, 3)), &before, "nor after it was acknowledged")?;
    expect(store, send(1, both(2, 4, 4)), &Outcome::Stale(Some(0)), "not ahead of the head")?;
    one(store, commit(0, 5, vec![]))?;
    expect(store, send(0, both(2, 4, 4)), &Outcome::Stale(Some(1)), "not behind it")?;
    ensure(
        sequences(store, ALICE)?.is_empty() && sequences(store, BOB)? == [1],
        "no more entries",
    )?;
    expect(store, send(1, both(2, 4, 4)), &now, "at it")?;
    let page = block_on(store.entries(BOB, 1, 10))?;
    let expected = append(2, &[(BOB, 4)], TODAY).entries.pop().map(|entry| (4, entry.record));
    ensure(
        page.first() == expected.as_ref() && page.len() == 1,
        "a page begins after what is asked",
    )?;
    ensure(block_on(store.entries(BOB, 0, 1))?.len() == 1, "and has no more than asked")?;
    let unknown = Op::Append { head: (RoomName([8; 32]), 0), append: both(3, 5, 5) };
    expect(store, unknown, &Outcome::Stale(None), "an unknown room has no head")
}

fn a_group_sees_itself(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let outcomes = block_on(store.commit(vec![
        send(0, append(1, &[(ALICE, 1), (BOB, 1)], TODAY)),
        send(0, append(1, &[(ALICE, 2), (BOB, 2)], TODAY)),
        commit(0, 5, vec![]),
        send(0, append(2, &[(ALICE, 3)], TODAY)),
        commit(0, 6, vec![]),
        send(1, append(3, &[(ALICE, 4)], TODAY)),
        acknowledge(ALICE, 1, &[(1, body_id(1))]),
        acknowledge(BOB, 1, &[(1, body_id(1))]),
        packages(ALICE, 0..1, false),
        Op::TakeKeyPackages { devices: vec![ALICE] },
        Op::TakeKeyPackages { devices: vec![ALICE] },
        put_list(2, &[], &[]),
        put_list(2, &[BOB], &[]),
    ]))?;
    let package = Taken { key_package: vec![0, ALICE.0[0], 1].into(), last_resort: false };
    let expected = [
        Outcome::Appended(vec![Delivered::Now; 2]),
        Outcome::Appended(vec![Delivered::Before; 2]),
        Outcome::Moved(vec![]),
        Outcome::Stale(Some(1)),
        Outcome::Stale(Some(1)),
        Outcome::Appended(vec![Delivered::Now]),
        Outcome::Done,
        Outcome::Done,
        Outcome::Done,
        Outcome::Taken(vec![Some(package)]),
        Outcome::Taken(vec![None]),
        Outcome::Done,
        Outcome::Done,
    ];
    ensure(outcomes == expected, "operations of a group see those before them")?;
    ensure(sequences(store, ALICE)? == [4] && sequences(store, BOB)?.is_empty(), "and so it is")?;
    ensure(!has_body(store, 1)? && has_body(store, 3)?, "bodies too")
}

fn an_acknowledgement_releases_its_own_body_and_no_other(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    for number in 1..=3 {
        let sequence = u64::from(number);
        one(store, send(0, append(number, &[(ALICE, sequence), (BOB, sequence)], TODAY)))?;
    }
    // Another body's id, another's sequence, beyond the cursor, and twice.
    one(store, acknowledge(BOB, 1, &[(1, body_id(2)), (2, body_id(2))]))?;
    ensure(sequences(store, BOB)? == [2, 3], "what is beyond the cursor stays")?;
    one(store, acknowledge(ALICE, 1, &[(1, body_id(1)), (1, body_id(1))]))?;
    one(store, acknowledge(ALICE, 1, &[(1, body_id(1))]))?;
    ensure(has_body(store, 1)?, "two of one entry release one share")?;
    ensure(has_body(store, 2)?, "an entry releases no body but its own")?;
    one(store, acknowledge(BOB, 3, &[(3, body_id(3))]))?;
    one(store, acknowledge(ALICE, 3, &[(3, body_id(3)), (2, body_id(2))]))?;
    ensure(!has_body(store, 3)?, "the last share takes the body")?;
    ensure(has_body(store, 2)?, "a share that was not shown stays")?;
    let mailbox = block_on(store.mailbox(ALICE))?.ok_or(Violation::Promise("it is there"))?;
    ensure(mailbox.acknowledged == 3 && mailbox.last == 3, "the cursor stands")?;
    one(store, acknowledge(ALICE, 2, &[]))?;
    let mailbox = block_on(store.mailbox(ALICE))?.ok_or(Violation::Promise("it is there"))?;
    ensure(mailbox.acknowledged == 3, "it never moves back")?;
    one(store, acknowledge(ALICE, 5000, &[]))?;
    let mailbox = block_on(store.mailbox(ALICE))?.ok_or(Violation::Promise("it is there"))?;
    ensure(mailbox.last == 5000, "beyond the last entry, sequences go on from there")
}

fn hour_key(device: DeviceId, day: Day) -> Op {
    let id = HourKeyId([9; 8]);
    Op::PutHourKey(HourKeyRecord { device, id, sealed: vec![4; 60].into(), day })
}

fn what_is_old_goes_and_no_sequence_comes_back(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    one(store, hour_key(ALICE, TODAY))?;
    one(store, send(0, append(1, &[(ALICE, 7)], TODAY)))?;
    one(store, packages(ALICE, 0..1, false))?;
    one(store, commit(0, 5, vec![]))?;
    let after = |days: u64| Day(TODAY.0 + u32::try_from(days).unwrap_or(0));
    block_on(store.sweep(Day(TODAY.0 - 1)))?;
    block_on(store.sweep(after(ONCE_DAYS)))?;
    let before = Outcome::Appended(vec![Delivered::Before]);
    expect(store, send(1, append(1, &[(ALICE, 8)], TODAY)), &before, "a once key lasts its days")?;
    ensure(block_on(store.sweep(after(ONCE_DAYS + 1)))? == 1, "and goes when they are over")?;
    block_on(store.sweep(after(KEEP_DAYS)))?;
    ensure(sequences(store, ALICE)? == [7] && has_body(store, 1)?, "mail lasts its days")?;
    ensure(block_on(store.epoch(ROOM, 0))?.is_some(), "and so do commits")?;
    block_on(store.sweep(after(KEEP_DAYS + 1)))?;
    ensure(sequences(store, ALICE)?.is_empty() && !has_body(store, 1)?, "then mail goes")?;
    ensure(block_on(store.epoch(ROOM, 0))?.is_none(), "then commits go")?;
    ensure(block_on(store.room(ROOM))?.is_some_and(|room| room.epoch == 1), "heads stay")?;
    let mailbox = block_on(store.mailbox(ALICE))?.ok_or(Violation::Promise("it is there"))?;
    ensure(mailbox.last == 7 && mailbox.acknowledged == 0, "no sequence comes back")
}

fn a_sweep_takes_the_oldest_hours_and_no_others(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    // Keys are named without order: the names say nothing of which hour came first.
    let hours = [(HourKeyId([9; 8]), 0), (HourKeyId([3; 8]), 1), (HourKeyId([6; 8]), 20)];
    let mut sequence = 0_u64;
    for (id, days) in hours {
        let day = Day(TODAY.0 + days);
        let key = HourKeyRecord { device: ALICE, id, sealed: vec![4; 60].into(), day };
        let mut operations = vec![Op::PutHourKey(key)];
        for _ in 0..1300 {
            sequence += 1;
            let mut append = append(1, &[(ALICE, sequence)], day);
            append.once = [0; 32];
            append.once.iter_mut().zip(sequence.to_be_bytes()).for_each(|(to, from)| *to = from);
            append.body_name = append.once;
            append.entries.iter_mut().for_each(|entry| entry.record.key_id = id);
            operations.push(send(0, append));
        }
        block_on(store.commit(operations))?;
    }
    // Some were read, some are read after the sweep.
    one(store, acknowledge(ALICE, 100, &[]))?;
    let after = |days: u64| Day(TODAY.0 + u32::try_from(days).unwrap_or(0));
    block_on(store.sweep(after(KEEP_DAYS + 2)))?;
    let left = sequences(store, ALICE)?;
    ensure(left == (2601..=3900).collect::<Vec<_>>(), "two old hours go, the young one stays")?;
    let mailbox = block_on(store.mailbox(ALICE))?.ok_or(Violation::Promise("it is there"))?;
    ensure(mailbox.done == 2600 && mailbox.last == 3900, "what waits begins after them")?;
    let (old, young) = (HourKeyId([3; 8]), HourKeyId([6; 8]));
    ensure(block_on(store.hour_key(ALICE, old))?.is_none(), "their keys go with them")?;
    ensure(block_on(store.hour_key(ALICE, young))?.is_some(), "and no other")?;
    one(store, acknowledge(ALICE, 3900, &[]))?;
    ensure(sequences(store, ALICE)?.is_empty(), "what stayed is read like any other")
}

fn rooms_that_nobody_uses_go(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let (moved, touched) = (RoomName([8; 32]), RoomName([9; 32]));
    one(store, found(moved, 1))?;
    one(store, found(touched, 1))?;
    let Op::MoveRoom(mut change) = commit(0, 5, vec![]) else { return Err(Violation::Suite) };
    change.room = moved;
    one(store, Op::MoveRoom(change))?;
    let after = |days: u64| Day(TODAY.0 + u32::try_from(days).unwrap_or(0));
    let there = |room: RoomName| Ok::<_, Violation>(block_on(store.room(room))?.is_some());
    block_on(store.sweep(after(UNMOVED_DAYS)))?;
    ensure(there(ROOM)?, "a room waits for its first commit")?;
    expect(store, Op::TouchRoom { room: touched, day: after(5) }, &Outcome::Done, "a touch")?;
    let nowhere = RoomName([10; 32]);
    expect(store, Op::TouchRoom { room: nowhere, day: after(5) }, &Outcome::Done, "of nothing")?;
    ensure(!there(nowhere)?, "a touch founds nothing")?;
    block_on(store.sweep(after(UNMOVED_DAYS + 1)))?;
    ensure(!there(ROOM)?, "but not for ever")?;
    ensure(there(touched)? && there(moved)?, "one that is used stays, and one that moved")?;
    block_on(store.sweep(after(IDLE_DAYS)))?;
    ensure(there(moved)? && !there(touched)?, "for more than a year")?;
    one(store, Op::TouchRoom { room: moved, day: after(IDLE_DAYS) })?;
    block_on(store.sweep(after(IDLE_DAYS + 1)))?;
    ensure(there(moved)?, "and longer when it is used")?;
    block_on(store.sweep(after(2 * IDLE_DAYS + 1)))?;
    ensure(!there(moved)?, "then it goes")?;
    expect(store, found(moved, 2), &Outcome::Done, "and leaves its place")
}

fn tokens(range: std::ops::Range<usize>) -> Vec<TokenHash> {
    let hash = |number: usize| {
        let mut hash = [0; 32];
        hash.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        TokenHash(hash)
    };
    range.map(hash).collect()
}

fn a_mailbox_has_so_many_tokens_and_no_more(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let put = |device, range| put_tokens(device, tokens(range));
    expect(store, put(ALICE, 0..TOKENS - 1), &Outcome::Done, "many tokens are registered")?;
    let last = put(ALICE, TOKENS - 1..TOKENS + 1);
    expect(store, last, &Outcome::TooMany, "but not more")?;
    let both = led_to(store, tokens(TOKENS - 1..TOKENS + 1))?;
    ensure(both == [None, None], "none of those that are too many")?;
    expect(store, put(ALICE, 0..TOKENS), &Outcome::Done, "known ones do not count twice")?;
    expect(store, put(BOB, TOKENS..TOKENS + 1), &Outcome::Done, "others have their own")?;
    one(store, Op::DeleteTokens { device: ALICE, hashes: tokens(0..1) })?;
    expect(store, put(ALICE, TOKENS + 1..TOKENS + 2), &Outcome::Done, "one goes, one comes")
}

fn a_device_with_much_leaves_nothing_once_swept(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let all = tokens(0..TOKENS);
    one(store, put_tokens(ALICE, all.clone()))?;
    let sends = (1..=2500).map(|n: u64| {
        let mut append = append(1, &[(ALICE, n)], TODAY);
        append.once = [0; 32];
        append.once.iter_mut().zip(n.to_be_bytes()).for_each(|(to, from)| *to = from);
        append.body_name = append.once;
        send(0, append)
    });
    block_on(store.commit(sends.collect()))?;
    // A store that keeps what is new apart has put it in its place by now.
    block_on(store.sweep(TODAY))?;
    expect(store, put_list(2, &[], &[ALICE]), &Outcome::Done, "a device is removed")?;
    ensure(block_on(store.mailbox(ALICE))?.is_none(), "its mailbox is gone at once")?;
    block_on(store.sweep(TODAY))?;
    ensure(sequences(store, ALICE)?.is_empty(), "its entries are gone")?;
    let led = led_to(store, all.clone())?;
    ensure(led.iter().all(Option::is_none), "its tokens are gone")?;
    // And when it is listed anew before anybody swept.
    one(store, put_list(3, &[ALICE], &[]))?;
    one(store, put_tokens(ALICE, all.clone()))?;
    one(store, put_list(4, &[], &[ALICE]))?;
    one(store, put_list(5, &[ALICE], &[]))?;
    let led = led_to(store, all)?;
    ensure(led.iter().all(Option::is_none), "what it had before does not come back")
}

fn a_later_mailbox_key_replaces_an_earlier_one(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    for (byte, made_at_ms, stands) in [(1, 4, 0xa1), (2, 5, 0xa1), (3, 6, 3), (4, 6, 3)] {
        let put = Op::PutMailboxKey { device: ALICE, key: vec![byte; 64].into(), made_at_ms };
        expect(store, put, &Outcome::Done, "a mailbox key is taken")?;
        let mailbox = block_on(store.mailbox(ALICE))?.ok_or(Violation::Suite)?;
        ensure(mailbox.key == vec![stands; 64], "the one made last stands")?;
    }
    Ok(())
}

fn a_device_is_called_where_it_said_last(store: &impl Storage) -> Checked {
    alice_and_bob(store)?;
    let put = |device, byte: u8, days: u64| {
        let day = Day(TODAY.0 + u32::try_from(days).unwrap_or(u32::MAX));
        Op::PutPush { device, subscription: vec![byte; 90].into(), day }
    };
    let stands = |device, byte: Option<u8>, promise| {
        let kept = block_on(store.push(device))?;
        ensure(kept == byte.map(|byte| vec![byte; 90].into()), promise)
    };
    let nobody = DeviceId([0xee; 16]);
    expect(store, put(nobody, 1, 0), &Outcome::Gone, "nobody is called who has no mailbox")?;
    for byte in [1, 2] {
        expect(store, put(ALICE, byte, 0), &Outcome::Done, "a subscription is taken")?;
        stands(ALICE, Some(byte), "the last one stands")?;
    }
    stands(BOB, None, "it is of one device")?;
    let failed = |byte: u8| Op::DeletePush { device: ALICE, only: Some(vec![byte; 90].into()) };
    expect(store, failed(1), &Outcome::Done, "one that is over may be told late")?;
    stands(ALICE, Some(2), "one that was replaced takes no other with it")?;
    expect(store, failed(2), &Outcome::Done, "one that failed")?;
    stands(ALICE, None, "goes")?;

    one(store, put(ALICE, 3, 0))?;
    one(store, put(ALICE, 3, PUSH_RENEW_DAYS))?;
    one(store, put(BOB, 4, 0))?;
    one(store, put(BOB, 4, PUSH_RENEW_DAYS + 1))?;
    let after = |days: u64| Day(TODAY.0 + u32::try_from(days).unwrap_or(u32::MAX));
    block_on(store.sweep(after(PUSH_DAYS)))?;
    stands(ALICE, Some(3), "it stands for its time")?;
    block_on(store.sweep(after(PUSH_DAYS + 1)))?;
    stands(ALICE, None, "and goes; said again within the month it kept its day")?;
    stands(BOB, Some(4), "said again later it begins anew")?;
    one(store, put_list(2, &[], &[BOB]))?;
    stands(BOB, None, "with its device it goes")?;
    one(store, put(ALICE, 5, 0))?;
    one(store, Op::DeletePush { device: ALICE, only: None })?;
    stands(ALICE, None, "and when its person says so")
}

fn everything_answered_is_there_afterwards<F: Factory>(factory: &mut F) -> Checked {
    let store = factory.make();
    let deployment = store.deployment();
    alice_and_bob(&store)?;
    one(&store, put_tokens(ALICE, vec![TokenHash([3; 32])]))?;
    one(&store, packages(ALICE, 0..3, true))?;
    let taken = take(&store, ALICE)?;
    one(&store, hour_key(ALICE, TODAY))?;
    one(&store, send(0, append(1, &[(ALICE, 1), (BOB, 1)], TODAY)))?;
    one(&store, send(0, append(2, &[(ALICE, 2)], TODAY)))?;
    one(&store, commit(0, 5, vec![append(3, &[(ALICE, 3)], TODAY)]))?;
    one(&store, acknowledge(ALICE, 3, &[(1, body_id(1)), (2, body_id(2))]))?;
    one(&store, put_list(2, &[DeviceId([0xa2; 16])], &[]))?;
    let account = block_on(store.account(ACCOUNT))?;
    let room = block_on(store.room(ROOM))?;
    let past = block_on(store.epoch(ROOM, 0))?;

    let store = factory.reopen(store);
    ensure(store.deployment() == deployment, "the deployment is the same")?;
    ensure(block_on(store.account(ACCOUNT))? == account, "accounts are there")?;
    let handle = Handle::parse("alice").map_err(|_| Violation::Suite)?;
    ensure(block_on(store.handle(handle))? == Some(ACCOUNT), "handles are there")?;
    let found = led_to(&store, vec![TokenHash([3; 32])])?;
    ensure(found == [Some(ALICE)], "tokens are there")?;
    ensure(block_on(store.room(ROOM))? == room, "rooms are there")?;
    ensure(block_on(store.epoch(ROOM, 0))? == past && past.is_some(), "commits are there")?;
    let hour = block_on(store.hour_key(ALICE, HourKeyId([9; 8])))?;
    ensure(hour == Some(vec![4; 60].into()), "hour keys are there")?;
    ensure(sequences(&store, ALICE)?.is_empty() && sequences(&store, BOB)? == [1], "entries")?;
    ensure(has_body(&store, 1)? && !has_body(&store, 2)? && has_body(&store, 3)?, "bodies")?;
    let mailbox = block_on(store.mailbox(ALICE))?.ok_or(Violation::Promise("mailboxes"))?;
    ensure(mailbox.last == 3, "an emptied mailbox goes on after its last sequence")?;
    ensure(block_on(store.key_packages_left(ALICE))? == 2, "key packages are there")?;
    ensure(take(&store, ALICE)? != taken, "a taken key package is not taken again")?;
    let before = Outcome::Appended(vec![Delivered::Before; 2]);
    let again = send(1, append(1, &[(ALICE, 9), (BOB, 9)], TODAY));
    expect(&store, again, &before, "a sending is remembered")
}
