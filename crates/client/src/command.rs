// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a person asks for. Each command changes rows and is answered when they are on disk; what needs the
//! server first (a handle to look up) is parked, and answered or given up later.

use nodoor_e2ee::room::{RoomContext, RoomKind};
use nodoor_view::{
    command::{Ask, Command, HandleState, Reply},
    event::Event,
    model::{ConversationId, FoundPerson, Kind, MessageId, Person, Problem, ProblemKind},
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, RoomId},
    limits,
};

use crate::{
    io::{Effect, Wire},
    lookup::Resolution,
    names::tidy,
    selfgroup::About,
    rows::{Conversation, Deleted, Intent, Line, Message, Outgoing, State, Status, key},
    step::{Step, problem, refused},
};

/// How long an ask waits for the server, milliseconds.
const PATIENCE: u64 = 15_000;
/// How long it waits once there was no connection to be had, milliseconds.
const PATIENCE_WITHOUT_SERVER: u64 = 4_000;
/// How long a deleted message can be brought back, milliseconds.
const UNDO: u64 = 60_000;

/// The answer to a command, or that it has to wait.
#[expect(clippy::large_enum_variant, reason = "lives for one call")]
enum Answer {
    Now(Reply),
    Later,
}

use Answer::{Later, Now};

impl Step<'_> {
    /// Takes an ask: answers it or parks it.
    pub(crate) fn ask(&mut self, ask: Ask) {
        let until = self.now + PATIENCE;
        self.try_ask(ask, until);
    }

    fn try_ask(&mut self, ask: Ask, until: u64) {
        match self.command(&ask.command) {
            Now(reply) => self.answer(ask.ask, reply),
            Later if until <= self.now => {
                let reply = match ask.command {
                    Command::CheckHandle { .. } => Reply::HandleState(HandleState::Unknown),
                    Command::Verify { conversation } => self
                        .check_of_conversation(conversation)
                        .map_or(refused(ProblemKind::NotFound), Reply::Check),
                    _ => refused(self.live.unfit.unwrap_or(ProblemKind::Offline)),
                };
                self.answer(ask.ask, reply);
            }
            Later => self.live.parked.push((ask, until)),
        }
    }

    /// Tries parked asks again: something was learnt, or time went by.
    pub(crate) fn retry_parked(&mut self) {
        for (ask, until) in std::mem::take(&mut self.live.parked) {
            self.try_ask(ask, until);
        }
    }

    /// A connection broke or was not to be had: parked asks wait a little for the next one, not as long as for an answer.
    pub(crate) fn hurry_parked(&mut self) {
        let soon = self.now + PATIENCE_WITHOUT_SERVER;
        self.live.parked.iter_mut().for_each(|(_, until)| *until = soon.min(*until));
    }

    /// Answers the parked asks of a kind with a problem.
    pub(crate) fn fail_parked(&mut self, problem: &Problem, which: impl Fn(&Ask) -> bool) {
        let (failed, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.live.parked).into_iter().partition(|(ask, _)| which(ask));
        self.live.parked = rest;
        for (ask, _) in failed {
            self.answer(ask.ask, Reply::Problem(problem.clone()));
        }
    }

    /// Answers the parked asks that wait for this handle with a problem.
    pub(crate) fn fail_parked_for_handle(&mut self, handle: &str, problem: &Problem) {
        let same = |text: &str| Handle::parse(text).is_ok_and(|parsed| parsed.as_str() == handle);
        self.fail_parked(problem, |ask| match &ask.command {
            Command::Find { handle }
            | Command::OpenDirect { handle }
            | Command::CheckHandle { handle }
            | Command::GroupAdd { handle, .. } => same(handle),
            Command::GroupCreate { members, .. } => members.iter().any(|member| same(member)),
            _ => false,
        });
    }

    fn command(&mut self, command: &Command) -> Answer {
        match command {
            Command::CheckHandle { handle } => return self.check_handle(handle),
            Command::Register { handle, ticket } => return self.register(handle, ticket),
            Command::Settings => return Now(Reply::Settings(self.settings())),
            Command::SetSettings { settings } => {
                self.disk.put(key::SETTINGS.to_vec(), settings);
                return Now(Reply::Settings(settings.clone()));
            }
            Command::Erase => {
                self.effects.push(Effect::Erased);
                return Now(Reply::Done);
            }
            Command::Device { of } => return self.device_command(of).map_or(Later, Now),
            Command::WhoAmI => return Now(self.profile().map_or(Reply::Nothing, Reply::Profile)),
            _ => {}
        }
        if self.account().is_none_or(|account| account.registering.is_some()) {
            return Now(refused(ProblemKind::NoAccount));
        }
        self.account_command(command)
    }

    fn account_command(&mut self, command: &Command) -> Answer {
        match command {
            Command::Conversations => Now(Reply::Conversations(self.chat_list())),
            Command::Requests => Now(Reply::Requests(self.request_list())),
            Command::Blocked => Now(Reply::Conversations(self.blocked_list())),
            Command::Find { handle } => self.find(handle),
            Command::OpenDirect { handle } => self.open_direct(handle),
            Command::Messages { conversation, at, limit } => {
                Now(Reply::Messages(self.page(*conversation, *at, *limit)))
            }
            Command::MessageInfo { message } => Now(self
                .message_detail(*message)
                .map_or(refused(ProblemKind::NotFound), Reply::Message)),
            Command::SendText { conversation, text } => Now(self.send_text(*conversation, text)),
            Command::Retry { message } => Now(self.retry(*message)),
            Command::DeleteForMe { message } => Now(self.delete_for_me(*message)),
            Command::Undelete { message } => Now(self.undelete(*message)),
            Command::MarkRead { conversation, up_to } => Now(self.mark_read(*conversation, *up_to)),
            Command::SetDraft { conversation, text } => self.change(*conversation, |_, row| {
                row.draft.clone_from(text);
                Reply::Done
            }),
            Command::Accept { conversation } => self.change(*conversation, Step::accept),
            Command::Decline { conversation } => Now(self.decline(*conversation)),
            Command::Block { conversation } => self.change(*conversation, Step::block),
            Command::Unblock { conversation } => self.change(*conversation, Step::unblock),
            Command::GroupCreate { title, members } => self.group_create(title, members),
            Command::GroupAdd { conversation, handle } => self.group_add(*conversation, handle),
            Command::GroupRemove { conversation, handle } => {
                self.group_remove(*conversation, handle)
            }
            Command::GroupRename { conversation, title } => {
                let title = tidy(title, 100);
                self.manage(*conversation, |step, room| {
                    if title.is_empty() {
                        return refused(ProblemKind::Size);
                    }
                    step.intend(room, &Intent::Rename(title.clone()));
                    Reply::Done
                })
            }
            Command::GroupLeave { conversation } => self.change(*conversation, Step::leave),
            Command::GroupMembers { conversation } => {
                Now(Reply::Members(self.members(*conversation)))
            }
            Command::Sheet { conversation } => {
                Now(self.sheet(*conversation).map_or(refused(ProblemKind::NotFound), Reply::Sheet))
            }
            Command::Verify { conversation } => match self.verify(*conversation) {
                None => Later,
                Some(check) => Now(check.map_or(refused(ProblemKind::NotFound), Reply::Check)),
            },
            Command::Ledger => Now(Reply::Ledger(self.ledger_state())),
            Command::Evidence => Now(Reply::Evidence(self.evidence_files())),
            Command::AnswerProof => {
                self.answer_proof();
                Now(Reply::Ledger(self.ledger_state()))
            }
            Command::Devices => Now(Reply::Devices(self.devices())),
            Command::Words => {
                let words = self
                    .account()
                    .and_then(|account| account.recovery_entropy)
                    .and_then(|entropy| crate::account::words(&entropy));
                Now(words.map_or(Reply::Nothing, Reply::Words))
            }
            Command::SetName { name } => {
                if let Some(mut account) = self.account() {
                    account.name = tidy(name, 60);
                    self.set_account(&account);
                    self.own_devices_should_know(About::Name);
                }
                Now(self.profile().map_or(Reply::Nothing, Reply::Profile))
            }
            Command::Looking { at } => {
                self.live.looking_at = *at;
                Now(Reply::Done)
            }
            _ => Now(refused(ProblemKind::Internal)),
        }
    }

    /// Changes one conversation row.
    fn change(
        &mut self,
        id: ConversationId,
        work: impl FnOnce(&mut Self, &mut Conversation) -> Reply,
    ) -> Answer {
        let Some(mut conversation) = self.conversation(id) else {
            return Now(refused(ProblemKind::NotFound));
        };
        let reply = work(self, &mut conversation);
        self.set_conversation(&conversation);
        let reply = match reply {
            // Rows are told as they stand after the change.
            Reply::Conversation(_) => Reply::Conversation(self.conversation_row(&conversation)),
            other => other,
        };
        Now(reply)
    }

    // ---- registration and people ---------------------------------------------------------------

    fn check_handle(&mut self, text: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(Reply::HandleState(HandleState::Malformed));
        };
        match self.resolve(&handle) {
            Resolution::Pending => Later,
            Resolution::Nobody => Now(Reply::HandleState(HandleState::Free)),
            Resolution::Known(_) => {
                let stem: String = handle.as_str().chars().take(26).collect();
                let number = 10 + u32::from(self.random::<1>()[0] % 90);
                let suggestions = vec![
                    format!("{stem}-{number}"),
                    format!("{stem}.{}", number + 7),
                    format!("the-{stem}"),
                ];
                Now(Reply::HandleState(HandleState::Taken { suggestions }))
            }
        }
    }

    fn register(&mut self, text: &str, ticket: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(refused(ProblemKind::HandleForm));
        };
        match self.account() {
            Some(account) if account.registering.is_none() => match self.profile() {
                Some(profile) if account.handle == handle.as_str() => Now(Reply::Profile(profile)),
                _ => Now(refused(ProblemKind::HasAccount)),
            },
            Some(account) if account.handle == handle.as_str() => {
                // On its way: the answer comes, or the connection first.
                if self.live.login.state == crate::live::LinkState::Closed {
                    self.want(Wire::Login);
                }
                Later
            }
            Some(account) => {
                self.forget_registration(&account);
                self.begin_registration(&handle, ticket);
                Later
            }
            None => {
                self.begin_registration(&handle, ticket);
                Later
            }
        }
    }

    fn find(&mut self, text: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(refused(ProblemKind::HandleForm));
        };
        match self.resolve(&handle) {
            Resolution::Pending => Later,
            Resolution::Nobody => Now(refused(ProblemKind::NotFound)),
            Resolution::Known(account) => {
                let devices = self.known(&account).map_or(0, |known| {
                    u32::try_from(known.chain.newest().devices().len()).unwrap_or(u32::MAX)
                });
                let conversation: Option<u64> = self.disk.get(&key::direct(&account));
                Now(Reply::Person(FoundPerson {
                    person: self.person(&account),
                    devices,
                    conversation: conversation.map(ConversationId),
                    me: self.is_me(&account),
                }))
            }
        }
    }

    fn open_direct(&mut self, text: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(refused(ProblemKind::HandleForm));
        };
        match self.resolve(&handle) {
            Resolution::Pending => Later,
            Resolution::Nobody => Now(refused(ProblemKind::NotFound)),
            Resolution::Known(account) if self.is_me(&account) => {
                Now(refused(ProblemKind::Yourself))
            }
            Resolution::Known(account) => {
                let conversation = self.direct_conversation(&account, Status::Open);
                Now(Reply::Conversation(self.conversation_row(&conversation)))
            }
        }
    }

    // ---- messages ------------------------------------------------------------------------------

    fn send_text(&mut self, id: ConversationId, text: &str) -> Reply {
        let Some(mut conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        if text.trim().is_empty() || text.len() > limits::TEXT {
            return refused(ProblemKind::Size);
        }
        match conversation.status {
            Status::Open => {}
            Status::Request => return refused(ProblemKind::Request),
            Status::Left | Status::Removed => return refused(ProblemKind::NotAMember),
            Status::Blocked => return refused(ProblemKind::Blocked),
        }
        if conversation.kind == Kind::Direct {
            // Writing to somebody is accepting them.
            let other = conversation.other;
            let mut contact = self.contact(&other);
            if !contact.accepted {
                contact.accepted = true;
                self.set_contact(&other, &contact);
            }
            self.ensure_direct_room(&mut conversation);
        }
        match self.write_own(&mut conversation, text) {
            Some(message) => Reply::Sent(self.message_row(&message)),
            None => refused(ProblemKind::Internal),
        }
    }

    fn retry(&mut self, id: MessageId) -> Reply {
        let Some(mut message) = self.message(id) else {
            return refused(ProblemKind::NotFound);
        };
        let Some(State::NotSent(_)) = message.state else {
            return refused(ProblemKind::NotAllowed);
        };
        let Some(mut conversation) = self.conversation(message.conversation) else {
            return refused(ProblemKind::NotFound);
        };
        if conversation.status != Status::Open {
            return refused(ProblemKind::NotAMember);
        }
        self.ensure_direct_room(&mut conversation);
        self.queue_again(&message);
        message.state = Some(State::Waiting);
        self.set_message(&message, false);
        Reply::Done
    }

    fn delete_for_me(&mut self, id: MessageId) -> Reply {
        let Some(message) = self.message(id) else {
            return refused(ProblemKind::NotFound);
        };
        // What still waits to be sent must not go out after its sender deleted it.
        for (row, value) in self.disk.prefixed(&key::outgoing(message.conversation), usize::MAX) {
            let outgoing = self.disk.decode::<Outgoing>(&value);
            if outgoing.is_some_and(|o| o.message == Some(id) && o.sealed.is_none()) {
                self.disk.remove(&row);
            }
        }
        self.disk.remove(&key::message(message.conversation, id));
        self.disk.put(key::deleted(id), &Deleted { at: self.now, message: message.clone() });
        self.last_line_changed(message.conversation);
        self.tell(Event::MessageGone { conversation: message.conversation, message: id });
        Reply::Done
    }

    fn undelete(&mut self, id: MessageId) -> Reply {
        let Some(Deleted { mut message, .. }) = self.disk.get(&key::deleted(id)) else {
            return refused(ProblemKind::NotFound);
        };
        self.disk.remove(&key::deleted(id));
        if message.state == Some(State::Waiting) {
            self.queue_again(&message);
        }
        if message.state.is_none() {
            message.received_at = message.received_at.min(self.now);
        }
        self.set_message(&message, true);
        self.last_line_changed(message.conversation);
        Reply::Done
    }

    /// Drops deleted messages that can no longer be brought back.
    pub(crate) fn forget_deleted(&mut self) {
        for (row, value) in self.disk.prefixed(key::DELETED, usize::MAX) {
            let deleted = self.disk.decode::<Deleted>(&value);
            if deleted.is_none_or(|one| self.now.saturating_sub(one.at) > UNDO) {
                self.disk.remove(&row);
            }
        }
    }

    fn last_line_changed(&mut self, id: ConversationId) {
        if let Some(mut conversation) = self.conversation(id) {
            conversation.last = self.newest_message(id);
            self.set_conversation(&conversation);
        }
    }

    fn mark_read(&mut self, id: ConversationId, up_to: MessageId) -> Reply {
        let Some(mut conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        if self.read(&mut conversation, up_to) {
            self.own_devices_should_know(About::Read(conversation.reference));
        }
        Reply::Done
    }

    /// A chat is read up to a message, here or on another device of ours. Says whether that is new.
    pub(crate) fn read(&mut self, conversation: &mut Conversation, up_to: MessageId) -> bool {
        let (id, before) = (conversation.id, conversation.first_unread);
        let (unread, first) = self.unread_after(id, up_to, before);
        let new = conversation.unread != unread || before != first;
        if new {
            conversation.unread = unread;
            conversation.first_unread = first;
            self.set_conversation(conversation);
        }
        new
    }

    // ---- requests ------------------------------------------------------------------------------

    pub(crate) fn accept(&mut self, conversation: &mut Conversation) -> Reply {
        if conversation.status == Status::Request {
            self.own_devices_should_know(About::Chat(conversation.reference));
            conversation.status = Status::Open;
            conversation.returning = None;
            let other = conversation.other;
            let mut contact = self.contact(&other);
            contact.accepted = true;
            self.set_contact(&other, &contact);
            for room in conversation.rooms.clone() {
                self.intend(&room, &Intent::Update);
                self.receipts_for_what_came(conversation.id, &room);
            }
        }
        Reply::Conversation(self.conversation_row(conversation))
    }

    fn receipts_for_what_came(&mut self, id: ConversationId, room: &RoomId) {
        let me = self.me();
        let page = self.all_messages(id, 100);
        let theirs = page
            .into_iter()
            .filter(|message| message.from.is_some() && message.from != me)
            .filter_map(|message| message.reference);
        self.live.receipts.entry(*room).or_default().extend(theirs);
    }

    fn decline(&mut self, id: ConversationId) -> Reply {
        let Some(conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        if conversation.status != Status::Request {
            return refused(ProblemKind::NotAllowed);
        }
        self.forget_request(conversation);
        Reply::Done
    }

    /// A request goes, and all that it held. If it came to somebody who had left the group, their own history stays.
    pub(crate) fn forget_request(&mut self, mut conversation: Conversation) {
        for room in &conversation.rooms {
            self.disown_shared_token(room);
        }
        let Some(last) = conversation.returning.take() else {
            return self.forget_conversation(&conversation);
        };
        for room in &conversation.rooms {
            self.close_room(room);
        }
        let since = MessageId(last.0.saturating_add(1));
        for message in self.messages_from(conversation.id, since, usize::MAX) {
            self.forget_message(&message);
        }
        conversation.status = Status::Left;
        (conversation.unread, conversation.first_unread) = (0, None);
        conversation.last = self.newest_message(conversation.id);
        self.set_conversation(&conversation);
    }

    fn forget_message(&mut self, message: &Message) {
        self.disk.remove(&key::message(message.conversation, message.id));
        self.disk.remove(&key::conversation_of(message.id));
        if let Some(reference) = &message.reference {
            self.disk.remove(&key::message_by_reference(message.conversation, reference));
        }
    }

    fn forget_conversation(&mut self, conversation: &Conversation) {
        for room in &conversation.rooms {
            self.close_room(room);
        }
        for message in self.all_messages(conversation.id, usize::MAX) {
            self.forget_message(&message);
        }
        for (row, _) in self.disk.prefixed(&key::outgoing(conversation.id), usize::MAX) {
            self.disk.remove(&row);
        }
        self.disk.remove(&key::conversation(conversation.id));
        self.disk.remove(&key::reference(&conversation.reference));
        if conversation.kind == Kind::Direct {
            self.disk.remove(&key::direct(&conversation.other));
        }
        self.live.changed.remove(&conversation.id);
        self.tell(Event::ConversationGone { conversation: conversation.id });
    }

    pub(crate) fn block(&mut self, conversation: &mut Conversation) -> Reply {
        let other = conversation.other;
        let mut contact = self.contact(&other);
        contact.blocked = true;
        self.set_contact(&other, &contact);
        if conversation.status != Status::Blocked {
            conversation.blocked_from = Some(conversation.status);
            conversation.status = Status::Blocked;
        }
        for room in &conversation.rooms {
            self.deafen(room);
        }
        self.fail_outgoing(conversation.id, &problem(ProblemKind::Blocked));
        conversation.unread = 0;
        conversation.first_unread = None;
        self.tell(Event::ConversationGone { conversation: conversation.id });
        Reply::Conversation(self.conversation_row(conversation))
    }

    pub(crate) fn unblock(&mut self, conversation: &mut Conversation) -> Reply {
        let other = conversation.other;
        let mut contact = self.contact(&other);
        contact.blocked = false;
        self.set_contact(&other, &contact);
        if conversation.status == Status::Blocked {
            // Where it stood: nobody is accepted by being unblocked.
            let direct = conversation.kind == Kind::Direct;
            let unknown = if direct { Status::Open } else { Status::Left };
            conversation.status = conversation.blocked_from.take().unwrap_or(unknown);
            self.set_conversation(conversation);
            for room in &conversation.rooms {
                self.hear_again(room);
            }
        }
        Reply::Conversation(self.conversation_row(conversation))
    }

    // ---- groups --------------------------------------------------------------------------------

    fn group_create(&mut self, title: &str, members: &[String]) -> Answer {
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
    fn manage(
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

    fn group_add(&mut self, id: ConversationId, text: &str) -> Answer {
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

    fn group_remove(&mut self, id: ConversationId, text: &str) -> Answer {
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

    fn leave(&mut self, conversation: &mut Conversation) -> Reply {
        if conversation.kind != Kind::Group || conversation.status != Status::Open {
            return refused(ProblemKind::NotAllowed);
        }
        if let Some(who) = self.me() {
            self.line(conversation.id, Line::Left { who });
        }
        conversation.last = self.newest_message(conversation.id);
        conversation.sorted_at = self.now;
        conversation.status = Status::Left;
        conversation.unread = 0;
        conversation.first_unread = None;
        for room in conversation.rooms.clone() {
            // What this device still meant to do there would be carried out by nobody, and the leave would wait for it.
            for intent in self.disk.keys(&key::intents(&room), usize::MAX) {
                self.disk.remove(&intent);
            }
            let outgoing = Outgoing {
                message: None,
                content: Vec::new(),
                sent_at: self.now,
                first_try: self.now,
                room: Some(room),
                sealed: None,
                leave: true,
            };
            let number = self.number();
            self.disk.put(key::outgoing_one(conversation.id, number), &outgoing);
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
        let unknown =
            Person { account: account.clone(), handle: String::new(), name: "Bob".into() };
        assert!(goes_by(&unknown, &account));
        assert!(!goes_by(&unknown, "bob") && !goes_by(&unknown, ""));
        let known = Person { handle: "bob".into(), ..unknown };
        assert!(goes_by(&known, "bob"));
        assert!(!goes_by(&known, &account));
    }
}
