// SPDX-License-Identifier: AGPL-3.0-or-later
//! Groups: making, adding, removing, leaving, renaming; who may do what.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    model::{Content, ConversationId, ProblemKind, SendState, SystemLine, Writable},
};

pub(crate) fn group(world: &mut World, by: usize, title: &str, members: &[&str]) -> ConversationId {
    let members = members.iter().map(|member| (*member).to_owned()).collect();
    match world.ask(by, Command::GroupCreate { title: title.to_owned(), members }) {
        Reply::Conversation(row) => {
            world.pass(Duration::from_secs(5));
            row.id
        }
        other => panic!("no group: {other:?}"),
    }
}

pub(crate) fn handles(world: &mut World, person: usize, id: ConversationId) -> Vec<(String, u32)> {
    match world.ask(person, Command::GroupMembers { conversation: id }) {
        Reply::Members(members) => {
            let mut all: Vec<(String, u32)> =
                members.into_iter().map(|m| (m.person.handle, m.devices)).collect();
            all.sort();
            all
        }
        other => panic!("no members: {other:?}"),
    }
}

pub(crate) fn lines(world: &mut World, person: usize, id: ConversationId) -> Vec<SystemLine> {
    let rows = world.rows(person, id);
    rows.into_iter()
        .filter_map(|row| match row.content {
            Content::System(line) => Some(line),
            _ => None,
        })
        .collect()
}

#[test]
fn what_is_written_at_once_stands_below_who_was_added() {
    let mut world = World::new(26);
    let alice = world.register("alice");
    world.register("bob");
    world.register("carol");
    let members = vec!["bob".to_owned(), "carol".to_owned()];
    let Reply::Conversation(row) =
        world.ask(alice, Command::GroupCreate { title: "Garden".to_owned(), members })
    else {
        panic!("no group");
    };
    world.write(alice, row.id, "hello");
    let rename = Command::GroupRename { conversation: row.id, title: "Allotment".into() };
    assert_eq!(world.ask(alice, rename), Reply::Done);
    world.write(alice, row.id, "a better name");
    world.pass(Duration::from_secs(10));
    let shown: Vec<&str> = world
        .rows(alice, row.id)
        .iter()
        .map(|row| match &row.content {
            Content::System(SystemLine::GroupCreated { .. }) => "made",
            Content::System(SystemLine::Added { .. }) => "added",
            Content::System(SystemLine::Renamed { .. }) => "renamed",
            Content::Text(text) if text == "hello" => "hello",
            _ => "text",
        })
        .collect();
    assert_eq!(shown, ["made", "added", "added", "hello", "renamed", "text"]);
}

