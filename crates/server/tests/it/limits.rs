// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sizes, budgets, the two connections, and those who connect and never speak.

use nodoor_server::{Budget, Budgets, Config};
use nodoor_wire::{
    code::Code,
    id::AccountId,
    limits::{BATCH, FRAME, REQUEST, SIGNED},
    proto::{self, ConnectionKind, answer::Body as Answer, request::Body as Ask},
};

use crate::person::{Room, World, ask, assert_done, assert_refused, hello, sign};

fn all_login() -> Vec<Ask> {
    vec![
        Ask::Register(Default::default()),
        Ask::Login(Default::default()),
        Ask::Subscribe(Default::default()),
        Ask::Ack(Default::default()),
        Ask::TokenPut(Default::default()),
        Ask::TokenDelete(Default::default()),
        Ask::KeyPackagePut(Default::default()),
        Ask::ListPut(Default::default()),
        Ask::MailboxKeyPut(Default::default()),
        Ask::DisputePut(Default::default()),
        Ask::BodyGet(Default::default()),
    ]
}

fn all_anonymous() -> Vec<Ask> {
    vec![
        Ask::Lookup(Default::default()),
        Ask::KeyPackageTake(Default::default()),
        Ask::RoomFound(Default::default()),
        Ask::Commit(Default::default()),
        Ask::Send(Default::default()),
        Ask::CatchUp(Default::default()),
    ]
}

#[tokio::test]
async fn a_request_on_the_wrong_connection_is_refused_before_anything_else() {
    let world = World::new();
    let alice = world.person("alice").await;
    for body in all_anonymous() {
        assert_refused(&alice.ask(&world, body).await, Code::WrongConnection);
    }
    let connection = world.server.connect([1; 16]);
    hello(&world.server, &connection, ConnectionKind::Anonymous).await;
    for body in all_login() {
        let answer = ask(&world.server, &connection, body).await;
        assert_refused(&answer, Code::WrongConnection);
    }
    // A connection does not become the other one.
    let other = proto::Hello { versions: vec![1], kind: ConnectionKind::Login.into(), token: None };
    let answer = ask(&world.server, &connection, Ask::Hello(other)).await;
    assert_refused(&answer, Code::WrongConnection);
}

