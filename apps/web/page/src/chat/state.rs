// SPDX-License-Identifier: AGPL-3.0-or-later
//! The open conversation: the rows loaded, where the reader is, what counts as seen.
//!
//! Rows come in pages of 60 with stable keys; the view keeps the message being read at the same
//! pixel (`scroll`). What was deleted here stays out of sight until the engine forgets it.

use std::collections::HashMap;

use leptos::prelude::*;
use nodoor_view::{
    command::{Command, Place, Reply},
    message,
    model::{
        Content, ConversationId, From, Kind, MessageId, MessagePage, MessageRow, SendState,
        Writable,
    },
};

use super::{
    find::{self, Find},
    layout::{Entry, Key, lay_out},
    scroll::{self, Aim},
};
use crate::{
    bridge::{ask, tell},
    dom,
    state::app,
    time,
    words::{self, Put, say, say_with},
};

const PAGE: u32 = 60;
/// Pixels from the top at which a message that was asked for stands.
const MIDDLE: f64 = 160.0;
const REMEMBERED: u64 = 60 * 60 * 1000;

/// The open conversation. Signals and stored values; copying it copies none of them.
#[derive(Clone, Copy)]
pub(crate) struct Chat {
    /// Which.
    pub(crate) id: RwSignal<Option<ConversationId>>,
    /// The entries shown, by key.
    pub(crate) keys: RwSignal<Vec<Key>>,
    entries: StoredValue<HashMap<Key, ArcRwSignal<Entry>>>,
    rows: StoredValue<Vec<MessageRow>>,
    /// Whether the first page is there.
    pub(crate) loaded: RwSignal<bool>,
    /// Whether older ones exist: the first line of a chat shows only where none do.
    pub(crate) more_before: RwSignal<bool>,
    more_after: StoredValue<bool>,
    loading: StoredValue<bool>,
    divider: StoredValue<Option<(MessageId, u32)>>,
    /// Messages of others under what was seen.
    pub(crate) below: RwSignal<u32>,
    /// Whether the bottom is more than 80 pixels away.
    pub(crate) far: RwSignal<bool>,
    seen: StoredValue<MessageId>,
    fresh: StoredValue<Option<MessageId>>,
    left: StoredValue<HashMap<ConversationId, (MessageId, f64, u64)>>,
    spoken: StoredValue<(u64, u32)>,
    // Rows changed and were not laid out yet.
    dirty: StoredValue<bool>,
    /// What the composer's text will be, other than a new message.
    pub(super) doing: RwSignal<Option<Doing>>,
    /// The pinned messages, newest pin first.
    pub(super) pins: RwSignal<Vec<MessageRow>>,
    /// What is looked for.
    pub(super) find: Find,
    // Where to open a chat, if somebody asked for a message of it, and what to mark there.
    aim: StoredValue<Option<(ConversationId, MessageId, Vec<String>)>>,
}

/// What the composer's text will be, other than a new message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doing {
    /// The answer to this message.
    Reply(MessageRow),
    /// This message's text.
    Edit(MessageRow),
}

impl Chat {
    /// None open.
    pub(crate) fn new() -> Self {
        Self {
            id: RwSignal::new(None),
            keys: RwSignal::new(Vec::new()),
            entries: StoredValue::new(HashMap::new()),
            rows: StoredValue::new(Vec::new()),
            loaded: RwSignal::new(false),
            more_before: RwSignal::new(false),
            more_after: StoredValue::new(false),
            loading: StoredValue::new(false),
            divider: StoredValue::new(None),
            below: RwSignal::new(0),
            far: RwSignal::new(false),
            seen: StoredValue::new(MessageId(0)),
            fresh: StoredValue::new(None),
            left: StoredValue::new(HashMap::new()),
            spoken: StoredValue::new((0, 0)),
            dirty: StoredValue::new(false),
            doing: RwSignal::new(None),
            pins: RwSignal::new(Vec::new()),
            find: Find::new(),
            aim: StoredValue::new(None),
        }
    }

