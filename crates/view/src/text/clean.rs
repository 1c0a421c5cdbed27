// SPDX-License-Identifier: AGPL-3.0-or-later
//! The one cleaner of foreign text for terminals.
//!
//! A terminal obeys what it is sent: an escape sequence in a name can clear the screen, change the window's
//! title, write to the clipboard or answer the shell in the person's stead; a bidi mark left open turns the rest of the line
//! around. What is dropped here can do nothing but that; all else is shown.

use std::{iter::Peekable, str::Chars};

/// What becomes of line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// Each becomes a space: names, titles, previews.
    Join,
    /// Each becomes `\n`: the text of a message where lines are drawn one below the other.
    Keep,
}

/// Makes text of others fit for a terminal's cell, its title and its standard error.
///
/// Drops C0, DEL and C1 characters, escape sequences with their parameters, bidi overrides, and embeddings and
/// isolates that are not closed on their line, or closed without having been opened. A tab becomes a space.
/// Applying it twice changes nothing.
#[must_use]
pub fn for_terminal(text: &str, lines: Lines) -> String {
    let plain = without_controls(text);
    match lines {
        Lines::Join => paired(&plain.replace('\n', " ")),
        Lines::Keep => plain.split('\n').map(paired).collect::<Vec<_>>().join("\n"),
    }
}

/// Only printable characters, bidi marks and `\n` are left.
fn without_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut endless = false;
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => skip_escape(&mut chars, &mut endless),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => {
                skip_string(&mut chars, &mut endless);
            }
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push(' '),
            _ if char.is_control() => {}
            // Overrides draw letters in an order nobody typed; paired or not, they serve spoofing alone.
            '\u{202d}' | '\u{202e}' => {}
            _ => out.push(char),
        }
    }
    out
}

/// After ESC (ECMA-35, 13.2): a control sequence, a string, or intermediates and one final character.
fn skip_escape(chars: &mut Peekable<Chars<'_>>, endless: &mut bool) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_control_sequence(chars);
        }
        Some('P' | 'X' | ']' | '^' | '_') => {
            chars.next();
            skip_string(chars, endless);
        }
        _ => {
            while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '0'..='~'));
        }
    }
}

/// After CSI (ECMA-48, 5.4): parameters, intermediates, one final character.
fn skip_control_sequence(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| matches!(c, '0'..='?')).is_some() {}
    while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// After OSC, DCS, SOS, PM or APC: everything to BEL or ST. Without an end only the introducer goes, so that no
/// sender can make the rest of a message vanish.
///
/// `endless` remembers that no end is left in the text, or 64 KiB of introducers would each search to its end.
fn skip_string(chars: &mut Peekable<Chars<'_>>, endless: &mut bool) {
    if *endless {
        return;
    }
    let mut ahead = chars.clone();
    while let Some(char) = ahead.next() {
        let ends = match char {
            '\u{7}' | '\u{9c}' => true,
            '\u{1b}' => ahead.next_if_eq(&'\\').is_some(),
            _ => false,
        };
        if ends {
            *chars = ahead;
            return;
        }
    }
    *endless = true;
}

/// One line, with the embeddings and isolates that are properly nested and closed.
fn paired(line: &str) -> String {
    let mut keep: Vec<(char, bool)> = Vec::with_capacity(line.len());
    let mut open: Vec<usize> = Vec::new();
    let mut isolates = 0_usize;
    for char in line.chars() {
        let position = keep.len();
        let closed = match char {
            '\u{202a}' | '\u{202b}' | '\u{2066}'..='\u{2068}' => {
                isolates += usize::from(is_isolate(char));
                open.push(position);
                keep.push((char, false));
                continue;
            }
            '\u{202c}' => innermost_embedding(&keep, &mut open),
            // Only when one is open: a search among 64 KiB of embeddings for what is not there would be slow.
            '\u{2069}' if isolates == 0 => None,
            '\u{2069}' => {
                isolates -= 1;
                innermost_isolate(&keep, &mut open)
            }
            _ => {
                keep.push((char, true));
                continue;
            }
        };
        if let Some(opened) = closed {
            if let Some((_, kept)) = keep.get_mut(opened) {
                *kept = true;
            }
            keep.push((char, true));
        }
    }
    keep.into_iter().filter_map(|(char, kept)| kept.then_some(char)).collect()
}

/// PDF closes the innermost open mark if that is an embedding; inside an isolate it closes nothing.
fn innermost_embedding(keep: &[(char, bool)], open: &mut Vec<usize>) -> Option<usize> {
    let (char, _) = keep.get(*open.last()?)?;
    matches!(char, '\u{202a}' | '\u{202b}').then(|| open.pop()).flatten()
}

/// PDI closes the innermost isolate; embeddings left open inside it end with it (UAX #9, X6a).
fn innermost_isolate(keep: &[(char, bool)], open: &mut Vec<usize>) -> Option<usize> {
    let opens = |at: &usize| keep.get(*at).is_some_and(|(char, _)| is_isolate(*char));
    let place = open.iter().rposition(opens)?;
    let opened = open.get(place).copied();
    open.truncate(place);
    opened
}

fn is_isolate(char: char) -> bool {
    matches!(char, '\u{2066}'..='\u{2068}')
}
