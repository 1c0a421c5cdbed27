// SPDX-License-Identifier: AGPL-3.0-or-later
//! What two devices write into the slots of a meeting while the second is linked: each slot one item of canonical CBOR.
//!
//! A slot that was read is well formed and nothing more. What it is worth is decided by [`crate::link`] (commitment, code,
//! confirmation) and [`crate::chain`] (the list), which `client` asks in the order of the table.
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
    /// [`crate::link::commitment`] of its nonce and entry.
    pub commitment: [u8; 32],
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct NewcomerBody {
    #[n(0)]
    device: DeviceBody,
    #[n(1)]
    name: String,
    #[n(2)]
    commitment: ByteArray<32>,
}

impl Newcomer {
    /// The slot.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(&NewcomerBody {
            device: (&self.device).into(),
            name: self.name.clone(),
            commitment: self.commitment.into(),
        })
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
        Ok(Self { device, name: body.name, commitment: body.commitment.into() })
    }
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
    /// Random.
    pub nonce: [u8; 32],
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
    nonce: ByteArray<32>,
}

impl Host {
    /// The slot.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(&HostBody {
            account: self.account.0.into(),
            list: self.list.into(),
            device: self.device.0.into(),
            nonce: self.nonce.into(),
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
            nonce: body.nonce.into(),
        })
    }
}

/// Slots 2, 3 and 5: a nonce of 32 bytes or a signature of 64.
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

    /// Slot 6.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        canonical::to_vec(&OutcomeBody { number: self.number() })
    }

    /// Reads slot 6.
    ///
    /// # Errors
    /// [`NotThisSlot`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotThisSlot> {
        let body: OutcomeBody = read(bytes)?;
        Ok(Self::from_number(body.number))
    }
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct OutcomeBody {
    #[n(0)]
    number: u8,
}

/// Slot 4: the next list as the old device signed it, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// The body of the next list, and the old device's signature over it.
    List(Vec<u8>, [u8; 64]),
    /// There is none.
    None(Outcome),
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct OfferBody {
    #[n(0)]
    number: u8,
    #[n(1)]
    body: ByteVec,
    #[n(2)]
    signature: ByteVec,
}

impl Offer {
    /// The slot.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let (number, body, signature) = match self {
            Self::List(body, signature) => (0, body.clone(), signature.to_vec()),
            Self::None(why) => (why.number(), Vec::new(), Vec::new()),
        };
        canonical::to_vec(&OfferBody { number, body: body.into(), signature: signature.into() })
    }

    /// Reads the slot.
    ///
    /// # Errors
    /// [`NotThisSlot`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotThisSlot> {
        let offer: OfferBody = read(bytes)?;
        if offer.number != 0 {
            return Ok(Self::None(Outcome::from_number(offer.number)));
        }
        let signature =
            <[u8; 64]>::try_from(offer.signature.as_slice()).map_err(|_| NotThisSlot)?;
        Ok(Self::List(offer.body.into(), signature))
    }
}

fn read<T>(bytes: &[u8]) -> Result<T, NotThisSlot>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    canonical::from_slice(bytes).map_err(|_| NotThisSlot)
}
