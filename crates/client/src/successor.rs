// SPDX-License-Identifier: AGPL-3.0-or-later
//! Which Welcome may take the place of a room this device has, or had: help in the same room, and successors of a
//! burnt one. Everything else is a room like any other, and a request.
//!
//! A room's id is no secret (the server knows it, and every member), so it gives nobody a right to a chat.
//!
//! Spec: `docs/book/protocol.md`, 3.6.

use nodoor_e2ee::{
    group::Leaf,
    join::Candidate,
    room::{RoomContext, RoomKind},
};
use nodoor_view::model::Kind;
use nodoor_wire::{header::CommitHeader, id::AccountId};

use crate::{
    rows::{Nature, Room, Status},
    step::Step,
    stuck::{PATIENCE, accounts},
};

/// Whether a Welcome is to a successor that is followed without asking.
pub(crate) enum Follows {
    /// It is a room like any other.
    No,
    /// Not before more is known: a commit that is being judged, or the creator's own successor.
    NotYet,
    /// Of this room.
    Yes(Box<Room>),
}

impl Step<'_> {
    /// Whether a Welcome may take the place of what this device holds under its room id: only in a group that is
    /// stuck or closed here, only by its creator, and only later than the state we had. The room is then what it was.
    /// In a room we are in, a second Welcome would throw our state away; a direct room is never helped.
    pub(crate) fn may_replace(&self, before: Option<&Room>, candidate: &Candidate) -> bool {
        let Some(before) = before else {
            return candidate.replaces().is_none();
        };
        let stands_still = before.stuck.is_some() || before.closed;
        let nature = Nature::of(candidate.context());
        let last = candidate.replaces().map_or(before.last_epoch, |replaced| replaced.epoch);
        // Who alone refused a commit is helped by its creator. Who went on without him with others is not his any more.
        let burnt = before.stuck.as_ref().and_then(|stuck| stuck.burnt.as_ref());
        let excluded =
            before.closed && burnt.is_some_and(|burnt| !burnt.members.contains(&nature.creator));
        stands_still
            && !excluded
            && nature.group
            && before.nature == Some(nature)
            && candidate.sender().name.account == nature.creator
            && candidate.epoch() > last
    }

    /// Whether a Welcome to a successor is one to follow without asking. Between two people: always, whatever room
    /// their devices take. In a group: only from the commit that this device refused as well, from a good member, to
    /// exactly the good members, under the same title; and for an hour only that of the old room's creator, if it
    /// is a good member, so that nobody takes a group over by being first. The creator itself founds its own before
    /// it reads another. `other` is whose room it is: the other of two, or who founded the group.
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
        let Some(nature) = old.nature.filter(|nature| nature.group) else {
            return Follows::No;
        };
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
        let creator = nature.creator;
        let free = *other == creator || !burnt.members.contains(&creator) || heir_is_here(self);
        let patient = creator == me || self.now.saturating_sub(stuck.since) < PATIENCE;
        if free || !patient { Follows::Yes(Box::new(old)) } else { Follows::NotYet }
    }

    /// Whether a room is the successor that its old room's creator founded.
    pub(crate) fn is_heir(&self, room: &Room) -> bool {
        let Some(Nature { creator, origin: Some((old, ..)), .. }) = room.nature else {
            return false;
        };
        let old = self.room(&old).and_then(|old| old.nature);
        old.is_some_and(|old| old.creator == creator)
    }
}
