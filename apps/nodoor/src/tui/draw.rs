// SPDX-License-Identifier: AGPL-3.0-or-later
//! Puts what the screen knows into cells: the frame of the design's section "Terminal", 80 by 24 and larger, and
//! one pane under 72 columns. Decides nothing but where things go; notes what was shown.

use nodoor_view::{
    event::Connection,
    model::{ConversationRow, Kind, RequestRow, SendState, Writable},
    text::{Lines, Texts, Value, for_terminal},
};
use ratatui::{Frame, buffer::Buffer, layout::Rect, style::Style};

use super::{
    alarm,
    app::{Anchor, App, Focus, View},
    layers,
    layout::{self, Clock, Piece, TIME},
    look::Look,
    wrap::{cut, fill, width as measure, wrap},
};

/// Whether something is on the screen that terminals measure differently (emoji joined of several): what they draw
/// beyond its cells is not known here, and only clearing removes it.
pub(super) fn is_uncertain(buffer: &Buffer) -> bool {
    buffer.content().iter().any(|cell| {
        cell.symbol()
            .chars()
            .any(|char| matches!(char, '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'))
    })
}

/// What drawing needs beside the state.
pub(super) struct Pen<'a> {
    pub(super) texts: &'a Texts,
    pub(super) look: Look,
    pub(super) clock: Clock,
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App, pen: &Pen<'_>) {
    let area = frame.area();
    if area.width < 24 || area.height < 8 {
        frame.buffer_mut().set_string(0, 0, "nodoor: too small", Style::new());
        return;
    }
    if let Some(proof) = app.alarm() {
        return alarm::draw(frame.buffer_mut(), area, proof, app, pen);
    }
    let cursor = if app.profile.is_none() {
        layers::start(frame.buffer_mut(), area, app, pen)
    } else {
        let cursor = main(frame.buffer_mut(), area, app, pen);
        let (over, most) = layers::over(frame.buffer_mut(), area, app, pen);
        app.layer_most = most;
        over.or(cursor)
    };
    if let Some((x, y)) = cursor {
        frame.set_cursor_position((x.min(area.right().saturating_sub(1)), y));
    }
}

fn main(buffer: &mut Buffer, area: Rect, app: &mut App, pen: &Pen<'_>) -> Option<(u16, u16)> {
    let one_pane = area.width < ONE_PANE;
    let list_width = match area.width {
        0..ONE_PANE => area.width.saturating_sub(2),
        ONE_PANE..100 => 22,
        _ => 30,
    };
    let inner = area.width.saturating_sub(4);
    let composer = composer_lines(app, inner, area.height, pen);
    let doing = app.doing_line(pen.texts).filter(|_| app.view == View::Chat);
    let above = u16::from(doing.is_some());
    let composer_height = u16::try_from(composer.lines.len()).unwrap_or(1) + above;
    let split = area.height.saturating_sub(composer_height + 3);
    let body = Rect::new(1, 1, area.width.saturating_sub(2), split.saturating_sub(1));
    frame_lines(buffer, area, split, (!one_pane).then_some(list_width + 1), pen);

    let show_list = !one_pane || app.focus == Focus::List;
    let show_chat = !one_pane || app.focus != Focus::List;
    if show_list {
        let list = Rect { width: list_width, ..body };
        title(buffer, 1, 0, list.width, &pen.texts.get("chats", &[]), pen);
        chat_list(buffer, list, app, pen);
        if one_pane && app.chats.is_empty() && app.requests.is_empty() {
            nobody_yet(buffer, list, app, pen);
        }
    }
    if show_chat {
        let left = if one_pane { 1 } else { list_width + 2 };
        let pane = Rect::new(left, 1, area.width.saturating_sub(left + 1), body.height);
        let header = header(app, pen);
        title(buffer, left, 0, pane.width, &header, pen);
        match app.view {
            View::Requests => requests(buffer, pane, app, pen),
            View::Chat => messages(buffer, pane, app, pen),
        }
    } else {
        app.shown = None;
    }

    if let Some(doing) = doing {
        let doing = cut(&doing, usize::from(inner), pen.look.more);
        buffer.set_string(2, split + 1, doing, pen.look.accent());
    }
    let split = split + above;
    for (y, line) in (split + 1..).zip(&composer.lines) {
        let writes = app.open.is_some() && app.view == View::Chat;
        let prompt = if y == split + 1 && writes { pen.look.prompt } else { " " };
        buffer.set_string(2, y, prompt, pen.look.accent());
        buffer.set_string(4, y, line, composer.style);
    }
    status(buffer, Rect::new(2, area.height.saturating_sub(2), inner, 1), app, pen);
    let (line, column) = composer.cursor?;
    (app.focus == Focus::Composer).then_some((4 + column, split + 1 + line))
}

