// SPDX-License-Identifier: AGPL-3.0-or-later
//! The body of a device list. What reads is the one encoding of what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::list::DeviceList;
use nodoor_wire::limits;

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = DeviceList::from_slice_unverified(bytes) else { return };
    assert_eq!(list.to_vec(), bytes);
    assert!(list.devices().len() <= limits::DEVICES);
    let next = list.successor(list.devices().to_vec());
    assert_eq!(next.added_since(&list).count() + next.removed_since(&list).count(), 0);
});
