// SPDX-License-Identifier: AGPL-3.0-or-later
//! A look-up's answer, and one that goes on with a chain of ours: no bytes make a chain without the keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey},
    list::{Device, DeviceList},
    statement::{Dispute, HandleClaim, MailboxKey},
};
use nodoor_wire::{id::AccountId, proto};
use prost::Message as _;

fuzz_target!(|bytes: &[u8]| {
    let Ok(answer) = proto::LookupAnswer::decode(bytes) else { return };
    if let Ok(account) = AccountId::try_from(&*answer.account) {
        let _ = Chain::verify(&account, &answer.lists);
    }
    // Keys that are nobody's secret, so that the fuzzer's seeds may sign with them.
    let key = SigningKey::from_seed([1; 32]);
    let recovery = SigningKey::from_seed([9; 32]);
    let public = |seed| SigningKey::from_seed([seed; 32]).public();
    let device = Device::new(key.public(), public(0x41), public(0x81));
    let first = DeviceList::first(recovery.public(), device);
    let signed = first.sign(&[Signer::Device(&key), Signer::Recovery(&recovery)]);
    let mut chain = Chain::verify(&first.account(), &[signed]).expect("a chain of ours");
    for list in &answer.lists {
        let _ = chain.extend(list);
    }
    let again = Chain::verify(&first.account(), &chain.to_proto()).expect("it verified before");
    assert!(chain.compare(&again).is_ok());
    for signed in answer.disputes.iter().chain(&answer.handle_claim) {
        let _ = HandleClaim::verify(&chain, signed);
        let _ = MailboxKey::verify(&chain, signed);
        let _ = Dispute::verify(&chain, signed);
    }
});
