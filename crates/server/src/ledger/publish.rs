// SPDX-License-Identifier: AGPL-3.0-or-later
//! The sequencer: from marks to an epoch, from the epoch to an entry, from the entry to a checkpoint.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use akd::{AkdValue, EpochHash, local_auditing::AuditBlob};
use bytes::Bytes;
use nodoor_transparency::ledger::{
    entry::{Entry, Governance, GovernanceKind, KtEpoch},
    policy::Policy,
    tree::leaf_hash,
};
use sha2::{Digest as _, Sha256};

use crate::{
    ledger::{
        Inner, Ledger, LedgerError, Logged,
        keys::VrfKey,
        rows::Rows,
        served::{Akd, label, open_directory},
        tiles,
    },
    storage::{
        Day,
        directory::{DirectoryRows, Mark, Subject},
        ledger::{Appended, LedgerStorage, LogAppend, Note},
    },
};

/// Labels of one epoch, at most: a quarter of a second of work of one core, an audit blob of half a MiB, and what bounds the
/// memory, since the library holds every node that an epoch touches. While more wait, whoever publishes goes on at once.
pub const EPOCH_LABELS: usize = 1_024;
/// So many of the newest entries are looked through for one that was handed in before.
const LOOK_BACK: usize = 1_000;
/// Without a change an entry says so this often.
const HEARTBEAT_MS: u64 = 5 * 60 * 1000;
/// A clock that is further than this ahead of ledger time is not believed: what is written is written for ever, and ledger
/// time would stand still until then.
const JUMP_MS: u64 = 30 * DAY_MS;
const DAY_MS: u64 = 24 * 3_600_000;

/// What [`Ledger::publish`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// Nothing waits, and no heartbeat is due.
    Nothing,
    /// The last checkpoint is not served yet: its witnesses are away.
    Waiting,
    /// The clock is more than a month ahead of the last epoch, which is never taken back: either it is wrong, or the server
    /// was off for so long. The operator's word is awaited: [`Ledger::trust_clock`].
    ClockAhead {
        /// By so many days.
        days: u64,
    },
    /// An epoch or heartbeat is in the log and signed. So many labels changed.
    Epoch {
        /// The size of the log.
        size: u64,
        /// The epoch.
        epoch: u64,
        /// Labels that changed; 0 in a heartbeat.
        labels: u64,
    },
}

/// Whoever appends, and what it knows of the end of the log.
pub(super) struct Sequencer {
    rows: Rows,
    directory: Akd,
    size: u64,
    last: Option<KtEpoch>,
    /// What the clock showed when this process appended last. Ledger time may be ahead of it.
    beat_ms: Option<u64>,
    /// Where the next marks are read from, so that none waits behind busier ones.
    after: Option<Mark>,
    asked: Option<Policy>,
}

/// What an epoch brings, before it is written.
struct Epoch {
    kt: KtEpoch,
    blob: Option<Bytes>,
    rows: DirectoryRows,
}

impl Sequencer {
    /// At the end of what the store holds.
    pub(super) async fn open(
        store: &Arc<dyn LedgerStorage>,
        vrf: &VrfKey,
        size: u64,
        newest: Option<Logged>,
    ) -> Result<Self, LedgerError> {
        let rows = Rows::writer(Arc::clone(store));
        let directory = open_directory(rows.clone(), vrf).await?;
        let last = newest.map(|newest| newest.epoch);
        let there = directory.get_epoch_hash().await.map_err(|_| LedgerError::Directory)?;
        // They are written together: if they differ, somebody put two stores into one.
        if last.as_ref().is_some_and(|last| (last.epoch, last.root) != (there.0, there.1)) {
            return Err(LedgerError::Directory);
        }
        Ok(Self { rows, directory, size, last, beat_ms: None, after: None, asked: None })
    }

    /// With the policy that the operator's file asks for.
    pub(super) fn asking_for(self, policy: Policy) -> Self {
        Self { asked: Some(policy), ..self }
    }

