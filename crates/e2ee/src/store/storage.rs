// SPDX-License-Identifier: AGPL-3.0-or-later
//! OpenMLS' storage calls over a [`KeyValue`]: what is kept, under which key.
//!
//! A key is `e/`, the name of a [`Kind`], `/`, and the CBOR of what OpenMLS names the value by. Lists that grow by
//! single entries (own leaves, proposals) are short, and are read and written as a whole, each entry encoded by itself.

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};

use crate::store::{Damaged, KeyValue, cbor, pieces, read};

/// OpenMLS' storage calls over a [`KeyValue`].
pub(crate) struct Storage<'s>(&'s dyn KeyValue);

impl<'s> Storage<'s> {
    pub(super) fn new(store: &'s dyn KeyValue) -> Self {
        Self(store)
    }

    fn write(&self, kind: Kind, name: &impl Serialize, value: &impl Serialize) -> Written {
        self.0.put(key(kind, name)?, cbor::to_vec(value)?);
        Ok(())
    }

    fn read<T: DeserializeOwned>(
        &self,
        kind: Kind,
        name: &impl Serialize,
    ) -> Result<Option<T>, Damaged> {
        let bytes = self.0.get(&key(kind, name)?);
        bytes.map(|bytes| read::from_slice(&bytes)).transpose()
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

    fn pieces(&self, room: &impl Serialize) -> Result<pieces::Pieces<'_>, Damaged> {
        let index = key(Kind::MessageSecrets, room)?;
        Ok(pieces::Pieces::new(self.0, index, key(Kind::MessageSecretsPiece, room)?))
    }

    fn queue(&self, room: &impl Serialize) -> Result<Vec<Queued>, Damaged> {
        self.read_list(Kind::Proposals, room)
    }
}

/// A proposal's reference and the proposal, each encoded.
type Queued = (Vec<u8>, Vec<u8>);

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
    MessageSecretsPiece,
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
            Self::MessageSecretsPiece => b"msp",
        }
    }
}

fn key(kind: Kind, name: &impl Serialize) -> Result<Vec<u8>, Damaged> {
    let mut key = [b"e/", kind.name(), b"/"].concat();
    key.extend(cbor::to_vec(name)?);
    Ok(key)
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
        self.pieces(room)?.write(value)
    }

    fn message_secrets<
        G: traits::GroupId<CURRENT_VERSION>,
        T: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Option<T>, Damaged> {
        self.pieces(room)?.read()
    }

    fn delete_message_secrets<G: traits::GroupId<CURRENT_VERSION>>(&self, room: &G) -> Written {
        self.pieces(room)?.delete()
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
        let mut leaves: Vec<Vec<u8>> = self.read_list(Kind::OwnLeaves, room)?;
        leaves.push(cbor::to_vec(leaf)?);
        self.write(Kind::OwnLeaves, room, &leaves)
    }

    fn own_leaf_nodes<G: traits::GroupId<CURRENT_VERSION>, T: traits::LeafNode<CURRENT_VERSION>>(
        &self,
        room: &G,
    ) -> Result<Vec<T>, Damaged> {
        let leaves: Vec<Vec<u8>> = self.read_list(Kind::OwnLeaves, room)?;
        leaves.iter().map(|leaf| read::from_slice(leaf)).collect()
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
        let mut queue = self.queue(room)?;
        let reference = cbor::to_vec(reference)?;
        queue.retain(|(queued, _)| *queued != reference);
        queue.push((reference, cbor::to_vec(proposal)?));
        self.write(Kind::Proposals, room, &queue)
    }

    fn queued_proposal_refs<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Vec<R>, Damaged> {
        self.queue(room)?.iter().map(|(reference, _)| read::from_slice(reference)).collect()
    }

    fn queued_proposals<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        T: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
    ) -> Result<Vec<(R, T)>, Damaged> {
        let decode = |(reference, proposal): &Queued| {
            Ok((read::from_slice(reference)?, read::from_slice(proposal)?))
        };
        self.queue(room)?.iter().map(decode).collect()
    }

    fn remove_proposal<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        room: &G,
        reference: &R,
    ) -> Written {
        let mut queue = self.queue(room)?;
        let reference = cbor::to_vec(reference)?;
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
