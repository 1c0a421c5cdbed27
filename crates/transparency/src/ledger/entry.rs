// SPDX-License-Identifier: AGPL-3.0-or-later
//! What stands in the ledger: epochs of the directory, releases, disclosures, governance.
//!
//! An entry is a canonical CBOR array `[type, 1, ...]` of at most 65,535 bytes. What [`Entry::decode`] takes is well
//! formed by itself and has no second encoding; whether it may stand behind the entry before it is for whoever
//! follows the log: [`KtEpoch::may_follow`], [`crate::release`].
//!
//! Spec: `docs/book/ledger.md`, 1.

use nodoor_wire::canonical;
use sha2::{Digest as _, Sha256};

use self::encoding::{
    DISCLOSURE, DisclosureBody, EPOCH, EpochBody, GOVERNANCE, GovernanceBody, RELEASE, ReleaseBody,
    body,
};
use super::tree::{Hash, leaf_hash};
use crate::directory::empty_root;

mod encoding;

/// Bytes of an entry: its length is written in two.
pub const ENTRY_BYTES: usize = 65_535;
/// Artifacts of a release.
pub const ARTIFACTS: usize = 256;
/// Signatures under a release.
pub const BUILDERS: usize = 16;
/// Bytes of a version or of an artifact's name.
pub const NAME_BYTES: usize = 255;

/// Bytes are not an entry, or an entry is not one that may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Longer than [`ENTRY_BYTES`], of no known type, or not the canonical CBOR of its type.
    #[error("not the canonical encoding of a ledger entry")]
    Encoding,
    /// A field is not of its length or form, a list is unsorted or too long, or fields do not fit together.
    #[error("the fields of the ledger entry do not fit together")]
    Form,
}

/// Why an epoch may not stand behind the one before it in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EpochError {
    /// Neither the next epoch nor a heartbeat of the same.
    #[error("the epoch is neither the next nor a heartbeat of the one before")]
    Number,
    /// It does not begin at the root before, or a heartbeat changes the root.
    #[error("the epoch does not begin at the root of the one before")]
    Root,
    /// Ledger time goes back.
    #[error("the epoch's time is before that of the one before")]
    Time,
    /// Another VRF key.
    #[error("the epoch has another VRF key than the one before")]
    VrfKey,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Type 1.
    Epoch(KtEpoch),
    /// Type 2.
    Release(Release),
    /// Type 3.
    Disclosure(Disclosure),
    /// Type 4.
    Governance(Governance),
}

/// An epoch of the key directory, or a heartbeat: the same epoch again, with no labels and no blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KtEpoch {
    /// akd's epoch; 0 before the first label.
    pub epoch: u64,
    /// akd's root.
    pub root: [u8; 32],
    /// The root that the entry before has; before the first, that of an empty directory.
    pub previous_root: [u8; 32],
    /// Labels published. 0 in a heartbeat.
    pub labels: u64,
    /// SHA-256 of the audit blob; nothing in a heartbeat.
    pub audit_blob: Option<[u8; 32]>,
    /// SHA-256 of the VRF's public key.
    pub vrf_key: [u8; 32],
    /// *Ledger time*, milliseconds since 1970.
    pub time_ms: u64,
}

impl KtEpoch {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_heartbeat(&self) -> bool {
        self.audit_blob.is_none()
    }

