// SPDX-License-Identifier: AGPL-3.0-or-later
//! Search on the screen: a field over the chats, hits while one types, and from a hit to its place in the chat. There `n`
//! goes on to the next older one and `N` back.

use nodoor_view::{
    command::{Command, Place, Reply},
    model::{ConversationId, MessageId},
    past::{Command as OfPast, Hit, Reply as PastReply},
    text::{Lines, for_terminal},
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    Screen,
    app::{Anchor, App, Focus, Layer, Wish},
    draw::Pen,
    field::Field,
};
use crate::failure::Failure;

/// Hits that are asked for.
const HITS: u32 = 50;
/// Hits that are shown at once.
const SHOWN: usize = 8;
/// Messages that are loaded at most to show one of before.
const MOST_LOADED: usize = 20_000;

/// What is looked for, and what was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    pub(super) query: Field,
    /// In this chat alone.
    pub(super) within: Option<ConversationId>,
    pub(super) hits: Vec<Hit>,
    pub(super) chosen: usize,
    /// How much of this device can be found yet, in hundredths; none: all.
    pub(super) indexed: Option<u8>,
}

impl App {
    /// Opens the field; `here` in the chat that is open.
    pub(super) fn begin_search(&mut self, here: bool) {
        let within = self.open.as_ref().map(|open| open.id).filter(|_| here);
        self.layer = Some(Layer::Search(Search { within, ..Search::default() }));
    }

    pub(super) fn search_key(&mut self, mut search: Search, key: KeyEvent) -> Vec<Wish> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let mut wishes = vec![];
        match key.code {
            KeyCode::Enter => {
                if let Some(hit) = search.hits.get(search.chosen) {
                    let wish = Wish::Show(hit.conversation, hit.message);
                    self.found = search;
                    return vec![wish];
                }
            }
            KeyCode::Up => search.chosen = search.chosen.saturating_sub(1),
            KeyCode::Down => {
                let last = search.hits.len().saturating_sub(1);
                search.chosen = (search.chosen + 1).min(last);
            }
            // Here or everywhere: a terminal tells Ctrl+Shift+F from Ctrl+F seldom enough.
            KeyCode::Char('f') if control => {
                let open = self.open.as_ref().map(|open| open.id);
                search.within = if search.within.is_some() { None } else { open };
                wishes.push(Wish::Search(search.query.text(), search.within));
            }
            _ => {
                if super::keys::edit(&mut search.query, key) {
                    search.chosen = 0;
                    wishes.push(Wish::Search(search.query.text(), search.within));
                }
            }
        }
        self.layer = Some(Layer::Search(search));
        wishes
    }

    /// Whether a letter goes from hit to hit: in the messages of the chat where one was shown.
    pub(super) fn goes_through_hits(&self) -> bool {
        let open = self.open.as_ref().map(|open| open.id);
        let shown = self.found.hits.get(self.found.chosen).map(|hit| hit.conversation);
        self.focus == Focus::Messages && shown.is_some() && open == shown
    }

    /// The hit before or after the one that is shown.
    pub(super) fn next_hit(&mut self, older: bool) -> Vec<Wish> {
        let last = self.found.hits.len().saturating_sub(1);
        let at = self.found.chosen;
        self.found.chosen = if older { (at + 1).min(last) } else { at.saturating_sub(1) };
        let hit = self.found.hits.get(self.found.chosen).filter(|_| self.found.chosen != at);
        hit.map(|hit| Wish::Show(hit.conversation, hit.message)).into_iter().collect()
    }

    /// The lines of the layer below its field.
    pub(super) fn hit_lines(&self, search: &Search, pen: &Pen<'_>) -> Vec<String> {
        let texts = pen.texts;
        let mut lines = Vec::new();
        if let Some(done) = search.indexed {
            lines.push(texts.get("search-indexing", &[("done", u32::from(done).into())]));
        }
        if search.hits.is_empty() && !search.query.text().trim().is_empty() {
            lines.push(texts.get("search-none", &[]));
        }
        let first = search.chosen.saturating_sub(SHOWN - 1);
        for (place, hit) in search.hits.iter().enumerate().skip(first).take(SHOWN) {
            let mark = if place == search.chosen { pen.look.here } else { " " };
            let title = match search.within {
                Some(_) => String::new(),
                None => format!("{} · ", for_terminal(&hit.title, Lines::Join)),
            };
            let said = for_terminal(&marked(hit), Lines::Join);
            lines.push(format!("{mark} {} {title}{said}", pen.clock.full(hit.at)));
        }
        lines
    }
}

/// The snippet with what was found between brackets: words and marks beside colour, as everywhere here.
fn marked(hit: &Hit) -> String {
    let mut said = String::new();
    let mut at = 0;
    for mark in &hit.marks {
        let before = hit.snippet.get(at..mark.start).unwrap_or_default();
        let found = hit.snippet.get(mark.clone()).unwrap_or_default();
        said += &format!("{before}[{found}]");
        at = mark.end;
    }
    said + hit.snippet.get(at..).unwrap_or_default()
}

impl Screen<'_> {
    /// Asks for the hits of what is typed, and shows them if it is still that.
    pub(super) async fn search(
        &mut self,
        query: String,
        within: Option<ConversationId>,
    ) -> Result<(), Failure> {
        let of = OfPast::Search { query, conversation: within, before: None, limit: HITS };
        let hits = match self.session.ask(Command::Past { of }).await? {
            Reply::Past(PastReply::Hits(hits)) => hits,
            _ => return Ok(()),
        };
        if let Some(Layer::Search(search)) = &mut self.app.layer {
            search.chosen = search.chosen.min(hits.rows.len().saturating_sub(1));
            (search.hits, search.indexed) = (hits.rows, hits.indexed);
        }
        Ok(())
    }

    /// Shows a message in its chat, selected, with what was said around it.
    pub(super) async fn show(
        &mut self,
        chat: ConversationId,
        message: MessageId,
    ) -> Result<(), Failure> {
        if self.app.open.as_ref().is_none_or(|open| open.id != chat) {
            let rows = self.session.conversations().await?;
            let Some(row) = rows.into_iter().find(|row| row.id == chat) else { return Ok(()) };
            self.open(row).await?;
        }
        loop {
            let Some(open) = &self.app.open else { return Ok(()) };
            let there = open.rows.first().is_some_and(|first| first.id <= message);
            if there || !open.more_before || open.rows.len() >= MOST_LOADED {
                break;
            }
            let Some(first) = open.rows.first().map(|row| row.id) else { break };
            let page = self.messages(chat, Place::Before { message: first }).await?;
            self.app.older(page);
        }
        let Some(open) = &mut self.app.open else { return Ok(()) };
        match open.rows.iter().position(|row| row.id == message) {
            Some(place) => {
                let above = open.rows.get(place.saturating_sub(2)).map_or(message, |row| row.id);
                open.anchor = Anchor::Top { message: above, line: 0 };
                open.selected = Some(message);
                self.app.focus = Focus::Messages;
                self.app.moved = true;
            }
            None => self.app.say(self.session.texts.get("search-too-far", &[])),
        }
        Ok(())
    }
}
