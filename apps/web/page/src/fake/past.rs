// SPDX-License-Identifier: AGPL-3.0-or-later
//! Finding what was said, as the real engine does it but for its index.

use nodoor_view::{
    command::Reply,
    model::{Content, ConversationId},
    past::{Command, Hit, Hits, Reply as PastReply},
};

use super::Fake;

impl Fake {
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
