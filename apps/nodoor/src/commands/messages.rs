// SPDX-License-Identifier: AGPL-3.0-or-later
//! Messages: send, receive, history.

use std::{io::Read, time::Duration};

use nodoor_view::{
    command::{Command, Place, Reply},
    event::Event,
    message,
    model::{
        Content, ConversationId, ConversationRow, From, Kind, MessageId, MessagePage, MessageRow,
        ProblemKind, SendState, Writable,
    },
};
use tokio::time::{Instant, timeout_at};

use super::{account, devices::said, people::print};
use crate::{
    failure::Failure,
    output::{self, Message, Sent},
    session::Session,
    target::Target,
};

/// Sends, and waits for the server's yes.
pub(super) async fn send(
    session: &Session,
    to: &Target,
    text: &str,
    once: bool,
) -> Result<(), Failure> {
    let text = text_or_input(text)?;
    // Without the server nobody new is found, and what there is no chat for is kept nowhere.
    let chat = session.open_chat(to).await.map_err(|failure| match failure {
        failure if failure.is(ProblemKind::Offline) => Failure::Said("offline", "not-kept"),
        failure => failure,
    })?;
    let conversation = chat.id;
    let command = if once {
        Command::Message { of: message::Command::SendOnce { conversation, text } }
    } else {
        Command::SendText { conversation, text }
    };
    deliver(session, &chat, command).await
}

