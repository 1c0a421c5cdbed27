// SPDX-License-Identifier: AGPL-3.0-or-later
//! Whose signatures make a checkpoint count.

use nodoor_transparency::ledger::{
    checkpoint::SignedCheckpoint,
    note::NoteSigner,
    policy::{Policy, PolicyError, Unsatisfied},
};
use proptest::prelude::*;

use crate::ledger_world::{Log, NOW, ORIGIN, audrey, log_key, policy, policy_text, walter, wanda};

fn now_ms() -> u64 {
    NOW * 1000
}

fn with(checkpoint: &SignedCheckpoint, cosigner: &NoteSigner, at: u64) -> SignedCheckpoint {
    let line = checkpoint.cosignature(cosigner, at);
    checkpoint.clone().with(line).unwrap()
}

#[test]
fn the_example_of_the_specification_reads() {
    // tlog-policy, "Example policy", with keys put in.
    let key =
        |n: u8, name: &str| NoteSigner::cosigner(name, [n; 32]).unwrap().verifier().to_string();
    let mut text = format!("log {}\n\n", log_key().verifier());
    for (n, name) in (1..).zip(["X1", "X2", "X3", "Y1", "Y2", "Y3"]) {
        text += &format!("witness {name} {}\n", key(n, name));
    }
    text += "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n";
    text += "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let signed = Log::of(3).signed();
    let cosigned = |names: &[(u8, &str)]| {
        names.iter().fold(signed.clone(), |signed, (n, name)| {
            with(&signed, &NoteSigner::cosigner(name, [*n; 32]).unwrap(), NOW)
        })
    };
    for enough in [
        &[(1, "X1"), (3, "X3"), (4, "Y1")][..],
        &[(1, "X1"), (2, "X2"), (3, "X3"), (5, "Y2"), (6, "Y3")],
    ] {
        let satisfied = policy.satisfied(&cosigned(enough), now_ms()).unwrap();
        assert!(!satisfied.unwitnessed);
        assert_eq!(satisfied.witnesses.len(), enough.len());
    }
    for few in [&[(1, "X1"), (4, "Y1"), (5, "Y2")][..], &[(1, "X1"), (2, "X2"), (3, "X3")], &[]] {
        assert_eq!(policy.satisfied(&cosigned(few), now_ms()), Err(Unsatisfied::Quorum));
    }
    assert_eq!(Policy::parse(policy.to_string().as_bytes()).unwrap(), policy);
}

#[test]
fn a_policy_without_a_quorum_is_unwitnessed_whoever_signed() {
    let policy = Policy::unwitnessed(log_key().verifier()).unwrap();
    let satisfied = policy.satisfied(&Log::of(3).cosigned(), now_ms()).unwrap();
    assert!(satisfied.unwitnessed && satisfied.witnesses.is_empty());
    assert!(!policy.has_quorum());
}

#[test]
fn a_checkpoint_of_another_log_or_key_does_not_count() {
    let head = Log::of(3).head();
    let other = NoteSigner::log("nodoor/other", [0x11; 32]).unwrap();
    let other = SignedCheckpoint::sign(&other, head).unwrap();
    assert_eq!(policy().satisfied(&other, now_ms()), Err(Unsatisfied::OtherLog));
    // Mallory has a key of that name: another id, so an unknown line.
    let mallory = NoteSigner::log(ORIGIN, [0x66; 32]).unwrap();
    let forged = SignedCheckpoint::sign(&mallory, head).unwrap();
    let forged = with(&with(&forged, &wanda(), NOW), &audrey(), NOW);
    assert_eq!(policy().satisfied(&forged, now_ms()), Err(Unsatisfied::LogUnsigned));
}

#[test]
fn a_line_under_a_known_name_that_does_not_verify_spoils_the_note() {
    let (small, large) = (Log::of(3).signed(), Log::of(4).signed());
    let moved = large.with(small.cosignature(&wanda(), NOW)).unwrap();
    assert_eq!(policy().satisfied(&moved, now_ms()), Err(Unsatisfied::BadSignature));
}

#[test]
fn a_cosignature_from_the_future_does_not_count() {
    let signed = with(&Log::of(3).signed(), &audrey(), NOW);
    let soon = with(&signed, &walter(), NOW + 60);
    assert_eq!(policy().satisfied(&soon, now_ms()).unwrap().witnesses, ["walter", "audrey"]);
    let later = with(&signed, &walter(), NOW + 61);
    assert_eq!(policy().satisfied(&later, now_ms()), Err(Unsatisfied::Quorum));
}

#[test]
fn a_quorum_never_follows_by_none() {
    let unwitnessed = Policy::unwitnessed(log_key().verifier()).unwrap();
    assert!(policy().may_follow(&unwitnessed));
    assert!(policy().may_follow(&policy()));
    assert!(!unwitnessed.may_follow(&policy()));
    assert!(unwitnessed.may_follow(&unwitnessed));
}

