// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files through a real server, and through its death and the sender's.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::world::{Person, Server};

const MIB: usize = 1024 * 1024;

/// A file that nothing compresses and no two parts of which are alike.
fn made(folder: &Path, size: usize) -> PathBuf {
    let path = folder.join("holiday.bin");
    let mut file = fs::File::create(&path).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut piece = Vec::with_capacity(MIB);
    for _ in 0..size / MIB {
        piece.clear();
        while piece.len() < MIB {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            piece.extend_from_slice(&state.to_le_bytes());
        }
        file.write_all(&piece).unwrap();
    }
    path
}

fn introduced(alice: &Person, bob: &Person) {
    alice.json(&["send", "@bob", "Hi."]);
    bob.json(&["accept", "@alice"]);
    bob.json(&["receive"]);
}

fn file_rows(person: &Person, with: &str) -> Vec<Value> {
    let rows = person.json(&["history", with]);
    rows.into_iter().filter(|row| row["kind"] == "file").collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Waits until so many bytes of an upload are on the server's disk.
fn uploaded(server: &Server, bytes: u64) {
    let until = Instant::now() + Duration::from_secs(120);
    let folder = server.data().join("files/uploads");
    loop {
        let there: u64 = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().metadata().map_or(0, |about| about.len()))
            .sum();
        if there >= bytes {
            return;
        }
        assert!(Instant::now() < until, "the upload does not get on");
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_hundred_megabytes_go_there_and_back_and_are_the_same() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let folder = tempfile::tempdir().unwrap();
    let file = made(folder.path(), 100 * MIB);
    let begun = Instant::now();
    let sent = alice.json(&["send", "@bob", "--file", text(&file), "--text", "The whole of it"]);
    let sending = begun.elapsed();
    let received = bob.json(&["receive"]);
    assert_eq!(received.len(), 1);
    let row = &received[0];
    assert_eq!(row["message"], sent[0]["message"]);
    assert_eq!((&row["kind"], &row["text"]), (&"file".into(), &"The whole of it".into()));
    assert_eq!(row["file"]["name"], "holiday.bin");
    assert_eq!(row["file"]["size"], 100 * MIB);
    assert_eq!(row["file"]["type"], "application/octet-stream");
    let begun = Instant::now();
    let id = row["message"].as_str().unwrap();
    let there = folder.path().join("there.bin");
    let saved = bob.json(&["save", id, text(&there)]);
    let saving = begun.elapsed();
    assert_eq!(saved[0]["path"], text(&there));
    assert!(fs::read(&there).unwrap() == fs::read(&file).unwrap());
    println!("sent in {sending:?}, fetched and saved in {saving:?}");

    // What stands there is not overwritten.
    assert_eq!(bob.run(&["save", id, text(&there)]).status.code(), Some(2));
    // And back, from what Bob has.
    bob.json(&["send", "@alice", "--file", text(&there)]);
    let back = alice.json(&["receive"]);
    let id = back[0]["message"].as_str().unwrap();
    alice.json(&["save", &id[..12], text(folder.path().join("back.bin").as_path())]);
    assert!(fs::read(folder.path().join("back.bin")).unwrap() == fs::read(&file).unwrap());

    // Neither disk shows a name, and no folder a file as it was.
    let needle = &fs::read(&file).unwrap()[50 * MIB..50 * MIB + 64];
    for root in [server.data().to_owned(), alice.folder.path().to_owned()] {
        for path in all_files(&root) {
            let bytes = fs::read(&path).unwrap();
            for secret in [needle, b"holiday.bin".as_slice()] {
                let found = bytes.windows(secret.len()).step_by(1).any(|part| part == secret);
                assert!(!found || bytes.len() < 64, "{}", path.display());
            }
        }
    }
}

fn all_files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(all_files(&entry.path()));
        } else if entry.metadata().unwrap().len() < 8 * MIB as u64 {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn a_file_goes_on_after_the_sender_and_the_server_are_killed() {
    let mut server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let folder = tempfile::tempdir().unwrap();
    let file = made(folder.path(), 100 * MIB);
    let mut sending = alice
        .command(&["send", "@bob", "--file", text(&file)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    uploaded(&server, 10 * MIB as u64);
    // SIGKILL for both, in the middle.
    sending.kill().unwrap();
    sending.wait().unwrap();
    server.stop();
    let there = || -> u64 {
        let uploads = fs::read_dir(server.data().join("files/uploads")).unwrap();
        uploads.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    };
    let before = there();
    assert!(before >= 10 * MIB as u64 && before < 100 * MIB as u64, "{before}");
    server.restart();
    assert!(file_rows(&bob, "@alice").is_empty(), "not before all of it is there");

    // The next command goes on; meanwhile the server dies once more.
    let mut going_on = alice
        .command(&["receive", "--wait", "60"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    uploaded(&server, before + 10 * MIB as u64);
    server.kill_and_restart();
    let until = Instant::now() + Duration::from_secs(60);
    let received = loop {
        let rows = file_rows(&bob, "@alice");
        if !rows.is_empty() {
            break rows;
        }
        assert!(Instant::now() < until, "it never came");
        sleep(Duration::from_millis(200));
    };
    let _ = going_on.kill();
    let _ = going_on.wait();
    assert_eq!(received.len(), 1, "once");

    // Fetching is broken off as well: what came is kept, and the rest comes.
    let id = received[0]["message"].as_str().unwrap();
    let to = folder.path().join("there.bin");
    let mut fetching = bob
        .command(&["save", id, text(&to)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let sealed = bob.folder.path().join("profile/files");
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let part = fs::read_dir(&sealed).ok().and_then(|mut entries| entries.next());
        let length = part.and_then(|part| part.ok()?.metadata().ok()).map_or(0, |part| part.len());
        if length > 5 * MIB as u64 {
            break;
        }
        assert!(Instant::now() < until, "nothing comes");
        sleep(Duration::from_millis(1));
    }
    fetching.kill().unwrap();
    fetching.wait().unwrap();
    assert!(!to.exists(), "nothing stands there before it is whole");
    bob.json(&["save", id, text(&to)]);
    assert!(fs::read(&to).unwrap() == fs::read(&file).unwrap());
}

#[test]
fn a_server_that_is_full_says_so_and_the_message_is_kept() {
    let server = Server::start_with(&["--files-mib", "1"]);
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let folder = tempfile::tempdir().unwrap();
    let file = made(folder.path(), 2 * MIB);
    let sent = alice.run(&["send", "@bob", "--file", text(&file)]);
    assert_eq!(sent.status.code(), Some(1));
    let said = String::from_utf8_lossy(&sent.stderr);
    assert!(said.contains("no room for more files"), "{said}");
    assert_eq!(file_rows(&alice, "@bob").len(), 1, "it is kept");
    // Others may write on.
    alice.json(&["send", "@bob", "Too large, it seems."]);
    assert_eq!(bob.json(&["receive"]).len(), 1);
}

#[test]
fn a_server_that_changes_a_file_is_found_out_and_nothing_is_written() {
    let server = Server::start();
    let alice = Person::registered(&server, "alice");
    let bob = Person::registered(&server, "bob");
    introduced(&alice, &bob);
    let folder = tempfile::tempdir().unwrap();
    alice.json(&["send", "@bob", "--file", text(&made(folder.path(), MIB))]);
    let id = bob.json(&["receive"])[0]["message"].as_str().unwrap().to_owned();
    let blobs = all_files(&server.data().join("files"));
    assert_eq!(blobs.len(), 1);
    let honest = fs::read(&blobs[0]).unwrap();
    let mut changed = honest.clone();
    changed[500_000] ^= 1;
    fs::write(&blobs[0], &changed).unwrap();
    let to = folder.path().join("there.bin");
    let saved = bob.run(&["save", &id, text(&to)]);
    assert_eq!(saved.status.code(), Some(1), "{}", String::from_utf8_lossy(&saved.stderr));
    assert!(!to.exists());
    // Honest again: it comes.
    fs::write(&blobs[0], &honest).unwrap();
    bob.json(&["save", &id, text(&to)]);
    assert!(fs::read(&to).unwrap() == fs::read(folder.path().join("holiday.bin")).unwrap());
}
