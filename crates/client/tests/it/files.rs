// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files between two people: there and back, broken off, refused, and gone when nobody names them.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    file::{Command as File, Event as FileEvent, File as Shown, Reply as FileReply, State},
    message::Command as Message,
    model::{Content, ConversationId, MessageRow, ProblemKind, SendState},
};

use crate::hand::two;

fn ask(world: &mut World, person: usize, of: File) -> Reply {
    let reply = world.ask(person, Command::File { of });
    world.pass(Duration::from_secs(2));
    reply
}

fn send(
    world: &mut World,
    person: usize,
    to: ConversationId,
    path: &str,
    caption: &str,
) -> MessageRow {
    let (path, caption) = (path.to_owned(), caption.to_owned());
    let (name, waveform) = (String::new(), Vec::new());
    let send = File::Send { conversation: to, path, name, caption, milliseconds: 0, waveform };
    match ask(world, person, send) {
        Reply::Sent(row) => row,
        other => panic!("{other:?}"),
    }
}

fn files(world: &mut World, person: usize, of: ConversationId) -> Vec<(MessageRow, Shown)> {
    let rows = world.rows(person, of).into_iter();
    rows.filter_map(|row| match row.content.clone() {
        Content::File(file) => Some((row, *file)),
        _ => None,
    })
    .collect()
}

fn some(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 241) as u8).collect()
}

fn put(world: &mut World, person: usize, place: &str, bytes: &[u8]) {
    world.device(person).files.places.insert(place.to_owned(), bytes.to_vec());
}

fn problem(reply: &Reply) -> Option<ProblemKind> {
    match reply {
        Reply::Problem(problem) => Some(problem.kind),
        _ => None,
    }
}

#[test]
fn a_file_comes_as_it_was_sent_and_its_row_says_how_far_it_is() {
    let mut world = World::new(7001);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let bytes = some(300_000);
    put(&mut world, alice, "/home/alice/notes.bin", &bytes);
    let row = send(&mut world, alice, a, "/home/alice/notes.bin", "Look at this");
    assert_eq!(row.state, Some(SendState::Waiting));
    let Content::File(preparing) = &row.content else { panic!() };
    assert_eq!((preparing.state, preparing.name.as_str()), (State::Preparing, "notes.bin"));

    let (row, shown) = files(&mut world, alice, a).remove(0);
    assert_eq!((shown.state, shown.size), (State::Here, 300_000));
    assert!(matches!(row.state, Some(SendState::Sent | SendState::Delivered)));
    let (theirs, shown) = files(&mut world, bob, b).remove(0);
    assert_eq!((shown.state, shown.size), (State::Away, 300_000));
    assert_eq!((shown.caption.as_str(), shown.name.as_str()), ("Look at this", "notes.bin"));
    assert_eq!(theirs.reference, row.reference, "one id on both sides");

    let save = File::Save { message: theirs.id, path: "/home/bob/notes.bin".to_owned() };
    assert_eq!(ask(&mut world, bob, save.clone()), Reply::Done);
    assert!(world.person(bob).files.places["/home/bob/notes.bin"] == bytes);
    let saved = Event::File { what: FileEvent::Saved { message: theirs.id } };
    assert!(world.person(bob).events.contains(&saved));
    assert_eq!(files(&mut world, bob, b).remove(0).1.state, State::Here);

    // What stands there is not overwritten.
    ask(&mut world, bob, save);
    let failed = world.person(bob).events.iter().any(|event| {
        matches!(event, Event::File { what: FileEvent::Failed { problem, .. } } if problem.kind == ProblemKind::Disk)
    });
    assert!(failed);
    let used = ask(&mut world, bob, File::Used { conversation: b });
    assert!(matches!(used, Reply::File(FileReply::Used { files: 1, bytes }) if bytes > 300_000));
}

