// SPDX-License-Identifier: AGPL-3.0-or-later
//! Finding what was said: by words, by links, and a place in a chat by its time.
//!
//! Requests and blocked chats are not searched: nobody accepted what they say.

use std::ops::Range;

use nodoor_view::{
    command::Reply,
    link::{Piece, pieces},
    model::{ConversationId, MessageId, MessagePage, Milliseconds, ProblemKind},
    past::{Command, Hit, Hits, Kind, Reply as PastReply},
};

use crate::{
    rows::{Message, Status},
    step::{Step, refused},
    store::Wanted,
    words::{self, Term},
};

/// Hits of one answer.
const MOST: u32 = 200;
/// Characters of a snippet before the first mark, and in all.
const BEFORE: usize = 40;
const SNIPPET: usize = 200;
/// Characters of a question.
const ASKED: usize = 400;

impl Step<'_> {
    /// What a person asks of the past.
    pub(crate) fn past_command(&mut self, command: &Command) -> Reply {
        match command {
            Command::Search { query, conversation, before, limit } => {
                let query: String = query.chars().take(ASKED).collect();
                let terms = words::asked(&query);
                if terms.is_empty() {
                    return hits(Hits { indexed: self.index_progress(), ..Hits::default() });
                }
                let wanted = Wanted { terms, before: *before, ..Wanted::default() };
                self.find_past(wanted, *conversation, *limit)
            }
            Command::Shared { conversation, kind, before, limit } => {
                let (links, files) = (*kind == Kind::Links, *kind == Kind::Files);
                let wanted = Wanted { links, files, before: *before, ..Wanted::default() };
                self.find_past(wanted, Some(*conversation), *limit)
            }
            Command::BackupKey { words, writing } => self.backup_key(words, *writing),
            Command::Backup { at } => self.backup_piece(*at),
            Command::Restore { piece } => self.restore_piece(piece),
            Command::Import { chat, messages } => self.import(chat, messages),
        }
    }

    fn find_past(&self, wanted: Wanted, within: Option<ConversationId>, limit: u32) -> Reply {
        if within.is_some_and(|id| self.conversation(id).is_none()) {
            return refused(ProblemKind::NotFound);
        }
        let limit = usize::try_from(limit.clamp(1, MOST)).unwrap_or(1);
        let conversation = within.map(|id| id.0);
        let mut wanted = Wanted { conversation, limit: limit + 1, ..wanted };
        let mut found = Hits { indexed: self.index_progress(), ..Hits::default() };
        loop {
            let page = self.disk.search(&wanted);
            let more = page.len() > limit;
            for one in page {
                if found.rows.len() == limit {
                    return hits(found);
                }
                let hit = self.message(MessageId(one.message));
                found.rows.extend(hit.and_then(|message| self.hit(&message, &wanted.terms)));
                found.before = Some(one.place);
                wanted.before = Some(one.place);
            }
            if !more {
                found.before = None;
                return hits(found);
            }
        }
    }

    fn hit(&self, message: &Message, terms: &[Term]) -> Option<Hit> {
        let conversation = self.conversation(message.conversation)?;
        if matches!(conversation.status, Status::Request | Status::Blocked)
            || self.is_own_conversation(&conversation)
        {
            return None;
        }
        let text = self.text_found(message)?;
        let links = pieces(&text).into_iter().filter_map(|piece| match piece {
            Piece::Link(link) => Some(link.to_owned()),
            Piece::Text(_) => None,
        });
        let links = links.collect();
        let (snippet, marks) = snippet(&text, terms);
        Some(Hit {
            conversation: conversation.id,
            chat: conversation.reference.iter().map(|byte| format!("{byte:02x}")).collect(),
            title: self.title(&conversation),
            message: message.id,
            reference: message.reference.map(|reference| reference.to_hex()).unwrap_or_default(),
            from: self.writer(message),
            at: Milliseconds(message.sent_at),
            snippet,
            marks,
            links,
        })
    }

    /// The page with a message in its middle.
    pub(crate) fn page_around(
        &self,
        id: ConversationId,
        message: MessageId,
        limit: usize,
    ) -> MessagePage {
        let half = (limit / 2).max(1);
        let mut rows = self.messages_before(id, Some(message), half + 1);
        let more_before = rows.len() > half;
        rows.truncate(half);
        rows.reverse();
        let after = self.messages_from(id, message, half + 1);
        let more_after = after.len() > half;
        rows.extend(after.into_iter().take(half));
        let rows = rows.iter().map(|row| self.message_row(row)).collect();
        MessagePage { rows, more_before, more_after }
    }

    /// The first message of a chat that came at a time or after it; else the newest. Rows stand in the order they came.
    pub(crate) fn first_at(&self, id: ConversationId, time: u64) -> Option<MessageId> {
        let newest = self.newest_message(id)?;
        let mut low = self.messages_from(id, MessageId(0), 1).first()?.id.0;
        let mut high = newest.0;
        while low < high {
            let middle = low + (high - low) / 2;
            // Row numbers have gaps: the next one that there is.
            let row = self.messages_from(id, MessageId(middle), 1).into_iter().next()?;
            if row.received_at >= time {
                high = middle;
            } else {
                low = row.id.0 + 1;
            }
        }
        self.messages_from(id, MessageId(low), 1).first().map(|row| row.id).or(Some(newest))
    }
}

fn hits(hits: Hits) -> Reply {
    Reply::Past(PastReply::Hits(hits))
}

/// The part of a text around what was found, as one line, and where in it the marks are.
fn snippet(text: &str, terms: &[Term]) -> (String, Vec<Range<usize>>) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let first = words::places(&line, terms).first().map_or(0, |range| range.start);
    let before: Vec<usize> =
        line.get(..first).unwrap_or_default().char_indices().map(|(at, _)| at).collect();
    let begin = before.len().checked_sub(BEFORE).and_then(|at| before.get(at).copied());
    // From the next word on, if there is one before what was found.
    let begin = begin.map(|at| {
        let skipped = line.get(at..first).and_then(|part| part.find(' '));
        skipped.map_or(at, |skipped| at + skipped + 1)
    });
    let mut cut: String =
        line.get(begin.unwrap_or(0)..).unwrap_or_default().chars().take(SNIPPET).collect();
    if begin.unwrap_or(0) + cut.len() < line.len() {
        cut.push('…');
    }
    if begin.is_some_and(|at| at > 0) {
        cut.insert(0, '…');
    }
    let marks = words::places(&cut, terms);
    (cut, marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_what_was_found_far_into_a_long_text() {
        let text = format!("{}the garden gate\nis open {}", "word ".repeat(100), "and ".repeat(99));
        let (line, marks) = snippet(&text, &words::asked("gard"));
        assert!(line.starts_with('…') && line.ends_with('…'), "{line}");
        assert!(line.chars().count() <= SNIPPET + 2);
        assert_eq!(marks.len(), 1);
        assert_eq!(line.get(marks[0].clone()), Some("gard"));
        assert_eq!(snippet("short", &words::asked("sh")).0, "short");
    }
}
