// SPDX-License-Identifier: AGPL-3.0-or-later
//! The web app, from sources to the folder `target/web` that `nodoord --web` serves.
//!
//! One cargo call builds all modules (so that std and what they share is compiled once), `xtask/bindgen`
//! makes them loadable, and every file gets its brotli form beside it. What `apps/web/README.md` promises to page
//! and service worker is made here. There is no wasm-opt: it made the modules 5 % smaller and their compressed
//! form, which is what travels, not at all (945,724 bytes against 946,367), for a minute of work.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    machine::{self, Need, WASM},
    release::Pins,
    shell::{cargo, command, read, root, run, step},
};

/// How the web app is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// As people get it: small.
    Full,
    /// For working on it: builds faster, is larger.
    Quick,
}

impl Kind {
    fn profile(self) -> &'static str {
        match self {
            Self::Full => "wasm",
            Self::Quick => "web-dev",
        }
    }
}

/// Builds what changed and returns the folder to serve.
pub(crate) fn build(kind: Kind) -> Result<PathBuf> {
    build_with(kind, None)
}

/// As [`build`]; with `pins` the same bytes in any folder.
pub(crate) fn build_with(kind: Kind, pins: Option<&Pins>) -> Result<PathBuf> {
    machine::provide(&[Need::Wasm])?;
    let tool = tool()?;
    let compiled = step("web: compile the modules", || compile(kind, pins))?;
    let served = root().join("target/web");
    let stamp = root().join("target/web.stamp");
    let now = fingerprint(kind, &compiled, &tool)?;
    if served.join("index.html").exists()
        && fs::read_to_string(&stamp).is_ok_and(|before| before == now)
    {
        return Ok(served);
    }
    // Made beside the old one and moved, so that no half of it is ever served.
    let fresh = root().join("target/web.fresh");
    let weights = assemble(kind, &tool, &compiled, &fresh)?;
    print_table(kind, &weights);
    if kind == Kind::Full {
        within_ceiling(&weights)?;
    }
    if served.exists() {
        fs::remove_dir_all(&served)?;
    }
    fs::rename(&fresh, &served)?;
    fs::write(&stamp, now)?;
    Ok(served)
}

/// Puts the finished web app into a folder, from modules that are compiled.
fn assemble(
    kind: Kind,
    tool: &Path,
    compiled: &[(&str, PathBuf)],
    fresh: &Path,
) -> Result<Vec<Weight>> {
    if fresh.exists() {
        fs::remove_dir_all(fresh)?;
    }
    fs::create_dir_all(fresh)?;
    copy_folder(&root().join("apps/web/static"), fresh)?;
    for (name, wasm) in compiled {
        step(&format!("web: make {name} loadable"), || {
            run(command(tool).arg("bindgen").arg(wasm).arg(fresh).arg(name))
        })?;
    }
    list_for_service_worker(tool, fresh)?;
    let manifest = read(command(tool).arg("manifest").arg(fresh))?;
    fs::write(fresh.join(MANIFEST), manifest)?;
    step("web: compress", || pack(kind, tool, fresh))
}

/// Makes the finished web app a second time, in another folder, from the modules that lie there: a test that nothing but
/// what goes in decides what comes out.
pub(crate) fn assembles_alike(kind: Kind) -> Result<()> {
    let compiled = modules(kind);
    let second = std::env::temp_dir().join(format!("nodoor-web-{}", std::process::id()));
    assemble(kind, &tool()?, &compiled, &second)?;
    let (mut one, mut other) = (BTreeMap::new(), BTreeMap::new());
    gather(&root().join("target/web"), &mut one)?;
    gather(&second, &mut other)?;
    fs::remove_dir_all(&second)?;
    let alike = one.len() == other.len()
        && one.iter().zip(&other).all(|((at, bytes), (then_at, then_bytes))| {
            at.strip_prefix(root().join("target/web")).ok() == then_at.strip_prefix(&second).ok()
                && bytes == then_bytes
        });
    if !alike {
        bail!("the web app comes out differently in another folder");
    }
    Ok(())
}

