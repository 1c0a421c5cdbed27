// SPDX-License-Identifier: AGPL-3.0-or-later
//! The keyspaces of the folder: keys and values of each. Integers are big endian, so that keys sort by them.

use fjall::{Database, Keyspace, KeyspaceCreateOptions};

/// A keyspace, by what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub(crate) enum Space {
    /// `account` → number of versions (u64), handle claim (`SignedBytes`).
    Accounts,
    /// `account, version (u64)` → `SignedList`.
    Lists,
    /// `account, device` → dispute (`SignedBytes`).
    Disputes,
    /// handle → `account`.
    Handles,
    /// `device` → account, when its key was made (u64), X-Wing key.
    Mailboxes,
    /// `device` → acknowledged sequence (u64), highest sequence acknowledged or expired (u64): the second outlives
    /// entries, so that no sequence comes twice.
    Cursors,
    /// `device, sequence (u64)` → hour key id, salt, release check, sealed entry.
    Entries,
    /// `device, hour key id` → day (u32), sealed hour key.
    HourKeys,
    /// SHA-256 of the body id → sealed body.
    Bodies,
    /// SHA-256 of the body id → entries that lead to it (u32), day (u32).
    Shares,
    /// once key → day (u32).
    Once,
    /// SHA-256 of the token → `device`, whether it is in a key package (u8).
    Tokens,
    /// `device, SHA-256 of the token` → nothing: what dies with a device.
    DeviceTokens,
    /// `device, SHA-256 of the package` → single-use key package.
    KeyPackages,
    /// `device` → last-resort key package.
    LastResort,
    /// `device, SHA-256 of the package` → day (u32): uploaded once, not taken twice.
    SeenPackages,
    /// room name → head epoch (u64), key check, sealed roster.
    Rooms,
    /// `"commits"` → commits so far (u64), against the file `commits`; `"swept"` → day of the last sweep (u32).
    About,
    /// `room name, epoch (u64)` → day (u32), key check, commit id, length of roster (u32), sealed roster, sealed
    /// commit.
    Epochs,
    /// number of a commit (u64) → what it changed in the keyspaces of [`crate::recent`], until that is settled.
    Log,
    /// kind (1 account, 2 SHA-256 of a handle), id, version (u64) → value (32): a label that waits to be published.
    Marks,
    /// room name → day of its last use (u32), whether it ever moved (u8).
    RoomDays,
    /// `device` → nothing: it was removed, and what it had is still being deleted.
    Removed,
    /// `device` → day (u32), where it is called (`PushPut`).
    Pushes,
}

impl Space {
    pub(crate) const ALL: [Self; 24] = [
        Self::Accounts,
        Self::Lists,
        Self::Disputes,
        Self::Handles,
        Self::Mailboxes,
        Self::Cursors,
        Self::Entries,
        Self::HourKeys,
        Self::Bodies,
        Self::Shares,
        Self::Once,
        Self::Tokens,
        Self::DeviceTokens,
        Self::KeyPackages,
        Self::LastResort,
        Self::SeenPackages,
        Self::Rooms,
        Self::About,
        Self::Epochs,
        Self::Log,
        Self::Marks,
        Self::RoomDays,
        Self::Removed,
        Self::Pushes,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Lists => "lists",
            Self::Disputes => "disputes",
            Self::Handles => "handles",
            Self::Mailboxes => "mailboxes",
            Self::Cursors => "cursors",
            Self::Entries => "entries",
            Self::HourKeys => "hour_keys",
            Self::Bodies => "bodies",
            Self::Shares => "shares",
            Self::Once => "once",
            Self::Tokens => "tokens",
            Self::DeviceTokens => "device_tokens",
            Self::KeyPackages => "key_packages",
            Self::LastResort => "last_resort",
            Self::SeenPackages => "seen_packages",
            Self::Rooms => "rooms",
            Self::About => "about",
            Self::Epochs => "epochs",
            Self::Log => "log",
            Self::Marks => "marks",
            Self::RoomDays => "room_days",
            Self::Removed => "removed",
            Self::Pushes => "pushes",
        }
    }

    fn options(self) -> KeyspaceCreateOptions {
        // What every sending writes fills fast and dies young; the rest stays small. All memtables together bound
        // the memory.
        let memtable = match self {
            Self::Bodies | Self::Log => 64,
            Self::Entries | Self::Shares => 16,
            _ => 4,
        };
        KeyspaceCreateOptions::default().max_memtable_size(memtable * 1024 * 1024)
    }
}

/// All keyspaces, opened.
#[derive(Clone)]
pub(crate) struct Spaces(Vec<Keyspace>);

impl Spaces {
    pub(crate) fn open(database: &Database) -> fjall::Result<Self> {
        Space::ALL
            .iter()
            .map(|space| database.keyspace(space.name(), || space.options()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The keyspace of this name.
    pub(crate) fn of(&self, space: Space) -> fjall::Result<&Keyspace> {
        // `open` put one there for each.
        self.0.get(space as usize).ok_or(fjall::Error::KeyspaceDeleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyspace_of_the_definition_is_in_the_list_of_all() {
        let (_, rest) = include_str!("keyspace.rs").split_once("enum Space {\n").unwrap();
        let (body, _) = rest.split_once("\n}").unwrap();
        let lines = body.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let defined: Vec<&str> = lines.map(|line| line.trim_end_matches(',')).collect();
        let listed: Vec<String> = Space::ALL.iter().map(|space| format!("{space:?}")).collect();
        assert_eq!(listed, defined);
    }

    #[test]
    fn every_keyspace_is_found_at_its_own_place() {
        for (place, space) in Space::ALL.into_iter().enumerate() {
            assert_eq!(space as usize, place);
        }
    }
}
