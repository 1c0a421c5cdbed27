// SPDX-License-Identifier: AGPL-3.0-or-later
//! What somebody whom nobody accepted can crowd out: with one key package, with the one that everybody gets.

use nodoor_client::{io::Wire, store::Store as _};
use nodoor_e2ee::{
    group::Change,
    identity::Identity,
    key_package,
    room::{RoomContext, RoomKind},
};
use nodoor_testkit::{
    mallory::Mallory,
    world::{Fate, World},
};
use nodoor_wire::{
    id::{AccountId, DeviceId, RoomId, Token},
    proto::{self, answer::Body as Answer, request::Body as Ask},
    roster::Roster,
};
use sha2::Digest as _;

use crate::hand::{
    MINUTE, a_group_of, account_of, answers, honest, package_of, refusal, two, welcome,
};

/// Bob, who is away; Carol, who will write to him; and Mallory. None of them knows another.
fn strangers(seed: u64) -> (World, [usize; 3], AccountId) {
    let mut world = World::new(seed);
    let people = ["bob", "carol", "mallory"].map(|name| world.register(name));
    let bobs = account_of(&mut world, people[0]);
    world.set_offline(people[0], true);
    (world, people, bobs)
}

/// Frames of nothing for whoever is behind a token, in a room that anybody can found.
fn flood(world: &mut World, token: Token, room: RoomId, frames: u32) {
    let key = [0x66; 32];
    let roster = Roster::new(vec![token.0], vec![[7; 32]]).unwrap();
    let found = proto::RoomFound {
        room: room.to_bytes(),
        key_check: <[u8; 32]>::from(sha2::Sha256::digest(key)).to_vec().into(),
        roster: roster.seal(&key, &room, 0).into(),
    };
    assert!(matches!(world.request(Ask::RoomFound(found)), Answer::Done(_)));
    for n in 0..frames {
        let transport = [n.to_be_bytes(), n.to_be_bytes(), [1; 4], [2; 4]].concat();
        let send = proto::Send {
            room: room.to_bytes(),
            epoch: 0,
            key: key.to_vec().into(),
            transport_id: transport.into(),
            frame: [n.to_be_bytes().as_slice(), &[0; 500]].concat().into(),
            quiet: false,
        };
        assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
    }
}

fn token_of(package: &[u8]) -> Token {
    key_package::inspect(package).unwrap().token
}

/// Puts Welcomes of rooms that nobody else heard of into the mailbox behind a token, in this order.
fn deliver(world: &mut World, mallory: &mut Mallory, token: Token, welcomes: Vec<Vec<u8>>) {
    let carrier = RoomId([0x99; 32]);
    mallory.found(world, carrier, a_group_of(mallory.account, "carrier"));
    let mut commit = mallory.commit(&carrier, Change::default());
    let tokens = vec![token.to_bytes()];
    let out = |body: Vec<u8>| proto::WelcomeOut { tokens: tokens.clone(), body: body.into() };
    commit.welcomes = welcomes.into_iter().map(out).collect();
    mallory.sign(&carrier, &mut commit);
    assert!(matches!(world.submit(commit), Answer::Done(_)));
}

/// A Welcome in the name of an account that does not exist.
fn in_nobodys_name(mallory: &mut Mallory, n: u8, to: AccountId, package: &[u8]) -> Vec<u8> {
    let nobody = AccountId([n; 16]);
    mallory.identity = Identity::new(nobody, DeviceId([n; 16]), 1, [n; 32]);
    let context = RoomContext::new(RoomKind::direct(nobody, to), nobody, "");
    welcome(mallory, RoomId([n; 32]), context, vec![package.to_vec()])
}

/// As many Welcomes as there are places for, and more, by the package that everybody gets.
fn fill_with_welcomes(world: &mut World, mallory: &mut Mallory, bobs: AccountId) {
    for _ in 0..5 {
        package_of(world, bobs);
    }
    let package = package_of(world, bobs);
    let carrier = Identity::new(mallory.account, DeviceId([1; 16]), 1, [9; 32]);
    let many = (1..=90).map(|n| in_nobodys_name(mallory, n, bobs, &package)).collect();
    mallory.identity = carrier;
    deliver(world, mallory, token_of(&package), many);
}

fn first_words(world: &mut World, of: usize) -> Vec<String> {
    world.requests(of).into_iter().map(|request| request.text).collect()
}

#[test]
fn whoever_invents_rooms_displaces_no_first_words() {
    let (mut world, [bob, carol, _], bobs) = strangers(700);
    let token = token_of(&package_of(&mut world, bobs));
    for n in 0..200 {
        flood(&mut world, token, RoomId([n; 32]), 1);
    }
    world.say(carol, "bob", "may I");
    world.set_offline(bob, false);
    world.pass(MINUTE);
    assert_eq!(first_words(&mut world, bob), ["may I"]);
}

