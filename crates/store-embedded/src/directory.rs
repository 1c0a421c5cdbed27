// SPDX-License-Identifier: AGPL-3.0-or-later
//! The marks of labels that wait to be published: in the store of accounts, so that a list and its mark are one write.
//!
//! Carries out `docs/book/ledger.md`, 2.

use std::ops::Bound::{Excluded, Unbounded};

use nodoor_server::storage::{
    Answer, StorageError,
    directory::{Mark, Marks},
};
use nodoor_wire::handle::Handle;

use crate::{
    folder::{Folder, failed},
    group::Group,
    keyspace::Space,
    record::{self, Reader},
};

impl Folder {
    /// Marks every account and handle: for a folder that was written before it had a ledger. Returns how many.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn mark_everything(&self) -> Result<u64, StorageError> {
        let mut written = self.write();
        let mut group = Group::new(self);
        let mut marked = 0;
        for row in self.spaces().of(Space::Accounts).map_err(failed)?.iter() {
            let (key, row) = row.into_inner().map_err(failed)?;
            let account = record::account(&key)?;
            let version = Reader::new(&row).u64()?;
            let Some(list) = group.list(&account, version)? else { continue };
            group.mark(&Mark::of_list(account, version, &list));
            marked += 1;
        }
        for row in self.spaces().of(Space::Handles).map_err(failed)?.iter() {
            let (key, row) = row.into_inner().map_err(failed)?;
            let handle = std::str::from_utf8(&key).ok().and_then(|text| Handle::parse(text).ok());
            let Some(handle) = handle else { continue };
            group.mark(&Mark::of_handle(&handle, record::account(&row)?));
            marked += 1;
        }
        self.persist(&mut written, group)?;
        Ok(marked)
    }

    fn marks_now(&self, after: Option<Mark>, limit: usize) -> Result<Vec<Mark>, StorageError> {
        let from = after.map_or(Unbounded, |mark| Excluded(mark.to_key()));
        let rows = self.spaces().of(Space::Marks).map_err(failed)?;
        rows.range((from, Unbounded))
            .take(limit)
            .map(|row| {
                let (key, value) = row.into_inner().map_err(failed)?;
                Mark::from_row(&key, &value).ok_or(StorageError::Damaged("a mark is none"))
            })
            .collect()
    }

    fn unmark_now(&self, marks: &[Mark]) -> Result<(), StorageError> {
        let rows = self.spaces().of(Space::Marks).map_err(failed)?;
        // Each mark has a name of its own, so nothing that the writer puts meanwhile is touched.
        marks.iter().try_for_each(|mark| rows.remove(mark.to_key()).map_err(failed))
    }
}

impl Marks for Folder {
    fn marks(&self, after: Option<Mark>, limit: usize) -> Answer<'_, Vec<Mark>> {
        now(self.marks_now(after, limit))
    }

    fn unmark(&self, marks: Vec<Mark>) -> Answer<'_, ()> {
        now(self.unmark_now(&marks))
    }
}

pub(crate) fn now<T: Send + 'static>(answer: Result<T, StorageError>) -> Answer<'static, T> {
    Box::pin(std::future::ready(answer))
}
