// SPDX-License-Identifier: AGPL-3.0-or-later
//! What holds for the whole chat: the bar of pinned messages, and how long messages stay.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    message,
    model::{ConversationId, MessageRow},
};

use super::marks;
use crate::{
    dom::icon_with,
    layer::dialog,
    parts::{Weight, button},
    route,
    state::app,
    words::{Put, say, say_with, span},
};

/// How long messages may stay, seconds; 0 is for good.
const SPANS: [u32; 8] = [0, 30, 300, 3_600, 8 * 3_600, 86_400, 7 * 86_400, 28 * 86_400];

/// The newest pinned message, below the header; each press goes on to the next one.
pub(super) fn bar() -> impl IntoView {
    let pins = app().chat.pins;
    let at = RwSignal::new(0_usize);
    Effect::new(move |_| {
        pins.track();
        at.set(0);
    });
    move || {
        let (pin, count) = pins.with(|pins| (pins.get(at.get()).cloned(), pins.len()));
        pin.map(|pin| line(&pin, at, count))
    }
}

fn line(pin: &MessageRow, at: RwSignal<usize>, count: usize) -> impl IntoView + use<> {
    let id = pin.id;
    let place = (count > 1).then(|| {
        let values = [("at", Put::from(at.get_untracked() + 1)), ("count", Put::from(count))];
        html::span().class("hint").child(say_with("pin-place", &values))
    });
    html::div().class("pinned").child((html::button()
        .r#type("button")
        .class("to")
        .title(say("go-to-pinned"))
        .on(ev::click, move |_| {
            app().chat.go_to(id);
            at.update(|at| *at = (*at + 1) % count.max(1));
        })
        .child((
            icon_with("pin", "icon"),
            html::span().class("quoted").child((
                html::span().class("unseen").child(say("mark-pinned")),
                marks::quoted(&pin.from, &pin.content),
            )),
            place,
        )),))
}

/// Under the title of a chat whose messages disappear.
pub(super) fn timer_line(seconds: u32) -> Option<impl IntoView> {
    (seconds > 0).then(|| {
        let words = say_with("disappear-after", &[("span", Put::Text(&span(seconds)))]);
        html::span().class("hint timer").child((icon_with("timer", "icon small"), words))
    })
}

/// How long new messages of a chat stay.
pub(crate) fn timer_dialog(conversation: ConversationId) -> AnyView {
    let row = app().row(conversation);
    let now = row.map_or(0, |row| row.with_untracked(|row| row.timer));
    let chosen = RwSignal::new(now);
    // One that somebody else set stands among them.
    let mut spans = SPANS.to_vec();
    if !spans.contains(&now) {
        spans.push(now);
        spans.sort_unstable();
    }
    let lines = spans.into_iter().map(|seconds| {
        let label = if seconds == 0 { say("off") } else { span(seconds) };
        html::label().class("item").child((
            html::span().class("what").child(label),
            html::input()
                .r#type("radio")
                .name("timer")
                .checked(seconds == now)
                .on(ev::change, move |_| chosen.set(seconds)),
        ))
    });
    dialog(
        say("disappearing"),
        (
            html::p().child(say("disappearing-hint")),
            html::fieldset().child((
                html::legend().class("unseen").child(say("disappearing")),
                html::div().class("list").child(lines.collect_view()),
            )),
            html::div().class("row-of-buttons").child(button(
                Weight::Main,
                say("save"),
                move || {
                    route::close();
                    let seconds = chosen.get_untracked();
                    marks::tell(message::Command::Timer { conversation, seconds });
                },
            )),
        ),
    )
    .into_any()
}
