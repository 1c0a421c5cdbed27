// SPDX-License-Identifier: AGPL-3.0-or-later
//! What an operator has to log: a file of one encoded entry each, `NAME.entry` in the folder `entries` of the data folder.
//!
//! The log takes nothing back, so what may not stand in it is set aside as `NAME.refused`: what is no entry, what the
//! ledger writes itself, and a release that fewer than two builders signed, which every auditor would object to for ever.
//!
//! Spec: `docs/book/ledger.md`, 1. `ledger` calls it.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use nodoor_transparency::{
    ledger::entry::{Entry, Release},
    release::Builders,
};

use crate::WrongUse;

/// Where entries are handed in, and whose releases are logged.
#[derive(Clone)]
pub(crate) struct HandedIn {
    folder: PathBuf,
    builders: Option<Builders>,
}

impl HandedIn {
    /// Of a data folder. `builders` is a file that names them; without one any two that signed are enough.
    ///
    /// # Errors
    /// [`WrongUse`] for a file that names no builders; or it cannot be read.
    pub(crate) fn of(data: &Path, builders: Option<&Path>) -> Result<Self> {
        let text = builders.map(fs::read_to_string).transpose();
        let text = text.context("cannot read the file of builders")?;
        let builders = text.map(|text| Builders::parse(&text)).transpose();
        let builders = builders.map_err(|error| WrongUse(format!("the builders: {error}")))?;
        Ok(Self { folder: data.join("entries"), builders })
    }

    /// The entries, in the order of their files' names, and those files. What may not be logged is set aside.
    pub(crate) fn read(&self) -> (Vec<PathBuf>, Vec<Entry>) {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files
            .map(|file| file.path())
            .filter(|path| path.extension().is_some_and(|end| end == "entry"))
            .collect();
        paths.sort();
        let mut entries = Vec::new();
        paths.retain(|path| match self.entry(path) {
            Ok(entry) => {
                entries.push(entry);
                true
            }
            Err(why) => {
                tracing::error!(why, "a file in the folder `entries` is set aside");
                drop(fs::rename(path, path.with_extension("refused")));
                false
            }
        });
        (paths, entries)
    }

    fn entry(&self, path: &Path) -> Result<Entry, &'static str> {
        let bytes = fs::read(path).map_err(|_| "it cannot be read")?;
        match Entry::decode(&bytes).map_err(|_| "it is no entry")? {
            Entry::Epoch(_) | Entry::Disclosure(_) => Err("the ledger alone writes such an entry"),
            Entry::Release(release) if !self.is_signed(&release) => {
                Err("fewer than two builders signed the release")
            }
            entry => Ok(entry),
        }
    }

    fn is_signed(&self, release: &Release) -> bool {
        let anybody = || {
            let keys: BTreeSet<[u8; 32]> = release.signatures.iter().map(|one| one.key).collect();
            let mut text = String::new();
            for key in keys {
                let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
                let _ = writeln!(text, "builder {hex} {hex}");
            }
            Builders::parse(&text).unwrap_or_default()
        };
        let builders = self.builders.clone().unwrap_or_else(anybody);
        builders.signed(release).is_ok()
    }
}
