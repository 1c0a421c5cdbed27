// SPDX-License-Identifier: AGPL-3.0-or-later
//! Whose signatures make a checkpoint count: a tlog-policy file.
//!
//! A [`Policy`] knows logs, witnesses, groups of them and one quorum. [`Policy::satisfied`] is the only way to learn
//! that a checkpoint counts. Which policy is in force, and when another one may follow, is the reader's to hold:
//! [`Policy::may_follow`] has the one rule that needs both texts.
//!
//! Spec: C2SP tlog-policy; `docs/book/ledger.md`, 1.

use std::{collections::BTreeSet, fmt};

use super::{
    checkpoint::SignedCheckpoint,
    note::{KeyKind, NoteError, VerifierKey},
};

/// A longer file is not read.
pub const POLICY_BYTES: usize = 64 * 1024;
/// Logs, witnesses and groups together.
pub const POLICY_LINES: usize = 128;
/// A cosignature may be this far ahead of the reader's clock.
pub const AHEAD_SECONDS: u64 = 60;

const NONE: &str = "none";

/// A policy file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Longer than [`POLICY_BYTES`], more than [`POLICY_LINES`], not UTF-8, or a control character.
    #[error("not the text of a policy")]
    Text,
    /// A line of this number, counted from 1, is not of its form.
    #[error("line {0} is not of its form")]
    Line(usize),
    /// A key or a name is there twice, or a member of two groups.
    #[error("line {0} names something a second time")]
    Twice(usize),
    /// A name that no line before defines.
    #[error("line {0} names what no line before it defines")]
    Unknown(usize),
    /// No quorum line.
    #[error("a policy needs one quorum line")]
    NoQuorum,
}

/// Why a checkpoint does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsatisfied {
    /// Its origin is that of no log in the policy.
    #[error("the checkpoint is of another log")]
    OtherLog,
    /// The log did not sign.
    #[error("the log did not sign the checkpoint")]
    LogUnsigned,
    /// A line by a key of the policy does not verify: whoever passed the note on spoiled it.
    #[error("a signature by a key of the policy does not verify")]
    BadSignature,
    /// Too few of the witnesses cosigned, or by clocks ahead of ours.
    #[error("too few witnesses cosigned the checkpoint")]
    Quorum,
}

/// Who vouched for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Satisfaction {
    /// The policy asks for no witness: the operator alone vouches. Say so wherever it matters.
    pub unwitnessed: bool,
    /// Names of the policy's witnesses that cosigned, in the policy's order, needed or not.
    pub witnesses: Vec<String>,
    /// The latest of their times, milliseconds since 1970; nothing if nobody cosigned.
    pub cosigned_at_ms: Option<u64>,
}

/// A log, and where it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The key. Its name is the origin.
    pub key: VerifierKey,
    /// For whoever talks to it.
    pub url: Option<String>,
}

/// A witness or auditor: a key that cosigns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What groups and the quorum call it.
    pub name: String,
    /// The key.
    pub key: VerifierKey,
    /// Where `add-checkpoint` is found.
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: Threshold,
    members: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threshold {
    Any,
    All,
    Count(usize),
}

impl Group {
    /// How many of its members it takes.
    fn needs(&self) -> usize {
        match self.threshold {
            Threshold::Any => 1,
            Threshold::All => self.members.len(),
            Threshold::Count(count) => count,
        }
    }
}

/// What a policy file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<String>,
}

impl Policy {
    /// The policy of a deployment without witnesses: its log and `quorum none`.
    ///
    /// # Errors
    /// [`PolicyError::Line`]: the key is not a log's.
    pub fn unwitnessed(log: &VerifierKey) -> Result<Self, PolicyError> {
        Self::parse(format!("log {log}\nquorum none\n").as_bytes())
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let text = std::str::from_utf8(bytes).map_err(|_| PolicyError::Text)?;
        let clean = !text.chars().any(|c| c.is_ascii_control() && c != '\n' && c != '\t');
        if !clean || text.len() > POLICY_BYTES || !(text.is_empty() || text.ends_with('\n')) {
            return Err(PolicyError::Text);
        }
        let mut reading = Reading::default();
        for (line, number) in text.split('\n').zip(1..) {
            let words: Vec<&str> =
                line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            if words.first().is_some_and(|word| !word.starts_with('#')) {
                reading.line(&words, number)?;
            }
        }
        let quorum = reading.quorum.ok_or(PolicyError::NoQuorum)?;
        Ok(Self {
            logs: reading.logs,
            witnesses: reading.witnesses,
            groups: reading.groups,
            quorum,
        })
    }