#[test]
fn a_text_does_not_wait_for_a_file_and_the_file_keeps_its_place() {
    let mut world = World::new(7002);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    put(&mut world, alice, "big", &some(500_000));
    world.moves_at_once = Some(100_000);
    send(&mut world, alice, a, "big", "");
    world.write(alice, a, "written later");
    world.run();
    assert!(files(&mut world, bob, b).is_empty(), "not before its bytes are there");
    assert!(world.texts(bob, b).contains(&"alice: written later".to_owned()));
    assert_eq!(files(&mut world, alice, a).remove(0).1.state, State::Uploading);

    // Killed, and the server too: it goes on, with the bytes that are there.
    world.kill(alice);
    world.restart_server();
    world.switch_on(alice);
    world.pass(Duration::from_secs(120));
    assert_eq!(files(&mut world, bob, b).len(), 1);
    let rows = world.rows(alice, a);
    let place = |what: &dyn Fn(&Content) -> bool| rows.iter().position(|row| what(&row.content));
    let file = place(&|content| matches!(content, Content::File(_)));
    let text = place(&|content| *content == Content::Text("written later".to_owned()));
    assert!(file < text);

    // The same on the way down.
    let theirs = files(&mut world, bob, b).remove(0).0.id;
    ask(&mut world, bob, File::Save { message: theirs, path: "there".to_owned() });
    assert_eq!(files(&mut world, bob, b).remove(0).1.state, State::Fetching);
    world.kill(bob);
    world.switch_on(bob);
    world.pass(Duration::from_secs(120));
    assert!(world.person(bob).files.places["there"] == some(500_000));
}

#[test]
fn a_server_without_room_says_so_and_the_message_stays() {
    let mut world = World::new(7003);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    put(&mut world, alice, "file", &some(10_000));
    world.blobs.set_room(5_000);
    let row = send(&mut world, alice, a, "file", "");
    let shown = files(&mut world, alice, a).remove(0).0;
    let Some(SendState::NotSent { reason }) = shown.state else { panic!("{:?}", shown.state) };
    assert_eq!(reason.kind, ProblemKind::FilesFull);
    world.blobs.set_room(50_000);
    assert_eq!(world.ask(alice, Command::Retry { message: row.id }), Reply::Done);
    world.pass(Duration::from_secs(5));
    assert_eq!(files(&mut world, bob, b).len(), 1);
}

#[test]
fn nothing_of_a_stranger_is_fetched() {
    let mut world = World::new(7004);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let chat = world.chat(alice, "bob");
    put(&mut world, alice, "file", &some(10_000));
    send(&mut world, alice, chat.id, "file", "");
    let request = world.requests(bob).remove(0).conversation;
    let theirs = files(&mut world, bob, request).remove(0).0.id;
    let fetched = ask(&mut world, bob, File::Fetch { message: theirs });
    assert_eq!(problem(&fetched), Some(ProblemKind::Request));
    assert!(world.person(bob).files.sealed.is_empty());
    world.accept(bob);
    assert_eq!(ask(&mut world, bob, File::Fetch { message: theirs }), Reply::Done);
    assert_eq!(world.person(bob).files.sealed.len(), 1);
}

#[test]
fn the_bytes_go_with_the_last_message_that_names_them() {
    let mut world = World::new(7005);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    put(&mut world, alice, "file", &some(10_000));
    let row = send(&mut world, alice, a, "file", "");
    let forward = Message::Forward { message: row.id, to: a };
    let Reply::Sent(second) = world.ask(alice, Command::Message { of: forward }) else { panic!() };
    world.pass(Duration::from_secs(5));
    let theirs = files(&mut world, bob, b);
    assert_eq!(theirs.len(), 2);
    for (row, _) in &theirs {
        ask(&mut world, bob, File::Fetch { message: row.id });
    }
    assert_eq!(world.person(bob).files.sealed.len(), 1, "the same bytes");
    for (message, left) in [(row.id, 1), (second.id, 0)] {
        let delete = Message::DeleteForEveryone { message };
        assert_eq!(world.ask(alice, Command::Message { of: delete }), Reply::Done);
        world.pass(Duration::from_secs(5));
        assert_eq!(world.person(alice).files.sealed.len(), left);
        assert_eq!(world.person(bob).files.sealed.len(), left);
    }

    // Killed between the row and its file: the next start looks.
    world.device(bob).files.sealed.insert([1; 32], vec![1]);
    world.kill(bob);
    world.switch_on(bob);
    assert!(world.person(bob).files.sealed.is_empty());
}

