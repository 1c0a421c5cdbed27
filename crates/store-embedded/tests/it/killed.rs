// SPDX-License-Identifier: AGPL-3.0-or-later
//! The process dies at any moment: what it said yes to is there.
//!
//! The test starts itself again as a child that sends and prints each sequence after its yes, kills it, opens the
//! folder, and looks.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use nodoor_server::{
    Config,
    storage::{Mailboxes as _, Tokens as _},
};
use nodoor_store_embedded::Folder;
use nodoor_wire::{
    id::{DeviceId, Token},
    proto::request::Body as Ask,
};

use crate::person::{Room, World, ask, assert_done, random};

const CHILD: &str = "NODOOR_KILLED_CHILD";
const ROUNDS: u32 = 8;

#[test]
fn nothing_acknowledged_is_missing_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut last_seen = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "killed::child", "--ignored", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let [extra] = random::<1>();
        let deadline = Duration::from_millis(u64::from(extra) * 3);
        let (begun, told) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut lines = Vec::new();
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix("said ") {
                    if lines.is_empty() {
                        begun.send(()).unwrap();
                    }
                    lines.push(said.to_owned());
                }
            }
            lines
        });
        told.recv_timeout(Duration::from_secs(60)).unwrap();
        std::thread::sleep(deadline);
        child.kill().unwrap();
        child.wait().unwrap();
        let said = reader.join().unwrap();
        last_seen = look(folder.path(), &said, last_seen, round);
    }
}

/// What the child said is on disk, and sequences only ever grew.
fn look(folder: &Path, said: &[String], before: u64, round: u32) -> u64 {
    let store = Folder::open(folder).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut highest = before;
        let mut checked = 0;
        // A line may have been cut by the kill.
        for line in said.iter().filter(|line| line.len() == 32 + 1 + 20) {
            let device = DeviceId::from_hex(&line[..32]).unwrap();
            let sequence: u64 = line[33..].parse().unwrap();
            let mailbox = store.mailbox(device).await.unwrap().unwrap();
            assert!(mailbox.last >= sequence, "round {round}: {sequence} was said");
            if sequence > mailbox.acknowledged {
                let entries = store.entries(device, sequence - 1, 1).await.unwrap();
                assert_eq!(entries[0].0, sequence, "round {round}");
            }
            highest = highest.max(sequence);
            checked += 1;
        }
        println!("round {round}: {checked} sendings said and found");
        highest
    })
}

/// The child: people who register and talk until the end.
#[test]
#[ignore = "started by nothing_acknowledged_is_missing_after_kill_9"]
fn child() {
    let Ok(folder) = env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let store = Folder::open_with_reserve(Path::new(&folder), 0).unwrap();
        let world = World::on(store.clone(), Config::unlimited());
        let mut talks = Vec::new();
        for pair in 0..8 {
            let name = |who: &str| format!("{who}{pair}-{}", hex(&random::<8>()));
            let (mut alice, bob) =
                (world.person(&name("alice")).await, world.person(&name("bob")).await);
            let room = Room::found(&world, &[&alice, &bob]).await;
            assert_eq!(found(&store, alice.token()).await, Some(alice.device));
            let world = &world;
            talks.push(async move {
                let connection = world.server.connect_anonymous([1; 16]);
                loop {
                    let send = Ask::Send(room.send("are you there?"));
                    assert_done(ask(&world.server, &connection, send).await);
                    let read = alice.receive(world).await;
                    for one in &read {
                        let mut out = std::io::stdout().lock();
                        let device = alice.device.to_hex();
                        writeln!(out, "said {device} {:020}", one.sequence).unwrap();
                        out.flush().unwrap();
                    }
                    if !read.is_empty() {
                        assert_done(alice.acknowledge(world, &read).await);
                    }
                }
            });
        }
        let forever = futures_join(talks);
        forever.await;
    });
}

async fn found(store: &Folder, token: Token) -> Option<DeviceId> {
    let found = store.mailboxes_of(vec![token.hash()]).await.unwrap().pop().flatten();
    found.map(|token| token.device)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Polls all of them, for ever.
async fn futures_join<F: Future<Output = std::convert::Infallible>>(futures: Vec<F>) {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        for future in &mut futures {
            let _ = future.as_mut().poll(context);
        }
        std::task::Poll::<()>::Pending
    })
    .await;
}
