// SPDX-License-Identifier: AGPL-3.0-or-later
//! Text in cells: breaking it into lines, cutting it to a width. Widths are those of terminals (0, 1 or 2 a
//! grapheme), so that wide characters and marks end where they should.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Cells that a text takes: what its graphemes take one by one, as they are drawn. (A whole string may measure less, where
/// a font would join letters.)
pub(super) fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// Breaks text into lines of at most `most` cells, at spaces where there are any; a longer word is cut.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            let needed = width(word.trim_end_matches(' '));
            if used > 0 && used + needed > most {
                lines.push(finished(&mut line));
                used = 0;
            }
            if needed <= most {
                line.push_str(word);
                used += width(word);
                continue;
            }
            for grapheme in word.graphemes(true) {
                let cells = grapheme.width();
                if used + cells > most {
                    lines.push(finished(&mut line));
                    used = 0;
                }
                line.push_str(grapheme);
                used += cells;
            }
        }
        lines.push(finished(&mut line));
    }
    lines
}

/// At most `most` cells of a text; if something was cut, the last of them says so.
pub(super) fn cut(text: &str, most: usize, more: &str) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(width(more));
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used > room {
            break;
        }
        out.push_str(grapheme);
    }
    out.push_str(more);
    out
}

/// A text filled with spaces to `cells` cells.
pub(super) fn fill(text: &str, cells: usize) -> String {
    format!("{text}{}", " ".repeat(cells.saturating_sub(width(text))))
}

fn finished(line: &mut String) -> String {
    let whole = std::mem::take(line);
    whole.trim_end_matches(' ').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_are_cut() {
        assert_eq!(wrap("I can be there at 10.", 10), ["I can be", "there at", "10."]);
        assert_eq!(wrap(&"x".repeat(25), 10), ["x".repeat(10), "x".repeat(10), "x".repeat(5)]);
        assert_eq!(wrap("a\n\nb", 10), ["a", "", "b"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn wide_characters_count_two_and_are_never_split() {
        assert_eq!(wrap("日本語テキスト", 5), ["日本", "語テ", "キス", "ト"]);
        assert_eq!(wrap("👩🏽‍🚀👩🏽‍🚀👩🏽‍🚀", 4).concat(), "👩🏽‍🚀👩🏽‍🚀👩🏽‍🚀");
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("abc", 3, "…"), "abc");
        assert_eq!(fill("日", 4), "日  ");
    }

    #[test]
    fn no_line_is_wider_than_asked() {
        let text = format!(
            "{} {} e\u{301}e\u{301} {}",
            "y".repeat(33),
            "語".repeat(20),
            "لا يقرأ ".repeat(9)
        );
        for most in 2..40 {
            assert!(wrap(&text, most).iter().all(|line| width(line) <= most), "{most}");
        }
    }
}
