// SPDX-License-Identifier: AGPL-3.0-or-later
//! Comparing in person: one code, or sixty digits. For those who want it; nothing turns green.
//!
//! The engine makes the digits; here they are drawn, and what a camera read is held against them.
//! Spec: `docs/book/ledger.md`, 9.

use leptos::{html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    model::ConversationId,
};

use crate::{
    bridge::ask,
    layer::dialog,
    parts::{Weight, button},
    qr::qr,
    route,
    scan::scanner,
    state::app,
    words::{Put, say, say_with},
};

/// The dialog.
pub(crate) fn compare(id: ConversationId) -> AnyView {
    let digits: RwSignal<Option<String>> = RwSignal::new(None);
    let differs = RwSignal::new(false);
    let show = move || {
        ask(Command::Compare { conversation: id }, move |reply| match reply {
            Reply::Digits(shown) => drop(digits.try_set(Some(shown))),
            Reply::Problem(problem) => app().problem(&problem),
            _ => (),
        });
    };
    show();
    // What came since this device last looked would only frighten.
    ask(Command::Verify { conversation: id }, move |_| show());
    let same = move || {
        ask(Command::Compared { conversation: id }, |reply| {
            route::close();
            match reply {
                Reply::Problem(problem) => app().problem(&problem),
                _ => app().toast(say("compare-same"), None),
            }
        });
    };
    let read = Callback::new(move |text: String| {
        let theirs = text.lines().last().unwrap_or_default().trim();
        if digits.with_untracked(|ours| ours.as_deref() == Some(theirs)) {
            same();
        } else {
            differs.set(true);
        }
    });
    let name = app().row(id).map(|row| row.with_untracked(|row| row.title.clone()));
    let name = name.unwrap_or_default();
    let text = say_with("compare-text", &[("name", Put::Text(&name))]);
    let not = say_with("compare-differs-text", &[("name", Put::Text(&name))]);
    dialog(
        say("compare"),
        (
            html::p().child(text),
            move || {
                let digits = digits.get()?;
                let groups = digits
                    .as_bytes()
                    .chunks(5)
                    .map(|five| html::span().child(String::from_utf8_lossy(five).into_owned()))
                    .collect_view();
                Some((
                    qr(&format!("{}\n{digits}", say("compare-inside")), say("compare-code")),
                    html::p().class("digits sixty").dir("ltr").child(groups),
                ))
            },
            scanner(read),
            move || {
                differs
                    .get()
                    .then(|| html::p().class("failed").role("alert").child(say("compare-differs")))
            },
            html::details().child((
                html::summary().child(say("compare-differ")),
                html::p().class("note").child(not),
            )),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("close"), route::close),
                button(Weight::Main, say("compare-agree"), same),
            )),
        ),
    )
    .into_any()
}
