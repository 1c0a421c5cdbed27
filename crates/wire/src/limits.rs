// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sizes and counts that both sides hold to. Bytes unless the name says otherwise.

/// One request frame, a commit with its Welcome included. A commit of a blank tree of 1,000
/// X-Wing leaves is 1.2 MiB, its bulk Welcome 1.3 MiB.
pub const REQUEST: usize = 4 * 1024 * 1024;
/// One application or proposal frame: 64 KiB of text, its padding class and MLS around it.
pub const FRAME: usize = 160 * 1024;
/// Text a person may send in one message.
pub const TEXT: usize = 64 * 1024;
/// A sealed roster of 4,096 leaves and its tag.
pub const ROSTER: usize = crate::roster::LARGEST + 16;
/// A Welcome of somebody not yet accepted.
pub const STRANGER_WELCOME: usize = 256 * 1024;
/// Leaves in a room of somebody not yet accepted.
pub const STRANGER_LEAVES: usize = 20;
/// Members of a room.
pub const MEMBERS: usize = 1000;
/// Devices of an account.
pub const DEVICES: usize = 16;
/// One key package.
pub const KEY_PACKAGE: usize = 8 * 1024;
/// Single-use key packages a device may keep at the server.
pub const KEY_PACKAGES: usize = 50;
/// A client refills below this many.
pub const KEY_PACKAGES_LOW: u32 = 20;
/// Delivery tokens of a device: one for each room it is in and each key package it has out.
pub const TOKENS: usize = 5000;
/// Token hashes, key packages or body ids in one request.
pub const BATCH: usize = 1000;
/// Entries in flight to one device, unacknowledged.
pub const WINDOW_ENTRIES: usize = 256;
/// Bytes in flight to one device, unacknowledged.
pub const WINDOW_BYTES: usize = 1024 * 1024;
/// A signed list, claim or statement.
pub const SIGNED: usize = 64 * 1024;
/// Days a mailbox entry, a body or a commit waits to be fetched.
pub const KEEP_DAYS: u64 = 30;
/// Days the server remembers that a transport id was delivered.
pub const ONCE_DAYS: u64 = 8;
/// Days a room is kept that never came beyond epoch 0 and in which nothing was sent.
pub const UNMOVED_DAYS: u64 = 8;
/// Days a room is kept in which nothing was sent or committed.
pub const IDLE_DAYS: u64 = 400;
/// A push resource.
pub const PUSH_ENDPOINT: usize = 1024;
/// Days the server calls a device at a push resource that the device did not name again.
pub const PUSH_DAYS: u64 = 180;
/// Days after which a device names it again.
pub const PUSH_RENEW_DAYS: u64 = 30;
/// Days a client tries to send before it says "not sent".
pub const TRY_DAYS: u64 = 7;

/// The largest blob, bytes: a file of 2 GiB, padded and sealed.
pub const BLOB: u64 = 2 * 1024 * 1024 * 1024 + 1024 * 1024;
