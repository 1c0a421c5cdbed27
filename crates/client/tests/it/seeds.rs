// SPDX-License-Identifier: AGPL-3.0-or-later
//! Chance decides what happens to whom; what holds afterwards is always the same. `NODOOR_SEEDS=500` plays
//! so many, `NODOOR_SEEDS=7..8` those from 7 to before 8.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use nodoor_testkit::{
    chance::Chance,
    world::{Fate, World},
};
use nodoor_view::{
    command::Command,
    model::{ConversationId, SendState, Writable},
};

use crate::{groups::group, writable};

const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];
const SEEDS: u64 = 12;
const ACTS: u64 = 40;

#[test]
fn whatever_happens_everybody_ends_with_the_same_words_once() {
    let wanted = std::env::var("NODOOR_SEEDS").unwrap_or_else(|_| SEEDS.to_string());
    let (from, to) = wanted.split_once("..").unwrap_or(("0", &wanted));
    let seeds = from.parse::<u64>().unwrap()..to.parse().unwrap();
    let failed: Vec<u64> = seeds
        .filter(|seed| {
            let played = catch_unwind(AssertUnwindSafe(|| Play::new(*seed).play()));
            if played.is_err() {
                eprintln!("seed {seed} failed");
            }
            played.is_err()
        })
        .collect();
    assert!(failed.is_empty(), "failed: {failed:?}");
}

