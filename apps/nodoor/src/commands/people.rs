// SPDX-License-Identifier: AGPL-3.0-or-later
//! Chats and requests: list, accept, decline, block.

use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, ConversationRow, Kind},
    text::Texts,
};

use crate::{
    failure::Failure,
    output::{self, Changed, Conversation, Request},
    session::{NO_CONVERSATION, NO_REQUEST, Session},
    target::Target,
};

pub(super) async fn conversations(session: &Session) -> Result<(), Failure> {
    session.look_in().await;
    for row in session.conversations().await? {
        print(session, &Conversation::new(&row), &conversation_line(&row, &session.texts))?;
    }
    Ok(())
}

/// Id, title, how many are unread, and where it stands in the list.
pub(super) fn conversation_line(row: &ConversationRow, texts: &Texts) -> String {
    let unread = if row.unread > 0 { format!(" ({})", row.unread) } else { String::new() };
    let place = &row.place;
    let words = [
        (place.pinned_at.is_some(), "place-pinned"),
        (place.archived, "place-archived"),
        (place.muted_until.0 > 0, "place-muted"),
        (place.marked, "place-unread"),
    ];
    let words = words.into_iter().filter(|(applies, _)| *applies);
    let words: Vec<String> = words.map(|(_, id)| texts.get(id, &[])).collect();
    let words = if words.is_empty() { String::new() } else { format!("  [{}]", words.join(", ")) };
    format!("{}  {}{unread}{words}", output::short(&row.reference), row.title)
}

pub(super) async fn requests(session: &Session) -> Result<(), Failure> {
    session.look_in().await;
    for row in session.requests().await? {
        let short = output::short(&row.reference);
        let said = output::request(&row, &session.texts);
        let line = match row.kind {
            Kind::Direct => format!("{short}  {}: {said}", output::address(&row.from)),
            Kind::Group => format!("{short}  {said}"),
        };
        print(session, &Request::new(&row, &said), &line)?;
    }
    Ok(())
}

pub(super) async fn accept(session: &Session, to: &Target) -> Result<(), Failure> {
    session.catch_up().await;
    let request = session.request(to).await?.ok_or(NO_REQUEST)?;
    session.conversation(Command::Accept { conversation: request.conversation }).await?;
    changed(session, &request.reference).await
}

pub(super) async fn decline(session: &Session, to: &Target) -> Result<(), Failure> {
    session.catch_up().await;
    let request = session.request(to).await?.ok_or(NO_REQUEST)?;
    session.do_it(Command::Decline { conversation: request.conversation }).await?;
    changed(session, &request.reference).await
}

pub(super) async fn block(session: &Session, to: &Target) -> Result<(), Failure> {
    session.catch_up().await;
    let (conversation, reference): (ConversationId, String) = match session.request(to).await? {
        Some(request) => (request.conversation, request.reference),
        None => {
            let row = session.open_chat(to).await?;
            (row.id, row.reference)
        }
    };
    session.do_it(Command::Block { conversation }).await?;
    changed(session, &reference).await
}

pub(super) async fn unblock(session: &Session, to: &Target) -> Result<(), Failure> {
    let Reply::Conversations(blocked) = session.ask(Command::Blocked).await? else {
        return Err(Failure::unexpected());
    };
    let row = to.pick(blocked, |row| {
        (row.person.as_ref().map_or("", |person| &person.handle), &row.reference)
    })?;
    let row = row.ok_or(NO_CONVERSATION)?;
    session.do_it(Command::Unblock { conversation: row.id }).await?;
    changed(session, &row.reference).await
}

/// Prints which conversation it was, and waits until the server has it.
pub(super) async fn changed(session: &Session, reference: &str) -> Result<(), Failure> {
    let short = output::short(reference);
    print(session, &Changed { conversation: reference }, short)?;
    session.finish().await;
    Ok(())
}

pub(super) fn print(
    session: &Session,
    row: &impl serde::Serialize,
    line: &str,
) -> Result<(), Failure> {
    output::row(session.json, row, line).map_err(|error| Failure::system(&error))
}