#[test]
fn a_policy_keeps_half_of_a_quorum_of_the_one_before() {
    let key =
        |n: u8| NoteSigner::cosigner(&format!("w{n}"), [n; 32]).unwrap().verifier().to_string();
    // "2 of 1 2 3", with names of its own and Olga's witnesses 7 to 9.
    let of = |count: usize, members: &[u8]| {
        let mut text = format!("log {}\n", log_key().verifier());
        for n in members {
            text += &format!("witness x{n} {}\n", key(*n));
        }
        let names: Vec<String> = members.iter().map(|n| format!("x{n}")).collect();
        text += &format!("group g {count} {}\nquorum g\n", names.join(" "));
        Policy::parse(text.as_bytes()).unwrap()
    };
    let before = of(3, &[1, 2, 3, 4, 5]);
    for after in [
        of(3, &[1, 2, 3, 4, 5]),
        of(3, &[1, 2, 3, 4, 7]),
        of(2, &[1, 2, 3, 4, 5]),
        of(5, &[1, 2, 7, 8, 9]),
        of(4, &[1, 2, 3, 7, 8]),
    ] {
        assert!(after.may_follow(&before), "{after}");
    }
    for after in [
        of(1, &[7]),
        of(1, &[1]),
        of(1, &[1, 2, 3, 4, 5]),
        of(3, &[1, 2, 3, 7, 8]),
        of(2, &[1, 2, 3, 4, 7]),
        of(4, &[1, 2, 7, 8, 9]),
    ] {
        assert!(!after.may_follow(&before), "{after}");
    }
    assert!(of(2, &[1, 2, 7]).may_follow(&of(2, &[1, 2, 3])));
    assert!(!of(1, &[1, 7]).may_follow(&of(1, &[1])));
    assert!(of(1, &[7]).may_follow(&Policy::unwitnessed(log_key().verifier()).unwrap()));
    // Whoever swaps the log's key is not held to what it signed.
    let swapped = of(3, &[1, 2, 3, 4, 5]).to_string();
    let other = NoteSigner::log(ORIGIN, [0x66; 32]).unwrap();
    let ours = log_key().verifier().to_string();
    let swapped = swapped.replace(&ours, &other.verifier().to_string());
    assert!(!Policy::parse(swapped.as_bytes()).unwrap().may_follow(&before));
    // Whom the one before named and did not ask are as new as anybody.
    let text = |quorum| {
        let named: String = [1, 2].iter().map(|n| format!("witness x{n} {}\n", key(*n))).collect();
        let text = format!("log {}\n{named}quorum {quorum}\n", log_key().verifier());
        Policy::parse(text.as_bytes()).unwrap()
    };
    assert!(!text("x2").may_follow(&text("x1")));
    // In a group of groups each asks for its own.
    let nested = |threshold| {
        let mut text = format!("log {}\n", log_key().verifier());
        for n in 1..=5 {
            text += &format!("witness x{n} {}\n", key(n));
        }
        text += &format!("group w 2 x1 x2 x3\ngroup a any x4 x5\ngroup all {threshold} w a\n");
        Policy::parse((text + "quorum all\n").as_bytes()).unwrap()
    };
    assert!(of(2, &[1, 2]).may_follow(&nested("all")));
    assert!(!of(1, &[4]).may_follow(&nested("all")));
    assert!(!of(2, &[7, 8]).may_follow(&nested("any")));
    assert!(nested("any").may_follow(&nested("any")));
}

#[test]
fn what_is_not_a_policy_is_not_read() {
    use PolicyError::{Line, NoQuorum, Text, Twice, Unknown};
    let (log, wanda, walter) = (log_key(), wanda(), walter());
    let (log, one, two) = (log.verifier(), wanda.verifier(), walter.verifier());
    for (text, error) in [
        (String::new(), NoQuorum),
        (format!("log {log}\n"), NoQuorum),
        ("quorum none".to_owned(), Text),
        ("quorum none\r\n".to_owned(), Text),
        ("quorum none\nquorum none\n".to_owned(), Twice(2)),
        ("quorum nobody\n".to_owned(), Unknown(1)),
        ("quorum none none\n".to_owned(), Line(1)),
        (format!("log {log}\nlog {log}\nquorum none\n"), Twice(2)),
        (format!("log {one}\nquorum none\n"), Line(1)),
        (format!("witness a {log}\nquorum a\n"), Line(1)),
        (format!("witness a {one}\nwitness b {one}\nquorum a\n"), Twice(2)),
        (format!("witness a {one}\nwitness a {two}\nquorum a\n"), Twice(2)),
        (format!("witness none {one}\nquorum none\n"), Twice(1)),
        (format!("witness a {one}\ngroup g any none\nquorum g\n"), Unknown(2)),
        (format!("group g any a\nwitness a {one}\nquorum g\n"), Unknown(1)),
        (format!("witness a {one}\ngroup g 2 a\nquorum g\n"), Line(2)),
        (format!("witness a {one}\ngroup g 0 a\nquorum g\n"), Line(2)),
        (format!("witness a {one}\ngroup g any\nquorum g\n"), Line(2)),
        (format!("witness a {one}\ngroup g 2 a a\nquorum g\n"), Twice(2)),
        (format!("witness a {one}\ngroup g any a\ngroup h any a\nquorum h\n"), Twice(3)),
        ("logs\nquorum none\n".to_owned(), Line(1)),
    ] {
        assert_eq!(Policy::parse(text.as_bytes()), Err(error), "{text}");
    }
}

#[test]
fn a_policy_prints_in_one_form() {
    let printed = policy().to_string();
    assert_eq!(Policy::parse(printed.as_bytes()).unwrap(), policy());
    assert!(!printed.contains('#') && !printed.contains('\t'));
    assert_ne!(printed, policy_text());
}

proptest! {
    #[test]
    fn random_text_never_panics(text in "(log|witness|group|quorum|none|any|all|2|a|b|\n| |\t){0,40}") {
        if let Ok(policy) = Policy::parse(text.as_bytes()) {
            prop_assert_eq!(Policy::parse(policy.to_string().as_bytes()), Ok(policy));
        }
    }
}
