// SPDX-License-Identifier: AGPL-3.0-or-later
//! Evidence: what proves something, and what an accuser cannot make of it.

use nodoor_transparency::{
    chain::Chain,
    directory::account_label,
    key::SigningKey,
    ledger::{
        checkpoint::{SignedCheckpoint, deployment_of},
        entry::{Entry, KtEpoch},
        evidence::{Evidence, NotEvidence, Verdict},
        note::NoteSigner,
    },
    release::Builders,
    statement::Disowned,
};
use nodoor_wire::{id::DeploymentId, proto};
use proptest::prelude::*;

use crate::{
    actors::{Alice, Keys},
    directory_world::Olga,
    entry::{builders, release, signed},
    ledger_world::{Log, NOW, ORIGIN, heartbeat, log_key},
};

fn log() -> nodoor_transparency::ledger::note::VerifierKey {
    log_key().verifier().clone()
}

/// Reads what is printed, and checks that.
fn verdict(evidence: &Evidence) -> Verdict {
    let text = evidence.to_string();
    let read = Evidence::parse(text.as_bytes()).unwrap();
    assert_eq!(&read, evidence);
    assert_eq!(read.to_string(), text);
    read.check()
}

fn proven(evidence: &Evidence) -> bool {
    matches!(verdict(evidence), Verdict::Proven(_))
}

/// A log that forgot its fifth entry.
fn forked(size: u64) -> Log {
    let mut log = Log::of(4);
    (5..=size).for_each(|n| {
        log.append(&n.to_be_bytes());
    });
    log
}

fn equivocation(one: &Log, other: &Log) -> Evidence {
    let (from, to) = (one.head().size, other.head().size);
    let subtrees = if from == to { Vec::new() } else { other.prefix(from) };
    Evidence::Equivocation { log: log(), checkpoints: [one.signed(), other.signed()], subtrees }
}

#[test]
fn two_trees_of_one_size_prove_equivocation() {
    assert!(proven(&equivocation(&Log::of(9), &forked(9))));
    assert!(!proven(&equivocation(&Log::of(9), &Log::of(9))));
}

#[test]
fn a_larger_tree_that_does_not_begin_with_the_smaller_proves_equivocation() {
    for size in 5..9 {
        for larger in size + 1..40 {
            assert!(proven(&equivocation(&Log::of(size), &forked(larger))), "{size} {larger}");
            assert!(!proven(&equivocation(&Log::of(size), &Log::of(larger))), "{size} {larger}");
        }
    }
}

#[test]
fn an_accuser_proves_nothing_with_hashes_that_nobody_signed() {
    // Mallory calls the log a liar with a consistency proof of his own making.
    let (one, other) = (Log::of(5), Log::of(9));
    let mut subtrees = other.prefix(5);
    for hash in 0..subtrees.len() {
        subtrees[hash][0] ^= 1;
        let checkpoints = [one.signed(), other.signed()];
        let evidence =
            Evidence::Equivocation { log: log(), checkpoints, subtrees: subtrees.clone() };
        assert!(!proven(&evidence));
    }
    // Or with checkpoints that he signed.
    let mallory = NoteSigner::log(ORIGIN, [0x66; 32]).unwrap();
    let forge = |log: &Log| SignedCheckpoint::sign(&mallory, log.head()).unwrap();
    let checkpoints = [forge(&Log::of(9)), forge(&forked(9))];
    assert!(!proven(&Evidence::Equivocation { log: log(), checkpoints, subtrees: vec![] }));
}

/// A directory of three epochs in a log that has its root at the places given back.
fn directory() -> (Olga, Log, Alice, Chain) {
    let (mut olga, mut log, alice) = (Olga::new(), Log::of(20), Alice::new());
    let chain = alice.with_laptop();
    let label = account_label(&deployment(), &chain.account());
    for version in 1..=2 {
        let hash = chain.version(version).unwrap().hash();
        let mut changes: Vec<_> = (0..9).map(|n| (vec![n], [version as u8; 32])).collect();
        changes.push((label.clone(), hash));
        olga.publish(&changes);
        log.append_epoch(olga.newest());
    }
    (olga, log, alice, chain)
}

fn deployment() -> DeploymentId {
    deployment_of(ORIGIN).unwrap()
}

