// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger's writer: one sequencer that publishes the directory's epochs, appends their entries, signs, and serves the
//! newest checkpoint that satisfies the policy.
//!
//! What this room knows: labels, hashes, its own keys. Which label is whose it knows (it computes the VRF) and shows to
//! nobody but by a proof about the label that was asked for.
//!
//! **What survives a crash.** An epoch is one durable append: tree, audit blob, entry, tile hashes (`storage::ledger`).
//! Before it, nothing happened, and the marks still stand. After it, the size is promised, the checkpoint signed, the marks
//! taken away; where that did not happen it happens at the next start: a mark published twice changes nothing, and a
//! checkpoint over the same entries is the same text. Nothing else is ever signed.
//!
//! The walk: an app calls [`Ledger::open`], hands it to [`crate::Server`], calls [`Ledger::publish`] again and again and
//! carries [`Ledger::offer`] to the witnesses; `server` and `accounts` ask it for proofs.
//!
//! Carries out `docs/book/ledger.md`, 1 to 3.

mod deadline;
mod disclosures;
mod files;
mod handles;
mod keys;
mod policies;
mod publish;
mod record;
mod requests;
pub(crate) mod rows;
mod served;
mod tiles;
mod token_keys;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use bytes::Bytes;
use nodoor_transparency::ledger::{
    checkpoint::{SignedCheckpoint, TreeHead, origin},
    entry::{Entry, KtEpoch},
    note::{NoteSigner, VerifierKey},
    policy::{Policy, PolicyError},
};
use nodoor_wire::id::DeploymentId;
use sha2::{Digest as _, Sha256};

pub use crate::ledger::{
    files::{Cosigned, File, Offer},
    keys::LedgerKeys,
    publish::{EPOCH_LABELS, Published},
};
use crate::{
    ledger::{
        disclosures::Disclosures, handles::Handles, keys::VrfKey, policies::Policies,
        publish::Sequencer, served::Served,
    },
    storage::{
        StorageError,
        directory::Marks,
        ledger::{LedgerStorage, Note},
    },
};

/// Entries that are looked through, from the newest back, for the newest epoch.
const LOOK_BACK: u64 = 10_000;

/// The ledger does not open, or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The store is an old copy. Signing on top of it would fork the log.
    #[error(
        "the ledger holds {size} entries, and checkpoints over {promised} were signed; it goes forward only: bring the \
         missing entries back from a mirror or a newer backup of the folder `ledger`, and do not remove the file `signed`"
    )]
    Behind {
        /// Entries there are.
        size: u64,
        /// Entries that were signed over.
        promised: u64,
    },
    /// Another process appends to the same ledger.
    #[error("somebody else writes to this ledger")]
    SomebodyElse,
    /// A key is none, or not the one that the ledger was begun with.
    #[error("the keys are not those of this ledger")]
    Keys,
    /// The policy's file.
    #[error("the ledger policy is not read: {0}")]
    Policy(#[from] PolicyError),
    /// The policy names another log, or drops a quorum that there was.
    #[error("the ledger policy {0}")]
    PolicyRefused(&'static str),
    /// The directory's library refused, or the store's rows do not fit together. Restore a newer backup.
    #[error("the directory is damaged")]
    Directory,
    /// The log has as many cosignatures as a note may carry, or an entry is too long. A bug.
    #[error("the ledger could not be written down")]
    Form,
}

/// Numbers for an operator. No names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LedgerStatistics {
    /// Entries.
    pub size: u64,
    /// Entries under the checkpoint that is served; 0 while none is.
    pub served_size: u64,
    /// Ledger time of that checkpoint, milliseconds since 1970.
    pub served_time_ms: u64,
    /// Epochs of the directory.
    pub epoch: u64,
    /// Changes of labels that wait, up to those of one epoch.
    pub waiting: u64,
}

/// The ledger. A clone is the same ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    deployment: DeploymentId,
    store: Arc<dyn LedgerStorage>,
    marks: Arc<dyn Marks>,
    log: NoteSigner,
    vrf: VrfKey,
    vrf_public: Bytes,
    /// Taken by whoever appends: one at a time.
    sequencer: tokio::sync::Mutex<Sequencer>,
    state: Mutex<State>,
    /// Taken by whoever serves another checkpoint.
    serving: tokio::sync::Mutex<()>,
    /// The epoch that the store is at or about to be at: a proof of an epoch two before it may be wrong.
    written_epoch: AtomicU64,
    waiting: AtomicU64,
    clock_is_right: AtomicBool,
    tokens: crate::anonymous::Tokens,
    disclosures: Disclosures,
    handles_wanted: handles::Wanted,
}

