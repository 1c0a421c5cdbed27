// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rooms of two that a chat left for another: what was on its way there, what still comes there, and who was put out
//! of one, or never got into it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use nodoor_client::{io::Wire, store::Store as _};
use nodoor_e2ee::group::Change;
use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    device::Command as Device,
    model::{ConversationId, SendState, SystemLine, Writable},
};
use nodoor_wire::{
    code::Code,
    proto::{self, answer::Body as Answer, from_server::Body as Said, request::Body as Ask},
};

use crate::{
    devices::{link, rows},
    groups::{group, lines},
    hand::{MINUTE, honest, refusal, room_of, two},
    writable,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What becomes of Alice's phone while Bob is turned away from the room that there is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phone {
    /// What it sends is never answered; whether the first arrives.
    Unanswered { arrives: bool },
    /// Nothing is delivered to it.
    Deaf,
}

/// Alice with two devices, and Bob, who goes on in another room because Olga says that he was away for too long.
struct Scene {
    world: World,
    phone: usize,
    laptop: usize,
    bob: usize,
    chats: [ConversationId; 3],
    /// The number of the phone's last sending that is not answered.
    asked: Rc<Cell<u64>>,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let (phone, bob) = (world.register("alice"), world.register("bob"));
        let [a, b] = two(&mut world, phone, bob);
        let laptop = link(&mut world, phone, "laptop");
        world.pass(MINUTE);
        world.write(phone, a, "to the laptop too");
        world.pass(MINUTE);
        let at_laptop = world.chat(laptop, "bob").id;
        Self { world, phone, laptop, bob, chats: [a, at_laptop, b], asked: Rc::default() }
    }

    /// From now on Bob is told that he is too late wherever he is now.
    fn turn_away(&mut self, phone: Phone) {
        let (alice, bob) = (self.phone, self.bob);
        let old = room_of(&mut self.world, bob).to_bytes();
        let asked: Rc<RefCell<BTreeMap<usize, Code>>> = Rc::default();
        let (seen, first) = (Rc::clone(&asked), Cell::new(true));
        let unanswered = Rc::clone(&self.asked);
        self.world.fate = Box::new(move |person, _, request| {
            let code = match &request.body {
                Some(Ask::Send(send)) if send.room == old => Some(Code::StaleEpoch),
                Some(Ask::CatchUp(ask)) if ask.room == old => Some(Code::Forbidden),
                _ => None,
            };
            seen.borrow_mut().remove(&person);
            if let Some(code) = code.filter(|_| person == bob) {
                seen.borrow_mut().insert(person, code);
            }
            match (phone, &request.body) {
                (Phone::Unanswered { arrives }, Some(Ask::Send(_))) if person == alice => {
                    unanswered.set(request.id);
                    if arrives && first.replace(false) {
                        Fate::AnswerLost
                    } else {
                        Fate::NeverAnswered
                    }
                }
                _ => Fate::Arrives,
            }
        });
        self.world.tamper = Box::new(move |person, said| match &mut said.body {
            Some(Said::Answer(answer)) => {
                if let (Some(code), Some(body)) =
                    (asked.borrow_mut().remove(&person), &mut answer.body)
                {
                    *body = refusal(code);
                }
            }
            Some(Said::Deliver(deliver)) if person == alice && phone == Phone::Deaf => {
                deliver.entries.clear();
            }
            _ => {}
        });
    }

    /// Bob is away for so long that nobody has for him what he would need to follow.
    fn is_away(&mut self) {
        self.world.set_offline(self.bob, true);
        for _ in 0..50 {
            self.world.pass(DAY);
            self.world.sweep();
        }
    }

    /// All is well again, and everybody reads this once.
    fn ends_with(&mut self, texts: &[&str]) {
        honest(&mut self.world);
        self.world.cut(self.phone);
        self.world.pass(MINUTE);
        for (person, chat) in [self.phone, self.laptop, self.bob].into_iter().zip(self.chats) {
            assert_eq!(writable(&mut self.world, person, chat), Writable::Yes, "{person}");
            self.world.write(person, chat, &format!("again {person}"));
        }
        self.world.pass(MINUTE);
        let again = [self.phone, self.laptop, self.bob].map(|person| format!("again {person}"));
        for (person, chat) in [self.phone, self.laptop, self.bob].into_iter().zip(self.chats) {
            let read = self.world.texts(person, chat);
            for text in texts.iter().copied().chain(again.iter().map(String::as_str)) {
                let ends = format!(": {text}");
                let count = read.iter().filter(|line| line.ends_with(&ends)).count();
                assert_eq!(count, 1, "{text} at {person}: {read:?}");
            }
            let states = self.world.states(person, chat);
            let sent = |state: &SendState| matches!(state, SendState::Sent | SendState::Delivered);
            assert!(states.iter().all(sent), "{person}: {states:?}");
            assert!(self.world.requests(person).is_empty());
        }
    }
}

