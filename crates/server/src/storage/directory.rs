// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the key directory keeps: its tree, the versions of its labels, and which labels wait to be published.
//!
//! A store knows neither VRF nor hash: nodes and versions are rows that `crate::ledger` encodes. The tree has its own
//! commits, together with the ledger ([`super::ledger::LedgerStorage::append`]), so that an epoch of many labels never
//! stands between a message and its yes. The mark of a label is written beside the list or handle itself, in the
//! commit of [`super::Op`].
//!
//! Carries out `docs/book/ledger.md`, 2.

use bytes::Bytes;
use nodoor_transparency::directory::{handle_hash, handle_value};
use nodoor_wire::{handle::Handle, id::AccountId, proto};
use sha2::{Digest as _, Sha256};

use crate::storage::Answer;

/// What a label of the directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An account; its value is the hash of its newest list.
    Account(AccountId),
    /// SHA-256 of a handle; its value is the hash of the account that holds it.
    Handle([u8; 32]),
}

/// A label that waits to be published. Each change has a mark of its own, so that the removal of one that was published
/// never removes a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Whose label.
    pub subject: Subject,
    /// Rises with every change of the subject: of several marks the highest counts.
    pub version: u64,
    /// The new value.
    pub value: [u8; 32],
}

impl Mark {
    /// That an account has this list as its newest version.
    #[must_use]
    pub fn of_list(account: AccountId, version: u64, list: &proto::SignedList) -> Self {
        let value = Sha256::digest(&list.body).into();
        Self { subject: Subject::Account(account), version, value }
    }

    /// That an account holds a handle, the first of those who held it.
    #[must_use]
    pub fn of_handle(handle: &Handle, account: AccountId) -> Self {
        let subject = Subject::Handle(handle_hash(handle));
        Self { subject, version: 1, value: handle_value(&account) }
    }

    /// That a handle moved to an account.
    #[must_use]
    pub fn of_moved_handle(handle: &Handle, to: AccountId, version: u64) -> Self {
        Self { version, ..Self::of_handle(handle, to) }
    }

    /// The name of the mark's row; rows sort as marks do. The row holds [`Mark::value`].
    #[must_use]
    pub fn to_key(&self) -> Vec<u8> {
        let (kind, id): (u8, &[u8]) = match &self.subject {
            Subject::Account(account) => (1, account.as_bytes()),
            Subject::Handle(hash) => (2, hash),
        };
        [&[kind], id, &self.version.to_be_bytes()].concat()
    }

    /// Reads a row back; nothing if it is none.
    #[must_use]
    pub fn from_row(key: &[u8], value: &[u8]) -> Option<Self> {
        let (kind, rest) = key.split_first()?;
        let (id, version) = rest.split_last_chunk::<8>()?;
        let subject = match kind {
            1 => Subject::Account(AccountId::try_from(id).ok()?),
            2 => Subject::Handle(id.try_into().ok()?),
            _ => return None,
        };
        let version = u64::from_be_bytes(*version);
        Some(Self { subject, version, value: value.try_into().ok()? })
    }
}

/// The labels that wait.
pub trait Marks: Send + Sync + 'static {
    /// Marks behind `after` in their order, or from the first; at most `limit`.
    fn marks(&self, after: Option<Mark>, limit: usize) -> Answer<'_, Vec<Mark>>;

    /// Forgets marks that were published. Not synced: one that comes back after a crash is published again, which changes
    /// nothing.
    fn unmark(&self, marks: Vec<Mark>) -> Answer<'_, ()>;
}

/// Name of a node's row: the 32 bytes of its label, then the label's length in bits. Nodes of one path lie together.
pub type NodeName = [u8; 34];

/// The tree's rows.
pub trait Directory {
    /// The row that names the newest epoch; nothing before the first.
    fn head(&self) -> Answer<'_, Option<Bytes>>;

    /// Nodes by their names, in the order asked.
    fn nodes(&self, names: Vec<NodeName>) -> Answer<'_, Vec<Option<Bytes>>>;

    /// Every version of a label with its epoch, oldest first.
    fn versions(&self, label: Bytes) -> Answer<'_, Vec<(u64, Bytes)>>;

    /// The newest version of a label that is not above an epoch.
    fn version(&self, label: Bytes, up_to_epoch: u64) -> Answer<'_, Option<(u64, Bytes)>>;
}

/// The rows that one epoch writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryRows {
    /// Replaces the head.
    pub head: Option<Bytes>,
    /// Nodes, new and changed.
    pub nodes: Vec<(NodeName, Bytes)>,
    /// Label, epoch, version.
    pub versions: Vec<(Bytes, u64, Bytes)>,
}

/// Name of a version's row: labels of different lengths never share a beginning.
#[must_use]
pub fn version_name(label: &[u8], epoch: u64) -> Vec<u8> {
    let length = u16::try_from(label.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), label, &epoch.to_be_bytes()].concat()
}
