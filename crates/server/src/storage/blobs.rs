// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files, as a store sees them: sealed bytes under their hash, and uploads that are not whole.
//!
//! A store knows of a blob its hash, its length and the day it was last wanted; of an upload the hash of its secret. It
//! never learns whose either is. Calls may block: whoever makes them is on a thread for that.
//!
//! [`crate::blobs`] decides who may call; `store-embedded` keeps them in a folder, [`super::blobs_memory`] is the model,
//! [`super::blobs_conformance`] the suite of both.
//!
//! Spec: `docs/book/protocol.md`, 9.

use bytes::Bytes;

use super::{Day, StorageError};

/// The SHA-256 of all sealed bytes: what a blob is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(pub [u8; 32]);

/// What an upload is called on disk: the hash of its secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadName(pub [u8; 32]);

/// Days after which a blob goes that nobody put again or renewed.
pub const KEEP_BLOB_DAYS: u64 = 30;
/// Days after which an upload goes that was not finished.
pub const KEEP_UPLOAD_DAYS: u64 = 1;

/// Nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The room for files is used up. Nothing was begun.
    #[error("there is no room for more files")]
    Full,
    /// No such blob or upload.
    #[error("no such blob or upload")]
    Unknown,
    /// The bytes do not follow those that are there: go on from here.
    #[error("the bytes do not follow those that are there")]
    Elsewhere(u64),
    /// More bytes than were announced, or another size than at first.
    #[error("not the size that was announced")]
    Size,
    /// What is there has another hash, or is not whole. The upload is gone.
    #[error("the bytes do not have this hash")]
    Hash,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Where files are kept.
pub trait Blobs: Send + Sync + 'static {
    /// Begins an upload of so many bytes, or finds it. How many bytes are there.
    ///
    /// # Errors
    /// [`BlobError::Full`]; [`BlobError::Size`]: it was begun with another size.
    fn begin(&self, upload: UploadName, size: u64, today: Day) -> Result<u64, BlobError>;

    /// How many bytes of an upload are there.
    ///
    /// # Errors
    /// [`BlobError::Unknown`].
    fn position(&self, upload: UploadName) -> Result<u64, BlobError>;

    /// Appends to an upload. Not yet durable. How many bytes are there now.
    ///
    /// # Errors
    /// [`BlobError::Unknown`], [`BlobError::Elsewhere`], [`BlobError::Size`].
    fn append(&self, upload: UploadName, at: u64, bytes: &[u8]) -> Result<u64, BlobError>;

    /// Makes what was appended durable.
    ///
    /// # Errors
    /// [`BlobError::Unknown`].
    fn sync(&self, upload: UploadName) -> Result<(), BlobError>;

    /// Publishes an upload that is whole under its hash; durable on return. The blob has its 30 days from today.
    ///
    /// # Errors
    /// [`BlobError::Hash`], [`BlobError::Unknown`].
    fn publish(&self, upload: UploadName, name: BlobName, today: Day) -> Result<(), BlobError>;

    /// The length of a blob.
    ///
    /// # Errors
    /// [`BlobError::Unknown`].
    fn length(&self, name: BlobName) -> Result<u64, BlobError>;

    /// Bytes of a blob from `at` on, at most `limit`; none at its end.
    ///
    /// # Errors
    /// [`BlobError::Unknown`].
    fn read(&self, name: BlobName, at: u64, limit: usize) -> Result<Bytes, BlobError>;

    /// Gives a blob its 30 days from today.
    ///
    /// # Errors
    /// [`BlobError::Unknown`].
    fn renew(&self, name: BlobName, today: Day) -> Result<(), BlobError>;

    /// Deletes what is over. How many went.
    ///
    /// # Errors
    /// [`BlobError::Storage`].
    fn sweep(&self, today: Day) -> Result<u64, BlobError>;

    /// Bytes that blobs have, and those that uploads may yet have.
    fn used_bytes(&self) -> u64;
}

// Whoever reads it in a log could not go on with the upload, but a log names no upload either.
impl std::fmt::Debug for UploadName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UploadName(..)")
    }
}

// Whoever has the name has the bytes: not for a log.
impl std::fmt::Debug for BlobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlobName(..)")
    }
}
