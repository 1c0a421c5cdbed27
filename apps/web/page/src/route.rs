// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where one is, behind the `#`, and the layer over it; the Back button walks these and nothing else.
//!
//! Routes name local row numbers, so neither an address nor a server's log carries a handle or a
//! room. The depth of a route equals the number of history entries under it: going
//! deeper adds one, going sideways replaces one, going up takes them away. A layer (menu, dialog) is
//! one entry more, so Back closes it.

use std::cell::RefCell;

use leptos::prelude::*;
use nodoor_view::{
    group::Role,
    model::{ConversationId, DeviceRow, GroupMember, MessageId},
};
use wasm_bindgen::JsValue;
use web_sys::HtmlElement;

use crate::{dom, state::app};

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// The list alone.
    Chats,
    /// A conversation.
    Chat(ConversationId),
    /// A conversation with its sheet.
    Sheet(ConversationId),
    /// Requests.
    Requests,
    /// Find a person.
    Find,
    /// Make a group.
    NewGroup,
    /// Settings.
    Settings,
    /// A page of the settings.
    Section(Section),
    /// An invite link was opened: `#@ben`.
    Invite(String),
    /// Every part once, in development builds.
    Parts,
}

/// A page of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// Name, handle, invite link.
    Profile,
    /// One's own devices.
    Devices,
    /// The 24 words.
    Words,
    /// Theme, text size, bubbles or lines, language, Enter.
    Appearance,
    /// What notifications show.
    Notifications,
    /// Receipts, blocked people.
    Privacy,
    /// Used, kept.
    Storage,
    /// Version, licences.
    About,
    /// What Nodoor cannot do.
    Limits,
    /// Sign out and erase.
    Erase,
}

impl Section {
    /// All, in the order shown.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 10] = [
        (Self::Profile, "profile", "user"),
        (Self::Devices, "devices", "monitor-smartphone"),
        (Self::Words, "words", "key-round"),
        (Self::Appearance, "appearance", "palette"),
        (Self::Notifications, "notifications", "bell"),
        (Self::Privacy, "privacy", "shield"),
        (Self::Storage, "storage", "hard-drive"),
        (Self::About, "about", "info"),
        (Self::Limits, "limits", "circle-alert"),
        (Self::Erase, "erase", "log-out"),
    ];

    /// Its word in the address.
    pub(crate) fn slug(self) -> &'static str {
        Self::ALL.iter().find(|(section, ..)| *section == self).map_or("", |(_, slug, _)| slug)
    }
}

impl Route {
    /// Reads what stands behind the `#`.
    pub(crate) fn parse(hash: &str) -> Self {
        let hash = hash.strip_prefix('#').unwrap_or(hash);
        if let Some(handle) = hash.strip_prefix('@') {
            return Self::Invite(handle.to_owned());
        }
        let mut words = hash.trim_start_matches('/').split('/');
        match (words.next().unwrap_or_default(), words.next(), words.next()) {
            ("c", Some(id), after) => match (id.parse(), after) {
                (Ok(id), Some("info")) => Self::Sheet(ConversationId(id)),
                (Ok(id), _) => Self::Chat(ConversationId(id)),
                _ => Self::Chats,
            },
            ("requests", ..) => Self::Requests,
            ("find", ..) => Self::Find,
            ("group", ..) => Self::NewGroup,
            ("settings", Some(slug), _) => Section::ALL
                .iter()
                .find(|(_, name, _)| *name == slug)
                .map_or(Self::Settings, |(section, ..)| Self::Section(*section)),
            ("settings", ..) => Self::Settings,
            #[cfg(feature = "parts")]
            ("parts", ..) => Self::Parts,
            _ => Self::Chats,
        }
    }

    /// What stands behind the `#`.
    pub(crate) fn hash(&self) -> String {
        match self {
            Self::Chats => "#/".to_owned(),
            Self::Chat(id) => format!("#/c/{}", id.0),
            Self::Sheet(id) => format!("#/c/{}/info", id.0),
            Self::Requests => "#/requests".to_owned(),
            Self::Find => "#/find".to_owned(),
            Self::NewGroup => "#/group".to_owned(),
            Self::Settings => "#/settings".to_owned(),
            Self::Section(section) => format!("#/settings/{}", section.slug()),
            Self::Invite(handle) => format!("#@{handle}"),
            Self::Parts => "#/parts".to_owned(),
        }
    }

