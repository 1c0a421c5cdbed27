// SPDX-License-Identifier: AGPL-3.0-or-later
//! Olga shows Alice and Bob two logs, each whole and signed; only by talking do they find out.

use std::time::Duration;

use ciborium::Value;
use nodoor_client::store::{Store as _, WriteBatch};
use nodoor_testkit::world::{Fate, World};
use nodoor_transparency::ledger::evidence::Verdict;
use nodoor_view::{
    command::Command,
    model::{ConversationId, Freshness},
};
use nodoor_wire::{
    code::Code,
    proto::{answer::Body as Answer, from_server::Body as Said, request::Body as Ask},
};

use crate::{
    devices::link,
    hand::{MINUTE, honest, refusal},
    ledger::{evidence, ledger, talking},
};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(61 * 60);

/// Makes Olga go on with a log as it was.
type Show = Box<dyn Fn(&mut World)>;

fn as_it_is(world: &World) -> Show {
    let log = world.backup_log();
    Box::new(move |world| world.go_on_with(log.copy()))
}

/// Two people, their chat as each has it, and the log that Olga shows to each.
struct Split {
    world: World,
    people: [usize; 2],
    /// Nothing where both are devices of one account.
    chats: Option<[ConversationId; 2]>,
    shows: [Show; 2],
}

impl Split {
    /// From one log on Alice sees Carol in it, Bob sees David and so many entries more.
    fn new(seed: u64, first: u32, more: u32) -> Self {
        let (world, people, chats) = talking(seed);
        Self::begin(world, people, Some(chats), first, more)
    }

    /// The same for two devices of Alice's, who knows nobody.
    fn of_one_account(seed: u64) -> Self {
        let mut world = World::with_ledger(seed);
        let alice = world.register("alice");
        let laptop = link(&mut world, alice, "laptop");
        world.pass(MINUTE);
        Self::begin(world, [alice, laptop], None, 0, 2)
    }

    fn begin(
        mut world: World,
        people: [usize; 2],
        chats: Option<[ConversationId; 2]>,
        first: u32,
        more: u32,
    ) -> Self {
        world.epochs = false;
        let beat = Duration::from_secs(301);
        for _ in 0..first {
            world.pass(beat);
            world.publish();
        }
        let shows = [as_it_is(&world), as_it_is(&world)];
        let mut it = Self { world, people, chats, shows };
        for (who, other) in ["carol", "david"].into_iter().enumerate() {
            it.alone(who);
            it.world.register(other);
            it.world.publish();
            for _ in 0..more * who as u32 {
                it.world.pass(beat);
                it.world.publish();
            }
            it.world.chat(people[who], other);
            it.world.pass(10 * SECOND);
            it.shows[who] = as_it_is(&it.world);
        }
        it
    }

    /// Olga talks to one of them, and shows the log that this one knows.
    fn alone(&mut self, who: usize) {
        for person in self.people {
            self.world.set_offline(person, true);
        }
        self.shows[who](&mut self.world);
        self.world.set_offline(self.people[who], false);
        self.world.pass(10 * SECOND);
    }

    /// Each says something to the other, and hears what was said.
    fn talk(&mut self, text: &str) {
        for who in [0, 1, 0, 1] {
            self.alone(who);
            match self.chats {
                Some(chats) => {
                    self.world.write(self.people[who], chats[who], text);
                }
                None => {
                    let name = format!("{text} {who} {}", self.world.now());
                    self.world.ask(self.people[who], Command::SetName { name });
                }
            }
            self.world.pass(MINUTE);
        }
    }

    fn proofs(&mut self) -> [bool; 2] {
        self.people.map(|person| ledger(&mut self.world, person).proof.is_some())
    }
}

fn both_prove(split: &mut Split) {
    assert_eq!(split.proofs(), [true, true]);
    for person in split.people {
        let (kind, verdict) = evidence(&mut split.world, person);
        assert_eq!(kind, "equivocation");
        assert!(matches!(verdict, Verdict::Proven(_)), "{verdict:?}");
    }
}

#[test]
fn two_people_who_are_shown_two_logs_of_one_size_prove_it_by_talking() {
    let mut split = Split::new(801, 0, 0);
    let sizes = split.people.map(|person| ledger(&mut split.world, person).size);
    assert_eq!(sizes[0], sizes[1]);
    // Without gossip nobody notices: what is told is an hour old, and now that is what both have.
    split.talk("good morning");
    assert_eq!(split.proofs(), [false, false]);
    for _ in 0..4 {
        split.world.pass(LONG);
        split.talk("still there");
    }
    both_prove(&mut split);
}

#[test]
fn two_devices_of_one_account_find_out_by_themselves() {
    let mut split = Split::of_one_account(802);
    for _ in 0..5 {
        split.world.pass(LONG);
        split.talk("Alice");
    }
    both_prove(&mut split);
}

#[test]
fn logs_of_two_sizes_are_proved_by_whoever_sees_the_larger_one_and_the_other_gets_the_file() {
    for first in 0..3 {
        let mut split = Split::new(810 + u64::from(first), first, 2);
        let sizes = split.people.map(|person| ledger(&mut split.world, person).size);
        assert!(sizes[0] < sizes[1]);
        for _ in 0..5 {
            split.world.pass(LONG);
            split.talk("still there");
        }
        both_prove(&mut split);
    }
}

