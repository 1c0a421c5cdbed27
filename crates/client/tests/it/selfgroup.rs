// SPDX-License-Identifier: AGPL-3.0-or-later
//! A person's devices keep in step: contacts, blocks, what is read, what was said; and nobody else hears of it.

use std::time::Duration;

use nodoor_e2ee::content::{self, Content};
use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    model::{ConversationId, ConversationRow},
};
use nodoor_wire::{
    id::AccountId,
    proto::{answer::Body as Answer, request::Body as Ask},
};

use crate::devices::{device, link, rows};

const WHILE: Duration = Duration::from_secs(20);

/// Alice has a laptop, and talks to Bob; all is logged, and told.
fn at_home(seed: u64) -> (World, [usize; 3]) {
    let mut world = World::with_ledger(seed);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(WHILE);
    world.say(alice, "bob", "before");
    world.pass(WHILE);
    world.accept(bob);
    world.pass(WHILE);
    let laptop = link(&mut world, alice, "laptop");
    world.pass(WHILE);
    (world, [alice, laptop, bob])
}

fn titled(world: &mut World, person: usize, title: &str) -> Option<ConversationRow> {
    world.chats(person).into_iter().find(|chat| chat.title == title)
}

fn blocked(world: &mut World, person: usize) -> Vec<String> {
    match world.ask(person, Command::Blocked) {
        Reply::Conversations(rows) => rows.into_iter().map(|row| row.title).collect(),
        other => panic!("{other:?}"),
    }
}

/// Rooms of kind `self` on a device's disk, each with its devices.
fn self_groups(world: &mut World, person: usize) -> Vec<usize> {
    let mallory = world.turn(person);
    let sizes = mallory
        .rooms()
        .iter()
        .map(|room| mallory.group(room))
        .filter(|group| group.context().kind == nodoor_e2ee::room::RoomKind::Own)
        .map(|group| group.leaves().len())
        .collect();
    world.give_back(mallory);
    sizes
}

#[test]
fn a_second_device_brings_a_self_group_of_both_that_no_list_of_chats_shows() {
    let (mut world, [alice, laptop, bob]) = at_home(1);
    for person in [alice, laptop] {
        assert_eq!(world.chats(person).len(), 1);
        assert_eq!(world.requests(person).len(), 0);
        let hidden = world.person(person).events.iter().all(|event| match event {
            Event::Conversation { row } => row.title == "@bob",
            Event::Notify { .. } => false,
            _ => true,
        });
        assert!(hidden, "interfaces were told of the self group");
        assert_eq!(self_groups(&mut world, person), [2]);
    }
    assert!(self_groups(&mut world, bob).is_empty());
}

#[test]
fn a_new_device_knows_who_is_accepted_and_who_is_blocked() {
    let mut world = World::with_tokens_needed(2);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let mallory = world.register("mallory");
    world.pass(WHILE);
    world.say(alice, "bob", "hello");
    world.say(mallory, "alice", "you again");
    world.pass(WHILE);
    let request = world.requests(alice).remove(0).conversation;
    world.ask(alice, Command::Block { conversation: request });
    let laptop = link(&mut world, alice, "laptop");
    world.pass(WHILE);
    // Mallory invites whatever devices there are: neither hears of it.
    let invite = Command::GroupCreate { title: "Yard".into(), members: vec!["alice".into()] };
    world.ask(mallory, invite);
    world.pass(WHILE);
    assert_eq!(world.requests(alice).len(), 0);
    assert_eq!(world.requests(laptop).len(), 0);
    // Bob is no stranger there.
    world.accept(bob);
    world.say(bob, "alice", "hello both");
    world.pass(WHILE);
    assert_eq!(world.requests(laptop).len(), 0);
    let with_bob = titled(&mut world, laptop, "@bob").expect("a chat with Bob").id;
    assert_eq!(world.texts(laptop, with_bob), ["bob: hello both"]);
}

#[test]
fn what_is_accepted_or_blocked_on_one_device_is_on_the_other() {
    let (mut world, [alice, laptop, _]) = at_home(3);
    let carol = world.register("carol");
    world.pass(WHILE);
    world.say(carol, "alice", "may I?");
    world.pass(WHILE);
    for person in [alice, laptop] {
        assert_eq!(world.requests(person).len(), 1);
    }
    world.accept(laptop);
    world.pass(WHILE);
    assert_eq!(world.requests(alice).len(), 0);
    let at_alice = titled(&mut world, alice, "@carol").expect("accepted on the laptop");
    world.ask(alice, Command::Block { conversation: at_alice.id });
    world.pass(WHILE);
    assert_eq!(blocked(&mut world, laptop), ["@carol"]);
    world.ask(alice, Command::Unblock { conversation: at_alice.id });
    world.pass(WHILE);
    assert!(blocked(&mut world, laptop).is_empty());
    assert!(titled(&mut world, laptop, "@carol").is_some());
}

