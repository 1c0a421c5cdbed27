// SPDX-License-Identifier: AGPL-3.0-or-later
//! Tokens of the anonymous connection: everybody's, verified, each shown once; without them the rooms wait.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

use nodoor_client::io::Wire;
use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::Command,
    event::Event,
    model::{ProblemKind, SendState},
};
use nodoor_wire::{
    code::Code,
    proto::{self, answer::Body as Answer, from_server, request::Body as Ask},
};
use voprf::{BlindedElement, Group as _, Ristretto255, VoprfServer};

use crate::devices::link;

const HOUR: Duration = Duration::from_secs(3600);
/// Everything is logged, tokens are there.
const SETTLED: Duration = Duration::from_secs(10);

fn strict(seed: u64) -> World {
    let mut world = World::with_tokens_needed(seed);
    world.publish();
    world
}

/// What went out on a person's anonymous connections, and the batches asked for.
#[derive(Default)]
struct Seen {
    asked: Vec<(usize, u64, Ask)>,
    shown: Vec<proto::SpentToken>,
    batches: Vec<proto::TokenIssue>,
}

impl Seen {
    fn nonces(&self) -> BTreeSet<Vec<u8>> {
        self.shown.iter().map(|token| token.nonce.to_vec()).collect()
    }

    fn each_once(&self) {
        assert_eq!(self.nonces().len(), self.shown.len(), "a token was shown twice");
    }
}

/// Watches the network without touching it.
fn watch(world: &mut World) -> Rc<RefCell<Seen>> {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let into = Rc::clone(&seen);
    world.fate = Box::new(move |person, wire, request| {
        into.borrow_mut().see(person, wire, request);
        Fate::Arrives
    });
    seen
}

impl Seen {
    fn see(&mut self, person: usize, wire: Wire, request: &proto::Request) {
        let body = request.body.clone().unwrap();
        if let Ask::Hello(hello) = &body {
            self.shown.extend(hello.token.clone());
            assert!(hello.token.is_none() || wire == Wire::Anonymous, "a token names us");
        }
        if let Ask::TokenIssue(issue) = &body {
            self.batches.push(issue.clone());
        }
        if wire == Wire::Anonymous {
            self.asked.push((person, request.id, body));
        }
    }
}

fn is_about_a_room(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Send(_)
            | Ask::Commit(_)
            | Ask::RoomFound(_)
            | Ask::CatchUp(_)
            | Ask::KeyPackageTake(_)
    )
}

fn told(world: &World, person: usize, kind: ProblemKind) -> usize {
    let is =
        |event: &&Event| matches!(event, Event::ServerUnfit { problem } if problem.kind == kind);
    world.person(person).events.iter().filter(is).count()
}

fn refusal(code: Code, retry_after_seconds: u32) -> Option<from_server::Body> {
    let refusal = proto::Refusal { code: code.number(), retry_after_seconds };
    Some(from_server::Body::Answer(proto::Answer { id: 0, body: Some(Answer::Refusal(refusal)) }))
}

/// Puts a refusal in the place of an answer.
fn refuse(message: &mut proto::FromServer, code: Code, seconds: u32) {
    if let Some(from_server::Body::Answer(answer)) = &mut message.body
        && let Some(from_server::Body::Answer(other)) = refusal(code, seconds)
    {
        answer.body = other.body;
    }
}

fn answer(message: &mut proto::FromServer) -> Option<&mut Answer> {
    match &mut message.body {
        Some(from_server::Body::Answer(answer)) => answer.body.as_mut(),
        _ => None,
    }
}

#[test]
fn where_tokens_are_needed_people_talk_and_each_token_is_shown_once() {
    let mut world = strict(1);
    let seen = watch(&mut world);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    world.say(alice, "bob", "hello");
    world.pass(SETTLED);
    let chat = world.accept(bob).id;
    world.pass(SETTLED);
    for round in 0..3 {
        world.write(bob, chat, &format!("round {round}"));
        world.cut(alice);
        world.cut(bob);
        world.pass(Duration::from_secs(10));
    }
    let lines = world.texts(bob, chat);
    assert_eq!(lines, ["alice: hello", "me: round 0", "me: round 1", "me: round 2"]);
    let seen = seen.borrow();
    assert!(seen.shown.len() >= 4, "{}", seen.shown.len());
    seen.each_once();
}

