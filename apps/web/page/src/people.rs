// SPDX-License-Identifier: AGPL-3.0-or-later
//! Finding a person by exact handle, making a group, and the small dialogs of groups.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, FoundPerson, Person, Problem, ProblemKind},
};

use crate::{
    bridge::ask,
    dom::icon,
    layer::dialog,
    parts::{Weight, bdi, button, face_of, page, submit},
    route::{self, Layer, Route},
    state::{app, open_direct},
    words::{self, Put, name_of, say, say_with},
};

/// A field for a handle, with what came of looking it up.
fn handle_field(
    field: NodeRef<html::Input>,
    error: RwSignal<Option<String>>,
    label: String,
) -> impl IntoView {
    html::div().class("field").child((
        html::label().r#for("find-handle").child(label),
        html::div().class("input").dir("ltr").child((
            html::span().class("before").attr("aria-hidden", "true").child("@"),
            html::input()
                .id("find-handle")
                .node_ref(field)
                .r#type("text")
                .autofocus(true)
                .maxlength("33")
                .attr("autocomplete", "off")
                .attr("autocapitalize", "none")
                .attr("spellcheck", "false")
                .attr("aria-describedby", "find-told")
                .on(ev::input, move |_| error.set(None)),
        )),
        html::div()
            .id("find-told")
            .attr("aria-live", "polite")
            .child(move || error.get().map(|error| html::p().class("failed").child(error))),
    ))
}

fn typed(field: NodeRef<html::Input>) -> Option<String> {
    let text = field.get_untracked()?.value().trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn said(problem: &Problem, handle: &str) -> String {
    if problem.kind == ProblemKind::NotFound {
        let handle = format!("@{}", handle.trim_start_matches('@'));
        say_with("no-such-person", &[("handle", Put::Text(&handle))])
    } else {
        words::problem(problem)
    }
}

/// Puts the focus into a field once it is drawn.
fn begin_in(field: NodeRef<html::Input>) {
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            drop(field.focus());
        }
    });
}

/// New chat: find a person.
pub(crate) fn find() -> impl IntoView {
    let field: NodeRef<html::Input> = NodeRef::new();
    begin_in(field);
    let error = RwSignal::new(None);
    let found: RwSignal<Option<FoundPerson>> = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let look_up = move |handle: String| {
        busy.set(true);
        found.set(None);
        ask(Command::Find { handle: handle.clone() }, move |reply| {
            busy.set(false);
            match reply {
                Reply::Person(person) => found.set(Some(person)),
                Reply::Problem(problem) => error.set(Some(said(&problem, &handle))),
                _ => (),
            }
        });
    };
    let search = move || {
        if let Some(handle) = typed(field) {
            look_up(handle);
        }
    };
    // An invite link that was opened: found at once, as if it were typed.
    Effect::new(move |_| {
        let handle = app().looked_for.get();
        if let (Some(field), Some(handle)) = (field.get(), handle) {
            app().looked_for.set(None);
            field.set_value(handle.trim_start_matches('@'));
            look_up(handle);
        }
    });
    page(
        say("new-chat"),
        false,
        (
            html::form()
                .class("part")
                .on(ev::submit, move |event| {
                    event.prevent_default();
                    search();
                })
                .child((
                    handle_field(field, error, say("their-handle")),
                    // Where nobody was found the error says so itself.
                    move || {
                        error
                            .with(Option::is_none)
                            .then(|| html::p().class("hint").child(say("handles-are-exact")))
                    },
                    submit(say("find"), busy.into()),
                )),
            move || found.get().map(|found| card(&found)),
            html::div().class("part").child((
                html::p().class("quiet").child(say("or-send-link")),
                html::div().class("row-of-buttons").child((
                    button(Weight::Plain, say("my-link"), || route::open(Layer::MyLink)),
                    button(Weight::Plain, say("new-group"), || route::go(Route::NewGroup)),
                )),
            )),
        ),
    )
}

fn card(found: &FoundPerson) -> impl IntoView + use<> {
    let handle = found.person.handle.clone();
    let known = found.conversation;
    html::div().class("card").child((
        html::div().class("who").child((
            face_of(&found.person, "large"),
            html::h2().child(bdi(name_of(&found.person))),
            html::p().class("quiet").dir("ltr").child(format!("@{}", found.person.handle)),
            html::p()
                .class("hint")
                .child(say_with("device-count", &[("count", Put::from(found.devices))])),
        )),
        if found.me {
            html::p().class("quiet").child(say("this-is-you")).into_any()
        } else {
            button(Weight::Main, say("message"), move || match known {
                Some(id) if app().row(id).is_some() => route::go(Route::Chat(id)),
                _ => open_direct(handle.clone()),
            })
            .into_any()
        },
    ))
}

