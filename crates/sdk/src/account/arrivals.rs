// SPDX-License-Identifier: AGPL-3.0-or-later
//! What comes, in the order it came: messages not seen yet, and requests.
//!
//! Events only say where to look; what is told is read from disk. So nothing is missed that came while the program was
//! off, or while it was busy.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use nodoor_view::{
    command::{Command, Reply},
    event::Event,
    model::{ConversationId, ConversationRow, MessageId},
};

use super::{Account, Chat, Error, Message, Request};
use crate::native::Events;

/// Something that came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrival {
    /// A message of somebody else, in a chat that is accepted.
    Message(Message),
    /// Somebody new.
    Request(Request),
}

/// What comes, without end.
///
/// A message comes again in the next run, and to the next [`Arrivals`], until [`Account::seen`] was called for it or a later
/// one of its chat: what a program was doing when it died, it does again.
pub struct Arrivals<'a> {
    account: &'a Account,
    events: Events,
    ready: VecDeque<Arrival>,
    /// The last message told of each chat.
    told: HashMap<ConversationId, MessageId>,
    /// Requests told.
    asked: HashSet<ConversationId>,
    begun: bool,
}

impl Account {
    /// What was not seen yet, and then what comes.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals<'_> {
        Arrivals {
            account: self,
            events: self.client.events(),
            ready: VecDeque::new(),
            told: HashMap::new(),
            asked: HashSet::new(),
            begun: false,
        }
    }

    /// A message was dealt with, and all before it in its chat: they do not arrive again. Where read marks are on, its
    /// sender is told that it was read.
    ///
    /// # Errors
    /// [`Error::Refused`] if the disk fails.
    pub async fn seen(&self, message: &Message) -> Result<(), Error> {
        let (conversation, up_to) = (message.chat.row, message.row);
        self.ask(Command::MarkRead { conversation, up_to }).await.map(drop)
    }
}

impl Arrivals<'_> {
    /// The next one; waits for it. Nothing when the account was closed.
    ///
    /// # Errors
    /// [`Error::Refused`] if the disk fails; asked again, it goes on.
    pub async fn next(&mut self) -> Result<Option<Arrival>, Error> {
        if !self.begun {
            self.look_at_all().await?;
            self.begun = true;
        }
        loop {
            if let Some(arrival) = self.ready.pop_front() {
                return Ok(Some(arrival));
            }
            match self.events.next().await {
                None => return Ok(None),
                Some(Event::Conversation { row }) if !row.request => self.look_at(&row).await?,
                Some(Event::Requests { .. }) => self.look_at_requests().await?,
                Some(_) => {}
            }
        }
    }

    /// The same, of what is here or at the server now. Nothing once that is told.
    ///
    /// # Errors
    /// As [`Arrivals::next`].
    pub async fn next_waiting(&mut self) -> Result<Option<Arrival>, Error> {
        if self.ready.is_empty() {
            self.account.finish().await;
            self.look_at_all().await?;
            self.begun = true;
        }
        Ok(self.ready.pop_front())
    }

    async fn look_at_all(&mut self) -> Result<(), Error> {
        if let Reply::Conversations(rows) = self.account.ask(Command::Conversations).await? {
            for row in rows.iter().rev() {
                self.look_at(row).await?;
            }
        }
        self.look_at_requests().await
    }

    async fn look_at(&mut self, row: &ConversationRow) -> Result<(), Error> {
        let Some(first) = row.first_unread.filter(|_| row.unread > 0) else { return Ok(()) };
        let unread = MessageId(first.0.saturating_sub(1));
        let mut after = self.told.get(&row.id).copied().unwrap_or(unread).max(unread);
        let chat = Chat::of(row);
        loop {
            let (rows, more) = self.account.rows_after(&chat, after).await?;
            after = rows.last().map_or(after, |row| row.id);
            let said = rows.iter().filter_map(|row| Message::of(row, &chat, &self.account.texts));
            self.ready.extend(said.filter(|message| !message.from.is_me).map(Arrival::Message));
            if !more || rows.is_empty() {
                self.told.insert(row.id, after);
                return Ok(());
            }
        }
    }

    async fn look_at_requests(&mut self) -> Result<(), Error> {
        let requests = self.account.requests().await?;
        let here: BTreeSet<_> = requests.iter().map(|request| request.chat.row).collect();
        // One that was declined may come again.
        self.asked.retain(|row| here.contains(row));
        for request in requests.into_iter().rev() {
            if self.asked.insert(request.chat.row) {
                self.ready.push_back(Arrival::Request(request));
            }
        }
        Ok(())
    }
}
