// SPDX-License-Identifier: AGPL-3.0-or-later
//! Keeps the message being read at the same pixel.
//!
//! The browser's own anchoring is off (not every browser has it, and it cannot be told what one aims
//! at). Instead the first message in view and its distance from the top are noted at every scroll;
//! whenever the list or the window changes size, before anything is painted, the distance is made the
//! same again. An aim (the bottom, the unread divider, a message) takes its place once.

use std::cell::RefCell;

use leptos::prelude::*;
use nodoor_view::model::MessageId;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{
    Element, HtmlCollection, HtmlElement, ResizeObserver, ScrollBehavior, ScrollToOptions,
};

use crate::{dom, state::app};

/// Where the next change of size shall put the reader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Aim {
    /// The newest message.
    Bottom,
    /// The unread divider, with two lines above it.
    Divider,
    /// A message, so many pixels from the top.
    Message(MessageId, f64),
}

#[derive(Default)]
struct Scroll {
    scroller: Option<HtmlElement>,
    observer: Option<ResizeObserver>,
    aim: Option<Aim>,
    anchor: Option<(HtmlElement, f64)>,
    // Distance from the bottom at the last scroll or settling.
    distance: f64,
    // The next growth is the reader's own doing ("Show more"): do not follow the bottom.
    hold: bool,
}

thread_local! {
    static SCROLL: RefCell<Scroll> = RefCell::default();
}

const NEAR: f64 = 80.0;

/// Takes care of a scroller and the list in it.
pub(super) fn watch(scroller: &HtmlElement, list: &Element) {
    let call = Closure::<dyn FnMut()>::new(settle).into_js_value();
    let observer = ResizeObserver::new(call.unchecked_ref()).ok();
    if let Some(observer) = &observer {
        observer.observe(list);
        observer.observe(scroller);
    }
    SCROLL.with_borrow_mut(|scroll| {
        if let Some(old) = scroll.observer.take() {
            old.disconnect();
        }
        scroll.observer = observer;
        scroll.scroller = Some(scroller.clone());
    });
}

/// Forgets the place, not the scroller.
pub(super) fn forget() {
    SCROLL.with_borrow_mut(|scroll| {
        scroll.anchor = None;
        scroll.aim = None;
        scroll.distance = 0.0;
        scroll.hold = false;
    });
}

/// Sets the aim.
pub(super) fn aim(aim: Aim) {
    SCROLL.with_borrow_mut(|scroll| scroll.aim = Some(aim));
}

/// Makes the next growth keep what is in view even at the bottom.
pub(super) fn hold() {
    SCROLL.with_borrow_mut(|scroll| scroll.hold = true);
}

/// Whether the reader is within 80 pixels of the bottom.
pub(super) fn near_bottom() -> bool {
    SCROLL.with_borrow(|scroll| scroll.distance <= NEAR || scroll.aim == Some(Aim::Bottom))
}

/// Whether the reader is at the bottom.
pub(super) fn at_bottom() -> bool {
    SCROLL.with_borrow(|scroll| scroll.distance <= 2.0)
}

/// The first message in view and its distance from the top.
pub(super) fn place() -> Option<(MessageId, f64)> {
    SCROLL.with_borrow(|scroll| {
        let (element, offset) = scroll.anchor.as_ref()?;
        Some((id_of(element)?, *offset))
    })
}

/// Settles before the next paint, where no change of size may come.
pub(super) fn settle_soon() {
    dom::before_paint(settle);
}

/// The reader scrolled.
pub(super) fn scrolled() {
    note();
    let state = SCROLL.with_borrow(|scroll| {
        let scroller = scroll.scroller.as_ref()?;
        Some((f64::from(scroller.scroll_top()) < 800.0, scroll.distance < 800.0))
    });
    if let Some((top, bottom)) = state {
        app().chat.near(top, bottom);
    }
    see();
}

/// Scrolls to the end, gliding where it is near.
pub(super) fn to_bottom() {
    let Some(scroller) = SCROLL.with_borrow(|scroll| scroll.scroller.clone()) else { return };
    let far =
        SCROLL.with_borrow(|scroll| scroll.distance) > 2.0 * f64::from(scroller.client_height());
    let still = far || dom::media("(prefers-reduced-motion: reduce)");
    let options = ScrollToOptions::new();
    options.set_top(f64::from(scroller.scroll_height()));
    options.set_behavior(if still { ScrollBehavior::Instant } else { ScrollBehavior::Smooth });
    scroller.scroll_to_with_scroll_to_options(&options);
}

/// Brings a loaded message into view and has it stand out for a moment.
pub(super) fn show(message: MessageId) {
    let Some(element) = dom::find(&format!(".messages [data-id='{}']", message.0)) else { return };
    bring(message);
    drop(element.class_list().add_1("flash"));
    drop(element.focus());
    dom::after(1500, move || drop(element.class_list().remove_1("flash")));
}

/// Brings a loaded message into view.
pub(super) fn bring(message: MessageId) {
    let Some(element) = dom::find(&format!(".messages [data-id='{}']", message.0)) else { return };
    let options = js_sys::Object::new();
    drop(js_sys::Reflect::set(&options, &"block".into(), &"center".into()));
    dom::call_with(&element, "scrollIntoView", &options);
}

/// Marks as seen what is in view.
pub(crate) fn see() {
    let newest = SCROLL.with_borrow(|scroll| {
        let scroller = scroll.scroller.as_ref().filter(|scroller| scroller.is_connected())?;
        let bottom = scroller.get_bounding_client_rect().bottom();
        let entries = entries(scroller);
        // The last one whose top is in view.
        let shown = entries.partition(|e| e.get_bounding_client_rect().top() < bottom - 8.0);
        (0..shown).rev().find_map(|index| id_of(&entries.get(index)?))
    });
    if let Some(newest) = newest {
        app().chat.seen(newest);
    }
}

