// SPDX-License-Identifier: AGPL-3.0-or-later
//! `cargo xtask release`: the web app and both binaries into `target/dist`, the same bytes wherever they are built.
//!
//! What could vary is pinned ([`Pins`]): folders are renamed in what the compilers write, the time is that of the commit,
//! no build id is made, lock files are obeyed. The commit is what is named, so nothing uncommitted is built. Then come the
//! hashes, and one unsigned `RELEASE` entry for each kind, which builders sign with `nodoor release sign` and the operator
//! puts into the folder `entries`.
//!
//! `--check` builds twice, in two clones in two folders, and compares every byte.
//!
//! Spec: `docs/book/ledger.md`, 1, *Releases*. It knows no key and no format: `nodoor release write` does.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    machine::{self, Need},
    shell::{cargo, command, read, root, run, step},
    web,
};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Build twice and compare; nothing is kept.
    check: bool,
    /// No cool-down; everybody sees that.
    emergency: bool,
    /// From the commit's time to when the builds may be installed, hours.
    wait_hours: u64,
}

impl Options {
    /// Reads the words after `release`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { check: false, emergency: false, wait_hours: WAIT_HOURS };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--check" => options.check = true,
                "--emergency" => options.emergency = true,
                "--wait-hours" => {
                    let hours = words.next().context("--wait-hours needs a number")?;
                    options.wait_hours = hours.parse().context("--wait-hours needs a number")?;
                }
                word => bail!("no such option: {word}"),
            }
        }
        Ok(options)
    }
}

/// Does it.
pub(crate) fn release(options: &Options) -> Result<()> {
    if options.check { check() } else { make(options) }
}

/// The commit that is built, and what is made the same everywhere.
#[derive(Debug)]
pub(crate) struct Pins {
    commit: String,
    sequence: u64,
    time_seconds: u64,
    folders: Vec<(PathBuf, &'static str)>,
}

impl Pins {
    fn of_head() -> Result<Self> {
        let git = |words: &[&str]| read(command("git").args(words));
        let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
        ensure!(changed.is_empty(), "there are uncommitted changes; a release is a commit");
        let shallow = git(&["rev-parse", "--is-shallow-repository"])?;
        ensure!(shallow.trim() == "false", "a shallow clone does not know its number");
        // Before the folder of downloaded sources is looked for: on a new machine there is none yet.
        run(cargo().args(["fetch", "--locked", "--quiet"]))?;
        Ok(Self {
            commit: git(&["rev-parse", "HEAD"])?.trim().to_owned(),
            sequence: git(&["rev-list", "--count", "HEAD"])?.trim().parse()?,
            time_seconds: git(&["log", "-1", "--format=%ct"])?.trim().parse()?,
            folders: folders(&root())?,
        })
    }

    /// Pins a cargo call. With flags beside those of `.cargo/config.toml`, which the environment would replace.
    pub(crate) fn apply(&self, cargo: &mut Command) {
        let renamed = |flag: &str| -> Vec<String> {
            let to = |(from, to): &(PathBuf, &str)| format!("{flag}={}={to}", from.display());
            self.folders.iter().map(to).collect()
        };
        let quoted = |flag: String| format!("'{flag}'");
        let flags: Vec<String> = renamed("--remap-path-prefix").into_iter().map(quoted).collect();
        cargo.args(["--locked", "--config"]);
        cargo.arg(format!("target.'cfg(all())'.rustflags=[{}]", flags.join(",")));
        // One for the machine's own code alone: the other linker knows no `-Wl`, and writes no build id.
        cargo.arg("--config");
        cargo.arg(
            "target.'cfg(target_os = \"linux\")'.rustflags=['-Clink-arg=-Wl,--build-id=none']",
        );
        cargo.env("CFLAGS", renamed("-ffile-prefix-map").join(" "));
        cargo.env("SOURCE_DATE_EPOCH", self.time_seconds.to_string());
        cargo.env("ZERO_AR_DATE", "1").env("CARGO_INCREMENTAL", "0");
        cargo.env("NODOOR_RELEASE", self.sequence.to_string());
        // These would replace what is pinned here.
        for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
            cargo.env_remove(flags);
        }
        cargo.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    }
}

