// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sealed files: nothing but what was sealed opens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_e2ee::file::{Opener, Sealer};

fuzz_target!(|bytes: &[u8]| {
    let key = [7; 32];
    let Some((size, sealed)) = bytes.split_first_chunk::<4>() else { return };
    let size = u64::from(u32::from_le_bytes(*size) % 200_000);
    let mut out = Vec::new();
    if let Ok(mut opener) = Opener::new(&key, size) {
        // Nobody guesses a tag.
        assert!(opener.push(sealed, &mut out).is_err() || out.is_empty());
    }
    let (mut blob, mut back) = (Vec::new(), Vec::new());
    let mut sealer = Sealer::new(&key, sealed.len() as u64).unwrap();
    sealer.push(sealed, &mut blob).unwrap();
    let hashes = sealer.finish(&mut blob).unwrap();
    let mut opener = Opener::new(&key, sealed.len() as u64).unwrap();
    opener.push(&blob, &mut back).unwrap();
    opener.finish(&hashes).unwrap();
    assert_eq!(back, sealed);
});