    /// Whether this may be the `KT_EPOCH` next after `before`. The blob's own proof is checked apart
    /// ([`crate::audit`]), and a change of the VRF key by a `GOVERNANCE` entry is the reader's to allow.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn may_follow(&self, before: &Self) -> Result<(), EpochError> {
        let number =
            if self.is_heartbeat() { Some(before.epoch) } else { before.epoch.checked_add(1) };
        if number != Some(self.epoch) {
            return Err(EpochError::Number);
        }
        if self.previous_root != before.root {
            return Err(EpochError::Root);
        }
        if self.time_ms < before.time_ms {
            return Err(EpochError::Time);
        }
        if self.vrf_key != before.vrf_key {
            return Err(EpochError::VrfKey);
        }
        Ok(())
    }

    /// Whether this may be the first `KT_EPOCH` of a log: a heartbeat of the empty directory, or the first epoch on it.
    ///
    /// # Errors
    /// [`EpochError::Number`], [`EpochError::Root`].
    pub fn may_be_first(&self) -> Result<(), EpochError> {
        if self.epoch != u64::from(!self.is_heartbeat()) {
            return Err(EpochError::Number);
        }
        if self.previous_root == empty_root() { Ok(()) } else { Err(EpochError::Root) }
    }

    fn is_formed(&self) -> bool {
        let still = self.labels == 0 && self.root == self.previous_root;
        if self.is_heartbeat() { still } else { self.labels > 0 && self.epoch > 0 }
    }
}

/// What is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReleaseKind {
    /// The web app.
    Web,
    /// The terminal client, which is also witness and auditor.
    Terminal,
    /// The desktop app.
    Desktop,
    /// The server.
    Server,
}

impl ReleaseKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Web, Self::Terminal, Self::Desktop, Self::Server];

    /// The name that stands in an entry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Terminal => "terminal",
            Self::Desktop => "desktop",
            Self::Server => "server",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name, 1 to [`NAME_BYTES`] bytes without control characters.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256.
    pub hash: [u8; 32],
}

/// A signature of a builder, over the entry without signatures: [`Release::unsigned_vec`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuilderSignature {
    /// The builder's Ed25519 key.
    pub key: [u8; 32],
    /// Under the label `nodoor release v1`.
    pub signature: [u8; 64],
}

/// A build that clients may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Of what.
    pub kind: ReleaseKind,
    /// As people read it.
    pub version: String,
    /// Rises with each release of a kind.
    pub sequence: u64,
    /// The git commit, 20 or 32 bytes.
    pub source_commit: Vec<u8>,
    /// SHA-256 of the toolchain's description.
    pub toolchain: [u8; 32],
    /// Sorted by name, none twice.
    pub artifacts: Vec<Artifact>,
    /// SHA-256 of the web manifest.
    pub manifest: Option<[u8; 32]>,
    /// Ledger time from which it may be installed, milliseconds since 1970.
    pub not_before_ms: u64,
    /// Whether it need not wait out the cool-down; everyone sees that.
    pub emergency: bool,
    /// Sorted by key, none twice.
    pub signatures: Vec<BuilderSignature>,
}

impl Release {
    /// What builders sign: the entry with its list of signatures empty.
    #[must_use]
    pub fn unsigned_vec(&self) -> Vec<u8> {
        canonical::to_vec(&ReleaseBody::from(&Self { signatures: Vec::new(), ..self.clone() }))
    }

    fn is_formed(&self) -> bool {
        let names = self.artifacts.iter().map(|artifact| artifact.name.as_str());
        is_text(&self.version)
            && names.clone().all(is_text)
            && names.is_sorted_by(|a, b| a < b)
            && self.signatures.iter().map(|s| s.key).is_sorted_by(|a, b| a < b)
            && self.artifacts.len() <= ARTIFACTS
            && self.signatures.len() <= BUILDERS
            && matches!(self.source_commit.len(), 20 | 32)
            && (!self.artifacts.is_empty() || self.manifest.is_some())
    }
}

/// That in this hour as many disclosures were decided as the commitment holds, none included: [`super::disclosure`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// Hours since 1970.
    pub hour: u64,
    /// Padded, so that none looks like some.
    pub commitment: [u8; 32],
}

/// From the announcement of a policy until it holds, in ledger time: seven days.
pub const POLICY_NOTICE_MS: u64 = 7 * 24 * 3_600_000;

/// What a `GOVERNANCE` entry changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GovernanceKind {
    /// The policy file.
    Policy,
    /// The VRF's key.
    Vrf,
    /// The keys of anonymous tokens of a day.
    Tokens,
    /// A handle moves to another account.
    Handle,
    /// Anything that people should read.
    Note,
}

