// SPDX-License-Identifier: AGPL-3.0-or-later
//! What goes to standard output: JSON for scripts, lines for people.
//!
//! Both are safe to show: lines are cleaned, and JSON has every character a terminal might obey, or that turns
//! text around, as `\u....`. The keys are promised to scripts; a test holds them.

use std::io::{self, Write};

use jiff::{Timestamp, tz::TimeZone};
use nodoor_view::{
    group::{Charter, Role},
    message::{Deleting, Quote},
    model::{
        Check, Content, ConversationRow, DeviceRow, Freshness, From, GroupMember, Kind, MessageRow,
        Milliseconds, Person, Profile, RequestRow, SendState,
    },
    text::{Lines, Texts, Value, for_terminal},
};
use serde::Serialize;

/// `register` and `whoami`.
#[derive(Serialize)]
pub(crate) struct Me<'a> {
    account: &'a str,
    device: &'a str,
    handle: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
}

impl<'a> Me<'a> {
    /// Of `register`, without the server.
    pub(crate) fn registered(profile: &'a Profile) -> Self {
        let Profile { account, device, handle, .. } = profile;
        Self { account, device, handle, server: None }
    }

    /// Of `whoami`.
    pub(crate) fn whole(profile: &'a Profile) -> Self {
        Self { server: Some(&profile.server), ..Self::registered(profile) }
    }
}

/// `send`.
#[derive(Serialize)]
pub(crate) struct Sent<'a> {
    pub(crate) message: &'a str,
    pub(crate) conversation: &'a str,
}

/// `receive` and `history`.
#[derive(Serialize)]
pub(crate) struct Message<'a> {
    /// Null for lines of the app.
    message: Option<&'a str>,
    conversation: &'a str,
    /// `@handle`, or the account where there is none; null for lines of the app.
    from: Option<String>,
    kind: &'static str,
    text: String,
    sent_at: String,
    /// The id of the message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    edited: bool,
    #[serde(skip_serializing_if = "is_false")]
    forwarded: bool,
    #[serde(skip_serializing_if = "is_false")]
    pinned: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<Reaction<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disappears_at: Option<String>,
    /// Of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File<'a>>,
}

/// One emoji under a message.
#[derive(Serialize)]
struct Reaction<'a> {
    emoji: &'a str,
    from: Vec<String>,
}

fn is_false(is: &bool) -> bool {
    !is
}

/// A file in `receive` and `history`.
#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    content_type: &'a str,
    size: u64,
}

impl<'a> Message<'a> {
    /// `me` is one's own handle, without `@`.
    pub(crate) fn new(
        row: &'a MessageRow,
        conversation: &'a ConversationRow,
        me: &str,
        texts: &Texts,
    ) -> Self {
        let marks = &row.marks;
        let by = |reaction: &'a nodoor_view::message::Reaction| Reaction {
            emoji: &reaction.emoji,
            from: (reaction.mine.then(|| format!("@{me}")).into_iter())
                .chain(reaction.people.iter().map(address))
                .collect(),
        };
        Self {
            message: Some(row.reference.as_str()).filter(|reference| !reference.is_empty()),
            conversation: &conversation.reference,
            from: match &row.from {
                From::Me => Some(format!("@{me}")),
                From::Them(person) => Some(address(person)),
                From::System => None,
            },
            kind: match row.content {
                Content::Text(_) | Content::Markdown { .. } => "text",
                Content::File(_) => "file",
                Content::Deleted => "deleted",
                Content::Once { .. } => "once",
                Content::System(_) => "system",
                Content::NeedsNewerVersion => "unknown",
            },
            text: match &row.content {
                Content::File(file) => file.caption.clone(),
                content => texts.content(&row.from, content),
            },
            sent_at: rfc3339(row.sent_at),
            reply_to: marks.reply.as_ref().map(|reply| reply.reference.as_str()),
            edited: marks.edited,
            forwarded: marks.forwarded,
            pinned: marks.pinned,
            reactions: marks.reactions.iter().map(by).collect(),
            disappears_at: marks.disappears.and_then(|end| end.at).map(rfc3339),
            file: match &row.content {
                Content::File(file) => Some(File {
                    name: &file.name,
                    content_type: &file.content_type,
                    size: file.size,
                }),
                _ => None,
            },
        }
    }
}

