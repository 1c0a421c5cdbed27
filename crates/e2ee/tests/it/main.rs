// SPDX-License-Identifier: AGPL-3.0-or-later
//! What members can do to each other, and what nobody can do to them. Every step loads the room from the
//! disk again, as a client does that was killed in between.

#[cfg(test)]
mod attack;
#[cfg(test)]
mod content;
#[cfg(test)]
mod file;
#[cfg(test)]
mod header;
#[cfg(test)]
mod join;
#[cfg(test)]
mod membership;
#[cfg(test)]
mod payload;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod state;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod typing;
#[cfg(test)]
mod world;

#[test]
fn no_test_file_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || main.contains(&format!("mod {module};")), "{name}");
    }
}
