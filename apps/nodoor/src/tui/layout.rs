// SPDX-License-Identifier: AGPL-3.0-or-later
//! The message list as lines: dates, the unread divider, names once a group, texts broken to the width.
//!
//! Everything others wrote is cleaned here, on its way into a line.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use nodoor_view::{
    model::{From, MessageId, MessageRow, Milliseconds, SendState},
    text::{Lines, Texts, for_terminal},
};

use super::{
    app::{Anchor, App, Open},
    doing,
    look::Look,
    rich::{self, Runs},
    wrap::{cut, width as measure, wrap},
};

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drawn {
    /// Whose line it is; of a date or divider, the message below.
    pub(super) message: Option<MessageId>,
    /// Which line of that message, its date and divider included.
    pub(super) line: usize,
    pub(super) kind: Piece,
}

/// What a line shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// In the middle between rules: a date.
    Date(String),
    /// In the middle between rules: the unread divider.
    Divider(String),
    /// In the middle: a line of the app.
    System(String),
    /// Time, name, text in parts and mark; empty where they are not repeated.
    Text { time: String, name: String, mine: bool, text: Runs, mark: String },
    /// At the right: what failed.
    Failed(String),
}

/// Everything that drawing times needs.
pub(super) struct Clock {
    pub(super) zone: TimeZone,
}

impl Clock {
    fn date(&self, time: Milliseconds) -> Date {
        self.zoned(time).date()
    }

    fn zoned(&self, time: Milliseconds) -> jiff::Zoned {
        let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_zoned(self.zone.clone())
    }

    /// `09:12`
    pub(super) fn clock(&self, time: Milliseconds) -> String {
        self.zoned(time).strftime("%H:%M").to_string()
    }