#[test]
fn an_epoch_that_drops_something_proves_a_bad_append() {
    let (olga, log, ..) = directory();
    let (first, second) = (&olga.epochs[0], &olga.epochs[1]);
    let evidence = |log: &Log, at: [u64; 2], blob: &[u8]| Evidence::BadAppend {
        log: self::log(),
        epochs: at.map(|index| log.proof(index)),
        blob: blob.to_vec(),
    };
    // What really happened proves nothing, nor does a blob that the entry does not name.
    assert!(!proven(&evidence(&log, [20, 21], &olga.blobs[1])));
    assert!(!proven(&evidence(&log, [20, 21], &olga.blobs[0])));
    assert!(!proven(&evidence(&log, [21, 20], &olga.blobs[0])));

    // Olga rewrote the tree and logged the root of the new one.
    let mut rewritten = Log::of(20);
    rewritten.append_epoch(first);
    rewritten.append_epoch(&KtEpoch { root: [0xbd; 32], ..second.clone() });
    assert!(proven(&evidence(&rewritten, [20, 21], &olga.blobs[1])));
    let mut broken = Log::of(20);
    broken.append_epoch(first);
    broken.append_epoch(&KtEpoch { previous_root: [0xbd; 32], ..second.clone() });
    assert!(proven(&evidence(&broken, [20, 21], &olga.blobs[1])));
    // An entry that is not there.
    let mut elsewhere = evidence(&rewritten, [20, 21], &olga.blobs[1]);
    let Evidence::BadAppend { epochs, .. } = &mut elsewhere else { unreachable!() };
    epochs[1].inclusion.index = 20;
    assert!(!proven(&elsewhere));
}

#[test]
fn two_roots_of_one_epoch_prove_epoch_reuse() {
    let (olga, mut log, ..) = directory();
    let other = KtEpoch { root: [0xbd; 32], ..olga.epochs[1].clone() };
    let at = log.append_epoch(&other);
    let evidence = |one: u64, other: u64| Evidence::EpochReuse {
        log: self::log(),
        epochs: [log.proof(one), log.proof(other)],
    };
    assert!(proven(&evidence(21, at)));
    assert!(!proven(&evidence(21, 21)));
    assert!(!proven(&evidence(20, 21)));
    assert!(!proven(&evidence(3, 21)));
}

fn ghost(list: &proto::SignedList, lists: &[proto::SignedList]) -> Evidence {
    let (mut olga, mut log, _, chain) = directory();
    let label = account_label(&deployment(), &chain.account());
    let hash = <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(&list.body));
    olga.publish(&[(label.clone(), hash)]);
    let at = log.append_epoch(olga.newest());
    Evidence::GhostDevice {
        log: self::log(),
        epoch: Box::new(log.proof(at)),
        vrf_key: olga.vrf_key.clone(),
        lookup: olga.lookup(&label),
        lists: lists.to_vec(),
        ghost: list.clone(),
    }
}

#[test]
fn a_published_list_that_no_device_signed_asks_for_an_answer() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    let mallory = Keys::of(0x66);
    let mut devices: Vec<_> = chain.newest().devices().to_vec();
    devices.push(mallory.public());
    let next = chain.newest().successor(devices);
    let forged = next.sign(&[mallory.signer()]);
    assert!(matches!(verdict(&ghost(&forged, &chain.to_proto())), Verdict::Unanswered(_)));
    // The phone did sign: whoever shows that has refuted it.
    let honest = next.sign(&[alice.phone.signer(), mallory.signer()]);
    assert!(matches!(verdict(&ghost(&honest, &chain.to_proto())), Verdict::NotProven(_)));
    // A list that is in the chain already.
    let newest = chain.to_proto().last().cloned().unwrap();
    assert!(matches!(verdict(&ghost(&newest, &chain.to_proto())), Verdict::NotProven(_)));
}

#[test]
fn a_published_value_that_is_no_list_is_proof() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    let nothing = proto::SignedList { body: b"nothing".to_vec().into(), signatures: vec![] };
    assert!(proven(&ghost(&nothing, &chain.to_proto())));
    let bob = Keys::of(0x21);
    let other = nodoor_transparency::list::DeviceList::first([9; 32], bob.public());
    assert!(proven(&ghost(&other.sign(&[bob.signer()]), &chain.to_proto())));
}

/// What Alice's device says of the newest value that is published for her.
fn hidden(value: [u8; 32], of: &Chain, signer: &Keys, lists: &[proto::SignedList]) -> Evidence {
    let (mut olga, mut log, _, chain) = directory();
    let label = account_label(&deployment(), &chain.account());
    olga.publish(&[(label.clone(), [0xbd; 32])]);
    let at = log.append_epoch(olga.newest());
    let disowned = Disowned { account: of.account(), value }.sign(&signer.device);
    Evidence::HiddenList {
        log: self::log(),
        epoch: Box::new(log.proof(at)),
        vrf_key: olga.vrf_key.clone(),
        history: olga.history(&label, 2),
        lists: lists.to_vec(),
        disowned,
    }
}

#[test]
fn a_published_list_that_nobody_is_shown_stands_on_the_word_of_a_device() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    let lists = chain.to_proto();
    let said = hidden([0xbd; 32], &chain, &alice.laptop, &lists);
    assert!(matches!(verdict(&said), Verdict::Unanswered(_)));
    let newest = chain.newest().hash();
    for (why, lie) in [
        ("nobody published that", hidden([0xbe; 32], &chain, &alice.phone, &lists)),
        ("it is a list of hers", hidden(newest, &chain, &alice.phone, &lists)),
        ("somebody else says so", hidden([0xbd; 32], &chain, &Keys::of(0x66), &lists)),
        ("not yet a device there", hidden([0xbd; 32], &chain, &alice.laptop, &lists[..1])),
        ("no lists", hidden([0xbd; 32], &chain, &alice.phone, &[])),
    ] {
        assert!(matches!(verdict(&lie), Verdict::NotProven(_)), "{why}");
    }
}

