// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is known of the public log, drawn: the line of a sheet, and the red screen.
//!
//! Decides nothing: `view` says how far keys are checked and what is proved. Red fill is for proof alone; what could
//! not be checked is amber, and red text after three days. Spec: `docs/book/ledger.md`, 3 and 5.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    model::{
        Check, CheckState, ConversationRow, EvidenceFile, Freshness, Kind, Milliseconds, Proof,
    },
};
use wasm_bindgen::JsValue;
use web_sys::KeyboardEvent;

use crate::{
    bridge::ask,
    dom::{self, icon, icon_with},
    onboarding::address,
    parts::{Weight, button},
    state::app,
    time,
    words::{self, Put, say, say_with},
};

/// What is known of the keys of a chat. One line, and behind it what that means.
pub(crate) fn check(check: Check, row: &ConversationRow) -> impl IntoView + use<> {
    let id = row.id;
    let known = RwSignal::new(check);
    let busy = RwSignal::new(false);
    let (direct, name, devices) = (row.kind == Kind::Direct, row.title.clone(), row.devices);
    let again = move || {
        busy.set(true);
        ask(Command::Verify { conversation: id }, move |reply| {
            busy.try_set(false);
            match reply {
                Reply::Check(check) => drop(known.try_set(check)),
                Reply::Problem(problem) => app().problem(&problem),
                _ => (),
            }
        });
    };
    html::div().class("card").child(move || {
        let check = known.get();
        let behind = check.freshness != Freshness::Fresh;
        let when = if behind {
            check.log_time.map(|at| said_at("check-since", at))
        } else {
            check.checked_at.map(|at| said_at("check-at", at))
        };
        let means = format!("{}-text{}", check.state.text(), if direct { "" } else { "-group" });
        (
            html::div().class("part").child((
                html::strong().class("checked").child((
                    icon_with(picture(check.state), "icon small"),
                    html::span().child(say(check.state.text())),
                )),
                when.map(|when| html::span().class(tone(check.freshness)).child(when)),
                (direct && devices > 0).then(|| {
                    html::span()
                        .class("quiet")
                        .child(say_with("devices-can-read-chat", &[("count", Put::from(devices))]))
                }),
            )),
            html::details().child((
                html::summary().child(say("what-this-means")),
                html::p().class("note").child(say_with(&means, &[("name", Put::Text(&name))])),
            )),
            (behind || check.state == CheckState::Unchecked).then(|| {
                html::button()
                    .r#type("button")
                    .class("button")
                    .disabled(move || busy.get())
                    .on(ev::click, move |_| again())
                    .child(say("check-now"))
            }),
        )
    })
}

/// A line of the log with its time as people say it.
pub(crate) fn said_at(id: &str, at: Milliseconds) -> String {
    let now = app().now.get();
    // Of today the hour alone; of another day both, so that nobody takes yesterday's for today's.
    let day = time::local_day(at) != time::local_day(Milliseconds(now));
    let when = if day {
        format!("{}, {}", time::day_line(at, now), time::clock(at))
    } else {
        time::clock(at)
    };
    say_with(id, &[("time", Put::Text(&when))])
}

fn picture(state: CheckState) -> &'static str {
    match state {
        CheckState::Verified => "check",
        CheckState::Unwitnessed => "eye",
        CheckState::Unchecked => "clock",
        CheckState::Disputed | CheckState::Refused => "triangle-alert",
    }
}

fn tone(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "quiet",
        Freshness::Amber => "warn-note",
        Freshness::Red => "failed",
    }
}

/// The proof that nobody has answered yet.
pub(crate) fn unanswered() -> Option<Proof> {
    app().ledger.get()?.proof.filter(|proof| !proof.answered)
}

/// The red screen, for proof alone: nothing but one of its buttons closes it.
pub(crate) fn red_screen(proof: Proof) -> AnyView {
    let node: NodeRef<html::Dialog> = NodeRef::new();
    Effect::new(move |_| {
        if let Some(dialog) = node.get() {
            crate::chat::write_draft();
            drop(dialog.show_modal());
            dom::focus(".alarm h1");
        }
    });
    let files: RwSignal<Vec<EvidenceFile>> = RwSignal::new(Vec::new());
    ask(Command::Evidence, move |reply| {
        if let Reply::Evidence(kept) = reply {
            files.try_set(kept);
        }
    });
    let read = || {
        ask(Command::AnswerProof, |reply| match reply {
            Reply::Ledger(state) => app().ledger.set(Some(state)),
            Reply::Problem(problem) => app().problem(&problem),
            _ => (),
        });
    };
    let sentence = words::proof(&proof, &address());
    let (kind, at) = (proof.kind.name(), proof.at);
    html::dialog()
        .class("alarm")
        .node_ref(node)
        .role("alertdialog")
        .attr("closedby", "none")
        .attr("aria-labelledby", "proof-title")
        .attr("aria-describedby", "proof-text")
        .on(ev::Custom::<web_sys::Event>::new("cancel"), |event: web_sys::Event| {
            event.prevent_default();
        })
        .on(ev::keydown, |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                event.stop_propagation();
            }
        })
        .child(
            html::div().class("inner").child((
                html::h1()
                    .id("proof-title")
                    .tabindex("-1")
                    .child((icon("triangle-alert"), html::span().child(say("proof")))),
                html::p().id("proof-text").child(sentence),
                html::dl().child((
                    html::dt().child(say("proof-did")),
                    html::dd().child(say(if proof.own {
                        "proof-did-own"
                    } else {
                        "proof-did-text"
                    })),
                    html::dt().child(say("proof-can")),
                    html::dd().child(say("proof-can-text")),
                )),
                html::div().class("row-of-buttons").child((
                    move || {
                        files.with(|files| !files.is_empty()).then(|| {
                            button(Weight::Main, say("save-evidence"), move || {
                                files.with_untracked(|files| files.iter().for_each(save));
                            })
                        })
                    },
                    button(Weight::Plain, say("read-my-chats"), read),
                )),
                html::details().child((
                    html::summary().child(say("how-to-check")),
                    html::p().child(say("how-to-check-text")),
                    html::p().class("code").dir("ltr").child("nodoor evidence check FILE"),
                )),
                html::p().class("small").child((
                    html::span().dir("ltr").child(kind),
                    " · ",
                    html::span().child(time::exact(at)),
                )),
            )),
        )
        .into_any()
}

/// Asks for the evidence and saves it, from the strip.
pub(crate) fn save_all() {
    ask(Command::Evidence, |reply| {
        if let Reply::Evidence(files) = reply {
            files.iter().for_each(save);
        }
    });
}

/// Hands a file to the browser's downloads.
fn save(file: &EvidenceFile) {
    let parts = js_sys::Array::of1(&JsValue::from_str(&file.text));
    let Ok(blob) = web_sys::Blob::new_with_str_sequence(&parts) else { return };
    dom::download(&blob, &file.name);
}
