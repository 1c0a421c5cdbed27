// SPDX-License-Identifier: AGPL-3.0-or-later
use nodoor_transparency::{
    chain::{Chain, Comparison},
    error::{Fault, ListError},
    key::{Signer, SigningKey},
    list::{Device, DeviceList},
};
use nodoor_wire::{id::AccountId, proto};

use crate::actors::{Alice, Keys};

fn refused(chain: &Chain, signed: &proto::SignedList) -> ListError {
    let mut copy = chain.clone();
    let error = copy.extend(signed).unwrap_err();
    assert_eq!(copy.newest(), chain.newest(), "a refused list leaves the chain as it was");
    error
}

#[test]
fn olga_cannot_add_a_device_that_nobody_signed() {
    let alice = Alice::new();
    let chain = alice.registered();
    let olgas = Keys::of(66);
    let two = chain.newest().successor(vec![alice.phone.public(), olgas.public()]);
    assert_eq!(refused(&chain, &two.sign(&[])), ListError::NoOldSigner);
}

#[test]
fn olga_cannot_add_a_device_that_only_signs_itself() {
    let alice = Alice::new();
    let chain = alice.registered();
    let olgas = Keys::of(66);
    let two = chain.newest().successor(vec![alice.phone.public(), olgas.public()]);
    assert_eq!(refused(&chain, &two.sign(&[olgas.signer()])), ListError::NoOldSigner);
}

#[test]
fn olga_cannot_pass_her_signature_off_as_the_phones() {
    let alice = Alice::new();
    let chain = alice.registered();
    let olgas = Keys::of(66);
    let two = chain.newest().successor(vec![alice.phone.public(), olgas.public()]);
    let mut signed = two.sign(&[olgas.signer(), olgas.signer()]);
    signed.signatures[1].signer = alice.phone.public().id.to_bytes();
    assert_eq!(refused(&chain, &signed), ListError::BadSignature);
    signed.signatures[1].signer = Vec::new().into();
    assert_eq!(refused(&chain, &signed), ListError::BadSignature);
}

#[test]
fn a_device_cannot_be_added_against_its_will() {
    let alice = Alice::new();
    let chain = alice.registered();
    let two = chain.newest().successor(vec![alice.phone.public(), alice.laptop.public()]);
    assert_eq!(refused(&chain, &two.sign(&[alice.phone.signer()])), ListError::NewDeviceUnsigned);
    let recovered = two.sign(&[alice.recovery()]);
    assert_eq!(refused(&chain, &recovered), ListError::NewDeviceUnsigned);
}

#[test]
fn a_device_cannot_change_the_keys_of_another_behind_its_back() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    // The stolen laptop puts its own MLS key under the phone's name: messages would be sealed to it.
    let mut phone = alice.phone.public();
    phone.mls_key = Keys::of(66).public().mls_key;
    let three = chain.newest().successor(vec![phone, alice.laptop.public()]);
    assert_eq!(
        refused(&chain, &three.sign(&[alice.laptop.signer()])),
        ListError::NewDeviceUnsigned
    );
    // The phone itself may.
    assert!(chain.clone().extend(&three.sign(&[alice.phone.signer()])).is_ok());
}

#[test]
fn a_removed_device_cannot_sign_the_version_after() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let four = chain.newest().successor(vec![alice.phone.public(), alice.tablet.public()]);
    let signed = four.sign(&[alice.laptop.signer(), alice.tablet.signer()]);
    assert_eq!(refused(&chain, &signed), ListError::UnknownSigner);
    // Nor bring itself back.
    let back = chain.newest().successor(vec![alice.phone.public(), alice.laptop.public()]);
    assert_eq!(refused(&chain, &back.sign(&[alice.laptop.signer()])), ListError::NoOldSigner);
}

#[test]
fn a_device_of_the_new_version_alone_is_no_old_signer() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    let three = chain.newest().successor(vec![alice.tablet.public()]);
    assert_eq!(refused(&chain, &three.sign(&[alice.tablet.signer()])), ListError::NoOldSigner);
}

#[test]
fn a_forked_version_is_evidence_that_anybody_can_check() {
    let alice = Alice::new();
    let seen = alice.with_laptop();
    let mut shown = alice.registered();
    let other = shown.newest().successor(vec![alice.phone.public(), alice.tablet.public()]);
    shown.extend(&other.sign(&[alice.phone.signer(), alice.tablet.signer()])).unwrap();

    let error = seen.compare(&shown).unwrap_err();
    assert_eq!(error.fault(), Fault::Server);
    let ListError::Forked { version: 2, evidence } = error else { panic!("{error:?}") };
    // Each of the two is a valid version 2 of the same account.
    for list in [&evidence.seen, &evidence.shown] {
        let lists = [alice.first_signed(), list.clone()];
        assert_eq!(Chain::verify(&seen.account(), &lists).unwrap().newest().version(), 2);
    }
    assert_ne!(evidence.seen.body, evidence.shown.body);
}

