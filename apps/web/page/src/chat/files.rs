// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files: picked, pasted or dropped, shown before they go, and saved or looked at where they come.
//!
//! Bytes cross as the browser's own files and blobs (`docs/decisions/0025-files-in-a-browser.md`). Only here a blob is given
//! a type, one of four kinds of picture, and only where its first bytes say so.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    file::{Command as Files, Event, File, State},
    model::{Content, ConversationId, MessageId, Problem},
};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, BlobPropertyBag, HtmlInputElement};

use crate::{
    bridge::{self, ask},
    dom::{self, icon_with},
    layer::dialog,
    parts::{Weight, bdi, button, icon_button},
    route::{self, Layer},
    state::app,
    words::{self, Put, say, say_with},
};

/// Files that are sent at once.
const MOST: usize = 20;

/// What is done with a file of a message once it is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Save,
    Look,
}

thread_local! {
    // What the dialog is about: the browser's files are no plain data.
    static PICKED: RefCell<Vec<web_sys::File>> = const { RefCell::new(Vec::new()) };
    static OPENING: RefCell<BTreeMap<String, (MessageId, Then)>> = const { RefCell::new(BTreeMap::new()) };
    static NUMBER: Cell<u32> = const { Cell::new(0) };
}

fn place() -> String {
    NUMBER.set(NUMBER.get() + 1);
    format!("{}-{}", dom::now(), NUMBER.get())
}

// ---- sending -----------------------------------------------------------------------------------

/// The button beside the field, with the browser's own chooser behind it.
pub(super) fn chooser(id: ConversationId) -> impl IntoView {
    let input: NodeRef<html::Input> = NodeRef::new();
    (
        html::input()
            .node_ref(input)
            .r#type("file")
            .multiple(true)
            .class("unseen")
            .tabindex("-1")
            .attr("aria-hidden", "true")
            .on(ev::change, move |_| {
                let Some(input) = input.get_untracked() else { return };
                let input: HtmlInputElement = input;
                offer(id, input.files().as_ref());
                input.set_value("");
            }),
        icon_button("paperclip", say("attach"), move |_| {
            if let Some(input) = input.get_untracked() {
                input.click();
            }
        }),
    )
}

/// Asks before picked files go out. Folders and nothing are no files.
pub(super) fn offer(id: ConversationId, list: Option<&web_sys::FileList>) -> bool {
    let Some(list) = list.filter(|list| list.length() > 0) else { return false };
    let files = (0..list.length()).filter_map(|at| list.get(at)).take(MOST).collect();
    PICKED.with_borrow_mut(|picked| *picked = files);
    route::open(Layer::SendFiles(id));
    true
}

/// What was picked, with a text to go under it.
pub(crate) fn send_dialog(id: ConversationId) -> AnyView {
    let files = PICKED.with_borrow(Clone::clone);
    let caption: NodeRef<html::Textarea> = NodeRef::new();
    let count = u32::try_from(files.len()).unwrap_or(u32::MAX);
    let items = files.iter().map(|file| {
        let size = size_of(whole(file.size()));
        html::li().child(html::div().class("item").child((
            icon_with(picture_or_file(&file.type_()), "icon"),
            html::span().class("what").child((
                html::span().child(bdi(file.name())),
                html::span().class("hint").child(size),
            )),
        )))
    });
    let only = <[_; 1]>::try_from(files.clone()).ok().map(|[file]| file);
    let shown = only.filter(|file| is_picture(&file.type_()) && file.size() < SHOWN).map(|file| {
        let address = web_sys::Url::create_object_url_with_blob(&file).unwrap_or_default();
        let gone = address.clone();
        on_cleanup(move || drop(web_sys::Url::revoke_object_url(&gone)));
        html::img().class("picked").src(address).alt("")
    });
    let send = move || {
        let text = caption.get_untracked().map(|area| area.value()).unwrap_or_default();
        route::close();
        // In their order, one after the other's row is on disk; the text goes under the last.
        let files = PICKED.with_borrow_mut(std::mem::take);
        send_all(id, files, text);
    };
    dialog(
        say_with("send-files", &[("count", Put::from(count))]),
        (
            shown,
            html::ul().class("list").child(items.collect_view()),
            html::div().class("field").child((
                html::label().r#for("caption").child(say("caption")),
                html::textarea()
                    .id("caption")
                    .node_ref(caption)
                    .rows("2")
                    .dir("auto")
                    .maxlength("2000"),
            )),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("cancel"), route::close),
                button(Weight::Main, say("send"), send),
            )),
        ),
    )
    .into_any()
}

