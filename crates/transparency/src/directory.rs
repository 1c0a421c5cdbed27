// SPDX-License-Identifier: AGPL-3.0-or-later
//! The key directory as a client sees it: labels, values, and what a proof of it shows.
//!
//! `akd_core` verifies; this room stands before it and holds back what it should not be given. Two things it does not
//! check by itself:
//!
//! - A *non-membership* proof names the two children under the longest prefix of a label. `akd_core` 0.13.0 refuses
//!   a child that *is* the label, not one that the label lies *under*: with the root as longest prefix, anything
//!   would be absent, so the newest version could be hidden. [`verify_lookup`] and [`verify_history`] refuse that.
//! - It panics at version 0.
//!
//! Its own reader of proofs would bring a second library for protobuf to every browser; [`read`] is ours.
//!
//! A proof counts only under the root of a [`KtEpoch`] that is logged: see [`crate::ledger::proof`].
//!
//! Spec: `docs/book/ledger.md`, 2; akd 0.13, `whatsapp_v1`.

use akd_core::{
    AkdLabel, NodeLabel, NonMembershipProof, VerifyResult, WhatsAppV1Configuration,
    configuration::Configuration as _,
    verify::{
        history::{HistoryParams, HistoryVerificationParams},
        key_history_verify, lookup_verify,
    },
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, DeploymentId},
};
use sha2::{Digest as _, Sha256};

use crate::{ledger::entry::KtEpoch, list::DeviceList};

mod read;

/// A longer lookup proof is not read. One of a tree of a million labels has 5 KB.
pub const LOOKUP_BYTES: usize = 64 * 1024;
/// A longer history proof is not read.
pub const HISTORY_BYTES: usize = 4 * 1024 * 1024;
/// Versions that may be asked for at once.
pub const HISTORY_VERSIONS: usize = 1000;

/// A proof of the directory shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Not the encoding of such a proof, or too long.
    #[error("not a proof of the directory")]
    Form,
    /// The VRF key is not the one that the ledger names.
    #[error("the VRF key is not the one in the ledger")]
    VrfKey,
    /// The proof does not fit label and root.
    #[error("the proof does not fit the label and the root")]
    NotShown,
    /// What is published there is no SHA-256.
    #[error("the published value is not of its form")]
    Value,
}

/// One version of a label, as published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Counts the publications of this label from 1: not the version of a list.
    pub version: u64,
    /// The epoch that brought it.
    pub epoch: u64,
    /// A hash: of a list's body, or of an account id.
    pub value: [u8; 32],
}

/// The label of an account.
#[must_use]
pub fn account_label(deployment: &DeploymentId, account: &AccountId) -> Vec<u8> {
    [deployment.as_bytes(), &[1], account.as_bytes()].concat()
}

/// The label of a handle.
#[must_use]
pub fn handle_label(deployment: &DeploymentId, handle: &Handle) -> Vec<u8> {
    [deployment.as_bytes(), &[2], &handle_hash(handle)].concat()
}

/// What stands for a handle where its name must not.
#[must_use]
pub fn handle_hash(handle: &Handle) -> [u8; 32] {
    Sha256::digest(handle.as_str()).into()
}

/// The value of an account: its newest list.
#[must_use]
pub fn account_value(newest: &DeviceList) -> [u8; 32] {
    newest.hash()
}

/// The value of a handle: whose it is.
#[must_use]
pub fn handle_value(account: &AccountId) -> [u8; 32] {
    Sha256::digest(account.as_bytes()).into()
}

/// The root of a directory without labels: what the first `KT_EPOCH` names as previous.
#[must_use]
pub fn empty_root() -> [u8; 32] {
    let root = WhatsAppV1Configuration::empty_root_value();
    WhatsAppV1Configuration::compute_root_hash_from_val(&root)
}

/// What the newest version of a label is, under the root of `epoch`.
///
/// `proof` is akd's `LookupProof` as protobuf, `vrf_key` the 32 bytes whose hash the entry has. About 1 ms.
///
/// # Errors
/// [`DirectoryError`].
///
/// Spec: `docs/book/ledger.md`, 3.
pub fn verify_lookup(
    epoch: &KtEpoch,
    vrf_key: &[u8],
    label: &[u8],
    proof: &[u8],
) -> Result<Published, DirectoryError> {
    check_key(epoch, vrf_key)?;
    if proof.len() > LOOKUP_BYTES {
        return Err(DirectoryError::Form);
    }
    let proof = read::lookup_proof(proof).ok_or(DirectoryError::Form)?;
    if !(1..=epoch.epoch).contains(&proof.version) || !shows_absence(&proof.freshness_proof) {
        return Err(DirectoryError::NotShown);
    }
    let label = AkdLabel(label.to_vec());
    let shown =
        lookup_verify::<WhatsAppV1Configuration>(vrf_key, epoch.root, epoch.epoch, label, proof);
    published(&shown.map_err(|_| DirectoryError::NotShown)?)
}

/// The newest versions of a label under the root of `epoch`, the oldest of them first.
///
/// `newest` is how many were asked for: fewer come back only if there are no more. About 3 ms, and 1 ms a version.
///
/// # Errors
/// [`DirectoryError`].
///
/// Spec: `docs/book/ledger.md`, 3.
pub fn verify_history(
    epoch: &KtEpoch,
    vrf_key: &[u8],
    label: &[u8],
    proof: &[u8],
    newest: usize,
) -> Result<Vec<Published>, DirectoryError> {
    check_key(epoch, vrf_key)?;
    if proof.len() > HISTORY_BYTES || newest == 0 || newest > HISTORY_VERSIONS {
        return Err(DirectoryError::Form);
    }
    let proof = read::history_proof(proof).ok_or(DirectoryError::Form)?;
    let versions = proof.update_proofs.iter().map(|update| update.version);
    if proof.update_proofs.len() > newest
        || !versions.clone().all(|version| (1..=epoch.epoch).contains(&version))
        || !proof.non_existence_of_future_marker_proofs.iter().all(shows_absence)
    {
        return Err(DirectoryError::NotShown);
    }
    let shown = key_history_verify::<WhatsAppV1Configuration>(
        vrf_key,
        epoch.root,
        epoch.epoch,
        AkdLabel(label.to_vec()),
        proof,
        HistoryVerificationParams::Default { history_params: HistoryParams::MostRecent(newest) },
    );
    shown.map_err(|_| DirectoryError::NotShown)?.iter().rev().map(published).collect()
}

/// How many versions a history proof claims to show.
pub(crate) fn versions_in(history: &[u8]) -> Option<usize> {
    let proof = Some(history).filter(|proof| proof.len() <= HISTORY_BYTES);
    Some(read::history_proof(proof?)?.update_proofs.len())
}

fn check_key(epoch: &KtEpoch, vrf_key: &[u8]) -> Result<(), DirectoryError> {
    let hash: [u8; 32] = Sha256::digest(vrf_key).into();
    if hash == epoch.vrf_key { Ok(()) } else { Err(DirectoryError::VrfKey) }
}

/// Whether the label lies under neither child. Then it is not in the tree if the children are.
fn shows_absence(proof: &NonMembershipProof) -> bool {
    let nobody: NodeLabel = WhatsAppV1Configuration::empty_label();
    proof
        .longest_prefix_children
        .iter()
        .all(|child| child.label == nobody || !child.label.is_prefix_of(&proof.label))
}

fn published(shown: &VerifyResult) -> Result<Published, DirectoryError> {
    let value = shown.value.0.as_slice().try_into().map_err(|_| DirectoryError::Value)?;
    Ok(Published { version: shown.version, epoch: shown.epoch, value })
}
