// SPDX-License-Identifier: AGPL-3.0-or-later
//! One command each: `cargo xtask run`, `test`, `web`, `release`, `graph`, `proto`, `bench`.
//!
//! Runs other programs and decides nothing about the product. It has almost no dependencies, so that its first
//! answer comes in seconds; what needs heavy crates is a tool crate of its own (`xtask/bindgen`, `xtask/proto`).

use std::{env, process::ExitCode};

use anyhow::Result;

mod bench;
mod graph;
mod machine;
mod proto;
mod release;
mod run;
mod shell;
mod test;
mod web;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match perform(&words) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(words: &[&str]) -> Result<ExitCode> {
    if words.iter().any(|word| matches!(*word, "help" | "--help" | "-h")) {
        println!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    match words {
        ["run", rest @ ..] => match run::Options::parse(rest) {
            Ok(options) => run::start(&options)?,
            Err(error) => return Ok(wrong_use(&format!("{error:#}"))),
        },
        ["test"] => {
            if !test::all()? {
                return Ok(ExitCode::FAILURE);
            }
        }
        ["web"] => drop(web::build(web::Kind::Full)?),
        ["web", "--dev"] => drop(web::build(web::Kind::Quick)?),
        ["release", rest @ ..] => match release::Options::parse(rest) {
            Ok(options) => release::release(&options)?,
            Err(error) => return Ok(wrong_use(&format!("{error:#}"))),
        },
        ["graph"] => graph::run()?,
        ["proto"] => proto::write()?,
        ["bench", "client"] => bench::cost()?,
        ["bench", rest @ ..] => bench::bench(rest)?,
        [run::ANNOUNCE, listen, process, data] => run::announce(listen, process, data)?,
        [] => return Ok(wrong_use("a command is missing")),
        [word, ..] => return Ok(wrong_use(&format!("no such command: {word}"))),
    }
    Ok(ExitCode::SUCCESS)
}

fn wrong_use(why: &str) -> ExitCode {
    eprintln!("{why}\n\n{HELP}");
    ExitCode::from(2)
}

const HELP: &str = "\
cargo xtask run [--data DIR] [--listen ADDR]   build and start everything [./data, 127.0.0.1:8448]
cargo xtask test                               everything CI runs
cargo xtask web [--dev]                        the web app into target/web
cargo xtask release [--check] [--emergency] [--wait-hours N]
                                               the same bytes everywhere, into target/dist; --check builds twice
cargo xtask graph                              the five laws of the house
cargo xtask proto                              write crates/wire/src/proto.rs again
cargo xtask bench                              the server's speed rows, as JSON
cargo xtask bench client                       what sealing and opening a message costs";
