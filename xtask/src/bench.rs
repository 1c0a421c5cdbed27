// SPDX-License-Identifier: AGPL-3.0-or-later
//! The speed rows: release builds, one after the other, on whatever machine this is. Never a test.

use anyhow::Result;

use crate::{
    machine::{self, Need},
    shell::{cargo, command, root, run, step},
    web,
};

/// Builds and runs the suite; `more` is handed on to it.
pub(crate) fn bench(more: &[&str]) -> Result<()> {
    machine::provide(&[Need::Native])?;
    step("server and load generator, release", || {
        run(cargo().args(["build", "--release", "-p", "nodoord", "-p", "nodoor-bench"]))
    })?;
    let built = root().join("target/release");
    let mut suite = command(built.join("nodoor-bench"));
    run(suite.args(["suite", "--server-binary"]).arg(built.join("nodoord")).args(more))
}

/// What sealing and opening a message costs, natively and in Chromium.
pub(crate) fn cost() -> Result<()> {
    machine::provide(&[Need::Native, Need::Wasm, Need::Browser])?;
    run(cargo().args(["run", "--release", "--quiet", "-p", "nodoor-cost"]))?;
    let module = step("the same for the browser", web::cost)?;
    run(command("node").arg(root().join("apps/web/tests/cost.mjs")).env("NODOOR_COST", module))
}
