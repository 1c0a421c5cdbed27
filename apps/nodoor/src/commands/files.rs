// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files: send one, write one to a place. How far it is goes to standard error, if somebody looks there.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    file::{Command as File, Event as FileEvent},
    message::Command as Message,
    model::{Content, Problem, ProblemKind, SendState},
};
use serde::Serialize;
use tokio::time::timeout;

use super::people::print;
use crate::{failure::Failure, output::Sent, session::Session, target::Target};

/// So long nothing may be heard of a file that moves.
const QUIET: Duration = Duration::from_secs(30);

/// `save`.
#[derive(Serialize)]
struct Saved<'a> {
    message: &'a str,
    path: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    content_type: &'a str,
    size: u64,
}

/// Sends a file, and waits until all of it and its message are at the server.
pub(super) async fn send(
    session: &Session,
    to: &Target,
    file: &Path,
    caption: &str,
) -> Result<(), Failure> {
    // Said at once, and before somebody is looked for.
    let about = file.metadata().map_err(|error| Failure::system(&error))?;
    if !about.is_file() {
        return Err(Failure::Usage(format!("{} is not a file", file.display())));
    }
    let path = std::path::absolute(file).map_err(|error| Failure::system(&error))?;
    let path = path.to_str().ok_or_else(|| Failure::Usage("the path is not UTF-8".to_owned()))?;
    let mut events = session.events();
    let chat = session.open_chat(to).await.map_err(|failure| match failure {
        failure if failure.is(ProblemKind::Offline) => Failure::Said("offline", "not-kept"),
        failure => failure,
    })?;
    let send = File::Send {
        conversation: chat.id,
        path: path.to_owned(),
        name: String::new(),
        caption: caption.to_owned(),
        milliseconds: 0,
        waveform: Vec::new(),
    };
    let Reply::Sent(mut row) = session.ask(Command::File { of: send }).await? else {
        return Err(Failure::unexpected());
    };
    let shown = Progress::new();
    while matches!(row.state, Some(SendState::Waiting) | None) {
        match timeout(QUIET, events.next()).await {
            Ok(Some(Event::Message { row: told, .. })) if told.id == row.id => row = told,
            Ok(Some(Event::File { what: FileEvent::Progress { message, done, total } }))
                if message == row.id =>
            {
                shown.show(done, total);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break,
        }
    }
    shown.end();
    let sent = Sent { message: &row.reference, conversation: &chat.reference };
    print(session, &sent, row.reference.get(..16).unwrap_or(&row.reference))?;
    match row.state {
        Some(SendState::Sent | SendState::Delivered | SendState::Read) => Ok(()),
        Some(SendState::NotSent { reason }) => Err(Failure::Problem(reason)),
        // On disk, as is how far it is; the next command with a connection goes on.
        Some(SendState::Waiting) | None => {
            eprintln!("nodoor: {}", session.texts.get("waits-on-disk", &[]));
            Ok(())
        }
    }
}

/// Writes the file of a message to a place.
pub(super) async fn save(session: &Session, message: &str, path: &Path) -> Result<(), Failure> {
    let mut events = session.events();
    let find = Message::Find { reference: message.to_owned() };
    let Reply::Message(found) = session.ask(Command::Message { of: find }).await? else {
        return Err(Failure::unexpected());
    };
    let row = found.row;
    let Content::File(file) = &row.content else {
        return Err(Failure::Problem(problem(ProblemKind::NotFound)));
    };
    let path = if path.is_dir() { path.join(&file.name) } else { path.to_owned() };
    let path = std::path::absolute(path).map_err(|error| Failure::system(&error))?;
    if path.exists() {
        return Err(Failure::Usage(format!("{} is there already", path.display())));
    }
    let path: PathBuf = path;
    let text = path.to_str().ok_or_else(|| Failure::Usage("the path is not UTF-8".to_owned()))?;
    let save = File::Save { message: row.id, path: text.to_owned() };
    let Reply::Done = session.ask(Command::File { of: save }).await? else {
        return Err(Failure::unexpected());
    };
    let shown = Progress::new();
    let outcome = loop {
        match timeout(QUIET, events.next()).await {
            Ok(Some(Event::File { what })) => match what {
                FileEvent::Saved { message } if message == row.id => break Ok(()),
                FileEvent::Failed { message, problem } if message == row.id => {
                    break Err(Failure::Problem(problem));
                }
                FileEvent::Progress { message, done, total } if message == row.id => {
                    shown.show(done, total);
                }
                _ => {}
            },
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break Err(Failure::Problem(problem(ProblemKind::Offline))),
        }
    };
    shown.end();
    outcome?;
    let now = session.ask(Command::MessageInfo { message: row.id }).await?;
    let now = match now {
        Reply::Message(detail) => detail.row.content,
        _ => row.content.clone(),
    };
    let Content::File(file) = &now else { return Err(Failure::unexpected()) };
    let saved = Saved {
        message: &row.reference,
        path: text,
        name: &file.name,
        content_type: &file.content_type,
        size: file.size,
    };
    print(session, &saved, text)
}

fn problem(kind: ProblemKind) -> Problem {
    Problem { kind, code: 0, wait_seconds: 0 }
}

/// One line on standard error, if that is a terminal.
struct Progress(bool);

impl Progress {
    fn new() -> Self {
        Self(std::io::stderr().is_terminal())
    }

    fn show(&self, done: u64, total: u64) {
        const MIB: u64 = 1024 * 1024;
        if self.0 {
            let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
            eprint!("\r{percent:3} %  {} / {} MiB ", done / MIB, total / MIB);
            let _ = std::io::stderr().flush();
        }
    }

    fn end(&self) {
        if self.0 {
            eprint!("\r\x1b[K");
        }
    }
}
