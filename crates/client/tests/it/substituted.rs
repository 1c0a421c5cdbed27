// SPDX-License-Identifier: AGPL-3.0-or-later
//! Olga has a real account of her own and puts it, or a device that is gone, where somebody else was asked for:
//! among key packages, behind a handle, in a device list that was long since replaced.

use std::{cell::Cell, rc::Rc, time::Duration};

use nodoor_client::store::MemoryStore;
use nodoor_e2ee::{identity::Identity, key_package};
use nodoor_testkit::{chance::Chance, mallory::Disk, world::World};
use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey},
    list::Device,
    statement::HandleClaim,
};
use nodoor_view::{
    command::{Command, Reply},
    model::{Content, ProblemKind, SystemLine},
};
use nodoor_wire::{
    handle::Handle,
    id::AccountId,
    proto::{self, answer::Body as Answer},
};

use crate::{
    groups::group,
    hand::{
        MINUTE, account_of, answers, four, honest, lookup_of, members, overhear, package_of,
        read_by, two,
    },
};

#[test]
fn a_key_package_of_another_account_is_not_added() {
    for also_the_right_one in [false, true] {
        let mut world = World::new(320);
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        let (carol, eve) = (world.register("carol"), world.register("eve"));
        // Eve is an account like any other, and Alice has its lists.
        world.say(eve, "alice", "hello");
        world.pass(MINUTE);
        world.accept(alice);
        let a = group(&mut world, alice, "Family", &["carol"]);
        world.accept(carol);
        let eves = account_of(&mut world, eve);
        let package = package_of(&mut world, eves);
        answers(&mut world, alice, move |answer| {
            if let Answer::KeyPackageTake(taken) = answer {
                let mut evil = taken.packages[0].clone();
                evil.key_package = package.clone().into();
                if !also_the_right_one {
                    taken.packages.clear();
                }
                taken.packages.push(evil);
            }
        });
        let add = Command::GroupAdd { conversation: a, handle: "bob".into() };
        assert_eq!(world.ask(alice, add), Reply::Done);
        world.pass(MINUTE);
        world.write(alice, a, "for the family");
        world.pass(MINUTE);
        assert!(world.requests(eve).is_empty());
        let mut expected = vec!["alice", "bob", "carol"];
        expected.retain(|name| also_the_right_one || *name != "bob");
        assert_eq!(members(&mut world, alice, a), expected);
        let lines = world.rows(alice, a).into_iter().filter(|row| {
            matches!(&row.content, Content::System(SystemLine::Added { who: Some(who), .. })
                if who.handle == "bob")
        });
        assert_eq!(lines.count(), usize::from(also_the_right_one));
        assert_eq!(world.requests(bob).len(), usize::from(also_the_right_one));
    }
}

#[test]
fn two_packages_of_one_device_are_one() {
    let mut world = World::new(321);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.register("carol");
    let bobs = account_of(&mut world, bob);
    let package = package_of(&mut world, bobs);
    answers(&mut world, alice, move |answer| {
        if let Answer::KeyPackageTake(taken) = answer {
            let mut second = taken.packages[0].clone();
            second.key_package = package.clone().into();
            taken.packages.push(second);
        }
    });
    let a = group(&mut world, alice, "Garden", &["bob"]);
    world.accept(bob);
    world.pass(MINUTE);
    world.write(alice, a, "hello");
    world.pass(MINUTE);
    assert_eq!(members(&mut world, alice, a), ["alice", "bob"]);
    let devices = match world.ask(alice, Command::GroupMembers { conversation: a }) {
        Reply::Members(members) => members.iter().map(|one| one.devices).sum::<u32>(),
        other => panic!("no members: {other:?}"),
    };
    assert_eq!(devices, 2);
}

/// An answer about Eve in which her own device claims this handle.
fn claims(world: &mut World, eve: usize, handle: &str) -> proto::LookupAnswer {
    let one = world.turn(eve);
    let (account, key) = (one.account, SigningKey::from_seed(one.device_key.to_bytes()));
    world.give_back(one);
    let claim = HandleClaim { handle: Handle::parse(handle).unwrap(), account };
    let mut found = lookup_of(world, account);
    found.handle_claim = Some(claim.sign(Signer::Device(&key)));
    found
}

