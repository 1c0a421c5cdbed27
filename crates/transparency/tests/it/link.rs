// SPDX-License-Identifier: AGPL-3.0-or-later
//! What two devices agree on when one is linked.

use nodoor_transparency::{
    link::{Code, LinkSecret, box_data},
    meeting::{Answer, Attempt, Outcome},
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
fn what_an_answer_does_not_need_is_not_in_it() {
    let answers = [
        Answer::Try([7; 33]),
        Answer::Offer { proof: [1; 32], body: vec![2], signature: [3; 64] },
        Answer::End(Outcome::Done),
    ];
    for answer in answers {
        let bytes = answer.to_vec();
        assert_eq!(Answer::from_slice(&bytes).unwrap(), answer);
        for place in 0..bytes.len() {
            let mut other = bytes.clone();
            other[place] ^= 1;
            assert!(Answer::from_slice(&other) != Ok(answer.clone()), "{place}");
        }
        assert!(Answer::from_slice(&bytes[..bytes.len() - 1]).is_err());
    }
    let attempt = Attempt { message: [1; 33], proof: [2; 32] };
    assert_eq!(Attempt::from_slice(&attempt.to_vec()), Ok(attempt));
    assert!(Answer::from_slice(&attempt.to_vec()).is_err());
    assert!(Attempt::from_slice(&Answer::Try([1; 33]).to_vec()).is_err());
}

#[test]
fn a_code_has_six_digits() {
    let code = Code::of(42);
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
    fn codes_are_below_a_million(number: u32) {
        prop_assert_eq!(Code::of(number).to_string().len(), 6);
    }
}
