// SPDX-License-Identifier: AGPL-3.0-or-later
//! What goes into the engine and what comes out. A driver (`sdk`, `testkit`) moves it.

use nodoor_view::{
    command::{Ask, Told},
    event::Event,
};

/// Which of the two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wire {
    /// Own mailbox and its bodies, own lists, tokens, key package upload.
    Login,
    /// Rooms, key packages of others, look-ups.
    Anonymous,
}

/// One thing that happened. The driver hands in one after the other.
#[derive(Debug, Clone)]
pub enum Input {
    /// The process or tab started: the engine picks up what it left, and says what it needs.
    Start,
    /// An interface asks something; the answer is an [`Effect::Told`], now or later.
    Ask(Ask),
    /// A connection stands. The driver sends nothing on it but [`Effect::Frame`]s.
    Connected(Wire),
    /// A connection is gone; frames in flight may or may not have arrived.
    Disconnected(Wire),
    /// One protobuf `FromServer` frame.
    Frame(Wire, Vec<u8>),
    /// A time asked for by [`Effect::Timer`] has come (or later: it is only a hint).
    Timer,
}

/// What the driver does next, in order. All of it is already on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open this connection if it is not open; on failure wait with jitter (1 s doubling to 60 s) and try again.
    /// Until an account exists only the anonymous one, and the login one for registering, are asked for.
    Connect(Wire),
    /// Drop this connection if it is open, with all that came on it and was not handed in, and open another at once;
    /// then as [`Effect::Connect`]. The engine knows: no [`Input::Disconnected`] for the one that is dropped.
    Renew(Wire),
    /// Send one protobuf `Request` frame. If the connection is gone, drop it: the engine sends again what matters.
    Frame(Wire, Vec<u8>),
    /// Hand [`Input::Timer`] in at this time, milliseconds since 1970. Replaces the timer before.
    Timer(u64),
    /// The answer to an [`Input::Ask`].
    Told(Told),
    /// Tell interfaces.
    Event(Event),
    /// The profile was erased: close the store, delete its files, stop.
    Erased,
}
