// SPDX-License-Identifier: AGPL-3.0-or-later
//! Contents: their bytes, and what other software may write.

use nodoor_e2ee::{
    content::{
        self, Content, Expiry, FrameHash, MimiContent, NotContent, Resent, Status, external::File,
    },
    file::Hashes,
};
use nodoor_wire::id::{AccountId, CommitId, MessageId, RoomId};
use proptest::prelude::*;

const SALT: [u8; 16] = [0xaa; 16];
const FIRST: MessageId = MessageId([1; 32]);
const OTHER: MessageId = MessageId([2; 32]);

fn hi() -> MimiContent {
    Content::Text("hi".to_owned()).into()
}

fn picture() -> Content {
    Content::File(Box::new(File {
        content_type: "image/jpeg".to_owned(),
        size: 70_000,
        key: [4; 32],
        hashes: Hashes { plain: [2; 32], sealed: [3; 32] },
        expires: 1_800_000_000,
        caption: "Look".to_owned(),
        name: "a.jpg".to_owned(),
        width: 640,
        height: 480,
        milliseconds: 1_500,
        waveform: vec![1, 2, 3],
        preview: vec![9],
    }))
}

#[test]
fn a_file_of_another_form_is_kept_and_one_that_contradicts_itself_is_none() {
    let bytes = content::encode(&picture().into(), SALT);
    let changed = |from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|part| part == from).unwrap();
        let changed = [&bytes[..at], to, &bytes[at + from.len()..]].concat();
        content::decode(&changed).map(|said| said.body)
    };
    // 61649, and the name of the extension.
    assert!(changed(&[0x19, 0xf0, 0xd1], &[0x19, 0xf0, 0xd2]) == Ok(Content::Unknown));
    assert!(changed(b"nodoor.file", b"nodoor.fire") == Ok(Content::Unknown));
    assert!(changed(b"nodoor:blob:03", b"nodoor:blob:04") == Err(NotContent), "two hashes");
    assert!(changed(b"nodoor:blob:", b"https://x.yy") == Err(NotContent));
    let huge = [0x1a, 0xff, 0xff, 0xff, 0xff];
    assert!(changed(&[0x1a, 0, 1, 0x11, 0x70], &huge) == Err(NotContent), "larger than any file");
}

