// SPDX-License-Identifier: AGPL-3.0-or-later
//! Olga operates the server and lies: to one person, about another, in answers and in what she delivers.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use nodoor_client::store::{MemoryStore, Store as _};
use nodoor_e2ee::{
    content::{self, Content},
    group::Change,
    identity::Identity,
    key_package,
    room::{RoomContext, RoomKind},
};
use nodoor_testkit::{
    chance::Chance,
    mallory::Disk,
    world::{Fate, World},
};
use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey},
    ledger::evidence::{Evidence, Verdict},
    list::Device,
};
use nodoor_view::{
    command::{Command, HandleState, Reply},
    event::{Connection, Event},
    model::{ConversationId, Problem, ProblemKind, SendState, SystemLine, Writable},
};
use nodoor_wire::{
    code::Code,
    id::{AccountId, DeviceId, RoomId},
    proto::{self, answer::Body as Answer, body, from_server::Body as Said, request::Body as Ask},
};
use prost::Message as _;

use crate::{groups::group, writable};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Changes answers to one person.
fn answers(world: &mut World, to: usize, mut change: impl FnMut(&mut Answer) + 'static) {
    world.tamper = Box::new(move |person, said| {
        if let Some(Said::Answer(answer)) = &mut said.body
            && let Some(body) = &mut answer.body
            && person == to
        {
            change(body);
        }
    });
}

/// Changes the bodies delivered to one person; `false` withholds one.
fn bodies(world: &mut World, to: usize, mut change: impl FnMut(&mut body::Body) -> bool + 'static) {
    world.tamper = Box::new(move |person, said| {
        if let Some(Said::Deliver(deliver)) = &mut said.body
            && person == to
        {
            deliver.entries.retain_mut(|entry| {
                let mut body = proto::Body::decode(entry.body.clone()).unwrap();
                let keep = change(body.body.as_mut().unwrap());
                entry.body = body.encode_to_vec().into();
                keep
            });
        }
    });
}

fn honest(world: &mut World) {
    world.tamper = Box::new(|_, _| {});
    world.fate = Box::new(|_, _, _| Fate::Arrives);
}

fn refusal(code: Code, retry_after_seconds: u32) -> Answer {
    Answer::Refusal(proto::Refusal { code: code.number(), retry_after_seconds })
}

fn problem(reply: Reply) -> ProblemKind {
    match reply {
        Reply::Problem(Problem { kind, .. }) => kind,
        other => panic!("no problem: {other:?}"),
    }
}

fn not_sent(world: &mut World, person: usize, chat: ConversationId) -> ProblemKind {
    match world.states(person, chat).pop() {
        Some(SendState::NotSent { reason }) => reason.kind,
        other => panic!("it was sent, or waits: {other:?}"),
    }
}

/// Alice, Bob and Carol in a group of Alice's.
pub(crate) fn three(seed: u64) -> (World, [usize; 3], [ConversationId; 3]) {
    let mut world = World::new(seed);
    let people = ["alice", "bob", "carol"].map(|name| world.register(name));
    let a = group(&mut world, people[0], "Garden", &["bob", "carol"]);
    let ids = [a, world.accept(people[1]).id, world.accept(people[2]).id];
    world.pass(Duration::from_secs(20));
    (world, people, ids)
}

fn heard(world: &mut World, person: usize, chat: ConversationId, text: &str) -> usize {
    let ends = format!(": {text}");
    world.texts(person, chat).iter().filter(|line| line.ends_with(&ends)).count()
}

// ---- who somebody is ---------------------------------------------------------------------------

