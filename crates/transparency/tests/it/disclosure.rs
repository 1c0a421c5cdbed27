// SPDX-License-Identifier: AGPL-3.0-or-later
//! The hourly commitments: what Olga might want to do with them.

use nodoor_transparency::ledger::{
    disclosure::{Cadence, CadenceError, HOUR_MS, SLOTS, commit, empty_slot, hour_of},
    entry::Disclosure,
};
use proptest::prelude::*;

use crate::ledger_world::NOW;

fn slots(salt: u8) -> [[u8; 32]; SLOTS] {
    std::array::from_fn(|slot| empty_slot(&[salt.wrapping_add(slot as u8); 32]))
}

#[test]
fn a_case_cannot_be_put_into_an_hour_or_taken_out_afterwards() {
    let empty = slots(1);
    let committed = commit(7, &empty);
    let case = [9; 32];
    for slot in 0..SLOTS {
        let mut other = empty;
        other[slot] = case;
        assert_ne!(commit(7, &other).commitment, committed.commitment);
    }
    // Nor is the opening of one hour that of another.
    assert_ne!(commit(8, &empty).commitment, committed.commitment);
}

#[test]
fn an_hour_is_neither_left_out_nor_written_twice_nor_early() {
    let start = NOW * 1000;
    let hour = hour_of(start);
    let begun = Cadence::begins(start);
    assert_eq!(begun.holds(start), Ok(()));
    assert_eq!(begun.due(start).count(), 0);
    let entry = |hour| commit(hour, &slots(1));

    // Olga goes on into the next hours without an entry.
    assert_eq!(begun.holds(start + HOUR_MS), Err(CadenceError::Missing));
    let mut skips = begun;
    assert_eq!(skips.take(&entry(hour + 1)), Err(CadenceError::Hour));
    let mut twice = begun;
    twice.take(&entry(hour)).unwrap();
    assert_eq!(twice.take(&entry(hour)), Err(CadenceError::Hour));
    // Before the hour is over.
    assert_eq!(twice.holds(start), Err(CadenceError::Missing));

    // After an outage of three hours there is one for each.
    let late = start + 3 * HOUR_MS;
    let mut cadence = begun;
    let due: Vec<u64> = cadence.due(late).collect();
    assert_eq!(due, [hour, hour + 1, hour + 2]);
    for hour in due {
        cadence.take(&entry(hour)).unwrap();
    }
    assert_eq!(cadence.holds(late), Ok(()));
    assert_eq!(Cadence::at(cadence.next_hour()), cadence);
}

proptest! {
    #[test]
    fn only_one_entry_an_hour_ever_passes(hours in prop::collection::vec(0..6_u64, 0..12)) {
        let mut cadence = Cadence::at(0);
        let taken = hours.iter().filter(|hour| {
            cadence.take(&Disclosure { hour: **hour, commitment: [0; 32] }).is_ok()
        });
        let taken: Vec<u64> = taken.copied().collect();
        prop_assert!(taken.iter().copied().eq(0..taken.len() as u64));
    }
}
