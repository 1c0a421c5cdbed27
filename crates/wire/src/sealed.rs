// SPDX-License-Identifier: AGPL-3.0-or-later
//! The sealings of the server's disk: hour keys, mailbox entries, bodies.
//!
//! The server draws these keys, uses them in memory and stores none of them in the clear: an hour key
//! is on disk only sealed to the mailbox's X-Wing key, a body's secret only inside entries. So the
//! server owns no key that opens what it stores, and no value repeats across mailboxes.
//!
//! Spec: `docs/book/protocol.md`, 4; draft-connolly-cfrg-xwing-kem; RFC 8439; RFC 5869.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use x_wing::{
    Ciphertext, Decapsulate as _, DecapsulationKey, Decapsulator as _, Encapsulate as _,
    EncapsulationKey, KeyExport as _,
};
use zeroize::Zeroizing;

use crate::id::{BodyId, DeviceId, HourKeyId, RoomId, TransportId, first_16, labelled_hash};

/// X-Wing public key, bytes.
pub const MAILBOX_KEY: usize = x_wing::ENCAPSULATION_KEY_SIZE;
/// A sealed hour key: X-Wing ciphertext and 32 bytes with their tag.
pub const SEALED_HOUR_KEY: usize = x_wing::CIPHERTEXT_SIZE + 32 + 16;

/// The bytes do not open under this key and context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("does not open under this key")]
pub struct CannotOpen;

/// ChaCha20-Poly1305 (RFC 8439) with a counter nonce (big endian, last 8 of 12 bytes). A caller never
/// uses a key and counter twice for different plaintexts.
#[must_use]
pub fn seal(key: &[u8; 32], counter: u64, additional_data: &[u8], plain: &[u8]) -> Vec<u8> {
    ChaCha20Poly1305::new(key.into())
        .encrypt(&nonce(counter), Payload { msg: plain, aad: additional_data })
        // Fails only beyond 256 GiB; an empty result opens nowhere.
        .unwrap_or_default()
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`CannotOpen`].
pub fn open(
    key: &[u8; 32],
    counter: u64,
    additional_data: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, CannotOpen> {
    ChaCha20Poly1305::new(key.into())
        .decrypt(&nonce(counter), Payload { msg: sealed, aad: additional_data })
        .map_err(|_| CannotOpen)
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = Nonce::default();
    nonce.iter_mut().skip(4).zip(counter.to_be_bytes()).for_each(|(to, from)| *to = from);
    nonce
}

/// The private half of a mailbox key: a 32-byte seed, only ever on its device.
pub struct MailboxSecret(Zeroizing<[u8; 32]>);

impl MailboxSecret {
    /// Wraps 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// The public half, [`MAILBOX_KEY`] bytes.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        DecapsulationKey::from(*self.0).encapsulation_key().to_bytes().to_vec()
    }

    /// Opens an hour key sealed by [`HourKey::seal`].
    ///
    /// # Errors
    /// [`CannotOpen`]: sealed to another key, for another device, or damaged.
    pub fn open(
        &self,
        device: &DeviceId,
        id: &HourKeyId,
        sealed: &[u8],
    ) -> Result<HourKey, CannotOpen> {
        let (ciphertext, rest) =
            sealed.split_at_checked(x_wing::CIPHERTEXT_SIZE).ok_or(CannotOpen)?;
        let ciphertext = Ciphertext::try_from(ciphertext).map_err(|_| CannotOpen)?;
        let shared = DecapsulationKey::from(*self.0).decapsulate(&ciphertext);
        let wrap = hour_wrap_key(shared.as_slice(), device, id)?;
        let key = open(&wrap, 0, &[], rest)?;
        let key = <[u8; 32]>::try_from(key).map_err(|_| CannotOpen)?;
        Ok(HourKey { id: *id, key: Zeroizing::new(key) })
    }
}

/// The AEAD key of one mailbox and hour.
#[derive(Clone)]
pub struct HourKey {
    id: HourKeyId,
    key: Zeroizing<[u8; 32]>,
}

impl HourKey {
    /// Draws a key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut id = HourKeyId([0; 8]);
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut id.0);
        rng.fill_bytes(&mut *key);
        Self { id, key }
    }

    /// Its public name.
    #[must_use]
    pub fn id(&self) -> HourKeyId {
        self.id
    }

    /// Seals the key to a mailbox: [`SEALED_HOUR_KEY`] bytes.
    ///
    /// # Errors
    /// [`CannotOpen`]: `mailbox_key` is not an X-Wing public key.
    pub fn seal(
        &self,
        device: &DeviceId,
        mailbox_key: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, CannotOpen> {
        let public = EncapsulationKey::try_from(mailbox_key).map_err(|_| CannotOpen)?;
        let mut rng = rng;
        let (ciphertext, shared) = public.encapsulate_with_rng(&mut rng);
        let wrap = hour_wrap_key(shared.as_slice(), device, &self.id)?;
        let mut sealed = ciphertext.to_vec();
        sealed.extend_from_slice(&seal(&wrap, 0, &[], self.key.as_slice()));
        Ok(sealed)
    }

    /// Seals an entry's plaintext (encoded `EntryPlain`) for one sequence of one mailbox.
    #[must_use]
    pub fn seal_entry(&self, device: &DeviceId, sequence: u64, plain: &[u8]) -> Vec<u8> {
        seal(&self.key, sequence, &entry_data(device, sequence), plain)
    }

    /// Opens an entry.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn open_entry(
        &self,
        device: &DeviceId,
        sequence: u64,
        sealed: &[u8],
    ) -> Result<Vec<u8>, CannotOpen> {
        open(&self.key, sequence, &entry_data(device, sequence), sealed)
    }
}

