// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files: sealed and opened chunk by chunk, in any pieces, in bounded memory.
//!
//! Knows a file's key and bytes and nothing else: not where it lies, whose it is or what is in it. A caller pushes pieces
//! of any length and takes what comes out. What [`Opener::push`] gives is authentic, in its place, and belongs to this key; that
//! it is the whole file, and the one that the message named, is known only after [`Opener::finish`].
//!
//! Spec: `docs/book/protocol.md`, 9; Hoang, Reyhanitabar, Rogaway, Vizár: STREAM (CRYPTO 2015); Nikitin et al.: Padmé
//! (PETS 2019).

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _,
    aead::stream::{NewStream as _, Nonce, StreamBE32, StreamPrimitive as _},
};
use sha2::{Digest as _, Sha256};

/// Bytes of a chunk before it is sealed; the last one may have fewer.
pub const CHUNK: usize = 64 * 1024;
/// Bytes that sealing adds to each chunk.
pub const TAG: usize = 16;
/// The largest file, bytes.
pub const LARGEST: u64 = 2 * 1024 * 1024 * 1024;
/// Smaller ones are all padded to this.
const SMALLEST: u64 = 1024;

/// A file cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It has not as many bytes as was said, or more than [`LARGEST`]. The caller's fault, or it changed meanwhile.
    #[error("the file does not have the size that was said")]
    Size,
}

/// A file is not opened. Whoever gets this throws away what was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Sealed bytes were changed, moved, cut off or added, or it is another key's.
    #[error("the file is not what was sealed")]
    Forged,
    /// It opens, and is not the file that the message names: its sender lied.
    #[error("the file is not the one that the message names")]
    Another,
}

/// What a message says of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// SHA-256 of the file.
    pub plain: [u8; 32],
    /// SHA-256 of all sealed bytes: what the blob is called.
    pub sealed: [u8; 32],
}

/// How many bytes of a file of `size` bytes are sealed, its zeros included.
#[must_use]
pub fn padded(size: u64) -> u64 {
    let size = size.max(SMALLEST);
    let exponent = size.ilog2();
    // So many bits of the length are kept as tell its exponent.
    let kept = exponent.checked_ilog2().unwrap_or(0) + 1;
    let mask = (1_u64 << exponent.saturating_sub(kept)) - 1;
    size.saturating_add(mask) & !mask
}

/// How many sealed bytes a file of `size` bytes has.
#[must_use]
pub fn sealed_size(size: u64) -> u64 {
    let padded = padded(size);
    padded.saturating_add(padded.div_ceil(CHUNK as u64) * TAG as u64)
}

/// Where the stream is.
struct Stream {
    cipher: StreamBE32<ChaCha20Poly1305>,
    position: u32,
    /// Bytes of the file that are still to come.
    file_left: u64,
    /// The same with its zeros.
    left: u64,
    chunk: Vec<u8>,
    plain: Sha256,
    sealed: Sha256,
}

impl Stream {
    fn new(key: &[u8; 32], size: u64) -> Self {
        let cipher = ChaCha20Poly1305::new(key.into());
        let prefix = Nonce::<ChaCha20Poly1305, StreamBE32<ChaCha20Poly1305>>::default();
        Self {
            cipher: StreamBE32::from_aead(cipher, &prefix),
            position: 0,
            file_left: size,
            left: padded(size),
            chunk: Vec::with_capacity(CHUNK + TAG),
            plain: Sha256::new(),
            sealed: Sha256::new(),
        }
    }

    /// Bytes of the chunk that comes, before it is sealed.
    fn next(&self) -> usize {
        usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK)
    }

    /// Fills the chunk up to so many bytes, and gives what is left of a piece.
    fn fill<'a>(&mut self, piece: &'a [u8], to: usize) -> &'a [u8] {
        let room = to.saturating_sub(self.chunk.len()).min(piece.len());
        let (now, later) = piece.split_at_checked(room).unwrap_or((piece, &[]));
        self.chunk.extend_from_slice(now);
        later
    }

    fn hashes(self) -> Hashes {
        Hashes { plain: self.plain.finalize().into(), sealed: self.sealed.finalize().into() }
    }
}

/// Seals a file whose size is known before.
pub struct Sealer(Stream);

impl Sealer {
    /// `key` is random and of this file alone; `size` is what will be pushed, bytes.
    ///
    /// # Errors
    /// [`SealError::Size`]: more than [`LARGEST`].
    pub fn new(key: &[u8; 32], size: u64) -> Result<Self, SealError> {
        if size > LARGEST { Err(SealError::Size) } else { Ok(Self(Stream::new(key, size))) }
    }