/// Rows on somebody's disk that begin with this.
fn on_disk(world: &mut World, who: usize, begin: &[u8]) -> usize {
    world.kill(who);
    let rows = world.disk(who).scan(b"", &[0xFF; 8], false, usize::MAX).unwrap();
    world.switch_on(who);
    rows.iter().filter(|(key, _)| key.starts_with(begin)).count()
}

#[test]
fn what_was_on_its_way_to_a_room_left_behind_goes_out_where_the_chat_is() {
    for (arrives, away) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut scene = Scene::new(410);
        scene.turn_away(Phone::Unanswered { arrives });
        if away {
            scene.is_away();
        }
        scene.world.write(scene.phone, scene.chats[0], "on its way");
        scene.world.pass(Duration::from_secs(5));
        scene.world.set_offline(scene.bob, false);
        scene.world.write(scene.bob, scene.chats[2], "are you there");
        scene.world.pass(MINUTE);
        let at_phone = lines(&mut scene.world, scene.phone, scene.chats[0]);
        assert!(at_phone.contains(&SystemLine::SuccessorOfTwo), "{at_phone:?}");
        scene.ends_with(&["on its way", "are you there"]);
    }
}

#[test]
fn a_yes_that_comes_from_a_room_left_behind_is_none() {
    let mut scene = Scene::new(416);
    scene.turn_away(Phone::Unanswered { arrives: false });
    scene.is_away();
    scene.world.write(scene.phone, scene.chats[0], "on its way");
    let question = scene.asked.get();
    scene.world.set_offline(scene.bob, false);
    scene.world.write(scene.bob, scene.chats[2], "are you there");
    scene.world.pass(MINUTE);
    assert_eq!(scene.asked.get(), question, "it was asked again");
    let yes = proto::Answer { id: question, body: Some(Answer::Done(proto::Done {})) };
    scene.world.hear(scene.phone, Wire::Anonymous, Said::Answer(yes));
    scene.world.pass(Duration::from_secs(5));
    assert_eq!(scene.world.states(scene.phone, scene.chats[0]).last(), Some(&SendState::Waiting));
    scene.ends_with(&["on its way", "are you there"]);
}

#[test]
fn what_comes_behind_a_successors_welcome_is_read() {
    let mut scene = Scene::new(411);
    scene.turn_away(Phone::Deaf);
    scene.world.write(scene.bob, scene.chats[2], "are you there");
    scene.world.pass(MINUTE);
    // The phone has not heard of the new room yet.
    scene.world.write(scene.phone, scene.chats[0], "from the tunnel");
    scene.world.pass(Duration::from_secs(5));
    scene.ends_with(&["are you there", "from the tunnel"]);
    let of_bob = lines(&mut scene.world, scene.bob, scene.chats[2]);
    assert!(of_bob.contains(&SystemLine::MayBeMissing), "{of_bob:?}");
    // Nobody broke anything, and nobody is out.
    assert!(of_bob.contains(&SystemLine::SuccessorOfTwo), "{of_bob:?}");
}

