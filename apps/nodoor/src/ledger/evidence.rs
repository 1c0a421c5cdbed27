// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoor evidence check FILE`: offline, with nothing but the file.
//!
//! Spec: `docs/book/ledger.md`, 5.

use std::path::Path;

use nodoor_transparency::ledger::evidence::{EVIDENCE_BYTES, Evidence, Verdict};
use nodoor_view::text::{Lines, for_terminal};

use super::files::read;
use crate::failure::Failure;

/// Says what the file shows. Done (0) if it proves something or stands unanswered; a failure (1) if it proves nothing.
///
/// # Errors
/// The file cannot be read, is no evidence, or proves nothing.
pub(crate) fn check(path: &Path, json: bool) -> Result<(), Failure> {
    let bytes = read(path, EVIDENCE_BYTES)?;
    let evidence = Evidence::parse(&bytes)
        .map_err(|error| Failure::Surroundings("evidence", error.to_string()))?;
    let (verdict, sentence) = match evidence.check() {
        Verdict::Proven(sentence) => ("proven", sentence),
        Verdict::Unanswered(sentence) => ("unanswered", sentence),
        Verdict::NotProven(why) => {
            return Err(Failure::Surroundings("not_proven", why.to_owned()));
        }
    };
    let log = evidence.log().map(ToString::to_string);
    if json {
        let line = serde_json::json!({
            "kind": evidence.kind(), "verdict": verdict, "sentence": sentence, "log": log,
        });
        println!("{line}");
    } else {
        println!("{verdict}: {sentence}");
        if let Some(log) = log {
            println!("of the log {}", for_terminal(&log, Lines::Join));
        }
    }
    Ok(())
}
