// SPDX-License-Identifier: AGPL-3.0-or-later
//! New recovery words in place of the old ones.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    device::Command as Device,
    model::ProblemKind,
};
use nodoor_wire::{code::Code, proto::request::Body as Ask};

use crate::{
    devices::device,
    hand::{answers, honest, refusal},
};

const SECOND: Duration = Duration::from_secs(1);

fn words(world: &mut World, person: usize) -> Option<String> {
    match world.ask(person, Command::Words) {
        Reply::Words(words) => Some(words),
        Reply::Nothing => None,
        other => panic!("no words: {other:?}"),
    }
}

fn renew(world: &mut World, person: usize, old: &str) -> Reply {
    device(world, person, Device::NewWords { words: old.to_owned() })
}

fn recover(world: &mut World, person: usize, words: &str) -> Reply {
    device(world, person, Device::Recover { handle: "alice".to_owned(), words: words.to_owned() })
}

fn is_wrong(reply: &Reply) -> bool {
    matches!(reply, Reply::Problem(problem) if problem.kind == ProblemKind::WrongWords)
}

/// Alice, whose words were saved and are not on her device any more.
fn saved(world: &mut World) -> (usize, String) {
    let alice = world.register("alice");
    world.pass(10 * SECOND);
    let old = words(world, alice).unwrap();
    let all: Vec<&str> = old.split(' ').collect();
    let Reply::Device(nodoor_view::device::Reply::Places { places }) =
        device(world, alice, Device::WordsAsk)
    else {
        panic!("no places")
    };
    let typed = places.iter().map(|place| all[usize::from(*place) - 1].to_owned()).collect();
    assert_eq!(device(world, alice, Device::WordsConfirm { words: typed }), Reply::Done);
    assert_eq!(words(world, alice), None);
    (alice, old)
}

#[test]
fn new_words_count_and_the_old_ones_do_not() {
    for ledger in [false, true] {
        let mut world = if ledger { World::with_ledger(910) } else { World::new(910) };
        let (alice, old) = saved(&mut world);
        // Whoever holds the device alone makes none.
        let stranger = world.register("stranger");
        let others = words(&mut world, stranger).unwrap();
        for typed in ["", others.as_str(), "abandon ability"] {
            assert!(is_wrong(&renew(&mut world, alice, typed)), "{typed}");
        }
        assert_eq!(renew(&mut world, alice, &old.to_uppercase()), Reply::Done);
        let new = words(&mut world, alice).unwrap();
        assert_ne!(new, old);
        world.pass(10 * SECOND);
        assert!(is_wrong(&renew(&mut world, alice, &old)), "they are not the words any more");
        let fresh = world.begin_without_account("fresh");
        assert!(is_wrong(&recover(&mut world, fresh, &old)), "{ledger}");
        assert!(matches!(recover(&mut world, fresh, &new), Reply::Profile(_)), "{ledger}");
    }
}

#[test]
fn new_words_survive_a_lost_answer_and_a_crash() {
    let mut world = World::with_ledger(911);
    let (alice, old) = saved(&mut world);
    let mut lost = false;
    world.fate = Box::new(move |_, _, request| match request.body {
        Some(Ask::ListPut(_)) if std::mem::replace(&mut lost, true) => Fate::NeverAnswered,
        Some(Ask::ListPut(_)) => Fate::AnswerLost,
        Some(Ask::Lookup(_)) if lost => Fate::NeverAnswered,
        _ => Fate::Arrives,
    });
    let asked = world.begin(alice, Command::Device { of: Device::NewWords { words: old } });
    world.pass(SECOND);
    assert_eq!(world.told(alice, asked), None);
    assert_eq!(words(&mut world, alice), None, "they count once their list stands");
    honest(&mut world);
    world.kill(alice);
    world.switch_on(alice);
    world.pass(60 * SECOND);
    let new = words(&mut world, alice).unwrap();
    let fresh = world.begin_without_account("fresh");
    assert!(matches!(recover(&mut world, fresh, &new), Reply::Profile(_)));
}

#[test]
fn a_device_whose_words_another_one_replaced_shows_them_no_more() {
    let mut world = World::with_ledger(912);
    let alice = world.register("alice");
    world.pass(10 * SECOND);
    let old = words(&mut world, alice).unwrap();
    let laptop = crate::devices::link(&mut world, alice, "laptop");
    assert_eq!(renew(&mut world, laptop, &old), Reply::Done);
    world.kill(alice);
    world.switch_on(alice);
    world.pass(60 * SECOND);
    assert_eq!(words(&mut world, alice), None, "nobody writes down what brings nothing back");
    assert_eq!(device(&mut world, alice, Device::WordsAsk), Reply::Nothing);
    assert!(words(&mut world, laptop).is_some());
}

/// Olga takes each list of this person and says that she does not. The bodies of the lists.
fn take_and_refuse(world: &mut World, who: usize, hides: bool) -> Rc<RefCell<Vec<Vec<u8>>>> {
    let lists: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
    let (ear, put) = (Rc::clone(&lists), Rc::new(Cell::new(false)));
    let last = Rc::clone(&put);
    world.fate = Box::new(move |person, _, request| match &request.body {
        Some(Ask::ListPut(put)) if person == who => {
            ear.borrow_mut().push(put.list.as_ref().unwrap().body.to_vec());
            last.set(true);
            Fate::Arrives
        }
        Some(Ask::Lookup(_) | Ask::History(_)) if person == who && hides => Fate::NeverAnswered,
        _ => Fate::Arrives,
    });
    answers(world, who, move |answer| {
        if put.take() {
            *answer = refusal(Code::Forbidden);
        }
    });
    lists
}

#[test]
fn words_whose_list_was_refused_and_stands_all_the_same_are_not_lost() {
    for ledger in [false, true] {
        let mut world = if ledger { World::with_ledger(913) } else { World::new(913) };
        let (alice, old) = saved(&mut world);
        take_and_refuse(&mut world, alice, false);
        assert!(matches!(renew(&mut world, alice, &old), Reply::Problem(_)));
        honest(&mut world);
        world.pass(60 * SECOND);
        let new = words(&mut world, alice).expect("the words of the list that stands");
        assert_ne!(new, old);
        let fresh = world.begin_without_account("fresh");
        assert!(matches!(recover(&mut world, fresh, &new), Reply::Profile(_)), "{ledger}");
    }
}

#[test]
fn words_refused_once_are_the_same_when_asked_again() {
    let mut world = World::new(914);
    let (alice, old) = saved(&mut world);
    // Whoever holds two lists of one version, both signed, could show them to two people.
    let lists = take_and_refuse(&mut world, alice, true);
    for _ in 0..2 {
        assert!(matches!(renew(&mut world, alice, &old), Reply::Problem(_)));
        world.pass(10 * SECOND);
    }
    let lists = lists.borrow();
    assert!(lists.len() > 1 && lists.iter().all(|list| *list == lists[0]), "{}", lists.len());
}
