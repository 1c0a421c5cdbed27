// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a bubble shows beside its text: what it answers above, what became of it and reactions below.

use leptos::{ev, html, prelude::*};
use nodoor_view::{
    command::{Command, Reply},
    message::{self, Deleting, Marks, Quote, Reaction},
    model::{Content, From, MessageId, MessageRow, ProblemKind},
};

use crate::{
    bridge::ask,
    dom::icon_with,
    layer::dialog,
    parts::{Weight, bdi, button, colour},
    route::{self, Layer},
    state::app,
    words::{self, Put, name_of, say, say_with},
};

/// Reactions one press away.
pub(super) const QUICK: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/// What stands above the text: that it was forwarded, and the message it answers.
pub(super) fn above(marks: &Marks) -> impl IntoView + use<> {
    (
        marks.forwarded.then(|| {
            html::div()
                .class("forwarded")
                .child((icon_with("forward", "icon small mirror"), say("mark-forwarded")))
        }),
        marks.reply.as_ref().map(quote),
    )
}

/// The message that is answered; a press goes there.
fn quote(quote: &Quote) -> impl IntoView + use<> {
    let (class, inner) = match (&quote.from, &quote.content) {
        (Some(from), Some(content)) => {
            let class = match from {
                From::Them(person) => format!("quoted ink-{}", colour(&person.account)),
                From::Me | From::System => "quoted".to_owned(),
            };
            (class, quoted(from, content).into_any())
        }
        _ => ("quoted".to_owned(), html::em().child(say("quote-gone")).into_any()),
    };
    let Some(to) = quote.message else {
        return html::div().class(class).child(inner).into_any();
    };
    html::button()
        .r#type("button")
        .class(class)
        .title(say("go-to-quoted"))
        .on(ev::click, move |_| app().chat.go_to(to))
        .child(inner)
        .into_any()
}

/// Who said it, and one line of what.
pub(super) fn quoted(from: &From, content: &Content) -> impl IntoView + use<> {
    let name = match from {
        From::Them(person) => name_of(person),
        From::Me | From::System => say("you"),
    };
    (
        html::span().class("by").child(bdi(name)),
        html::span().class("line").dir("auto").child(words::content(from, content)),
    )
}

/// What stands below the text: words that somebody has to know.
pub(super) fn below(row: &MessageRow) -> Option<impl IntoView + use<>> {
    let told = match row.marks.deleting {
        Some(Deleting { pending: true, .. }) => say("mark-deleting"),
        Some(Deleting { lacking, .. }) if lacking > 0 => {
            say_with("mark-not-deleted", &[("count", Put::from(lacking))])
        }
        _ => return None,
    };
    Some(html::div().class("told").child(told))
}

/// Small words beside the time.
pub(super) fn beside(marks: &Marks) -> impl IntoView + use<> {
    let picture = |applies: bool, name: &'static str, word: &str| {
        applies.then(|| {
            let word = say(word);
            html::span()
                .title(word.clone())
                .child((icon_with(name, "icon small"), html::span().class("unseen").child(word)))
        })
    };
    (
        picture(marks.pinned, "pin", "mark-pinned"),
        picture(marks.disappears.is_some(), "timer", "mark-disappears"),
        marks.edited.then(|| html::span().child(say("mark-edited"))),
    )
}

/// The reactions; a press on one joins it or takes one's own back.
pub(super) fn reactions(id: MessageId, all: &[Reaction]) -> Option<impl IntoView + use<>> {
    if all.is_empty() {
        return None;
    }
    let each = all.iter().map(|one| {
        let emoji = one.emoji.clone();
        let mut names: Vec<String> = one.people.iter().map(name_of).collect();
        names.extend(one.mine.then(|| say("you")));
        let names = names.join(", ");
        let values = [("emoji", Put::Text(&one.emoji)), ("names", Put::Text(&names))];
        let label = say_with("reaction-label", &values);
        html::button()
            .r#type("button")
            .class(if one.mine { "reaction mine" } else { "reaction" })
            .attr("aria-pressed", if one.mine { "true" } else { "false" })
            .attr("aria-label", label)
            .title(names)
            .on(ev::click, move |_| react(id, &emoji))
            .child((
                html::span().attr("aria-hidden", "true").child(one.emoji.clone()),
                html::span().attr("aria-hidden", "true").child(one.count()),
            ))
    });
    Some(html::div().class("reactions").child(each.collect_view()))
}

/// Reacts; with the emoji that one reacted with already, takes it back.
pub(super) fn react(message: MessageId, emoji: &str) {
    let mine = app()
        .chat
        .message(message)
        .is_some_and(|row| row.marks.reactions.iter().any(|one| one.mine && one.emoji == emoji));
    let emoji = if mine { String::new() } else { emoji.to_owned() };
    ask(Command::Message { of: message::Command::React { message, emoji } }, |reply| match reply {
        Reply::Problem(problem) if problem.kind == ProblemKind::Size => {
            app().toast(say("react-one-emoji"), None);
        }
        Reply::Problem(problem) => app().problem(&problem),
        _ => (),
    });
}

