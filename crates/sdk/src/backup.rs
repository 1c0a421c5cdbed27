// SPDX-License-Identifier: AGPL-3.0-or-later
//! The sealed file of a backup: pieces go in, and come out only if the file is whole and nobody changed a bit of it.
//!
//! ```text
//! "nodoor backup 1\n"                     16 bytes
//! kind                                     1   1: the 24 words, 2: a passphrase
//! salt                                    32   random, of this file alone
//! Argon2id: memory in KiB, passes, lanes  12   three u32, big-endian; zeros for words
//! segments                                     64 KiB of plain text each and a tag of 16 bytes; the last one shorter
//! ```
//!
//! The key is HKDF-SHA256 of the secret (of the words, or Argon2id of the passphrase) under the salt, with the header as
//! its info; segments are STREAM over ChaCha20-Poly1305 (a counter, and a mark on the last, in the nonce), so none can be
//! left out, put elsewhere, or cut off at the end. The plain text is pieces, each after its length (u32).
//!
//! Nothing here knows what a piece says. Decision 0023.

use std::io::{self, Read, Write};

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _,
    aead::{
        Payload,
        stream::{DecryptorBE32, EncryptorBE32},
    },
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a file is sealed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The secret of the 24 words.
    Words,
    /// A passphrase.
    Passphrase,
}

/// What opens a file.
pub enum Secret {
    /// The secret of the 24 words, as the engine gives it.
    Words(Zeroizing<[u8; 32]>),
    /// A passphrase as typed.
    Passphrase(Zeroizing<String>),
}

/// Why a file is not written or not read. Nothing of it was used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file does not begin as a backup does.
    #[error("this is no backup of nodoor")]
    NotABackup,
    /// A later version wrote it, or it asks for more memory than is sensible.
    #[error("this backup is of a version, or asks for a cost, that this program does not read")]
    TooNew,
    /// The words or the passphrase are others, or the beginning of the file was changed.
    #[error("these words, or this passphrase, do not open this backup")]
    WrongSecret,
    /// The file was changed or cut off.
    #[error(
        "the backup is damaged or not complete, {at} bytes from its beginning; nothing of it was used"
    )]
    Damaged {
        /// About where.
        at: u64,
    },
    /// A piece is larger than 8 MiB, or the file has more than 4 billion segments.
    #[error("the backup is too large")]
    TooLarge,
    /// The passphrase has no characters.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// No randomness.
    #[error("the system gave no random bytes")]
    Random,
    /// The file cannot be read or written.
    #[error("the file failed: {0}")]
    Io(#[from] io::Error),
}

/// Writes a backup.
pub struct Writer<W: Write> {
    file: W,
    header: [u8; HEADER],
    cipher: EncryptorBE32<ChaCha20Poly1305>,
    segment: Zeroizing<Vec<u8>>,
}

impl<W: Write> Writer<W> {
    /// Begins a file. With a passphrase it takes a second: Argon2id over 256 MiB.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn begin(mut file: W, secret: &Secret) -> Result<Self, BackupError> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|_| BackupError::Random)?;
        let (kind, cost) = match secret {
            Secret::Words(_) => (1, [0, 0, 0]),
            Secret::Passphrase(text) if text.is_empty() => {
                return Err(BackupError::EmptyPassphrase);
            }
            Secret::Passphrase(_) => (2, COST),
        };
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.push(kind);
        header.extend_from_slice(&salt);
        cost.iter().for_each(|number: &u32| header.extend_from_slice(&number.to_be_bytes()));
        let header: [u8; HEADER] = header.try_into().map_err(|_| BackupError::TooLarge)?;
        file.write_all(&header)?;
        let (key, nonce) = keys(&header, secret)?;
        let cipher =
            EncryptorBE32::from_aead(ChaCha20Poly1305::new((&*key).into()), (&nonce).into());
        Ok(Self { file, header, cipher, segment: Zeroizing::new(Vec::with_capacity(SEGMENT)) })
    }

    /// Adds a piece, at most 8 MiB.
    ///
    /// # Errors
    /// [`BackupError`]: the file is of no use.
    pub fn piece(&mut self, piece: &[u8]) -> Result<(), BackupError> {
        let length = u32::try_from(piece.len()).ok().filter(|length| *length <= PIECE);
        let length = length.ok_or(BackupError::TooLarge)?;
        self.write(&length.to_be_bytes())?;
        self.write(piece)
    }

    /// Ends the file and gives it back; whoever opened it syncs it.
    ///
    /// # Errors
    /// [`BackupError`]: the file is of no use.
    pub fn end(mut self) -> Result<W, BackupError> {
        let last = Payload { msg: &self.segment, aad: &self.header };
        let sealed = self.cipher.encrypt_last(last).map_err(|_| BackupError::TooLarge)?;
        self.file.write_all(&sealed)?;
        self.file.flush()?;
        Ok(self.file)
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), BackupError> {
        while !bytes.is_empty() {
            // A full segment goes out only when more comes: the last one is marked.
            if self.segment.len() == SEGMENT {
                let next = Payload { msg: &self.segment, aad: &self.header };
                let sealed = self.cipher.encrypt_next(next).map_err(|_| BackupError::TooLarge)?;
                self.file.write_all(&sealed)?;
                self.segment.clear();
            }
            let (now, later) = bytes.split_at(bytes.len().min(SEGMENT - self.segment.len()));
            self.segment.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }
}

