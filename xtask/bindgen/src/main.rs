// SPDX-License-Identifier: AGPL-3.0-or-later
//! The two things `cargo xtask web` needs heavy crates for, apart from the workspace so that `cargo xtask`
//! answers in seconds and no lock file of ours names them.
//!
//! - `bindgen IN.wasm OUT_DIR NAME`: writes `NAME.js`, `NAME_bg.wasm` and snippets for a module (`import`).
//! - `list DIR`: prints one line a file: SHA-256 (hex), path; tab-separated, in path order.
//! - `manifest DIR`: prints what the web app is made of, as WAICT writes it (waict-integrity, *Manifest Structure*): one
//!   line of JSON, keys in order, hashes in base64url without padding.
//! - `pack DIR`: writes `FILE.br` beside every file of the finished web app and prints one line a file:
//!   size, compressed size, path.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["bindgen", input, out, name] => bindgen(Path::new(input), Path::new(out), name),
        ["list", folder] => list(Path::new(folder)),
        ["manifest", folder] => manifest(Path::new(folder)),
        ["pack", folder] => pack(Path::new(folder), 11),
        ["pack", "--quick", folder] => pack(Path::new(folder), 4),
        _ => bail!(
            "usage: nodoor-bindgen bindgen IN.wasm OUT_DIR NAME | list DIR | manifest DIR | pack [--quick] DIR"
        ),
    }
}

fn bindgen(input: &Path, out: &Path, name: &str) -> Result<()> {
    Bindgen::new()
        .input_path(input)
        .out_name(name)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out)
        .with_context(|| format!("wasm-bindgen on {}", input.display()))
}

fn list(folder: &Path) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for file in files(folder)? {
        let hash = Sha256::digest(fs::read(&file)?);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "{hash}\t{}", file.strip_prefix(folder)?.display())?;
    }
    Ok(())
}

fn manifest(folder: &Path) -> Result<()> {
    let (mut hashes, mut modules) = (BTreeMap::new(), BTreeSet::new());
    for file in files(folder)? {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(fs::read(&file)?));
        let path = format!("/{}", file.strip_prefix(folder)?.display());
        if path.ends_with(".wasm") {
            modules.insert(hash.clone());
        }
        if path == "/index.html" {
            hashes.insert("/".to_owned(), hash.clone());
        }
        hashes.insert(path, hash);
    }
    let manifest = serde_json::json!({ "hashes": hashes, "wasm_hashes": modules });
    print!("{manifest}");
    Ok(())
}

fn pack(folder: &Path, quality: u32) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for file in files(folder)? {
        let bytes = fs::read(&file)?;
        let packed = compress(&bytes, quality)?;
        fs::write(PathBuf::from(format!("{}.br", file.display())), &packed)?;
        let path = file.strip_prefix(folder)?.display();
        writeln!(out, "{}\t{}\t{path}", bytes.len(), packed.len())?;
    }
    Ok(())
}

/// All files, in path order; compressed forms are not files of their own.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|extension| extension != "br") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn compress(bytes: &[u8], quality: u32) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    // 22 bits of window: what every browser must accept.
    let mut writer = brotli::CompressorWriter::new(&mut packed, 64 * 1024, quality, 22);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(packed)
}
