// SPDX-License-Identifier: AGPL-3.0-or-later
//! Evidence as a text file: a head of lines `name: value`, and sections `-- name` after an empty line.
//!
//! Notes and proofs stand as they are, bytes as base64 in lines of 64. There is one form: what reads prints the same.

use std::fmt::{self, Write as _};

use nodoor_wire::proto;
use prost::Message as _;

use super::Evidence;
use crate::{
    ledger::{
        checkpoint::SignedCheckpoint,
        note::VerifierKey,
        proof::ProofFile,
        text::{from_base64, to_base64},
        tree::Hash,
    },
    release::Builders,
};

/// A longer file is not read: an audit blob of 64 MiB in base64.
pub const EVIDENCE_BYTES: usize = 96 * 1024 * 1024;

const HEADER: &str = "nodoor evidence v1";
const LINE: usize = 64;

/// The file is not evidence of a known kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a file of evidence")]
pub struct NotEvidence;

impl Evidence {
    /// Reads a file.
    ///
    /// # Errors
    /// [`NotEvidence`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NotEvidence> {
        if bytes.len() > EVIDENCE_BYTES {
            return Err(NotEvidence);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| NotEvidence)?;
        let evidence = read(text).ok_or(NotEvidence)?;
        if evidence.to_string() == text { Ok(evidence) } else { Err(NotEvidence) }
    }
}

fn read(text: &str) -> Option<Evidence> {
    let (head, sections) = text.split_once("\n\n-- ")?;
    let mut head = head.split('\n');
    if head.next() != Some(HEADER) {
        return None;
    }
    let kind = head.next()?.strip_prefix("kind: ")?;
    let log = head.next().map(|line| VerifierKey::parse(line.strip_prefix("log: ")?).ok());
    let log = || log.clone().flatten();
    let mut sections = Sections::of(sections)?;
    let evidence = match kind {
        "equivocation" => Evidence::Equivocation {
            log: log()?,
            checkpoints: [sections.checkpoint()?, sections.checkpoint()?],
            subtrees: if sections.0.is_empty() {
                Vec::new()
            } else {
                sections.hashes("subtrees")?
            },
        },
        "bad-append" => Evidence::BadAppend {
            log: log()?,
            epochs: [sections.proof()?, sections.proof()?],
            blob: sections.bytes("blob")?,
        },
        "epoch-reuse" => {
            Evidence::EpochReuse { log: log()?, epochs: [sections.proof()?, sections.proof()?] }
        }
        "ghost-device" => Evidence::GhostDevice {
            log: log()?,
            epoch: Box::new(sections.proof()?),
            vrf_key: sections.bytes("vrf-key")?,
            lookup: sections.bytes("lookup")?,
            lists: sections.lists()?,
            ghost: sections.list("ghost")?,
        },
        "hidden-list" => Evidence::HiddenList {
            log: log()?,
            epoch: Box::new(sections.proof()?),
            vrf_key: sections.bytes("vrf-key")?,
            history: sections.bytes("history")?,
            lists: sections.lists()?,
            disowned: proto::SignedBytes::decode(&*sections.bytes("disowned")?).ok()?,
        },
        "unlogged-code" => Evidence::UnloggedCode {
            log: log()?,
            builders: Builders::parse(&sections.text("builders")?).ok()?,
            release: sections.bytes("release")?,
            checkpoint: sections.checkpoint()?,
            leaves: sections.hashes("leaves")?,
            epoch: sections.bytes("epoch")?,
        },
        "fork" => Evidence::Fork {
            lists: sections.lists()?,
            forks: [sections.list("fork")?, sections.list("fork")?],
        },
        _ => return None,
    };
    sections.0.is_empty().then_some(evidence)
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nkind: {}", self.kind())?;
        if let Some(log) = self.log() {
            writeln!(f, "log: {log}")?;
        }
        match self {
            Self::Equivocation { checkpoints, subtrees, .. } => {
                checkpoints.iter().try_for_each(|one| text(f, "checkpoint", one.note()))?;
                if subtrees.is_empty() { Ok(()) } else { bytes(f, "subtrees", &subtrees.concat()) }
            }
            Self::BadAppend { epochs, blob, .. } => {
                epochs.iter().try_for_each(|one| text(f, "proof", one))?;
                bytes(f, "blob", blob)
            }
            Self::EpochReuse { epochs, .. } => {
                epochs.iter().try_for_each(|one| text(f, "proof", one))
            }
            Self::GhostDevice { epoch, vrf_key, lookup, lists, ghost, .. } => {
                text(f, "proof", epoch)?;
                bytes(f, "vrf-key", vrf_key)?;
                bytes(f, "lookup", lookup)?;
                lists.iter().try_for_each(|one| bytes(f, "list", &one.encode_to_vec()))?;
                bytes(f, "ghost", &ghost.encode_to_vec())
            }
            Self::HiddenList { epoch, vrf_key, history, lists, disowned, .. } => {
                text(f, "proof", epoch)?;
                bytes(f, "vrf-key", vrf_key)?;
                bytes(f, "history", history)?;
                lists.iter().try_for_each(|one| bytes(f, "list", &one.encode_to_vec()))?;
                bytes(f, "disowned", &disowned.encode_to_vec())
            }
            Self::UnloggedCode { builders, release, checkpoint, leaves, epoch, .. } => {
                text(f, "builders", builders)?;
                bytes(f, "release", release)?;
                text(f, "checkpoint", checkpoint.note())?;
                bytes(f, "leaves", &leaves.concat())?;
                bytes(f, "epoch", epoch)
            }
            Self::Fork { lists, forks } => {
                lists.iter().try_for_each(|one| bytes(f, "list", &one.encode_to_vec()))?;
                forks.iter().try_for_each(|one| bytes(f, "fork", &one.encode_to_vec()))
            }
        }
    }
}

