// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where this worker came from, and what its device is called in the person's own list.

use crate::browser::scope;

/// The server's address (`https://host`) and this device's name (`Chrome on Linux`).
pub(super) fn here() -> (String, String) {
    let Some(scope) = scope() else { return Default::default() };
    let agent = scope.navigator().user_agent().unwrap_or_default();
    (scope.location().origin(), device(&agent))
}

/// What a person would call this browser. The server never learns it; it is a row on this device.
fn device(agent: &str) -> String {
    let first = |names: &[(&str, &'static str)]| {
        names.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name)
    };
    // Each of them claims to be those below it.
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    let browser = browser.unwrap_or("Browser");
    system.map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}"))
}
