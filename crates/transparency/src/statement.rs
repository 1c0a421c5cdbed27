// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a device says about its account: a handle claim, a mailbox key, a dispute, what is not its own.
//!
//! Each is made with `sign` and read with `verify` against the [`Chain`] of the account; there is no other way
//! to get one out of signed bytes.

use minicbor::{
    Decode, Encode,
    bytes::{ByteArray, ByteVec},
};
use nodoor_wire::{
    canonical,
    handle::Handle,
    id::{AccountId, DeviceId},
    limits, proto,
    sealed::MAILBOX_KEY,
};

use crate::{
    chain::Chain,
    error::StatementError,
    key::{Signer, SigningKey, label, verify},
    list::DeviceList,
};

/// An account says that it is found under this handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandleClaim {
    /// The handle.
    pub handle: Handle,
    /// The account.
    pub account: AccountId,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct HandleClaimBody {
    #[n(0)]
    handle: String,
    #[n(1)]
    account: ByteArray<16>,
}

impl HandleClaim {
    /// Signs the claim, as a device of the newest list or with the recovery key.
    #[must_use]
    pub fn sign(&self, signer: Signer<'_>) -> proto::SignedBytes {
        let body = HandleClaimBody {
            handle: self.handle.as_str().to_owned(),
            account: self.account.0.into(),
        };
        sign(&body, signer, label::HANDLE)
    }

    /// The handle of a claim that was verified before.
    #[must_use]
    pub fn handle_unverified(signed: &proto::SignedBytes) -> Option<Handle> {
        let body: HandleClaimBody = read(signed).ok()?;
        Handle::parse(&body.handle).ok()
    }

    /// Reads a claim of the chain's account. A claim stops counting when the device that signed it is removed;
    /// the account then signs it anew.
    ///
    /// # Errors
    /// [`StatementError`].
    ///
    /// Spec: `docs/book/protocol.md`, 1.
    pub fn verify(chain: &Chain, signed: &proto::SignedBytes) -> Result<Self, StatementError> {
        let body: HandleClaimBody = read(signed)?;
        let handle = Handle::parse(&body.handle).map_err(|_| StatementError::Form)?;
        // `parse` forgives a person's upper case and `@`; a signature has one form.
        if handle.as_str() != body.handle {
            return Err(StatementError::Form);
        }
        let account = AccountId(body.account.into());
        if account != chain.account() {
            return Err(StatementError::OtherAccount);
        }
        check(&signer_key(chain, signed)?, label::HANDLE, signed)?;
        Ok(Self { handle, account })
    }
}

/// Whoever holds a handle keeps it, though another account asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandleNo {
    /// The handle.
    pub handle: Handle,
    /// The account that asks for it.
    pub claimant: AccountId,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct HandleNoBody {
    #[n(0)]
    handle: String,
    #[n(1)]
    claimant: ByteArray<16>,
    #[n(2)]
    no: String,
}

impl HandleNo {
    /// Signs it, as a device of the newest list or with the recovery key of the account that holds the handle.
    #[must_use]
    pub fn sign(&self, signer: Signer<'_>) -> proto::SignedBytes {
        let body = HandleNoBody {
            handle: self.handle.as_str().to_owned(),
            claimant: self.claimant.0.into(),
            no: "no".to_owned(),
        };
        sign(&body, signer, label::HANDLE)
    }

    /// Reads a no of the chain's account. Whether that account holds the handle is not said here.
    ///
    /// # Errors
    /// [`StatementError`].
    ///
    /// Spec: `docs/book/ledger.md`, 6.
    pub fn verify(chain: &Chain, signed: &proto::SignedBytes) -> Result<Self, StatementError> {
        let body: HandleNoBody = read(signed)?;
        let handle = Handle::parse(&body.handle).map_err(|_| StatementError::Form)?;
        if handle.as_str() != body.handle || body.no != "no" {
            return Err(StatementError::Form);
        }
        check(&signer_key(chain, signed)?, label::HANDLE, signed)?;
        Ok(Self { handle, claimant: AccountId(body.claimant.into()) })
    }
}

/// A device says to which X-Wing key the server shall seal its hour keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxKey {
    /// The device, which is the mailbox.
    pub device: DeviceId,
    /// The X-Wing public key, [`MAILBOX_KEY`] bytes.
    pub public: Vec<u8>,
    /// When it was made, milliseconds since 1970 by the device's clock: a later one replaces this one.
    pub made_at_ms: u64,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct MailboxKeyBody {
    #[n(0)]
    device: ByteArray<16>,
    #[n(1)]
    public: ByteVec,
    #[n(2)]
    made_at_ms: u64,
}

impl MailboxKey {
    /// The statement, signed by the device it is of.
    #[must_use]
    pub fn sign(public: &[u8], made_at_ms: u64, device_key: &SigningKey) -> proto::SignedBytes {
        let body = MailboxKeyBody {
            device: DeviceId::of(&device_key.public()).0.into(),
            public: public.to_vec().into(),
            made_at_ms,
        };
        sign(&body, Signer::Device(device_key), label::MAILBOX_KEY)
    }

    /// Reads a statement of a device of the newest list.
    ///
    /// # Errors
    /// [`StatementError`].
    ///
    /// Spec: `docs/book/protocol.md`, 1.
    pub fn verify(chain: &Chain, signed: &proto::SignedBytes) -> Result<Self, StatementError> {
        let body: MailboxKeyBody = read(signed)?;
        let device = DeviceId(body.device.into());
        if body.public.len() != MAILBOX_KEY {
            return Err(StatementError::Form);
        }
        // A device speaks for its own mailbox alone, not for that of another device of the account.
        if signed.signer != device.as_bytes() {
            return Err(StatementError::UnknownSigner);
        }
        check(&device_key(chain.newest(), &signed.signer)?, label::MAILBOX_KEY, signed)?;
        Ok(Self { device, public: body.public.into(), made_at_ms: body.made_at_ms })
    }
}