    /// The logs.
    #[must_use]
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses and auditors.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether any witness is needed.
    #[must_use]
    pub fn has_quorum(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether this policy may come after `before` at all: whoever satisfies it has at least half of the fewest witnesses
    /// with them that satisfied `before`. So a quorum never follows by none, and whoever writes policies alone names no
    /// quorum of their own. And it names no other log key: what was signed by the old one would prove nothing any more.
    /// That it was announced, and long enough ago, is checked apart.
    #[must_use]
    pub fn may_follow(&self, before: &Self) -> bool {
        let old: Vec<&[u8]> = before.quorum().iter().map(|one| one.key.public()).collect();
        let stays = |witness: &Witness| old.contains(&witness.key.public());
        let same_log =
            |log: &Log| before.logs.iter().any(|old| old.key.public() == log.key.public());
        self.logs.iter().all(same_log)
            && self.fewest(&stays) >= before.fewest(&|_| true).div_ceil(2)
    }

    /// The witnesses that the quorum asks, in no order.
    #[must_use]
    pub fn quorum(&self) -> Vec<&Witness> {
        let mut names: Vec<&str> = self.quorum.as_deref().into_iter().collect();
        let mut asked = Vec::new();
        while let Some(name) = names.pop() {
            asked.extend(self.witnesses.iter().find(|witness| witness.name == name));
            let group = self.groups.iter().find(|group| group.name == name);
            names.extend(group.iter().flat_map(|group| &group.members).map(String::as_str));
        }
        asked
    }

    /// How many witnesses of these any set has at the least that satisfies this policy.
    fn fewest(&self, these: &dyn Fn(&Witness) -> bool) -> usize {
        self.quorum.as_ref().map_or(0, |name| self.fewest_of(name, these))
    }

    /// A group names only what stands before it, and nothing is in two groups: the sum is exact, and this ends.
    fn fewest_of(&self, name: &str, these: &dyn Fn(&Witness) -> bool) -> usize {
        let Some(group) = self.groups.iter().find(|group| group.name == name) else {
            let witness = self.witnesses.iter().find(|witness| witness.name == name);
            return usize::from(witness.is_some_and(these));
        };
        let mut each: Vec<usize> =
            group.members.iter().map(|member| self.fewest_of(member, these)).collect();
        each.sort_unstable();
        each.into_iter().take(group.needs()).sum()
    }

    /// Whether the log and enough witnesses signed.
    ///
    /// A cosignature that is more than [`AHEAD_SECONDS`] ahead of `now_ms` (milliseconds since 1970) counts as none.
    ///
    /// # Errors
    /// [`Unsatisfied`].
    pub fn satisfied(
        &self,
        checkpoint: &SignedCheckpoint,
        now_ms: u64,
    ) -> Result<Satisfaction, Unsatisfied> {
        self.signed_by_log(checkpoint)?;
        let latest = (now_ms / 1000).saturating_add(AHEAD_SECONDS);
        let mut times = Vec::new();
        let mut witnesses = Vec::new();
        for witness in &self.witnesses {
            let signed = witness.key.verify(checkpoint.note()).map_err(unsatisfied)?;
            let time = signed.and_then(|signed| signed.time_seconds);
            if let Some(time) = time.filter(|time| *time <= latest) {
                witnesses.push(witness.name.clone());
                times.push(time.saturating_mul(1000));
            }
        }
        if !self.quorum.as_ref().is_none_or(|name| self.vouched(name, &witnesses)) {
            return Err(Unsatisfied::Quorum);
        }
        let cosigned_at_ms = times.into_iter().max();
        Ok(Satisfaction { unwitnessed: !self.has_quorum(), witnesses, cosigned_at_ms })
    }

    /// That a log of this policy signed, whoever else did: returns its key.
    ///
    /// # Errors
    /// [`Unsatisfied`], all but [`Unsatisfied::Quorum`].
    pub fn signed_by_log(
        &self,
        checkpoint: &SignedCheckpoint,
    ) -> Result<&VerifierKey, Unsatisfied> {
        let origin = checkpoint.checkpoint().origin();
        let mut known = self.logs.iter().filter(|log| log.key.name() == origin).peekable();
        known.peek().ok_or(Unsatisfied::OtherLog)?;
        for log in known {
            if log.key.verify(checkpoint.note()).map_err(unsatisfied)?.is_some() {
                return Ok(&log.key);
            }
        }
        Err(Unsatisfied::LogUnsigned)
    }

    /// Whether a witness cosigned, or enough members of a group did. A group names only what stands before it, so
    /// this ends.
    fn vouched(&self, name: &str, cosigned: &[String]) -> bool {
        let Some(group) = self.groups.iter().find(|group| group.name == name) else {
            return cosigned.iter().any(|witness| witness == name);
        };
        group.members.iter().filter(|member| self.vouched(member, cosigned)).count()
            >= group.needs()
    }
}

fn unsatisfied(_: NoteError) -> Unsatisfied {
    Unsatisfied::BadSignature
}

impl fmt::Display for Policy {
    /// One form: logs, witnesses, groups, quorum; no comments.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url =
            |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for log in &self.logs {
            writeln!(f, "log {}{}", log.key, url(&log.url))?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.key, url(&witness.url))?;
        }
        for group in &self.groups {
            let threshold = match group.threshold {
                Threshold::Any => "any".to_owned(),
                Threshold::All => "all".to_owned(),
                Threshold::Count(count) => count.to_string(),
            };
            writeln!(f, "group {} {threshold} {}", group.name, group.members.join(" "))?;
        }
        writeln!(f, "quorum {}", self.quorum.as_deref().unwrap_or(NONE))
    }
}

