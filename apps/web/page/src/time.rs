// SPDX-License-Identifier: AGPL-3.0-or-later
//! Times as people say them, by the browser's `Intl`: no data to ship, every language right.

use std::{cell::RefCell, collections::HashMap};

use js_sys::{Array, Date, Intl, Object, Reflect};
use nodoor_view::model::Milliseconds;
use wasm_bindgen::JsValue;

use crate::words::{say, tag};

const DAY: i64 = 86_400_000;

/// Hours and minutes: `09:12`.
pub(crate) fn clock(at: Milliseconds) -> String {
    formatted(at, &[("hour", "2-digit"), ("minute", "2-digit")])
}

/// Day and time in full, for tooltips and Info.
pub(crate) fn exact(at: Milliseconds) -> String {
    formatted(at, &[("dateStyle", "full"), ("timeStyle", "medium")])
}

/// For rows of the list: today the time, then "Yesterday", a weekday for a week, then a date.
pub(crate) fn in_list(at: Milliseconds, now: u64) -> String {
    match days_ago(at, now) {
        0 => clock(at),
        1 => say("yesterday"),
        2..=6 => formatted(at, &[("weekday", "short")]),
        _ => date(at, now, "short"),
    }
}

/// For date lines: "Today", "Yesterday", a weekday for a week, then a date.
pub(crate) fn day_line(at: Milliseconds, now: u64) -> String {
    match days_ago(at, now) {
        0 => say("today"),
        1 => say("yesterday"),
        2..=6 => formatted(at, &[("weekday", "long")]),
        _ => date(at, now, "long"),
    }
}

/// "2 minutes ago" and the like.
pub(crate) fn ago(at: Milliseconds, now: u64) -> String {
    let seconds = (now as f64 - at.0 as f64) / 1000.0;
    let (number, unit) = match seconds {
        s if s < 60.0 => return say("just-now"),
        s if s < 3600.0 => (s / 60.0, "minute"),
        s if s < 86_400.0 => (s / 3600.0, "hour"),
        s => (s / 86_400.0, "day"),
    };
    let options = Object::new();
    let format = Intl::RelativeTimeFormat::new(&locale(), &options);
    String::from(format.format(-number.floor(), unit))
}

/// A day's number in local time: equal for two moments of the same local day.
pub(crate) fn local_day(at: Milliseconds) -> i64 {
    // No zone shifts but on a quarter of an hour; asking the browser once for each keeps thousands of
    // messages cheap.
    const QUARTER: u64 = 15 * 60 * 1000;
    let quarter = at.0 / QUARTER;
    let minutes = OFFSETS.with_borrow_mut(|offsets| {
        *offsets.entry(quarter).or_insert_with(|| {
            let date = Date::new(&JsValue::from_f64(at.0 as f64));
            date.get_timezone_offset() as i64
        })
    });
    (at.0.cast_signed() - minutes * 60_000).div_euclid(DAY)
}

fn days_ago(at: Milliseconds, now: u64) -> i64 {
    local_day(Milliseconds(now)) - local_day(at)
}

fn date(at: Milliseconds, now: u64, month: &'static str) -> String {
    let year = |ms: u64| Date::new(&JsValue::from_f64(ms as f64)).get_full_year();
    if year(at.0) == year(now) {
        formatted(at, &[("day", "numeric"), ("month", month)])
    } else {
        formatted(at, &[("day", "numeric"), ("month", month), ("year", "numeric")])
    }
}

fn locale() -> Array {
    // The system's region decides between 9:12 and 9:12 AM, where it is of the language in use.
    let system = crate::dom::window().navigator().language().unwrap_or_default();
    let same = system.split('-').next() == Some(tag());
    Array::of1(&JsValue::from_str(if same { &system } else { tag() }))
}

thread_local! {
    // Making a format costs a hundred times what using one does.
    static OFFSETS: RefCell<HashMap<u64, i64>> = RefCell::default();
    static FORMATS: RefCell<HashMap<String, Intl::DateTimeFormat>> = RefCell::default();
}

fn formatted(at: Milliseconds, parts: &[(&'static str, &'static str)]) -> String {
    let mut key = tag().to_owned();
    for (name, value) in parts {
        key.push_str(name);
        key.push_str(value);
    }
    let format = FORMATS.with_borrow_mut(|formats| {
        formats
            .entry(key)
            .or_insert_with(|| {
                let options = Object::new();
                for (name, value) in parts {
                    drop(Reflect::set(&options, &(*name).into(), &(*value).into()));
                }
                Intl::DateTimeFormat::new(&locale(), &options)
            })
            .clone()
    });
    let date = Date::new(&JsValue::from_f64(at.0 as f64));
    format
        .format()
        .call1(&JsValue::UNDEFINED, &date)
        .ok()
        .and_then(|s| s.as_string())
        .unwrap_or_default()
}
