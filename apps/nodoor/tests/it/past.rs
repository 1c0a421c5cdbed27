// SPDX-License-Identifier: AGPL-3.0-or-later
//! Search, backup, export and import with the real programs.

use std::{fs, time::Instant};

use serde_json::{Value, json};

use crate::world::{Person, Server, rows, texts};

/// Alice and Bob, who said a few things.
fn talked(server: &Server) -> (Person, Person) {
    let (alice, bob) = (Person::registered(server, "alice"), Person::registered(server, "bob"));
    alice.json(&["send", "@bob", "Hi, we met at the café."]);
    bob.json(&["accept", "@alice"]);
    bob.json(&["send", "@alice", "明天在北京见 <script>alert(1)</script>"]);
    alice.json(&["receive", "--wait", "10"]);
    alice.json(&["send", "@bob", "See **you** at https://example.org/map"]);
    bob.json(&["receive", "--wait", "10", "--count", "2"]);
    (alice, bob)
}

#[test]
fn what_was_said_is_found_by_the_beginnings_of_its_words() {
    let server = Server::start();
    let (alice, bob) = talked(&server);
    for person in [&alice, &bob] {
        let found = person.json(&["search", "cafe me"]);
        assert_eq!(texts(&found), ["Hi, we met at the café."]);
        assert_eq!(found[0]["from"], "@alice");
        assert_eq!(found[0]["marks"], json!([[7, 9], [18, 23]]));
        assert_eq!(person.json(&["search", "北京"]).len(), 1);
        assert_eq!(person.json(&["search", "nowhere"]).len(), 0);
        assert_eq!(person.json(&["search", "e", "--limit", "1"]).len(), 1);
    }
    assert_eq!(alice.json(&["search", "you", "--in", "@bob"]).len(), 1);
    let out = alice.run(&["search", "北京"]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("@bob"));
}

#[test]
fn a_backup_brings_back_what_was_said_on_a_recovered_account_and_a_damaged_one_nothing() {
    let server = Server::start();
    let (alice, bob) = talked(&server);
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    let (by_phrase, by_words) = (path("phrase.nodoor"), path("words.nodoor"));
    let written = alice.run_with(&["backup", "write", &by_phrase], "correct horse\n");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    assert!(alice.run(&["backup", "write", "--words", &by_words]).status.success());
    assert!(
        !alice.run_with(&["backup", "write", &by_phrase], "x\n").status.success(),
        "it is there"
    );
    assert!(!path("phrase.nodoor.part").parse::<std::path::PathBuf>().unwrap().exists());
    let bytes = fs::read(&by_phrase).unwrap();
    assert!(!bytes.windows(4).any(|some| some == b"caf\xC3"));

    let words = alice.json(&["words"])[0]["words"].as_str().unwrap().to_owned();
    let fresh = Person::at(&server.address);
    let recovered =
        fresh.run_with(&["recover", "--handle", "alice", "--json"], &format!("{words}\n"));
    assert!(recovered.status.success(), "{}", String::from_utf8_lossy(&recovered.stderr));
    // Cut off, changed, under another passphrase, of another account: nothing.
    let damaged = path("damaged");
    fs::write(&damaged, &bytes[..bytes.len() - 1]).unwrap();
    let cut = fresh.run_with(&["backup", "restore", &damaged], "correct horse\n");
    assert!(
        !cut.status.success()
            && String::from_utf8_lossy(&cut.stderr).starts_with("nodoor: wrong_key")
    );
    let wrong = fresh.run_with(&["backup", "restore", &by_phrase], "wrong horse\n");
    assert!(!wrong.status.success());
    let other = bob.run_with(&["backup", "restore", &by_phrase], "correct horse\n");
    assert!(String::from_utf8_lossy(&other.stderr).contains("other_account"));
    assert_eq!(fresh.json(&["search", "cafe"]).len(), 0);

    let restored = fresh.run_with(&["backup", "restore", &by_phrase, "--json"], "correct horse\n");
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(rows(&restored)[0], json!({ "messages": 3, "chats": 1 }));
    assert_eq!(fresh.json(&["search", "cafe"]).len(), 1);
    let before = texts(&alice_history(&alice)).join("\n");
    assert_eq!(texts(&fresh.json(&["history", "@bob"])).join("\n"), before);
    // The other file says the same, and brings nothing new.
    let again = fresh.run_with(&["backup", "restore", &by_words, "--json"], &format!("{words}\n"));
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(rows(&again)[0]["messages"], 0);
    // And the talk goes on.
    fresh.json(&["send", "@bob", "I am back"]);
    assert_eq!(texts(&bob.json(&["receive", "--wait", "20"])), ["I am back"]);
}

/// Of a device that another one took the place of: what it has.
fn alice_history(alice: &Person) -> Vec<Value> {
    alice.json(&["history", "@bob"])
}

