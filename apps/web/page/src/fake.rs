// SPDX-License-Identifier: AGPL-3.0-or-later
//! A fake engine for development builds (feature `parts`): 500 chats and 10,000 messages, the same
//! every time, behind the same JSON as the real one. `?fake`, `?fake=empty` or `?fake=new` chooses it.
//!
//! Tests make things happen through [`fake`]: arrivals, refusals, a lost connection. Never in a
//! production build.

mod data;
mod leading;
mod list;
mod marks;
mod past;

use std::{cell::RefCell, collections::BTreeMap};

use nodoor_view::{
    command::{Ask, Command, HandleState, Place, Reply, Told},
    device,
    event::{Connection, Event},
    group::{Charter, Role},
    model::{
        Content, ConversationId, ConversationRow, FoundPerson, Freshness, From, GroupMember, Kind,
        LastLine, LedgerState, MessageDetail, MessageId, MessagePage, MessageRow, Milliseconds,
        Person, Problem, ProblemKind, Profile, RequestRow, SendState, Settings, Sheet, SystemLine,
        Writable,
    },
};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{bridge, dom};

pub(crate) struct Fake {
    profile: Option<Profile>,
    chats: BTreeMap<ConversationId, ConversationRow>,
    messages: BTreeMap<ConversationId, Vec<MessageRow>>,
    deleted: Vec<MessageRow>,
    requests: Vec<RequestRow>,
    settings: Settings,
    next: u64,
    online: bool,
    // Replies are kept back while a test wants to look at what waits.
    held: Option<Vec<String>>,
    moving: Option<device::Reply>,
    refuse: Option<ProblemKind>,
    folders: Vec<nodoor_view::list::Folder>,
    // The recovery words wait to be saved.
    words: bool,
    compared: Option<ConversationId>,
    fail: Option<ProblemKind>,
    slow: i32,
    called: Option<String>,
    looking: Option<ConversationId>,
    asked: Vec<Value>,
    charters: BTreeMap<ConversationId, Charter>,
    roles: BTreeMap<(ConversationId, String), Role>,
}

thread_local! {
    static FAKE: RefCell<Option<Fake>> = const { RefCell::new(None) };
}

/// Whether this page runs on the fake.
pub(crate) fn chosen() -> bool {
    dom::window().location().search().is_ok_and(|search| search.contains("fake"))
        || dom::window().location().hash().is_ok_and(|hash| hash.starts_with("#/parts"))
}

/// Makes the data and says it is ready.
pub(crate) fn start() {
    let search = dom::window().location().search().unwrap_or_default();
    let status = ["taken", "unsupported", "gone", "stopped"]
        .into_iter()
        .find(|status| search.contains(&format!("status={status}")));
    let first = FAKE.with_borrow_mut(|fake| {
        let first = fake.is_none();
        if first {
            *fake = Some(data::make(&search));
        }
        first
    });
    dom::after(0, move || match status.filter(|_| first) {
        Some(status) => tell(json!({ "engine": status, "missing": "OPFS" })),
        None if search.contains("loading") => (),
        None => {
            tell(json!({ "engine": "ready" }));
            tell_event(Event::Connection { state: Connection::Online });
            with(Fake::tell_unread);
        }
    });
}

fn with<R>(run: impl FnOnce(&mut Fake) -> R) -> Option<R> {
    FAKE.with_borrow_mut(|fake| fake.as_mut().map(run))
}

fn tell(value: Value) {
    leptos::task::spawn_local(async move { bridge::receive(&value.to_string()) });
}

fn tell_event(event: Event) {
    if let Ok(value) = serde_json::to_value(event) {
        tell(value);
    }
}

/// One message of the page.
pub(crate) fn receive(text: String) {
    let Ok(Ask { ask, command }) = serde_json::from_str(&text) else { return };
    let slow = with(|fake| {
        if let Ok(command) = serde_json::to_value(&command) {
            fake.asked.push(command);
        }
        fake.slow
    });
    let answer = move || {
        let Some(reply) = with(|fake| fake.answer(command)) else { return };
        let Ok(told) = serde_json::to_string(&Told { ask, reply }) else { return };
        let kept = with(|fake| match &mut fake.held {
            Some(held) => {
                held.push(told.clone());
                true
            }
            None => false,
        });
        if kept != Some(true) {
            leptos::task::spawn_local(async move { bridge::receive(&told) });
        }
    };
    match slow {
        Some(slow) if slow > 0 => {
            dom::after(slow, answer);
        }
        _ => answer(),
    }
}

