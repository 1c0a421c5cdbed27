// SPDX-License-Identifier: AGPL-3.0-or-later
//! To an account one has: this device is linked by another, or the 24 words bring the account back.
//!
//! The other side of linking is `settings::devices`. Spec: `docs/book/ledger.md`, 8.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    device::{self, Linking},
    model::{Milliseconds, ProblemKind},
};

use crate::{
    bridge::{ask, tell},
    dom,
    parts::{Weight, button},
    qr::qr,
    state::{app, refresh},
    time,
    words::{self, Put, say, say_with},
};

/// Shows letters for the other device, and takes its digits.
pub(super) fn link(back: impl Fn() + Copy + 'static) -> impl IntoView {
    let app = app();
    app.linking.set(None);
    let shown: RwSignal<Option<(String, Milliseconds)>> = RwSignal::new(None);
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let field: NodeRef<html::Input> = NodeRef::new();
    let start = move || {
        app.linking.set(None);
        error.set(None);
        shown.set(None);
        ask(Command::Device { of: device::Command::LinkStart }, move |reply| match reply {
            Reply::Device(device::Reply::Link { letters, until }) => {
                shown.try_set(Some((letters, until)));
            }
            Reply::Problem(problem) => drop(error.try_set(Some(words::problem(&problem)))),
            _ => (),
        });
    };
    start();
    // Once it is signed, or nothing was begun, there is nothing to take back.
    on_cleanup(move || {
        if matches!(app.linking.get_untracked(), None | Some(Linking::CodeWanted { .. })) {
            tell(Command::Device { of: device::Command::LinkCancel });
        }
    });
    Effect::new(move |_| match app.linking.get() {
        Some(Linking::Linked { .. }) => refresh(),
        Some(Linking::CodeWanted { .. }) => {
            dom::after(0, || {
                dom::focus("#link-code");
            });
        }
        _ => (),
    });
    let type_code = move || {
        let code = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if code.trim().is_empty() {
            return;
        }
        error.set(None);
        ask(Command::Device { of: device::Command::LinkCode { code } }, move |reply| {
            if let Reply::Problem(problem) = reply {
                error.try_set(Some(words::problem(&problem)));
                if let Some(Some(field)) = field.try_get_untracked() {
                    field.select();
                }
            }
        });
    };
    let wanted = Memo::new(move |_| matches!(app.linking.get(), Some(Linking::CodeWanted { .. })));
    html::div().class("inner").child((
        html::h1().child(say("link-this-device")),
        move || match app.linking.get() {
            Some(Linking::Ended { problem }) => (
                html::p().class("failed").role("alert").child(words::problem(&problem)),
                button(Weight::Main, say("link-again"), start),
            )
                .into_any(),
            Some(Linking::Matched | Linking::Pending | Linking::Linked { .. }) => {
                html::p().role("status").child(say("link-pending")).into_any()
            }
            _ if wanted.get() => ().into_any(),
            _ => match shown.get() {
                Some((letters, until)) => (
                    html::p().child(say("link-show")),
                    qr(&format!("{}\n{letters}", say("link-inside")), say("link-code-label")),
                    html::p().class("digits letters").dir("ltr").child(letters),
                    html::p()
                        .class("hint")
                        .child(say_with("link-until", &[("time", Put::Text(&time::clock(until)))])),
                )
                    .into_any(),
                None => ().into_any(),
            },
        },
        // Stands on its own, so that a second try does not draw the field anew under the hand.
        move || {
            wanted.get().then(|| {
                html::form()
                    .on(ev::submit, move |event| {
                        event.prevent_default();
                        type_code();
                    })
                    .child((
                        html::p().child(say("link-code-how")),
                        html::div().class("field").child((
                            html::label().r#for("link-code").child(say("link-code")),
                            html::div().class("input").dir("ltr").child(
                                html::input()
                                    .id("link-code")
                                    .node_ref(field)
                                    .r#type("text")
                                    .attr("inputmode", "numeric")
                                    .attr("autocomplete", "one-time-code")
                                    .maxlength("9"),
                            ),
                        )),
                        html::button()
                            .r#type("submit")
                            .class("button main-one wide")
                            .child(say("go-on")),
                    ))
            })
        },
        html::div()
            .attr("aria-live", "polite")
            .child(move || error.get().map(|error| html::p().class("failed").child(error))),
        button(Weight::Plain, say("back"), back),
    ))
}

/// Handle and words, and the account is this device's.
pub(super) fn recover(back: impl Fn() + Copy + 'static) -> impl IntoView {
    let handle: NodeRef<html::Input> = NodeRef::new();
    let words_field: NodeRef<html::Textarea> = NodeRef::new();
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let recover = move || {
        let typed = handle.get_untracked().map(|field| field.value()).unwrap_or_default();
        let words = words_field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if typed.trim().is_empty() || words.trim().is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        let shown = format!("@{}", typed.trim().trim_start_matches('@'));
        let of = device::Command::Recover { handle: typed, words };
        ask(Command::Device { of }, move |reply| {
            busy.try_set(false);
            match reply {
                Reply::Profile(_) => refresh(),
                Reply::Problem(problem) if problem.kind == ProblemKind::NotFound => {
                    let told = say_with("no-such-person", &[("handle", Put::Text(&shown))]);
                    error.try_set(Some(told));
                }
                Reply::Problem(problem) => drop(error.try_set(Some(words::problem(&problem)))),
                _ => (),
            }
        });
    };
    html::div().class("inner").child((
        html::h1().child(say("recover")),
        html::p().child(say("recover-text")),
        html::form()
            .on(ev::submit, move |event| {
                event.prevent_default();
                recover();
            })
            .child((
                html::div().class("field").child((
                    html::label().r#for("recover-handle").child(say("your-handle")),
                    html::div().class("input").dir("ltr").child((
                        html::span().class("before").attr("aria-hidden", "true").child("@"),
                        html::input()
                            .id("recover-handle")
                            .node_ref(handle)
                            .r#type("text")
                            .autofocus(true)
                            .maxlength("33")
                            .attr("autocomplete", "username")
                            .attr("autocapitalize", "none")
                            .attr("spellcheck", "false"),
                    )),
                )),
                html::div().class("field").child((
                    html::label().r#for("recover-words").child(say("section-words")),
                    html::div().class("input").dir("ltr").child(
                        html::textarea()
                            .id("recover-words")
                            .node_ref(words_field)
                            .rows("4")
                            .attr("autocomplete", "off")
                            .attr("autocapitalize", "none")
                            .attr("spellcheck", "false"),
                    ),
                )),
                html::div()
                    .attr("aria-live", "polite")
                    .child(move || error.get().map(|error| html::p().class("failed").child(error))),
                html::button()
                    .r#type("submit")
                    .class("button main-one wide")
                    .disabled(move || busy.get())
                    .child(move || say(if busy.get() { "recovering" } else { "recover-now" })),
            )),
        button(Weight::Plain, say("back"), back),
    ))
}
