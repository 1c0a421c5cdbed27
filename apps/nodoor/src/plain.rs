// SPDX-License-Identifier: AGPL-3.0-or-later
//! The line mode: one line a message, a prompt below. For screen readers, logs and slow links.
//!
//! Nothing is redrawn: what is printed stays. An own message is echoed by the terminal itself, so only its
//! failures are said.

use std::io::{BufRead, IsTerminal, Write};

use nodoor_view::{
    command::{Command, Place, Reply},
    event::{Connection, Event},
    model::{ConversationRow, From, MessageRow, Milliseconds, SendState},
    text::{Lines, for_terminal},
};
use tokio::sync::mpsc;

use crate::{failure::Failure, output, session::Session, target::Target};

/// Runs until the end of standard input.
pub(crate) async fn run(session: &Session, to: &Target) -> Result<(), Failure> {
    let mut events = session.events();
    let chat = session.open_chat(to).await?;
    let mut lines = read_lines();
    say(&session.texts.get("plain-greeting", &[("name", (&chat.title).into())]))?;
    let command = Command::Messages { conversation: chat.id, at: Place::Newest, limit: CONTEXT };
    if let Reply::Messages(page) = session.ask(command).await? {
        for row in &page.rows {
            say(&line(session, &chat, row))?;
        }
    }
    session.do_it(Command::Looking { at: Some(chat.id) }).await?;
    let mut offline = false;
    loop {
        prompt()?;
        tokio::select! {
            typed = lines.recv() => match typed {
                None => {
                    session.finish().await;
                    return Ok(());
                }
                Some(text) if text.trim().is_empty() => {}
                Some(text) => {
                    let command = Command::SendText { conversation: chat.id, text };
                    if let Err(failure) = session.do_it(command).await {
                        say(&failure.line(&session.texts))?;
                    }
                }
            },
            event = events.next() => match event {
                None => return Ok(()),
                Some(Event::Message { row, new }) if row.conversation == chat.id => {
                    let arrived = new && !matches!(row.from, From::Me);
                    let failed = matches!(row.state, Some(SendState::NotSent { .. }));
                    if arrived || failed {
                        say(&line(session, &chat, &row))?;
                    }
                    if arrived {
                        let command = Command::MarkRead { conversation: chat.id, up_to: row.id };
                        session.do_it(command).await?;
                    }
                }
                Some(Event::Connection { state }) => {
                    let gone = state == Connection::Offline;
                    if gone != offline {
                        offline = gone;
                        let id = if gone { "connection-offline" } else { "connection-online" };
                        say(&session.texts.get(id, &[]))?;
                    }
                }
                Some(_) => {}
            },
        }
    }
}

/// `09:02 Ben: Morning!`, on one line.
fn line(session: &Session, chat: &ConversationRow, row: &MessageRow) -> String {
    let texts = &session.texts;
    let said = texts.content(&row.content);
    let at = clock(row.sent_at);
    let line = match &row.from {
        From::Me => format!("{at} {}: {said}", texts.get("me", &[])),
        From::Them(person) => format!("{at} {}: {said}", texts.person(person)),
        From::System => format!("{at} {said}"),
    };
    match &row.state {
        Some(SendState::NotSent { reason }) => {
            let state = texts.state(&SendState::NotSent { reason: reason.clone() }, chat.kind, "");
            format!("{line} ({state} {})", texts.problem(reason))
        }
        _ => line,
    }
}

fn clock(time: Milliseconds) -> String {
    output::local(time).split(' ').next_back().unwrap_or_default().to_owned()
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    // A prompt may stand there: begin at the line's start.
    let start = if std::io::stdout().is_terminal() { "\r" } else { "" };
    writeln!(out, "{start}{}", for_terminal(line, Lines::Join))
        .and_then(|()| out.flush())
        .map_err(|error| Failure::system(&error))
}

fn prompt() -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    write!(out, "> ").and_then(|()| out.flush()).map_err(|error| Failure::system(&error))
}

/// Lines of standard input, read on a thread of their own: a read cannot be taken back.
fn read_lines() -> mpsc::UnboundedReceiver<String> {
    let (typed, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if typed.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

const CONTEXT: u32 = 10;
