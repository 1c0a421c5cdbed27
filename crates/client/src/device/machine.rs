// SPDX-License-Identifier: AGPL-3.0-or-later
//! Linking, as two state machines: the new device's side and that of the device one has. Each state is a struct, and
//! what comes out of a slot moves it to the next or ends it; nothing here sends, stores or looks at a clock.
//!
//! What an attacker who sees the link, or shows one of their own, or runs the rendezvous, meets: the code is drawn by the
//! old device and shown there, and nothing that the two send each other says what it is ([`super::exchange`]). The old
//! device signs for whoever proves to know it, after three tries at most for none, and the proof is bound to the keys it
//! signs. The new device signs a list only for whoever knows what its person typed, and only one that follows the
//! chain of the account which that proof covers and adds itself and nothing else.
//!
//! Spec: `docs/book/ledger.md`, 8; decision 0012. [`super::meeting`] moves the slots.

use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey, label},
    link::Code,
    list::{Device, DeviceList},
    meeting::{Answer, Attempt, Bare, Host, NAME, Newcomer, Outcome, SeenLog},
};
use nodoor_wire::{id::DeviceId, limits, proto};
use rand_core::CryptoRng;

use crate::device::exchange::{Half, Message, Proofs, Side};

/// How often a code may be typed.
pub(crate) const TRIES: u8 = 3;

/// Why a linking goes no further. Nothing was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// What came does not fit together: somebody is between the two, or one of them is at fault.
    Forged,
    /// The code was typed wrongly too often.
    Tries,
    /// The account's list is another by now.
    ListChanged,
    /// The account has as many devices as it may have.
    TooManyDevices,
    /// The other side says why.
    Told(Outcome),
}

// ---- the new device --------------------------------------------------------------------------------

/// The keys of a device that has no account yet. Secret.
#[derive(Clone)]
pub(crate) struct Keys {
    /// Seed of the device key.
    pub(crate) device_seed: [u8; 32],
    /// Seed of the MLS signature key.
    pub(crate) mls_seed: [u8; 32],
    /// Seed of the login key.
    pub(crate) login_seed: [u8; 32],
}

impl Keys {
    /// The device key.
    pub(crate) fn device_key(&self) -> SigningKey {
        SigningKey::from_seed(self.device_seed)
    }

    /// The public halves, as a list names them.
    pub(crate) fn device(&self) -> Device {
        Device::new(
            self.device_key().public(),
            SigningKey::from_seed(self.mls_seed).public(),
            SigningKey::from_seed(self.login_seed).public(),
        )
    }
}

/// The new device shows its link and waits for slot 1.
#[derive(Clone)]
pub(crate) struct Shown {
    keys: Keys,
    /// Slot 0.
    pub(crate) slot_0: Vec<u8>,
}

impl Shown {
    /// Begins, with fresh keys.
    pub(crate) fn begin(keys: Keys, name: &str) -> Self {
        let name = name.chars().take(NAME).collect();
        let slot_0 = Newcomer { device: keys.device(), name }.to_vec();
        Self { keys, slot_0 }
    }

    /// Slot 1: an account answers. Whose it is the code will show.
    pub(crate) fn answered(self, slot_1: &[u8]) -> Result<Waiting, Broken> {
        let host = Host::from_slice(slot_1).map_err(|_| Broken::Forged)?;
        let said = [self.slot_0.as_slice(), slot_1].concat();
        Ok(Waiting { keys: self.keys, host, said, tries_left: TRIES, proofs: None })
    }
}

/// The new device waits for what the old one says: a code may be typed; the one that was typed is right; it is over.
#[derive(Clone)]
pub(crate) struct Waiting {
    keys: Keys,
    /// What slot 1 said.
    pub(crate) host: Host,
    said: Vec<u8>,
    tries_left: u8,
    /// Of the code that was typed last.
    proofs: Option<Proofs>,
}

/// What the old device's word led to.
pub(crate) enum Heard {
    /// A code may be typed.
    Ask(Asking),
    /// The code that was typed was right: what it offers.
    Right(Matched),
}

