// SPDX-License-Identifier: AGPL-3.0-or-later
//! That an entry stands in the log, for whoever has nothing else: a `.tlog-proof` file, or the fields of an answer.
//!
//! Both come down to [`Inclusion`]: index, hashes, checkpoint. [`Inclusion::verify`] gives the entry back as
//! [`Logged`], and there is no other way to get one. `extra` of a proof file is not covered by anything; we write
//! the entry there, so that the file is enough, and it counts because its hash is what the proof is of.
//!
//! Spec: C2SP tlog-proof; `docs/book/ledger.md`, 1 to 3.

use std::fmt;

use nodoor_wire::proto;

use super::{
    checkpoint::SignedCheckpoint,
    entry::{Entry, KtEpoch},
    note::NOTE_BYTES,
    policy::{Policy, Satisfaction, Unsatisfied},
    text::{from_base64, hash_from_base64, number, to_base64},
    tree::{Hash, PROOF_HASHES, leaf_hash, verify_inclusion},
};

/// A longer proof file is not read: an entry in base64, hashes, a note.
pub const PROOF_BYTES: usize = 96 * 1024 + NOTE_BYTES;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// An entry is not shown to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InclusionError {
    /// Not a proof file, not a checkpoint, or hashes of another length.
    #[error("not a proof that something is logged")]
    Form,
    /// The checkpoint does not satisfy the policy.
    #[error(transparent)]
    Policy(#[from] Unsatisfied),
    /// The hashes do not lead from the entry to the root.
    #[error("the entry is not shown to be in the log")]
    NotIncluded,
    /// What is logged there is no entry, or not of the type asked for.
    #[error("what is logged is not an entry of the type asked for")]
    Entry,
}

/// Where an entry stands, and the checkpoint above it. Nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// Counts from 0.
    pub index: u64,
    /// The leaf's sibling first; 64 at most.
    pub hashes: Vec<Hash>,
    /// Signed by the log, and by whoever else.
    pub checkpoint: SignedCheckpoint,
}

/// An entry that stands in the log, under a checkpoint that satisfied a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged<T> {
    /// The entry.
    pub entry: T,
    /// Where it stands.
    pub index: u64,
    /// Under which checkpoint.
    pub checkpoint: SignedCheckpoint,
    /// Who vouched for that.
    pub satisfaction: Satisfaction,
}

impl Inclusion {
    /// The entry and its place as an answer of the server carries them.
    ///
    /// # Errors
    /// [`InclusionError::Form`].
    pub fn of_answer(answer: &proto::LoggedEntry) -> Result<Self, InclusionError> {
        if answer.inclusion.len() > PROOF_HASHES {
            return Err(InclusionError::Form);
        }
        let hashes = answer.inclusion.iter().map(|hash| Hash::try_from(&**hash));
        Ok(Self {
            index: answer.index,
            hashes: hashes.collect::<Result<_, _>>().map_err(|_| InclusionError::Form)?,
            checkpoint: SignedCheckpoint::parse(&answer.checkpoint)
                .map_err(|_| InclusionError::Form)?,
        })
    }

    /// The same as an answer carries it.
    #[must_use]
    pub fn to_answer(&self, entry: &[u8]) -> proto::LoggedEntry {
        proto::LoggedEntry {
            entry: entry.to_vec().into(),
            index: self.index,
            inclusion: self.hashes.iter().map(|hash| hash.to_vec().into()).collect(),
            checkpoint: self.checkpoint.to_vec().into(),
        }
    }

    /// That `entry` (its bytes) stands there, under a checkpoint that satisfies the policy.
    ///
    /// # Errors
    /// [`InclusionError`].
    pub fn verify(
        self,
        entry: &[u8],
        policy: &Policy,
        now_ms: u64,
    ) -> Result<Logged<Entry>, InclusionError> {
        let satisfaction = policy.satisfied(&self.checkpoint, now_ms)?;
        self.includes(&leaf_hash(entry))?;
        let entry = Entry::decode(entry).map_err(|_| InclusionError::Entry)?;
        Ok(Logged { entry, index: self.index, checkpoint: self.checkpoint, satisfaction })
    }

    /// That a leaf stands there. Says nothing of who signed the checkpoint.
    ///
    /// # Errors
    /// [`InclusionError::NotIncluded`].
    pub fn includes(&self, leaf: &Hash) -> Result<(), InclusionError> {
        let head = self.checkpoint.head();
        verify_inclusion(leaf, self.index, head.size, &head.root, &self.hashes)
            .map_err(|_| InclusionError::NotIncluded)
    }
}

impl Logged<Entry> {
    /// The epoch that is logged here.
    ///
    /// # Errors
    /// [`InclusionError::Entry`]: it is of another type.
    pub fn epoch(self) -> Result<Logged<KtEpoch>, InclusionError> {
        let Entry::Epoch(entry) = self.entry else { return Err(InclusionError::Entry) };
        let Self { index, checkpoint, satisfaction, .. } = self;
        Ok(Logged { entry, index, checkpoint, satisfaction })
    }
}

/// Verifies an answer of the server whose entry must be a `KT_EPOCH`.
///
/// # Errors
/// [`InclusionError`].
///
/// Spec: `docs/book/ledger.md`, 3.
pub fn verify_epoch(
    answer: &proto::LoggedEntry,
    policy: &Policy,
    now_ms: u64,
) -> Result<Logged<KtEpoch>, InclusionError> {
    Inclusion::of_answer(answer)?.verify(&answer.entry, policy, now_ms)?.epoch()
}

/// A `.tlog-proof` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// In a file of ours, the entry. Covered by nothing by itself.
    pub extra: Option<Vec<u8>>,
    /// The proof.
    pub inclusion: Inclusion,
}

impl ProofFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`InclusionError::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Self, InclusionError> {
        if bytes.len() > PROOF_BYTES {
            return Err(InclusionError::Form);
        }
        std::str::from_utf8(bytes).ok().and_then(Self::read).ok_or(InclusionError::Form)
    }

    fn read(text: &str) -> Option<Self> {
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return None;
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.map(|line| from_base64(line.strip_prefix("extra ")?));
        // A line that is there and does not read is a mistake, not an absence.
        let extra = extra.map_or(Some(None), |extra| extra.map(Some))?;
        let index = number(lines.next()?.strip_prefix("index ")?)?;
        let hashes: Vec<Hash> =
            lines.take(PROOF_HASHES + 1).map(hash_from_base64).collect::<Option<_>>()?;
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes()).ok()?;
        (hashes.len() <= PROOF_HASHES)
            .then_some(Self { extra, inclusion: Inclusion { index, hashes, checkpoint } })
    }

    /// That the entry in `extra` is logged.
    ///
    /// # Errors
    /// [`InclusionError`]; [`InclusionError::Form`] for a file without the entry.
    pub fn verify(self, policy: &Policy, now_ms: u64) -> Result<Logged<Entry>, InclusionError> {
        let entry = self.extra.ok_or(InclusionError::Form)?;
        self.inclusion.verify(&entry, policy, now_ms)
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", to_base64(extra))?;
        }
        writeln!(f, "index {}", self.inclusion.index)?;
        for hash in &self.inclusion.hashes {
            writeln!(f, "{}", to_base64(hash))?;
        }
        write!(f, "\n{}", self.inclusion.checkpoint.note())
    }
}
