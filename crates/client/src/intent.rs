// SPDX-License-Identifier: AGPL-3.0-or-later
//! What we want of a room, on disk until a commit of ours did it; and the key packages it takes.
//!
//! Spec: `docs/book/protocol.md`, 3.2 and 7.

use nodoor_e2ee::{
    group::{Change, Leaf},
    identity::LeafName,
    key_package,
    roles::Roles,
    room::{RoomContext, RoomKind},
};
use nodoor_view::model::{Kind, ProblemKind};
use nodoor_wire::{
    code::Class,
    id::{AccountId, DeviceId, RoomId},
    proto::{self, answer, request},
};

use crate::{
    io::Wire,
    link::class_of,
    live::Purpose,
    rows::{Conversation, Intent, Line, Room, Status, Who, key},
    step::{Step, problem},
    stuck::accounts,
};

impl Step<'_> {
    /// Puts a wish at the end of a room's queue. The lines it will leave in the chat have their row numbers
    /// from now: they stand above what is written next, although they come when it is done.
    pub(crate) fn intend(&mut self, room: &RoomId, intent: &Intent) {
        let number = self.number();
        self.disk.put(key::intent(room, number), intent);
        for _ in 0..lines_of(intent) {
            self.number();
        }
    }

    /// Wishes these people into a room, all of them at once.
    pub(crate) fn intend_to_add(&mut self, room: &RoomId, accounts: &[AccountId]) {
        if !accounts.is_empty() {
            let accounts = accounts.iter().copied().map(Who::from).collect();
            self.intend(room, &Intent::Add(accounts));
        }
    }

    /// Carries out the oldest intent of a room, as far as it can be now.
    pub(crate) fn next_intent(&mut self, id: &RoomId, room: &Room) {
        // Nobody learns by a commit of ours that we are there before we accepted.
        let conversation = self.conversation(room.conversation);
        let Some(conversation) = conversation.filter(|one| one.status == Status::Open) else {
            return;
        };
        let stopped = self.is_stopped();
        let all = self.disk.prefixed(&key::intents(id), if stopped { usize::MAX } else { 1 });
        let read = |(row, value): (Vec<u8>, Vec<u8>)| Some((row, self.disk.decode(&value)?));
        // Whoever goes reads no more, whatever was found against the log. The other one of two goes with somebody in their place.
        let goes = |intent: &Intent| match intent {
            Intent::Remove(_) => true,
            Intent::Prune(account) => conversation.kind == Kind::Group || self.is_me(account),
            _ => false,
        };
        let next = all.into_iter().filter_map(read).find(|(_, intent)| !stopped || goes(intent));
        let Some((row, intent)) = next else {
            return;
        };
        let leaves = self.with_group(id, |_, group| group.leaves().to_vec()).unwrap_or_default();
        let indexes = |of: &dyn Fn(&Leaf) -> bool| -> Vec<u32> {
            leaves.iter().filter(|leaf| of(leaf)).map(|leaf| leaf.index).collect()
        };
        let mut change = Change::default();
        let mut lines = Vec::new();
        let Some(by) = self.me() else {
            return;
        };
        if !self.is_ours_to_do(id, &intent) {
            // What it could when it was wished it cannot any more.
            self.disk.remove(&row);
            self.next_intent(id, room);
            return;
        }
        match &intent {
            Intent::Add(wanted) => {
                let absent: Vec<Who> = wanted
                    .iter()
                    .filter(|who| leaves.iter().all(|leaf| !who.is(leaf)))
                    .copied()
                    .collect();
                match self.gather(id, &absent) {
                    Some(packages) => change.add = packages,
                    None => return,
                }
                let context = self.with_group(id, |_, group| group.context().clone());
                if let (Some(extra), Some(context)) = (self.inheritance(id), context) {
                    change.context = Some(RoomContext { extra, ..context });
                }
                if conversation.kind == Kind::Group {
                    lines
                        .extend(newcomers(&change.add, &leaves).map(|who| Line::Added { by, who }));
                }
            }
            Intent::Remove(who) => {
                change.remove = indexes(&|leaf| who.is(leaf));
                if who.device.is_none() {
                    lines.push(Line::Removed { by, who: who.account });
                }
            }
            Intent::Readd(who) => {
                match self.gather(id, &[*who]) {
                    // Without a package of the device there is no help, and it stays.
                    Some(packages) if packages.is_empty() => {}
                    Some(packages) => {
                        change.add = packages;
                        change.remove = indexes(&|leaf| who.is(leaf));
                    }
                    None => return,
                }
            }
            Intent::Prune(account) => {
                let gone = self.unlisted(id, account);
                let stays =
                    |leaf: &Leaf| leaf.name.account == *account && !gone.contains(&leaf.index);
                if conversation.kind == Kind::Direct
                    && !gone.is_empty()
                    && !leaves.iter().any(stays)
                {
                    match self.gather(id, &[Who::from(*account)]) {
                        Some(packages) => change.add = packages,
                        None => return,
                    }
                }
                change.remove = gone;
            }
            Intent::Rename(title) => {
                let context = self.with_group(id, |_, group| group.context().clone());
                if let Some(mut context) = context {
                    context.title.clone_from(title);
                    change.context = Some(context);
                    lines.push(Line::Renamed { by, title: title.clone() });
                }
            }
            Intent::Role(..) | Intent::Ban(..) | Intent::Conduct(..) | Intent::Link(_) => {
                if let Some((context, mut said)) = self.amended(id, &intent) {
                    change.context = Some(context);
                    lines.append(&mut said);
                }
                if let Intent::Ban(who, true) = &intent {
                    change.remove = indexes(&|leaf| leaf.name.account == *who);
                    if !change.remove.is_empty() {
                        lines.insert(0, Line::Removed { by, who: *who });
                    }
                }
            }
            Intent::Update => {}
        }
        let nothing = change.add.is_empty() && change.remove.is_empty() && change.context.is_none();
        if nothing && intent != Intent::Update {
            // Done already, by us or by somebody else.
            self.disk.remove(&row);
            self.next_intent(id, room);
            return;
        }
        self.submit(id, change, vec![row], lines);
    }

    /// Key packages of these devices, of theirs alone; `None` while they are being fetched.
    fn gather(&mut self, id: &RoomId, wanted: &[Who]) -> Option<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        let mut waiting = false;
        for who in wanted {
            if !self.is_fresh(&who.account) {
                waiting = true;
                continue;
            }
            // Nothing is encrypted, and nothing of theirs taken, before their newest list is logged, and shown to be the newest.
            if !self.is_shown(&who.account) || !self.is_logged(&who.account) {
                self.seek_proof(who.account);
                waiting = true;
                continue;
            }
            let taken = self.live.packages.get(id).and_then(|taken| taken.get(who));
            if let Some(packages) = taken {
                all.extend(packages.iter().cloned());
            } else {
                waiting = true;
                // Whoever asks for another device of this account, and not for all, is one of its devices.
                let wire = if self.is_me(&who.account) { Wire::Login } else { Wire::Anonymous };
                if self.may_ask(id) && self.is_ready(wire) {
                    let devices = who.device.iter().map(DeviceId::to_bytes).collect();
                    let take = proto::KeyPackageTake { account: who.account.to_bytes(), devices };
                    let body = request::Body::KeyPackageTake(take);
                    self.ask_room(wire, id, body, Purpose::Take(*id, *who));
                }
            }
        }
        (!waiting).then_some(all)
    }

    /// The server's answer to taking key packages.
    pub(crate) fn took(&mut self, id: &RoomId, who: Who, body: answer::Body) {
        self.live.busy.remove(id);
        match body {
            answer::Body::KeyPackageTake(taken) if !taken.packages.is_empty() => {
                let packages = self.asked_for(&who, taken.packages);
                if packages.is_empty() && self.is_me(&who.account) {
                    self.own_device_out_of_reach(id, who);
                } else if packages.is_empty() {
                    self.out_of_reach(&who.account, Some(id), ProblemKind::UnknownDevice);
                } else {
                    self.live.packages.entry(*id).or_default().insert(who, packages);
                }
            }
            answer::Body::Refusal(refusal) if class_of(&refusal) == Class::Retry => {
                self.pause(id, &refusal);
            }
            // Nobody is gone: a device of ours that has just come may have no key packages yet.
            _ if self.is_me(&who.account) => self.own_device_out_of_reach(id, who),
            _ => self.account_gone(&who.account),
        }
    }

    /// Of what the server calls key packages, those that were asked for: of this account or device, which its newest
    /// list names with this key, one a device. A key package says itself whose it is, and nobody else says so.
    fn asked_for(&mut self, who: &Who, packages: Vec<proto::TakenKeyPackage>) -> Vec<Vec<u8>> {
        let mut devices: Vec<DeviceId> = Vec::new();
        let mut theirs = Vec::new();
        for package in packages {
            let Ok(leaf) = key_package::inspect(&package.key_package) else {
                continue;
            };
            let device = leaf.name.device;
            if who.is(&leaf) && self.is_listed(&leaf) && !devices.contains(&device) {
                devices.push(device);
                theirs.push(package.key_package.to_vec());
            }
        }
        theirs
    }

    /// Whether the newest list of its account that we hold names this leaf's device, with this key.
    pub(crate) fn is_listed(&mut self, leaf: &Leaf) -> bool {
        let known = self.known(&leaf.name.account);
        let device = known.and_then(|known| known.chain.newest().device(&leaf.name.device));
        device.is_some_and(|device| device.mls_key == leaf.mls_key)
    }

    /// Leaves of an account whose devices its newest list names no more; never our own. Lists that we do not hold
    /// say nothing, and one that is disputed takes nobody out.
    pub(crate) fn unlisted(&mut self, id: &RoomId, account: &AccountId) -> Vec<u32> {
        if self.known(account).is_none() {
            return Vec::new();
        }
        let leaves = self.with_group(id, |_, group| (group.own_index(), group.leaves().to_vec()));
        let (own, leaves) = leaves.unwrap_or_default();
        let of_account = leaves.iter().filter(|leaf| leaf.name.account == *account);
        let others = of_account.filter(|leaf| leaf.index != own);
        let gone = |step: &mut Self, leaf: &Leaf| {
            let objects = step.known(account).is_some_and(|known| known.objects(leaf));
            !objects && !step.is_listed(leaf)
        };
        others.filter(|leaf| gone(self, leaf)).map(|leaf| leaf.index).collect()
    }

    /// What a room needs before anything is sent in it: the epoch without who asked to leave, and without devices
    /// that their owners removed, as far as it is ours to remove them. In a group that is for who may take them out and
    /// for the account's other devices, in a chat of two for either side.
    pub(crate) fn comes_first(&mut self, id: &RoomId) -> Option<Intent> {
        let facts = self.with_group(id, |_, group| {
            let roles = Roles::of(group.context()).ok();
            (group.must_commit(), group.context().kind, roles, accounts(group.leaves()))
        });
        let (must_commit, kind, roles, accounts) = facts?;
        if must_commit {
            return Some(Intent::Update);
        }
        let (me, roles) = (self.me()?, roles?);
        let ours = |account: &AccountId| match kind {
            RoomKind::Direct { .. } => true,
            RoomKind::Group => roles.may_remove(&me, account),
            RoomKind::Own => *account == me,
        };
        let mut accounts = accounts.into_iter().filter(ours);
        accounts.find(|account| !self.unlisted(id, account).is_empty()).map(Intent::Prune)
    }

    /// An account that is not there, or has no device to send to: what waits for it says so.
    pub(crate) fn account_gone(&mut self, account: &AccountId) {
        self.out_of_reach(account, None, ProblemKind::AccountGone);
    }

    /// What waits for devices of an account, in one room or in all, says why it is not sent.
    fn out_of_reach(&mut self, account: &AccountId, only: Option<&RoomId>, why: ProblemKind) {
        for (row, value) in self.disk.prefixed(key::INTENTS, usize::MAX) {
            let id = row.get(key::INTENTS.len()..key::INTENTS.len() + RoomId::LENGTH);
            let id = id.and_then(|id| RoomId::try_from(id).ok());
            if only.is_some() && id.as_ref() != only {
                continue;
            }
            match self.disk.decode::<Intent>(&value) {
                Some(Intent::Add(mut wanted))
                    if wanted.iter().any(|one| one.account == *account) =>
                {
                    wanted.retain(|one| one.account != *account);
                    if wanted.is_empty() {
                        self.disk.remove(&row);
                    } else {
                        self.disk.put(row.clone(), &Intent::Add(wanted));
                    }
                }
                Some(Intent::Readd(Who { account: other, .. }) | Intent::Prune(other))
                    if other == *account =>
                {
                    self.disk.remove(&row);
                }
                _ => continue,
            }
            let Some(room) = id.and_then(|id| self.room(&id)) else {
                continue;
            };
            let Some(mut conversation) = self.conversation(room.conversation) else {
                continue;
            };
            if conversation.kind == Kind::Direct {
                self.fail_outgoing(conversation.id, &problem(why));
                self.abandon_alone(&room.room, &mut conversation);
            }
        }
    }

    /// Gives a direct room up unless the other side is in it.
    pub(crate) fn abandon_alone(&mut self, id: &RoomId, conversation: &mut Conversation) {
        let alone = self.with_group(id, |_, group| group.leaves().len() == 1).unwrap_or(false);
        if conversation.kind == Kind::Direct && alone {
            self.abandon(id, conversation);
        }
    }

    /// Gives up a direct room that nobody else ever saw: the next try begins with a new one.
    fn abandon(&mut self, id: &RoomId, conversation: &mut Conversation) {
        self.close_room(id);
        conversation.rooms.retain(|room| room != id);
        self.set_conversation(conversation);
    }
}