impl Waiting {
    /// A slot of the old device, from 2 on.
    pub(crate) fn heard(self, slot: &[u8]) -> Result<Heard, Broken> {
        match Answer::from_slice(slot).map_err(|_| Broken::Forged)? {
            Answer::Try(_) if self.tries_left == 0 => Err(Broken::Tries),
            Answer::Try(message) => {
                let Self { keys, host, said, tries_left, .. } = self;
                Ok(Heard::Ask(Asking { keys, host, said, tries_left, message }))
            }
            Answer::Offer { proof, body, signature } => {
                // Only who knows what was typed here says the truth about whose device it is.
                let knows = |proofs: &Proofs| proofs.is_right(Side::Old, &proof);
                if !self.proofs.as_ref().is_some_and(knows) {
                    return Err(Broken::Forged);
                }
                Ok(Heard::Right(Matched { keys: self.keys, host: self.host, body, signature }))
            }
            Answer::End(why) => Err(Broken::Told(why)),
        }
    }
}

/// The new device waits for the code.
#[derive(Clone)]
pub(crate) struct Asking {
    keys: Keys,
    /// What slot 1 said.
    pub(crate) host: Host,
    said: Vec<u8>,
    /// How often it may be typed still.
    pub(crate) tries_left: u8,
    message: Message,
}

impl Asking {
    /// A person typed this. Six digits are an attempt, for the next odd slot; nothing else leaves this device.
    pub(crate) fn typed(
        &self,
        text: &str,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<(Waiting, Vec<u8>)>, Broken> {
        let Some(code) = Code::parse(text) else {
            return Ok(None);
        };
        let half = Half::begin(Side::New, code, &self.said, rng).ok_or(Broken::Forged)?;
        let message = half.message();
        let proofs = half.finish(&self.message).ok_or(Broken::Forged)?;
        let attempt = Attempt { message, proof: proofs.of(Side::New) }.to_vec();
        let (keys, host, said) = (self.keys.clone(), self.host.clone(), self.said.clone());
        let tries_left = self.tries_left.saturating_sub(1);
        Ok(Some((Waiting { keys, host, said, tries_left, proofs: Some(proofs) }, attempt)))
    }
}

/// The code was right on both sides: the list that the old device offers waits to be judged.
#[derive(Clone)]
pub(crate) struct Matched {
    keys: Keys,
    /// What slot 1 said, now that the code vouches for it.
    pub(crate) host: Host,
    body: Vec<u8>,
    signature: [u8; 64],
}

impl Matched {
    /// Judges it. `chain` is the account's, verified from its id on, at least up to the list that slot 1 named.
    pub(crate) fn judged(self, chain: &Chain) -> Result<Signed, Broken> {
        let newest = chain.newest();
        if chain.account() != self.host.account || newest.hash() != self.host.list {
            return Err(Broken::ListChanged);
        }
        let own = self.keys.device();
        let expected = with_device(newest, own)?;
        if expected.to_vec() != self.body {
            // Another device smuggled in, one left out, another recovery key, another account: whatever it is.
            return Err(Broken::Forged);
        }
        let key = self.keys.device_key();
        let mut list = expected.sign(&[Signer::Device(&key)]);
        list.signatures.insert(
            0,
            proto::ListSignature {
                signer: self.host.device.to_bytes(),
                signature: self.signature.to_vec().into(),
            },
        );
        let mut after = chain.clone();
        after.extend(&list).map_err(|_| Broken::Forged)?;
        let own_signature = key.sign(label::DEVICE_LIST, &self.body);
        Ok(Signed { keys: self.keys, signature: Bare(own_signature).to_vec() })
    }
}

/// The new device signed: from here on the list alone decides.
#[derive(Clone)]
pub(crate) struct Signed {
    /// Its keys.
    pub(crate) keys: Keys,
    /// The slot after the offer.
    pub(crate) signature: Vec<u8>,
}

// ---- the device one has ----------------------------------------------------------------------------

/// The old device shows the code and waits for an attempt at it.
pub(crate) struct Showing {
    newcomer: Newcomer,
    host: Host,
    said: Vec<u8>,
    code: Code,
    half: Half,
    tries_left: u8,
}

/// What an attempt led to.
pub(crate) enum Tried {
    /// It was right.
    Right(Box<Offered>),
    /// It was not, and there is another.
    Wrong(Box<Showing>),
}

impl Showing {
    /// Slot 0: a device asks. `chain` is our own, `of` this device and the log it sees, `code` fresh. Slot 1 comes with it.
    pub(crate) fn begin(
        slot_0: &[u8],
        chain: &Chain,
        of: (DeviceId, Option<SeenLog>),
        code: Code,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, Vec<u8>), Broken> {
        let newcomer = Newcomer::from_slice(slot_0).map_err(|_| Broken::Forged)?;
        let newest = chain.newest();
        with_device(newest, newcomer.device.clone())?;
        let (device, log) = of;
        let host = Host { account: chain.account(), list: newest.hash(), device, log };
        let slot_1 = host.to_vec();
        let said = [slot_0, slot_1.as_slice()].concat();
        let half = Half::begin(Side::Old, code, &said, rng).ok_or(Broken::Forged)?;
        Ok((Self { newcomer, host, said, code, half, tries_left: TRIES }, slot_1))
    }