#[test]
fn a_room_left_behind_is_read_for_a_week_and_forgotten_then() {
    let mut scene = Scene::new(412);
    scene.turn_away(Phone::Deaf);
    scene.world.write(scene.bob, scene.chats[2], "are you there");
    scene.world.pass(MINUTE);
    scene.ends_with(&["are you there"]);
    for person in [scene.phone, scene.laptop, scene.bob] {
        assert_eq!(on_disk(&mut scene.world, person, b"ro/"), 1, "{person}");
    }
    scene.world.pass(8 * DAY);
    for person in [scene.phone, scene.laptop, scene.bob] {
        assert_eq!(on_disk(&mut scene.world, person, b"ro/"), 0, "{person}");
        assert_eq!(on_disk(&mut scene.world, person, b"v/"), 0, "{person}");
    }
}

#[test]
fn who_is_put_out_of_a_chat_of_two_is_told_and_comes_back_by_itself() {
    let mut scene = Scene::new(413);
    let [a, at_laptop, b] = scene.chats;
    let world = &mut scene.world;
    let room = room_of(world, scene.bob);
    let phone = world.turn(scene.phone);
    let index = phone.group(&room).own_index();
    world.give_back(phone);
    world.pass(MINUTE);
    let mut mallory = world.turn(scene.bob);
    let commit = mallory.commit(&room, Change { remove: vec![index], ..Change::default() });
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    mallory.group(&room).merge_pending(&mallory.disk).unwrap();
    world.pass(MINUTE);
    world.give_back(mallory);
    world.pass(MINUTE);
    let told = lines(world, scene.phone, a);
    assert!(told.contains(&SystemLine::MayBeMissing), "{told:?}");
    world.write(scene.bob, b, "to both");
    world.write(scene.laptop, at_laptop, "from the laptop");
    world.pass(MINUTE);
    let at_phone = world.texts(scene.phone, a);
    assert!(at_phone.contains(&"bob: to both".to_owned()), "{at_phone:?}");
    assert!(at_phone.contains(&"me: from the laptop".to_owned()), "{at_phone:?}");
    assert!(world.texts(scene.laptop, at_laptop).contains(&"bob: to both".to_owned()));
    scene.ends_with(&["to both", "from the laptop"]);
}

#[test]
fn a_room_whose_welcome_counts_for_nothing_any_more_is_founded_anew() {
    let mut world = World::new(414);
    let (phone, bob) = (world.register("alice"), world.register("bob"));
    let laptop = link(&mut world, phone, "laptop");
    world.set_offline(bob, true);
    world.say(phone, "bob", "hello");
    world.pass(MINUTE);
    // The phone is lost before Bob sees that it wrote.
    let lost = rows(&mut world, laptop).into_iter().find(|row| !row.current).unwrap().device;
    world.kill(phone);
    world.begin(laptop, Command::Device { of: Device::Remove { device: lost } });
    world.pass(5 * MINUTE);
    let at_laptop = world.chat(laptop, "bob").id;
    world.write(laptop, at_laptop, "it is me");
    world.pass(MINUTE);
    world.set_offline(bob, false);
    world.pass(MINUTE);
    assert_eq!(world.requests(bob).len(), 1);
    let at_bob = world.accept(bob).id;
    world.pass(MINUTE);
    assert!(world.texts(bob, at_bob).contains(&"alice: it is me".to_owned()));
    world.write(bob, at_bob, "so it is");
    world.pass(MINUTE);
    assert!(world.texts(laptop, at_laptop).contains(&"bob: so it is".to_owned()));
}

#[test]
fn a_leave_that_nobody_could_be_told_of_ends_the_room_all_the_same() {
    let mut world = World::new(415);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    group(&mut world, alice, "Garden", &["bob"]);
    let at_bob = world.accept(bob).id;
    world.pass(MINUTE);
    // The server never answers him.
    world.fate = Box::new(move |person, _, request| match request.body {
        Some(Ask::Send(_)) if person == bob => Fate::NeverAnswered,
        _ => Fate::Arrives,
    });
    assert_eq!(world.ask(bob, Command::GroupLeave { conversation: at_bob }), Reply::Done);
    world.pass(8 * DAY);
    honest(&mut world);
    world.cut(bob);
    world.pass(MINUTE);
    let disk = world.turn(bob);
    assert!(disk.rooms().is_empty());
    world.give_back(disk);
}
