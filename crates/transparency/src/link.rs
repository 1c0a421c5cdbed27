// SPDX-License-Identifier: AGPL-3.0-or-later
//! Linking a second device: the secret that is shown, the commitment, the code, and the transcript.
//!
//! Small functions over bytes that both devices hold. Who sends what when, and what is sealed, is `client`'s; this
//! page decides only what two devices must agree on to the byte.
//!
//! Spec: `docs/book/ledger.md`, 8.

use std::fmt;

use nodoor_wire::id::{first_16, labelled_hash};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::key::{BadSignature, SigningKey, label, verify};

/// Letters of a secret.
pub const LETTERS: usize = 24;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The text is not a link secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a link has 24 letters")]
pub struct NotASecret;

/// The 15 random bytes that the new device shows. Whoever sees them can speak at the rendezvous, not be linked.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct LinkSecret([u8; 15]);

impl LinkSecret {
    /// A secret of random bytes.
    #[must_use]
    pub fn of(bytes: [u8; 15]) -> Self {
        Self(bytes)
    }

    /// Reads the letters as a person types them: any case, spaces and hyphens anywhere, `0`, `1` and `8` for the
    /// letters that look like them.
    ///
    /// # Errors
    /// [`NotASecret`]: another character, or not 24.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let mut bits = 0_u128;
        let mut letters = 0;
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                '0' => 'O',
                '1' => 'I',
                '8' => 'B',
                c => c,
            };
            let value = ALPHABET.iter().position(|letter| char::from(*letter) == c);
            bits = (bits << 5) | value.ok_or(NotASecret)? as u128;
            letters += 1;
            if letters > LETTERS {
                return Err(NotASecret);
            }
        }
        if letters != LETTERS {
            return Err(NotASecret);
        }
        let [_, secret @ ..] = bits.to_be_bytes();
        Ok(Self(secret))
    }

    /// The letters, in six groups of four: `ABCD-EFGH-...`.
    #[must_use]
    pub fn letters(&self) -> String {
        let bits = self.0.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let mut text = String::with_capacity(LETTERS + 5);
        for place in (0..LETTERS).rev() {
            let value = (bits >> (5 * place)) & 31;
            let letter = usize::try_from(value).ok().and_then(|value| ALPHABET.get(value));
            text.extend(letter.map(|letter| char::from(*letter)));
            if place % 4 == 0 && place > 0 {
                text.push('-');
            }
        }
        text
    }

    /// Where the two devices meet.
    #[must_use]
    pub fn rendezvous(&self) -> [u8; 16] {
        first_16(labelled_hash("nodoor link id", &self.0))
    }

    /// The key that seals the boxes.
    #[must_use]
    pub fn key(&self) -> LinkKey {
        LinkKey(labelled_hash("nodoor link key", &self.0))
    }
}

// Both are secret: not for a log.
impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSecret(..)")
    }
}

/// Seals the boxes of one rendezvous.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct LinkKey(pub [u8; 32]);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

/// `c` of slot 0: binds the new device to its nonce and keys before it knows the other's nonce.
///
/// `device_entry` is the canonical CBOR of `[id, device key, MLS key, login key]`, as it stands in a list.
#[must_use]
pub fn commitment(nonce_new: &[u8; 32], device_entry: &[u8]) -> [u8; 32] {
    let mut bytes = nonce_new.to_vec();
    bytes.extend_from_slice(device_entry);
    labelled_hash("nodoor link commitment", &bytes)
}

/// Additional data of a box.
#[must_use]
pub fn box_data(rendezvous: &[u8; 16], slot: u8) -> Vec<u8> {
    let mut data = label::LINK.as_bytes().to_vec();
    data.extend_from_slice(rendezvous);
    data.push(slot);
    data
}

/// What both devices saw: the plain text of slots 0 and 1, and the new device's nonce, one behind the other. Each
/// slot is one item of canonical CBOR, so no byte can move from one to the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Transcript(Vec<u8>);

impl Transcript {
    /// Of these three.
    #[must_use]
    pub fn of(slot_0: &[u8], slot_1: &[u8], nonce_new: &[u8; 32]) -> Self {
        Self([slot_0, slot_1, nonce_new].concat())
    }

    /// The six digits: the first eight bytes of a hash over the transcript, modulo a million.
    #[must_use]
    pub fn code(&self) -> Code {
        let hash = labelled_hash("nodoor link code", &self.0);
        let number = hash.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte));
        // Below a million: it fits.
        Code(u32::try_from(number % 1_000_000).unwrap_or_default())
    }

    /// The new device confirms, after the code matched.
    #[must_use]
    pub fn sign(&self, device: &SigningKey) -> [u8; 64] {
        device.sign(label::LINK, &self.0)
    }

    /// That the new device confirmed.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, device_key: &[u8; 32], signature: &[u8]) -> Result<(), BadSignature> {
        verify(device_key, label::LINK, &self.0, signature)
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transcript(..)")
    }
}

/// Six digits that a person carries from one device to the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(u32);

impl Code {
    /// Reads what was typed: six digits, spaces anywhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let six = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        six.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}
