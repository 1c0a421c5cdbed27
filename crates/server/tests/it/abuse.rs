// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who asks for too much: disks, processors and other people's mailboxes stay what they were.

use std::sync::Arc;

use nodoor_server::{
    Budget, Budgets, Clock, Config, Quota, Server, SweepError,
    storage::{Op, Storage as _, memory::Memory},
};
use nodoor_transparency::{
    key::{Signer, SigningKey},
    list::{Device, DeviceList},
    statement::{Dispute, MailboxKey},
};
use nodoor_wire::{
    code::Code,
    id::{DeploymentId, RoomId, Token},
    limits::{BATCH, FRAME, TOKENS},
    proto::{self, answer::Body as Answer, request::Body as Ask},
    roster::Roster,
};

use crate::person::{
    HOUR, NOW, Person, Room, TestClock, World, ask, assert_done, assert_refused, code, random,
    texts,
};

const DAY: u64 = 24 * HOUR;

fn anonymous_budget(burst: u32) -> World {
    let anonymous = Budget { burst, per_minute: 1 };
    let budgets = Budgets { anonymous, ..Budgets::default() };
    World::with(Config { budgets, ..Config::default() })
}

/// How many of so many requests get a yes before the first that is told to slow down.
async fn accepted(world: &World, most: usize, mut make: impl FnMut() -> Ask) -> usize {
    for number in 0..most {
        let answer = world.ask(make()).await;
        if code(&answer) == Some(Code::SlowDown) {
            return number;
        }
        assert_done(answer);
    }
    most
}

#[tokio::test]
async fn nobody_fills_a_disk_for_the_price_of_small_messages() {
    let world = anonymous_budget(3000);
    let alice = world.person("alice").await;
    let room = Room::found(&world, &[&alice]).await;
    let large = || {
        let send = proto::Send { frame: vec![1; FRAME].into(), ..room.send("") };
        Ask::Send(send)
    };
    let count = accepted(&world, 200, large).await;
    assert!((20..100).contains(&count), "{} MiB at once", count * FRAME / 1024 / 1024);

    let world = anonymous_budget(3000);
    let roster = vec![1; 4 + 4096 * 64 + 16];
    let found = || {
        let room = Room { id: RoomId(random()), epoch: 0, key: random() };
        let (room, key_check) = (room.id.to_bytes(), room.check());
        Ask::RoomFound(proto::RoomFound { room, key_check, roster: roster.clone().into() })
    };
    let count = accepted(&world, 100, found).await;
    assert!((10..50).contains(&count), "{count} large rooms at once");
}

#[tokio::test]
async fn a_commit_pays_for_its_welcomes() {
    let world = anonymous_budget(1000);
    let alice = world.person("alice").await;
    let mut room = Room::found(&world, &[&alice]).await;
    let make = || {
        let next = room.next();
        let mut commit = room.commit(&next, &alice, &[&alice], &[&alice]);
        commit.welcomes[0].body = vec![1; 3 * 1024 * 1024].into();
        room = next;
        Ask::Commit(crate::person::sign(commit, &alice.commit_key))
    };
    assert_eq!(accepted(&world, 3, make).await, 1);
}

#[tokio::test]
async fn a_sending_pays_for_the_mailboxes_it_reaches() {
    let world = anonymous_budget(100);
    let room = Room { id: RoomId(random()), epoch: 0, key: random() };
    let many = || (0..1000).map(|_| random()).collect();
    let roster = Roster::new(many(), many()).unwrap().seal(&room.key, &room.id, 0);
    let found = proto::RoomFound {
        roster: roster.into(),
        room: room.id.to_bytes(),
        key_check: room.check(),
    };
    assert_done(world.ask(Ask::RoomFound(found)).await);
    let count = accepted(&world, 20, || Ask::Send(room.send("to all"))).await;
    assert!((1..5).contains(&count), "{count} sendings to a thousand");
}

