// SPDX-License-Identifier: AGPL-3.0-or-later
//! A handle as somebody types it. What reads is in its one form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_wire::handle::Handle;

fuzz_target!(|text: &str| {
    let Ok(handle) = Handle::parse(text) else { return };
    assert!((2..=32).contains(&handle.as_str().len()));
    assert!(handle.as_str().is_ascii());
    assert!(Handle::parse(handle.as_str()).is_ok_and(|again| again == handle));
});
