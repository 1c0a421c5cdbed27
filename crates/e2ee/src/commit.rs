// SPDX-License-Identifier: AGPL-3.0-or-later
//! A commit of this device, complete and signed.

use ed25519_dalek::Signer as _;
use nodoor_wire::{
    header::{COMMIT_LABEL, CommitHeader},
    id::signed_bytes,
    proto,
};
use openmls::prelude::{
    CommitMessageBundle, KeyPackage, LeafNodeIndex, LeafNodeParameters, OpenMlsProvider as _,
    Sender as MlsSender, tls_codec::Serialize as _,
};
use rand_core::CryptoRng;

use crate::{
    group::{Change, Group, GroupError, Leaf, to_frame},
    identity::Identity,
    key_package,
    leaf::{self, LeafKeys, Place},
    staged::{After, NextRoster},
    store::{KeyValue, Provider},
    suite,
};

pub(crate) fn make(
    group: &mut Group,
    store: &dyn KeyValue,
    me: &Identity,
    change: Change,
    rng: &mut dyn CryptoRng,
) -> Result<proto::Commit, GroupError> {
    group.check_idle()?;
    let own = group.own_leaf().ok_or(GroupError::Removed)?.clone();
    let signing = Place::Room(&group.room)
        .find(store, &own.commit_key)
        .ok_or(GroupError::Unexpected("own commit key"))?;
    let packages = change
        .add
        .iter()
        .map(|bytes| Ok(key_package::validate(bytes)?.0))
        .collect::<Result<Vec<_>, GroupError>>()?;
    let key = group.roster_key()?;
    let fresh = leaf::draw_commit_key(rng);
    Place::Room(&group.room).keep(store, &fresh);
    let keys = LeafKeys {
        token: change.token.unwrap_or(own.token),
        commit_key: fresh.verifying_key().to_bytes(),
    };
    let bundle = stage(group, store, me, &change, packages, &keys)?;

    let epoch = group.epoch();
    let pending = group.mls.pending_commit().ok_or(GroupError::Unexpected("pending commit"))?;
    let after = After::of(group, &own, pending).map_err(|_| GroupError::Impossible)?;
    let next = NextRoster::of(&group.room, &after.leaves, pending).ok_or(GroupError::Impossible)?;
    let mut commit = proto::Commit {
        room: group.room.to_bytes(),
        epoch,
        key: key.to_vec().into(),
        frame: to_frame(bundle.commit())?.into(),
        next_roster: next.sealed.into(),
        next_key_check: next.key_check.to_vec().into(),
        welcomes: welcomes(&bundle, &after.added)?,
        tree_blob: Vec::new().into(),
        commit_key: own.commit_key.to_vec().into(),
        signature: Vec::new().into(),
    };
    let header = CommitHeader::of(&commit).to_vec();
    let signature = signing.sign(&signed_bytes(COMMIT_LABEL, &header));
    commit.signature = signature.to_vec().into();
    Ok(commit)
}

fn stage(
    group: &mut Group,
    store: &dyn KeyValue,
    me: &Identity,
    change: &Change,
    packages: Vec<KeyPackage>,
    keys: &LeafKeys,
) -> Result<CommitMessageBundle, GroupError> {
    let provider = Provider::new(store);
    let leaf = LeafNodeParameters::builder()
        .with_credential_with_key(me.credential())
        .with_capabilities(suite::capabilities())
        .with_extensions(suite::leaf_extensions(keys).ok_or(GroupError::Impossible)?)
        .build();
    let own = MlsSender::Member(group.mls.own_leaf_index());
    let own_leave = group
        .mls
        .pending_proposals()
        .filter(|proposal| *proposal.sender() == own)
        .map(|proposal| proposal.proposal_reference_ref().clone())
        .collect::<Vec<_>>();
    let mut builder = group
        .mls
        .commit_builder()
        .leaf_node_parameters(leaf)
        .propose_adds(packages)
        .propose_removals(change.remove.iter().copied().map(LeafNodeIndex::new));
    if let Some(context) = &change.context {
        let extensions = suite::room_extensions(context).ok_or(GroupError::Impossible)?;
        builder = builder
            .propose_group_context_extensions(extensions)
            .map_err(|_| GroupError::Impossible)?;
    }
    builder
        .load_psks(provider.storage())
        .map_err(|_| GroupError::Unexpected("loading nothing"))?
        // The tree travels inside the Welcome; no GroupInfo (and no external key) is made for anyone else.
        .use_ratchet_tree_extension(true)
        .create_group_info(false)
        .build(provider.rand(), provider.crypto(), me, |proposal| {
            !own_leave.contains(proposal.proposal_reference_ref())
        })
        .map_err(|_| GroupError::Impossible)?
        .stage_commit(&provider)
        .map_err(|_| GroupError::Unexpected("staging the own commit"))
}

/// One Welcome for everybody added, with the tokens of all of them.
fn welcomes(
    bundle: &CommitMessageBundle,
    added: &[Leaf],
) -> Result<Vec<proto::WelcomeOut>, GroupError> {
    let Some(welcome) = bundle.to_welcome_msg() else {
        return Ok(Vec::new());
    };
    let welcome = welcome
        .tls_serialize_detached()
        .map_err(|_| GroupError::Unexpected("encoding a Welcome"))?;
    Ok(vec![proto::WelcomeOut {
        tokens: added.iter().map(|leaf| leaf.token.to_bytes()).collect(),
        body: welcome.into(),
    }])
}
