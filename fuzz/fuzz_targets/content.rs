// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a message says. What was read is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_e2ee::content::{CONTENT, Content, NAME, REACTION, REPORTED, decode, encode};
use nodoor_wire::limits;

fuzz_target!(|bytes: &[u8]| {
    let Ok(content) = decode(bytes) else { return };
    assert!(bytes.len() <= CONTENT);
    match &content.body {
        Content::Text(text) | Content::Markdown(text) => assert!(text.len() <= limits::TEXT),
        Content::Reaction(emoji) => assert!(emoji.len() <= REACTION),
        Content::Status(reported) => assert!(reported.len() <= REPORTED),
        Content::Profile { name, .. } => assert!(name.len() <= NAME),
        _ => {}
    }
    assert!(decode(&encode(&content, [0; 16])) == Ok(content));
});