fn frame_lines(buffer: &mut Buffer, area: Rect, split: u16, column: Option<u16>, pen: &Pen<'_>) {
    let look = &pen.look;
    let [tl, tm, tr, ml, mm, mr, bl, br] = look.joints;
    let (right, bottom) = (area.width - 1, area.height - 1);
    let style = look.quiet();
    for (y, left, middle, end) in
        [(0, tl, tm, tr), (split, ml, mm, mr), (bottom, bl, look.horizontal, br)]
    {
        let rule = look.horizontal.repeat(usize::from(area.width));
        buffer.set_stringn(0, y, rule, usize::from(area.width), style);
        buffer.set_string(0, y, left, style);
        buffer.set_string(right, y, end, style);
        if let Some(x) = column {
            buffer.set_string(x, y, middle, style);
        }
    }
    for y in (1..split).chain(split + 1..bottom) {
        buffer.set_string(0, y, look.vertical, style);
        buffer.set_string(right, y, look.vertical, style);
        if let Some(x) = column.filter(|_| y < split) {
            buffer.set_string(x, y, look.vertical, style);
        }
    }
}

fn title(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, pen: &Pen<'_>) {
    if text.is_empty() {
        return;
    }
    let room = usize::from(width).saturating_sub(3);
    let text = format!(" {} ", cut(text, room, pen.look.more));
    buffer.set_string(x, y, text, pen.look.strong());
}

/// `Ben · Not checked against a public log yet · 2 devices`
fn header(app: &App, pen: &Pen<'_>) -> String {
    if app.view == View::Requests {
        return pen.texts.get("requests", &[]);
    }
    let Some(row) = app.open_row() else { return String::new() };
    let name = for_terminal(&row.title, Lines::Join);
    let dot = pen.look.dot;
    let typing = app.typing.get(&row.id).and_then(|people| pen.texts.typing(people));
    if let Some(typing) = typing {
        return format!("{name} {dot} {}", for_terminal(&typing, Lines::Join));
    }
    if row.people == 0 {
        return name;
    }
    let count = [("people", row.people.into()), ("devices", row.devices.into())];
    let who = pen.texts.get("members-line", &count);
    format!("{name} {dot} {who}")
}

fn chat_list(buffer: &mut Buffer, area: Rect, app: &App, pen: &Pen<'_>) {
    let focused = app.focus == Focus::List;
    let requests = usize::from(!app.requests.is_empty());
    let height = usize::from(area.height);
    // The requests line stays in view whatever the length of the list.
    let room = height.saturating_sub(requests);
    let first = (app.listed.min(app.chats.len().saturating_sub(1)) + 1).saturating_sub(room);
    for (y, (place, row)) in (area.y..).zip(app.chats.iter().enumerate().skip(first).take(room)) {
        chat_row(
            buffer,
            Rect { y, height: 1, ..area },
            row,
            focused && place == app.listed,
            app,
            pen,
        );
    }
    let shown = app.chats.len().saturating_sub(first).min(room);
    if requests > 0 {
        let y = area.y + u16::try_from(shown).unwrap_or(0);
        let chosen = (focused && app.listed >= app.chats.len()) || app.view == View::Requests;
        let mark = if chosen { pen.look.here } else { " " };
        let text = pen.texts.get("requests-count", &[("count", app.requests.len().into())]);
        buffer.set_stringn(area.x + 1, y, mark, 1, pen.look.accent());
        let room = usize::from(area.width).saturating_sub(4);
        buffer.set_string(area.x + 3, y, cut(&text, room, pen.look.more), pen.look.accent());
    }
}

