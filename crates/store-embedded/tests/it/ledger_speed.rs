// SPDX-License-Identifier: AGPL-3.0-or-later
//! How fast labels are published and proved on this disk, and what memory that takes. Prints rows; run it in release:
//! `cargo nextest run --release -p nodoor-store-embedded --run-ignored all -E 'test(speed)' --no-capture`.

use std::{
    collections::BTreeSet,
    fs,
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex},
    time::Duration,
};

use nodoor_server::{
    ledger::{Ledger, LedgerKeys, Published},
    storage::{
        Answer,
        directory::{Mark, Marks, Subject},
    },
};
use nodoor_store_embedded::LedgerFolder;
use nodoor_wire::id::{AccountId, DeploymentId};
use sha2::{Digest as _, Sha256};

use crate::person::NOW;

// What `nodoord` has: the system's keeps an arena for each thread, and memory is measured here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Marks without accounts.
#[derive(Clone, Default)]
struct Waiting(Arc<Mutex<BTreeSet<Mark>>>);

impl Marks for Waiting {
    fn marks(&self, after: Option<Mark>, limit: usize) -> Answer<'_, Vec<Mark>> {
        let from = after.map_or(Unbounded, Excluded);
        let marks = self.0.lock().unwrap();
        let some = marks.range((from, Unbounded)).take(limit).copied().collect();
        Box::pin(std::future::ready(Ok(some)))
    }

    fn unmark(&self, marks: Vec<Mark>) -> Answer<'_, ()> {
        let mut there = self.0.lock().unwrap();
        marks.iter().for_each(|mark| assert!(there.remove(mark)));
        Box::pin(std::future::ready(Ok(())))
    }
}

fn account(number: u64) -> AccountId {
    let hash: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
    AccountId(hash[..16].try_into().unwrap())
}

fn value(number: u64, version: u64) -> [u8; 32] {
    Sha256::digest([number.to_be_bytes(), version.to_be_bytes()].concat()).into()
}

fn mark(waiting: &Waiting, numbers: std::ops::Range<u64>, version: u64) {
    let mark = |number| Mark {
        subject: Subject::Account(account(number)),
        version,
        value: value(number, version),
    };
    waiting.0.lock().unwrap().extend(numbers.map(mark));
}

/// CPU of this process so far.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

struct Row {
    what: String,
    count: u64,
    cpu: Duration,
}

impl Row {
    fn print(&self) {
        let per_second = self.count as f64 / self.cpu.as_secs_f64();
        let each = self.cpu.as_secs_f64() * 1000.0 / self.count as f64;
        println!(
            "{:<44} {:>8} {:>8.2} s CPU {:>8.0}/s {:>8.3} ms {:>6} MiB",
            self.what,
            self.count,
            self.cpu.as_secs_f64(),
            per_second,
            each,
            memory_mib()
        );
    }
}

async fn publish(ledger: &Ledger, now: &mut u64) -> u64 {
    let mut changed = 0;
    loop {
        *now += 1000;
        match ledger.publish(*now).await.unwrap() {
            Published::Epoch { labels, .. } => changed += labels,
            other => {
                assert_eq!(other, Published::Nothing);
                return changed;
            }
        }
    }
}

async fn timed(what: &str, count: u64, work: impl Future<Output = ()>) {
    let before = cpu();
    work.await;
    Row { what: what.to_owned(), count, cpu: cpu() - before }.print();
}

async fn measure(labels: u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(LedgerFolder::open(folder.path()).unwrap());
    let waiting = Waiting::default();
    let keys = LedgerKeys::from_seeds([1; 32], [2; 32], [3; 32]);
    let marks = Arc::new(waiting.clone());
    let deployment = DeploymentId([9; 16]);
    let ledger = Ledger::open(deployment, store, marks, keys, None, NOW).await.unwrap();
    let mut now = NOW;
    println!("begin {:>60} MiB", memory_mib());
    let mut at = 0;
    while at < labels {
        let next = (at + 50_000).min(labels);
        mark(&waiting, at..next, 1);
        timed(&format!("fill to {next}"), next - at, async {
            assert_eq!(publish(&ledger, &mut now).await, next - at);
        })
        .await;
        at = next;
    }
    for batch in [1, 100, 1000, 8000] {
        mark(&waiting, at..at + batch, 1);
        timed(&format!("{batch} new labels at {labels}"), batch, async {
            assert_eq!(publish(&ledger, &mut now).await, batch);
        })
        .await;
        mark(&waiting, 0..batch, 2 + batch);
        timed(&format!("{batch} changed labels at {labels}"), batch, async {
            assert_eq!(publish(&ledger, &mut now).await, batch);
        })
        .await;
        at += batch;
    }
    let some: Vec<u64> = (0..1000).map(|one| (one * 7919 + 10_000) % labels).collect();
    timed(&format!("look-ups at {labels}"), some.len() as u64, async {
        for number in &some {
            // What was changed has another value, and no proof.
            let proof = ledger.prove(account(*number), &value(*number, 1)).await.unwrap();
            assert_eq!(proof.is_some(), *number >= 8000);
        }
    })
    .await;
    drop(ledger);
    let disk: u64 = crate::folder::files(folder.path())
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    println!("on disk: {} MiB", disk / 1024 / 1024);
}

#[tokio::test]
#[ignore = "measures; in release"]
async fn speed_at_a_hundred_thousand_labels() {
    measure(100_000).await;
}

#[tokio::test]
#[ignore = "measures; in release, some ten minutes"]
async fn speed_at_a_million_labels() {
    measure(1_000_000).await;
}
