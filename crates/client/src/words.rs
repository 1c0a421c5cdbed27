// SPDX-License-Identifier: AGPL-3.0-or-later
//! Words of a text as they are looked for: without case, accents and what else a person leaves out when typing.
//!
//! The same function makes what is stored and what is asked, so the index needs no knowledge of scripts. Letters are taken
//! apart (NFKD) and lose the marks above and below; Arabic letters lose vowel marks, the stroke of lengthening and the
//! forms of alef. Scripts that put no space between words (Chinese, Japanese, Thai, ...), and emoji, are one word a
//! character; what is asked in them must stand side by side. Of everything else the beginning of a word is enough; an
//! Arabic word counts without its article, too.
//!
//! Decision 0022.

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class};

/// Characters of a word that count.
const LONGEST: usize = 48;
/// Words of a text that count.
const MOST: usize = 4_000;
/// Words of a question that count.
const ASKED: usize = 12;

/// A part of what is looked for. Folded as [`folded`] folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A word begins so.
    Beginning(String),
    /// These stand side by side.
    Row(Vec<String>),
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    folded: String,
    /// Of a script without spaces: a word of its own, whatever stands beside it.
    alone: bool,
    /// Where it ends in the text after each character of `folded`, and where it begins.
    begins: usize,
    ends: Vec<usize>,
}

/// The words of a text, one space between, to be stored.
#[must_use]
pub fn folded(text: &str) -> String {
    let words = words(text);
    let mut all = String::with_capacity(text.len());
    for word in &words {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&word.folded);
    }
    // At the end, where they part no words that stand side by side.
    for stem in words.iter().filter_map(|word| without_article(&word.folded)) {
        all.push(' ');
        all.push_str(stem);
    }
    all
}

/// What is asked by a text. Empty if there is no letter and no digit in it.
#[must_use]
pub fn asked(text: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    let mut end = None;
    for word in words(text).into_iter().take(ASKED) {
        let beside = end == Some(word.begins);
        end = word.ends.last().copied();
        match terms.last_mut() {
            Some(Term::Row(row)) if word.alone && beside => row.push(word.folded),
            _ if word.alone => terms.push(Term::Row(vec![word.folded])),
            _ => terms.push(Term::Beginning(word.folded)),
        }
    }
    terms
}

/// Whether stored words hold all of these: what a store answers.
#[must_use]
pub fn hold(stored: &str, terms: &[Term]) -> bool {
    terms.iter().all(|term| match term {
        Term::Beginning(word) => stored.split(' ').any(|one| one.starts_with(word.as_str())),
        Term::Row(row) => {
            let all: Vec<&str> = stored.split(' ').collect();
            all.windows(row.len().max(1)).any(|some| some.iter().eq(row.iter()))
        }
    })
}

/// Where a text has what is asked, in bytes, in order, none over another.
#[must_use]
pub fn places(text: &str, terms: &[Term]) -> Vec<Range<usize>> {
    let words = words(text);
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let hit = terms.iter().filter_map(|term| match term {
            Term::Beginning(asked) => {
                let skipped = match word.folded.starts_with(asked.as_str()) {
                    true => 0,
                    false => {
                        let stem = without_article(&word.folded);
                        let stem = stem.filter(|stem| stem.starts_with(asked.as_str()))?;
                        word.folded.chars().count() - stem.chars().count()
                    }
                };
                word.ends.get((skipped + asked.chars().count()).checked_sub(1)?).copied()
            }
            Term::Row(row) => {
                let some = words.get(at..at + row.len())?;
                let same = some.iter().map(|one| &one.folded).eq(row.iter());
                some.last().filter(|_| same)?.ends.last().copied()
            }
        });
        if let Some(end) = hit.max()
            && found.last().is_none_or(|last| last.end <= word.begins)
        {
            found.push(word.begins..end);
        }
    }
    found
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, letter) in text.char_indices() {
        if is_nothing(letter) {
            continue;
        }
        let end = at + letter.len_utf8();
        let alone = stands_alone(letter);
        let mut any = false;
        for part in std::iter::once(letter).nfkd() {
            let class = canonical_combining_class(part);
            if class >= 10 {
                // A mark of the letter before, or of nothing.
                any = true;
                continue;
            }
            let continues = class > 0 || unicode_normalization::char::is_combining_mark(part);
            if !(part.is_alphanumeric() || alone || continues && open) {
                continue;
            }
            any = true;
            if !open || alone && !continues {
                if words.len() >= MOST {
                    return words;
                }
                words.push(Word { folded: String::new(), alone, begins: at, ends: Vec::new() });
                open = true;
            }
            if let Some(word) = words.last_mut() {
                for small in part.to_lowercase().map(same_letter) {
                    let marked = canonical_combining_class(small) >= 10;
                    if !marked && word.ends.len() < LONGEST {
                        word.folded.push(small);
                        word.ends.push(end);
                    }
                }
            }
        }
        // The next letter after one that stands alone begins a word.
        open = open && any && !alone;
    }
    words.retain(|word| !word.folded.is_empty());
    words
}

