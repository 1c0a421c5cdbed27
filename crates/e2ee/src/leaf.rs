// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a leaf carries beside MLS' own: the delivery token and the commit key, with the private half on
//! the disk.

use ed25519_dalek::SigningKey;
use minicbor::{Decode, Encode, bytes::ByteArray};
use nodoor_wire::{
    canonical,
    id::{RoomId, Token},
};
use openmls::prelude::{BasicCredential, LeafNode};
use rand_core::CryptoRng;

use crate::{
    group::{BadLeaf, Leaf},
    identity::LeafName,
    store::KeyValue,
    suite,
};

/// The leaf extension: canonical CBOR `[token, commit public key]`, 32 bytes each.
#[derive(Clone, Copy)]
pub(crate) struct LeafKeys {
    pub(crate) token: Token,
    pub(crate) commit_key: [u8; 32],
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Coded {
    #[n(0)]
    token: ByteArray<32>,
    #[n(1)]
    commit_key: ByteArray<32>,
}

impl LeafKeys {
    pub(crate) fn to_vec(self) -> Vec<u8> {
        canonical::to_vec(&Coded { token: self.token.0.into(), commit_key: self.commit_key.into() })
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let coded: Coded = canonical::from_slice(bytes).ok()?;
        Some(Self { token: Token(coded.token.into()), commit_key: coded.commit_key.into() })
    }
}

/// Reads a leaf; `index` is where it sits or will sit.
pub(crate) fn read(index: u32, node: &LeafNode) -> Result<Leaf, BadLeaf> {
    let keys = suite::leaf_keys(node.extensions()).ok_or(BadLeaf { index })?;
    let credential =
        BasicCredential::try_from(node.credential().clone()).map_err(|_| BadLeaf { index })?;
    let name = LeafName::from_slice(credential.identity()).map_err(|_| BadLeaf { index })?;
    let mls_key =
        <[u8; 32]>::try_from(node.signature_key().as_slice()).map_err(|_| BadLeaf { index })?;
    // Only a leaf that came by a commit of its own has one.
    let has_committed = node.parent_hash().is_some();
    let LeafKeys { token, commit_key } = keys;
    Ok(Leaf { index, name, mls_key, token, commit_key, has_committed })
}

pub(crate) fn draw_commit_key(rng: &mut dyn CryptoRng) -> SigningKey {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    SigningKey::from_bytes(&seed)
}

/// Where a commit key's private half is: under its public half, apart for each room, because a last-resort
/// key package brings the same key into several rooms and each drops it at its own time.
#[derive(Clone, Copy)]
pub(crate) enum Place<'r> {
    KeyPackage,
    Room(&'r RoomId),
}

impl Place<'_> {
    fn key(self, public: &[u8; 32]) -> Vec<u8> {
        match self {
            Self::KeyPackage => [b"e/offer/".as_slice(), public].concat(),
            Self::Room(room) => [b"e/commit/".as_slice(), room.as_bytes(), public].concat(),
        }
    }

    pub(crate) fn keep(self, store: &dyn KeyValue, secret: &SigningKey) {
        let public = secret.verifying_key().to_bytes();
        store.put(self.key(&public), secret.to_bytes().to_vec());
    }

    pub(crate) fn find(self, store: &dyn KeyValue, public: &[u8; 32]) -> Option<SigningKey> {
        let seed = <[u8; 32]>::try_from(store.get(&self.key(public))?).ok()?;
        Some(SigningKey::from_bytes(&seed))
    }

    pub(crate) fn forget(self, store: &dyn KeyValue, public: &[u8; 32]) {
        store.delete(&self.key(public));
    }
}
