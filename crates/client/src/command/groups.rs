// SPDX-License-Identifier: AGPL-3.0-or-later
//! Groups: making one, who is in it, leaving it.
//!
//! Spec: `docs/book/protocol.md`, 3.2 and 5.

use nodoor_e2ee::room::{RoomContext, RoomKind};
use nodoor_view::{
    command::Reply,
    model::{ConversationId, Kind, Person, ProblemKind},
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, RoomId},
    limits,
};

use super::{
    Answer,
    Answer::{Later, Now},
};
use crate::{
    lookup::Resolution,
    names::tidy,
    rows::{Conversation, Intent, Line, Outgoing, Status, key},
    selfgroup::About,
    step::{Step, problem, refused},
};

impl Step<'_> {
    pub(super) fn group_create(&mut self, title: &str, members: &[String]) -> Answer {
        let title = tidy(title, 100);
        if title.is_empty() || members.len() >= limits::MEMBERS {
            return Now(refused(ProblemKind::Size));
        }
        let mut accounts = Vec::new();
        let mut waiting = false;
        for member in members {
            let Ok(handle) = Handle::parse(member) else {
                return Now(refused(ProblemKind::HandleForm));
            };
            match self.resolve(&handle) {
                Resolution::Pending => waiting = true,
                Resolution::Nobody => return Now(refused(ProblemKind::NotFound)),
                Resolution::Known(account) if self.is_me(&account) => {}
                Resolution::Known(account) => accounts.push(account),
            }
        }
        let Some(me) = self.me() else {
            return Now(refused(ProblemKind::NoAccount));
        };
        if waiting {
            return Later;
        }
        accounts.sort_unstable();
        accounts.dedup();
        let room = RoomId(self.random());
        let context = RoomContext::new(RoomKind::Group, me, &title);
        let mut conversation = self.group_conversation(&room, &me, &title, Status::Open);
        if self.found_room(&mut conversation, context, room).is_none() {
            return Now(refused(ProblemKind::Internal));
        }
        self.line(conversation.id, Line::GroupCreated { by: me });
        self.intend_to_add(&room, &accounts);
        let conversation = self.conversation(conversation.id).unwrap_or(conversation);
        Now(Reply::Conversation(self.conversation_row(&conversation)))
    }

    /// Something only the creator of a group may do.
    pub(super) fn manage(
        &mut self,
        id: ConversationId,
        work: impl FnOnce(&mut Self, &RoomId) -> Reply,
    ) -> Answer {
        let Some(conversation) = self.conversation(id) else {
            return Now(refused(ProblemKind::NotFound));
        };
        if conversation.kind != Kind::Group {
            return Now(refused(ProblemKind::NotAllowed));
        }
        let room = self.room_in_use(&conversation);
        let Some(room) = room.filter(|_| conversation.status == Status::Open) else {
            return Now(refused(ProblemKind::NotAMember));
        };
        if !self.may_manage(&room.room) {
            return Now(refused(ProblemKind::NotAllowed));
        }
        Now(work(self, &room.room))
    }

    /// Whether we made this room.
    pub(crate) fn may_manage(&mut self, room: &RoomId) -> bool {
        let creator = self.with_group(room, |_, group| group.context().creator);
        creator.is_some_and(|creator| self.is_me(&creator))
    }

    pub(super) fn group_add(&mut self, id: ConversationId, text: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(refused(ProblemKind::HandleForm));
        };
        match self.resolve(&handle) {
            Resolution::Pending => Later,
            Resolution::Nobody => Now(refused(ProblemKind::NotFound)),
            Resolution::Known(account) => self.manage(id, |step, room| {
                if step.is_me(&account) {
                    return refused(ProblemKind::Yourself);
                }
                step.intend(room, &Intent::Add(vec![account.into()]));
                Reply::Done
            }),
        }
    }

    pub(super) fn group_remove(&mut self, id: ConversationId, text: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(refused(ProblemKind::HandleForm));
        };
        let member = self
            .members(id)
            .into_iter()
            .find(|member| goes_by(&member.person, handle.as_str()) && !member.me);
        let account = member.and_then(|member| AccountId::from_hex(&member.person.account).ok());
        match account {
            None => Now(refused(ProblemKind::NotFound)),
            Some(account) => self.manage(id, |step, room| {
                step.intend(room, &Intent::Remove(account.into()));
                Reply::Done
            }),
        }
    }

    pub(crate) fn leave(&mut self, conversation: &mut Conversation) -> Reply {
        if conversation.kind != Kind::Group || conversation.status != Status::Open {
            return refused(ProblemKind::NotAllowed);
        }
        self.own_devices_should_know(About::Chat(conversation.reference));
        if let Some(who) = self.me() {
            self.line(conversation.id, Line::Left { who });
        }
        conversation.last = self.newest_message(conversation.id);
        conversation.sorted_at = self.now;
        conversation.status = Status::Left;
        conversation.unread = 0;
        conversation.first_unread = None;
        for room in conversation.rooms.clone() {
            if self.room(&room).is_some_and(|room| room.stuck.is_some()) {
                // Nothing is sent there any more, a leave neither.
                self.close_room(&room);
                continue;
            }
            // What this device still meant to do there would be carried out by nobody, and the leave would wait for it.
            for intent in self.disk.keys(&key::intents(&room), usize::MAX) {
                self.disk.remove(&intent);
            }
            let outgoing =
                Outgoing { room: Some(room), leave: true, ..Outgoing::of(Vec::new(), self.now) };
            let number = self.number();
            self.disk.put(key::outgoing_one(conversation.id, number), &outgoing);
        }
        if self.room_in_use(conversation).is_none() {
            self.fail_outgoing(conversation.id, &problem(ProblemKind::NotAMember));
        }
        Reply::Done
    }
}

/// Whether this is a person's handle, or, if none of theirs is known, their account (which has the form of one).
fn goes_by(person: &Person, handle: &str) -> bool {
    let known = if person.handle.is_empty() { &person.account } else { &person.handle };
    known == handle
}

#[cfg(test)]
mod tests {
    use super::{Handle, Person, goes_by};

    #[test]
    fn whose_handle_is_unknown_goes_by_the_account_and_nobody_else_does() {
        let account = "0123456789abcdef0123456789abcdef".to_owned();
        assert_eq!(Handle::parse(&account).unwrap().as_str(), account);
        let unknown = Person {
            account: account.clone(),
            handle: String::new(),
            name: "Bob".into(),
            bot: false,
        };
        assert!(goes_by(&unknown, &account));
        assert!(!goes_by(&unknown, "bob") && !goes_by(&unknown, ""));
        let known = Person { handle: "bob".into(), ..unknown };
        assert!(goes_by(&known, "bob"));
        assert!(!goes_by(&known, &account));
    }
}
