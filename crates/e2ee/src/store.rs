// SPDX-License-Identifier: AGPL-3.0-or-later
//! MLS state on somebody else's disk: OpenMLS' storage calls become puts and deletions of keys that
//! begin with `e/`, with values in CBOR.
//!
//! Nothing here is encrypted: the store under it protects the whole profile. Whatever one call of this
//! crate writes belongs in one transaction; a call that failed leaves writes that must be thrown away.

use ciborium::de::Error as Decoding;
use openmls::prelude::OpenMlsProvider;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};

/// Keys and values of the caller's current transaction. Keys of this crate begin with `e/` and have up to
/// 1 KiB, values up to a few MiB. Reads see the writes before them. A disk that fails is remembered by
/// the implementation, which then refuses to commit; reads of it answer `None` meanwhile.
pub trait KeyValue {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// Writes a key.
    fn put(&self, key: Vec<u8>, value: Vec<u8>);
    /// Removes a key; one that is not there is no error.
    fn delete(&self, key: &[u8]);
}

/// A value of our own on the disk does not decode, or cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored MLS state is damaged")]
pub struct Damaged;

impl<E> From<Decoding<E>> for Damaged {
    fn from(_: Decoding<E>) -> Self {
        Self
    }
}

/// What OpenMLS is handed: its primitives, and the store.
pub(crate) struct Provider<'s> {
    crypto: RustCrypto,
    storage: Storage<'s>,
}

impl<'s> Provider<'s> {
    pub(crate) fn new(store: &'s dyn KeyValue) -> Self {
        Self { crypto: RustCrypto::default(), storage: Storage(store) }
    }
}

impl<'s> OpenMlsProvider for Provider<'s> {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = Storage<'s>;

    fn storage(&self) -> &Storage<'s> {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto
    }
}

/// OpenMLS' storage calls over a [`KeyValue`]. A key is `e/`, the name of a [`Kind`], `/`, and the CBOR of
/// what OpenMLS names the value by.
pub(crate) struct Storage<'s>(&'s dyn KeyValue);

impl Storage<'_> {
    fn write(&self, kind: Kind, name: &impl Serialize, value: &impl Serialize) -> Written {
        self.0.put(key(kind, name)?, to_cbor(value)?);
        Ok(())
    }

    fn read<T: DeserializeOwned>(
        &self,
        kind: Kind,
        name: &impl Serialize,
    ) -> Result<Option<T>, Damaged> {
        let Some(bytes) = self.0.get(&key(kind, name)?) else {
            return Ok(None);
        };
        Ok(Some(ciborium::from_reader(bytes.as_slice())?))
    }

    fn read_list<T: DeserializeOwned>(
        &self,
        kind: Kind,
        name: &impl Serialize,
    ) -> Result<Vec<T>, Damaged> {
        Ok(self.read(kind, name)?.unwrap_or_default())
    }

    fn remove(&self, kind: Kind, name: &impl Serialize) -> Written {
        self.0.delete(&key(kind, name)?);
        Ok(())
    }

    /// The queue is one value a room: it is short, and read and written as a whole.
    fn queue<R: DeserializeOwned>(
        &self,
        room: &impl Serialize,
    ) -> Result<Vec<(R, ciborium::Value)>, Damaged> {
        self.read_list(Kind::Proposals, room)
    }
}

type Written = Result<(), Damaged>;

/// What is stored, by the short name in its key.
#[derive(Clone, Copy)]
enum Kind {
    KeyPackage,
    Psk,
    EncryptionKey,
    SignatureKey,
    EpochKeys,
    Tree,
    Context,
    ExportTree,
    InterimHash,
    ConfirmationTag,
    Config,
    OwnLeaves,
    State,
    Proposals,
    OwnIndex,
    EpochSecrets,
    ResumptionPsks,
    MessageSecrets,
}

impl Kind {
    fn name(self) -> &'static [u8] {
        match self {
            Self::KeyPackage => b"kp",
            Self::Psk => b"psk",
            Self::EncryptionKey => b"ek",
            Self::SignatureKey => b"sk",
            Self::EpochKeys => b"epk",
            Self::Tree => b"tree",
            Self::Context => b"ctx",
            Self::ExportTree => b"xt",
            Self::InterimHash => b"ith",
            Self::ConfirmationTag => b"tag",
            Self::Config => b"cfg",
            Self::OwnLeaves => b"own",
            Self::State => b"state",
            Self::Proposals => b"prop",
            Self::OwnIndex => b"idx",
            Self::EpochSecrets => b"es",
            Self::ResumptionPsks => b"rpsk",
            Self::MessageSecrets => b"ms",
        }
    }
}

