// SPDX-License-Identifier: AGPL-3.0-or-later
//! The header of a commit: what binds the blind server's view to the members'.

use nodoor_e2ee::{group::Change, staged::HeaderError};
use nodoor_wire::header::CommitHeader;

use crate::world::{Device, alice_and_bob, room_of, stored};

#[test]
fn without_the_header_check_mls_merges_a_commit_whose_header_is_forged() {
    let (alice, bob) = alice_and_bob();
    let mut forged = stored(&alice.commit(Change::default()));
    let mut header = CommitHeader::from_slice(&forged.header).unwrap();
    header.next_roster = vec![0; 32].into();
    forged.header = header.to_vec().into();
    let mut group = bob.group();
    // MLS knows nothing of headers: the frame is sound, and it would merge.
    let staged = bob.stage(&forged).unwrap();
    group.merge(&bob.disk, staged).unwrap();
    assert_eq!(group.epoch(), 2);
    // The check does.
    let (alice, bob) = alice_and_bob();
    let mut forged = stored(&alice.commit(Change::default()));
    forged.header = header.to_vec().into();
    assert!(bob.group().verify_header(&forged).is_err());
}

#[test]
fn every_field_of_a_header_is_under_the_signature() {
    let (alice, bob) = alice_and_bob();
    let good = stored(&alice.commit(Change::default()));
    assert_eq!(bob.group().verify_header(&good), Ok(()));
    let header = CommitHeader::from_slice(&good.header).unwrap();
    type Bend = fn(&mut CommitHeader);
    let bends: [(Bend, HeaderError); 7] = [
        (|h| h.room = vec![1; 32].into(), HeaderError::NotThis),
        (|h| h.epoch += 1, HeaderError::NotThis),
        (|h| h.frame = vec![1; 32].into(), HeaderError::NotThis),
        (|h| h.next_roster = vec![1; 32].into(), HeaderError::Signature),
        (|h| h.next_key_check = vec![1; 32].into(), HeaderError::Signature),
        (|h| h.welcomes = vec![1; 32].into(), HeaderError::Signature),
        (|h| h.tree_blob = vec![1; 32].into(), HeaderError::Signature),
    ];
    for (bend, expected) in bends {
        let mut header = header.clone();
        bend(&mut header);
        let bent =
            nodoor_wire::proto::StoredCommit { header: header.to_vec().into(), ..good.clone() };
        assert_eq!(bob.group().verify_header(&bent), Err(expected));
    }
    let mut bent = good.clone();
    bent.epoch = 2;
    assert_eq!(bob.group().verify_header(&bent), Err(HeaderError::NotThis));
    let mut bent = good.clone();
    bent.signature = vec![0; 64].into();
    assert_eq!(bob.group().verify_header(&bent), Err(HeaderError::Signature));
    let mut bent = good.clone();
    bent.commit_key = vec![5; 32].into();
    assert_eq!(bob.group().verify_header(&bent), Err(HeaderError::UnknownKey));
    let mut bent = good;
    bent.header = vec![0x80].into();
    assert_eq!(bob.group().verify_header(&bent), Err(HeaderError::Malformed));
}

#[test]
fn a_committer_cannot_announce_another_roster_or_key() {
    let (alice, bob) = alice_and_bob();
    let honest = stored(&alice.commit(Change::default()));
    let header = CommitHeader::from_slice(&honest.header).unwrap();
    for (roster, key, expected) in
        [(true, false, HeaderError::NextRoster), (false, true, HeaderError::NextKey)]
    {
        let mut lie = header.clone();
        if roster {
            lie.next_roster = vec![1; 32].into();
        }
        if key {
            lie.next_key_check = vec![1; 32].into();
        }
        let mut commit = honest.clone();
        alice.sign_header(&mut commit, &lie);
        assert_eq!(bob.group().verify_header(&commit), Ok(()), "soundly signed");
        let bob = Device { disk: bob.disk.clone(), ..Device::new(2) };
        let staged = bob.stage(&commit).unwrap();
        assert_eq!(staged.matches_header(&commit), Err(expected));
    }
}

#[test]
fn a_member_cannot_put_its_header_on_anothers_commit() {
    let devices = room_of(3);
    let mut commit = stored(&devices[0].commit(Change::default()));
    let header = CommitHeader::from_slice(&commit.header).unwrap();
    devices[1].sign_header(&mut commit, &header);
    assert_eq!(devices[2].group().verify_header(&commit), Ok(()));
    let staged = devices[2].stage(&commit).unwrap();
    assert_eq!(staged.matches_header(&commit), Err(HeaderError::NotTheCommitter));
}

#[test]
fn a_removed_members_commit_key_signs_nothing_any_more() {
    let devices = room_of(3);
    let (alice, bob, carol) = (&devices[0], &devices[1], &devices[2]);
    let out = alice.commit(Change { remove: vec![2], ..Change::default() });
    alice.accepted();
    bob.follow(&out);
    let mut commit = stored(&alice.commit(Change::default()));
    let header = CommitHeader::from_slice(&commit.header).unwrap();
    // Carol did not process her removal and still has her key.
    carol.sign_header(&mut commit, &header);
    assert_eq!(bob.group().verify_header(&commit), Err(HeaderError::UnknownKey));
}

#[test]
fn a_commit_key_of_the_epoch_before_signs_nothing_any_more() {
    let (alice, bob) = alice_and_bob();
    let old = alice.disk.clone();
    let renew = alice.commit(Change::default());
    alice.accepted();
    bob.follow(&renew);
    let mut commit = stored(&alice.commit(Change::default()));
    let header = CommitHeader::from_slice(&commit.header).unwrap();
    let stale = Device { disk: old, ..Device::new(1) };
    stale.sign_header(&mut commit, &header);
    assert_eq!(bob.group().verify_header(&commit), Err(HeaderError::UnknownKey));
}
