// SPDX-License-Identifier: AGPL-3.0-or-later
//! What an auditor holds of a log, and what it finds in the next entry. Decides; reads no socket and no file.
//!
//! Each epoch of the directory goes through two verifiers that share no code, akd's and
//! [`nodoor_transparency::audit`]: a fault in one does not blind it. If they ever disagree, nothing is cosigned.
//!
//! Spec: `docs/book/ledger.md`, 1, 2, 5.

use std::collections::BTreeMap;

use akd::WhatsAppV1Configuration;
use akd_core::proto::specs::types;
use nodoor_transparency::{
    audit,
    handover::{Claimed, HANDOVER_WAIT_MS},
    ledger::{
        checkpoint::{Relation, SignedCheckpoint},
        disclosure::Cadence,
        entry::{Entry, EpochError, GovernanceKind, KtEpoch, Release},
        evidence::Evidence,
        note::VerifierKey,
        proof::ProofFile,
        tree::{Growth, Hash, leaf_hash},
    },
    release::{Builders, may_be_logged},
};
use protobuf::Message as _;
use serde::{Deserialize, Serialize};

use super::files::hex;

/// A `KT_EPOCH` may be this far ahead of the auditor's clock, milliseconds.
const AHEAD_MS: u64 = 60_000;

/// So far ahead of its clock a server logs nothing unless it is told to: days of keys may lie so far behind.
const DAYS_BEHIND: u64 = 30;
const DAY_MS: u64 = 24 * 3_600_000;

/// How far an auditor came.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// All entries so far.
    pub(crate) growth: Growth,
    /// The newest `KT_EPOCH`.
    pub(crate) epoch: Option<KtEpoch>,
    /// Its index and bytes.
    pub(crate) epoch_at: Option<(u64, Vec<u8>)>,
    /// The newest release of each kind.
    releases: BTreeMap<String, Release>,
    /// Which hour's disclosure entry is next; from the first epoch on.
    cadence: Option<Cadence>,
    /// The token key announced for each day. Days may come in any order: a clock that was ahead announced some early.
    token_keys: BTreeMap<u32, Hash>,
    /// Days announced since the newest `KT_EPOCH`, which are held against the next one's.
    token_days: Vec<u32>,
    /// From when handles claimed since the newest `KT_EPOCH` may move: held against the next one's time.
    handle_dates: Vec<u64>,
}

/// What is wrong.
#[derive(Debug)]
pub(crate) enum Finding {
    /// A rule is broken; a sentence for people.
    Broken(String),
    /// Provable, once both epochs' proofs of inclusion are there.
    Epochs(Fault),
    /// Proved.
    Proof(String, Box<Evidence>),
}

/// What two epochs can prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// One epoch, two roots.
    Reuse,
    /// Not only added.
    Append,
}

/// One log, one run.
pub(crate) struct Auditor {
    log: VerifierKey,
    builders: Builders,
    progress: Progress,
    now_ms: u64,
}

