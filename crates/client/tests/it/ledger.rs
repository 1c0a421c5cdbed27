// SPDX-License-Identifier: AGPL-3.0-or-later
//! The public log as a client holds it: what Olga shows to one and not to all, and what waits when she shows nothing.

use std::{cell::Cell, rc::Rc, time::Duration};

use nodoor_client::io::Wire;
use nodoor_testkit::world::{Fate, World};
use nodoor_transparency::ledger::evidence::{Evidence, Verdict};
use nodoor_view::{
    command::{Command, Reply},
    device::Command as Device,
    event::Event,
    model::{Check, CheckState, ConversationId, Freshness, LedgerState, ProofKind, SendState},
};
use nodoor_wire::proto::{answer::Body as Answer, request::Body as Ask};

use crate::{
    devices::device,
    hand::{HOUR, MINUTE, account_of, answers, honest, lookup_of, two},
};

const SECOND: Duration = Duration::from_secs(1);

/// What somebody encrypted to others, and what key packages they took for it.
pub(crate) fn seals(world: &mut World, who: usize) -> Rc<Cell<usize>> {
    let count: Rc<Cell<usize>> = Rc::default();
    let counted = Rc::clone(&count);
    world.fate = Box::new(move |person, _, request| {
        let seal =
            matches!(request.body, Some(Ask::Commit(_) | Ask::Send(_) | Ask::KeyPackageTake(_)));
        counted.set(counted.get() + usize::from(seal && person == who));
        Fate::Arrives
    });
    count
}

pub(crate) fn check(world: &mut World, person: usize, conversation: ConversationId) -> Check {
    match world.ask(person, Command::Verify { conversation }) {
        Reply::Check(check) => check,
        other => panic!("no check: {other:?}"),
    }
}

pub(crate) fn ledger(world: &mut World, person: usize) -> LedgerState {
    match world.ask(person, Command::Ledger) {
        Reply::Ledger(state) => state,
        other => panic!("no ledger: {other:?}"),
    }
}

/// The one file of evidence that somebody keeps, checked as anybody can.
pub(crate) fn evidence(world: &mut World, person: usize) -> (String, Verdict) {
    let Reply::Evidence(files) = world.ask(person, Command::Evidence) else { panic!("no answer") };
    assert_eq!(files.len(), 1);
    let evidence = Evidence::parse(files[0].text.as_bytes()).unwrap();
    (evidence.kind().to_owned(), evidence.check())
}

/// Alice and Bob talk, everything is logged.
pub(crate) fn talking(seed: u64) -> (World, [usize; 2], [ConversationId; 2]) {
    let mut world = World::with_ledger(seed);
    let people = [world.register("alice"), world.register("bob")];
    world.pass(10 * SECOND);
    let ids = two(&mut world, people[0], people[1]);
    world.pass(10 * SECOND);
    (world, people, ids)
}

#[test]
fn a_first_contact_right_after_registration_waits_an_epoch_and_no_more() {
    let mut world = World::with_ledger(700);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "hello");
    let chat = world.chat(alice, "bob").id;
    // It is not for want of a connection, and the person sees that.
    assert!(world.chat(alice, "bob").held);
    world.pass(4 * SECOND);
    assert_eq!(world.states(alice, chat), [SendState::Sent]);
    assert!(!world.chat(alice, "bob").held);
    world.pass(4 * SECOND);
    assert_eq!(world.requests(bob).len(), 1);
    let checked = check(&mut world, alice, chat);
    assert_eq!(checked.state, CheckState::Unwitnessed);
    assert!(checked.ledger_size > 0 && checked.checked_at.is_some());
}

#[test]
fn nothing_is_encrypted_to_whom_the_log_does_not_show() {
    for keeps_a_ledger in [false, true] {
        let mut world = if keeps_a_ledger { World::with_ledger(701) } else { World::new(701) };
        let alice = world.register("alice");
        world.pass(10 * SECOND);
        world.epochs = false;
        // Olga makes a Bob of her own, for Alice alone: he stands in nobody's log.
        let bob = world.register("bob");
        let sealed = seals(&mut world, alice);
        world.say(alice, "bob", "for Bob");
        let chat = world.chat(alice, "bob").id;
        world.pass(HOUR);
        if !keeps_a_ledger {
            // The attack, where there is no log.
            assert!(sealed.get() > 0);
            assert_eq!(world.requests(bob).len(), 1);
            continue;
        }
        assert_eq!(sealed.get(), 0);
        assert_eq!(world.states(alice, chat), [SendState::Waiting]);
        assert_eq!(check(&mut world, alice, chat).state, CheckState::Unchecked);
        // A crash meanwhile loses nothing.
        world.kill(alice);
        world.switch_on(alice);
        world.pass(MINUTE);
        assert_eq!(sealed.get(), 0);
        world.epochs = true;
        world.pass(6 * MINUTE);
        assert_eq!(world.states(alice, chat), [SendState::Sent]);
        assert_eq!(world.requests(bob).len(), 1);
    }
}

