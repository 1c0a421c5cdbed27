// SPDX-License-Identifier: AGPL-3.0-or-later
//! The strip under the list's header: one at a time, the worst wins.

use leptos::{ev, html, prelude::*};

use crate::{
    list::to_words,
    route::{self, Layer},
    state::app,
    words::say,
};

/// What stands there now.
pub(crate) fn strip() -> impl IntoView {
    let app = app();
    move || {
        if app.disk.get() {
            return Some(line("strip danger", "strip-disk", None));
        }
        if app.clock_wrong.get() {
            return Some(line("strip warn", "strip-clock", None));
        }
        if app.offline.get() {
            return Some(line("strip", "strip-offline", None));
        }
        if app.update.get() {
            let open: Box<dyn Fn()> = Box::new(|| route::open(Layer::Update));
            return Some(line("strip", "strip-update", Some(("what-changed", open))));
        }
        if app.not_kept.get() {
            let open: Box<dyn Fn()> = Box::new(move || {
                app.not_kept.set(false);
                to_words();
            });
            return Some(line("strip warn", "strip-not-kept", Some(("section-words", open))));
        }
        None
    }
}

/// The word on a strip's button, and what it does.
type Action = (&'static str, Box<dyn Fn()>);

fn line(class: &'static str, id: &str, action: Option<Action>) -> AnyView {
    html::div()
        .class(class)
        .role("status")
        .child((
            html::span().child(say(id)),
            action.map(|(label, run)| {
                html::button().r#type("button").on(ev::click, move |_| run()).child(say(label))
            }),
        ))
        .into_any()
}
