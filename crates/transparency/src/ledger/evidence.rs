// SPDX-License-Identifier: AGPL-3.0-or-later
//! Evidence that anybody can check with nothing but the file.
//!
//! [`Evidence`] is what a file holds, [`Evidence::check`] what it shows. `Proven` rests on signatures and hashes alone.
//! What only a connection said, a proof that a server gave and did not sign, proves nothing, and has no place here:
//! two checkpoints of different sizes are set against each other by a part of the larger *tree* (`subtrees`), which
//! its signed root vouches for.
//!
//! A ghost device is the one kind that cannot be proved so: the directory commits to a list, not to the signatures
//! under it, so that whoever accuses might have left them out. [`Verdict::Unanswered`] says that: anybody with a
//! signature of a device of the version before can refute it, and nobody else. A list that the server never shows is
//! less still: the word of a device, which whoever shows the list, rightly signed, refutes.
//!
//! Spec: `docs/book/ledger.md`, 5.

use nodoor_wire::{id::AccountId, proto};
use sha2::{Digest as _, Sha256};

use super::{
    checkpoint::{SignedCheckpoint, deployment_of},
    entry::{Entry, KtEpoch},
    note::VerifierKey,
    proof::ProofFile,
    tree::{Growth, Hash, leaf_hash, prefix_root},
};
use crate::{
    audit::{self, AuditError},
    chain::Chain,
    directory::{account_label, verify_history, verify_lookup, versions_in},
    list::DeviceList,
    release::Builders,
    statement::Disowned,
};

mod file;

pub use file::{EVIDENCE_BYTES, NotEvidence};

/// What a file holds. Nothing of it is checked yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// The log signed two checkpoints that no one log has.
    Equivocation {
        /// The log's key.
        log: VerifierKey,
        /// The two; the smaller one first if they differ in size.
        checkpoints: [SignedCheckpoint; 2],
        /// Hashes of the larger tree: [`super::tree::prefix_proof`]. Empty for two of one size.
        subtrees: Vec<Hash>,
    },
    /// An epoch of the directory that does not only add.
    BadAppend {
        /// The log's key.
        log: VerifierKey,
        /// Proofs of the epoch before and of the epoch.
        epochs: [ProofFile; 2],
        /// The audit blob of the second.
        blob: Vec<u8>,
    },
    /// Two roots of one epoch.
    EpochReuse {
        /// The log's key.
        log: VerifierKey,
        /// Proofs of both.
        epochs: [ProofFile; 2],
    },
    /// A published list that no device of the list before signed.
    GhostDevice {
        /// The log's key.
        log: VerifierKey,
        /// Proof of the epoch.
        epoch: Box<ProofFile>,
        /// The VRF's public key.
        vrf_key: Vec<u8>,
        /// akd's lookup proof of the account.
        lookup: Vec<u8>,
        /// The lists of the account from version 1 on, as they verified.
        lists: Vec<proto::SignedList>,
        /// The list that is published, with whatever signatures it was served with.
        ghost: proto::SignedList,
    },
    /// A published value, and the word of the account's own device that it is none of its lists.
    HiddenList {
        /// The log's key.
        log: VerifierKey,
        /// Proof of the epoch.
        epoch: Box<ProofFile>,
        /// The VRF's public key.
        vrf_key: Vec<u8>,
        /// akd's history proof of the account.
        history: Vec<u8>,
        /// The lists of the account from version 1 on, as they verified.
        lists: Vec<proto::SignedList>,
        /// [`Disowned`], by a device of the newest of them.
        disowned: proto::SignedBytes,
    },
    /// A build that two builders signed and the log does not have.
    UnloggedCode {
        /// The log's key.
        log: VerifierKey,
        /// Whose builds count.
        builders: Builders,
        /// The release as it was served: an entry that is not in the log.
        release: Vec<u8>,
        /// A later checkpoint.
        checkpoint: SignedCheckpoint,
        /// The hashes of all entries under it, in order.
        leaves: Vec<Hash>,
        /// One of these entries: a `KT_EPOCH`, for the ledger time.
        epoch: Vec<u8>,
    },
    /// Two lists of one version of one account.
    Fork {
        /// The lists before, from version 1 on.
        lists: Vec<proto::SignedList>,
        /// The two.
        forks: [proto::SignedList; 2],
    },
}

