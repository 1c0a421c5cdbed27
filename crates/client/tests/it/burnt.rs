// SPDX-License-Identifier: AGPL-3.0-or-later
//! Mallory is a member and makes commits that no honest client merges: what the others do then.

use std::time::Duration;

use nodoor_e2ee::{
    group::{Change, Leaf},
    room::{Burnt, RoomContext, RoomKind},
};
use nodoor_testkit::{mallory::Mallory, world::World};
use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, SendState, Writable},
};
use nodoor_wire::{
    id::{CommitId, DeviceId, RoomId},
    proto::{Commit, answer::Body as Answer, request::Body as Ask},
};

use crate::{groups::group, hand::package_of, writable};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// A group of Alice (creator), Bob, Carol and Mallory, in which all have accepted.
struct Scene {
    world: World,
    people: [usize; 4],
    ids: [ConversationId; 4],
}

impl Scene {
    fn new(seed: u64, creator: usize) -> Self {
        let mut world = World::new(seed);
        let names = ["alice", "bob", "carol", "mallory"];
        let people = names.map(|name| world.register(name));
        let others: Vec<&str> =
            names.iter().enumerate().filter(|(n, _)| *n != creator).map(|(_, n)| *n).collect();
        let first = group(&mut world, people[creator], "Garden", &others);
        let ids = people
            .map(|person| if person == people[creator] { first } else { world.accept(person).id });
        world.pass(Duration::from_secs(20));
        let mut scene = Self { world, people, ids };
        scene.all_hear("before", &[0, 1, 2, 3]);
        scene
    }

    fn write(&mut self, who: usize, text: &str) {
        self.world.write(self.people[who], self.ids[who], text);
    }

    /// Each of these writes, and all of them read all of it, once.
    fn all_hear(&mut self, what: &str, who: &[usize]) {
        for writer in who {
            self.write(*writer, &format!("{what} {writer}"));
        }
        self.world.pass(MINUTE);
        for reader in who {
            for writer in who {
                self.hears(*reader, &format!("{what} {writer}"));
            }
        }
    }

    fn hears(&mut self, reader: usize, text: &str) {
        let texts = self.world.texts(self.people[reader], self.ids[reader]);
        let ends = format!(": {text}");
        let count = texts.iter().filter(|line| line.ends_with(&ends)).count();
        assert_eq!(count, 1, "{text} at {reader}: {texts:?}");
    }

    fn writable(&mut self, who: usize) -> Writable {
        writable(&mut self.world, self.people[who], self.ids[who])
    }

    /// Mallory commits what `make` makes of her group.
    fn burn(&mut self, make: impl FnOnce(&mut Mallory, &RoomId) -> Commit) -> Mallory {
        let mut mallory = self.world.turn(self.people[3]);
        let room = mallory.rooms()[0];
        let commit = make(&mut mallory, &room);
        assert!(matches!(self.world.submit(commit), Answer::Done(_)));
        self.world.pass(Duration::from_secs(5));
        mallory
    }
}

fn false_roster(mallory: &mut Mallory, room: &RoomId) -> Commit {
    let mut commit = mallory.commit(room, Change::default());
    let mut roster = commit.next_roster.to_vec();
    roster[0] ^= 1;
    commit.next_roster = roster.into();
    mallory.sign(room, &mut commit);
    commit
}

fn ghost_of_bob(mallory: &mut Mallory, room: &RoomId) -> Commit {
    let bob = mallory.group(room).leaves().iter().map(|leaf| leaf.name.account).max().unwrap();
    let add = vec![mallory.ghost(bob)];
    mallory.commit(room, Change { add, ..Change::default() })
}

fn crowned(mallory: &mut Mallory, room: &RoomId) -> Commit {
    let context = mallory.group(room).context().clone();
    let context = Some(RoomContext { creator: mallory.account, ..context });
    mallory.commit(room, Change { context, ..Change::default() })
}

fn renamed(mallory: &mut Mallory, room: &RoomId) -> Commit {
    let context = mallory.group(room).context().clone();
    let context = Some(RoomContext { title: "Mallory's".to_owned(), ..context });
    mallory.commit(room, Change { context, ..Change::default() })
}

