// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoord check`: opens the data folder as `run` would, and prints what is there in counts.

use std::path::Path;

use anyhow::{Context as _, Result};

use nodoor_store_embedded::Folder;

use crate::WrongUse;

/// Opens and counts. The folder must exist: a check makes nothing.
///
/// # Errors
/// There is no such folder, another process holds it, or its format is not ours.
pub(crate) fn check(data: &Path) -> Result<()> {
    if !data.is_dir() {
        return Err(WrongUse("there is no such data folder; --data DIR names it".into()).into());
    }
    let folder = Folder::open(data).context("cannot open the data folder")?;
    println!("{:>10}  what", "count");
    for (what, count) in folder.counts().context("the data folder cannot be read to its end")? {
        println!("{count:>10}  {what}");
    }
    Ok(())
}
