// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoord`: the server. Wires a store, the blind server and the gateway together, and nothing else.
//!
//! It contains no code that opens a message (`cargo tree -p nodoord` shows it). Exit codes: 0 done, 2 wrong use,
//! 1 otherwise, each with one line on stderr.
//!
//! Spec: `ARCHITECTURE.md`, law 1; `docs/book/threat-model.md`, "Olga, the operator".

mod capabilities;
mod chance;
mod check;
mod clock;
mod handed_in;
mod keys;
mod ledger;
mod listen;
mod push;
mod run;
mod tls;
mod web;
mod witnesses;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

// Measured, 1:1 at full rate on one core: a quarter less CPU a message than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(version, about = "The Nodoor server", after_help = ENVIRONMENT)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGINT or SIGTERM.
    #[command(after_help = ENVIRONMENT)]
    Run(Box<Run>),
    /// Open the data folder, verify its format, print what is there in counts.
    Check {
        /// The data folder.
        #[arg(long, value_name = "DIR", default_value = "data", env = "NODOOR_DATA")]
        data: PathBuf,
    },
    /// Print what a seized disk and a modified server would show.
    Capabilities,
}

#[derive(Args)]
struct Run {
    /// The data folder; made if it is not there, never wiped.
    #[arg(long, value_name = "DIR", default_value = "data", env = "NODOOR_DATA")]
    data: PathBuf,
    /// Where to listen; may be given several times. Beyond loopback it takes TLS.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8448", env = "NODOOR_LISTEN")]
    listen: Vec<SocketAddr>,
    /// The web app's folder [default: `web` beside the binary, if it is there].
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// Certificate chain, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Who may register: `open`, `closed`, or `ticket:WORD`.
    #[arg(long, value_name = "POLICY", default_value = "open", value_parser = run::registration)]
    registration: nodoor_server::Registration,
    /// Seconds between epochs of the ledger; changes wait that long to be shown.
    #[arg(long, value_name = "N", default_value = "2", env = "NODOOR_EPOCH_SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=300))]
    epoch_seconds: u64,
    /// Who must cosign the ledger: a C2SP tlog-policy file with the witnesses and their URLs; a line for this log may be
    /// left out [default: nobody, and clients say "unwitnessed"].
    #[arg(long, value_name = "FILE", env = "NODOOR_LEDGER_POLICY")]
    ledger_policy: Option<PathBuf>,
    /// Whose releases are logged: a file of lines `builder NAME KEY`; two of them must have signed [default: any two].
    #[arg(long, value_name = "FILE", env = "NODOOR_BUILDERS")]
    builders: Option<PathBuf>,
    /// Let anonymous connections do everything without a token, each within the budget of its address. With tokens, which
    /// is how it is meant, they need one for all but look-ups, the ledger and linking.
    #[arg(long)]
    tokens_optional: bool,
    /// The clock is right however long ago this server ran: delete what is old although the last time was more than two days
    /// ago, and write to the ledger although its last epoch is more than a month old.
    #[arg(long)]
    clock_is_right: bool,
    /// Room for files, MiB; with it used up nobody can send one until some are over. 0: this server keeps no files.
    #[arg(long, value_name = "MIB", default_value = "51200", env = "NODOOR_FILES_MIB")]
    files_mib: u64,
    /// Call nobody: devices that are not connected are not told that something waits for them.
    #[arg(long)]
    without_push: bool,
    /// Whom a push service may write to about these calls, `mailto:` or `https:`; some take no calls without [default: nobody].
    #[arg(long, value_name = "URI", env = "NODOOR_PUSH_CONTACT", value_parser = push::contact)]
    push_contact: Option<String>,
    /// Call addresses of this machine too, without TLS: for tests.
    #[arg(long, hide = true)]
    push_to_loopback: bool,
    /// Threads that serve [default: one a core].
    #[arg(long, value_name = "N", env = "NODOOR_THREADS")]
    threads: Option<usize>,
    /// No budgets, and no tokens needed: for load tests, on loopback only.
    #[arg(long, hide = true)]
    without_budgets: bool,
}

/// What is read beside the options, as `--help` says it.
const ENVIRONMENT: &str = "\
Environment:
  NODOOR_LOG  what is logged on standard error: error, warn, info, debug [default: info]";

/// Wrong use: said with a hint, exit code 2.
#[derive(Debug)]
struct WrongUse(String);

impl std::fmt::Display for WrongUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

fn main() -> ExitCode {
    quiet_panics();
    // What is written here is for this program's user alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let done = match Cli::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Check { data } => check::check(&data),
        Command::Capabilities => {
            print!("{}", capabilities::TEXT);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nodoord: {error:#}");
            ExitCode::from(if error.is::<WrongUse>() { 2 } else { 1 })
        }
    }
}

/// A panic says where, never what: its message could carry what somebody sent.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => eprintln!("nodoord: a fault of its own at {place}"),
        None => eprintln!("nodoord: a fault of its own"),
    }));
}
