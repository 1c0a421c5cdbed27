// SPDX-License-Identifier: AGPL-3.0-or-later
//! A handle leads to who holds it, and to another one only as the log shows that it moved.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_transparency::{
    handover::HANDOVER_WAIT_MS,
    key::{Signer, SigningKey},
    statement::HandleClaim,
};
use nodoor_view::{
    command::{Command, Reply},
    device::{Command as Device, Event as DeviceEvent, Reply as DeviceReply},
    event::Event,
    model::{Content, ProblemKind, SendState, SystemLine},
};
use nodoor_wire::{handle::Handle, id::AccountId, proto::answer::Body as Answer};

use crate::{
    devices::device,
    hand::{HOUR, MINUTE, account_of, answers, days, honest, two},
};

const SECOND: Duration = Duration::from_secs(1);

fn move_handle(world: &mut World, person: usize) -> Reply {
    device(world, person, Device::MoveHandle { handle: "bob".to_owned() })
}

/// Olga gives @bob to somebody, and says no word of it in the log.
fn hand_over(world: &mut World, from: AccountId, to: usize) {
    let handle = Handle::parse("bob").unwrap();
    let mallory = world.turn(to);
    let account = mallory.account;
    let key = SigningKey::from_seed(mallory.device_key.to_bytes());
    world.give_back(mallory);
    let claim = HandleClaim { handle: handle.clone(), account }.sign(Signer::Device(&key));
    world.hand_over(handle, from, account, claim);
}

fn handle_of(world: &mut World, person: usize) -> String {
    match world.ask(person, Command::WhoAmI) {
        Reply::Profile(profile) => profile.handle,
        other => panic!("nobody: {other:?}"),
    }
}

fn events(world: &World, person: usize) -> Vec<DeviceEvent> {
    let of = |event: &Event| match event {
        Event::Device { what } => Some(what.clone()),
        _ => None,
    };
    world.person(person).events.iter().filter_map(of).collect()
}

fn find(world: &mut World, person: usize) -> Reply {
    world.ask(person, Command::OpenDirect { handle: "bob".to_owned() })
}

fn problem(reply: Reply) -> ProblemKind {
    match reply {
        Reply::Problem(problem) => problem.kind,
        other => panic!("no problem: {other:?}"),
    }
}

#[test]
fn a_handle_that_olga_gives_away_silently_leads_nobody_to_whom_she_gave_it() {
    let mut world = World::with_ledger(900);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let (carol, mallory) = (world.register("carol"), world.register("mallory"));
    world.pass(10 * SECOND);
    // Alice knows Bob, Carol does not.
    let [chat, of_bob] = two(&mut world, alice, bob);
    let account = account_of(&mut world, bob);
    hand_over(&mut world, account, mallory);
    world.pass(10 * SECOND);
    world.say(carol, "bob", "for Bob alone");
    world.write(alice, chat, "to you as ever");
    days(&mut world, 1);
    assert!(world.requests(mallory).is_empty(), "nobody wrote to Mallory");
    let asked = world.chat(carol, "bob").id;
    assert_ne!(world.states(carol, asked), [SendState::Sent]);
    assert!(world.texts(bob, of_bob).contains(&"alice: to you as ever".to_owned()));
}

#[test]
fn a_claim_of_less_than_a_week_moves_nothing_for_anybody() {
    let mut world = World::with_ledger(901);
    let bob = world.register("bob");
    let (carol, mallory) = (world.register("carol"), world.register("mallory"));
    world.pass(10 * SECOND);
    let account = account_of(&mut world, bob);
    world.kill(bob);
    assert!(matches!(move_handle(&mut world, mallory), Reply::Device(DeviceReply::Handle { .. })));
    days(&mut world, 6);
    hand_over(&mut world, account, mallory);
    world.pass(10 * SECOND);
    world.say(carol, "bob", "for Bob alone");
    world.pass(HOUR);
    assert!(world.requests(mallory).is_empty());
    // From then on the log shows what it has to.
    days(&mut world, 2);
    assert_eq!(world.requests(mallory).len(), 1);
}

