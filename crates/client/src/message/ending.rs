// SPDX-License-Identifier: AGPL-3.0-or-later
//! The end of a message: a time after it was read, or once it was looked at.
//!
//! A row `h/<when><message>` says when a message goes; it goes from this disk alone, and each device counts for itself. It is
//! a courtesy between people, as the chat says.
//!
//! Spec: `docs/book/protocol.md`, 6 and 7.

use nodoor_e2ee::content::Expiry;
use nodoor_view::{
    event::Event,
    model::{Content, MessageDetail, MessageId},
};

use crate::{
    rows::{Message, State, Stored, key},
    step::Step,
};

/// The longest time that a timer is believed to mean, seconds: a year.
pub(crate) const LONGEST: u32 = 366 * 24 * 3600;

impl Step<'_> {
    /// The time of a message that disappears begins: it was read here, or sent by us. One with a fixed end has it from the
    /// start.
    pub(crate) fn begin_ending(&mut self, message: &mut Message, read: bool) -> bool {
        let expires = message.content.said().and_then(|said| said.expires);
        let at = match expires {
            _ if message.marks.ends_at.is_some() => return false,
            Some(Expiry { relative: true, seconds }) if read => {
                self.now + u64::from(seconds.clamp(1, LONGEST)) * 1000
            }
            Some(Expiry { relative: false, seconds }) => u64::from(seconds) * 1000,
            _ => return false,
        };
        message.marks.ends_at = Some(at);
        self.disk.put(key::ending(at, message.id), &());
        true
    }

    /// Takes away the messages whose time is over.
    pub(crate) fn end_messages(&mut self) {
        for row in self.disk.keys(key::ENDINGS, usize::MAX) {
            let Some((at, id)) = key::read_ending(&row) else {
                self.disk.remove(&row);
                continue;
            };
            if at > self.now {
                return;
            }
            self.live.files.check = true;
            self.disk.remove(&row);
            self.disk.remove(&key::deleted(id));
            if let Some(mut message) = self.message(id) {
                self.unpin(&mut message);
                self.drop_message(message.conversation, id);
                self.disk.remove(&key::conversation_of(id));
                self.last_line_changed(message.conversation);
                self.tell(Event::MessageGone { conversation: message.conversation, message: id });
            }
        }
    }

    /// When the next one's is.
    pub(crate) fn ending_due(&self) -> Option<u64> {
        let first = self.disk.keys(key::ENDINGS, 1);
        first.first().and_then(|row| key::read_ending(row)).map(|(at, _)| at)
    }

    /// Shows a message that is shown once, and takes it off the disk. Nothing if it is none, or was shown.
    pub(crate) fn open_once(&mut self, id: MessageId) -> Option<MessageDetail> {
        let mut message = self.message(id)?;
        let said = message.content.said().filter(|said| said.once)?;
        let mine = message.from.is_none_or(|from| self.is_me(&from));
        if mine {
            return None;
        }
        let content: Content = self.body_shown(&said.body);
        message.marks.opened = true;
        self.take_out(&mut message);
        let mut detail = self.message_detail(id)?;
        detail.row.content = content;
        Some(detail)
    }

    /// What is shown once is not kept by whoever wrote it either, once the server has it.
    pub(crate) fn was_sent_once(&mut self, message: &mut Message) {
        if message.state != Some(State::Waiting) && message.content.said().is_some_and(|it| it.once)
        {
            message.content = Stored::Gone;
        }
    }
}
