// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who leads a group: the menu of a member, who may write and how often, who may not come in.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    group::{self, Charter, GroupLink, Role},
    model::{ConversationId, GroupMember, Sheet, Writable},
};

use crate::{
    bridge::ask,
    dom::{icon, icon_with},
    layer::{Choice, dialog, menu},
    parts::{Weight, bdi, button, face_of, icon_button, part, submit},
    route::{self, Layer, Route},
    settings::switch,
    state::{app, copied},
    words::{self, Put, name_of, say, say_with, span},
};

/// Pauses of slow mode that are offered, seconds.
const PAUSES: [u32; 6] = [0, 10, 60, 600, 3600, 24 * 3600];

fn wish(of: group::Command) {
    ask(Command::Group { of }, |reply| {
        if let Reply::Problem(problem) = reply {
            app().problem(&problem);
        }
    });
}

/// What a member is called in a command.
fn called(member: &GroupMember) -> String {
    let person = &member.person;
    if person.handle.is_empty() { person.account.clone() } else { person.handle.clone() }
}

/// A member of the group in its sheet, with what one may do about them.
pub(crate) fn member_item(sheet: &Sheet, member: &GroupMember) -> impl IntoView + use<> {
    let id = sheet.row.id;
    let name = if member.me { say("you") } else { name_of(&member.person) };
    let devices = say_with("device-count", &[("count", Put::from(member.devices))]);
    let mine = sheet.charter.as_ref().map_or(Role::Member, |charter| charter.role);
    let may = sheet.row.writable == Writable::Yes && !choices(id, member, mine).is_empty();
    let more = may.then(|| {
        let label = say_with("member-menu", &[("name", Put::Text(&name))]);
        let member = member.clone();
        icon_button("ellipsis-vertical", label, move |event| {
            let (x, y) = (event.client_x(), event.client_y());
            route::open(Layer::Member(id, member.clone(), mine, x, y));
        })
    });
    let role = match member.role {
        Role::Owner => Some("owner"),
        Role::Admin => Some("admin"),
        Role::Member => None,
    };
    html::div().class("item").child((
        face_of(&member.person, "small"),
        html::span()
            .class("what")
            .child((html::span().child(bdi(name)), html::span().class("hint").child(devices))),
        role.map(|role| html::span().class("hint").child(say(role))),
        more,
    ))
}

/// The menu of a member.
pub(crate) fn member_menu(
    id: ConversationId,
    member: &GroupMember,
    mine: Role,
    x: i32,
    y: i32,
) -> AnyView {
    let name = if member.me { say("you") } else { name_of(&member.person) };
    let label = say_with("member-menu", &[("name", Put::Text(&name))]);
    menu(label, x, y, choices(id, member, mine))
}

fn choices(conversation: ConversationId, member: &GroupMember, mine: Role) -> Vec<Choice> {
    let handle = called(member);
    let become_role = |icon, id, role| {
        let handle = handle.clone();
        Choice::new(icon, say(id), move || {
            wish(group::Command::SetRole { conversation, handle: handle.clone(), role });
        })
    };
    let mut choices = Vec::new();
    if member.me {
        if mine > Role::Member {
            choices.push(become_role("user", "step-down", Role::Member));
        }
        return choices;
    }
    if mine == Role::Owner {
        match member.role {
            Role::Member => choices.push(become_role("shield", "make-admin", Role::Admin)),
            Role::Admin => choices.push(become_role("user", "make-member", Role::Member)),
            Role::Owner => choices.push(become_role("shield", "make-admin", Role::Admin)),
        }
        if member.role != Role::Owner {
            choices.push(become_role("key-round", "make-owner", Role::Owner));
        }
    }
    if mine == Role::Owner || mine > member.role {
        let name = name_of(&member.person);
        let label = say_with("remove-name", &[("name", Put::Text(&name))]);
        let whom = handle.clone();
        choices.push(
            Choice::new("user-minus", label, move || {
                let handle = whom.clone();
                ask(Command::GroupRemove { conversation, handle }, |reply| {
                    if let Reply::Problem(problem) = reply {
                        app().problem(&problem);
                    }
                });
            })
            .dangerous(),
        );
        choices.push(
            Choice::new("ban", say("ban-member"), move || {
                wish(group::Command::Ban { conversation, handle: handle.clone(), on: true });
            })
            .dangerous(),
        );
    }
    choices
}