/// New group: a title and people, found one by one.
pub(crate) fn new_group() -> impl IntoView {
    let title: NodeRef<html::Input> = NodeRef::new();
    begin_in(title);
    let field: NodeRef<html::Input> = NodeRef::new();
    let error = RwSignal::new(None);
    let title_error = RwSignal::new(None);
    let members: RwSignal<Vec<Person>> = RwSignal::new(Vec::new());
    let busy = RwSignal::new(false);
    let put = move |person: Person| {
        members.update(|members| {
            if !members.iter().any(|kept| kept.account == person.account) {
                members.push(person);
            }
        });
    };
    // Looks up what is typed, takes it in, and goes on; a handle that nobody has stops here and stays.
    let add_and = move |handle: String, then: Box<dyn FnOnce()>| {
        busy.set(true);
        ask(Command::Find { handle: handle.clone() }, move |reply| {
            busy.set(false);
            match reply {
                Reply::Person(found) if found.me => error.set(Some(say("you-are-in-it"))),
                Reply::Person(found) => {
                    put(found.person);
                    if let Some(field) = field.get_untracked() {
                        field.set_value("");
                        drop(field.focus());
                    }
                    then();
                }
                Reply::Problem(problem) => error.set(Some(said(&problem, &handle))),
                _ => (),
            }
        });
    };
    let create = move || {
        let title = title.get_untracked().map(|title| title.value()).unwrap_or_default();
        if title.trim().is_empty() {
            title_error.set(Some(say("group-needs-name")));
            return;
        }
        busy.set(true);
        let members = members
            .with_untracked(|members| members.iter().map(|person| person.handle.clone()).collect());
        ask(Command::GroupCreate { title, members }, move |reply| {
            busy.set(false);
            match reply {
                Reply::Conversation(row) => {
                    let id = row.id;
                    app().put_row(row);
                    route::go(Route::Chat(id));
                }
                Reply::Problem(problem) => title_error.set(Some(words::problem(&problem))),
                _ => (),
            }
        });
    };
    let add = move || {
        if let Some(handle) = typed(field) {
            add_and(handle, Box::new(|| ()));
        }
    };
    let create = move || match typed(field) {
        // What stands in the field is meant to be in the group.
        Some(handle) => add_and(handle, Box::new(create)),
        None => create(),
    };
    page(
        say("new-group"),
        false,
        (
            html::div().class("field").child((
                html::label().r#for("group-title").child(say("group-name")),
                html::div().class("input").child(
                    html::input()
                        .id("group-title")
                        .node_ref(title)
                        .r#type("text")
                        .dir("auto")
                        .maxlength("100")
                        .attr("autocomplete", "off")
                        .attr("aria-describedby", "title-told")
                        .on(ev::input, move |_| title_error.set(None)),
                ),
                html::div().id("title-told").attr("aria-live", "polite").child(move || {
                    title_error.get().map(|error| html::p().class("failed").child(error))
                }),
            )),
            html::form()
                .class("part")
                .on(ev::submit, move |event| {
                    event.prevent_default();
                    add();
                })
                .child((
                    handle_field(field, error, say("add-people")),
                    html::div().child(
                        html::button().r#type("submit").class("button").child(say("add-person")),
                    ),
                )),
            known_people(members, put),
            html::ul().class("chips").attr("aria-label", say("in-the-group")).child(move || {
                let people = members.get();
                people.into_iter().map(|person| member_chip(&person, members)).collect_view()
            }),
            html::div().child(
                html::button()
                    .r#type("button")
                    .class("button main-one wide")
                    .disabled(move || busy.get())
                    .on(ev::click, move |_| create())
                    .child(say("create-group")),
            ),
        ),
    )
}

