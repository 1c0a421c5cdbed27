// SPDX-License-Identifier: AGPL-3.0-or-later
//! Reads Rust source for what the pure packages must not contain: conditions on the target, and clocks, random
//! sources and I/O of their own. A word is looked for in code: not in comments, texts or tests.

/// Parts of `std` that fetch what must be passed in.
const STD: &[&str] = &["time", "fs", "net", "env", "process", "thread"];
/// Words that fetch it under another name. `cfg` stands for a condition on the target.
const WORDS: &[&str] = &[
    "cfg",
    "cfg_attr",
    "cfg_if",
    "SystemTime",
    "Instant",
    "getrandom",
    "thread_rng",
    "OsRng",
    "SysRng",
    "RandomState",
    "wasm_bindgen",
    "js_sys",
    "web_sys",
];

/// Each forbidden word of the code outside tests, with its line, counted from 1.
pub(super) fn impurities(text: &str) -> Vec<(usize, String)> {
    let tokens = without_tests(&tokens(text));
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if WORDS.contains(&token.text.as_str()) {
            found.push((token.line, token.text.clone()));
        }
        if token.text == "std" {
            let used = std_parts(tokens.get(at + 1..).unwrap_or_default());
            let fetched = used.into_iter().filter(|(_, part)| STD.contains(&part.as_str()));
            found.extend(fetched.map(|(line, part)| (line, format!("std::{part}"))));
        }
    }
    found
}

/// A word or one other character that is not white space.
#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// The parts of `std` named after the word `std`: `::a…` or `::{a…, b…}`.
fn std_parts(after: &[Token]) -> Vec<(usize, String)> {
    let is = |at: usize, text: &str| after.get(at).is_some_and(|token| token.text == text);
    if !(is(0, ":") && is(1, ":")) {
        return Vec::new();
    }
    if !is(2, "{") {
        return after.get(2).map(|token| (token.line, token.text.clone())).into_iter().collect();
    }
    let (mut parts, mut depth, mut first) = (Vec::new(), 0_usize, false);
    for token in after.iter().skip(2) {
        match token.text.as_str() {
            "{" => {
                depth += 1;
                first = depth == 1;
            }
            "}" => depth = depth.saturating_sub(1),
            "," => first = depth == 1,
            _ if first => {
                parts.push((token.line, token.text.clone()));
                first = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    parts
}

/// Whether `mod tests;` stands there, under `#[cfg(test)]`.
pub(super) fn keeps_tests_apart(text: &str) -> bool {
    const APART: [&str; 10] = ["#", "[", "cfg", "(", "test", ")", "]", "mod", "tests", ";"];
    tokens(text)
        .windows(APART.len())
        .any(|window| APART.iter().zip(window).all(|(wanted, token)| token.text == *wanted))
}

/// Leaves out every item under `#[cfg(test)]`, up to its closing brace or semicolon.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        let is_test = rest.len() >= TEST.len() && TEST.iter().zip(rest).all(|(a, b)| b.text == *a);
        if !is_test {
            kept.push(token.clone());
            rest = after;
            continue;
        }
        let (mut depth, mut length) = (0_usize, rest.len());
        for (at, token) in rest.iter().enumerate().skip(TEST.len()) {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(token.text.as_str(), "}" | ";") {
                length = at + 1;
                break;
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    kept
}

/// The words and signs of the code; comments, texts and characters are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |place: usize| chars.get(place).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut tokens, mut place, mut line) = (Vec::new(), 0, 1);
    while place < chars.len() {
        let start = place;
        let raw = raw_text_length(&chars, place);
        if at(place) == '/' && at(place + 1) == '/' {
            while place < chars.len() && at(place) != '\n' {
                place += 1;
            }
        } else if at(place) == '/' && at(place + 1) == '*' {
            let mut depth = 0_usize;
            while place < chars.len() {
                match (at(place), at(place + 1)) {
                    ('/', '*') => (depth, place) = (depth + 1, place + 2),
                    ('*', '/') => (depth, place) = (depth.saturating_sub(1), place + 2),
                    _ => place += 1,
                }
                if depth == 0 {
                    break;
                }
            }
        } else if raw > 0 {
            place += raw;
        } else if at(place) == '"' {
            place += 1;
            while place < chars.len() && at(place) != '"' {
                place += if at(place) == '\\' { 2 } else { 1 };
            }
            place += 1;
        } else if at(place) == '\'' && (at(place + 1) == '\\' || at(place + 2) == '\'') {
            // A character. Anything else behind a quote is a lifetime: the quote is a sign, its name a word.
            place += if at(place + 1) == '\\' { 3 } else { 2 };
            while place < chars.len() && at(place) != '\'' {
                place += 1;
            }
            place += 1;
        } else if is_word(at(place)) {
            while is_word(at(place)) {
                place += 1;
            }
            let text = chars.get(start..place).unwrap_or_default().iter().collect();
            tokens.push(Token { text, line });
        } else {
            if !at(place).is_whitespace() {
                tokens.push(Token { text: at(place).to_string(), line });
            }
            place += 1;
        }
        let passed = chars.get(start..place.min(chars.len())).unwrap_or_default();
        line += passed.iter().filter(|c| **c == '\n').count();
    }
    tokens
}

/// The length of a raw text (`r"…"`, `br#"…"#`) that begins here; 0 if none does.
fn raw_text_length(chars: &[char], start: usize) -> usize {
    let at = |place: usize| chars.get(place).copied().unwrap_or('\0');
    let before = start.checked_sub(1).map_or('\0', at);
    if before.is_alphanumeric() || before == '_' {
        return 0;
    }
    let mut place = start;
    while matches!(at(place), 'b' | 'c') && place < start + 1 {
        place += 1;
    }
    if at(place) != 'r' {
        return 0;
    }
    place += 1;
    let marks_at = place;
    while at(place) == '#' {
        place += 1;
    }
    let marks = place - marks_at;
    if at(place) != '"' {
        return 0;
    }
    place += 1;
    while place < chars.len() {
        if at(place) == '"' && (0..marks).all(|mark| at(place + 1 + mark) == '#') {
            return place + 1 + marks - start;
        }
        place += 1;
    }
    chars.len() - start
}