/// What evidence shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both things are signed, and cannot both be honest. The sentence of what is proved.
    Proven(&'static str),
    /// The file is sound, and only somebody who shows a signature can refute it. The sentence of what stands.
    Unanswered(&'static str),
    /// It proves nothing. Why.
    NotProven(&'static str),
}

type Refused = &'static str;

const UNSIGNED: Refused = "a checkpoint is not signed by this log";
const NOT_LOGGED: Refused = "an entry is not shown to be in the log";
const NO_EPOCH: Refused = "an entry is not an epoch of the directory";

impl Evidence {
    /// That the keys of an account signed `shown`, where the chain held has another list of that version. Nothing if
    /// the chain does not reach that far.
    #[must_use]
    pub fn of_fork(held: &Chain, version: u64, shown: &proto::SignedList) -> Option<Self> {
        let mut lists = held.to_proto();
        lists.truncate(usize::try_from(version).ok()?);
        let seen = lists.pop().filter(|_| held.version(version).is_some())?;
        Some(Self::Fork { lists, forks: [seen, shown.clone()] })
    }

    /// What it shows.
    #[must_use]
    pub fn check(&self) -> Verdict {
        let checked = match self {
            Self::Equivocation { log, checkpoints, subtrees } => {
                equivocation(log, checkpoints, subtrees)
            }
            Self::BadAppend { log, epochs, blob } => bad_append(log, epochs, blob),
            Self::EpochReuse { log, epochs } => epoch_reuse(log, epochs),
            Self::GhostDevice { log, epoch, vrf_key, lookup, lists, ghost } => {
                ghost_device(log, epoch, vrf_key, lookup, lists, ghost)
            }
            Self::HiddenList { log, epoch, vrf_key, history, lists, disowned } => {
                hidden_list(log, epoch, vrf_key, history, lists, disowned)
            }
            Self::UnloggedCode { log, builders, release, checkpoint, leaves, epoch } => {
                unlogged(log, builders, release, checkpoint, leaves, epoch)
            }
            Self::Fork { lists, forks } => fork(lists, forks),
        };
        checked.unwrap_or_else(Verdict::NotProven)
    }

    /// Its kind, as the file names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Equivocation { .. } => "equivocation",
            Self::BadAppend { .. } => "bad-append",
            Self::EpochReuse { .. } => "epoch-reuse",
            Self::GhostDevice { .. } => "ghost-device",
            Self::HiddenList { .. } => "hidden-list",
            Self::UnloggedCode { .. } => "unlogged-code",
            Self::Fork { .. } => "fork",
        }
    }

    /// Whose log it is about: hold this key against the one you trust. None for a fork of an account.
    #[must_use]
    pub fn log(&self) -> Option<&VerifierKey> {
        match self {
            Self::Equivocation { log, .. }
            | Self::BadAppend { log, .. }
            | Self::EpochReuse { log, .. }
            | Self::GhostDevice { log, .. }
            | Self::HiddenList { log, .. }
            | Self::UnloggedCode { log, .. } => Some(log),
            Self::Fork { .. } => None,
        }
    }
}

fn equivocation(
    log: &VerifierKey,
    [one, other]: &[SignedCheckpoint; 2],
    subtrees: &[Hash],
) -> Result<Verdict, Refused> {
    signed(log, one)?;
    signed(log, other)?;
    let (small, large) = (one.head(), other.head());
    if small.size == large.size {
        return if small.root == large.root {
            Err("both checkpoints are of the same tree")
        } else {
            Ok(Verdict::Proven("the log signed two different trees of one size"))
        };
    }
    let root = prefix_root(small.size, large.size, &large.root, subtrees)
        .map_err(|_| "the hashes are not those of the larger tree")?;
    if root == small.root {
        return Err("the larger tree begins with the smaller one");
    }
    Ok(Verdict::Proven("the log signed a tree, and a larger one that does not begin with it"))
}

fn bad_append(
    log: &VerifierKey,
    [before, after]: &[ProofFile; 2],
    blob: &[u8],
) -> Result<Verdict, Refused> {
    let (before, after) = (logged_epoch(log, before)?, logged_epoch(log, after)?);
    if Some(after.epoch) != before.epoch.checked_add(1) {
        return Err("the second epoch is not the one after the first");
    }
    if after.previous_root != before.root {
        return Ok(Verdict::Proven("an epoch does not begin where the one before ended"));
    }
    match audit::verify(&after, blob) {
        Ok(()) => Err("the epoch only adds to the one before"),
        Err(AuditError::OtherBlob) => Err("the blob is not the one that the entry names"),
        Err(_) => Ok(Verdict::Proven("an epoch changes or drops what was published before")),
    }
}

fn epoch_reuse(log: &VerifierKey, [one, other]: &[ProofFile; 2]) -> Result<Verdict, Refused> {
    let (one, other) = (logged_epoch(log, one)?, logged_epoch(log, other)?);
    if one.epoch != other.epoch {
        return Err("the entries are of different epochs");
    }
    if one.root == other.root {
        return Err("both entries have the same root");
    }
    Ok(Verdict::Proven("the log has two different directories of one epoch"))
}

