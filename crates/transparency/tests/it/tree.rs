// SPDX-License-Identifier: AGPL-3.0-or-later
//! The tree against RFC 6962's own recursion, its published vectors, and `tlog_tiles` as a second verifier.

use std::collections::BTreeMap;

use nodoor_transparency::ledger::tree::{
    Growth, Hash, Tile, TreeError, appended_tiles, bundle_from_slice, bundle_to_vec,
    consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash, root, verify_consistency,
    verify_inclusion,
};
use proptest::prelude::*;

/// The eight leaves of Certificate Transparency's reference test (`merkle_tree_test`), and the roots over them.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// MTH of RFC 6962, 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..middle]), &mth(&leaves[middle..]))
        }
    }
}

/// A log on a disk that only ever gains tiles.
#[derive(Default)]
struct Disk {
    size: u64,
    tiles: BTreeMap<Tile, Vec<u8>>,
}

impl Disk {
    fn append(&mut self, leaves: &[Hash]) {
        let new = appended_tiles(self.size, leaves, &mut |tile| self.read(tile)).unwrap();
        self.tiles.extend(new);
        self.size += leaves.len() as u64;
    }

    fn read(&self, tile: Tile) -> Result<Vec<u8>, Tile> {
        self.tiles.get(&tile).cloned().ok_or(tile)
    }

    fn of(leaves: u64) -> (Self, Vec<Hash>) {
        let leaves: Vec<Hash> = (0..leaves).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut disk = Self::default();
        disk.append(&leaves);
        (disk, leaves)
    }
}

#[test]
fn the_published_roots_come_out() {
    let mut growth = Growth::new();
    for (leaf, root) in LEAVES.iter().zip(ROOTS) {
        growth.push(leaf_hash(&hex::decode(leaf).unwrap()));
        assert_eq!(hex::encode(growth.root()), root);
    }
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex::encode(empty_root()), empty);
}

#[test]
fn every_inclusion_and_consistency_of_small_trees_verifies() {
    let (disk, leaves) = Disk::of(70);
    for size in 1..=70_u64 {
        let whole = mth(&leaves[..size as usize]);
        let (part, _) = Disk::of(size);
        assert_eq!(root(size, &mut |tile| part.read(tile)).unwrap(), whole);
        for index in 0..size {
            let proof = inclusion_proof(index, size, &mut |tile| part.read(tile)).unwrap();
            verify_inclusion(&leaves[index as usize], index, size, &whole, &proof).unwrap();
        }
        for from in 0..=size {
            let proof = consistency_proof(from, size, &mut |tile| part.read(tile)).unwrap();
            verify_consistency(from, size, &mth(&leaves[..from as usize]), &whole, &proof).unwrap();
        }
    }
    assert_eq!(disk.size, 70);
}

#[test]
fn appending_in_steps_gives_the_tiles_of_the_specification() {
    // The example of tlog-tiles: 70,000 entries.
    let (mut disk, leaves) = Disk::of(69_000);
    let more: Vec<Hash> = (69_000..70_000_u64).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let mut growth = Growth::new();
    leaves.iter().chain(&more).for_each(|leaf| growth.push(*leaf));
    disk.append(&more);
    let full =
        |level| disk.tiles.keys().filter(|t| t.level == Some(level) && t.width == 256).count();
    assert_eq!((full(0), full(1), full(2)), (273, 1, 0));
    for (level, index, width) in [(0, 273, 112), (1, 1, 17), (2, 0, 1)] {
        assert!(disk.tiles.contains_key(&Tile { level: Some(level), index, width }));
        assert_eq!(Tile::of_tree(70_000, level, index).unwrap().width, width);
    }
    assert_eq!(Tile::of_tree(70_000, 3, 0), None);
    assert_eq!(root(70_000, &mut |tile| disk.read(tile)).unwrap(), growth.root());
    let proof = consistency_proof(69_000, 70_000, &mut |tile| disk.read(tile)).unwrap();
    verify_consistency(69_000, 70_000, &mth(&leaves), &growth.root(), &proof).unwrap();
    let proof = inclusion_proof(65_536, 70_000, &mut |tile| disk.read(tile)).unwrap();
    verify_inclusion(&leaves[65_536], 65_536, 70_000, &growth.root(), &proof).unwrap();
}

#[test]
fn a_tile_that_is_cut_off_is_refused() {
    let (disk, _) = Disk::of(300);
    let mut short = |tile| {
        disk.read(tile).map(|mut bytes| {
            bytes.truncate(bytes.len() - 1);
            bytes
        })
    };
    assert_eq!(root(300, &mut short), Err(TreeError::Tile));
    let mut missing = |tile: Tile| Err::<Vec<u8>, Tile>(tile);
    assert!(matches!(root(300, &mut missing), Err(TreeError::Read(_))));
}

