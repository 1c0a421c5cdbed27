// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is proved against the public log, over the whole screen until it was read; afterwards, and for a log that is old or
//! will be watched by others, one line of the status.

use nodoor_view::{
    model::{Freshness, Proof},
    text::{Lines, for_terminal},
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    app::App,
    draw::Pen,
    wrap::{cut, wrap},
};

/// The red screen: nothing but its keys leads away.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, proof: &Proof, app: &App, pen: &Pen<'_>) {
    let (texts, style) = (pen.texts, pen.look.alarm());
    let width = usize::from(area.width);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
        buffer.set_string(area.left(), y, " ".repeat(width), style);
    }
    let get = |id: &str| texts.get(id, &[]);
    let did = if proof.own { "proof-did-own" } else { "proof-did-text" };
    let mut said = vec![
        get("proof"),
        String::new(),
        texts.proof(proof, &app.server),
        String::new(),
        format!("{}: {}", get("proof-did"), get(did)),
        String::new(),
        format!("{}: {}", get("proof-can"), get("proof-can-text")),
        String::new(),
    ];
    match app.evidence.as_slice() {
        [] => said.push(get("alarm-no-evidence")),
        all => said.extend(
            all.iter().map(|path| texts.get("alarm-evidence", &[("path", path.as_str().into())])),
        ),
    }
    let inside = width.saturating_sub(4).max(1);
    let lines: Vec<String> = said
        .iter()
        .flat_map(|line| match for_terminal(line, Lines::Join) {
            line if line.is_empty() => vec![line],
            line => wrap(&line, inside),
        })
        .collect();
    let most = usize::from(area.height).saturating_sub(3);
    for (y, line) in (area.top() + 1..).zip(lines.iter().take(most)) {
        buffer.set_string(area.left() + 2, y, line, style);
    }
    let keys = cut(&get("alarm-keys"), inside, pen.look.more);
    buffer.set_string(area.left() + 2, area.bottom().saturating_sub(1), keys, style);
}

/// The line of the status for what stays: proof that was read and a log older than three days before everything else; one
/// that is older than a day, or that others will watch, where nothing else is said.
pub(super) fn strip(app: &App, pen: &Pen<'_>, grave: bool) -> Option<(String, Style)> {
    let (log, look) = (app.ledger.as_ref()?, &pen.look);
    let at = |id: &str, at| {
        let time = format!("{} {}", pen.clock.day(at, app.now, pen.texts), pen.clock.clock(at));
        pen.texts.get(id, &[("time", time.as_str().into())])
    };
    if grave {
        return match (&log.proof, log.freshness, log.log_time) {
            (Some(proof), ..) => Some((at("ledger-proof", proof.at), look.failed())),
            (None, Freshness::Red, Some(time)) => Some((at("ledger-red", time), look.failed())),
            _ => None,
        };
    }
    if let (Freshness::Amber, Some(time)) = (log.freshness, log.log_time) {
        return Some((at("ledger-amber", time), look.amber()));
    }
    let change = log.change.as_ref().filter(|change| !change.done)?;
    let day = pen.clock.day(change.due, app.now, pen.texts);
    let names = change.witnesses.join(", ");
    let id = if names.is_empty() { "log-changes-none" } else { "log-changes" };
    let values = [("day", day.as_str().into()), ("names", names.as_str().into())];
    Some((pen.texts.get(id, &values), look.accent()))
}