/// What a test makes happen; a JSON object, and a JSON answer.
#[wasm_bindgen]
#[must_use]
#[expect(unreachable_pub, reason = "the tests reach it through the module's exports")]
pub fn fake(order: &str) -> String {
    let order: Value = serde_json::from_str(order).unwrap_or(Value::Null);
    let number = |key: &str| order.get(key).and_then(Value::as_u64);
    let text = |key: &str| order.get(key).and_then(Value::as_str).map(str::to_owned);
    let chat = ConversationId(number("chat").unwrap_or(1));
    let kind = || order.get("kind").and_then(|kind| serde_json::from_value(kind.clone()).ok());
    match order.get("do").and_then(Value::as_str).unwrap_or_default() {
        "arrive" => {
            let count = number("count").unwrap_or(1);
            for n in 0..count {
                let text = text("text").unwrap_or_else(|| format!("Arrival {}", n + 1));
                let ago = number("ago").unwrap_or(0);
                with(|fake| fake.arrive(chat, text, ago));
            }
        }
        "marked" => drop(with(|fake| fake.arrive_marked(chat))),
        "once" => {
            with(|fake| {
                let person = fake.chats.get(&chat).and_then(|row| row.person.clone());
                let from = person.map_or(From::Me, From::Them);
                let row = fake.insert(chat, from, Content::Once { opened: false }, 0, None);
                tell_event(Event::Message { row, new: true });
            });
        }
        "read" => {
            let message = MessageId(number("message").unwrap_or(0));
            with(|fake| fake.change(message, |row| row.state = Some(SendState::Read)));
        }
        "connection" => {
            let state = order.get("state").and_then(|s| serde_json::from_value(s.clone()).ok());
            let state = state.unwrap_or(Connection::Offline);
            with(|fake| fake.connect(state));
        }
        "hold" => drop(with(|fake| fake.held = Some(Vec::new()))),
        "release" => {
            let held = with(|fake| fake.held.take()).flatten().unwrap_or_default();
            for told in held {
                bridge::receive(&told);
            }
        }
        "refuse" => drop(with(|fake| fake.refuse = kind())),
        "fail" => drop(with(|fake| fake.fail = kind())),
        "slow" => {
            let slow = i32::try_from(number("ms").unwrap_or(0)).unwrap_or(0);
            with(|fake| fake.slow = slow);
        }
        "status" => tell(json!({ "engine": text("status"), "missing": text("missing") })),
        "event" => {
            if let Some(event) = order.get("event") {
                tell(event.clone());
            }
        }
        "asked" => {
            return with(|fake| Value::Array(fake.asked.clone()).to_string()).unwrap_or_default();
        }
        "chat" => {
            return with(|fake| serde_json::to_string(&fake.chats.get(&chat)).ok())
                .flatten()
                .unwrap_or_default();
        }
        _ => (),
    }
    String::from("null")
}

