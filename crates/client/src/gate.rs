// SPDX-License-Identifier: AGPL-3.0-or-later
//! The one gate: every leaf that enters a room, and every change of a room, passes [`judge`] before
//! anything is merged.
//!
//! It looks at the change, at lists that were verified from the account id on and how far they are logged, and
//! at the room's GroupContext; at no clock and at no later list version, so that honest members agree. MLS itself
//! checks no credential (RFC 9420, 5.3.1 leaves it to the application): without this function a
//! server and one dishonest member could place a device of their own in anybody's name.
//!
//! Spec: `docs/book/protocol.md`, 5.

use nodoor_e2ee::{
    charter::Charter,
    group::Leaf,
    room::{RoomContext, RoomKind},
};
use nodoor_transparency::chain::Chain;
use nodoor_wire::{id::AccountId, limits, roster};
use serde::{Deserialize, Serialize};

/// A change of a room, or a Welcome to one.
pub struct Change<'c> {
    /// The GroupContext before; `None` for a Welcome.
    pub before: Option<&'c RoomContext>,
    /// The GroupContext after.
    pub after: &'c RoomContext,
    /// Whose commit it is.
    pub committer: AccountId,
    /// Whose device a Welcome is for.
    pub joining: Option<AccountId>,
    /// Leaves that were there and stay as they are.
    pub staying: &'c [Leaf],
    /// Leaves that enter, by Add or (all of them) by a Welcome.
    pub entering: &'c [Leaf],
    /// The committer's leaf before and after its update path.
    pub updated: Option<(&'c Leaf, &'c Leaf)>,
    /// Leaves that go, and who proposed it.
    pub removed: &'c [(Leaf, AccountId)],
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be merged.
    Valid,
    /// Not yet: this must be looked up first.
    Undecided(Vec<Missing>),
    /// It is never merged.
    Invalid(Reason),
}

/// What the gate lacks for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The account's lists, at least to this version.
    List {
        /// Whose.
        account: AccountId,
        /// The version that a leaf names.
        version: u32,
    },
    /// A proof that the account's lists are logged, at least to this version.
    Inclusion {
        /// Whose.
        account: AccountId,
        /// The version that a leaf names.
        version: u32,
    },
}

/// What is known of an account.
#[derive(Clone, Copy)]
pub struct Listed<'k> {
    /// Its lists, verified.
    pub chain: &'k Chain,
    /// Up to which version they are logged, 0 for none; nothing where the deployment keeps no ledger.
    pub logged: Option<u64>,
}

/// Why a change is refused. Kept on disk with the epoch it burnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Reason {
    /// No verified list names this device with this key.
    #[error("a leaf that no verified device list names")]
    UnlistedLeaf,
    /// The account does not belong in this room.
    #[error("an account that does not belong in this room")]
    WrongAccount,
    /// The committer may not add this.
    #[error("added by somebody who may not")]
    MayNotAdd,
    /// The proposer may not remove this.
    #[error("removed by somebody who may not")]
    MayNotRemove,
    /// Kind, creator or origin of a room never change; title, roles, bans and conduct by those who may.
    #[error("a change of the room that nobody or not this member may make")]
    Context,
    /// An update path that turns one device into another.
    #[error("an update that changes whose leaf it is")]
    Identity,
    /// A delivery token or commit key that is there twice.
    #[error("a delivery token or commit key used twice")]
    NotUnique,
    /// Somebody who was banned from the room.
    #[error("somebody who is banned from the room")]
    Banned,
    /// More members than a room may have.
    #[error("too many members")]
    TooMany,
}

/// Judges a change. `known` gives what is held of an account, if anything is.
pub fn judge<'k>(change: &Change<'_>, known: impl Fn(&AccountId) -> Option<Listed<'k>>) -> Verdict {
    if let Err(reason) = rules(change) {
        return Verdict::Invalid(reason);
    }
    let mut missing = Vec::new();
    let update = change.updated.map(|(_, after)| after);
    for leaf in change.entering.iter().chain(update) {
        match judge_leaf(leaf, known(&leaf.name.account)) {
            Verdict::Valid => {}
            Verdict::Undecided(more) => missing.extend(more),
            Verdict::Invalid(reason) => return Verdict::Invalid(reason),
        }
    }
    if missing.is_empty() { Verdict::Valid } else { Verdict::Undecided(missing) }
}

/// Judges whose one leaf is: whether the list it names, logged, has its device with this key.
pub fn judge_leaf(leaf: &Leaf, known: Option<Listed<'_>>) -> Verdict {
    let (account, version) = (leaf.name.account, leaf.name.list_version);
    let reaches = |held: &Listed<'_>| held.chain.newest().version() >= u64::from(version);
    let Some(held) = known.filter(reaches) else {
        return Verdict::Undecided(vec![Missing::List { account, version }]);
    };
    let listed = held
        .chain
        .version(u64::from(version))
        .and_then(|list| list.device(&leaf.name.device))
        .is_some_and(|device| device.mls_key == leaf.mls_key);
    if !listed {
        return Verdict::Invalid(Reason::UnlistedLeaf);
    }
    if held.logged.is_some_and(|logged| logged < u64::from(version)) {
        return Verdict::Undecided(vec![Missing::Inclusion { account, version }]);
    }
    Verdict::Valid
}

