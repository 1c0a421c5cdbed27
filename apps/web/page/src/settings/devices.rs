// SPDX-License-Identifier: AGPL-3.0-or-later
//! One's own devices: the list, linking another, its name, its removal, and the line about a new one.
//!
//! The new device's side of linking is `onboarding::joining`. Nothing outside this page starts linking: a link that
//! did would be how accounts are taken. Spec: `docs/book/ledger.md`, 8.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    device::{self, Linking, Standing},
    model::DeviceRow,
};

use crate::{
    bridge::{ask, tell},
    dom::{self, icon},
    layer::dialog,
    parts::{Weight, bdi, button, icon_button, submit},
    route::{self, Layer},
    scan::scanner,
    state::app,
    time,
    words::{self, Put, say, say_with},
};

/// The page.
pub(super) fn devices() -> impl IntoView {
    let app = app();
    let all: RwSignal<Vec<DeviceRow>> = RwSignal::new(Vec::new());
    // Asked again whenever something was told of devices, or a dialog over this page closed.
    Effect::new(move |_| {
        app.devices_changed.track();
        app.layer.track();
        ask(Command::Devices, move |reply| {
            if let Reply::Devices(rows) = reply {
                all.try_set(rows);
            }
        });
    });
    (
        move || standing(app.standing.get()),
        html::ul().class("list").attr("aria-label", say("section-devices")).child(move || {
            all.get()
                .into_iter()
                .map(|device| html::li().class("item").child(line(device)))
                .collect_view()
        }),
        move || {
            (app.standing.get() == Standing::Good).then(|| {
                html::div().class("row-of-buttons").child(button(
                    Weight::Main,
                    say("link-device"),
                    || route::open(Layer::Link),
                ))
            })
        },
        html::p().class("note").child(say("devices-note")),
    )
}

fn line(device: DeviceRow) -> impl IntoView {
    let name = name(&device);
    let added = say_with(
        "device-added",
        &[("when", Put::Text(&time::in_list(device.added_at, dom::now())))],
    );
    let named = |id: &str| say_with(id, &[("name", Put::Text(&name))]);
    let (rename, remove) = (named("rename-device-name"), named("remove-name"));
    let (one, other, current) = (device.clone(), device.clone(), device.current);
    (
        icon("laptop"),
        html::span().class("what").child((
            html::span().child(bdi(name.clone())),
            html::span()
                .class("hint")
                .title(time::exact(device.added_at))
                .child((added, current.then(|| (" · ", say("this-device"))))),
        )),
        icon_button("pencil", rename, move |_| route::open(Layer::RenameDevice(one.clone()))),
        (!current).then(|| {
            icon_button("trash-2", remove, move |_| route::open(Layer::RemoveDevice(other.clone())))
        }),
    )
}

/// The name a device goes by, or the beginning of its id.
fn name(device: &DeviceRow) -> String {
    match (device.name.is_empty(), device.current) {
        (false, _) => device.name.clone(),
        (true, true) => say("this-browser"),
        (true, false) => device.device.chars().take(8).collect(),
    }
}

/// What is wrong with the account, and what can be done.
fn standing(standing: Standing) -> Option<AnyView> {
    let (id, may) = match standing {
        Standing::Good => return None,
        Standing::Removed { may_dispute, .. } => {
            (if may_dispute { "removed-may-dispute" } else { "removed-here" }, may_dispute)
        }
        Standing::Disputed => ("disputed-here", false),
    };
    let dispute = || {
        ask(Command::Device { of: device::Command::Dispute }, |reply| match reply {
            Reply::Problem(problem) => app().problem(&problem),
            _ => app().toast(say("dispute-sent"), None),
        });
    };
    let told = html::div().class("warn-note part").child((
        html::p().child(say(id)),
        may.then(|| html::div().child(button(Weight::Plain, say("dispute"), dispute))),
    ));
    Some(told.into_any())
}

