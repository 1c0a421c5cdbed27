// SPDX-License-Identifier: AGPL-3.0-or-later
//! Handles: the public, optional, exact names people are found by.

use std::fmt;

/// A well-formed handle, without the `@`.
///
/// 2 to 32 characters of `a-z 0-9 . _ -`; begins with a letter or digit, ends with one, and never has
/// two marks in a row. ASCII alone, so that no two handles look alike by script.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

/// Why a text is not a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Fewer than 2 or more than 32 characters.
    #[error("a handle has 2 to 32 characters")]
    Length,
    /// A character outside `a-z 0-9 . _ -`.
    #[error("a handle has only a-z, 0-9 and . _ -")]
    Character,
    /// A mark at the start or end, or two in a row.
    #[error("a handle begins and ends with a letter or digit, with no two marks in a row")]
    Marks,
}

impl Handle {
    /// Reads a handle; one leading `@` and upper case are forgiven.
    ///
    /// # Errors
    /// [`HandleError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let text = text.trim();
        let text = text.strip_prefix('@').unwrap_or(text).to_ascii_lowercase();
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || is_mark(b)) {
            return Err(HandleError::Character);
        }
        if !(2..=32).contains(&text.len()) {
            return Err(HandleError::Length);
        }
        let bytes = text.as_bytes();
        let doubled =
            bytes.iter().zip(bytes.iter().skip(1)).any(|(a, b)| is_mark(*a) && is_mark(*b));
        let at_edge = [bytes.first(), bytes.last()].into_iter().flatten().any(|b| is_mark(*b));
        if doubled || at_edge {
            return Err(HandleError::Marks);
        }
        Ok(Self(text))
    }

    /// The handle without `@`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'.' | b'_' | b'-')
}

// Handles have no place in a log.
impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_plain_ascii_and_forgive_case_and_at() {
        for good in ["mira", "@Mira", "a1", "m.k", "mira-24", "0day"] {
            assert!(Handle::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "-a",
            "a-",
            "a..b",
            "mirä",
            "mіra",
            "a b",
            "a/b",
            &"a".repeat(33),
            "a\u{202e}b",
        ] {
            assert!(Handle::parse(bad).is_err(), "{bad}");
        }
    }
}
