// SPDX-License-Identifier: AGPL-3.0-or-later
//! What fails or is refused on the way: a full disk, lost answers, another server. Nothing is lost, and the person hears
//! of what she can do something about.

use std::{cell::Cell, rc::Rc, time::Duration};

use ciborium::Value;
use nodoor_client::store::Store as _;
use nodoor_e2ee::{
    group::Change,
    identity::Identity,
    payload::{Payload, Slot},
    room::{RoomContext, RoomKind},
};
use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    model::{Problem, ProblemKind, SendState},
};
use nodoor_wire::{
    code::Code,
    id::{DeviceId, RoomId},
    proto::{self, answer::Body as Answer, from_server::Body as Said, request::Body as Ask},
};
use sha2::Digest as _;

const MINUTE: Duration = Duration::from_secs(60);

fn count(texts: &[String], text: &str) -> usize {
    texts.iter().filter(|line| line.ends_with(&format!(": {text}"))).count()
}

/// Alice and Bob, who accepted her, and what each calls the chat.
fn two(seed: u64) -> (World, [usize; 2], [nodoor_view::model::ConversationId; 2]) {
    let mut world = World::new(seed);
    let people = [world.register("alice"), world.register("bob")];
    let a = world.say(people[0], "bob", "hello").conversation;
    let b = world.accept(people[1]).id;
    world.pass(MINUTE);
    (world, people, [a, b])
}

#[test]
fn what_comes_while_the_disk_is_full_is_read_when_it_is_not() {
    let (mut world, [alice, bob], [a, b]) = two(500);
    world.write(alice, a, "before");
    world.run();
    world.device(bob).disk_full.set(true);
    world.write(alice, a, "first of the flood");
    world.write(alice, a, "second of the flood");
    world.run();
    assert!(world.device(bob).events.contains(&Event::DiskTrouble));
    // An ask is answered, and one that waits for the server as well.
    let set = Command::SetDraft { conversation: b, text: "I".into() };
    let refused = world.ask(bob, set);
    assert!(matches!(refused, Reply::Problem(Problem { kind: ProblemKind::Disk, .. })));
    world.device(bob).disk_full.set(false);
    world.write(alice, a, "after");
    world.pass(MINUTE);
    let texts = world.texts(bob, b);
    for text in ["before", "first of the flood", "second of the flood", "after"] {
        assert_eq!(count(&texts, text), 1, "{text}: {texts:?}");
    }
    world.write(bob, b, "I am here");
    world.pass(MINUTE);
    assert_eq!(count(&world.texts(alice, a), "I am here"), 1);
}

#[test]
fn entries_after_ones_that_were_not_written_are_not_taken() {
    // A driver that hands frames in although the step before failed: the engine takes none of them.
    let (mut world, [alice, bob], [a, b]) = two(501);
    world.device(bob).disk_full.set(true);
    let held = Rc::new(Cell::new(None));
    let keep = Rc::clone(&held);
    world.tamper = Box::new(move |person, said| {
        if let (1, Some(Said::Deliver(deliver))) = (person, &said.body) {
            keep.set(Some(deliver.clone()));
        }
    });
    world.write(alice, a, "unwritten");
    world.run();
    let mut later = held.take().unwrap();
    later.entries[0].sequence += 1;
    world.device(bob).disk_full.set(false);
    let acks = Rc::new(Cell::new(0));
    let seen = Rc::clone(&acks);
    world.fate = Box::new(move |person, _, request| {
        if person == 1 && matches!(request.body, Some(Ask::Ack(_))) {
            seen.set(seen.get() + 1);
        }
        Fate::Arrives
    });
    world.hear(bob, nodoor_client::io::Wire::Login, Said::Deliver(later));
    world.run();
    assert_eq!(acks.get(), 0);
    world.pass(MINUTE);
    assert_eq!(count(&world.texts(bob, b), "unwritten"), 1);
}

