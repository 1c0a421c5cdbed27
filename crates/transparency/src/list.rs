// SPDX-License-Identifier: AGPL-3.0-or-later
//! A device list: the devices that speak for an account at one version, and its canonical bytes.
//!
//! A [`DeviceList`] is well formed and nothing more; whether it counts is the [`crate::chain`]'s to say.

use minicbor::{
    Decode, Encode,
    bytes::{ByteArray, ByteVec},
};
use nodoor_wire::{
    canonical,
    id::{AccountId, DeviceId, first_16},
    limits, proto,
};
use sha2::{Digest as _, Sha256};

use crate::{
    error::ListError,
    key::{Signer, label},
};

/// A device and its three public signing keys. The fourth key, the mailbox's, is renewed monthly and has
/// a statement of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// `H(device key, "nodoor device id v1")[..16]`.
    pub id: DeviceId,
    /// Signs lists, claims, disputes and what it says in messages.
    pub device_key: [u8; 32],
    /// Signs in MLS.
    pub mls_key: [u8; 32],
    /// Logs in.
    pub login_key: [u8; 32],
}

impl Device {
    /// A device of these keys; the id follows from the first.
    #[must_use]
    pub fn new(device_key: [u8; 32], mls_key: [u8; 32], login_key: [u8; 32]) -> Self {
        Self { id: DeviceId::of(&device_key), device_key, mls_key, login_key }
    }

    /// Its entry: the canonical CBOR of `[id, device key, MLS signature key, login key]`, as it stands in a list.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        canonical::to_vec(&DeviceBody::from(self))
    }
}

// Keys join people to devices: not for a log.
impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Device(..)")
    }
}

/// One version of an account's devices.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceList {
    account: AccountId,
    version: u64,
    previous: Option<[u8; 32]>,
    recovery: [u8; 32],
    devices: Vec<Device>,
}

impl DeviceList {
    /// Version 1 of a new account, whose id is the hash of this list with the id left empty.
    #[must_use]
    pub fn first(recovery_public: [u8; 32], device: Device) -> Self {
        let mut list = Self {
            account: AccountId([0; 16]),
            version: 1,
            previous: None,
            recovery: recovery_public,
            devices: vec![device],
        };
        list.account = list.account_it_founds();
        list
    }

    /// The next version with these devices, in any order. A removal is a successor without the device.
    #[must_use]
    pub fn successor(&self, mut devices: Vec<Device>) -> Self {
        devices.sort_by_key(|device| device.id);
        Self {
            account: self.account,
            version: self.version.saturating_add(1),
            previous: Some(self.hash()),
            recovery: self.recovery,
            devices,
        }
    }

    /// The same list with another recovery key: both the old one and this one must then sign.
    #[must_use]
    pub fn with_recovery(mut self, recovery_public: [u8; 32]) -> Self {
        self.recovery = recovery_public;
        self
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Counts from 1.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// SHA-256 of the version before; nothing in version 1.
    #[must_use]
    pub fn previous(&self) -> Option<[u8; 32]> {
        self.previous
    }

    /// The public recovery key.
    #[must_use]
    pub fn recovery(&self) -> &[u8; 32] {
        &self.recovery
    }

    /// Sorted by id; 16 at most. None at all when the last device removed itself: then only the recovery
    /// key speaks for the account.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The device of this id.
    #[must_use]
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.iter().find(|device| device.id == *id)
    }

    /// Devices that `before` did not name, or named with another key.
    pub fn added_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Device> {
        self.devices.iter().filter(|device| before.device(&device.id) != Some(device))
    }

    /// Devices of `before` that this list does not name.
    pub fn removed_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Device> {
        before.devices.iter().filter(|device| self.device(&device.id).is_none())
    }