#[test]
fn what_is_read_or_said_on_one_device_is_read_and_said_on_the_other() {
    let (mut world, [alice, laptop, bob]) = at_home(4);
    world.say(bob, "alice", "one");
    world.say(bob, "alice", "two");
    world.pass(WHILE);
    let unread = |world: &mut World, person| titled(world, person, "@bob").unwrap().unread;
    assert_eq!((unread(&mut world, alice), unread(&mut world, laptop)), (2, 2));
    let chat = titled(&mut world, laptop, "@bob").unwrap().id;
    let first = world.rows(laptop, chat).into_iter().find(|row| is_text(row, "one")).unwrap().id;
    world.ask(laptop, Command::MarkRead { conversation: chat, up_to: first });
    world.pass(WHILE);
    assert_eq!((unread(&mut world, alice), unread(&mut world, laptop)), (1, 1));
    world.write(laptop, chat, "answer");
    world.pass(WHILE);
    assert_eq!((unread(&mut world, alice), unread(&mut world, laptop)), (0, 0));
    let at_alice = titled(&mut world, alice, "@bob").unwrap().id;
    let lines = world.texts(alice, at_alice);
    assert_eq!(lines, ["me: before", "bob: one", "bob: two", "me: answer"]);
}

fn is_text(row: &nodoor_view::model::MessageRow, text: &str) -> bool {
    row.content == nodoor_view::model::Content::Text(text.to_owned())
}

#[test]
fn names_go_to_every_device_and_to_nobody_else() {
    let (mut world, [alice, laptop, _]) = at_home(5);
    world.ask(laptop, Command::SetName { name: "Alice Liddell".into() });
    let id = rows(&mut world, alice).into_iter().find(|row| row.current).unwrap().device;
    let of = nodoor_view::device::Command::Rename { device: id.clone(), name: "Kitchen".into() };
    device(&mut world, alice, of);
    world.pass(WHILE);
    match world.ask(alice, Command::WhoAmI) {
        Reply::Profile(profile) => assert_eq!(profile.name, "Alice Liddell"),
        other => panic!("{other:?}"),
    }
    let named = rows(&mut world, laptop).into_iter().find(|row| row.device == id).unwrap();
    assert_eq!(named.name, "Kitchen");
}

#[test]
fn what_changed_apart_ends_the_same_on_both_and_then_nothing_more_is_said() {
    let (mut world, [alice, laptop, bob]) = at_home(6);
    world.set_offline(alice, true);
    world.ask(alice, Command::SetName { name: "Earlier".into() });
    world.pass(WHILE);
    world.ask(laptop, Command::SetName { name: "Later".into() });
    let chat = titled(&mut world, laptop, "@bob").unwrap().id;
    world.ask(laptop, Command::Block { conversation: chat });
    world.pass(WHILE);
    world.set_offline(alice, false);
    world.pass(WHILE);
    for person in [alice, laptop] {
        match world.ask(person, Command::WhoAmI) {
            Reply::Profile(profile) => assert_eq!(profile.name, "Later"),
            other => panic!("{other:?}"),
        }
        assert_eq!(blocked(&mut world, person), ["@bob"]);
    }
    let said = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = std::rc::Rc::clone(&said);
    world.fate = Box::new(move |person, _, request| {
        let sends = matches!(request.body, Some(Ask::Send(_))) && person != bob;
        count.set(count.get() + usize::from(sends));
        Fate::Arrives
    });
    world.pass(Duration::from_secs(3600));
    assert_eq!(said.get(), 0, "two devices that never stop correcting each other");
}

#[test]
fn mallory_in_a_chat_tells_no_device_what_only_an_own_one_may() {
    let (mut world, [alice, _, bob]) = at_home(7);
    let account = account_of(&mut world, bob);
    let mut mallory = world.turn(bob);
    let room = mallory.rooms().remove(0);
    // Contact `bob`: blocked since the end of time.
    let key = [&[1], account.as_bytes() as &[u8]].concat();
    let mut value = Vec::new();
    ciborium_into(&("Boss", true, true), &mut value);
    let mut body = Vec::new();
    let facts = ciborium::Value::Array(vec![ciborium::Value::Array(vec![
        bytes(&key),
        u64::MAX.into(),
        bytes(&value),
    ])]);
    let said = ciborium::Value::Map(vec![("facts".into(), facts)]);
    ciborium_into(&said, &mut body);
    let content = content::encode(&Content::Own(body).into(), [9; 16]);
    let send = mallory.seal(&room, content);
    let taken = world.request(Ask::Send(send));
    assert!(matches!(taken, Answer::Done(_)), "{taken:?}");
    world.give_back(mallory);
    world.pass(WHILE);
    assert!(blocked(&mut world, alice).is_empty());
    assert!(titled(&mut world, alice, "@bob").is_some());
}

