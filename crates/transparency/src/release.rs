// SPDX-License-Identifier: AGPL-3.0-or-later
//! Which builds may run: signed by two builders, logged, newer than what runs, and past their cool-down.
//!
//! This page checks a [`Release`] that somebody already showed to be logged ([`crate::ledger::proof`]) against the
//! builders one trusts. Their keys come with the client that checks, as a text: [`Builders::parse`].
//!
//! Spec: `docs/book/ledger.md`, 1, `RELEASE`.

use std::fmt;

use crate::{
    key::{SigningKey, label, verify},
    ledger::{
        entry::{BuilderSignature, Release, ReleaseKind},
        policy::Satisfaction,
    },
};

/// Different builders that must have signed.
pub const BUILDERS_NEEDED: usize = 2;
/// How long before `not_before` a release is logged at least, unless it is an emergency.
pub const COOL_DOWN_MS: u64 = 24 * 60 * 60 * 1000;
/// Builders that a text may name.
pub const BUILDERS: usize = 64;

/// A release may not be installed, or its log entry is against the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// Fewer than two builders signed.
    #[error("fewer than two known builders signed the release")]
    Unsigned,
    /// A signature by a known builder does not verify.
    #[error("a builder's signature does not verify")]
    BadSignature,
    /// It is of something else.
    #[error("the release is of another kind of client")]
    OtherKind,
    /// The file is not among its artifacts.
    #[error("the file is not the one that was released")]
    OtherFile,
    /// Its sequence is not higher than that of what is installed.
    #[error("the release is not newer than what is installed")]
    NotNewer,
    /// Not before this ledger time, milliseconds since 1970.
    #[error("the release may not be installed yet")]
    TooEarly(u64),
    /// Logged less than a day before it may be installed, and not called an emergency.
    #[error("the release was logged too late for its cool-down")]
    CoolDown,
}

/// The text does not name builders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0} does not name a builder")]
pub struct NotBuilders(pub usize);

/// A builder: a name for people, and an Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    /// Without spaces.
    pub name: String,
    /// The key.
    pub key: [u8; 32],
}

/// The builders one trusts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Builders(Vec<Builder>);

impl Builders {
    /// Reads lines `builder <name> <key, 64 hex digits>`; empty ones and those that begin with `#` are skipped.
    ///
    /// # Errors
    /// [`NotBuilders`] with the number of the line: also for a key or name that is there twice.
    pub fn parse(text: &str) -> Result<Self, NotBuilders> {
        let mut builders: Vec<Builder> = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let builder = Self::line(line).ok_or(NotBuilders(number))?;
            let twice =
                builders.iter().any(|one| one.key == builder.key || one.name == builder.name);
            if twice || builders.len() == BUILDERS {
                return Err(NotBuilders(number));
            }
            builders.push(builder);
        }
        Ok(Self(builders))
    }

    fn line(line: &str) -> Option<Builder> {
        let mut words = line.split_ascii_whitespace();
        let (first, name, key, end) = (words.next()?, words.next()?, words.next()?, words.next());
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(key.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        let form = first == "builder" && key.len() == 64 && !key.contains('+') && end.is_none();
        let name = name.to_owned();
        (form && !name.chars().any(char::is_control)).then_some(Builder { name, key: bytes })
    }

    /// Who they are.
    #[must_use]
    pub fn all(&self) -> &[Builder] {
        &self.0
    }

    /// The builders that signed: two at least. What others signed beside them counts for nothing.
    ///
    /// # Errors
    /// [`ReleaseError::Unsigned`], [`ReleaseError::BadSignature`].
    pub fn signed(&self, release: &Release) -> Result<Vec<&Builder>, ReleaseError> {
        let bytes = release.unsigned_vec();
        let mut signers: Vec<&Builder> = Vec::new();
        for one in &release.signatures {
            let Some(builder) = self.0.iter().find(|builder| builder.key == one.key) else {
                continue;
            };
            verify(&one.key, label::RELEASE, &bytes, &one.signature)
                .map_err(|_| ReleaseError::BadSignature)?;
            if !signers.contains(&builder) {
                signers.push(builder);
            }
        }
        if signers.len() < BUILDERS_NEEDED { Err(ReleaseError::Unsigned) } else { Ok(signers) }
    }
}

