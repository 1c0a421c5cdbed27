// SPDX-License-Identifier: AGPL-3.0-or-later
//! The list as its person arranges it, as the real engine does it.

use nodoor_view::{
    command::Reply,
    list::{Command, Place},
    model::{ConversationId, Milliseconds, ProblemKind},
};

use super::{Fake, data, problem, tell_row_of};
use crate::dom;

impl Fake {
    pub(super) fn of_list(&mut self, of: Command) -> Reply {
        let now = Milliseconds(dom::now());
        match of {
            Command::Pin { conversation, on } => {
                self.place(conversation, |place| place.pinned_at = on.then_some(now))
            }
            Command::Archive { conversation, on } => self.place(conversation, |place| {
                place.archived = on;
                place.pinned_at = place.pinned_at.filter(|_| !on);
            }),
            Command::Mute { conversation, until } => {
                self.place(conversation, |place| place.muted_until = until)
            }
            Command::Mark { conversation, on } => {
                self.place(conversation, |place| place.marked = on)
            }
            Command::Folders => Reply::Folders(self.folders.clone()),
            Command::SetFolder { mut folder } => {
                if folder.id.is_empty() {
                    folder.id = format!("{:032x}", self.folders.len() + 1);
                }
                self.folders.retain(|other| other.id != folder.id);
                self.folders.push(folder);
                self.folders.sort_by_key(|folder| folder.order);
                Reply::Folders(self.folders.clone())
            }
            Command::RemoveFolder { id } => {
                self.folders.retain(|folder| folder.id != id);
                Reply::Folders(self.folders.clone())
            }
            Command::Saved => {
                let id = ConversationId(self.chats.len() as u64 + 1);
                let known = self.chats.values().find(|row| row.saved).map(|row| row.id);
                let id = known.unwrap_or(id);
                let row = self.chats.entry(id).or_insert_with(|| {
                    let mut row = data::direct(id, data::person("mira", ""), dom::now());
                    row.saved = true;
                    row.people = 1;
                    row.devices = 1;
                    row
                });
                Reply::Conversation(row.clone())
            }
        }
    }

    fn place(&mut self, id: ConversationId, change: impl FnOnce(&mut Place)) -> Reply {
        let Some(row) = self.chats.get_mut(&id) else { return problem(ProblemKind::NotFound) };
        change(&mut row.place);
        tell_row_of(Some(row));
        Reply::Conversation(row.clone())
    }
}
