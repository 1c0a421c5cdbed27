// SPDX-License-Identifier: AGPL-3.0-or-later
//! The interface of the web app: draws what the engine tells and passes on what a person does.
//!
//! It knows rows, words and pixels; keys, rooms and frames stay in the engine, which runs in a worker
//! and speaks `nodoor_view` as JSON (`bridge`). Spec: `apps/web/README.md`. Walk: `start` reads
//! the route, starts the engine and mounts `shell`; events change `state`, screens redraw from it.

mod arrange;
mod bridge;
mod chat;
mod compare;
mod dom;
#[cfg(feature = "parts")]
mod fake;
mod jump;
mod keys;
mod layer;
mod leading;
mod ledger;
mod list;
mod notify;
mod onboarding;
mod parts;
#[cfg(feature = "parts")]
mod parts_page;
mod people;
mod push;
mod qr;
mod remind;
mod requests;
mod route;
mod scan;
mod screens;
mod settings;
mod sheet;
mod shell;
mod state;
mod strips;
mod time;
mod update;
mod words;

use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::state::app;

/// Starts the page. Called by the script that loaded this module.
#[wasm_bindgen(start)]
pub fn start() {
    mount_to_body(|| {
        if let Some(owner) = Owner::current() {
            state::own(owner);
        }
        state::use_language("");
        route::start();
        notify::start();
        keys::start();
        shell::focus_follows();
        state::watch_devices();
        watch_the_window();
        bridge::start(state::hear);
        update::start();
        shell::shell()
    });
}

/// Time passes, the window comes and goes, the keyboard of a phone opens.
fn watch_the_window() {
    let window = dom::window();
    let document = dom::document();
    dom::every(20_000, || app().now.set(dom::now()));
    for (target, event) in [
        (AsRef::<web_sys::EventTarget>::as_ref(&window), "focus"),
        (window.as_ref(), "blur"),
        (document.as_ref(), "visibilitychange"),
    ] {
        dom::listen(target, event, |_| {
            app().now.set(dom::now());
            if document_hidden() {
                chat::write_draft();
            }
            if dom::looked_at() {
                bridge::word(bridge::Word::Wake);
            }
            state::looking();
            chat::see();
        });
    }
    dom::listen(&window, "online", |_| bridge::word(bridge::Word::Wake));
    dom::listen(&window, "pagehide", |_| chat::write_draft());
    dom::listen(&window, "hashchange", |_| state::follow_invite());
    Effect::new(|_| {
        app().route.track();
        state::looking();
    });
    // Where the browser lays its keyboard over the page instead of shrinking it.
    if let Some(viewport) = window.visual_viewport() {
        let resized = viewport.clone();
        dom::listen(&viewport, "resize", move |_| {
            if let Some(root) = dom::find("html")
                && resized.scale() <= 1.0
            {
                dom::style(&root, "--vh", &format!("{}px", resized.height()));
            }
        });
    }
}

fn document_hidden() -> bool {
    dom::document().hidden()
}
