// SPDX-License-Identifier: AGPL-3.0-or-later
//! A bot is a visible member (decision 0029).

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, Person},
};

use crate::groups::group;

fn members(world: &mut World, person: usize, conversation: ConversationId) -> Vec<Person> {
    match world.ask(person, Command::GroupMembers { conversation }) {
        Reply::Members(members) => members.into_iter().map(|member| member.person).collect(),
        other => panic!("{other:?}"),
    }
}

fn is_marked(world: &mut World, person: usize, conversation: ConversationId, bot: &str) -> bool {
    let members = members(world, person, conversation);
    members.iter().find(|member| member.handle == bot).unwrap().bot
}

#[test]
fn a_bot_that_only_listens_is_seen_by_everybody_in_the_group_and_by_who_comes_later() {
    let mut world = World::new(71);
    let [alice, bob, ears, dave] = ["alice", "bob", "ears", "dave"].map(|who| world.register(who));
    let garden = group(&mut world, alice, "Garden", &["bob", "ears"]);
    world.accept(bob);
    world.pass(Duration::from_secs(10));
    let at_bob = world.chats(bob)[0].id;
    assert!(!is_marked(&mut world, bob, at_bob, "ears"), "nobody says what they are not");
    assert!(matches!(world.ask(ears, Command::BecomeBot), Reply::Profile(me) if me.bot));
    // Invited is not inside: it says nothing before it takes part, and cannot read before.
    world.pass(Duration::from_secs(10));
    assert!(!is_marked(&mut world, bob, at_bob, "ears"));
    world.accept(ears);
    world.pass(Duration::from_secs(10));
    assert!(is_marked(&mut world, bob, at_bob, "ears"), "it never said a word");
    assert!(is_marked(&mut world, alice, garden, "ears"));

    let add = Command::GroupAdd { conversation: garden, handle: "dave".into() };
    assert_eq!(world.ask(alice, add), Reply::Done);
    world.pass(Duration::from_secs(10));
    world.accept(dave);
    world.pass(Duration::from_secs(10));
    let at_dave = world.chats(dave)[0].id;
    assert!(is_marked(&mut world, dave, at_dave, "ears"), "who comes later knows it too");
}

#[test]
fn a_name_reaches_who_comes_later() {
    let mut world = World::new(72);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|who| world.register(who));
    world.ask(alice, Command::SetName { name: "Alice Liddell".into() });
    let garden = group(&mut world, alice, "Garden", &["bob"]);
    world.accept(bob);
    world.write(alice, garden, "hello");
    let add = Command::GroupAdd { conversation: garden, handle: "carol".into() };
    assert_eq!(world.ask(alice, add), Reply::Done);
    world.pass(Duration::from_secs(10));
    world.accept(carol);
    world.write(alice, garden, "hello again");
    world.pass(Duration::from_secs(10));
    let at_carol = world.chats(carol)[0].id;
    let who = members(&mut world, carol, at_carol);
    assert!(who.iter().any(|one| one.name == "Alice Liddell" && !one.bot), "{who:?}");
}

#[test]
fn nobody_stops_being_a_bot_and_their_other_devices_know_it() {
    let mut world = World::new(73);
    let [alice, echo] = ["alice", "echo"].map(|who| world.register(who));
    world.ask(echo, Command::BecomeBot);
    let second = crate::devices::link(&mut world, echo, "echo-second");
    world.pass(Duration::from_secs(60));
    let me = world.ask(second, Command::WhoAmI);
    assert!(matches!(me, Reply::Profile(me) if me.bot), "a second device is one as well");
    world.say(second, "alice", "hello");
    world.pass(Duration::from_secs(10));
    let Reply::Requests(requests) = world.ask(alice, Command::Requests) else { panic!() };
    assert!(requests[0].from.bot, "it is read before anybody accepts");
    world.accept(alice);
    // A name comes with the same fact, and takes nothing back.
    world.ask(echo, Command::SetName { name: "A person".into() });
    world.say(echo, "alice", "again");
    world.pass(Duration::from_secs(10));
    let person = world.chats(alice)[0].person.clone().unwrap();
    assert_eq!((person.name.as_str(), person.bot), ("A person", true));
}
