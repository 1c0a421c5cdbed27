// SPDX-License-Identifier: AGPL-3.0-or-later
//! A device list is signed only after the one that the public log shows to be the newest: else Olga, who hides a list, has
//! an innocent account's own keys sign two of one version.

use std::{cell::Cell, rc::Rc, time::Duration};

use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    device::{Command as Device, Event as DeviceEvent, Reply as DeviceReply},
    event::Event,
    model::ProblemKind,
};
use nodoor_wire::{
    code::Code,
    id::AccountId,
    proto::{LookupAnswer, answer::Body as Answer, request::Body as Ask},
};

use crate::{
    devices::{device, link, rows},
    hand::{MINUTE, account_of, answers, honest, lookup_of, refusal},
};

/// Counts the device lists that a person sends.
fn lists_of(world: &mut World, who: usize) -> Rc<Cell<usize>> {
    let count: Rc<Cell<usize>> = Rc::default();
    let counted = Rc::clone(&count);
    world.fate = Box::new(move |person, _, request| {
        let list = matches!(request.body, Some(Ask::ListPut(_)));
        counted.set(counted.get() + usize::from(list && person == who));
        Fate::Arrives
    });
    count
}

/// Olga shows a person this account as it is now, for ever, and proves nothing.
fn hide_what_comes(world: &mut World, from: usize, of: AccountId) {
    let before = lookup_of(world, of);
    answers(world, from, move |answer| {
        if let Answer::Lookup(found) = answer
            && found.account == before.account
        {
            *found = LookupAnswer { directory: None, ..before.clone() };
        } else if matches!(answer, Answer::History(_)) {
            *answer = refusal(Code::LedgerWaits);
        }
    });
}

fn ask(of: Device) -> Command {
    Command::Device { of }
}

fn shown_link(world: &mut World, person: usize) -> String {
    match device(world, person, Device::LinkStart) {
        Reply::Device(DeviceReply::Link { letters, .. }) => letters,
        other => panic!("no link: {other:?}"),
    }
}

#[test]
fn the_words_sign_nothing_on_lists_that_the_log_does_not_show_to_be_the_newest() {
    let mut world = World::with_ledger(900);
    let alice = world.register("alice");
    let Reply::Words(words) = world.ask(alice, Command::Words) else { panic!("no words") };
    world.pass(MINUTE);
    let fresh = world.begin_without_account("fresh");
    let account = account_of(&mut world, alice);
    hide_what_comes(&mut world, fresh, account);
    let laptop = link(&mut world, alice, "laptop");
    let gone = rows(&mut world, laptop)[0].device.clone();
    assert_eq!(device(&mut world, alice, Device::Remove { device: gone }), Reply::Done);
    world.pass(MINUTE);
    let lists = lists_of(&mut world, fresh);
    let of = Device::Recover { handle: "alice".to_owned(), words };
    let asked = world.begin(fresh, ask(of));
    world.pass(MINUTE);
    assert_eq!(lists.get(), 0, "{:?}", world.told(fresh, asked));
    honest(&mut world);
    world.pass(MINUTE);
    let told = world.told(fresh, asked);
    assert!(matches!(told, Some(Reply::Profile(_))), "{told:?}");
    assert_eq!(lookup_of(&mut world, account).lists.len(), 4);
}

#[test]
fn no_code_is_shown_for_a_list_that_the_log_does_not_show_to_be_the_newest() {
    let mut world = World::with_ledger(901);
    let alice = world.register("alice");
    let laptop = link(&mut world, alice, "laptop");
    let tablet = link(&mut world, alice, "tablet");
    world.pass(MINUTE);
    let gone = rows(&mut world, tablet)[0].device.clone();
    let account = account_of(&mut world, alice);
    hide_what_comes(&mut world, alice, account);
    assert_eq!(device(&mut world, laptop, Device::Remove { device: gone }), Reply::Done);
    world.pass(MINUTE);
    let watch = world.begin_without_account("watch");
    let letters = shown_link(&mut world, watch);
    let waits = |event: &&Event| matches!(event, Event::Device { what: DeviceEvent::LogAwaited });
    let told = |world: &World| world.person(alice).events.iter().filter(waits).count();
    let before = told(&world);
    let asked = world.begin(alice, ask(Device::LinkApprove { link: letters }));
    world.pass(MINUTE);
    assert_eq!(world.told(alice, asked), None, "it waits for the public log");
    assert_eq!(told(&world) - before, 1);
    honest(&mut world);
    world.pass(MINUTE / 2);
    let told = world.told(alice, asked);
    assert!(matches!(told, Some(Reply::Device(DeviceReply::Code { .. }))), "{told:?}");
    assert_eq!(rows(&mut world, alice).len(), 2, "and it is known who went");
}

