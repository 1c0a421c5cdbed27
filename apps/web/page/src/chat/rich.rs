// SPDX-License-Identifier: AGPL-3.0-or-later
//! A message's text as it is drawn: links of people one knows, large emoji, "Show more".
//!
//! Only `https` becomes a link, and none of a stranger's text does: requests do not come through
//! here (`docs/book/threat-model.md`, "A stranger"). The text itself goes into the page as a text node, never as markup.

use js_sys::RegExp;
use leptos::{html, prelude::*};
use nodoor_view::link::{Piece, pieces};

use super::scroll;
use crate::words::say;

/// Characters shown before "Show more".
const LONG: usize = 2_000;

/// Draws a text.
pub(super) fn text(text: &str) -> AnyView {
    let cut = text.char_indices().nth(LONG).map(|(at, _)| at);
    let Some(cut) = cut else { return linked(text) };
    let open = RwSignal::new(false);
    let whole = text.to_owned();
    let part = text.get(..cut).unwrap_or_default().to_owned();
    (
        move || if open.get() { linked(&whole) } else { linked(&format!("{part}…")) },
        move || {
            (!open.get()).then(|| {
                html::button()
                    .class("more")
                    .r#type("button")
                    .on(leptos::ev::click, move |_| {
                        scroll::hold();
                        open.set(true);
                    })
                    .child(say("show-more"))
            })
        },
    )
        .into_any()
}

fn linked(text: &str) -> AnyView {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned().into_any(),
            Piece::Link(address) => html::a()
                .href(address.to_owned())
                .target("_blank")
                .rel("noreferrer noopener")
                .child(address.to_owned())
                .into_any(),
        })
        .collect_view()
        .into_any()
}

/// Whether a text is one to three emoji and nothing else. Skin tones, flags and families are one.
pub(super) fn is_large(text: &str) -> bool {
    // The longest emoji sequences have 35 bytes; the browser knows what is one.
    if text.len() > 160 || text.is_ascii() {
        return false;
    }
    thread_local! {
        static EMOJI: RegExp = RegExp::new(r"^\s*(?:\p{RGI_Emoji}\s*){1,3}$", "v");
    }
    EMOJI.with(|emoji| emoji.test(text))
}
