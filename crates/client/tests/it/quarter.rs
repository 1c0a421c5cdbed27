// SPDX-License-Identifier: AGPL-3.0-or-later
//! The quarter of a mailbox that strangers share: whoever was accepted is no stranger any more (`protocol.md`, 4).

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_view::model::ConversationId;

use crate::groups::group;

const SOON: Duration = Duration::from_secs(10);
/// What waits in a mailbox here. A quarter of it is 64.
const ENTRIES: u64 = 256;
/// More than that.
const MANY: usize = 70;

/// While Bob is away a stranger writes to him, and then his friend does, more than has a place among strangers.
fn while_bob_is_away(world: &mut World, people: [usize; 3], chat: ConversationId) -> Vec<String> {
    let [bob, alice, mallory] = people;
    world.set_offline(bob, true);
    for number in 0..10 {
        world.say(mallory, "bob", &format!("free coins {number}"));
    }
    // Whatever waits when a server ends may be a stranger's.
    world.restart_server();
    let texts: Vec<String> = (0..MANY).map(|number| format!("dinner {number}")).collect();
    for text in &texts {
        world.write(alice, chat, text);
        world.run();
    }
    world.set_offline(bob, false);
    world.pass(SOON);
    texts.iter().map(|text| format!("alice: {text}")).collect()
}

#[test]
fn a_friend_whose_request_was_accepted_is_heard_though_strangers_fill_their_quarter() {
    let mut world = World::with_mailboxes_of(1200, ENTRIES);
    let people @ [bob, alice, _] = ["bob", "alice", "mallory"].map(|name| world.register(name));
    let chat = world.chat(alice, "bob").id;
    world.write(alice, chat, "hello");
    world.pass(SOON);
    let bobs = world.accept(bob).id;
    world.pass(SOON);
    let expected = while_bob_is_away(&mut world, people, chat);
    assert_eq!(world.texts(bob, bobs)[1..], expected);
    assert_eq!(world.requests(bob).len(), 1, "and the stranger has her request");
}

#[test]
fn an_accepted_group_is_heard_though_strangers_fill_their_quarter() {
    let mut world = World::with_mailboxes_of(1201, ENTRIES);
    let people @ [bob, alice, _] = ["bob", "alice", "mallory"].map(|name| world.register(name));
    world.say(bob, "alice", "hello");
    world.pass(SOON);
    world.accept(alice);
    world.pass(SOON);
    let dinner = group(&mut world, alice, "Dinner", &["bob"]);
    world.pass(SOON);
    let bobs = world.accept(bob).id;
    world.pass(SOON);
    let expected = while_bob_is_away(&mut world, people, dinner);
    assert_eq!(world.texts(bob, bobs), expected);
}
