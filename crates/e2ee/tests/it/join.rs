// SPDX-License-Identifier: AGPL-3.0-or-later
//! Key packages and Welcomes.

use nodoor_e2ee::{
    group::{Change, Group},
    join::{Candidate, JoinError},
    key_package::{self, KeyPackageError},
};
use nodoor_wire::id::RoomId;
use openmls::prelude::{
    Ciphersuite, Extensions, Lifetime, MlsGroup, MlsMessageBodyIn, MlsMessageIn, ProcessedWelcome,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};

use crate::world::{
    Device, Mallory, ROOM, SUITE, account, alice_and_bob, group_context, leaf_extension, rng,
    room_of, welcome,
};

const CLASSICAL: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

#[test]
fn a_candidate_shows_the_room_before_it_is_entered() {
    let devices = room_of(3);
    let dora = Device::new(5);
    let made = key_package::make(&dora.disk, &dora.me, false, &mut rng()).unwrap();
    let claims = key_package::inspect(&made.bytes).unwrap();
    assert_eq!((claims.name, claims.token), (dora.me.name(), made.token));
    assert_eq!(claims.mls_key, dora.me.mls_key());
    let commit = devices[1].commit(Change { add: vec![made.bytes], ..Change::default() });
    devices[1].accepted();
    let before = dora.disk.clone();
    let candidate = dora.candidate(&commit).unwrap();
    assert_eq!(candidate.room(), ROOM);
    assert_eq!((candidate.epoch(), candidate.own_index()), (2, 3));
    assert_eq!(candidate.context(), &group_context());
    assert_eq!(candidate.sender().name, devices[1].me.name());
    assert_eq!(candidate.leaves(), devices[1].group().leaves());
    assert!(candidate.replaces().is_none() && !candidate.is_last_resort());
    drop(candidate);
    // A transaction that is thrown away leaves the key package for another time.
    let dora = Device { disk: before, ..dora };
    dora.join(&commit);
    assert_eq!(dora.read(&devices[1].seal(b"hi")), b"hi");
    assert_eq!(dora.candidate(&commit).unwrap_err(), JoinError::NotForUs);
    assert!(dora.disk.0.borrow().keys().all(|key| !key.starts_with(b"e/offer/")));
}

#[test]
fn a_welcome_for_another_is_not_for_us() {
    let (alice, _) = alice_and_bob();
    let (dora, eve) = (Device::new(5), Device::new(6));
    eve.key_package();
    let commit = alice.commit(Change { add: vec![dora.key_package()], ..Change::default() });
    assert_eq!(eve.candidate(&commit).unwrap_err(), JoinError::NotForUs);
    assert_eq!(Candidate::open(&eve.disk, b"junk").unwrap_err(), JoinError::Malformed);
    let mut bent = welcome(&commit);
    let last = bent.len() - 1;
    bent[last] ^= 1;
    assert_eq!(Candidate::open(&dora.disk, &bent).unwrap_err(), JoinError::Forged);
}

#[test]
fn what_a_room_claims_to_be_is_asked_before_its_tree_is_verified() {
    let (alice, _) = alice_and_bob();
    let dora = Device::new(5);
    let commit = alice.commit(Change { add: vec![dora.key_package()], ..Change::default() });
    let mut asked = None;
    let refused = Candidate::open_if(&dora.disk, &welcome(&commit), |context| {
        asked = Some(context.clone());
        false
    });
    assert_eq!(refused.unwrap_err(), JoinError::Unwanted);
    assert_eq!(asked.as_ref(), Some(alice.group().context()));
}

#[test]
fn a_last_resort_key_package_serves_two_rooms() {
    let dora = Device::new(5);
    let made = key_package::make(&dora.disk, &dora.me, true, &mut rng()).unwrap();
    for number in [1, 2] {
        let founder = Device::new(number);
        let room = RoomId([number; 32]);
        let mut group =
            Group::found(&founder.disk, &founder.me, room, group_context(), &mut rng()).unwrap();
        let change = Change { add: vec![made.bytes.clone()], ..Change::default() };
        let commit = group.commit(&founder.disk, &founder.me, change, &mut rng()).unwrap();
        group.merge_pending(&founder.disk).unwrap();
        let candidate = dora.candidate(&commit).unwrap();
        assert!(candidate.is_last_resort());
        candidate.join(&dora.disk).unwrap();
    }
    // Renewing the leaf in one room leaves the other room's commit key alone.
    for number in [1, 2] {
        let mut group = Group::load(&dora.disk, &RoomId([number; 32])).unwrap().unwrap();
        group.commit(&dora.disk, &dora.me, Change::default(), &mut rng()).unwrap();
        group.merge_pending(&dora.disk).unwrap();
    }
}