#[test]
fn what_was_asked_before_there_was_an_account_is_on_no_connection_that_shows_a_token() {
    let mut world = strict(2);
    let seen = watch(&mut world);
    let alice = world.begin_without_account("alice");
    world.ask(alice, Command::CheckHandle { handle: "alice".into() });
    let register = Command::Register { handle: "alice".into(), ticket: String::new() };
    world.ask(alice, register);
    let bob = world.register("bob");
    world.pass(SETTLED);
    world.say(alice, "bob", "hello");
    world.pass(SETTLED);
    assert_eq!(world.requests(bob).len(), 1);
    let mut knows = false;
    let mut shown = 0;
    for (person, id, ask) in &seen.borrow().asked {
        match ask {
            _ if *person != alice => {}
            Ask::Lookup(of) => {
                knows |= of.of == Some(proto::lookup::Of::Handle("alice".into()));
            }
            Ask::Hello(hello) => {
                knows &= *id != 1;
                shown += usize::from(hello.token.is_some());
                assert!(hello.token.is_none() || !knows, "the token is known to be Alice's");
            }
            _ => {}
        }
    }
    assert!(shown > 0);
}

#[test]
fn olga_cannot_mark_a_person_by_a_batch_under_a_key_of_its_own() {
    let mut world = strict(3);
    let seen = watch(&mut world);
    let marking =
        VoprfServer::<Ristretto255>::new_from_seed(&[66; 32], b"for Alice alone").unwrap();
    let batches = Rc::clone(&seen);
    world.tamper = Box::new(move |_, message| {
        let Some(Answer::TokenIssue(issue)) = answer(message) else { return };
        let batch = batches.borrow().batches.last().cloned().unwrap();
        evaluate(&marking, &batch, issue);
    });
    let alice = world.register("alice");
    world.pass(SETTLED);
    assert_eq!(told(&world, alice, ProblemKind::Forged), 1);
    world.kill(alice);
    assert_eq!(tokens_on_disk(&mut world, alice), 0);
}

#[test]
fn olga_cannot_name_one_key_to_who_logs_in_and_another_to_everybody() {
    let mut world = strict(4);
    let marking =
        VoprfServer::<Ristretto255>::new_from_seed(&[66; 32], b"for Alice alone").unwrap();
    let marking = Ristretto255::serialize_elem(marking.get_public_key()).to_vec();
    world.tamper = Box::new(move |_, message| {
        if let Some(Answer::Hello(hello)) = answer(message)
            && !hello.challenge.is_empty()
        {
            for key in &mut hello.token_keys {
                key.public_key = marking.clone().into();
            }
        }
    });
    let seen = watch(&mut world);
    let alice = world.begin_without_account("alice");
    let register = Command::Register { handle: "alice".into(), ticket: String::new() };
    world.begin(alice, register);
    world.pass(Duration::from_secs(60));
    assert!(told(&world, alice, ProblemKind::Forged) > 0);
    assert!(seen.borrow().batches.is_empty());
}

#[test]
fn a_device_that_dies_after_any_effect_shows_no_token_twice() {
    let mut most = 0;
    for n in (0..60).step_by(3) {
        let mut world = strict(100 + u64::from(n));
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        world.pass(SETTLED);
        world.say(alice, "bob", "first");
        let conversation = world.chat(alice, "bob").id;
        let seen = watch(&mut world);
        world.cut(alice);
        world.device(alice).fuse = Some(n);
        let text = "second".to_owned();
        world.begin(alice, Command::SendText { conversation, text });
        world.pass(Duration::from_secs(10));
        world.device(alice).fuse = None;
        if !world.is_on(alice) {
            world.switch_on(alice);
        }
        world.say(alice, "bob", "third");
        world.pass(Duration::from_secs(30));
        let request = world.requests(bob).remove(0).conversation;
        let last = world.texts(bob, request).pop();
        assert_eq!(last.as_deref(), Some("alice: third"), "{n}");
        seen.borrow().each_once();
        most = most.max(seen.borrow().shown.len());
    }
    assert!(most > 1, "no device died with a token on its way");
}