fn unlogged(release: &Entry, log: &Log, builders: Builders, epoch: &KtEpoch) -> Evidence {
    Evidence::UnloggedCode {
        log: self::log(),
        builders,
        release: release.encode().unwrap(),
        checkpoint: log.signed(),
        leaves: log.leaves(),
        epoch: Entry::Epoch(epoch.clone()).encode().unwrap(),
    }
}

#[test]
fn a_signed_build_that_the_log_lacks_at_its_time_proves_unlogged_code() {
    let entry = Entry::Release(signed());
    let later = heartbeat(0);
    assert_eq!(later.time_ms, NOW * 1000);
    let mut log = Log::of(9);
    log.append_epoch(&later);
    assert!(proven(&unlogged(&entry, &log, builders(), &later)));
    // By nobody's keys, by one builder, too early, with a hash left out, or when it is there after all.
    assert!(!proven(&unlogged(&entry, &log, Builders::default(), &later)));
    let one = nodoor_transparency::release::sign(release(), &SigningKey::from_seed([0x71; 32]));
    assert!(!proven(&unlogged(&Entry::Release(one), &log, builders(), &later)));
    let before = KtEpoch { time_ms: later.time_ms - 1, ..later.clone() };
    let mut early = Log::of(9);
    early.append_epoch(&before);
    assert!(!proven(&unlogged(&entry, &early, builders(), &before)));
    assert!(!proven(&unlogged(&entry, &log, builders(), &before)));
    let mut cut = unlogged(&entry, &log, builders(), &later);
    let Evidence::UnloggedCode { leaves, .. } = &mut cut else { unreachable!() };
    leaves.remove(0);
    assert!(!proven(&cut));
    log.append(&entry.encode().unwrap());
    assert!(!proven(&unlogged(&entry, &log, builders(), &later)));
}

#[test]
fn two_lists_of_one_version_prove_a_fork() {
    let alice = Alice::new();
    let chain = alice.with_laptop();
    let three = |device: &Keys, signer: &Keys| {
        let next = chain.newest().successor(vec![alice.phone.public(), device.public()]);
        next.sign(&[signer.signer(), device.signer()])
    };
    let (one, other) = (three(&alice.tablet, &alice.phone), three(&Keys::of(0x55), &alice.laptop));
    let fork = |one: &proto::SignedList, other: &proto::SignedList| Evidence::Fork {
        lists: chain.to_proto(),
        forks: [one.clone(), other.clone()],
    };
    assert!(proven(&fork(&one, &other)));
    let mut held = chain.clone();
    held.extend(&one).unwrap();
    assert_eq!(Evidence::of_fork(&held, 3, &other), Some(fork(&one, &other)));
    assert_eq!(Evidence::of_fork(&held, 4, &other), None);
    assert!(!proven(&fork(&one, &one)));
    let forged = three(&Keys::of(0x55), &Keys::of(0x66));
    assert!(!proven(&fork(&one, &forged)));
    let none = Evidence::Fork { lists: vec![], forks: [one, other] };
    assert!(!proven(&none));
}

#[test]
fn what_is_not_evidence_is_not_read() {
    let text = equivocation(&Log::of(5), &forked(9)).to_string();
    assert!(Evidence::parse(text.as_bytes()).is_ok());
    for bad in [
        String::new(),
        text.replace("evidence v1", "evidence v2"),
        text.replace("kind: equivocation", "kind: rumour"),
        text.replace("kind: equivocation", "kind: fork"),
        text.replace("-- subtrees", "-- other"),
        text.replacen("-- checkpoint", "-- proof", 1),
        text.replace("log: ", "log:"),
        format!("{text}\n"),
        format!("{text}\n-- more\nAAAA\n"),
        text.trim_end().to_owned(),
        format!("{text}AAAA\n"),
    ] {
        assert_eq!(Evidence::parse(bad.as_bytes()), Err(NotEvidence), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_honest_log_is_never_proved_a_liar(at: prop::sample::Index, bit in 0..8_u8) {
        // Whatever bit of true evidence is changed: it proves nothing, or what it proved.
        let honest = equivocation(&Log::of(5), &Log::of(9)).to_string().into_bytes();
        let at = at.index(honest.len());
        let mut changed = honest;
        changed[at] ^= 1 << bit;
        if let Ok(evidence) = Evidence::parse(&changed) {
            prop_assert!(!matches!(evidence.check(), Verdict::Proven(_)));
        }
    }

    #[test]
    fn random_text_is_no_evidence(text in "(nodoor evidence v1\n|kind: fork\n|\n|-- list\n|-- fork\n|AAAA\n|.){0,30}") {
        if let Ok(evidence) = Evidence::parse(text.as_bytes()) {
            prop_assert_eq!(evidence.to_string(), text);
            prop_assert!(!matches!(evidence.check(), Verdict::Proven(_)));
        }
    }
}
