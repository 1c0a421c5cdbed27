// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files of evidence: what reads prints as it came, and checking is of the file alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::ledger::evidence::Evidence;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(evidence) = Evidence::parse(bytes) {
        let text = evidence.to_string();
        assert_eq!(text.as_bytes(), bytes);
        assert!(text.lines().nth(1).is_some_and(|line| line.ends_with(evidence.kind())));
        // The seeds have signatures that count, so a verdict may be any.
        assert_eq!(evidence.check(), evidence.clone().check());
    }
});
