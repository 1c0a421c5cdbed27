// SPDX-License-Identifier: AGPL-3.0-or-later
//! A conversation as pages of HTML: no script, nothing loaded from anywhere, everything that somebody wrote escaped and, if
//! it is a name, isolated. Light and dark by the reader's own choice; fit to be printed.
//!
//! Whoever writes the files asks for the rows, a page at a time. The form for programs is in `docs/book/export.md`.

use crate::{
    link::{Piece, pieces},
    message::Mention,
    model::{Content, From, MessageRow},
    rich::{Block, Run, Style, blocks},
    text::Texts,
};

/// Messages on a page.
pub const PAGE: usize = 5_000;

/// What stands on every page of a conversation.
pub struct Head<'a> {
    /// What the chat is called.
    pub title: &'a str,
    /// A line below it: what this is and when it was made.
    pub about: &'a str,
    /// BCP 47.
    pub language: &'a str,
    /// The language is written from right to left.
    pub right_to_left: bool,
    /// Number of this page, from 1.
    pub page: usize,
    /// There is one after it.
    pub more: bool,
}

/// The file name of a page.
#[must_use]
pub fn page_name(page: usize) -> String {
    match page {
        0 | 1 => "index.html".to_owned(),
        page => format!("page-{page}.html"),
    }
}

/// What a page begins with.
#[must_use]
pub fn begin(head: &Head<'_>, texts: &Texts) -> String {
    let direction = if head.right_to_left { "rtl" } else { "ltr" };
    format!(
        "<!doctype html>\n<html lang=\"{}\" dir=\"{direction}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>{LOOK}</style>\n</head>\n<body>\n\
         <header><h1><bdi>{}</bdi></h1><p>{}</p></header>\n{}<ol>\n",
        escaped(head.language),
        escaped(head.title),
        escaped(head.title),
        escaped(head.about),
        steps(head, texts),
    )
}

/// What it ends with.
#[must_use]
pub fn end(head: &Head<'_>, texts: &Texts) -> String {
    format!("</ol>\n{}</body>\n</html>\n", steps(head, texts))
}

fn steps(head: &Head<'_>, texts: &Texts) -> String {
    let to = |page: usize, id: &str| {
        format!("<a href=\"{}\">{}</a> ", page_name(page), escaped(&texts.get(id, &[])))
    };
    let mut all = String::new();
    if head.page > 1 {
        all += &to(head.page - 1, "export-older");
    }
    if head.more {
        all += &to(head.page + 1, "export-newer");
    }
    match all.is_empty() {
        true => all,
        false => format!("<nav>{all}</nav>\n"),
    }
}

/// A message. `who` is how its sender is called, `time` when it was sent as people read it, `exact` the same in RFC 3339.
#[must_use]
pub fn message(row: &MessageRow, who: &str, time: &str, exact: &str, texts: &Texts) -> String {
    let class = match row.from {
        From::Me => "me",
        From::Them(_) => "them",
        From::System => "line",
    };
    let mut notes: Vec<String> = Vec::new();
    for (there, id) in [
        (row.marks.forwarded, "export-forwarded"),
        (row.marks.edited, "export-edited"),
        (row.marks.pinned, "export-pinned"),
    ] {
        notes.extend(there.then(|| escaped(&texts.get(id, &[]))));
    }
    let quote = row.marks.reply.as_ref().map(|quote| {
        let said = quote.content.as_ref().map(|content| match content {
            Content::Text(text) => text.clone(),
            other => texts.content(&row.from, other),
        });
        let said = said.unwrap_or_else(|| texts.get("export-quote-missing", &[]));
        let said = format!("<blockquote dir=\"auto\">{}</blockquote>", escaped(&said));
        match quote.message {
            Some(id) => format!("<a class=\"quote\" href=\"#m{}\">{said}</a>", id.0),
            None => said,
        }
    });
    let reactions: Vec<String> = row
        .marks
        .reactions
        .iter()
        .map(|one| format!("<span>{} {}</span>", escaped(&one.emoji), one.count()))
        .collect();
    let reactions = match reactions.is_empty() {
        true => String::new(),
        false => format!("<p class=\"reactions\">{}</p>", reactions.join(" ")),
    };
    let notes = match notes.is_empty() {
        true => String::new(),
        false => format!(" <small>{}</small>", notes.join(", ")),
    };
    format!(
        "<li id=\"m{}\" class=\"{class}\"><p class=\"who\"><b><bdi>{}</bdi></b> <time datetime=\"{}\">{}</time>{notes}</p>\
         {}<div dir=\"auto\">{}</div>{reactions}</li>\n",
        row.id.0,
        escaped(who),
        escaped(exact),
        escaped(time),
        quote.unwrap_or_default(),
        body(row, texts),
    )
}

