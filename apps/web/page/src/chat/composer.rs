// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where one writes. One event alone empties it: the engine's word that the message row is on disk.
//!
//! Enter sends, unless an input method is composing, the person swapped it, or the screen is touched.
//! The draft is on disk 300 ms after a key. A text over the limit stays, and a line
//! says so.

use std::cell::Cell;

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    message,
    model::{Content, ConversationId, MessageId, MessageRow, ProblemKind, Writable},
    rich,
};
use web_sys::{HtmlTextAreaElement, KeyboardEvent};

use super::{completion::Completion, files, marks, menu, state::Doing};
use crate::{
    bridge::{ask, tell},
    dom::{self, icon_with},
    layer::{Choice, menu as menu_at},
    parts::{Weight, button, icon_button},
    route::{self, Layer, Route},
    state::app,
    words::{Put, problem, say, say_with},
};

/// Bytes a message may have.
const MOST: usize = 64 * 1024;
const DRAFT: i32 = 300;

thread_local! {
    static TIMER: Cell<Option<i32>> = const { Cell::new(None) };
    // What the draft timer will write, so that leaving writes it at once.
    static PENDING: std::cell::RefCell<Option<(ConversationId, String)>> =
        const { std::cell::RefCell::new(None) };
    // When an input method last finished: Safari sends its confirming Enter just after.
    static COMPOSED: Cell<f64> = const { Cell::new(0.0) };
    // Answers awaited for sends, so that the first message kept asks for persistent storage.
    static PERSISTED: Cell<bool> = const { Cell::new(false) };
    // The next message is to be read once.
    static ONCE: Cell<bool> = const { Cell::new(false) };
}

/// Answers a message.
pub(super) fn reply(id: MessageId) {
    app().chat.doing.set(app().chat.message(id).map(Doing::Reply));
}

/// Puts one's own message into the composer.
pub(super) fn edit(id: MessageId) {
    app().chat.doing.set(app().chat.message(id).map(Doing::Edit));
}

/// A message's text as one would type it again.
fn typed(row: &MessageRow) -> String {
    match &row.content {
        Content::Text(text) => text.clone(),
        Content::Markdown { text, .. } => rich::typed(text),
        _ => String::new(),
    }
}

/// After what closes gave the focus back to where it was.
fn focus_field() {
    dom::after(0, || {
        dom::focus(".composer textarea");
    });
}

/// Above the field: what is answered or changed, and the way out.
fn banner(doing: &Doing) -> impl IntoView + use<> {
    let (name, word, row) = match doing {
        Doing::Reply(row) => ("reply", "replying", row),
        Doing::Edit(row) => ("pencil", "editing", row),
    };
    html::div().class("doing").child((
        icon_with(name, "icon mirror"),
        html::div().class("quoted").role("status").child((
            html::span().class("unseen").child(say(word)),
            marks::quoted(&row.from, &row.content),
        )),
        icon_button("x", say("cancel"), |_| {
            app().chat.doing.set(None);
            focus_field();
        }),
    ))
}

/// Other ways to send.
pub(crate) fn send_menu(x: i32, y: i32) -> AnyView {
    let send = |once: bool| {
        move || {
            route::close();
            ONCE.set(once);
            if let Some(button) = dom::find(".composer .send") {
                button.click();
            }
            ONCE.set(false);
        }
    };
    let choices = vec![
        Choice::new("send-horizontal", say("send"), send(false)),
        Choice::new("eye", say("send-once"), send(true)),
    ];
    menu_at(say("send"), x, y, choices)
}

