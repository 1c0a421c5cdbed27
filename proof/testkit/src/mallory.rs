// SPDX-License-Identifier: AGPL-3.0-or-later
//! Mallory: a member who means harm. A test works on her disk directly, past the engine and its gate, and
//! sends the server what she makes, correctly signed by her commit key where that helps her.

use std::cell::RefCell;

use ciborium::Value;
use ed25519_dalek::{Signer as _, SigningKey};
use nodoor_client::store::{MemoryStore, Store as _, WriteBatch};
use nodoor_e2ee::{
    group::{Change, Group},
    identity::Identity,
    key_package,
    payload::{Payload, Slot},
    room::RoomContext,
    store::KeyValue,
};
use nodoor_wire::{
    header::{COMMIT_LABEL, CommitHeader},
    id::{AccountId, DeviceId, RoomId, signed_bytes},
    proto,
};

use crate::{chance::Chance, world::World};

/// A disk that a test reads and writes directly.
pub struct Disk(RefCell<MemoryStore>);

impl KeyValue for Disk {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.borrow().get(key).unwrap()
    }

    fn put(&self, key: Vec<u8>, value: Vec<u8>) {
        self.write(key, Some(value));
    }

    fn delete(&self, key: &[u8]) {
        self.write(key.to_vec(), None);
    }
}

impl Disk {
    /// A disk with these rows.
    #[must_use]
    pub fn new(rows: MemoryStore) -> Self {
        Self(RefCell::new(rows))
    }

    fn write(&self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let mut batch = WriteBatch::default();
        batch.writes.insert(key, value);
        self.0.borrow_mut().commit(batch).unwrap();
    }

    /// Rows whose key begins with `prefix`.
    #[must_use]
    pub fn rows(&self, prefix: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut end = prefix.as_bytes().to_vec();
        end.push(0xFF);
        self.0.borrow().scan(prefix.as_bytes(), &end, false, usize::MAX).unwrap()
    }
}

/// A device in a test's hands.
pub struct Mallory {
    /// Its disk.
    pub disk: Disk,
    /// Its MLS identity.
    pub identity: Identity,
    /// Its account.
    pub account: AccountId,
    /// What signs her messages.
    pub device_key: SigningKey,
    /// Her chance.
    pub chance: Chance,
    mls_seed: [u8; 32],
    person: usize,
}

impl World {
    /// Takes somebody's device away from its engine. [`World::give_back`] returns it.
    pub fn turn(&mut self, person: usize) -> Mallory {
        self.kill(person);
        let disk = Disk::new(std::mem::take(self.disk(person)));
        let row: Value = ciborium::from_reader(&*disk.get(b"a/account").unwrap()).unwrap();
        let account = AccountId(bytes(&row, "account"));
        let device = DeviceId(bytes(&row, "device"));
        let mls_seed = bytes(&row, "mls_seed");
        let identity = Identity::new(account, device, 1, mls_seed);
        Mallory {
            disk,
            identity,
            account,
            device_key: SigningKey::from_bytes(&bytes(&row, "device_seed")),
            chance: Chance::new(666),
            mls_seed,
            person,
        }
    }

    /// Gives a device back and starts it.
    pub fn give_back(&mut self, mallory: Mallory) {
        *self.disk(mallory.person) = mallory.disk.0.into_inner();
        self.switch_on(mallory.person);
    }

    /// Sends the server a commit.
    pub fn submit(&mut self, commit: proto::Commit) -> proto::answer::Body {
        let answer = self.request(proto::request::Body::Commit(commit));
        self.run();
        answer
    }
}

impl Mallory {
    /// The rooms on the disk that are not closed, as the engine's rows name them.
    #[must_use]
    pub fn rooms(&self) -> Vec<RoomId> {
        let rows = self.disk.rows("r/");
        let open = rows.iter().filter(|(_, row)| {
            let row: Value = ciborium::from_reader(row.as_slice()).unwrap();
            *field(&row, "closed") == Value::Bool(false)
        });
        open.map(|(key, _)| RoomId::try_from(&key[2..]).unwrap()).collect()
    }

