// SPDX-License-Identifier: AGPL-3.0-or-later
//! The JSON form of a conversation, as `docs/book/export.md` has it: what stands before its messages, each of them, and
//! what stands after them. Whoever writes the file asks for the rows.

use jiff::Timestamp;
use nodoor_view::{
    model::{
        Content, ConversationRow, From, Kind, MessageRow, Milliseconds, Person, SendState, Writable,
    },
    text::Texts,
};
use serde_json::{Value, json};

/// Version of the form.
const VERSION: u32 = 1;

/// What a file ends with.
pub const END: &str = "\n]}\n";

/// What a file begins with; `me` is one's own handle. Messages follow, each on a line of its own, with commas between them.
#[must_use]
pub fn begin(chat: &ConversationRow, me: &str) -> String {
    let head = json!({
        "id": chat.reference,
        "kind": match chat.kind { Kind::Direct => "direct", Kind::Group => "group" },
        "title": chat.title,
        "imported": chat.writable == Writable::Imported,
        "with": chat.person.as_ref().map(address),
    });
    let (me, exported_at) = (json!(format!("@{me}")), json!(Timestamp::now().to_string()));
    format!(
        "{{\"format\":\"nodoor export\",\"version\":{VERSION},\"exported_at\":{exported_at},\"me\":{me},\"chat\":{head},\"messages\":["
    )
}

/// One message. `texts` has the words of the lines of the app.
#[must_use]
pub fn message(row: &MessageRow, texts: &Texts) -> Value {
    let (kind, text) = match &row.content {
        Content::Text(text) => ("text", text.clone()),
        Content::Markdown { text, .. } => ("markdown", text.clone()),
        Content::File(file) => ("file", file.caption.clone()),
        Content::Deleted => ("deleted", String::new()),
        Content::Once { .. } => ("once", String::new()),
        Content::System(_) => ("system", texts.content(&row.from, &row.content)),
        Content::NeedsNewerVersion => ("unknown", String::new()),
    };
    let from = match &row.from {
        From::Me => json!({ "me": true }),
        From::Them(person) => json!({
            "me": false, "account": person.account, "handle": person.handle, "name": person.name,
        }),
        From::System => Value::Null,
    };
    let reactions = row.marks.reactions.iter().map(|one| {
        let by: Vec<String> = one.people.iter().map(address).collect();
        json!({ "emoji": one.emoji, "by": by, "me": one.mine })
    });
    let reactions: Vec<Value> = reactions.collect();
    let file = match &row.content {
        Content::File(file) => {
            json!({ "name": file.name, "type": file.content_type, "size": file.size })
        }
        _ => Value::Null,
    };
    json!({
        "number": row.id.0,
        "id": Some(&row.reference).filter(|id| !id.is_empty()),
        "from": from,
        "sent_at": rfc3339(row.sent_at),
        "kind": kind,
        "text": text,
        "file": file,
        "edited": row.marks.edited,
        "forwarded": row.marks.forwarded,
        "pinned": row.marks.pinned,
        "reply_to": row.marks.reply.as_ref().map(|quote| quote.message.map(|id| id.0)),
        "reactions": reactions,
        "state": row.state.as_ref().map(|state| match state {
            SendState::Waiting => "waiting",
            SendState::Sent => "sent",
            SendState::Delivered => "delivered",
            SendState::Read => "read",
            SendState::NotSent { .. } => "not_sent",
        }),
    })
}

fn address(person: &Person) -> String {
    if person.handle.is_empty() { person.account.clone() } else { format!("@{}", person.handle) }
}

fn rfc3339(time: Milliseconds) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
