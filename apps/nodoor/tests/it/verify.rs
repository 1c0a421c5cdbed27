// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a person reads of the public log: that keys are in it, and that a server which turned back is proved to have.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    ledger::{copy, nodoor},
    world::{Person, Server, rows},
};

#[test]
fn keys_are_checked_without_a_wish_and_a_server_nobody_watches_says_so() {
    let server = Server::start();
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    let began = Instant::now();
    alice.json(&["send", "@bob", "hello"]);
    // An epoch is two seconds long: nobody waits for more than one or two.
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    let checked = alice.json(&["verify", "@bob"]);
    assert_eq!(checked[0]["state"], "unwitnessed");
    assert!(checked[0]["ledger_size"].as_u64() > Some(0));
    assert!(checked[0]["checked_at"].as_str().is_some_and(|at| at.starts_with("20")));
    let said = alice.run(&["verify", "@bob"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.starts_with("Unwitnessed server · Keys checked 20"), "{said}");
    // What they compare in person is the same on both sides, and said to nobody who did not ask.
    assert!(checked[0].get("digits").is_none());
    let digits = |one: &Person, to| one.json(&["verify", to, "--digits"])[0]["digits"].clone();
    assert_eq!(digits(&alice, "@bob"), digits(&bob, "@alice"));
    assert_eq!(digits(&alice, "@bob").as_str().map(str::len), Some(60));
}

#[test]
fn a_server_that_went_back_is_refused_with_evidence_that_anybody_can_check() {
    let mut server = Server::start_with(&["--epoch-seconds", "1"]);
    let alice = Person::registered(&server, "alice");
    let _bob = Person::registered(&server, "bob");
    assert_eq!(alice.json(&["verify", "@bob"])[0]["state"], "unwitnessed");
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    copy(server.data(), &backup);

    // Alice sees one history ...
    server.restart();
    let _carol = Person::registered(&server, "carol");
    assert_eq!(alice.json(&["verify", "@carol"])[0]["state"], "unwitnessed");

    // ... and then another one.
    server.stop();
    fs::remove_dir_all(server.data()).unwrap();
    copy(&backup, server.data());
    server.restart();
    let patience = Instant::now() + Duration::from_secs(60);
    let mut people = Vec::new();
    let refused = loop {
        let handle = format!("david-{}", people.len());
        people.push(Person::registered(&server, &handle));
        sleep(Duration::from_millis(1500));
        let checked = alice.json(&["verify", &format!("@{handle}")]);
        if checked[0]["state"] == "refused" {
            break checked;
        }
        assert_eq!(checked[0]["state"], "unchecked");
        assert!(Instant::now() < patience, "{checked:?}");
    };
    assert_eq!(refused.len(), 1);

    let saved = alice.json(&["evidence", "save", folder.path().to_str().unwrap()]);
    assert_eq!(saved.len(), 1);
    let file = saved[0]["file"].as_str().unwrap();
    let checked = nodoor(&["evidence", "check", file]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert_eq!(rows(&checked)[0]["verdict"], "proven");
    assert_eq!(rows(&checked)[0]["kind"], "equivocation");
}
