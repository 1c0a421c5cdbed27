// SPDX-License-Identifier: AGPL-3.0-or-later
//! The sheet of a chat: who can read it, what is known of the keys, and what can be done.
//!
//! People and devices are counted from the MLS tree, nothing else.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, ConversationRow, Kind, Sheet, Writable},
};

use crate::{
    bridge::{ask, tell},
    chat::{block, people},
    dom::{icon, icon_with},
    leading,
    ledger::{check, said_at},
    parts::{Weight, back, bdi, button, face_of_chat, icon_button, part},
    route::{self, Layer, Route},
    state::{app, copied},
    words::{Put, say, say_with, span},
};

/// The third pane.
pub(crate) fn sheet(id: ConversationId) -> AnyView {
    let Some(row) = app().row(id) else { return ().into_any() };
    let told: RwSignal<Option<Sheet>> = RwSignal::new(None);
    // Asked again whenever the row changes: a member came or went, a title changed.
    Effect::new(move |_| {
        row.track();
        // And when a dialog over it closed.
        app().layer.track();
        ask(Command::Sheet { conversation: id }, move |reply| match reply {
            Reply::Sheet(sheet) => {
                told.try_set(Some(sheet));
            }
            Reply::Problem(problem) => app().problem(&problem),
            _ => (),
        });
    });
    let kind = row.with_untracked(|row| row.kind);
    let title = match kind {
        Kind::Direct => say("contact"),
        Kind::Group => say("group"),
    };
    (
        html::header().class("head").child((
            html::div().class("only-phone").child(back()),
            html::h1().child(title),
            html::div().class("not-phone").child(icon_button("x", say("close"), |_| route::up())),
        )),
        html::div().class("page").tabindex("0").child(html::div().class("inner").child(
            move || {
                told.get().map(|sheet| match kind {
                    Kind::Direct => contact(&sheet).into_any(),
                    Kind::Group => group(&sheet).into_any(),
                })
            },
        )),
    )
        .into_any()
}

fn contact(sheet: &Sheet) -> impl IntoView + use<> {
    let row = &sheet.row;
    let id = row.id;
    let handle = row.person.as_ref().map(|person| person.handle.clone()).unwrap_or_default();
    let at_handle = format!("@{handle}");
    let common = u32::try_from(sheet.groups_in_common.len()).unwrap_or(u32::MAX);
    let blocked = row.writable == Writable::Blocked;
    (
        html::div().class("who").child((
            face_of_chat(row, "large"),
            html::h2().child(bdi(row.title.clone())),
            // A person without a name is called by the handle already.
            (row.title != at_handle)
                .then(|| html::p().class("quiet").dir("ltr").child(at_handle.clone())),
        )),
        html::div().class("row-of-buttons").child((
            button(Weight::Plain, say("message"), move || route::go(Route::Chat(id))),
            button(Weight::Plain, say("copy-handle"), {
                let at_handle = at_handle.clone();
                move || copied(&at_handle)
            }),
        )),
        check(sheet.check, row),
        html::div().class("list").child(
            html::button()
                .r#type("button")
                .class("item")
                .on(ev::click, move |_| route::open(Layer::Compare(id)))
                .child((
                    icon("qr-code"),
                    html::span().class("what").child((
                        html::span().child(say("compare")),
                        sheet
                            .compared_at
                            .map(|at| html::span().class("hint").child(said_at("compared-at", at))),
                    )),
                    icon_with("chevron-right", "icon small mirror"),
                )),
        ),
        timer(row),
        (common > 0).then(|| {
            part(
                say_with("groups-in-common", &[("count", Put::from(common))]),
                html::ul().class("list").child(
                    sheet
                        .groups_in_common
                        .iter()
                        .map(|group| html::li().child(group_item(group)))
                        .collect_view(),
                ),
            )
        }),
        if blocked {
            button(
                Weight::Plain,
                say_with("unblock-name", &[("handle", Put::Text(&at_handle))]),
                move || tell(Command::Unblock { conversation: id }),
            )
            .into_any()
        } else {
            button(
                Weight::Danger,
                say_with("block-name", &[("handle", Put::Text(&at_handle))]),
                move || block(id),
            )
            .into_any()
        },
    )
}

/// How long messages stay; a press changes it.
fn timer(row: &ConversationRow) -> impl IntoView + use<> {
    let id = row.id;
    let value = if row.timer == 0 { say("off") } else { span(row.timer) };
    (row.writable == Writable::Yes).then(|| {
        html::div().class("list").child(
            html::button()
                .r#type("button")
                .class("item")
                .on(ev::click, move |_| route::open(Layer::Timer(id)))
                .child((
                    icon("timer"),
                    html::span().class("what").child(say("disappearing")),
                    html::span().class("value").child(value),
                    icon_with("chevron-right", "icon small mirror"),
                )),
        )
    })
}

fn group_item(group: &ConversationRow) -> impl IntoView + use<> {
    let id = group.id;
    html::a()
        .class("item")
        .href(Route::Chat(id).hash())
        .on(ev::click, move |event| {
            event.prevent_default();
            route::go(Route::Chat(id));
        })
        .child((
            face_of_chat(group, "small"),
            html::span().class("what").child(bdi(group.title.clone())),
            icon_with("chevron-right", "icon small mirror"),
        ))
}

fn group(sheet: &Sheet) -> impl IntoView + use<> {
    let row = &sheet.row;
    let id = row.id;
    let may = sheet.may_manage && row.writable == Writable::Yes;
    let inside = !matches!(row.writable, Writable::Left | Writable::Removed | Writable::Imported);
    (
        html::div().class("who").child((
            face_of_chat(row, "large"),
            html::h2().child(bdi(row.title.clone())),
            inside.then(|| html::p().class("quiet").child(people(row))),
        )),
        may.then(|| {
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("add-person"), move || route::open(Layer::AddPerson(id))),
                button(Weight::Plain, say("rename-group"), move || route::open(Layer::Rename(id))),
            ))
        }),
        check(sheet.check, row),
        timer(row),
        part(
            say("members"),
            html::ul().class("list").child(
                sheet
                    .members
                    .iter()
                    .map(|member| html::li().child(leading::member_item(sheet, member)))
                    .collect_view(),
            ),
        ),
        leading::conduct(sheet),
        inside.then(|| {
            button(Weight::Danger, say("leave-group"), move || route::open(Layer::Leave(id)))
        }),
    )
}