fn bytes(bytes: &[u8]) -> ciborium::Value {
    ciborium::Value::Bytes(bytes.to_vec())
}

fn ciborium_into(value: &impl serde::Serialize, into: &mut Vec<u8>) {
    ciborium::into_writer(value, into).unwrap();
}

fn account_of(world: &mut World, person: usize) -> AccountId {
    let mallory = world.turn(person);
    let account = mallory.account;
    world.give_back(mallory);
    account
}

#[test]
fn a_device_that_is_removed_is_out_of_the_self_group_and_of_every_room_before_it_is_said() {
    let (mut world, [alice, laptop, bob]) = at_home(8);
    let id = rows(&mut world, laptop).into_iter().find(|row| row.current).unwrap().device;
    world.set_offline(laptop, true);
    let of = nodoor_view::device::Command::Remove { device: id };
    assert_eq!(device(&mut world, alice, of), Reply::Done);
    // Said is said: nothing more needs to go out for it.
    world.set_offline(alice, true);
    let mallory = world.turn(alice);
    for room in mallory.rooms() {
        let group = mallory.group(&room);
        let own = group.leaves().iter().filter(|leaf| leaf.name.account == mallory.account);
        assert_eq!(own.count(), 1);
    }
    world.give_back(mallory);
    world.set_offline(laptop, false);
    world.say(bob, "alice", "only for the first");
    world.pass(WHILE);
    let chat: Option<ConversationId> = titled(&mut world, laptop, "@bob").map(|chat| chat.id);
    let heard = chat.map(|chat| world.texts(laptop, chat)).unwrap_or_default();
    assert!(!heard.iter().any(|line| line.contains("only for the first")), "{heard:?}");
}

#[test]
fn who_leaves_or_declines_on_one_device_does_so_with_all() {
    let (mut world, [alice, laptop, bob]) = at_home(9);
    let carol = world.register("carol");
    world.pass(WHILE);
    let members = vec!["alice".to_owned(), "carol".to_owned()];
    world.ask(bob, Command::GroupCreate { title: "Garden".into(), members });
    world.pass(WHILE);
    let request = |world: &mut World, person: usize| {
        world.requests(person).first().map(|request| request.conversation)
    };
    let at_laptop = request(&mut world, laptop).unwrap();
    world.ask(laptop, Command::Accept { conversation: at_laptop });
    world.pass(WHILE);
    let garden = titled(&mut world, alice, "Garden").expect("accepted on the laptop").id;
    world.ask(alice, Command::GroupLeave { conversation: garden });
    world.pass(WHILE);
    let at_bob = titled(&mut world, bob, "Garden").unwrap().id;
    let Reply::Members(members) = world.ask(bob, Command::GroupMembers { conversation: at_bob })
    else {
        panic!()
    };
    assert!(members.iter().all(|member| member.person.handle != "alice"), "{members:?}");
    // A request that one device declines is gone on the other.
    world.say(carol, "alice", "may I?");
    world.pass(WHILE);
    let at_alice = request(&mut world, alice).unwrap();
    assert!(request(&mut world, laptop).is_some());
    world.ask(alice, Command::Decline { conversation: at_alice });
    world.pass(WHILE);
    assert_eq!(request(&mut world, laptop), None);
    // Asked back, one comes back with both.
    world.ask(bob, Command::GroupAdd { conversation: at_bob, handle: "alice".into() });
    world.pass(WHILE);
    let again = request(&mut world, alice).unwrap();
    world.ask(alice, Command::Accept { conversation: again });
    world.pass(WHILE);
    for person in [alice, laptop] {
        assert!(request(&mut world, person).is_none());
        let garden = titled(&mut world, person, "Garden").expect("back in the group").id;
        world.write(person, garden, "here again");
        world.pass(WHILE);
    }
    let lines = world.texts(bob, at_bob);
    assert_eq!(lines.iter().filter(|line| line.ends_with("here again")).count(), 2);
}
