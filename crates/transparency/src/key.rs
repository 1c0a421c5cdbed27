// SPDX-License-Identifier: AGPL-3.0-or-later
//! Ed25519 keys that sign under a label, and nothing without one.

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use nodoor_wire::id::{DeploymentId, DeviceId, signed_bytes};
use zeroize::Zeroizing;

/// The labels of `docs/book/protocol.md`, section 0. A key signs under those of its row and no other.
pub mod label {
    /// Device and recovery key: a device list.
    pub const DEVICE_LIST: &str = "nodoor device list v1";
    /// Device and recovery key: a handle claim.
    pub const HANDLE: &str = "nodoor handle v1";
    /// Device key: a mailbox key statement.
    pub const MAILBOX_KEY: &str = "nodoor mailbox key v1";
    /// Device key: a dispute.
    pub const DISPUTE: &str = "nodoor dispute v1";
    /// Device key: that a published value is none of the account's lists.
    pub const DISOWNED: &str = "nodoor disowned v1";
    /// Device key: what section 6 lists of a message.
    pub const REPORT: &str = "nodoor report v1";
    /// Device key: the transcript of a linking.
    pub const LINK: &str = "nodoor link v1";
    /// Builder key: a release.
    pub const RELEASE: &str = "nodoor release v1";
    /// Login key: see [`super::login_bytes`].
    pub const LOGIN: &str = "nodoor login v1";
    /// Commit key: a commit header.
    pub const COMMIT: &str = nodoor_wire::header::COMMIT_LABEL;
}

/// The signature does not verify under this key and label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// The private half of an Ed25519 key. Wiped from memory when dropped; shows nothing in a log.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a 32-byte random seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The seed, to be stored.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `label || 0x00 || bytes`. `label` is one of [`label`].
    #[must_use]
    pub fn sign(&self, label: &str, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(&signed_bytes(label, bytes)).to_bytes()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// Verifies a signature over `label || 0x00 || bytes`.
///
/// Strict: keys of small order and non-canonical encodings are refused, so that everyone gives the same
/// answer about the same bytes and no key verifies what it did not sign.
///
/// # Errors
/// [`BadSignature`]: not 64 bytes, not a key, or not signed by it.
///
/// Spec: RFC 8032, 5.1.7.
pub fn verify(
    public: &[u8; 32],
    label: &str,
    bytes: &[u8],
    signature: &[u8],
) -> Result<(), BadSignature> {
    verify_bare(public, &signed_bytes(label, bytes), signature)
}

/// As [`verify`], over bytes without a label: for the formats of others, whose first line tells them apart.
pub(crate) fn verify_bare(
    public: &[u8; 32],
    message: &[u8],
    signature: &[u8],
) -> Result<(), BadSignature> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| BadSignature)?;
    let signature = Signature::from_slice(signature).map_err(|_| BadSignature)?;
    // A dependency may switch on `legacy_compatibility`, under which the library takes S + L for S.
    if signature.s_bytes().iter().rev().ge(ORDER.iter().rev()) {
        return Err(BadSignature);
    }
    key.verify_strict(message, &signature).map_err(|_| BadSignature)
}

/// The order L of the group, little-endian (RFC 8032, 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// What a login signs: the deployment, so that a challenge cannot be relayed, and the challenge.
#[must_use]
pub fn login_bytes(deployment: &DeploymentId, challenge: &[u8; 32]) -> Vec<u8> {
    [deployment.as_bytes(), challenge.as_slice()].concat()
}

/// Who signs a list or a statement.
#[derive(Debug, Clone, Copy)]
pub enum Signer<'a> {
    /// A device, with its device key.
    Device(&'a SigningKey),
    /// The recovery key.
    Recovery(&'a SigningKey),
}

impl Signer<'_> {
    /// How signatures name the signer: the device id, or nothing for the recovery key.
    #[must_use]
    pub fn name(&self) -> Vec<u8> {
        match self {
            Self::Device(key) => DeviceId::of(&key.public()).as_bytes().to_vec(),
            Self::Recovery(_) => Vec::new(),
        }
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        match self {
            Self::Device(key) | Self::Recovery(key) => key,
        }
    }
}
