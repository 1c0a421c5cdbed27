// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rooms that do not go on: burnt epochs, help, successors.
//!
//! The server's head is final. If its commit is one that no honest member merges, or one that this device
//! alone cannot open, the room stands still here: nothing is sent in it, what a person writes waits. Help is
//! being removed and added again by the creator; without help the members of the last good epoch go on in a
//! successor room, without the account whose commit it was.
//!
//! Spec: `docs/book/protocol.md`, 3.6.

use nodoor_e2ee::{
    content::Content,
    group::Leaf,
    open::Sender,
    room::{Burnt, RoomContext, RoomKind},
};
use nodoor_view::model::{Kind, SystemLine};
use nodoor_wire::id::{AccountId, CommitId, RoomId};

use crate::{
    mailbox::Waiting,
    rows::{Burning, Conversation, Intent, Room, Status, Stuck, key},
    step::Step,
};

/// How long a stuck client waits for a member's help before it founds a successor room, how long a commit
/// that cannot be decided may wait, and how often help is asked for. Milliseconds.
const PATIENCE: u64 = 3600 * 1000;
/// Members found their successor one after the other, so that the first one's arrives before the next begins.
const STAGGER: u64 = 60 * 1000;
/// A device that was off is given this long to catch up before it says that it cannot. Milliseconds.
const SETTLING: u64 = 60 * 1000;

