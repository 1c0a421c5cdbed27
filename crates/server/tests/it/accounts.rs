// SPDX-License-Identifier: AGPL-3.0-or-later
//! Accounts: registering, logging in, lists, disputes.

use nodoor_server::{Config, Registration};
use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey},
    list::Device,
    statement::{Dispute, MailboxKey},
};
use nodoor_wire::{
    code::Code,
    proto::{self, answer::Body as Answer, lookup::Of, request::Body as Ask},
    sealed::MAILBOX_KEY,
};

use crate::person::{NOW, Person, Room, World, ask, assert_done, assert_refused, random, texts};

async fn signed(world: &World, body: Ask) -> Answer {
    let (connection, _) = world.login_connection().await;
    ask(&world.server, &connection, body).await
}

fn put(list: proto::SignedList) -> Ask {
    Ask::ListPut(proto::ListPut { list: Some(list) })
}

/// A second device of a person's account, and its keys.
fn device_of(person: &Person) -> (Device, Person) {
    let mut other = Person::new("second");
    other.account = person.account;
    let device = Device::new(other.device_key.public(), random(), other.login_key.public());
    (device, other)
}

async fn look_up(world: &World, of: Of) -> Answer {
    world.ask(Ask::Lookup(proto::Lookup { of: Some(of) })).await
}

#[tokio::test]
async fn a_registration_stands_once_and_whole() {
    let world = World::new();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut bad_list = alice.register("alice");
    bad_list.list.as_mut().unwrap().signatures.pop();
    let mut bad_claim = alice.register("alice");
    bad_claim.handle_claim = bob.register("alice").handle_claim;
    let mut bad_mailbox = alice.register("alice");
    bad_mailbox.mailbox_key = bob.register("alice").mailbox_key;
    let mut unsealable = alice.register("alice");
    let key = MailboxKey::sign(&[0xff; MAILBOX_KEY], NOW, &alice.device_key);
    unsealable.mailbox_key = Some(key);
    for register in [bad_list, bad_claim, bad_mailbox, unsealable] {
        let answer = signed(&world, Ask::Register(register)).await;
        assert_refused(&answer, Code::BadSignature);
    }
    assert_refused(&look_up(&world, Of::Handle("alice".into())).await, Code::NotFound);

    for _ in 0..2 {
        assert_done(signed(&world, Ask::Register(alice.register("alice"))).await);
    }
    let taken = signed(&world, Ask::Register(bob.register("alice"))).await;
    assert_refused(&taken, Code::HandleTaken);
    let second = signed(&world, Ask::Register(alice.register("alice2"))).await;
    assert_refused(&second, Code::ListConflict);
    let Answer::Lookup(found) = look_up(&world, Of::Handle("@Alice".into())).await else {
        panic!()
    };
    assert_eq!(found.account, alice.account.to_bytes());
    assert!(Chain::verify(&alice.account, &found.lists).is_ok());
}

#[tokio::test]
async fn the_door_is_the_operators() {
    let open = |registration| World::with(Config { registration, ..Config::default() });
    let register = Person::new("alice").register("alice");
    let closed = open(Registration::Closed);
    let answer = signed(&closed, Ask::Register(register.clone())).await;
    assert_refused(&answer, Code::RegistrationClosed);
    let ticket = open(Registration::Ticket("please".into()));
    let answer = signed(&ticket, Ask::Register(register.clone())).await;
    assert_refused(&answer, Code::RegistrationClosed);
    let invited = proto::Register { ticket: "please".into(), ..register };
    assert_done(signed(&ticket, Ask::Register(invited)).await);
}

#[tokio::test]
async fn a_login_is_signed_by_this_device_for_this_connection() {
    let world = World::new();
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let (connection, challenge) = world.login_connection().await;
    let (_, other_challenge) = world.login_connection().await;
    let as_alice =
        proto::Login { account: alice.account.to_bytes(), ..bob.sign_login(&world, &challenge) };
    let forged = proto::Login {
        account: alice.account.to_bytes(),
        device: alice.device.to_bytes(),
        ..bob.sign_login(&world, &challenge)
    };
    for login in [alice.sign_login(&world, &other_challenge), as_alice, forged] {
        let answer = ask(&world.server, &connection, Ask::Login(login)).await;
        assert_refused(&answer, Code::Unauthorised);
    }
    let subscribe = Ask::Subscribe(proto::Subscribe { after: 0 });
    let answer = ask(&world.server, &connection, subscribe).await;
    assert_refused(&answer, Code::Unauthorised);
    let login = Ask::Login(alice.sign_login(&world, &challenge));
    assert_done(ask(&world.server, &connection, login.clone()).await);
    assert_done(ask(&world.server, &connection, login).await);
    let second = Ask::Login(bob.sign_login(&world, &challenge));
    assert_refused(&ask(&world.server, &connection, second).await, Code::Unauthorised);
}

