// SPDX-License-Identifier: AGPL-3.0-or-later
//! The header of a commit: what its signer and the server agree on, and every member checks.

use minicbor::{Decode, Encode, bytes::ByteVec};
use sha2::{Digest, Sha256};

use crate::{
    canonical,
    id::{CommitId, RoomId},
    proto,
};

/// Label of the signature over a header, by a commit key of the epoch's roster.
pub const COMMIT_LABEL: &str = "nodoor commit v1";

/// Hashes of everything a commit brings. Canonical CBOR, an array in this order.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CommitHeader {
    /// The room, 32 bytes.
    #[n(0)]
    pub room: ByteVec,
    /// The epoch the commit ends.
    #[n(1)]
    pub epoch: u64,
    /// SHA-256 of the MLS frame.
    #[n(2)]
    pub frame: ByteVec,
    /// SHA-256 of the next epoch's sealed roster.
    #[n(3)]
    pub next_roster: ByteVec,
    /// SHA-256 of the next epoch's roster key.
    #[n(4)]
    pub next_key_check: ByteVec,
    /// SHA-256 over the Welcomes, see [`CommitHeader::of`].
    #[n(5)]
    pub welcomes: ByteVec,
    /// SHA-256 of the sealed tree, or empty.
    #[n(6)]
    pub tree_blob: ByteVec,
}

impl CommitHeader {
    /// The header of a submission, computed from its parts.
    #[must_use]
    pub fn of(commit: &proto::Commit) -> Self {
        let mut welcomes = Sha256::new();
        for welcome in &commit.welcomes {
            welcomes.update((welcome.tokens.len() as u64).to_be_bytes());
            for token in &welcome.tokens {
                welcomes.update(Sha256::digest(token));
            }
            welcomes.update(Sha256::digest(&welcome.body));
        }
        Self {
            room: commit.room.to_vec().into(),
            epoch: commit.epoch,
            frame: digest(&commit.frame),
            next_roster: digest(&commit.next_roster),
            next_key_check: commit.next_key_check.to_vec().into(),
            welcomes: welcomes.finalize().to_vec().into(),
            tree_blob: commit.tree_blob.to_vec().into(),
        }
    }

    /// The canonical bytes that are signed.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(self)
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`canonical::NotCanonical`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, canonical::NotCanonical> {
        canonical::from_slice(bytes)
    }

    /// SHA-256 of the canonical bytes.
    #[must_use]
    pub fn commit_id(&self) -> CommitId {
        CommitId(Sha256::digest(self.to_vec()).into())
    }

    /// Whether the header is of this room and frame.
    #[must_use]
    pub fn covers(&self, room: &RoomId, epoch: u64, frame: &[u8]) -> bool {
        self.room.as_slice() == room.as_bytes()
            && self.epoch == epoch
            && self.frame == digest(frame)
    }
}

fn digest(bytes: &[u8]) -> ByteVec {
    Sha256::digest(bytes).to_vec().into()
}
