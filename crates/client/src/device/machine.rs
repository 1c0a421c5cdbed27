// SPDX-License-Identifier: AGPL-3.0-or-later
//! Linking, as two state machines: the new device's side and that of the device one has. Each state is a struct, and
//! what comes out of a slot moves it to the next or ends it; nothing here sends, stores, draws or looks at a clock.
//!
//! What an attacker who sees the link (or runs the rendezvous) meets, in this order: the new device committed to its
//! nonce before it saw anything of the other; the code is of everything both said; it is typed where the keys are that
//! it vouches for, three times at most; only then does the new device confirm, with its device key, and only after
//! that does the old device sign. The new device signs a list that follows the chain of the account which the code
//! covered and adds itself and nothing else.
//!
//! Spec: `docs/book/ledger.md`, 8. [`super::meeting`] moves the slots.

use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey, label},
    link::{Code, Transcript, commitment},
    list::{Device, DeviceList},
    meeting::{Bare, Host, NAME, Newcomer, Offer, Outcome},
};
use nodoor_wire::{id::DeviceId, limits, proto};

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
    nonce: [u8; 32],
    /// Slot 0.
    pub(crate) slot_0: Vec<u8>,
}

impl Shown {
    /// Begins, with fresh keys and a fresh nonce.
    pub(crate) fn begin(keys: Keys, nonce: [u8; 32], name: &str) -> Self {
        let device = keys.device();
        let commitment = commitment(&nonce, &device.to_vec());
        let name = name.chars().take(NAME).collect();
        let slot_0 = Newcomer { device, name, commitment }.to_vec();
        Self { keys, nonce, slot_0 }
    }

    /// Slot 1: an account answers. Whose it is the code will show.
    pub(crate) fn answered(self, slot_1: &[u8]) -> Result<Asking, Broken> {
        let host = Host::from_slice(slot_1).map_err(|_| Broken::Forged)?;
        let transcript = Transcript::of(&self.slot_0, slot_1, &self.nonce);
        let slot_2 = Bare(self.nonce).to_vec();
        Ok(Asking { keys: self.keys, host, transcript, tries_left: TRIES, slot_2 })
    }
}

/// The new device waits for the code.
#[derive(Clone)]
pub(crate) struct Asking {
    keys: Keys,
    /// What slot 1 said.
    pub(crate) host: Host,
    transcript: Transcript,
    /// How often it may be typed still.
    pub(crate) tries_left: u8,
    /// Slot 2.
    pub(crate) slot_2: Vec<u8>,
}

/// What a code that was typed led to.
pub(crate) enum Typed {
    /// It matches.
    Match(Matched),
    /// It does not, and may be typed again.
    Wrong(Asking),
    /// It does not, for the last time.
    Over,
}

impl Asking {
    /// A person typed this.
    pub(crate) fn typed(mut self, text: &str) -> Typed {
        if Code::parse(text) == Some(self.transcript.code()) {
            let signature = self.transcript.sign(&self.keys.device_key());
            let slot_3 = Bare(signature).to_vec();
            return Typed::Match(Matched { keys: self.keys, host: self.host, slot_3 });
        }
        self.tries_left = self.tries_left.saturating_sub(1);
        if self.tries_left == 0 { Typed::Over } else { Typed::Wrong(self) }
    }
}

/// The code matched: the new device confirms in slot 3, and waits for slot 4.
#[derive(Clone)]
pub(crate) struct Matched {
    keys: Keys,
    /// What slot 1 said, now that the code vouches for it.
    pub(crate) host: Host,
    /// Slot 3.
    pub(crate) slot_3: Vec<u8>,
}

impl Matched {
    /// Slot 4: the next list. `chain` is the account's, verified from its id on, at least up to the list that slot 1 named.
    pub(crate) fn offered(self, slot_4: &[u8], chain: &Chain) -> Result<Signed, Broken> {
        let (body, signature) = match Offer::from_slice(slot_4).map_err(|_| Broken::Forged)? {
            Offer::List(body, signature) => (body, signature),
            Offer::None(why) => return Err(Broken::Told(why)),
        };
        let newest = chain.newest();
        if chain.account() != self.host.account || newest.hash() != self.host.list {
            return Err(Broken::ListChanged);
        }
        let own = self.keys.device();
        let expected = with_device(newest, own)?;
        if expected.to_vec() != body {
            // Another device smuggled in, one left out, another recovery key, another account: whatever it is.
            return Err(Broken::Forged);
        }
        let key = self.keys.device_key();
        let mut list = expected.sign(&[Signer::Device(&key)]);
        list.signatures.insert(
            0,
            proto::ListSignature {
                signer: self.host.device.to_bytes(),
                signature: signature.to_vec().into(),
            },
        );
        let mut after = chain.clone();
        after.extend(&list).map_err(|_| Broken::Forged)?;
        let own_signature = key.sign(label::DEVICE_LIST, &body);
        Ok(Signed { keys: self.keys, slot_5: Bare(own_signature).to_vec() })
    }
}