    /// Date and time in full.
    pub(super) fn full(&self, time: Milliseconds) -> String {
        self.zoned(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `09:12`, `Yesterday`, `Fri`, then a date.
    pub(super) fn short(&self, time: Milliseconds, now: Milliseconds, texts: &Texts) -> String {
        match self.days_ago(time, now) {
            0 => self.clock(time),
            1 => texts.get("yesterday", &[]),
            2..7 => self.zoned(time).strftime("%a").to_string(),
            _ => self.zoned(time).strftime("%d.%m.%y").to_string(),
        }
    }

    /// `Today`, `Yesterday`, `Friday`, then a date.
    pub(super) fn day(&self, time: Milliseconds, now: Milliseconds, texts: &Texts) -> String {
        match self.days_ago(time, now) {
            0 => texts.get("today", &[]),
            1 => texts.get("yesterday", &[]),
            2..7 => self.zoned(time).strftime("%A").to_string(),
            _ => self.zoned(time).strftime("%d %B %Y").to_string(),
        }
    }

    /// Midnights between; negative for what seems to come from the future.
    fn days_ago(&self, time: Milliseconds, now: Milliseconds) -> i32 {
        (self.date(now) - self.date(time)).get_days()
    }
}

/// All loaded messages of a chat as lines of `width` cells.
pub(super) fn lines(
    app: &App,
    open: &Open,
    width: usize,
    clock: &Clock,
    look: &Look,
    texts: &Texts,
) -> Vec<Drawn> {
    let names = open.names(texts, width);
    let text_width = width.saturating_sub(TIME + 1 + names + 2 + MARK);
    let mut out = Vec::new();
    let mut before: Option<&MessageRow> = None;
    for row in &open.rows {
        let mut pieces = Vec::new();
        if before.is_none_or(|before| clock.date(before.sent_at) != clock.date(row.sent_at)) {
            pieces.push(Piece::Date(clock.day(row.sent_at, app.now, texts)));
            before = None;
        }
        if open.divider == Some(row.id) {
            let count = [("count", open.unread_then.into())];
            pieces.push(Piece::Divider(texts.get("unread-divider", &count)));
            before = None;
        }
        let grouped = before.is_some_and(|before| same_group(before, row));
        message(row, grouped, names, text_width, clock, look, texts, &mut pieces);
        for (line, kind) in pieces.into_iter().enumerate() {
            out.push(Drawn { message: Some(row.id), line, kind });
        }
        before = Some(row);
    }
    out
}

/// Which line is first on a page of `height`, and where the list stands from now on.
pub(super) fn first_line(
    open: &Open,
    lines: &[Drawn],
    height: usize,
    scrolled: isize,
) -> (usize, Anchor) {
    let last = lines.len().saturating_sub(height);
    let of = |message: MessageId, line: usize| {
        let same = |drawn: &Drawn| drawn.message == Some(message);
        let first = lines.iter().position(same)?;
        let count = lines.iter().skip(first).take_while(|drawn| same(drawn)).count();
        Some(first + line.min(count.saturating_sub(1)))
    };
    let mut first = match open.anchor {
        Anchor::Bottom => last,
        Anchor::Top { message, line } => of(message, line).unwrap_or(last),
        Anchor::Unread => {
            let divider = lines.iter().position(|drawn| matches!(drawn.kind, Piece::Divider(_)));
            divider.map_or(last, |divider| divider.saturating_sub(2))
        }
    };
    // What is chosen is shown whole, or from its first line on.
    if let Some(start) = open.selected.and_then(|selected| of(selected, 0)) {
        let end = lines.iter().rposition(|drawn| drawn.message == open.selected).unwrap_or(start);
        first = first.max((end + 1).saturating_sub(height)).min(start);
    }
    let first = first.saturating_add_signed(scrolled).min(last);
    (first, anchor(lines, first, last))
}

fn anchor(lines: &[Drawn], first: usize, last: usize) -> Anchor {
    match lines.get(first) {
        Some(Drawn { message: Some(message), line, .. }) if first < last => {
            Anchor::Top { message: *message, line: *line }
        }
        _ => Anchor::Bottom,
    }
}

#[expect(clippy::too_many_arguments, reason = "one caller, each of them a measure of the list")]
fn message(
    row: &MessageRow,
    grouped: bool,
    names: usize,
    width: usize,
    clock: &Clock,
    look: &Look,
    texts: &Texts,
    pieces: &mut Vec<Piece>,
) {
    if row.from == From::System {
        let said = for_terminal(&texts.content(&row.from, &row.content), Lines::Keep);
        pieces.extend(wrap(&said, width + names).into_iter().map(Piece::System));
        return;
    }
    let mine = row.from == From::Me;
    let name = if grouped { String::new() } else { cut(&name(row, texts), names, look.more) };
    let time = if grouped { String::new() } else { clock.clock(row.sent_at) };
    let mut broken = Vec::new();
    if let Some(reply) = &row.marks.reply {
        let quoted = for_terminal(&crate::output::quote(reply, texts), Lines::Join);
        let quoted = cut(&format!("{} {quoted}", look.vertical), width, look.more);
        broken.push(vec![(quoted, look.quiet())]);
    }
    broken.extend(rich::lines(&row.from, &row.content, width, look, texts));
    let below = for_terminal(&doing::below(row, texts, look.dot), Lines::Join);
    if !below.is_empty() {
        broken.extend(wrap(&below, width).into_iter().map(|line| vec![(line, look.quiet())]));
    }
    let last = broken.len().saturating_sub(1);
    for (place, text) in broken.into_iter().enumerate() {
        let first = place == 0;
        pieces.push(Piece::Text {
            time: if first { time.clone() } else { String::new() },
            name: if first { name.clone() } else { String::new() },
            mine,
            text,
            mark: if place == last { mark(row, look) } else { String::new() },
        });
    }
    if matches!(row.state, Some(SendState::NotSent { .. })) {
        pieces.push(Piece::Failed(format!("{}  !", texts.get("not-sent-line", &[]))));
    }
}

impl Open {
    /// Cells that names take in a list of this width.
    pub(super) fn names(&self, texts: &Texts, width: usize) -> usize {
        let widest = self.rows.iter().map(|row| measure(&name(row, texts))).max().unwrap_or(0);
        // As wide as the widest name, but no more than a fifth of the list.
        widest.clamp(3, (width / 5).max(6))
    }
}

fn mark(row: &MessageRow, look: &Look) -> String {
    match row.state {
        Some(SendState::Waiting) => look.waiting,
        Some(SendState::Sent) => look.sent,
        Some(SendState::Delivered) => look.delivered,
        Some(SendState::Read) => look.read,
        Some(SendState::NotSent { .. }) | None => "",
    }
    .to_owned()
}

fn name(row: &MessageRow, texts: &Texts) -> String {
    match &row.from {
        From::Me => texts.get("me", &[]),
        From::Them(person) => for_terminal(&texts.person(person), Lines::Join),
        From::System => String::new(),
    }
}

/// Same sender, within five minutes.
fn same_group(before: &MessageRow, row: &MessageRow) -> bool {
    let apart = row.sent_at.0.abs_diff(before.sent_at.0);
    before.from == row.from && apart < GROUP_MS && before.sent_at <= row.sent_at
}

/// `09:12`
pub(super) const TIME: usize = 5;
/// Two checks and a space before them.
const MARK: usize = 3;
const GROUP_MS: u64 = 5 * 60 * 1000;
