// SPDX-License-Identifier: AGPL-3.0-or-later
//! Look-ups: handles to accounts, accounts to verified chains of device lists.
//!
//! What the server answers is believed only as far as it verifies: a chain hashes to the account id and
//! every version is signed by the one before; a handle claim is signed by a device of the chain; an answer
//! that is shorter than or contradicts what was seen before is not taken.
//!
//! Spec: `docs/book/protocol.md`, 1.2.

use nodoor_transparency::{
    chain::{Chain, Comparison},
    statement::HandleClaim,
};
use nodoor_view::model::ProblemKind;
use nodoor_wire::{
    code::Code,
    handle::Handle,
    id::AccountId,
    proto::{self, answer, lookup, request},
};
use prost::Message as _;

use crate::{
    io::Wire,
    link::problem_of,
    live::{Purpose, Search, Sought},
    room::PAUSE,
    rows::key,
    step::{Step, problem},
};

/// How long a look-up counts as fresh for starting a chat or adding somebody, milliseconds.
const FRESH: u64 = 60_000;

/// How long an answer to a look-up is waited for, milliseconds.
const ANSWER_PATIENCE: u64 = 60_000;
/// How often a list is asked for again that does not reach the version a leaf names, milliseconds.
const UNDECIDED_AGAIN: u64 = 300_000;

/// Where a look-up stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// The account.
    Known(AccountId),
    /// Nobody has this handle.
    Nobody,
    /// Asked; the answer comes with a later frame.
    Pending,
}

