// SPDX-License-Identifier: AGPL-3.0-or-later
//! The list as its person arranges it: what of it is shown, the menu of a row, mutes and folders.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    list::{self, ALWAYS, Folder},
    model::{ConversationId, ConversationRow, Milliseconds},
};

use crate::{
    bridge::ask,
    dom,
    layer::{Choice, dialog, menu, walk},
    parts::{Weight, button, icon_button},
    route::{self, Layer},
    state::{app, toast_with_undo},
    words::{Put, say, say_with, span},
};

/// Chats from which on the list is worth filtering.
const MANY: usize = 6;
/// For how long one may mute, seconds.
const SPANS: [u32; 4] = [3_600, 8 * 3_600, 86_400, 7 * 86_400];

/// What of the list is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All but what is put away.
    #[default]
    All,
    /// What is unread.
    Unread,
    /// A folder, by its id.
    Folder(String),
    /// What is put away.
    Archived,
}

/// Chats that are shown now, in the order of the list.
pub(crate) fn shown() -> Vec<ConversationId> {
    let app = app();
    let (filter, open) = (app.filter.get(), app.route.with(route::Route::chat));
    let folder = match &filter {
        Filter::Folder(id) => {
            app.folders.with(|all| all.iter().find(|folder| folder.id == *id).cloned())
        }
        _ => None,
    };
    let fits = |row: &ConversationRow| match &filter {
        Filter::All => !row.place.archived,
        // One that was opened out of it stays until it is left.
        Filter::Unread => is_unread(row) && !row.place.archived || open == Some(row.id),
        Filter::Folder(_) => {
            folder.as_ref().is_some_and(|folder| folder.conversations.contains(&row.id))
        }
        Filter::Archived => row.place.archived,
    };
    let mut chats = app.chats.get();
    chats.retain(|id| app.row(*id).is_some_and(|row| row.with(fits)));
    chats
}

pub(crate) fn is_unread(row: &ConversationRow) -> bool {
    row.unread > 0 || row.place.marked
}

/// Whether a chat tells nothing now.
pub(crate) fn is_muted(row: &ConversationRow) -> bool {
    row.place.is_muted(Milliseconds(app().now.get()))
}

/// The filters, once there is something to filter.
pub(crate) fn filters() -> impl IntoView {
    let app = app();
    move || {
        let folders = app.folders.get();
        let many = app.chats.with(Vec::len) >= MANY;
        if app.filter.get() == Filter::Archived {
            return Some(
                html::div()
                    .class("filters")
                    .child(
                        html::button()
                            .r#type("button")
                            .class("filter")
                            .on(ev::click, move |_| app.filter.set(Filter::All))
                            .child((
                                dom::icon_with("chevron-left", "icon small mirror"),
                                say("archived"),
                            )),
                    )
                    .into_any(),
            );
        }
        if !many && folders.is_empty() {
            return None;
        }
        let mut tabs =
            vec![(Filter::All, say("filter-all")), (Filter::Unread, say("filter-unread"))];
        tabs.extend(folders.into_iter().map(|folder| (Filter::Folder(folder.id), folder.name)));
        let tabs = tabs.into_iter().map(|(filter, name)| {
            let (is, to) = (filter.clone(), filter);
            html::button()
                .r#type("button")
                .class("filter")
                .attr("aria-pressed", move || (app.filter.get() == is).to_string())
                .on(ev::click, move |_| app.filter.set(to.clone()))
                .child(html::bdi().child(name))
        });
        Some(
            html::div()
                .class("filters")
                .role("group")
                .attr("aria-label", say("filters"))
                .on(ev::keydown, |event| walk_sideways(&event))
                .child(tabs.collect_view())
                .into_any(),
        )
    }
}

/// Left and right among the filters, as up and down in a menu.
fn walk_sideways(event: &web_sys::KeyboardEvent) {
    let rtl = dom::find("html").is_some_and(|root| root.dir() == "rtl");
    let forward = match event.key().as_str() {
        "ArrowRight" => !rtl,
        "ArrowLeft" => rtl,
        _ => return walk(event, "button"),
    };
    let active = dom::document().active_element();
    let next = active.and_then(|active| {
        if forward { active.next_element_sibling() } else { active.previous_element_sibling() }
    });
    if let Some(next) =
        next.and_then(|e| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(e).ok())
    {
        event.prevent_default();
        drop(next.focus());
    }
}