/// A section whose text ends in a line feed.
fn text(f: &mut fmt::Formatter<'_>, name: &str, body: &impl fmt::Display) -> fmt::Result {
    write!(f, "\n-- {name}\n{body}")
}

fn bytes(f: &mut fmt::Formatter<'_>, name: &str, body: &[u8]) -> fmt::Result {
    write!(f, "\n-- {name}\n")?;
    let base64 = to_base64(body);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        writeln!(f, "{line}")?;
        rest = after;
    }
    // A section of nothing still has a line.
    if body.is_empty() { f.write_char('\n') } else { Ok(()) }
}

/// The sections that are left, the next one last.
struct Sections<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Sections<'a> {
    /// Of the text behind the first `-- `.
    fn of(text: &'a str) -> Option<Self> {
        let text = text.strip_suffix('\n')?;
        let sections = text.split("\n\n-- ");
        let mut sections: Vec<_> =
            sections.map(|section| section.split_once('\n').unwrap_or((section, ""))).collect();
        sections.reverse();
        Some(Self(sections))
    }

    fn next(&mut self, name: &str) -> Option<&'a str> {
        let (is, body) = self.0.pop()?;
        (is == name).then_some(body)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        Some(format!("{}\n", self.next(name)?))
    }

    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        from_base64(&self.next(name)?.replace('\n', ""))
    }

    fn hashes(&mut self, name: &str) -> Option<Vec<Hash>> {
        let bytes = self.bytes(name)?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        rest.is_empty().then(|| hashes.to_vec())
    }

    fn checkpoint(&mut self) -> Option<SignedCheckpoint> {
        SignedCheckpoint::parse(self.text("checkpoint")?.as_bytes()).ok()
    }

    fn proof(&mut self) -> Option<ProofFile> {
        ProofFile::parse(self.text("proof")?.as_bytes()).ok()
    }

    fn list(&mut self, name: &str) -> Option<proto::SignedList> {
        proto::SignedList::decode(&*self.bytes(name)?).ok()
    }

    fn lists(&mut self) -> Option<Vec<proto::SignedList>> {
        let mut lists = Vec::new();
        while self.0.last()?.0 == "list" {
            lists.push(self.list("list")?);
        }
        Some(lists)
    }
}
