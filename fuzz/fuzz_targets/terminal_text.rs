// SPDX-License-Identifier: AGPL-3.0-or-later
//! Text of others on its way to a terminal: nothing is left that a terminal obeys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_view::text::{Lines, for_terminal};

fuzz_target!(|text: &str| {
    for lines in [Lines::Join, Lines::Keep] {
        let clean = for_terminal(text, lines);
        assert!(clean.chars().all(|c| !c.is_control() || (c == '\n' && lines == Lines::Keep)));
        assert!(!clean.contains(['\u{202d}', '\u{202e}']));
        assert_eq!(for_terminal(&clean, lines), clean, "cleaning twice changes nothing");
    }
});
