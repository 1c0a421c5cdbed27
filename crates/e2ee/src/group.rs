// SPDX-License-Identifier: AGPL-3.0-or-later
//! A room as one of its members holds it.
//!
//! A commit from another member goes through in this order, and each step can stop it:
//! [`Group::verify_header`] → [`Group::open`] → the caller's gate over [`crate::staged::Staged`] →
//! `Staged::matches_header` → [`Group::merge`]. One's own goes [`Group::commit`] → the server's yes →
//! [`Group::merge_pending`], or its no → [`Group::drop_pending`].

use nodoor_wire::{
    id::{RoomId, Token},
    proto,
    roster::Roster,
};
use openmls::prelude::{
    MlsGroup, MlsMessageOut, OpenMlsProvider as _, Sender as MlsSender, tls_codec::Serialize as _,
};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};

use crate::{
    commit,
    identity::{Identity, LeafName},
    key_package::KeyPackageError,
    leaf::{self, LeafKeys, Place},
    open::{self, OpenError, Opened},
    room::RoomContext,
    staged::{self, HeaderError, Staged},
    store::{Damaged, KeyValue, Provider},
    suite::{self, SUITE},
};

/// Exporter label of the roster key; its context is the room id.
pub(crate) const ROSTER_LABEL: &str = "nodoor roster";

/// One device in a room. A claim until the gate has judged it; its MLS key has signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Where it sits in the tree.
    pub index: u32,
    /// What its credential says.
    pub name: LeafName,
    /// Its MLS signature key.
    pub mls_key: [u8; 32],
    /// What it is reached by.
    pub token: Token,
    /// What signs its next commit's header.
    pub commit_key: [u8; 32],
    /// It has committed since it was added, so its device has read its Welcome.
    pub has_committed: bool,
}

/// A leaf whose credential or `nodoor_leaf` extension does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("leaf {index} does not decode")]
pub struct BadLeaf {
    /// Where it sits, or would have.
    pub index: u32,
}

/// What one commit does, beside renewing the own leaf's keys. Empty: only that.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Key packages of the devices to add.
    pub add: Vec<Vec<u8>>,
    /// Leaf indexes to remove; not the own one (see [`Group::propose_leave`]).
    pub remove: Vec<u32>,
    /// The new description, if it changes.
    pub context: Option<RoomContext>,
    /// A new delivery token for the own leaf, already registered; `None` keeps the one it has. Wanted once
    /// after joining by a last-resort key package, whose token other rooms may have as well.
    pub token: Option<Token>,
}