/// The new device signed: from here on the list alone decides.
#[derive(Clone)]
pub(crate) struct Signed {
    /// Its keys.
    pub(crate) keys: Keys,
    /// Slot 5.
    pub(crate) slot_5: Vec<u8>,
}

// ---- the device one has ----------------------------------------------------------------------------

/// The old device answered slot 0 and waits for slot 2.
#[derive(Clone)]
pub(crate) struct Answered {
    newcomer: Newcomer,
    host: Host,
    slot_0: Vec<u8>,
    /// Slot 1.
    pub(crate) slot_1: Vec<u8>,
}

impl Answered {
    /// Slot 0: a device asks. `chain` is our own, `device` this device, `nonce` fresh.
    pub(crate) fn begin(
        slot_0: &[u8],
        chain: &Chain,
        device: DeviceId,
        nonce: [u8; 32],
    ) -> Result<Self, Broken> {
        let newcomer = Newcomer::from_slice(slot_0).map_err(|_| Broken::Forged)?;
        let newest = chain.newest();
        with_device(newest, newcomer.device.clone())?;
        let host = Host { account: chain.account(), list: newest.hash(), device, nonce };
        let slot_1 = host.to_vec();
        Ok(Self { newcomer, host, slot_0: slot_0.to_vec(), slot_1 })
    }

    /// Slot 2: its nonce, which must be the one it committed to.
    pub(crate) fn revealed(self, slot_2: &[u8]) -> Result<Showing, Broken> {
        let nonce = Bare::from_slice(slot_2).map_err(|_| Broken::Forged)?.0;
        if commitment(&nonce, &self.newcomer.device.to_vec()) != self.newcomer.commitment {
            return Err(Broken::Forged);
        }
        let transcript = Transcript::of(&self.slot_0, &self.slot_1, &nonce);
        Ok(Showing { newcomer: self.newcomer, host: self.host, transcript })
    }
}

/// The old device shows the code and waits for slot 3.
#[derive(Clone)]
pub(crate) struct Showing {
    newcomer: Newcomer,
    host: Host,
    transcript: Transcript,
}

impl Showing {
    /// The six digits.
    pub(crate) fn code(&self) -> Code {
        self.transcript.code()
    }

    /// What the new device calls itself, as it wrote it.
    pub(crate) fn name(&self) -> &str {
        &self.newcomer.name
    }

    /// Slot 3: the new device confirms, so the code was typed there. Only now is anything signed here.
    pub(crate) fn confirmed(
        self,
        slot_3: &[u8],
        chain: &Chain,
        device_key: &SigningKey,
    ) -> Result<Offered, Broken> {
        let signature = Bare::<64>::from_slice(slot_3).map_err(|_| Broken::Forged)?.0;
        let device = self.newcomer.device;
        self.transcript.verify(&device.device_key, &signature).map_err(|_| Broken::Forged)?;
        if chain.newest().hash() != self.host.list {
            return Err(Broken::ListChanged);
        }
        let list = with_device(chain.newest(), device.clone())?;
        let body = list.to_vec();
        let slot_4 = Offer::List(body.clone(), device_key.sign(label::DEVICE_LIST, &body)).to_vec();
        let list = list.sign(&[Signer::Device(device_key)]);
        Ok(Offered { device, name: self.newcomer.name, list, slot_4 })
    }
}

/// The old device signed and waits for slot 5.
#[derive(Clone)]
pub(crate) struct Offered {
    /// The new device.
    pub(crate) device: Device,
    /// What it calls itself, as it wrote it.
    pub(crate) name: String,
    list: proto::SignedList,
    /// Slot 4.
    pub(crate) slot_4: Vec<u8>,
}

impl Offered {
    /// Slot 5: the new device's signature makes the list whole.
    pub(crate) fn signed(self, slot_5: &[u8], chain: &Chain) -> Result<proto::SignedList, Broken> {
        let signature = Bare::<64>::from_slice(slot_5).map_err(|_| Broken::Forged)?.0;
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
