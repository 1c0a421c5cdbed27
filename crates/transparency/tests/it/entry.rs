// SPDX-License-Identifier: AGPL-3.0-or-later
//! Entries of the ledger, and releases among them.

use nodoor_transparency::{
    key::SigningKey,
    ledger::{
        entry::{
            Artifact, Disclosure, ENTRY_BYTES, Entry, EntryError, EpochError, Governance,
            GovernanceKind, KtEpoch, Release, ReleaseKind,
        },
        policy::Satisfaction,
    },
    release::{
        Builders, COOL_DOWN_MS, Installed, ReleaseError, check, cooled_down, may_be_logged, sign,
    },
};
use proptest::prelude::*;

use crate::ledger_world::heartbeat;

pub(crate) fn bob() -> SigningKey {
    SigningKey::from_seed([0x71; 32])
}

pub(crate) fn olga() -> SigningKey {
    SigningKey::from_seed([0x72; 32])
}

pub(crate) fn builders() -> Builders {
    let line =
        |name: &str, key: &SigningKey| format!("builder {name} {}\n", hex::encode(key.public()));
    Builders::parse(&format!("# ours\n\n{}{}", line("bob", &bob()), line("olga", &olga()))).unwrap()
}

pub(crate) fn release() -> Release {
    let artifact =
        |name: &str, byte| Artifact { name: name.to_owned(), size_bytes: 9, hash: [byte; 32] };
    Release {
        kind: ReleaseKind::Terminal,
        version: "0.2.0".to_owned(),
        sequence: 7,
        source_commit: vec![0xcc; 20],
        toolchain: [0xdd; 32],
        artifacts: vec![artifact("nodoor-linux", 1), artifact("nodoor-macos", 2)],
        manifest: None,
        not_before_ms: 1_795_000_000_000,
        emergency: false,
        signatures: vec![],
    }
}

pub(crate) fn signed() -> Release {
    sign(sign(release(), &bob()), &olga())
}

pub(crate) fn epoch() -> KtEpoch {
    KtEpoch {
        epoch: 8,
        root: [1; 32],
        previous_root: [5; 32],
        labels: 3,
        audit_blob: Some([4; 32]),
        ..heartbeat(1)
    }
}

pub(crate) fn all() -> [(&'static str, Entry); 5] {
    let document = Governance::with_document(GovernanceKind::Note, b"words".to_vec(), 5);
    [
        ("epoch", Entry::Epoch(epoch())),
        ("heartbeat", Entry::Epoch(heartbeat(0))),
        ("release", Entry::Release(signed())),
        ("disclosure", Entry::Disclosure(Disclosure { hour: 498_000, commitment: [3; 32] })),
        ("governance", Entry::Governance(document)),
    ]
}

#[test]
fn entries_read_as_they_were_written() {
    for (name, entry) in all() {
        let bytes = entry.encode().unwrap();
        assert_eq!(Entry::decode(&bytes).as_ref(), Ok(&entry), "{name}");
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Entry::decode(&longer), Err(EntryError::Encoding), "{name}");
        assert!(Entry::decode(&bytes[..bytes.len() - 1]).is_err(), "{name}");
    }
}

#[test]
fn an_entry_has_no_second_encoding() {
    let bytes = all()[3].1.encode().unwrap();
    // Type 3 as two bytes, and the array without its length.
    let mut wide = bytes.clone();
    wide.splice(1..2, [0x18, 3]);
    assert_eq!(Entry::decode(&wide), Err(EntryError::Encoding));
    let mut open = bytes.clone();
    open[0] = 0x9f;
    open.push(0xff);
    assert_eq!(Entry::decode(&open), Err(EntryError::Encoding));
    // Form 2, type 5.
    let mut form = bytes.clone();
    form[2] = 2;
    assert_eq!(Entry::decode(&form), Err(EntryError::Encoding));
    let mut kind = bytes;
    kind[1] = 5;
    assert_eq!(Entry::decode(&kind), Err(EntryError::Encoding));
}

