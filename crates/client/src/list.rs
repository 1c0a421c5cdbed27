// SPDX-License-Identifier: AGPL-3.0-or-later
//! The list of chats as its person arranges it: pins, archive, mutes, marks, folders, and the chat with oneself. What
//! changes is told to the account's own devices as facts ([`crate::selfgroup`]).
//!
//! Spec: `docs/book/ledger.md`, 8 (facts 6 to 8).

use nodoor_view::{
    command::Reply,
    list::{Command, Folder, Place},
    model::{ConversationId, Milliseconds, ProblemKind},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    names::tidy,
    rows::{Conversation, Status, key},
    selfgroup::About,
    step::{Step, refused},
};

/// Folders of an account.
const FOLDERS: usize = 100;
/// Chats of a folder: what fits a fact.
const CHATS: usize = 400;
/// Pinned chats.
const PINS: usize = 100;
/// Characters of a folder's name.
const NAME: usize = 30;

/// `cf/<id>`: a folder as it is kept, and told: name, order, references of its chats. Without a name it is removed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Kept(String, u32, Vec<ByteBuf>);

/// A chat's place as it is told: pinned at (0: not), archived, muted until, marked.
#[derive(Serialize, Deserialize)]
pub(crate) struct Told(u64, bool, u64, bool);

impl From<Place> for Told {
    fn from(place: Place) -> Self {
        let Place { pinned_at, archived, muted_until, marked } = place;
        Self(pinned_at.map_or(0, |at| at.0), archived, muted_until.0, marked)
    }
}

impl From<Told> for Place {
    fn from(Told(pinned_at, archived, muted_until, marked): Told) -> Self {
        let pinned_at = (pinned_at > 0).then_some(Milliseconds(pinned_at));
        Self { pinned_at, archived, muted_until: Milliseconds(muted_until), marked }
    }
}

