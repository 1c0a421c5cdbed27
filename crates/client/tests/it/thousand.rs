// SPDX-License-Identifier: AGPL-3.0-or-later
//! How long a thousand people take. Measurements: `cargo test -p nodoor-client --release --test it -- --ignored
//! --nocapture thousand`.

use std::{cell::RefCell, rc::Rc, time::Duration};

use nodoor_e2ee::key_package;
use nodoor_testkit::{
    crowd::identity_of,
    world::{World, computed},
};
use nodoor_transparency::{
    directory::{account_label, verify_lookup},
    ledger::entry::Entry,
};
use nodoor_wire::{
    id::{AccountId, RoomId},
    proto::{self, answer::Body as Answer},
};

use crate::hand::{
    MINUTE, a_group_of, account_of, answers, honest, package_of, smuggle, two, welcome,
};

/// Of everybody, with those who are asked.
const MEMBERS: u32 = 1000;

#[test]
#[ignore = "a measurement"]
fn a_welcome_to_a_thousand_members_takes_this_long() {
    let mut world = World::with_ledger(791);
    let [alice, carol] = ["alice", "carol"].map(|name| world.register(name));
    world.register_crowd(MEMBERS - 2);
    world.pass(Duration::from_secs(10));
    two(&mut world, alice, carol);
    let alices = account_of(&mut world, alice);
    let mut carols = world.turn(carol);
    let mut add = vec![package_of(&mut world, alices)];
    for number in 0..MEMBERS - 2 {
        let identity = identity_of(number);
        let made = key_package::make(&carols.disk, &identity, false, &mut carols.chance).unwrap();
        add.push(made.bytes);
    }
    let context = a_group_of(carols.account, "everybody");
    let everybody = welcome(&mut carols, RoomId([0x5A; 32]), context, add);
    let size = everybody.len();
    world.set_offline(alice, true);
    smuggle(&mut world, &mut carols, alices, everybody);
    let shown: Rc<RefCell<Vec<proto::LookupAnswer>>> = Rc::default();
    let seen = Rc::clone(&shown);
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer {
            seen.borrow_mut().push(found.clone());
        }
    });
    let before = world.device(alice).spent;
    world.set_offline(alice, false);
    world.pass(MINUTE);
    let spent = world.device(alice).spent - before;
    honest(&mut world);
    assert_eq!(world.requests(alice).len(), 1);
    let shown = shown.borrow();
    println!("a Welcome of {size} bytes, {} look-ups: {spent:?}", shown.len());
    proofs_alone(&world, &shown);
}

fn proofs_alone(world: &World, shown: &[proto::LookupAnswer]) {
    let deployment = world.server.deployment();
    let began = computed();
    for found in shown {
        let proof = found.directory.as_ref().unwrap();
        let Ok(Entry::Epoch(epoch)) = Entry::decode(&proof.epoch.as_ref().unwrap().entry) else {
            panic!("not an epoch");
        };
        let account = AccountId::try_from(found.account.as_ref()).unwrap();
        let label = account_label(&deployment, &account);
        verify_lookup(&epoch, &proof.vrf_key, &label, &proof.account).unwrap();
    }
    let each = (computed() - began) / u32::try_from(shown.len()).unwrap();
    println!("one proof of an account among {}: {each:?}", shown.len());
}
