// SPDX-License-Identifier: AGPL-3.0-or-later
//! One command each: `cargo xtask run`, `test`, `web`, `graph`, `proto`, `bench`.
//!
//! Runs other programs and decides nothing about the product. It has almost no dependencies, so that its first
//! answer comes in seconds; what needs heavy crates is a tool crate of its own (`xtask/bindgen`, `xtask/proto`).

use std::{env, process::ExitCode};

mod graph;
mod machine;
mod shell;
mod web;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["web"] => web::build(web::Kind::Full).map(drop),
        ["web", "--dev"] => web::build(web::Kind::Quick).map(drop),
        ["graph"] => graph::run(),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

const HELP: &str = "\
cargo xtask run [--data DIR] [--listen ADDR]   build and start everything
cargo xtask test                               everything CI runs
cargo xtask web [--dev]                        the web app into target/web
cargo xtask graph                              the five laws of the house
cargo xtask proto                              write crates/wire/src/proto.rs again
cargo xtask bench                              the speed rows, as JSON";