/// The composer, or the line that stands in its place.
pub(super) fn composer(id: ConversationId) -> AnyView {
    let Some(row) = app().row(id) else { return ().into_any() };
    let writable = Memo::new(move |_| row.with(|row| row.writable));
    (move || match writable.get() {
        Writable::Yes => field(id).into_any(),
        Writable::Request => instead(
            html::span().child(say("composer-request")),
            Some((say("show-request"), Box::new(|| route::go(Route::Requests)))),
        ),
        Writable::Left => instead(html::span().child(say("composer-left")), None),
        Writable::Removed => instead(html::span().child(say("composer-removed")), None),
        Writable::Announcements => instead(html::span().child(say("composer-announcements")), None),
        Writable::Imported => instead(html::span().child(say("composer-imported")), None),
        Writable::Disputed => instead(
            html::span().child(row.with_untracked(|row| {
                say_with("composer-disputed", &[("name", Put::Text(&row.title))])
            })),
            None,
        ),
        Writable::Stuck => instead(html::span().child(say("composer-stuck")), None),
        Writable::Blocked => instead(
            html::span().child(row.with_untracked(|row| {
                say_with("composer-blocked", &[("name", Put::Text(&row.title))])
            })),
            Some((say("unblock"), Box::new(move || tell(Command::Unblock { conversation: id })))),
        ),
    })
    .into_any()
}

type Action = (String, Box<dyn Fn()>);

fn instead(text: impl IntoView + 'static, action: Option<Action>) -> AnyView {
    html::div()
        .class("composer-instead")
        .child((text, action.map(|(label, run)| button(Weight::Plain, label, run))))
        .into_any()
}

fn field(id: ConversationId) -> impl IntoView {
    let Some(row) = app().row(id) else { return ().into_any() };
    let title = row.with_untracked(|row| row.title.clone());
    let label = if row.with_untracked(|row| row.saved) {
        say("composer-saved")
    } else {
        say_with("composer-label", &[("name", Put::Text(&title))])
    };
    let area: NodeRef<html::Textarea> = NodeRef::new();
    let note: RwSignal<Option<String>> = RwSignal::new(None);
    let empty = RwSignal::new(row.with_untracked(|row| row.draft.trim().is_empty()));
    // `auto` takes an empty field to be left to right: until something is typed, its words stand as the page does.
    let bare = RwSignal::new(true);
    let draft = pending(id).unwrap_or_else(|| row.with_untracked(|row| row.draft.clone()));

    Effect::new(move |_| {
        if let Some(area) = area.get() {
            area.set_value(&draft);
            empty.set(draft.trim().is_empty());
            bare.set(draft.is_empty());
            grow(&area);
        }
    });
    on_cleanup(write_draft);
    on_cleanup(move || say_typing(id, false));

    // An edit takes the place of what was typed, and gives it back.
    let doing = app().chat.doing;
    let before: StoredValue<Option<String>> = StoredValue::new(None);
    let put = move |text: &str| {
        let Some(area) = area.get_untracked() else { return };
        area.set_value(text);
        empty.set(text.trim().is_empty());
        bare.set(text.is_empty());
        note.set(None);
        grow(&area);
    };
    Effect::new(move |_| match doing.get() {
        Some(Doing::Edit(row)) => {
            if before.get_value().is_none() {
                write_draft();
                before.set_value(Some(
                    area.get_untracked().map_or_else(String::new, |area| area.value()),
                ));
            }
            put(&typed(&row));
            focus_field();
        }
        Some(Doing::Reply(_)) => {
            if let Some(text) = before.get_value() {
                put(&text);
                before.set_value(None);
            }
            focus_field();
        }
        None => {
            if let Some(text) = before.get_value() {
                put(&text);
                before.set_value(None);
            }
        }
    });

    let completion = Completion::new(id);
    let changed = move || {
        let Some(area) = area.get_untracked() else { return };
        let text = area.value();
        empty.set(text.trim().is_empty());
        bare.set(text.is_empty());
        note.set((text.len() > MOST).then(|| too_large(text.len())));
        grow(&area);
        completion.look(&area);
        say_typing(id, !text.trim().is_empty());
        if before.get_value().is_none() {
            keep_draft(id, text);
        }
    };
    let send_now = move || {
        if let Some(area) = area.get_untracked() {
            send(id, &area, note, empty, bare);
        }
    };
    html::div()
        .class("composer")
        .child((
            super::name_question(id),
            move || doing.get().map(|doing| banner(&doing)),
            completion.list(area),
            move || {
                note.get().map(|note| html::div().class("note failed").role("status").child(note))
            },
            html::div().class("bar").child((
                files::chooser(id),
                html::textarea()
                    .node_ref(area)
                    .rows("1")
                    .attr("dir", move || (!bare.get()).then_some("auto"))
                    .attr("enterkeyhint", if enter_sends() { "send" } else { "enter" })
                    .attr("autocomplete", "off")
                    .attr("aria-label", label.clone())
                    .placeholder(label)
                    .on(ev::input, move |_| changed())
                    .on(ev::paste, move |event| files::pasted(id, &event))
                    .on(ev::compositionend, |_| COMPOSED.set(js_sys::Date::now()))
                    .attr("aria-autocomplete", "list")
                    .attr("aria-activedescendant", move || completion.active())
                    .on(ev::blur, move |_| {
                        completion.close();
                        say_typing(id, false);
                    })
                    .on(ev::keydown, move |event: KeyboardEvent| {
                        if event.is_composing() {
                            return;
                        }
                        if completion.key(&event, area) {
                            event.prevent_default();
                            event.stop_propagation();
                            changed();
                            return;
                        }
                        let plain = !event.shift_key() && !event.ctrl_key() && !event.alt_key();
                        if event.key() == "ArrowUp" && plain && bare.get_untracked() {
                            if let Some(row) = app().chat.last_own().filter(menu::is_editable) {
                                event.prevent_default();
                                doing.set(Some(Doing::Edit(row)));
                            }
                            return;
                        }
                        if event.key() == "Escape" && doing.with_untracked(Option::is_some) {
                            event.prevent_default();
                            event.stop_propagation();
                            doing.set(None);
                            return;
                        }
                        if event.key() == "Enter" && sends(&event) {
                            event.prevent_default();
                            send_now();
                        }
                    }),
                html::button()
                    .r#type("button")
                    .class("send")
                    .title(say("send"))
                    .attr("aria-label", say("send"))
                    .attr("aria-disabled", move || if empty.get() { "true" } else { "false" })
                    // Keeps the keyboard of a phone open.
                    .on(ev::pointerdown, |event| event.prevent_default())
                    .on(ev::contextmenu, |event: web_sys::MouseEvent| {
                        event.prevent_default();
                        route::open(Layer::SendMenu(event.client_x(), event.client_y()));
                    })
                    .on(ev::click, move |_| {
                        send_now();
                        dom::focus(".composer textarea");
                    })
                    .child(icon_with("send-horizontal", "icon mirror")),
            )),
        ))
        .into_any()
}

