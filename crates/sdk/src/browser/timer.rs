// SPDX-License-Identifier: AGPL-3.0-or-later
//! `setTimeout`, ended by dropping it.

use js_sys::Promise;
use wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;

use crate::browser::scope;

/// Runs something later, unless dropped before.
pub(super) struct Timeout {
    id: i32,
    _run: Closure<dyn FnMut()>,
}

impl Timeout {
    /// After so many milliseconds; `None` outside a worker. At most 24 days: who waits longer looks again.
    pub(super) fn after(ms: u64, run: impl FnOnce() + 'static) -> Option<Self> {
        let run = Closure::once(run);
        let ms = i32::try_from(ms).unwrap_or(i32::MAX);
        let function = run.as_ref().unchecked_ref();
        let id =
            scope()?.set_timeout_with_callback_and_timeout_and_arguments_0(function, ms).ok()?;
        Some(Self { id, _run: run })
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if let Some(scope) = scope() {
            scope.clear_timeout_with_handle(self.id);
        }
    }
}

/// Waits.
pub(super) async fn pause(ms: u64) {
    let mut kept = None;
    let promise = Promise::new(&mut |resolve, _| {
        kept = Timeout::after(ms, move || drop(resolve.call0(&JsValue::UNDEFINED)));
    });
    if kept.is_some() {
        drop(JsFuture::from(promise).await);
    }
}
