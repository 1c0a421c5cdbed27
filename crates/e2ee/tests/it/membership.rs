// SPDX-License-Identifier: AGPL-3.0-or-later
//! Adding, removing, leaving, renewing; and what the server is told of it.

use nodoor_e2ee::{
    group::{Change, Group, GroupError},
    open::{OpenError, Opened},
    store::KeyValue as _,
};
use nodoor_wire::{id::Token, roster::Roster};
use sha2::{Digest as _, Sha256};

use crate::world::{Device, ROOM, alice_and_bob, group_context, rng, room_of, stored, welcome};

/// Every member computes the same roster, and it is the one the commit announced.
fn assert_agreed(members: &[&Device], next_roster: &[u8], next_key_check: &[u8]) {
    for member in members {
        let group = member.group();
        assert_eq!(group.sealed_roster().unwrap(), next_roster);
        assert_eq!(group.key_check().unwrap(), next_key_check);
        assert_eq!(group.epoch_authenticator(), members[0].group().epoch_authenticator());
    }
}

#[test]
fn every_member_and_joiner_has_the_roster_the_commit_announced() {
    let devices = room_of(4);
    let dora = Device::new(5);
    let commit = devices[1].commit(Change {
        add: vec![dora.key_package()],
        remove: vec![2],
        ..Change::default()
    });
    assert_eq!(commit.key, devices[0].group().roster_key().unwrap().to_vec());
    devices[1].accepted();
    devices[0].follow(&commit);
    devices[3].follow(&commit);
    devices[2].follow(&commit);
    dora.join(&commit);
    let members = [&devices[0], &devices[1], &devices[3], &dora];
    assert_agreed(&members, &commit.next_roster, &commit.next_key_check);
    let key = dora.group().roster_key().unwrap();
    assert_eq!(Sha256::digest(key).as_slice(), commit.next_key_check);
    let roster = Roster::open(&key, &ROOM, 2, &commit.next_roster).unwrap();
    assert_eq!(roster.tokens().len(), 4);
    assert_eq!(commit.welcomes[0].tokens, [dora.group().leaf(2).unwrap().token.to_bytes()]);
}

#[test]
fn joiners_fill_the_gaps_from_the_left() {
    let devices = room_of(5);
    let joiners: Vec<Device> = (6..=9).map(Device::new).collect();
    let commit = devices[4].commit(Change {
        add: joiners.iter().map(Device::key_package).collect(),
        remove: vec![3, 1],
        ..Change::default()
    });
    devices[4].accepted();
    // `follow` compares the leaves it foresaw with the tree after the merge.
    devices[0].follow(&commit);
    devices[2].follow(&commit);
    joiners.iter().for_each(|joiner| joiner.join(&commit));
    let indexes: Vec<u32> = joiners.iter().map(|joiner| joiner.group().own_index()).collect();
    assert_eq!(indexes, [1, 3, 5, 6]);
    let members = [&devices[0], &devices[2], &devices[4], &joiners[0], &joiners[3]];
    assert_agreed(&members, &commit.next_roster, &commit.next_key_check);
}

#[test]
fn a_removed_member_opens_nothing_sent_after() {
    let devices = room_of(3);
    let (alice, bob, carol) = (&devices[0], &devices[1], &devices[2]);
    let commit = alice.commit(Change { remove: vec![2], ..Change::default() });
    alice.accepted();
    bob.follow(&commit);
    let frame = alice.seal(b"without Carol");
    assert_eq!(bob.read(&frame), b"without Carol");
    // Carol, honest or not: before she processes it, and after.
    assert_eq!(carol.open(&frame).unwrap_err(), OpenError::WrongEpoch { theirs: 2 });
    carol.follow(&commit);
    assert!(!carol.group().is_active());
    assert_eq!(carol.open(&frame).unwrap_err(), OpenError::Removed);
    assert_eq!(carol.group().roster_key().unwrap_err(), GroupError::Removed);
    assert_eq!(carol.group().seal(&carol.disk, &carol.me, b"x").unwrap_err(), GroupError::Removed);
    assert_eq!(commit_keys_on(&carol.disk), 0);
}

