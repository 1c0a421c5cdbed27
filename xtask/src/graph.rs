// SPDX-License-Identifier: AGPL-3.0-or-later
//! `cargo xtask graph`: what may depend on what, held against what does.
//!
//! The laws are those of the design; each is a pure function over [`Member`]s and [`Tree`]s (or over source
//! text, [`source`]) that returns what breaks it, so that the tests can break each one. Dependencies are read a
//! package at a time (`cargo tree -p`), because workspace metadata unifies features and would show the
//! server whatever any other package asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::shell::{cargo, read, root};

mod source;
#[cfg(test)]
mod tests;

/// Layers of our packages. A package depends on lower ones alone.
const LAYERS: &[(&str, u8)] = &[
    ("nodoor-wire", 0),
    ("nodoor-view", 0),
    ("nodoor-transparency", 1),
    ("nodoor-e2ee", 2),
    ("nodoor-desk", 2),
    ("nodoor-moderation", 2),
    ("nodoor-client", 3),
    ("nodoor-server", 3),
    ("nodoor-sdk", 4),
    ("nodoor-store-embedded", 4),
    ("nodoor-store-postgres", 4),
    ("nodoor-gateway", 4),
    ("nodoord", 5),
    ("nodoor", 5),
    ("nodoor-web-engine", 5),
    ("nodoor-web-page", 5),
    ("nodoor-web-reader", 5),
    ("nodoor-testkit", 6),
    ("nodoor-coerced", 7),
    ("nodoor-bench", 7),
    ("nodoor-cost", 7),
    ("xtask", 8),
];

/// A heavy thing, how its packages' names begin, and who may open its door.
struct Door {
    thing: &'static str,
    names: &'static [&'static str],
    keepers: &'static [&'static str],
}

const DOORS: &[Door] = &[
    Door {
        thing: "PostgreSQL",
        names: &["tokio-postgres", "postgres-", "sqlx"],
        keepers: &["nodoor-store-postgres"],
    },
    Door {
        thing: "SQLite",
        names: &["rusqlite", "libsqlite3-sys", "sqlite-wasm"],
        keepers: &["nodoor-sdk"],
    },
    Door { thing: "fjall", names: &["fjall", "lsm-tree"], keepers: &["nodoor-store-embedded"] },
    Door { thing: "axum", names: &["axum"], keepers: &["nodoor-gateway", "nodoord", "nodoor"] },
    Door { thing: "MLS", names: MLS, keepers: &["nodoor-e2ee"] },
];

const MLS: &[&str] = &["openmls", "mls-rs", "mls_rs"];
/// What can open a message, or leads to it.
const OPENERS: &[&str] = &["nodoor-e2ee", "nodoor-client", "nodoor-sdk"];
/// The packages that get time, randomness and I/O passed in.
const PURE: &[&str] = &["wire", "transparency", "e2ee", "client", "view"];
/// What a package of [`PURE`] must not ask for: each brings a clock, a generator, a thread or a platform.
const IMPURE: &[&str] = &[
    "getrandom",
    "rand",
    "tokio",
    "async-std",
    "reqwest",
    "chrono",
    "time",
    "instant",
    "web-time",
    "wasm-bindgen",
    "js-sys",
    "web-sys",
    "gloo-timers",
];
const TESTKIT: &str = "nodoor-testkit";

/// A package of this workspace and the packages it names itself.
#[derive(Debug, Clone, Default)]
struct Member {
    name: String,
    /// Its folder, relative to the repository.
    folder: String,
    /// Named under `[dependencies]` or `[build-dependencies]`, for any target.
    needs: BTreeSet<String>,
}

/// What one package is built from: each package's name and those it leads to.
#[derive(Debug, Clone, Default)]
struct Tree {
    edges: BTreeMap<String, BTreeSet<String>>,
}

/// One law: its sentence and everything that breaks it.
struct Finding {
    law: &'static str,
    sentence: &'static str,
    broken: Vec<String>,
}

