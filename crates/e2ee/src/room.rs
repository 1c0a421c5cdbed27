// SPDX-License-Identifier: AGPL-3.0-or-later
//! What every member agrees a room is: the GroupContext extension `nodoor_room`.
//!
//! ```text
//! [1, kind, [account], creator, title, origin, {number => any}]
//! kind    0 direct: two accounts, ascending; 1 group: none; 2 own devices: one
//! origin  [] or [room, epoch, commit]
//! ```
//!
//! The map holds what later versions add (roles, for one): numbers in ascending order, each value one CBOR item, kept
//! byte for byte by who does not know it.
//!
//! Spec: `docs/book/protocol.md`, 3.

use std::collections::BTreeMap;

use minicbor::{Decode, Decoder, Encode, Encoder, bytes::ByteArray, decode, encode};
use nodoor_wire::{
    canonical,
    id::{AccountId, CommitId, RoomId},
};

/// The longest title, bytes of UTF-8.
pub const TITLE: usize = 512;
/// The most that later versions may add, bytes.
pub const EXTRA: usize = 16 * 1024;

const VERSION: u32 = 1;
const DIRECT: u32 = 0;
const GROUP: u32 = 1;
const OWN: u32 = 2;

/// The room's own description. Part of the key schedule: members who disagree on it share no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomContext {
    /// Between two accounts, a group, or the devices of one account.
    pub kind: RoomKind,
    /// Whose device founded it.
    pub creator: AccountId,
    /// A group's name; empty in direct rooms. At most [`TITLE`] bytes.
    pub title: String,
    /// The burnt room this one continues.
    pub successor_of: Option<Burnt>,
    /// What later versions added: encoded values by number.
    pub extra: BTreeMap<u32, Vec<u8>>,
}

/// What a room is for.
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
    /// The devices of the creator's account.
    Own,
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
    /// A new room of this kind.
    #[must_use]
    pub fn new(kind: RoomKind, creator: AccountId, title: &str) -> Self {
        let title = title.to_owned();
        Self { kind, creator, title, successor_of: None, extra: BTreeMap::new() }
    }

    /// The canonical CBOR above.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(self)
    }

    /// Reads the extension.
    ///
    /// # Errors
    /// [`canonical::NotCanonical`]: malformed, of another version or kind, accounts out of order, or longer than [`TITLE`]
    /// and [`EXTRA`] allow.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, canonical::NotCanonical> {
        let context: Self = canonical::from_slice(bytes)?;
        let in_order = match context.kind {
            RoomKind::Direct { a, b } => a <= b,
            RoomKind::Group | RoomKind::Own => true,
        };
        let extra: usize = context.extra.values().map(Vec::len).sum();
        if in_order && context.title.len() <= TITLE && extra <= EXTRA {
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
        e.array(7)?.u32(VERSION)?;
        match self.kind {
            RoomKind::Direct { a, b } => {
                e.u32(DIRECT)?.array(2)?.bytes(a.as_bytes())?.bytes(b.as_bytes())?
            }
            RoomKind::Group => e.u32(GROUP)?.array(0)?,
            RoomKind::Own => e.u32(OWN)?.array(1)?.bytes(self.creator.as_bytes())?,
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
        e.map(self.extra.len() as u64)?;
        for (number, value) in &self.extra {
            e.u32(*number)?.writer_mut().write_all(value).map_err(encode::Error::write)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for RoomContext {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        expect_array(d, &[7])?;
        if d.u32()? != VERSION {
            return Err(decode::Error::message("version"));
        }
        let (kind, owner) = match (d.u32()?, expect_array(d, &[0, 1, 2])?) {
            (DIRECT, 2) => {
                (RoomKind::Direct { a: AccountId(id(d, c)?), b: AccountId(id(d, c)?) }, None)
            }
            (GROUP, 0) => (RoomKind::Group, None),
            (OWN, 1) => (RoomKind::Own, Some(AccountId(id(d, c)?))),
            _ => return Err(decode::Error::message("kind")),
        };
        let creator = AccountId(id(d, c)?);
        if owner.is_some_and(|owner| owner != creator) {
            return Err(decode::Error::message("owner"));
        }
        let title = d.str()?.to_owned();
        let successor_of = match expect_array(d, &[0, 3])? {
            0 => None,
            _ => Some(Burnt {
                room: RoomId(id(d, c)?),
                epoch: d.u64()?,
                commit: CommitId(id(d, c)?),
            }),
        };
        Ok(Self { kind, creator, title, successor_of, extra: extra(d)? })
    }
}

fn extra(d: &mut Decoder<'_>) -> Result<BTreeMap<u32, Vec<u8>>, decode::Error> {
    let count = d.map()?.ok_or_else(|| decode::Error::message("map length"))?;
    let mut extra = BTreeMap::new();
    for _ in 0..count {
        let number = d.u32()?;
        if extra.last_key_value().is_some_and(|(last, _)| *last >= number) {
            return Err(decode::Error::message("order"));
        }
        let start = d.position();
        d.skip()?;
        let value = d.input().get(start..d.position()).unwrap_or_default();
        extra.insert(number, value.to_vec());
    }
    Ok(extra)
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