impl fmt::Display for Builders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for builder in &self.0 {
            write!(f, "builder {} ", builder.name)?;
            builder.key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

/// The release with this builder's signature: the same bytes for every builder, in any order.
#[must_use]
pub fn sign(mut release: Release, builder: &SigningKey) -> Release {
    let key = builder.public();
    let signature = builder.sign(label::RELEASE, &release.unsigned_vec());
    release.signatures.retain(|one| one.key != key);
    release.signatures.push(BuilderSignature { key, signature });
    release.signatures.sort_by_key(|one| one.key);
    release
}

/// What stands against a release.
#[derive(Debug, Clone, Copy)]
pub struct Installed {
    /// What runs here.
    pub kind: ReleaseKind,
    /// Its sequence; 0 for a first installation.
    pub sequence: u64,
}

/// Whether a file (or web manifest) of this SHA-256 may replace what is installed, at this ledger time.
///
/// # Errors
/// [`ReleaseError`].
pub fn check(
    release: &Release,
    builders: &Builders,
    installed: Installed,
    file: &[u8; 32],
    ledger_time_ms: u64,
) -> Result<(), ReleaseError> {
    builders.signed(release)?;
    if release.kind != installed.kind {
        return Err(ReleaseError::OtherKind);
    }
    let released = release.artifacts.iter().any(|artifact| artifact.hash == *file);
    if !released && release.manifest != Some(*file) {
        return Err(ReleaseError::OtherFile);
    }
    if release.sequence <= installed.sequence {
        return Err(ReleaseError::NotNewer);
    }
    if ledger_time_ms < release.not_before_ms {
        return Err(ReleaseError::TooEarly(release.not_before_ms));
    }
    Ok(())
}

/// Whether a release was logged a day ago at least, by the clocks of those who cosigned the checkpoint of its proof: a date
/// in the entry is the builders' word alone. An emergency need not wait; where the policy asks for no witness nobody but
/// the operator could say.
///
/// The proof must be as old as that: one from when the release was logged, not one that was made to ask.
///
/// # Errors
/// [`ReleaseError::TooEarly`] with the time at which this very proof is old enough.
pub fn cooled_down(
    release: &Release,
    satisfaction: &Satisfaction,
    now_ms: u64,
) -> Result<(), ReleaseError> {
    if release.emergency || satisfaction.unwitnessed {
        return Ok(());
    }
    let cosigned = satisfaction.cosigned_at_ms.unwrap_or(u64::MAX);
    let until = cosigned.saturating_add(COOL_DOWN_MS);
    if now_ms < until { Err(ReleaseError::TooEarly(until)) } else { Ok(()) }
}

/// Whether a release may stand in the log at this ledger time, after the one of its kind before it: what an auditor
/// checks.
///
/// # Errors
/// [`ReleaseError::Unsigned`], [`ReleaseError::BadSignature`], [`ReleaseError::NotNewer`], [`ReleaseError::CoolDown`].
pub fn may_be_logged(
    release: &Release,
    before: Option<&Release>,
    builders: &Builders,
    ledger_time_ms: u64,
) -> Result<(), ReleaseError> {
    builders.signed(release)?;
    if before.is_some_and(|before| release.sequence <= before.sequence) {
        return Err(ReleaseError::NotNewer);
    }
    let early = release.not_before_ms < ledger_time_ms.saturating_add(COOL_DOWN_MS);
    if early && !release.emergency { Err(ReleaseError::CoolDown) } else { Ok(()) }
}
