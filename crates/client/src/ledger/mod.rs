// SPDX-License-Identifier: AGPL-3.0-or-later
//! What this client holds of the deployment's public log, and what it believes because of it.
//!
//! One row (`a/ledger`) has the policy of the first `Hello`, the newest checkpoint that counted, and what was found
//! against the log. Everything that carries a logged entry passes [`Step::weigh`]: it is *proved* under the checkpoint
//! we hold, or a larger one that is first shown to begin with it ([`growth`]), or it shows nothing, which is never
//! an error: whatever needed it waits. What cannot both be honest becomes a file of [`evidence`].
//!
//! The walk: [`crate::link`] hands answers in → [`Step::weigh`] → [`crate::directory`] and [`own`] take what is
//! proved → the [`crate::gate`] asks how far a chain is logged → [`check`] says so to a person.
//!
//! May not know: what is in any room. Spec: `docs/book/ledger.md`, 3.

mod check;
mod compare;
mod evidence;
pub(crate) mod gossip;
pub(crate) mod growth;
mod inherited;
mod own;
mod policy;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use nodoor_transparency::ledger::{
    checkpoint::{Relation, TreeHead, origin},
    entry::KtEpoch,
    policy::Policy,
    proof::{Logged, verify_epoch},
};
use nodoor_view::model::{LedgerState, ProofKind};
use nodoor_wire::{
    id::{AccountId, DeploymentId},
    proto::{self, answer},
};
use serde::{Deserialize, Serialize};

use crate::{
    live::{Purpose, Sought},
    rows::key,
    step::Step,
};

/// How soon what is not logged yet is asked for again, milliseconds: three times each, then twice as long.
const NOT_YET: u64 = 700;
/// The longest such pause, milliseconds.
const AT_MOST: u64 = 300_000;
/// How long a list counts as shown to be the newest one for signing another, milliseconds.
const SHOWN_LASTS: u64 = 60_000;

/// `a/ledger`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Whose log.
    pub(crate) deployment: DeploymentId,
    /// The pinned policy, as text.
    pub(crate) policy: String,
    /// When it was pinned, by our clock, milliseconds.
    pub(crate) pinned_at: u64,
    /// Another policy that the log announced.
    #[serde(default)]
    next: Option<policy::Announced>,
    /// When the policy became this one instead of another, by our clock.
    #[serde(default)]
    changed_at: Option<u64>,
    /// No checkpoint that this policy asks for was held yet.
    #[serde(default)]
    not_vouched: bool,
    /// The newest checkpoint that counted.
    pub(crate) held: Option<Held>,
    /// Publications of our own list that were checked, from the first on.
    #[serde(default)]
    pub(crate) own: u64,
    /// The list that the newest of them is.
    #[serde(default)]
    pub(crate) own_version: u64,
    /// Ledger time of the newest history of ours that counted; 0 is none.
    #[serde(default)]
    pub(crate) own_seen: u64,
    /// Proof of tampering.
    #[serde(default)]
    pub(crate) tampered: Option<Tampered>,
}

impl Ledger {
    /// Nothing but the policy.
    fn begin(deployment: DeploymentId, policy: String, now: u64) -> Self {
        Self {
            deployment,
            policy,
            pinned_at: now,
            next: None,
            changed_at: None,
            not_vouched: false,
            held: None,
            own: 0,
            own_version: 0,
            own_seen: 0,
            tampered: None,
        }
    }
}

/// A checkpoint that counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Entries.
    pub(crate) size: u64,
    /// Root over them.
    #[serde(with = "serde_bytes")]
    pub(crate) root: [u8; 32],
    /// Ledger time: that of the `KT_EPOCH` which is its last entry, milliseconds.
    pub(crate) time: u64,
    /// The signed note: one half of the proof, should the log ever sign another history.
    #[serde(with = "serde_bytes")]
    pub(crate) note: Vec<u8>,
}

impl Held {
    pub(crate) fn head(&self) -> TreeHead {
        TreeHead { size: self.size, root: self.root }
    }
}

