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
            (Space::Mailboxes, "mailboxes"),
            (Space::Tokens, "delivery tokens"),
            (Space::KeyPackages, "single-use key packages"),
            (Space::LastResort, "last-resort key packages"),
            (Space::Rooms, "rooms"),
            (Space::Epochs, "commits kept"),
            (Space::Entries, "entries that wait"),
            (Space::Bodies, "bodies that wait"),
            (Space::HourKeys, "sealed hour keys"),
            (Space::Once, "sendings remembered"),
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
