// SPDX-License-Identifier: AGPL-3.0-or-later
//! Look-ups and histories made by akd, the attack first.

use akd::{
    AkdLabel, AzksElement, LookupProof, MembershipProof, NodeLabel, NonMembershipProof,
    WhatsAppV1Configuration as Config, configuration::Configuration as _,
};
use akd_core::{Direction, proto::specs::types, verify::lookup_verify};
use nodoor_transparency::directory::{
    DirectoryError, Published, account_label, account_value, handle_hash, handle_label,
    handle_value, verify_history, verify_lookup,
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, DeploymentId},
};
use proptest::prelude::*;
use protobuf::Message as _;

use crate::{actors::Alice, directory_world::Olga};

const ALICE: &[u8] = b"alice";

/// Alice changed twice, among others.
fn busy() -> Olga {
    let mut olga = Olga::new();
    for epoch in 1..=3_u8 {
        let mut changes: Vec<(Vec<u8>, [u8; 32])> =
            (0..20).map(|n| (vec![epoch, n], [n; 32])).collect();
        changes.push((ALICE.to_vec(), [epoch; 32]));
        olga.publish(&changes);
    }
    olga
}

/// The children of the root that a membership proof names.
fn children_of_the_root(proof: &MembershipProof) -> [AzksElement; 2] {
    let (mut label, mut value) = (proof.label, proof.hash_val);
    let mut children = None;
    for step in proof.sibling_proofs.iter().rev() {
        let own = AzksElement { label, value };
        let (left, right) = match step.direction {
            Direction::Left => (own, step.siblings[0]),
            Direction::Right => (step.siblings[0], own),
        };
        value = Config::compute_parent_hash_from_children(
            &left.value,
            &left.label.value::<Config>(),
            &right.value,
            &right.label.value::<Config>(),
        );
        label = step.label;
        children = Some([left, right]);
    }
    children.unwrap()
}

/// "That label is not in the tree: look at the root, neither child of it is that label."
fn absent_by_the_root(there: &MembershipProof) -> NonMembershipProof {
    let children = children_of_the_root(there);
    let hash_val = Config::compute_parent_hash_from_children(
        &children[0].value,
        &children[0].label.value::<Config>(),
        &children[1].value,
        &children[1].label.value::<Config>(),
    );
    let root = MembershipProof { label: NodeLabel::root(), hash_val, sibling_proofs: vec![] };
    NonMembershipProof {
        label: there.label,
        longest_prefix: NodeLabel::root(),
        longest_prefix_children: children,
        longest_prefix_membership_proof: root,
    }
}

#[test]
fn a_hidden_newest_version_is_refused_where_akd_takes_it() {
    // Olga shows Bob Alice's version 2 as the newest, though 3 is published: she "proves" that 2 was never retired.
    let olga = busy();
    let history = olga.raw_history(ALICE, 3);
    let (three, two) = (&history.update_proofs[0], &history.update_proofs[1]);
    let proof = LookupProof {
        epoch: two.epoch,
        value: two.value.clone(),
        version: two.version,
        existence_vrf_proof: two.existence_vrf_proof.clone(),
        existence_proof: two.existence_proof.clone(),
        marker_vrf_proof: two.existence_vrf_proof.clone(),
        marker_proof: two.existence_proof.clone(),
        freshness_vrf_proof: three.previous_version_vrf_proof.clone().unwrap(),
        freshness_proof: absent_by_the_root(three.previous_version_proof.as_ref().unwrap()),
        commitment_nonce: two.commitment_nonce.clone(),
    };
    let entry = olga.newest();
    let label = AkdLabel(ALICE.to_vec());
    let akd = lookup_verify::<Config>(&olga.vrf_key, entry.root, entry.epoch, label, proof.clone());
    assert_eq!(akd.unwrap().version, 2, "akd has learned to refuse this: our check may go");

    let bytes = types::LookupProof::from(&proof).write_to_bytes().unwrap();
    let ours = verify_lookup(entry, &olga.vrf_key, ALICE, &bytes);
    assert_eq!(ours, Err(DirectoryError::NotShown));
}