/// `conversations`.
#[derive(Serialize)]
pub(crate) struct Conversation<'a> {
    conversation: &'a str,
    title: &'a str,
    kind: Kind,
    unread: u32,
    #[serde(skip_serializing_if = "is_false")]
    pinned: bool,
    #[serde(skip_serializing_if = "is_false")]
    archived: bool,
    /// Until when; null for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_until: Option<Option<String>>,
    #[serde(skip_serializing_if = "is_false")]
    marked_unread: bool,
    /// The chat with oneself.
    #[serde(skip_serializing_if = "is_false")]
    saved: bool,
}

impl<'a> Conversation<'a> {
    pub(crate) fn new(row: &'a ConversationRow) -> Self {
        let ConversationRow { reference, title, kind, unread, place, saved, .. } = row;
        let until = place.muted_until;
        let muted_until =
            (until.0 > 0).then(|| (until != nodoor_view::list::ALWAYS).then(|| rfc3339(until)));
        Self {
            conversation: reference,
            title,
            kind: *kind,
            unread: *unread,
            pinned: place.pinned_at.is_some(),
            archived: place.archived,
            muted_until,
            marked_unread: place.marked,
            saved: *saved,
        }
    }
}

/// `list folders`.
#[derive(Serialize)]
pub(crate) struct FolderRow<'a> {
    folder: &'a str,
    name: &'a str,
    chats: usize,
}

impl<'a> FolderRow<'a> {
    pub(crate) fn new(folder: &'a nodoor_view::list::Folder) -> Self {
        Self { folder: &folder.id, name: &folder.name, chats: folder.conversations.len() }
    }
}

/// `accept`, `decline`, `block` and what changes groups.
#[derive(Serialize)]
pub(crate) struct Changed<'a> {
    pub(crate) conversation: &'a str,
}

/// `requests`.
#[derive(Serialize)]
pub(crate) struct Request<'a> {
    conversation: &'a str,
    from: String,
    text: &'a str,
}

impl<'a> Request<'a> {
    /// `said` is what [`request`] says of it.
    pub(crate) fn new(row: &'a RequestRow, said: &'a str) -> Self {
        Self { conversation: &row.reference, from: address(&row.from), text: said }
    }
}

/// What a request says: the stranger's words, or to which group whom they invite.
pub(crate) fn request(row: &RequestRow, texts: &Texts) -> String {
    if row.kind == Kind::Direct {
        return row.text.clone();
    }
    let name = address(&row.from);
    let members = row.members.iter().map(address).collect::<Vec<_>>().join(", ");
    let values = [
        ("name", Value::from(&name)),
        ("title", Value::from(&row.title)),
        ("members", Value::from(&members)),
    ];
    texts.get("request-group", &values)
}

/// `group members`.
#[derive(Serialize)]
pub(crate) struct Member<'a> {
    account: &'a str,
    handle: &'a str,
    devices: u32,
    role: &'static str,
}

impl<'a> Member<'a> {
    pub(crate) fn new(member: &'a GroupMember) -> Self {
        let Person { account, handle, .. } = &member.person;
        Self { account, handle, devices: member.devices, role: member.role.name() }
    }
}

/// The word for what somebody may do in a group, where it is more than others.
pub(crate) fn role(role: Role, texts: &Texts) -> Option<String> {
    match role {
        Role::Owner => Some(texts.get("owner", &[])),
        Role::Admin => Some(texts.get("admin", &[])),
        Role::Member => None,
    }
}

/// `group link`.
#[derive(Serialize)]
pub(crate) struct GroupLink<'a> {
    link: Option<&'a str>,
    approval: bool,
}

