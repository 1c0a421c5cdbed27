// SPDX-License-Identifier: AGPL-3.0-or-later
//! A member whose client is not ours: everything MLS allows and this protocol does not.

use nodoor_e2ee::{
    group::Change,
    open::{OpenError, Opened},
};
use openmls::prelude::{
    Extension, Extensions, ExternalSender, GroupContext, LeafNodeIndex, LeafNodeParameters,
    Lifetime, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    OpenMlsProvider as _, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
    StagedWelcome, UnknownExtension, WireFormatPolicy,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};

use crate::world::{Device, Mallory, SUITE, alice_and_bob, leaf_extension, welcome};

/// Alice, Bob and Mallory in one room.
fn infiltrated(policy: WireFormatPolicy) -> (Device, Device, Mallory, MlsGroup) {
    let (alice, bob) = alice_and_bob();
    let mallory = Mallory::new();
    let add = vec![mallory.key_package(SUITE, &leaf_extension())];
    let commit = alice.commit(Change { add, ..Change::default() });
    alice.accepted();
    bob.follow(&commit);
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&welcome(&commit)).unwrap();
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else { panic!("no Welcome") };
    let config = MlsGroupJoinConfig::builder()
        .wire_format_policy(policy)
        .use_ratchet_tree_extension(true)
        .build();
    let group = StagedWelcome::new_from_welcome(&mallory.provider, &config, welcome, None)
        .unwrap()
        .into_group(&mallory.provider)
        .unwrap();
    (alice, bob, mallory, group)
}

fn frame(message: &MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().unwrap()
}

fn commit_context(
    group: &mut MlsGroup,
    mallory: &Mallory,
    extensions: Extensions<GroupContext>,
) -> Vec<u8> {
    let bundle = group
        .commit_builder()
        .propose_group_context_extensions(extensions)
        .unwrap()
        .load_psks(mallory.provider.storage())
        .unwrap()
        .build(mallory.provider.rand(), mallory.provider.crypto(), &mallory.signer, |_| true)
        .unwrap()
        .stage_commit(&mallory.provider)
        .unwrap();
    frame(bundle.commit())
}

