// SPDX-License-Identifier: AGPL-3.0-or-later
//! The line mode: one line a message, a prompt below. For screen readers, logs and slow links.
//!
//! Nothing is redrawn: what is printed stays. An own message is echoed by the terminal itself, so only its
//! failures are said. Somebody who is not there yet is waited for; a request is answered here, and what was typed
//! before the answer is kept until then.

use std::{
    io::{BufRead, IsTerminal, Write},
    time::Duration,
};

use nodoor_view::{
    command::{Command, Place, Reply},
    event::{Connection, Event},
    model::{ConversationRow, From, MessageRow, Milliseconds, ProblemKind, SendState},
    text::{Lines, for_terminal},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{
    commands::devices::said,
    failure::Failure,
    output,
    session::{NO_CONVERSATION, Session},
    target::Target,
};

/// Runs until the end of standard input.
pub(crate) async fn run(session: &Session, to: &Target) -> Result<(), Failure> {
    let mut events = session.events();
    let mut lines = read_lines();
    let mut typed = Typed::default();
    let mut chat = arrive(session, to, &mut lines, &mut typed).await?;
    say(&session.texts.get("plain-greeting", &[("name", (&chat.title).into())]))?;
    let command = Command::Messages { conversation: chat.id, at: Place::Newest, limit: CONTEXT };
    if let Reply::Messages(page) = session.ask(command).await? {
        for row in &page.rows {
            say(&line(session, &chat, row))?;
        }
    }
    session.do_it(Command::Looking { at: Some(chat.id) }).await?;
    let mut connection = Strip::default();
    if chat.request {
        say(&asked(session, &chat))?;
    } else {
        typed.send(session, &chat).await?;
    }
    prompt()?;
    loop {
        let said = tokio::select! {
            line = lines.recv() => match line {
                None => {
                    session.finish().await;
                    return typed.left();
                }
                Some(text) => {
                    if !typed.line(session, &mut chat, text).await? {
                        session.finish().await;
                        return Ok(());
                    }
                    prompt()?;
                    continue;
                }
            },
            event = events.next() => match event {
                None => return Ok(()),
                Some(Event::Message { row, new }) if row.conversation == chat.id => {
                    arrived(session, &chat, &row, new).await?
                }
                Some(Event::Conversation { row }) if row.id == chat.id => {
                    let now_asked = row.request && !chat.request;
                    chat = row;
                    now_asked.then(|| asked(session, &chat))
                }
                Some(Event::ConversationGone { conversation }) if conversation == chat.id => {
                    return Err(NO_CONVERSATION);
                }
                Some(Event::Connection { state }) => {
                    connection.is_now(state).map(|id| session.texts.get(id, &[]))
                }
                Some(event) => said(&event, &session.texts),
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

/// The chat with whom it is meant for: a handle that nobody has yet is waited for, as long as somebody types.
async fn arrive(
    session: &Session,
    to: &Target,
    lines: &mut mpsc::UnboundedReceiver<String>,
    typed: &mut Typed,
) -> Result<ConversationRow, Failure> {
    let mut told = false;
    loop {
        let failure = match session.open_chat(to).await {
            Ok(chat) => return Ok(chat),
            Err(failure) => failure,
        };
        let wait = match (&failure, to) {
            (Failure::Problem(problem), Target::Handle(_)) => match problem.kind {
                ProblemKind::NotFound | ProblemKind::Offline => AGAIN,
                ProblemKind::SlowDown => {
                    Duration::from_secs(problem.wait_seconds.into()).max(AGAIN)
                }
                _ => return Err(failure),
            },
            _ => return Err(failure),
        };
        if !std::mem::replace(&mut told, true) {
            let texts = &session.texts;
            let why = match to {
                Target::Handle(handle) if failure.is(ProblemKind::NotFound) => {
                    texts.get("no-such-person", &[("handle", handle.into())])
                }
                _ => failure.line(texts),
            };
            say(&format!("{why} {}", texts.get("waits-for", &[])))?;
            prompt()?;
        }
        let until = Instant::now() + wait;
        while let Ok(line) = timeout_at(until, lines.recv()).await {
            match line {
                // Nobody waits for them any more.
                None => return Err(failure),
                Some(text) => {
                    typed.kept.push(text);
                    say(&session.texts.get("line-kept", &[]))?;
                    prompt()?;
                }
            }
        }
    }
}

/// That a chat is a request, and with which words it is answered.
fn asked(session: &Session, chat: &ConversationRow) -> String {
    session.texts.get("plain-request", &[("name", (&chat.title).into())])
}

/// Lines typed before they could be sent.
#[derive(Default)]
struct Typed {
    kept: Vec<String>,
}

impl Typed {
    /// Does what a line asks for. False if the chat is over by that.
    async fn line(
        &mut self,
        session: &Session,
        chat: &mut ConversationRow,
        text: String,
    ) -> Result<bool, Failure> {
        let (conversation, name) = (chat.id, [("name", (&chat.title).into())]);
        let (outcome, done, over) = match text.trim() {
            "/accept" if chat.request => {
                let accepted = session.conversation(Command::Accept { conversation }).await;
                let outcome = accepted.map(|row| row.request);
                (outcome, session.texts.get("accepted-done", &[]), false)
            }
            "/delete" if chat.request => {
                let outcome = session.do_it(Command::Decline { conversation }).await;
                (outcome.map(|()| true), session.texts.get("declined-done", &name), true)
            }
            "/block" => {
                let outcome = session.do_it(Command::Block { conversation }).await;
                (outcome.map(|()| true), session.texts.get("blocked-done", &name), true)
            }
            "/accept" | "/delete" => {
                say(&session.texts.get("plain-no-request", &[]))?;
                return Ok(true);
            }
            "" => return Ok(true),
            _ => {
                self.kept.push(text);
                if chat.request {
                    say(&format!(
                        "{} {}",
                        session.texts.get("line-kept", &[]),
                        asked(session, chat)
                    ))?;
                } else {
                    self.send(session, chat).await?;
                }
                return Ok(true);
            }
        };
        match outcome {
            Err(failure) => {
                say(&failure.line(&session.texts))?;
                return Ok(true);
            }
            Ok(request) => chat.request = request,
        }
        say(&done)?;
        if over {
            self.kept.clear();
            return Ok(false);
        }
        self.send(session, chat).await?;
        Ok(true)
    }

    /// Sends what was kept, in order. A line that is not on disk stays, and is said.
    async fn send(&mut self, session: &Session, chat: &ConversationRow) -> Result<(), Failure> {
        while let Some(text) = self.kept.first().cloned() {
            let command = Command::SendText { conversation: chat.id, text };
            match session.do_it(command).await {
                Err(failure) if failure.is(ProblemKind::Request) => {
                    return say(&asked(session, chat));
                }
                Err(failure) => say(&failure.line(&session.texts))?,
                Ok(()) => {}
            }
            self.kept.remove(0);
        }
        Ok(())
    }

    /// At the end: lines that were never sent are a failure.
    fn left(&self) -> Result<(), Failure> {
        if self.kept.iter().all(|line| line.trim().is_empty()) {
            return Ok(());
        }
        Err(Failure::Said("request", "lines-not-sent"))
    }
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
    let said = output::said(row, texts);
    let at = clock(row.sent_at);
    let line = match &row.from {
        From::Me => format!("{at} {}: {said}", texts.get("me", &[])),
        From::Them(person) => format!("{at} {}: {said}", texts.person(person)),
        From::System => format!("{at} {said}"),
    };
    line + &output::state(row, chat, texts)
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
/// How often it is looked whether somebody has come.
const AGAIN: Duration = Duration::from_secs(2);
