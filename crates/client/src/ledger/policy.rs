// SPDX-License-Identifier: AGPL-3.0-or-later
//! Another policy than the pinned one: it counts when the log announced it under the one we hold, seven days ago. And how
//! far ahead of the clocks an epoch may be dated, for what waits for days counts them by its dates.
//!
//! The date stands in the entry; that it lies seven days behind the epoch before it is what auditors check, whose word
//! the policy we hold asks for. What was witnessed never becomes unwitnessed.
//!
//! Spec: `docs/book/ledger.md`, 1 and 3.

use nodoor_transparency::ledger::{
    checkpoint::origin,
    entry::{Entry, GovernanceKind},
    policy::{Policy, Satisfaction},
    proof::Inclusion,
};
use nodoor_wire::proto::{self, answer, request};
use sha2::{Digest as _, Sha256};

use crate::{io::Wire, live::Purpose, step::Step};

/// How far ahead of our clock, and of the witnesses', an epoch may be dated, milliseconds: little against a week, and a clock
/// that is an hour off, as many are twice a year, stops nothing.
const AHEAD: u64 = 90 * 60_000;

/// Whether an epoch is dated later than any clock says: the operator writes the date, and what waits for days of ledger
/// time would be over at once. Where the policy has a quorum the witnesses' clocks say so too.
pub(super) fn is_dated_ahead(time: u64, vouched: &Satisfaction, now: u64) -> bool {
    let cosigned = vouched.cosigned_at_ms.filter(|_| !vouched.unwitnessed);
    time > cosigned.map_or(now, |at| at.min(now)).saturating_add(AHEAD)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_348_800_000;
    const DAY: u64 = 24 * 3_600_000;

    fn vouched(unwitnessed: bool, at: Option<u64>) -> Satisfaction {
        Satisfaction { unwitnessed, witnesses: Vec::new(), cosigned_at_ms: at }
    }

    #[test]
    fn an_epoch_is_dated_by_our_clock_and_by_that_of_whoever_vouches_for_it() {
        let alone = vouched(true, None);
        assert!(!is_dated_ahead(NOON + AHEAD, &alone, NOON));
        assert!(is_dated_ahead(NOON + AHEAD + 1, &alone, NOON));
        // Witnesses cosign any tree that goes on from the last: the date is later than theirs, though ours is later still.
        let witnessed = vouched(false, Some(NOON));
        assert!(!is_dated_ahead(NOON + AHEAD, &witnessed, NOON + DAY));
        assert!(is_dated_ahead(NOON + AHEAD + 1, &witnessed, NOON + DAY));
        assert!(is_dated_ahead(NOON + AHEAD + 1, &witnessed, NOON));
        // Who is not needed moves nothing.
        let not_needed = vouched(true, Some(NOON - DAY));
        assert!(!is_dated_ahead(NOON, &not_needed, NOON));
    }
}