#[test]
fn what_somebody_merely_says_proves_nothing_and_shows_nothing() {
    let (mut world, [alice, bob], [a, b]) = talking(820);
    for _ in 0..3 {
        world.pass(LONG);
        world.write(bob, b, "hello");
        world.write(alice, a, "hello");
        world.pass(MINUTE);
    }
    assert!(!was_in_doubt(&mut world, alice));
    world.pass(LONG);
    // Bob's client lies about what it saw.
    world.kill(bob);
    let disk = world.disk(bob);
    let row = disk.get(b"a/gossip").unwrap().unwrap();
    let mut lie = row.clone();
    for at in 0..row.len() {
        if row[at..].starts_with(b"root") {
            lie[at + 6..at + 38].iter_mut().for_each(|byte| *byte ^= 0x55);
        }
    }
    let mut batch = WriteBatch::default();
    batch.writes.insert(b"a/gossip".to_vec(), Some(lie));
    disk.commit(batch).unwrap();
    world.switch_on(bob);
    world.pass(10 * SECOND);
    world.write(bob, b, "look at your log");
    world.pass(10 * MINUTE);
    for person in [alice, bob] {
        assert_eq!(ledger(&mut world, person).proof, None);
    }
    let texts = world.texts(alice, a);
    assert!(texts.contains(&"bob: look at your log".to_owned()), "{texts:?}");
    assert_eq!(texts.iter().filter(|text| text.starts_with("bob")).count(), 5, "{texts:?}");
    assert_eq!(texts.len(), 9, "{texts:?}");
    // It was heard: Alice asked for what the log signed, and that was what she holds.
    assert!(was_in_doubt(&mut world, alice));
}

/// Whether somebody was ever asked for a signed checkpoint.
fn was_in_doubt(world: &mut World, who: usize) -> bool {
    world.kill(who);
    let talks = world.disk(who).scan(b"lt/", b"lt0", false, 9).unwrap();
    world.switch_on(who);
    world.pass(SECOND);
    talks.iter().any(|(_, talk)| {
        let talk: Value = ciborium::from_reader(talk.as_slice()).unwrap();
        let asked = talk.as_map().unwrap().iter().find(|(key, _)| key.as_text() == Some("asked"));
        asked.unwrap().1 != Value::from(0)
    })
}

/// Olga says "not now" whenever she is asked whether two trees are one.
fn evades(world: &mut World) {
    world.tamper = Box::new(|_, said| {
        if let Some(Said::Answer(answer)) = &mut said.body
            && let Some(Answer::Consistency(_)) = &answer.body
        {
            answer.body = Some(refusal(Code::SlowDown));
        }
    });
}

#[test]
fn a_log_that_answers_not_now_is_asked_again_until_it_answers() {
    let mut split = Split::new(830, 1, 2);
    evades(&mut split.world);
    for _ in 0..4 {
        split.world.pass(LONG);
        split.talk("still there");
    }
    assert_eq!(split.proofs(), [false, false]);
    // Nobody says a word more. What was signed is kept, also over a restart.
    honest(&mut split.world);
    for who in [0, 1] {
        split.world.kill(split.people[who]);
        split.world.switch_on(split.people[who]);
        split.world.pass(LONG);
        split.alone(who);
        split.world.pass(LONG);
    }
    assert!(split.proofs().contains(&true), "{:?}", split.proofs());
}

#[test]
fn a_connection_lost_with_the_question_is_no_answer() {
    let mut split = Split::new(831, 1, 2);
    split.world.fate = Box::new(|_, _, request| match request.body {
        Some(Ask::Consistency(_)) => Fate::AnswerLost,
        _ => Fate::Arrives,
    });
    for _ in 0..4 {
        split.world.pass(LONG);
        split.talk("still there");
    }
    honest(&mut split.world);
    for _ in 0..2 {
        for who in [0, 1] {
            split.alone(who);
            split.world.pass(LONG);
        }
    }
    assert!(split.proofs().contains(&true), "{:?}", split.proofs());
}

#[test]
fn a_log_that_never_answers_is_as_old_as_the_question() {
    let mut split = Split::new(832, 1, 2);
    for _ in 0..4 {
        split.world.pass(LONG);
        evades(&mut split.world);
        split.talk("still there");
    }
    // It grows for both, a little each day, and never shows that it is one.
    for _ in 0..5 {
        for who in [0, 1] {
            split.alone(who);
            honest(&mut split.world);
            split.world.publish();
            // Their own history brings the new checkpoint.
            split.world.cut(split.people[who]);
            split.world.pass(10 * SECOND);
            split.shows[who] = as_it_is(&split.world);
            evades(&mut split.world);
            split.world.pass(Duration::from_secs(12 * 3600));
        }
    }
    let states = split.people.map(|person| ledger(&mut split.world, person));
    assert!(states.iter().any(|state| state.freshness == Freshness::Red), "{states:?}");
    assert_eq!(split.proofs(), [false, false]);
}