#[test]
fn key_packages_are_handed_out_only_once_their_tokens_are_known() {
    let mut world = World::new(502);
    let _alice = world.register("alice");
    let refused = Rc::new(Cell::new(3));
    let left = Rc::clone(&refused);
    world.tamper = Box::new(move |person, said| {
        if let (1, Some(Said::Answer(answer))) = (person, &mut said.body)
            && matches!(answer.body, Some(Answer::Done(_)))
            && left.get() > 0
        {
            left.set(left.get() - 1);
            let code = Code::Internal.number();
            answer.body = Some(Answer::Refusal(proto::Refusal { code, ..Default::default() }));
        }
    });
    let order = Rc::new(Cell::new((0, 0)));
    let seen = Rc::clone(&order);
    world.fate = Box::new(move |person, _, request| {
        let (mut tokens, mut packages) = seen.get();
        if person == 1 {
            match request.body {
                // Nothing that is refused reaches the server's disk either.
                Some(Ask::TokenPut(_)) => tokens += 1,
                Some(Ask::KeyPackagePut(_)) => packages += 1,
                _ => {}
            }
        }
        seen.set((tokens, packages));
        Fate::Arrives
    });
    let bob = world.register("bob");
    assert_eq!(order.get(), (1, 0), "packages went out before the yes to their tokens");
    world.pass(5 * MINUTE);
    let (tokens, packages) = order.get();
    assert!(tokens > 1 && packages == 1, "{tokens} {packages}");
    assert_eq!(refused.get(), 0);
    world.say(0, "bob", "at last");
    world.pass(MINUTE);
    assert_eq!(world.requests(bob)[0].text, "at last");
}

#[test]
fn a_token_is_forgotten_at_the_server_whatever_answer_is_lost() {
    let (mut world, [alice, bob], [a, b]) = two(503);
    let lost = Rc::new(Cell::new(3));
    let left = Rc::clone(&lost);
    world.fate = Box::new(move |person, _, request| {
        let deletes = matches!(request.body, Some(Ask::TokenDelete(_)));
        if person == 1 && deletes && left.get() > 0 {
            left.set(left.get() - 1);
            return Fate::RequestLost;
        }
        Fate::Arrives
    });
    let block = Command::Block { conversation: b };
    assert!(!matches!(world.ask(bob, block), Reply::Problem(_)));
    world.pass(5 * MINUTE);
    assert_eq!(lost.get(), 0);
    // What Alice writes now reaches nobody, and Bob's mailbox stays empty.
    let delivered = Rc::new(Cell::new(0));
    let seen = Rc::clone(&delivered);
    world.tamper = Box::new(move |person, said| {
        if let (1, Some(Said::Deliver(deliver))) = (person, &said.body) {
            seen.set(seen.get() + deliver.entries.len());
        }
    });
    world.write(alice, a, "are you there?");
    world.pass(MINUTE);
    assert_eq!(delivered.get(), 0);
}