/// What a file is sealed with, from its first [`HEADER`] bytes.
///
/// # Errors
/// [`BackupError`]: it is no backup.
pub fn kind(mut file: impl Read) -> Result<Kind, BackupError> {
    kind_of(&read_header(&mut file)?)
}

/// Reads a backup, piece by piece. What a piece says counts only once all were read: read a file twice, the first time for
/// this alone.
pub struct Reader<R: Read> {
    file: R,
    header: [u8; HEADER],
    cipher: Option<DecryptorBE32<ChaCha20Poly1305>>,
    plain: Zeroizing<Vec<u8>>,
    /// Read of `plain` already.
    used: usize,
    /// Bytes of the next segment, read ahead to know whether there is one.
    ahead: Vec<u8>,
    at: u64,
}

impl<R: Read> Reader<R> {
    /// Opens a file, as far as its first segment.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn open(mut file: R, secret: &Secret) -> Result<Self, BackupError> {
        let header = read_header(&mut file)?;
        let kind = kind_of(&header)?;
        let fits = matches!(
            (kind, secret),
            (Kind::Words, Secret::Words(_)) | (Kind::Passphrase, Secret::Passphrase(_))
        );
        if !fits {
            return Err(BackupError::WrongSecret);
        }
        let (key, nonce) = keys(&header, secret)?;
        let cipher =
            DecryptorBE32::from_aead(ChaCha20Poly1305::new((&*key).into()), (&nonce).into());
        let ahead = read_up_to(&mut file, SEALED)?;
        let at = HEADER as u64;
        let (plain, cipher) = (Zeroizing::new(Vec::new()), Some(cipher));
        let mut reader = Self { file, header, cipher, plain, used: 0, ahead, at };
        match reader.next_segment() {
            Err(BackupError::Damaged { .. }) => Err(BackupError::WrongSecret),
            Err(other) => Err(other),
            Ok(()) => Ok(reader),
        }
    }

    /// The next piece; nothing after the last, and then the file was whole.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn piece(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, BackupError> {
        let Some(length) = self.take(4, true)? else {
            return Ok(None);
        };
        let length = length.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        if length > PIECE {
            return Err(BackupError::Damaged { at: self.at });
        }
        let length = usize::try_from(length).map_err(|_| BackupError::TooLarge)?;
        self.take(length, false)
    }

    /// So many bytes; nothing at the end of the file, if that may be here.
    fn take(
        &mut self,
        count: usize,
        may_end: bool,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, BackupError> {
        let mut taken = Zeroizing::new(Vec::with_capacity(count));
        loop {
            let rest = self.plain.get(self.used..).unwrap_or_default();
            let (now, _) = rest.split_at(rest.len().min(count - taken.len()));
            taken.extend_from_slice(now);
            self.used += now.len();
            if taken.len() == count {
                return Ok(Some(taken));
            }
            if self.cipher.is_none() {
                return match may_end && taken.is_empty() {
                    true => Ok(None),
                    false => Err(BackupError::Damaged { at: self.at }),
                };
            }
            self.next_segment()?;
        }
    }

    fn next_segment(&mut self) -> Result<(), BackupError> {
        let sealed = std::mem::take(&mut self.ahead);
        let at = self.at;
        self.at += sealed.len() as u64;
        if sealed.len() == SEALED {
            self.ahead = read_up_to(&mut self.file, SEALED)?;
        }
        let payload = Payload { msg: &sealed, aad: &self.header };
        let damaged = |_| BackupError::Damaged { at };
        let plain = if self.ahead.is_empty() {
            let cipher = self.cipher.take().ok_or(BackupError::Damaged { at })?;
            cipher.decrypt_last(payload).map_err(damaged)?
        } else {
            let cipher = self.cipher.as_mut().ok_or(BackupError::Damaged { at })?;
            cipher.decrypt_next(payload).map_err(damaged)?
        };
        (self.plain, self.used) = (Zeroizing::new(plain), 0);
        Ok(())
    }
}

