// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is said about messages: replies, edits, deletions, reactions, pins, timers, read marks; and who may say it.

use std::time::Duration;

use nodoor_e2ee::content::{self, Content as Said, MimiContent};
use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    message::{Command as Message, Deleting},
    model::{Content, ConversationId, From, MessageRow, ProblemKind, SendState, SystemLine},
};
use nodoor_wire::{
    id::MessageId as Reference,
    proto::{answer::Body as Answer, request::Body as Ask},
};

use crate::{
    hand::{HOUR, MINUTE, two},
    olga::three,
};

fn of(world: &mut World, person: usize, of: Message) -> Reply {
    let reply = world.ask(person, Command::Message { of });
    world.pass(Duration::from_secs(2));
    reply
}

fn last(world: &mut World, person: usize, id: ConversationId) -> MessageRow {
    world.rows(person, id).into_iter().rfind(|row| row.from != From::System).unwrap()
}

fn said(world: &mut World, person: usize, id: ConversationId, text: &str) -> MessageRow {
    world.write(person, id, text);
    world.pass(Duration::from_secs(2));
    last(world, person, id)
}

fn problem(reply: &Reply) -> Option<ProblemKind> {
    match reply {
        Reply::Problem(problem) => Some(problem.kind),
        _ => None,
    }
}

fn lines(world: &mut World, person: usize, id: ConversationId) -> Vec<SystemLine> {
    let rows = world.rows(person, id).into_iter();
    rows.filter_map(|row| match row.content {
        Content::System(line) => Some(line),
        _ => None,
    })
    .collect()
}

#[test]
fn a_reply_shows_what_it_answers_on_both_sides() {
    let mut world = World::new(3001);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    said(&mut world, alice, a, "Ten or eleven?");
    let question = last(&mut world, bob, b);
    let reply = of(&mut world, bob, Message::Reply { to: question.id, text: "Ten.".into() });
    assert!(matches!(reply, Reply::Sent(_)));
    for (person, id) in [(alice, a), (bob, b)] {
        let row = last(&mut world, person, id);
        assert_eq!(row.content, Content::Text("Ten.".into()));
        let quote = row.marks.reply.unwrap();
        assert_eq!(quote.content, Some(Content::Text("Ten or eleven?".into())));
        assert_eq!(quote.from == Some(From::Me), person == alice);
    }
}

#[test]
fn an_edit_is_the_same_for_everybody_and_only_its_writers() {
    let (mut world, [alice, bob, carol], [a, b, c]) = three(3002);
    let first = said(&mut world, alice, a, "See you at tne");
    let edit = Message::Edit { message: first.id, text: "See you at **ten**".into() };
    assert_eq!(of(&mut world, alice, edit), Reply::Done);
    for (person, id) in [(alice, a), (bob, b), (carol, c)] {
        let row = last(&mut world, person, id);
        assert!(row.marks.edited);
        assert!(
            matches!(row.content, Content::Markdown { text, .. } if text == "See you at **ten**")
        );
        assert_eq!(row.reference, first.reference);
    }
    assert_eq!(last(&mut world, alice, a).state, Some(SendState::Delivered));
    // Bob's own client does not let him.
    let theirs = last(&mut world, bob, b).id;
    let edit = Message::Edit { message: theirs, text: "no".into() };
    assert_eq!(problem(&of(&mut world, bob, edit)), Some(ProblemKind::NotAllowed));
    // And nobody listens when Mallory's does.
    let now = world.now();
    let mut mallory = world.turn(carol);
    let room = mallory.rooms()[0];
    let at = Reference::from_hex(&first.reference).unwrap();
    for (salt, said) in [
        MimiContent { replaces: Some(at), ..Said::Text("Never mind".into()).into() },
        MimiContent { replaces: Some(at), ..Said::Nothing { reaction: false }.into() },
        MimiContent { replaces: Some(at), ..Said::Unknown.into() },
    ]
    .into_iter()
    .enumerate()
    {
        let salt = [u8::try_from(salt).unwrap(); 16];
        let send = mallory.seal_at(&room, content::encode(&said, salt), now);
        assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
    }
    world.pass(MINUTE);
    for (person, id) in [(alice, a), (bob, b)] {
        let row = last(&mut world, person, id);
        assert!(
            matches!(row.content, Content::Markdown { text, .. } if text == "See you at **ten**")
        );
    }
}

