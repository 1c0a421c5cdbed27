// SPDX-License-Identifier: AGPL-3.0-or-later
//! Whose signatures make the log count, and how that changes: in the open, slowly, and never by the operator alone.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_transparency::ledger::note::NoteSigner;
use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    model::{CheckState, ConversationId, LedgerState, SendState},
};

use crate::{
    hand::{days, two},
    ledger::{check, ledger},
};

const SECOND: Duration = Duration::from_secs(1);

fn witness(n: u8) -> NoteSigner {
    NoteSigner::cosigner(&format!("w{n}"), [n; 32]).unwrap()
}

/// So many of these.
fn policy(count: usize, of: &[u8]) -> String {
    let line = |n: &u8| format!("witness w{n} {}\n", witness(*n).verifier());
    let names: Vec<String> = of.iter().map(|n| format!("w{n}")).collect();
    let lines: String = of.iter().map(line).collect();
    format!("{lines}group g {count} {}\nquorum g\n", names.join(" "))
}

/// Alice and Bob talk on a server whose log these watch.
fn watched(seed: u64, text: &str, by: &[u8]) -> (World, [usize; 2], [ConversationId; 2]) {
    let mut world = World::with_ledger(seed);
    world.witnesses = by.iter().copied().map(witness).collect();
    if !text.is_empty() {
        world.go_by_policy(text);
    }
    let people = [world.register("alice"), world.register("bob")];
    world.pass(10 * SECOND);
    let ids = two(&mut world, people[0], people[1]);
    world.pass(10 * SECOND);
    (world, people, ids)
}

fn told(world: &World, person: usize) -> Vec<LedgerState> {
    let of = |event: &Event| match event {
        Event::Ledger { state } if state.change.is_some() => Some(state.clone()),
        _ => None,
    };
    world.person(person).events.iter().filter_map(of).collect()
}

#[test]
fn another_policy_is_told_first_and_gone_by_a_week_later() {
    let (mut world, [alice, bob], [chat, _]) = watched(930, &policy(2, &[1, 2, 3]), &[1, 2, 3, 4]);
    assert_eq!(check(&mut world, alice, chat).state, CheckState::Verified);
    assert_eq!(ledger(&mut world, alice).witnesses, ["w1", "w2", "w3"]);
    // Bob is away for three days.
    world.kill(bob);
    world.go_by_policy(&policy(2, &[1, 2, 4]));
    days(&mut world, 1);
    let state = ledger(&mut world, alice);
    let change = state.change.unwrap();
    assert_eq!((change.done, change.witnesses.len()), (false, 3));
    assert!(
        change.due.0 > world.now() + 5 * 86_400_000 && change.due.0 < world.now() + 7 * 86_400_000
    );
    assert_eq!(state.witnesses, ["w1", "w2", "w3"]);
    assert_eq!(told(&world, alice).len(), 1);
    days(&mut world, 2);
    world.switch_on(bob);
    days(&mut world, 5);
    // The server goes by it, and so does Alice; Bob does not yet, and the old witnesses are there for him still.
    assert_eq!(ledger(&mut world, alice).witnesses, ["w1", "w2", "w4"]);
    assert_eq!(ledger(&mut world, bob).witnesses, ["w1", "w2", "w3"]);
    assert!(told(&world, alice).last().unwrap().change.as_ref().unwrap().done);
    assert_eq!(check(&mut world, alice, chat).state, CheckState::Verified);
    world.say(bob, "alice", "back");
    world.pass(20 * SECOND);
    let there = world.chat(bob, "alice").id;
    assert_eq!(world.states(bob, there).last(), Some(&SendState::Delivered));
    assert_eq!(check(&mut world, bob, there).state, CheckState::Verified);
    days(&mut world, 3);
    assert_eq!(ledger(&mut world, bob).witnesses, ["w1", "w2", "w4"]);
    // Now the old one may go.
    world.witnesses = [1, 4].map(witness).into();
    days(&mut world, 1);
    for (person, chat) in [(alice, chat), (bob, there)] {
        assert_eq!(check(&mut world, person, chat).state, CheckState::Verified);
    }
    // A month after that it is no news.
    days(&mut world, 30);
    assert_eq!(ledger(&mut world, alice).change, None);
}

#[test]
fn a_date_in_the_past_makes_no_policy_count_and_nobodys_own_quorum_ever_does() {
    for (number, weak, ever) in [(0, policy(1, &[9]), false), (1, policy(2, &[1, 2, 9]), true)] {
        let (mut world, [alice, _], [chat, _]) =
            watched(940 + number, &policy(2, &[1, 2, 3]), &[1, 2, 3, 9]);
        let before = world.now();
        // Olga has it cosigned as any entry; witnesses look at nothing but that the tree grew.
        world.announce_with_date(&weak, before - 1000);
        days(&mut world, 2);
        let state = ledger(&mut world, alice);
        assert_eq!(state.witnesses, ["w1", "w2", "w3"], "{weak}");
        assert_eq!(state.change.is_some(), ever, "{weak}");
        assert_eq!(check(&mut world, alice, chat).state, CheckState::Verified);
        days(&mut world, 8);
        let taken = ledger(&mut world, alice).witnesses != ["w1", "w2", "w3"];
        assert_eq!(taken, ever, "{weak}");
    }
}

#[test]
fn what_was_logged_under_no_quorum_is_verified_once_somebody_vouched_for_it() {
    let (mut world, [alice, _], [chat, _]) = watched(950, "", &[]);
    assert_eq!(check(&mut world, alice, chat).state, CheckState::Unwitnessed);
    world.go_by_policy(&policy(1, &[1]));
    days(&mut world, 8);
    let state = ledger(&mut world, alice);
    assert_eq!((state.witnesses, state.unwitnessed), (vec!["w1".to_owned()], true));
    let Reply::Sheet(sheet) = world.ask(alice, Command::Sheet { conversation: chat }) else {
        panic!("no sheet");
    };
    assert_eq!(sheet.check.state, CheckState::Unwitnessed);
    world.witnesses = vec![witness(1)];
    days(&mut world, 1);
    assert_eq!(check(&mut world, alice, chat).state, CheckState::Verified);
    assert!(!ledger(&mut world, alice).unwitnessed);
}
