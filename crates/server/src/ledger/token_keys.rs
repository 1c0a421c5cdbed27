// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where the ledger says which key a day's anonymous tokens are made under.
//!
//! Announced a day ahead and once a day: two entries of one day would be two keys, and an auditor's proof that somebody
//! is marked. Carries out `docs/book/ledger.md`, 7.

use crate::{
    ledger::{Inner, LedgerError},
    storage::{Day, ledger::Note},
};

/// Days that are remembered: yesterday's key still counts, tomorrow's is announced.
const REMEMBERED: usize = 4;

/// What [`Note::TokenDay`] holds: days and the indices of their entries, oldest first, 4 and 8 bytes each.
#[derive(Default)]
pub(super) struct TokenKeys(Vec<(Day, u64)>);

impl TokenKeys {
    fn of_note(note: &[u8]) -> Self {
        let (days, rest) = note.as_chunks::<12>();
        let read = |[a, b, c, d, index @ ..]: &[u8; 12]| {
            (Day(u32::from_be_bytes([*a, *b, *c, *d])), u64::from_be_bytes(*index))
        };
        // Of an earlier form: its days are announced again.
        if rest.is_empty() { Self(days.iter().map(read).collect()) } else { Self::default() }
    }

    pub(super) fn to_note(&self) -> Vec<u8> {
        let bytes = |(day, index): &(Day, u64)| {
            day.0.to_be_bytes().into_iter().chain(index.to_be_bytes()).collect::<Vec<u8>>()
        };
        self.0.iter().flat_map(bytes).collect()
    }

    /// Where a day's key stands.
    pub(super) fn index(&self, day: Day) -> Option<u64> {
        self.0.iter().find(|(of, _)| *of == day).map(|(_, index)| *index)
    }

    pub(super) fn announced(&mut self, day: Day, index: u64) {
        self.0.push((day, index));
        let over = self.0.len().saturating_sub(REMEMBERED);
        self.0.drain(..over);
    }
}

impl Inner {
    /// The announcements the store holds.
    pub(super) async fn token_keys(&self) -> Result<TokenKeys, LedgerError> {
        let note = self.store.note(Note::TokenDay).await?;
        Ok(note.map(|note| TokenKeys::of_note(&note)).unwrap_or_default())
    }
}
