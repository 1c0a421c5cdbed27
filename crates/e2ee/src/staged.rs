// SPDX-License-Identifier: AGPL-3.0-or-later
//! A commit of another member: opened, judged, not yet merged.

use ed25519_dalek::{Signature, VerifyingKey};
use nodoor_wire::{
    header::{COMMIT_LABEL, CommitHeader},
    id::{AccountId, RoomId, signed_bytes},
    proto,
};
use openmls::prelude::{LeafNodeIndex, Proposal, Sender as MlsSender, StagedCommit};
use sha2::{Digest as _, Sha256};

use crate::{
    group::{Group, Leaf, ROSTER_LABEL, roster_of},
    key_package, leaf,
    open::OpenError,
    room::RoomContext,
    suite,
};

/// Why a header is refused. All of it is the signer's or the server's fault; keep the commit as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not a header.
    #[error("the header does not decode")]
    Malformed,
    /// Of another room, epoch or frame.
    #[error("the header is not of this commit")]
    NotThis,
    /// The signing key is no commit key of this epoch.
    #[error("signed by no commit key of this epoch")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the header's signature does not hold")]
    Signature,
    /// Signed by another member than the one who made the commit.
    #[error("signed by another member than the committer")]
    NotTheCommitter,
    /// The next epoch's roster is not the one announced to the server.
    #[error("the next roster is not what the header says")]
    NextRoster,
    /// The next epoch's key is not the one announced to the server.
    #[error("the next key is not what the header says")]
    NextKey,
}

/// A leaf that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The leaf as it was.
    pub leaf: Leaf,
    /// Whose device proposed it: its own account when it leaves.
    pub proposer: AccountId,
}

/// What a commit would do.
pub struct Staged {
    /// Who made it, as its leaf was before.
    pub committer: Leaf,
    /// Its leaf afterwards; `None` if the commit has no update path.
    pub committer_after: Option<Leaf>,
    /// Leaves that enter, at the index they get.
    pub added: Vec<Leaf>,
    /// Leaves that go.
    pub removed: Vec<Removed>,
    /// What the room is afterwards.
    pub context_after: RoomContext,
    /// Whether this device goes.
    pub self_removed: bool,
    room: RoomId,
    leaves_after: Vec<Leaf>,
    mls: Box<StagedCommit>,
}

impl Staged {
    pub(crate) fn new(
        group: &Group,
        committer: u32,
        mls: Box<StagedCommit>,
    ) -> Result<Self, OpenError> {
        let committer = group.leaf(committer).ok_or(OpenError::Forged)?.clone();
        let after = After::of(group, &committer, &mls)?;
        let context_after =
            suite::room_context(mls.group_context().extensions()).ok_or(OpenError::Forged)?;
        Ok(Self {
            committer,
            committer_after: after.committer,
            added: after.added,
            removed: after.removed,
            context_after,
            self_removed: mls.self_removed(),
            room: group.room,
            leaves_after: after.leaves,
            mls,
        })
    }

    /// Whether the header (see [`Group::verify_header`]) is signed by the committer and announces the roster and
    /// key that follow from this commit. A removed device cannot know the latter two and skips them.
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn matches_header(&self, commit: &proto::StoredCommit) -> Result<(), HeaderError> {
        let header =
            CommitHeader::from_slice(&commit.header).map_err(|_| HeaderError::Malformed)?;
        if commit.commit_key != self.committer.commit_key.as_slice() {
            return Err(HeaderError::NotTheCommitter);
        }
        if self.self_removed {
            return Ok(());
        }
        let next = NextRoster::of(&self.room, &self.leaves_after, &self.mls)
            .ok_or(HeaderError::NextRoster)?;
        if header.next_roster.as_slice() != Sha256::digest(&next.sealed).as_slice() {
            return Err(HeaderError::NextRoster);
        }
        if header.next_key_check.as_slice() != next.key_check {
            return Err(HeaderError::NextKey);
        }
        Ok(())
    }

    /// All leaves afterwards, by index.
    #[must_use]
    pub fn leaves_after(&self) -> &[Leaf] {
        &self.leaves_after
    }

    pub(crate) fn into_mls(self) -> StagedCommit {
        *self.mls
    }
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Staged(+{} -{})", self.added.len(), self.removed.len())
    }
}

