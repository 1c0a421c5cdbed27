// SPDX-License-Identifier: AGPL-3.0-or-later
//! A person's devices: linked, removed, brought back; and what a thief gets.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    device::{Command as Device, Event as DeviceEvent, Linking, Reply as DeviceReply, Standing},
    event::Event,
    model::{Content, DeviceRow, ProblemKind, SystemLine},
};

pub(crate) fn device(world: &mut World, person: usize, of: Device) -> Reply {
    world.ask(person, Command::Device { of })
}

pub(crate) fn rows(world: &mut World, person: usize) -> Vec<DeviceRow> {
    match world.ask(person, Command::Devices) {
        Reply::Devices(rows) => rows,
        other => panic!("no devices: {other:?}"),
    }
}

fn problem(reply: Reply) -> ProblemKind {
    match reply {
        Reply::Problem(problem) => problem.kind,
        other => panic!("no problem: {other:?}"),
    }
}

fn linkings(world: &World, person: usize) -> Vec<Linking> {
    let of = |event: &Event| match event {
        Event::Device { what: DeviceEvent::Linking { state } } => Some(state.clone()),
        _ => None,
    };
    world.person(person).events.iter().filter_map(of).collect()
}

pub(crate) fn show(world: &mut World, person: usize) -> String {
    match device(world, person, Device::LinkStart) {
        Reply::Device(DeviceReply::Link { letters, .. }) => letters,
        other => panic!("no link: {other:?}"),
    }
}

pub(crate) fn approve(world: &mut World, person: usize, link: &str) -> String {
    match device(world, person, Device::LinkApprove { link: link.to_owned() }) {
        Reply::Device(DeviceReply::Code { code, .. }) => code,
        other => panic!("no code: {other:?}"),
    }
}

/// Links a fresh device to a person's; it is online and has its rooms afterwards.
pub(crate) fn link(world: &mut World, old: usize, name: &'static str) -> usize {
    let new = world.begin_without_account(name);
    let letters = show(world, new);
    let code = approve(world, old, &letters);
    assert_eq!(device(world, new, Device::LinkCode { code }), Reply::Done);
    world.pass(Duration::from_secs(30));
    new
}

#[test]
fn a_linked_device_works_as_one_of_the_account() {
    for ledger in [false, true] {
        let mut world = if ledger { World::with_ledger(1) } else { World::new(1) };
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        world.pass(Duration::from_secs(10));
        world.say(alice, "bob", "before");
        world.pass(Duration::from_secs(10));
        world.accept(bob);
        world.pass(Duration::from_secs(10));
        let laptop = link(&mut world, alice, "laptop");
        assert!(matches!(linkings(&world, laptop).last(), Some(Linking::Linked { .. })));
        assert!(matches!(linkings(&world, alice).last(), Some(Linking::Linked { .. })));
        for person in [alice, laptop] {
            assert_eq!(rows(&mut world, person).len(), 2, "{ledger}");
            assert!(rows(&mut world, person)[0].current);
            assert!(rows(&mut world, person).iter().all(|row| row.added_at.0 > 0));
        }
        // Both devices hear Bob, Bob hears both, and both hear each other.
        world.say(bob, "alice", "to both");
        world.pass(Duration::from_secs(10));
        let chat = world.chats(laptop).remove(0).id;
        assert_eq!(world.texts(laptop, chat), ["bob: to both"], "{ledger}");
        world.write(laptop, chat, "from the laptop");
        world.pass(Duration::from_secs(10));
        let at_alice = world.chats(alice).remove(0).id;
        assert_eq!(
            world.texts(alice, at_alice),
            ["me: before", "bob: to both", "me: from the laptop"]
        );
        let at_bob = world.chats(bob).remove(0).id;
        assert_eq!(
            world.texts(bob, at_bob),
            ["alice: before", "me: to both", "alice: from the laptop"]
        );
        // A chat that begins later has both as well, whoever begins it.
        let carol = world.register("carol");
        world.pass(Duration::from_secs(10));
        world.say(laptop, "carol", "hello");
        world.pass(Duration::from_secs(10));
        world.accept(carol);
        world.say(carol, "alice", "to both");
        world.pass(Duration::from_secs(10));
        let title = |world: &mut World, person| {
            let chats = world.chats(person);
            chats.into_iter().find(|chat| chat.title == "@carol").map(|chat| chat.id)
        };
        let at_alice = title(&mut world, alice).expect("the other device is in the chat");
        assert_eq!(world.texts(alice, at_alice), ["me: hello", "carol: to both"], "{ledger}");
    }
}