#[test]
fn paths_are_those_of_the_specification_and_have_one_form() {
    let tile = Tile { level: Some(0), index: 1_234_067, width: 256 };
    assert_eq!(tile.path(), "tile/0/x001/x234/067");
    assert_eq!(Tile { width: 17, ..tile }.path(), "tile/0/x001/x234/067.p/17");
    assert_eq!(Tile { level: None, index: 5, width: 256 }.path(), "tile/entries/005");
    for path in ["tile/0/x001/x234/067", "tile/63/000.p/1", "tile/entries/x001/000.p/255"] {
        assert_eq!(Tile::from_path(path).unwrap().path(), path);
    }
    for bad in [
        "tile/0/67",
        "tile/00/067",
        "tile/64/067",
        "tile/0/x000/067",
        "tile/0/001/067",
        "tile/0/067.p/256",
        "tile/0/067.p/0",
        "tile/0/067.p/01",
        "tile/-1/067",
        "tile/0/../067",
        "tile/data/067",
        "tile/0/067/",
        "tile/0/x067",
        "tile/+1/067",
    ] {
        assert_eq!(Tile::from_path(bad), None, "{bad}");
    }
}

#[test]
fn bundles_hold_exactly_their_entries() {
    let entries: [&[u8]; 3] = [b"one", b"", &[7; 65_535]];
    let bytes = bundle_to_vec(entries).unwrap();
    assert_eq!(bundle_from_slice(3, &bytes).unwrap(), entries);
    assert_eq!(bundle_from_slice(2, &bytes), None);
    assert_eq!(bundle_from_slice(4, &bytes), None);
    assert_eq!(bundle_from_slice(3, &bytes[..bytes.len() - 1]), None);
    assert_eq!(bundle_to_vec([[0; 65_536].as_slice()]), None);
}

#[test]
fn a_proof_with_more_in_it_than_it_needs_is_refused() {
    let (disk, leaves) = Disk::of(8);
    let all = mth(&leaves);
    let mut proof = inclusion_proof(3, 8, &mut |tile| disk.read(tile)).unwrap();
    proof.push([0; 32]);
    assert!(verify_inclusion(&leaves[3], 3, 8, &all, &proof).is_err());
    assert!(verify_consistency(0, 8, &empty_root(), &all, &[[0; 32]]).is_err());
    assert!(verify_consistency(8, 8, &all, &all, &[[0; 32]]).is_err());
    assert!(verify_consistency(8, 8, &[1; 32], &all, &[]).is_err());
    assert!(verify_consistency(9, 8, &all, &all, &[]).is_err());
    assert!(verify_inclusion(&leaves[3], 8, 8, &all, &[]).is_err());
}

proptest! {
    #[test]
    fn both_implementations_verify_our_proofs(size in 1..2000_u64, a: prop::sample::Index, b: prop::sample::Index) {
        let (disk, leaves) = Disk::of(size);
        let (index, from) = (a.index(size as usize) as u64, b.index(size as usize) as u64 + 1);
        let whole = root(size, &mut |tile| disk.read(tile)).unwrap();
        let part = mth(&leaves[..from as usize]);
        let inclusion = inclusion_proof(index, size, &mut |tile| disk.read(tile)).unwrap();
        let consistency = consistency_proof(from, size, &mut |tile| disk.read(tile)).unwrap();
        let theirs = |hashes: &[Hash]| hashes.iter().map(|h| tlog_tiles::Hash(*h)).collect::<Vec<_>>();
        let leaf = leaves[index as usize];
        verify_inclusion(&leaf, index, size, &whole, &inclusion).unwrap();
        verify_consistency(from, size, &part, &whole, &consistency).unwrap();
        tlog_tiles::check_record(&theirs(&inclusion), size, tlog_tiles::Hash(whole), index, tlog_tiles::Hash(leaf)).unwrap();
        tlog_tiles::check_tree(&theirs(&consistency), size, tlog_tiles::Hash(whole), from, tlog_tiles::Hash(part)).unwrap();
    }

    #[test]
    fn a_changed_proof_proves_nothing(size in 2..600_u64, a: prop::sample::Index, b: prop::sample::Index, bit in 0..256_usize) {
        let (disk, leaves) = Disk::of(size);
        let index = a.index(size as usize) as u64;
        let whole = root(size, &mut |tile| disk.read(tile)).unwrap();
        let mut proof = inclusion_proof(index, size, &mut |tile| disk.read(tile)).unwrap();
        let hash = b.index(proof.len());
        proof[hash][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(&leaves[index as usize], index, size, &whole, &proof).is_err());
        let from = (index + 1).min(size - 1);
        let mut proof = consistency_proof(from, size, &mut |tile| disk.read(tile)).unwrap();
        let hash = b.index(proof.len());
        proof[hash][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_consistency(from, size, &mth(&leaves[..from as usize]), &whole, &proof).is_err());
    }

    #[test]
    fn verifiers_never_panic(index: u64, size: u64, leaf: Hash, proof in prop::collection::vec(any::<Hash>(), 0..70)) {
        let _ = verify_inclusion(&leaf, index, size, &leaf, &proof);
        let _ = verify_consistency(index, size, &leaf, &leaf, &proof);
        let _ = Tile::of_tree(size, (index % 256) as u8, index);
    }

    #[test]
    fn stored_growth_goes_on(size in 0..300_u64, more in 1..50_u64) {
        let (_, leaves) = Disk::of(size + more);
        let mut growth = Growth::new();
        leaves[..size as usize].iter().for_each(|leaf| growth.push(*leaf));
        let mut stored = Growth::of(growth.size(), growth.peaks().to_vec()).unwrap();
        leaves[size as usize..].iter().for_each(|leaf| stored.push(*leaf));
        prop_assert_eq!(stored.root(), mth(&leaves));
    }
}