/// What to do first, where there is room for it: over the list in one pane, else where a chat would be.
fn nobody_yet(buffer: &mut Buffer, area: Rect, app: &App, pen: &Pen<'_>) {
    let link = app.profile.as_ref().map_or("", |profile| &profile.invite_link);
    let text = pen.texts.get("empty-list", &[("link", link.into())]);
    let width = usize::from(area.width).saturating_sub(4);
    for (y, line) in (area.y + area.height / 3..area.bottom()).zip(wrap(&text, width)) {
        centred(buffer, area, y, &line, pen.look.quiet());
    }
}

/// `● Mira        2 09:41`
fn chat_row(
    buffer: &mut Buffer,
    area: Rect,
    row: &ConversationRow,
    chosen: bool,
    app: &App,
    pen: &Pen<'_>,
) {
    let look = &pen.look;
    let open = app.open.as_ref().is_some_and(|open| open.id == row.id) && app.view == View::Chat;
    let unread = row.unread > 0 || row.place.marked;
    let muted = row.place.is_muted(app.now);
    let (mark, style) = match (chosen || open, unread) {
        (true, _) => (look.here, look.accent()),
        (false, true) if muted => (look.unread, look.quiet()),
        (false, true) => (look.unread, look.accent()),
        (false, false) => (" ", Style::new()),
    };
    let drafted = !row.draft.is_empty() && !open;
    let failed =
        row.last.as_ref().is_some_and(|last| matches!(last.state, Some(SendState::NotSent { .. })));
    let when = if drafted {
        let draft = pen.texts.get("draft", &[("text", Value::Text(""))]);
        draft.trim_end_matches([' ', ':']).to_owned()
    } else {
        pen.clock.short(row.sorted_at, app.now, pen.texts)
    };
    let count = if row.unread > 0 { row.unread.to_string() } else { String::new() };
    let bang = if failed { "!" } else { "" };
    let pin = if row.place.pinned_at.is_some() { look.pinned } else { "" };
    let mute = if muted { look.muted } else { "" };
    let named = if row.mentioned { "@" } else { "" };
    let when = if row.place.archived { pen.texts.get("place-archived", &[]) } else { when };
    let right = [named, count.as_str(), bang, mute, pin, when.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty());
    let right = right.collect::<Vec<_>>().join(" ");
    let width = usize::from(area.width);
    let room = width.saturating_sub(measure(&right) + 4);
    let name = cut(&for_terminal(&row.title, Lines::Join), room, look.more);
    let name_style = match (row.place.archived, unread) {
        (true, _) => look.quiet(),
        (false, true) => look.strong(),
        (false, false) => Style::new(),
    };
    buffer.set_string(area.x + 1, area.y, mark, style);
    buffer.set_string(area.x + 3, area.y, &name, name_style);
    let x = area.right().saturating_sub(u16::try_from(measure(&right)).unwrap_or(0));
    let right_style = if failed { look.failed() } else { look.quiet() };
    buffer.set_string(x, area.y, right, right_style);
    if chosen {
        buffer.set_style(Rect { x: area.x + 3, width: area.width - 3, ..area }, look.strong());
    }
}