#[test]
fn a_key_package_of_the_servers_own_device_is_never_encrypted_to() {
    for keeps_the_device_id in [false, true] {
        let mut world = World::new(70);
        let (alice, _bob) = (world.register("alice"), world.register("bob"));
        answers(&mut world, alice, move |answer| {
            if let Answer::KeyPackageTake(taken) = answer {
                let real = key_package::inspect(&taken.packages[0].key_package).unwrap();
                let device =
                    if keeps_the_device_id { real.name.device } else { DeviceId([0x66; 16]) };
                let olga = Identity::new(real.name.account, device, 1, [0x66; 32]);
                let disk = Disk::new(MemoryStore::default());
                let made = key_package::make(&disk, &olga, false, &mut Chance::new(6)).unwrap();
                taken.packages[0].key_package = made.bytes.into();
            }
        });
        let commits = Rc::new(Cell::new(0));
        let seen = Rc::clone(&commits);
        world.fate = Box::new(move |_, _, request| {
            if matches!(request.body, Some(Ask::Commit(_) | Ask::Send(_))) {
                seen.set(seen.get() + 1);
            }
            Fate::Arrives
        });
        world.say(alice, "bob", "for bob alone");
        world.pass(MINUTE);
        let chat = world.chats(alice)[0].id;
        assert_eq!(not_sent(&mut world, alice, chat), ProblemKind::UnknownDevice);
        assert_eq!(commits.get(), 0);

        // Once the server is honest, trying again is enough.
        honest(&mut world);
        let message = world.rows(alice, chat).pop().unwrap().id;
        assert_eq!(world.ask(alice, Command::Retry { message }), Reply::Done);
        world.pass(MINUTE);
        assert_eq!(world.requests(1)[0].text, "for bob alone");
    }
}

#[test]
fn in_a_group_only_the_person_whose_device_is_false_is_left_out() {
    let mut world = World::new(71);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let carol = world.register("carol");
    let (target, seen) = (Rc::new(RefCell::new(None)), Rc::new(Cell::new(0)));
    let count = Rc::clone(&seen);
    answers(&mut world, alice, move |answer| {
        if let Answer::KeyPackageTake(taken) = answer {
            let real = key_package::inspect(&taken.packages[0].key_package).unwrap();
            let first = *target.borrow_mut().get_or_insert(real.name.account);
            if first == real.name.account {
                count.set(count.get() + 1);
                let olga = Identity::new(first, DeviceId([0x66; 16]), 1, [0x66; 32]);
                let disk = Disk::new(MemoryStore::default());
                let made = key_package::make(&disk, &olga, false, &mut Chance::new(6)).unwrap();
                taken.packages[0].key_package = made.bytes.into();
            }
        }
    });
    let id = group(&mut world, alice, "Garden", &["bob", "carol"]);
    world.pass(MINUTE);
    let invited = world.requests(bob).len() + world.requests(carol).len();
    assert_eq!(invited, 1);
    assert!(seen.get() <= 3, "{}", seen.get());
    let sheet = world.ask(alice, Command::GroupMembers { conversation: id });
    assert!(matches!(sheet, Reply::Members(members) if members.len() == 2));
}

#[test]
fn a_device_that_nobody_of_the_account_signed_is_refused_with_its_list() {
    let mut world = World::new(72);
    let (alice, _bob) = (world.register("alice"), world.register("bob"));
    answers(&mut world, alice, |answer| {
        if let Answer::Lookup(found) = answer {
            let account = AccountId::try_from(found.account.as_ref()).unwrap();
            let chain = Chain::verify(&account, &found.lists).unwrap();
            let olga = SigningKey::from_seed([6; 32]);
            let mut devices = chain.newest().devices().to_vec();
            devices.push(Device::new(olga.public(), [7; 32], [8; 32]));
            let longer = chain.newest().successor(devices).sign(&[Signer::Device(&olga)]);
            found.lists.push(longer);
        }
    });
    let open = Command::OpenDirect { handle: "bob".into() };
    assert_eq!(problem(world.ask(alice, open)), ProblemKind::Forged);
    assert!(world.chats(alice).is_empty());
}