    /// The slot that asks for an attempt.
    pub(crate) fn slot(&self) -> Vec<u8> {
        Answer::Try(self.half.message()).to_vec()
    }

    /// The six digits.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What the new device calls itself, as it wrote it.
    pub(crate) fn name(&self) -> &str {
        &self.newcomer.name
    }

    /// An attempt. Only if it proves that the code was typed there is anything signed here.
    pub(crate) fn tried(
        self,
        slot: &[u8],
        chain: &Chain,
        device_key: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Tried, Broken> {
        let attempt = Attempt::from_slice(slot).map_err(|_| Broken::Forged)?;
        let Self { newcomer, host, said, code, half, tries_left } = self;
        let proofs = half.finish(&attempt.message).ok_or(Broken::Forged)?;
        if !proofs.is_right(Side::New, &attempt.proof) {
            let tries_left = tries_left.saturating_sub(1);
            if tries_left == 0 {
                return Err(Broken::Tries);
            }
            // Nothing of the run that failed comes into the next one.
            let half = Half::begin(Side::Old, code, &said, rng).ok_or(Broken::Forged)?;
            let again = Self { newcomer, host, said, code, half, tries_left };
            return Ok(Tried::Wrong(Box::new(again)));
        }
        if chain.newest().hash() != host.list {
            return Err(Broken::ListChanged);
        }
        let Newcomer { device, name } = newcomer;
        let list = with_device(chain.newest(), device.clone())?;
        let body = list.to_vec();
        let signature = device_key.sign(label::DEVICE_LIST, &body);
        let slot = Answer::Offer { proof: proofs.of(Side::Old), body, signature }.to_vec();
        let list = list.sign(&[Signer::Device(device_key)]);
        Ok(Tried::Right(Box::new(Offered { device, name, list, slot })))
    }
}

/// The old device signed and waits for the new one's signature.
#[derive(Clone)]
pub(crate) struct Offered {
    /// The new device.
    pub(crate) device: Device,
    /// What it calls itself, as it wrote it.
    pub(crate) name: String,
    list: proto::SignedList,
    /// The slot that offers it.
    pub(crate) slot: Vec<u8>,
}

impl Offered {
    /// The new device's signature makes the list whole.
    pub(crate) fn signed(self, slot: &[u8], chain: &Chain) -> Result<proto::SignedList, Broken> {
        let signature = Bare::<64>::from_slice(slot).map_err(|_| Broken::Forged)?.0;
        let mut list = self.list;
        list.signatures.push(proto::ListSignature {
            signer: self.device.id.to_bytes(),
            signature: signature.to_vec().into(),
        });
        chain.clone().extend(&list).map_err(|_| Broken::Forged)?;
        Ok(list)
    }
}

/// The list after `newest` that names this device besides, and changes nothing else.
fn with_device(newest: &DeviceList, device: Device) -> Result<DeviceList, Broken> {
    if newest.device(&device.id).is_some() {
        return Err(Broken::Forged);
    }
    if newest.devices().len() >= limits::DEVICES {
        return Err(Broken::TooManyDevices);
    }
    let mut devices = newest.devices().to_vec();
    devices.push(device);
    Ok(newest.successor(devices))
}

#[cfg(test)]
mod tests;
