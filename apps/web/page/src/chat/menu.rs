// SPDX-License-Identifier: AGPL-3.0-or-later
//! What can be done with a message: Copy, Info, Delete for me. And what Info shows.

use leptos::{html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    model::{Content, From, MessageDetail, MessageId, SendState},
};

use super::{bubble, layout::shown_at};
use crate::{
    bridge::ask,
    layer::{Choice, dialog, menu},
    parts::{Weight, bdi, button},
    route::{self, Layer},
    state::{app, copied, toast_with_undo},
    time,
    words::{self, name_of, say},
};

/// Copies a message's text.
pub(super) fn copy(id: MessageId) {
    if let Some(row) = app().chat.message(id) {
        copied(&words::content(&row.content));
    }
}

/// Deletes a message on this device; the line that follows takes it back.
pub(super) fn delete(id: MessageId) {
    ask(Command::DeleteForMe { message: id }, move |reply| match reply {
        Reply::Problem(problem) => app().problem(&problem),
        _ => toast_with_undo(say("deleted-for-me"), move || {
            ask(Command::Undelete { message: id }, |reply| {
                if let Reply::Problem(problem) = reply {
                    app().problem(&problem);
                }
            });
        }),
    });
}

/// The menu of a message.
pub(crate) fn message_menu(id: MessageId, x: i32, y: i32) -> AnyView {
    let failed = app()
        .chat
        .message(id)
        .is_some_and(|row| matches!(row.state, Some(SendState::NotSent { .. })));
    let mut choices = vec![
        Choice::new("copy", say("copy"), move || {
            route::close();
            copy(id);
        }),
        Choice::new("info", say("info"), move || route::open(Layer::MessageInfo(id))),
    ];
    if failed {
        choices.push(Choice::new("rotate-cw", say("try-again"), move || {
            route::close();
            bubble::retry(id);
        }));
    }
    choices.push(
        Choice::new("trash-2", say("delete-for-me"), move || {
            route::close();
            delete(id);
        })
        .dangerous(),
    );
    menu(say("message-menu"), x, y, choices)
}

/// What Info shows.
pub(crate) fn message_info(id: MessageId) -> AnyView {
    let detail: RwSignal<Option<MessageDetail>> = RwSignal::new(None);
    ask(Command::MessageInfo { message: id }, move |reply| match reply {
        Reply::Message(told) => detail.set(Some(told)),
        Reply::Problem(problem) => app().problem(&problem),
        _ => (),
    });
    dialog(say("message-info"), move || detail.get().map(|detail| facts(&detail))).into_any()
}

fn facts(detail: &MessageDetail) -> impl IntoView + use<> {
    let row = &detail.row;
    let from = match &row.from {
        From::Me => say("you"),
        From::Them(person) => name_of(person),
        From::System => String::new(),
    };
    let fact = |word: &str, value: AnyView| {
        (html::dt().child(say(word)), html::dd().child(value)).into_any()
    };
    let mut facts = vec![
        fact("info-from", bdi(from).into_any()),
        fact("info-sent", time::exact(shown_at(row)).into_any()),
        fact("info-received", time::exact(row.received_at).into_any()),
    ];
    if let Some(at) = detail.sent_at_server {
        facts.push(fact("info-server", time::exact(at).into_any()));
    }
    if let Some(state) = &row.state {
        facts.push(fact("info-state", bubble::words_of(state).into_any()));
    }
    if let Some(SendState::NotSent { reason }) = &row.state {
        facts.push(fact("info-reason", words::problem(reason).into_any()));
    }
    if !detail.delivered_to.is_empty() {
        let names =
            detail.delivered_to.iter().map(name_of).map(|name| html::div().child(bdi(name)));
        facts.push(fact("info-delivered-to", names.collect_view().into_any()));
    }
    let code = match &row.state {
        Some(SendState::NotSent { reason }) if reason.code != 0 => Some(reason.code.to_string()),
        _ => None,
    };
    let text = match &row.content {
        Content::Text(text) => text.chars().take(500).collect(),
        _ => words::content(&row.content),
    };
    (
        html::div().class("quote").dir("auto").tabindex("0").child(text),
        html::dl().class("facts").child(facts),
        code.map(|code| {
            let copy = code.clone();
            html::details().child((
                html::summary().child(say("details")),
                html::div().class("row-of-buttons").child((
                    html::span().class("code").child(code),
                    button(Weight::Quiet, say("copy"), move || copied(&copy)),
                )),
            ))
        }),
    )
}
