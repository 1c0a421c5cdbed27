// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoor update check FILE PROOF` and `nodoor audit check-release FILE PROOF`: whether a downloaded file may be run.
//! Offline, with nothing but files; whoever served them is not believed.
//!
//! `check-release` asks whether two builders signed the file and the log has that; `update check` also whether it is of the
//! kind that runs here, newer, and past its cool-down. It refuses in one line and exits 1.
//!
//! What is trusted: the builders compiled in (`builders.txt`), or those of `builders` in the profile; the policy in
//! `policy` in the profile, which is the one this client pinned. `--builders` and `--policy` name other files.
//! Spec: `docs/book/ledger.md`, 1, *Releases*.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use nodoor_transparency::{
    ledger::{
        entry::{Entry, Release, ReleaseKind},
        policy::{POLICY_BYTES, Policy, Satisfaction},
        proof::{PROOF_BYTES, ProofFile},
    },
    release::{Builders, Installed, ReleaseError, check as may_replace, cooled_down},
};
use nodoor_view::text::{Lines, for_terminal};
use sha2::{Digest as _, Sha256};

use super::{
    files::{hex, read},
    release::KINDS,
};
use crate::{
    arguments::{CheckRelease, CheckUpdate},
    failure::Failure,
};

/// The largest file that is checked.
pub(crate) const FILE_BYTES: usize = 1 << 30;
/// The number of this very build, if `cargo xtask release` made it; 0 for a build of one's own.
const INSTALLED: Option<&str> = option_env!("NODOOR_RELEASE");
/// Whose releases count where nobody said otherwise.
const BUILDERS: &str = include_str!("../../builders.txt");

/// Whether a file is one that two builders signed and the log has.
///
/// # Errors
/// It is not, or a file cannot be read.
pub(crate) fn check_release(options: &CheckRelease, json: bool) -> Result<(), Failure> {
    let builders = read_builders(&options.builders)?;
    let shown = Shown::read(&options.file, &options.proof, &read_policy(&options.policy)?)?;
    builders.signed(&shown.release).map_err(refused)?;
    let named = shown.release.artifacts.iter().any(|artifact| artifact.hash == shown.hash);
    if !named && shown.release.manifest != Some(shown.hash) {
        return Err(refused(ReleaseError::OtherFile));
    }
    shown.say("logged", &builders, json);
    Ok(())
}

/// Whether a file may replace what is installed.
///
/// # Errors
/// It may not, and why; or a file cannot be read.
pub(crate) fn check(options: &CheckUpdate, profile: &Path, json: bool) -> Result<(), Failure> {
    let kind = ReleaseKind::of(&options.kind).ok_or_else(|| Failure::Usage(KINDS.to_owned()))?;
    let own = INSTALLED.filter(|_| kind == ReleaseKind::Terminal);
    let own = own.and_then(|number| number.parse().ok()).unwrap_or(0);
    let installed = Installed { kind, sequence: options.installed.unwrap_or(own) };
    let builders = match &options.builders {
        Some(path) => read_builders(path)?,
        None if profile.join("builders").exists() => read_builders(&profile.join("builders"))?,
        None => parse_builders(BUILDERS)?,
    };
    let policy = match &options.policy {
        Some(path) => read_policy(path)?,
        None if profile.join("policy").exists() => read_policy(&profile.join("policy"))?,
        None => {
            let hint = "no policy is pinned in this profile yet; name one with --policy";
            return Err(refused(hint));
        }
    };
    let shown = Shown::read(&options.file, &options.proof, &policy)?;
    if builders.all().is_empty() {
        return Err(refused("this client knows no builders; name them with --builders"));
    }
    let now_ms = now_ms();
    may_replace(&shown.release, &builders, installed, &shown.hash, now_ms)
        .and_then(|()| cooled_down(&shown.release, &shown.satisfaction, now_ms))
        .map_err(|error| match error {
            ReleaseError::TooEarly(until) => refused(format!("{error}; not before {}", day(until))),
            error => refused(error),
        })?;
    shown.say("may be installed", &builders, json);
    Ok(())
}

/// A file, and the release that is logged under a checkpoint that counts.
struct Shown {
    hash: [u8; 32],
    release: Release,
    satisfaction: Satisfaction,
}

impl Shown {
    fn read(file: &Path, proof: &Path, policy: &Policy) -> Result<Self, Failure> {
        let hash = Sha256::digest(read(file, FILE_BYTES)?).into();
        let proof = ProofFile::parse(&read(proof, PROOF_BYTES)?).map_err(refused)?;
        let logged = proof.verify(policy, now_ms()).map_err(refused)?;
        let Entry::Release(release) = logged.entry else {
            return Err(refused("what the proof shows is no release"));
        };
        Ok(Self { hash, release, satisfaction: logged.satisfaction })
    }

    fn say(&self, what: &str, builders: &Builders, json: bool) {
        let release = &self.release;
        let signers = builders.signed(release).unwrap_or_default();
        let signers: Vec<&str> = signers.iter().map(|builder| builder.name.as_str()).collect();
        let unwitnessed = self.satisfaction.unwitnessed;
        if json {
            let line = serde_json::json!({
                "kind": release.kind.name(), "version": release.version,
                "sequence": release.sequence, "hash": hex(&self.hash), "builders": signers,
                "not_before": release.not_before_ms, "emergency": release.emergency,
                "unwitnessed": unwitnessed,
            });
            println!("{line}");
            return;
        }
        let version = for_terminal(&release.version, Lines::Join);
        let by = for_terminal(&signers.join(", "), Lines::Join);
        let witnessed = if unwitnessed { "; the log is unwitnessed" } else { "" };
        let emergency = if release.emergency { "; an emergency, without a cool-down" } else { "" };
        let kind = release.kind.name();
        println!("{what}: {kind} {version}, signed by {by}{emergency}{witnessed}");
    }
}

fn refused(why: impl std::fmt::Display) -> Failure {
    Failure::Surroundings("refused", why.to_string())
}

fn read_policy(path: &Path) -> Result<Policy, Failure> {
    Policy::parse(&read(path, POLICY_BYTES)?)
        .map_err(|error| refused(format!("{}: {error}", path.display())))
}

pub(super) fn read_builders(path: &Path) -> Result<Builders, Failure> {
    let text = read(path, POLICY_BYTES)?;
    parse_builders(&String::from_utf8_lossy(&text))
}

fn parse_builders(text: &str) -> Result<Builders, Failure> {
    Builders::parse(text).map_err(|error| refused(format!("the builders: {error}")))
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A time as people read it, in UTC.
fn day(time_ms: u64) -> String {
    let time =
        i64::try_from(time_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| "the end of time".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builders_compiled_in_are_read() {
        assert!(parse_builders(BUILDERS).is_ok());
    }
}
