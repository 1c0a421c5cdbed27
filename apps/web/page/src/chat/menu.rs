// SPDX-License-Identifier: AGPL-3.0-or-later
//! What can be done with a message: Reply, React, Edit, Copy, Forward, Pin, Info, Delete. And what Info shows.

use leptos::{html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    message,
    model::{Content, From, MessageDetail, MessageId, MessageRow, SendState},
};

use super::{bubble, composer, layout::shown_at, marks};
use crate::{
    bridge::ask,
    dom,
    layer::{Choice, dialog, menu_with},
    parts::{Weight, bdi, button},
    route::{self, Layer},
    state::{app, copied, toast_with_undo},
    time,
    words::{self, Put, name_of, say, say_with},
};

/// How long one may change what one wrote, milliseconds.
const EDITABLE: u64 = 48 * 60 * 60 * 1000;

/// Copies a message's text.
pub(super) fn copy(id: MessageId) {
    if let Some(row) = app().chat.message(id) {
        copied(&words::content(&row.from, &row.content));
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
    let Some(row) = app().chat.message(id) else { return ().into_any() };
    let failed = matches!(row.state, Some(SendState::NotSent { .. }));
    let mine = row.from == From::Me;
    let said = matches!(row.content, Content::Text(_) | Content::Markdown { .. });
    let writes = app().chat.may_write() && row.content != Content::Deleted;
    let mut choices = Vec::new();
    if writes {
        choices.push(Choice::new("reply", say("reply"), move || {
            route::close();
            composer::reply(id);
        }));
    }
    if writes && said && mine && is_editable(&row) {
        choices.push(Choice::new("pencil", say("edit"), move || {
            route::close();
            composer::edit(id);
        }));
    }
    if said {
        choices.push(Choice::new("copy", say("copy"), move || {
            route::close();
            copy(id);
        }));
        choices.push(Choice::new("forward", say("forward"), move || {
            route::open(Layer::Forward(id));
        }));
    }
    if writes {
        let pinned = row.marks.pinned;
        let (icon, word) = if pinned { ("pin-off", "unpin") } else { ("pin", "pin") };
        choices.push(Choice::new(icon, say(word), move || {
            route::close();
            marks::tell(message::Command::Pin { message: id, on: !pinned });
        }));
    }
    choices.push(Choice::new("info", say("info"), move || route::open(Layer::MessageInfo(id))));
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
    if writes && mine && !failed {
        let label = say("delete-everyone-menu");
        let choice = Choice::new("trash-2", label, move || route::open(Layer::DeleteEveryone(id)));
        choices.push(choice.dangerous());
    }
    let reactions = writes.then(|| marks::quick(id).into_any());
    menu_with(say("message-menu"), x, y, reactions, choices)
}

/// Answers a message, where one may write.
pub(super) fn reply(id: MessageId) {
    let row = app().chat.message(id);
    let answerable =
        row.is_some_and(|row| row.from != From::System && row.content != Content::Deleted);
    if answerable && app().chat.may_write() {
        composer::reply(id);
    }
}

/// Whether one may still change a message.
pub(super) fn is_editable(row: &MessageRow) -> bool {
    dom::now().saturating_sub(row.sent_at.0) < EDITABLE
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
    let people = |people: &[nodoor_view::model::Person], me: bool| {
        let names = people.iter().map(name_of).chain(me.then(|| say("you")));
        names.map(|name| html::div().child(bdi(name))).collect_view().into_any()
    };
    if !detail.read_by.is_empty() {
        facts.push(fact("info-read-by", people(&detail.read_by, false)));
    }
    for one in &row.marks.reactions {
        let names = people(&one.people, one.mine);
        let emoji = html::dt().child(one.emoji.clone());
        facts.push((emoji, html::dd().child(names)).into_any());
    }
    if let Some(end) = row.marks.disappears {
        let when = match end.at {
            Some(at) => time::exact(at),
            None => say_with("after-read", &[("span", Put::Text(&words::span(end.seconds)))]),
        };
        facts.push(fact("info-disappears", when.into_any()));
    }
    let code = match &row.state {
        Some(SendState::NotSent { reason }) if reason.code != 0 => Some(reason.code.to_string()),
        _ => None,
    };
    let text: String = words::content(&row.from, &row.content).chars().take(500).collect();
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
