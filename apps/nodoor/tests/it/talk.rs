// SPDX-License-Identifier: AGPL-3.0-or-later
//! People talk through a real server.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::Stdio,
    time::Instant,
};

use serde_json::Value;

use crate::world::{Person, Server, rows, texts};

fn of<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} in {row}"))
}

/// Alice wrote, Bob accepted; the conversation's id.
fn introduced(alice: &Person, bob: &Person) -> String {
    let sent = alice.json(&["send", "@bob", "Hi, we met at the fair."]);
    bob.json(&["accept", "@alice"]);
    bob.json(&["receive"]);
    of(&sent[0], "conversation").to_owned()
}

#[test]
fn two_people_talk() {
    let begun = Instant::now();
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    let me = &bob.json(&["whoami"])[0];
    assert_eq!(of(me, "handle"), "bob");
    assert_eq!(of(me, "server"), server.address);
    assert_eq!((of(me, "account").len(), of(me, "device").len()), (32, 32));

    let sent = alice.json(&["send", "@bob", "Hi, we met at the fair."]);
    let requests = bob.json(&["requests"]);
    assert_eq!(requests.len(), 1);
    assert_eq!(of(&requests[0], "from"), "@alice");
    assert_eq!(of(&requests[0], "text"), "Hi, we met at the fair.");
    let received = bob.run(&["receive"]);
    assert!(received.stdout.is_empty(), "a request is not received before it is accepted");
    assert!(String::from_utf8_lossy(&received.stderr).contains("1 request waits."));
    let accepted = bob.json(&["accept", of(&requests[0], "conversation")]);
    assert_eq!(accepted[0]["conversation"], requests[0]["conversation"]);
    assert!(bob.json(&["requests"]).is_empty());

    let received = bob.json(&["receive"]);
    assert_eq!(texts(&received), ["Hi, we met at the fair."]);
    assert_eq!(received[0]["message"], sent[0]["message"]);
    assert_eq!(received[0]["conversation"], sent[0]["conversation"]);
    assert_eq!(of(&received[0], "from"), "@alice");
    assert_eq!(of(&received[0], "kind"), "text");
    assert!(of(&received[0], "sent_at").ends_with('Z'));
    assert!(bob.json(&["receive"]).is_empty(), "what was received once is not received again");

    bob.json(&["send", of(&received[0], "conversation"), "I remember."]);
    let answered = alice.json(&["receive", "--wait", "10", "--count", "1"]);
    assert_eq!(texts(&answered), ["I remember."]);
    assert_eq!(of(&answered[0], "from"), "@bob");

    for person in [&alice, &bob] {
        let other = if std::ptr::eq(person, &alice) { "@bob" } else { "@alice" };
        let history = person.json(&["history", other]);
        assert_eq!(texts(&history), ["Hi, we met at the fair.", "I remember."]);
        let newest = person.json(&["history", other, "--limit", "1"]);
        assert_eq!(texts(&newest), ["I remember."]);
        let chats = person.json(&["conversations"]);
        assert_eq!(chats.len(), 1);
        assert_eq!(of(&chats[0], "kind"), "direct");
        assert_eq!(chats[0]["unread"], 0);
    }
    assert!(begun.elapsed().as_secs() < 60, "from nothing to an answer in under a minute");
}

