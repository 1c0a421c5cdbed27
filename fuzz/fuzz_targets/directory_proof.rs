// SPDX-License-Identifier: AGPL-3.0-or-later
//! akd's proofs and audit blobs: never panics, and bytes that nobody published show nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::{audit, directory, ledger::entry::KtEpoch};
use sha2::{Digest as _, Sha256};

fuzz_target!(|bytes: &[u8]| {
    // The key of `HardCodedAkdVRF`, so that seeds made with it get past the first check.
    const KEY: [u8; 32] = [
        0xf6, 0xec, 0x49, 0xc8, 0x08, 0x5f, 0x4d, 0x4b, 0xe6, 0x9d, 0xb8, 0xe2, 0x48, 0xbf, 0x11,
        0xce, 0x28, 0x80, 0x26, 0xf5, 0xb8, 0xc5, 0xf6, 0x59, 0x9d, 0xef, 0xe5, 0x83, 0x03, 0xd0,
        0x70, 0x2d,
    ];
    let vrf_key = Sha256::digest(KEY).into();
    let epoch = KtEpoch {
        epoch: 2,
        root: [1; 32],
        previous_root: [2; 32],
        labels: 1,
        audit_blob: None,
        vrf_key,
        time_ms: 0,
    };
    assert!(directory::verify_lookup(&epoch, &KEY, &[1], bytes).is_err());
    assert!(directory::verify_history(&epoch, &KEY, &[1], bytes, 3).is_err());
    assert!(audit::verify_blob(bytes, &[2; 32], &[1; 32], 2).is_err());
});
