// SPDX-License-Identifier: AGPL-3.0-or-later
//! Every record as it lies on people's disks, in `vectors/client/rows.txt`. A line that changes is a profile
//! that an older or newer version cannot read: a field added later needs a default and an example here.
//! `NODOOR_WRITE_VECTORS=1` writes the file anew.

use std::fmt::Write as _;

use nodoor_view::model::{
    ConversationId, Kind, MessageId, Person, Problem, ProblemKind, Settings, SystemLine,
};

use super::{
    Account, Burning, Contact, Conversation, Held, Intent, Message, Outgoing, Room, Sealed, State,
    Status, Stored, Stuck, Submission, key,
};

/// Encodes a record as the disk has it, checks that it is read again, and gives its line.
fn line<T>(name: &str, value: &T) -> String
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    let read: T = ciborium::from_reader(bytes.as_slice()).unwrap();
    let mut again = Vec::new();
    ciborium::into_writer(&read, &mut again).unwrap();
    assert_eq!(bytes, again, "{name}");
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    format!("{name} {hex}\n")
}

fn account() -> Account {
    Account {
        account: [1; 16],
        device: [2; 16],
        handle: "alice".to_owned(),
        name: "Alice".to_owned(),
        device_seed: [3; 32],
        mls_seed: [4; 32],
        login_seed: [5; 32],
        recovery_entropy: Some([6; 32]),
        mailbox_seeds: vec![[7; 32]],
        made_at: 8,
        device_name: "laptop".to_owned(),
        registering: Some(vec![9]),
        deployment: Some([10; 16]),
        list_version: 1,
    }
}

fn conversation() -> Conversation {
    Conversation {
        id: ConversationId(1),
        reference: [2; 16],
        kind: Kind::Group,
        other: [3; 16],
        title: "Garden".to_owned(),
        status: Status::Open,
        rooms: vec![[4; 32]],
        unread: 5,
        first_unread: Some(MessageId(6)),
        last: Some(MessageId(7)),
        draft: "dear".to_owned(),
        sorted_at: 8,
        name_sent: "Alice".to_owned(),
        made_at: 9,
    }
}

fn room(stuck: Option<Stuck>) -> Room {
    Room {
        room: [1; 32],
        conversation: ConversationId(2),
        token: [3; 32],
        token_known: true,
        founded: true,
        i_sent: true,
        they_sent: false,
        active_at: 4,
        updated_at: 5,
        stuck,
        closed: false,
    }
}

fn message(content: Stored, state: Option<State>) -> Message {
    Message {
        id: MessageId(1),
        conversation: ConversationId(2),
        reference: [3; 32],
        from: Some([4; 16]),
        content,
        sent_at: 5,
        received_at: 6,
        state,
        accepted_at: Some(7),
        delivered_to: vec![[8; 16]],
    }
}

fn lines() -> String {
    let person = Person { account: "01".to_owned(), handle: "bob".to_owned(), name: String::new() };
    let burnt = Burning { epoch: 1, commit: [2; 32], members: vec![[3; 16]] };
    let burnt = Stuck { burnt: Some(burnt), since: 4, asked_at: Some(5) };
    let lost = Stuck { burnt: None, since: 4, asked_at: None };
    let reason = Problem { kind: ProblemKind::UnknownDevice, code: 1, wait_seconds: 2 };
    let contact = Contact {
        lists: vec![1],
        handle: "bob".to_owned(),
        name: "Bob".to_owned(),
        accepted: true,
        blocked: false,
    };
    let outgoing = Outgoing {
        message: Some(MessageId(1)),
        content: vec![2],
        sent_at: 3,
        first_try: 4,
        room: Some([5; 32]),
        sealed: Some(Sealed { room: [6; 32], send: vec![7] }),
        leave: false,
    };
    let submission = Submission {
        commit: vec![1],
        id: [2; 32],
        intents: vec![vec![3]],
        lines: vec![SystemLine::Removed { by: None, who: Some(person) }],
    };
    [
        line("account", &account()),
        line("settings", &Settings::default()),
        line("contact", &contact),
        line("conversation", &conversation()),
        line("conversation-direct", &Conversation { kind: Kind::Direct, ..conversation() }),
        line("status", &[Status::Request, Status::Open, Status::Left]),
        line("status-more", &[Status::Removed, Status::Blocked]),
        line("room", &room(None)),
        line("room-burnt", &room(Some(burnt))),
        line("room-lost", &room(Some(lost))),
        line("intent-add", &Intent::Add(vec![[1; 16]])),
        line("intent-remove", &Intent::Remove([1; 16])),
        line("intent-rename", &Intent::Rename("Garden".to_owned())),
        line("intent-update", &Intent::Update),
        line("intent-readd", &Intent::Readd([1; 16], [2; 16])),
        line("submission", &submission),
        line("message-text", &message(Stored::Text("hi".to_owned()), Some(State::Sent))),
        line("message-waiting", &message(Stored::Unknown(vec![1]), Some(State::Waiting))),
        line("message-delivered", &message(Stored::Unknown(vec![1]), Some(State::Delivered))),
        line("message-not-sent", &message(Stored::Unknown(vec![1]), Some(State::NotSent(reason)))),
        line("message-line", &message(Stored::System(SystemLine::Successor), None)),
        line("outgoing", &outgoing),
        line("held", &Held { body: vec![1], since: 2 }),
    ]
    .concat()
}

#[test]
fn records_keep_their_bytes() {
    let path = format!("{}/../../vectors/client/rows.txt", env!("CARGO_MANIFEST_DIR"));
    let now = lines();
    if std::env::var_os("NODOOR_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    for (kept, now) in kept.lines().zip(now.lines()) {
        assert_eq!(kept, now, "a record has changed");
    }
    assert_eq!(kept.lines().count(), now.lines().count());
}

#[test]
fn keys_keep_their_order() {
    use nodoor_wire::id::RoomId;
    // Rows of one room or chat are next to each other and in the order in which they were made.
    let room = RoomId([1; 32]);
    assert!(key::held_one(&room, 1) < key::held_one(&room, 256));
    assert!(key::held_one(&room, u64::MAX).starts_with(&key::held(&room)));
    let chat = ConversationId(1);
    assert!(key::outgoing_one(chat, 1) < key::outgoing_one(chat, 256));
    assert!(key::message(chat, MessageId(1)) < key::message(chat, MessageId(256)));
    assert!(key::message(ConversationId(1), MessageId(9)) < key::messages(ConversationId(256)));
}

#[test]
fn a_record_of_before_a_field_was_added_is_still_read() {
    // `Contact` as it was when it had lists and a handle alone.
    #[derive(serde::Serialize)]
    struct Old {
        lists: Vec<u8>,
        handle: String,
    }
    let mut bytes = Vec::new();
    ciborium::into_writer(&Old { lists: vec![1], handle: "bob".into() }, &mut bytes).unwrap();
    let read: Contact = ciborium::from_reader(bytes.as_slice()).unwrap();
    assert_eq!(read.handle, "bob");
    assert!(!read.accepted && !read.blocked && read.name.is_empty());
}
