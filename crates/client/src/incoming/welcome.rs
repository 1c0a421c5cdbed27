// SPDX-License-Identifier: AGPL-3.0-or-later
//! Welcomes: which are opened, which take the place of a room or follow one, and what a room begins with here.
//!
//! Spec: `docs/book/protocol.md`, 3.6, 5, 7.

use nodoor_e2ee::{
    group::Leaf,
    join::Candidate,
    room::{RoomContext, RoomKind},
    token,
};
use nodoor_view::model::{Kind, MessageId};
use nodoor_wire::{
    id::{AccountId, RoomId, Token},
    limits,
};

use crate::{
    gate::{Change, Verdict},
    held::Waiting,
    lookup::Lacks,
    room::leading,
    rows::{Conversation, Intent, Line, Nature, Room, Status, key},
    step::Step,
    successor::Follows,
};

/// Rooms that a stranger's requests may have together.
const ROOMS_OF_A_STRANGER: usize = 8;
/// Requests that may wait for an answer.
const REQUESTS: usize = 1_000;

impl Step<'_> {
    /// Takes a Welcome. Something: lists must be looked up first.
    /// `held_since` says since when it waited, if it did.
    pub(crate) fn welcome(&mut self, welcome: &[u8], held_since: Option<u64>) -> Option<Waiting> {
        self.disk.begin();
        let ((waits, keep), lacks) = self.lacking(|step| step.judge_welcome(welcome, held_since));
        if keep {
            self.disk.keep();
            self.retry_held();
        } else {
            self.disk.undo();
        }
        waits.map(|waits| Waiting { lacks, ..waits })
    }

    /// (what it is if it must wait, leaves a trace)
    fn judge_welcome(
        &mut self,
        welcome: &[u8],
        held_since: Option<u64>,
    ) -> (Option<Waiting>, bool) {
        const DROP: (Option<Waiting>, bool) = (None, false);
        let Some(me) = self.me() else {
            return DROP;
        };
        // A large one is opened only if it claims to come from somebody accepted; whether it does, its tree says.
        let wanted = |context: &RoomContext| {
            let by = match context.kind {
                RoomKind::Direct { a, b } => vec![if a == me { b } else { a }],
                RoomKind::Group => leading(context),
                RoomKind::Own => vec![context.creator],
            };
            welcome.len() <= limits::STRANGER_WELCOME
                || by.iter().any(|account| self.contact(account).accepted)
        };
        let Ok(candidate) = Candidate::open_if(&self.disk, welcome, wanted) else {
            return DROP;
        };
        let context = candidate.context().clone();
        let (leaves, sender) = (candidate.leaves().to_vec(), candidate.sender().clone());
        let id = candidate.room();
        let (offer, shared) = (candidate.offer(), candidate.is_last_resort());
        let waits = (Some(Waiting { room: id, offer, shared, lacks: Lacks::default() }), false);
        let other = match &context.kind {
            RoomKind::Direct { a, b } if *a == me && *b != me => *b,
            RoomKind::Direct { a, b } if *b == me && *a != me => *a,
            RoomKind::Own if context.creator == me && sender.name.account == me => me,
            RoomKind::Direct { .. } | RoomKind::Own => return DROP,
            RoomKind::Group => sender.name.account,
        };
        let contact = self.contact(&other);
        // Where a device of ours is there are no strangers: it was accepted there.
        let by_own = sender.name.account == me;
        let stranger = !contact.accepted && !by_own;
        let too_big =
            leaves.len() > limits::STRANGER_LEAVES || welcome.len() > limits::STRANGER_WELCOME;
        let direct = matches!(context.kind, RoomKind::Direct { .. });
        if (contact.blocked && !direct) || (stranger && too_big) {
            return DROP;
        }
        let change = Change {
            before: None,
            after: &context,
            committer: sender.name.account,
            joining: Some(me),
            staying: &[],
            entering: &leaves,
            updated: None,
            removed: &[],
        };
        let verdict = self.ask_gate(&change);
        if matches!(verdict, Verdict::Invalid(_)) {
            return DROP;
        }
        // Who sent it is known once a list names the leaf that did. Before that it is anybody's, whatever it claims, and
        // nobody else is looked up for its sake. A leaf may name a version that will never be: an honest list was at
        // the server before it was used, so one look since it came is all it gets.
        for verdict in [self.judge_sender(&sender), verdict] {
            match verdict {
                Verdict::Invalid(_) => return DROP,
                Verdict::Undecided(missing) if self.never_listed(&missing, held_since) => {
                    return DROP;
                }
                Verdict::Undecided(missing) => {
                    self.seek_for_welcome(&missing);
                    return waits;
                }
                Verdict::Valid => {}
            }
        }
        // One that we removed brings us nowhere.
        if by_own && !self.is_listed(&sender) {
            return DROP;
        }
        // The version that a leaf names says nothing of today: who lets us in is on the newest list, asked for now.
        if !self.is_fresh(&sender.name.account) {
            return waits;
        }
        if !self.is_shown(&sender.name.account) {
            self.seek_proof(sender.name.account);
            return waits;
        }
        if !self.is_listed(&sender) {
            return DROP;
        }
        let before = self.room(&id);
        if !self.may_replace(before.as_ref(), &candidate) {
            return DROP;
        }
        let follows = match before {
            Some(_) => None,
            None => match self.follows(&context, &leaves, &other) {
                Follows::Yes(old) => Some(*old),
                Follows::No => None,
                Follows::NotYet => return waits,
            },
        };
        // Of somebody blocked, where the chat goes on alone: unread, as the room before it, and there when they are unblocked. Who
        // is told nothing of the block would write into a room that nobody else is in.
        if contact.blocked && follows.is_none() {
            return DROP;
        }
        if stranger && before.is_none() && follows.is_none() && self.has_enough_of(&other) {
            return DROP;
        }
        let own_token = (!shared).then_some(offer);
        let Ok(group) = candidate.join(&self.disk) else {
            return DROP;
        };
        self.live.groups.insert(id, group);
        self.joined(&id, &context, &sender, other, own_token, (before, follows));
        (None, true)
    }

    /// Whether so much of a stranger's waits for an answer that no more is taken: one package of a last resort lets anybody in
    /// without end, and what came is kept until the person answers.
    fn has_enough_of(&self, stranger: &AccountId) -> bool {
        let conversations = self.conversations();
        let requests = || conversations.iter().filter(|one| one.status == Status::Request);
        let rooms = |one: &Conversation| one.rooms.len() + self.retired_rooms(one.id).len();
        let of_one: usize = requests().filter(|one| one.other == *stranger).map(rooms).sum();
        of_one >= ROOMS_OF_A_STRANGER || requests().count() >= REQUESTS
    }

    fn joined(
        &mut self,
        id: &RoomId,
        context: &RoomContext,
        sender: &Leaf,
        other: AccountId,
        own_token: Option<Token>,
        (before, follows): (Option<Room>, Option<Room>),
    ) {
        let by_own = self.is_me(&sender.name.account);
        let mut contact = self.contact(&other);
        if by_own && !contact.accepted {
            contact.accepted = true;
            self.set_contact(&other, &contact);
        }
        let accepted = contact.accepted;
        let title = crate::names::tidy(&context.title, 100);
        let existing = before.as_ref().or(follows.as_ref()).map(|room| room.conversation);
        let existing = existing.and_then(|id| self.conversation(id));
        // Whatever this device wanted to commit here belongs to a state that is gone.
        self.disk.remove(&key::stuck(id));
        self.disk.remove(&key::submission(id));
        self.is_fruitful(id);
        let fresh = existing.is_none();
        let mut conversation = match (existing, &context.kind) {
            (Some(existing), _) => existing,
            (None, RoomKind::Direct { .. }) => {
                let status = if accepted { Status::Open } else { Status::Request };
                self.direct_conversation(&other, status)
            }
            (None, RoomKind::Own) => self.direct_conversation(&other, Status::Open),
            (None, RoomKind::Group) => {
                let asked = self.disk.get::<AccountId>(&key::asked(id));
                let asked = asked == Some(sender.name.account);
                self.disk.remove(&key::asked(id));
                let status = if by_own || asked { Status::Open } else { Status::Request };
                self.group_conversation(id, &context.creator, &title, status)
            }
        };
        if before.is_some() {
            conversation.status = match conversation.status {
                Status::Removed => Status::Open,
                Status::Left => {
                    let last = self.newest_message(conversation.id);
                    conversation.returning = Some(last.unwrap_or(MessageId(0)));
                    Status::Request
                }
                other => other,
            };
        }
        if !conversation.rooms.contains(id) {
            conversation.rooms.push(*id);
        }
        if before.is_some() {
            // Help came after all: whoever was not stuck is here, and not in a room we went to meanwhile.
            self.leave_successors(id, &mut conversation);
        }
        conversation.sorted_at = self.now;
        self.set_conversation(&conversation);
        // A last-resort package's token is shared by every room joined by it: this one takes its own with its
        // next commit, and never tells the server to forget the shared one.
        // A single-use one is the room's own. As long as this is a request it stays a stranger's at the server, and one drawn for
        // a request is not told: a device may have so many tokens.
        let is_strangers = conversation.status == Status::Request;
        if let Some(offer) = &own_token {
            self.is_used(offer);
        }
        if !is_strangers {
            self.disk.put(key::unknown(id), &());
        }
        // Who was there before us we do not know.
        let grown_at = self.live.groups.get(id).map_or(0, |group| group.epoch());
        let token = own_token.unwrap_or_else(|| token::draw(&self.disk, self.rng));
        let mut room = Room {
            room: *id,
            conversation: conversation.id,
            token,
            token_known: is_strangers,
            founded: true,
            i_sent: false,
            they_sent: false,
            updated_at: self.now,
            stuck: None,
            closed: false,
            nature: Some(Nature::of(context)),
            last_epoch: 0,
            led_by: Vec::new(),
            conducts: Vec::new(),
            grown_at,
        };
        self.note_conduct(&mut room, 0, context);
        self.set_room(&room);
        if conversation.rooms.len() > 1 && !by_own && before.is_none() {
            self.say_how_it_came(conversation.id, sender);
        }
        if let Some(old) = follows {
            conversation.rooms.retain(|room| *room != old.room);
            self.set_conversation(&conversation);
            if !old.closed {
                self.retire_room(&old.room);
                self.line(conversation.id, Line::Successor);
            }
        } else if fresh
            && conversation.kind == Kind::Group
            && let Some(who) = self.me().filter(|_| !by_own)
        {
            self.line(conversation.id, Line::Added { by: sender.name.account, who });
        }
        let used = self.room_in_use(&conversation);
        if conversation.kind == Kind::Group && used.is_some_and(|used| used.room == *id) {
            conversation.title = title;
            self.set_conversation(&conversation);
        }
        if before.is_some() && !fresh {
            // Senders were told "sent", which is true; this device never had the keys of the epochs it missed.
            self.line(conversation.id, Line::MayBeMissing);
        }
        if conversation.status == Status::Open {
            self.intend(id, &Intent::Update);
        }
        if conversation.status == Status::Blocked {
            return self.deafen(id);
        }
        self.greet_own_devices(id);
    }
}