#[test]
fn a_wrong_code_is_said_and_three_end_it() {
    let mut world = World::new(2);
    let alice = world.register("alice");
    let laptop = world.begin_without_account("laptop");
    let letters = show(&mut world, laptop);
    let code = approve(&mut world, alice, &letters);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for kind in [ProblemKind::WrongCode, ProblemKind::WrongCode, ProblemKind::LinkOver] {
        let typed = device(&mut world, laptop, Device::LinkCode { code: wrong.to_owned() });
        assert_eq!(problem(typed), kind);
    }
    assert_eq!(
        problem(device(&mut world, laptop, Device::LinkCode { code })),
        ProblemKind::LinkOver
    );
    world.pass(Duration::from_secs(180));
    assert!(matches!(linkings(&world, alice).last(), Some(Linking::Ended { .. })));
    assert_eq!(rows(&mut world, alice).len(), 1, "nothing was signed");
    // And it can be tried anew.
    let letters = show(&mut world, laptop);
    let code = approve(&mut world, alice, &letters);
    assert_eq!(device(&mut world, laptop, Device::LinkCode { code }), Reply::Done);
    world.pass(Duration::from_secs(30));
    assert_eq!(rows(&mut world, alice).len(), 2);
}

#[test]
fn a_link_is_good_for_five_minutes_and_no_other_letters_are() {
    let mut world = World::new(3);
    let alice = world.register("alice");
    let laptop = world.begin_without_account("laptop");
    let letters = show(&mut world, laptop);
    let other = letters.replace(&letters[..1], if letters.starts_with('A') { "B" } else { "A" });
    for link in ["", "hello", "https://example.org/link", &other[..10]] {
        let said = device(&mut world, alice, Device::LinkApprove { link: link.to_owned() });
        assert_eq!(problem(said), ProblemKind::LinkOver);
    }
    world.pass(Duration::from_secs(330));
    assert!(matches!(linkings(&world, laptop).last(), Some(Linking::Ended { .. })));
    // Whatever the server still has of it, the new device takes no code any more.
    let of = Device::LinkApprove { link: letters };
    let asked = world.begin(alice, Command::Device { of });
    world.pass(Duration::from_secs(20));
    if let Some(Reply::Device(DeviceReply::Code { code, .. })) = world.told(alice, asked) {
        let typed = device(&mut world, laptop, Device::LinkCode { code });
        assert_eq!(problem(typed), ProblemKind::LinkOver);
    }
    world.pass(Duration::from_secs(200));
    assert_eq!(rows(&mut world, alice).len(), 1);
}

#[test]
fn a_removed_device_reads_nothing_that_comes_after() {
    let mut world = World::new(4);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "before");
    world.pass(Duration::from_secs(5));
    world.accept(bob);
    let laptop = link(&mut world, alice, "laptop");
    let tablet = link(&mut world, alice, "tablet");
    let gone = rows(&mut world, laptop)[0].device.clone();
    assert_eq!(device(&mut world, alice, Device::Remove { device: gone.clone() }), Reply::Done);
    // Done means done: no commit is still to come.
    world.say(bob, "alice", "after");
    world.pass(Duration::from_secs(20));
    let chat = world.chats(laptop).remove(0).id;
    assert!(world.texts(laptop, chat).is_empty(), "the laptop read what came after");
    let chat = world.chats(tablet).remove(0).id;
    assert_eq!(world.texts(tablet, chat), ["bob: after"]);
    for person in [alice, tablet] {
        assert_eq!(rows(&mut world, person).len(), 2);
    }
    // Alice is there as before, and nobody reads that she left.
    let chat = world.chats(bob).remove(0).id;
    let told = format!("{:?}", crate::groups::lines(&mut world, bob, chat));
    assert!(!told.contains("Left") && !told.contains("Removed {"), "{told}");
    world.cut(laptop);
    world.pass(Duration::from_secs(5));
    // What is typed there goes nowhere, and says so.
    let chat = world.chats(laptop).remove(0).id;
    let text = "still me".to_owned();
    let said = world.ask(laptop, Command::SendText { conversation: chat, text });
    assert_eq!(problem(said), ProblemKind::NotADevice);
    let removed = |event: &Event| match event {
        Event::Device { what: DeviceEvent::Removed { device, .. } } => device.device == gone,
        _ => false,
    };
    for person in [alice, laptop, tablet] {
        assert!(world.person(person).events.iter().any(removed), "{person} was not told");
    }
    let standing = device(&mut world, laptop, Device::Standing);
    let removed = matches!(standing, Reply::Device(DeviceReply::Standing(Standing::Removed { may_dispute, .. })) if may_dispute);
    assert!(removed, "{standing:?}");
}

