// SPDX-License-Identifier: AGPL-3.0-or-later
//! The model passes the suite that it is the oracle of.

use nodoor_server::storage::{
    blobs_conformance,
    blobs_memory::BlobsMemory,
    conformance::{self, Factory},
    ledger_conformance,
    ledger_memory::LedgerMemory,
    memory::Memory,
};
use nodoor_wire::id::DeploymentId;

struct InMemory;

impl Factory for InMemory {
    type Store = Memory;

    fn make(&mut self) -> Memory {
        Memory::new(DeploymentId([9; 16]))
    }

    fn reopen(&mut self, store: Memory) -> Memory {
        store
    }
}

#[test]
fn the_model_keeps_every_promise() {
    conformance::all(&mut InMemory).unwrap();
}

struct LedgerInMemory;

impl ledger_conformance::Factory for LedgerInMemory {
    type Store = LedgerMemory;

    fn make(&mut self) -> LedgerMemory {
        LedgerMemory::default()
    }

    fn reopen(&mut self, store: LedgerMemory) -> LedgerMemory {
        store
    }
}

#[tokio::test]
async fn the_ledgers_model_keeps_every_promise() {
    ledger_conformance::all(&mut LedgerInMemory).await.unwrap();
}

struct BlobsInMemory;

impl blobs_conformance::Factory for BlobsInMemory {
    type Store = BlobsMemory;

    fn make(&mut self, most: u64) -> BlobsMemory {
        BlobsMemory::new(most)
    }

    fn reopen(&mut self, store: BlobsMemory) -> BlobsMemory {
        store
    }
}

#[test]
fn the_model_of_files_keeps_every_promise() {
    blobs_conformance::all(&mut BlobsInMemory).unwrap();
}