#[test]
fn a_message_is_answered_changed_reacted_to_pinned_and_taken_back() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let first = alice.json(&["send", "@bob", "Tenn **works**."]);
    let first = of(&first[0], "message");
    assert_eq!(texts(&bob.json(&["receive"])), ["Tenn works."]);

    let answer = bob.json(&["reply", &first[..8], "Yes, @alice!"]);
    bob.json(&["react", first, "👍"]);
    alice.json(&["receive"]);
    let shown = alice.json(&["history", "@bob"]);
    assert_eq!(of(&shown[2], "reply_to"), first);
    assert_eq!(of(&shown[2], "text"), "Yes, @you!");
    assert_eq!(shown[1]["reactions"], serde_json::json!([{"emoji": "👍", "from": ["@bob"]}]));

    alice.json(&["edit", first, "Ten works."]);
    alice.json(&["pin", of(&answer[0], "message")]);
    bob.json(&["receive"]);
    let shown = bob.json(&["history", "@alice"]);
    assert_eq!((of(&shown[1], "text"), &shown[1]["edited"]), ("Ten works.", &Value::Bool(true)));
    assert_eq!(texts(&bob.json(&["pinned", "@alice"])), ["Yes, @alice!"]);
    let lines = String::from_utf8(bob.run(&["history", "@alice", "--ids"]).stdout).unwrap();
    assert!(lines.contains(&first[..8]) && lines.contains("(edited)"), "{lines}");
    assert!(lines.contains("[@alice: Ten works.] Yes"), "{lines}");

    let refused = bob.run(&["edit", first, "Bob says so"]);
    assert_eq!(refused.status.code(), Some(1));
    let refused = bob.run(&["delete", first, "--everyone"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Only your own messages"));
    alice.json(&["delete", first, "--everyone"]);
    bob.json(&["receive"]);
    let shown = bob.json(&["history", "@alice"]);
    assert_eq!((of(&shown[1], "kind"), shown[1].get("reactions")), ("deleted", None));
    alice.json(&["receive"]);
    let shown = alice.json(&["history", "@bob"]);
    assert_eq!(of(&shown[1], "text"), "You deleted a message.");

    let once = alice.json(&["send", "@bob", "The door code is 4711.", "--once"]);
    let once = of(&once[0], "message");
    assert_eq!(of(&bob.json(&["receive"])[0], "kind"), "once");
    assert_eq!(texts(&bob.json(&["open", once])), ["The door code is 4711."]);
    assert_eq!(bob.run(&["open", once]).status.code(), Some(1), "it is gone");

    bob.json(&["disappear", "@alice", "1d"]);
    let passing = alice.json(&["send", "@bob", "It passes."]);
    alice.json(&["receive"]);
    let later = alice.json(&["send", "@bob", "So does this."]);
    bob.json(&["receive"]);
    let shown = bob.json(&["history", "@alice"]);
    let ends = |id: &str| {
        let row = shown.iter().find(|row| row["message"] == *id).unwrap();
        row.get("disappears_at").is_some()
    };
    assert!(!ends(of(&passing[0], "message")), "it was sent before the timer came");
    assert!(ends(of(&later[0], "message")));
}

#[test]
fn the_list_is_arranged_and_one_writes_to_oneself() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let group = alice.json(&["group", "create", "Garden", "--member", "@bob"]);
    let group = of(&group[0], "conversation");
    alice.json(&["list", "pin", "@bob"]);
    alice.json(&["list", "mute", group, "always"]);
    alice.json(&["list", "folder", "Friends", "@bob"]);
    let chats = alice.json(&["conversations"]);
    assert_eq!((&chats[0]["pinned"], &chats[0]["muted_until"]), (&Value::Bool(true), &Value::Null));
    assert!(chats[0].get("muted_until").is_none(), "not muted: the key is not there");
    assert_eq!(chats[1].get("muted_until"), Some(&Value::Null), "muted for good");
    let folders = alice.json(&["list", "folders"]);
    assert_eq!((of(&folders[0], "name"), &folders[0]["chats"]), ("Friends", &Value::from(1)));
    let inside = alice.json(&["list", "folder", "Friends"]);
    assert_eq!(inside[0]["conversation"], chats[0]["conversation"]);
    alice.run(&["list", "folder", "Friends", "--off"]);
    assert!(alice.json(&["list", "folders"]).is_empty());
    assert_eq!(alice.run(&["list", "folder", "Friends"]).status.code(), Some(1));

    let saved = alice.json(&["list", "saved"]);
    let saved = of(&saved[0], "conversation");
    let sent = alice.run(&["send", saved, "Milk, bread"]);
    assert_eq!(sent.status.code(), Some(0), "{}", String::from_utf8_lossy(&sent.stderr));
    assert_eq!(texts(&alice.json(&["history", saved])), ["Milk, bread"]);
    let chats = alice.json(&["conversations"]);
    let own = chats.iter().find(|chat| chat["conversation"] == saved).unwrap();
    assert_eq!((of(own, "title"), &own["saved"]), ("Saved messages", &Value::Bool(true)));
}

