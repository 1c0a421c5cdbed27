// SPDX-License-Identifier: AGPL-3.0-or-later
//! One entry of a conversation: a date line, the unread divider, a neutral line or a message.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    message::Marks,
    model::{Content, From, MessageId, MessageRow, SendState},
};
use web_sys::MouseEvent;

use super::{
    composer, files,
    layout::{Entry, Key, shown_at},
    marks, menu, rich,
};
use crate::{
    bridge::ask,
    dom::{self, icon_with},
    parts::{bdi, colour, face_of, icon_button},
    route::{self, Layer},
    state::app,
    time,
    words::{self, Put, name_of, say, say_with},
};

/// Draws the entry of a key. It redraws itself when the entry changes.
pub(super) fn entry(key: Key) -> AnyView {
    let Some(signal) = app().chat.entry(key) else { return ().into_any() };
    match key {
        Key::Day(_) => {
            let label = move || match signal.get() {
                Entry::Day(at) => time::day_line(at, app().now.get()),
                _ => String::new(),
            };
            let label = Memo::new(move |_| label());
            html::li()
                .class("date")
                .child(
                    html::span()
                        .role("separator")
                        .attr("aria-label", move || label.get())
                        .child(move || label.get()),
                )
                .into_any()
        }
        Key::Divider => {
            let label = move || match signal.get() {
                Entry::Divider(count) => say_with("unread-divider", &[("count", Put::from(count))]),
                _ => String::new(),
            };
            let again = label.clone();
            html::li()
                .class("divider")
                .attr("data-divider", "")
                .child(html::span().role("separator").attr("aria-label", label).child(again))
                .into_any()
        }
        Key::Message(id) => message(id, signal),
    }
}

fn message(id: MessageId, signal: ArcRwSignal<Entry>) -> AnyView {
    let Entry::Message { row, .. } = signal.get_untracked() else { return ().into_any() };
    let chat = app().chat;
    let spoken = {
        let signal = signal.clone();
        Memo::new(move |_| match signal.get() {
            Entry::Message { row, .. } => spoken_name(&row),
            _ => String::new(),
        })
    };
    if let Content::System(line) = &row.content {
        // A change of such a row does not happen; it is drawn once.
        let _ = line;
        return html::li()
            .class("system")
            .attr("data-id", id.0.to_string())
            .tabindex("-1")
            .child(html::span().child(words::content(&row.from, &row.content)))
            .into_any();
    }
    let mine = row.from == From::Me;
    let content = said(&signal, |row| (row.from.clone(), row.content.clone()));
    let large = Memo::new(move |_| {
        content.with(|said| matches!(said, Some((_, Content::Text(text))) if rich::is_large(text)))
    });
    let class = {
        let signal = signal.clone();
        let fresh = chat.is_fresh(id);
        move || {
            let Entry::Message { opens, closes, row } = signal.get() else { return String::new() };
            let mut class = String::from("message");
            for (yes, word) in [
                (mine, " out"),
                (!mine, " in"),
                (opens, " opens"),
                (closes, " closes"),
                (large.get() && row.marks.reply.is_none(), " bare"),
                (row.marks.deleting.is_some_and(|deleting| deleting.pending), " deleting"),
                (row.marks.mentions_me, " names-me"),
                (fresh, " fresh"),
            ] {
                if yes {
                    class.push_str(word);
                }
            }
            class
        }
    };
    let hovered = RwSignal::new(false);
    let group = chat.is_group() && !mine;
    html::li()
        .class(class)
        .attr("data-id", id.0.to_string())
        .attr("aria-label", move || spoken.get())
        .tabindex("-1")
        .on(ev::contextmenu, move |event: MouseEvent| {
            // A menu of the text selected is the browser's.
            if !something_selected() {
                event.prevent_default();
                route::open(Layer::MessageMenu(id, event.client_x(), event.client_y()));
            }
        })
        .on(ev::pointerenter, move |event: web_sys::PointerEvent| {
            hovered.set(event.pointer_type() == "mouse");
        })
        .on(ev::pointerleave, move |_| hovered.set(false))
        .child((
            group.then(|| picture(&signal)),
            html::div().class("stack").child((
                sender(&signal, group),
                html::div().class("bubble").child((
                    above(&signal),
                    body(id, content, large, &signal),
                    move || hovered.get().then(|| quick(id)),
                )),
                reactions(id, &signal),
                not_sent(id, signal),
            )),
        ))
        .into_any()
}

