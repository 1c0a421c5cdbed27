// SPDX-License-Identifier: AGPL-3.0-or-later
//! Schedules: 3 to 8 devices of 3 to 5 people, several of one account among them, in a group and a chat of two. Requests and
//! answers are lost, frames come late, twice and in disorder, devices and the server die between any two effects, two devices
//! of one account commit at once, people come, leave and are away for days, what is pushed to a device goes astray for days,
//! one is away for 29 while leaves are renewed around it, a disk is put back. Then the network becomes perfect, and
//! histories must be equal everywhere, with nothing lost, nothing twice, nothing stuck and nothing left to send.
//!
//! `NODOOR_SCHEDULES=10000` plays so many on all cores, `NODOOR_SCHEDULES=7..8` those from 7 to before 8; without it the
//! first of them, and the ones that failed once (`schedules.seeds`). Thousands want optimised code:
//! `NODOOR_SCHEDULES=0..1000 cargo test --profile schedules -p nodoor-client --test it after_any_schedule`.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use nodoor_client::store::MemoryStore;
use nodoor_testkit::{
    chance::Chance,
    world::{Fate, World},
};
use nodoor_view::{
    command::{Command, Reply},
    model::{Content, ConversationId, Kind, SendState, SystemLine, Writable},
};
use nodoor_wire::proto::from_server::Body as Said;

use crate::{
    devices::link,
    groups::{group, handles, lines},
    writable,
};

const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];
const SECONDS: [&str; 3] = ["alice-laptop", "bob-laptop", "carol-laptop"];
/// So many are played in every run of the tests.
const FEW: u64 = 16;
/// What happens in one schedule.
const ACTS: u64 = 45;
const HOUR: Duration = Duration::from_secs(3600);

fn wanted() -> Vec<u64> {
    if let Ok(wanted) = std::env::var("NODOOR_SCHEDULES") {
        let (from, to) = wanted.split_once("..").unwrap_or(("0", &wanted));
        return (from.parse().unwrap()..to.parse().unwrap()).collect();
    }
    let kept = include_str!("schedules.seeds").lines().filter(|line| !line.starts_with('#'));
    kept.map(|line| line.parse().unwrap()).chain(0..FEW).collect()
}