#[test]
fn who_is_let_in_by_others_waits_for_the_log_too() {
    let mut world = World::with_ledger(702);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(10 * SECOND);
    // Bob hears of Alice, and is shown no proof of her.
    answers(&mut world, bob, |answer| {
        if let Answer::Lookup(found) = answer {
            found.directory = None;
        }
    });
    world.say(alice, "bob", "hello");
    world.pass(30 * MINUTE);
    assert!(world.requests(bob).is_empty());
    honest(&mut world);
    world.pass(6 * MINUTE);
    assert_eq!(world.requests(bob).len(), 1);
}

#[test]
fn an_account_under_a_handle_that_the_log_gives_to_another_is_written_to_by_nobody() {
    let mut world = World::with_ledger(703);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.pass(10 * SECOND);
    // The proof of Bob's account is right, and that of his handle is left out.
    answers(&mut world, alice, |answer| {
        if let Answer::Lookup(found) = answer
            && let Some(proof) = &mut found.directory
        {
            proof.handle = bytes::Bytes::new();
        }
    });
    let sealed = seals(&mut world, alice);
    world.say(alice, "bob", "hello");
    world.pass(HOUR);
    assert_eq!(sealed.get(), 0);
    honest(&mut world);
    world.pass(6 * MINUTE);
    assert_eq!(world.requests(bob).len(), 1);
}

#[test]
fn an_epoch_that_is_not_the_newest_of_its_checkpoint_shows_nothing() {
    let mut world = World::with_ledger(704);
    let alice = world.register("alice");
    world.register("bob");
    world.pass(10 * SECOND);
    answers(&mut world, alice, |answer| {
        if let Answer::Lookup(found) = answer
            && let Some(epoch) = found.directory.as_mut().and_then(|proof| proof.epoch.as_mut())
        {
            epoch.index -= 1;
        }
    });
    let sealed = seals(&mut world, alice);
    world.say(alice, "bob", "hello");
    world.pass(MINUTE);
    assert_eq!(sealed.get(), 0);
}

#[test]
fn two_checkpoints_of_one_size_are_kept_as_proof() {
    let (mut world, [alice, _], [chat, _]) = talking(705);
    world.epochs = false;
    let before = world.backup_log();
    // One history with Carol for Alice...
    world.register("carol");
    world.publish();
    world.chat(alice, "carol");
    let held = ledger(&mut world, alice).size;
    world.pass(SECOND);
    assert_eq!(ledger(&mut world, alice).proof, None);
    // ... and another one with David, as long.
    world.go_on_with(before);
    world.register("david");
    world.publish();
    world.chat(alice, "david");
    world.pass(MINUTE);
    let state = ledger(&mut world, alice);
    assert_eq!(state.size, held);
    let proof = state.proof.unwrap();
    assert_eq!((proof.kind, proof.own, proof.answered), (ProofKind::Equivocation, false, false));
    let (kind, verdict) = evidence(&mut world, alice);
    assert_eq!(kind, "equivocation");
    assert!(matches!(verdict, Verdict::Proven(_)), "{verdict:?}");
    assert_eq!(check(&mut world, alice, chat).state, CheckState::Refused);
    assert!(
        world
            .device(alice)
            .events
            .iter()
            .any(|event| { matches!(event, Event::Ledger { state } if state.proof.is_some()) })
    );
}

#[test]
fn a_longer_history_that_does_not_go_on_from_ours_is_kept_as_proof() {
    // Whatever the size of the tree we hold: that of a power of two needs one hash more.
    for first in 0..5 {
        let (mut world, [alice, bob], [chat, _]) = talking(710 + first);
        world.epochs = false;
        let heartbeat = Duration::from_secs(301);
        for _ in 0..first {
            world.pass(heartbeat);
            world.publish();
        }
        let before = world.backup_log();
        world.register("carol");
        world.publish();
        world.chat(alice, "carol");
        world.pass(SECOND);
        world.go_on_with(before);
        world.register("david");
        world.publish();
        for _ in 0..3 {
            world.pass(heartbeat);
            world.publish();
        }
        world.chat(alice, "david");
        world.pass(MINUTE);
        let (kind, verdict) = evidence(&mut world, alice);
        assert_eq!(kind, "equivocation");
        assert!(matches!(verdict, Verdict::Proven(_)), "{first} {verdict:?}");

        // Nothing goes out before it was read; then what was verified goes on, and nobody new comes in.
        let sealed = seals(&mut world, alice);
        world.write(alice, chat, "did you see that");
        world.say(alice, "david", "who are you");
        world.pass(MINUTE);
        assert_eq!(sealed.get(), 0);
        world.ask(alice, Command::AnswerProof);
        world.pass(MINUTE);
        assert_eq!(sealed.get(), 1);
        let b = world.chat(bob, "alice").id;
        assert!(world.texts(bob, b).contains(&"alice: did you see that".to_owned()));
        let david = world.chat(alice, "david").id;
        assert_eq!(world.states(alice, david), [SendState::Waiting]);
    }
}

