// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger from outside: files that anyone fetches, witnesses that are waited for, and a log that names nobody.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use nodoor_bench::actor::{Actor, hello};
use nodoor_transparency::{
    key::SigningKey,
    ledger::{
        checkpoint::{SignedCheckpoint, TreeHead},
        entry::{Entry, Governance, GovernanceKind, Release, ReleaseKind},
        note::NoteSigner,
        policy::Policy,
        tree::{Growth, Tile, bundle_from_slice, leaf_hash},
        witness::{AddCheckpoint, Decision, KnownLog, decide},
    },
    release::sign,
};
use nodoor_wire::proto::ConnectionKind;
use rustix::process::Signal;
use tokio::runtime::Runtime;

use crate::daemon::{Daemon, run};

/// Status and body of a request.
fn ask(address: &str, request: &str, body: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!("Host: {address}\r\nConnection: close\r\nContent-Length: {length}");
    write!(stream, "{request} HTTP/1.1\r\n{head}\r\n\r\n{body}").unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&reply[9..12]).parse().unwrap();
    (status, reply[end + 4..].to_vec())
}

pub(crate) fn file(address: &str, path: &str) -> Option<Vec<u8>> {
    let (status, body) = ask(address, &format!("GET /ledger/{path}"), "");
    (status == 200).then_some(body)
}

fn checkpoint(address: &str, name: &str) -> Option<SignedCheckpoint> {
    file(address, name).map(|note| SignedCheckpoint::parse(&note).unwrap())
}

/// Waits until something is so.
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn entries(address: &str, head: TreeHead) -> Vec<Entry> {
    let mut growth = Growth::new();
    let bundle = Tile::bundle(head.size, 0).unwrap();
    let bytes = file(address, &bundle.path()).unwrap();
    let entries = bundle_from_slice(bundle.width, &bytes).unwrap();
    entries.iter().for_each(|entry| growth.push(leaf_hash(entry)));
    assert_eq!(growth.root(), head.root);
    entries.iter().map(|entry| Entry::decode(entry).unwrap()).collect()
}

/// Hands in so many notes, as an operator does.
pub(crate) fn hand_in_notes(data: &Path, count: u32) {
    let aside = data.join("entries.new");
    std::fs::create_dir(&aside).unwrap();
    for number in 0..count {
        let document = number.to_string().into_bytes();
        let note = Governance::with_document(GovernanceKind::Note, document, 1);
        let path = aside.join(format!("{number:05}.entry"));
        std::fs::write(path, Entry::Governance(note).encode().unwrap()).unwrap();
    }
    std::fs::rename(aside, data.join("entries")).unwrap();
}

/// A release that these signed.
fn release_of(builders: &[SigningKey]) -> Entry {
    let release = Release {
        kind: ReleaseKind::Server,
        version: "1".to_owned(),
        sequence: 1,
        source_commit: vec![1; 20],
        toolchain: [2; 32],
        artifacts: Vec::new(),
        manifest: Some([3; 32]),
        not_before_ms: 1,
        emergency: true,
        signatures: Vec::new(),
    };
    Entry::Release(builders.iter().fold(release, sign))
}

#[test]
fn where_the_builders_are_named_nobody_elses_release_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let keys = [1, 2, 3].map(|seed| SigningKey::from_seed([seed; 32]));
    let line = |(name, key): (&str, &SigningKey)| {
        let hex: String = key.public().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("builder {name} {hex}\n")
    };
    let builders = folder.path().join("builders");
    std::fs::write(&builders, [("bob", &keys[0]), ("carol", &keys[1])].map(line).concat()).unwrap();
    let named = builders.to_str().unwrap();
    let daemon = Daemon::start(&data, &["--epoch-seconds", "1", "--builders", named]);
    let theirs = release_of(&keys[..2]);
    let aside = folder.path().join("entries");
    std::fs::create_dir(&aside).unwrap();
    for (name, entry) in [("1.entry", release_of(&keys[1..])), ("2.entry", theirs.clone())] {
        std::fs::write(aside.join(name), entry.encode().unwrap()).unwrap();
    }
    std::fs::rename(aside, data.join("entries")).unwrap();
    until(|| {
        let head = checkpoint(&daemon.address, "checkpoint")?.head();
        entries(&daemon.address, head).contains(&theirs).then_some(())
    });
    assert!(data.join("entries/1.refused").exists());
    std::fs::write(&builders, "nobody\n").unwrap();
    let other = folder.path().join("other");
    let output = run(&["run", "--data", other.to_str().unwrap(), "--builders", named]);
    assert_eq!(output.status.code(), Some(2));
}

