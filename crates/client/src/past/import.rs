// SPDX-License-Identifier: AGPL-3.0-or-later
//! What was said in another messenger: chats of their own, read-only, searchable, on this device alone.
//!
//! Nothing here is signed: it is what a file said. So it is never shown as if an account of ours had said it (whoever wrote
//! it has a name and no handle), nobody can be written to, and it is in no report. What was imported once is known by where
//! it comes from: importing again changes nothing, and adds what is new.

use nodoor_view::{
    command::Reply,
    model::{ConversationId, Kind, MessageId, ProblemKind},
    past::{Counted, Imported as Told, ImportedChat, Reply as PastReply},
};
use nodoor_wire::id::{AccountId, MessageId as Reference, first_16, labelled_hash};

use crate::{
    names::tidy,
    rows::{Conversation, Imported, Marks, Message, Status, Stored, key},
    step::{Step, refused},
};

/// Bytes of a text: as many as a message of ours may have.
const TEXT: usize = 64 * 1024;

impl Step<'_> {
    /// Takes in messages of a chat, oldest first.
    pub(crate) fn import(&mut self, from: &ImportedChat, messages: &[Told]) -> Reply {
        let Some(mut conversation) = self.imported_chat(from) else {
            return refused(ProblemKind::Internal);
        };
        let mut counted = Counted::default();
        for told in messages {
            let reference = reference(from, told.id);
            let row = key::message_by_reference(conversation.id, &reference);
            if self.disk.bytes(&row).is_some() {
                continue;
            }
            let id = MessageId(self.number());
            let text: String = match told.text.char_indices().nth(TEXT / 4) {
                Some((end, _)) => told.text.get(..end).unwrap_or_default().to_owned(),
                None => told.text.clone(),
            };
            let message = Message {
                id,
                conversation: conversation.id,
                reference: Some(reference),
                from: None,
                content: Stored::Imported(Imported {
                    person: person(from, &told.from_id),
                    name: tidy(&told.from, 100),
                    mine: told.mine,
                    text,
                    forwarded: told.forwarded,
                    edited: told.edited,
                    reply: told.reply.map(|id| self::reference(from, id)),
                    files: u32::try_from(told.files).unwrap_or(u32::MAX),
                }),
                sent_at: told.at.0,
                received_at: told.at.0,
                state: None,
                report: None,
                accepted_at: None,
                delivered_to: Vec::new(),
                sent_to: Vec::new(),
                frames: Vec::new(),
                sent_again: 0,
                marks: Marks::default(),
            };
            self.store_message(&message);
            self.disk.put(key::conversation_of(id), &conversation.id.0);
            self.disk.put(row, &id.0);
            (conversation.last, conversation.sorted_at) = (Some(id), told.at.0);
            conversation.made_at = conversation.made_at.min(told.at.0);
            counted.messages += 1;
        }
        self.set_conversation(&conversation);
        Reply::Past(PastReply::Counted(counted))
    }

    fn imported_chat(&mut self, from: &ImportedChat) -> Option<Conversation> {
        let whence = [from.source.as_bytes(), &[0], from.id.as_bytes()].concat();
        let reference = first_16(labelled_hash("nodoor imported chat", &whence));
        let known: Option<u64> = self.disk.get(&key::reference(&reference));
        if let Some(known) = known.and_then(|id| self.conversation(ConversationId(id))) {
            return Some(known);
        }
        let me = self.me()?;
        let title = tidy(&from.title, 100);
        let title = if title.is_empty() { from.source.clone() } else { title };
        Some(self.new_conversation(reference, Kind::Group, &me, &title, Status::Imported))
    }
}

/// The same for the same message of the same chat, whenever it is imported.
fn reference(from: &ImportedChat, id: i64) -> Reference {
    let (source, chat) = (from.source.as_bytes(), from.id.as_bytes());
    let whence = [source, &[0], chat, &[0], &id.to_be_bytes()].concat();
    Reference(labelled_hash("nodoor imported message", &whence))
}

/// What colour and initials are chosen by: no account that there is.
fn person(from: &ImportedChat, id: &str) -> AccountId {
    let whence = [from.source.as_bytes(), &[0], id.as_bytes()].concat();
    AccountId(first_16(labelled_hash("nodoor imported person", &whence)))
}
