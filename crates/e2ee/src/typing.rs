// SPDX-License-Identifier: AGPL-3.0-or-later
//! That somebody is typing: a frame for members of this epoch that is no message. It is never repeated, kept or
//! acknowledged, so it takes no key of the MLS ratchet: losing one must lose nothing else.
//!
//! `nonce (24) || XChaCha20-Poly1305` under `MLS-Exporter("nodoor typing", room id, 32)`, additional data `"nodoor typing v1"
//! || room id || epoch`; inside 96 bytes, CBOR `[1, leaf, sent at (ms), typing, signature]` and zeros. The signature is the
//! device key's over the first four, room and epoch, for every member has the key.
//!
//! Spec: `docs/book/protocol.md`, 3.7.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use minicbor::{Decoder, Encoder};

use crate::{
    group::{Group, GroupError},
    identity::LeafName,
};

/// Bytes of a frame.
pub const FRAME: usize = NONCE + PLAIN + 16;
const NONCE: usize = 24;
const PLAIN: usize = 96;
const CONTEXT: &[u8] = b"nodoor typing v1";
const VERSION: u8 = 1;

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typing {
    /// Whose leaf.
    pub leaf: u32,
    /// When, milliseconds since 1970 by the sender's clock: a frame that is no later than another one is old.
    pub sent_at_ms: u64,
    /// Typing, or no longer.
    pub on: bool,
}

/// Seals that the own device types, or does not any more. `nonce` is fresh randomness.
///
/// # Errors
/// [`GroupError::Removed`].
pub fn seal(
    group: &Group,
    device_key: &SigningKey,
    sent_at_ms: u64,
    on: bool,
    nonce: &[u8; 24],
) -> Result<Vec<u8>, GroupError> {
    let said = Typing { leaf: group.own_index(), sent_at_ms, on };
    let signature = device_key.sign(&signed(group, &said)).to_bytes();
    let mut e = Encoder::new(Vec::with_capacity(PLAIN));
    // Writing into a Vec cannot fail.
    let _ = e
        .array(5)
        .and_then(|e| e.u8(VERSION))
        .and_then(|e| e.u32(said.leaf))
        .and_then(|e| e.u64(said.sent_at_ms))
        .and_then(|e| e.bool(said.on))
        .and_then(|e| e.bytes(&signature))
        .map(drop);
    let mut plain = e.into_writer();
    plain.resize(PLAIN, 0);
    let aad = bound(group);
    let payload = Payload { msg: &plain, aad: &aad };
    let sealed = XChaCha20Poly1305::new(&group.typing_key()?.into())
        .encrypt(XNonce::from_slice(nonce), payload)
        .map_err(|_| GroupError::Unexpected("sealing that one types"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens a frame of this epoch. `device_key` gives the verified device key of a leaf. None: no member of this epoch made
/// it, or it is of a later version.
pub fn open(
    group: &Group,
    frame: &[u8],
    device_key: impl FnOnce(&LeafName) -> Option<[u8; 32]>,
) -> Option<(LeafName, Typing)> {
    let (nonce, sealed) = frame.split_at_checked(NONCE).filter(|_| frame.len() == FRAME)?;
    let aad = bound(group);
    let plain = XChaCha20Poly1305::new(&group.typing_key().ok()?.into())
        .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &aad })
        .ok()?;
    let mut d = Decoder::new(&plain);
    if d.array().ok()? != Some(5) || d.u8().ok()? != VERSION {
        return None;
    }
    let said = Typing { leaf: d.u32().ok()?, sent_at_ms: d.u64().ok()?, on: d.bool().ok()? };
    let signature = <[u8; 64]>::try_from(d.bytes().ok()?).ok()?;
    let name = group.leaf(said.leaf)?.name;
    let key = VerifyingKey::from_bytes(&device_key(&name)?).ok()?;
    key.verify_strict(&signed(group, &said), &Signature::from_bytes(&signature)).ok()?;
    Some((name, said))
}

/// What is signed: of this room and epoch, and of nothing else that the device key signs.
fn signed(group: &Group, said: &Typing) -> Vec<u8> {
    let mut bytes = bound(group);
    bytes.extend(said.leaf.to_be_bytes());
    bytes.extend(said.sent_at_ms.to_be_bytes());
    bytes.push(u8::from(said.on));
    bytes
}

fn bound(group: &Group) -> Vec<u8> {
    [CONTEXT, group.room().as_bytes(), &group.epoch().to_be_bytes()].concat()
}
