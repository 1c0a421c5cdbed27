// SPDX-License-Identifier: AGPL-3.0-or-later
//! What lies over the page: dialogs, menus, the toast. One layer at a time; Back and Esc close it.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::{
    dom::{self, icon},
    parts::icon_button,
    route,
    state::app,
    words::say,
};

/// One line of a menu.
pub(crate) struct Choice {
    icon: &'static str,
    label: String,
    run: Box<dyn Fn()>,
    danger: bool,
}

impl Choice {
    /// A line with a picture, a word, and what it does.
    pub(crate) fn new(icon: &'static str, label: String, run: impl Fn() + 'static) -> Self {
        Self { icon, label, run: Box::new(run), danger: false }
    }

    /// Marks it as taking something away.
    pub(crate) fn dangerous(mut self) -> Self {
        self.danger = true;
        self
    }
}

/// A menu at a point of the window.
pub(crate) fn menu(label: String, x: i32, y: i32, choices: Vec<Choice>) -> AnyView {
    menu_with(label, x, y, None, choices)
}

/// A menu with something above its lines.
pub(crate) fn menu_with(
    label: String,
    x: i32,
    y: i32,
    above: Option<AnyView>,
    choices: Vec<Choice>,
) -> AnyView {
    let node: NodeRef<html::Div> = NodeRef::new();
    Effect::new(move |_| {
        let Some(menu) = node.get() else { return };
        dom::call(&menu, "showPopover");
        place(&menu, x, y);
        if let Ok(Some(first)) = menu.query_selector("button") {
            drop(first.unchecked_into::<HtmlElement>().focus());
        }
    });
    let lines = choices
        .into_iter()
        .map(|choice| {
            html::button()
                .r#type("button")
                .role("menuitem")
                .class(if choice.danger { "danger" } else { "" })
                .on(ev::click, move |_| (choice.run)())
                .child((icon(choice.icon), html::span().child(choice.label)))
        })
        .collect_view();
    let named = label.clone();
    let menu = html::div()
        .class("menu")
        .role("menu")
        // `manual`: the end of the right click that opened it would close an `auto` one.
        .attr("popover", "manual")
        .attr("aria-label", label)
        .node_ref(node)
        .on(ev::keydown, move |event: KeyboardEvent| walk(&event, "button"))
        .child((above, lines));
    html::section().attr("aria-label", named).child(menu).into_any()
}

/// Up and down among the buttons of a menu or the rows of a list; Home and End.
pub(crate) fn walk(event: &KeyboardEvent, selector: &str) {
    let forward = match event.key().as_str() {
        "ArrowDown" => Some(1),
        "ArrowUp" => Some(-1),
        "Home" | "End" => None,
        _ => return,
    };
    let Some(within) = event.current_target().and_then(|e| e.dyn_into::<HtmlElement>().ok()) else {
        return;
    };
    let Ok(all) = within.query_selector_all(selector) else { return };
    let count = all.length();
    if count == 0 {
        return;
    }
    let active = dom::document().active_element();
    let at = (0..count).find(|n| {
        all.item(*n).is_some_and(|node| active.as_ref().is_some_and(|a| node.is_same_node(Some(a))))
    });
    let to = match (forward, at) {
        (Some(1), Some(at)) => (at + 1) % count,
        (Some(_), Some(at)) => (at + count - 1) % count,
        (Some(_), None) => 0,
        (None, _) if event.key() == "End" => count - 1,
        (None, _) => 0,
    };
    event.prevent_default();
    if let Some(element) = all.item(to).and_then(|node| node.dyn_into::<HtmlElement>().ok()) {
        drop(element.focus());
    }
}

fn place(menu: &HtmlElement, x: i32, y: i32) {
    let size = |value: Result<wasm_bindgen::JsValue, _>| {
        value.ok().and_then(|value| value.as_f64()).unwrap_or(0.0)
    };
    let window = dom::window();
    let (width, height) = (size(window.inner_width()), size(window.inner_height()));
    let area = menu.get_bounding_client_rect();
    let x = if f64::from(x) > width / 2.0 { f64::from(x) - area.width() } else { f64::from(x) };
    let y = if f64::from(y) + area.height() > height - 8.0 {
        f64::from(y) - area.height()
    } else {
        f64::from(y)
    };
    let x = x.clamp(8.0, (width - area.width() - 8.0).max(8.0));
    let y = y.clamp(8.0, (height - area.height() - 8.0).max(8.0));
    dom::style(menu, "left", &format!("{x}px"));
    dom::style(menu, "top", &format!("{y}px"));
}

/// A dialog with a heading, a cross, and what is in it.
pub(crate) fn dialog(title: impl Into<String>, inner: impl IntoView + 'static) -> impl IntoView {
    let title = title.into();
    let node: NodeRef<html::Dialog> = NodeRef::new();
    Effect::new(move |_| {
        if let Some(dialog) = node.get() {
            drop(dialog.show_modal());
        }
    });
    html::dialog()
        .node_ref(node)
        .attr("aria-label", title.clone())
        .on(ev::Custom::<web_sys::Event>::new("cancel"), |event: web_sys::Event| {
            event.prevent_default();
            route::close();
        })
        .on(ev::click, move |event: web_sys::MouseEvent| {
            // A click beside the dialog is a click on the dialog element itself.
            let beside = node.get_untracked().is_some_and(|dialog| {
                let area = dialog.get_bounding_client_rect();
                let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
                let outside =
                    x < area.left() || x > area.right() || y < area.top() || y > area.bottom();
                let target: Option<web_sys::Element> =
                    event.target().and_then(|target| target.dyn_into().ok());
                outside && target.is_some_and(|target| target.is_same_node(Some(&dialog)))
            });
            if beside {
                route::close();
            }
        })
        .child((
            html::header().class("head").child((
                html::h2().child(title),
                icon_button("x", say("close"), |_| route::close()),
            )),
            html::div().class("body").tabindex("0").child(inner.into_view()),
        ))
}

/// The line that goes by itself, with Undo where something can be undone.
pub(crate) fn toast() -> impl IntoView {
    let app = app();
    let shown = StoredValue::new(0_u32);
    Effect::new(move |_| {
        if app.toast.with(Option::is_some) {
            shown.update_value(|n| *n += 1);
            let number = shown.get_value();
            dom::after(5000, move || {
                if shown.get_value() == number {
                    app.toast.set(None);
                }
            });
        }
    });
    move || {
        app.toast.get().map(|toast| {
            let node: NodeRef<html::Div> = NodeRef::new();
            Effect::new(move |_| {
                if let Some(toast) = node.get() {
                    dom::call(&toast, "showPopover");
                }
            });
            html::div()
                .class("toast")
                .attr("popover", "manual")
                .role("status")
                .node_ref(node)
                .child((
                    html::span().child(toast.text),
                    toast.undo.map(|undo| {
                        html::button()
                            .r#type("button")
                            .on(ev::click, move |_| {
                                app.toast.set(None);
                                undo.run(());
                            })
                            .child(say("undo"))
                    }),
                ))
        })
    }
}
