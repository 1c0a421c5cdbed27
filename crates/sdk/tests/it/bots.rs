// SPDX-License-Identifier: AGPL-3.0-or-later
//! The examples as they run: programs of their own at a real server, and Alice, who talks with them.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use nodoor_sdk::account::{Account, Arrival, Arrivals, Body, Error, Message, Request};
use nodoor_view::model::ProblemKind;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

/// A program that ends with the test, and its first line.
struct Running(Child, String);

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "{command:?} said nothing");
        Self(child, line.trim().to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where cargo puts programs: beside the folder of this test, or in `NODOOR_BIN`.
fn built() -> PathBuf {
    let beside = std::env::current_exe().unwrap();
    beside.parent().and_then(Path::parent).unwrap().to_owned()
}

fn example(name: &str) -> Command {
    Command::new(built().join("examples").join(name))
}

struct World {
    folder: TempDir,
    _server: Running,
    address: String,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = std::env::var_os("NODOOR_BIN").map_or_else(built, PathBuf::from);
        let nodoord = bin.join("nodoord");
        assert!(nodoord.exists(), "build it first: cargo build -p nodoord");
        let mut run = Command::new(nodoord);
        run.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data"));
        let server = Running::start(run.env("NODOOR_LOG", "error"));
        let address = server.1.rsplit(' ').next().unwrap().to_owned();
        Self { folder, _server: server, address }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    async fn alice(&self) -> Account {
        let folder = self.folder.path().join("alice");
        let account = Account::open(&folder, &self.address, None).await.unwrap();
        account.register("alice", "").await.unwrap();
        account
    }
}

async fn next(arrivals: &mut Arrivals<'_>) -> Arrival {
    let next = timeout(Duration::from_secs(40), arrivals.next()).await;
    next.expect("nothing arrived").unwrap().expect("closed")
}

async fn message(arrivals: &mut Arrivals<'_>) -> Message {
    match next(arrivals).await {
        Arrival::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn request(arrivals: &mut Arrivals<'_>) -> Request {
    match next(arrivals).await {
        Arrival::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_echo_bot_is_a_bot_and_answers_once_whatever_happens_to_it() {
    let world = World::start();
    let start =
        || Running::start(example("echo").args([&world.path("echo"), &world.address, "echo"]));
    let echo = start();
    assert!(echo.1.ends_with("/#@echo"), "{}", echo.1);
    let alice = world.alice().await;
    let mut arrivals = alice.arrivals();
    let chat = alice.chat_with("@echo").await.unwrap();
    let sent = alice.send(&chat, "hello").await.unwrap();
    alice.wait_sent(&sent).await.unwrap();
    let heard = message(&mut arrivals).await;
    assert_eq!(heard.body, Body::Text("hello".to_owned()));
    assert!(heard.from.is_bot && !heard.from.is_me, "{:?}", heard.from);
    assert_eq!((heard.from.handle.as_str(), heard.from.name.as_str()), ("echo", "Echo"));
    assert!(alice.chats().await.unwrap()[0].with.as_ref().unwrap().is_bot);

    // What is not text has no echo.
    let file = world.path("note.txt");
    std::fs::write(&file, "a note").unwrap();
    alice.seen(&heard).await.unwrap();
    let sent = alice.send_file(&chat, Path::new(&file), "").await.unwrap();
    alice.wait_sent(&sent).await.unwrap();

    // Killed at any moment, it goes on where it was.
    drop(echo);
    let sent = alice.send(&chat, "while you were off").await.unwrap();
    alice.wait_sent(&sent).await.unwrap();
    let _echo = start();
    let heard = message(&mut arrivals).await;
    assert_eq!(heard.body, Body::Text("while you were off".to_owned()));
    alice.seen(&heard).await.unwrap();
    let nothing = timeout(Duration::from_secs(2), arrivals.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");

    // The past, oldest first; a file comes back as it went.
    let mut said = alice.messages(&chat);
    let mut texts = Vec::new();
    while let Some(message) = said.next().await.unwrap() {
        if let Body::File(file) = &message.body {
            let place = world.path("saved.txt");
            assert_eq!((file.name.as_str(), file.size), ("note.txt", 6));
            alice.save(&message, Path::new(&place)).await.unwrap();
            assert_eq!(std::fs::read(&place).unwrap(), b"a note");
            let again = alice.save(&message, Path::new(&place)).await;
            assert!(matches!(again, Err(Error::Refused { kind: ProblemKind::Disk, .. })));
        } else if let Body::Text(text) = message.body {
            texts.push(text);
        }
    }
    assert_eq!(texts, ["hello", "hello", "while you were off", "while you were off"]);
    alice.close().await;
}

#[tokio::test]
async fn an_alert_needs_the_secret_and_is_no_novel() {
    let world = World::start();
    let alice = world.alice().await;
    let mut arrivals = alice.arrivals();
    let profile = world.path("alerts");
    let arguments = [&profile, &world.address, "alerts", "alice"];
    let refused = |secret: &str, listen: &str| {
        let mut run = example("alert");
        let run = run.args(arguments).arg(listen).env("NODOOR_ALERT_SECRET", secret);
        !run.stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(refused("short", "127.0.0.1:0"), "a secret that is none");
    assert!(refused("a secret of some length", "0.0.0.0:0"), "heard by everybody");

    let secret = "a secret of some length";
    let mut run = example("alert");
    run.args(arguments).arg("127.0.0.1:0").env("NODOOR_ALERT_SECRET", secret);
    let hook = Running::start(&mut run);
    let place = hook.1.trim_start_matches("http://").to_owned();
    let post = |secret: &str, body: &[u8]| {
        let mut socket = TcpStream::connect(&place).unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {secret}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let _ = socket.write_all(&[head.as_bytes(), body].concat());
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer);
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(post("another secret", b"the door is open"), "401");
    assert_eq!(post(secret, &[b'x'; 4097]), "413");
    assert_eq!(post(secret, b"\xff\xfe"), "400");
    assert_eq!(post(secret, b" \n"), "400");
    assert_eq!(post(secret, b"disk full on db1\n"), "202");

    let asked = request(&mut arrivals).await;
    assert_eq!((asked.from.handle.as_str(), asked.text.as_str()), ("alerts", "disk full on db1"));
    alice.accept(&asked).await.unwrap();
    let heard = message(&mut arrivals).await;
    assert_eq!(heard.body, Body::Text("disk full on db1".to_owned()));
    assert!(heard.from.is_bot, "a program that wrote first says so before it is accepted");
    alice.seen(&heard).await.unwrap();
    assert_eq!(post(secret, b"disk fine again"), "202");
    assert_eq!(message(&mut arrivals).await.body, Body::Text("disk fine again".to_owned()));
    alice.close().await;
}

#[tokio::test]
async fn the_archive_writes_what_it_was_let_into() {
    let world = World::start();
    let profile = world.path("archive");
    let archive = |folder: &str| {
        let mut run = example("archive");
        run.args([&profile, &world.address, "archive", folder]).output().unwrap()
    };
    let empty = archive(&world.path("first"));
    assert!(empty.status.success(), "{}", String::from_utf8_lossy(&empty.stderr));
    assert!(empty.stdout.is_empty());

    let alice = world.alice().await;
    let chat = alice.chat_with("archive").await.unwrap();
    let sent = alice.send(&chat, "for the \"record\"").await.unwrap();
    let sent = alice.wait_sent(&sent).await.unwrap();
    let folder = world.path("second");
    let written = archive(&folder);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let line = String::from_utf8(written.stdout).unwrap();
    let path = line.trim().split_once(' ').unwrap().1;
    let read: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!((&read["format"], &read["me"]), (&"nodoor export".into(), &"@archive".into()));
    let said: Vec<_> = read["messages"].as_array().unwrap().iter().collect();
    let said: Vec<_> = said.iter().filter(|one| one["kind"] == "text").collect();
    assert_eq!(said.len(), 1, "{read}");
    assert_eq!(said[0]["text"], "for the \"record\"");
    assert_eq!(said[0]["id"], Value::from(sent.id));
    assert_eq!(said[0]["from"]["handle"], "alice");
    assert!(!archive(&folder).status.success(), "nothing is written over");

    // It never said a word, and everybody in the chat knows what reads it.
    let mut arrivals = alice.arrivals();
    let marked =
        || async { alice.chats().await.unwrap()[0].with.as_ref().is_some_and(|with| with.is_bot) };
    while !marked().await {
        assert!(arrivals.next_waiting().await.unwrap().is_none());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    alice.close().await;
}