#[tokio::test]
async fn a_sending_repeated_fills_no_mailbox() {
    for quota in
        [Quota { entries: 5, bytes: u64::MAX }, Quota { entries: u64::MAX, bytes: 5 * 1150 }]
    {
        let world = World::with(Config { quota, ..Config::unlimited() });
        let mut bob = world.person("bob").await;
        // Mallory needs nothing but a token of Bob's, from a key package.
        let mallorys = Room::found(&world, &[&bob]).await;
        let once = mallorys.send(&"x".repeat(1000));
        for _ in 0..50 {
            assert_done(world.ask(Ask::Send(once.clone())).await);
        }
        let room = Room::found(&world, &[&bob]).await;
        assert_done(room.say(&world, "honest").await);
        let got = bob.receive(&world).await;
        assert_eq!(got.len(), 2, "{quota:?}");
        assert_done(bob.acknowledge(&world, &got).await);
        for _ in 0..50 {
            assert_done(world.ask(Ask::Send(once.clone())).await);
        }
        assert_done(room.say(&world, "still").await);
        assert_eq!(texts(&bob.receive(&world).await), ["still"], "{quota:?}");
    }
}

#[tokio::test]
async fn a_stranger_with_a_key_package_leaves_room_for_those_whom_one_knows() {
    let kib = "x".repeat(1000);
    for quota in [Quota { entries: 40, bytes: u64::MAX }, Quota { entries: 1000, bytes: 40 * 1150 }]
    {
        let config = Config { quota, ..Config::unlimited() };
        let mut world = World::with(config.clone());
        let mut bob = world.person("bob").await;
        // Mallory took as many key packages as she got; Bob sleeps.
        let mut mallorys = Vec::new();
        for _ in 0..20 {
            mallorys.push(of_key_package(&world, &bob).await);
        }
        let room = Room::found(&world, &[&bob]).await;
        assert_done(room.say(&world, "before").await);
        for round in 0..5 {
            for number in 0..50 {
                assert_done(mallorys[number % 20].say(&world, &kib).await);
            }
            // What waited when the process ended may be all Mallory's.
            world.restart_with(config.clone());
            assert_done(room.say(&world, &format!("round {round}")).await);
        }
        bob.reconnect(&world).await;
        let got = bob.receive(&world).await;
        let mut honest = 0;
        for read in &got {
            let Some(proto::body::Body::Frame(frame)) = bob.fetch(&world, read).await else {
                panic!("a frame")
            };
            honest += usize::from(frame.len() < 100);
        }
        assert_eq!(honest, 6, "{quota:?}");
        assert!((6 + 8..=6 + 22).contains(&got.len()), "{} {quota:?}", got.len());
        // Once he read it there is room for strangers again.
        assert_done(bob.acknowledge(&world, &got).await);
        assert_done(mallorys[0].say(&world, "hello, stranger").await);
        assert_eq!(texts(&bob.receive(&world).await), ["hello, stranger"], "{quota:?}");
    }
}

#[tokio::test]
async fn a_stranger_with_a_key_package_leaves_room_for_other_strangers() {
    // A token may have five bodies of 1,000 bytes.
    for quota in [
        Quota { entries: 64 * 5, bytes: u64::MAX },
        Quota { entries: u64::MAX, bytes: 64 * 5 * 1150 },
    ] {
        let world = World::with(Config { quota, ..Config::unlimited() });
        let mut bob = world.person("bob").await;
        let mallorys = of_key_package(&world, &bob).await;
        let carols = of_key_package(&world, &bob).await;
        for _ in 0..200 {
            assert_done(mallorys.say(&world, &"x".repeat(1000)).await);
        }
        // What a Welcome is, and the larger one of a large group.
        assert_done(carols.say(&world, &"hello".repeat(2000)).await);
        let got = bob.receive(&world).await;
        assert_eq!(got.len(), 6, "{quota:?}");
        assert_done(bob.acknowledge(&world, &got).await);
        assert_done(mallorys.say(&world, "now").await);
        assert_eq!(texts(&bob.receive(&world).await), ["now"], "{quota:?}");
    }
}

#[tokio::test]
async fn who_holds_many_key_packages_keeps_no_strangers_first_word_away() {
    for quota in [
        Quota { entries: 64 * 5, bytes: u64::MAX },
        Quota { entries: u64::MAX, bytes: 64 * 5 * 1150 },
    ] {
        let world = World::with(Config { quota, ..Config::unlimited() });
        let mut bob = world.person("bob").await;
        let carols = of_key_package(&world, &bob).await;
        // Sixteen of their shares are all that strangers have.
        for _ in 0..20 {
            let mallorys = of_key_package(&world, &bob).await;
            for _ in 0..10 {
                assert_done(mallorys.say(&world, &"x".repeat(1000)).await);
            }
        }
        assert_done(carols.say(&world, "hello").await);
        assert_done(carols.say(&world, "and more").await);
        let got = bob.receive(&world).await;
        let last = got.last().unwrap();
        let Some(proto::body::Body::Frame(frame)) = bob.fetch(&world, last).await else {
            panic!("a frame")
        };
        assert!(frame.len() < 100, "the newest is Carol's: {quota:?}");
        assert!((80..=100).contains(&got.len()), "a quarter and a little: {} {quota:?}", got.len());
    }
}