#[test]
fn a_group_talks_adds_renames_and_removes() {
    let mut world = World::new(20);
    let (alice, bob, carol) =
        (world.register("alice"), world.register("bob"), world.register("carol"));
    let dave = world.register("dave");
    let id = group(&mut world, alice, "Garden", &["bob", "carol"]);
    assert_eq!(world.requests(bob)[0].title, "Garden");
    assert_eq!(world.requests(bob)[0].members.len(), 2);
    let (b, c) = (world.accept(bob).id, world.accept(carol).id);
    world.pass(Duration::from_secs(5));
    world.write(alice, id, "hello");
    world.write(bob, b, "hi");
    world.write(carol, c, "hey");
    world.pass(Duration::from_secs(5));
    for (person, id) in [(alice, id), (bob, b), (carol, c)] {
        assert_eq!(world.texts(person, id).len(), 3);
        let members = handles(&mut world, person, id);
        assert_eq!(members, [("alice".into(), 1), ("bob".into(), 1), ("carol".into(), 1)]);
    }

    let add = Command::GroupAdd { conversation: b, handle: "dave".into() };
    assert!(matches!(world.ask(bob, add), Reply::Problem(p) if p.kind == ProblemKind::NotAllowed));
    let add = Command::GroupAdd { conversation: id, handle: "dave".into() };
    assert_eq!(world.ask(alice, add), Reply::Done);
    let rename = Command::GroupRename { conversation: id, title: "Allotment".into() };
    assert_eq!(world.ask(alice, rename), Reply::Done);
    world.pass(Duration::from_secs(5));
    let d = world.accept(dave);
    assert_eq!(d.title, "Allotment");
    assert_eq!(handles(&mut world, carol, c).len(), 4);
    assert_eq!(world.chats(carol)[0].title, "Allotment");
    assert!(world.texts(dave, d.id).is_empty());

    let remove = Command::GroupRemove { conversation: id, handle: "bob".into() };
    assert_eq!(world.ask(alice, remove), Reply::Done);
    world.pass(Duration::from_secs(5));
    world.write(alice, id, "without bob");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.texts(bob, b).len(), 3);
    assert_eq!(world.chats(bob)[0].writable, Writable::Removed);
    assert!(matches!(
        lines(&mut world, bob, b).last(),
        Some(SystemLine::Removed { by: Some(by), who: None }) if by.handle == "alice"
    ));
    assert_eq!(world.texts(dave, d.id), ["alice: without bob"]);

    // Added again, bob sees what comes from then on.
    let add = Command::GroupAdd { conversation: id, handle: "bob".into() };
    assert_eq!(world.ask(alice, add), Reply::Done);
    world.pass(Duration::from_secs(5));
    world.write(alice, id, "bob again");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.texts(bob, b).last().unwrap(), "alice: bob again");
}

#[test]
fn who_leaves_is_out_for_everybody() {
    let mut world = World::new(21);
    let (alice, bob, carol) =
        (world.register("alice"), world.register("bob"), world.register("carol"));
    let id = group(&mut world, alice, "Garden", &["bob", "carol"]);
    let (b, c) = (world.accept(bob).id, world.accept(carol).id);
    world.pass(Duration::from_secs(5));
    assert!(matches!(world.ask(bob, Command::GroupLeave { conversation: b }), Reply::Done));
    world.pass(Duration::from_secs(5));
    world.write(carol, c, "bob is gone");
    world.pass(Duration::from_secs(5));
    assert_eq!(handles(&mut world, alice, id).len(), 2);
    assert_eq!(handles(&mut world, carol, c).len(), 2);
    assert_eq!(world.chats(bob)[0].writable, Writable::Left);
    assert!(world.texts(bob, b).is_empty());
    assert!(matches!(
        lines(&mut world, carol, c).last(),
        Some(SystemLine::Left { who: Some(who) }) if who.handle == "bob"
    ));
}

#[test]
fn many_write_and_change_at_once_and_end_with_the_same_words() {
    let mut world = World::new(22);
    let names = ["alice", "bob", "carol", "dave"];
    let people: Vec<usize> = names.iter().map(|name| world.register(name)).collect();
    let first = group(&mut world, people[0], "Garden", &["bob", "carol", "dave"]);
    let mut ids = vec![first];
    for person in &people[1..] {
        ids.push(world.accept(*person).id);
    }
    world.pass(Duration::from_secs(20));
    for round in 0..3 {
        for person in &people {
            world.set_offline(*person, true);
        }
        for (person, id) in people.iter().zip(&ids) {
            let text = format!("{round} from {person}");
            world.begin(*person, Command::SendText { conversation: *id, text });
        }
        let title = format!("Garden {round}");
        world.begin(people[0], Command::GroupRename { conversation: first, title });
        for person in &people {
            world.set_offline(*person, false);
        }
        world.pass(Duration::from_secs(30));
    }
    for (person, id) in people.iter().zip(&ids) {
        assert_eq!(world.texts(*person, *id).len(), 12, "{}", names[*person]);
        assert_eq!(world.chats(*person)[0].title, "Garden 2");
    }
}

