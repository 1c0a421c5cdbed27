// SPDX-License-Identifier: AGPL-3.0-or-later
//! Mallory between two devices: each attack works against a machine that leaves out the check it is named after.

use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey, label},
    link::Transcript,
    list::{Device, DeviceList},
    meeting::{Bare, Host, Newcomer, Offer, Outcome},
};

use super::{Answered, Asking, Broken, Keys, Matched, Offered, Showing, Shown, TRIES, Typed};

/// An account with one device.
struct Alice {
    phone: SigningKey,
    recovery: SigningKey,
    chain: Chain,
}

fn alice() -> Alice {
    let phone = SigningKey::from_seed([1; 32]);
    let recovery = SigningKey::from_seed([2; 32]);
    let first = DeviceList::first(recovery.public(), Device::new(phone.public(), [3; 32], [4; 32]));
    let signed = first.sign(&[Signer::Device(&phone), Signer::Recovery(&recovery)]);
    let chain = Chain::verify(&first.account(), &[signed]).unwrap();
    Alice { phone, recovery, chain }
}

impl Alice {
    fn answer(&self, slot_0: &[u8]) -> Result<Answered, Broken> {
        let id = self.chain.newest().devices()[0].id;
        Answered::begin(slot_0, &self.chain, id, [9; 32])
    }
}

fn keys(seed: u8) -> Keys {
    Keys { device_seed: [seed; 32], mls_seed: [seed + 1; 32], login_seed: [seed + 2; 32] }
}

fn laptop() -> Shown {
    Shown::begin(keys(20), [8; 32], "Laptop")
}

/// Both sides up to the code.
fn met(alice: &Alice) -> (Asking, Showing) {
    let shown = laptop();
    let answered = alice.answer(&shown.slot_0).ok().unwrap();
    let asking = shown.answered(&answered.slot_1).ok().unwrap();
    let showing = answered.revealed(&asking.slot_2).ok().unwrap();
    (asking, showing)
}

fn matched(asking: Asking, code: &str) -> Matched {
    match asking.typed(code) {
        Typed::Match(matched) => matched,
        Typed::Wrong(_) | Typed::Over => panic!("the code does not match"),
    }
}

fn offered(alice: &Alice) -> (Matched, Offered) {
    let (asking, showing) = met(alice);
    let matched = matched(asking, &showing.code().to_string());
    let offered = showing.confirmed(&matched.slot_3, &alice.chain, &alice.phone).ok().unwrap();
    (matched, offered)
}

#[test]
fn a_list_of_both_devices_comes_out_and_verifies() {
    let mut alice = alice();
    let (matched, offered) = offered(&alice);
    assert_eq!((offered.name.as_str(), offered.device.id), ("Laptop", keys(20).device().id));
    let signed = matched.offered(&offered.slot_4, &alice.chain).ok().unwrap();
    let list = offered.signed(&signed.slot_5, &alice.chain).ok().unwrap();
    alice.chain.extend(&list).unwrap();
    assert_eq!(alice.chain.newest().devices().len(), 2);
}

#[test]
fn whoever_puts_keys_of_their_own_between_them_changes_the_code() {
    let alice = alice();
    // Mallory meets the phone as the laptop, and the laptop as the phone.
    let (shown, mallory) = (laptop(), Shown::begin(keys(60), [7; 32], "Laptop"));
    let answered = alice.answer(&mallory.slot_0).ok().unwrap();
    let hers = mallory.answered(&answered.slot_1).ok().unwrap();
    let showing = answered.revealed(&hers.slot_2).ok().unwrap();
    let phone = Host { nonce: [6; 32], ..hers.host };
    for slot_1 in [phone.to_vec(), hers.host.to_vec()] {
        let asking = shown.clone().answered(&slot_1).ok().unwrap();
        assert!(matches!(asking.typed(&showing.code().to_string()), Typed::Wrong(_)));
    }
}

#[test]
fn a_nonce_chosen_after_the_other_was_seen_does_not_open_the_commitment() {
    // Without the commitment Mallory would try nonces until the code is the one she wants.
    let alice = alice();
    let shown = laptop();
    let answered = alice.answer(&shown.slot_0).ok().unwrap();
    for nonce in 0..50 {
        let other = answered.clone().revealed(&Bare([nonce; 32]).to_vec());
        assert_eq!(other.is_ok(), nonce == 8, "{nonce}");
    }
    // Nor does a commitment of another device's fit this one.
    let mut newcomer = Newcomer::from_slice(&shown.slot_0).unwrap();
    newcomer.device = keys(60).device();
    let answered = alice.answer(&newcomer.to_vec()).ok().unwrap();
    assert!(answered.revealed(&Bare([8; 32]).to_vec()).is_err());
}

#[test]
fn three_wrong_codes_end_it_and_a_right_one_before_does_not() {
    let alice = alice();
    let (mut asking, showing) = met(&alice);
    let code = showing.code().to_string();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in (1..TRIES).rev() {
        asking = match asking.typed(wrong) {
            Typed::Wrong(asking) => asking,
            Typed::Match(_) | Typed::Over => panic!("not a wrong code among others"),
        };
        assert_eq!(asking.tries_left, left);
    }
    assert!(matches!(asking.clone().typed(&code), Typed::Match(_)));
    assert!(matches!(asking.typed(wrong), Typed::Over));
}

