// SPDX-License-Identifier: AGPL-3.0-or-later
//! What one member can do to all the others by a commit nobody can decide about, by leaving where nobody can
//! leave, and with a second account that goes first.

use std::{cell::Cell, rc::Rc};

use nodoor_e2ee::{
    group::Change,
    open::Opened,
    room::{Burnt, RoomContext, RoomKind},
};
use nodoor_testkit::{
    mallory::Mallory,
    world::{Fate, World},
};
use nodoor_view::{
    command::{Command, Reply},
    model::Writable,
};
use nodoor_wire::{
    header::CommitHeader,
    id::RoomId,
    proto::{answer::Body as Answer, request::Body as Ask},
};

use crate::{
    groups::group,
    hand::{
        HOUR, MINUTE, a_group_of, account_of, answers, four, honest, overhear, package_of, read_by,
        two,
    },
    writable,
};

#[test]
fn an_answer_that_was_overtaken_loses_nothing_that_waits() {
    // Dave is added while Bob cannot look him up: the commit waits at Bob's, and what is written after it.
    let (mut world, people, ids) = four(344);
    let bob = people[1];
    world.register("dave");
    world.fate = Box::new(move |person, _, request| {
        let lookup = matches!(request.body, Some(Ask::Lookup(_)));
        if person == bob && lookup { Fate::NeverAnswered } else { Fate::Arrives }
    });
    // What the other connection brings is of before that commit.
    let overtaken = Rc::new(Cell::new(0));
    let count = Rc::clone(&overtaken);
    answers(&mut world, bob, move |answer| {
        if let Answer::Commits(commits) = answer
            && let Some(commit) = commits.commit.take()
        {
            commits.head = commit.epoch;
            count.set(count.get() + 1);
        }
    });
    let add = Command::GroupAdd { conversation: ids[0], handle: "dave".into() };
    assert_eq!(world.ask(people[0], add), Reply::Done);
    world.pass(MINUTE);
    world.write(people[0], ids[0], "after it");
    world.pass(5 * MINUTE);
    assert!(overtaken.get() > 0, "Bob asked");
    honest(&mut world);
    world.pass(2 * HOUR);
    assert_eq!(world.texts(bob, ids[1]), ["alice: after it"]);
}

#[test]
fn what_was_read_in_a_burnt_room_is_not_read_again_from_its_successor() {
    let (mut world, people, ids) = four(345);
    let (bob, carol) = (people[1], people[2]);
    // Carol's message arrives, and she never hears that it did.
    let sent = Rc::new(Cell::new(false));
    world.fate = Box::new(move |person, _, request| match request.body {
        Some(Ask::Send(_)) if person == carol && sent.replace(true) => Fate::NeverAnswered,
        Some(Ask::Send(_)) if person == carol => Fate::AnswerLost,
        _ => Fate::Arrives,
    });
    world.write(carol, ids[2], "once");
    world.pass(MINUTE);
    assert_eq!(world.texts(bob, ids[1]), ["carol: once"]);
    let mut mallory = world.turn(people[3]);
    let room = mallory.rooms()[0];
    let commit = of_no_list(&mut mallory, &room);
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(MINUTE);
    honest(&mut world);
    world.kill(carol);
    world.switch_on(carol);
    world.pass(3 * HOUR);
    world.write(carol, ids[2], "again");
    world.pass(MINUTE);
    assert_eq!(world.texts(bob, ids[1]), ["carol: once", "carol: again"]);
}

/// Mallory's leaf names a version of her list that does not exist and never will.
fn of_no_list(mallory: &mut Mallory, room: &RoomId) -> nodoor_wire::proto::Commit {
    mallory.claim_version(room, u32::MAX);
    mallory.commit(room, Change::default())
}

#[test]
fn a_commit_that_names_a_list_nobody_finds_burns_its_epoch() {
    let (mut world, people, ids) = four(340);
    let mut mallory = world.turn(people[3]);
    let room = mallory.rooms()[0];
    let commit = of_no_list(&mut mallory, &room);
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.write(people[1], ids[1], "meanwhile");
    world.pass(30 * MINUTE);
    // It may still be found; until then nobody is blamed.
    assert_eq!(writable(&mut world, people[0], ids[0]), Writable::Yes);
    world.pass(HOUR);
    go_on_without_her(&mut world, &people, &ids);
    assert!(world.texts(people[0], ids[0]).contains(&"bob: meanwhile".to_owned()));
}

