// SPDX-License-Identifier: AGPL-3.0-or-later
use nodoor_transparency::{
    error::StatementError,
    key::{Signer, SigningKey, label},
    statement::{Dispute, HandleClaim, MailboxKey},
};
use nodoor_wire::{handle::Handle, id::AccountId, proto, sealed::MailboxSecret};

use crate::actors::{Alice, Keys};

fn claim(account: AccountId) -> HandleClaim {
    HandleClaim { handle: Handle::parse("alice").unwrap(), account }
}

fn mailbox_public() -> Vec<u8> {
    MailboxSecret::from_seed([5; 32]).public()
}

#[test]
fn a_claim_by_a_device_of_the_newest_list_or_the_recovery_key_holds() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    for signer in [alice.phone.signer(), alice.laptop.signer(), alice.recovery()] {
        let signed = claim(chain.account()).sign(signer);
        assert_eq!(HandleClaim::verify(&chain, &signed), Ok(claim(chain.account())));
    }
}

#[test]
fn a_claim_signed_by_a_removed_device_is_refused() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let signed = claim(chain.account()).sign(alice.laptop.signer());
    assert_eq!(HandleClaim::verify(&chain, &signed), Err(StatementError::UnknownSigner));
}

#[test]
fn olga_cannot_move_a_handle_to_another_account() {
    let alice = Alice::new();
    let chain = alice.registered();
    let mallory = Keys::of(66);
    let by_stranger = claim(chain.account()).sign(mallory.signer());
    assert_eq!(HandleClaim::verify(&chain, &by_stranger), Err(StatementError::UnknownSigner));
    let elsewhere = claim(AccountId([5; 16])).sign(alice.phone.signer());
    assert_eq!(HandleClaim::verify(&chain, &elsewhere), Err(StatementError::OtherAccount));
    let mut renamed = by_stranger;
    renamed.signer = alice.phone.public().id.to_bytes();
    assert_eq!(HandleClaim::verify(&chain, &renamed), Err(StatementError::BadSignature));
    renamed.signer = Vec::new().into();
    assert_eq!(HandleClaim::verify(&chain, &renamed), Err(StatementError::BadSignature));
}

#[test]
fn a_handle_is_claimed_in_its_one_form_only() {
    let alice = Alice::new();
    let chain = alice.registered();
    for other in ["Alice", "@alice", " alice", "alice ", "al", "a..b", "аlice"] {
        let mut body = vec![0x82, 0x60 + u8::try_from(other.len()).unwrap()];
        body.extend_from_slice(other.as_bytes());
        body.push(0x50);
        body.extend_from_slice(chain.account().as_bytes());
        let signed = raw(&body, label::HANDLE, &alice.phone.device);
        let answer = HandleClaim::verify(&chain, &signed);
        if other == "al" {
            assert!(answer.is_ok());
        } else {
            assert_eq!(answer, Err(StatementError::Form), "{other}");
        }
    }
}

#[test]
fn a_signature_of_one_kind_is_none_of_another() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let body = claim(chain.account()).sign(alice.phone.signer()).body;
    let as_list = raw(&body, label::DEVICE_LIST, &alice.phone.device);
    assert_eq!(HandleClaim::verify(&chain, &as_list), Err(StatementError::BadSignature));
    let body = Dispute::sign(chain.newest(), &alice.laptop.device).body;
    let as_report = raw(&body, label::REPORT, &alice.laptop.device);
    assert_eq!(Dispute::verify(&chain, &as_report), Err(StatementError::BadSignature));
    // And a claim's bytes are no dispute.
    let signed = claim(chain.account()).sign(alice.phone.signer());
    assert_eq!(Dispute::verify(&chain, &signed), Err(StatementError::Encoding));
}

#[test]
fn a_mailbox_key_is_stated_by_its_own_device() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    let signed = MailboxKey::sign(&mailbox_public(), 7, &alice.laptop.device);
    let read = MailboxKey::verify(&chain, &signed).unwrap();
    assert_eq!(read.device, alice.laptop.public().id);
    assert_eq!((read.public, read.made_at_ms), (mailbox_public(), 7));
}

#[test]
fn a_device_cannot_state_the_mailbox_key_of_another() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    let mut signed = MailboxKey::sign(&mailbox_public(), 7, &alice.laptop.device);
    // The phone signs the laptop's statement, under its own name and then under the laptop's.
    signed.signature = alice.phone.device.sign(label::MAILBOX_KEY, &signed.body).to_vec().into();
    assert_eq!(MailboxKey::verify(&chain, &signed), Err(StatementError::BadSignature));
    signed.signer = alice.phone.public().id.to_bytes();
    assert_eq!(MailboxKey::verify(&chain, &signed), Err(StatementError::UnknownSigner));
    // Nor does the recovery key: it has no mailbox.
    signed.signer = Vec::new().into();
    assert_eq!(MailboxKey::verify(&chain, &signed), Err(StatementError::UnknownSigner));
}

