// SPDX-License-Identifier: AGPL-3.0-or-later
//! Actors: devices with a disk each. Olga, who carries frames, is the test itself.

use std::{cell::RefCell, collections::BTreeMap};

use ed25519_dalek::{Signer as _, SigningKey};
use nodoor_e2ee::{
    group::{Change, Group},
    identity::Identity,
    join::{Candidate, JoinError},
    key_package,
    open::{OpenError, Opened},
    room::{RoomContext, RoomKind},
    staged::Staged,
    store::KeyValue,
};
use nodoor_wire::{
    header::{COMMIT_LABEL, CommitHeader},
    id::{AccountId, DeviceId, RoomId, signed_bytes},
    proto,
};
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, Extension,
    ExtensionType, Extensions, KeyPackage, Lifetime, MlsMessageOut, UnknownExtension,
    tls_codec::Serialize as _,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use rand_core::UnwrapErr;

pub(crate) const ROOM: RoomId = RoomId([7; 32]);
pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519;

pub(crate) fn rng() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

/// A disk in memory. Its copy is what a crash would have left.
#[derive(Clone, Default)]
pub(crate) struct Disk(pub(crate) RefCell<BTreeMap<Vec<u8>, Vec<u8>>>);

impl KeyValue for Disk {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.borrow().get(key).cloned()
    }
    fn put(&self, key: Vec<u8>, value: Vec<u8>) {
        assert!(key.starts_with(b"e/") && key.len() <= 1024, "a key that is not ours");
        self.0.borrow_mut().insert(key, value);
    }
    fn delete(&self, key: &[u8]) {
        self.0.borrow_mut().remove(key);
    }
}

/// A device of an account of its own.
pub(crate) struct Device {
    pub(crate) me: Identity,
    pub(crate) device_key: SigningKey,
    pub(crate) disk: Disk,
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId([number; 16])
}

impl Device {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            me: Identity::new(account(number), DeviceId([number; 16]), 1, [number; 32]),
            device_key: SigningKey::from_bytes(&[number + 100; 32]),
            disk: Disk::default(),
        }
    }

    pub(crate) fn group(&self) -> Group {
        Group::load(&self.disk, &ROOM).unwrap().expect("a room on disk")
    }

    pub(crate) fn key_package(&self) -> Vec<u8> {
        key_package::make(&self.disk, &self.me, false, &mut rng()).unwrap().bytes
    }

    pub(crate) fn commit(&self, change: Change) -> proto::Commit {
        self.group().commit(&self.disk, &self.me, change, &mut rng()).unwrap()
    }

    pub(crate) fn accepted(&self) {
        self.group().merge_pending(&self.disk).unwrap();
    }

    pub(crate) fn seal(&self, text: &[u8]) -> Vec<u8> {
        self.group().seal(&self.disk, &self.me, text).unwrap()
    }

    pub(crate) fn open(&self, frame: &[u8]) -> Result<Opened, OpenError> {
        self.group().open(&self.disk, frame)
    }

    pub(crate) fn read(&self, frame: &[u8]) -> Vec<u8> {
        match self.open(frame).unwrap() {
            Opened::Payload { bytes, .. } => bytes,
            other => panic!("no payload: {other:?}"),
        }
    }

    /// All checks of another member's commit but the gate, then the merge.
    pub(crate) fn follow(&self, commit: &proto::Commit) {
        let stored = stored(commit);
        let mut group = self.group();
        group.verify_header(&stored).unwrap();
        let staged = match group.open(&self.disk, &stored.frame).unwrap() {
            Opened::Commit(staged) => *staged,
            other => panic!("no commit: {other:?}"),
        };
        staged.matches_header(&stored).unwrap();
        let leaves_after = staged.leaves_after().to_vec();
        group.merge(&self.disk, staged).unwrap();
        assert_eq!(group.leaves(), leaves_after, "leaves as replayed from the proposals");
    }

    pub(crate) fn stage(&self, stored: &proto::StoredCommit) -> Result<Staged, OpenError> {
        self.open(&stored.frame).map(|opened| match opened {
            Opened::Commit(staged) => *staged,
            other => panic!("no commit: {other:?}"),
        })
    }

    pub(crate) fn candidate(&self, commit: &proto::Commit) -> Result<Candidate, JoinError> {
        Candidate::open(&self.disk, &welcome(commit))
    }

    pub(crate) fn join(&self, commit: &proto::Commit) {
        self.candidate(commit).unwrap().join(&self.disk).unwrap();
    }

    /// Signs a header of its own making, as a dishonest member can.
    pub(crate) fn sign_header(&self, stored: &mut proto::StoredCommit, header: &CommitHeader) {
        let group = self.group();
        let public = group.leaf(group.own_index()).unwrap().commit_key;
        let key = [b"e/commit/".as_slice(), ROOM.as_bytes(), &public].concat();
        let secret: [u8; 32] = self.disk.get(&key).unwrap().try_into().unwrap();
        stored.header = header.to_vec().into();
        stored.commit_key = public.to_vec().into();
        let signature =
            SigningKey::from_bytes(&secret).sign(&signed_bytes(COMMIT_LABEL, &stored.header));
        stored.signature = signature.to_vec().into();
    }
}

