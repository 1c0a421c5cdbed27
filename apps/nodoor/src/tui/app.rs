// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the screen knows, and what it becomes when something happens. No terminal, no engine, no clock here:
//! [`super::keys`] turns keys into [`Wish`]es, [`super::run`] fulfils them, [`super::draw`] shows the rest.

use std::collections::HashMap;

use nodoor_view::{
    event::{Connection, Event},
    group::Role,
    list, message,
    model::{
        ConversationId, ConversationRow, From, GroupMember, LedgerState, MessageId, MessagePage,
        MessageRow, Milliseconds, Person, Profile, Proof, RequestRow, SendState,
    },
};

use super::{doing::Doing, field::Field, search::Search};

/// What the screen wants of the engine or the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// Show this chat.
    Open(ConversationId),
    /// Find this handle and show the chat with them.
    OpenHandle(String),
    /// Send what stands in the composer.
    Send(String),
    /// Answer or edit with what stands in the composer.
    Say(message::Command),
    /// Do something with a message.
    Message(message::Command),
    /// Say that one types.
    Typing(ConversationId),
    /// Change where a chat stands in the list.
    Place(list::Command),
    /// Show what can be read once.
    OpenOnce(MessageId),
    /// Load older messages of the open chat.
    Older,
    /// Look for a text, in a chat or everywhere.
    Search(String, Option<ConversationId>),
    /// Show a message in its chat.
    Show(ConversationId, MessageId),
    /// Try again.
    Retry(MessageId),
    /// Delete here.
    Delete(MessageId),
    /// Take that back.
    Undelete(MessageId),
    /// Show what is known of a message.
    MessageInfo(MessageId),
    /// Show who can read the open chat.
    ChatInfo,
    /// Answer a request.
    Accept(ConversationId),
    /// Delete a request.
    Decline(ConversationId),
    /// Block whose chat or request it is.
    Block(ConversationId),
    /// Take that back.
    Unblock(ConversationId),
    /// Change a group: whom or what.
    Change(ConversationId, Change, String),
    /// Leave a group.
    Leave(ConversationId),
    /// Make a group of these handles.
    MakeGroup(String, Vec<String>),
    /// Is the handle free?
    CheckHandle(String),
    /// Create the account.
    Register(String),
    /// Write in the person's editor.
    Editor,
    /// Say that what is proved was read.
    AnswerProof,
    /// Draw everything anew.
    Redraw,
    /// End, if nothing is unsent or the person said so.
    Quit { sure: bool },
}

/// Where keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Composer,
    Messages,
    List,
}

/// What the right side shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Chat,
    Requests,
}

/// What the maker of a group changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
    Rename,
    Timer,
}

/// What can be done with the chat that info is shown of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A message: nothing.
    Message,
    /// A person, blocked or not.
    Person { chat: ConversationId, blocked: bool },
    /// A group that one is in or not, made by oneself or not.
    Group { chat: ConversationId, inside: bool, mine: bool },
}

/// What lies over the rest and takes all keys.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    /// Jump to a chat.
    Jump { query: Field, chosen: usize },
    /// Look for what was said.
    Search(Search),
    /// A new chat by handle.
    NewChat { handle: Field, said: String },
    /// A new group.
    NewGroup { title: Field, members: Field, second: bool, said: String },
    /// Lines to read.
    Info { title: String, lines: Vec<String>, about: About, first: usize },
    /// Whom to add or remove, or the new name.
    Change { chat: ConversationId, what: Change, field: Field, said: String },
    /// Whether to leave a group.
    Leave { chat: ConversationId, title: String },
    /// With what to react.
    React { message: MessageId, field: Field },
    /// Where to send a message on.
    Forward { message: MessageId, query: Field, chosen: usize },
    /// Whether to delete a message for everyone.
    DeleteForEveryone { message: MessageId },
    /// The list of keys, from this line on.
    Keys { first: usize },
    /// Something is unsent.
    Quit { waiting: usize },
}