/// Whether this Enter sends. With the swap, Ctrl+Enter does.
fn sends(event: &KeyboardEvent) -> bool {
    // While composing every key belongs to the input method; and so does the Enter that ends it,
    // which Safari tells right after with the key code of composing.
    let just_composed = event.key_code() == 229 && js_sys::Date::now() - COMPOSED.get() < 100.0;
    if event.is_composing() || just_composed || event.shift_key() || event.alt_key() {
        return false;
    }
    let with_control = event.ctrl_key() || event.meta_key();
    with_control || enter_sends()
}

fn enter_sends() -> bool {
    app().settings.with_untracked(|settings| settings.enter_sends)
        && !dom::media("(hover: none) and (pointer: coarse)")
}

fn send(
    id: ConversationId,
    area: &HtmlTextAreaElement,
    note: RwSignal<Option<String>>,
    empty: RwSignal<bool>,
    bare: RwSignal<bool>,
) {
    let text = area.value();
    if text.trim().is_empty() {
        return;
    }
    if text.len() > MOST {
        note.set(Some(too_large(text.len())));
        return;
    }
    // One send at a time for one text: a second Enter before the answer would send it twice.
    thread_local! { static SENDING: Cell<bool> = const { Cell::new(false) }; }
    if SENDING.replace(true) {
        return;
    }
    let area = area.clone();
    let sent = text.clone();
    let doing = app().chat.doing;
    let command = match doing.get_untracked() {
        Some(Doing::Reply(row)) => {
            Command::Message { of: message::Command::Reply { to: row.id, text } }
        }
        Some(Doing::Edit(row)) => {
            Command::Message { of: message::Command::Edit { message: row.id, text } }
        }
        None if ONCE.take() => {
            Command::Message { of: message::Command::SendOnce { conversation: id, text } }
        }
        None => Command::SendText { conversation: id, text },
    };
    ask(command, move |reply| {
        SENDING.set(false);
        match reply {
            // An edit: what was typed before it is back.
            Reply::Done => doing.set(None),
            Reply::Sent(row) => {
                note.set(None);
                doing.set(None);
                say_typing(id, false);
                // What was typed since stays.
                let now = area.value();
                let rest = now.strip_prefix(&sent).map_or(now.clone(), str::to_owned);
                area.set_value(&rest);
                empty.set(rest.trim().is_empty());
                bare.set(rest.is_empty());
                grow(&area);
                forget_draft(id, rest);
                app().chat.told(row, true);
                keep_storage();
            }
            Reply::Problem(told) if told.kind == ProblemKind::NotAllowed => {
                note.set(Some(say("edit-not-allowed")));
            }
            Reply::Problem(told) => note.set(Some(problem(&told))),
            _ => (),
        }
    });
}