#[test]
fn an_export_is_pages_without_script_and_json_with_everything() {
    let server = Server::start();
    let (alice, _bob) = talked(&server);
    let place = tempfile::tempdir().unwrap();
    let folder = |name: &str| place.path().join(name);
    let html = folder("html");
    let done = alice.json(&["export", "--all", html.to_str().unwrap()]);
    assert_eq!((&done[0]["messages"], &done[0]["chats"]), (&json!(3), &json!(1)));
    let contents = fs::read_to_string(html.join("index.html")).unwrap();
    let chat = contents.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = fs::read_to_string(html.join(chat)).unwrap();
    assert!(page.contains("<strong>you</strong>") && page.contains("&lt;script&gt;"));
    assert!(!page.contains("<script") && page.contains("href=\"https://example.org/map\""));
    let again = alice.run(&["export", "--all", html.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("not empty"));

    let json = folder("json");
    alice.json(&["export", "@bob", "--format", "json", json.to_str().unwrap()]);
    let file = fs::read_dir(&json).unwrap().next().unwrap().unwrap().path();
    let export: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!((&export["format"], &export["version"]), (&json!("nodoor export"), &json!(1)));
    assert_eq!((&export["me"], &export["chat"]["with"]), (&json!("@alice"), &json!("@bob")));
    let messages = export["messages"].as_array().unwrap();
    let said: Vec<&Value> = messages.iter().filter(|row| row["kind"] != "system").collect();
    assert_eq!(said.len(), 3);
    assert_eq!(said[0]["from"]["me"], true);
    assert_eq!(said[2]["text"], "See **you** at https://example.org/map");
}

#[test]
fn an_export_of_telegram_is_imported_once_and_a_broken_one_not_at_all() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("ChatExport_2026-11-23");
    fs::create_dir_all(folder.join("photos")).unwrap();
    fs::write(folder.join("photos/photo_1.jpg"), b"jpg").unwrap();
    let result = json!({ "name": "Ana", "type": "personal_chat", "id": 7, "messages": [
        { "id": 1, "type": "message", "date": "2017-07-14T02:40:00", "date_unixtime": "1500000000", "from": "Ana",
          "from_id": "user7", "photo": "photos/photo_1.jpg", "text": "the river" },
        { "id": 2, "type": "message", "date": "2017-07-14T02:41:00", "date_unixtime": "1500000060", "from": "Mira",
          "from_id": "user5", "reply_to_message_id": 1, "file": "files/gone.pdf", "text": "lovely" },
        { "id": 3, "type": "message", "date": "2017-07-14T02:42:00", "date_unixtime": "1500000120", "from": "Ana",
          "from_id": "user7", "file": "../../../etc/passwd", "text": "" },
    ]});
    let (json, folder) = (result.to_string(), folder.display().to_string());
    fs::write(format!("{folder}/result.json"), &json[..json.len() - 9]).unwrap();
    let broken = alice.run(&["import", "telegram", &folder]);
    assert!(String::from_utf8_lossy(&broken.stderr).contains("line 1"));
    assert_eq!(alice.json(&["conversations"]).len(), 0);
    fs::write(format!("{folder}/result.json"), &json).unwrap();
    let done = alice.json(&["import", "telegram", &folder]);
    assert_eq!(done[0], json!({ "messages": 3, "chats": 1, "missing_files": 2 }));
    assert_eq!(alice.json(&["import", "telegram", &folder])[0]["messages"], 0);
    let chat = alice.json(&["conversations"])[0]["conversation"].as_str().unwrap().to_owned();
    let history = alice.json(&["history", &chat]);
    assert_eq!(history.len(), 3);
    assert_eq!(history[1]["from"], "@alice");
    assert_eq!(history[0]["sent_at"], "2017-07-14T02:40:00.000Z");
    assert_eq!(alice.json(&["search", "riv"])[0]["title"], "Ana");
    assert!(!alice.run(&["send", &chat, "hello"]).status.success(), "it is read-only");
}

/// 100,000 messages in under a minute: `cargo nextest run -p nodoor past --run-ignored only`.
#[test]
#[ignore = "a measurement of a minute"]
fn a_hundred_thousand_messages_are_imported_in_a_minute() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().display().to_string();
    let message = |id: u64| {
        format!(
            r#"{{"id": {id}, "type": "message", "date": "2017-07-14T02:40:00", "date_unixtime": "{}", "from": "Ana {}",
            "from_id": "user{}", "text": "message {id} about word{} and word{}"}}"#,
            1_500_000_000 + id,
            id % 9,
            id % 9,
            id % 4001,
            id % 911
        )
    };
    let all: Vec<String> = (0..100_000).map(message).collect();
    let json = format!(
        r#"{{"name": "Many", "type": "private_group", "id": 1, "messages": [{}]}}"#,
        all.join(",")
    );
    fs::write(place.path().join("result.json"), json).unwrap();
    let begun = Instant::now();
    let done = alice.json(&["import", "telegram", &folder]);
    println!("{} in {:?}", done[0], begun.elapsed());
    let begun = Instant::now();
    assert_eq!(alice.json(&["search", "word17 mess"]).len(), 50);
    println!("search, with starting: {:?}", begun.elapsed());
}
