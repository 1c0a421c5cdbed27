// SPDX-License-Identifier: AGPL-3.0-or-later
//! The frame: which screen, which panes, what lies over them.

use leptos::{ev, html, prelude::*};
use nodoor_view::event::Connection;
use web_sys::{HtmlElement, KeyboardEvent, PointerEvent};

use crate::{
    arrange, chat, dom, jump, keys, layer, leading, ledger, list, onboarding, people, requests,
    route::{Layer, Route},
    screens, settings, sheet,
    state::{Engine, app},
    words::say,
};

/// The whole page.
pub(crate) fn shell() -> impl IntoView {
    let app = app();
    move || {
        // Another language says every word anew.
        app.language.track();
        (root(), layers(), red(), layer::toast(), live())
    }
}

fn root() -> impl IntoView {
    let app = app();
    #[derive(PartialEq, Eq, Clone)]
    enum Screen {
        Wait,
        Welcome,
        Chats,
        Unreachable,
        Engine(Engine),
        Parts,
    }
    let screen = Memo::new(move |_| {
        if app.route.with(|route| *route == Route::Parts) {
            return Screen::Parts;
        }
        match app.engine.get() {
            Engine::Ready if !app.known.get() => Screen::Wait,
            Engine::Ready if app.profile.with(Option::is_some) => Screen::Chats,
            Engine::Ready if app.offline.get() && app.connection.get() != Connection::Online => {
                Screen::Unreachable
            }
            Engine::Ready => Screen::Welcome,
            // The frame stands before the engine does; its rows are skeletons.
            Engine::Starting if app.profile.with(Option::is_some) => Screen::Chats,
            Engine::Starting => Screen::Wait,
            other => Screen::Engine(other),
        }
    });
    move || match screen.get() {
        Screen::Wait => html::main()
            .class("full")
            .attr("aria-busy", "true")
            .child(html::h1().class("unseen").child("Nodoor"))
            .into_any(),
        Screen::Welcome => onboarding::welcome().into_any(),
        Screen::Chats => panes().into_any(),
        Screen::Unreachable => screens::unreachable(),
        Screen::Engine(engine) => match engine {
            Engine::Taken => screens::taken(),
            Engine::Unsupported(missing) => screens::unsupported(&missing),
            Engine::Gone => screens::gone(),
            Engine::Erased => screens::erased(),
            Engine::Starting | Engine::Ready | Engine::Broken => screens::broken(),
        },
        #[cfg(feature = "parts")]
        Screen::Parts => crate::parts_page::parts_page().into_any(),
        #[cfg(not(feature = "parts"))]
        Screen::Parts => screens::broken(),
    }
}

fn panes() -> impl IntoView {
    let app = app();
    let chat = Memo::new(move |_| app.route.with(Route::chat));
    let sheet = Memo::new(move |_| match app.route.get() {
        Route::Sheet(id) => Some(id),
        _ => None,
    });
    // What stands in the main pane does not change when the sheet opens over it.
    let main = Memo::new(move |_| match app.route.get() {
        Route::Sheet(id) => Route::Chat(id),
        other => other,
    });
    // One landmark for the frame: on a phone each of its panes is the whole of it in turn.
    html::main()
        .class("app")
        .class(("lines-only", move || app.settings.with(|settings| settings.lines)))
        .attr("data-level", move || app.route.with(Route::pane).to_string())
        .attr("data-sheet", move || sheet.get().map(|_| ""))
        .child((
            html::nav()
                .class("pane side")
                .attr("aria-label", say("chats"))
                .child((list::side(), grip())),
            html::section().class("pane main").attr("aria-label", say("open-place")).child(
                move || {
                    // A chat whose row is not told yet waits for the list.
                    match (main.get(), chat.get()) {
                        (_, Some(id)) => {
                            if !app.chats_known.get() {
                                return ().into_any();
                            }
                            chat::conversation(id)
                        }
                        (Route::Requests, _) => requests::requests().into_any(),
                        (Route::Find, _) => people::find().into_any(),
                        (Route::NewGroup, _) => people::new_group().into_any(),
                        (Route::Settings, _) => settings::settings().into_any(),
                        (Route::Section(section), _) => settings::section(section),
                        _ => html::div()
                            .class("empty")
                            .child(html::p().class("brand").child("Nodoor"))
                            .into_any(),
                    }
                },
            ),
            move || {
                sheet.get().map(|id| {
                    html::section()
                        .class("pane sheet")
                        .attr("aria-label", say("chat-info"))
                        .child(sheet::sheet(id))
                })
            },
        ))
}