#[test]
fn who_lost_everything_gets_the_handle_back_after_a_week_and_old_chats_stay_where_they_were() {
    let mut world = World::with_ledger(902);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let (carol, new) = (world.register("carol"), world.register("bob-new"));
    world.pass(10 * SECOND);
    let [chat, _] = two(&mut world, alice, bob);
    world.kill(bob);
    let Reply::Device(DeviceReply::Handle { from: Some(from), .. }) = move_handle(&mut world, new)
    else {
        panic!("no answer")
    };
    assert!(from.0 <= world.now() + HANDOVER_WAIT_MS);
    // The claimant's device goes and comes back; what is asked is asked on.
    days(&mut world, 3);
    world.kill(new);
    days(&mut world, 1);
    world.switch_on(new);
    assert_eq!(handle_of(&mut world, new), "bob-new");
    days(&mut world, 4);
    assert_eq!(handle_of(&mut world, new), "bob");
    assert!(matches!(
        move_handle(&mut world, new),
        Reply::Device(DeviceReply::Handle { from: None, .. })
    ));
    // Carol never met him before.
    world.say(carol, "bob", "hello");
    world.pass(MINUTE);
    assert_eq!(world.requests(new).len(), 1);
    // Alice did: she is told, and what she writes into her chat is not for the new one.
    assert_eq!(problem(find(&mut world, alice)), ProblemKind::HandleMoved);
    let lines = world.rows(alice, chat);
    assert!(
        lines.iter().any(|row| row.content
            == Content::System(SystemLine::HandleMoved { handle: "bob".to_owned() }))
    );
    world.write(alice, chat, "to the old one");
    world.pass(MINUTE);
    assert_eq!(world.requests(new).len(), 1);
    let Reply::Conversation(other) = find(&mut world, alice) else { panic!("nobody") };
    assert_ne!(other.id, chat);
    // The old device comes back, and learns what it lost.
    world.switch_on(bob);
    days(&mut world, 1);
    assert_eq!(handle_of(&mut world, bob), "");
    assert!(events(&world, bob).contains(&DeviceEvent::Handle { handle: String::new() }));
}

#[test]
fn a_living_device_keeps_its_handle_and_says_so() {
    let mut world = World::with_ledger(903);
    let (alice, bob, mallory) =
        (world.register("alice"), world.register("bob"), world.register("mallory"));
    world.pass(10 * SECOND);
    assert!(matches!(move_handle(&mut world, mallory), Reply::Device(DeviceReply::Handle { .. })));
    days(&mut world, 9);
    let asked = DeviceEvent::HandleAsked { handle: "bob".to_owned() };
    assert_eq!(events(&world, bob).iter().filter(|event| **event == asked).count(), 1);
    let refused = DeviceEvent::HandleRefused { handle: "bob".to_owned() };
    assert!(events(&world, mallory).contains(&refused));
    assert_eq!(handle_of(&mut world, bob), "bob");
    world.say(alice, "bob", "hello");
    world.pass(MINUTE);
    assert_eq!(world.requests(bob).len(), 1);
    assert!(world.requests(mallory).is_empty());
}

#[test]
fn a_server_that_only_says_that_our_handle_is_gone_takes_nothing() {
    let mut world = World::with_ledger(904);
    let bob = world.register("bob");
    world.pass(10 * SECOND);
    answers(&mut world, bob, |answer| {
        if matches!(answer, Answer::Done(_)) {
            *answer = Answer::Refusal(nodoor_wire::proto::Refusal {
                code: nodoor_wire::code::Code::HandleTaken.number(),
                ..Default::default()
            });
        }
    });
    days(&mut world, 1);
    honest(&mut world);
    assert_eq!(handle_of(&mut world, bob), "bob");
}
