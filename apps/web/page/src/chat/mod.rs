// SPDX-License-Identifier: AGPL-3.0-or-later
//! A conversation: header, list of messages, composer.

mod bubble;
mod completion;
mod composer;
mod files;
mod find;
mod layout;
mod marks;
mod menu;
mod pinned;
mod rich;
mod scroll;
pub(crate) mod state;

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    model::{Content, ConversationId, ConversationRow, From, Kind, MessageId, SendState, Writable},
};
use wasm_bindgen::JsCast;
use web_sys::{FocusEvent, HtmlElement, KeyboardEvent, MouseEvent};

pub(crate) use self::{
    bubble::mark,
    composer::{send_menu, write_draft},
    files::{given, heard as file_heard, send_dialog as send_files, viewer},
    find::found_in,
    marks::{delete_dialog, once_dialog, react_dialog},
    menu::{message_info, message_menu},
    pinned::timer_dialog,
    scroll::see,
};
use crate::{
    bridge::ask,
    dom::{self, icon},
    parts::{Weight, back, bdi, button, face_of_chat, icon_button},
    route::{self, Layer, Route},
    state::{app, load_chats},
    words::{Put, say, say_with},
};

/// Looks for something in the open chat.
pub(crate) fn find_here() {
    app().chat.find.open.set(true);
    dom::after(0, || {
        dom::focus(".find input");
    });
}

/// The main pane with a conversation in it.
pub(crate) fn conversation(id: ConversationId) -> AnyView {
    let Some(row) = app().row(id) else {
        // Not told yet: the list comes first.
        return html::div().class("empty").into_any();
    };
    app().chat.open(id);
    on_cleanup(|| app().chat.leave());
    let title = Memo::new(move |_| row.with(|row| row.title.clone()));
    let scroller: NodeRef<html::Div> = NodeRef::new();
    let list: NodeRef<html::Ol> = NodeRef::new();
    Effect::new(move |_| {
        if let (Some(scroller), Some(list)) = (scroller.get(), list.get()) {
            scroll::watch(&scroller, &list);
        }
    });
    // A phone's keyboard would cover half of what one came to read.
    if !dom::media("(pointer: coarse)") {
        dom::after(0, || {
            if app().layer.get_untracked().is_none() {
                dom::focus(".composer textarea");
            }
        });
    }
    (
        head(id, row),
        find::bar(id),
        pinned::bar(),
        html::div()
            .class("conversation")
            .on(ev::dragenter, move |event: web_sys::DragEvent| {
                let may = row.with_untracked(|row| row.writable == Writable::Yes);
                if may && files::dragged(&event) {
                    event.prevent_default();
                    app().dropping.set(true);
                }
            })
            .child((
                files::drop_target(id),
                html::div()
                    .class("scroller")
                    .node_ref(scroller)
                    .on(ev::scroll, |_| scroll::scrolled())
                    .child((
                        move || skeleton_after(app().chat.loaded),
                        html::ol()
                            .class("messages")
                            .node_ref(list)
                            .attr("aria-label", move || {
                                say_with("messages-with", &[("name", Put::Text(&title.get()))])
                            })
                            .on(ev::keydown, keys)
                            .on(ev::focusin, |event: FocusEvent| rove(&event))
                            .child((
                                move || {
                                    let start =
                                        app().chat.loaded.get() && !app().chat.more_before.get();
                                    start.then(|| first_line(row))
                                },
                                For(ForProps::builder()
                                    .each(move || app().chat.keys.get())
                                    .key(|key| *key)
                                    .children(bubble::entry)
                                    .build()),
                            )),
                    )),
                jump_button(),
            )),
        composer::composer(id),
    )
        .into_any()
}

fn head(id: ConversationId, row: RwSignal<ConversationRow>) -> impl IntoView {
    let typing = Memo::new(move |_| app().who_types(id));
    let under = move || {
        row.with(|row| match row.kind {
            Kind::Group if row.people > 0 => Some(people(row)),
            _ => None,
        })
    };
    html::header().class("head back").child((
        html::div().class("only-phone").child(back()),
        html::button()
            .r#type("button")
            .class("title")
            .title(say("chat-info"))
            .on(ev::click, move |_| route::go(Route::Sheet(id)))
            .child((
                move || row.with(|row| face_of_chat(row, "middle")),
                html::span().class("names").child((
                    html::h1().child(move || row.with(|row| bdi(row.title.clone()))),
                    // In the place of what stands there: nothing moves.
                    move || match typing.get() {
                        Some(text) => html::span().class("hint typing").child(text).into_any(),
                        None => (
                            row.with(|row| pinned::timer_line(row.timer)),
                            under().map(|text| html::span().class("hint").child(text)),
                        )
                            .into_any(),
                    },
                )),
            )),
        html::div().class("not-phone").child(icon_button("search", say("find-in-chat"), |_| {
            app().chat.find.open.set(true);
        })),
        icon_button("ellipsis-vertical", say("chat-menu"), |event: MouseEvent| {
            let (x, y) = below(&event);
            route::open(Layer::ChatMenu(x, y));
        }),
    ))
}

