// SPDX-License-Identifier: AGPL-3.0-or-later
//! A field one types into: the composer, and the fields of dialogs. The cursor stands between graphemes.

use nodoor_view::text::{Lines, for_terminal};
use unicode_segmentation::UnicodeSegmentation;

use super::wrap::{width as measure, wrap};

/// Text and where the cursor stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Field {
    before: String,
    after: String,
}

impl Field {
    /// A field with text, the cursor at its end.
    pub(super) fn new(text: &str) -> Self {
        Self { before: text.to_owned(), after: String::new() }
    }

    pub(super) fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    pub(super) fn insert(&mut self, char: char) {
        self.before.push(char);
    }

    /// What was pasted, with its line breaks and without anything a terminal obeys.
    pub(super) fn paste(&mut self, text: &str, lines: Lines) {
        self.before.push_str(&for_terminal(text, lines));
    }

    pub(super) fn backspace(&mut self) {
        take_last(&mut self.before);
    }

    pub(super) fn delete(&mut self) {
        take_first(&mut self.after);
    }

    pub(super) fn left(&mut self) {
        if let Some(grapheme) = take_last(&mut self.before) {
            self.after.insert_str(0, &grapheme);
        }
    }

    pub(super) fn right(&mut self) {
        if let Some(grapheme) = take_first(&mut self.after) {
            self.before.push_str(&grapheme);
        }
    }

    /// To the start of the line.
    pub(super) fn home(&mut self) {
        while !self.before.is_empty() && !self.before.ends_with('\n') {
            self.left();
        }
    }

    /// To the end of the line.
    pub(super) fn end(&mut self) {
        while !self.after.is_empty() && !self.after.starts_with('\n') {
            self.right();
        }
    }

    /// To the same column of the line above. False if there is none.
    pub(super) fn up(&mut self) -> bool {
        if !self.before.contains('\n') {
            return false;
        }
        let column = self.column();
        self.home();
        self.left();
        self.home();
        self.move_to_column(column);
        true
    }

    /// To the same column of the line below. False if there is none.
    pub(super) fn down(&mut self) -> bool {
        if !self.after.contains('\n') {
            return false;
        }
        let column = self.column();
        self.end();
        self.right();
        self.move_to_column(column);
        true
    }

    /// Deletes the word before the cursor.
    pub(super) fn delete_word(&mut self) {
        while self.before.ends_with(' ') {
            self.backspace();
        }
        while !self.before.is_empty() && !self.before.ends_with([' ', '\n']) {
            self.backspace();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The text in lines of `width` cells, and the cursor's line and column in them.
    pub(super) fn drawn(&self, width: usize) -> (Vec<String>, usize, usize) {
        // A mark stands where the cursor is, so that both are broken alike.
        let lines = wrap(&self.text(), width);
        let mut line = wrap(&self.before, width).len().saturating_sub(1);
        let last = self.before.rsplit('\n').next().unwrap_or_default();
        let mut column = wrap(last, width).last().map_or(0, |line| measure(line));
        column += last.len() - last.trim_end_matches(' ').len();
        if column >= width {
            line += 1;
            column = 0;
        }
        (lines, line, column)
    }

    fn column(&self) -> usize {
        let line = self.before.rsplit('\n').next().unwrap_or_default();
        line.graphemes(true).count()
    }

    fn move_to_column(&mut self, column: usize) {
        for _ in 0..column {
            if self.after.starts_with('\n') {
                return;
            }
            self.right();
        }
    }
}

fn take_last(text: &mut String) -> Option<String> {
    let grapheme = text.graphemes(true).next_back()?.to_owned();
    text.truncate(text.len() - grapheme.len());
    Some(grapheme)
}

fn take_first(text: &mut String) -> Option<String> {
    let grapheme = text.graphemes(true).next()?.to_owned();
    text.drain(..grapheme.len());
    Some(grapheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_moves_by_what_a_person_sees() {
        let mut field = Field::new("a👩🏽‍🚀e\u{301}");
        field.left();
        field.left();
        field.backspace();
        assert_eq!(field.text(), "👩🏽‍🚀e\u{301}");
        field.delete();
        assert_eq!(field.text(), "e\u{301}");
    }

    #[test]
    fn up_and_down_keep_the_column() {
        let mut field = Field::new("first line\nno\nthird line");
        assert!(field.up());
        assert!(field.up());
        field.insert('|');
        assert_eq!(field.text(), "fi|rst line\nno\nthird line");
        assert!(!field.up());
        assert!(field.down() && field.down() && !field.down());
    }

    #[test]
    fn a_paste_keeps_its_lines_and_obeys_nothing() {
        let mut field = Field::default();
        field.paste("one\r\ntwo\u{1b}[31m", Lines::Keep);
        assert_eq!(field.text(), "one\ntwo");
        field.paste("\nthree", Lines::Join);
        assert_eq!(field.text(), "one\ntwo three");
        field.delete_word();
        assert_eq!(field.text(), "one\ntwo ");
    }

    #[test]
    fn the_cursor_is_drawn_after_spaces_and_on_the_next_line_when_full() {
        assert_eq!(Field::new("ab ").drawn(10).1, 0);
        assert_eq!(Field::new("ab ").drawn(10).2, 3);
        assert_eq!(Field::new("abcd").drawn(4), (vec!["abcd".to_owned()], 1, 0));
        assert_eq!(Field::new("a\n").drawn(4).1, 1);
    }
}
