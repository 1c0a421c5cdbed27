// SPDX-License-Identifier: AGPL-3.0-or-later
//! Finding what was said, as the real engine does it but for its index; being called.

use nodoor_view::{
    command::Reply,
    model::{Content, ConversationId},
    past::{Command, Hit, Hits, Reply as PastReply},
    push,
};

use super::Fake;

impl Fake {
    pub(super) fn of_push(&mut self, of: push::Command) -> Reply {
        match of {
            push::Command::Show => Reply::Push(push::State {
                server_key: Some(SERVER_KEY.to_vec()),
                endpoint: self.called.clone(),
                told: true,
            }),
            push::Command::Set { at } => {
                self.called = Some(at.endpoint);
                Reply::Done
            }
            push::Command::Off => {
                self.called = None;
                Reply::Done
            }
        }
    }

    pub(super) fn of_past(&self, of: Command) -> Reply {
        let Command::Search { query, conversation, limit, .. } = of else { return Reply::Done };
        let query = query.trim().to_lowercase();
        let fits = |id: &ConversationId| conversation.is_none_or(|only| only == *id);
        let mut rows: Vec<Hit> = Vec::new();
        for (id, messages) in self.messages.iter().filter(|(id, _)| fits(id)) {
            let Some(chat) = self.chats.get(id) else { continue };
            for row in messages.iter().rev() {
                let Content::Text(text) = &row.content else { continue };
                let marks: Vec<_> = text
                    .to_lowercase()
                    .match_indices(&query)
                    .map(|(at, found)| at..at + found.len())
                    .filter(|range| {
                        text.is_char_boundary(range.start) && text.get(range.clone()).is_some()
                    })
                    .collect();
                if query.is_empty() || marks.is_empty() {
                    continue;
                }
                rows.push(Hit {
                    conversation: *id,
                    chat: chat.reference.clone(),
                    title: chat.title.clone(),
                    message: row.id,
                    reference: row.reference.clone(),
                    from: row.from.clone(),
                    at: row.sent_at,
                    snippet: text.clone(),
                    marks,
                    links: Vec::new(),
                });
            }
        }
        rows.sort_by_key(|hit| std::cmp::Reverse(hit.at));
        rows.truncate(limit as usize);
        Reply::Past(PastReply::Hits(Hits { rows, before: None, indexed: None }))
    }
}

/// A point of P-256 (RFC 8291, appendix A): browsers look.
const SERVER_KEY: [u8; 65] = [
    0x04, 0x25, 0x71, 0xb2, 0xbe, 0xcd, 0xfd, 0xe3, 0x60, 0x55, 0x1a, 0xaf, 0x1e, 0xd0, 0xf4, 0xcd,
    0x36, 0x6c, 0x11, 0xce, 0xbe, 0x55, 0x5f, 0x89, 0xbc, 0xb7, 0xb1, 0x86, 0xa5, 0x33, 0x39, 0x17,
    0x31, 0x68, 0xec, 0xe2, 0xeb, 0xe0, 0x18, 0x59, 0x7b, 0xd3, 0x04, 0x79, 0xb8, 0x6e, 0x3c, 0x8f,
    0x8e, 0xce, 0xd5, 0x77, 0xca, 0x59, 0x18, 0x7e, 0x92, 0x46, 0x99, 0x0d, 0xb6, 0x82, 0x00, 0x8b,
    0x0e,
];
