// SPDX-License-Identifier: AGPL-3.0-or-later
//! Signed notes and checkpoints: C2SP's own examples, and `signed_note` as a second reader.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ml_dsa::{KeyExport as _, MlDsa44};
use nodoor_transparency::ledger::{
    checkpoint::{Checkpoint, Relation, SignedCheckpoint, TreeHead, origin},
    note::{KeyKind, Note, NoteError, NoteSignature, NoteSigner, VerifierKey},
};
use nodoor_wire::id::DeploymentId;
use signed_note::{Note as TheirNote, StandardVerifier, VerifierList};

/// The note in the introduction of signed-note v1.0.0, key as published with it by Go's sumdb/note.
const PETER_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
/// The example of tlog-cosignature v1.0.0 and tlog-checkpoint v1.0.0.
const BEHIND_THE_SOFA: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

fn log() -> NoteSigner {
    NoteSigner::log("nodoor/000102", [7; 32]).unwrap()
}

fn head(size: u64) -> TreeHead {
    TreeHead { size, root: [9; 32] }
}

#[test]
fn a_note_of_another_implementation_verifies_and_prints_as_it_came() {
    let key = VerifierKey::parse(PETER_KEY).unwrap();
    assert_eq!(key.to_string(), PETER_KEY);
    let note = Note::parse(PETER_NOTE.as_bytes()).unwrap();
    assert!(key.verify(&note).unwrap().is_some());
    assert_eq!(note.to_string(), PETER_NOTE);
}

#[test]
fn the_example_of_the_specification_reads_and_prints_as_it_came() {
    let signed = SignedCheckpoint::parse(BEHIND_THE_SOFA.as_bytes()).unwrap();
    assert_eq!(signed.checkpoint().origin(), "example.com/behind-the-sofa");
    assert_eq!(signed.head().size, 20_852_163);
    assert_eq!(signed.note().signatures().len(), 2);
    assert_eq!(signed.to_vec(), BEHIND_THE_SOFA.as_bytes());
}

#[test]
fn another_implementation_verifies_what_the_log_signs() {
    let signed = SignedCheckpoint::sign(&log(), head(5)).unwrap();
    let verifier = StandardVerifier::new(&log().verifier().to_string()).unwrap();
    let note = TheirNote::from_bytes(&signed.to_vec()).unwrap();
    let (verified, rest) = note.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!((verified.len(), rest.len()), (1, 0));
    let theirs = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), ("nodoor/000102", 5, [9; 32]));
}

#[test]
fn a_cosignature_covers_its_time_and_the_whole_text() {
    let witness = NoteSigner::cosigner("witness.example/w1", [8; 32]).unwrap();
    let signed = SignedCheckpoint::sign(&log(), head(5)).unwrap();
    let line = signed.cosignature(&witness, 1_679_315_147);
    let cosigned = signed.with(line.clone()).unwrap();
    let found = witness.verifier().verify(cosigned.note()).unwrap().unwrap();
    assert_eq!(found.time_seconds, Some(1_679_315_147));

    // Mallory moves the line under a larger tree.
    let other = SignedCheckpoint::sign(&log(), head(6)).unwrap().with(line).unwrap();
    assert_eq!(witness.verifier().verify(other.note()), Err(NoteError::BadSignature));
}

#[test]
fn a_log_signature_is_no_cosignature_and_the_other_way_round() {
    // One seed in both roles, which nobody should have: the id keeps the lines apart.
    let log = NoteSigner::log("same.example", [7; 32]).unwrap();
    let cosigner = NoteSigner::cosigner("same.example", [7; 32]).unwrap();
    let signed = SignedCheckpoint::sign(&log, head(5)).unwrap();
    assert_eq!(cosigner.verifier().verify(signed.note()), Ok(None));
}

