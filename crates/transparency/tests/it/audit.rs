// SPDX-License-Identifier: AGPL-3.0-or-later
//! Both verifiers of append-only proofs over the same proofs, the attack first.

use akd::{
    AzksElement, AzksValue, NodeLabel, SingleAppendOnlyProof, WhatsAppV1Configuration as Config,
    configuration::Configuration as _,
};
use akd_core::proto::specs::types;
use nodoor_transparency::{
    audit::{AuditError, verify, verify_blob},
    ledger::entry::KtEpoch,
};
use proptest::prelude::*;
use protobuf::Message as _;
use sha2::{Digest as _, Sha256};

use crate::directory_world::Olga;

fn blob(inserted: Vec<AzksElement>, unchanged_nodes: Vec<AzksElement>) -> Vec<u8> {
    let proof = SingleAppendOnlyProof { inserted, unchanged_nodes };
    types::SingleAppendOnlyProof::from(&proof).write_to_bytes().unwrap()
}

fn parent(label: NodeLabel, value: AzksValue) -> AzksValue {
    let nobody = (Config::empty_label().value::<Config>(), Config::empty_node_hash());
    Config::compute_parent_hash_from_children(
        &value,
        &label.value::<Config>(),
        &nobody.1,
        &nobody.0,
    )
}

fn entry(root: [u8; 32], epoch: u64) -> KtEpoch {
    KtEpoch {
        epoch,
        root,
        previous_root: [0; 32],
        labels: 1,
        audit_blob: None,
        vrf_key: [0; 32],
        time_ms: 0,
    }
}

#[test]
fn a_rewritten_value_is_refused_by_both() {
    // akd 0.12.0 took this: an unchanged subtree whose label begins the label of an inserted leaf was left out.
    let shell = NodeLabel::new([0; 32], 1);
    let label = NodeLabel::new([0; 32], 256);
    let value = |bytes: &[u8]| AzksValue(Config::hash(bytes));
    let (one, two) = (value(b"device-list-of-alice"), value(b"device-list-with-ghost"));
    let leaf = |value, epoch| AzksValue(Config::hash_leaf_with_commitment(value, epoch).0);
    let hidden = parent(label, leaf(one, 1));
    let before = Config::compute_root_hash_from_val(&parent(shell, hidden));
    let after = Config::compute_root_hash_from_val(&parent(shell, parent(label, leaf(two, 2))));
    let forged = blob(
        vec![AzksElement { label, value: two }],
        vec![AzksElement { label: shell, value: hidden }],
    );
    assert_eq!(verify_blob(&forged, &before, &after, 2), Err(AuditError::Overlap));
    assert!(!Olga::new().akd_audits(&forged, before, &entry(after, 2)));
}

#[test]
fn a_leaf_inserted_over_itself_is_refused_by_both() {
    let label = NodeLabel::new([0x55; 32], 256);
    let (one, two) = (AzksValue([1; 32]), AzksValue([2; 32]));
    let leaf = |value, epoch| AzksValue(Config::hash_leaf_with_commitment(value, epoch).0);
    let before = Config::compute_root_hash_from_val(&parent(label, leaf(one, 1)));
    let after = Config::compute_root_hash_from_val(&parent(label, leaf(two, 2)));
    let forged = blob(
        vec![AzksElement { label, value: two }],
        vec![AzksElement { label, value: leaf(one, 1) }],
    );
    assert_eq!(verify_blob(&forged, &before, &after, 2), Err(AuditError::Overlap));
    assert!(!Olga::new().akd_audits(&forged, before, &entry(after, 2)));
}

#[test]
fn a_subtree_inserted_whole_is_refused() {
    // What is under an inserted node was never shown: only leaves may be new.
    let inner = NodeLabel::new([0; 32], 8);
    let value = AzksValue([7; 32]);
    let before = nodoor_transparency::directory::empty_root();
    let hashed = AzksValue(Config::hash_leaf_with_commitment(value, 1).0);
    let after = Config::compute_root_hash_from_val(&parent(inner, hashed));
    let forged = blob(vec![AzksElement { label: inner, value }], vec![]);
    assert_eq!(verify_blob(&forged, &before, &after, 1), Err(AuditError::Overlap));
}

