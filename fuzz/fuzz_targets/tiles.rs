// SPDX-License-Identifier: AGPL-3.0-or-later
//! Bundles of entries, paths of tiles, letters of a link: what reads is written the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::{
    ledger::tree::{Tile, bundle_from_slice, bundle_to_vec},
    link::{Code, LinkSecret},
};

fuzz_target!(|bytes: &[u8]| {
    let Some((width, rest)) = bytes.split_first() else { return };
    if let Some(entries) = bundle_from_slice(u16::from(*width), rest) {
        assert_eq!(bundle_to_vec(entries.iter().map(Vec::as_slice)).as_deref(), Some(rest));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(tile) = Tile::from_path(text) {
        assert_eq!(tile.path(), text);
    }
    if let Ok(secret) = LinkSecret::parse(text) {
        assert!(LinkSecret::parse(&secret.letters()).expect("its own letters") == secret);
    }
    let _ = Code::parse(text);
});
