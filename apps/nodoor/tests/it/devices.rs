// SPDX-License-Identifier: AGPL-3.0-or-later
//! Devices with the real server: linked, removed, brought back; and a thief who gets a standstill.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::world::{Person, Server, texts};

/// A command that prints as it goes on.
struct Running {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(person: &Person, arguments: &[&str]) -> Self {
        let mut all = arguments.to_vec();
        all.push("--json");
        let mut process = person
            .command(&all)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    /// The next row.
    fn row(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no row: {line:?}"))
    }

    fn write(&mut self, line: &str) {
        let mut input = self.process.stdin.as_ref().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    /// What it says on standard error, once it failed with this exit code.
    fn fails(self, code: i32) -> String {
        let output = self.process.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        String::from_utf8(output.stderr).unwrap()
    }

    fn succeeds(self) {
        let output = self.process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Links a new device to a person's. Its id.
fn link(old: &Person, new: &Person) -> String {
    let mut on_new = Running::start(new, &["device", "link"]);
    let link = on_new.row()["link"].as_str().unwrap().to_owned();
    let mut on_old = Running::start(old, &["device", "approve", &link, "--yes"]);
    let code = on_old.row()["code"].as_str().unwrap().to_owned();
    assert_eq!(code.len(), 6);
    on_new.write(&code);
    let device = on_old.row()["device"].as_str().unwrap().to_owned();
    assert_eq!(on_new.row()["device"], device.as_str());
    on_new.succeeds();
    on_old.succeeds();
    device
}

/// Runs a command until it prints a row.
fn until_row(person: &Person, arguments: &[&str]) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let rows = person.json(arguments);
        if !rows.is_empty() {
            return rows;
        }
        assert!(Instant::now() < until, "{arguments:?} never said anything");
    }
}

fn befriend(alice: &Person, bob: &Person) {
    alice.json(&["send", "@bob", "hello"]);
    until_row(bob, &["requests"]);
    bob.json(&["accept", "@alice"]);
    bob.json(&["receive"]);
}

#[test]
fn a_linked_device_reads_with_the_other_and_a_removed_one_no_more() {
    let server = Server::start();
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    befriend(&alice, &bob);
    let laptop = Person::at(&server.address);
    let device = link(&alice, &laptop);
    assert_eq!(laptop.json(&["whoami"])[0]["handle"], "alice");
    for person in [&alice, &laptop] {
        assert_eq!(person.json(&["device", "list"]).len(), 2);
    }
    // The phone brings the laptop into the chat.
    until_row(&laptop, &["conversations"]);
    bob.json(&["send", "@alice", "to both"]);
    let rows = alice.json(&["receive", "--wait", "30"]);
    assert!(texts(&rows).contains(&"to both"), "{rows:?}");
    // What was read on one device is read on the other, so it stands in the history alone.
    laptop.json(&["receive"]);
    let rows = laptop.json(&["history", "@bob"]);
    assert!(texts(&rows).contains(&"to both"), "{rows:?}");
    laptop.json(&["send", "@bob", "from the laptop"]);
    let rows = bob.json(&["receive", "--wait", "30"]);
    assert!(texts(&rows).contains(&"from the laptop"), "{rows:?}");

    alice.json(&["device", "rename", &device, "Kitchen"]);
    let rows = alice.json(&["device", "list"]);
    assert!(rows.iter().any(|row| row["device"] == device.as_str() && row["name"] == "Kitchen"));

    let own = alice.json(&["whoami"])[0]["device"].as_str().unwrap().to_owned();
    let asked = alice.run(&["device", "remove", &own]);
    assert!(String::from_utf8_lossy(&asked.stderr).starts_with("nodoor: this_device: "));
    assert_eq!(alice.json(&["device", "remove", &device])[0]["device"], device.as_str());
    assert_eq!(alice.json(&["device", "list"]).len(), 1);
    bob.json(&["send", "@alice", "after"]);
    let rows = alice.json(&["receive", "--wait", "30"]);
    assert!(texts(&rows).contains(&"after"), "{rows:?}");
    assert!(laptop.json(&["receive", "--wait", "3"]).is_empty());
    let rows = laptop.json(&["history", "@bob"]);
    assert!(!texts(&rows).contains(&"after"), "the removed device reads on: {rows:?}");
}

#[test]
fn a_wrong_code_links_nothing_and_a_third_one_ends_it() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let laptop = Person::at(&server.address);
    let mut on_new = Running::start(&laptop, &["device", "link"]);
    let link = on_new.row()["link"].as_str().unwrap().to_owned();
    // Without --yes nothing is approved.
    assert_eq!(alice.run(&["device", "approve", &link]).status.code(), Some(2));
    let mut on_old = Running::start(&alice, &["device", "approve", &link, "--yes"]);
    let code = on_old.row()["code"].as_str().unwrap().to_owned();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..3 {
        on_new.write(wrong);
    }
    let said = on_new.fails(1);
    assert!(said.contains("wrong_code: ") && said.contains("link_over: "), "{said}");
    let _ = on_old.process.kill();
    let _ = on_old.process.wait();
    assert_eq!(alice.json(&["device", "list"]).len(), 1);
    assert_eq!(laptop.run(&["whoami"]).status.code(), Some(1));
}

#[test]
fn the_words_are_asked_back_erased_and_bring_the_account_back() {
    let server = Server::start();
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    befriend(&alice, &bob);
    let words = alice.json(&["words"])[0]["words"].as_str().unwrap().to_owned();
    let all: Vec<&str> = words.split(' ').collect();
    assert_eq!(all.len(), 24);
    let mut confirm = Running::start(&alice, &["words", "--confirm"]);
    let asked = confirm.row();
    for place in asked["places"].as_array().unwrap() {
        let place = usize::try_from(place.as_u64().unwrap()).unwrap();
        confirm.write(all[place - 1]);
    }
    assert_eq!(confirm.row()["saved"], true);
    confirm.succeeds();
    let gone = alice.run(&["words"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(gone.stdout.is_empty());

    let fresh = Person::at(&server.address);
    let wrong = fresh.run(&["recover", "--handle", "bob", "--words", &words]);
    assert_eq!(wrong.status.code(), Some(1));
    // From standard input: a shell remembers its command lines.
    let back = fresh.run_with(&["recover", "--handle", "alice", "--json"], &format!("{words}\n"));
    let back = crate::world::rows(&back);
    assert_eq!(back[0]["handle"], "alice");
    assert_eq!(fresh.json(&["device", "list"]).len(), 1);
    fresh.json(&["send", "@bob", "it is me"]);
    let rows = bob.json(&["receive", "--wait", "30"]);
    assert!(texts(&rows).contains(&"it is me"), "{rows:?}");
    bob.json(&["send", "@alice", "welcome back"]);
    let rows = fresh.json(&["receive", "--wait", "30"]);
    assert!(texts(&rows).contains(&"welcome back"), "{rows:?}");
    // The old device is out.
    assert!(alice.json(&["receive", "--wait", "3"]).is_empty());
    let listed = alice.run(&["device", "list"]);
    assert!(String::from_utf8_lossy(&listed.stderr).contains("was removed"));
}

#[test]
fn new_words_take_the_place_of_the_old_ones_and_bring_history_to_a_device_at_once() {
    let server = Server::start();
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    befriend(&alice, &bob);
    alice.json(&["send", "@bob", "from before"]);
    let old = alice.json(&["words"])[0]["words"].as_str().unwrap().to_owned();
    let words = alice.json(&["words", "--new"])[0]["words"].as_str().unwrap().to_owned();
    assert_ne!(words, old);
    assert_eq!(alice.json(&["words"])[0]["words"], words.as_str());

    let laptop = Person::at(&server.address);
    let mut on_new = Running::start(&laptop, &["device", "link"]);
    let letters = on_new.row()["link"].as_str().unwrap().to_owned();
    let approve = ["device", "approve", &letters, "--yes", "--history"];
    let mut on_old = Running::start(&alice, &approve);
    on_old.write(&words);
    let code = on_old.row()["code"].as_str().unwrap().to_owned();
    on_new.write(&code);
    let device = on_old.row()["device"].as_str().unwrap().to_owned();
    on_new.row();
    on_new.succeeds();
    assert_eq!(on_old.row()["history"], device.as_str());
    on_old.succeeds();
    // The old words say nothing any more.
    let wrong = alice.run_with(&["device", "history", &device], &format!("{old}\n"));
    assert_eq!(wrong.status.code(), Some(1));
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let _ = alice.run(&["device", "list"]);
        let _ = laptop.run(&["receive", "--wait", "2"]);
        let known = laptop.run(&["history", "@bob", "--json"]);
        if String::from_utf8_lossy(&known.stdout).contains("from before") {
            break;
        }
        assert!(Instant::now() < until, "the history never came");
    }
}

#[test]
fn a_handle_is_asked_for_and_kept_by_whoever_lives() {
    let server = Server::start();
    let (bob, mallory) =
        (Person::registered(&server, "bob"), Person::registered(&server, "mallory"));
    let fails = |arguments: &[&str], kind: &str| {
        let failed = mallory.run(arguments);
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert_eq!(failed.status.code(), Some(1), "{said}");
        assert!(said.starts_with(&format!("nodoor: {kind}: ")), "{said}");
    };
    fails(&["handle", "move", "nobody"], "not_found");
    fails(&["handle", "show"], "not_found");
    let asked = mallory.json(&["handle", "move", "bob"]);
    assert_eq!((&asked[0]["handle"], &asked[0]["yours"]), (&"bob".into(), &false.into()));
    assert!(asked[0]["from"].as_u64().unwrap() > 0);
    assert_eq!(mallory.json(&["handle", "show"]), asked);
    fails(&["handle", "move", "nobody"], "handle_waits");
    // Bob's device hears of it when it asks for its own history, and says no by itself.
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let _ = bob.run(&["receive", "--wait", "5"]);
        let refused = mallory.run(&["handle", "move", "bob"]);
        if refused.status.code() == Some(1) {
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(said.starts_with("nodoor: handle_kept: "), "{said}");
            break;
        }
        assert!(Instant::now() < until, "nobody said no");
    }
    assert_eq!(bob.json(&["whoami"])[0]["handle"], "bob");
    // The policy that was pinned lies where `update check` looks for it.
    let policy = std::fs::read_to_string(bob.folder.path().join("profile/policy")).unwrap();
    assert!(policy.starts_with("# pinned by nodoor\n") && policy.contains("\nlog "), "{policy}");
}

#[test]
fn a_thief_of_a_device_gets_a_standstill() {
    let server = Server::start();
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    befriend(&alice, &bob);
    let words = alice.json(&["words"])[0]["words"].as_str().unwrap().to_owned();
    let thief = Person::at(&server.address);
    link(&alice, &thief);
    until_row(&thief, &["conversations"]);
    let phone = alice.json(&["whoami"])[0]["device"].as_str().unwrap().to_owned();
    thief.json(&["device", "remove", &phone]);
    let objected = alice.json(&["device", "dispute"]);
    assert_eq!(objected[0]["standing"], "disputed");
    // The thief adds no device.
    let second = Person::at(&server.address);
    let mut on_second = Running::start(&second, &["device", "link"]);
    let link = on_second.row()["link"].as_str().unwrap().to_owned();
    let _ = thief.run(&["device", "list"]);
    let refused = thief.run(&["device", "approve", &link, "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.starts_with("nodoor: disputed: "), "{said}");
    let _ = on_second.process.kill();
    let _ = on_second.process.wait();
    // What Bob writes waits.
    bob.json(&["receive"]);
    bob.run(&["send", "@alice", "are you there?"]);
    assert!(thief.json(&["receive", "--wait", "3"]).is_empty(), "the thief reads");
    // The words settle it.
    let fresh = Person::at(&server.address);
    fresh.json(&["recover", "--handle", "alice", "--words", &words]);
    fresh.json(&["send", "@bob", "I am back"]);
    let rows = bob.json(&["receive", "--wait", "30"]);
    assert!(texts(&rows).contains(&"I am back"), "{rows:?}");
    let rows = fresh.json(&["receive", "--wait", "30"]);
    assert!(texts(&rows).contains(&"are you there?"), "{rows:?}");
    assert!(thief.json(&["receive", "--wait", "3"]).is_empty(), "the thief reads");
}