fn read_header(file: &mut impl Read) -> Result<[u8; HEADER], BackupError> {
    let header = read_up_to(file, HEADER)?;
    header.try_into().map_err(|_| BackupError::NotABackup)
}

fn kind_of(header: &[u8; HEADER]) -> Result<Kind, BackupError> {
    let (magic, rest) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        let name = MAGIC.strip_suffix(b"1\n").unwrap_or(MAGIC);
        return Err(match magic.starts_with(name) {
            true => BackupError::TooNew,
            false => BackupError::NotABackup,
        });
    }
    match rest.first() {
        Some(1) => Ok(Kind::Words),
        Some(2) => Ok(Kind::Passphrase),
        _ => Err(BackupError::TooNew),
    }
}

/// Key and nonce prefix of the segments.
fn keys(
    header: &[u8; HEADER],
    secret: &Secret,
) -> Result<(Zeroizing<[u8; 32]>, [u8; NONCE]), BackupError> {
    let (_, rest) = header.split_at(MAGIC.len() + 1);
    let (salt, cost) = rest.split_at(SALT);
    let input = match secret {
        Secret::Words(secret) => secret.clone(),
        Secret::Passphrase(text) => {
            let number = |at: usize| {
                let bytes = cost.get(at * 4..).and_then(|rest| rest.first_chunk::<4>());
                bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
            };
            stretch(text, salt, [number(0), number(1), number(2)])?
        }
    };
    let hkdf = Hkdf::<Sha256>::new(Some(salt), input.as_slice());
    let mut both = Zeroizing::new([0; 32 + NONCE]);
    hkdf.expand_multi_info(&[b"nodoor backup v1", header], &mut *both)
        .map_err(|_| BackupError::TooNew)?;
    let (key, nonce) = both.split_at(32);
    let key: [u8; 32] = key.try_into().map_err(|_| BackupError::TooNew)?;
    Ok((Zeroizing::new(key), nonce.try_into().map_err(|_| BackupError::TooNew)?))
}

/// Argon2id. A file may ask for 1 GiB and 10 passes at most: whoever made it up shall not stop the device.
fn stretch(
    text: &str,
    salt: &[u8],
    [memory, passes, lanes]: [u32; 3],
) -> Result<Zeroizing<[u8; 32]>, BackupError> {
    if memory > 1 << 20 || passes > 10 || lanes > 4 {
        return Err(BackupError::TooNew);
    }
    let params = argon2::Params::new(memory, passes, lanes, Some(32));
    let params = params.map_err(|_| BackupError::TooNew)?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon.hash_password_into(text.as_bytes(), salt, &mut *key).map_err(|_| BackupError::TooNew)?;
    Ok(key)
}

fn read_up_to(file: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.by_ref().take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

const MAGIC: &[u8] = b"nodoor backup 1\n";
const SALT: usize = 32;
const HEADER: usize = 16 + 1 + SALT + 12;
const NONCE: usize = 7;
const SEGMENT: usize = 64 * 1024;
const SEALED: usize = SEGMENT + 16;
const PIECE: u32 = 8 * 1024 * 1024;
/// 256 MiB, 3 passes, 1 lane: four times the memory of a profile's passphrase, for a file may be copied and guessed at.
const COST: [u32; 3] = [256 * 1024, 3, 1];
