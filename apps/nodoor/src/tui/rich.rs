// SPDX-License-Identifier: AGPL-3.0-or-later
//! A formatted text as lines of cells, each part with its tone.

use nodoor_view::{
    model::{Content, From},
    rich::{Block, Run, Style as Format, blocks},
    text::{Lines, Texts, for_terminal},
};
use ratatui::style::{Modifier, Style};

use super::{look::Look, wrap::wrap};

/// Parts of a line.
pub(super) type Runs = Vec<(String, Style)>;

/// What a message says, cleaned and broken to the width.
pub(super) fn lines(
    from: &From,
    content: &Content,
    width: usize,
    look: &Look,
    texts: &Texts,
) -> Vec<Runs> {
    let Content::Markdown { text, mentions } = content else {
        let said = for_terminal(&texts.content(from, content), Lines::Keep);
        let tone = match content {
            Content::Text(_) => Style::new(),
            _ => look.quiet(),
        };
        return wrap(&said, width).into_iter().map(|line| vec![(line, tone)]).collect();
    };
    let mut out = Vec::new();
    for block in blocks(text) {
        let told = |runs: &[Run<'_>]| -> Runs {
            let each = runs.iter().map(|run| match run {
                Run::Text(text, format) => {
                    let text = for_terminal(text, Lines::Keep);
                    // Not the tone alone: it is copied, and some see no tones.
                    let text = if format.code { format!("`{text}`") } else { text };
                    (text, tone(*format, look))
                }
                Run::Mention(account, called) => {
                    let name = texts.mention(mentions, account, called);
                    (for_terminal(&name, Lines::Join), look.accent())
                }
            });
            each.collect()
        };
        match block {
            Block::Text(runs) => out.extend(broken(&told(&runs), width)),
            Block::Quote(quoted) => {
                for line in quoted {
                    for mut runs in broken(&told(&line), width.saturating_sub(2)) {
                        runs.insert(0, (format!("{} ", look.vertical), look.quiet()));
                        out.push(runs);
                    }
                }
            }
            Block::Code(code) => {
                for line in wrap(&for_terminal(code, Lines::Keep), width.saturating_sub(2)) {
                    out.push(vec![(format!("  {line}"), look.quiet())]);
                }
            }
        }
    }
    out
}

fn tone(format: Format, look: &Look) -> Style {
    let marks = [
        (format.bold, Modifier::BOLD),
        (format.italic, Modifier::ITALIC),
        (format.struck, Modifier::CROSSED_OUT),
    ];
    let base = if format.code { look.quiet() } else { Style::new() };
    let applying = marks.into_iter().filter(|(applies, _)| *applies);
    applying.fold(base, |style, (_, modifier)| style.add_modifier(modifier))
}

/// Breaks parts as their whole text would be broken; what falls away at the breaks is blank.
fn broken(runs: &Runs, width: usize) -> Vec<Runs> {
    let whole: String = runs.iter().map(|(text, _)| text.as_str()).collect();
    let mut chars = runs.iter().flat_map(|(text, tone)| text.chars().map(move |c| (c, *tone)));
    let lines = wrap(&whole, width).into_iter();
    lines
        .map(|line| {
            let mut parts: Runs = Vec::new();
            for char in line.chars() {
                let tone = chars.find(|(c, _)| *c == char).map(|(_, tone)| tone);
                let tone = tone.unwrap_or_default();
                match parts.last_mut() {
                    Some((text, same)) if *same == tone => text.push(char),
                    _ => parts.push((char.to_string(), tone)),
                }
            }
            parts
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_follow_the_text_over_its_breaks() {
        let content = Content::Markdown {
            text: "one **two three** four `x`\n> said *so*\n```\ncode\n```".into(),
            mentions: vec![],
        };
        let look = Look::new(false, true);
        let shown = lines(&From::Me, &content, 12, &look, &Texts::terminal("en"));
        let said: Vec<String> =
            shown.iter().map(|runs| runs.iter().map(|(text, _)| text.as_str()).collect()).collect();
        assert_eq!(said, ["one two", "three four", "`x`", "│ said so", "  code"]);
        let bold = |line: usize| {
            let bold = |style: &Style| style.add_modifier.contains(Modifier::BOLD);
            let parts = shown[line].iter().filter(|(_, style)| bold(style));
            parts.map(|(text, _)| text.as_str()).collect::<String>()
        };
        assert_eq!((bold(0).as_str(), bold(1).trim_end(), bold(2).as_str()), ("two", "three", ""));
        assert!(shown[3][2].1.add_modifier.contains(Modifier::ITALIC), "{:?}", shown[3]);
    }
}
