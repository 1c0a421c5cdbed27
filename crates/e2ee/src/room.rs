// SPDX-License-Identifier: AGPL-3.0-or-later
//! What every member agrees a room is: the GroupContext extension `nodoor_room`.

use minicbor::{Decode, Decoder, Encode, Encoder, bytes::ByteArray, decode, encode};
use nodoor_wire::{
    canonical,
    id::{AccountId, CommitId, RoomId},
};

/// The longest title, bytes of UTF-8.
pub const TITLE: usize = 512;

/// The room's own description. Part of the key schedule: members who disagree on it share no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomContext {
    /// Between two accounts, or a group.
    pub kind: RoomKind,
    /// Whose device founded it.
    pub creator: AccountId,
    /// A group's name; empty in direct rooms. At most [`TITLE`] bytes.
    pub title: String,
    /// The burnt room this one continues.
    pub successor_of: Option<Burnt>,
}

/// Direct or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomKind {
    /// Devices of these two accounts only. Encoded in ascending order: use [`RoomKind::direct`].
    Direct {
        /// The smaller id.
        a: AccountId,
        /// The larger id (the same in a room with oneself).
        b: AccountId,
    },
    /// Whoever the creator adds.
    Group,
}

impl RoomKind {
    /// The direct room of two accounts, in either order.
    #[must_use]
    pub fn direct(one: AccountId, other: AccountId) -> Self {
        Self::Direct { a: one.min(other), b: one.max(other) }
    }
}

/// Where a successor room comes from: the commit that nobody good could process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burnt {
    /// The old room.
    pub room: RoomId,
    /// The epoch that commit ended.
    pub epoch: u64,
    /// The commit.
    pub commit: CommitId,
}

impl RoomContext {
    /// Canonical CBOR `[accounts of a direct room (0 or 2), creator, title, old room (0 values, or room, epoch, commit)]`.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(self)
    }

    /// Reads the extension.
    ///
    /// # Errors
    /// [`canonical::NotCanonical`]: malformed, accounts out of order, or a title beyond [`TITLE`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, canonical::NotCanonical> {
        let context: Self = canonical::from_slice(bytes)?;
        let in_order = match context.kind {
            RoomKind::Direct { a, b } => a <= b,
            RoomKind::Group => true,
        };
        if in_order && context.title.len() <= TITLE {
            Ok(context)
        } else {
            Err(canonical::NotCanonical)
        }
    }
}

impl<C> Encode<C> for RoomContext {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(4)?;
        match self.kind {
            RoomKind::Direct { a, b } => e.array(2)?.bytes(a.as_bytes())?.bytes(b.as_bytes())?,
            RoomKind::Group => e.array(0)?,
        };
        e.bytes(self.creator.as_bytes())?.str(&self.title)?;
        match self.successor_of {
            Some(old) => e
                .array(3)?
                .bytes(old.room.as_bytes())?
                .u64(old.epoch)?
                .bytes(old.commit.as_bytes())?,
            None => e.array(0)?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for RoomContext {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        expect_array(d, &[4])?;
        let kind = match expect_array(d, &[0, 2])? {
            0 => RoomKind::Group,
            _ => RoomKind::Direct { a: AccountId(id(d, c)?), b: AccountId(id(d, c)?) },
        };
        let creator = AccountId(id(d, c)?);
        let title = d.str()?.to_owned();
        let successor_of = match expect_array(d, &[0, 3])? {
            0 => None,
            _ => Some(Burnt {
                room: RoomId(id(d, c)?),
                epoch: d.u64()?,
                commit: CommitId(id(d, c)?),
            }),
        };
        Ok(Self { kind, creator, title, successor_of })
    }
}

fn expect_array(d: &mut Decoder<'_>, lengths: &[u64]) -> Result<u64, decode::Error> {
    match d.array()? {
        Some(length) if lengths.contains(&length) => Ok(length),
        _ => Err(decode::Error::message("array length")),
    }
}

fn id<'b, C, const N: usize>(d: &mut Decoder<'b>, c: &mut C) -> Result<[u8; N], decode::Error> {
    ByteArray::<N>::decode(d, c).map(Into::into)
}
