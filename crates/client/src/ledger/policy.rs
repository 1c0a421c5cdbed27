// SPDX-License-Identifier: AGPL-3.0-or-later
//! Another policy than the pinned one: it counts when we have seen it announced, in the log and under the one we hold, for
//! seven days; until then the person is told. And how far ahead of the clocks an epoch may be dated, for what waits for days
//! counts them by its dates.
//!
//! The log alone writes an announcement, and witnesses cosign any tree that grew: neither its date nor their word says that
//! anybody agreed. So it is seen first, and never asks for less than half of those who were needed before.
//!
//! Spec: `docs/book/ledger.md`, 1 and 3.

use nodoor_transparency::ledger::{
    checkpoint::{SignedCheckpoint, origin},
    entry::{Entry, GovernanceKind, POLICY_NOTICE_MS},
    policy::{Policy, Satisfaction},
    proof::Inclusion,
};
use nodoor_view::model::{Milliseconds, PolicyChange};
use nodoor_wire::{
    id::DeploymentId,
    proto::{self, answer, request},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{io::Wire, ledger::Ledger, live::Purpose, step::Step};

/// How far ahead of our clock, and of the witnesses', an epoch may be dated, milliseconds: little against a week, and a clock
/// that is an hour off, as many are twice a year, stops nothing.
const AHEAD: u64 = 90 * 60_000;

/// Whether an epoch is dated later than any clock says: the operator writes the date, and what waits for days of ledger
/// time would be over at once. Where the policy has a quorum the witnesses' clocks say so too.
pub(super) fn is_dated_ahead(time: u64, vouched: &Satisfaction, now: u64) -> bool {
    let cosigned = vouched.cosigned_at_ms.filter(|_| !vouched.unwitnessed);
    time > cosigned.map_or(now, |at| at.min(now)).saturating_add(AHEAD)
}

/// So long a policy has to have been seen announced before it is gone by, milliseconds.
const NOTICE: u64 = POLICY_NOTICE_MS;
/// So long it is said that it changed, milliseconds.
const TOLD: u64 = 30 * 24 * 3_600_000;

/// A policy that the log announced, and we do not go by yet.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Announced {
    /// As text.
    policy: String,
    /// The date that the entry has, milliseconds.
    takes_effect: u64,
    /// When we first saw it, by the log.
    seen: u64,
    /// By our clock.
    at: u64,
}

impl Announced {
    /// When we go by it at the earliest, by our clock.
    fn due(&self) -> u64 {
        self.at.saturating_add(NOTICE).max(self.takes_effect)
    }

    /// Whether its date is over, and the person was told a week ago by both clocks. Whoever writes the log writes both dates
    /// of it; whoever has the device sets its clock.
    fn is_due(&self, ledger_time: u64, now: u64) -> bool {
        now >= self.due()
            && ledger_time >= self.takes_effect
            && ledger_time >= self.seen.saturating_add(NOTICE)
    }
}

