// SPDX-License-Identifier: AGPL-3.0-or-later
//! The service worker: offline start, and a new version that waits until the person restarts.

use leptos::{html, prelude::*};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{ServiceWorkerRegistration, ServiceWorkerState};

use crate::{
    dom, layer,
    parts::{Weight, button},
    route,
    state::app,
    words::say,
};

#[wasm_bindgen]
extern "C" {
    // Made by `start.js`, where Trusted Types knows the two scripts there may be.
    #[wasm_bindgen(js_name = nodoorServiceWorker, catch)]
    fn register() -> Result<js_sys::Promise, JsValue>;

    // What runs and what the server has, each as the SHA-256 of its manifest, then a line for each file that differs.
    #[wasm_bindgen(js_name = nodoorVersions, catch)]
    fn versions() -> Result<js_sys::Promise, JsValue>;
}

/// Registers the service worker and watches for a version that waits.
pub(crate) fn start() {
    let navigator: JsValue = dom::window().navigator().into();
    if !js_sys::Reflect::has(&navigator, &"serviceWorker".into()).is_ok_and(|has| has) {
        return;
    }
    let Ok(promise) = register() else { return };
    dom::when(promise, |registration| {
        let Some(registration) = registration.filter(JsValue::is_object) else { return };
        let registration: ServiceWorkerRegistration = registration.unchecked_into();
        if registration.waiting().is_some() {
            app().update.set(true);
        }
        let found = registration.clone();
        dom::listen(&registration, "updatefound", move |_| {
            let Some(coming) = found.installing() else { return };
            let worker = coming.clone();
            dom::listen(&coming, "statechange", move |_| {
                // Without a controller this is the first version, not a newer one.
                let running = dom::window().navigator().service_worker().controller().is_some();
                if worker.state() == ServiceWorkerState::Installed && running {
                    app().update.set(true);
                }
            });
        });
        // The address of a page that stays open for weeks is never fetched again by itself.
        dom::every(6 * 60 * 60 * 1000, move || drop(registration.update()));
    });
}

/// The fingerprint of the version that runs, that of the server's, and the files that differ; empty until it is known.
pub(crate) fn compared() -> RwSignal<Vec<String>> {
    let found = RwSignal::new(Vec::new());
    if let Ok(promise) = versions() {
        dom::when(promise, move |told| {
            let told: Option<js_sys::Array> = told.and_then(|told| told.dyn_into().ok());
            let told = told.map(|told| told.iter().filter_map(|one| one.as_string()).collect());
            found.try_set(told.unwrap_or_default());
        });
    }
    found
}

/// What changed, and Restart.
pub(crate) fn dialog() -> AnyView {
    let restart = || {
        let container = dom::window().navigator().service_worker();
        dom::listen(&container, "controllerchange", |_| drop(dom::window().location().reload()));
        if let Ok(ready) = container.ready() {
            dom::when(ready, |registration| {
                let registration: Option<ServiceWorkerRegistration> =
                    registration.map(JsCast::unchecked_into);
                if let Some(waiting) = registration.and_then(|registration| registration.waiting())
                {
                    drop(waiting.post_message(&JsValue::from_str("restart")));
                }
            });
        }
    };
    let found = compared();
    layer::dialog(
        say("update"),
        (
            html::p().child(say("update-text")),
            move || {
                let (fingerprint, files) = found.get().split_first().and_then(|(_, rest)| {
                    let (fingerprint, files) = rest.split_first()?;
                    Some((fingerprint.clone(), files.to_vec()))
                })?;
                let lines = files.into_iter().map(|file| html::li().child(file)).collect_view();
                Some((
                    html::h3().child(say("update-files")),
                    html::ul().class("code").dir("ltr").child(lines),
                    html::h3().child(say("fingerprint")),
                    html::p().class("code").dir("ltr").child(fingerprint),
                    html::p().class("hint").child(say("fingerprint-hint")),
                ))
            },
            html::div().class("row-of-buttons").child((
                button(Weight::Plain, say("not-now"), route::close),
                button(Weight::Main, say("restart"), restart),
            )),
        ),
    )
    .into_any()
}
