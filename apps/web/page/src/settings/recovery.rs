// SPDX-License-Identifier: AGPL-3.0-or-later
//! The 24 recovery words: shown, asked back, and then erased here.
//!
//! Three of them are asked back before this device forgets them, so that nobody is left with a paper that is wrong.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    device,
    model::ProblemKind,
};

use wasm_bindgen::JsCast as _;
use web_sys::HtmlInputElement;

use crate::{
    bridge::ask,
    dom,
    parts::{Weight, button, submit},
    remind,
    state::app,
    words::{self, Put, say, say_with},
};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Page {
    Closed,
    Shown(String),
    Asked(Vec<u8>),
    Saved,
    NotHere,
    Renewing,
}

/// The page.
pub(super) fn recovery() -> impl IntoView {
    let app = app();
    let page = RwSignal::new(Page::Closed);
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let show = move || {
        ask(Command::Words, move |reply| match reply {
            Reply::Words(words) => drop(page.try_set(Page::Shown(words))),
            Reply::Nothing => drop(page.try_set(Page::NotHere)),
            Reply::Problem(problem) => app.problem(&problem),
            _ => (),
        });
    };
    if app.words.open.get_untracked() {
        app.words.open.set(false);
        show();
    }
    let ask_back = move || {
        ask(Command::Device { of: device::Command::WordsAsk }, move |reply| match reply {
            Reply::Device(device::Reply::Places { places }) => {
                page.try_set(Page::Asked(places));
                dom::after(0, || {
                    (0..PLACES).filter_map(field).for_each(|field| field.set_value(""));
                    dom::focus("#word-0");
                });
            }
            Reply::Nothing => drop(page.try_set(Page::NotHere)),
            Reply::Problem(problem) => app.problem(&problem),
            _ => (),
        });
    };
    let confirm = move |typed: Vec<String>| {
        let of = device::Command::WordsConfirm { words: typed };
        ask(Command::Device { of }, move |reply| match reply {
            Reply::Done => {
                app.words.here.set(false);
                page.try_set(Page::Saved);
            }
            Reply::Problem(problem) => {
                error.try_set(Some(words::problem(&problem)));
                if problem.kind == ProblemKind::WrongWords {
                    // Three others, so that nobody guesses their way through.
                    ask_back();
                }
            }
            _ => (),
        });
    };
    let handle = app.profile.with_untracked(|profile| {
        profile.as_ref().map(|profile| format!("@{}", profile.handle)).unwrap_or_default()
    });
    (html::p().child(say_with("words-text", &[("handle", Put::Text(&handle))])), move || match page
        .get()
    {
        Page::Closed => html::div()
            .class("row-of-buttons")
            .child(button(Weight::Main, say("show-words"), show))
            .into_any(),
        Page::Shown(words) => (
            html::ol().class("words").dir("ltr").attr("aria-label", say("section-words")).child(
                words
                    .split_whitespace()
                    .map(|word| html::li().child(word.to_owned()))
                    .collect_view(),
            ),
            html::p().class("note").child(say("words-then")),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("hide-words"), move || page.set(Page::Closed)),
                button(Weight::Main, say("words-written"), move || {
                    error.set(None);
                    ask_back();
                }),
            )),
        )
            .into_any(),
        Page::Asked(places) => asked(&places, error, confirm, move || page.set(Page::Closed)),
        Page::Saved => away("words-saved", move || page.set(Page::Renewing)),
        Page::NotHere => away("words-not-here", move || page.set(Page::Renewing)),
        Page::Renewing => renewing(show, move || page.set(Page::Closed)),
    })
}

/// How many are asked back.
const PLACES: usize = 3;

fn field(n: usize) -> Option<HtmlInputElement> {
    dom::find(&format!("#word-{n}"))?.dyn_into().ok()
}

fn asked(
    places: &[u8],
    error: RwSignal<Option<String>>,
    confirm: impl Fn(Vec<String>) + 'static,
    close: impl Fn() + 'static,
) -> AnyView {
    let count = places.len();
    let lines = places.iter().enumerate().map(|(n, place)| {
        let label = say_with("word-number", &[("number", Put::from(u32::from(*place)))]);
        let id = format!("word-{n}");
        html::div().class("field").child((
            html::label().r#for(id.clone()).child(label),
            html::div().class("input").dir("ltr").child(
                html::input()
                    .id(id)
                    .r#type("text")
                    .attr("autocomplete", "off")
                    .attr("autocapitalize", "none")
                    .attr("spellcheck", "false"),
            ),
        ))
    });
    html::form()
        .class("part")
        .on(ev::submit, move |event| {
            event.prevent_default();
            error.set(None);
            // Three others are asked in the same fields, so they are read where they stand.
            let typed = (0..count).filter_map(field).map(|field| field.value().trim().to_owned());
            confirm(typed.collect());
        })
        .child((
            html::p().child(say("words-asked")),
            lines.collect_view(),
            html::div()
                .attr("aria-live", "polite")
                .child(move || error.get().map(|error| html::p().class("failed").child(error))),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("cancel"), close),
                submit(say("words-check"), Signal::stored(false)),
            )),
        ))
        .into_any()
}

/// They are not here: what is left is to make others.
fn away(told: &'static str, renew: impl Fn() + 'static) -> AnyView {
    (
        html::p().role("status").child(say(told)),
        html::div().class("row-of-buttons").child(button(Weight::Plain, say("words-new"), renew)),
    )
        .into_any()
}

/// The old 24 make new ones, which are shown and asked back like the first.
fn renewing(show: impl Fn() + Copy + 'static, close: impl Fn() + 'static) -> AnyView {
    let field: NodeRef<html::Textarea> = NodeRef::new();
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let renew = move || {
        let words = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if words.trim().is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        ask(Command::Device { of: device::Command::NewWords { words } }, move |reply| {
            busy.try_set(false);
            match reply {
                Reply::Problem(problem) => drop(error.try_set(Some(words::problem(&problem)))),
                _ => {
                    remind::look();
                    show();
                }
            }
        });
    };
    html::form()
        .class("part")
        .on(ev::submit, move |event| {
            event.prevent_default();
            renew();
        })
        .child((
            html::p().child(say("words-new-text")),
            html::div().class("field").child((
                html::label().r#for("old-words").child(say("words-old")),
                html::div().class("input").dir("ltr").child(
                    html::textarea()
                        .id("old-words")
                        .node_ref(field)
                        .rows("4")
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
                button(Weight::Plain, say("cancel"), close),
                submit(say("words-new"), busy.into()),
            )),
        ))
        .into_any()
}
