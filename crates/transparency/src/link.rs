// SPDX-License-Identifier: AGPL-3.0-or-later
//! Linking a second device: the secret that is shown, where it leads, and the code.
//!
//! Small functions over bytes that both devices hold. Who sends what when, and what is sealed, is `client`'s; this
//! page decides only what two devices must agree on to the byte.
//!
//! Spec: `docs/book/ledger.md`, 8; decision 0012.

use std::fmt;

use nodoor_wire::id::{first_16, labelled_hash};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::key::label;

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

/// Additional data of a box.
#[must_use]
pub fn box_data(rendezvous: &[u8; 16], slot: u8) -> Vec<u8> {
    let mut data = label::LINK.as_bytes().to_vec();
    data.extend_from_slice(rendezvous);
    data.push(slot);
    data
}

/// Six digits that a person carries from one device to the other. A password of theirs: not for a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(u32);

impl Code {
    /// How many there are.
    pub const COUNT: u32 = 1_000_000;

    /// The code of this number, modulo [`Code::COUNT`].
    #[must_use]
    pub fn of(number: u32) -> Self {
        Self(number % Self::COUNT)
    }

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
