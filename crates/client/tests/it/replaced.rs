// SPDX-License-Identifier: AGPL-3.0-or-later
//! A Welcome whose MLS group id is that of a room somebody is stuck in, was removed from or closed: what it may
//! take over (the place of a group, by its creator, later than before) and what it may not (anything else).

use std::{cell::RefCell, rc::Rc, time::Duration};

use nodoor_e2ee::{
    group::Change,
    room::{Burnt, RoomContext, RoomKind},
};
use nodoor_testkit::world::World;
use nodoor_view::{command::Command, model::Writable};
use nodoor_wire::{
    header::CommitHeader,
    id::RoomId,
    proto::{answer::Body as Answer, body},
};

use crate::{
    hand::{
        HOUR, MINUTE, a_group_of, account_of, bodies, four, honest, overhear, package_of, read_by,
        room_of, smuggle, strand, two, welcome,
    },
    writable,
};

#[test]
fn a_stuck_chat_is_not_taken_over_by_a_room_of_the_servers_own_account() {
    for direct in [false, true] {
        let mut world = World::new(300);
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        let eve = world.register("eve");
        let [a, _] = two(&mut world, alice, bob);
        let (account, room) = (account_of(&mut world, alice), room_of(&mut world, alice));
        strand(&mut world, alice);
        world.write(alice, a, "are you there");
        world.pass(MINUTE);
        assert_eq!(writable(&mut world, alice, a), Writable::Stuck);

        let mut eve = world.turn(eve);
        let mut context = a_group_of(eve.account, "");
        if direct {
            context.kind = RoomKind::direct(eve.account, account);
        }
        let add = vec![package_of(&mut world, account)];
        let evil = welcome(&mut eve, room, context, add);
        smuggle(&mut world, &mut eve, account, evil);
        let heard = overhear(&mut world, alice);
        world.write(alice, a, "for bob alone");
        world.pass(2 * HOUR);
        assert_eq!(read_by(&eve, &heard), 0, "direct: {direct}");
    }
}

#[test]
fn a_stuck_group_is_not_taken_over_by_another_member() {
    let (mut world, [alice, bob, _, mallory], [a, b, ..]) = four(301);
    let (account, room) = (account_of(&mut world, bob), room_of(&mut world, bob));
    strand(&mut world, bob);
    world.write(bob, b, "is anybody there");
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, bob, b), Writable::Stuck);
    let mut mallory = world.turn(mallory);
    let add = vec![package_of(&mut world, account)];
    let context = a_group_of(mallory.account, "Garden");
    let evil = welcome(&mut mallory, room, context, add);
    smuggle(&mut world, &mut mallory, account, evil);
    let heard = overhear(&mut world, bob);
    world.write(bob, b, "for the garden");
    world.pass(30 * MINUTE);
    assert_eq!(read_by(&mallory, &heard), 0);
    // The creator's help is another thing.
    honest(&mut world);
    world.write(alice, a, "what happened to bob");
    world.pass(3 * HOUR);
    assert_eq!(writable(&mut world, bob, b), Writable::Yes);
    assert!(world.texts(alice, a).contains(&"bob: for the garden".to_owned()));
}

#[test]
fn who_was_removed_is_not_put_back_by_a_stranger() {
    let (mut world, [alice, bob, _, mallory], [a, b, ..]) = four(302);
    let (account, room) = (account_of(&mut world, bob), room_of(&mut world, bob));
    let remove = Command::GroupRemove { conversation: a, handle: "bob".into() };
    world.ask(alice, remove);
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, bob, b), Writable::Removed);
    let mut mallory = world.turn(mallory);
    let add = vec![package_of(&mut world, account)];
    let context = a_group_of(mallory.account, "Garden");
    let evil = welcome(&mut mallory, room, context, add);
    smuggle(&mut world, &mut mallory, account, evil);
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, bob, b), Writable::Removed);
}

#[test]
fn a_welcome_the_creator_made_long_ago_puts_nobody_back() {
    let mut world = World::new(303);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.register("carol");
    let account = account_of(&mut world, bob);
    // Only the last-resort key package is left: a Welcome made with it opens again and again.
    for _ in 0..5 {
        package_of(&mut world, account);
    }
    let kept: Rc<RefCell<Option<body::Body>>> = Rc::default();
    let keep = Rc::clone(&kept);
    bodies(&mut world, bob, move |body| {
        if matches!(body, body::Body::Welcome(_)) {
            keep.borrow_mut().get_or_insert(body.clone());
        }
    });
    let a = crate::groups::group(&mut world, alice, "Garden", &["bob", "carol"]);
    let b = world.accept(bob).id;
    world.pass(MINUTE);
    world.ask(alice, Command::GroupRemove { conversation: a, handle: "bob".into() });
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, bob, b), Writable::Removed);
    let again = kept.borrow_mut().take().unwrap();
    let mut again = Some(again);
    bodies(&mut world, bob, move |body| {
        if let Some(again) = again.take() {
            *body = again;
        }
    });
    world.say(alice, "bob", "sorry");
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, bob, b), Writable::Removed);
}

#[test]
fn a_closed_chat_does_not_come_back_as_somebody_elses_room() {
    let mut world = World::new(304);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let eve = world.register("eve");
    let [_, b] = two(&mut world, alice, bob);
    let (account, room) = (account_of(&mut world, bob), room_of(&mut world, bob));
    world.ask(bob, Command::Block { conversation: b });
    world.pass(MINUTE);
    world.ask(bob, Command::Unblock { conversation: b });
    world.pass(MINUTE);
    let mut eve = world.turn(eve);
    let add = vec![package_of(&mut world, account)];
    let context = a_group_of(eve.account, "");
    let evil = welcome(&mut eve, room, context, add);
    smuggle(&mut world, &mut eve, account, evil);
    let heard = overhear(&mut world, bob);
    world.write(bob, b, "for alice alone");
    world.pass(MINUTE);
    assert_eq!(read_by(&eve, &heard), 0);
}

#[test]
fn a_group_is_no_successor_of_a_chat_of_two() {
    let mut world = World::new(305);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, _] = two(&mut world, alice, bob);
    let account = account_of(&mut world, alice);
    let mut mallory = world.turn(bob);
    let room = mallory.rooms()[0];
    let epoch = mallory.group(&room).epoch();
    let mut burn = mallory.commit(&room, Change::default());
    let mut roster = burn.next_roster.to_vec();
    roster[0] ^= 1;
    burn.next_roster = roster.into();
    mallory.sign(&room, &mut burn);
    let commit = CommitHeader::of(&burn).commit_id();
    assert!(matches!(world.submit(burn), Answer::Done(_)));
    world.pass(MINUTE);
    // Alice went on in a new room with Bob. Now a group of Bob's says that it is the successor.
    let origin = Burnt { room, epoch, commit };
    let context = RoomContext { successor_of: Some(origin), ..a_group_of(mallory.account, "") };
    let add = vec![package_of(&mut world, account)];
    let evil = welcome(&mut mallory, RoomId([0; 32]), context, add);
    smuggle(&mut world, &mut mallory, account, evil);
    let heard = overhear(&mut world, alice);
    world.pass(MINUTE);
    world.write(alice, a, "between us");
    world.pass(Duration::from_secs(20));
    assert!(heard.borrow().iter().all(|(room, _)| *room != RoomId([0; 32])));
    assert_eq!(world.requests(alice).len(), 1);
}
