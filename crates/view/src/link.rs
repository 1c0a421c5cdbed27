// SPDX-License-Identifier: AGPL-3.0-or-later
//! Links in a message's text, for interfaces that may make them clickable.
//!
//! `https` alone, with the punctuation of the sentence left outside. Whose text it is the caller
//! knows: a stranger's is not given to this. Spec: `docs/book/threat-model.md`, "A stranger".

use linkify::{LinkFinder, LinkKind};

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Shown as it is.
    Text(&'a str),
    /// An `https` address, as written.
    Link(&'a str),
}

/// Cuts a text into what is a link and what is not. Together the pieces are the text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut pieces = Vec::new();
    let mut shown = 0;
    for link in finder.links(text) {
        let address = link.as_str().trim_end_matches(CLOSING);
        if !is_https(address) {
            continue;
        }
        let before = text.get(shown..link.start()).unwrap_or_default();
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Link(address));
        shown = link.start() + address.len();
    }
    let rest = text.get(shown..).unwrap_or_default();
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Closing marks of other scripts than the finder's own.
const CLOSING: [char; 20] = [
    '“', '”', '‘', '’', '«', '»', '‹', '›', '…', '،', '؛', '؟', '。', '、', '！', '？', '）', '」',
    '』', '》',
];

fn is_https(address: &str) -> bool {
    let Some(rest) = address.get(8..) else { return false };
    let scheme = address.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    // What cannot be seen, and what turns the reading direction, has no place in an address.
    let plain = !rest.chars().any(|c| c.is_control() || is_invisible(c));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    scheme && plain && !host.is_empty() && !host.contains('@')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        let links = pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Link(address) => Some(address),
            Piece::Text(_) => None,
        });
        links.collect()
    }

    #[test]
    fn only_https_becomes_a_link_and_punctuation_stays_outside() {
        let a = "https://a.example";
        let one: &[(&str, &str)] = &[
            ("https://a.example", a),
            ("see https://a.example", a),
            ("https://a.example.", a),
            ("https://a.example,", a),
            ("https://a.example!", a),
            ("https://a.example?", a),
            ("https://a.example:", a),
            ("https://a.example;", a),
            ("(https://a.example)", a),
            ("[https://a.example]", a),
            ("<https://a.example>", a),
            ("\"https://a.example\"", a),
            ("'https://a.example'", a),
            ("“https://a.example”", a),
            ("https://a.example…", a),
            ("https://a.example\nnext", a),
            ("https://a.example\tnext", a),
            ("https://a.example next", a),
            ("**https://a.example**", a),
            ("https://a.example).", a),
            ("HTTPS://A.EXAMPLE", "HTTPS://A.EXAMPLE"),
            ("https://a.example/", "https://a.example/"),
            ("https://a.example/b.", "https://a.example/b"),
            ("https://a.example/b_(c)", "https://a.example/b_(c)"),
            ("(https://a.example/b_(c))", "https://a.example/b_(c)"),
            ("https://a.example/b?c=d&e=f", "https://a.example/b?c=d&e=f"),
            ("https://a.example/b#c", "https://a.example/b#c"),
            ("https://a.example:8443/b", "https://a.example:8443/b"),
            ("https://a.example/b,c", "https://a.example/b,c"),
            ("https://a.example/b;c", "https://a.example/b;c"),
            ("https://a.example/~b", "https://a.example/~b"),
            ("https://a.example/%20", "https://a.example/%20"),
            ("https://a.example/ä", "https://a.example/ä"),
            ("https://bücher.example", "https://bücher.example"),
            ("https://例え.example/道", "https://例え.example/道"),
            ("https://192.0.2.1/x", "https://192.0.2.1/x"),
            ("https://a.example/b-", "https://a.example/b-"),
            ("مرحبا https://a.example", a),
            ("😀https://a.example", a),
        ];
        for (text, link) in one {
            assert_eq!(links(text), [*link], "{text}");
        }
        let none = [
            "",
            "a.example",
            "www.a.example",
            "http://a.example",
            "ftp://a.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "mailto:a@a.example",
            "a@a.example",
            "https://",
            "https:// a",
            "https:/a.example",
            "https//a.example",
            "https:a.example",
            "https://user@a.example",
            "https://user:pass@a.example",
            "https://\u{202e}elpmaxe.a",
            "https://a.example/\u{200b}b",
            "blob:https",
            "tel:+4912345",
            "//a.example",
        ];
        for text in none {
            assert!(links(text).is_empty(), "{text}");
        }
        assert_eq!(links("https://a.example and https://b.example"), [a, "https://b.example"]);
    }

    #[test]
    fn the_pieces_together_are_the_text() {
        for text in ["", "a", "a https://a.example b http://c.example d@e.example.", "http://x y"] {
            let whole: String = pieces(text)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) | Piece::Link(text) => text,
                })
                .collect();
            assert_eq!(whole, text);
        }
        assert_eq!(pieces("a http://b.example c").len(), 1);
    }
}
