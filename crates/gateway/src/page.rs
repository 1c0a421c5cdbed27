// SPDX-License-Identifier: AGPL-3.0-or-later
//! The web app's files, from memory, under headers that let them reach this server and nothing else.
//!
//! The files never change while the process lives, so each has its ETag from the start. Names that carry
//! a hash of their content may be kept for ever; all others are asked for again each time. No cookie is
//! set or read.
//!
//! `integrity.json` among the files is the manifest of all others. It is served as it is, for monitors, and for browsers
//! that know WAICT under a name of its own with a proof line behind it, which stays empty: nothing that such a browser
//! knows proves our log. So the policy is kept for no time (`max-age=0`, without which it would want a proof), and reports
//! only: no browser that enforces it was there to try it with.
//!
//! Spec: `docs/book/threat-model.md` (strict CSP with Trusted Types), `docs/book/ledger.md`, 1 (releases); WAICT integrity
//! draft 2. `router` calls it.

use std::collections::HashMap;

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, Method, Response, StatusCode,
        header::{
            ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// One file of the web app.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Path under the root, without a leading slash: `index.html`, `engine-1a2b3c4d5e6f7081.wasm`.
    pub path: String,
    /// Its `Content-Type`.
    pub content_type: String,
    /// The bytes.
    pub bytes: Bytes,
    /// The same, compressed with brotli ahead of time, if that is smaller.
    pub brotli: Option<Bytes>,
}

/// The files of the web app, or the page that stands in for it.
#[derive(Debug)]
pub struct WebApp {
    pages: HashMap<String, Page>,
    /// What documents say of their manifest.
    integrity: Option<HeaderValue>,
}

#[derive(Debug)]
struct Page {
    asset: Asset,
    content_type: HeaderValue,
    etag: HeaderValue,
    immutable: bool,
    document: bool,
}

impl WebApp {
    /// Takes the files. `index.html` is served at `/` as well.
    #[must_use]
    pub fn new(assets: impl IntoIterator<Item = Asset>) -> Self {
        let pages = assets.into_iter().filter_map(Page::new).map(|p| (p.asset.path.clone(), p));
        let mut app = Self { pages: pages.collect(), integrity: None };
        if let Some(manifest) = app.pages.get(MANIFEST).and_then(|page| Page::new(waict(page))) {
            let policy = format!("max-age=0, mode=report, manifest=\"/{}\"", manifest.asset.path);
            app.integrity = HeaderValue::from_str(&policy).ok();
            app.pages.insert(manifest.asset.path.clone(), manifest);
        }
        app
    }

    /// No web app: one plain page that says how to get one.
    #[must_use]
    pub fn absent() -> Self {
        Self::new([Asset {
            path: "index.html".into(),
            content_type: "text/html; charset=utf-8".into(),
            bytes: Bytes::from_static(ABSENT.as_bytes()),
            brotli: None,
        }])
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pages.len() - usize::from(self.integrity.is_some())
    }

