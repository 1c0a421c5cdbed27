// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger's secrets, made with the data folder and read by whoever opens the server.
//!
//! The VRF's key hides whose label is whose and never changes: with another the tree would no longer be of its labels. The
//! log's key signs checkpoints. The tokens' seed makes a VOPRF key a day ([`crate::anonymous`]). None of them opens or
//! forges anything a person wrote.

use std::sync::Arc;

use akd::ecvrf::{VRFKeyStorage, VRFPrivateKey, VRFPublicKey, VrfError};
use async_trait::async_trait;
use zeroize::Zeroizing;

/// The seeds, 32 random bytes each. Wiped from memory when dropped.
pub struct LedgerKeys {
    pub(crate) vrf: Zeroizing<[u8; 32]>,
    pub(crate) log: Zeroizing<[u8; 32]>,
    pub(crate) tokens: Zeroizing<[u8; 32]>,
}

impl LedgerKeys {
    /// The keys of these seeds: of the VRF, of the log, of the tokens. No two the same.
    #[must_use]
    pub fn from_seeds(vrf: [u8; 32], log: [u8; 32], tokens: [u8; 32]) -> Self {
        Self { vrf: vrf.into(), log: log.into(), tokens: tokens.into() }
    }
}

/// The VRF's key as the directory's library asks for it.
#[derive(Clone)]
pub(crate) struct VrfKey(Arc<Zeroizing<[u8; 32]>>);

impl VrfKey {
    pub(crate) fn new(seed: Zeroizing<[u8; 32]>) -> Self {
        Self(Arc::new(seed))
    }

    /// The public half; an error if the seed is no key.
    pub(crate) fn public(&self) -> Result<Vec<u8>, VrfError> {
        let key = VRFPrivateKey::try_from(self.0.as_slice())?;
        Ok(VRFPublicKey::from(&key).as_bytes().to_vec())
    }
}

#[async_trait]
impl VRFKeyStorage for VrfKey {
    async fn retrieve(&self) -> Result<Vec<u8>, VrfError> {
        Ok(self.0.to_vec())
    }
}
