// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a message leaves on the disk: little, and nothing of what is over.

use std::collections::BTreeMap;

use nodoor_e2ee::{group::Change, open::Opened};

use crate::world::{Device, account, room_of};

fn rows(device: &Device) -> BTreeMap<Vec<u8>, Vec<u8>> {
    device.disk.0.borrow().clone()
}

/// Everybody writes in each of five epochs; the last message of the first epoch is not delivered.
fn in_use() -> (Vec<Device>, Vec<u8>) {
    let devices = room_of(8);
    let mut late = Vec::new();
    for epoch in 0..5_u8 {
        for (at, sender) in devices.iter().enumerate() {
            let frame = sender.seal(&[epoch, 7]);
            if epoch == 2 && at == 7 {
                late = frame;
                continue;
            }
            for (_, reader) in devices.iter().enumerate().filter(|(other, _)| *other != at) {
                reader.read(&frame);
            }
        }
        if epoch < 4 {
            let commit = devices[0].commit(Change::default());
            devices[0].accepted();
            devices.iter().skip(1).for_each(|device| device.follow(&commit));
        }
    }
    (devices, late)
}

#[test]
fn a_message_writes_one_row_and_no_member_of_an_epoch() {
    let (devices, _) = in_use();
    let (alice, bob) = (&devices[0], &devices[1]);
    let before = (rows(alice), rows(bob));
    bob.read(&alice.seal(&[7; 1024]));
    for (before, after) in [(before.0, rows(alice)), (before.1, rows(bob))] {
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        let changed: Vec<_> = after.iter().filter(|(key, value)| before[*key] != **value).collect();
        assert_eq!(changed.len(), 1, "rows changed by one message");
        // An X-Wing key, which every member has one of, is more than this.
        assert!(changed[0].1.len() < 8 * 400, "{} bytes", changed[0].1.len());
    }
}

#[test]
fn a_late_message_changes_its_own_epoch_alone() {
    let (devices, late) = in_use();
    let bob = &devices[1];
    let before = rows(bob);
    match bob.open(&late).unwrap() {
        Opened::Payload { from, epoch, bytes } => {
            assert_eq!((from.name.account, epoch, bytes), (account(8), 3, vec![2, 7]));
        }
        other => panic!("{other:?}"),
    }
    let after = rows(bob);
    let changed: Vec<_> = after.iter().filter(|(key, value)| before[*key] != **value).collect();
    assert_eq!(changed.len(), 1);
    assert!(bob.open(&late).is_err(), "a key that was used is off the disk");
    bob.read(&devices[2].seal(b"on it goes"));
}

#[test]
fn an_epoch_that_is_over_leaves_no_row() {
    let (devices, _) = in_use();
    let pieces = |device: &Device| {
        rows(device).into_keys().filter(|key| key.starts_with(b"e/msp/")).collect::<Vec<_>>()
    };
    // This epoch, and secrets and members of three before it.
    let before = pieces(&devices[1]);
    assert_eq!(before.len(), 1 + 3 * 2);
    let commit = devices[0].commit(Change::default());
    devices[0].accepted();
    devices[1].follow(&commit);
    let after = pieces(&devices[1]);
    assert_eq!(after.len(), before.len());
    assert_eq!(after.iter().filter(|key| !before.contains(key)).count(), 2, "the oldest gave way");
}