/// Who may write and how often, who may not come in, and how many are known to see the same room.
pub(crate) fn conduct(sheet: &Sheet) -> impl IntoView + use<> {
    let id = sheet.row.id;
    let charter = sheet.charter.clone()?;
    let Charter { announcements, slow, banned, same, others, link, asking, .. } = charter;
    let may = sheet.may_manage;
    let value = if slow == 0 { say("off") } else { span(slow) };
    let rules = if may {
        html::div()
            .class("list")
            .child((
                switch(
                    say("only-admins-write"),
                    None,
                    move || announcements,
                    move |on| {
                        let announcements = on;
                        wish(group::Command::SetConduct { conversation: id, announcements, slow });
                    },
                ),
                html::button()
                    .r#type("button")
                    .class("item")
                    .on(ev::click, move |_| route::open(Layer::Slow(id, announcements, slow)))
                    .child((
                        icon("hourglass"),
                        html::span().class("what").child(say("slow-mode")),
                        html::span().class("value").child(value),
                        icon_with("chevron-right", "icon small mirror"),
                    )),
            ))
            .into_any()
    } else {
        (
            announcements.then(|| html::p().class("quiet").child(say("only-admins-write"))),
            (slow > 0).then(|| {
                let pause = say_with("slow-mode-is", &[("span", Put::Text(&value))]);
                html::p().class("quiet").child(pause)
            }),
        )
            .into_any()
    };
    let by_link = may.then(|| {
        let value = if link.is_some() { say("on") } else { say("off") };
        html::div().class("list").child(
            html::button()
                .r#type("button")
                .class("item")
                .on(ev::click, move |_| route::open(Layer::GroupLink(id)))
                .child((
                    icon("link"),
                    html::span().class("what").child(say("group-link")),
                    html::span().class("value").child(value),
                    icon_with("chevron-right", "icon small mirror"),
                )),
        )
    });
    let waiting = (may && !asking.is_empty()).then(|| {
        let items = asking.into_iter().map(|person| {
            let name = name_of(&person);
            let handle = if person.handle.is_empty() {
                person.account.clone()
            } else {
                person.handle.clone()
            };
            let answer = move |on| {
                let handle = handle.clone();
                wish(group::Command::Answer { conversation: id, handle, on });
            };
            let refuse = say_with("refuse-name", &[("name", Put::Text(&name))]);
            html::li().child(html::div().class("item").child((
                face_of(&person, "small"),
                html::span().class("what").child(bdi(name)),
                button(Weight::Plain, say("let-in"), {
                    let answer = answer.clone();
                    move || answer(true)
                }),
                icon_button("x", refuse, move |_| answer(false)),
            )))
        });
        part(say("asking-people"), html::ul().class("list").child(items.collect_view()))
    });
    let list = (may && !banned.is_empty()).then(|| {
        let items = banned.into_iter().map(|person| {
            let name = name_of(&person);
            let handle = if person.handle.is_empty() {
                person.account.clone()
            } else {
                person.handle.clone()
            };
            let lift = button(Weight::Plain, say("lift-ban"), move || {
                let handle = handle.clone();
                wish(group::Command::Ban { conversation: id, handle, on: false });
            });
            html::li().child(html::div().class("item").child((
                face_of(&person, "small"),
                html::span().class("what").child(bdi(name)),
                lift,
            )))
        });
        part(say("banned-people"), html::ul().class("list").child(items.collect_view()))
    });
    let seen = (others > 0).then(|| {
        let counts = [("same", Put::from(same)), ("others", Put::from(others))];
        html::p().class("hint").child(say_with("same-room", &counts))
    });
    Some((waiting, by_link, rules, list, seen))
}