#[test]
fn a_chain_shorter_than_the_one_seen_is_refused() {
    let mut world = World::new(73);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let bobs = world.turn(bob);
    let key = SigningKey::from_seed(bobs.device_key.to_bytes());
    world.give_back(bobs);
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer {
            let account = AccountId::try_from(found.account.as_ref()).unwrap();
            let chain = Chain::verify(&account, &found.lists).unwrap();
            let devices = chain.newest().devices().to_vec();
            let longer = chain.newest().successor(devices).sign(&[Signer::Device(&key)]);
            found.lists.push(longer);
        }
    });
    let find = Command::Find { handle: "bob".into() };
    assert!(matches!(world.ask(alice, find.clone()), Reply::Person(_)));
    honest(&mut world);
    world.pass(2 * MINUTE);
    assert_eq!(problem(world.ask(alice, find)), ProblemKind::Forged);
    // It is no proof: an answer that came late is shorter too.
    assert!(kept(&mut world, alice).is_empty());
    world.kill(alice);
    assert_eq!(world.disk(alice).keys(b"j/", b"j0", 9).unwrap().len(), 0);
}

/// The evidence that somebody keeps: its kind, and what it shows to anybody.
fn kept(world: &mut World, person: usize) -> Vec<(&'static str, Verdict)> {
    let Reply::Evidence(files) = world.ask(person, Command::Evidence) else { panic!("no answer") };
    let files = files.iter().map(|file| Evidence::parse(file.text.as_bytes()).unwrap());
    files.map(|file| (file.kind(), file.check())).collect()
}

#[test]
fn two_lists_of_one_version_leave_a_file_that_anybody_can_check() {
    let mut world = World::new(76);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let bobs = world.turn(bob);
    let key = SigningKey::from_seed(bobs.device_key.to_bytes());
    world.give_back(bobs);
    let other = Rc::new(Cell::new(false));
    let shows_other = Rc::clone(&other);
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer {
            let account = AccountId::try_from(found.account.as_ref()).unwrap();
            let chain = Chain::verify(&account, &found.lists).unwrap();
            let mut devices = chain.newest().devices().to_vec();
            let thief = SigningKey::from_seed([6; 32]);
            let mut signers = vec![Signer::Device(&key)];
            if shows_other.get() {
                devices.push(Device::new(thief.public(), [7; 32], [8; 32]));
                signers.push(Signer::Device(&thief));
            }
            found.lists.push(chain.newest().successor(devices).sign(&signers));
        }
    });
    let find = Command::Find { handle: "bob".into() };
    assert!(matches!(world.ask(alice, find.clone()), Reply::Person(_)));
    assert!(kept(&mut world, alice).is_empty());
    other.set(true);
    for _ in 0..2 {
        world.pass(2 * MINUTE);
        assert_eq!(problem(world.ask(alice, find.clone())), ProblemKind::Forged);
    }
    let kept = kept(&mut world, alice);
    assert!(matches!(kept[..], [("fork", Verdict::Proven(_))]), "{kept:?}");
}

#[test]
fn a_handle_leads_only_to_the_account_that_claimed_it() {
    let mut world = World::new(74);
    let (alice, _bob) = (world.register("alice"), world.register("bob"));
    world.register("carol");
    let of = Some(proto::lookup::Of::Handle("carol".into()));
    let Answer::Lookup(carol) = world.request(Ask::Lookup(proto::Lookup { of })) else {
        panic!("no carol");
    };
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer {
            *found = carol.clone();
        }
    });
    let open = Command::OpenDirect { handle: "bob".into() };
    assert_eq!(problem(world.ask(alice, open)), ProblemKind::Forged);
    let check = world.ask(alice, Command::CheckHandle { handle: "bob".into() });
    assert!(!matches!(check, Reply::HandleState(HandleState::Free)));
    assert!(world.chats(alice).is_empty());
}