/// Checks all laws and prints a line for each.
///
/// # Errors
/// A law is broken, or cargo could not be asked.
pub(crate) fn run() -> Result<()> {
    let metadata = read(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let members = members(&serde_json::from_str(&metadata)?)?;
    let mut trees = BTreeMap::new();
    for member in &members {
        let mut ask = cargo();
        ask.args(["tree", "-p", &member.name, "-e", "normal,build", "--all-features"]);
        ask.args(["--target", "all", "--prefix", "depth", "--format", "{p}"]);
        trees.insert(member.name.clone(), Tree::parse(&read(&mut ask)?));
    }
    let findings = [
        Finding {
            law: "layers",
            sentence: "dependencies point strictly downward",
            broken: layers(&members, LAYERS),
        },
        Finding {
            law: "law 1",
            sentence: "nodoord holds no e2ee, client, sdk or MLS library",
            broken: closed_to(&trees, "nodoord", &[OPENERS, MLS].concat()),
        },
        Finding {
            law: "law 2",
            sentence: "desk and moderation do not know each other",
            broken: strangers(&trees, "nodoor-desk", "nodoor-moderation"),
        },
        Finding {
            law: "law 3",
            sentence: "wire to client take clock, randomness and I/O from outside",
            broken: pure(&root(), &members)?,
        },
        Finding {
            law: "law 4",
            sentence: "one door per heavy thing",
            broken: doors(&members, &trees, DOORS),
        },
        Finding {
            law: "law 4",
            sentence: "interfaces do not contain what opens messages",
            broken: ["nodoor-view", "nodoor-web-page"]
                .iter()
                .flat_map(|page| closed_to(&trees, page, &[OPENERS, MLS].concat()))
                .collect(),
        },
        Finding {
            law: "law 5",
            sentence: "testkit is for tests and proof/ alone",
            broken: testkit(&members),
        },
    ];
    let mut broken = 0;
    for Finding { law, sentence, broken: because } in findings {
        let answer = if because.is_empty() { "holds " } else { "BROKEN" };
        println!("{law:<6}  {answer}  {sentence}");
        because.iter().for_each(|line| println!("                {line}"));
        broken += usize::from(!because.is_empty());
    }
    if broken > 0 {
        bail!("{broken} of the laws of dependence are broken");
    }
    Ok(())
}

/// Reads `cargo metadata --no-deps`.
fn members(metadata: &Value) -> Result<Vec<Member>> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let root = PathBuf::from(text(metadata, "workspace_root").context("no workspace root")?);
    let packages = metadata.get("packages").and_then(Value::as_array).context("no packages")?;
    let mut members = Vec::new();
    for package in packages {
        let name = text(package, "name").context("a package without a name")?;
        let manifest = PathBuf::from(text(package, "manifest_path").context("no manifest")?);
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(&root).ok());
        let listed = package.get("dependencies").and_then(Value::as_array);
        let needs = listed
            .into_iter()
            .flatten()
            .filter(|need| need.get("kind").and_then(Value::as_str) != Some("dev"))
            .filter_map(|need| text(need, "name"))
            .collect();
        let folder = folder.unwrap_or(&manifest).to_string_lossy().into_owned();
        members.push(Member { name, folder, needs });
    }
    Ok(members)
}

impl Tree {
    /// Reads `cargo tree --prefix depth --format {p}`: `2bytes v1.12.2 (*)` is two below the package asked for.
    /// A package that was shown before is not unfolded again, so the edges are kept, not the lines.
    fn parse(text: &str) -> Self {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut path: Vec<String> = Vec::new();
        for line in text.lines() {
            let name_at = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
            let (depth, rest) = line.split_at(name_at);
            let (Ok(depth), Some(name)) = (depth.parse(), rest.split_whitespace().next()) else {
                continue;
            };
            path.truncate(depth);
            if let Some(parent) = path.last() {
                edges.entry(parent.clone()).or_default().insert(name.to_owned());
            }
            edges.entry(name.to_owned()).or_default();
            path.push(name.to_owned());
        }
        Self { edges }
    }