#[test]
fn a_leave_is_committed_by_another() {
    let devices = room_of(3);
    let (alice, bob, carol) = (&devices[0], &devices[1], &devices[2]);
    let leave = carol.group().propose_leave(&carol.disk, &carol.me).unwrap();
    for member in [alice, bob] {
        match member.open(&leave).unwrap() {
            Opened::Leave { leaf } => assert_eq!(leaf.name, carol.me.name()),
            other => panic!("{other:?}"),
        }
    }
    let commit = bob.commit(Change::default());
    bob.accepted();
    let staged = alice.stage(&stored(&commit)).unwrap();
    assert_eq!(staged.removed.len(), 1);
    assert_eq!(staged.removed[0].proposer, carol.me.name().account);
    assert_eq!(staged.committer.name, bob.me.name());
    assert_eq!(staged.committer_after.as_ref().unwrap().name, bob.me.name());
    alice.group().merge(&alice.disk, staged).unwrap();
    carol.follow(&commit);
    assert!(!carol.group().is_active());
    assert_agreed(&[alice, bob], &commit.next_roster, &commit.next_key_check);
}

#[test]
fn a_commit_of_a_leave_one_has_not_seen_waits_for_it() {
    let devices = room_of(3);
    let (alice, bob, carol) = (&devices[0], &devices[1], &devices[2]);
    let leave = carol.group().propose_leave(&carol.disk, &carol.me).unwrap();
    bob.open(&leave).unwrap();
    let commit = bob.commit(Change::default());
    assert_eq!(alice.stage(&stored(&commit)).unwrap_err(), OpenError::ProposalMissing);
    alice.open(&leave).unwrap();
    alice.follow(&commit);
}

#[test]
fn every_commit_renews_the_committers_keys_and_keeps_its_token() {
    let (alice, bob) = alice_and_bob();
    let before = alice.group().leaf(0).unwrap().clone();
    let commit = alice.commit(Change::default());
    assert!(commit.welcomes.is_empty());
    alice.accepted();
    bob.follow(&commit);
    let after = bob.group().leaf(0).unwrap().clone();
    assert_eq!(before.token, after.token);
    assert_ne!(before.commit_key, after.commit_key);
    assert_eq!(commit_keys_on(&alice.disk), 1, "the key of the past epoch is gone");
    let token = Token([8; 32]);
    let commit = alice.commit(Change { token: Some(token), ..Change::default() });
    alice.accepted();
    bob.follow(&commit);
    assert_eq!(bob.group().leaf(0).unwrap().token, token);
}

#[test]
fn a_title_changes_for_all() {
    let (alice, bob) = alice_and_bob();
    let mut context = group_context();
    context.title = "Walk on Sunday".to_owned();
    let commit = alice.commit(Change { context: Some(context.clone()), ..Change::default() });
    alice.accepted();
    let staged = bob.stage(&stored(&commit)).unwrap();
    assert_eq!(staged.context_after, context);
    // A commit opens once, like every frame: who cannot decide yet throws the transaction away.
    bob.group().merge(&bob.disk, staged).unwrap();
    assert_eq!(bob.group().context(), &context);
    assert_eq!(alice.group().context(), &context);
}

#[test]
fn the_loser_drops_its_commit_and_follows_the_winner() {
    let devices = room_of(3);
    let (alice, bob, carol) = (&devices[0], &devices[1], &devices[2]);
    let wins = alice.commit(Change::default());
    let _loses = bob.commit(Change { remove: vec![2], ..Change::default() });
    assert_eq!(
        bob.group().commit(&bob.disk, &bob.me, Change::default(), &mut rng()).unwrap_err(),
        GroupError::Pending
    );
    alice.accepted();
    bob.group().drop_pending(&bob.disk).unwrap();
    assert_eq!(commit_keys_on(&bob.disk), 1);
    bob.follow(&wins);
    carol.follow(&wins);
    let again = bob.commit(Change { remove: vec![2], ..Change::default() });
    bob.accepted();
    alice.follow(&again);
    assert_agreed(&[alice, bob], &again.next_roster, &again.next_key_check);
}

