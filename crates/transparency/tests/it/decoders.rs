// SPDX-License-Identifier: AGPL-3.0-or-later
//! Random bytes and random damage: decoders refuse, and never panic.

use std::collections::BTreeSet;

use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey},
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

    #[test]
    fn any_history_of_device_changes_verifies_and_with_a_byte_changed_does_not(
        changes in prop::collection::vec((any::<u16>(), any::<u16>(), any::<prop::sample::Index>(), 0_u8..4), 0..8),
        list: prop::sample::Index,
        part: prop::sample::Index,
        byte: prop::sample::Index,
        to in 1_u8..=255,
    ) {
        let recovery = SigningKey::from_seed([99; 32]);
        let keys: Vec<Keys> = (0..12).map(Keys::of).collect();
        let first = DeviceList::first(recovery.public(), keys[0].public());
        let account = first.account();
        let signed = first.sign(&[keys[0].signer(), Signer::Recovery(&recovery)]);
        let mut chain = Chain::verify(&account, &[signed]).unwrap();
        let mut now = BTreeSet::from([0_usize]);
        for (add, remove, approver, by) in changes {
            let has = |bits: u16, key: &usize| bits >> key & 1 == 1;
            let added: Vec<usize> =
                (0..12).filter(|key| has(add, key) && !now.contains(key)).collect();
            let stay = now.iter().copied().filter(|key| !has(remove, key));
            let next: BTreeSet<usize> = stay.chain(added.clone()).collect();
            if next.is_empty() || next == now {
                continue;
            }
            let devices = next.iter().map(|key| keys[*key].public()).collect();
            // Any device of the list before approves, or the recovery key; what is new shows that it has its key.
            let before: Vec<usize> = now.into_iter().collect();
            let approves = &keys[before[approver.index(before.len())]];
            let approves = if by == 0 { Signer::Recovery(&recovery) } else { approves.signer() };
            let signers = std::iter::once(approves).chain(added.iter().map(|key| keys[*key].signer()));
            let list = chain.newest().successor(devices).sign(&signers.collect::<Vec<_>>());
            prop_assert_eq!(chain.extend(&list), Ok(()));
            now = next;
        }
        let lists = chain.to_proto();
        prop_assert!(Chain::verify(&account, &lists).is_ok());

        // One byte of what was signed, of a signature, or of whose it is.
        let mut changed = lists.clone();
        let one = &mut changed[list.index(lists.len())];
        let mut parts = vec![&mut one.body];
        for signature in &mut one.signatures {
            parts.extend([&mut signature.signature, &mut signature.signer]);
        }
        parts.retain(|part| !part.is_empty());
        let part_at = part.index(parts.len());
        let mut spoiled = parts[part_at].to_vec();
        let at = byte.index(spoiled.len());
        spoiled[at] ^= to;
        *parts[part_at] = spoiled.into();
        prop_assert!(Chain::verify(&account, &changed).is_err());
    }
}
