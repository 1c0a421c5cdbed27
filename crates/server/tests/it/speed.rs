// SPDX-License-Identifier: AGPL-3.0-or-later
//! How many sends a second the server decides and appends in this process, with the store in memory:
//! `cargo test --release -p nodoor-server --test it speed -- --ignored --nocapture`.

use std::{sync::Arc, time::Instant};

use nodoor_server::Config;
use nodoor_wire::proto::request::Body as Ask;

use crate::person::{Room, World, ask, assert_done};

const PAIRS: usize = 1000;
const SENDS_A_PAIR: usize = 100;

#[tokio::test]
#[ignore = "a measure, not a test"]
async fn sends_between_pairs() {
    let world = Arc::new(World::with(Config::unlimited()));
    let mut tasks = Vec::new();
    for pair in 0..PAIRS {
        let world = Arc::clone(&world);
        tasks.push(tokio::spawn(async move {
            let alice = world.person(&format!("alice{pair}")).await;
            let bob = world.person(&format!("bob{pair}")).await;
            let room = Room::found(&world, &[&alice, &bob]).await;
            assert_done(room.say(&world, "warm").await);
            room
        }));
    }
    let mut rooms = Vec::new();
    for task in tasks {
        rooms.push(task.await.unwrap());
    }
    let before = world.server.statistics().commits;
    let (begin, used) = (Instant::now(), cpu_seconds());
    let talks: Vec<_> = rooms
        .into_iter()
        .map(|room| {
            let (server, connection) = (world.server.clone(), world.anonymous());
            tokio::spawn(async move {
                let text = "x".repeat(1024);
                for _ in 0..SENDS_A_PAIR {
                    assert_done(ask(&server, &connection, Ask::Send(room.send(&text))).await);
                }
            })
        })
        .collect();
    for talk in talks {
        talk.await.unwrap();
    }
    let seconds = begin.elapsed().as_secs_f64();
    let sends = (PAIRS * SENDS_A_PAIR) as f64;
    let groups = (world.server.statistics().commits - before) as f64;
    println!("{:.0} sends of 1 KiB a second, two appends each", sends / seconds);
    println!("{:.1} CPU microseconds a send", (cpu_seconds() - used) * 1e6 / sends);
    println!("{:.0} sends in a group, {:.1} ms a group", sends / groups, seconds * 1e3 / groups);
}

/// What this process has used so far, to a hundredth of a second. Other work on the machine makes it larger.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}
