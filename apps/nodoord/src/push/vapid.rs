// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who calls: the key by which push services know this server, so that nobody else can use what a browser gave it.
//!
//! Spec: RFC 8292; RFC 7515 and 7518 (ES256). `post` calls it.

use anyhow::{Result, anyhow};
use aws_lc_rs::{
    agreement::{ECDH_P256, PrivateKey},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};

/// A statement holds so long, seconds. At most a day.
const HOLDS: u64 = 12 * 3600;

/// The server's identity towards push services.
pub(crate) struct Identity {
    pair: EcdsaKeyPair,
    public: Vec<u8>,
    contact: Option<String>,
}

impl Identity {
    /// Of 32 random bytes.
    ///
    /// # Errors
    /// They are no scalar of P-256: one in four thousand million.
    pub(crate) fn new(seed: &[u8; 32], contact: Option<String>) -> Result<Self> {
        let no_key = || anyhow!("not a key of P-256");
        let private = PrivateKey::from_private_key(&ECDH_P256, seed).map_err(|_| no_key())?;
        let public = private.compute_public_key().map_err(|_| no_key())?.as_ref().to_vec();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, seed, &public)
            .map_err(|_| no_key())?;
        Ok(Self { pair, public, contact })
    }

    /// The public half, uncompressed.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// The `Authorization` of a call to the push service of this origin.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn authorization(&self, origin: &str, now_seconds: u64) -> Result<String> {
        let expires = now_seconds + HOLDS;
        // No quotation mark and no backslash is in either: an origin has none, a contact is checked.
        let contact = self.contact.as_ref();
        let contact = contact.map_or(String::new(), |contact| format!(r#","sub":"{contact}""#));
        let claims = format!(r#"{{"aud":"{origin}","exp":{expires}{contact}}}"#);
        let head = base64url(br#"{"typ":"JWT","alg":"ES256"}"#);
        let signed = format!("{head}.{}", base64url(claims.as_bytes()));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| anyhow!("a call could not be signed"))?;
        let signature = base64url(signature.as_ref());
        Ok(format!("vapid t={signed}.{signature}, k={}", base64url(&self.public)))
    }
}

/// RFC 4648, section 5, without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..=chunk.len() {
            let six = (bits >> (18 - 6 * place)) & 63;
            text.push(char::from(ALPHABET.get(six as usize).copied().unwrap_or(b'A')));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn base64url_as_rfc_4648_has_it() {
        for (bytes, text) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn a_statement_names_the_service_and_is_signed() {
        let identity = Identity::new(&[7; 32], Some("mailto:olga@example.org".into())).unwrap();
        let header = identity.authorization("https://push.example", 1_000).unwrap();
        let token = header.strip_prefix("vapid t=").unwrap();
        let (token, key) = token.split_once(", k=").unwrap();
        assert_eq!(key, base64url(identity.public()));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let claims =
            r#"{"aud":"https://push.example","exp":44200,"sub":"mailto:olga@example.org"}"#;
        assert!(signed.ends_with(&base64url(claims.as_bytes())));
        assert_eq!(signature.len(), 86);
        let raw = identity.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, identity.public());
        public.verify(signed.as_bytes(), raw.as_ref()).unwrap();
    }

    #[test]
    fn a_key_is_the_same_key_tomorrow() {
        let of = |seed| Identity::new(&[seed; 32], None).unwrap().public().to_vec();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert!(Identity::new(&[0xff; 32], None).is_err(), "beyond the order of the curve");
    }
}