/// "4 people, 7 devices can read this."
pub(crate) fn people(row: &ConversationRow) -> String {
    let people = say_with("people", &[("count", Put::from(row.people))]);
    let devices = say_with("devices-can-read", &[("count", Put::from(row.devices))]);
    say_with(
        "people-and-devices",
        &[("people", Put::Text(&people)), ("devices", Put::Text(&devices))],
    )
}

/// The point under the button an event came from, for its menu.
pub(crate) fn below(event: &MouseEvent) -> (i32, i32) {
    let target = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    target.map_or((event.client_x(), event.client_y()), |target| {
        let area = target.get_bounding_client_rect();
        let edge = if dom::find("html").is_some_and(|root| root.dir() == "rtl") {
            area.left()
        } else {
            area.right()
        };
        (edge as i32, area.bottom() as i32 + 4)
    })
}

/// The first line of a chat that has nothing above it.
fn first_line(row: RwSignal<ConversationRow>) -> impl IntoView {
    html::li().class("first-line").child(move || {
        row.with(|row| {
            let words = match row.kind {
                _ if row.saved => say("first-saved"),
                Kind::Direct => say_with("first-chat", &[("name", Put::Text(&row.title))]),
                Kind::Group => say("first-group"),
            };
            (face_of_chat(row, "large"), html::p().child(words))
        })
    })
}

/// Rows that stand for what loads, after 150 ms.
fn skeleton_after(loaded: RwSignal<bool>) -> Option<impl IntoView> {
    let late = RwSignal::new(false);
    if !loaded.get() {
        dom::after(150, move || {
            late.try_set(true);
        });
    }
    (!loaded.get()).then_some(move || {
        late.get().then(|| {
            html::div().class("messages skeleton").attr("aria-hidden", "true").child(
                (0..5)
                    .map(|n| {
                        let side =
                            if n % 3 == 2 { "message out opens" } else { "message in opens" };
                        html::div().class(side).child(
                            html::div().class("bubble").child(
                                html::div().class("text").child("\u{2003}".repeat(6 + n * 2)),
                            ),
                        )
                    })
                    .collect_view(),
            )
        })
    })
}

/// The round button: to the newest message, with how many wait there.
fn jump_button() -> impl IntoView {
    let far = app().chat.far;
    let below = app().chat.below;
    move || {
        let count = below.get();
        far.get().then(|| {
            let label = if count > 0 {
                say_with("to-latest-unread", &[("count", Put::from(count))])
            } else {
                say("to-latest")
            };
            html::button()
                .r#type("button")
                .class("jump")
                .title(label.clone())
                .attr("aria-label", label)
                .on(ev::click, |_| app().chat.to_latest())
                .child((
                    icon("arrow-down"),
                    (count > 0).then(|| {
                        html::span().class("badge").attr("aria-hidden", "true").child(count)
                    }),
                ))
        })
    }
}

/// Asked once, above the composer of the first chat: the name contacts see.
fn name_question(id: ConversationId) -> impl IntoView {
    let app = app();
    let first = app.chats.with_untracked(|chats| chats.len() <= 1);
    let asked = RwSignal::new(dom::remembered("name-asked").is_some());
    let value: NodeRef<html::Input> = NodeRef::new();
    move || {
        let profile = app.profile.get()?;
        if asked.get() || !profile.name.is_empty() || !first {
            return None;
        }
        let row = app.row(id)?;
        let name = row.with(|row| row.title.clone());
        let question = say_with(
            "ask-name",
            &[("name", Put::Text(&name)), ("handle", Put::Text(&format!("@{}", profile.handle)))],
        );
        let done = move || {
            dom::remember("name-asked", "1");
            asked.set(true);
        };
        Some(
            html::div().class("card ask-name").child((
                html::p().id("ask-name").child(question),
                html::form()
                    .on(ev::submit, move |event| {
                        event.prevent_default();
                        let name =
                            value.get_untracked().map(|input| input.value()).unwrap_or_default();
                        set_name(name);
                        done();
                    })
                    .child((
                        html::div().class("input").child(
                            html::input()
                                .node_ref(value)
                                .r#type("text")
                                .maxlength("60")
                                .dir("auto")
                                .attr("autocomplete", "name")
                                .attr("aria-labelledby", "ask-name"),
                        ),
                        html::button()
                            .r#type("submit")
                            .class("button main-one")
                            .child(say("add-name")),
                        button(Weight::Quiet, say("not-now"), done),
                    )),
            )),
        )
    }
}

/// Sets the name contacts see.
pub(crate) fn set_name(name: String) {
    ask(Command::SetName { name }, |reply| match reply {
        Reply::Profile(profile) => app().profile.set(Some(profile)),
        Reply::Problem(problem) => app().problem(&problem),
        _ => (),
    });
}

