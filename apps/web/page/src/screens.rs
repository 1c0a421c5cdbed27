// SPDX-License-Identifier: AGPL-3.0-or-later
//! The screens that take the whole window: what happened, what is kept, one button.

use leptos::{html, prelude::*};

use crate::{
    bridge::{self, Word},
    dom::{self, icon_with},
    onboarding::address,
    parts::{Weight, button},
    state::{Engine, app},
    words::{Put, say, say_with},
};

fn screen(
    picture: &'static str,
    title: String,
    text: impl IntoView + 'static,
    action: Option<AnyView>,
) -> AnyView {
    html::main()
        .class("full")
        .child(
            html::div().class("inner").child((
                icon_with(picture, "icon big"),
                html::div()
                    .class("head-text")
                    .child((html::h1().child(title), html::p().class("quiet").child(text))),
                action,
            )),
        )
        .into_any()
}

fn reload() {
    drop(dom::window().location().reload());
}

/// Another tab has the database.
pub(crate) fn taken() -> AnyView {
    let here = || {
        app().engine.set(Engine::Starting);
        bridge::word(Word::Take);
    };
    let action = button(Weight::Main, say("use-it-here"), here).into_any();
    screen("copy", say("taken"), say("taken-text"), Some(action))
}

/// The browser lacks something.
pub(crate) fn unsupported(missing: &str) -> AnyView {
    let missing = say_with("missing", &[("feature", Put::Text(missing))]);
    let text = (html::span().child(missing), " ", html::span().child(say("unsupported-text")));
    screen("circle-alert", say("unsupported"), text, None)
}

/// The marker outlived the database.
pub(crate) fn gone() -> AnyView {
    let anew = || {
        app().engine.set(Engine::Starting);
        bridge::word(Word::Anew);
    };
    let action = button(Weight::Main, say("start-new"), anew).into_any();
    screen("hard-drive", say("gone"), say("gone-text"), Some(action))
}

/// No server at the first start.
pub(crate) fn unreachable() -> AnyView {
    let text = say_with("unreachable-text", &[("address", Put::Text(&address()))]);
    let action = button(Weight::Main, say("try-again"), reload).into_any();
    screen("wifi-off", say("unreachable"), text, Some(action))
}

/// Everything on this device was erased.
pub(crate) fn erased() -> AnyView {
    let action = button(Weight::Main, say("start-new"), reload).into_any();
    screen("check", say("erased"), say("erased-text"), Some(action))
}

/// The engine stopped twice.
pub(crate) fn broken() -> AnyView {
    let action = button(Weight::Main, say("restart"), reload).into_any();
    screen("circle-alert", say("broken"), say("broken-text"), Some(action))
}
