// SPDX-License-Identifier: AGPL-3.0-or-later
//! The primitives of our one suite, as OpenMLS asks for them. Any other is refused before it is looked at.
//!
//! `RustCrypto` computes, and knows a dozen suites: three curves of NIST's and Koblitz', ML-KEM and ML-DSA in all their sizes.
//! Which one is meant comes with what others send. Here everything handed on is the constant, so that none of the others
//! can be reached, nor is in the web app.
//!
//! The HPKE of RFC 9180 is `hpke_rs`'s, over X-Wing, HKDF-SHA256 and AES-128-GCM; only the choice is ours.

use hpke_rs::{Hpke, HpkeError, Mode};
use hpke_rs_crypto::{
    HpkeCrypto,
    error::Error as HpkeRefusal,
    types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm},
};
use hpke_rs_rust_crypto::{HpkeRustCrypto, HpkeRustCryptoPrng};
use openmls::prelude::{Ciphersuite, OpenMlsCrypto, OpenMlsRand, tls_codec::SecretVLBytes};
use openmls_rust_crypto::{RandError, RustCrypto};
use openmls_traits::types::{
    AeadType, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig,
    HpkeKdfType, HpkeKemType, HpkeKeyPair, KemOutput, SignatureScheme,
};

use crate::suite::SUITE;

const HASH: HashType = HashType::Sha2_256;
const AEAD: AeadType = AeadType::Aes128Gcm;
const SIGNATURE: SignatureScheme = SignatureScheme::ED25519;
const KEM: KemAlgorithm = KemAlgorithm::XWingDraft06;
const HPKE_KDF: KdfAlgorithm = KdfAlgorithm::HkdfSha256;
const HPKE_AEAD: AeadAlgorithm = AeadAlgorithm::Aes128Gcm;

/// What OpenMLS computes with, and draws from.
#[derive(Debug, Default)]
pub(crate) struct Primitives(RustCrypto);

fn only<T: PartialEq>(asked: T, ours: T, refusal: CryptoError) -> Result<(), CryptoError> {
    if asked == ours { Ok(()) } else { Err(refusal) }
}

fn hash(asked: HashType) -> Result<(), CryptoError> {
    only(asked, HASH, CryptoError::UnsupportedHashAlgorithm)
}

fn aead(asked: AeadType) -> Result<(), CryptoError> {
    only(asked, AEAD, CryptoError::UnsupportedAeadAlgorithm)
}

fn signature(asked: SignatureScheme) -> Result<(), CryptoError> {
    only(asked, SIGNATURE, CryptoError::UnsupportedSignatureScheme)
}

fn hpke(asked: HpkeConfig) -> Result<Hpke<OneSuite>, CryptoError> {
    match asked {
        HpkeConfig(
            HpkeKemType::XWingKemDraft6,
            HpkeKdfType::HkdfSha256,
            HpkeAeadType::AesGcm128,
        ) => Ok(Hpke::new(Mode::Base, KEM, HPKE_KDF, HPKE_AEAD)),
        _ => Err(CryptoError::UnsupportedCiphersuite),
    }
}

/// A key or length of others that does not fit is theirs to mend.
fn length_or(error: &HpkeError, otherwise: CryptoError) -> CryptoError {
    if *error == HpkeError::InvalidInput { CryptoError::InvalidLength } else { otherwise }
}

impl OpenMlsCrypto for Primitives {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        only(suite, SUITE, CryptoError::UnsupportedCiphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![SUITE]
    }

    fn hkdf_extract(
        &self,
        asked: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        hash(asked)?;
        self.0.hkdf_extract(HASH, salt, ikm)
    }

    fn hmac(
        &self,
        asked: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        hash(asked)?;
        self.0.hmac(HASH, key, message)
    }

    fn hkdf_expand(
        &self,
        asked: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        hash(asked)?;
        self.0.hkdf_expand(HASH, prk, info, length)
    }

    fn hash(&self, asked: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        hash(asked)?;
        self.0.hash(HASH, data)
    }

    fn aead_encrypt(
        &self,
        asked: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        aead(asked)?;
        self.0.aead_encrypt(AEAD, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        asked: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        aead(asked)?;
        self.0.aead_decrypt(AEAD, key, sealed, nonce, aad)
    }

    fn signature_key_gen(&self, asked: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        signature(asked)?;
        self.0.signature_key_gen(SIGNATURE)
    }

    fn verify_signature(
        &self,
        asked: SignatureScheme,
        data: &[u8],
        key: &[u8],
        signed: &[u8],
    ) -> Result<(), CryptoError> {
        signature(asked)?;
        self.0.verify_signature(SIGNATURE, data, key, signed)
    }

    fn sign(
        &self,
        asked: SignatureScheme,
        data: &[u8],
        key: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        signature(asked)?;
        self.0.sign(SIGNATURE, data, key)
    }

    fn hpke_seal(
        &self,
        asked: HpkeConfig,
        receiver: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let (kem_output, ciphertext) = hpke(asked)?
            .seal(&receiver.into(), info, aad, plain, None, None, None)
            .map_err(|error| length_or(&error, CryptoError::CryptoLibraryError))?;
        Ok(HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() })
    }

