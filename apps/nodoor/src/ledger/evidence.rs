// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoor evidence check FILE` and `nodoor audit check-release FILE PROOF`: offline, with nothing but the files.
//!
//! Spec: `docs/book/ledger.md`, 1 (`RELEASE`) and 5.

use std::{
    fs,
    io::Read as _,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use nodoor_transparency::{
    ledger::{
        entry::Entry,
        evidence::{EVIDENCE_BYTES, Evidence, Verdict},
        policy::Policy,
        proof::ProofFile,
    },
    release::Builders,
};
use nodoor_view::text::{Lines, for_terminal};
use sha2::{Digest as _, Sha256};

use super::files::hex;
use crate::{arguments::CheckRelease, failure::Failure};

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

/// Whether a file is one that two builders signed and the log has.
///
/// # Errors
/// It is not, or a file cannot be read.
pub(crate) fn check_release(options: &CheckRelease, json: bool) -> Result<(), Failure> {
    let refused = |why: String| Failure::Surroundings("refused", why);
    let policy =
        Policy::parse(&read(&options.policy, 1 << 20)?).map_err(|e| refused(e.to_string()))?;
    let builders = String::from_utf8_lossy(&read(&options.builders, 1 << 20)?).into_owned();
    let builders = Builders::parse(&builders).map_err(|e| refused(e.to_string()))?;
    let hash: [u8; 32] = Sha256::digest(read(&options.file, 1 << 30)?).into();
    let proof =
        ProofFile::parse(&read(&options.proof, 1 << 20)?).map_err(|e| refused(e.to_string()))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let logged = proof.verify(&policy, now).map_err(|e| refused(e.to_string()))?;
    let Entry::Release(release) = logged.entry else {
        return Err(refused("what the proof shows is no release".to_owned()));
    };
    let signers = builders.signed(&release).map_err(|e| refused(e.to_string()))?;
    let named = release.artifacts.iter().any(|artifact| artifact.hash == hash);
    if !named && release.manifest != Some(hash) {
        return Err(refused("the file is not the one that was released".to_owned()));
    }
    let signers: Vec<&str> = signers.iter().map(|builder| builder.name.as_str()).collect();
    let unwitnessed = logged.satisfaction.unwitnessed;
    if json {
        let line = serde_json::json!({
            "kind": release.kind.name(), "version": release.version, "sequence": release.sequence,
            "hash": hex(&hash), "builders": signers, "unwitnessed": unwitnessed,
        });
        println!("{line}");
    } else {
        let version = for_terminal(&release.version, Lines::Join);
        let by = for_terminal(&signers.join(", "), Lines::Join);
        let witnessed = if unwitnessed { "; the log is unwitnessed" } else { "" };
        println!("logged: {} {version}, signed by {by}{witnessed}", release.kind.name());
    }
    Ok(())
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let named = |error: &dyn std::fmt::Display| {
        Failure::Surroundings("file", format!("{}: {error}", path.display()))
    };
    let file = fs::File::open(path).map_err(|error| named(&error))?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| named(&error))?;
    if bytes.len() > limit { Err(named(&"too large")) } else { Ok(bytes) }
}