/// A room of whoever took a key package of somebody: its token is the one in there.
async fn of_key_package(world: &World, person: &Person) -> Room {
    let seed: [u8; 32] = random();
    let seeds = vec![seed.to_vec().into()];
    let put = proto::TokenPut { seeds, of_key_packages: true };
    assert_done(person.ask(world, Ask::TokenPut(put)).await);
    let room = Room { id: RoomId(random()), epoch: 0, key: random() };
    let roster = Roster::new(vec![Token::of_seed(&seed).0], vec![random()]).unwrap();
    let found = proto::RoomFound {
        roster: roster.seal(&room.key, &room.id, 0).into(),
        room: room.id.to_bytes(),
        key_check: room.check(),
    };
    assert_done(world.ask(Ask::RoomFound(found)).await);
    room
}

#[tokio::test]
async fn a_mailbox_that_has_too_much_is_as_one_that_nobody_holds() {
    for quota in [
        Quota { entries: 5, bytes: u64::MAX },
        // Five bodies of 1,000 bytes with their seals.
        Quota { entries: u64::MAX, bytes: 5 * 1150 },
    ] {
        let world = World::with(Config { quota, ..Config::unlimited() });
        let (mut alice, mut bob) = (world.person("alice").await, world.person("bob").await);
        let room = Room::found(&world, &[&alice, &bob]).await;
        let text = "x".repeat(1000);
        let mut read = 0;
        for _ in 0..20 {
            // The sender is told nothing else.
            assert_done(room.say(&world, &text).await);
            let got = bob.receive(&world).await;
            read += got.len();
            assert_done(bob.acknowledge(&world, &got).await);
        }
        assert_eq!(read, 20, "who reads has room");
        let got = alice.receive(&world).await;
        assert_eq!(got.len(), 5, "{quota:?}");
        assert!(alice.receive(&world).await.is_empty());
        assert_done(alice.acknowledge(&world, &got).await);
        assert_done(room.say(&world, "again").await);
        assert_eq!(texts(&alice.receive(&world).await), ["again"]);
    }
}

