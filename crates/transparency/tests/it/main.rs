// SPDX-License-Identifier: AGPL-3.0-or-later
//! Device lists and statements as others see them, the attack first.

#[cfg(test)]
mod actors;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod chain;
#[cfg(test)]
mod decoders;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod directory_world;
#[cfg(test)]
mod disclosure;
#[cfg(test)]
mod encodings;
#[cfg(test)]
mod entry;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod key;
#[cfg(test)]
mod ledger_world;
#[cfg(test)]
mod link;
#[cfg(test)]
mod note;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod statement;
#[cfg(test)]
mod tree;

#[test]
fn no_test_file_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        assert!(name == "main" || main.contains(&format!("mod {name};")), "{name}");
    }
}
