// SPDX-License-Identifier: AGPL-3.0-or-later
//! Being called while the app is closed: the browser's subscription and what the engine knows of it, kept the same.
//!
//! The subscription is the browser's, made by `start.js` under the server's key; where it leads is the engine's to tell the
//! server. A call shows a notification that the service worker has the words for; it says nothing of a chat.
//!
//! Spec: W3C Push API; `docs/book/protocol.md`, 10.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    push::{Command as OfPush, State, Subscription},
};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::NotificationPermission;

use crate::{bridge, dom, notify, parts::part, words::say};

#[wasm_bindgen]
extern "C" {
    // The subscription under this key, made if there is none: where it leads, and its two keys.
    #[wasm_bindgen(js_name = nodoorPush, catch)]
    fn subscribe(key: &[u8]) -> Result<js_sys::Promise, JsValue>;

    // Ends it.
    #[wasm_bindgen(js_name = nodoorNoPush, catch)]
    fn unsubscribe() -> Result<js_sys::Promise, JsValue>;

    // What the notification of a call says, and takes away the one that is shown.
    #[wasm_bindgen(js_name = nodoorPushWords, catch)]
    fn keep_words(title: &str, language: &str, direction: &str)
    -> Result<js_sys::Promise, JsValue>;
}

/// Once there is a connection: a subscription that the browser renewed, or that was made under another key, is told anew.
pub(crate) fn keep() {
    ask(|state| {
        match notify::permission() {
            _ if state.endpoint.is_none() => {}
            Some(NotificationPermission::Granted) => {
                words();
                set(state, |_| ());
            }
            // Taken back in the browser: nobody would see a call.
            _ => bridge::tell(Command::Push { of: OfPush::Off }),
        }
    });
}

/// It is over, here and at the browser's push service.
pub(crate) fn stop() {
    if let Ok(promise) = unsubscribe() {
        dom::when(promise, |_| ());
    }
}

/// Writes down what a call will say, in the language chosen, for a worker that knows none.
fn words() {
    let Some(root) = dom::find("html") else { return };
    if let Ok(promise) = keep_words(&say("push-title"), &root.lang(), &root.dir()) {
        dom::when(promise, |_| ());
    }
}

fn ask(then: impl FnOnce(State) + 'static) {
    bridge::ask(Command::Push { of: OfPush::Show }, |reply| {
        if let Reply::Push(state) = reply {
            then(state);
        }
    });
}

/// Subscribes, and has the server told; `then` hears whether both worked.
fn set(state: State, then: impl FnOnce(bool) + 'static) {
    let Some(key) = state.server_key.filter(|key| !key.is_empty()) else { return then(false) };
    let Ok(promise) = subscribe(&key) else { return then(false) };
    dom::when(promise, move |made| {
        let Some(at) = made.and_then(read) else { return then(false) };
        let of = OfPush::Set { at };
        bridge::ask(Command::Push { of }, |reply| then(reply == Reply::Done));
    });
}

fn read(made: JsValue) -> Option<Subscription> {
    let made: js_sys::Array = made.dyn_into().ok()?;
    let bytes = |at| made.get(at).dyn_into::<js_sys::Uint8Array>().ok().map(|one| one.to_vec());
    Some(Subscription { endpoint: made.get(0).as_string()?, key: bytes(1)?, auth: bytes(2)? })
}

/// What the person sees of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Asked, or being changed.
    Unknown,
    /// No connection since the start.
    Away,
    /// This server calls nobody.
    Never,
    Off,
    On,
}

impl Shown {
    fn of(state: &State) -> Self {
        match (&state.server_key, &state.endpoint) {
            (_, Some(_)) => Self::On,
            (None, None) => Self::Away,
            (Some(key), None) if key.is_empty() => Self::Never,
            (Some(_), None) => Self::Off,
        }
    }
}

/// The switch, on the page of notifications.
pub(crate) fn settings() -> AnyView {
    let shown = RwSignal::new(Shown::Unknown);
    let failed = RwSignal::new(false);
    let look = move || {
        ask(move |state| {
            shown.try_set(Shown::of(&state));
        });
    };
    look();
    let turn = move |on: bool| {
        shown.set(Shown::Unknown);
        failed.set(false);
        if on {
            ask(move |state| {
                words();
                set(state, move |done| {
                    failed.try_set(!done);
                    look();
                });
            });
        } else {
            stop();
            bridge::ask(Command::Push { of: OfPush::Off }, move |_| look());
        }
    };
    let note = move || {
        let denied = notify::permission() == Some(NotificationPermission::Denied);
        let id = match shown.get() {
            _ if failed.get() && denied => "notify-denied",
            _ if failed.get() => "push-failed",
            Shown::Never => "push-never",
            Shown::Away => "push-away",
            _ => "push-hint",
        };
        html::p().class("note").attr("role", "status").child(say(id))
    };
    let switch = html::label().class("item").child((
        html::span().class("what").child(say("push-switch")),
        html::input()
            .r#type("checkbox")
            .prop("checked", move || shown.get() == Shown::On)
            .prop("disabled", move || !matches!(shown.get(), Shown::On | Shown::Off))
            .on(ev::change, move |event| turn(event_target_checked(&event))),
    ));
    if !can() {
        return part(say("push-closed"), html::p().class("note").child(say("push-none")))
            .into_any();
    }
    part(say("push-closed"), (html::div().class("list").child(switch), note)).into_any()
}

/// Whether this browser can be called.
fn can() -> bool {
    js_sys::Reflect::has(&dom::window(), &"PushManager".into()).is_ok_and(|has| has)
}