#[test]
fn new_words_wait_for_the_log_too_and_an_end_of_waiting_has_its_reason() {
    let mut world = World::with_ledger(905);
    let alice = world.register("alice");
    link(&mut world, alice, "laptop");
    world.pass(3 * MINUTE);
    let account = account_of(&mut world, alice);
    hide_what_comes(&mut world, alice, account);
    world.pass(2 * MINUTE);
    let lists = lists_of(&mut world, alice);
    let asked = world.begin(alice, ask(Device::NewWords { words: String::new() }));
    world.pass(MINUTE);
    assert_eq!((lists.get(), world.told(alice, asked)), (0, None));
    honest(&mut world);
    world.pass(MINUTE);
    assert_eq!((lists.get(), world.told(alice, asked)), (0, Some(Reply::Done)));

    // Who asks to link is told why there was no code.
    hide_what_comes(&mut world, alice, account);
    world.pass(2 * MINUTE);
    let watch = world.begin_without_account("watch");
    let letters = shown_link(&mut world, watch);
    let asked = world.begin(alice, ask(Device::LinkApprove { link: letters }));
    world.pass(10 * MINUTE);
    match world.told(alice, asked) {
        Some(Reply::Problem(problem)) => assert_eq!(problem.kind, ProblemKind::LogWaits),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_removal_waits_for_the_log_a_while_and_is_not_stopped_by_its_silence() {
    let mut world = World::with_ledger(902);
    let alice = world.register("alice");
    let laptop = link(&mut world, alice, "laptop");
    world.pass(3 * MINUTE);
    let gone = rows(&mut world, laptop)[0].device.clone();
    let account = account_of(&mut world, alice);
    hide_what_comes(&mut world, alice, account);
    // What she was shown before is too old to sign after.
    world.pass(2 * MINUTE);
    let lists = lists_of(&mut world, alice);
    let asked = world.begin(alice, ask(Device::Remove { device: gone }));
    world.pass(MINUTE);
    assert_eq!((lists.get(), world.told(alice, asked)), (0, None));
    // Olga goes on showing nothing: a thief's device goes all the same.
    world.pass(3 * MINUTE);
    assert_eq!(lists.get(), 1);
    honest(&mut world);
    world.pass(MINUTE);
    assert_eq!(world.told(alice, asked), Some(Reply::Done));
    assert_eq!(rows(&mut world, alice).len(), 1);
}

#[test]
fn a_log_that_stands_still_and_proves_keeps_no_removal_waiting() {
    let mut world = World::with_ledger(903);
    let alice = world.register("alice");
    let laptop = link(&mut world, alice, "laptop");
    world.pass(3 * MINUTE);
    world.epochs = false;
    let gone = rows(&mut world, laptop)[0].device.clone();
    let asked = world.begin(alice, ask(Device::Remove { device: gone }));
    world.pass(Duration::from_secs(10));
    assert_eq!(world.told(alice, asked), Some(Reply::Done));
}

#[test]
fn the_letters_of_a_link_are_good_for_one_meeting() {
    let mut world = World::new(904);
    let alice = world.register("alice");
    let laptop = world.begin_without_account("laptop");
    let letters = shown_link(&mut world, laptop);
    let approve = Device::LinkApprove { link: letters };
    let code = device(&mut world, alice, approve.clone());
    assert!(matches!(code, Reply::Device(DeviceReply::Code { .. })), "{code:?}");
    assert_eq!(device(&mut world, alice, Device::LinkCancel), Reply::Done);
    // Slot 2 would hold another text under the same key and number.
    let boxes: Rc<Cell<usize>> = Rc::default();
    let counted = Rc::clone(&boxes);
    world.pass(Duration::from_secs(5));
    world.fate = Box::new(move |person, _, request| {
        let put = matches!(request.body, Some(Ask::RendezvousPut(_)));
        counted.set(counted.get() + usize::from(put && person == alice));
        Fate::Arrives
    });
    match device(&mut world, alice, approve) {
        Reply::Problem(problem) => assert_eq!(problem.kind, ProblemKind::LinkOver),
        other => panic!("met again: {other:?}"),
    }
    assert_eq!(boxes.get(), 0);
}