pub(crate) fn verify_header(
    group: &Group,
    commit: &proto::StoredCommit,
) -> Result<(), HeaderError> {
    let header = CommitHeader::from_slice(&commit.header).map_err(|_| HeaderError::Malformed)?;
    let epoch = group.epoch();
    if commit.epoch != epoch || !header.covers(&group.room, epoch, &commit.frame) {
        return Err(HeaderError::NotThis);
    }
    let key = <[u8; 32]>::try_from(commit.commit_key.as_ref())
        .ok()
        .filter(|key| group.leaves().iter().any(|leaf| leaf.commit_key == *key))
        .ok_or(HeaderError::UnknownKey)?;
    let key = VerifyingKey::from_bytes(&key).map_err(|_| HeaderError::Signature)?;
    let signature = Signature::from_slice(&commit.signature).map_err(|_| HeaderError::Signature)?;
    key.verify_strict(&signed_bytes(COMMIT_LABEL, &commit.header), &signature)
        .map_err(|_| HeaderError::Signature)
}

/// The tree a staged commit leads to.
pub(crate) struct After {
    pub(crate) committer: Option<Leaf>,
    pub(crate) added: Vec<Leaf>,
    pub(crate) removed: Vec<Removed>,
    pub(crate) leaves: Vec<Leaf>,
}

impl After {
    /// Replays proposals as RFC 9420, 12.4.2 applies them: removals, then additions, each at the leftmost free leaf.
    /// Proposals this protocol does not use are refused, whoever sent them.
    pub(crate) fn of(
        group: &Group,
        committer: &Leaf,
        staged: &StagedCommit,
    ) -> Result<Self, OpenError> {
        let by_committer = MlsSender::Member(LeafNodeIndex::new(committer.index));
        let mut leaves = group.leaves().to_vec();
        let mut removed = Vec::new();
        let mut entering = Vec::new();
        for queued in staged.queued_proposals() {
            let MlsSender::Member(sender) = queued.sender() else {
                return Err(OpenError::Forged);
            };
            let proposer = group.leaf(sender.u32()).ok_or(OpenError::Forged)?;
            match queued.proposal() {
                Proposal::Add(add) if *queued.sender() == by_committer => {
                    // The same for everybody, whatever the time: see `key_package::lifetime`.
                    if *add.key_package().life_time() != key_package::lifetime() {
                        return Err(OpenError::Forged);
                    }
                    entering.push(add.key_package().leaf_node());
                }
                Proposal::Remove(remove) => {
                    let index = remove.removed().u32();
                    let leaf = group.leaf(index).ok_or(OpenError::Forged)?.clone();
                    leaves.retain(|leaf| leaf.index != index);
                    removed.push(Removed { leaf, proposer: proposer.name.account });
                }
                Proposal::GroupContextExtensions(_) if *queued.sender() == by_committer => {}
                _ => return Err(OpenError::Forged),
            }
        }
        let path = staged.update_path_leaf_node();
        let after = path
            .map(|node| leaf::read(committer.index, node))
            .transpose()
            .map_err(|_| OpenError::Forged)?;
        if let Some(after) = &after {
            leaves.retain(|leaf| leaf.index != after.index);
            leaves.push(after.clone());
        }
        leaves.sort_unstable_by_key(|leaf| leaf.index);
        let mut added = Vec::new();
        for node in entering {
            let free = first_free(&leaves);
            let leaf = leaf::read(free, node).map_err(|_| OpenError::Forged)?;
            leaves.insert(free as usize, leaf.clone());
            added.push(leaf);
        }
        Ok(Self { committer: after, added, removed, leaves })
    }
}

/// The smallest index no leaf has; also its place among leaves sorted by index.
fn first_free(leaves: &[Leaf]) -> u32 {
    (0u32..)
        .zip(leaves)
        .find(|(index, leaf)| *index != leaf.index)
        .map_or(u32::try_from(leaves.len()).unwrap_or(u32::MAX), |(index, _)| index)
}

/// What the server is told of the next epoch.
pub(crate) struct NextRoster {
    pub(crate) sealed: Vec<u8>,
    pub(crate) key_check: [u8; 32],
}

impl NextRoster {
    /// `None` if this device is no member then, or if a token or commit key is there twice.
    pub(crate) fn of(room: &RoomId, leaves: &[Leaf], staged: &StagedCommit) -> Option<Self> {
        let key = staged
            .export_secret(&suite::crypto(), ROSTER_LABEL, room.as_bytes(), 32)
            .ok()
            .and_then(|key| <[u8; 32]>::try_from(key).ok())?;
        let sealed = roster_of(leaves).ok()?.seal(&key, room, staged.epoch().as_u64());
        Some(Self { sealed, key_check: Sha256::digest(key).into() })
    }
}
