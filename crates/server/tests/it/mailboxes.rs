// SPDX-License-Identifier: AGPL-3.0-or-later
//! Mailboxes: order, once, releases, windows, and what a restart leaves.

use nodoor_server::storage::{Mailboxes as _, StorageError};
use nodoor_wire::{
    code::Code,
    id::BodyId,
    limits::{WINDOW_BYTES, WINDOW_ENTRIES},
    proto::{self, body::Body, request::Body as Ask},
};

use crate::person::{
    HOUR, NOW, Person, Read, Room, World, assert_done, assert_refused, release, texts,
};

async fn two(world: &World) -> (Person, Person, Room) {
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(world, &[&alice, &bob]).await;
    (alice, bob, room)
}

async fn receive_all(person: &mut Person, world: &World, count: usize) -> Vec<Read> {
    let mut read = Vec::new();
    while read.len() < count {
        let more = person.receive(world).await;
        assert!(!more.is_empty(), "{} of {count}", read.len());
        read.extend(more);
    }
    assert_eq!(read.len(), count);
    read
}

#[tokio::test]
async fn a_message_reaches_both_mailboxes_with_its_body() {
    let world = World::new();
    let (mut alice, mut bob, room) = two(&world).await;
    let send = room.send("hello");
    for _ in 0..3 {
        assert_done(world.ask(Ask::Send(send.clone())).await);
    }
    for person in [&mut alice, &mut bob] {
        let read = person.receive(&world).await;
        assert_eq!(texts(&read), ["hello"]);
        assert_eq!(read[0].room.0, room.id.0);
        assert!(person.receive(&world).await.is_empty());
    }
}

#[tokio::test]
async fn nobody_fetches_or_releases_what_his_own_entry_does_not_lead_to() {
    let world = World::new();
    let (mut alice, mut bob, room) = two(&world).await;
    let eve = world.person("eve").await;
    for text in ["one", "two"] {
        assert_done(room.say(&world, text).await);
    }
    let mine = receive_all(&mut alice, &world, 2).await;
    let his = receive_all(&mut bob, &world, 2).await;
    // Eve knows a body's id, and has no entry that leads to it.
    assert!(eve.fetch(&world, &mine[0]).await.is_none());
    // Bob asks for the second body under the first entry's sequence, and acknowledges so too.
    let crossed = Read { body_id: his[1].body_id, secret: his[1].secret, ..his[0].clone() };
    assert!(bob.fetch(&world, &crossed).await.is_none());
    let ack = proto::Ack { up_to: 1, releases: vec![release(1, his[1].body_id)] };
    assert_done(bob.ask(&world, Ask::Ack(ack)).await);
    // Eve acknowledges in her own mailbox with Bob's ids.
    let ack = proto::Ack { up_to: 9, releases: vec![release(1, his[1].body_id); 5] };
    assert_done(eve.ask(&world, Ask::Ack(ack)).await);
    assert_done(alice.acknowledge(&world, &mine).await);
    // Alice released her shares alone: Bob's second body is still there, twice acknowledged or not.
    assert_done(alice.acknowledge(&world, &mine).await);
    // The writer does one thing after the other: what is answered after it was done after it.
    Room::found(&world, &[&eve]).await;
    let fetched = bob.fetch(&world, &his[1]).await;
    assert!(matches!(fetched, Some(Body::Frame(frame)) if *frame == *b"two"));
    assert_done(bob.acknowledge(&world, &his[1..]).await);
    Room::found(&world, &[&eve]).await;
    let gone = world.store().bodies(vec![his[1].body_id]).await.unwrap();
    assert_eq!(gone, [None]);
}

#[tokio::test]
async fn sequences_are_not_used_again_after_everything_was_acknowledged_and_the_server_restarted() {
    let mut world = World::new();
    let (mut alice, _, room) = two(&world).await;
    for text in ["one", "two", "three"] {
        assert_done(room.say(&world, text).await);
    }
    let read = receive_all(&mut alice, &world, 3).await;
    assert_done(alice.acknowledge(&world, &read).await);
    world.restart();
    assert_done(room.say(&world, "four").await);
    alice.reconnect(&world).await;
    let read = receive_all(&mut alice, &world, 1).await;
    assert_eq!(read[0].sequence, 4);
}

