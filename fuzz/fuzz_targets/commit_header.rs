// SPDX-License-Identifier: AGPL-3.0-or-later
//! The header of a commit. What reads is the one encoding of what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_wire::{header::CommitHeader, id::RoomId};

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = CommitHeader::from_slice(bytes) else { return };
    assert_eq!(header.to_vec(), bytes);
    let _ = header.commit_id();
    let _ = header.covers(&RoomId([0; 32]), 0, b"frame");
});
