// SPDX-License-Identifier: AGPL-3.0-or-later
//! A message's text as it is drawn: light formatting, mentions, links of people one knows, large emoji, "Show more".
//!
//! Only `https` becomes a link, and none of a stranger's text does: requests do not come through
//! here (`docs/book/threat-model.md`, "A stranger"). The text itself goes into the page as a text node, never as markup.

use js_sys::RegExp;
use leptos::{html, prelude::*};
use nodoor_view::{
    link::{Piece, pieces},
    message::Mention,
    model::{Content, From},
    rich::{Block, Run, Style, blocks},
};

use super::scroll;
use crate::{
    parts::bdi,
    words::{self, say},
};

/// Characters shown before "Show more".
const LONG: usize = 2_000;

/// Draws what a message says.
pub(super) fn content(from: &From, content: &Content) -> AnyView {
    match content {
        Content::Text(text) => cut(text, linked),
        Content::Markdown { text, mentions } => {
            let mentions = mentions.clone();
            cut(text, move |text| formatted(text, &mentions))
        }
        _ => html::em().child(words::content(from, content)).into_any(),
    }
}

/// Draws a plain text, its links and all.
pub(super) fn text(text: &str) -> AnyView {
    cut(text, linked)
}

/// Draws the beginning of a long text, and all of it once that is asked for.
fn cut(text: &str, draw: impl Fn(&str) -> AnyView + Send + 'static) -> AnyView {
    let cut = text.char_indices().nth(LONG).map(|(at, _)| at);
    let Some(cut) = cut else { return draw(text) };
    let open = RwSignal::new(false);
    let whole = text.to_owned();
    let part = text.get(..cut).unwrap_or_default().to_owned();
    (
        move || if open.get() { draw(&whole) } else { draw(&format!("{part}…")) },
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

fn formatted(text: &str, mentions: &[Mention]) -> AnyView {
    let blocks = blocks(text);
    let drawn = blocks.into_iter().map(|block| match block {
        Block::Text(parts) => html::span().class("lines").child(runs(&parts, mentions)).into_any(),
        Block::Quote(lines) => {
            let lines = lines.iter().map(|line| html::div().child(runs(line, mentions)));
            html::blockquote().dir("auto").child(lines.collect_view()).into_any()
        }
        // A long line of code is scrolled to, by key too.
        Block::Code(code) => html::pre()
            .dir("ltr")
            .tabindex("0")
            .child(html::code().child(code.to_owned()))
            .into_any(),
    });
    drawn.collect_view().into_any()
}

fn runs(runs: &[Run<'_>], mentions: &[Mention]) -> AnyView {
    let drawn = runs.iter().map(|run| match run {
        Run::Text(text, style) => styled(text, *style),
        Run::Mention(account, called) => {
            let of_me = mentions.iter().any(|one| one.account == *account && one.person.is_none());
            let class = if of_me { "mention me" } else { "mention" };
            let name = words::mention(mentions, account, called);
            html::span().class(class).child(bdi(name)).into_any()
        }
    });
    drawn.collect_view().into_any()
}

fn styled(text: &str, style: Style) -> AnyView {
    if style.code {
        return html::code().dir("ltr").child(text.to_owned()).into_any();
    }
    let mut drawn = linked(text);
    if style.struck {
        drawn = html::s().child(drawn).into_any();
    }
    if style.italic {
        drawn = html::em().child(drawn).into_any();
    }
    if style.bold {
        drawn = html::strong().child(drawn).into_any();
    }
    drawn
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