#[test]
fn a_commit_of_a_proposal_nobody_saw_burns_its_epoch() {
    let (mut world, people, ids) = four(341);
    let carol = world.turn(people[2]);
    let mut mallory = world.turn(people[3]);
    let room = mallory.rooms()[0];
    // Carol asks Mallory alone to remove her.
    let leave = carol.group(&room).propose_leave(&carol.disk, &carol.identity).unwrap();
    let mut group = mallory.group(&room);
    assert!(matches!(group.open(&mallory.disk, &leave), Ok(Opened::Leave { .. })));
    let commit = mallory.commit(&room, Change::default());
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(2 * HOUR);
    for (person, id) in people.iter().zip(&ids).take(2) {
        assert_eq!(writable(&mut world, *person, *id), Writable::Yes);
        world.write(*person, *id, &format!("from {person}"));
    }
    world.pass(MINUTE);
    for (person, id) in people.iter().zip(&ids).take(2) {
        assert_eq!(world.texts(*person, *id).len(), 2);
    }
    assert!(!crate::hand::members(&mut world, people[0], ids[0]).contains(&"mallory".to_owned()));
}

#[test]
fn a_creator_who_commits_what_nobody_can_decide_loses_the_group() {
    let mut world = World::new(342);
    let people = ["mallory", "bob", "carol"].map(|name| world.register(name));
    let first = group(&mut world, people[0], "Garden", &["bob", "carol"]);
    let ids = [first, world.accept(people[1]).id, world.accept(people[2]).id];
    world.pass(MINUTE);
    let mut mallory = world.turn(people[0]);
    let room = mallory.rooms()[0];
    let commit = of_no_list(&mut mallory, &room);
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(5 * HOUR);
    for (person, id) in people.iter().zip(&ids).skip(1) {
        assert_eq!(writable(&mut world, *person, *id), Writable::Yes);
        world.write(*person, *id, &format!("from {person}"));
    }
    world.pass(MINUTE);
    for (person, id) in people.iter().zip(&ids).skip(1) {
        assert_eq!(world.texts(*person, *id).len(), 2);
        assert_eq!(crate::hand::members(&mut world, *person, *id), ["bob", "carol"]);
    }
}

#[test]
fn a_server_that_hides_a_list_burns_nothing() {
    // Bob's look-ups are never answered: he waits, and nobody is blamed for it.
    let (mut world, people, ids) = four(343);
    let bob = people[1];
    let dave = world.register("dave");
    world.fate = Box::new(move |person, _, request| {
        let lookup = matches!(request.body, Some(Ask::Lookup(_)));
        if person == bob && lookup { Fate::NeverAnswered } else { Fate::Arrives }
    });
    let add = Command::GroupAdd { conversation: ids[0], handle: "dave".into() };
    assert_eq!(world.ask(people[0], add), Reply::Done);
    world.pass(MINUTE);
    world.accept(dave);
    world.pass(30 * MINUTE);
    assert_eq!(writable(&mut world, bob, ids[1]), Writable::Yes);
    // After an hour he says that he cannot go on, and what he writes waits.
    world.pass(4 * HOUR);
    assert_eq!(writable(&mut world, bob, ids[1]), Writable::Stuck);
    world.fate = Box::new(|_, _, _| Fate::Arrives);
    world.pass(HOUR);
    assert_eq!(writable(&mut world, bob, ids[1]), Writable::Yes);
    assert_eq!(crate::hand::members(&mut world, bob, ids[1]).len(), 5);
}

fn go_on_without_her(
    world: &mut World,
    people: &[usize; 4],
    ids: &[nodoor_view::model::ConversationId; 4],
) {
    let good: Vec<_> = people.iter().zip(ids).take(3).collect();
    for (person, id) in &good {
        assert_eq!(writable(world, **person, **id), Writable::Yes, "{person}");
        world.write(**person, **id, &format!("from {person}"));
    }
    world.pass(MINUTE);
    for (person, id) in &good {
        let texts = world.texts(**person, **id);
        for (writer, _) in &good {
            let ends = format!(": from {writer}");
            assert_eq!(texts.iter().filter(|text| text.ends_with(&ends)).count(), 1, "{texts:?}");
        }
        assert_eq!(crate::hand::members(world, **person, **id), ["alice", "bob", "carol"]);
    }
}

#[test]
fn a_stranger_gets_nothing_out_of_a_request() {
    let mut world = World::new(344);
    let (mallory, bob) = (world.register("mallory"), world.register("bob"));
    let bobs = account_of(&mut world, bob);
    let mut hers = world.turn(mallory);
    let context =
        RoomContext { kind: RoomKind::direct(hers.account, bobs), ..a_group_of(hers.account, "") };
    let room = RoomId([3; 32]);
    hers.found(&mut world, room, context);
    let add = vec![package_of(&mut world, bobs)];
    let commit = hers.commit(&room, Change { add, ..Change::default() });
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    hers.group(&room).merge_pending(&hers.disk).unwrap();
    world.pass(MINUTE);
    let heard = overhear(&mut world, bob);
    let mut group = hers.group(&room);
    let leave = group.propose_leave(&hers.disk, &hers.identity).unwrap();
    let send = hers.send(&group, leave);
    assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
    world.pass(HOUR);
    assert!(heard.borrow().is_empty());
}