/// Bytes computed apart from this code.
fn all() -> Vec<(MimiContent, &'static str)> {
    vec![
        (
            hi(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a0850160017818746578742f706c61696e3b636861727365743d7574662d38426869",
        ),
        (
            Content::Markdown("**hi**".to_owned()).into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085016001781e746578742f6d61726b646f776e3b76617269616e743d47464d2d4d494d49462a2a68692a2a",
        ),
        (
            MimiContent { in_reply_to: Some(FIRST), ..hi() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f658200101010101010101010101010101010101010101010101010101010101010101a0850160017818746578742f706c61696e3b636861727365743d7574662d38426869",
        ),
        (
            MimiContent { replaces: Some(FIRST), ..hi() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa5820010101010101010101010101010101010101010101010101010101010101010140f6f6a0850160017818746578742f706c61696e3b636861727365743d7574662d38426869",
        ),
        (
            MimiContent { replaces: Some(FIRST), ..Content::Nothing { reaction: false }.into() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa5820010101010101010101010101010101010101010101010101010101010101010140f6f6a083016000",
        ),
        (
            MimiContent { in_reply_to: Some(FIRST), ..Content::Reaction("\u{2764}".into()).into() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f658200101010101010101010101010101010101010101010101010101010101010101a0850260017818746578742f706c61696e3b636861727365743d7574662d3843e29da4",
        ),
        (
            MimiContent {
                replaces: Some(OTHER),
                in_reply_to: Some(FIRST),
                ..Content::Nothing { reaction: true }.into()
            },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa5820020202020202020202020202020202020202020202020202020202020202020240f658200101010101010101010101010101010101010101010101010101010101010101a083026000",
        ),
        (
            MimiContent { expires: Some(Expiry { relative: true, seconds: 60 }), ..hi() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf64082f5183cf6a0850160017818746578742f706c61696e3b636861727365743d7574662d38426869",
        ),
        (
            picture().into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a16b6e6f646f6f722e66696c65583286582002020202020202020202020202020202020202020202020202020202020202021902801901e01905dc4301020341098f0660026a696d6167652f6a706567784c6e6f646f6f723a626c6f623a303330333033303330333033303330333033303330333033303330333033303330333033303330333033303330333033303330333033303330333033303330331a6b49d2001a0001117019f0d15820040404040404040404040404040404040404040404040404040404040404040440400158200303030303030303030303030303030303030303030303030303030303030303644c6f6f6b65612e6a7067",
        ),
        (
            MimiContent { once: true, ..hi() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a16b6e6f646f6f722e6f6e6365f5850160017818746578742f706c61696e3b636861727365743d7574662d38426869",
        ),
        (
            MimiContent { forwarded: true, ..hi() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a1706e6f646f6f722e666f72776172646564f5850160017818746578742f706c61696e3b636861727365743d7574662d38426869",
        ),
        (
            Content::Timer { seconds: 604_800 }.into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781d6170706c69636174696f6e2f6e6f646f6f722e74696d65722b63626f7246811a00093a80",
        ),
        (
            MimiContent { in_reply_to: Some(FIRST), ..Content::Pin { on: true }.into() },
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f658200101010101010101010101010101010101010101010101010101010101010101a085076001781b6170706c69636174696f6e2f6e6f646f6f722e70696e2b63626f724281f5",
        ),
        (
            Content::Status(vec![
                (FIRST, Status::Delivered),
                (OTHER, Status::Read),
                (OTHER, Status::Deleted),
            ])
            .into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781f6170706c69636174696f6e2f6d696d692d6d6573736167652d737461747573586d83825820010101010101010101010101010101010101010101010101010101010101010101825820020202020202020202020202020202020202020202020202020202020202020202825820020202020202020202020202020202020202020202020202020202020202020204",
        ),
        (
            Content::Profile { name: "Mira".to_owned(), bot: false }.into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085036001781f6170706c69636174696f6e2f6e6f646f6f722e70726f66696c652b63626f724681644d697261",
        ),
        (
            Content::Join { room: RoomId([2; 32]), secret: [5; 16] }.into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781c6170706c69636174696f6e2f6e6f646f6f722e6a6f696e2b63626f72583482582002020202020202020202020202020202020202020202020202020202020202025005050505050505050505050505050505",
        ),
        (
            Content::Stuck { room: RoomId([2; 32]), epoch: 3, commit: CommitId([4; 32]) }.into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781d6170706c69636174696f6e2f6e6f646f6f722e737475636b2b63626f72584683582002020202020202020202020202020202020202020202020202020202020202020358200404040404040404040404040404040404040404040404040404040404040404",
        ),
        (
            Content::Profile { name: "Echo".to_owned(), bot: true }.into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085036001781f6170706c69636174696f6e2f6e6f646f6f722e70726f66696c652b63626f724782644563686ff5",
        ),
        (
            Content::Resend(vec![FrameHash([5; 16])]).into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781e6170706c69636174696f6e2f6e6f646f6f722e726573656e642b63626f72548201815005050505050505050505050505050505",
        ),
        (
            Content::Resent(vec![Resent {
                frame: FrameHash([5; 16]),
                message: FIRST,
                again: true,
            }])
            .into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781e6170706c69636174696f6e2f6e6f646f6f722e726573656e642b63626f72583882028183500505050505050505050505050505050558200101010101010101010101010101010101010101010101010101010101010101f5",
        ),
        (
            Content::Checkpoint { note: vec![1, 2], asks: true }.into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a08507600178256170706c69636174696f6e2f6e6f646f6f722e636865636b706f696e742d72657175657374420102",
        ),
        (
            Content::Checkpoint { note: vec![1, 2], asks: false }.into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781d6170706c69636174696f6e2f6e6f646f6f722e636865636b706f696e74420102",
        ),
        (
            Content::Evidence(vec![1, 2]).into(),
            "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a085076001781b6170706c69636174696f6e2f6e6f646f6f722e65766964656e6365420102",
        ),
        (Content::Unknown.into(), "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f6f6a0850160016040"),
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
    ] {
        let bytes = hex::decode(format!("{head}{rest}")).unwrap();
        assert_eq!(content::decode(&bytes), Ok(Content::Unknown.into()), "{what}");
    }
    // Extensions and a topic do not hide a text.
    let text =
        "f64101f6f6a1016161850160017818746578742f706c61696e3b636861727365743d7574662d38426869";
    let bytes = hex::decode(format!("{head}{text}")).unwrap();
    assert_eq!(content::decode(&bytes), Ok(hi()));
}

#[test]
fn limits_hold() {
    let long: MimiContent = Content::Text("x".repeat(64 * 1024)).into();
    assert_eq!(content::decode(&content::encode(&long, SALT)), Ok(long));
    for content in [
        Content::Text("x".repeat(64 * 1024 + 1)),
        Content::Profile { name: "x".repeat(257), bot: false },
        Content::Markdown("x".repeat(64 * 1024 + 1)),
        Content::Status(vec![(FIRST, Status::Read); 1001]),
        Content::Reaction("x".repeat(65)),
        Content::Reaction(String::new()),
        Content::Resend(vec![FrameHash([1; 16]); 65]),
    ] {
        assert_eq!(content::decode(&content::encode(&content.into(), SALT)), Err(NotContent));
    }
    let mut trailing = content::encode(&Content::Unknown.into(), SALT);
    trailing.push(0);
    assert_eq!(content::decode(&trailing), Err(NotContent));
    // A tower of arrays is skipped without recursion.
    let mut deep = content::encode(&Content::Unknown.into(), SALT);
    deep.truncate(deep.len() - 6);
    deep.extend([0x84, 0x01, 0x60, 0x03]);
    deep.extend(std::iter::repeat_n(0x81, 60_000));
    deep.push(0x00);
    assert_eq!(content::decode(&deep), Ok(Content::Unknown.into()));
}

proptest! {
    #[test]
    fn random_bytes_are_refused_quietly(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = content::decode(&bytes);
    }

    #[test]
    fn a_bent_content_never_panics(at in 0usize..128, with in any::<u8>(), which in 0usize..21) {
        let mut bytes = content::encode(&all()[which].0, SALT);
        let at = at % bytes.len();
        bytes[at] = with;
        let _ = content::decode(&bytes);
    }
}

/// Computed apart from this code, as all of these bytes are.
const ID: &str = "01f49f8c24932f689353b5d32dda5dd2bb4109bf52f26fe381a118c0e73c0e30";

#[test]
fn what_the_draft_writes_is_read_with_its_extensions() {
    let bytes = hex::decode(DRAFTS).unwrap();
    let reaction =
        MimiContent { in_reply_to: Some(FIRST), ..Content::Reaction("\u{2764}".into()).into() };
    assert_eq!(content::decode(&bytes), Ok(reaction));
}

#[test]
fn a_content_cut_short_is_none() {
    for (content, vector) in all() {
        let bytes = hex::decode(vector).unwrap();
        for end in 0..bytes.len() {
            assert_eq!(content::decode(&bytes[..end]), Err(NotContent), "{content:?} to {end}");
        }
        assert_eq!(content::salt(&bytes), Ok(SALT));
    }
}

/// A reaction with the two extensions that the draft's examples carry.
const DRAFTS: &str = "8750aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaf640f658200101010101010101010101010101010101010101010101010101010101010101a20178256d696d693a2f2f6578616d706c652e636f6d2f752f63617468792d77617368696e67746f6e0278256d696d693a2f2f6578616d706c652e636f6d2f722f656e67696e656572696e675f7465616d850260017818746578742f706c61696e3b636861727365743d7574662d3843e29da4";
