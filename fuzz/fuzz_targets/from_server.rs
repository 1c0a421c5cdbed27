// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a server sends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_wire::{code::Code, proto};
use prost::Message as _;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = proto::FromServer::decode(bytes) else { return };
    let again = proto::FromServer::decode(message.encode_to_vec().as_slice());
    assert_eq!(again.as_ref(), Ok(&message));
    if let Some(proto::from_server::Body::Answer(answer)) = message.body
        && let Some(proto::answer::Body::Refusal(refusal)) = answer.body
    {
        let known = Code::from_number(refusal.code).map(|code| (code.number(), code.class()));
        assert!(known.is_none_or(|(number, _)| number == refusal.code));
    }
});