    /// Everything `from` leads to, itself left out, with the way there. `stop` ends a way.
    fn reach(&self, from: &str, stop: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<String>> {
        let mut ways = BTreeMap::new();
        let mut open = vec![vec![from.to_owned()]];
        while let Some(way) = open.pop() {
            let next = way.last().and_then(|last| self.edges.get(last));
            for name in next.into_iter().flatten() {
                if name == from || ways.contains_key(name) {
                    continue;
                }
                let mut further = way.clone();
                further.push(name.clone());
                ways.insert(name.clone(), further.clone());
                if !stop(name) {
                    open.push(further);
                }
            }
        }
        ways
    }
}

/// Each dependency of ours on ours leads to a lower layer; every package of ours has one.
fn layers(members: &[Member], layers: &[(&str, u8)]) -> Vec<String> {
    let layer = |name: &str| layers.iter().find(|(n, _)| *n == name).map(|(_, layer)| *layer);
    let mut broken = Vec::new();
    for member in members {
        let Some(own) = layer(&member.name) else {
            broken.push(format!("{} has no layer in xtask/src/graph.rs", member.name));
            continue;
        };
        for need in &member.needs {
            if layer(need).is_some_and(|other| other >= own) {
                broken.push(format!("{} ({own}) needs {need}, which is not below", member.name));
            }
        }
    }
    broken
}

/// What of `banned` (the beginnings of names) `package` is built from.
fn closed_to(trees: &BTreeMap<String, Tree>, package: &str, banned: &[&str]) -> Vec<String> {
    let Some(tree) = trees.get(package) else {
        return vec![format!("{package} is not here: this law was not checked")];
    };
    let reach = tree.reach(package, |_| false);
    if reach.is_empty() && package == "nodoord" {
        return vec![format!("{package} is built from nothing: its tree was not read")];
    }
    reach
        .iter()
        .filter(|(name, _)| banned.iter().any(|start| name.starts_with(start)))
        .map(|(_, way)| way.join(" -> "))
        .collect()
}

/// Neither of two packages is built from the other. Holds while one of them does not exist.
fn strangers(trees: &BTreeMap<String, Tree>, one: &str, other: &str) -> Vec<String> {
    let knows = |from: &str, to: &str| {
        trees.get(from).and_then(|tree| tree.reach(from, |_| false).remove(to))
    };
    [knows(one, other), knows(other, one)].into_iter().flatten().map(|w| w.join(" -> ")).collect()
}

/// No member but the keeper of a door comes to what is behind it, unless through another member of ours.
fn doors(members: &[Member], trees: &BTreeMap<String, Tree>, doors: &[Door]) -> Vec<String> {
    let ours = |name: &str| members.iter().any(|member| member.name == name);
    let mut broken = Vec::new();
    for member in members {
        let Some(tree) = trees.get(&member.name) else {
            broken.push(format!("the tree of {} was not read", member.name));
            continue;
        };
        let reach = tree.reach(&member.name, ours);
        for door in doors.iter().filter(|door| !door.keepers.contains(&member.name.as_str())) {
            let through = reach
                .iter()
                .find(|(name, _)| door.names.iter().any(|start| name.starts_with(start)));
            if let Some((_, way)) = through {
                broken.push(format!("{}: {}", door.thing, way.join(" -> ")));
            }
        }
    }
    broken
}

/// Outside `proof/` nothing is built from the testkit.
fn testkit(members: &[Member]) -> Vec<String> {
    let mut broken = Vec::new();
    for member in members {
        if member.needs.contains(TESTKIT) && !member.folder.starts_with("proof/") {
            broken.push(format!("{} is built from {TESTKIT}", member.name));
        }
    }
    broken
}

/// The sources and the manifests of the packages that get everything passed in.
fn pure(root: &Path, members: &[Member]) -> Result<Vec<String>> {
    let mut broken = impure_needs(members);
    for name in PURE {
        let mut files = Vec::new();
        rust_files(&root.join("crates").join(name).join("src"), &mut files)?;
        if files.is_empty() {
            broken.push(format!("crates/{name}/src has no source: this law was not checked"));
        }
        files.sort();
        for file in files {
            if is_of_tests(&file) {
                continue;
            }
            let text = fs::read_to_string(&file)?;
            let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            let found = source::impurities(&text);
            broken.extend(found.iter().map(|(line, what)| format!("{shown}:{line} {what}")));
        }
    }
    Ok(broken)
}

/// Whether a file is `tests.rs`, which its parent declares for tests alone.
fn is_of_tests(file: &Path) -> bool {
    let Some(folder) = file.parent().filter(|_| file.ends_with("tests.rs")) else { return false };
    let parents = [folder.with_extension("rs"), folder.join("mod.rs"), folder.join("lib.rs")];
    let parent = parents.iter().find_map(|parent| fs::read_to_string(parent).ok());
    parent.is_some_and(|text| source::keeps_tests_apart(&text))
}

/// What the manifests of [`PURE`] ask for and must not.
fn impure_needs(members: &[Member]) -> Vec<String> {
    members
        .iter()
        .filter(|member| PURE.iter().any(|name| member.folder == format!("crates/{name}")))
        .flat_map(|member| {
            let asked = member.needs.iter().filter(|need| IMPURE.contains(&need.as_str()));
            asked.map(|need| format!("{} needs {need}", member.name)).collect::<Vec<_>>()
        })
        .collect()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
