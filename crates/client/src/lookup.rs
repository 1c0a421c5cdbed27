// SPDX-License-Identifier: AGPL-3.0-or-later
//! Look-ups on their way: which are wanted, when they are sent and sent again, who waits for them.
//!
//! What an answer is worth is for [`crate::directory`] to say; nothing here believes it.
//!
//! Spec: `docs/book/protocol.md`, 1.2.

use nodoor_transparency::ledger::{entry::KtEpoch, proof::Logged};
use nodoor_view::model::ProblemKind;
use nodoor_wire::{
    code::Code,
    handle::Handle,
    id::AccountId,
    proto::{self, answer, lookup, request},
};

use crate::{
    gate::Missing,
    io::Wire,
    ledger::Weighed,
    link::problem_of,
    live::{Purpose, Search, Sought},
    room::PAUSE,
    rows::{Contact, key},
    step::{Step, problem},
};

/// How long a look-up counts as fresh for starting a chat or adding somebody, milliseconds.
const FRESH: u64 = 60_000;
/// The same for a handle that nobody has: whoever is waited for may come at any moment.
const FRESH_NOBODY: u64 = 1_000;
/// How long an answer to a look-up is waited for, milliseconds.
pub(crate) const ANSWER_PATIENCE: u64 = 60_000;
/// How often a list is asked for again that does not reach the version a leaf names, milliseconds.
const UNDECIDED_AGAIN: u64 = 300_000;
/// The same where a leaf names a later version than the one that was asked for.
const UNDECIDED_LATER: u64 = 5_000;

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
    /// The account of a handle: what the server said within the last minute (that there is none: the last second),
    /// or what it is asked now. Without a connection the handle of somebody we accepted counts as it was last seen.
    pub(crate) fn resolve(&mut self, handle: &Handle) -> Resolution {
        if let Some((account, at)) = self.live.handles.get(handle.as_str())
            && self.now.saturating_sub(*at) < if account.is_some() { FRESH } else { FRESH_NOBODY }
        {
            return account.map_or(Resolution::Nobody, Resolution::Known);
        }
        // A group of a thousand asks this again with every answer: what is on its way costs nothing.
        let sought = Sought::Handle(handle.as_str().to_owned());
        if self.live.searches.get(&sought).is_some_and(|search| search.asked_at.is_some()) {
            return Resolution::Pending;
        }
        let own = self.account().filter(|account| account.handle == handle.as_str());
        if let Some(account) = own {
            return Resolution::Known(account.account);
        }
        if !self.is_ready(Wire::Anonymous)
            && let Some(account) = self.bound(handle.as_str())
        {
            return Resolution::Known(account);
        }
        self.live.searches.entry(sought).or_default();
        Resolution::Pending
    }

    /// The account this handle is bound to here: our own, or a contact's whose verified handle it is and whom we
    /// accepted. It leads to nobody else any more.
    pub(crate) fn bound(&self, handle: &str) -> Option<AccountId> {
        if let Some(own) = self.account().filter(|account| account.handle == handle) {
            return Some(own.account);
        }
        self.disk.prefixed(key::CONTACTS, usize::MAX).iter().find_map(|(row, value)| {
            let contact: Contact = self.disk.decode(value)?;
            let account = AccountId::try_from(row.get(key::CONTACTS.len()..)?).ok()?;
            let known = contact.handle == handle && contact.accepted;
            known.then_some(account)
        })
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

    /// Whether the lists that the gate lacked were looked up since a Welcome waits for them, all of them: an earlier look
    /// says nothing of a list that came after it. What is only not logged yet is no sign of anything.
    pub(crate) fn never_listed(&self, missing: &[Missing], since: Option<u64>) -> bool {
        let mut lists = missing.iter().filter_map(|one| match one {
            Missing::List { account, .. } => Some(self.live.fresh.get(account).copied()),
            Missing::Inclusion { .. } => None,
        });
        let asked_since = |at: Option<u64>| at.zip(since).is_some_and(|(at, since)| at >= since);
        lists.next().is_some_and(asked_since) && lists.all(asked_since)
    }

    /// A leaf names a version of this account's list that we have not seen: asks now, and then at times; again soon if
    /// it is a later one than was asked for before.
    pub(crate) fn seek_version(&mut self, account: AccountId, version: u32) {
        if self.live.searches.contains_key(&Sought::Account(account)) {
            return;
        }
        let soon = match self.live.undecided.get(&account) {
            None => self.now,
            Some((at, asked)) if *asked < version => at + UNDECIDED_LATER,
            Some((at, _)) => at + UNDECIDED_AGAIN,
        };
        let soon = soon.max(self.now);
        self.live.undecided.insert(account, (soon, version));
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
        let epoch = match &body {
            answer::Body::Lookup(found) => found.directory.as_ref(),
            _ => None,
        };
        let epoch = epoch.and_then(|proof| proof.epoch.clone());
        let logged = match self.weigh(epoch.as_ref()) {
            Weighed::Grows(to) => {
                let beside = epoch.map(|epoch| epoch.inclusion).unwrap_or_default();
                let of = (Purpose::Lookup(sought), body);
                return self.wait_for_growth(Wire::Anonymous, of, *to, &beside);
            }
            Weighed::Proved(logged) => Some(logged),
            Weighed::Nothing => None,
        };
        self.no_longer_awaited(&sought);
        match sought {
            Sought::Account(account) => self.looked_up_account(account, body, logged.as_deref()),
            Sought::Handle(handle) => self.looked_up_handle(handle, body, logged.as_deref()),
        }
    }

    /// Something was learnt of an account: what waited is tried, once nothing more is on its way, or a second later.
    fn retry_held_soon(&mut self) {
        self.live.stays_since = None;
        self.live.judged.clear();
        let more = self.live.searches.values().any(|search| search.asked_at.is_some());
        if !more || self.now >= self.live.held_tried + 1000 {
            self.live.held_tried = self.now;
            self.retry_held();
        }
    }

    /// The answer to a look-up by handle.
    fn looked_up_handle(
        &mut self,
        handle: String,
        body: answer::Body,
        logged: Option<&Logged<KtEpoch>>,
    ) {
        self.live.searches.remove(&Sought::Handle(handle.clone()));
        match body {
            answer::Body::Lookup(found) => {
                let account = AccountId::try_from(found.account.as_ref()).ok();
                let known = account.filter(|account| {
                    self.take_lookup(account, &found, logged, Some(handle.as_str()))
                });
                let claimed = known.filter(|account| self.contact(account).handle == handle);
                let bound = self.bound(&handle);
                let claimed = claimed.filter(|_| bound.is_none() || bound == claimed);
                if claimed.is_some() {
                    self.live.handles.insert(handle, (claimed, self.now));
                    self.retry_held_soon();
                } else {
                    // The server named an account that never claimed this handle, or not the one it is bound to.
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
    fn looked_up_account(
        &mut self,
        account: AccountId,
        body: answer::Body,
        logged: Option<&Logged<KtEpoch>>,
    ) {
        let sought = Sought::Account(account);
        let failures = self.live.searches.remove(&sought).map_or(0, |search| search.failures);
        match body {
            answer::Body::Lookup(found) if self.take_lookup(&account, &found, logged, None) => {
                self.retry_held_soon();
            }
            answer::Body::Refusal(refusal) if refusal.code == Code::NotFound.number() => {
                self.live.fresh.insert(account, self.now);
                self.account_gone(&account);
                self.retry_held_soon();
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
}