impl Fake {
    fn answer(&mut self, command: Command) -> Reply {
        match command {
            Command::WhoAmI => self.profile.clone().map_or(Reply::Nothing, Reply::Profile),
            Command::CheckHandle { handle } => Reply::HandleState(check(&handle)),
            Command::Register { handle, .. } => {
                if let Some(kind) = self.refuse.take() {
                    let wait_seconds = if kind == ProblemKind::SlowDown { 40 } else { 0 };
                    return Reply::Problem(Problem { kind, code: 0, wait_seconds });
                }
                let profile = data::profile(handle.trim_start_matches('@'));
                self.profile = Some(profile.clone());
                Reply::Profile(profile)
            }
            Command::Conversations => Reply::Conversations(
                self.listed(|row| !row.request && row.writable != Writable::Blocked),
            ),
            Command::Blocked => {
                Reply::Conversations(self.listed(|row| row.writable == Writable::Blocked))
            }
            Command::Requests => Reply::Requests(self.requests.clone()),
            Command::Find { handle } => match self.person(&handle) {
                Some((person, conversation)) => Reply::Person(FoundPerson {
                    me: self.profile.as_ref().is_some_and(|me| me.handle == person.handle),
                    person,
                    devices: 2,
                    conversation,
                }),
                None => problem(ProblemKind::NotFound),
            },
            Command::OpenDirect { handle } => match self.person(&handle) {
                Some((_, Some(id))) => self.row(id),
                Some((person, None)) => {
                    let id = ConversationId(self.chats.len() as u64 + 1);
                    let row = data::direct(id, person, dom::now());
                    self.chats.insert(id, row);
                    self.messages.insert(id, Vec::new());
                    self.row(id)
                }
                None => problem(ProblemKind::NotFound),
            },
            Command::Messages { conversation, at, limit } => {
                self.page(conversation, at, limit as usize)
            }
            Command::MessageInfo { message } => {
                let row = self.messages.values().flatten().find(|row| row.id == message);
                row.map_or_else(
                    || problem(ProblemKind::NotFound),
                    |row| {
                        Reply::Message(MessageDetail {
                            row: row.clone(),
                            delivered_to: Vec::new(),
                            read_by: Vec::new(),
                            sent_at_server: Some(row.sent_at),
                        })
                    },
                )
            }
            Command::SendText { conversation, text } => self.send(conversation, text),
            Command::Retry { message } => {
                self.change(message, |row| row.state = Some(SendState::Waiting));
                self.progress(message);
                Reply::Done
            }
            Command::DeleteForMe { message } => {
                let Some(conversation) = self.conversation_of(message) else { return Reply::Done };
                let rows = self.messages.entry(conversation).or_default();
                if let Some(at) = rows.iter().position(|row| row.id == message) {
                    self.deleted.push(rows.remove(at));
                }
                tell_event(Event::MessageGone { conversation, message });
                self.tell_row(conversation);
                Reply::Done
            }
            Command::Undelete { message } => {
                if let Some(at) = self.deleted.iter().position(|row| row.id == message) {
                    let row = self.deleted.remove(at);
                    let rows = self.messages.entry(row.conversation).or_default();
                    let place = rows.partition_point(|kept| kept.id < row.id);
                    rows.insert(place, row.clone());
                    self.tell_row(row.conversation);
                    tell_event(Event::Message { row, new: true });
                }
                Reply::Done
            }
            Command::MarkRead { conversation, up_to } => {
                self.mark_read(conversation, up_to);
                Reply::Done
            }
            Command::SetDraft { conversation, text } => {
                if let Some(row) = self.chats.get_mut(&conversation) {
                    row.draft = text;
                }
                tell_row_of(self.chats.get(&conversation));
                Reply::Done
            }
            Command::Accept { conversation } => {
                if let Some(at) =
                    self.requests.iter().position(|row| row.conversation == conversation)
                {
                    let request = self.requests.remove(at);
                    self.accepted(request);
                }
                self.tell_requests();
                self.row(conversation)
            }
            Command::Decline { conversation } => {
                self.requests.retain(|row| row.conversation != conversation);
                self.tell_requests();
                Reply::Done
            }
            Command::Block { conversation } => {
                if let Some(at) =
                    self.requests.iter().position(|row| row.conversation == conversation)
                {
                    let request = self.requests.remove(at);
                    self.accepted(request);
                    self.tell_requests();
                }
                self.set_writable(conversation, Writable::Blocked)
            }
            Command::Unblock { conversation } => self.set_writable(conversation, Writable::Yes),
            Command::GroupCreate { title, members } => {
                if let Some(kind) = self.refuse.take() {
                    return problem(kind);
                }
                let id = ConversationId(self.chats.len() as u64 + 1);
                let count = members.len() as u32 + 1;
                self.chats.insert(id, data::group(id, &title, count, dom::now()));
                self.messages.insert(id, Vec::new());
                self.line(id, SystemLine::GroupCreated { by: None });
                self.row(id)
            }
            Command::GroupAdd { conversation, handle } => match self.person(&handle) {
                Some((person, _)) => {
                    self.line(conversation, SystemLine::Added { by: None, who: Some(person) });
                    Reply::Done
                }
                None => problem(ProblemKind::NotFound),
            },
            Command::GroupRemove { conversation, handle } => {
                if let Some((person, _)) = self.person(&handle) {
                    self.line(conversation, SystemLine::Removed { by: None, who: Some(person) });
                }
                Reply::Done
            }
            Command::Group { of } => self.lead(&of),
            Command::GroupRename { conversation, title } => {
                if let Some(row) = self.chats.get_mut(&conversation) {
                    row.title.clone_from(&title);
                }
                self.line(conversation, SystemLine::Renamed { by: None, title });
                Reply::Done
            }
            Command::GroupLeave { conversation } => {
                self.line(conversation, SystemLine::Left { who: None });
                self.set_writable(conversation, Writable::Left)
            }
            Command::GroupMembers { conversation } => Reply::Members(self.members(conversation)),
            Command::Sheet { conversation } => match self.chats.get(&conversation) {
                Some(row) => Reply::Sheet(Sheet {
                    row: row.clone(),
                    members: self.members(conversation),
                    check: data::check(conversation),
                    compared_at: (self.compared == Some(conversation))
                        .then(|| Milliseconds(dom::now())),
                    groups_in_common: self
                        .chats
                        .get(&ConversationId(3))
                        .cloned()
                        .into_iter()
                        .collect(),
                    may_manage: row.kind == Kind::Group,
                    charter: (row.kind == Kind::Group).then(|| self.charter(row)),
                }),
                None => problem(ProblemKind::NotFound),
            },
            Command::Devices => Reply::Devices(data::devices()),
            Command::Verify { conversation } => Reply::Check(data::check(conversation)),
            Command::Compare { .. } => Reply::Digits("0417293856".repeat(6)),
            Command::Compared { conversation } => {
                self.compared = Some(conversation);
                Reply::Done
            }
            Command::Ledger | Command::AnswerProof => Reply::Ledger(LedgerState {
                freshness: Freshness::Fresh,
                log_time: None,
                size: 0,
                unwitnessed: true,
                awaited: 0,
                proof: None,
                witnesses: Vec::new(),
                change: None,
            }),
            Command::Evidence => Reply::Evidence(data::evidence()),
            Command::Device { of } => self.of_devices(of),
            Command::Message { of } => self.of_messages(of),
            Command::List { of } => self.of_list(of),
            Command::Past { of } => self.of_past(of),
            Command::Push { of } => self.of_push(of),
            Command::Words => {
                self.words = true;
                Reply::Words(data::WORDS.to_owned())
            }
            Command::SetName { name } => match &mut self.profile {
                Some(profile) => {
                    profile.name = name;
                    Reply::Profile(profile.clone())
                }
                None => problem(ProblemKind::NoAccount),
            },
            Command::Settings => Reply::Settings(self.settings.clone()),
            Command::SetSettings { settings } => {
                self.settings = settings;
                Reply::Settings(self.settings.clone())
            }
            Command::Looking { at } => {
                self.looking = at;
                Reply::Done
            }
            // Erase, and what waits for a server.
            _ => Reply::Done,
        }
    }