    /// Takes the next bytes of the file; whole chunks are appended to `out`.
    ///
    /// # Errors
    /// [`SealError::Size`]: more than was said.
    pub fn push(&mut self, mut piece: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let length = piece.len() as u64;
        self.0.file_left = self.0.file_left.checked_sub(length).ok_or(SealError::Size)?;
        self.0.plain.update(piece);
        while !piece.is_empty() {
            piece = self.0.fill(piece, self.0.next());
            if self.0.chunk.len() == self.0.next() {
                self.seal(out)?;
            }
        }
        Ok(())
    }

    /// Ends the file: zeros and the last chunk are appended to `out`, at most an eighth of the file; bounded pieces of
    /// them come from [`Sealer::pad`].
    ///
    /// # Errors
    /// [`SealError::Size`]: fewer than was said.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Hashes, SealError> {
        while self.pad(out)? {}
        Ok(self.0.hashes())
    }

    /// Appends the next chunk that holds zeros. Whether one was to come. For callers who write each chunk away.
    ///
    /// # Errors
    /// [`SealError::Size`]: fewer bytes of the file were pushed than was said.
    pub fn pad(&mut self, out: &mut Vec<u8>) -> Result<bool, SealError> {
        if self.0.file_left > 0 {
            return Err(SealError::Size);
        }
        if self.0.left == 0 {
            return Ok(false);
        }
        self.0.chunk.resize(self.0.next(), 0);
        self.seal(out)?;
        Ok(true)
    }

    fn seal(&mut self, out: &mut Vec<u8>) -> Result<(), SealError> {
        let stream = &mut self.0;
        stream.left -= stream.chunk.len() as u64;
        let last = stream.left == 0;
        let sealed = stream.cipher.encrypt_in_place(stream.position, last, &[], &mut stream.chunk);
        // It fails for a counter that is used up, which takes more than the largest file has.
        sealed.map_err(|_| SealError::Size)?;
        stream.position = stream.position.checked_add(1).ok_or(SealError::Size)?;
        stream.sealed.update(&stream.chunk);
        out.append(&mut stream.chunk);
        Ok(())
    }
}

/// Opens a file whose size the message said.
pub struct Opener(Stream);

impl Opener {
    /// `size` is that of the file, bytes.
    ///
    /// # Errors
    /// [`OpenError::Another`]: nobody can have sealed so much.
    pub fn new(key: &[u8; 32], size: u64) -> Result<Self, OpenError> {
        if size > LARGEST { Err(OpenError::Another) } else { Ok(Self(Stream::new(key, size))) }
    }

    /// Takes the next sealed bytes; what they open to is appended to `out`, without its zeros.
    ///
    /// # Errors
    /// [`OpenError`]: the caller throws away all that was opened.
    pub fn push(&mut self, mut piece: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        while !piece.is_empty() {
            if self.0.left == 0 {
                return Err(OpenError::Forged);
            }
            let whole = self.0.next() + TAG;
            piece = self.0.fill(piece, whole);
            if self.0.chunk.len() == whole {
                self.open(out)?;
            }
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`OpenError::Forged`]: it is cut off. [`OpenError::Another`]: not the file, or not the blob, that was named.
    pub fn finish(self, named: &Hashes) -> Result<(), OpenError> {
        if self.0.left > 0 || !self.0.chunk.is_empty() {
            return Err(OpenError::Forged);
        }
        if self.0.hashes() == *named { Ok(()) } else { Err(OpenError::Another) }
    }

    fn open(&mut self, out: &mut Vec<u8>) -> Result<(), OpenError> {
        let stream = &mut self.0;
        stream.sealed.update(&stream.chunk);
        let length = stream.next();
        let last = stream.left == length as u64;
        let opened = stream.cipher.decrypt_in_place(stream.position, last, &[], &mut stream.chunk);
        opened.map_err(|_| OpenError::Forged)?;
        stream.left -= length as u64;
        stream.position = stream.position.checked_add(1).ok_or(OpenError::Forged)?;
        let of_file = usize::try_from(stream.file_left).unwrap_or(length).min(length);
        let (file, zeros) = stream.chunk.split_at_checked(of_file).unwrap_or_default();
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(OpenError::Another);
        }
        stream.file_left -= file.len() as u64;
        stream.plain.update(file);
        out.extend_from_slice(file);
        stream.chunk.clear();
        Ok(())
    }
}
