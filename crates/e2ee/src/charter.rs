// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a group agrees on beyond its title: who leads it ([`crate::roles`]), who may not come in again, and who may
//! write how often.
//!
//! ```text
//! 1   roles
//! 2   [account]                bans, ascending, at most 256
//! 3   [announcements, slow]    conduct: whether only admins and owners write; seconds between two messages of a member
//! 4   {link => [account, approval]}   invite links: half of the SHA-256 of what each shows, who made it, whether they decide
//!                         about each who asks; at most 20, ascending
//! ```
//!
//! Each is absent where it says nothing. Numbers beyond these are of later versions.
//!
//! Spec: `docs/book/protocol.md`, 5; `docs/decisions/0024-roles.md`.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Decoder, Encode, Encoder, bytes::ByteArray, decode, encode};
use nodoor_wire::{canonical, id::AccountId};
use sha2::{Digest as _, Sha256};

use crate::{
    roles::{self, Role, Roles},
    room::{RoomContext, RoomKind},
};

const BANS: u32 = 2;
const CONDUCT: u32 = 3;
const LINKS: u32 = 4;
/// The most links that lead to a room.
pub const MOST_LINKS: usize = 20;
/// The most accounts that are banned from a room.
pub const MOST_BANS: usize = 256;
/// The longest pause of slow mode, seconds.
pub const SLOWEST: u32 = 24 * 3600;

/// What a group's GroupContext says of its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charter {
    /// Who leads it.
    pub roles: Roles,
    /// Who may not come in.
    pub bans: BTreeSet<AccountId>,
    /// Who may write, and how often.
    pub conduct: Conduct,
    /// Which links lead to it.
    pub links: BTreeMap<[u8; 16], Link>,
}

/// A link that leads to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Who made it, and is asked by whoever has it.
    pub by: AccountId,
    /// They decide about each who asks.
    pub approval: bool,
}

/// What a link that shows this is known by.
#[must_use]
pub fn link_id(secret: &[u8; 16]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(secret).into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// Who may write, and how often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Only admins and owners write.
    pub announcements: bool,
    /// Seconds between two messages of one member who is no admin; 0: as often as they like.
    pub slow: u32,
}

impl Charter {
    /// What a room's context says; of a room that is no group, nothing.
    ///
    /// # Errors
    /// [`canonical::NotCanonical`]: malformed, out of order, too long, saying nothing, or not of a group.
    pub fn of(room: &RoomContext) -> Result<Self, canonical::NotCanonical> {
        let group = room.kind == RoomKind::Group;
        if !group
            && [roles::NUMBER, BANS, CONDUCT, LINKS].iter().any(|n| room.extra.contains_key(n))
        {
            return Err(canonical::NotCanonical);
        }
        let bans = match room.extra.get(&BANS) {
            None => BTreeSet::new(),
            Some(bytes) => canonical::from_slice::<Bans>(bytes)?.0,
        };
        let conduct = match room.extra.get(&CONDUCT) {
            None => Conduct::default(),
            Some(bytes) => canonical::from_slice(bytes)?,
        };
        let links = match room.extra.get(&LINKS) {
            None => BTreeMap::new(),
            Some(bytes) => canonical::from_slice::<Links>(bytes)?.0,
        };
        Ok(Self { roles: Roles::of(room)?, bans, conduct, links })
    }

    /// Writes it into a room's context. A table that says what the room says without one is not written.
    pub fn write(&self, room: &mut RoomContext) {
        room.extra.remove(&roles::NUMBER);
        if Roles::of(room).as_ref() != Ok(&self.roles) {
            self.roles.write(room);
        }
        room.extra.remove(&BANS);
        if !self.bans.is_empty() {
            room.extra.insert(BANS, canonical::to_vec(&Bans(self.bans.clone())));
        }
        room.extra.remove(&CONDUCT);
        if self.conduct != Conduct::default() {
            room.extra.insert(CONDUCT, canonical::to_vec(&self.conduct));
        }
        room.extra.remove(&LINKS);
        if !self.links.is_empty() {
            room.extra.insert(LINKS, canonical::to_vec(&Links(self.links.clone())));
        }
    }

    /// What later versions added to a room, with the roles written out whoever founded it: equal in rooms that agree.
    ///
    /// # Errors
    /// As [`Charter::of`].
    pub fn written_out(
        room: &RoomContext,
    ) -> Result<BTreeMap<u32, Vec<u8>>, canonical::NotCanonical> {
        let mut room = room.clone();
        Self::of(&room)?.roles.write(&mut room);
        Ok(room.extra)
    }

    /// Whether this account is an admin or owner.
    #[must_use]
    pub fn leads(&self, account: &AccountId) -> bool {
        self.roles.role(account) >= Role::Admin
    }
}

struct Links(BTreeMap<[u8; 16], Link>);

impl<C> Encode<C> for Links {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.map(self.0.len() as u64)?;
        for (id, link) in &self.0 {
            e.bytes(id)?.array(2)?.bytes(link.by.as_bytes())?.bool(link.approval)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Links {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        let count = d.map()?.ok_or_else(|| decode::Error::message("map length"))?;
        if count == 0 || count > MOST_LINKS as u64 {
            return Err(decode::Error::message("number of links"));
        }
        let mut links = BTreeMap::new();
        for _ in 0..count {
            let id: [u8; 16] = ByteArray::decode(d, c)?.into();
            if d.array()? != Some(2) {
                return Err(decode::Error::message("link"));
            }
            let link = Link { by: AccountId(ByteArray::decode(d, c)?.into()), approval: d.bool()? };
            if links.last_key_value().is_some_and(|(last, _)| *last >= id) {
                return Err(decode::Error::message("order"));
            }
            links.insert(id, link);
        }
        Ok(Self(links))
    }
}

struct Bans(BTreeSet<AccountId>);

impl<C> Encode<C> for Bans {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(self.0.len() as u64)?;
        for account in &self.0 {
            e.bytes(account.as_bytes())?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Bans {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        let count = d.array()?.ok_or_else(|| decode::Error::message("array length"))?;
        if count == 0 || count > MOST_BANS as u64 {
            return Err(decode::Error::message("number of bans"));
        }
        let mut bans = BTreeSet::new();
        for _ in 0..count {
            let account = AccountId(ByteArray::decode(d, c)?.into());
            if bans.last().is_some_and(|last| *last >= account) {
                return Err(decode::Error::message("order"));
            }
            bans.insert(account);
        }
        Ok(Self(bans))
    }
}

impl<C> Encode<C> for Conduct {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.bool(self.announcements)?.u32(self.slow)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Conduct {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(2) {
            return Err(decode::Error::message("conduct"));
        }
        let conduct = Self { announcements: d.bool()?, slow: d.u32()? };
        if conduct == Self::default() || conduct.slow > SLOWEST {
            return Err(decode::Error::message("conduct"));
        }
        Ok(conduct)
    }
}