#[test]
fn a_welcome_to_a_room_with_a_ghost_in_it_is_not_entered() {
    let mut world = World::new(75);
    let (mallory, bob) = (world.register("mallory"), world.register("bob"));
    let carol = world.register("carol");
    let mut hers = world.turn(mallory);
    let account_of = |world: &mut World, person: usize| {
        let one = world.turn(person);
        let account = one.account;
        world.give_back(one);
        account
    };
    let (bobs, carols) = (account_of(&mut world, bob), account_of(&mut world, carol));
    let rooms = [
        (RoomId([1; 32]), RoomKind::Group, carols),
        (RoomId([2; 32]), RoomKind::direct(hers.account, bobs), bobs),
    ];
    for (room, kind, ghost_of) in rooms {
        let context = RoomContext::new(kind, hers.account, "");
        hers.found(&mut world, room, context);
        let take = proto::KeyPackageTake { account: bobs.to_bytes(), devices: Vec::new() };
        let Answer::KeyPackageTake(taken) = world.request(Ask::KeyPackageTake(take)) else {
            panic!("no key package");
        };
        let add = vec![hers.ghost(ghost_of), taken.packages[0].key_package.to_vec()];
        let commit = hers.commit(&room, Change { add, ..Change::default() });
        assert!(matches!(world.submit(commit), Answer::Done(_)));
        world.pass(MINUTE);
        assert!(world.requests(bob).is_empty() && world.chats(bob).is_empty());
    }
}

// ---- what is delivered -------------------------------------------------------------------------

#[test]
fn bits_flipped_in_a_commit_burn_nothing() {
    for part in 0..4 {
        let (mut world, [alice, bob, carol], [a, b, c]) = three(80 + part);
        bodies(&mut world, bob, move |body| {
            if let body::Body::Commit(commit) = body {
                let bytes = match part {
                    0 => &mut commit.frame,
                    1 => &mut commit.header,
                    2 => &mut commit.signature,
                    _ => &mut commit.commit_key,
                };
                let mut flipped = bytes.to_vec();
                let middle = flipped.len() / 2;
                flipped[middle] ^= 1;
                *bytes = flipped.into();
            }
            true
        });
        let rename = Command::GroupRename { conversation: a, title: "Allotment".into() };
        assert_eq!(world.ask(alice, rename), Reply::Done);
        world.pass(MINUTE);
        assert_eq!(writable(&mut world, bob, b), Writable::Yes, "{part}");
        // It was dropped and asked for again.
        assert_eq!(world.chats(bob)[0].title, "Allotment", "{part}");
        for (person, id) in [(alice, a), (bob, b), (carol, c)] {
            world.write(person, id, &format!("after {person}"));
        }
        world.pass(MINUTE);
        assert_eq!(world.texts(bob, b).len(), 3, "{part}");
        assert_eq!(world.texts(carol, c).len(), 3, "{part}");
    }
}

#[test]
fn a_withheld_commit_is_asked_for_when_something_after_it_comes() {
    let (mut world, [alice, bob, _], [a, b, _]) = three(85);
    bodies(&mut world, bob, |body| !matches!(body, body::Body::Commit(_)));
    for title in ["One", "Two", "Three"] {
        let title = title.to_owned();
        world.ask(alice, Command::GroupRename { conversation: a, title });
        world.pass(Duration::from_secs(5));
    }
    assert_eq!(world.chats(bob)[0].title, "Garden");
    world.write(alice, a, "three commits later");
    world.pass(MINUTE);
    assert_eq!(world.chats(bob)[0].title, "Three");
    assert_eq!(heard(&mut world, bob, b, "three commits later"), 1);
    world.write(bob, b, "and back");
    world.pass(MINUTE);
    assert_eq!(heard(&mut world, alice, a, "and back"), 1);
}