    fn listed(&self, keep: impl Fn(&ConversationRow) -> bool) -> Vec<ConversationRow> {
        let mut rows: Vec<_> = self.chats.values().filter(|row| keep(row)).cloned().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(nodoor_view::list::order(row)));
        rows
    }

    fn row(&self, id: ConversationId) -> Reply {
        self.chats
            .get(&id)
            .cloned()
            .map_or_else(|| problem(ProblemKind::NotFound), Reply::Conversation)
    }

    fn person(&self, handle: &str) -> Option<(Person, Option<ConversationId>)> {
        let handle = handle.trim().trim_start_matches('@').to_lowercase();
        if let Some(me) = self.profile.as_ref().filter(|me| me.handle == handle) {
            let person =
                Person { account: me.account.clone(), handle, name: me.name.clone(), bot: false };
            return Some((person, None));
        }
        let known = self.chats.values().find_map(|row| {
            let person = row.person.as_ref().filter(|person| person.handle == handle)?;
            Some((person.clone(), Some(row.id)))
        });
        // Anybody whose handle begins with `new` exists and is not known yet.
        known.or_else(|| handle.starts_with("new").then(|| (data::person(&handle, ""), None)))
    }

    fn members(&self, conversation: ConversationId) -> Vec<GroupMember> {
        let me = self.profile.as_ref().map(|me| Person {
            account: me.account.clone(),
            handle: me.handle.clone(),
            name: me.name.clone(),
            bot: me.bot,
        });
        let mut members: Vec<GroupMember> = me
            .into_iter()
            .map(|person| GroupMember { person, devices: 1, me: true, role: Role::Owner })
            .collect();
        let others: Vec<Person> = match self.chats.get(&conversation) {
            Some(ConversationRow { person: Some(person), .. }) => vec![person.clone()],
            Some(row) => {
                data::people().into_iter().take(row.people.saturating_sub(1) as usize).collect()
            }
            None => Vec::new(),
        };
        let role = |person: &Person| {
            let key = (conversation, person.account.clone());
            self.roles.get(&key).copied().unwrap_or_default()
        };
        members.extend(others.into_iter().map(|person| GroupMember {
            role: role(&person),
            person,
            devices: 2,
            me: false,
        }));
        members
    }

    fn page(&self, conversation: ConversationId, at: Place, limit: usize) -> Reply {
        let none = Vec::new();
        let all = self.messages.get(&conversation).unwrap_or(&none);
        let unread = self.chats.get(&conversation).and_then(|row| row.first_unread);
        let first_unread = unread.and_then(|id| all.iter().position(|row| row.id == id));
        let (from, to) = match (at, first_unread) {
            (Place::Unread, Some(first)) => {
                let from = first.saturating_sub(2.max(limit / 4));
                (from, all.len().min(from + limit))
            }
            (Place::Newest | Place::Unread, _) => (all.len().saturating_sub(limit), all.len()),
            (Place::Before { message }, _) => {
                let end = all.partition_point(|row| row.id < message);
                (end.saturating_sub(limit), end)
            }
            (Place::Around { message }, _) => {
                let at = all.partition_point(|row| row.id < message);
                let from = at.saturating_sub(limit / 2);
                (from, all.len().min(from + limit))
            }
            (Place::At { time }, _) => {
                let at = all.partition_point(|row| row.received_at < time);
                let from = at.saturating_sub(limit / 2);
                (from, all.len().min(from + limit))
            }
            (Place::After { message }, _) => {
                let start = all.partition_point(|row| row.id <= message);
                (start, all.len().min(start + limit))
            }
        };
        Reply::Messages(MessagePage {
            rows: all.get(from..to).unwrap_or_default().to_vec(),
            more_before: from > 0,
            more_after: to < all.len(),
        })
    }

    fn send(&mut self, conversation: ConversationId, text: String) -> Reply {
        if let Some(kind) = self.refuse {
            return problem(kind);
        }
        let content = self.said(text);
        let row = self.insert(conversation, From::Me, content, 0, Some(SendState::Waiting));
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.draft.clear();
            chat.people = chat.people.max(2);
            chat.devices = chat.devices.max(3);
        }
        self.tell_row(conversation);
        self.progress(row.id);
        Reply::Sent(row)
    }

    fn progress(&mut self, message: MessageId) {
        if let Some(kind) = self.fail.take() {
            let reason = Problem { kind, code: 412, wait_seconds: 0 };
            let state = SendState::NotSent { reason };
            dom::after(60, move || {
                with(|fake| fake.change(message, |row| row.state = Some(state)));
            });
        } else if self.online {
            for (ms, state) in [(80, SendState::Sent), (400, SendState::Delivered)] {
                dom::after(ms, move || {
                    with(|fake| fake.change(message, |row| row.state = Some(state)));
                });
            }
        }
    }

    fn change(&mut self, message: MessageId, change: impl FnOnce(&mut MessageRow)) {
        let found = self.messages.values_mut().flatten().find(|row| row.id == message);
        let Some(row) = found else { return };
        change(row);
        let row = row.clone();
        let conversation = row.conversation;
        tell_event(Event::Message { row, new: false });
        self.tell_row(conversation);
    }

    fn insert(
        &mut self,
        conversation: ConversationId,
        from: From,
        content: Content,
        ago: u64,
        state: Option<SendState>,
    ) -> MessageRow {
        self.next += 1;
        let at = Milliseconds(dom::now() - ago);
        let row = MessageRow {
            id: MessageId(self.next),
            conversation,
            reference: format!("{:032x}", self.next),
            from,
            content,
            sent_at: at,
            received_at: at,
            marks: nodoor_view::message::Marks::default(),
            state,
        };
        self.messages.entry(conversation).or_default().push(row.clone());
        row
    }

    fn line(&mut self, conversation: ConversationId, line: SystemLine) {
        let row = self.insert(conversation, From::System, Content::System(line), 0, None);
        tell_event(Event::Message { row, new: true });
        self.tell_row(conversation);
    }

    fn arrive(&mut self, conversation: ConversationId, text: String, ago: u64) {
        let person = self.chats.get(&conversation).and_then(|row| row.person.clone());
        let person = person.or_else(|| data::people().into_iter().next());
        let Some(person) = person else { return };
        let title = self.chats.get(&conversation).map(|row| row.title.clone()).unwrap_or_default();
        let from = From::Them(person);
        let row = self.insert(conversation, from, Content::Text(text.clone()), ago, None);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.unread += 1;
            chat.first_unread.get_or_insert(row.id);
        }
        tell_event(Event::Message { row, new: true });
        self.tell_row(conversation);
        self.tell_unread();
        if self.looking != Some(conversation) {
            tell_event(Event::Notify { conversation, title, text });
        }
    }

    fn mark_read(&mut self, conversation: ConversationId, up_to: MessageId) {
        let none = Vec::new();
        let rows = self.messages.get(&conversation).unwrap_or(&none);
        let Some(chat) = self.chats.get_mut(&conversation) else { return };
        let first = chat.first_unread.unwrap_or(MessageId(u64::MAX));
        let left = rows
            .iter()
            .filter(|row| row.id > up_to && row.id >= first && matches!(row.from, From::Them(_)));
        let left: Vec<MessageId> = left.map(|row| row.id).collect();
        chat.unread = u32::try_from(left.len()).unwrap_or(u32::MAX);
        chat.first_unread = left.first().copied();
        tell_row_of(self.chats.get(&conversation));
        self.tell_unread();
    }

    fn connect(&mut self, state: Connection) {
        self.online = state == Connection::Online;
        tell_event(Event::Connection { state });
        if self.online {
            let waiting: Vec<MessageId> = self
                .messages
                .values()
                .flatten()
                .filter(|row| row.state == Some(SendState::Waiting))
                .map(|row| row.id)
                .collect();
            for message in waiting {
                self.progress(message);
            }
        }
    }

    fn accepted(&mut self, request: RequestRow) {
        let id = request.conversation;
        let mut row = match request.kind {
            Kind::Direct => data::direct(id, request.from.clone(), dom::now()),
            Kind::Group => {
                data::group(id, &request.title, request.members.len() as u32 + 1, dom::now())
            }
        };
        row.people = row.people.max(2);
        row.devices = row.devices.max(3);
        self.chats.insert(id, row);
        self.messages.insert(id, Vec::new());
        if !request.text.is_empty() {
            self.insert(id, From::Them(request.from), Content::Text(request.text), 0, None);
        }
        self.tell_row(id);
    }

    fn of_devices(&mut self, of: device::Command) -> Reply {
        match of {
            device::Command::LinkStart => Reply::Device(device::Reply::Link {
                letters: "ABCD-EFGH-IJKL-MNOP-QRST-UVWX".to_owned(),
                until: Milliseconds(dom::now() + 5 * data::MINUTE),
            }),
            device::Command::LinkApprove { .. } => Reply::Device(device::Reply::Code {
                code: "041 726".to_owned(),
                name: "Chromium on Linux".to_owned(),
            }),
            device::Command::Standing => {
                Reply::Device(device::Reply::Standing(device::Standing::Good))
            }
            device::Command::Moving => self.moving.clone().map_or(Reply::Nothing, Reply::Device),
            device::Command::MoveHandle { handle } if handle == "old.mira" => {
                let from = Some(Milliseconds(dom::now() + 7 * 24 * 60 * data::MINUTE));
                self.moving = Some(device::Reply::Moving { handle: handle.clone(), from });
                Reply::Device(device::Reply::Handle { handle, from })
            }
            device::Command::MoveHandle { .. } => problem(ProblemKind::NotFound),
            device::Command::WordsAsk if !self.words => Reply::Nothing,
            device::Command::WordsAsk => {
                Reply::Device(device::Reply::Places { places: vec![4, 11, 23] })
            }
            device::Command::WordsConfirm { words } => {
                let all: Vec<&str> = data::WORDS.split_whitespace().collect();
                let right = [4, 11, 23].map(|place: usize| all.get(place - 1).copied());
                let typed: Vec<Option<&str>> = words.iter().map(|w| Some(w.as_str())).collect();
                self.words = typed != right;
                if typed == right { Reply::Done } else { problem(ProblemKind::WrongWords) }
            }
            device::Command::History { words, .. } | device::Command::NewWords { words }
                if words.split_whitespace().count() == 24 =>
            {
                Reply::Done
            }
            device::Command::Recover { .. }
            | device::Command::History { .. }
            | device::Command::NewWords { .. } => problem(ProblemKind::WrongWords),
            _ => Reply::Done,
        }
    }

    fn set_writable(&mut self, conversation: ConversationId, writable: Writable) -> Reply {
        if let Some(row) = self.chats.get_mut(&conversation) {
            row.writable = writable;
        }
        tell_row_of(self.chats.get(&conversation));
        Reply::Done
    }

    fn conversation_of(&self, message: MessageId) -> Option<ConversationId> {
        self.messages.values().flatten().find(|row| row.id == message).map(|row| row.conversation)
    }

    fn tell_row(&mut self, conversation: ConversationId) {
        let last = self.messages.get(&conversation).and_then(|rows| rows.last());
        if let (Some(chat), Some(last)) = (self.chats.get_mut(&conversation), last) {
            chat.last = Some(last_line(last));
            chat.sorted_at = last.received_at;
        }
        tell_row_of(self.chats.get(&conversation));
    }

    fn tell_unread(&mut self) {
        let chats = self.chats.values().filter(|row| row.unread > 0 && !row.request).count();
        tell_event(Event::Unread { chats: u32::try_from(chats).unwrap_or(u32::MAX) });
    }

    fn tell_requests(&self) {
        let count = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        tell_event(Event::Requests { count });
    }
}

fn tell_row_of(row: Option<&ConversationRow>) {
    if let Some(row) = row {
        tell_event(Event::Conversation { row: row.clone() });
    }
}

fn last_line(row: &MessageRow) -> LastLine {
    let content = match &row.content {
        Content::Text(text) => {
            let line = text.chars().take(200).map(|c| if c == '\n' { ' ' } else { c });
            Content::Text(line.collect())
        }
        other => other.clone(),
    };
    LastLine { from: row.from.clone(), content, state: row.state.clone(), at: row.received_at }
}

fn check(handle: &str) -> HandleState {
    let handle = handle.trim().trim_start_matches('@').to_lowercase();
    if handle == "mira" {
        let suggestions = ["mira.k", "mira-24", "miraberlin"];
        return HandleState::Taken { suggestions: suggestions.map(str::to_owned).to_vec() };
    }
    let fine = handle.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if fine && handle.len() >= 2 { HandleState::Free } else { HandleState::Malformed }
}

fn problem(kind: ProblemKind) -> Reply {
    Reply::Problem(Problem { kind, code: 0, wait_seconds: 0 })
}
