// SPDX-License-Identifier: AGPL-3.0-or-later
//! Calls of devices that are not connected: who is called, when, how often, and for what not.

use std::{future::poll_fn, pin::pin, task::Poll};

use nodoor_server::{Call, Called, Config, storage::Mailboxes as _};
use nodoor_wire::{
    code::Code,
    proto::{self, answer::Body as Answer, request::Body as Ask},
};

use crate::person::{NOW, Person, Room, World, ask, assert_done, assert_refused, hello};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const KEY: [u8; 65] = [4; 65];

fn push(endpoint: &str) -> proto::PushPut {
    proto::PushPut {
        endpoint: endpoint.to_owned(),
        key: KEY.to_vec().into(),
        auth: vec![5; 16].into(),
    }
}

fn world() -> World {
    let world = World::new();
    world.server.call_as(KEY.to_vec().into());
    world
}

/// Alice, who is called and away; Bob, who is there; their room.
async fn two(world: &World) -> (Person, Person, Room) {
    let (mut alice, bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(world, &[&alice, &bob]).await;
    assert_done(alice.ask(world, Ask::PushPut(push("https://push.example/alice"))).await);
    alice.connection = None;
    (alice, bob, room)
}

/// The call that is due now, if there is one.
async fn due(world: &World) -> Option<Call> {
    world.server.tick();
    let mut next = pin!(world.server.next_call());
    poll_fn(|context| {
        Poll::Ready(match next.as_mut().poll(context) {
            Poll::Ready(call) => Some(call),
            Poll::Pending => None,
        })
    })
    .await
}

async fn due_at(world: &World, after_ms: u64) -> Option<Call> {
    world.clock.set(NOW + after_ms);
    due(world).await
}

#[tokio::test]
async fn whoever_is_away_is_called_once_for_all_that_comes_together() {
    for messages in [1, 2, 10, 100] {
        let world = world();
        let (_alice, _bob, room) = two(&world).await;
        for number in 0..messages {
            assert_done(room.say(&world, &format!("{number} {}", "x".repeat(number))).await);
        }
        assert!(due_at(&world, SECOND).await.is_none(), "a device that is reconnecting needs none");
        let call = due_at(&world, 5 * SECOND).await.unwrap();
        // Nothing of it depends on what came.
        assert_eq!(call.subscription, push("https://push.example/alice"));
        world.server.called(&call, Called::Taken).await;
        assert!(due_at(&world, 4 * MINUTE).await.is_none());
    }
}

#[tokio::test]
async fn whoever_is_there_or_comes_back_in_time_is_not_called() {
    let world = world();
    let (mut alice, bob, room) = two(&world).await;
    assert_done(bob.ask(&world, Ask::PushPut(push("https://push.example/bob"))).await);
    assert_done(room.say(&world, "hello").await);
    alice.reconnect(&world).await;
    assert!(due_at(&world, MINUTE).await.is_none());
    // Gone again, with nothing new since.
    alice.connection = None;
    assert!(due_at(&world, 2 * MINUTE).await.is_none());
    assert_done(room.say(&world, "and again").await);
    assert!(due_at(&world, 2 * MINUTE + 5 * SECOND).await.is_some());
}

#[tokio::test]
async fn whoever_hung_up_without_taking_what_came_is_called() {
    let world = world();
    let (mut alice, _bob, room) = two(&world).await;
    // A telephone that went to sleep: its connection stands, and nobody reads from it.
    alice.reconnect(&world).await;
    assert_done(room.say(&world, "hello").await);
    assert!(due_at(&world, MINUTE).await.is_none());
    alice.connection = None;
    assert!(due_at(&world, 2 * MINUTE).await.is_none(), "it may be reconnecting");
    assert!(due_at(&world, 2 * MINUTE + 5 * SECOND).await.is_some());

    // Who took it is not called when it leaves.
    alice.reconnect(&world).await;
    let read = alice.receive(&world).await;
    assert_done(room.say(&world, "and this").await);
    let more = alice.receive(&world).await;
    assert_done(alice.acknowledge(&world, &[read, more].concat()).await);
    alice.connection = None;
    assert!(due_at(&world, 30 * MINUTE).await.is_none());
    assert!(due_at(&world, 31 * MINUTE).await.is_none());
}

#[tokio::test]
async fn the_next_call_is_five_minutes_later_or_after_a_visit() {
    let world = world();
    let (mut alice, _bob, room) = two(&world).await;
    assert_done(room.say(&world, "one").await);
    let call = due_at(&world, 5 * SECOND).await.unwrap();
    world.server.called(&call, Called::Taken).await;
    assert_done(room.say(&world, "two").await);
    assert!(due_at(&world, 5 * MINUTE).await.is_none());
    assert!(due_at(&world, 5 * MINUTE + 5 * SECOND).await.is_some());

    alice.reconnect(&world).await;
    let read = alice.receive(&world).await;
    assert_done(alice.acknowledge(&world, &read).await);
    alice.connection = None;
    assert_done(room.say(&world, "three").await);
    assert!(due_at(&world, 5 * MINUTE + 11 * SECOND).await.is_some(), "it was there in between");
}

#[tokio::test]
async fn receipts_commits_and_strangers_call_nobody() {
    let world = world();
    let (alice, bob, room) = two(&world).await;
    let quiet = proto::Send { quiet: true, ..room.send("a receipt") };
    assert_done(world.ask(Ask::Send(quiet)).await);
    let next = room.move_on(&world, &bob, &[&alice, &bob]).await;
    assert!(due_at(&world, MINUTE).await.is_none());
    assert_done(next.say(&world, "a message").await);
    assert!(due_at(&world, 2 * MINUTE).await.is_some());

    // A token of a key package is anybody's: requests never ring.
    let mut carol = Person::new("carol");
    let (connection, _) = world.login_connection().await;
    let registered = Ask::Register(carol.register("carol"));
    assert_done(ask(&world.server, &connection, registered).await);
    carol.login(&world).await;
    let seeds = vec![carol.seed.to_vec().into()];
    let put = proto::TokenPut { seeds: seeds.clone(), of_key_packages: true };
    assert_done(carol.ask(&world, Ask::TokenPut(put)).await);
    assert_done(carol.ask(&world, Ask::PushPut(push("https://push.example/carol"))).await);
    let connection = carol.connection.take();
    let theirs = Room::found(&world, &[&bob, &carol]).await;
    assert_done(theirs.say(&world, "buy this").await);
    assert!(due_at(&world, 3 * MINUTE).await.is_none());
    // Accepted, it is a token like others.
    carol.connection = connection;
    let put = proto::TokenPut { seeds, of_key_packages: false };
    assert_done(carol.ask(&world, Ask::TokenPut(put)).await);
    carol.connection = None;
    assert_done(theirs.say(&world, "thank you").await);
    assert!(due_at(&world, 4 * MINUTE).await.is_some());
}

#[tokio::test]
async fn a_device_says_where_it_is_called_itself_and_of_no_other() {
    let world = world();
    let (alice, bob, room) = two(&world).await;
    // Bob names the same, then ends it, which is his to do; Alice's stands.
    assert_done(bob.ask(&world, Ask::PushPut(push("https://push.example/alice"))).await);
    assert_done(bob.ask(&world, Ask::PushPut(proto::PushPut::default())).await);
    let kept = world.store().push(alice.device).await.unwrap();
    assert!(kept.is_some() && world.store().push(bob.device).await.unwrap().is_none());
    assert_done(room.say(&world, "hello").await);
    assert!(due_at(&world, 5 * SECOND).await.is_some());

    let anywhere = Ask::PushPut(push("https://push.example/mallory"));
    assert_refused(&world.ask(anywhere.clone()).await, Code::WrongConnection);
    let (nobody, _) = world.login_connection().await;
    assert_refused(&ask(&world.server, &nobody, anywhere).await, Code::Unauthorised);
}

#[tokio::test]
async fn what_is_no_push_resource_is_refused() {
    let world = world();
    let bob = world.person("bob").await;
    for endpoint in [
        "http://push.example/a",
        "http://127.0.0.1:9/a",
        "ftp://push.example",
        "push.example/a",
        "https://push.example/a b",
        "https://push.example/\r\nHost: other.example",
        "https://push.example/ä",
    ] {
        let put = push(endpoint);
        assert_refused(&bob.ask(&world, Ask::PushPut(put)).await, Code::Malformed);
    }
    let long = push(&format!("https://push.example/{}", "a".repeat(1024)));
    assert_refused(&bob.ask(&world, Ask::PushPut(long)).await, Code::TooLarge);
    let fine = push("https://push.example/a");
    for (key, auth) in [(65, 0), (0, 16), (64, 16), (65, 15), (66, 16)] {
        let (key, auth) = (vec![4; key].into(), vec![5; auth].into());
        let put = proto::PushPut { key, auth, ..fine.clone() };
        assert_refused(&bob.ask(&world, Ask::PushPut(put)).await, Code::Malformed);
    }
    let compressed = proto::PushPut { key: vec![2; 65].into(), ..fine };
    assert_refused(&bob.ask(&world, Ask::PushPut(compressed)).await, Code::Malformed);
    assert!(world.store().push(bob.device).await.unwrap().is_none());

    // Where an operator tests, this machine may be called.
    let world = World::with(Config { push_to_loopback: true, ..Config::default() });
    world.server.call_as(KEY.to_vec().into());
    let bob = world.person("bob").await;
    assert_done(bob.ask(&world, Ask::PushPut(push("http://127.0.0.1:9/a"))).await);
}

#[tokio::test]
async fn what_is_over_is_forgotten_and_what_replaced_it_is_not() {
    let world = world();
    let (mut alice, _bob, room) = two(&world).await;
    assert_done(room.say(&world, "hello").await);
    let call = due_at(&world, 5 * SECOND).await.unwrap();
    // While the call was under way the browser renewed what it had.
    alice.login(&world).await;
    assert_done(alice.ask(&world, Ask::PushPut(push("https://push.example/new"))).await);
    alice.connection = None;
    world.server.called(&call, Called::Gone).await;
    assert_done(room.say(&world, "again").await);
    let call = due_at(&world, MINUTE).await.unwrap();
    assert_eq!(call.subscription.endpoint, "https://push.example/new");
    world.server.called(&call, Called::Gone).await;
    assert!(world.store().push(alice.device).await.unwrap().is_none());
    assert_done(room.say(&world, "and again").await);
    assert!(due_at(&world, 30 * MINUTE).await.is_none());
}

#[tokio::test]
async fn a_call_that_failed_is_made_again_some_times_and_later_each_time() {
    let world = world();
    let (_alice, _bob, room) = two(&world).await;
    assert_done(room.say(&world, "hello").await);
    let mut now = 5 * SECOND;
    for minutes in [1, 2, 4, 8, 16] {
        let call = due_at(&world, now).await.unwrap();
        world.server.called(&call, Called::Later(0)).await;
        assert!(due_at(&world, now + minutes * MINUTE - 1).await.is_none());
        now += minutes * MINUTE;
    }
    let call = due_at(&world, now).await.unwrap();
    world.server.called(&call, Called::Later(0)).await;
    assert!(due_at(&world, now + 600 * MINUTE).await.is_none(), "not for ever");
    assert_done(room.say(&world, "again").await);
    let call = due_at(&world, now + 601 * MINUTE).await.unwrap();
    // A push service says when it wants to hear of it again, within reason.
    now += 601 * MINUTE;
    world.server.called(&call, Called::Later(u64::MAX)).await;
    assert!(due_at(&world, now + 60 * MINUTE - 1).await.is_none());
    assert!(due_at(&world, now + 60 * MINUTE).await.is_some());
}

#[tokio::test]
async fn a_server_that_calls_nobody_says_so() {
    let world = World::new();
    let mut alice = world.person("alice").await;
    let put = Ask::PushPut(push("https://push.example/a"));
    assert_refused(&alice.ask(&world, put.clone()).await, Code::Forbidden);
    assert_eq!(push_key(&world, &alice).await, Vec::<u8>::new());
    world.server.call_as(KEY.to_vec().into());
    assert_eq!(push_key(&world, &alice).await, KEY);
    alice.login(&world).await;
    assert_done(alice.ask(&world, put).await);
}

async fn push_key(world: &World, person: &Person) -> Vec<u8> {
    let connection = world.server.connect([1; 16]);
    let challenge = hello(&world.server, &connection, proto::ConnectionKind::Login).await;
    let login = person.sign_login(world, challenge.as_ref().try_into().unwrap());
    match ask(&world.server, &connection, Ask::Login(login)).await {
        Answer::Login(answer) => answer.push_key.to_vec(),
        other => panic!("{other:?}"),
    }
}
