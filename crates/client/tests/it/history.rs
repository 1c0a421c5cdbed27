// SPDX-License-Identifier: AGPL-3.0-or-later
//! What was said before a device came: it gets that after a day, or with the words; whole, in order, once.

use std::time::Duration;

use nodoor_client::store::{Store as _, WriteBatch};
use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    device::Command as Device,
    model::{ConversationId, ProblemKind},
};
use nodoor_wire::id::DeviceId;

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
    let (mut world, [alice, bob]) = logged_talk(1);
    let laptop = link(&mut world, alice, "laptop");
    world.say(bob, "alice", "to both");
    hours(&mut world, 23);
    assert_eq!(texts(&mut world, laptop), ["bob: to both"]);
    hours(&mut world, 8);
    let at_alice = texts(&mut world, alice);
    assert_eq!(at_alice.len(), 3);
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
    let mut world = World::with_ledger(4);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let carol = world.register("carol");
    world.pass(WHILE);
    world.say(alice, "bob", "hello");
    world.pass(WHILE);
    world.accept(bob);
    world.pass(WHILE);
    let create = Command::GroupCreate { title: "Garden".into(), members: vec!["alice".into()] };
    world.ask(bob, create);
    world.pass(WHILE);
    let garden = world.accept(alice).id;
    world.write(alice, garden, "I was here");
    world.pass(WHILE);
    world.ask(alice, Command::GroupLeave { conversation: garden });
    world.say(carol, "alice", "a stranger");
    world.pass(WHILE);
    let laptop = link(&mut world, alice, "laptop");
    hours(&mut world, 31);
    let left = world.chats(laptop).into_iter().find(|chat| chat.title == "Garden").unwrap().id;
    assert_eq!(world.texts(laptop, left), ["me: I was here"]);
    assert_eq!(world.requests(laptop).len(), 0);
    let with_bob = chat(&mut world, laptop);
    assert_eq!(world.texts(laptop, with_bob), ["me: hello"]);
}

/// Alice and Bob talked where there is a log; nothing was linked yet.
fn logged_talk(seed: u64) -> (World, [usize; 2]) {
    let mut world = World::with_ledger(seed);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(WHILE);
    world.say(alice, "bob", "first");
    world.pass(WHILE);
    world.accept(bob);
    world.say(bob, "alice", "second");
    world.pass(WHILE);
    (world, [alice, bob])
}

/// Hours in which the log goes on, an epoch each.
fn hours(world: &mut World, hours: u32) {
    world.epochs = false;
    for _ in 0..hours {
        world.pass(HOUR);
        world.publish();
    }
    world.epochs = true;
    world.pass(WHILE);
}

#[test]
fn a_thief_who_turns_the_clock_back_while_he_links_waits_the_whole_day() {
    let (mut world, [alice, bob]) = logged_talk(5);
    // Further back and nothing of the log counts on this device: it links nobody.
    world.device(alice).skew = -80 * 60_000;
    world.cut(alice);
    world.pass(WHILE);
    let thief = link(&mut world, alice, "laptop");
    world.device(alice).skew = 0;
    world.cut(alice);
    hours(&mut world, 23);
    world.say(bob, "alice", "to both");
    world.pass(WHILE);
    assert_eq!(texts(&mut world, thief), ["bob: to both"]);
    hours(&mut world, 10);
    assert_eq!(texts(&mut world, thief), texts(&mut world, alice), "after the day it comes");
}

#[test]
fn without_a_log_no_clock_brings_history_only_the_words_do() {
    let (mut world, [alice, laptop, _]) = after_a_talk(6, 3, 1);
    world.device(alice).skew = 25 * 3_600_000;
    world.cut(alice);
    world.pass(HOUR);
    assert_eq!(texts(&mut world, laptop), ["bob: to both"]);
}

