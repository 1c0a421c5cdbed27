// SPDX-License-Identifier: AGPL-3.0-or-later
//! Why a list, a chain or a statement is refused, and whose fault that is.

use nodoor_wire::proto;

/// Who caused a refusal, and so what to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The account's own devices made something that the rules do not allow, or somebody forged it.
    Signer,
    /// Whoever served the chain contradicts what was served before. Keep the error: it is evidence.
    Server,
    /// Two honest changes met; read the newest version and try again.
    Race,
}

/// Two things that cannot both be honest, as signed bytes that a third party can check.
///
/// For a fork, both are correctly signed lists of one version of one account. For a shorter chain, `seen`
/// is the newest list held and `shown` the newest of the chain that leaves it out.
#[derive(Clone, PartialEq)]
pub struct Contradiction {
    /// What this device had verified before.
    pub seen: proto::SignedList,
    /// What it was shown now; it verified as well.
    pub shown: proto::SignedList,
}

// Ids and keys of people: not for a log.
impl std::fmt::Debug for Contradiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contradiction(..)")
    }
}

/// A device list or a chain of them is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// No list at all: a chain has at least version 1.
    #[error("the chain has no list")]
    Empty,
    /// Longer than `limits::SIGNED`, or not the canonical CBOR of a device list.
    #[error("not the canonical encoding of a device list")]
    Encoding,
    /// A field is not of its length, devices are unsorted, twice or too many, or a device's id is not that
    /// of its key.
    #[error("the fields of the device list do not fit together")]
    Form,
    /// Version 1 names no device, more than one, or a version before it.
    #[error("version 1 must name exactly one device and no version before it")]
    First,
    /// Version 1 does not hash to the account asked for, or a later version names another account.
    #[error("the list is of another account")]
    OtherAccount,
    /// The version is not the one after the newest. [`Fault::Race`] when a list of that version is there.
    #[error("the list is not the next version")]
    NotNext,
    /// `previous` is not the hash of the version before.
    #[error("the list does not name the version before it")]
    Previous,
    /// A signature by somebody who has no say in this version.
    #[error("a signature is by a key that has no say in this version")]
    UnknownSigner,
    /// The same key signed twice.
    #[error("a key signed twice")]
    SignedTwice,
    /// A signature does not verify.
    #[error("a signature does not verify")]
    BadSignature,
    /// Neither a device of the version before nor the recovery key signed.
    #[error("no device of the version before signed, nor the recovery key")]
    NoOldSigner,
    /// A device that is new, or whose keys changed, did not sign.
    #[error("a new device did not sign")]
    NewDeviceUnsigned,
    /// The recovery key did not sign version 1, or was replaced without both signatures.
    #[error("the recovery key did not sign where it must")]
    RecoveryUnsigned,
    /// The chain shown is shorter than the one seen before.
    #[error("the chain is shorter than one seen before")]
    Shorter(Box<Contradiction>),
    /// Two different lists of one version.
    #[error("two different lists of version {version}")]
    Forked {
        /// The first version at which they differ.
        version: u64,
        /// Both lists.
        evidence: Box<Contradiction>,
    },
}

impl ListError {
    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Shorter(_) | Self::Forked { .. } | Self::Empty => Fault::Server,
            Self::NotNext | Self::Previous => Fault::Race,
            _ => Fault::Signer,
        }
    }
}

/// A claim, statement or dispute is refused. Always the fault of whoever signed it or passed it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Longer than `limits::SIGNED`, or not the canonical CBOR of this statement.
    #[error("not the canonical encoding of this statement")]
    Encoding,
    /// A field is not of its length or form.
    #[error("a field of the statement is not of its form")]
    Form,
    /// It names another account than the chain's.
    #[error("the statement is of another account")]
    OtherAccount,
    /// Signed by a key that may not make this statement now.
    #[error("the statement is by a key that may not make it")]
    UnknownSigner,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    BadSignature,
    /// A dispute of a version that is not in the chain, or that did not remove its signer.
    #[error("the disputed version did not remove this device")]
    NotRemoved,
}