#[test]
fn merging_the_winner_drops_a_pending_commit_too() {
    let (alice, bob) = alice_and_bob();
    let wins = alice.commit(Change::default());
    bob.commit(Change::default());
    alice.accepted();
    bob.follow(&wins);
    assert!(!bob.group().has_pending());
    assert_eq!(commit_keys_on(&bob.disk), 1);
    assert_eq!(alice.read(&bob.seal(b"here")), b"here");
}

#[test]
fn a_commit_survives_a_crash_before_the_answer() {
    let (alice, bob) = alice_and_bob();
    let commit = alice.commit(Change::default());
    let left = Device { disk: alice.disk.clone(), ..Device::new(1) };
    assert!(left.group().has_pending());
    left.accepted();
    bob.follow(&commit);
    assert_eq!(bob.read(&left.seal(b"still here")), b"still here");
}

#[test]
fn impossible_changes_are_refused() {
    let (alice, bob) = alice_and_bob();
    let try_it = |change| {
        let left = Device { disk: alice.disk.clone(), ..Device::new(1) };
        left.group().commit(&left.disk, &left.me, change, &mut rng()).unwrap_err()
    };
    for change in [
        Change { remove: vec![0], ..Change::default() },
        Change { remove: vec![9], ..Change::default() },
        Change { add: vec![bob.key_package()], ..Change::default() },
    ] {
        assert_eq!(try_it(change), GroupError::Impossible);
    }
    assert!(matches!(
        try_it(Change { add: vec![b"junk".to_vec()], ..Change::default() }),
        GroupError::KeyPackage(_)
    ));
}

#[test]
fn a_removed_member_is_added_again() {
    let (alice, bob) = alice_and_bob();
    let out = alice.commit(Change { remove: vec![1], ..Change::default() });
    alice.accepted();
    bob.follow(&out);
    let again = alice.commit(Change { add: vec![bob.key_package()], ..Change::default() });
    alice.accepted();
    let candidate = bob.candidate(&again).unwrap();
    assert!(!candidate.replaces().unwrap().was_active);
    candidate.join(&bob.disk).unwrap();
    assert_eq!(bob.read(&alice.seal(b"welcome back")), b"welcome back");
    assert_eq!(commit_keys_on(&bob.disk), 1);
}

#[test]
fn a_stuck_member_is_removed_and_added_in_one_commit() {
    let devices = room_of(3);
    let (alice, bob, carol) = (&devices[0], &devices[1], &devices[2]);
    let commit = alice.commit(Change {
        add: vec![carol.key_package()],
        remove: vec![2],
        ..Change::default()
    });
    alice.accepted();
    bob.follow(&commit);
    let candidate = carol.candidate(&commit).unwrap();
    assert_eq!(candidate.replaces().unwrap().epoch, 1);
    assert!(candidate.replaces().unwrap().was_active);
    candidate.join(&carol.disk).unwrap();
    assert_eq!(commit_keys_on(&carol.disk), 1);
    assert_agreed(&[alice, bob, carol], &commit.next_roster, &commit.next_key_check);
    assert_eq!(carol.read(&bob.seal(b"there you are")), b"there you are");
}

#[test]
fn deleting_a_room_leaves_only_the_seed_of_its_token() {
    let (alice, bob) = alice_and_bob();
    bob.follow(&{
        let commit = alice.commit(Change::default());
        alice.accepted();
        commit
    });
    bob.read(&alice.seal(b"x"));
    bob.commit(Change::default());
    bob.group().delete(&bob.disk).unwrap();
    assert!(Group::load(&bob.disk, &ROOM).unwrap().is_none());
    let left: Vec<_> = bob.disk.0.borrow().keys().cloned().collect();
    // The token's seed stays until the server has forgotten the token.
    assert!(left.len() == 1 && left[0].starts_with(b"e/token/"));
}

#[test]
fn what_a_welcome_weighs() {
    let devices = room_of(5);
    let dora = Device::new(6);
    let commit = devices[0].commit(Change { add: vec![dora.key_package()], ..Change::default() });
    let size = welcome(&commit).len();
    assert!(size < 16 * 1024, "{size}");
    assert!(dora.disk.get(b"e/none").is_none());
}

fn commit_keys_on(disk: &crate::world::Disk) -> usize {
    disk.0.borrow().keys().filter(|key| key.starts_with(b"e/commit/")).count()
}