#[test]
fn a_history_that_hides_the_newest_version_is_refused() {
    let olga = busy();
    // An honest history of the epoch before: its marker for version 3 has to be forged under the new root.
    let whole = olga.raw_history(ALICE, 3);
    let mut cut = whole.clone();
    cut.update_proofs.remove(0);
    let there = &whole.update_proofs[0].existence_proof;
    cut.future_marker_vrf_proofs = vec![whole.update_proofs[0].existence_vrf_proof.clone()];
    cut.non_existence_of_future_marker_proofs = vec![absent_by_the_root(there)];
    let entry = olga.newest();
    let akd = akd_core::verify::key_history_verify::<Config>(
        &olga.vrf_key,
        entry.root,
        entry.epoch,
        AkdLabel(ALICE.to_vec()),
        cut.clone(),
        akd::HistoryVerificationParams::Default {
            history_params: akd::HistoryParams::MostRecent(2),
        },
    );
    assert_eq!(akd.unwrap()[0].version, 2, "akd has learned to refuse this: our check may go");
    let bytes = types::HistoryProof::from(&cut).write_to_bytes().unwrap();
    let ours = verify_history(entry, &olga.vrf_key, ALICE, &bytes, 2);
    assert_eq!(ours, Err(DirectoryError::NotShown));
}

#[test]
fn a_look_up_shows_the_newest_version() {
    let olga = busy();
    let shown = verify_lookup(olga.newest(), &olga.vrf_key, ALICE, &olga.lookup(ALICE));
    assert_eq!(shown, Ok(Published { version: 3, epoch: 3, value: [3; 32] }));
}

#[test]
fn a_history_shows_as_many_versions_as_were_asked_for() {
    let olga = busy();
    for newest in 1..=5 {
        let proof = olga.history(ALICE, newest);
        let shown = verify_history(olga.newest(), &olga.vrf_key, ALICE, &proof, newest).unwrap();
        let versions: Vec<u64> = shown.iter().map(|one| one.version).collect();
        let first = 4_u64.saturating_sub(newest as u64).max(1);
        assert_eq!(versions, (first..=3).collect::<Vec<_>>());
        assert!(shown.iter().all(|one| one.value == [one.version as u8; 32]));
    }
    // One version where two were asked for is an answer that leaves something out.
    let short = olga.history(ALICE, 1);
    let shown = verify_history(olga.newest(), &olga.vrf_key, ALICE, &short, 2);
    assert_eq!(shown, Err(DirectoryError::NotShown));
}

#[test]
fn a_proof_counts_for_its_label_root_and_key_alone() {
    let olga = busy();
    let proof = olga.lookup(ALICE);
    let newest = olga.newest();
    let bob = verify_lookup(newest, &olga.vrf_key, b"bob", &proof);
    assert_eq!(bob, Err(DirectoryError::NotShown));
    let old = verify_lookup(&olga.epochs[1], &olga.vrf_key, ALICE, &proof);
    assert_eq!(old, Err(DirectoryError::NotShown));
    let key = verify_lookup(newest, &[1; 32], ALICE, &proof);
    assert_eq!(key, Err(DirectoryError::VrfKey));
}

#[test]
fn a_version_of_nought_is_refused_and_does_not_panic() {
    let olga = busy();
    let mut proof = types::LookupProof::parse_from_bytes(&olga.lookup(ALICE)).unwrap();
    proof.set_version(0);
    let bytes = proof.write_to_bytes().unwrap();
    let shown = verify_lookup(olga.newest(), &olga.vrf_key, ALICE, &bytes);
    assert_eq!(shown, Err(DirectoryError::NotShown));
    let mut history = types::HistoryProof::parse_from_bytes(&olga.history(ALICE, 2)).unwrap();
    for version in [0, u64::MAX] {
        history.update_proofs[1].set_version(version);
        let bytes = history.write_to_bytes().unwrap();
        let shown = verify_history(olga.newest(), &olga.vrf_key, ALICE, &bytes, 2);
        assert_eq!(shown, Err(DirectoryError::NotShown));
    }
}

