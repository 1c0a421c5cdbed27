// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rooms that do not go on: burnt epochs, help, successors.
//!
//! The server's head is final. If its commit is one that no honest member merges, or one that this device
//! alone cannot open, the room stands still here: nothing is sent in it, what a person writes waits. Help is
//! being removed and added again by the creator; without help the members of the last good epoch go on in a
//! successor room, without the account whose commit it was.
//!
//! Spec: `docs/book/protocol.md`, 3.6.

use std::collections::BTreeMap;

use nodoor_e2ee::{
    charter::Charter,
    content::Content,
    group::Leaf,
    open::{OpenError, Opened, Sender},
    room::{Burnt, RoomContext, RoomKind},
};
use nodoor_view::model::Kind;
use nodoor_wire::{
    header::CommitHeader,
    id::{AccountId, CommitId, RoomId},
};

use serde_bytes::ByteBuf;

use crate::{
    gate::{Missing, Verdict},
    room::leading,
    rows::{Burning, Cause, Conversation, Intent, Line, Room, Status, Stuck, Who, key},
    step::Step,
};

/// How long a stuck client waits for a member's help before it founds a successor room, how long a commit
/// that cannot be decided may wait, and how often help is asked for. Milliseconds.
pub(crate) const PATIENCE: u64 = 3600 * 1000;
/// Members found their successor one after the other, so that the first one's arrives before the next begins.
const STAGGER: u64 = 60 * 1000;
/// A device that was off is given this long to catch up before it says that it cannot. Milliseconds.
const SETTLING: u64 = 60 * 1000;