#[test]
fn what_is_sent_while_the_other_is_away_arrives_in_order_and_once() {
    let mut server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    let conversation = introduced(&alice, &bob);
    let lines: Vec<String> = (0..5).map(|n| format!("line {n}")).collect();
    for line in &lines {
        alice.json(&["send", "@bob", line]);
    }
    server.kill_and_restart();
    let received = bob.json(&["receive", "--wait", "20", "--count", "5"]);
    assert_eq!(texts(&received), lines);
    assert!(received.iter().all(|row| row["conversation"] == *conversation));
    assert!(bob.json(&["receive"]).is_empty());
}

#[test]
fn what_is_sent_without_a_server_waits_on_disk_and_goes_out_later() {
    let mut server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    server.stop();
    let output = alice.run(&["send", "@bob", "from the tunnel", "--json"]);
    assert!(output.status.success(), "being offline is never a failure");
    assert_eq!(rows(&output).len(), 1);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Waiting for a connection"), "{said}");
    server.kill_and_restart();
    // A command waits for what it was asked itself; one that stays takes along what waited.
    alice.json(&["receive", "--wait", "5"]);
    assert_eq!(texts(&bob.json(&["receive", "--wait", "10"])), ["from the tunnel"]);
}

#[test]
fn one_person_receives_live_while_another_process_is_told_who_holds_the_profile() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let waiting =
        bob.command(&["receive", "--wait", "30", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    // Bob's profile is held now, or will be before this gives up.
    alice.json(&["send", "@bob", "live"]);
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(texts(&rows(&output)), ["live"]);
}

#[test]
fn a_group_is_made_grows_shrinks_and_is_left() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    let carol = Person::registered(&server, "carol");
    introduced(&alice, &bob);
    alice.json(&["send", "@carol", "Hello Carol."]);
    carol.json(&["accept", "@alice"]);

    let made = alice.json(&["group", "create", "Garden", "--member", "@bob"]);
    let garden = of(&made[0], "conversation");
    alice.json(&["send", garden, "Welcome to the garden."]);
    assert_eq!(bob.json(&["requests"]).len(), 1, "an invitation is a request");
    bob.json(&["accept", garden]);
    assert_eq!(texts(&bob.json(&["receive"])), ["Welcome to the garden."]);

    alice.json(&["group", "add", garden, "@carol"]);
    carol.json(&["accept", garden]);
    bob.json(&["send", garden, "Who is new?"]);
    let heard = carol.json(&["receive", "--wait", "10"]);
    assert!(texts(&heard).contains(&"Who is new?"), "{heard:?}");
    let members = alice.json(&["group", "members", garden]);
    let mut handles: Vec<&str> = members.iter().map(|row| of(row, "handle")).collect();
    handles.sort_unstable();
    assert_eq!(handles, ["alice", "bob", "carol"]);
    assert!(members.iter().all(|row| row["devices"] == 1));

    let refused = bob.run(&["group", "remove", garden, "@carol"]);
    assert_eq!(refused.status.code(), Some(1), "who leads the group removes");
    assert!(String::from_utf8_lossy(&refused.stderr).starts_with("nodoor: not_allowed: "));
    alice.json(&["group", "remove", garden, "@carol"]);
    carol.json(&["conversations"]);
    alice.json(&["send", garden, "Just us."]);
    assert_eq!(texts(&bob.json(&["receive", "--wait", "10"])), ["Just us."]);
    assert!(carol.json(&["receive"]).is_empty());

    bob.json(&["group", "leave", garden]);
    alice.json(&["conversations"]);
    let members = alice.json(&["group", "members", garden]);
    assert_eq!(members.len(), 1);
}

