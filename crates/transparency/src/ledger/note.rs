// SPDX-License-Identifier: AGPL-3.0-or-later
//! Signed notes: text, and lines of signatures under it, each by a named key.
//!
//! A [`Note`] is well formed and nothing more. Whether a key signed it is asked with [`VerifierKey::verify`], which
//! knows three kinds: the log's Ed25519, and the two cosignatures (Ed25519 and ML-DSA-44), which carry a time.
//! A [`NoteSigner`] makes the first two; what it signs has a first line that no other signature of ours has.
//!
//! Spec: C2SP signed-note v1.0.0; tlog-cosignature v1.1.0.

use std::fmt;

use ed25519_dalek::Signer as _;
use ml_dsa::{KeyInit as _, MlDsa44};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    checkpoint::Checkpoint,
    text::{from_base64, to_base64},
};
use crate::key::verify_bare;

/// A note of more bytes is not read: 64 signatures of ML-DSA-44 and a long text.
pub const NOTE_BYTES: usize = 256 * 1024;
/// Signature lines of a note.
pub const SIGNATURES: usize = 64;
/// Bytes of a key name.
pub const NAME_BYTES: usize = 255;

const DASH: &str = "\u{2014} ";
const ML_DSA_PUBLIC: usize = 1312;

/// A note, a key or a signature is not of its form, or does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not a signed note: no signature, control characters, too long.
    #[error("not a signed note")]
    Form,
    /// Not a verifier key of a kind that is known.
    #[error("not a verifier key")]
    Key,
    /// A line by this key is there, and it does not verify.
    #[error("a signature by a known key does not verify")]
    BadSignature,
}

/// What a key signs, and how. The number is C2SP's signature type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// Ed25519 over the text of the note: a log.
    Ed25519 = 0x01,
    /// Ed25519 over time and text: a witness or auditor.
    Cosignature = 0x04,
    /// ML-DSA-44 over time, names, size and root: a witness or auditor.
    MlDsa44 = 0x06,
}

impl KeyKind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Ed25519, Self::Cosignature, Self::MlDsa44].into_iter().find(|k| *k as u8 == byte)
    }

    fn public_bytes(self) -> usize {
        if self == Self::MlDsa44 { ML_DSA_PUBLIC } else { 32 }
    }
}

/// A named public key: a *vkey*, `<name>+<id>+<base64 of kind and key>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    public: Vec<u8>,
}

/// That a key signed a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// When, in seconds since 1970, as the signer says; a log's own signature carries no time.
    pub time_seconds: Option<u64>,
}

impl VerifierKey {
    /// A key of this name.
    ///
    /// # Errors
    /// [`NoteError::Key`]: the name is empty, longer than [`NAME_BYTES`], has a space, a plus or a control
    /// character; or the key is not of its length.
    pub fn new(name: &str, kind: KeyKind, public: &[u8]) -> Result<Self, NoteError> {
        if !is_name(name) || public.len() != kind.public_bytes() {
            return Err(NoteError::Key);
        }
        Ok(Self { name: name.to_owned(), kind, public: public.to_vec() })
    }

    /// Reads a vkey.
    ///
    /// # Errors
    /// [`NoteError::Key`]: another form or kind, or an id that is not that of name and key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let data = from_base64(data).ok_or(NoteError::Key)?;
        let (kind, public) = data.split_first().ok_or(NoteError::Key)?;
        let kind = KeyKind::from_byte(*kind).ok_or(NoteError::Key)?;
        let key = Self::new(name, kind, public)?;
        if id == format!("{:08x}", key.id()) { Ok(key) } else { Err(NoteError::Key) }
    }

    /// The name: of a log, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs, and how.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key, 32 or 1,312 bytes.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The first four bytes of SHA-256 over name, line feed, kind and key.
    #[must_use]
    pub fn id(&self) -> u32 {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.kind as u8])
            .chain_update(&self.public)
            .finalize();
        hash.iter().take(4).fold(0, |id, byte| (id << 8) | u32::from(*byte))
    }

    /// Whether this key signed; nothing if the note has no line of it.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`]: a line with this name and id is there, and one of them does not verify.
    pub fn verify(&self, note: &Note) -> Result<Option<Signed>, NoteError> {
        let mut found = None;
        for line in &note.signatures {
            if line.name == self.name && line.id == self.id() {
                let signed = self.check(&note.text, &line.bytes).ok_or(NoteError::BadSignature)?;
                found = found.or(Some(signed));
            }
        }
        Ok(found)
    }

    fn check(&self, text: &str, signature: &[u8]) -> Option<Signed> {
        if self.kind == KeyKind::Ed25519 {
            self.check_ed25519(text.as_bytes(), signature)?;
            return Some(Signed { time_seconds: None });
        }
        let (time, signature) = signature.split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        if time > i64::MAX as u64 {
            return None;
        }
        if self.kind == KeyKind::Cosignature {
            self.check_ed25519(cosigned_text(time, text).as_bytes(), signature)?;
        } else {
            let message = ml_dsa_message(&self.name, time, &Checkpoint::parse(text).ok()?)?;
            let key = ml_dsa::VerifyingKey::<MlDsa44>::new_from_slice(&self.public).ok()?;
            let signature = ml_dsa::Signature::<MlDsa44>::try_from(signature).ok()?;
            key.verify_with_context(&message, &[], &signature).then_some(())?;
        }
        Some(Signed { time_seconds: Some(time) })
    }

    fn check_ed25519(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        verify_bare(self.public.as_slice().try_into().ok()?, message, signature).ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = [&[self.kind as u8], self.public.as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id(), to_base64(&data))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// Reads a line, with or without its line feed.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let rest = line.strip_prefix(DASH).ok_or(NoteError::Form)?;
        let (name, data) = rest.split_once(' ').ok_or(NoteError::Form)?;
        let data = from_base64(data).ok_or(NoteError::Form)?;
        let (id, bytes) = data.split_first_chunk::<4>().ok_or(NoteError::Form)?;
        if !is_name(name) || bytes.is_empty() {
            return Err(NoteError::Form);
        }
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }

    /// Whose line it says it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for NoteSignature {
    /// The line without its line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = [&self.id.to_be_bytes(), self.bytes.as_slice()].concat();
        write!(f, "{DASH}{} {}", self.name, to_base64(&data))
    }
}