    /// The place one came through to be here.
    pub(crate) fn parent(&self) -> Option<Self> {
        match self {
            Self::Chats | Self::Invite(_) | Self::Parts => None,
            Self::Sheet(id) => Some(Self::Chat(*id)),
            Self::Section(_) => Some(Self::Settings),
            _ => Some(Self::Chats),
        }
    }

    /// Entries of the history under this one.
    pub(crate) fn depth(&self) -> u32 {
        self.parent().map_or(0, |parent| parent.depth() + 1)
    }

    /// The pane shown where there is room for one: 0 list, 1 main, 2 sheet.
    pub(crate) fn pane(&self) -> u32 {
        match self {
            Self::Chats => 0,
            Self::Sheet(_) => 2,
            _ => 1,
        }
    }

    /// The conversation open here.
    pub(crate) fn chat(&self) -> Option<ConversationId> {
        match self {
            Self::Chat(id) | Self::Sheet(id) => Some(*id),
            _ => None,
        }
    }
}

/// What lies over the page; one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The menu of a message, at a point of the window.
    MessageMenu(MessageId, i32, i32),
    /// What Info shows of a message.
    MessageInfo(MessageId),
    /// More emoji to react with.
    React(MessageId),
    /// Where to send a message on.
    Forward(MessageId),
    /// Delete for everyone?
    DeleteEveryone(MessageId),
    /// A message that can be read once.
    Once(MessageId),
    /// How long new messages of a chat stay.
    Timer(ConversationId),
    /// The menu of a chat's row, at a point.
    RowMenu(ConversationId, i32, i32),
    /// The menu of a member of a group, with what one may do there oneself, at a point.
    Member(ConversationId, GroupMember, Role, i32, i32),
    /// How long members of a group wait between two messages: whether only admins write, and the pause now.
    Slow(ConversationId, bool, u32),
    /// What was picked to be sent to a chat.
    SendFiles(ConversationId),
    /// A picture, and the address of its blob.
    Picture(MessageId, String),
    /// One's invite link to a group.
    GroupLink(ConversationId),
    /// Ask to be let into a group by this link?
    Join(String),
    /// For how long a chat tells nothing.
    Mute(ConversationId),
    /// In which folders a chat is.
    Folders(ConversationId),
    /// Other ways to send, at a point.
    SendMenu(i32, i32),
    /// The menu of the open chat, at a point.
    ChatMenu(i32, i32),
    /// The menu of the plus, at a point.
    NewMenu(i32, i32),
    /// One's own invite link, to show and to copy.
    MyLink,
    /// Jump to a chat, a person or a setting.
    Jump,
    /// The table of keys.
    Keys,
    /// Add a person to a group.
    AddPerson(ConversationId),
    /// Rename a group.
    Rename(ConversationId),
    /// Leave a group?
    Leave(ConversationId),
    /// Compare digits with the other person of a chat.
    Compare(ConversationId),
    /// Link another device.
    Link,
    /// Name one of one's own devices.
    RenameDevice(DeviceRow),
    /// Remove one of them?
    RemoveDevice(DeviceRow),
    /// One was added: it, the name of the one that approved it, and whether the words did.
    DeviceAdded(DeviceRow, String, bool),
    /// Erase this device?
    Erase,
    /// What changed in the version that waits.
    Update,
}

impl Layer {
    /// Whether it is a menu: a press beside it closes it.
    pub(crate) fn is_menu(&self) -> bool {
        matches!(
            self,
            Self::MessageMenu(..)
                | Self::ChatMenu(..)
                | Self::NewMenu(..)
                | Self::RowMenu(..)
                | Self::SendMenu(..)
                | Self::Member(..)
        )
    }
}

#[derive(Default)]
struct Travel {
    // A walk back in the history is under way; the browser tells by `popstate` when it is done.
    under_way: bool,
    // The place to write over the entry one arrives at.
    then: Option<Route>,
    // What was asked for meanwhile.
    later: Vec<Box<dyn FnOnce()>>,
    focus: Option<HtmlElement>,
}

thread_local! {
    static TRAVEL: RefCell<Travel> = RefCell::default();
}

