// SPDX-License-Identifier: AGPL-3.0-or-later
//! How much of what a folder holds: for an operator who checks it. Numbers alone.

use nodoor_server::storage::StorageError;

use crate::{
    folder::{Folder, failed},
    keyspace::Space,
};

impl Folder {
    /// What is there and how many of it, in words. Reads every key.
    ///
    /// # Errors
    /// [`StorageError`]: the folder cannot be read to its end.
    pub fn counts(&self) -> Result<Vec<(&'static str, u64)>, StorageError> {
        self.settle(&mut self.write())?;
        let counted = [
            (Space::Accounts, "accounts"),
            (Space::Lists, "versions of device lists"),
            (Space::Disputes, "disputes"),
            (Space::Handles, "handles"),
            (Space::Mailboxes, "mailboxes"),
            (Space::Tokens, "delivery tokens"),
            (Space::KeyPackages, "single-use key packages"),
            (Space::LastResort, "last-resort key packages"),
            (Space::SeenPackages, "key packages remembered"),
            (Space::Rooms, "rooms"),
            (Space::Epochs, "commits kept"),
            (Space::Entries, "entries that wait"),
            (Space::Bodies, "bodies that wait"),
            (Space::HourKeys, "sealed hour keys"),
            (Space::Once, "sendings remembered"),
            (Space::Pushes, "devices that are called"),
            (Space::Marks, "labels that wait for the ledger"),
        ];
        counted
            .into_iter()
            .map(|(space, words)| {
                let rows = self.spaces().of(space).and_then(fjall::Keyspace::len);
                Ok((words, rows.map_err(failed)? as u64))
            })
            .collect()
    }
}

/// Each keyspace by its name, with the words under which `nodoord capabilities` speaks of it: a keyspace without any does
/// not compile, and one of which that text says nothing fails its test.
pub fn shown() -> impl Iterator<Item = (&'static str, &'static str)> {
    Space::ALL.into_iter().map(|space| (space.name(), words(space)))
}

fn words(space: Space) -> &'static str {
    match space {
        Space::Accounts => "Every account: its id",
        Space::Lists => "all versions of its signed device list",
        Space::Disputes => "disputes of removed devices",
        Space::Handles => "its handle",
        Space::Mailboxes => "the public key of its mailbox",
        Space::Cursors => "how many it ever got",
        Space::Entries => "how many entries wait",
        Space::HourKeys => "came within the same hour",
        Space::Bodies => "Message bodies that wait",
        Space::Shares => "in how many mailboxes each waits",
        Space::Once => "a hash of each sending",
        Space::Tokens | Space::DeviceTokens => "how many delivery tokens it has",
        Space::KeyPackages | Space::LastResort => "its unused key packages",
        Space::SeenPackages => "hashes of those it uploaded within 30 days",
        Space::Rooms => "a hash of its id",
        Space::RoomDays => "roughly when it was last used",
        Space::Epochs => "the sealed commits of 30 days",
        Space::Log => "the store's journal and log",
        Space::About => "how many writes there were",
        Space::Marks => "which labels wait to be published",
        Space::Pushes => "where it is called when something waits for it",
        Space::Removed => "Which devices were removed within the hour",
    }
}
