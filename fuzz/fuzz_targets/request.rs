// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a client sends. A request that reads is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_wire::{header::CommitHeader, proto};
use prost::Message as _;

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = proto::Request::decode(bytes) else { return };
    let again = proto::Request::decode(request.encode_to_vec().as_slice());
    assert_eq!(again.as_ref(), Ok(&request));
    if let Some(proto::request::Body::Commit(commit)) = &request.body {
        let header = CommitHeader::of(commit);
        let read = CommitHeader::from_slice(&header.to_vec()).expect("its own bytes");
        assert!(read == header);
    }
});