#[test]
fn a_server_that_answers_growth_with_nonsense_proves_nothing_and_gets_nowhere() {
    let (mut world, [alice, _], _) = talking(720);
    let before = ledger(&mut world, alice).size;
    answers(&mut world, alice, |answer| {
        if let Answer::Consistency(found) = answer {
            found.hashes = vec![bytes::Bytes::copy_from_slice(&[7; 32])];
        }
    });
    world.register("carol");
    let sealed = seals(&mut world, alice);
    world.say(alice, "carol", "hello");
    world.pass(MINUTE);
    let state = ledger(&mut world, alice);
    assert_eq!((state.size, state.proof), (before, None));
    assert_eq!(sealed.get(), 0);
    honest(&mut world);
    world.pass(10 * MINUTE);
    assert!(ledger(&mut world, alice).size > before);
    let chat = world.chat(alice, "carol").id;
    assert_eq!(world.states(alice, chat), [SendState::Sent]);
}

#[test]
fn a_list_of_our_own_that_we_do_not_know_stops_all_sending() {
    let (mut world, [alice, bob], [chat, other]) = talking(730);
    let account = account_of(&mut world, alice);
    world.write_into_directory(account, [9; 32]);
    world.pass(7 * HOUR);
    let proof = ledger(&mut world, alice).proof.unwrap();
    assert_eq!((proof.kind, proof.own), (ProofKind::GhostDevice, true));
    // A file says so to others: with the log's word for what is published, and Alice's that it is none of hers.
    let (kind, verdict) = evidence(&mut world, alice);
    assert_eq!(kind, "hidden-list");
    assert!(matches!(verdict, Verdict::Unanswered(_)), "{verdict:?}");
    let sealed = seals(&mut world, alice);
    world.write(alice, chat, "to Bob");
    world.pass(MINUTE);
    world.ask(alice, Command::AnswerProof);
    world.pass(MINUTE);
    assert_eq!(sealed.get(), 0);
    // Reading goes on.
    world.write(bob, other, "to Alice");
    world.pass(MINUTE);
    assert!(world.texts(alice, chat).contains(&"bob: to Alice".to_owned()));
}

#[test]
fn a_log_that_stands_still_is_amber_then_red_and_known_chats_go_on() {
    let (mut world, [alice, bob], [chat, other]) = talking(740);
    world.register("carol");
    world.pass(10 * SECOND);
    assert_eq!(ledger(&mut world, alice).freshness, Freshness::Fresh);
    world.epochs = false;
    world.register("david");
    world.pass(23 * HOUR);
    assert_eq!(ledger(&mut world, alice).freshness, Freshness::Fresh);
    world.pass(2 * HOUR);
    assert_eq!(ledger(&mut world, alice).freshness, Freshness::Amber);
    world.pass(48 * HOUR);
    let state = ledger(&mut world, alice);
    assert_eq!(state.freshness, Freshness::Red);
    assert_eq!(state.proof, None);
    let told: Vec<Freshness> = world
        .device(alice)
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Ledger { state } => Some(state.freshness),
            _ => None,
        })
        .collect();
    // Once that there is a log, then that it was seen, and how old it is.
    assert_eq!(told, [Freshness::Fresh, Freshness::Fresh, Freshness::Amber, Freshness::Red]);
    world.write(alice, chat, "still here");
    world.pass(MINUTE);
    assert!(world.texts(bob, other).contains(&"alice: still here".to_owned()));
    // Carol was logged before, David was not.
    world.say(alice, "carol", "hello");
    world.say(alice, "david", "hello");
    world.pass(MINUTE);
    let (carol, david) = (world.chat(alice, "carol").id, world.chat(alice, "david").id);
    assert_eq!(world.states(alice, carol), [SendState::Sent]);
    assert_eq!(world.states(alice, david), [SendState::Waiting]);
}