#[test]
fn an_edit_counts_for_two_days() {
    let mut world = World::new(3003);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let first = said(&mut world, alice, a, "I owe you 10");
    world.pass(49 * HOUR);
    let edit = Message::Edit { message: first.id, text: "I owe you 1".into() };
    assert_eq!(problem(&of(&mut world, alice, edit)), Some(ProblemKind::NotAllowed));
    // Her client says it all the same.
    let mut mallory = world.turn(alice);
    let room = mallory.rooms()[0];
    let at = Some(Reference::from_hex(&first.reference).unwrap());
    let now = world.now();
    let late = MimiContent { replaces: at, ..Said::Text("I owe you 1".into()).into() };
    let send = mallory.seal_at(&room, content::encode(&late, [1; 16]), now);
    assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
    world.pass(MINUTE);
    assert_eq!(last(&mut world, bob, b).content, Content::Text("I owe you 10".into()));
}

#[test]
fn what_is_changed_before_it_went_out_is_one_message() {
    let mut world = World::new(3004);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    world.set_offline(alice, true);
    let Reply::Sent(first) =
        world.ask(alice, Command::SendText { conversation: a, text: "tne".into() })
    else {
        panic!()
    };
    let Reply::Sent(second) =
        world.ask(alice, Command::SendText { conversation: a, text: "and this".into() })
    else {
        panic!()
    };
    of(&mut world, alice, Message::Edit { message: first.id, text: "ten".into() });
    of(&mut world, alice, Message::DeleteForEveryone { message: second.id });
    world.set_offline(alice, false);
    world.pass(2 * MINUTE);
    let rows = world.rows(bob, b);
    let row = rows.last().unwrap();
    assert_eq!((&row.content, row.marks.edited), (&Content::Text("ten".into()), false));
    assert!(rows.iter().all(|row| row.content != Content::Text("and this".into())));
    assert_eq!(last(&mut world, alice, a).content, Content::Deleted);
}

#[test]
fn a_deletion_takes_the_text_off_every_disk_and_says_who_has_not() {
    let (mut world, [alice, bob, carol], [a, b, c]) = three(3005);
    let secret = "the spare key is under the pot";
    let first = said(&mut world, alice, a, secret);
    let edit = Message::Edit { message: first.id, text: format!("{secret}!") };
    of(&mut world, alice, edit);
    world.kill(carol);
    let delete = Message::DeleteForEveryone { message: first.id };
    assert_eq!(of(&mut world, alice, delete), Reply::Done);
    world.pass(MINUTE);
    for (person, id) in [(alice, a), (bob, b)] {
        assert_eq!(last(&mut world, person, id).content, Content::Deleted);
        assert!(!holds(&mut world, person, secret), "{person} still holds it");
    }
    let deleting = |world: &mut World| last(world, alice, a).marks.deleting;
    assert_eq!(deleting(&mut world), Some(Deleting { pending: false, lacking: 0 }));
    world.pass(25 * HOUR);
    assert_eq!(deleting(&mut world), Some(Deleting { pending: false, lacking: 1 }));
    world.switch_on(carol);
    world.pass(MINUTE);
    assert_eq!(last(&mut world, carol, c).content, Content::Deleted);
    assert_eq!(deleting(&mut world), Some(Deleting { pending: false, lacking: 0 }));
}

/// Whether a text stands anywhere on somebody's disk, once nothing can be undone any more.
fn holds(world: &mut World, person: usize, text: &str) -> bool {
    use nodoor_client::store::Store as _;
    world.kill(person);
    let rows = world.disk(person).scan(&[0], &[0xFF], false, usize::MAX).unwrap();
    world.switch_on(person);
    world.pass(MINUTE);
    rows.iter().any(|(_, value)| value.windows(text.len()).any(|part| part == text.as_bytes()))
}