fn ghost_device(
    log: &VerifierKey,
    epoch: &ProofFile,
    vrf_key: &[u8],
    lookup: &[u8],
    lists: &[proto::SignedList],
    ghost: &proto::SignedList,
) -> Result<Verdict, Refused> {
    let chain = founded(lists)?;
    let deployment = deployment_of(log.name()).ok_or("the log is of no deployment")?;
    let epoch = logged_epoch(log, epoch)?;
    let label = account_label(&deployment, &chain.account());
    let published = verify_lookup(&epoch, vrf_key, &label, lookup)
        .map_err(|_| "the list is not shown to be published")?;
    if published.value != Hash::from(Sha256::digest(&ghost.body)) {
        return Err("another list is published");
    }
    if chain.by_hash(&published.value).is_some() {
        return Err("the published list is one of those that verify");
    }
    let Ok(list) = DeviceList::from_slice_unverified(&ghost.body) else {
        return Ok(Verdict::Proven("what is published for the account is no device list"));
    };
    if list.account() != chain.account() {
        return Ok(Verdict::Proven("the list published for the account is that of another"));
    }
    if Some(list.version()) != chain.newest().version().checked_add(1) {
        return Err("the published list is not the next version after these lists");
    }
    let mut longer = chain;
    if longer.extend(ghost).is_ok() {
        return Err("the published list is signed as it must be");
    }
    Ok(Verdict::Unanswered(
        "a list is published, and nobody has shown signatures under which it counts",
    ))
}

fn hidden_list(
    log: &VerifierKey,
    epoch: &ProofFile,
    vrf_key: &[u8],
    history: &[u8],
    lists: &[proto::SignedList],
    disowned: &proto::SignedBytes,
) -> Result<Verdict, Refused> {
    const NOT_PUBLISHED: Refused = "the value is not shown to be published";
    let chain = founded(lists)?;
    let deployment = deployment_of(log.name()).ok_or("the log is of no deployment")?;
    let epoch = logged_epoch(log, epoch)?;
    let label = account_label(&deployment, &chain.account());
    let versions = versions_in(history).ok_or(NOT_PUBLISHED)?;
    let published = verify_history(&epoch, vrf_key, &label, history, versions);
    let published = published.map_err(|_| NOT_PUBLISHED)?;
    let value = Disowned::verify(&chain, disowned)
        .map_err(|_| "no device of the newest list says that a value is none of its lists")?
        .value;
    if !published.iter().any(|one| one.value == value) {
        return Err(NOT_PUBLISHED);
    }
    if chain.by_hash(&value).is_some() {
        return Err("the published value is that of a list that verifies");
    }
    Ok(Verdict::Unanswered(
        "a list is published that a device of the account says it never had, and nobody has shown it",
    ))
}

fn unlogged(
    log: &VerifierKey,
    builders: &Builders,
    release: &[u8],
    checkpoint: &SignedCheckpoint,
    leaves: &[Hash],
    epoch: &[u8],
) -> Result<Verdict, Refused> {
    signed(log, checkpoint)?;
    let mut growth = Growth::new();
    leaves.iter().for_each(|leaf| growth.push(*leaf));
    if (growth.size(), growth.root()) != (checkpoint.head().size, checkpoint.head().root) {
        return Err("the hashes are not those of all entries under the checkpoint");
    }
    if !leaves.contains(&leaf_hash(epoch)) {
        return Err(NOT_LOGGED);
    }
    let Ok(Entry::Epoch(epoch)) = Entry::decode(epoch) else { return Err(NO_EPOCH) };
    let served = leaf_hash(release);
    let Ok(Entry::Release(release)) = Entry::decode(release) else {
        return Err("what was served is no release");
    };
    builders.signed(&release).map_err(|_| "fewer than two of the builders signed the release")?;
    if epoch.time_ms < release.not_before_ms {
        return Err("the checkpoint is from before the release may be installed");
    }
    if leaves.contains(&served) {
        return Err("the release is in the log");
    }
    Ok(Verdict::Proven("two builders signed a build for a time at which the log did not have it"))
}

fn fork(
    lists: &[proto::SignedList],
    [one, other]: &[proto::SignedList; 2],
) -> Result<Verdict, Refused> {
    if one.body == other.body {
        return Err("both are the same list");
    }
    for list in [one, other] {
        founded(lists)?.extend(list).map_err(|_| "a list does not follow those before it")?;
    }
    Ok(Verdict::Proven("the account's keys signed two different lists of one version"))
}

fn founded(lists: &[proto::SignedList]) -> Result<Chain, Refused> {
    let first = lists.first().ok_or("the lists before are missing")?;
    let first = DeviceList::from_slice_unverified(&first.body).map(|list| list.account());
    let account: AccountId = first.map_err(|_| "the first list is no list")?;
    Chain::verify(&account, lists).map_err(|_| "the lists before do not verify")
}

fn signed(log: &VerifierKey, checkpoint: &SignedCheckpoint) -> Result<(), Refused> {
    let own = checkpoint.checkpoint().origin() == log.name();
    match log.verify(checkpoint.note()) {
        Ok(Some(_)) if own => Ok(()),
        _ => Err(UNSIGNED),
    }
}

fn logged_epoch(log: &VerifierKey, proof: &ProofFile) -> Result<KtEpoch, Refused> {
    signed(log, &proof.inclusion.checkpoint)?;
    let entry = proof.extra.as_deref().ok_or(NOT_LOGGED)?;
    proof.inclusion.includes(&leaf_hash(entry)).map_err(|_| NOT_LOGGED)?;
    match Entry::decode(entry) {
        Ok(Entry::Epoch(epoch)) => Ok(epoch),
        _ => Err(NO_EPOCH),
    }
}
