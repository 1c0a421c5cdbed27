// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a person sees of all this: how far the keys of a chat are checked, how old the log is, what was found.
//!
//! Nothing here decides anything. Spec: `docs/book/ledger.md`, 3.

use nodoor_view::{
    event::Event,
    model::{Check, CheckState, ConversationId, Freshness, Kind, LedgerState, Milliseconds, Proof},
};
use nodoor_wire::id::AccountId;

use crate::{
    io::Wire,
    ledger::{Ledger, policy},
    rows::Conversation,
    step::Step,
};

const HOUR: u64 = 3600 * 1000;
/// A log older than this is amber, and red.
const AMBER: u64 = 24 * HOUR;
const RED: u64 = 72 * HOUR;
/// A log that is further ahead of our clock is not new.
const AHEAD: u64 = 5 * 60 * 1000;

impl Step<'_> {
    /// How far the keys of a chat are checked: of a group, what holds for whoever is behind most.
    pub(crate) fn check(&mut self, conversation: &Conversation) -> Check {
        let mut state = Check::unchecked();
        let Some(ledger) = self.ledger() else {
            return self.without_ledger(conversation);
        };
        state.freshness = self.freshness(&ledger);
        state.log_time = ledger.held.as_ref().map(|_| Milliseconds(self.seen_until(&ledger)));
        let people = self.people_of(conversation);
        let vouched =
            if is_witnessed(&ledger) { CheckState::Verified } else { CheckState::Unwitnessed };
        let mut worst: Option<CheckState> = None;
        for account in &people {
            let one = self.check_of(account, vouched);
            worst = worst.max(Some(one));
            let logged = self.contact(account).logged;
            if one != CheckState::Unchecked && logged.version > 0 {
                let at = Milliseconds(logged.at);
                state.checked_at = Some(state.checked_at.map_or(at, |before| before.min(at)));
                state.ledger_size = match state.ledger_size {
                    0 => logged.size,
                    before => before.min(logged.size),
                };
            }
        }
        state.state = worst.unwrap_or(CheckState::Unchecked);
        if state.state == CheckState::Unchecked {
            (state.checked_at, state.ledger_size) = (None, 0);
        }
        if ledger.tampered.is_some_and(|found| {
            !found.own_again
                && found.who.is_none_or(|who| self.is_me(&who) || people.contains(&who))
        }) {
            state.state = CheckState::Refused;
        }
        state
    }

    fn without_ledger(&mut self, conversation: &Conversation) -> Check {
        let people = self.people_of(conversation);
        let states = people.iter().map(|one| self.check_of(one, CheckState::Unchecked));
        let state = states.max().unwrap_or(CheckState::Unchecked);
        Check { state, ..Check::unchecked() }
    }

    fn check_of(&mut self, account: &AccountId, vouched: CheckState) -> CheckState {
        if self.is_forked(account) {
            CheckState::Refused
        } else if self.known(account).is_some_and(|known| known.is_disputed()) {
            CheckState::Disputed
        } else if self.is_logged(account) {
            vouched
        } else {
            CheckState::Unchecked
        }
    }

    fn people_of(&mut self, conversation: &Conversation) -> Vec<AccountId> {
        match conversation.kind {
            Kind::Direct => vec![conversation.other],
            Kind::Group => {
                let room = self.room_in_use(conversation).map(|room| room.room);
                room.map(|room| self.other_accounts(&room)).unwrap_or_default()
            }
        }
    }

    /// Has a chat's people looked up, and says how far they are checked once that is known; nothing while it is not.
    pub(crate) fn verify(&mut self, id: ConversationId) -> Option<Option<Check>> {
        let Some(conversation) = self.conversation(id) else {
            return Some(None);
        };
        let mut waits = false;
        for account in self.people_of(&conversation) {
            // Not in a log that there is not, and what is proved to be wrong becomes no better.
            if !self.is_fresh(&account) {
                waits = true;
            } else if !self.is_shown(&account) || !self.is_logged(&account) {
                self.seek_proof(account);
                waits = true;
            }
        }
        let check = self.check(&conversation);
        let known = !waits || check.state == CheckState::Refused;
        known.then_some(Some(check))
    }

    /// How it stands when nothing more came. Without a connection that is what was found last; a server that answers and proves
    /// nothing has not been checked.
    pub(crate) fn check_of_conversation(&mut self, id: ConversationId) -> Option<Check> {
        let conversation = self.conversation(id)?;
        let check = self.check(&conversation);
        let vouched = matches!(check.state, CheckState::Verified | CheckState::Unwitnessed);
        let shown = self.people_of(&conversation).iter().all(|account| self.is_shown(account));
        match vouched && !shown && self.is_ready(Wire::Anonymous) {
            true => Some(Check { freshness: check.freshness, ..Check::unchecked() }),
            false => Some(check),
        }
    }

    /// The ledger time up to which both the log and our own history were seen: whoever has an account and is not shown
    /// what is published for it learns of no device that somebody else added, however new the log is. Nor is one new that does
    /// not show whether it is the one that a contact sees.
    fn seen_until(&self, ledger: &Ledger) -> u64 {
        self.held_until(ledger).min(self.open_since().unwrap_or(u64::MAX))
    }

    fn held_until(&self, ledger: &Ledger) -> u64 {
        let held = ledger.held.as_ref().map_or(ledger.pinned_at, |held| held.time);
        match (self.me(), ledger.own_seen) {
            (None, _) => held,
            (Some(_), 0) => held.min(ledger.pinned_at),
            (Some(_), own) => held.min(own),
        }
    }

    fn freshness(&self, ledger: &Ledger) -> Freshness {
        // A log from the future is none that is new: it is wrong, or our clock is.
        let latest = self.now.saturating_add(AHEAD);
        let ahead = ledger.held.as_ref().is_some_and(|held| held.time > latest);
        match self.now.saturating_sub(self.seen_until(ledger)) {
            age if age > RED => Freshness::Red,
            age if age > AMBER || ahead => Freshness::Amber,
            _ => Freshness::Fresh,
        }
    }

    /// When the log becomes older than a person should not be told.
    pub(crate) fn freshness_due(&self) -> Option<u64> {
        let ledger = self.ledger()?;
        let time = self.seen_until(&ledger);
        [AMBER, RED].map(|age| time.saturating_add(age + 1)).into_iter().find(|at| *at > self.now)
    }

    /// The public log, as a person is told of it.
    pub(crate) fn ledger_state(&self) -> LedgerState {
        let Some(ledger) = self.ledger() else {
            return LedgerState {
                freshness: Freshness::Fresh,
                log_time: None,
                size: 0,
                unwitnessed: true,
                awaited: 0,
                proof: None,
                witnesses: Vec::new(),
                change: None,
            };
        };
        LedgerState {
            freshness: self.freshness(&ledger),
            log_time: ledger.held.as_ref().map(|_| Milliseconds(self.seen_until(&ledger))),
            size: ledger.held.as_ref().map_or(0, |held| held.size),
            unwitnessed: !is_witnessed(&ledger),
            awaited: u32::try_from(self.live.checking.awaited.len()).unwrap_or(u32::MAX),
            witnesses: policy::witnesses(&ledger.policy),
            change: self.policy_change(&ledger),
            proof: ledger.tampered.map(|found| Proof {
                kind: found.kind,
                at: Milliseconds(found.at),
                own: found.who.is_some_and(|who| self.is_me(&who)) && !found.own_again,
                who: found.who.and_then(|who| self.person_or_me(&who)),
                answered: found.answered,
            }),
        }
    }

    /// Tells interfaces when that became another: not for each entry of the log.
    pub(crate) fn tell_ledger(&mut self) {
        if self.ledger().is_none() {
            return;
        }
        let state = self.ledger_state();
        let matters = |one: &LedgerState| {
            (
                one.log_time.is_some(),
                one.freshness,
                one.unwitnessed,
                one.proof.clone(),
                one.change.clone(),
            )
        };
        let told = self.live.checking.told.as_ref().map(matters);
        if told != Some(matters(&state)) {
            self.live.checking.told = Some(state.clone());
            self.tell(Event::Ledger { state });
        }
    }
}

/// The policy is kept in its one form. Nobody vouched under one that we only just go by.
fn is_witnessed(ledger: &Ledger) -> bool {
    !ledger.not_vouched && !ledger.policy.ends_with("quorum none\n")
}
