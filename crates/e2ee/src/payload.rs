// SPDX-License-Identifier: AGPL-3.0-or-later
//! Around the content: when and by whom, signed for the day somebody reports it, and padding.
//!
//! `[1, content, sent at (ms), signature, epoch authenticator, gossip or null]` in CBOR, then zeros up to a
//! class. The signature makes a reported message attributable to a device key of a public list; nobody but
//! the room's members sees it before they show it.
//!
//! Spec: `docs/book/protocol.md`, 6.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use minicbor::{Decoder, Encoder, data::Type, decode};
use nodoor_wire::id::{RoomId, signed_bytes};
use sha2::{Digest as _, Sha256};

/// Label of the signature over what a report shows.
pub const REPORT_LABEL: &str = "nodoor report v1";

const VERSION: u32 = 1;
/// The smallest class, bytes; classes double up to [`LARGEST_CLASS`], then come its multiples.
const SMALLEST_CLASS: usize = 256;
const LARGEST_CLASS: usize = 32 * 1024;

/// Where a payload belongs: what the MLS frame around it says, and what the report signature binds it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The room.
    pub room: RoomId,
    /// The epoch it is sealed in.
    pub epoch: u64,
    /// The sender's leaf.
    pub leaf: u32,
}

/// A checkpoint of the public log that the sender saw, as it says: nobody signed that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gossip {
    /// Entries.
    pub size: u64,
    /// The root over them.
    pub root: [u8; 32],
}

/// A message with what surrounds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// Encoded content (`crate::content`).
    pub content: Vec<u8>,
    /// The sender's clock, milliseconds since 1970.
    pub sent_at_ms: u64,
    /// The sender's device key over content hash and [`Slot`].
    pub signature: [u8; 64],
    /// The sender's epoch authenticator.
    pub epoch_authenticator: Vec<u8>,
    /// Now and then.
    pub gossip: Option<Gossip>,
}

/// Why a payload is refused: all of it the sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Of a later version. The message is shown as "needs a newer version".
    #[error("a payload of version {0}")]
    Version(u32),
    /// Not a payload, or padded with anything but zeros.
    #[error("not a payload")]
    Malformed,
    /// The device key did not sign this content for this place and time.
    #[error("the report signature does not hold")]
    Signature,
}

impl From<decode::Error> for PayloadError {
    fn from(_: decode::Error) -> Self {
        Self::Malformed
    }
}

impl Payload {
    /// Signs a content for the place it is sent to. Encrypting it again in a later epoch needs a new payload;
    /// the message id, a hash of the content, stays.
    #[must_use]
    pub fn make(
        content: Vec<u8>,
        sent_at_ms: u64,
        slot: &Slot,
        epoch_authenticator: Vec<u8>,
        device_key: &SigningKey,
    ) -> Self {
        let signature = device_key.sign(&report_bytes(&content, sent_at_ms, slot)).to_bytes();
        Self { content, sent_at_ms, signature, epoch_authenticator, gossip: None }
    }

    /// With what the sender saw of the public log.
    #[must_use]
    pub fn with_gossip(self, gossip: Option<Gossip>) -> Self {
        Self { gossip, ..self }
    }

    /// The bytes to seal, padded to their class.
    #[must_use]
    pub fn to_padded(&self) -> Vec<u8> {
        let mut e = Encoder::new(Vec::with_capacity(padded(self.content.len() + 128)));
        // Writing into a Vec cannot fail.
        let _ = e
            .array(6)
            .and_then(|e| e.u32(VERSION))
            .and_then(|e| e.bytes(&self.content))
            .and_then(|e| e.u64(self.sent_at_ms))
            .and_then(|e| e.bytes(&self.signature))
            .and_then(|e| e.bytes(&self.epoch_authenticator))
            .and_then(|e| match &self.gossip {
                Some(gossip) => e.array(2)?.u64(gossip.size)?.bytes(&gossip.root),
                None => e.null(),
            })
            .map(drop);
        let mut bytes = e.into_writer();
        bytes.resize(padded(bytes.len()), 0);
        bytes
    }

    /// Reads what [`Payload::to_padded`] made; nothing is verified yet.
    ///
    /// # Errors
    /// [`PayloadError::Version`], [`PayloadError::Malformed`].
    pub fn from_padded(bytes: &[u8]) -> Result<Self, PayloadError> {
        let mut d = Decoder::new(bytes);
        let length = d.array()?;
        let version = d.u32()?;
        if version != VERSION {
            return Err(PayloadError::Version(version));
        }
        if length != Some(6) {
            return Err(PayloadError::Malformed);
        }
        let content = d.bytes()?.to_vec();
        let sent_at_ms = d.u64()?;
        let signature = <[u8; 64]>::try_from(d.bytes()?).map_err(|_| PayloadError::Malformed)?;
        let epoch_authenticator = d.bytes()?.to_vec();
        let gossip = gossip(&mut d)?;
        if bytes.iter().skip(d.position()).any(|byte| *byte != 0) {
            return Err(PayloadError::Malformed);
        }
        Ok(Self { content, sent_at_ms, signature, epoch_authenticator, gossip })
    }

    /// Whether the device whose leaf sent it signed it for this place. `device_key` is from the verified list that
    /// the leaf's credential names.
    ///
    /// # Errors
    /// [`PayloadError::Signature`].
    pub fn verify(&self, slot: &Slot, device_key: &[u8; 32]) -> Result<(), PayloadError> {
        let key = VerifyingKey::from_bytes(device_key).map_err(|_| PayloadError::Signature)?;
        let bytes = report_bytes(&self.content, self.sent_at_ms, slot);
        key.verify_strict(&bytes, &Signature::from_bytes(&self.signature))
            .map_err(|_| PayloadError::Signature)
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payload(..)")
    }
}

/// `[tree size, root]` of the ledger, or null.
fn gossip(d: &mut Decoder<'_>) -> Result<Option<Gossip>, PayloadError> {
    if d.datatype()? == Type::Null {
        d.null()?;
        return Ok(None);
    }
    if d.array()? != Some(2) {
        return Err(PayloadError::Malformed);
    }
    let size = d.u64()?;
    let root = <[u8; 32]>::try_from(d.bytes()?).map_err(|_| PayloadError::Malformed)?;
    Ok(Some(Gossip { size, root }))
}

/// The size a payload of `length` bytes is padded to.
fn padded(length: usize) -> usize {
    if length <= LARGEST_CLASS {
        length.next_power_of_two().max(SMALLEST_CLASS)
    } else {
        length.next_multiple_of(LARGEST_CLASS)
    }
}

/// `[SHA-256 of the content, room, epoch, sent at, leaf]` under [`REPORT_LABEL`].
fn report_bytes(content: &[u8], sent_at_ms: u64, slot: &Slot) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    let _ = e
        .array(5)
        .and_then(|e| e.bytes(&Sha256::digest(content)))
        .and_then(|e| e.bytes(slot.room.as_bytes()))
        .and_then(|e| e.u64(slot.epoch))
        .and_then(|e| e.u64(sent_at_ms))
        .and_then(|e| e.u32(slot.leaf))
        .map(drop);
    signed_bytes(REPORT_LABEL, &e.into_writer())
}
