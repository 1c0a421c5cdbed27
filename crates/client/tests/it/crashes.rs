// SPDX-License-Identifier: AGPL-3.0-or-later
//! A device dies between any two things it does, and has everything when it starts again.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, Writable},
};

use crate::{groups::group, writable};

/// Starts again whoever is off.
fn wake(world: &mut World, people: &[usize]) {
    for person in people {
        world.device(*person).fuse = None;
        if !world.is_on(*person) {
            world.switch_on(*person);
        }
    }
    world.pass(Duration::from_secs(30));
}

fn chat(world: &mut World, person: usize, title: &str) -> ConversationId {
    world.chats(person).into_iter().find(|chat| chat.title == title).unwrap().id
}

#[test]
fn a_chat_survives_death_after_any_effect() {
    // Alice's device dies after the n-th thing it does, then Bob's.
    for dies in 0..2 {
        for n in (0..60).step_by(3) {
            let mut world = World::new(300 + u64::from(n));
            let people = [world.register("alice"), world.register("bob")];
            let a = world.chat(people[0], "bob").id;
            world.device(people[dies]).fuse = Some(n);
            let first = Command::SendText { conversation: a, text: "first".into() };
            world.begin(people[0], first);
            world.pass(Duration::from_secs(10));
            wake(&mut world, &people);
            world.accept(people[1]);
            let b = chat(&mut world, people[1], "@alice");
            world.device(people[dies]).fuse = Some(n);
            for (person, id) in [(people[0], a), (people[1], b)] {
                if world.is_on(person) {
                    let text = format!("of {person}");
                    world.begin(person, Command::SendText { conversation: id, text });
                    world.run();
                }
            }
            world.pass(Duration::from_secs(10));
            wake(&mut world, &people);
            for (person, id) in [(people[0], a), (people[1], b)] {
                world.write(person, id, &format!("last of {person}"));
            }
            world.pass(Duration::from_secs(30));
            let words = |lines: Vec<String>| {
                let mut words: Vec<String> =
                    lines.iter().map(|l| l.split_once(": ").unwrap().1.to_owned()).collect();
                words.sort();
                words
            };
            let (ours, theirs) =
                (words(world.texts(people[0], a)), words(world.texts(people[1], b)));
            assert_eq!(ours, theirs, "{dies} {n}");
            assert!(ours.contains(&"first".to_owned()), "{dies} {n}");
            let mut once = ours.clone();
            once.dedup();
            assert_eq!(once, ours, "{dies} {n}");
        }
    }
}

#[test]
fn a_group_survives_death_after_any_effect() {
    for n in (0..80).step_by(5) {
        for dies in 0..2 {
            let mut world = World::new(400 + u64::from(n));
            let people = ["alice", "bob", "carol"].map(|name| world.register(name));
            let a = group(&mut world, people[0], "Garden", &["bob"]);
            let b = world.accept(people[1]).id;
            world.pass(Duration::from_secs(5));
            world.device(people[dies]).fuse = Some(n);
            world.begin(people[0], Command::GroupAdd { conversation: a, handle: "carol".into() });
            world.run();
            if world.is_on(people[1]) {
                let text = "while carol comes".to_owned();
                world.begin(people[1], Command::SendText { conversation: b, text });
            }
            world.pass(Duration::from_secs(10));
            wake(&mut world, &people);
            if world.requests(people[2]).is_empty() {
                // The command itself was lost: nobody was told that it would be done.
                let add = Command::GroupAdd { conversation: a, handle: "carol".into() };
                assert_eq!(world.ask(people[0], add), Reply::Done);
                world.pass(Duration::from_secs(10));
            }
            let c = world.accept(people[2]).id;
            world.pass(Duration::from_secs(10));
            let all = [(people[0], a), (people[1], b), (people[2], c)];
            for (person, id) in all {
                world.write(person, id, &format!("last of {person}"));
            }
            world.pass(Duration::from_secs(30));
            for (person, id) in all {
                assert_eq!(writable(&mut world, person, id), Writable::Yes, "{dies} {n}");
                let texts = world.texts(person, id);
                for (writer, _) in all {
                    let line = format!(": last of {writer}");
                    let count = texts.iter().filter(|text| text.ends_with(&line)).count();
                    assert_eq!(count, 1, "{dies} {n} {texts:?}");
                }
            }
        }
    }
}
