// SPDX-License-Identifier: AGPL-3.0-or-later
//! The folder as the server, a crash, and a thief meet it.

mod conformance;
mod folder;
mod killed;
mod seized;