    /// Opens a conversation: at the unread divider, else where one left it less than an hour ago,
    /// else at the bottom.
    pub(crate) fn open(&self, id: ConversationId) {
        self.leave();
        self.id.set(Some(id));
        self.loading.set_value(true);
        self.ask_pins();
        let aim = self.aim.try_update_value(Option::take).flatten();
        if let Some((_, message, words)) = aim.filter(|(aimed, ..)| *aimed == id) {
            let chat = *self;
            return self.ask_page(id, Place::Around { message }, move |page| {
                chat.replace(page, Aim::Message(message, MIDDLE));
                find::mark(message, words);
                dom::after(0, move || scroll::show(message));
            });
        }
        let row = app().row(id).map(|row| row.get_untracked());
        let unread = row.as_ref().map_or(0, |row| row.unread);
        let left = self.left.with_value(|left| left.get(&id).copied());
        let left = left.filter(|(_, _, at)| dom::now().saturating_sub(*at) < REMEMBERED);
        let chat = *self;
        match (row.and_then(|row| row.first_unread), left) {
            (Some(first), _) if unread > 0 => {
                self.divider.set_value(Some((first, unread)));
                self.below.set(unread);
                self.ask_page(id, Place::Unread, move |page| chat.replace(page, Aim::Divider));
            }
            (_, Some((message, offset, _))) => {
                let before = Place::Before { message: MessageId(message.0 + 1) };
                self.ask_page(id, before, move |mut page| {
                    chat.ask_page(id, Place::After { message }, move |after| {
                        page.rows.extend(after.rows);
                        page.more_after = after.more_after;
                        chat.replace(page, Aim::Message(message, offset));
                    });
                });
            }
            _ => self.ask_page(id, Place::Newest, move |page| chat.replace(page, Aim::Bottom)),
        }
    }

    /// Closes it, remembering the place.
    pub(crate) fn leave(&self) {
        if let (Some(id), Some((message, offset))) = (self.id.get_untracked(), scroll::place()) {
            self.left.update_value(|left| {
                if scroll::at_bottom() {
                    left.remove(&id);
                } else {
                    left.insert(id, (message, offset, dom::now()));
                }
            });
        }
        scroll::forget();
        self.id.set(None);
        self.loaded.set(false);
        self.rows.set_value(Vec::new());
        self.keys.set(Vec::new());
        self.entries.set_value(HashMap::new());
        self.more_before.set(false);
        self.more_after.set_value(false);
        self.loading.set_value(false);
        self.divider.set_value(None);
        self.below.set(0);
        self.far.set(false);
        self.seen.set_value(MessageId(0));
        self.doing.set(None);
        self.pins.set(Vec::new());
        self.find.close();
    }

    /// Opens a chat at a message, with words marked in it.
    pub(crate) fn open_at(&self, id: ConversationId, message: MessageId, words: Vec<String>) {
        if self.id.get_untracked() == Some(id) {
            self.go_to(message);
            find::mark(message, words);
            return;
        }
        self.aim.set_value(Some((id, message, words)));
        crate::route::go(crate::route::Route::Chat(id));
    }

    /// The title of the open chat.
    pub(super) fn title(&self) -> String {
        let row = self.id.get_untracked().and_then(|id| app().row(id));
        row.map_or_else(String::new, |row| row.with_untracked(|row| row.title.clone()))
    }

    /// Whether one may write in the open chat.
    pub(super) fn may_write(&self) -> bool {
        let row = self.id.get_untracked().and_then(|id| app().row(id));
        row.is_some_and(|row| row.with_untracked(|row| row.writable == Writable::Yes))
    }

    /// One's newest message, if it is loaded and has a text.
    pub(super) fn last_own(&self) -> Option<MessageRow> {
        let is_text = |row: &&MessageRow| {
            row.from == From::Me
                && matches!(row.content, Content::Text(_) | Content::Markdown { .. })
        };
        self.rows.with_value(|rows| rows.iter().rev().take(PAGE as usize).find(is_text).cloned())
    }

    fn ask_pins(&self) {
        let Some(conversation) = self.id.get_untracked() else { return };
        let chat = *self;
        let of = message::Command::Pinned { conversation };
        ask(Command::Message { of }, move |reply| {
            if let Reply::Messages(page) = reply
                && chat.id.get_untracked() == Some(conversation)
            {
                chat.pins.set(page.rows);
            }
        });
    }

    /// Shows a message of the open chat, wherever it is.
    pub(crate) fn go_to(self, message: MessageId) {
        self.go(message, true);
    }

    /// The same, and the focus stays where it is.
    pub(super) fn go_to_quietly(self, message: MessageId) {
        self.go(message, false);
    }

    fn go(self, message: MessageId, focus: bool) {
        let Some(id) = self.id.get_untracked() else { return };
        let show = move || if focus { scroll::show(message) } else { scroll::bring(message) };
        if self.message(message).is_some() {
            show();
            return;
        }
        self.ask_page(id, Place::Around { message }, move |page| {
            self.replace(page, Aim::Message(message, MIDDLE));
            dom::after(0, show);
        });
    }