    /// A room's group.
    #[must_use]
    pub fn group(&self, room: &RoomId) -> Group {
        Group::load(&self.disk, room).unwrap().unwrap()
    }

    /// From now on her leaf names this version of her list.
    pub fn claim_version(&mut self, room: &RoomId, version: u32) {
        let group = self.group(room);
        let device = group.leaf(group.own_index()).unwrap().name.device;
        self.identity = Identity::new(self.account, device, version, self.mls_seed);
    }

    /// Makes a room of her own and has the server know it.
    pub fn found(&mut self, world: &mut World, room: RoomId, context: RoomContext) {
        let chance = &mut self.chance;
        let group = Group::found(&self.disk, &self.identity, room, context, chance).unwrap();
        let found = proto::RoomFound {
            room: room.to_bytes(),
            key_check: group.key_check().unwrap().to_vec().into(),
            roster: group.sealed_roster().unwrap().into(),
        };
        let answer = world.request(proto::request::Body::RoomFound(found));
        assert!(matches!(answer, proto::answer::Body::Done(_)));
    }

    /// A commit as her own client would make it, but for the gate.
    pub fn commit(&mut self, room: &RoomId, change: Change) -> proto::Commit {
        let mut group = self.group(room);
        group.commit(&self.disk, &self.identity, change, &mut self.chance).unwrap()
    }

    /// Signs a commit anew with the commit key of her leaf, after a test changed what it says.
    pub fn sign(&self, room: &RoomId, commit: &mut proto::Commit) {
        let group = self.group(room);
        let public = group.leaf(group.own_index()).unwrap().commit_key;
        let row = [b"e/commit/".as_slice(), room.as_bytes(), &public].concat();
        let seed = <[u8; 32]>::try_from(self.disk.get(&row).unwrap()).unwrap();
        let header = CommitHeader::of(commit).to_vec();
        let signature = SigningKey::from_bytes(&seed).sign(&signed_bytes(COMMIT_LABEL, &header));
        commit.commit_key = public.to_vec().into();
        commit.signature = signature.to_bytes().to_vec().into();
    }

    /// A key package of a device nobody listed, in the name of an account.
    pub fn ghost(&mut self, account: AccountId) -> Vec<u8> {
        let ghost = Identity::new(account, DeviceId([0x66; 16]), 1, [0x66; 32]);
        key_package::make(&self.disk, &ghost, false, &mut self.chance).unwrap().bytes
    }

    /// A content sealed for a room, as a request; of 1970, says its sender's clock.
    pub fn seal(&mut self, room: &RoomId, content: Vec<u8>) -> proto::Send {
        self.seal_at(room, content, 0)
    }

    /// The same, of any time, milliseconds.
    pub fn seal_at(&mut self, room: &RoomId, content: Vec<u8>, at: u64) -> proto::Send {
        let mut group = self.group(room);
        let slot = Slot { room: *room, epoch: group.epoch(), leaf: group.own_index() };
        let authenticator = group.epoch_authenticator();
        let payload = Payload::make(content, at, &slot, authenticator, &self.device_key);
        let frame = group.seal(&self.disk, &self.identity, &payload.to_padded()).unwrap();
        self.send(&group, frame)
    }

    /// Any frame as a request to send it.
    pub fn send(&mut self, group: &Group, frame: Vec<u8>) -> proto::Send {
        proto::Send {
            room: group.room().to_bytes(),
            epoch: group.epoch(),
            key: group.roster_key().unwrap().to_vec().into(),
            transport_id: (self.chance.below(u64::MAX).to_be_bytes().repeat(2)).into(),
            frame: frame.into(),
            quiet: false,
        }
    }
}

fn field<'r>(row: &'r Value, name: &str) -> &'r Value {
    let fields = row.as_map().unwrap();
    &fields.iter().find(|(key, _)| key.as_text() == Some(name)).unwrap().1
}

fn bytes<const N: usize>(row: &Value, name: &str) -> [u8; N] {
    field(row, name).as_bytes().unwrap().clone().try_into().unwrap()
}
