// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who is more than a member: the table under number 1 of what `nodoor_room` holds beyond its first version.
//!
//! ```text
//! {account => 1 admin | 2 owner}      accounts ascending, at least one owner, at most 100
//! ```
//!
//! It says what a table is and which change of one is fair; it judges no commit and knows no tree: that is the
//! gate's (`client`). A room without a table has one owner: its creator. Whom a table names is a member.
//!
//! Spec: `docs/book/protocol.md`, 5; `docs/decisions/0024-roles.md`.

use std::collections::BTreeMap;

use minicbor::{Decode, Decoder, Encode, Encoder, bytes::ByteArray, decode, encode};
use nodoor_wire::{canonical, id::AccountId};

use crate::room::RoomContext;

/// The number of the table among what later versions added.
pub const NUMBER: u32 = 1;
/// The most owners and admins of a room: what fits [`crate::room::EXTRA`] with room to spare.
pub const MOST: usize = 100;

/// What somebody may do in a group. Each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Whoever the table does not name.
    Member,
    /// Adds and removes members, and changes title, bans and conduct ([`crate::charter`]).
    Admin,
    /// Also changes roles.
    Owner,
}

/// The owners and admins of a group. Holds at least one owner and at most [`MOST`] accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(BTreeMap<AccountId, Role>);

impl Roles {
    /// One owner and nobody else.
    #[must_use]
    pub fn owned_by(owner: AccountId) -> Self {
        Self(BTreeMap::from([(owner, Role::Owner)]))
    }

    /// The roles of a room; of one without a table, its creator as owner.
    ///
    /// # Errors
    /// [`canonical::NotCanonical`]: a table that is malformed, out of order, too long or without an owner.
    pub fn of(room: &RoomContext) -> Result<Self, canonical::NotCanonical> {
        match room.extra.get(&NUMBER) {
            None => Ok(Self::owned_by(room.creator)),
            Some(bytes) => {
                let roles: Self = canonical::from_slice(bytes)?;
                if roles.is_sound() { Ok(roles) } else { Err(canonical::NotCanonical) }
            }
        }
    }

    /// Writes the table into a room's context.
    pub fn write(&self, room: &mut RoomContext) {
        room.extra.insert(NUMBER, canonical::to_vec(self));
    }

    /// What this account is.
    #[must_use]
    pub fn role(&self, account: &AccountId) -> Role {
        self.0.get(account).copied().unwrap_or(Role::Member)
    }

    /// The table with one role changed; nothing if no owner would be left or it would be too long.
    #[must_use]
    pub fn with(&self, account: AccountId, role: Role) -> Option<Self> {
        let mut roles = self.clone();
        match role {
            Role::Member => roles.0.remove(&account),
            Role::Admin | Role::Owner => roles.0.insert(account, role),
        };
        roles.is_sound().then_some(roles)
    }

    /// Whether `by` may turn this table into `after`: an owner any way, everyone else only by stepping down.
    #[must_use]
    pub fn may_become(&self, after: &Self, by: &AccountId) -> bool {
        let touched = |account: &&AccountId| self.role(account) != after.role(account);
        let mut changed = self.0.keys().chain(after.0.keys()).filter(touched);
        after.is_sound()
            && (self.role(by) == Role::Owner
                || changed.all(|account| account == by && after.role(by) < self.role(by)))
    }

    /// Whether `by` may take out `gone`: one's own devices always, else only who stands below an admin or owner.
    #[must_use]
    pub fn may_remove(&self, by: &AccountId, gone: &AccountId) -> bool {
        by == gone || self.role(by) > self.role(gone) || self.role(by) == Role::Owner
    }

    /// The first owner among these, given in the order of their leaves.
    #[must_use]
    pub fn first_owner(&self, of: &[AccountId]) -> Option<AccountId> {
        of.iter().find(|account| self.role(account) == Role::Owner).copied()
    }

    /// Owners and admins, ascending.
    pub fn leading(&self) -> impl Iterator<Item = &AccountId> {
        self.0.keys()
    }

    /// The table once only these are left, in the order of their leaves: who went is in it no more, and if no owner
    /// stays the first admin becomes one, else the first of all. Nobody left: as it was.
    #[must_use]
    pub fn settled(&self, staying: &[AccountId]) -> Self {
        let mut roles = self.clone();
        roles.0.retain(|account, _| staying.contains(account));
        let first = |role| staying.iter().find(|account| self.role(account) == role).copied();
        if first(Role::Owner).is_none() {
            match first(Role::Admin).or_else(|| staying.first().copied()) {
                Some(heir) => _ = roles.0.insert(heir, Role::Owner),
                None => return self.clone(),
            }
        }
        roles
    }

    fn is_sound(&self) -> bool {
        self.0.len() <= MOST && self.0.values().any(|role| *role == Role::Owner)
    }
}

impl<C> Encode<C> for Roles {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.map(self.0.len() as u64)?;
        for (account, role) in &self.0 {
            e.bytes(account.as_bytes())?.u32(if *role == Role::Owner { 2 } else { 1 })?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Roles {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        let count = d.map()?.ok_or_else(|| decode::Error::message("map length"))?;
        let mut roles = BTreeMap::new();
        for _ in 0..count {
            let account = AccountId(ByteArray::decode(d, c)?.into());
            let role = match d.u32()? {
                1 => Role::Admin,
                2 => Role::Owner,
                _ => return Err(decode::Error::message("role")),
            };
            if roles.last_key_value().is_some_and(|(last, _)| *last >= account) {
                return Err(decode::Error::message("order"));
            }
            roles.insert(account, role);
        }
        Ok(Self(roles))
    }
}
