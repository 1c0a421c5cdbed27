// SPDX-License-Identifier: AGPL-3.0-or-later
use nodoor_view::text::{Lines, for_terminal};
use proptest::prelude::*;

/// What is sent, and what a terminal gets.
const ATTACKS: [(&str, &str); 36] = [
    // Colours, cursor, screen.
    ("\u{1b}[31mred\u{1b}[0m", "red"),
    ("\u{1b}[2J\u{1b}[Hgone", "gone"),
    ("\u{1b}[?1049hother screen", "other screen"),
    ("\u{1b}[38;2;255;0;0mx", "x"),
    ("\u{9b}31mred", "red"),
    ("\u{1b}[", ""),
    ("\u{1b}[31", ""),
    ("\u{1b}", ""),
    ("a\u{1b}", "a"),
    // Title, clipboard (OSC 52), links (OSC 8), colours asked back.
    ("\u{1b}]0;owned\u{7}hi", "hi"),
    ("\u{1b}]2;owned\u{1b}\\hi", "hi"),
    ("\u{1b}]52;c;cm0gLXJmIH4=\u{7}hi", "hi"),
    ("\u{1b}]8;;https://evil.example\u{1b}\\bank\u{1b}]8;;\u{1b}\\", "bank"),
    ("\u{9d}0;owned\u{9c}hi", "hi"),
    ("\u{1b}]11;?\u{7}", ""),
    // Device control, privacy message, application command, start of string.
    ("\u{1b}P$q\"p\u{1b}\\x", "x"),
    ("\u{90}q#0\u{9c}x", "x"),
    ("\u{1b}^secret\u{1b}\\x", "x"),
    ("\u{1b}_Gf=100;AAAA\u{1b}\\x", "x"),
    ("\u{1b}Xx\u{1b}\\y", "y"),
    // A string that never ends does not swallow the rest.
    ("\u{1b}]0;the rest is shown", "0;the rest is shown"),
    ("\u{1b}Pshown", "shown"),
    // Reset, character sets, keypad.
    ("\u{1b}cx", "x"),
    ("\u{1b}(0lqk", "lqk"),
    ("\u{1b}=x", "x"),
    ("\u{1b}#8x", "x"),
    // C0 and C1 alone.
    ("ding\u{7}\u{8}\u{8}dong", "dingdong"),
    ("over\rwrite", "over write"),
    ("nul\0 del\u{7f} shift\u{e}\u{f}", "nul del shift"),
    ("\u{84}\u{85}\u{8e}x", " x"),
    // Bidi.
    ("photo\u{202e}gpj.exe", "photogpj.exe"),
    ("\u{202e}abc\u{202c}", "abc"),
    ("open\u{2067}ed", "opened"),
    ("clo\u{2069}sed\u{202c}", "closed"),
    ("\u{2066}kept\u{2069}", "\u{2066}kept\u{2069}"),
    // Crossed: neither is properly nested but the inner embedding's isolate closes itself.
    ("\u{2066}a\u{202b}b\u{2069}c\u{202c}", "\u{2066}ab\u{2069}c"),
];

#[test]
fn attacks_do_nothing_and_the_rest_is_shown() {
    for (sent, shown) in ATTACKS {
        assert_eq!(for_terminal(sent, Lines::Join), shown, "{sent:?}");
    }
}

#[test]
fn ordinary_writing_in_any_script_is_untouched() {
    for text in [
        "Morning! Still on?",
        "مرحبا بك",
        "שלום \u{200f}abc",
        "日本語のテキスト",
        "👩🏽‍🚀 🏳️‍🌈 🇩🇪",
        "e\u{301}",
        "naïve – “quoted” … € 1 000",
        "नमस्ते",
    ] {
        assert_eq!(for_terminal(text, Lines::Join), text);
    }
}

#[test]
fn line_breaks_are_kept_only_where_asked() {
    let text = "one\r\ntwo\rthree\nfour\u{2028}five";
    assert_eq!(for_terminal(text, Lines::Join), "one two three four five");
    assert_eq!(for_terminal(text, Lines::Keep), "one\ntwo\nthree\nfour\nfive");
}

#[test]
fn a_mark_open_on_one_line_does_not_reach_the_next() {
    assert_eq!(for_terminal("a\u{2067}b\nc\u{2069}d", Lines::Keep), "ab\ncd");
}

/// Ordinary characters with those that do harm among them.
fn hostile() -> impl Strategy<Value = String> {
    let harmful = prop::sample::select(
        "\u{1b}\u{9b}\u{9d}\u{90}\u{9c}\u{7}\n\r\t[]0;m\\PX^_(c?\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{2028}"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(prop_oneof![3 => harmful, 1 => any::<char>()], 0..60)
        .prop_map(|chars| chars.into_iter().collect())
}

#[test]
fn a_long_text_of_openings_takes_no_longer_than_another() {
    // Found while fuzzing: a search for each opening's end made these texts cost the square of their length. This
    // one would then not end within the hour.
    for opening in ["\u{1b}]", "\u{9d}", "\u{202a}\u{2069}", "\u{2066}", "\u{1b}[0"] {
        let clean = for_terminal(&opening.repeat(500_000), Lines::Join);
        assert!(!clean.contains('\u{1b}'), "{opening:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_that_a_terminal_obeys_comes_out(text in hostile()) {
        for lines in [Lines::Join, Lines::Keep] {
            let clean = for_terminal(&text, lines);
            let allowed = |c: char| !c.is_control() || (c == '\n' && lines == Lines::Keep);
            prop_assert!(clean.chars().all(allowed), "{clean:?}");
            for line in clean.split('\n') {
                let mut open = Vec::new();
                for char in line.chars() {
                    match char {
                        '\u{202a}' | '\u{202b}' => open.push('\u{202c}'),
                        '\u{2066}'..='\u{2068}' => open.push('\u{2069}'),
                        '\u{202c}' | '\u{2069}' => prop_assert_eq!(open.pop(), Some(char)),
                        '\u{202d}' | '\u{202e}' => prop_assert!(false, "an override"),
                        _ => {}
                    }
                }
                prop_assert!(open.is_empty());
            }
            prop_assert_eq!(for_terminal(&clean, lines), clean);
        }
    }

    #[test]
    fn letters_are_never_lost(text in "[a-zA-Z0-9 äöüß]{0,40}") {
        prop_assert_eq!(for_terminal(&text, Lines::Join), text);
    }
}
