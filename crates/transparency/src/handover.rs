// SPDX-License-Identifier: AGPL-3.0-or-later
//! A handle moves to another account: the claim in the log, the week it waits, and what a client checks of it.
//!
//! The claim stands in the log as hashes alone; that nobody of the old account said no is for its devices to see to
//! ([`crate::statement::HandleNo`]). A client believes that a handle moved only with [`verify_move`]: without it the
//! first account that was published under a label is the only one it ever leads to.
//!
//! Spec: `docs/book/ledger.md`, 6.

use minicbor::{Decode, Encode, bytes::ByteArray};
use nodoor_wire::{canonical, handle::Handle, id::AccountId, proto};

use crate::{
    directory::handle_hash,
    ledger::{
        checkpoint::TreeHead,
        entry::{Entry, Governance, GovernanceKind, KtEpoch},
        proof::Logged,
        tree::{Hash, PROOF_HASHES, leaf_hash, verify_inclusion},
    },
};

/// Ledger time between a claim and the move, milliseconds.
pub const HANDOVER_WAIT_MS: u64 = 7 * 24 * 3_600_000;

/// Who asks for which handle: the document of a `GOVERNANCE` entry of kind `handle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// [`handle_hash`] of the handle.
    pub handle: [u8; 32],
    /// The account that asks.
    pub account: AccountId,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct ClaimedBody {
    #[n(0)]
    handle: ByteArray<32>,
    #[n(1)]
    account: ByteArray<16>,
}

impl Claimed {
    /// The entry that announces it, logged with an epoch of this time.
    #[must_use]
    pub fn entry(&self, epoch_ms: u64) -> Governance {
        let body = ClaimedBody { handle: self.handle.into(), account: self.account.0.into() };
        let takes_effect_ms = epoch_ms.saturating_add(HANDOVER_WAIT_MS);
        let document = canonical::to_vec(&body);
        Governance::with_document(GovernanceKind::Handle, document, takes_effect_ms)
    }

    /// What such an entry announces; nothing if it is another one.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Option<Self> {
        let Entry::Governance(Governance {
            kind: GovernanceKind::Handle,
            document: Some(document),
            ..
        }) = entry
        else {
            return None;
        };
        let body: ClaimedBody = canonical::from_slice(document).ok()?;
        Some(Self { handle: body.handle.into(), account: AccountId(body.account.into()) })
    }
}

/// A claim of this handle that stands in the log under `head`: who asks. The checkpoint in `shown` is not looked at.
#[must_use]
pub fn logged_claim(
    shown: &proto::LoggedEntry,
    head: &TreeHead,
    handle: &Handle,
) -> Option<AccountId> {
    let claimed = Claimed::of_entry(&logged(shown, head)?)?;
    (claimed.handle == handle_hash(handle)).then_some(claimed.account)
}

/// Whether the log shows that `account` may hold a handle that another one held: its claim stands in the log, an epoch
/// stands behind it, and ledger time went on by [`HANDOVER_WAIT_MS`] since that.
///
/// `under` is the epoch whose directory names the account. The date that the claim itself bears counts for nothing.
#[must_use]
pub fn verify_move(
    shown: &proto::HandleMoved,
    under: &Logged<KtEpoch>,
    handle: &Handle,
    account: &AccountId,
) -> bool {
    let (Some(claim), Some(epoch)) = (&shown.claim, &shown.epoch) else {
        return false;
    };
    let head = under.checkpoint.head();
    let Some(Entry::Epoch(behind)) = logged(epoch, &head) else {
        return false;
    };
    logged_claim(claim, &head, handle) == Some(*account)
        && epoch.index > claim.index
        && under.entry.time_ms >= behind.time_ms.saturating_add(HANDOVER_WAIT_MS)
}

fn logged(shown: &proto::LoggedEntry, head: &TreeHead) -> Option<Entry> {
    if shown.inclusion.len() > PROOF_HASHES {
        return None;
    }
    let hashes = shown.inclusion.iter().map(|hash| Hash::try_from(&**hash));
    let hashes = hashes.collect::<Result<Vec<_>, _>>().ok()?;
    let leaf = leaf_hash(&shown.entry);
    verify_inclusion(&leaf, shown.index, head.size, &head.root, &hashes).ok()?;
    Entry::decode(&shown.entry).ok()
}
