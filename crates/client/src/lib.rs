// SPDX-License-Identifier: AGPL-3.0-or-later
//! The client state machine: conversations, devices, outbox, checks.
//!
//! Sans-IO: [`engine::Engine::handle`] takes one [`io::Input`], the time and a random source, changes the
//! [`store::Store`] in one commit, and returns [`io::Effect`]s. Nothing is sent or acknowledged before
//! the step that caused it is on disk; nothing here reads a clock, a socket or a file.
//!
//! The walk of a message down: [`engine`] (a person's command) → [`conversation`] (which room) → [`outbox`]
//! (order, retries) → `e2ee` (the last place that knows the text) → an [`io::Effect::Frame`]. Up:
//! [`mailbox`] (entries in order, each once) → `e2ee` → [`gate`] for whoever enters → [`conversation`].
//!
//! Carries out `docs/book/protocol.md`, sections 1 and 3 to 7, client side.

mod account;
mod bot;
mod charter;
mod command;
mod commit;
mod conversation;
mod device;
mod directory;
pub mod engine;
mod files;
pub mod gate;
mod held;
mod history;
mod incoming;
mod intent;
pub mod io;
mod joining;
mod ledger;
mod link;
mod list;
mod live;
mod lookup;
mod mailbox;
pub mod media;
mod message;
mod names;
mod offers;
mod outbox;
mod overlay;
mod past;
mod push;
mod putback;
mod resend;
mod retired;
mod room;
mod rows;
mod selfgroup;
mod step;
pub mod store;
mod stuck;
mod successor;
mod tokens;
mod typing;
mod views;
pub mod words;