#[test]
fn a_chain_seen_before_is_never_shortened() {
    let alice = Alice::new();
    let (seen, shown) = (alice.without_laptop(), alice.with_laptop());
    let error = seen.compare(&shown).unwrap_err();
    let ListError::Shorter(evidence) = error else { panic!("{error:?}") };
    assert_eq!(Some(&evidence.seen), seen.to_proto().last());
    assert_eq!(Some(&evidence.shown), shown.to_proto().last());
    assert_eq!(shown.compare(&seen), Ok(Comparison::Extends));
    assert_eq!(seen.compare(&seen), Ok(Comparison::Same));
}

#[test]
fn a_chain_cannot_be_served_for_another_account() {
    let alice = Alice::new();
    let lists = alice.with_laptop().to_proto();
    let bob = AccountId([5; 16]);
    assert_eq!(Chain::verify(&bob, &lists).unwrap_err(), ListError::OtherAccount);
    assert_eq!(Chain::verify(&bob, &[]).unwrap_err(), ListError::Empty);
    let mallory = DeviceList::first([8; 32], Keys::of(66).public());
    let hers = DeviceList::first(alice.recovery.public(), alice.phone.public());
    assert_ne!(mallory.account(), hers.account());
}

#[test]
fn a_first_list_that_claims_anothers_account_is_refused() {
    let alice = Alice::new();
    let account = alice.first().account();
    // Mallory's own first list with Alice's account written into it.
    let mallory = Keys::of(66);
    let recovery = SigningKey::from_seed([67; 32]);
    let own = DeviceList::first(recovery.public(), mallory.public());
    let body = own.to_vec();
    let at = body.windows(16).position(|w| w == own.account().as_bytes()).unwrap();
    let mut forged = body;
    forged[at..at + 16].copy_from_slice(account.as_bytes());
    let signed = sign_raw(&forged, &[mallory.signer(), Signer::Recovery(&recovery)]);
    assert_eq!(Chain::verify(&account, &[signed]).unwrap_err(), ListError::OtherAccount);
}

#[test]
fn a_next_list_cannot_change_the_account() {
    let alice = Alice::new();
    let chain = alice.registered();
    let mut body = chain.newest().successor(vec![alice.phone.public()]).to_vec();
    assert_eq!(&body[2..18], chain.account().as_bytes());
    body[2] ^= 1;
    let signed = sign_raw(&body, &[alice.phone.signer(), alice.recovery()]);
    assert_eq!(refused(&chain, &signed), ListError::OtherAccount);
}

#[test]
fn a_list_in_the_middle_cannot_be_left_out() {
    let alice = Alice::new();
    let lists = alice.without_laptop().to_proto();
    let account = alice.first().account();
    let gap = [lists[0].clone(), lists[2].clone()];
    assert_eq!(Chain::verify(&account, &gap).unwrap_err(), ListError::NotNext);
    assert_eq!(Chain::verify(&account, &lists[1..]).unwrap_err(), ListError::NotNext);
    let twice = [lists[0].clone(), lists[1].clone(), lists[1].clone()];
    assert_eq!(Chain::verify(&account, &twice).unwrap_err(), ListError::NotNext);
}

#[test]
fn a_list_that_names_another_version_before_it_is_refused() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    let mut fork = alice.registered();
    let other = fork.newest().successor(vec![alice.phone.public(), alice.tablet.public()]);
    fork.extend(&other.sign(&[alice.phone.signer(), alice.tablet.signer()])).unwrap();
    let three = fork.newest().successor(vec![alice.phone.public()]);
    let error = refused(&chain, &three.sign(&[alice.phone.signer()]));
    assert_eq!((error.fault(), error), (Fault::Race, ListError::Previous));
}

#[test]
fn version_1_needs_the_device_and_the_recovery_key() {
    let alice = Alice::new();
    let first = alice.first();
    let verify = |signers: &[Signer<'_>]| {
        Chain::verify(&first.account(), &[first.sign(signers)]).map(|_| ()).unwrap_err()
    };
    assert_eq!(verify(&[alice.phone.signer()]), ListError::RecoveryUnsigned);
    assert_eq!(verify(&[alice.recovery()]), ListError::NewDeviceUnsigned);
    assert_eq!(verify(&[]), ListError::RecoveryUnsigned);
}

