// SPDX-License-Identifier: AGPL-3.0-or-later
//! Canonical CBOR (RFC 8949, 4.2.1) for everything that is signed or hashed: arrays of definite
//! length, shortest integers. A decoder accepts exactly the bytes its encoder writes.

/// The bytes are not the canonical encoding of the type asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical encoding of this type")]
pub struct NotCanonical;

/// Encodes a value whose `Encode` writes only definite arrays, byte strings, texts and integers.
#[must_use]
pub fn to_vec<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    // Writing into a Vec cannot fail; an empty vector would be refused by every reader.
    minicbor::to_vec(value).unwrap_or_default()
}

/// Decodes `bytes` and refuses any encoding but the canonical one.
///
/// # Errors
/// [`NotCanonical`]: malformed, trailing bytes, or a second encoding of the same value.
pub fn from_slice<T>(bytes: &[u8]) -> Result<T, NotCanonical>
where
    T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
{
    let value = minicbor::decode(bytes).map_err(|_| NotCanonical)?;
    if to_vec(&value) == bytes { Ok(value) } else { Err(NotCanonical) }
}