impl Step<'_> {
    /// An accepted commit with a good header that must not be merged, signed by the leaf of this commit key.
    pub(crate) fn burnt(&mut self, id: &RoomId, commit: CommitId, signer: [u8; 32], cause: Cause) {
        let facts = self.with_group(id, |_, group| {
            (group.epoch(), group.context().clone(), group.leaves().to_vec())
        });
        let (Some((epoch, context, leaves)), Some(mut room)) = (facts, self.room(id)) else {
            return;
        };
        if room.is_burnt() {
            return;
        }
        let signer = leaves.iter().find(|leaf| leaf.commit_key == signer);
        let signer =
            signer.filter(|_| context.kind == RoomKind::Group).map(|leaf| leaf.name.account);
        let mut good: Vec<AccountId> = leaves.iter().map(|leaf| leaf.name.account).collect();
        good.retain(|account| Some(*account) != signer);
        let mut members = good.clone();
        members.sort_unstable();
        members.dedup();
        let (more, lead) = left_to(&context, &good);
        self.drop_submission(id);
        self.is_fruitful(id);
        let title = context.title;
        let burnt = Some(Burning { epoch, commit, members, title, more, lead, cause });
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
        let conversation = self.conversation(room.conversation);
        if conversation.is_some_and(|one| one.status == Status::Left) {
            // Nobody can be told any more.
            return self.close_room(&room.room);
        }
        self.disk.put(key::stuck(&room.room), &self.now);
        self.live.changed.insert(room.conversation);
    }

    /// The room goes on: what stood still does so no longer.
    pub(crate) fn unstuck(&mut self, room: &mut Room) {
        if room.stuck.take().is_some() {
            self.disk.remove(&key::stuck(&room.room));
            self.live.changed.insert(room.conversation);
        }
    }

    /// Rooms whose next commit has waited for an hour to be decided.
    pub(crate) fn find_lost(&mut self) {
        let Some(ready) = self.live.online_since.map(|since| since + SETTLING) else {
            return;
        };
        for (room, since) in self.waiting_commits() {
            // Judged once; again when something was learnt.
            let due = since + PATIENCE <= self.now && ready <= self.now;
            if due && self.live.judged.insert(room) {
                self.waited_in_vain(&room, since + PATIENCE);
            }
        }
    }

    /// A commit of our epoch has waited for an hour, until `at`. What cannot be decided then burns the epoch with its
    /// signer: one that carries out a proposal which nobody brought (whoever commits honestly has that proposal from
    /// the same mailboxes in which the commit came after it), and one that names a version of a list which the
    /// account's chain, looked up after that hour, does not reach. Should the server alone have withheld it from us,
    /// others got on, and the creator helps within the next hour. A look-up without an answer blames nobody.
    fn waited_in_vain(&mut self, id: &RoomId, at: u64) {
        if self.room(id).is_none_or(|room| room.is_burnt() || room.closed) {
            return;
        }
        let mut waits_for_log = false;
        for commit in self.held_commits(id) {
            self.disk.begin();
            let cause = self.with_group(id, |step, group| {
                let ours = commit.epoch == group.epoch() && group.verify_header(&commit).is_ok();
                if !ours {
                    return None;
                }
                match group.open(&step.disk, &commit.frame) {
                    Err(OpenError::ProposalMissing) => Some(Cause::UnseenProposal),
                    Ok(Opened::Commit(staged)) => match step.judge_staged(group, &staged) {
                        Verdict::Undecided(missing) => {
                            let unlogged = |one: &Missing| matches!(one, Missing::Inclusion { .. });
                            waits_for_log |= missing.iter().all(unlogged);
                            step.in_vain(&missing, at)
                        }
                        Verdict::Valid | Verdict::Invalid(_) => None,
                    },
                    _ => None,
                }
            });
            self.disk.undo();
            self.live.groups.remove(id);
            let header = CommitHeader::from_slice(&commit.header);
            let signer = <[u8; 32]>::try_from(commit.commit_key.as_ref());
            if let (Some(Some(cause)), Ok(header), Ok(signer)) = (cause, header, signer) {
                self.burnt(id, header.commit_id(), signer, cause);
                // Successors that came before.
                self.retry_held();
                return;
            }
        }
        // A public log that stands still is no fault of the room's.
        if !waits_for_log {
            self.lost(id);
        }
    }

    /// Whether all lists that are missing were looked up since and are still not there.
    fn in_vain(&self, missing: &[Missing], since: u64) -> Option<Cause> {
        let mut lists = missing.iter().filter_map(|one| match one {
            Missing::List { account, .. } => Some(account),
            Missing::Inclusion { .. } => None,
        });
        let looked_up =
            |account: &AccountId| self.live.fresh.get(account).is_some_and(|fresh| *fresh >= since);
        (lists.next().is_some_and(looked_up) && lists.all(looked_up)).then_some(Cause::UnknownList)
    }

    /// The times at which something of this module is due.
    pub(crate) fn stuck_due(&self) -> Vec<u64> {
        let stuck = self.stuck_rooms().into_iter().flat_map(|(room, stuck)| {
            let asked = stuck.asked_at.map(|at| at + PATIENCE);
            let patient = stuck.since + PATIENCE;
            let successor = patient + self.turn(&room.room);
            if stuck.burnt.is_some() { vec![patient, successor] } else { Vec::from_iter(asked) }
        });
        let ready = self.live.online_since.map_or(0, |since| since + SETTLING);
        let waiting =
            self.waiting_commits().into_iter().map(|(_, since)| (since + PATIENCE).max(ready));
        stuck.chain(waiting).collect()
    }

    /// Rooms in which a commit waits, and since when its oldest does.
    fn waiting_commits(&self) -> Vec<(RoomId, u64)> {
        let mut rooms: Vec<(RoomId, u64)> = Vec::new();
        for (room, held) in self.held_keys() {
            if held.is_commit && rooms.last().is_none_or(|(known, _)| *known != room) {
                rooms.push((room, held.since));
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
        let id = room.room;
        let conversation = self.conversation(room.conversation);
        // Who was not accepted gets nothing from here, not even a new room.
        let Some(conversation) = conversation.filter(|one| one.status == Status::Open) else {
            return;
        };
        let facts = self.with_group(&id, |_, group| {
            (leading(group.context()), accounts(group.leaves()), group.epoch())
        });
        let (Some((mut helpers, there, epoch)), Some(me)) = (facts, self.me()) else {
            return;
        };
        helpers.retain(|account| *account != me && there.contains(account));
        let group = conversation.kind == Kind::Group;
        let due = stuck.asked_at.is_none_or(|at| self.now.saturating_sub(at) >= PATIENCE);
        if let Some(burnt) = &stuck.burnt {
            // In a direct room nobody can help. In a group its first owner need not wait: what they refuse, all refuse.
            let alone = !group || burnt.lead == Some(me);
            // Who breaks the successor of a broken room as well does it once an hour.
            let again = room.nature.is_some_and(|nature| nature.origin.is_some());
            let patience = match (alone, again) {
                (true, false) => 0,
                (true, true) => PATIENCE,
                (false, _) => PATIENCE + self.turn(&id),
            };
            if self.now.saturating_sub(stuck.since) >= patience && burnt.members.contains(&me) {
                let origin = Burnt { room: id, epoch: burnt.epoch, commit: burnt.commit };
                self.found_successor(origin, &burnt.members);
                // Those of others that came before: theirs are read, ours is used.
                self.retry_held();
                return;
            }
        } else if !group
            && !self.is_own_conversation(&conversation)
            && self.held_commits(&id).iter().all(|commit| commit.epoch != epoch)
        {
            // Nobody can help. Where that was so a moment ago as well, a server that turns us away waits an hour.
            let again = room.nature.is_some_and(|nature| nature.origin.is_some());
            if !again || self.now.saturating_sub(stuck.since) >= PATIENCE {
                let origin = Burnt { room: id, epoch, commit: CommitId([0; 32]) };
                self.found_successor(origin, &[me, conversation.other]);
                // What others sent in the old room meanwhile this device cannot read.
                self.line(conversation.id, Line::MayBeMissing);
                self.retry_held();
                return;
            }
        } else if due {
            self.is_behind(&id);
        }
        if due {
            let commit = stuck.burnt.as_ref().map_or(CommitId([0; 32]), |burnt| burnt.commit);
            room.stuck = Some(Stuck { asked_at: Some(self.now), ..stuck.clone() });
            self.set_room(&room);
            // Each hour another of those who could help.
            let turn = self.now.saturating_sub(stuck.since) / PATIENCE;
            let place = usize::try_from(turn).unwrap_or(0).checked_rem(helpers.len());
            if let Some(helper) = place.and_then(|place| helpers.get(place)) {
                let mut chat = self.direct_conversation(helper, Status::Open);
                self.ensure_direct_room(&mut chat);
                let call = Content::Stuck { room: id, epoch, commit };
                self.queue(chat.id, None, &call.into(), None);
            }
        }
    }

    /// How long after the hour this device's turn to found a successor comes: by its leaf, an hour at most.
    fn turn(&self, id: &RoomId) -> u64 {
        let place = self.live.groups.get(id).map_or(0, |group| u64::from(group.own_index()));
        (place * STAGGER).min(PATIENCE)
    }

    /// Goes on in a new room with these, and names the old one.
    pub(crate) fn found_successor(&mut self, origin: Burnt, members: &[AccountId]) {
        let old = origin.room;
        let id = &old;
        let context = self.with_group(id, |_, group| group.context().clone());
        let (Some(context), Some(me), Some(room)) = (context, self.me(), self.room(id)) else {
            return;
        };
        let Some(mut conversation) = self.conversation(room.conversation) else {
            return;
        };
        // Roles and the rest come with the members: see `inheritance`.
        let extra = BTreeMap::new();
        let successor = RoomContext { creator: me, successor_of: Some(origin), extra, ..context };
        let others: Vec<_> = members.iter().copied().filter(|account| *account != me).collect();
        let new = RoomId(self.random());
        self.retire_room(id);
        conversation.rooms.retain(|old| old != id);
        if self.found_room(&mut conversation, successor, new).is_some() {
            self.line(conversation.id, Line::Successor);
            self.intend_to_add(&new, &others);
        }
    }

    /// What a successor takes over from its burnt room with its first members.
    pub(crate) fn inheritance(&mut self, id: &RoomId) -> Option<BTreeMap<u32, Vec<u8>>> {
        let (origin, ..) = self.room(id)?.nature.filter(|nature| nature.group)?.origin?;
        let burnt = self.room(&origin)?.stuck?.burnt?;
        let is_new = self.with_group(id, |_, group| group.epoch() == 0) == Some(true);
        let more = burnt.more.into_iter().map(|(number, value)| (number, value.into_vec()));
        is_new.then(|| more.collect())
    }

    /// Closes the successors of a room.
    pub(crate) fn leave_successors(&mut self, id: &RoomId, conversation: &mut Conversation) {
        for room in conversation.rooms.clone() {
            let origin = self.with_group(&room, |_, group| group.context().successor_of);
            if origin.flatten().is_some_and(|origin| origin.room == *id) {
                self.close_room(&room);
                conversation.rooms.retain(|other| *other != room);
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
            (Charter::of(group.context()).ok(), group.context().kind, group.epoch(), member)
        });
        let call = key::call(stuck, &leaf.name.device);
        let asked_at: Option<u64> = self.disk.get(&call);
        // Of two nobody is taken out and in.
        if let Some((Some(charter), RoomKind::Group, head, true)) = ours
            && let Some(me) = self.me()
            && charter.leads(&me)
            && charter.roles.may_remove(&me, from)
            && head > epoch
            && asked_at.is_none_or(|at| self.now.saturating_sub(at) >= PATIENCE / 2)
        {
            self.disk.put(call, &self.now);
            let who = Who { account: *from, device: Some(leaf.name.device) };
            self.intend(stuck, &Intent::Readd(who));
        }
    }
}

/// What a group's context says beyond its title, roles settled among the accounts of these leaves; and who of them, in
/// the order of their leaves, is its first owner.
fn left_to(
    context: &RoomContext,
    staying: &[AccountId],
) -> (BTreeMap<u32, ByteBuf>, Option<AccountId>) {
    let charter = Charter::of(context).ok().filter(|_| context.kind == RoomKind::Group);
    let Some(charter) = charter else {
        return (BTreeMap::new(), None);
    };
    let (roles, lead) = (charter.roles.settled(staying), charter.roles.first_owner(staying));
    let mut left = context.clone();
    Charter { roles, ..charter }.write(&mut left);
    let more = Charter::written_out(&left).unwrap_or_default();
    (more.into_iter().map(|(number, value)| (number, ByteBuf::from(value))).collect(), lead)
}

/// The accounts of these leaves, sorted, each once.
pub(crate) fn accounts(leaves: &[Leaf]) -> Vec<AccountId> {
    let mut accounts: Vec<AccountId> = leaves.iter().map(|leaf| leaf.name.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}
