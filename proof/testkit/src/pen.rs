// SPDX-License-Identifier: AGPL-3.0-or-later
//! Olga's pen: what the store marks for the directory, and one value of her own.

use nodoor_server::storage::{
    Answer,
    directory::{Mark, Marks},
    memory::Memory,
};

/// Marks to publish.
pub(crate) struct Pen {
    /// What an honest server would publish.
    pub(crate) store: Memory,
    /// What she adds.
    pub(crate) mark: Mark,
}

impl Marks for Pen {
    fn marks(&self, after: Option<Mark>, limit: usize) -> Answer<'_, Vec<Mark>> {
        let honest = self.store.marks(after, limit);
        Box::pin(async move {
            let mut all = honest.await?;
            all.push(self.mark);
            Ok(all)
        })
    }

    fn unmark(&self, marks: Vec<Mark>) -> Answer<'_, ()> {
        self.store.unmark(marks)
    }
}
