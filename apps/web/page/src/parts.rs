// SPDX-License-Identifier: AGPL-3.0-or-later
//! The parts screens are made of: buttons, faces, headers, strips. Drawn by native elements, so that
//! keyboard and screen reader work without being told to.
//!
//! Views are built with functions, not with the `view!` macro: the macro writes constant parts through
//! `innerHTML`, which Trusted Types forbids.

use leptos::{ev, html, prelude::*};
use nodoor_view::model::{ConversationRow, Kind, Person};
use web_sys::MouseEvent;

use crate::{
    dom::{icon, icon_with},
    route,
    words::{name_of, say},
};

/// How a button stands among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The one thing to do here: teal.
    Main,
    /// One of several.
    Plain,
    /// Words alone.
    Quiet,
    /// Something is lost by it.
    Danger,
}

/// A button with a word on it.
pub(crate) fn button(
    weight: Weight,
    label: impl Into<String>,
    pressed: impl Fn() + 'static,
) -> impl IntoView {
    html::button()
        .r#type("button")
        .class(class_of(weight))
        .on(ev::click, move |_| pressed())
        .child(label.into())
}

/// The button that sends its form.
pub(crate) fn submit(label: impl Into<String>, busy: Signal<bool>) -> impl IntoView {
    html::button()
        .r#type("submit")
        .class("button main-one")
        .disabled(move || busy.get())
        .child(label.into())
}

fn class_of(weight: Weight) -> &'static str {
    match weight {
        Weight::Main => "button main-one",
        Weight::Plain => "button",
        Weight::Quiet => "button plain",
        Weight::Danger => "button danger",
    }
}

/// A button with a picture on it; `label` is its name and tooltip.
pub(crate) fn icon_button(
    name: &'static str,
    label: impl Into<String>,
    pressed: impl Fn(MouseEvent) + 'static,
) -> impl IntoView {
    let label = label.into();
    html::button()
        .r#type("button")
        .class("icon-button")
        .title(label.clone())
        .attr("aria-label", label)
        .on(ev::click, pressed)
        .child(icon(name))
}

/// The button that goes to the place above.
pub(crate) fn back() -> impl IntoView {
    let label = say("back");
    html::button()
        .r#type("button")
        .class("icon-button")
        .title(label.clone())
        .attr("aria-label", label)
        .on(ev::click, |_| route::up())
        .child(icon_with("chevron-left", "icon mirror"))
}

/// The header of a page in the main pane.
pub(crate) fn page_head(title: impl Into<String>, deep: bool) -> impl IntoView {
    html::header().class("head back").child((
        html::div().class(if deep { "" } else { "only-phone" }).child(back()),
        html::h1().child(title.into()),
    ))
}

/// A page of prose or settings: a header and one column.
pub(crate) fn page(title: impl Into<String>, deep: bool, inner: impl IntoView) -> impl IntoView {
    (
        page_head(title, deep),
        // What scrolls can be scrolled by key.
        html::div()
            .class("page")
            .tabindex("0")
            .child(html::div().class("inner").child(inner.into_view())),
    )
}

/// The colour a person has everywhere: by account, so that it stays when the name changes.
pub(crate) fn colour(account: &str) -> u32 {
    // FNV-1a; any spread over eight will do, as long as it never changes.
    let hash = account
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) % 8
}

/// A picture: the first letter on the person's colour. `size`: `small`, `middle`, empty or `large`.
pub(crate) fn face(account: &str, name: &str, size: &str) -> impl IntoView + use<> {
    html::span()
        .class(format!("face {size} person-{}", colour(account)))
        .attr("aria-hidden", "true")
        .child(initial(name))
}

/// The picture of a person.
pub(crate) fn face_of(person: &Person, size: &str) -> impl IntoView + use<> {
    face(&person.account, &name_of(person), size)
}

/// The picture of a chat.
pub(crate) fn face_of_chat(row: &ConversationRow, size: &str) -> AnyView {
    if row.saved {
        return html::span()
            .class(format!("face saved {size}"))
            .attr("aria-hidden", "true")
            .child(icon("bookmark"))
            .into_any();
    }
    match (&row.person, row.kind) {
        (Some(person), Kind::Direct) => face(&person.account, &row.title, size).into_any(),
        _ => face(&row.reference, &row.title, size).into_any(),
    }
}

fn initial(name: &str) -> String {
    let first = name.chars().find(|c| c.is_alphanumeric());
    first.map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
}

/// A name of somebody, isolated from the words around it.
pub(crate) fn bdi(name: impl Into<String>) -> impl IntoView {
    html::bdi().child(name.into())
}

/// A part of a settings page: a heading and what is under it.
pub(crate) fn part(title: impl Into<String>, inner: impl IntoView) -> impl IntoView {
    html::section().class("part").child((html::h2().child(title.into()), inner.into_view()))
}

/// A line of a list that goes somewhere.
pub(crate) fn item_to(
    to: route::Route,
    picture: &'static str,
    label: String,
    value: impl IntoView,
) -> impl IntoView {
    html::a()
        .class("item")
        .href(to.hash())
        .on(ev::click, move |event| {
            event.prevent_default();
            route::go(to.clone());
        })
        .child((
            icon(picture),
            html::span().class("what").child(label),
            value.into_view(),
            icon_with("chevron-right", "icon small mirror"),
        ))
}
