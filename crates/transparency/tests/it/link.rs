// SPDX-License-Identifier: AGPL-3.0-or-later
//! What two devices agree on when one is linked.

use nodoor_transparency::{
    key::SigningKey,
    link::{Code, LinkSecret, Transcript, box_data, commitment},
};
use proptest::prelude::*;

#[test]
fn the_letters_are_those_of_rfc_4648() {
    let secret = LinkSecret::of(*b"foobarfoobarfoo");
    assert_eq!(secret.letters(), "MZXW-6YTB-OJTG-633C-MFZG-M33P");
    assert_eq!(format!("{secret:?}"), "LinkSecret(..)");
}

#[test]
fn a_person_may_type_them_as_they_like() {
    let secret = LinkSecret::of([0; 15].map(|_: u8| 0x3b));
    let letters = secret.letters();
    let plain = letters.replace('-', "");
    for typed in
        [letters.to_lowercase(), plain.clone(), format!("  {}\n", letters.replace('-', " - "))]
    {
        assert!(LinkSecret::parse(&typed).unwrap() == secret, "{typed}");
    }
    // O, I and B are read off a screen as 0, 1 and 8.
    let alike = LinkSecret::parse("OIBO-IBOI-BOIB-OIBO-IBOI-BOIB").unwrap();
    assert!(LinkSecret::parse("0180-1801-8018-0180-1801-8018").unwrap() == alike);
    for bad in
        [&plain[1..], &format!("{plain}A"), &plain.replace('3', "9"), "", &"\u{130}".repeat(24)]
    {
        assert!(LinkSecret::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_nonce_that_was_not_committed_to_is_noticed() {
    let one = commitment(&[1; 32], b"entry");
    assert_ne!(one, commitment(&[2; 32], b"entry"));
    assert_ne!(one, commitment(&[1; 32], b"other"));
}

#[test]
fn a_changed_slot_changes_the_code_and_the_transcript() {
    let device = SigningKey::from_seed([1; 32]);
    let seen = Transcript::of(b"zero", b"one", &[3; 32]);
    let signature = seen.sign(&device);
    assert!(seen.verify(&device.public(), &signature).is_ok());
    for other in [
        Transcript::of(b"zer0", b"one", &[3; 32]),
        Transcript::of(b"zero", b"on3", &[3; 32]),
        Transcript::of(b"zero", b"one", &[4; 32]),
    ] {
        assert!(other.code() != seen.code());
        assert!(other.verify(&device.public(), &signature).is_err());
    }
}

#[test]
fn a_code_has_six_digits() {
    let code = Transcript::of(b"zero", b"one", &[3; 32]).code();
    let text = code.to_string();
    assert_eq!(text.len(), 6);
    assert!(Code::parse(&format!("{} {}", &text[..3], &text[3..])) == Some(code));
    for bad in ["12345", "1234567", "12345a", "+12345", "\u{661}23456"] {
        assert!(Code::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn a_box_belongs_to_its_rendezvous_and_slot() {
    assert_eq!(box_data(&[7; 16], 2), [b"nodoor link v1".as_slice(), &[7; 16], &[2]].concat());
}

proptest! {
    #[test]
    fn letters_read_back(bytes: [u8; 15]) {
        let secret = LinkSecret::of(bytes);
        prop_assert!(LinkSecret::parse(&secret.letters()).unwrap() == secret);
    }

    #[test]
    fn codes_are_below_a_million(one: Vec<u8>, two: Vec<u8>, nonce: [u8; 32]) {
        prop_assert_eq!(Transcript::of(&one, &two, &nonce).code().to_string().len(), 6);
    }
}
