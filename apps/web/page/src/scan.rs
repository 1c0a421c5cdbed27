// SPDX-License-Identifier: AGPL-3.0-or-later
//! Reading a QR code with the camera, where the browser can (`BarcodeDetector`). Where it cannot there is no button, and
//! people type. `start.js` holds the camera; what was read goes to whoever asked, who decides what it is.

use js_sys::Reflect;
use leptos::{html, prelude::*};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

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
}

/// A button, then the camera's picture, until a code was read.
pub(crate) fn scanner(read: Callback<String>) -> Option<impl IntoView> {
    let window: JsValue = dom::window().into();
    if !Reflect::has(&window, &"BarcodeDetector".into()).is_ok_and(|has| has) {
        return None;
    }
    let on = RwSignal::new(false);
    let failed = RwSignal::new(false);
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
                None => failed.set(true),
            }
        });
    });
    Some((
        move || match on.get() {
            true => html::video()
                .class("scan")
                .node_ref(video)
                .attr("playsinline", "")
                .attr("aria-label", say("scan-here"))
                .into_any(),
            false => html::div()
                .class("row-of-buttons")
                .child(button(Weight::Plain, say("scan"), move || {
                    failed.set(false);
                    on.set(true);
                }))
                .into_any(),
        },
        move || {
            failed.get().then(|| html::p().class("failed").role("alert").child(say("scan-failed")))
        },
    ))
}
