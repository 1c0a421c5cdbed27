// SPDX-License-Identifier: AGPL-3.0-or-later
//! Groups: making one, who is in it, leaving it.
//!
//! Spec: `docs/book/protocol.md`, 3.2 and 5.

use nodoor_e2ee::{
    charter::{MOST_LINKS, SLOWEST, link_id},
    content::Content,
    room::{RoomContext, RoomKind},
};
use nodoor_view::{
    command::Reply,
    group,
    model::{ConversationId, GroupMember, Kind, Person, ProblemKind},
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
use serde_bytes::ByteArray;

use crate::{
    charter::kept,
    joining::Link,
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

    /// Something that only who leads a group may do, or who may do just this.
    pub(super) fn manage(
        &mut self,
        id: ConversationId,
        work: impl FnOnce(&mut Self, &RoomId) -> Reply,
    ) -> Answer {
        self.in_group(id, |step, room| {
            if step.may_manage(room) { work(step, room) } else { refused(ProblemKind::NotAllowed) }
        })
    }

    /// Wishes something of a group that one is in, if it is one's to do.
    fn want_of(&mut self, id: ConversationId, intent: &Intent) -> Answer {
        self.in_group(id, |step, room| {
            if !step.is_ours_to_do(room, intent) {
                return refused(ProblemKind::NotAllowed);
            }
            step.intend(room, intent);
            Reply::Done
        })
    }

    fn in_group(
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
        Now(work(self, &room.room))
    }

    /// Whether we lead this room.
    fn may_manage(&mut self, room: &RoomId) -> bool {
        let (charter, me) = (self.charter(room), self.me());
        charter.zip(me).is_some_and(|(charter, me)| charter.leads(&me))
    }

    /// Carries out what a person wants of who may do what.
    pub(super) fn group_command(&mut self, of: &group::Command) -> Answer {
        use group::Command::{Answer as Let, Ban, Join, SetConduct, SetLink, SetRole};
        match of {
            SetLink { conversation, approval } => self.set_link(*conversation, *approval),
            Let { conversation, handle, on } => self.answer_asking(*conversation, handle, *on),
            Join { link } => self.ask_to_join(link),
            SetRole { conversation, handle, role } => {
                match self.member_called(*conversation, handle, |_| true) {
                    Err(why) => Now(refused(why)),
                    Ok(account) => self.want_of(*conversation, &Intent::Role(account, kept(*role))),
                }
            }
            Ban { conversation, handle, on: true } => match self.resolved(handle) {
                None => Later,
                Some(Err(why)) => Now(refused(why)),
                Some(Ok(account)) => self.want_of(*conversation, &Intent::Ban(account, true)),
            },
            Ban { conversation, handle, on: false } => {
                let sheet = self.sheet(*conversation).and_then(|sheet| sheet.charter);
                let banned = sheet.map(|charter| charter.banned).unwrap_or_default();
                let called = handle.trim_start_matches('@');
                let person = banned.into_iter().find(|person| goes_by(person, called));
                match person.and_then(|person| AccountId::from_hex(&person.account).ok()) {
                    None => Now(refused(ProblemKind::NotFound)),
                    Some(account) => self.want_of(*conversation, &Intent::Ban(account, false)),
                }
            }
            SetConduct { slow, .. } if *slow > SLOWEST => Now(refused(ProblemKind::Size)),
            SetConduct { conversation, announcements, slow } => {
                self.want_of(*conversation, &Intent::Conduct(*announcements, *slow))
            }
        }
    }

    fn set_link(&mut self, id: ConversationId, approval: Option<bool>) -> Answer {
        let secret: [u8; 16] = self.random();
        let link = approval.map(|approval| (link_id(&secret), approval));
        self.in_group(id, |step, room| {
            if !step.may_manage(room) {
                return refused(ProblemKind::NotAllowed);
            }
            let full = step.charter(room).is_some_and(|charter| charter.links.len() >= MOST_LINKS);
            if full && link.is_some() {
                return refused(ProblemKind::Size);
            }
            match link {
                Some(_) => step.disk.put(key::link(room), &ByteArray::new(secret)),
                None => step.disk.remove(&key::link(room)),
            }
            step.intend(room, &Intent::Link(link));
            Reply::Done
        })
    }

    fn answer_asking(&mut self, id: ConversationId, text: &str, on: bool) -> Answer {
        let called = text.trim_start_matches('@').to_owned();
        self.in_group(id, |step, room| {
            let asking = step.asking(room);
            let who = asking.into_iter().find(|who| goes_by(&step.person(who), &called));
            let Some(who) = who else {
                return refused(ProblemKind::NotFound);
            };
            if !step.may_manage(room) {
                return refused(ProblemKind::NotAllowed);
            }
            step.disk.remove(&key::asking_one(room, &who));
            if on {
                step.intend(room, &Intent::Add(vec![who.into()]));
            }
            Reply::Done
        })
    }

    fn ask_to_join(&mut self, text: &str) -> Answer {
        let Some(Link { handle, room, secret }) = Link::read(text) else {
            return Now(refused(ProblemKind::GroupLink));
        };
        let account = match self.resolved(&handle) {
            None => return Later,
            Some(Err(why)) => return Now(refused(why)),
            Some(Ok(account)) => account,
        };
        let there = self.room(&room).and_then(|room| self.conversation(room.conversation));
        if let Some(mut there) = there.filter(|one| one.kind == Kind::Group) {
            if there.status == Status::Request {
                self.accept(&mut there);
                self.set_conversation(&there);
            }
            if there.status == Status::Open {
                return Now(Reply::Conversation(self.conversation_row(&there)));
            }
        }
        if self.is_me(&account) {
            return Now(refused(ProblemKind::Yourself));
        }
        let mut chat = self.direct_conversation(&account, Status::Open);
        match chat.status {
            Status::Blocked => return Now(refused(ProblemKind::Blocked)),
            Status::Request => _ = self.accept(&mut chat),
            _ => {}
        }
        let mut contact = self.contact(&account);
        contact.accepted = true;
        self.set_contact(&account, &contact);
        self.ensure_direct_room(&mut chat);
        self.queue(chat.id, None, &Content::Join { room, secret }.into(), None);
        self.disk.put(key::asked(&room), &account);
        self.set_conversation(&chat);
        self.line(chat.id, Line::AskedToJoin);
        let chat = self.conversation(chat.id).unwrap_or(chat);
        Now(Reply::Conversation(self.conversation_row(&chat)))
    }

    /// Whom a handle, or the account of somebody whose handle is unknown, names; nothing while it is looked up.
    fn resolved(&mut self, text: &str) -> Option<Result<AccountId, ProblemKind>> {
        let Ok(handle) = Handle::parse(text) else {
            return Some(Err(ProblemKind::HandleForm));
        };
        match self.resolve(&handle) {
            Resolution::Pending => None,
            Resolution::Nobody => Some(Err(ProblemKind::NotFound)),
            Resolution::Known(account) => Some(Ok(account)),
        }
    }

    /// The member of a group who goes by this.
    fn member_called(
        &mut self,
        id: ConversationId,
        text: &str,
        which: impl Fn(&GroupMember) -> bool,
    ) -> Result<AccountId, ProblemKind> {
        let handle = Handle::parse(text).map_err(|_| ProblemKind::HandleForm)?;
        let mut members = self.members(id).into_iter();
        let member = members.find(|one| goes_by(&one.person, handle.as_str()) && which(one));
        let account = member.and_then(|member| AccountId::from_hex(&member.person.account).ok());
        account.ok_or(ProblemKind::NotFound)
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
                if step.charter(room).is_some_and(|charter| charter.bans.contains(&account)) {
                    return refused(ProblemKind::Banned);
                }
                step.intend(room, &Intent::Add(vec![account.into()]));
                Reply::Done
            }),
        }
    }

    pub(super) fn group_remove(&mut self, id: ConversationId, text: &str) -> Answer {
        match self.member_called(id, text, |member| !member.me) {
            Err(why) => Now(refused(why)),
            Ok(account) => self.want_of(id, &Intent::Remove(account.into())),
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
