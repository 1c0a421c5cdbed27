// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rooms that are gone for one side, or for both: who was away for too long, whom the server turns away, whom the
//! other put out; and what was deleted meanwhile.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use nodoor_e2ee::group::Change;
use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    device::Command as Device,
    model::{ConversationId, SendState, SystemLine, Writable},
};
use nodoor_wire::{
    code::Code,
    proto::{answer::Body as Answer, from_server::Body as Said, request::Body as Ask},
};

use crate::{
    devices::{device, link, rows},
    groups::{group, lines},
    hand::{
        HOUR, MINUTE, account_of, four, honest, members, package_of, refusal, room_of, smuggle,
        strand, two, welcome,
    },
    writable,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Olga turns everybody's sending and catching up away, in the rooms there are now and in all that follow.
fn turn_away(world: &mut World) {
    let asked: Rc<RefCell<BTreeMap<usize, bool>>> = Rc::default();
    let seen = Rc::clone(&asked);
    world.fate = Box::new(move |person, _, request| {
        let about = matches!(request.body, Some(Ask::Send(_) | Ask::CatchUp(_)));
        seen.borrow_mut().insert(person, about);
        Fate::Arrives
    });
    world.tamper = Box::new(move |person, said| {
        if let Some(Said::Answer(answer)) = &mut said.body
            && asked.borrow_mut().remove(&person) == Some(true)
            && let Some(body) = &mut answer.body
        {
            *body = refusal(Code::Forbidden);
        }
    });
}

fn sent(state: &SendState) -> bool {
    matches!(state, SendState::Sent | SendState::Delivered)
}

/// Both write, and both read both.
fn both_hear(world: &mut World, people: [usize; 2], chats: [ConversationId; 2], what: &str) {
    for n in 0..2 {
        world.write(people[n], chats[n], &format!("{what} {n}"));
    }
    world.pass(MINUTE);
    for n in 0..2 {
        assert_eq!(writable(world, people[n], chats[n]), Writable::Yes, "{what} {n}");
        let texts = world.texts(people[n], chats[n]);
        for of in 0..2 {
            let ends = format!(": {what} {of}");
            let count = texts.iter().filter(|text| text.ends_with(&ends)).count();
            assert_eq!(count, 1, "{what} {of} at {n}: {texts:?}");
        }
        assert_eq!(world.chats(people[n]).len(), 1);
        assert!(world.requests(people[n]).is_empty());
    }
}

#[test]
fn who_was_away_for_too_long_goes_on_in_a_new_room_of_the_same_chat() {
    for who_writes_first in [0, 1] {
        let mut world = World::new(400);
        let people = [world.register("alice"), world.register("bob")];
        let chats = two(&mut world, people[0], people[1]);
        world.set_offline(people[1], true);
        // Alice's leaf is renewed each week; what Bob would need is kept for thirty days.
        for _ in 0..50 {
            world.pass(DAY);
            world.sweep();
        }
        world.write(people[who_writes_first], chats[who_writes_first], "after the winter");
        world.pass(MINUTE);
        world.set_offline(people[1], false);
        world.pass(10 * MINUTE);
        both_hear(&mut world, people, chats, "again");
        both_hear(&mut world, people, chats, "and again");
        let states = world.states(people[1], chats[1]);
        assert!(states.iter().all(sent), "{states:?}");
    }
}

#[test]
fn a_server_that_turns_both_away_parts_nobody_for_long() {
    let mut world = World::new(401);
    let people = [world.register("alice"), world.register("bob")];
    let chats = two(&mut world, people[0], people[1]);
    turn_away(&mut world);
    for n in 0..2 {
        world.write(people[n], chats[n], &format!("first {n}"));
    }
    // Both found a room at once, and those are turned away as well: the next comes an hour later at most.
    let before = world.requests;
    world.pass(20 * MINUTE);
    assert!(world.requests - before < 300, "{}", world.requests - before);
    honest(&mut world);
    world.pass(2 * HOUR);
    both_hear(&mut world, people, chats, "second");
    for n in 0..2 {
        let texts = world.texts(people[n], chats[n]);
        for text in ["first 0", "first 1"] {
            assert!(texts.iter().any(|line| line.ends_with(text)), "{text} at {n}: {texts:?}");
        }
    }
}

#[test]
fn nobody_is_put_out_of_a_chat_of_two_by_being_taken_out_and_in() {
    let mut world = World::new(402);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let chats = two(&mut world, alice, bob);
    let account = account_of(&mut world, alice);
    let package = package_of(&mut world, account);
    let mut mallory = world.turn(bob);
    let room = mallory.rooms()[0];
    let group = mallory.group(&room);
    let of_alice = |leaf: &&nodoor_e2ee::group::Leaf| leaf.name.account == account;
    let remove = group.leaves().iter().filter(of_alice).map(|leaf| leaf.index).collect();
    let change = Change { add: vec![package], remove, ..Change::default() };
    let commit = mallory.commit(&room, change);
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, alice, chats[0]), Writable::Yes);
    world.write(alice, chats[0], "still here");
    world.pass(MINUTE);
    assert!(world.states(alice, chats[0]).iter().all(sent));
    world.give_back(mallory);
    world.pass(MINUTE);
    assert!(world.texts(bob, chats[1]).contains(&"alice: still here".to_owned()));
    both_hear(&mut world, [alice, bob], chats, "again");
}

