// SPDX-License-Identifier: AGPL-3.0-or-later
//! The chain of an account's device lists, from the account id on: the only holder of lists that verified.
//!
//! 1. Version 1 hashes to the account, names one device, and that device and the recovery key signed.
//! 2. Version n+1 names the hash of n and the same account. A device *of n* or the recovery key signed, every
//!    device that n did not name with exactly these keys signed, and a replaced recovery key needs the
//!    signatures of the old one and of the new one.
//! 3. A signature that is not needed is still checked; one by anybody else, or twice by one, refuses the list.
//! 4. A chain seen before is never shortened or rewritten: [`Chain::compare`].

use nodoor_wire::{
    id::{AccountId, DeviceId},
    limits, proto,
};

use crate::{
    error::{Contradiction, ListError},
    key::{label, verify},
    list::{Device, DeviceList},
};

/// Every list of an account since version 1, verified.
#[derive(Clone)]
pub struct Chain {
    first: Link,
    later: Vec<Link>,
}

#[derive(Clone)]
struct Link {
    list: DeviceList,
    /// SHA-256 of the list, kept: disputes ask for it again and again.
    hash: [u8; 32],
    signed: proto::SignedList,
    /// The recovery key that was in force before this version signed it.
    by_recovery: bool,
}

/// How a chain that was shown relates to the one held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same versions.
    Same,
    /// It goes on where the held one ends: keep it instead.
    Extends,
}

impl Chain {
    /// Verifies the lists of `account`, version 1 first, none left out.
    ///
    /// # Errors
    /// [`ListError`]: the first rule that is broken.
    ///
    /// Spec: `docs/book/protocol.md`, 1.
    pub fn verify(account: &AccountId, lists: &[proto::SignedList]) -> Result<Self, ListError> {
        let (first, later) = lists.split_first().ok_or(ListError::Empty)?;
        let mut chain = Self { first: verify_first(account, first)?, later: Vec::new() };
        for signed in later {
            chain.extend(signed)?;
        }
        Ok(chain)
    }

    /// Reads the lists of `account` back from where they were kept after [`Chain::verify`] or [`Chain::extend`] took
    /// them. No signature is checked: lists from anybody else's hands make this chain a lie.
    ///
    /// # Errors
    /// [`ListError`]: what is there is not in order, so something else wrote it.
    pub fn read_back_unverified(
        account: &AccountId,
        lists: &[proto::SignedList],
    ) -> Result<Self, ListError> {
        let mut links = Vec::with_capacity(lists.len());
        for signed in lists {
            let list = DeviceList::from_slice_unverified(&signed.body)?;
            if list.account() != *account || list.version() != links.len() as u64 + 1 {
                return Err(ListError::NotNext);
            }
            // In a list that verified nobody but the recovery key signs without a name; and where two of them did,
            // one was the key in force before.
            let by_recovery = signed.signatures.iter().any(|one| one.signer.is_empty());
            links.push(Link::new(list, signed, by_recovery));
        }
        let mut links = links.into_iter();
        let first = links.next().ok_or(ListError::Empty)?;
        Ok(Self { first, later: links.collect() })
    }

    /// Verifies the next version and keeps it. After an error the chain is as before.
    ///
    /// # Errors
    /// [`ListError`]; [`ListError::NotNext`] and [`ListError::Previous`] when another device was faster.
    pub fn extend(&mut self, signed: &proto::SignedList) -> Result<(), ListError> {
        let link = verify_next(self.last(), signed)?;
        self.later.push(link);
        Ok(())
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.first.list.account()
    }

    /// The newest list.
    #[must_use]
    pub fn newest(&self) -> &DeviceList {
        &self.later.last().unwrap_or(&self.first).list
    }

    /// The list of a version, counted from 1; nothing if the chain does not reach it.
    #[must_use]
    pub fn version(&self, version: u64) -> Option<&DeviceList> {
        self.link(version).map(|link| &link.list)
    }

    /// The list with this hash.
    #[must_use]
    pub fn by_hash(&self, hash: &[u8; 32]) -> Option<&DeviceList> {
        self.links().find(|link| link.hash == *hash).map(|link| &link.list)
    }

    /// Whether the recovery key that was in force signed a version.
    #[must_use]
    pub fn is_by_recovery(&self, version: u64) -> bool {
        self.link(version).is_some_and(|link| link.by_recovery)
    }

    /// The device of the version before that signed a version; nothing where the recovery key alone did.
    #[must_use]
    pub fn approver(&self, version: u64) -> Option<DeviceId> {
        let before = self.version(version.checked_sub(1)?)?;
        let signatures = &self.link(version)?.signed.signatures;
        let mut signers =
            signatures.iter().filter_map(|one| DeviceId::try_from(one.signer.as_ref()).ok());
        signers.find(|signer| before.device(signer).is_some())
    }

    /// How many versions the recovery key signed, the first among them.
    #[must_use]
    pub fn signed_by_recovery(&self) -> usize {
        self.links().filter(|link| link.by_recovery).count()
    }

    /// The signed bytes, version 1 first: what [`Chain::verify`] reads.
    #[must_use]
    pub fn to_proto(&self) -> Vec<proto::SignedList> {
        self.links().map(|link| link.signed.clone()).collect()
    }

