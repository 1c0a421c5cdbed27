// SPDX-License-Identifier: AGPL-3.0-or-later
//! Frames of other members.

use nodoor_wire::id::RoomId;
use openmls::{
    framing::errors::{MessageDecryptionError, SecretTreeError},
    prelude::{
        BasicCredential, ContentType, MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider as _,
        ProcessMessageError, ProcessedMessage, ProcessedMessageContent, Proposal, ProtocolMessage,
        QueuedProposal, Sender as MlsSender, StageCommitError, ValidationError,
        tls_codec::DeserializeBytes as _,
    },
};

use crate::{
    group::{Group, Leaf},
    identity::LeafName,
    staged::Staged,
    store::{Damaged, KeyValue, Provider},
    suite,
};

/// Who sent a payload. In a past epoch the leaf may be gone or another's by now; this is whose it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// Where it sat.
    pub index: u32,
    /// What its credential said.
    pub name: LeafName,
}

/// What was in a frame.
#[derive(Debug)]
pub enum Opened {
    /// A payload, padding included.
    Payload {
        /// Whose.
        from: Sender,
        /// The epoch it was sealed in: this one or up to three before.
        epoch: u64,
        /// What `Group::seal` was given.
        bytes: Vec<u8>,
    },
    /// Somebody asks to be removed. Kept: the next commit of anyone carries it out.
    Leave {
        /// Who.
        leaf: Leaf,
    },
    /// A commit, staged: see [`Staged`].
    Commit(Box<Staged>),
    /// A frame of this device, come back. Nothing to do.
    Own,
}

/// Why a frame was not opened. No key is used up, except where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nobody's fault: a frame of a later epoch, or a commit or proposal of an earlier one. Catch up and open it
    /// again, or drop it if it is earlier.
    #[error("a frame of epoch {theirs}")]
    WrongEpoch {
        /// The frame's epoch.
        theirs: u64,
    },
    /// Nobody's fault: opened before. Drop it.
    #[error("opened before")]
    Duplicate,
    /// Nobody's fault: its keys are deleted (more than three epochs or a hundred frames late) or it is 2,000 frames ahead.
    #[error("too late or too far ahead to be opened")]
    OutOfRange,
    /// Nobody's fault: a commit carries out a proposal this device has not opened yet. Open what waits in the
    /// mailbox, then again.
    #[error("a proposal of this commit has not been opened")]
    ProposalMissing,
    /// The peer's or the server's fault: it does not verify, or holds what no member may send. Keep it as evidence.
    #[error("forged")]
    Forged,
    /// The peer's or the server's fault: not a frame, or of another room.
    #[error("not a frame of this room")]
    Malformed,
    /// The caller's fault: this device was removed.
    #[error("this device was removed from the room")]
    Removed,
    /// The surroundings' fault, or ours.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

pub(crate) fn open(
    group: &mut Group,
    store: &dyn KeyValue,
    frame: &[u8],
) -> Result<Opened, OpenError> {
    if !group.is_active() {
        return Err(OpenError::Removed);
    }
    let message = parse(&group.room, frame)?;
    let (epoch, ours) = (message.epoch().as_u64(), group.epoch());
    let handshake = message.content_type() != ContentType::Application;
    if epoch > ours || (handshake && epoch < ours) {
        return Err(OpenError::WrongEpoch { theirs: epoch });
    }
    let provider = Provider::new(store);
    let processed = group.mls.process_message(&provider, message).map_err(class)?;
    let MlsSender::Member(index) = *processed.sender() else {
        return Err(OpenError::Forged);
    };
    let from = Sender { index: index.u32(), name: name_of(&processed)? };
    match processed.into_content() {
        ProcessedMessageContent::ApplicationMessage(message) => {
            Ok(Opened::Payload { from, epoch, bytes: message.into_bytes() })
        }
        ProcessedMessageContent::ProposalMessage(proposal) => {
            keep_leave(group, &provider, from, *proposal)
        }
        ProcessedMessageContent::StagedCommitMessage(staged) => {
            Ok(Opened::Commit(Box::new(Staged::new(group, from.index, staged)?)))
        }
        ProcessedMessageContent::OwnPendingCommit | ProcessedMessageContent::OwnPrivateMessage => {
            Ok(Opened::Own)
        }
        // Joins without a Welcome and application data in the GroupContext are no part of this protocol.
        ProcessedMessageContent::ExternalJoinProposalMessage(_)
        | ProcessedMessageContent::UnresolvedAppDataCommit(_) => Err(OpenError::Forged),
    }
}

/// A PrivateMessage of this room; what MLS would also take in the open is refused here.
fn parse(room: &RoomId, frame: &[u8]) -> Result<ProtocolMessage, OpenError> {
    let message =
        MlsMessageIn::tls_deserialize_exact_bytes(frame).map_err(|_| OpenError::Malformed)?;
    match message.extract() {
        MlsMessageBodyIn::PrivateMessage(message) => {
            let message = ProtocolMessage::from(message);
            if *message.group_id() == suite::group_id(room) {
                Ok(message)
            } else {
                Err(OpenError::Malformed)
            }
        }
        _ => Err(OpenError::Malformed),
    }
}

fn name_of(processed: &ProcessedMessage) -> Result<LeafName, OpenError> {
    let credential =
        BasicCredential::try_from(processed.credential().clone()).map_err(|_| OpenError::Forged)?;
    LeafName::from_slice(credential.identity()).map_err(|_| OpenError::Forged)
}

/// The one proposal anybody sends on its own: to be removed.
fn keep_leave(
    group: &mut Group,
    provider: &Provider<'_>,
    from: Sender,
    proposal: QueuedProposal,
) -> Result<Opened, OpenError> {
    match proposal.proposal() {
        Proposal::Remove(remove) if remove.removed().u32() == from.index => {}
        _ => return Err(OpenError::Forged),
    }
    let leaf = group.leaf(from.index).ok_or(OpenError::Forged)?.clone();
    group.mls.store_pending_proposal(provider.storage(), proposal)?;
    Ok(Opened::Leave { leaf })
}

fn class(error: ProcessMessageError<Damaged>) -> OpenError {
    match error {
        ProcessMessageError::StorageError(damaged) => damaged.into(),
        ProcessMessageError::InvalidCommit(StageCommitError::MissingProposal) => {
            OpenError::ProposalMissing
        }
        ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
            MessageDecryptionError::SecretTreeError(error),
        )) => match error {
            SecretTreeError::SecretReuseError => OpenError::Duplicate,
            SecretTreeError::TooDistantInThePast | SecretTreeError::TooDistantInTheFuture => {
                OpenError::OutOfRange
            }
            _ => OpenError::Forged,
        },
        ProcessMessageError::ValidationError(ValidationError::NoPastEpochData) => {
            OpenError::OutOfRange
        }
        _ => OpenError::Forged,
    }
}