#[test]
fn a_device_that_the_other_side_puts_out_goes_on_in_a_new_room() {
    let mut world = World::new(403);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let chats = two(&mut world, alice, bob);
    let room = room_of(&mut world, alice);
    let laptop = link(&mut world, alice, "laptop");
    world.pass(MINUTE);
    let phone = world.turn(alice);
    let index = phone.group(&room).own_index();
    world.give_back(phone);
    world.pass(MINUTE);
    let mut mallory = world.turn(bob);
    assert_eq!(mallory.group(&room).leaves().len(), 3);
    let commit = mallory.commit(&room, Change { remove: vec![index], ..Change::default() });
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, alice, chats[0]), Writable::Yes);
    world.write(alice, chats[0], "still here");
    world.pass(MINUTE);
    assert!(world.states(alice, chats[0]).iter().all(sent));
    world.give_back(mallory);
    world.pass(10 * MINUTE);
    assert!(world.texts(bob, chats[1]).contains(&"alice: still here".to_owned()));
    world.write(bob, chats[1], "to both");
    world.pass(MINUTE);
    for person in [alice, laptop] {
        let chat = world.chat(person, "bob").id;
        assert!(world.texts(person, chat).contains(&"bob: to both".to_owned()), "{person}");
    }
}

#[test]
fn a_device_that_disputes_its_removal_stays_where_it_is() {
    let mut world = World::new(404);
    let (bob, alice) = (world.register("bob"), world.register("alice"));
    let at_bob = group(&mut world, bob, "Garden", &["alice"]);
    world.accept(alice);
    world.pass(Duration::from_secs(10));
    let thief = link(&mut world, alice, "laptop");
    world.pass(MINUTE);
    let phone = rows(&mut world, alice)[0].device.clone();
    // His own client would put the phone out of each room; here he leaves that to the others.
    world.fate = Box::new(move |person, _, request| match request.body {
        Some(Ask::Commit(_)) if person == thief => Fate::NeverAnswered,
        _ => Fate::Arrives,
    });
    world.set_offline(bob, true);
    let remove = Command::Device { of: Device::Remove { device: phone } };
    world.begin(thief, remove);
    world.pass(Duration::from_secs(5));
    world.cut(alice);
    world.pass(Duration::from_secs(10));
    assert_eq!(device(&mut world, alice, Device::Dispute), Reply::Done);
    world.kill(thief);
    world.set_offline(bob, false);
    world.pass(2 * MINUTE);
    assert!(matches!(world.ask(bob, Command::Find { handle: "alice".into() }), Reply::Person(_)));
    world.write(bob, at_bob, "to all");
    world.pass(MINUTE);
    let room = room_in(&mut world, bob, "Garden");
    let bobs = world.turn(bob);
    assert_eq!(bobs.group(&room).leaves().len(), 3, "the removed device is still in it");
    world.give_back(bobs);
}

/// The open group room on somebody's disk.
fn room_in(world: &mut World, person: usize, title: &str) -> nodoor_wire::id::RoomId {
    let one = world.turn(person);
    let room = one.rooms().into_iter().find(|room| one.group(room).context().title == title);
    world.give_back(one);
    room.unwrap()
}

