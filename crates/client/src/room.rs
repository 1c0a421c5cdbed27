// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rooms: founding, what is done next in them, and their end.
//!
//! A room does one thing at a time, in this order: make itself known at the server, bring a commit that is
//! on its way to a definite answer ([`crate::commit`]), catch up, carry out the next intent
//! ([`crate::intent`]), send the next outgoing ([`crate::outbox`]). What is sent is on disk first, byte for
//! byte, and goes again until the answer is definite.
//!
//! Spec: `docs/book/protocol.md`, 3.

use nodoor_e2ee::{
    charter::Charter,
    group::Group,
    room::{Burnt, RoomContext, RoomKind},
    token,
};
use nodoor_view::model::Kind;
use nodoor_wire::{
    code::{Class, Code},
    id::{AccountId, CommitId, RoomId},
    proto::{self, answer, request},
};
use prost::Message as _;
use serde_bytes::ByteArray;

use crate::{
    io::Wire,
    link::class_of,
    live::Purpose,
    rows::{Conversation, Intent, Line, Nature, Room, Status, Submission, key},
    step::Step,
};

/// A leaf of ours older than this is renewed, milliseconds.
const UPDATE_EVERY: u64 = 7 * 24 * 3600 * 1000;
/// Pause before something is tried again that should not have failed, milliseconds.
pub(crate) const PAUSE: u64 = 5_000;
/// Until the next try to tell the server a token that it will not have.
const HOUR: u64 = 3_600_000;

