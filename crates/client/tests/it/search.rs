// SPDX-License-Identifier: AGPL-3.0-or-later
//! Search: what is shown is found, what is gone is not, and a disk of before the index gets it by and by.

use std::time::Duration;

use nodoor_client::store::{MemoryStore, Store as _, Wanted, WriteBatch};
use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Place, Reply},
    message::Command as Message,
    model::{ConversationId, MessageId, Milliseconds, ProblemKind},
    past::{Command as Past, Hits, Kind, Reply as PastReply},
};

use crate::hand::{MINUTE, two};

fn ask(world: &mut World, person: usize, of: Past) -> Hits {
    let Reply::Past(PastReply::Hits(hits)) = world.ask(person, Command::Past { of }) else {
        panic!("no hits");
    };
    hits
}

fn search(world: &mut World, person: usize, query: &str) -> Hits {
    let query = query.to_owned();
    ask(world, person, Past::Search { query, conversation: None, before: None, limit: 50 })
}

fn found(world: &mut World, person: usize, query: &str) -> Vec<String> {
    search(world, person, query).rows.into_iter().map(|hit| hit.snippet).collect()
}

fn of(world: &mut World, person: usize, of: Message) {
    assert_eq!(world.ask(person, Command::Message { of }), Reply::Done);
    world.pass(Duration::from_secs(2));
}

fn page(world: &mut World, person: usize, conversation: ConversationId, at: Place) -> Vec<String> {
    let Reply::Messages(page) = world.ask(person, Command::Messages { conversation, at, limit: 4 })
    else {
        panic!("no page");
    };
    page.rows
        .iter()
        .map(|row| match &row.content {
            nodoor_view::model::Content::Text(text) => text.clone(),
            other => format!("{other:?}"),
        })
        .collect()
}

/// Whether anything at all is indexed of a chat of this disk.
fn indexed(world: &mut World, person: usize, conversation: ConversationId) -> usize {
    let wanted =
        Wanted { conversation: Some(conversation.0), limit: usize::MAX, ..Wanted::default() };
    world.kill(person);
    let all = world.disk(person).search(&wanted).unwrap().len();
    world.switch_on(person);
    all
}

#[test]
fn what_is_said_is_found_on_both_sides_as_it_is_shown_now() {
    let mut world = World::new(4001);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    world.write(alice, a, "The Café at the **garden** gate, https://example.org/map");
    world.write(alice, a, "明天在北京见");
    world.pass(Duration::from_secs(2));
    for (person, chat) in [(alice, a), (bob, b)] {
        assert_eq!(found(&mut world, person, "cafe gard").len(), 1);
        assert_eq!(found(&mut world, person, "北京"), ["明天在北京见"]);
        assert_eq!(found(&mut world, person, "orgy"), Vec::<String>::new());
        let hit = search(&mut world, person, "gard").rows.remove(0);
        assert_eq!(hit.snippet, "The Café at the garden gate, https://example.org/map");
        assert_eq!(hit.snippet.get(hit.marks[0].clone()), Some("gard"));
        assert_eq!((hit.conversation, hit.links.len()), (chat, 1));
        let links = Past::Shared { conversation: chat, kind: Kind::Links, before: None, limit: 9 };
        assert_eq!(ask(&mut world, person, links).rows.len(), 1);
    }
    let row = search(&mut world, alice, "gard").rows[0].message;
    of(&mut world, alice, Message::Edit { message: row, text: "The kitchen".into() });
    for (person, chat) in [(alice, a), (bob, b)] {
        assert_eq!(found(&mut world, person, "gard"), Vec::<String>::new());
        assert_eq!(found(&mut world, person, "kitch"), ["The kitchen"]);
        let links = Past::Shared { conversation: chat, kind: Kind::Links, before: None, limit: 9 };
        assert_eq!(ask(&mut world, person, links).rows.len(), 0);
    }
    of(&mut world, alice, Message::DeleteForEveryone { message: row });
    for person in [alice, bob] {
        assert_eq!(found(&mut world, person, "kitch"), Vec::<String>::new());
    }
    let query = "garden".to_owned();
    let nowhere = Some(ConversationId(999));
    let of = Past::Search { query, conversation: nowhere, before: None, limit: 1 };
    let Reply::Problem(problem) = world.ask(alice, Command::Past { of }) else { panic!() };
    assert_eq!(problem.kind, ProblemKind::NotFound);
}

