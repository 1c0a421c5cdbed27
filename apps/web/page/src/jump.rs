// SPDX-License-Identifier: AGPL-3.0-or-later
//! Ctrl+K: jump to a chat, a setting or a command. An empty query lists unread chats first. And the choice of a chat to
//! send a message on to.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    message,
    model::{ConversationId, MessageId},
    past::{self, Hit},
};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::{
    bridge::ask,
    chat::found_in,
    dom::{self, icon},
    layer::dialog,
    parts::{bdi, face_of_chat},
    route::{self, Route, Section},
    state::{app, open_direct},
    time,
    words::{Put, say, say_with},
};

const SHOWN: usize = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Chat(ConversationId),
    Place(Route, &'static str, String),
    Person(String),
    Message(Box<Hit>),
}

/// The dialog.
pub(crate) fn jump() -> AnyView {
    finder(say("jump"), say("jump-hint"), true, search, follow)
}

/// Where to send a message on.
pub(crate) fn forward(message: MessageId) -> AnyView {
    let send = move |found| {
        let Found::Chat(to) = found else { return };
        route::close();
        let of = message::Command::Forward { message, to };
        ask(Command::Message { of }, move |reply| match reply {
            Reply::Problem(problem) => app().problem(&problem),
            _ => {
                let row = app().row(to);
                let name = row.map(|row| row.with_untracked(|row| row.title.clone()));
                let name = name.unwrap_or_default();
                let said = say_with("forwarded-to", &[("name", Put::Text(&name))]);
                app().toast(said, None);
            }
        });
    };
    finder(say("forward-to"), say("forward-hint"), false, chats, send)
}

/// A field, what fits what stands in it, and what a choice does.
fn finder(
    title: String,
    hint: String,
    messages: bool,
    search: fn(&str) -> Vec<Found>,
    follow: impl Fn(Found) + Clone + Send + 'static,
) -> AnyView {
    let label = title.clone();
    let listed = title.clone();
    let query = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let said: RwSignal<Vec<Hit>> = RwSignal::new(Vec::new());
    let found = Memo::new(move |_| {
        let mut found = search(&query.get());
        found.extend(said.get().into_iter().map(|hit| Found::Message(Box::new(hit))));
        found
    });
    let field: NodeRef<html::Input> = NodeRef::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            drop(field.focus());
        }
    });
    let chosen_one = follow.clone();
    let keys = move |event: KeyboardEvent| {
        let count = found.with(Vec::len);
        let to = match event.key().as_str() {
            "ArrowDown" => (chosen.get_untracked() + 1) % count.max(1),
            "ArrowUp" => (chosen.get_untracked() + count.saturating_sub(1)) % count.max(1),
            "Enter" if !event.is_composing() => {
                event.prevent_default();
                if let Some(found) = found.with(|all| all.get(chosen.get_untracked()).cloned()) {
                    chosen_one(found);
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
        title,
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
                    .attr("aria-label", label)
                    .attr("autocomplete", "off")
                    .placeholder(hint)
                    .on(ev::input, move |event| {
                        let typed = event_target_value(&event);
                        query.set(typed.clone());
                        chosen.set(0);
                        if messages {
                            look_for(typed, query, said);
                        }
                    })
                    .on(ev::keydown, keys),
            )),
            html::div()
                .id("jump-list")
                .class("jump-list")
                .role("listbox")
                .attr("aria-label", listed)
                .child(move || {
                    let follow = follow.clone();
                    let lines = found.get().into_iter().enumerate();
                    lines
                        .map(|(index, found)| line(index, found, chosen, follow.clone()))
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

fn line(
    index: usize,
    found: Found,
    chosen: RwSignal<usize>,
    follow: impl Fn(Found) + 'static,
) -> impl IntoView {
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
        Found::Message(hit) => Some(
            (
                icon("message-circle"),
                html::span().class("lines").child((
                    html::span().class("line").child((
                        html::span().class("name").child(bdi(hit.title.clone())),
                        html::time().child(time::in_list(hit.at, app().now.get_untracked())),
                    )),
                    html::span().class("preview").dir("auto").child(marked(hit)),
                )),
            )
                .into_any(),
        ),
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
        Found::Message(hit) => {
            let words = found_in(&hit);
            app().chat.open_at(hit.conversation, hit.message, words);
            // The field of the message keeps the focus.
            return;
        }
        Found::Person(handle) => {
            route::close();
            open_direct(handle);
        }
    }
    drop(dom::document().active_element().map(|e| e.unchecked_into::<HtmlElement>().blur()));
}

/// Asks what was said anywhere that fits; the newest question counts.
fn look_for(typed: String, query: RwSignal<String>, said: RwSignal<Vec<Hit>>) {
    if typed.trim().chars().count() < 2 {
        said.set(Vec::new());
        return;
    }
    let of = past::Command::Search {
        query: typed.clone(),
        conversation: None,
        before: None,
        limit: SHOWN as u32,
    };
    ask(Command::Past { of }, move |reply| {
        if let Reply::Past(past::Reply::Hits(hits)) = reply
            && query.try_get_untracked().is_some_and(|now| now == typed)
        {
            said.try_set(hits.rows);
        }
    });
}

/// A line of what was said, with what was found marked.
fn marked(hit: &Hit) -> AnyView {
    let mut parts: Vec<AnyView> = Vec::new();
    let mut from = 0;
    for range in &hit.marks {
        let text =
            |range: std::ops::Range<usize>| hit.snippet.get(range).unwrap_or_default().to_owned();
        parts.push(text(from..range.start).into_any());
        parts.push(html::mark().child(text(range.clone())).into_any());
        from = range.end;
    }
    parts.push(hit.snippet.get(from..).unwrap_or_default().to_owned().into_any());
    parts.collect_view().into_any()
}

/// Chats that fit.
fn chats(query: &str) -> Vec<Found> {
    let query = query.trim().to_lowercase();
    let app = app();
    let chats = app.chats.get_untracked();
    if query.is_empty() {
        let unread = |id: &ConversationId| {
            app.row(*id).is_some_and(|row| row.with_untracked(|row| row.unread > 0))
        };
        let first = chats.iter().filter(|id| unread(id));
        let rest = chats.iter().filter(|id| !unread(id));
        return first.chain(rest).take(SHOWN).map(|id| Found::Chat(*id)).collect();
    }
    let bare = query.trim_start_matches('@');
    chats
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
        .collect()
}

/// Chats, places and people that fit.
fn search(query: &str) -> Vec<Found> {
    let mut found = chats(query);
    let query = query.trim().to_lowercase();
    if query.is_empty() {
        return found;
    }
    let bare = query.trim_start_matches('@');
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