#[test]
fn what_is_not_on_disk_shows_no_token() {
    let mut world = strict(5);
    let (alice, _) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    let conversation = world.chat(alice, "bob").id;
    world.pass(Duration::from_secs(10));
    world.cut(alice);
    let seen = watch(&mut world);
    world.device(alice).disk_full.set(true);
    let text = "never".to_owned();
    world.begin(alice, Command::SendText { conversation, text });
    world.pass(Duration::from_secs(30));
    assert!(seen.borrow().shown.is_empty());
}

#[test]
fn a_lost_answer_to_a_token_costs_the_token_and_nothing_else() {
    let mut world = strict(6);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    world.pass(Duration::from_secs(10));
    let seen = Rc::new(RefCell::new(Seen::default()));
    let into = Rc::clone(&seen);
    let mut lost = 0;
    world.fate = Box::new(move |person, wire, request| {
        into.borrow_mut().see(person, wire, request);
        let shows = matches!(&request.body, Some(Ask::Hello(hello)) if hello.token.is_some());
        if shows && lost < 3 {
            lost += 1;
            return if lost == 1 { Fate::RequestLost } else { Fate::AnswerLost };
        }
        Fate::Arrives
    });
    world.say(alice, "bob", "hello");
    world.pass(Duration::from_secs(60));
    assert_eq!(world.requests(bob).len(), 1);
    assert!(seen.borrow().shown.len() > 3);
    seen.borrow().each_once();
}

#[test]
fn a_connection_that_is_used_up_is_followed_by_another_with_another_token() {
    let mut world = strict(7);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    world.say(alice, "bob", "hello");
    world.pass(SETTLED);
    let chat = world.accept(bob).id;
    world.pass(SETTLED);
    world.pass(Duration::from_secs(10));
    let seen = Rc::new(RefCell::new(Seen::default()));
    let into = Rc::clone(&seen);
    let sending = Rc::new(RefCell::new(false));
    let is_sending = Rc::clone(&sending);
    world.fate = Box::new(move |person, wire, request| {
        into.borrow_mut().see(person, wire, request);
        let sends = person == bob && matches!(request.body, Some(Ask::Send(_)));
        *is_sending.borrow_mut() = sends;
        Fate::Arrives
    });
    let mut used_up = false;
    world.tamper = Box::new(move |_, message| {
        if *sending.borrow() && !used_up && answer(message).is_some() {
            used_up = true;
            refuse(message, Code::SlowDown, 1);
        }
    });
    world.write(bob, chat, "again");
    world.run();
    assert_eq!(world.texts(bob, chat), ["alice: hello", "me: again"]);
    assert!(matches!(world.states(bob, chat)[..], [SendState::Sent | SendState::Delivered]));
    let ofs = world.chat(alice, "bob").id;
    assert_eq!(world.texts(alice, ofs), ["me: hello", "bob: again"]);
    let seen = seen.borrow();
    let of_bob = seen.asked.iter().filter(|(person, ..)| *person == bob);
    let shown =
        of_bob.filter(|(_, _, ask)| matches!(ask, Ask::Hello(hello) if hello.token.is_some()));
    assert_eq!(shown.count(), 1, "another connection, another token");
    seen.each_once();
}

#[test]
fn out_of_tokens_the_rooms_wait_the_person_is_told_and_nothing_names_us() {
    let mut world = strict(8);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    world.pass(Duration::from_secs(5));
    world.kill(alice);
    forget_tokens(&mut world, alice);
    let open = Rc::new(RefCell::new(false));
    let opened = Rc::clone(&open);
    let seen = Rc::new(RefCell::new(Seen::default()));
    let into = Rc::clone(&seen);
    let asks_tokens = Rc::new(RefCell::new(false));
    let asked_tokens = Rc::clone(&asks_tokens);
    world.fate = Box::new(move |person, wire, request| {
        into.borrow_mut().see(person, wire, request);
        *asked_tokens.borrow_mut() = matches!(request.body, Some(Ask::TokenIssue(_)));
        Fate::Arrives
    });
    world.tamper = Box::new(move |_, message| {
        if *asks_tokens.borrow() && !*opened.borrow() && answer(message).is_some() {
            refuse(message, Code::SlowDown, 3600);
        }
    });
    world.switch_on(alice);
    let chat = world.chat(alice, "bob").id;
    world.write(alice, chat, "patience");
    world.pass(Duration::from_secs(600));
    assert_eq!(world.states(alice, chat), [SendState::Waiting]);
    assert_eq!(told(&world, alice, ProblemKind::OutOfTokens), 1);
    let rooms = seen.borrow().asked.iter().filter(|(_, _, ask)| is_about_a_room(ask)).count();
    assert!(rooms <= 1, "asked {rooms} times without a token");
    *open.borrow_mut() = true;
    world.pass(HOUR);
    assert_eq!(world.requests(bob).len(), 1);
    assert!(matches!(world.states(alice, chat)[..], [SendState::Sent | SendState::Delivered]));
}

