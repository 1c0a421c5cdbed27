// SPDX-License-Identifier: AGPL-3.0-or-later
//! The arrays that entries are written as, field by field.

use minicbor::{
    Decode, Encode,
    bytes::{ByteArray, ByteVec},
};
use nodoor_wire::canonical;

use super::{
    Artifact, BuilderSignature, Disclosure, EntryError, Governance, GovernanceKind, KtEpoch,
    Release, ReleaseKind,
};

const VERSION: u8 = 1;
pub(super) const EPOCH: u8 = 1;
pub(super) const RELEASE: u8 = 2;
pub(super) const DISCLOSURE: u8 = 3;
pub(super) const GOVERNANCE: u8 = 4;

#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct EpochBody {
    #[n(0)]
    kind: u8,
    #[n(1)]
    form: u8,
    #[n(2)]
    epoch: u64,
    #[n(3)]
    root: ByteArray<32>,
    #[n(4)]
    previous_root: ByteArray<32>,
    #[n(5)]
    labels: u64,
    #[n(6)]
    audit_blob: ByteVec,
    #[n(7)]
    vrf_key: ByteArray<32>,
    #[n(8)]
    time_ms: u64,
}

#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct ReleaseBody {
    #[n(0)]
    kind: u8,
    #[n(1)]
    form: u8,
    #[n(2)]
    of: String,
    #[n(3)]
    version: String,
    #[n(4)]
    sequence: u64,
    #[n(5)]
    source_commit: ByteVec,
    #[n(6)]
    toolchain: ByteArray<32>,
    #[n(7)]
    artifacts: Vec<ArtifactBody>,
    #[n(8)]
    manifest: ByteVec,
    #[n(9)]
    not_before_ms: u64,
    #[n(10)]
    emergency: bool,
    #[n(11)]
    signatures: Vec<BuilderBody>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct ArtifactBody {
    #[n(0)]
    name: String,
    #[n(1)]
    size_bytes: u64,
    #[n(2)]
    hash: ByteArray<32>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct BuilderBody {
    #[n(0)]
    key: ByteArray<32>,
    #[n(1)]
    signature: ByteArray<64>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct DisclosureBody {
    #[n(0)]
    kind: u8,
    #[n(1)]
    form: u8,
    #[n(2)]
    hour: u64,
    #[n(3)]
    commitment: ByteArray<32>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct GovernanceBody {
    #[n(0)]
    kind: u8,
    #[n(1)]
    form: u8,
    #[n(2)]
    of: String,
    #[n(3)]
    document_hash: ByteArray<32>,
    #[n(4)]
    takes_effect_ms: u64,
    #[n(5)]
    document: ByteVec,
}

pub(super) fn body<T>(bytes: &[u8]) -> Result<T, EntryError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    canonical::from_slice(bytes).map_err(|_| EntryError::Encoding)
}

fn optional(hash: Option<[u8; 32]>) -> ByteVec {
    hash.map(Vec::from).unwrap_or_default().into()
}

fn or_empty(bytes: &[u8]) -> Result<Option<[u8; 32]>, EntryError> {
    match bytes {
        [] => Ok(None),
        hash => hash.try_into().map(Some).map_err(|_| EntryError::Form),
    }
}

impl From<&KtEpoch> for EpochBody {
    fn from(entry: &KtEpoch) -> Self {
        Self {
            kind: EPOCH,
            form: VERSION,
            epoch: entry.epoch,
            root: entry.root.into(),
            previous_root: entry.previous_root.into(),
            labels: entry.labels,
            audit_blob: optional(entry.audit_blob),
            vrf_key: entry.vrf_key.into(),
            time_ms: entry.time_ms,
        }
    }
}

impl TryFrom<EpochBody> for KtEpoch {
    type Error = EntryError;

    fn try_from(body: EpochBody) -> Result<Self, EntryError> {
        Ok(Self {
            epoch: body.epoch,
            root: body.root.into(),
            previous_root: body.previous_root.into(),
            labels: body.labels,
            audit_blob: or_empty(&body.audit_blob)?,
            vrf_key: body.vrf_key.into(),
            time_ms: body.time_ms,
        })
    }
}

impl From<&Release> for ReleaseBody {
    fn from(entry: &Release) -> Self {
        let artifact = |a: &Artifact| ArtifactBody {
            name: a.name.clone(),
            size_bytes: a.size_bytes,
            hash: a.hash.into(),
        };
        let builder =
            |s: &BuilderSignature| BuilderBody { key: s.key.into(), signature: s.signature.into() };
        Self {
            kind: RELEASE,
            form: VERSION,
            of: entry.kind.name().to_owned(),
            version: entry.version.clone(),
            sequence: entry.sequence,
            source_commit: entry.source_commit.clone().into(),
            toolchain: entry.toolchain.into(),
            artifacts: entry.artifacts.iter().map(artifact).collect(),
            manifest: optional(entry.manifest),
            not_before_ms: entry.not_before_ms,
            emergency: entry.emergency,
            signatures: entry.signatures.iter().map(builder).collect(),
        }
    }
}

impl TryFrom<ReleaseBody> for Release {
    type Error = EntryError;

    fn try_from(body: ReleaseBody) -> Result<Self, EntryError> {
        let artifact = |a: ArtifactBody| Artifact {
            name: a.name,
            size_bytes: a.size_bytes,
            hash: a.hash.into(),
        };
        let builder =
            |s: BuilderBody| BuilderSignature { key: s.key.into(), signature: s.signature.into() };
        Ok(Self {
            kind: ReleaseKind::of(&body.of).ok_or(EntryError::Form)?,
            version: body.version,
            sequence: body.sequence,
            source_commit: body.source_commit.into(),
            toolchain: body.toolchain.into(),
            artifacts: body.artifacts.into_iter().map(artifact).collect(),
            manifest: or_empty(&body.manifest)?,
            not_before_ms: body.not_before_ms,
            emergency: body.emergency,
            signatures: body.signatures.into_iter().map(builder).collect(),
        })
    }
}

impl From<&Disclosure> for DisclosureBody {
    fn from(entry: &Disclosure) -> Self {
        let commitment = entry.commitment.into();
        Self { kind: DISCLOSURE, form: VERSION, hour: entry.hour, commitment }
    }
}

impl From<DisclosureBody> for Disclosure {
    fn from(body: DisclosureBody) -> Self {
        Self { hour: body.hour, commitment: body.commitment.into() }
    }
}

impl From<&Governance> for GovernanceBody {
    fn from(entry: &Governance) -> Self {
        Self {
            kind: GOVERNANCE,
            form: VERSION,
            of: entry.kind.name().to_owned(),
            document_hash: entry.document_hash.into(),
            takes_effect_ms: entry.takes_effect_ms,
            document: entry.document.clone().unwrap_or_default().into(),
        }
    }
}

impl TryFrom<GovernanceBody> for Governance {
    type Error = EntryError;

    fn try_from(body: GovernanceBody) -> Result<Self, EntryError> {
        let document: Vec<u8> = body.document.into();
        Ok(Self {
            kind: GovernanceKind::of(&body.of).ok_or(EntryError::Form)?,
            document_hash: body.document_hash.into(),
            takes_effect_ms: body.takes_effect_ms,
            document: (!document.is_empty()).then_some(document),
        })
    }
}