fn key(kind: Kind, name: &impl Serialize) -> Result<Vec<u8>, Damaged> {
    let mut key = [b"e/", kind.name(), b"/"].concat();
    ciborium::into_writer(name, &mut key).map_err(|_| Damaged)?;
    Ok(key)
}

fn to_cbor(value: &impl Serialize) -> Result<Vec<u8>, Damaged> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|_| Damaged)?;
    Ok(bytes)
}

// One method a kind, as the trait asks; each is one line.
impl StorageProvider<CURRENT_VERSION> for Storage<'_> {
    type Error = Damaged;

    fn write_mls_join_config<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::MlsGroupJoinConfig<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::Config, room, value)
    }

    fn mls_group_join_config<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::MlsGroupJoinConfig<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::Config, room)
    }

    fn delete_group_config<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::Config, room)
    }

    fn write_tree<G: traits::GroupId<CURRENT_VERSION>, T: traits::TreeSync<CURRENT_VERSION>>(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::Tree, room, value)
    }

    fn tree<G: traits::GroupId<CURRENT_VERSION>, T: traits::TreeSync<CURRENT_VERSION>>(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::Tree, room)
    }

    fn delete_tree<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::Tree, room)
    }

    fn write_interim_transcript_hash<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::InterimTranscriptHash<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::InterimHash, room, value)
    }

    fn interim_transcript_hash<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::InterimTranscriptHash<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::InterimHash, room)
    }

    fn delete_interim_transcript_hash<G: traits::GroupId<CURRENT_VERSION>>(
        &self,
        room: &G,
    ) -> Written {
        self.remove(Kind::InterimHash, room)
    }

    fn write_context<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::GroupContext<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::Context, room, value)
    }

    fn group_context<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::GroupContext<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::Context, room)
    }

    fn delete_context<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::Context, room)
    }

    fn write_confirmation_tag<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::ConfirmationTag<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::ConfirmationTag, room, value)
    }

    fn confirmation_tag<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::ConfirmationTag<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::ConfirmationTag, room)
    }

    fn delete_confirmation_tag<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::ConfirmationTag, room)
    }

    fn write_message_secrets<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::MessageSecrets, room, value)
    }

    fn message_secrets<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::MessageSecrets, room)
    }

    fn delete_message_secrets<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::MessageSecrets, room)
    }

    fn write_resumption_psk_store<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::ResumptionPskStore<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::ResumptionPsks, room, value)
    }

    fn resumption_psk_store<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::ResumptionPskStore<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::ResumptionPsks, room)
    }

    fn delete_all_resumption_psk_secrets<G: traits::GroupId<CURRENT_VERSION>>(
        &self,
        room: &G,
    ) -> Written {
        self.remove(Kind::ResumptionPsks, room)
    }

    fn write_own_leaf_index<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::LeafNodeIndex<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::OwnIndex, room, value)
    }

    fn own_leaf_index<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::LeafNodeIndex<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::OwnIndex, room)
    }

    fn delete_own_leaf_index<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::OwnIndex, room)
    }

    fn write_group_epoch_secrets<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::GroupEpochSecrets<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::EpochSecrets, room, value)
    }

    fn group_epoch_secrets<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::GroupEpochSecrets<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::EpochSecrets, room)
    }

    fn delete_group_epoch_secrets<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::EpochSecrets, room)
    }

    fn write_application_export_tree<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::ApplicationExportTree<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::ExportTree, room, value)
    }

    fn application_export_tree<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::ApplicationExportTree<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::ExportTree, room)
    }

    fn delete_application_export_tree<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::ApplicationExportTree<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Written {
        self.remove(Kind::ExportTree, room)
    }

    fn write_group_state<
        T: traits::GroupState<CURRENT_VERSION>,
        G: traits::GroupId<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        value: &T,
    ) -> Written {
        self.write(Kind::State, room, value)
    }

    fn group_state<T: traits::GroupState<CURRENT_VERSION>, G: traits::GroupId<CURRENT_VERSION>>(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::State, room)
    }

    fn delete_group_state<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::State, room)
    }

    fn append_own_leaf_node<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::LeafNode<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        leaf: &T,
    ) -> Written {
        let mut leaves: Vec<ciborium::Value> = self.read_list(Kind::OwnLeaves, room)?;
        leaves.push(ciborium::Value::serialized(leaf).map_err(|_| Damaged)?);
        self.write(Kind::OwnLeaves, room, &leaves)
    }

    fn own_leaf_nodes<G: traits::GroupId<CURRENT_VERSION>, T: traits::LeafNode<CURRENT_VERSION>>(
        &self,
        room: &G,
    ) -> Result<Vec<T>, Damaged> {
        self.read_list(Kind::OwnLeaves, room)
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.remove(Kind::OwnLeaves, room)
    }

    fn queue_proposal<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        T: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        reference: &R,
        proposal: &T,
    ) -> Written {
        let mut queue = self.queue::<ciborium::Value>(room)?;
        let reference = ciborium::Value::serialized(reference).map_err(|_| Damaged)?;
        queue.retain(|(queued, _)| *queued != reference);
        queue.push((reference, ciborium::Value::serialized(proposal).map_err(|_| Damaged)?));
        self.write(Kind::Proposals, room, &queue)
    }

    fn queued_proposal_refs<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Vec<R>, Damaged> {
        Ok(self.queue(room)?.into_iter().map(|(reference, _)| reference).collect())
    }

    fn queued_proposals<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        T: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Vec<(R, T)>, Damaged> {
        self.read_list(Kind::Proposals, room)
    }

    fn remove_proposal<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        reference: &R,
    ) -> Written {
        let mut queue = self.queue::<ciborium::Value>(room)?;
        let reference = ciborium::Value::serialized(reference).map_err(|_| Damaged)?;
        queue.retain(|(queued, _)| *queued != reference);
        self.write(Kind::Proposals, room, &queue)
    }

    fn clear_proposal_queue<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Written {
        self.remove(Kind::Proposals, room)
    }

    fn write_signature_key_pair<
        K: traits::SignaturePublicKey<CURRENT_VERSION>,
        T: traits::SignatureKeyPair<CURRENT_VERSION>,
    >(
        &self,
        public: &K,
        pair: &T,
    ) -> Written {
        self.write(Kind::SignatureKey, public, pair)
    }

    fn signature_key_pair<
        K: traits::SignaturePublicKey<CURRENT_VERSION>,
        T: traits::SignatureKeyPair<CURRENT_VERSION>,
    >(
        &self,
        public: &K,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::SignatureKey, public)
    }

    fn delete_signature_key_pair<K: traits::SignaturePublicKey<CURRENT_VERSION>>(
        &self,
        public: &K,
    ) -> Written {
        self.remove(Kind::SignatureKey, public)
    }

    fn write_encryption_key_pair<
        K: traits::EncryptionKey<CURRENT_VERSION>,
        T: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        public: &K,
        pair: &T,
    ) -> Written {
        self.write(Kind::EncryptionKey, public, pair)
    }

    fn encryption_key_pair<
        T: traits::HpkeKeyPair<CURRENT_VERSION>,
        K: traits::EncryptionKey<CURRENT_VERSION>,
    >(
        &self,
        public: &K,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::EncryptionKey, public)
    }

    fn delete_encryption_key_pair<K: traits::EncryptionKey<CURRENT_VERSION>>(
        &self,
        public: &K,
    ) -> Written {
        self.remove(Kind::EncryptionKey, public)
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
        T: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        epoch: &E,
        leaf: u32,
        pairs: &[T],
    ) -> Written {
        self.write(Kind::EpochKeys, &(room, epoch, leaf), &pairs)
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
        T: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<T>, Damaged> {
        self.read_list(Kind::EpochKeys, &(room, epoch, leaf))
    }

    fn delete_encryption_epoch_key_pairs<
        G: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        epoch: &E,
        leaf: u32,
    ) -> Written {
        self.remove(Kind::EpochKeys, &(room, epoch, leaf))
    }

    fn write_key_package<
        R: traits::HashReference<CURRENT_VERSION>,
        T: traits::KeyPackage<CURRENT_VERSION>,
    >(
        &self,
        reference: &R,
        package: &T,
    ) -> Written {
        self.write(Kind::KeyPackage, reference, package)
    }

    fn key_package<
        R: traits::HashReference<CURRENT_VERSION>,
        T: traits::KeyPackage<CURRENT_VERSION>,
    >(
        &self,
        reference: &R,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::KeyPackage, reference)
    }

    fn delete_key_package<R: traits::HashReference<CURRENT_VERSION>>(
        &self,
        reference: &R,
    ) -> Written {
        self.remove(Kind::KeyPackage, reference)
    }

    fn write_psk<P: traits::PskId<CURRENT_VERSION>, T: traits::PskBundle<CURRENT_VERSION>>(
        &self,
        id: &P,
        psk: &T,
    ) -> Written {
        self.write(Kind::Psk, id, psk)
    }

    fn psk<T: traits::PskBundle<CURRENT_VERSION>, P: traits::PskId<CURRENT_VERSION>>(
        &self,
        id: &P,
    ) -> Result<Option<T>, Damaged> {
        self.read(Kind::Psk, id)
    }

    fn delete_psk<P: traits::PskId<CURRENT_VERSION>>(&self, id: &P) -> Written {
        self.remove(Kind::Psk, id)
    }
}