#[test]
fn olga_cannot_mark_a_person_by_a_key_that_the_log_does_not_name() {
    let mut world = strict(9);
    let marking =
        VoprfServer::<Ristretto255>::new_from_seed(&[66; 32], b"for Alice alone").unwrap();
    let key = Ristretto255::serialize_elem(marking.get_public_key()).to_vec();
    let batches = watch(&mut world);
    let seen = Rc::clone(&batches);
    world.tamper = Box::new(move |_, message| match answer(message) {
        // On both connections: she knows that they are Alice's.
        Some(Answer::Hello(hello)) => {
            hello.token_keys.iter_mut().for_each(|one| one.public_key = key.clone().into());
        }
        Some(Answer::TokenIssue(issue)) => {
            let batch = batches.borrow().batches.last().cloned().unwrap();
            evaluate(&marking, &batch, issue);
        }
        _ => {}
    });
    let alice = world.register("alice");
    world.pass(SETTLED);
    assert_eq!(told(&world, alice, ProblemKind::Forged), 1);
    assert!(seen.borrow().batches.is_empty());
    world.kill(alice);
    assert_eq!(tokens_on_disk(&mut world, alice), 0);
}

#[test]
fn a_server_that_proves_no_key_makes_rooms_wait_and_marks_nobody() {
    let mut world = strict(11);
    let asks = Rc::new(RefCell::new(false));
    let asked = Rc::clone(&asks);
    let seen = Rc::new(RefCell::new(Seen::default()));
    let into = Rc::clone(&seen);
    world.fate = Box::new(move |person, wire, request| {
        into.borrow_mut().see(person, wire, request);
        *asked.borrow_mut() = matches!(request.body, Some(Ask::TokenKeyGet(_)));
        Fate::Arrives
    });
    world.tamper = Box::new(move |_, message| {
        if *asks.borrow() && answer(message).is_some() {
            refuse(message, Code::LedgerWaits, 5);
        }
    });
    let (alice, _) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    world.say(alice, "bob", "hello");
    world.pass(Duration::from_secs(60));
    let chat = world.chat(alice, "bob").id;
    assert_eq!(world.states(alice, chat), [SendState::Waiting]);
    assert!(seen.borrow().batches.is_empty());
    assert_eq!(told(&world, alice, ProblemKind::OutOfTokens), 1);
}

#[test]
fn a_server_that_lost_its_keys_has_none_that_the_log_names_and_gets_no_batch() {
    let mut world = strict(12);
    let (alice, _) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    let seen = watch(&mut world);
    world.open_ledger([4; 32]);
    world.restart_server();
    world.say(alice, "bob", "hello");
    world.pass(Duration::from_secs(60));
    assert!(told(&world, alice, ProblemKind::Forged) > 0);
    let chat = world.chat(alice, "bob").id;
    assert_eq!(world.states(alice, chat), [SendState::Waiting]);
    assert!(seen.borrow().batches.is_empty());
    seen.borrow().each_once();
}

#[test]
fn on_a_connection_that_stands_the_keys_of_each_day_are_asked_for() {
    let mut world = strict(10);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    world.say(alice, "bob", "hello");
    world.pass(SETTLED);
    let chat = world.accept(bob).id;
    world.pass(SETTLED);
    let seen = watch(&mut world);
    world.epochs = false;
    for day in 0..4 {
        world.publish();
        world.pass(Duration::from_secs(25 * 3600));
        // Only the anonymous connection breaks: the login one is that of the first day.
        world.write(bob, chat, &format!("day {day}"));
        world.run();
    }
    let days: BTreeSet<u32> = seen.borrow().batches.iter().map(|batch| batch.day).collect();
    assert!(days.len() >= 4, "{days:?}");
    world.kill(bob);
    let newest = days.last().copied().unwrap();
    for (row, _) in rows(&mut world, bob) {
        let day = u32::from_be_bytes(row[2..6].try_into().unwrap());
        assert!(day + 1 >= newest, "a token that counts no more is kept");
    }
}