#[tokio::test]
async fn a_full_store_lets_everybody_make_room() {
    let world = World::new();
    let (mut alice, bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(&world, &[&alice, &bob]).await;
    assert_done(room.say(&world, "before").await);
    let read = alice.receive(&world).await;
    world.store().set_full(true);
    // A new hour: its key is among what is not stored.
    world.clock.set(NOW + HOUR);
    assert_refused(&room.say(&world, "during").await, Code::StorageFull);
    assert_done(alice.acknowledge(&world, &read).await);
    let seeds = vec![bob.seed.to_vec().into()];
    assert_done(bob.ask(&world, Ask::TokenDelete(proto::TokenDelete { seeds })).await);
    let nobody = bob.list.successor(Vec::new()).sign(&[Signer::Device(&bob.device_key)]);
    assert_done(put_list(&world, nobody).await);
    assert_refused(&room.say(&world, "still").await, Code::StorageFull);
    world.store().set_full(false);
    assert_done(room.say(&world, "after").await);
    assert_eq!(texts(&alice.receive(&world).await), ["after"]);
    alice.reconnect(&world).await;
    assert_eq!(alice.receive(&world).await.len(), 1, "what waits is what was not acknowledged");
}

#[tokio::test]
async fn a_device_has_so_many_tokens_and_pays_for_each() {
    let world = World::with(Config::unlimited());
    let alice = world.person("alice").await;
    let put = |count: usize| {
        let seeds = (0..count).map(|_| random::<32>().to_vec().into()).collect();
        Ask::TokenPut(proto::TokenPut { seeds, ..Default::default() })
    };
    // One is there.
    for _ in 0..TOKENS / BATCH - 1 {
        assert_done(alice.ask(&world, put(BATCH)).await);
    }
    assert_refused(&alice.ask(&world, put(BATCH)).await, Code::TooLarge);
    assert_done(alice.ask(&world, put(BATCH - 1)).await);
    assert_refused(&alice.ask(&world, put(1)).await, Code::TooLarge);
    let seeds = vec![alice.seed.to_vec().into()];
    assert_done(alice.ask(&world, Ask::TokenDelete(proto::TokenDelete { seeds })).await);
    assert_done(alice.ask(&world, put(1)).await);

    let world = World::new();
    let alice = world.person("alice").await;
    assert_done(alice.ask(&world, put(BATCH)).await);
    assert_done(alice.ask(&world, put(BATCH)).await);
    assert_refused(&alice.ask(&world, put(BATCH)).await, Code::SlowDown);
}

async fn put_list(world: &World, list: proto::SignedList) -> Answer {
    let (connection, _) = world.login_connection().await;
    let put = proto::ListPut { list: Some(list) };
    ask(&world.server, &connection, Ask::ListPut(put)).await
}

/// A device of somebody, with its keys.
fn device() -> (Device, SigningKey) {
    let key = SigningKey::from_seed(random());
    (Device::new(key.public(), random(), random()), key)
}

/// Puts lists that change nothing, signed by a thief who holds the device, until no more are taken.
async fn fill(world: &World, alice: &Person) -> (DeviceList, usize) {
    let mut newest = alice.list.clone();
    for number in 1..1000 {
        let next = newest.successor(newest.devices().to_vec());
        let answer = put_list(world, next.sign(&[Signer::Device(&alice.device_key)])).await;
        if code(&answer) == Some(Code::TooLarge) {
            return (newest, number);
        }
        assert_done(answer);
        newest = next;
    }
    panic!("a chain without end");
}

#[tokio::test]
async fn a_thief_who_fills_the_chain_locks_nobody_out() {
    let world = World::with(Config::unlimited());
    let alice = world.person("alice").await;
    let (newest, versions) = fill(&world, &alice).await;
    assert!((100..=257).contains(&versions), "{versions}");
    let (phone, phone_key) = device();
    let thief = Signer::Device(&alice.device_key);
    let more = newest.successor(vec![newest.devices()[0].clone(), phone.clone()]);
    let by_thief = more.sign(&[thief, Signer::Device(&phone_key)]);
    assert_refused(&put_list(&world, by_thief).await, Code::TooLarge);
    // The owner has the words: the stolen device goes, a new one comes.
    let recovered = newest.successor(vec![phone.clone()]);
    let signers = [Signer::Recovery(&alice.recovery), Signer::Device(&phone_key)];
    assert_done(put_list(&world, recovered.sign(&signers)).await);
    // And a device is removed by another, however long the chain is.
    let nobody = recovered.successor(Vec::new());
    assert_done(put_list(&world, nobody.sign(&[Signer::Device(&phone_key)])).await);
    // The words have an end of their own.
    let mut newest = nobody;
    let mut count = 0;
    loop {
        let next = newest.successor(Vec::new());
        let answer = put_list(&world, next.sign(&[Signer::Recovery(&alice.recovery)])).await;
        if code(&answer) == Some(Code::TooLarge) {
            break;
        }
        assert_done(answer);
        (newest, count) = (next, count + 1);
        assert!(count < 100);
    }
    assert!(count > 20, "{count}");
}

#[tokio::test]
async fn what_was_verified_when_it_was_stored_is_not_verified_at_every_request() {
    let world = World::with(Config::unlimited());
    let alice = world.person("alice").await;
    // A list of which the store knows that it was verified: whoever verifies it again finds that it is not signed.
    let list = alice.list.successor(alice.list.devices().to_vec());
    let operation = Op::PutList {
        account: alice.account,
        version: 2,
        list: list.sign(&[]),
        added: Vec::new(),
        removed: Vec::new(),
    };
    world.store().commit(vec![operation]).await.unwrap();
    let statement = MailboxKey::sign(&alice.mailbox.public(), NOW + 1, &alice.device_key);
    let put = proto::MailboxKeyPut { mailbox_key: Some(statement) };
    assert_done(alice.ask(&world, Ask::MailboxKeyPut(put)).await);
    let next = list.successor(alice.list.devices().to_vec());
    assert_refused(&put_list(&world, next.sign(&[])).await, Code::BadSignature);
    assert_done(put_list(&world, next.sign(&[Signer::Device(&alice.device_key)])).await);
}

#[tokio::test]
async fn a_long_account_is_paid_for_by_whoever_reads_it() {
    let login = Budget { burst: 10_000, per_minute: 1 };
    let anonymous = Budget { burst: 20, per_minute: 1 };
    let budgets = Budgets { login, anonymous, ..Budgets::default() };
    let world = World::with(Config { budgets, ..Config::default() });
    let alice = world.person("alice").await;
    let of = proto::lookup::Of::Account(alice.account.to_bytes());
    let look = || Ask::Lookup(proto::Lookup { of: Some(of.clone()) });
    assert_eq!(accepted(&world, 10, look).await, 10);
    fill(&world, &alice).await;
    assert!(accepted(&world, 10, look).await < 8);
}

#[tokio::test]
async fn disputes_have_an_end_and_one_is_enough() {
    let world = World::with(Config::unlimited());
    let alice = world.person("alice").await;
    let owner = Signer::Device(&alice.device_key);
    let mut newest = alice.list.clone();
    let dispute = async |list: &DeviceList, key: &SigningKey| {
        let (connection, _) = world.login_connection().await;
        let put = proto::DisputePut { dispute: Some(Dispute::sign(list, key)) };
        ask(&world.server, &connection, Ask::DisputePut(put)).await
    };
    // Twenty devices come and go before the first of them disputes.
    let mut gone = Vec::new();
    for _ in 0..20 {
        let (other, key) = device();
        let both = newest.successor(vec![newest.devices()[0].clone(), other]);
        assert_done(put_list(&world, both.sign(&[owner, Signer::Device(&key)])).await);
        newest = both.successor(alice.list.devices().to_vec());
        assert_done(put_list(&world, newest.sign(&[owner])).await);
        gone.push((newest.clone(), key));
    }
    for (list, key) in &gone[..16] {
        assert_done(dispute(list, key).await);
    }
    assert_refused(&dispute(&gone[16].0, &gone[16].1).await, Code::TooLarge);
    assert_done(dispute(&gone[0].0, &gone[0].1).await);
    // The words settle them, and the next ones have room.
    let (phone, phone_key) = device();
    let settled = newest.successor(vec![phone.clone()]);
    let signers = [Signer::Recovery(&alice.recovery), Signer::Device(&phone_key)];
    assert_done(put_list(&world, settled.sign(&signers)).await);
    let (other, key) = device();
    let both = settled.successor(vec![phone.clone(), other]);
    let signers = [Signer::Device(&phone_key), Signer::Device(&key)];
    assert_done(put_list(&world, both.sign(&signers)).await);
    let removed = both.successor(vec![phone]);
    assert_done(put_list(&world, removed.sign(&[Signer::Device(&phone_key)])).await);
    assert_done(dispute(&removed, &key).await);
}

#[tokio::test]
async fn a_login_ends_with_its_key() {
    let world = World::new();
    let mut alice = world.person("alice").await;
    let seeds = vec![random::<32>().to_vec().into()];
    let put = Ask::TokenPut(proto::TokenPut { seeds, ..Default::default() });
    assert_done(alice.ask(&world, put.clone()).await);
    // Whoever copied the login key is logged in already, and Alice replaces it.
    let before = alice.list.devices()[0].clone();
    alice.login_key = SigningKey::from_seed(random());
    let after = Device::new(before.device_key, before.mls_key, alice.login_key.public());
    let next = alice.list.successor(vec![after]);
    let signed = next.sign(&[Signer::Device(&alice.device_key)]);
    assert_done(put_list(&world, signed).await);
    assert_refused(&alice.ask(&world, put.clone()).await, Code::Unauthorised);
    let subscribe = Ask::Subscribe(proto::Subscribe { after: 0 });
    assert_refused(&alice.ask(&world, subscribe).await, Code::Unauthorised);
    alice.login(&world).await;
    assert_done(alice.ask(&world, put).await);
}

/// Begins a request and goes no further with it: a connection that writes to somebody who does not read.
fn begin<F: Future>(request: &mut std::pin::Pin<Box<F>>) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(request.as_mut().poll(&mut context).is_pending());
}

