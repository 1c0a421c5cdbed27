// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is done with a message that is there: answer, edit, delete, react, pin, forward, open once; and how long messages stay.
//!
//! Each prints the ids of the message and its conversation once it is on disk, and waits until the server has it.

use nodoor_view::{
    command::{Command, Reply},
    message::{self, Command as OfMessages},
    model::{ConversationId, ConversationRow, MessageDetail, MessageId, MessageRow, ProblemKind},
};

use super::{
    account,
    messages::{deliver, print_message, text_or_input},
    people::{changed, print},
};
use crate::{
    failure::Failure,
    output::{self, Sent},
    session::Session,
    target::Target,
};

pub(super) async fn reply(session: &Session, reference: &str, text: &str) -> Result<(), Failure> {
    let text = text_or_input(text)?;
    let answered = find(session, reference).await?.row;
    let chat = chat(session, answered.conversation).await?;
    deliver(session, &chat, of(OfMessages::Reply { to: answered.id, text })).await
}

pub(super) async fn forward(
    session: &Session,
    reference: &str,
    to: &Target,
) -> Result<(), Failure> {
    let message = find(session, reference).await?.row.id;
    let chat = session.open_chat(to).await?;
    deliver(session, &chat, of(OfMessages::Forward { message, to: chat.id })).await
}

pub(super) async fn edit(session: &Session, reference: &str, text: &str) -> Result<(), Failure> {
    let text = text_or_input(text)?;
    let changed = change(session, reference, |message| OfMessages::Edit { message, text }).await;
    changed.map_err(|failure| said(failure, ProblemKind::NotAllowed, "edit-not-allowed"))
}

pub(super) async fn react(session: &Session, reference: &str, emoji: &str) -> Result<(), Failure> {
    let emoji = emoji.trim().to_owned();
    let changed = change(session, reference, |message| OfMessages::React { message, emoji }).await;
    changed.map_err(|failure| said(failure, ProblemKind::Size, "react-one-emoji"))
}

pub(super) async fn pin(session: &Session, reference: &str, off: bool) -> Result<(), Failure> {
    change(session, reference, |message| OfMessages::Pin { message, on: !off }).await
}

pub(super) async fn delete(
    session: &Session,
    reference: &str,
    everyone: bool,
) -> Result<(), Failure> {
    if everyone {
        let delete = |message| OfMessages::DeleteForEveryone { message };
        let changed = change(session, reference, delete).await;
        return changed
            .map_err(|failure| said(failure, ProblemKind::NotAllowed, "delete-not-allowed"));
    }
    let row = find(session, reference).await?.row;
    session.do_it(Command::DeleteForMe { message: row.id }).await?;
    done(session, &row).await
}

/// Prints what can be read once, and has it gone.
pub(super) async fn open(session: &Session, reference: &str) -> Result<(), Failure> {
    let me = account::profile(session).await?.handle;
    let message = find(session, reference).await?.row.id;
    let detail = detail(session.ask(of(OfMessages::Open { message })).await?)?;
    let chat = chat(session, detail.row.conversation).await?;
    print_message(session, &detail.row, &chat, &me, false)?;
    session.finish().await;
    Ok(())
}

pub(super) async fn pinned(session: &Session, to: &Target) -> Result<(), Failure> {
    let me = account::profile(session).await?.handle;
    session.look_in().await;
    let chat = session.open_chat(to).await?;
    match session.ask(of(OfMessages::Pinned { conversation: chat.id })).await? {
        Reply::Messages(page) => {
            page.rows.iter().try_for_each(|row| print_message(session, row, &chat, &me, true))
        }
        _ => Err(Failure::unexpected()),
    }
}

pub(super) async fn disappear(session: &Session, to: &Target, seconds: u32) -> Result<(), Failure> {
    let chat = session.open_chat(to).await?;
    session.do_it(of(OfMessages::Timer { conversation: chat.id, seconds })).await?;
    changed(session, &chat.reference).await
}

fn of(of: OfMessages) -> Command {
    Command::Message { of }
}

async fn change(
    session: &Session,
    reference: &str,
    what: impl FnOnce(MessageId) -> OfMessages,
) -> Result<(), Failure> {
    let message = find(session, reference).await?.row.id;
    session.do_it(of(what(message))).await?;
    // What nobody had yet has another id for being changed.
    done(session, &detail(session.ask(Command::MessageInfo { message }).await?)?.row).await
}

async fn done(session: &Session, row: &MessageRow) -> Result<(), Failure> {
    let chat = chat(session, row.conversation).await?;
    let sent = Sent { message: &row.reference, conversation: &chat.reference };
    print(session, &sent, output::short(&row.reference))?;
    session.finish().await;
    Ok(())
}

/// A sentence in place of the engine's kind of refusal.
fn said(failure: Failure, kind: ProblemKind, text: &'static str) -> Failure {
    if failure.is(kind) { Failure::Said("not_allowed", text) } else { failure }
}

/// The message that is meant; what is at the server still is fetched first if it is not here.
async fn find(session: &Session, reference: &str) -> Result<MessageDetail, Failure> {
    let command = of(message::Command::Find { reference: reference.to_owned() });
    match session.ask(command.clone()).await {
        Err(failure) if failure.is(ProblemKind::NotFound) => {
            session.look_in().await;
            match session.ask(command).await {
                Err(failure) if failure.is(ProblemKind::NotFound) => {
                    Err(Failure::Said("not_found", "no-such-message"))
                }
                answer => detail(answer?),
            }
        }
        answer => detail(answer?),
    }
}

fn detail(reply: Reply) -> Result<MessageDetail, Failure> {
    match reply {
        Reply::Message(detail) => Ok(detail),
        _ => Err(Failure::unexpected()),
    }
}

async fn chat(session: &Session, id: ConversationId) -> Result<ConversationRow, Failure> {
    let rows = session.conversations().await?;
    rows.into_iter().find(|row| row.id == id).ok_or(crate::session::NO_CONVERSATION)
}