fn body(row: &MessageRow, texts: &Texts) -> String {
    match &row.content {
        Content::Text(text) => lines(text),
        Content::Markdown { text, mentions } => {
            blocks(text).iter().map(|block| formatted(block, mentions, texts)).collect()
        }
        other => format!("<i>{}</i>", escaped(&texts.content(&row.from, other))),
    }
}

fn formatted(block: &Block<'_>, mentions: &[Mention], texts: &Texts) -> String {
    let runs =
        |all: &[Run<'_>]| all.iter().map(|one| run(one, mentions, texts)).collect::<String>();
    match block {
        Block::Text(all) => format!("<div>{}</div>", runs(all)),
        Block::Quote(all) => {
            let all: Vec<String> = all.iter().map(|line| runs(line)).collect();
            format!("<blockquote>{}</blockquote>", all.join("<br>"))
        }
        Block::Code(code) => format!("<pre>{}</pre>", escaped(code)),
    }
}

fn run(run: &Run<'_>, mentions: &[Mention], texts: &Texts) -> String {
    match run {
        Run::Mention(account, called) => {
            format!("<b><bdi>{}</bdi></b>", escaped(&texts.mention(mentions, account, called)))
        }
        Run::Text(text, Style { bold, italic, struck, code }) => {
            let mut all = if *code { escaped(text) } else { lines(text) };
            for (on, tag) in [(*code, "code"), (*struck, "s"), (*italic, "em"), (*bold, "strong")] {
                if on {
                    all = format!("<{tag}>{all}</{tag}>");
                }
            }
            all
        }
    }
}

/// Text with its line breaks and its links, which say where they lead.
fn lines(text: &str) -> String {
    let all: String = pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => escaped(text),
            Piece::Link(link) => {
                let link = escaped(link);
                format!("<a href=\"{link}\" rel=\"noreferrer noopener\">{link}</a>")
            }
        })
        .collect();
    all.replace('\n', "<br>\n")
}

/// A text as HTML has it, between tags and in quotes. What no document may hold, and what turns the rest of a line around,
/// is shown as U+FFFD.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '"' => all.push_str("&quot;"),
            '\'' => all.push_str("&#39;"),
            '`' => all.push_str("&#96;"),
            '\n' | '\t' => all.push(letter),
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => all.push('\u{FFFD}'),
            letter if letter.is_control() || is_no_character(letter) => all.push('\u{FFFD}'),
            letter => all.push(letter),
        }
    }
    all
}

const fn is_no_character(letter: char) -> bool {
    matches!(letter, '\u{FDD0}'..='\u{FDEF}') || (letter as u32) & 0xFFFE == 0xFFFE
}

const LOOK: &str = ":root{color-scheme:light dark;font:16px/1.45 system-ui,sans-serif}body{max-width:46rem;margin:0 auto;\
padding:1rem;overflow-wrap:anywhere}h1{font-size:1.4rem;margin:0}header p,small,time,nav{color:GrayText;font-size:.85rem}\
ol{list-style:none;padding:0}li{margin:.35rem 0;padding:.4rem .7rem;border:1px solid #8884;border-radius:.7rem;\
break-inside:avoid}li.me{margin-inline-start:3rem;background:#0a8a7a1a}li.them{margin-inline-end:3rem}li.line{border:0;\
text-align:center}.who,.reactions{margin:0 0 .15rem}blockquote{margin:.2rem 0;padding-inline-start:.6rem;\
border-inline-start:3px solid #8886}pre{white-space:pre-wrap}a.quote{color:inherit;text-decoration:none}\
@media print{nav{display:none}body{max-width:none}}";
