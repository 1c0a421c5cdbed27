// SPDX-License-Identifier: AGPL-3.0-or-later
//! A message as its row shows it: what it says now, what it answers, what others put under it.
//!
//! Spec: `docs/book/protocol.md`, 7.

use std::collections::BTreeMap;

use nodoor_e2ee::content::{self, Content as Body, MimiContent};
use nodoor_view::{
    message::{Deleting, Disappears, Marks, Mention, Quote, Reaction},
    model::{Content, From, MessageId, Milliseconds, SendState},
    rich,
};
use nodoor_wire::id::{AccountId, MessageId as Reference};

use crate::{
    rows::{Message, State, Stored, key},
    step::Step,
};

/// Characters of a quotation and of the preview line.
pub(crate) const PREVIEW: usize = 200;
/// When a person is told that devices have not deleted what they were asked to, milliseconds.
const DELETION_DUE: u64 = 24 * 3600 * 1000;

impl Step<'_> {
    /// What a message says now.
    pub(crate) fn content_shown(&self, message: &Message) -> Content {
        match &message.content {
            Stored::Line(line) => Content::System(self.system_line(message.conversation, line)),
            Stored::Payload(_) => Content::NeedsNewerVersion,
            Stored::Imported(imported) => match rich::is_formatted(&imported.text) {
                true => Content::Markdown { text: imported.text.clone(), mentions: Vec::new() },
                false => Content::Text(imported.text.clone()),
            },
            Stored::Gone if message.marks.deletion.is_some() => Content::Deleted,
            Stored::Gone => Content::Once { opened: message.marks.opened || !self.is_own(message) },
            Stored::Content(_) => match self.said_now(message) {
                Some(said) if said.once => Content::Once { opened: false },
                Some(MimiContent { body: Body::File(file), .. }) => {
                    Content::File(Box::new(self.file_shown(message.id, &file)))
                }
                Some(said) => self.body_shown(&said.body),
                None => Content::NeedsNewerVersion,
            },
        }
    }

    fn is_own(&self, message: &Message) -> bool {
        message.from.is_some_and(|from| self.is_me(&from))
    }

    /// The content, or the newest edit of it.
    fn said_now(&self, message: &Message) -> Option<MimiContent> {
        match &message.marks.edit {
            Some(edit) => content::decode(&edit.content).ok(),
            None => message.content.said(),
        }
    }

    pub(crate) fn body_shown(&self, body: &Body) -> Content {
        match body {
            Body::Text(text) => Content::Text(text.clone()),
            Body::Markdown(text) => {
                let mut mentions: Vec<Mention> = Vec::new();
                for account in rich::mentions(text) {
                    let id = account_id(account);
                    let Some(id) = id.filter(|_| mentions.iter().all(|one| one.account != account))
                    else {
                        continue;
                    };
                    let (account, person) = (account.to_owned(), self.person_or_me(&id));
                    mentions.push(Mention { account, person });
                }
                Content::Markdown { text: text.clone(), mentions }
            }
            _ => Content::NeedsNewerVersion,
        }
    }

    /// A message's text as one would type it, if it has one that may be taken elsewhere.
    pub(crate) fn text_of(&self, message: &Message) -> Option<String> {
        if let Stored::Imported(imported) = &message.content {
            return Some(imported.text.clone());
        }
        let said = self.said_now(message).filter(|said| !said.once)?;
        match said.body {
            Body::Text(text) => Some(text),
            Body::Markdown(text) => Some(rich::typed(&text)),
            _ => None,
        }
    }

    /// Whether a content names us.
    pub(crate) fn names_us(&self, stored: &Stored) -> bool {
        let Some(Body::Markdown(text)) = stored.said().map(|said| said.body) else {
            return false;
        };
        rich::mentions(&text).into_iter().filter_map(account_id).any(|id| self.is_me(&id))
    }

    /// One line of a content, for a preview.
    pub(crate) fn line_of(&self, content: Content) -> Content {
        let text = match content {
            Content::Text(text) => text,
            Content::Markdown { text, mentions } => {
                let name = |account: &str, called: &str| {
                    let mention = mentions.iter().find(|one| one.account == account);
                    let person = mention.and_then(|mention| mention.person.as_ref());
                    person.map_or_else(
                        || called.to_owned(),
                        |person| match person.name.trim() {
                            "" => format!("@{}", person.handle),
                            name => format!("@{name}"),
                        },
                    )
                };
                rich::plain(&text, &name)
            }
            other => return other,
        };
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Content::Text(line.chars().take(PREVIEW).collect())
    }

    /// The state of one's own message; an edit on its way is the message's.
    pub(crate) fn state_shown(&self, message: &Message) -> Option<SendState> {
        let state = message.state?;
        let edit = message.marks.edit.as_ref().and_then(|edit| edit.state);
        let state = match edit {
            Some(edit @ (State::Waiting | State::NotSent(_))) => edit,
            _ => state,
        };
        Some(match state {
            State::Waiting => SendState::Waiting,
            State::Sent => SendState::Sent,
            State::Delivered => SendState::Delivered,
            State::Read => SendState::Read,
            State::NotSent(reason) => {
                SendState::NotSent { reason: crate::views::problem_of(reason) }
            }
        })
    }

    /// What is shown beside the content.
    pub(crate) fn marks_shown(&self, message: &Message) -> Marks {
        if let Stored::Imported(imported) = &message.content {
            return Marks {
                reply: imported.reply.map(|reference| self.quote(message, &reference)),
                edited: imported.edited,
                forwarded: imported.forwarded,
                ..Marks::default()
            };
        }
        let Stored::Content(_) = &message.content else {
            let deleting = self.deleting(message);
            return Marks { deleting, ..Marks::default() };
        };
        let said = message.content.said();
        let marks = &message.marks;
        let relative = said.as_ref().and_then(|said| said.expires);
        Marks {
            reply: said
                .as_ref()
                .and_then(|said| said.in_reply_to)
                .map(|reference| self.quote(message, &reference)),
            edited: marks.edit.is_some(),
            forwarded: said.as_ref().is_some_and(|said| said.forwarded),
            pinned: marks.pin.as_ref().is_some_and(|pin| pin.on),
            reactions: self.reactions(message),
            disappears: relative.map(|expires| Disappears {
                seconds: if expires.relative { expires.seconds } else { 0 },
                at: marks.ends_at.map(Milliseconds),
            }),
            deleting: self.deleting(message),
            mentions_me: self.names_us(&message.content),
        }
    }

    fn deleting(&self, message: &Message) -> Option<Deleting> {
        let deletion = message.marks.deletion.as_ref().filter(|_| self.is_own(message))?;
        let pending = deletion.state == Some(State::Waiting);
        let due = self.now.saturating_sub(deletion.sent_at) >= DELETION_DUE;
        let lacking = if due { deletion.lacking.len() } else { 0 };
        Some(Deleting { pending, lacking: u32::try_from(lacking).unwrap_or(u32::MAX) })
    }

    fn quote(&self, message: &Message, reference: &Reference) -> Quote {
        let row = key::message_by_reference(message.conversation, reference);
        let reference = reference.to_hex();
        let id: Option<u64> = self.disk.get(&row);
        let quoted = id.and_then(|id| self.message(MessageId(id)));
        let Some(quoted) = quoted.filter(|one| one.conversation == message.conversation) else {
            return Quote { message: None, reference, from: None, content: None };
        };
        let from: From = self.writer(&quoted);
        let content = self.line_of(self.content_shown(&quoted));
        let (message, from, content) = (Some(quoted.id), Some(from), Some(content));
        Quote { message, reference, from, content }
    }

    fn reactions(&self, message: &Message) -> Vec<Reaction> {
        let mut found: BTreeMap<&str, (usize, Reaction)> = BTreeMap::new();
        for (at, one) in message.marks.reactions.iter().enumerate() {
            if one.emoji.is_empty() {
                continue;
            }
            let emoji = one.emoji.clone();
            let new = || (at, Reaction { emoji, people: Vec::new(), mine: false });
            let (_, reaction) = found.entry(&one.emoji).or_insert_with(new);
            match self.person_or_me(&one.by) {
                Some(person) => reaction.people.push(person),
                None => reaction.mine = true,
            }
        }
        let mut reactions: Vec<_> = found.into_values().collect();
        reactions.sort_by_key(|(at, reaction)| (std::cmp::Reverse(reaction.count()), *at));
        reactions.into_iter().map(|(_, reaction)| reaction).collect()
    }
}

fn account_id(hex: &str) -> Option<AccountId> {
    AccountId::from_hex(hex).ok()
}
