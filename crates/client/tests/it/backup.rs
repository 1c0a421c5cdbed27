// SPDX-License-Identifier: AGPL-3.0-or-later
//! Backups: what was said comes back on any device of the account, nothing else does, and no ratchet goes back in time.

use std::time::Duration;

use nodoor_client::store::Store as _;
use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    device::Command as Device,
    message::Command as Message,
    model::{ConversationId, Milliseconds, ProblemKind, Writable},
    past::{At, Command as Past, Counted, Imported, ImportedChat, Reply as PastReply},
};

use crate::{
    devices::{device, link},
    groups::group,
};

const SECOND: Duration = Duration::from_secs(1);

fn past(world: &mut World, person: usize, of: Past) -> Reply {
    world.ask(person, Command::Past { of })
}

fn backup(world: &mut World, person: usize) -> Vec<Vec<u8>> {
    let (mut pieces, mut at): (_, Option<At>) = (Vec::new(), None);
    loop {
        let Reply::Past(PastReply::Piece { bytes, next }) =
            past(world, person, Past::Backup { at })
        else {
            panic!("no piece");
        };
        pieces.push(bytes);
        at = next;
        if at.is_none() {
            return pieces;
        }
    }
}

fn restore(world: &mut World, person: usize, pieces: &[Vec<u8>]) -> Result<Counted, ProblemKind> {
    let mut counted = Counted::default();
    for piece in pieces {
        match past(world, person, Past::Restore { piece: piece.clone() }) {
            Reply::Past(PastReply::Counted(so_far)) => counted = so_far,
            Reply::Problem(problem) => return Err(problem.kind),
            other => panic!("{other:?}"),
        }
    }
    Ok(counted)
}

fn words(world: &mut World, person: usize) -> String {
    match world.ask(person, Command::Words) {
        Reply::Words(words) => words,
        other => panic!("no words: {other:?}"),
    }
}

fn chat_with(world: &mut World, person: usize, reference: &str) -> ConversationId {
    let chats = world.chats(person);
    chats.into_iter().find(|row| row.reference == reference).unwrap().id
}

/// Alice and Bob with a talk of a few messages, one of them changed, one pinned, one deleted, one that disappears.
fn talk(world: &mut World) -> (usize, usize, ConversationId, ConversationId) {
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    // Time for the log, where there is one.
    world.pass(10 * SECOND);
    world.say(alice, "bob", "hello");
    world.pass(10 * SECOND);
    let a = world.chat(alice, "bob").id;
    let b = world.accept(bob).id;
    world.pass(10 * SECOND);
    for number in 0..5 {
        world.write(alice, a, &format!("from alice {number}"));
        world.pass(SECOND);
        world.write(bob, b, &format!("from bob {number}"));
        world.pass(SECOND);
    }
    let rows = world.rows(alice, a);
    let mine = |text: &str| {
        let content = nodoor_view::model::Content::Text(text.to_owned());
        rows.iter().find(|row| row.content == content).unwrap().id
    };
    for of in [
        Message::Edit { message: mine("from alice 1"), text: "better words".into() },
        Message::Pin { message: mine("from bob 2"), on: true },
        Message::DeleteForEveryone { message: mine("from alice 3") },
        Message::Timer { conversation: a, seconds: 3600 },
    ] {
        assert_eq!(world.ask(alice, Command::Message { of }), Reply::Done);
        world.pass(SECOND);
    }
    world.write(alice, a, "for an hour");
    world.pass(2 * SECOND);
    (alice, bob, a, b)
}

