// SPDX-License-Identifier: AGPL-3.0-or-later
//! What we want of a room, on disk until a commit of ours did it; and the key packages it takes.
//!
//! Spec: `docs/book/protocol.md`, 3.2 and 7.

use nodoor_e2ee::{
    group::{Change, Leaf},
    identity::LeafName,
    key_package,
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
    rows::{Conversation, Intent, Line, Room, Who, key},
    step::{Step, problem},
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
        let Some((row, value)) = self.disk.prefixed(&key::intents(id), 1).into_iter().next() else {
            return;
        };
        let Some(intent) = self.disk.decode::<Intent>(&value) else {
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
                if self.conversation(room.conversation).is_some_and(|c| c.kind == Kind::Group) {
                    let new = absent.iter().filter(|who| who.device.is_none());
                    lines.extend(new.map(|who| Line::Added { by, who: who.account }));
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
                    Some(packages) => change.add = packages,
                    None => return,
                }
                change.remove = indexes(&|leaf| who.is(leaf));
            }
            Intent::Rename(title) => {
                let context = self.with_group(id, |_, group| group.context().clone());
                if let Some(mut context) = context {
                    context.title.clone_from(title);
                    change.context = Some(context);
                    lines.push(Line::Renamed { by, title: title.clone() });
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
            let taken = self.live.packages.get(id).and_then(|taken| taken.get(who));
            if let Some(packages) = taken {
                let theirs = |bytes: &&Vec<u8>| {
                    key_package::inspect(bytes).is_ok_and(|leaf| who.names(&leaf.name))
                };
                all.extend(
                    packages.iter().filter(|bytes| who.device.is_none() || theirs(bytes)).cloned(),
                );
            } else {
                waiting = true;
                if self.may_ask(id) {
                    let devices = who.device.iter().map(DeviceId::to_bytes).collect();
                    let take = proto::KeyPackageTake { account: who.account.to_bytes(), devices };
                    let body = request::Body::KeyPackageTake(take);
                    self.ask_room(Wire::Anonymous, id, body, Purpose::Take(*id, *who));
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
                let packages = taken.packages.into_iter().map(|one| one.key_package.to_vec());
                self.live.packages.entry(*id).or_default().insert(who, packages.collect());
            }
            answer::Body::Refusal(refusal) if class_of(&refusal) == Class::Permanent => {
                self.account_gone(&who.account);
            }
            answer::Body::Refusal(refusal) => self.pause(id, &refusal),
            _ => self.account_gone(&who.account),
        }
    }

    /// An account that is not there, or has no device to send to: what waits for it says so.
    pub(crate) fn account_gone(&mut self, account: &AccountId) {
        for (row, value) in self.disk.prefixed(key::INTENTS, usize::MAX) {
            let Some(Intent::Add(mut accounts)) = self.disk.decode::<Intent>(&value) else {
                continue;
            };
            let before = accounts.len();
            accounts.retain(|wanted| wanted.account != *account);
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
                self.abandon(&room.room, &mut conversation);
            }
        }
    }

    /// Gives up a direct room that nobody else ever saw: the next try begins with a new one.
    pub(crate) fn abandon(&mut self, id: &RoomId, conversation: &mut Conversation) {
        self.close_room(id);
        conversation.rooms.retain(|room| room != id);
        self.set_conversation(conversation);
    }
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
        Intent::Remove(_) | Intent::Rename(_) => 1,
        Intent::Readd(_) | Intent::Update => 0,
    }
}
