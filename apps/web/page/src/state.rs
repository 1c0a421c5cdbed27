// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the page knows: rows as the engine told them, and what is open. Signals, so that each row
//! redraws alone.
//!
//! Nothing here decides what a message or a person is; it keeps what was told and asks for the rest.
//! One value for the whole page, made at the start and never dropped.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
};

use leptos::prelude::*;
use nodoor_view::{
    command::{Command, Reply},
    device::{self, Linking, Standing},
    event::{Connection, Event},
    list,
    model::{
        ConversationId, ConversationRow, LedgerState, MessageId, Person, Problem, ProblemKind,
        Profile, RequestRow, Settings, Theme,
    },
};

use crate::{
    arrange::Filter,
    bridge::{self, Heard, ask},
    chat::state::Chat,
    dom, notify, push,
    remind::{self, Words},
    route::{Layer, Route},
    settings,
    words::{self, Put, say, say_with},
};

/// The engine, as a person meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Not yet heard of.
    Starting,
    /// Runs.
    Ready,
    /// In another tab.
    Taken,
    /// The browser lacks this.
    Unsupported(String),
    /// The database is gone though an account was here.
    Gone,
    /// Erased by the person.
    Erased,
    /// Stopped twice.
    Broken,
}

/// A line that goes by itself after 5 seconds.
#[derive(Clone)]
pub(crate) struct Toast {
    /// What it says.
    pub(crate) text: String,
    /// What Undo does.
    pub(crate) undo: Option<Callback<()>>,
}

/// All of it.
#[derive(Clone, Copy)]
pub(crate) struct App {
    pub(crate) engine: RwSignal<Engine>,
    /// Whether the first questions were answered.
    pub(crate) known: RwSignal<bool>,
    pub(crate) profile: RwSignal<Option<Profile>>,
    pub(crate) connection: RwSignal<Connection>,
    /// Offline for more than 3 seconds.
    pub(crate) offline: RwSignal<bool>,
    pub(crate) clock_wrong: RwSignal<bool>,
    pub(crate) disk: RwSignal<bool>,
    pub(crate) update: RwSignal<bool>,
    pub(crate) not_kept: RwSignal<bool>,
    /// What is known of the public log.
    pub(crate) ledger: RwSignal<Option<LedgerState>>,
    /// How one's own account stands.
    pub(crate) standing: RwSignal<Standing>,
    /// Where the linking under way stands.
    pub(crate) linking: RwSignal<Option<Linking>>,
    /// Grows with everything told of one's own devices.
    pub(crate) devices_changed: RwSignal<u32>,
    /// A line about a new device that waits until no other layer is open.
    pub(crate) device_added: RwSignal<Option<Layer>>,
    /// Whether the recovery words wait to be saved.
    pub(crate) words: Words,
    /// Chats in the order of the list.
    pub(crate) chats: RwSignal<Vec<ConversationId>>,
    pub(crate) chats_known: RwSignal<bool>,
    /// What of the list is shown.
    pub(crate) filter: RwSignal<Filter>,
    /// Who types where.
    pub(crate) typing: RwSignal<HashMap<ConversationId, Vec<Person>>>,
    /// One's folders.
    pub(crate) folders: RwSignal<Vec<list::Folder>>,
    rows: StoredValue<HashMap<ConversationId, RwSignal<ConversationRow>>>,
    pub(crate) requests: RwSignal<Vec<RequestRow>>,
    pub(crate) request_count: RwSignal<u32>,
    pub(crate) unread: RwSignal<u32>,
    pub(crate) settings: RwSignal<Settings>,
    /// Changes when every word must be said again.
    pub(crate) language: RwSignal<&'static str>,
    pub(crate) route: RwSignal<Route>,
    pub(crate) layer: RwSignal<Option<Layer>>,
    pub(crate) toast: RwSignal<Option<Toast>>,
    /// Read aloud when the reader pauses.
    pub(crate) polite: RwSignal<String>,
    /// Read aloud at once: "Not sent" alone.
    pub(crate) assertive: RwSignal<String>,
    /// Milliseconds, ticking every 20 seconds: what makes times age.
    pub(crate) now: RwSignal<u64>,
    /// An invite link that waits for the account.
    pub(crate) invited_by: RwSignal<Option<String>>,
    /// How far files are that move: bytes of bytes.
    pub(crate) moving: RwSignal<BTreeMap<MessageId, (u64, u64)>>,
    /// Files are held over the open chat.
    pub(crate) dropping: RwSignal<bool>,
    /// A handle to look up when the page that finds people opens.
    pub(crate) looked_for: RwSignal<Option<String>>,
    /// The open conversation.
    pub(crate) chat: Chat,
}