#[test]
fn a_group_is_led_by_roles_bans_links_and_who_may_write() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    let carol = Person::registered(&server, "carol");
    introduced(&alice, &bob);
    let made = alice.json(&["group", "create", "Garden", "--member", "@bob"]);
    let garden = of(&made[0], "conversation");
    bob.json(&["accept", garden]);
    alice.json(&["group", "role", garden, "@bob", "admin"]);
    bob.json(&["receive"]);
    let roles = |person: &Person| {
        let members = person.json(&["group", "members", garden]);
        let mut roles: Vec<(String, String)> = members
            .iter()
            .map(|row| (of(row, "handle").to_owned(), of(row, "role").to_owned()))
            .collect();
        roles.sort();
        roles
    };
    let expected = [("alice", "owner"), ("bob", "admin")];
    let expected = expected.map(|(who, role)| (who.to_owned(), role.to_owned()));
    assert_eq!(roles(&alice), expected);
    assert_eq!(roles(&bob), expected);

    // By the admin's link somebody comes in once he says so.
    let link = bob.json(&["group", "link", garden, "--approval"]);
    let link = of(&link[0], "link").to_owned();
    assert!(link.contains("/#@bob/"), "{link}");
    carol.json(&["group", "join", &link]);
    bob.json(&["receive"]);
    let asking = bob.json(&["group", "approve", garden]);
    assert_eq!(asking.iter().map(|row| of(row, "handle")).collect::<Vec<_>>(), ["carol"]);
    assert!(bob.json(&["requests"]).is_empty());
    bob.json(&["group", "approve", garden, "@carol"]);
    bob.json(&["send", garden, "Welcome, Carol."]);
    assert_eq!(texts(&carol.json(&["receive", "--wait", "10"])), ["Welcome, Carol."]);

    alice.json(&["group", "writing", garden, "--who", "admins", "--slow", "10m"]);
    carol.json(&["receive"]);
    let refused = carol.run(&["send", garden, "May I?"]);
    assert!(String::from_utf8_lossy(&refused.stderr).starts_with("nodoor: not_allowed: "));
    alice.json(&["group", "writing", garden, "--who", "everybody"]);
    carol.json(&["receive"]);
    let said = carol.json(&["group", "writing", garden]);
    assert_eq!((&said[0]["who"], &said[0]["slow_seconds"]), (&"everybody".into(), &600.into()));
    carol.json(&["send", garden, "Thank you."]);
    let early = carol.run(&["send", garden, "And another thing."]);
    assert!(String::from_utf8_lossy(&early.stderr).starts_with("nodoor: slow_down: "));

    bob.json(&["receive"]);
    bob.json(&["group", "ban", garden, "@carol"]);
    carol.json(&["receive"]);
    let out = carol.run(&["send", garden, "Hello?"]);
    assert!(String::from_utf8_lossy(&out.stderr).starts_with("nodoor: not_a_member: "));
    alice.json(&["receive"]);
    let back = alice.run(&["group", "add", garden, "@carol"]);
    assert!(String::from_utf8_lossy(&back.stderr).starts_with("nodoor: banned: "));
    alice.json(&["group", "ban", garden, "@carol", "--lift"]);
    alice.json(&["group", "add", garden, "@carol"]);
    carol.json(&["receive"]);
    assert_eq!(alice.json(&["group", "members", garden]).len(), 3);
}

#[test]
fn a_declined_or_blocked_sender_is_told_nothing() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    let olga = Person::registered(&server, "olga");
    alice.json(&["send", "@bob", "one"]);
    bob.json(&["decline", "@alice"]);
    assert!(bob.json(&["requests"]).is_empty());
    let again = alice.run(&["send", "@bob", "two"]);
    assert!(again.status.success());
    assert!(again.stderr.is_empty(), "{}", String::from_utf8_lossy(&again.stderr));
    olga.json(&["send", "@bob", "three"]);
    bob.json(&["block", "@olga"]);
    assert!(olga.run(&["send", "@bob", "four"]).status.success());
    assert!(bob.json(&["receive"]).is_empty());
}

