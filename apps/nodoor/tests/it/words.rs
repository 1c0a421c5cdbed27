// SPDX-License-Identifier: AGPL-3.0-or-later
//! The words in the code and the words in the files are the same.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.into_iter().chain(folders.iter().flat_map(|path| sources(path))).collect()
}

/// Ids that are asked for: `get("id"`.
fn asked(code: &str) -> impl Iterator<Item = &str> {
    code.split(".get(\"").skip(1).filter_map(|rest| rest.split('"').next())
}

fn ids(file: &str) -> BTreeSet<String> {
    let of = |line: &str| line.split_once(" =").map(|(id, _)| id.to_owned());
    file.lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(of)
        .collect()
}

#[test]
fn every_id_used_exists_and_every_id_is_used() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let view = here.join("../../crates/view");
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    let shared = ids(&read(view.join("texts/en.ftl")));
    let terminal = ids(&read(view.join("texts/terminal.en.ftl")));
    let code: String = sources(&here.join("src"))
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .chain([view.join("src/text.rs"), view.join("src/export.rs")])
        .map(read)
        .collect();
    let unknown: Vec<&str> =
        asked(&code).filter(|id| !shared.contains(*id) && !terminal.contains(*id)).collect();
    assert!(unknown.is_empty(), "no words for {unknown:?}");
    let said = |id: &&String| code.contains(&format!("\"{id}\""));
    let unused: Vec<&String> = terminal.iter().filter(|id| !said(id)).collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
}