fn send_all(conversation: ConversationId, mut files: Vec<web_sys::File>, caption: String) {
    if files.is_empty() {
        return;
    }
    let file = files.remove(0);
    let path = place();
    let under = if files.is_empty() { caption.clone() } else { String::new() };
    bridge::hand_over(&path, &file);
    let (name, milliseconds, waveform) = (file.name(), 0, Vec::new());
    let of = Files::Send { conversation, path, name, caption: under, milliseconds, waveform };
    ask(Command::File { of }, move |reply| match reply {
        Reply::Sent(row) => {
            app().chat.told(row, true);
            send_all(conversation, files, caption);
        }
        Reply::Problem(problem) => app().problem(&problem),
        _ => (),
    });
}

/// Takes files that are pasted, and files that are dropped on the chat.
pub(super) fn pasted(id: ConversationId, event: &web_sys::ClipboardEvent) {
    let files = event.clipboard_data().and_then(|data| data.files());
    if offer(id, files.as_ref()) {
        event.prevent_default();
    }
}

/// The cover of a chat over which files are held.
pub(crate) fn drop_target(id: ConversationId) -> impl IntoView {
    let over = app().dropping;
    move || {
        over.get().then(|| {
            html::div()
                .class("drop-here")
                .on(ev::dragover, |event| event.prevent_default())
                .on(ev::dragleave, move |_| over.set(false))
                .on(ev::drop, move |event: web_sys::DragEvent| {
                    event.prevent_default();
                    over.set(false);
                    offer(id, event.data_transfer().and_then(|data| data.files()).as_ref());
                })
                .child(html::span().child((icon_with("paperclip", "icon"), say("drop-here"))))
        })
    }
}

/// Whether files are dragged, and not text or links.
pub(crate) fn dragged(event: &web_sys::DragEvent) -> bool {
    let types = event.data_transfer().map(|data| data.types());
    types.is_some_and(|types| types.iter().any(|one| one == "Files"))
}

// ---- what came ---------------------------------------------------------------------------------

/// A file in its bubble: its name and size, how far it is, and what one can do.
pub(super) fn shown(id: MessageId, file: &File) -> AnyView {
    let File { name, size, caption, state, .. } = file.clone();
    let picture = is_picture(&file.content_type);
    let moves = matches!(state, State::Preparing | State::Uploading | State::Fetching);
    let told = Memo::new(move |_| app().moving.with(|moving| moving.get(&id).copied()));
    let far = move || match (state, told.get().filter(|_| moves)) {
        (State::Preparing, _) => say("file-preparing"),
        (_, Some((done, total))) if total > 0 => {
            let percent = u32::try_from(done.saturating_mul(100) / total).unwrap_or(100);
            let words = [("percent", Put::from(percent)), ("size", Put::Text(&size_of(total)))];
            say_with("file-moving", &words)
        }
        _ if moves => say("file-starting"),
        _ => size_of(size),
    };
    let label = say_with("save-name", &[("name", Put::Text(&name))]);
    let stop = say_with("stop-name", &[("name", Put::Text(&name))]);
    let look = say_with("look-name", &[("name", Put::Text(&name))]);
    (
        html::div().class("file").child((
            icon_with(picture_or_file(&file.content_type), "icon"),
            html::span().class("what").child((
                html::span().class("name").child(bdi(name)),
                html::span().class("hint").role("status").child(far),
            )),
            (picture && !moves).then(|| icon_button("eye", look, move |_| open(id, Then::Look))),
            if moves {
                icon_button("x", stop, move |_| {
                    ask(Command::File { of: Files::Cancel { message: id } }, |reply| {
                        if let Reply::Problem(problem) = reply {
                            app().problem(&problem);
                        }
                    });
                })
                .into_any()
            } else {
                icon_button("arrow-down", label, move |_| open(id, Then::Save)).into_any()
            },
        )),
        (!caption.is_empty()).then(|| super::rich::text(&caption)),
    )
        .into_any()
}

fn open(message: MessageId, then: Then) {
    let path = place();
    OPENING.with_borrow_mut(|opening| opening.insert(path.clone(), (message, then)));
    ask(Command::File { of: Files::Save { message, path } }, |reply| {
        if let Reply::Problem(problem) = reply {
            app().problem(&problem);
        }
    });
}

/// The engine hands over an opened file.
pub(crate) fn opened(place: &str, blob: Blob) {
    let Some((id, then)) = OPENING.with_borrow_mut(|opening| opening.remove(place)) else { return };
    let Some(file) = app().chat.message(id).and_then(|row| match row.content {
        Content::File(file) => Some(file),
        _ => None,
    }) else {
        return;
    };
    match then {
        Then::Save => dom::download(&blob, &file.name),
        Then::Look => spawn_local(async move {
            match typed(&blob).await {
                Some(picture) => {
                    let address = web_sys::Url::create_object_url_with_blob(&picture);
                    route::open(Layer::Picture(id, address.unwrap_or_default()));
                }
                None => app().toast(say("no-picture"), None),
            }
        }),
    }
}