#[test]
fn what_others_wrote_cannot_steer_the_terminal() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2Jshown\u{202e}\u{9b}31m\nsecond line\n";
    let output = alice.run_with(&["send", "@bob", "-"], hostile);
    assert!(output.status.success());
    let output = bob.run(&["receive"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with(" @alice: shown\n    second line\n"), "{text:?}");
    let output = bob.run(&["history", "@alice", "--json"]);
    let raw = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(!raw.chars().any(|c| c.is_control() && c != '\n') && !raw.contains('\u{202e}'));
    let said = rows(&output);
    assert_eq!(texts(&said).last(), Some(&hostile.trim_end_matches('\n')));
}

#[test]
fn the_line_mode_shows_the_chat_and_sends_what_is_typed() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let output = bob.run_with(&["chat", "@alice", "--plain"], "typed here\n\n");
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Hi, we met at the fair."), "{said}");
    assert_eq!(texts(&alice.json(&["receive", "--wait", "10"])), ["typed here"]);
}

/// Reads lines until one contains this.
fn until(lines: &mut impl Iterator<Item = std::io::Result<String>>, part: &str) -> String {
    let mut seen = String::new();
    for line in lines {
        seen.push_str(&line.unwrap());
        seen.push('\n');
        if seen.contains(part) {
            return seen;
        }
    }
    panic!("the end came before {part:?}:\n{seen}");
}

#[test]
fn the_line_mode_waits_for_who_is_not_there_yet() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let mut chat = alice
        .command(&["chat", "@bob", "--plain"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = chat.stdin.take().unwrap();
    let mut lines = BufReader::new(chat.stdout.take().unwrap()).lines();
    until(&mut lines, "Waiting until they are here");

    let bob = Person::registered(&server, "bob");
    until(&mut lines, "Chat with @bob");
    // `send` waits for the server's yes, which a first message takes a moment for.
    bob.json(&["send", "@alice", "hi alice"]);
    until(&mut lines, "hi alice");
    writeln!(typed, "hello bob").unwrap();
    drop(typed);
    assert!(chat.wait().unwrap().success());
    assert_eq!(texts(&bob.json(&["receive", "--wait", "10"])), ["hello bob"]);
}

#[test]
fn the_line_mode_answers_a_request_and_keeps_what_was_typed_before() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    alice.json(&["send", "@bob", "hi bob"]);
    assert_eq!(bob.json(&["requests"]).len(), 1);
    let output = bob.run_with(&["chat", "@alice", "--plain"], "hello alice\n/accept\nand more\n");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for part in
        ["This is a request of @alice.", "/accept", "Kept until it can be sent.", "Accepted."]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(
        texts(&alice.json(&["receive", "--wait", "10", "--count", "2"])),
        ["hello alice", "and more"]
    );
}

#[test]
fn lines_for_a_request_that_is_not_accepted_are_not_silently_lost() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    alice.json(&["send", "@bob", "Hello."]);
    bob.json(&["requests"]);
    let output = bob.run_with(&["chat", "@alice", "--plain"], "hi\n");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("nodoor: request: "), "{said}");
    let output = bob.run_with(&["chat", "@alice", "--plain"], "/delete\n");
    assert!(output.status.success());
    assert!(bob.json(&["requests"]).is_empty());
}

