// SPDX-License-Identifier: AGPL-3.0-or-later
//! What Olga and Mallory do with their hands: lie in answers, swap what is delivered, and put a Welcome of their
//! own making into somebody's mailbox.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use nodoor_e2ee::{
    group::{Change, Group},
    key_package,
    room::{RoomContext, RoomKind},
};
use nodoor_testkit::{
    mallory::Mallory,
    world::{Fate, World},
};
use nodoor_view::{command::Command, model::ConversationId};
use nodoor_wire::{
    code::Code,
    id::{AccountId, RoomId},
    proto::{self, answer::Body as Answer, body, from_server::Body as Said, request::Body as Ask},
};
use prost::Message as _;

use crate::groups::group;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Changes answers to one person.
pub(crate) fn answers(world: &mut World, to: usize, mut change: impl FnMut(&mut Answer) + 'static) {
    world.tamper = Box::new(move |person, said| {
        if let Some(Said::Answer(answer)) = &mut said.body
            && let Some(body) = &mut answer.body
            && person == to
        {
            change(body);
        }
    });
}

/// Changes the bodies delivered to one person.
pub(crate) fn bodies(
    world: &mut World,
    to: usize,
    mut change: impl FnMut(&mut body::Body) + 'static,
) {
    world.tamper = Box::new(move |person, said| {
        if let Some(Said::Deliver(deliver)) = &mut said.body
            && person == to
        {
            for entry in &mut deliver.entries {
                let mut body = proto::Body::decode(entry.body.clone()).unwrap();
                change(body.body.as_mut().unwrap());
                entry.body = body.encode_to_vec().into();
            }
        }
    });
}

/// Days go by, with an epoch now and then.
pub(crate) fn days(world: &mut World, days: usize) {
    let awake = Duration::from_secs(40);
    for _ in 0..days * 4 {
        world.epochs = false;
        world.pass(6 * HOUR - awake);
        world.epochs = true;
        world.pass(awake);
    }
}

pub(crate) fn honest(world: &mut World) {
    world.tamper = Box::new(|_, _| {});
    world.fate = Box::new(|_, _, _| Fate::Arrives);
}

/// Whose account somebody has.
pub(crate) fn account_of(world: &mut World, person: usize) -> AccountId {
    let one = world.turn(person);
    let account = one.account;
    world.give_back(one);
    account
}

/// The one open room on somebody's disk.
pub(crate) fn room_of(world: &mut World, person: usize) -> RoomId {
    let one = world.turn(person);
    let rooms = one.rooms();
    world.give_back(one);
    assert_eq!(rooms.len(), 1);
    rooms[0]
}

/// Takes a key package of an account, as anybody may.
pub(crate) fn package_of(world: &mut World, account: AccountId) -> Vec<u8> {
    let take = proto::KeyPackageTake { account: account.to_bytes(), devices: Vec::new() };
    match world.request(Ask::KeyPackageTake(take)) {
        Answer::KeyPackageTake(taken) => taken.packages[0].key_package.to_vec(),
        other => panic!("no key package: {other:?}"),
    }
}

/// What the server says of an account.
pub(crate) fn lookup_of(world: &mut World, account: AccountId) -> proto::LookupAnswer {
    let of = Some(proto::lookup::Of::Account(account.to_bytes()));
    match world.request(Ask::Lookup(proto::Lookup { of })) {
        Answer::Lookup(found) => found,
        other => panic!("no such account: {other:?}"),
    }
}

pub(crate) fn a_group_of(creator: AccountId, title: &str) -> RoomContext {
    RoomContext::new(RoomKind::Group, creator, title)
}

/// A Welcome to a room that only its maker ever heard of, whatever its id; she is in its first epoch then.
pub(crate) fn welcome(
    mallory: &mut Mallory,
    room: RoomId,
    context: RoomContext,
    add: Vec<Vec<u8>>,
) -> Vec<u8> {
    if let Ok(Some(old)) = Group::load(&mallory.disk, &room) {
        old.delete(&mallory.disk).unwrap();
    }
    let chance = &mut mallory.chance;
    Group::found(&mallory.disk, &mallory.identity, room, context, chance).unwrap();
    let commit = mallory.commit(&room, Change { add, ..Change::default() });
    mallory.group(&room).merge_pending(&mallory.disk).unwrap();
    commit.welcomes[0].body.to_vec()
}

