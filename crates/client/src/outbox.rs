// SPDX-License-Identifier: AGPL-3.0-or-later
//! The outbox: what waits to be sent, in order, each byte for byte the same until a definite answer.
//!
//! Spec: `docs/book/protocol.md`, 3.3 and 6.

use ed25519_dalek::SigningKey;
use nodoor_e2ee::{
    content::{self, Content},
    payload::{Payload, Slot},
    token,
};
use nodoor_view::model::{ConversationId, Kind, Problem, ProblemKind};
use nodoor_wire::{
    code::{Class, Code},
    id::{AccountId, RoomId, Token},
    limits,
    proto::{self, answer, request},
};
use prost::Message as _;
use serde_bytes::ByteArray;

use crate::{
    io::Wire,
    link::{class_of, problem_of},
    live::Purpose,
    room::PAUSE,
    rows::{NotSent, Outgoing, Room, Sealed, State, WhyNotSent, key},
    step::{Step, problem},
};

impl Step<'_> {
    /// Sends the first of each conversation's queue that can go.
    pub(crate) fn advance_outbox(&mut self) {
        let mut from = key::OUTGOING.to_vec();
        let end = crate::overlay::after_prefix(key::OUTGOING);
        let stopped = self.is_stopped();
        loop {
            let Some((row, value)) = self.disk.rows(&from, &end, false, 1).into_iter().next()
            else {
                return;
            };
            let prefix = row.get(..key::OUTGOING.len() + 8).unwrap_or_default().to_vec();
            from = crate::overlay::after_prefix(&prefix);
            let first = if stopped {
                self.about_the_log(&prefix)
            } else {
                self.past_files(&prefix, &value)
            };
            let (row, value) = first.unwrap_or((row, value));
            if let Some(outgoing) = self.disk.decode::<Outgoing>(&value) {
                self.advance_outgoing(&prefix, row, outgoing);
            }
        }
    }

    /// What goes out even while proof stops everything else, and passes what waits before it: the others must learn of
    /// the proof.
    fn about_the_log(&self, prefix: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        self.disk.prefixed(prefix, usize::MAX).into_iter().find(|(_, value)| {
            self.disk.decode(value).is_some_and(|outgoing| is_about_the_log(&outgoing))
        })
    }

    /// What goes out while the first in the queue waits for its file.
    fn past_files(&self, prefix: &[u8], first: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let waits = |value: &[u8]| {
            let message = self.disk.decode::<Outgoing>(value).and_then(|one| one.message);
            message.is_some_and(|message| self.is_moving(message))
        };
        if !waits(first) {
            return None;
        }
        let queue = self.disk.prefixed(prefix, usize::MAX);
        queue.into_iter().find(|(_, value)| !waits(value))
    }

    fn advance_outgoing(&mut self, prefix: &[u8], row: Vec<u8>, mut outgoing: Outgoing) {
        let id = prefix.get(key::OUTGOING.len()..).and_then(|id| <[u8; 8]>::try_from(id).ok());
        let Some(id) = id.map(|id| ConversationId(u64::from_be_bytes(id))) else {
            return;
        };
        let Some(conversation) = self.conversation(id) else {
            self.disk.remove(&row);
            return;
        };
        if outgoing.message.is_some_and(|message| self.is_moving(message)) {
            return;
        }
        let too_long = limits::TRY_DAYS * 24 * 3600 * 1000;
        if self.now.saturating_sub(outgoing.first_try) > too_long {
            self.give_up(&row, &outgoing, &problem(ProblemKind::Offline));
            return;
        }
        if self.is_stopped() && !is_about_the_log(&outgoing) {
            return;
        }
        let direct = conversation.kind == Kind::Direct;
        let sealed_for = outgoing.sealed.as_ref().map(|sealed| sealed.room);
        if let Some(room) = sealed_for.filter(|room| direct && self.is_left_behind(room)) {
            if self.live.busy.contains(&room) {
                return;
            }
            outgoing.sealed = None;
            self.disk.put(row.clone(), &outgoing);
        }
        if outgoing.room.is_some_and(|room| direct && self.is_left_behind(&room)) {
            outgoing.room = None;
        }
        if let Some(sealed) = &outgoing.sealed {
            // On its way: the same bytes until the answer is definite.
            let room = sealed.room;
            if self.live.busy.contains(&room) || !self.is_ready(Wire::Anonymous) {
                return;
            }
            let waits = self.live.retry_at.get(&room).is_some_and(|at| *at > self.now);
            let behind = self.live.stale.contains(&room);
            if let Ok(send) = proto::Send::decode(sealed.send.as_slice())
                && !waits
                && !behind
                && self.live.disk_weighed
                && self.is_admitted()
            {
                let (body, purpose) = (request::Body::Send(send), Purpose::Send(room, row));
                self.ask_room(Wire::Anonymous, &room, body, purpose);
            }
            return;
        }
        if outgoing.message.is_some_and(|message| self.message(message).is_none()) {
            // Deleted while it was on its way, and it did not arrive.
            self.disk.remove(&row);
            return;
        }
        if !self.aim(&mut outgoing) {
            self.disk.remove(&row);
            return;
        }
        let room = match outgoing.room {
            Some(room) => self.room(&room),
            None => self.room_in_use(&conversation),
        };
        let Some(room) = room else {
            if outgoing.room.is_some() {
                self.disk.remove(&row);
            }
            return;
        };
        let said = direct && (outgoing.message.is_some() || outgoing.about.is_some());
        if room.closed {
            self.give_up(&row, &outgoing, &problem(ProblemKind::NotAMember));
        } else if outgoing.message.is_some() && self.only_reads(&room) {
            // Written before the group became one in which we only read.
            self.give_up(&row, &outgoing, &problem(ProblemKind::NotAllowed));
        } else if !self.is_settled(&room) || said && self.is_held(&conversation.other) {
        } else if let Some(first) = self.comes_first(&room.room).filter(|_| !outgoing.leave) {
            self.intend(&room.room, &first);
            self.advance_room(&room.room);
        } else if self.seal(&room, &mut outgoing) {
            self.disk.put(row.clone(), &outgoing);
            if let Some(send) =
                outgoing.sealed.and_then(|sealed| proto::Send::decode(sealed.send.as_slice()).ok())
            {
                let (body, purpose) = (request::Body::Send(send), Purpose::Send(room.room, row));
                self.ask_room(Wire::Anonymous, &room.room, body, purpose);
            }
        }
    }

    /// Whether something is on its way that a person asked for since the engine started. What it does by itself
    /// meanwhile, such as receipts in other chats, counts for nothing.
    pub(crate) fn is_unfinished(&self) -> bool {
        let was_asked = |row: &Vec<u8>| {
            let number = row.last_chunk().map(|number| u64::from_be_bytes(*number));
            number
                .is_some_and(|number| self.live.asked_rows.iter().any(|one| one.contains(&number)))
        };
        let is_new = |row: &Vec<u8>| {
            let id = row.get(key::UNKNOWN.len()..).and_then(|id| RoomId::try_from(id).ok());
            id.and_then(|id| self.room(&id)).is_some_and(|room| !room.founded)
        };
        let rows = |prefix| self.disk.keys(prefix, usize::MAX);
        rows(key::OUTGOING).iter().chain(&rows(key::INTENTS)).any(was_asked)
            || rows(key::UNKNOWN).iter().any(is_new)
            || !rows(key::DEAD_TOKENS).is_empty()
    }

    /// Rows from this number on were made because a person asked for something.
    pub(crate) fn was_asked_from(&mut self, first: u64) {
        let next = self.next_number();
        match self.live.asked_rows.last_mut() {
            Some(last) if last.end == first => last.end = next,
            _ if first < next => self.live.asked_rows.push(first..next),
            _ => {}
        }
    }

    /// Signs, pads and encrypts: the last place that knows the text.
    fn seal(&mut self, room: &Room, outgoing: &mut Outgoing) -> bool {
        let id = room.room;
        let Some(account) = self.account() else {
            return false;
        };
        let me = account.account;
        let device_key = SigningKey::from_bytes(&account.device_seed);
        let transport_id: [u8; 16] = self.random();
        let gossip = self.gossip_for(room).filter(|_| !outgoing.leave);
        let (content, sent_at, leave) =
            (outgoing.content.clone(), outgoing.sent_at, outgoing.leave);
        // Receipts, marks and what one's own devices tell each other call nobody.
        let quiet = outgoing.message.is_none() || self.is_own_room(room);
        let send = self.in_part(&id, |step, group| {
            let frame = if leave {
                group.propose_leave(&step.disk, &step.identity()?).ok()?
            } else {
                let slot = Slot { room: id, epoch: group.epoch(), leaf: group.own_index() };
                let authenticator = group.epoch_authenticator();
                let payload = Payload::make(content, sent_at, &slot, authenticator, &device_key)
                    .with_gossip(gossip);
                group.seal(&step.disk, &step.identity()?, &payload.to_padded()).ok()?
            };
            Some(proto::Send {
                room: id.to_bytes(),
                epoch: group.epoch(),
                key: group.roster_key().ok()?.to_vec().into(),
                transport_id: transport_id.to_vec().into(),
                frame: frame.into(),
                quiet,
            })
        });
        let Some(send) = send else {
            self.live.retry_at.insert(id, self.now + 5_000);
            return false;
        };
        if let Some(message) = outgoing.message {
            let reference = content::message_id(&me, &id, &outgoing.content);
            let others = self.other_accounts(&id);
            self.change_message(message, |message| {
                message.reference = Some(reference);
                message.sent_to = others;
            });
        }
        if let Some(about) = outgoing.about {
            let reference = content::message_id(&me, &id, &outgoing.content);
            self.was_sealed_about(about, &id, outgoing, reference);
        }
        outgoing.sealed = Some(Sealed { room: id, send: send.encode_to_vec() });
        true
    }

    /// The server's answer to a sending.
    pub(crate) fn send_answered(&mut self, id: &RoomId, row: &[u8], body: answer::Body) {
        self.live.busy.remove(id);
        let Some(mut outgoing) = self.disk.get::<Outgoing>(row) else {
            return;
        };
        if self.room(id).is_some_and(|room| !room.is_group()) && self.is_left_behind(id) {
            // Whatever it says, a yes included: it is sealed again for where the chat is.
            outgoing.sealed = None;
            self.disk.put(row.to_vec(), &outgoing);
            return;
        }
        match body {
            answer::Body::Done(_) => {
                self.disk.remove(row);
                self.was_sent(id, &outgoing);
            }
            answer::Body::Refusal(refusal) => match class_of(&refusal) {
                Class::Retry => self.pause(id, &refusal),
                Class::Permanent if Code::from_number(refusal.code) != Some(Code::Forbidden) => {
                    outgoing.sealed = None;
                    self.give_up(row, &outgoing, &problem_of(&refusal));
                }
                // A definite no: encrypt again once we have the commit we lack, or where the room goes on.
                Class::Stale | Class::Permanent => {
                    outgoing.sealed = None;
                    self.disk.put(row.to_vec(), &outgoing);
                    self.is_stale(id);
                }
            },
            _ => {
                self.live.retry_at.insert(*id, self.now + PAUSE);
            }
        }
    }

    fn was_sent(&mut self, id: &RoomId, outgoing: &Outgoing) {
        let Some(mut room) = self.room(id) else {
            return;
        };
        if outgoing.leave {
            self.close_room(id);
            return;
        }
        self.live.fruitless.remove(id);
        room.i_sent = true;
        self.set_room(&room);
        if let Some(message) = outgoing.message {
            let now = self.now;
            self.change_message(message, |message| {
                Self::note_frame(message, outgoing);
                if message.state == Some(State::Waiting) {
                    message.state = Some(State::Sent);
                }
                message.accepted_at = Some(now);
            });
            if let Some(mut message) = self.message(message) {
                self.begin_ending(&mut message, true);
                self.was_sent_once(&mut message);
                self.set_message(&message, false);
            }
        }
        if let Some(about) = outgoing.about {
            self.settle_about(about, outgoing, State::Sent);
        }
    }

    /// Stops trying; the message stays, with the reason.
    pub(crate) fn give_up(&mut self, row: &[u8], outgoing: &Outgoing, reason: &Problem) {
        self.disk.remove(row);
        if let Some(room) = outgoing.room.filter(|_| outgoing.leave) {
            // The others cannot be told; for this device it is over all the same.
            self.close_room(&room);
        }
        if let Some(message) = outgoing.message {
            let state = State::NotSent(not_sent(reason));
            self.change_message(message, |message| message.state = Some(state));
        }
        if let Some(about) = outgoing.about {
            self.settle_about(about, outgoing, State::NotSent(not_sent(reason)));
        }
    }

    /// Everything that waits in a conversation gets this reason.
    pub(crate) fn fail_outgoing(&mut self, conversation: ConversationId, reason: &Problem) {
        for (row, value) in self.disk.prefixed(&key::outgoing(conversation), usize::MAX) {
            if let Some(outgoing) = self.disk.decode::<Outgoing>(&value) {
                self.give_up(&row, &outgoing, reason);
            }
        }
    }

    /// Notes that the server shall forget a token of ours: until it said yes, what is sent to it still comes.
    pub(crate) fn forget_token(&mut self, token: Token) {
        if let Some(seed) = token::seed(&self.disk, &token) {
            token::forget(&self.disk, &token);
            self.disk.put(key::dead_token(&token), &ByteArray::new(seed));
        }
    }

    /// Sends deletions, those of the same rows again on each connection until the server's yes.
    pub(crate) fn forget_dead_tokens(&mut self) {
        if self.live.forgetting {
            return;
        }
        let dead = self.disk.prefixed(key::DEAD_TOKENS, limits::BATCH);
        if dead.is_empty() {
            return;
        }
        let (mut rows, mut seeds) = (Vec::new(), Vec::new());
        for (row, value) in dead {
            if let Some(seed) = self.disk.decode::<ByteArray<32>>(&value) {
                seeds.push(seed.to_vec().into());
                rows.push(row);
            }
        }
        self.live.forgetting = true;
        let body = proto::TokenDelete { seeds };
        self.request(Wire::Login, request::Body::TokenDelete(body), Purpose::Forget(rows));
    }

    /// The server's answer to deletions. A refusal leaves them to the next connection.
    pub(crate) fn tokens_forgotten(&mut self, rows: &[Vec<u8>], body: &answer::Body) {
        if matches!(body, answer::Body::Done(_)) {
            self.live.forgetting = false;
            rows.iter().for_each(|row| self.disk.remove(row));
        }
    }

    /// Whether an account is ours.
    pub(crate) fn is_me(&self, account: &AccountId) -> bool {
        self.me() == Some(*account)
    }
}

fn is_about_the_log(outgoing: &Outgoing) -> bool {
    let content = content::decode(&outgoing.content).map(|said| said.body);
    matches!(content, Ok(Content::Checkpoint { .. } | Content::Evidence(_)))
}

/// Why a message stays, as the disk keeps it.
fn not_sent(reason: &Problem) -> NotSent {
    let why = match reason.kind {
        ProblemKind::Offline => WhyNotSent::Offline,
        ProblemKind::Server | ProblemKind::SlowDown => WhyNotSent::Server,
        ProblemKind::Version => WhyNotSent::Version,
        ProblemKind::Size => WhyNotSent::Size,
        ProblemKind::AccountGone | ProblemKind::NotFound => WhyNotSent::AccountGone,
        ProblemKind::UnknownDevice => WhyNotSent::UnknownDevice,
        ProblemKind::NotAMember => WhyNotSent::NotAMember,
        ProblemKind::NotAllowed => WhyNotSent::NotAllowed,
        ProblemKind::Blocked => WhyNotSent::Blocked,
        ProblemKind::FilesFull => WhyNotSent::FilesFull,
        ProblemKind::Disk => WhyNotSent::Disk,
        _ => WhyNotSent::Internal,
    };
    NotSent { why, code: reason.code }
}
