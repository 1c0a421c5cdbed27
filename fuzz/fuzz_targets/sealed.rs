// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sealed things that were not sealed by anybody.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_wire::{
    id::{DeviceId, HourKeyId},
    sealed::{BodySecret, MailboxSecret, open},
};

fuzz_target!(|bytes: &[u8]| {
    let device = DeviceId([1; 16]);
    assert!(open(&[1; 32], 0, &[], bytes).is_err());
    assert!(BodySecret([1; 32]).open(bytes).is_err());
    let mailbox = MailboxSecret::from_seed([1; 32]);
    assert!(mailbox.open(&device, &HourKeyId([1; 8]), bytes).is_err());
});