/// Why something was not done. The group in memory and what was written must be thrown away, except after
/// the caller's faults, which change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// The caller's fault: this device is no member any more.
    #[error("this device was removed from the room")]
    Removed,
    /// The caller's fault: a commit of ours waits for the server's answer.
    #[error("a commit of ours is pending")]
    Pending,
    /// The caller's fault: somebody's leave must be committed before anything is sent (RFC 9420, 12.4).
    #[error("a proposal must be committed first")]
    CommitFirst,
    /// The caller's fault: MLS refuses such a change (a leaf that is not there, the own one, one twice).
    #[error("the change is not possible")]
    Impossible,
    /// The peer's fault, found before anything was encrypted to it.
    #[error(transparent)]
    KeyPackage(#[from] KeyPackageError),
    /// The peer's fault: a leaf that does not decode.
    #[error(transparent)]
    Leaf(#[from] BadLeaf),
    /// The peer's fault: the GroupContext is not one of a room.
    #[error("not a room of ours")]
    Context,
    /// The surroundings' fault.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// Our fault: OpenMLS refused what it should do.
    #[error("unexpected failure: {0}")]
    Unexpected(&'static str),
}

/// A room and this device's secrets in it. The store holds the same; nothing is written at drop.
pub struct Group {
    pub(crate) mls: MlsGroup,
    pub(crate) room: RoomId,
    context: RoomContext,
    leaves: Vec<Leaf>,
}

impl Group {
    /// Makes a room with this device alone, epoch 0. `room` is random and new.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn found(
        store: &dyn KeyValue,
        me: &Identity,
        room: RoomId,
        context: RoomContext,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, GroupError> {
        let provider = Provider::new(store);
        let commit_key = leaf::draw_commit_key(rng);
        let keys = LeafKeys {
            token: crate::token::draw(store, rng),
            commit_key: commit_key.verifying_key().to_bytes(),
        };
        let extensions = suite::room_extensions(&context).ok_or(GroupError::Impossible)?;
        let own = suite::leaf_extensions(&keys).ok_or(GroupError::Impossible)?;
        let mls = MlsGroup::builder()
            .with_group_id(suite::group_id(&room))
            .ciphersuite(SUITE)
            .with_wire_format_policy(openmls::prelude::PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .padding_size(suite::PADDING)
            .max_past_epochs(suite::PAST_EPOCHS)
            .sender_ratchet_configuration(suite::ratchets())
            .use_ratchet_tree_extension(true)
            .with_capabilities(suite::capabilities())
            .with_group_context_extensions(extensions)
            .with_leaf_node_extensions(own)
            .map_err(|_| GroupError::Unexpected("own leaf"))?
            .build(&provider, me, me.credential())
            .map_err(|_| GroupError::Unexpected("founding"))?;
        Place::Room(&room).keep(store, &commit_key);
        Self::of(mls)
    }

    /// Reads a room from the store; `None` if it holds none of that id.
    ///
    /// # Errors
    /// [`GroupError::Damaged`], [`GroupError::Leaf`], [`GroupError::Context`]: what is stored is not what was.
    pub fn load(store: &dyn KeyValue, room: &RoomId) -> Result<Option<Self>, GroupError> {
        let provider = Provider::new(store);
        MlsGroup::load(provider.storage(), &suite::group_id(room))?.map(Self::of).transpose()
    }

    pub(crate) fn of(mls: MlsGroup) -> Result<Self, GroupError> {
        let room = suite::room_id(mls.group_id()).ok_or(GroupError::Context)?;
        let context = suite::room_context(mls.extensions()).ok_or(GroupError::Context)?;
        let leaves = read_leaves(&mls)?;
        Ok(Self { mls, room, context, leaves })
    }

    /// The room.
    #[must_use]
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// What the room is.
    #[must_use]
    pub fn context(&self) -> &RoomContext {
        &self.context
    }

    /// All leaves, by index.
    #[must_use]
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The leaf at an index.
    #[must_use]
    pub fn leaf(&self, index: u32) -> Option<&Leaf> {
        self.leaves.iter().find(|leaf| leaf.index == index)
    }

    /// Where this device sits (or sat).
    #[must_use]
    pub fn own_index(&self) -> u32 {
        self.mls.own_leaf_index().u32()
    }

    /// Whether this device is still a member.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.mls.is_active()
    }

    /// Whether a commit of ours waits for [`Group::merge_pending`] or [`Group::drop_pending`].
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.mls.pending_commit().is_some()
    }

    /// Whether somebody else asked to leave: commit before sending. The leaver itself does neither.
    #[must_use]
    pub fn must_commit(&self) -> bool {
        let own = MlsSender::Member(self.mls.own_leaf_index());
        self.mls.pending_proposals().any(|proposal| *proposal.sender() != own)
    }

    /// Leaves whose devices asked to leave in this epoch.
    #[must_use]
    pub fn leaving(&self) -> Vec<u32> {
        let asked = self.mls.pending_proposals().filter_map(|proposal| match proposal.sender() {
            MlsSender::Member(leaf) => Some(leaf.u32()),
            _ => None,
        });
        asked.collect()
    }

    /// Whether this device asked to leave in this epoch.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        let own = MlsSender::Member(self.mls.own_leaf_index());
        self.mls.pending_proposals().any(|proposal| *proposal.sender() == own)
    }

    /// The key of this epoch's roster: showing it is the permission to act in the room.
    ///
    /// # Errors
    /// [`GroupError::Removed`].
    pub fn roster_key(&self) -> Result<[u8; 32], GroupError> {
        self.mls
            .export_secret(&suite::crypto(), ROSTER_LABEL, self.room.as_bytes(), 32)
            .ok()
            .and_then(|key| <[u8; 32]>::try_from(key).ok())
            .ok_or(GroupError::Removed)
    }

    /// The key under which members tell each other that they type ([`crate::typing`]).
    pub(crate) fn typing_key(&self) -> Result<[u8; 32], GroupError> {
        self.mls
            .export_secret(&suite::crypto(), "nodoor typing", self.room.as_bytes(), 32)
            .ok()
            .and_then(|key| <[u8; 32]>::try_from(key).ok())
            .ok_or(GroupError::Removed)
    }

    /// SHA-256 of the roster key: what the server keeps.
    ///
    /// # Errors
    /// [`GroupError::Removed`].
    pub fn key_check(&self) -> Result<[u8; 32], GroupError> {
        Ok(Sha256::digest(self.roster_key()?).into())
    }

    /// Tokens and commit keys of this epoch.
    ///
    /// # Errors
    /// [`GroupError::Impossible`]: a token or commit key is there twice, which the gate never lets in.
    pub fn roster(&self) -> Result<Roster, GroupError> {
        roster_of(&self.leaves)
    }

    /// The roster under this epoch's key; the same for every member.
    ///
    /// # Errors
    /// [`GroupError::Removed`], [`GroupError::Impossible`].
    pub fn sealed_roster(&self) -> Result<Vec<u8>, GroupError> {
        Ok(self.roster()?.seal(&self.roster_key()?, &self.room, self.epoch()))
    }

    /// RFC 9420's epoch authenticator: equal for members who share the epoch's secrets.
    #[must_use]
    pub fn epoch_authenticator(&self) -> Vec<u8> {
        self.mls.epoch_authenticator().as_slice().to_vec()
    }

    /// Makes a commit, complete and signed, and stages it. It always renews the own leaf's keys, and carries
    /// out what others proposed (leaves). The header is signed with this epoch's commit key of this device.
    /// Write, then send; the bytes of a repetition must be these.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn commit(
        &mut self,
        store: &dyn KeyValue,
        me: &Identity,
        change: Change,
        rng: &mut dyn CryptoRng,
    ) -> Result<proto::Commit, GroupError> {
        commit::make(self, store, me, change, rng)
    }

    /// The server took our commit: enter its epoch. Without a pending commit nothing happens.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn merge_pending(&mut self, store: &dyn KeyValue) -> Result<(), GroupError> {
        let before = self.own_leaf().map(|leaf| leaf.commit_key);
        self.mls
            .merge_pending_commit(&Provider::new(store))
            .map_err(|_| GroupError::Unexpected("merging the own commit"))?;
        self.entered(store, before)
    }

    /// Another commit took the epoch: forget ours and its new commit key.
    ///
    /// # Errors
    /// [`GroupError::Damaged`].
    pub fn drop_pending(&mut self, store: &dyn KeyValue) -> Result<(), GroupError> {
        let fresh = self
            .mls
            .pending_commit()
            .and_then(|pending| pending.update_path_leaf_node())
            .and_then(|node| suite::leaf_keys(node.extensions()));
        if let Some(fresh) = fresh {
            Place::Room(&self.room).forget(store, &fresh.commit_key);
        }
        self.mls.clear_pending_commit(Provider::new(store).storage())?;
        Ok(())
    }

    /// Asks the others to remove this device: a proposal for one of them to commit. Afterwards this device
    /// sends nothing more in this epoch.
    ///
    /// # Errors
    /// [`GroupError::Removed`], [`GroupError::Pending`].
    pub fn propose_leave(
        &mut self,
        store: &dyn KeyValue,
        me: &Identity,
    ) -> Result<Vec<u8>, GroupError> {
        self.check_idle()?;
        let message = self
            .mls
            .leave_group(&Provider::new(store), me)
            .map_err(|_| GroupError::Unexpected("proposing to leave"))?;
        to_frame(&message)
    }

    /// Encrypts a payload, already padded to its class (`crate::payload`), to all members of this epoch.
    ///
    /// # Errors
    /// [`GroupError::Removed`], [`GroupError::CommitFirst`].
    pub fn seal(
        &mut self,
        store: &dyn KeyValue,
        me: &Identity,
        payload: &[u8],
    ) -> Result<Vec<u8>, GroupError> {
        if !self.is_active() {
            return Err(GroupError::Removed);
        }
        if self.mls.pending_proposals().next().is_some() {
            return Err(GroupError::CommitFirst);
        }
        let message = self
            .mls
            .create_message(&Provider::new(store), me, payload)
            .map_err(|_| GroupError::Unexpected("encrypting"))?;
        to_frame(&message)
    }

    /// Opens a frame of another member. A leave is kept for the next commit, a commit is only staged. Each uses
    /// up the frame's key, a commit's as well: a caller that cannot decide about it yet throws the transaction and
    /// this group away, and opens it again later.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&mut self, store: &dyn KeyValue, frame: &[u8]) -> Result<Opened, OpenError> {
        open::open(self, store, frame)
    }

    /// Whether a commit's header is of this room, epoch and frame and signed by a commit key of *this* epoch's
    /// tree. To be asked before [`Group::open`].
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn verify_header(&self, commit: &proto::StoredCommit) -> Result<(), HeaderError> {
        staged::verify_header(self, commit)
    }

    /// Enters the epoch of another member's commit; a pending one of ours is dropped. If the commit removed
    /// this device, the group is inactive afterwards.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn merge(&mut self, store: &dyn KeyValue, staged: Staged) -> Result<(), GroupError> {
        self.drop_pending(store)?;
        let removed = staged.self_removed;
        let before = self.own_leaf().map(|leaf| leaf.commit_key).filter(|_| removed);
        self.mls
            .merge_staged_commit(&Provider::new(store), staged.into_mls())
            .map_err(|_| GroupError::Unexpected("merging a commit"))?;
        self.entered(store, before)
    }

    /// Forgets the room with all its secrets.
    ///
    /// # Errors
    /// [`GroupError::Damaged`].
    pub fn delete(mut self, store: &dyn KeyValue) -> Result<(), GroupError> {
        self.drop_pending(store)?;
        if let Some(own) = self.own_leaf() {
            Place::Room(&self.room).forget(store, &own.commit_key);
        }
        Ok(self.mls.delete(Provider::new(store).storage())?)
    }

    /// After an epoch: reads the tree again and drops the commit key that is over.
    fn entered(&mut self, store: &dyn KeyValue, over: Option<[u8; 32]>) -> Result<(), GroupError> {
        self.context = suite::room_context(self.mls.extensions()).ok_or(GroupError::Context)?;
        self.leaves = read_leaves(&self.mls)?;
        let own = self.own_leaf().filter(|_| self.is_active()).map(|leaf| leaf.commit_key);
        if let Some(over) = over.filter(|over| Some(*over) != own) {
            Place::Room(&self.room).forget(store, &over);
        }
        Ok(())
    }

    pub(crate) fn own_leaf(&self) -> Option<&Leaf> {
        self.leaf(self.own_index())
    }

    pub(crate) fn check_idle(&self) -> Result<(), GroupError> {
        if !self.is_active() {
            Err(GroupError::Removed)
        } else if self.has_pending() {
            Err(GroupError::Pending)
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Group(epoch {}, {} leaves)", self.epoch(), self.leaves.len())
    }
}

fn read_leaves(mls: &MlsGroup) -> Result<Vec<Leaf>, GroupError> {
    let leaves = mls.treesync().full_leaves();
    Ok(leaves.map(|(index, node)| leaf::read(index.u32(), node)).collect::<Result<_, _>>()?)
}

pub(crate) fn roster_of(leaves: &[Leaf]) -> Result<Roster, GroupError> {
    let tokens = leaves.iter().map(|leaf| leaf.token.0).collect();
    let commit_keys = leaves.iter().map(|leaf| leaf.commit_key).collect();
    Roster::new(tokens, commit_keys).map_err(|_| GroupError::Impossible)
}

pub(crate) fn to_frame(message: &MlsMessageOut) -> Result<Vec<u8>, GroupError> {
    message.tls_serialize_detached().map_err(|_| GroupError::Unexpected("encoding a frame"))
}
