// SPDX-License-Identifier: AGPL-3.0-or-later
//! Payloads: padding, the report signature, their bytes.

use ed25519_dalek::SigningKey;
use nodoor_e2ee::payload::{Gossip, Payload, PayloadError, Slot};
use nodoor_wire::id::RoomId;
use proptest::prelude::*;

const SLOT: Slot = Slot { room: RoomId([2; 32]), epoch: 3, leaf: 4 };

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn payload(size: usize) -> Payload {
    Payload::make(vec![7; size], 1_800_000_000_000, &SLOT, vec![9; 32], &key())
}

#[test]
fn sizes_fall_into_classes() {
    for (content, padded) in [
        (0, 256),
        (100, 256),
        (200, 512),
        (1024, 2048),
        (20_000, 32 * 1024),
        (33_000, 64 * 1024),
        (64 * 1024, 96 * 1024),
    ] {
        let bytes = payload(content).to_padded();
        assert_eq!(bytes.len(), padded, "{content}");
        assert_eq!(Payload::from_padded(&bytes).unwrap(), payload(content));
    }
}

#[test]
fn the_report_signature_binds_content_place_and_time() {
    let public = key().verifying_key().to_bytes();
    let good = payload(5);
    assert_eq!(good.verify(&SLOT, &public), Ok(()));
    let refused = |payload: &Payload, slot: &Slot, key: &[u8; 32]| {
        assert_eq!(payload.verify(slot, key), Err(PayloadError::Signature));
    };
    refused(&good, &Slot { room: RoomId([3; 32]), ..SLOT }, &public);
    refused(&good, &Slot { epoch: 4, ..SLOT }, &public);
    refused(&good, &Slot { leaf: 5, ..SLOT }, &public);
    refused(&good, &SLOT, &SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes());
    refused(&good, &SLOT, &[0; 32]);
    refused(&Payload { content: vec![8; 5], ..good.clone() }, &SLOT, &public);
    refused(&Payload { sent_at_ms: 1, ..good }, &SLOT, &public);
}

#[test]
fn gossip_travels_with_a_payload_and_a_root_has_32_bytes() {
    let gossip = Gossip { size: 7, root: [5; 32] };
    let told = payload(5).with_gossip(Some(gossip));
    let bytes = told.to_padded();
    assert_eq!(Payload::from_padded(&bytes).unwrap().gossip, Some(gossip));
    assert_eq!(Payload::from_padded(&payload(5).to_padded()).unwrap().gossip, None);
    let at = bytes.windows(4).position(|part| part == [0x82, 0x07, 0x58, 0x20]).unwrap();
    let mut short = bytes;
    short[at + 3] = 0x1f;
    assert_eq!(Payload::from_padded(&short), Err(PayloadError::Malformed));
}

#[test]
fn what_is_not_a_payload_is_refused() {
    let mut bytes = payload(5).to_padded();
    let last = bytes.len() - 1;
    bytes[last] = 1;
    assert_eq!(Payload::from_padded(&bytes), Err(PayloadError::Malformed));
    assert_eq!(Payload::from_padded(&[]), Err(PayloadError::Malformed));
    assert_eq!(Payload::from_padded(&[0x82, 0x02, 0x00]), Err(PayloadError::Version(2)));
}

#[test]
fn the_bytes_of_a_payload_stay() {
    let bytes = payload(2).to_padded();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    assert_eq!(hex::encode(&bytes[..=end]), VECTOR);
}

proptest! {
    #[test]
    fn random_bytes_are_refused_quietly(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Payload::from_padded(&bytes);
    }

    #[test]
    fn any_content_comes_back(
        content in proptest::collection::vec(any::<u8>(), 0..3000),
        sent_at_ms in any::<u64>(),
    ) {
        let made = Payload::make(content, sent_at_ms, &SLOT, vec![], &key());
        prop_assert_eq!(Payload::from_padded(&made.to_padded()).unwrap(), made);
    }
}

/// `[1, h'0707', 1800000000000, signature, h'09..', null]`.
const VECTOR: &str = concat!(
    "86014207071b000001a3185c5000",
    "5840b9fe24bc5b96c72d46d87941d0f9e1daa16d81b696ff6f98db1072a3cb515d8d",
    "c3a59a2b9cbbdde9721b5a96dfbccc6dff8ec0126dbfc91fef6e819be72e5f03",
    "58200909090909090909090909090909090909090909090909090909090909090909",
    "f6",
);
