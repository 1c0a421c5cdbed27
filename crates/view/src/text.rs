// SPDX-License-Identifier: AGPL-3.0-or-later
//! Texts (Fluent, shared by page and terminal) and the one cleaner of foreign text for terminals.
