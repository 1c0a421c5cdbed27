// SPDX-License-Identifier: AGPL-3.0-or-later
//! The suite of every store.
