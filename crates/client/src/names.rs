// SPDX-License-Identifier: AGPL-3.0-or-later
//! Names and titles that others gave themselves: as they may be kept, and when two look the same.
//!
//! Spec: `docs/book/threat-model.md`, "A stranger".

use nodoor_view::text::{Lines, for_terminal};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A name or title as it may be kept: one line that turns nothing around it, at most `limit` characters, and not
/// begun like a handle, which only the directory gives. Empty if nothing of it would be seen.
pub(crate) fn tidy(name: &str, limit: usize) -> String {
    let line: String = for_terminal(name, Lines::Join).chars().take(limit).collect();
    let begins = |c: char| is_unseen(c) || is_combining_mark(c) || matches!(c, '@' | '＠' | '﹫');
    // Cut off, a mark may have lost its other half.
    let line = for_terminal(line.trim_start_matches(begins), Lines::Join);
    line.trim().to_owned()
}

/// The same for two titles that a person may take for each other: without case, spaces, compatibility forms and what
/// is not seen, letters of Cyrillic and Greek as the Latin ones they are drawn like. Two letters of one script that
/// are alike (I and l) stay two.
pub(crate) fn skeleton(title: &str) -> String {
    title
        .nfkc()
        .filter(|c| !is_unseen(*c))
        .map(drawn_like)
        .flat_map(char::to_lowercase)
        .nfc()
        .collect()
}

/// Characters that show nothing: spaces, and what fonts are told to leave out (`Default_Ignorable_Code_Point`).
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    ) || c.is_whitespace()
}

/// The Latin letter that one of another script is drawn like, in capitals or not; else itself.
const fn drawn_like(c: char) -> char {
    match c {
        'А' | 'а' | 'Α' | 'α' => 'a',
        'В' | 'в' | 'Β' | 'β' => 'b',
        'С' | 'с' | 'Ϲ' | 'ϲ' => 'c',
        'Ԁ' | 'ԁ' => 'd',
        'Е' | 'е' | 'Ε' | 'ε' => 'e',
        'Н' | 'н' | 'Η' | 'η' | 'Һ' | 'һ' => 'h',
        'І' | 'і' | 'Ӏ' | 'ӏ' | 'Ι' | 'ι' => 'i',
        'Ј' | 'ј' | 'Ϳ' | 'ϳ' => 'j',
        'К' | 'к' | 'Κ' | 'κ' => 'k',
        'М' | 'м' | 'Μ' | 'μ' => 'm',
        'Ν' => 'n',
        'О' | 'о' | 'Ο' | 'ο' | 'ό' => 'o',
        'Р' | 'р' | 'Ρ' | 'ρ' => 'p',
        'Ԛ' | 'ԛ' => 'q',
        'Ѕ' | 'ѕ' => 's',
        'Т' | 'т' | 'Τ' | 'τ' => 't',
        'ν' | 'Ѵ' | 'ѵ' => 'v',
        'Ԝ' | 'ԝ' => 'w',
        'Х' | 'х' | 'Χ' | 'χ' => 'x',
        'У' | 'у' | 'Υ' | 'υ' | 'Ү' | 'ү' => 'y',
        'Ζ' | 'ζ' => 'z',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{skeleton, tidy};

    #[test]
    fn a_name_turns_nothing_and_is_no_handle() {
        for (name, kept) in [
            ("Anna", "Anna"),
            ("  Anna \n Maria ", "Anna   Maria"),
            ("Anna\u{2069}\u{202e} sdrawkcab", "Anna sdrawkcab"),
            ("\u{2067}Anna\u{2069}", "Anna"),
            ("Anna \u{2067}اهلا\u{2069}", "Anna \u{2067}اهلا\u{2069}"),
            ("@bob", "bob"),
            ("\u{200b} @@bob", "bob"),
            ("＠bob", "bob"),
            ("a@b", "a@b"),
            ("👩\u{200d}🌾", "👩\u{200d}🌾"),
            ("\u{200b}\u{3164}\u{2800} \u{e0041}", ""),
            ("\u{301}", ""),
            ("@", ""),
        ] {
            assert_eq!(tidy(name, 60), kept, "{name:?}");
            assert_eq!(tidy(&tidy(name, 60), 60), kept, "{name:?}");
        }
        assert_eq!(tidy("12345", 3), "123");
        // Cut between the two halves.
        assert_eq!(tidy("12\u{2067}45\u{2069}", 4), "124");
    }

    #[test]
    fn titles_that_look_the_same_are_the_same() {
        for other in [
            "garden club",
            "Garden\u{200b} Club",
            "Ｇarden Club",
            "Gаrdеn Club",
            "Garden  Club\u{e0020}",
            "Gαrdεn Club",
            "GardenClub",
        ] {
            assert_eq!(skeleton("Garden Club"), skeleton(other), "{other:?}");
        }
        assert_eq!(skeleton("Café"), skeleton("Cafe\u{301}"));
        assert_eq!(skeleton("НЕТ"), skeleton("нет"));
        assert_ne!(skeleton("Garden Club"), skeleton("Garden Clubs"));
        assert_ne!(skeleton("Cafe"), skeleton("Café"));
    }
}
