// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files: who may move how many bytes. Not whose they are: nothing here knows an account.
//!
//! A pass is a random number for so many bytes, given out on an anonymous connection for its budget, and kept in memory
//! for an hour. An upload takes its whole size from a pass when it begins, and is its secret's from then on, across
//! restarts. What is read takes from a pass as it goes out.
//!
//! A gateway calls [`Files`] on threads that may block. Spec: `docs/book/protocol.md`, 9.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use nodoor_wire::{
    code::Code,
    proto::{self, answer},
};
use sha2::{Digest as _, Sha256};

use crate::{
    bounded::Bounded,
    connection::Connection,
    refusal::Handled,
    server::{Clock, Inner, Server},
    storage::{
        Day,
        blobs::{BlobError, BlobName, Blobs, UploadName},
    },
};

/// The largest blob: a file of 2 GiB, padded and sealed.
pub const LARGEST_BLOB: u64 = nodoor_wire::limits::BLOB;
/// Bytes of one `PUT` at most.
pub const PIECE: u64 = 8 * 1024 * 1024;
/// Bytes that cost one request of the connection's budget.
const BYTES_A_REQUEST: u64 = 4 * 1024 * 1024;
/// Passes in memory.
const PASSES: usize = 100_000;
/// How long a pass is good, milliseconds.
const GOOD_FOR: u64 = 3_600_000;

/// Files are not moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// This server keeps no files.
    #[error("this server keeps no files")]
    None,
    /// No such pass, or too little left in it.
    #[error("no pass for this")]
    NoPass,
    /// Larger than any blob.
    #[error("too large")]
    TooLarge,
    /// The store's word.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

struct Pass {
    left: u64,
    until: u64,
}

/// Passes, and where files are kept.
pub(crate) struct Passes {
    given: Mutex<Bounded<[u8; 32], Pass>>,
}

impl Passes {
    pub(crate) fn new() -> Self {
        Self { given: Mutex::new(Bounded::new(PASSES)) }
    }

    fn give(&self, pass: [u8; 32], bytes: u64, now_ms: u64) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.insert(named(&pass), Pass { left: bytes, until: now_ms.saturating_add(GOOD_FOR) });
    }

    fn spend(&self, pass: &[u8; 32], bytes: u64, now_ms: u64) -> Result<(), MoveError> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let pass = given.get_mut(&named(pass)).filter(|pass| pass.until > now_ms);
        let pass = pass.ok_or(MoveError::NoPass)?;
        pass.left = pass.left.checked_sub(bytes).ok_or(MoveError::NoPass)?;
        Ok(())
    }
}

/// Passes are found by a hash: how long finding one takes tells nothing of those that are there.
fn named(pass: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(pass).into()
}

impl Inner {
    /// A pass for so many bytes, out of the budget of an anonymous connection.
    pub(crate) fn blob_pass(&self, connection: &Connection, asked: &proto::BlobPass) -> Handled {
        if self.blobs.get().is_none() {
            return Err(Code::NotFound.into());
        }
        if asked.bytes > LARGEST_BLOB {
            return Err(Code::TooLarge.into());
        }
        let requests = 1 + asked.bytes / BYTES_A_REQUEST;
        self.anonymous(connection, u32::try_from(requests).unwrap_or(u32::MAX))?;
        let pass: [u8; 32] = self.entropy.bytes();
        self.passes.give(pass, asked.bytes, self.clock.now_ms());
        Ok(answer::Body::BlobPass(proto::BlobPassAnswer { pass: pass.to_vec().into() }))
    }
}

impl Server {
    /// From now on this server keeps files here. The first word counts.
    #[must_use]
    pub fn with_blobs(self, blobs: Arc<dyn Blobs>) -> Self {
        let _ = self.0.blobs.set(blobs);
        self
    }

    /// Files, if this server keeps any.
    ///
    /// # Errors
    /// [`MoveError::None`].
    pub fn files(&self) -> Result<Files, MoveError> {
        let blobs = self.0.blobs.get().cloned().ok_or(MoveError::None)?;
        Ok(Files { blobs, inner: Arc::clone(&self.0) })
    }
}

/// What may be done with files. Every call may block.
#[derive(Clone)]
pub struct Files {
    blobs: Arc<dyn Blobs>,
    inner: Arc<Inner>,
}

impl Files {
    /// Begins an upload, or finds it. How far it is. Only beginning takes from the pass.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn begin(&self, pass: &[u8; 32], secret: &[u8; 32], size: u64) -> Result<u64, MoveError> {
        if size > LARGEST_BLOB {
            return Err(MoveError::TooLarge);
        }
        let name = upload(secret);
        if self.blobs.position(name) == Err(BlobError::Unknown) {
            self.inner.passes.spend(pass, size, self.inner.clock.now_ms())?;
        }
        Ok(self.blobs.begin(name, size, self.today())?)
    }

    /// How far an upload is.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn position(&self, secret: &[u8; 32]) -> Result<u64, MoveError> {
        Ok(self.blobs.position(upload(secret))?)
    }

    /// Goes on with an upload; durable after [`Files::sync`]. How far it is.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn append(&self, secret: &[u8; 32], at: u64, bytes: &[u8]) -> Result<u64, MoveError> {
        Ok(self.blobs.append(upload(secret), at, bytes)?)
    }

    /// Makes what was appended durable.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn sync(&self, secret: &[u8; 32]) -> Result<(), MoveError> {
        Ok(self.blobs.sync(upload(secret))?)
    }

    /// Publishes an upload under its hash. Again after a lost answer: the blob is there.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn publish(&self, secret: &[u8; 32], hash: [u8; 32]) -> Result<(), MoveError> {
        match self.blobs.publish(upload(secret), BlobName(hash), self.today()) {
            Err(BlobError::Unknown) => Ok(self.blobs.length(BlobName(hash)).map(drop)?),
            done => Ok(done?),
        }
    }

    /// The length of a blob.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn length(&self, hash: [u8; 32]) -> Result<u64, MoveError> {
        Ok(self.blobs.length(BlobName(hash))?)
    }

    /// Takes from a pass what is going to be read.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn pay(&self, pass: &[u8; 32], bytes: u64) -> Result<(), MoveError> {
        self.inner.passes.spend(pass, bytes, self.inner.clock.now_ms())
    }

    /// Bytes of a blob.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn read(&self, hash: [u8; 32], at: u64, limit: usize) -> Result<Bytes, MoveError> {
        Ok(self.blobs.read(BlobName(hash), at, limit)?)
    }

    /// Keeps a blob 30 days more, for whoever has a pass.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn renew(&self, pass: &[u8; 32], hash: [u8; 32]) -> Result<(), MoveError> {
        self.pay(pass, 1)?;
        Ok(self.blobs.renew(BlobName(hash), self.today())?)
    }

    /// Deletes what is over. How many went.
    ///
    /// # Errors
    /// [`MoveError`].
    pub(crate) fn sweep(&self, today: Day) -> Result<u64, BlobError> {
        self.blobs.sweep(today)
    }

    fn today(&self) -> Day {
        Day::of_ms(Clock::now_ms(&*self.inner.clock))
    }
}

fn upload(secret: &[u8; 32]) -> UploadName {
    let named = Sha256::new().chain_update(b"nodoor upload").chain_update([0]).chain_update(secret);
    UploadName(named.finalize().into())
}
