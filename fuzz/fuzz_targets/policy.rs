// SPDX-License-Identifier: AGPL-3.0-or-later
//! A policy file. What reads prints in one form, which reads as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::{ledger::policy::Policy, release::Builders};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(policy) = Policy::parse(bytes) {
        assert_eq!(Policy::parse(policy.to_string().as_bytes()), Ok(policy));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(builders) = Builders::parse(text) {
        assert_eq!(Builders::parse(&builders.to_string()), Ok(builders));
    }
});