#[test]
fn a_welcome_holds_the_tree_and_no_external_key() {
    let (alice, _) = alice_and_bob();
    let mallory = Mallory::new();
    let add = vec![mallory.key_package(SUITE, &leaf_extension())];
    let commit = alice.commit(Change { add, ..Change::default() });
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&welcome(&commit)).unwrap();
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else { panic!("no Welcome") };
    let opened =
        ProcessedWelcome::new_from_welcome(&mallory.provider, &Default::default(), welcome)
            .unwrap();
    let info = opened.unverified_group_info();
    assert!(info.extensions().external_pub().is_none());
    assert!(info.extensions().ratchet_tree().is_some());
    assert!(info.group_context().extensions().external_pub().is_none());
    assert!(info.group_context().extensions().external_senders().is_none());
}

#[test]
fn another_suite_is_refused_everywhere() {
    let mallory = Mallory::new();
    let package = mallory.key_package(CLASSICAL, &leaf_extension());
    assert_eq!(key_package::inspect(&package).unwrap_err(), KeyPackageError::Unsupported);
    let mut group = raw_group(&mallory, CLASSICAL);
    let dora = Mallory { signer: Device::new(5).me, ..Mallory::new() };
    let added = add_raw(&mut group, &mallory, &dora.key_package(CLASSICAL, &leaf_extension()));
    assert_eq!(Candidate::open(&Device::new(5).disk, &added).unwrap_err(), JoinError::Suite);
}

#[test]
fn a_room_without_our_context_is_refused() {
    let (mallory, dora) = (Mallory::new(), Device::new(5));
    let mut group = raw_group(&mallory, SUITE);
    let added = add_raw(&mut group, &mallory, &dora.key_package());
    assert_eq!(Candidate::open(&dora.disk, &added).unwrap_err(), JoinError::Forged);
}

#[test]
fn a_leaf_that_does_not_decode_is_not_added() {
    let mallory = Mallory::new();
    let package = mallory.key_package(SUITE, b"\x80");
    assert!(matches!(key_package::inspect(&package), Err(KeyPackageError::Leaf(_))));
    assert_eq!(key_package::inspect(b"").unwrap_err(), KeyPackageError::Invalid);
    let mut bent = mallory.key_package(SUITE, &leaf_extension());
    assert_eq!(key_package::inspect(&bent).unwrap().name.account, account(66));
    let last = bent.len() - 1;
    bent[last] ^= 1;
    assert_eq!(key_package::inspect(&bent).unwrap_err(), KeyPackageError::Invalid);
}

#[test]
fn no_clock_says_whether_a_device_may_enter() {
    // What one receiver's clock would take and another's would not, all of them refuse, and so does who adds it.
    let day = 24 * 3600;
    let now = Lifetime::new(0).not_after();
    let ends = [Lifetime::default(), Lifetime::init(now - 7 * day, now + 31 * day)];
    for lifetime in ends.into_iter().chain([Lifetime::init(1, u64::MAX), Lifetime::init(0, now)]) {
        let package = Mallory::new().lasting(lifetime, SUITE, &leaf_extension());
        assert_eq!(key_package::inspect(&package).unwrap_err(), KeyPackageError::Invalid);
    }
    assert!(key_package::inspect(&Mallory::new().key_package(SUITE, &leaf_extension())).is_ok());
    assert!(key_package::inspect(&Device::new(5).key_package()).is_ok());
}

fn raw_group(mallory: &Mallory, suite: Ciphersuite) -> MlsGroup {
    MlsGroup::builder()
        .ciphersuite(suite)
        .use_ratchet_tree_extension(true)
        .with_capabilities(Mallory::capabilities(suite))
        .with_group_context_extensions(Extensions::empty())
        .build(&mallory.provider, &mallory.signer, mallory.credential())
        .unwrap()
}

fn add_raw(group: &mut MlsGroup, mallory: &Mallory, package: &[u8]) -> Vec<u8> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(package).unwrap();
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else { panic!("no package") };
    let package = package
        .validate(openmls::prelude::OpenMlsProvider::crypto(&mallory.provider), Default::default())
        .unwrap();
    let (_, welcome, _) =
        group.add_members(&mallory.provider, &mallory.signer, &[package]).unwrap();
    welcome.tls_serialize_detached().unwrap()
}
