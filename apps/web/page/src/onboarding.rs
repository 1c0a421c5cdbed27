// SPDX-License-Identifier: AGPL-3.0-or-later
//! From the address to an account: one field, one button.
//!
//! Keys are made by the engine while the person types. Free or taken shows 300 ms after the last key;
//! no phone, no e-mail, no name is asked here.

mod joining;

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, HandleState, Reply},
    model::{Problem, ProblemKind},
};

use crate::{
    bridge::ask,
    dom::{self, icon},
    parts::{Weight, button},
    settings::limits,
    state::{app, follow_invite, load_chats},
    words::{self, Put, say, say_with},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Start,
    HaveAccount,
    Link,
    Recover,
    About,
}

/// The welcome screen and what hangs on it.
pub(crate) fn welcome() -> impl IntoView {
    let page = RwSignal::new(Page::Start);
    html::main().class("full").child(move || match page.get() {
        Page::Start => start(page).into_any(),
        Page::HaveAccount => aside(
            page,
            "have-account",
            (
                html::p().child(say("have-account-text")),
                button(Weight::Main, say("link-this-device"), move || page.set(Page::Link)),
                button(Weight::Plain, say("recover"), move || page.set(Page::Recover)),
                html::p().class("hint").child(say("have-account-else")),
            ),
        ),
        Page::Link => joining::link(move || page.set(Page::HaveAccount)).into_any(),
        Page::Recover => joining::recover(move || page.set(Page::HaveAccount)).into_any(),
        Page::About => aside(
            page,
            "about-server",
            (html::p().class("quiet").child(address()), html::h2().child(say("limits")), limits()),
        ),
    })
}

fn aside(page: RwSignal<Page>, title: &'static str, inner: impl IntoView) -> AnyView {
    html::div()
        .class("inner")
        .child((
            html::h1().child(say(title)),
            inner.into_view(),
            button(Weight::Plain, say("back"), move || page.set(Page::Start)),
        ))
        .into_any()
}

/// The address the page came from.
pub(crate) fn address() -> String {
    dom::window().location().origin().unwrap_or_default()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Nothing,
    Free,
    Taken(String, Vec<String>),
    Wrong(Problem),
}

