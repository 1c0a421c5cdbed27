// SPDX-License-Identifier: AGPL-3.0-or-later
//! Look-ups on their way: which are wanted, when they are sent and sent again, who waits for them.
//!
//! What an answer is worth is for [`crate::directory`] to say; nothing here believes it.
//!
//! Spec: `docs/book/protocol.md`, 1.2.

use std::collections::BTreeMap;

use nodoor_transparency::ledger::{entry::KtEpoch, proof::Logged};
use nodoor_view::model::ProblemKind;
use nodoor_wire::{
    code::Code,
    handle::Handle,
    id::{AccountId, RoomId},
    proto::{self, answer, lookup, request},
};

use crate::{
    gate::Missing,
    io::Wire,
    ledger::Weighed,
    link::problem_of,
    live::{Purpose, Search, Sought},
    room::PAUSE,
    rows::key,
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

/// Look-ups that something waits for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lacks(Vec<Sought>);

impl Lacks {
    /// Whether one of them is still wanted or on its way: before that nothing comes of trying again. What came once is
    /// not asked about twice.
    pub(crate) fn still(&mut self, searches: &BTreeMap<Sought, Search>) -> bool {
        while let Some(last) = self.0.last() {
            if searches.contains_key(last) {
                return true;
            }
            self.0.pop();
        }
        false
    }
}

/// Where something is looked up: our own account where we say who we are anyway. On the anonymous connection it would say
/// whose that is, and with it whose rooms and tokens.
fn wire_of(sought: &Sought, me: Option<AccountId>) -> Wire {
    match sought {
        Sought::Account(account) if Some(*account) == me => Wire::Login,
        Sought::Account(_) | Sought::Handle(_) => Wire::Anonymous,
    }
}

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
        let sought = Sought::Handle(handle.as_str().to_owned());
        // A group of a thousand asks this again: what is on its way costs nothing.
        let asked = self.live.searches.get(&sought).is_some_and(|search| search.asked_at.is_some());
        if !asked {
            let own = self.account().filter(|account| account.handle == handle.as_str());
            if let Some(account) = own {
                return Resolution::Known(account.account);
            }
            if !self.is_ready(Wire::Anonymous)
                && let Some(account) = self.bound(handle.as_str())
            {
                return Resolution::Known(account);
            }
        }
        self.wish(sought, self.now);
        Resolution::Pending
    }

    /// The account this handle is bound to here: our own, or a contact's whose verified handle it is and whom we
    /// accepted. It leads to nobody else any more.
    pub(crate) fn bound(&self, handle: &str) -> Option<AccountId> {
        if let Some(own) = self.account().filter(|account| account.handle == handle) {
            return Some(own.account);
        }
        self.disk.get(&key::bound(handle))
    }

    /// Whether an account was looked up within the last minute; asks if not.
    pub(crate) fn is_fresh(&mut self, account: &AccountId) -> bool {
        let at = self.live.fresh.get(account);
        if at.is_some_and(|at| self.now.saturating_sub(*at) < FRESH) {
            return true;
        }
        self.wish(Sought::Account(*account), self.now);
        false
    }

    /// Somebody wants this looked up, not before this time. Who wants it sooner is not kept waiting by who wants it
    /// later.
    pub(crate) fn wish(&mut self, sought: Sought, at: u64) {
        if let Some(lacking) = &mut self.live.lacking {
            lacking.push(sought.clone());
        }
        let wanted = self.live.searches.entry(sought);
        wanted
            .and_modify(|search| search.not_before = search.not_before.min(at))
            .or_insert(Search { not_before: at, ..Search::default() });
    }

    /// Somebody wants an answer to a question that is asked from now on: one that is under way is asked once more.
    pub(crate) fn wish_anew(&mut self, sought: Sought) {
        self.wish(sought.clone(), self.now);
        if let Some(search) = self.live.searches.get_mut(&sought) {
            search.again = search.asked_at.is_some();
        }
    }

    /// Does something, and says which look-ups it wished for.
    pub(crate) fn lacking<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, Lacks) {
        let outer = self.live.lacking.replace(Vec::new());
        let done = work(self);
        let lacks = std::mem::replace(&mut self.live.lacking, outer);
        (done, Lacks(lacks.unwrap_or_default()))
    }

    /// Whether the lists that the gate lacked were looked up since a Welcome waits for them, all of them: an earlier look
    /// says nothing of a list that came after it. What is only not logged yet is no sign of anything.
    pub(crate) fn never_listed(&self, missing: &[Missing], since: Option<u64>) -> bool {
        let mut lists = missing.iter().filter_map(|one| match one {
            Missing::List { account, .. } => Some(self.live.asked.get(account).copied()),
            Missing::Inclusion { .. } => None,
        });
        let asked_since = |at: Option<u64>| at.zip(since).is_some_and(|(at, since)| at >= since);
        lists.next().is_some_and(asked_since) && lists.all(asked_since)
    }

    /// What the gate lacks for a Welcome is looked up now. One look since it came is all it gets, so it keeps nobody
    /// waiting, itself included.
    pub(crate) fn seek_for_welcome(&mut self, missing: &[Missing]) {
        for one in missing {
            match one {
                Missing::List { account, .. } => self.wish(Sought::Account(*account), self.now),
                Missing::Inclusion { account, .. } => self.seek_proof(*account),
            }
        }
    }

    /// What the gate lacks for a commit of this room is looked up.
    pub(crate) fn seek_for_room(&mut self, room: &RoomId, missing: &[Missing]) {
        for one in missing {
            match one {
                Missing::List { account, version } => self.seek_version(room, *account, *version),
                Missing::Inclusion { account, .. } => self.seek_proof(*account),
            }
        }
    }

    /// A leaf of this room names a version of this account's list that we have not seen: asks now, and then at times;
    /// again soon if it is a later one than was asked for before. Each room for itself: whoever names in one what will
    /// never be delays nothing in another.
    fn seek_version(&mut self, room: &RoomId, account: AccountId, version: u32) {
        let of = (*room, account);
        let at = match self.live.undecided.get(&of) {
            None => self.now,
            Some((at, asked)) if *asked < version => self.now.max(at + UNDECIDED_LATER),
            Some((at, _)) if self.now >= at + UNDECIDED_AGAIN => self.now,
            Some((at, _)) if self.now < *at => return self.wish(Sought::Account(account), *at),
            Some((at, _)) => return self.wish(Sought::Account(account), at + UNDECIDED_AGAIN),
        };
        self.live.undecided.insert(of, (at, version));
        self.wish(Sought::Account(account), at);
    }

    /// Sends the look-ups that are due.
    pub(crate) fn advance_lookups(&mut self) {
        let (now, me) = (self.now, self.me());
        let (own, others) = (self.may_sign(), self.is_ready(Wire::Anonymous));
        let mut due = Vec::new();
        self.live.searches.retain(|sought, search| {
            let unanswered = search.asked_at.is_some_and(|at| now < at + ANSWER_PATIENCE);
            if search.asked_at.is_some() && !unanswered && matches!(sought, Sought::Handle(_)) {
                // Whoever asked was told long ago.
                return false;
            }
            let stands = if wire_of(sought, me) == Wire::Login { own } else { others };
            if stands && !unanswered && search.due() <= now {
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
            self.request(wire_of(&sought, me), body, Purpose::Lookup(sought));
        }
    }

    /// The times at which a look-up is due again.
    pub(crate) fn lookups_due(&self) -> impl Iterator<Item = u64> {
        self.live.searches.values().map(|search| match search.asked_at {
            Some(at) => at + ANSWER_PATIENCE,
            None => search.due(),
        })
    }

    /// The answer to a look-up.
    pub(crate) fn looked_up(&mut self, sought: Sought, body: answer::Body) {
        let wire = wire_of(&sought, self.me());
        let epoch = match &body {
            answer::Body::Lookup(found) => found.directory.as_ref(),
            _ => None,
        };
        let epoch = epoch.and_then(|proof| proof.epoch.clone());
        let logged = match self.weigh(epoch.as_ref()) {
            Weighed::Grows(to) => {
                let beside = epoch.map(|epoch| epoch.inclusion).unwrap_or_default();
                let of = (Purpose::Lookup(sought), body);
                return self.wait_for_growth(wire, of, *to, &beside);
            }
            Weighed::Proved(logged) => Some(logged),
            Weighed::Nothing => None,
        };
        self.no_longer_awaited(&sought);
        let search = self.live.searches.remove(&sought).unwrap_or_default();
        let logged = logged.as_deref();
        if search.again {
            self.wish(sought.clone(), self.now);
        }
        match sought {
            Sought::Account(account) => self.looked_up_account(account, search, body, logged),
            Sought::Handle(handle) => self.looked_up_handle(handle, &search, body, logged),
        }
    }

    /// The answer to a look-up by handle.
    fn looked_up_handle(
        &mut self,
        handle: String,
        search: &Search,
        body: answer::Body,
        logged: Option<&Logged<KtEpoch>>,
    ) {
        match body {
            answer::Body::Lookup(found) => {
                let account = AccountId::try_from(found.account.as_ref()).ok();
                let known = account.filter(|account| {
                    self.take_lookup(account, &found, logged, Some(handle.as_str()))
                });
                let claimed = known.filter(|account| self.contact(account).handle == handle);
                let bound = self.bound(&handle);
                let moved = self.live.moved.remove(&handle);
                if let (Some(from), true) = (bound, moved && known.is_some() && bound != known) {
                    return self.handle_went(&from, &handle);
                }
                let claimed = claimed.filter(|_| bound.is_none() || bound == claimed);
                if let Some(account) = claimed {
                    self.live.handles.insert(handle, (claimed, self.now));
                    self.answered_about(account, search);
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

    /// This question about an account was answered: by lists as they were when it was sent, or later.
    fn answered_about(&mut self, account: AccountId, search: &Search) {
        let at = self.live.asked.entry(account).or_default();
        *at = search.asked_at.unwrap_or(0).max(*at);
    }

    /// The answer to a look-up by account.
    fn looked_up_account(
        &mut self,
        account: AccountId,
        search: Search,
        body: answer::Body,
        logged: Option<&Logged<KtEpoch>>,
    ) {
        match body {
            answer::Body::Lookup(found) if self.take_lookup(&account, &found, logged, None) => {
                self.answered_about(account, &search);
                if self.is_me(&account) && !search.again {
                    self.own_account_looked_up();
                }
                self.retry_held_soon();
            }
            answer::Body::Refusal(refusal) if refusal.code == Code::NotFound.number() => {
                self.live.fresh.insert(account, self.now);
                self.answered_about(account, &search);
                self.account_gone(&account);
                self.retry_held_soon();
            }
            other => {
                // No answer, or one that does not verify: again, ever more rarely.
                let wanted = match other {
                    answer::Body::Refusal(refusal) => u64::from(refusal.retry_after_seconds) * 1000,
                    _ => 0,
                };
                let pause = wanted.max(PAUSE << search.failures.min(6));
                let (paused_until, failures) = (self.now + pause, search.failures + 1);
                let search =
                    Search { asked_at: None, paused_until, failures, again: false, ..search };
                self.live.searches.insert(Sought::Account(account), search);
            }
        }
    }
}