#[test]
fn what_was_said_comes_back_on_an_account_that_was_recovered_and_the_talk_goes_on() {
    for ledger in [false, true] {
        let mut world = if ledger { World::with_ledger(5001) } else { World::new(5001) };
        let (alice, bob, a, b) = talk(&mut world);
        let before = world.texts(alice, a);
        let garden = group(&mut world, alice, "Garden", &["bob"]);
        world.write(alice, garden, "in the garden");
        world.pass(5 * SECOND);
        let chats = world.chats(alice);
        let reference = chats.into_iter().find(|row| row.id == a).unwrap().reference;
        let pieces = backup(&mut world, alice);
        let hers = words(&mut world, alice);
        world.kill(alice);
        let fresh = world.begin_without_account("fresh");
        let of = Device::Recover { handle: "alice".to_owned(), words: hers };
        assert!(matches!(device(&mut world, fresh, of), Reply::Profile(_)));
        world.pass(10 * SECOND);
        let counted = restore(&mut world, fresh, &pieces).unwrap();
        assert_eq!(counted.chats, 2);
        let chat = chat_with(&mut world, fresh, &reference);
        let mut expected = before.clone();
        expected.retain(|text| !text.contains("hour"));
        assert_eq!(world.texts(fresh, chat), expected, "{ledger}");
        let shared = world.rows(fresh, chat);
        assert!(
            shared.iter().any(|row| row.marks.pinned) && shared.iter().any(|row| row.marks.edited)
        );
        // Again: nothing new.
        assert_eq!(restore(&mut world, fresh, &pieces).unwrap().messages, 0);
        assert_eq!(world.texts(fresh, chat), expected);
        // Both go on in a room of new keys.
        world.write(fresh, chat, "back again");
        world.pass(20 * SECOND);
        world.write(bob, b, "welcome");
        world.pass(20 * SECOND);
        assert!(world.texts(bob, b).contains(&"alice: back again".to_owned()), "{ledger}");
        assert_eq!(world.texts(fresh, chat).last().unwrap(), "bob: welcome", "{ledger}");
    }
}

#[test]
fn a_second_device_takes_it_in_below_what_it_has_and_another_account_takes_nothing() {
    let mut world = World::new(5002);
    let (alice, bob, a, b) = talk(&mut world);
    let pieces = backup(&mut world, alice);
    let second = link(&mut world, alice, "second");
    world.pass(10 * SECOND);
    world.write(bob, b, "after the backup");
    world.pass(10 * SECOND);
    let reference = world.chats(alice).into_iter().find(|row| row.id == a).unwrap().reference;
    restore(&mut world, second, &pieces).unwrap();
    let chat = chat_with(&mut world, second, &reference);
    let texts = world.texts(second, chat);
    assert_eq!(texts.first().unwrap(), &world.texts(alice, a)[0]);
    assert_eq!(texts.last().unwrap(), "bob: after the backup");
    assert!(!texts.iter().any(|text| text.contains("hour")), "what disappears is in no backup");
    assert_eq!(restore(&mut world, bob, &pieces), Err(ProblemKind::OtherAccount));
    assert_eq!(restore(&mut world, second, &[vec![1, 2, 3]]), Err(ProblemKind::Version));
}

/// Whoever copies the whole disk back would seal two messages with one key. That is noticed (`putback.rs`), and no backup
/// brings it about: none holds a key.
#[test]
fn a_backup_holds_no_key_and_a_copy_of_the_whole_disk_uses_none_twice() {
    let mut world = World::new(5003);
    let (alice, _bob, a, _) = talk(&mut world);
    let bob = 1;
    let b = world.chats(bob)[0].id;
    world.kill(alice);
    let copy = world.disk(alice).clone();
    // Nothing of what is kept of MLS, and no seed, is in a backup.
    let named =
        |row: &[u8], name: &str| row.windows(name.len()).any(|some| some == name.as_bytes());
    let secrets: Vec<Vec<u8>> = copy
        .scan(b"e/", b"e0", false, usize::MAX)
        .unwrap()
        .into_iter()
        .filter(|(row, _)| ["e/es/", "e/ms/", "e/msp/"].iter().any(|name| named(row, name)))
        .map(|(_, value)| value)
        .collect();
    // The lists of accounts, and the names of rooms, are in both.
    let mut public: Vec<u8> = Vec::new();
    for (row, value) in copy.scan(b"l/", b"l0", false, usize::MAX).unwrap() {
        public.extend([row, value].concat());
    }
    for (row, _) in copy.scan(b"r/", b"r0", false, usize::MAX).unwrap() {
        public.extend(row);
    }
    let holds = |all: &[u8], part: &[u8]| all.windows(part.len()).any(|some| some == part);
    assert!(!secrets.is_empty());
    world.switch_on(alice);
    world.pass(SECOND);
    let pieces = backup(&mut world, alice).concat();
    for secret in &secrets {
        for part in secret.windows(32).step_by(16) {
            let plain = part.iter().all(|byte| *byte == 0) || holds(&public, part);
            assert!(plain || !holds(&pieces, part), "a secret is in it");
        }
    }
    world.write(alice, a, "sealed once");
    world.pass(SECOND);
    // An acknowledgement has its yes before it is on the server's disk: one more message is behind it.
    world.write(bob, b, "once more");
    world.pass(SECOND);
    // The disk of before, and another message that would go out under the same key.
    world.kill(alice);
    *world.disk(alice) = copy;
    world.switch_on(alice);
    world.set_offline(alice, true);
    world.write(alice, a, "sealed with the same key");
    world.set_offline(alice, false);
    world.pass(10 * SECOND);
    let heard = world.texts(bob, b);
    assert!(heard.contains(&"alice: sealed once".to_owned()));
    assert!(heard.contains(&"alice: sealed with the same key".to_owned()), "{heard:?}");
}