#[test]
fn olga_cannot_know_a_person_by_the_day_of_her_tokens() {
    // Every day's key stands in the log for ever, so an old one is everybody's, logged, and hers alone.
    let mut world = strict(13);
    let (alice, _) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    world.say(alice, "bob", "hello");
    world.pass(SETTLED);
    let first = day_of(world.now());
    world.epochs = false;
    for _ in 0..2 {
        world.publish();
        world.pass(Duration::from_secs(25 * 3600));
    }
    world.publish();
    world.kill(alice);
    forget_tokens(&mut world, alice);
    let info = [b"nodoor tokens v1".as_slice(), &first.to_be_bytes()].concat();
    let key = VoprfServer::<Ristretto255>::new_from_seed(&[3; 32], &info).unwrap();
    let public = Ristretto255::serialize_elem(key.get_public_key()).to_vec();
    let asks = Rc::new(RefCell::new(None));
    let asked = Rc::clone(&asks);
    let seen = Rc::new(RefCell::new(Seen::default()));
    let into = Rc::clone(&seen);
    world.fate = Box::new(move |person, wire, request| {
        into.borrow_mut().see(person, wire, request);
        *asked.borrow_mut() = match &request.body {
            Some(Ask::TokenIssue(issue)) if issue.day == first => Some(issue.clone()),
            _ => None,
        };
        Fate::Arrives
    });
    world.tamper = Box::new(move |person, message| match answer(message) {
        Some(Answer::Hello(hello)) if person == alice && !hello.challenge.is_empty() => {
            let public_key = public.clone().into();
            hello.token_keys = vec![proto::TokenKey { day: first, public_key }];
        }
        Some(body) => {
            if let Some(batch) = &*asks.borrow() {
                let mut issue = proto::TokenIssueAnswer::default();
                evaluate(&key, batch, &mut issue);
                *body = Answer::TokenIssue(issue);
            }
        }
        None => {}
    });
    world.switch_on(alice);
    let chat = world.chat(alice, "bob").id;
    world.write(alice, chat, "who am I");
    world.pass(Duration::from_secs(60));
    let days: BTreeSet<u32> = seen.borrow().shown.iter().map(|token| token.day).collect();
    assert!(!days.contains(&first), "the day of a token says whose it is");
    assert!(seen.borrow().batches.is_empty(), "tokens of a day that is over were taken");
    assert_eq!(world.states(alice, chat).last(), Some(&SendState::Waiting));
    assert!(
        told(&world, alice, ProblemKind::Forged) + told(&world, alice, ProblemKind::OutOfTokens)
            > 0
    );
}

#[test]
fn a_token_is_shown_only_where_its_day_is_everybodys() {
    // Tokens of a day that others will have tomorrow: this connection, which does not know us, names today.
    let mut world = strict(14);
    let (alice, _) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    world.say(alice, "bob", "hello");
    world.pass(SETTLED);
    let today = day_of(world.now());
    world.kill(alice);
    // As if the log and the login connection had named a day of her own.
    let kept = rows(&mut world, alice);
    let mut batch = WriteBatch::default();
    for (row, value) in kept {
        batch.writes.insert(row.clone(), None);
        let mut other = row;
        other[2..6].copy_from_slice(&(today - 9).to_be_bytes());
        batch.writes.insert(other, Some(value));
    }
    world.disk(alice).commit(batch).unwrap();
    let seen = watch(&mut world);
    world.tamper = Box::new(move |person, message| {
        if let Some(Answer::Hello(hello)) = answer(message)
            && person == alice
            && !hello.challenge.is_empty()
        {
            // Hers are not forgotten, and no new ones come.
            hello.token_keys.clear();
        }
    });
    world.switch_on(alice);
    let chat = world.chat(alice, "bob").id;
    world.write(alice, chat, "who am I");
    world.pass(Duration::from_secs(60));
    assert!(seen.borrow().shown.iter().all(|token| token.day + 1 >= today), "known by the day");
    assert_eq!(world.states(alice, chat).last(), Some(&SendState::Waiting));
}

