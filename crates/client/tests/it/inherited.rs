// SPDX-License-Identifier: AGPL-3.0-or-later
//! A new device is shown what Olga likes, before it is anybody's; with the code it sees what the one sees that links it.

use nodoor_testkit::world::World;
use nodoor_transparency::ledger::note::NoteSigner;
use nodoor_view::{command::Reply, device::Command as Device, event::Event, model::CheckState};
use nodoor_wire::proto::answer::Body as Answer;

use crate::{
    devices::{approve, device, link, rows, show},
    hand::{MINUTE, answers, two},
    ledger::{check, ledger},
};

fn watched(seed: u64) -> World {
    let mut world = World::with_ledger(seed);
    let witness = NoteSigner::cosigner("w1", [1; 32]).unwrap();
    world.go_by_policy(&format!("witness w1 {}\nquorum w1\n", witness.verifier()));
    world.witnesses = vec![witness];
    world
}

/// To whoever comes third Olga names this policy, made of the true one.
fn names(world: &mut World, policy: impl Fn(&str) -> String + 'static) {
    answers(world, 2, move |answer| {
        if let Answer::Hello(hello) = answer {
            let text = String::from_utf8(hello.policy.to_vec()).unwrap();
            hello.policy = policy(&text).into_bytes().into();
        }
    });
}

#[test]
fn a_new_device_goes_by_the_policy_of_the_one_that_links_it_whatever_it_was_shown() {
    let log_alone = |text: &str| {
        let log = text.lines().find(|line| line.starts_with("log ")).unwrap();
        format!("{log}\nquorum none\n")
    };
    let shown: [fn(&str) -> String; 2] = [log_alone, |_| String::new()];
    for (number, policy) in (0..).zip(shown) {
        let mut world = watched(970 + number);
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        world.pass(MINUTE);
        two(&mut world, alice, bob);
        names(&mut world, policy);
        let laptop = link(&mut world, alice, "laptop");
        world.pass(3 * MINUTE);
        let state = ledger(&mut world, laptop);
        assert_eq!((state.witnesses, state.unwitnessed), (vec!["w1".to_owned()], false));
        assert!(state.size >= ledger(&mut world, alice).size);
        world.say(alice, "bob", "hello");
        world.pass(MINUTE);
        let chat = world.chat(laptop, "bob").id;
        assert_eq!(check(&mut world, laptop, chat).state, CheckState::Verified, "{number}");
    }
}

#[test]
fn a_policy_that_nobody_can_go_by_does_not_do_away_with_the_log() {
    let mut world = watched(975);
    world.register("alice");
    world.register("bob");
    names(&mut world, |text| {
        let other = NoteSigner::log("nodoor/other", [9; 32]).unwrap();
        format!("log {}\n{text}", other.verifier())
    });
    let carol = world.begin_without_account("carol");
    world.pass(MINUTE);
    let unfit = |event: &Event| matches!(event, Event::ServerUnfit { .. });
    assert!(world.person(carol).events.iter().any(unfit));
}

#[test]
fn a_device_whose_clock_is_behind_is_linked_all_the_same() {
    let mut world = watched(976);
    let alice = world.register("alice");
    world.pass(MINUTE);
    let laptop = world.begin_without_account("laptop");
    // For it what the witness signed is of the future.
    world.device(laptop).skew = -10 * 60_000;
    let letters = show(&mut world, laptop);
    let code = approve(&mut world, alice, &letters);
    assert_eq!(device(&mut world, laptop, Device::LinkCode { code }), Reply::Done);
    world.pass(MINUTE);
    assert_eq!(rows(&mut world, laptop).len(), 2);
    assert_eq!(ledger(&mut world, laptop).witnesses, ["w1"]);
}