/// What is known beside the store.
struct State {
    policies: Policies,
    /// Handles that were claimed, and those that moved.
    handles: Handles,
    /// The newest checkpoint, with the cosignatures so far, and the newest epoch under it.
    newest: Option<(SignedCheckpoint, Logged)>,
    served: Option<Arc<Served>>,
}

/// An epoch in the log.
#[derive(Clone)]
struct Logged {
    epoch: KtEpoch,
    entry: Bytes,
    index: u64,
}

impl Ledger {
    /// Opens the ledger of a deployment.
    ///
    /// `policy` is the operator's file, or nothing: then the log's own signature is enough, and clients say
    /// "unwitnessed". A file without a `log` line means this log. A file other than the last one is announced by the next
    /// [`Ledger::publish`] and is in force seven days later.
    ///
    /// # Errors
    /// [`LedgerError`]; [`LedgerError::Behind`] for an old copy.
    pub async fn open(
        deployment: DeploymentId,
        store: Arc<dyn LedgerStorage>,
        marks: Arc<dyn Marks>,
        keys: LedgerKeys,
        policy: Option<&str>,
        now_ms: u64,
    ) -> Result<Self, LedgerError> {
        let (size, promised) = (store.size().await?, store.promised().await?);
        if size < promised {
            return Err(LedgerError::Behind { size, promised });
        }
        let log =
            NoteSigner::log(&origin(&deployment), *keys.log).map_err(|_| LedgerError::Keys)?;
        let vrf = VrfKey::new(keys.vrf);
        let vrf_public = Bytes::from(vrf.public().map_err(|_| LedgerError::Keys)?);
        let newest = newest_epoch(&*store, size).await?;
        let vrf_hash: [u8; 32] = Sha256::digest(&vrf_public).into();
        if newest.as_ref().is_some_and(|newest| newest.epoch.vrf_key != vrf_hash) {
            return Err(LedgerError::Keys);
        }

        let asked = own_policy(log.verifier(), policy)?;
        let policies = match store.note(Note::Policies).await? {
            Some(note) => Policies::from_note(&note).ok_or(LedgerError::Directory)?,
            None => Policies::first(&asked),
        };
        let handles = match store.note(Note::Handles).await? {
            Some(note) => Handles::from_note(&note).ok_or(LedgerError::Directory)?,
            None => Handles::default(),
        };
        let last = policies.newest().and_then(|last| Policy::parse(last.text.as_bytes()).ok());
        let last = last.ok_or(LedgerError::Directory)?;
        if !asked.may_follow(&last) {
            return Err(LedgerError::PolicyRefused(
                "can be satisfied by too few witnesses of the one before",
            ));
        }

        let sequencer = Sequencer::open(&store, &vrf, size, newest.clone()).await?;
        let epoch = newest.as_ref().map_or(0, |newest| newest.epoch.epoch);
        let ledger = Self(Arc::new(Inner {
            tokens: crate::anonymous::Tokens::new(&keys.tokens),
            disclosures: Disclosures::of(&keys.tokens),
            handles_wanted: handles::Wanted::default(),
            deployment,
            store,
            marks,
            log,
            vrf,
            vrf_public,
            sequencer: tokio::sync::Mutex::new(sequencer.asking_for(asked)),
            state: Mutex::new(State { policies, handles, newest: None, served: None }),
            serving: tokio::sync::Mutex::default(),
            written_epoch: AtomicU64::new(epoch),
            waiting: AtomicU64::new(0),
            clock_is_right: AtomicBool::new(false),
        }));
        ledger.0.serve_again().await?;
        if let Some(newest) = newest {
            ledger.0.sign(size, newest, now_ms).await?;
        }
        Ok(ledger)
    }

    /// The log's public key, as a policy file names it.
    #[must_use]
    pub fn log_key(&self) -> &VerifierKey {
        self.0.log.verifier()
    }

