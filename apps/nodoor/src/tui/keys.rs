// SPDX-License-Identifier: AGPL-3.0-or-later
//! From a key to what it changes and what it wishes. The keys are those of the design's section "Terminal".
//!
//! A layer takes all keys; then the keys with Ctrl and Alt, which mean the same everywhere; then those of what has the
//! focus. Single letters are commands in the message list and in requests alone; anywhere else they are typed.

use nodoor_view::{
    message,
    model::MessageId,
    text::{Lines, Texts},
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    app::{About, Anchor, App, Change, Focus, Layer, View, Wish},
    field::Field,
};

impl App {
    /// A key was pressed.
    pub(super) fn key(&mut self, key: KeyEvent, texts: &Texts) -> Vec<Wish> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alarm = self.alarm().is_some();
        if control && matches!(key.code, KeyCode::Char('q' | 'c')) {
            // Asked once; a second time is an answer. Over what is proved nothing is asked.
            let sure = alarm || matches!(self.layer, Some(Layer::Quit { .. }));
            return vec![Wish::Quit { sure }];
        }
        if alarm {
            let read = key.code == KeyCode::Char('r') && !control;
            return if read { vec![Wish::AnswerProof] } else { vec![] };
        }
        if self.profile.is_none() {
            return self.start_key(key);
        }
        if let Some(layer) = self.layer.take() {
            self.moved = true;
            return self.layer_key(layer, key, texts);
        }
        match self.global_key(key, texts) {
            Some(wishes) => wishes,
            None => match (self.focus, self.view) {
                (Focus::List, _) => self.list_key(key),
                (Focus::Messages, View::Requests) => self.request_key(key, texts),
                (Focus::Messages, View::Chat) => self.message_key(key, texts),
                (Focus::Composer, _) => self.composer_key(key),
            },
        }
    }

    /// Something was pasted: it is put where one types, and never sent by itself.
    pub(super) fn pasted(&mut self, text: &str) {
        if self.alarm().is_some() {
            return;
        }
        match &mut self.layer {
            Some(Layer::Jump { query: field, .. } | Layer::NewChat { handle: field, .. }) => {
                field.paste(text, Lines::Join);
            }
            Some(Layer::Search(search)) => search.query.paste(text, Lines::Join),
            Some(Layer::NewGroup { title, members, second, .. }) => {
                let field = if *second { members } else { title };
                field.paste(text, Lines::Join);
            }
            Some(Layer::Change { field, .. } | Layer::React { field, .. }) => {
                field.paste(text, Lines::Join);
            }
            Some(Layer::Forward { query, .. }) => query.paste(text, Lines::Join),
            Some(
                Layer::Info { .. }
                | Layer::Keys { .. }
                | Layer::Leave { .. }
                | Layer::DeleteForEveryone { .. }
                | Layer::Quit { .. },
            ) => {}
            None if self.profile.is_none() => {
                self.start.handle.paste(text, Lines::Join);
                self.start.changed = Some(self.now);
            }
            None if self.open.is_none() => {
                let mut query = Field::default();
                query.paste(text, Lines::Join);
                self.layer = Some(Layer::Jump { query, chosen: 0 });
            }
            None => {
                self.turn_to_composer();
                self.composer.paste(text, Lines::Keep);
                self.draft_changed = Some(self.now);
            }
        }
    }

    fn start_key(&mut self, key: KeyEvent) -> Vec<Wish> {
        if self.start.creating {
            return vec![];
        }
        if key.code == KeyCode::Enter {
            let handle = self.start.handle.text();
            return if handle.is_empty() { vec![] } else { vec![Wish::Register(handle)] };
        }
        if edit(&mut self.start.handle, key) {
            self.start.said.clear();
            self.start.changed = Some(self.now);
        }
        vec![]
    }

    fn global_key(&mut self, key: KeyEvent, texts: &Texts) -> Option<Vec<Wish>> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let wishes = match key.code {
            KeyCode::F(1) => {
                self.layer = Some(Layer::Keys { first: 0 });
                vec![]
            }
            KeyCode::Char('k') if control => {
                self.layer = Some(Layer::Jump { query: Field::default(), chosen: 0 });
                vec![]
            }
            KeyCode::Char('f') if control => {
                self.begin_search(true);
                vec![]
            }
            KeyCode::Char('/') if self.focus != Focus::Composer => {
                self.begin_search(false);
                vec![]
            }
            KeyCode::Char('n' | 'N') if !control && self.goes_through_hits() => {
                self.next_hit(key.code == KeyCode::Char('n'))
            }
            KeyCode::Char('n') if control => {
                self.layer = Some(Layer::NewChat { handle: Field::default(), said: String::new() });
                vec![]
            }
            KeyCode::Char('g') if control => {
                self.layer = Some(Layer::NewGroup {
                    title: Field::default(),
                    members: Field::default(),
                    second: false,
                    said: String::new(),
                });
                vec![]
            }
            KeyCode::Char('o') if control => vec![Wish::ChatInfo],
            KeyCode::Char('e') if control => vec![Wish::Editor],
            KeyCode::Char('l') if control => vec![Wish::Redraw],
            KeyCode::Char('v') if control => {
                let text = self.clipboard.clone();
                self.pasted(&text);
                vec![]
            }
            KeyCode::Up if alt => self.step_chat(false),
            KeyCode::Down if alt => self.step_chat(true),
            KeyCode::End if control => self.latest(),
            KeyCode::PageUp => self.scroll(self.page.saturating_sub(1), true),
            KeyCode::PageDown => self.scroll(self.page.saturating_sub(1), false),
            KeyCode::Tab => {
                self.turn_focus(true);
                vec![]
            }
            KeyCode::BackTab => {
                self.turn_focus(false);
                vec![]
            }
            KeyCode::Char('u') if self.focus != Focus::Composer && self.deleted.is_some() => {
                let message = self.deleted.take();
                self.say(texts.get("undeleted", &[]));
                message.map(Wish::Undelete).into_iter().collect()
            }
            _ => return None,
        };
        Some(wishes)
    }

    fn turn_focus(&mut self, forward: bool) {
        self.focus = match (self.focus, forward) {
            (Focus::Composer, true) | (Focus::List, false) => Focus::Messages,
            (Focus::Messages, true) | (Focus::Composer, false) => Focus::List,
            (Focus::List, true) | (Focus::Messages, false) => Focus::Composer,
        };
        // Over requests there is nothing to write.
        if self.focus == Focus::Composer && self.view == View::Requests {
            self.focus = if forward { Focus::Messages } else { Focus::List };
        }
        if self.focus == Focus::Messages && self.view == View::Chat {
            self.select_shown();
        }
    }

    /// The previous or next chat, without wrapping round.
    fn step_chat(&mut self, forward: bool) -> Vec<Wish> {
        let open =
            self.open.as_ref().and_then(|open| self.chats.iter().position(|row| row.id == open.id));
        let place = match (open, forward) {
            (None, _) => 0,
            (Some(place), true) => place + 1,
            (Some(place), false) => match place.checked_sub(1) {
                Some(place) => place,
                None => return vec![],
            },
        };
        self.chats.get(place).map(|row| Wish::Open(row.id)).into_iter().collect()
    }

    fn latest(&mut self) -> Vec<Wish> {
        if let Some(open) = &mut self.open {
            open.anchor = Anchor::Bottom;
            open.below = 0;
            open.selected = None;
        }
        vec![]
    }

    fn list_key(&mut self, key: KeyEvent) -> Vec<Wish> {
        let last = self.chats.len() + usize::from(!self.requests.is_empty());
        match key.code {
            KeyCode::Up => self.listed = self.listed.saturating_sub(1),
            KeyCode::Down => self.listed = (self.listed + 1).min(last.saturating_sub(1)),
            KeyCode::Home => self.listed = 0,
            KeyCode::End => self.listed = last.saturating_sub(1),
            KeyCode::Enter | KeyCode::Right => {
                return match self.chats.get(self.listed) {
                    Some(row) => vec![Wish::Open(row.id)],
                    None => {
                        self.show_requests();
                        vec![]
                    }
                };
            }
            KeyCode::Esc => self.turn_to_composer(),
            _ => return self.typed_elsewhere(key),
        }
        vec![]
    }

    /// Goes where one writes.
    fn turn_to_composer(&mut self) {
        self.view = View::Chat;
        self.focus = Focus::Composer;
    }

    /// Shows the requests, if there are any.
    pub(super) fn show_requests(&mut self) {
        if !self.requests.is_empty() {
            self.view = View::Requests;
            self.focus = Focus::Messages;
            self.request = 0;
            self.block_asked = false;
        }
    }

    fn request_key(&mut self, key: KeyEvent, texts: &Texts) -> Vec<Wish> {
        let Some(request) = self.requests.get(self.request) else { return vec![] };
        let (conversation, name) = (request.conversation, texts.person(&request.from));
        let asked = std::mem::take(&mut self.block_asked);
        match key.code {
            KeyCode::Up => self.request = self.request.saturating_sub(1),
            KeyCode::Down => {
                self.request = (self.request + 1).min(self.requests.len().saturating_sub(1));
            }
            KeyCode::Char('a') => return vec![Wish::Accept(conversation)],
            KeyCode::Char('d') => return vec![Wish::Decline(conversation)],
            KeyCode::Char('b') if asked => return vec![Wish::Block(conversation)],
            KeyCode::Char('b') => {
                self.block_asked = true;
                self.say(texts.get("block-ask", &[("name", (&name).into())]));
            }
            KeyCode::Esc => self.turn_to_composer(),
            _ => {}
        }
        vec![]
    }

    fn message_key(&mut self, key: KeyEvent, texts: &Texts) -> Vec<Wish> {
        let selected = self.open.as_ref().and_then(|open| open.selected);
        if let Some(wishes) = selected.and_then(|id| self.doing_key(id, key.code, texts)) {
            return wishes;
        }
        match key.code {
            KeyCode::Up => return self.step_message(false),
            KeyCode::Down => return self.step_message(true),
            KeyCode::Home => {
                let first = self.open.as_ref().and_then(|open| open.rows.first());
                self.select(first.map(|row| row.id));
            }
            KeyCode::End => return self.latest(),
            KeyCode::Esc => {
                self.focus = Focus::Composer;
                self.select(None);
            }
            KeyCode::Char('i') | KeyCode::Enter => {
                return selected.map(Wish::MessageInfo).into_iter().collect();
            }
            KeyCode::Char('d') | KeyCode::Delete => {
                if let Some(id) = selected {
                    self.deleted = Some(id);
                    self.say(texts.get("deleted", &[]));
                    return vec![Wish::Delete(id)];
                }
            }
            KeyCode::Char(char) if selected.is_some() && KEYS.contains(char) => {}
            _ => return self.typed_elsewhere(key),
        }
        vec![]
    }

    fn step_message(&mut self, forward: bool) -> Vec<Wish> {
        let Some(open) = &self.open else { return vec![] };
        let place = open.rows.iter().position(|row| Some(row.id) == open.selected);
        let next = match (place, forward) {
            (None, _) => open.rows.len().checked_sub(1),
            (Some(place), true) => Some(place + 1).filter(|place| *place < open.rows.len()),
            (Some(place), false) => place.checked_sub(1),
        };
        let older = place == Some(0) && !forward && open.more_before;
        if let Some(id) = next.and_then(|place| open.rows.get(place)).map(|row| row.id) {
            self.select(Some(id));
        }
        if older { vec![Wish::Older] } else { vec![] }
    }

    /// Chooses the newest message, if none is chosen.
    fn select_shown(&mut self) {
        if let Some(open) = &mut self.open
            && open.selected.is_none()
        {
            open.selected = open.rows.last().map(|row| row.id);
        }
    }

    fn select(&mut self, message: Option<MessageId>) {
        if let Some(open) = &mut self.open {
            open.selected = message;
        }
    }

    /// Typing anywhere goes to the composer.
    fn typed_elsewhere(&mut self, key: KeyEvent) -> Vec<Wish> {
        if let KeyCode::Char(_) = key.code
            && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
        {
            self.turn_to_composer();
            return self.composer_key(key);
        }
        vec![]
    }

    fn composer_key(&mut self, key: KeyEvent) -> Vec<Wish> {
        if self.open.is_none() {
            return match key.code {
                KeyCode::Esc => vec![],
                KeyCode::Up | KeyCode::Down | KeyCode::Enter => {
                    self.focus = Focus::List;
                    self.list_key(key)
                }
                // What is typed with no chat open looks for one, and is seen.
                KeyCode::Char(_) => self.jump_key(Field::default(), 0, key),
                _ => vec![],
            };
        }
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Enter if alt || key.modifiers.contains(KeyModifiers::SHIFT) => {
                self.composer.insert('\n');
                self.draft_changed = Some(self.now);
            }
            KeyCode::Enter => {
                let text = self.composer.text();
                if !text.trim().is_empty() {
                    return vec![self.send_wish(text)];
                }
            }
            KeyCode::Up => {
                if !self.composer.up() && self.composer.is_empty() && !self.edit_last() {
                    return self.scroll(1, true);
                }
            }
            KeyCode::Esc if self.stop_doing() => {}
            KeyCode::Down => {
                if !self.composer.down() && self.composer.is_empty() {
                    return self.scroll(1, false);
                }
            }
            _ => {
                if edit(&mut self.composer, key) {
                    self.draft_changed = Some(self.now);
                    return self.types();
                }
            }
        }
        vec![]
    }

    fn layer_key(&mut self, layer: Layer, key: KeyEvent, texts: &Texts) -> Vec<Wish> {
        if key.code == KeyCode::Esc {
            return vec![];
        }
        match layer {
            Layer::Keys { first } => {
                if let Some(first) = self.scrolled_layer(first, key) {
                    self.layer = Some(Layer::Keys { first });
                }
                vec![]
            }
            Layer::Leave { chat, .. } if matches!(key.code, KeyCode::Char('y' | 'Y')) => {
                vec![Wish::Leave(chat)]
            }
            Layer::Leave { .. } => vec![],
            Layer::Change { chat, what, mut field, mut said } => {
                let mut wishes = vec![];
                if key.code == KeyCode::Enter && !field.text().trim().is_empty() {
                    wishes.push(Wish::Change(chat, what, field.text().trim().to_owned()));
                } else if edit(&mut field, key) {
                    said.clear();
                }
                self.layer = Some(Layer::Change { chat, what, field, said });
                wishes
            }
            Layer::React { message, field } => self.react_key(message, field, key, |field| {
                edit(field, key);
            }),
            Layer::Forward { message, query, chosen } => {
                self.forward_key(message, query, chosen, key)
            }
            Layer::DeleteForEveryone { message } => match key.code {
                KeyCode::Char('y' | 'Y') => {
                    vec![Wish::Message(message::Command::DeleteForEveryone { message })]
                }
                _ => vec![],
            },
            Layer::Quit { .. } if matches!(key.code, KeyCode::Char('y' | 'Y')) => {
                vec![Wish::Quit { sure: true }]
            }
            Layer::Quit { .. } => vec![],
            Layer::Info { title, lines, about, first } => {
                self.info_key(title, lines, about, first, key)
            }
            Layer::Jump { query, chosen } => self.jump_key(query, chosen, key),
            Layer::Search(search) => self.search_key(search, key),
            Layer::NewChat { mut handle, mut said } => {
                if key.code == KeyCode::Enter && !handle.is_empty() {
                    let text = handle.text();
                    self.layer = Some(Layer::NewChat { handle, said });
                    return vec![Wish::OpenHandle(text)];
                }
                if edit(&mut handle, key) {
                    said.clear();
                }
                self.layer = Some(Layer::NewChat { handle, said });
                vec![]
            }
            Layer::NewGroup { title, members, second, said } => {
                self.group_key(title, members, second, said, key, texts)
            }
        }
    }

    /// Keys of the info of a message or a chat.
    fn info_key(
        &mut self,
        title: String,
        lines: Vec<String>,
        about: About,
        first: usize,
        key: KeyEvent,
    ) -> Vec<Wish> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let what = match key.code {
            KeyCode::Char('a') => Some(Change::Add),
            KeyCode::Char('r') => Some(Change::Remove),
            KeyCode::Char('t') => Some(Change::Rename),
            _ => None,
        };
        if let Some(place) = self.place_key(about, key).filter(|_| control) {
            return vec![Wish::Place(place)];
        }
        let timer = control && key.code == KeyCode::Char('d');
        match (about, key.code, what) {
            (About::Person { chat, blocked }, KeyCode::Char('b'), _) if control => {
                return vec![if blocked { Wish::Unblock(chat) } else { Wish::Block(chat) }];
            }
            (About::Person { chat, .. } | About::Group { chat, inside: true, .. }, ..) if timer => {
                let (what, field) = (Change::Timer, Field::default());
                self.layer = Some(Layer::Change { chat, what, field, said: String::new() });
            }
            (About::Group { chat, inside: true, mine: true }, _, Some(what)) if control => {
                let field = Field::default();
                self.layer = Some(Layer::Change { chat, what, field, said: String::new() });
            }
            (About::Group { chat, inside: true, .. }, KeyCode::Char('x'), _) if control => {
                self.layer = Some(Layer::Leave { chat, title });
            }
            (_, KeyCode::Enter | KeyCode::Char('q' | ' '), _) => {}
            _ => {
                let first = self.scrolled_layer(first, key).unwrap_or(first);
                self.layer = Some(Layer::Info { title, lines, about, first });
            }
        }
        vec![]
    }

    /// The line a long layer begins with after a key that scrolls.
    fn scrolled_layer(&self, first: usize, key: KeyEvent) -> Option<usize> {
        let first = match key.code {
            KeyCode::Up => first.saturating_sub(1),
            KeyCode::Down => first + 1,
            KeyCode::PageUp => first.saturating_sub(self.page.max(2) - 1),
            KeyCode::PageDown => first + self.page.max(2) - 1,
            _ => return None,
        };
        Some(first.min(self.layer_most))
    }

    /// Keys of the choice where to send a message on: as those of the jump.
    fn forward_key(
        &mut self,
        message: MessageId,
        mut query: Field,
        mut chosen: usize,
        key: KeyEvent,
    ) -> Vec<Wish> {
        let found = self.found(&query.text());
        match key.code {
            KeyCode::Enter => {
                let chat = found.get(chosen).and_then(|place| self.chats.get(*place));
                let forward = |to| Wish::Message(message::Command::Forward { message, to });
                return chat.map(|row| forward(row.id)).into_iter().collect();
            }
            KeyCode::Up => chosen = chosen.saturating_sub(1),
            KeyCode::Down => chosen = (chosen + 1).min(found.len().saturating_sub(1)),
            _ => {
                if edit(&mut query, key) {
                    chosen = 0;
                }
            }
        }
        self.layer = Some(Layer::Forward { message, query, chosen });
        vec![]
    }

    fn jump_key(&mut self, mut query: Field, mut chosen: usize, key: KeyEvent) -> Vec<Wish> {
        match key.code {
            KeyCode::Enter => {
                let found = self.found(&query.text());
                let text = query.text();
                return match found.get(chosen) {
                    Some(place) => {
                        self.chats.get(*place).map(|row| Wish::Open(row.id)).into_iter().collect()
                    }
                    None if text.is_empty() => vec![],
                    None => {
                        let said = String::new();
                        self.layer = Some(Layer::NewChat { handle: query, said });
                        vec![Wish::OpenHandle(text)]
                    }
                };
            }
            KeyCode::Up => chosen = chosen.saturating_sub(1),
            KeyCode::Down => {
                let last = self.found(&query.text()).len().saturating_sub(1);
                chosen = (chosen + 1).min(last);
            }
            _ => {
                if edit(&mut query, key) {
                    chosen = 0;
                }
            }
        }
        self.layer = Some(Layer::Jump { query, chosen });
        vec![]
    }

    /// Places of the chats that fit a query; without one the unread first.
    pub(super) fn found(&self, query: &str) -> Vec<usize> {
        let query = query.trim().trim_start_matches('@').to_lowercase();
        let fits = |place: &usize| {
            let Some(row) = self.chats.get(*place) else { return false };
            let handle = row.person.as_ref().map_or("", |person| &person.handle);
            row.title.to_lowercase().contains(&query) || handle.contains(&query)
        };
        let mut places: Vec<usize> = (0..self.chats.len()).filter(fits).collect();
        if query.is_empty() {
            places.sort_by_key(|place| self.chats.get(*place).is_none_or(|row| row.unread == 0));
        }
        places
    }

    fn group_key(
        &mut self,
        mut title: Field,
        mut members: Field,
        mut second: bool,
        mut said: String,
        key: KeyEvent,
        texts: &Texts,
    ) -> Vec<Wish> {
        let mut wishes = vec![];
        match key.code {
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down => second = !second,
            KeyCode::Enter if !second => second = true,
            KeyCode::Enter if title.text().trim().is_empty() => {
                second = false;
                said = texts.get("group-name", &[]);
            }
            KeyCode::Enter => {
                let handles = members.text();
                let handles =
                    handles.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned);
                let title = title.text().trim().to_owned();
                wishes.push(Wish::MakeGroup(title, handles.collect()));
            }
            _ => {
                edit(if second { &mut members } else { &mut title }, key);
                said.clear();
            }
        }
        self.layer = Some(Layer::NewGroup { title, members, second, said });
        wishes
    }
}

/// Letters that mean something in the message list: where one does not apply it is not typed either.
const KEYS: &str = "reyipfdD+";

/// Keys that every field knows. True if the text changed.
pub(super) fn edit(field: &mut Field, key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('w') if control => field.delete_word(),
        KeyCode::Char('a') if control => {
            field.home();
            return false;
        }
        KeyCode::Char(_) if control || key.modifiers.contains(KeyModifiers::ALT) => return false,
        KeyCode::Char(char) => field.insert(char),
        KeyCode::Backspace => field.backspace(),
        KeyCode::Delete => field.delete(),
        _ => {
            match key.code {
                KeyCode::Left => field.left(),
                KeyCode::Right => field.right(),
                KeyCode::Home => field.home(),
                KeyCode::End => field.end(),
                _ => {}
            }
            return false;
        }
    }
    true
}
