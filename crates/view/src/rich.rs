// SPDX-License-Identifier: AGPL-3.0-or-later
//! Light formatting: the part of Markdown that people type in messages, and mentions.
//!
//! `**bold**`, `*italic*` or `_italic_`, `~~struck~~`, `` `code` ``, lines of code between fences of three backticks, lines
//! of quotation after `> `, and `[@name](nodoor:account:<hexadecimal id>)`. Everything else is text as it stands: no
//! headings, lists, pictures, HTML or links with another text than their address, so that what one sees is what was sent.
//!
//! Whoever draws it gets runs of text with a [`Style`], block by block. Nothing here looks at who wrote it.
//!
//! Spec: `docs/book/protocol.md`, 6 (a subset of `text/markdown;variant=GFM-MIMI`).

/// What a link that is a mention begins with.
const MENTION: &str = "nodoor:account:";
/// The longest emoji sequences have 35 bytes.
const LONGEST_EMOJI: usize = 64;
/// Marks that may stand inside each other.
const DEPTH: u8 = 4;
/// Bytes between a mark and its other half: whoever sends a text of openings gets no search of it all for each.
const LONGEST_PAIR: usize = 1_000;
/// Bytes of a mention, its link included.
const LONGEST_MENTION: usize = 400;

/// How a run of text looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Struck out.
    pub struck: bool,
    /// Code: no formatting inside.
    pub code: bool,
}

/// A run of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run<'a> {
    /// Text, with line breaks.
    Text(&'a str, Style),
    /// The account that is named here, hexadecimal, and what the writer called it.
    Mention(&'a str, &'a str),
}

/// A paragraph, a quotation or lines of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block<'a> {
    /// Text.
    Text(Vec<Run<'a>>),
    /// What somebody else said: lines, each without its mark.
    Quote(Vec<Vec<Run<'a>>>),
    /// Code as it stands.
    Code(&'a str),
}

/// Reads a text. No text is wrong: a mark without its other half is text.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    // Where plain lines began that no block has taken yet.
    let mut plain = text;
    // A fence that nothing closes: nothing closes the ones after it either.
    let mut closed = true;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        let fenced = if closed && rest.starts_with("```") { fence(rest) } else { None };
        closed &= fenced.is_some() || !rest.starts_with("```");
        let taken = fenced.or_else(|| quotation(rest));
        let Some((block, after)) = taken else {
            rest = next_line(rest);
            continue;
        };
        paragraph(plain, at - (text.len() - plain.len()), &mut blocks);
        blocks.push(block);
        (rest, plain) = (after, after);
    }
    paragraph(plain, plain.len(), &mut blocks);
    blocks
}

/// Whether a text has any formatting or mention at all.
#[must_use]
pub fn is_formatted(text: &str) -> bool {
    blocks(text).iter().any(|block| match block {
        Block::Text(runs) => {
            runs.iter().any(|run| !matches!(run, Run::Text(_, style) if *style == Style::default()))
        }
        Block::Quote(_) | Block::Code(_) => true,
    })
}

