// SPDX-License-Identifier: AGPL-3.0-or-later
//! What was never accepted stays a request or goes; blocking ends with everything where it stood.

use std::{cell::RefCell, rc::Rc, time::Duration};

use nodoor_e2ee::{group::Change, key_package};
use nodoor_testkit::world::{Fate, World};
use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, SendState, Writable},
};
use nodoor_wire::{
    id::{RoomId, Token},
    proto::{answer::Body as Answer, request::Body as Ask},
};

use crate::{
    groups::group,
    hand::{a_group_of, account_of, package_of, room_of, smuggle, welcome},
};

const SOON: Duration = Duration::from_secs(10);

fn add(world: &mut World, by: usize, conversation: ConversationId, handle: &str) {
    let add = Command::GroupAdd { conversation, handle: handle.to_owned() };
    assert_eq!(world.ask(by, add), Reply::Done);
    world.pass(SOON);
}

fn remove(world: &mut World, by: usize, conversation: ConversationId, handle: &str) {
    let remove = Command::GroupRemove { conversation, handle: handle.to_owned() };
    assert_eq!(world.ask(by, remove), Reply::Done);
    world.pass(SOON);
}

#[test]
fn an_invitation_that_is_taken_back_is_neither_a_chat_nor_a_request() {
    let mut world = World::new(300);
    let (alice, mallory) = (world.register("alice"), world.register("mallory"));
    let coins = group(&mut world, mallory, "Free coins", &["alice"]);
    world.write(mallory, coins, "https://coins.example/");
    world.pass(SOON);
    assert_eq!(world.requests(alice).len(), 1);
    remove(&mut world, mallory, coins, "alice");
    assert!(world.chats(alice).is_empty());
    assert!(world.requests(alice).is_empty());
    // Invited once more it is a request once more, and nothing else.
    add(&mut world, mallory, coins, "alice");
    world.write(mallory, coins, "https://coins.example/");
    world.pass(SOON);
    assert!(world.chats(alice).is_empty());
    assert_eq!(world.requests(alice).len(), 1);
}

#[test]
fn whoever_left_keeps_their_own_history_and_nothing_of_an_invitation_back() {
    for taken_back in [true, false] {
        let mut world = World::new(301);
        let (alice, mallory) = (world.register("alice"), world.register("mallory"));
        let coins = group(&mut world, mallory, "Free coins", &["alice"]);
        let a = world.accept(alice).id;
        world.pass(SOON);
        world.write(alice, a, "no thanks");
        world.pass(SOON);
        world.ask(alice, Command::GroupLeave { conversation: a });
        world.pass(SOON);
        let history = world.rows(alice, a).len();
        // Who committed that she is out is who asks her back.
        world.write(mallory, coins, "why");
        world.pass(SOON);
        add(&mut world, mallory, coins, "alice");
        world.write(mallory, coins, "https://coins.example/");
        world.pass(SOON);
        let request = world.requests(alice).remove(0).conversation;
        if taken_back {
            remove(&mut world, mallory, coins, "alice");
        } else {
            world.ask(alice, Command::Decline { conversation: request });
        }
        assert!(world.requests(alice).is_empty());
        assert_eq!(world.texts(alice, a), ["me: no thanks"]);
        assert_eq!(world.rows(alice, a).len(), history);
        assert_eq!(world.chats(alice)[0].writable, Writable::Left);
    }
}

#[test]
fn what_is_written_after_an_unblock_arrives() {
    let mut world = World::new(302);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = crate::hand::two(&mut world, alice, bob);
    world.ask(alice, Command::Block { conversation: a });
    world.pass(SOON);
    world.write(bob, b, "while blocked");
    world.pass(SOON);
    assert!(world.chats(alice).is_empty());
    world.ask(alice, Command::Unblock { conversation: a });
    world.pass(SOON);
    world.write(bob, b, "after it");
    world.pass(SOON);
    assert_eq!(world.texts(alice, a), ["me: hello", "bob: hi", "bob: after it"]);
    assert_eq!(world.states(bob, b).last(), Some(&SendState::Delivered));
    world.write(alice, a, "hello again");
    world.pass(SOON);
    assert_eq!(world.texts(bob, b).last().unwrap(), "alice: hello again");
}

#[test]
fn a_block_that_is_undone_at_once_loses_nothing() {
    let mut world = World::new(303);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = crate::hand::two(&mut world, alice, bob);
    for offline in [true, false] {
        world.set_offline(alice, offline);
        world.ask(alice, Command::Block { conversation: a });
        world.ask(alice, Command::Unblock { conversation: a });
        world.set_offline(alice, false);
        world.pass(SOON);
        world.write(bob, b, "still there?");
        world.pass(SOON);
        assert_eq!(world.texts(alice, a).last().unwrap(), "bob: still there?");
        assert_eq!(world.states(bob, b).last(), Some(&SendState::Delivered));
    }
}

#[test]
fn commits_made_while_blocked_are_caught_up_with() {
    let mut world = World::new(304);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let [a, b] = crate::hand::two(&mut world, alice, bob);
    world.ask(alice, Command::Block { conversation: a });
    world.pass(SOON);
    // Bob's leaf is a week old: he renews it.
    world.pass(Duration::from_secs(8 * 24 * 3600));
    world.write(bob, b, "while blocked");
    world.pass(SOON);
    world.ask(alice, Command::Unblock { conversation: a });
    world.pass(SOON);
    world.write(bob, b, "after it");
    world.pass(SOON);
    assert_eq!(world.texts(alice, a).last().unwrap(), "bob: after it");
}

