// SPDX-License-Identifier: AGPL-3.0-or-later
//! A new device goes on with the log of the one that links it: its policy, and from where it stands.
//!
//! Whatever a server shows to a device without an account it may show to that device alone: another policy, another log,
//! or none. What the linking device sees comes in slot 1, for which the code vouches. Called by [`crate::device`]; may not
//! know who else there is.
//!
//! Spec: `docs/book/ledger.md`, 8.

use nodoor_transparency::{
    ledger::{
        checkpoint::{Relation, SignedCheckpoint, origin},
        policy::Policy,
    },
    meeting::SeenLog,
};
use nodoor_wire::id::AccountId;

use crate::{
    ledger::{Held, Ledger, LoggedUpTo, policy},
    step::Step,
};

impl Step<'_> {
    /// The log as a device that we link is to go on with it.
    pub(crate) fn seen_log(&self) -> Option<SeenLog> {
        let ledger = self.ledger()?;
        let (time_ms, checkpoint) =
            ledger.held.map(|held| (held.time, held.note)).unwrap_or_default();
        Some(SeenLog { policy: ledger.policy, time_ms, checkpoint })
    }

    /// The device that links us sees this log: from here on so do we, and what was proved to us before counts for nothing.
    /// Nothing if it is not this deployment's, or its log did not sign the checkpoint.
    pub(crate) fn go_on_with_log(&mut self, account: &AccountId, seen: &SeenLog) -> Option<()> {
        let deployment = self.live.deployment?;
        let shown = Policy::parse(seen.policy.as_bytes()).ok()?;
        if !policy::is_of(&shown, &deployment) {
            return None;
        }
        let mut ledger = Ledger::begin(deployment, shown.to_string(), self.now);
        let before = self.ledger().and_then(|before| before.held);
        let mut other = None;
        if !seen.checkpoint.is_empty() {
            let signed = SignedCheckpoint::parse(&seen.checkpoint).ok()?;
            shown.signed_by_log(&signed).ok()?;
            // It counted where it comes from: by the clock there, and perhaps by the policy before this one.
            ledger.not_vouched = shown.satisfied(&signed, u64::MAX).is_err();
            if signed.checkpoint().origin() != origin(&deployment) {
                return None;
            }
            let head = signed.head();
            // The operator dates it, and whoever links us may have a clock that is ahead.
            let time = seen.time_ms.min(self.now);
            let note = seen.checkpoint.clone();
            ledger.held = Some(Held { size: head.size, root: head.root, time, note });
            let forks = |held: &Held| held.head().relation(&head) == Relation::Fork;
            other = before.filter(forks).map(|held| (held, signed));
        }
        self.set_ledger(&ledger);
        self.live.checking.logged.clear();
        self.live.checking.shown.clear();
        let mut contact = self.contact(account);
        contact.logged = LoggedUpTo::default();
        self.set_contact(account, &contact);
        if let Some(known) = self.live.known.get_mut(account) {
            known.logged = 0;
        }
        if let Some((held, signed)) = other {
            self.two_histories(&held.note, &signed, Vec::new());
        }
        Some(())
    }
}