#[test]
fn what_comes_twice_late_or_in_disorder_is_there_once() {
    let (mut world, [alice, bob, carol], [a, b, c]) = three(86);
    let mut old: Vec<proto::Entry> = Vec::new();
    world.tamper = Box::new(move |person, said| {
        if let Some(Said::Deliver(deliver)) = &mut said.body
            && person == bob
        {
            let fresh = deliver.entries.clone();
            deliver.entries.extend(fresh.clone());
            deliver.entries.extend(old.clone());
            deliver.entries.reverse();
            old.extend(fresh);
        }
    });
    for round in 0..4 {
        world.set_offline(bob, true);
        for (person, id) in [(alice, a), (carol, c)] {
            world.write(person, id, &format!("{round} of {person}"));
        }
        let title = format!("Garden {round}");
        world.ask(alice, Command::GroupRename { conversation: a, title });
        world.pass(Duration::from_secs(5));
        world.set_offline(bob, false);
        world.pass(MINUTE);
    }
    let texts = world.texts(bob, b);
    assert_eq!(texts.len(), 8, "{texts:?}");
    assert_eq!(world.chats(bob)[0].title, "Garden 3");
}

#[test]
fn entries_of_another_mailbox_and_invented_numbers_change_nothing() {
    let (mut world, [alice, bob, carol], [a, b, c]) = three(87);
    let stolen: Rc<RefCell<Vec<proto::Entry>>> = Rc::default();
    let shared = Rc::clone(&stolen);
    world.tamper = Box::new(move |person, said| {
        if let Some(Said::Deliver(deliver)) = &mut said.body {
            if person == carol {
                shared.borrow_mut().extend(deliver.entries.clone());
            }
            if person == bob {
                deliver.entries.extend(shared.borrow().iter().cloned().map(|mut entry| {
                    entry.sequence += 1_000_000;
                    entry
                }));
            }
        }
    });
    for n in 0..3 {
        world.write(alice, a, &format!("a{n}"));
        world.write(carol, c, &format!("c{n}"));
    }
    world.pass(MINUTE);
    assert!(!stolen.borrow().is_empty());
    assert_eq!(world.texts(bob, b).len(), 6);
    honest(&mut world);
    world.kill(bob);
    world.switch_on(bob);
    world.write(alice, a, "and one more");
    world.pass(MINUTE);
    assert_eq!(heard(&mut world, bob, b, "and one more"), 1);
}

#[test]
fn a_commit_frame_without_its_header_is_no_commit() {
    let (mut world, [alice, bob, carol], [a, b, _]) = three(88);
    let mut mallory = world.turn(carol);
    let room = mallory.rooms()[0];
    let group = mallory.group(&room);
    let commit = mallory.commit(&room, Change::default());
    let send = mallory.send(&group, commit.frame.to_vec());
    assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
    world.pass(MINUTE);
    for (person, id) in [(alice, a), (bob, b)] {
        assert_eq!(writable(&mut world, person, id), Writable::Yes);
        world.write(person, id, &format!("from {person}"));
    }
    world.pass(MINUTE);
    assert_eq!(world.texts(alice, a).len(), 2);
    assert_eq!(world.texts(bob, b).len(), 2);
}

#[test]
fn frames_that_pretend_to_be_of_a_later_epoch_stop_nobody() {
    let (mut world, [alice, bob, carol], [a, b, _]) = three(89);
    let mut mallory = world.turn(carol);
    let room = mallory.rooms()[0];
    for n in 0..20u8 {
        let text = content::encode(&Content::Text("junk".into()).into(), [n; 16]);
        let mut send = mallory.seal(&room, text);
        // The epoch stands in the open, after version, wire format and the 32-byte group id.
        let mut frame = send.frame.to_vec();
        let at = frame.windows(32).position(|part| part == room.as_bytes()).unwrap() + 32;
        frame[at] = 1;
        send.frame = frame.into();
        assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
        world.run();
    }
    for (person, id) in [(alice, a), (bob, b)] {
        world.write(person, id, &format!("at once from {person}"));
    }
    world.pass(Duration::from_secs(1));
    assert_eq!(world.texts(alice, a).len(), 2);
    assert_eq!(world.texts(bob, b).len(), 2);
    let before = world.requests;
    world.pass(HOUR);
    assert!(world.requests - before < 60, "{}", world.requests - before);
    assert_eq!(writable(&mut world, bob, b), Writable::Yes);
    let rename = Command::GroupRename { conversation: a, title: "Allotment".into() };
    world.ask(alice, rename);
    world.pass(MINUTE);
    assert_eq!(world.chats(bob)[0].title, "Allotment");
}