impl Step<'_> {
    pub(crate) fn list_command(&mut self, of: &Command) -> Reply {
        let now = Milliseconds(self.now);
        match of {
            Command::Pin { conversation, on } => {
                if *on && self.conversations().iter().filter(|row| is_pinned(row)).count() >= PINS {
                    return refused(ProblemKind::Size);
                }
                self.place(*conversation, |place| place.pinned_at = on.then_some(now))
            }
            Command::Archive { conversation, on } => self.place(*conversation, |place| {
                place.archived = *on;
                // What is put away does not stand at the top.
                place.pinned_at = place.pinned_at.filter(|_| !on);
            }),
            Command::Mute { conversation, until } => {
                self.place(*conversation, |place| place.muted_until = *until)
            }
            Command::Mark { conversation, on } => {
                self.place(*conversation, |place| place.marked = *on)
            }
            Command::Folders => Reply::Folders(self.folders()),
            Command::SetFolder { folder } => self.set_folder(folder),
            Command::RemoveFolder { id } => match folder_id(id) {
                Some(id) => {
                    self.keep_folder(id, &Kept::default());
                    Reply::Folders(self.folders())
                }
                None => refused(ProblemKind::NotFound),
            },
            Command::Saved => self.saved(),
        }
    }

    /// Changes where a chat stands.
    fn place(&mut self, id: ConversationId, change: impl FnOnce(&mut Place)) -> Reply {
        let shown = |row: &Conversation| !matches!(row.status, Status::Request | Status::Blocked);
        let Some(mut conversation) = self.conversation(id).filter(shown) else {
            return refused(ProblemKind::NotFound);
        };
        let before = conversation.place;
        change(&mut conversation.place);
        if before != conversation.place {
            self.set_conversation(&conversation);
            self.own_devices_should_know(About::Place(conversation.reference));
        }
        Reply::Conversation(self.conversation_row(&conversation))
    }

    /// Something came: a chat that was put away comes back, unless it is muted.
    pub(crate) fn stir(&mut self, conversation: &mut Conversation) {
        let muted = conversation.place.is_muted(Milliseconds(self.now));
        if conversation.place.archived && !muted {
            // Each device sees the same message: nothing is told.
            conversation.place.archived = false;
        }
    }

    /// The person looks at another chat: what stands in the composer of the one before is told now, and not with each key.
    pub(crate) fn look_at(&mut self, chat: Option<ConversationId>) {
        let before = std::mem::replace(&mut self.live.looking_at, chat);
        let before = before.filter(|before| chat != Some(*before));
        if let Some(before) = before.and_then(|id| self.conversation(id)) {
            self.draft_settled(&before);
        }
        if let Some(id) = chat {
            self.place(id, |place| place.marked = false);
        }
    }

    /// What stands in a chat's composer is to be told, if that is new to the others.
    pub(crate) fn draft_settled(&mut self, chat: &Conversation) {
        let about = About::Draft(chat.reference);
        if !chat.draft.is_empty() || self.was_told(about) {
            self.own_devices_should_know(about);
        }
    }

    // ---- folders -------------------------------------------------------------------------------

    pub(crate) fn folders(&self) -> Vec<Folder> {
        let mut folders: Vec<Folder> = Vec::new();
        for (row, value) in self.disk.prefixed(key::FOLDERS, usize::MAX) {
            let Some(id) = row.get(key::FOLDERS.len()..).and_then(|id| id.try_into().ok()) else {
                continue;
            };
            let kept: Option<Kept> = self.disk.decode(&value);
            let Some(Kept(name, order, chats)) = kept.filter(|kept| !kept.0.is_empty()) else {
                continue;
            };
            let chats = chats.iter().filter_map(|reference| {
                let id: u64 =
                    self.disk.get(&key::reference(&reference.as_slice().try_into().ok()?))?;
                Some(ConversationId(id))
            });
            folders.push(Folder {
                id: crate::views::hex(id),
                name,
                order,
                conversations: chats.collect(),
            });
        }
        folders.sort_by(|one, other| (one.order, &one.id).cmp(&(other.order, &other.id)));
        folders
    }

    fn set_folder(&mut self, folder: &Folder) -> Reply {
        let name = tidy(&folder.name, NAME);
        let id = match folder.id.as_str() {
            "" if self.folders().len() >= FOLDERS => return refused(ProblemKind::Size),
            "" => Some(self.random()),
            id => folder_id(id),
        };
        let Some(id) = id else {
            return refused(ProblemKind::NotFound);
        };
        if name.is_empty() || folder.conversations.len() > CHATS {
            return refused(ProblemKind::Size);
        }
        let mut chats: Vec<ByteBuf> = folder
            .conversations
            .iter()
            .filter_map(|id| Some(ByteBuf::from(self.conversation(*id)?.reference)))
            .collect();
        chats.sort();
        chats.dedup();
        self.keep_folder(id, &Kept(name, folder.order, chats));
        Reply::Folders(self.folders())
    }

    fn keep_folder(&mut self, id: [u8; 16], kept: &Kept) {
        self.disk.put(key::folder(&id), kept);
        self.own_devices_should_know(About::Folder(id));
    }

    pub(crate) fn kept_folder(&self, id: &[u8; 16]) -> Option<Kept> {
        self.disk.get(&key::folder(id))
    }

    /// Another device of ours told of a folder.
    pub(crate) fn believe_folder(&mut self, id: [u8; 16], Kept(name, order, chats): Kept) {
        let fits = chats.len() <= CHATS && chats.iter().all(|chat| chat.len() == 16);
        let known = self.kept_folder(&id).is_some() || self.folders().len() < FOLDERS;
        if fits && known {
            self.disk.put(key::folder(&id), &Kept(tidy(&name, NAME), order, chats));
            let folders = self.folders();
            self.tell(nodoor_view::event::Event::Folders { folders });
        }
    }

    pub(crate) fn all_folders(&self) -> Vec<About> {
        let rows = self.disk.keys(key::FOLDERS, usize::MAX);
        let ids = rows.iter().filter_map(|row| row.get(key::FOLDERS.len()..)?.try_into().ok());
        ids.map(About::Folder).collect()
    }

    // ---- oneself -------------------------------------------------------------------------------

    /// The chat with oneself: what is said there goes to one's own devices.
    fn saved(&mut self) -> Reply {
        let Some(me) = self.me() else {
            return refused(ProblemKind::NoAccount);
        };
        let mut conversation =
            self.own_conversation().unwrap_or_else(|| self.direct_conversation(&me, Status::Open));
        conversation.status = Status::Open;
        conversation.saved = true;
        self.set_conversation(&conversation);
        Reply::Conversation(self.conversation_row(&conversation))
    }
}

fn is_pinned(row: &Conversation) -> bool {
    row.place.pinned_at.is_some()
}

fn folder_id(hex: &str) -> Option<[u8; 16]> {
    nodoor_wire::id::AccountId::from_hex(hex).ok().map(|id| id.0)
}
