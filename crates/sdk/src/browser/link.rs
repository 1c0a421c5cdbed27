// SPDX-License-Identifier: AGPL-3.0-or-later
//! One of the two connections: opened, kept open, opened again after a growing pause.
//!
//! It carries frames and looks into none. What was handed to a connection that broke is gone; the engine
//! sends again what matters.
//!
//! A network that vanished (a laptop that slept, a forgotten NAT entry) sends no end, and scripts can neither send
//! nor see the pings of a WebSocket. So after a silence the first frame of the connection, its greeting, is sent again, which
//! the server answers like the first (protocol, 2); no answer is the end.

use std::{cell::RefCell, rc::Weak};

use js_sys::{ArrayBuffer, Uint8Array};
use nodoor_client::io::{Input, Wire};
use wasm_bindgen::{JsCast as _, prelude::Closure};
use web_sys::{BinaryType, MessageEvent, WebSocket};

use crate::browser::{Inner, now_ms, timer::Timeout, with_link};

/// A connection, asked for or not yet.
pub(super) struct Link {
    wire: Wire,
    address: String,
    home: Weak<RefCell<Inner>>,
    socket: Option<Socket>,
    /// Until the next attempt, until the present one has taken too long, or until the next look for a silence.
    waits: Option<Timeout>,
    pause_ms: u64,
    up: Option<Up>,
}

/// A connection that stands.
struct Up {
    since_ms: u64,
    /// The first frame sent on it.
    greeting: Vec<u8>,
    /// When anything came last.
    heard_ms: u64,
    /// The greeting was sent again, and nothing came since.
    asked: bool,
}

struct Socket {
    socket: WebSocket,
    // What the browser calls; alive as long as it may.
    _opened: Closure<dyn FnMut()>,
    _closed: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
}

impl Link {
    /// A connection to `server` (`https://host` or `http://host`), not opened yet.
    pub(super) fn new(wire: Wire, server: &str, home: Weak<RefCell<Inner>>) -> Self {
        // http becomes ws, https becomes wss.
        let address = format!("{}/v1/ws", server.replacen("http", "ws", 1));
        Self { wire, address, home, socket: None, waits: None, pause_ms: FIRST_MS, up: None }
    }

    /// Opens it, if it is neither open nor being opened.
    pub(super) fn open(&mut self) {
        if self.socket.is_none() && self.waits.is_none() {
            self.dial();
        }
    }

    /// Tries now instead of after the pause; asks now instead of after the silence.
    pub(super) fn hurry(&mut self) {
        if self.socket.is_none() && self.waits.is_some() {
            self.pause_ms = FIRST_MS;
            self.dial();
        } else if self.up.as_ref().is_some_and(|up| !up.asked) {
            // Not both connections of a person in the same moment.
            self.waits = self.later(jittered(FIRST_MS), |link| {
                link.ask();
                None
            });
        }
    }

    /// Another in its place, at once.
    pub(super) fn renew(&mut self) {
        self.drop_now();
        self.open();
    }

    /// Closes it without a word to the engine; [`Link::open`] opens it again.
    pub(super) fn drop_now(&mut self) {
        (self.socket, self.waits, self.up) = (None, None, None);
    }

    /// Sends a frame, or drops it if there is no connection.
    pub(super) fn send(&mut self, frame: &[u8]) {
        if let (Some(socket), Some(up)) = (&self.socket, &mut self.up) {
            if up.greeting.is_empty() {
                up.greeting = frame.to_vec();
            }
            drop(socket.socket.send_with_u8_array(frame));
        }
    }

    fn dial(&mut self) {
        self.waits = None;
        self.socket = Socket::open(&self.address, self.wire, &self.home);
        if self.socket.is_some() {
            // Too long without a yes counts as a no.
            self.waits = self.later(DIAL_MS, |link| link.ended());
        } else {
            self.wait();
        }
    }

    fn connected(&mut self) -> Option<Input> {
        let now = now_ms();
        self.up = Some(Up { since_ms: now, greeting: Vec::new(), heard_ms: now, asked: false });
        self.waits = self.later(QUIET_MS, Self::look);
        Some(Input::Connected(self.wire))
    }

    fn heard(&mut self, frame: Vec<u8>) -> Option<Input> {
        if let Some(up) = &mut self.up {
            (up.heard_ms, up.asked) = (now_ms(), false);
        }
        Some(Input::Frame(self.wire, frame))
    }

    /// Looks for a silence: asks into it, and takes one that goes on for the end.
    fn look(&mut self) -> Option<Input> {
        let up = self.up.as_ref()?;
        if up.asked {
            return self.ended();
        }
        let quiet_ms = now_ms().saturating_sub(up.heard_ms);
        if quiet_ms >= QUIET_MS {
            self.ask();
        } else {
            self.waits = self.later(QUIET_MS - quiet_ms, Self::look);
        }
        None
    }

    /// Sends the greeting again.
    fn ask(&mut self) {
        if let (Some(socket), Some(up)) = (&self.socket, &mut self.up) {
            up.asked = true;
            drop(socket.socket.send_with_u8_array(&up.greeting));
        }
        self.waits = self.later(ANSWER_MS, Self::look);
    }

    fn ended(&mut self) -> Option<Input> {
        self.socket = None;
        if self.up.take().is_some_and(|up| now_ms().saturating_sub(up.since_ms) > STEADY_MS) {
            self.pause_ms = FIRST_MS;
        }
        self.wait();
        Some(Input::Disconnected(self.wire))
    }

    fn wait(&mut self) {
        self.waits = self.later(jittered(self.pause_ms), |link| {
            link.dial();
            None
        });
        self.pause_ms = (self.pause_ms * 2).min(LONGEST_MS);
    }

    fn later(&self, ms: u64, work: fn(&mut Self) -> Option<Input>) -> Option<Timeout> {
        let (home, wire) = (self.home.clone(), self.wire);
        Timeout::after(ms, move || with_link(&home, wire, work))
    }
}

impl Socket {
    fn open(address: &str, wire: Wire, home: &Weak<RefCell<Inner>>) -> Option<Self> {
        let socket = WebSocket::new(address).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let to = home.clone();
        let opened = Closure::new(move || with_link(&to, wire, Link::connected));
        let to = home.clone();
        let closed = Closure::new(move || with_link(&to, wire, Link::ended));
        let to = home.clone();
        let message = Closure::new(move |event: MessageEvent| {
            // Text is not ours to say anything about: only binary frames count.
            if let Ok(buffer) = event.data().dyn_into::<ArrayBuffer>() {
                let frame = Uint8Array::new(&buffer).to_vec();
                with_link(&to, wire, move |link| link.heard(frame));
            }
        });
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        Some(Self { socket, _opened: opened, _closed: closed, _message: message })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // In this order: an event under way must find no closure that is gone.
        self.socket.set_onopen(None);
        self.socket.set_onclose(None);
        self.socket.set_onmessage(None);
        drop(self.socket.close());
    }
}

/// Half to one and a half of it, so that a thousand clients do not come back in one moment.
fn jittered(pause_ms: u64) -> u64 {
    let mut byte = [128];
    // Without randomness the pause is merely the plain one.
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    pause_ms / 2 + pause_ms * u64::from(byte) / 255
}

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 60_000;
/// A connection that held this long begins again with the first pause.
const STEADY_MS: u64 = 10_000;
const DIAL_MS: u64 = 10_000;
/// Silence this long is asked into.
const QUIET_MS: u64 = 45_000;
/// How long the answer may take.
const ANSWER_MS: u64 = 10_000;