#[test]
fn after_any_schedule_histories_are_equal_everywhere() {
    let seeds = wanted();
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let began = std::time::Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let place = usize::try_from(next.fetch_add(1, Ordering::SeqCst)).unwrap();
                    let Some(seed) = seeds.get(place) else {
                        return;
                    };
                    if catch_unwind(AssertUnwindSafe(|| Play::new(*seed).play(ACTS))).is_err() {
                        eprintln!("schedule {seed} failed");
                        failed.lock().unwrap().push(*seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let shortest: Vec<_> = failed.iter().take(3).map(|seed| (seed, shortest(*seed))).collect();
    eprintln!("{} schedules in {:?}", seeds.len(), began.elapsed());
    assert!(failed.is_empty(), "failed: {failed:?}; the first with so many acts: {shortest:?}");
}

/// How many of its acts are enough to make a schedule fail, by trying.
fn shortest(seed: u64) -> u64 {
    let fails = |acts| catch_unwind(AssertUnwindSafe(|| Play::new(seed).play(acts))).is_err();
    (0..ACTS).step_by(5).find(|acts| fails(*acts)).unwrap_or(ACTS)
}

/// A device, and whose.
#[derive(Clone, Copy)]
struct Place {
    device: usize,
    account: usize,
    group: ConversationId,
    /// The chat of the first two accounts.
    direct: Option<ConversationId>,
}

struct Play {
    world: World,
    chance: Chance,
    places: Vec<Place>,
    /// The last account comes and goes.
    accounts: usize,
    said: u32,
    /// What was said in the group by accounts that stay: it must arrive.
    promised: Vec<String>,
    /// Asked for, and not known to be on disk.
    asked: Vec<(usize, u64, String)>,
    /// Days that people may still be away: what waits longer than seven is given up.
    days: u64,
    /// How many of 200 requests or answers are lost.
    losses: u64,
    /// To this device nothing is pushed: it has what came when it connects again.
    astray: Rc<Cell<Option<usize>>>,
    /// Once in a schedule somebody is away for 29 days.
    long_away: bool,
    /// A disk as it was.
    copy: Option<(Place, MemoryStore)>,
    /// Whose disk was put back: what it had and sent since the copy is not there any more.
    old: Option<Place>,
}

fn conversation(world: &mut World, device: usize, kind: Kind, title: &str) -> ConversationId {
    let mut chats = world.chats(device);
    chats.retain(|chat| chat.kind == kind && chat.title.starts_with(title));
    assert_eq!(chats.len(), 1, "{device} {title}: {chats:?}");
    chats.remove(0).id
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let mut chance = Chance::new(seed ^ 0x5c4e_d01e);
        let accounts = 3 + usize::try_from(chance.below(3)).unwrap();
        let first: Vec<usize> = NAMES[..accounts].iter().map(|name| world.register(name)).collect();
        let mut devices: Vec<(usize, usize)> = first.iter().copied().zip(0..).collect();
        let more = usize::try_from(chance.below(4)).unwrap();
        for account in 0..more {
            devices.push((link(&mut world, first[account], SECONDS[account]), account));
        }
        group(&mut world, first[0], "Garden", &NAMES[1..accounts]);
        for device in &first[1..] {
            world.accept(*device);
        }
        world.say(first[0], "bob", "hello");
        world.say(first[1], "alice", "hello too");
        world.pass(Duration::from_secs(30));
        let places = devices.into_iter().map(|(device, account)| {
            let garden = conversation(&mut world, device, Kind::Group, "Garden");
            let other = ["@bob", "@alice"].get(account);
            let direct = other.map(|other| conversation(&mut world, device, Kind::Direct, other));
            Place { device, account, group: garden, direct }
        });
        let places: Vec<Place> = places.collect();
        for place in &places {
            let off = [0, 0, 3_600_000, -3_600_000];
            world.device(place.device).skew = off[usize::try_from(chance.below(4)).unwrap()];
        }
        world.pass(Duration::from_secs(20));
        let losses = chance.below(30);
        let long_away = chance.below(4) == 0;
        Self {
            world,
            chance,
            places,
            accounts,
            said: 0,
            promised: Vec::new(),
            asked: Vec::new(),
            days: 6,
            losses,
            astray: Rc::default(),
            long_away,
            copy: None,
            old: None,
        }
    }

    fn pick(&mut self) -> Place {
        let place = usize::try_from(self.chance.below(self.places.len() as u64)).unwrap();
        self.places[place]
    }

    fn play(mut self, acts: u64) {
        self.storm();
        for _ in 0..acts {
            self.act();
            self.settle_asked();
        }
        self.heal();
        self.check();
    }

    /// What is known to be on disk is promised.
    fn settle_asked(&mut self) {
        let Self { world, asked, promised, .. } = self;
        asked.retain(|(device, ask, text)| match world.told(*device, *ask) {
            Some(Reply::Sent(_)) => {
                promised.push(text.clone());
                false
            }
            other => other.is_none(),
        });
    }

    /// The network is bad from now on.
    fn storm(&mut self) {
        let losses = self.losses;
        let mut dice = Chance::new(self.chance.below(u64::MAX));
        self.world.fate = Box::new(move |_, _, _| match dice.below(200) {
            n if n < losses / 2 => Fate::RequestLost,
            n if n < losses => Fate::AnswerLost,
            _ => Fate::Arrives,
        });
        let mut dice = Chance::new(self.chance.below(u64::MAX));
        let astray = Rc::clone(&self.astray);
        self.world.tamper = Box::new(move |device, said| {
            if let Some(Said::Deliver(deliver)) = &mut said.body
                && astray.get() == Some(device)
            {
                deliver.entries.clear();
            } else if let Some(Said::Deliver(deliver)) = &mut said.body {
                // In another order, and some twice.
                let mut entries = std::mem::take(&mut deliver.entries);
                while !entries.is_empty() {
                    let which = usize::try_from(dice.below(entries.len() as u64)).unwrap();
                    let entry = entries.swap_remove(which);
                    if dice.below(8) == 0 {
                        deliver.entries.push(entry.clone());
                    }
                    deliver.entries.push(entry);
                }
            }
        });
    }

    /// The network is perfect, and everybody there.
    fn calm(&mut self) {
        self.world.fate = Box::new(|_, _, _| Fate::Arrives);
        self.world.tamper = Box::new(|_, _| {});
        if let Some(device) = self.astray.take()
            && self.world.is_on(device)
        {
            self.world.cut(device);
        }
        for place in self.places.clone() {
            self.world.device(place.device).fuse = None;
            if !self.world.is_on(place.device) {
                self.world.switch_on(place.device);
            }
            self.world.set_offline(place.device, false);
        }
        self.world.pass(Duration::from_secs(600));
        if self.old.is_some() {
            // Help is asked for once an hour.
            self.world.pass(3 * HOUR);
        }
        self.settle_asked();
    }

    /// Somebody is away for almost as long as a mailbox keeps what came; the others talk, and renew their leaves.
    fn be_away(&mut self, who: Place) {
        self.calm();
        self.world.set_offline(who.device, true);
        for day in 0..29 {
            if day % 5 == 0 {
                let other = self.pick();
                if other.device != who.device {
                    self.say(other);
                }
            }
            self.world.pass(24 * HOUR);
            self.world.sweep();
        }
        self.world.set_offline(who.device, false);
        self.world.pass(Duration::from_secs(600));
        self.settle_asked();
        self.storm();
    }

    /// The disk of a device that makes no group is put back to where it was some acts ago.
    fn put_back(&mut self, who: Place, disk: MemoryStore) {
        self.calm();
        // What was acknowledged since is what a device notices it by.
        let other = *self.places.iter().find(|one| one.account == 0).unwrap();
        self.say(other);
        self.world.pass(Duration::from_secs(60));
        self.settle_asked();
        // What it said since is on its old disk no more, and may be nowhere.
        let theirs = format!(" of {}", NAMES[who.account]);
        self.promised.retain(|text| !text.ends_with(&theirs));
        self.asked.retain(|(device, ..)| *device != who.device);
        self.world.kill(who.device);
        *self.world.disk(who.device) = disk;
        self.world.switch_on(who.device);
        self.world.pass(Duration::from_secs(60));
        self.old = Some(who);
        self.storm();
    }

    fn act(&mut self) {
        let place = self.pick();
        let device = place.device;
        let on = self.world.is_on(device);
        match self.chance.below(38) {
            0..=9 => self.say(place),
            10..=12 => self.say_directly(),
            13..=15 => self.manage(place),
            16 => {
                // Both devices of the creator's account, or one of them twice.
                for place in self.places.clone() {
                    if place.account == 0 {
                        self.manage(place);
                    }
                }
            }
            17 if self.chance.below(2) == 0 => {
                let last = self.accounts - 1;
                let place = *self.places.iter().find(|place| place.account == last).unwrap();
                if self.world.is_on(place.device) {
                    let leave = Command::GroupLeave { conversation: place.group };
                    self.world.begin(place.device, leave);
                }
            }
            18 if on => self.world.kill(device),
            19 | 20 if on => {
                let fuse = u32::try_from(self.chance.below(14)).unwrap();
                self.world.device(device).fuse = Some(fuse);
            }
            18..=22 if !on => self.world.switch_on(device),
            23 if on => self.world.cut(device),
            24 => self.world.set_offline(device, true),
            25 | 26 => self.world.set_offline(device, false),
            27 => self.world.restart_server(),
            28 => {
                let seconds = self.chance.below(600);
                self.world.pass(Duration::from_secs(seconds));
            }
            29 => self.world.run(),
            30 if self.days > 0 && self.chance.below(3) == 0 => {
                let days = 1 + self.chance.below(self.days.min(3));
                self.days -= days;
                for _ in 0..days {
                    self.world.pass(24 * HOUR);
                    self.world.sweep();
                }
            }
            31 => {
                let astray = (self.chance.below(2) == 0).then_some(device);
                if let Some(before) = self.astray.replace(astray)
                    && self.world.is_on(before)
                {
                    self.world.cut(before);
                }
            }
            32 if self.long_away => {
                self.long_away = false;
                self.be_away(place);
            }
            33 if self.copy.is_none() && place.account > 0 && place.account + 1 < self.accounts => {
                if self.world.is_on(device) {
                    self.world.kill(device);
                }
                self.copy = Some((place, self.world.disk(device).clone()));
                self.world.switch_on(device);
            }
            34 if self.old.is_none() && self.chance.below(2) == 0 => {
                if let Some((place, disk)) = self.copy.take() {
                    self.put_back(place, disk);
                }
            }
            _ => {
                let millis = self.chance.below(5000);
                self.world.pass(Duration::from_millis(millis));
            }
        }
    }

    fn say(&mut self, place: Place) {
        if self.world.is_on(place.device) {
            self.said += 1;
            let text = format!("{} of {}", self.said, NAMES[place.account]);
            let command = Command::SendText { conversation: place.group, text: text.clone() };
            let ask = self.world.begin(place.device, command);
            if place.account + 1 < self.accounts {
                self.asked.push((place.device, ask, text));
            }
        }
    }

    fn say_directly(&mut self) {
        let place = self.pick();
        if let Some(direct) = place.direct
            && self.world.is_on(place.device)
        {
            self.said += 1;
            let text = format!("{} of {} alone", self.said, NAMES[place.account]);
            self.world.begin(place.device, Command::SendText { conversation: direct, text });
        }
    }

    /// The creator, with any device, does something to the group, or to its last member; others try to.
    fn manage(&mut self, place: Place) {
        if !self.world.is_on(place.device) {
            return;
        }
        let (conversation, handle) = (place.group, NAMES[self.accounts - 1].to_owned());
        self.said += 1;
        let command = match self.chance.below(4) {
            0 => Command::GroupRename { conversation, title: format!("Garden {}", self.said) },
            1 => Command::GroupRemove { conversation, handle },
            _ => Command::GroupAdd { conversation, handle },
        };
        self.world.begin(place.device, command);
    }

    fn heal(&mut self) {
        self.calm();
        for place in self.places.clone() {
            if place.account + 1 < self.accounts {
                self.say(place);
            }
        }
        self.say_directly();
        self.world.pass(2 * HOUR);
        let before = self.promised.len();
        self.settle_asked();
        // Whose disk is old reads what is said from now on, and is read.
        if let Some(old) = self.old {
            let has = self.read(old.device, old.group);
            let said = lines(&mut self.world, old.device, old.group);
            let writable = writable(&mut self.world, old.device, old.group);
            for text in &self.promised[before..] {
                let reads = has.values().any(|one| one == text);
                assert!(reads, "{} lacks {text:?}, {writable:?}: {said:?}", old.device);
            }
        }
    }

    fn check(&mut self) {
        let staying = |place: &&Place| place.account + 1 < self.accounts;
        let group: Vec<_> =
            self.places.iter().filter(staying).map(|p| (p.device, p.group)).collect();
        let read = self.agree(&group);
        for text in &self.promised {
            assert!(read.values().any(|one| one == text), "nobody has {text:?}");
        }
        let direct = self.places.iter().filter_map(|p| Some((p.device, p.direct?)));
        let direct: Vec<_> = direct.collect();
        self.agree(&direct);
        let rooms: BTreeSet<String> = group
            .iter()
            .map(|(device, id)| {
                let members = handles(&mut self.world, *device, *id);
                let chats = self.world.chats(*device);
                let chat = chats.into_iter().find(|chat| chat.id == *id).unwrap();
                format!("{} {members:?}", chat.title)
            })
            .collect();
        assert_eq!(rooms.len(), 1, "{rooms:?}");
        // Who came and went read what the others read, and each once.
        let last = self.places.iter().filter(|place| place.account + 1 == self.accounts);
        for place in last.copied().collect::<Vec<_>>() {
            let chats = self.world.chats(place.device);
            for chat in chats.into_iter().filter(|chat| chat.kind == Kind::Group && !chat.request) {
                for (reference, text) in self.read(place.device, chat.id) {
                    if let Some(theirs) = read.get(&reference) {
                        assert_eq!(*theirs, text);
                    }
                }
            }
        }
    }

    /// Messages by their ids; each text once.
    fn read(&mut self, device: usize, id: ConversationId) -> BTreeMap<String, String> {
        let (mut read, mut once) = (BTreeMap::new(), BTreeSet::new());
        for row in self.world.rows(device, id) {
            let text = match row.content {
                Content::Text(text) => text,
                Content::System(_) => continue,
                other => panic!("{device} has {other:?}"),
            };
            assert!(once.insert(text.clone()), "{device} has {text:?} twice");
            read.insert(row.reference, text);
        }
        read
    }

    /// All of these read the same, once, or say how much they could not read; and all that they wrote arrived.
    fn agree(&mut self, all: &[(usize, ConversationId)]) -> BTreeMap<String, String> {
        let mut read: Vec<(usize, BTreeMap<String, String>)> = Vec::new();
        let mut not_read: Vec<usize> = Vec::new();
        for (device, id) in all {
            assert_eq!(writable(&mut self.world, *device, *id), Writable::Yes, "{device}");
            // Nobody here did anything that a room stands still by.
            let breaks = lines(&mut self.world, *device, *id).into_iter().find(|line| {
                let successor = matches!(line, SystemLine::Successor | SystemLine::SuccessorOfTwo);
                successor || *line == SystemLine::MayBeMissing
            });
            assert!(breaks.is_none() || self.old.is_some(), "{device} was stuck: {breaks:?}");
            let states = self.world.states(*device, *id);
            // What waits on a copy of a disk is given up if that is put back after more than seven days.
            let is_old = self.old.is_some_and(|old| old.device == *device);
            let sent = |state: &SendState| match state {
                SendState::Waiting => false,
                SendState::NotSent { .. } => is_old,
                _ => true,
            };
            assert!(states.iter().all(sent), "{device}: {states:?}");
            let theirs = self.read(*device, *id);
            let counted = lines(&mut self.world, *device, *id).into_iter().map(|line| match line {
                SystemLine::NotRead { count, .. } => usize::try_from(count).unwrap(),
                _ => 0,
            });
            let counted: usize = counted.sum();
            if self.old.is_none_or(|old| old.device != *device) {
                read.push((*device, theirs));
                not_read.push(counted);
            }
        }
        // What somebody lacks is counted in the chat, and that alone: it came when its keys were gone, and somebody had come
        // in since who must not read it.
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        for (_, ours) in &read {
            for (id, text) in ours {
                assert_eq!(all.entry(id.clone()).or_insert_with(|| text.clone()), text);
            }
        }
        for ((device, ours), not_read) in read.iter().zip(not_read) {
            let lacks: Vec<_> = all.iter().filter(|(id, _)| !ours.contains_key(*id)).collect();
            assert!(lacks.len() <= not_read, "{device} lacks {lacks:?}, and says {not_read}");
        }
        all
    }
}