fn hour_wrap_key(
    shared: &[u8],
    device: &DeviceId,
    id: &HourKeyId,
) -> Result<Zeroizing<[u8; 32]>, CannotOpen> {
    let info = [b"nodoor hour key v1".as_slice(), device.as_bytes(), id.as_bytes()].concat();
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, shared).expand(&info, &mut *key).map_err(|_| CannotOpen)?;
    Ok(key)
}

fn entry_data(device: &DeviceId, sequence: u64) -> Vec<u8> {
    [b"nodoor entry v1".as_slice(), device.as_bytes(), &sequence.to_be_bytes()].concat()
}

/// The secret of one stored body: whoever holds it can name, fetch, open and release the body.
#[derive(Clone, PartialEq, Eq)]
pub struct BodySecret(pub [u8; 32]);

impl BodySecret {
    /// Draws a secret.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        Self(secret)
    }

    /// The id by which the body is asked for.
    #[must_use]
    pub fn id(&self) -> BodyId {
        BodyId(first_16(labelled_hash("nodoor body id", &self.0)))
    }

    /// Seals the body for the disk.
    #[must_use]
    pub fn seal(&self, body: &[u8]) -> Vec<u8> {
        seal(&self.key(), 0, self.id().as_bytes(), body)
    }

    /// Opens the body.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        open(&self.key(), 0, self.id().as_bytes(), sealed)
    }

    fn key(&self) -> [u8; 32] {
        labelled_hash("nodoor body key", &self.0)
    }
}

/// The name of a body on disk: SHA-256 of its id, so that the disk does not hold ids.
#[must_use]
pub fn body_disk_name(id: &BodyId) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

/// What an entry keeps to check that an acknowledgement names its own body. `salt` is of that entry.
#[must_use]
pub fn release_check(id: &BodyId, salt: &[u8; 16]) -> [u8; 32] {
    labelled_hash("nodoor release", &[id.as_bytes(), salt.as_slice()].concat())
}

/// The append-once key of a sending. Who knows neither room nor sending joins it to nothing.
#[must_use]
pub fn once_key(room: &RoomId, transport: &TransportId) -> [u8; 32] {
    labelled_hash("nodoor once", &[room.as_bytes(), transport.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts upward: enough for tests that compare sealings, never for keys that matter.
    struct Counting(u8);
    impl rand_core::TryRng for Counting {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            for byte in bytes {
                self.0 = self.0.wrapping_add(1);
                *byte = self.0;
            }
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Counting {}

    #[test]
    fn only_the_mailbox_it_was_sealed_for_opens_an_hour_key() {
        let (device, other) = (DeviceId([1; 16]), DeviceId([2; 16]));
        let secret = MailboxSecret::from_seed([5; 32]);
        let hour = HourKey::generate(&mut Counting(0));
        let sealed = hour.seal(&device, &secret.public(), &mut Counting(9)).unwrap();
        assert_eq!(sealed.len(), SEALED_HOUR_KEY);
        let opened = secret.open(&device, &hour.id(), &sealed).unwrap();
        let entry = hour.seal_entry(&device, 3, b"entry");
        assert_eq!(opened.open_entry(&device, 3, &entry).unwrap(), b"entry");
        assert!(opened.open_entry(&device, 4, &entry).is_err());
        assert!(opened.open_entry(&other, 3, &entry).is_err());
        assert!(secret.open(&other, &hour.id(), &sealed).is_err());
        assert!(MailboxSecret::from_seed([6; 32]).open(&device, &hour.id(), &sealed).is_err());
    }

    #[test]
    fn a_body_opens_with_its_secret_and_releases_by_its_own_entry_only() {
        let secret = BodySecret([3; 32]);
        let sealed = secret.seal(b"frame");
        assert_eq!(secret.open(&sealed).unwrap(), b"frame");
        assert!(BodySecret([4; 32]).open(&sealed).is_err());
        let id = secret.id();
        assert_ne!(release_check(&id, &[0; 16]), release_check(&id, &[1; 16]));
        assert_ne!(
            release_check(&id, &[0; 16]),
            release_check(&BodySecret([4; 32]).id(), &[0; 16])
        );
    }
}
