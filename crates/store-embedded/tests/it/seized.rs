// SPDX-License-Identifier: AGPL-3.0-or-later
//! The disk in a thief's hands: every byte of the folder is searched for what must not be on it.

use std::{collections::HashSet, fs, path::Path};

use nodoor_server::Config;
use nodoor_store_embedded::Folder;
use nodoor_wire::{
    header::CommitHeader,
    id::labelled_hash,
    proto::{self, body::Body, request::Body as Ask},
};

use crate::{
    folder::files,
    person::{Person, Room, World, assert_done},
};

const TEXT: &str = "the plain frame of a message that nobody but its readers may see";

fn everything(folder: &Path) -> Vec<u8> {
    files(folder).into_iter().flat_map(|path| fs::read(path).unwrap()).collect()
}

/// Which of these are somewhere on the disk, in one pass.
fn found(disk: &[u8], wanted: &[&[u8]]) -> Vec<usize> {
    let mut beginnings = vec![false; 1 << 16];
    let beginning = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
    for what in wanted {
        beginnings[beginning(what)] = true;
    }
    let mut found = HashSet::new();
    for (at, two) in disk.windows(2).enumerate() {
        if (two[0] | two[1]) != 0 && beginnings[beginning(two)] {
            let here = &disk[at..];
            found.extend((0..wanted.len()).filter(|one| here.starts_with(wanted[*one])));
        }
    }
    let mut found: Vec<usize> = found.into_iter().collect();
    found.sort_unstable();
    found
}

/// Two rooms with traffic of all kinds, some read, some waiting.
async fn traffic(world: &World) -> (Person, Person, Vec<Room>, Vec<Vec<u8>>) {
    let (mut alice, mut bob) = (world.person("alice").await, world.person("bob").await);
    let put = proto::KeyPackagePut {
        single_use: vec![vec![0x55; 200].into()],
        last_resort: vec![0x56; 200].into(),
        renew: false,
    };
    assert_done(alice.ask(world, Ask::KeyPackagePut(put)).await);
    let first = Room::found(world, &[&alice]).await;
    let next = first.next();
    let commit = first.commit(&next, &alice, &[&alice, &bob], &[&bob]);
    assert_done(world.ask(Ask::Commit(commit.clone())).await);
    let third = next.move_on(world, &bob, &[&alice, &bob]).await;
    let mut transports = Vec::new();
    for _ in 0..20 {
        let send = third.send(TEXT);
        transports.push(send.transport_id.to_vec());
        assert_done(world.ask(Ask::Send(send)).await);
    }
    let read = bob.receive(world).await;
    assert_done(bob.acknowledge(world, &read[..5]).await);
    let mut secret = transports;
    let opened = alice.receive(world).await.into_iter().chain(read);
    secret.extend(opened.flat_map(|read| [read.secret.to_vec(), read.body_id.0.to_vec()]));
    for room in [&first, &next, &third] {
        secret.extend([room.id.0.to_vec(), room.key.to_vec()]);
    }
    for person in [&alice, &bob] {
        secret.extend([person.token().0.to_vec(), person.seed.to_vec()]);
        secret.push(person.commit_key.public().to_vec());
    }
    // What whoever finds a commit's id on the disk could look for among the sendings that are remembered.
    let commit_id = CommitHeader::of(&commit).commit_id();
    for place in 0..2_u64 {
        let bytes = [commit_id.as_bytes(), place.to_be_bytes().as_slice()].concat();
        let transport = labelled_hash("nodoor commit transport", &bytes);
        for of in [&first.id.0[..], &alice.device.0, &bob.device.0] {
            secret.push(labelled_hash("nodoor once", &[of, &transport[..16]].concat()).to_vec());
        }
    }
    secret.push(TEXT.as_bytes().to_vec());
    secret.push(commit.frame.to_vec());
    secret.push(commit.welcomes[0].body.to_vec());
    (alice, bob, vec![first, next, third], secret)
}

#[tokio::test]
async fn a_seized_folder_holds_no_token_room_body_id_or_frame() {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    let world = World::on(store.clone(), Config::unlimited());
    let (mut alice, _bob, rooms, secret) = traffic(&world).await;

    for moment in ["running", "stopped"] {
        let disk = everything(folder.path());
        // What is there by design shows that the search finds things.
        let hash = alice.token().hash().0;
        let open: [&[u8]; 4] = [b"alice", &[0x55; 200], &alice.device.0, &hash];
        let wanted: Vec<&[u8]> = open.into_iter().chain(secret.iter().map(Vec::as_slice)).collect();
        assert_eq!(found(&disk, &wanted), [0, 1, 2, 3], "{moment}: beyond 3, secrets");
        if moment == "running" {
            // And it is all still to be had by those who hold the keys.
            let read = alice.receive(&world).await;
            assert!(read.is_empty(), "everything was received");
            let answer = world.ask(rooms[0].catch_up()).await;
            assert!(matches!(answer, proto::answer::Body::Commits(c) if c.commit.is_some()));
            alice.reconnect(&world).await;
            let read = alice.receive(&world).await;
            let body = alice.fetch(&world, &read[5]).await;
            assert!(matches!(body, Some(Body::Frame(frame)) if *frame == *TEXT.as_bytes()));
            alice.connection = None;
        }
    }
}

#[tokio::test]
async fn two_mailboxes_of_one_room_share_no_run_of_sixteen_bytes() {
    use nodoor_server::storage::{Mailboxes as _, Storage};

    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    let world = World::on(store.clone(), Config::unlimited());
    let (alice, bob, _, _) = traffic(&world).await;
    let rows = async |person: &Person| {
        let mut runs = HashSet::new();
        let mut count = 0;
        for (_, entry) in store.entries(person.device, 0, 1000).await.unwrap() {
            let hour = store.hour_key(person.device, entry.key_id).await.unwrap().unwrap();
            let row = [
                person.device.as_bytes(),
                entry.key_id.as_bytes(),
                &entry.salt,
                &entry.release_check,
                &entry.sealed,
                &hour,
            ]
            .concat();
            runs.extend(row.windows(16).map(<[u8]>::to_vec));
            count += 1;
        }
        assert!(count > 10);
        runs
    };
    let (of_alice, of_bob) = (rows(&alice).await, rows(&bob).await);
    assert!(of_alice.is_disjoint(&of_bob));
    let _: &dyn Storage = &store;
}
