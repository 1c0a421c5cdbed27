// SPDX-License-Identifier: AGPL-3.0-or-later
//! The list of chats: header, one strip, the row of requests, the rows.

use leptos::{ev, html, prelude::*};
use nodoor_view::model::{ConversationId, ConversationRow, From, Kind, SendState};
use web_sys::{KeyboardEvent, MouseEvent};

use crate::{
    arrange,
    chat::{below, mark},
    dom::{icon, icon_with},
    layer::{Choice, menu, walk},
    parts::{Weight, bdi, button, face_of_chat, icon_button},
    remind,
    route::{self, Layer, Route},
    state::{app, copied, open_saved},
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
        arrange::filters(),
        requests_row(),
        arrange::archived_row(),
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
            Choice::new("bookmark", say("saved-messages"), || {
                route::close();
                open_saved();
            }),
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
    let shown = Memo::new(|_| arrange::shown());
    let none = Memo::new(move |_| shown.with(Vec::is_empty));
    let nobody = Memo::new(move |_| app.chats.with(Vec::is_empty));
    move || {
        if !app.chats_known.get() {
            return skeleton().into_any();
        }
        if nobody.get() {
            return empty().into_any();
        }
        if let Some(words) = arrange::nothing().filter(|_| none.get()) {
            return html::div().class("empty").child(html::p().child(words)).into_any();
        }
        html::ul()
            .class("rows")
            .attr("aria-label", say("chats"))
            .on(ev::keydown, |event: KeyboardEvent| walk(&event, "a.row"))
            .child(For(ForProps::builder()
                .each(move || shown.get())
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
    let typing = Memo::new(move |_| app.who_types(id));
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
                .class(move || if kept.with(arrange::is_unread) { "row unread" } else { "row" })
                .on(ev::contextmenu, move |event: MouseEvent| {
                    event.prevent_default();
                    let (x, y) = match (event.client_x(), event.client_y()) {
                        // By key: under the row.
                        (0, 0) => below(&event),
                        at => at,
                    };
                    route::open(Layer::RowMenu(id, x, y));
                })
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
                            move || kept.with(arrange::is_muted).then(|| sign("bell-off", "muted")),
                            move || {
                                when.get()
                                    .map(|(short, exact)| html::time().title(exact).child(short))
                            },
                        )),
                        html::span().class("line").child((
                            move || match typing.get() {
                                Some(text) => {
                                    html::span().class("preview draft").child(text).into_any()
                                }
                                None => kept.with(|row| preview(row, current.get())),
                            },
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
            html::bdi().dir("auto").child(words::content(&last.from, &last.content)),
        )),
    )
        .into_any()
}

/// A picture with its word.
fn sign(icon: &'static str, word: &str) -> impl IntoView + use<> {
    let word = say(word);
    html::span()
        .class("sign")
        .title(word.clone())
        .child((icon_with(icon, "icon small"), html::span().class("unseen").child(word)))
}

fn badge(row: &ConversationRow) -> AnyView {
    if row.unread == 0 && row.place.marked {
        let words = say("marked-unread");
        let dot = html::span().class("unseen").child(words);
        return html::span().class("badge dot-only").child(dot).into_any();
    }
    if row.unread == 0 {
        let pinned = row.place.pinned_at.is_some();
        return pinned.then(|| sign("pin", "pinned-chat")).into_any();
    }
    let class = if arrange::is_muted(row) { "badge muted" } else { "badge" };
    counted(row, class).into_any()
}

fn counted(row: &ConversationRow, class: &'static str) -> Option<impl IntoView + use<>> {
    let named = row.mentioned.then(|| {
        html::span().class("badge at").title(say("named-you")).child((
            icon_with("at-sign", "icon small"),
            html::span().class("unseen").child(say("named-you")),
        ))
    });
    (row.unread > 0).then(|| {
        let words = say_with("unread-count", &[("count", Put::from(row.unread))]);
        let shown = if row.unread > 999 { "999+".to_owned() } else { row.unread.to_string() };
        let count = html::span().class(class).child((
            html::span().attr("aria-hidden", "true").child(shown),
            html::span().class("unseen").child(words),
        ));
        (named, count)
    })
}
