// SPDX-License-Identifier: AGPL-3.0-or-later
//! Evidence: kept as the file it is, with what stops because of it.
//!
//! After two histories of the log nothing under it counts any more: what was logged before goes on, new contacts,
//! devices and members wait, and nothing is sent before the person has read it. A device on our own account that none
//! of ours approved stops all sending until what is published is our own list again.
//!
//! Spec: `docs/book/ledger.md`, 3 and 5.

use nodoor_transparency::{
    directory::{account_label, verify_lookup},
    error::Contradiction,
    ledger::{
        checkpoint::SignedCheckpoint,
        entry::KtEpoch,
        evidence::{Evidence, Verdict},
        note::VerifierKey,
        policy::Policy,
        proof::{Inclusion, Logged, ProofFile},
        tree::Hash,
    },
    statement::Disowned,
};
use nodoor_view::model::{EvidenceFile, ProofKind};
use nodoor_wire::{id::AccountId, proto};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    ledger::Tampered,
    live::Sought,
    rows::{Fork, key},
    step::Step,
};

/// Files kept; the first ones say what matters.
const FILES: usize = 32;
/// Of forks no more: whoever has accounts makes as many as they like, and must not keep out what the log signed.
const FORKS: usize = FILES / 2;

impl Step<'_> {
    /// The log signed a checkpoint that does not go on from the one we hold.
    pub(super) fn two_histories(
        &mut self,
        held: &[u8],
        shown: &SignedCheckpoint,
        subtrees: Vec<Hash>,
    ) {
        let (Some(log), Ok(held)) = (self.log_key(shown), SignedCheckpoint::parse(held)) else {
            return;
        };
        let checkpoints = [held, shown.clone()];
        let evidence = Evidence::Equivocation { log, checkpoints, subtrees };
        if matches!(evidence.check(), Verdict::Proven(_)) {
            self.keep_evidence(&evidence);
            self.tampered(kind_of(&evidence), None, None);
        }
    }

    /// A look-up whose lists do not verify, although the directory says that the newest of them counts: whoever put that
    /// into the directory shows a device that no device before approved.
    pub(crate) fn published_against_the_chain(
        &mut self,
        account: &AccountId,
        found: &proto::LookupAnswer,
        logged: &Logged<KtEpoch>,
    ) {
        let lists = self.known(account).map(|known| known.chain.to_proto());
        let (Some(lists), Some(log)) = (lists, self.log_key(&logged.checkpoint)) else {
            return;
        };
        let published = self.published(account, found, logged);
        let (Some(published), Some(directory)) = (published, &found.directory) else {
            return;
        };
        let ghost = found.lists.iter().find(|list| {
            let hash: [u8; 32] = Sha256::digest(&list.body).into();
            hash == published
        });
        let epoch = directory.epoch.as_ref().and_then(proof_file);
        let (Some(ghost), Some(epoch)) = (ghost, epoch) else {
            return;
        };
        let evidence = Evidence::GhostDevice {
            log,
            epoch: Box::new(epoch),
            vrf_key: directory.vrf_key.to_vec(),
            lookup: directory.account.to_vec(),
            lists,
            ghost: ghost.clone(),
        };
        let counts = match evidence.check() {
            Verdict::Proven(_) => true,
            // One damaged signature on the way looks the same: it is asked for once more.
            Verdict::Unanswered(_) => {
                let before = self.live.checking.unsigned.insert(*account, published);
                self.wish_anew(Sought::Account(*account));
                before == Some(published)
            }
            Verdict::NotProven(_) => false,
        };
        if counts {
            self.keep_evidence(&evidence);
            self.tampered(kind_of(&evidence), Some(*account), Some(published));
        }
    }

    /// What the directory shows as the newest list of an account, under a logged epoch.
    fn published(
        &self,
        account: &AccountId,
        found: &proto::LookupAnswer,
        logged: &Logged<KtEpoch>,
    ) -> Option<[u8; 32]> {
        let directory = found.directory.as_ref()?;
        let label = account_label(&self.ledger()?.deployment, account);
        let shown =
            verify_lookup(&logged.entry, &directory.vrf_key, &label, &directory.account).ok()?;
        Some(shown.value)
    }

    /// What was a ghost is a list of the chain now: nothing was hidden but for a while. The files that said so go.
    pub(crate) fn was_no_ghost(&mut self, account: &AccountId) {
        self.live.checking.unsigned.remove(account);
        let Some(mut ledger) = self.ledger() else {
            return;
        };
        let found = ledger.tampered.as_ref().filter(|found| found.who == Some(*account));
        let Some(value) = found.and_then(|found| found.value) else {
            return;
        };
        if self.known(account).is_none_or(|known| known.chain.by_hash(&value).is_none()) {
            return;
        }
        ledger.tampered = None;
        self.set_ledger(&ledger);
        for (row, text) in self.disk.prefixed(key::EVIDENCE, FILES) {
            let about: Option<[u8; 32]> = match Evidence::parse(&text) {
                Ok(Evidence::GhostDevice { ghost, .. }) => Some(Sha256::digest(&ghost.body).into()),
                Ok(Evidence::HiddenList { disowned, .. }) => self
                    .known(account)
                    .and_then(|known| Disowned::verify(&known.chain, &disowned).ok())
                    .map(|disowned| disowned.value),
                _ => None,
            };
            if about == Some(value) {
                self.disk.remove(&row);
            }
        }
        // What it outweighed meanwhile stands: the files say whether the log signed two histories.
        let forked = self.evidence_files().into_iter().any(|file| {
            let kept = Evidence::parse(file.text.as_bytes());
            kept.is_ok_and(|kept| matches!(kept, Evidence::Equivocation { .. }))
        });
        if forked {
            self.tampered(ProofKind::Equivocation, None, None);
        }
        self.retry_held_soon();
    }

    /// What is published for our own account is the hash of no list that anybody showed us: our word for it, with the
    /// log's, which whoever has the list can hold against us.
    pub(super) fn keep_hidden_list(
        &mut self,
        found: &proto::HistoryAnswer,
        logged: &Logged<KtEpoch>,
        value: [u8; 32],
    ) {
        let (Some(account), Some(key)) = (self.me(), self.device_key()) else {
            return;
        };
        let lists = self.known(&account).map(|known| known.chain.to_proto());
        let epoch = found.epoch.as_ref().and_then(proof_file);
        let log = self.log_key(&logged.checkpoint);
        if let (Some(lists), Some(epoch), Some(log)) = (lists, epoch, log) {
            let (epoch, vrf_key) = (Box::new(epoch), found.vrf_key.to_vec());
            let history = found.proof.to_vec();
            let disowned = Disowned { account, value }.sign(&key);
            let evidence = Evidence::HiddenList { log, epoch, vrf_key, history, lists, disowned };
            if matches!(evidence.check(), Verdict::Unanswered(_)) {
                self.keep_evidence(&evidence);
            }
        }
    }

    /// The keys of an account signed two lists of one version: proof against whoever holds these keys, and not against
    /// the log. It concerns this account alone, what we verified before stands, and nothing else stops.
    pub(crate) fn keep_fork(&mut self, account: &AccountId, version: u64, both: &Contradiction) {
        if self.is_forked(account) {
            return;
        }
        let (seen, shown) = (both.seen.encode_to_vec(), both.shown.encode_to_vec());
        let row = Fork { version: Some(version), seen, shown, at: self.now };
        self.disk.put(key::fork(account), &row);
        let known = self.known(account);
        let evidence =
            known.and_then(|known| Evidence::of_fork(&known.chain, version, &both.shown));
        if let Some(evidence) = evidence
            && matches!(evidence.check(), Verdict::Proven(_))
        {
            self.keep_evidence(&evidence);
        }
    }

    /// Whether two signed lists of one version of this account were seen. A server that only showed less is none.
    pub(super) fn is_forked(&self, account: &AccountId) -> bool {
        let kept: Option<Fork> = self.disk.get(&key::fork(account));
        kept.is_some_and(|fork| fork.version.is_some())
    }

    /// Notes what was found. What concerns the whole log outweighs an account, our own outweighs everything.
    pub(super) fn tampered(
        &mut self,
        kind: ProofKind,
        who: Option<AccountId>,
        value: Option<[u8; 32]>,
    ) {
        let Some(mut ledger) = self.ledger() else {
            return;
        };
        let own = |who: &Option<AccountId>| who.is_some_and(|who| self.is_me(&who));
        let graver = match &ledger.tampered {
            None => true,
            Some(found) => {
                // What is over says nothing of what comes after it.
                found.own_again
                    || (own(&who) && !own(&found.who))
                    || (who.is_none() && found.who.is_some() && !own(&found.who))
            }
        };
        if graver {
            let at = self.now;
            ledger.tampered =
                Some(Tampered { kind, at, who, value, own_again: false, answered: false });
            self.set_ledger(&ledger);
        }
    }

    fn log_key(&self, checkpoint: &SignedCheckpoint) -> Option<VerifierKey> {
        let policy = Policy::parse(self.ledger()?.policy.as_bytes()).ok()?;
        policy.signed_by_log(checkpoint).ok().cloned()
    }

    /// Keeps a file, once.
    fn keep_evidence(&mut self, evidence: &Evidence) {
        let text = evidence.to_string().into_bytes();
        let kept = self.disk.prefixed(key::EVIDENCE, FILES);
        let most = if matches!(evidence, Evidence::Fork { .. }) { FORKS } else { FILES };
        if kept.len() < most && kept.iter().all(|(_, there)| *there != text) {
            let number = self.number();
            self.disk.set_bytes(key::evidence(number), Some(text));
        }
    }

    /// The files kept, oldest first.
    pub(crate) fn evidence_files(&self) -> Vec<EvidenceFile> {
        let kept = self.disk.prefixed(key::EVIDENCE, FILES);
        kept.into_iter()
            .zip(1..)
            .filter_map(|((_, text), number)| {
                let kind = Evidence::parse(&text).ok()?.kind();
                let name = format!("evidence-{kind}-{number}.txt");
                Some(EvidenceFile { name, text: String::from_utf8(text).ok()? })
            })
            .collect()
    }

    /// The person has read it.
    pub(crate) fn answer_proof(&mut self) {
        if let Some(mut ledger) = self.ledger()
            && let Some(found) = &mut ledger.tampered
        {
            found.answered = true;
            self.set_ledger(&ledger);
        }
    }
}

fn proof_file(shown: &proto::LoggedEntry) -> Option<ProofFile> {
    let inclusion = Inclusion::of_answer(shown).ok()?;
    Some(ProofFile { extra: Some(shown.entry.to_vec()), inclusion })
}

/// What a file is proof of.
const fn kind_of(evidence: &Evidence) -> ProofKind {
    match evidence {
        Evidence::Equivocation { .. } => ProofKind::Equivocation,
        Evidence::BadAppend { .. } => ProofKind::BadAppend,
        Evidence::EpochReuse { .. } => ProofKind::EpochReuse,
        Evidence::GhostDevice { .. } | Evidence::HiddenList { .. } => ProofKind::GhostDevice,
        Evidence::UnloggedCode { .. } => ProofKind::UnloggedCode,
        Evidence::Fork { .. } => ProofKind::Fork,
    }
}
