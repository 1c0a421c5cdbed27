// SPDX-License-Identifier: AGPL-3.0-or-later
use nodoor_transparency::key::{BadSignature, SigningKey, label, login_bytes, verify};
use nodoor_wire::id::DeploymentId;

#[test]
fn a_signature_holds_under_its_own_label_alone() {
    let key = SigningKey::from_seed([1; 32]);
    let labels = [
        label::DEVICE_LIST,
        label::HANDLE,
        label::MAILBOX_KEY,
        label::DISPUTE,
        label::REPORT,
        label::LOGIN,
        label::COMMIT,
    ];
    for signed in labels {
        let signature = key.sign(signed, b"the same bytes");
        for asked in labels {
            let answer = verify(&key.public(), asked, b"the same bytes", &signature);
            assert_eq!(answer.is_ok(), signed == asked, "{signed} as {asked}");
        }
    }
}

#[test]
fn a_label_cannot_take_over_bytes_of_what_is_signed() {
    let key = SigningKey::from_seed([1; 32]);
    let signature = key.sign("nodoor", b"list");
    assert_eq!(verify(&key.public(), "nodoorlist", b"", &signature), Err(BadSignature));
    assert_eq!(verify(&key.public(), "", b"nodoor\0list", &signature), Err(BadSignature));
}

#[test]
fn a_key_of_small_order_signs_nothing() {
    // The neutral element: with it, lax verification accepts R = neutral, s = 0 over any bytes.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    assert_eq!(verify(&neutral, label::DEVICE_LIST, b"anything", &signature), Err(BadSignature));
}

#[test]
fn a_signature_has_one_form() {
    // Adding the group order to s gives a second signature in lax verifiers (RFC 8032, 5.1.7).
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let key = SigningKey::from_seed([1; 32]);
    let mut signature = key.sign(label::HANDLE, b"bytes");
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(verify(&key.public(), label::HANDLE, b"bytes", &signature), Err(BadSignature));
}

#[test]
fn a_login_is_for_one_deployment() {
    let key = SigningKey::from_seed([1; 32]);
    let signature = key.sign(label::LOGIN, &login_bytes(&DeploymentId([1; 16]), &[7; 32]));
    let other = login_bytes(&DeploymentId([2; 16]), &[7; 32]);
    assert_eq!(verify(&key.public(), label::LOGIN, &other, &signature), Err(BadSignature));
}

#[test]
fn rfc_8032_test_1_verifies_without_a_label_of_ours() {
    // RFC 8032, 7.1, TEST 1: the seed and its public key. The labelled form signs other bytes, so only the key
    // derivation can be held against it.
    let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let key = SigningKey::from_seed(seed.unwrap().try_into().unwrap());
    assert_eq!(key.public().to_vec(), public.unwrap());
}

#[test]
fn a_key_shows_nothing_in_a_log() {
    assert_eq!(format!("{:?}", SigningKey::from_seed([1; 32])), "SigningKey(..)");
}
