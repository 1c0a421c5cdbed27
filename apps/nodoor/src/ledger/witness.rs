// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoor witness run`: cosigns checkpoints of the logs it follows, and never two that do not fit.
//!
//! One request at a time is decided: look up what was cosigned last, decide, *store, then sign*. What is stored is the
//! checkpoint itself, in a file for each origin: whoever restarts goes on from there. A crash between storing and
//! answering leaves a log that asks again and gets 409 with the size, as C2SP has it.
//!
//! Spec: C2SP tlog-witness v1.0.0 (`POST <prefix>/add-checkpoint`), tlog-cosignature.

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::post,
};
use nodoor_transparency::ledger::{
    checkpoint::{SignedCheckpoint, TreeHead},
    note::{NoteSigner, VerifierKey},
    policy::Policy,
    witness::{AddCheckpoint, Decision, KnownLog, REQUEST_BYTES, decide},
};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use super::{
    asked_to_stop,
    files::{hex, replace},
    key,
    log::Log,
};
use crate::{arguments::WitnessRun, failure::Failure};

/// Runs until a signal.
///
/// # Errors
/// A key, log or policy that is none; a state folder that cannot be written; an address that is taken.
pub(crate) async fn run(
    options: &WitnessRun,
    server: Option<&str>,
    json: bool,
) -> Result<(), Failure> {
    let signer = key::open(&options.key, &options.name)?;
    let verifier = signer.verifier().clone();
    let state = options.state.clone().unwrap_or_else(|| beside(&options.key));
    fs::create_dir_all(&state)?;
    let mut keys = logs(options)?;
    if let Some(server) = server {
        let policy = Log::at(server)?.pinned_policy(&state).await?;
        keys.extend(policy.logs().iter().map(|log| log.key.clone()));
    }
    let witness = Witness::open(signer, keys, &state)?;
    let followed = witness.logs().len();
    let listener = TcpListener::bind(options.listen).await.map_err(|error| {
        Failure::Surroundings("listen", format!("cannot listen on {}: {error}", options.listen))
    })?;
    announce(&verifier, listener.local_addr()?, followed, json);
    axum::serve(listener, router(Arc::new(witness)))
        .with_graceful_shutdown(asked_to_stop())
        .await?;
    Ok(())
}

/// Prints the public half of a key file.
///
/// # Errors
/// The file is no key, or cannot be made.
pub(crate) fn print_key(path: &Path, name: &str, json: bool) -> Result<(), Failure> {
    let key = key::open(path, name)?.verifier().to_string();
    if json {
        println!("{}", serde_json::json!({"key": key}))
    } else {
        println!("{key}")
    }
    Ok(())
}

fn announce(verifier: &VerifierKey, address: SocketAddr, logs: usize, json: bool) {
    if json {
        let line = serde_json::json!({"key": verifier.to_string(), "listen": address.to_string(), "logs": logs});
        println!("{line}");
    } else {
        println!("{verifier}\nlistening on http://{address}, following {logs} log(s)");
    }
    if logs == 0 {
        eprintln!("nodoor: follows no log yet: give --server URL, --log VKEY or --policy FILE");
    }
}

fn beside(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".logs");
    name.into()
}

/// The keys of the logs to follow, from the command line and the policy file.
fn logs(options: &WitnessRun) -> Result<Vec<VerifierKey>, Failure> {
    let mut keys = Vec::new();
    for text in &options.logs {
        keys.push(VerifierKey::parse(text).map_err(|_| {
            Failure::Usage("--log takes a verifier key: NAME+ID+BASE64".to_owned())
        })?);
    }
    if let Some(path) = &options.policy {
        let bytes = fs::read(path).map_err(|error| {
            Failure::Surroundings("policy", format!("{}: {error}", path.display()))
        })?;
        let policy = Policy::parse(&bytes).map_err(|error| {
            Failure::Surroundings("policy", format!("{}: {error}", path.display()))
        })?;
        keys.extend(policy.logs().iter().map(|log| log.key.clone()));
    }
    Ok(keys)
}

/// The witness: its key, its logs, and where it keeps what it cosigned.
struct Witness {
    signer: NoteSigner,
    state: PathBuf,
    /// Held as long as this runs.
    _lock: fs::File,
    logs: Mutex<BTreeMap<String, KnownLog>>,
}