#[test]
fn a_welcome_that_waits_gives_its_room_no_more_than_its_share() {
    let (mut world, [bob, carol, mallory], bobs) = strangers(701);
    let package = package_of(&mut world, bobs);
    let mut mallory = world.turn(mallory);
    let hers = in_nobodys_name(&mut mallory, 0x31, bobs, &package);
    mallory.identity = Identity::new(mallory.account, DeviceId([1; 16]), 1, [9; 32]);
    deliver(&mut world, &mut mallory, token_of(&package), vec![hers]);
    flood(&mut world, token_of(&package), RoomId([0x31; 32]), 200);
    world.say(carol, "bob", "may I");
    // Nobody's lists are to be had: both Welcomes wait.
    answers(&mut world, bob, |answer| {
        if matches!(answer, Answer::Lookup(_) | Answer::Refusal(_)) {
            *answer = refusal(nodoor_wire::code::Code::Internal);
        }
    });
    world.set_offline(bob, false);
    world.pass(MINUTE);
    world.kill(bob);
    let waits = world.disk(bob).keys(b"k/", b"k0", usize::MAX).unwrap().len();
    assert!(waits < 50, "{waits}");
    honest(&mut world);
    world.switch_on(bob);
    world.pass(10 * MINUTE);
    assert_eq!(first_words(&mut world, bob), ["may I"]);
}

#[test]
fn welcomes_in_nobodys_name_displace_no_honest_one() {
    for carol_is_first in [true, false] {
        let (mut world, [bob, carol, mallory], bobs) = strangers(702);
        // All single-use packages are taken: what is left is the one that everybody gets.
        for _ in 0..5 {
            package_of(&mut world, bobs);
        }
        if carol_is_first {
            world.say(carol, "bob", "may I");
        }
        let mut mallory = world.turn(mallory);
        fill_with_welcomes(&mut world, &mut mallory, bobs);
        if !carol_is_first {
            world.say(carol, "bob", "may I");
        }
        world.set_offline(bob, false);
        world.pass(MINUTE);
        assert_eq!(first_words(&mut world, bob), ["may I"], "carol first: {carol_is_first}");
        world.kill(bob);
        assert!(world.disk(bob).keys(b"w/", b"w0", usize::MAX).unwrap().is_empty());
    }
}

#[test]
fn look_ups_without_an_answer_stop_the_mailbox_for_a_while_and_not_for_good() {
    let mut world = World::new(703);
    let [alice, bob, mallory] = ["alice", "bob", "mallory"].map(|name| world.register(name));
    let [a, b] = two(&mut world, alice, bob);
    let bobs = account_of(&mut world, bob);
    world.set_offline(bob, true);
    let mut mallory = world.turn(mallory);
    fill_with_welcomes(&mut world, &mut mallory, bobs);
    world.write(alice, a, "behind all of them");
    world.fate = Box::new(move |person, _, request| {
        let lookup = matches!(request.body, Some(Ask::Lookup(_)));
        if person == bob && lookup { Fate::NeverAnswered } else { Fate::Arrives }
    });
    world.set_offline(bob, false);
    world.pass(5 * MINUTE);
    assert_eq!(world.texts(bob, b).last().unwrap(), "alice: behind all of them");
}

#[test]
fn what_stayed_in_the_mailbox_when_the_connection_broke_has_its_minute_on_the_next_one() {
    let (mut world, [bob, carol, mallory], bobs) = strangers(704);
    let mut mallory = world.turn(mallory);
    fill_with_welcomes(&mut world, &mut mallory, bobs);
    world.say(carol, "bob", "may I");
    world.fate = Box::new(move |person, _, request| {
        let lookup = matches!(request.body, Some(Ask::Lookup(_)));
        if person == bob && lookup { Fate::NeverAnswered } else { Fate::Arrives }
    });
    world.set_offline(bob, false);
    world.pass(MINUTE / 2);
    world.set_offline(bob, true);
    world.pass(10 * MINUTE);
    // The mailbox comes before the first answer to a look-up does.
    let mut left = 20;
    world.fate = Box::new(move |person, wire, _| {
        let lost = person == bob && wire == Wire::Anonymous && left > 0;
        left -= i32::from(lost);
        if lost { Fate::RequestLost } else { Fate::Arrives }
    });
    world.set_offline(bob, false);
    world.pass(MINUTE);
    assert_eq!(first_words(&mut world, bob), ["may I"]);
}

#[test]
fn welcomes_that_wait_are_read_one_at_a_time() {
    const MANY: u8 = 60;
    let (mut world, [bob, _, mallory], bobs) = strangers(705);
    for _ in 0..5 {
        package_of(&mut world, bobs);
    }
    let package = package_of(&mut world, bobs);
    let mut mallory = world.turn(mallory);
    let hers = mallory.account;
    let rooms = (1..=MANY).map(|n| {
        let context = RoomContext::new(RoomKind::direct(hers, bobs), hers, "");
        welcome(&mut mallory, RoomId([n; 32]), context, vec![package.clone()])
    });
    let rooms: Vec<Vec<u8>> = rooms.collect();
    let together: usize = rooms.iter().map(Vec::len).sum();
    deliver(&mut world, &mut mallory, token_of(&package), rooms);
    // All of them wait for one list, and all of them go once it is there.
    world.fate = Box::new(move |person, _, request| {
        let lookup = matches!(request.body, Some(Ask::Lookup(_)));
        if person == bob && lookup { Fate::NeverAnswered } else { Fate::Arrives }
    });
    world.set_offline(bob, false);
    world.pass(MINUTE / 2);
    honest(&mut world);
    let read = std::rc::Rc::clone(&world.person(bob).read_at_once);
    assert!(read.take() > 0);
    world.pass(MINUTE);
    world.kill(bob);
    // So many rooms a stranger may have; the others went.
    assert_eq!(world.disk(bob).keys(b"r/", b"r0", usize::MAX).unwrap().len(), 8);
    assert!(world.disk(bob).keys(b"w/", b"w0", usize::MAX).unwrap().is_empty());
    assert!(read.get() < together / 4, "{} of {together}", read.get());
}
