// SPDX-License-Identifier: AGPL-3.0-or-later
//! Random bytes and random damage: decoders refuse, and never panic.

use nodoor_transparency::{
    chain::Chain,
    list::{Device, DeviceList},
    statement::{Dispute, HandleClaim, MailboxKey},
};
use nodoor_wire::{id::AccountId, proto};
use proptest::prelude::*;

use crate::actors::{Alice, Keys};

proptest! {
    #[test]
    fn random_bytes_are_no_list(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(DeviceList::from_slice_unverified(&bytes).is_err());
    }

    #[test]
    fn whatever_reads_is_written_the_same(
        seeds in prop::collection::btree_set(0_u8..60, 1..16),
        recovery: [u8; 32],
    ) {
        let devices: Vec<Device> = seeds.into_iter().map(|n| Keys::of(n).public()).collect();
        let first = DeviceList::first(recovery, devices[0].clone());
        for list in [first.clone(), first.successor(devices)] {
            let bytes = list.to_vec();
            let read = DeviceList::from_slice_unverified(&bytes).unwrap();
            prop_assert_eq!(read.to_vec(), bytes);
            prop_assert_eq!(read, list);
        }
    }

    #[test]
    fn a_damaged_list_never_verifies(at in 0_usize..10_000, bit in 0_u8..8) {
        let alice = Alice::new();
        let mut lists = alice.with_laptop().to_proto();
        let mut body = lists[1].body.to_vec();
        let at = at % body.len();
        body[at] ^= 1 << bit;
        lists[1].body = body.into();
        prop_assert!(Chain::verify(&alice.first().account(), &lists).is_err());
    }

    #[test]
    fn a_damaged_first_list_never_verifies(at in 0_usize..10_000, bit in 0_u8..8) {
        let alice = Alice::new();
        let mut first = alice.first_signed();
        let mut body = first.body.to_vec();
        let at = at % body.len();
        body[at] ^= 1 << bit;
        first.body = body.into();
        prop_assert!(Chain::verify(&alice.first().account(), &[first]).is_err());
    }

    #[test]
    fn random_signed_bytes_are_refused(
        body in prop::collection::vec(any::<u8>(), 0..200),
        signer in prop::collection::vec(any::<u8>(), 0..33),
        signature in prop::collection::vec(any::<u8>(), 0..80),
        account: [u8; 16],
    ) {
        let chain = Alice::new().registered();
        let signatures = vec![proto::ListSignature {
            signer: signer.clone().into(),
            signature: signature.clone().into(),
        }];
        let list = proto::SignedList { body: body.clone().into(), signatures };
        prop_assert!(Chain::verify(&AccountId(account), std::slice::from_ref(&list)).is_err());
        prop_assert!(chain.clone().extend(&list).is_err());
        let signed = proto::SignedBytes {
            body: body.into(),
            signer: signer.into(),
            signature: signature.into(),
        };
        prop_assert!(HandleClaim::verify(&chain, &signed).is_err());
        prop_assert!(MailboxKey::verify(&chain, &signed).is_err());
        prop_assert!(Dispute::verify(&chain, &signed).is_err());
    }
}