/// The same bytes as a picture, if they begin as one.
async fn typed(blob: &Blob) -> Option<Blob> {
    let head = blob.slice_with_i32_and_i32(0, 12).ok()?;
    let head = JsFuture::from(head.array_buffer()).await.ok()?;
    let head = js_sys::Uint8Array::new(&head).to_vec();
    let kind = match head.as_slice() {
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => "image/webp",
        _ => return None,
    };
    let bag = BlobPropertyBag::new();
    bag.set_type(kind);
    let parts = js_sys::Array::of1(blob);
    Blob::new_with_blob_sequence_and_options(&parts, &bag).ok()
}

/// A picture over everything; the arrows lead to the pictures before and after it.
pub(crate) fn viewer(id: MessageId, address: String) -> AnyView {
    let name = app().chat.message(id).and_then(|row| match row.content {
        Content::File(file) => Some(file.name),
        _ => None,
    });
    let name = name.unwrap_or_default();
    let gone = address.clone();
    on_cleanup(move || drop(web_sys::Url::revoke_object_url(&gone)));
    let step = move |on: bool| {
        if let Some(next) = app().chat.picture_beside(id, on, is_picture_of) {
            route::close();
            open(next, Then::Look);
        }
    };
    dialog(
        name.clone(),
        html::div()
            .class("viewer")
            .tabindex("0")
            .on(ev::keydown, move |event: web_sys::KeyboardEvent| match event.key().as_str() {
                "ArrowRight" | "ArrowDown" => step(true),
                "ArrowLeft" | "ArrowUp" => step(false),
                _ => (),
            })
            .child((
                html::img().src(address).alt(name),
                html::div().class("row-of-buttons").child((
                    icon_button("arrow-up", say("picture-before"), move |_| step(false)),
                    icon_button("arrow-down", say("picture-after"), move |_| step(true)),
                    button(Weight::Plain, say("save"), move || open(id, Then::Save)),
                )),
            )),
    )
    .into_any()
}

/// What the engine tells of files.
pub(crate) fn heard(event: &Event) {
    let moving = app().moving;
    match event {
        Event::Progress { message, done, total } => {
            moving.update(|moving| _ = moving.insert(*message, (*done, *total)));
        }
        Event::Saved { message } => moving.update(|moving| _ = moving.remove(message)),
        Event::Failed { message, problem } => {
            moving.update(|moving| _ = moving.remove(message));
            failed(problem);
        }
    }
}

fn failed(problem: &Problem) {
    let id = match problem.kind {
        nodoor_view::model::ProblemKind::NotFound => "file-gone",
        nodoor_view::model::ProblemKind::Forged => "file-forged",
        _ => return app().toast(words::problem(problem), None),
    };
    app().toast(say(id), None);
}

/// Pictures up to this size are shown before they are sent, bytes.
const SHOWN: f64 = 64.0 * 1024.0 * 1024.0;

fn is_picture_of(content: &Content) -> bool {
    matches!(content, Content::File(file) if is_picture(&file.content_type))
}

fn is_picture(kind: &str) -> bool {
    matches!(kind, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

fn picture_or_file(kind: &str) -> &'static str {
    if is_picture(kind) { "eye" } else { "paperclip" }
}

/// A size in the largest unit that it has one of.
fn size_of(bytes: u64) -> String {
    let units = [("gb", 1_000_000_000), ("mb", 1_000_000), ("kb", 1_000)];
    let (unit, of) = units.into_iter().find(|(_, of)| bytes >= *of).unwrap_or(("b", 1));
    let tenths = bytes.saturating_mul(10) / of;
    let number = if unit == "b" || tenths >= 100 {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    say_with("file-size", &[("unit", Put::Text(unit)), ("number", Put::Text(&number))])
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are whole")]
fn whole(number: f64) -> u64 {
    number as u64
}

/// Takes what the worker hands over that is no text.
pub(crate) fn given(data: &JsValue) -> bool {
    let get = |name: &str| js_sys::Reflect::get(data, &name.into()).ok();
    let (Some(place), Some(file)) = (get("place"), get("file")) else { return false };
    match (place.as_string(), file.dyn_into::<Blob>()) {
        (Some(place), Ok(blob)) => {
            opened(&place, blob);
            true
        }
        _ => false,
    }
}
