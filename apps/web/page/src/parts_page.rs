// SPDX-License-Identifier: AGPL-3.0-or-later
//! `#/parts`: every part once, in development builds, to be looked at.

use leptos::{html, prelude::*};

use crate::{
    dom::icon,
    parts::{Weight, button, face, icon_button},
    state::app,
    words::say,
};

/// The page.
pub(crate) fn parts_page() -> impl IntoView {
    let block = |title: &'static str, inner: AnyView| {
        html::section().class("part").child((html::h2().child(title), inner))
    };
    html::main().class("parts-page").child((
        html::h1().child("Parts"),
        block(
            "Button",
            html::div()
                .class("row-of-buttons")
                .child((
                    button(Weight::Main, say("create-account"), || ()),
                    button(Weight::Plain, say("cancel"), || ()),
                    button(Weight::Quiet, say("not-now"), || ()),
                    button(Weight::Danger, say("block"), || ()),
                    icon_button("settings", say("settings"), |_| ()),
                ))
                .into_any(),
        ),
        block(
            "Field",
            html::div()
                .class("field")
                .child((
                    html::label().r#for("part-field").child(say("choose-handle")),
                    html::div().class("input").child((
                        html::span().class("before").child("@"),
                        html::input().id("part-field").r#type("text").value("mira"),
                        html::span().class("good").child(icon("check")),
                    )),
                ))
                .into_any(),
        ),
        block(
            "Faces",
            html::div()
                .class("row-of-buttons")
                .child(
                    [
                        "ada", "bea", "cyd", "dov", "eli", "fay", "gus", "hal", "ida", "jon",
                        "kim", "lou",
                    ]
                    .map(|name| face(name, name, ""))
                    .collect_view(),
                )
                .into_any(),
        ),
        block(
            "Strip",
            (
                html::div().class("strip").child(html::span().child(say("strip-offline"))),
                html::div().class("strip warn").child(html::span().child(say("strip-clock"))),
                html::div().class("strip danger").child(html::span().child(say("strip-disk"))),
            )
                .into_any(),
        ),
        block(
            "Bubble",
            html::ol()
                .class("messages")
                .child((
                    html::li().class("message in opens").child(
                        html::div().class("stack").child(
                            html::div()
                                .class("bubble")
                                .child(html::div().class("text").child("Morning!")),
                        ),
                    ),
                    html::li().class("message in closes").child(html::div().class("stack").child(
                        html::div().class("bubble").child(html::div().class("text").child((
                            "I can be there at ten.",
                            html::span().class("meta").child("9:02"),
                        ))),
                    )),
                    html::li().class("message out opens closes").child(
                        html::div().class("stack").child(html::div().class("bubble").child(
                            html::div().class("text").child((
                                "Ten works for me.",
                                html::span().class("meta").child(("9:12", icon("check-check"))),
                            )),
                        )),
                    ),
                ))
                .into_any(),
        ),
        block(
            "Toast",
            button(Weight::Plain, say("undo"), || {
                app().toast(say("copied"), Some(Callback::new(|()| ())));
            })
            .into_any(),
        ),
    ))
}
