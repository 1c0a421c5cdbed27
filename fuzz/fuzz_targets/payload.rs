// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is around a content, from a member who lies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_e2ee::payload::{Payload, Slot};
use nodoor_wire::id::RoomId;

fuzz_target!(|bytes: &[u8]| {
    let Ok(payload) = Payload::from_padded(bytes) else { return };
    let slot = Slot { room: RoomId([1; 32]), epoch: 2, leaf: 3 };
    assert!(payload.verify(&slot, &[4; 32]).is_err());
    assert!(Payload::from_padded(&payload.to_padded()) == Ok(payload));
});