/// The text without its marks, mentions by the names that `name` gives for an account and what the writer called it.
#[must_use]
pub fn plain(text: &str, name: &dyn Fn(&str, &str) -> String) -> String {
    let said = |runs: &[Run<'_>]| -> String {
        let each = runs.iter().map(|run| match run {
            Run::Text(text, _) => (*text).to_owned(),
            Run::Mention(account, called) => name(account, called),
        });
        each.collect()
    };
    let lines = blocks(text).into_iter().map(|block| match block {
        Block::Text(runs) => said(&runs),
        Block::Quote(lines) => lines.iter().map(|line| said(line)).collect::<Vec<_>>().join("\n"),
        Block::Code(code) => code.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The text as one would type it again: a mention by what the writer called it.
#[must_use]
pub fn typed(text: &str) -> String {
    let mut typed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("[@") {
        let (before, from) = rest.split_at(at);
        typed.push_str(before);
        match mention(from) {
            Some((_, called, after)) => {
                typed.push_str(called);
                rest = after;
            }
            None => {
                typed.push_str("[@");
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    typed + rest
}

/// Accounts that a text names, hexadecimal, in its order.
#[must_use]
pub fn mentions(text: &str) -> Vec<&str> {
    let mut accounts = Vec::new();
    for block in blocks(text) {
        let runs = match block {
            Block::Text(runs) => runs,
            Block::Quote(lines) => lines.into_iter().flatten().collect(),
            Block::Code(_) => continue,
        };
        accounts.extend(runs.into_iter().filter_map(|run| match run {
            Run::Mention(account, _) => Some(account),
            Run::Text(..) => None,
        }));
    }
    accounts
}

/// Puts mentions in place of each `@handle` that `account` knows, outside code.
#[must_use]
pub fn with_mentions(text: &str, account: &dyn Fn(&str) -> Option<String>) -> String {
    let mut written = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find('@') {
        let (text, from) = rest.split_at(at);
        written.push_str(text);
        let begins = text.chars().next_back().or(before).is_none_or(|last| !is_word(last));
        let handle = from.get(1..).unwrap_or_default();
        let end = handle.find(|c: char| !is_handle(c)).unwrap_or(handle.len());
        // A handle at the end of a sentence: its full stop is not part of it.
        let handle = handle.get(..end).unwrap_or_default().trim_end_matches(['.', '-', '_']);
        let known = if begins && !handle.is_empty() { account(handle) } else { None };
        match known.filter(|_| !in_code(&written)) {
            Some(account) => {
                written.push_str("[@");
                written.push_str(handle);
                written.push_str("](");
                written.push_str(MENTION);
                written.push_str(&account);
                written.push(')');
                rest = from.get(1 + handle.len()..).unwrap_or_default();
                before = handle.chars().next_back();
            }
            None => {
                written.push('@');
                rest = from.get(1..).unwrap_or_default();
                before = Some('@');
            }
        }
    }
    written + rest
}

/// One emoji and nothing else: a reaction. What is no such thing is not shown as one.
#[must_use]
pub fn one_emoji(text: &str) -> Option<&str> {
    use unicode_segmentation::UnicodeSegmentation as _;
    let one = text.len() <= LONGEST_EMOJI && text.graphemes(true).count() == 1;
    // Letters of any script with whatever hangs on them are none; a digit with a key around it is.
    let drawn = |c: char| c > '\u{2000}' || matches!(c, '\u{a9}' | '\u{ae}');
    (one && text.chars().any(drawn)).then_some(text)
}

fn is_handle(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '/' | '[')
}

/// Whether what comes next stands in code: after an odd number of backticks in its line, or of fences.
fn in_code(before: &str) -> bool {
    let fences = before.lines().filter(|line| line.starts_with("```")).count();
    let line = before.rsplit('\n').next().unwrap_or_default();
    fences % 2 == 1 || line.matches('`').count() % 2 == 1
}

/// The line that a text begins with, or as many of its bytes.
fn line(text: &str, bytes: usize) -> &str {
    let text = text.get(..text.floor_char_boundary(bytes)).unwrap_or(text);
    text.split_once('\n').map_or(text, |(line, _)| line)
}

fn next_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

fn paragraph<'a>(text: &'a str, end: usize, blocks: &mut Vec<Block<'a>>) {
    let whole = text.get(..end).unwrap_or_default();
    // The break before a block is the block's.
    let whole = if end < text.len() { whole.strip_suffix('\n').unwrap_or(whole) } else { whole };
    if !whole.is_empty() {
        blocks.push(Block::Text(runs(whole)));
    }
}

/// Lines of code between fences.
fn fence(text: &str) -> Option<(Block<'_>, &str)> {
    let (_, inside) = text.strip_prefix("```")?.split_once('\n')?;
    if let Some(after) = inside.strip_prefix("```") {
        return end_of_line(after).map(|after| (Block::Code(""), after));
    }
    let mut from = 0;
    while let Some(at) = inside.get(from..)?.find("\n```") {
        let after = inside.get(from + at + 4..)?;
        if let Some(after) = end_of_line(after) {
            return Some((Block::Code(inside.get(..from + at)?), after));
        }
        from += at + 1;
    }
    None
}

/// What comes after a line that has nothing more than blanks.
fn end_of_line(text: &str) -> Option<&str> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    line.trim().is_empty().then_some(rest)
}

fn quotation(text: &str) -> Option<(Block<'_>, &str)> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(line) = rest.strip_prefix("> ") {
        let end = line.find('\n').unwrap_or(line.len());
        lines.push(runs(line.get(..end)?));
        rest = next_line(rest);
    }
    (!lines.is_empty()).then_some((Block::Quote(lines), rest))
}

fn runs(text: &str) -> Vec<Run<'_>> {
    let mut found = Vec::new();
    spans(text, Style::default(), DEPTH, &mut found);
    found
}

fn spans<'a>(text: &'a str, style: Style, depth: u8, found: &mut Vec<Run<'a>>) {
    let mut from = 0;
    let mut at = 0;
    let mut last = None;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some((account, called, after)) = mention(rest) {
            push(text.get(from..at), style, found);
            found.push(Run::Mention(account, called));
            at = text.len() - after.len();
            (from, last) = (at, Some(')'));
            continue;
        }
        if let Some((mark, inside, after)) = pair(rest, last).filter(|_| depth > 0) {
            push(text.get(from..at), style, found);
            let (within, deeper) = match mark {
                "`" => (Style { code: true, ..style }, 0),
                "**" => (Style { bold: true, ..style }, depth - 1),
                "~~" => (Style { struck: true, ..style }, depth - 1),
                _ => (Style { italic: true, ..style }, depth - 1),
            };
            if mark == "`" {
                push(Some(inside), within, found);
            } else {
                spans(inside, within, deeper, found);
            }
            at = text.len() - after.len();
            (from, last) = (at, mark.chars().next());
            continue;
        }
        let c = rest.chars().next();
        at += c.map_or(1, char::len_utf8);
        last = c;
    }
    push(text.get(from..), style, found);
}

