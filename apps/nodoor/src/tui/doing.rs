// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is done with a message that is there: answer, edit, react, pin, forward, delete for everyone. From keys to
//! wishes, as [`super::keys`].

use nodoor_view::{
    list::{self, ALWAYS},
    message::Command,
    model::{Content, From, MessageId, MessageRow, Milliseconds, SendState, Writable},
    rich,
    text::{Lines, Texts, for_terminal},
};
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::{
    app::{About, App, Focus, Layer, Wish},
    field::Field,
};
use crate::output;

/// What the composer's text will be, other than a new message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doing {
    /// The answer to this message.
    Reply(MessageId),
    /// This message's text. What stood in the composer before.
    Edit(MessageId, String),
}

impl App {
    /// A key in the message list, with this message chosen. None if it is no key of these.
    pub(super) fn doing_key(
        &mut self,
        chosen: MessageId,
        key: KeyCode,
        texts: &Texts,
    ) -> Option<Vec<Wish>> {
        let row = self.message(chosen)?.clone();
        if row.from == From::System {
            return None;
        }
        let once = matches!(row.content, Content::Once { opened: false });
        let said = matches!(row.content, Content::Text(_) | Content::Markdown { .. });
        let may_write = self.open_row().is_some_and(|row| row.writable == Writable::Yes);
        let wishes = match key {
            KeyCode::Enter if once => vec![Wish::OpenOnce(chosen)],
            KeyCode::Char('r') if matches!(row.state, Some(SendState::NotSent { .. })) => {
                self.say(texts.get("retrying", &[]));
                vec![Wish::Retry(chosen)]
            }
            KeyCode::Char('y') if said => {
                self.clipboard = self.typed(&row);
                self.say(texts.get("copied", &[]));
                vec![]
            }
            _ if !may_write || row.content == Content::Deleted => return None,
            KeyCode::Char('r') => {
                self.stop_doing();
                self.doing = Some(Doing::Reply(chosen));
                self.focus = Focus::Composer;
                vec![]
            }
            KeyCode::Char('e') if said && row.from == From::Me => {
                self.edit(&row);
                vec![]
            }
            KeyCode::Char('+') => {
                let field = Field::default();
                self.layer = Some(Layer::React { message: chosen, field });
                vec![]
            }
            KeyCode::Char('f') if said => {
                let query = Field::default();
                self.layer = Some(Layer::Forward { message: chosen, query, chosen: 0 });
                vec![]
            }
            KeyCode::Char('p') => {
                vec![Wish::Message(Command::Pin { message: chosen, on: !row.marks.pinned })]
            }
            KeyCode::Char('D') if row.from == From::Me => {
                self.layer = Some(Layer::DeleteForEveryone { message: chosen });
                vec![]
            }
            _ => return None,
        };
        Some(wishes)
    }

    /// A message's text as one would type it again.
    fn typed(&self, row: &MessageRow) -> String {
        match &row.content {
            Content::Text(text) => text.clone(),
            Content::Markdown { text, .. } => rich::typed(text),
            _ => String::new(),
        }
    }

    /// Puts one's own message into the composer.
    fn edit(&mut self, row: &MessageRow) {
        self.stop_doing();
        self.doing = Some(Doing::Edit(row.id, self.composer.text()));
        self.composer.clear();
        self.composer.paste(&self.typed(row), Lines::Keep);
        self.focus = Focus::Composer;
    }

    /// Edits one's newest message, if it has a text. False if there is none.
    pub(super) fn edit_last(&mut self) -> bool {
        let may_write = self.open_row().is_some_and(|row| row.writable == Writable::Yes);
        let is_text = |row: &&MessageRow| {
            row.from == From::Me
                && matches!(row.content, Content::Text(_) | Content::Markdown { .. })
        };
        let rows = self.open.iter().flat_map(|open| open.rows.iter().rev());
        let Some(row) = rows.take(FAR).find(is_text).filter(|_| may_write).cloned() else {
            return false;
        };
        self.edit(&row);
        true
    }

    /// Neither answers nor edits any more; what was typed before an edit is back. False if nothing was done.
    pub(super) fn stop_doing(&mut self) -> bool {
        match self.doing.take() {
            Some(Doing::Edit(_, before)) => {
                self.composer = Field::new(&before);
                true
            }
            Some(Doing::Reply(_)) => true,
            None => false,
        }
    }