    /// Numbers for an operator.
    #[must_use]
    pub fn statistics(&self) -> LedgerStatistics {
        let state = self.0.state();
        let newest = state.newest.as_ref().map(|(signed, _)| signed.head().size);
        let served = state.served.as_ref();
        LedgerStatistics {
            size: newest.unwrap_or(0),
            served_size: served.map_or(0, |served| served.head().size),
            served_time_ms: served.map_or(0, |served| served.time_ms()),
            epoch: self.0.written_epoch.load(Ordering::Relaxed),
            waiting: self.0.waiting.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn tokens(&self) -> &crate::anonymous::Tokens {
        &self.0.tokens
    }

    pub(crate) fn store(&self) -> &dyn LedgerStorage {
        &*self.0.store
    }
}

impl State {
    /// The ledger time by which a policy is in force: that of the served epoch, or where nothing is served yet, of the
    /// newest logged one.
    fn policy_time_ms(&self) -> u64 {
        let newest = self.newest.as_ref().map_or(0, |(_, newest)| newest.epoch.time_ms);
        self.served.as_ref().map_or(newest, |served| served.time_ms())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs a tree that is durable, after its size was promised, and serves it if the policy asks for no more.
    async fn sign(&self, size: u64, newest: Logged, now_ms: u64) -> Result<(), LedgerError> {
        let root = tiles::root(&*self.store, size).await?;
        self.store.promise(size).await?;
        let signed = SignedCheckpoint::sign(&self.log, TreeHead { size, root });
        let signed = signed.map_err(|_| LedgerError::Form)?;
        self.state().newest = Some((signed, newest));
        self.serve_newest(now_ms).await
    }

    /// Serves the newest checkpoint if it satisfies the policy in force.
    async fn serve_newest(&self, now_ms: u64) -> Result<(), LedgerError> {
        let Some((signed, newest)) = self.state().newest.clone() else { return Ok(()) };
        if self.satisfied(&signed, now_ms) {
            self.serve(signed, newest).await?;
        }
        Ok(())
    }

    /// Whether a checkpoint satisfies the policy that is in force while it is the newest served one.
    fn satisfied(&self, signed: &SignedCheckpoint, now_ms: u64) -> bool {
        let state = self.state();
        let policy = state.policies.in_force(state.policy_time_ms());
        policy.is_some_and(|(policy, _)| policy.satisfied(signed, now_ms).is_ok())
    }

    async fn serve(&self, signed: SignedCheckpoint, newest: Logged) -> Result<(), LedgerError> {
        let note = Bytes::from(signed.to_vec());
        let inclusion = tiles::inclusion(&*self.store, newest.index, signed.head().size).await?;
        let served = Served::new(&self.store, &self.vrf, signed, newest, inclusion).await?;
        let _serving = self.serving.lock().await;
        let is_older = |there: &Arc<Served>| there.head().size > served.head().size;
        // A cosignature of an older one may come to its end later than the next epoch.
        if self.state().served.as_ref().is_some_and(is_older) {
            return Ok(());
        }
        // Before anybody sees it: whoever saw it refuses an older one, also after a power cut.
        self.store.keep(Note::Served, note).await?;
        self.state().served = Some(Arc::new(served));
        Ok(())
    }

    /// After a start: what was served last is served on, if it is of this very tree.
    async fn serve_again(&self) -> Result<(), LedgerError> {
        let Some(note) = self.store.note(Note::Served).await? else { return Ok(()) };
        let Ok(signed) = SignedCheckpoint::parse(&note) else { return Ok(()) };
        let head = signed.head();
        if head.size > self.store.size().await? {
            return Ok(());
        }
        if tiles::root(&*self.store, head.size).await? != head.root {
            return Err(LedgerError::Directory);
        }
        let Some(newest) = newest_epoch(&*self.store, head.size).await? else { return Ok(()) };
        // By the policy of its own time: the first one may be long gone.
        let time_ms = newest.epoch.time_ms;
        let in_force = self.state().policies.in_force(time_ms).map(|(policy, _)| policy);
        // Its cosignatures were held against the clock when it was served: one that was set back since takes nothing back.
        let counts = in_force.is_some_and(|policy| policy.satisfied(&signed, u64::MAX).is_ok());
        if counts { self.serve(signed, newest).await } else { Ok(()) }
    }
}

/// The newest epoch among the first `size` entries.
async fn newest_epoch(
    store: &dyn LedgerStorage,
    size: u64,
) -> Result<Option<Logged>, StorageError> {
    let mut end = size;
    while end > size.saturating_sub(LOOK_BACK) {
        let from = end.saturating_sub(64);
        let entries = store.entries(from, usize::try_from(end - from).unwrap_or(64)).await?;
        let mut entries: Vec<(u64, Bytes)> = (from..end).zip(entries).collect();
        while let Some((index, entry)) = entries.pop() {
            if let Ok(Entry::Epoch(epoch)) = Entry::decode(&entry) {
                return Ok(Some(Logged { epoch, entry, index }));
            }
        }
        end = from;
    }
    Ok(None)
}

/// The operator's file, with our log in it.
fn own_policy(log: &VerifierKey, text: Option<&str>) -> Result<Policy, LedgerError> {
    let Some(text) = text else { return Ok(Policy::unwitnessed(log)?) };
    let names_a_log = text.lines().any(|line| line.trim_start().starts_with("log "));
    let policy = if names_a_log {
        Policy::parse(text.as_bytes())?
    } else {
        Policy::parse(format!("log {log}\n{text}").as_bytes())?
    };
    if policy.logs().iter().any(|one| one.key == *log) {
        Ok(policy)
    } else {
        Err(LedgerError::PolicyRefused("names another log; leave its log line out"))
    }
}