    /// Shows another place of a chat.
    pub(super) fn go_to_place(self, id: ConversationId, at: Place) {
        self.ask_page(id, at, move |page| {
            let first = match at {
                Place::At { time } => page.rows.iter().find(|row| row.received_at >= time),
                _ => None,
            };
            let aim = first.or(page.rows.last()).map(|row| Aim::Message(row.id, 40.0));
            self.replace(page, aim.unwrap_or(Aim::Bottom));
        });
    }

    /// An entry's signal.
    pub(super) fn entry(&self, key: Key) -> Option<ArcRwSignal<Entry>> {
        self.entries.with_value(|entries| entries.get(&key).cloned())
    }

    /// A loaded message.
    pub(crate) fn message(&self, id: MessageId) -> Option<MessageRow> {
        self.rows.with_value(|rows| rows.iter().find(|row| row.id == id).cloned())
    }

    /// The next message, or the one before, whose content is such.
    pub(super) fn picture_beside(
        &self,
        id: MessageId,
        after: bool,
        is: impl Fn(&Content) -> bool,
    ) -> Option<MessageId> {
        self.rows.with_value(|rows| {
            let mut found = rows.iter().filter(|row| is(&row.content)).map(|row| row.id);
            if after {
                found.find(|other| *other > id)
            } else {
                found.filter(|other| *other < id).last()
            }
        })
    }

    /// Whether a message came while one was here: it rises into its place.
    pub(super) fn is_fresh(&self, id: MessageId) -> bool {
        self.fresh.get_value().is_some_and(|fresh| id >= fresh)
    }

    /// Whether this chat is a group.
    pub(super) fn is_group(&self) -> bool {
        let row = self.id.get_untracked().and_then(|id| app().row(id));
        row.is_some_and(|row| row.with_untracked(|row| row.kind == Kind::Group))
    }

    fn ask_page(
        &self,
        conversation: ConversationId,
        at: Place,
        then: impl FnOnce(MessagePage) + 'static,
    ) {
        let chat = *self;
        ask(Command::Messages { conversation, at, limit: PAGE }, move |reply| {
            if chat.id.get_untracked() != Some(conversation) {
                return;
            }
            match reply {
                Reply::Messages(page) => then(page),
                Reply::Problem(problem) => {
                    chat.loading.set_value(false);
                    chat.loaded.set(true);
                    app().problem(&problem);
                }
                _ => (),
            }
        });
    }

    fn replace(&self, page: MessagePage, aim: Aim) {
        self.fresh.set_value(None);
        self.more_before.set(page.more_before);
        self.more_after.set_value(page.more_after);
        self.rows.set_value(page.rows);
        self.loading.set_value(false);
        self.lay_out();
        scroll::aim(aim);
        self.loaded.set(true);
    }

    /// Loads what is above or below, when the reader comes near.
    pub(super) fn near(&self, top: bool, bottom: bool) {
        let Some(id) = self.id.get_untracked() else { return };
        if self.loading.get_value() || !self.loaded.get_untracked() {
            return;
        }
        let chat = *self;
        let ends = self.rows.with_value(|rows| {
            rows.first().zip(rows.last()).map(|(first, last)| (first.id, last.id))
        });
        let Some((first, last)) = ends else { return };
        if top && self.more_before.get_untracked() {
            self.loading.set_value(true);
            self.ask_page(id, Place::Before { message: first }, move |page| {
                chat.rows.update_value(|rows| {
                    let newer = std::mem::replace(rows, page.rows);
                    rows.extend(newer);
                });
                chat.loading.set_value(false);
                chat.more_before.set(page.more_before);
                chat.lay_out();
            });
        } else if bottom && self.more_after.get_value() {
            self.loading.set_value(true);
            self.ask_page(id, Place::After { message: last }, move |page| {
                chat.fresh.set_value(None);
                chat.rows.update_value(|rows| {
                    rows.extend(page.rows);
                });
                chat.loading.set_value(false);
                chat.more_after.set_value(page.more_after);
                chat.lay_out();
            });
        }
    }

    /// Goes to the newest message.
    pub(crate) fn to_latest(self) {
        let Some(id) = self.id.get_untracked() else { return };
        if self.more_after.get_value() {
            let chat = self;
            self.ask_page(id, Place::Newest, move |page| chat.replace(page, Aim::Bottom));
        } else {
            scroll::to_bottom();
        }
    }