/// The page alone on a fake engine (its feature `parts`), for the tests of looks; the folder to serve. In the profile of the
/// real one, whose dependencies are built already.
pub(crate) fn parts() -> Result<PathBuf> {
    let mut cargo = cargo_for_wasm();
    cargo.args(["build", "--target", WASM, "--profile", Kind::Full.profile()]);
    cargo.args(["--package", "nodoor-web-reader"]);
    run(cargo.args(["--package", "nodoor-web-page", "--features", "nodoor-web-page/parts"]))?;
    let folder = root().join("target/web-parts");
    copy_folder(&root().join("apps/web/static"), &folder)?;
    let tool = tool()?;
    for (name, package) in [("page", "nodoor-web-page"), ("reader", "nodoor-web-reader")] {
        let wasm = compiled(Kind::Full, package);
        run(command(&tool).arg("bindgen").arg(wasm).arg(&folder).arg(name))?;
    }
    Ok(folder)
}

/// `proof/cost` for the browser, as the engine is built; the folder to serve.
pub(crate) fn cost() -> Result<PathBuf> {
    let mut cargo = cargo_for_wasm();
    cargo.args(["build", "--target", WASM, "--profile", Kind::Full.profile()]);
    run(cargo.args(["--package", "nodoor-cost", "--lib"]))?;
    let folder = root().join("target/web-cost");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("index.html"), "<!doctype html><title>cost</title>")?;
    run(command(tool()?)
        .arg("bindgen")
        .arg(compiled(Kind::Full, "nodoor-cost"))
        .arg(&folder)
        .arg("cost"))?;
    Ok(folder)
}

/// Cargo as it builds for the browser; which C compiler it takes stands in `.cargo/config.toml`.
pub(crate) fn cargo_for_wasm() -> Command {
    let mut cargo = cargo();
    if machine::wasm_by_debian() {
        // Debian's own compiler builds std for the target from its source package.
        cargo
            .env("RUSTC", "/usr/bin/rustc")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
    }
    cargo
}

/// `xtask/bindgen`, built.
pub(crate) fn tool() -> Result<PathBuf> {
    let target = root().join("target/tools");
    let manifest = root().join("xtask/bindgen/Cargo.toml");
    step("web: the tool that makes wasm loadable", || {
        run(cargo()
            .args(["build", "--locked", "--quiet", "--manifest-path"])
            .arg(manifest)
            .env("CARGO_TARGET_DIR", &target))
    })?;
    Ok(target.join("debug/nodoor-bindgen"))
}

fn compile(kind: Kind, pins: Option<&Pins>) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut cargo = cargo_for_wasm();
    cargo.args(["build", "--target", WASM, "--profile", kind.profile()]);
    if let Some(pins) = pins {
        pins.apply(&mut cargo);
    }
    for package in PACKAGES {
        cargo.args(["--package", package.1]);
    }
    run(&mut cargo)?;
    Ok(modules(kind))
}

fn modules(kind: Kind) -> Vec<(&'static str, PathBuf)> {
    PACKAGES.iter().map(|(name, package)| (*name, compiled(kind, package))).collect()
}

/// Where cargo puts a module.
fn compiled(kind: Kind, package: &str) -> PathBuf {
    let file = format!("{}.wasm", package.replace('-', "_"));
    root().join("target").join(WASM).join(kind.profile()).join(file)
}

fn list_for_service_worker(tool: &Path, folder: &Path) -> Result<()> {
    let path = folder.join("sw.js");
    let Ok(script) = fs::read_to_string(&path) else {
        println!("   no sw.js: the web app will not work offline");
        return Ok(());
    };
    if !script.contains(FILES) {
        bail!("sw.js holds no line `{FILES}`");
    }
    fs::remove_file(&path)?;
    let mut files = Vec::new();
    for line in read(command(tool).arg("list").arg(folder))?.lines() {
        let (hash, file) = line.split_once('\t').context("the tool wrote a short line")?;
        files.push(format!("\"/{file}\":\"{hash}\""));
    }
    let list = format!("const FILES = {{{}}};", files.join(","));
    let later = LATER.map(|file| format!("\"/{file}\"")).join(",");
    let later = format!("const LATER = [{later}];");
    if !script.contains(NOTHING_LATER) {
        bail!("sw.js holds no line `{NOTHING_LATER}`");
    }
    fs::write(&path, script.replace(FILES, &list).replace(NOTHING_LATER, &later))?;
    Ok(())
}

