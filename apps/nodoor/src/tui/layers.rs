// SPDX-License-Identifier: AGPL-3.0-or-later
//! What lies over the rest: the first start, jump, new chat, new group, info, keys, the question before quitting.

use nodoor_view::text::{Lines, for_terminal};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    app::{App, Change, Layer},
    doing::QUICK,
    draw::{Pen, cells, centred},
    field::Field,
    wrap::{cut, fill, width as measure, wrap},
};

/// The first start: one field. Returns the cursor.
pub(super) fn start(
    buffer: &mut Buffer,
    area: Rect,
    app: &App,
    pen: &Pen<'_>,
) -> Option<(u16, u16)> {
    let (texts, look) = (pen.texts, &pen.look);
    let width = usize::from(area.width.saturating_sub(4)).min(60);
    let inside =
        Rect::new((area.width - cells(width)) / 2, area.height / 4, cells(width), area.height);
    let mut y = inside.y;
    let mut line = |text: &str, style: Style| {
        for part in wrap(text, width) {
            if y < area.height {
                buffer.set_string(inside.x, y, part, style);
            }
            y += 1;
        }
        y
    };
    line("Nodoor", look.strong());
    line(&texts.get("welcome-line", &[]), Style::new());
    line("", Style::new());
    let field = line(&texts.get("choose-handle", &[]), Style::new());
    line(&format!("{} @{}", look.prompt, app.start.handle.text()), look.accent());
    line("", Style::new());
    let said = if app.start.creating { texts.get("creating", &[]) } else { app.start.said.clone() };
    line(&for_terminal(&said, Lines::Join), look.amber());
    line(&texts.get("handle-hint", &[]), look.quiet());
    line("", Style::new());
    line(&texts.get("create-account", &[]), look.quiet());
    let server = format!("{}  Ctrl+Q", app.server);
    centred(buffer, area, area.height - 1, &server, look.quiet());
    let (_, _, column) = app.start.handle.drawn(width);
    Some((inside.x + 3 + cells(column), field))
}

/// The layer over the chats, if there is one. Returns the cursor if it types, and the last line it can begin with.
pub(super) fn over(
    buffer: &mut Buffer,
    area: Rect,
    app: &App,
    pen: &Pen<'_>,
) -> (Option<(u16, u16)>, usize) {
    let texts = pen.texts;
    let Some(layer) = &app.layer else { return (None, 0) };
    let cursor = match layer {
        Layer::Jump { query, chosen } | Layer::Forward { query, chosen, .. } => {
            let rows = app.found(&query.text());
            let lines = rows.iter().enumerate().filter_map(|(place, chat)| {
                let row = app.chats.get(*chat)?;
                let mark = if place == *chosen { pen.look.here } else { " " };
                let unread =
                    if row.unread > 0 { format!("  {}", row.unread) } else { String::new() };
                Some(format!("{mark} {}{unread}", for_terminal(&row.title, Lines::Join)))
            });
            let mut all = vec![prompt(query, pen)];
            all.extend(lines.take(10));
            let id =
                if matches!(layer, Layer::Jump { .. }) { "jump-title" } else { "forward-title" };
            let (inside, _) = boxed(buffer, area, &texts.get(id, &[]), &all, 0, pen);
            cursor(inside, 0, query)
        }
        Layer::Search(search) => {
            let mut all = vec![prompt(&search.query, pen)];
            all.extend(app.hit_lines(search, pen));
            let title = match search.within.and(app.open_row()) {
                Some(row) => {
                    let title = for_terminal(&row.title, Lines::Join);
                    texts.get("search-in", &[("title", (&title).into())])
                }
                None => texts.get("search-everywhere", &[]),
            };
            let (inside, _) = boxed(buffer, area, &title, &all, 0, pen);
            cursor(inside, 0, &search.query)
        }
        Layer::NewChat { handle, said } => {
            let lines = [prompt(handle, pen), texts.get("new-chat-hint", &[]), said.clone()];
            let title = texts.get("new-chat-title", &[]);
            let (inside, _) = boxed(buffer, area, &title, &lines, 0, pen);
            cursor(inside, 0, handle)
        }
        Layer::NewGroup { title, members, second, said } => {
            let lines = [
                texts.get("group-name", &[]),
                prompt(title, pen),
                texts.get("group-members", &[]),
                prompt(members, pen),
                said.clone(),
            ];
            let head = texts.get("new-group-title", &[]);
            let (inside, _) = boxed(buffer, area, &head, &lines, 0, pen);
            let field = if *second { (3, members) } else { (1, title) };
            cursor(inside, field.0, field.1)
        }
        Layer::Change { what, field, said, .. } => {
            let (title, hint) = match what {
                Change::Add => ("group-add", "group-whom"),
                Change::Remove => ("group-remove", "group-whom"),
                Change::Rename => ("group-rename", "group-name"),
                Change::Timer => ("timer-title", "timer-form"),
            };
            let lines = [texts.get(hint, &[]), prompt(field, pen), said.clone()];
            let (inside, _) = boxed(buffer, area, &texts.get(title, &[]), &lines, 0, pen);
            cursor(inside, 1, field)
        }
        Layer::Info { title, lines, first, .. } => {
            let title = for_terminal(title, Lines::Join);
            return (None, boxed(buffer, area, &title, lines, *first, pen).1);
        }
        Layer::Keys { first } => {
            let lines: Vec<String> = KEYS
                .iter()
                .map(|(key, id)| format!("{}{}", fill(key, 16), texts.get(id, &[])))
                .collect();
            let title = texts.get("keys-title", &[]);
            return (None, boxed(buffer, area, &title, &lines, *first, pen).1);
        }
        Layer::React { field, .. } => {
            let quick = (1..).zip(QUICK).map(|(key, emoji)| format!("{key} {emoji}"));
            let quick = quick.collect::<Vec<_>>().join("   ");
            let lines = [quick, texts.get("react-hint", &[]), prompt(field, pen)];
            let (inside, _) = boxed(buffer, area, &texts.get("react-title", &[]), &lines, 0, pen);
            cursor(inside, 2, field)
        }
        Layer::DeleteForEveryone { .. } => {
            let name = app.open_row().map_or("", |row| &row.title);
            let ask = texts.get("delete-everyone-ask", &[("name", name.into())]);
            boxed(buffer, area, &texts.get("delete-everyone", &[]), &[ask], 0, pen);
            return (None, 0);
        }
        Layer::Leave { title, .. } => {
            let ask = texts.get("leave-ask", &[("title", title.into())]);
            boxed(buffer, area, &for_terminal(title, Lines::Join), &[ask], 0, pen);
            return (None, 0);
        }
        Layer::Quit { waiting } => {
            let ask = texts.get("quit-unsent", &[("count", (*waiting).into())]);
            boxed(buffer, area, "Nodoor", &[ask], 0, pen);
            return (None, 0);
        }
    };
    (Some(cursor), 0)
}

