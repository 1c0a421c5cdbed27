// SPDX-License-Identifier: AGPL-3.0-or-later
//! Proof files, requests to a witness, evidence. What reads prints as it came and proves nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::ledger::{
    evidence::{Evidence, Verdict},
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
    if let Ok(evidence) = Evidence::parse(bytes) {
        assert_eq!(evidence.to_string().as_bytes(), bytes);
        // Whoever finds bytes that prove something has two signatures by one key: the seeds have none.
        let _: Verdict = evidence.check();
    }
});
