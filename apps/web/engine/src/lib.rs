// SPDX-License-Identifier: AGPL-3.0-or-later
//! The engine of the web app: what the page and `sdk` say to each other, as JSON.
//!
//! `static/engine-worker.js` loads this in a dedicated worker, calls [`start`] once and hands every message of the
//! page to [`receive`]. Nothing is decided here. The messages are listed in `apps/web/README.md`.
//!
//! A panic leaves this module unusable: it says where (never what about), and the trap that follows reaches
//! `engine-worker.js`, which tells the page to start another one from disk.

use std::{cell::OnceCell, panic};

use nodoor_sdk::browser::{Browser, Said};
use nodoor_view::command::Ask;
use serde_json::json;
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};
use web_sys::DedicatedWorkerGlobalScope;

/// Starts the engine of this worker. Once.
#[wasm_bindgen]
pub fn start() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        web_sys::console::error_1(&JsValue::from_str(&format!("stopped at {place}")));
    }));
    BROWSER.with(|browser| {
        browser.get_or_init(|| Browser::start(say));
    });
}

/// Takes one message of the page.
#[wasm_bindgen]
pub fn receive(text: &str) {
    BROWSER.with(|browser| {
        let Some(browser) = browser.get() else { return };
        match text {
            r#"{"engine":"take"}"# => browser.take(),
            r#"{"engine":"anew"}"# => browser.anew(),
            r#"{"engine":"wake"}"# => browser.wake(),
            _ => {
                // The page and this are built together; what neither knows is for neither.
                if let Ok(ask) = serde_json::from_str::<Ask>(text) {
                    browser.ask(ask);
                }
            }
        }
    });
}

/// Takes a file of the page, for the command that will name it.
#[wasm_bindgen]
pub fn pick(place: &str, blob: JsValue) {
    BROWSER.with(|browser| {
        if let Some(browser) = browser.get() {
            browser.pick(place, blob);
        }
    });
}

fn say(said: Said) {
    if let Said::File(place, blob) = said {
        return give(&place, &blob);
    }
    let (text, last) = match &said {
        Said::Ready => (json!({"engine": "ready"}).to_string(), false),
        Said::Taken => (json!({"engine": "taken"}).to_string(), false),
        Said::Gone => (json!({"engine": "gone"}).to_string(), false),
        Said::Unsupported(missing) => {
            (json!({"engine": "unsupported", "missing": missing}).to_string(), true)
        }
        Said::Stopped => (json!({"engine": "stopped"}).to_string(), true),
        Said::Erased => (json!({"engine": "erased"}).to_string(), true),
        Said::Told(told) => (serde_json::to_string(told).unwrap_or_default(), false),
        Said::Event(event) => (serde_json::to_string(event).unwrap_or_default(), false),
        Said::File(..) => return,
    };
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else { return };
    // Fails only for what cannot be cloned, and a text can.
    drop(scope.post_message(&JsValue::from_str(&text)));
    if last {
        scope.close();
    }
}

/// Gives the page an opened file: the one message that is no text, `{"file": BLOB, "place": NAME}`.
fn give(place: &str, blob: &JsValue) {
    let message = js_sys::Object::new();
    let set = |name: &str, value: &JsValue| js_sys::Reflect::set(&message, &name.into(), value);
    let whole = set("file", blob).and(set("place", &place.into()));
    let scope = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>();
    if let (Ok(_), Ok(scope)) = (whole, scope) {
        drop(scope.post_message(&message));
    }
}

thread_local! {
    static BROWSER: OnceCell<Browser> = const { OnceCell::new() };
}
