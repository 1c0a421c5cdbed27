// SPDX-License-Identifier: AGPL-3.0-or-later
//! The list as its person arranges it, the same on all devices: pins, archive, mutes, folders, drafts, the chat with oneself.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    list::{self, ALWAYS, Folder},
    model::{ConversationId, ConversationRow, Milliseconds, ProblemKind, SendState},
};

use crate::devices::link;

const WHILE: Duration = Duration::from_secs(20);

fn list(world: &mut World, person: usize, of: list::Command) -> Reply {
    world.ask(person, Command::List { of })
}

fn chat(world: &mut World, person: usize, title: &str) -> ConversationRow {
    let found = world.chats(person).into_iter().find(|chat| chat.title == title);
    found.unwrap_or_else(|| panic!("no {title}"))
}

/// Alice has chats with Bob and Carol; all is told.
fn at_home(seed: u64) -> (World, [usize; 3]) {
    let mut world = World::with_ledger(seed);
    let people = ["alice", "bob", "carol"].map(|name| world.register(name));
    let [alice, bob, carol] = people;
    world.pass(WHILE);
    for (name, other) in [("bob", bob), ("carol", carol)] {
        world.say(alice, name, "hello");
        world.pass(WHILE);
        world.accept(other);
        world.pass(WHILE);
    }
    (world, people)
}

fn rows(
    world: &mut World,
    person: usize,
    conversation: ConversationId,
) -> Vec<nodoor_view::model::MessageRow> {
    let at = nodoor_view::command::Place::Newest;
    match world.ask(person, Command::Messages { conversation, at, limit: 100 }) {
        Reply::Messages(page) => page.rows,
        other => panic!("{other:?}"),
    }
}

fn notified(world: &mut World, person: usize) -> usize {
    let notify = |event: &&Event| matches!(event, Event::Notify { .. });
    world.person(person).events.iter().filter(notify).count()
}

#[test]
fn pinned_chats_are_first_and_marks_go_when_one_looks() {
    let (mut world, [alice, ..]) = at_home(1);
    let bob = chat(&mut world, alice, "@bob").id;
    assert_eq!(world.chats(alice)[0].title, "@carol");
    list(&mut world, alice, list::Command::Pin { conversation: bob, on: true });
    assert_eq!(world.chats(alice)[0].title, "@bob");
    list(&mut world, alice, list::Command::Mark { conversation: bob, on: true });
    assert!(chat(&mut world, alice, "@bob").place.marked);
    world.ask(alice, Command::Looking { at: Some(bob) });
    assert!(!chat(&mut world, alice, "@bob").place.marked);
    list(&mut world, alice, list::Command::Pin { conversation: bob, on: false });
    assert_eq!(world.chats(alice)[0].title, "@carol");
    let nothing = list::Command::Pin { conversation: ConversationId(999), on: true };
    assert!(
        matches!(list(&mut world, alice, nothing), Reply::Problem(p) if p.kind == ProblemKind::NotFound)
    );
}

#[test]
fn what_is_muted_tells_nothing_until_its_time_is_over() {
    let (mut world, [alice, bob, _]) = at_home(2);
    let with_bob = chat(&mut world, alice, "@bob").id;
    let until = Milliseconds(world.now() + 3_600_000);
    list(&mut world, alice, list::Command::Mute { conversation: with_bob, until });
    let before = notified(&mut world, alice);
    world.say(bob, "alice", "psst");
    world.pass(WHILE);
    assert_eq!(chat(&mut world, alice, "@bob").unread, 1);
    assert_eq!(notified(&mut world, alice), before);
    world.pass(Duration::from_secs(3_700));
    world.say(bob, "alice", "now?");
    world.pass(WHILE);
    assert_eq!(notified(&mut world, alice), before + 1);
}

#[test]
fn what_was_put_away_comes_back_with_a_message_unless_it_is_muted() {
    let (mut world, [alice, bob, carol]) = at_home(3);
    for name in ["@bob", "@carol"] {
        let conversation = chat(&mut world, alice, name).id;
        list(&mut world, alice, list::Command::Archive { conversation, on: true });
    }
    let conversation = chat(&mut world, alice, "@carol").id;
    list(&mut world, alice, list::Command::Mute { conversation, until: ALWAYS });
    world.say(bob, "alice", "still there?");
    world.say(carol, "alice", "and you?");
    world.pass(WHILE);
    assert!(!chat(&mut world, alice, "@bob").place.archived);
    assert!(chat(&mut world, alice, "@carol").place.archived);
}