/// Where the message list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// At the newest; arrivals scroll.
    Bottom,
    /// This message's line `line` is the first one shown; arrivals move nothing.
    Top { message: MessageId, line: usize },
    /// At the unread divider, with two lines above it; becomes one of the others when drawn.
    Unread,
}

/// The chat on the right.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) id: ConversationId,
    pub(super) rows: Vec<MessageRow>,
    pub(super) more_before: bool,
    pub(super) anchor: Anchor,
    /// The first message that was unread when the chat was opened.
    pub(super) divider: Option<MessageId>,
    pub(super) unread_then: u32,
    /// The message that keys of the message list mean.
    pub(super) selected: Option<MessageId>,
    /// Up to where the engine was told that it was read.
    pub(super) read: Option<MessageId>,
    /// Arrivals below what is shown.
    pub(super) below: usize,
}

/// The handle asked for on the first start.
#[derive(Debug, Clone, Default)]
pub(super) struct Start {
    pub(super) handle: Field,
    pub(super) said: String,
    /// When the handle was last changed and not yet asked about.
    pub(super) changed: Option<Milliseconds>,
    pub(super) creating: bool,
}

/// All of it.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) profile: Option<Profile>,
    pub(super) start: Start,
    pub(super) server: String,
    pub(super) connection: Connection,
    /// Since when there is no connection.
    pub(super) offline_since: Option<Milliseconds>,
    pub(super) chats: Vec<ConversationRow>,
    pub(super) requests: Vec<RequestRow>,
    pub(super) request: usize,
    /// A block was asked for and waits for its second key.
    pub(super) block_asked: bool,
    /// Which row of the list is chosen: a chat, or the requests after the last.
    pub(super) listed: usize,
    pub(super) open: Option<Open>,
    pub(super) view: View,
    pub(super) focus: Focus,
    pub(super) layer: Option<Layer>,
    /// What was last found, for the keys that go from hit to hit.
    pub(super) found: Search,
    /// The last line that a layer can begin with, as last drawn.
    pub(super) layer_most: usize,
    pub(super) composer: Field,
    /// What its text will be, other than a new message.
    pub(super) doing: Option<Doing>,
    /// Who types where.
    pub(super) typing: HashMap<ConversationId, Vec<Person>>,
    /// When it was last told that one types.
    pub(super) typed_at: Option<Milliseconds>,
    /// When the composer was last changed and not yet kept on disk.
    pub(super) draft_changed: Option<Milliseconds>,
    pub(super) clipboard: String,
    /// The message that `u` brings back.
    pub(super) deleted: Option<MessageId>,
    /// A line that goes by itself.
    pub(super) notice: Option<(String, Milliseconds)>,
    /// A lasting trouble.
    pub(super) trouble: Option<String>,
    /// This device was removed: for good, and what the connection does says nothing then.
    pub(super) removed: bool,
    pub(super) unread_chats: u32,
    /// Whether the terminal has the focus.
    pub(super) looked_at: bool,
    pub(super) now: Milliseconds,
    /// Lines of messages that fit, as last drawn.
    pub(super) page: usize,
    /// Much of the screen changes: leave nothing of the drawing before.
    pub(super) moved: bool,
    /// Lines scrolled since, down if positive.
    pub(super) scrolled: isize,
    /// The list is drawn from its very first line.
    pub(super) at_top: bool,
    /// The newest message that was drawn.
    pub(super) shown: Option<MessageId>,
    /// The public log, if there is one.
    pub(super) ledger: Option<LedgerState>,
    /// Where the evidence lies.
    pub(super) evidence: Vec<String>,
}

impl App {
    /// What is proved and was not read yet: nothing else is shown.
    pub(super) fn alarm(&self) -> Option<&Proof> {
        self.ledger.as_ref()?.proof.as_ref().filter(|proof| !proof.answered)
    }