thread_local! {
    static APP: Cell<Option<App>> = const { Cell::new(None) };
    static RESTARTED: Cell<bool> = const { Cell::new(false) };
}

/// The page's state. Made on the first call, which `start` makes under the root owner.
pub(crate) fn app() -> App {
    APP.get().unwrap_or_else(|| {
        let app = App::new();
        APP.set(Some(app));
        app
    })
}

impl App {
    fn new() -> Self {
        Self {
            engine: RwSignal::new(Engine::Starting),
            known: RwSignal::new(false),
            profile: RwSignal::new(None),
            connection: RwSignal::new(Connection::Connecting),
            offline: RwSignal::new(false),
            clock_wrong: RwSignal::new(false),
            disk: RwSignal::new(false),
            update: RwSignal::new(false),
            not_kept: RwSignal::new(false),
            ledger: RwSignal::new(None),
            standing: RwSignal::new(Standing::Good),
            linking: RwSignal::new(None),
            devices_changed: RwSignal::new(0),
            device_added: RwSignal::new(None),
            words: Words::new(),
            chats: RwSignal::new(Vec::new()),
            chats_known: RwSignal::new(false),
            rows: StoredValue::new(HashMap::new()),
            requests: RwSignal::new(Vec::new()),
            request_count: RwSignal::new(0),
            unread: RwSignal::new(0),
            filter: RwSignal::new(Filter::All),
            typing: RwSignal::new(HashMap::new()),
            folders: RwSignal::new(Vec::new()),
            settings: RwSignal::new(Settings::default()),
            language: RwSignal::new("en"),
            route: RwSignal::new(Route::Chats),
            layer: RwSignal::new(None),
            toast: RwSignal::new(None),
            polite: RwSignal::new(String::new()),
            assertive: RwSignal::new(String::new()),
            now: RwSignal::new(dom::now()),
            invited_by: RwSignal::new(None),
            moving: RwSignal::new(BTreeMap::new()),
            dropping: RwSignal::new(false),
            looked_for: RwSignal::new(None),
            chat: Chat::new(),
        }
    }

    /// Who types in a conversation, in words.
    pub(crate) fn who_types(&self, id: ConversationId) -> Option<String> {
        self.typing.with(|typing| words::typing(typing.get(&id)?))
    }

    /// A conversation's row.
    pub(crate) fn row(&self, id: ConversationId) -> Option<RwSignal<ConversationRow>> {
        self.rows.with_value(|rows| rows.get(&id).copied())
    }

    /// Keeps a row as told and puts it where it belongs in the list.
    pub(crate) fn put_row(&self, row: ConversationRow) {
        let row = called(row);
        let id = row.id;
        let listed = !row.request && row.writable != nodoor_view::model::Writable::Blocked;
        match self.row(id) {
            Some(kept) => {
                if kept.with_untracked(|kept| *kept != row) {
                    kept.set(row);
                }
            }
            None => {
                let kept = OWNER.with(|owner| match owner.get() {
                    Some(owner) => owner.with(|| RwSignal::new(row.clone())),
                    None => RwSignal::new(row.clone()),
                });
                self.rows.update_value(|rows| {
                    rows.insert(id, kept);
                });
            }
        }
        let order = |id: &ConversationId| self.row(*id).map(|row| row.with_untracked(list::order));
        let before = self.chats.get_untracked();
        let mut chats = before.clone();
        chats.retain(|other| *other != id);
        if listed {
            let at = order(&id);
            let place = chats.iter().position(|other| order(other) < at);
            chats.insert(place.unwrap_or(chats.len()), id);
        }
        if chats != before {
            self.chats.set(chats);
        }
    }