fn picture(signal: &ArcRwSignal<Entry>) -> impl IntoView + use<> {
    let signal = signal.clone();
    html::div().class("place").child(move || match signal.get() {
        Entry::Message {
            row: MessageRow { from: From::Them(person), .. }, closes: true, ..
        } => Some(face_of(&person, "small")),
        _ => None,
    })
}

// Who wrote it, once a group of messages: in groups, and for everybody where messages stand as lines.
fn sender(signal: &ArcRwSignal<Entry>, group: bool) -> impl IntoView + use<> {
    let signal = signal.clone();
    move || {
        let Entry::Message { row, opens: true, .. } = signal.get() else { return None };
        if !group && !app().settings.with(|settings| settings.lines) {
            return None;
        }
        let (class, name) = match &row.from {
            From::Them(person) => {
                (format!("sender ink-{}", colour(&person.account)), name_of(person))
            }
            From::Me | From::System => ("sender".to_owned(), say("you")),
        };
        Some(html::span().class(class).child(bdi(name)))
    }
}

/// Something of the message that is drawn anew when it changes, and not when the rest does.
fn said<T: Clone + PartialEq + Send + Sync + 'static>(
    signal: &ArcRwSignal<Entry>,
    what: impl Fn(&MessageRow) -> T + Send + Sync + 'static,
) -> Memo<Option<T>> {
    let signal = signal.clone();
    Memo::new(move |_| {
        signal.with(|entry| match entry {
            Entry::Message { row, .. } => Some(what(row)),
            _ => None,
        })
    })
}

fn above(signal: &ArcRwSignal<Entry>) -> impl IntoView + use<> {
    let answered = said(signal, |row| Marks {
        reply: row.marks.reply.clone(),
        forwarded: row.marks.forwarded,
        ..Marks::default()
    });
    move || answered.get().map(|of| marks::above(&of))
}

fn reactions(id: MessageId, signal: &ArcRwSignal<Entry>) -> impl IntoView + use<> {
    let all = said(signal, |row| row.marks.reactions.clone());
    let told = said(signal, |row| (row.marks.deleting, row.clone()));
    (
        move || all.get().and_then(|all| marks::reactions(id, &all)),
        move || told.get().and_then(|(_, row)| marks::below(&row)),
    )
}

fn body(
    id: MessageId,
    content: Memo<Option<(From, Content)>>,
    large: Memo<bool>,
    signal: &ArcRwSignal<Entry>,
) -> impl IntoView + use<> {
    let signal = signal.clone();
    move || {
        let (from, content) = content.get()?;
        let drawn = match (&content, &from) {
            (Content::Once { opened: false }, From::Them(_)) => open_once(id).into_any(),
            (Content::File(file), _) => files::shown(id, file),
            _ => rich::content(&from, &content),
        };
        let meta = meta(signal.clone());
        Some(if large.get() {
            (html::div().class("text large").dir("auto").child(drawn), meta).into_any()
        } else {
            html::div().class("text").dir("auto").child((drawn, meta)).into_any()
        })
    }
}

/// What can be read once: a press shows it.
fn open_once(id: MessageId) -> impl IntoView {
    html::button()
        .r#type("button")
        .class("once")
        .on(ev::click, move |_| route::open(Layer::Once(id)))
        .child((icon_with("eye", "icon"), say("message-once")))
}

/// Time and mark, in the bubble's last line: on the last of a group, and where something is awaited.
fn meta(signal: ArcRwSignal<Entry>) -> impl IntoView {
    move || {
        let Entry::Message { row, closes, .. } = signal.get() else { return None };
        let of = &row.marks;
        let marked = of.pinned || of.edited || of.disappears.is_some();
        if !closes && !marked && row.state != Some(SendState::Waiting) {
            return None;
        }
        let at = shown_at(&row);
        // The place is the text's, the order within the page's.
        Some(html::span().class("meta").child(html::span().dir(direction()).child((
            marks::beside(of),
            html::time().title(time::exact(at)).child(time::clock(at)),
            row.state.as_ref().and_then(|state| mark(state, is_held(), words_of(state))),
        ))))
    }
}

