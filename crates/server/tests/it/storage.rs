// SPDX-License-Identifier: AGPL-3.0-or-later
//! The model passes the suite that it is the oracle of.

use nodoor_server::storage::{
    conformance::{self, Factory},
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