#[test]
fn what_is_cancelled_is_not_sent_and_what_is_over_at_the_server_is_said_to_be() {
    let mut world = World::new(7006);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    put(&mut world, alice, "file", &some(200_000));
    world.moves_at_once = Some(1_000);
    let row = send(&mut world, alice, a, "file", "");
    assert_eq!(ask(&mut world, alice, File::Cancel { message: row.id }), Reply::Done);
    world.moves_at_once = None;
    world.pass(Duration::from_secs(120));
    assert!(files(&mut world, alice, a).is_empty() && files(&mut world, bob, b).is_empty());
    assert!(world.person(alice).files.sealed.is_empty());

    send(&mut world, alice, a, "file", "");
    let theirs = files(&mut world, bob, b).remove(0).0.id;
    assert_eq!(world.sweep_files(31), 2, "the blob, and the upload that was left");
    ask(&mut world, bob, File::Fetch { message: theirs });
    let gone = world.person(bob).events.iter().any(|event| {
        matches!(event, Event::File { what: FileEvent::Failed { problem, .. } } if problem.kind == ProblemKind::NotFound)
    });
    assert!(gone);
}

#[test]
fn a_picture_loses_its_notes_and_one_that_is_none_is_shown_as_a_plain_file() {
    let mut world = World::new(7007);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let chunk = |name: &[u8; 4], holds: &[u8]| {
        let length = u32::try_from(holds.len()).unwrap().to_be_bytes();
        [length.as_slice(), name, holds, &[0; 4]].concat()
    };
    let header = chunk(b"IHDR", &[0, 0, 2, 0, 0, 0, 1, 0, 8, 2, 0, 0, 0]);
    let (notes, end) = (chunk(b"tEXt", b"GPS of Alice"), chunk(b"IEND", b""));
    let picture = [b"\x89PNG\r\n\x1a\n".as_slice(), &header, &notes, &end].concat();
    put(&mut world, alice, "a.png", &picture);
    send(&mut world, alice, a, "a.png", "");
    let (row, shown) = files(&mut world, bob, b).remove(0);
    assert_eq!((shown.content_type.as_str(), shown.width, shown.height), ("image/png", 512, 256));
    ask(&mut world, bob, File::Save { message: row.id, path: "came.png".to_owned() });
    let came = &world.person(bob).files.places["came.png"];
    assert_eq!(came.len(), picture.len() - notes.len());
    put(&mut world, alice, "b.png", b"#!/bin/sh\n\x07");
    send(&mut world, alice, a, "b.png", "");
    let (_, shown) = files(&mut world, bob, b).remove(1);
    assert_eq!(shown.content_type, "application/octet-stream");
}

#[test]
fn a_file_needs_a_token_where_the_server_asks_for_tokens() {
    let mut world = World::with_tokens_needed(7008);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(Duration::from_secs(5));
    let a = world.chat(alice, "bob").id;
    world.write(alice, a, "Hello");
    world.pass(Duration::from_secs(10));
    let b = world.accept(bob).id;
    put(&mut world, alice, "file", &some(10_000));
    send(&mut world, alice, a, "file", "");
    world.pass(Duration::from_secs(10));
    let theirs = files(&mut world, bob, b).remove(0).0.id;
    ask(&mut world, bob, File::Save { message: theirs, path: "x".to_owned() });
    assert!(world.person(bob).files.places["x"] == some(10_000));
}
