// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who may act in a room, and what a head is.

use std::task::Poll;

use nodoor_transparency::key::SigningKey;
use nodoor_wire::{
    code::Code,
    proto::{self, answer::Body as Answer, body::Body, request::Body as Ask},
};

use crate::person::{Person, Room, World, assert_done, assert_refused, random, sign, texts};

/// The commit that ended the epoch of who was told to be behind.
async fn missed(world: &World, behind: &Room, answer: &Answer) -> proto::StoredCommit {
    assert_refused(answer, Code::StaleEpoch);
    match world.ask(behind.catch_up()).await {
        Answer::Commits(answer) => answer.commit.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_room_are_one_answer() {
    let world = World::new();
    let alice = world.person("alice").await;
    let room = Room::found(&world, &[&alice]).await;
    let wrong = Room { key: random(), ..room.clone() };
    let unknown = Room { id: nodoor_wire::id::RoomId(random()), ..room.clone() };
    for room in [&wrong, &unknown] {
        let next = room.next();
        let commit = room.commit(&next, &alice, &[&alice], &[]);
        let refused = [
            room.say(&world, "psst").await,
            world.ask(Ask::Commit(commit)).await,
            world.ask(room.catch_up()).await,
        ];
        for answer in refused {
            let Answer::Refusal(refusal) = &answer else { panic!("{answer:?}") };
            let forbidden = proto::Refusal { code: Code::Forbidden.number(), ..Default::default() };
            assert_eq!(*refusal, forbidden);
        }
    }
    assert_done(room.say(&world, "hello").await);
}

#[tokio::test]
async fn a_commit_whose_sender_went_before_the_answer_is_the_head_for_everybody() {
    let world = World::new();
    let alice = world.person("alice").await;
    let room = Room::found(&world, &[&alice]).await;
    assert_done(room.say(&world, "the head is in memory").await);
    let next = room.next();
    let commit = room.commit(&next, &alice, &[&alice], &[]);
    let mut gone = Box::pin(world.ask(Ask::Commit(commit)));
    let polled = std::future::poll_fn(|context| Poll::Ready(gone.as_mut().poll(context))).await;
    assert!(polled.is_pending(), "the writer has it");
    drop(gone);
    // Everything passes the writer in one order: once this has its answer, the commit stands.
    assert_done(Room::found(&world, &[&alice]).await.say(&world, "later").await);
    assert_done(next.say(&world, "at the new epoch").await);
    next.move_on(&world, &alice, &[&alice]).await;
}

#[tokio::test]
async fn a_removed_member_gets_the_commit_and_nothing_after() {
    let world = World::new();
    let (alice, mut bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(&world, &[&alice, &bob]).await;
    let next = room.move_on(&world, &alice, &[&alice]).await;
    // Bob has the key of the epoch that is over, and not that of the head.
    assert_eq!(missed(&world, &room, &room.say(&world, "let me in").await).await.epoch, room.epoch);
    let guess = Room { epoch: next.epoch, ..room.clone() };
    assert_refused(&guess.say(&world, "let me in").await, Code::Forbidden);
    let takeover = guess.commit(&guess.next(), &bob, &[&bob], &[]);
    assert_refused(&world.ask(Ask::Commit(takeover)).await, Code::Forbidden);
    // With the key and without a place in the roster there is no commit either.
    let outsider = next.commit(&next.next(), &bob, &[&bob], &[]);
    assert_refused(&world.ask(Ask::Commit(outsider)).await, Code::BadSignature);

    assert_done(next.say(&world, "he is gone").await);
    let read = bob.receive(&world).await;
    assert!(matches!(read[0].body, Some(Body::Commit(_))));
    assert!(texts(&read).is_empty() && bob.receive(&world).await.is_empty());
}

#[tokio::test]
async fn a_commit_is_refused_if_anything_of_it_is_not_what_was_signed() {
    let world = World::new();
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(&world, &[&alice]).await;
    let next = room.next();
    let good = room.commit(&next, &alice, &[&alice, &bob], &[&bob]);
    let change = |change: &dyn Fn(&mut proto::Commit)| {
        let mut commit = good.clone();
        change(&mut commit);
        commit
    };
    let forged = [
        change(&|commit| commit.frame = vec![1].into()),
        change(&|commit| commit.next_roster = next.roster(&[&alice])),
        change(&|commit| commit.next_key_check = vec![1; 32].into()),
        change(&|commit| commit.welcomes[0].body = vec![1].into()),
        change(&|commit| commit.welcomes[0].tokens[0] = vec![1; 32].into()),
        change(&|commit| commit.welcomes.clear()),
        change(&|commit| commit.signature = vec![1; 64].into()),
        change(&|commit| commit.signature = vec![].into()),
        // Signed well, by a key that the roster does not have.
        sign(good.clone(), &SigningKey::from_seed(random())),
        // Signed by a key that only the next roster has.
        sign(good.clone(), &bob.commit_key),
        // A good signature under another's name.
        change(&|commit| commit.commit_key = bob.commit_key.public().to_vec().into()),
    ];
    for commit in forged {
        assert_refused(&world.ask(Ask::Commit(commit)).await, Code::BadSignature);
    }
    let answer = world.ask(room.catch_up()).await;
    assert!(matches!(answer, Answer::Commits(c) if c.commit.is_none() && c.head == 0));
    assert_done(world.ask(Ask::Commit(good)).await);
}

#[tokio::test]
async fn a_repeated_commit_gets_the_same_yes_and_delivers_once() {
    let mut world = World::new();
    let (mut alice, mut bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(&world, &[&alice]).await;
    let commit = room.commit(&room.next(), &alice, &[&alice, &bob], &[&bob]);
    for _ in 0..3 {
        assert_done(world.ask(Ask::Commit(commit.clone())).await);
    }
    let rival = room.commit(&room.next(), &alice, &[&alice], &[]);
    let refused = world.ask(Ask::Commit(rival)).await;
    assert_eq!(missed(&world, &room, &refused).await.frame, commit.frame);
    world.restart();
    assert_done(world.ask(Ask::Commit(commit.clone())).await);

    alice.reconnect(&world).await;
    bob.reconnect(&world).await;
    let (read, welcome) = (alice.receive(&world).await, bob.receive(&world).await);
    assert_eq!((read.len(), welcome.len()), (1, 1));
    let Some(Body::Commit(stored)) = alice.fetch(&world, &read[0]).await else { panic!() };
    assert_eq!((stored.epoch, stored.frame), (0, commit.frame));
    let Some(Body::Welcome(welcome)) = bob.fetch(&world, &welcome[0]).await else { panic!() };
    assert_eq!(welcome.welcome, commit.welcomes[0].body);
}

#[tokio::test]
async fn who_is_behind_gets_the_commit_that_ended_his_epoch_and_asks_again() {
    let mut world = World::new();
    let alice = world.person("alice").await;
    let first = Room::found(&world, &[&alice]).await;
    let second = first.move_on(&world, &alice, &[&alice]).await;
    let third = second.move_on(&world, &alice, &[&alice]).await;
    for restarted in [false, true] {
        if restarted {
            world.restart();
        }
        for behind in [&first, &second] {
            let commit = missed(&world, behind, &behind.say(&world, "late").await).await;
            assert_eq!(commit.epoch, behind.epoch);
            let Answer::Commits(answer) = world.ask(behind.catch_up()).await else { panic!() };
            assert_eq!((answer.commit, answer.head), (Some(commit), 2));
            let late = behind.commit(&behind.next(), &alice, &[&alice], &[]);
            missed(&world, behind, &world.ask(Ask::Commit(late)).await).await;
        }
        let Answer::Commits(answer) = world.ask(third.catch_up()).await else { panic!() };
        assert!(answer.commit.is_none() && answer.head == 2);
    }
    let ahead = Room { epoch: 3, ..third.clone() };
    assert_refused(&ahead.say(&world, "early").await, Code::Forbidden);
    assert_done(third.say(&world, "in time").await);
}

#[tokio::test]
async fn of_many_commits_at_once_one_wins_and_nothing_is_sent_behind_it() {
    let world = World::new();
    let mut alice = world.person("alice").await;
    let room = Room::found(&world, &[&alice]).await;
    let commits: Vec<_> =
        (0..10).map(|_| room.commit(&room.next(), &alice, &[&alice], &[])).collect();
    let mut tasks = Vec::new();
    for commit in commits {
        let (server, connection) = (world.server.clone(), world.anonymous());
        tasks.push(tokio::spawn(async move {
            crate::person::ask(&server, &connection, Ask::Commit(commit)).await
        }));
        let (server, connection) = (world.server.clone(), world.anonymous());
        let send = room.send("at epoch 0");
        tasks.push(tokio::spawn(async move {
            crate::person::ask(&server, &connection, Ask::Send(send)).await
        }));
    }
    let (mut won, mut sent) = (0, 0);
    for (place, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap() {
            Answer::Done(_) if place % 2 == 0 => won += 1,
            Answer::Done(_) => sent += 1,
            answer => assert_refused(&answer, Code::StaleEpoch),
        }
    }
    assert_eq!(won, 1);
    let mut read = Vec::new();
    while read.len() < sent + 1 {
        let more = alice.receive(&world).await;
        assert!(!more.is_empty());
        read.extend(more);
    }
    assert!(matches!(read.last().unwrap().body, Some(Body::Commit(_))));
}

#[tokio::test]
async fn a_room_id_belongs_to_its_founder() {
    let world = World::new();
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(&world, &[&alice]).await;
    let rival = Room { key: random(), ..room.clone() };
    let founding = rival.founding(&[&bob]);
    assert_refused(&world.ask(Ask::RoomFound(founding)).await, Code::RoomExists);
    assert_done(world.ask(Ask::RoomFound(room.founding(&[&alice]))).await);
    room.move_on(&world, &alice, &[&alice]).await;
    assert_done(world.ask(Ask::RoomFound(room.founding(&[&alice]))).await);
    assert_refused(&world.ask(Ask::RoomFound(rival.founding(&[&bob]))).await, Code::RoomExists);
}

#[tokio::test]
async fn a_dead_token_answers_like_a_live_one() {
    let world = World::new();
    let (alice, ghost) = (world.person("alice").await, Person::new("ghost"));
    let mut bob = world.person("bob").await;
    let room = Room::found(&world, &[&alice, &bob, &ghost]).await;
    assert_done(room.say(&world, "one").await);
    let delete = proto::TokenDelete { seeds: vec![bob.seed.to_vec().into()] };
    assert_done(bob.ask(&world, Ask::TokenDelete(delete)).await);
    assert_done(room.say(&world, "two").await);
    assert_eq!(texts(&bob.receive(&world).await), ["one"]);
    assert!(bob.receive(&world).await.is_empty());
}

#[tokio::test]
async fn a_garbage_roster_opens_for_nobody() {
    let world = World::new();
    let alice = world.person("alice").await;
    let room = Room::found(&world, &[&alice]).await;
    let next = room.next();
    let mut commit = room.commit(&next, &alice, &[&alice], &[]);
    commit.next_roster = vec![7; commit.next_roster.len()].into();
    let commit = sign(commit, &alice.commit_key);
    assert_done(world.ask(Ask::Commit(commit)).await);
    // The epoch is burnt; the server says so by the same word as to a stranger, and stands.
    assert_refused(&next.say(&world, "anyone?").await, Code::Forbidden);
}

#[tokio::test]
async fn what_is_signalled_reaches_who_is_there_and_is_kept_nowhere() {
    let world = World::new();
    let (alice, mut bob) = (world.person("alice").await, world.person("bob").await);
    let room = Room::found(&world, &[&alice, &bob]).await;
    let signal = |frame: &'static [u8]| {
        let proto::Send { room, epoch, key, .. } = room.send("");
        proto::Signal { room, epoch, key, frame: frame.into() }
    };
    bob.listen(&world).await;
    assert_done(world.ask(Ask::Signal(signal(b"types"))).await);
    let deliver = world.server.next_delivery(bob.connection()).await;
    assert!(deliver.entries.is_empty());
    let signalled: Vec<_> =
        deliver.signalled.iter().map(|one| (one.room.to_vec(), one.frame.to_vec())).collect();
    assert_eq!(signalled, [(room.id.0.to_vec(), b"types".to_vec())]);
    // Whoever comes later finds nothing of it, and of too many the oldest go.
    assert_done(world.ask(Ask::Signal(signal(b"lost"))).await);
    bob.reconnect(&world).await;
    bob.listen(&world).await;
    for _ in 0..40 {
        assert_done(world.ask(Ask::Signal(signal(b"more"))).await);
    }
    let deliver = world.server.next_delivery(bob.connection()).await;
    assert_eq!(deliver.signalled.len(), 16);
    assert_done(room.say(&world, "a message").await);
    assert_eq!(bob.receive(&world).await.len(), 1);
    // Checked as a message is.
    let wrong = proto::Signal { key: random::<32>().to_vec().into(), ..signal(b"x") };
    assert_refused(&world.ask(Ask::Signal(wrong)).await, Code::Forbidden);
    let large = proto::Signal { frame: vec![0; 257].into(), ..signal(b"") };
    assert_refused(&world.ask(Ask::Signal(large)).await, Code::TooLarge);
    let answer = bob.ask(&world, Ask::Signal(signal(b"x"))).await;
    assert_refused(&answer, Code::WrongConnection);
}