    fn hpke_open(
        &self,
        asked: HpkeConfig,
        input: &HpkeCiphertext,
        private: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let (kem_output, sealed) = (input.kem_output.as_slice(), input.ciphertext.as_slice());
        hpke(asked)?
            .open(kem_output, &private.into(), info, aad, sealed, None, None, None)
            .map_err(|_| CryptoError::HpkeDecryptionError)
    }

    fn hpke_setup_sender_and_export(
        &self,
        asked: HpkeConfig,
        receiver: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let (kem_output, sender) = hpke(asked)?
            .setup_sender(&receiver.into(), info, None, None, None)
            .map_err(|_| CryptoError::SenderSetupError)?;
        let secret = sender.export(context, length).map_err(|_| CryptoError::ExporterError)?;
        Ok((kem_output, secret.into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        asked: HpkeConfig,
        kem_output: &[u8],
        private: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        let receiver = hpke(asked)?
            .setup_receiver(kem_output, &private.into(), info, None, None, None)
            .map_err(|_| CryptoError::ReceiverSetupError)?;
        let secret = receiver.export(context, length).map_err(|_| CryptoError::ExporterError)?;
        Ok(secret.into())
    }

    fn derive_hpke_keypair(
        &self,
        asked: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        let (private, public) = hpke(asked)?
            .derive_key_pair(ikm)
            .map_err(|error| length_or(&error, CryptoError::CryptoLibraryError))?
            .into_keys();
        Ok(HpkeKeyPair { private: private.as_slice().into(), public: public.as_slice().into() })
    }
}

impl OpenMlsRand for Primitives {
    type Error = RandError;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], RandError> {
        self.0.random_array()
    }

    fn random_vec(&self, length: usize) -> Result<Vec<u8>, RandError> {
        self.0.random_vec(length)
    }
}

/// `HpkeRustCrypto` with one algorithm of each kind.
#[derive(Debug)]
struct OneSuite;

fn kem(asked: KemAlgorithm) -> Result<(), HpkeRefusal> {
    if asked == KEM { Ok(()) } else { Err(HpkeRefusal::UnknownKemAlgorithm) }
}

fn kdf(asked: KdfAlgorithm) -> Result<(), HpkeRefusal> {
    if asked == HPKE_KDF { Ok(()) } else { Err(HpkeRefusal::UnknownKdfAlgorithm) }
}

fn hpke_aead(asked: AeadAlgorithm) -> Result<(), HpkeRefusal> {
    if asked == HPKE_AEAD { Ok(()) } else { Err(HpkeRefusal::UnknownAeadAlgorithm) }
}

type Pair = Result<(Vec<u8>, Vec<u8>), HpkeRefusal>;
type Bytes = Result<Vec<u8>, HpkeRefusal>;

impl HpkeCrypto for OneSuite {
    type HpkePrng = HpkeRustCryptoPrng;

    fn name() -> String {
        HpkeRustCrypto::name()
    }

    fn supports_kdf(asked: KdfAlgorithm) -> Result<(), HpkeRefusal> {
        kdf(asked)
    }

    fn supports_kem(asked: KemAlgorithm) -> Result<(), HpkeRefusal> {
        kem(asked)
    }

    fn supports_aead(asked: AeadAlgorithm) -> Result<(), HpkeRefusal> {
        hpke_aead(asked)
    }

    fn prng() -> HpkeRustCryptoPrng {
        HpkeRustCrypto::prng()
    }

