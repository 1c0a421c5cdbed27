// SPDX-License-Identifier: AGPL-3.0-or-later
//! Links in a text of others: the pieces are the text, and a link is an `https` address one can see whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_view::link::{Piece, pieces};

fuzz_target!(|text: &str| {
    let mut whole = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(shown) => whole.push_str(shown),
            Piece::Link(address) => {
                assert!(address.get(..8).is_some_and(|s| s.eq_ignore_ascii_case("https://")));
                assert!(!address.chars().any(char::is_control));
                whole.push_str(address);
            }
        }
    }
    assert_eq!(whole, text);
});