#[test]
fn what_is_deleted_for_me_disappears_or_is_shown_once_is_in_no_index() {
    let mut world = World::new(4002);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let before = [(alice, a), (bob, b)].map(|(person, chat)| indexed(&mut world, person, chat));
    let row = world.write(alice, a, "remember the milk");
    world.pass(Duration::from_secs(2));
    assert_eq!(world.ask(alice, Command::DeleteForMe { message: row.id }), Reply::Done);
    assert_eq!(found(&mut world, alice, "milk"), Vec::<String>::new());
    assert_eq!(found(&mut world, bob, "milk").len(), 1);
    assert_eq!(world.ask(alice, Command::Undelete { message: row.id }), Reply::Done);
    assert_eq!(found(&mut world, alice, "milk").len(), 1);
    assert_eq!(world.ask(alice, Command::DeleteForMe { message: row.id }), Reply::Done);

    let Reply::Sent(_) = world.ask(
        alice,
        Command::Message { of: Message::SendOnce { conversation: a, text: "once upon".into() } },
    ) else {
        panic!("not sent");
    };
    of(&mut world, alice, Message::Timer { conversation: a, seconds: 60 });
    world.write(alice, a, "gone soon");
    world.pass(Duration::from_secs(2));
    assert_eq!(found(&mut world, bob, "once upon"), Vec::<String>::new());
    assert_eq!(found(&mut world, bob, "soon").len(), 1);
    let up_to = world.rows(bob, b).last().unwrap().id;
    assert_eq!(world.ask(bob, Command::MarkRead { conversation: b, up_to }), Reply::Done);
    world.pass(2 * MINUTE);
    for person in [alice, bob] {
        assert_eq!(found(&mut world, person, "soon"), Vec::<String>::new());
    }
    // The milk is still there for Bob.
    assert_eq!(indexed(&mut world, alice, a), before[0]);
    assert_eq!(indexed(&mut world, bob, b), before[1] + 1);
}

#[test]
fn what_a_stranger_says_is_found_once_the_request_is_accepted() {
    let mut world = World::new(4003);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "hello from the fair");
    world.pass(Duration::from_secs(2));
    assert_eq!(found(&mut world, bob, "fair"), Vec::<String>::new());
    world.accept(bob);
    assert_eq!(found(&mut world, bob, "fair"), ["hello from the fair"]);
}

#[test]
fn hits_come_page_by_page_newest_first_and_each_leads_to_its_place() {
    let mut world = World::new(4004);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, _] = two(&mut world, alice, bob);
    let mut times = Vec::new();
    for number in 0..9 {
        world.pass(MINUTE);
        times.push(world.now());
        world.write(alice, a, &format!("apple {number}"));
    }
    let mut before = None;
    let mut all = Vec::new();
    loop {
        let query = "app".to_owned();
        let of = Past::Search { query, conversation: Some(a), before, limit: 4 };
        let hits = ask(&mut world, alice, of);
        assert!(hits.rows.len() <= 4 && !hits.rows.is_empty());
        all.extend(hits.rows.into_iter().map(|hit| (hit.message, hit.snippet)));
        before = hits.before;
        if before.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..9).rev().map(|number| format!("apple {number}")).collect();
    assert_eq!(all.iter().map(|(_, snippet)| snippet.clone()).collect::<Vec<_>>(), expected);
    let message = all[4].0;
    let around = page(&mut world, alice, a, Place::Around { message });
    assert_eq!(around, ["apple 2", "apple 3", "apple 4", "apple 5"]);
    let at = Place::At { time: Milliseconds(times[6] - 1) };
    assert_eq!(page(&mut world, alice, a, at), ["apple 4", "apple 5", "apple 6", "apple 7"]);
    let end = Place::At { time: Milliseconds(u64::MAX) };
    assert_eq!(page(&mut world, alice, a, end), ["apple 6", "apple 7", "apple 8"]);
    assert_eq!(page(&mut world, alice, a, Place::Around { message: MessageId(0) }).len(), 2);
}

#[test]
fn a_disk_of_before_the_index_gets_it_by_and_by_and_says_how_far_it_is() {
    let mut world = World::new(4005);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, _] = two(&mut world, alice, bob);
    world.set_offline(alice, true);
    for number in 0..700 {
        world.write(alice, a, &format!("pear {number}"));
    }
    world.kill(alice);
    // As an older version left it: the rows, and no index.
    let mut older = MemoryStore::default();
    let rows = world.disk(alice).scan(&[], &[255; 40], false, usize::MAX).unwrap();
    let writes = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
    older.commit(WriteBatch { writes, ..WriteBatch::default() }).unwrap();
    let mut batch = WriteBatch::default();
    batch.writes.insert(b"a/indexing".to_vec(), None);
    older.commit(batch).unwrap();
    *world.disk(alice) = older;
    world.switch_on(alice);
    let hits = search(&mut world, alice, "pear");
    assert!(hits.indexed.is_some_and(|done| done < 100), "{:?}", hits.indexed);
    // What is said meanwhile is found at once.
    world.write(alice, a, "a fresh pear");
    assert_eq!(found(&mut world, alice, "fresh"), ["a fresh pear"]);
    let mut last = 0;
    for _ in 0..100 {
        world.pass(Duration::from_millis(20));
        let hits = search(&mut world, alice, "pear");
        let done = hits.indexed.unwrap_or(100);
        assert!(done >= last, "{done} after {last}");
        last = done;
    }
    let hits = search(&mut world, alice, "pear 69");
    assert_eq!((hits.indexed, hits.rows.len()), (None, 11));
}
