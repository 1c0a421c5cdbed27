// SPDX-License-Identifier: AGPL-3.0-or-later
//! Our commits: made, judged before anything is encrypted, on disk before they are sent, merged after the
//! server's yes; and catching up when it was somebody else's.
//!
//! Spec: `docs/book/protocol.md`, 3.2 and 3.4.

use nodoor_e2ee::{
    charter::Charter,
    group::{Change, Group, Leaf},
    key_package,
    room::{Burnt, RoomContext, RoomKind},
};
use nodoor_view::model::{Kind, MessageId, Problem, ProblemKind};
use nodoor_wire::{
    code::{Class, Code},
    header::CommitHeader,
    id::{AccountId, CommitId, RoomId},
    proto::{self, answer, request},
};
use prost::Message as _;
use serde_bytes::ByteBuf;

use crate::{
    gate::{self, Missing, Verdict},
    io::Wire,
    link::{class_of, problem_of},
    live::Purpose,
    room::PAUSE,
    rows::{Intent, Line, Room, Status, Submission, key},
    step::{Step, problem},
};

/// How long the mailbox is given to bring a commit before it is asked for, milliseconds.
const CATCH_UP_AFTER: u64 = 1_500;

/// Whether those whom we would add may come in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Yes,
    /// Their lists are not logged yet.
    NotYet,
    No,
}