fn direction() -> &'static str {
    if dom::find("html").is_some_and(|root| root.dir() == "rtl") { "rtl" } else { "ltr" }
}

/// The mark of a state, with its words. A message that waits is `held` if it waits for keys.
pub(crate) fn mark(state: &SendState, held: bool, words: String) -> Option<impl IntoView + use<>> {
    let name = match state {
        SendState::Waiting if held => "hourglass",
        SendState::Waiting => "clock",
        SendState::Sent => "check",
        SendState::Delivered => "check-check",
        SendState::Read => "check-check",
        SendState::NotSent { .. } => return None,
    };
    Some(
        html::span()
            .title(words.clone())
            .attr("data-state", short(state))
            .class(if *state == SendState::Read { "read" } else { "" })
            .child((icon_with(name, "icon small"), html::span().class("unseen").child(words))),
    )
}

/// Whether what is written in the open chat waits for keys.
fn is_held() -> bool {
    let row = app().chat.id.get_untracked().and_then(|id| app().row(id));
    row.is_some_and(|row| row.with(|row| row.held))
}

/// The words of a state, for the open chat.
pub(crate) fn words_of(state: &SendState) -> String {
    let row = app().chat.id.get_untracked().and_then(|id| app().row(id));
    row.map_or_else(String::new, |row| row.with_untracked(|row| words::state(state, row)))
}

fn short(state: &SendState) -> &'static str {
    match state {
        SendState::Waiting => "waiting",
        SendState::Sent => "sent",
        SendState::Delivered => "delivered",
        SendState::Read => "read",
        SendState::NotSent { .. } => "not-sent",
    }
}

/// The line below a message that was refused. The only state with a line of its own.
fn not_sent(id: MessageId, signal: ArcRwSignal<Entry>) -> impl IntoView {
    let failed = Memo::new(move |_| match signal.get() {
        Entry::Message { row: MessageRow { state, .. }, .. } => {
            matches!(state, Some(SendState::NotSent { .. }))
        }
        _ => false,
    });
    move || {
        failed.get().then(|| {
            html::div().class("not-sent").child((
                html::span().child(say("not-sent")),
                html::button()
                    .r#type("button")
                    .on(ev::click, move |_| retry(id))
                    .child(say("try-again")),
                html::button()
                    .r#type("button")
                    .on(ev::click, move |_| menu::delete(id))
                    .child(say("delete")),
            ))
        })
    }
}

/// Tries again to send.
pub(super) fn retry(message: MessageId) {
    ask(Command::Retry { message }, |reply| {
        if let Reply::Problem(problem) = reply {
            app().problem(&problem);
        }
    });
}

/// What hovering shows: two buttons, for the mouse alone; the keyboard has `r` and Enter.
fn quick(id: MessageId) -> impl IntoView {
    html::span().class("quick").attr("aria-hidden", "true").child((
        icon_button("reply", say("reply"), move |_| composer::reply(id))
            .into_any()
            .add_any_attr(leptos::attr::tabindex("-1")),
        icon_button("ellipsis", say("more"), move |event: MouseEvent| {
            route::open(Layer::MessageMenu(id, event.client_x(), event.client_y()));
        })
        .into_any()
        .add_any_attr(leptos::attr::tabindex("-1")),
    ))
}

fn something_selected() -> bool {
    dom::call(&dom::window(), "getSelection")
        .and_then(|selection| dom::call(&selection, "toString"))
        .and_then(|text| text.as_string())
        .is_some_and(|text| !text.is_empty())
}

/// "Ben, 9:02: I can be there at 10" or "You, 9:12, On the server: …".
fn spoken_name(row: &MessageRow) -> String {
    let name = match &row.from {
        From::Me => say("you"),
        From::Them(person) => format!("\u{2068}{}\u{2069}", name_of(person)),
        From::System => String::new(),
    };
    let text: String = words::content(&row.from, &row.content).chars().take(500).collect();
    let text = match &row.marks.reply {
        Some(_) => say_with("spoken-reply", &[("text", Put::Text(&text))]),
        None => text,
    };
    let clock = time::clock(shown_at(row));
    match &row.state {
        Some(state) => format!("{name}, {clock}, {}: {text}", words_of(state)),
        None => format!("{name}, {clock}: {text}"),
    }
}