    pub(super) fn new(server: &str, now: Milliseconds) -> Self {
        Self {
            profile: None,
            start: Start::default(),
            server: server.to_owned(),
            connection: Connection::Connecting,
            removed: false,
            offline_since: None,
            chats: Vec::new(),
            requests: Vec::new(),
            request: 0,
            block_asked: false,
            listed: 0,
            open: None,
            view: View::Chat,
            focus: Focus::Composer,
            layer: None,
            found: Search::default(),
            layer_most: 0,
            composer: Field::default(),
            doing: None,
            typing: HashMap::new(),
            typed_at: None,
            draft_changed: None,
            clipboard: String::new(),
            deleted: None,
            notice: None,
            trouble: None,
            unread_chats: 0,
            looked_at: true,
            now,
            page: 10,
            moved: false,
            scrolled: 0,
            at_top: false,
            shown: None,
            ledger: None,
            evidence: Vec::new(),
        }
    }

    /// The row of the open chat.
    pub(super) fn open_row(&self) -> Option<&ConversationRow> {
        let open = self.open.as_ref()?;
        self.chats.iter().find(|row| row.id == open.id)
    }

    /// A message of the open chat.
    pub(super) fn message(&self, id: MessageId) -> Option<&MessageRow> {
        self.open.as_ref()?.rows.iter().find(|row| row.id == id)
    }

    /// Scrolls the messages; at the top, older ones are wanted.
    pub(super) fn scroll(&mut self, lines: usize, up: bool) -> Vec<Wish> {
        let lines = isize::try_from(lines).unwrap_or(0);
        self.scrolled = if up { -lines } else { lines };
        self.moved = true;
        let Some(open) = &mut self.open else { return vec![] };
        open.selected = None;
        if up && self.at_top && open.more_before { vec![Wish::Older] } else { vec![] }
    }

    /// Says something for 5 seconds.
    pub(super) fn say(&mut self, text: String) {
        self.notice = Some((text, self.now));
    }

    /// Time passes.
    pub(super) fn tick(&mut self, now: Milliseconds) {
        self.now = now;
        if self.notice.as_ref().is_some_and(|(_, at)| now.0.saturating_sub(at.0) > NOTICE_MS) {
            self.notice = None;
        }
    }

    /// Shows a chat whose newest messages were loaded.
    pub(super) fn opened(&mut self, row: &ConversationRow, page: MessagePage) {
        if let Some(place) = self.chats.iter().position(|chat| chat.id == row.id) {
            self.listed = place;
        } else {
            self.chats.insert(0, row.clone());
            self.listed = 0;
        }
        let divider = row.first_unread.filter(|_| row.unread > 0);
        self.open = Some(Open {
            id: row.id,
            rows: page.rows,
            more_before: page.more_before,
            anchor: if divider.is_some() { Anchor::Unread } else { Anchor::Bottom },
            divider,
            unread_then: row.unread,
            selected: None,
            read: None,
            below: 0,
        });
        self.composer = Field::new(&row.draft);
        self.doing = None;
        self.moved = true;
        self.draft_changed = None;
        self.view = View::Chat;
        self.focus = Focus::Composer;
        self.deleted = None;
    }

    /// Older messages came; what is shown stays where it is.
    pub(super) fn older(&mut self, page: MessagePage) {
        let Some(open) = &mut self.open else { return };
        open.more_before = page.more_before;
        let mut rows = page.rows;
        rows.append(&mut open.rows);
        open.rows = rows;
    }

    /// The message is on disk: only now the composer is cleared.
    pub(super) fn sent(&mut self, row: MessageRow) {
        self.composer.clear();
        self.doing = None;
        self.draft_changed = None;
        if let Some(open) = &mut self.open {
            open.divider = None;
            open.anchor = Anchor::Bottom;
            open.below = 0;
        }
        self.moved = true;
        self.put(row, true);
    }