impl Step<'_> {
    /// An accepted commit with a good header that must not be merged, signed by the leaf of this commit key.
    pub(crate) fn burnt(&mut self, id: &RoomId, commit: CommitId, signer: [u8; 32]) {
        let facts = self.with_group(id, |_, group| {
            (group.epoch(), group.context().kind, group.leaves().to_vec())
        });
        let (Some((epoch, kind, leaves)), Some(mut room)) = (facts, self.room(id)) else {
            return;
        };
        if room.is_burnt() {
            return;
        }
        let signer = leaves.iter().find(|leaf| leaf.commit_key == signer);
        let signer = signer.filter(|_| kind == RoomKind::Group).map(|leaf| leaf.name.account);
        let mut members = accounts(&leaves);
        members.retain(|account| Some(AccountId(*account)) != signer);
        self.drop_submission(id);
        self.is_fruitful(id);
        let burnt = Some(Burning { epoch, commit: commit.0, members });
        room.stuck = Some(Stuck { burnt, since: self.now, asked_at: None });
        self.stand_still(&room);
    }

    /// A room that cannot catch up, and nobody to blame for it.
    pub(crate) fn lost(&mut self, id: &RoomId) {
        if let Some(mut room) = self.room(id).filter(|room| room.stuck.is_none() && !room.closed) {
            room.stuck = Some(Stuck { burnt: None, since: self.now, asked_at: None });
            self.stand_still(&room);
        }
    }

    fn stand_still(&mut self, room: &Room) {
        self.set_room(room);
        self.disk.put(key::stuck(&RoomId(room.room)), &self.now);
        self.live.changed.insert(room.conversation);
    }

    /// The room goes on: what stood still does so no longer.
    pub(crate) fn unstuck(&mut self, room: &mut Room) {
        if room.stuck.take().is_some() {
            self.disk.remove(&key::stuck(&RoomId(room.room)));
            self.live.changed.insert(room.conversation);
        }
    }

    /// Rooms whose next commit has waited for an hour to be decided.
    pub(crate) fn find_lost(&mut self) {
        let Some(ready) = self.live.online_since.map(|since| since + SETTLING) else {
            return;
        };
        for (room, since) in self.waiting_commits() {
            if since + PATIENCE <= self.now && ready <= self.now {
                self.lost(&room);
            }
        }
    }

    /// The times at which something of this module is due.
    pub(crate) fn stuck_due(&self) -> Vec<u64> {
        let stuck = self.stuck_rooms().into_iter().filter_map(|(room, stuck)| {
            let asked = stuck.asked_at.map(|at| at + PATIENCE);
            let successor = stuck.since + PATIENCE + self.turn(&RoomId(room.room));
            if stuck.burnt.is_some() { Some(successor) } else { asked }
        });
        let ready = self.live.online_since.map_or(0, |since| since + SETTLING);
        let waiting =
            self.waiting_commits().into_iter().map(|(_, since)| (since + PATIENCE).max(ready));
        stuck.chain(waiting).collect()
    }

    fn waiting_commits(&self) -> Vec<(RoomId, u64)> {
        let mut rooms: Vec<(RoomId, u64)> = Vec::new();
        for Waiting { room, since, is_commit } in self.waiting() {
            if is_commit && rooms.iter().all(|(known, _)| *known != room) {
                rooms.push((room, since));
            }
        }
        rooms
    }

    fn stuck_rooms(&self) -> Vec<(Room, Stuck)> {
        self.disk
            .prefixed(key::STUCK, usize::MAX)
            .into_iter()
            .filter_map(|(row, _)| RoomId::try_from(row.get(key::STUCK.len()..)?).ok())
            .filter_map(|id| self.room(&id).filter(|room| !room.closed))
            .filter_map(|room| room.stuck.clone().map(|stuck| (room, stuck)))
            .collect()
    }

    /// Asks for help with stuck rooms, and after an hour without it goes on in a successor.
    pub(crate) fn advance_stuck(&mut self) {
        for (room, stuck) in self.stuck_rooms() {
            self.seek_help(room, &stuck);
        }
    }

    fn seek_help(&mut self, mut room: Room, stuck: &Stuck) {
        let id = RoomId(room.room);
        let conversation = self.conversation(room.conversation);
        // Who was not accepted gets nothing from here, not even a new room.
        let Some(conversation) = conversation.filter(|one| one.status == Status::Open) else {
            return;
        };
        let facts = self.with_group(&id, |_, group| (group.context().creator, group.epoch()));
        let (Some((creator, epoch)), Some(me)) = (facts, self.me()) else {
            return;
        };
        let group = conversation.kind == Kind::Group;
        let due = stuck.asked_at.is_none_or(|at| self.now.saturating_sub(at) >= PATIENCE);
        if let Some(burnt) = &stuck.burnt {
            // In a direct room nobody can help, and nobody can help the creator.
            let alone = !group || creator == me;
            let patience = if alone { 0 } else { PATIENCE + self.turn(&id) };
            if self.now.saturating_sub(stuck.since) >= patience && burnt.members.contains(&me.0) {
                self.found_successor(&id, burnt);
                return;
            }
        } else if due {
            self.is_behind(&id);
        }
        if due {
            let commit = CommitId(stuck.burnt.as_ref().map_or([0; 32], |burnt| burnt.commit));
            room.stuck = Some(Stuck { asked_at: Some(self.now), ..stuck.clone() });
            self.set_room(&room);
            if group && creator != me {
                let mut chat = self.direct_conversation(&creator, Status::Open);
                self.ensure_direct_room(&mut chat);
                let call = Content::Stuck { room: id, epoch, commit };
                self.queue(chat.id, None, &call, None);
            }
        }
    }

    /// How long after the hour this device's turn to found a successor comes: by its leaf, an hour at most.
    fn turn(&self, id: &RoomId) -> u64 {
        let place = self.live.groups.get(id).map_or(0, |group| u64::from(group.own_index()));
        (place * STAGGER).min(PATIENCE)
    }

    fn found_successor(&mut self, id: &RoomId, burnt: &Burning) {
        let context = self.with_group(id, |_, group| group.context().clone());
        let (Some(context), Some(me), Some(room)) = (context, self.me(), self.room(id)) else {
            return;
        };
        let Some(mut conversation) = self.conversation(room.conversation) else {
            return;
        };
        let origin = Burnt { room: *id, epoch: burnt.epoch, commit: CommitId(burnt.commit) };
        let successor = RoomContext { creator: me, successor_of: Some(origin), ..context };
        let others = burnt.members.iter().copied().filter(|account| *account != me.0).collect();
        let new = RoomId(self.random());
        self.close_room(id);
        conversation.rooms.retain(|old| *old != id.0);
        if self.found_room(&mut conversation, successor, others, new).is_some() {
            self.system_line(conversation.id, SystemLine::Successor);
        }
    }

    /// Whether a Welcome to a successor is one to follow without asking: in a group only from the commit that
    /// this device refused as well, from a good member, to exactly the good members. Other devices of two
    /// people who talk directly are theirs, whatever room they take.
    pub(crate) fn follows(
        &self,
        context: &RoomContext,
        leaves: &[Leaf],
        sender: &Leaf,
    ) -> Option<Room> {
        let origin = context.successor_of?;
        let old = self.room(&origin.room)?;
        if let RoomKind::Direct { .. } = context.kind {
            let conversation = self.conversation(old.conversation)?;
            let same = conversation.kind == Kind::Direct
                && [sender.name.account.0, self.me()?.0].contains(&conversation.other);
            return same.then_some(old);
        }
        let burnt = old.stuck.as_ref()?.burnt.as_ref()?;
        let same = burnt.epoch == origin.epoch
            && burnt.commit == origin.commit.0
            && burnt.members.contains(&sender.name.account.0)
            && burnt.members == accounts(leaves);
        same.then_some(old)
    }

    /// Closes the successors of a room.
    pub(crate) fn leave_successors(&mut self, id: &RoomId, conversation: &mut Conversation) {
        for room in conversation.rooms.clone() {
            let room = RoomId(room);
            let origin = self.with_group(&room, |_, group| group.context().successor_of);
            if origin.flatten().is_some_and(|origin| origin.room == *id) {
                self.close_room(&room);
                conversation.rooms.retain(|other| *other != room.0);
            }
        }
    }

    /// Somebody is stuck in a room where we got on: remove and re-add that device.
    pub(crate) fn help(&mut self, from: &AccountId, leaf: &Sender, stuck: &RoomId, epoch: u64) {
        let ours = self.with_group(stuck, |_, group| {
            let member = group
                .leaves()
                .iter()
                .any(|other| other.name.account == *from && other.name.device == leaf.name.device);
            (group.context().creator, group.epoch(), member)
        });
        let call = key::call(stuck, &leaf.name.device);
        let asked_at: Option<u64> = self.disk.get(&call);
        if let Some((creator, head, true)) = ours
            && self.is_me(&creator)
            && head > epoch
            && asked_at.is_none_or(|at| self.now.saturating_sub(at) >= PATIENCE / 2)
        {
            self.disk.put(call, &self.now);
            self.intend(stuck, &Intent::Readd(from.0, leaf.name.device.0));
        }
    }
}

fn accounts(leaves: &[Leaf]) -> Vec<[u8; 16]> {
    let mut accounts: Vec<[u8; 16]> = leaves.iter().map(|leaf| leaf.name.account.0).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}
