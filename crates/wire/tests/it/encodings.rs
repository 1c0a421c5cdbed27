// SPDX-License-Identifier: AGPL-3.0-or-later
//! Snapshots of what is signed, stored or derived, in `vectors/wire/`. One that changes leaves what is on disk and
//! in flight unreadable: then it gets a new label, and the old reader stays.

use std::fmt::Write as _;

use nodoor_wire::{
    header::CommitHeader,
    id::{BodyId, DeviceId, RoomId, Token, TransportId},
    proto,
    roster::Roster,
    sealed::{self, BodySecret, HourKey, MailboxSecret},
};

fn assert_snapshot(name: &str, lines: &[(&str, &[u8])]) {
    let mut now = String::new();
    for (what, bytes) in lines {
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        writeln!(now, "{what} {hex}").unwrap();
    }
    let path = format!("{}/../../vectors/wire/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, now, "the encoding of {name} has changed");
}

#[test]
fn commit_headers_keep_their_bytes() {
    let commit = proto::Commit {
        room: RoomId([7; 32]).to_bytes(),
        epoch: 300,
        frame: b"frame".to_vec().into(),
        next_roster: b"roster".to_vec().into(),
        next_key_check: vec![8; 32].into(),
        welcomes: vec![proto::WelcomeOut {
            tokens: vec![vec![1; 32].into(), vec![2; 32].into()],
            body: b"welcome".to_vec().into(),
        }],
        ..Default::default()
    };
    let header = CommitHeader::of(&commit);
    let id = header.commit_id();
    assert_snapshot("commit_header", &[("header", &header.to_vec()), ("commit_id", id.as_bytes())]);
}

#[test]
fn rosters_keep_their_bytes() {
    let roster = Roster::new(vec![[2; 32], [1; 32]], vec![[4; 32], [3; 32]]).unwrap();
    let sealed = roster.seal(&[9; 32], &RoomId([7; 32]), 5);
    assert_snapshot("roster", &[("sealed", &sealed)]);
}

#[test]
fn derivations_keep_their_bytes() {
    let secret = BodySecret([3; 32]);
    let body = BodyId([6; 16]);
    assert_snapshot(
        "derivations",
        &[
            ("device_id", DeviceId::of(&[1; 32]).as_bytes()),
            ("token_hash", Token([5; 32]).hash().as_bytes()),
            ("body_id", secret.id().as_bytes()),
            ("body_sealed", &secret.seal(b"frame")),
            ("body_disk_name", &sealed::body_disk_name(&body)),
            ("release_check", &sealed::release_check(&body, &[4; 16])),
            ("once_key", &sealed::once_key(&RoomId([1; 32]), &TransportId([2; 16]))),
        ],
    );
}

/// Counts upward: the same key every time, which is what a snapshot needs and nothing else may have.
struct Counting(u8);

impl rand_core::TryRng for Counting {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counting {}

#[test]
fn mailbox_and_hour_keys_keep_their_bytes() {
    let (device, secret) = (DeviceId([1; 16]), MailboxSecret::from_seed([5; 32]));
    let hour = HourKey::generate(&mut Counting(0));
    let sealed = hour.seal(&device, &secret.public(), &mut Counting(9)).unwrap();
    let entry = hour.seal_entry(&device, 3, b"entry");
    assert_snapshot(
        "hour_key",
        &[
            ("mailbox_public", &secret.public()),
            ("key_id", hour.id().as_bytes()),
            ("sealed", &sealed),
            ("entry_3", &entry),
        ],
    );
}

#[test]
fn x_wing_is_the_drafts() {
    // draft-connolly-cfrg-xwing-kem, first test vector: the seed, and the beginning of its public key.
    let seed = [
        0x7f, 0x9c, 0x2b, 0xa4, 0xe8, 0x8f, 0x82, 0x7d, 0x61, 0x60, 0x45, 0x50, 0x76, 0x05, 0x85,
        0x3e, 0xd7, 0x3b, 0x80, 0x93, 0xf6, 0xef, 0xbc, 0x88, 0xeb, 0x1a, 0x6e, 0xac, 0xfa, 0x66,
        0xef, 0x26,
    ];
    let public = MailboxSecret::from_seed(seed).public();
    assert_eq!(public[..8], [0xe2, 0x23, 0x6b, 0x35, 0xa8, 0xc2, 0x4b, 0x39]);
}
