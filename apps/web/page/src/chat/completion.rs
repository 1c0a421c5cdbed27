// SPDX-License-Identifier: AGPL-3.0-or-later
//! While a handle is typed after `@` in a group: the members it may be. Arrows choose, Enter or Tab takes, Esc closes.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, Person},
};
use web_sys::{HtmlTextAreaElement, KeyboardEvent};

use crate::{
    bridge::ask,
    parts::{bdi, face_of},
    state::app,
    words::{name_of, say},
};

/// People shown at once.
const SHOWN: usize = 6;

/// Who may be meant by what is typed.
#[derive(Clone, Copy)]
pub(super) struct Completion {
    conversation: ConversationId,
    members: RwSignal<Option<Vec<Person>>>,
    // What stands between `@` and the cursor; none if no handle is typed.
    typed: RwSignal<Option<String>>,
    chosen: RwSignal<usize>,
    found: Memo<Vec<Person>>,
}

impl Completion {
    pub(super) fn new(conversation: ConversationId) -> Self {
        let members: RwSignal<Option<Vec<Person>>> = RwSignal::new(None);
        let typed: RwSignal<Option<String>> = RwSignal::new(None);
        let found = Memo::new(move |_| {
            let (Some(typed), Some(members)) = (typed.get(), members.get()) else {
                return Vec::new();
            };
            let fits = |person: &&Person| {
                let name = person.name.to_lowercase();
                let word = name.split_whitespace().any(|word| word.starts_with(&typed));
                !person.handle.is_empty() && (person.handle.starts_with(&typed) || word)
            };
            members.iter().filter(fits).take(SHOWN).cloned().collect()
        });
        Self { conversation, members, typed, chosen: RwSignal::new(0), found }
    }

    /// The text changed or the cursor moved.
    pub(super) fn look(&self, area: &HtmlTextAreaElement) {
        let typed = app().chat.is_group().then(|| before_cursor(area)).and_then(|text| {
            let at = text.rfind('@')?;
            let (before, handle) = text.split_at(at);
            let handle = handle.strip_prefix('@')?;
            let begins = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            let is_one = handle.len() <= 32 && !handle.contains(char::is_whitespace);
            (begins && is_one).then(|| handle.to_lowercase())
        });
        if typed.is_some() && self.members.with_untracked(Option::is_none) {
            let members = self.members;
            members.set(Some(Vec::new()));
            ask(Command::Sheet { conversation: self.conversation }, move |reply| {
                if let Reply::Sheet(sheet) = reply {
                    let others = sheet.members.into_iter().filter(|member| !member.me);
                    members.try_set(Some(others.map(|member| member.person).collect()));
                }
            });
        }
        if self.typed.with_untracked(|before| *before != typed) {
            self.chosen.set(0);
            self.typed.set(typed);
        }
    }

    pub(super) fn close(&self) {
        self.typed.set(None);
    }

    /// The line that the field's keys mean.
    pub(super) fn active(&self) -> Option<String> {
        let open = self.found.with(|found| !found.is_empty());
        open.then(|| format!("mention-{}", self.chosen.get()))
    }

    /// Whether a key was for the list.
    pub(super) fn key(&self, event: &KeyboardEvent, area: NodeRef<html::Textarea>) -> bool {
        let count = self.found.with_untracked(Vec::len);
        if count == 0 {
            return false;
        }
        let chosen = self.chosen.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => self.chosen.set((chosen + 1) % count),
            "ArrowUp" => self.chosen.set((chosen + count - 1) % count),
            "Enter" | "Tab" if !event.shift_key() => {
                if let Some(area) = area.get_untracked() {
                    self.take(chosen, &area);
                }
            }
            "Escape" => self.close(),
            _ => return false,
        }
        true
    }

    fn take(&self, chosen: usize, area: &HtmlTextAreaElement) {
        let person = self.found.with_untracked(|found| found.get(chosen).cloned());
        let before = before_cursor(area);
        let (Some(person), Some(at)) = (person, before.rfind('@')) else { return };
        let text = area.value();
        let after = text.get(before.len()..).unwrap_or_default();
        let start = format!("{}@{} ", before.get(..at).unwrap_or_default(), person.handle);
        area.set_value(&format!("{start}{after}"));
        let cursor = u32::try_from(start.encode_utf16().count()).unwrap_or(u32::MAX);
        drop(area.set_selection_range(cursor, cursor));
        self.close();
    }

    /// The list above the field.
    pub(super) fn list(&self, area: NodeRef<html::Textarea>) -> impl IntoView + use<> {
        let this = *self;
        move || {
            let found = this.found.get();
            if found.is_empty() {
                return None;
            }
            let lines = found.into_iter().enumerate().map(|(index, person)| {
                let handle = format!("@{}", person.handle);
                html::div()
                    .class("row")
                    .role("option")
                    .id(format!("mention-{index}"))
                    .attr("aria-selected", move || (this.chosen.get() == index).to_string())
                    // Before the field loses the focus.
                    .on(ev::pointerdown, move |event| {
                        event.prevent_default();
                        if let Some(area) = area.get_untracked() {
                            this.take(index, &area);
                            drop(area.focus());
                        }
                    })
                    .child((
                        face_of(&person, "small"),
                        html::span().class("lines").child(bdi(name_of(&person))),
                        html::span().class("hint").dir("ltr").child(handle),
                    ))
            });
            Some(
                html::div()
                    .class("completion jump-list")
                    .role("listbox")
                    .attr("aria-label", say("members"))
                    .child(lines.collect_view()),
            )
        }
    }
}

/// What stands before the cursor.
fn before_cursor(area: &HtmlTextAreaElement) -> String {
    let text = area.value();
    let cursor = area.selection_start().ok().flatten().unwrap_or(u32::MAX);
    let mut units = 0_u32;
    let taken = text.chars().take_while(|c| {
        units += c.len_utf16() as u32;
        units <= cursor
    });
    taken.collect()
}
