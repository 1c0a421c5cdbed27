// SPDX-License-Identifier: AGPL-3.0-or-later
//! What came when its keys were gone is sent again, to nobody who was not there (`docs/book/protocol.md`, 3.9).

use std::{cell::RefCell, rc::Rc, time::Duration};

use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    model::{Content, ConversationId, SystemLine},
};
use nodoor_wire::proto::body::Body;

use crate::{
    groups::{group, lines},
    hand::{HOUR, MINUTE, bodies, days, honest},
};

fn has(world: &mut World, device: usize, chat: ConversationId, text: &str) -> usize {
    let texts = world.texts(device, chat);
    texts.iter().filter(|line| line.ends_with(&format!(": {text}"))).count()
}

fn of_gaps(world: &mut World, device: usize, chat: ConversationId) -> Vec<SystemLine> {
    let mut all = lines(world, device, chat);
    all.retain(|line| {
        matches!(
            line,
            SystemLine::AskedAgain { .. }
                | SystemLine::Repaired { .. }
                | SystemLine::NotRead { .. }
        )
    });
    all
}

/// Commits of the group's creator: each is an epoch.
fn epochs(world: &mut World, creator: usize, chat: ConversationId, count: u32) {
    for n in 0..count {
        let title = format!("Garden {n}");
        assert_eq!(
            world.ask(creator, Command::GroupRename { conversation: chat, title }),
            Reply::Done
        );
        world.pass(Duration::from_secs(5));
    }
}

struct Garden {
    world: World,
    people: [usize; 3],
    chats: [ConversationId; 3],
}

fn garden(seed: u64) -> Garden {
    let mut world = World::new(seed);
    let people = ["alice", "bob", "carol"].map(|who| world.register(who));
    let mine = group(&mut world, people[0], "Garden", &["bob", "carol"]);
    world.accept(people[1]);
    world.accept(people[2]);
    world.pass(MINUTE);
    let chats = [mine, world.chats(people[1])[0].id, world.chats(people[2])[0].id];
    Garden { world, people, chats }
}

/// Olga takes the frame that comes to a device after so many others for herself, gives it rubbish in its place, and gives
/// the frame in the place of another one when five more epochs are over.
fn misses(garden: &mut Garden, after: u32, said: impl Fn(&mut Garden)) {
    let kept = Rc::new(RefCell::new(None));
    let (keep, mut others) = (Rc::clone(&kept), after);
    let carol = garden.people[2];
    bodies(&mut garden.world, carol, move |body| {
        if let Body::Frame(frame) = body
            && keep.borrow().is_none()
        {
            if others == 0 {
                *keep.borrow_mut() = Some(std::mem::replace(frame, vec![0; 9].into()));
            }
            others = others.saturating_sub(1);
        }
    });
    said(garden);
    let Garden { world, people, chats } = garden;
    world.pass(Duration::from_secs(2));
    assert!(kept.borrow().is_some(), "nothing came");
    honest(world);
    epochs(world, people[0], chats[0], 5);
    let give = Rc::clone(&kept);
    bodies(world, carol, move |body| {
        if let Body::Frame(frame) = body
            && let Some(kept) = give.borrow_mut().take()
        {
            *frame = kept;
        }
    });
    world.write(people[0], chats[0], "go on");
    world.pass(Duration::from_secs(2));
    assert!(kept.borrow().is_none(), "not given");
    honest(world);
}

/// A message of Bob's.
fn carol_misses(garden: &mut Garden, text: &str) {
    misses(garden, 0, |garden| {
        garden.world.write(garden.people[1], garden.chats[1], text);
    });
    let Garden { world, people, chats } = garden;
    assert_eq!(has(world, people[2], chats[2], text), 0);
}