/// Folders of this machine, and what they are called in every build; of two that match, the later one counts.
fn folders(root: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let home = home.context("neither CARGO_HOME nor HOME is set")?;
    let sysroot = PathBuf::from(read(command("rustc").args(["--print", "sysroot"]))?.trim());
    let mut folders = vec![(home.clone(), "/cargo")];
    // Named by where the sources were downloaded from, which is nothing of ours.
    for source in fs::read_dir(home.join("registry/src")).into_iter().flatten() {
        folders.push((source?.path(), "/crates"));
    }
    folders.push((sysroot, "/rust"));
    folders.push((root.to_path_buf(), "/nodoor"));
    for (folder, _) in &folders {
        let text = folder.to_str().context("a folder's name is not UTF-8")?;
        ensure!(!text.contains(['\'', ' ', '=']), "{text}: no space, quote or = may be in it");
    }
    Ok(folders)
}

fn make(options: &Options) -> Result<()> {
    machine::provide(&[Need::Native, Need::Wasm])?;
    let pins = Pins::of_head()?;
    let app = web::build_with(web::Kind::Full, Some(&pins))?;
    step("server and terminal client", || {
        let mut cargo = cargo();
        cargo.args(["build", "--release", "--package", "nodoord", "--package", "nodoor"]);
        pins.apply(&mut cargo);
        run(&mut cargo)
    })?;
    let dist = dist();
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    web::copy_folder(&app, &dist.join("web"))?;
    for binary in BINARIES {
        fs::copy(root().join("target/release").join(binary), dist.join(binary))?;
    }
    fs::write(dist.join("toolchain.txt"), toolchain()?)?;
    let sums = sums(&dist)?;
    entries(options, &pins, &dist)?;
    fs::write(dist.join("SHA256SUMS"), &sums)?;
    print!("\n{sums}");
    println!(
        "\ncommit {}, number {}; all of it is in {}",
        pins.commit,
        pins.sequence,
        dist.display()
    );
    println!("Builders who got the same: nodoor release sign FILE.entry --key KEY");
    Ok(())
}

/// The unsigned entries, one of each kind, written by the client that was just built.
fn entries(options: &Options, pins: &Pins, dist: &Path) -> Result<()> {
    let wait = if options.emergency { 0 } else { options.wait_hours * 3600 };
    let not_before_ms = (pins.time_seconds + wait) * 1000;
    for (kind, files) in [("terminal", "nodoor"), ("server", "nodoord"), ("web", "web")] {
        let mut write = command(dist.join("nodoor"));
        write.args(["release", "write", "--kind", kind, "--commit", &pins.commit]);
        write.args(["--sequence", &pins.sequence.to_string()]);
        write.args(["--not-before", &not_before_ms.to_string()]);
        write.arg("--toolchain").arg(dist.join("toolchain.txt"));
        write.arg("--out").arg(dist.join(format!("{kind}.entry")));
        if kind == "web" {
            write.arg("--manifest").arg(dist.join("web").join(web::MANIFEST));
        }
        if options.emergency {
            write.arg("--emergency");
        }
        run(write.arg(dist.join(files)))?;
    }
    Ok(())
}