#[test]
fn a_removed_device_states_no_mailbox_key() {
    let alice = Alice::new();
    let signed = MailboxKey::sign(&mailbox_public(), 7, &alice.laptop.device);
    let chain = alice.without_laptop();
    assert_eq!(MailboxKey::verify(&chain, &signed), Err(StatementError::UnknownSigner));
}

#[test]
fn a_mailbox_key_of_another_size_is_refused() {
    let alice = Alice::new();
    let chain = alice.registered();
    for size in [0, 1215, 1217] {
        let signed = MailboxKey::sign(&vec![0; size], 7, &alice.phone.device);
        assert_eq!(MailboxKey::verify(&chain, &signed), Err(StatementError::Form));
    }
    let signed = MailboxKey::sign(&vec![0; 70_000], 7, &alice.phone.device);
    assert_eq!(MailboxKey::verify(&chain, &signed), Err(StatementError::Encoding));
}

#[test]
fn a_removed_device_may_dispute_its_removal() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let signed = Dispute::sign(chain.newest(), &alice.laptop.device);
    let dispute = Dispute::verify(&chain, &signed).unwrap();
    assert_eq!(dispute.device, alice.laptop.public().id);
    assert!(dispute.stands(&chain));
}

#[test]
fn a_device_that_was_not_removed_cannot_dispute() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let refused = |signed: &proto::SignedBytes| Dispute::verify(&chain, signed).unwrap_err();
    // Still named; never named; named neither before nor after; removed, but by another version.
    let by_phone = Dispute::sign(chain.newest(), &alice.phone.device);
    assert_eq!(refused(&by_phone), StatementError::NotRemoved);
    let by_stranger = Dispute::sign(chain.newest(), &Keys::of(66).device);
    assert_eq!(refused(&by_stranger), StatementError::NotRemoved);
    let of_one = Dispute::sign(chain.version(1).unwrap(), &alice.laptop.device);
    assert_eq!(refused(&of_one), StatementError::NotRemoved);
    let of_two = Dispute::sign(chain.version(2).unwrap(), &alice.laptop.device);
    assert_eq!(refused(&of_two), StatementError::NotRemoved);
    let never = chain.newest().successor(vec![alice.tablet.public()]);
    let of_none = Dispute::sign(&never, &alice.phone.device);
    assert_eq!(refused(&of_none), StatementError::NotRemoved);
}

#[test]
fn nobody_disputes_for_the_removed_device() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let mut signed = Dispute::sign(chain.newest(), &alice.laptop.device);
    signed.signature = alice.phone.device.sign(label::DISPUTE, &signed.body).to_vec().into();
    assert_eq!(Dispute::verify(&chain, &signed), Err(StatementError::BadSignature));
    signed.signer = alice.phone.public().id.to_bytes();
    assert_eq!(Dispute::verify(&chain, &signed), Err(StatementError::UnknownSigner));
}

#[test]
fn only_the_recovery_key_ends_a_dispute() {
    let alice = Alice::new();
    let mut chain = alice.without_laptop();
    let dispute =
        Dispute::verify(&chain, &Dispute::sign(chain.newest(), &alice.laptop.device)).unwrap();
    // Another list by the remover does not.
    let four = chain.newest().successor(vec![alice.phone.public()]);
    chain.extend(&four.sign(&[alice.phone.signer()])).unwrap();
    assert!(dispute.stands(&chain));
    let five = chain.newest().successor(vec![alice.phone.public()]);
    chain.extend(&five.sign(&[alice.recovery()])).unwrap();
    assert!(!dispute.stands(&chain));
}

#[test]
fn a_removal_by_the_recovery_key_is_settled_from_the_start() {
    let alice = Alice::new();
    let mut chain = alice.with_laptop();
    let three = chain.newest().successor(vec![alice.phone.public()]);
    chain.extend(&three.sign(&[alice.recovery()])).unwrap();
    let signed = Dispute::sign(chain.newest(), &alice.laptop.device);
    assert!(!Dispute::verify(&chain, &signed).unwrap().stands(&chain));
}

#[test]
fn a_new_recovery_key_alone_ends_no_dispute() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let new = SigningKey::from_seed([10; 32]);
    let four = chain.newest().successor(vec![alice.phone.public()]).with_recovery(new.public());
    let thief = four.sign(&[alice.phone.signer(), Signer::Recovery(&new)]);
    assert!(chain.clone().extend(&thief).is_err());
}

/// Signs bytes that are not what the statement would encode.
fn raw(body: &[u8], label: &str, key: &SigningKey) -> proto::SignedBytes {
    proto::SignedBytes {
        body: body.to_vec().into(),
        signer: Signer::Device(key).name().into(),
        signature: key.sign(label, body).to_vec().into(),
    }
}