#[test]
fn an_ml_dsa_cosignature_verifies_and_a_changed_one_does_not() {
    let (name, time) = ("auditor.example", 1_700_000_000_u64);
    let key = ml_dsa::SigningKey::<MlDsa44>::from_seed(&[5; 32].into());
    let public = key.expanded_key().verifying_key().to_bytes();
    let verifier = VerifierKey::new(name, KeyKind::MlDsa44, &public).unwrap();
    assert_eq!(VerifierKey::parse(&verifier.to_string()).unwrap(), verifier);

    let signed = SignedCheckpoint::sign(&log(), head(5)).unwrap();
    // Built by hand from the structure in tlog-cosignature, "ML-DSA-44 signed message".
    let mut message = b"subtree/v1\n\0".to_vec();
    message.push(15);
    message.extend(name.as_bytes());
    message.extend(time.to_be_bytes());
    message.push(13);
    message.extend(b"nodoor/000102");
    message.extend([0; 8]);
    message.extend(5_u64.to_be_bytes());
    message.extend([9; 32]);
    let signature = key.expanded_key().sign_deterministic(&message, &[]).unwrap();
    let line = |time: u64| {
        let mut data = verifier.id().to_be_bytes().to_vec();
        data.extend(time.to_be_bytes());
        data.extend(signature.encode().as_slice());
        let data = STANDARD.encode(data);
        NoteSignature::parse(&format!("\u{2014} {name} {data}\n")).unwrap()
    };
    let cosigned = signed.clone().with(line(time)).unwrap();
    let found = verifier.verify(cosigned.note()).unwrap().unwrap();
    assert_eq!(found.time_seconds, Some(time));
    let moved = signed.with(line(time + 1)).unwrap();
    assert_eq!(verifier.verify(moved.note()), Err(NoteError::BadSignature));
}

#[test]
fn what_is_not_a_note_is_not_read() {
    let signed = BEHIND_THE_SOFA;
    for bad in [
        String::new(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        signed.replace("20852163", "20852163\r"),
        signed.replace("\u{2014} example", "- example"),
        signed.trim_end().to_owned(),
        signed.replace("w1 jWb", "w1  jWb"),
        signed.replace("nA==", "nB=="),
        format!("{signed}\u{2014} x AA==\n"),
        format!("{signed}{}", "\u{2014} x AAAAAAA=\n".repeat(64)),
    ] {
        assert!(Note::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn what_is_not_a_checkpoint_is_not_read() {
    let text = "example.com/log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    assert_eq!(Checkpoint::parse(text).unwrap().to_string(), text);
    let extended = format!("{text}more\nlines\n");
    assert_eq!(Checkpoint::parse(&extended).unwrap().to_string(), extended);
    for bad in [
        text.replace("5\n", "05\n"),
        text.replace("5\n", "+5\n"),
        text.replace("5\n", "-5\n"),
        text.replace("5\n", "18446744073709551616\n"),
        text.replace("example.com/log", ""),
        text.replace("q2I=", "q2J="),
        text.replace("q2I=\n", "q2I="),
        format!("{text}\n"),
        format!("{text}more\n\nlines\n"),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn a_vkey_with_another_id_or_kind_is_not_read() {
    for bad in [
        PETER_KEY.replace("c74f20a3", "c74f20a4"),
        PETER_KEY.replace("c74f20a3", "C74F20A3"),
        PETER_KEY.replace("+AR", "+AZ"),
        PETER_KEY.replace("PeterNeumann", "Peter Neumann"),
        "PeterNeumann".to_owned(),
    ] {
        assert!(VerifierKey::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn a_tree_head_of_the_same_size_and_another_root_is_a_fork() {
    let held = head(5);
    assert_eq!(held.relation(&head(5)), Relation::Same);
    assert_eq!(held.relation(&head(6)), Relation::Larger);
    assert_eq!(held.relation(&head(4)), Relation::Smaller);
    assert_eq!(held.relation(&TreeHead { size: 5, root: [1; 32] }), Relation::Fork);
}

#[test]
fn the_origin_names_the_deployment() {
    let name = origin(&DeploymentId([0xab; 16]));
    assert_eq!(name, format!("nodoor/{}", "ab".repeat(16)));
}
