// SPDX-License-Identifier: AGPL-3.0-or-later
//! The Rust side of `host.js`: locks and the database's key, which browsers offer to scripts alone.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast as _, JsValue, prelude::*};
use zeroize::Zeroizing;

use crate::store::DatabaseKey;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// The first thing this browser lacks, or nothing.
    pub(super) fn missing() -> String;

    #[wasm_bindgen(js_name = hold, catch)]
    async fn hold_js(steal: bool, lost: JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = letGo)]
    pub(super) fn let_go();

    #[wasm_bindgen(js_name = loadKey, catch)]
    async fn load_key_js() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = makeKey, catch)]
    async fn make_key_js() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = hadAccount, catch)]
    async fn had_account_js() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = markAccount, catch)]
    pub(super) async fn mark_account() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) async fn forget() -> Result<JsValue, JsValue>;
}

/// Becomes the one engine: `false` if another is. `lost` is called if another tab takes over.
pub(super) async fn hold(steal: bool, lost: Closure<dyn FnMut()>) -> Result<bool, JsValue> {
    Ok(hold_js(steal, lost.into_js_value()).await?.is_truthy())
}

/// The key of the database, if there is a record of it.
pub(super) async fn load_key() -> Result<Option<DatabaseKey>, JsValue> {
    Ok(key(load_key_js().await?))
}

/// A new key, recorded.
pub(super) async fn make_key() -> Result<Option<DatabaseKey>, JsValue> {
    Ok(key(make_key_js().await?))
}

/// Whether this browser once had an account.
pub(super) async fn had_account() -> Result<bool, JsValue> {
    Ok(had_account_js().await?.is_truthy())
}

fn key(value: JsValue) -> Option<DatabaseKey> {
    let bytes = value.dyn_into::<Uint8Array>().ok()?;
    let mut key = Zeroizing::new([0; 32]);
    if bytes.length() != 32 {
        return None;
    }
    bytes.copy_to(&mut *key);
    bytes.fill(0, 0, 32);
    Some(DatabaseKey(key))
}
