// SPDX-License-Identifier: AGPL-3.0-or-later
//! Mallory between two devices: each attack works against a machine that leaves out the check it is named after.

use nodoor_testkit::chance::Chance;
use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey, label},
    link::Code,
    list::{Device, DeviceList},
    meeting::{Answer, Attempt, Bare, Host, Outcome},
};

use super::{Asking, Broken, Heard, Keys, Matched, Offered, Showing, Shown, TRIES, Tried, Waiting};
use crate::device::exchange::{Half, Side};

/// An account with one device.
struct Alice {
    phone: SigningKey,
    recovery: SigningKey,
    chain: Chain,
    chance: Chance,
}

fn alice() -> Alice {
    let phone = SigningKey::from_seed([1; 32]);
    let recovery = SigningKey::from_seed([2; 32]);
    let first = DeviceList::first(recovery.public(), Device::new(phone.public(), [3; 32], [4; 32]));
    let signed = first.sign(&[Signer::Device(&phone), Signer::Recovery(&recovery)]);
    let chain = Chain::verify(&first.account(), &[signed]).unwrap();
    Alice { phone, recovery, chain, chance: Chance::new(7) }
}

const CODE: u32 = 271_828;

impl Alice {
    fn answer(&mut self, slot_0: &[u8]) -> Result<(Showing, Vec<u8>), Broken> {
        let id = self.chain.newest().devices()[0].id;
        Showing::begin(slot_0, &self.chain, (id, None), Code::of(CODE), &mut self.chance)
    }

    fn tried(&mut self, showing: Showing, slot: &[u8]) -> Result<Tried, Broken> {
        showing.tried(slot, &self.chain, &self.phone, &mut self.chance)
    }

    fn types(&mut self, asking: &Asking, code: u32) -> (Waiting, Vec<u8>) {
        let typed = asking.typed(&Code::of(code).to_string(), &mut self.chance);
        typed.ok().flatten().unwrap()
    }
}

fn keys(seed: u8) -> Keys {
    Keys { device_seed: [seed; 32], mls_seed: [seed + 1; 32], login_seed: [seed + 2; 32] }
}

fn laptop() -> Shown {
    Shown::begin(keys(20), "Laptop")
}

fn asked(waiting: Waiting, slot: &[u8]) -> Asking {
    match waiting.heard(slot).ok().unwrap() {
        Heard::Ask(asking) => asking,
        Heard::Right(_) => panic!("an offer"),
    }
}

fn matched(waiting: Waiting, slot: &[u8]) -> Matched {
    match waiting.heard(slot).ok().unwrap() {
        Heard::Right(matched) => matched,
        Heard::Ask(_) => panic!("the code was wrong"),
    }
}

fn right(tried: Tried) -> Offered {
    match tried {
        Tried::Right(offered) => *offered,
        Tried::Wrong(_) => panic!("the code was wrong"),
    }
}

fn wrong(tried: Tried) -> Showing {
    match tried {
        Tried::Wrong(showing) => *showing,
        Tried::Right(_) => panic!("the code was right"),
    }
}

/// Both sides up to the code.
fn met(alice: &mut Alice) -> (Asking, Showing) {
    let shown = laptop();
    let (showing, slot_1) = alice.answer(&shown.slot_0).ok().unwrap();
    let waiting = shown.answered(&slot_1).ok().unwrap();
    (asked(waiting, &showing.slot()), showing)
}

fn offered(alice: &mut Alice) -> (Matched, Offered) {
    let (asking, showing) = met(alice);
    let (waiting, attempt) = alice.types(&asking, CODE);
    let offered = right(alice.tried(showing, &attempt).ok().unwrap());
    (matched(waiting, &offered.slot), offered)
}

/// The body and signature of an offer.
fn list_of(offered: &Offered) -> Vec<u8> {
    match Answer::from_slice(&offered.slot).unwrap() {
        Answer::Offer { body, .. } => body,
        Answer::Try(_) | Answer::End(_) => panic!("no list"),
    }
}

#[test]
fn a_list_of_both_devices_comes_out_and_verifies() {
    let mut alice = alice();
    let (matched, offered) = offered(&mut alice);
    assert_eq!((offered.name.as_str(), offered.device.id), ("Laptop", keys(20).device().id));
    let signed = matched.judged(&alice.chain).ok().unwrap();
    let list = offered.signed(&signed.signature, &alice.chain).ok().unwrap();
    alice.chain.extend(&list).unwrap();
    assert_eq!(alice.chain.newest().devices().len(), 2);
}

