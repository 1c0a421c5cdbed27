// SPDX-License-Identifier: AGPL-3.0-or-later
//! Pictures of whoever sends one. What was cleaned is what it was, and cleaning it again changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_client::media::{clean, look};

fuzz_target!(|bytes: &[u8]| {
    let seen = look(bytes);
    assert!(u64::from(seen.width) * u64::from(seen.height) <= 50_000_000);
    if let Some(cleaned) = clean(seen.content_type, bytes) {
        assert!(cleaned.len() <= bytes.len() + 36);
        assert!(clean(seen.content_type, &cleaned).as_ref() == Some(&cleaned));
    }
});