fn messages(buffer: &mut Buffer, area: Rect, app: &mut App, pen: &Pen<'_>) {
    let scrolled = std::mem::take(&mut app.scrolled);
    let Some(open) = app.open.as_ref() else {
        app.shown = None;
        if app.chats.is_empty() && app.requests.is_empty() {
            nobody_yet(buffer, area, app, pen);
        } else {
            centred(buffer, area, area.y + area.height / 2, "Nodoor", pen.look.quiet());
        }
        return;
    };
    let width = usize::from(area.width).saturating_sub(2);
    let height = usize::from(area.height);
    let lines = layout::lines(app, open, width, &pen.clock, &pen.look, pen.texts);
    if lines.is_empty()
        && let Some(row) = app.open_row()
    {
        let name = [("name", (&row.title).into())];
        let id = if row.saved { "first-saved" } else { "first-chat" };
        let text = pen.texts.get(id, &name);
        for (y, line) in (area.y + area.height / 3..).zip(wrap(&text, width)).take(4) {
            centred(buffer, area, y, &line, pen.look.quiet());
        }
    }
    let (first, anchor) = layout::first_line(open, &lines, height, scrolled);
    let below = if anchor == Anchor::Bottom { 0 } else { open.below };
    let names = open.names(pen.texts, width);
    let selected = open.selected.filter(|_| app.focus == Focus::Messages);
    let y =
        area.bottom().saturating_sub(u16::try_from(lines.len()).unwrap_or(u16::MAX)).max(area.y);
    let mut shown = None;
    for (y, line) in (y..area.bottom()).zip(lines.iter().skip(first)) {
        let row = Rect { y, height: 1, ..area };
        let chosen = selected.is_some() && line.message == selected;
        message_line(buffer, row, &line.kind, chosen, names, pen);
        shown = line.message.max(shown);
    }
    if below > 0 {
        let text = pen.texts.get("new-below", &[("count", below.into())]);
        centred(buffer, area, area.bottom() - 1, &format!(" {text} "), pen.look.accent());
    }
    app.shown = shown;
    app.at_top = first == 0;
    app.page = height;
    if let Some(open) = &mut app.open {
        open.anchor = anchor;
        open.below = below;
    }
}

fn message_line(
    buffer: &mut Buffer,
    area: Rect,
    piece: &Piece,
    chosen: bool,
    names: usize,
    pen: &Pen<'_>,
) {
    let look = &pen.look;
    let (x, y) = (area.x + 1, area.y);
    if chosen {
        buffer.set_string(area.x, y, look.here, look.accent());
    }
    match piece {
        Piece::Date(text) => {
            let rule = look.horizontal.repeat(2);
            centred(buffer, area, y, &format!("{rule} {text} {rule}"), look.quiet());
        }
        Piece::Divider(text) => {
            let rule = look.horizontal.repeat(2);
            centred(buffer, area, y, &format!("{rule} {text} {rule}"), look.accent());
        }
        Piece::System(text) => centred(buffer, area, y, text, look.quiet()),
        Piece::Failed(text) => {
            let end = area.right().saturating_sub(1);
            let x = end.saturating_sub(u16::try_from(measure(text)).unwrap_or(0)).max(x);
            buffer.set_stringn(x, y, text, usize::from(end.saturating_sub(x)), look.failed());
        }
        Piece::Text { time, name, mine, text, mark } => {
            buffer.set_string(x, y, fill(time, TIME), look.quiet());
            let name_style = if *mine { look.accent() } else { look.strong() };
            let x = x + cells(TIME + 1);
            buffer.set_string(x, y, name, name_style);
            let mut x = x + cells(names + 2);
            for (part, tone) in text {
                buffer.set_string(x, y, part, *tone);
                x += cells(measure(part));
            }
            let mark_x = area.right().saturating_sub(cells(measure(mark) + 1));
            buffer.set_string(mark_x, y, mark, look.quiet());
        }
    }
}

