// SPDX-License-Identifier: AGPL-3.0-or-later
//! Reads a QR code off a picture, where the browser has no reader of its own (`BarcodeDetector`).
//!
//! A module of its own, which `static/start.js` loads with the first picture: whoever types letters never loads it. It sees
//! the picture alone and knows nothing of the app; what a text means is for whoever asked.

use wasm_bindgen::prelude::wasm_bindgen;

/// The text of the first code in a picture; nothing if there is none, or none that can be read.
///
/// `grey` is one byte a pixel, row by row, `width` of them a row.
#[wasm_bindgen]
#[must_use]
pub fn read(grey: &[u8], width: usize) -> Option<String> {
    let height = grey.len().checked_div(width)?;
    let pixel = |x: usize, y: usize| grey.get(y * width + x).copied().unwrap_or(u8::MAX);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    picture.detect_grids().iter().find_map(|grid| grid.decode().ok().map(|(_, text)| text))
}
