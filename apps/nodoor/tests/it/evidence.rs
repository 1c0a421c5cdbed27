// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a client keeps of a server that lies, through the program that anybody checks it with.
//!
//! The files come from real clients, the lies from a real server in Olga's hands (`testkit`); no file is made by hand.

use std::{cell::Cell, fs, path::Path, rc::Rc, time::Duration};

use nodoor_testkit::world::World;
use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey},
    list::Device,
};
use nodoor_view::command::{Command, Reply};
use nodoor_wire::{
    id::AccountId,
    proto::{self, answer::Body as Answer, from_server::Body as Said, request::Body as Ask},
};

use crate::{ledger::nodoor, world::rows};

const MINUTE: Duration = Duration::from_secs(60);

/// The one file that somebody keeps.
fn file(world: &mut World, person: usize) -> String {
    let Reply::Evidence(mut files) = world.ask(person, Command::Evidence) else {
        panic!("no answer")
    };
    assert_eq!(files.len(), 1);
    files.remove(0).text
}

/// The chain of an account, as the server shows it to anybody.
fn chain(world: &mut World, account: AccountId) -> Chain {
    let of = Some(proto::lookup::Of::Account(account.to_bytes()));
    match world.request(Ask::Lookup(proto::Lookup { of })) {
        Answer::Lookup(found) => Chain::verify(&account, &found.lists).unwrap(),
        other => panic!("no such account: {other:?}"),
    }
}

/// What `nodoor evidence check` says of a text, as JSON and as a person reads it; nothing if it refuses it.
fn checked(folder: &Path, text: &[u8]) -> Option<[String; 3]> {
    let path = folder.join("evidence.txt");
    fs::write(&path, text).unwrap();
    let json = nodoor(&["evidence", "check"]).arg(&path).output().unwrap();
    let mut plain = std::process::Command::new(crate::world::program("nodoor"));
    let plain = plain.args(["evidence", "check"]).arg(&path).env("LC_ALL", "C").output().unwrap();
    assert_eq!(json.status.code(), plain.status.code());
    if !json.status.success() {
        assert_eq!(json.status.code(), Some(1));
        assert!(json.stdout.is_empty() && plain.stdout.is_empty());
        assert_eq!(String::from_utf8_lossy(&plain.stderr).lines().count(), 1);
        return None;
    }
    let row = rows(&json).remove(0);
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    Some([text("kind"), text("verdict"), String::from_utf8(plain.stdout).unwrap()])
}

/// One byte in each section is another one: nothing of it is left.
fn no_byte_of_it_can_be_another(folder: &Path, text: &str) {
    let places = text.match_indices("\n-- ").map(|(at, head)| {
        let body = at + head.len();
        body + text[body..].find('\n').unwrap() + 24
    });
    let places: Vec<usize> = places.collect();
    assert!(places.len() > 1);
    for at in places {
        let mut changed = text.as_bytes().to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(checked(folder, &changed), None, "byte {at}");
    }
}

#[test]
fn a_clients_file_of_a_fork_is_proof_for_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(900);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let bobs = world.turn(bob);
    let key = SigningKey::from_seed(bobs.device_key.to_bytes());
    world.give_back(bobs);
    // Mallory has Bob's key, and Olga shows his two lists of version 2 one after the other.
    let thiefs = Rc::new(Cell::new(false));
    let shows = Rc::clone(&thiefs);
    world.tamper = Box::new(move |person, said| {
        let Some(Said::Answer(answer)) = &mut said.body else { return };
        let Some(Answer::Lookup(found)) = &mut answer.body else { return };
        if person != alice {
            return;
        }
        let account = AccountId::try_from(found.account.as_ref()).unwrap();
        let chain = Chain::verify(&account, &found.lists).unwrap();
        let mut devices = chain.newest().devices().to_vec();
        let thief = SigningKey::from_seed([6; 32]);
        let mut signers = vec![Signer::Device(&key)];
        if shows.get() {
            devices.push(Device::new(thief.public(), [7; 32], [8; 32]));
            signers.push(Signer::Device(&thief));
        }
        found.lists.push(chain.newest().successor(devices).sign(&signers));
    });
    let find = Command::Find { handle: "bob".into() };
    assert!(matches!(world.ask(alice, find.clone()), Reply::Person(_)));
    thiefs.set(true);
    world.pass(2 * MINUTE);
    assert!(matches!(world.ask(alice, find), Reply::Problem(_)));

    let text = file(&mut world, alice);
    let [kind, verdict, said] = checked(folder.path(), text.as_bytes()).unwrap();
    assert_eq!((kind.as_str(), verdict.as_str()), ("fork", "proven"));
    assert!(said.starts_with("proven: the account's keys signed two different lists"), "{said}");
    no_byte_of_it_can_be_another(folder.path(), &text);
}