/// Reads the address at the start, lays the entries under it, and listens.
pub(crate) fn start() {
    let route = Route::parse(&hash());
    // After a reload the entries are still there.
    if dom::window().history().and_then(|h| h.state()).is_ok_and(|state| state.is_null()) {
        lay(&route);
    }
    app().route.set(route);
    dom::listen(&dom::window(), "popstate", |_| arrived());
}

/// Goes somewhere; closes the layer, if one is open.
pub(crate) fn go(to: Route) {
    if TRAVEL.with_borrow(|travel| travel.under_way) {
        TRAVEL.with_borrow_mut(|travel| travel.later.push(Box::new(move || go(to))));
        return;
    }
    let layer = app().layer.get_untracked().is_some();
    let depth = app().route.with_untracked(Route::depth);
    if layer {
        TRAVEL.with_borrow_mut(|travel| travel.focus = None);
        app().layer.set(None);
    }
    if to.depth() > depth {
        if layer {
            write(&to, 0, true);
        } else {
            // From the list to a sheet there are two steps; Back shall find both.
            if let Some(parent) = to.parent().filter(|parent| parent.depth() > depth) {
                write(&parent, 0, false);
            }
            write(&to, 0, false);
        }
    } else {
        let back = depth - to.depth() + u32::from(layer);
        if back == 0 {
            write(&to, 0, true);
        } else {
            travel(back, Some(to.clone()));
        }
    }
    if app().route.with_untracked(|route| *route != to) {
        app().route.set(to);
    }
}

/// Goes to the place above this one.
pub(crate) fn up() {
    if let Some(parent) = app().route.with_untracked(Route::parent) {
        go(parent);
    }
}

/// Opens a layer, in place of the one that is open.
pub(crate) fn open(layer: Layer) {
    if TRAVEL.with_borrow(|travel| travel.under_way) {
        TRAVEL.with_borrow_mut(|travel| travel.later.push(Box::new(move || open(layer))));
        return;
    }
    if app().layer.get_untracked().is_none() {
        let focused = dom::document().active_element();
        TRAVEL.with_borrow_mut(|travel| {
            travel.focus = focused.and_then(|e| wasm_bindgen::JsCast::dyn_into(e).ok());
        });
        app().route.with_untracked(|route| write(route, 1, false));
    }
    app().layer.set(Some(layer));
}

/// Closes the layer; the focus returns to what opened it.
pub(crate) fn close() {
    if app().layer.get_untracked().is_some() {
        app().layer.set(None);
        give_focus_back();
        travel(1, None);
    }
}

fn arrived() {
    let (then, later) = TRAVEL.with_borrow_mut(|travel| {
        travel.under_way = false;
        (travel.then.take(), std::mem::take(&mut travel.later))
    });
    if let Some(route) = then {
        write(&route, 0, true);
    } else if app().layer.get_untracked().is_some() {
        app().layer.set(None);
        give_focus_back();
    } else {
        let route = Route::parse(&hash());
        if dom::window().history().and_then(|h| h.state()).is_ok_and(|state| state.is_null()) {
            // Typed or clicked: an entry of its own, which becomes one of ours.
            write(&route, 0, true);
        }
        if app().route.with_untracked(|now| *now != route) {
            app().route.set(route);
        }
    }
    for run in later {
        run();
    }
}

fn give_focus_back() {
    if let Some(element) = TRAVEL.with_borrow_mut(|travel| travel.focus.take()) {
        dom::before_paint(move || drop(element.focus()));
    }
}

fn travel(back: u32, then: Option<Route>) {
    TRAVEL.with_borrow_mut(|travel| {
        travel.under_way = true;
        travel.then = then;
    });
    if let Ok(history) = dom::window().history() {
        drop(history.go_with_delta(-(back.cast_signed())));
    }
}

fn lay(route: &Route) {
    if let Some(parent) = route.parent() {
        lay(&parent);
        write(route, 0, false);
    } else {
        write(route, 0, true);
    }
}

fn write(route: &Route, layer: u32, replace: bool) {
    let Ok(history) = dom::window().history() else { return };
    let state = JsValue::from_f64(f64::from(route.depth() * 2 + layer));
    let address = route.hash();
    drop(if replace {
        history.replace_state_with_url(&state, "", Some(&address))
    } else {
        history.push_state_with_url(&state, "", Some(&address))
    });
}

fn hash() -> String {
    let hash = dom::window().location().hash().unwrap_or_default();
    js_sys::decode_uri_component(&hash).map_or(hash, String::from)
}
