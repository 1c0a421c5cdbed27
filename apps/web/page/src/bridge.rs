// SPDX-License-Identifier: AGPL-3.0-or-later
//! The page's end of the worker boundary: asks go over as JSON, replies and events come back.
//!
//! Knows the envelope, not the meaning: `state` hears events, screens hear the replies to their own
//! asks. Asks made before the engine is ready wait here, in order.

use std::{cell::RefCell, collections::BTreeMap};

use nodoor_view::{
    command::{Ask, Command, Reply, Told},
    event::Event,
    model::{Problem, ProblemKind},
};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{MessageEvent, Worker};

use crate::dom;

/// What the worker tells unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The engine runs on its database.
    Ready,
    /// Another tab has the database.
    Taken,
    /// The browser lacks something.
    Unsupported(String),
    /// The browser once had an account and the database is no longer there.
    Gone,
    /// The engine crashed.
    Stopped,
    /// Everything was erased, as asked.
    Erased,
    /// Something changed.
    Event(Box<Event>),
}

#[wasm_bindgen]
extern "C" {
    // Made by `start.js`, where Trusted Types knows the two scripts there may be.
    #[wasm_bindgen(js_name = nodoorWorker, catch)]
    fn worker() -> Result<Worker, JsValue>;
}

type Then = Box<dyn FnOnce(Reply)>;

#[derive(Default)]
struct Bridge {
    worker: Option<Worker>,
    hear: Option<fn(Heard)>,
    next: u64,
    awaited: BTreeMap<u64, Then>,
    ready: bool,
    waiting: Vec<String>,
}

thread_local! {
    static BRIDGE: RefCell<Bridge> = RefCell::default();
}

/// Starts the worker, or starts it again; `hear` is called for all that is told unasked.
pub(crate) fn start(hear: fn(Heard)) {
    #[cfg(feature = "parts")]
    if crate::fake::chosen() {
        BRIDGE.with_borrow_mut(|bridge| bridge.hear = Some(hear));
        crate::fake::start();
        return;
    }
    let Ok(worker) = worker() else {
        hear(Heard::Unsupported("Worker".to_owned()));
        return;
    };
    dom::listen(&worker, "message", |event| {
        let Ok(message) = event.dyn_into::<MessageEvent>() else { return };
        let data = message.data();
        if data.is_object() && crate::chat::given(&data) {
            return;
        }
        let text = data
            .as_string()
            .or_else(|| js_sys::JSON::stringify(&data).ok().and_then(|s| s.as_string()));
        if let Some(text) = text {
            receive(&text);
        }
    });
    dom::listen(&worker, "error", |_| told(Heard::Stopped));
    BRIDGE.with_borrow_mut(|bridge| {
        if let Some(old) = bridge.worker.replace(worker) {
            old.terminate();
        }
        bridge.hear = Some(hear);
        bridge.ready = false;
    });
}

/// Asks, and runs `then` with the answer. Never runs `then` before returning.
pub(crate) fn ask(command: Command, then: impl FnOnce(Reply) + 'static) {
    let ask = BRIDGE.with_borrow_mut(|bridge| {
        bridge.next += 1;
        bridge.awaited.insert(bridge.next, Box::new(then));
        Ask { ask: bridge.next, command }
    });
    if let Ok(text) = serde_json::to_string(&ask) {
        post(text);
    }
}

/// Asks for something whose answer changes nothing here.
pub(crate) fn tell(command: Command) {
    ask(command, |_| ());
}

/// What the page says to the engine that is no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Take the database over from the tab that has it.
    Take,
    /// Throw away what cannot be opened and start without an account.
    Anew,
    /// The page is in front again or the network is back: reconnect now.
    Wake,
}

/// Says it.
pub(crate) fn word(word: Word) {
    #[cfg(feature = "parts")]
    if crate::fake::chosen() {
        if word != Word::Wake {
            crate::fake::start();
        }
        return;
    }
    let text = match word {
        Word::Take => r#"{"engine":"take"}"#,
        Word::Anew => r#"{"engine":"anew"}"#,
        Word::Wake => r#"{"engine":"wake"}"#,
    };
    BRIDGE.with_borrow(|bridge| {
        if let Some(worker) = &bridge.worker {
            drop(worker.post_message(&JsValue::from_str(text)));
        }
    });
}

/// Hands a file to the engine, for the command that will name its place.
pub(crate) fn hand_over(place: &str, file: &web_sys::File) {
    let message = js_sys::Object::new();
    let set = |name: &str, value: &JsValue| js_sys::Reflect::set(&message, &name.into(), value);
    let whole = set("place", &place.into()).and(set("file", file));
    BRIDGE.with_borrow(|bridge| {
        if let (Some(worker), true) = (&bridge.worker, whole.is_ok()) {
            drop(worker.post_message(&message));
        }
    });
}

fn post(text: String) {
    #[cfg(feature = "parts")]
    if crate::fake::chosen() {
        crate::fake::receive(text);
        return;
    }
    BRIDGE.with_borrow_mut(|bridge| match &bridge.worker {
        Some(worker) if bridge.ready => drop(worker.post_message(&JsValue::from_str(&text))),
        _ => bridge.waiting.push(text),
    });
}

/// One message of the worker.
pub(crate) fn receive(text: &str) {
    // Told apart by the first key, so that each message is read once, into what it is.
    if text.starts_with(r#"{"engine""#) {
        let Ok(status) = serde_json::from_str::<BTreeMap<String, Option<String>>>(text) else {
            return;
        };
        let word = |key: &str| status.get(key).cloned().flatten().unwrap_or_default();
        match word("engine").as_str() {
            "ready" => ready(),
            "taken" => told(Heard::Taken),
            "unsupported" => told(Heard::Unsupported(word("missing"))),
            "gone" => told(Heard::Gone),
            "stopped" => told(Heard::Stopped),
            "erased" => told(Heard::Erased),
            _ => (),
        }
    } else if text.starts_with(r#"{"ask""#) {
        if let Ok(Told { ask, reply }) = serde_json::from_str(text) {
            let then = BRIDGE.with_borrow_mut(|bridge| bridge.awaited.remove(&ask));
            if let Some(then) = then {
                then(reply);
            }
        }
    } else if let Ok(event) = serde_json::from_str(text) {
        told(Heard::Event(Box::new(event)));
    }
}

fn ready() {
    BRIDGE.with_borrow_mut(|bridge| {
        bridge.ready = true;
        let waiting = std::mem::take(&mut bridge.waiting);
        if let Some(worker) = &bridge.worker {
            for text in waiting {
                drop(worker.post_message(&JsValue::from_str(&text)));
            }
        }
    });
    told(Heard::Ready);
}

fn told(heard: Heard) {
    if heard == Heard::Stopped {
        // Nothing that was asked will be answered; whoever waits keeps what it has.
        let awaited = BRIDGE.with_borrow_mut(|bridge| {
            bridge.ready = false;
            bridge.waiting.clear();
            std::mem::take(&mut bridge.awaited)
        });
        for then in awaited.into_values() {
            let kind = ProblemKind::Internal;
            then(Reply::Problem(Problem { kind, code: 0, wait_seconds: 0 }));
        }
    }
    if let Some(hear) = BRIDGE.with_borrow(|bridge| bridge.hear) {
        hear(heard);
    }
}
