// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is kept of devices: see the table in [`super`].

use nodoor_wire::id::DeviceId;
use serde::{Deserialize, Serialize};

use crate::rows::Account;

/// Keys of a device that is not one yet.
pub(crate) const JOINING: &[u8] = b"a/joining";
/// A list of ours on its way.
pub(crate) const PUTTING: &[u8] = b"a/list";
/// A handle that we asked for.
pub(crate) const MOVING: &[u8] = b"a/handle";
/// New recovery words on their way.
pub(crate) const NEW_WORDS: &[u8] = b"a/words";
/// This device was removed.
pub(crate) const REMOVED: &[u8] = b"a/removed";

/// A device of the account.
pub(crate) fn named(device: &DeviceId) -> Vec<u8> {
    [b"y/".as_slice(), device.as_bytes()].concat()
}

/// What this device will be, once a list of the account names it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Joining {
    /// As it will be.
    pub(crate) account: Account,
    /// Since when, milliseconds.
    pub(crate) since: u64,
    /// The list that does it (protobuf `SignedList`), if it is ours to put: the recovery key signed it. Else another
    /// device puts it.
    #[serde(with = "serde_bytes")]
    pub(crate) list: Option<Vec<u8>>,
}

/// A list that we signed, until the server's answer.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Putting {
    /// Protobuf `SignedList`.
    #[serde(with = "serde_bytes")]
    pub(crate) list: Vec<u8>,
    /// Since when, milliseconds.
    pub(crate) since: u64,
    /// The device it adds, if it adds one.
    pub(crate) adds: Option<DeviceId>,
}

/// A handle of another account that we asked for, until it is ours or refused.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Moving {
    /// The handle.
    pub(crate) handle: String,
    /// Our claim (protobuf `SignedBytes`).
    #[serde(with = "serde_bytes")]
    pub(crate) claim: Vec<u8>,
    /// Ledger time from which it may move, once the log has the claim, milliseconds.
    pub(crate) from: Option<u64>,
    /// Whoever holds it said no. Kept until the person was told.
    #[serde(default)]
    pub(crate) kept: bool,
}

/// Recovery words that a list of ours brings.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct NewWords {
    /// What they stand for. Secret.
    #[serde(with = "serde_bytes")]
    pub(crate) entropy: [u8; 32],
    /// The version that brings them.
    pub(crate) version: u64,
}

/// A device of the account, as this one knows it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Named {
    /// What it is called; empty if nobody told us.
    pub(crate) name: String,
    /// When we learnt of it, milliseconds.
    pub(crate) added_at: u64,
    /// This device approved it.
    pub(crate) approved_here: bool,
    /// It is in every room that we were in when it came.
    pub(crate) in_rooms: bool,
}

/// This device is no longer one of the account's.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Removed {
    /// The newest list that was looked at.
    pub(crate) version: u64,
    /// The version that removed it.
    pub(crate) by: u64,
    /// When we learnt it, milliseconds.
    pub(crate) since: u64,
    /// The recovery key signed that, or this device did: there is nothing to object to.
    pub(crate) settled: bool,
    /// Our dispute (protobuf `SignedBytes`), until the server has it.
    #[serde(with = "serde_bytes")]
    pub(crate) dispute: Option<Vec<u8>>,
    /// The server has it.
    pub(crate) disputed: bool,
}