    /// Ledger time of what is written now: the clock's, or while that is behind, the last one again. So an hour for which
    /// the clock was ahead costs an hour of ledger time, and nobody waits.
    fn time_ms(&self, now_ms: u64) -> u64 {
        self.last.as_ref().map_or(now_ms, |last| last.time_ms.max(now_ms))
    }

    /// Whether a heartbeat is due.
    fn is_due(&self, now_ms: u64) -> bool {
        let since = self.beat_ms.or(self.last.as_ref().map(|last| last.time_ms));
        since.is_none_or(|since| now_ms.abs_diff(since) >= HEARTBEAT_MS)
    }
}

impl Ledger {
    /// Publishes what waits, as one epoch: its labels, its audit proof, its entry; then signs.
    ///
    /// Call it every few seconds, on a thread that may compute: a full epoch takes a quarter of a second of it. The time
    /// is the system's. One call works at a time; a second one waits for it.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was signed, and the next call goes on from what the store holds.
    pub async fn publish(&self, now_ms: u64) -> Result<Published, LedgerError> {
        self.publish_with(Vec::new(), now_ms).await
    }

    /// The clock is right however far it is from the last epoch: the operator says so. Holds for one epoch.
    pub fn trust_clock(&self) {
        self.0.clock_is_right.store(true, Ordering::Relaxed);
    }

    /// The same, with entries that an operator has to log: releases, notes. They stand once this says
    /// [`Published::Epoch`]; one that is among the newest of the log already is not written twice. Epochs and the
    /// hours' disclosures are nobody's to hand in.
    ///
    /// # Errors
    /// [`LedgerError`]; [`LedgerError::Form`] for an entry that may not be written.
    pub async fn publish_with(
        &self,
        entries: Vec<Entry>,
        now_ms: u64,
    ) -> Result<Published, LedgerError> {
        if entries.iter().any(|entry| matches!(entry, Entry::Epoch(_) | Entry::Disclosure(_))) {
            return Err(LedgerError::Form);
        }
        let mut sequencer = self.0.sequencer.lock().await;
        let published = self.0.publish(&mut sequencer, entries, now_ms).await;
        if published.is_err() {
            // What was written over the rows, and perhaps not stored, is forgotten.
            let size = self.0.store.size().await?;
            let newest = super::newest_epoch(&*self.0.store, size).await?;
            let asked = sequencer.asked.take();
            let fresh = Sequencer::open(&self.0.store, &self.0.vrf, size, newest.clone()).await?;
            *sequencer = Sequencer { asked, ..fresh };
            if let Some(newest) = newest {
                self.0.sign(size, newest, now_ms).await?;
            }
        }
        published
    }
}

impl Inner {
    async fn publish(
        &self,
        sequencer: &mut Sequencer,
        entries: Vec<Entry>,
        now_ms: u64,
    ) -> Result<Published, LedgerError> {
        if !self.is_newest_served() {
            self.serve_newest(now_ms).await?;
            if !self.is_newest_served() {
                self.count_waiting().await?;
                return Ok(Published::Waiting);
            }
        }
        let ahead_ms = now_ms.saturating_sub(sequencer.last.as_ref().map_or(now_ms, |l| l.time_ms));
        if ahead_ms > JUMP_MS && !self.clock_is_right.swap(false, Ordering::Relaxed) {
            self.count_waiting().await?;
            return Ok(Published::ClockAhead { days: ahead_ms / DAY_MS });
        }
        let marks = self.read_marks(sequencer).await?;
        let mut notes = Vec::new();
        let governance = self.announce(sequencer, now_ms, &mut notes).await?;
        let mut all: Vec<Entry> = governance.into_iter().map(Entry::Governance).collect();
        all.extend(
            self.disclosures(sequencer.last.as_ref(), sequencer.time_ms(now_ms), &mut notes)
                .await?,
        );
        all.extend(self.not_yet_logged(sequencer, entries).await?);
        // A note alone, a no to a claim, is written with an epoch too: it stands with the log or not at all.
        let is_wanted = !(all.is_empty() && notes.is_empty());
        let epoch = self.epoch(sequencer, &marks, is_wanted, now_ms).await?;
        let Some(epoch) = epoch else {
            // Marks of what is published already, from before a crash.
            self.marks.unmark(marks).await?;
            self.count_waiting().await?;
            return Ok(Published::Nothing);
        };
        let labels = epoch.kt.labels;
        sequencer.beat_ms = Some(now_ms);
        let logged = self.append(sequencer, all, epoch, notes).await?;
        let (size, epoch) = (sequencer.size, logged.epoch.epoch);
        self.sign(size, logged, now_ms).await?;
        self.marks.unmark(marks).await?;
        self.count_waiting().await?;
        Ok(Published::Epoch { size, epoch, labels })
    }

