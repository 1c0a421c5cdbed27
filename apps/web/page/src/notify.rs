// SPDX-License-Identifier: AGPL-3.0-or-later
//! Title, favicon, badge and notifications: what is seen while the page is not.
//!
//! A notification says no name and no text unless the person asked for that (Settings), and none is
//! shown for the chat in front of them. A click opens that chat.

use leptos::prelude::*;
use nodoor_view::model::{ConversationId, Notifications};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use crate::{
    dom,
    route::{self, Route},
    state::app,
    words::say,
};

/// Keeps the title and the favicon at the count of unread chats.
pub(crate) fn start() {
    let app = app();
    Effect::new(move |_| {
        let unread = app.unread.get();
        dom::document().set_title(&if unread > 0 {
            format!("({unread}) Nodoor")
        } else {
            "Nodoor".to_owned()
        });
        if let Some(icon) = dom::find("#favicon") {
            let file = if unread > 0 { "/icon-unread.svg" } else { "/icon.svg" };
            drop(icon.set_attribute("href", file));
        }
        // On the icon of an installed app, where there is such a thing; a call puts a dot there.
        let navigator: JsValue = dom::window().navigator().into();
        let badge = if unread > 0 {
            dom::call_with(&navigator, "setAppBadge", &unread.into())
        } else {
            dom::call(&navigator, "clearAppBadge")
        };
        if let Some(promise) = badge.and_then(|badge| badge.dyn_into().ok()) {
            dom::when(promise, |_| ());
        }
    });
}

/// Shows a notification, unless the chat is in front of the person.
pub(crate) fn show(conversation: ConversationId, title: &str, text: &str) {
    let app = app();
    let here = app.route.with_untracked(Route::chat) == Some(conversation) && dom::looked_at();
    let kind = app.settings.with_untracked(|settings| settings.notifications);
    if here || kind == Notifications::Off || permission() != Some(NotificationPermission::Granted) {
        return;
    }
    let options = NotificationOptions::new();
    options.set_icon("/icon-192.png");
    // One notification a chat; a newer one takes its place.
    options.set_tag(&format!("chat-{}", conversation.0));
    let title = match kind {
        Notifications::WithText => {
            options.set_body(text);
            title.to_owned()
        }
        _ => say("new-message"),
    };
    let Ok(notification) = Notification::new_with_options(&title, &options) else { return };
    let shown = notification.clone();
    let clicked = Closure::once_into_js(move || {
        drop(dom::window().focus());
        shown.close();
        open(conversation);
    });
    notification.set_onclick(Some(clicked.unchecked_ref()));
}

/// Opens a chat from outside: at its divider, with the focus in the composer.
fn open(conversation: ConversationId) {
    let app = app();
    if app.route.with_untracked(Route::chat) == Some(conversation) {
        app.chat.open(conversation);
    }
    route::go(Route::Chat(conversation));
    dom::after(50, || {
        dom::focus(".composer textarea");
    });
}

/// What the browser permits; `None` where it has no notifications.
pub(crate) fn permission() -> Option<NotificationPermission> {
    let window = dom::window();
    js_sys::Reflect::has(&window, &"Notification".into())
        .is_ok_and(|has| has)
        .then(Notification::permission)
}

/// Asks the browser, when a person chose to have notifications.
pub(crate) fn request() {
    if permission() == Some(NotificationPermission::Default)
        && let Ok(promise) = Notification::request_permission()
    {
        dom::when(promise, |_| ());
    }
}
