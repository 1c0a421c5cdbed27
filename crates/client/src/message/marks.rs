// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is said about a message later: kept with it, the same on every device whatever the order it comes in.
//!
//! Of each kind the newest counts, by `sent at` and then the message id of what says it. Who may say what: an edit and a
//! deletion only whose message it is; a reaction, a pin and a timer anybody in the chat.
//!
//! Spec: `docs/book/protocol.md`, 7.

use nodoor_e2ee::content::{Content, MimiContent};
use nodoor_view::model::{ConversationId, MessageId};
use nodoor_wire::id::{AccountId, MessageId as Reference};

use super::AHEAD;
use crate::{
    rows::{
        Conversation, Deletion, Early, Edit, Line, Message, Pin, Reaction, Report, Room, Status,
        Stored, Timer, key,
    },
    step::Step,
};

/// How long after a message an edit of it counts, milliseconds.
pub(crate) const EDITABLE: u64 = 48 * 3600 * 1000;
/// How much about messages that are not here is kept a chat.
const EARLY: usize = 200;
/// For how long, milliseconds: as long as a mailbox keeps anything.
const KEPT: u64 = 30 * 24 * 3600 * 1000;

/// What a content says about another message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// Another text in its place.
    Edit(Reference),
    /// It is deleted for everyone.
    Deletion(Reference),
    /// A reaction; empty: none any more.
    Reaction(Reference, String),
    /// It is pinned, or not any more.
    Pin(Reference, bool),
}

impl About {
    /// Nothing for what is a message of its own, and for what makes no sense.
    pub(crate) fn of(said: &MimiContent) -> Option<Self> {
        Some(match (&said.body, said.replaces, said.in_reply_to) {
            (Content::Text(_) | Content::Markdown(_) | Content::Unknown, Some(at), _) => {
                Self::Edit(at)
            }
            (Content::Nothing { reaction: false }, Some(at), _) => Self::Deletion(at),
            (Content::Reaction(emoji), _, Some(at)) => Self::Reaction(at, emoji.clone()),
            (Content::Nothing { reaction: true }, _, Some(at)) => Self::Reaction(at, String::new()),
            (Content::Pin { on }, _, Some(at)) => Self::Pin(at, *on),
            _ => return None,
        })
    }

    /// The message it is about.
    pub(crate) const fn target(&self) -> Reference {
        match self {
            Self::Edit(at) | Self::Deletion(at) | Self::Reaction(at, _) | Self::Pin(at, _) => *at,
        }
    }
}

/// Something said about a message, as it came out of its frame or as we say it ourselves.
pub(crate) struct Heard {
    /// Who says it.
    pub(crate) from: AccountId,
    /// Its MIMI id; none before ours is sealed.
    pub(crate) reference: Option<Reference>,
    /// When its sender says, milliseconds.
    pub(crate) sent_at: u64,
    /// What attributes it.
    pub(crate) report: Option<Report>,
    /// Encoded mimiContent.
    pub(crate) content: Vec<u8>,
}