impl Step<'_> {
    /// Makes a commit, writes it down and sends it.
    pub(crate) fn submit(
        &mut self,
        id: &RoomId,
        change: Change,
        intents: Vec<Vec<u8>>,
        lines: Vec<Line>,
    ) {
        let change = self.settled(id, change);
        let entry = self.may_enter(id, &change, &intents);
        if entry == Entry::NotYet {
            // Nothing was encrypted; the answer that brings the proof comes here again.
            return;
        }
        if entry == Entry::No {
            // A server that hands out key packages no verified list names: nothing is encrypted to them.
            self.live.packages.remove(id);
            for row in &intents {
                self.give_up_intent(id, row, &problem(ProblemKind::UnknownDevice));
            }
            if let Some(room) = self.room(id).filter(|room| !room.closed) {
                self.next_intent(id, &room);
            }
            return;
        }
        let Some(identity) = self.identity() else {
            return;
        };
        let token = self.room(id).map(|room| room.token);
        let made = self.in_part(id, |step, group| {
            let in_use = group.leaf(group.own_index()).map(|leaf| leaf.token);
            let change = Change { token: token.filter(|token| Some(*token) != in_use), ..change };
            group.commit(&step.disk, &identity, change, step.rng).ok()
        });
        let Some(commit) = made else {
            self.live.retry_at.insert(*id, self.now + PAUSE);
            return;
        };
        let submission = Submission {
            id: CommitHeader::of(&commit).commit_id(),
            commit: commit.encode_to_vec(),
            intents: intents.into_iter().map(ByteBuf::from).collect(),
            lines,
        };
        self.disk.put(key::submission(id), &submission);
        let body = request::Body::Commit(commit);
        self.ask_room(Wire::Anonymous, id, body, Purpose::Commit(*id));
    }

    /// A change together with what it makes of the roles: whose last device goes leaves the table with it, and where no
    /// owner stays there is an heir.
    fn settled(&mut self, id: &RoomId, mut change: Change) -> Change {
        let entering: Vec<AccountId> = change
            .add
            .iter()
            .filter_map(|bytes| key_package::inspect(bytes).ok())
            .map(|leaf| leaf.name.account)
            .collect();
        let facts = self.with_group(id, |_, group| {
            let leaving = group.leaving();
            let goes =
                |leaf: &Leaf| change.remove.contains(&leaf.index) || leaving.contains(&leaf.index);
            let staying = group.leaves().iter().filter(|leaf| !goes(leaf));
            let there: Vec<_> = staying.map(|leaf| leaf.name.account).chain(entering).collect();
            (group.context().clone(), there)
        });
        let Some((before, there)) = facts else {
            return change;
        };
        let mut after = change.context.clone().unwrap_or(before);
        if let (RoomKind::Group, Ok(charter)) = (after.kind, Charter::of(&after)) {
            let roles = charter.roles.settled(&there);
            if roles != charter.roles {
                Charter { roles, ..charter }.write(&mut after);
                change.context = Some(after);
            }
        }
        change
    }

    /// The gate, before anything is encrypted to whoever we would add; and more than the gate: they are of the accounts
    /// that these intents name, and their owners list them now.
    fn may_enter(&mut self, id: &RoomId, change: &Change, intents: &[Vec<u8>]) -> Entry {
        let wanted: Vec<AccountId> = intents
            .iter()
            .filter_map(|row| self.disk.get::<Intent>(row))
            .flat_map(|intent| intent.adds())
            .collect();
        let mut entering = Vec::new();
        for bytes in &change.add {
            match key_package::inspect(bytes) {
                Ok(leaf) => entering.push(leaf),
                Err(_) => return Entry::No,
            }
        }
        for leaf in &entering {
            if !wanted.contains(&leaf.name.account) || !self.is_listed(leaf) {
                return Entry::No;
            }
            let known = self.known(&leaf.name.account);
            if known.is_some_and(|known| !known.may_add(&leaf.name.device)) {
                return Entry::No;
            }
        }
        let Some(me) = self.me() else {
            return Entry::No;
        };
        let before = self.with_group(id, |_, group| {
            (group.context().clone(), group.leaves().to_vec(), group.leaving())
        });
        let Some((before, mut staying, leaving)) = before else {
            return Entry::No;
        };
        let goes =
            |leaf: &Leaf| change.remove.contains(&leaf.index) || leaving.contains(&leaf.index);
        staying.retain(|leaf| !goes(leaf));
        let judged = gate::Change {
            before: Some(&before),
            after: change.context.as_ref().unwrap_or(&before),
            committer: me,
            joining: None,
            staying: &staying,
            entering: &entering,
            updated: None,
            removed: &[],
        };
        match self.judge(id, &judged) {
            Verdict::Valid => Entry::Yes,
            Verdict::Undecided(missing)
                if missing.iter().all(|one| matches!(one, Missing::Inclusion { .. })) =>
            {
                Entry::NotYet
            }
            Verdict::Undecided(_) | Verdict::Invalid(_) => Entry::No,
        }
    }

    /// The server's answer to our commit.
    pub(crate) fn commit_answered(&mut self, id: &RoomId, body: answer::Body) {
        self.live.busy.remove(id);
        match body {
            answer::Body::Done(_) => self.commit_accepted(id),
            answer::Body::Refusal(refusal) => match class_of(&refusal) {
                // The pending commit stays until the commit that took its epoch is here: it may be our own, whose
                // yes was lost or kept from us.
                Class::Stale => self.is_stale(id),
                Class::Permanent if Code::from_number(refusal.code) == Some(Code::Forbidden) => {
                    self.is_stale(id);
                }
                Class::Retry => self.pause(id, &refusal),
                Class::Permanent => {
                    self.live.retry_at.insert(*id, self.now + PAUSE);
                    self.drop_submission(id);
                    self.drop_intents(id, &problem_of(&refusal));
                }
            },
            _ => {
                self.live.retry_at.insert(*id, self.now + PAUSE);
            }
        }
    }

    /// What was wanted of a room will not be.
    fn drop_intents(&mut self, id: &RoomId, problem: &Problem) {
        for (row, _) in self.disk.prefixed(&key::intents(id), usize::MAX) {
            self.give_up_intent(id, &row, problem);
        }
    }

    /// What waits for this says why it is not sent. Several people who cannot be added at once are tried again
    /// one by one.
    fn give_up_intent(&mut self, id: &RoomId, row: &[u8], problem: &Problem) {
        let intent = self.disk.get::<Intent>(row);
        self.disk.remove(row);
        if let Some(Intent::Add(accounts)) = &intent
            && accounts.len() > 1
        {
            for account in accounts {
                self.intend(id, &Intent::Add(vec![*account]));
            }
            return;
        }
        let Some(mut conversation) =
            self.room(id).and_then(|room| self.conversation(room.conversation))
        else {
            return;
        };
        self.fail_outgoing(conversation.id, problem);
        self.abandon_alone(id, &mut conversation);
    }

    /// Gives a pending commit of ours up; its intents stay and are carried out anew.
    pub(crate) fn drop_submission(&mut self, id: &RoomId) {
        if self.disk.bytes(&key::submission(id)).is_some() {
            self.disk.remove(&key::submission(id));
            self.in_part(id, |step, group| group.drop_pending(&step.disk).ok());
        }
    }

    /// Our commit is the head: merge it.
    pub(crate) fn commit_accepted(&mut self, id: &RoomId) {
        let Some(submission) = self.disk.get::<Submission>(&key::submission(id)) else {
            return;
        };
        self.disk.remove(&key::submission(id));
        for row in &submission.intents {
            self.disk.remove(row);
        }
        let merged = self.in_part(id, |step, group| {
            let (before, leaving) = (group.leaves().to_vec(), group.leaving());
            group.merge_pending(&step.disk).ok()?;
            let stays = |leaf: &Leaf| {
                group.leaves().iter().any(|one| one.name.account == leaf.name.account)
            };
            let gone: Vec<(AccountId, bool)> = before
                .iter()
                .filter(|leaf| !stays(leaf))
                .map(|leaf| (leaf.name.account, leaving.contains(&leaf.index)))
                .collect();
            let for_nobody = is_for_nobody(group, &before);
            step.grew(id, group.epoch(), &before, group.leaves());
            let context = (group.epoch(), group.context().clone());
            Some((context, gone, for_nobody))
        });
        self.live.packages.remove(id);
        self.is_fruitful(id);
        let (Some(((epoch, context), gone, for_nobody)), Some(mut room)) = (merged, self.room(id))
        else {
            // The head is our own commit and we cannot go there.
            self.lost(id);
            return;
        };
        room.updated_at = self.now;
        self.set_room(&room);
        self.context_changed(&room, epoch, &context);
        // Who asked to go went by our commit: the others' devices read it out of it.
        let mut left: Vec<AccountId> =
            gone.iter().filter(|(_, asked)| *asked).map(|(who, _)| *who).collect();
        left.sort_unstable();
        left.dedup();
        let asked = submission.intents.first().and_then(|row| key::intent_number(row));
        for (line, place) in submission.lines.into_iter().zip(1..) {
            match asked {
                Some(number) => self.line_at(MessageId(number + place), room.conversation, line),
                None => self.line(room.conversation, line),
            }
        }
        for who in left {
            self.line(room.conversation, Line::Left { who });
        }
        if !gone.is_empty() {
            self.settle_delivered(id);
        }
        self.greet_own_devices(id);
        if let Some(epoch) = for_nobody {
            self.found_again_without(&room, epoch);
        }
        self.retry_held();
    }

    /// By our commit a device is out of a room of two, and somebody in it may have had their Welcome from that device:
    /// such a Welcome counts for nothing any more. So the room is founded anew by a device that is listed.
    fn found_again_without(&mut self, room: &Room, epoch: u64) {
        let conversation = self.conversation(room.conversation);
        let conversation = conversation.filter(|one| one.status == Status::Open);
        if let (Some(conversation), Some(me), false) = (conversation, self.me(), room.closed) {
            let origin = Burnt { room: room.room, epoch, commit: CommitId([0; 32]) };
            self.found_successor(origin, &[me, conversation.other]);
        }
    }

    /// Follows the GroupContext of the room that is used: the title, and who may write.
    pub(crate) fn context_changed(&mut self, room: &Room, epoch: u64, context: &RoomContext) {
        let mut noted = room.clone();
        self.note_conduct(&mut noted, epoch, context);
        if noted.conducts != room.conducts {
            self.set_room(&noted);
        }
        if let Some(mut conversation) = self.conversation(room.conversation) {
            let used = self.room_in_use(&conversation);
            if conversation.kind == Kind::Group && used.is_some_and(|used| used.room == room.room) {
                conversation.title = crate::names::tidy(&context.title, 100);
            }
            self.set_conversation(&conversation);
        }
    }

    /// A room that lacks a commit: the mailbox brings it; if not, it is asked for.
    /// Each time that brings nothing doubles the wait for the next, up to 25 minutes. A room whose epoch is
    /// burnt asks no more: it has what there is.
    pub(crate) fn is_behind(&mut self, id: &RoomId) {
        if self.room(id).is_none_or(|room| room.is_burnt() || room.closed) {
            return;
        }
        let fruitless = self.live.fruitless.get(id).copied().unwrap_or(0);
        let at = self.now + (CATCH_UP_AFTER << fruitless.min(10));
        self.live.behind.entry(*id).or_insert(at);
    }

    /// The server said so, or seems to: nothing is sent until it was asked for what is missing.
    pub(crate) fn is_stale(&mut self, id: &RoomId) {
        self.live.stale.insert(*id);
        self.is_behind(id);
    }

    /// The room got on.
    pub(crate) fn is_fruitful(&mut self, id: &RoomId) {
        self.live.behind.remove(id);
        self.live.stale.remove(id);
        self.live.fruitless.remove(id);
    }

    /// Nothing is missing: what waits for a later epoch was never of this room.
    fn is_at_head(&mut self, id: &RoomId) {
        let ours = self.with_group(id, |_, group| group.epoch());
        // A commit of our epoch that waits leads on from here: this answer is older, and the two connections crossed.
        if self.held_commits(id).iter().any(|commit| Some(commit.epoch) == ours) {
            return;
        }
        self.drop_later(id);
        if let Some(mut room) = self.room(id)
            && !room.is_burnt()
            && !self.has_waiting_commit(id)
        {
            self.unstuck(&mut room);
            self.set_room(&room);
        }
    }

    /// The server's answer to catching up: at most one commit, then we ask again.
    pub(crate) fn caught_up(&mut self, id: &RoomId, body: answer::Body) {
        self.live.busy.remove(id);
        self.live.behind.remove(id);
        self.live.stale.remove(id);
        let fruitless = self.live.fruitless.entry(*id).or_default();
        *fruitless = fruitless.saturating_add(1);
        match body {
            answer::Body::Commits(answer) => {
                let before = self.with_group(id, |_, group| group.epoch());
                if answer.commit.is_none() && before == Some(answer.head) {
                    self.is_at_head(id);
                }
                // One: the next is sealed under a key that only this one leads to.
                if let Some(commit) = answer.commit {
                    let body = proto::Body { body: Some(proto::body::Body::Commit(commit)) };
                    let _ = self.take_body(id, &body);
                }
                self.retry_held();
                let after = self.with_group(id, |_, group| group.epoch());
                if before != after && self.room(id).is_some_and(|room| !room.closed) {
                    self.live.fruitless.remove(id);
                    self.live.behind.insert(*id, self.now);
                }
            }
            answer::Body::Refusal(refusal) => {
                self.pause(id, &refusal);
                if class_of(&refusal) == Class::Retry {
                    self.is_behind(id);
                } else if !self.found_again(id) {
                    // The record of our epoch is gone: we were away for too long.
                    self.lost(id);
                }
            }
            _ => self.is_behind(id),
        }
    }
}

/// The epoch of a room of two from which a device went by the last commit, if another that was there before has never
/// committed: it may not have read its Welcome yet.
fn is_for_nobody(group: &Group, before: &[Leaf]) -> Option<u64> {
    let (own, now) = (group.own_index(), group.leaves());
    let same = |one: &Leaf, other: &Leaf| (one.index, one.mls_key) == (other.index, other.mls_key);
    let out = before.iter().any(|old| now.iter().all(|leaf| !same(leaf, old)));
    let silent = |leaf: &&Leaf| {
        leaf.index != own && !leaf.has_committed && before.iter().any(|old| same(leaf, old))
    };
    let direct = matches!(group.context().kind, RoomKind::Direct { .. });
    (direct && out && now.iter().any(|leaf| silent(&leaf))).then(|| group.epoch())
}