#[test]
fn fields_that_do_not_fit_are_not_written() {
    let bad_epochs = [
        KtEpoch { labels: 0, ..epoch() },
        KtEpoch { epoch: 0, ..epoch() },
        KtEpoch { labels: 1, ..heartbeat(0) },
        KtEpoch { root: [7; 32], ..heartbeat(0) },
    ];
    let mut unsorted = release();
    unsorted.artifacts.reverse();
    let mut twice = signed();
    twice.signatures[1] = twice.signatures[0].clone();
    let mut unnamed = release();
    unnamed.artifacts[0].name = "a\nb".to_owned();
    let bad_releases = [
        unsorted,
        twice,
        unnamed,
        Release { version: String::new(), ..release() },
        Release { source_commit: vec![1; 21], ..release() },
        Release { artifacts: vec![], ..release() },
    ];
    let mut other = Governance::with_document(GovernanceKind::Policy, b"words".to_vec(), 5);
    other.document_hash = [0; 32];
    let bad = bad_epochs
        .map(Entry::Epoch)
        .into_iter()
        .chain(bad_releases.map(Entry::Release))
        .chain([Entry::Governance(other)]);
    for entry in bad {
        assert_eq!(entry.encode(), Err(EntryError::Form), "{entry:?}");
    }
    let long = Governance::with_document(GovernanceKind::Note, vec![1; ENTRY_BYTES], 5);
    assert_eq!(Entry::Governance(long).encode(), Err(EntryError::Encoding));
}

#[test]
fn epochs_follow_each_other_without_a_gap() {
    let before = epoch();
    let next = KtEpoch { epoch: 9, previous_root: [1; 32], root: [2; 32], ..epoch() };
    let beat = KtEpoch { epoch: 8, previous_root: [1; 32], root: [1; 32], ..heartbeat(2) };
    assert_eq!(next.may_follow(&before), Ok(()));
    assert_eq!(beat.may_follow(&before), Ok(()));
    for (bad, error) in [
        (KtEpoch { epoch: 8, ..next.clone() }, EpochError::Number),
        (KtEpoch { epoch: 10, ..next.clone() }, EpochError::Number),
        (KtEpoch { previous_root: [2; 32], ..next.clone() }, EpochError::Root),
        (KtEpoch { time_ms: before.time_ms - 1, ..next.clone() }, EpochError::Time),
        (KtEpoch { vrf_key: [0; 32], ..next.clone() }, EpochError::VrfKey),
        (KtEpoch { epoch: 9, ..beat }, EpochError::Number),
    ] {
        assert_eq!(bad.may_follow(&before), Err(error));
    }
}

#[test]
fn a_directory_begins_empty() {
    let empty = nodoor_transparency::directory::empty_root();
    let beat = KtEpoch { root: empty, previous_root: empty, ..heartbeat(0) };
    assert_eq!(beat.may_be_first(), Ok(()));
    let first = KtEpoch { epoch: 1, previous_root: empty, ..epoch() };
    assert_eq!(first.may_be_first(), Ok(()));
    // Labels that were never logged as added.
    assert_eq!(heartbeat(0).may_be_first(), Err(EpochError::Root));
    assert_eq!(KtEpoch { epoch: 1, ..epoch() }.may_be_first(), Err(EpochError::Root));
    assert_eq!(KtEpoch { epoch: 2, ..first }.may_be_first(), Err(EpochError::Number));
    assert_eq!(KtEpoch { epoch: 1, ..beat }.may_be_first(), Err(EpochError::Number));
}

#[test]
fn a_build_that_one_builder_signed_twice_is_not_installed() {
    let terminal = Installed { kind: ReleaseKind::Terminal, sequence: 6 };
    let now = 1_795_000_000_000;
    let mallory = SigningKey::from_seed([0x66; 32]);
    for few in [
        release(),
        sign(release(), &bob()),
        sign(sign(release(), &bob()), &bob()),
        sign(sign(release(), &bob()), &mallory),
    ] {
        let refused = check(&few, &builders(), terminal, &[1; 32], now);
        assert_eq!(refused, Err(ReleaseError::Unsigned));
    }
    let mut forged = signed();
    forged.signatures[0].signature[5] ^= 1;
    let refused = check(&forged, &builders(), terminal, &[1; 32], now);
    assert_eq!(refused, Err(ReleaseError::BadSignature));
    assert_eq!(builders().signed(&signed()).unwrap().len(), 2);
}

#[test]
fn a_signed_build_is_installed_when_it_is_newer_and_past_its_cool_down() {
    let installed = |sequence| Installed { kind: ReleaseKind::Terminal, sequence };
    let now = 1_795_000_000_000;
    let (release, builders) = (signed(), builders());
    assert_eq!(check(&release, &builders, installed(6), &[2; 32], now), Ok(()));
    for sequence in [7, 8] {
        let refused = check(&release, &builders, installed(sequence), &[2; 32], now);
        assert_eq!(refused, Err(ReleaseError::NotNewer));
    }
    let early = check(&release, &builders, installed(6), &[2; 32], now - 1);
    assert_eq!(early, Err(ReleaseError::TooEarly(now)));
    let other = check(&release, &builders, installed(6), &[3; 32], now);
    assert_eq!(other, Err(ReleaseError::OtherFile));
    let web = Installed { kind: ReleaseKind::Web, sequence: 0 };
    assert_eq!(check(&release, &builders, web, &[2; 32], now), Err(ReleaseError::OtherKind));
}