fn rules(change: &Change<'_>) -> Result<(), Reason> {
    let update = change.updated.map(|(_, after)| after);
    let leaves: Vec<&Leaf> = change.staying.iter().chain(change.entering).chain(update).collect();
    // Who may do what is what the room said before: nobody is raised and acts in one commit.
    let says = Charter::of(change.before.unwrap_or(change.after)).map_err(|_| Reason::Context)?;
    if let Some((before, after)) = change.updated
        && (before.name.account != after.name.account
            || before.name.device != after.name.device
            || before.name.list_version > after.name.list_version)
    {
        return Err(Reason::Identity);
    }
    context_rules(change, &says, &leaves)?;
    for leaf in change.entering {
        entering_rules(change, &says, leaf)?;
    }
    for (gone, proposer) in change.removed {
        // Of two people either takes out a device of the other's that is lost, but never the other.
        let account = gone.name.account;
        let direct = is_direct(change.after);
        let stays = direct && leaves.iter().any(|leaf| leaf.name.account == account);
        // Nobody is brought back into a room of two: a device taken out and in at once would be out for good.
        let same =
            |leaf: &Leaf| leaf.name.device == gone.name.device && leaf.mls_key == gone.mls_key;
        let again = direct && change.entering.iter().any(same);
        let may = account == *proposer
            || is_group(change.after) && says.roles.may_remove(proposer, &account);
        if again || !may && !stays {
            return Err(Reason::MayNotRemove);
        }
    }
    let mut accounts: Vec<AccountId> = leaves.iter().map(|leaf| leaf.name.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    // A roster cannot hold more leaves, and an epoch without a roster is one that nobody can send in.
    let most_leaves = roster::CLASSES.last().copied().unwrap_or(0);
    if accounts.len() > limits::MEMBERS || leaves.len() > most_leaves {
        return Err(Reason::TooMany);
    }
    let unique = |mut values: Vec<[u8; 32]>| {
        values.sort_unstable();
        let before = values.len();
        values.dedup();
        values.len() == before
    };
    if unique(leaves.iter().map(|leaf| leaf.token.0).collect())
        && unique(leaves.iter().map(|leaf| leaf.commit_key).collect())
    {
        Ok(())
    } else {
        Err(Reason::NotUnique)
    }
}

fn context_rules(change: &Change<'_>, says: &Charter, leaves: &[&Leaf]) -> Result<(), Reason> {
    let after = Charter::of(change.after).map_err(|_| Reason::Context)?;
    let is_there = |account: &AccountId| leaves.iter().any(|leaf| leaf.name.account == *account);
    if is_group(change.after) {
        if !after.roles.leading().all(is_there) {
            return Err(Reason::Context);
        }
        if after.bans.iter().any(is_there) {
            return Err(Reason::Banned);
        }
    }
    let Some(before) = change.before else {
        let may_invite = match &change.after.kind {
            RoomKind::Direct { a, b } => change.committer == *a || change.committer == *b,
            RoomKind::Own => change.committer == change.after.creator,
            // Who founds a successor need not lead it, and everybody brings in devices of their own.
            RoomKind::Group => {
                says.leads(&change.committer)
                    || change.committer == change.after.creator
                    || Some(change.committer) == change.joining
            }
        };
        return if may_invite { Ok(()) } else { Err(Reason::MayNotAdd) };
    };
    let same = before.kind == change.after.kind
        && before.creator == change.after.creator
        && before.successor_of == change.after.successor_of;
    let mut otherwise = change.after.clone();
    if is_group(before) {
        // Whose last device goes leaves the table with it, whoever commits; what else changes of the roles is their committer's.
        let settled = says.roles.settled(&staying_accounts(change));
        if !settled.may_become(&after.roles, &change.committer) {
            return Err(Reason::Context);
        }
        Charter { roles: says.roles.clone(), ..after }.write(&mut otherwise);
    }
    let mut plain = before.clone();
    if is_group(before) {
        says.write(&mut plain);
    }
    let untouched = plain == otherwise;
    let may = if is_group(before) {
        says.leads(&change.committer)
    } else {
        change.committer == before.creator
    };
    if same && (untouched || may) { Ok(()) } else { Err(Reason::Context) }
}

/// The accounts that were there before and stay, in the order of their leaves.
fn staying_accounts(change: &Change<'_>) -> Vec<AccountId> {
    let update = change.updated.map(|(before, _)| before);
    let mut leaves: Vec<&Leaf> = change.staying.iter().chain(update).collect();
    leaves.sort_unstable_by_key(|leaf| leaf.index);
    leaves.into_iter().map(|leaf| leaf.name.account).collect()
}

fn entering_rules(change: &Change<'_>, says: &Charter, leaf: &Leaf) -> Result<(), Reason> {
    let account = leaf.name.account;
    match &change.after.kind {
        RoomKind::Direct { a, b } if account == *a || account == *b => Ok(()),
        RoomKind::Own if account == change.after.creator => Ok(()),
        RoomKind::Direct { .. } | RoomKind::Own => Err(Reason::WrongAccount),
        // Whether a Welcome may be sent at all, `context_rules` says.
        RoomKind::Group if change.before.is_none() => Ok(()),
        RoomKind::Group => {
            let own_device = change.committer == account;
            if says.leads(&change.committer) || own_device {
                Ok(())
            } else {
                Err(Reason::MayNotAdd)
            }
        }
    }
}

fn is_direct(context: &RoomContext) -> bool {
    matches!(context.kind, RoomKind::Direct { .. })
}

fn is_group(context: &RoomContext) -> bool {
    matches!(context.kind, RoomKind::Group)
}