#[test]
fn of_a_persons_reactions_the_newest_counts() {
    let (mut world, [alice, bob, carol], [a, b, c]) = three(3006);
    said(&mut world, alice, a, "I got the job");
    for (person, id, emoji) in [(bob, b, "👍"), (carol, c, "🎉"), (bob, b, "🎉")] {
        let message = last(&mut world, person, id).id;
        assert_eq!(
            of(&mut world, person, Message::React { message, emoji: emoji.into() }),
            Reply::Done
        );
    }
    for (person, id) in [(alice, a), (bob, b), (carol, c)] {
        let reactions = last(&mut world, person, id).marks.reactions;
        assert_eq!(reactions.len(), 1, "{person}");
        assert_eq!((reactions[0].emoji.as_str(), reactions[0].count()), ("🎉", 2));
        assert_eq!(reactions[0].mine, person != alice);
    }
    let message = last(&mut world, bob, b).id;
    of(&mut world, bob, Message::React { message, emoji: String::new() });
    assert_eq!(last(&mut world, alice, a).marks.reactions[0].count(), 1);
    for no in ["yes", "a\u{301}\u{302}\u{303}", "👍👍", "x"] {
        let reply = of(&mut world, bob, Message::React { message, emoji: no.into() });
        assert_eq!(problem(&reply), Some(ProblemKind::Size), "{no}");
    }
}

#[test]
fn a_reaction_before_its_message_waits_for_it() {
    let mut world = World::new(3007);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let now = world.now();
    let mut mallory = world.turn(bob);
    let room = mallory.rooms()[0];
    let text = content::encode(&Said::Text("late".into()).into(), [7; 16]);
    let from = mallory.account;
    let at = content::message_id(&from, &room, &text);
    let thumb = MimiContent { in_reply_to: Some(at), ..Said::Reaction("👍".into()).into() };
    let edit = MimiContent { replaces: Some(at), ..Said::Text("too late".into()).into() };
    for (n, content) in [content::encode(&thumb, [8; 16]), content::encode(&edit, [9; 16]), text]
        .into_iter()
        .enumerate()
    {
        let send = mallory.seal_at(&room, content, now);
        assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)), "{n}");
        world.pass(MINUTE);
    }
    let row = last(&mut world, alice, a);
    assert_eq!(row.content, Content::Text("too late".into()));
    assert_eq!(row.marks.reactions.len(), 1);
    let _ = b;
}

#[test]
fn a_pin_and_a_timer_are_everybodys_and_say_whose() {
    let mut world = World::new(3008);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    said(&mut world, alice, a, "Garden gate: 10 o'clock");
    let message = last(&mut world, bob, b).id;
    of(&mut world, bob, Message::Pin { message, on: true });
    for (person, id) in [(alice, a), (bob, b)] {
        let Reply::Messages(page) = of(&mut world, person, Message::Pinned { conversation: id })
        else {
            panic!()
        };
        assert_eq!(page.rows.len(), 1);
        assert!(page.rows[0].marks.pinned);
    }
    assert!(matches!(lines(&mut world, alice, a).last(), Some(SystemLine::Pinned { by: Some(_) })));
    of(&mut world, alice, Message::Timer { conversation: a, seconds: 3600 });
    let timer = lines(&mut world, bob, b).pop();
    assert!(matches!(timer, Some(SystemLine::Timer { by: Some(_), seconds: 3600 })), "{timer:?}");
    let kept = said(&mut world, bob, b, "gone in an hour");
    assert!(kept.marks.disappears.is_some_and(|it| it.at.is_some()));
    let theirs = last(&mut world, alice, a);
    assert!(theirs.marks.disappears.is_some_and(|it| it.at.is_none()));
    world.pass(2 * HOUR);
    assert_eq!(last(&mut world, alice, a).id, theirs.id, "unread: it waits");
    assert_ne!(last(&mut world, bob, b).id, kept.id);
    world.ask(alice, Command::MarkRead { conversation: a, up_to: theirs.id });
    world.pass(2 * HOUR);
    assert_ne!(last(&mut world, alice, a).id, theirs.id);
    assert!(!holds(&mut world, alice, "gone in an hour"));
    assert!(!holds(&mut world, bob, "gone in an hour"));
    // What was said before stays.
    assert_eq!(last(&mut world, alice, a).content, Content::Text("Garden gate: 10 o'clock".into()));
}

