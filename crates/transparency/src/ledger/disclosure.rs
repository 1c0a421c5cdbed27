// SPDX-License-Identifier: AGPL-3.0-or-later
//! The hourly commitment: how many disclosures an hour had, without saying so yet.
//!
//! Every hour of a log has one `DISCLOSURE` entry over sixteen slots of 32 bytes. A slot is the hash of a decided case, or,
//! where there is none, of a salt: both look random, and so does the commitment over them. Later a case is shown by its
//! record, an empty slot by its salt, each with the other slots as they are. An hour cannot be left out or written twice
//! ([`Cadence`]), nor can a case be put into one that has passed.
//!
//! May not know: a case. Spec: `docs/book/ledger.md`, 1, *Disclosures*. The server's sequencer writes by it, auditors check
//! by it.

use nodoor_wire::id::labelled_hash;

use super::entry::Disclosure;

/// Slots of an hour: as many disclosures as it can have.
pub const SLOTS: usize = 16;
/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;

const COMMITMENT: &str = "nodoor disclosures v1";
const NOTHING: &str = "nodoor no disclosure v1";

/// An entry does not keep to the hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CadenceError {
    /// It is of an hour that had one, or an hour before it has none.
    #[error("the disclosure entry is not of the next hour")]
    Hour,
    /// An epoch stands in the log before the entries of the hours that ended before it, or after one of an hour that had
    /// not ended.
    #[error("the hours before the epoch do not have one disclosure entry each")]
    Missing,
}

/// The hour that a time lies in, counted from 1970.
#[must_use]
pub fn hour_of(time_ms: u64) -> u64 {
    time_ms / HOUR_MS
}

/// The slot of no case. Whoever shows the salt, 32 random bytes, shows that there was none.
#[must_use]
pub fn empty_slot(salt: &[u8; 32]) -> [u8; 32] {
    labelled_hash(NOTHING, salt)
}

/// The entry of an hour.
#[must_use]
pub fn commit(hour: u64, slots: &[[u8; 32]; SLOTS]) -> Disclosure {
    let bytes = [hour.to_be_bytes().as_slice(), slots.as_flattened()].concat();
    Disclosure { hour, commitment: labelled_hash(COMMITMENT, &bytes) }
}

/// Which hour's entry is the next one: exactly one for each hour since that of the log's first epoch, before the first
/// epoch of the hour after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    next: u64,
}

impl Cadence {
    /// Of a log whose first epoch is of this time.
    #[must_use]
    pub fn begins(first_epoch_ms: u64) -> Self {
        Self { next: hour_of(first_epoch_ms) }
    }

    /// Goes on where another stopped.
    #[must_use]
    pub fn at(next_hour: u64) -> Self {
        Self { next: next_hour }
    }

    /// The hour that has no entry yet.
    #[must_use]
    pub fn next_hour(&self) -> u64 {
        self.next
    }

    /// Hours that must have an entry before an epoch of this time, and have none.
    #[must_use]
    pub fn due(&self, epoch_ms: u64) -> std::ops::Range<u64> {
        self.next..hour_of(epoch_ms).max(self.next)
    }

    /// Takes the next entry of the log.
    ///
    /// # Errors
    /// [`CadenceError::Hour`].
    pub fn take(&mut self, entry: &Disclosure) -> Result<(), CadenceError> {
        if entry.hour != self.next {
            return Err(CadenceError::Hour);
        }
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    /// Whether an epoch of this time may stand here.
    ///
    /// # Errors
    /// [`CadenceError::Missing`].
    pub fn holds(&self, epoch_ms: u64) -> Result<(), CadenceError> {
        if self.next == hour_of(epoch_ms) { Ok(()) } else { Err(CadenceError::Missing) }
    }
}
