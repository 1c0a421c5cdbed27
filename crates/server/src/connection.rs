// SPDX-License-Identifier: AGPL-3.0-or-later
//! skeleton

/// One connection of a client. Made by [`crate::Server::connect`].
pub struct Connection {}
