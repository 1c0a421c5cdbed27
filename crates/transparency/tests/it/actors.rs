// SPDX-License-Identifier: AGPL-3.0-or-later
//! Alice with her devices and recovery key, and the keys of whoever attacks her.

use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey},
    list::{Device, DeviceList},
};
use nodoor_wire::proto;

/// A device's three signing keys.
pub(crate) struct Keys {
    pub(crate) device: SigningKey,
    mls: SigningKey,
    login: SigningKey,
}

impl Keys {
    /// Keys that belong to no other number.
    pub(crate) fn of(number: u8) -> Self {
        let key = |kind| SigningKey::from_seed([number; 32].map(|b| b ^ kind));
        Self { device: key(0), mls: key(0x40), login: key(0x80) }
    }

    pub(crate) fn public(&self) -> Device {
        Device::new(self.device.public(), self.mls.public(), self.login.public())
    }

    pub(crate) fn signer(&self) -> Signer<'_> {
        Signer::Device(&self.device)
    }
}

/// Alice: a phone, a laptop and a tablet that may join, and the recovery key.
pub(crate) struct Alice {
    pub(crate) phone: Keys,
    pub(crate) laptop: Keys,
    pub(crate) tablet: Keys,
    pub(crate) recovery: SigningKey,
}

impl Alice {
    pub(crate) fn new() -> Self {
        Self {
            phone: Keys::of(1),
            laptop: Keys::of(2),
            tablet: Keys::of(3),
            recovery: SigningKey::from_seed([9; 32]),
        }
    }

    pub(crate) fn recovery(&self) -> Signer<'_> {
        Signer::Recovery(&self.recovery)
    }

    pub(crate) fn first(&self) -> DeviceList {
        DeviceList::first(self.recovery.public(), self.phone.public())
    }

    pub(crate) fn first_signed(&self) -> proto::SignedList {
        self.first().sign(&[self.phone.signer(), self.recovery()])
    }

    /// Version 1: the phone.
    pub(crate) fn registered(&self) -> Chain {
        let first = self.first();
        Chain::verify(&first.account(), &[self.first_signed()]).unwrap()
    }

    /// Version 2: phone and laptop, signed by both.
    pub(crate) fn with_laptop(&self) -> Chain {
        let mut chain = self.registered();
        let two = chain.newest().successor(vec![self.phone.public(), self.laptop.public()]);
        chain.extend(&two.sign(&[self.phone.signer(), self.laptop.signer()])).unwrap();
        chain
    }

    /// Version 3: the phone removed the laptop.
    pub(crate) fn without_laptop(&self) -> Chain {
        let mut chain = self.with_laptop();
        let three = chain.newest().successor(vec![self.phone.public()]);
        chain.extend(&three.sign(&[self.phone.signer()])).unwrap();
        chain
    }
}