#[test]
fn a_replaced_recovery_key_needs_the_old_one_and_the_new_one() {
    let alice = Alice::new();
    let chain = alice.registered();
    let new = SigningKey::from_seed([10; 32]);
    let two = chain.newest().successor(vec![alice.phone.public()]).with_recovery(new.public());
    let (phone, old, new) = (alice.phone.signer(), alice.recovery(), Signer::Recovery(&new));
    for signers in [&[phone][..], &[phone, new][..], &[phone, old][..], &[new][..]] {
        assert_eq!(refused(&chain, &two.sign(signers)), ListError::RecoveryUnsigned);
    }
    let mut replaced = chain.clone();
    replaced.extend(&two.sign(&[old, new])).unwrap();
    // From now on the old words are worth nothing.
    let three = replaced.newest().successor(vec![alice.tablet.public()]);
    let signed = three.sign(&[alice.tablet.signer(), alice.recovery()]);
    assert_eq!(refused(&replaced, &signed), ListError::BadSignature);
    assert!(replaced.extend(&three.sign(&[alice.tablet.signer(), new])).is_ok());
}

#[test]
fn the_recovery_key_brings_back_an_account_whose_devices_are_all_lost() {
    let alice = Alice::new();
    let mut chain = alice.with_laptop();
    let three = chain.newest().successor(vec![alice.tablet.public()]);
    chain.extend(&three.sign(&[alice.recovery(), alice.tablet.signer()])).unwrap();
    assert_eq!(chain.newest().devices(), [alice.tablet.public()]);
}

#[test]
fn a_last_device_may_leave_and_only_the_recovery_key_comes_back() {
    let alice = Alice::new();
    let mut chain = alice.registered();
    let two = chain.newest().successor(vec![]);
    chain.extend(&two.sign(&[alice.phone.signer()])).unwrap();
    let three = chain.newest().successor(vec![alice.phone.public()]);
    assert_eq!(refused(&chain, &three.sign(&[alice.phone.signer()])), ListError::NoOldSigner);
    assert!(chain.extend(&three.sign(&[alice.phone.signer(), alice.recovery()])).is_ok());
}

#[test]
fn a_device_whose_key_is_also_the_recovery_key_does_not_sign_as_both() {
    let alice = Alice::new();
    let recovery = SigningKey::from_seed([1; 32]);
    assert_eq!(recovery.public(), alice.phone.device.public());
    let first = DeviceList::first(recovery.public(), alice.phone.public());
    let error = Chain::verify(&first.account(), &[first.sign(&[alice.phone.signer()])]);
    assert_eq!(error.unwrap_err(), ListError::RecoveryUnsigned);
}

#[test]
fn every_signature_on_a_list_has_a_say_and_is_checked() {
    let alice = Alice::new();
    let chain = alice.registered();
    let two = chain.newest().successor(vec![alice.phone.public(), alice.laptop.public()]);
    let good = two.sign(&[alice.phone.signer(), alice.laptop.signer()]);

    let stranger = two.sign(&[alice.phone.signer(), alice.laptop.signer(), Keys::of(66).signer()]);
    assert_eq!(refused(&chain, &stranger), ListError::UnknownSigner);
    let twice = two.sign(&[alice.phone.signer(), alice.laptop.signer(), alice.phone.signer()]);
    assert_eq!(refused(&chain, &twice), ListError::SignedTwice);
    let mut many = good.clone();
    many.signatures = vec![good.signatures[0].clone(); 100_000];
    assert_eq!(refused(&chain, &many), ListError::Form);
    let mut odd = good.clone();
    odd.signatures[0].signer = vec![1; 15].into();
    assert_eq!(refused(&chain, &odd), ListError::UnknownSigner);
    for bit in 0..512 {
        let mut bad = good.clone();
        let mut signature = bad.signatures[1].signature.to_vec();
        signature[bit / 8] ^= 1 << (bit % 8);
        bad.signatures[1].signature = signature.into();
        assert_eq!(refused(&chain, &bad), ListError::BadSignature);
    }
    assert!(chain.clone().extend(&good).is_ok());
}

#[test]
fn a_second_encoding_of_the_same_list_is_refused() {
    let alice = Alice::new();
    let body = alice.first().to_vec();
    assert_eq!(body[0], 0x85, "an array of five");
    // The version as a longer integer; the array of indefinite length; a byte behind the end.
    let version_at = 1 + 17;
    assert_eq!(body[version_at], 1);
    let mut longer = body.clone();
    longer.splice(version_at..=version_at, [0x18, 1]);
    let mut indefinite = body.clone();
    indefinite[0] = 0x9f;
    indefinite.push(0xff);
    let mut trailing = body.clone();
    trailing.push(0);
    for other in [longer, indefinite, trailing] {
        let signed = sign_raw(&other, &[alice.phone.signer(), alice.recovery()]);
        let error = Chain::verify(&alice.first().account(), &[signed]).unwrap_err();
        assert_eq!(error, ListError::Encoding);
    }
}

