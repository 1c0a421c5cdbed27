// SPDX-License-Identifier: AGPL-3.0-or-later
//! Frames, Welcomes and key packages from outside the room: none is taken, none brings a device down.
#![no_main]

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    convert::Infallible,
};

use libfuzzer_sys::fuzz_target;
use nodoor_e2ee::{
    group::Group,
    identity::Identity,
    join::Candidate,
    key_package,
    room::{RoomContext, RoomKind},
    store::KeyValue,
};
use nodoor_wire::{
    id::{AccountId, DeviceId, RoomId},
    proto,
};

/// A transaction in memory.
#[derive(Default)]
struct Rows(RefCell<BTreeMap<Vec<u8>, Vec<u8>>>);

impl KeyValue for Rows {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.borrow().get(key).cloned()
    }

    fn put(&self, key: Vec<u8>, value: Vec<u8>) {
        self.0.borrow_mut().insert(key, value);
    }

    fn delete(&self, key: &[u8]) {
        self.0.borrow_mut().remove(key);
    }
}

/// Counts upward, so that every run has the same keys of ours.
struct Counting(u8);

impl rand_core::TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counting {}

/// Alice, alone in a room, with one key package at the server.
struct Alice {
    rows: Rows,
    group: RefCell<Group>,
}

fn alice() -> Alice {
    let rows = Rows::default();
    let account = AccountId([1; 16]);
    let me = Identity::new(account, DeviceId([2; 16]), 1, [3; 32]);
    let context = RoomContext::new(RoomKind::Group, account, "");
    let group =
        Group::found(&rows, &me, RoomId([4; 32]), context, &mut Counting(0)).expect("a room");
    key_package::make(&rows, &me, false, &mut Counting(100)).expect("a key package");
    Alice { rows, group: RefCell::new(group) }
}

thread_local!(static ALICE: OnceCell<Alice> = const { OnceCell::new() });

fuzz_target!(|bytes: &[u8]| {
    ALICE.with(|cell| {
        let alice = cell.get_or_init(alice);
        let mut group = alice.group.borrow_mut();
        assert!(group.open(&alice.rows, bytes).is_err());
        assert!(Candidate::open(&alice.rows, bytes).is_err());
        let _ = key_package::inspect(bytes);
        let (header, frame) = bytes.split_at(bytes.len() / 2);
        let commit = proto::StoredCommit {
            header: header.to_vec().into(),
            frame: frame.to_vec().into(),
            ..Default::default()
        };
        assert!(group.verify_header(&commit).is_err());
    });
});
