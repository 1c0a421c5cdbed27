// SPDX-License-Identifier: AGPL-3.0-or-later
//! Two people talk: requests, acceptance, states, lost answers, crashes.

use std::time::Duration;

use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    model::SendState,
};
use nodoor_wire::proto::request::Body;

#[test]
fn a_first_message_is_a_request_and_then_a_conversation() {
    let mut world = World::new(1);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "Hi, we met at the fair.");
    world.run();
    let chat = world.chats(alice)[0].clone();
    assert_eq!(world.states(alice, chat.id), [SendState::Sent]);

    assert!(world.chats(bob).is_empty());
    let requests = world.requests(bob);
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].from.handle, "alice");
    assert_eq!(requests[0].text, "Hi, we met at the fair.");

    let accepted = world.accept(bob);
    world.run();
    assert_eq!(world.states(alice, chat.id), [SendState::Delivered]);
    world.write(bob, accepted.id, "I remember.");
    world.run();
    assert_eq!(world.texts(alice, chat.id), ["me: Hi, we met at the fair.", "bob: I remember."]);
    assert_eq!(world.chats(alice)[0].unread, 1);
    for n in 0..10 {
        world.write(alice, chat.id, &format!("a{n}"));
        world.write(bob, accepted.id, &format!("b{n}"));
    }
    world.pass(Duration::from_secs(10));
    assert_eq!(world.texts(alice, chat.id).len(), 22);
    assert_eq!(world.texts(bob, accepted.id).len(), 22);
    assert!(world.states(alice, chat.id).iter().all(|state| *state == SendState::Delivered));
}

#[test]
fn what_is_sent_while_the_other_is_away_arrives_when_it_returns() {
    let mut world = World::new(2);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "first");
    world.accept(bob);
    let chat = world.chats(alice)[0].clone();
    world.kill(bob);
    for n in 0..5 {
        world.write(alice, chat.id, &format!("while away {n}"));
    }
    world.run();
    world.restart_server();
    world.switch_on(bob);
    world.pass(Duration::from_secs(5));
    let id = world.chats(bob)[0].id;
    assert_eq!(world.texts(bob, id).len(), 6);
    assert!(world.states(alice, chat.id).iter().all(|state| *state == SendState::Delivered));
}

#[test]
fn a_lost_answer_neither_loses_nor_doubles_a_message() {
    // Every second request of the exchange, lost on the way there or on the way back.
    for lost in (1..42u32).step_by(2) {
        for kind in [Fate::RequestLost, Fate::AnswerLost] {
            let mut world = World::new(100 + u64::from(lost));
            let (alice, bob) = (world.register("alice"), world.register("bob"));
            let mut seen = 0;
            world.fate = Box::new(move |_, _, request| {
                if matches!(request.body, Some(Body::Hello(_) | Body::Login(_))) {
                    return Fate::Arrives;
                }
                seen += 1;
                if seen == lost { kind } else { Fate::Arrives }
            });
            world.say(alice, "bob", "one");
            world.pass(Duration::from_secs(30));
            world.accept(bob);
            let (a, b) = (world.chats(alice)[0].id, world.chats(bob)[0].id);
            world.write(alice, a, "two");
            world.write(bob, b, "three");
            world.pass(Duration::from_secs(60));
            let mut texts = world.texts(alice, a);
            texts.sort();
            assert_eq!(texts, ["bob: three", "me: one", "me: two"], "{lost} {kind:?}");
            let mut texts = world.texts(bob, b);
            texts.sort();
            assert_eq!(texts, ["alice: one", "alice: two", "me: three"], "{lost} {kind:?}");
        }
    }
}

#[test]
fn offline_is_waiting_and_never_a_failure() {
    let mut world = World::new(3);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "first");
    world.accept(bob);
    let chat = world.chats(alice)[0].clone();
    world.set_offline(alice, true);
    world.write(alice, chat.id, "from the tunnel");
    world.pass(Duration::from_secs(3600));
    assert_eq!(world.states(alice, chat.id).last(), Some(&SendState::Waiting));
    world.kill(alice);
    world.switch_on(alice);
    world.set_offline(alice, false);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.states(alice, chat.id).last(), Some(&SendState::Delivered));
}

#[test]
fn both_writing_at_once_end_in_one_conversation() {
    let mut world = World::new(4);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.set_offline(alice, true);
    world.set_offline(bob, true);
    world.set_offline(alice, false);
    world.set_offline(bob, false);
    let (a, b) = (world.chat(alice, "bob"), world.chat(bob, "alice"));
    world.begin(alice, Command::SendText { conversation: a.id, text: "from alice".into() });
    world.begin(bob, Command::SendText { conversation: b.id, text: "from bob".into() });
    world.pass(Duration::from_secs(30));
    assert_eq!(world.texts(alice, a.id).len(), 2);
    assert_eq!(world.texts(bob, b.id).len(), 2);
    world.write(alice, a.id, "again");
    world.write(bob, b.id, "again too");
    world.pass(Duration::from_secs(30));
    assert_eq!(world.texts(alice, a.id).len(), 4);
    assert_eq!(world.texts(bob, b.id).len(), 4);
    assert!(world.requests(alice).is_empty() && world.requests(bob).is_empty());
}

#[test]
fn a_blocked_person_notices_nothing_and_reaches_nobody() {
    let mut world = World::new(5);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(bob, "alice", "buy my things");
    let request = world.requests(alice).remove(0);
    world.ask(alice, Command::Block { conversation: request.conversation });
    world.say(bob, "alice", "buy them now");
    world.pass(Duration::from_secs(10));
    assert!(world.requests(alice).is_empty());
    assert!(world.chats(alice).is_empty());
    let chat = world.chats(bob)[0].id;
    assert_eq!(world.states(bob, chat), [SendState::Sent, SendState::Sent]);
}

#[test]
fn rooms_joined_by_the_last_resort_package_do_not_share_a_token() {
    let mut world = World::new(6);
    let carol = world.register("carol");
    world.set_offline(carol, true);
    // The stock of the test's devices is small: these use it up, and the last two share the last resort.
    let names = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "b2", "b3"];
    let people: Vec<usize> = names.iter().map(|name| world.register(name)).collect();
    for person in &people {
        world.say(*person, "carol", "hello");
    }
    world.set_offline(carol, false);
    world.pass(Duration::from_secs(5));
    for _ in names {
        world.accept(carol);
        world.pass(Duration::from_secs(2));
    }
    // Blocking one kills the token of that room; the others' must live.
    let chats = world.chats(carol);
    let first = chats.iter().find(|chat| chat.title == "@b2").unwrap().id;
    world.ask(carol, Command::Block { conversation: first });
    world.pass(Duration::from_secs(5));
    let last = *people.last().unwrap();
    world.say(last, "carol", "still there?");
    world.pass(Duration::from_secs(5));
    let chat = chats.iter().find(|chat| chat.title == "@b3").unwrap().id;
    assert_eq!(world.texts(carol, chat), ["b3: hello", "b3: still there?"]);
}

#[test]
fn who_comes_after_being_sought_is_found_a_moment_later() {
    let mut world = World::new(90);
    let alice = world.register("alice");
    let open = Command::OpenDirect { handle: "bob".into() };
    assert!(matches!(world.ask(alice, open.clone()), Reply::Problem(_)));
    world.register("bob");
    world.pass(Duration::from_secs(2));
    assert!(matches!(world.ask(alice, open), Reply::Conversation(_)));
}