/// The edge of the list, dragged from 280 to 420 pixels.
fn grip() -> impl IntoView {
    const LEAST: f64 = 280.0;
    const MOST: f64 = 420.0;
    let width = RwSignal::new(
        dom::remembered("list-width").and_then(|text| text.parse::<f64>().ok()).unwrap_or(320.0),
    );
    Effect::new(move |_| {
        if let Some(root) = dom::find("html") {
            dom::style(&root, "--list", &format!("{}px", width.get()));
        }
    });
    let change = move |to: f64| {
        let to = to.clamp(LEAST, MOST).round();
        width.set(to);
        dom::remember("list-width", &to.to_string());
    };
    let rtl = || dom::find("html").is_some_and(|root| root.dir() == "rtl");
    html::div()
        .class("grip")
        .role("separator")
        .tabindex("0")
        .attr("aria-label", say("list-width"))
        .attr("aria-orientation", "vertical")
        .attr("aria-valuemin", LEAST.to_string())
        .attr("aria-valuemax", MOST.to_string())
        .attr("aria-valuenow", move || width.get().to_string())
        .on(ev::pointerdown, |event: PointerEvent| {
            if let Some(grip) = dom::find(".grip") {
                drop(grip.set_pointer_capture(event.pointer_id()));
            }
        })
        .on(ev::pointermove, move |event: PointerEvent| {
            let held =
                dom::find(".grip").is_some_and(|grip| grip.has_pointer_capture(event.pointer_id()));
            if held {
                let window =
                    dom::window().inner_width().ok().and_then(|w| w.as_f64()).unwrap_or(0.0);
                let x = f64::from(event.client_x());
                change(if rtl() { window - x } else { x });
            }
        })
        .on(ev::keydown, move |event: KeyboardEvent| {
            let by = match event.key().as_str() {
                "ArrowRight" => 20.0,
                "ArrowLeft" => -20.0,
                _ => return,
            };
            event.prevent_default();
            change(width.get_untracked() + if rtl() { -by } else { by });
        })
}

fn layers() -> impl IntoView {
    let app = app();
    move || {
        let chat = app.route.with_untracked(Route::chat);
        app.layer.get().map(|layer| match layer {
            Layer::MessageMenu(id, x, y) => chat::message_menu(id, x, y),
            Layer::MessageInfo(id) => chat::message_info(id),
            Layer::React(id) => chat::react_dialog(id),
            Layer::Forward(id) => jump::forward(id),
            Layer::DeleteEveryone(id) => chat::delete_dialog(id),
            Layer::Once(id) => chat::once_dialog(id),
            Layer::Timer(id) => chat::timer_dialog(id),
            Layer::RowMenu(id, x, y) => arrange::row_menu(id, x, y),
            Layer::Member(id, member, mine, x, y) => leading::member_menu(id, &member, mine, x, y),
            Layer::Slow(id, only, now) => leading::slow_dialog(id, only, now),
            Layer::SendFiles(id) => chat::send_files(id),
            Layer::Picture(id, address) => chat::viewer(id, address),
            Layer::GroupLink(id) => leading::link_dialog(id),
            Layer::Join(link) => leading::join_dialog(link),
            Layer::Mute(id) => arrange::mute_dialog(id),
            Layer::Folders(id) => arrange::folders_dialog(id),
            Layer::SendMenu(x, y) => chat::send_menu(x, y),
            Layer::ChatMenu(x, y) => {
                chat.map_or_else(|| ().into_any(), |id| chat::chat_menu(id, x, y))
            }
            Layer::NewMenu(x, y) => list::new_menu(x, y),
            Layer::MyLink => settings::private::link_dialog(),
            Layer::Jump => jump::jump(),
            Layer::Keys => keys::table(),
            Layer::AddPerson(id) => people::add_person(id),
            Layer::Rename(id) => people::rename(id),
            Layer::Leave(id) => people::leave(id),
            Layer::Compare(id) => crate::compare::compare(id),
            Layer::Link => settings::devices::link_dialog(),
            Layer::RenameDevice(device) => settings::devices::rename(device),
            Layer::RemoveDevice(device) => settings::devices::remove(device),
            Layer::DeviceAdded(device, by, by_words) => {
                settings::devices::added(device, &by, by_words)
            }
            Layer::Erase => settings::private::erase_dialog(),
            Layer::Update => crate::update::dialog(),
        })
    }
}

/// Over everything, for proof alone.
fn red() -> impl IntoView {
    let proof = Memo::new(|_| ledger::unanswered());
    move || proof.get().map(ledger::red_screen)
}

/// The two regions that speak: arrivals, and what failed.
fn live() -> impl IntoView {
    let app = app();
    (
        html::div().class("unseen").attr("aria-live", "polite").child(move || app.polite.get()),
        html::div().class("unseen").role("alert").child(move || app.assertive.get()),
    )
}

/// Focus goes to the heading of what opened, where nothing in it took it.
pub(crate) fn focus_follows() {
    let app = app();
    Effect::new(move |before: Option<Route>| {
        let route = app.route.get();
        if before.is_some_and(|before| before != route) && route.chat().is_none() {
            dom::after(0, || {
                let lost = dom::document().active_element().is_none_or(|e| e.tag_name() == "BODY");
                if lost && let Some(head) = dom::find(".main h1") {
                    head.set_tab_index(-1);
                    drop(HtmlElement::focus(&head));
                }
            });
        }
        route
    });
}
