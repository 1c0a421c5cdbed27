// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is pinned: the suite, the extensions and what every member must be able to do.

use nodoor_wire::id::RoomId;
use openmls::prelude::{
    Capabilities, Ciphersuite, CredentialType, Extension, ExtensionType, Extensions, GroupContext,
    GroupId, LeafNode, MlsGroupJoinConfig, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, ProtocolVersion,
    RequiredCapabilitiesExtension, SenderRatchetConfiguration, UnknownExtension,
};

use crate::{leaf::LeafKeys, primitives::Primitives, room::RoomContext};

/// X-Wing (ML-KEM-768 with X25519), AES-128-GCM, SHA-256, Ed25519. No other suite is ever answered.
pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519;

/// GroupContext extension `nodoor_room`.
const ROOM_EXTENSION: u16 = 0xF0D0;
/// Leaf extension `nodoor_leaf`.
const LEAF_EXTENSION: u16 = 0xF0D1;

/// Frames are padded to multiples of this inside MLS: proposals and commits have no class of their own.
pub(crate) const PADDING: usize = 256;
/// Epochs whose frames can still be opened.
pub(crate) const PAST_EPOCHS: usize = 3;

/// A parallel fan-out delivers out of order: 100 behind, and up to 2,000 lost ahead, per sender and epoch.
pub(crate) fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(100, 2000)
}

pub(crate) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING)
        .max_past_epochs(PAST_EPOCHS)
        .sender_ratchet_configuration(ratchets())
        .use_ratchet_tree_extension(true)
        .build()
}

/// What our leaves say they can do: this suite alone, so that a key package fits no other group. (OpenMLS'
/// default, and all its provider can do, would name suites we never answer.)
pub(crate) fn capabilities() -> Capabilities {
    let [room, leaf] = extension_types();
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![SUITE])
        .extensions(vec![room, leaf, ExtensionType::LastResort])
        .credentials(vec![CredentialType::Basic])
        .build()
}

/// Whether a leaf can be in a room.
pub(crate) fn is_capable(capabilities: &Capabilities) -> bool {
    capabilities.ciphersuites().contains(&SUITE.into())
        && extension_types().iter().all(|kind| capabilities.extensions().contains(kind))
}

/// The primitives, where no store is needed.
pub(crate) fn crypto() -> Primitives {
    Primitives::default()
}

fn extension_types() -> [ExtensionType; 2] {
    [ExtensionType::Unknown(ROOM_EXTENSION), ExtensionType::Unknown(LEAF_EXTENSION)]
}

fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(&extension_types(), &[], &[CredentialType::Basic])
}

/// The GroupContext extensions of a room: these two and no others.
pub(crate) fn room_extensions(context: &RoomContext) -> Option<Extensions<GroupContext>> {
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required()),
        Extension::Unknown(ROOM_EXTENSION, UnknownExtension(context.to_vec())),
    ])
    .ok()
}

/// Reads the GroupContext extensions; `None` unless they are exactly what [`room_extensions`] makes.
pub(crate) fn room_context(extensions: &Extensions<GroupContext>) -> Option<RoomContext> {
    let known =
        extensions.iter().count() == 2 && extensions.required_capabilities() == Some(&required());
    let bytes = &extensions.unknown(ROOM_EXTENSION)?.0;
    RoomContext::from_slice(bytes).ok().filter(|_| known)
}

/// The extensions of a leaf: this one and no others.
pub(crate) fn leaf_extensions(keys: &LeafKeys) -> Option<Extensions<LeafNode>> {
    let extension = Extension::Unknown(LEAF_EXTENSION, UnknownExtension(keys.to_vec()));
    Extensions::single(extension).ok()
}

/// Reads a leaf's extension.
pub(crate) fn leaf_keys(extensions: &Extensions<LeafNode>) -> Option<LeafKeys> {
    LeafKeys::from_slice(&extensions.unknown(LEAF_EXTENSION)?.0)
}

pub(crate) fn group_id(room: &RoomId) -> GroupId {
    GroupId::from_slice(room.as_bytes())
}

pub(crate) fn room_id(group: &GroupId) -> Option<RoomId> {
    RoomId::try_from(group.as_slice()).ok()
}
