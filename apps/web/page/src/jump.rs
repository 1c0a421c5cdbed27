// SPDX-License-Identifier: AGPL-3.0-or-later
//! Ctrl+K: jump to a chat, a setting or a command. An empty query lists unread chats first.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::{
    dom::{self, icon},
    layer::dialog,
    parts::{bdi, face_of_chat},
    route::{self, Route, Section},
    state::{app, open_direct},
    words::{Put, say, say_with},
};

const SHOWN: usize = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Chat(nodoor_view::model::ConversationId),
    Place(Route, &'static str, String),
    Person(String),
}

/// The dialog.
pub(crate) fn jump() -> AnyView {
    let query = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let found = Memo::new(move |_| search(&query.get()));
    let field: NodeRef<html::Input> = NodeRef::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            drop(field.focus());
        }
    });
    let keys = move |event: KeyboardEvent| {
        let count = found.with(Vec::len);
        let to = match event.key().as_str() {
            "ArrowDown" => (chosen.get_untracked() + 1) % count.max(1),
            "ArrowUp" => (chosen.get_untracked() + count.saturating_sub(1)) % count.max(1),
            "Enter" if !event.is_composing() => {
                event.prevent_default();
                if let Some(found) = found.with(|all| all.get(chosen.get_untracked()).cloned()) {
                    follow(found);
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        chosen.set(to);
        if let Some(row) = dom::find(&format!("#jump-{to}")) {
            dom::call_with(&row, "scrollIntoView", &nearest());
        }
    };
    dialog(
        say("jump"),
        (
            html::div().class("input").child((
                icon("search"),
                html::input()
                    .node_ref(field)
                    .r#type("text")
                    .role("combobox")
                    .autofocus(true)
                    .dir("auto")
                    .attr("aria-expanded", "true")
                    .attr("aria-controls", "jump-list")
                    .attr("aria-activedescendant", move || format!("jump-{}", chosen.get()))
                    .attr("aria-label", say("jump"))
                    .attr("autocomplete", "off")
                    .placeholder(say("jump-hint"))
                    .on(ev::input, move |event| {
                        query.set(event_target_value(&event));
                        chosen.set(0);
                    })
                    .on(ev::keydown, keys),
            )),
            html::div()
                .id("jump-list")
                .class("jump-list")
                .role("listbox")
                .attr("aria-label", say("jump"))
                .child(move || {
                    found
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(index, found)| line(index, found, chosen))
                        .collect_view()
                }),
        ),
    )
    .into_any()
}

fn nearest() -> wasm_bindgen::JsValue {
    let options = js_sys::Object::new();
    drop(js_sys::Reflect::set(&options, &"block".into(), &"nearest".into()));
    options.into()
}

fn line(index: usize, found: Found, chosen: RwSignal<usize>) -> impl IntoView {
    let drawn = match &found {
        Found::Chat(id) => app().row(*id).map(|row| {
            row.with_untracked(|row| {
                let unread =
                    (row.unread > 0).then(|| html::span().class("badge").child(row.unread));
                (
                    face_of_chat(row, "small"),
                    html::span().class("lines").child(bdi(row.title.clone())),
                    unread,
                )
                    .into_any()
            })
        }),
        Found::Place(_, picture, label) => {
            Some((icon(picture), html::span().class("lines").child(label.clone())).into_any())
        }
        Found::Person(handle) => Some(
            (
                icon("search"),
                html::span().class("lines").child(say_with(
                    "find-handle",
                    &[("handle", Put::Text(&format!("@{handle}")))],
                )),
            )
                .into_any(),
        ),
    };
    html::div()
        .class("row")
        .role("option")
        .id(format!("jump-{index}"))
        .attr("aria-selected", move || (chosen.get() == index).to_string())
        .on(ev::click, move |_| follow(found.clone()))
        .child(drawn)
}

fn follow(found: Found) {
    match found {
        Found::Chat(id) => route::go(Route::Chat(id)),
        Found::Place(route, ..) => route::go(route),
        Found::Person(handle) => {
            route::close();
            open_direct(handle);
        }
    }
    drop(dom::document().active_element().map(|e| e.unchecked_into::<HtmlElement>().blur()));
}

fn search(query: &str) -> Vec<Found> {
    let query = query.trim().to_lowercase();
    let app = app();
    let chats = app.chats.get_untracked();
    if query.is_empty() {
        let unread = |id: &nodoor_view::model::ConversationId| {
            app.row(*id).is_some_and(|row| row.with_untracked(|row| row.unread > 0))
        };
        let first = chats.iter().filter(|id| unread(id));
        let rest = chats.iter().filter(|id| !unread(id));
        return first.chain(rest).take(SHOWN).map(|id| Found::Chat(*id)).collect();
    }
    let bare = query.trim_start_matches('@');
    let mut found: Vec<Found> = chats
        .iter()
        .filter(|id| {
            app.row(**id).is_some_and(|row| {
                row.with_untracked(|row| {
                    row.title.to_lowercase().contains(bare)
                        || row.person.as_ref().is_some_and(|person| person.handle.contains(bare))
                })
            })
        })
        .take(SHOWN)
        .map(|id| Found::Chat(*id))
        .collect();
    let mut places = vec![
        (Route::Find, "message-circle", say("new-chat")),
        (Route::NewGroup, "users", say("new-group")),
        (Route::Requests, "mail", say("requests")),
        (Route::Settings, "settings", say("settings")),
    ];
    places.extend(Section::ALL.into_iter().map(|(section, slug, icon)| {
        (Route::Section(section), icon, say(&format!("section-{slug}")))
    }));
    let places = places.into_iter().filter(|(_, _, label)| label.to_lowercase().contains(&query));
    found.extend(places.map(|(route, icon, label)| Found::Place(route, icon, label)));
    if bare.chars().count() >= 2 && !bare.contains(char::is_whitespace) {
        found.push(Found::Person(bare.to_owned()));
    }
    found
}
