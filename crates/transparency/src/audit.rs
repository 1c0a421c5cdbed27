// SPDX-License-Identifier: AGPL-3.0-or-later
//! A second verifier of akd's append-only proof, written from what the tree is and not from akd's code.
//!
//! One library bug must not blind every auditor: an earlier akd took a proof that rewrote a value. So this page shares
//! nothing with it but BLAKE3: its own reader of the blob, its own tree. The terminal's `audit` runs both.
//!
//! The directory is a binary trie over 256-bit labels, with chains of single children left out. The *blob* of an
//! epoch names the subtrees that the epoch did not touch (`unchanged`: a label of 1 to 256 bits and the hash of what
//! is under it) and the leaves it added (`inserted`: 256 bits and a commitment). From that:
//!
//! 1. No label is the beginning of another, in both lists together. Otherwise one of the two hashes would be left
//!    out of a root, which is how a value was rewritten.
//! 2. The root over the unchanged subtrees is the root before.
//! 3. The root over the unchanged subtrees and the new leaves is the root after.
//!
//! Then every leaf of the tree before is in the tree after.
//!
//! Spec: `docs/book/ledger.md`, 1 and 2; akd 0.13, `whatsapp_v1`.

use sha2::{Digest as _, Sha256};

use crate::ledger::entry::KtEpoch;

/// A longer blob is not read: over 100,000 changes in one epoch.
pub const BLOB_BYTES: usize = 64 * 1024 * 1024;

/// Why an epoch did not only add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The blob is not the one that the entry names.
    #[error("the blob is not the one that the ledger names")]
    OtherBlob,
    /// Not akd's encoding of such a proof, or too long.
    #[error("not an append-only proof")]
    Form,
    /// A label has the wrong length, or is the beginning of another.
    #[error("a label of the proof is the beginning of another")]
    Overlap,
    /// The unchanged part is not the tree before.
    #[error("the proof does not begin at the root before")]
    Before,
    /// With what is new, it is not the tree after.
    #[error("the proof does not end at the root after")]
    After,
    /// More or fewer leaves than the labels that the entry counts: one for a new label, two for one that changed.
    #[error("the proof adds another number of labels than the ledger says")]
    Labels,
}

/// That the epoch `entry` is the directory of the entry before, and more.
///
/// # Errors
/// [`AuditError`].
pub fn verify(entry: &KtEpoch, blob: &[u8]) -> Result<(), AuditError> {
    let hash: [u8; 32] = Sha256::digest(blob).into();
    if entry.audit_blob != Some(hash) {
        return Err(AuditError::OtherBlob);
    }
    let leaves = verify_blob(blob, &entry.previous_root, &entry.root, entry.epoch)?;
    if leaves < entry.labels || leaves > entry.labels.saturating_mul(2) {
        return Err(AuditError::Labels);
    }
    Ok(())
}

/// That the tree with root `after`, of this epoch, has every leaf of the tree with root `before`. Returns how many
/// leaves are new.
///
/// # Errors
/// [`AuditError`].
pub fn verify_blob(
    blob: &[u8],
    before: &[u8; 32],
    after: &[u8; 32],
    epoch: u64,
) -> Result<u64, AuditError> {
    if blob.len() > BLOB_BYTES {
        return Err(AuditError::Form);
    }
    let Blob { mut inserted, unchanged: mut nodes } = Blob::read(blob).ok_or(AuditError::Form)?;
    if inserted.iter().any(|leaf| leaf.label.bits != 256)
        || nodes.iter().any(|node| node.label.bits == 0)
    {
        return Err(AuditError::Overlap);
    }
    for leaf in &mut inserted {
        leaf.hash = blake3(&[&leaf.hash, &epoch.to_be_bytes()]);
    }
    sort(&mut nodes)?;
    if root(&nodes) != *before {
        return Err(AuditError::Before);
    }
    let leaves = inserted.len() as u64;
    nodes.append(&mut inserted);
    sort(&mut nodes)?;
    if root(&nodes) == *after { Ok(leaves) } else { Err(AuditError::After) }
}

/// The first `bits` bits of 32 bytes; the rest is zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    value: [u8; 32],
    bits: u32,
}

impl Label {
    const ROOT: Self = Self { value: [0; 32], bits: 0 };
    /// Stands for a child that is not there.
    const NOBODY: Self = Self { value: [1; 32], bits: 0 };

    fn bit(&self, place: u32) -> bool {
        let byte = self.value.get(place as usize / 8).copied().unwrap_or(0);
        byte >> (7 - place % 8) & 1 == 1
    }

    fn common_bits(&self, other: &Self) -> u32 {
        let differ = self.value.iter().zip(other.value).position(|(a, b)| *a != b);
        let common = differ.map_or(256, |place| {
            let pair = self.value.get(place).zip(other.value.get(place));
            place as u32 * 8 + pair.map_or(0, |(a, b)| (a ^ b).leading_zeros())
        });
        common.min(self.bits).min(other.bits)
    }