#[test]
fn a_group_that_waits_to_be_accepted_answers_no_leave() {
    // Mallory founds a group with Bob and Dave (her own second account) in it; then both of hers leave.
    let mut world = World::new(345);
    let (mallory, bob) = (world.register("mallory"), world.register("bob"));
    group(&mut world, mallory, "Garden", &["bob"]);
    let mut hers = world.turn(mallory);
    let room = hers.rooms()[0];
    let heard = overhear(&mut world, bob);
    let mut group = hers.group(&room);
    let leave = group.propose_leave(&hers.disk, &hers.identity).unwrap();
    let send = hers.send(&group, leave);
    assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
    world.pass(HOUR);
    assert!(heard.borrow().is_empty());
}

#[test]
fn nobody_leaves_a_chat_of_two() {
    let mut world = World::new(346);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, _] = two(&mut world, alice, bob);
    let mut mallory = world.turn(bob);
    let room = mallory.rooms()[0];
    let heard = overhear(&mut world, alice);
    let mut group = mallory.group(&room);
    let leave = group.propose_leave(&mallory.disk, &mallory.identity).unwrap();
    let send = mallory.send(&group, leave);
    assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
    world.pass(MINUTE);
    world.write(alice, a, "are you still there");
    world.pass(MINUTE);
    // It is said to somebody.
    assert_eq!(heard.borrow().len(), 1);
    assert_eq!(read_by(&mallory, &heard), 1);
}

#[test]
fn the_creators_successor_is_followed_and_not_that_of_who_was_first() {
    // Mallory burns the epoch; Carol, who is hers as well, has a successor ready before anybody noticed.
    let (mut world, people, ids) = four(347);
    let [alice, bob, carol, mallory] = people;
    for person in [alice, bob] {
        world.set_offline(person, true);
    }
    let accounts = [alice, bob].map(|person| account_of(&mut world, person));
    let mut first = world.turn(mallory);
    let room = first.rooms()[0];
    let epoch = first.group(&room).epoch();
    let mut burn = first.commit(&room, Change::default());
    let mut roster = burn.next_roster.to_vec();
    roster[0] ^= 1;
    burn.next_roster = roster.into();
    first.sign(&room, &mut burn);
    let commit = CommitHeader::of(&burn).commit_id();
    assert!(matches!(world.submit(burn), Answer::Done(_)));
    let mut second = world.turn(carol);
    let origin = Burnt { room, epoch, commit };
    let context =
        RoomContext { successor_of: Some(origin), ..a_group_of(second.account, "Garden") };
    let smallest = RoomId([0; 32]);
    second.found(&mut world, smallest, context);
    let add = accounts.iter().map(|account| package_of(&mut world, *account)).collect();
    let invite = second.commit(&smallest, Change { add, ..Change::default() });
    assert!(matches!(world.submit(invite), Answer::Done(_)));
    second.group(&smallest).merge_pending(&second.disk).unwrap();
    // Bob is there first and sees nothing but Carol's.
    world.set_offline(bob, false);
    world.pass(5 * MINUTE);
    assert_eq!(writable(&mut world, bob, ids[1]), Writable::Stuck);
    world.set_offline(alice, false);
    world.pass(5 * MINUTE);
    let heard = overhear(&mut world, bob);
    world.write(bob, ids[1], "for the garden");
    world.pass(MINUTE);
    assert!(heard.borrow().iter().all(|(room, _)| *room != smallest));
    assert!(world.texts(alice, ids[0]).contains(&"bob: for the garden".to_owned()));
    let rename = Command::GroupRename { conversation: ids[0], title: "Allotment".into() };
    assert_eq!(world.ask(alice, rename), Reply::Done);
    world.pass(2 * HOUR);
    let titles = world.chats(bob).into_iter().find(|row| row.id == ids[1]).unwrap().title;
    assert_eq!(titles, "Allotment");
    world.write(bob, ids[1], "and an hour later");
    world.pass(MINUTE);
    assert!(world.texts(alice, ids[0]).contains(&"bob: and an hour later".to_owned()));
    assert!(heard.borrow().iter().all(|(room, _)| *room != smallest));
}