/// Accounts that come in with these key packages and had no leaf before, each once.
fn newcomers(packages: &[Vec<u8>], before: &[Leaf]) -> impl Iterator<Item = AccountId> {
    let mut new: Vec<AccountId> = Vec::new();
    for leaf in packages.iter().filter_map(|bytes| key_package::inspect(bytes).ok()) {
        let account = leaf.name.account;
        if !new.contains(&account) && before.iter().all(|old| old.name.account != account) {
            new.push(account);
        }
    }
    new.into_iter()
}

impl Who {
    /// Whether this names a leaf's device.
    fn names(&self, name: &LeafName) -> bool {
        self.account == name.account && self.device.is_none_or(|device| device == name.device)
    }

    /// Whether this is whose leaf it is.
    fn is(&self, leaf: &Leaf) -> bool {
        self.names(&leaf.name)
    }
}

/// How many lines a wish leaves in the chat at most.
fn lines_of(intent: &Intent) -> usize {
    match intent {
        Intent::Add(accounts) => accounts.len(),
        Intent::Remove(_) | Intent::Rename(_) | Intent::Role(..) | Intent::Link(_) => 1,
        Intent::Ban(..) | Intent::Conduct(..) => 2,
        Intent::Readd(_) | Intent::Prune(_) | Intent::Update => 0,
    }
}
