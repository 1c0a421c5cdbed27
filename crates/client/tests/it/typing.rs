// SPDX-License-Identifier: AGPL-3.0-or-later
//! That somebody types: seen at once, gone by itself, told to nobody who should not hear it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use nodoor_client::io::Wire;
use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    model::{ConversationId, Settings},
};
use nodoor_wire::proto::from_server::Body as FromServer;

const WHILE: Duration = Duration::from_secs(20);

fn chat(world: &mut World, person: usize, title: &str) -> ConversationId {
    let found = world.chats(person).into_iter().find(|chat| chat.title == title);
    found.unwrap_or_else(|| panic!("no {title}")).id
}

/// Alice and Bob talk; nothing of it is left in what they were told.
fn at_home(seed: u64) -> (World, [usize; 2]) {
    let mut world = World::with_ledger(seed);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(WHILE);
    world.say(alice, "bob", "hello");
    world.pass(WHILE);
    world.accept(bob);
    world.pass(WHILE);
    for person in [alice, bob] {
        world.device(person).events.clear();
    }
    (world, [alice, bob])
}

fn types(world: &mut World, person: usize, conversation: ConversationId, on: bool) {
    assert_eq!(world.ask(person, Command::Typing { conversation, on }), Reply::Done);
    world.pass(Duration::from_millis(500));
}

/// Everything that was told of typing, as handles.
fn seen(world: &mut World, person: usize) -> Vec<Vec<String>> {
    let events = std::mem::take(&mut world.device(person).events);
    let told = events.into_iter().filter_map(|event| match event {
        Event::Typing { people, .. } => {
            Some(people.into_iter().map(|person| person.handle).collect())
        }
        _ => None,
    });
    told.collect()
}

fn settings(world: &mut World, person: usize, typing: bool) {
    let settings = Settings { typing, ..Settings::default() };
    world.ask(person, Command::SetSettings { settings });
}

#[test]
fn typing_is_seen_at_once_and_is_over_with_the_message_a_stop_or_by_itself() {
    let (mut world, [alice, bob]) = at_home(1);
    let with_bob = chat(&mut world, alice, "@bob");
    types(&mut world, alice, with_bob, true);
    assert_eq!(seen(&mut world, bob), [vec!["alice"]]);
    types(&mut world, alice, with_bob, true);
    assert!(seen(&mut world, bob).is_empty(), "each key is not another word");
    types(&mut world, alice, with_bob, false);
    assert_eq!(seen(&mut world, bob), [Vec::<String>::new()]);
    types(&mut world, alice, with_bob, true);
    world.pass(WHILE);
    assert_eq!(seen(&mut world, bob), [vec!["alice".to_owned()], vec![]]);
    types(&mut world, alice, with_bob, true);
    world.say(alice, "bob", "there");
    world.pass(Duration::from_millis(500));
    assert_eq!(seen(&mut world, bob), [vec!["alice".to_owned()], vec![]]);
    assert!(seen(&mut world, alice).is_empty(), "not told of oneself");
}

#[test]
fn who_switched_it_off_neither_tells_nor_sees() {
    let (mut world, [alice, bob]) = at_home(2);
    let (with_bob, with_alice) = (chat(&mut world, alice, "@bob"), chat(&mut world, bob, "@alice"));
    settings(&mut world, bob, false);
    types(&mut world, alice, with_bob, true);
    types(&mut world, bob, with_alice, true);
    assert!(seen(&mut world, bob).is_empty() && seen(&mut world, alice).is_empty());
    settings(&mut world, bob, true);
    types(&mut world, bob, with_alice, true);
    assert_eq!(seen(&mut world, alice), [vec!["bob"]]);
}

#[test]
fn a_request_is_told_nothing_and_tells_nothing() {
    let mut world = World::with_ledger(3);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(WHILE);
    world.say(alice, "bob", "hello");
    world.pass(WHILE);
    let with_bob = chat(&mut world, alice, "@bob");
    let request = world.requests(bob).remove(0).conversation;
    types(&mut world, alice, with_bob, true);
    types(&mut world, bob, request, true);
    assert!(seen(&mut world, bob).is_empty() && seen(&mut world, alice).is_empty());
}

#[test]
fn olga_repeats_an_old_word_of_typing_in_vain() {
    let (mut world, [alice, bob]) = at_home(4);
    let with_bob = chat(&mut world, alice, "@bob");
    // She keeps what she passed on, and passes it on again when Alice has long stopped.
    let kept = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&kept);
    world.tamper = Box::new(move |_, message| {
        if let Some(FromServer::Deliver(deliver)) = &message.body
            && !deliver.signalled.is_empty()
        {
            *heard.lock().unwrap() = Some(deliver.clone());
        }
    });
    types(&mut world, alice, with_bob, true);
    let kept = kept.lock().unwrap().clone().expect("it was passed on");
    world.pass(WHILE);
    seen(&mut world, bob);
    world.hear(bob, Wire::Login, FromServer::Deliver(kept));
    assert!(seen(&mut world, bob).is_empty());
}
