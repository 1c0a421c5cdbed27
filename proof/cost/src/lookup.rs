// SPDX-License-Identifier: AGPL-3.0-or-later
//! What it costs to verify that a list is the newest: a look-up proof of akd's, out of a tree of a thousand labels.
//!
//! The proof is the snapshot `vectors/transparency/lookup.txt`. Most of the work are its three VRF proofs, whatever the size of
//! the tree. Calls `transparency`.

use anyhow::{Context as _, Result};
use nodoor_transparency::{
    directory::{Published, verify_lookup},
    ledger::entry::KtEpoch,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{BATCH, median};

/// One row; the figure is the median of `rounds`, by a clock in milliseconds.
///
/// # Errors
/// The snapshot and the verifier do not fit.
pub(crate) fn measure(rounds: usize, clock: &dyn Fn() -> f64) -> Result<Value> {
    let mut verifying = Vec::new();
    for _ in 0..rounds {
        let before = clock();
        verify(BATCH.into())?;
        verifying.push((clock() - before) / f64::from(BATCH));
    }
    Ok(json!({
        "scenario": "client lookup",
        "proof_bytes": hex_of("lookup")?.len(),
        "verify_cpu_ms": median(verifying),
    }))
}

/// Verifies the proof so often.
///
/// # Errors
/// As [`measure`].
pub(crate) fn verify(times: usize) -> Result<()> {
    let (vrf_key, label, proof) = (hex_of("vrf")?, hex_of("label")?, hex_of("lookup")?);
    let root = hex_of("root")?.try_into().ok().context("a root of 32 bytes")?;
    let epoch = KtEpoch {
        epoch: field("epoch")?.parse()?,
        root,
        previous_root: [0; 32],
        labels: 1,
        audit_blob: None,
        vrf_key: Sha256::digest(&vrf_key).into(),
        time_ms: 0,
    };
    for _ in 0..times {
        let shown = verify_lookup(&epoch, &vrf_key, &label, &proof)?;
        anyhow::ensure!(shown == NEWEST, "the snapshot says something else");
    }
    Ok(())
}

fn field(name: &str) -> Result<&'static str> {
    let mut lines = SNAPSHOT.lines().filter_map(|line| line.split_once(' '));
    Ok(lines.find(|(found, _)| *found == name).context("a line is missing")?.1)
}

fn hex_of(name: &str) -> Result<Vec<u8>> {
    Ok(hex::decode(field(name)?)?)
}

const SNAPSHOT: &str = include_str!("../../../vectors/transparency/lookup.txt");
const NEWEST: Published = Published { version: 2, epoch: 2, value: [2; 32] };
