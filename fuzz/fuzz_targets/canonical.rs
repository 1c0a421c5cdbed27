// SPDX-License-Identifier: AGPL-3.0-or-later
//! Canonical CBOR: whatever reads, has exactly these bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minicbor::{Decode, Encode, bytes::ByteVec};
use nodoor_wire::canonical;

/// One field of each kind that our signed things have.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Everything {
    #[n(0)]
    number: u64,
    #[n(1)]
    bytes: ByteVec,
    #[n(2)]
    text: String,
    #[n(3)]
    list: Vec<ByteVec>,
    #[n(4)]
    maybe: Option<u32>,
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = canonical::from_slice::<Everything>(bytes) {
        assert_eq!(canonical::to_vec(&value), bytes);
    }
});
