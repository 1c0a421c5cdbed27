// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoor audit run`: follows one deployment's ledger, and cosigns it.
//!
//! A round: fetch the newest checkpoint, fetch what entries are new, recompute the root, hold every entry against the
//! rules ([`super::auditor`]), store how far it came, *then* cosign. The first round pins the deployment's policy in the
//! state folder (or takes `--policy`); every later one goes by that.
//!
//! Exit codes: 0 all is well, 1 the log could not be read or is not what it says. Proof goes into `evidence-*.txt` in the
//! state folder; anyone checks it with `nodoor evidence check`. Spec: `docs/book/ledger.md`, 1 and 5.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use nodoor_transparency::{
    audit::BLOB_BYTES,
    ledger::{
        checkpoint::SignedCheckpoint,
        note::{NOTE_BYTES, NoteSigner},
        policy::Policy,
        tree::{Tile, bundle_from_slice, prefix_proof},
    },
    release::Builders,
};

use super::{
    auditor::{Auditor, Finding, Progress},
    files::{hex, replace},
    key,
    log::{Log, Stopped},
};
use crate::{arguments::AuditRun, failure::Failure};

/// Entries of a full bundle, each of up to 64 KiB.
pub(super) const BUNDLE_BYTES: usize = 256 * (65_535 + 2);
/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(2);

/// Audits until a signal, or once.
///
/// # Errors
/// What the module says.
pub(crate) async fn run(options: &AuditRun, server: &str, json: bool) -> Result<(), Failure> {
    let log = Log::at(server)?;
    fs::create_dir_all(&options.state)?;
    let signer = match &options.cosign {
        Some(path) => Some(key::open(path, &options.name)?),
        None => None,
    };
    let policy = policy_of(&log, options).await?;
    let builders = builders(options)?;
    if let Some(signer) = &signer
        && !json
    {
        eprintln!("nodoor: cosigns as {}", signer.verifier());
    }
    loop {
        let round = round(&log, &policy, &builders, signer.as_ref(), options).await;
        match round {
            Ok(done) => report(&done, json),
            // Whoever watches for long outlives an outage; what is proved or wrong ends it.
            Err(failure) if options.once => return Err(failure.into()),
            Err(Stopped::Unreachable(hint)) => eprintln!("nodoor: unreachable: {hint}"),
            Err(failure) => return Err(failure.into()),
        }
        if options.once {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = super::asked_to_stop() => return Ok(()),
        }
    }
}

fn report(done: &Round, json: bool) {
    if !json && done.fresh == 0 {
        return;
    }
    let progress = &done.progress;
    if json {
        let line = serde_json::json!({
            "size": progress.growth.size(),
            "root": progress.root_hex(),
            "epoch": progress.epoch.as_ref().map(|epoch| epoch.epoch),
            "ledger_time": progress.epoch.as_ref().map(|epoch| epoch.time_ms),
            "new_entries": done.fresh,
            "cosigned": done.cosigned,
        });
        println!("{line}");
    } else {
        let cosigned = if done.cosigned { ", cosigned" } else { "" };
        println!(
            "{} entries, {} of them new: all is well{cosigned}",
            progress.growth.size(),
            done.fresh
        );
    }
}

/// What a round came to.
struct Round {
    progress: Progress,
    fresh: u64,
    cosigned: bool,
}

async fn round(
    log: &Log,
    policy: &Policy,
    builders: &Builders,
    signer: Option<&NoteSigner>,
    options: &AuditRun,
) -> Result<Round, Stopped> {
    let state = &options.state;
    let wrong = |hint: &str| Stopped::Wrong(hint.to_owned());
    // What waits for a cosignature; where nobody is waited for it is what is served.
    let name = if signer.is_some() { "pending" } else { "checkpoint" };
    let bytes = log.file(name, NOTE_BYTES).await?;
    let bytes =
        bytes.ok_or_else(|| Stopped::Unreachable("the log serves no checkpoint yet".to_owned()))?;
    let shown =
        SignedCheckpoint::parse(&bytes).map_err(|_| wrong("what is served is no checkpoint"))?;
    let key = policy
        .signed_by_log(&shown)
        .map_err(|error| Stopped::Wrong(format!("the checkpoint: {error}")))?
        .clone();
    let held = Held::read(state).map_err(|error| wrong(&error))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let mut auditor = Auditor::new(key, builders.clone(), held.progress, now_ms);
    if let Some(last) = &held.checkpoint {
        if let Some(found) = auditor.against(last, &shown) {
            return Err(keep(state, found));
        }
        if shown.head().size < last.head().size {
            return Err(wrong("the log serves an older checkpoint than it did before"));
        }
    }
    let fresh = shown.head().size - auditor.progress().growth.size();
    read_entries(log, &mut auditor, &shown, state).await?;
    if auditor.progress().growth.root() != shown.head().root {
        if let Some(last) = &held.checkpoint
            && let Some(found) = forked(log, &auditor, last, &shown).await?
        {
            return Err(keep(state, found));
        }
        return Err(wrong("the entries that are served do not give the root that the log signed"));
    }
    let progress = auditor.into_progress();
    store(state, &progress, &shown).map_err(|error| wrong(&error.to_string()))?;
    let mut cosigned = false;
    if let Some(signer) = signer {
        let line = format!("{}\n", shown.cosignature(signer, now.as_secs()));
        cosigned = log.cosign(line).await?;
    }
    Ok(Round { progress, fresh, cosigned })
}