impl<'a> GroupLink<'a> {
    pub(crate) fn new(link: Option<&'a nodoor_view::group::GroupLink>) -> Self {
        let approval = link.is_some_and(|link| link.approval);
        Self { link: link.map(|link| link.link.as_str()), approval }
    }
}

/// `group approve`, of who asks.
#[derive(Serialize)]
pub(crate) struct Asking<'a> {
    account: &'a str,
    handle: &'a str,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(person: &'a Person) -> Self {
        Self { account: &person.account, handle: &person.handle }
    }
}

/// `group writing`.
#[derive(Serialize)]
pub(crate) struct Writing {
    who: &'static str,
    slow_seconds: u32,
}

impl Writing {
    pub(crate) fn new(charter: &Charter) -> Self {
        let who = if charter.announcements { "admins" } else { "everybody" };
        Self { who, slow_seconds: charter.slow }
    }
}

/// `device list`.
#[derive(Serialize)]
pub(crate) struct Device<'a> {
    device: &'a str,
    name: &'a str,
    added_at: String,
    current: bool,
}

impl<'a> Device<'a> {
    pub(crate) fn new(row: &'a DeviceRow) -> Self {
        let DeviceRow { device, name, added_at, current } = row;
        Self { device, name, added_at: rfc3339(*added_at), current: *current }
    }
}

/// How a person is written to: `@handle`, else the account id.
pub(crate) fn address(person: &Person) -> String {
    if person.handle.is_empty() { person.account.clone() } else { format!("@{}", person.handle) }
}

/// Prints one row: JSON, or a line for people, its breaks kept and indented.
pub(crate) fn row(json: bool, row: &impl Serialize, line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", json_line(row)?)?;
    } else {
        writeln!(out, "{}", for_terminal(line, Lines::Keep).replace('\n', "\n    "))?;
    }
    out.flush()
}

/// The first digits of an id, enough to name it in a command; empty if there is none.
pub(crate) fn short(reference: &str) -> &str {
    reference.get(..8).unwrap_or_default()
}

/// What a message says, in a line: what it answers before it, what became of it behind.
pub(crate) fn said(row: &MessageRow, texts: &Texts) -> String {
    let mut line = String::new();
    if let Some(reply) = &row.marks.reply {
        line.push_str(&format!("[{}] ", quote(reply, texts)));
    }
    line.push_str(&texts.content(&row.from, &row.content));
    for mark in marks(row, texts) {
        line.push_str(&format!(" ({mark})"));
    }
    for reaction in &row.marks.reactions {
        line.push_str(&format!(" {}", self::reaction(reaction)));
    }
    line
}

/// The message that another one answers: `Ben: Morning!`
pub(crate) fn quote(reply: &Quote, texts: &Texts) -> String {
    let (Some(from), Some(content)) = (&reply.from, &reply.content) else {
        return texts.get("quote-gone", &[]);
    };
    let name = match from {
        From::Me => texts.get("me", &[]),
        From::Them(person) => texts.person(person),
        From::System => String::new(),
    };
    format!("{name}: {}", texts.content(from, content))
}

/// `👍 2`, or the emoji alone for one.
pub(crate) fn reaction(reaction: &nodoor_view::message::Reaction) -> String {
    match reaction.count() {
        1 => reaction.emoji.clone(),
        count => format!("{} {count}", reaction.emoji),
    }
}

/// What became of a message, in words.
pub(crate) fn marks(row: &MessageRow, texts: &Texts) -> Vec<String> {
    let of = &row.marks;
    let deleting = of.deleting.and_then(|deleting| match deleting {
        Deleting { pending: true, .. } => Some(texts.get("mark-deleting", &[])),
        Deleting { lacking: 0, .. } => None,
        Deleting { lacking, .. } => {
            Some(texts.get("mark-not-deleted", &[("count", lacking.into())]))
        }
    });
    let words = [
        (of.forwarded, "mark-forwarded"),
        (of.edited, "mark-edited"),
        (of.pinned, "mark-pinned"),
        (of.disappears.is_some(), "mark-disappears"),
    ];
    let words = words.into_iter().filter(|(applies, _)| *applies);
    words.map(|(_, id)| texts.get(id, &[])).chain(deleting).collect()
}

