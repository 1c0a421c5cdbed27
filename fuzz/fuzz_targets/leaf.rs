// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a leaf and a GroupContext carry of ours. What reads is the one encoding of what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_e2ee::{identity::LeafName, room::RoomContext};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(name) = LeafName::from_slice(bytes) {
        assert_eq!(name.to_vec(), bytes);
    }
    if let Ok(context) = RoomContext::from_slice(bytes) {
        assert_eq!(context.to_vec(), bytes);
    }
});