#[test]
fn whoever_is_not_shown_their_own_history_is_told_however_new_the_log_is() {
    let (mut world, [alice, _bob], _) = talking(745);
    answers(&mut world, alice, |answer| {
        if let Answer::History(found) = answer {
            found.epoch = None;
        }
    });
    for _ in 0..25 {
        world.pass(HOUR);
    }
    // The log goes on for her: what is looked up is proved under its newest checkpoint.
    let size = ledger(&mut world, alice).size;
    world.register("carol");
    world.pass(10 * SECOND);
    world.ask(alice, Command::Find { handle: "carol".into() });
    world.pass(MINUTE);
    let state = ledger(&mut world, alice);
    assert!(state.size > size);
    assert_eq!((state.freshness, state.proof), (Freshness::Amber, None));
    honest(&mut world);
    world.pass(6 * MINUTE);
    assert_eq!(ledger(&mut world, alice).freshness, Freshness::Fresh);
}

#[test]
fn a_log_from_the_future_is_not_new() {
    let (mut world, [alice, _], [chat, _]) = talking(746);
    assert_eq!(ledger(&mut world, alice).freshness, Freshness::Fresh);
    // Her clock is two hours behind, or what Olga dates is ahead: which of both Alice cannot tell.
    world.device(alice).skew = -2 * 3_600_000;
    world.pass(MINUTE);
    assert_eq!(ledger(&mut world, alice).freshness, Freshness::Amber);
    assert_eq!(check(&mut world, alice, chat).freshness, Freshness::Amber);
    world.device(alice).skew = -4 * 60_000;
    assert_eq!(ledger(&mut world, alice).freshness, Freshness::Fresh);
}

#[test]
fn an_epoch_that_is_dated_ahead_of_our_clock_moves_no_time() {
    let (mut world, [alice, _], [chat, _]) = talking(746);
    let before = ledger(&mut world, alice);
    assert_eq!(before.freshness, Freshness::Fresh);
    // Olga dates what she writes two hours ahead; for Alice that is the same as a clock two hours behind.
    world.device(alice).skew = -2 * 3_600_000;
    world.register("carol");
    world.pass(10 * SECOND);
    let sealed = seals(&mut world, alice);
    world.say(alice, "carol", "hello");
    world.pass(10 * MINUTE);
    let state = ledger(&mut world, alice);
    assert_eq!((state.size, state.log_time, state.proof), (before.size, before.log_time, None));
    assert_eq!(sealed.get(), 0);
    // Nor is it new: the log or the clock is wrong.
    assert_eq!(state.freshness, Freshness::Amber);
    assert_eq!(check(&mut world, alice, chat).freshness, Freshness::Amber);
    world.device(alice).skew = 0;
    world.pass(10 * MINUTE);
    let state = ledger(&mut world, alice);
    assert!(state.size > before.size);
    assert_eq!(state.freshness, Freshness::Fresh);
    let chat = world.chat(alice, "carol").id;
    assert_eq!(world.states(alice, chat), [SendState::Sent]);
}

#[test]
fn a_lost_answer_about_growth_is_asked_for_again() {
    let (mut world, [alice, _], _) = talking(750);
    world.register("carol");
    world.pass(10 * SECOND);
    let lost = Rc::new(Cell::new(0));
    let count = Rc::clone(&lost);
    world.fate = Box::new(move |person, wire, request| {
        let growth = matches!(request.body, Some(Ask::Consistency(_)));
        if growth && person == alice && wire == Wire::Anonymous && count.get() < 2 {
            count.set(count.get() + 1);
            return if count.get() == 1 { Fate::AnswerLost } else { Fate::RequestLost };
        }
        Fate::Arrives
    });
    world.say(alice, "carol", "hello");
    world.pass(MINUTE);
    assert_eq!(lost.get(), 2);
    let chat = world.chat(alice, "carol").id;
    assert_eq!(world.states(alice, chat), [SendState::Sent]);
}

/// `cargo test -p nodoor-client --release --test it -- --ignored --nocapture looking_up`.
#[test]
#[ignore = "a measurement"]
fn looking_up_a_thousand_people_takes_this_long() {
    let mut world = World::with_ledger(790);
    let alice = world.register("alice");
    let members = world.register_crowd(999);
    world.pass(10 * SECOND);
    let before = world.device(alice).spent;
    let title = "everybody".to_owned();
    let made = world.ask(alice, Command::GroupCreate { title, members });
    assert!(matches!(made, Reply::Conversation(_)), "{made:?}");
    println!("999 look-ups by handle, two proofs each: {:?}", world.device(alice).spent - before);
}