#[test]
fn what_was_deleted_before_it_went_is_not_sent_again() {
    for brought_back in [false, true] {
        let mut world = World::new(405);
        let (bob, alice) = (world.register("bob"), world.register("alice"));
        let at_bob = group(&mut world, bob, "Garden", &["alice"]);
        let at_alice = world.accept(alice).id;
        world.pass(Duration::from_secs(20));
        // It is sealed, and nobody knows whether it arrived.
        world.fate = Box::new(move |person, _, request| match request.body {
            Some(Ask::Send(_)) if person == alice => Fate::NeverAnswered,
            _ => Fate::Arrives,
        });
        let message = world.write(alice, at_alice, "not for the garden").id;
        world.set_offline(alice, true);
        honest(&mut world);
        let rename = Command::GroupRename { conversation: at_bob, title: "Allotment".into() };
        assert_eq!(world.ask(bob, rename), Reply::Done);
        world.pass(Duration::from_secs(5));
        assert_eq!(world.ask(alice, Command::DeleteForMe { message }), Reply::Done);
        world.set_offline(alice, false);
        world.pass(Duration::from_secs(20));
        if brought_back {
            assert_eq!(world.ask(alice, Command::Undelete { message }), Reply::Done);
        }
        world.pass(MINUTE);
        let texts = world.texts(bob, at_bob);
        let count = texts.iter().filter(|text| text.ends_with("not for the garden")).count();
        assert_eq!(count, usize::from(brought_back), "{texts:?}");
    }
}

#[test]
fn a_group_that_nobody_came_to_for_eight_days_is_founded_again() {
    let mut world = World::new(406);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let id = group(&mut world, alice, "Garden", &[]);
    world.set_offline(alice, true);
    for _ in 0..10 {
        world.pass(DAY);
        world.sweep();
    }
    world.set_offline(alice, false);
    world.pass(MINUTE);
    let add = Command::GroupAdd { conversation: id, handle: "bob".into() };
    assert_eq!(world.ask(alice, add), Reply::Done);
    world.pass(MINUTE);
    let at_bob = world.accept(bob).id;
    world.write(alice, id, "welcome");
    world.pass(MINUTE);
    assert_eq!(world.texts(bob, at_bob), ["alice: welcome"]);
    assert_eq!(writable(&mut world, alice, id), Writable::Yes);
}

// ---- what three late fixes do ------------------------------------------------------------------

#[test]
fn a_friends_welcome_that_no_list_will_ever_allow_is_not_kept() {
    let mut world = World::new(407);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    two(&mut world, alice, bob);
    let account = account_of(&mut world, bob);
    let mut mallory = world.turn(alice);
    let room = nodoor_wire::id::RoomId([7; 32]);
    let context = crate::hand::a_group_of(mallory.account, "never");
    let add = vec![package_of(&mut world, account)];
    // Her leaf names a list that will never be.
    mallory.claim_version(&mallory.rooms()[0], 9);
    let evil = welcome(&mut mallory, room, context, add);
    let honest = mallory.rooms()[0];
    mallory.claim_version(&honest, 1);
    smuggle(&mut world, &mut mallory, account, evil);
    world.pass(HOUR);
    world.kill(bob);
    let kept = nodoor_client::store::Store::keys(world.disk(bob), b"w/", b"w0", 9).unwrap();
    assert!(kept.is_empty());
}

#[test]
fn who_leaves_goes_although_something_was_still_to_be_done() {
    let (mut world, [alice, bob, ..], [a, b, ..]) = four(408);
    world.set_offline(alice, true);
    let rename = Command::GroupRename { conversation: a, title: "Allotment".into() };
    assert_eq!(world.ask(alice, rename), Reply::Done);
    assert_eq!(world.ask(alice, Command::GroupLeave { conversation: a }), Reply::Done);
    world.set_offline(alice, false);
    world.pass(10 * MINUTE);
    let left = |line: &SystemLine| matches!(line, SystemLine::Left { .. });
    assert!(lines(&mut world, bob, b).iter().any(left));
    assert!(!members(&mut world, bob, b).contains(&"alice".to_owned()));
}

#[test]
fn a_chat_that_moved_while_it_was_blocked_is_one_again_afterwards() {
    let mut world = World::new(420);
    let [alice, bob] = ["alice", "bob"].map(|name| world.register(name));
    let [a, b] = two(&mut world, alice, bob);
    world.ask(alice, Command::Block { conversation: a });
    world.pass(MINUTE);
    // Bob's room is lost to him; of the block he knows nothing.
    strand(&mut world, bob);
    world.write(bob, b, "are you there");
    world.pass(2 * HOUR);
    honest(&mut world);
    world.pass(HOUR);
    world.ask(alice, Command::Unblock { conversation: a });
    world.pass(MINUTE);
    assert!(world.texts(alice, a).iter().all(|text| text != "bob: are you there"));
    world.write(alice, a, "here I am");
    world.write(bob, b, "good");
    world.pass(MINUTE);
    let (bobs, alices) = (world.texts(bob, b), world.texts(alice, a));
    assert!(bobs.contains(&"alice: here I am".to_owned()), "{bobs:?}");
    assert!(alices.contains(&"bob: good".to_owned()), "{alices:?}");
}
