// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sending and reading.

use nodoor_e2ee::{
    content::{self, Content, MimiContent},
    group::{Change, Group, GroupError},
    open::{OpenError, Opened},
    payload::{Payload, Slot},
};

use crate::world::{Device, ROOM, account, alice_and_bob, room_of};

#[test]
fn two_members_read_each_other() {
    let (alice, bob) = alice_and_bob();
    assert_eq!(bob.read(&alice.seal(b"hello")), b"hello");
    assert_eq!(alice.read(&bob.seal(b"hello yourself")), b"hello yourself");
}

#[test]
fn a_text_goes_all_the_way() {
    let (alice, bob) = alice_and_bob();
    let text: MimiContent = Content::Text("Are you coming?".to_owned()).into();
    let content = content::encode(&text, [3; 16]);
    let group = alice.group();
    let slot = Slot { room: ROOM, epoch: group.epoch(), leaf: group.own_index() };
    let authenticator = group.epoch_authenticator();
    let payload =
        Payload::make(content, 1_800_000_000_000, &slot, authenticator, &alice.device_key);
    let frame = alice.seal(&payload.to_padded());
    let Opened::Payload { from, epoch, bytes } = bob.open(&frame).unwrap() else {
        panic!("no payload");
    };
    let payload = Payload::from_padded(&bytes).unwrap();
    let slot = Slot { room: ROOM, epoch, leaf: from.index };
    assert_eq!(payload.verify(&slot, &alice.device_key.verifying_key().to_bytes()), Ok(()));
    assert_eq!(payload.epoch_authenticator, bob.group().epoch_authenticator());
    assert_eq!(content::decode(&payload.content), Ok(text));
}

#[test]
fn five_members_read_each_other_and_know_who_wrote() {
    let devices = room_of(5);
    for (index, sender) in (0..).zip(&devices) {
        let frame = sender.seal(b"to all");
        for reader in devices.iter().filter(|reader| reader.me.name() != sender.me.name()) {
            match reader.open(&frame).unwrap() {
                Opened::Payload { from, epoch, bytes } => {
                    assert_eq!((from.index, from.name), (index, sender.me.name()));
                    assert_eq!((epoch, bytes.as_slice()), (1, b"to all".as_slice()));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn frames_open_in_any_order_and_each_once() {
    let (alice, bob) = alice_and_bob();
    let frames: Vec<_> = (0..20u8).map(|n| alice.seal(&[n])).collect();
    for n in (0..20u8).rev() {
        assert_eq!(bob.read(&frames[usize::from(n)]), [n]);
    }
    for frame in &frames {
        assert_eq!(bob.open(frame).unwrap_err(), OpenError::Duplicate);
    }
}

#[test]
fn own_frame_comes_back_as_own() {
    let (alice, _) = alice_and_bob();
    let frame = alice.seal(b"mine");
    assert!(matches!(alice.open(&frame), Ok(Opened::Own)));
    let commit = alice.commit(Change::default());
    assert!(matches!(alice.open(&commit.frame), Ok(Opened::Own)));
}

#[test]
fn a_frame_of_a_past_epoch_opens_for_three_epochs() {
    let (alice, bob) = alice_and_bob();
    let late: Vec<_> = (0..2u8).map(|n| alice.seal(&[n])).collect();
    for _ in 0..3 {
        let commit = alice.commit(Change::default());
        alice.accepted();
        bob.follow(&commit);
    }
    match bob.open(&late[0]).unwrap() {
        Opened::Payload { epoch, from, bytes } => {
            assert_eq!((epoch, from.name.account, bytes), (1, account(1), vec![0]));
        }
        other => panic!("{other:?}"),
    }
    let commit = alice.commit(Change::default());
    alice.accepted();
    bob.follow(&commit);
    assert_eq!(bob.open(&late[1]).unwrap_err(), OpenError::OutOfRange);
}

#[test]
fn a_late_frame_of_a_removed_member_names_who_it_was() {
    let devices = room_of(3);
    let (alice, bob, carol) = (&devices[0], &devices[1], &devices[2]);
    let late = carol.seal(b"before I went");
    let commit = alice.commit(Change { remove: vec![2], ..Change::default() });
    alice.accepted();
    bob.follow(&commit);
    assert!(bob.group().leaf(2).is_none());
    match bob.open(&late).unwrap() {
        Opened::Payload { from, .. } => assert_eq!(from.name, carol.me.name()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_frame_of_a_later_epoch_waits() {
    let (alice, bob) = alice_and_bob();
    let commit = alice.commit(Change::default());
    alice.accepted();
    let frame = alice.seal(b"next epoch");
    assert_eq!(bob.open(&frame).unwrap_err(), OpenError::WrongEpoch { theirs: 2 });
    bob.follow(&commit);
    assert_eq!(bob.read(&frame), b"next epoch");
    assert_eq!(bob.open(&commit.frame).unwrap_err(), OpenError::WrongEpoch { theirs: 1 });
}

#[test]
fn a_stranger_and_a_changed_byte_open_nothing() {
    let (alice, bob) = alice_and_bob();
    let frame = alice.seal(b"hello");
    for at in [frame.len() - 1, frame.len() / 2] {
        let mut bent = frame.clone();
        bent[at] ^= 1;
        assert!(bob.open(&bent).is_err());
    }
    assert_eq!(bob.open(&frame[1..]).unwrap_err(), OpenError::Malformed);
    assert_eq!(bob.open(&[]).unwrap_err(), OpenError::Malformed);
    assert_eq!(bob.read(&frame), b"hello", "failures use no key up");
    let olga = Device::new(9);
    let other = room_of(1);
    assert!(Group::load(&olga.disk, &ROOM).unwrap().is_none());
    // The same room id founded by somebody else is another room.
    assert_eq!(other[0].open(&frame).unwrap_err(), OpenError::WrongEpoch { theirs: 1 });
}

#[test]
fn nobody_sends_past_a_leave_that_is_not_committed() {
    let (alice, bob) = alice_and_bob();
    let leave = bob.group().propose_leave(&bob.disk, &bob.me).unwrap();
    assert!(matches!(alice.open(&leave), Ok(Opened::Leave { .. })));
    let refused = alice.group().seal(&alice.disk, &alice.me, b"x").unwrap_err();
    assert_eq!(refused, GroupError::CommitFirst);
    assert!(alice.group().must_commit() && bob.group().is_leaving());
    let commit = alice.commit(Change::default());
    alice.accepted();
    alice.seal(b"x");
    bob.follow(&commit);
    assert!(!bob.group().is_active());
}
