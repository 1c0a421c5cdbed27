// SPDX-License-Identifier: AGPL-3.0-or-later
//! Proof files, requests to a witness. What reads prints as it came and proves nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::ledger::{
    proof::ProofFile,
    witness::{AddCheckpoint, decide},
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = ProofFile::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
    }
    if let Some(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
        assert_eq!(decide(&request, None).status(), 404);
    }
});
