// SPDX-License-Identifier: AGPL-3.0-or-later
//! What comes up from a room: commits, messages, and ([`welcome`]) Welcomes. Each is opened by `e2ee`, judged by the
//! [`crate::gate`], and only then merged or shown. Part of a step that is refused leaves no trace.
//!
//! Spec: `docs/book/protocol.md`, 3.5, 3.6, 5, 6, 7.

mod welcome;

use std::{cmp::Reverse, collections::BTreeSet};

use nodoor_e2ee::{
    content::{self, Content},
    group::{Group, Leaf},
    open::{OpenError, Opened, Sender},
    payload::{Payload, PayloadError, Slot},
    roles::Roles,
    room::RoomKind,
    staged::Staged,
};
use nodoor_view::model::Kind;
use nodoor_wire::{
    header::CommitHeader,
    id::{AccountId, CommitId, RoomId},
    proto,
};

use crate::{
    charter::charter_lines,
    conversation::Arrived,
    gate::{Change, Verdict},
    message::Heard,
    rows::{Cause, Intent, Line, Report, Status, Stored, Submission, key},
    step::Step,
};

/// What became of a commit.
enum Outcome {
    /// Merged.
    Merged {
        /// Somebody is out by it.
        thinner: bool,
    },
    /// Of an epoch that is over.
    Known,
    /// Of a later epoch: the commits before it are missing.
    Later,
    /// We were removed by it.
    Out(Box<Staged>),
    /// Lists or a proposal are missing.
    Wait,
    /// Not made by a member of this epoch: dropped.
    Drop,
    /// A commit of this device that it does not know any more.
    Lost,
    /// The head of the room, and not to be merged: whose commit key signed it.
    Burnt([u8; 32], Cause),
}

