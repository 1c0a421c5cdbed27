// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who signs in MLS: one device of one account, as its credential says it.

use ed25519_dalek::{Signer as _, SigningKey};
use minicbor::{Decode, Encode, bytes::ByteArray};
use nodoor_wire::{
    canonical,
    id::{AccountId, DeviceId},
};
use openmls::prelude::{BasicCredential, CredentialWithKey, SignatureScheme};
use openmls_traits::signatures::{Signer, SignerError};

/// What a leaf's credential names: canonical CBOR `[account, device, list version]`.
///
/// A claim. The gate looks up that version of the account's device list and compares the MLS key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafName {
    /// Whose device.
    pub account: AccountId,
    /// Which one.
    pub device: DeviceId,
    /// The version of the account's device list that names the device with the leaf's MLS key.
    pub list_version: u32,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Coded {
    #[n(0)]
    account: ByteArray<16>,
    #[n(1)]
    device: ByteArray<16>,
    #[n(2)]
    list_version: u32,
}

impl LeafName {
    /// The credential's identity bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(&Coded {
            account: self.account.0.into(),
            device: self.device.0.into(),
            list_version: self.list_version,
        })
    }

    /// Reads a credential's identity bytes.
    ///
    /// # Errors
    /// [`canonical::NotCanonical`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, canonical::NotCanonical> {
        let coded: Coded = canonical::from_slice(bytes)?;
        Ok(Self {
            account: AccountId(coded.account.into()),
            device: DeviceId(coded.device.into()),
            list_version: coded.list_version,
        })
    }
}

/// This device as it appears in rooms: its name and its MLS signature key, which is wiped when dropped.
#[derive(Clone)]
pub struct Identity {
    name: LeafName,
    mls: SigningKey,
}

impl Identity {
    /// `list_version` is the newest version of the own list that names the device; `mls_seed` the 32-byte
    /// seed of the key which that list names as its MLS key.
    #[must_use]
    pub fn new(
        account: AccountId,
        device: DeviceId,
        list_version: u32,
        mls_seed: [u8; 32],
    ) -> Self {
        let name = LeafName { account, device, list_version };
        Self { name, mls: SigningKey::from_bytes(&mls_seed) }
    }

    /// What the credential says.
    #[must_use]
    pub fn name(&self) -> LeafName {
        self.name
    }

    /// The public half of the MLS signature key.
    #[must_use]
    pub fn mls_key(&self) -> [u8; 32] {
        self.mls.verifying_key().to_bytes()
    }

    pub(crate) fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.name.to_vec()).into(),
            signature_key: self.mls_key().as_slice().into(),
        }
    }
}

impl Signer for Identity {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.mls.sign(payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}
