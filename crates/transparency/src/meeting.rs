// SPDX-License-Identifier: AGPL-3.0-or-later
//! What two devices write into the slots of a meeting while the second is linked: each slot one item of canonical CBOR.
//!
//! A slot that was read is well formed and nothing more. What it is worth is decided by the exchange over the code, in
//! `client`, and by [`crate::chain`] (the list).
//!
//! | slot | from | holds |
//! |---|---|---|
//! | 0 | new | [`Newcomer`] |
//! | 1 | old | [`Host`] |
//! | 2, 4, 6 | old | [`Answer::Try`], until one was right |
//! | 3, 5, 7 | new | [`Attempt`] at the code |
//! | the next even one | old | [`Answer::Offer`] |
//! | the next odd one | new | [`Bare`], its signature over the list |
//! | the next even one | old | [`Answer::End`]; also in the place of any other of its slots from 2 on |
//!
//! Spec: `docs/book/ledger.md`, 8.

use minicbor::{
    Decode, Encode,
    bytes::{ByteArray, ByteVec},
};
use nodoor_wire::{
    canonical,
    id::{AccountId, DeviceId},
};

use crate::list::{Device, DeviceBody};

/// Characters of a device's name.
pub const NAME: usize = 60;

/// The bytes are not what belongs in this slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not what belongs in this slot")]
pub struct NotThisSlot;

/// Slot 0: who wants to be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// Its keys.
    pub device: Device,
    /// What it calls itself, at most [`NAME`] characters; a person's text, not cleaned.
    pub name: String,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct NewcomerBody {
    #[n(0)]
    device: DeviceBody,
    #[n(1)]
    name: String,
}

impl Newcomer {
    /// The slot.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(&NewcomerBody { device: (&self.device).into(), name: self.name.clone() })
    }

    /// Reads the slot; the device's id is that of its key.
    ///
    /// # Errors
    /// [`NotThisSlot`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotThisSlot> {
        let body: NewcomerBody = read(bytes)?;
        let device = Device::from(body.device);
        if device.id != DeviceId::of(&device.device_key) || body.name.chars().count() > NAME {
            return Err(NotThisSlot);
        }
        Ok(Self { device, name: body.name })
    }
}

/// The public log as the device that one has goes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenLog {
    /// Its policy, as text.
    pub policy: String,
    /// Ledger time of the checkpoint, milliseconds since 1970; 0 if none was seen.
    pub time_ms: u64,
    /// The newest checkpoint that counted, as it was signed; empty if none was seen.
    pub checkpoint: Vec<u8>,
}

/// Slot 1: whose device answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The account.
    pub account: AccountId,
    /// SHA-256 of its newest list.
    pub list: [u8; 32],
    /// The device that answers.
    pub device: DeviceId,
    /// The log it sees; nothing where there is none. The code vouches for it, as for all of this slot.
    pub log: Option<SeenLog>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct HostBody {
    #[n(0)]
    account: ByteArray<16>,
    #[n(1)]
    list: ByteArray<32>,
    #[n(2)]
    device: ByteArray<16>,
    #[n(3)]
    log: Option<LogBody>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct LogBody {
    #[n(0)]
    policy: String,
    #[n(1)]
    time_ms: u64,
    #[n(2)]
    checkpoint: ByteVec,
}

impl Host {
    /// The slot.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(&HostBody {
            account: self.account.0.into(),
            list: self.list.into(),
            device: self.device.0.into(),
            log: self.log.clone().map(|log| LogBody {
                policy: log.policy,
                time_ms: log.time_ms,
                checkpoint: log.checkpoint.into(),
            }),
        })
    }

    /// Reads the slot.
    ///
    /// # Errors
    /// [`NotThisSlot`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotThisSlot> {
        let body: HostBody = read(bytes)?;
        Ok(Self {
            account: AccountId(body.account.into()),
            list: body.list.into(),
            device: DeviceId(body.device.into()),
            log: body.log.map(|log| SeenLog {
                policy: log.policy,
                time_ms: log.time_ms,
                checkpoint: log.checkpoint.into(),
            }),
        })
    }
}

/// Bytes of a message of the exchange over the code.
pub const EXCHANGE: usize = 33;

/// The code was typed: the new device's message of the exchange, and its proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The message.
    pub message: [u8; EXCHANGE],
    /// The proof.
    pub proof: [u8; 32],
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct AttemptBody {
    #[n(0)]
    message: ByteArray<EXCHANGE>,
    #[n(1)]
    proof: ByteArray<32>,
}

