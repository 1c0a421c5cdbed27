// SPDX-License-Identifier: AGPL-3.0-or-later
//! The Nodoor terminal client: commands for scripts, and a full screen for people.
//!
//! Knows what the engine tells (`view`) and draws or prints it; decides nothing about keys, rooms or retries.
//! [`session`] opens the profile and asks; [`commands`] are one function a verb; [`tui`] is the screen of the
//! design's section "Terminal"; [`plain`] the line mode. Whatever others wrote passes
//! `nodoor_view::text::for_terminal` ([`output`], [`tui`]) before it reaches a terminal.
//!
//! Exit codes: 0 done, 2 wrong use, 1 anything else, with one line `nodoor: KIND: what to do` on standard error.

mod arguments;
mod commands;
mod failure;
mod ledger;
mod output;
mod plain;
mod session;
mod target;
mod tui;

use std::process::ExitCode;

use nodoor_view::text::Texts;

use crate::{arguments::Arguments, failure::Failure};

fn main() -> ExitCode {
    // Only the place of a panic is printed: its message may hold what somebody wrote.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("nodoor: internal: stopped at {place}");
    }));
    let outcome = match Arguments::read(std::env::args_os()) {
        Ok(Ok(arguments)) => perform(&arguments),
        Ok(Err(asked)) => output::text(&asked).map_err(|error| Failure::system(&error)),
        Err(failure) => Err(failure),
    };
    match outcome {
        // Whoever read the output has enough: `nodoor history @ben | head -1`.
        Ok(()) | Err(Failure::NobodyReads) => ExitCode::SUCCESS,
        Err(failure) => {
            let texts = Texts::terminal(&language());
            eprintln!("nodoor: {}", failure.line(&texts));
            ExitCode::from(failure.exit_code())
        }
    }
}

fn perform(arguments: &Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(commands::run(arguments));
    // A thread that still reads the keyboard is not waited for.
    runtime.shutdown_background();
    outcome
}

/// The tag of the person's language, as POSIX names it.
pub(crate) fn language() -> String {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
}
