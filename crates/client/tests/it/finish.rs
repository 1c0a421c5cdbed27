// SPDX-License-Identifier: AGPL-3.0-or-later
//! When a command is done: what it asked is at the server, or it is sure that it is not.

use std::{cell::Cell, rc::Rc, time::Duration};

use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    model::{Problem, ProblemKind, SendState},
};
use nodoor_wire::{
    code::Code,
    proto::{self, answer::Body as Answer, request::Body as Ask},
};

use crate::hand::{MINUTE, answers, two};

#[test]
fn a_command_is_not_done_while_the_server_is_quiet_over_its_first_message() {
    let mut world = World::new(730);
    let (alice, _bob) = (world.register("alice"), world.register("bob"));
    // The server says "later" whenever it is asked for a key package: for seconds at a time nothing is on its way.
    let (refusals, left) = (Rc::new(Cell::new(2)), Rc::new(Cell::new(0)));
    let (lie, seen) = (Rc::clone(&refusals), Rc::clone(&left));
    answers(&mut world, alice, move |answer| {
        if matches!(answer, Answer::KeyPackageTake(_)) && lie.get() > 0 {
            lie.set(lie.get() - 1);
            seen.set(seen.get() + 1);
            let code = Code::SlowDown.number();
            *answer = Answer::Refusal(proto::Refusal { code, retry_after_seconds: 3 });
        }
    });
    let chat = world.chat(alice, "bob").id;
    world.begin(alice, Command::SendText { conversation: chat, text: "hello".into() });
    assert_eq!(world.ask(alice, Command::Finish), Reply::Done);
    assert_eq!(left.get(), 2);
    assert_eq!(world.states(alice, chat), [SendState::Sent]);
}

#[test]
fn without_a_connection_a_command_says_so_at_once_and_what_was_asked_waits() {
    let mut world = World::new(731);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    world.set_offline(alice, true);
    assert_eq!(world.ask(alice, Command::Finish), Reply::Done);
    world.write(alice, a, "later");
    let before = world.now();
    let offline = Problem { kind: ProblemKind::Offline, code: 0, wait_seconds: 0 };
    assert_eq!(world.ask(alice, Command::Finish), Reply::Problem(offline));
    assert_eq!(world.now(), before);
    // The next command has nothing to do with it.
    world.kill(alice);
    world.switch_on(alice);
    assert_eq!(world.ask(alice, Command::Finish), Reply::Done);
    world.set_offline(alice, false);
    world.pass(MINUTE);
    assert_eq!(world.texts(bob, b).last().unwrap(), "alice: later");
}

#[test]
fn what_cannot_be_done_holds_a_command_up_for_a_while_and_not_for_ever() {
    let mut world = World::new(732);
    let (alice, _bob) = (world.register("alice"), world.register("bob"));
    let chat = world.chat(alice, "bob").id;
    answers(&mut world, alice, |answer| {
        if matches!(answer, Answer::KeyPackageTake(_)) {
            let code = Code::SlowDown.number();
            *answer = Answer::Refusal(proto::Refusal { code, retry_after_seconds: 5 });
        }
    });
    world.write(alice, chat, "hello");
    let before = world.now();
    assert!(matches!(world.ask(alice, Command::Finish), Reply::Problem(_)));
    assert!(world.now() - before <= 20_000, "{:?}", Duration::from_millis(world.now() - before));
}

#[test]
fn what_a_device_does_by_itself_in_other_chats_holds_no_command_up() {
    let mut world = World::new(733);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [_, b] = two(&mut world, alice, bob);
    // Her receipt does not get through.
    world.fate = Box::new(move |person, _, request| match request.body {
        Some(Ask::Send(_)) if person == alice => Fate::NeverAnswered,
        _ => Fate::Arrives,
    });
    world.write(bob, b, "have you got this");
    world.pass(Duration::from_secs(5));
    let before = world.now();
    assert_eq!(world.ask(alice, Command::Finish), Reply::Done);
    assert_eq!(world.now(), before);
    // What she says does hold it up.
    let chat = world.chat(alice, "bob").id;
    world.write(alice, chat, "yes");
    assert!(matches!(world.ask(alice, Command::Finish), Reply::Problem(_)));
}