/// Olga publishes this list for Bob, whom Alice knows. What Alice keeps of it.
fn published(seed: u64, list: impl FnOnce(&Chain) -> proto::SignedList) -> String {
    let mut world = World::with_ledger(seed);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(MINUTE);
    world.say(alice, "bob", "hello");
    world.accept(bob);
    world.pass(MINUTE);
    let one = world.turn(bob);
    let account = one.account;
    world.give_back(one);
    let list = list(&chain(&mut world, account));
    world.put_list(account, 2, list);
    world.pass(MINUTE);
    assert!(
        matches!(world.ask(alice, Command::Evidence), Reply::Evidence(none) if none.is_empty())
    );
    let find = Command::Find { handle: "bob".into() };
    assert!(matches!(world.ask(alice, find), Reply::Problem(_)));
    file(&mut world, alice)
}

#[test]
fn a_clients_file_of_a_ghost_stands_until_somebody_shows_signatures() {
    let folder = tempfile::tempdir().unwrap();
    // A device of Olga's on Bob's account, by her own signature alone.
    let ghost = SigningKey::from_seed([6; 32]);
    let text = published(901, |chain| {
        let mut devices = chain.newest().devices().to_vec();
        devices.push(Device::new(ghost.public(), [7; 32], [8; 32]));
        chain.newest().successor(devices).sign(&[Signer::Device(&ghost)])
    });
    let [kind, verdict, said] = checked(folder.path(), text.as_bytes()).unwrap();
    // Signatures might have been left out by the accuser: it says so.
    assert_eq!((kind.as_str(), verdict.as_str()), ("ghost-device", "unanswered"));
    assert!(said.starts_with("unanswered: a list is published, and nobody has shown"), "{said}");
    assert!(said.contains("of the log nodoor/"), "{said}");
    no_byte_of_it_can_be_another(folder.path(), &text);
}

#[test]
fn a_clients_file_of_a_list_of_nobody_is_proof_for_anybody() {
    let folder = tempfile::tempdir().unwrap();
    // What is published for Bob is Mallory's own list.
    let text = published(902, |_| {
        let (device, recovery) = (SigningKey::from_seed([6; 32]), SigningKey::from_seed([7; 32]));
        let entry = Device::new(device.public(), [7; 32], [8; 32]);
        let first = nodoor_transparency::list::DeviceList::first(recovery.public(), entry);
        first.sign(&[Signer::Device(&device), Signer::Recovery(&recovery)])
    });
    let [kind, verdict, said] = checked(folder.path(), text.as_bytes()).unwrap();
    assert_eq!((kind.as_str(), verdict.as_str()), ("ghost-device", "proven"));
    assert!(
        said.starts_with("proven: the list published for the account is that of another"),
        "{said}"
    );
    no_byte_of_it_can_be_another(folder.path(), &text);
}

#[test]
fn a_clients_file_of_a_list_that_it_is_never_shown_says_whose_word_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with_ledger(903);
    let alice = world.register("alice");
    world.pass(MINUTE);
    let one = world.turn(alice);
    let account = one.account;
    world.give_back(one);
    world.write_into_directory(account, [9; 32]);
    world.pass(7 * 60 * MINUTE);
    let text = file(&mut world, alice);
    let [kind, verdict, said] = checked(folder.path(), text.as_bytes()).unwrap();
    assert_eq!((kind.as_str(), verdict.as_str()), ("hidden-list", "unanswered"));
    assert!(said.contains("a device of the account says it never had"), "{said}");
    no_byte_of_it_can_be_another(folder.path(), &text);
}