#[test]
fn the_old_device_signs_nothing_that_the_new_one_did_not_confirm() {
    let alice = alice();
    let (asking, showing) = met(&alice);
    let phone = alice.phone.clone();
    // Mallory knows the link and the slots, and has neither the laptop's key nor the code.
    let seen = Transcript::of(b"", b"", &[8; 32]);
    let forged = [seen.sign(&SigningKey::from_seed([60; 32])), [0; 64]];
    for signature in forged {
        let slot_3 = Bare(signature).to_vec();
        assert!(showing.clone().confirmed(&slot_3, &alice.chain, &phone).is_err());
    }
    // The laptop's confirmation of another meeting does not fit either.
    let other = Shown::begin(keys(20), [5; 32], "Laptop");
    let answered = alice.answer(&other.slot_0).ok().unwrap();
    let other = other.answered(&answered.slot_1).ok().unwrap();
    let code = answered.revealed(&other.slot_2).ok().unwrap().code().to_string();
    let replayed = matched(other, &code).slot_3;
    assert!(showing.clone().confirmed(&replayed, &alice.chain, &phone).is_err());
    let honest = matched(asking, &showing.code().to_string()).slot_3;
    assert!(showing.confirmed(&honest, &alice.chain, &phone).is_ok());
}

#[test]
fn the_new_device_signs_no_list_but_the_next_one_with_itself() {
    let alice = alice();
    let (matched, offered) = offered(&alice);
    let newest = alice.chain.newest();
    let (own, mallory) = (keys(20).device(), keys(60).device());
    let phone = newest.devices()[0].clone();
    let lists = [
        // Another device comes along.
        newest.successor(vec![phone.clone(), own.clone(), mallory.clone()]),
        // Another device instead.
        newest.successor(vec![phone.clone(), mallory]),
        // The phone goes.
        newest.successor(vec![own.clone()]),
        // Another recovery key.
        newest.successor(vec![phone.clone(), own.clone()]).with_recovery([5; 32]),
        // Not the next version.
        newest.successor(vec![phone.clone()]).successor(vec![phone.clone(), own.clone()]),
    ];
    for list in lists {
        let body = list.to_vec();
        let signature = alice.phone.sign(label::DEVICE_LIST, &body);
        let slot_4 = Offer::List(body, signature).to_vec();
        assert!(matched.clone().offered(&slot_4, &alice.chain).is_err());
    }
    // The right list, which the device that the code covered did not sign.
    let body = newest.successor(vec![phone, own]).to_vec();
    let slot_4 = Offer::List(body.clone(), alice.recovery.sign(label::DEVICE_LIST, &body)).to_vec();
    assert!(matched.clone().offered(&slot_4, &alice.chain).is_err());
    assert!(matched.offered(&offered.slot_4, &alice.chain).is_ok());
}

#[test]
fn nothing_is_signed_over_a_list_that_was_not_in_the_transcript() {
    let alice = alice();
    let (asking, showing) = met(&alice);
    let code = showing.code().to_string();
    let mut later = alice.chain.clone();
    let same = later.newest().successor(later.newest().devices().to_vec());
    later.extend(&same.sign(&[Signer::Device(&alice.phone)])).unwrap();
    let matched = matched(asking, &code);
    let ended = showing.clone().confirmed(&matched.slot_3, &later, &alice.phone);
    assert_eq!(ended.err(), Some(Broken::ListChanged));
    let offered = showing.confirmed(&matched.slot_3, &alice.chain, &alice.phone).ok().unwrap();
    let ended = matched.offered(&offered.slot_4, &later);
    assert_eq!(ended.err(), Some(Broken::ListChanged));
}

#[test]
fn another_signature_than_the_new_devices_makes_no_list() {
    let alice = alice();
    let (_, offered) = offered(&alice);
    let body = match Offer::from_slice(&offered.slot_4).unwrap() {
        Offer::List(body, _) => body,
        Offer::None(_) => panic!("no list"),
    };
    let forged = SigningKey::from_seed([60; 32]).sign(label::DEVICE_LIST, &body);
    assert!(offered.signed(&Bare(forged).to_vec(), &alice.chain).is_err());
}

#[test]
fn slots_do_not_stand_for_each_other_and_a_reason_is_passed_on() {
    let alice = alice();
    let (matched, offered) = offered(&alice);
    let all = [laptop().slot_0, alice.answer(&laptop().slot_0).ok().unwrap().slot_1];
    assert!(laptop().answered(&all[0]).is_err());
    assert!(alice.answer(&all[1]).is_err());
    assert!(matched.clone().offered(&matched.slot_3, &alice.chain).is_err());
    assert!(offered.clone().signed(&offered.slot_4, &alice.chain).is_err());
    let ended = matched.offered(&Offer::None(Outcome::Disputed).to_vec(), &alice.chain);
    assert_eq!(ended.err(), Some(Broken::Told(Outcome::Disputed)));
}

#[test]
fn a_device_is_linked_once_and_the_seventeenth_never() {
    let mut alice = alice();
    let (_, offered) = offered(&alice);
    let shown = laptop();
    let signer = keys(20).device_key();
    let body = match Offer::from_slice(&offered.slot_4).unwrap() {
        Offer::List(body, _) => body,
        Offer::None(_) => panic!("no list"),
    };
    let own = Bare(signer.sign(label::DEVICE_LIST, &body)).to_vec();
    let list = offered.signed(&own, &alice.chain).ok().unwrap();
    alice.chain.extend(&list).unwrap();
    assert_eq!(alice.answer(&shown.slot_0).err(), Some(Broken::Forged));
    for seed in 100..114 {
        let key = SigningKey::from_seed([seed; 32]);
        let mut devices = alice.chain.newest().devices().to_vec();
        devices.push(Device::new(key.public(), [seed; 32], [seed; 32]));
        let next = alice.chain.newest().successor(devices);
        let signers = [Signer::Device(&alice.phone), Signer::Device(&key)];
        alice.chain.extend(&next.sign(&signers)).unwrap();
    }
    let seventeenth = Shown::begin(keys(200), [1; 32], "Tablet");
    assert_eq!(alice.answer(&seventeenth.slot_0).err(), Some(Broken::TooManyDevices));
}
