// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a witness is asked, and what it answers, before anything is stored or signed.
//!
//! 1. The log sends [`AddCheckpoint`]: the size it believes the witness last saw, a consistency proof, a checkpoint.
//! 2. [`decide`] holds that against the last checkpoint of that log. It is a function of its arguments.
//! 3. On [`Decision::Cosign`] the witness *stores the new head*, then signs with
//!    [`SignedCheckpoint::cosignature`]; both under one lock, or two requests roll it back.
//!
//! Spec: C2SP tlog-witness v1.0.0, `add-checkpoint`.

use std::fmt;

use super::{
    checkpoint::{SignedCheckpoint, TreeHead},
    note::{NOTE_BYTES, VerifierKey},
    text::{hash_from_base64, number, to_base64},
    tree::{Hash, empty_root},
};

/// Hashes that a request may carry.
pub const WITNESS_HASHES: usize = 63;
/// A longer request is not read.
pub const REQUEST_BYTES: usize = NOTE_BYTES + 4096;

/// A log asks for a cosignature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the witness cosigned last, 0 if none.
    pub old_size: u64,
    /// From that size to the checkpoint's.
    pub consistency: Vec<Hash>,
    /// The new checkpoint.
    pub checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// Reads the body of a request; nothing if it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > REQUEST_BYTES {
            return None;
        }
        let (head, checkpoint) = std::str::from_utf8(bytes).ok()?.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old_size = number(lines.next()?.strip_prefix("old ")?)?;
        let consistency: Vec<Hash> =
            lines.take(WITNESS_HASHES + 1).map(hash_from_base64).collect::<Option<_>>()?;
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes()).ok()?;
        (consistency.len() <= WITNESS_HASHES).then_some(Self { old_size, consistency, checkpoint })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        for hash in &self.consistency {
            writeln!(f, "{}", to_base64(hash))?;
        }
        write!(f, "\n{}", self.checkpoint.note())
    }
}

/// A log that a witness follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLog {
    /// The log's keys, of which one must have signed. Their name is the origin.
    pub keys: Vec<VerifierKey>,
    /// What was cosigned last; nothing before the first time.
    pub last: Option<TreeHead>,
}

/// What the witness does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// 200: store this head, then answer with a cosignature line.
    Cosign(TreeHead),
    /// 409, with this size and a line feed as `text/x.tlog.size`.
    Conflict {
        /// Of what was cosigned last; 0 if nothing was.
        size: u64,
        /// The request showed the same size with another root, signed by the log: keep it, that is evidence.
        forked: bool,
    },
    /// 400: not a request, or the old size is larger than the new one.
    Malformed,
    /// 403: no key of the log signed.
    Unsigned,
    /// 404: no such log here.
    UnknownLog,
    /// 422: the consistency proof does not prove it. The log signed this: keep it.
    Inconsistent,
}

impl Decision {
    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosign(_) => 200,
            Self::Malformed => 400,
            Self::Unsigned => 403,
            Self::UnknownLog => 404,
            Self::Conflict { .. } => 409,
            Self::Inconsistent => 422,
        }
    }
}

/// What to answer to a request, given the logs that are followed by origin.
#[must_use]
pub fn decide(request: &AddCheckpoint, log: Option<&KnownLog>) -> Decision {
    let Some(log) = log else { return Decision::UnknownLog };
    let origin = request.checkpoint.checkpoint().origin();
    let mut keys = log.keys.iter().filter(|key| key.name() == origin);
    if !keys.any(|key| matches!(key.verify(request.checkpoint.note()), Ok(Some(_)))) {
        return Decision::Unsigned;
    }
    let new = request.checkpoint.head();
    if request.old_size > new.size {
        return Decision::Malformed;
    }
    let last = log.last.unwrap_or(TreeHead { size: 0, root: empty_root() });
    if request.old_size != last.size {
        return Decision::Conflict { size: last.size, forked: false };
    }
    if new.size == last.size && new.root != last.root {
        return Decision::Conflict { size: last.size, forked: true };
    }
    if last.grows_into(&new, &request.consistency).is_err() {
        return Decision::Inconsistent;
    }
    Decision::Cosign(new)
}