#[test]
fn every_device_is_told_of_a_new_one() {
    let mut world = World::new(5);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "before");
    world.pass(Duration::from_secs(5));
    world.accept(bob);
    let laptop = link(&mut world, alice, "laptop");
    let tablet = link(&mut world, laptop, "tablet");
    let new = rows(&mut world, tablet)[0].device.clone();
    let told = |event: &Event| match event {
        Event::Device { what: DeviceEvent::Added { device, by_words: false, .. } } => {
            device.device == new
        }
        _ => false,
    };
    assert!(world.person(alice).events.iter().any(told), "the phone was not told");
}

fn words(world: &mut World, person: usize) -> String {
    match world.ask(person, Command::Words) {
        Reply::Words(words) => words,
        other => panic!("no words: {other:?}"),
    }
}

#[test]
fn words_are_asked_back_once_and_then_are_gone() {
    let mut world = World::new(6);
    let alice = world.register("alice");
    let all = words(&mut world, alice);
    let all: Vec<&str> = all.split(' ').collect();
    let asked = |world: &mut World| match device(world, alice, Device::WordsAsk) {
        Reply::Device(DeviceReply::Places { places }) => places,
        other => panic!("nothing asked: {other:?}"),
    };
    let places = asked(&mut world);
    assert_eq!(places.len(), 3);
    assert!(places.is_sorted() && places.iter().all(|place| (1..=24).contains(place)));
    assert_eq!(asked(&mut world), places, "the same until they were answered");
    let right = |places: &[u8]| -> Vec<String> {
        places.iter().map(|place| all[usize::from(*place) - 1].to_uppercase()).collect()
    };
    let mut wrong = right(&places);
    wrong.swap(0, 1);
    if all[usize::from(places[0]) - 1] != all[usize::from(places[1]) - 1] {
        let said = device(&mut world, alice, Device::WordsConfirm { words: wrong });
        assert_eq!(problem(said), ProblemKind::WrongWords);
    }
    // Nothing was asked now: three guessed words erase nothing.
    let said = device(&mut world, alice, Device::WordsConfirm { words: Vec::new() });
    assert_eq!(problem(said), ProblemKind::WrongWords);
    let places = asked(&mut world);
    let said = device(&mut world, alice, Device::WordsConfirm { words: right(&places) });
    assert_eq!(said, Reply::Done);
    assert_eq!(world.ask(alice, Command::Words), Reply::Nothing);
    assert_eq!(device(&mut world, alice, Device::WordsAsk), Reply::Nothing);
}

fn recover(world: &mut World, person: usize, handle: &str, words: &str) -> Reply {
    let of = Device::Recover { handle: handle.to_owned(), words: words.to_owned() };
    device(world, person, of)
}

