// SPDX-License-Identifier: AGPL-3.0-or-later
//! The web app's folder, read once into memory. `x.br` beside `x` is its compressed form.
//!
//! `run` calls it; `gateway` serves what it found.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use nodoor_gateway::{Asset, WebApp};

/// Reads the folder given, or `web` beside the binary; without either there is a page that says so.
///
/// # Errors
/// A folder that was named cannot be read or has no `index.html`.
pub(crate) fn load(folder: Option<&Path>) -> Result<WebApp> {
    if let Some(folder) = folder {
        let app = read(folder).context("cannot read the web app's folder")?;
        return app.context("the web app's folder has no index.html");
    }
    let beside = std::env::current_exe().ok().and_then(|binary| Some(binary.parent()?.join("web")));
    match beside.as_deref().filter(|folder| folder.is_dir()).map(read) {
        Some(app) => Ok(app?.unwrap_or_else(WebApp::absent)),
        None => Ok(WebApp::absent()),
    }
}

fn read(folder: &Path) -> Result<Option<WebApp>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner)? {
            let path = entry?.path();
            let name = name_in(folder, &path);
            if name.rsplit('/').next().is_some_and(|last| last.starts_with('.')) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(name, fs::read(&path)?);
            }
            ensure!(files.len() + folders.len() < 1000, "more than 1,000 files");
        }
    }
    if !files.contains_key("index.html") {
        return Ok(None);
    }
    let compressed = |name: &str| files.get(&format!("{name}.br")).cloned().map(Into::into);
    let assets =
        files.iter().filter(|(name, _)| !name.ends_with(".br")).map(|(name, bytes)| Asset {
            content_type: content_type(name).into(),
            bytes: bytes.clone().into(),
            brotli: compressed(name),
            path: name.clone(),
        });
    Ok(Some(WebApp::new(assets)))
}

fn name_in(folder: &Path, path: &Path) -> String {
    let inner: PathBuf = path.strip_prefix(folder).unwrap_or(path).to_path_buf();
    let parts = inner.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" | "ftl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