/// Fetches what is new, bundle by bundle, and shows it to the auditor.
async fn read_entries(
    log: &Log,
    auditor: &mut Auditor,
    shown: &SignedCheckpoint,
    state: &Path,
) -> Result<(), Stopped> {
    let size = shown.head().size;
    while auditor.progress().growth.size() < size {
        let at = auditor.progress().growth.size();
        let tile = Tile::bundle(size, at / 256)
            .ok_or_else(|| Stopped::Wrong("a size that no log has".to_owned()))?;
        let missing = || Stopped::Unreachable("the log does not serve its entries".to_owned());
        let bytes = log.file(&tile.path(), BUNDLE_BYTES).await?.ok_or_else(missing)?;
        let entries = bundle_from_slice(tile.width, &bytes)
            .ok_or_else(|| Stopped::Wrong("a bundle of entries is spoiled".to_owned()))?;
        let skip = usize::try_from(at % 256).unwrap_or(0);
        for entry in entries.iter().skip(skip) {
            let blob = match auditor.blob_of(entry) {
                Some(hash) => {
                    let missing = || Stopped::Unreachable("an audit blob is not served".to_owned());
                    let path = format!("audit/{}", hex(&hash));
                    Some(log.file(&path, BLOB_BYTES).await?.ok_or_else(missing)?)
                }
                None => None,
            };
            let before = auditor.progress().epoch_at.clone();
            match auditor.entry(entry, blob.as_deref()).await {
                Ok(()) => {}
                Err(Finding::Broken(hint)) => return Err(Stopped::Wrong(hint)),
                Err(finding) => {
                    let index = auditor.progress().growth.size();
                    let proofs = match before {
                        Some((before, bytes)) => Some([
                            log.proof(before, &bytes, shown).await?,
                            log.proof(index, entry, shown).await?,
                        ]),
                        None => None,
                    };
                    return Err(keep(state, auditor.with_proofs(finding, proofs, blob.as_deref())));
                }
            }
        }
    }
    Ok(())
}

/// The log signed a smaller tree that the larger one does not begin with: the hashes that show it.
async fn forked(
    log: &Log,
    auditor: &Auditor,
    last: &SignedCheckpoint,
    shown: &SignedCheckpoint,
) -> Result<Option<Finding>, Stopped> {
    let (from, to) = (last.head().size, shown.head().size);
    if from == 0 || from >= to {
        return Ok(None);
    }
    let subtrees = log.hashes(to, |tiles| prefix_proof(from, to, &mut |tile| tiles(tile))).await?;
    Ok(auditor.equivocation(last, shown, subtrees))
}

/// Writes evidence, and says where.
fn keep(state: &Path, finding: Finding) -> Stopped {
    let (hint, evidence) = match finding {
        Finding::Broken(hint) => return Stopped::Wrong(hint),
        Finding::Epochs(_) => return Stopped::Wrong("an epoch breaks the rules".to_owned()),
        Finding::Proof(hint, evidence) => (hint, evidence),
    };
    let number = fs::read_dir(state).map_or(0, Iterator::count);
    let name = format!("evidence-{}-{number}.txt", evidence.kind());
    match replace(state, &name, evidence.to_string().as_bytes()) {
        Ok(()) => {
            Stopped::Wrong(format!("{hint}; the evidence is in {}", state.join(name).display()))
        }
        Err(error) => Stopped::Wrong(format!("{hint}; the evidence could not be written: {error}")),
    }
}

/// How far this auditor came.
struct Held {
    progress: Progress,
    checkpoint: Option<SignedCheckpoint>,
}

impl Held {
    fn read(state: &Path) -> Result<Self, String> {
        let read = |name: &str| match fs::read(state.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        let Some(bytes) = read("progress")? else {
            return Ok(Self { progress: Progress::default(), checkpoint: None });
        };
        let spoiled =
            || "the state folder is not what an auditor wrote; begin with an empty one".to_owned();
        let (progress, checkpoint) = Progress::from_slice(&bytes).ok_or_else(spoiled)?;
        Ok(Self { progress, checkpoint: Some(checkpoint) })
    }
}

/// One file for progress and checkpoint: they are of one moment.
fn store(state: &Path, progress: &Progress, shown: &SignedCheckpoint) -> std::io::Result<()> {
    replace(state, "progress", &progress.to_vec(shown))
}

async fn policy_of(log: &Log, options: &AuditRun) -> Result<Policy, Failure> {
    let Some(path) = &options.policy else { return log.pinned_policy(&options.state).await };
    let named = |error: &dyn std::fmt::Display| {
        Failure::Surroundings("policy", format!("{}: {error}", path.display()))
    };
    let bytes = fs::read(path).map_err(|error| named(&error))?;
    Policy::parse(&bytes).map_err(|error| named(&error))
}

fn builders(options: &AuditRun) -> Result<Builders, Failure> {
    let Some(path) = &options.builders else { return Ok(Builders::default()) };
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::Surroundings("builders", format!("{}: {error}", path.display()))
    })?;
    Builders::parse(&text)
        .map_err(|error| Failure::Surroundings("builders", format!("{}: {error}", path.display())))
}