#[test]
fn the_words_bring_an_account_back_and_put_every_other_device_out() {
    for ledger in [false, true] {
        let mut world = if ledger { World::with_ledger(7) } else { World::new(7) };
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        world.pass(Duration::from_secs(10));
        let (hers, his) = (words(&mut world, alice), words(&mut world, bob));
        world.say(alice, "bob", "before");
        world.pass(Duration::from_secs(10));
        world.accept(bob);
        world.pass(Duration::from_secs(10));
        let fresh = world.begin_without_account("fresh");
        for (words, kind) in [
            ("one two three", ProblemKind::WrongWords),
            (hers.rsplit_once(' ').unwrap().0, ProblemKind::WrongWords),
            (his.as_str(), ProblemKind::WrongWords),
        ] {
            assert_eq!(problem(recover(&mut world, fresh, "alice", words)), kind);
        }
        let back = recover(&mut world, fresh, "@Alice", &hers.to_uppercase());
        assert!(matches!(back, Reply::Profile(profile) if profile.handle == "alice"));
        world.pass(Duration::from_secs(30));
        assert_eq!(rows(&mut world, fresh).len(), 1);
        // The old device is out, was told why, and cannot object to the words.
        world.cut(alice);
        world.pass(Duration::from_secs(10));
        let standing = device(&mut world, alice, Device::Standing);
        assert!(matches!(
            standing,
            Reply::Device(DeviceReply::Standing(Standing::Removed { may_dispute: false, .. }))
        ));
        assert_eq!(problem(device(&mut world, alice, Device::Dispute)), ProblemKind::NotAllowed);
        // Bob's chat goes on with the new device and without the old one.
        world.say(fresh, "bob", "it is me again");
        world.pass(Duration::from_secs(20));
        let chat = world.chats(bob).remove(0).id;
        assert_eq!(world.texts(bob, chat), ["alice: before", "alice: it is me again"], "{ledger}");
        let lines: Vec<_> = world
            .rows(bob, chat)
            .into_iter()
            .filter(|row| {
                matches!(
                    &row.content,
                    Content::System(SystemLine::DeviceAddedByWords { who }) if who.handle == "alice"
                )
            })
            .collect();
        assert_eq!(lines.len(), 1, "Bob is told that it was the words, once");
        world.say(bob, "alice", "welcome back");
        world.pass(Duration::from_secs(20));
        let chat = world.chats(fresh).remove(0).id;
        assert_eq!(world.texts(fresh, chat), ["me: it is me again", "bob: welcome back"]);
        let chat = world.chats(alice).remove(0).id;
        assert_eq!(world.texts(alice, chat), ["me: before"], "the old device reads on");
        // Whoever looks the handle up finds the account as before.
        let carol = world.register("carol");
        world.pass(Duration::from_secs(10));
        world.say(carol, "alice", "hello");
        world.pass(Duration::from_secs(20));
        assert_eq!(world.requests(fresh).len(), 1, "{ledger}");
    }
}

#[test]
fn a_thief_gets_a_standstill_and_no_account() {
    let mut world = World::with_ledger(8);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let hers = words(&mut world, alice);
    world.pass(Duration::from_secs(10));
    world.say(alice, "bob", "before");
    world.pass(Duration::from_secs(10));
    world.accept(bob);
    world.pass(Duration::from_secs(10));
    // The thief has the laptop, unlocked, and puts the phone out.
    let thief = link(&mut world, alice, "laptop");
    let phone = rows(&mut world, alice)[0].device.clone();
    assert_eq!(device(&mut world, thief, Device::Remove { device: phone }), Reply::Done);
    world.cut(alice);
    world.pass(Duration::from_secs(10));
    assert_eq!(device(&mut world, alice, Device::Dispute), Reply::Done);
    assert_eq!(device(&mut world, alice, Device::Dispute), Reply::Done, "once is enough");
    // The thief adds no device.
    world.cut(thief);
    world.pass(Duration::from_secs(700));
    let second = world.begin_without_account("second");
    let letters = show(&mut world, second);
    let said = device(&mut world, thief, Device::LinkApprove { link: letters });
    assert_eq!(problem(said), ProblemKind::Disputed);
    // What Bob writes waits, and his chat says why.
    let chat = world.chats(bob).remove(0);
    world.write(bob, chat.id, "are you there?");
    world.pass(Duration::from_secs(30));
    let row = world.chats(bob).remove(0);
    assert_eq!(row.writable, nodoor_view::model::Writable::Disputed);
    let at_thief = world.chats(thief).remove(0).id;
    assert!(world.texts(thief, at_thief).is_empty(), "the thief reads");
    // The words settle it: what waited goes to the owner.
    let fresh = world.begin_without_account("fresh");
    assert!(matches!(recover(&mut world, fresh, "alice", &hers), Reply::Profile(_)));
    world.pass(Duration::from_secs(30));
    world.say(fresh, "bob", "I am back");
    world.pass(Duration::from_secs(700));
    let row = world.chats(bob).remove(0);
    assert_eq!(row.writable, nodoor_view::model::Writable::Yes);
    let at_fresh = world.chats(fresh).remove(0).id;
    let texts = world.texts(fresh, at_fresh);
    assert_eq!(texts, ["me: I am back", "bob: are you there?"]);
    assert!(world.texts(thief, at_thief).is_empty(), "the thief reads");
    // And devices can be added again.
    link(&mut world, fresh, "new laptop");
    assert_eq!(rows(&mut world, fresh).len(), 2);
}

