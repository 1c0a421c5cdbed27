// SPDX-License-Identifier: AGPL-3.0-or-later
//! Which Welcome may take the place of a room this device has, or had: help in the same room, and successors of a
//! burnt one. Everything else is a room like any other, and a request.
//!
//! A room's id is no secret (the server knows it, and every member), so it gives nobody a right to a chat.
//!
//! Spec: `docs/book/protocol.md`, 3.6.

use std::collections::BTreeMap;

use nodoor_e2ee::{
    charter::Charter,
    group::Leaf,
    join::Candidate,
    room::{RoomContext, RoomKind},
};
use nodoor_view::model::Kind;
use nodoor_wire::{header::CommitHeader, id::AccountId};

use crate::{
    room::leading,
    rows::{Burning, Nature, Room, Status},
    step::Step,
    stuck::{PATIENCE, accounts},
};

/// Whether a Welcome is to a successor that is followed without asking.
pub(crate) enum Follows {
    /// It is a room like any other.
    No,
    /// Not before more is known: a commit that is being judged, or the first owner's successor.
    NotYet,
    /// Of this room.
    Yes(Box<Room>),
}

impl Step<'_> {
    /// Whether a Welcome may take the place of what this device holds under its room id: only in a group that is
    /// stuck or closed here, only by who led it when we were in it last, and only later than that. The room is then what it was.
    /// In a room we are in, a second Welcome would throw our state away; a direct room is never helped.
    pub(crate) fn may_replace(&self, before: Option<&Room>, candidate: &Candidate) -> bool {
        let Some(before) = before else {
            return candidate.replaces().is_none();
        };
        let stands_still = before.stuck.is_some() || before.closed;
        let nature = Nature::of(candidate.context());
        let (last, mut led_by) = match candidate.replaces() {
            Some(replaced) => (replaced.epoch, leading(&replaced.context)),
            None => (before.last_epoch, before.led_by.clone()),
        };
        if led_by.is_empty() {
            // Closed before there were roles.
            led_by.push(nature.creator);
        }
        let sender = candidate.sender().name.account;
        // Who alone refused a commit is helped by who leads the group. Who went on without them is not theirs any more.
        let burnt = before.stuck.as_ref().and_then(|stuck| stuck.burnt.as_ref());
        let excluded = before.closed && burnt.is_some_and(|burnt| !burnt.members.contains(&sender));
        stands_still
            && !excluded
            && nature.group
            && before.nature == Some(nature)
            && led_by.contains(&sender)
            && candidate.epoch() > last
    }

    /// Whether a Welcome to a successor is one to follow without asking. Between two people: always, whatever room
    /// their devices take. In a group: only from the commit that this device refused as well, from a good member, to
    /// exactly the good members, under the same title, roles and bans; and for an hour only that of the old room's first
    /// owner, if one is a good member, so that nobody takes a group over by being first. That owner founds its own
    /// before it reads another. `other` is whose room it is: the other of two, or who founded the group.
    pub(crate) fn follows(
        &mut self,
        context: &RoomContext,
        leaves: &[Leaf],
        other: &AccountId,
    ) -> Follows {
        let Some(origin) = context.successor_of else {
            return Follows::No;
        };
        let Some(old) = self.room(&origin.room) else {
            return Follows::No;
        };
        let (Some(conversation), Some(me)) = (self.conversation(old.conversation), self.me())
        else {
            return Follows::No;
        };
        if let RoomKind::Direct { .. } = context.kind {
            let same = conversation.kind == Kind::Direct && conversation.other == *other;
            return if same { Follows::Yes(Box::new(old)) } else { Follows::No };
        }
        if !old.is_group() {
            return Follows::No;
        }
        // Who left, or is out, is asked.
        if !matches!(conversation.status, Status::Open | Status::Request) {
            return Follows::No;
        }
        let Some(stuck) = old.stuck.as_ref().filter(|stuck| stuck.burnt.is_some()) else {
            let waits = !old.closed
                && self.held_commits(&origin.room).iter().any(|commit| {
                    let header = CommitHeader::from_slice(&commit.header);
                    header.is_ok_and(|header| header.commit_id() == origin.commit)
                });
            return if waits { Follows::NotYet } else { Follows::No };
        };
        let Some(burnt) = &stuck.burnt else {
            return Follows::No;
        };
        let same = conversation.kind == Kind::Group
            && burnt.epoch == origin.epoch
            && burnt.commit == origin.commit
            && burnt.title == context.title
            && context.creator == *other
            && left_over(burnt) == Charter::written_out(context).ok()
            && burnt.members.contains(other)
            && burnt.members == accounts(leaves);
        if !same {
            return Follows::No;
        }
        let heir_is_here = |step: &Self| {
            let rooms = conversation.rooms.iter().filter_map(|room| step.room(room));
            let mut rooms = rooms.filter(|room| !room.closed);
            rooms.any(|room| {
                let origin = room.nature.and_then(|nature| nature.origin);
                step.is_heir(&room) && origin.is_some_and(|(of, ..)| of == old.room)
            })
        };
        let lead = burnt.lead;
        let free = lead.is_none_or(|lead| lead == *other) || heir_is_here(self);
        let patient = lead == Some(me) || self.now.saturating_sub(stuck.since) < PATIENCE;
        if free || !patient { Follows::Yes(Box::new(old)) } else { Follows::NotYet }
    }

    /// Whether a room is the successor that its old room's first owner founded.
    pub(crate) fn is_heir(&self, room: &Room) -> bool {
        let Some(Nature { creator, origin: Some((old, ..)), .. }) = room.nature else {
            return false;
        };
        let burnt = self.room(&old).and_then(|old| old.stuck?.burnt);
        burnt.is_some_and(|burnt| burnt.lead == Some(creator))
    }
}

/// What the old room was beyond its title, for its good members; nothing where that was not written down.
fn left_over(burnt: &Burning) -> Option<BTreeMap<u32, Vec<u8>>> {
    let more = burnt.more.iter().map(|(number, value)| (*number, value.to_vec()));
    (!burnt.more.is_empty()).then(|| more.collect())
}
