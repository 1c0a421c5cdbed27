// SPDX-License-Identifier: AGPL-3.0-or-later
//! Proof files, answers of the server, and what a witness decides.

use nodoor_transparency::ledger::{
    checkpoint::TreeHead,
    entry::Entry,
    note::NoteSigner,
    policy::Unsatisfied,
    proof::{Inclusion, InclusionError, ProofFile, verify_epoch},
    tree::{Growth, leaf_hash},
    witness::{AddCheckpoint, Decision, KnownLog, decide},
};
use proptest::prelude::*;

use crate::ledger_world::{Log, NOW, ORIGIN, heartbeat, log_key, policy, wanda};

fn log() -> Log {
    let mut log = Log::of(70);
    for minute in 0..5 {
        log.append_epoch(&heartbeat(minute));
    }
    log
}

#[test]
fn the_example_of_tlog_proof_reads_and_prints_as_it_came() {
    // tlog-proof's example, with the elided signatures and the broken `extra` line filled in.
    let line = "\u{2014} example.com/fancylog hI2DJ6roloI=\n";
    let text = format!(
        "c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6\nindex 73894\n\
         gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\nB95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\
         EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\nRoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n\
         AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\nexample.com/fancylog\n109482\n\
         sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n{line}"
    );
    let proof = ProofFile::parse(text.as_bytes()).unwrap();
    assert_eq!((proof.inclusion.index, proof.inclusion.hashes.len()), (73_894, 5));
    assert_eq!(proof.extra.as_deref(), Some(b"age-v1.2.1-darwin-arm64.tar.gz".as_slice()));
    assert_eq!(proof.to_string(), text);
}

#[test]
fn a_proof_file_verifies_offline() {
    let log = log();
    for index in 70..75 {
        let text = log.proof(index).to_string();
        let proof = ProofFile::parse(text.as_bytes()).unwrap();
        let logged = proof.verify(&policy(), NOW * 1000).unwrap();
        assert_eq!(logged.entry, Entry::Epoch(heartbeat(index - 70)));
        assert_eq!(logged.satisfaction.witnesses, ["wanda", "audrey"]);
    }
}

#[test]
fn an_answer_of_the_server_carries_the_same() {
    let log = log();
    let answer = log.inclusion(74).to_answer(&log.entries[74]);
    let logged = verify_epoch(&answer, &policy(), NOW * 1000).unwrap();
    assert_eq!(logged.entry, heartbeat(4));
    let mut other = answer.clone();
    other.entry = log.entries[73].clone().into();
    assert_eq!(verify_epoch(&other, &policy(), NOW * 1000), Err(InclusionError::NotIncluded));
    let mut other = answer.clone();
    other.index = 73;
    assert_eq!(verify_epoch(&other, &policy(), NOW * 1000), Err(InclusionError::NotIncluded));
    let mut other = answer.clone();
    other.inclusion[0] = vec![1; 31].into();
    assert_eq!(verify_epoch(&other, &policy(), NOW * 1000), Err(InclusionError::Form));
    let mut unsigned = answer;
    unsigned.checkpoint = log.signed().to_vec().into();
    let refused = InclusionError::Policy(Unsatisfied::Quorum);
    assert_eq!(verify_epoch(&unsigned, &policy(), NOW * 1000), Err(refused));
    // Something that is no entry is logged, and is still none.
    let other = log.inclusion(3).to_answer(&log.entries[3]);
    assert_eq!(verify_epoch(&other, &policy(), NOW * 1000), Err(InclusionError::Entry));
}

fn request(log: &Log, old_size: u64) -> AddCheckpoint {
    AddCheckpoint { old_size, consistency: log.consistency(old_size), checkpoint: log.signed() }
}

fn known(last: Option<TreeHead>) -> KnownLog {
    KnownLog { keys: vec![log_key().verifier().clone()], last }
}

#[test]
fn the_example_of_tlog_witness_reads_and_prints_as_it_came() {
    let text = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\nexample.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
    let request = AddCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!((request.old_size, request.consistency.len()), (20_852_014, 4));
    assert_eq!(request.to_string(), text);
    assert_eq!(AddCheckpoint::parse(text.replace("old ", "new ").as_bytes()), None);
    assert_eq!(AddCheckpoint::parse(text.replace("old 2", "old 02").as_bytes()), None);
}

#[test]
fn a_witness_follows_a_log_that_only_grows() {
    let (small, large) = (Log::of(5), Log::of(9));
    assert_eq!(decide(&request(&small, 0), Some(&known(None))), Decision::Cosign(small.head()));
    let known = known(Some(small.head()));
    assert_eq!(decide(&request(&large, 5), Some(&known)), Decision::Cosign(large.head()));
    // The same again is the same yes: an answer may have been lost.
    assert_eq!(decide(&request(&small, 5), Some(&known)), Decision::Cosign(small.head()));
}