    /// Those that are not among the newest entries: whoever hands one in again after a crash logs it once.
    async fn not_yet_logged(
        &self,
        sequencer: &Sequencer,
        entries: Vec<Entry>,
    ) -> Result<Vec<Entry>, LedgerError> {
        if entries.is_empty() {
            return Ok(entries);
        }
        let from = sequencer.size.saturating_sub(LOOK_BACK as u64);
        let newest = self.store.entries(from, LOOK_BACK).await?;
        let is_new = |entry: &Entry| {
            entry.encode().is_ok_and(|bytes| !newest.iter().any(|there| **there == *bytes))
        };
        Ok(entries.into_iter().filter(is_new).collect())
    }

    async fn count_waiting(&self) -> Result<(), LedgerError> {
        let waiting = self.marks.marks(None, EPOCH_LABELS).await?.len();
        self.waiting.store(waiting as u64, Ordering::Relaxed);
        Ok(())
    }

    fn is_newest_served(&self) -> bool {
        let state = self.state();
        match (&state.newest, &state.served) {
            (None, _) => true,
            (Some((newest, _)), Some(served)) => newest.head() == served.head(),
            (Some(_), None) => false,
        }
    }

    async fn read_marks(&self, sequencer: &mut Sequencer) -> Result<Vec<Mark>, LedgerError> {
        let mut marks = self.marks.marks(sequencer.after, EPOCH_LABELS).await?;
        if marks.len() < EPOCH_LABELS && sequencer.after.is_some() {
            // To the end, and on from the beginning; what is read twice is published once.
            marks.extend(self.marks.marks(None, EPOCH_LABELS - marks.len()).await?);
            marks.sort_unstable();
            marks.dedup();
            sequencer.after = None;
        } else {
            sequencer.after = marks.last().copied().filter(|_| marks.len() == EPOCH_LABELS);
        }
        Ok(marks)
    }

    /// What the log has to say beside the epoch: a new policy, the token keys of a new day.
    async fn announce(
        &self,
        sequencer: &mut Sequencer,
        now_ms: u64,
        notes: &mut Vec<(Note, Bytes)>,
    ) -> Result<Vec<Governance>, LedgerError> {
        let mut all = Vec::new();
        let today = Day::of_ms(now_ms);
        let mut keys = self.token_keys().await?;
        // A day ahead, so that at its beginning nobody waits for the log.
        for day in [today, Day(today.0.saturating_add(1))] {
            if keys.index(day).is_none() {
                let index = sequencer.size.saturating_add(all.len() as u64);
                let begins = u64::from(day.0).saturating_mul(DAY_MS).max(now_ms);
                let document = self.tokens.document(day);
                all.push(Governance::with_document(GovernanceKind::Tokens, document, begins));
                keys.announced(day, index);
            }
        }
        if !all.is_empty() {
            notes.push((Note::TokenDay, keys.to_note().into()));
        }
        let first = sequencer.size.saturating_add(all.len() as u64);
        all.extend(self.claims(first, sequencer.time_ms(now_ms), notes));
        let mut policies = self.state().policies.clone();
        let asked = sequencer.asked.as_ref();
        let new = asked.filter(|asked| {
            policies.newest().is_none_or(|newest| newest.text != asked.to_string())
        });
        if let Some(policy) = new {
            let index = sequencer.size.saturating_add(all.len() as u64);
            all.push(policies.announce(policy, index, sequencer.time_ms(now_ms)));
        }
        if new.is_some() || self.store.note(Note::Policies).await?.is_none() {
            notes.push((Note::Policies, policies.to_note().into()));
        }
        Ok(all)
    }

