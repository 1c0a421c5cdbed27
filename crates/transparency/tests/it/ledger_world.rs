// SPDX-License-Identifier: AGPL-3.0-or-later
//! Olga's log in memory, and the witnesses Wanda and Walter, and Audrey the auditor.

use std::collections::BTreeMap;

use nodoor_transparency::ledger::{
    checkpoint::{SignedCheckpoint, TreeHead},
    entry::{Entry, KtEpoch},
    note::NoteSigner,
    policy::Policy,
    proof::{Inclusion, ProofFile},
    tree::{
        Growth, Hash, Tile, appended_tiles, consistency_proof, inclusion_proof, leaf_hash,
        prefix_proof,
    },
};

/// The origin of deployment 0707….
pub(crate) const ORIGIN: &str = "nodoor/07070707070707070707070707070707";
/// 2026-11-22, in seconds.
pub(crate) const NOW: u64 = 1_795_000_000;

pub(crate) fn log_key() -> NoteSigner {
    NoteSigner::log(ORIGIN, [0x11; 32]).unwrap()
}

pub(crate) fn wanda() -> NoteSigner {
    NoteSigner::cosigner("wanda.example", [0x22; 32]).unwrap()
}

pub(crate) fn walter() -> NoteSigner {
    NoteSigner::cosigner("walter.example", [0x33; 32]).unwrap()
}

pub(crate) fn audrey() -> NoteSigner {
    NoteSigner::cosigner("audrey.example", [0x44; 32]).unwrap()
}

/// One of two witnesses, and the auditor.
pub(crate) fn policy_text() -> String {
    format!(
        "# who vouches\nlog {} https://nodoor.example/ledger\n\nwitness wanda {}\nwitness walter\t{} \
         https://walter.example\nwitness audrey {}\ngroup seen any wanda walter\ngroup all-of all seen audrey\n\
         quorum all-of\n",
        log_key().verifier(),
        wanda().verifier(),
        walter().verifier(),
        audrey().verifier(),
    )
}

pub(crate) fn policy() -> Policy {
    Policy::parse(policy_text().as_bytes()).unwrap()
}

/// A log whose tiles lie in a map.
#[derive(Default, Clone)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) growth: Growth,
    tiles: BTreeMap<Tile, Vec<u8>>,
}

impl Log {
    pub(crate) fn append(&mut self, entry: &[u8]) -> u64 {
        let leaf = leaf_hash(entry);
        let new = appended_tiles(self.growth.size(), &[leaf], &mut |tile| self.read(tile)).unwrap();
        self.tiles.extend(new);
        self.growth.push(leaf);
        self.entries.push(entry.to_vec());
        self.growth.size() - 1
    }

    pub(crate) fn append_epoch(&mut self, epoch: &KtEpoch) -> u64 {
        self.append(&Entry::Epoch(epoch.clone()).encode().unwrap())
    }

    /// A log of this many entries that are nothing in particular.
    pub(crate) fn of(count: u64) -> Self {
        let mut log = Self::default();
        for n in 0..count {
            log.append(&n.to_be_bytes());
        }
        log
    }

    fn read(&self, tile: Tile) -> Result<Vec<u8>, Tile> {
        self.tiles.get(&tile).cloned().ok_or(tile)
    }

    pub(crate) fn head(&self) -> TreeHead {
        TreeHead { size: self.growth.size(), root: self.growth.root() }
    }

    pub(crate) fn leaves(&self) -> Vec<Hash> {
        self.entries.iter().map(|entry| leaf_hash(entry)).collect()
    }

    pub(crate) fn signed(&self) -> SignedCheckpoint {
        SignedCheckpoint::sign(&log_key(), self.head()).unwrap()
    }

    /// Cosigned by Wanda and Audrey.
    pub(crate) fn cosigned(&self) -> SignedCheckpoint {
        let signed = self.signed();
        let (one, two) =
            (signed.cosignature(&wanda(), NOW), signed.cosignature(&audrey(), NOW - 9));
        signed.with(one).unwrap().with(two).unwrap()
    }

    pub(crate) fn inclusion(&self, index: u64) -> Inclusion {
        let size = self.head().size;
        let hashes = inclusion_proof(index, size, &mut |tile| self.read(tile)).unwrap();
        Inclusion { index, hashes, checkpoint: self.cosigned() }
    }

    pub(crate) fn proof(&self, index: u64) -> ProofFile {
        let extra = Some(self.entries[index as usize].clone());
        ProofFile { extra, inclusion: self.inclusion(index) }
    }

    pub(crate) fn consistency(&self, from: u64) -> Vec<Hash> {
        consistency_proof(from, self.head().size, &mut |tile| self.read(tile)).unwrap()
    }

    pub(crate) fn prefix(&self, from: u64) -> Vec<Hash> {
        prefix_proof(from, self.head().size, &mut |tile| self.read(tile)).unwrap()
    }
}

/// A heartbeat at this minute.
pub(crate) fn heartbeat(minute: u64) -> KtEpoch {
    KtEpoch {
        epoch: 0,
        root: [5; 32],
        previous_root: [5; 32],
        labels: 0,
        audit_blob: None,
        vrf_key: [6; 32],
        time_ms: NOW * 1000 + minute * 60_000,
    }
}
