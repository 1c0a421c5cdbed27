// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoord check`: opens the data folder as `run` would, and prints what is there in counts.

use std::path::Path;

use anyhow::{Context as _, Result};
use nodoor_server::{
    ledger::LedgerError,
    storage::ledger::{LedgerStorage as _, Log as _},
};
use nodoor_store_embedded::{Folder, LedgerFolder};
use tokio::runtime::Builder;

use crate::WrongUse;

/// Opens and counts. The folder must exist: a check makes nothing.
///
/// # Errors
/// There is no such folder, another process holds it, or its format is not ours.
pub(crate) fn check(data: &Path) -> Result<()> {
    if !data.is_dir() {
        let hint = format!("there is no data folder {}; --data DIR names it", data.display());
        return Err(WrongUse(hint).into());
    }
    let folder = Folder::open(data)
        .with_context(|| format!("cannot open the data folder {}", data.display()))?;
    let mut counts = folder.counts().context("the data folder cannot be read to its end")?;
    // A folder that never had a ledger is not given one here.
    if data.join("ledger").is_dir() {
        let ledger = LedgerFolder::open(data).context("cannot open the ledger's folder")?;
        counts.extend(ledger.counts().context("the ledger cannot be read to its end")?);
        let runtime = Builder::new_current_thread().build()?;
        let sizes = async { anyhow::Ok((ledger.size().await?, ledger.promised().await?)) };
        let (size, promised) = runtime.block_on(sizes)?;
        if size < promised {
            return Err(LedgerError::Behind { size, promised }.into());
        }
    }
    println!("{:>10}  what", "count");
    for (what, count) in counts {
        println!("{count:>10}  {what}");
    }
    Ok(())
}