#[test]
fn a_second_group_of_the_same_title_says_so() {
    let mut world = World::new(23);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let nils = world.register("nils");
    group(&mut world, alice, "Garden", &["bob"]);
    world.accept(bob);
    // Whatever nobody sees of it.
    for title in ["Garden", "Gаrden\u{200b}", "GARDEN"] {
        group(&mut world, nils, title, &["bob"]);
        assert!(world.requests(bob)[0].same_title_as_mine, "{title:?}");
    }
    group(&mut world, nils, "Gardens", &["bob"]);
    assert!(!world.requests(bob)[0].same_title_as_mine);
}

#[test]
fn leaving_leaves_a_line_with_everybody_and_no_members_with_the_leaver() {
    let mut world = World::new(27);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let carol = world.register("carol");
    let a = group(&mut world, alice, "Garden", &["bob", "carol"]);
    let (b, c) = (world.accept(bob).id, world.accept(carol).id);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.ask(bob, Command::GroupLeave { conversation: b }), Reply::Done);
    let row = world.chats(bob).remove(0);
    assert_eq!((row.people, row.devices), (0, 0));
    assert!(handles(&mut world, bob, b).is_empty());
    world.pass(Duration::from_secs(5));
    assert_eq!(lines(&mut world, bob, b).last(), Some(&SystemLine::Left { who: None }));
    let last = world.chats(bob)[0].last.clone().map(|last| last.content);
    assert_eq!(last, Some(Content::System(SystemLine::Left { who: None })));
    // Alice's device commits it, and says so like the others'.
    for (person, id) in [(alice, a), (carol, c)] {
        let lines = lines(&mut world, person, id);
        let left = |line: &&SystemLine| matches!(line, SystemLine::Left { who: Some(who) } if who.handle == "bob");
        assert_eq!(lines.iter().filter(left).count(), 1, "{lines:?}");
        assert!(left(&lines.last().unwrap()));
    }
}

#[test]
fn what_all_have_who_were_and_are_there_is_delivered() {
    let mut world = World::new(28);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let carol = world.register("carol");
    let a = group(&mut world, alice, "Garden", &["bob"]);
    world.write(alice, a, "welcome");
    world.pass(Duration::from_secs(5));
    // Carol, who was not there yet, and never accepts, is in the group when Bob's receipt comes.
    let add = Command::GroupAdd { conversation: a, handle: "carol".into() };
    assert_eq!(world.ask(alice, add), Reply::Done);
    world.pass(Duration::from_secs(5));
    let b = world.accept(bob).id;
    world.pass(Duration::from_secs(5));
    assert_eq!(world.states(alice, a), [SendState::Delivered]);
    // What she lacks waits for her, until she is out.
    world.write(alice, a, "to both");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.states(alice, a).last(), Some(&SendState::Sent));
    world.write(bob, b, "from bob");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.states(bob, b), [SendState::Sent]);
    let remove = Command::GroupRemove { conversation: a, handle: "carol".into() };
    assert_eq!(world.ask(alice, remove), Reply::Done);
    world.pass(Duration::from_secs(5));
    assert!(world.requests(carol).is_empty());
    assert_eq!(world.states(alice, a).last(), Some(&SendState::Delivered));
    assert_eq!(world.states(bob, b), [SendState::Delivered]);
}

#[test]
fn a_maker_who_left_and_who_seeks_themselves_are_told_why_it_cannot_be() {
    let mut world = World::new(310);
    let (alice, _bob) = (world.register("alice"), world.register("bob"));
    let garden = group(&mut world, alice, "Garden", &["bob"]);
    let kind = |reply| match reply {
        Reply::Problem(problem) => problem.kind,
        other => panic!("{other:?}"),
    };
    let me = || "alice".to_owned();
    let add = Command::GroupAdd { conversation: garden, handle: me() };
    assert_eq!(kind(world.ask(alice, add)), ProblemKind::Yourself);
    assert_eq!(kind(world.ask(alice, Command::OpenDirect { handle: me() })), ProblemKind::Yourself);
    world.ask(alice, Command::GroupLeave { conversation: garden });
    world.pass(Duration::from_secs(10));
    let rename = Command::GroupRename { conversation: garden, title: "Yard".into() };
    assert_eq!(kind(world.ask(alice, rename)), ProblemKind::NotAMember);
}
