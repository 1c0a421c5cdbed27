// SPDX-License-Identifier: AGPL-3.0-or-later
//! Writes the generated half of `wire`. `cargo xtask proto` runs it; the test run fails when the
//! checked-in file is not what it writes.

use std::{error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = std::env::args().nth(1).ok_or("usage: nodoor-proto OUT_FILE")?;
    let proto = root.join("crates/wire/proto");
    let set = protox::compile([proto.join("nodoor.proto")], [&proto])?;
    let folder = std::env::temp_dir().join(format!("nodoor-proto-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    prost_build::Config::new().bytes(["."]).out_dir(&folder).compile_fds(set)?;
    let text = std::fs::read_to_string(folder.join("nodoor.v1.rs"))?;
    std::fs::write(out, format!("// SPDX-License-Identifier: AGPL-3.0-or-later\n{text}"))?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
