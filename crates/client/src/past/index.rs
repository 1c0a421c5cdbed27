// SPDX-License-Identifier: AGPL-3.0-or-later
//! The index of words: what is found of a message is written in the same commit as its row.
//!
//! What is indexed is what is shown: the newest edit, nothing of what was deleted, has disappeared or is shown once. A disk
//! that was written before there was an index gets it piece by piece, the newest messages first, while all else goes on.
//!
//! Decision 0022.

use nodoor_e2ee::content::Content as Body;
use nodoor_view::{
    link::{Piece, pieces},
    model::{ConversationId, MessageId},
    rich,
};

use crate::{
    overlay::after_prefix,
    rows::{Message, Stored, key},
    step::Step,
    store::Indexed,
    words,
};

/// How far the index of an older disk is: `(messages from here on are indexed, where that began)`.
const INDEXING: &[u8] = b"a/indexing";
/// Messages a step.
const PIECE: usize = 200;
/// Between two steps, milliseconds: what else waits comes first.
const PAUSE: u64 = 20;

impl Step<'_> {
    /// Writes a message's row, and what is found of it.
    pub(crate) fn store_message(&mut self, message: &Message) {
        self.disk.put(key::message(message.conversation, message.id), message);
        self.disk.set_indexed(message.id.0, self.indexed(message));
    }

    /// Takes a message's row off the disk, and all its words.
    pub(crate) fn drop_message(&mut self, conversation: ConversationId, id: MessageId) {
        self.disk.remove(&key::message(conversation, id));
        self.disk.set_indexed(id.0, None);
    }

    fn indexed(&self, message: &Message) -> Option<Indexed> {
        let text = self.text_found(message)?;
        let links = pieces(&text).iter().any(|piece| matches!(piece, Piece::Link(_)));
        let words = words::folded(&text);
        let conversation = message.conversation.0;
        let files = match &message.content {
            Stored::Imported(imported) => imported.files > 0,
            stored => matches!(stored.said().map(|said| said.body), Some(Body::File(_))),
        };
        Some(Indexed { at: message.received_at, conversation, words, links, files })
            .filter(|indexed| !indexed.words.is_empty())
    }

    /// The text of a message that is looked through, as a person reads it.
    pub(crate) fn text_found(&self, message: &Message) -> Option<String> {
        if let Some(Body::File(file)) = message.content.said().map(|said| said.body) {
            return Some(format!("{} {}", file.name, file.caption).trim().to_owned());
        }
        let text = self.text_of(message)?;
        Some(match rich::is_formatted(&text) || !rich::mentions(&text).is_empty() {
            true => rich::plain(&text, &|_, called| called.to_owned()),
            false => text,
        })
    }

    /// A disk of before the index: begins to make it.
    pub(crate) fn begin_index(&mut self) {
        if self.disk.bytes(INDEXING).is_none() {
            let end = after_prefix(key::NUMBERS);
            let newest = self.disk.rows(key::NUMBERS, &end, true, 1);
            let newest = newest.first().and_then(|(row, _)| key::read_number(row));
            let from = newest.map_or(0, |id| id.0.saturating_add(1));
            self.disk.put(INDEXING.to_vec(), &(from, from));
        }
    }

    /// Indexes some messages more, if some are missing.
    pub(crate) fn index_piece(&mut self) {
        let Some((from, began)) = self.disk.get::<(u64, u64)>(INDEXING).filter(|at| at.0 > 0)
        else {
            return;
        };
        let end = key::conversation_of(MessageId(from));
        let rows = self.disk.rows(key::NUMBERS, &end, true, PIECE);
        let mut next = 0;
        for (row, _) in &rows {
            let Some(id) = key::read_number(row) else { continue };
            if let Some(message) = self.message(id) {
                self.disk.set_indexed(id.0, self.indexed(&message));
            }
            next = id.0;
        }
        let next = if rows.len() < PIECE { 0 } else { next };
        self.disk.put(INDEXING.to_vec(), &(next, began));
    }

    /// How much of an older disk is indexed, in hundredths; none: all of it.
    pub(crate) fn index_progress(&self) -> Option<u8> {
        let (from, began) = self.disk.get::<(u64, u64)>(INDEXING).filter(|at| at.0 > 0)?;
        // Row numbers count up from 1, or on a linked device from far above what was before it.
        let lowest = self.disk.keys(key::NUMBERS, 1);
        let lowest = lowest.first().and_then(|row| key::read_number(row)).map_or(0, |id| id.0);
        let all = began.saturating_sub(lowest).max(1);
        let done = began.saturating_sub(from).min(all);
        u8::try_from(u128::from(done) * 100 / u128::from(all)).ok()
    }

    /// When the next piece is due.
    pub(crate) fn index_due(&self) -> Option<u64> {
        self.disk.get::<(u64, u64)>(INDEXING).filter(|at| at.0 > 0).map(|_| self.now + PAUSE)
    }
}