#[test]
fn what_was_deleted_and_brought_back_or_tried_again_is_read_once() {
    let (mut world, [alice, bob], [a, b]) = two(504);
    // On its way, without an answer, when its writer deletes it and takes that back.
    world.fate = Box::new(|person, _, request| {
        let sends = person == 0 && matches!(request.body, Some(Ask::Send(_)));
        if sends { Fate::NeverAnswered } else { Fate::Arrives }
    });
    let id = world.write(alice, a, "once").id;
    world.run();
    assert_eq!(world.ask(alice, Command::DeleteForMe { message: id }), Reply::Done);
    world.fate = Box::new(|_, _, _| Fate::Arrives);
    world.cut(alice);
    world.pass(MINUTE / 2);
    assert_eq!(world.ask(alice, Command::Undelete { message: id }), Reply::Done);
    world.pass(MINUTE);
    assert_eq!(count(&world.texts(bob, b), "once"), 1);
    assert_ne!(world.states(alice, a).pop().unwrap(), SendState::Waiting);

    // Done by the server, whose yes never comes: "not sent" after a week, and then again.
    let mut first = true;
    world.fate = Box::new(move |person, _, request| {
        let sends = person == 0 && matches!(request.body, Some(Ask::Send(_)));
        match sends {
            true if std::mem::take(&mut first) => Fate::AnswerLost,
            true => Fate::NeverAnswered,
            false => Fate::Arrives,
        }
    });
    let row = world.write(alice, a, "twice?");
    world.run();
    world.set_offline(alice, true);
    world.pass(Duration::from_secs(8 * 24 * 3600));
    let again = world.rows(alice, a).pop().unwrap();
    assert!(matches!(again.state, Some(SendState::NotSent { .. })), "{:?}", again.state);
    assert_eq!(world.ask(alice, Command::Retry { message: row.id }), Reply::Done);
    world.fate = Box::new(|_, _, _| Fate::Arrives);
    world.set_offline(alice, false);
    world.pass(MINUTE);
    assert_eq!(count(&world.texts(bob, b), "twice?"), 1);
    assert_eq!(world.rows(alice, a).pop().unwrap().reference, again.reference);
}

#[test]
fn another_server_on_either_connection_is_asked_nothing() {
    for wire in [proto::ConnectionKind::Login, proto::ConnectionKind::Anonymous] {
        let (mut world, [alice, _], [a, _]) = two(505);
        let kind = Rc::new(Cell::new(0));
        let (told, heard) = (Rc::clone(&kind), Rc::clone(&kind));
        let asked = Rc::new(Cell::new(0));
        let seen = Rc::clone(&asked);
        world.fate = Box::new(move |person, on, request| {
            match &request.body {
                Some(Ask::Hello(hello)) if person == 0 => told.set(hello.kind),
                Some(_) if person == 0 && on == nodoor_client::io::Wire::Anonymous => {
                    seen.set(seen.get() + 1);
                }
                _ => {}
            }
            Fate::Arrives
        });
        world.tamper = Box::new(move |person, said| {
            if let (0, Some(Said::Answer(answer))) = (person, &mut said.body)
                && let Some(Answer::Hello(hello)) = &mut answer.body
                && heard.get() == i32::from(wire)
            {
                hello.deployment = vec![9; 16].into();
            }
        });
        world.cut(alice);
        world.write(alice, a, "for our server");
        world.pass(MINUTE);
        if wire == proto::ConnectionKind::Anonymous {
            assert_eq!(asked.get(), 0);
        }
        let problem = Problem { kind: ProblemKind::Forged, code: 0, wait_seconds: 0 };
        assert!(world.device(alice).events.contains(&Event::ServerUnfit { problem }));
    }
}

#[test]
fn a_server_of_another_version_is_said_to_be_one() {
    let mut world = World::new(506);
    world.tamper = Box::new(|_, said| {
        if let Some(Said::Answer(answer)) = &mut said.body
            && let Some(Answer::Hello(_)) = &answer.body
        {
            let code = Code::Version.number();
            answer.body = Some(Answer::Refusal(proto::Refusal { code, ..Default::default() }));
        }
    });
    let alice = world.begin_without_account("alice");
    let register = Command::Register { handle: "alice".into(), ticket: String::new() };
    let reply = world.ask(alice, register);
    assert!(matches!(reply, Reply::Problem(Problem { kind: ProblemKind::Version, .. })));
    let unfit = |event: &Event| matches!(event, Event::ServerUnfit { problem } if problem.kind == ProblemKind::Version);
    assert_eq!(world.device(alice).events.iter().filter(|event| unfit(event)).count(), 1);
}

