// SPDX-License-Identifier: AGPL-3.0-or-later
//! What concerns the account: profile, privacy, signing out.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    device,
    model::{ConversationRow, Milliseconds},
};

use super::look::switch;
use crate::{
    bridge::ask,
    chat::set_name,
    dom,
    layer::dialog,
    parts::{Weight, bdi, button, face, face_of_chat, part, submit},
    push,
    qr::qr,
    remind::{self, DELIVERED, LATER},
    route::{self, Layer, Route, Section},
    state::{Engine, app, copied, load_chats},
    time,
    words::{self, Put, say, say_with},
};

/// Name, handle, invite link.
pub(super) fn profile() -> impl IntoView {
    let app = app();
    let field: NodeRef<html::Input> = NodeRef::new();
    move || {
        let profile = app.profile.get()?;
        let named = !profile.handle.is_empty();
        let shown = match (profile.name.is_empty(), named) {
            (false, _) => profile.name.clone(),
            (true, true) => profile.handle.clone(),
            (true, false) => say("no-handle"),
        };
        Some((
            html::div().class("who").child((
                face(&profile.account, &shown, "large"),
                html::h2().child(bdi(shown)),
                named.then(|| {
                    html::p().class("quiet").dir("ltr").child(format!("@{}", profile.handle))
                }),
            )),
            html::form()
                .class("part")
                .on(ev::submit, move |event| {
                    event.prevent_default();
                    set_name(field.get_untracked().map(|field| field.value()).unwrap_or_default());
                    app.toast(say("saved"), None);
                })
                .child((
                    html::div().class("field").child((
                        html::label().r#for("name").child(say("name")),
                        html::div().class("input").child(
                            html::input()
                                .id("name")
                                .node_ref(field)
                                .r#type("text")
                                .dir("auto")
                                .maxlength("60")
                                .attr("autocomplete", "name")
                                .attr("aria-describedby", "name-hint")
                                .value(profile.name.clone()),
                        ),
                        html::p().id("name-hint").class("hint").child(say("name-hint")),
                    )),
                    html::div()
                        .child(html::button().r#type("submit").class("button").child(say("save"))),
                )),
            // A link without a handle leads to nobody.
            named.then(|| {
                part(
                    say("invite-link"),
                    html::div().class("card").child(invite(profile.invite_link)),
                )
            }),
            lost_handle(),
        ))
    }
}

/// The handle of an account that was lost: what is asked for, or a field to ask.
fn lost_handle() -> impl IntoView {
    let app = app();
    let asked: RwSignal<Option<(String, Option<Milliseconds>)>> = RwSignal::new(None);
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let field: NodeRef<html::Input> = NodeRef::new();
    // Asked again whenever something was told of one's account.
    Effect::new(move |_| {
        app.devices_changed.track();
        ask(Command::Device { of: device::Command::Moving }, move |reply| {
            asked.try_set(match reply {
                Reply::Device(device::Reply::Moving { handle, from }) => Some((handle, from)),
                _ => None,
            });
        });
    });
    let send = move || {
        let handle = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let handle = handle.trim().trim_start_matches('@').to_lowercase();
        if handle.is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        ask(Command::Device { of: device::Command::MoveHandle { handle } }, move |reply| {
            busy.try_set(false);
            match reply {
                Reply::Device(device::Reply::Handle { handle, from: Some(from) }) => {
                    asked.try_set(Some((handle, Some(from))));
                }
                Reply::Problem(problem) => drop(error.try_set(Some(words::problem(&problem)))),
                _ => {}
            }
        });
    };
    let stands = move || {
        asked.get().map(|(handle, from)| {
            let handle = format!("@{handle}");
            html::p().attr("role", "status").child(match from {
                Some(from) => {
                    let now = app.now.get();
                    let when = format!("{}, {}", time::day_line(from, now), time::clock(from));
                    let values = [("handle", Put::Text(&handle)), ("when", Put::Text(&when))];
                    say_with("handle-moves", &values)
                }
                None => say_with("handle-moves-soon", &[("handle", Put::Text(&handle))]),
            })
        })
    };
    let form = move || {
        html::form()
            .on(ev::submit, move |event| {
                event.prevent_default();
                send();
            })
            .child((
                html::p().child(say("handle-lost-text")),
                html::div().class("field").child((
                    html::label().r#for("lost-handle").child(say("handle-lost-field")),
                    html::div().class("input").dir("ltr").child(
                        html::input()
                            .id("lost-handle")
                            .node_ref(field)
                            .r#type("text")
                            .maxlength("33")
                            .attr("autocomplete", "off")
                            .attr("autocapitalize", "none")
                            .attr("spellcheck", "false")
                            .on(ev::input, move |_| error.set(None)),
                    ),
                )),
                html::div()
                    .attr("aria-live", "polite")
                    .child(move || error.get().map(|error| html::p().class("failed").child(error))),
                html::div().class("row-of-buttons").child(submit(say("handle-ask"), busy.into())),
            ))
    };
    let inner = move || match asked.with(Option::is_some) {
        true => stands().into_any(),
        false => form().into_any(),
    };
    html::details().class("part").child((html::summary().child(say("handle-lost")), inner))
}

/// The invite link as a code, in words, and how it leaves this device.
fn invite(link: String) -> impl IntoView {
    let share = link.clone();
    let can_share =
        js_sys::Reflect::has(&dom::window().navigator(), &"share".into()).is_ok_and(|has| has);
    (
        qr(&link, say("invite-link-code")),
        html::p().class("code").dir("ltr").child(link.clone()),
        html::p().class("hint").child(say("invite-link-hint")),
        html::div().class("row-of-buttons").child((
            can_share.then(|| button(Weight::Plain, say("share"), move || share_link(&share))),
            button(Weight::Main, say("copy"), move || copied(&link)),
        )),
    )
}

/// Dialog: one's own link, for whoever stands beside.
pub(crate) fn link_dialog() -> AnyView {
    let profile = app().profile.get_untracked();
    let inner = profile.map(|profile| match profile.handle.is_empty() {
        true => html::p().child(say("handle-gone")).into_any(),
        false => invite(profile.invite_link).into_any(),
    });
    dialog(say("my-link"), inner).into_any()
}

fn share_link(link: &str) {
    let data = js_sys::Object::new();
    drop(js_sys::Reflect::set(&data, &"url".into(), &link.into()));
    dom::call_with(&dom::window().navigator(), "share", &data);
}

/// Receipts, blocked people.
pub(super) fn privacy() -> impl IntoView {
    let app = app();
    let blocked: RwSignal<Vec<ConversationRow>> = RwSignal::new(Vec::new());
    let load = move || {
        ask(Command::Blocked, move |reply| {
            if let Reply::Conversations(rows) = reply {
                blocked.try_set(rows);
            }
        });
    };
    load();
    (
        part(
            say("receipts"),
            html::div().class("list").child((
                switch(
                    say("give-receipts"),
                    Some(say("give-receipts-hint")),
                    move || app.settings.with(|settings| settings.receipts),
                    move |on| app.change_settings(|settings| settings.receipts = on),
                ),
                switch(
                    say("give-read-marks"),
                    Some(say("give-read-marks-hint")),
                    move || app.settings.with(|settings| settings.read_marks),
                    move |on| app.change_settings(|settings| settings.read_marks = on),
                ),
                switch(
                    say("give-typing"),
                    Some(say("give-typing-hint")),
                    move || app.settings.with(|settings| settings.typing),
                    move |on| app.change_settings(|settings| settings.typing = on),
                ),
            )),
        ),
        part(say("blocked-people"), move || {
            let rows = blocked.get();
            if rows.is_empty() {
                return html::p().class("quiet").child(say("nobody-blocked")).into_any();
            }
            html::ul()
                .class("list")
                .child(
                    rows.into_iter()
                        .map(|row| {
                            let id = row.id;
                            html::li().class("item").child((
                                face_of_chat(&row, "small"),
                                html::span().class("what").child(bdi(row.title.clone())),
                                button(Weight::Plain, say("unblock"), move || {
                                    ask(Command::Unblock { conversation: id }, move |_| {
                                        load();
                                        load_chats();
                                    });
                                }),
                            ))
                        })
                        .collect_view(),
                )
                .into_any()
        }),
    )
}

/// Sign out and erase this device.
pub(super) fn erase() -> impl IntoView {
    (
        html::p().child(say("erase-text")),
        html::p().class("note").child(say("erase-words")),
        html::div().class("row-of-buttons").child((
            button(Weight::Plain, say("section-words"), || {
                route::go(Route::Section(Section::Words))
            }),
            button(Weight::Danger, say("erase-now"), || route::open(Layer::Erase)),
        )),
    )
}

/// Dialog: it cannot be undone, so it asks.
pub(crate) fn erase_dialog() -> AnyView {
    let erase = || {
        ask(Command::Erase, |reply| match reply {
            Reply::Problem(problem) => {
                route::close();
                app().toast(words::problem(&problem), None);
            }
            _ => {
                route::close();
                push::stop();
                for key in ["look", "name-asked", DELIVERED, LATER].into_iter().chain(super::KEPT) {
                    dom::forget(key);
                }
                app().engine.set(Engine::Erased);
            }
        });
    };
    dialog(
        say("erase-now"),
        (
            html::p().child(say("erase-text")),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("cancel"), route::close),
                app().words.here.get_untracked().then(|| {
                    button(Weight::Main, say("save-words"), || {
                        route::close();
                        remind::show();
                    })
                }),
                button(Weight::Danger, say("erase-now"), erase),
            )),
        ),
    )
    .into_any()
}