fn prompt(field: &Field, pen: &Pen<'_>) -> String {
    format!("{} {}", pen.look.prompt, field.text())
}

fn cursor(inside: Rect, line: u16, field: &Field) -> (u16, u16) {
    let (_, _, column) = field.drawn(usize::from(inside.width).saturating_sub(3));
    (inside.x + 2 + cells(column), inside.y + line)
}

/// A box in the middle, as wide and high as its lines need; what does not fit is scrolled to. Returns its inside, and
/// the last line it can begin with.
fn boxed(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    lines: &[String],
    first: usize,
    pen: &Pen<'_>,
) -> (Rect, usize) {
    let look = &pen.look;
    let most = usize::from(area.width).saturating_sub(6).min(72);
    let widest = lines.iter().map(|line| measure(line)).max().unwrap_or(0);
    let width = widest.max(measure(title) + 2).max(36).min(most);
    let lines: Vec<String> = lines.iter().flat_map(|line| wrap(line, width)).collect();
    let height = lines.len().min(usize::from(area.height).saturating_sub(4));
    let (outer_width, outer_height) = (cells(width + 4), cells(height + 2));
    let x = (area.width.saturating_sub(outer_width)) / 2;
    let y = (area.height.saturating_sub(outer_height)) / 2;
    let [tl, _, tr, _, _, _, bl, br] = look.joints;
    let rule = look.horizontal.repeat(width + 2);
    let blank = " ".repeat(width + 2);
    for line in 0..outer_height {
        let (left, middle, right) = match line {
            0 => (tl, &rule, tr),
            line if line + 1 == outer_height => (bl, &rule, br),
            _ => (look.vertical, &blank, look.vertical),
        };
        // Cells below may hold the second half of a wide character: each is set anew.
        for column in x..x + outer_width {
            if let Some(cell) = buffer.cell_mut((column, y + line)) {
                cell.reset();
            }
        }
        buffer.set_string(x, y + line, format!("{left}{middle}{right}"), Style::new());
    }
    let head = format!(" {} ", cut(title, width.saturating_sub(2), look.more));
    buffer.set_string(x + 2, y, head, look.strong());
    let most = lines.len() - height;
    let more = if most > 0 { pen.texts.get("more-lines", &[]) + "  " } else { String::new() };
    let foot = format!(" {more}{} ", pen.texts.get("esc-back", &[]));
    let foot_x = x + outer_width.saturating_sub(cells(measure(&foot)) + 2);
    buffer.set_string(foot_x, y + outer_height - 1, foot, look.quiet());
    let inside = Rect::new(x + 2, y + 1, cells(width), cells(height));
    for (y, line) in (inside.y..inside.bottom()).zip(lines.iter().skip(first.min(most))) {
        buffer.set_string(inside.x, y, line, Style::new());
    }
    (inside, most)
}

/// The keys and what they do, as F1 lists them.
const KEYS: [(&str, &str); 31] = [
    ("Enter", "key-enter"),
    ("Alt+Enter", "key-alt-enter"),
    ("Tab", "key-tab"),
    ("Ctrl+K", "key-jump"),
    ("Ctrl+F  /", "key-search"),
    ("n N", "key-hits"),
    ("Alt+Up/Down", "key-chat"),
    ("PgUp/PgDn", "key-scroll"),
    ("Ctrl+End", "key-latest"),
    ("Ctrl+N", "key-new-chat"),
    ("Ctrl+G", "key-new-group"),
    ("Ctrl+O", "key-info"),
    ("Ctrl+B", "key-block"),
    ("Ctrl+A/R/T", "key-group"),
    ("Ctrl+X", "key-leave"),
    ("Ctrl+E", "key-editor"),
    ("Ctrl+L", "key-redraw"),
    ("Ctrl+D", "key-timer"),
    ("Ctrl+P/U/Y", "key-place"),
    ("Up", "key-edit-last"),
    ("r", "key-retry"),
    ("e", "key-edit"),
    ("+", "key-react"),
    ("f", "key-forward"),
    ("p", "key-pin"),
    ("y", "key-copy"),
    ("i", "key-details"),
    ("d", "key-delete"),
    ("D", "key-delete-everyone"),
    ("a d b", "key-requests"),
    ("Ctrl+Q", "key-quit"),
];
