// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rows as interfaces see them.

use nodoor_view::{
    command::{Place, Reply},
    event::Event,
    group::{self, Role},
    model::{
        ConversationId, ConversationRow, From, GroupMember, Kind, LastLine, MessageDetail,
        MessageId, MessagePage, MessageRow, Milliseconds, Person, Problem, ProblemKind, Profile,
        RequestRow, Sheet, SystemLine, Writable,
    },
};
use nodoor_wire::id::{AccountId, RoomId};

use crate::{
    charter::{role_of, seen},
    io::Wire,
    names::skeleton,
    overlay::after_prefix,
    rows::{Conversation, Imported, Line, Message, NotSent, Room, Status, Stored, WhyNotSent, key},
    step::{Step, refused},
};

/// Characters of a request that are shown.
const REQUEST_TEXT: usize = 500;

impl Step<'_> {
    /// Our own profile, once the account exists.
    pub(crate) fn profile(&self) -> Option<Profile> {
        let account = self.account().filter(|account| account.registering.is_none())?;
        Some(Profile {
            account: account.account.to_hex(),
            device: account.device.to_hex(),
            invite_link: format!("{}/#@{}", self.live.server.trim_end_matches('/'), account.handle),
            handle: account.handle,
            name: account.name,
            bot: account.bot,
            server: self.live.server.clone(),
        })
    }

    /// Chats: pinned ones, then newest first.
    pub(crate) fn chat_list(&mut self) -> Vec<ConversationRow> {
        self.rows_where(|conversation| {
            !matches!(conversation.status, Status::Request | Status::Blocked)
        })
    }

    /// Blocked people.
    pub(crate) fn blocked_list(&mut self) -> Vec<ConversationRow> {
        self.rows_where(|conversation| conversation.status == Status::Blocked)
    }

    fn rows_where(&mut self, which: impl Fn(&Conversation) -> bool) -> Vec<ConversationRow> {
        let mut chosen: Vec<Conversation> =
            self.conversations().into_iter().filter(|row| which(row)).collect();
        chosen.retain(|row| row.saved || !self.is_own_conversation(row));
        chosen.sort_by_key(|row| {
            let pinned_at = row.place.pinned_at.map(|at| at.0);
            let at = pinned_at.unwrap_or(row.sorted_at);
            std::cmp::Reverse((!row.place.archived, pinned_at.is_some(), at, row.id))
        });
        chosen.iter().map(|row| self.conversation_row(row)).collect()
    }

    /// Requests, newest first.
    pub(crate) fn request_list(&mut self) -> Vec<RequestRow> {
        let all = self.conversations();
        let mut requests: Vec<&Conversation> = all.iter().filter(|row| is_request(row)).collect();
        // Who asks to be let into a group and says nothing more is answered there.
        requests.retain(|row| row.kind == Kind::Group || row.last.is_some());
        requests.sort_by_key(|row| std::cmp::Reverse(row.sorted_at));
        let titles: Vec<String> = all
            .iter()
            .filter(|row| row.kind == Kind::Group && row.status == Status::Open)
            .map(|row| skeleton(&row.title))
            .collect();
        requests
            .into_iter()
            .map(|row| {
                let text: Vec<String> = self
                    .all_messages(row.id, 100)
                    .into_iter()
                    .filter_map(|message| message.content.text())
                    .collect();
                RequestRow {
                    conversation: row.id,
                    reference: hex(&row.reference),
                    kind: row.kind,
                    from: self.person(&row.other),
                    title: row.title.clone(),
                    same_title_as_mine: row.kind == Kind::Group
                        && titles.contains(&skeleton(&row.title)),
                    members: self
                        .members(row.id)
                        .into_iter()
                        .filter(|member| !member.me)
                        .map(|member| member.person)
                        .collect(),
                    text: text.join("\n").chars().take(REQUEST_TEXT).collect(),
                    first_seen: Milliseconds(row.made_at),
                }
            })
            .collect()
    }

    /// One chat row.
    pub(crate) fn conversation_row(&mut self, row: &Conversation) -> ConversationRow {
        let room = self.room_in_use(row);
        let stuck = room.as_ref().is_some_and(|room| room.stuck.is_some());
        let disputed = row.kind == Kind::Direct && self.is_disputed(&row.other);
        let held = disputed || self.waits_for_a_check(row, room.as_ref());
        let (people, devices) = match &room {
            Some(room) if is_in(row) => self.count(&room.room),
            _ => (0, 0),
        };
        let last = row.last.and_then(|id| self.message(id)).map(|message| {
            let shown = self.message_row(&message);
            LastLine {
                from: shown.from,
                content: self.line_of(shown.content),
                state: shown.state,
                at: if message.from == self.me() {
                    Milliseconds(message.sent_at)
                } else {
                    Milliseconds(message.received_at)
                },
            }
        });
        ConversationRow {
            id: row.id,
            reference: hex(&row.reference),
            kind: row.kind,
            title: self.title(row),
            person: (row.kind == Kind::Direct).then(|| self.person(&row.other)),
            unread: row.unread,
            first_unread: row.first_unread,
            last,
            draft: row.draft.clone(),
            sorted_at: Milliseconds(row.sorted_at),
            writable: match row.status {
                Status::Open if stuck => Writable::Stuck,
                Status::Open if disputed => Writable::Disputed,
                Status::Open if room.as_ref().is_some_and(|room| self.only_reads(room)) => {
                    Writable::Announcements
                }
                Status::Open => Writable::Yes,
                Status::Request => Writable::Request,
                Status::Left => Writable::Left,
                Status::Removed => Writable::Removed,
                Status::Blocked => Writable::Blocked,
                Status::Imported => Writable::Imported,
            },
            held,
            request: row.status == Status::Request,
            mentioned: row.mention.is_some(),
            place: row.place,
            saved: row.saved,
            timer: row.timer.as_ref().map_or(0, |timer| timer.seconds),
            people,
            devices,
        }
    }

    /// Whether the server is there, and keys that the log has not shown are what a message would wait for: of whom we write
    /// to, or of somebody whom a commit brings in.
    fn waits_for_a_check(&mut self, row: &Conversation, room: Option<&Room>) -> bool {
        let connected = self.is_ready(Wire::Anonymous) && self.is_ready(Wire::Login);
        if !connected || self.ledger().is_none() || row.status != Status::Open {
            return false;
        }
        let commit = room.is_some_and(|room| self.has_waiting_commit(&room.room));
        commit || row.kind == Kind::Direct && !self.is_logged(&row.other)
    }

    /// Accounts and devices in a room.
    pub(crate) fn count(&mut self, room: &RoomId) -> (u32, u32) {
        let leaves = self.with_group(room, |_, group| group.leaves().to_vec()).unwrap_or_default();
        let mut accounts: Vec<AccountId> = leaves.iter().map(|leaf| leaf.name.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (number(accounts.len()), number(leaves.len()))
    }

    /// One message row.
    pub(crate) fn message_row(&self, message: &Message) -> MessageRow {
        MessageRow {
            id: message.id,
            conversation: message.conversation,
            reference: message.reference.map(|reference| reference.to_hex()).unwrap_or_default(),
            from: self.writer(message),
            content: self.content_shown(message),
            sent_at: Milliseconds(message.sent_at),
            received_at: Milliseconds(message.received_at),
            state: self.state_shown(message),
            marks: self.marks_shown(message),
        }
    }

    /// Who wrote a message.
    pub(crate) fn writer(&self, message: &Message) -> From {
        if let Stored::Imported(imported) = &message.content {
            let Imported { person, name, mine, .. } = imported;
            let (account, name) = (person.to_hex(), name.clone());
            let person = Person { account, handle: String::new(), name, bot: false };
            return if *mine { From::Me } else { From::Them(person) };
        }
        match message.from {
            None => From::System,
            Some(account) if self.is_me(&account) => From::Me,
            Some(account) => From::Them(self.person(&account)),
        }
    }

    /// The pinned messages of a chat, newest pin first.
    pub(crate) fn pinned_page(&self, id: ConversationId) -> Reply {
        let Some(conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        let pinned = conversation.pinned.iter().rev().filter_map(|id| self.message(*id));
        let rows = pinned.map(|message| self.message_row(&message)).collect();
        Reply::Messages(MessagePage { rows, more_before: false, more_after: false })
    }

    /// A line of the app, with the names of today.
    pub(crate) fn system_line(&self, id: ConversationId, line: &Line) -> SystemLine {
        let them = |account: &AccountId| self.person_or_me(account);
        match line {
            Line::GroupCreated { by } => SystemLine::GroupCreated { by: them(by) },
            Line::Added { by, who } => SystemLine::Added { by: them(by), who: them(who) },
            Line::Removed { by, who } => SystemLine::Removed { by: them(by), who: them(who) },
            Line::Left { who } => SystemLine::Left { who: them(who) },
            Line::Renamed { by, title } => {
                SystemLine::Renamed { by: them(by), title: title.clone() }
            }
            Line::Role { by, who, role } => {
                SystemLine::Role { by: them(by), who: them(who), role: seen(role_of(*role)) }
            }
            Line::Banned { by, who, on } => {
                SystemLine::Banned { by: them(by), who: self.person(who), on: *on }
            }
            Line::Announcements { by, on } => SystemLine::Announcements { by: them(by), on: *on },
            Line::Link { by, on } => SystemLine::Link { by: them(by), on: *on },
            Line::AskedToJoin => SystemLine::AskedToJoin,
            Line::Slow { by, seconds } => SystemLine::Slow { by: them(by), seconds: *seconds },
            Line::DeviceAdded { who } => SystemLine::DeviceAdded { who: self.person(who) },
            Line::DeviceAddedByWords { who } => {
                SystemLine::DeviceAddedByWords { who: self.person(who) }
            }
            Line::HandleMoved { handle } => SystemLine::HandleMoved { handle: handle.clone() },
            Line::Successor => match self.conversation(id).map(|conversation| conversation.kind) {
                Some(Kind::Direct) => SystemLine::SuccessorOfTwo,
                Some(Kind::Group) | None => SystemLine::Successor,
            },
            Line::MayBeMissing => SystemLine::MayBeMissing,
            Line::PutBack => SystemLine::PutBack,
            Line::AskedAgain { count, left: 0, .. } => SystemLine::Repaired { count: *count },
            Line::AskedAgain { from, left, .. } => {
                SystemLine::AskedAgain { who: them(from), count: *left }
            }
            Line::NotRead { from, count } => SystemLine::NotRead { who: them(from), count: *count },
            Line::Away { days } => SystemLine::Away { days: *days },
            Line::Timer { by, seconds } => SystemLine::Timer { by: them(by), seconds: *seconds },
            Line::Pinned { by } => SystemLine::Pinned { by: them(by) },
        }
    }

    /// What Info shows.
    pub(crate) fn message_detail(&self, id: MessageId) -> Option<MessageDetail> {
        let message = self.message(id)?;
        Some(MessageDetail {
            row: self.message_row(&message),
            delivered_to: message.delivered_to.iter().map(|account| self.person(account)).collect(),
            read_by: message.marks.read_by.iter().map(|account| self.person(account)).collect(),
            sent_at_server: message.accepted_at.map(Milliseconds),
        })
    }

    /// Messages around a place, oldest first.
    pub(crate) fn page(&self, id: ConversationId, at: Place, limit: u32) -> MessagePage {
        let limit = usize::try_from(limit.clamp(1, 200)).unwrap_or(200);
        let unread = self.conversation(id).and_then(|row| row.first_unread);
        match (at, unread) {
            (Place::Newest, _) | (Place::Unread, None) => self.page_before(id, None, limit),
            (Place::Before { message }, _) => self.page_before(id, Some(message), limit),
            (Place::After { message }, _) => {
                let start = MessageId(message.0.saturating_add(1));
                let rows = self.messages_from(id, start, limit + 1);
                self.shown(rows, true, limit)
            }
            (Place::Around { message }, _) => self.page_around(id, message, limit),
            (Place::At { time }, _) => match self.first_at(id, time.0) {
                Some(first) => self.page_around(id, first, limit),
                None => self.page_before(id, None, limit),
            },
            (Place::Unread, Some(first)) => {
                let mut rows = self.messages_before(id, Some(first), 2);
                rows.reverse();
                let begin = rows.first().map_or(first, |row| row.id);
                let more_before = !self.messages_before(id, Some(begin), 1).is_empty();
                rows.extend(self.messages_from(id, first, limit + 1));
                let mut page = self.shown(rows, more_before, limit + 2);
                page.more_before = more_before;
                page
            }
        }
    }

    fn page_before(&self, id: ConversationId, end: Option<MessageId>, limit: usize) -> MessagePage {
        let mut rows = self.messages_before(id, end, limit + 1);
        let more_before = rows.len() > limit;
        rows.truncate(limit);
        rows.reverse();
        MessagePage {
            rows: rows.iter().map(|row| self.message_row(row)).collect(),
            more_before,
            more_after: end.is_some(),
        }
    }

    fn shown(&self, mut rows: Vec<Message>, more_before: bool, limit: usize) -> MessagePage {
        let more_after = rows.len() > limit;
        rows.truncate(limit);
        MessagePage {
            rows: rows.iter().map(|row| self.message_row(row)).collect(),
            more_before,
            more_after,
        }
    }

    /// Newest first, before `end`.
    pub(crate) fn messages_before(
        &self,
        id: ConversationId,
        end: Option<MessageId>,
        limit: usize,
    ) -> Vec<Message> {
        let from = key::messages(id);
        let to = end.map_or_else(|| after_prefix(&from), |end| key::message(id, end));
        self.decoded(self.disk.rows(&from, &to, true, limit))
    }

    /// Oldest first, from `start`.
    pub(crate) fn messages_from(
        &self,
        id: ConversationId,
        start: MessageId,
        limit: usize,
    ) -> Vec<Message> {
        let to = after_prefix(&key::messages(id));
        self.decoded(self.disk.rows(&key::message(id, start), &to, false, limit))
    }

    fn decoded(&self, rows: crate::store::Rows) -> Vec<Message> {
        rows.iter().filter_map(|(_, value)| self.disk.decode(value)).collect()
    }

    /// The oldest messages of a chat.
    pub(crate) fn all_messages(&self, id: ConversationId, limit: usize) -> Vec<Message> {
        self.messages_from(id, MessageId(0), limit)
    }

    /// The newest message that is shown.
    pub(crate) fn newest_message(&self, id: ConversationId) -> Option<MessageId> {
        self.messages_before(id, None, 1).first().map(|message| message.id)
    }

    /// How many unread messages come after one, and which is first.
    pub(crate) fn unread_after(
        &self,
        id: ConversationId,
        up_to: MessageId,
        first: Option<MessageId>,
    ) -> (u32, Option<MessageId>) {
        let Some(first) = first else {
            return (0, None);
        };
        let start = MessageId(first.0.max(up_to.0.saturating_add(1)));
        let mut left = self
            .messages_from(id, start, 10_000)
            .into_iter()
            .filter(|message| message.from.is_some_and(|from| !self.is_me(&from)))
            .map(|message| message.id);
        let first = left.next();
        let count = u32::try_from(left.count()).unwrap_or(u32::MAX);
        (if first.is_some() { count.saturating_add(1) } else { 0 }, first)
    }

    /// Members, counted from the MLS tree and nothing else; none once we are out.
    pub(crate) fn members(&mut self, id: ConversationId) -> Vec<GroupMember> {
        let conversation = self.conversation(id).filter(is_in);
        let room = conversation.and_then(|row| self.room_in_use(&row));
        let Some(room) = room.map(|room| room.room) else {
            return Vec::new();
        };
        let Some(leaves) = self.with_group(&room, |_, group| group.leaves().to_vec()) else {
            return Vec::new();
        };
        let charter = self.charter(&room);
        let mut members: Vec<(AccountId, u32)> = Vec::new();
        for leaf in leaves {
            match members.iter_mut().find(|(account, _)| *account == leaf.name.account) {
                Some((_, devices)) => *devices += 1,
                None => members.push((leaf.name.account, 1)),
            }
        }
        members
            .into_iter()
            .map(|(account, devices)| GroupMember {
                person: self.person(&account),
                devices,
                me: self.is_me(&account),
                role: charter
                    .as_ref()
                    .map_or(Role::Member, |charter| seen(charter.roles.role(&account))),
            })
            .collect()
    }

    /// The sheet of a chat.
    pub(crate) fn sheet(&mut self, id: ConversationId) -> Option<Sheet> {
        let conversation = self.conversation(id)?;
        let row = self.conversation_row(&conversation);
        let room = self.room_in_use(&conversation).map(|room| room.room);
        let groups: Vec<Conversation> = self
            .conversations()
            .into_iter()
            .filter(|other| other.kind == Kind::Group && other.status == Status::Open)
            .collect();
        let mut groups_in_common = Vec::new();
        if conversation.kind == Kind::Direct {
            let account = conversation.other.to_hex();
            for group in groups {
                let member = |member: &GroupMember| member.person.account == account;
                if self.members(group.id).iter().any(member) {
                    groups_in_common.push(self.conversation_row(&group));
                }
            }
        }
        let inside = conversation.status == Status::Open;
        let charter = room.filter(|_| inside).and_then(|room| self.charter_of(&room));
        let may_manage = charter.as_ref().is_some_and(|charter| charter.role >= Role::Admin);
        Some(Sheet {
            row,
            members: self.members(id),
            check: self.check(&conversation),
            compared_at: match conversation.kind {
                Kind::Direct => self.compared_at(&conversation.other),
                Kind::Group => None,
            },
            groups_in_common,
            may_manage,
            charter,
        })
    }

    /// What a group says of its people.
    fn charter_of(&mut self, room: &RoomId) -> Option<group::Charter> {
        let (charter, me) = (self.charter(room)?, self.me()?);
        let own = self.with_group(room, |_, group| group.epoch())?;
        let same = self.live.same.get(room).filter(|(epoch, _)| *epoch == own);
        let same = same.map_or(0, |(_, leaves)| leaves.len());
        let devices = self.count(room).1;
        Some(group::Charter {
            role: seen(charter.roles.role(&me)),
            announcements: charter.conduct.announcements,
            slow: charter.conduct.slow,
            banned: charter.bans.iter().map(|account| self.person(account)).collect(),
            link: self.own_link(room, &charter),
            asking: self.asking(room).iter().map(|account| self.person(account)).collect(),
            same: u32::try_from(same).unwrap_or(u32::MAX),
            others: devices.saturating_sub(1),
        })
    }

    /// Tells interfaces what changed in this step: rows, counts.
    pub(crate) fn tell_changes(&mut self) {
        let changed = std::mem::take(&mut self.live.changed);
        if changed.is_empty() && self.live.told_counts.is_some() {
            return;
        }
        for id in changed {
            if let Some(conversation) = self.conversation(id)
                && (conversation.saved || !self.is_own_conversation(&conversation))
                && !matches!(conversation.status, Status::Request | Status::Blocked)
            {
                let row = self.conversation_row(&conversation);
                self.tell(Event::Conversation { row });
            }
        }
        let all = self.conversations();
        let count = |which: &dyn Fn(&Conversation) -> bool| {
            u32::try_from(all.iter().filter(|row| which(row)).count()).unwrap_or(u32::MAX)
        };
        let now = Milliseconds(self.now);
        let unread = count(&|row| {
            let calls = row.mention.is_some() || !row.place.is_muted(now);
            let new = row.unread > 0 && calls || row.place.marked;
            new && row.status == Status::Open && !row.place.archived
        });
        let requests = count(&is_request);
        let before = self.live.told_counts.replace((unread, requests));
        if before.is_none_or(|(old, _)| old != unread) {
            self.tell(Event::Unread { chats: unread });
        }
        if before.is_none_or(|(_, old)| old != requests) {
            self.tell(Event::Requests { count: requests });
        }
    }
}

/// Whether we are in a conversation: what its rooms last said of members is of the past once we left.
const fn is_in(row: &Conversation) -> bool {
    !matches!(row.status, Status::Left | Status::Removed | Status::Imported)
}

/// A request worth asking about: a direct room in which nothing was said (a device that calls for help over it)
/// is none.
fn is_request(row: &Conversation) -> bool {
    row.status == Status::Request && (row.kind == Kind::Group || row.last.is_some())
}

/// Why a message was not sent, for a person.
pub(crate) fn problem_of(reason: NotSent) -> Problem {
    let kind = match reason.why {
        WhyNotSent::Offline => ProblemKind::Offline,
        WhyNotSent::Server => ProblemKind::Server,
        WhyNotSent::Version => ProblemKind::Version,
        WhyNotSent::Size => ProblemKind::Size,
        WhyNotSent::AccountGone => ProblemKind::AccountGone,
        WhyNotSent::UnknownDevice => ProblemKind::UnknownDevice,
        WhyNotSent::NotAMember => ProblemKind::NotAMember,
        WhyNotSent::NotAllowed => ProblemKind::NotAllowed,
        WhyNotSent::Blocked => ProblemKind::Blocked,
        WhyNotSent::FilesFull => ProblemKind::FilesFull,
        WhyNotSent::Disk => ProblemKind::Disk,
        WhyNotSent::Internal => ProblemKind::Internal,
    };
    Problem { kind, code: reason.code, wait_seconds: 0 }
}

pub(crate) fn hex(reference: &[u8; 16]) -> String {
    AccountId(*reference).to_hex()
}
