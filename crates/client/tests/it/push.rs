// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where a device is called, as it tells the server, and what it says that nobody is to be called for.

use std::{cell::RefCell, rc::Rc, time::Duration};

use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    message,
    model::ProblemKind,
    push::{Command as OfPush, State, Subscription},
};
use nodoor_wire::proto::{PushPut, request::Body as Ask};

const WHILE: Duration = Duration::from_secs(20);
const DAY: Duration = Duration::from_secs(24 * 3600);
const PLACE: &str = "https://push.example/it";

type Heard<T> = Rc<RefCell<Vec<T>>>;

/// What a person's device puts of the kind that `pick` picks, from now on.
fn listen<T: 'static>(
    world: &mut World,
    person: usize,
    pick: impl Fn(&Ask) -> Option<T> + 'static,
) -> Heard<T> {
    let heard = Heard::default();
    let kept = Rc::clone(&heard);
    world.fate = Box::new(move |who, _, request| {
        if who == person {
            kept.borrow_mut().extend(request.body.as_ref().and_then(&pick));
        }
        Fate::Arrives
    });
    heard
}

fn puts(world: &mut World, person: usize) -> Heard<PushPut> {
    listen(world, person, |body| match body {
        Ask::PushPut(put) => Some(put.clone()),
        _ => None,
    })
}

fn alice(seed: u64) -> (World, usize) {
    let mut world = World::new(seed);
    world.server.call_as(vec![4; 65].into());
    let alice = world.register("alice");
    world.pass(WHILE);
    (world, alice)
}

fn at(endpoint: &str) -> OfPush {
    let (key, auth) = (vec![4; 65], vec![5; 16]);
    OfPush::Set { at: Subscription { endpoint: endpoint.to_owned(), key, auth } }
}

fn ask(world: &mut World, person: usize, of: OfPush) -> Reply {
    world.ask(person, Command::Push { of })
}

fn shown(world: &mut World, person: usize) -> State {
    match ask(world, person, OfPush::Show) {
        Reply::Push(state) => state,
        other => panic!("{other:?}"),
    }
}

fn kind(reply: &Reply) -> Option<ProblemKind> {
    match reply {
        Reply::Problem(problem) => Some(problem.kind),
        _ => None,
    }
}

#[test]
fn where_a_device_is_called_is_said_until_the_yes_and_then_weekly() {
    let (mut world, alice) = alice(1);
    let puts = puts(&mut world, alice);
    world.set_offline(alice, true);
    let refused = ask(&mut world, alice, at(PLACE));
    assert_eq!(kind(&refused), Some(ProblemKind::Offline));
    assert!(puts.borrow().is_empty());
    let state = shown(&mut world, alice);
    assert_eq!((state.endpoint.as_deref(), state.told), (Some(PLACE), false));
    world.set_offline(alice, false);
    world.pass(WHILE);
    assert!(shown(&mut world, alice).told);
    assert_eq!(puts.borrow().len(), 1);
    // Said again it is not said again, and neither does a login repeat it at once.
    assert_eq!(ask(&mut world, alice, at(PLACE)), Reply::Done);
    world.cut(alice);
    world.pass(WHILE);
    assert_eq!(puts.borrow().len(), 1);
    world.pass(8 * DAY);
    world.cut(alice);
    world.pass(WHILE);
    assert_eq!(puts.borrow().len(), 2);
    assert_eq!(puts.borrow()[0], puts.borrow()[1]);
}

#[test]
fn that_nobody_is_to_call_stays_on_disk_until_the_yes() {
    let (mut world, alice) = alice(2);
    assert_eq!(ask(&mut world, alice, OfPush::Off), Reply::Done, "it never was");
    assert_eq!(ask(&mut world, alice, at(PLACE)), Reply::Done);
    let puts = puts(&mut world, alice);
    world.set_offline(alice, true);
    assert_eq!(kind(&ask(&mut world, alice, OfPush::Off)), Some(ProblemKind::Offline));
    world.kill(alice);
    world.switch_on(alice);
    world.set_offline(alice, false);
    world.pass(WHILE);
    assert_eq!(*puts.borrow(), [PushPut::default()]);
    assert_eq!(shown(&mut world, alice).endpoint, None);
}

#[test]
fn what_the_server_would_not_have_is_not_asked_of_it() {
    let (mut world, alice) = alice(3);
    let puts = puts(&mut world, alice);
    for place in ["http://push.example/a", "ftp://x", "https://push.example/a b", ""] {
        assert_eq!(kind(&ask(&mut world, alice, at(place))), Some(ProblemKind::NotFound));
    }
    let long = format!("{PLACE}{}", "a".repeat(1024));
    assert!(kind(&ask(&mut world, alice, at(&long))).is_some());
    assert!(puts.borrow().is_empty());
    // It refuses this one itself: nothing is kept, and nothing is tried again.
    assert!(kind(&ask(&mut world, alice, at("http://127.0.0.1:9/a"))).is_some());
    assert_eq!(shown(&mut world, alice).endpoint, None);

    // A server that calls nobody.
    let mut world = World::new(4);
    let bob = world.register("bob");
    world.pass(WHILE);
    assert_eq!(shown(&mut world, bob).server_key, Some(Vec::new()));
    assert_eq!(kind(&ask(&mut world, bob, at(PLACE))), Some(ProblemKind::NotFound));
}

#[test]
fn what_a_person_writes_calls_and_nothing_else_does() {
    let (mut world, alice) = alice(5);
    let bob = world.register("bob");
    world.pass(WHILE);
    let quiet = |body: &Ask| match body {
        Ask::Send(send) => Some(send.quiet),
        _ => None,
    };
    let hers = listen(&mut world, alice, quiet);
    world.say(alice, "bob", "hello");
    world.pass(WHILE);
    assert!(hers.borrow().contains(&false));
    let his = listen(&mut world, bob, quiet);
    let chat = world.accept(bob);
    world.pass(WHILE);
    // His receipts.
    assert!(!his.borrow().is_empty() && his.borrow().iter().all(|quiet| *quiet));
    his.borrow_mut().clear();
    let row = world.rows(bob, chat.id).pop().unwrap();
    let of = message::Command::React { message: row.id, emoji: "👍".to_owned() };
    assert!(kind(&world.ask(bob, Command::Message { of })).is_none());
    world.pass(WHILE);
    assert_eq!(*his.borrow(), [true]);
    his.borrow_mut().clear();
    world.write(bob, chat.id, "and hello to you");
    world.pass(WHILE);
    assert_eq!(*his.borrow(), [false]);
}