#[test]
fn a_fresh_device_does_not_read_along_what_another_one_is_sent() {
    let (mut world, [alice, bob]) = logged_talk(7);
    let laptop = link(&mut world, alice, "laptop");
    let thief = link(&mut world, laptop, "thief");
    world.say(bob, "alice", "to all");
    world.pass(WHILE);
    let words = words(&mut world, alice);
    let id = rows(&mut world, laptop).into_iter().find(|row| row.current).unwrap().device;
    let of = Device::History { device: id, words };
    assert_eq!(device(&mut world, alice, of), Reply::Done);
    world.pass(WHILE);
    // What is sent now the thief can open.
    assert_eq!(texts(&mut world, laptop), ["bob: to all"]);
    // Once the thief's device is out it comes.
    let id = rows(&mut world, thief).into_iter().find(|row| row.current).unwrap().device;
    assert_eq!(device(&mut world, alice, Device::Remove { device: id }), Reply::Done);
    world.pass(WHILE);
    assert_eq!(texts(&mut world, laptop), texts(&mut world, alice));
}

/// Writes other words into every row of a disk, of the same length.
fn rewrite(world: &mut World, person: usize, before: &str, after: &str) {
    let rows = world.disk(person).scan(&[0], &[255], false, usize::MAX).unwrap();
    let mut batch = WriteBatch::default();
    for (key, mut value) in rows {
        let at = value.windows(before.len()).position(|part| part == before.as_bytes());
        if let Some(at) = at {
            value[at..at + after.len()].copy_from_slice(after.as_bytes());
            batch.writes.insert(key, Some(value));
        }
    }
    assert!(!batch.writes.is_empty());
    world.disk(person).commit(batch).unwrap();
}

#[test]
fn history_is_taken_only_from_the_device_that_linked_this_one() {
    let (mut world, [alice, bob]) = logged_talk(8);
    let thief = link(&mut world, alice, "thief");
    world.say(bob, "alice", "we meet at six");
    world.pass(WHILE);
    let laptop = link(&mut world, alice, "laptop");
    let id = rows(&mut world, laptop).into_iter().find(|row| row.current).unwrap().device;
    world.kill(thief);
    rewrite(&mut world, thief, "we meet at six", "we meet at one");
    // As if it had linked the laptop and the words had been typed on it.
    let mut batch = WriteBatch::default();
    let device = DeviceId::from_hex(&id).unwrap();
    let row = [b"history/".as_slice(), device.as_bytes()].concat();
    let sending = b"\xa3\x6cconversation\x00\x66before\xf6\x64done\xf4".to_vec();
    batch.writes.insert(row, Some(sending));
    world.disk(thief).commit(batch).unwrap();
    world.switch_on(thief);
    world.say(bob, "alice", "to all");
    world.pass(WHILE);
    assert_eq!(texts(&mut world, laptop), ["bob: to all"], "Bob never said it");
    hours(&mut world, 27);
    let all = ["me: first", "bob: second", "bob: we meet at six", "bob: to all"];
    assert_eq!(texts(&mut world, laptop), all);
}

#[test]
fn nobody_speaks_in_anothers_name_in_a_history() {
    let (mut world, [alice, bob]) = logged_talk(9);
    world.say(bob, "alice", "we meet at six");
    world.pass(WHILE);
    let laptop = link(&mut world, alice, "laptop");
    world.say(bob, "alice", "to both");
    world.pass(WHILE);
    world.kill(alice);
    rewrite(&mut world, alice, "we meet at six", "we meet at one");
    world.switch_on(alice);
    let words = words(&mut world, alice);
    let id = rows(&mut world, laptop).into_iter().find(|row| row.current).unwrap().device;
    let of = Device::History { device: id, words };
    assert_eq!(device(&mut world, alice, of), Reply::Done);
    world.pass(WHILE);
    // Bob's device did not sign that.
    assert_eq!(texts(&mut world, laptop), ["me: first", "bob: second", "bob: to both"]);
}

#[test]
fn when_all_is_sent_no_more_is_taken() {
    let (mut world, [alice, bob]) = logged_talk(10);
    let laptop = link(&mut world, alice, "laptop");
    world.say(bob, "alice", "to both");
    world.pass(WHILE);
    let words = words(&mut world, alice);
    let id = rows(&mut world, laptop).into_iter().find(|row| row.current).unwrap().device;
    let of = Device::History { device: id.clone(), words };
    assert_eq!(device(&mut world, alice, of), Reply::Done);
    world.pass(WHILE);
    assert_eq!(texts(&mut world, laptop), ["me: first", "bob: second", "bob: to both"]);
    world.kill(laptop);
    let past = world.disk(laptop).scan(b"a/past", b"a/pasu", false, 1).unwrap();
    assert!(past.is_empty(), "a history that is over stays open for ever");
    world.switch_on(laptop);
}
