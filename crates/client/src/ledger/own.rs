// SPDX-License-Identifier: AGPL-3.0-or-later
//! Our own account in the directory: that everything published under its label is a list of the chain we hold.
//!
//! Asked on the login connection at start, every six hours and after a list of ours was put. A value that we do not
//! know may be a list that another device of ours has just put: the account is looked up, and a value that no list of an
//! answer has which was asked for later is a *ghost*: the server that gave us the lists had published it before. It is none
//! any more once a list of the chain has it.
//!
//! Spec: `docs/book/ledger.md`, 3.

use nodoor_transparency::{
    directory::{HISTORY_VERSIONS, Published, account_label, verify_history},
    ledger::{entry::KtEpoch, proof::Logged},
};
use nodoor_view::model::ProofKind;
use nodoor_wire::proto::{self, answer, request};

use crate::{
    io::Wire,
    ledger::{Ledger, Weighed},
    live::{Purpose, Sought},
    step::Step,
};

/// How often, milliseconds; and up to how much later, so that a deployment's clients do not come at once.
const EVERY: u64 = 6 * 3600 * 1000;
const JITTER: u64 = 30 * 60 * 1000;

/// When our history is asked for next.
#[derive(Default)]
pub(super) struct Next {
    /// Not before this time; 0 is at once.
    at: u64,
    /// It is on its way.
    asked: bool,
    /// Answers in a row that were no use.
    fruitless: u32,
    /// More publications than were asked for.
    more: usize,
    /// Published values that no list of ours has.
    strange: Vec<[u8; 32]>,
    /// Those of them that were looked up since.
    settled: Vec<[u8; 32]>,
}

/// What a history says of our chain.
enum Said {
    /// Every value is a list of it, in order; this many publications, the newest is this version.
    Ours { publications: u64, version: u64 },
    /// These values are none of it.
    Strange(Vec<[u8; 32]>),
    /// It begins too late: so many are needed.
    More(usize),
}