impl Auditor {
    /// Goes on from `progress`. `now_ms`: milliseconds since 1970.
    pub(crate) fn new(
        log: VerifierKey,
        builders: Builders,
        progress: Progress,
        now_ms: u64,
    ) -> Self {
        Self { log, builders, progress, now_ms }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    pub(crate) fn into_progress(self) -> Progress {
        self.progress
    }

    /// Whether the two checkpoints are of one size and two trees.
    pub(crate) fn against(
        &self,
        last: &SignedCheckpoint,
        shown: &SignedCheckpoint,
    ) -> Option<Finding> {
        (last.head().relation(&shown.head()) == Relation::Fork)
            .then(|| self.equivocation(last, shown, Vec::new()))?
    }

    /// Two checkpoints that no one log has, if these show it.
    pub(crate) fn equivocation(
        &self,
        last: &SignedCheckpoint,
        shown: &SignedCheckpoint,
        subtrees: Vec<Hash>,
    ) -> Option<Finding> {
        let checkpoints = [last.clone(), shown.clone()];
        let evidence = Evidence::Equivocation { log: self.log.clone(), checkpoints, subtrees };
        proven("the log signed two different versions of itself", evidence)
    }

    /// The hash of the blob that this entry needs.
    pub(crate) fn blob_of(&self, entry: &[u8]) -> Option<[u8; 32]> {
        match Entry::decode(entry) {
            Ok(Entry::Epoch(epoch)) => epoch.audit_blob,
            _ => None,
        }
    }

    /// Takes the next entry, if it may stand there.
    pub(crate) async fn entry(&mut self, bytes: &[u8], blob: Option<&[u8]>) -> Result<(), Finding> {
        let index = self.progress.growth.size();
        let broken = |why: &str| Finding::Broken(format!("entry {index}: {why}"));
        match Entry::decode(bytes).map_err(|error| broken(&error.to_string()))? {
            Entry::Epoch(epoch) => {
                self.epoch(&epoch, blob).await.map_err(|finding| match finding {
                    Finding::Broken(why) => broken(&why),
                    finding => finding,
                })?;
                let time_ms = epoch.time_ms;
                if !self.progress.token_days.drain(..).all(|day| is_near(day, time_ms)) {
                    return Err(broken(
                        "a token key of a day that is neither this one nor the next",
                    ));
                }
                let may_move = time_ms.saturating_add(HANDOVER_WAIT_MS);
                if !self.progress.handle_dates.drain(..).all(|date| date >= may_move) {
                    return Err(broken("a handle that may move before seven days have gone by"));
                }
                let cadence = self.progress.cadence.get_or_insert(Cadence::begins(time_ms));
                cadence.holds(time_ms).map_err(|error| broken(&error.to_string()))?;
                self.progress.epoch = Some(epoch);
                self.progress.epoch_at = Some((index, bytes.to_vec()));
            }
            Entry::Release(release) => self.release(release).map_err(|why| broken(&why))?,
            Entry::Disclosure(disclosure) => {
                let cadence = self.progress.cadence.as_mut();
                let cadence = cadence.ok_or_else(|| broken("a disclosure before any epoch"))?;
                cadence.take(&disclosure).map_err(|error| broken(&error.to_string()))?;
            }
            Entry::Governance(entry) => {
                let before = self.progress.epoch.as_ref().map(|epoch| epoch.time_ms);
                if before.is_some_and(|time_ms| !entry.is_in_time(time_ms)) {
                    return Err(broken("a policy that holds before seven days have gone by"));
                }
                if entry.kind == GovernanceKind::Tokens {
                    self.token_key(entry.document.as_deref()).map_err(broken)?;
                }
                if entry.kind == GovernanceKind::Handle {
                    let date = entry.takes_effect_ms;
                    let claimed = Claimed::of_entry(&Entry::Governance(entry));
                    claimed.ok_or_else(|| broken("a claim of a handle that is none"))?;
                    self.progress.handle_dates.push(date);
                }
            }
        }
        self.progress.growth.push(leaf_hash(bytes));
        Ok(())
    }

    async fn epoch(&self, epoch: &KtEpoch, blob: Option<&[u8]>) -> Result<(), Finding> {
        let broken = |why: &str| Finding::Broken(why.to_owned());
        if epoch.time_ms > self.now_ms.saturating_add(AHEAD_MS) {
            return Err(broken("an epoch of the future"));
        }
        match &self.progress.epoch {
            None => epoch.may_be_first().map_err(|error| {
                broken(&format!("its first epoch cannot be the first of a log: {error}"))
            })?,
            Some(before) => match epoch.may_follow(before) {
                Ok(()) => {}
                Err(EpochError::Number)
                    if before.epoch == epoch.epoch && before.root != epoch.root =>
                {
                    return Err(Finding::Epochs(Fault::Reuse));
                }
                Err(EpochError::Root) => return Err(Finding::Epochs(Fault::Append)),
                Err(error) => return Err(broken(&error.to_string())),
            },
        }
        if epoch.is_heartbeat() {
            return Ok(());
        }
        let blob = blob.ok_or_else(|| broken("its audit blob is missing"))?;
        let ours = audit::verify(epoch, blob);
        if ours == Err(audit::AuditError::OtherBlob) {
            return Err(broken("the blob that is served is not the one that the entry names"));
        }
        let theirs = akd_verifies(epoch, blob).await;
        match (ours, theirs) {
            (Ok(()), true) => Ok(()),
            (Err(_), false) => Err(Finding::Epochs(Fault::Append)),
            _ => Err(broken("the two verifiers disagree about its audit proof; report this")),
        }
    }

    /// One key a day for everybody: with two of one day a server could give somebody a key of their own.
    fn token_key(&mut self, document: Option<&[u8]>) -> Result<(), &'static str> {
        let document = document.filter(|document| document.len() == 36);
        let (day, key) = document.and_then(|document| document.split_first_chunk()).unzip();
        let day = day.copied().map(u32::from_be_bytes);
        let key = key.and_then(|key| Hash::try_from(key).ok());
        let (Some(day), Some(key)) = (day, key) else {
            return Err("a token key that is none");
        };
        self.progress.token_days.push(day);
        // The same once more gives nobody a key of their own.
        match *self.progress.token_keys.entry(day).or_insert(key) == key {
            true => Ok(()),
            false => Err("a second key for one day's anonymous tokens"),
        }
    }