    fn kdf_extract(asked: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Bytes {
        kdf(asked)?;
        HpkeRustCrypto::kdf_extract(HPKE_KDF, salt, ikm)
    }

    fn kdf_expand(asked: KdfAlgorithm, prk: &[u8], info: &[u8], length: usize) -> Bytes {
        kdf(asked)?;
        HpkeRustCrypto::kdf_expand(HPKE_KDF, prk, info, length)
    }

    // X-Wing is no Diffie-Hellman group.

    fn dh(_: KemAlgorithm, _: &[u8], _: &[u8]) -> Bytes {
        Err(HpkeRefusal::UnknownKemAlgorithm)
    }

    fn secret_to_public(_: KemAlgorithm, _: &[u8]) -> Bytes {
        Err(HpkeRefusal::UnsupportedKemOperation)
    }

    fn dh_validate_sk(_: KemAlgorithm, _: &[u8]) -> Bytes {
        Err(HpkeRefusal::UnknownKemAlgorithm)
    }

    fn kem_key_gen(asked: KemAlgorithm, prng: &mut HpkeRustCryptoPrng) -> Pair {
        kem(asked)?;
        HpkeRustCrypto::kem_key_gen(KEM, prng)
    }

    fn kem_key_gen_derand(asked: KemAlgorithm, seed: &[u8]) -> Pair {
        kem(asked)?;
        HpkeRustCrypto::kem_key_gen_derand(KEM, seed)
    }

    fn kem_encaps(asked: KemAlgorithm, receiver: &[u8], prng: &mut HpkeRustCryptoPrng) -> Pair {
        kem(asked)?;
        HpkeRustCrypto::kem_encaps(KEM, receiver, prng)
    }

    fn kem_decaps(asked: KemAlgorithm, sealed: &[u8], private: &[u8]) -> Bytes {
        kem(asked)?;
        HpkeRustCrypto::kem_decaps(KEM, sealed, private)
    }

    fn aead_seal(
        asked: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Bytes {
        hpke_aead(asked)?;
        HpkeRustCrypto::aead_seal(HPKE_AEAD, key, nonce, aad, plain)
    }

    fn aead_open(
        asked: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Bytes {
        hpke_aead(asked)?;
        HpkeRustCrypto::aead_open(HPKE_AEAD, key, nonce, aad, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: HpkeConfig =
        HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128);

    #[test]
    fn the_suite_is_made_of_these() {
        assert_eq!(SUITE.hash_algorithm(), HASH);
        assert_eq!(SUITE.aead_algorithm(), AEAD);
        assert_eq!(SUITE.signature_algorithm(), SIGNATURE);
        assert!(hpke(SUITE.hpke_config()).is_ok());
    }

    #[test]
    fn what_one_seals_the_other_opens() {
        let (ours, theirs) = (Primitives::default(), RustCrypto::default());
        let keys = ours.derive_hpke_keypair(OURS, &[7; 32]).unwrap();
        let same = theirs.derive_hpke_keypair(OURS, &[7; 32]).unwrap();
        assert_eq!((&*keys.private, &keys.public), (&*same.private, &same.public));
        let sealed = ours.hpke_seal(OURS, &keys.public, b"info", b"aad", b"text").unwrap();
        let opened = theirs.hpke_open(OURS, &sealed, &keys.private, b"info", b"aad").unwrap();
        assert_eq!(opened, b"text");
        let sealed = theirs.hpke_seal(OURS, &keys.public, b"info", b"aad", b"text").unwrap();
        let opened = ours.hpke_open(OURS, &sealed, &keys.private, b"info", b"aad").unwrap();
        assert_eq!(opened, b"text");
        let other = ours.hpke_open(OURS, &sealed, &keys.private, b"info", b"other");
        assert_eq!(other, Err(CryptoError::HpkeDecryptionError));
        let (kem, exported) =
            ours.hpke_setup_sender_and_export(OURS, &keys.public, b"info", b"for", 32).unwrap();
        let received = theirs
            .hpke_setup_receiver_and_export(OURS, &kem, &keys.private, b"info", b"for", 32)
            .unwrap();
        assert_eq!(&*exported, &*received);
    }

    #[test]
    fn no_other_suite_can_be_asked_for() {
        let (ours, all) = (Primitives::default(), RustCrypto::default());
        for suite in all.supported_ciphersuites() {
            if suite == SUITE {
                continue;
            }
            assert!(ours.supports(suite).is_err());
            assert!(ours.derive_hpke_keypair(suite.hpke_config(), &[7; 32]).is_err(), "{suite}");
        }
        for hash in [HashType::Sha2_384, HashType::Sha2_512] {
            assert!(ours.hash(hash, b"text").is_err());
            assert!(ours.hmac(hash, b"key", b"text").is_err());
            assert!(ours.hkdf_extract(hash, b"salt", b"key").is_err());
            assert!(ours.hkdf_expand(hash, &[7; 64], b"info", 32).is_err());
        }
        for aead in [AeadType::Aes256Gcm, AeadType::ChaCha20Poly1305] {
            assert!(ours.aead_encrypt(aead, &[7; 32], b"text", &[7; 12], b"").is_err());
        }
        for scheme in [SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::MLDSA44] {
            assert!(all.signature_key_gen(scheme).is_ok());
            let (private, public) = all.signature_key_gen(scheme).unwrap();
            let signed = all.sign(scheme, b"text", &private).unwrap();
            assert!(all.verify_signature(scheme, b"text", &public, &signed).is_ok());
            assert!(ours.verify_signature(scheme, b"text", &public, &signed).is_err());
            assert!(ours.sign(scheme, b"text", &private).is_err());
        }
    }
}