pub(crate) fn group_context() -> RoomContext {
    RoomContext::new(RoomKind::Group, account(1), "Walk")
}

/// `size` devices of as many accounts in one room; the first founded it.
pub(crate) fn room_of(size: u8) -> Vec<Device> {
    let devices: Vec<Device> = (1..=size).map(Device::new).collect();
    let founder = &devices[0];
    Group::found(&founder.disk, &founder.me, ROOM, group_context(), &mut rng()).unwrap();
    if size > 1 {
        let add = devices.iter().skip(1).map(Device::key_package).collect();
        let commit = founder.commit(Change { add, ..Change::default() });
        founder.accepted();
        devices.iter().skip(1).for_each(|device| device.join(&commit));
    }
    devices
}

pub(crate) fn alice_and_bob() -> (Device, Device) {
    let mut both = room_of(2).into_iter();
    (both.next().unwrap(), both.next().unwrap())
}

/// What the server keeps of a commit.
pub(crate) fn stored(commit: &proto::Commit) -> proto::StoredCommit {
    proto::StoredCommit {
        epoch: commit.epoch,
        frame: commit.frame.clone(),
        header: CommitHeader::of(commit).to_vec().into(),
        commit_key: commit.commit_key.clone(),
        signature: commit.signature.clone(),
    }
}

pub(crate) fn welcome(commit: &proto::Commit) -> Vec<u8> {
    commit.welcomes[0].body.to_vec()
}

/// Mallory: a member whose client is plain OpenMLS and does whatever OpenMLS lets it.
pub(crate) struct Mallory {
    pub(crate) provider: OpenMlsRustCrypto,
    pub(crate) signer: Identity,
}

impl Mallory {
    pub(crate) fn new() -> Self {
        let signer = Identity::new(account(66), DeviceId([66; 16]), 1, [66; 32]);
        Self { provider: OpenMlsRustCrypto::default(), signer }
    }

    pub(crate) fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.signer.name().to_vec()).into(),
            signature_key: self.signer.mls_key().as_slice().into(),
        }
    }

    pub(crate) fn capabilities(suite: Ciphersuite) -> Capabilities {
        Capabilities::builder()
            .ciphersuites(vec![suite])
            .extensions(vec![ExtensionType::Unknown(0xF0D0), ExtensionType::Unknown(0xF0D1)])
            .credentials(vec![CredentialType::Basic])
            .build()
    }

    pub(crate) fn key_package(&self, suite: Ciphersuite, leaf_extension: &[u8]) -> Vec<u8> {
        self.lasting(Lifetime::init(0, u64::MAX), suite, leaf_extension)
    }

    pub(crate) fn lasting(
        &self,
        lifetime: Lifetime,
        suite: Ciphersuite,
        leaf_extension: &[u8],
    ) -> Vec<u8> {
        let extension = Extension::Unknown(0xF0D1, UnknownExtension(leaf_extension.to_vec()));
        let bundle = KeyPackage::builder()
            .key_package_lifetime(lifetime)
            .leaf_node_capabilities(Self::capabilities(suite))
            .leaf_node_extensions(Extensions::single(extension).unwrap())
            .build(suite, &self.provider, &self.signer, self.credential())
            .unwrap();
        MlsMessageOut::from(bundle.key_package().clone()).tls_serialize_detached().unwrap()
    }
}

/// A well-formed `nodoor_leaf`: `[h'22..', h'33..']`.
pub(crate) fn leaf_extension() -> Vec<u8> {
    [&[0x82, 0x58, 0x20][..], &[0x22; 32], &[0x58, 0x20], &[0x33; 32]].concat()
}
