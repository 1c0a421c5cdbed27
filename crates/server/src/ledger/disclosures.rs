// SPDX-License-Identifier: AGPL-3.0-or-later
//! The hourly `DISCLOSURE` entry. Until there is a desk that decides cases all sixteen slots are empty.
//!
//! Salts are derived from a seed, so that an hour can be opened later, and the same hour always gives the same entry: one
//! that is written again after a crash is the same one. Hours that passed while the server was off, or the log waited, are
//! made up for before the next epoch. Which hour is next stands in a note that is written with the entries.
//!
//! Spec: `docs/book/ledger.md`, 1, *Disclosures*. The sequencer calls it.

use bytes::Bytes;
use nodoor_transparency::ledger::{
    disclosure::{Cadence, SLOTS, commit, empty_slot},
    entry::{Disclosure, Entry, KtEpoch},
};
use nodoor_wire::id::labelled_hash;
use zeroize::Zeroizing;

use crate::{
    ledger::{Inner, LedgerError},
    storage::ledger::Note,
};

/// How far from the beginning the first epoch is looked for.
const LOOK_AHEAD: usize = 64;

const SEED: &str = "nodoor disclosure seed v1";
const SALT: &str = "nodoor disclosure salt v1";

/// What the salts of empty slots are derived from. Wiped from memory when dropped.
pub(super) struct Disclosures(Zeroizing<[u8; 32]>);

impl Disclosures {
    /// Of a secret of the data folder, which gives nothing of itself away by it.
    pub(super) fn of(secret: &[u8; 32]) -> Self {
        Self(labelled_hash(SEED, secret).into())
    }

    /// The entry of an hour in which nothing was decided.
    fn nothing_in(&self, hour: u64) -> Disclosure {
        let salt = |slot: usize| {
            let parts = [self.0.as_slice(), &hour.to_be_bytes(), &(slot as u64).to_be_bytes()];
            labelled_hash(SALT, &Zeroizing::new(parts.concat()))
        };
        let slots: [[u8; 32]; SLOTS] = std::array::from_fn(|slot| empty_slot(&salt(slot)));
        commit(hour, &slots)
    }
}

impl Inner {
    /// The entries that an epoch of this time may not be without: of the hours that ended before it.
    pub(super) async fn disclosures(
        &self,
        last: Option<&KtEpoch>,
        epoch_ms: u64,
        notes: &mut Vec<(Note, Bytes)>,
    ) -> Result<Vec<Entry>, LedgerError> {
        let noted = self.store.note(Note::Disclosures).await?;
        let mut cadence = match &noted {
            Some(note) => {
                let hour = <[u8; 8]>::try_from(&**note).map_err(|_| LedgerError::Directory)?;
                Cadence::at(u64::from_be_bytes(hour))
            }
            None => Cadence::begins(self.first_epoch_ms(last).await?.unwrap_or(epoch_ms)),
        };
        let due: Vec<Disclosure> =
            cadence.due(epoch_ms).map(|hour| self.disclosures.nothing_in(hour)).collect();
        for entry in &due {
            // They are of the hours it asked for.
            cadence.take(entry).map_err(|_| LedgerError::Form)?;
        }
        if noted.is_none() || !due.is_empty() {
            let next = cadence.next_hour().to_be_bytes();
            notes.push((Note::Disclosures, Bytes::copy_from_slice(&next)));
        }
        Ok(due.into_iter().map(Entry::Disclosure).collect())
    }

    /// The time of the log's first epoch, for a log from before there were these entries.
    async fn first_epoch_ms(&self, last: Option<&KtEpoch>) -> Result<Option<u64>, LedgerError> {
        if last.is_none() {
            return Ok(None);
        }
        let first = self.store.entries(0, LOOK_AHEAD).await?;
        let epoch = first.iter().find_map(|entry| match Entry::decode(entry) {
            Ok(Entry::Epoch(epoch)) => Some(epoch.time_ms),
            _ => None,
        });
        Ok(epoch.or(last.map(|last| last.time_ms)))
    }
}