#[tokio::test]
async fn a_login_ends_also_if_the_one_who_ended_it_is_gone() {
    let world = World::new();
    let mut alice = world.person("alice").await;
    let stolen = alice.connection.take().unwrap();
    let nobody = alice.list.successor(Vec::new()).sign(&[Signer::Device(&alice.device_key)]);
    let mut put = Box::pin(put_list(&world, nobody));
    begin(&mut put);
    drop(put);
    // The writer does one thing after the other: what is answered after it was done after it.
    let bob = world.person("bob").await;
    Room::found(&world, &[&bob]).await;
    let subscribe = Ask::Subscribe(proto::Subscribe { after: 0 });
    assert_refused(&ask(&world.server, &stolen, subscribe).await, Code::Unauthorised);
    let next = world.server.next_delivery(&stolen);
    assert!(tokio::time::timeout(std::time::Duration::ZERO, next).await.is_err());
}

/// A clock at which the writer waits until it is told to go on.
struct Gate(std::sync::Mutex<bool>, std::sync::Condvar);

impl Clock for Gate {
    fn now_ms(&self) -> u64 {
        if std::thread::current().name() == Some("writer") {
            drop(self.1.wait_while(self.0.lock().unwrap(), |open| !*open).unwrap());
        }
        NOW
    }
}

