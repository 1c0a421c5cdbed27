// SPDX-License-Identifier: AGPL-3.0-or-later
//! Key packages over the years: what nobody used goes, what somebody may still use stays, and whoever takes them all
//! uses up nothing.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

use nodoor_client::store::Store as _;
use nodoor_e2ee::key_package;
use nodoor_testkit::world::{Fate, World};
use nodoor_wire::{
    id::{AccountId, Token},
    proto::{answer::Body as Answer, request::Body as Ask},
};

use crate::hand::{MINUTE, account_of, answers, honest, package_of, refusal};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The tokens that the server holds of somebody, by what it is told from now on.
fn tokens_of(world: &mut World, who: usize) -> Rc<RefCell<BTreeSet<Token>>> {
    let held: Rc<RefCell<BTreeSet<Token>>> = Rc::default();
    let ear = Rc::clone(&held);
    let token = |seed: &bytes::Bytes| Token::of_seed(&<[u8; 32]>::try_from(&seed[..]).unwrap());
    world.fate = Box::new(move |person, _, request| {
        if person == who {
            match &request.body {
                Some(Ask::TokenPut(put)) => ear.borrow_mut().extend(put.seeds.iter().map(token)),
                Some(Ask::TokenDelete(delete)) => {
                    let deleted: Vec<Token> = delete.seeds.iter().map(token).collect();
                    ear.borrow_mut().retain(|token| !deleted.contains(token));
                }
                _ => {}
            }
        }
        Fate::Arrives
    });
    held
}

/// Rows of key packages on somebody's disk: how many are offered, and how many private halves there are.
fn on_disk(world: &mut World, who: usize) -> [usize; 4] {
    world.kill(who);
    let rows = ["b/", "e/kp/", "e/offer/", "e/token/"].map(|prefix| {
        let end = [prefix.as_bytes(), &[0xFF]].concat();
        world.disk(who).keys(prefix.as_bytes(), &end, usize::MAX).unwrap().len()
    });
    world.switch_on(who);
    rows
}

/// Somebody takes all single-use packages, and goes away with them.
fn take_all(world: &mut World, account: AccountId) {
    for _ in 0..5 {
        package_of(world, account);
    }
}

#[test]
fn a_key_package_that_nobody_used_dies_with_its_token_and_its_keys() {
    let mut world = World::new(710);
    let bob = world.begin_without_account("bob");
    let held = tokens_of(&mut world, bob);
    let register =
        nodoor_view::command::Command::Register { handle: "bob".into(), ticket: String::new() };
    world.ask(bob, register);
    world.run();
    let bobs = account_of(&mut world, bob);
    let taken = key_package::inspect(&package_of(&mut world, bobs)).unwrap().token;
    let first = held.borrow().clone();
    assert!(first.contains(&taken) && first.len() == 6);
    // For a month to use it, and one more in a mailbox, it is there.
    world.pass(85 * DAY);
    assert!(held.borrow().contains(&taken));
    world.pass(10 * DAY);
    assert!(held.borrow().is_disjoint(&first), "{:?}", held.borrow().intersection(&first));
    // And nobody is given any of them.
    for _ in 0..6 {
        let token = key_package::inspect(&package_of(&mut world, bobs)).unwrap().token;
        assert!(!first.contains(&token));
    }
}

#[test]
fn years_of_renewals_and_refills_stay_bounded() {
    let mut world = World::new(711);
    let (bob, carol) = (world.register("bob"), world.register("carol"));
    let held = tokens_of(&mut world, bob);
    let bobs = account_of(&mut world, bob);
    for week in 0..3 * 52 {
        world.pass(7 * DAY);
        if week % 2 == 0 {
            take_all(&mut world, bobs);
            world.cut(bob);
            world.run();
        }
    }
    // Three months of a refill every other week, a renewal every month.
    let most = 60;
    assert!(held.borrow().len() < most, "{}", held.borrow().len());
    let rows = on_disk(&mut world, bob);
    assert!(rows.iter().all(|count| *count < most), "{rows:?}");
    world.say(carol, "bob", "still there?");
    world.pass(MINUTE);
    assert_eq!(world.requests(bob)[0].text, "still there?");
}

#[test]
fn whoever_takes_packages_as_fast_as_they_come_uses_up_no_tokens() {
    let mut world = World::new(712);
    let (bob, carol) = (world.register("bob"), world.register("carol"));
    let held = tokens_of(&mut world, bob);
    let bobs = account_of(&mut world, bob);
    for _ in 0..100 {
        take_all(&mut world, bobs);
        world.cut(bob);
        world.pass(MINUTE);
    }
    // 40 stocks of 5, and the last ones.
    assert!(held.borrow().len() <= 220, "{}", held.borrow().len());
    let rows = on_disk(&mut world, bob);
    assert!(rows.iter().all(|count| *count <= 220), "{rows:?}");
    world.say(carol, "bob", "any left?");
    world.pass(MINUTE);
    assert_eq!(world.requests(bob)[0].text, "any left?");
}

#[test]
fn a_stock_whose_yes_was_lost_is_put_again() {
    let mut world = World::new(713);
    let (bob, carol) = (world.register("bob"), world.register("carol"));
    let bobs = account_of(&mut world, bob);
    let before = package_of(&mut world, bobs);
    answers(&mut world, bob, |answer| {
        if matches!(answer, Answer::Done(_)) {
            *answer = refusal(nodoor_wire::code::Code::Internal);
        }
    });
    world.pass(31 * DAY);
    world.cut(bob);
    world.pass(DAY);
    honest(&mut world);
    world.cut(bob);
    world.pass(DAY);
    let after = package_of(&mut world, bobs);
    assert_ne!(before, after);
    world.say(carol, "bob", "hello");
    world.pass(MINUTE);
    assert_eq!(world.requests(bob)[0].text, "hello");
    let rows = on_disk(&mut world, bob);
    assert!(rows[0] < 40, "{rows:?}");
}
