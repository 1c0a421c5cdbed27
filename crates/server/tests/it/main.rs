// SPDX-License-Identifier: AGPL-3.0-or-later
//! The rules of the server as clients meet them, each with its attack first, on the store in memory.

mod accounts;
mod keys;
mod limits;
mod mailboxes;
mod person;
mod rooms;
mod speed;
mod storage;