    /// What Enter in the composer wishes.
    pub(super) fn send_wish(&self, text: String) -> Wish {
        match &self.doing {
            None => Wish::Send(text),
            Some(Doing::Reply(to)) => Wish::Say(Command::Reply { to: *to, text }),
            Some(Doing::Edit(message, _)) => Wish::Say(Command::Edit { message: *message, text }),
        }
    }

    /// One types: others are told now and then.
    pub(super) fn types(&mut self) -> Vec<Wish> {
        let due = self.typed_at.is_none_or(|at| self.now.0.saturating_sub(at.0) >= TYPING_MS);
        let Some(open) = self.open.as_ref().filter(|_| due && !self.composer.is_empty()) else {
            return vec![];
        };
        self.typed_at = Some(self.now);
        vec![Wish::Typing(open.id)]
    }

    /// What is to be kept as the chat's draft.
    pub(super) fn draft(&self) -> String {
        match &self.doing {
            Some(Doing::Edit(_, before)) => before.clone(),
            _ => self.composer.text(),
        }
    }

    /// The line above the composer that says what is done.
    pub(super) fn doing_line(&self, texts: &Texts) -> Option<String> {
        let (Doing::Reply(message) | Doing::Edit(message, _)) = self.doing.as_ref()?;
        let row = self.message(*message);
        let name = match row.map(|row| &row.from) {
            Some(From::Them(person)) => texts.person(person),
            _ => texts.get("me", &[]),
        };
        let said = row.map(|row| texts.content(&row.from, &row.content)).unwrap_or_default();
        let values = [("name", (&name).into()), ("text", (&said).into())];
        let id = match self.doing {
            Some(Doing::Edit(..)) => "doing-edit",
            _ => "doing-reply",
        };
        Some(for_terminal(&texts.get(id, &values), Lines::Join))
    }

    /// A key in the info of a chat that changes where it stands in the list.
    pub(super) fn place_key(&self, about: About, key: KeyEvent) -> Option<list::Command> {
        let (About::Person { chat: conversation, .. } | About::Group { chat: conversation, .. }) =
            about
        else {
            return None;
        };
        let place = self.chats.iter().find(|row| row.id == conversation)?.place;
        Some(match key.code {
            KeyCode::Char('p') => {
                list::Command::Pin { conversation, on: place.pinned_at.is_none() }
            }
            KeyCode::Char('y') => list::Command::Archive { conversation, on: !place.archived },
            KeyCode::Char('u') => {
                let until = if place.is_muted(self.now) { Milliseconds(0) } else { ALWAYS };
                list::Command::Mute { conversation, until }
            }
            _ => return None,
        })
    }

    /// Keys of the reactions: a number, or any emoji and Enter.
    pub(super) fn react_key(
        &mut self,
        message: MessageId,
        mut field: Field,
        key: KeyEvent,
        edit: impl FnOnce(&mut Field),
    ) -> Vec<Wish> {
        let quick = |digit: char| QUICK.get((digit.to_digit(10)? as usize).checked_sub(1)?);
        let chosen = match key.code {
            KeyCode::Char(digit) if field.is_empty() => quick(digit).map(|one| (*one).to_owned()),
            KeyCode::Char('0') | KeyCode::Backspace if field.is_empty() => Some(String::new()),
            KeyCode::Enter => Some(field.text().trim().to_owned()),
            _ => None,
        };
        if let Some(emoji) = chosen {
            // The same once more takes it back, as a tap does.
            let mine = self.message(message).is_some_and(|row| {
                row.marks.reactions.iter().any(|one| one.mine && one.emoji == emoji)
            });
            let emoji = if mine { String::new() } else { emoji };
            return vec![Wish::Message(Command::React { message, emoji })];
        }
        edit(&mut field);
        self.layer = Some(Layer::React { message, field });
        vec![]
    }
}

/// Lines under a message that say what became of it: words, then reactions.
pub(super) fn below(row: &MessageRow, texts: &Texts, dot: &str) -> String {
    let reactions = row.marks.reactions.iter().map(output::reaction).collect::<Vec<_>>().join("  ");
    let words = output::marks(row, texts).join(&format!(" {dot} "));
    [reactions, words].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

/// Reactions one key away.
pub(super) const QUICK: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
/// How often others are told.
const TYPING_MS: u64 = 2_000;
/// How far back one's newest message is looked for.
const FAR: usize = 30;