#[test]
fn a_mailbox_key_that_the_server_does_not_take_costs_no_letter() {
    let (mut world, [alice, bob], [a, b]) = two(507);
    // Four months in which the server says no to every new key.
    world.fate = Box::new(|person, _, request| {
        let renews = person == 1 && matches!(request.body, Some(Ask::MailboxKeyPut(_)));
        if renews { Fate::NeverAnswered } else { Fate::Arrives }
    });
    for month in 0..5 {
        world.set_offline(bob, true);
        world.pass(Duration::from_secs(31 * 24 * 3600));
        world.write(alice, a, &format!("month {month}"));
        world.run();
        world.set_offline(bob, false);
        world.pass(MINUTE);
    }
    let texts = world.texts(bob, b);
    for month in 0..5 {
        assert_eq!(count(&texts, &format!("month {month}")), 1, "{texts:?}");
    }
}

#[test]
fn a_strangers_frames_take_no_place_from_a_friends() {
    let (mut world, [alice, bob], [a, b]) = two(508);
    let mallory = world.register("mallory");
    world.say(mallory, "alice", "who am I");
    // With a token of Bob's she makes a room he is not in, and fills it with frames of nothing.
    let bobs = {
        let one = world.turn(bob);
        let account = one.account;
        world.give_back(one);
        account
    };
    let take = proto::KeyPackageTake { account: bobs.to_bytes(), devices: Vec::new() };
    let Answer::KeyPackageTake(taken) = world.request(Ask::KeyPackageTake(take)) else {
        panic!("no key package");
    };
    let leaf = nodoor_e2ee::key_package::inspect(&taken.packages[0].key_package).unwrap();
    let room = RoomId([0x55; 32]);
    let key = [0x66; 32];
    let roster = nodoor_wire::roster::Roster::new(vec![leaf.token.0], vec![[7; 32]]).unwrap();
    let found = proto::RoomFound {
        room: room.to_bytes(),
        key_check: <[u8; 32]>::from(sha2::Sha256::digest(key)).to_vec().into(),
        roster: roster.seal(&key, &room, 0).into(),
    };
    assert!(matches!(world.request(Ask::RoomFound(found)), Answer::Done(_)));
    for n in 0..300_u32 {
        let mut frame = vec![0; 1000];
        frame[..4].copy_from_slice(&n.to_be_bytes());
        let transport = [n.to_be_bytes(), n.to_be_bytes(), [1; 4], [2; 4]].concat();
        let send = proto::Send {
            room: room.to_bytes(),
            epoch: 0,
            key: key.to_vec().into(),
            transport_id: transport.into(),
            frame: frame.into(),
            quiet: false,
        };
        assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)));
    }
    world.pass(MINUTE);
    world.kill(bob);
    let keys = world.disk(bob).keys(b"k/", b"k0", usize::MAX).unwrap().len();
    assert!(keys <= 128, "{keys}");
    world.switch_on(bob);
    world.write(alice, a, "still there");
    world.pass(MINUTE);
    assert_eq!(count(&world.texts(bob, b), "still there"), 1);
    // After an hour nothing of it is left.
    world.pass(2 * 60 * MINUTE);
    world.kill(bob);
    world.switch_on(bob);
    world.kill(bob);
    assert!(world.disk(bob).keys(b"k/", b"k0", usize::MAX).unwrap().is_empty());
}

