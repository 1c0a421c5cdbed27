// SPDX-License-Identifier: AGPL-3.0-or-later
//! The model of [`Blobs`]: everything in maps. A clone is the same store.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{
    Day,
    blobs::{BlobError, BlobName, Blobs, KEEP_BLOB_DAYS, KEEP_UPLOAD_DAYS, UploadName},
};

/// Files in memory.
#[derive(Clone)]
pub struct BlobsMemory(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    most: u64,
    blobs: BTreeMap<BlobName, (Bytes, Day)>,
    uploads: BTreeMap<UploadName, Upload>,
}

struct Upload {
    size: u64,
    bytes: Vec<u8>,
    day: Day,
}

impl BlobsMemory {
    /// Room for so many bytes.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self(Arc::new(Mutex::new(Inner { most, ..Inner::default() })))
    }

    /// Makes the room another.
    pub fn set_room(&self, most: u64) {
        self.inner().most = most;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn used(&self) -> u64 {
        let blobs: u64 = self.blobs.values().map(|(bytes, _)| bytes.len() as u64).sum();
        blobs + self.uploads.values().map(|upload| upload.size).sum::<u64>()
    }

    fn upload(&mut self, upload: UploadName) -> Result<&mut Upload, BlobError> {
        self.uploads.get_mut(&upload).ok_or(BlobError::Unknown)
    }
}

impl Blobs for BlobsMemory {
    fn begin(&self, upload: UploadName, size: u64, today: Day) -> Result<u64, BlobError> {
        let mut inner = self.inner();
        if let Some(there) = inner.uploads.get(&upload) {
            let position = there.bytes.len() as u64;
            return if there.size == size { Ok(position) } else { Err(BlobError::Size) };
        }
        if inner.used().saturating_add(size) > inner.most {
            return Err(BlobError::Full);
        }
        inner.uploads.insert(upload, Upload { size, bytes: Vec::new(), day: today });
        Ok(0)
    }

    fn position(&self, upload: UploadName) -> Result<u64, BlobError> {
        self.inner().upload(upload).map(|upload| upload.bytes.len() as u64)
    }

    fn append(&self, upload: UploadName, at: u64, bytes: &[u8]) -> Result<u64, BlobError> {
        let mut inner = self.inner();
        let upload = inner.upload(upload)?;
        let position = upload.bytes.len() as u64;
        if at != position {
            return Err(BlobError::Elsewhere(position));
        }
        let after = position + bytes.len() as u64;
        if after > upload.size {
            return Err(BlobError::Size);
        }
        upload.bytes.extend_from_slice(bytes);
        Ok(after)
    }

    fn sync(&self, upload: UploadName) -> Result<(), BlobError> {
        self.inner().upload(upload).map(drop)
    }

    fn publish(&self, upload: UploadName, name: BlobName, today: Day) -> Result<(), BlobError> {
        let mut inner = self.inner();
        let whole = inner.uploads.remove(&upload).ok_or(BlobError::Unknown)?;
        let is_it = Sha256::digest(&whole.bytes).as_slice() == name.0;
        if whole.bytes.len() as u64 != whole.size || !is_it {
            return Err(BlobError::Hash);
        }
        inner.blobs.insert(name, (whole.bytes.into(), today));
        Ok(())
    }

    fn length(&self, name: BlobName) -> Result<u64, BlobError> {
        let inner = self.inner();
        let (bytes, _) = inner.blobs.get(&name).ok_or(BlobError::Unknown)?;
        Ok(bytes.len() as u64)
    }

    fn read(&self, name: BlobName, at: u64, limit: usize) -> Result<Bytes, BlobError> {
        let inner = self.inner();
        let (bytes, _) = inner.blobs.get(&name).ok_or(BlobError::Unknown)?;
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let to = from.saturating_add(limit).min(bytes.len());
        Ok(bytes.slice(from..to))
    }

    fn renew(&self, name: BlobName, today: Day) -> Result<(), BlobError> {
        let mut inner = self.inner();
        let (_, day) = inner.blobs.get_mut(&name).ok_or(BlobError::Unknown)?;
        *day = today;
        Ok(())
    }

    fn sweep(&self, today: Day) -> Result<u64, BlobError> {
        let mut inner = self.inner();
        let before = inner.blobs.len() + inner.uploads.len();
        inner.blobs.retain(|_, (_, day)| !day.is_over(KEEP_BLOB_DAYS, today));
        inner.uploads.retain(|_, upload| !upload.day.is_over(KEEP_UPLOAD_DAYS, today));
        Ok((before - inner.blobs.len() - inner.uploads.len()) as u64)
    }

    fn used_bytes(&self) -> u64 {
        self.inner().used()
    }
}