fn digits(world: &mut World, person: usize, conversation: ConversationId) -> String {
    match world.ask(person, Command::Compare { conversation }) {
        Reply::Digits(digits) => digits,
        other => panic!("no digits: {other:?}"),
    }
}

#[test]
fn two_people_read_the_same_sixty_digits_and_whoever_stands_between_them_shows_others() {
    let (mut world, [alice, bob], [a, b]) = talking(760);
    let same = digits(&mut world, alice, a);
    assert_eq!((same.len(), &same), (60, &digits(&mut world, bob, b)));
    // Mallory, whom Olga could show to Alice under Bob's handle, has keys and an id of their own.
    let mallory = world.register("mallory");
    world.pass(10 * SECOND);
    let [c, _] = two(&mut world, alice, mallory);
    let others = digits(&mut world, alice, c);
    assert_ne!(same, others);
    // Alice's half is the same for everybody, Mallory's is not Bob's.
    let mine = |one: &str| [one[..30].to_owned(), one[30..].to_owned()];
    assert_eq!(mine(&same).iter().filter(|half| mine(&others).contains(half)).count(), 1);
    // That it was done is a date of this person, and it stays.
    let compared = |world: &mut World| match world.ask(alice, Command::Sheet { conversation: a }) {
        Reply::Sheet(sheet) => sheet.compared_at.is_some(),
        other => panic!("no sheet: {other:?}"),
    };
    assert!(!compared(&mut world));
    assert_eq!(world.ask(alice, Command::Compared { conversation: a }), Reply::Done);
    world.kill(alice);
    world.switch_on(alice);
    assert!(compared(&mut world));
}

/// Olga answers Bob's look-ups of an account as they were before, and without a proof.
fn as_it_was(world: &mut World, who: usize, of: nodoor_wire::id::AccountId) {
    let before = lookup_of(world, of);
    answers(world, who, move |answer| {
        if let Answer::Lookup(found) = answer
            && found.account == before.account
        {
            *found = nodoor_wire::proto::LookupAnswer { directory: None, ..before.clone() };
        }
    });
}

#[test]
fn an_old_list_that_nobody_shows_to_be_the_newest_lets_no_removed_device_in() {
    let (mut world, [alice, bob], [_, chat]) = talking(760);
    let laptop = crate::devices::link(&mut world, alice, "laptop");
    world.pass(MINUTE);
    // Bob has both devices, proved.
    assert_eq!(check(&mut world, bob, chat).state, CheckState::Unwitnessed);
    let alices = account_of(&mut world, alice);
    as_it_was(&mut world, bob, alices);
    let gone = crate::devices::rows(&mut world, laptop)[0].device.clone();
    let removed = device(&mut world, alice, Device::Remove { device: gone });
    assert_eq!(removed, Reply::Done);
    world.pass(MINUTE);
    let taken = seals(&mut world, bob);
    let title = "Garden".to_owned();
    let made = Command::GroupCreate { title, members: vec!["alice".to_owned()] };
    let asked = world.begin(bob, made);
    world.pass(10 * MINUTE);
    assert_eq!(taken.get(), 0, "nothing is taken or sealed: {:?}", world.told(bob, asked));
    assert_eq!(check(&mut world, bob, chat).state, CheckState::Unchecked);
    honest(&mut world);
    world.pass(30 * MINUTE);
    assert_eq!(world.requests(alice).len() + world.chats(alice).len(), 2);
    assert_eq!(check(&mut world, bob, chat).state, CheckState::Unwitnessed);
}

#[test]
fn a_removed_device_brings_nobody_into_a_room_under_an_old_list() {
    let (mut world, [alice, bob], [_, chat]) = talking(761);
    let laptop = crate::devices::link(&mut world, alice, "laptop");
    world.pass(MINUTE);
    assert_eq!(check(&mut world, bob, chat).state, CheckState::Unwitnessed);
    let alices = account_of(&mut world, alice);
    as_it_was(&mut world, bob, alices);
    let gone = crate::devices::rows(&mut world, laptop)[0].device.clone();
    // Mallory has the laptop; it is off when it is removed, and acts afterwards.
    world.set_offline(bob, true);
    let made = Command::GroupCreate { title: "Trap".to_owned(), members: vec!["bob".to_owned()] };
    assert!(matches!(world.ask(laptop, made), Reply::Conversation(_)));
    world.pass(MINUTE);
    let removed = device(&mut world, alice, Device::Remove { device: gone });
    assert_eq!(removed, Reply::Done);
    world.pass(MINUTE);
    world.set_offline(bob, false);
    world.pass(10 * MINUTE);
    assert!(world.requests(bob).is_empty(), "{:?}", world.requests(bob));
}