#[test]
fn a_greeting_that_names_more_than_two_days_is_refused() {
    let mut world = strict(15);
    let alice = world.register("alice");
    world.pass(SETTLED);
    world.tamper = Box::new(move |_, message| {
        if let Some(Answer::Hello(hello)) = answer(message) {
            let oldest = hello.token_keys[0].clone();
            let older = proto::TokenKey { day: oldest.day - 30, ..oldest };
            hello.token_keys.insert(0, older);
        }
    });
    world.cut(alice);
    world.pass(SETTLED);
    assert!(told(&world, alice, ProblemKind::Forged) > 0);
}

#[test]
fn nothing_of_ones_own_is_asked_on_the_connection_that_shows_tokens() {
    let mut world = strict(16);
    let (alice, _) = (world.register("alice"), world.register("bob"));
    world.pass(SETTLED);
    let of = proto::lookup::Of::Handle("alice".into());
    let Answer::Lookup(found) = world.request(Ask::Lookup(proto::Lookup { of: Some(of) })) else {
        panic!("no account")
    };
    let names_us = move |ask: &Ask| match ask {
        Ask::Lookup(of) => of.of == Some(proto::lookup::Of::Account(found.account.clone())),
        Ask::RendezvousPut(_) | Ask::RendezvousGet(_) => true,
        // A new room's first member is the founder's other device.
        Ask::KeyPackageTake(take) => take.account == found.account,
        _ => false,
    };
    let seen = watch(&mut world);
    let laptop = link(&mut world, alice, "laptop");
    world.say(alice, "bob", "hello");
    world.pass(SETTLED);
    let told = |seen: &Seen, who: usize| {
        seen.asked.iter().any(|(person, _, ask)| *person == who && names_us(ask))
    };
    assert!(
        !told(&seen.borrow(), alice),
        "the meeting or its own lists say whose connection it is"
    );
    seen.borrow_mut().asked.clear();
    for person in [alice, laptop] {
        // With two lists each login looks at them.
        world.cut(person);
    }
    world.say(laptop, "bob", "from the laptop");
    world.pass(SETTLED);
    assert!(!told(&seen.borrow(), alice) && !told(&seen.borrow(), laptop));
    assert!(!seen.borrow().shown.is_empty());
}

fn day_of(now_ms: u64) -> u32 {
    u32::try_from(now_ms / (24 * 3_600_000)).unwrap()
}

/// What a server with this key answers to a batch.
fn evaluate(
    key: &VoprfServer<Ristretto255>,
    batch: &proto::TokenIssue,
    into: &mut proto::TokenIssueAnswer,
) {
    let blinded: Vec<_> = batch
        .blinded
        .iter()
        .map(|one| BlindedElement::<Ristretto255>::deserialize(one).unwrap())
        .collect();
    let made = key.batch_blind_evaluate(&mut Zeros, &blinded).unwrap();
    into.evaluated = made.messages.iter().map(|one| one.serialize().to_vec().into()).collect();
    into.proof = made.proof.serialize().to_vec().into();
}

// ---- the disk ------------------------------------------------------------------------------------

use nodoor_client::store::{Rows, Store as _, WriteBatch};

fn rows(world: &mut World, person: usize) -> Rows {
    world.disk(person).scan(b"p/", b"p0", false, usize::MAX).unwrap()
}

fn tokens_on_disk(world: &mut World, person: usize) -> usize {
    rows(world, person).len()
}

fn forget_tokens(world: &mut World, person: usize) {
    let mut batch = WriteBatch::default();
    for (row, _) in rows(world, person) {
        batch.writes.insert(row, None);
    }
    world.disk(person).commit(batch).unwrap();
}

/// No chance at all: Olga's proof needs none to be one.
struct Zeros;

impl rand_core_06::RngCore for Zeros {
    fn next_u32(&mut self) -> u32 {
        1
    }
    fn next_u64(&mut self) -> u64 {
        1
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for Zeros {}