#[tokio::test]
async fn a_device_that_saw_more_than_the_store_remembers_is_not_given_old_numbers() {
    let world = World::new();
    let (mut alice, _, room) = two(&world).await;
    assert_done(alice.ask(&world, Ask::Subscribe(proto::Subscribe { after: 500 })).await);
    assert_done(room.say(&world, "after the restore").await);
    let read = receive_all(&mut alice, &world, 1).await;
    assert_eq!(read[0].sequence, 501);
    let absurd = proto::Subscribe { after: u64::MAX };
    assert_refused(&alice.ask(&world, Ask::Subscribe(absurd)).await, Code::TooLarge);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_without_its_body() {
    let world = World::new();
    let (mut alice, _, room) = two(&world).await;
    assert_done(room.say(&world, "again").await);
    assert_eq!(receive_all(&mut alice, &world, 1).await.len(), 1);
    alice.reconnect(&world).await;
    let read = receive_all(&mut alice, &world, 1).await;
    assert!(read[0].body.is_none());
    let fetched = alice.fetch(&world, &read[0]).await;
    assert!(matches!(fetched, Some(Body::Frame(frame)) if *frame == *b"again"));
}

#[tokio::test]
async fn a_second_subscription_takes_over() {
    let world = World::new();
    let (mut alice, _, room) = two(&world).await;
    let first = alice.connection.take().unwrap();
    alice.reconnect(&world).await;
    alice.listen(&world).await;
    assert_done(room.say(&world, "hello").await);
    assert_eq!(texts(&receive_all(&mut alice, &world, 1).await), ["hello"]);
    let wait = std::time::Duration::from_millis(100);
    assert!(tokio::time::timeout(wait, world.server.next_delivery(&first)).await.is_err());
    // Closing the old socket does not end the new subscription.
    drop(first);
    assert_done(room.say(&world, "still there").await);
    assert_eq!(texts(&receive_all(&mut alice, &world, 1).await), ["still there"]);
    assert_eq!(world.server.statistics().subscribed, 1);
}

#[tokio::test]
async fn the_window_closes_and_opens_with_acknowledgements() {
    let world = World::new();
    let (mut alice, _, room) = two(&world).await;
    let count = WINDOW_ENTRIES + 50;
    for number in 0..count {
        assert_done(room.say(&world, &number.to_string()).await);
    }
    let read = receive_all(&mut alice, &world, WINDOW_ENTRIES).await;
    assert!(alice.receive(&world).await.is_empty(), "the window is closed");
    assert_done(alice.acknowledge(&world, &read[..10]).await);
    assert_eq!(receive_all(&mut alice, &world, 10).await[0].sequence, WINDOW_ENTRIES as u64 + 1);
    assert_done(alice.acknowledge(&world, &read).await);
    let rest = receive_all(&mut alice, &world, 40).await;
    assert_eq!(rest.last().unwrap().sequence, count as u64);
}

#[tokio::test]
async fn a_slow_device_reads_from_disk_and_misses_nothing() {
    let world = World::new();
    let (mut alice, _, room) = two(&world).await;
    let large = "x".repeat(60 * 1024);
    // More than the queue holds, more than the window takes.
    for _ in 0..40 {
        assert_done(room.say(&world, &large).await);
    }
    let mut sequences = Vec::new();
    while sequences.len() < 40 {
        let read = alice.receive(&world).await;
        let bytes = read.iter().filter(|read| read.body.is_some()).count() * large.len();
        assert!(!read.is_empty() && bytes <= WINDOW_BYTES + large.len());
        for read in &read {
            let body = match read.body.clone() {
                Some(body) => Some(body),
                None => alice.fetch(&world, read).await,
            };
            assert!(matches!(body, Some(Body::Frame(frame)) if frame.len() == large.len()));
        }
        sequences.extend(read.iter().map(|read| read.sequence));
        assert_done(alice.acknowledge(&world, &read).await);
    }
    assert_eq!(sequences, (1..=40).collect::<Vec<_>>());
    assert_done(room.say(&world, "and on").await);
    assert_eq!(texts(&receive_all(&mut alice, &world, 1).await), ["and on"]);
}

#[tokio::test]
async fn a_clock_an_hour_off_changes_keys_and_loses_nothing() {
    let world = World::new();
    let (mut alice, _, room) = two(&world).await;
    for now_ms in [NOW, NOW + HOUR, NOW - HOUR, NOW, NOW + 40 * 24 * HOUR, 0, NOW] {
        world.clock.set(now_ms);
        assert_done(room.say(&world, "tick").await);
    }
    let read = receive_all(&mut alice, &world, 7).await;
    let sequences: Vec<u64> = read.iter().map(|read| read.sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(texts(&read), ["tick"; 7]);
}

#[tokio::test]
async fn mail_waits_thirty_days_and_no_longer() {
    let world = World::new();
    let (mut alice, bob, room) = two(&world).await;
    assert_done(room.say(&world, "hello?").await);
    world.clock.set(NOW + 30 * 24 * HOUR);
    world.server.sweep().await.unwrap();
    let read = receive_all(&mut alice, &world, 1).await;
    assert!(alice.fetch(&world, &read[0]).await.is_some());
    world.clock.set(NOW + 31 * 24 * HOUR);
    assert!(world.server.sweep().await.unwrap() > 0);
    assert!(alice.fetch(&world, &read[0]).await.is_none());
    // The room had nothing but epoch 0 and went too.
    let again = room.founding(&[&alice, &bob]);
    assert_done(world.ask(Ask::RoomFound(again)).await);
    assert_done(room.say(&world, "still alive").await);
    alice.reconnect(&world).await;
    assert_eq!(receive_all(&mut alice, &world, 1).await[0].sequence, 2);
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_promised() {
    let world = World::new();
    let (mut alice, _, room) = two(&world).await;
    assert_done(room.say(&world, "before").await);
    world.store().set_full(true);
    let send = room.send("during");
    let answer = world.ask(Ask::Send(send.clone())).await;
    assert_refused(&answer, Code::StorageFull);
    let proto::answer::Body::Refusal(refusal) = answer else { panic!() };
    assert!(refusal.retry_after_seconds > 0);
    world.store().set_full(false);
    assert_done(world.ask(Ask::Send(send)).await);
    assert_eq!(texts(&receive_all(&mut alice, &world, 2).await), ["before", "during"]);
    assert_ne!(StorageError::Full.to_string(), "");
}

#[tokio::test]
async fn a_body_id_alone_is_worth_nothing() {
    let world = World::new();
    let (alice, _, _) = two(&world).await;
    let wanted = vec![release(1, BodyId([1; 16])), release(u64::MAX, BodyId([1; 16]))];
    let answer = alice.ask(&world, Ask::BodyGet(proto::BodyGet { wanted })).await;
    let proto::answer::Body::BodyGet(answer) = answer else { panic!("{answer:?}") };
    assert!(answer.bodies.iter().all(|body| body.sealed.is_empty()));
}