#[test]
fn a_handle_once_bound_leads_to_the_same_account_whatever_the_server_omits() {
    let mut world = World::new(322);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let eve = world.register("eve");
    let [a, b] = two(&mut world, alice, bob);
    let evil = claims(&mut world, eve, "bob");
    let bobs = account_of(&mut world, bob);
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer {
            match AccountId::try_from(found.account.as_ref()) {
                Ok(account) if account == bobs => found.handle_claim = None,
                _ => {}
            }
        }
    });
    // Bob is looked up, by account, without his claim.
    world.pass(2 * MINUTE);
    group(&mut world, alice, "Garden", &["bob"]);
    world.pass(2 * MINUTE);
    assert_eq!(world.chat(alice, "bob").id, a);
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer {
            *found = evil.clone();
        }
    });
    world.pass(2 * MINUTE);
    // Another account under this handle is refused; it is never the one that is written to.
    let open = Command::OpenDirect { handle: "bob".into() };
    match world.ask(alice, open) {
        Reply::Conversation(row) => assert_eq!(row.id, a),
        Reply::Problem(problem) => assert_eq!(problem.kind, ProblemKind::Forged),
        other => panic!("no answer: {other:?}"),
    }
    world.write(alice, a, "still you");
    world.pass(MINUTE);
    assert!(world.texts(bob, b).contains(&"alice: still you".to_owned()));
    assert!(world.requests(eve).is_empty());
}

#[test]
fn nobody_else_is_shown_under_a_handle_that_is_bound() {
    let mut world = World::new(323);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let eve = world.register("eve");
    let [a, _] = two(&mut world, alice, bob);
    let evil = claims(&mut world, eve, "bob");
    let eves = account_of(&mut world, eve);
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer
            && AccountId::try_from(found.account.as_ref()) == Ok(eves)
        {
            *found = evil.clone();
        }
    });
    world.say(eve, "alice", "it is me, bob");
    world.pass(MINUTE);
    let request = world.requests(alice).remove(0);
    assert!(!format!("{request:?}").contains("handle: \"bob\""));
    world.accept(alice);
    assert_eq!(world.chat(alice, "bob").id, a);
}

/// Bob's account after he lost his device: he had added another one, and that one removed it. Its key package comes with it.
pub(crate) struct Moved {
    account: AccountId,
    lists: [proto::SignedList; 2],
    claim: proto::SignedBytes,
    package: Vec<u8>,
}

pub(crate) fn moved(world: &mut World, bob: usize) -> Moved {
    let one = world.turn(bob);
    let (account, key) = (one.account, SigningKey::from_seed(one.device_key.to_bytes()));
    world.give_back(one);
    let found = lookup_of(world, account);
    let chain = Chain::verify(&account, &found.lists).unwrap();
    let seeds = [[0x21; 32], [0x22; 32], [0x23; 32]];
    let [own, mls, login] = seeds.map(SigningKey::from_seed);
    let device = Device::new(own.public(), mls.public(), login.public());
    let identity = Identity::new(account, device.id, 2, seeds[1]);
    let both = [chain.newest().devices(), std::slice::from_ref(&device)].concat();
    let added = chain.newest().successor(both);
    let removed = added.successor(vec![device]);
    let lists = [
        added.sign(&[Signer::Device(&key), Signer::Device(&own)]),
        removed.sign(&[Signer::Device(&own)]),
    ];
    let disk = Disk::new(MemoryStore::default());
    let made = key_package::make(&disk, &identity, false, &mut Chance::new(9)).unwrap();
    let claim = HandleClaim { handle: Handle::parse("bob").unwrap(), account };
    let claim = claim.sign(Signer::Device(&own));
    Moved { account, lists, claim, package: made.bytes }
}