#[test]
fn a_witness_never_cosigns_a_fork_or_a_step_back() {
    let (small, large) = (Log::of(5), Log::of(9));
    let mut forked = Log::of(4);
    (4..9_u64).for_each(|n| {
        forked.append(&(n + 1).to_be_bytes());
    });
    let at_five = known(Some(small.head()));
    // Another past under the same size of the old tree: its proof fits itself alone.
    let decision = decide(&request(&forked, 5), Some(&at_five));
    assert_eq!((decision, decision.status()), (Decision::Inconsistent, 422));
    let mut same_size = Log::of(4);
    same_size.append(b"other");
    let decision = decide(&request(&same_size, 5), Some(&at_five));
    assert_eq!((decision, decision.status()), (Decision::Conflict { size: 5, forked: true }, 409));
    // Back to five, after nine.
    let at_nine = known(Some(large.head()));
    let decision = decide(&request(&small, 5), Some(&at_nine));
    assert_eq!((decision, decision.status()), (Decision::Conflict { size: 9, forked: false }, 409));
    let mut back = request(&small, 5);
    back.old_size = 9;
    assert_eq!(decide(&back, Some(&at_nine)), Decision::Malformed);
}

#[test]
fn a_witness_cosigns_only_what_a_known_log_signed() {
    let log = Log::of(5);
    assert_eq!(decide(&request(&log, 0), None).status(), 404);
    let other = NoteSigner::log(ORIGIN, [0x66; 32]).unwrap();
    let stranger = KnownLog { keys: vec![other.verifier().clone()], last: None };
    assert_eq!(decide(&request(&log, 0), Some(&stranger)).status(), 403);
    let mut proof_from_nothing = request(&log, 0);
    proof_from_nothing.consistency.push([0; 32]);
    assert_eq!(decide(&proof_from_nothing, Some(&known(None))).status(), 422);
    assert_eq!(decide(&request(&log, 3), Some(&known(None))).status(), 409);
    // What comes back is a line that the log adds to its checkpoint.
    let cosigned = log.signed().with(log.signed().cosignature(&wanda(), NOW)).unwrap();
    let found = wanda().verifier().verify(cosigned.note()).unwrap().unwrap();
    assert_eq!(found.time_seconds, Some(NOW));
}

#[test]
fn what_is_not_a_proof_file_is_not_read() {
    let text = log().proof(72).to_string();
    for bad in [
        text.replace("proof@v1", "proof@v2"),
        text.replace("index 72", "index 072"),
        text.replace("index 72", "index"),
        text.replace("extra ", "extra  "),
        text.replace("extra ", "extra !"),
        text.replacen("\n\n", "\n", 1),
        text.replacen("index 72\n", "index 72\nAAAA\n", 1),
        text.replacen(
            "index 72\n",
            &format!("index 72\n{}", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".repeat(64)),
            1,
        ),
    ] {
        assert!(ProofFile::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_proof_file_proves_nothing_else(at: prop::sample::Index, bit in 0..8_u8) {
        let log = log();
        let mut bytes = log.proof(72).to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let read = ProofFile::parse(&bytes).and_then(|proof| proof.verify(&policy(), NOW * 1000));
        if let Ok(logged) = read {
            prop_assert_eq!((logged.entry, logged.index), (Entry::Epoch(heartbeat(2)), 72));
            prop_assert_eq!(logged.checkpoint.head(), log.head());
        }
    }

    #[test]
    fn any_growth_is_cosigned(small in 0..60_u64, more in 0..60_u64) {
        let mut log = Log::of(small);
        let last = (small > 0).then(|| log.head());
        (0..more).for_each(|n| { log.append(&[n as u8]); });
        prop_assume!(log.head().size > 0);
        let decision = decide(&request(&log, small), Some(&known(last)));
        prop_assert_eq!(decision, Decision::Cosign(log.head()));
    }

    #[test]
    fn an_inclusion_counts_for_its_leaf_alone(index in 0..75_u64, other in 0..75_u64) {
        let log = log();
        let inclusion: Inclusion = log.inclusion(index);
        let fits = inclusion.includes(&leaf_hash(&log.entries[other as usize])).is_ok();
        prop_assert_eq!(fits, index == other);
    }
}

#[test]
fn a_log_that_is_read_from_its_start_has_the_root_that_was_signed() {
    let log = log();
    let mut growth = Growth::new();
    log.leaves().into_iter().for_each(|leaf| growth.push(leaf));
    assert_eq!(growth.root(), log.head().root);
}