#[tokio::test]
async fn a_list_follows_the_newest_and_is_signed_by_who_may() {
    let world = World::new();
    let alice = world.person("alice").await;
    let (device, mut phone) = device_of(&alice);
    let next = alice.list.successor(vec![alice.list.devices()[0].clone(), device.clone()]);
    let old = Signer::Device(&alice.device_key);
    let new = Signer::Device(&phone.device_key);
    assert_refused(&signed(&world, put(next.sign(&[new]))).await, Code::BadSignature);
    assert_refused(&signed(&world, put(next.sign(&[old]))).await, Code::BadSignature);
    for _ in 0..2 {
        assert_done(signed(&world, put(next.sign(&[old, new]))).await);
    }
    // Made from version 1, which is not the newest any more.
    let rival = alice.list.successor(Vec::new());
    assert_refused(&signed(&world, put(rival.sign(&[old]))).await, Code::ListConflict);
    let skipping = next.successor(Vec::new()).successor(Vec::new());
    assert_refused(&signed(&world, put(skipping.sign(&[old]))).await, Code::ListConflict);

    // The new device logs in, and gets no token before it says where to seal to.
    phone.device = device.id;
    phone.login(&world).await;
    let token = Ask::TokenPut(proto::TokenPut {
        seeds: vec![phone.seed.to_vec().into()],
        ..Default::default()
    });
    assert_refused(&phone.ask(&world, token.clone()).await, Code::Forbidden);
    let of_alice = MailboxKey::sign(&alice.mailbox.public(), NOW, &alice.device_key);
    let statement = Ask::MailboxKeyPut(proto::MailboxKeyPut { mailbox_key: Some(of_alice) });
    assert_refused(&phone.ask(&world, statement).await, Code::BadSignature);
    let own = MailboxKey::sign(&phone.mailbox.public(), NOW, &phone.device_key);
    let statement = Ask::MailboxKeyPut(proto::MailboxKeyPut { mailbox_key: Some(own) });
    assert_done(phone.ask(&world, statement).await);
    assert_done(phone.ask(&world, token).await);
    phone.subscribe(&world).await;
    phone.listen(&world).await;
    let room = Room::found(&world, &[&phone]).await;
    assert_done(room.say(&world, "hello phone").await);
    assert_eq!(texts(&phone.receive(&world).await), ["hello phone"]);
}

#[tokio::test]
async fn a_removed_device_has_no_mailbox_and_no_login() {
    let world = World::new();
    let mut alice = world.person("alice").await;
    let (device, phone) = device_of(&alice);
    let both = alice.list.successor(vec![alice.list.devices()[0].clone(), device.clone()]);
    let (old, new) = (Signer::Device(&alice.device_key), Signer::Device(&phone.device_key));
    assert_done(signed(&world, put(both.sign(&[old, new]))).await);
    let room = Room::found(&world, &[&alice]).await;
    assert_done(room.say(&world, "one").await);
    let alone = both.successor(vec![device]);
    assert_done(signed(&world, put(alone.sign(&[new]))).await);

    assert_done(room.say(&world, "two").await);
    assert!(alice.receive(&world).await.is_empty(), "its subscription ended");
    for body in [
        Ask::Subscribe(proto::Subscribe { after: 0 }),
        Ask::TokenPut(proto::TokenPut {
            seeds: vec![alice.seed.to_vec().into()],
            ..Default::default()
        }),
        Ask::KeyPackagePut(proto::KeyPackagePut::default()),
    ] {
        assert_refused(&alice.ask(&world, body).await, Code::Unauthorised);
    }
    let (connection, challenge) = world.login_connection().await;
    let login = Ask::Login(alice.sign_login(&world, &challenge));
    assert_refused(&ask(&world.server, &connection, login).await, Code::Unauthorised);
}

#[tokio::test]
async fn a_disputed_account_adds_no_device_until_the_recovery_key_signs() {
    let world = World::new();
    let alice = world.person("alice").await;
    let (device, thief) = device_of(&alice);
    let both = alice.list.successor(vec![alice.list.devices()[0].clone(), device.clone()]);
    let (old, new) = (Signer::Device(&alice.device_key), Signer::Device(&thief.device_key));
    assert_done(signed(&world, put(both.sign(&[old, new]))).await);
    let alone = both.successor(vec![device.clone()]);
    assert_done(signed(&world, put(alone.sign(&[new]))).await);

    let dispute = |signer: &SigningKey| {
        let dispute = Some(Dispute::sign(&alone, signer));
        Ask::DisputePut(proto::DisputePut { dispute })
    };
    // Whoever was not removed has nothing to dispute.
    assert_refused(&signed(&world, dispute(&thief.device_key)).await, Code::BadSignature);
    for _ in 0..2 {
        assert_done(signed(&world, dispute(&alice.device_key)).await);
    }
    let Answer::Lookup(found) = look_up(&world, Of::Account(alice.account.to_bytes())).await else {
        panic!()
    };
    assert_eq!(found.disputes.len(), 1);

    let (third, accomplice) = device_of(&alice);
    let more = alone.successor(vec![device.clone(), third.clone()]);
    let by_thief = more.sign(&[new, Signer::Device(&accomplice.device_key)]);
    assert_refused(&signed(&world, put(by_thief)).await, Code::Disputed);
    // Removing goes on, and the recovery key ends it: a new device of the owner's, the thief's gone.
    let (mine, phone) = device_of(&alice);
    let restored = alone.successor(vec![mine.clone()]);
    let recovery = Signer::Recovery(&alice.recovery);
    let list = restored.sign(&[recovery, Signer::Device(&phone.device_key)]);
    assert_done(signed(&world, put(list)).await);
    let grown = restored.successor(vec![mine, third]);
    let signers = [Signer::Device(&phone.device_key), Signer::Device(&accomplice.device_key)];
    assert_done(signed(&world, put(grown.sign(&signers))).await);
}
