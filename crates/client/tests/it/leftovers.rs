// SPDX-License-Identifier: AGPL-3.0-or-later
//! What stays longer than it should: old history in the count of a request, deleted text, keys; and what a device may
//! do after its owner removed it.

use std::time::Duration;

use nodoor_client::store::Store as _;
use nodoor_e2ee::{
    content::{self, Content},
    room::{RoomContext, RoomKind},
};
use nodoor_testkit::world::World;
use nodoor_view::command::{Command, Reply};
use nodoor_wire::id::RoomId;

use crate::{
    groups::group,
    hand::{MINUTE, account_of, honest, package_of, smuggle, two, welcome},
    substituted::{moved, show},
};

const SOON: Duration = Duration::from_secs(10);

/// Rows on somebody's disk that begin with this, and those that hold this.
fn on_disk(world: &mut World, who: usize, begin: &[u8], holds: &[u8]) -> usize {
    world.kill(who);
    let rows = world.disk(who).scan(b"", &[0xFF; 8], false, usize::MAX).unwrap();
    world.switch_on(who);
    let holds = |value: &[u8]| holds.is_empty() || value.windows(holds.len()).any(|w| w == holds);
    rows.iter().filter(|(key, value)| key.starts_with(begin) && holds(value)).count()
}

#[test]
fn who_is_asked_back_to_a_group_reads_why_whatever_was_said_there_before() {
    let mut world = World::new(720);
    let (alice, mallory) = (world.register("alice"), world.register("mallory"));
    let garden = group(&mut world, mallory, "Garden", &["alice"]);
    let a = world.accept(alice).id;
    world.pass(SOON);
    for n in 0..25 {
        world.write(alice, a, &format!("line {n}"));
    }
    world.pass(SOON);
    world.ask(alice, Command::GroupLeave { conversation: a });
    world.pass(SOON);
    world.write(mallory, garden, "she is gone");
    world.pass(SOON);
    let add = Command::GroupAdd { conversation: garden, handle: "alice".into() };
    assert_eq!(world.ask(mallory, add), Reply::Done);
    world.pass(SOON);
    for n in 0..25 {
        world.write(mallory, garden, &format!("come back {n}"));
    }
    world.pass(SOON);
    let texts = world.texts(alice, a);
    let back = texts.iter().filter(|text| text.contains("come back")).count();
    assert!((15..=20).contains(&back), "{texts:?}");
}

#[test]
fn deleted_text_is_gone_from_the_disk_once_it_cannot_be_brought_back() {
    let mut world = World::new(721);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let message = world.write(alice, a, "tell nobody of this").id;
    world.pass(MINUTE);
    for (who, chat) in [(alice, a), (bob, b)] {
        let id = if who == alice { message } else { world.rows(bob, chat).pop().unwrap().id };
        assert!(on_disk(&mut world, who, b"", b"tell nobody") > 0);
        assert_eq!(world.ask(who, Command::DeleteForMe { message: id }), Reply::Done);
        world.pass(Duration::from_secs(61));
        // Nothing else is done: what is on the disk now is what whoever finds it reads.
        world.kill(who);
        let rows = world.disk(who).scan(b"", &[0xFF; 8], false, usize::MAX).unwrap();
        world.switch_on(who);
        let left = rows.iter().filter(|(_, value)| value.windows(11).any(|w| w == b"tell nobody"));
        assert_eq!(left.count(), 0);
    }
}

#[test]
fn the_keys_of_the_mailbox_never_reach_the_disk() {
    let mut world = World::new(722);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    for hour in 0..5 {
        world.write(alice, a, &format!("hour {hour}"));
        world.pass(Duration::from_secs(3700));
        world.kill(bob);
        world.switch_on(bob);
    }
    assert_eq!(on_disk(&mut world, bob, b"h/", b""), 0);
    assert_eq!(world.texts(bob, b).len(), 7);
}

#[test]
fn a_device_that_its_owner_removed_founds_no_chat_anew() {
    for known in [true, false] {
        let mut world = World::new(723);
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        if known {
            two(&mut world, alice, bob);
        }
        let (alices, bobs) = (account_of(&mut world, alice), account_of(&mut world, bob));
        let gone = moved(&mut world, bob);
        show(&mut world, alice, &gone, false);
        world.pass(2 * MINUTE);
        // Its leaf names the version in which it was listed, and is as good as ever by that.
        let mut thief = world.turn(bob);
        let room = RoomId([0x5A; 32]);
        let context = RoomContext::new(RoomKind::direct(alices, bobs), bobs, "");
        let package = package_of(&mut world, alices);
        let founded = welcome(&mut thief, room, context, vec![package]);
        smuggle(&mut world, &mut thief, alices, founded);
        world.pass(MINUTE);
        let row = [b"r/".as_slice(), room.as_bytes()].concat();
        assert_eq!(on_disk(&mut world, alice, &row, b""), 0, "known: {known}");
        assert!(world.requests(alice).is_empty());
        honest(&mut world);
    }
}

#[test]
fn what_a_device_says_after_its_owner_removed_it_is_not_heard() {
    let mut world = World::new(724);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = two(&mut world, alice, bob);
    let gone = moved(&mut world, bob);
    show(&mut world, alice, &gone, false);
    world.pass(2 * MINUTE);
    assert!(matches!(world.ask(alice, Command::Find { handle: "bob".into() }), Reply::Person(_)));
    world.write(bob, b, "send me the code");
    world.pass(MINUTE);
    assert!(world.texts(alice, a).iter().all(|text| !text.contains("code")));
    // Nor a payload of its own making.
    let mut thief = world.turn(bob);
    let room = thief.rooms()[0];
    let said = content::encode(&Content::Text("the code, please".into()).into(), [5; 16]);
    let send = thief.seal(&room, said);
    world.request(nodoor_wire::proto::request::Body::Send(send));
    world.pass(MINUTE);
    assert!(world.texts(alice, a).iter().all(|text| !text.contains("code")));
    honest(&mut world);
}