fn removes_another(mallory: &mut Mallory, room: &RoomId) -> Commit {
    let group = mallory.group(room);
    let own = group.own_index();
    let other = group.leaves().iter().map(|leaf| leaf.index).filter(|at| *at != own).max();
    mallory.commit(room, Change { remove: other.into_iter().collect(), ..Change::default() })
}

type Making = fn(&mut Mallory, &RoomId) -> Commit;

#[test]
fn whatever_mallory_commits_the_others_go_on_without_her() {
    let makings: [Making; 5] = [false_roster, ghost_of_bob, crowned, renamed, removes_another];
    for (seed, make) in (50..).zip(makings) {
        let mut scene = Scene::new(seed, 0);
        // Two are there, one is away and wakes up later; all of them wrote something meanwhile.
        scene.world.set_offline(scene.people[2], true);
        scene.write(2, "from the tunnel");
        scene.world.set_offline(scene.people[0], true);
        let mallory = scene.burn(make);
        assert_eq!(scene.writable(1), Writable::Stuck, "{seed}");
        scene.write(1, "after the fire");
        scene.world.set_offline(scene.people[0], false);
        scene.world.pass(MINUTE);
        scene.world.set_offline(scene.people[2], false);
        scene.world.pass(2 * MINUTE);
        // The creator founds the successor at once, and the others follow without being asked.
        for who in 0..3 {
            assert_eq!(scene.writable(who), Writable::Yes, "{seed} {who}");
            let chats = scene.world.chats(scene.people[who]);
            let groups = chats.iter().filter(|chat| chat.title == "Garden").count();
            assert_eq!(groups, 1, "{seed} {who}");
            scene.hears(who, "from the tunnel");
            scene.hears(who, "after the fire");
        }
        scene.all_hear("again", &[0, 1, 2]);
        scene.world.give_back(mallory);
        scene.world.pass(MINUTE);
        let hers = scene.world.texts(scene.people[3], scene.ids[3]);
        assert!(hers.iter().all(|text| !text.contains("again")), "{seed}: {hers:?}");
    }
}

#[test]
fn without_its_creator_a_group_waits_an_hour_and_goes_on_in_one_room() {
    let mut scene = Scene::new(60, 0);
    scene.world.kill(scene.people[0]);
    let _mallory = scene.burn(false_roster);
    for who in [1, 2] {
        assert_eq!(scene.writable(who), Writable::Stuck);
        scene.write(who, &format!("meanwhile {who}"));
    }
    scene.world.pass(Duration::from_secs(3000));
    for who in [1, 2] {
        assert_eq!(scene.writable(who), Writable::Stuck);
    }
    scene.world.pass(HOUR);
    for who in [1, 2] {
        assert_eq!(scene.writable(who), Writable::Yes);
        scene.hears(who, "meanwhile 1");
        scene.hears(who, "meanwhile 2");
    }
    scene.all_hear("in the new room", &[1, 2]);
    // The creator comes back, sees the burnt epoch and the successor, and follows.
    scene.world.switch_on(scene.people[0]);
    scene.world.pass(10 * MINUTE);
    assert_eq!(scene.writable(0), Writable::Yes);
    scene.all_hear("together", &[0, 1, 2]);
    for who in 0..3 {
        let chats = scene.world.chats(scene.people[who]);
        assert_eq!(chats.iter().filter(|chat| chat.title == "Garden").count(), 1, "{who}");
    }
}

#[test]
fn a_creator_who_burns_its_group_loses_it() {
    let mut scene = Scene::new(61, 3);
    // She is the creator, so she may add; but not a device that no list names.
    let _mallory = scene.burn(ghost_of_bob);
    for who in 0..3 {
        assert_eq!(scene.writable(who), Writable::Stuck);
        scene.write(who, &format!("meanwhile {who}"));
    }
    scene.world.pass(2 * HOUR);
    for who in 0..3 {
        assert_eq!(scene.writable(who), Writable::Yes);
        for writer in 0..3 {
            scene.hears(who, &format!("meanwhile {writer}"));
        }
    }
    scene.all_hear("without her", &[0, 1, 2]);
}

