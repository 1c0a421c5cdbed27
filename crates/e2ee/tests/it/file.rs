// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files: what was sealed opens, and nothing else does.

use nodoor_e2ee::file::{
    CHUNK, Hashes, OpenError, Opener, SealError, Sealer, TAG, padded, sealed_size,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const KEY: [u8; 32] = [7; 32];

fn sealed(file: &[u8], pieces: usize) -> (Vec<u8>, Hashes) {
    let mut sealer = Sealer::new(&KEY, file.len() as u64).unwrap();
    let mut out = Vec::new();
    for piece in file.chunks(pieces) {
        sealer.push(piece, &mut out).unwrap();
    }
    let hashes = sealer.finish(&mut out).unwrap();
    (out, hashes)
}

fn opened(sealed: &[u8], size: u64, hashes: &Hashes, pieces: usize) -> Result<Vec<u8>, OpenError> {
    let mut opener = Opener::new(&KEY, size)?;
    let mut out = Vec::new();
    for piece in sealed.chunks(pieces) {
        opener.push(piece, &mut out)?;
    }
    opener.finish(hashes).map(|()| out)
}

fn some(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 % 251) as u8).collect()
}

#[test]
fn a_file_of_any_size_in_any_pieces_comes_back() {
    for size in [0, 1, 1023, 1024, 1025, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 5 * CHUNK + 77] {
        let file = some(size);
        let (blob, hashes) = sealed(&file, 1000);
        assert_eq!((blob.clone(), hashes), sealed(&file, CHUNK * 9), "pieces make no difference");
        assert_eq!(blob.len() as u64, sealed_size(size as u64));
        assert_eq!(hashes.plain, <[u8; 32]>::from(Sha256::digest(&file)));
        assert_eq!(hashes.sealed, <[u8; 32]>::from(Sha256::digest(&blob)));
        for pieces in [777, CHUNK + TAG, CHUNK * 9] {
            assert!(opened(&blob, size as u64, &hashes, pieces).unwrap() == file, "{size}");
        }
    }
}

#[test]
fn the_sealed_bytes_never_change() {
    let (blob, hashes) = sealed(b"a file", 6);
    assert_eq!(blob.len(), 1024 + TAG);
    assert_eq!(hex::encode(&blob[..32]), VECTOR_BEGINS);
    assert_eq!(hex::encode(hashes.sealed), VECTOR_HASH);
}

/// The same computed by another implementation: see `docs/book/protocol.md`, 9; `ChaCha20Poly1305` of Python's
/// `cryptography` with the nonce `00*7 || 00000000 || 01`.
const VECTOR_BEGINS: &str = "8837357faa086644c2847942082545afd37fd1c4eefe0a67b3dee27192763fdc";
const VECTOR_HASH: &str = "f76b84694a93df16a21508974a7bd2c98b631d4b0623c616c86d0de118bdcc2e";

#[test]
fn a_size_is_told_to_an_eighth_at_most() {
    assert_eq!(padded(0), 1024);
    assert_eq!(padded(1024), 1024);
    for size in (1024..200_000_u64).step_by(37).chain([1 << 31, (1 << 31) - 1, 100_000_001]) {
        let to = padded(size);
        assert!(to >= size && to * 100 <= size * 112, "{size} {to}");
        assert_eq!(padded(to), to);
    }
    let classes: std::collections::BTreeSet<u64> = (1 << 20..1 << 21).map(padded).collect();
    assert!(classes.len() <= 33, "{}", classes.len());
}

#[test]
fn a_file_that_is_not_as_long_as_was_said_is_not_sealed() {
    let mut sealer = Sealer::new(&KEY, 10).unwrap();
    assert_eq!(sealer.push(&[0; 11], &mut Vec::new()), Err(SealError::Size));
    let mut sealer = Sealer::new(&KEY, 10).unwrap();
    sealer.push(&[0; 9], &mut Vec::new()).unwrap();
    assert_eq!(sealer.finish(&mut Vec::new()), Err(SealError::Size));
    assert!(Sealer::new(&KEY, (2 << 30) + 1).is_err());
}

#[test]
fn a_file_that_opens_and_is_another_than_the_message_names_is_refused() {
    let (blob, mut hashes) = sealed(b"one", 3);
    assert_eq!(opened(&blob, 2, &hashes, 99), Err(OpenError::Another), "not all else is zero");
    assert_eq!(opened(&blob, 4, &hashes, 99), Err(OpenError::Another), "longer than it was");
    hashes.plain[0] ^= 1;
    assert_eq!(opened(&blob, 3, &hashes, 99), Err(OpenError::Another));
}

#[derive(Debug, Clone)]
enum Harm {
    Flip(prop::sample::Index, u8),
    Drop(prop::sample::Index),
    Double(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Cut(prop::sample::Index),
    Add(Vec<u8>),
}

fn harm() -> impl Strategy<Value = Harm> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        (place(), 0..8_u8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        place().prop_map(Harm::Drop),
        place().prop_map(Harm::Double),
        (place(), place()).prop_map(|(a, b)| Harm::Swap(a, b)),
        place().prop_map(Harm::Cut),
        prop::collection::vec(any::<u8>(), 1..100).prop_map(Harm::Add),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_done_to_sealed_bytes_is_seen(harm in harm(), extra in 0..CHUNK) {
        let file = some(4 * CHUNK + extra);
        let (blob, hashes) = sealed(&file, CHUNK);
        let mut chunks: Vec<Vec<u8>> = blob.chunks(CHUNK + TAG).map(<[u8]>::to_vec).collect();
        match harm {
            Harm::Flip(at, bit) => {
                let mut flat = blob.clone();
                let at = at.index(flat.len());
                flat[at] ^= 1 << bit;
                chunks = vec![flat];
            }
            Harm::Drop(at) => drop(chunks.remove(at.index(chunks.len()))),
            Harm::Double(at) => {
                let at = at.index(chunks.len());
                chunks.insert(at, chunks[at].clone());
            }
            Harm::Swap(a, b) => {
                let (a, b) = (a.index(chunks.len()), b.index(chunks.len()));
                prop_assume!(a != b);
                chunks.swap(a, b);
            }
            Harm::Cut(at) => {
                let mut flat = blob.clone();
                flat.truncate(at.index(blob.len()));
                chunks = vec![flat];
            }
            Harm::Add(bytes) => chunks.push(bytes),
        }
        let harmed = chunks.concat();
        prop_assume!(harmed != blob);
        prop_assert!(opened(&harmed, file.len() as u64, &hashes, 50_000).is_err());
    }
}
