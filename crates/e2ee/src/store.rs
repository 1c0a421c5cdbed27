// SPDX-License-Identifier: AGPL-3.0-or-later
//! MLS state on somebody else's disk: OpenMLS' storage calls become puts and deletions of keys that
//! begin with `e/`, with values in CBOR.
//!
//! [`storage`] says what is kept under which key, [`cbor`] writes values, [`read`] reads them, and [`pieces`] keeps the one
//! large value that changes with every message in pieces, so that a message writes what it changed.
//!
//! Nothing here is encrypted: the store under it protects the whole profile. Whatever one call of this
//! crate writes belongs in one transaction; a call that failed leaves writes that must be thrown away.

use openmls::prelude::OpenMlsProvider;

use crate::{primitives::Primitives, store::storage::Storage};

mod cbor;
mod pieces;
mod read;
mod storage;

pub use read::from_slice;

/// Keys and values of the caller's current transaction. Keys of this crate begin with `e/` and have up to
/// 1 KiB, values up to a few MiB. Reads see the writes before them. A disk that fails is remembered by
/// the implementation, which then refuses to commit; reads of it answer `None` meanwhile.
pub trait KeyValue {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// Writes a key.
    fn put(&self, key: Vec<u8>, value: Vec<u8>);
    /// Removes a key; one that is not there is no error.
    fn delete(&self, key: &[u8]);
}

/// A value of our own on the disk does not decode, or cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored MLS state is damaged")]
pub struct Damaged;

/// What OpenMLS is handed: its primitives, and the store.
pub(crate) struct Provider<'s> {
    crypto: Primitives,
    storage: Storage<'s>,
}

impl<'s> Provider<'s> {
    pub(crate) fn new(store: &'s dyn KeyValue) -> Self {
        Self { crypto: Primitives::default(), storage: Storage::new(store) }
    }
}

impl<'s> OpenMlsProvider for Provider<'s> {
    type CryptoProvider = Primitives;
    type RandProvider = Primitives;
    type StorageProvider = Storage<'s>;

    fn storage(&self) -> &Storage<'s> {
        &self.storage
    }

    fn crypto(&self) -> &Primitives {
        &self.crypto
    }

    fn rand(&self) -> &Primitives {
        &self.crypto
    }
}
