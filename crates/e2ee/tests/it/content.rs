// SPDX-License-Identifier: AGPL-3.0-or-later
//! Contents: their bytes, and what other software may write.

use nodoor_e2ee::content::{self, Content, NotContent};
use nodoor_wire::id::{AccountId, CommitId, MessageId, RoomId};
use proptest::prelude::*;

const SALT: [u8; 16] = [0xaa; 16];

fn all() -> [(Content, &'static str); 8] {
    [
        (
            Content::Text("hi".to_owned()),
            concat!(
                "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", // [salt,
                "f640f6f6a0",                           // null, h'', null, null, {},
                "8501600178",
                "18",
                "746578742f706c61696e3b636861727365743d7574662d38", // [1, "", 1, type,
                "426869",                                           // h'6869']]
            ),
        ),
        (
            Content::Receipt(vec![MessageId([1; 32])]),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781f6170706c69636174696f6e2f6e6f646f6f722e726563656970742b63626f7258238158200101010101010101010101010101010101010101010101010101010101010101",
        ),
        (
            Content::Profile { name: "Mira".to_owned() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085036001781f6170706c69636174696f6e2f6e6f646f6f722e70726f66696c652b63626f724681644d697261",
        ),
        (
            Content::Stuck { room: RoomId([2; 32]), epoch: 3, commit: CommitId([4; 32]) },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781d6170706c69636174696f6e2f6e6f646f6f722e737475636b2b63626f72584683582002020202020202020202020202020202020202020202020202020202020202020358200404040404040404040404040404040404040404040404040404040404040404",
        ),
        (
            Content::Checkpoint { note: vec![1, 2], asks: true },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a08507600178256170706c69636174696f6e2f6e6f646f6f722e636865636b706f696e742d72657175657374420102",
        ),
        (
            Content::Checkpoint { note: vec![1, 2], asks: false },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781d6170706c69636174696f6e2f6e6f646f6f722e636865636b706f696e74420102",
        ),
        (
            Content::Evidence(vec![1, 2]),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781b6170706c69636174696f6e2f6e6f646f6f722e65766964656e6365420102",
        ),
        (Content::Unknown, "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a083016000"),
    ]
}

#[test]
fn the_bytes_of_a_content_stay() {
    for (content, vector) in all() {
        let bytes = content::encode(&content, SALT);
        assert_eq!(content::decode(&bytes), Ok(content));
        assert_eq!(hex::encode(bytes), vector);
    }
}

#[test]
fn a_message_id_is_a_hash_of_sender_room_and_content() {
    let (account, room) = (AccountId([1; 16]), RoomId([2; 32]));
    let id = content::message_id(&account, &room, b"content");
    assert_eq!(id.to_hex(), ID);
    assert_ne!(id, content::message_id(&AccountId([2; 16]), &room, b"content"));
    assert_ne!(id, content::message_id(&account, &RoomId([1; 32]), b"content"));
}

#[test]
fn what_this_version_cannot_show_is_unknown_and_not_an_error() {
    let head = "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (what, rest) in [
        ("another type", "f640f6f6a08501600169746578742f68746d6c40"),
        ("an external part", "f640f6f6a08b016002606000f600404040"),
        ("a multipart", "f640f6f6a08501600300828301600083016000"),
        ("an edit", EDIT),
        ("a text that expires", "f64082f51a00000e10f6a083016000"),
    ] {
        let bytes = hex::decode(format!("{head}{rest}")).unwrap();
        assert_eq!(content::decode(&bytes), Ok(Content::Unknown), "{what}");
    }
    // Extensions and a topic do not hide a text.
    let text =
        "f64101f6f6a1016161850160017818746578742f706c61696e3b636861727365743d7574662d38426869";
    let bytes = hex::decode(format!("{head}{text}")).unwrap();
    assert_eq!(content::decode(&bytes), Ok(Content::Text("hi".to_owned())));
}

#[test]
fn limits_hold() {
    let long = Content::Text("x".repeat(64 * 1024));
    assert_eq!(content::decode(&content::encode(&long, SALT)), Ok(long));
    for content in [
        Content::Text("x".repeat(64 * 1024 + 1)),
        Content::Profile { name: "x".repeat(257) },
        Content::Receipt(vec![MessageId([1; 32]); 1001]),
    ] {
        assert_eq!(content::decode(&content::encode(&content, SALT)), Err(NotContent));
    }
    let mut trailing = content::encode(&Content::Unknown, SALT);
    trailing.push(0);
    assert_eq!(content::decode(&trailing), Err(NotContent));
    // A tower of arrays is skipped without recursion.
    let mut deep = content::encode(&Content::Unknown, SALT);
    deep.truncate(deep.len() - 4);
    deep.extend([0x84, 0x01, 0x60, 0x03]);
    deep.extend(std::iter::repeat_n(0x81, 60_000));
    deep.push(0x00);
    assert_eq!(content::decode(&deep), Ok(Content::Unknown));
}

proptest! {
    #[test]
    fn random_bytes_are_refused_quietly(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = content::decode(&bytes);
    }

    #[test]
    fn a_bent_content_never_panics(at in 0usize..64, with in any::<u8>(), which in 0usize..5) {
        let mut bytes = content::encode(&all()[which].0, SALT);
        let at = at % bytes.len();
        bytes[at] = with;
        let _ = content::decode(&bytes);
    }
}

/// `[salt, h'01..', h'', null, null, {}, [1, "", 0]]` from its second field on.
const EDIT: &str =
    "5820010101010101010101010101010101010101010101010101010101010101010140f6f6a083016000";
/// Computed apart from this code, as all of these bytes are.
const ID: &str = "01f49f8c24932f689353b5d32dda5dd2bb4109bf52f26fe381a118c0e73c0e30";