fn requests(buffer: &mut Buffer, area: Rect, app: &mut App, pen: &Pen<'_>) {
    app.shown = None;
    let width = usize::from(area.width).saturating_sub(4);
    let mut lines: Vec<(bool, String, Style)> = Vec::new();
    let mut start = 0;
    for (place, request) in app.requests.iter().enumerate() {
        let chosen = place == app.request;
        if chosen {
            start = lines.len();
        }
        let mut push = |text: &str, style: Style| {
            lines.extend(wrap(text, width).into_iter().map(|line| (chosen, line, style)));
        };
        request_lines(request, chosen, app, pen, &mut push);
        push("", Style::new());
    }
    let height = usize::from(area.height).saturating_sub(1);
    let first = start.min(lines.len().saturating_sub(height));
    for (y, (chosen, line, style)) in (area.y..).zip(lines.into_iter().skip(first).take(height)) {
        if chosen && !line.is_empty() {
            buffer.set_string(area.x, y, pen.look.here, pen.look.accent());
        }
        buffer.set_string(area.x + 2, y, line, style);
    }
    let keys = pen.texts.get("request-keys", &[]);
    let keys = cut(&keys, usize::from(area.width).saturating_sub(2), pen.look.more);
    buffer.set_string(area.x + 2, area.bottom() - 1, keys, pen.look.accent());
}

fn request_lines(
    request: &RequestRow,
    chosen: bool,
    app: &App,
    pen: &Pen<'_>,
    push: &mut impl FnMut(&str, Style),
) {
    let (texts, look) = (pen.texts, &pen.look);
    // A stranger is shown by handle: a name says nothing yet.
    let name = crate::output::address(&request.from);
    let when = pen.clock.short(request.first_seen, app.now, texts);
    let first = texts.get("request-from", &[("name", (&name).into()), ("when", (&when).into())]);
    push(&first, if chosen { look.strong() } else { Style::new() });
    if request.kind == Kind::Group {
        let members = request.members.iter().map(crate::output::address);
        let members = members.collect::<Vec<_>>().join(", ");
        let values = [
            ("name", Value::from(&name)),
            ("title", Value::from(&request.title)),
            ("members", Value::from(&members)),
        ];
        push(&texts.get("request-group", &values), Style::new());
        if request.same_title_as_mine {
            push(&texts.get("request-same-title", &values), look.amber());
        }
    } else {
        push(&for_terminal(&request.text, Lines::Keep), Style::new());
    }
    if chosen {
        push(&texts.get("request-note", &[("name", (&name).into())]), look.quiet());
    }
}

struct Composed {
    lines: Vec<String>,
    /// Line and column, unless nothing can be typed.
    cursor: Option<(u16, u16)>,
    style: Style,
}

fn composer_lines(app: &App, inner: u16, height: u16, pen: &Pen<'_>) -> Composed {
    let width = usize::from(inner).saturating_sub(2);
    let quiet = pen.look.quiet();
    let said = |text: String, cursor| Composed {
        lines: vec![cut(&text, width, pen.look.more)],
        cursor,
        style: quiet,
    };
    if app.view == View::Requests {
        return said(pen.texts.get("composer-requests", &[]), None);
    }
    let Some(row) = app.open_row() else {
        return said(pen.texts.get("composer-nobody", &[]), None);
    };
    let name = [("name", Value::from(&row.title))];
    let id = match row.writable {
        Writable::Yes if app.composer.is_empty() && row.saved => "composer-saved",
        Writable::Yes if app.composer.is_empty() => "composer-hint",
        Writable::Stuck if app.composer.is_empty() => "read-only-stuck",
        Writable::Disputed if app.composer.is_empty() => "read-only-disputed",
        Writable::Yes | Writable::Stuck | Writable::Disputed => "",
        Writable::Request => "read-only-request",
        Writable::Left => "read-only-left",
        Writable::Removed => "read-only-removed",
        Writable::Announcements => "read-only-announcements",
        Writable::Imported => "read-only-imported",
        Writable::Blocked => "read-only-blocked",
    };
    match id {
        "" => {}
        "composer-hint" | "composer-saved" | "read-only-stuck" => {
            return said(pen.texts.get(id, &name), Some((0, 0)));
        }
        _ => return said(pen.texts.get(id, &name), None),
    }
    let (mut lines, line, column) = app.composer.drawn(width);
    while lines.len() <= line {
        lines.push(String::new());
    }
    let most = usize::from(height * 2 / 5).max(1);
    let first = (line + 1).saturating_sub(most);
    let lines: Vec<String> = lines.into_iter().skip(first).take(most).collect();
    Composed { lines, cursor: Some((cells(line - first), cells(column))), style: Style::new() }
}