    /// SHA-256 of the body: what the next version names, and what the ledger will hold.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.to_vec()).into()
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.encode(self.account.as_bytes())
    }

    /// Reads canonical bytes. The list is well formed; nobody has vouched for it yet.
    ///
    /// # Errors
    /// [`ListError::Encoding`], [`ListError::Form`] or, for a version 1 of the wrong shape,
    /// [`ListError::First`].
    pub fn from_slice_unverified(bytes: &[u8]) -> Result<Self, ListError> {
        if bytes.len() > limits::SIGNED {
            return Err(ListError::Encoding);
        }
        let body: Body = canonical::from_slice(bytes).map_err(|_| ListError::Encoding)?;
        Self::try_from(body)
    }

    /// The list with a signature of each of these keys.
    #[must_use]
    pub fn sign(&self, signers: &[Signer<'_>]) -> proto::SignedList {
        let body = self.to_vec();
        let signatures = signers
            .iter()
            .map(|signer| proto::ListSignature {
                signer: signer.name().into(),
                signature: signer.key().sign(label::DEVICE_LIST, &body).to_vec().into(),
            })
            .collect();
        proto::SignedList { body: body.into(), signatures }
    }

    /// The account id that this list founds if it is a version 1.
    pub(crate) fn account_it_founds(&self) -> AccountId {
        AccountId(first_16(Sha256::digest(self.encode(&[])).into()))
    }

    fn encode(&self, account: &[u8]) -> Vec<u8> {
        canonical::to_vec(&Body {
            account: account.to_vec().into(),
            version: self.version,
            previous: self.previous.map(Vec::from).unwrap_or_default().into(),
            recovery: self.recovery.into(),
            devices: self.devices.iter().map(DeviceBody::from).collect(),
        })
    }
}

// People's devices: not for a log.
impl std::fmt::Debug for DeviceList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeviceList(version {})", self.version)
    }
}

/// `[account, version, previous, recovery, devices]`.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Body {
    #[n(0)]
    account: ByteVec,
    #[n(1)]
    version: u64,
    #[n(2)]
    previous: ByteVec,
    #[n(3)]
    recovery: ByteArray<32>,
    #[n(4)]
    devices: Vec<DeviceBody>,
}

/// `[id, device key, MLS signature key, login key]`.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(crate) struct DeviceBody {
    #[n(0)]
    id: ByteArray<16>,
    #[n(1)]
    device_key: ByteArray<32>,
    #[n(2)]
    mls_key: ByteArray<32>,
    #[n(3)]
    login_key: ByteArray<32>,
}

impl From<&Device> for DeviceBody {
    fn from(device: &Device) -> Self {
        Self {
            id: device.id.0.into(),
            device_key: device.device_key.into(),
            mls_key: device.mls_key.into(),
            login_key: device.login_key.into(),
        }
    }
}

/// The id as it was written, whether or not it is that of the key.
impl From<DeviceBody> for Device {
    fn from(body: DeviceBody) -> Self {
        Self {
            id: DeviceId(body.id.into()),
            device_key: body.device_key.into(),
            mls_key: body.mls_key.into(),
            login_key: body.login_key.into(),
        }
    }
}

impl TryFrom<Body> for DeviceList {
    type Error = ListError;

    fn try_from(body: Body) -> Result<Self, ListError> {
        let account = AccountId::try_from(body.account.as_slice()).map_err(|_| ListError::Form)?;
        let previous = match body.previous.as_slice() {
            [] => None,
            hash => Some(<[u8; 32]>::try_from(hash).map_err(|_| ListError::Form)?),
        };
        let devices: Vec<Device> = body.devices.into_iter().map(Device::from).collect();
        let list = Self {
            account,
            version: body.version,
            previous,
            recovery: body.recovery.into(),
            devices,
        };
        let sorted = list.devices.iter().zip(list.devices.iter().skip(1)).all(|(a, b)| a.id < b.id);
        let own_ids = list.devices.iter().all(|d| d.id == DeviceId::of(&d.device_key));
        if list.version == 0 || !sorted || !own_ids || list.devices.len() > limits::DEVICES {
            return Err(ListError::Form);
        }
        if (list.version == 1) != list.previous.is_none()
            || (list.version == 1 && list.devices.len() != 1)
        {
            return Err(ListError::First);
        }
        Ok(list)
    }
}
