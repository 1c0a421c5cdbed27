// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a mailbox holds: an entry's plaintext and the body it leads to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_wire::{header::CommitHeader, proto};
use prost::Message as _;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entry) = proto::EntryPlain::decode(bytes) {
        let again = proto::EntryPlain::decode(entry.encode_to_vec().as_slice());
        assert_eq!(again.as_ref(), Ok(&entry));
    }
    let Ok(body) = proto::Body::decode(bytes) else { return };
    let again = proto::Body::decode(body.encode_to_vec().as_slice());
    assert_eq!(again.as_ref(), Ok(&body));
    if let Some(proto::body::Body::Commit(commit)) = body.body {
        let _ = CommitHeader::from_slice(&commit.header);
    }
});
