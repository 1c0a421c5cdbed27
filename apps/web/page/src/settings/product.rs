// SPDX-License-Identifier: AGPL-3.0-or-later
//! Storage, the version, and what Nodoor cannot do: the same weight, not small print.

use leptos::{html, prelude::*};

use super::storage as browser_storage;
use crate::{
    dom,
    onboarding::address,
    parts::{item_to, part},
    route::{Route, Section},
    state::app,
    time,
    words::{Put, say, say_with},
};

/// Used, and whether the browser keeps it.
pub(super) fn storage() -> impl IntoView {
    let used: RwSignal<Option<u32>> = RwSignal::new(None);
    let kept: RwSignal<Option<bool>> = RwSignal::new(None);
    if let Some(storage) = browser_storage() {
        if let Some(promise) = dom::call(&storage, "estimate") {
            dom::when(promise.into(), move |estimate| {
                let bytes = estimate
                    .and_then(|estimate| js_sys::Reflect::get(&estimate, &"usage".into()).ok())
                    .and_then(|usage| usage.as_f64());
                used.try_set(bytes.map(|bytes| (bytes / 1024.0).ceil() as u32));
            });
        }
        if let Some(promise) = dom::call(&storage, "persisted") {
            dom::when(promise.into(), move |answer| {
                kept.try_set(answer.map(|answer| answer.is_truthy()));
            });
        }
    }
    (
        html::dl().class("list").child((
            line(say("storage-used"), move || {
                used.get().map(|kib| say_with("kilobytes", &[("size", Put::from(kib))]))
            }),
            line(say("storage-kept"), move || {
                kept.get().map(|kept| if kept { say("yes") } else { say("no") })
            }),
        )),
        html::p().class("note").child(say("storage-note")),
    )
}

fn line(label: String, value: impl Fn() -> Option<String> + Send + 'static) -> impl IntoView {
    html::div()
        .class("item")
        .child((html::dt().class("what").child(label), html::dd().class("value").child(value)))
}

/// Version, build, limits, licences.
pub(super) fn about() -> impl IntoView {
    let versions = crate::update::compared();
    let build = option_env!("NODOOR_BUILD").unwrap_or("");
    (
        html::dl().class("list").child((
            line(say("version"), || Some(env!("CARGO_PKG_VERSION").to_owned())),
            (!build.is_empty()).then(|| line(say("build"), move || Some(build.to_owned()))),
            line(say("server"), || Some(address())),
            line(say("public-log"), public_log),
            move || {
                public_log_change()
                    .map(|said| line(say("public-log-change"), move || Some(said.clone())))
            },
            html::div().class("item wrap").child((
                html::dt().class("what").child(say("fingerprint")),
                html::dd()
                    .class("code")
                    .dir("ltr")
                    .child(move || versions.with(|all| all.first().cloned())),
            )),
        )),
        html::div().class("list").child((
            item_to(Route::Section(Section::Limits), "circle-alert", say("section-limits"), ()),
            html::a()
                .class("item")
                .href("/licences.txt")
                .target("_blank")
                .rel("noreferrer")
                .child(html::span().class("what").child(say("licences"))),
        )),
        html::p().class("note").child(say("about-text")),
    )
}

/// What is known of the public log: whether there is one, and who watches it.
fn public_log() -> Option<String> {
    let log = app().ledger.get()?;
    Some(match (log.log_time, log.unwitnessed) {
        (None, _) => say("public-log-none"),
        (Some(_), true) => say("check-unwitnessed"),
        (Some(_), false) => {
            let names = log.witnesses.join(", ");
            say_with("public-log-watched", &[("names", Put::Text(&names))])
        }
    })
}

/// That others will watch it, or do since this month.
fn public_log_change() -> Option<String> {
    let app = app();
    let change = app.ledger.get()?.change?;
    let day = time::day_line(change.due, app.now.get());
    let names = change.witnesses.join(", ");
    let id = if change.done { "public-log-since" } else { "public-log-from" };
    Some(say_with(id, &[("day", Put::Text(&day)), ("names", Put::Text(&names))]))
}

/// The limits, each: one sentence, what helps.
const LIMITS: [&str; 11] = [
    "limit-log",
    "limit-server",
    "limit-page",
    "limit-anew",
    "limit-digits",
    "limit-device",
    "limit-signature",
    "limit-report",
    "limit-copy",
    "limit-channels",
    "limit-calls",
];

/// The list of limits.
pub(crate) fn limits() -> impl IntoView {
    html::ul().class("limits").child(
        LIMITS
            .into_iter()
            // What a release does not have yet has no limit to tell either.
            .filter(|id| !matches!(*id, "limit-report" | "limit-channels"))
            .map(|id| {
                html::li().child((
                    html::strong().child(say(id)),
                    html::span().class("quiet").child(say(&format!("{id}-helps"))),
                ))
            })
            .collect_view(),
    )
}

/// The page of limits.
pub(super) fn limits_page() -> impl IntoView {
    part(say("limits-lead"), limits())
}
