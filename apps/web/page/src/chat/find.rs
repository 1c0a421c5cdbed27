// SPDX-License-Identifier: AGPL-3.0-or-later
//! Search in the open chat: a bar below the header, hits marked where they stand, arrows between them, and a date to jump to.

use std::cell::RefCell;

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Place, Reply},
    model::{ConversationId, MessageId, Milliseconds},
    past::{self, Hit, Hits},
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::KeyboardEvent;

use crate::{
    bridge::ask,
    dom::{self, icon},
    parts::icon_button,
    state::app,
    words::{Put, say, say_with},
};

/// Hits asked for at once.
const PAGE: u32 = 100;
/// Milliseconds after a key until it is searched.
const PAUSE: i32 = 80;
/// The name of the mark in the style sheet.
const MARK: &str = "found";

/// What is looked for in the open chat.
#[derive(Clone, Copy)]
pub(super) struct Find {
    /// Whether the bar is there.
    pub(super) open: RwSignal<bool>,
    hits: RwSignal<Vec<Hit>>,
    more: RwSignal<Option<i64>>,
    at: RwSignal<usize>,
    // Counts questions, so that a late answer to an old one is dropped.
    asked: StoredValue<u32>,
    query: RwSignal<String>,
}

impl Find {
    pub(super) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            hits: RwSignal::new(Vec::new()),
            more: RwSignal::new(None),
            at: RwSignal::new(0),
            asked: StoredValue::new(0),
            query: RwSignal::new(String::new()),
        }
    }

    pub(super) fn close(&self) {
        self.open.set(false);
        self.hits.set(Vec::new());
        self.query.set(String::new());
        unmark();
    }

    fn search(self, query: String, before: Option<i64>) {
        let Some(conversation) = app().chat.id.get_untracked() else { return };
        self.asked.update_value(|n| *n = n.wrapping_add(1));
        let number = self.asked.get_value();
        let of =
            past::Command::Search { query, conversation: Some(conversation), before, limit: PAGE };
        ask(Command::Past { of }, move |reply| {
            if self.asked.try_get_value() != Some(number) {
                return;
            }
            if let Reply::Past(past::Reply::Hits(Hits { rows, before: more, .. })) = reply {
                self.more.set(more);
                if before.is_some() {
                    self.hits.update(|hits| hits.extend(rows));
                } else {
                    self.at.set(0);
                    self.hits.set(rows);
                    self.show();
                }
            }
        });
    }

    /// Goes to the next hit: older ones come after newer ones.
    fn step(self, older: bool) {
        let count = self.hits.with_untracked(Vec::len);
        if count == 0 {
            return;
        }
        let at = self.at.get_untracked();
        self.at.set(if older { (at + 1) % count } else { (at + count - 1) % count });
        if let Some(before) = self.more.get_untracked().filter(|_| at + 2 >= count) {
            self.search(self.query.get_untracked(), Some(before));
        }
        self.show();
    }

    fn show(self) {
        unmark();
        let hit = self.hits.with_untracked(|hits| hits.get(self.at.get_untracked()).cloned());
        if let Some(hit) = hit {
            app().chat.go_to_quietly(hit.message);
            mark(hit.message, found_in(&hit));
        }
    }
}

/// The words of a hit, as they stand in the message.
pub(crate) fn found_in(hit: &Hit) -> Vec<String> {
    let words = hit.marks.iter().filter_map(|range| hit.snippet.get(range.clone()));
    words.map(str::to_owned).collect()
}

/// The bar, while one searches.
pub(super) fn bar(id: ConversationId) -> impl IntoView {
    let find = app().chat.find;
    move || find.open.get().then(|| field(id, find))
}

