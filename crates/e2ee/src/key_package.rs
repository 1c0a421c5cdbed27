// SPDX-License-Identifier: AGPL-3.0-or-later
//! Key packages: what a device leaves at the server so that it can be added while it sleeps.

use nodoor_wire::id::Token;
use openmls::prelude::{
    KeyPackage, KeyPackageIn, Lifetime, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    OpenMlsProvider as _, ProtocolVersion,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls_traits::storage::StorageProvider as _;
use rand_core::CryptoRng;

use crate::{
    group::{BadLeaf, Leaf},
    identity::Identity,
    leaf::{self, LeafKeys, Place},
    store::{Damaged, KeyValue, Provider},
    suite::{self, SUITE},
};

/// How long a key package may be used, the same in every one: always. Each receiver of an Add compares the lifetime
/// with its own clock; any other value would let a slow clock, or a server that hands an old package out late, make
/// honest members disagree about a commit. Which devices may enter is for their owner's list to say, not for a clock.
pub(crate) fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// A key package to upload, and the token to register before.
pub struct Made {
    /// The TLS-encoded MLS message, about 2.8 KiB.
    pub bytes: Vec<u8>,
    /// What the leaf will be reached by.
    pub token: Token,
}

/// Why a key package is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyPackageError {
    /// The peer's (or the server's) fault: not a key package, a signature that does not hold, a lifetime that ends.
    #[error("not a valid key package")]
    Invalid,
    /// The peer's fault: another suite, or capabilities a room needs are missing.
    #[error("a key package of another suite or without what rooms need")]
    Unsupported,
    /// The peer's fault: credential or extension do not decode.
    #[error(transparent)]
    Leaf(#[from] BadLeaf),
    /// Our fault, or the disk's: it could not be made.
    #[error("could not make a key package")]
    Make,
}

/// Makes a key package with a fresh token and commit key; their private halves go to the store.
/// A last-resort one may be used by several rooms: whoever joins by it takes a fresh token with the next
/// commit there.
///
/// # Errors
/// [`KeyPackageError::Make`].
pub fn make(
    store: &dyn KeyValue,
    me: &Identity,
    last_resort: bool,
    rng: &mut dyn CryptoRng,
) -> Result<Made, KeyPackageError> {
    let provider = Provider::new(store);
    let commit_key = leaf::draw_commit_key(rng);
    let keys = LeafKeys {
        token: crate::token::draw(store, rng),
        commit_key: commit_key.verifying_key().to_bytes(),
    };
    let mut builder = KeyPackage::builder()
        .key_package_lifetime(lifetime())
        .leaf_node_capabilities(suite::capabilities())
        .leaf_node_extensions(suite::leaf_extensions(&keys).ok_or(KeyPackageError::Make)?);
    if last_resort {
        builder = builder.mark_as_last_resort();
    }
    let bundle =
        builder.build(SUITE, &provider, me, me.credential()).map_err(|_| KeyPackageError::Make)?;
    Place::KeyPackage.keep(store, &commit_key);
    let bytes = MlsMessageOut::from(bundle.key_package().clone())
        .tls_serialize_detached()
        .map_err(|_| KeyPackageError::Make)?;
    Ok(Made { bytes, token: keys.token })
}

/// Validates a key package and tells what its leaf claims; `index` of the result means nothing yet.
///
/// # Errors
/// [`KeyPackageError`].
pub fn inspect(bytes: &[u8]) -> Result<Leaf, KeyPackageError> {
    validate(bytes).map(|(_, leaf)| leaf)
}

/// Forgets the private halves of a key package of ours: a Welcome by it opens no more. Its token is the caller's to
/// forget, at the server too.
///
/// # Errors
/// [`KeyPackageError`].
pub fn forget(store: &dyn KeyValue, bytes: &[u8]) -> Result<(), KeyPackageError> {
    let (package, leaf) = validate(bytes)?;
    let reference = package.hash_ref(&suite::crypto()).map_err(|_| KeyPackageError::Invalid)?;
    Provider::new(store).storage().delete_key_package(&reference)?;
    Place::KeyPackage.forget(store, &leaf.commit_key);
    Ok(())
}

pub(crate) fn validate(bytes: &[u8]) -> Result<(KeyPackage, Leaf), KeyPackageError> {
    let message =
        MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| KeyPackageError::Invalid)?;
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
        return Err(KeyPackageError::Invalid);
    };
    let package = KeyPackageIn::validate(package, &suite::crypto(), ProtocolVersion::Mls10)
        .map_err(|_| KeyPackageError::Invalid)?;
    if *package.life_time() != lifetime() {
        return Err(KeyPackageError::Invalid);
    }
    if package.ciphersuite() != SUITE || !suite::is_capable(package.leaf_node().capabilities()) {
        return Err(KeyPackageError::Unsupported);
    }
    let leaf = leaf::read(0, package.leaf_node())?;
    Ok((package, leaf))
}

impl From<Damaged> for KeyPackageError {
    fn from(_: Damaged) -> Self {
        Self::Make
    }
}
