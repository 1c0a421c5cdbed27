// SPDX-License-Identifier: AGPL-3.0-or-later
//! That the log only grew: a larger checkpoint counts once it is shown to begin with the one we hold.
//!
//! One question at a time. Answers that came under a larger checkpoint wait in memory and are weighed again after it;
//! if it is not answered, or badly, they count as if they carried no proof, and whoever needed one asks again.
//!
//! A connection alone proves nothing: hashes that lead nowhere are no answer. Hashes that lead to the *signed* larger
//! root from another beginning than ours are two histories under two signatures.
//!
//! Spec: `docs/book/ledger.md`, 3 and 5.

use nodoor_transparency::ledger::{
    checkpoint::TreeHead,
    entry::KtEpoch,
    proof::Logged,
    tree::{Hash, prefix_root},
};
use nodoor_wire::proto::{self, answer, request};

use crate::{
    io::Wire,
    ledger::Held,
    live::{Purpose, Sought},
    step::Step,
};

/// A question under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Growth {
    /// What we held when we asked.
    from: TreeHead,
    /// What was shown; it satisfied the policy.
    to: Logged<KtEpoch>,
    /// Siblings of its last entry, as they were shown with it.
    beside: Vec<Hash>,
    /// The answer did not fit, and this asks for what would prove it: its hashes.
    doubted: Option<Vec<Hash>>,
}

impl Step<'_> {
    /// Keeps an answer until it is known whether the log only grew, and asks that.
    pub(crate) fn wait_for_growth(
        &mut self,
        wire: Wire,
        of: (Purpose, answer::Body),
        to: Logged<KtEpoch>,
        beside: &[bytes::Bytes],
    ) {
        self.live.checking.waiting.push(of);
        let from = self.ledger().and_then(|ledger| ledger.held).map(|held| held.head());
        let Some(from) = from.filter(|_| !self.live.checking.growing) else {
            return;
        };
        let beside = beside.iter().filter_map(|hash| Hash::try_from(&**hash).ok()).collect();
        self.ask_growth(wire, from.size, Growth { from, to, beside, doubted: None });
    }

    fn ask_growth(&mut self, wire: Wire, from: u64, growth: Growth) {
        self.live.checking.growing = true;
        let ask = proto::Consistency { from, to: growth.to.checkpoint.head().size };
        let body = request::Body::Consistency(ask);
        self.request(wire, body, Purpose::Grows(wire, Box::new(growth)));
    }

    /// The server's answer.
    pub(crate) fn growth_answered(&mut self, wire: Wire, growth: Growth, body: &answer::Body) {
        self.live.checking.growing = false;
        let hashes = match body {
            answer::Body::Consistency(found) => hashes(found),
            _ => None,
        };
        let held = self.ledger().and_then(|ledger| ledger.held);
        let Some(held) = held.filter(|held| held.head() == growth.from) else {
            // Something else was held meanwhile: the question is asked anew if it still is one.
            return self.weigh_again(true);
        };
        let to = growth.to.checkpoint.head();
        match (hashes, growth.doubted.clone()) {
            (Some(more), Some(first)) => {
                self.doubt(wire, &held, growth, first, &more);
                self.weigh_again(false);
            }
            (Some(hashes), None) if growth.from.grows_into(&to, &hashes).is_ok() => {
                self.take_checkpoint(&growth.to);
                self.weigh_again(true);
            }
            (Some(hashes), None) => {
                self.doubt(wire, &held, growth, hashes, &[]);
                self.weigh_again(false);
            }
            (None, _) => self.weigh_again(false),
        }
    }

    /// The question will have no answer.
    pub(crate) fn growth_lost(&mut self) {
        self.live.checking.growing = false;
        for (purpose, _) in std::mem::take(&mut self.live.checking.waiting) {
            self.unanswered(&purpose);
        }
    }

    /// What waited is looked at again: under the checkpoint that counts now, or as if it had no proof.
    fn weigh_again(&mut self, counts: bool) {
        for (purpose, mut body) in std::mem::take(&mut self.live.checking.waiting) {
            if !counts {
                match &mut body {
                    answer::Body::Lookup(found) => found.directory = None,
                    answer::Body::History(found) => found.epoch = None,
                    answer::Body::TokenKey(found) => found.epoch = None,
                    _ => {}
                }
            }
            let wire = match purpose {
                Purpose::Lookup(Sought::Account(_) | Sought::Handle(_)) => Wire::Anonymous,
                _ => Wire::Login,
            };
            self.answered(wire, purpose, body);
        }
    }

    /// The hashes do not lead from ours. If they lead from another beginning to what the log signed, that is proof. A
    /// tree of a power of two is not among them: it may stand beside the new entry, or in the answer for one entry more.
    fn doubt(&mut self, wire: Wire, held: &Held, growth: Growth, hashes: Vec<Hash>, more: &[Hash]) {
        let (from, to) = (growth.from, growth.to.checkpoint.head());
        let leads = |subtrees: &[Hash]| {
            prefix_root(from.size, to.size, &to.root, subtrees).is_ok_and(|root| root != from.root)
        };
        let beginnings: Vec<Vec<Hash>> = if from.size.is_power_of_two() {
            let first = growth.beside.iter().chain(more);
            first.map(|first| [&[*first], hashes.as_slice()].concat()).collect()
        } else {
            vec![hashes.clone()]
        };
        if let Some(subtrees) = beginnings.into_iter().find(|subtrees| leads(subtrees)) {
            self.two_histories(&held.note, &growth.to.checkpoint, subtrees);
        } else if growth.doubted.is_none() && from.size.is_power_of_two() && to.size - from.size > 1
        {
            let growth = Growth { doubted: Some(hashes), ..growth };
            self.ask_growth(wire, from.size + 1, growth);
        }
    }
}

pub(super) fn hashes(found: &proto::ConsistencyAnswer) -> Option<Vec<Hash>> {
    found.hashes.iter().map(|hash| Hash::try_from(&**hash).ok()).collect()
}
