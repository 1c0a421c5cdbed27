// SPDX-License-Identifier: AGPL-3.0-or-later
//! What we know of accounts: verified chains of device lists, handles, disputes; and the gate with them.
//!
//! What the server answers is believed only as far as it verifies: a chain hashes to the account id and
//! every version is signed by the one before; a handle claim is signed by a device of the chain; an answer
//! that is shorter than or contradicts what was seen before is not taken; a contradiction is proof. How far a chain is
//! *logged* is what the key directory's proof shows under the checkpoint we hold ([`crate::ledger`]).
//!
//! Spec: `docs/book/protocol.md`, 1 and 1.2; `docs/book/ledger.md`, 3.

use nodoor_e2ee::group::Leaf;
use nodoor_transparency::{
    chain::{Chain, Comparison},
    directory::{account_label, handle_label, handle_value, verify_lookup},
    error::ListError,
    handover::verify_move,
    ledger::{entry::KtEpoch, proof::Logged},
    list::DeviceList,
    statement::{Dispute, HandleClaim},
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, DeviceId, RoomId},
    proto,
};
use prost::Message as _;

use crate::{
    gate::{self, Change, Listed, Verdict},
    step::Step,
};

/// What verified of an account.
pub(crate) struct Known {
    /// Its lists.
    pub(crate) chain: Chain,
    /// The handle that a device of the newest list, or the recovery key, claims.
    pub(crate) handle: Option<String>,
    /// The versions that a removed device objects to and the recovery key has not settled.
    disputes: Vec<u64>,
    /// Up to which version its lists are logged; 0 is none.
    pub(crate) logged: u64,
}

impl Known {
    /// Reads an answer of the server.
    fn verify(account: &AccountId, found: &proto::LookupAnswer) -> Result<Self, ListError> {
        let chain = Chain::verify(account, &found.lists)?;
        let claim = found.handle_claim.as_ref();
        let handle = claim.and_then(|claim| HandleClaim::verify(&chain, claim).ok());
        let handle = handle.map(|claim| claim.handle.as_str().to_owned());
        let disputes = found.disputes.iter().filter_map(|one| Dispute::verify(&chain, one).ok());
        let disputes = disputes
            .filter(|one| one.stands(&chain))
            .filter_map(|one| chain.by_hash(&one.removed_by))
            .map(DeviceList::version)
            .collect();
        Ok(Self { chain, handle, disputes, logged: 0 })
    }

    /// Whether a removed device objects, and nothing settled it.
    pub(crate) fn is_disputed(&self) -> bool {
        !self.disputes.is_empty()
    }

    /// Whether we may add this device to a room: a disputed account adds none that came with or after the disputed
    /// list. For what we do ourselves alone: whether somebody else saw the dispute cannot be known, so the gate asks
    /// nothing of it.
    pub(crate) fn may_add(&self, device: &DeviceId) -> bool {
        self.disputes.iter().all(|version| {
            let before = version.checked_sub(1);
            let before = before.and_then(|version| self.chain.version(version));
            before.is_some_and(|list| list.device(device).is_some())
        })
    }

    /// Whether a list that is disputed took this leaf's device away: then it stays where it is until that is settled.
    pub(crate) fn objects(&self, leaf: &Leaf) -> bool {
        self.disputes.iter().any(|version| {
            let before = version.checked_sub(1).and_then(|version| self.chain.version(version));
            let device = before.and_then(|list| list.device(&leaf.name.device));
            device.is_some_and(|device| device.mls_key == leaf.mls_key)
        })
    }
}

/// Objections that are kept of an account, as many as the server keeps.
const DISPUTES: usize = 16;