#[test]
fn what_came_too_late_is_sent_again_and_the_chat_says_so() {
    let mut garden = garden(9100);
    carol_misses(&mut garden, "the key is under the mat");
    let Garden { world, people: [alice, bob, carol], chats } = &mut garden;
    world.pass(MINUTE);
    assert_eq!(has(world, *carol, chats[2], "the key is under the mat"), 1);
    assert_eq!(of_gaps(world, *carol, chats[2]), [SystemLine::Repaired { count: 1 }]);
    // Everybody else has it once, and hears nothing of it.
    for (who, chat) in [(*alice, chats[0]), (*bob, chats[1])] {
        assert_eq!(has(world, who, chat, "the key is under the mat"), 1);
        assert!(of_gaps(world, who, chat).is_empty());
    }
    // The same message, by the same id.
    let reference = |world: &mut World, who: usize, chat| {
        let rows = world.rows(who, chat);
        let row = rows
            .into_iter()
            .find(|row| matches!(&row.content, Content::Text(text) if text.ends_with("mat")));
        row.unwrap().reference
    };
    let theirs = reference(world, *carol, chats[2]);
    assert_eq!(theirs, reference(world, *bob, chats[1]));
}

#[test]
fn until_it_is_here_the_words_name_whose_device_was_asked() {
    let mut garden = garden(9101);
    carol_misses(&mut garden, "seven");
    let Garden { world, people: [_, _, carol], chats } = &mut garden;
    // Her own asking comes back to her, then the answer; what is sent again Olga keeps.
    let mut frames = 0;
    bodies(world, *carol, move |body| {
        if let Body::Frame(frame) = body {
            frames += 1;
            if frames > 2 {
                *frame = vec![0; 9].into();
            }
        }
    });
    world.pass(MINUTE);
    let gaps = of_gaps(world, *carol, chats[2]);
    let [SystemLine::AskedAgain { who: Some(who), count: 1 }] = gaps.as_slice() else {
        panic!("{gaps:?}")
    };
    assert_eq!(who.handle, "bob");
}

#[test]
fn nobody_who_came_later_is_told_what_was_said_before() {
    let mut garden = garden(9102);
    carol_misses(&mut garden, "only for the three of us");
    let Garden { world, people: [alice, bob, carol], chats } = &mut garden;
    // Dave is there before anything is asked for: what is sent again he would read.
    world.register("dave");
    let dave = 3;
    for device in [*bob, *carol] {
        world.set_offline(device, true);
    }
    let add = Command::GroupAdd { conversation: chats[0], handle: "dave".into() };
    assert_eq!(world.ask(*alice, add), Reply::Done);
    world.pass(Duration::from_secs(10));
    world.accept(dave);
    world.pass(Duration::from_secs(10));
    for device in [*bob, *carol] {
        world.set_offline(device, false);
    }
    world.pass(HOUR);
    let at_dave = world.chats(dave)[0].id;
    assert_eq!(has(world, dave, at_dave, "only for the three of us"), 0);
    let gaps = of_gaps(world, *carol, chats[2]);
    assert!(matches!(gaps.as_slice(), [SystemLine::NotRead { count: 1, .. }]), "{gaps:?}");
    assert_eq!(gaps.len(), 1, "Bob said what it was");
}

#[test]
fn a_receipt_that_came_too_late_is_nobodys_gap() {
    let mut garden = garden(9103);
    // Alice's message, and then Bob's receipt for it.
    misses(&mut garden, 1, |garden| {
        garden.world.write(garden.people[0], garden.chats[0], "hello");
    });
    let Garden { world, people: [_, _, carol], chats } = &mut garden;
    world.pass(HOUR);
    assert!(of_gaps(world, *carol, chats[2]).is_empty());
    assert_eq!(has(world, *carol, chats[2], "hello"), 1);
}

#[test]
fn who_was_away_for_longer_than_a_mailbox_keeps_is_told() {
    let mut world = World::new(9104);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let chats = crate::hand::two(&mut world, alice, bob);
    world.set_offline(alice, true);
    days(&mut world, 29);
    world.set_offline(alice, false);
    world.pass(HOUR);
    let away = |world: &mut World| -> Vec<u32> {
        let lines = lines(world, alice, chats[0]).into_iter();
        lines
            .filter_map(|line| if let SystemLine::Away { days } = line { Some(days) } else { None })
            .collect()
    };
    assert!(away(&mut world).is_empty(), "29 days: everything was kept");
    world.set_offline(alice, true);
    days(&mut world, 41);
    world.set_offline(alice, false);
    world.pass(HOUR);
    assert_eq!(away(&mut world), [41]);
    world.kill(alice);
    world.switch_on(alice);
    world.pass(MINUTE);
    assert_eq!(away(&mut world), [41], "once");
}