impl Witness {
    fn open(signer: NoteSigner, keys: Vec<VerifierKey>, state: &Path) -> Result<Self, Failure> {
        let lock = alone(state)?;
        let mut logs: BTreeMap<String, KnownLog> = BTreeMap::new();
        for key in keys {
            let origin = key.name().to_owned();
            let last = read_last(state, &origin)?;
            let log = logs.entry(origin).or_insert(KnownLog { keys: Vec::new(), last });
            if !log.keys.contains(&key) {
                log.keys.push(key);
            }
        }
        Ok(Self { signer, state: state.to_owned(), _lock: lock, logs: Mutex::new(logs) })
    }

    fn logs(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, KnownLog>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides, stores, signs, under one lock: two requests at a time could roll each other back.
    fn add_checkpoint(&self, body: &[u8], now_seconds: u64) -> Answer {
        let Some(request) = AddCheckpoint::parse(body) else {
            return Answer::Refused(Decision::Malformed);
        };
        let origin = request.checkpoint.checkpoint().origin().to_owned();
        let mut logs = self.logs();
        let decision = decide(&request, logs.get(&origin));
        match decision {
            Decision::Cosign(head) => {
                if write_last(&self.state, &origin, &request.checkpoint).is_err() {
                    return Answer::Failed;
                }
                if let Some(log) = logs.get_mut(&origin) {
                    log.last = Some(head);
                }
                let line = request.checkpoint.cosignature(&self.signer, now_seconds);
                Answer::Cosigned(format!("{line}\n"))
            }
            // Only this is proved by signatures alone: anyone may send a proof that proves nothing (decision 0008).
            Decision::Conflict { forked: true, .. } => {
                self.keep(&origin, &request.checkpoint);
                Answer::Refused(decision)
            }
            refused => Answer::Refused(refused),
        }
    }

    /// The log signed something that does not fit what it signed before. Both are kept: that is evidence.
    fn keep(&self, origin: &str, checkpoint: &SignedCheckpoint) {
        let note = checkpoint.to_vec();
        // By what it is, so that none takes another's place.
        let name = format!("{}.fork-{}", file_of(origin), hex(&Sha256::digest(&note)));
        eprintln!(
            "nodoor: evidence: {} does not fit what was cosigned",
            self.state.join(&name).display()
        );
        if let Err(error) = replace(&self.state, &name, &note) {
            eprintln!("nodoor: evidence: it could not be written: {error}");
        }
    }
}

/// What a request gets.
enum Answer {
    Cosigned(String),
    Refused(Decision),
    /// The state could not be stored: nothing was signed.
    Failed,
}

fn router(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match witness.add_checkpoint(&body, now) {
        Answer::Cosigned(lines) => lines.into_response(),
        Answer::Failed => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Answer::Refused(decision) => {
            let status = StatusCode::from_u16(decision.status()).unwrap_or(StatusCode::BAD_REQUEST);
            match decision {
                Decision::Conflict { size, .. } => {
                    let kind = [(CONTENT_TYPE, "text/x.tlog.size")];
                    (status, kind, format!("{size}\n")).into_response()
                }
                _ => status.into_response(),
            }
        }
    }
}

/// Makes sure that nobody else goes by this folder: each of two would cosign what the other does not know of.
fn alone(state: &Path) -> Result<fs::File, Failure> {
    let file = fs::File::create(state.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Failure::Surroundings(
            "state",
            format!("another witness runs on {}", state.display()),
        )),
        Err(fs::TryLockError::Error(error)) => Err(Failure::system(&error)),
    }
}

fn file_of(origin: &str) -> String {
    hex(&Sha256::digest(origin))
}