/// What was found, the gravest.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Tampered {
    /// On disk by the name that evidence files have for it.
    pub(crate) kind: ProofKind,
    /// By our clock, milliseconds.
    pub(crate) at: u64,
    /// Whose account it is about; none where it is about the whole log.
    pub(crate) who: Option<AccountId>,
    /// The value in the directory that no list of theirs had.
    #[serde(default)]
    pub(crate) value: Option<[u8; 32]>,
    /// It was about our own account, and what is published for it now is our newest list.
    #[serde(default)]
    pub(crate) own_again: bool,
    /// The person read it.
    pub(crate) answered: bool,
}

/// How far an account's chain is logged. Part of its [`crate::rows::Contact`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedUpTo {
    /// The newest version that was proved; 0 is none.
    pub(crate) version: u64,
    /// The handle that was proved to be this account's.
    pub(crate) handle: String,
    /// When, by our clock, milliseconds.
    pub(crate) at: u64,
    /// Entries of the log it was proved under.
    pub(crate) size: u64,
    /// Ledger time by which each version was first seen logged.
    #[serde(default)]
    pub(crate) since: Vec<(u64, u64)>,
}

impl LoggedUpTo {
    /// Nothing was proved yet.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What a logged entry in an answer shows.
pub(crate) enum Weighed {
    /// Nothing: there is no ledger, no entry, or none that counts.
    Nothing,
    /// It is logged, under the checkpoint we hold.
    Proved(Box<Logged<KtEpoch>>),
    /// Its checkpoint is larger than ours: that is asked about first.
    Grows(Box<Logged<KtEpoch>>),
}

/// The volatile half.
#[derive(Default)]
pub(crate) struct Checking {
    /// The question whether the log only grew is under way.
    growing: bool,
    /// Answers that wait for it, oldest first.
    waiting: Vec<(Purpose, answer::Body)>,
    /// How often in a row an account was looked up and not logged, and when that was last counted.
    not_yet: HashMap<AccountId, (u32, u64)>,
    /// Whose newest list and handle are logged, as far as that was asked since it changed.
    logged: HashSet<AccountId>,
    /// When the directory last showed that an account's newest list we hold is the newest one published.
    shown: HashMap<AccountId, u64>,
    /// Proofs that something waits for, until the next answer.
    awaited: BTreeSet<Sought>,
    /// How often in a row the log was asked for a key of tokens and did not show it.
    no_key: u32,
    /// Our own history.
    own: own::Next,
    /// Published lists that came without signatures under which they count, once each.
    unsigned: HashMap<AccountId, [u8; 32]>,
    /// Whose signed checkpoints the log left open, once read from disk; when it is asked again.
    open: Option<BTreeMap<AccountId, u64>>,
    open_again: u64,
    /// What interfaces were told last.
    told: Option<LedgerState>,
}

impl Step<'_> {
    /// What we hold of the log, if this deployment ever said that it keeps one: from then on it always must.
    pub(crate) fn ledger(&self) -> Option<Ledger> {
        self.disk.get(key::LEDGER)
    }

    fn set_ledger(&mut self, ledger: &Ledger) {
        self.disk.put(key::LEDGER.to_vec(), ledger);
    }

    /// Pins the policy of the first greeting that has one. What later ones name changes nothing: the log announces it.
    /// Whether the greeting is one to go on with: a policy that nobody can go by would do away with the log.
    pub(crate) fn pin_policy(&mut self, deployment: &DeploymentId, text: &[u8]) -> bool {
        if text.is_empty() || self.ledger().is_some_and(|ledger| ledger.deployment == *deployment) {
            return true;
        }
        let shown = Policy::parse(text).ok();
        let ours = shown.filter(|shown| policy::is_of(shown, deployment));
        if let Some(policy) = &ours {
            self.set_ledger(&Ledger::begin(*deployment, policy.to_string(), self.now));
        }
        ours.is_some()
    }