impl Attempt {
    /// The slot.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(&AttemptBody { message: self.message.into(), proof: self.proof.into() })
    }

    /// Reads the slot.
    ///
    /// # Errors
    /// [`NotThisSlot`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotThisSlot> {
        let body: AttemptBody = read(bytes)?;
        Ok(Self { message: body.message.into(), proof: body.proof.into() })
    }
}

/// A signature of 64 bytes, alone in its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bare<const N: usize>(pub [u8; N]);

#[derive(Encode, Decode)]
#[cbor(array)]
struct BareBody<const N: usize> {
    #[n(0)]
    bytes: ByteArray<N>,
}

impl<const N: usize> Bare<N> {
    /// The slot.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(&BareBody { bytes: self.0.into() })
    }

    /// Reads the slot.
    ///
    /// # Errors
    /// [`NotThisSlot`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotThisSlot> {
        let body: BareBody<N> = read(bytes)?;
        Ok(Self(body.bytes.into()))
    }
}

/// Why the device one has goes no further: `done` stands here too. Numbers, since later versions may have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The list is put.
    Done,
    /// The person ended it, or time did.
    Ended,
    /// What the new device sent does not fit together.
    Refused,
    /// The account's list changed meanwhile.
    ListChanged,
    /// The account has as many devices as it may have.
    TooManyDevices,
    /// A removed device objects.
    Disputed,
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::Done,
        Self::Ended,
        Self::Refused,
        Self::ListChanged,
        Self::TooManyDevices,
        Self::Disputed,
    ];

    fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|one| *one == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(1)
    }

    /// One of a later version is an end like any other.
    fn from_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Ended)
    }
}

/// What the old device says from slot 2 on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its message of the exchange: the code may be typed.
    Try([u8; EXCHANGE]),
    /// The code was right. Its own proof that it knows it; the body of the next list, and its signature over that.
    Offer {
        /// The proof.
        proof: [u8; 32],
        /// The list's body.
        body: Vec<u8>,
        /// The old device's signature over it.
        signature: [u8; 64],
    },
    /// It is over, and why.
    End(Outcome),
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct AnswerBody {
    /// Which of the three.
    #[n(0)]
    kind: u8,
    /// Why it is over, or 0.
    #[n(1)]
    outcome: u8,
    /// Message or proof.
    #[n(2)]
    exchange: ByteVec,
    #[n(3)]
    body: ByteVec,
    #[n(4)]
    signature: ByteVec,
}

impl Answer {
    /// The slot.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let (mut outcome, mut exchange) = (0, Vec::new());
        let (mut list, mut by) = (Vec::new(), Vec::new());
        let kind = match self {
            Self::Try(message) => {
                exchange = message.to_vec();
                0
            }
            Self::Offer { proof, body, signature } => {
                (exchange, list, by) = (proof.to_vec(), body.clone(), signature.to_vec());
                1
            }
            Self::End(why) => {
                outcome = why.number();
                2
            }
        };
        let (exchange, body, signature) = (exchange.into(), list.into(), by.into());
        canonical::to_vec(&AnswerBody { kind, outcome, exchange, body, signature })
    }

    /// Reads the slot.
    ///
    /// # Errors
    /// [`NotThisSlot`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotThisSlot> {
        let read: AnswerBody = read(bytes)?;
        let body: Vec<u8> = read.body.into();
        let signature = read.signature.as_slice();
        let bare = body.is_empty() && signature.is_empty();
        match (read.kind, read.outcome) {
            (0, 0) if bare => {
                let message = read.exchange.as_slice().try_into();
                message.map(Self::Try).map_err(|_| NotThisSlot)
            }
            (1, 0) => {
                let proof = read.exchange.as_slice().try_into().map_err(|_| NotThisSlot)?;
                let signature = signature.try_into().map_err(|_| NotThisSlot)?;
                Ok(Self::Offer { proof, body, signature })
            }
            (2, number) if bare && read.exchange.is_empty() => {
                Ok(Self::End(Outcome::from_number(number)))
            }
            _ => Err(NotThisSlot),
        }
    }
}

fn read<T>(bytes: &[u8]) -> Result<T, NotThisSlot>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    canonical::from_slice(bytes).map_err(|_| NotThisSlot)
}
