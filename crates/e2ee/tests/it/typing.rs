// SPDX-License-Identifier: AGPL-3.0-or-later
//! That somebody types, as members of an epoch say it.

use ed25519_dalek::SigningKey;
use nodoor_e2ee::{
    group::Change,
    typing::{FRAME, Typing, open, seal},
};

use crate::world::{Device, alice_and_bob};

const AT: u64 = 1_800_000_000_000;

fn sealed(by: &Device, key: &SigningKey, on: bool) -> Vec<u8> {
    seal(&by.group(), key, AT, on, &[7; 24]).unwrap()
}

fn opened(reader: &Device, frame: &[u8], key: &SigningKey) -> Option<Typing> {
    let key = key.verifying_key().to_bytes();
    open(&reader.group(), frame, |_| Some(key)).map(|(_, said)| said)
}

#[test]
fn a_member_says_that_it_types_and_every_frame_has_one_size() {
    let (alice, bob) = alice_and_bob();
    for on in [true, false] {
        let frame = sealed(&alice, &alice.device_key, on);
        let leaf = alice.group().own_index();
        assert_eq!(frame.len(), FRAME);
        let said = open(&bob.group(), &frame, |name| {
            assert_eq!(*name, alice.me.name());
            Some(alice.device_key.verifying_key().to_bytes())
        });
        assert_eq!(said, Some((alice.me.name(), Typing { leaf, sent_at_ms: AT, on })));
    }
}

#[test]
fn a_flipped_byte_a_cut_frame_and_another_epoch_are_nothing() {
    let (alice, bob) = alice_and_bob();
    let frame = sealed(&alice, &alice.device_key, true);
    for at in 0..frame.len() {
        let mut flipped = frame.clone();
        flipped[at] ^= 1;
        assert_eq!(opened(&bob, &flipped, &alice.device_key), None, "{at}");
        assert_eq!(opened(&bob, &frame[..at], &alice.device_key), None, "{at}");
    }
    let key = alice.device_key.clone();
    alice.commit(Change::default());
    alice.accepted();
    let later = sealed(&alice, &key, true);
    assert_eq!(opened(&bob, &later, &key), None);
    assert!(opened(&alice, &later, &key).is_some());
}

#[test]
fn mallory_who_has_the_rooms_key_cannot_say_that_alice_types() {
    let (alice, bob) = alice_and_bob();
    // A member seals with whatever key: what counts is the device key of the leaf named.
    let forged = sealed(&alice, &bob.device_key, true);
    assert_eq!(opened(&bob, &forged, &alice.device_key), None);
    assert_eq!(open(&bob.group(), &sealed(&alice, &alice.device_key, true), |_| None), None);
}