/// Keys inside the list of messages: they work only while a message has the focus.
fn keys(event: KeyboardEvent) {
    let Some(message) = focused_message(&event) else { return };
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let id = message.get_attribute("data-id").and_then(|id| id.parse().ok()).map(MessageId);
    let step = |forward: bool, count: usize| {
        let mut at = message.clone();
        for _ in 0..count {
            let mut next = at.clone();
            loop {
                let sibling = if forward {
                    next.next_element_sibling()
                } else {
                    next.previous_element_sibling()
                };
                let Some(found) = sibling.and_then(|e| e.dyn_into::<HtmlElement>().ok()) else {
                    break;
                };
                next = found;
                if next.has_attribute("data-id") {
                    at = next.clone();
                    break;
                }
            }
        }
        at.focus().ok()
    };
    let handled = match event.key().as_str() {
        "ArrowUp" => step(false, 1),
        "ArrowDown" => step(true, 1),
        "PageUp" => step(false, 8),
        "PageDown" => step(true, 8),
        "Home" => step(false, 5000),
        "End" => step(true, 5000),
        "Enter" => id.map(|id| {
            let area = message.get_bounding_client_rect();
            route::open(Layer::MessageMenu(id, area.left() as i32 + 24, area.top() as i32 + 24));
        }),
        "c" => id.map(menu::copy),
        "r" => id.map(|id| if is_failed(id) { bubble::retry(id) } else { menu::reply(id) }),
        "e" => id.filter(|id| is_own_text(*id)).map(composer::edit),
        "+" => id.filter(|_| app().chat.may_write()).map(|id| route::open(Layer::React(id))),
        "Delete" => id.map(menu::delete),
        _ => None,
    };
    if handled.is_some() {
        event.prevent_default();
    }
}

fn is_own_text(id: MessageId) -> bool {
    let row = app().chat.message(id).filter(|_| app().chat.may_write());
    row.is_some_and(|row| {
        let said = matches!(row.content, Content::Text(_) | Content::Markdown { .. });
        said && row.from == From::Me && menu::is_editable(&row)
    })
}

fn is_failed(id: MessageId) -> bool {
    let row = app().chat.message(id);
    row.is_some_and(|row| matches!(row.state, Some(SendState::NotSent { .. })))
}

fn focused_message(event: &KeyboardEvent) -> Option<HtmlElement> {
    let target: HtmlElement = event.target()?.dyn_into().ok()?;
    target.has_attribute("data-id").then_some(target)
}

/// The message with the focus is the one in the tab order.
fn rove(event: &FocusEvent) {
    let Some(target) = event.target().and_then(|t| t.dyn_into::<HtmlElement>().ok()) else {
        return;
    };
    if !target.has_attribute("data-id") {
        return;
    }
    if let Some(before) = dom::find(".messages [data-id][tabindex='0']") {
        before.set_tab_index(-1);
    }
    target.set_tab_index(0);
}

/// The chat menu: what can be done with the open chat.
pub(crate) fn chat_menu(id: ConversationId, x: i32, y: i32) -> AnyView {
    use crate::layer::{Choice, menu};
    let Some(row) = app().row(id) else { return ().into_any() };
    let row = row.get_untracked();
    let mut choices = Vec::new();
    if !row.saved {
        choices.push(Choice::new("info", say("chat-info"), move || route::go(Route::Sheet(id))));
    }
    choices.push(Choice::new("search", say("find-in-chat"), || {
        route::close();
        app().chat.find.open.set(true);
    }));
    choices.extend(crate::arrange::choices_of(&row));
    choices.push(Choice::new("folder", say("folders"), move || route::open(Layer::Folders(id))));
    match row.kind {
        _ if row.saved => {}
        Kind::Direct => choices.push(
            Choice::new("ban", say("block"), move || {
                route::close();
                block(id);
            })
            .dangerous(),
        ),
        Kind::Group => choices.push(
            Choice::new("log-out", say("leave-group"), move || route::open(Layer::Leave(id)))
                .dangerous(),
        ),
    }
    menu(say("chat-menu"), x, y, choices)
}

/// Blocks the other person; the line that follows takes it back.
pub(crate) fn block(conversation: ConversationId) {
    let handle = app().row(conversation).and_then(|row| {
        row.with_untracked(|row| row.person.as_ref().map(|person| person.handle.clone()))
    });
    block_handle(conversation, handle.unwrap_or_default());
}

/// The same, where the handle is known.
pub(crate) fn block_handle(conversation: ConversationId, handle: String) {
    let shown = format!("@{handle}");
    ask(Command::Block { conversation }, move |reply| match reply {
        Reply::Problem(problem) => app().problem(&problem),
        _ => {
            load_chats();
            crate::state::toast_with_undo(
                say_with("blocked", &[("handle", Put::Text(&shown))]),
                move || {
                    ask(Command::Unblock { conversation }, |_| load_chats());
                },
            );
        }
    });
}