/// A file half read.
#[derive(Default)]
struct Reading {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Option<String>>,
    names: BTreeSet<String>,
    members: BTreeSet<String>,
}

impl Reading {
    fn line(&mut self, words: &[&str], number: usize) -> Result<(), PolicyError> {
        if self.logs.len() + self.witnesses.len() + self.groups.len() > POLICY_LINES {
            return Err(PolicyError::Text);
        }
        match words {
            ["log", key, url @ ..] => self.log(key, url, number),
            ["witness", name, key, url @ ..] => self.witness(name, key, url, number),
            ["group", name, threshold, members @ ..] => {
                self.group(name, threshold, members, number)
            }
            ["quorum", name] => {
                if self.quorum.is_some() {
                    return Err(PolicyError::Twice(number));
                }
                if *name != NONE && !self.names.contains(*name) {
                    return Err(PolicyError::Unknown(number));
                }
                self.quorum = Some((*name != NONE).then(|| (*name).to_owned()));
                Ok(())
            }
            _ => Err(PolicyError::Line(number)),
        }
    }

    fn log(&mut self, key: &str, url: &[&str], number: usize) -> Result<(), PolicyError> {
        let key = VerifierKey::parse(key).map_err(|_| PolicyError::Line(number))?;
        if key.kind() != KeyKind::Ed25519 {
            return Err(PolicyError::Line(number));
        }
        if self.logs.iter().any(|log| log.key.public() == key.public()) {
            return Err(PolicyError::Twice(number));
        }
        self.logs.push(Log { key, url: one_url(url, number)? });
        Ok(())
    }

    fn witness(
        &mut self,
        name: &str,
        key: &str,
        url: &[&str],
        number: usize,
    ) -> Result<(), PolicyError> {
        let key = VerifierKey::parse(key).map_err(|_| PolicyError::Line(number))?;
        if key.kind() == KeyKind::Ed25519 {
            return Err(PolicyError::Line(number));
        }
        if self.witnesses.iter().any(|witness| witness.key.public() == key.public()) {
            return Err(PolicyError::Twice(number));
        }
        self.name(name, number)?;
        self.witnesses.push(Witness { name: name.to_owned(), key, url: one_url(url, number)? });
        Ok(())
    }

    fn group(
        &mut self,
        name: &str,
        threshold: &str,
        members: &[&str],
        number: usize,
    ) -> Result<(), PolicyError> {
        let threshold = match threshold {
            "any" => Threshold::Any,
            "all" => Threshold::All,
            count => {
                let count = count.parse().map_err(|_| PolicyError::Line(number))?;
                if count == 0 || count > members.len() {
                    return Err(PolicyError::Line(number));
                }
                Threshold::Count(count)
            }
        };
        if members.is_empty() {
            return Err(PolicyError::Line(number));
        }
        for member in members {
            if !self.names.contains(*member) {
                return Err(PolicyError::Unknown(number));
            }
            if !self.members.insert((*member).to_owned()) {
                return Err(PolicyError::Twice(number));
            }
        }
        self.name(name, number)?;
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.groups.push(Group { name: name.to_owned(), threshold, members });
        Ok(())
    }

    fn name(&mut self, name: &str, number: usize) -> Result<(), PolicyError> {
        if name == NONE || !self.names.insert(name.to_owned()) {
            return Err(PolicyError::Twice(number));
        }
        Ok(())
    }
}

fn one_url(words: &[&str], number: usize) -> Result<Option<String>, PolicyError> {
    match words {
        [] => Ok(None),
        [url] => Ok(Some((*url).to_owned())),
        _ => Err(PolicyError::Line(number)),
    }
}