impl GovernanceKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Policy, Self::Vrf, Self::Tokens, Self::Handle, Self::Note];

    /// The name that stands in an entry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Vrf => "vrf",
            Self::Tokens => "tokens",
            Self::Handle => "handle",
            Self::Note => "note",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A change of the rules, announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governance {
    /// Of what.
    pub kind: GovernanceKind,
    /// SHA-256 of the document.
    pub document_hash: [u8; 32],
    /// Ledger time from which it holds, milliseconds since 1970.
    pub takes_effect_ms: u64,
    /// The document, if it stands here; it then has that hash.
    pub document: Option<Vec<u8>>,
}

impl Governance {
    /// An entry that carries its document.
    #[must_use]
    pub fn with_document(kind: GovernanceKind, document: Vec<u8>, takes_effect_ms: u64) -> Self {
        let document_hash = Sha256::digest(&document).into();
        Self { kind, document_hash, takes_effect_ms, document: Some(document) }
    }

    /// Whether it may stand behind an epoch of this time: a policy is announced [`POLICY_NOTICE_MS`] before it holds.
    /// Clients go by the date in the entry, so auditors hold it against the log.
    #[must_use]
    pub fn is_in_time(&self, epoch_ms: u64) -> bool {
        self.kind != GovernanceKind::Policy
            || self.takes_effect_ms >= epoch_ms.saturating_add(POLICY_NOTICE_MS)
    }

    fn is_formed(&self) -> bool {
        self.document.as_ref().is_none_or(|document| {
            !document.is_empty() && self.document_hash == Hash::from(Sha256::digest(document))
        })
    }
}

impl Entry {
    /// The one encoding.
    ///
    /// # Errors
    /// [`EntryError`]: it is too long or [`Entry::decode`] would refuse it.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let bytes = match self {
            Self::Epoch(entry) => canonical::to_vec(&EpochBody::from(entry)),
            Self::Release(entry) => canonical::to_vec(&ReleaseBody::from(entry)),
            Self::Disclosure(entry) => canonical::to_vec(&DisclosureBody::from(entry)),
            Self::Governance(entry) => canonical::to_vec(&GovernanceBody::from(entry)),
        };
        if bytes.len() > ENTRY_BYTES {
            return Err(EntryError::Encoding);
        }
        if self.is_formed() { Ok(bytes) } else { Err(EntryError::Form) }
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_BYTES {
            return Err(EntryError::Encoding);
        }
        let mut head = minicbor::Decoder::new(bytes);
        let (Ok(Some(_)), Ok(kind)) = (head.array(), head.u8()) else {
            return Err(EntryError::Encoding);
        };
        let entry = match kind {
            EPOCH => Self::Epoch(body::<EpochBody>(bytes)?.try_into()?),
            RELEASE => Self::Release(body::<ReleaseBody>(bytes)?.try_into()?),
            DISCLOSURE => Self::Disclosure(body::<DisclosureBody>(bytes)?.into()),
            GOVERNANCE => Self::Governance(body::<GovernanceBody>(bytes)?.try_into()?),
            _ => return Err(EntryError::Encoding),
        };
        // Also refuses a version of the form that is not known yet: it would not encode to the same bytes.
        if entry.encode()? == bytes { Ok(entry) } else { Err(EntryError::Encoding) }
    }

    /// The RFC 6962 hash of the encoding.
    ///
    /// # Errors
    /// As [`Entry::encode`].
    pub fn leaf_hash(&self) -> Result<Hash, EntryError> {
        Ok(leaf_hash(&self.encode()?))
    }

    fn is_formed(&self) -> bool {
        match self {
            Self::Epoch(entry) => entry.is_formed(),
            Self::Release(entry) => entry.is_formed(),
            Self::Disclosure(_) => true,
            Self::Governance(entry) => entry.is_formed(),
        }
    }
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES && !text.chars().any(char::is_control)
}