impl Step<'_> {
    /// The account of a handle: what the server said within the last minute, or what it is asked now.
    pub(crate) fn resolve(&mut self, handle: &Handle) -> Resolution {
        if let Some((account, at)) = self.live.handles.get(handle.as_str())
            && self.now.saturating_sub(*at) < FRESH
        {
            return account.map_or(Resolution::Nobody, Resolution::Known);
        }
        if let Some(account) = self.contact_by_handle(handle) {
            return Resolution::Known(account);
        }
        self.live.searches.entry(Sought::Handle(handle.as_str().to_owned())).or_default();
        Resolution::Pending
    }

    /// A contact whose verified handle this is and with whom we have a conversation.
    pub(crate) fn contact_by_handle(&self, handle: &Handle) -> Option<AccountId> {
        if let Some(account) = self.account()
            && account.handle == handle.as_str()
        {
            return Some(AccountId(account.account));
        }
        self.disk.prefixed(key::CONTACTS, usize::MAX).iter().find_map(|(row, value)| {
            let contact: crate::rows::Contact = self.disk.decode(value)?;
            let account = AccountId::try_from(row.get(key::CONTACTS.len()..)?).ok()?;
            let known = contact.handle == handle.as_str() && contact.accepted;
            known.then_some(account)
        })
    }

    /// The verified chain of an account, loaded into memory if it is on disk.
    pub(crate) fn load_chain(&mut self, account: &AccountId) -> bool {
        if self.live.chains.contains_key(account) {
            return true;
        }
        let contact = self.contact(account);
        let chain = proto::LookupAnswer::decode(contact.lists.as_slice())
            .ok()
            .and_then(|known| Chain::verify(account, &known.lists).ok());
        match chain {
            Some(chain) => {
                self.live.chains.insert(*account, chain);
                true
            }
            None => false,
        }
    }

    /// Whether an account was looked up within the last minute; asks if not.
    pub(crate) fn is_fresh(&mut self, account: &AccountId) -> bool {
        let at = self.live.fresh.get(account);
        if at.is_some_and(|at| self.now.saturating_sub(*at) < FRESH) {
            return true;
        }
        self.live.searches.entry(Sought::Account(*account)).or_default();
        false
    }

    /// A leaf names a version of this account's list that we have not seen: asks now, and then at times.
    pub(crate) fn seek_version(&mut self, account: AccountId) {
        if self.live.searches.contains_key(&Sought::Account(account)) {
            return;
        }
        let last = self.live.undecided.get(&account).copied();
        let soon = last.map_or(self.now, |at| at + UNDECIDED_AGAIN).max(self.now);
        self.live.undecided.insert(account, soon);
        let search = Search { not_before: soon, ..Search::default() };
        self.live.searches.insert(Sought::Account(account), search);
    }

    /// Sends the look-ups that are due.
    pub(crate) fn advance_lookups(&mut self) {
        if !self.is_ready(Wire::Anonymous) {
            return;
        }
        let now = self.now;
        let mut due = Vec::new();
        self.live.searches.retain(|sought, search| {
            let unanswered = search.asked_at.is_some_and(|at| now < at + ANSWER_PATIENCE);
            if search.asked_at.is_some() && !unanswered && matches!(sought, Sought::Handle(_)) {
                // Whoever asked was told long ago.
                return false;
            }
            if !unanswered && search.not_before <= now {
                search.asked_at = Some(now);
                due.push(sought.clone());
            }
            true
        });
        for sought in due {
            let of = match &sought {
                Sought::Account(account) => lookup::Of::Account(account.to_bytes()),
                Sought::Handle(handle) => lookup::Of::Handle(handle.clone()),
            };
            let body = request::Body::Lookup(proto::Lookup { of: Some(of) });
            self.request(Wire::Anonymous, body, Purpose::Lookup(sought));
        }
    }

    /// The times at which a look-up is due again.
    pub(crate) fn lookups_due(&self) -> impl Iterator<Item = u64> {
        self.live.searches.values().map(|search| match search.asked_at {
            Some(at) => at + ANSWER_PATIENCE,
            None => search.not_before,
        })
    }

    /// The answer to a look-up.
    pub(crate) fn looked_up(&mut self, sought: Sought, body: answer::Body) {
        match sought {
            Sought::Account(account) => self.looked_up_account(account, body),
            Sought::Handle(handle) => self.looked_up_handle(handle, body),
        }
    }

    /// The answer to a look-up by handle.
    fn looked_up_handle(&mut self, handle: String, body: answer::Body) {
        self.live.searches.remove(&Sought::Handle(handle.clone()));
        match body {
            answer::Body::Lookup(found) => {
                let account = AccountId::try_from(found.account.as_ref()).ok();
                let known = account.filter(|account| self.take_lookup(account, &found));
                let claimed = known.filter(|account| self.contact(account).handle == handle);
                if claimed.is_some() {
                    self.live.handles.insert(handle, (claimed, self.now));
                } else {
                    // The server named an account that never claimed this handle.
                    self.fail_parked_for_handle(&handle, &problem(ProblemKind::Forged));
                }
            }
            answer::Body::Refusal(refusal) if refusal.code == Code::NotFound.number() => {
                self.live.handles.insert(handle, (None, self.now));
            }
            answer::Body::Refusal(refusal) => {
                self.fail_parked_for_handle(&handle, &problem_of(&refusal));
            }
            _ => self.fail_parked_for_handle(&handle, &problem(ProblemKind::Forged)),
        }
    }

    /// The answer to a look-up by account.
    fn looked_up_account(&mut self, account: AccountId, body: answer::Body) {
        let sought = Sought::Account(account);
        let failures = self.live.searches.remove(&sought).map_or(0, |search| search.failures);
        match body {
            answer::Body::Lookup(found) if self.take_lookup(&account, &found) => {
                self.retry_held();
            }
            answer::Body::Refusal(refusal) if refusal.code == Code::NotFound.number() => {
                self.live.fresh.insert(account, self.now);
                self.account_gone(&account);
            }
            other => {
                // No answer, or one that does not verify: again, ever more rarely.
                let wanted = match other {
                    answer::Body::Refusal(refusal) => u64::from(refusal.retry_after_seconds) * 1000,
                    _ => 0,
                };
                let pause = wanted.max(PAUSE << failures.min(6));
                let not_before = self.now + pause;
                let search = Search { asked_at: None, not_before, failures: failures + 1 };
                self.live.searches.insert(sought, search);
            }
        }
    }

    /// Takes an answer if it verifies and continues what we saw before.
    fn take_lookup(&mut self, account: &AccountId, found: &proto::LookupAnswer) -> bool {
        let Ok(shown) = Chain::verify(account, &found.lists) else {
            return false;
        };
        if self.load_chain(account)
            && let Some(seen) = self.live.chains.get(account)
            && !matches!(seen.compare(&shown), Ok(Comparison::Same | Comparison::Extends))
        {
            // Shorter or contradicting: what we verified before stands.
            return false;
        }
        let mut contact = self.contact(account);
        contact.handle = found
            .handle_claim
            .as_ref()
            .and_then(|claim| HandleClaim::verify(&shown, claim).ok())
            .map(|claim| claim.handle.as_str().to_owned())
            .unwrap_or_default();
        contact.lists = found.encode_to_vec();
        self.set_contact(account, &contact);
        self.live.chains.insert(*account, shown);
        self.live.fresh.insert(*account, self.now);
        true
    }
}