#[test]
fn what_is_shown_once_is_gone_afterwards_on_both_disks() {
    let mut world = World::new(3009);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let once = Message::SendOnce { conversation: a, text: "for your eyes".into() };
    assert!(matches!(of(&mut world, alice, once), Reply::Sent(_)));
    assert!(!holds(&mut world, alice, "for your eyes"));
    let row = last(&mut world, bob, b);
    assert_eq!(row.content, Content::Once { opened: false });
    let Reply::Message(shown) = of(&mut world, bob, Message::Open { message: row.id }) else {
        panic!()
    };
    assert_eq!(shown.row.content, Content::Text("for your eyes".into()));
    assert_eq!(last(&mut world, bob, b).content, Content::Once { opened: true });
    assert!(!holds(&mut world, bob, "for your eyes"));
    let again = of(&mut world, bob, Message::Open { message: row.id });
    assert_eq!(problem(&again), Some(ProblemKind::NotFound));
}

#[test]
fn read_marks_are_given_and_seen_by_those_who_want_them() {
    for (alices, bobs, state) in [
        (true, true, SendState::Read),
        (true, false, SendState::Delivered),
        (false, true, SendState::Delivered),
    ] {
        let mut world = World::new(3010);
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        let [a, b] = two(&mut world, alice, bob);
        for (person, read_marks) in [(alice, alices), (bob, bobs)] {
            let Reply::Settings(settings) = world.ask(person, Command::Settings) else { panic!() };
            let settings = nodoor_view::model::Settings { read_marks, ..settings };
            world.ask(person, Command::SetSettings { settings });
        }
        said(&mut world, alice, a, "Read this");
        assert_eq!(last(&mut world, alice, a).state, Some(SendState::Delivered));
        let up_to = last(&mut world, bob, b).id;
        world.ask(bob, Command::MarkRead { conversation: b, up_to });
        world.pass(MINUTE);
        assert_eq!(last(&mut world, alice, a).state, Some(state), "{alices} {bobs}");
    }
}

#[test]
fn nobody_learns_what_a_stranger_who_was_not_accepted_read() {
    let mut world = World::new(3011);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "Hi");
    world.run();
    let request = world.requests(bob)[0].conversation;
    let up_to = world.rows(bob, request)[0].id;
    world.ask(bob, Command::MarkRead { conversation: request, up_to });
    world.pass(MINUTE);
    let a = world.chats(alice)[0].id;
    assert_eq!(last(&mut world, alice, a).state, Some(SendState::Sent));
}

#[test]
fn a_mention_is_told_apart_and_goes_by_the_name_one_knows() {
    let (mut world, [alice, bob, carol], [a, b, c]) = three(3012);
    said(&mut world, alice, a, "@bob can you bring the **ladder**? not @nobody");
    for (person, id, named) in [(bob, b, true), (carol, c, false)] {
        let row = last(&mut world, person, id);
        assert_eq!(row.marks.mentions_me, named);
        assert_eq!(world.chats(person).iter().find(|row| row.id == id).unwrap().mentioned, named);
        let Content::Markdown { text, mentions } = row.content else { panic!() };
        assert!(text.contains("[@bob](nodoor:account:") && text.contains("not @nobody"));
        assert_eq!(mentions.len(), 1);
        assert_eq!(mentions[0].person.is_none(), named);
    }
    let up_to = last(&mut world, bob, b).id;
    world.ask(bob, Command::MarkRead { conversation: b, up_to });
    assert!(world.chats(bob).iter().all(|row| !row.mentioned));
}

#[test]
fn a_forwarded_message_says_so_and_not_whose_it_was() {
    let (mut world, [alice, bob, carol], [a, b, _]) = three(3013);
    said(&mut world, alice, a, "The code is in the _shed_");
    let message = last(&mut world, bob, b).id;
    let to = world.chat(bob, "carol").id;
    assert!(matches!(of(&mut world, bob, Message::Forward { message, to }), Reply::Sent(_)));
    let row = last(&mut world, bob, to);
    assert!(row.marks.forwarded);
    assert!(
        matches!(row.content, Content::Markdown { text, .. } if text == "The code is in the _shed_")
    );
    let _ = carol;
}