#[test]
fn a_message_that_its_sender_did_not_sign_is_not_restored() {
    let mut world = World::new(5004);
    let (alice, bob, a, _) = talk(&mut world);
    let pieces = backup(&mut world, alice);
    // Somebody who knows the passphrase puts words into Bob's mouth.
    let forged: Vec<Vec<u8>> = pieces
        .iter()
        .map(|piece| {
            let mut piece = piece.clone();
            for at in 0..piece.len().saturating_sub(10) {
                if piece[at..].starts_with(b"from bob 4") {
                    piece[at..at + 10].copy_from_slice(b"I owe you!");
                }
            }
            piece
        })
        .collect();
    assert_ne!(forged, pieces);
    let hers = words(&mut world, alice);
    world.kill(alice);
    let fresh = world.begin_without_account("fresh");
    let of = Device::Recover { handle: "alice".to_owned(), words: hers };
    assert!(matches!(device(&mut world, fresh, of), Reply::Profile(_)));
    world.pass(10 * SECOND);
    restore(&mut world, fresh, &forged).unwrap();
    let chat = world.chats(fresh)[0].id;
    let texts = world.texts(fresh, chat);
    assert!(texts.contains(&"bob: from bob 3".to_owned()), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("owe")), "{texts:?}");
    let _ = (bob, a);
}

#[test]
fn what_came_from_another_messenger_is_read_only_found_and_imported_once() {
    let mut world = World::new(5005);
    let alice = world.register("alice");
    let chat = ImportedChat { source: "telegram".into(), id: "42".into(), title: "Walks".into() };
    let message = |id: i64, text: &str| Imported {
        id,
        from: "Ana".into(),
        from_id: "user7".into(),
        mine: id % 2 == 0,
        at: Milliseconds(1_500_000_000_000 + u64::try_from(id).unwrap() * 1000),
        text: text.into(),
        forwarded: id == 3,
        edited: id == 2,
        reply: (id == 3).then_some(1),
        files: usize::from(id == 4),
    };
    let all =
        [message(1, "by the **river**"), message(2, "yes"), message(3, "fine"), message(4, "map")];
    let import = |world: &mut World, messages: &[Imported]| {
        let of = Past::Import { chat: chat.clone(), messages: messages.to_vec() };
        match past(world, alice, of) {
            Reply::Past(PastReply::Counted(counted)) => counted.messages,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(import(&mut world, &all[..2]), 2);
    assert_eq!(import(&mut world, &all), 2);
    assert_eq!(import(&mut world, &all), 0);
    let row = world.chats(alice).remove(0);
    assert_eq!((row.title.as_str(), row.writable), ("Walks", Writable::Imported));
    let rows = world.rows(alice, row.id);
    assert_eq!(rows.len(), 4);
    assert!(rows[1].marks.edited && rows[2].marks.forwarded);
    assert_eq!(rows[2].marks.reply.as_ref().unwrap().message, Some(rows[0].id));
    let send = Command::SendText { conversation: row.id, text: "hello".into() };
    assert!(matches!(world.ask(alice, send), Reply::Problem(_)));
    let query = "riv".to_owned();
    let of = Past::Search { query, conversation: None, before: None, limit: 5 };
    let Reply::Past(PastReply::Hits(hits)) = past(&mut world, alice, of) else { panic!() };
    assert_eq!(hits.rows[0].snippet, "by the river");
    // It is in a backup, and comes back as what it is.
    let pieces = backup(&mut world, alice);
    let hers = words(&mut world, alice);
    world.kill(alice);
    let fresh = world.begin_without_account("fresh");
    let of = Device::Recover { handle: "alice".to_owned(), words: hers };
    assert!(matches!(device(&mut world, fresh, of), Reply::Profile(_)));
    world.pass(10 * SECOND);
    restore(&mut world, fresh, &pieces).unwrap();
    let row = world.chats(fresh).remove(0);
    assert_eq!((row.title.as_str(), row.writable), ("Walks", Writable::Imported));
    assert_eq!(world.rows(fresh, row.id).len(), 4);
}
