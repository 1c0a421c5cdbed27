// SPDX-License-Identifier: AGPL-3.0-or-later
//! The policies of a deployment, in order: the first one, and those that the ledger announced.
//!
//! A client pins the first it sees; another counts only when the ledger named its hash and seven days of ledger time went
//! by. So the server serves by the one that is in force, and announces a new file before it goes by it.

use minicbor::{Decode, Encode};
use nodoor_transparency::ledger::{
    entry::{Governance, GovernanceKind, POLICY_NOTICE_MS},
    note::VerifierKey,
    policy::{Policy, Witness},
};

/// From its announcement until a policy is in force, in ledger time.
const NOTICE_MS: u64 = POLICY_NOTICE_MS;
/// So long after it was replaced the witnesses of a policy are asked still, in ledger time.
const LATECOMERS_MS: u64 = 30 * 24 * 3_600_000;

/// What [`crate::storage::ledger::Note::Policies`] holds.
#[derive(Clone, Default, Encode, Decode)]
#[cbor(array)]
pub(super) struct Policies {
    #[n(0)]
    all: Vec<Announced>,
}

/// A policy, and where the ledger announced it.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub(super) struct Announced {
    #[n(0)]
    pub(super) text: String,
    /// Index of its entry; nothing for the first.
    #[n(1)]
    pub(super) index: Option<u64>,
    #[n(2)]
    pub(super) takes_effect_ms: u64,
}

impl Policies {
    /// Only the first, from the deployment's start on.
    pub(super) fn first(policy: &Policy) -> Self {
        let text = policy.to_string();
        Self { all: vec![Announced { text, index: None, takes_effect_ms: 0 }] }
    }

    pub(super) fn from_note(note: &[u8]) -> Option<Self> {
        minicbor::decode(note).ok().filter(|policies: &Self| !policies.all.is_empty())
    }

    pub(super) fn to_note(&self) -> Vec<u8> {
        // Writing to memory cannot fail; an empty note reads as none.
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// The newest policy that has taken effect.
    pub(super) fn in_force(&self, ledger_time_ms: u64) -> Option<(Policy, &Announced)> {
        let in_force = self.all.iter().rev().find(|one| one.takes_effect_ms <= ledger_time_ms)?;
        Policy::parse(in_force.text.as_bytes()).ok().map(|policy| (policy, in_force))
    }

    /// Who may cosign: the witnesses of the policy in force, and of those that it replaced this month. Clients go by the old
    /// one until they have seen the new one announced for a week.
    pub(super) fn cosigners(&self, ledger_time_ms: u64) -> Vec<Witness> {
        let mut all: Vec<Witness> = Vec::new();
        let begun = |one: &&Announced| one.takes_effect_ms <= ledger_time_ms;
        let mut replaced_at = u64::MAX;
        for one in self.all.iter().rev().filter(begun) {
            if replaced_at.saturating_add(LATECOMERS_MS) > ledger_time_ms
                && let Ok(policy) = Policy::parse(one.text.as_bytes())
            {
                let new = policy.witnesses().iter().cloned();
                let known: Vec<VerifierKey> = all.iter().map(|one| one.key.clone()).collect();
                all.extend(new.filter(|one| !known.contains(&one.key)));
            }
            replaced_at = one.takes_effect_ms;
        }
        all
    }

    /// The newest one that stands in a log of this size, in force or not.
    pub(super) fn newest_in(&self, size: u64) -> Option<&Announced> {
        self.all.iter().rev().find(|one| one.index.is_none_or(|index| index < size))
    }

    /// The newest one, in force or not.
    pub(super) fn newest(&self) -> Option<&Announced> {
        self.all.last()
    }

    /// Adds what the entry at `index` announces.
    pub(super) fn announce(&mut self, policy: &Policy, index: u64, now_ms: u64) -> Governance {
        let text = policy.to_string();
        let takes_effect_ms = now_ms.saturating_add(NOTICE_MS);
        let document = text.clone().into_bytes();
        self.all.push(Announced { text, index: Some(index), takes_effect_ms });
        Governance::with_document(GovernanceKind::Policy, document, takes_effect_ms)
    }
}
