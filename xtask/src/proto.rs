// SPDX-License-Identifier: AGPL-3.0-or-later
//! The generated half of `wire`: written again, or compared with what is checked in.

use std::{fs, path::Path};

use anyhow::{Result, bail};

use crate::shell::{cargo, command, root, run};

/// Writes `crates/wire/src/proto.rs`.
pub(crate) fn write() -> Result<()> {
    generate(&root().join(CHECKED_IN))
}

/// Fails if the checked-in file is not what the `.proto` file makes.
pub(crate) fn check() -> Result<()> {
    let fresh = root().join("target/proto.rs");
    generate(&fresh)?;
    if fs::read(&fresh)? != fs::read(root().join(CHECKED_IN))? {
        bail!("{CHECKED_IN} is not what nodoor.proto makes; `cargo xtask proto` writes it again");
    }
    Ok(())
}

fn generate(out: &Path) -> Result<()> {
    fs::create_dir_all(root().join("target"))?;
    let manifest = root().join("xtask/proto/Cargo.toml");
    let mut tool = cargo();
    tool.args(["run", "--locked", "--quiet", "--manifest-path"]).arg(manifest).arg("--").arg(out);
    run(tool.env("CARGO_TARGET_DIR", root().join("target/tools")))?;
    // As the rest of the tree is written, or the check of the format would fail over it.
    run(command("rustfmt").args(["--edition", "2024", "--config-path"]).arg(root()).arg(out))
}

const CHECKED_IN: &str = "crates/wire/src/proto.rs";