fn push<'a>(text: Option<&'a str>, style: Style, found: &mut Vec<Run<'a>>) {
    found.extend(text.filter(|text| !text.is_empty()).map(|text| Run::Text(text, style)));
}

/// A mark at the beginning of a text, what stands between it and its other half, and what comes after.
fn pair(text: &str, last: Option<char>) -> Option<(&'static str, &str, &str)> {
    let mark = ["**", "~~", "`", "*", "_"].into_iter().find(|mark| text.starts_with(mark))?;
    // Inside a word a mark is a letter: snake_case, 2*3*4.
    if mark != "`" && last.is_some_and(char::is_alphanumeric) {
        return None;
    }
    // Several backticks in a row are no mark.
    if mark == "`" && (last == Some('`') || text.starts_with("``")) {
        return None;
    }
    let rest = text.get(mark.len()..)?;
    let inside = line(rest, LONGEST_PAIR);
    if mark != "`" && inside.chars().next().is_none_or(char::is_whitespace) {
        return None;
    }
    let mut from = 0;
    loop {
        let at = from + inside.get(from..)?.find(mark)?;
        let (within, after) = (inside.get(..at)?, rest.get(at + mark.len()..)?);
        let next = after.chars().next();
        // The other half of `*` is not the first of `**`.
        let doubled = mark.len() == 1 && after.starts_with(mark);
        let word = mark != "`" && next.is_some_and(char::is_alphanumeric);
        let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let edges = !within.is_empty() && (mark == "`" || !blank(within.chars().next_back()));
        if edges && !doubled && !word {
            return Some((mark, within, after));
        }
        from = at + if doubled { 2 * mark.len() } else { mark.len() };
    }
}

/// A mention at the beginning of a text: account, what it is called, and what comes after.
fn mention(text: &str) -> Option<(&str, &str, &str)> {
    let link = line(text, LONGEST_MENTION);
    let (called, rest) = link.strip_prefix('[')?.split_once("](")?;
    let called = called.strip_prefix('@').is_some_and(|name| !name.is_empty()).then_some(called)?;
    let (address, rest) = rest.split_once(')')?;
    let account = address.strip_prefix(MENTION)?;
    let hex = account.len() == 32 && account.bytes().all(|b| b.is_ascii_hexdigit());
    let after = text.get(link.len() - rest.len()..)?;
    (hex && !called.contains(['[', ']'])).then_some((account, called, after))
}