/// Puts a Welcome into the mailbox of this account, inside an honest commit of another room.
pub(crate) fn smuggle(world: &mut World, mallory: &mut Mallory, to: AccountId, welcome: Vec<u8>) {
    let carrier = RoomId([(); 32].map(|()| u8::try_from(mallory.chance.below(256)).unwrap()));
    mallory.found(world, carrier, a_group_of(mallory.account, "carrier"));
    let package = package_of(world, to);
    let token = key_package::inspect(&package).unwrap().token;
    let mut commit = mallory.commit(&carrier, Change { add: vec![package], ..Change::default() });
    commit.welcomes =
        vec![proto::WelcomeOut { tokens: vec![token.to_bytes()], body: welcome.into() }];
    mallory.sign(&carrier, &mut commit);
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(Duration::from_secs(5));
}

/// Olga says to this person that every sending came too late, and that the record of its epoch is gone.
pub(crate) fn strand(world: &mut World, who: usize) {
    let asked = Rc::new(Cell::new(0));
    let last = Rc::clone(&asked);
    world.fate = Box::new(move |person, _, request| {
        if person == who {
            last.set(match request.body {
                Some(Ask::Send(_)) => 1,
                Some(Ask::CatchUp(_)) => 2,
                _ => 0,
            });
        }
        Fate::Arrives
    });
    answers(world, who, move |answer| {
        let code = match asked.replace(0) {
            1 => Code::StaleEpoch,
            2 => Code::Forbidden,
            _ => return,
        };
        *answer = refusal(code);
    });
}

pub(crate) fn refusal(code: Code) -> Answer {
    Answer::Refusal(proto::Refusal { code: code.number(), ..proto::Refusal::default() })
}

/// Frames with their rooms.
pub(crate) type Heard = Rc<RefCell<Vec<(RoomId, Vec<u8>)>>>;

/// Frames that somebody sends from now on, messages and commits, with their rooms.
pub(crate) fn overhear(world: &mut World, who: usize) -> Heard {
    let heard: Heard = Rc::default();
    let ear = Rc::clone(&heard);
    world.fate = Box::new(move |person, _, request| {
        let said = match &request.body {
            Some(Ask::Send(send)) => Some((&send.room, &send.frame)),
            Some(Ask::Commit(commit)) => Some((&commit.room, &commit.frame)),
            _ => None,
        };
        if let Some((room, frame)) = said.filter(|_| person == who) {
            let room = RoomId::try_from(room.as_ref()).unwrap();
            ear.borrow_mut().push((room, frame.to_vec()));
        }
        Fate::Arrives
    });
    heard
}

/// How many of these frames somebody can read.
pub(crate) fn read_by(mallory: &Mallory, heard: &Heard) -> usize {
    let heard = heard.borrow();
    let reads = |(room, frame): &&(RoomId, Vec<u8>)| match Group::load(&mallory.disk, room) {
        Ok(Some(mut group)) => group.open(&mallory.disk, frame).is_ok(),
        _ => false,
    };
    heard.iter().filter(reads).count()
}

/// Alice, Bob, Carol and Mallory in a group of Alice's, which all have accepted.
pub(crate) fn four(seed: u64) -> (World, [usize; 4], [ConversationId; 4]) {
    let mut world = World::new(seed);
    let people = ["alice", "bob", "carol", "mallory"].map(|name| world.register(name));
    let first = group(&mut world, people[0], "Garden", &["bob", "carol", "mallory"]);
    let ids =
        people.map(|person| if person == people[0] { first } else { world.accept(person).id });
    world.pass(Duration::from_secs(20));
    (world, people, ids)
}

/// Alice and Bob talk; the direct chat of each.
pub(crate) fn two(world: &mut World, alice: usize, bob: usize) -> [ConversationId; 2] {
    let handle = world.person(bob).handle;
    world.say(alice, handle, "hello");
    let a = world.chat(alice, handle).id;
    let b = world.accept(bob).id;
    world.write(bob, b, "hi");
    world.pass(Duration::from_secs(20));
    [a, b]
}

/// Handles in a group, as one of its members sees them.
pub(crate) fn members(world: &mut World, person: usize, id: ConversationId) -> Vec<String> {
    match world.ask(person, Command::GroupMembers { conversation: id }) {
        nodoor_view::command::Reply::Members(members) => {
            let mut all: Vec<String> = members.into_iter().map(|one| one.person.handle).collect();
            all.sort();
            all
        }
        other => panic!("no members: {other:?}"),
    }
}
