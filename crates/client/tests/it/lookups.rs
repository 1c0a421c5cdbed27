// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a stranger's claims about others cost: their friends no time, and this device no look-ups.

use std::{cell::Cell, rc::Rc, time::Duration};

use nodoor_client::store::{Store as _, WriteBatch};
use nodoor_e2ee::{identity::Identity, key_package};
use nodoor_testkit::{
    mallory::Mallory,
    world::{Fate, World},
};
use nodoor_view::{
    command::{Command, Reply},
    model::ConversationId,
};
use nodoor_wire::{
    id::{AccountId, DeviceId, RoomId},
    proto::request::Body as Ask,
};

use crate::{
    devices::link,
    groups::group,
    hand::{a_group_of, account_of, package_of, smuggle, two, welcome},
};

const SOON: Duration = Duration::from_secs(10);

/// A key package in the name of a device that nobody listed, of a version that there may not be.
fn claim(mallory: &mut Mallory, account: AccountId, version: u32) -> Vec<u8> {
    let seed = account.as_bytes().repeat(2).try_into().unwrap();
    let ghost = Identity::new(account, DeviceId([0x66; 16]), version, seed);
    key_package::make(&mallory.disk, &ghost, false, &mut mallory.chance).unwrap().bytes
}

/// Mallory, whom Bob never heard of, invites him to a group in which she says a device of this account and version is.
fn invite_with(world: &mut World, mallory: &mut Mallory, bobs: AccountId, of: (AccountId, u32)) {
    let room = RoomId([u8::try_from(mallory.chance.below(256)).unwrap(); 32]);
    let add = vec![package_of(world, bobs), claim(mallory, of.0, of.1)];
    let context = a_group_of(mallory.account, "strangers");
    let welcome = welcome(mallory, room, context, add);
    smuggle(world, mallory, bobs, welcome);
}

/// Carol and Bob, who talk, their chats; and Mallory.
fn friends(seed: u64) -> (World, [usize; 2], [ConversationId; 2], Mallory) {
    let mut world = World::new(seed);
    let [bob, carol, mallory] = ["bob", "carol", "mallory"].map(|name| world.register(name));
    let chats = two(&mut world, carol, bob);
    let mallory = world.turn(mallory);
    (world, [carol, bob], chats, mallory)
}

#[test]
fn a_strangers_claim_about_a_friends_list_delays_no_invitation_of_the_friends() {
    let (mut world, [carol, bob], _, mut mallory) = friends(800);
    let [carols, bobs] = [carol, bob].map(|person| account_of(&mut world, person));
    invite_with(&mut world, &mut mallory, bobs, (carols, u32::MAX));
    world.pass(Duration::from_secs(90));
    group(&mut world, carol, "Garden", &["bob"]);
    world.pass(SOON);
    assert_eq!(world.requests(bob).len(), 1);
}

#[test]
fn a_strangers_claim_of_a_version_that_is_to_come_delays_no_new_device_of_a_friend() {
    let (mut world, [carol, bob], [_, chat], mut mallory) = friends(801);
    let [carols, bobs] = [carol, bob].map(|person| account_of(&mut world, person));
    for version in [2, 3] {
        invite_with(&mut world, &mut mallory, bobs, (carols, version));
    }
    world.pass(SOON);
    let laptop = link(&mut world, carol, "laptop");
    // Bob comes to know of it by the commit that brings it.
    let hers = world.chats(carol).remove(0).id;
    let line = Command::SendText { conversation: hers, text: "a new device".into() };
    world.ask(carol, line);
    world.pass(SOON);
    assert_eq!(world.texts(bob, chat).last().unwrap(), "carol: a new device");
    assert!(world.is_on(laptop));
}

#[test]
fn what_comes_in_a_friends_name_has_nobody_else_looked_up() {
    let (mut world, [carol, bob], _, mut mallory) = friends(802);
    let [carols, bobs] = [carol, bob].map(|person| account_of(&mut world, person));
    let asked = Rc::new(Cell::new(0));
    let count = Rc::clone(&asked);
    world.fate = Box::new(move |person, _, request| {
        if person == bob && matches!(request.body, Some(Ask::Lookup(_))) {
            count.set(count.get() + 1);
        }
        Fate::Arrives
    });
    for (number, accepted) in [(1, true), (2, false)] {
        asked.set(0);
        let from = if accepted { carols } else { AccountId([0x77; 16]) };
        let mut add = vec![package_of(&mut world, bobs)];
        add.extend((0..12).map(|n| claim(&mut mallory, AccountId([0x80 + n; 16]), 1)));
        mallory.identity = Identity::new(from, DeviceId([1; 16]), u32::MAX, [9; 32]);
        let forged = welcome(&mut mallory, RoomId([number; 32]), a_group_of(from, "many"), add);
        mallory.identity = Identity::new(mallory.account, DeviceId([1; 16]), 1, [9; 32]);
        smuggle(&mut world, &mut mallory, bobs, forged);
        world.pass(SOON);
        assert_eq!(asked.get(), 1, "accepted: {accepted}");
    }
    assert!(world.requests(bob).is_empty());
}

#[test]
fn a_disk_from_before_there_was_an_index_of_handles_knows_whose_they_are() {
    let (mut world, [carol, bob], ..) = friends(803);
    let handle = world.person(carol).handle;
    world.kill(bob);
    let index = world.disk(bob).keys(b"lh/", b"lh0", usize::MAX).unwrap();
    assert!(!index.is_empty());
    let writes = index.into_iter().map(|row| (row, None)).collect();
    world.disk(bob).commit(WriteBatch { writes, ..WriteBatch::default() }).unwrap();
    world.set_offline(bob, true);
    world.switch_on(bob);
    world.pass(SOON);
    let found = world.ask(bob, Command::Find { handle: handle.into() });
    assert!(matches!(&found, Reply::Person(found) if found.person.handle == handle), "{found:?}");
}