    /// The directory's next epoch, or a heartbeat; nothing if none is due.
    async fn epoch(
        &self,
        sequencer: &Sequencer,
        marks: &[Mark],
        needed: bool,
        now_ms: u64,
    ) -> Result<Option<Epoch>, LedgerError> {
        const DAMAGED: LedgerError = LedgerError::Directory;
        // Of several marks of a subject the last one counts: they are sorted.
        let newest: BTreeMap<Subject, [u8; 32]> =
            marks.iter().map(|mark| (mark.subject, mark.value)).collect();
        let before = sequencer.directory.get_epoch_hash().await.map_err(|_| DAMAGED)?;
        let after = if newest.is_empty() {
            EpochHash(before.0, before.1)
        } else {
            let label_of = |subject| label(&self.deployment, subject);
            let updates = newest.iter().map(|(s, value)| (label_of(s), AkdValue(value.to_vec())));
            sequencer.directory.publish(updates.collect()).await.map_err(|_| DAMAGED)?
        };
        let changed = after.0 != before.0;
        if !changed && !sequencer.is_due(now_ms) && !needed {
            return Ok(None);
        }
        let blob = if changed {
            let proof = sequencer.directory.audit(before.0, after.0).await.map_err(|_| DAMAGED)?;
            let proof = proof.proofs.first().ok_or(DAMAGED)?;
            let blob = AuditBlob::new(before.1, after.1, before.0, proof).map_err(|_| DAMAGED)?;
            Some(Bytes::from(blob.data))
        } else {
            None
        };
        let rows = sequencer.rows.take();
        let kt = KtEpoch {
            epoch: after.0,
            root: after.1,
            previous_root: before.1,
            labels: rows.versions.len() as u64,
            audit_blob: blob.as_ref().map(|blob| Sha256::digest(blob).into()),
            vrf_key: Sha256::digest(&self.vrf_public).into(),
            time_ms: sequencer.time_ms(now_ms),
        };
        Ok(Some(Epoch { kt, blob, rows }))
    }

    /// One durable batch: the entries, the epoch's own last.
    async fn append(
        &self,
        sequencer: &mut Sequencer,
        mut entries: Vec<Entry>,
        epoch: Epoch,
        notes: Vec<(Note, Bytes)>,
    ) -> Result<Logged, LedgerError> {
        entries.push(Entry::Epoch(epoch.kt.clone()));
        let entries = entries
            .iter()
            .map(|entry| entry.encode().map(Bytes::from))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| LedgerError::Form)?;
        let leaves: Vec<[u8; 32]> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let size = sequencer.size.saturating_add(leaves.len() as u64);
        let entry = entries.last().cloned().unwrap_or_default();
        let blob = epoch.kt.audit_blob.zip(epoch.blob);
        let append = LogAppend {
            at: sequencer.size,
            hashes: tiles::appended(&*self.store, sequencer.size, &leaves).await?,
            entries,
            blobs: blob.into_iter().collect(),
            notes,
            directory: epoch.rows,
        };
        let policies = append.notes.iter().find(|(note, _)| *note == Note::Policies).cloned();
        let handles = append.notes.iter().find(|(note, _)| *note == Note::Handles);
        let handles = handles.and_then(|(_, note)| super::Handles::from_note(note));
        // Before the rows change: who proves by the epoch before the last must see it.
        self.written_epoch.store(epoch.kt.epoch, Ordering::SeqCst);
        match self.store.append(append).await? {
            Appended::Done => {}
            Appended::Moved => return Err(LedgerError::SomebodyElse),
        }
        if let Some(handles) = handles {
            self.state().handles = handles;
        }
        if let Some((_, note)) = policies {
            let read = super::Policies::from_note(&note).ok_or(LedgerError::Form)?;
            self.state().policies = read;
        }
        sequencer.size = size;
        sequencer.last = Some(epoch.kt.clone());
        Ok(Logged { epoch: epoch.kt, entry, index: size.saturating_sub(1) })
    }
}
