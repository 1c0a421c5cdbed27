// SPDX-License-Identifier: AGPL-3.0-or-later
//! The client against the real server, in memory.

mod conversations;
mod groups;