fn field(id: ConversationId, find: Find) -> impl IntoView {
    let node: NodeRef<html::Input> = NodeRef::new();
    Effect::new(move |_| {
        if let Some(field) = node.get() {
            drop(field.focus());
        }
    });
    let timer: StoredValue<Option<i32>> = StoredValue::new(None);
    let changed = move |query: String| {
        find.query.set(query.clone());
        if let Some(timer) = timer.get_value() {
            dom::not_after(timer);
        }
        timer.set_value(Some(dom::after(PAUSE, move || find.search(query, None))));
    };
    let count = move || {
        let (count, at) = (find.hits.with(Vec::len), find.at.get());
        match (count, find.query.with(|query| query.trim().is_empty())) {
            (_, true) => String::new(),
            (0, false) => say("found-nothing"),
            (count, false) => {
                let more = if find.more.get().is_some() { "+" } else { "" };
                let count = format!("{count}{more}");
                say_with("found-place", &[("at", Put::from(at + 1)), ("count", Put::Text(&count))])
            }
        }
    };
    html::div().class("find").role("search").child((
        html::div().class("input").child((
            icon("search"),
            html::input()
                .node_ref(node)
                .r#type("search")
                .dir("auto")
                .attr("aria-label", say("find-in-chat"))
                .attr("autocomplete", "off")
                .placeholder(say("find-in-chat"))
                .on(ev::input, move |event| changed(event_target_value(&event)))
                .on(ev::keydown, move |event: KeyboardEvent| match event.key().as_str() {
                    "Enter" if !event.is_composing() => {
                        event.prevent_default();
                        find.step(!event.shift_key());
                    }
                    "ArrowUp" => {
                        event.prevent_default();
                        find.step(true);
                    }
                    "ArrowDown" => {
                        event.prevent_default();
                        find.step(false);
                    }
                    "Escape" => {
                        event.prevent_default();
                        event.stop_propagation();
                        find.close();
                        dom::focus(".composer textarea");
                    }
                    _ => (),
                }),
            html::span().class("hint").role("status").child(count),
        )),
        icon_button("arrow-up", say("found-older"), move |_| find.step(true)),
        icon_button("arrow-down", say("found-newer"), move |_| find.step(false)),
        date(id),
        icon_button("x", say("close"), move |_| {
            find.close();
            dom::focus(".composer textarea");
        }),
    ))
}

/// A day to go to.
fn date(id: ConversationId) -> impl IntoView {
    html::label().class("date-field").title(say("go-to-date")).child((
        html::span().class("unseen").child(say("go-to-date")),
        html::input().r#type("date").on(ev::change, move |event| {
            let at = js_sys::Date::new(&JsValue::from_str(&format!(
                "{}T00:00:00",
                event_target_value(&event)
            )));
            let time = at.get_time();
            if time.is_finite() && time >= 0.0 {
                app().chat.go_to_place(id, Place::At { time: Milliseconds(time as u64) });
            }
        }),
    ))
}

thread_local! {
    // What is to be marked once its message is drawn.
    static WANTED: RefCell<Option<(MessageId, Vec<String>)>> = const { RefCell::new(None) };
}

/// Marks words in a message where it is drawn. By ranges, so that the page's elements stay as they are.
pub(super) fn mark(message: MessageId, words: Vec<String>) {
    WANTED.set(Some((message, words)));
    again(0);
}

fn again(tries: u32) {
    dom::after(if tries == 0 { 0 } else { 60 }, move || {
        let Some((message, words)) = WANTED.with_borrow(Clone::clone) else { return };
        let place = format!(".messages [data-id='{}'] .text", message.0);
        match dom::find(&place) {
            Some(element) => {
                WANTED.set(None);
                // Without the browser's marks the message stands out all the same.
                let _ = highlight(&element, &words);
            }
            None if tries < 20 => again(tries + 1),
            None => WANTED.set(None),
        }
    });
}

fn unmark() {
    WANTED.set(None);
    if let Some(highlights) = highlights() {
        dom::call_with(&highlights, "delete", &MARK.into());
    }
}

/// The registry of the CSS Custom Highlight API, where the browser has it.
fn highlights() -> Option<JsValue> {
    let css = js_sys::Reflect::get(&dom::window(), &"CSS".into()).ok()?;
    js_sys::Reflect::get(&css, &"highlights".into()).ok().filter(|found| !found.is_undefined())
}

fn highlight(element: &web_sys::HtmlElement, words: &[String]) -> Option<()> {
    let highlights = highlights()?;
    let made = js_sys::Reflect::get(&dom::window(), &"Highlight".into()).ok()?;
    let made: js_sys::Function = made.dyn_into().ok()?;
    let mark = js_sys::Reflect::construct(&made, &js_sys::Array::new()).ok()?;
    let add: js_sys::Function = js_sys::Reflect::get(&mark, &"add".into()).ok()?.dyn_into().ok()?;
    let walker = dom::document().create_tree_walker_with_what_to_show(element, SHOW_TEXT).ok()?;
    while let Ok(Some(node)) = walker.next_node() {
        let text = node.text_content().unwrap_or_default();
        for word in words.iter().filter(|word| !word.is_empty()) {
            for (at, _) in text.match_indices(word.as_str()) {
                let units = |text: &str| u32::try_from(text.encode_utf16().count()).ok();
                let start = units(text.get(..at)?)?;
                let range = dom::document().create_range().ok()?;
                range.set_start(&node, start).ok()?;
                range.set_end(&node, start + units(word)?).ok()?;
                add.call1(&mark, &range).ok()?;
            }
        }
    }
    let set: js_sys::Function =
        js_sys::Reflect::get(&highlights, &"set".into()).ok()?.dyn_into().ok()?;
    set.call2(&highlights, &MARK.into(), &mark).ok()?;
    Some(())
}

/// `NodeFilter.SHOW_TEXT`.
const SHOW_TEXT: u32 = 4;