#[test]
fn a_leaf_that_is_left_out_is_noticed() {
    let mut olga = Olga::new();
    olga.publish(&(0..9).map(|n| (vec![n], [n; 32])).collect::<Vec<_>>());
    olga.publish(&[(vec![77], [1; 32])]);
    let mut proof = types::SingleAppendOnlyProof::parse_from_bytes(&olga.blobs[1]).unwrap();
    proof.unchanged_nodes.remove(0);
    let cut = proof.write_to_bytes().unwrap();
    let (before, after) = (&olga.epochs[0].root, &olga.epochs[1].root);
    assert_eq!(verify_blob(&cut, before, after, 2), Err(AuditError::Before));
    let mut proof = types::SingleAppendOnlyProof::parse_from_bytes(&olga.blobs[1]).unwrap();
    proof.inserted.clear();
    let cut = proof.write_to_bytes().unwrap();
    assert_eq!(verify_blob(&cut, before, after, 2), Err(AuditError::After));
}

#[test]
fn the_ledger_binds_blob_and_count() {
    let mut olga = Olga::new();
    olga.publish(&[(vec![1], [1; 32]), (vec![2], [2; 32])]);
    let entry = olga.newest().clone();
    assert_eq!(verify(&entry, &olga.blobs[0]), Ok(()));
    assert_eq!(verify(&entry, b"other"), Err(AuditError::OtherBlob));
    for labels in [0, 3] {
        let counted = KtEpoch { labels, ..entry.clone() };
        assert_eq!(verify(&counted, &olga.blobs[0]), Err(AuditError::Labels));
    }
    let heartbeat = KtEpoch { audit_blob: None, ..entry };
    assert_eq!(verify(&heartbeat, &olga.blobs[0]), Err(AuditError::OtherBlob));
}

#[test]
fn a_second_spelling_of_a_blob_is_refused() {
    let mut olga = Olga::new();
    olga.publish(&[(vec![1], [1; 32])]);
    let (before, after) = (olga.newest().previous_root, olga.newest().root);
    let whole = olga.blobs[0].clone();
    assert_eq!(verify_blob(&whole, &before, &after, 1), Ok(1));
    // An unknown field at the end, which protobuf skips.
    let more = [whole.as_slice(), &[0x18, 0x01]].concat();
    assert!(olga.akd_audits(&more, before, olga.newest()));
    assert_eq!(verify_blob(&more, &before, &after, 1), Err(AuditError::Form));
}

/// A few epochs over a few labels, as fast as they come.
fn any_history() -> impl Strategy<Value = Vec<Vec<(u8, u8)>>> {
    let epoch = prop::collection::btree_map(0..40_u8, any::<u8>(), 1..12);
    prop::collection::vec(epoch.prop_map(|changes| changes.into_iter().collect()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_history_verifies_with_both(history in any_history()) {
        let mut olga = Olga::new();
        for (number, changes) in history.iter().enumerate() {
            // akd leaves out a value that did not change: each epoch's is another.
            let value = |byte: u8| -> [u8; 32] { Sha256::digest([byte, number as u8]).into() };
            olga.publish(&changes.iter().map(|(n, byte)| (vec![*n], value(*byte))).collect::<Vec<_>>());
            let entry = olga.newest();
            prop_assert_eq!(verify(entry, &olga.blobs[number]), Ok(()));
            prop_assert!(olga.akd_audits(&olga.blobs[number], entry.previous_root, entry));
        }
    }

    #[test]
    fn a_changed_blob_proves_nothing_else(history in any_history(), at: prop::sample::Index, to in 1..=255_u8) {
        let mut olga = Olga::new();
        for (number, changes) in history.iter().enumerate() {
            let value = |byte: u8| -> [u8; 32] { Sha256::digest([byte, number as u8]).into() };
            olga.publish(&changes.iter().map(|(n, byte)| (vec![*n], value(*byte))).collect::<Vec<_>>());
        }
        let entry = olga.newest();
        let mut blob = olga.blobs.last().unwrap().clone();
        let at = at.index(blob.len());
        blob[at] ^= to;
        prop_assert!(verify_blob(&blob, &entry.previous_root, &entry.root, entry.epoch).is_err());
        prop_assert!(verify(entry, &blob).is_err());
    }

    #[test]
    fn random_bytes_are_no_blob(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        prop_assert!(verify_blob(&bytes, &[0; 32], &[1; 32], 1).is_err());
    }
}
