// SPDX-License-Identifier: AGPL-3.0-or-later
//! The policies of a deployment, in order: the first one, and those that the ledger announced.
//!
//! A client pins the first it sees; another counts only when the ledger named its hash and seven days of ledger time went
//! by. So the server serves by the one that is in force, and announces a new file before it goes by it.

use minicbor::{Decode, Encode};
use nodoor_transparency::ledger::{
    entry::{Governance, GovernanceKind},
    policy::Policy,
};

/// From its announcement until a policy is in force, in ledger time.
const NOTICE_MS: u64 = 7 * 24 * 3_600_000;

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
