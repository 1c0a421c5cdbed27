// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger on the disk: kills fork nothing, an old copy signs nothing, and no handle is in it.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use nodoor_server::{
    Clock, Config, Server,
    ledger::{Ledger, LedgerError, LedgerKeys, Published},
    storage::{Storage as _, directory::Marks as _},
};
use nodoor_store_embedded::{Folder, LedgerFolder};
use nodoor_transparency::{
    audit,
    directory::{account_label, account_value, handle_label, verify_lookup},
    ledger::{
        checkpoint::{SignedCheckpoint, TreeHead},
        entry::Entry,
        policy::Policy,
        proof::verify_epoch,
        tree::{Growth, Tile, bundle_from_slice, leaf_hash},
    },
};
use nodoor_wire::{
    handle::Handle,
    proto::{self, answer::Body as Answer, lookup::Of, request::Body as Ask},
};

use crate::{
    folder::files,
    person::{NOW, TestClock, World, random},
};

const CHILD: &str = "NODOOR_LEDGER_CHILD";
const ROUNDS: u32 = 6;

async fn open(folder: &Path) -> Result<(Folder, Ledger), LedgerError> {
    let store = Folder::open_with_reserve(folder, 0).unwrap();
    let rows = Arc::new(LedgerFolder::open(folder).unwrap());
    let keys = LedgerKeys::from_seeds([1; 32], [2; 32], [3; 32]);
    let marks = Arc::new(store.clone());
    let ledger = Ledger::open(store.deployment(), rows, marks, keys, None, NOW).await?;
    Ok((store, ledger))
}

async fn world(folder: &Path) -> (World, Folder, Ledger) {
    let (store, ledger) = open(folder).await.unwrap();
    let clock = Arc::new(TestClock::at(NOW));
    let rng = Box::new(rand_core::UnwrapErr(getrandom::SysRng));
    let on = Arc::clone(&clock) as Arc<dyn Clock>;
    let (kept, config) = (ledger.clone(), Config::unlimited());
    let server = Server::open_with_ledger(store.clone(), kept, config, on, rng).unwrap();
    (World::of(server, clock), store, ledger)
}

async fn file(ledger: &Ledger, path: &str) -> Vec<u8> {
    ledger.file(path).await.unwrap().unwrap_or_else(|| panic!("{path}")).bytes.to_vec()
}

async fn head(ledger: &Ledger) -> TreeHead {
    SignedCheckpoint::parse(&file(ledger, "checkpoint").await).unwrap().head()
}

/// Every file of a ledger, its tree recomputed and its epochs audited.
async fn audited(ledger: &Ledger) -> Vec<Vec<u8>> {
    let head = head(ledger).await;
    let mut growth = Growth::new();
    let mut all = vec![file(ledger, "checkpoint").await];
    let mut before = None;
    for index in 0..head.size.div_ceil(256) {
        let bundle = Tile::bundle(head.size, index).unwrap();
        let bytes = file(ledger, &bundle.path()).await;
        for entry in bundle_from_slice(bundle.width, &bytes).unwrap() {
            growth.push(leaf_hash(&entry));
            let Entry::Epoch(epoch) = Entry::decode(&entry).unwrap() else { continue };
            if let Some(hash) = epoch.audit_blob {
                let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                let blob = file(ledger, &format!("audit/{name}")).await;
                audit::verify(&epoch, &blob).unwrap();
                all.push(blob);
            }
            if let Some(before) = before.replace(epoch.clone()) {
                epoch.may_follow(&before).unwrap();
            }
        }
        all.push(bytes);
    }
    assert_eq!(growth.root(), head.root);
    for level in 0..3 {
        for index in 0..=head.size {
            let Some(tile) = Tile::of_tree(head.size, level, index) else { break };
            all.push(file(ledger, &tile.path()).await);
        }
    }
    all
}

#[tokio::test]
async fn people_are_published_and_proved_also_after_a_restart_and_no_handle_is_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (mut registered, mut public) = (Vec::new(), Vec::new());
    for round in 0..3 {
        let (world, store, ledger) = world(folder.path()).await;
        world.clock.set(NOW + round * 2000);
        for name in ["whistleblower", "correspondent", "counsellor"] {
            let name = format!("{name}{round}");
            registered.push((world.person(&name).await, name));
        }
        let published = ledger.publish(NOW + round * 2000).await.unwrap();
        assert!(matches!(published, Published::Epoch { labels: 6, .. }), "{published:?}");
        assert_eq!(store.marks(None, 10).await.unwrap(), []);
        let policy = Policy::unwitnessed(ledger.log_key()).unwrap();
        let deployment = store.deployment();
        for (person, name) in &registered {
            let lookup = proto::Lookup { of: Some(Of::Handle(name.clone())) };
            let Answer::Lookup(found) = world.ask(Ask::Lookup(lookup)).await else { panic!() };
            let proof = found.directory.unwrap();
            let epoch = verify_epoch(&proof.epoch.unwrap(), &policy, NOW + 10_000).unwrap();
            let label = account_label(&deployment, &person.account);
            let shown = verify_lookup(&epoch.entry, &proof.vrf_key, &label, &proof.account);
            assert_eq!(shown.unwrap().value, account_value(&person.list));
            let label = handle_label(&deployment, &Handle::parse(name).unwrap());
            verify_lookup(&epoch.entry, &proof.vrf_key, &label, &proof.handle).unwrap();
        }
        public = audited(&ledger).await;
        for (person, _) in &mut registered {
            person.connection = None;
        }
    }
    // What anyone can fetch, and what the ledger's folder holds.
    let ledger_folder = files(&folder.path().join("ledger"));
    assert!(ledger_folder.len() > 5);
    let on_disk: Vec<u8> = ledger_folder.iter().flat_map(|path| fs::read(path).unwrap()).collect();
    let public = public.concat();
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
    for (person, name) in &registered {
        for bytes in [&public, &on_disk] {
            assert!(!holds(bytes, name.as_bytes()), "a handle");
        }
        assert!(!holds(&public, person.account.as_bytes()), "an account in public");
        assert!(!holds(&public, &account_value(&person.list)), "a list's hash in public");
        // The search finds what is there: the directory's own rows name the account.
        assert!(holds(&on_disk, person.account.as_bytes()));
    }
}