/// From now on a person sees the new list; key packages are those of the new device, or still of the old.
pub(crate) fn show(world: &mut World, to: usize, moved: &Moved, new_package: bool) {
    let (account, lists, claim) = (moved.account, moved.lists.clone(), moved.claim.clone());
    let package = moved.package.clone();
    answers(world, to, move |answer| match answer {
        Answer::Lookup(found) if AccountId::try_from(found.account.as_ref()) == Ok(account) => {
            found.lists.extend(lists.clone());
            found.handle_claim = Some(claim.clone());
        }
        Answer::KeyPackageTake(taken) if new_package => {
            taken.packages[0].key_package = package.clone().into();
        }
        _ => {}
    });
}

#[test]
fn a_device_that_its_owner_removed_is_not_added_any_more() {
    let mut world = World::new(324);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let moved = moved(&mut world, bob);
    show(&mut world, alice, &moved, false);
    let heard = overhear(&mut world, alice);
    world.say(alice, "bob", "not for who found the phone");
    world.pass(MINUTE);
    assert!(heard.borrow().is_empty());
    assert!(world.requests(bob).is_empty());
}

#[test]
fn a_device_that_its_owner_removed_is_out_before_the_next_message() {
    // Of a group, by its creator.
    let (mut world, [alice, bob, carol, _], [a, b, c, _]) = four(325);
    let gone = moved(&mut world, bob);
    show(&mut world, alice, &gone, true);
    world.pass(2 * MINUTE);
    world.ask(alice, Command::Find { handle: "bob".into() });
    group(&mut world, alice, "Other", &["bob"]);
    let thief = world.turn(bob);
    let heard = overhear(&mut world, alice);
    world.write(alice, a, "bob lost his phone");
    world.pass(MINUTE);
    assert!(read_by(&thief, &heard) <= 1, "more than the commit that removes it");
    world.give_back(thief);
    world.pass(MINUTE);
    assert!(world.texts(bob, b).is_empty());
    assert!(world.texts(carol, c).contains(&"alice: bob lost his phone".to_owned()));

    // Of a chat of two, by the other side, which adds the new device at once.
    let mut world = World::new(326);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let gone = moved(&mut world, bob);
    show(&mut world, alice, &gone, true);
    world.pass(2 * MINUTE);
    group(&mut world, alice, "Other", &["bob"]);
    world.write(alice, a, "what is the code of your phone");
    world.pass(MINUTE);
    assert!(world.texts(bob, b).iter().all(|text| !text.contains("code")));
    assert_eq!(world.states(alice, a).pop(), Some(nodoor_view::model::SendState::Sent));
    honest(&mut world);
}

#[test]
fn help_without_a_key_package_of_the_device_removes_nobody() {
    let (mut world, [alice, bob, _, mallory], [a, b, ..]) = four(327);
    // Bob misses a commit, and the server says that its record is gone.
    let lied = Rc::new(Cell::new(false));
    let lie = Rc::clone(&lied);
    let mallorys = account_of(&mut world, mallory);
    let package = package_of(&mut world, mallorys);
    world.tamper = Box::new(move |person, said| {
        use nodoor_wire::proto::from_server::Body as Said;
        use prost::Message as _;
        match &mut said.body {
            Some(Said::Deliver(deliver)) if person == bob => deliver.entries.retain(|entry| {
                let body = proto::Body::decode(entry.body.clone()).unwrap();
                !matches!(body.body, Some(proto::body::Body::Commit(_)))
            }),
            Some(Said::Answer(answer)) => match &mut answer.body {
                Some(Answer::Commits(_)) if person == bob => {
                    answer.body = Some(crate::hand::refusal(nodoor_wire::code::Code::Forbidden));
                }
                Some(Answer::KeyPackageTake(taken)) if person == alice => {
                    lie.set(true);
                    taken.packages[0].key_package = package.clone().into();
                }
                _ => {}
            },
            _ => {}
        }
    });
    world.ask(alice, Command::GroupRename { conversation: a, title: "Allotment".into() });
    world.pass(MINUTE);
    world.write(alice, a, "where is bob");
    world.pass(2 * MINUTE);
    world.write(bob, b, "here");
    world.pass(Duration::from_secs(4000));
    assert!(lied.get(), "nobody called for help");
    assert!(members(&mut world, alice, a).contains(&"bob".to_owned()));
}