#[test]
fn a_list_with_a_device_twice_or_out_of_order_or_too_many_is_refused() {
    let alice = Alice::new();
    let chain = alice.registered();
    let devices = |keys: &[&Keys]| keys.iter().map(|k| k.public()).collect::<Vec<Device>>();
    let twice = chain.newest().successor(devices(&[&alice.phone, &alice.phone]));
    assert_eq!(refused(&chain, &twice.sign(&[alice.phone.signer()])), ListError::Form);

    let all: Vec<Keys> = (100..117).map(Keys::of).collect();
    let many = chain.newest().successor(all.iter().map(Keys::public).collect());
    let signers: Vec<Signer<'_>> =
        all.iter().map(Keys::signer).chain([alice.phone.signer()]).collect();
    assert_eq!(refused(&chain, &many.sign(&signers)), ListError::Form);

    // Two devices swapped in the bytes: each is [84, 50 id, 58 20 key, 58 20 key, 58 20 key].
    let two = chain.newest().successor(devices(&[&alice.phone, &alice.laptop]));
    let mut body = two.to_vec();
    let length = 1 + 17 + 3 * 34;
    let start = body.len() - 2 * length;
    body[start..].rotate_left(length);
    let signed = sign_raw(&body, &[alice.phone.signer(), alice.laptop.signer()]);
    assert_eq!(refused(&chain, &signed), ListError::Form);
}

#[test]
fn a_device_cannot_take_an_id_that_is_not_of_its_key() {
    let alice = Alice::new();
    let chain = alice.registered();
    let thief = Keys::of(66);
    let two = chain.newest().successor(vec![alice.phone.public(), thief.public()]);
    // An id next to its own, so that the order stays right, under which it also signs.
    let own = thief.public().id;
    let mut taken = own;
    taken.0[15] ^= 1;
    let mut body = two.to_vec();
    let at = body.windows(16).position(|w| w == own.as_bytes()).unwrap();
    body[at..at + 16].copy_from_slice(taken.as_bytes());
    let mut signed = sign_raw(&body, &[alice.phone.signer(), thief.signer()]);
    signed.signatures[1].signer = taken.to_bytes();
    assert_eq!(refused(&chain, &signed), ListError::Form);
}

#[test]
fn a_verified_chain_is_verified_again_from_its_own_bytes() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let again = Chain::verify(&chain.account(), &chain.to_proto()).unwrap();
    assert_eq!(chain.compare(&again), Ok(Comparison::Same));
    assert_eq!(again.version(2).unwrap().devices().len(), 2);
    assert!(again.version(0).is_none() && again.version(4).is_none());
    let (two, three) = (again.version(2).unwrap(), again.version(3).unwrap());
    let removed: Vec<_> = three.removed_since(two).collect();
    assert_eq!(removed, [&alice.laptop.public()]);
    assert_eq!(two.added_since(again.version(1).unwrap()).count(), 1);
}

/// Signs bytes that are not what `DeviceList` would encode.
fn sign_raw(body: &[u8], signers: &[Signer<'_>]) -> proto::SignedList {
    let signatures = signers
        .iter()
        .map(|signer| proto::ListSignature {
            signer: signer.name().into(),
            signature: signer
                .key()
                .sign(nodoor_transparency::key::label::DEVICE_LIST, body)
                .to_vec()
                .into(),
        })
        .collect();
    proto::SignedList { body: body.to_vec().into(), signatures }
}

#[test]
fn a_chain_read_back_is_the_one_that_was_verified() {
    let alice = Alice::new();
    let mut chain = alice.without_laptop();
    let words = SigningKey::from_seed([10; 32]);
    let new = Signer::Recovery(&words);
    let four = chain.newest().successor(vec![alice.tablet.public()]).with_recovery(words.public());
    chain.extend(&four.sign(&[alice.recovery(), new, alice.tablet.signer()])).unwrap();
    let lists = chain.to_proto();
    let back = Chain::read_back_unverified(&chain.account(), &lists).unwrap();
    assert_eq!(back.compare(&chain), Ok(Comparison::Same));
    assert_eq!((back.signed_by_recovery(), chain.signed_by_recovery()), (2, 2));
    let five = chain.newest().successor(vec![]);
    assert_eq!(refused(&back, &five.sign(&[alice.phone.signer()])), ListError::UnknownSigner);
    assert!(back.clone().extend(&five.sign(&[alice.tablet.signer()])).is_ok());
    let error = |account: AccountId, lists: &[proto::SignedList]| {
        Chain::read_back_unverified(&account, lists).map(drop).unwrap_err()
    };
    assert_eq!(error(chain.account(), &[]), ListError::Empty);
    assert_eq!(error(chain.account(), &lists[1..]), ListError::NotNext);
    assert_eq!(error(AccountId([9; 16]), &lists), ListError::NotNext);
}
