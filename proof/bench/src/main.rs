// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoor-bench`: the scenarios of the side-by-side benchmark against one `nodoord`, as JSON rows.
//!
//! `suite` starts a fresh server for each scenario, pinned to core 0, and drives it from core 1; the others drive
//! a server that is up. Bodies are opaque: encryption is the clients' work and measured apart. Never a timed test.

mod cost;
mod disk;
mod member;
mod meter;
mod process;
mod scenario;

use std::{cell::RefCell, path::PathBuf, rc::Rc};

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use tokio::{runtime, task::LocalSet};

use crate::{process::Running, scenario::Setting};

#[derive(Parser)]
#[command(version, about = "Load generator for nodoord")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything, with a fresh server for each scenario.
    Suite(Suite),
    /// One to one: the maximum (rate 0), or so many messages a second.
    Pairs {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 100)]
        pairs: u32,
        #[arg(long, default_value_t = 0.0)]
        rate: f64,
        #[arg(long, default_value_t = 4)]
        window: usize,
    },
    /// Store for people who are away, then let them fetch.
    Offline {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 200)]
        users: u32,
        #[arg(long, default_value_t = 100)]
        each: u32,
        #[arg(long, default_value_t = 20)]
        senders: u32,
        #[arg(long, default_value_t = 10)]
        batch: u32,
    },
    /// Connections with nothing to say, in cumulative steps.
    Idle {
        #[command(flatten)]
        common: Common,
        #[arg(value_delimiter = ',', default_value = "1000,5000,10000")]
        steps: Vec<u32>,
    },
    /// One to many.
    Fanout {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 100)]
        members: u32,
        #[arg(long, default_value_t = 0.0)]
        rate: f64,
        #[arg(long, default_value_t = 4)]
        window: u64,
    },
    /// What a durable write costs in a folder.
    Disk {
        /// The folder.
        #[arg(long, default_value = ".")]
        folder: PathBuf,
        /// Seconds a size.
        #[arg(long, default_value_t = 2.0)]
        secs: f64,
    },
}

#[derive(Args, Clone)]
struct Measure {
    /// Name of this peer in the rows.
    #[arg(long, default_value = "nodoor")]
    label: String,
    /// Free text in the rows.
    #[arg(long, default_value = "")]
    tag: String,
    /// Bytes of a body.
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Seconds before measuring.
    #[arg(long, default_value_t = 2.0)]
    warmup: f64,
    /// Seconds of measuring.
    #[arg(long, default_value_t = 10.0)]
    secs: f64,
}

#[derive(Args, Clone)]
struct Common {
    /// host:port of the server.
    #[arg(long, default_value = "127.0.0.1:8448")]
    address: String,
    /// Its process, for CPU and memory.
    #[arg(long, default_value_t = 0)]
    pid: u32,
    #[command(flatten)]
    measure: Measure,
}

#[derive(Args, Clone)]
struct Suite {
    /// The `nodoord` to measure.
    #[arg(long)]
    server_binary: PathBuf,
    /// Where its data folders go: each scenario makes one and removes it.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Which of pairs, offline, idle, fanout.
    #[arg(long, value_delimiter = ',', default_value = "pairs,offline,idle,fanout")]
    scenarios: Vec<String>,
    #[arg(long, default_value_t = 100)]
    pairs: u32,
    #[arg(long, value_delimiter = ',', default_value = "100,1000")]
    members: Vec<u32>,
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,10000")]
    idle: Vec<u32>,
    /// Messages that each of 200 users finds waiting.
    #[arg(long, default_value_t = 100)]
    each: u32,
    /// Open loops at these shares of the maximum.
    #[arg(long, value_delimiter = ',', default_value = "0.1,0.5")]
    shares: Vec<f64>,
    #[command(flatten)]
    measure: Measure,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Command::Suite(_) = &cli.command {
        // This process on core 1, the server on core 0.
        process::pin_to_core_1()?;
    }
    process::raise_open_files();
    meter::clock();
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, run(cli.command))
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Suite(suite) => run_suite(&suite).await,
        Command::Pairs { common, pairs, rate, window } => {
            scenario::pairs(&setting(&common)?, pairs, rate, window).await.map(drop)
        }
        Command::Offline { common, users, each, senders, batch } => {
            scenario::offline(&setting(&common)?, users, each, senders, batch).await
        }
        Command::Idle { common, steps } => {
            let setting = setting(&common)?;
            scenario::accounts(&setting, steps.iter().max().copied().unwrap_or(1)).await?;
            scenario::idle(&setting, &steps).await
        }
        Command::Fanout { common, members, rate, window } => {
            scenario::fanout(&setting(&common)?, members, rate, window).await.map(drop)
        }
        Command::Disk { folder, secs } => disk::commits(&folder, secs),
    }
}

async fn run_suite(suite: &Suite) -> Result<()> {
    let folder = suite.folder.clone().unwrap_or_else(std::env::temp_dir);
    let start = |secs: f64| {
        let running = Running::start(&suite.server_binary, &folder)?;
        let common = Common {
            address: running.address.clone(),
            pid: running.pid,
            measure: Measure { secs, ..suite.measure.clone() },
        };
        anyhow::Ok((running, setting(&common)?))
    };
    let secs = suite.measure.secs;
    for scenario in &suite.scenarios {
        disk::commits(&folder, 1.0)?;
        match scenario.as_str() {
            "pairs" => {
                let (running, setting) = start(secs)?;
                let most = scenario::pairs(&setting, suite.pairs, 0.0, 4).await?;
                running.stop().await?;
                for share in &suite.shares {
                    let (running, mut setting) = start(secs)?;
                    setting.tag = share.to_string();
                    scenario::pairs(&setting, suite.pairs, most * share, 4).await?;
                    running.stop().await?;
                }
            }
            "offline" => {
                let (running, setting) = start(secs)?;
                scenario::offline(&setting, 200, suite.each, 20, 10).await?;
                running.stop().await?;
            }
            "idle" => {
                let (running, mut setting) = start(secs)?;
                scenario::accounts(&setting, suite.idle.iter().max().copied().unwrap_or(1)).await?;
                // Anew, so that what registering left in memory is not taken for what a connection costs.
                let running = running.restart(&suite.server_binary).await?;
                setting.address = running.address.as_str().into();
                setting.server = running.pid;
                scenario::idle(&setting, &suite.idle).await?;
                running.stop().await?;
            }
            "fanout" => {
                for members in &suite.members {
                    let (running, setting) = start(secs)?;
                    let most = scenario::fanout(&setting, *members, 0.0, 4).await?;
                    running.stop().await?;
                    let (running, mut setting) = start(secs)?;
                    setting.tag = "0.5".into();
                    scenario::fanout(&setting, *members, most * 0.5 + 0.01, 4).await?;
                    running.stop().await?;
                }
            }
            other => anyhow::bail!("no scenario {other}: pairs, offline, idle, fanout"),
        }
    }
    Ok(())
}

fn setting(common: &Common) -> Result<Setting> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.context("the clock is before 1970")?.as_nanos();
    let mut run = [0; 32];
    run.iter_mut().zip(now.to_be_bytes()).for_each(|(to, from)| *to = from);
    Ok(Setting {
        address: common.address.as_str().into(),
        server: common.pid,
        label: common.measure.label.clone(),
        tag: common.measure.tag.clone(),
        size: common.measure.size,
        warmup: common.measure.warmup,
        secs: common.measure.secs,
        run,
        rows: Rc::new(RefCell::new(Vec::new())),
    })
}