#[test]
fn two_successors_at_once_become_one() {
    let mut scene = Scene::new(62, 3);
    let _mallory = scene.burn(false_roster);
    // All are stuck and find nobody for hours, each alone.
    for who in 0..3 {
        scene.write(who, &format!("meanwhile {who}"));
        scene.world.set_offline(scene.people[who], true);
    }
    scene.world.pass(3 * HOUR);
    for who in 0..3 {
        scene.world.set_offline(scene.people[who], false);
    }
    scene.world.pass(10 * MINUTE);
    for who in 0..3 {
        assert_eq!(scene.writable(who), Writable::Yes);
        for writer in 0..3 {
            scene.hears(who, &format!("meanwhile {writer}"));
        }
    }
    scene.all_hear("again", &[0, 1, 2]);
}

#[test]
fn who_is_not_stuck_follows_no_successor_by_itself() {
    let mut scene = Scene::new(63, 0);
    // Mallory says that the last commit was burnt, and has a successor with everybody in it.
    let mut mallory = scene.world.turn(scene.people[3]);
    let old = mallory.rooms()[0];
    let group = mallory.group(&old);
    let commit = CommitId([9; 32]);
    let origin = Burnt { room: old, epoch: group.epoch() - 1, commit };
    let context = RoomContext {
        successor_of: Some(origin),
        ..RoomContext::new(RoomKind::Group, mallory.account, "Garden")
    };
    let accounts: Vec<_> = group.leaves().iter().map(|leaf| leaf.name.account).collect();
    let room = RoomId([0x11; 32]);
    mallory.found(&mut scene.world, room, context);
    let mut add = Vec::new();
    for account in accounts.into_iter().filter(|account| *account != mallory.account) {
        let devices = Vec::new();
        let take = nodoor_wire::proto::KeyPackageTake { account: account.to_bytes(), devices };
        match scene.world.request(Ask::KeyPackageTake(take)) {
            Answer::KeyPackageTake(taken) => add.push(taken.packages[0].key_package.to_vec()),
            other => panic!("no key package: {other:?}"),
        }
    }
    let commit = mallory.commit(&room, Change { add, ..Change::default() });
    assert!(matches!(scene.world.submit(commit), Answer::Done(_)));
    scene.world.pass(MINUTE);
    scene.all_hear("still here", &[0, 1, 2]);
    for who in 0..3 {
        // It is a group like any other, which they may accept or not.
        assert_eq!(scene.world.requests(scene.people[who]).len(), 1);
        assert_eq!(scene.writable(who), Writable::Yes);
    }
}

#[test]
fn who_alone_is_stuck_is_removed_and_added_again() {
    let mut scene = Scene::new(64, 0);
    // Bob's disk lost the keys of his leaf: the next commit is good and he cannot open it.
    let bob = scene.world.turn(scene.people[1]);
    let keys = bob.disk.rows("e/epk/");
    assert!(!keys.is_empty());
    for (key, _) in keys {
        nodoor_e2ee::store::KeyValue::delete(&bob.disk, &key);
    }
    // Help comes when Alice hears of it.
    scene.world.give_back(bob);
    scene.world.set_offline(scene.people[1], true);
    let id = scene.ids[0];
    let rename = Command::GroupRename { conversation: id, title: "Allotment".into() };
    assert_eq!(scene.world.ask(scene.people[0], rename), Reply::Done);
    scene.world.pass(MINUTE);
    scene.world.set_offline(scene.people[0], true);
    scene.world.set_offline(scene.people[1], false);
    scene.world.pass(MINUTE);
    assert_eq!(scene.writable(1), Writable::Stuck);
    scene.write(1, "from the stuck one");
    scene.world.set_offline(scene.people[0], false);
    scene.world.pass(MINUTE);
    assert_eq!(scene.writable(1), Writable::Yes);
    for who in 0..4 {
        scene.hears(who, "from the stuck one");
        // The call for help went over a room in which nobody wrote anything.
        assert!(scene.world.requests(scene.people[who]).is_empty());
    }
    scene.all_hear("again", &[0, 1, 2, 3]);
}

#[test]
fn a_direct_room_goes_on_at_once() {
    let mut world = World::new(65);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.say(alice, "bob", "first");
    let b = world.accept(bob).id;
    let a = world.chats(alice)[0].id;
    world.pass(MINUTE);
    world.write(bob, b, "second");
    world.pass(MINUTE);
    let mut mallory = world.turn(bob);
    let room = mallory.rooms()[0];
    let commit = false_roster(&mut mallory, &room);
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.write(alice, a, "third");
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, alice, a), Writable::Yes);
    assert_eq!(world.states(alice, a).last(), Some(&SendState::Sent));
    // Bob's device was bad for a moment; what it takes up again is in the new room.
    world.give_back(mallory);
    world.pass(MINUTE);
    assert!(world.texts(bob, b).contains(&"alice: third".to_owned()));
    world.write(bob, b, "fourth");
    world.pass(MINUTE);
    assert_eq!(world.texts(alice, a), ["me: first", "bob: second", "me: third", "bob: fourth"]);
}