    /// What a logged entry shows that came with an answer.
    pub(crate) fn weigh(&mut self, shown: Option<&proto::LoggedEntry>) -> Weighed {
        let (Some(ledger), Some(shown)) = (self.ledger(), shown) else {
            return Weighed::Nothing;
        };
        // What the operator signs after a second history counts for nothing.
        if ledger.tampered.as_ref().is_some_and(|found| found.who.is_none()) {
            return Weighed::Nothing;
        }
        let policy = Policy::parse(ledger.policy.as_bytes()).ok();
        let logged = policy.and_then(|policy| verify_epoch(shown, &policy, self.now).ok());
        let ours = origin(&ledger.deployment);
        let head = logged.as_ref().map(|logged| logged.checkpoint.head());
        let (Some(logged), Some(head)) = (logged, head) else {
            return Weighed::Nothing;
        };
        // Each batch of entries ends with its epoch: an older one would be the directory as it was.
        let newest = logged.index.checked_add(1) == Some(head.size);
        let ahead = policy::is_dated_ahead(logged.entry.time_ms, &logged.satisfaction, self.now);
        if logged.checkpoint.checkpoint().origin() != ours || !newest || ahead {
            return Weighed::Nothing;
        }
        let logged = Box::new(logged);
        let Some(held) = &ledger.held else {
            self.take_checkpoint(&logged);
            return Weighed::Proved(logged);
        };
        match held.head().relation(&head) {
            Relation::Same => Weighed::Proved(logged),
            Relation::Larger if logged.entry.time_ms >= held.time => Weighed::Grows(logged),
            Relation::Larger | Relation::Smaller => Weighed::Nothing,
            Relation::Fork => {
                self.two_histories(&held.note, &logged.checkpoint, Vec::new());
                Weighed::Nothing
            }
        }
    }

    /// This checkpoint counted: it is the one we hold now.
    fn take_checkpoint(&mut self, logged: &Logged<KtEpoch>) {
        if let Some(mut ledger) = self.ledger() {
            let TreeHead { size, root } = logged.checkpoint.head();
            let note = logged.checkpoint.to_vec();
            ledger.held = Some(Held { size, root, time: logged.entry.time_ms, note });
            ledger.not_vouched = false;
            self.set_ledger(&ledger);
            self.age_checkpoints();
        }
    }

    /// Whether something stops everything that would be sent: proof that nobody has read yet, or that a device stands on
    /// our own account that we did not add.
    pub(crate) fn is_stopped(&self) -> bool {
        let tampered = self.ledger().and_then(|ledger| ledger.tampered);
        tampered.is_some_and(|found| {
            let own = found.who.is_some_and(|who| self.is_me(&who));
            own && !found.own_again || !found.answered
        })
    }

    /// Whether somebody may be added: their newest list is logged, and so is whose handle it is that they go by.
    pub(crate) fn is_logged(&mut self, account: &AccountId) -> bool {
        // A group of a thousand asks this of everybody, with every answer.
        if self.live.checking.logged.contains(account) || self.ledger().is_none() {
            return true;
        }
        let contact = self.contact(account);
        let newest = self.known(account).map(|known| known.chain.newest().version());
        let logged = newest.is_some_and(|newest| newest <= contact.logged.version)
            && (contact.handle == contact.logged.handle || self.is_me(account));
        if logged {
            self.live.checking.logged.insert(*account);
        }
        logged
    }

    /// Whether the newest look-up of an account came with proof that it left out nothing that is published. What was logged once
    /// may be an old list: of a device that was removed since. Of our own account our history says so.
    pub(crate) fn is_shown(&self, account: &AccountId) -> bool {
        let shown = self.live.checking.shown.get(account);
        let fresh = self.live.fresh.get(account);
        shown.is_some_and(|shown| fresh.is_none_or(|fresh| shown >= fresh))
            || self.is_me(account)
            || self.ledger().is_none()
    }

    /// The directory showed our newest list of this account as the newest one.
    pub(crate) fn note_shown(&mut self, account: &AccountId) {
        self.live.checking.shown.insert(*account, self.now);
    }