#[test]
fn labels_and_values_hold_no_name() {
    let (deployment, account) = (DeploymentId([7; 16]), AccountId([9; 16]));
    let bob = Handle::parse("bob").unwrap();
    let label = account_label(&deployment, &account);
    assert_eq!(label, [[7; 16].as_slice(), &[1], &[9; 16]].concat());
    let handle = handle_label(&deployment, &bob);
    assert_eq!(handle, [[7; 16].as_slice(), &[2], &handle_hash(&bob)].concat());
    assert!(!handle.windows(3).any(|part| part == b"bob"));
    let chain = Alice::new().registered();
    assert_eq!(account_value(chain.newest()), chain.newest().hash());
    assert_ne!(handle_value(&account), [9; 32]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_changed_proof_shows_nothing_else(at: prop::sample::Index, bit in 0..8_u8) {
        thread_local!(static OLGA: Olga = busy());
        OLGA.with(|olga| {
            let mut proof = olga.lookup(ALICE);
            let at = at.index(proof.len());
            proof[at] ^= 1 << bit;
            if let Ok(shown) = verify_lookup(olga.newest(), &olga.vrf_key, ALICE, &proof) {
                assert_eq!(shown, Published { version: 3, epoch: 3, value: [3; 32] });
            }
            let mut proof = olga.history(ALICE, 3);
            let at = at % proof.len();
            proof[at] ^= 1 << bit;
            if let Ok(shown) = verify_history(olga.newest(), &olga.vrf_key, ALICE, &proof, 3) {
                assert_eq!(shown.len(), 3);
                assert!(shown.iter().all(|one| one.value == [one.version as u8; 32]));
            }
        });
    }

    #[test]
    fn any_history_of_an_account_is_shown_and_with_a_byte_changed_none_else(
        epochs in prop::collection::vec((any::<bool>(), 0..6_u8), 1..9),
        at: prop::sample::Index,
        to in 1..=255_u8,
    ) {
        let mut olga = Olga::new();
        let mut values: Vec<Published> = Vec::new();
        for (epoch, (hers, others)) in (1_u64..).zip(epochs) {
            // At least one epoch has her; each has somebody.
            let hers = hers || epoch == 1;
            let value = [epoch as u8; 32];
            let mut changes: Vec<_> = (0..others).map(|other| (vec![other], value)).collect();
            if hers || changes.is_empty() {
                changes.push((ALICE.to_vec(), value));
                values.push(Published { version: values.len() as u64 + 1, epoch, value });
            }
            olga.publish(&changes);
        }
        let newest = olga.newest();
        let lookup = olga.lookup(ALICE);
        let shown = verify_lookup(newest, &olga.vrf_key, ALICE, &lookup).unwrap();
        prop_assert_eq!(&shown, &values[values.len() - 1]);
        let history = olga.history(ALICE, values.len());
        let shown = verify_history(newest, &olga.vrf_key, ALICE, &history, values.len()).unwrap();
        prop_assert_eq!(&shown, &values);

        let mut changed = lookup;
        let place = at.index(changed.len());
        changed[place] ^= to;
        if let Ok(shown) = verify_lookup(newest, &olga.vrf_key, ALICE, &changed) {
            prop_assert_eq!(&shown, &values[values.len() - 1]);
        }
        let mut changed = history;
        let place = at.index(changed.len());
        changed[place] ^= to;
        if let Ok(shown) = verify_history(newest, &olga.vrf_key, ALICE, &changed, values.len()) {
            prop_assert_eq!(shown, values);
        }
    }

    #[test]
    fn random_bytes_are_no_proof(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        thread_local!(static OLGA: Olga = busy());
        OLGA.with(|olga| {
            assert!(verify_lookup(olga.newest(), &olga.vrf_key, ALICE, &bytes).is_err());
            assert!(verify_history(olga.newest(), &olga.vrf_key, ALICE, &bytes, 3).is_err());
        });
    }
}