#[test]
fn whoever_has_a_link_of_their_own_scanned_is_not_linked_by_that() {
    // Mallory shows a link on a page; Alice's phone reads it and shows the code, which Mallory does not see. She has
    // every key, every slot and her own say in them.
    let mut alice = alice();
    let mallory = Shown::begin(keys(60), "Laptop");
    let (mut showing, slot_1) = alice.answer(&mallory.slot_0).ok().unwrap();
    let waiting = mallory.clone().answered(&slot_1).ok().unwrap();
    let asking = asked(waiting, &showing.slot());
    // Saying so, with a proof of anything, a replay of the other side's message, or no point at all: each a try.
    let (_, guess) = alice.types(&asking, CODE + 1);
    let own = Attempt::from_slice(&guess).unwrap();
    let Answer::Try(theirs) = Answer::from_slice(&showing.slot()).unwrap() else { panic!() };
    showing = wrong(alice.tried(showing, &guess).ok().unwrap());
    let zero = Attempt { proof: [0; 32], ..own }.to_vec();
    showing = wrong(alice.tried(showing, &zero).ok().unwrap());
    assert!(matches!(alice.tried(showing, &guess), Err(Broken::Tries)));
    for message in [theirs, [0; 33], [0xff; 33]] {
        let (showing, _) = alice.answer(&mallory.slot_0).ok().unwrap();
        let tried = alice.tried(showing, &Attempt { message, ..own }.to_vec());
        assert_eq!(tried.err(), Some(Broken::Forged));
    }
}

#[test]
fn whoever_stands_between_them_learns_no_code_and_links_nothing() {
    let mut alice = alice();
    // Mallory meets the phone as the laptop, and the laptop as the phone, with the code typed on the laptop.
    let (shown, mallory) = (laptop(), Shown::begin(keys(60), "Laptop"));
    let (showing, slot_1) = alice.answer(&mallory.slot_0).ok().unwrap();
    // She hands on the phone's own message ...
    let asking = asked(shown.clone().answered(&slot_1).ok().unwrap(), &showing.slot());
    let (waiting, attempt) = alice.types(&asking, CODE);
    let showing = wrong(alice.tried(showing, &attempt).ok().unwrap());
    // ... and what the laptop typed is no proof to the phone, for it is about other keys. Nor does the laptop believe her.
    let newest = alice.chain.newest();
    let both = vec![newest.devices()[0].clone(), keys(20).device()];
    let body = newest.successor(both).to_vec();
    let signature = alice.phone.sign(label::DEVICE_LIST, &body);
    let offer = Answer::Offer { proof: [0; 32], body, signature }.to_vec();
    assert_eq!(waiting.heard(&offer).err(), Some(Broken::Forged));
    // With a message of her own she tests one guess, and learns nothing if it is another.
    let said = [shown.slot_0.as_slice(), &slot_1].concat();
    let half = Half::begin(Side::Old, Code::of(CODE + 1), &said, &mut alice.chance).unwrap();
    let asking =
        asked(shown.answered(&slot_1).ok().unwrap(), &Answer::Try(half.message()).to_vec());
    let (_, attempt) = alice.types(&asking, CODE);
    let attempt = Attempt::from_slice(&attempt).unwrap();
    let proofs = half.finish(&attempt.message).unwrap();
    assert!(!proofs.is_right(Side::New, &attempt.proof));
    drop(showing);
}

#[test]
fn an_account_or_a_name_that_was_changed_on_the_way_is_another_exchange() {
    let mut alice = alice();
    for change in 0..2 {
        let shown = laptop();
        let (showing, slot_1) = alice.answer(&shown.slot_0).ok().unwrap();
        let mut host = Host::from_slice(&slot_1).unwrap();
        let waiting = if change == 0 {
            host.list = [6; 32];
            shown.answered(&host.to_vec()).ok().unwrap()
        } else {
            let renamed = Shown::begin(keys(20), "Another");
            renamed.answered(&slot_1).ok().unwrap()
        };
        let asking = asked(waiting, &showing.slot());
        let (_, attempt) = alice.types(&asking, CODE);
        wrong(alice.tried(showing, &attempt).ok().unwrap());
    }
}

