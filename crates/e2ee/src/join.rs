// SPDX-License-Identifier: AGPL-3.0-or-later
//! Welcomes: a room somebody added this device to, looked at before it is entered.

use nodoor_wire::id::{RoomId, Token};
use openmls::prelude::{
    MlsMessageBodyIn, MlsMessageIn, StagedWelcome, Welcome, WelcomeError,
    tls_codec::DeserializeBytes as _,
};

use crate::{
    group::{Group, GroupError, Leaf},
    leaf::Place,
    room::RoomContext,
    store::{Damaged, KeyValue, Provider},
    suite::{self, SUITE},
};

/// Why a Welcome is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Nobody's fault: it was used before, or is for another device. Drop it.
    #[error("no key package of ours fits this Welcome")]
    NotForUs,
    /// The peer's or the server's fault: not a Welcome.
    #[error("not a Welcome")]
    Malformed,
    /// The peer's fault: another suite.
    #[error("a Welcome to a room of another suite")]
    Suite,
    /// The peer's fault: the room lets anybody in who holds a key it publishes.
    #[error("a Welcome to a room open to external joins")]
    ExternalJoins,
    /// The peer's fault: signatures, tree, extensions or leaves are not those of a room.
    #[error("forged")]
    Forged,
    /// Nobody's fault: the caller did not want it.
    #[error("a Welcome that is not wanted")]
    Unwanted,
    /// The surroundings' fault, or ours.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// A room this device was added to. Everything is already written to the store as if it were joined: the
/// key package is used up and the room's state is there. Ask the gate about every leaf, then call
/// [`Candidate::join`], or throw the open transaction away; then the Welcome can be opened again.
pub struct Candidate {
    group: Group,
    sender: Leaf,
    offer: Token,
    last_resort: bool,
    replaces: Option<Replaced>,
}

/// The state of the same room that this device held before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Its epoch.
    pub epoch: u64,
    /// Whether this device still was a member as far as it knew.
    pub was_active: bool,
    /// What the room was then.
    pub context: RoomContext,
}

impl Candidate {
    /// Opens a TLS-encoded Welcome. Sizes are the caller's to limit before.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn open(store: &dyn KeyValue, welcome: &[u8]) -> Result<Self, JoinError> {
        Self::open_if(store, welcome, |_| true)
    }

    /// The same, if it is wanted: asked by what the room claims to be, before its tree is verified, which is the
    /// work of it.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn open_if(
        store: &dyn KeyValue,
        welcome: &[u8],
        wanted: impl FnOnce(&RoomContext) -> bool,
    ) -> Result<Self, JoinError> {
        let welcome = parse(welcome)?;
        if welcome.ciphersuite() != SUITE {
            return Err(JoinError::Suite);
        }
        let provider = Provider::new(store);
        let builder = StagedWelcome::build_from_welcome(&provider, &suite::join_config(), welcome)
            .map_err(class)?;
        let processed = builder.processed_welcome();
        let info = processed.unverified_group_info();
        if info.extensions().external_pub().is_some() {
            return Err(JoinError::ExternalJoins);
        }
        let claimed = suite::room_context(info.group_context().extensions());
        if !wanted(&claimed.ok_or(JoinError::Forged)?) {
            return Err(JoinError::Unwanted);
        }
        if !processed.psks().is_empty() {
            return Err(JoinError::Forged);
        }
        let own = processed.own_key_package().ok_or(JoinError::NotForUs)?;
        let last_resort = own.last_resort();
        let offer = suite::leaf_keys(own.leaf_node().extensions()).ok_or(Damaged)?.token;
        let room = suite::room_id(info.group_id()).ok_or(JoinError::Forged)?;
        let replaces = match Group::load(store, &room).map_err(|_| Damaged)? {
            Some(old) => {
                let (epoch, was_active) = (old.epoch(), old.is_active());
                let replaced = Replaced { epoch, was_active, context: old.context().clone() };
                old.delete(store).map_err(|_| Damaged)?;
                Some(replaced)
            }
            None => None,
        };
        // A clock decides nothing about a tree its members agree on (the gate looks at none either).
        let staged = builder.skip_lifetime_validation().build().map_err(class)?;
        let sender = staged.welcome_sender_index().u32();
        let group = staged.into_group(&provider).map_err(class)?;
        let group = Group::of(group).map_err(|error| match error {
            GroupError::Damaged(damaged) => damaged.into(),
            _ => JoinError::Forged,
        })?;
        let sender = group.leaf(sender).ok_or(JoinError::Forged)?.clone();
        // OpenMLS finds our leaf by the signature key, which all our key packages have.
        if group.own_leaf().is_none_or(|own| own.token != offer) {
            return Err(JoinError::Forged);
        }
        Ok(Self { group, sender, offer, last_resort, replaces })
    }

    /// The room.
    #[must_use]
    pub fn room(&self) -> RoomId {
        self.group.room()
    }

    /// The epoch it is joined in.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.group.epoch()
    }

    /// What the room is.
    #[must_use]
    pub fn context(&self) -> &RoomContext {
        self.group.context()
    }

    /// All leaves, this device's included.
    #[must_use]
    pub fn leaves(&self) -> &[Leaf] {
        self.group.leaves()
    }

    /// Who added this device.
    #[must_use]
    pub fn sender(&self) -> &Leaf {
        &self.sender
    }

    /// Where this device sits.
    #[must_use]
    pub fn own_index(&self) -> u32 {
        self.group.own_index()
    }

    /// The token of the key package it came by, which is the own leaf's.
    #[must_use]
    pub fn offer(&self) -> Token {
        self.offer
    }

    /// Whether it came by the last-resort key package: take a fresh token with the first commit
    /// ([`crate::group::Change::token`]).
    #[must_use]
    pub fn is_last_resort(&self) -> bool {
        self.last_resort
    }

    /// What this device held of the same room. A removed device is added again this way, and one that is stuck;
    /// in any other room a Welcome that replaces an active state is an attack, and the caller refuses it.
    #[must_use]
    pub fn replaces(&self) -> Option<&Replaced> {
        self.replaces.as_ref()
    }

    /// Enters the room.
    ///
    /// # Errors
    /// [`JoinError::Damaged`]: the private half of the own leaf's commit key is gone.
    pub fn join(self, store: &dyn KeyValue) -> Result<Group, JoinError> {
        let own = self.group.own_leaf().ok_or(JoinError::Forged)?.commit_key;
        let secret = Place::KeyPackage.find(store, &own).ok_or(Damaged)?;
        Place::Room(&self.group.room).keep(store, &secret);
        if !self.last_resort {
            Place::KeyPackage.forget(store, &own);
        }
        Ok(self.group)
    }
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Candidate({:?})", self.group)
    }
}

fn parse(bytes: &[u8]) -> Result<Welcome, JoinError> {
    let message =
        MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| JoinError::Malformed)?;
    match message.extract() {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(JoinError::Malformed),
    }
}

fn class(error: WelcomeError<Damaged>) -> JoinError {
    match error {
        WelcomeError::NoMatchingKeyPackage | WelcomeError::JoinerSecretNotFound => {
            JoinError::NotForUs
        }
        WelcomeError::CiphersuiteMismatch | WelcomeError::UnsupportedCiphersuite(_) => {
            JoinError::Suite
        }
        WelcomeError::StorageError(damaged) => damaged.into(),
        _ => JoinError::Forged,
    }
}