/// A removed device objects to its removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The account.
    pub account: AccountId,
    /// SHA-256 of the version that removed the device.
    pub removed_by: [u8; 32],
    /// The removed device.
    pub device: DeviceId,
    version: u64,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct DisputeBody {
    #[n(0)]
    account: ByteArray<16>,
    #[n(1)]
    removed_by: ByteArray<32>,
    #[n(2)]
    device: ByteArray<16>,
}

impl Dispute {
    /// Signs an objection to `removed_by`, the version that no longer names the device.
    #[must_use]
    pub fn sign(removed_by: &DeviceList, device_key: &SigningKey) -> proto::SignedBytes {
        let body = DisputeBody {
            account: removed_by.account().0.into(),
            removed_by: removed_by.hash().into(),
            device: DeviceId::of(&device_key.public()).0.into(),
        };
        sign(&body, Signer::Device(device_key), label::DISPUTE)
    }

    /// Reads a dispute: the version before the disputed one names the device, the disputed one does not, and
    /// that device signed.
    ///
    /// # Errors
    /// [`StatementError`].
    ///
    /// Spec: `docs/book/protocol.md`, 1.
    pub fn verify(chain: &Chain, signed: &proto::SignedBytes) -> Result<Self, StatementError> {
        let body: DisputeBody = read(signed)?;
        let account = AccountId(body.account.into());
        let device = DeviceId(body.device.into());
        let removed_by = body.removed_by.into();
        if account != chain.account() {
            return Err(StatementError::OtherAccount);
        }
        if signed.signer != device.as_bytes() {
            return Err(StatementError::UnknownSigner);
        }
        let after = chain.by_hash(&removed_by).ok_or(StatementError::NotRemoved)?;
        let before = after
            .version()
            .checked_sub(1)
            .and_then(|version| chain.version(version))
            .ok_or(StatementError::NotRemoved)?;
        if after.device(&device).is_some() {
            return Err(StatementError::NotRemoved);
        }
        let removed = before.device(&device).ok_or(StatementError::NotRemoved)?;
        check(&removed.device_key, label::DISPUTE, signed)?;
        Ok(Self { account, removed_by, device, version: after.version() })
    }

    /// Whether the account still stands still: no list signed by the recovery key stands at the disputed version
    /// or after it. While a dispute stands the account adds no device.
    ///
    /// A removal that the recovery key signed itself is thus settled from the start.
    #[must_use]
    pub fn stands(&self, chain: &Chain) -> bool {
        !chain.recovery_signed_since(self.version)
    }
}

/// A device says that what is published for its account is none of the account's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disowned {
    /// The account.
    pub account: AccountId,
    /// What is published in the place of a list's hash.
    pub value: [u8; 32],
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct DisownedBody {
    #[n(0)]
    account: ByteArray<16>,
    #[n(1)]
    value: ByteArray<32>,
}

impl Disowned {
    /// The statement, signed by a device.
    #[must_use]
    pub fn sign(&self, device_key: &SigningKey) -> proto::SignedBytes {
        let body = DisownedBody { account: self.account.0.into(), value: self.value.into() };
        sign(&body, Signer::Device(device_key), label::DISOWNED)
    }

    /// Reads a statement of a device of the newest list. It is that device's word: whether it is true, who has the list
    /// shows.
    ///
    /// # Errors
    /// [`StatementError`].
    ///
    /// Spec: `docs/book/ledger.md`, 5.
    pub fn verify(chain: &Chain, signed: &proto::SignedBytes) -> Result<Self, StatementError> {
        let body: DisownedBody = read(signed)?;
        let account = AccountId(body.account.into());
        if account != chain.account() {
            return Err(StatementError::OtherAccount);
        }
        check(&device_key(chain.newest(), &signed.signer)?, label::DISOWNED, signed)?;
        Ok(Self { account, value: body.value.into() })
    }
}

fn sign<T: Encode<()>>(body: &T, signer: Signer<'_>, label: &str) -> proto::SignedBytes {
    let body = canonical::to_vec(body);
    proto::SignedBytes {
        signature: signer.key().sign(label, &body).to_vec().into(),
        signer: signer.name().into(),
        body: body.into(),
    }
}

fn read<T>(signed: &proto::SignedBytes) -> Result<T, StatementError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    if signed.body.len() > limits::SIGNED {
        return Err(StatementError::Encoding);
    }
    canonical::from_slice(&signed.body).map_err(|_| StatementError::Encoding)
}

/// The key of a device of the newest list, or the recovery key.
fn signer_key(chain: &Chain, signed: &proto::SignedBytes) -> Result<[u8; 32], StatementError> {
    if signed.signer.is_empty() {
        return Ok(*chain.newest().recovery());
    }
    device_key(chain.newest(), &signed.signer)
}

fn device_key(list: &DeviceList, signer: &[u8]) -> Result<[u8; 32], StatementError> {
    DeviceId::try_from(signer)
        .ok()
        .and_then(|id| list.device(&id))
        .map(|device| device.device_key)
        .ok_or(StatementError::UnknownSigner)
}

fn check(key: &[u8; 32], label: &str, signed: &proto::SignedBytes) -> Result<(), StatementError> {
    verify(key, label, &signed.body, &signed.signature).map_err(|_| StatementError::BadSignature)
}
