// SPDX-License-Identifier: AGPL-3.0-or-later
//! The line mode: one line a message, a prompt below. For screen readers, logs and slow links.
//!
//! Nothing is redrawn: what is printed stays. An own message is echoed by the terminal itself, so only its
//! failures are said.

use std::{
    io::{BufRead, IsTerminal, Write},
    time::Duration,
};

use nodoor_view::{
    command::{Command, Place, Reply},
    event::{Connection, Event},
    model::{ConversationRow, From, MessageRow, Milliseconds, SendState},
    text::{Lines, for_terminal},
};
use tokio::{sync::mpsc, time::Instant};

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
    let mut connection = Strip::default();
    prompt()?;
    loop {
        let said = tokio::select! {
            typed = lines.recv() => match typed {
                None => {
                    session.finish().await;
                    return Ok(());
                }
                Some(text) => {
                    let said = send(session, &chat, text).await;
                    said.iter().try_for_each(|line| say(line))?;
                    prompt()?;
                    continue;
                }
            },
            event = events.next() => match event {
                None => return Ok(()),
                Some(Event::Message { row, new }) if row.conversation == chat.id => {
                    arrived(session, &chat, &row, new).await?
                }
                Some(Event::Connection { state }) => {
                    connection.is_now(state).map(|id| session.texts.get(id, &[]))
                }
                Some(_) => None,
            },
            id = connection.late() => Some(session.texts.get(id, &[])),
        };
        if let Some(said) = said {
            interrupt()?;
            say(&said)?;
            prompt()?;
        }
    }
}

/// Sends what was typed. What to say if that did not work.
async fn send(session: &Session, chat: &ConversationRow, text: String) -> Option<String> {
    if text.trim().is_empty() {
        return None;
    }
    let command = Command::SendText { conversation: chat.id, text };
    session.do_it(command).await.err().map(|failure| failure.line(&session.texts))
}

/// What to say of a message that is new or changed: arrivals and failures.
async fn arrived(
    session: &Session,
    chat: &ConversationRow,
    row: &MessageRow,
    new: bool,
) -> Result<Option<String>, Failure> {
    let arrived = new && !matches!(row.from, From::Me);
    if arrived {
        session.do_it(Command::MarkRead { conversation: chat.id, up_to: row.id }).await?;
    }
    let failed = matches!(row.state, Some(SendState::NotSent { .. }));
    Ok((arrived || failed).then(|| line(session, chat, row)))
}

/// The connection as it was last said: being away is said after three seconds, coming back at once.
#[derive(Default)]
struct Strip {
    since: Option<Instant>,
    said: bool,
}

impl Strip {
    /// The id of what to say now.
    fn is_now(&mut self, state: Connection) -> Option<&'static str> {
        if state != Connection::Online {
            self.since.get_or_insert_with(Instant::now);
            return None;
        }
        self.since = None;
        std::mem::take(&mut self.said).then_some("connection-online")
    }

    /// The id of what to say once it is time.
    async fn late(&mut self) -> &'static str {
        match self.since.filter(|_| !self.said) {
            Some(since) => tokio::time::sleep_until(since + PATIENCE).await,
            None => std::future::pending().await,
        }
        self.said = true;
        "connection-offline"
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
    write(&format!("{}\n", for_terminal(line, Lines::Join)))
}

/// Leaves the prompt's line, with whatever was typed on it, as it is.
fn interrupt() -> Result<(), Failure> {
    if std::io::stdout().is_terminal() { write("\n") } else { Ok(()) }
}

fn prompt() -> Result<(), Failure> {
    if std::io::stdout().is_terminal() { write("> ") } else { Ok(()) }
}

fn write(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::system(&error))
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
const PATIENCE: Duration = Duration::from_secs(3);
