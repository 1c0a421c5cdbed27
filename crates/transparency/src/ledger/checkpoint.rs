// SPDX-License-Identifier: AGPL-3.0-or-later
//! Checkpoints: how large the log is, its root, and who signed that.
//!
//! A [`SignedCheckpoint`] is well formed; who signed it is the [`super::policy`]'s to say. What a client holds is a
//! [`TreeHead`]; [`TreeHead::relation`] says what a new one must prove.
//!
//! Spec: C2SP tlog-checkpoint v1.0.0; `docs/book/ledger.md`, 1 and 3.

use std::fmt;

use nodoor_wire::id::DeploymentId;

use super::{
    note::{Note, NoteError, NoteSignature, NoteSigner},
    text::{hash_from_base64, number, to_base64},
    tree::{Hash, ProofError, verify_consistency},
};

/// The origin of a deployment's log, which is the name of its key.
#[must_use]
pub fn origin(deployment: &DeploymentId) -> String {
    format!("nodoor/{}", deployment.to_hex())
}

/// The deployment whose log has this origin.
#[must_use]
pub fn deployment_of(origin: &str) -> Option<DeploymentId> {
    let deployment = DeploymentId::from_hex(origin.strip_prefix("nodoor/")?).ok()?;
    (self::origin(&deployment) == origin).then_some(deployment)
}

/// Not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint")]
pub struct NotACheckpoint;

impl From<NoteError> for NotACheckpoint {
    fn from(_: NoteError) -> Self {
        Self
    }
}

/// How many entries, and the RFC 6962 root over them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHead {
    /// Entries.
    pub size: u64,
    /// SHA-256.
    pub root: Hash,
}

/// How a tree head that was shown stands to the one held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The same tree.
    Same,
    /// Larger: a consistency proof from the one held must verify.
    Larger,
    /// Smaller: old, or a log that went back. Keep the one held.
    Smaller,
    /// The same size and another root: if the log signed both, that is evidence.
    Fork,
}

impl TreeHead {
    /// How `shown` stands to this one, which is held.
    #[must_use]
    pub fn relation(&self, shown: &Self) -> Relation {
        match shown.size.cmp(&self.size) {
            std::cmp::Ordering::Greater => Relation::Larger,
            std::cmp::Ordering::Less => Relation::Smaller,
            std::cmp::Ordering::Equal if shown.root == self.root => Relation::Same,
            std::cmp::Ordering::Equal => Relation::Fork,
        }
    }

    /// That `later` only added to this tree.
    ///
    /// # Errors
    /// [`ProofError`]: `later` is smaller, or the proof does not lead from one root to the other.
    ///
    /// Spec: RFC 9162, 2.1.4.2.
    pub fn grows_into(&self, later: &Self, proof: &[Hash]) -> Result<(), ProofError> {
        verify_consistency(self.size, later.size, &self.root, &later.root, proof)
    }
}

impl fmt::Debug for TreeHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeHead({}, {})", self.size, to_base64(&self.root))
    }
}

/// The text of a checkpoint: origin, size, root, and lines of the log's own that mean nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: TreeHead,
    extension: String,
}

impl Checkpoint {
    /// A checkpoint without extension lines, as our log writes it.
    ///
    /// # Errors
    /// [`NotACheckpoint`]: the origin is empty or has a line feed.
    pub fn new(origin: &str, head: TreeHead) -> Result<Self, NotACheckpoint> {
        let it = Self { origin: origin.to_owned(), head, extension: String::new() };
        Self::parse(&it.to_string())
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// [`NotACheckpoint`].
    pub fn parse(text: &str) -> Result<Self, NotACheckpoint> {
        let lines = text.strip_suffix('\n').ok_or(NotACheckpoint)?;
        let mut lines = lines.splitn(4, '\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(NotACheckpoint);
        };
        let extension = lines.next();
        if origin.is_empty() || extension.is_some_and(|all| all.split('\n').any(str::is_empty)) {
            return Err(NotACheckpoint);
        }
        let size = number(size).ok_or(NotACheckpoint)?;
        let root = hash_from_base64(root).ok_or(NotACheckpoint)?;
        let extension = extension.map(|all| format!("{all}\n")).unwrap_or_default();
        Ok(Self { origin: origin.to_owned(), head: TreeHead { size, root }, extension })
    }

    /// Which log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.head
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = to_base64(&self.head.root);
        write!(f, "{}\n{}\n{root}\n{}", self.origin, self.head.size, self.extension)
    }
}

/// A checkpoint and the signature lines under it, of the log and of others. Nobody has verified them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: Note,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// The log signs. Everything that the tree holds must be durable before.
    ///
    /// # Errors
    /// [`NotACheckpoint`]: the key's name is no origin.
    pub fn sign(log: &NoteSigner, head: TreeHead) -> Result<Self, NotACheckpoint> {
        let checkpoint = Checkpoint::new(log.verifier().name(), head)?;
        let text = checkpoint.to_string();
        let line = log.sign(&text, 0);
        Ok(Self { note: Note::new(text, vec![line])?, checkpoint })
    }

    /// Reads a signed note that is a checkpoint.
    ///
    /// # Errors
    /// [`NotACheckpoint`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NotACheckpoint> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { note, checkpoint })
    }

    /// A cosigner's line over this checkpoint, at its own time. It must have seen that the log only grew.
    #[must_use]
    pub fn cosignature(&self, cosigner: &NoteSigner, now_seconds: u64) -> NoteSignature {
        cosigner.sign(self.note.text(), now_seconds)
    }

    /// The checkpoint with one more line.
    ///
    /// # Errors
    /// [`NotACheckpoint`]: it has as many as a note may have.
    pub fn with(self, line: NoteSignature) -> Result<Self, NotACheckpoint> {
        Ok(Self { note: self.note.with(line)?, checkpoint: self.checkpoint })
    }

    /// The text that was signed, read.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.checkpoint.head
    }

    /// The note.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The bytes that [`SignedCheckpoint::parse`] reads.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.note.to_string().into_bytes()
    }
}
