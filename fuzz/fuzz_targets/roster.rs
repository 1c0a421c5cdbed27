// SPDX-License-Identifier: AGPL-3.0-or-later
//! A roster, sealed by somebody who knows the key and lies about what is inside.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_wire::{id::RoomId, roster::Roster, sealed};

const KEY: [u8; 32] = [1; 32];
const ROOM: RoomId = RoomId([2; 32]);
const EPOCH: u64 = 3;

fuzz_target!(|bytes: &[u8]| {
    let data = [b"nodoor roster v1".as_slice(), ROOM.as_bytes(), &EPOCH.to_be_bytes()].concat();
    let sealed = sealed::seal(&KEY, 0, &data, bytes);
    let Ok(roster) = Roster::open(&KEY, &ROOM, EPOCH, &sealed) else { return };
    assert_eq!(roster.seal(&KEY, &ROOM, EPOCH), sealed, "a roster has one form");
    assert!(roster.tokens().is_sorted());
});
