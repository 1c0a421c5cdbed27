// SPDX-License-Identifier: AGPL-3.0-or-later
//! What anyone may fetch of the ledger, as files; and the cosignatures that come in.
//!
//! `checkpoint` is the one that is served. `pending` is the newest one that the log signed: auditors and witnesses whose
//! cosignature the policy asks for find there what to look at, or nothing would ever be served. Clients do not read it.
//! `policy` is the policy in force, for whoever begins.
//!
//! Carries out `docs/book/ledger.md`, 1. `gateway` asks for files; an app carries [`Offer`]s to the witnesses.

use bytes::Bytes;
use nodoor_transparency::ledger::{
    checkpoint::SignedCheckpoint,
    note::{NoteSignature, VerifierKey},
    policy::AHEAD_SECONDS,
    tree::{Hash, Tile},
};

use crate::{
    ledger::{Inner, Ledger, LedgerError, tiles},
    storage::StorageError,
};

/// Bytes of a body with cosignatures.
pub(crate) const COSIGNATURES: usize = 64 * 1024;

/// A file of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What is in it.
    pub bytes: Bytes,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Whether it never changes, and so may be kept for ever.
    pub immutable: bool,
}

/// What came of cosignatures that were sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cosigned {
    /// They are under the newest checkpoint.
    Taken,
    /// None is by a key of the policy over the newest checkpoint.
    Unknown,
}

/// A checkpoint on its way to the witnesses.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
    /// Witnesses of the policy that have not cosigned it: key, and where `add-checkpoint` is found.
    pub witnesses: Vec<(VerifierKey, String)>,
}

impl Ledger {
    /// A file by its path under `/ledger/`; nothing where there is none.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn file(&self, path: &str) -> Result<Option<File>, StorageError> {
        let note = |signed: Option<Vec<u8>>| {
            signed.map(|bytes| File {
                bytes: bytes.into(),
                content_type: "text/plain; charset=utf-8",
                immutable: false,
            })
        };
        match path {
            "checkpoint" => {
                let served = self.served();
                return Ok(note(served.map(|served| served.signed().to_vec())));
            }
            "pending" => {
                let newest = self.0.state().newest.clone();
                return Ok(note(newest.map(|(signed, _)| signed.to_vec())));
            }
            "policy" => {
                let state = self.0.state();
                let time_ms = state.policy_time_ms();
                let in_force = state.policies.in_force(time_ms);
                return Ok(note(in_force.map(|(policy, _)| policy.to_string().into_bytes())));
            }
            _ => {}
        }
        let bytes = if let Some(hash) = path.strip_prefix("audit/") {
            let Some(hash) = hash_from_hex(hash) else { return Ok(None) };
            self.0.store.blob(hash).await?
        } else if let Some(tile) = Tile::from_path(path) {
            tiles::bytes(&*self.0.store, tile).await?
        } else {
            None
        };
        // A tile of its width, a bundle of its width, a blob of its hash: none of them ever changes.
        let content_type = "application/octet-stream";
        Ok(bytes.map(|bytes| File { bytes, content_type, immutable: true }))
    }

    /// The newest checkpoint, if witnesses of the policy have not cosigned it yet.
    #[must_use]
    pub fn offer(&self) -> Option<Offer> {
        let state = self.0.state();
        let (checkpoint, _) = state.newest.clone()?;
        let time_ms = state.policy_time_ms();
        let lacks = |key: &VerifierKey| !matches!(key.verify(checkpoint.note()), Ok(Some(_)));
        let cosigners = state.policies.cosigners(time_ms).into_iter();
        let witnesses: Vec<(VerifierKey, String)> = cosigners
            .filter(|witness| lacks(&witness.key))
            .filter_map(|witness| Some((witness.key, witness.url?)))
            .collect();
        (!witnesses.is_empty()).then_some(Offer { checkpoint, witnesses })
    }

    /// The proof that the log only grew from a size on which a witness stands to that of an offer.
    ///
    /// # Errors
    /// [`StorageError`]: also for a size beyond the log's.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, StorageError> {
        tiles::consistency(&*self.0.store, from, to).await
    }

    /// Takes cosignatures of the newest checkpoint: lines, or a signed note with them. Each is verified against the keys of
    /// the policy; what is not theirs is left out, and what is dated ahead of the clock: it would keep the right one out.
    ///
    /// # Errors
    /// [`LedgerError`]: the store failed.
    pub async fn cosign(&self, body: &[u8], now_ms: u64) -> Result<Cosigned, LedgerError> {
        let Some(body) = std::str::from_utf8(body).ok().filter(|b| b.len() <= COSIGNATURES) else {
            return Ok(Cosigned::Unknown);
        };
        let lines = body.rsplit_once("\n\n").map_or(body, |(_, lines)| lines);
        let lines = lines.lines().take(8).filter_map(|line| NoteSignature::parse(line).ok());
        if !self.0.add(lines, now_ms) {
            return Ok(Cosigned::Unknown);
        }
        self.0.serve_newest(now_ms).await?;
        Ok(Cosigned::Taken)
    }
}

impl Inner {
    /// Puts lines by keys of the policy under the newest checkpoint; whether there were any.
    fn add(&self, lines: impl Iterator<Item = NoteSignature>, now_ms: u64) -> bool {
        let latest = (now_ms / 1000).saturating_add(AHEAD_SECONDS);
        let mut state = self.state();
        let time_ms = state.policy_time_ms();
        let cosigners = state.policies.cosigners(time_ms);
        let Some((newest, _)) = &mut state.newest else { return false };
        let mut taken = false;
        for line in lines {
            let Ok(with) = newest.clone().with(line) else { continue };
            let cosigned = |signed: &SignedCheckpoint| {
                let keys = cosigners.iter().map(|witness| &witness.key);
                keys.map(|key| key.verify(signed.note())).collect::<Result<Vec<_>, _>>()
            };
            // One line more that verifies and is not of the future, and none that does not verify.
            let counts = |signed: &SignedCheckpoint| {
                let all = cosigned(signed).unwrap_or_default();
                let times = all.iter().flatten().filter_map(|signed| signed.time_seconds);
                times.filter(|time| *time <= latest).count()
            };
            if counts(&with) > counts(newest) {
                *newest = with;
                taken = true;
            }
        }
        taken
    }
}

fn hash_from_hex(text: &str) -> Option<Hash> {
    let small = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut hash = [0; 32];
    if text.len() != 64 || !small {
        return None;
    }
    for (place, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *place = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(hash)
}