    fn release(&mut self, release: Release) -> Result<(), String> {
        let kind = release.kind.name().to_owned();
        if !self.builders.all().is_empty() {
            let time = self.progress.epoch.as_ref().map_or(0, |epoch| epoch.time_ms);
            may_be_logged(&release, self.progress.releases.get(&kind), &self.builders, time)
                .map_err(|error| error.to_string())?;
        }
        self.progress.releases.insert(kind, release);
        Ok(())
    }

    /// The evidence, now that the proofs of both epochs are there.
    pub(crate) fn with_proofs(
        &self,
        finding: Finding,
        proofs: Option<[ProofFile; 2]>,
        blob: Option<&[u8]>,
    ) -> Finding {
        let Finding::Epochs(fault) = finding else { return finding };
        let log = self.log.clone();
        let (hint, evidence) = match (fault, proofs) {
            (Fault::Reuse, Some(epochs)) => {
                ("two roots of one epoch", Evidence::EpochReuse { log, epochs })
            }
            (Fault::Append, Some(epochs)) => {
                let blob = blob.unwrap_or_default().to_vec();
                ("an epoch does not only add", Evidence::BadAppend { log, epochs, blob })
            }
            (_, None) => {
                return Finding::Broken("the first epoch's audit proof does not verify".to_owned());
            }
        };
        proven(hint, evidence).unwrap_or_else(|| Finding::Broken(hint.to_owned()))
    }
}

/// Whether a key may be announced with an epoch of this time: its day's or the next one's, so that there is no day for
/// each account. A clock that was ahead and set back announces days that are over.
fn is_near(day: u32, time_ms: u64) -> bool {
    let (day, today) = (u64::from(day), time_ms / DAY_MS);
    day <= today.saturating_add(1) && day.saturating_add(DAYS_BEHIND) >= today
}

/// Only what anyone can check is called a proof.
fn proven(hint: &str, evidence: Evidence) -> Option<Finding> {
    use nodoor_transparency::ledger::evidence::Verdict;
    matches!(evidence.check(), Verdict::Proven(_))
        .then(|| Finding::Proof(hint.to_owned(), Box::new(evidence)))
}

async fn akd_verifies(epoch: &KtEpoch, blob: &[u8]) -> bool {
    let Some(before) = epoch.epoch.checked_sub(1) else { return false };
    let Ok(proof) = types::SingleAppendOnlyProof::parse_from_bytes(blob) else { return false };
    let Ok(proof) = akd::SingleAppendOnlyProof::try_from(&proof) else { return false };
    let proof = akd::AppendOnlyProof { proofs: vec![proof], epochs: vec![before] };
    let roots = vec![epoch.previous_root, epoch.root];
    akd::auditor::audit_verify::<WhatsAppV1Configuration>(roots, proof).await.is_ok()
}

