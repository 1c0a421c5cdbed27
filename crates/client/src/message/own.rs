// SPDX-License-Identifier: AGPL-3.0-or-later
//! What we say about messages: it counts here at once, and goes out when its turn comes.
//!
//! On its way it names its message by the id that message has by then: until a message of ours is sealed its id is not
//! settled. What a person changes before their message is sealed is no second message: the first one is another.
//!
//! Spec: `docs/book/protocol.md`, 7.

use nodoor_e2ee::content::{self, Content, MimiContent};
use nodoor_view::{
    command::Reply,
    message::Command,
    model::{ConversationId, Kind, MessageId, Problem, ProblemKind},
    rich,
};
use nodoor_wire::{
    id::{MessageId as Reference, RoomId},
    limits,
};

use super::{
    aimed,
    ending::LONGEST,
    marks::{About, EDITABLE, Heard},
};
use crate::{
    rows::{Conversation, Message, Outgoing, State, Status, Stored, key},
    step::{Step, problem, refused},
};

impl Step<'_> {
    /// Carries out what a person does with messages.
    pub(crate) fn message_command(&mut self, command: &Command) -> Reply {
        match command {
            Command::Reply { to, text } => self.reply(*to, text),
            Command::SendOnce { conversation, text } => {
                self.send(*conversation, text, |said| said.once = true)
            }
            Command::Edit { message, text } => self.edit(*message, text),
            Command::DeleteForEveryone { message } => self.delete_for_everyone(*message),
            Command::React { message, emoji } => self.react(*message, emoji),
            Command::Pin { message, on } => self.pin(*message, *on),
            Command::Pinned { conversation } => self.pinned_page(*conversation),
            Command::Forward { message, to } => self.forward(*message, *to),
            Command::Timer { conversation, seconds } => self.set_timer(*conversation, *seconds),
            Command::Find { reference } => {
                let found = self.find_message(reference).and_then(|id| self.message_detail(id));
                found.map_or(refused(ProblemKind::NotFound), Reply::Message)
            }
            Command::Open { message } => {
                self.open_once(*message).map_or(refused(ProblemKind::NotFound), Reply::Message)
            }
        }
    }

    /// Sends a text; `with` says what is special about it.
    pub(crate) fn send(
        &mut self,
        id: ConversationId,
        text: &str,
        with: impl FnOnce(&mut MimiContent),
    ) -> Reply {
        if text.trim().is_empty() || text.len() > limits::TEXT {
            return refused(ProblemKind::Size);
        }
        self.write_to(id, |step, conversation| {
            let mut said = step.composed(conversation, text).into();
            with(&mut said);
            said
        })
        .map_or_else(Reply::Problem, |message| Reply::Sent(self.message_row(&message)))
    }

    /// Writes a message of ours into a chat, and has it go out.
    pub(crate) fn write_to(
        &mut self,
        id: ConversationId,
        said: impl FnOnce(&mut Self, &Conversation) -> MimiContent,
    ) -> Result<Message, Problem> {
        let mut conversation = self.writable(id).map_err(problem)?;
        if conversation.kind == Kind::Direct {
            // Writing to somebody is accepting them.
            let other = conversation.other;
            let mut contact = self.contact(&other);
            if !contact.accepted {
                contact.accepted = true;
                self.set_contact(&other, &contact);
            }
            self.ensure_direct_room(&mut conversation);
        }
        self.may_speak(&conversation).map_err(problem)?;
        if let Some(room) = self.room_in_use(&conversation) {
            let wait_seconds = self.until_our_turn(&room);
            if wait_seconds > 0 {
                return Err(Problem { wait_seconds, ..problem(ProblemKind::SlowDown) });
            }
        }
        let said = said(self, &conversation);
        self.write_own(&mut conversation, said).ok_or(problem(ProblemKind::Internal))
    }

    /// A chat that we can write in.
    fn writable(&self, id: ConversationId) -> Result<Conversation, ProblemKind> {
        let conversation = self.conversation(id).ok_or(ProblemKind::NotFound)?;
        if self.is_removed() {
            return Err(ProblemKind::NotADevice);
        }
        match conversation.status {
            Status::Open => Ok(conversation),
            Status::Request => Err(ProblemKind::Request),
            Status::Left | Status::Removed | Status::Imported => Err(ProblemKind::NotAMember),
            Status::Blocked => Err(ProblemKind::Blocked),
        }
    }

    /// Whether we may say or change what everybody sees there.
    fn may_speak(&self, conversation: &Conversation) -> Result<(), ProblemKind> {
        let room = self.room_in_use(conversation);
        let only_reads = room.is_some_and(|room| self.only_reads(&room));
        if only_reads { Err(ProblemKind::NotAllowed) } else { Ok(()) }
    }

    /// What a typed text is: with mentions and formatting, if it has any and still fits.
    fn composed(&mut self, conversation: &Conversation, text: &str) -> Content {
        let members = self.members(conversation.id);
        let account = |handle: &str| {
            let known = members.iter().find(|member| member.person.handle == handle);
            known.map(|member| member.person.account.clone())
        };
        let written = rich::with_mentions(text, &account);
        if written.len() <= limits::TEXT && rich::is_formatted(&written) {
            Content::Markdown(written)
        } else {
            Content::Text(text.to_owned())
        }
    }

    /// The one message of all chats whose id begins like this.
    fn find_message(&self, digits: &str) -> Option<MessageId> {
        if digits.len() < 8 {
            return None;
        }
        let filled = Reference::from_hex(&format!("{digits:0<64}")).ok()?;
        let bytes = filled.as_bytes().get(..digits.len() / 2)?.to_vec();
        let mut found: Vec<MessageId> = Vec::new();
        for chat in self.conversations() {
            for row in self.disk.prefixed(&key::message_beginning(chat.id, &bytes), 4) {
                let id = self.disk.decode::<u64>(&row.1).map(MessageId);
                let message = id.and_then(|id| self.message(id));
                let is_it = |one: &Message| {
                    let reference = one.reference.map(|reference| reference.to_hex());
                    reference.is_some_and(|one| one.starts_with(&digits.to_ascii_lowercase()))
                };
                found.extend(message.filter(is_it).map(|message| message.id));
            }
        }
        found.dedup();
        if let [only] = found.as_slice() { Some(*only) } else { None }
    }

    fn reply(&mut self, to: MessageId, text: &str) -> Reply {
        let Some((message, reference)) =
            self.message(to).and_then(|message| Some((message.conversation, message.reference?)))
        else {
            return refused(ProblemKind::NotFound);
        };
        self.send(message, text, |said| said.in_reply_to = Some(reference))
    }

    fn forward(&mut self, id: MessageId, to: ConversationId) -> Reply {
        if let Some(reply) = self.forward_file(id, to) {
            return reply;
        }
        let text = self.message(id).and_then(|message| self.text_of(&message));
        match text {
            Some(text) => self.send(to, &text, |said| said.forwarded = true),
            None => refused(ProblemKind::NotFound),
        }
    }

    /// A message and its chat, if one may say something about it.
    fn target(&mut self, id: MessageId) -> Result<(Message, Conversation), ProblemKind> {
        let message = self.message(id).ok_or(ProblemKind::NotFound)?;
        let conversation = self.writable(message.conversation)?;
        let said = matches!(message.content, Stored::Content(_) | Stored::Payload(_));
        if said { Ok((message, conversation)) } else { Err(ProblemKind::NotFound) }
    }

    /// Whose bytes nobody has yet: what sends it, if it still waits to be sealed.
    pub(crate) fn unsealed(
        &self,
        message: &Message,
    ) -> Option<(Option<Vec<u8>>, Option<Outgoing>)> {
        if matches!(message.state, Some(State::NotSent(_))) {
            return Some((None, None));
        }
        let queued = self.disk.prefixed(&key::outgoing(message.conversation), usize::MAX);
        queued.into_iter().find_map(|(row, value)| {
            let outgoing = self.disk.decode::<Outgoing>(&value)?;
            let is_it = outgoing.message == Some(message.id) && outgoing.sealed.is_none();
            is_it.then_some((Some(row), Some(outgoing)))
        })
    }

    pub(crate) fn edit(&mut self, id: MessageId, text: &str) -> Reply {
        if text.trim().is_empty() || text.len() > limits::TEXT {
            return refused(ProblemKind::Size);
        }
        let (mut message, conversation) = match self.target(id) {
            Ok(found) => found,
            Err(why) => return refused(why),
        };
        let (Some(me), Some(said)) = (self.me(), message.content.said()) else {
            return refused(ProblemKind::NotFound);
        };
        let late = self.now.saturating_sub(message.sent_at) > EDITABLE;
        let is_file = matches!(said.body, Content::File(_));
        if message.from != Some(me)
            || said.once
            || is_file
            || message.marks.deletion.is_some()
            || late
            || self.may_speak(&conversation).is_err()
        {
            return refused(ProblemKind::NotAllowed);
        }
        let body = self.composed(&conversation, text);
        if let (Some((row, outgoing)), Stored::Content(bytes)) =
            (self.unsealed(&message), &message.content)
            && let Ok(salt) = content::salt(bytes)
        {
            let content = content::encode(&MimiContent { body, ..said }, salt);
            if let (Some(row), Some(outgoing)) = (row, outgoing) {
                self.disk.put(row, &Outgoing { content: content.clone(), ..outgoing });
            }
            let room = self.room_in_use(&conversation);
            message.reference = room.map(|room| content::message_id(&me, &room.room, &content));
            message.content = Stored::Content(content);
            self.set_message(&message, false);
            return Reply::Done;
        }
        let replaces = message.reference;
        let content = self.queue_about(&message, &MimiContent { replaces, body, ..said });
        self.heard_from_us(&message, content);
        self.change_message(id, |message| {
            if let Some(edit) = &mut message.marks.edit {
                edit.state = Some(State::Waiting);
            }
        });
        Reply::Done
    }

    fn delete_for_everyone(&mut self, id: MessageId) -> Reply {
        let (mut message, _) = match self.target(id) {
            Ok(found) => found,
            Err(why) => return refused(why),
        };
        if message.from != self.me() {
            return refused(ProblemKind::NotAllowed);
        }
        if let Some((row, _)) = self.unsealed(&message) {
            // Nobody has it: there is nobody to ask.
            row.iter().for_each(|row| self.disk.remove(row));
            let (sent_at, state) = (self.now, None);
            let lacking = Vec::new();
            message.marks.deletion = Some(crate::rows::Deletion { sent_at, state, lacking });
            message.state = None;
            self.take_out(&mut message);
            return Reply::Done;
        }
        let replaces = message.reference;
        let said = Content::Nothing { reaction: false }.into();
        self.queue_about(&message, &MimiContent { replaces, ..said });
        let (sent_at, state) = (self.now, Some(State::Waiting));
        let lacking = Vec::new();
        message.marks.deletion = Some(crate::rows::Deletion { sent_at, state, lacking });
        self.set_message(&message, false);
        Reply::Done
    }

    fn react(&mut self, id: MessageId, emoji: &str) -> Reply {
        let (message, _) = match self.target(id) {
            Ok(found) => found,
            Err(why) => return refused(why),
        };
        let me = self.me();
        let before = message.marks.reactions.iter().find(|one| Some(one.by) == me);
        let said = match (emoji, rich::one_emoji(emoji)) {
            ("", _) => {
                let said = Content::Nothing { reaction: true }.into();
                let replaces = before.and_then(|before| before.reference);
                MimiContent { replaces, ..said }
            }
            (_, Some(emoji)) => Content::Reaction(emoji.to_owned()).into(),
            (_, None) => return refused(ProblemKind::Size),
        };
        if before.is_some_and(|before| before.emoji == emoji)
            || before.is_none() && emoji.is_empty()
        {
            return Reply::Done;
        }
        let in_reply_to = message.reference;
        let content = self.queue_about(&message, &MimiContent { in_reply_to, ..said });
        self.heard_from_us(&message, content);
        Reply::Done
    }

    fn pin(&mut self, id: MessageId, on: bool) -> Reply {
        let (message, _) = match self.target(id) {
            Ok(found) => found,
            Err(why) => return refused(why),
        };
        if message.marks.pin.as_ref().is_some_and(|pin| pin.on) == on {
            return Reply::Done;
        }
        let in_reply_to = message.reference;
        let said = MimiContent { in_reply_to, ..Content::Pin { on }.into() };
        let content = self.queue_about(&message, &said);
        self.heard_from_us(&message, content);
        Reply::Done
    }

    fn set_timer(&mut self, id: ConversationId, seconds: u32) -> Reply {
        let mut conversation = match self.writable(id) {
            Ok(conversation) => conversation,
            Err(why) => return refused(why),
        };
        if let Err(why) = self.may_speak(&conversation) {
            return refused(why);
        }
        let before = conversation.timer.as_ref().map_or(0, |timer| timer.seconds);
        if seconds > LONGEST {
            return refused(ProblemKind::Size);
        }
        if before == seconds {
            return Reply::Done;
        }
        if conversation.kind == Kind::Direct {
            self.ensure_direct_room(&mut conversation);
            self.set_conversation(&conversation);
        }
        let content = self.queue(id, None, &Content::Timer { seconds }.into(), None);
        let Some(from) = self.me() else {
            return refused(ProblemKind::NoAccount);
        };
        let (reference, sent_at, report) = (None, self.now, None);
        let heard = Heard { from, reference, sent_at, report, content };
        self.hear_timer(&conversation, seconds, &heard);
        Reply::Done
    }

    /// What we say counts here at once.
    fn heard_from_us(&mut self, message: &Message, content: Vec<u8>) {
        let about = content::decode(&content).ok().as_ref().and_then(About::of);
        if let (Some(from), Some(about)) = (self.me(), about) {
            let (reference, sent_at, report) = (None, self.now, None);
            self.mark(message.id, &about, Heard { from, reference, sent_at, report, content });
        }
    }

    // ---- on its way ----------------------------------------------------------------------------

    /// Has what is about a message name it as it is called now. False: there is nothing to be said of it any more.
    pub(crate) fn aim(&mut self, outgoing: &mut Outgoing) -> bool {
        let Some(about) = outgoing.about else {
            return true;
        };
        let message = self.message(about);
        let failed = |message: &Message| matches!(message.state, Some(State::NotSent(_)));
        let target = message.filter(|message| !failed(message)).and_then(|one| one.reference);
        match target.and_then(|target| aimed(&outgoing.content, target)) {
            Some(content) => {
                outgoing.content = content;
                true
            }
            None => false,
        }
    }

    /// What is about a message has its own id now.
    pub(crate) fn was_sealed_about(
        &mut self,
        about: MessageId,
        room: &RoomId,
        outgoing: &Outgoing,
        reference: Reference,
    ) {
        let kind = content::decode(&outgoing.content).ok().as_ref().and_then(About::of);
        let own = self.account().map(|account| account.device);
        let devices = match kind {
            Some(About::Deletion(_)) => self.with_group(room, |_, group| {
                group.leaves().iter().map(|leaf| leaf.name.device).collect::<Vec<_>>()
            }),
            _ => None,
        };
        let (me, at, content) = (self.me(), outgoing.sent_at, outgoing.content.clone());
        self.change_message(about, |message| {
            let marks = &mut message.marks;
            match kind {
                Some(About::Edit(_)) => {
                    if let Some(edit) = marks.edit.as_mut().filter(|edit| edit.sent_at == at) {
                        (edit.reference, edit.content) = (Some(reference), content);
                    }
                }
                Some(About::Deletion(_)) => {
                    if let Some(deletion) = &mut marks.deletion {
                        deletion.lacking = devices.unwrap_or_default();
                        deletion.lacking.retain(|device| Some(*device) != own);
                    }
                }
                Some(About::Reaction(..)) => {
                    let own =
                        |one: &&mut crate::rows::Reaction| Some(one.by) == me && one.sent_at == at;
                    if let Some(reaction) = marks.reactions.iter_mut().find(own) {
                        reaction.reference = Some(reference);
                    }
                }
                Some(About::Pin(..)) => {
                    if let Some(pin) = marks.pin.as_mut().filter(|pin| pin.at == at) {
                        pin.reference = Some(reference);
                    }
                }
                None => {}
            }
        });
    }

    /// What is about a message is at the server, or never will be.
    pub(crate) fn settle_about(&mut self, id: MessageId, outgoing: &Outgoing, state: State) {
        let kind = content::decode(&outgoing.content).ok().as_ref().and_then(About::of);
        let (me, at) = (self.me(), outgoing.sent_at);
        let failed = matches!(state, State::NotSent(_));
        let Some(mut message) = self.message(id) else {
            return;
        };
        let marks = &mut message.marks;
        match kind {
            Some(About::Edit(_)) => {
                if let Some(edit) = marks.edit.as_mut().filter(|edit| edit.sent_at == at) {
                    edit.state = Some(state);
                }
            }
            // Nobody was asked: it stays, and can be deleted again.
            Some(About::Deletion(_)) if failed => marks.deletion = None,
            Some(About::Deletion(_)) => {
                if let Some(deletion) = &mut marks.deletion {
                    deletion.state = Some(state);
                }
                return self.take_out(&mut message);
            }
            Some(About::Reaction(..)) if failed => {
                marks.reactions.retain(|one| Some(one.by) != me || one.sent_at != at);
            }
            _ => return,
        }
        self.set_message(&message, false);
    }
}