fn labels(entries: &[Entry]) -> u64 {
    let labels = |entry: &Entry| if let Entry::Epoch(epoch) = entry { epoch.labels } else { 0 };
    entries.iter().map(labels).sum()
}

#[test]
fn who_registers_is_in_the_ledger_soon_after_and_no_file_or_log_line_names_them() {
    let runtime = Runtime::new().unwrap();
    let data = tempfile::tempdir().unwrap();
    let alice = Actor::of_seed([1; 32]);
    let daemon = Daemon::start(data.path(), &["--epoch-seconds", "1"]);
    let at = daemon.address.clone();
    runtime.block_on(async { alice.register(&at).await.map(drop) }).unwrap();
    until(|| {
        let head = checkpoint(&at, "checkpoint")?.head();
        (labels(&entries(&at, head)) == 2).then_some(())
    });
    // What an operator hands in is logged, and what is no entry is set aside.
    let note = Governance::with_document(GovernanceKind::Note, b"read this".to_vec(), 1);
    let note = Entry::Governance(note);
    let folder = data.path().join("entries");
    std::fs::create_dir(&folder).unwrap();
    let builders = [1, 2].map(|seed| SigningKey::from_seed([seed; 32]));
    let [none, one, two] = [&builders[..0], &builders[..1], &builders].map(release_of);
    let handed_in = [
        ("1", b"nonsense".to_vec()),
        ("2", note.encode().unwrap()),
        ("3", none.encode().unwrap()),
        ("4", one.encode().unwrap()),
        ("5", two.encode().unwrap()),
    ];
    for (name, bytes) in handed_in {
        std::fs::write(folder.join(name), bytes).unwrap();
        std::fs::rename(folder.join(name), folder.join(format!("{name}.entry"))).unwrap();
    }
    let head = until(|| {
        let head = checkpoint(&at, "checkpoint")?.head();
        let entries = entries(&at, head);
        (entries.contains(&note) && entries.contains(&two)).then_some(head)
    });
    until(|| (!folder.join("5.entry").exists()).then_some(()));
    for refused in ["1.refused", "3.refused", "4.refused"] {
        assert!(head.size > 2 && folder.join(refused).exists(), "{refused}");
    }
    let logged = entries(&at, head);
    assert!(!logged.contains(&none) && !logged.contains(&one));
    let (status, _) = ask(&at, "GET /ledger/tile/0/001", "");
    assert_eq!(status, 404);
    for path in ["policy", "pending", "checkpoint"] {
        assert!(file(&at, path).is_some(), "{path}");
    }
    assert!(file(&at, "../format").is_none());
    let tile = Tile::of_tree(head.size, 0, 0).unwrap();
    assert_eq!(file(&at, &tile.path()).unwrap().len(), usize::from(tile.width) * 32);
    let (_, metrics) = ask(&at, "GET /metrics", "");
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("nodoor_ledger_epoch 1\n"), "{metrics}");

    let (status, _, said) = daemon.stop(Signal::TERM);
    assert!(status.success());
    assert!(!said.contains(&alice.handle()), "{said}");
    for path in files(&data.path().join("ledger")) {
        let bytes = std::fs::read(&path).unwrap();
        let handle = alice.handle().into_bytes();
        assert!(!bytes.windows(handle.len()).any(|part| part == handle), "{}", path.display());
    }
    // A restart goes on with the same tree.
    let daemon = Daemon::start(data.path(), &[]);
    let again = checkpoint(&daemon.address, "checkpoint").unwrap().head();
    assert!(again.size >= head.size);
    drop(daemon);
    let output = run(&["check", "--data", data.path().to_str().unwrap()]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("2  versions of labels\n"), "{said}");
    // An old copy of it does not start.
    std::fs::remove_dir_all(data.path().join("ledger")).unwrap();
    let data = data.path().to_str().unwrap();
    let output = run(&["run", "--data", data, "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("bring the missing entries back"), "{said}");
}

/// A witness in this process, which can be away.
#[derive(Clone)]
struct Witness {
    signer: NoteSigner,
    log: Arc<Mutex<KnownLog>>,
    away: Arc<Mutex<bool>>,
}

impl Witness {
    fn new() -> Self {
        let signer = NoteSigner::cosigner("witness.example", [5; 32]).unwrap();
        let log = Arc::new(Mutex::new(KnownLog { keys: Vec::new(), last: None }));
        Self { signer, log, away: Arc::new(Mutex::new(true)) }
    }

    fn router(&self) -> Router {
        Router::new().route("/w/add-checkpoint", post(cosign)).with_state(self.clone())
    }
}

async fn cosign(State(witness): State<Witness>, body: Bytes) -> (StatusCode, String) {
    if *witness.away.lock().unwrap() {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    let Some(request) = AddCheckpoint::parse(&body) else {
        return (StatusCode::BAD_REQUEST, String::new());
    };
    let mut log = witness.log.lock().unwrap();
    let decision = decide(&request, Some(&log));
    let text = match decision {
        Decision::Cosign(head) => {
            log.last = Some(head);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            format!("{}\n", request.checkpoint.cosignature(&witness.signer, now))
        }
        Decision::Conflict { size, .. } => format!("{size}\n"),
        _ => String::new(),
    };
    (StatusCode::from_u16(decision.status()).unwrap(), text)
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

#[test]
fn a_server_with_a_policy_serves_nothing_before_its_witness_cosigned_and_goes_on_when_it_does() {
    let runtime = Runtime::new().unwrap();
    let witness = Witness::new();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/w", listener.local_addr().unwrap());
    let router = witness.router();
    runtime.spawn(async move { axum::serve(listener, router).await });

    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    let policy = data.path().join("policy");
    let text = format!("witness w {} {url}\nquorum w\n", witness.signer.verifier());
    std::fs::write(&policy, text).unwrap();
    let options = ["--epoch-seconds", "1", "--ledger-policy", policy.to_str().unwrap()];
    let daemon = Daemon::start(&folder, &options);
    let at = daemon.address.clone();
    let pending = until(|| checkpoint(&at, "pending"));
    assert_eq!(checkpoint(&at, "checkpoint"), None);
    let (_, hello) = runtime.block_on(hello(&at, ConnectionKind::Anonymous)).unwrap();
    let policy = Policy::parse(&hello.policy).unwrap();
    assert!(policy.has_quorum());
    let now_ms = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        u64::try_from(now).unwrap()
    };
    assert!(policy.satisfied(&pending, now_ms()).is_err());
    // What is no cosignature is not taken, whoever sends it.
    assert_eq!(ask(&at, "POST /ledger/cosignature", "nonsense").0, 422);
    let mallory = NoteSigner::cosigner("witness.example", [6; 32]).unwrap();
    let forged = format!("{}\n", pending.cosignature(&mallory, now_ms() / 1000));
    assert_eq!(ask(&at, "POST /ledger/cosignature", &forged).0, 422);

    let log = policy.logs()[0].key.clone();
    witness.log.lock().unwrap().keys = vec![log];
    *witness.away.lock().unwrap() = false;
    let served = until(|| checkpoint(&at, "checkpoint"));
    assert_eq!(policy.satisfied(&served, now_ms()).unwrap().witnesses, ["w"]);

    // From here on each epoch is cosigned, also by a witness that a restarted server has to ask where it stands.
    let alice = Actor::of_seed([1; 32]);
    runtime.block_on(async { alice.register(&at).await.map(drop) }).unwrap();
    until(|| {
        let served = checkpoint(&at, "checkpoint")?;
        policy.satisfied(&served, now_ms()).unwrap();
        (labels(&entries(&at, served.head())) == 2).then_some(())
    });
    drop(daemon);
    let daemon = Daemon::start(&folder, &options);
    let at = daemon.address.clone();
    let bob = Actor::of_seed([2; 32]);
    runtime.block_on(async { bob.register(&at).await.map(drop) }).unwrap();
    until(|| {
        let served = checkpoint(&at, "checkpoint")?;
        policy.satisfied(&served, now_ms()).unwrap();
        (labels(&entries(&at, served.head())) == 4).then_some(())
    });
    assert_eq!(
        witness.log.lock().unwrap().last,
        Some(checkpoint(&at, "checkpoint").unwrap().head())
    );
}
