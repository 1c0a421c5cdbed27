// SPDX-License-Identifier: AGPL-3.0-or-later
//! Light formatting: what is a mark, what is text, and that nothing is lost.

use nodoor_view::rich::{
    Block, Run, Style, blocks, is_formatted, mentions, one_emoji, plain, typed, with_mentions,
};
use proptest::prelude::*;

const BEN: &str = "5f2c0000000000000000000000000091";

fn shown(text: &str) -> String {
    let style = |style: Style| {
        let marks =
            [(style.bold, 'b'), (style.italic, 'i'), (style.struck, 's'), (style.code, 'c')];
        marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect::<String>()
    };
    let runs = |runs: &[Run<'_>]| {
        let each = runs.iter().map(|run| match run {
            Run::Text(text, of) if *of == Style::default() => (*text).to_owned(),
            Run::Text(text, of) => format!("{}<{text}>", style(*of)),
            Run::Mention(account, called) => format!("@<{called}:{}>", &account[..4]),
        });
        each.collect::<String>()
    };
    let block = |block: &Block<'_>| match block {
        Block::Text(text) => runs(text),
        Block::Quote(lines) => {
            lines.iter().map(|line| format!("|{}", runs(line))).collect::<Vec<_>>().join("\n")
        }
        Block::Code(code) => format!("[{code}]"),
    };
    blocks(text).iter().map(block).collect::<Vec<_>>().join("/")
}

#[test]
fn marks_are_read_and_what_only_looks_like_one_is_text() {
    for (text, expected) in [
        ("plain", "plain"),
        ("**bold** and *italic* and _too_", "b<bold> and i<italic> and i<too>"),
        ("~~gone~~ `a*b*c`", "s<gone> c<a*b*c>"),
        ("**bold *and italic* too**", "b<bold >bi<and italic>b< too>"),
        ("snake_case_name 2*3*4 ~~ **", "snake_case_name 2*3*4 ~~ **"),
        ("* a list\n* of two", "* a list\n* of two"),
        ("a ** b ** c", "a ** b ** c"),
        ("*one\ntwo*", "*one\ntwo*"),
        ("# no heading <b>no</b> ![no](x)", "# no heading <b>no</b> ![no](x)"),
        ("[text](https://evil.example)", "[text](https://evil.example)"),
        ("> said\n> twice\nand I", "|said\n|twice/and I"),
        ("before\n```rust\nlet a = *b;\n```\nafter", "before/[let a = *b;]/after"),
        ("```\nnever closed", "```\nnever closed"),
        ("``` ```", "``` ```"),
        ("(*yes*), *yes*!", "(i<yes>), i<yes>!"),
        ("مرحبا **بك** هنا", "مرحبا b<بك> هنا"),
        ("", ""),
    ] {
        assert_eq!(shown(text), expected, "{text:?}");
    }
    let text = format!("hey [@ben](nodoor:account:{BEN})! [@x](nodoor:account:zz)");
    assert_eq!(shown(&text), "hey @<@ben:5f2c>! [@x](nodoor:account:zz)");
    assert_eq!(mentions(&text), [BEN]);
    assert_eq!(typed(&text), "hey @ben! [@x](nodoor:account:zz)");
    assert_eq!(plain(&text, &|_, _| "Ben".to_owned()), "hey Ben! [@x](nodoor:account:zz)");
}

#[test]
fn handles_become_mentions_outside_of_code() {
    let known = |handle: &str| (handle == "ben" || handle == "m.k").then(|| BEN.to_owned());
    let ben = format!("[@ben](nodoor:account:{BEN})");
    for (text, expected) in [
        ("@ben, hi", format!("{ben}, hi")),
        ("ask @ben.", format!("ask {ben}.")),
        ("@m.k?", format!("[@m.k](nodoor:account:{BEN})?")),
        ("mail me: x@ben", "mail me: x@ben".to_owned()),
        ("@nobody @@ben /@ben", "@nobody @@ben /@ben".to_owned()),
        ("`@ben`", "`@ben`".to_owned()),
        ("```\n@ben\n```\n@ben", format!("```\n@ben\n```\n{ben}")),
    ] {
        let written = with_mentions(text, &known);
        assert_eq!(written, expected);
        assert_eq!(typed(&written), text);
    }
}

#[test]
fn a_reaction_is_one_emoji() {
    for emoji in ["👍", "❤️", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "1️⃣", "©"]
    {
        assert_eq!(one_emoji(emoji), Some(emoji));
    }
    for none in ["", "a", "👍👍", "ok", "é", "https://evil.example", " 👍"] {
        assert_eq!(one_emoji(none), None, "{none:?}");
    }
    assert_eq!(one_emoji(&format!("👍{}", "\u{200d}👍".repeat(20))), None);
}

proptest! {
    #[test]
    fn no_text_is_lost_and_none_panics(text in "[*_~`>@\\[\\]() a-c\n\u{e9}👍]{0,60}") {
        let kept: String = plain(&text, &|_, called| called.to_owned());
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let fences = text.contains("```");
        prop_assert!(fences || letters(&kept) == letters(&text));
        let _ = is_formatted(&text);
        prop_assert_eq!(typed(&with_mentions(&text, &|_| Some(BEN.to_owned()))), text);
    }
}

#[test]
fn a_long_text_of_openings_takes_no_longer_than_another() {
    for opening in
        ["*", "* ", "*a ", "**a ", "`", "` a", "[@", "[@a](", "> *", "_ _a", "```\n", "~~ "]
    {
        let text = opening.repeat(32 * 1024 / opening.len());
        let begun = std::time::Instant::now();
        assert!(!blocks(&text).is_empty());
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{opening:?}");
    }
}