// ---- what is answered, or not ------------------------------------------------------------------

#[test]
fn a_lookup_that_is_never_answered_holds_up_its_own_room_alone() {
    let (mut world, [alice, bob, carol], [a, b, c]) = three(90);
    let dave = world.register("dave");
    world.fate = Box::new(move |person, _, request| {
        let lookup = matches!(request.body, Some(Ask::Lookup(_)));
        if person == bob && lookup { Fate::NeverAnswered } else { Fate::Arrives }
    });
    let other = group(&mut world, carol, "Choir", &["alice", "bob"]);
    world.accept(alice);
    let b2 = world.accept(bob).id;
    world.pass(MINUTE);
    let add = Command::GroupAdd { conversation: a, handle: "dave".into() };
    assert_eq!(world.ask(alice, add), Reply::Done);
    world.pass(Duration::from_secs(10));
    world.accept(dave);
    world.write(alice, a, "hello dave");
    world.write(carol, other, "choir tonight");
    world.pass(MINUTE);
    assert_eq!(heard(&mut world, carol, c, "hello dave"), 1);
    assert_eq!(heard(&mut world, bob, b2, "choir tonight"), 1);
    assert_eq!(heard(&mut world, bob, b, "hello dave"), 0);
    world.write(bob, b2, "coming");
    world.write(bob, b, "is anybody there");
    let before = world.requests;
    world.pass(2 * HOUR);
    assert!(world.requests - before < 400, "{}", world.requests - before);
    assert_eq!(heard(&mut world, carol, other, "coming"), 1);
    // After an hour it says so; nobody is blamed and no other room is made.
    assert_eq!(writable(&mut world, bob, b), Writable::Stuck);
    honest(&mut world);
    world.pass(10 * MINUTE);
    assert_eq!(writable(&mut world, bob, b), Writable::Yes);
    assert_eq!(heard(&mut world, alice, a, "is anybody there"), 1);
    let gardens = world.chats(bob).iter().filter(|chat| chat.title == "Garden").count();
    assert_eq!(gardens, 1);
}

#[test]
fn a_commit_whose_proposal_was_withheld_waits_and_is_helped() {
    let (mut world, [alice, bob, carol], [a, b, c]) = three(91);
    // Bob's wish to leave is kept from Carol; Alice's commit that carries it out is not.
    let mut withheld = false;
    bodies(&mut world, carol, move |body| {
        let first = matches!(body, body::Body::Frame(_)) && !withheld;
        withheld |= first;
        !first
    });
    assert!(matches!(world.ask(bob, Command::GroupLeave { conversation: b }), Reply::Done));
    world.pass(MINUTE);
    world.write(alice, a, "without bob");
    world.write(carol, c, "what happened");
    world.pass(Duration::from_secs(1800));
    assert_eq!(heard(&mut world, carol, c, "without bob"), 0);
    assert_eq!(writable(&mut world, carol, c), Writable::Yes);
    world.pass(HOUR);
    // Alice, who got on, added her again.
    assert_eq!(writable(&mut world, carol, c), Writable::Yes);
    assert_eq!(heard(&mut world, alice, a, "what happened"), 1);
    // What was said without her never reaches her, and she is told so.
    let says = world
        .rows(carol, c)
        .into_iter()
        .any(|row| row.content == nodoor_view::model::Content::System(SystemLine::MayBeMissing));
    assert!(says);
    world.write(alice, a, "welcome back");
    world.pass(MINUTE);
    assert_eq!(heard(&mut world, carol, c, "welcome back"), 1);
    let chats = world.chats(carol);
    assert_eq!(chats.iter().filter(|chat| chat.title == "Garden").count(), 1);
}