fn status(buffer: &mut Buffer, area: Rect, app: &App, pen: &Pen<'_>) {
    let (texts, look) = (pen.texts, &pen.look);
    let offline = app.offline_since.is_some_and(|since| app.now.0.saturating_sub(since.0) > 3000);
    let dot = look.dot;
    let server = app.server.split("://").last().unwrap_or_default();
    // What is said, and shorter; the way out is seen beside it, unless it is a line that goes by itself.
    let width = usize::from(area.width);
    let shortest = texts.get("hint-keys-shortest", &[]);
    let beside = width.saturating_sub(measure(&shortest) + 2);
    let (left, brief, style) = if app.removed {
        let text = texts.get("standing-removed", &[]);
        (text.clone(), cut(&text, beside, look.more), look.amber())
    } else if let Some(trouble) = &app.trouble {
        (trouble.clone(), cut(&for_terminal(trouble, Lines::Join), beside, look.more), look.amber())
    } else if let Some((notice, _)) = &app.notice {
        (notice.clone(), notice.clone(), look.accent())
    } else if let Some((said, style)) = alarm::strip(app, pen, true) {
        (said.clone(), cut(&said, beside, look.more), style)
    } else if offline {
        let text = texts.get("connection-offline", &[]);
        (text.clone(), text, look.amber())
    } else if let Some((said, style)) = alarm::strip(app, pen, false) {
        (said.clone(), cut(&said, beside, look.more), style)
    } else {
        let id = match app.connection {
            Connection::Online => "connection-online",
            Connection::Connecting | Connection::Offline => "connection-connecting",
        };
        let word = texts.get(id, &[]);
        let watched = app.ledger.as_ref().is_some_and(|log| !log.unwitnessed);
        let unwitnessed = (!watched).then(|| texts.get("unwitnessed", &[]));
        let line = |parts: [Option<&str>; 3]| {
            parts.into_iter().flatten().collect::<Vec<_>>().join(&format!(" {dot} "))
        };
        let unwitnessed = unwitnessed.as_deref();
        let brief = line([Some(&word), None, unwitnessed]);
        (line([Some(&word), Some(server), unwitnessed]), brief, look.quiet())
    };
    let (left, brief) = (for_terminal(&left, Lines::Join), for_terminal(&brief, Lines::Join));
    // One pane shows no list: how to come back to it comes first.
    let hints = match width + 4 < usize::from(ONE_PANE) && app.focus != Focus::List {
        true => ["hint-list", "hint-list", "hint-list-short"],
        false => ["hint-keys", "hint-keys-short", "hint-keys-shortest"],
    };
    let [keys, short, brief_hint] = hints.map(|id| texts.get(id, &[]));
    let pairs = [
        (&left, &keys),
        (&left, &short),
        (&brief, &short),
        (&brief, &brief_hint),
        (&brief, &shortest),
    ];
    let fits = |(said, hint): &(&String, &String)| measure(said) + measure(hint) + 2 <= width;
    let fitting = pairs.into_iter().find(fits);
    let said = cut(fitting.map_or(&left, |(said, _)| said), width, look.more);
    buffer.set_string(area.x, area.y, said, style);
    if let Some((_, hint)) = fitting {
        let x = area.right().saturating_sub(cells(measure(hint)));
        buffer.set_string(x, area.y, hint, look.quiet());
    }
}

pub(super) fn centred(buffer: &mut Buffer, area: Rect, y: u16, text: &str, style: Style) {
    if y >= area.bottom() {
        return;
    }
    let width = usize::from(area.width);
    let text = cut(text, width, "");
    let x = area.x + cells(width.saturating_sub(measure(&text)) / 2);
    buffer.set_string(x, y, text, style);
}

pub(super) fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

const ONE_PANE: u16 = 72;
