// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a message of 1 KiB costs its sender and its reader, without socket and disk.
//!
//! The same code natively (`nodoor-cost`, CPU time of the thread) and in Chromium (`apps/web/tests/cost.mjs`, the clock of
//! the page). Sealing is report signature, padding and MLS; opening is MLS, the payload and its
//! signature; both with what e2ee hands to its store, which here is a map. Rooms are measured fresh and in use:
//! everybody has written in this epoch and in the three before it, whose keys are still kept.
//!
//! Called by `cargo xtask bench`; calls `e2ee`, and `transparency` for [`lookup`]. Never a timed test.

mod lookup;
mod room;
mod welcome;

use anyhow::{Context as _, Result};
use nodoor_e2ee::{
    content::{self, Content, MimiContent},
    open::Opened,
    payload::{Payload, Slot},
};
use serde_json::{Value, json};

use crate::room::{Device, Room};

/// Measures a room of so many devices: one row, each figure the median of `rounds`. `clock` answers in milliseconds.
///
/// # Errors
/// A room that cannot be made is a mistake here or in e2ee.
pub fn measure(size: u8, in_use: bool, rounds: usize, clock: &dyn Fn() -> f64) -> Result<Value> {
    let mut room = Room::of(size)?;
    if in_use {
        for _ in 0..PAST_EPOCHS {
            room.everybody_writes()?;
            room.next_epoch()?;
        }
        room.everybody_writes()?;
    }
    let [sender, reader, ..] = room.devices.as_mut_slice() else {
        anyhow::bail!("a room of two at least");
    };
    let device_key = sender.device_key.verifying_key().to_bytes();
    let text = Content::Text("a word of text. ".repeat(64)).into();
    let (mut sealing, mut opening) = (Vec::new(), Vec::new());
    let mut written = 0;
    for _ in 0..rounds {
        let contents: Vec<_> = (0..BATCH).map(|salt| content::encode(&text, [salt; 16])).collect();
        sender.disk.forget_written();
        let before = clock();
        let frames = contents
            .into_iter()
            .map(|content| seal(sender, content))
            .collect::<Result<Vec<_>>>()?;
        sealing.push((clock() - before) / f64::from(BATCH));
        written = sender.disk.written() / usize::from(BATCH);
        let before = clock();
        for frame in &frames {
            open(reader, frame, &device_key)?;
        }
        opening.push((clock() - before) / f64::from(BATCH));
    }
    let before = clock();
    reader.load()?;
    let loading = clock() - before;
    Ok(json!({
        "scenario": "client",
        "members": size,
        "in_use": in_use,
        "size": SIZE,
        "messages": rounds * usize::from(BATCH),
        "seal_cpu_ms": median(sealing),
        "open_cpu_ms": median(opening),
        "load_cpu_ms": round(loading),
        "written_bytes": written,
    }))
}

fn seal(sender: &mut Device, content: Vec<u8>) -> Result<Vec<u8>> {
    let group = sender.group.as_mut().context("a member")?;
    let slot = Slot { room: group.room(), epoch: group.epoch(), leaf: group.own_index() };
    let payload =
        Payload::make(content, SENT_AT, &slot, group.epoch_authenticator(), &sender.device_key);
    Ok(group.seal(&sender.disk, &sender.me, &payload.to_padded())?)
}

fn open(reader: &mut Device, frame: &[u8], device_key: &[u8; 32]) -> Result<MimiContent> {
    let group = reader.group.as_mut().context("a member")?;
    let Opened::Payload { from, epoch, bytes } = group.open(&reader.disk, frame)? else {
        anyhow::bail!("not a payload");
    };
    let payload = Payload::from_padded(&bytes)?;
    payload.verify(&Slot { room: group.room(), epoch, leaf: from.index }, device_key)?;
    Ok(content::decode(&payload.content)?)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    round(all.get(all.len() / 2).copied().unwrap_or_default())
}

/// Three digits after the point.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The rows of one run, as lines.
///
/// # Errors
/// As [`measure`].
pub fn rows(rounds: usize, clock: &dyn Fn() -> f64) -> Result<Vec<Value>> {
    let rooms = [(2, false), (10, false), (100, false), (2, true), (10, true), (100, true)];
    let rooms = rooms.into_iter().map(|(size, in_use)| measure(size, in_use, rounds, clock));
    let alone = [lookup::measure(rounds, clock), welcome::measure(clock)];
    rooms.chain(alone).collect()
}

/// The rows of one run in a browser, as JSON; or what went wrong.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn cost(rounds: usize, clock: &js_sys::Function) -> String {
    let now = || {
        let told = clock.call0(&wasm_bindgen::JsValue::UNDEFINED);
        told.ok().and_then(|told| told.as_f64()).unwrap_or_default()
    };
    match rows(rounds, &now) {
        Ok(rows) => json!(rows).to_string(),
        Err(error) => json!({ "error": format!("{error:#}") }).to_string(),
    }
}

/// Bytes of text in a message.
const SIZE: usize = 1024;
/// Messages between two looks at the clock: that of a browser has steps of a tenth of a millisecond.
const BATCH: u8 = 10;
/// As e2ee keeps them.
const PAST_EPOCHS: usize = 3;
const SENT_AT: u64 = 1_790_000_000_000;
