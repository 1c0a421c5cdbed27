// SPDX-License-Identifier: AGPL-3.0-or-later
//! Appearance and notifications.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    model::{Notifications, Theme},
    text::LANGUAGES,
};
use web_sys::NotificationPermission;

use crate::{
    notify,
    parts::part,
    push,
    state::app,
    words::{Put, say, say_with},
};

/// A group of radio buttons, one line each.
fn choices<T: Copy + PartialEq + Send + Sync + 'static>(
    name: &'static str,
    title: String,
    all: impl IntoIterator<Item = (T, String)>,
    chosen: impl Fn() -> T + Copy + Send + 'static,
    choose: impl Fn(T) + Copy + 'static,
) -> impl IntoView {
    let lines = all
        .into_iter()
        .map(|(value, label)| {
            html::label().class("item").child((
                html::input()
                    .r#type("radio")
                    .name(name)
                    .prop("checked", move || chosen() == value)
                    .on(ev::change, move |_| choose(value)),
                html::span().class("what").child(label),
            ))
        })
        .collect_view();
    html::fieldset().class("part").child((
        html::legend().class("unseen").child(title.clone()),
        html::h2().attr("aria-hidden", "true").child(title),
        html::div().class("list").child(lines),
    ))
}

/// One switch.
pub(crate) fn switch(
    label: String,
    hint: Option<String>,
    on: impl Fn() -> bool + Send + 'static,
    turn: impl Fn(bool) + 'static,
) -> impl IntoView {
    html::label().class("item").child((
        html::span().class("what").child((
            html::span().child(label),
            hint.map(|hint| html::span().class("hint").child(hint)),
        )),
        html::input()
            .r#type("checkbox")
            .prop("checked", on)
            .on(ev::change, move |event| turn(event_target_checked(&event))),
    ))
}

/// Theme, text size, bubbles or lines, language, Enter.
pub(super) fn appearance() -> impl IntoView {
    let app = app();
    let percent = move || app.settings.with(|settings| settings.text_percent);
    (
        choices(
            "theme",
            say("theme"),
            [
                (Theme::System, say("theme-system")),
                (Theme::Light, say("theme-light")),
                (Theme::Dark, say("theme-dark")),
            ],
            move || app.settings.with(|settings| settings.theme),
            move |theme| app.change_settings(|settings| settings.theme = theme),
        ),
        part(
            say("text-size"),
            html::div().class("list").child(
                html::label().class("item wrap").child((
                    html::span().class("what").child(move || {
                        say_with("percent", &[("percent", Put::from(u32::from(percent())))])
                    }),
                    html::input()
                        .r#type("range")
                        .min("90")
                        .max("200")
                        .step("10")
                        .attr("aria-label", say("text-size"))
                        .prop("value", move || percent().to_string())
                        .on(ev::change, move |event| {
                            if let Ok(percent) = event_target_value(&event).parse() {
                                app.change_settings(|settings| settings.text_percent = percent);
                            }
                        }),
                )),
            ),
        ),
        choices(
            "shape",
            say("messages-as"),
            [(false, say("as-bubbles")), (true, say("as-lines"))],
            move || app.settings.with(|settings| settings.lines),
            move |lines| app.change_settings(|settings| settings.lines = lines),
        ),
        part(
            say("language"),
            html::div().class("list").child(
                html::label().class("item").child((
                    html::span().class("what").child(say("language")),
                    html::select()
                        .on(ev::change, move |event| {
                            let language = event_target_value(&event);
                            app.change_settings(|settings| settings.language = language);
                        })
                        .child({
                            let chosen = app.settings.with_untracked(|s| s.language.clone());
                            let mut options = vec![
                                html::option()
                                    .value("")
                                    .selected(chosen.is_empty())
                                    .child(say("language-system"))
                                    .into_any(),
                            ];
                            options.extend(LANGUAGES.iter().map(|language| {
                                html::option()
                                    .value(language.tag)
                                    .selected(chosen == language.tag)
                                    .child(language.name)
                                    .into_any()
                            }));
                            options
                        }),
                )),
            ),
        ),
        part(
            say("writing"),
            html::div().class("list").child(switch(
                say("enter-sends"),
                Some(say("enter-sends-hint")),
                move || app.settings.with(|settings| settings.enter_sends),
                move |on| app.change_settings(|settings| settings.enter_sends = on),
            )),
        ),
    )
}

/// Off, without text, with text.
pub(super) fn notifications() -> impl IntoView {
    let app = app();
    (
        choices(
            "notifications",
            say("section-notifications"),
            [
                (Notifications::Off, say("notify-off")),
                (Notifications::WithoutText, say("notify-without-text")),
                (Notifications::WithText, say("notify-with-text")),
            ],
            move || app.settings.with(|settings| settings.notifications),
            move |kind| {
                if kind != Notifications::Off {
                    notify::request();
                }
                app.change_settings(|settings| settings.notifications = kind);
            },
        ),
        html::p().class("note").child(match notify::permission() {
            None => say("notify-none"),
            Some(NotificationPermission::Denied) => say("notify-denied"),
            Some(NotificationPermission::Granted) => say("notify-open-only"),
            Some(_) => say("notify-ask"),
        }),
        push::settings(),
    )
}
