// SPDX-License-Identifier: AGPL-3.0-or-later
//! A device on one's own account that nobody approved is said to be there when it is, not when an answer is old or
//! damaged, and no longer than it is.

use std::{cell::Cell, rc::Rc};

use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    model::{CheckState, ProofKind, SendState},
};
use nodoor_wire::{
    id::AccountId,
    proto::{LookupAnswer, answer::Body as Answer, request::Body as Ask},
};

use crate::{
    devices::{link, rows},
    hand::{HOUR, MINUTE, account_of, answers, honest, lookup_of, members},
    ledger::{check, evidence, ledger, talking},
};

/// Until Olga is honest again a person is shown this account as it is now, with what is proved of it by then.
fn as_it_is(world: &mut World, who: usize, account: AccountId) {
    let before = lookup_of(world, account);
    answers(world, who, move |answer| {
        if let Answer::Lookup(found) = answer
            && found.account == before.account
        {
            let directory = found.directory.take();
            *found = LookupAnswer { directory, ..before.clone() };
        }
    });
}

#[test]
fn an_answer_to_an_older_question_makes_no_ghost_of_a_device_of_ones_own() {
    let (mut world, [alice, _], [chat, _]) = talking(960);
    let laptop = link(&mut world, alice, "laptop");
    world.pass(MINUTE);
    let account = account_of(&mut world, alice);
    let before = lookup_of(&mut world, account);
    world.kill(alice);
    let tablet = link(&mut world, laptop, "tablet");
    world.pass(MINUTE);
    // As she comes back the phone asks for its lists and for its history. The lists come late, and are of the moment when
    // they were asked for.
    let asked = Cell::new(0);
    world.fate = Box::new(move |person, _, request| {
        let first = matches!(request.body, Some(Ask::Lookup(_))) && person == alice;
        asked.set(asked.get() + u32::from(first));
        if first && asked.get() == 1 { Fate::NeverAnswered } else { Fate::Arrives }
    });
    let old = Rc::new(Cell::new(1));
    let left = Rc::clone(&old);
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer
            && found.account == before.account
            && left.get() > 0
        {
            *found = before.clone();
            left.set(left.get() - 1);
        }
    });
    world.switch_on(alice);
    world.pass(HOUR);
    assert_eq!(old.get(), 0);
    let told = |event: &Event| matches!(event, Event::Ledger { state } if state.proof.is_some());
    assert!(!world.person(alice).events.iter().any(told));
    assert_eq!(rows(&mut world, tablet).len(), 3);
    world.write(alice, chat, "as ever");
    world.pass(MINUTE);
    assert_eq!(world.states(alice, chat).last(), Some(&SendState::Delivered));
}

#[test]
fn a_list_that_was_hidden_and_is_shown_stops_nothing_any_more() {
    let (mut world, [alice, _], [chat, _]) = talking(961);
    let laptop = link(&mut world, alice, "laptop");
    world.pass(MINUTE);
    let account = account_of(&mut world, alice);
    as_it_is(&mut world, alice, account);
    link(&mut world, laptop, "tablet");
    world.pass(8 * HOUR);
    let proof = ledger(&mut world, alice).proof.unwrap();
    assert_eq!((proof.kind, proof.own), (ProofKind::GhostDevice, true));
    assert_eq!(evidence(&mut world, alice).0, "hidden-list");
    world.write(alice, chat, "for Bob");
    world.pass(MINUTE);
    assert_eq!(world.states(alice, chat).last(), Some(&SendState::Waiting));
    honest(&mut world);
    world.pass(8 * HOUR);
    assert_eq!(ledger(&mut world, alice).proof, None);
    assert_eq!(rows(&mut world, alice).len(), 3);
    assert_eq!(world.ask(alice, Command::Evidence), Reply::Evidence(Vec::new()));
    assert_eq!(world.states(alice, chat).last(), Some(&SendState::Delivered));
}

#[test]
fn after_a_ghost_was_taken_away_again_sending_goes_on_once_it_was_read() {
    let (mut world, [alice, _], [chat, _]) = talking(962);
    let account = account_of(&mut world, alice);
    let newest = lookup_of(&mut world, account).lists.pop().unwrap();
    world.write_into_directory(account, [9; 32]);
    world.pass(7 * HOUR);
    assert!(ledger(&mut world, alice).proof.unwrap().own);
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&newest.body).into();
    world.write_into_directory(account, hash);
    world.pass(8 * HOUR);
    world.write(alice, chat, "for Bob");
    world.pass(MINUTE);
    assert_eq!(world.states(alice, chat).last(), Some(&SendState::Waiting));
    let proof = ledger(&mut world, alice).proof.unwrap();
    assert_eq!((proof.own, proof.answered), (false, false));
    world.ask(alice, Command::AnswerProof);
    world.pass(MINUTE);
    assert_eq!(world.states(alice, chat).last(), Some(&SendState::Delivered));
    // The next one is another.
    world.write_into_directory(account, [8; 32]);
    world.pass(8 * HOUR);
    let proof = ledger(&mut world, alice).proof.unwrap();
    assert_eq!((proof.own, proof.answered), (true, false));
}