/// Dialog: link another device. Letters in, six digits out, and an end that is seen.
pub(crate) fn link_dialog() -> AnyView {
    let app = app();
    app.linking.set(None);
    let field: NodeRef<html::Input> = NodeRef::new();
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let code: RwSignal<Option<(String, String)>> = RwSignal::new(None);
    on_cleanup(move || {
        let open = |code: &Option<_>| code.is_some();
        let over = matches!(
            app.linking.get_untracked(),
            Some(Linking::Linked { .. } | Linking::Ended { .. })
        );
        if !over && (busy.get_untracked() || code.with_untracked(open)) {
            tell(Command::Device { of: device::Command::LinkCancel });
        }
    });
    let approve = move |link: String| {
        if link.trim().is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        app.linking.set(None);
        ask(Command::Device { of: device::Command::LinkApprove { link } }, move |reply| {
            busy.try_set(false);
            match reply {
                Reply::Device(device::Reply::Code { code: digits, name }) => {
                    code.try_set(Some((digits, name)));
                }
                Reply::Problem(problem) => drop(error.try_set(Some(words::problem(&problem)))),
                _ => (),
            }
        });
    };
    let again = move || {
        app.linking.set(None);
        error.set(None);
        code.set(None);
    };
    let letters = move || {
        html::form()
            .class("part")
            .on(ev::submit, move |event| {
                event.prevent_default();
                approve(field.get_untracked().map(|field| field.value()).unwrap_or_default());
            })
            .child((
                html::p().child(say("link-how")),
                scanner(Callback::new(approve)),
                html::div().class("field").child((
                    html::label().r#for("link-letters").child(say("link-letters")),
                    html::div().class("input").dir("ltr").child(
                        html::input()
                            .id("link-letters")
                            .node_ref(field)
                            .r#type("text")
                            .autofocus(true)
                            .attr("autocomplete", "off")
                            .attr("autocapitalize", "characters")
                            .attr("spellcheck", "false")
                            .on(ev::input, move |_| error.set(None)),
                    ),
                    html::div().attr("aria-live", "polite").child(move || {
                        error.get().map(|error| html::p().class("failed").child(error))
                    }),
                )),
                html::p().class("hint").child(say("link-warning")),
                html::div().class("row-of-buttons").child((
                    button(Weight::Plain, say("cancel"), route::close),
                    submit(say("go-on"), busy.into()),
                )),
            ))
    };
    dialog(say("link-device"), move || match (app.linking.get(), code.get()) {
        (Some(Linking::Ended { problem }), _) => (
            html::p().class("failed").role("alert").child(words::problem(&problem)),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("close"), route::close),
                button(Weight::Main, say("try-again"), again),
            )),
        )
            .into_any(),
        (Some(Linking::Linked { device }), _) => (
            html::p()
                .role("status")
                .child(say_with("linked", &[("name", Put::Text(&name(&device)))])),
            history(device.device),
        )
            .into_any(),
        (Some(Linking::Matched | Linking::Pending), _) => {
            html::p().role("status").child(say("linking")).into_any()
        }
        (_, Some((digits, name))) => (
            html::p().child(say_with("link-adds", &[("name", Put::Text(&name))])),
            html::p().class("digits").dir("ltr").attr("role", "status").child(digits),
            html::p().class("hint").child(say("link-digits")),
            html::div().class("row-of-buttons").child(button(
                Weight::Plain,
                say("cancel"),
                route::close,
            )),
        )
            .into_any(),
        (_, None) => letters().into_any(),
    })
    .into_any()
}

/// What was said before goes to a new device after a day, or at once with the words.
fn history(device: String) -> impl IntoView {
    let field: NodeRef<html::Textarea> = NodeRef::new();
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let send = move || {
        let words = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if words.trim().is_empty() {
            return;
        }
        busy.set(true);
        let of = device::Command::History { device: device.clone(), words };
        ask(Command::Device { of }, move |reply| {
            busy.try_set(false);
            match reply {
                Reply::Problem(problem) => drop(error.try_set(Some(words::problem(&problem)))),
                _ => {
                    route::close();
                    app().toast(say("history-sent"), None);
                }
            }
        });
    };
    html::form()
        .class("part")
        .on(ev::submit, move |event| {
            event.prevent_default();
            send();
        })
        .child((
            html::h3().child(say("history")),
            html::p().child(move || {
                say(if app().has_log() { "history-text" } else { "history-text-words" })
            }),
            html::div().class("field").child((
                html::label().r#for("history-words").child(say("section-words")),
                html::div().class("input").dir("ltr").child(
                    html::textarea()
                        .id("history-words")
                        .node_ref(field)
                        .rows("3")
                        .attr("autocomplete", "off")
                        .attr("autocapitalize", "none")
                        .attr("spellcheck", "false")
                        .on(ev::input, move |_| error.set(None)),
                ),
            )),
            html::div()
                .attr("aria-live", "polite")
                .child(move || error.get().map(|error| html::p().class("failed").child(error))),
            html::div().class("row-of-buttons").child((
                submit(say("history-now"), busy.into()),
                button(Weight::Plain, say("done"), route::close),
            )),
        ))
}