/// What was built with, in words; its hash is in every entry.
fn toolchain() -> Result<String> {
    let mut text = String::new();
    let web = if machine::wasm_by_debian() { "/usr/bin/rustc" } else { "rustc" };
    for (program, word) in
        [("rustc", "-vV"), (web, "-vV"), ("cc", "--version"), ("clang-19", "--version")]
    {
        let said = read(command(program).arg(word))?;
        // Where it is installed says nothing of what it makes.
        for line in said.lines().filter(|line| !line.starts_with("InstalledDir")) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    Ok(text)
}

/// SHA-256 of every file, as `sha256sum` prints it.
fn sums(folder: &Path) -> Result<String> {
    let list = read(command(web::tool()?).arg("list").arg(folder))?;
    Ok(list.lines().map(|line| format!("{}\n", line.replacen('\t', "  ", 1))).collect())
}

fn check() -> Result<()> {
    let work = env::temp_dir().join(format!("nodoor-release-{}", std::process::id()));
    let compared = twice(&work);
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    compared
}

fn twice(work: &Path) -> Result<()> {
    let mut builds = Vec::new();
    // Of different lengths, and deep: a path that is left somewhere shows.
    let names = ["one", "another/and/deeper"];
    let clone = |name: &str| work.join(name).join("nodoor");
    let commit = read(command("git").args(["rev-parse", "HEAD"]))?;
    for name in names {
        run(command("git").args(["clone", "--quiet"]).arg(root()).arg(clone(name)))?;
        let reset = ["reset", "--quiet", "--hard", commit.trim()];
        run(command("git").args(reset).current_dir(clone(name)))?;
    }
    for name in names {
        let clone = clone(name);
        step(&format!("a clean clone, {name}"), || {
            let mut release = cargo();
            release.args(["xtask", "release"]).current_dir(&clone).env_remove("CARGO_TARGET_DIR");
            run(&mut release)?;
            let mut files = BTreeMap::new();
            let dist = clone.join("target/dist");
            web::gather(&dist, &mut files)?;
            let files: BTreeMap<PathBuf, Vec<u8>> = files
                .into_iter()
                .filter_map(|(path, bytes)| Some((path.strip_prefix(&dist).ok()?.into(), bytes)))
                .collect();
            builds.push(files);
            Ok(fs::remove_dir_all(work.join(name))?)
        })?;
    }
    let [one, other] = builds.as_slice() else { bail!("a build is missing") };
    let mut differ: Vec<String> = Vec::new();
    for path in one.keys().chain(other.keys().filter(|path| !one.contains_key(*path))) {
        if one.get(path) != other.get(path) {
            differ.push(path.display().to_string());
        }
    }
    ensure!(differ.is_empty(), "these files differ: {}", differ.join(", "));
    println!("{} files, and every byte of them is the same in both folders", one.len());
    Ok(())
}

/// Where everything lies in the end.
fn dist() -> PathBuf {
    root().join("target/dist")
}

const BINARIES: [&str; 2] = ["nodoor", "nodoord"];

/// A day of cool-down counts from the log entry; two more are for builders to build and sign.
const WAIT_HOURS: u64 = 72;

#[cfg(test)]
mod tests {
    use super::*;

    /// A package whose code holds the path of a generated file, and its own build's time if that is not pinned.
    fn package(folder: &Path) {
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = "[package]\nname = \"place\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                        [workspace]\n[profile.release]\nstrip = \"symbols\"\n";
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::write(
            folder.join("build.rs"),
            "fn main() { let out = std::env::var(\"OUT_DIR\").unwrap(); std::fs::write(format!(\"{out}/place.rs\"), \
             \"pub fn place() -> &'static str { std::panic::Location::caller().file() }\").unwrap(); }",
        )
        .unwrap();
        fs::write(
            folder.join("src/main.rs"),
            "include!(concat!(env!(\"OUT_DIR\"), \"/place.rs\"));\nfn main() { println!(\"{}\", place()); }",
        )
        .unwrap();
    }

    fn built(folder: &Path, pinned: bool) -> Vec<u8> {
        package(folder);
        let mut build = cargo();
        build.args(["build", "--release", "--quiet", "--offline"]).current_dir(folder);
        build.env_remove("CARGO_TARGET_DIR");
        if pinned {
            run(cargo().args(["generate-lockfile", "--offline", "--quiet"]).current_dir(folder))
                .unwrap();
            let pins = Pins {
                commit: String::new(),
                sequence: 1,
                time_seconds: 1_795_000_000,
                folders: folders(folder).unwrap(),
            };
            pins.apply(&mut build);
        }
        run(&mut build).unwrap();
        fs::read(folder.join("target/release/place")).unwrap()
    }

    #[test]
    fn a_build_does_not_tell_where_it_was_made() {
        let work = env::temp_dir().join(format!("nodoor-pins-{}", std::process::id()));
        let build = |name: &str, pinned| built(&work.join(name), pinned);
        // The attack first: without the pins whoever compares hashes compares folders.
        assert_ne!(build("a", false), build("b/c", false));
        let (one, other) = (build("d", true), build("e/f", true));
        assert_eq!(one, other);
        let place = work.to_str().unwrap().as_bytes();
        assert!(!one.windows(place.len()).any(|part| part == place));
        fs::remove_dir_all(&work).unwrap();
    }

    #[test]
    fn options_are_read_and_others_refused() {
        let plain = Options { check: false, emergency: false, wait_hours: WAIT_HOURS };
        assert_eq!(Options::parse(&[]).unwrap(), plain);
        let asked = Options::parse(&["--emergency", "--wait-hours", "30"]).unwrap();
        assert_eq!(asked, Options { emergency: true, wait_hours: 30, ..plain.clone() });
        assert_eq!(Options::parse(&["--check"]).unwrap(), Options { check: true, ..plain });
        for wrong in [["--wait-hours"].as_slice(), &["--wait-hours", "x"], &["--chek"]] {
            assert!(Options::parse(wrong).is_err());
        }
    }
}