#[test]
fn mallory_is_read_like_anyone_while_it_behaves() {
    let (alice, _, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let sent = group.create_message(&mallory.provider, &mallory.signer, b"hi").unwrap();
    assert_eq!(alice.read(&frame(&sent)), b"hi");
    let commit = group.self_update(&mallory.provider, &mallory.signer, Default::default());
    let commit = commit.unwrap().into_commit();
    assert!(matches!(alice.open(&frame(&commit)), Ok(Opened::Commit(_))));
}

#[test]
fn a_proposal_to_remove_another_is_refused() {
    let (_, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let (proposal, _) = group
        .propose_remove_member(&mallory.provider, &mallory.signer, LeafNodeIndex::new(0))
        .unwrap();
    assert_eq!(bob.open(&frame(&proposal)).unwrap_err(), OpenError::Forged);
    assert!(!bob.group().must_commit());
}

#[test]
fn a_proposal_to_update_is_refused() {
    let (_, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let (proposal, _) = group
        .propose_self_update(&mallory.provider, &mallory.signer, LeafNodeParameters::default())
        .unwrap();
    assert_eq!(bob.open(&frame(&proposal)).unwrap_err(), OpenError::Forged);
}

#[test]
fn handshakes_in_the_open_are_refused() {
    let (_, bob, mallory, mut group) = infiltrated(PURE_PLAINTEXT_WIRE_FORMAT_POLICY);
    let commit = group.self_update(&mallory.provider, &mallory.signer, Default::default());
    let commit = commit.unwrap().into_commit();
    assert_eq!(bob.open(&frame(&commit)).unwrap_err(), OpenError::Malformed);
}

#[test]
fn a_context_with_external_senders_is_refused() {
    let (_, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let mut extensions = group.extensions().clone();
    let credential = mallory.credential();
    extensions
        .add(Extension::ExternalSenders(vec![ExternalSender::new(
            credential.signature_key,
            credential.credential,
        )]))
        .unwrap();
    let commit = commit_context(&mut group, &mallory, extensions);
    assert_eq!(bob.open(&commit).unwrap_err(), OpenError::Forged);
}

#[test]
fn a_context_that_describes_no_room_is_refused() {
    let required = |group: &MlsGroup| {
        let required = group.extensions().required_capabilities().unwrap().clone();
        Extension::RequiredCapabilities(required)
    };
    let (_, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let without = Extensions::single(required(&group)).unwrap();
    let commit = commit_context(&mut group, &mallory, without);
    assert_eq!(bob.open(&commit).unwrap_err(), OpenError::Forged);

    let (_, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let junk = Extension::Unknown(0xF0D0, UnknownExtension(b"\x80".to_vec()));
    let junk = Extensions::from_vec(vec![required(&group), junk]).unwrap();
    let commit = commit_context(&mut group, &mallory, junk);
    assert_eq!(bob.open(&commit).unwrap_err(), OpenError::Forged);
}

#[test]
fn a_leaf_that_loses_its_extension_is_refused() {
    for extension in [b"".to_vec(), b"\x80".to_vec()] {
        let (_, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
        let extensions =
            Extensions::single(Extension::Unknown(0xF0D1, UnknownExtension(extension))).unwrap();
        let leaf = LeafNodeParameters::builder().with_extensions(extensions).build();
        let commit = group.self_update(&mallory.provider, &mallory.signer, leaf).unwrap();
        assert_eq!(bob.open(&frame(commit.commit())).unwrap_err(), OpenError::Forged);
    }
}

#[test]
fn a_second_identity_on_a_leaf_is_shown_to_the_gate() {
    let (_, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let mut credential = mallory.credential();
    credential.credential =
        openmls::prelude::BasicCredential::new(Device::new(1).me.name().to_vec()).into();
    let leaf = LeafNodeParameters::builder().with_credential_with_key(credential).build();
    let commit = group.self_update(&mallory.provider, &mallory.signer, leaf).unwrap();
    // MLS lets Mallory call itself Alice: only the gate, which looks at list and key, refuses this.
    match bob.open(&frame(commit.commit())).unwrap() {
        Opened::Commit(staged) => {
            let after = staged.committer_after.as_ref().unwrap();
            assert_eq!(after.name, Device::new(1).me.name());
            assert_ne!(after.name, staged.committer.name);
            assert_eq!(after.mls_key, mallory.signer.mls_key());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_taken_token_is_no_roster() {
    let (alice, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let token = alice.group().leaf(0).unwrap().token;
    let keys = [&[0x82, 0x58, 0x20][..], &token.0, &[0x58, 0x20], &[9; 32]].concat();
    let extensions =
        Extensions::single(Extension::Unknown(0xF0D1, UnknownExtension(keys))).unwrap();
    let leaf = LeafNodeParameters::builder().with_extensions(extensions).build();
    let commit = group.self_update(&mallory.provider, &mallory.signer, leaf).unwrap();
    let Opened::Commit(staged) = bob.open(&frame(commit.commit())).unwrap() else {
        panic!("no commit");
    };
    let mut stored = nodoor_wire::proto::StoredCommit {
        epoch: 2,
        frame: frame(commit.commit()).into(),
        ..Default::default()
    };
    let header = nodoor_wire::header::CommitHeader {
        room: crate::world::ROOM.as_bytes().to_vec().into(),
        epoch: 2,
        frame: vec![].into(),
        next_roster: vec![0; 32].into(),
        next_key_check: vec![0; 32].into(),
        welcomes: vec![].into(),
        tree_blob: vec![].into(),
    };
    stored.header = header.to_vec().into();
    stored.commit_key = vec![0x33; 32].into();
    assert_eq!(staged.matches_header(&stored), Err(nodoor_e2ee::staged::HeaderError::NextRoster));
}

#[test]
fn an_add_that_a_clock_would_decide_about_is_refused_by_everybody() {
    let (alice, bob, mallory, mut group) = infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    // It is good today, by everybody's clock; in a month it would be by some.
    let dora = Mallory { signer: Device::new(5).me, ..Mallory::new() };
    let package = dora.lasting(Lifetime::default(), SUITE, &leaf_extension());
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&package).unwrap();
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else { panic!("no package") };
    let package = package.validate(mallory.provider.crypto(), Default::default()).unwrap();
    let (commit, ..) = group.add_members(&mallory.provider, &mallory.signer, &[package]).unwrap();
    for member in [&alice, &bob] {
        assert_eq!(member.open(&frame(&commit)).unwrap_err(), OpenError::Forged);
    }
}