fn start(page: RwSignal<Page>) -> impl IntoView {
    let app = app();
    let field: NodeRef<html::Input> = NodeRef::new();
    let ticket: NodeRef<html::Input> = NodeRef::new();
    let needs_ticket = RwSignal::new(false);
    let told = RwSignal::new(Told::Nothing);
    let busy = RwSignal::new(false);
    let wait = RwSignal::new((0_u32, 0_u32));
    let asked = StoredValue::new(0_u64);

    Effect::new(move |_| {
        if let Some(field) = field.get() {
            drop(field.focus());
        }
    });

    // Whose link was opened, and whether anybody has that handle: said only when the server was asked.
    let invited: RwSignal<Option<(String, bool)>> = RwSignal::new(None);
    Effect::new(move |_| {
        // Of a group's link its maker is who invites.
        let Some(link) = app.invited_by.get() else { return };
        let handle = link.split('/').next().unwrap_or_default().to_owned();
        ask(Command::CheckHandle { handle: handle.clone() }, move |reply| {
            let there = match reply {
                Reply::HandleState(HandleState::Taken { .. }) => true,
                Reply::HandleState(HandleState::Free | HandleState::Malformed) => false,
                _ => return,
            };
            invited.try_set(Some((handle, there)));
        });
    });

    let check = move |handle: String| {
        asked.update_value(|n| *n += 1);
        let number = asked.get_value();
        told.set(Told::Nothing);
        if handle.chars().count() < 2 {
            return;
        }
        dom::after(300, move || {
            if asked.try_get_value() != Some(number) {
                return;
            }
            let shown = shown(&handle);
            ask(Command::CheckHandle { handle }, move |reply| {
                if asked.try_get_value() != Some(number) {
                    return;
                }
                told.set(match reply {
                    Reply::HandleState(HandleState::Free) => Told::Free,
                    Reply::HandleState(HandleState::Taken { suggestions }) => {
                        Told::Taken(shown, suggestions)
                    }
                    Reply::HandleState(HandleState::Malformed) => wrong(ProblemKind::HandleForm),
                    Reply::Problem(problem) => Told::Wrong(problem),
                    _ => Told::Nothing,
                });
            });
        });
    };
    let register = move || {
        let handle = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if handle.trim().is_empty() {
            told.set(wrong(ProblemKind::HandleForm));
            return;
        }
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        asked.update_value(|n| *n += 1);
        let ticket = ticket.get_untracked().map(|ticket| ticket.value()).unwrap_or_default();
        let shown = shown(&handle);
        ask(Command::Register { handle: handle.clone(), ticket }, move |reply| {
            busy.set(false);
            match reply {
                Reply::Profile(profile) => {
                    app.profile.set(Some(profile));
                    load_chats();
                    follow_invite();
                }
                Reply::Problem(problem) => match problem.kind {
                    ProblemKind::HandleTaken => {
                        told.set(Told::Taken(shown, Vec::new()));
                        check(handle);
                    }
                    ProblemKind::RegistrationClosed if !needs_ticket.get_untracked() => {
                        needs_ticket.set(true);
                    }
                    ProblemKind::SlowDown if problem.wait_seconds > 0 => {
                        count_down(wait, problem.wait_seconds);
                    }
                    _ => told.set(Told::Wrong(problem)),
                },
                _ => (),
            }
        });
    };
    let choose = move |handle: String| {
        if let Some(field) = field.get_untracked() {
            field.set_value(&handle);
            drop(field.focus());
        }
        check(handle);
    };

    html::div().class("inner").child((
        html::div().class("head-text").child((
            html::img().src("/icon.svg").alt("").width("56").height("56"),
            html::h1().child("Nodoor"),
            move || match invited.get() {
                Some((handle, false)) => html::p()
                    .child(say_with("no-such-person", &[("handle", Put::Text(&shown(&handle)))]))
                    .into_any(),
                Some((handle, true)) => html::p()
                    .child(say_with("invited-by", &[("handle", Put::Text(&shown(&handle)))]))
                    .into_any(),
                None => html::p().class("quiet").child(say("tagline")).into_any(),
            },
        )),
        html::form()
            .on(ev::submit, move |event| {
                event.prevent_default();
                register();
            })
            .child((
                html::div().class("field").child((
                    html::label().r#for("handle").child(say("choose-handle")),
                    html::div().class("input").dir("ltr").child((
                        html::span().class("before").attr("aria-hidden", "true").child("@"),
                        html::input()
                            .id("handle")
                            .node_ref(field)
                            .r#type("text")
                            .maxlength("33")
                            .attr("autocomplete", "username")
                            .attr("autocapitalize", "none")
                            .attr("spellcheck", "false")
                            .attr("aria-describedby", "handle-told handle-hint")
                            .on(ev::input, move |event| check(event_target_value(&event))),
                        move || {
                            (told.get() == Told::Free)
                                .then(|| html::span().class("good").child(icon("check")))
                        },
                    )),
                    html::div()
                        .id("handle-told")
                        .attr("aria-live", "polite")
                        .child(move || state_line(&told.get(), choose)),
                    html::p().id("handle-hint").class("hint").child(say("handle-hint")),
                )),
                move || {
                    needs_ticket.get().then(|| {
                        html::div().class("field").child((
                            html::label().r#for("ticket").child(say("invitation")),
                            html::div().class("input").dir("ltr").child(
                                html::input()
                                    .id("ticket")
                                    .node_ref(ticket)
                                    .r#type("text")
                                    .attr("autocomplete", "off"),
                            ),
                            html::p().class("hint").child(say("invitation-hint")),
                        ))
                    })
                },
                move || {
                    let (left, of) = wait.get();
                    (left > 0).then(|| {
                        html::div().class("field").role("status").child((
                            html::span()
                                .child(say_with("wait-seconds", &[("seconds", Put::from(left))])),
                            html::progress()
                                .class("bar-of-wait")
                                .attr("aria-label", say("waiting"))
                                .max(of.to_string())
                                .value((of - left).to_string()),
                        ))
                    })
                },
                html::button()
                    .r#type("submit")
                    .class("button main-one wide")
                    .attr("aria-busy", move || busy.get().to_string())
                    .disabled(move || busy.get() || wait.get().0 > 0)
                    .child(
                        move || if busy.get() { say("creating") } else { say("create-account") },
                    ),
            )),
        html::div().class("links").child((
            button(Weight::Quiet, say("have-account"), move || page.set(Page::HaveAccount)),
            button(Weight::Quiet, say("about-server"), move || page.set(Page::About)),
        )),
    ))
}

fn state_line(told: &Told, choose: impl Fn(String) + Copy + 'static) -> Option<AnyView> {
    match told {
        Told::Nothing => None,
        Told::Free => Some(html::span().class("hint").child(say("handle-free")).into_any()),
        Told::Taken(handle, suggestions) => Some(
            (
                html::p()
                    .class("failed")
                    .child(say_with("handle-taken", &[("handle", Put::Text(handle))])),
                html::div().class("chips").child(
                    suggestions
                        .iter()
                        .map(|handle| {
                            let chosen = handle.clone();
                            html::button()
                                .r#type("button")
                                .class("chip")
                                .dir("ltr")
                                .on(ev::click, move |_| choose(chosen.clone()))
                                .child(handle.clone())
                        })
                        .collect_view(),
                ),
            )
                .into_any(),
        ),
        Told::Wrong(problem) => {
            Some(html::p().class("failed").child(words::problem(problem)).into_any())
        }
    }
}

fn wrong(kind: ProblemKind) -> Told {
    Told::Wrong(Problem { kind, code: 0, wait_seconds: 0 })
}

fn shown(handle: &str) -> String {
    format!("@{}", handle.trim().trim_start_matches('@'))
}

fn count_down(wait: RwSignal<(u32, u32)>, seconds: u32) {
    wait.set((seconds, wait.get_untracked().1.max(seconds)));
    if seconds > 0 {
        dom::after(1000, move || count_down(wait, seconds - 1));
    } else {
        wait.set((0, 0));
    }
}
