// SPDX-License-Identifier: AGPL-3.0-or-later
//! The keys of the whole page, and the table that tells them. None that a browser owns.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::{
    dom,
    layer::dialog,
    route::{self, Layer, Route},
    state::app,
    words::say,
};

/// Listens for as long as the page lives.
pub(crate) fn start() {
    dom::listen(&dom::document(), "keydown", |event| {
        if let Ok(event) = event.dyn_into::<KeyboardEvent>()
            && !event.default_prevented()
            && !event.is_composing()
            && pressed(&event)
        {
            event.prevent_default();
        }
    });
    // A press beside a menu closes it.
    dom::listen(&dom::document(), "pointerdown", |event| {
        let open = app().layer.with_untracked(|layer| layer.as_ref().is_some_and(Layer::is_menu));
        let inside = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|target| target.closest(".menu").ok().flatten().is_some());
        if open && !inside {
            route::close();
        }
    });
}

fn pressed(event: &KeyboardEvent) -> bool {
    let app = app();
    if app.profile.with_untracked(Option::is_none) {
        return false;
    }
    let command = event.ctrl_key() || event.meta_key();
    let layer = app.layer.with_untracked(Clone::clone);
    match (event.key().as_str(), command, event.alt_key(), event.shift_key()) {
        ("k" | "K", true, false, false) => {
            if layer == Some(Layer::Jump) {
                route::close();
            } else {
                route::open(Layer::Jump);
            }
        }
        ("Escape", ..) => escape(layer.as_ref()),
        _ if layer.is_some() => return false,
        ("ArrowUp", false, true, false) => step(-1, false),
        ("ArrowDown", false, true, false) => step(1, false),
        ("ArrowDown", false, true, true) => step(1, true),
        ("F6", false, false, back) => cycle(back),
        ("End", true, false, false) => app.chat.to_latest(),
        ("i" | "I", true, false, false) => match app.route.get_untracked() {
            Route::Chat(id) => route::go(Route::Sheet(id)),
            Route::Sheet(_) => route::up(),
            _ => return false,
        },
        // In the page's own search what is not drawn is found too; and what is not said here is not found.
        ("f" | "F", true, false, false) if app.chat.id.with_untracked(Option::is_some) => {
            crate::chat::find_here();
        }
        ("f" | "F", true, false, true) => route::open(Layer::Jump),
        (",", true, false, false) => route::go(Route::Settings),
        ("?", false, false, _) if !dom::in_field(dom::document().active_element().as_ref()) => {
            route::open(Layer::Keys);
        }
        _ => return false,
    }
    true
}

fn escape(layer: Option<&Layer>) {
    if layer.is_some() {
        route::close();
        return;
    }
    match app().route.get_untracked() {
        Route::Sheet(_) | Route::Section(_) => route::up(),
        Route::Chat(_) => drop(dom::focus(".composer textarea")),
        Route::Chats => (),
        _ => route::go(Route::Chats),
    }
}

fn step(by: i32, unread: bool) {
    let app = app();
    // As they stand there, filtered.
    let chats = leptos::prelude::untrack(crate::arrange::shown);
    let is_unread = |at: usize| {
        let row = chats.get(at).and_then(|id| app.row(*id));
        row.is_some_and(|row| row.with_untracked(crate::arrange::is_unread))
    };
    let here = app.route.with_untracked(Route::chat);
    let at = here.and_then(|here| chats.iter().position(|id| *id == here));
    let to = match (unread, at) {
        (true, at) => {
            let after = at.map_or(0, |at| at + 1);
            (after..chats.len()).chain(0..after).find(|at| is_unread(*at))
        }
        (false, Some(at)) if by > 0 => Some(at + 1),
        (false, Some(at)) => at.checked_sub(1),
        (false, None) => Some(0),
    };
    if let Some(id) = to.and_then(|to| chats.get(to)) {
        route::go(Route::Chat(*id));
    }
}

/// List → messages → composer → sheet.
fn cycle(back: bool) {
    const STOPS: [(&str, &str); 4] = [
        (".side", ".side .row[aria-current='page'], .side .row"),
        (".scroller", ".messages [tabindex='0']"),
        (".composer", ".composer textarea"),
        (".sheet", ".sheet button"),
    ];
    let active = dom::document().active_element();
    let at = STOPS.iter().position(|(area, _)| {
        active.as_ref().is_some_and(|active| active.closest(area).ok().flatten().is_some())
    });
    for n in 1..=STOPS.len() {
        let next = match (at, back) {
            (Some(at), false) => (at + n) % STOPS.len(),
            (Some(at), true) => (at + STOPS.len() - n) % STOPS.len(),
            (None, _) => n - 1,
        };
        let found = STOPS.get(next).and_then(|(_, target)| {
            // The row one is on, rather than the first, where the selector finds both.
            target.split(", ").find_map(dom::find)
        });
        if let Some(element) = found.filter(is_shown) {
            drop(element.focus());
            return;
        }
    }
}

fn is_shown(element: &HtmlElement) -> bool {
    element.offset_width() > 0
}

/// The table.
pub(crate) fn table() -> AnyView {
    const KEYS: [(&str, &str); 18] = [
        ("Ctrl K", "key-jump"),
        ("Ctrl F", "key-find"),
        ("Ctrl Shift F", "key-find-all"),
        ("Alt ↑ · Alt ↓", "key-chats"),
        ("Alt Shift ↓", "key-unread"),
        ("F6 · Shift F6", "key-panes"),
        ("Esc", "key-escape"),
        ("Enter", "key-send"),
        ("Shift Enter", "key-line"),
        ("↑", "key-edit-last"),
        ("↑ ↓ Home End", "key-messages"),
        ("Enter", "key-menu"),
        ("R · E · +", "key-about"),
        ("C · Del", "key-message"),
        ("Ctrl End", "key-latest"),
        ("Ctrl I", "key-info"),
        ("Ctrl ,", "key-settings"),
        ("?", "key-table"),
    ];
    let rows = KEYS
        .into_iter()
        .map(|(keys, words)| {
            html::tr().child((
                html::th().attr("scope", "row").child(html::kbd().dir("ltr").child(keys)),
                html::td().child(say(words)),
            ))
        })
        .collect_view();
    dialog(say("keys"), html::table().class("keys").child(html::tbody().child(rows))).into_any()
}
