// SPDX-License-Identifier: AGPL-3.0-or-later
//! Reading a QR code: with the camera, where the browser can (`BarcodeDetector`), and off a picture that is chosen, pasted
//! or dropped, everywhere. `start.js` holds the camera, and loads a reader of pictures with the first one; what was read goes
//! to whoever asked, who decides what it is.

use js_sys::Reflect;
use leptos::{ev, html, prelude::*};
use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};

use crate::{
    dom,
    parts::{Weight, button},
    words::say,
};

#[wasm_bindgen]
extern "C" {
    // A promise of the text; nothing once the picture is gone from the page.
    #[wasm_bindgen(js_name = nodoorScan, catch)]
    fn scan(video: &JsValue) -> Result<js_sys::Promise, JsValue>;
    // Tells what is read off each picture, or null, as long as the field is on the page.
    #[wasm_bindgen(js_name = nodoorPictures, catch)]
    fn pictures(field: &JsValue, said: &JsValue) -> Result<(), JsValue>;
}

/// What reads a code: a button for a picture, and one for the camera, which then stands in their place.
pub(crate) fn scanner(read: Callback<String>) -> impl IntoView {
    let window: JsValue = dom::window().into();
    let detects = Reflect::has(&window, &"BarcodeDetector".into()).is_ok_and(|has| has);
    let on = RwSignal::new(false);
    let failed: RwSignal<Option<&str>> = RwSignal::new(None);
    let video: NodeRef<html::Video> = NodeRef::new();
    Effect::new(move |_| {
        let Some(video) = video.get() else { return };
        let Ok(promise) = scan(&video) else { return };
        dom::when(promise, move |text| {
            // The layer may be gone by now.
            if on.try_set(false).is_some() {
                return;
            }
            match text.and_then(|text| text.as_string()) {
                Some(text) => read.run(text),
                None => failed.set(Some("scan-failed")),
            }
        });
    });
    (
        move || match on.get() {
            true => html::video()
                .class("scan")
                .node_ref(video)
                .attr("playsinline", "")
                .attr("aria-label", say("scan-here"))
                .into_any(),
            false => html::div()
                .class("row-of-buttons")
                .child((
                    detects.then(|| {
                        button(Weight::Plain, say("scan"), move || {
                            failed.set(None);
                            on.set(true);
                        })
                    }),
                    picture(read, failed),
                ))
                .into_any(),
        },
        move || failed.get().map(|id| html::p().class("failed").role("alert").child(say(id))),
    )
}

/// A button that opens the browser's own choice of files. Pasted and dropped pictures are read meanwhile too.
fn picture(read: Callback<String>, failed: RwSignal<Option<&'static str>>) -> impl IntoView {
    let field: NodeRef<html::Input> = NodeRef::new();
    Effect::new(move |_| {
        let Some(field) = field.get() else { return };
        let said = Closure::<dyn FnMut(JsValue)>::new(move |text: JsValue| {
            // The layer may be gone by now.
            let text = text.as_string();
            let told = if text.is_some() { None } else { Some("picture-failed") };
            if let (None, Some(text)) = (failed.try_set(told), text) {
                read.run(text);
            }
        });
        drop(pictures(&field, &said.into_js_value()));
    });
    (
        html::input()
            .node_ref(field)
            .r#type("file")
            .accept("image/*")
            .hidden(true)
            .attr("aria-hidden", "true")
            .tabindex("-1"),
        html::button()
            .r#type("button")
            .class("button")
            .on(ev::click, move |_| {
                if let Some(field) = field.get_untracked() {
                    field.click();
                }
            })
            .child(say("picture")),
    )
}