#[test]
fn a_request_that_was_blocked_is_a_request_again() {
    let mut world = World::new(305);
    let (alice, mallory) = (world.register("alice"), world.register("mallory"));
    world.say(mallory, "alice", "buy my things");
    let request = world.requests(alice).remove(0).conversation;
    world.ask(alice, Command::Block { conversation: request });
    world.pass(SOON);
    world.ask(alice, Command::Unblock { conversation: request });
    world.pass(SOON);
    assert!(world.chats(alice).is_empty());
    assert_eq!(world.requests(alice).len(), 1);
    // And still not accepted: what comes is of a stranger, in this room and in the next.
    group(&mut world, mallory, "Free coins", &["alice"]);
    world.pass(SOON);
    assert_eq!(world.requests(alice).len(), 2);
    let chat = world.chat(mallory, "alice").id;
    assert_eq!(world.states(mallory, chat), [SendState::Sent]);
}

#[test]
fn the_shared_token_of_a_last_resort_package_dies_with_a_decline_or_block() {
    for block in [true, false] {
        let mut world = World::new(306);
        let carol = world.register("carol");
        world.set_offline(carol, true);
        // The stock of the test's devices is small: these use it up, and Mallory gets the last resort.
        for name in ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "mallory"] {
            let person = world.register(name);
            world.say(person, "carol", "hello");
        }
        let account = account_of(&mut world, carol);
        let shared = key_package::inspect(&package_of(&mut world, account)).unwrap().token;
        world.set_offline(carol, false);
        world.pass(SOON);
        let deleted: Rc<RefCell<Vec<Token>>> = Rc::default();
        let ear = Rc::clone(&deleted);
        world.fate = Box::new(move |_, _, request| {
            if let Some(Ask::TokenDelete(delete)) = &request.body {
                let seeds =
                    delete.seeds.iter().map(|seed| <[u8; 32]>::try_from(&seed[..]).unwrap());
                ear.borrow_mut().extend(seeds.map(|seed| Token::of_seed(&seed)));
            }
            Fate::Arrives
        });
        // While they all wait, the token is how they reach her.
        world.pass(Duration::from_secs(8 * 24 * 3600));
        assert!(!deleted.borrow().contains(&shared));
        for request in world.requests(carol) {
            let conversation = request.conversation;
            if request.from.handle == "mallory" {
                let end = if block {
                    Command::Block { conversation }
                } else {
                    Command::Decline { conversation }
                };
                world.ask(carol, end);
            } else {
                world.ask(carol, Command::Accept { conversation });
            }
        }
        world.pass(SOON);
        assert!(deleted.borrow().contains(&shared), "block: {block}");
        // And nobody is given it any more.
        for _ in 0..12 {
            let package = package_of(&mut world, account);
            assert_ne!(key_package::inspect(&package).unwrap().token, shared);
        }
        world.pass(SOON);
        let dave = world.register("dave");
        world.say(dave, "carol", "new here");
        world.pass(SOON);
        assert!(world.requests(carol).iter().any(|request| request.from.handle == "dave"));
    }
}

#[test]
fn who_is_taken_out_of_a_request_and_put_back_has_accepted_nothing() {
    let mut world = World::new(307);
    let (alice, mallory) = (world.register("alice"), world.register("mallory"));
    world.say(mallory, "alice", "buy my things");
    assert_eq!(world.requests(alice).len(), 1);
    let (account, room) = (account_of(&mut world, alice), room_of(&mut world, alice));
    let package = package_of(&mut world, account);
    let mut mallory = world.turn(mallory);
    let hers =
        mallory.group(&room).leaves().iter().find(|leaf| leaf.name.account == account).cloned();
    let remove = vec![hers.unwrap().index];
    let change = Change { add: vec![package], remove, ..Change::default() };
    let commit = mallory.commit(&room, change);
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(SOON);
    assert!(world.chats(alice).is_empty());
    let requests = world.requests(alice);
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].text, "buy my things");
}

#[test]
fn a_stranger_with_one_last_resort_package_uses_up_neither_tokens_nor_the_list_of_requests() {
    let mut world = World::new(307);
    let [carol, mallory, dave] = ["carol", "mallory", "dave"].map(|name| world.register(name));
    let account = account_of(&mut world, carol);
    for _ in 0..20 {
        package_of(&mut world, account);
    }
    let told: Rc<RefCell<usize>> = Rc::default();
    let ear = Rc::clone(&told);
    world.fate = Box::new(move |person, _, request| {
        if let (true, Some(Ask::TokenPut(put))) = (person == carol, &request.body)
            && !put.of_key_packages
        {
            *ear.borrow_mut() += put.seeds.len();
        }
        Fate::Arrives
    });
    let mut mallory = world.turn(mallory);
    let package = package_of(&mut world, account);
    for number in 0..20 {
        let context = a_group_of(mallory.account, "strangers");
        let welcome =
            welcome(&mut mallory, RoomId([100 + number; 32]), context, vec![package.clone()]);
        smuggle(&mut world, &mut mallory, account, welcome);
    }
    world.pass(SOON);
    assert_eq!(*told.borrow(), 0, "no token is spent on what is not accepted");
    assert_eq!(world.requests(carol).len(), 8);
    // Others are heard as before, and whoever is accepted has a token of the room's own.
    world.say(dave, "carol", "hello");
    world.pass(SOON);
    let request =
        world.requests(carol).iter().find(|one| one.text == "hello").unwrap().conversation;
    assert!(matches!(
        world.ask(carol, Command::Accept { conversation: request }),
        Reply::Conversation(_)
    ));
    world.pass(SOON);
    assert_eq!(*told.borrow(), 1);
    let chat = world.chat(dave, "carol").id;
    world.write(dave, chat, "and more");
    world.pass(SOON);
    assert_eq!(world.texts(carol, request), ["dave: hello", "dave: and more"]);
}