/// Asks for what sends a message, prints its id and waits for the server's yes.
pub(super) async fn deliver(
    session: &Session,
    chat: &ConversationRow,
    command: Command,
) -> Result<(), Failure> {
    let mut events = session.events();
    let mut held = chat.writable == Writable::Disputed;
    let Reply::Sent(mut row) = session.ask(command).await? else {
        return Err(Failure::unexpected());
    };
    // The id of a first message is known once its room is: hence printed after the wait.
    let until = Instant::now() + SEND_WAIT;
    while !held && matches!(row.state, Some(SendState::Waiting) | None) {
        match timeout_at(until, events.next()).await {
            Ok(Some(Event::Message { row: told, .. })) if told.id == row.id => row = told,
            Ok(Some(Event::Conversation { row: told })) if told.id == chat.id => {
                held |= told.writable == Writable::Disputed;
                if held {
                    break;
                }
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break,
        }
    }
    let sent = Sent { message: &row.reference, conversation: &chat.reference };
    print(session, &sent, output::short(&row.reference))?;
    match row.state {
        Some(SendState::Sent | SendState::Delivered | SendState::Read) => Ok(()),
        Some(SendState::NotSent { reason }) => Err(Failure::Problem(reason)),
        // It is on disk, which is what was asked; the next command with a connection sends it.
        Some(SendState::Waiting) | None if held => {
            let name = [("name", (&chat.title).into())];
            eprintln!("nodoor: {}", session.texts.get("read-only-disputed", &name));
            Ok(())
        }
        Some(SendState::Waiting) | None => {
            eprintln!("nodoor: {}", session.texts.get("waits-on-disk", &[]));
            Ok(())
        }
    }
}

/// Prints what was not read yet. Without `wait` what is here or at the server now; else as soon as there are
/// `count`, or the time is over.
pub(super) async fn receive(
    session: &Session,
    wait: Option<u32>,
    count: usize,
    ids: bool,
) -> Result<(), Failure> {
    let me = account::profile(session).await?.handle;
    let mut events = session.events();
    let mut printed = 0;
    if let Some(seconds) = wait {
        let until = Instant::now() + Duration::from_secs(seconds.into());
        loop {
            printed += unread(session, &me, ids).await?;
            if printed >= count {
                break;
            }
            let arrival = async {
                while let Some(event) = events.next().await {
                    if let Some(said) = said(&event, &session.texts) {
                        eprintln!("nodoor: {said}");
                    }
                    if matches!(
                        event,
                        Event::Message { new: true, .. } | Event::Conversation { .. }
                    ) {
                        return true;
                    }
                }
                false
            };
            if !timeout_at(until, arrival).await.unwrap_or(false) {
                break;
            }
        }
    }
    // What came along with it, and acknowledgements and receipts on their way out.
    session.look_in().await;
    unread(session, &me, ids).await?;
    session.catch_up().await;
    let requests = u32::try_from(session.requests().await?.len()).unwrap_or(u32::MAX);
    if requests > 0 {
        let said = session.texts.get("requests-wait", &[("count", requests.into())]);
        eprintln!("nodoor: {said}");
    }
    Ok(())
}

/// Prints and marks what is unread here. How many messages that was.
async fn unread(session: &Session, me: &str, ids: bool) -> Result<usize, Failure> {
    let mut printed = 0;
    for chat in session.conversations().await? {
        let Some(first) = chat.first_unread.filter(|_| chat.unread > 0) else { continue };
        let mut rows = vec![];
        let mut page = messages(session, chat.id, Place::Unread).await?;
        loop {
            let last = page.rows.last().map(|row| row.id);
            rows.append(&mut page.rows);
            match last.filter(|_| page.more_after) {
                Some(message) => {
                    page = messages(session, chat.id, Place::After { message }).await?
                }
                None => break,
            }
        }
        let Some(up_to) = rows.last().map(|row| row.id) else { continue };
        for row in rows.iter().filter(|row| is_news(row, first)) {
            print_message(session, row, &chat, me, ids)?;
            printed += 1;
        }
        session.do_it(Command::MarkRead { conversation: chat.id, up_to }).await?;
    }
    Ok(printed)
}

fn is_news(row: &MessageRow, first: MessageId) -> bool {
    let theirs = matches!(row.from, From::Them(_));
    row.id >= first && theirs && !matches!(row.content, Content::System(_))
}

/// Prints the newest `limit` messages (all without one), oldest first.
pub(super) async fn history(
    session: &Session,
    to: &Target,
    limit: Option<usize>,
    ids: bool,
) -> Result<(), Failure> {
    let me = account::profile(session).await?.handle;
    session.look_in().await;
    let Some(chat) = past(session, to).await? else { return Ok(()) };
    let mut rows: Vec<MessageRow> = Vec::new();
    let mut place = Place::Newest;
    let wanted = limit.unwrap_or(usize::MAX);
    while rows.len() < wanted {
        let mut page = messages(session, chat.id, place).await?;
        let oldest = page.rows.first().map(|row| row.id);
        page.rows.append(&mut rows);
        rows = page.rows;
        match oldest.filter(|_| page.more_before) {
            Some(message) => place = Place::Before { message },
            None => break,
        }
    }
    let surplus = rows.len().saturating_sub(wanted);
    for row in rows.iter().skip(surplus) {
        print_message(session, row, &chat, &me, ids)?;
    }
    Ok(())
}

/// The chat or request that is meant. With somebody one never wrote to there is none, and none is made to look.
async fn past(session: &Session, to: &Target) -> Result<Option<ConversationRow>, Failure> {
    if let (None, Target::Handle(handle)) = (session.known(to).await?, to) {
        match session.ask(Command::Find { handle: handle.clone() }).await? {
            Reply::Person(person) if person.conversation.is_none() && !person.me => {
                return Ok(None);
            }
            _ => {}
        }
    }
    session.open_chat(to).await.map(Some)
}

async fn messages(
    session: &Session,
    conversation: ConversationId,
    at: Place,
) -> Result<MessagePage, Failure> {
    match session.ask(Command::Messages { conversation, at, limit: PAGE }).await? {
        Reply::Messages(page) => Ok(page),
        _ => Err(Failure::unexpected()),
    }
}

/// Prints a row; `ids` puts the first digits of its id before the line for people.
pub(super) fn print_message(
    session: &Session,
    row: &MessageRow,
    chat: &ConversationRow,
    me: &str,
    ids: bool,
) -> Result<(), Failure> {
    let message = Message::new(row, chat, me, &session.texts);
    let who = match &row.from {
        From::Me => session.texts.get("me", &[]),
        From::Them(person) => output::address(person),
        From::System => String::new(),
    };
    let place = if chat.kind == Kind::Group { format!(" [{}]", chat.title) } else { String::new() };
    let said = output::said(row, &session.texts);
    let id = if ids { format!("{:8}  ", output::short(&row.reference)) } else { String::new() };
    let colon = if who.is_empty() { "" } else { ":" };
    let state = output::state(row, chat, &session.texts);
    let line = format!("{id}{}{place} {who}{colon} {said}{state}", output::local(row.sent_at));
    print(session, &message, &line)
}

/// What was typed; for `-` what standard input has.
pub(super) fn text_or_input(text: &str) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::system(&error))?;
    // The line break that ends the last line is the shell's, not the message's.
    Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
}

const SEND_WAIT: Duration = Duration::from_secs(10);
const PAGE: u32 = 200;