/// One's invite link to a group: made, copied, ended.
pub(crate) fn link_dialog(conversation: ConversationId) -> AnyView {
    let told: RwSignal<Option<GroupLink>> = RwSignal::new(None);
    let approval = RwSignal::new(false);
    let row = app().row(conversation);
    // Asked again whenever the row changes: that the link is made it says by a line in the chat.
    Effect::new(move |_| {
        row.inspect(|row| row.track());
        ask(Command::Sheet { conversation }, move |reply| {
            if let Reply::Sheet(sheet) = reply {
                let link = sheet.charter.and_then(|charter| charter.link);
                approval.try_set(link.as_ref().is_some_and(|link| link.approval));
                told.try_set(link);
            }
        });
    });
    let make = move || {
        let approval = Some(approval.get_untracked());
        wish(group::Command::SetLink { conversation, approval });
    };
    let there = move |link: GroupLink| {
        let text = link.link.clone();
        (
            html::p().class("code").dir("ltr").child(link.link),
            html::div().class("row-of-buttons").child((
                button(Weight::Main, say("copy-link"), move || copied(&text)),
                button(Weight::Danger, say("end-link"), move || {
                    wish(group::Command::SetLink { conversation, approval: None });
                }),
            )),
        )
    };
    let none = move || {
        html::div().class("row-of-buttons").child(button(Weight::Main, say("make-link"), make))
    };
    dialog(
        say("group-link"),
        (
            html::p().child(say("group-link-hint")),
            html::div().class("list").child(switch(
                say("link-approval"),
                Some(say("link-approval-hint")),
                move || approval.get(),
                move |on| {
                    approval.set(on);
                    if told.with_untracked(Option::is_some) {
                        make();
                    }
                },
            )),
            move || match told.get() {
                Some(link) => there(link).into_any(),
                None => none().into_any(),
            },
        ),
    )
    .into_any()
}

/// How long members wait between two messages.
pub(crate) fn slow_dialog(conversation: ConversationId, announcements: bool, now: u32) -> AnyView {
    let chosen = RwSignal::new(now);
    let mut pauses = PAUSES.to_vec();
    if !pauses.contains(&now) {
        pauses.push(now);
        pauses.sort_unstable();
    }
    let lines = pauses.into_iter().map(|seconds| {
        let label = if seconds == 0 { say("off") } else { span(seconds) };
        html::label().class("item").child((
            html::span().class("what").child(label),
            html::input()
                .r#type("radio")
                .name("slow")
                .checked(seconds == now)
                .on(ev::change, move |_| chosen.set(seconds)),
        ))
    });
    let save = move || {
        route::close();
        let slow = chosen.get_untracked();
        wish(group::Command::SetConduct { conversation, announcements, slow });
    };
    dialog(
        say("slow-mode"),
        (
            html::p().child(say("slow-mode-hint")),
            html::fieldset().child((
                html::legend().class("unseen").child(say("slow-mode")),
                html::div().class("list").child(lines.collect_view()),
            )),
            html::div().class("row-of-buttons").child(button(Weight::Main, say("save"), save)),
        ),
    )
    .into_any()
}

/// Asks to be let into a group, if the person says so.
pub(crate) fn join_dialog(link: String) -> AnyView {
    let handle = link.trim_start_matches("#@").split('/').next().unwrap_or_default();
    let handle = format!("@{handle}");
    let busy = RwSignal::new(false);
    let error: RwSignal<Option<String>> = RwSignal::new(None);
    let join = move || {
        busy.set(true);
        let link = link.clone();
        ask(Command::Group { of: group::Command::Join { link } }, move |reply| {
            busy.set(false);
            match reply {
                Reply::Conversation(row) => {
                    let id = row.id;
                    app().put_row(row);
                    route::close();
                    route::go(Route::Chat(id));
                }
                Reply::Problem(problem) => error.set(Some(words::problem(&problem))),
                _ => route::close(),
            }
        });
    };
    dialog(
        say("join-group"),
        html::form()
            .class("part")
            .on(ev::submit, move |event| {
                event.prevent_default();
                join();
            })
            .child((
                html::p().child(say_with("join-group-hint", &[("handle", Put::Text(&handle))])),
                move || {
                    error.get().map(|error| html::p().class("failed").role("alert").child(error))
                },
                html::div().class("row-of-buttons").child((
                    button(Weight::Plain, say("cancel"), route::close),
                    submit(say("join-ask"), busy.into()),
                )),
            )),
    )
    .into_any()
}