#[test]
fn every_field_of_a_release_is_signed() {
    let changed = [
        Release { version: "0.2.1".to_owned(), ..signed() },
        Release { sequence: 8, ..signed() },
        Release { not_before_ms: 0, ..signed() },
        Release { emergency: true, ..signed() },
        Release { manifest: Some([8; 32]), ..signed() },
        Release { kind: ReleaseKind::Web, ..signed() },
        Release { artifacts: signed().artifacts[..1].to_vec(), ..signed() },
        Release { toolchain: [0; 32], ..signed() },
        Release { source_commit: vec![0; 20], ..signed() },
    ];
    for release in changed {
        assert_eq!(builders().signed(&release), Err(ReleaseError::BadSignature), "{release:?}");
    }
}

#[test]
fn an_auditor_sees_a_release_without_its_cool_down_or_with_an_old_number() {
    let logged = release().not_before_ms - COOL_DOWN_MS;
    assert_eq!(may_be_logged(&signed(), None, &builders(), logged), Ok(()));
    let late = may_be_logged(&signed(), None, &builders(), logged + 1);
    assert_eq!(late, Err(ReleaseError::CoolDown));
    let emergency = Release { emergency: true, ..release() };
    let emergency = sign(sign(emergency, &bob()), &olga());
    assert_eq!(may_be_logged(&emergency, None, &builders(), logged + 1), Ok(()));
    let old = may_be_logged(&signed(), Some(&signed()), &builders(), logged);
    assert_eq!(old, Err(ReleaseError::NotNewer));
}

#[test]
fn builders_who_write_an_early_date_do_not_shorten_the_cool_down() {
    let now = release().not_before_ms;
    let witnessed = |hours_ago: u64| Satisfaction {
        unwitnessed: false,
        witnesses: vec!["wanda".to_owned()],
        cosigned_at_ms: Some(now - hours_ago * 3_600_000),
    };
    // The date alone lets it in.
    let terminal = Installed { kind: ReleaseKind::Terminal, sequence: 6 };
    assert_eq!(check(&signed(), &builders(), terminal, &[1; 32], now), Ok(()));
    let early = cooled_down(&signed(), &witnessed(23), now);
    assert_eq!(early, Err(ReleaseError::TooEarly(now + 3_600_000)));
    assert_eq!(cooled_down(&signed(), &witnessed(24), now), Ok(()));
    let emergency = Release { emergency: true, ..release() };
    assert_eq!(cooled_down(&emergency, &witnessed(0), now), Ok(()));
    let nobody = Satisfaction { unwitnessed: true, witnesses: Vec::new(), cosigned_at_ms: None };
    assert_eq!(cooled_down(&signed(), &nobody, now), Ok(()));
}

#[test]
fn what_does_not_name_builders_is_not_read() {
    let key = hex::encode(bob().public());
    for bad in [
        format!("builder bob {}", &key[1..]),
        format!("builder bob {key} more"),
        format!("bob {key}"),
        format!("builder bob {}", key.replace(['a', 'b'], "g")),
        format!("builder bob {key}\nbuilder eve {key}"),
        format!("builder bob {key}\nbuilder bob {}", hex::encode(olga().public())),
        format!("builder bob {}", "+1".repeat(32)),
    ] {
        assert!(Builders::parse(&bad).is_err(), "{bad}");
    }
    assert_eq!(Builders::parse(&builders().to_string()).unwrap(), builders());
}

proptest! {
    #[test]
    fn whatever_decodes_encodes_to_the_same(which in 0..5_usize, at: prop::sample::Index, to: u8) {
        let mut bytes = all()[which].1.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(entry) = Entry::decode(&bytes) {
            prop_assert_eq!(entry.encode(), Ok(bytes));
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Entry::decode(&bytes);
    }
}

#[test]
fn a_policy_holds_seven_days_after_it_was_announced_and_not_before() {
    const DAY: u64 = 24 * 3_600_000;
    let policy = |at| Governance::with_document(GovernanceKind::Policy, vec![1], at);
    assert!(policy(8 * DAY).is_in_time(DAY));
    assert!(!policy(8 * DAY).is_in_time(DAY + 1));
    assert!(!policy(u64::MAX - 1).is_in_time(u64::MAX - DAY));
    // What is no policy may hold at once: the keys of a day.
    assert!(Governance::with_document(GovernanceKind::Tokens, vec![1], 0).is_in_time(DAY));
}