/// The people one has chats with, to be taken in by a press.
fn known_people(
    members: RwSignal<Vec<Person>>,
    put: impl Fn(Person) + Copy + Send + 'static,
) -> impl IntoView {
    const SHOWN: usize = 12;
    move || {
        let inside = members.get();
        let known: Vec<Person> = app().chats.with(|chats| {
            let others = chats.iter().filter_map(|id| app().row(*id)?.get_untracked().person);
            let others = others.filter(|person| !person.handle.is_empty());
            let others = others.filter(|one| inside.iter().all(|kept| kept.account != one.account));
            others.take(SHOWN).collect()
        });
        (!known.is_empty()).then(|| {
            let chips = known.into_iter().map(|person| {
                let label =
                    say_with("add-name-to-group", &[("name", Put::Text(&name_of(&person)))]);
                html::li().child(
                    html::button()
                        .r#type("button")
                        .class("chip")
                        .attr("aria-label", label)
                        .child((icon("plus"), bdi(name_of(&person))))
                        .on(ev::click, move |_| put(person.clone())),
                )
            });
            html::div().class("part").child((
                html::h2().child(say("people-you-know")),
                html::ul()
                    .class("chips")
                    .attr("aria-label", say("people-you-know"))
                    .child(chips.collect_view()),
            ))
        })
    }
}

fn member_chip(person: &Person, members: RwSignal<Vec<Person>>) -> impl IntoView + use<> {
    let name = name_of(person);
    let account = person.account.clone();
    let label = say_with("remove-name", &[("name", Put::Text(&name))]);
    html::li().child(
        html::button()
            .r#type("button")
            .class("chip")
            .attr("aria-label", label)
            .on(ev::click, move |_| {
                members.update(|members| members.retain(|person| person.account != account));
            })
            .child((bdi(name), icon("x"))),
    )
}

/// Dialog: add a person to a group.
pub(crate) fn add_person(conversation: ConversationId) -> AnyView {
    let field: NodeRef<html::Input> = NodeRef::new();
    let error = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let add = move || {
        let Some(handle) = typed(field) else { return };
        busy.set(true);
        ask(Command::GroupAdd { conversation, handle: handle.clone() }, move |reply| {
            busy.set(false);
            match reply {
                Reply::Problem(problem) => error.set(Some(said(&problem, &handle))),
                _ => {
                    route::close();
                    let handle = format!("@{}", handle.trim_start_matches('@'));
                    app().toast(say_with("adding", &[("handle", Put::Text(&handle))]), None);
                }
            }
        });
    };
    dialog(
        say("add-person"),
        html::form()
            .class("part")
            .on(ev::submit, move |event| {
                event.prevent_default();
                add();
            })
            .child((
                handle_field(field, error, say("their-handle")),
                html::p().class("hint").child(say("add-person-hint")),
                html::div().class("row-of-buttons").child((
                    button(Weight::Plain, say("cancel"), route::close),
                    submit(say("add-person"), busy.into()),
                )),
            )),
    )
    .into_any()
}

/// Dialog: rename a group.
pub(crate) fn rename(conversation: ConversationId) -> AnyView {
    let field: NodeRef<html::Input> = NodeRef::new();
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let title = app().row(conversation).map(|row| row.with_untracked(|row| row.title.clone()));
    let change = move || {
        let Some(title) = typed(field) else { return };
        busy.set(true);
        ask(Command::GroupRename { conversation, title }, move |reply| {
            busy.set(false);
            match reply {
                Reply::Problem(problem) => error.set(Some(words::problem(&problem))),
                _ => route::close(),
            }
        });
    };
    dialog(
        say("rename-group"),
        html::form()
            .class("part")
            .on(ev::submit, move |event| {
                event.prevent_default();
                change();
            })
            .child((
                html::div().class("field").child((
                    html::label().r#for("new-title").child(say("group-name")),
                    html::div().class("input").child(
                        html::input()
                            .id("new-title")
                            .autofocus(true)
                            .node_ref(field)
                            .r#type("text")
                            .dir("auto")
                            .maxlength("100")
                            .value(title),
                    ),
                    move || {
                        error
                            .get()
                            .map(|error| html::p().class("failed").role("alert").child(error))
                    },
                )),
                html::div().class("row-of-buttons").child((
                    button(Weight::Plain, say("cancel"), route::close),
                    submit(say("rename-group"), busy.into()),
                )),
            )),
    )
    .into_any()
}

/// Dialog: leave a group. It cannot be undone, so it asks.
pub(crate) fn leave(conversation: ConversationId) -> AnyView {
    let leave = move || {
        ask(Command::GroupLeave { conversation }, |reply| match reply {
            Reply::Problem(problem) => {
                route::close();
                app().problem(&problem);
            }
            _ => route::close(),
        });
    };
    dialog(
        say("leave-group"),
        (
            html::p().child(say("leave-group-text")),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("cancel"), route::close),
                button(Weight::Danger, say("leave-group"), leave),
            )),
        ),
    )
    .into_any()
}