    /// What is known of an account is another: whether it is logged is found out anew.
    pub(crate) fn forget_whether_logged(&mut self, account: &AccountId) {
        self.live.checking.logged.remove(account);
    }

    /// An answer came: whoever still waits says so again.
    pub(crate) fn no_longer_awaited(&mut self, sought: &Sought) {
        self.live.checking.awaited.remove(sought);
    }

    /// When what was not logged yet is asked for again; `last` is when the account was last looked up. A look-up that
    /// somebody else wanted sooner puts nothing off.
    fn not_yet(&mut self, account: &AccountId, last: u64) -> u64 {
        let (times, at) = self.live.checking.not_yet.entry(*account).or_insert((0, last));
        if last >= *at + pause(*times) {
            (*times, *at) = (times.saturating_add(1), last);
        }
        *at + pause(*times)
    }

    /// When the log is asked again for a key of tokens that it does not show yet.
    pub(crate) fn next_key_try(&mut self) -> u64 {
        let pause = pause(self.live.checking.no_key);
        self.live.checking.no_key = self.live.checking.no_key.saturating_add(1);
        self.now + pause
    }

    /// It shows it.
    pub(crate) fn key_is_logged(&mut self) {
        self.live.checking.no_key = 0;
    }

    pub(crate) fn is_proved(&mut self, account: &AccountId) {
        self.live.checking.not_yet.remove(account);
    }

    /// Whether a look-up at most a minute old came with proof that an account's newest list we hold is the newest one
    /// published: what is signed next follows it. Our own signature is asked for here, so of our own account nothing else counts.
    pub(crate) fn may_sign_after(&self, account: &AccountId) -> bool {
        let shown = self.live.checking.shown.get(account);
        let fresh = self.live.fresh.get(account);
        let is_newest = shown.zip(fresh).is_some_and(|(shown, fresh)| {
            shown >= fresh && self.now.saturating_sub(*shown) < SHOWN_LASTS
        });
        is_newest || self.ledger().is_none()
    }

    /// Asks for that: soon, then ever more rarely. Nobody's other work waits for it.
    pub(crate) fn seek_newest(&mut self, account: AccountId) {
        self.live.checking.awaited.insert(Sought::Account(account));
        let at = match self.live.fresh.get(&account).copied() {
            Some(last) => self.not_yet(&account, last).max(self.now),
            None => self.now,
        };
        let lacking = self.live.lacking.take();
        self.wish(Sought::Account(account), at);
        self.live.lacking = lacking;
    }

    /// Asks again for a proof that an account's newest list, and its handle, are logged: soon, then ever more rarely.
    pub(crate) fn seek_proof(&mut self, account: AccountId) {
        if self.is_me(&account) {
            return self.check_own_history_soon();
        }
        let contact = self.contact(&account);
        let sought = if contact.handle == contact.logged.handle {
            Sought::Account(account)
        } else {
            Sought::Handle(contact.handle)
        };
        self.live.checking.awaited.insert(sought.clone());
        let at = match self.live.fresh.get(&account).copied() {
            Some(last) => self.not_yet(&account, last).max(self.now),
            None => self.now,
        };
        self.wish(sought, at);
    }
}

/// 0.7 s three times, then three times twice as long, and so on up to five minutes.
fn pause(times: u32) -> u64 {
    (NOT_YET << (times / 3).min(10)).min(AT_MOST)
}

#[cfg(test)]
mod tests {
    use super::{AT_MOST, pause};

    #[test]
    fn what_is_not_logged_yet_is_asked_for_soon_and_then_ever_more_rarely() {
        let within = |seconds: u64| {
            let mut at = 0;
            (0..100)
                .take_while(|times| {
                    at += pause(*times);
                    at <= seconds * 1000
                })
                .count()
        };
        assert!((2..=3).contains(&within(2)), "{}", within(2));
        assert!(within(60) < 20, "{}", within(60));
        assert_eq!(pause(u32::MAX), AT_MOST);
    }
}