#[tokio::test]
async fn a_device_asks_for_its_own_account_where_it_says_who_it_is_and_for_nobody_elses() {
    let world = World::new();
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let of = |of| Ask::Lookup(proto::Lookup { of: Some(of) });
    let lists = |account: AccountId| of(proto::lookup::Of::Account(account.to_bytes()));
    let own = alice.ask(&world, lists(alice.account)).await;
    assert!(matches!(own, Answer::Lookup(_)), "{own:?}");
    for other in [lists(bob.account), of(proto::lookup::Of::Handle("alice".into()))] {
        assert_refused(&alice.ask(&world, other).await, Code::WrongConnection);
    }
    // Key packages of its other devices as well.
    let take = |account: AccountId| {
        Ask::KeyPackageTake(proto::KeyPackageTake {
            account: account.to_bytes(),
            devices: Vec::new(),
        })
    };
    assert_refused(&alice.ask(&world, take(alice.account)).await, Code::NoKeyPackage);
    assert_refused(&alice.ask(&world, take(bob.account)).await, Code::WrongConnection);
    // Its other device is met there as well.
    let put = proto::RendezvousPut { id: vec![1; 16].into(), slot: 0, r#box: vec![2].into() };
    assert_done(alice.ask(&world, Ask::RendezvousPut(put.clone())).await);
    // Who was removed is not let in, and has to see by what list.
    let connection = world.server.connect([1; 16]);
    hello(&world.server, &connection, ConnectionKind::Login).await;
    let removed = ask(&world.server, &connection, lists(alice.account)).await;
    assert!(matches!(removed, Answer::Lookup(_)), "{removed:?}");
    let answer = ask(&world.server, &connection, Ask::RendezvousPut(put)).await;
    assert_refused(&answer, Code::WrongConnection);
}

#[tokio::test]
async fn nothing_comes_before_hello_and_nothing_empty_is_a_request() {
    let world = World::new();
    let connection = world.server.connect([1; 16]);
    for body in all_login().into_iter().chain(all_anonymous()) {
        let answer = ask(&world.server, &connection, body).await;
        assert_refused(&answer, Code::Malformed);
    }
    let empty = proto::Request { id: 5, body: None };
    let answer = world.server.handle(&connection, empty).await;
    assert_eq!(answer.id, 5);
    assert_refused(&answer.body.unwrap(), Code::Malformed);
    let future =
        proto::Hello { versions: vec![99], kind: ConnectionKind::Login.into(), token: None };
    let answer = ask(&world.server, &connection, Ask::Hello(future)).await;
    assert_refused(&answer, Code::Version);
    let kind = proto::Hello { versions: vec![99, 1], kind: 7, token: None };
    assert_refused(&ask(&world.server, &connection, Ask::Hello(kind)).await, Code::Malformed);

    let alice = world.person("alice").await;
    for body in all_login().into_iter().skip(4) {
        if matches!(body, Ask::KeyPackagePut(_) | Ask::BodyGet(_)) {
            continue;
        }
        let answer = alice.ask(&world, body).await;
        assert!(matches!(answer, Answer::Refusal(_)), "{answer:?}");
    }
    for body in all_anonymous() {
        let answer = world.ask(body).await;
        assert_refused(&answer, Code::Malformed);
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let world = World::new();
    let alice = world.person("alice").await;
    let room = Room::found(&world, &[&alice]).await;
    let mut send = room.send("");
    send.frame = vec![1; FRAME].into();
    assert_done(world.ask(Ask::Send(send.clone())).await);
    send.frame = vec![1; FRAME + 1].into();
    assert_refused(&world.ask(Ask::Send(send)).await, Code::TooLarge);

    let next = room.next();
    let commit = room.commit(&next, &alice, &[&alice], &[]);
    let large = proto::Commit { frame: vec![1; REQUEST].into(), ..commit.clone() };
    assert_refused(&world.ask(Ask::Commit(large)).await, Code::TooLarge);
    let odd = proto::Commit { next_roster: vec![1; 1000].into(), ..commit.clone() };
    assert_refused(&world.ask(Ask::Commit(odd)).await, Code::Malformed);
    let welcome =
        proto::WelcomeOut { tokens: vec![vec![1; 32].into(); 5000], body: vec![1].into() };
    let crowd = proto::Commit { welcomes: vec![welcome], ..commit.clone() };
    assert_refused(&world.ask(Ask::Commit(crowd)).await, Code::TooLarge);
    let tree = proto::Commit { tree_blob: vec![1; 32].into(), ..commit };
    let tree = sign(tree, &alice.commit_key);
    assert_refused(&world.ask(Ask::Commit(tree)).await, Code::NotFound);

    let many = vec![vec![1; 32].into(); BATCH + 1];
    let tokens = Ask::TokenPut(proto::TokenPut { seeds: many, ..Default::default() });
    assert_refused(&alice.ask(&world, tokens).await, Code::TooLarge);
    let wanted = vec![proto::Release::default(); BATCH + 1];
    let bodies = Ask::BodyGet(proto::BodyGet { wanted });
    assert_refused(&alice.ask(&world, bodies).await, Code::TooLarge);
    let list = proto::SignedList { body: vec![1; SIGNED + 1].into(), signatures: Vec::new() };
    let list = Ask::ListPut(proto::ListPut { list: Some(list) });
    assert_refused(&alice.ask(&world, list).await, Code::TooLarge);
}

#[tokio::test]
async fn budgets_are_counted_by_address() {
    let anonymous = Budget { burst: 10, per_minute: 60 };
    let budgets = Budgets { anonymous, ..Budgets::default() };
    let world = World::with(Config { budgets, ..Config::default() });
    let lookup =
        || Ask::Lookup(proto::Lookup { of: Some(proto::lookup::Of::Handle("nobody".into())) });
    for _ in 0..10 {
        assert_refused(&world.ask(lookup()).await, Code::NotFound);
    }
    let answer = world.ask(lookup()).await;
    assert_refused(&answer, Code::SlowDown);
    assert!(matches!(answer, Answer::Refusal(refusal) if refusal.retry_after_seconds > 0));
    let other = world.server.connect_anonymous([2; 16]);
    let answer = ask(&world.server, &other, lookup()).await;
    assert_refused(&answer, Code::NotFound);
    // An hour back, and on from there: nobody is locked out for an hour.
    world.clock.set(crate::person::NOW - crate::person::HOUR);
    assert_refused(&world.ask(lookup()).await, Code::SlowDown);
    world.clock.set(crate::person::NOW - crate::person::HOUR + 1000);
    assert_refused(&world.ask(lookup()).await, Code::NotFound);
}

#[tokio::test]
async fn those_who_connect_and_never_speak_cost_little() {
    let world = World::new();
    let silent: Vec<_> = (0..100_000).map(|_| world.server.connect([3; 16])).collect();
    assert_eq!(world.server.statistics().connections, 100_000);
    assert!(size_of_val(&silent[0]) < 300, "{} bytes", size_of_val(&silent[0]));
    drop(silent);
    assert_eq!(world.server.statistics().connections, 0);
}

#[tokio::test]
async fn draining_is_announced_and_requests_are_still_answered() {
    let world = World::new();
    let server = world.server.clone();
    let waiting = tokio::spawn(async move { server.draining().await });
    let alice = world.person("alice").await;
    let room = Room::found(&world, &[&alice]).await;
    world.server.drain();
    waiting.await.unwrap();
    world.server.draining().await;
    assert_done(room.say(&world, "last").await);
}
