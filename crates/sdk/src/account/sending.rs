// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a program says: text, answers, reactions, files; and what it writes to disk.

use std::{io::Write, path::Path, time::Duration};

use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    file::{self, Event as FileEvent},
    message,
    model::{Problem, ProblemKind, SendState},
};
use tokio::time::timeout;

use super::{Account, Chat, Error, Message};
use crate::{export, native::Events};

impl Account {
    /// Sends a text. On disk when this returns, in its place; [`Account::wait_sent`] waits for the server.
    ///
    /// # Errors
    /// [`Error::Refused`] with `Size` (empty, or over 64 KiB), `NotAMember`, `Blocked`.
    pub async fn send(&self, chat: &Chat, text: &str) -> Result<Message, Error> {
        let (conversation, text) = (chat.row, text.to_owned());
        self.sent(chat, Command::SendText { conversation, text }).await
    }

    /// Sends a text as the answer to a message.
    ///
    /// # Errors
    /// As [`Account::send`].
    pub async fn reply(&self, to: &Message, text: &str) -> Result<Message, Error> {
        let of = message::Command::Reply { to: to.row, text: text.to_owned() };
        self.sent(&to.chat, Command::Message { of }).await
    }

    /// Reacts with one emoji, in place of the reaction before; with none, takes it back.
    ///
    /// # Errors
    /// [`Error::Refused`] with `Size` for what is no emoji, or as [`Account::send`].
    pub async fn react(&self, to: &Message, emoji: &str) -> Result<(), Error> {
        let of = message::Command::React { message: to.row, emoji: emoji.to_owned() };
        self.ask(Command::Message { of }).await.map(drop)
    }

    /// Sends a file of at most 2 GiB, which stays as it is until it is sealed. What a camera wrote into a picture is left
    /// out. On disk, in its place, when this returns; `wait_sent` waits until all of it is at the server.
    ///
    /// # Errors
    /// [`Error::System`] if there is no such file, or as [`Account::send`].
    pub async fn send_file(
        &self,
        chat: &Chat,
        path: &Path,
        caption: &str,
    ) -> Result<Message, Error> {
        if !path.metadata()?.is_file() {
            return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput).into());
        }
        let of = file::Command::Send {
            conversation: chat.row,
            path: absolute(path)?,
            name: String::new(),
            caption: caption.to_owned(),
            milliseconds: 0,
            waveform: Vec::new(),
        };
        self.sent(chat, Command::File { of }).await
    }

    /// Fetches the file of a message and writes it to `path`, where nothing may be. It is checked before anything is there.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` (no file, or no longer at the server), `Forged`, `Disk` (or the place is taken),
    /// `Offline` when nothing moved for half a minute.
    pub async fn save(&self, message: &Message, path: &Path) -> Result<(), Error> {
        let mut events = self.client.events();
        let of = file::Command::Save { message: message.row, path: absolute(path)? };
        self.ask(Command::File { of }).await?;
        loop {
            match next(&mut events).await? {
                Event::File { what: FileEvent::Saved { message: of } } if of == message.row => {
                    return Ok(());
                }
                Event::File { what: FileEvent::Failed { message: of, problem } }
                    if of == message.row =>
                {
                    return Err(problem.into());
                }
                _ => {}
            }
        }
    }

    /// Waits until the server has a message of one's own, and gives it as it then is.
    ///
    /// # Errors
    /// [`Error::Refused`]: `Offline` when nothing moved for half a minute (it is on disk, and goes out later); else it was
    /// refused for good.
    pub async fn wait_sent(&self, message: &Message) -> Result<Message, Error> {
        let mut events = self.client.events();
        let about = Command::MessageInfo { message: message.row };
        let Reply::Message(detail) = self.ask(about).await? else {
            return Err(Error::Internal);
        };
        let mut row = detail.row;
        loop {
            match row.state {
                Some(SendState::Sent | SendState::Delivered | SendState::Read) => {
                    return Message::of(&row, &message.chat, &self.texts).ok_or(Error::Internal);
                }
                Some(SendState::NotSent { reason }) => return Err(reason.into()),
                Some(SendState::Waiting) | None => {}
            }
            row = loop {
                match next(&mut events).await? {
                    Event::Message { row, .. } if row.id == message.row => break row,
                    _ => {}
                }
            };
        }
    }

    /// Writes a chat in the JSON form of `docs/book/export.md`, a page of messages in memory at a time. How many there were.
    ///
    /// # Errors
    /// [`Error::System`] of `to`; [`Error::Refused`] if the disk fails.
    pub async fn export(&self, chat: &Chat, to: &mut impl Write) -> Result<u64, Error> {
        let Reply::Conversations(rows) = self.ask(Command::Conversations).await? else {
            return Err(Error::Internal);
        };
        let gone = Problem { kind: ProblemKind::NotFound, code: 0, wait_seconds: 0 };
        let row = rows.into_iter().find(|row| row.id == chat.row).ok_or(gone)?;
        let me = self.me().await?.map(|me| me.handle).unwrap_or_default();
        to.write_all(export::begin(&row, &me).as_bytes())?;
        let (mut count, mut after) = (0, nodoor_view::model::MessageId(0));
        loop {
            let (rows, more) = self.rows_after(chat, after).await?;
            for row in &rows {
                let comma = if count > 0 { ",\n" } else { "\n" };
                write!(to, "{comma}{}", export::message(row, &self.texts))?;
                count += 1;
            }
            match rows.last().filter(|_| more) {
                Some(last) => after = last.id,
                None => break,
            }
        }
        to.write_all(export::END.as_bytes())?;
        to.flush()?;
        Ok(count)
    }

    async fn sent(&self, chat: &Chat, command: Command) -> Result<Message, Error> {
        match self.ask(command).await? {
            Reply::Sent(row) => Message::of(&row, chat, &self.texts).ok_or(Error::Internal),
            _ => Err(Error::Internal),
        }
    }
}

/// The next event of something that moves.
async fn next(events: &mut Events) -> Result<Event, Error> {
    match timeout(QUIET, events.next()).await {
        Ok(Some(event)) => Ok(event),
        Ok(None) => Err(Error::Internal),
        Err(_) => Err(Problem { kind: ProblemKind::Offline, code: 0, wait_seconds: 0 }.into()),
    }
}

fn absolute(path: &Path) -> Result<String, Error> {
    let path = std::path::absolute(path)?;
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidFilename).into())
}

/// So long nothing may be heard of what moves.
const QUIET: Duration = Duration::from_secs(30);