/// A text and the signature lines under it. Nobody has verified them.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A text that ends in a line feed, and its signatures.
    ///
    /// # Errors
    /// [`NoteError::Form`]: no signature or more than [`SIGNATURES`], or a text that is none.
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        let clean = text.ends_with('\n') && !text.chars().any(|c| c < ' ' && c != '\n');
        let counted = !signatures.is_empty() && signatures.len() <= SIGNATURES;
        if clean && counted { Ok(Self { text, signatures }) } else { Err(NoteError::Form) }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES {
            return Err(NoteError::Form);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Form)?;
        // The last empty line ends the text; its line feed belongs to neither side.
        let (before, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        let signatures = lines
            .split('\n')
            .take(SIGNATURES + 1)
            .map(NoteSignature::parse)
            .collect::<Result<_, _>>()?;
        Self::new(format!("{before}\n"), signatures)
    }

    /// The signed text, with its last line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines under it.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The note with one more line. A line that is there already is not added twice.
    ///
    /// # Errors
    /// [`NoteError::Form`]: it has [`SIGNATURES`] lines.
    pub fn with(mut self, line: NoteSignature) -> Result<Self, NoteError> {
        if !self.signatures.contains(&line) {
            self.signatures.push(line);
        }
        Self::new(self.text, self.signatures)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Note({} signatures)", self.signatures.len())
    }
}

/// The private key of a log, a witness or an auditor. Wiped from memory when dropped.
///
/// Use a seed for one name and one kind: an Ed25519 cosignature does not say who made it.
#[derive(Clone)]
pub struct NoteSigner {
    key: ed25519_dalek::SigningKey,
    verifier: VerifierKey,
}

impl NoteSigner {
    /// The key of a log, of a 32-byte random seed. The name is the origin.
    ///
    /// # Errors
    /// [`NoteError::Key`]: the name is none.
    pub fn log(origin: &str, seed: [u8; 32]) -> Result<Self, NoteError> {
        Self::of(origin, KeyKind::Ed25519, seed)
    }

    /// The key of a witness or auditor.
    ///
    /// # Errors
    /// [`NoteError::Key`]: the name is none.
    pub fn cosigner(name: &str, seed: [u8; 32]) -> Result<Self, NoteError> {
        Self::of(name, KeyKind::Cosignature, seed)
    }

    fn of(name: &str, kind: KeyKind, seed: [u8; 32]) -> Result<Self, NoteError> {
        let seed = Zeroizing::new(seed);
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let verifier = VerifierKey::new(name, kind, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The seed, to be stored.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.key.to_bytes())
    }

    /// A line under this text. `now_seconds`, since 1970, goes into a cosignature; a log's line has no time.
    #[must_use]
    pub fn sign(&self, text: &str, now_seconds: u64) -> NoteSignature {
        let bytes = if self.verifier.kind == KeyKind::Cosignature {
            let now = now_seconds.min(i64::MAX as u64);
            let signature = self.key.sign(cosigned_text(now, text).as_bytes()).to_bytes();
            [now.to_be_bytes().as_slice(), &signature].concat()
        } else {
            self.key.sign(text.as_bytes()).to_bytes().to_vec()
        };
        NoteSignature { name: self.verifier.name.clone(), id: self.verifier.id(), bytes }
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier.name)
    }
}

/// `cosignature/v1`: header, time, the text as it stands.
fn cosigned_text(time_seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time_seconds}\n{text}")
}

/// `cosigned_message` of tlog-cosignature for a whole tree.
fn ml_dsa_message(cosigner: &str, time_seconds: u64, checkpoint: &Checkpoint) -> Option<Vec<u8>> {
    let mut message = b"subtree/v1\n\0".to_vec();
    message.push(u8::try_from(cosigner.len()).ok()?);
    message.extend_from_slice(cosigner.as_bytes());
    message.extend_from_slice(&time_seconds.to_be_bytes());
    message.push(u8::try_from(checkpoint.origin().len()).ok()?);
    message.extend_from_slice(checkpoint.origin().as_bytes());
    message.extend_from_slice(&0_u64.to_be_bytes());
    message.extend_from_slice(&checkpoint.head().size.to_be_bytes());
    message.extend_from_slice(&checkpoint.head().root);
    Some(message)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}