impl Step<'_> {
    /// Asks which policy was announced last. We have just seen the newest checkpoint: the answer should come under it.
    pub(super) fn ask_for_policy(&mut self) {
        let body = request::Body::PolicyGet(proto::PolicyGet {});
        self.request(Wire::Login, body, Purpose::Policy);
    }

    /// The server's answer. One that does not count changes nothing: it is asked for again with the next history.
    pub(crate) fn policy_answered(&mut self, body: &answer::Body) {
        if let answer::Body::Policy(found) = body
            && let Some(mut ledger) = self.ledger().filter(|ledger| ledger.tampered.is_none())
            && let Some(next) = self.announced(&ledger, found)
        {
            let held_time = ledger.held.as_ref().map_or(0, |held| held.time);
            match &mut ledger.next {
                Some(known) if known.policy == next.policy => {
                    // A clock that was ahead then makes nobody wait for longer than a week.
                    known.at = known.at.min(self.now);
                    if known.is_due(held_time, self.now) {
                        self.go_by(&mut ledger, next.policy);
                    }
                }
                // What we go by was announced anew: the other one is off.
                _ if ledger.policy == next.policy => ledger.next = None,
                _ => ledger.next = Some(next),
            }
            self.set_ledger(&ledger);
        }
    }

    /// What an answer announces, if it counts.
    fn announced(&self, ledger: &Ledger, found: &proto::PolicyAnswer) -> Option<Announced> {
        let before = Policy::parse(ledger.policy.as_bytes()).ok()?;
        let after = Policy::parse(&found.policy).ok()?;
        let shown = found.entry.as_ref()?;
        let held = ledger.held.as_ref()?;
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
        let counts = entry.kind == GovernanceKind::Policy
            && entry.document_hash == hash
            && after.may_follow(&before)
            && is_of(&after, &ledger.deployment);
        counts.then(|| Announced {
            policy: after.to_string(),
            takes_effect: entry.takes_effect_ms,
            seen: held.time,
            at: self.now,
        })
    }

    fn go_by(&self, ledger: &mut Ledger, policy: String) {
        let vouched = ledger.held.as_ref().is_some_and(|held| {
            let after = Policy::parse(policy.as_bytes());
            let shown = SignedCheckpoint::parse(&held.note);
            after.is_ok_and(|policy| {
                shown.is_ok_and(|shown| policy.satisfied(&shown, self.now).is_ok())
            })
        });
        ledger.policy = policy;
        ledger.next = None;
        ledger.changed_at = Some(self.now);
        ledger.not_vouched = !vouched;
    }

    /// What a person is told of it: that the policy will change, or that it did.
    pub(super) fn policy_change(&self, ledger: &Ledger) -> Option<PolicyChange> {
        let changed = ledger.changed_at.filter(|at| self.now < at.saturating_add(TOLD));
        match &ledger.next {
            Some(next) => {
                let (due, witnesses) = (Milliseconds(next.due()), witnesses(&next.policy));
                Some(PolicyChange { due, done: false, witnesses })
            }
            None => changed.map(|at| {
                let witnesses = witnesses(&ledger.policy);
                PolicyChange { due: Milliseconds(at), done: true, witnesses }
            }),
        }
    }
}

/// Whether a policy is about this deployment's log, and no other.
pub(super) fn is_of(policy: &Policy, deployment: &DeploymentId) -> bool {
    let ours = origin(deployment);
    !policy.logs().is_empty() && policy.logs().iter().all(|log| log.key.name() == ours)
}

/// Names of those whom a policy asks.
pub(super) fn witnesses(policy: &str) -> Vec<String> {
    let policy = Policy::parse(policy.as_bytes());
    let mut names: Vec<String> = policy.map_or_else(
        |_| Vec::new(),
        |policy| policy.quorum().into_iter().map(|one| one.name.clone()).collect(),
    );
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_348_800_000;
    const DAY: u64 = 24 * 3_600_000;

    #[test]
    fn a_policy_is_gone_by_a_week_after_it_was_seen_by_both_clocks() {
        let one = |takes_effect| Announced {
            policy: String::new(),
            takes_effect,
            seen: NOON + 1,
            at: NOON + 2,
        };
        // The log dates it years back, and says that a year went by; or our clock says so.
        for (ledger_time, now) in
            [(NOON + 366 * DAY, NOON + 7 * DAY), (NOON + DAY, NOON + 366 * DAY)]
        {
            assert!(!one(0).is_due(ledger_time, now));
        }
        assert!(one(0).is_due(NOON + 7 * DAY + 1, NOON + 7 * DAY + 2));
        assert!(!one(0).is_due(NOON + 7 * DAY, NOON + 7 * DAY + 2));
        // A later date is its own.
        assert!(!one(NOON + 8 * DAY).is_due(NOON + 8 * DAY - 1, NOON + 9 * DAY));
        assert!(!one(NOON + 8 * DAY).is_due(NOON + 9 * DAY, NOON + 8 * DAY - 1));
    }

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