impl Step<'_> {
    /// Applies a body of a room. False: it must wait.
    pub(crate) fn try_body(&mut self, id: &RoomId, body: &proto::Body) -> bool {
        let Some(room) = self.room(id) else {
            // Its Welcome may come later: keep it.
            return false;
        };
        if (room.closed && !self.is_retired(&room)) || self.is_blocked(&room) {
            return true;
        }
        match &body.body {
            Some(proto::body::Body::Frame(frame)) => self.frame_of(id, frame),
            Some(proto::body::Body::Commit(commit)) => self.commit_of(id, commit),
            _ => true,
        }
    }

    // ---- messages ------------------------------------------------------------------------------

    fn frame_of(&mut self, id: &RoomId, frame: &[u8]) -> bool {
        self.disk.begin();
        let opened = self.with_group(id, |step, group| {
            let own = (group.epoch(), group.epoch_authenticator());
            let is_group = group.context().kind == RoomKind::Group;
            (group.open(&step.disk, frame), own, is_group)
        });
        let Some((opened, (epoch_now, authenticator), is_group)) = opened else {
            self.disk.undo();
            return true;
        };
        match opened {
            Ok(Opened::Payload { from, epoch, bytes }) => {
                self.disk.keep();
                self.payload_of(id, &from, epoch, &bytes, (epoch_now, &authenticator));
                true
            }
            // Nobody leaves a room that is for them: the other side would talk to an empty one.
            Ok(Opened::Leave { .. }) if !is_group => self.take_back(id, true),
            Ok(Opened::Leave { leaf }) => {
                self.disk.keep();
                self.somebody_leaves(id, &leaf);
                true
            }
            Ok(Opened::Own) => {
                self.disk.keep();
                true
            }
            // A commit without its header is no commit.
            Ok(Opened::Commit(_)) => self.take_back(id, true),
            Err(OpenError::WrongEpoch { theirs }) if theirs > epoch_now => {
                // Found before anything was touched: the group in memory stays.
                self.is_behind(id);
                self.disk.undo();
                false
            }
            Err(OpenError::OutOfRange) => {
                self.take_back(id, true);
                self.came_too_late(id, frame);
                true
            }
            Err(_) => self.take_back(id, true),
        }
    }

    /// Undoes this part of the step; the group is read from disk again.
    fn take_back(&mut self, id: &RoomId, done: bool) -> bool {
        self.disk.undo();
        self.live.groups.remove(id);
        done
    }

    fn payload_of(
        &mut self,
        id: &RoomId,
        leaf: &Sender,
        epoch: u64,
        bytes: &[u8],
        now: (u64, &[u8]),
    ) {
        let from = leaf.name.account;
        // Of a device that its owner's newest list we hold does not name any more, nothing is heard.
        let device_key = self.known(&from).and_then(|known| {
            let then = known.chain.version(u64::from(leaf.name.list_version))?;
            let (then, now) = (then.device(&leaf.name.device)?, known.chain.newest());
            let now = now.device(&leaf.name.device)?;
            (now.device_key == then.device_key).then_some(now.device_key)
        });
        let Some(device_key) = device_key else {
            return;
        };
        let slot = Slot { room: *id, epoch, leaf: leaf.index };
        let payload = match Payload::from_padded(bytes) {
            Ok(payload) if payload.verify(&slot, &device_key).is_ok() => payload,
            Err(PayloadError::Version(_)) => return self.later_payload(id, from, bytes),
            _ => return,
        };
        if epoch == now.0 && payload.epoch_authenticator != now.1 {
            // The sender's group of this epoch is not ours.
            return;
        }
        if epoch == now.0 {
            let (at, same) = self.live.same.entry(*id).or_default();
            if *at != epoch {
                (*at, *same) = (epoch, BTreeSet::new());
            }
            same.insert(leaf.index);
        }
        let reference = content::message_id(&from, id, &payload.content);
        let Some(mut room) = self.room(id) else {
            return;
        };
        let report = Report {
            room: *id,
            epoch,
            leaf: leaf.index,
            device: leaf.name.device,
            list_version: leaf.name.list_version,
            signature: payload.signature,
        };
        let arrived = Arrived {
            reference,
            sent_at: payload.sent_at_ms,
            report: Some(report),
            stored: Stored::Content(payload.content.clone()),
        };
        if let Some(gossip) = payload.gossip {
            self.hear_gossip(&room, &from, gossip);
        }
        let Ok(said) = content::decode(&payload.content) else {
            // Of no use to any version.
            self.set_room(&room);
            return;
        };
        if !self.keeps_to_conduct(&room, &from, (epoch, payload.sent_at_ms), &said) {
            self.set_room(&room);
            return;
        }
        match &said.body {
            Content::Status(reports) => {
                room.they_sent |= !self.is_me(&from);
                self.reported(id, &leaf.name, reports);
            }
            Content::Profile { name, bot } => {
                let mut contact = self.contact(&from);
                contact.name = crate::names::tidy(name, 60);
                // Nobody stops being one.
                contact.bot |= bot;
                self.set_contact(&from, &contact);
                self.live.changed.insert(room.conversation);
            }
            Content::Stuck { room: stuck, epoch, commit: _ } => {
                self.help(&from, leaf, stuck, *epoch);
            }
            Content::Join { room, secret } => self.hear_join(&from, room, secret),
            Content::Resend(asked) => self.hear_asking(id, &leaf.name, asked),
            Content::Resent(answers) => self.hear_answers(id, from, answers),
            Content::Checkpoint { note, asks } => self.hear_checkpoint(&room, &from, note, *asks),
            Content::Evidence(file) => self.hear_evidence(&room, &from, file),
            Content::Own(body) => self.hear_own_device(id, &leaf.name, body),
            // There a person talks to themselves alone.
            _ if self.is_own_room(&room) && !self.is_me(&from) => {}
            Content::Text(_) | Content::Markdown(_) | Content::File(_) | Content::Unknown
                if said.replaces.is_none() =>
            {
                self.receive(&mut room, from, arrived);
            }
            _ => {
                let Arrived { reference, sent_at, report, .. } = arrived;
                let (reference, content) = (Some(reference), payload.content);
                self.hear_about(&room, &said, Heard { from, reference, sent_at, report, content });
            }
        }
        self.set_room(&room);
    }

    /// A payload of a later version: kept as it came, for the day this device has that version. Its id is of the
    /// whole payload, and comes to nobody's eyes but this device's.
    fn later_payload(&mut self, id: &RoomId, from: AccountId, bytes: &[u8]) {
        if let Some(mut room) = self.room(id) {
            let arrived = Arrived {
                reference: content::message_id(&from, id, bytes),
                sent_at: self.now,
                report: None,
                stored: Stored::Payload(bytes.to_vec()),
            };
            self.receive(&mut room, from, arrived);
            self.set_room(&room);
        }
    }

    fn somebody_leaves(&mut self, id: &RoomId, leaving: &Leaf) {
        let Some(me) = self.me() else {
            return;
        };
        let conversation = self.room(id).and_then(|room| self.conversation(room.conversation));
        if conversation.is_none_or(|one| one.status != Status::Open) {
            return;
        }
        // One device does it, or whoever writes next: the first by leaf of an owner who stays, else of an admin, else of all.
        let ours = self.with_group(id, |_, group| {
            let roles = Roles::of(group.context()).ok()?;
            let staying = group.leaves().iter().filter(|leaf| leaf.index != leaving.index);
            let first =
                staying.min_by_key(|leaf| (Reverse(roles.role(&leaf.name.account)), leaf.index))?;
            Some(first.index == group.own_index())
        });
        if ours == Some(Some(true)) && leaving.name.account != me {
            self.intend(id, &Intent::Update);
        }
    }

    // ---- commits -------------------------------------------------------------------------------

    fn commit_of(&mut self, id: &RoomId, commit: &proto::StoredCommit) -> bool {
        let Ok(header) = CommitHeader::from_slice(&commit.header) else {
            return true;
        };
        let commit_id: CommitId = header.commit_id();
        let mine = self.disk.get::<Submission>(&key::submission(id));
        if mine.is_some_and(|mine| mine.id == commit_id) {
            // Our own, wherever it comes from, is the yes.
            self.commit_accepted(id);
            return true;
        }
        self.disk.begin();
        let outcome = self
            .with_group(id, |step, group| step.judge_commit(id, group, commit))
            .unwrap_or(Outcome::Drop);
        match outcome {
            Outcome::Out(_) | Outcome::Lost | Outcome::Burnt(..) if self.is_over(id) => {
                // It was only read any more, and this is as far as it can be.
                self.take_back(id, true);
                self.close_room(id);
                true
            }
            Outcome::Merged { thinner } => {
                self.disk.keep();
                if thinner {
                    self.settle_delivered(id);
                }
                self.is_fruitful(id);
                true
            }
            Outcome::Out(staged) => {
                self.disk.keep();
                self.put_out(id, &staged);
                true
            }
            Outcome::Known => {
                self.disk.undo();
                true
            }
            Outcome::Later => {
                self.is_behind(id);
                self.disk.undo();
                false
            }
            Outcome::Drop => {
                // Not what a member sent; what a member sent is asked for again.
                self.is_behind(id);
                self.disk.undo();
                true
            }
            Outcome::Wait => self.take_back(id, false),
            Outcome::Lost => {
                self.take_back(id, true);
                self.lost(id);
                true
            }
            Outcome::Burnt(signer, cause) => {
                self.take_back(id, true);
                self.burnt(id, commit_id, signer, cause);
                true
            }
        }
    }

    /// Changes nothing unless it merges or finds out that we are out, but may use up keys: see [`Outcome`] and
    /// who takes them back.
    fn judge_commit(
        &mut self,
        id: &RoomId,
        group: &mut Group,
        commit: &proto::StoredCommit,
    ) -> Outcome {
        if commit.epoch < group.epoch() {
            return Outcome::Known;
        }
        if commit.epoch > group.epoch() {
            return Outcome::Later;
        }
        // A header that no commit key of our tree signed was not made by a member: it burns nothing.
        if group.verify_header(commit).is_err() {
            return Outcome::Drop;
        }
        let signer = <[u8; 32]>::try_from(commit.commit_key.as_ref()).unwrap_or([0; 32]);
        if group.leaf(group.own_index()).is_some_and(|own| own.commit_key == signer) {
            return Outcome::Lost;
        }
        let staged = match group.open(&self.disk, &commit.frame) {
            Ok(Opened::Commit(staged)) => staged,
            // Only leaves are proposed, and only groups are left.
            Err(OpenError::ProposalMissing) if group.context().kind != RoomKind::Group => {
                return Outcome::Burnt(signer, Cause::UnseenProposal);
            }
            Err(OpenError::ProposalMissing | OpenError::Damaged(_)) => return Outcome::Wait,
            Ok(_) | Err(_) => return Outcome::Burnt(signer, Cause::Mls),
        };
        if staged.matches_header(commit).is_err() {
            return Outcome::Burnt(signer, Cause::Header);
        }
        match self.judge_staged(group, &staged) {
            Verdict::Invalid(reason) => Outcome::Burnt(signer, Cause::Gate(reason)),
            _ if staged.self_removed => Outcome::Out(staged),
            Verdict::Undecided(_) => Outcome::Wait,
            Verdict::Valid => {
                let lines = self.lines_of(group, &staged);
                let thinner = !staged.removed.is_empty();
                let before = group.leaves().to_vec();
                let _ = group.drop_pending(&self.disk);
                self.disk.remove(&key::submission(id));
                if group.merge(&self.disk, *staged).is_err() {
                    return Outcome::Burnt(signer, Cause::Mls);
                }
                self.merged(id, group, lines);
                self.grew(id, group.epoch(), &before, group.leaves());
                Outcome::Merged { thinner }
            }
        }
    }

    pub(crate) fn judge_staged(&mut self, group: &Group, staged: &Staged) -> Verdict {
        let before = group.context();
        let removed: Vec<(Leaf, AccountId)> =
            staged.removed.iter().map(|gone| (gone.leaf.clone(), gone.proposer)).collect();
        let gone: Vec<u32> = staged.removed.iter().map(|gone| gone.leaf.index).collect();
        let committer = &staged.committer;
        let after = staged.committer_after.as_ref();
        let staying: Vec<Leaf> = group
            .leaves()
            .iter()
            .filter(|leaf| !gone.contains(&leaf.index))
            .filter(|leaf| after.is_none() || leaf.index != committer.index)
            .cloned()
            .collect();
        let change = Change {
            before: Some(before),
            after: &staged.context_after,
            committer: committer.name.account,
            joining: None,
            staying: &staying,
            entering: &staged.added,
            updated: after.map(|after| (committer, after)),
            removed: &removed,
        };
        self.judge(&group.room(), &change)
    }

    /// The lines a commit of somebody else puts into the chat.
    fn lines_of(&mut self, group: &Group, staged: &Staged) -> Vec<Line> {
        let before = group.leaves();
        let is_group = matches!(group.context().kind, RoomKind::Group);
        let by = staged.committer.name.account;
        let mut lines = Vec::new();
        let mut said: Vec<AccountId> = Vec::new();
        for leaf in &staged.added {
            let who = leaf.name.account;
            if said.contains(&who) {
                continue;
            }
            said.push(who);
            let known = before.iter().any(|old| old.name.account == who);
            let same_device = before.iter().any(|old| old.name.device == leaf.name.device);
            if known && !same_device && !self.is_me(&who) {
                lines.push(self.device_line(leaf));
            } else if is_group && !known {
                lines.push(Line::Added { by, who });
            }
        }
        said.clear();
        for gone in &staged.removed {
            let who = gone.leaf.name.account;
            let again = staged.added.iter().any(|leaf| leaf.name.account == who);
            // One of several devices: who it was of is still here.
            let goes = |leaf: &Leaf| staged.removed.iter().any(|one| one.leaf.index == leaf.index);
            let stays = before.iter().any(|leaf| leaf.name.account == who && !goes(leaf));
            if again || stays || said.contains(&who) {
                continue;
            }
            said.push(who);
            lines.push(if gone.proposer == who {
                Line::Left { who }
            } else {
                Line::Removed { by, who }
            });
        }
        if group.context().title != staged.context_after.title {
            let title = crate::names::tidy(&staged.context_after.title, 100);
            lines.push(Line::Renamed { by, title });
        }
        lines.extend(charter_lines(
            by,
            group.context(),
            &staged.context_after,
            staged.leaves_after(),
        ));
        lines
    }

    fn merged(&mut self, id: &RoomId, group: &Group, lines: Vec<Line>) {
        let Some(mut room) = self.room(id) else {
            return;
        };
        self.unstuck(&mut room);
        self.set_room(&room);
        self.context_changed(&room, group.epoch(), group.context());
        for line in lines {
            self.line(room.conversation, line);
        }
    }

    fn put_out(&mut self, id: &RoomId, staged: &Staged) {
        let Some(room) = self.room(id) else {
            return;
        };
        if let Some(mut conversation) = self.conversation(room.conversation) {
            match (conversation.status, conversation.kind) {
                // What was never accepted does not become a chat by its end: an invitation goes, and what somebody
                // wrote stays a request.
                (Status::Request, Kind::Group) => return self.forget_request(conversation),
                (Status::Request, Kind::Direct) | (Status::Left | Status::Imported, _) => {}
                // A chat of two goes on: nobody can help this device, so it founds a room anew.
                (Status::Open, Kind::Direct) if self.may_found_anew(&conversation) => {
                    return self.lost(id);
                }
                (Status::Open | Status::Removed | Status::Blocked, _) => {
                    conversation.status = Status::Removed;
                    self.set_conversation(&conversation);
                    let by = staged.committer.name.account;
                    if let Some(who) = self.me() {
                        self.line(conversation.id, Line::Removed { by, who });
                    }
                }
            }
        }
        self.close_room(id);
    }
}
