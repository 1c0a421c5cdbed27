// SPDX-License-Identifier: AGPL-3.0-or-later
//! Olga shows Alice and Bob two logs, each whole and signed; only by talking do they find out.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_transparency::ledger::evidence::Verdict;
use nodoor_view::model::ConversationId;

use crate::{
    hand::MINUTE,
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
    chats: [ConversationId; 2],
    shows: [Show; 2],
}

impl Split {
    /// From one log on Alice sees Carol in it, Bob sees David and so many entries more.
    fn new(seed: u64, first: u32, more: u32) -> Self {
        let (mut world, people, chats) = talking(seed);
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
            self.world.write(self.people[who], self.chats[who], text);
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
