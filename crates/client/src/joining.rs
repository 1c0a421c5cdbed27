// SPDX-License-Identifier: AGPL-3.0-or-later
//! Links that lead to a group: their form, and what whoever made one does when somebody asks by it.
//!
//! A link is `https://server/#@handle/` and 96 hexadecimal digits: the room, and a secret whose hash stands in the room's
//! charter. Whoever has it asks its maker, over the chat of the two; nobody comes in but by a commit of theirs.
//!
//! Spec: `docs/book/protocol.md`, 7.

use nodoor_e2ee::charter::{Charter, link_id};
use nodoor_view::group::GroupLink;
use nodoor_wire::id::{AccountId, RoomId};
use serde_bytes::ByteArray;

use crate::{
    rows::{Intent, Status, key},
    step::Step,
};

/// People that wait for an answer, of one group.
const ASKING: usize = 200;

/// What a link says.
pub(crate) struct Link {
    /// Whom to ask.
    pub(crate) handle: String,
    /// For which room.
    pub(crate) room: RoomId,
    /// What shows that one has the link.
    pub(crate) secret: [u8; 16],
}

impl Link {
    /// Reads a link, with or without the address before its `#`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let fragment = text.split_once('#').map_or(text, |(_, fragment)| fragment);
        let (handle, code) = fragment.strip_prefix('@')?.split_once('/')?;
        let (room, secret) = code.split_at_checked(2 * RoomId::LENGTH)?;
        let digits = secret.len() == 32 && secret.bytes().all(|digit| digit.is_ascii_hexdigit());
        let secret = u128::from_str_radix(secret, 16).ok().filter(|_| digits)?;
        let (handle, room) = (handle.to_owned(), RoomId::from_hex(room).ok()?);
        Some(Self { handle, room, secret: secret.to_be_bytes() })
    }
}

impl Step<'_> {
    /// Somebody asks to be let into a room by a link. Only one of ours that still stands counts; of whoever asks by another
    /// they learn nothing.
    pub(crate) fn hear_join(&mut self, from: &AccountId, id: &RoomId, secret: &[u8; 16]) {
        let (Some(charter), Some(me)) = (self.charter(id), self.me()) else {
            return;
        };
        let conversation = self.room(id).and_then(|room| self.conversation(room.conversation));
        let Some(conversation) = conversation.filter(|one| one.status == Status::Open) else {
            return;
        };
        let link = charter.links.get(&link_id(secret)).filter(|link| link.by == me);
        let there = self.other_accounts(id).contains(from);
        let welcome = charter.leads(&me) && !charter.bans.contains(from);
        let Some(link) = link.filter(|_| welcome && !there && !self.contact(from).blocked) else {
            return;
        };
        let add = Intent::Add(vec![(*from).into()]);
        if !link.approval {
            self.intend(id, &add);
        } else if self.asking(id).len() < ASKING {
            self.disk.put(key::asking_one(id, from), &self.now);
            self.live.changed.insert(conversation.id);
        }
    }

    /// Who waits to be let into a room of ours.
    pub(crate) fn asking(&self, id: &RoomId) -> Vec<AccountId> {
        let prefix = key::asking(id);
        let rows = self.disk.keys(&prefix, ASKING);
        rows.iter().filter_map(|row| AccountId::try_from(row.get(prefix.len()..)?).ok()).collect()
    }

    /// Our link to a room, as long as it stands there.
    pub(crate) fn own_link(&self, id: &RoomId, charter: &Charter) -> Option<GroupLink> {
        let secret: ByteArray<16> = self.disk.get(&key::link(id))?;
        let secret = secret.into_array();
        let link = charter.links.get(&link_id(&secret))?;
        let (server, account) = (self.live.server.trim_end_matches('/'), self.account()?);
        let code = format!("{}{:032x}", id.to_hex(), u128::from_be_bytes(secret));
        let link = GroupLink {
            link: format!("{server}/#@{}/{code}", account.handle),
            approval: link.approval,
        };
        Some(link)
    }
}

#[cfg(test)]
mod tests {
    use super::Link;

    #[test]
    fn a_link_is_read_with_and_without_its_server_and_nothing_else_is_one() {
        let code = format!("{}{}", "ab".repeat(32), "0c".repeat(16));
        for text in [
            format!("https://server.example/#@ben/{code}"),
            format!("#@ben/{code}"),
            format!("  @ben/{code}\n"),
        ] {
            let link = Link::read(&text).unwrap();
            assert_eq!((link.handle.as_str(), link.secret), ("ben", [0x0c; 16]), "{text}");
        }
        for text in [
            "".to_owned(),
            "https://server.example/#@ben".to_owned(),
            format!("#@ben/{}", &code[1..]),
            format!("#@ben/{code}0"),
            format!("#@ben/{}+{}", &code[..64], &code[65..]),
            format!("#ben/{code}"),
            format!("#@ben/{}é{}", &code[..63], &code[64..]),
        ] {
            assert!(Link::read(&text).is_none(), "{text}");
        }
    }
}
