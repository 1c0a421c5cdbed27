// SPDX-License-Identifier: AGPL-3.0-or-later
//! What an interface asks, is told and says: commands, view models, texts.
//!
//! The page, the terminal and a later desktop shell speak this to the engine; it is plain data
//! (serde), so it crosses a worker boundary as JSON. It knows nothing of keys, rooms or frames: a
//! conversation is a row number, a message a row number. `client` fills these types; interfaces draw
//! them and decide nothing.

pub mod command;
pub mod device;
pub mod event;
pub mod export;
pub mod file;
pub mod group;
pub mod link;
pub mod list;
pub mod message;
pub mod model;
pub mod past;
pub mod push;
pub mod rich;
pub mod text;
