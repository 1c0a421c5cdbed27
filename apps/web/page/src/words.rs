// SPDX-License-Identifier: AGPL-3.0-or-later
//! The words of the page: `nodoor_view::text` in the language chosen, names isolated.
//!
//! Everything a person reads comes through here; no other file of the page holds a sentence.

use std::cell::RefCell;

use nodoor_view::{
    message::Mention,
    model::{Content, ConversationRow, From, Person, Problem, Proof, SendState},
    text::{Language, Texts},
};

pub(crate) use nodoor_view::text::Value as Put;

thread_local! {
    static TEXTS: RefCell<Texts> = RefCell::new(Texts::new("en"));
}

/// Chooses the language nearest to a tag and tells which it is.
pub(crate) fn choose(tag: &str) -> Language {
    TEXTS.with_borrow_mut(|texts| {
        *texts = Texts::new(tag);
        *texts.language()
    })
}

/// The tag of the language in use, for `Intl` and `lang`.
pub(crate) fn tag() -> &'static str {
    TEXTS.with_borrow(|texts| texts.language().tag)
}

/// A message without values.
pub(crate) fn say(id: &str) -> String {
    say_with(id, &[])
}

/// A message with values.
pub(crate) fn say_with(id: &str, values: &[(&str, Put<'_>)]) -> String {
    let mut text = TEXTS.with_borrow(|texts| texts.get(id, values));
    for (_, value) in values {
        if let Put::Count(count) = value {
            // A number has no direction of its own to be kept.
            text = text.replace(&format!("\u{2068}{count}\u{2069}"), &count.to_string());
        }
    }
    text
}

/// The name a person is shown by.
pub(crate) fn name_of(person: &Person) -> String {
    TEXTS.with_borrow(|texts| texts.person(person))
}

/// What a chat is called.
pub(crate) fn title(row: &ConversationRow) -> String {
    TEXTS.with_borrow(|texts| texts.title(row))
}

/// What a message says, in words.
pub(crate) fn content(from: &From, content: &Content) -> String {
    TEXTS.with_borrow(|texts| texts.content(from, content))
}

/// Somebody that a text names.
pub(crate) fn mention(mentions: &[Mention], account: &str, called: &str) -> String {
    TEXTS.with_borrow(|texts| texts.mention(mentions, account, called))
}

/// Who types; nothing if nobody does.
pub(crate) fn typing(people: &[Person]) -> Option<String> {
    TEXTS.with_borrow(|texts| texts.typing(people))
}

/// A length of time.
pub(crate) fn span(seconds: u32) -> String {
    // A number has no direction of its own to be kept.
    TEXTS.with_borrow(|texts| texts.span(seconds)).replace(['\u{2068}', '\u{2069}'], "")
}

/// What happened and what to do, without codes.
pub(crate) fn problem(problem: &Problem) -> String {
    TEXTS.with_borrow(|texts| texts.problem(problem))
}

/// What is proved, in one sentence.
pub(crate) fn proof(proof: &Proof, server: &str) -> String {
    TEXTS.with_borrow(|texts| texts.proof(proof, server))
}

/// The state of one's own message of a chat.
pub(crate) fn state(state: &SendState, chat: &ConversationRow) -> String {
    TEXTS.with_borrow(|texts| texts.state(state, chat))
}
