// SPDX-License-Identifier: AGPL-3.0-or-later
//! The checkpoint that is served, and proofs about the epoch under it.
//!
//! The directory's library proves for the epoch that its head names; here that is the served one, whatever was written
//! since. Once two more epochs were written its rows are gone, so a proof that took that long is made again.

use std::sync::{Arc, atomic::Ordering};

use akd::{
    AkdLabel, AzksParallelismConfig, Directory, EpochHash, HistoryParams, WhatsAppV1Configuration,
    errors::{AkdError, StorageError as AkdStorageError},
    proto::specs::types as akd_proto,
    storage::StorageManager,
};
use bytes::Bytes;
use nodoor_transparency::ledger::{
    checkpoint::{SignedCheckpoint, TreeHead},
    tree::Hash,
};
use nodoor_wire::{
    id::{AccountId, DeploymentId},
    proto,
};
use protobuf::Message as _;

use crate::{
    ledger::{Inner, Ledger, LedgerError, Logged, keys::VrfKey, rows::Rows},
    storage::{directory::Subject, ledger::LedgerStorage},
};

pub(super) type Akd = Directory<WhatsAppV1Configuration, Rows, VrfKey>;

/// What is served.
pub(super) struct Served {
    signed: SignedCheckpoint,
    newest: Logged,
    logged: proto::LoggedEntry,
    directory: Akd,
}

/// A proof, or what to do without one.
pub(super) enum Proved<T> {
    /// As of the served epoch.
    Yes(T),
    /// The label is in no served epoch.
    NotYet,
}

impl Served {
    pub(super) async fn new(
        store: &Arc<dyn LedgerStorage>,
        vrf: &VrfKey,
        signed: SignedCheckpoint,
        newest: Logged,
        inclusion: Vec<Hash>,
    ) -> Result<Self, LedgerError> {
        let rows = Rows::at(Arc::clone(store), newest.epoch.epoch);
        let directory = open_directory(rows, vrf).await?;
        let logged = proto::LoggedEntry {
            entry: newest.entry.clone(),
            index: newest.index,
            inclusion: inclusion.iter().map(|hash| Bytes::copy_from_slice(hash)).collect(),
            checkpoint: signed.to_vec().into(),
        };
        Ok(Self { signed, newest, logged, directory })
    }

    pub(super) fn head(&self) -> TreeHead {
        self.signed.head()
    }

    pub(super) fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    pub(super) fn time_ms(&self) -> u64 {
        self.newest.epoch.time_ms
    }

    pub(super) fn logged(&self) -> &proto::LoggedEntry {
        &self.logged
    }
}

pub(super) async fn open_directory(rows: Rows, vrf: &VrfKey) -> Result<Akd, LedgerError> {
    // No cache: the store has one, and the library's would hold nodes of epochs that are over.
    let manager = StorageManager::new_no_cache(rows);
    Directory::new(manager, vrf.clone(), AzksParallelismConfig::disabled())
        .await
        .map_err(|_| LedgerError::Directory)
}

/// The label of a subject, in this deployment and no other.
///
/// Spec: `docs/book/ledger.md`, 2.
pub(super) fn label(deployment: &DeploymentId, subject: &Subject) -> AkdLabel {
    let (kind, id): (u8, &[u8]) = match subject {
        Subject::Account(account) => (1, account.as_bytes()),
        Subject::Handle(hash) => (2, hash),
    };
    AkdLabel([deployment.as_bytes(), &[kind], id].concat())
}

impl Ledger {
    pub(super) fn served(&self) -> Option<Arc<Served>> {
        self.0.state().served.clone()
    }

    pub(super) fn vrf_key(&self) -> Bytes {
        self.0.vrf_public.clone()
    }

    /// The lookup proof of a subject whose value is `value`; not yet if the served epoch has none or another.
    pub(super) async fn look_up(
        &self,
        subject: &Subject,
        value: &[u8; 32],
    ) -> Result<Proved<(Bytes, Arc<Served>)>, LedgerError> {
        let label = label(&self.0.deployment, subject);
        loop {
            let Some(served) = self.served() else { return Ok(Proved::NotYet) };
            let found = served.directory.lookup(label.clone()).await;
            if self.0.is_over(&served) {
                continue;
            }
            let (proof, epoch) = match found {
                Ok(found) => found,
                Err(error) if is_unknown(&error) => return Ok(Proved::NotYet),
                Err(_) => return Err(LedgerError::Directory),
            };
            served.check(&epoch)?;
            if *proof.value != *value {
                return Ok(Proved::NotYet);
            }
            let bytes = akd_proto::LookupProof::from(&proof).write_to_bytes();
            let bytes = bytes.map_err(|_| LedgerError::Form)?;
            return Ok(Proved::Yes((bytes.into(), served)));
        }
    }

    /// The history proof of an account's newest versions.
    pub(super) async fn history(
        &self,
        account: AccountId,
        newest: usize,
    ) -> Result<Proved<(Bytes, Arc<Served>)>, LedgerError> {
        let label = label(&self.0.deployment, &Subject::Account(account));
        loop {
            let Some(served) = self.served() else { return Ok(Proved::NotYet) };
            let params = HistoryParams::MostRecent(newest);
            let found = served.directory.key_history(&label, params).await;
            if self.0.is_over(&served) {
                continue;
            }
            let (proof, epoch) = match found {
                Ok(found) => found,
                Err(error) if is_unknown(&error) => return Ok(Proved::NotYet),
                Err(_) => return Err(LedgerError::Directory),
            };
            served.check(&epoch)?;
            let bytes = akd_proto::HistoryProof::from(&proof).write_to_bytes();
            let bytes = bytes.map_err(|_| LedgerError::Form)?;
            return Ok(Proved::Yes((bytes.into(), served)));
        }
    }
}

impl Served {
    /// That what was proved is what the entry says.
    fn check(&self, proved: &EpochHash) -> Result<(), LedgerError> {
        let logged = &self.newest.epoch;
        if proved.0 == logged.epoch && proved.1 == logged.root {
            Ok(())
        } else {
            Err(LedgerError::Directory)
        }
    }
}

impl Inner {
    /// Whether the rows of a served epoch may have been replaced meanwhile.
    fn is_over(&self, served: &Served) -> bool {
        self.written_epoch.load(Ordering::SeqCst) > served.newest.epoch.epoch.saturating_add(1)
    }
}

/// Whether a label has no version. The library's error names the label: it goes no further.
fn is_unknown(error: &AkdError) -> bool {
    matches!(error, AkdError::Storage(AkdStorageError::NotFound(_)))
}
