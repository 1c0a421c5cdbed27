// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a machine needs beyond Rust and `build-essential`, and getting it.
//!
//! As root on Debian missing packages are installed; otherwise one line says what to type. Nothing is
//! downloaded from anywhere but the system's packages, rustup and cargo's registry.

use std::{fs, path::Path, process};

use anyhow::{Context as _, Result};

use crate::shell::{command, on_path, read, root, run};

/// What a task needs. Each includes nothing of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Native builds: SQLCipher's libcrypto.
    Native,
    /// Wasm builds: a C compiler with a wasm32 back end, for SQLite.
    Wasm,
    /// Browser tests: Chromium, Node.js and fonts for the scripts of the screenshots.
    Browser,
}

/// Installs what is missing, or exits 2 with the line that would.
pub(crate) fn provide(needs: &[Need]) -> Result<()> {
    let mut packages = Vec::new();
    for need in needs {
        packages.extend(missing(*need));
    }
    if !packages.is_empty() {
        install(&packages)?;
    }
    if needs.contains(&Need::Wasm) {
        provide_wasm_rust()?;
    }
    Ok(())
}

fn missing(need: Need) -> Vec<&'static str> {
    let wanted: &[(&str, bool)] = match need {
        Need::Native => &[
            ("build-essential", on_path("cc")),
            ("pkg-config", on_path("pkg-config")),
            ("libssl-dev", Path::new("/usr/include/openssl/crypto.h").exists()),
        ],
        Need::Wasm => &[
            ("build-essential", on_path("cc")),
            ("clang-19", on_path("clang-19")),
            ("llvm-19", on_path("llvm-ar-19")),
        ],
        Need::Browser => &[
            ("chromium", on_path("chromium")),
            ("nodejs", on_path("node")),
            ("npm", on_path("npm")),
            ("fonts-noto-core", Path::new("/usr/share/fonts/truetype/noto").exists()),
            (
                "fonts-noto-color-emoji",
                Path::new("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf").exists(),
            ),
        ],
    };
    wanted.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect()
}

fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if !is_root() || !on_path("apt-get") {
        eprintln!("Missing here. On Debian this brings it:\n");
        eprintln!("    sudo apt-get install -y --no-install-recommends {list}\n");
        process::exit(2);
    }
    println!("Installing {list}");
    let apt = |words: &[&str]| {
        run(command("apt-get").args(words).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let words = [&["install", "-y", "-q", "--no-install-recommends"], packages].concat();
    // The list of packages may be missing or old: then once more with a new one.
    if apt(&words).is_err() {
        apt(&["update", "-q"])?;
        apt(&words).with_context(|| format!("installing {list}"))?;
    }
    Ok(())
}

fn is_root() -> bool {
    read(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Whether Rust's own toolchain has the browsers' target, after an attempt to add it.
fn has_wasm_target() -> Result<bool> {
    let sysroot = read(command("rustc").args(["--print", "sysroot"]))?;
    let there = Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).exists();
    if there || !on_path("rustup") {
        return Ok(there);
    }
    println!("Adding Rust's target {WASM}");
    Ok(run(command("rustup").args(["target", "add", WASM])).is_ok())
}

/// Where the target cannot be had, Debian's second compiler and its sources of std take its place.
fn provide_wasm_rust() -> Result<()> {
    if wasm_by_debian() {
        return Ok(());
    }
    if !has_wasm_target()? {
        install(&DEBIAN_WASM)?;
        fs::create_dir_all(root().join("target"))?;
        fs::write(root().join(BY_DEBIAN), "")?;
    }
    Ok(())
}

/// Whether wasm is built by Debian's `rustc-web` (see [`provide`]) rather than by the toolchain's own target.
pub(crate) fn wasm_by_debian() -> bool {
    root().join(BY_DEBIAN).exists()
}

/// The browsers' target.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

const DEBIAN_WASM: [&str; 3] = ["rustc-web", "rust-web-src", "lld-19"];

/// Remembers what [`provide`] found out, so that a second build asks nobody.
const BY_DEBIAN: &str = "target/wasm-by-debian";