#[test]
fn an_objection_that_was_seen_is_not_forgotten_because_the_server_leaves_it_out() {
    let mut world = World::with_ledger(9);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(Duration::from_secs(10));
    world.say(alice, "bob", "before");
    world.pass(Duration::from_secs(10));
    world.accept(bob);
    world.pass(Duration::from_secs(10));
    let thief = link(&mut world, alice, "laptop");
    let phone = rows(&mut world, alice)[0].device.clone();
    assert_eq!(device(&mut world, thief, Device::Remove { device: phone }), Reply::Done);
    world.cut(alice);
    world.pass(Duration::from_secs(10));
    assert_eq!(device(&mut world, alice, Device::Dispute), Reply::Done);
    world.pass(Duration::from_secs(700));
    let chat = world.chats(bob).remove(0);
    world.write(bob, chat.id, "are you there?");
    world.pass(Duration::from_secs(30));
    assert_eq!(world.chats(bob).remove(0).writable, nodoor_view::model::Writable::Disputed);
    // Olga helps the thief.
    crate::hand::answers(&mut world, bob, |answer| {
        if let nodoor_wire::proto::answer::Body::Lookup(found) = answer {
            found.disputes.clear();
        }
    });
    for _ in 0..4 {
        world.pass(Duration::from_secs(700));
        world.cut(bob);
    }
    assert_eq!(world.chats(bob).remove(0).writable, nodoor_view::model::Writable::Disputed);
    let at_thief = world.chats(thief).remove(0).id;
    assert!(world.texts(thief, at_thief).is_empty(), "the thief reads");
}

#[test]
fn a_linking_survives_death_after_any_effect_or_never_was() {
    let mut linked = 0;
    for n in (0..36).step_by(2) {
        for dies in 0..2 {
            let mut world = World::new(900 + u64::from(n));
            let devices = [world.register("alice"), world.begin_without_account("laptop")];
            let [alice, laptop] = devices;
            let link = show(&mut world, laptop);
            world.device(devices[dies]).fuse = Some(n);
            let of = Device::LinkApprove { link };
            let asked = world.begin(alice, Command::Device { of });
            world.pass(Duration::from_secs(5));
            if let Some(Reply::Device(DeviceReply::Code { code, .. })) = world.told(alice, asked)
                && world.is_on(laptop)
            {
                world.begin(laptop, Command::Device { of: Device::LinkCode { code } });
                world.pass(Duration::from_secs(5));
            }
            for device in devices {
                world.device(device).fuse = None;
                if !world.is_on(device) {
                    world.switch_on(device);
                }
            }
            world.pass(Duration::from_secs(400));
            let listed = rows(&mut world, alice).len();
            let is_device = world.ask(laptop, Command::WhoAmI) != Reply::Nothing;
            assert_eq!(listed == 2, is_device, "{dies} {n}: the list says {listed}");
            linked += usize::from(is_device);
            if !is_device {
                let letters = show(&mut world, laptop);
                let code = approve(&mut world, alice, &letters);
                assert_eq!(device(&mut world, laptop, Device::LinkCode { code }), Reply::Done);
                world.pass(Duration::from_secs(30));
                assert_eq!(rows(&mut world, laptop).len(), 2, "{dies} {n}");
            }
        }
    }
    assert!(linked > 0, "none of them got to its end");
}

#[test]
fn a_recovery_survives_death_after_any_effect() {
    for n in (0..24).step_by(2) {
        let mut world = World::new(950 + u64::from(n));
        let alice = world.register("alice");
        let words = words(&mut world, alice);
        let fresh = world.begin_without_account("fresh");
        world.device(fresh).fuse = Some(n);
        let of = Device::Recover { handle: "alice".to_owned(), words: words.clone() };
        world.begin(fresh, Command::Device { of });
        world.pass(Duration::from_secs(5));
        world.device(fresh).fuse = None;
        if !world.is_on(fresh) {
            world.switch_on(fresh);
        }
        world.pass(Duration::from_secs(30));
        // Whatever was done of it: the words do the rest, and no second device is left behind.
        let back = recover(&mut world, fresh, "alice", &words);
        assert!(matches!(back, Reply::Profile(_)), "{n}: {back:?}");
        assert_eq!(rows(&mut world, fresh).len(), 1, "{n}");
    }
}

