// SPDX-License-Identifier: AGPL-3.0-or-later
//! Signed notes, checkpoints and keys. What reads prints as it came; nobody's key signed it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::ledger::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    note::{Note, NoteSignature, NoteSigner, VerifierKey},
};

fuzz_target!(|bytes: &[u8]| {
    let key = NoteSigner::cosigner("witness.example", [7; 32]).expect("a name");
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        assert!(!matches!(key.verifier().verify(&note), Ok(Some(_))));
        if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
            assert_eq!(checkpoint.to_string(), note.text());
        }
    }
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        let line = signed.cosignature(&key, 1);
        if let Ok(signed) = signed.with(line) {
            assert!(matches!(key.verifier().verify(signed.note()), Ok(Some(_)) | Err(_)));
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    let _ = NoteSignature::parse(text);
});
