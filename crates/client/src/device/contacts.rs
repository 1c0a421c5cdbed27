// SPDX-License-Identifier: AGPL-3.0-or-later
//! Other people's devices, where they disagree: while a removed device objects, what we write to that person waits.
//!
//! An objection is put at the server by somebody whom no room tells of it any more. So for a week after a device of theirs
//! was removed by another one, a person's lists are looked up before we write, every ten minutes at most; and no more
//! after that, or when their recovery key signed it.
//!
//! Spec: `docs/book/protocol.md`, 1; `docs/book/ledger.md`, 8.

use nodoor_e2ee::group::Leaf;
use nodoor_transparency::chain::Chain;
use nodoor_view::model::ConversationId;
use nodoor_wire::id::AccountId;

use crate::{
    device::DAY,
    io::Wire,
    rows::{Line, Message, Stored},
    step::Step,
};

/// How long after a removal its device may object, milliseconds of ledger time, and a day for the objection to be seen.
const MAY_OBJECT: u64 = 8 * DAY;
/// So many of a chat's newest rows are looked at for a line that was said already.
const LINES: usize = 100;
/// How long a look-up counts, milliseconds.
const FRESH: u64 = 10 * 60_000;

impl Step<'_> {
    /// What is said of a device that came to a person: who approved it.
    pub(crate) fn device_line(&mut self, leaf: &Leaf) -> Line {
        let (who, device) = (leaf.name.account, leaf.name.device);
        let by_words = self.known(&who).is_some_and(|known| {
            let chain = &known.chain;
            let listed = |version: &u64| {
                chain.version(*version).is_some_and(|list| list.device(&device).is_some())
            };
            let first = (1..=chain.newest().version()).find(listed);
            first.is_some_and(|version| version > 1 && chain.is_by_recovery(version))
        });
        if by_words { Line::DeviceAddedByWords { who } } else { Line::DeviceAdded { who } }
    }

    /// A chat goes on in a room that a person founded anew: if they came back with their words, it says so, once.
    pub(crate) fn say_how_it_came(&mut self, conversation: ConversationId, sender: &Leaf) {
        let line = self.device_line(sender);
        if !matches!(line, Line::DeviceAddedByWords { .. }) {
            return;
        }
        let said =
            |message: &Message| matches!(&message.content, Stored::Line(old) if *old == line);
        if !self.messages_before(conversation, None, LINES).iter().any(said) {
            self.line(conversation, line);
        }
    }

    /// Whether a removed device of this account objects, as far as we know.
    pub(crate) fn is_disputed(&mut self, account: &AccountId) -> bool {
        self.known(account).is_some_and(crate::directory::Known::is_disputed)
    }

    /// Whether what we write to a person waits: a device of theirs objects, or it is being asked whether one does.
    pub(crate) fn is_held(&mut self, account: &AccountId) -> bool {
        if self.may_be_disputed(account) {
            let at = self.live.fresh.get(account).copied();
            let fresh = at.is_some_and(|at| self.now.saturating_sub(at) < FRESH);
            if !fresh && self.is_ready(Wire::Anonymous) {
                self.seek(*account);
            }
            if !fresh {
                return true;
            }
        }
        let disputed = self.is_disputed(account);
        if disputed {
            // What waits is tried again then, whatever else happens.
            self.live.device.held_again_at = self.now + FRESH;
        }
        disputed
    }

    /// Whether a device took another one of this account away, of late and without the recovery key.
    fn may_be_disputed(&mut self, account: &AccountId) -> bool {
        let Some(chain) = self.known(account).map(|known| known.chain.clone()) else {
            return false;
        };
        let now = self.ledger().and_then(|ledger| ledger.held).map(|held| held.time);
        let since = self.contact(account).logged.since;
        removals(&chain).any(|version| {
            let logged = since.iter().find(|(at, _)| *at >= version).map(|(_, time)| *time);
            match (now, logged) {
                (Some(now), Some(logged)) => now.saturating_sub(logged) < MAY_OBJECT,
                _ => true,
            }
        })
    }
}

/// Versions that took a device away and that no recovery key settled, theirs or a later one.
fn removals(chain: &Chain) -> impl Iterator<Item = u64> {
    let newest = chain.newest().version();
    let settled = (1..=newest).rev().find(|version| chain.is_by_recovery(*version)).unwrap_or(1);
    (settled + 1..=newest).filter(|version| {
        let (before, list) = (chain.version(version - 1), chain.version(*version));
        before.zip(list).is_some_and(|(before, list)| list.removed_since(before).next().is_some())
    })
}
