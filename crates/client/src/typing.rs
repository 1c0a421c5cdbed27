// SPDX-License-Identifier: AGPL-3.0-or-later
//! That somebody is typing: sent on while one types, shown for a few seconds, kept nowhere.
//!
//! Given and seen by those alone who have it switched on; never given to somebody one has not accepted, nor in rooms of more
//! than 32 accounts. What is lost is lost: nothing waits for an answer.
//!
//! Spec: `docs/book/protocol.md`, 3.7 and 7.

use ed25519_dalek::SigningKey;
use nodoor_e2ee::typing;
use nodoor_view::{
    command::Reply,
    event::Event,
    model::{ConversationId, ProblemKind},
};
use nodoor_wire::{
    id::{AccountId, RoomId},
    proto::{self, request},
};

use crate::{
    io::Wire,
    live::Purpose,
    rows::Status,
    step::{Step, refused},
};

/// While one types it is said again this often, milliseconds.
const AGAIN: u64 = 4_000;
/// What is not said again is over after so long, milliseconds.
const FADES: u64 = 7_000;
/// A frame further from our clock is old, or a clock is wrong: nobody is shown as typing by it.
const APART: u64 = 300_000;
/// Larger rooms are not told.
const ACCOUNTS: u32 = 32;

impl Step<'_> {
    /// Its person types in a chat, or does not any more.
    pub(crate) fn type_in(&mut self, id: ConversationId, on: bool) -> Reply {
        let Some(conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        let said = self.live.typed_at.get(&id).copied();
        let due = match (said, on) {
            (Some(at), true) => self.now.saturating_sub(at) >= AGAIN,
            (Some(_), false) => true,
            (None, on) => on,
        };
        let tells = self.settings().typing
            && conversation.status == Status::Open
            && !self.is_own_conversation(&conversation)
            && self.is_ready(Wire::Anonymous);
        if !due || !tells {
            return Reply::Done;
        }
        let room = self.room_in_use(&conversation).filter(|room| room.stuck.is_none());
        let Some(room) = room.map(|room| room.room) else {
            return Reply::Done;
        };
        if self.count(&room).0 <= ACCOUNTS && self.send_typing(&room, on).is_some() {
            match on {
                true => self.live.typed_at.insert(id, self.now),
                false => self.live.typed_at.remove(&id),
            };
        }
        Reply::Done
    }

    fn send_typing(&mut self, id: &RoomId, on: bool) -> Option<()> {
        let key = SigningKey::from_bytes(&self.account()?.device_seed);
        let nonce = self.random();
        let signal = self.with_group(id, |step, group| {
            let frame = typing::seal(group, &key, step.now, on, &nonce).ok()?;
            let key = group.roster_key().ok()?.to_vec().into();
            Some(proto::Signal {
                room: id.to_bytes(),
                epoch: group.epoch(),
                key,
                frame: frame.into(),
            })
        });
        self.request(Wire::Anonymous, request::Body::Signal(signal??), Purpose::Nothing);
        Some(())
    }

    /// Somebody types in a room, says the server.
    pub(crate) fn hear_typing(&mut self, signalled: &proto::Signalled) {
        let Ok(id) = RoomId::try_from(signalled.room.as_ref()) else {
            return;
        };
        let conversation = self.room(&id).and_then(|room| self.conversation(room.conversation));
        let Some(conversation) = conversation.filter(|one| one.status == Status::Open) else {
            return;
        };
        if !self.settings().typing {
            return;
        }
        let opened = self.with_group(&id, |step, group| {
            typing::open(group, &signalled.frame, |name| {
                // As of a payload: the list that the leaf names, and the newest one.
                let chain = &step.known(&name.account)?.chain;
                let then = chain.version(u64::from(name.list_version))?.device(&name.device)?;
                let now = chain.newest().device(&name.device)?;
                (now.device_key == then.device_key).then_some(now.device_key)
            })
        });
        let Some((from, said)) = opened.flatten() else {
            return;
        };
        let last = self.live.typing_heard.entry((id, said.leaf)).or_default();
        let fresh = said.sent_at_ms > *last && said.sent_at_ms.abs_diff(self.now) <= APART;
        if !fresh || self.is_me(&from.account) {
            return;
        }
        self.live.typing_heard.insert((id, said.leaf), said.sent_at_ms);
        let who = (conversation.id, from.account);
        let before = self.live.typing.remove(&who);
        if said.on {
            self.live.typing.insert(who, self.now + FADES);
        }
        if before.is_some() != said.on {
            self.tell_typing(conversation.id);
        }
    }

    /// A message of theirs is there: they type it no longer.
    pub(crate) fn typed(&mut self, id: ConversationId, who: &AccountId) {
        if self.live.typing.remove(&(id, *who)).is_some() {
            self.tell_typing(id);
        }
    }

    /// What was not said again is over.
    pub(crate) fn end_typing(&mut self) {
        let over = |(_, until): &(&_, &u64)| **until <= self.now;
        let over: Vec<_> = self.live.typing.iter().filter(over).map(|(who, _)| *who).collect();
        for (id, who) in over {
            self.typed(id, &who);
        }
    }

    pub(crate) fn typing_due(&self) -> Option<u64> {
        self.live.typing.values().copied().min()
    }

    fn tell_typing(&mut self, conversation: ConversationId) {
        let who: Vec<AccountId> = (self.live.typing.keys())
            .filter(|(id, _)| *id == conversation)
            .map(|(_, who)| *who)
            .collect();
        let people = who.iter().map(|who| self.person(who)).collect();
        self.tell(Event::Typing { conversation, people });
    }
}