fn too_large(bytes: usize) -> String {
    say_with("too-large", &[("size", Put::from(bytes.div_ceil(1024)))])
}

/// Grows the field with its text where the browser does not do it by itself.
fn grow(area: &HtmlTextAreaElement) {
    thread_local! {
        static GROWS: bool = supports("field-sizing", "content");
    }
    if !GROWS.with(|grows| *grows) {
        dom::style(area, "height", "auto");
        dom::style(area, "height", &format!("{}px", area.scroll_height() + 2));
    }
}

fn supports(property: &str, value: &str) -> bool {
    let Ok(css) = js_sys::Reflect::get(&dom::window(), &"CSS".into()) else { return false };
    let Ok(supports) = js_sys::Reflect::get(&css, &"supports".into()) else { return false };
    let supports: Option<js_sys::Function> = wasm_bindgen::JsCast::dyn_into(supports).ok();
    supports
        .and_then(|supports| supports.call2(&css, &property.into(), &value.into()).ok())
        .is_some_and(|answer| answer.is_truthy())
}

/// Others are told that one types, every few seconds while one does.
fn say_typing(conversation: ConversationId, on: bool) {
    const AGAIN: u64 = 2_000;
    thread_local! { static SAID: Cell<u64> = const { Cell::new(0) }; }
    let (now, said) = (dom::now(), SAID.get());
    let due = if on { now.saturating_sub(said) >= AGAIN } else { said > 0 };
    if due && app().settings.with_untracked(|settings| settings.typing) {
        SAID.set(if on { now } else { 0 });
        tell(Command::Typing { conversation, on });
    }
}

fn keep_draft(conversation: ConversationId, text: String) {
    PENDING.with_borrow_mut(|pending| *pending = Some((conversation, text)));
    if let Some(timer) = TIMER.take() {
        dom::not_after(timer);
    }
    TIMER.set(Some(dom::after(DRAFT, write_draft)));
}

fn forget_draft(conversation: ConversationId, rest: String) {
    PENDING.with_borrow_mut(|pending| *pending = Some((conversation, rest)));
    write_draft();
}

fn pending(conversation: ConversationId) -> Option<String> {
    PENDING.with_borrow(|pending| {
        pending.as_ref().filter(|(id, _)| *id == conversation).map(|(_, text)| text.clone())
    })
}

/// Writes the draft that waits, now: on leaving a chat, and when the page is hidden.
pub(crate) fn write_draft() {
    if let Some(timer) = TIMER.take() {
        dom::not_after(timer);
    }
    let pending = PENDING.with_borrow_mut(Option::take);
    if let Some((conversation, text)) = pending {
        tell(Command::SetDraft { conversation, text });
    }
}

/// After the first sent message the browser is asked to keep the database.
fn keep_storage() {
    if PERSISTED.replace(true) {
        return;
    }
    crate::settings::ask_to_keep();
}