struct Weight {
    path: String,
    raw: u64,
    brotli: u64,
}

fn pack(kind: Kind, tool: &Path, folder: &Path) -> Result<Vec<Weight>> {
    let mut pack = command(tool);
    pack.arg("pack");
    if kind == Kind::Quick {
        pack.arg("--quick");
    }
    read(pack.arg(folder))?.lines().map(weight).collect()
}

fn weight(line: &str) -> Result<Weight> {
    let mut fields = line.splitn(3, '\t');
    let mut field = || fields.next().context("the tool wrote a short line");
    Ok(Weight { raw: field()?.parse()?, brotli: field()?.parse()?, path: field()?.to_owned() })
}

fn print_table(kind: Kind, weights: &[Weight]) {
    println!("\n{:>12} {:>12}  file", "bytes", "brotli");
    for weight in weights {
        println!("{:>12} {:>12}  {}", weight.raw, weight.brotli, weight.path);
    }
    let raw: u64 = weights.iter().map(|weight| weight.raw).sum();
    let all: u64 = weights.iter().map(|weight| weight.brotli).sum();
    println!("{raw:>12} {all:>12}  all");
    let first = first_download(weights);
    let share = first * 100 / CEILING;
    println!("{first:>25}  the first download: {share} % of the {CEILING} bytes allowed");
    if kind == Kind::Quick {
        println!("(a quick build: larger than what people get)");
    }
    println!();
}

/// Bytes that come before anything is used, compressed.
fn first_download(weights: &[Weight]) -> u64 {
    let first = weights.iter().filter(|weight| !LATER.contains(&weight.path.as_str()));
    first.map(|weight| weight.brotli).sum()
}

/// What people get may not grow past what was promised: a build that does fails, here and in CI.
fn within_ceiling(weights: &[Weight]) -> Result<()> {
    let first = first_download(weights);
    ensure!(
        first <= CEILING,
        "the web app's first download weighs {first} bytes compressed; {CEILING} are allowed"
    );
    Ok(())
}

/// What the finished folder depends on. Reading it all costs less than one needless packing.
fn fingerprint(kind: Kind, compiled: &[(&str, PathBuf)], tool: &Path) -> Result<String> {
    let mut files = BTreeMap::new();
    gather(&root().join("apps/web/static"), &mut files)?;
    for path in compiled.iter().map(|(_, path)| path.as_path()).chain([tool]) {
        files.insert(path.to_path_buf(), fs::read(path)?);
    }
    let mut hasher = DefaultHasher::new();
    (kind, files).hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

pub(crate) fn gather(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else {
            files.insert(path.clone(), fs::read(&path)?);
        }
    }
    Ok(())
}

pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let mut files = BTreeMap::new();
    gather(from, &mut files)?;
    for (path, bytes) in files {
        let target = to.join(path.strip_prefix(from)?);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(target, bytes)?;
    }
    Ok(())
}

/// File name in the web app, and the package it is made from.
const PACKAGES: [(&str, &str); 3] =
    [("engine", "nodoor-web-engine"), ("page", "nodoor-web-page"), ("reader", "nodoor-web-reader")];

/// The place in `sw.js` where the list of files goes.
const FILES: &str = "const FILES = {};";

/// What the web app is made of, as it is logged; it lies beside the files that it names.
pub(crate) const MANIFEST: &str = "integrity.json";

/// What comes when it is first used: the reader of codes in pictures; the picture of an app that is installed; the licences.
const LATER: [&str; 4] = ["reader.js", "reader_bg.wasm", "icon-512.png", "licences.txt"];

/// The place in `sw.js` where the list of those goes.
const NOTHING_LATER: &str = "const LATER = [];";

/// 1.7 MB, all files of the first download compressed (decision 0016).
const CEILING: u64 = 1_700_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_app_over_the_ceiling_is_none() {
        let file = |brotli| Weight { path: "page.js".to_owned(), raw: 2 * brotli, brotli };
        assert!(within_ceiling(&[file(CEILING - 1), file(1)]).is_ok());
        assert!(within_ceiling(&[file(CEILING), file(1)]).is_err());
        let later = Weight { path: LATER[0].to_owned(), raw: 1, brotli: 1 };
        assert!(within_ceiling(&[file(CEILING), later]).is_ok());
    }
}
