// SPDX-License-Identifier: AGPL-3.0-or-later
//! A world in memory: the real server over the memory store, real client engines over theirs, and between them
//! a network that delivers, loses and cuts as a test says. The clock is in the test's hand, chance is seeded.
//!
//! [`world::World`] is where a test begins: people register, ask, and the world runs until nothing moves.
//! [`mallory::Mallory`] is a member who means harm. [`push::PushService`] is the one thing here with sockets: for tests of
//! the programs.

pub mod chance;
pub mod crowd;
pub mod files;
pub mod mallory;
mod pen;
pub mod push;
pub mod world;
