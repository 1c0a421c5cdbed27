// SPDX-License-Identifier: AGPL-3.0-or-later
//! A text as a QR code, drawn as one path: for links and codes that another device reads off this screen.
//!
//! Always dark on light with its quiet border, in both themes: readers of codes are not asked to cope with less.

use leptos::{prelude::*, svg};
use qrcodegen::{QrCode, QrCodeEcc};

/// The code of `text`; `label` is what a screen reader says of it. `None` for a text of more than about 2,000 bytes.
pub(crate) fn qr(text: &str, label: String) -> Option<impl IntoView + use<>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let across = code.size() + 2 * BORDER;
    Some(
        svg::svg()
            .class("qr")
            .attr("viewBox", format!("0 0 {across} {across}"))
            .attr("role", "img")
            .attr("aria-label", label)
            .child(svg::path().attr("d", path(&code))),
    )
}

/// One stroke a run of dark modules, left to right.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            if run > 0 {
                path += &format!("M{} {}h{run}v1h-{run}z", x + BORDER, y + BORDER);
            }
            // The light module after the run as well.
            x += i32::try_from(run).unwrap_or(0) + 1;
        }
    }
    path
}

/// Modules of light around it, as the standard asks.
const BORDER: i32 = 4;
