// SPDX-License-Identifier: AGPL-3.0-or-later
//! The rules of the server, each with its attack first.
