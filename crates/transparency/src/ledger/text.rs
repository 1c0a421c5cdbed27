// SPDX-License-Identifier: AGPL-3.0-or-later
//! Base64 and numbers as the C2SP formats write them: one form each.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Standard base64 with padding (RFC 4648, 4).
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads what [`to_base64`] writes, and nothing else.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads 32 bytes of base64.
pub(crate) fn hash_from_base64(text: &str) -> Option<[u8; 32]> {
    from_base64(text)?.try_into().ok()
}

/// Decimal digits without a leading zero.
pub(crate) fn number(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    // `parse` takes a plus and leading zeros too.
    (value.to_string() == text).then_some(value)
}