impl Step<'_> {
    /// Works with a group, from memory or disk. A group that changed stays in memory.
    pub(crate) fn with_group<T>(
        &mut self,
        room: &RoomId,
        work: impl FnOnce(&mut Self, &mut Group) -> T,
    ) -> Option<T> {
        let mut group = match self.live.groups.remove(room) {
            Some(group) => group,
            None => Group::load(&self.disk, room).ok().flatten()?,
        };
        let result = work(self, &mut group);
        self.live.groups.insert(*room, group);
        Some(result)
    }

    /// Works with a group and keeps all of what that wrote, or, if it came to nothing, none of it: half of an MLS
    /// operation on disk would be a group that nobody else has.
    pub(crate) fn in_part<T>(
        &mut self,
        room: &RoomId,
        work: impl FnOnce(&mut Self, &mut Group) -> Option<T>,
    ) -> Option<T> {
        self.disk.begin();
        let done = self.with_group(room, work).flatten();
        if done.is_some() {
            self.disk.keep();
        } else {
            self.disk.undo();
            // What is in memory may be half changed as well.
            self.live.groups.remove(room);
        }
        done
    }

    /// Sends a request about a room; until its answer nothing else goes out for it.
    pub(crate) fn ask_room(&mut self, wire: Wire, id: &RoomId, body: request::Body, of: Purpose) {
        self.live.busy.insert(*id);
        self.request(wire, body, of);
    }

    /// Makes a room of one for a conversation, on disk alone; the server learns of it when it can.
    pub(crate) fn found_room(
        &mut self,
        conversation: &mut Conversation,
        context: RoomContext,
        room: RoomId,
    ) -> Option<RoomId> {
        let identity = self.identity()?;
        let nature = Nature::of(&context);
        self.disk.begin();
        let Ok(group) = Group::found(&self.disk, &identity, room, context, self.rng) else {
            self.disk.undo();
            return None;
        };
        self.disk.keep();
        let token = group.leaf(group.own_index())?.token;
        self.live.groups.insert(room, group);
        let row = Room {
            room,
            conversation: conversation.id,
            token,
            token_known: false,
            founded: false,
            i_sent: false,
            they_sent: false,
            updated_at: self.now,
            stuck: None,
            closed: false,
            nature: Some(nature),
            last_epoch: 0,
            led_by: Vec::new(),
            conducts: Vec::new(),
            grown_at: 0,
        };
        self.set_room(&row);
        self.disk.put(key::unknown(&room), &());
        conversation.rooms.push(room);
        self.set_conversation(conversation);
        self.intend_own_devices(&room);
        Some(room)
    }

    /// The room a direct conversation sends in, founded here if there is none.
    pub(crate) fn ensure_direct_room(&mut self, conversation: &mut Conversation) {
        // That of oneself is founded with the devices: see `selfgroup`.
        let own = self.is_own_conversation(conversation);
        if own || conversation.kind != Kind::Direct || self.room_in_use(conversation).is_some() {
            return;
        }
        let Some(me) = self.me() else {
            return;
        };
        let other = conversation.other;
        // One that we were put out of is named, so that nobody goes on in it.
        let rooms = conversation.rooms.iter().rev();
        let old = rooms.filter_map(|id| self.room(id)).find(|room| room.closed);
        let context = RoomContext::new(RoomKind::direct(me, other), me, "");
        let context = RoomContext { successor_of: old.as_ref().map(lost_at), ..context };
        let room = RoomId(self.random());
        conversation.rooms.clear();
        if self.found_room(conversation, context, room).is_some() {
            if old.is_some() {
                self.line(conversation.id, Line::Successor);
            }
            self.intend_to_add(&room, &[other]);
        }
    }

    /// Whether a chat of two from whose room this device was put out goes on: for as long as its person's newest list
    /// names it.
    pub(crate) fn may_found_anew(&mut self, conversation: &Conversation) -> bool {
        let Some(account) = self.account() else {
            return false;
        };
        let known = self.known(&account.account);
        let listed =
            known.is_some_and(|known| known.chain.newest().device(&account.device).is_some());
        listed && !self.is_own_conversation(conversation)
    }

    /// The server does not know a room in which nobody but us ever was: it waited there for too long. It is founded
    /// again, as it is. False: it is more than that.
    pub(crate) fn found_again(&mut self, id: &RoomId) -> bool {
        let ours = self.with_group(id, |_, group| group.epoch() == 0);
        let room = self.room(id).filter(|room| room.founded && room.stuck.is_none());
        let Some(mut room) = room.filter(|_| ours == Some(true)) else {
            return false;
        };
        room.founded = false;
        self.set_room(&room);
        self.disk.put(key::unknown(id), &());
        true
    }

    /// Does whatever can be done now.
    pub(crate) fn advance(&mut self) {
        self.advance_devices();
        self.advance_lookups();
        self.advance_mailbox();
        let mut rooms: Vec<RoomId> = Vec::new();
        for prefix in [key::UNKNOWN, key::SUBMISSIONS, key::INTENTS] {
            for (row, _) in self.disk.prefixed(prefix, usize::MAX) {
                let id = row.get(prefix.len()..prefix.len() + RoomId::LENGTH);
                rooms.extend(id.and_then(|id| RoomId::try_from(id).ok()));
            }
        }
        rooms.extend(self.live.behind.keys().copied());
        rooms.sort_unstable();
        rooms.dedup();
        for room in rooms {
            self.advance_room(&room);
        }
        self.give_reports();
        self.advance_outbox();
        // Rooms may have asked for lists.
        self.advance_lookups();
    }

    /// Whether a room may send a request now.
    pub(crate) fn may_ask(&self, room: &RoomId) -> bool {
        self.is_ready(Wire::Anonymous)
            && self.live.disk_weighed
            && !self.live.busy.contains(room)
            && self.live.retry_at.get(room).is_none_or(|at| *at <= self.now)
            && self.is_admitted()
    }

    /// Whether a room can carry a sending now.
    pub(crate) fn is_settled(&self, room: &Room) -> bool {
        let id = room.room;
        room.founded
            && room.token_known
            && room.stuck.is_none()
            && self.may_ask(&id)
            && !self.live.stale.contains(&id)
            && self.disk.prefixed(&key::submission(&id), 1).is_empty()
            && self.disk.prefixed(&key::intents(&id), 1).is_empty()
            && !self.has_waiting_commit(&id)
    }

    pub(crate) fn advance_room(&mut self, id: &RoomId) {
        let Some(room) = self.room(id) else {
            return;
        };
        if room.closed {
            if !self.is_retired(&room) {
                self.forget_work(id);
            }
            return;
        }
        if self.is_blocked(&room) {
            return;
        }
        let waits = self.live.retry_at.get(id).is_some_and(|at| *at > self.now);
        if !room.token_known && self.is_ready(Wire::Login) && !self.live.busy.contains(id) && !waits
        {
            if let Some(seed) = token::seed(&self.disk, &room.token) {
                let seeds = vec![seed.to_vec().into()];
                let body = proto::TokenPut { seeds, of_key_packages: false };
                let body = request::Body::TokenPut(body);
                self.ask_room(Wire::Login, id, body, Purpose::Token(*id));
            }
            return;
        }
        if !room.token_known || !self.may_ask(id) {
            return;
        }
        if !room.founded {
            self.ask_to_found(id);
        } else if self.may_catch_up(id) {
            self.ask_to_catch_up(id);
        } else if self.live.stale.contains(id) {
        } else if let Some(submission) = self.disk.get::<Submission>(&key::submission(id)) {
            if let Ok(commit) = proto::Commit::decode(submission.commit.as_slice()) {
                let body = request::Body::Commit(commit);
                self.ask_room(Wire::Anonymous, id, body, Purpose::Commit(*id));
            }
        } else if room.stuck.is_none() && !self.has_waiting_commit(id) {
            self.next_intent(id, &room);
        }
    }

    /// Commits come with the mailbox, in their place among the messages. Only what it did not bring is asked for.
    fn may_catch_up(&self, id: &RoomId) -> bool {
        let due = self.live.behind.get(id).is_some_and(|at| *at <= self.now);
        due && self.is_ready(Wire::Login) && self.live.incoming.is_empty()
    }

    fn ask_to_found(&mut self, id: &RoomId) {
        let found = self.with_group(id, |_, group| {
            Some(proto::RoomFound {
                room: id.to_bytes(),
                key_check: group.key_check().ok()?.to_vec().into(),
                roster: group.sealed_roster().ok()?.into(),
            })
        });
        if let Some(Some(found)) = found {
            let body = request::Body::RoomFound(found);
            self.ask_room(Wire::Anonymous, id, body, Purpose::Found(*id));
        }
    }

    fn ask_to_catch_up(&mut self, id: &RoomId) {
        let ask = self.with_group(id, |_, group| {
            Some(proto::CatchUp {
                room: id.to_bytes(),
                epoch: group.epoch(),
                key: group.roster_key().ok()?.to_vec().into(),
            })
        });
        if let Some(Some(ask)) = ask {
            let body = request::Body::CatchUp(ask);
            self.ask_room(Wire::Anonymous, id, body, Purpose::CatchUp(*id));
        }
    }

    /// The server's answer to our token.
    pub(crate) fn token_answered(&mut self, id: &RoomId, body: &answer::Body) {
        self.live.busy.remove(id);
        let Some(mut room) = self.room(id) else {
            return;
        };
        if matches!(body, answer::Body::Done(_)) {
            room.token_known = true;
            self.set_room(&room);
            self.room_known(&room);
        } else {
            // A device that has all the tokens it may have asks no more than now and then: each time counts.
            let full =
                matches!(body, answer::Body::Refusal(of) if class_of(of) == Class::Permanent);
            let wait = if full { HOUR } else { PAUSE };
            self.live.retry_at.insert(*id, self.now + wait);
        }
    }

    /// The server's answer to founding.
    pub(crate) fn founded(&mut self, id: &RoomId, body: answer::Body) {
        self.live.busy.remove(id);
        let Some(mut room) = self.room(id) else {
            return;
        };
        match body {
            answer::Body::Done(_) => {
                room.founded = true;
                self.set_room(&room);
                self.room_known(&room);
            }
            // It went on from where we are, and what we need to follow is gone.
            answer::Body::Refusal(refusal)
                if Code::from_number(refusal.code) == Some(Code::RoomExists) =>
            {
                room.founded = true;
                self.set_room(&room);
                self.room_known(&room);
                self.lost(id);
            }
            answer::Body::Refusal(refusal) => self.pause(id, &refusal),
            _ => {
                self.live.retry_at.insert(*id, self.now + PAUSE);
            }
        }
    }

    fn room_known(&mut self, room: &Room) {
        if room.founded && room.token_known {
            self.disk.remove(&key::unknown(&room.room));
        }
    }

    /// Waits as long as a refusal says, or a little.
    pub(crate) fn pause(&mut self, id: &RoomId, refusal: &proto::Refusal) {
        let seconds = u64::from(refusal.retry_after_seconds) * 1000;
        self.live.retry_at.insert(*id, self.now + seconds.max(PAUSE));
    }

    /// Out of a room: the token dies, its work ends, its keys go.
    pub(crate) fn close_room(&mut self, id: &RoomId) {
        let Some(mut room) = self.room(id) else {
            return;
        };
        let was_read = !room.closed || self.is_retired(&room);
        self.disk.remove(&key::retired_one(room.conversation, id));
        // What was read in it is known again if it comes by another room.
        self.disk.put(key::once_one(room.conversation, id), &());
        if !room.closed {
            room.closed = true;
            let last = self.with_group(id, |_, group| (group.epoch(), group.context().clone()));
            if let Some((epoch, context)) = last {
                room.last_epoch = epoch;
                room.led_by = leading(&context);
            }
            self.set_room(&room);
        }
        if was_read {
            self.forget_token(room.token);
        }
        self.forget_work(id);
        let group = self.live.groups.remove(id);
        if let Some(group) = group.or_else(|| Group::load(&self.disk, id).ok().flatten()) {
            self.disk.begin();
            match group.delete(&self.disk) {
                Ok(()) => self.disk.keep(),
                Err(_) => self.disk.undo(),
            }
        }
    }

    /// Whether a room is of somebody we blocked: it stands still, and nothing of it is read.
    pub(crate) fn is_blocked(&self, room: &Room) -> bool {
        let conversation = self.conversation(room.conversation);
        conversation.is_some_and(|one| one.status == Status::Blocked)
    }

    /// Blocked: the server forgets the room's token and delivers nothing of it any more. The room itself stays, for
    /// the other side goes on writing in it and would never learn of another one.
    pub(crate) fn deafen(&mut self, id: &RoomId) {
        let Some(mut room) = self.room(id).filter(|room| !room.closed) else {
            return;
        };
        self.disown_shared_token(id);
        if let Some(seed) = token::seed(&self.disk, &room.token) {
            self.disk.put(key::dead_token(&room.token), &ByteArray::new(seed));
        }
        room.token_known = false;
        self.set_room(&room);
        self.disk.remove(&key::unknown(id));
        self.is_fruitful(id);
    }

    /// Accepted: what comes by the room's token does not share the strangers' part of the mailbox any more. The server
    /// is told its token again, as one that is of no key package.
    pub(crate) fn is_no_strangers(&mut self, id: &RoomId) {
        if let Some(mut room) = self.room(id).filter(|room| !room.closed) {
            room.token_known = false;
            self.set_room(&room);
            self.disk.put(key::unknown(id), &());
        }
    }

    /// Unblocked: the server knows the token again, and commits that were missed are asked for. What was written
    /// meanwhile is lost, as blocking says.
    pub(crate) fn hear_again(&mut self, id: &RoomId) {
        let Some(room) = self.room(id).filter(|room| !room.closed) else {
            return;
        };
        self.disk.remove(&key::dead_token(&room.token));
        self.disk.put(key::unknown(id), &());
        self.live.behind.insert(*id, self.now);
    }

    fn forget_work(&mut self, id: &RoomId) {
        self.disk.remove(&key::unknown(id));
        self.disk.remove(&key::stuck(id));
        self.disk.remove(&key::submission(id));
        for prefix in [key::intents(id), key::held(id)] {
            for (row, _) in self.disk.prefixed(&prefix, usize::MAX) {
                self.disk.remove(&row);
            }
        }
        self.is_fruitful(id);
    }

    /// A fresh leaf for rooms whose own is a week old.
    pub(crate) fn renew_leaves(&mut self) {
        let rooms: Vec<Room> = self
            .disk
            .prefixed(key::ROOMS, usize::MAX)
            .iter()
            .filter_map(|(_, value)| self.disk.decode(value))
            .collect();
        for mut room in rooms {
            let due = self.now.saturating_sub(room.updated_at) > UPDATE_EVERY;
            let open = self
                .conversation(room.conversation)
                .is_some_and(|conversation| conversation.status == Status::Open);
            if due && open && !room.closed {
                room.updated_at = self.now;
                self.set_room(&room);
                self.intend(&room.room, &Intent::Update);
            }
        }
    }
}

/// Who leads a group; nobody leads another room.
pub(crate) fn leading(context: &RoomContext) -> Vec<AccountId> {
    let charter = Charter::of(context).ok().filter(|_| context.kind == RoomKind::Group);
    charter.map(|charter| charter.roles.leading().copied().collect()).unwrap_or_default()
}

/// What a room names as its origin that goes on for one that is closed here, with no commit to blame.
fn lost_at(room: &Room) -> Burnt {
    Burnt { room: room.room, epoch: room.last_epoch, commit: CommitId([0; 32]) }
}
