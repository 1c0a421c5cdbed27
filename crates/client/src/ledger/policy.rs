// SPDX-License-Identifier: AGPL-3.0-or-later
//! Another policy than the pinned one: it counts when the log announced it under the one we hold, seven days ago.
//!
//! The date stands in the entry; that it lies seven days behind the epoch before it is what auditors check, whose word
//! the policy we hold asks for. What was witnessed never becomes unwitnessed.
//!
//! Spec: `docs/book/ledger.md`, 1 and 3.

use nodoor_transparency::ledger::{
    checkpoint::origin,
    entry::{Entry, GovernanceKind},
    policy::Policy,
    proof::Inclusion,
};
use nodoor_wire::proto::{self, answer, request};
use sha2::{Digest as _, Sha256};

use crate::{io::Wire, live::Purpose, step::Step};

impl Step<'_> {
    /// Asks for the policy in force, if greetings named another than ours. We have just seen the newest checkpoint: the
    /// answer should come under it.
    pub(super) fn ask_for_policy(&mut self) {
        if self.live.checking.other_policy {
            let body = request::Body::PolicyGet(proto::PolicyGet {});
            self.request(Wire::Login, body, Purpose::Policy);
        }
    }

    /// The server's answer. One that does not count changes nothing: it is asked for again with the next history.
    pub(crate) fn policy_answered(&mut self, body: &answer::Body) {
        if let answer::Body::Policy(found) = body
            && self.take_policy(found).is_some()
        {
            self.live.checking.other_policy = false;
        }
    }

    fn take_policy(&mut self, found: &proto::PolicyAnswer) -> Option<()> {
        let mut ledger = self.ledger().filter(|ledger| ledger.tampered.is_none())?;
        let before = Policy::parse(ledger.policy.as_bytes()).ok()?;
        let after = Policy::parse(&found.policy).ok()?;
        let shown = found.entry.as_ref()?;
        let held = ledger.held.clone()?;
        let inclusion = Inclusion::of_answer(shown).ok()?;
        // Under the very checkpoint we hold: its time is the ledger's, and it is of the log we know.
        if inclusion.checkpoint.head() != held.head() {
            return None;
        }
        let logged = inclusion.verify(&shown.entry, &before, self.now).ok()?;
        let Entry::Governance(entry) = logged.entry else {
            return None;
        };
        let hash: [u8; 32] = Sha256::digest(&found.policy).into();
        let ours = after.logs().iter().all(|log| log.key.name() == origin(&ledger.deployment));
        let counts = entry.kind == GovernanceKind::Policy
            && entry.document_hash == hash
            && entry.takes_effect_ms <= held.time
            && after.may_follow(&before)
            && ours;
        counts.then(|| {
            ledger.policy = after.to_string();
            self.set_ledger(&ledger);
        })
    }
}