fn read_last(state: &Path, origin: &str) -> Result<Option<TreeHead>, Failure> {
    let path = state.join(file_of(origin));
    match fs::read(&path) {
        Ok(bytes) => {
            let last = SignedCheckpoint::parse(&bytes).ok();
            let last = last.filter(|last| last.checkpoint().origin() == origin);
            let hint = || format!("{} is not what this witness wrote", path.display());
            // Going on from nothing would sign a second history.
            last.map(|last| Some(last.head())).ok_or_else(|| Failure::Surroundings("state", hint()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::system(&error)),
    }
}

fn write_last(state: &Path, origin: &str, checkpoint: &SignedCheckpoint) -> io::Result<()> {
    replace(state, &file_of(origin), &checkpoint.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Log(NoteSigner);

    impl Log {
        fn new() -> Self {
            Self(NoteSigner::log("log.example/1", [7; 32]).unwrap())
        }

        fn asks(&self, old_size: u64, size: u64, root: u8) -> Vec<u8> {
            let checkpoint =
                SignedCheckpoint::sign(&self.0, TreeHead { size, root: [root; 32] }).unwrap();
            AddCheckpoint { old_size, consistency: Vec::new(), checkpoint }.to_string().into_bytes()
        }
    }

    fn witness(state: &Path, log: &Log) -> Witness {
        let signer = NoteSigner::cosigner("witness.example/w1", [9; 32]).unwrap();
        Witness::open(signer, vec![log.0.verifier().clone()], state).unwrap()
    }

    fn status(answer: &Answer) -> u16 {
        match answer {
            Answer::Cosigned(_) => 200,
            Answer::Refused(decision) => decision.status(),
            Answer::Failed => 500,
        }
    }

    #[test]
    fn a_fork_is_refused_also_after_a_restart_and_kept_as_evidence() {
        let state = tempfile::tempdir().unwrap();
        let log = Log::new();
        let first = witness(state.path(), &log);
        let answer = first.add_checkpoint(&log.asks(0, 5, 1), 1000);
        assert_eq!(status(&answer), 200);
        drop(first);
        let again = witness(state.path(), &log);
        assert_eq!(status(&again.add_checkpoint(&log.asks(0, 5, 1), 1000)), 409);
        assert_eq!(status(&again.add_checkpoint(&log.asks(5, 5, 2), 1000)), 409);
        assert_eq!(status(&again.add_checkpoint(&log.asks(5, 5, 4), 1000)), 409);
        // A proof that proves nothing may be anybody's: no evidence against the log.
        assert_eq!(status(&again.add_checkpoint(&log.asks(5, 9, 3), 1000)), 422);
        let kept = fs::read_dir(state.path()).unwrap().count();
        assert_eq!(kept, 4, "what was cosigned, both forks, and the lock");
    }

    #[test]
    fn two_witnesses_do_not_go_by_one_folder() {
        let state = tempfile::tempdir().unwrap();
        let log = Log::new();
        let first = witness(state.path(), &log);
        let signer = NoteSigner::cosigner("witness.example/w1", [9; 32]).unwrap();
        let keys = vec![log.0.verifier().clone()];
        // It would cosign another history of a size that the first one comes to.
        assert!(Witness::open(signer, keys, state.path()).is_err());
        drop(first);
        witness(state.path(), &log);
    }

    #[test]
    fn nothing_is_signed_when_the_state_cannot_be_stored() {
        let state = tempfile::tempdir().unwrap();
        let log = Log::new();
        let witness = witness(state.path(), &log);
        fs::remove_dir_all(state.path()).unwrap();
        assert_eq!(status(&witness.add_checkpoint(&log.asks(0, 5, 1), 1000)), 500);
        fs::create_dir_all(state.path()).unwrap();
        // Nothing was signed for size 5, so another history of that size may still be.
        assert_eq!(status(&witness.add_checkpoint(&log.asks(0, 5, 2), 1000)), 200);
    }

    #[test]
    fn another_log_and_another_key_are_refused() {
        let state = tempfile::tempdir().unwrap();
        let log = Log::new();
        let witness = witness(state.path(), &log);
        let stranger = Log(NoteSigner::log("log.example/2", [7; 32]).unwrap());
        assert_eq!(status(&witness.add_checkpoint(&stranger.asks(0, 5, 1), 1000)), 404);
        let forger = Log(NoteSigner::log("log.example/1", [8; 32]).unwrap());
        assert_eq!(status(&witness.add_checkpoint(&forger.asks(0, 5, 1), 1000)), 403);
        assert_eq!(status(&witness.add_checkpoint(b"old x\n\n", 1000)), 400);
    }

    #[test]
    fn a_spoiled_state_stops_the_witness() {
        let state = tempfile::tempdir().unwrap();
        let log = Log::new();
        fs::write(state.path().join(file_of("log.example/1")), "spoiled").unwrap();
        let signer = NoteSigner::cosigner("witness.example/w1", [9; 32]).unwrap();
        assert!(Witness::open(signer, vec![log.0.verifier().clone()], state.path()).is_err());
    }
}
