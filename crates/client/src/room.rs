// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rooms: founding, our commits, our sendings, and what the server answers to them.
//!
//! A room does one thing at a time, in this order: make itself known at the server, bring a commit that is
//! on its way to a definite answer, catch up, carry out the next intent, send the next outgoing. What is
//! sent is on disk first, byte for byte, and goes again until the answer is definite.
//!
//! Spec: `docs/book/protocol.md`, 3.

use nodoor_e2ee::{
    group::{Change, Group},
    key_package,
    room::{RoomContext, RoomKind},
    token,
};
use nodoor_view::model::{ConversationId, Kind, Problem, ProblemKind, SystemLine};
use nodoor_wire::{
    code::{Class, Code},
    header::CommitHeader,
    id::{AccountId, RoomId, Token},
    limits,
    proto::{self, answer, request},
};
use prost::Message as _;

use crate::{
    gate::{self, Verdict},
    io::Wire,
    link::{class_of, problem_of},
    live::Purpose,
    rows::{Conversation, Intent, Room, Status, Submission, key},
    step::{Step, problem},
};

/// A leaf of ours older than this is renewed, milliseconds.
const UPDATE_EVERY: u64 = 7 * 24 * 3600 * 1000;
/// How long the mailbox is given to bring a commit before it is asked for, milliseconds.
const CATCH_UP_AFTER: u64 = 1_500;
/// Pause before something is tried again that should not have failed, milliseconds.
const PAUSE: u64 = 5_000;

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

    /// Makes a room of one for a conversation, on disk alone; the server learns of it when it can.
    pub(crate) fn found_room(
        &mut self,
        conversation: &mut Conversation,
        context: RoomContext,
        members: Vec<[u8; 16]>,
        room: RoomId,
    ) -> Option<RoomId> {
        let identity = self.identity()?;
        let group = Group::found(&self.disk, &identity, room, context, self.rng).ok()?;
        let token = group.leaf(group.own_index())?.token;
        self.live.groups.insert(room, group);
        let row = Room {
            room: room.0,
            conversation: conversation.id,
            token: token.0,
            token_known: false,
            founded: false,
            i_sent: false,
            they_sent: false,
            active_at: self.now,
            updated_at: self.now,
            stuck: None,
            closed: false,
        };
        self.set_room(&row);
        self.disk.put(key::unknown(&room), &());
        conversation.rooms.push(room.0);
        self.set_conversation(conversation);
        if !members.is_empty() {
            self.intend(&room, &Intent::Add(members));
        }
        Some(room)
    }

    /// The room a direct conversation sends in, founded here if there is none.
    pub(crate) fn ensure_direct_room(&mut self, conversation: &mut Conversation) {
        if conversation.kind != Kind::Direct || self.room_in_use(conversation).is_some() {
            return;
        }
        let Some(me) = self.me() else {
            return;
        };
        let other = AccountId(conversation.other);
        let kind = RoomKind::direct(me, other);
        let context = RoomContext { kind, creator: me, title: String::new(), successor_of: None };
        let room = RoomId(self.random());
        self.found_room(conversation, context, vec![other.0], room);
    }

    /// Puts a wish at the end of a room's queue.
    pub(crate) fn intend(&mut self, room: &RoomId, intent: &Intent) {
        let number = self.number();
        self.disk.put(key::intent(room, number), intent);
    }

    /// Does whatever can be done now.
    pub(crate) fn advance(&mut self) {
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
        self.give_receipts();
        self.advance_outbox();
        // Rooms may have asked for lists.
        self.advance_lookups();
    }

    fn may_ask(&self, room: &RoomId) -> bool {
        self.is_ready(Wire::Anonymous)
            && !self.live.busy.contains(room)
            && self.live.retry_at.get(room).is_none_or(|at| *at <= self.now)
    }

    /// Whether a room can carry a sending now.
    pub(crate) fn is_settled(&self, room: &Room) -> bool {
        let id = RoomId(room.room);
        room.founded
            && room.token_known
            && room.stuck.is_none()
            && self.may_ask(&id)
            && !self.live.behind.contains_key(&id)
            && self.disk.prefixed(&key::submission(&id), 1).is_empty()
            && self.disk.prefixed(&key::intents(&id), 1).is_empty()
            && self.disk.prefixed(&key::held(&id), 1).is_empty()
    }

    fn advance_room(&mut self, id: &RoomId) {
        let Some(room) = self.room(id) else {
            return;
        };
        if room.closed {
            self.forget_work(id);
            return;
        }
        if !room.token_known && self.is_ready(Wire::Login) && !self.live.busy.contains(id) {
            self.live.busy.insert(*id);
            if let Some(seed) = token::seed(&self.disk, &Token(room.token)) {
                let body = proto::TokenPut { seeds: vec![seed.to_vec().into()] };
                let body = request::Body::TokenPut(body);
                self.request(Wire::Login, body, Purpose::Token(*id));
            }
            return;
        }
        if !room.token_known || !self.may_ask(id) {
            return;
        }
        if !room.founded {
            self.ask_to_found(id);
        } else if let Some(submission) = self.disk.get::<Submission>(&key::submission(id)) {
            if let Ok(commit) = proto::Commit::decode(submission.commit.as_slice()) {
                self.live.busy.insert(*id);
                let body = request::Body::Commit(commit);
                self.request(Wire::Anonymous, body, Purpose::Commit(*id));
            }
        } else if let Some(at) = self.live.behind.get(id) {
            let mailbox_is_read = self.is_ready(Wire::Login) && self.live.incoming.is_empty();
            if *at <= self.now && mailbox_is_read {
                self.ask_to_catch_up(id);
            }
        } else if room.stuck.is_none() && self.disk.prefixed(&key::held(id), 1).is_empty() {
            self.next_intent(id, &room);
        }
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
            self.live.busy.insert(*id);
            let body = request::Body::RoomFound(found);
            self.request(Wire::Anonymous, body, Purpose::Found(*id));
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
            self.live.busy.insert(*id);
            let body = request::Body::CatchUp(ask);
            self.request(Wire::Anonymous, body, Purpose::CatchUp(*id));
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
            self.live.retry_at.insert(*id, self.now + PAUSE);
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
            answer::Body::Refusal(refusal) => self.pause(id, &refusal),
            _ => {}
        }
    }

    fn room_known(&mut self, room: &Room) {
        if room.founded && room.token_known {
            self.disk.remove(&key::unknown(&RoomId(room.room)));
        }
    }

    /// Waits as long as a refusal says, or a little.
    pub(crate) fn pause(&mut self, id: &RoomId, refusal: &proto::Refusal) {
        let seconds = u64::from(refusal.retry_after_seconds) * 1000;
        self.live.retry_at.insert(*id, self.now + seconds.max(PAUSE));
    }

    // ---- intents -------------------------------------------------------------------------------

    fn next_intent(&mut self, id: &RoomId, room: &Room) {
        let Some((row, value)) = self.disk.prefixed(&key::intents(id), 1).into_iter().next() else {
            return;
        };
        let Some(intent) = self.disk.decode::<Intent>(&value) else {
            return;
        };
        let leaves = self.with_group(id, |_, group| group.leaves().to_vec()).unwrap_or_default();
        let indexes = |of: &dyn Fn(&nodoor_e2ee::group::Leaf) -> bool| -> Vec<u32> {
            leaves.iter().filter(|leaf| of(leaf)).map(|leaf| leaf.index).collect()
        };
        let mut change = Change::default();
        let mut lines = Vec::new();
        match &intent {
            Intent::Add(accounts) => {
                let absent: Vec<AccountId> = accounts
                    .iter()
                    .map(|account| AccountId(*account))
                    .filter(|account| leaves.iter().all(|leaf| leaf.name.account != *account))
                    .collect();
                match self.gather(id, &absent) {
                    Some(packages) => change.add = packages,
                    None => return,
                }
                if self.conversation(room.conversation).is_some_and(|c| c.kind == Kind::Group) {
                    for account in &absent {
                        let who = Some(self.person(account));
                        lines.push(SystemLine::Added { by: None, who });
                    }
                }
            }
            Intent::Remove(account) => {
                change.remove = indexes(&|leaf| leaf.name.account.0 == *account);
                let who = Some(self.person(&AccountId(*account)));
                lines.push(SystemLine::Removed { by: None, who });
            }
            Intent::Readd(account, device) => {
                let stuck = |leaf: &nodoor_e2ee::group::Leaf| {
                    leaf.name.account.0 == *account && leaf.name.device.0 == *device
                };
                match self.gather(id, &[AccountId(*account)]) {
                    Some(packages) => {
                        change.add = packages
                            .into_iter()
                            .filter(|bytes| {
                                key_package::inspect(bytes)
                                    .is_ok_and(|leaf| leaf.name.device.0 == *device)
                            })
                            .collect();
                    }
                    None => return,
                }
                change.remove = indexes(&stuck);
            }
            Intent::Rename(title) => {
                let context = self.with_group(id, |_, group| group.context().clone());
                if let Some(mut context) = context {
                    context.title.clone_from(title);
                    change.context = Some(context);
                    lines.push(SystemLine::Renamed { by: None, title: title.clone() });
                }
            }
            Intent::Update => {}
        }
        let nothing = change.add.is_empty() && change.remove.is_empty() && change.context.is_none();
        if nothing && intent != Intent::Update {
            self.disk.remove(&row);
            return;
        }
        self.submit(id, change, vec![row], lines);
    }

    /// Key packages of all devices of these accounts, judged; `None` while they are being fetched.
    fn gather(&mut self, id: &RoomId, accounts: &[AccountId]) -> Option<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        let mut waiting = false;
        for account in accounts {
            if !self.is_fresh(account) {
                waiting = true;
                continue;
            }
            let taken = self.live.packages.get(id).and_then(|taken| taken.get(account));
            if let Some(packages) = taken {
                all.extend(packages.iter().cloned());
            } else {
                waiting = true;
                if self.may_ask(id) {
                    self.live.busy.insert(*id);
                    let take =
                        proto::KeyPackageTake { account: account.to_bytes(), devices: Vec::new() };
                    let body = request::Body::KeyPackageTake(take);
                    self.request(Wire::Anonymous, body, Purpose::Take(*id, *account));
                }
            }
        }
        (!waiting).then_some(all)
    }

    /// The server's answer to taking key packages.
    pub(crate) fn took(&mut self, id: &RoomId, account: AccountId, body: answer::Body) {
        self.live.busy.remove(id);
        match body {
            answer::Body::KeyPackageTake(taken) if !taken.packages.is_empty() => {
                let packages = taken.packages.into_iter().map(|one| one.key_package.to_vec());
                self.live.packages.entry(*id).or_default().insert(account, packages.collect());
            }
            answer::Body::Refusal(refusal) if class_of(&refusal) == Class::Permanent => {
                self.account_gone(&account);
            }
            answer::Body::Refusal(refusal) => self.pause(id, &refusal),
            _ => self.account_gone(&account),
        }
    }

    /// An account that is not there, or has no device to send to: what waits for it says so.
    pub(crate) fn account_gone(&mut self, account: &AccountId) {
        for (row, value) in self.disk.prefixed(key::INTENTS, usize::MAX) {
            let Some(Intent::Add(mut accounts)) = self.disk.decode::<Intent>(&value) else {
                continue;
            };
            let before = accounts.len();
            accounts.retain(|wanted| wanted != &account.0);
            if accounts.len() == before {
                continue;
            }
            if accounts.is_empty() {
                self.disk.remove(&row);
            } else {
                self.disk.put(row.clone(), &Intent::Add(accounts));
            }
            let id = row.get(key::INTENTS.len()..key::INTENTS.len() + RoomId::LENGTH);
            let room = id.and_then(|id| RoomId::try_from(id).ok()).and_then(|id| self.room(&id));
            let Some(room) = room else {
                continue;
            };
            let Some(mut conversation) = self.conversation(room.conversation) else {
                continue;
            };
            if conversation.kind == Kind::Direct {
                self.fail_outgoing(conversation.id, &problem(ProblemKind::AccountGone));
                // Nobody else ever saw this room: the next try begins with a new one.
                let mut room = room;
                room.closed = true;
                conversation.rooms.retain(|id| *id != room.room);
                self.set_room(&room);
                self.set_conversation(&conversation);
            }
        }
    }

    // ---- our commits ---------------------------------------------------------------------------

    fn submit(
        &mut self,
        id: &RoomId,
        change: Change,
        intents: Vec<Vec<u8>>,
        lines: Vec<SystemLine>,
    ) {
        if !self.may_enter(id, &change) {
            // A server that hands out key packages no verified list names: nothing is encrypted to them.
            self.live.packages.remove(id);
            for row in &intents {
                self.disk.remove(row);
            }
            if let Some(room) = self.room(id) {
                self.fail_outgoing(room.conversation, &problem(ProblemKind::UnknownDevice));
            }
            return;
        }
        let Some(identity) = self.identity() else {
            return;
        };
        self.disk.begin();
        let made = self.with_group(id, |step, group| {
            group.commit(&step.disk, &identity, change, step.rng).ok()
        });
        let Some(Some(commit)) = made else {
            self.disk.undo();
            self.live.groups.remove(id);
            self.live.retry_at.insert(*id, self.now + PAUSE);
            return;
        };
        self.disk.keep();
        let submission = Submission {
            id: CommitHeader::of(&commit).commit_id().0,
            commit: commit.encode_to_vec(),
            intents,
            lines,
        };
        self.disk.put(key::submission(id), &submission);
        self.live.busy.insert(*id);
        let body = request::Body::Commit(commit);
        self.request(Wire::Anonymous, body, Purpose::Commit(*id));
    }

    /// The gate, before anything is encrypted to whoever we would add.
    fn may_enter(&mut self, id: &RoomId, change: &Change) -> bool {
        let mut entering = Vec::new();
        for bytes in &change.add {
            match key_package::inspect(bytes) {
                Ok(leaf) => entering.push(leaf),
                Err(_) => return false,
            }
        }
        for leaf in &entering {
            self.load_chain(&leaf.name.account);
        }
        let Some(me) = self.me() else {
            return false;
        };
        let before =
            self.with_group(id, |_, group| (group.context().clone(), group.leaves().to_vec()));
        let Some((before, mut staying)) = before else {
            return false;
        };
        staying.retain(|leaf| !change.remove.contains(&leaf.index));
        let judged = gate::Change {
            before: Some(&before),
            after: change.context.as_ref().unwrap_or(&before),
            committer: me,
            staying: &staying,
            entering: &entering,
            updated: None,
            removed: &[],
        };
        gate::judge(&judged, |account| self.live.chains.get(account)) == Verdict::Valid
    }

    /// The server's answer to our commit.
    pub(crate) fn commit_answered(&mut self, id: &RoomId, body: answer::Body) {
        self.live.busy.remove(id);
        match body {
            answer::Body::Done(_) => self.commit_accepted(id),
            answer::Body::Refusal(refusal) => match class_of(&refusal) {
                Class::Stale => {
                    self.drop_submission(id);
                    self.is_behind(id);
                }
                Class::Retry => self.pause(id, &refusal),
                Class::Permanent => {
                    self.drop_submission(id);
                    self.live.retry_at.insert(*id, self.now + PAUSE);
                    if Code::from_number(refusal.code) == Some(Code::Forbidden) {
                        self.is_behind(id);
                    } else {
                        self.drop_intents(id, &problem_of(&refusal));
                    }
                }
            },
            _ => {}
        }
    }

    fn drop_intents(&mut self, id: &RoomId, problem: &Problem) {
        for (row, _) in self.disk.prefixed(&key::intents(id), usize::MAX) {
            self.disk.remove(&row);
        }
        if let Some(room) = self.room(id) {
            self.fail_outgoing(room.conversation, problem);
        }
    }

    /// Gives a pending commit of ours up; its intents stay and are carried out anew.
    pub(crate) fn drop_submission(&mut self, id: &RoomId) {
        if self.disk.bytes(&key::submission(id)).is_some() {
            self.disk.remove(&key::submission(id));
            self.with_group(id, |step, group| group.drop_pending(&step.disk));
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
        let merged = self.with_group(id, |step, group| {
            group.merge_pending(&step.disk).ok()?;
            Some(group.context().clone())
        });
        self.live.packages.remove(id);
        let (Some(Some(context)), Some(mut room)) = (merged, self.room(id)) else {
            self.live.groups.remove(id);
            return;
        };
        room.updated_at = self.now;
        room.active_at = self.now;
        self.set_room(&room);
        self.context_changed(room.conversation, &context);
        for line in submission.lines {
            self.system_line(room.conversation, line);
        }
        self.retry_held();
    }

    /// Follows the GroupContext: the title.
    pub(crate) fn context_changed(&mut self, conversation: ConversationId, context: &RoomContext) {
        if let Some(mut conversation) = self.conversation(conversation) {
            if conversation.kind == Kind::Group {
                conversation.title = crate::conversation::tidy(&context.title, 100);
            }
            self.set_conversation(&conversation);
        }
    }

    /// A room that lacks a commit: the mailbox brings it; if not, it is asked for.
    pub(crate) fn is_behind(&mut self, id: &RoomId) {
        self.live.behind.entry(*id).or_insert(self.now + CATCH_UP_AFTER);
    }

    /// The server's answer to catching up: at most one commit, then we ask again.
    pub(crate) fn caught_up(&mut self, id: &RoomId, body: answer::Body) {
        self.live.busy.remove(id);
        self.live.behind.remove(id);
        match body {
            answer::Body::Commits(answer) => {
                let before = self.with_group(id, |_, group| group.epoch());
                for commit in answer.commits.into_iter().take(limits::BATCH) {
                    let body = proto::Body { body: Some(proto::body::Body::Commit(commit)) };
                    self.take_body(id, &body);
                }
                self.retry_held();
                let after = self.with_group(id, |_, group| group.epoch());
                if before != after {
                    self.live.behind.insert(*id, self.now);
                }
            }
            answer::Body::Refusal(refusal) => {
                self.pause(id, &refusal);
                if class_of(&refusal) == Class::Retry {
                    self.is_behind(id);
                }
            }
            _ => {}
        }
    }

    // ---- closing -------------------------------------------------------------------------------

    /// Out of a room: the token dies, its work ends, its keys go.
    pub(crate) fn close_room(&mut self, id: &RoomId) {
        let Some(mut room) = self.room(id) else {
            return;
        };
        if !room.closed {
            room.closed = true;
            self.set_room(&room);
            self.forget_token(Token(room.token));
        }
        self.forget_work(id);
        let group = self.live.groups.remove(id);
        if let Some(group) = group.or_else(|| Group::load(&self.disk, id).ok().flatten()) {
            let _ = group.delete(&self.disk);
        }
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
        self.live.behind.remove(id);
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
                self.intend(&RoomId(room.room), &Intent::Update);
            }
        }
    }
}