    fn first_bits(&self, bits: u32) -> Self {
        let mut value = self.value;
        for (byte, begins) in value.iter_mut().zip((0..).step_by(8)) {
            *byte &= match bits.saturating_sub(begins) {
                0 => 0,
                kept @ 1..8 => 0xff << (8 - kept),
                _ => 0xff,
            };
        }
        Self { value, bits }
    }

    fn hash(&self) -> [u8; 32] {
        blake3(&[&self.bits.to_be_bytes(), &self.value])
    }
}

#[derive(Clone, Copy)]
struct Node {
    label: Label,
    hash: [u8; 32],
}

impl Node {
    /// What its parent hashes of it.
    fn bound(&self) -> [u8; 32] {
        blake3(&[&self.hash, &self.label.hash()])
    }

    fn nobody() -> Self {
        let label = Label::NOBODY;
        Self { label, hash: blake3(&[&blake3(&[&[0]]), &label.hash()]) }
    }

    fn parent(label: Label, left: &Self, right: &Self) -> Self {
        Self { label, hash: blake3(&[&left.bound(), &right.bound()]) }
    }
}

/// Sorts by label, and refuses a label that another begins with: it would stand right before one of those.
fn sort(nodes: &mut [Node]) -> Result<(), AuditError> {
    nodes.sort_unstable_by_key(|node| node.label);
    let mut pairs = nodes.iter().zip(nodes.iter().skip(1));
    if pairs.any(|(a, b)| a.label.common_bits(&b.label) == a.label.bits) {
        return Err(AuditError::Overlap);
    }
    Ok(())
}

/// The root over sorted nodes of which none begins with another.
fn root(nodes: &[Node]) -> [u8; 32] {
    let (zeros, ones) = nodes.split_at(nodes.partition_point(|node| !node.label.bit(0)));
    let hash = match (subtree(zeros), subtree(ones)) {
        (None, None) => blake3(&[&[0]]),
        (left, right) => {
            let (left, right) =
                (left.unwrap_or_else(Node::nobody), right.unwrap_or_else(Node::nobody));
            Node::parent(Label::ROOT, &left, &right).hash
        }
    };
    Node { label: Label::ROOT, hash }.bound()
}

/// One node over all of these. At most 256 deep: each step is at least a bit further.
fn subtree(nodes: &[Node]) -> Option<Node> {
    let (first, last) = (nodes.first()?, nodes.last()?);
    if nodes.len() == 1 {
        return Some(*first);
    }
    let bits = first.label.common_bits(&last.label);
    let (zeros, ones) = nodes.split_at(nodes.partition_point(|node| !node.label.bit(bits)));
    Some(Node::parent(first.label.first_bits(bits), &subtree(zeros)?, &subtree(ones)?))
}

fn blake3(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// akd's `SingleAppendOnlyProof`, in the one form that akd writes.
struct Blob {
    inserted: Vec<Node>,
    unchanged: Vec<Node>,
}

impl Blob {
    fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut blob = Self { inserted: Vec::new(), unchanged: Vec::new() };
        while !bytes.is_empty() {
            let (tag, rest) = varint(bytes)?;
            let (element, rest) = sized(rest)?;
            let list = match tag {
                0x0a if blob.unchanged.is_empty() => &mut blob.inserted,
                0x12 => &mut blob.unchanged,
                _ => return None,
            };
            list.push(element_of(element)?);
            bytes = rest;
        }
        Some(blob)
    }
}

/// `AzksElement { NodeLabel { bytes label_val = 1; uint32 label_len = 2 } label = 1; bytes value = 2 }`.
fn element_of(bytes: &[u8]) -> Option<Node> {
    let (label, rest) = sized(bytes.strip_prefix(&[0x0a])?)?;
    let (hash, rest) = sized(rest.strip_prefix(&[0x12])?)?;
    let (value, bits) = sized(label.strip_prefix(&[0x0a])?)?;
    let (bits, nothing) = varint(bits.strip_prefix(&[0x10])?)?;
    let bits = u32::try_from(bits).ok().filter(|bits| *bits <= 256)?;
    // Zeros at the end are not written.
    if !rest.is_empty() || !nothing.is_empty() || value.len() > 32 || value.last() == Some(&0) {
        return None;
    }
    let mut whole = [0; 32];
    whole.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
    let label = Label { value: whole, bits };
    (label.first_bits(bits) == label).then_some(Node { label, hash: hash.try_into().ok()? })
}

fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = varint(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// A protobuf number of at most 32 bits, in its shortest form.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let shortest = place == 0 || *byte != 0;
            return shortest
                .then(|| bytes.split_at_checked(place + 1))
                .flatten()
                .map(|(_, rest)| (value, rest));
        }
    }
    None
}