    /// Holds a chain that was shown against this one, seen earlier.
    ///
    /// # Errors
    /// [`ListError::OtherAccount`], [`ListError::Forked`], [`ListError::Shorter`]: the last two carry both signed
    /// lists. Keep them and keep this chain.
    pub fn compare(&self, shown: &Self) -> Result<Comparison, ListError> {
        if self.account() != shown.account() {
            return Err(ListError::OtherAccount);
        }
        if let Some((seen, shown)) =
            self.links().zip(shown.links()).find(|(seen, shown)| seen.list != shown.list)
        {
            return Err(ListError::Forked {
                version: seen.list.version(),
                evidence: Box::new(contradiction(seen, shown)),
            });
        }
        match shown.newest().version().cmp(&self.newest().version()) {
            std::cmp::Ordering::Less => {
                Err(ListError::Shorter(Box::new(contradiction(self.last(), shown.last()))))
            }
            std::cmp::Ordering::Equal => Ok(Comparison::Same),
            std::cmp::Ordering::Greater => Ok(Comparison::Extends),
        }
    }

    /// Whether a version from this one on was signed by the recovery key, which ends disputes.
    pub(crate) fn recovery_signed_since(&self, version: u64) -> bool {
        self.links().any(|link| link.list.version() >= version && link.by_recovery)
    }

    fn link(&self, version: u64) -> Option<&Link> {
        let place = usize::try_from(version.checked_sub(1)?).ok()?;
        self.links().nth(place)
    }

    fn last(&self) -> &Link {
        self.later.last().unwrap_or(&self.first)
    }

    fn links(&self) -> impl Iterator<Item = &Link> {
        std::iter::once(&self.first).chain(&self.later)
    }
}

impl Link {
    fn new(list: DeviceList, signed: &proto::SignedList, by_recovery: bool) -> Self {
        Self { hash: list.hash(), list, signed: signed.clone(), by_recovery }
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain(version {})", self.newest().version())
    }
}

fn contradiction(seen: &Link, shown: &Link) -> Contradiction {
    Contradiction { seen: seen.signed.clone(), shown: shown.signed.clone() }
}

fn verify_first(account: &AccountId, signed: &proto::SignedList) -> Result<Link, ListError> {
    let list = DeviceList::from_slice_unverified(&signed.body)?;
    if list.version() != 1 {
        return Err(ListError::NotNext);
    }
    if list.account() != *account || list.account_it_founds() != *account {
        return Err(ListError::OtherAccount);
    }
    let signers = Signers::check(signed, list.devices(), &[list.recovery()])?;
    if !signers.recovery_signed(list.recovery()) {
        return Err(ListError::RecoveryUnsigned);
    }
    if !list.devices().iter().all(|device| signers.device_signed(device)) {
        return Err(ListError::NewDeviceUnsigned);
    }
    Ok(Link::new(list, signed, true))
}

fn verify_next(last: &Link, signed: &proto::SignedList) -> Result<Link, ListError> {
    let before = &last.list;
    let list = DeviceList::from_slice_unverified(&signed.body)?;
    if list.account() != before.account() {
        return Err(ListError::OtherAccount);
    }
    if Some(list.version()) != before.version().checked_add(1) {
        return Err(ListError::NotNext);
    }
    if list.previous() != Some(last.hash) {
        return Err(ListError::Previous);
    }
    // A device may sign whose keys are in `before`, or that this list brings in.
    let added: Vec<Device> = list.added_since(before).cloned().collect();
    let devices: Vec<Device> = before.devices().iter().chain(&added).cloned().collect();
    let replaced = list.recovery() != before.recovery();
    let signers = Signers::check(signed, &devices, &[before.recovery(), list.recovery()])?;

    let by_recovery = signers.recovery_signed(before.recovery());
    if replaced && !(by_recovery && signers.recovery_signed(list.recovery())) {
        return Err(ListError::RecoveryUnsigned);
    }
    if !by_recovery && !before.devices().iter().any(|device| signers.device_signed(device)) {
        return Err(ListError::NoOldSigner);
    }
    if !added.iter().all(|device| signers.device_signed(device)) {
        return Err(ListError::NewDeviceUnsigned);
    }
    Ok(Link::new(list, signed, by_recovery))
}

/// In which role a key signed. A device whose key is also the recovery key would speak once in each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Device,
    Recovery,
}

/// The keys that signed a list, each in its role; all their signatures verified.
struct Signers(Vec<(Role, [u8; 32])>);

impl Signers {
    /// Verifies every signature of a list. Each must be by one of these keys, once.
    fn check(
        signed: &proto::SignedList,
        devices: &[Device],
        recovery: &[&[u8; 32]],
    ) -> Result<Self, ListError> {
        // Before the first of them is verified: nobody makes us verify a million signatures.
        if signed.signatures.len() > 2 * limits::DEVICES + 2 {
            return Err(ListError::Form);
        }
        let mut keys = Vec::new();
        for one in &signed.signatures {
            let key = if one.signer.is_empty() {
                (Role::Recovery, verify_any(recovery, signed, one)?)
            } else {
                let id = DeviceId::try_from(&*one.signer).map_err(|_| ListError::UnknownSigner)?;
                let device = devices.iter().find(|d| d.id == id).ok_or(ListError::UnknownSigner)?;
                (Role::Device, verify_any(&[&device.device_key], signed, one)?)
            };
            if keys.contains(&key) {
                return Err(ListError::SignedTwice);
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    fn recovery_signed(&self, key: &[u8; 32]) -> bool {
        self.0.contains(&(Role::Recovery, *key))
    }

    fn device_signed(&self, device: &Device) -> bool {
        self.0.contains(&(Role::Device, device.device_key))
    }
}

/// The one of these keys that made the signature.
fn verify_any(
    keys: &[&[u8; 32]],
    signed: &proto::SignedList,
    one: &proto::ListSignature,
) -> Result<[u8; 32], ListError> {
    keys.iter()
        .find(|key| verify(key, label::DEVICE_LIST, &signed.body, &one.signature).is_ok())
        .map(|key| **key)
        .ok_or(ListError::BadSignature)
}
