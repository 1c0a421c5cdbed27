// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a call says, sealed to the browser that asked for it: one record, always of the same length.
//!
//! The key it is sealed to was made by a browser for its push subscription and for nothing else. Nothing here opens anything.
//!
//! Spec: RFC 8188; RFC 8291, 3.4 and 4. `post` calls it.

use anyhow::{Result, anyhow};
use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand,
};

/// Bytes of every sealed call.
pub(crate) const LENGTH: usize = 128;
/// All that a call says: that it is one, of this version.
const CONTENT: &[u8] = &[1];
/// Salt, record size, length of the key, the key.
const HEAD: usize = 16 + 4 + 1 + 65;
const TAG: usize = 16;
const RECORD_SIZE: u32 = 4096;

/// Seals a call for whoever holds the private half of `key`, and `auth`.
///
/// # Errors
/// `key` is no point of P-256.
pub(crate) fn seal(key: &[u8], auth: &[u8]) -> Result<Vec<u8>> {
    let mut salt = [0; 16];
    rand::fill(&mut salt).map_err(|_| failed())?;
    let own = PrivateKey::generate(&ECDH_P256).map_err(|_| failed())?;
    seal_with(&own, salt, key, auth, CONTENT, LENGTH - HEAD - TAG)
}

/// The same with everything chosen: `padded` bytes of content, delimiter and padding.
fn seal_with(
    own: &PrivateKey,
    salt: [u8; 16],
    key: &[u8],
    auth: &[u8],
    content: &[u8],
    padded: usize,
) -> Result<Vec<u8>> {
    let public = own.compute_public_key().map_err(|_| failed())?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, key);
    let info = [b"WebPush: info\0", key, public.as_ref()].concat();
    let shared = agree(own, theirs, failed(), |shared| {
        expand::<32>(&Salt::new(HKDF_SHA256, auth), shared, &info)
    })?;
    let salted = Salt::new(HKDF_SHA256, &salt);
    let content_key: [u8; 16] = expand(&salted, &shared, b"Content-Encoding: aes128gcm\0")?;
    let nonce: [u8; 12] = expand(&salted, &shared, b"Content-Encoding: nonce\0")?;

    let mut record = [content, &[2]].concat();
    record.resize(padded.max(record.len()), 0);
    let content_key = UnboundKey::new(&AES_128_GCM, &content_key).map_err(|_| failed())?;
    LessSafeKey::new(content_key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
        .map_err(|_| failed())?;
    let id = public.as_ref();
    let length = u8::try_from(id.len())?;
    Ok([&salt, RECORD_SIZE.to_be_bytes().as_slice(), &[length], id, &record].concat())
}

fn expand<const N: usize>(salt: &Salt, secret: &[u8], info: &[u8]) -> Result<[u8; N]> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut out = [0; N];
    let prk = salt.extract(secret);
    let info = [info];
    let derived = prk.expand(&info, Length(N)).map_err(|_| failed())?;
    derived.fill(&mut out).map_err(|_| failed())?;
    Ok(out)
}

fn failed() -> anyhow::Error {
    anyhow!("a call could not be sealed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::vapid::base64url;

    fn bytes(text: &str) -> Vec<u8> {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (mut bits, mut held, mut out) = (0_u32, 0, Vec::new());
        for byte in text.bytes() {
            let value = alphabet.iter().position(|one| *one == byte).unwrap();
            bits = (bits << 6) | u32::try_from(value).unwrap();
            held += 6;
            if held >= 8 {
                held -= 8;
                out.push(u8::try_from((bits >> held) & 0xff).unwrap());
            }
        }
        out
    }

    // RFC 8291, section 5 and appendix A.
    const UA_PUBLIC: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const AS_PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
    const MESSAGE: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml\
                           mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT\
                           pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

    #[test]
    fn the_example_of_rfc_8291_comes_out() {
        let own = PrivateKey::from_private_key(&ECDH_P256, &bytes(AS_PRIVATE)).unwrap();
        let salt = bytes(SALT).try_into().unwrap();
        let content = b"When I grow up, I want to be a watermelon";
        let sealed = seal_with(&own, salt, &bytes(UA_PUBLIC), &bytes(AUTH), content, 0).unwrap();
        assert_eq!(base64url(&sealed), MESSAGE);
    }

    #[test]
    fn every_call_is_as_long_as_every_other_and_none_is_like_another() {
        let calls: Vec<_> =
            (0..20).map(|_| seal(&bytes(UA_PUBLIC), &bytes(AUTH)).unwrap()).collect();
        assert!(calls.iter().all(|call| call.len() == LENGTH));
        let distinct: std::collections::BTreeSet<_> = calls.iter().collect();
        assert_eq!(distinct.len(), calls.len());
    }

    #[test]
    fn what_is_no_point_seals_nothing() {
        assert!(seal(&[4; 65], &bytes(AUTH)).is_err());
        assert!(seal(&[], &bytes(AUTH)).is_err());
    }
}
