// SPDX-License-Identifier: AGPL-3.0-or-later
//! Requests of people not yet accepted: plain text, nothing linked, nothing decoded.

use leptos::{html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    model::{Kind, RequestRow},
};

use crate::{
    bridge::ask,
    chat::block_handle,
    parts::{Weight, bdi, button, face_of, page},
    route::{self, Route},
    state::{app, load_chats},
    time,
    words::{Put, name_of, say, say_with},
};

/// The screen of requests.
pub(crate) fn requests() -> impl IntoView {
    let app = app();
    page(say("requests"), false, move || {
        let all = app.requests.get();
        if all.is_empty() {
            return html::p().class("quiet").child(say("no-requests")).into_any();
        }
        all.into_iter().map(card).collect_view().into_any()
    })
}

fn card(row: RequestRow) -> impl IntoView {
    let app = app();
    let id = row.conversation;
    let handle = row.from.handle.clone();
    let at_handle = format!("@{handle}");
    let accept = move || {
        ask(Command::Accept { conversation: id }, move |reply| match reply {
            Reply::Conversation(row) => {
                let id = row.id;
                app.put_row(row);
                load_chats();
                route::go(Route::Chat(id));
            }
            Reply::Problem(problem) => app.problem(&problem),
            _ => (),
        });
    };
    let decline = move || {
        ask(Command::Decline { conversation: id }, move |reply| match reply {
            Reply::Problem(problem) => app.problem(&problem),
            _ => {
                load_chats();
                app.toast(say("request-deleted"), None);
            }
        });
    };
    let first_seen = row.first_seen;
    html::article().class("card request").attr("aria-label", at_handle.clone()).child((
        html::div().class("by").child((
            face_of(&row.from, "middle"),
            html::div().child((
                html::div().child(html::strong().child(bdi(name_of(&row.from)))),
                html::div().class("hint").child(move || {
                    let ago = time::ago(first_seen, app.now.get());
                    say_with("first-seen", &[("ago", Put::Text(&ago))])
                }),
            )),
        )),
        (row.kind == Kind::Group).then(|| invitation(&row)),
        (!row.text.is_empty())
            .then(|| html::div().class("quote").dir("auto").tabindex("0").child(row.text.clone())),
        html::p()
            .class("hint")
            .child(say_with("request-note", &[("handle", Put::Text(&at_handle))])),
        html::div().class("row-of-buttons").child((
            button(Weight::Main, say("accept"), accept),
            button(Weight::Plain, say("delete"), decline),
            button(Weight::Danger, say("block"), move || block_handle(id, handle.clone())),
        )),
    ))
}

fn invitation(row: &RequestRow) -> impl IntoView + use<> {
    let by = name_of(&row.from);
    let members = row
        .members
        .iter()
        .map(|person| html::li().class("chip").child(bdi(name_of(person))))
        .collect_view();
    (
        html::p().child(say_with(
            "invites-to-group",
            &[("name", Put::Text(&by)), ("title", Put::Text(&row.title))],
        )),
        row.same_title_as_mine.then(|| {
            html::p().class("warn-note").child(say_with(
                "same-title",
                &[("title", Put::Text(&row.title)), ("name", Put::Text(&by))],
            ))
        }),
        (!row.members.is_empty()).then(|| {
            html::ul().class("chips").attr("aria-label", say("in-the-group")).child(members)
        }),
    )
}
