// SPDX-License-Identifier: AGPL-3.0-or-later
//! The engine: one step at a time.

use rand_core::CryptoRng;

use crate::{
    io::{Effect, Input},
    store::Store,
};

/// Why a step did not happen. The store is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The disk failed or is full.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// The client of one account on one device.
pub struct Engine<S: Store> {
    store: S,
    server: String,
}

impl<S: Store> Engine<S> {
    /// An engine over a store. `server` is the address shown to the person (`http://127.0.0.1:8448`);
    /// `device_name` is what this device is called in the person's own list. Hand in [`Input::Start`] first.
    pub fn new(store: S, server: &str, device_name: &str) -> Self {
        let _ = device_name;
        Self { store, server: server.to_owned() }
    }

    /// Takes one input. `now_ms` is milliseconds since 1970.
    ///
    /// # Errors
    /// [`StepError`]: nothing changed and nothing may be sent; asks of this step are answered by the driver
    /// with a problem of kind `Disk`.
    pub fn handle(
        &mut self,
        input: Input,
        now_ms: u64,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<Effect>, StepError> {
        let _ = (input, now_ms, rng, &self.store, &self.server);
        Ok(Vec::new())
    }
}