/// Progress and the checkpoint it was made under, as they stand in the state folder.
#[derive(Serialize, Deserialize)]
struct Stored {
    size: u64,
    peaks: Vec<Hash>,
    epoch: Option<(u64, Vec<u8>)>,
    releases: Vec<Vec<u8>>,
    next_hour: Option<u64>,
    #[serde(default)]
    token_keys: BTreeMap<u32, Hash>,
    #[serde(default)]
    token_days: Vec<u32>,
    #[serde(default)]
    handle_dates: Vec<u64>,
    checkpoint: String,
}

impl Progress {
    pub(crate) fn to_vec(&self, checkpoint: &SignedCheckpoint) -> Vec<u8> {
        let releases = self.releases.values();
        let stored = Stored {
            size: self.growth.size(),
            peaks: self.growth.peaks().to_vec(),
            epoch: self.epoch_at.clone(),
            releases: releases
                .filter_map(|release| Entry::Release(release.clone()).encode().ok())
                .collect(),
            next_hour: self.cadence.as_ref().map(Cadence::next_hour),
            token_keys: self.token_keys.clone(),
            token_days: self.token_days.clone(),
            handle_dates: self.handle_dates.clone(),
            checkpoint: checkpoint.note().to_string(),
        };
        // Numbers, lists and a text: there is nothing in it that cannot be written.
        serde_json::to_vec(&stored).unwrap_or_default()
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<(Self, SignedCheckpoint)> {
        let stored: Stored = serde_json::from_slice(bytes).ok()?;
        let checkpoint = SignedCheckpoint::parse(stored.checkpoint.as_bytes()).ok()?;
        let growth = Growth::of(stored.size, stored.peaks)?;
        if (growth.size(), growth.root()) != (checkpoint.head().size, checkpoint.head().root) {
            return None;
        }
        let epoch = match &stored.epoch {
            Some((_, bytes)) => match Entry::decode(bytes).ok()? {
                Entry::Epoch(epoch) => Some(epoch),
                _ => return None,
            },
            None => None,
        };
        let mut releases = BTreeMap::new();
        for bytes in stored.releases {
            let Entry::Release(release) = Entry::decode(&bytes).ok()? else { return None };
            releases.insert(release.kind.name().to_owned(), release);
        }
        let cadence = stored.next_hour.map(Cadence::at);
        let progress = Self {
            growth,
            epoch,
            epoch_at: stored.epoch,
            releases,
            cadence,
            token_keys: stored.token_keys,
            token_days: stored.token_days,
            handle_dates: stored.handle_dates,
        };
        Some((progress, checkpoint))
    }

    /// For a line of output.
    pub(crate) fn root_hex(&self) -> String {
        hex(&self.growth.root())
    }
}

#[cfg(test)]
mod tests {
    use nodoor_transparency::directory;
    use nodoor_transparency::ledger::{entry::Governance, note::NoteSigner};
    use nodoor_wire::id::AccountId;

    use super::*;

    async fn take(auditor: &mut Auditor, day: u32, key: u8) -> Result<(), Finding> {
        let document = [day.to_be_bytes().as_slice(), &[key; 32]].concat();
        let entry = Governance::with_document(GovernanceKind::Tokens, document, 0);
        auditor.entry(&Entry::Governance(entry).encode().unwrap(), None).await
    }