#[tokio::test]
async fn a_folder_from_before_it_had_a_ledger_is_published_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store, ledger) = world(folder.path()).await;
    let alice = world.person("alice").await;
    let marks = store.marks(None, 10).await.unwrap();
    assert_eq!(marks.len(), 2);
    store.unmark(marks.clone()).await.unwrap();
    assert_eq!(store.marks(None, 10).await.unwrap(), []);
    assert_eq!(store.mark_everything().unwrap(), 2);
    assert_eq!(store.marks(None, 10).await.unwrap(), marks);
    let published = ledger.publish(NOW).await.unwrap();
    assert!(matches!(published, Published::Epoch { labels: 2, .. }), "{published:?}");
    assert!(ledger.prove(alice.account, &account_value(&alice.list)).await.unwrap().is_some());
}

#[tokio::test]
async fn an_old_copy_of_the_ledgers_folder_does_not_open_and_the_newer_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let ledger_path = folder.path().join("ledger");
    let (first, second) = (copy.path().join("first"), copy.path().join("second"));
    let stopped = async |now_ms: u64| {
        let (store, ledger) = open(folder.path()).await.unwrap();
        ledger.publish(now_ms).await.unwrap();
        drop((store, ledger));
    };
    let copied = |from: &Path, to: &Path| {
        let done = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
        assert!(done.success());
    };
    stopped(NOW).await;
    copied(&ledger_path, &first);
    stopped(NOW + 600_000).await;
    copied(&ledger_path, &second);
    for (backup, opens) in [(&first, false), (&second, true)] {
        fs::remove_dir_all(&ledger_path).unwrap();
        copied(backup, &ledger_path);
        match open(folder.path()).await {
            Ok(_) => assert!(opens),
            Err(error) => {
                assert!(!opens, "{error}");
                assert!(matches!(error, LedgerError::Behind { size: 3, promised: 4 }), "{error}");
            }
        }
    }
}

#[test]
fn a_ledger_that_was_killed_again_and_again_is_one_tree_that_only_grew() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut seen = TreeHead { size: 0, root: nodoor_transparency::ledger::tree::empty_root() };
    for round in 0..ROUNDS {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "ledger::child", "--ignored", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = Vec::new();
        let [extra] = random::<1>();
        let wanted = 3 + usize::from(extra) % 20;
        for line in stdout.lines().map_while(Result::ok) {
            if let Some(note) = line.strip_prefix("served ") {
                said.push(note.replace('|', "\n"));
            }
            if said.len() == wanted {
                std::thread::sleep(Duration::from_micros(u64::from(extra) * 40));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        runtime.block_on(async {
            let (store, ledger) = open(folder.path()).await.unwrap();
            let now = head(&ledger).await;
            for note in &said {
                // Each checkpoint that left the process is of the tree that is there.
                let Ok(signed) = SignedCheckpoint::parse(note.as_bytes()) else { continue };
                let proof = ledger.consistency(signed.head().size, now.size).await.unwrap();
                signed.head().grows_into(&now, &proof).unwrap();
            }
            let proof = ledger.consistency(seen.size, now.size).await.unwrap();
            seen.grows_into(&now, &proof).unwrap();
            assert!(now.size > seen.size, "round {round}");
            seen = now;
            audited(&ledger).await;
            drop(store);
        });
    }
}

/// The child: people who register and are published until the end.
#[test]
#[ignore = "started by a_ledger_that_was_killed_again_and_again_is_one_tree_that_only_grew"]
fn child() {
    let Ok(folder) = env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (world, _, ledger) = world(Path::new(&folder)).await;
        let mut now = NOW + ledger.statistics().size * 1000;
        loop {
            world.clock.set(now);
            let name: String =
                random::<8>().iter().map(|byte| char::from(b'a' + byte % 26)).collect();
            world.person(&name).await;
            now += 1000;
            ledger.publish(now).await.unwrap();
            let note = String::from_utf8(file(&ledger, "checkpoint").await).unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "served {}", note.replace('\n', "|")).unwrap();
            out.flush().unwrap();
        }
    });
}