#[test]
fn a_profile_with_an_account_is_not_registered_elsewhere() {
    let server = Server::start();
    let elsewhere = Server::start();
    let alice = Person::registered(&server, "alice");
    let output = alice.run(&["register", "--handle", "alice", "--server", &elsewhere.address]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("nodoor: has_account: ") && said.contains(&server.address), "{said}");
    let kept = alice.folder.path().join("profile/server");
    assert_eq!(std::fs::read_to_string(kept).unwrap().trim(), server.address);
    // Again at its own server it says who one is, and another handle is refused.
    assert_eq!(alice.json(&["register", "--handle", "alice"])[0]["handle"], "alice");
    assert_eq!(alice.run(&["register", "--handle", "alicia"]).status.code(), Some(1));
}

#[test]
fn without_a_server_people_are_told_what_they_see_and_what_was_not_kept() {
    let mut server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    server.stop();
    for arguments in [&["conversations"][..], &["receive"], &["requests"], &["history", "@bob"]] {
        let output = alice.run(arguments);
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("The server was not reached."), "{arguments:?}: {said}");
    }
    let output = alice.run(&["send", "@carol", "Hello Carol."]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("nodoor: offline: ") && said.contains("was not kept"), "{said}");
    alice.run(&["send", "@bob", "from the tunnel"]);
    let shown = String::from_utf8(alice.run(&["history", "@bob"]).stdout).unwrap();
    assert!(shown.ends_with("from the tunnel (Waiting for a connection)\n"), "{shown}");
}

#[test]
fn mistyped_is_2_and_unknown_is_1_with_where_to_look() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    for arguments in [&["send", "@bob", ""][..], &["send", "@b!", "hi"], &["accept"]] {
        assert_eq!(alice.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [["accept", "@nobody"], ["decline", "0011223344"]] {
        let output = alice.run(&arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("nodoor requests"), "{said}");
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_named_as_what_is_in_the_way() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nodoord/tests/it/tls");
    let file = |name: &str| here.join(name).display().to_string();
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let server = Server::start_with(&["--tls-cert", &cert, "--tls-key", &key]);
    let alice = Person::at(&server.address);
    let output = alice.run(&["register", "--handle", "alice"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("nodoor: certificate: "), "{said}");
}

#[test]
fn nobody_writes_to_themselves() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let output = alice.run(&["send", "@alice", "hi"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("nodoor: yourself: That is your own handle."), "{said}");
}

#[test]
fn a_reader_who_has_enough_ends_it_quietly() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let mut history = alice.command(&["history", "@bob"]);
    let mut history = history.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(history.stdout.take());
    let output = history.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn two_invitations_differ_by_what_they_say() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    alice.json(&["group", "create", "Garden", "--member", "@bob"]);
    alice.json(&["group", "create", "Yard", "--member", "@bob"]);
    let requests = bob.json(&["requests"]);
    for title in ["Garden", "Yard"] {
        let named = requests.iter().filter(|row| of(row, "text").contains(title)).count();
        assert_eq!(named, 1, "{requests:?}");
    }
}

#[test]
fn a_handle_belongs_to_one_person() {
    let server = Server::start();
    let _alice = Person::registered(&server, "alice");
    let olga = Person::at(&server.address);
    let output = olga.run(&["register", "--handle", "alice"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("nodoor: handle_taken: "), "{said}");
    let nobody = olga.run(&["register", "--handle", "Ö"]);
    assert!(String::from_utf8_lossy(&nobody.stderr).starts_with("nodoor: handle_form: "));
    olga.json(&["register", "--handle", "olga"]);
    let nobody = olga.run(&["send", "@nobody", "hi"]);
    assert!(String::from_utf8_lossy(&nobody.stderr).starts_with("nodoor: not_found: "));
}

#[test]
fn to_look_at_somebody_opens_no_chat() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let _bob = Person::registered(&server, "bob");
    assert_eq!(alice.json(&["verify", "@bob"]).len(), 1);
    assert!(alice.json(&["history", "@bob"]).is_empty());
    assert!(alice.json(&["conversations"]).is_empty());
    // A chat that is used stays.
    alice.json(&["send", "@bob", "hello"]);
    alice.json(&["verify", "@bob"]);
    assert_eq!(alice.json(&["conversations"]).len(), 1);
}
