// SPDX-License-Identifier: AGPL-3.0-or-later
//! Settings: the one place for them. A list of pages, each a few lines.

pub(crate) mod devices;
mod look;
pub(crate) mod private;
mod product;
mod recovery;

use leptos::{html, prelude::*};
use wasm_bindgen::JsValue;

pub(crate) use self::{look::switch, product::limits};
use crate::{
    dom,
    parts::{item_to, page},
    route::{Route, Section},
    state::app,
    words::say,
};

/// The list of pages.
pub(crate) fn settings() -> impl IntoView {
    page(
        say("settings"),
        false,
        html::nav().class("list").attr("aria-label", say("settings")).child(
            Section::ALL
                .into_iter()
                .map(|(section, slug, icon)| {
                    let waits = move || {
                        (section == Section::Words && app().words.dot())
                            .then(|| html::span().class("value").child(say("words-unsaved")))
                    };
                    item_to(Route::Section(section), icon, say(&format!("section-{slug}")), waits)
                })
                .collect_view(),
        ),
    )
}

/// One page.
pub(crate) fn section(section: Section) -> AnyView {
    let title = say(&format!("section-{}", section.slug()));
    let inner = match section {
        Section::Profile => private::profile().into_any(),
        Section::Devices => devices::devices().into_any(),
        Section::Words => recovery::recovery().into_any(),
        Section::Appearance => look::appearance().into_any(),
        Section::Notifications => look::notifications().into_any(),
        Section::Privacy => private::privacy().into_any(),
        Section::Storage => product::storage().into_any(),
        Section::About => product::about().into_any(),
        Section::Limits => product::limits_page().into_any(),
        Section::Erase => private::erase().into_any(),
    };
    page(title, true, inner).into_any()
}

// The browser was asked to keep the database, and would not.
const NOT_KEPT: &str = "not-kept";
// When the person closed the strip about it.
const CLOSED: &str = "not-kept-closed";
/// What is remembered of it.
pub(crate) const KEPT: [&str; 2] = [NOT_KEPT, CLOSED];

/// Asks the browser to keep the database; where it will not, a strip says so until it is closed, and a week later again.
pub(crate) fn ask_to_keep() {
    whether_kept("persist");
}

/// At the start, once it was asked: does it still hold?
pub(crate) fn still_kept() {
    if dom::remembered(NOT_KEPT).is_some() {
        whether_kept("persisted");
    }
}

/// The person has read the strip.
pub(crate) fn close_not_kept() {
    dom::remember(CLOSED, &dom::now().to_string());
    app().not_kept.set(false);
}

fn whether_kept(question: &str) {
    let Some(storage) = storage() else { return };
    let Some(promise) = dom::call(&storage, question) else { return };
    dom::when(promise.into(), |kept| {
        if kept.is_some_and(|kept| kept.is_truthy()) {
            dom::forget(NOT_KEPT);
            app().not_kept.set(false);
            return;
        }
        const WEEK: u64 = 7 * 24 * 60 * 60 * 1000;
        dom::remember(NOT_KEPT, "1");
        let closed = dom::remembered(CLOSED).and_then(|at| at.parse::<u64>().ok());
        if closed.is_none_or(|at| dom::now().saturating_sub(at) > WEEK) {
            app().not_kept.set(true);
        }
    });
}

/// `navigator.storage`, where there is one.
fn storage() -> Option<JsValue> {
    let navigator: JsValue = dom::window().navigator().into();
    js_sys::Reflect::get(&navigator, &"storage".into()).ok().filter(JsValue::is_object)
}