#[test]
fn three_wrong_codes_end_it_and_a_right_one_before_does_not() {
    for mistakes in 0..=TRIES {
        let mut alice = alice();
        let (mut asking, mut showing) = met(&mut alice);
        for mistake in 1..=mistakes {
            assert_eq!(asking.tries_left, TRIES - mistake + 1);
            let (waiting, attempt) = alice.types(&asking, CODE + 1);
            let tried = alice.tried(showing, &attempt);
            if mistake == TRIES {
                assert_eq!(tried.err(), Some(Broken::Tries));
                // And the new device lets nobody ask a fourth time.
                let again = Answer::Try(Attempt::from_slice(&attempt).unwrap().message).to_vec();
                assert_eq!(waiting.heard(&again).err(), Some(Broken::Tries));
                return;
            }
            showing = wrong(tried.ok().unwrap());
            asking = asked(waiting, &showing.slot());
        }
        let (waiting, attempt) = alice.types(&asking, CODE);
        let offered = right(alice.tried(showing, &attempt).ok().unwrap());
        assert!(matched(waiting, &offered.slot).judged(&alice.chain).is_ok());
    }
}

#[test]
fn a_proof_of_another_run_is_none() {
    let mut alice = alice();
    let (asking, showing) = met(&mut alice);
    let (_, attempt) = alice.types(&asking, CODE);
    // The same link, met again: what was right then is not right now.
    let (_, again) = met(&mut alice);
    wrong(alice.tried(again, &attempt).ok().unwrap());
    assert!(matches!(alice.tried(showing, &attempt), Ok(Tried::Right(_))));
}

#[test]
fn what_is_no_code_leaves_the_device_in_no_form() {
    let mut alice = alice();
    let (asking, _) = met(&mut alice);
    for typed in ["", "12345", "1234567", "abcdef"] {
        assert!(asking.typed(typed, &mut alice.chance).ok().unwrap().is_none());
    }
}

#[test]
fn the_new_device_signs_no_list_but_the_next_one_with_itself() {
    let mut alice = alice();
    let (matched, _) = offered(&mut alice);
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
        let offer = Matched { body, signature, ..matched.clone() };
        assert!(offer.judged(&alice.chain).is_err());
    }
    // The right list, which the device that the code covered did not sign.
    let body = newest.successor(vec![phone, own]).to_vec();
    let signature = alice.recovery.sign(label::DEVICE_LIST, &body);
    assert!(Matched { body, signature, ..matched.clone() }.judged(&alice.chain).is_err());
    assert!(matched.judged(&alice.chain).is_ok());
}

#[test]
fn nothing_is_signed_over_a_list_that_was_not_in_the_exchange() {
    let mut alice = alice();
    let mut later = alice.chain.clone();
    let same = later.newest().successor(later.newest().devices().to_vec());
    later.extend(&same.sign(&[Signer::Device(&alice.phone)])).unwrap();
    let (asking, showing) = met(&mut alice);
    let (_, attempt) = alice.types(&asking, CODE);
    let ended = showing.tried(&attempt, &later, &alice.phone, &mut alice.chance);
    assert_eq!(ended.err(), Some(Broken::ListChanged));
    let (matched, _) = offered(&mut alice);
    assert_eq!(matched.judged(&later).err(), Some(Broken::ListChanged));
}

#[test]
fn another_signature_than_the_new_devices_makes_no_list() {
    let mut alice = alice();
    let (_, offered) = offered(&mut alice);
    let body = list_of(&offered);
    let forged = SigningKey::from_seed([60; 32]).sign(label::DEVICE_LIST, &body);
    assert!(offered.signed(&Bare(forged).to_vec(), &alice.chain).is_err());
}

#[test]
fn slots_do_not_stand_for_each_other_and_a_reason_is_passed_on() {
    let mut alice = alice();
    let (asking, showing) = met(&mut alice);
    let (waiting, attempt) = alice.types(&asking, CODE);
    assert!(laptop().answered(&laptop().slot_0).is_err());
    assert!(alice.answer(&attempt).is_err());
    assert!(waiting.clone().heard(&attempt).is_err());
    let slot = showing.slot();
    assert!(alice.tried(showing, &slot).is_err());
    let ended = waiting.heard(&Answer::End(Outcome::Disputed).to_vec());
    assert_eq!(ended.err(), Some(Broken::Told(Outcome::Disputed)));
}

#[test]
fn a_device_is_linked_once_and_the_seventeenth_never() {
    let mut alice = alice();
    let (_, offered) = offered(&mut alice);
    let shown = laptop();
    let signer = keys(20).device_key();
    let body = list_of(&offered);
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
    let seventeenth = Shown::begin(keys(200), "Tablet");
    assert_eq!(alice.answer(&seventeenth.slot_0).err(), Some(Broken::TooManyDevices));
}
