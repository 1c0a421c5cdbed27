// SPDX-License-Identifier: AGPL-3.0-or-later
//! Randomness, passed in by whoever opens the server and shared by its parts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand_core::CryptoRng;

/// The one source. Locked for as long as a key is drawn.
pub(crate) struct Entropy(Mutex<Box<dyn CryptoRng + Send>>);

impl Entropy {
    pub(crate) fn new(rng: Box<dyn CryptoRng + Send>) -> Self {
        Self(Mutex::new(rng))
    }

    /// The generator itself, for what draws more than bytes.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Box<dyn CryptoRng + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.lock().fill_bytes(&mut bytes);
        bytes
    }
}