#[tokio::test]
async fn nobody_waits_for_the_connection_of_another() {
    let gate = Arc::new(Gate(true.into(), std::sync::Condvar::new()));
    let clock = Arc::clone(&gate) as Arc<dyn Clock>;
    let rng = Box::new(rand_core::UnwrapErr(getrandom::SysRng));
    let store = Memory::new(DeploymentId([9; 16]));
    let server = Server::open(store, Config::unlimited(), clock, rng).unwrap();
    let world = World::of(server, Arc::new(TestClock::at(NOW)));
    let bob = world.person("bob").await;
    let room = Room::found(&world, &[&bob]).await;
    *gate.0.lock().unwrap() = false;
    // The first is a group of its own, at which the writer waits; those after it are one group.
    let (mut first, mut mallorys) =
        (Box::pin(room.say(&world, "1")), Box::pin(room.say(&world, "2")));
    let mut bobs = Box::pin(room.say(&world, "3"));
    begin(&mut first);
    begin(&mut mallorys);
    begin(&mut bobs);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    let answered = tokio::time::timeout(std::time::Duration::from_secs(10), bobs).await;
    assert_done(answered.expect("mallory's connection holds up bob's"));
    assert_done(mallorys.await);
    assert_done(first.await);
}

#[tokio::test]
async fn a_clock_that_jumps_a_month_deletes_nothing_before_the_operator_looked_at_it() {
    let mut world = World::new();
    let (mut alice, bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(&world, &[&alice, &bob]).await;
    assert_done(room.say(&world, "still there").await);
    world.server.sweep().await.unwrap();
    world.clock.set(NOW + 31 * DAY);
    for _ in 0..3 {
        let error = world.server.sweep().await.unwrap_err();
        assert!(matches!(error, SweepError::Clock { days: 31 }), "{error}");
    }
    // Nor does a restart, and a day's delay is none.
    world.restart();
    assert!(world.server.sweep().await.is_err());
    world.clock.set(NOW + 2 * DAY);
    world.server.sweep().await.unwrap();
    alice.reconnect(&world).await;
    let read = alice.receive(&world).await;
    assert!(alice.fetch(&world, &read[0]).await.is_some());
    // The operator's word holds once.
    let config = Config { clock_is_right: true, ..Config::default() };
    world.restart_with(config);
    world.clock.set(NOW + 40 * DAY);
    assert!(world.server.sweep().await.unwrap() > 0);
    world.server.sweep().await.unwrap();
    world.clock.set(NOW + 80 * DAY);
    assert!(world.server.sweep().await.is_err());
}

#[tokio::test]
async fn a_room_that_nobody_uses_does_not_stay_for_ever() {
    let world = World::new();
    let alice = world.person("alice").await;
    let (idle, used) = (Room::found(&world, &[&alice]).await, Room::found(&world, &[&alice]).await);
    let moved = Room::found(&world, &[&alice]).await.move_on(&world, &alice, &[&alice]).await;
    for day in 0..30 {
        world.clock.set(NOW + day * DAY);
        world.server.sweep().await.unwrap();
        if day % 5 == 0 {
            assert_done(used.say(&world, "used").await);
        }
    }
    assert_refused(&idle.say(&world, "too late").await, Code::Forbidden);
    assert_done(used.say(&world, "in time").await);
    assert_done(moved.say(&world, "in time").await);
    // The same founding makes the same room again.
    assert_done(world.ask(Ask::RoomFound(idle.founding(&[&alice]))).await);
    assert_done(idle.say(&world, "anew").await);
}
