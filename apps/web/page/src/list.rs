// SPDX-License-Identifier: AGPL-3.0-or-later
//! The list of chats: header, one strip, the row of requests, the rows.

use leptos::{ev, html, prelude::*};
use nodoor_view::model::{ConversationId, ConversationRow, From, Kind, SendState};
use web_sys::{KeyboardEvent, MouseEvent};

use crate::{
    chat::{below, mark},
    dom::{icon, icon_with},
    layer::{Choice, menu, walk},
    parts::{Weight, bdi, button, face_of_chat, icon_button},
    remind,
    route::{self, Layer, Route},
    state::{app, copied},
    strips, time,
    words::{self, Put, name_of, say, say_with},
};

/// The list pane.
pub(crate) fn side() -> impl IntoView {
    (
        html::header().class("head").child((
            html::h1().child(say("chats")),
            icon_button("plus", say("new"), |event: MouseEvent| {
                let (x, y) = below(&event);
                route::open(Layer::NewMenu(x, y));
            }),
            icon_button("search", say("jump"), |_| route::open(Layer::Jump)),
            gear(),
        )),
        strips::strip(),
        remind::card(),
        requests_row(),
        body(),
    )
}

/// The way to the settings; a dot says that something there waits.
fn gear() -> impl IntoView {
    let dot = Memo::new(|_| app().words.dot());
    move || {
        let label = if dot.get() { "settings-words" } else { "settings" };
        html::span().class("dotted").child((
            icon_button("settings", say(label), |_| route::go(Route::Settings)),
            dot.get().then(|| html::span().class("dot")),
        ))
    }
}

/// The menu of the plus.
pub(crate) fn new_menu(x: i32, y: i32) -> AnyView {
    menu(
        say("new"),
        x,
        y,
        vec![
            Choice::new("message-circle", say("new-chat"), || route::go(Route::Find)),
            Choice::new("users", say("new-group"), || route::go(Route::NewGroup)),
            Choice::new("link", say("my-link"), || route::open(Layer::MyLink)),
        ],
    )
}

fn requests_row() -> impl IntoView {
    let app = app();
    move || {
        let count = app.request_count.get();
        (count > 0).then(|| {
            html::a()
                .class("row requests")
                .href("#/requests")
                .attr("aria-current", move || {
                    (app.route.get() == Route::Requests).then_some("page")
                })
                .on(ev::click, |event| {
                    event.prevent_default();
                    route::go(Route::Requests);
                })
                .child((
                    html::span().class("round").child(icon("mail")),
                    html::span()
                        .class("lines")
                        .child(say_with("request-count", &[("count", Put::from(count))])),
                    icon_with("chevron-right", "icon small mirror"),
                ))
        })
    }
}

fn body() -> impl IntoView {
    let app = app();
    move || {
        if !app.chats_known.get() {
            return skeleton().into_any();
        }
        if app.chats.with(Vec::is_empty) {
            return empty().into_any();
        }
        html::ul()
            .class("rows")
            .attr("aria-label", say("chats"))
            .on(ev::keydown, |event: KeyboardEvent| walk(&event, "a.row"))
            .child(For(ForProps::builder()
                .each(move || app.chats.get())
                .key(|id| *id)
                .children(row)
                .build()))
            .into_any()
    }
}

fn skeleton() -> impl IntoView {
    let late = RwSignal::new(false);
    crate::dom::after(150, move || {
        late.try_set(true);
    });
    move || {
        late.get().then(|| {
            html::div().class("rows skeleton").attr("aria-hidden", "true").child(
                (0..8)
                    .map(|_| {
                        html::div().class("row").child((
                            html::span().class("face"),
                            html::span()
                                .class("lines")
                                .child((html::span().class("bar"), html::span().class("bar long"))),
                        ))
                    })
                    .collect_view(),
            )
        })
    }
}

/// Copies one's own invite link.
fn copy_link() {
    if let Some(profile) = app().profile.get_untracked() {
        copied(&profile.invite_link);
    }
}

fn empty() -> impl IntoView {
    html::div().class("empty").child((
        icon_with("message-circle", "icon big"),
        html::p().child(say("no-chats")),
        html::div().class("row-of-buttons").child((
            button(Weight::Main, say("find"), || route::go(Route::Find)),
            button(Weight::Plain, say("copy-my-link"), copy_link),
        )),
    ))
}

fn row(id: ConversationId) -> impl IntoView {
    let app = app();
    let kept = app.row(id)?;
    let current = Memo::new(move |_| app.route.with(Route::chat) == Some(id));
    let when = Memo::new(move |_| {
        let now = app.now.get();
        kept.with(|row| {
            row.last.as_ref().map(|last| (time::in_list(last.at, now), time::exact(last.at)))
        })
    });
    Some(
        html::li().child(
            html::a()
                .href(Route::Chat(id).hash())
                .class(move || if kept.with(|row| row.unread > 0) { "row unread" } else { "row" })
                .attr("aria-current", move || current.get().then_some("page"))
                .on(ev::click, move |event| {
                    event.prevent_default();
                    route::go(Route::Chat(id));
                })
                .child((
                    move || kept.with(|row| face_of_chat(row, "")),
                    html::span().class("lines").child((
                        html::span().class("line").child((
                            html::span()
                                .class("name")
                                .child(move || kept.with(|row| bdi(row.title.clone()))),
                            move || {
                                when.get()
                                    .map(|(short, exact)| html::time().title(exact).child(short))
                            },
                        )),
                        html::span().class("line").child((
                            move || kept.with(|row| preview(row, current.get())),
                            move || kept.with(badge),
                        )),
                    )),
                )),
        ),
    )
}

fn preview(row: &ConversationRow, current: bool) -> AnyView {
    // The draft of the chat one writes in stands in its composer.
    if !row.draft.trim().is_empty() && !current {
        return html::span()
            .class("preview")
            .child((
                html::span().class("draft").child(say("draft")),
                " ",
                html::bdi().dir("auto").child(row.draft.clone()),
            ))
            .into_any();
    }
    let Some(last) = &row.last else {
        return html::span().class("preview").into_any();
    };
    let failed = matches!(last.state, Some(SendState::NotSent { .. }));
    let who = match (&last.from, row.kind) {
        (From::Me, _) => Some(html::span().child(say("you-preview")).into_any()),
        (From::Them(person), Kind::Group) => Some((bdi(name_of(person)), ": ").into_any()),
        _ => None,
    };
    (
        last.state.as_ref().and_then(|state| mark(state, row.held, words::state(state, row))),
        failed.then(|| {
            html::span().class("failed").child((
                icon_with("circle-alert", "icon small"),
                html::span().class("unseen").child(say("not-sent")),
            ))
        }),
        html::span().class("preview").child((
            who.map(|who| (who, " ")),
            html::bdi().dir("auto").child(words::content(&last.content)),
        )),
    )
        .into_any()
}

fn badge(row: &ConversationRow) -> Option<impl IntoView + use<>> {
    (row.unread > 0).then(|| {
        let words = say_with("unread-count", &[("count", Put::from(row.unread))]);
        let shown = if row.unread > 999 { "999+".to_owned() } else { row.unread.to_string() };
        html::span().class("badge").child((
            html::span().attr("aria-hidden", "true").child(shown),
            html::span().class("unseen").child(words),
        ))
    })
}