#[test]
fn one_damaged_signature_accuses_nobody() {
    let (mut world, [alice, bob], [chat, _]) = talking(963);
    link(&mut world, bob, "laptop");
    world.pass(MINUTE);
    let account = account_of(&mut world, bob);
    let damaged = Rc::new(Cell::new(1));
    let left = Rc::clone(&damaged);
    answers(&mut world, alice, move |answer| {
        if let Answer::Lookup(found) = answer
            && found.account == account.0.as_slice()
            && left.get() > 0
        {
            let newest = found.lists.last_mut().unwrap();
            for signed in &mut newest.signatures {
                let mut bytes = signed.signature.to_vec();
                bytes[5] ^= 1;
                signed.signature = bytes.into();
            }
            left.set(left.get() - 1);
        }
    });
    assert_eq!(check(&mut world, alice, chat).state, CheckState::Unwitnessed);
    assert_eq!((damaged.get(), ledger(&mut world, alice).proof), (0, None));
    // Whoever goes on showing it is somebody else than the network.
    damaged.set(99);
    link(&mut world, bob, "tablet");
    world.pass(MINUTE);
    world.ask(alice, Command::Verify { conversation: chat });
    world.pass(MINUTE);
    let proof = ledger(&mut world, alice).proof.unwrap();
    assert_eq!((proof.kind, proof.own), (ProofKind::GhostDevice, false));
    // Until the signatures are there.
    damaged.set(0);
    world.pass(MINUTE);
    assert_eq!(check(&mut world, alice, chat).state, CheckState::Unwitnessed);
    assert_eq!(ledger(&mut world, alice).proof, None);
}

#[test]
fn whoever_goes_goes_while_proof_stops_all_else() {
    let mut world = World::with_ledger(964);
    let [alice, _, _] = ["alice", "bob", "carol"].map(|name| world.register(name));
    world.pass(MINUTE);
    let group = crate::groups::group(&mut world, alice, "Garden", &["bob", "carol"]);
    world.pass(MINUTE);
    let account = account_of(&mut world, alice);
    world.write_into_directory(account, [9; 32]);
    world.pass(7 * HOUR);
    assert!(ledger(&mut world, alice).proof.unwrap().own);
    let before = members(&mut world, alice, group).len();
    world.write(alice, group, "not sent");
    world.ask(alice, Command::GroupRemove { conversation: group, handle: "bob".to_owned() });
    world.pass(MINUTE);
    assert_eq!(members(&mut world, alice, group).len(), before - 1);
    assert_eq!(world.states(alice, group).last(), Some(&SendState::Waiting));
}

#[test]
fn a_ghost_that_is_over_hides_no_second_history() {
    for taken_back in [false, true] {
        let (mut world, [alice, _], _) = talking(966 + u64::from(taken_back));
        let laptop = link(&mut world, alice, "laptop");
        world.pass(MINUTE);
        let account = account_of(&mut world, alice);
        if taken_back {
            as_it_is(&mut world, alice, account);
            link(&mut world, laptop, "tablet");
            world.pass(8 * HOUR);
        } else {
            let newest = lookup_of(&mut world, account).lists.pop().unwrap();
            world.write_into_directory(account, [9; 32]);
            world.pass(7 * HOUR);
            let hash = <sha2::Sha256 as sha2::Digest>::digest(&newest.body).into();
            world.write_into_directory(account, hash);
            world.pass(8 * HOUR);
            world.ask(alice, Command::AnswerProof);
        }
        assert!(ledger(&mut world, alice).proof.is_some());
        // From here on Olga has two logs.
        world.epochs = false;
        let before = world.backup_log();
        world.register("carol");
        world.publish();
        world.chat(alice, "carol");
        world.pass(MINUTE);
        world.go_on_with(before);
        world.register("david");
        world.publish();
        for _ in 0..3 {
            world.pass(301 * MINUTE / 60);
            world.publish();
        }
        world.chat(alice, "david");
        world.pass(MINUTE);
        if taken_back {
            // The ghost outweighs it, until it is none.
            honest(&mut world);
            world.kill(alice);
            world.switch_on(alice);
            world.pass(MINUTE);
        }
        let proof = ledger(&mut world, alice).proof.unwrap();
        assert_eq!((proof.kind, proof.answered), (ProofKind::Equivocation, false), "{taken_back}");
    }
}
