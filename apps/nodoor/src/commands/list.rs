// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where chats stand in the list: pins, archive, mutes, folders; the chat with oneself.

use std::time::{SystemTime, UNIX_EPOCH};

use nodoor_view::{
    command::{Command, Reply},
    list::{self, ALWAYS, Folder},
    model::{ConversationId, Milliseconds},
};

use super::people::{changed, conversation_line, print};
use crate::{
    arguments::{ListVerb, MuteSpan},
    failure::Failure,
    output::{Conversation, FolderRow},
    session::Session,
    target::Target,
};

pub(super) async fn run(session: &Session, verb: &ListVerb) -> Result<(), Failure> {
    match verb {
        ListVerb::Pin { to, off } => {
            place(session, to, |conversation| list::Command::Pin { conversation, on: !off }).await
        }
        ListVerb::Archive { to, off } => {
            place(session, to, |conversation| list::Command::Archive { conversation, on: !off })
                .await
        }
        ListVerb::Mute { to, span } => {
            let until = until(*span);
            place(session, to, |conversation| list::Command::Mute { conversation, until }).await
        }
        ListVerb::Unread { to } => {
            place(session, to, |conversation| list::Command::Mark { conversation, on: true }).await
        }
        ListVerb::Folders => {
            for folder in folders(session, list::Command::Folders).await? {
                let line = format!("{} ({})", folder.name, folder.conversations.len());
                print(session, &FolderRow::new(&folder), &line)?;
            }
            Ok(())
        }
        ListVerb::Folder { name, to: Some(to), off } => put(session, name, to, *off).await,
        ListVerb::Folder { name, to: None, off: true } => {
            let id = folder(session, name).await?.ok_or(NO_FOLDER)?.id;
            folders(session, list::Command::RemoveFolder { id }).await?;
            session.finish().await;
            Ok(())
        }
        ListVerb::Folder { name, to: None, off: false } => {
            let folder = folder(session, name).await?.ok_or(NO_FOLDER)?;
            let mut chats = session.conversations().await?;
            chats.retain(|chat| folder.conversations.contains(&chat.id));
            chats.iter().try_for_each(|row| {
                print(session, &Conversation::new(row), &conversation_line(row, &session.texts))
            })
        }
        ListVerb::Saved => {
            let row = session.conversation(of(list::Command::Saved)).await?;
            changed(session, &row.reference).await
        }
    }
}

fn of(of: list::Command) -> Command {
    Command::List { of }
}

fn until(span: MuteSpan) -> Milliseconds {
    let MuteSpan(Some(seconds)) = span else { return ALWAYS };
    if seconds == 0 {
        return Milliseconds(0);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Milliseconds(u64::try_from(now).unwrap_or(u64::MAX) + u64::from(seconds) * 1000)
}

async fn place(
    session: &Session,
    to: &Target,
    what: impl FnOnce(ConversationId) -> list::Command,
) -> Result<(), Failure> {
    let row = session.open_chat(to).await?;
    session.do_it(of(what(row.id))).await?;
    changed(session, &row.reference).await
}

async fn folders(session: &Session, what: list::Command) -> Result<Vec<Folder>, Failure> {
    match session.ask(of(what)).await? {
        Reply::Folders(folders) => Ok(folders),
        _ => Err(Failure::unexpected()),
    }
}

async fn folder(session: &Session, name: &str) -> Result<Option<Folder>, Failure> {
    let mut all = folders(session, list::Command::Folders).await?.into_iter();
    Ok(all.find(|folder| folder.name == name.trim()))
}

/// Puts a chat into a folder, or takes it out.
async fn put(session: &Session, name: &str, to: &Target, off: bool) -> Result<(), Failure> {
    let chat = session.open_chat(to).await?;
    let all = folders(session, list::Command::Folders).await?;
    let known = all.iter().find(|folder| folder.name == name.trim()).cloned();
    let order = all.iter().map(|folder| folder.order + 1).max().unwrap_or(0);
    let mut folder = match known {
        Some(folder) => folder,
        None if off => return Err(NO_FOLDER),
        None => {
            Folder { id: String::new(), name: name.to_owned(), order, conversations: Vec::new() }
        }
    };
    folder.conversations.retain(|id| *id != chat.id);
    if !off {
        folder.conversations.push(chat.id);
    }
    folders(session, list::Command::SetFolder { folder }).await?;
    changed(session, &chat.reference).await
}

/// There is no folder of that name.
const NO_FOLDER: Failure = Failure::Said("not_found", "no-such-folder");
