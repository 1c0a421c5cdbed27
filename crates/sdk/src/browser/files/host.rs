// SPDX-License-Identifier: AGPL-3.0-or-later
//! The Rust side of `files.js`.

use js_sys::{Array, Reflect, Uint8Array};
use nodoor_client::io::FileFault;
use wasm_bindgen::{JsCast as _, JsValue, prelude::*};

#[wasm_bindgen(module = "/src/browser/files.js")]
extern "C" {
    /// Keeps a file of the page under the name that a command will use.
    pub(in crate::browser) fn pick(place: &str, blob: JsValue);

    #[wasm_bindgen(js_name = pickedFile)]
    pub(super) fn picked_file(place: &str) -> JsValue;

    pub(super) fn unpick(place: &str);

    #[wasm_bindgen(js_name = slice, catch)]
    async fn slice_js(blob: &JsValue, from: f64, to: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = openFile, catch)]
    async fn open_js(name: &str, create: bool) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = readAt, catch)]
    fn read_js(handle: &JsValue, at: f64, into: &mut [u8]) -> Result<f64, JsValue>;

    #[wasm_bindgen(js_name = writeAt, catch)]
    fn write_js(handle: &JsValue, at: f64, bytes: &[u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = isThere, catch)]
    async fn is_there_js(name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = rename, catch)]
    async fn rename_js(from: &str, to: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) async fn remove(name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = keepOnly, catch)]
    pub(super) async fn keep_only(names: Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = makeBlob, catch)]
    pub(super) fn blob(parts: &Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = ask, catch)]
    async fn ask_js(
        method: &str,
        path: &str,
        headers: Vec<String>,
        body: JsValue,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = fetchFrom, catch)]
    async fn fetch_js(path: &str, headers: Vec<String>) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = next, catch)]
    async fn next_js(answer: &JsValue) -> Result<JsValue, JsValue>;

    fn end(answer: &JsValue);

    #[wasm_bindgen(js_name = FileSystemSyncAccessHandle)]
    type Handle;
    #[wasm_bindgen(method, catch, js_name = getSize)]
    fn get_size(this: &Handle) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn truncate(this: &Handle, size: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn flush(this: &Handle) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    fn close(this: &Handle);
}

/// An open file, this worker's alone until it is dropped.
pub(super) struct Open(Handle);

impl Open {
    /// Opens or makes it. `NotHere`: it is not there; `NoAnswer`: work that is just ending holds it.
    pub(super) async fn open(name: &str, create: bool) -> Result<Self, FileFault> {
        let handle = open_js(name, create).await.map_err(|error| why(&error))?;
        Ok(Self(handle.unchecked_into()))
    }

    pub(super) fn size(&self) -> Result<u64, FileFault> {
        self.0.get_size().map(whole_number).map_err(disk)
    }

    pub(super) fn read(&self, at: u64, into: &mut [u8]) -> Result<usize, FileFault> {
        let read = read_js(self.0.as_ref(), number(at), into).map_err(disk)?;
        usize::try_from(whole_number(read)).map_err(|_| FileFault::Disk)
    }

    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), FileFault> {
        write_js(self.0.as_ref(), number(at), bytes).map_err(disk)
    }

    pub(super) fn cut(&self, size: u64) -> Result<(), FileFault> {
        self.0.truncate(number(size)).map_err(disk)
    }

    pub(super) fn flush(&self) -> Result<(), FileFault> {
        self.0.flush().map_err(disk)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Bytes of a blob that the page picked.
pub(super) async fn slice(blob: &JsValue, from: u64, to: u64) -> Result<Vec<u8>, FileFault> {
    let bytes = slice_js(blob, number(from), number(to)).await;
    let bytes = bytes.map_err(|_| FileFault::Unreadable)?;
    bytes.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).map_err(|_| FileFault::Unreadable)
}

pub(super) async fn is_there(name: &str) -> Result<bool, FileFault> {
    is_there_js(name).await.map(|there| there.is_truthy()).map_err(disk)
}

pub(super) async fn rename(from: &str, to: &str) -> Result<(), FileFault> {
    rename_js(from, to).await.map(drop).map_err(disk)
}

/// A request with a short answer: its status and text.
pub(super) async fn ask(
    method: &str,
    path: &str,
    headers: Vec<String>,
    body: Option<&[u8]>,
) -> Result<(u16, String), FileFault> {
    let body = body.map_or(JsValue::UNDEFINED, |body| Uint8Array::from(body).into());
    let answer = ask_js(method, path, headers, body).await.map_err(|_| FileFault::NoAnswer)?;
    let answer = answer.dyn_into::<Array>().map_err(|_| FileFault::NoAnswer)?;
    let status = answer.get(0).as_f64().map(whole_number);
    let status = status.and_then(|status| u16::try_from(status).ok()).ok_or(FileFault::NoAnswer)?;
    Ok((status, answer.get(1).as_string().unwrap_or_default()))
}

/// An answer whose bytes come piece by piece; dropping it ends the connection.
pub(super) struct Answer {
    answer: JsValue,
    pub(super) status: u16,
    pub(super) length: Option<u64>,
}

impl Answer {
    pub(super) async fn of(path: &str, headers: Vec<String>) -> Result<Self, FileFault> {
        let answer = fetch_js(path, headers).await.map_err(|_| FileFault::NoAnswer)?;
        let field = |name: &str| Reflect::get(&answer, &name.into()).ok()?.as_f64();
        let status = field("status").and_then(|status| u16::try_from(whole_number(status)).ok());
        let status = status.ok_or(FileFault::NoAnswer)?;
        let length = field("length").filter(|length| *length >= 0.0).map(whole_number);
        Ok(Self { answer, status, length })
    }

    /// The next bytes, as they came; `NoAnswer` too where they end.
    pub(super) async fn next(&self) -> Result<Vec<u8>, FileFault> {
        let bytes = next_js(&self.answer).await.map_err(|_| FileFault::NoAnswer)?;
        bytes.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).map_err(|_| FileFault::NoAnswer)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        end(&self.answer);
    }
}

fn why(error: &JsValue) -> FileFault {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    match name.as_deref() {
        Some("NotFoundError") => FileFault::NotHere,
        Some("NoModificationAllowedError" | "InvalidStateError") => FileFault::NoAnswer,
        _ => FileFault::Disk,
    }
}

fn disk(_: JsValue) -> FileFault {
    FileFault::Disk
}

/// Scripts count in floats, exactly up to 2^53; a file has at most 2^32 bytes.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) fn number(of: u64) -> f64 {
    of as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "see above; the cast saturates"
)]
pub(super) fn whole_number(of: f64) -> u64 {
    of as u64
}