struct Play {
    world: World,
    chance: Chance,
    /// The last one is added and removed at times, and not asked at the end.
    people: Vec<usize>,
    group: Vec<ConversationId>,
    direct: [ConversationId; 2],
    said: u32,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let mut chance = Chance::new(seed);
        let count = 3 + usize::try_from(chance.below(3)).unwrap();
        let people: Vec<usize> = NAMES[..count].iter().map(|name| world.register(name)).collect();
        let first = group(&mut world, people[0], "Garden", &NAMES[1..count]);
        let mut group = vec![first];
        group.extend(people[1..].iter().map(|person| world.accept(*person).id));
        world.say(people[0], "bob", "hello");
        world.pass(Duration::from_secs(10));
        let direct = [world.chat(people[0], "bob").id, world.chat(people[1], "alice").id];
        for person in &people {
            let off = [0, 0, 3_600_000, -3_600_000];
            world.device(*person).skew = off[usize::try_from(chance.below(4)).unwrap()];
        }
        world.pass(Duration::from_secs(20));
        Self { world, chance, people, group, direct, said: 0 }
    }

    fn pick(&mut self, bound: usize) -> usize {
        usize::try_from(self.chance.below(bound as u64)).unwrap()
    }

    fn play(mut self) {
        let losses = self.chance.below(30);
        let mut dice = Chance::new(self.chance.below(u64::MAX));
        self.world.fate = Box::new(move |_, _, _| match dice.below(200) {
            n if n < losses / 2 => Fate::RequestLost,
            n if n < losses => Fate::AnswerLost,
            _ => Fate::Arrives,
        });
        for _ in 0..ACTS {
            self.act();
        }
        self.heal();
        self.check();
    }

    fn act(&mut self) {
        let who = self.pick(self.people.len());
        let person = self.people[who];
        let on = self.world.is_on(person);
        match self.chance.below(32) {
            0..=10 => self.say(who),
            11..=13 => self.say_directly(),
            14 => self.manage(|id, n| Command::GroupRename {
                conversation: id,
                title: format!("Garden {n}"),
            }),
            15 => self.manage(|id, n| {
                let handle = NAMES[usize::try_from(n).unwrap_or(0)].to_owned();
                Command::GroupRemove { conversation: id, handle }
            }),
            16 | 17 => self.manage(|id, n| {
                let handle = NAMES[usize::try_from(n).unwrap_or(0)].to_owned();
                Command::GroupAdd { conversation: id, handle }
            }),
            18 if self.chance.below(3) == 0 => {
                let last = self.people.len() - 1;
                if self.world.is_on(self.people[last]) {
                    let leave = Command::GroupLeave { conversation: self.group[last] };
                    self.world.begin(self.people[last], leave);
                }
            }
            19 if on => self.world.kill(person),
            20 | 21 if on => {
                self.world.device(person).fuse =
                    Some(u32::try_from(self.chance.below(12)).unwrap());
            }
            19..=22 if !on => self.world.switch_on(person),
            23 if on => self.world.cut(person),
            24 => self.world.set_offline(person, true),
            25 | 26 => self.world.set_offline(person, false),
            27 => self.world.restart_server(),
            28 => {
                let seconds = self.chance.below(600);
                self.world.pass(Duration::from_secs(seconds));
            }
            29 => self.world.run(),
            _ => {
                let millis = self.chance.below(5000);
                self.world.pass(Duration::from_millis(millis));
            }
        }
    }

    fn say(&mut self, who: usize) {
        let person = self.people[who];
        if self.world.is_on(person) {
            self.said += 1;
            let text = format!("{} of {}", self.said, NAMES[who]);
            self.world.begin(person, Command::SendText { conversation: self.group[who], text });
        }
    }

    fn say_directly(&mut self) {
        let who = self.pick(2);
        let person = self.people[who];
        if self.world.is_on(person) {
            self.said += 1;
            let text = format!("{} of {} alone", self.said, NAMES[who]);
            self.world.begin(person, Command::SendText { conversation: self.direct[who], text });
        }
    }

    /// The creator does something to the group, or to its last member.
    fn manage(&mut self, command: impl FnOnce(ConversationId, u64) -> Command) {
        let last = self.people.len() as u64 - 1;
        if self.world.is_on(self.people[0]) {
            let command = command(self.group[0], last);
            self.world.begin(self.people[0], command);
        }
    }

    fn heal(&mut self) {
        self.world.fate = Box::new(|_, _, _| Fate::Arrives);
        for person in self.people.clone() {
            self.world.device(person).fuse = None;
            if !self.world.is_on(person) {
                self.world.switch_on(person);
            }
            self.world.set_offline(person, false);
        }
        self.world.pass(Duration::from_secs(600));
        for who in 0..self.people.len() - 1 {
            self.say(who);
        }
        self.say_directly();
        self.world.pass(Duration::from_secs(7200));
    }

    fn check(&mut self) {
        let staying = self.people.len() - 1;
        let group: Vec<_> = (0..staying).map(|n| (self.people[n], self.group[n])).collect();
        self.agree(&group);
        let direct: Vec<_> = (0..2).map(|n| (self.people[n], self.direct[n])).collect();
        self.agree(&direct);
        let titles: BTreeSet<String> = group
            .iter()
            .map(|(person, id)| {
                let chats = self.world.chats(*person);
                chats.into_iter().find(|chat| chat.id == *id).unwrap().title
            })
            .collect();
        assert_eq!(titles.len(), 1, "{titles:?}");
    }

    /// All of these read the same, once, and all that they wrote arrived.
    fn agree(&mut self, all: &[(usize, ConversationId)]) {
        let mut read: Vec<(usize, BTreeSet<String>)> = Vec::new();
        for (person, id) in all {
            assert_eq!(writable(&mut self.world, *person, *id), Writable::Yes, "{person}");
            let states = self.world.states(*person, *id);
            let sent = |state: &SendState| matches!(state, SendState::Sent | SendState::Delivered);
            assert!(states.iter().all(sent), "{person}: {states:?}");
            let texts = self.world.texts(*person, *id);
            let set: BTreeSet<String> =
                texts.iter().map(|text| text.split_once(": ").unwrap().1.to_owned()).collect();
            assert_eq!(set.len(), texts.len(), "{person} reads something twice: {texts:?}");
            read.push((*person, set));
        }
        for (person, set) in &read {
            for (other, theirs) in &read {
                let missing: Vec<_> = theirs.difference(set).collect();
                assert!(missing.is_empty(), "{person} lacks of {other}: {missing:?}");
            }
        }
    }
}