    fn put_rows(&self, rows: Vec<ConversationRow>) {
        // The whole list at once: sorted already, so no row is looked for.
        let ids: Vec<ConversationId> = rows.iter().map(|row| row.id).collect();
        for row in rows.into_iter().map(called) {
            match self.row(row.id) {
                Some(kept) => kept.set(row),
                None => {
                    let id = row.id;
                    let kept = OWNER.with(|owner| match owner.get() {
                        Some(owner) => owner.with(|| RwSignal::new(row.clone())),
                        None => RwSignal::new(row.clone()),
                    });
                    self.rows.update_value(|rows| {
                        rows.insert(id, kept);
                    });
                }
            }
        }
        self.chats.set(ids);
        self.chats_known.set(true);
    }

    /// Whether this device has seen a public log of the deployment.
    pub(crate) fn has_log(&self) -> bool {
        self.ledger.with(|log| log.as_ref().is_some_and(|log| log.log_time.is_some()))
    }

    /// Shows a line for 5 seconds.
    pub(crate) fn toast(&self, text: String, undo: Option<Callback<()>>) {
        self.toast.set(Some(Toast { text, undo }));
    }

    /// Shows a problem the same way.
    pub(crate) fn problem(&self, problem: &Problem) {
        self.toast(words::problem(problem), None);
    }

    /// Says something to a screen reader.
    pub(crate) fn speak(&self, text: String) {
        self.polite.set(text);
    }