/// Asks for something about a message; what fails is said.
pub(super) fn tell(of: message::Command) {
    ask(Command::Message { of }, |reply| {
        if let Reply::Problem(problem) = reply {
            app().problem(&problem);
        }
    });
}

/// A row of emoji to press, and the way to more.
pub(super) fn quick(id: MessageId) -> impl IntoView {
    let each = QUICK.iter().map(|emoji| {
        html::button()
            .r#type("button")
            .role("menuitem")
            .class("emoji")
            .attr("aria-label", say_with("react-with", &[("emoji", Put::Text(emoji))]))
            .on(ev::click, move |_| {
                route::close();
                react(id, emoji);
            })
            .child(*emoji)
    });
    let label = say("more-emoji");
    html::div().class("emojis").child((
        each.collect_view(),
        html::button()
            .r#type("button")
            .role("menuitem")
            .class("emoji")
            .title(label.clone())
            .attr("aria-label", label)
            .on(ev::click, move |_| route::open(Layer::React(id)))
            .child(icon_with("smile-plus", "icon")),
    ))
}

/// More emoji than one press away, and any other that a keyboard has.
pub(crate) fn react_dialog(id: MessageId) -> AnyView {
    let typed: NodeRef<html::Input> = NodeRef::new();
    let each = MORE.split(' ').map(move |emoji| {
        html::button()
            .r#type("button")
            .class("emoji")
            .attr("aria-label", say_with("react-with", &[("emoji", Put::Text(emoji))]))
            .on(ev::click, move |_| {
                route::close();
                react(id, emoji);
            })
            .child(emoji)
    });
    dialog(
        say("react"),
        (
            html::div().class("emojis wide").child(each.collect_view()),
            html::form()
                .class("row-of-fields")
                .on(ev::submit, move |event| {
                    event.prevent_default();
                    let emoji = typed.get_untracked().map(|field| field.value());
                    if let Some(emoji) = emoji.filter(|emoji| !emoji.trim().is_empty()) {
                        route::close();
                        react(id, emoji.trim());
                    }
                })
                .child((
                    html::label().child((
                        say("any-emoji"),
                        html::div().class("input").child(
                            html::input()
                                .node_ref(typed)
                                .r#type("text")
                                .maxlength("32")
                                .attr("autocomplete", "off"),
                        ),
                    )),
                    html::button().r#type("submit").class("button").child(say("react")),
                )),
        ),
    )
    .into_any()
}

/// The two ways to delete one's own message.
pub(crate) fn delete_dialog(id: MessageId) -> AnyView {
    let name = app().chat.title();
    let ask_it = say_with("delete-everyone-ask", &[("name", Put::Text(&name))]);
    dialog(
        say("delete-everyone-title"),
        (
            html::p().child(ask_it),
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("delete-for-me"), move || {
                    route::close();
                    super::menu::delete(id);
                }),
                button(Weight::Danger, say("delete-everyone"), move || {
                    route::close();
                    tell(message::Command::DeleteForEveryone { message: id });
                }),
            )),
        ),
    )
    .into_any()
}

/// What can be read once. It is gone from this device by the time it is seen.
pub(crate) fn once_dialog(id: MessageId) -> AnyView {
    let shown: RwSignal<Option<MessageRow>> = RwSignal::new(None);
    let open = Command::Message { of: message::Command::Open { message: id } };
    ask(open, move |reply| match reply {
        Reply::Message(detail) => shown.set(Some(detail.row)),
        Reply::Problem(problem) => {
            route::close();
            app().problem(&problem);
        }
        _ => (),
    });
    dialog(say("message-once"), move || {
        shown.get().map(|row| {
            (
                html::div()
                    .class("quote")
                    .dir("auto")
                    .tabindex("0")
                    .child(super::rich::content(&row.from, &row.content)),
                html::p().class("hint").child(say("once-hint")),
            )
        })
    })
    .into_any()
}

/// Chosen for how often people use them; any other can be typed.
const MORE: &str = "👍 👎 ❤️ 🧡 💛 💚 💙 💜 🖤 💔 💯 🔥 ✨ 🎉 🥳 👏 🙌 🙏 🤝 💪 👌 ✌️ 🤞 👋 🫶 😀 😂 🤣 🙂 😉 😊 😍 🥰 😘 😋 😎 🤓 🤔 🤨 😐 🙄 😏 \
😅 😬 😴 😮 😱 😢 😭 😤 😡 🤯 🥺 😇 🤗 🫡 🤷 🤦 👀 ✅ ❌ ❓ ❗ ☕ 🍕 🍰 🌹 🌞 🌧️ ⭐ 🚀 🏠 🚗 ✈️ ⚽ 🎵 📷 💡 📌 ⏰ 🐶 🐱";