#[test]
fn a_server_that_says_stale_for_ever_is_not_asked_for_ever() {
    let (mut world, [alice, bob, _], [a, b, _]) = three(92);
    answers(&mut world, alice, |answer| {
        if matches!(answer, Answer::Done(_)) {
            *answer = refusal(Code::StaleEpoch, 0);
        }
    });
    world.write(alice, a, "stale");
    world.pass(MINUTE);
    let before = world.requests;
    world.pass(HOUR);
    assert!(world.requests - before < 120, "{}", world.requests - before);
    honest(&mut world);
    world.pass(HOUR);
    assert_eq!(heard(&mut world, bob, b, "stale"), 1);
    assert_eq!(world.states(alice, a).pop(), Some(SendState::Delivered));
}

#[test]
fn a_server_that_answers_nonsense_is_not_asked_for_ever() {
    for kind in 0..4 {
        let (mut world, [alice, bob, _], [a, b, _]) = three(93 + kind);
        world.tamper = Box::new(move |person, said| {
            if let Some(Said::Answer(answer)) = &mut said.body
                && person == alice
            {
                answer.body = match kind {
                    0 => None,
                    1 => Some(Answer::Done(proto::Done {})),
                    2 => Some(refusal(Code::SlowDown, 0)),
                    _ => Some(Answer::Commits(proto::CommitsAnswer::default())),
                };
            }
        });
        world.write(alice, a, "hello");
        let rename = Command::GroupRename { conversation: a, title: "Allotment".into() };
        world.ask(alice, rename);
        let add = Command::GroupAdd { conversation: a, handle: "nobody".into() };
        world.begin(alice, add);
        let before = world.requests;
        world.pass(10 * MINUTE);
        assert!(world.requests - before < 300, "{kind}: {}", world.requests - before);
        honest(&mut world);
        world.pass(HOUR);
        world.write(bob, b, "back");
        world.pass(MINUTE);
        assert_eq!(heard(&mut world, alice, a, "back"), 1, "{kind}");
    }
}

#[test]
fn our_own_commit_is_the_yes_wherever_it_comes_from() {
    let (mut world, [alice, bob, _], [a, b, _]) = three(100);
    let mut lied = 0;
    answers(&mut world, alice, move |answer| {
        if matches!(answer, Answer::Done(_)) && lied < 3 {
            lied += 1;
            *answer = refusal(if lied == 2 { Code::Forbidden } else { Code::StaleEpoch }, 0);
        }
    });
    let rename = Command::GroupRename { conversation: a, title: "Allotment".into() };
    world.ask(alice, rename);
    world.pass(5 * MINUTE);
    assert_eq!(world.chats(alice)[0].title, "Allotment");
    assert_eq!(writable(&mut world, alice, a), Writable::Yes);
    world.write(bob, b, "nice");
    world.write(alice, a, "thanks");
    world.pass(5 * MINUTE);
    assert_eq!(heard(&mut world, alice, a, "nice"), 1);
    assert_eq!(heard(&mut world, bob, b, "thanks"), 1);
}

#[test]
fn a_refused_login_is_neither_hidden_nor_hammered() {
    let mut world = World::new(101);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(bob, "alice", "are you there");
    for code in [Code::Unauthorised, Code::SlowDown] {
        answers(&mut world, alice, move |answer| {
            if matches!(answer, Answer::Login(_)) {
                *answer = refusal(code, if code == Code::SlowDown { 30 } else { 0 });
            }
        });
        world.kill(alice);
        world.device(alice).events.clear();
        world.switch_on(alice);
        let before = world.requests;
        world.pass(10 * MINUTE);
        assert!(world.requests - before < 40, "{code:?} {}", world.requests - before);
        let online = Event::Connection { state: Connection::Online };
        assert!(!world.person(alice).events.contains(&online), "{code:?}");
        honest(&mut world);
        if code == Code::SlowDown {
            // It tries again by itself.
            world.pass(MINUTE);
            assert!(world.person(alice).events.contains(&online));
        }
    }
}
