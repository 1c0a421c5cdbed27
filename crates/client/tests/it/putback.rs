// SPDX-License-Identifier: AGPL-3.0-or-later
//! A device whose disk is put back to an older state: it notices by itself, seals nothing with keys that it may have used,
//! renews them, and says so.

use std::time::Duration;

use nodoor_client::store::MemoryStore;
use nodoor_testkit::world::{Fate, World};
use nodoor_view::model::{ConversationId, SendState, SystemLine, Writable};
use nodoor_wire::proto::{answer::Body as Answer, request::Body as Ask};

use crate::{
    groups::{group, lines},
    hand::{HOUR, MINUTE, answers, two},
    writable,
};

/// A copy of a device's disk, as a backup of the whole machine takes it.
fn copy(world: &mut World, person: usize) -> MemoryStore {
    world.kill(person);
    let disk = world.disk(person).clone();
    world.switch_on(person);
    world.pass(Duration::from_secs(10));
    disk
}

/// The copy comes back. An acknowledgement has its yes before it is on the server's disk: one more message is behind it.
fn put_back(
    world: &mut World,
    person: usize,
    disk: MemoryStore,
    (other, chat): (usize, ConversationId),
) {
    world.write(other, chat, "once more");
    world.pass(MINUTE);
    world.kill(person);
    *world.disk(person) = disk;
}

fn times(world: &mut World, person: usize, chat: ConversationId, text: &str) -> usize {
    let texts = world.texts(person, chat);
    texts.iter().filter(|line| line.ends_with(&format!(": {text}"))).count()
}

fn told(world: &mut World, person: usize, chat: ConversationId) -> usize {
    let lines = lines(world, person, chat);
    lines.iter().filter(|line| **line == SystemLine::PutBack).count()
}

#[test]
fn what_is_written_after_an_old_copy_was_put_back_is_read() {
    let mut world = World::new(900);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let chats = two(&mut world, alice, bob);
    let old = copy(&mut world, alice);
    world.write(alice, chats[0], "two");
    world.write(alice, chats[0], "three");
    world.write(bob, chats[1], "answer");
    world.pass(MINUTE);
    put_back(&mut world, alice, old, (bob, chats[1]));
    world.switch_on(alice);
    // At once: the keys of "two" and "three" would be used again, and Bob take both for what he has.
    world.write(alice, chats[0], "four");
    world.write(alice, chats[0], "five");
    world.pass(MINUTE);
    world.write(bob, chats[1], "six");
    world.pass(MINUTE);
    for text in ["two", "three", "four", "five"] {
        assert_eq!(times(&mut world, bob, chats[1], text), 1, "{text}");
    }
    assert_eq!(times(&mut world, alice, chats[0], "six"), 1);
    let states = world.states(alice, chats[0]);
    assert!(states.iter().all(|state| matches!(state, SendState::Sent | SendState::Delivered)));
    assert_eq!(told(&mut world, alice, chats[0]), 1);
    // It is noticed once.
    world.kill(alice);
    world.switch_on(alice);
    world.pass(MINUTE);
    assert_eq!(told(&mut world, alice, chats[0]), 1);
    assert_eq!(told(&mut world, bob, chats[1]), 0);
}

#[test]
fn what_lay_sealed_in_an_old_copy_is_sealed_anew() {
    let mut world = World::new(901);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let chats = two(&mut world, alice, bob);
    world.fate = Box::new(|_, _, request| match request.body {
        Some(Ask::Send(_)) => Fate::NeverAnswered,
        _ => Fate::Arrives,
    });
    world.write(alice, chats[0], "two");
    world.pass(MINUTE);
    world.kill(alice);
    let old = world.disk(alice).clone();
    world.fate = Box::new(|_, _, _| Fate::Arrives);
    world.switch_on(alice);
    world.pass(MINUTE);
    world.write(alice, chats[0], "three");
    world.pass(MINUTE);
    put_back(&mut world, alice, old, (bob, chats[1]));
    world.switch_on(alice);
    world.write(alice, chats[0], "four");
    world.pass(MINUTE);
    for text in ["two", "three", "four"] {
        assert_eq!(times(&mut world, bob, chats[1], text), 1, "{text}");
    }
    assert_eq!(told(&mut world, alice, chats[0]), 1);
}

#[test]
fn who_committed_since_its_copy_is_helped_and_goes_on() {
    let mut world = World::new(902);
    let (alice, bob, carol) =
        (world.register("alice"), world.register("bob"), world.register("carol"));
    let at_alice = group(&mut world, alice, "Garden", &["bob", "carol"]);
    let at_bob = world.accept(bob).id;
    let at_carol = world.accept(carol).id;
    world.pass(MINUTE);
    let old = copy(&mut world, carol);
    // Leaves are renewed each week: the copy does not know what its own commits brought.
    for _ in 0..9 {
        world.pass(24 * HOUR);
        world.sweep();
    }
    world.write(carol, at_carol, "two");
    world.pass(MINUTE);
    put_back(&mut world, carol, old, (bob, at_bob));
    world.switch_on(carol);
    world.pass(3 * HOUR);
    assert_eq!(writable(&mut world, carol, at_carol), Writable::Yes);
    world.write(carol, at_carol, "three");
    world.write(bob, at_bob, "four");
    world.pass(MINUTE);
    for (person, chat) in [(alice, at_alice), (bob, at_bob), (carol, at_carol)] {
        assert_eq!(times(&mut world, person, chat, "three"), 1, "{person}");
        assert_eq!(times(&mut world, person, chat, "four"), 1, "{person}");
    }
    assert_eq!(told(&mut world, carol, at_carol), 1);
}

#[test]
fn a_server_that_lies_about_how_far_a_device_had_come_costs_keys_and_no_letter() {
    let mut world = World::new(903);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let chats = two(&mut world, alice, bob);
    for lie in [u64::MAX, 1_000_000, 1_000_001] {
        answers(&mut world, alice, move |answer| {
            if let Answer::Login(login) = answer {
                login.acknowledged = lie;
            }
        });
        for _ in 0..3 {
            world.cut(alice);
            world.pass(MINUTE);
        }
        world.write(bob, chats[1], &format!("letter {lie}"));
        world.pass(MINUTE);
        assert_eq!(times(&mut world, alice, chats[0], &format!("letter {lie}")), 1);
    }
    // One line a lie: there were letters in between.
    assert_eq!(told(&mut world, alice, chats[0]), 3);
    world.tamper = Box::new(|_, _| {});
    world.cut(alice);
    world.pass(MINUTE);
    world.write(alice, chats[0], "answer");
    world.write(bob, chats[1], "letter");
    world.pass(MINUTE);
    assert_eq!(times(&mut world, bob, chats[1], "answer"), 1);
    assert_eq!(times(&mut world, alice, chats[0], "letter"), 1);
    assert_eq!(told(&mut world, alice, chats[0]), 3);
}