#[test]
fn two_devices_that_change_the_list_at_once_both_have_their_way() {
    let mut world = World::new(10);
    let alice = world.register("alice");
    let laptop = link(&mut world, alice, "laptop");
    let tablet = link(&mut world, alice, "tablet");
    let watch = link(&mut world, alice, "watch");
    let [tablet, watch] = [tablet, watch].map(|one| rows(&mut world, one)[0].device.clone());
    for (first, second) in [(&tablet, &tablet), (&watch, &watch)] {
        let remove =
            |device: &String| Command::Device { of: Device::Remove { device: device.clone() } };
        let asked = [
            (alice, world.begin(alice, remove(first))),
            (laptop, world.begin(laptop, remove(second))),
        ];
        world.pass(Duration::from_secs(14));
        for (person, ask) in asked {
            assert_eq!(world.told(person, ask), Some(Reply::Done));
        }
    }
    for person in [alice, laptop] {
        assert_eq!(rows(&mut world, person).len(), 2);
    }
}

#[test]
fn a_box_that_olga_changes_or_puts_elsewhere_ends_the_linking() {
    use nodoor_wire::proto::{answer, from_server};
    for replayed in [false, true] {
        let mut world = World::new(11);
        let alice = world.register("alice");
        let laptop = world.begin_without_account("laptop");
        let link = show(&mut world, laptop);
        let mut earlier: Option<bytes::Bytes> = None;
        world.tamper = Box::new(move |person, message| {
            let Some(from_server::Body::Answer(answer)) = &mut message.body else { return };
            let Some(answer::Body::RendezvousGet(got)) = &mut answer.body else { return };
            if person != alice || got.r#box.is_empty() {
                return;
            }
            match (replayed, &earlier) {
                (true, Some(before)) => got.r#box = before.clone(),
                (true, None) => earlier = Some(got.r#box.clone()),
                (false, _) => {
                    let mut changed = got.r#box.to_vec();
                    changed[0] ^= 1;
                    got.r#box = changed.into();
                }
            }
        });
        let of = Device::LinkApprove { link };
        let asked = world.begin(alice, Command::Device { of });
        world.pass(Duration::from_secs(5));
        if let Some(Reply::Device(DeviceReply::Code { code, .. })) = world.told(alice, asked) {
            world.begin(laptop, Command::Device { of: Device::LinkCode { code } });
            world.pass(Duration::from_secs(5));
        }
        let ended = linkings(&world, alice).into_iter().any(|state| match state {
            Linking::Ended { problem } => problem.kind == ProblemKind::Forged,
            _ => false,
        });
        assert!(ended, "{replayed}");
        world.tamper = Box::new(|_, _| {});
        assert_eq!(rows(&mut world, alice).len(), 1);
    }
}

#[test]
fn a_list_whose_answer_is_lost_is_not_forgotten_over_another() {
    use nodoor_testkit::world::Fate;
    use nodoor_wire::proto::request::Body;
    let mut world = World::new(12);
    let alice = world.register("alice");
    let laptop = link(&mut world, alice, "laptop");
    let tablet = link(&mut world, alice, "tablet");
    let gone = rows(&mut world, tablet)[0].device.clone();
    // The server takes a list and says nothing; meanwhile another device is to be linked.
    world.fate = Box::new(move |person, _, request| match &request.body {
        Some(Body::ListPut(_)) if person == alice => Fate::NeverAnswered,
        _ => Fate::Arrives,
    });
    let of = Device::Remove { device: gone.clone() };
    world.begin(alice, Command::Device { of });
    world.pass(Duration::from_secs(1));
    let watch = world.begin_without_account("watch");
    let letters = show(&mut world, watch);
    let code = approve(&mut world, alice, &letters);
    device(&mut world, watch, Device::LinkCode { code });
    world.pass(Duration::from_secs(5));
    let ended = linkings(&world, alice).into_iter().any(|state| match state {
        Linking::Ended { problem } => problem.kind == ProblemKind::ListChanged,
        _ => false,
    });
    assert!(ended, "two lists after one");
    world.fate = Box::new(|_, _, _| Fate::Arrives);
    world.cut(alice);
    world.pass(Duration::from_secs(20));
    assert_eq!(device(&mut world, alice, Device::Remove { device: gone }), Reply::Done);
    for person in [alice, laptop] {
        assert_eq!(rows(&mut world, person).len(), 2);
    }
    assert_eq!(world.ask(watch, Command::WhoAmI), Reply::Nothing);
}