#[test]
fn a_second_device_has_the_same_list_and_folders() {
    let (mut world, [alice, ..]) = at_home(4);
    let with_bob = chat(&mut world, alice, "@bob").id;
    list(&mut world, alice, list::Command::Pin { conversation: with_bob, on: true });
    let name = "Friends\u{202e}".to_owned();
    let folder = Folder { id: String::new(), name, order: 1, conversations: vec![with_bob] };
    let made = list(&mut world, alice, list::Command::SetFolder { folder });
    let Reply::Folders(made) = made else { panic!("{made:?}") };
    assert_eq!((made[0].name.as_str(), made[0].id.len()), ("Friends", 32));

    let laptop = link(&mut world, alice, "laptop");
    world.pass(WHILE);
    // One that was made before the device came, and one after.
    let there = chat(&mut world, laptop, "@bob");
    assert!(there.place.pinned_at.is_some());
    let folders = list(&mut world, laptop, list::Command::Folders);
    let Reply::Folders(folders) = folders else { panic!("{folders:?}") };
    assert_eq!((folders[0].name.as_str(), &folders[0].conversations), ("Friends", &vec![there.id]));
    list(&mut world, laptop, list::Command::Archive { conversation: there.id, on: true });
    list(&mut world, laptop, list::Command::RemoveFolder { id: folders[0].id.clone() });
    world.pass(WHILE);
    let here = chat(&mut world, alice, "@bob").place;
    assert!(here.archived && here.pinned_at.is_none());
    assert_eq!(list(&mut world, alice, list::Command::Folders), Reply::Folders(vec![]));
    let told = |event: &Event| matches!(event, Event::Folders { folders } if folders.is_empty());
    assert!(world.person(alice).events.iter().any(told));
}

#[test]
fn a_draft_follows_to_the_other_device_and_never_replaces_what_is_typed_there() {
    let (mut world, [alice, ..]) = at_home(5);
    let laptop = link(&mut world, alice, "laptop");
    world.pass(WHILE);
    let (here, there) = (chat(&mut world, alice, "@bob").id, chat(&mut world, laptop, "@bob").id);
    let draft = |world: &mut World, person, conversation, text: &str| {
        world.ask(person, Command::Looking { at: Some(conversation) });
        world.ask(person, Command::SetDraft { conversation, text: text.into() });
        world.ask(person, Command::Looking { at: None });
        world.pass(WHILE);
    };
    draft(&mut world, alice, here, "Half a thought");
    assert_eq!(chat(&mut world, laptop, "@bob").draft, "Half a thought");
    draft(&mut world, laptop, there, "A whole thought");
    assert_eq!(chat(&mut world, alice, "@bob").draft, "A whole thought");
    // While one types there, nothing is put in its place.
    world.ask(laptop, Command::Looking { at: Some(there) });
    draft(&mut world, alice, here, "Another");
    assert_eq!(chat(&mut world, laptop, "@bob").draft, "A whole thought");
    world.ask(laptop, Command::SetDraft { conversation: there, text: "Mine".into() });
    draft(&mut world, alice, here, "Yet another");
    assert_eq!(chat(&mut world, laptop, "@bob").draft, "Mine");
    // What is sent is no draft anywhere any more.
    world.ask(laptop, Command::SendText { conversation: there, text: "Mine".into() });
    world.ask(laptop, Command::Looking { at: None });
    world.pass(WHILE);
    assert_eq!(chat(&mut world, laptop, "@bob").draft, "");
    assert_eq!(chat(&mut world, alice, "@bob").draft, "");
}

#[test]
fn a_chat_with_oneself_is_kept_and_is_on_every_device() {
    let (mut world, [alice, bob, _]) = at_home(6);
    let saved = list(&mut world, alice, list::Command::Saved);
    let Reply::Conversation(row) = saved else { panic!("{saved:?}") };
    assert!(row.saved);
    let text = "Milk, bread".to_owned();
    let sent = world.ask(alice, Command::SendText { conversation: row.id, text });
    assert!(matches!(sent, Reply::Sent(_)), "{sent:?}");
    world.pass(WHILE);
    let kept = rows(&mut world, alice, row.id);
    assert_eq!(kept.last().and_then(|row| row.state.clone()), Some(SendState::Sent));
    assert_eq!(notified(&mut world, alice), 0);

    let laptop = link(&mut world, alice, "laptop");
    world.pass(WHILE);
    let saved = list(&mut world, laptop, list::Command::Saved);
    let Reply::Conversation(there) = saved else { panic!("{saved:?}") };
    let text = "And cheese".to_owned();
    world.ask(laptop, Command::SendText { conversation: there.id, text });
    world.pass(WHILE);
    let texts = |rows: Vec<nodoor_view::model::MessageRow>| {
        let each = rows.into_iter().filter_map(|row| match row.content {
            nodoor_view::model::Content::Text(text) => Some(text),
            _ => None,
        });
        each.collect::<Vec<_>>()
    };
    assert_eq!(texts(rows(&mut world, alice, row.id)), ["Milk, bread", "And cheese"]);
    // The past comes with the rest of it, a day later.
    world.pass(Duration::from_secs(26 * 3600));
    world.pass(Duration::from_secs(600));
    assert_eq!(texts(rows(&mut world, laptop, there.id)), ["Milk, bread", "And cheese"]);
    assert!(world.chats(alice).iter().any(|chat| chat.saved));
    assert!(world.chats(bob).iter().all(|chat| !chat.saved));
}