impl Step<'_> {
    /// Our own history is wanted now, and not only at its time: a list of ours was put, or a room waits for it.
    pub(crate) fn check_own_history_soon(&mut self) {
        let own = &mut self.live.checking.own;
        if own.fruitless == 0 && !own.asked {
            own.at = own.at.min(self.now);
        }
    }

    /// Asks for it if it is due.
    pub(crate) fn advance_own_history(&mut self) {
        let own = &self.live.checking.own;
        let (due, more) = (!own.asked && own.at <= self.now, own.more);
        let (Some(ledger), Some(me)) = (self.ledger(), self.me()) else {
            return;
        };
        if !due || !self.is_ready(Wire::Login) {
            return;
        }
        // Lists that were published in one epoch were published once: there are at most as many as lists.
        let lists = self.known(&me).map_or(1, |known| known.chain.newest().version());
        let new = usize::try_from(lists.saturating_sub(ledger.own)).unwrap_or(HISTORY_VERSIONS);
        let newest = new.max(more).clamp(1, HISTORY_VERSIONS);
        self.live.checking.own.asked = true;
        let ask = proto::History { newest: u32::try_from(newest).unwrap_or(1) };
        self.request(Wire::Login, request::Body::History(ask), Purpose::History(newest));
    }

    /// When it is due next.
    pub(crate) fn own_history_due(&self) -> Option<u64> {
        let own = &self.live.checking.own;
        (!own.asked && self.ledger().is_some()).then_some(own.at)
    }

    /// The question will have no answer.
    pub(crate) fn own_history_lost(&mut self) {
        self.live.checking.own.asked = false;
    }

    /// The server's answer.
    pub(crate) fn own_history_answered(&mut self, newest: usize, body: answer::Body) {
        self.live.checking.own.asked = false;
        let answer::Body::History(found) = body else {
            return self.no_own_history();
        };
        match self.weigh(found.epoch.as_ref()) {
            Weighed::Nothing => self.no_own_history(),
            Weighed::Grows(logged) => {
                self.live.checking.own.asked = true;
                let beside = found.epoch.as_ref().map(|epoch| epoch.inclusion.clone());
                let of = (Purpose::History(newest), answer::Body::History(found));
                self.wait_for_growth(Wire::Login, of, *logged, &beside.unwrap_or_default());
            }
            Weighed::Proved(logged) => self.own_history_proved(newest, &found, &logged),
        }
    }

    /// Not logged yet, or no proof: again soon, then ever more rarely.
    fn no_own_history(&mut self) {
        let own = &mut self.live.checking.own;
        own.at = self.now + super::pause(own.fruitless);
        own.fruitless = own.fruitless.saturating_add(1);
    }

    fn own_history_proved(
        &mut self,
        newest: usize,
        found: &proto::HistoryAnswer,
        logged: &Logged<KtEpoch>,
    ) {
        let (Some(mut ledger), Some(me)) = (self.ledger(), self.me()) else {
            return;
        };
        let label = account_label(&ledger.deployment, &me);
        let shown = verify_history(&logged.entry, &found.vrf_key, &label, &found.proof, newest);
        let Ok(shown) = shown else {
            return self.no_own_history();
        };
        let Some(said) = self.hold_against_our_chain(&ledger, &shown) else {
            return self.no_own_history();
        };
        match said {
            Said::Ours { publications, version } => {
                (ledger.own, ledger.own_version) = (publications, version);
                ledger.own_seen = logged.entry.time_ms;
                self.set_ledger(&ledger);
                self.note_logged(&me, version, None, logged);
                self.own_handle_shown(found.claim.as_ref(), &logged.checkpoint.head());
                let jitter = u64::from(u32::from_be_bytes(self.random::<4>())) % JITTER;
                self.live.checking.own = Next { at: self.now + EVERY + jitter, ..Next::default() };
                let behind =
                    self.known(&me).is_some_and(|known| known.chain.newest().version() > version);
                if behind {
                    // Our newest list is in no epoch yet.
                    self.no_own_history();
                }
                self.ask_for_policy();
                self.retry_held();
            }
            Said::More(versions) if newest < HISTORY_VERSIONS => {
                self.live.checking.own.more = versions;
                self.live.checking.own.at = self.now;
            }
            Said::More(_) => self.found_ghost(None),
            Said::Strange(values) if self.is_own_again(&ledger, &shown, &values) => {
                (ledger.own, ledger.own_version) = self.newest_of_ours(&shown);
                ledger.own_seen = logged.entry.time_ms;
                if let Some(found) = &mut ledger.tampered {
                    found.own_again = true;
                }
                self.set_ledger(&ledger);
                self.check_own_history_soon();
            }
            Said::Strange(values) => {
                let own = &mut self.live.checking.own;
                let settled = std::mem::take(&mut own.settled);
                own.strange.clone_from(&values);
                if let Some(value) = values.iter().find(|value| settled.contains(value)) {
                    self.keep_hidden_list(found, logged, *value);
                    return self.found_ghost(Some(*value));
                }
                // Looked up first, from now on; then asked again.
                self.live.checking.own.at = self.now + EVERY;
                self.wish_anew(Sought::Account(me));
            }
        }
    }

    /// Somebody stands on our account whom none of our devices approved: nothing is sent any more.
    fn found_ghost(&mut self, value: Option<[u8; 32]>) {
        let me = self.me();
        self.live.checking.own = Next { at: self.now + EVERY, ..Next::default() };
        self.tampered(ProofKind::GhostDevice, me, value);
    }

    /// Our own account was looked up, by a question of after something strange was seen: it is held against the chain again.
    /// Whoever published a list has it, and left it out of that answer if it is strange still.
    pub(crate) fn own_account_looked_up(&mut self) {
        let own = &mut self.live.checking.own;
        if !own.strange.is_empty() {
            (own.settled, own.at) = (std::mem::take(&mut own.strange), self.now);
        }
    }

    /// Whether nothing is strange but the ghost that was found, and our newest list is published again after it.
    fn is_own_again(
        &mut self,
        checked: &Ledger,
        shown: &[Published],
        strange: &[[u8; 32]],
    ) -> bool {
        let found = checked.tampered.as_ref();
        let ghost = found.filter(|found| found.who.is_some_and(|who| self.is_me(&who)));
        let only = ghost.and_then(|found| found.value);
        let newest =
            self.me().and_then(|me| self.known(&me)).map(|known| known.chain.newest().hash());
        only.is_some_and(|only| {
            strange.iter().all(|value| *value == only || Some(*value) == newest)
        }) && shown.last().is_some_and(|last| Some(last.value) == newest)
    }

    /// The last publication, which is our newest list.
    fn newest_of_ours(&mut self, shown: &[Published]) -> (u64, u64) {
        let version = self.me().and_then(|me| self.known(&me));
        let version = version.map_or(0, |known| known.chain.newest().version());
        (shown.last().map_or(0, |last| last.version), version)
    }

    fn hold_against_our_chain(&mut self, checked: &Ledger, shown: &[Published]) -> Option<Said> {
        let me = self.me()?;
        let known = self.known(&me)?;
        let (first, last) = (shown.first()?, shown.last()?);
        if first.version > checked.own.saturating_add(1) {
            let needed = last.version.saturating_sub(checked.own);
            return Some(Said::More(usize::try_from(needed).unwrap_or(HISTORY_VERSIONS)));
        }
        let mut newest = 0;
        let mut strange = Vec::new();
        // A ghost that was found before the account was our own again is known.
        let known_ghost = checked.tampered.as_ref().filter(|found| found.own_again);
        let known_ghost = known_ghost.and_then(|found| found.value);
        for published in shown {
            if published.version <= checked.own && Some(published.value) == known_ghost {
                continue;
            }
            // What is new comes after what was checked.
            if published.version > checked.own {
                newest = newest.max(checked.own_version);
            }
            let version = known.chain.by_hash(&published.value).map(|list| list.version());
            match version.filter(|version| *version > newest) {
                Some(version) => newest = version,
                None => strange.push(published.value),
            }
        }
        Some(if strange.is_empty() {
            Said::Ours { publications: last.version, version: newest }
        } else {
            Said::Strange(strange)
        })
    }
}
