// SPDX-License-Identifier: AGPL-3.0-or-later
//! Tokens and key packages.

use std::collections::HashSet;

use nodoor_server::{Budget, Budgets, Config};
use nodoor_wire::{
    code::Code,
    limits::{KEY_PACKAGE, KEY_PACKAGES},
    proto::{self, answer::Body as Answer, request::Body as Ask},
};

use crate::person::{Person, Room, World, assert_done, assert_refused, code, texts};

fn packages(count: u8, last_resort: bool) -> Ask {
    Ask::KeyPackagePut(proto::KeyPackagePut {
        single_use: (0..count).map(|number| vec![number; 100].into()).collect(),
        last_resort: if last_resort { vec![0xff; 100].into() } else { vec![].into() },
        renew: false,
    })
}

fn take(person: &Person) -> Ask {
    let account = person.account.to_bytes();
    Ask::KeyPackageTake(proto::KeyPackageTake { account, devices: Vec::new() })
}

async fn taken(world: &World, person: &Person) -> proto::TakenKeyPackage {
    match world.ask(take(person)).await {
        Answer::KeyPackageTake(mut answer) => answer.packages.pop().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_goes_to_whoever_shows_its_seed() {
    let world = World::new();
    let (alice, mut bob) = (world.person("alice").await, world.person("bob").await);
    let mut eve = world.person("eve").await;
    let room = Room::found(&world, &[&alice, &bob]).await;
    // Eve read Bob's token in the tree, and knows no seed: she shows what she has.
    for stolen in [bob.token().0.to_vec(), bob.token().hash().0.to_vec()] {
        let put = proto::TokenPut { seeds: vec![stolen.clone().into()], ..Default::default() };
        assert_done(eve.ask(&world, Ask::TokenPut(put)).await);
        let delete = proto::TokenDelete { seeds: vec![stolen.into()] };
        assert_done(eve.ask(&world, Ask::TokenDelete(delete)).await);
    }
    // Even with the seed she moves or deletes nothing that is Bob's.
    let put = proto::TokenPut { seeds: vec![bob.seed.to_vec().into()], ..Default::default() };
    assert_done(eve.ask(&world, Ask::TokenPut(put)).await);
    let delete = proto::TokenDelete { seeds: vec![bob.seed.to_vec().into()] };
    assert_done(eve.ask(&world, Ask::TokenDelete(delete)).await);
    assert_done(room.say(&world, "for bob").await);
    assert_eq!(texts(&bob.receive(&world).await), ["for bob"]);
    assert!(eve.receive(&world).await.is_empty());
}

#[tokio::test]
async fn a_key_package_is_handed_out_once_ever() {
    let mut world = World::new();
    let alice = world.person("alice").await;
    assert_refused(&world.ask(take(&alice)).await, Code::NoKeyPackage);
    assert_done(alice.ask(&world, packages(10, true)).await);
    let mut seen = HashSet::new();
    for number in 0..10 {
        if number == 5 {
            // The answer to the upload was lost: the same ones again bring none back.
            assert_done(alice.ask(&world, packages(10, true)).await);
            world.restart();
        }
        let taken = taken(&world, &alice).await;
        assert!(!taken.last_resort && seen.insert(taken.key_package));
    }
    for _ in 0..2 {
        assert!(taken(&world, &alice).await.last_resort);
    }
}

#[tokio::test]
async fn nobody_empties_an_account() {
    let budgets = Budgets { taken: Budget { burst: 3, per_minute: 1 }, ..Budgets::default() };
    let world = World::with(Config { budgets, ..Config::default() });
    let alice = world.person("alice").await;
    assert_done(alice.ask(&world, packages(10, true)).await);
    for _ in 0..3 {
        taken(&world, &alice).await;
    }
    // From whatever address. Alice stays addable, and keeps what she has.
    let elsewhere = world.server.connect_anonymous([200; 16]);
    for _ in 0..50 {
        let answer = crate::person::ask(&world.server, &elsewhere, take(&alice)).await;
        assert!(matches!(answer, Answer::KeyPackageTake(a) if a.packages[0].last_resort));
    }
    world.clock.set(crate::person::NOW + 60_000);
    assert!(!taken(&world, &alice).await.last_resort);
    // Who has no last resort is not told to be out of packages.
    let bob = world.person("bob").await;
    assert_done(bob.ask(&world, packages(10, false)).await);
    for _ in 0..3 {
        taken(&world, &bob).await;
    }
    assert_refused(&world.ask(take(&bob)).await, Code::SlowDown);
}

#[tokio::test]
async fn key_packages_are_counted_and_measured() {
    let world = World::new();
    let mut alice = world.person("alice").await;
    let most = u8::try_from(KEY_PACKAGES).unwrap();
    assert_refused(&alice.ask(&world, packages(most + 1, false)).await, Code::TooLarge);
    let put = |size: usize| {
        Ask::KeyPackagePut(proto::KeyPackagePut {
            single_use: vec![vec![1; size].into()],
            last_resort: Default::default(),
            renew: false,
        })
    };
    assert_refused(&alice.ask(&world, put(KEY_PACKAGE + 1)).await, Code::TooLarge);
    assert_refused(&alice.ask(&world, put(0)).await, Code::Malformed);
    assert_done(alice.ask(&world, packages(most, false)).await);
    alice.connection = None;
    let (connection, challenge) = world.login_connection().await;
    let login = Ask::Login(alice.sign_login(&world, &challenge));
    let answer = crate::person::ask(&world.server, &connection, login).await;
    assert_eq!(code(&answer), None);
    assert!(matches!(answer, Answer::Login(login) if login.key_packages_left == u32::from(most)));
}
