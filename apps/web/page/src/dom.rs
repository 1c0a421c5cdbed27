// SPDX-License-Identifier: AGPL-3.0-or-later
//! The few things of the browser the page touches by hand: focus, sizes, timers, storage.
//!
//! Knows nothing of chats. Everything here answers `None` or does nothing where the browser lacks
//! it, so that no screen breaks for want of a nicety.

use js_sys::{Function, Reflect};
use leptos::{prelude::*, svg};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, Element, HtmlElement, Window};

/// The window. There is one wherever the page runs.
pub(crate) fn window() -> Window {
    leptos::prelude::window()
}

/// Its document.
pub(crate) fn document() -> Document {
    leptos::prelude::document()
}

/// One of the inlined icons, hidden from screen readers: a word stands beside it or names its button.
pub(crate) fn icon(name: &'static str) -> impl IntoView + use<> {
    icon_with(name, "icon")
}

/// An icon with other classes (`icon small`, `icon mirror`).
pub(crate) fn icon_with(name: &'static str, class: &'static str) -> impl IntoView + use<> {
    svg::svg()
        .class(class)
        .attr("aria-hidden", "true")
        .attr("focusable", "false")
        .child(svg::r#use().attr("href", format!("#i-{name}")))
}

/// Focuses the first element a selector finds.
pub(crate) fn focus(selector: &str) -> bool {
    find(selector).is_some_and(|element| element.focus().is_ok())
}

/// Finds one element.
pub(crate) fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Whether the keyboard writes into a field now.
pub(crate) fn in_field(element: Option<&Element>) -> bool {
    element.is_some_and(|e| {
        matches!(e.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || e.has_attribute("contenteditable")
    })
}

/// Calls a method a browser may lack (`showPopover`), without arguments.
pub(crate) fn call(target: &JsValue, method: &str) -> Option<JsValue> {
    let found = Reflect::get(target, &JsValue::from_str(method)).ok()?;
    found.dyn_into::<Function>().ok()?.call0(target).ok()
}

/// The same, with one argument.
pub(crate) fn call_with(target: &JsValue, method: &str, argument: &JsValue) -> Option<JsValue> {
    let found = Reflect::get(target, &JsValue::from_str(method)).ok()?;
    found.dyn_into::<Function>().ok()?.call1(target, argument).ok()
}

/// Runs something after a time. The number takes it back ([`not_after`]).
pub(crate) fn after(milliseconds: i32, then: impl FnOnce() + 'static) -> i32 {
    let call = Closure::once_into_js(then);
    window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(call.unchecked_ref(), milliseconds)
        .unwrap_or(0)
}

/// Takes back what [`after`] would do.
pub(crate) fn not_after(timer: i32) {
    window().clear_timeout_with_handle(timer);
}

/// Runs something before the next frame is painted.
pub(crate) fn before_paint(then: impl FnOnce() + 'static) {
    let call = Closure::once_into_js(then);
    drop(window().request_animation_frame(call.unchecked_ref()));
}

/// Runs something again and again, for as long as the page lives.
pub(crate) fn every(milliseconds: i32, run: impl FnMut() + 'static) {
    let call = Closure::<dyn FnMut()>::new(run).into_js_value();
    drop(window().set_interval_with_callback_and_timeout_and_arguments_0(
        call.unchecked_ref(),
        milliseconds,
    ));
}

/// Listens on the window or document for as long as the page lives.
pub(crate) fn listen(
    target: &web_sys::EventTarget,
    event: &str,
    heard: impl FnMut(web_sys::Event) + 'static,
) {
    let call = Closure::<dyn FnMut(web_sys::Event)>::new(heard).into_js_value();
    drop(target.add_event_listener_with_callback(event, call.unchecked_ref()));
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    js_sys::Date::now() as u64
}

/// Whether the page is in front of a person: visible and focused.
pub(crate) fn looked_at() -> bool {
    let document = document();
    !document.hidden() && document.has_focus().unwrap_or(true)
}

/// Whether a media query matches.
pub(crate) fn media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|found| found.matches())
}

/// Reads what is remembered outside the database (the look before the first paint; nothing private).
pub(crate) fn remembered(key: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(key).ok().flatten()
}

/// Remembers it.
pub(crate) fn remember(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        drop(storage.set_item(key, value));
    }
}

/// Forgets it.
pub(crate) fn forget(key: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        drop(storage.remove_item(key));
    }
}

/// Copies text to the clipboard.
pub(crate) fn copy(text: &str) {
    let navigator: JsValue = window().navigator().into();
    // Absent where the page is not a secure context.
    if Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|found| found.is_object()) {
        drop(window().navigator().clipboard().write_text(text));
    }
}

/// Sets a custom property or style of an element; the policy forbids `style` attributes, not this.
pub(crate) fn style(element: &HtmlElement, name: &str, value: &str) {
    drop(element.style().set_property(name, value));
}

/// Spawns what waits for a promise and runs `then` with what it gave.
pub(crate) fn when(promise: js_sys::Promise, then: impl FnOnce(Option<JsValue>) + 'static) {
    leptos::task::spawn_local(async move {
        then(wasm_bindgen_futures::JsFuture::from(promise).await.ok());
    });
}

/// Hands bytes to the browser's downloads.
pub(crate) fn download(blob: &web_sys::Blob, name: &str) {
    let Ok(address) = web_sys::Url::create_object_url_with_blob(blob) else { return };
    if let Ok(link) = document().create_element("a")
        && let Ok(link) = link.dyn_into::<web_sys::HtmlAnchorElement>()
    {
        link.set_href(&address);
        link.set_download(name);
        link.click();
    }
    // The download has begun by then.
    after(60_000, move || drop(web_sys::Url::revoke_object_url(&address)));
}
