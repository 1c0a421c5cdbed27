// SPDX-License-Identifier: AGPL-3.0-or-later
//! The twins of the targets in `fuzz/`: random bytes never panic, and whatever reads has one form.

use minicbor::bytes::ByteVec;
use nodoor_wire::{
    canonical,
    handle::Handle,
    header::CommitHeader,
    id::{DeviceId, HourKeyId, RoomId},
    proto,
    roster::Roster,
    sealed::{self, BodySecret, MailboxSecret},
};
use proptest::{collection::vec, prelude::*};
use prost::Message;

/// Reads, writes and reads again.
fn reads_what_it_writes<T: Message + Default + PartialEq>(bytes: &[u8]) -> bool {
    let Ok(message) = T::decode(bytes) else { return true };
    T::decode(message.encode_to_vec().as_slice()).is_ok_and(|again| again == message)
}

/// Random bytes, and random fields that protobuf will rather read.
fn protobuf() -> impl Strategy<Value = Vec<u8>> {
    let field = (1_u8..27, vec(any::<u8>(), 0..60)).prop_map(|(number, value)| {
        let mut field = Vec::new();
        prost::encoding::encode_varint(u64::from(number) << 3 | 2, &mut field);
        prost::encoding::encode_varint(value.len() as u64, &mut field);
        field.extend(value);
        field
    });
    prop_oneof![vec(any::<u8>(), 0..200), vec(field, 0..5).prop_map(|fields| fields.concat())]
}

const KEY: [u8; 32] = [1; 32];
const ROOM: RoomId = RoomId([2; 32]);

proptest! {
    #[test]
    fn random_bytes_never_panic_as_messages(bytes in protobuf()) {
        prop_assert!(reads_what_it_writes::<proto::Request>(&bytes));
        prop_assert!(reads_what_it_writes::<proto::FromServer>(&bytes));
        prop_assert!(reads_what_it_writes::<proto::Body>(&bytes));
        prop_assert!(reads_what_it_writes::<proto::EntryPlain>(&bytes));
        prop_assert!(reads_what_it_writes::<proto::LookupAnswer>(&bytes));
    }

    #[test]
    fn random_bytes_are_no_header(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(header) = CommitHeader::from_slice(&bytes) {
            prop_assert_eq!(header.to_vec(), bytes);
        }
    }

    #[test]
    fn a_header_reads_as_it_was_written_and_damage_changes_it(
        epoch: u64, frame in vec(any::<u8>(), 0..50), key_check: [u8; 32], at: usize, bit in 0_u8..8,
    ) {
        let commit = proto::Commit {
            room: ROOM.to_bytes(),
            epoch,
            frame: frame.into(),
            next_key_check: key_check.to_vec().into(),
            ..Default::default()
        };
        let header = CommitHeader::of(&commit);
        let mut bytes = header.to_vec();
        prop_assert!(CommitHeader::from_slice(&bytes).unwrap() == header);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(other) = CommitHeader::from_slice(&bytes) {
            prop_assert!(other.commit_id() != header.commit_id());
        }
    }

    #[test]
    fn canonical_bytes_are_the_only_ones(bytes in vec(any::<u8>(), 0..60)) {
        if let Ok(value) = canonical::from_slice::<(u64, ByteVec, String)>(&bytes) {
            prop_assert_eq!(canonical::to_vec(&value), bytes);
        }
    }

    #[test]
    fn a_longer_integer_is_not_canonical(number: u32) {
        let mut long = vec![0x1b];
        long.extend(u64::from(number).to_be_bytes());
        prop_assert!(canonical::from_slice::<u64>(&long).is_err());
        prop_assert_eq!(canonical::from_slice::<u32>(&canonical::to_vec(&number)), Ok(number));
    }

    #[test]
    fn a_lying_roster_is_refused_or_has_one_form(
        counts: (u16, u16), mut list in vec(any::<[u8; 32]>(), 0..9), padding in 0_usize..300, epoch: u64,
    ) {
        list.sort_unstable();
        let mut plain = (counts.0 % 6).to_be_bytes().to_vec();
        let (tokens, keys) = list.split_at(list.len() / 2);
        plain.extend(tokens.concat());
        plain.extend((counts.1 % 6).to_be_bytes());
        plain.extend(keys.concat());
        plain.resize(plain.len() + padding, 0);
        let data = [b"nodoor roster v1".as_slice(), ROOM.as_bytes(), &epoch.to_be_bytes()].concat();
        let sealed = sealed::seal(&KEY, 0, &data, &plain);
        if let Ok(roster) = Roster::open(&KEY, &ROOM, epoch, &sealed) {
            prop_assert_eq!(roster.seal(&KEY, &ROOM, epoch), sealed);
        }
    }

    #[test]
    fn a_roster_opens_as_it_was_sealed(
        leaves in prop::collection::btree_set(any::<[u8; 32]>(), 1..70), epoch: u64,
    ) {
        let tokens: Vec<[u8; 32]> = leaves.into_iter().collect();
        let keys = tokens.iter().rev().map(|token| token.map(|byte| !byte)).collect();
        let roster = Roster::new(tokens, keys).unwrap();
        let sealed = roster.seal(&KEY, &ROOM, epoch);
        prop_assert_eq!(Roster::open(&KEY, &ROOM, epoch, &sealed), Ok(roster));
    }

    #[test]
    fn a_handle_has_one_form(text in "\\PC{0,40}|[@a-zA-Z0-9._ -]{0,34}") {
        if let Ok(handle) = Handle::parse(&text) {
            prop_assert!((2..=32).contains(&handle.as_str().len()));
            prop_assert!(Handle::parse(handle.as_str()).unwrap() == handle);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_opens_that_nobody_sealed(bytes in vec(any::<u8>(), 0..1300)) {
        let device = DeviceId([1; 16]);
        prop_assert!(sealed::open(&KEY, 0, &[], &bytes).is_err());
        prop_assert!(BodySecret(KEY).open(&bytes).is_err());
        prop_assert!(MailboxSecret::from_seed(KEY).open(&device, &HourKeyId([1; 8]), &bytes).is_err());
    }
}
