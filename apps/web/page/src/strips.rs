// SPDX-License-Identifier: AGPL-3.0-or-later
//! The strip under the list's header: one at a time, the worst wins.

use leptos::{ev, html, prelude::*};
use nodoor_view::{device::Standing, model::Freshness};

use crate::{
    ledger::{said_at, save_all},
    route::{self, Layer, Route, Section},
    settings::close_not_kept,
    state::app,
    time,
    words::{Put, say, say_with},
};

/// What stands there now.
pub(crate) fn strip() -> impl IntoView {
    let app = app();
    move || {
        let to = |section| act(move || route::go(Route::Section(section)));
        let ledger = app.ledger.get();
        if app.disk.get() {
            return Some(line("strip danger", say("strip-disk"), vec![]));
        }
        if let Some(proof) = ledger.as_ref().and_then(|state| state.proof.as_ref()) {
            let text = said_at("ledger-proof", proof.at);
            return Some(line("strip danger", text, vec![("evidence", act(save_all))]));
        }
        match app.standing.get() {
            Standing::Good => (),
            Standing::Removed { .. } => {
                let actions = vec![("details", to(Section::Devices))];
                return Some(line("strip danger", say("removed-here"), actions));
            }
            Standing::Disputed => {
                let actions = vec![("details", to(Section::Devices))];
                return Some(line("strip warn", say("disputed-here"), actions));
            }
        }
        let change = ledger.as_ref().and_then(|state| state.change.clone());
        let stale = ledger.and_then(|state| Some((state.freshness, state.log_time?)));
        if let Some((Freshness::Red, at)) = stale {
            let actions = vec![("details", to(Section::Limits))];
            return Some(line("strip danger", said_at("ledger-red", at), actions));
        }
        if app.clock_wrong.get() {
            return Some(line("strip warn", say("strip-clock"), vec![]));
        }
        if app.offline.get() {
            return Some(line("strip", say("strip-offline"), vec![]));
        }
        if let Some((Freshness::Amber, at)) = stale {
            let actions = vec![("details", to(Section::Limits))];
            return Some(line("strip warn", said_at("ledger-amber", at), actions));
        }
        if let Some(change) = change.filter(|change| !change.done) {
            let day = time::day_line(change.due, app.now.get());
            let text = say_with("strip-policy", &[("day", Put::Text(&day))]);
            let actions = vec![("details", to(Section::About))];
            return Some(line("strip", text, actions));
        }
        if app.update.get() {
            let open = act(|| route::open(Layer::Update));
            return Some(line("strip", say("strip-update"), vec![("what-changed", open)]));
        }
        if app.not_kept.get() {
            let words = act(move || {
                close_not_kept();
                route::go(Route::Section(Section::Words));
            });
            let seen = act(close_not_kept);
            let actions = vec![("section-words", words), ("close", seen)];
            return Some(line("strip warn", say("strip-not-kept"), actions));
        }
        None
    }
}

/// The word on a strip's button, and what it does.
type Action = (&'static str, Box<dyn Fn()>);

fn act(run: impl Fn() + 'static) -> Box<dyn Fn()> {
    Box::new(run)
}

fn line(class: &'static str, text: String, actions: Vec<Action>) -> AnyView {
    let buttons = actions
        .into_iter()
        .map(|(label, run)| {
            html::button().r#type("button").on(ev::click, move |_| run()).child(say(label))
        })
        .collect_view();
    html::div().class(class).role("status").child((html::span().child(text), buttons)).into_any()
}
