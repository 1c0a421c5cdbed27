// SPDX-License-Identifier: AGPL-3.0-or-later
//! What was said before a device came: it gets that after a day, or with the words; whole, in order, once.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    device::Command as Device,
    model::{ConversationId, ProblemKind},
};

use crate::devices::{device, link, rows};

const WHILE: Duration = Duration::from_secs(20);
const HOUR: Duration = Duration::from_secs(3600);

/// Alice and Bob talked; then Alice linked a laptop.
fn after_a_talk(seed: u64, lines: usize, length: usize) -> (World, [usize; 3]) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "first");
    world.run();
    let chat = world.accept(bob).id;
    for line in 0..lines {
        world.write(bob, chat, &format!("{line} {}", "x".repeat(length)));
    }
    world.run();
    world.say(alice, "bob", "last");
    world.run();
    let laptop = link(&mut world, alice, "laptop");
    world.say(bob, "alice", "to both");
    world.pass(WHILE);
    (world, [alice, laptop, bob])
}

fn chat(world: &mut World, person: usize) -> ConversationId {
    world.chats(person).into_iter().find(|chat| chat.title == "@bob").unwrap().id
}

fn texts(world: &mut World, person: usize) -> Vec<String> {
    let chat = chat(world, person);
    world.texts(person, chat)
}

fn words(world: &mut World, person: usize) -> String {
    match world.ask(person, Command::Words) {
        Reply::Words(words) => words,
        other => panic!("no words: {other:?}"),
    }
}

fn ask(world: &mut World, person: usize, of: &str, words: &str) -> Reply {
    let row = rows(world, person).into_iter().find(|row| row.name == of).unwrap();
    device(world, person, Device::History { device: row.device, words: words.to_owned() })
}

#[test]
fn a_device_gets_what_was_said_before_it_came_after_a_day_and_not_before() {
    let (mut world, [alice, laptop, bob]) = after_a_talk(1, 3, 1);
    world.pass(23 * HOUR);
    assert_eq!(texts(&mut world, laptop), ["bob: to both"]);
    world.pass(2 * HOUR);
    let at_alice = texts(&mut world, alice);
    assert_eq!(at_alice.len(), 6);
    assert_eq!(texts(&mut world, laptop), at_alice);
    // It goes on after it.
    world.say(bob, "alice", "later");
    world.pass(WHILE);
    let at_alice = texts(&mut world, alice);
    assert_eq!(at_alice.last().map(String::as_str), Some("bob: later"));
    assert_eq!(texts(&mut world, laptop), at_alice);
    let chat = chat(&mut world, laptop);
    let unread = world.chats(laptop).into_iter().find(|row| row.id == chat).unwrap().unread;
    assert_eq!(unread, 2, "what is old is not unread");
}

#[test]
fn the_words_send_it_at_once_and_nothing_else_does() {
    let (mut world, [alice, laptop, _]) = after_a_talk(2, 3, 1);
    let words = words(&mut world, alice);
    let mut wrong: Vec<&str> = words.split(' ').collect();
    wrong.swap(0, 1);
    for guess in ["", "abandon", &wrong.join(" ")] {
        let Reply::Problem(problem) = ask(&mut world, alice, "test device", guess) else {
            panic!()
        };
        assert!(matches!(problem.kind, ProblemKind::WrongWords | ProblemKind::NotADevice));
    }
    world.pass(WHILE);
    assert_eq!(texts(&mut world, laptop), ["bob: to both"]);
    let devices = rows(&mut world, alice);
    let other = devices.into_iter().find(|row| !row.current).unwrap().device;
    let wrong = Device::History { device: other.clone(), words: wrong.join(" ") };
    assert!(matches!(device(&mut world, alice, wrong), Reply::Problem(_)));
    world.pass(WHILE);
    assert_eq!(texts(&mut world, laptop), ["bob: to both"]);
    let right = Device::History { device: other, words };
    assert_eq!(device(&mut world, alice, right), Reply::Done);
    world.pass(WHILE);
    let at_alice = texts(&mut world, alice);
    assert_eq!(texts(&mut world, laptop), at_alice);
}

#[test]
fn a_long_history_comes_whole_in_order_and_once_whenever_a_device_dies() {
    let mut died = 0;
    for n in (0..40).step_by(4) {
        let (mut world, [alice, laptop, _]) = after_a_talk(100 + u64::from(n), 10, 12_000);
        let words = words(&mut world, alice);
        let other = rows(&mut world, alice).into_iter().find(|row| !row.current).unwrap().device;
        let dies = if n % 8 == 0 { alice } else { laptop };
        world.device(dies).fuse = Some(n);
        let of = Device::History { device: other, words };
        world.begin(alice, Command::Device { of });
        world.pass(WHILE);
        world.device(dies).fuse = None;
        if !world.is_on(dies) {
            died += 1;
            world.switch_on(dies);
        }
        world.pass(25 * HOUR);
        let at_alice = texts(&mut world, alice);
        assert_eq!(at_alice.len(), 13);
        assert_eq!(texts(&mut world, laptop), at_alice, "{n}");
    }
    assert!(died > 3, "{died}");
}

#[test]
fn a_device_that_was_removed_meanwhile_gets_nothing() {
    let (mut world, [alice, laptop, _]) = after_a_talk(3, 3, 1);
    world.set_offline(laptop, true);
    let other = rows(&mut world, alice).into_iter().find(|row| !row.current).unwrap().device;
    assert_eq!(device(&mut world, alice, Device::Remove { device: other }), Reply::Done);
    world.pass(25 * HOUR);
    world.set_offline(laptop, false);
    world.pass(WHILE);
    assert_eq!(texts(&mut world, laptop), ["bob: to both"]);
}

#[test]
fn chats_that_are_over_come_too_and_requests_stay_where_they_are() {
    let mut world = World::new(4);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let carol = world.register("carol");
    world.say(alice, "bob", "hello");
    world.run();
    world.accept(bob);
    let create = Command::GroupCreate { title: "Garden".into(), members: vec!["alice".into()] };
    world.ask(bob, create);
    world.run();
    let garden = world.accept(alice).id;
    world.write(alice, garden, "I was here");
    world.run();
    world.ask(alice, Command::GroupLeave { conversation: garden });
    world.say(carol, "alice", "a stranger");
    world.pass(WHILE);
    let laptop = link(&mut world, alice, "laptop");
    world.pass(25 * HOUR);
    let left = world.chats(laptop).into_iter().find(|chat| chat.title == "Garden").unwrap().id;
    assert_eq!(world.texts(laptop, left), ["me: I was here"]);
    assert_eq!(world.requests(laptop).len(), 0);
    let with_bob = chat(&mut world, laptop);
    assert_eq!(world.texts(laptop, with_bob), ["me: hello"]);
}