/// Letters that people type one for the other.
const fn same_letter(letter: char) -> char {
    match letter {
        'ς' => 'σ',
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ى' | 'ی' => 'ي',
        'ة' => 'ه',
        'ٱ' => 'ا',
        'ک' => 'ك',
        '\u{660}'..='\u{669}' => digit(letter, 0x660),
        '\u{6F0}'..='\u{6F9}' => digit(letter, 0x6F0),
        _ => letter,
    }
}

const fn digit(letter: char, zero: u32) -> char {
    match char::from_digit(letter as u32 - zero, 10) {
        Some(digit) => digit,
        None => letter,
    }
}

/// Joiners, the soft hyphen, direction marks, the Arabic stroke of lengthening.
const fn is_nothing(letter: char) -> bool {
    matches!(letter, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{640}')
}

/// Scripts without spaces, and pictures.
const fn stands_alone(letter: char) -> bool {
    matches!(letter,
        '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{2600}'..='\u{27BF}'
        | '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{30FA}'
        | '\u{30FC}'..='\u{312F}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9D}' | '\u{1F000}'..='\u{1FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// An Arabic word without its article, if at least two letters are left.
fn without_article(word: &str) -> Option<&str> {
    const ARTICLES: [&str; 5] = ["ال", "وال", "بال", "فال", "كال"];
    let stem = ARTICLES.iter().find_map(|article| word.strip_prefix(article))?;
    (stem.chars().count() > 1).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(text: &str, question: &str) -> bool {
        let terms = asked(question);
        assert!(!terms.is_empty(), "{question}");
        let stored = hold(&folded(text), &terms);
        assert_eq!(stored, !places(text, &terms).is_empty() && stored, "{text}: {question}");
        stored
    }

    #[test]
    fn the_beginning_of_a_word_is_enough_in_any_case_and_with_any_accent() {
        for (text, question) in [
            ("See you at the Café tomorrow", "cafe tom"),
            ("straße", "STRAß"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("Łódź", "lodz"),
            ("İstanbul'da", "istanbul"),
            ("Привет, мир", "МИР"),
            ("한국어 문장", "한국"),
            ("한국어 문장", "하"),
            ("e\u{301}cole", "école"),
            ("it's 2026-11-23", "11"),
            ("ﬁne", "fin"),
        ] {
            assert!(finds(text, question), "{text}: {question}");
        }
        for (text, question) in [("tomorrow", "orrow"), ("cafe", "cafes"), ("a b", "a c")] {
            assert!(!finds(text, question), "{text}: {question}");
        }
    }

    #[test]
    fn arabic_is_found_with_and_without_its_marks_and_article() {
        for (text, question) in [
            ("قَرَأتُ الكِتابَ أمس", "كتاب"),
            ("الكتاب", "الكتاب"),
            ("كتـــاب", "كتاب"),
            ("مدرسة", "مدرسه"),
            ("إلى", "الي"),
            ("غرفة ٤٢", "42"),
        ] {
            assert!(finds(text, question), "{text}: {question}");
        }
    }

    #[test]
    fn scripts_without_spaces_are_found_anywhere_and_side_by_side() {
        for (text, question) in [
            ("我们明天在北京见面", "北京"),
            ("我们明天在北京见面", "京"),
            ("我的iPhone手机", "手机"),
            ("我的iPhone手机", "iph"),
            ("東京で会いましょう", "会い"),
            ("สวัสดีครับ", "ครับ"),
            ("well done 👍🏽", "👍"),
        ] {
            assert!(finds(text, question), "{text}: {question}");
        }
        assert!(!finds("北方和南京", "北京"), "side by side");
    }

    #[test]
    fn what_was_found_is_marked_where_it_stands() {
        let text = "Café, CAFÉS and 北京见";
        let marked = |question: &str| {
            let ranges = places(text, &asked(question));
            ranges.into_iter().map(|range| text.get(range).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(marked("caf"), ["Caf", "CAF"]);
        assert_eq!(marked("café"), ["Café", "CAFÉ"]);
        assert_eq!(marked("京见"), ["京见"]);
        assert_eq!(marked("!?"), Vec::<&str>::new());
    }
}