    /// Takes settings into use and keeps them.
    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings.get_untracked();
        change(&mut settings);
        self.use_settings(settings.clone());
        ask(Command::SetSettings { settings }, |reply| {
            if let Reply::Problem(problem) = reply {
                app().problem(&problem);
            }
        });
    }

    fn use_settings(&self, settings: Settings) {
        let root = dom::find("html");
        if let Some(root) = root {
            drop(match settings.theme {
                Theme::System => root.remove_attribute("data-theme"),
                Theme::Light => root.set_attribute("data-theme", "light"),
                Theme::Dark => root.set_attribute("data-theme", "dark"),
            });
            dom::style(&root, "font-size", &format!("{}%", settings.text_percent.clamp(90, 200)));
        }
        let theme = match settings.theme {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        dom::remember(
            "look",
            &format!(r#"{{"theme":"{theme}","text":{}}}"#, settings.text_percent),
        );
        use_language(&settings.language);
        self.settings.set(settings);
    }
}

thread_local! {
    // Rows must outlive the screen that first asked for them: they are made under the root's owner.
    static OWNER: std::cell::OnceCell<Owner> = const { std::cell::OnceCell::new() };
}

/// Remembers the root owner. Called once.
pub(crate) fn own(owner: Owner) {
    OWNER.with(|kept| drop(kept.set(owner)));
}

/// Takes a language into use: a tag, or empty for the system's.
pub(crate) fn use_language(tag: &str) {
    let system = dom::window().navigator().language().unwrap_or_default();
    let language = words::choose(if tag.is_empty() { &system } else { tag });
    if let Some(root) = dom::find("html") {
        drop(root.set_attribute("lang", language.tag));
        drop(root.set_attribute("dir", language.direction));
    }
    if app().language.get_untracked() != language.tag {
        app().language.set(language.tag);
    }
}

/// Hears what the engine tells.
pub(crate) fn hear(heard: Heard) {
    let app = app();
    match heard {
        Heard::Ready => {
            app.engine.set(Engine::Ready);
            refresh();
        }
        Heard::Taken => app.engine.set(Engine::Taken),
        Heard::Unsupported(missing) => app.engine.set(Engine::Unsupported(missing)),
        Heard::Gone => app.engine.set(Engine::Gone),
        Heard::Erased => app.engine.set(Engine::Erased),
        Heard::Stopped => {
            if app.engine.get_untracked() == Engine::Erased {
                return;
            }
            if RESTARTED.replace(true) {
                app.engine.set(Engine::Broken);
            } else {
                app.engine.set(Engine::Starting);
                bridge::start(hear);
            }
        }
        Heard::Event(event) => event_heard(*event),
    }
}

fn event_heard(event: Event) {
    let app = app();
    match event {
        Event::Connection { state } => {
            app.connection.set(state);
            if state == Connection::Online {
                app.offline.set(false);
                // After a failure of the disk the engine begins anew: connected again, it goes on.
                app.disk.set(false);
                push::keep();
            } else if !app.offline.get_untracked() {
                dom::after(3000, move || {
                    if app.connection.get_untracked() != Connection::Online {
                        app.offline.set(true);
                    }
                });
            }
        }
        Event::Conversation { row } => {
            // Its words may come after the request itself.
            if row.request {
                load_requests();
            }
            app.put_row(row);
        }
        Event::ConversationGone { conversation } => {
            app.chats.update(|chats| chats.retain(|id| *id != conversation));
            app.requests.update(|all| all.retain(|row| row.conversation != conversation));
            if app.route.with_untracked(Route::chat) == Some(conversation) {
                crate::route::go(Route::Chats);
            }
        }
        Event::Requests { count } => {
            app.request_count.set(count);
            load_requests();
        }
        Event::Message { row, new } => {
            app.words.saw(row.state.as_ref());
            let asks = |request: &RequestRow| request.conversation == row.conversation;
            if app.requests.with_untracked(|all| all.iter().any(asks)) {
                load_requests();
            }
            app.chat.told(row, new);
        }
        Event::MessageGone { conversation, message } => app.chat.gone(conversation, message),
        Event::Notify { conversation, title, text } => notify::show(conversation, &title, &text),
        Event::Typing { conversation, people } => app.typing.update(|typing| {
            typing.remove(&conversation);
            if !people.is_empty() {
                typing.insert(conversation, people);
            }
        }),
        Event::Folders { folders } => app.folders.set(folders),
        Event::Unread { chats } => app.unread.set(chats),
        Event::ClockWrong { seconds } => app.clock_wrong.set(seconds.abs() > 300),
        Event::ServerUnfit { problem } if problem.kind == ProblemKind::Forged => {
            app.toast(say("another-server"), None);
        }
        Event::ServerUnfit { problem } => app.problem(&problem),
        Event::DiskTrouble => app.disk.set(true),
        Event::Ledger { state } => app.ledger.set(Some(state)),
        Event::Device { what } => device_heard(what),
        Event::File { what } => crate::chat::file_heard(&what),
    }
}

/// What is told of one's own devices and account.
fn device_heard(what: device::Event) {
    let app = app();
    app.devices_changed.update(|n| *n = n.wrapping_add(1));
    match what {
        device::Event::Linking { state } => app.linking.set(Some(state)),
        // Of this one, and of one that is being linked here, the person knows.
        device::Event::Added { device, .. } if device.current => (),
        device::Event::Added { .. }
            if app.layer.with_untracked(|layer| *layer == Some(Layer::Link)) => {}
        device::Event::Added { device, by, by_words } => {
            app.device_added.set(Some(Layer::DeviceAdded(device, by, by_words)));
        }
        device::Event::Handle { handle } => {
            let id = if handle.is_empty() { "handle-gone" } else { "handle-yours" };
            app.toast(say_with(id, &[("handle", Put::Text(&handle))]), None);
            refresh_profile();
        }
        device::Event::LogAwaited => app.toast(say("log-awaited"), None),
        device::Event::HandleAsked { handle } => {
            app.toast(say_with("handle-asked", &[("handle", Put::Text(&handle))]), None);
        }
        device::Event::HandleRefused { handle } => {
            app.toast(say_with("handle-refused", &[("handle", Put::Text(&handle))]), None);
        }
        device::Event::Removed { .. } => (),
        device::Event::Standing { standing } => app.standing.set(standing),
    }
}

fn refresh_profile() {
    ask(Command::WhoAmI, |reply| {
        if let Reply::Profile(profile) = reply {
            app().profile.set(Some(profile));
        }
    });
}

/// Opens the line about a new device once nothing else lies over the page.
pub(crate) fn watch_devices() {
    let app = app();
    Effect::new(move |_| {
        if app.layer.with(Option::is_none)
            && let Some(layer) = app.device_added.get()
        {
            app.device_added.set(None);
            crate::route::open(layer);
        }
    });
}

/// Asks for everything the first screen needs.
pub(crate) fn refresh() {
    let app = app();
    ask(Command::Settings, move |reply| {
        if let Reply::Settings(settings) = reply {
            app.use_settings(settings);
        }
    });
    ask(Command::WhoAmI, move |reply| {
        match reply {
            Reply::Profile(profile) => {
                app.profile.set(Some(profile));
                load_chats();
                load_standing();
                settings::still_kept();
                remind::look();
            }
            _ => app.profile.set(None),
        }
        app.known.set(true);
        follow_invite();
    });
}

/// Reads the lists again.
pub(crate) fn load_chats() {
    let app = app();
    ask(Command::Conversations, move |reply| {
        if let Reply::Conversations(rows) = reply {
            app.words.saw_rows(&rows);
            app.put_rows(rows);
        }
    });
    ask(Command::List { of: list::Command::Folders }, move |reply| {
        if let Reply::Folders(folders) = reply {
            app.folders.set(folders);
        }
    });
    load_requests();
    looking();
}

/// With the title that its person reads.
fn called(row: ConversationRow) -> ConversationRow {
    ConversationRow { title: words::title(&row), ..row }
}

/// Opens the chat with oneself.
pub(crate) fn open_saved() {
    ask(Command::List { of: list::Command::Saved }, |reply| match reply {
        Reply::Conversation(row) => {
            let id = row.id;
            app().put_row(row);
            crate::route::go(Route::Chat(id));
        }
        Reply::Problem(problem) => app().problem(&problem),
        _ => (),
    });
}

/// How the account and the public log stand; later changes are told.
fn load_standing() {
    let app = app();
    ask(Command::Ledger, move |reply| {
        if let Reply::Ledger(state) = reply {
            app.ledger.set(Some(state));
        }
    });
    ask(Command::Device { of: device::Command::Standing }, move |reply| {
        if let Reply::Device(device::Reply::Standing(standing)) = reply {
            app.standing.set(standing);
        }
    });
}

fn load_requests() {
    let app = app();
    ask(Command::Requests, move |reply| {
        if let Reply::Requests(rows) = reply {
            app.request_count.set(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            app.requests.set(rows);
        }
    });
}

/// Opens the chat an invite link names, or keeps the name until there is an account.
pub(crate) fn follow_invite() {
    let app = app();
    if let Route::Invite(handle) = app.route.get_untracked() {
        app.invited_by.set(Some(handle));
        if app.profile.with_untracked(Option::is_some) {
            crate::route::go(Route::Chats);
        }
    }
    if app.profile.with_untracked(Option::is_none) {
        return;
    }
    let Some(handle) = app.invited_by.get_untracked() else { return };
    app.invited_by.set(None);
    if handle.contains('/') {
        crate::route::go(Route::Chats);
        return crate::route::open(crate::route::Layer::Join(format!("#@{handle}")));
    }
    // Found and shown; a chat is made when the person says so.
    app.looked_for.set(Some(handle));
    crate::route::go(Route::Find);
}

/// Opens the chat with a handle.
pub(crate) fn open_direct(handle: String) {
    let shown = format!("@{}", handle.trim_start_matches('@'));
    ask(Command::OpenDirect { handle }, move |reply| match reply {
        Reply::Conversation(row) => {
            let id = row.id;
            app().put_row(row);
            crate::route::go(Route::Chat(id));
        }
        Reply::Problem(problem) if problem.kind == ProblemKind::NotFound => {
            app().toast(say_with("no-such-person", &[("handle", Put::Text(&shown))]), None);
        }
        Reply::Problem(problem) => app().problem(&problem),
        _ => (),
    });
}

/// Tells the engine what is in front of the person: decides what counts as seen.
pub(crate) fn looking() {
    let app = app();
    if app.engine.get_untracked() != Engine::Ready {
        return;
    }
    let at = app.route.with_untracked(Route::chat).filter(|_| dom::looked_at());
    bridge::tell(Command::Looking { at });
}

/// Undoes a block or a deletion through a toast, with the words of a message.
pub(crate) fn toast_with_undo(text: String, undo: impl Fn() + Send + Sync + 'static) {
    let undo = move || Callback::new(move |()| undo());
    // It outlives the menu that it was asked for in.
    let undo = OWNER.with(|owner| match owner.get() {
        Some(owner) => owner.with(undo),
        None => undo(),
    });
    app().toast(text, Some(undo));
}

/// A copy of something for the clipboard, with the line that says so.
pub(crate) fn copied(text: &str) {
    dom::copy(text);
    app().toast(say("copied"), None);
}