/// The way to what is put away.
pub(crate) fn archived_row() -> impl IntoView {
    let app = app();
    move || {
        let archived = |id: &ConversationId| {
            app.row(*id).is_some_and(|row| row.with(|row| row.place.archived))
        };
        let count = app.chats.get().iter().filter(|id| archived(id)).count();
        (count > 0 && app.filter.get() == Filter::All).then(|| {
            html::button()
                .r#type("button")
                .class("row requests")
                .on(ev::click, move |_| app.filter.set(Filter::Archived))
                .child((
                    html::span().class("round").child(dom::icon("archive")),
                    html::span()
                        .class("lines")
                        .child(say_with("archived-count", &[("count", Put::from(count))])),
                    dom::icon_with("chevron-right", "icon small mirror"),
                ))
        })
    }
}

/// What stands in the place of an empty list, under a filter.
pub(crate) fn nothing() -> Option<String> {
    Some(match app().filter.get() {
        Filter::All => return None,
        Filter::Unread => say("nothing-unread"),
        Filter::Folder(_) => say("nothing-in-folder"),
        Filter::Archived => say("nothing-archived"),
    })
}

/// The menu of a chat's row.
pub(crate) fn row_menu(id: ConversationId, x: i32, y: i32) -> AnyView {
    let Some(row) = app().row(id) else { return ().into_any() };
    let row = row.get_untracked();
    let mut choices = Vec::new();
    let unread = is_unread(&row);
    let (icon, word) = if unread { ("mail-open", "mark-read") } else { ("mail", "mark-unread") };
    choices.push(Choice::new(icon, say(word), move || {
        route::close();
        mark(id, !unread);
    }));
    choices.extend(choices_of(&row));
    choices.push(Choice::new("folder", say("folders"), move || route::open(Layer::Folders(id))));
    menu(say("chat-menu"), x, y, choices)
}

/// What can be done with a chat's place, for its row and for its header.
pub(crate) fn choices_of(row: &ConversationRow) -> Vec<Choice> {
    let id = row.id;
    let (pinned, archived) = (row.place.pinned_at.is_some(), row.place.archived);
    let muted = row.place.is_muted(Milliseconds(app().now.get_untracked()));
    let mut choices = Vec::new();
    if !archived {
        let (icon, word) = if pinned { ("pin-off", "unpin-chat") } else { ("pin", "pin-chat") };
        choices.push(Choice::new(icon, say(word), move || {
            route::close();
            tell(list::Command::Pin { conversation: id, on: !pinned });
        }));
    }
    if muted {
        choices.push(Choice::new("bell", say("unmute"), move || {
            route::close();
            mute(id, Milliseconds(0));
        }));
    } else if !row.saved {
        choices.push(Choice::new("bell-off", say("mute"), move || route::open(Layer::Mute(id))));
    }
    let (icon, word) =
        if archived { ("archive-restore", "unarchive") } else { ("archive", "archive") };
    choices.push(Choice::new(icon, say(word), move || {
        route::close();
        archive(id, !archived);
    }));
    choices
}

fn mark(conversation: ConversationId, unread: bool) {
    if unread {
        return tell(list::Command::Mark { conversation, on: true });
    }
    tell(list::Command::Mark { conversation, on: false });
    let last = app().row(conversation).and_then(|row| row.with_untracked(|row| row.first_unread));
    if last.is_some() {
        let up_to = nodoor_view::model::MessageId(u64::MAX >> 1);
        ask(Command::MarkRead { conversation, up_to }, |_| ());
    }
}

fn archive(conversation: ConversationId, on: bool) {
    tell(list::Command::Archive { conversation, on });
    let said = if on { "archived-done" } else { "unarchived-done" };
    toast_with_undo(say(said), move || tell(list::Command::Archive { conversation, on: !on }));
}

