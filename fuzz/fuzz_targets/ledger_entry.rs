// SPDX-License-Identifier: AGPL-3.0-or-later
//! An entry of the ledger. What reads is the one encoding of what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::ledger::entry::Entry;

fuzz_target!(|bytes: &[u8]| {
    let Ok(entry) = Entry::decode(bytes) else { return };
    assert_eq!(entry.encode().as_deref(), Ok(bytes));
});