/// Dialog: a name for a device, which contacts never see.
pub(crate) fn rename(device: DeviceRow) -> AnyView {
    let field: NodeRef<html::Input> = NodeRef::new();
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let id = device.device.clone();
    let save = move || {
        let name = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if name.trim().is_empty() {
            return;
        }
        busy.set(true);
        let of = device::Command::Rename { device: id.clone(), name: name.trim().to_owned() };
        ask(Command::Device { of }, move |reply| {
            busy.try_set(false);
            match reply {
                Reply::Problem(problem) => drop(error.try_set(Some(words::problem(&problem)))),
                _ => route::close(),
            }
        });
    };
    dialog(
        say("rename-device"),
        html::form()
            .class("part")
            .on(ev::submit, move |event| {
                event.prevent_default();
                save();
            })
            .child((
                html::div().class("field").child((
                    html::label().r#for("device-name").child(say("name")),
                    html::div().class("input").child(
                        html::input()
                            .id("device-name")
                            .autofocus(true)
                            .node_ref(field)
                            .r#type("text")
                            .dir("auto")
                            .maxlength("60")
                            .attr("autocomplete", "off")
                            .value(device.name.clone()),
                    ),
                    html::p().class("hint").child(say("device-name-hint")),
                    html::div().attr("aria-live", "polite").child(move || {
                        error.get().map(|error| html::p().class("failed").child(error))
                    }),
                )),
                html::div().class("row-of-buttons").child((
                    button(Weight::Plain, say("cancel"), route::close),
                    submit(say("save"), busy.into()),
                )),
            )),
    )
    .into_any()
}

/// Dialog: it cannot be undone, so it asks.
pub(crate) fn remove(device: DeviceRow) -> AnyView {
    let busy = RwSignal::new(false);
    let (id, called) = (device.device.clone(), name(&device));
    dialog(
        say("remove-device"),
        (
            html::p().child(say_with("remove-device-text", &[("name", Put::Text(&called))])),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("cancel"), route::close),
                html::button()
                    .r#type("button")
                    .class("button danger")
                    .disabled(move || busy.get())
                    .on(ev::click, move |_| {
                        busy.set(true);
                        remove_now(id.clone());
                    })
                    .child(say("remove-device")),
            )),
        ),
    )
    .into_any()
}

fn remove_now(device: String) {
    ask(Command::Device { of: device::Command::Remove { device } }, |reply| {
        route::close();
        match reply {
            Reply::Problem(problem) => app().problem(&problem),
            _ => app().toast(say("device-removed"), None),
        }
    });
}

/// Dialog, on every device: somebody's hand was at the account.
pub(crate) fn added(new: DeviceRow, by: &str, by_words: bool) -> AnyView {
    let called = name(&new);
    let values = [("name", Put::Text(&called)), ("by", Put::Text(by))];
    let text = match (by_words, by.is_empty()) {
        (true, _) => say_with("your-device-added-words", &values),
        (false, true) => say_with("your-device-added", &values),
        (false, false) => say_with("your-device-added-by", &values),
    };
    dialog(
        say("device-was-added"),
        (
            html::p().child(text),
            html::p().child(say("if-not-you")),
            html::div().class("row-of-buttons").child((
                button(Weight::Danger, say("remove-it"), move || remove_now(new.device.clone())),
                button(Weight::Plain, say("it-was-me"), route::close),
            )),
        ),
    )
    .into_any()
}
