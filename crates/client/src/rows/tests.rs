// SPDX-License-Identifier: AGPL-3.0-or-later
//! Every record as it lies on people's disks, in `vectors/client/rows.txt`. A line that changes is a profile
//! that an older or newer version cannot read: a field added later needs a default and an example here.
//! `NODOOR_WRITE_VECTORS=1` writes the file anew.

use std::{collections::BTreeMap, fmt::Write as _};

use nodoor_e2ee::store::from_slice;
use nodoor_view::{
    list::Place,
    model::{ConversationId, Kind, MessageId, Settings},
};
use nodoor_wire::id::{
    AccountId, CommitId, DeploymentId, DeviceId, MessageId as Reference, RoomId, Token,
};
use serde_bytes::{ByteArray, ByteBuf};

use super::{
    Account, Burning, Called, Cause, Conducted, Contact, Conversation, Deleted, Deletion, Early,
    Edit, Fork, Imported, Intent, Line, Marks, Message, Nature, NotSent, Offer, Outgoing, Pin,
    Reaction, Report, Room, Sealed, State, Status, Stored, Stuck, Submission, Timer, Who,
    WhyNotSent, key,
};
use crate::{gate::Reason, ledger::LoggedUpTo};

/// Encodes a record as the disk has it, checks that it is read again, and gives its line.
fn line<T>(name: &str, value: &T) -> String
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    let read: T = from_slice(&bytes).unwrap();
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
        account: AccountId([1; 16]),
        device: DeviceId([2; 16]),
        handle: "alice".to_owned(),
        name: "Alice".to_owned(),
        bot: false,
        device_seed: [3; 32],
        mls_seed: [4; 32],
        login_seed: [5; 32],
        recovery_entropy: Some([6; 32]),
        mailbox_seeds: vec![ByteArray::new([7; 32])],
        mailbox_next: Some(ByteArray::new([11; 32])),
        made_at: 8,
        device_name: "laptop".to_owned(),
        registering: Some(vec![9]),
        deployment: Some(DeploymentId([10; 16])),
        list_version: 1,
    }
}

fn conversation() -> Conversation {
    Conversation {
        id: ConversationId(1),
        reference: [2; 16],
        kind: Kind::Group,
        other: AccountId([3; 16]),
        title: "Garden".to_owned(),
        status: Status::Open,
        rooms: vec![RoomId([4; 32])],
        unread: 5,
        first_unread: Some(MessageId(6)),
        last: Some(MessageId(7)),
        draft: "dear".to_owned(),
        sorted_at: 8,
        name_sent: "Alice".to_owned(),
        bot_sent: false,
        made_at: 9,
        blocked_from: Some(Status::Request),
        returning: Some(MessageId(10)),
        timer: None,
        pinned: Vec::new(),
        mention: None,
        place: Place::default(),
        saved: false,
    }
}

fn room(stuck: Option<Stuck>) -> Room {
    Room {
        room: RoomId([1; 32]),
        conversation: ConversationId(2),
        token: Token([3; 32]),
        token_known: true,
        founded: true,
        i_sent: true,
        they_sent: false,
        updated_at: 5,
        stuck,
        closed: false,
        nature: Some(Nature {
            group: true,
            creator: AccountId([6; 16]),
            origin: Some((RoomId([7; 32]), 8, CommitId([9; 32]))),
        }),
        last_epoch: 10,
        led_by: vec![AccountId([11; 16])],
        conducts: vec![Conducted {
            since: 12,
            announcements: true,
            slow: 13,
            led_by: vec![AccountId([14; 16])],
        }],
        grown_at: 0,
    }
}

fn message(content: Stored, state: Option<State>) -> Message {
    Message {
        id: MessageId(1),
        conversation: ConversationId(2),
        reference: Some(Reference([3; 32])),
        from: Some(AccountId([4; 16])),
        content,
        sent_at: 5,
        received_at: 6,
        state,
        report: Some(Report {
            room: RoomId([9; 32]),
            epoch: 10,
            leaf: 11,
            device: DeviceId([12; 16]),
            list_version: 13,
            signature: [14; 64],
        }),
        accepted_at: Some(7),
        delivered_to: vec![AccountId([8; 16])],
        sent_to: vec![AccountId([9; 16])],
        frames: Vec::new(),
        sent_again: 0,
        marks: Marks::default(),
    }
}