/// Mutes or not; the line that follows takes it back.
fn mute(conversation: ConversationId, until: Milliseconds) {
    let row = app().row(conversation);
    let before = row.map_or(Milliseconds(0), |row| row.with_untracked(|row| row.place.muted_until));
    tell(list::Command::Mute { conversation, until });
    let said = if until.0 == 0 { "unmuted-done" } else { "muted-done" };
    toast_with_undo(say(said), move || tell(list::Command::Mute { conversation, until: before }));
}

/// Asks for a change of the list; what fails is said.
fn tell(of: list::Command) {
    ask(Command::List { of }, |reply| match reply {
        Reply::Conversation(row) => app().put_row(row),
        Reply::Folders(folders) => app().folders.set(folders),
        Reply::Problem(problem) => app().problem(&problem),
        _ => (),
    });
}

/// For how long a chat tells nothing.
pub(crate) fn mute_dialog(id: ConversationId) -> AnyView {
    let choice = |label: String, until: Milliseconds| {
        html::button()
            .r#type("button")
            .class("item")
            .on(ev::click, move |_| {
                route::close();
                mute(id, until);
            })
            .child(html::span().class("what").child(label))
    };
    let now = app().now.get_untracked();
    let spans = SPANS.iter().map(|seconds| {
        choice(span(*seconds), Milliseconds(now + u64::from(*seconds) * 1000)).into_any()
    });
    let always = choice(say("mute-always"), ALWAYS).into_any();
    dialog(
        say("mute"),
        (
            html::p().child(say("mute-hint")),
            html::div().class("list").child(spans.chain([always]).collect_view()),
        ),
    )
    .into_any()
}

/// In which folders a chat is, and the folders themselves.
pub(crate) fn folders_dialog(id: ConversationId) -> AnyView {
    let folders = app().folders;
    let name: NodeRef<html::Input> = NodeRef::new();
    let list = move || {
        let all = folders.get();
        if all.is_empty() {
            return html::p().class("quiet").child(say("no-folders")).into_any();
        }
        let lines = all.into_iter().map(|folder| folder_line(id, folder));
        html::div().class("list").child(lines.collect_view()).into_any()
    };
    dialog(
        say("folders"),
        (
            list,
            html::form()
                .class("row-of-fields")
                .on(ev::submit, move |event| {
                    event.prevent_default();
                    let Some(field) = name.get_untracked() else { return };
                    if field.value().trim().is_empty() {
                        return;
                    }
                    let order = folders.with_untracked(|all| {
                        all.iter().map(|folder| folder.order).max().map_or(0, |most| most + 1)
                    });
                    let folder = Folder {
                        id: String::new(),
                        name: field.value(),
                        order,
                        conversations: vec![id],
                    };
                    field.set_value("");
                    tell(list::Command::SetFolder { folder });
                })
                .child((
                    html::label().child((
                        say("new-folder"),
                        html::div().class("input").child(
                            html::input()
                                .node_ref(name)
                                .r#type("text")
                                .maxlength("30")
                                .dir("auto")
                                .attr("autocomplete", "off"),
                        ),
                    )),
                    html::button().r#type("submit").class("button").child(say("make-folder")),
                )),
            html::div().class("row-of-buttons").child(button(
                Weight::Main,
                say("done"),
                route::close,
            )),
        ),
    )
    .into_any()
}

fn folder_line(id: ConversationId, folder: Folder) -> impl IntoView {
    let (kept, removed) = (folder.clone(), folder.clone());
    let remove = say_with("remove-folder", &[("name", Put::Text(&folder.name))]);
    html::div().class("item").child((
        html::label().class("checked").child((
            html::input().r#type("checkbox").checked(folder.conversations.contains(&id)).on(
                ev::change,
                move |event| {
                    let mut folder = kept.clone();
                    folder.conversations.retain(|chat| *chat != id);
                    if event_target_checked(&event) {
                        folder.conversations.push(id);
                    }
                    tell(list::Command::SetFolder { folder });
                },
            ),
            html::bdi().child(folder.name),
        )),
        icon_button("trash-2", remove, move |_| {
            route::close();
            let again = Folder { id: String::new(), ..removed.clone() };
            tell(list::Command::RemoveFolder { id: removed.id.clone() });
            app().filter.set(Filter::All);
            toast_with_undo(say("folder-removed"), move || {
                tell(list::Command::SetFolder { folder: again.clone() });
            });
        }),
    ))
}