    /// A message was told, new or changed.
    pub(crate) fn told(&self, row: MessageRow, new: bool) {
        if matches!(row.state, Some(SendState::NotSent { .. })) && !new {
            app().assertive.set(say("not-sent-kept"));
        }
        if self.id.get_untracked() != Some(row.conversation) {
            return;
        }
        let pinned = self.pins.with_untracked(|pins| pins.iter().any(|pin| pin.id == row.id));
        if pinned || row.marks.pinned {
            self.ask_pins();
        }
        let known = self.rows.with_value(|rows| rows.iter().any(|kept| kept.id == row.id));
        if known {
            self.rows.update_value(|rows| {
                if let Some(kept) = rows.iter_mut().find(|kept| kept.id == row.id) {
                    *kept = row;
                }
            });
            self.lay_out_soon();
            return;
        }
        if !new || !self.loaded.get_untracked() {
            return;
        }
        match &row.from {
            From::Me => self.divider.set_value(None),
            From::Them(person) => {
                let text = words::content(&row.from, &row.content);
                let name = words::name_of(person);
                self.speak(&name, &text);
                if !matches!(row.content, Content::System(_)) {
                    self.below.update(|below| *below += 1);
                    if !dom::looked_at() {
                        let divider = self.divider.get_value();
                        // What was seen is above the line, what came unseen under it.
                        let count = divider
                            .filter(|(first, _)| *first > self.seen.get_value())
                            .map_or((row.id, 1_u32), |(first, count)| (first, count + 1));
                        self.divider.set_value(Some(count));
                    }
                }
            }
            From::System => (),
        }
        if self.more_after.get_value() {
            // Between what is loaded and this message there are others; the button counts it.
            if row.from == From::Me {
                self.to_latest();
            }
            return;
        }
        if row.from == From::Me || scroll::near_bottom() {
            scroll::aim(Aim::Bottom);
        }
        if self.fresh.get_value().is_none() {
            self.fresh.set_value(Some(row.id));
        }
        self.rows.update_value(|rows| {
            let place = rows.partition_point(|kept| kept.id < row.id);
            rows.insert(place, row);
        });
        self.lay_out_soon();
    }

    /// A message is no longer shown.
    pub(crate) fn gone(&self, conversation: ConversationId, message: MessageId) {
        if self.id.get_untracked() == Some(conversation) {
            self.rows.update_value(|rows| rows.retain(|row| row.id != message));
            self.lay_out_soon();
        }
    }

    /// Everything up to a message has been in front of the reader.
    pub(super) fn seen(&self, up_to: MessageId) {
        let Some(conversation) = self.id.get_untracked() else { return };
        if up_to <= self.seen.get_value() || !dom::looked_at() {
            return;
        }
        self.seen.set_value(up_to);
        let unseen = self.rows.with_value(|rows| {
            rows.iter()
                .filter(|row| row.id > up_to)
                .filter(|row| matches!(row.from, From::Them(_)))
                .filter(|row| !matches!(row.content, Content::System(_)))
                .count()
        });
        let loaded = u32::try_from(unseen).unwrap_or(u32::MAX);
        let below = self.below.get_untracked();
        // While newer ones are not loaded the count can only be known to shrink.
        let below = if self.more_after.get_value() { below.max(loaded) } else { loaded };
        self.below.set(below);
        let row = app().row(conversation);
        if row.is_some_and(|row| row.with_untracked(|row| row.unread > 0)) {
            tell(Command::MarkRead { conversation, up_to });
        }
    }

    fn speak(&self, name: &str, text: &str) {
        let now = dom::now();
        let (since, count) = self.spoken.get_value();
        let (since, count) = if now - since > 2000 { (now, 1) } else { (since, count + 1) };
        self.spoken.set_value((since, count));
        app().speak(if count > 3 {
            say_with("new-messages", &[("count", Put::from(count))])
        } else {
            format!("\u{2068}{name}\u{2069}: {text}")
        });
    }

    /// Lays out before the next paint: a thousand arrivals at once are laid out once.
    fn lay_out_soon(&self) {
        if !self.dirty.get_value() {
            self.dirty.set_value(true);
            let chat = *self;
            dom::before_paint(move || {
                if chat.dirty.get_value() {
                    chat.lay_out();
                }
            });
        }
    }

    /// Computes the entries anew and tells the view what changed.
    fn lay_out(&self) {
        self.dirty.set_value(false);
        let divider = self.divider.get_value();
        let laid = self.rows.with_value(|rows| lay_out(rows, divider, time::local_day));
        let keys: Vec<Key> = laid.iter().map(|(key, _)| *key).collect();
        self.entries.update_value(|entries| {
            let mut old = std::mem::take(entries);
            for (key, entry) in laid {
                let signal = match old.remove(&key) {
                    Some(signal) => {
                        if signal.with_untracked(|kept| *kept != entry) {
                            signal.set(entry);
                        }
                        signal
                    }
                    None => ArcRwSignal::new(entry),
                };
                entries.insert(key, signal);
            }
        });
        if self.keys.with_untracked(|kept| *kept != keys) {
            self.keys.set(keys);
        }
        scroll::settle_soon();
    }
}
