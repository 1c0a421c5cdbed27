// SPDX-License-Identifier: AGPL-3.0-or-later
//! Asks to save the recovery words: a card on the list after the first delivered message. "Later" hides it for three
//! days, then for seven; after that a dot on the gear is all. It covers nothing and never comes back once they are saved.

use leptos::{html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    device,
    model::{ConversationRow, SendState},
};

use crate::{
    bridge::ask,
    dom,
    parts::{Weight, button},
    route::{self, Route, Section},
    state::app,
    words::{Put, say, say_with},
};

/// What is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    /// They are on this device still.
    pub(crate) here: RwSignal<bool>,
    /// They are to be shown as soon as their page opens.
    pub(crate) open: RwSignal<bool>,
    /// A message of one's own arrived somewhere.
    delivered: RwSignal<bool>,
    /// How often "Later" was said, and until when it holds.
    later: RwSignal<(u32, u64)>,
}

impl Words {
    pub(crate) fn new() -> Self {
        let later = dom::remembered(LATER).unwrap_or_default();
        let (times, until) = later.split_once(' ').unwrap_or_default();
        Self {
            here: RwSignal::new(false),
            open: RwSignal::new(false),
            delivered: RwSignal::new(dom::remembered(DELIVERED).is_some()),
            later: RwSignal::new((times.parse().unwrap_or(0), until.parse().unwrap_or(0))),
        }
    }

    /// A message of one's own stands so now.
    pub(crate) fn saw(&self, state: Option<&SendState>) {
        let arrived = matches!(state, Some(SendState::Delivered | SendState::Read));
        if arrived && !self.delivered.get_untracked() {
            dom::remember(DELIVERED, "1");
            self.delivered.set(true);
        }
    }

    /// The list as it was read.
    pub(crate) fn saw_rows(&self, rows: &[ConversationRow]) {
        rows.iter()
            .for_each(|row| self.saw(row.last.as_ref().and_then(|last| last.state.as_ref())));
    }

    /// How often it was put off, once it is due.
    fn due(&self) -> Option<u32> {
        let (times, until) = self.later.get();
        (self.here.get() && self.delivered.get() && app().now.get() >= until).then_some(times)
    }

    /// Whether the gear has its dot.
    pub(crate) fn dot(&self) -> bool {
        self.due().is_some_and(|times| times >= DAYS.len() as u32)
    }

    fn put_off(&self) {
        let (times, _) = self.later.get_untracked();
        let days = DAYS.get(times as usize).copied().unwrap_or_default();
        let later = (times + 1, dom::now() + days * 24 * 60 * 60 * 1000);
        dom::remember(LATER, &format!("{} {}", later.0, later.1));
        self.later.set(later);
    }
}

/// Asks whether the words are here.
pub(crate) fn look() {
    ask(Command::Device { of: device::Command::WordsAsk }, |reply| {
        let here = matches!(reply, Reply::Device(device::Reply::Places { .. }));
        app().words.here.set(here);
    });
}

/// To the words themselves, without an introduction.
pub(crate) fn show() {
    app().words.open.set(true);
    route::go(Route::Section(Section::Words));
}

/// The card.
pub(crate) fn card() -> impl IntoView {
    let words = app().words;
    let shown = Memo::new(move |_| words.due().is_some_and(|times| times < DAYS.len() as u32));
    move || {
        shown.get().then(|| {
            let profile = app().profile.get();
            let handle = profile.map(|profile| format!("@{}", profile.handle)).unwrap_or_default();
            html::section().class("card remind").attr("aria-label", say("section-words")).child((
                html::p().child(say_with("words-text", &[("handle", Put::Text(&handle))])),
                html::div().class("row-of-buttons").child((
                    button(Weight::Main, say("show-words"), show),
                    button(Weight::Plain, say("later"), move || words.put_off()),
                )),
            ))
        })
    }
}

/// For how long each "Later" holds.
const DAYS: [u64; 2] = [3, 7];

/// What is remembered outside the database: nothing of a chat.
pub(crate) const DELIVERED: &str = "delivered";
pub(crate) const LATER: &str = "words-later";
