// SPDX-License-Identifier: AGPL-3.0-or-later
//! Characters and colours. Sixteen theme colours, each beside a word or mark; none with `NO_COLOR`; ASCII alone with
//! `--ascii`. Never a red fill: that is kept for proof.

use ratatui::style::{Color, Modifier, Style};

/// How things look in this terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    colours: bool,
    pub(super) horizontal: &'static str,
    pub(super) vertical: &'static str,
    /// Corners and joints: top left, top joint, top right; middle left, joint, right; bottom left, right.
    pub(super) joints: [&'static str; 8],
    pub(super) here: &'static str,
    pub(super) unread: &'static str,
    pub(super) prompt: &'static str,
    pub(super) more: &'static str,
    pub(super) dot: &'static str,
    pub(super) waiting: &'static str,
    pub(super) sent: &'static str,
    pub(super) delivered: &'static str,
    pub(super) read: &'static str,
    pub(super) pinned: &'static str,
    pub(super) muted: &'static str,
}

impl Look {
    pub(super) fn new(ascii: bool, colours: bool) -> Self {
        if ascii { Self { colours, ..ASCII } } else { Self { colours, ..LINES } }
    }

    /// Yours, act here.
    pub(super) fn accent(&self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// Could not be checked, or not now.
    pub(super) fn amber(&self) -> Style {
        self.coloured(Color::Yellow)
    }

    /// Failed and kept.
    pub(super) fn failed(&self) -> Style {
        self.coloured(Color::Red)
    }

    /// Proof, and nothing else.
    pub(super) fn alarm(&self) -> Style {
        if self.colours {
            Style::new().fg(Color::White).bg(Color::Red)
        } else {
            Style::new().add_modifier(Modifier::REVERSED)
        }
    }

    /// Times, hints, rules.
    pub(super) fn quiet(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn strong(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    fn coloured(&self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}

const LINES: Look = Look {
    colours: true,
    horizontal: "─",
    vertical: "│",
    joints: ["┌", "┬", "┐", "├", "┴", "┤", "└", "┘"],
    here: "▌",
    unread: "●",
    prompt: "›",
    more: "…",
    dot: "·",
    waiting: "◷",
    sent: "✓",
    delivered: "✓✓",
    read: "✓✓✓",
    pinned: "↑",
    muted: "×",
};

const ASCII: Look = Look {
    colours: true,
    horizontal: "-",
    vertical: "|",
    joints: ["+", "+", "+", "+", "+", "+", "+", "+"],
    here: ">",
    unread: "*",
    prompt: ">",
    more: "~",
    dot: "-",
    waiting: "..",
    sent: "+",
    delivered: "++",
    read: "+++",
    pinned: "^",
    muted: "x",
};