    /// The engine told something.
    pub(super) fn told(&mut self, event: Event) {
        match event {
            Event::Connection { state } => {
                self.connection = state;
                if state == Connection::Online {
                    self.offline_since = None;
                } else {
                    self.offline_since.get_or_insert(self.now);
                }
            }
            Event::Conversation { row } if row.request => {}
            Event::Conversation { row } => self.put_chat(row),
            Event::ConversationGone { conversation } => {
                self.keep_listed(|app| app.chats.retain(|row| row.id != conversation));
                if self.open.as_ref().is_some_and(|open| open.id == conversation) {
                    self.open = None;
                }
            }
            Event::Message { row, new } => self.put(row, new),
            Event::MessageGone { conversation, message } => {
                if let Some(open) = self.open.as_mut().filter(|open| open.id == conversation) {
                    open.rows.retain(|row| row.id != message);
                    if open.selected == Some(message) {
                        open.selected = None;
                    }
                }
            }
            Event::Ledger { state } => self.ledger = Some(state),
            Event::Unread { chats } => self.unread_chats = chats,
            // Rows are read again by `run`.
            Event::Typing { conversation, people } => {
                self.typing.insert(conversation, people);
            }
            Event::Requests { .. } | Event::Notify { .. } | Event::Folders { .. } => {}
            Event::ClockWrong { .. }
            | Event::ServerUnfit { .. }
            | Event::Device { .. }
            | Event::File { .. }
            | Event::DiskTrouble => {}
        }
    }

    /// The requests as they are now.
    pub(super) fn requests_are(&mut self, rows: Vec<RequestRow>) {
        self.requests = rows;
        self.request = self.request.min(self.requests.len().saturating_sub(1));
        self.block_asked = false;
        if self.requests.is_empty() && self.view == View::Requests {
            self.view = View::Chat;
            self.focus = Focus::Composer;
        }
    }

    /// Messages that wait to be sent, as far as rows on the screen and the list say.
    pub(super) fn waiting(&self) -> usize {
        let waits = |state: &Option<SendState>| matches!(state, Some(SendState::Waiting));
        let open = self.open.as_ref();
        let here = open.map_or(0, |open| open.rows.iter().filter(|row| waits(&row.state)).count());
        let elsewhere = self.chats.iter().filter(|row| open.is_none_or(|open| open.id != row.id));
        let last =
            |row: &&ConversationRow| row.last.as_ref().is_some_and(|last| waits(&last.state));
        here + elsewhere.filter(last).count()
    }

    fn put_chat(&mut self, row: ConversationRow) {
        self.keep_listed(|app| {
            app.chats.retain(|chat| chat.id != row.id);
            let at = list::order(&row);
            let place = app
                .chats
                .iter()
                .position(|chat| list::order(chat) <= at)
                .unwrap_or(app.chats.len());
            app.chats.insert(place, row);
        });
    }

    /// Changes the list; the row chosen stays chosen, wherever it went.
    fn keep_listed(&mut self, change: impl FnOnce(&mut Self)) {
        let chosen = self.chats.get(self.listed).map(|row| row.id);
        change(self);
        self.listed = chosen
            .and_then(|id| self.chats.iter().position(|row| row.id == id))
            .unwrap_or(self.listed)
            .min(self.chats.len());
    }

    fn put(&mut self, row: MessageRow, new: bool) {
        let Some(open) = self.open.as_mut().filter(|open| open.id == row.conversation) else {
            return;
        };
        match open.rows.binary_search_by_key(&row.id, |row| row.id) {
            Ok(place) => {
                if let Some(known) = open.rows.get_mut(place) {
                    *known = row;
                }
            }
            Err(place) => {
                let older = place == 0 && open.more_before;
                if older {
                    return;
                }
                if new && open.anchor != Anchor::Bottom && !matches!(row.from, From::Me) {
                    open.below += 1;
                }
                open.rows.insert(place, row);
            }
        }
    }
}

/// Lines that say who can read a chat.
pub(super) fn member_line(member: &GroupMember, name: &str, role: &str, you: &str) -> String {
    let mut line = name.to_owned();
    if !member.person.handle.is_empty() && !name.starts_with('@') {
        line.push_str(&format!("  @{}", member.person.handle));
    }
    for (applies, word) in [(member.me, you), (member.role > Role::Member, role)] {
        if applies {
            line.push_str(&format!("  {word}"));
        }
    }
    line
}

const NOTICE_MS: u64 = 5000;
