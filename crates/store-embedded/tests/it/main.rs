// SPDX-License-Identifier: AGPL-3.0-or-later
//! The folder as the server and a thief meet it.