/// ` (not sent: why)`, after a message of one's own; nothing after others'.
pub(crate) fn state(row: &MessageRow, chat: &ConversationRow, texts: &Texts) -> String {
    let Some(state) = &row.state else { return String::new() };
    let word = texts.state(state, chat);
    match state {
        SendState::NotSent { reason } => format!(" ({word} {})", texts.problem(reason)),
        _ => format!(" ({word})"),
    }
}

/// Prints text of our own.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// One JSON object in which nothing is left that a terminal obeys.
pub(crate) fn json_line(row: &impl Serialize) -> io::Result<String> {
    let plain = serde_json::to_string(row)?;
    let mut line = String::with_capacity(plain.len());
    for char in plain.chars() {
        // All of these occur inside strings alone: serde writes none itself.
        let harmful = char.is_control()
            || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if harmful {
            line.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            line.push(char);
        }
    }
    Ok(line)
}

/// RFC 3339, UTC, to the millisecond: always as many digits, so that scripts may sort it as text.
pub(crate) fn rfc3339(time: Milliseconds) -> String {
    timestamp(time).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// For people, in their own time zone: `2026-11-22 09:02`.
pub(crate) fn local(time: Milliseconds) -> String {
    timestamp(time).to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// How far keys are checked, and since when not: one line.
pub(crate) fn check(check: &Check, texts: &Texts) -> String {
    let said = |id: &str, at: Milliseconds| {
        let time = local(at);
        texts.get(id, &[("time", time.as_str().into())])
    };
    let mut line = texts.get(check.state.text(), &[]);
    if let Some(at) = check.checked_at {
        line = format!("{line} · {}", said("check-at", at));
    }
    if let Some(at) = check.log_time.filter(|_| check.freshness != Freshness::Fresh) {
        line = format!("{line} · {}", said("check-since", at));
    }
    line
}

fn timestamp(time: Milliseconds) -> Timestamp {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use nodoor_view::model::{ConversationId, MessageId, Writable};

    use super::*;

    fn ben() -> Person {
        Person { account: "5f2c".into(), handle: "ben".into(), name: "Ben".into(), bot: false }
    }

    fn conversation() -> ConversationRow {
        ConversationRow {
            id: ConversationId(1),
            reference: "00112233445566778899aabbccddeeff".into(),
            kind: Kind::Group,
            title: "Garden\u{202e}".into(),
            person: None,
            unread: 2,
            first_unread: None,
            last: None,
            draft: String::new(),
            sorted_at: Milliseconds(0),
            writable: Writable::Yes,
            held: false,
            request: false,
            mentioned: false,
            timer: 0,
            place: nodoor_view::list::Place::default(),
            saved: false,
            people: 3,
            devices: 4,
        }
    }

    #[test]
    fn rows_have_exactly_the_promised_keys() {
        let profile = Profile {
            account: "aa".into(),
            device: "bb".into(),
            handle: "mira".into(),
            name: String::new(),
            bot: false,
            server: "http://127.0.0.1:8448".into(),
            invite_link: String::new(),
        };
        let message = MessageRow {
            id: MessageId(1),
            conversation: ConversationId(1),
            reference: "01ab".into(),
            from: From::Them(ben()),
            content: Content::Text("a\nb\u{1b}[31m\u{9b}\u{7f}".into()),
            sent_at: Milliseconds(1_795_338_120_500),
            received_at: Milliseconds(0),
            state: None,
            marks: nodoor_view::message::Marks::default(),
        };
        let line = MessageRow {
            reference: String::new(),
            from: From::System,
            content: Content::System(nodoor_view::model::SystemLine::Successor),
            ..message.clone()
        };
        let request = RequestRow {
            conversation: ConversationId(2),
            reference: "cc".into(),
            kind: Kind::Direct,
            from: ben(),
            title: String::new(),
            same_title_as_mine: false,
            members: Vec::new(),
            text: "Hi".into(),
            first_seen: Milliseconds(0),
        };
        let invitation = RequestRow {
            kind: Kind::Group,
            title: "Garden".into(),
            members: vec![ben()],
            text: String::new(),
            ..request.clone()
        };
        let member = GroupMember { person: ben(), devices: 2, me: false, role: Role::Owner };
        let device = DeviceRow {
            device: "bb".into(),
            name: "desk".into(),
            added_at: Milliseconds(0),
            current: true,
        };
        let texts = Texts::terminal("en");
        let row = conversation();
        let reference = "77".repeat(16);
        let reaction =
            nodoor_view::message::Reaction {
                emoji: "👍".into(), people: vec![ben()], mine: true
            };
        let marked = MessageRow {
            marks: nodoor_view::message::Marks {
                reply: Some(Quote { message: None, reference, from: None, content: None }),
                edited: true,
                forwarded: true,
                pinned: true,
                reactions: vec![reaction],
                ..nodoor_view::message::Marks::default()
            },
            content: Content::Markdown { text: "**a**".into(), mentions: vec![] },
            ..message.clone()
        };
        let lines = [
            json_line(&Me::registered(&profile)),
            json_line(&Me::whole(&profile)),
            json_line(&Sent { message: "01ab", conversation: "cc" }),
            json_line(&Message::new(&message, &row, "mira", &texts)),
            json_line(&Message::new(&marked, &row, "mira", &texts)),
            json_line(&Message::new(&line, &row, "mira", &texts)),
            json_line(&Conversation::new(&row)),
            json_line(&Changed { conversation: "cc" }),
            json_line(&Request::new(&request, &super::request(&request, &texts))),
            json_line(&Request::new(&invitation, &super::request(&invitation, &texts))),
            json_line(&Member::new(&member)),
            json_line(&Device::new(&device)),
        ]
        .map(Result::unwrap);
        assert_eq!(
            lines,
            [
                r#"{"account":"aa","device":"bb","handle":"mira"}"#,
                r#"{"account":"aa","device":"bb","handle":"mira","server":"http://127.0.0.1:8448"}"#,
                r#"{"message":"01ab","conversation":"cc"}"#,
                r#"{"message":"01ab","conversation":"00112233445566778899aabbccddeeff","from":"@ben","kind":"text","text":"a\nb\u001b[31m\u009b\u007f","sent_at":"2026-11-22T09:02:00.500Z"}"#,
                r#"{"message":"01ab","conversation":"00112233445566778899aabbccddeeff","from":"@ben","kind":"text","text":"a","sent_at":"2026-11-22T09:02:00.500Z","reply_to":"77777777777777777777777777777777","edited":true,"forwarded":true,"pinned":true,"reactions":[{"emoji":"👍","from":["@mira","@ben"]}]}"#,
                r#"{"message":null,"conversation":"00112233445566778899aabbccddeeff","from":null,"kind":"system","text":"The group goes on in a new room, with the same people. Whoever broke the old one is not in it.","sent_at":"2026-11-22T09:02:00.500Z"}"#,
                r#"{"conversation":"00112233445566778899aabbccddeeff","title":"Garden\u202e","kind":"group","unread":2}"#,
                r#"{"conversation":"cc"}"#,
                r#"{"conversation":"cc","from":"@ben","text":"Hi"}"#,
                r#"{"conversation":"cc","from":"@ben","text":"@ben invites you to the group Garden. In it: @ben"}"#,
                r#"{"account":"5f2c","handle":"ben","devices":2,"role":"owner"}"#,
                r#"{"device":"bb","name":"desk","added_at":"1970-01-01T00:00:00.000Z","current":true}"#,
            ]
        );
    }

    #[test]
    fn escaped_json_is_still_the_same_json() {
        let text = "a\u{9b}b\u{202e}c\u{7f}d\"e\\f\n";
        let back: String = serde_json::from_str(&json_line(&text).unwrap()).unwrap();
        assert_eq!(back, text);
    }
}