fn marked() -> Message {
    let report = message(Stored::Gone, None).report;
    let reference = Some(Reference([15; 32]));
    let marks = Marks {
        edit: Some(Edit {
            content: vec![1],
            sent_at: 2,
            reference,
            report,
            state: Some(State::Waiting),
        }),
        deletion: Some(Deletion {
            sent_at: 3,
            state: Some(State::Sent),
            lacking: vec![DeviceId([16; 16])],
        }),
        reactions: vec![Reaction {
            by: AccountId([17; 16]),
            emoji: "👍".to_owned(),
            sent_at: 4,
            reference,
        }],
        pin: Some(Pin { on: true, at: 5, reference }),
        read_by: vec![AccountId([18; 16])],
        ends_at: Some(6),
        opened: true,
    };
    Message { marks, ..message(Stored::Gone, Some(State::Read)) }
}

fn offer() -> Offer {
    Offer { package: vec![1], unwanted: true, replaced_at: Some(2), single_use: true, made_at: 3 }
}

fn lines() -> String {
    let (one, two) = (AccountId([1; 16]), AccountId([2; 16]));
    let burnt = |cause| {
        let burnt = Some(Burning {
            epoch: 1,
            commit: CommitId([2; 32]),
            members: vec![AccountId([3; 16])],
            title: "Garden".to_owned(),
            more: BTreeMap::from([(1, ByteBuf::from([4]))]),
            lead: Some(AccountId([5; 16])),
            cause,
        });
        room(Some(Stuck { burnt, since: 4, asked_at: Some(5) }))
    };
    let lost = Stuck { burnt: None, since: 4, asked_at: None };
    let contact = Contact {
        lookup: vec![1],
        handle: "bob".to_owned(),
        name: "Bob".to_owned(),
        bot: false,
        accepted: true,
        blocked: false,
        logged: LoggedUpTo::default(),
    };
    let outgoing = Outgoing {
        message: Some(MessageId(1)),
        content: vec![2],
        sent_at: 3,
        first_try: 4,
        room: Some(RoomId([5; 32])),
        sealed: Some(Sealed { room: RoomId([6; 32]), send: vec![7] }),
        leave: false,
        about: None,
    };
    let submission = Submission {
        commit: vec![1],
        id: CommitId([2; 32]),
        intents: vec![ByteBuf::from([3])],
        lines: vec![
            Line::GroupCreated { by: one },
            Line::Added { by: one, who: two },
            Line::Removed { by: one, who: two },
            Line::Left { who: two },
            Line::Renamed { by: one, title: "Garden".to_owned() },
            Line::Role { by: one, who: two, role: 1 },
            Line::Banned { by: one, who: two, on: true },
            Line::Announcements { by: one, on: true },
            Line::Slow { by: one, seconds: 30 },
            Line::DeviceAdded { who: two },
            Line::DeviceAddedByWords { who: two },
            Line::Successor,
            Line::MayBeMissing,
        ],
    };
    let content = || Stored::Content(vec![1]);
    let reasons = [
        WhyNotSent::Offline,
        WhyNotSent::Server,
        WhyNotSent::Version,
        WhyNotSent::Size,
        WhyNotSent::AccountGone,
        WhyNotSent::UnknownDevice,
        WhyNotSent::NotAMember,
        WhyNotSent::NotAllowed,
        WhyNotSent::Blocked,
        WhyNotSent::Internal,
    ];
    let device = Who { account: one, device: Some(DeviceId([2; 16])) };
    let imported = Imported {
        person: one,
        name: "Ana".to_owned(),
        mine: false,
        text: "by the river".to_owned(),
        forwarded: true,
        edited: true,
        reply: None,
        files: 1,
    };
    [
        line("account", &account()),
        line("settings", &Settings::default()),
        line("contact", &contact),
        line("fork", &Fork { version: Some(1), seen: vec![2], shown: vec![3], at: 4 }),
        line("offer", &offer()),
        line("conversation", &conversation()),
        line("conversation-direct", &Conversation { kind: Kind::Direct, ..conversation() }),
        line("status", &[Status::Request, Status::Open, Status::Left]),
        line("status-more", &[Status::Removed, Status::Blocked]),
        line("room", &room(None)),
        line("room-burnt", &burnt(Cause::Gate(Reason::UnlistedLeaf))),
        line("room-burnt-mls", &burnt(Cause::Mls)),
        line("room-burnt-header", &burnt(Cause::Header)),
        line("room-burnt-unseen", &burnt(Cause::UnseenProposal)),
        line("room-burnt-unknown", &burnt(Cause::UnknownList)),
        line("room-lost", &room(Some(lost))),
        line("intent-add", &Intent::Add(vec![one.into(), device])),
        line("intent-remove", &Intent::Remove(one.into())),
        line("intent-rename", &Intent::Rename("Garden".to_owned())),
        line("intent-update", &Intent::Update),
        line("intent-prune", &Intent::Prune(one)),
        line("intent-readd", &Intent::Readd(device)),
        line("intent-role", &Intent::Role(two, 1)),
        line("intent-ban", &Intent::Ban(two, true)),
        line("intent-conduct", &Intent::Conduct(true, 30)),
        line("submission", &submission),
        line("message", &message(content(), None)),
        line("message-waiting", &message(content(), Some(State::Waiting))),
        line("message-sent", &message(content(), Some(State::Sent))),
        line("message-delivered", &message(content(), Some(State::Delivered))),
        reasons
            .map(|why| {
                let state = State::NotSent(NotSent { why, code: 1 });
                line("message-not-sent", &message(content(), Some(state)))
            })
            .concat(),
        line("message-later", &message(Stored::Payload(vec![1]), None)),
        line("message-line", &message(Stored::Line(Line::Successor), None)),
        line("message-deleted", &Deleted { at: 1, message: message(content(), None) }),
        line("outgoing", &outgoing),
        line(
            "called",
            &Called {
                endpoint: "https://push.example/a".to_owned(),
                key: vec![4; 65],
                auth: vec![5; 16],
                told_at: 6,
            },
        ),
        line("outgoing-about", &Outgoing { about: Some(MessageId(8)), ..outgoing }),
        line("message-marked", &marked()),
        line("message-line-timer", &Line::Timer { by: one, seconds: 60 }),
        line("message-line-pinned", &Line::Pinned { by: one }),
        line("status-imported", &Status::Imported),
        line("message-imported", &message(Stored::Imported(imported), None)),
        line(
            "conversation-marked",
            &Conversation {
                timer: Some(Timer { seconds: 1, at: 2, reference: Some(Reference([3; 32])) }),
                pinned: vec![MessageId(4)],
                mention: Some(MessageId(5)),
                ..conversation()
            },
        ),
        line(
            "early",
            &Early {
                from: one,
                reference: Reference([3; 32]),
                sent_at: 1,
                received_at: 2,
                report: message(content(), None).report,
                content: vec![4],
            },
        ),
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
    // Rows of one room or chat are next to each other and in the order in which they were made.
    let room = RoomId([1; 32]);
    let held = key::Held { is_commit: true, since: 7, size: 9, hash: [8; 16] };
    assert!(key::held_one(&room, 1, &held) < key::held_one(&room, 256, &held));
    assert!(key::held_one(&room, u64::MAX, &held).starts_with(&key::held(&room)));
    assert_eq!(key::read_held(&key::held_one(&room, 1, &held)), Some((room, held)));
    let (offer, room) = (Token([3; 32]), RoomId([4; 32]));
    let welcome = key::HeldWelcome { since: 7, shared: true, offer, room, hash: [8; 16] };
    assert_eq!(key::read_welcome(&key::welcome(1, &welcome)), Some(welcome));
    let chat = ConversationId(1);
    assert!(key::outgoing_one(chat, 1) < key::outgoing_one(chat, 256));
    assert!(key::message(chat, MessageId(1)) < key::message(chat, MessageId(256)));
    assert!(key::message(ConversationId(1), MessageId(9)) < key::messages(ConversationId(256)));
}

#[test]
fn a_record_of_before_a_field_was_added_is_still_read() {
    // `Contact` as it was when it had a look-up and a handle alone.
    #[derive(serde::Serialize)]
    struct Old {
        #[serde(with = "serde_bytes")]
        lookup: Vec<u8>,
        handle: String,
    }
    let mut bytes = Vec::new();
    ciborium::into_writer(&Old { lookup: vec![1], handle: "bob".into() }, &mut bytes).unwrap();
    let read: Contact = from_slice(&bytes).unwrap();
    assert_eq!(read.handle, "bob");
    assert!(!read.accepted && !read.blocked && read.name.is_empty());
}
