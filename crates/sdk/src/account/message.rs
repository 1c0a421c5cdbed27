// SPDX-License-Identifier: AGPL-3.0-or-later
//! Messages as a program reads them, and the past of a chat page by page.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use nodoor_view::{
    command::{Command, Place, Reply},
    model::{Content, From, MessageId, MessageRow, Person},
    text::Texts,
};

use super::{Account, Chat, Error};

/// A message somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The same on every device, hexadecimal. Of one's own that was not sealed yet, it may be empty or change once.
    pub id: String,
    /// Where.
    pub chat: Chat,
    /// Who. What they say of themselves is their word; the account and the handle are checked.
    pub from: Sender,
    /// What.
    pub body: Body,
    /// When, as its sender says.
    pub sent_at: SystemTime,
    pub(super) row: MessageId,
}

/// Who wrote something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Sender {
    /// Account id, hexadecimal; empty for oneself.
    pub account: String,
    /// Without `@`; empty if the account has none, and for oneself.
    pub handle: String,
    /// The name they gave themselves, as they wrote it; empty if none.
    pub name: String,
    /// They say that a program speaks. Who answers bots in public may talk for ever.
    pub is_bot: bool,
    /// Oneself, on this device or another.
    pub is_me: bool,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// Text; of a formatted one what it says, with names in place of mentions.
    Text(String),
    /// A file, which [`Account::save`] fetches.
    File(Attachment),
    /// Deleted, to be read once, or of a later version.
    Other,
}

/// A file, before it is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attachment {
    /// A name without folders; never empty.
    pub name: String,
    /// Its sender's word for what it is.
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    /// What stands under it.
    pub caption: String,
}

/// What was said in a chat, oldest first, read from this disk as it is asked for.
pub struct Messages<'a> {
    account: &'a Account,
    chat: Chat,
    after: MessageId,
    over: bool,
    ready: VecDeque<Message>,
}

impl Messages<'_> {
    /// The next one; nothing after the last.
    ///
    /// # Errors
    /// [`super::Error::Refused`] if the disk fails.
    pub async fn next(&mut self) -> Result<Option<Message>, Error> {
        while self.ready.is_empty() && !self.over {
            let (rows, more) = self.account.rows_after(&self.chat, self.after).await?;
            self.over = !more;
            self.after = rows.last().map_or(self.after, |row| row.id);
            let texts = &self.account.texts;
            let said = rows.iter().filter_map(|row| Message::of(row, &self.chat, texts));
            self.ready.extend(said);
        }
        Ok(self.ready.pop_front())
    }
}

impl Account {
    /// What was said in a chat, oldest first. Lines of the app are left out.
    #[must_use]
    pub fn messages(&self, chat: &Chat) -> Messages<'_> {
        let (after, ready) = (MessageId(0), VecDeque::new());
        Messages { account: self, chat: chat.clone(), after, over: false, ready }
    }

    /// Rows after one, and whether there are more.
    pub(crate) async fn rows_after(
        &self,
        chat: &Chat,
        message: MessageId,
    ) -> Result<(Vec<MessageRow>, bool), Error> {
        let at = Place::After { message };
        match self.ask(Command::Messages { conversation: chat.row, at, limit: PAGE }).await? {
            Reply::Messages(page) => Ok((page.rows, page.more_after)),
            _ => Err(Error::Internal),
        }
    }
}

impl Message {
    /// Nothing for a line of the app.
    pub(super) fn of(row: &MessageRow, chat: &Chat, texts: &Texts) -> Option<Self> {
        let from = match &row.from {
            From::Me => Sender::me(),
            From::Them(person) => Sender::of(person),
            From::System => return None,
        };
        let body = match &row.content {
            Content::Text(text) => Body::Text(text.clone()),
            Content::Markdown { .. } => Body::Text(texts.content(&row.from, &row.content)),
            Content::File(file) => Body::File(Attachment {
                name: file.name.clone(),
                content_type: file.content_type.clone(),
                size: file.size,
                caption: file.caption.clone(),
            }),
            Content::System(_) => return None,
            Content::Deleted | Content::Once { .. } | Content::NeedsNewerVersion => Body::Other,
        };
        let sent_at = SystemTime::UNIX_EPOCH + Duration::from_millis(row.sent_at.0);
        let (id, chat) = (row.reference.clone(), chat.clone());
        Some(Self { id, chat, from, body, sent_at, row: row.id })
    }
}

impl Sender {
    pub(super) fn of(person: &Person) -> Self {
        let Person { account, handle, name, bot: is_bot } = person.clone();
        Self { account, handle, name, is_bot, is_me: false }
    }

    fn me() -> Self {
        let (account, handle, name) = Default::default();
        Self { account, handle, name, is_bot: false, is_me: true }
    }
}

/// Rows asked for at once.
const PAGE: u32 = 200;