#[test]
fn copies_of_a_strangers_welcome_keep_nobody_out() {
    let (mut world, [alice, bob], [a, _]) = two(509);
    let (mallory, carol) = (world.register("mallory"), world.register("carol"));
    let bobs = {
        let one = world.turn(bob);
        let account = one.account;
        world.give_back(one);
        account
    };
    // Her leaf names a version of her list that will never be: nobody can decide about it.
    let mut mallory = world.turn(mallory);
    mallory.identity = Identity::new(mallory.account, DeviceId([1; 16]), u32::MAX, [9; 32]);
    let room = RoomId([0x77; 32]);
    let kind = RoomKind::direct(mallory.account, bobs);
    let context = RoomContext::new(kind, mallory.account, "");
    mallory.found(&mut world, room, context);
    let take = proto::KeyPackageTake { account: bobs.to_bytes(), devices: Vec::new() };
    let Answer::KeyPackageTake(taken) = world.request(Ask::KeyPackageTake(take)) else {
        panic!("no key package");
    };
    let add = vec![taken.packages[0].key_package.to_vec()];
    let mut commit = mallory.commit(&room, Change { add, ..Change::default() });
    commit.welcomes = vec![commit.welcomes[0].clone(); 300];
    mallory.sign(&room, &mut commit);
    // While the server answers no look-up all of them wait; no more than one does.
    world.tamper = Box::new(|person, said| {
        if let (1, Some(Said::Answer(answer))) = (person, &mut said.body)
            && matches!(answer.body, Some(Answer::Lookup(_)))
        {
            let code = Code::Internal.number();
            answer.body = Some(Answer::Refusal(proto::Refusal { code, ..Default::default() }));
        }
    });
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(MINUTE);
    let held = |world: &mut World| {
        world.kill(bob);
        let held = world.disk(bob).keys(b"w/", b"w0", usize::MAX).unwrap().len();
        world.switch_on(bob);
        held
    };
    assert_eq!(held(&mut world), 1);
    world.say(carol, "bob", "may I");
    world.pass(MINUTE);
    world.tamper = Box::new(|_, _| {});
    world.pass(10 * MINUTE);
    assert_eq!(world.requests(bob)[0].text, "may I");
    assert_eq!(held(&mut world), 0);
    world.write(alice, a, "still there");
    world.pass(MINUTE);
}

#[test]
fn what_is_written_without_a_connection_has_its_id_at_once() {
    let (mut world, [alice, bob], [a, b]) = two(510);
    world.set_offline(alice, true);
    let sent = world.say(alice, "bob", "from the train");
    assert_eq!((sent.conversation, sent.reference.len()), (a, 64));
    world.set_offline(alice, false);
    world.pass(MINUTE);
    let read = world.rows(bob, b).pop().unwrap();
    assert_eq!(read.reference, sent.reference);
}

#[test]
fn a_message_can_be_reported_long_after_it_came() {
    let (mut world, [alice, bob], _) = two(511);
    let alices = world.turn(alice);
    let device_key = alices.device_key.verifying_key().to_bytes();
    world.give_back(alices);
    let bobs = world.turn(bob);
    let theirs: Vec<Value> = bobs
        .disk
        .rows("m/")
        .iter()
        .map(|(_, row)| ciborium::from_reader(row.as_slice()).unwrap())
        .filter(|row| !field(row, "report").is_null())
        .collect();
    let [row] = theirs.as_slice() else { panic!("{} messages", theirs.len()) };
    let content = field(field(row, "content"), "Content").as_bytes().unwrap().clone();
    let report = field(row, "report");
    let number = |value: &Value| u64::try_from(value.as_integer().unwrap()).unwrap();
    let room = field(report, "room").as_bytes().unwrap();
    let slot = Slot {
        room: RoomId::try_from(room.as_slice()).unwrap(),
        epoch: number(field(report, "epoch")),
        leaf: u32::try_from(number(field(report, "leaf"))).unwrap(),
    };
    let payload = Payload {
        content,
        sent_at_ms: number(field(row, "sent_at")),
        signature: field(report, "signature").as_bytes().unwrap().clone().try_into().unwrap(),
        epoch_authenticator: Vec::new(),
        gossip: None,
    };
    assert_eq!(payload.verify(&slot, &device_key), Ok(()));
    let earlier = Payload { sent_at_ms: payload.sent_at_ms - 1, ..payload };
    assert!(earlier.verify(&slot, &device_key).is_err());
}

fn field<'r>(row: &'r Value, name: &str) -> &'r Value {
    let fields = row.as_map().unwrap();
    &fields.iter().find(|(key, _)| key.as_text() == Some(name)).unwrap().1
}