#[test]
fn a_commit_of_a_proposal_that_nobody_was_sent_burns_its_epoch() {
    let mut scene = Scene::new(61, 0);
    // Carol, who is in it with Mallory, shows a wish to leave to her alone.
    let carol = scene.world.turn(scene.people[2]);
    let room = carol.rooms()[0];
    let frame = carol.group(&room).propose_leave(&carol.disk, &carol.identity).unwrap();
    let mallory = scene.burn(|mallory, room| {
        let mut group = mallory.group(room);
        group.open(&mallory.disk, &frame).unwrap();
        mallory.commit(room, Change::default())
    });
    drop((mallory, carol));
    scene.write(0, "what now");
    scene.write(1, "nothing goes");
    scene.world.pass(Duration::from_secs(1800));
    // Until the hour is over the proposal may still come.
    assert_eq!(scene.writable(0), Writable::Yes);
    scene.world.pass(4 * HOUR);
    scene.all_hear("without her", &[0, 1]);
    scene.hears(1, "what now");
    scene.hears(0, "nothing goes");
}

#[test]
fn who_went_on_without_a_creator_is_not_called_back_by_it() {
    let mut scene = Scene::new(66, 3);
    let mut mallory = scene.burn(|mallory, room| {
        let group = mallory.group(room);
        let others = group.leaves().iter().map(|leaf| leaf.name.account);
        let add = vec![mallory.ghost(others.filter(|one| *one != mallory.account).max().unwrap())];
        mallory.commit(room, Change { add, ..Change::default() })
    });
    scene.world.pass(2 * HOUR);
    scene.all_hear("without her", &[0, 1, 2]);
    // She goes on in the old room, cleans it, and brings one of them back: later than he left, by its creator.
    let room = mallory.rooms()[0];
    mallory.group(&room).merge_pending(&mallory.disk).unwrap();
    let group = mallory.group(&room);
    let ghost = |leaf: &&Leaf| leaf.name.device == DeviceId([0x66; 16]);
    let bob = group.leaves().iter().find(ghost).unwrap().name.account;
    let of_bob = |leaf: &&Leaf| leaf.name.account == bob;
    let remove = group.leaves().iter().filter(of_bob).map(|leaf| leaf.index).collect();
    let add = vec![package_of(&mut scene.world, bob)];
    let commit = mallory.commit(&room, Change { add, remove, ..Change::default() });
    assert!(matches!(scene.world.submit(commit), Answer::Done(_)));
    scene.world.pass(MINUTE);
    scene.all_hear("still without her", &[0, 1, 2]);
}

#[test]
fn who_leaves_a_burnt_group_is_not_taken_back_without_a_word() {
    let mut scene = Scene::new(67, 0);
    scene.world.set_offline(scene.people[0], true);
    let _mallory = scene.burn(false_roster);
    assert_eq!(scene.writable(1), Writable::Stuck);
    let leave = Command::GroupLeave { conversation: scene.ids[1] };
    assert_eq!(scene.world.ask(scene.people[1], leave), Reply::Done);
    // He is out of it, although nobody could be told.
    let bob = scene.world.turn(scene.people[1]);
    assert!(bob.rooms().iter().all(|room| bob.group(room).context().title != "Garden"));
    scene.world.give_back(bob);
    scene.world.set_offline(scene.people[0], false);
    scene.world.pass(10 * MINUTE);
    assert_eq!(scene.writable(0), Writable::Yes);
    scene.write(0, "among us");
    scene.world.pass(MINUTE);
    assert_ne!(scene.writable(1), Writable::Yes);
    let texts = scene.world.texts(scene.people[1], scene.ids[1]);
    assert!(texts.iter().all(|text| !text.contains("among us")), "{texts:?}");
    // He is asked, as anybody is.
    assert_eq!(scene.world.requests(scene.people[1]).len(), 1);
}