/// Puts the reader where the aim or the anchor says.
fn settle() {
    let Some(scroller) = SCROLL.with_borrow(|scroll| scroll.scroller.clone()) else { return };
    if !scroller.is_connected() || !app().chat.loaded.get_untracked() {
        return;
    }
    let (aim, anchor, distance, hold) = SCROLL.with_borrow_mut(|scroll| {
        (
            scroll.aim.take(),
            scroll.anchor.clone(),
            scroll.distance,
            std::mem::take(&mut scroll.hold),
        )
    });
    let bottom = || scroller.set_scroll_top(scroller.scroll_height());
    match aim {
        Some(Aim::Bottom) => bottom(),
        Some(Aim::Divider) => to_divider(&scroller),
        Some(Aim::Message(id, offset)) => {
            if let Some(element) = find(&scroller, id) {
                move_by(&scroller, top_of(&scroller, &element) - offset);
            } else {
                bottom();
            }
        }
        None if distance <= 2.0 && !hold => bottom(),
        None => {
            if let Some((element, offset)) = anchor.filter(|(element, _)| element.is_connected()) {
                move_by(&scroller, top_of(&scroller, &element) - offset);
            }
        }
    }
    note();
    keep_one_in_tab_order(&scroller);
    see();
    let state = (f64::from(scroller.scroll_top()) < 800.0, at_bottom());
    app().chat.near(state.0, state.1);
}

fn to_divider(scroller: &HtmlElement) {
    let Ok(Some(divider)) = scroller.query_selector("[data-divider]") else { return };
    // Two lines of context, unless they are taller than two fifths of the window.
    let room = f64::from(scroller.client_height()) * 0.4;
    let mut first: Element = divider.clone();
    for _ in 0..2 {
        match first.previous_element_sibling() {
            Some(above) => first = above,
            None => break,
        }
    }
    let context = divider.get_bounding_client_rect().top() - first.get_bounding_client_rect().top();
    let offset = context.min(room);
    if let Ok(divider) = divider.dyn_into::<HtmlElement>() {
        move_by(scroller, top_of(scroller, &divider) - offset);
    }
}

/// Notes the first message in view.
fn note() {
    SCROLL.with_borrow_mut(|scroll| {
        let Some(scroller) = &scroll.scroller else { return };
        scroll.distance = f64::from(scroller.scroll_height())
            - f64::from(scroller.scroll_top())
            - f64::from(scroller.client_height());
        let edge = scroller.get_bounding_client_rect().top();
        let entries = entries(scroller);
        let gone = entries.partition(|e| e.get_bounding_client_rect().bottom() <= edge + 1.0);
        // A message, not a date line or the divider: those come and go.
        scroll.anchor = (gone..entries.len())
            .filter_map(|index| entries.get(index))
            .find(|element| id_of(element).is_some())
            .map(|element| {
                let top = top_of(scroller, &element);
                (element, top)
            });
    });
    let far = SCROLL.with_borrow(|scroll| scroll.distance > NEAR);
    if app().chat.far.get_untracked() != far {
        app().chat.far.set(far);
    }
}

fn keep_one_in_tab_order(scroller: &HtmlElement) {
    if scroller.query_selector("[data-id][tabindex='0']").ok().flatten().is_some() {
        return;
    }
    let entries = entries(scroller);
    let last = (0..entries.len()).rev().filter_map(|index| entries.get(index));
    if let Some(last) = last.into_iter().find(|element| id_of(element).is_some()) {
        last.set_tab_index(0);
    }
}

// The list's entries, fetched one at a time: a binary search needs a dozen of thousands.
struct Entries(Option<HtmlCollection>);

impl Entries {
    fn len(&self) -> u32 {
        self.0.as_ref().map_or(0, HtmlCollection::length)
    }

    fn get(&self, index: u32) -> Option<HtmlElement> {
        self.0.as_ref()?.item(index)?.dyn_into().ok()
    }

    // How many at the start hold to something that holds for a first part of the list alone.
    fn partition(&self, holds: impl Fn(&HtmlElement) -> bool) -> u32 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(|entry| holds(&entry)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

fn entries(scroller: &HtmlElement) -> Entries {
    let list = scroller.query_selector("ol").ok().flatten();
    Entries(list.map(|list| list.children()))
}

fn id_of(element: &HtmlElement) -> Option<MessageId> {
    element.get_attribute("data-id")?.parse().ok().map(MessageId)
}

fn find(scroller: &HtmlElement, id: MessageId) -> Option<HtmlElement> {
    let selector = format!("[data-id='{}']", id.0);
    scroller.query_selector(&selector).ok().flatten()?.dyn_into().ok()
}

fn top_of(scroller: &HtmlElement, element: &HtmlElement) -> f64 {
    element.get_bounding_client_rect().top() - scroller.get_bounding_client_rect().top()
}

fn move_by(scroller: &HtmlElement, pixels: f64) {
    if pixels.abs() >= 0.5 {
        // Through Reflect: `scrollTop` takes fractions, web-sys's setter does not.
        let top = js_sys::Reflect::get(scroller, &"scrollTop".into());
        let top = top.ok().and_then(|top| top.as_f64()).unwrap_or_default();
        drop(js_sys::Reflect::set(scroller, &"scrollTop".into(), &JsValue::from_f64(top + pixels)));
    }
}
