// SPDX-License-Identifier: AGPL-3.0-or-later
//! Slots of a meeting, which a server or whoever saw the link may have written: what reads, reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::meeting::{Answer, Attempt, Bare, Host, Newcomer};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(slot) = Newcomer::from_slice(bytes) {
        assert_eq!(slot.to_vec(), bytes);
    }
    if let Ok(slot) = Host::from_slice(bytes) {
        assert_eq!(slot.to_vec(), bytes);
    }
    if let Ok(slot) = Attempt::from_slice(bytes) {
        assert_eq!(slot.to_vec(), bytes);
    }
    if let Ok(slot) = Bare::<64>::from_slice(bytes) {
        assert_eq!(slot.to_vec(), bytes);
    }
    if let Ok(slot) = Answer::from_slice(bytes) {
        // The end that a later version may name is written as one that we know.
        let again = slot.to_vec();
        assert!(again == bytes || matches!(slot, Answer::End(_)));
        assert_eq!(Answer::from_slice(&again), Ok(slot));
    }
});