    /// Whether there is no file at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Answers a request for a file. `tls`: the caller came over TLS.
    pub(crate) fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        tls: bool,
    ) -> Response<Body> {
        let mut response = self.plain_answer(method, path, headers);
        secure(response.headers_mut(), headers.get(HOST), tls);
        response
    }

    fn plain_answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Body> {
        if method != Method::GET && method != Method::HEAD {
            let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let name = path.trim_start_matches('/');
        let name = if name.is_empty() { "index.html" } else { name };
        let Some(page) = self.pages.get(name) else { return status(StatusCode::NOT_FOUND) };

        let known = headers.get(IF_NONE_MATCH).is_some_and(|tag| tag == page.etag);
        let brotli = page.asset.brotli.as_ref().filter(|_| takes_brotli(headers));
        let mut response = if known {
            status(StatusCode::NOT_MODIFIED)
        } else if method == Method::HEAD {
            status(StatusCode::OK)
        } else {
            Response::new(Body::from(brotli.unwrap_or(&page.asset.bytes).clone()))
        };
        let out = response.headers_mut();
        out.insert(CONTENT_TYPE, page.content_type.clone());
        out.insert(ETAG, page.etag.clone());
        out.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if brotli.is_some() {
            out.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        let cache = if page.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        out.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Some(integrity) = self.integrity.as_ref().filter(|_| page.document) {
            out.insert("integrity-policy-waict-v1", integrity.clone());
        }
        response
    }
}

impl Page {
    fn new(asset: Asset) -> Option<Self> {
        let etag = short_hash(&asset.bytes);
        Some(Self {
            content_type: HeaderValue::from_str(&asset.content_type).ok()?,
            etag: HeaderValue::from_str(&format!("\"{etag}\"")).ok()?,
            immutable: carries_hash(&asset.path),
            document: asset.content_type.starts_with("text/html"),
            asset,
        })
    }
}

/// The manifest as WAICT wants it: the same text, a line for the proof, a name that never stands for other bytes.
fn waict(manifest: &Page) -> Asset {
    let bytes = Bytes::from([&manifest.asset.bytes, b"\n\n".as_slice()].concat());
    Asset {
        path: format!(".well-known/waict/integrity-{}.json", short_hash(&bytes)),
        content_type: "application/waict-integrity-manifest".to_owned(),
        bytes,
        brotli: None,
    }
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a name ends in `-` or `.` and at least 8 hexadecimal digits before its last extension: such a name never
/// stands for other bytes.
fn carries_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.')
        .and_then(|(stem, _)| stem.rsplit_once(['-', '.']))
        .is_some_and(|(_, hash)| hash.len() >= 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|part| {
            let mut words = part.split(';').map(str::trim);
            words.next() == Some("br") && !words.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00"))
        })
    })
}

/// Headers of every answer that is not a WebSocket: nothing may be framed, sniffed, referred or reached
/// from it but this server.
pub(crate) fn secure(out: &mut HeaderMap, host: Option<&HeaderValue>, tls: bool) {
    let sockets = host
        .and_then(|host| host.to_str().ok())
        .filter(|host| host.bytes().all(is_of_host))
        .map(|host| format!(" {}://{host}", if tls { "wss" } else { "ws" }))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         connect-src 'self'{sockets}; img-src 'self' data: blob:; font-src 'self'; \
         manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types nodoor"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        out.insert(CONTENT_SECURITY_POLICY, policy);
    }
    out.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    out.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", PERMISSIONS),
    ] {
        out.insert(name, HeaderValue::from_static(value));
    }
    if tls {
        let year = HeaderValue::from_static("max-age=31536000");
        out.insert(STRICT_TRANSPORT_SECURITY, year);
    }
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// SHA-256 of every file, as the release has it.
const MANIFEST: &str = "integrity.json";

/// The camera reads QR codes in this page alone; the rest nobody needs.
const PERMISSIONS: &str = "accelerometer=(), browsing-topics=(), camera=(self), \
     display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), \
     midi=(), payment=(), serial=(), usb=()";

const ABSENT: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n<title>Nodoor server</title>\n\
<h1>This Nodoor server runs without the web app</h1>\n\
<p>The terminal client <code>nodoor</code> can talk to it now. To have the web app here, build it and \
start the server with its folder:</p>\n\
<pre>cargo xtask run</pre>\n<p>or <code>nodoord run --web DIR</code>.</p>\n</html>\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_with_a_hash_of_its_content_is_kept_for_ever() {
        for hashed in ["a-0123456789abcdef.js", "snippets/x.01234567.wasm"] {
            assert!(carries_hash(hashed), "{hashed}");
        }
        for plain in ["index.html", "sw.js", "a-dead.js", "engine_bg.wasm", "night-feedbackxx.css"]
        {
            assert!(!carries_hash(plain), "{plain}");
        }
    }
}
