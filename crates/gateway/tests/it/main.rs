// SPDX-License-Identifier: AGPL-3.0-or-later
//! The gateway over real sockets, before the real server on its memory store.

#[cfg(test)]
mod blobs;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod door;
#[cfg(test)]
mod page;
#[cfg(test)]
mod socket;

use door::{Door, seconds};

#[test]
fn no_file_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let here = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || here.contains(&format!("mod {module};")), "{name}");
    }
}