impl Step<'_> {
    /// Somebody says something about a message, or about the chat's messages to come.
    pub(crate) fn hear_about(&mut self, room: &Room, said: &MimiContent, heard: Heard) {
        let Some(conversation) = self.conversation(room.conversation) else {
            return;
        };
        if let Content::Timer { seconds } = said.body {
            return self.hear_timer(&conversation, seconds, &heard);
        }
        let Some(about) = About::of(said) else {
            return;
        };
        let row = key::message_by_reference(conversation.id, &about.target());
        match self.disk.get(&row).map(MessageId) {
            Some(id) => self.mark(id, &about, heard),
            None if conversation.status == Status::Open => {
                self.keep_early(&conversation, &about.target(), heard);
            }
            None => {}
        }
    }

    /// Applies something to the row it is about, if that is here and it counts.
    pub(crate) fn mark(&mut self, id: MessageId, about: &About, heard: Heard) {
        let Some(mut message) = self.message(id) else {
            return;
        };
        let Some(author) = message.from.filter(|_| !matches!(message.content, Stored::Line(_)))
        else {
            return;
        };
        let own = author == heard.from;
        match about {
            About::Edit(_) if own => self.edited(&mut message, heard),
            About::Deletion(_) if own => self.deleted(&mut message, &heard),
            About::Reaction(_, emoji) => self.reacted(&mut message, emoji, &heard),
            About::Pin(_, on) => self.pinned(&mut message, *on, &heard),
            About::Edit(_) | About::Deletion(_) => {}
        }
    }

    fn edited(&mut self, message: &mut Message, heard: Heard) {
        let once = message.content.said().is_none_or(|said| said.once);
        // Its sender's clock may say anything; a mailbox keeps nothing longer than a month.
        let since = self.now.saturating_sub(message.received_at);
        let in_time = heard.sent_at.saturating_sub(message.sent_at) <= EDITABLE
            && heard.sent_at >= message.sent_at
            && since <= EDITABLE + KEPT;
        let newest = message.marks.edit.as_ref().map(|old| (old.sent_at, old.reference));
        if once || !in_time || newest >= Some((heard.sent_at, heard.reference)) {
            return;
        }
        let mine = self.is_me(&heard.from);
        let state = mine.then_some(crate::rows::State::Sent);
        let Heard { reference, sent_at, report, content, .. } = heard;
        message.marks.edit = Some(Edit { content, sent_at, reference, report, state });
        self.set_message(message, false);
    }

    fn deleted(&mut self, message: &mut Message, heard: &Heard) {
        let carried_out = message.marks.deletion.is_some();
        if !carried_out {
            let (sent_at, state) = (heard.sent_at, None);
            message.marks.deletion = Some(Deletion { sent_at, state, lacking: Vec::new() });
            self.take_out(message);
        }
        // Said again after a lost answer: reported again.
        let reference = message.reference.zip(heard.report.as_ref().map(|report| report.room));
        if let Some((reference, room)) = reference {
            self.report_deleted(&room, reference);
        }
    }

    /// Takes what a message said off the disk; its row stays.
    pub(crate) fn take_out(&mut self, message: &mut Message) {
        message.content = Stored::Gone;
        self.live.files.check = true;
        (message.marks.edit, message.marks.ends_at) = (None, None);
        message.marks.reactions.clear();
        self.unpin(message);
        self.set_message(message, false);
    }

    fn reacted(&mut self, message: &mut Message, emoji: &str, heard: &Heard) {
        let emoji = nodoor_view::rich::one_emoji(emoji).unwrap_or_default();
        let old = message.marks.reactions.iter().position(|one| one.by == heard.from);
        let newest = old.and_then(|at| message.marks.reactions.get(at));
        if message.marks.deletion.is_some()
            || newest
                .is_some_and(|old| (old.sent_at, old.reference) >= (heard.sent_at, heard.reference))
        {
            return;
        }
        if let Some(at) = old {
            message.marks.reactions.remove(at);
        }
        message.marks.reactions.push(Reaction {
            by: heard.from,
            emoji: emoji.to_owned(),
            sent_at: heard.sent_at,
            reference: heard.reference,
        });
        self.set_message(message, false);
    }

    fn pinned(&mut self, message: &mut Message, on: bool, heard: &Heard) {
        let at = heard.sent_at.min(self.now + AHEAD);
        let newest = message.marks.pin.as_ref().map(|old| (old.at, old.reference));
        if message.marks.deletion.is_some() || newest >= Some((at, heard.reference)) {
            return;
        }
        let was = message.marks.pin.as_ref().is_some_and(|pin| pin.on);
        message.marks.pin = Some(Pin { on, at, reference: heard.reference });
        self.set_message(message, false);
        let Some(mut conversation) = self.conversation(message.conversation) else {
            return;
        };
        conversation.pinned.retain(|one| *one != message.id);
        if on {
            conversation.pinned.push(message.id);
        }
        self.set_conversation(&conversation);
        if on && !was {
            self.line(conversation.id, Line::Pinned { by: heard.from });
        }
    }

    /// A message that goes is no pinned one.
    pub(crate) fn unpin(&mut self, message: &mut Message) {
        message.marks.pin = None;
        if let Some(mut conversation) = self.conversation(message.conversation)
            && conversation.pinned.contains(&message.id)
        {
            conversation.pinned.retain(|one| *one != message.id);
            self.set_conversation(&conversation);
        }
    }

    /// Messages of a chat disappear from now on, or no longer do.
    pub(crate) fn hear_timer(&mut self, conversation: &Conversation, seconds: u32, heard: &Heard) {
        let at = heard.sent_at.min(self.now + AHEAD);
        let old = conversation.timer.as_ref();
        if old.map(|old| (old.at, old.reference)) >= Some((at, heard.reference)) {
            return;
        }
        let before = old.map_or(0, |old| old.seconds);
        let timer = Some(Timer { seconds, at, reference: heard.reference });
        self.set_conversation(&Conversation { timer, ..conversation.clone() });
        if before != seconds {
            self.line(conversation.id, Line::Timer { by: heard.from, seconds });
        }
    }

    // ---- what comes before its message ---------------------------------------------------------

    fn keep_early(&mut self, conversation: &Conversation, target: &Reference, heard: Heard) {
        let Some(reference) = heard.reference else {
            return;
        };
        let kept = self.disk.prefixed(&key::early(conversation.id), usize::MAX);
        let old = |value: &[u8]| {
            let early = self.disk.decode::<Early>(value);
            early.is_none_or(|early| early.received_at + KEPT <= self.now)
        };
        let gone: Vec<_> =
            kept.iter().filter(|(_, value)| old(value)).map(|(row, _)| row.clone()).collect();
        gone.iter().for_each(|row| self.disk.remove(row));
        if kept.len() - gone.len() >= EARLY {
            return;
        }
        let Heard { from, sent_at, report, content, .. } = heard;
        let received_at = self.now;
        let early = Early { from, reference, sent_at, received_at, report, content };
        let number = self.number();
        self.disk.put(key::early_one(conversation.id, target, number), &early);
    }

    /// A message is here: what was said about it before it came counts now.
    pub(crate) fn hear_early(
        &mut self,
        conversation: ConversationId,
        reference: &Reference,
        id: MessageId,
    ) {
        for (row, value) in self.disk.prefixed(&key::early_of(conversation, reference), usize::MAX)
        {
            self.disk.remove(&row);
            let Some(early) = self.disk.decode::<Early>(&value) else {
                continue;
            };
            let said = nodoor_e2ee::content::decode(&early.content).ok();
            if let Some(about) = said.as_ref().and_then(About::of) {
                let Early { from, reference, sent_at, report, content, .. } = early;
                let reference = Some(reference);
                self.mark(id, &about, Heard { from, reference, sent_at, report, content });
            }
        }
    }
}
