// SPDX-License-Identifier: AGPL-3.0-or-later
//! From rows to what the list shows: groups, date lines, the unread divider. Pure.

use nodoor_view::model::{Content, From, MessageId, MessageRow, Milliseconds};

/// What tells one entry of the list from another, across changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// The date line of a local day.
    Day(i64),
    /// The unread divider.
    Divider,
    /// A message or a neutral line.
    Message(MessageId),
}

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every entry is a message")]
pub(crate) enum Entry {
    /// The date line.
    Day(Milliseconds),
    /// The unread divider and how many are under it.
    Divider(u32),
    /// A message.
    Message {
        /// As told.
        row: MessageRow,
        /// First of its group.
        opens: bool,
        /// Last of its group: shows the time.
        closes: bool,
    },
}

const GROUP: u64 = 5 * 60 * 1000;

/// The time a message is shown with: its sender's word, but never later than it arrived here.
pub(crate) fn shown_at(row: &MessageRow) -> Milliseconds {
    row.sent_at.min(row.received_at)
}

/// Lays rows (oldest first) out. `day` gives the local day of a moment.
pub(crate) fn lay_out(
    rows: &[MessageRow],
    divider: Option<(MessageId, u32)>,
    day: impl Fn(Milliseconds) -> i64,
) -> Vec<(Key, Entry)> {
    let mut entries: Vec<(Key, Entry)> = Vec::with_capacity(rows.len() + 8);
    let mut latest = i64::MIN;
    let mut divider = divider;
    let mut before: Option<&MessageRow> = None;
    for row in rows {
        let at = shown_at(row);
        let today = day(at);
        let mut opens = before.is_none_or(|before| !together(before, row));
        // Only forward: a message that was long under way does not open its old day again.
        if today > latest {
            entries.push((Key::Day(today), Entry::Day(at)));
            latest = today;
            opens = true;
        }
        if let Some((_, count)) = divider.take_if(|(first, _)| row.id >= *first) {
            entries.push((Key::Divider, Entry::Divider(count)));
            opens = true;
        }
        if !opens && let Some((_, Entry::Message { closes, .. })) = entries.last_mut() {
            *closes = false;
        }
        let row_entry = Entry::Message { row: row.clone(), opens, closes: true };
        entries.push((Key::Message(row.id), row_entry));
        before = Some(row);
    }
    entries
}

fn together(before: &MessageRow, row: &MessageRow) -> bool {
    let spoken = |row: &MessageRow| !matches!(row.content, Content::System(_));
    let same = match (&before.from, &row.from) {
        (From::Me, From::Me) => true,
        (From::Them(one), From::Them(other)) => one.account == other.account,
        _ => false,
    };
    same && spoken(before) && spoken(row) && shown_at(row).0.abs_diff(shown_at(before).0) <= GROUP
}