impl Step<'_> {
    /// What we know of an account, loaded into memory if it is on disk.
    pub(crate) fn known(&mut self, account: &AccountId) -> Option<&Known> {
        if !self.live.known.contains_key(account) {
            let contact = self.contact(account);
            let found = proto::LookupAnswer::decode(contact.lookup.as_slice()).ok()?;
            let known = Known::verify(account, &found).ok()?;
            let known = Known { logged: contact.logged.version, ..known };
            self.live.known.insert(*account, known);
        }
        self.live.known.get(account)
    }

    /// Asks the gate about a change of this room; what it lacks is looked up.
    pub(crate) fn judge(&mut self, room: &RoomId, change: &Change<'_>) -> Verdict {
        let verdict = self.ask_gate(change);
        if let Verdict::Undecided(missing) = &verdict {
            self.seek_for_room(room, missing);
        }
        verdict
    }

    /// Asks the gate, with all that is known of the accounts it asks about.
    pub(crate) fn ask_gate(&mut self, change: &Change<'_>) -> Verdict {
        let updated = change.updated.map(|(_, after)| after);
        for leaf in change.entering.iter().chain(updated) {
            self.known(&leaf.name.account);
        }
        // From the first greeting that named a policy on, a server that gives no proofs only makes things wait.
        let keeps_ledger = self.ledger().is_some();
        let known = &self.live.known;
        gate::judge(change, |account| {
            let known = known.get(account)?;
            Some(Listed { chain: &known.chain, logged: keeps_ledger.then_some(known.logged) })
        })
    }

    /// Whether a list names the leaf that sent a Welcome: with that it is its device's, whatever is in it.
    pub(crate) fn judge_sender(&mut self, sender: &Leaf) -> Verdict {
        self.known(&sender.name.account);
        let keeps_ledger = self.ledger().is_some();
        let known = self.live.known.get(&sender.name.account).map(|known| Listed {
            chain: &known.chain,
            logged: keeps_ledger.then_some(known.logged),
        });
        gate::judge_leaf(sender, known)
    }

    /// Takes an answer if it verifies and continues what we saw before. `logged` is the epoch that came with it, if it
    /// counts, and `handle` what was asked for.
    pub(crate) fn take_lookup(
        &mut self,
        account: &AccountId,
        found: &proto::LookupAnswer,
        logged: Option<&Logged<KtEpoch>>,
        handle: Option<&str>,
    ) -> bool {
        let with_disputes = self.with_disputes_seen(account, found);
        let found = with_disputes.as_ref().unwrap_or(found);
        let Ok(shown) = Known::verify(account, found) else {
            if let Some(logged) = logged {
                self.published_against_the_chain(account, found, logged);
            }
            return false;
        };
        let seen = self.known(account).map(|seen| seen.chain.compare(&shown.chain));
        match seen {
            None | Some(Ok(Comparison::Same | Comparison::Extends)) => {}
            Some(Err(ListError::Forked { version, evidence })) => {
                self.keep_fork(account, version, &evidence);
                return false;
            }
            // A shorter one among them: answers come late, and two lists of one chain contradict nothing.
            Some(Err(_)) => return false,
        }
        let mut contact = self.contact(account);
        // Whom a person accepted under a handle stays behind it, whatever the server omits or somebody else claims.
        if !contact.accepted || contact.handle.is_empty() {
            let free = |handle: &String| self.bound(handle).is_none_or(|other| other == *account);
            contact.handle = shown.handle.clone().filter(free).unwrap_or_default();
        }
        // The proof is checked here, once: on disk is what it showed.
        contact.lookup = proto::LookupAnswer { directory: None, ..found.clone() }.encode_to_vec();
        let before = contact.logged.version;
        self.set_contact(account, &contact);
        self.live.known.insert(*account, Known { logged: before, ..shown });
        self.live.fresh.insert(*account, self.now);
        if let Some(logged) = logged {
            self.take_directory_proof(account, found, logged, handle);
        }
        self.was_no_ghost(account);
        true
    }

    /// An answer with the objections that were seen before and that it leaves out, if there are any: they are in no log, and
    /// only the words settle them.
    fn with_disputes_seen(
        &self,
        account: &AccountId,
        found: &proto::LookupAnswer,
    ) -> Option<proto::LookupAnswer> {
        let before = proto::LookupAnswer::decode(self.contact(account).lookup.as_slice()).ok()?;
        let mut left_out = before.disputes;
        left_out.retain(|one| !found.disputes.contains(one));
        if left_out.is_empty() {
            return None;
        }
        let chain = Chain::verify(account, &found.lists).ok()?;
        let stands = |dispute: Dispute| dispute.stands(&chain);
        left_out.retain(|one| Dispute::verify(&chain, one).is_ok_and(stands));
        let mut found = found.clone();
        let free = DISPUTES.saturating_sub(found.disputes.len());
        found.disputes.extend(left_out.into_iter().take(free));
        Some(found)
    }

    /// What the directory shows under a logged epoch: which of the lists we hold is the newest one published, and whose
    /// the handle is that was asked for. Anything else shows nothing.
    fn take_directory_proof(
        &mut self,
        account: &AccountId,
        found: &proto::LookupAnswer,
        logged: &Logged<KtEpoch>,
        handle: Option<&str>,
    ) -> Option<()> {
        let deployment = self.ledger()?.deployment;
        let proof = found.directory.as_ref()?;
        let (epoch, vrf_key) = (&logged.entry, &proof.vrf_key);
        let label = account_label(&deployment, account);
        let published = verify_lookup(epoch, vrf_key, &label, &proof.account).ok()?;
        let version = self.known(account)?.chain.by_hash(&published.value)?.version();
        let handle = handle.and_then(|handle| Handle::parse(handle).ok()).filter(|handle| {
            let label = handle_label(&deployment, handle);
            let shown = verify_lookup(epoch, vrf_key, &label, &proof.handle);
            // The first account that was published under a handle holds it. Of any other the log must show that it asked for
            // it, and waited: else Olga could give a handle to whom she likes.
            shown.is_ok_and(|shown| {
                let moved = proof.moved.as_ref();
                let moved = moved.is_some_and(|moved| verify_move(moved, logged, handle, account));
                if moved {
                    self.live.moved.insert(handle.as_str().to_owned());
                }
                shown.value == handle_value(account) && (shown.version == 1 || moved)
            })
        });
        let handle = handle.as_ref().map(Handle::as_str);
        if self.known(account).is_some_and(|known| known.chain.newest().version() == version) {
            self.note_shown(account);
        }
        self.note_logged(account, version, handle, logged);
        Some(())
    }

    /// An account's lists are logged up to this version, and this handle is logged as theirs.
    pub(crate) fn note_logged(
        &mut self,
        account: &AccountId,
        version: u64,
        handle: Option<&str>,
        logged: &Logged<KtEpoch>,
    ) {
        let mut contact = self.contact(account);
        let row = &mut contact.logged;
        row.version = row.version.max(version);
        if let Some(handle) = handle {
            handle.clone_into(&mut row.handle);
        }
        (row.at, row.size) = (self.now, logged.checkpoint.head().size);
        if row.since.iter().all(|(known, _)| *known != version) {
            row.since.push((version, logged.entry.time_ms));
        }
        let up_to = row.version;
        self.set_contact(account, &contact);
        if let Some(known) = self.live.known.get_mut(account) {
            known.logged = up_to;
        }
        if self.is_logged(account) {
            self.is_proved(account);
        }
    }
}