    #[tokio::test]
    async fn a_second_token_key_of_a_day_is_found() {
        let log = NoteSigner::log("nodoor/test", [7; 32]).unwrap().verifier().clone();
        let mut auditor = Auditor::new(log, Builders::default(), Progress::default(), 0);
        for day in [20_000, 20_001, 20_003] {
            take(&mut auditor, day, 1).await.unwrap();
        }
        // A clock that was ahead announced days early, and perhaps the same key again.
        for (day, key) in [(20_002, 5), (20_003, 1)] {
            take(&mut auditor, day, key).await.unwrap();
        }
        for (day, key) in [(20_003, 2), (20_002, 1), (20_001, 9)] {
            let found = take(&mut auditor, day, key).await;
            assert!(matches!(found, Err(Finding::Broken(why)) if why.contains("second key")));
        }
        take(&mut auditor, 20_004, 2).await.unwrap();
    }

    #[tokio::test]
    async fn a_day_for_each_account_is_found() {
        // Keys of days to come, each logged once: whoever is told another day than others is known by it.
        let log = NoteSigner::log("nodoor/test", [7; 32]).unwrap().verifier().clone();
        let now_ms = 20_000 * DAY_MS;
        for (days, honest) in
            [([19_999, 20_000], true), ([20_000, 20_001], true), ([20_001, 20_002], false)]
        {
            let mut auditor =
                Auditor::new(log.clone(), Builders::default(), Progress::default(), now_ms);
            for day in days {
                take(&mut auditor, day, 1).await.unwrap();
            }
            let found = auditor.entry(&heartbeat(now_ms), None).await;
            assert_eq!(found.is_ok(), honest, "{days:?}");
        }
    }

    fn heartbeat(time_ms: u64) -> Vec<u8> {
        let root = directory::empty_root();
        let epoch = KtEpoch {
            epoch: 0,
            root,
            previous_root: root,
            labels: 0,
            audit_blob: None,
            vrf_key: [1; 32],
            time_ms,
        };
        Entry::Epoch(epoch).encode().unwrap()
    }

    #[tokio::test]
    async fn a_log_that_begins_in_the_middle_is_found() {
        let log = NoteSigner::log("nodoor/test", [7; 32]).unwrap().verifier().clone();
        for (number, honest) in [(0, true), (5, false)] {
            let Ok(Entry::Epoch(epoch)) = Entry::decode(&heartbeat(0)) else { panic!("no epoch") };
            let epoch = KtEpoch { epoch: number, ..epoch };
            let auditor = Auditor::new(log.clone(), Builders::default(), Progress::default(), 0);
            let found = auditor.epoch(&epoch, None).await;
            match found {
                Ok(()) => assert!(honest, "{number}"),
                Err(Finding::Broken(why)) => {
                    assert!(!honest && why.contains("cannot be the first"), "{number}: {why}");
                }
                Err(_) => panic!("{number}"),
            }
        }
    }

    #[tokio::test]
    async fn a_handle_that_may_move_within_the_week_is_found() {
        let log = NoteSigner::log("nodoor/test", [7; 32]).unwrap().verifier().clone();
        let (before_ms, now_ms) = (20_000 * DAY_MS, 20_000 * DAY_MS + DAY_MS / 48);
        let claim = Claimed { handle: [1; 32], account: AccountId([2; 16]) };
        let document = claim.entry(0).document.unwrap();
        let week = 7 * DAY_MS;
        for (date, document, honest) in [
            (now_ms + week, document.clone(), true),
            (now_ms + week + 1, document.clone(), true),
            (now_ms + week - 1, document.clone(), false),
            // By the epoch that stands behind it, as clients count.
            (before_ms + week, document.clone(), false),
            (0, document, false),
            (now_ms + week, b"none".to_vec(), false),
        ] {
            let mut auditor =
                Auditor::new(log.clone(), Builders::default(), Progress::default(), now_ms);
            auditor.entry(&heartbeat(before_ms), None).await.unwrap();
            let entry = Governance::with_document(GovernanceKind::Handle, document, date);
            let found = async {
                auditor.entry(&Entry::Governance(entry).encode().unwrap(), None).await?;
                auditor.entry(&heartbeat(now_ms), None).await
            };
            let found = found.await;
            assert_eq!(found.is_ok(), honest, "{date} {found:?}");
        }
    }
}
