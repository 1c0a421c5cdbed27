// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger: what is registered is published and proved; a crash forks nothing; nothing unsatisfied is served.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use nodoor_server::{
    Clock, Config, Server,
    ledger::{Cosigned, EPOCH_LABELS, Ledger, LedgerError, LedgerKeys, Published},
    storage::{
        Answer as Stored, Day, Storage as _, StorageError,
        directory::{Directory, Mark, Marks, NodeName, Subject},
        ledger::{Appended, LedgerStorage, Log, LogAppend, Note},
        ledger_memory::LedgerMemory,
        memory::Memory,
    },
};
use nodoor_transparency::{
    audit,
    directory::{
        account_label, account_value, handle_label, handle_value, verify_history, verify_lookup,
    },
    key::{Signer, SigningKey},
    ledger::{
        checkpoint::SignedCheckpoint,
        disclosure::{Cadence, HOUR_MS, SLOTS, commit, empty_slot, hour_of},
        entry::{Entry, Governance, GovernanceKind, KtEpoch},
        note::NoteSigner,
        policy::Policy,
        proof::{Logged, verify_epoch},
        tree::{Growth, bundle_from_slice, leaf_hash},
    },
    list::{Device, DeviceList},
    statement::{Dispute, HandleClaim},
};
use nodoor_wire::{
    code::Code,
    handle::Handle,
    id::{AccountId, DeploymentId},
    proto::{self, answer::Body as Answer, lookup::Of, request::Body as Ask},
};

use crate::person::{NOW, Person, TestClock, World, ask, assert_done, assert_refused, random};

const DEPLOYMENT: DeploymentId = DeploymentId([9; 16]);
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

fn keys() -> LedgerKeys {
    LedgerKeys::from_seeds([1; 32], [2; 32], [3; 32])
}

/// A server with a ledger, in memory.
pub(crate) struct Deployment {
    pub(crate) world: World,
    pub(crate) accounts: Memory,
    pub(crate) store: LedgerMemory,
    pub(crate) ledger: Ledger,
}

impl Deployment {
    pub(crate) async fn new() -> Self {
        Self::with_policy(None).await
    }

    pub(crate) async fn with_tokens_needed() -> Self {
        Self::configured(Config { tokens_needed: true, ..Config::default() }).await
    }

    pub(crate) async fn without_budgets() -> Self {
        Self::configured(Config::unlimited()).await
    }

    async fn configured(config: Config) -> Self {
        let (accounts, store) = (Memory::new(DEPLOYMENT), LedgerMemory::default());
        Self::with(accounts, store, None, config).await.unwrap()
    }

    async fn with_policy(policy: Option<&str>) -> Self {
        let (accounts, store) = (Memory::new(DEPLOYMENT), LedgerMemory::default());
        Self::on(accounts, store, policy).await.unwrap()
    }

    /// What a start on these stores gives.
    async fn on(
        accounts: Memory,
        store: LedgerMemory,
        policy: Option<&str>,
    ) -> Result<Self, LedgerError> {
        Self::with(accounts, store, policy, Config::default()).await
    }

    async fn with(
        accounts: Memory,
        store: LedgerMemory,
        policy: Option<&str>,
        config: Config,
    ) -> Result<Self, LedgerError> {
        let ledger = open(&accounts, Arc::new(store.clone()), policy).await?;
        let clock = Arc::new(TestClock::at(NOW));
        let rng = Box::new(rand_core::UnwrapErr(getrandom::SysRng));
        let on = Arc::clone(&clock) as Arc<dyn Clock>;
        let kept = ledger.clone();
        let server = Server::open_with_ledger(accounts.clone(), kept, config, on, rng).unwrap();
        Ok(Self { world: World::of(server, clock), accounts, store, ledger })
    }

    pub(crate) async fn restarted(self, policy: Option<&str>) -> Result<Self, LedgerError> {
        Self::on(self.accounts, self.store, policy).await
    }

    pub(crate) async fn publish(&self) -> Published {
        self.ledger.publish(self.world.clock.now_ms()).await.unwrap()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.world.clock.now_ms()
    }

    fn policy(&self) -> Policy {
        Policy::unwitnessed(self.ledger.log_key()).unwrap()
    }

    /// What a client sees of a person: the look-up, verified.
    async fn shown(&self, person: &Person, of: Of) -> Option<Logged<KtEpoch>> {
        let answer = self.look_up(of.clone()).await;
        let proof = answer.directory?;
        let epoch = proof.epoch.unwrap();
        let logged = verify_epoch(&epoch, &self.policy(), self.world.clock.now_ms()).unwrap();
        let label = account_label(&DEPLOYMENT, &person.account);
        let shown = verify_lookup(&logged.entry, &proof.vrf_key, &label, &proof.account).unwrap();
        assert_eq!(shown.value, account_value(&person.list));
        if let Of::Handle(handle) = of {
            let label = handle_label(&DEPLOYMENT, &Handle::parse(&handle).unwrap());
            let shown =
                verify_lookup(&logged.entry, &proof.vrf_key, &label, &proof.handle).unwrap();
            assert_eq!(shown.value, handle_value(&person.account));
        }
        Some(logged)
    }

    async fn look_up(&self, of: Of) -> proto::LookupAnswer {
        match self.world.ask(Ask::Lookup(proto::Lookup { of: Some(of) })).await {
            Answer::Lookup(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let file = futures_now(self.ledger.file(path)).unwrap();
        file.map(|file| file.bytes.to_vec())
    }

    fn checkpoint(&self) -> Option<SignedCheckpoint> {
        self.file("checkpoint").map(|note| SignedCheckpoint::parse(&note).unwrap())
    }

    /// The log as a stranger reads it: its tiles, recomputed, and its epochs, audited.
    fn audited(&self) -> Vec<Entry> {
        let head = self.checkpoint().unwrap().head();
        let mut entries = Vec::new();
        let mut growth = Growth::new();
        for bundle in 0..head.size.div_ceil(256) {
            let width = u16::try_from((head.size - bundle * 256).min(256)).unwrap();
            let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
            let bytes = self.file(&format!("tile/entries/{bundle:03}{partial}")).unwrap();
            for entry in bundle_from_slice(width, &bytes).unwrap() {
                growth.push(leaf_hash(&entry));
                entries.push(Entry::decode(&entry).unwrap());
            }
        }
        assert_eq!(growth.root(), head.root);
        let mut before: Option<KtEpoch> = None;
        for entry in &entries {
            let Entry::Epoch(epoch) = entry else { continue };
            match before {
                Some(before) => epoch.may_follow(&before).unwrap(),
                None => {
                    assert_eq!(epoch.previous_root, nodoor_transparency::directory::empty_root())
                }
            }
            if let Some(hash) = epoch.audit_blob {
                let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                let blob = self.file(&format!("audit/{name}")).unwrap();
                audit::verify(epoch, &blob).unwrap();
            }
            before = Some(epoch.clone());
        }
        entries
    }
}

async fn open(
    accounts: &Memory,
    store: Arc<dyn LedgerStorage>,
    policy: Option<&str>,
) -> Result<Ledger, LedgerError> {
    let marks: Arc<dyn Marks> = Arc::new(accounts.clone());
    Ledger::open(accounts.deployment(), store, marks, keys(), policy, NOW).await
}

/// What never waits: the stores of these tests.
fn futures_now<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("a store of memory waits"),
    }
}

fn handle(name: &str) -> Of {
    Of::Handle(name.to_owned())
}

fn account(person: &Person) -> Of {
    Of::Account(person.account.to_bytes())
}

fn epochs(entries: &[Entry]) -> Vec<&KtEpoch> {
    entries.iter().filter_map(|e| if let Entry::Epoch(e) = e { Some(e) } else { None }).collect()
}

#[tokio::test]
async fn who_registers_is_published_and_a_look_up_verifies() {
    let deployment = Deployment::new().await;
    let alice = deployment.world.person("alice").await;
    // Nothing is proved before it is published, and nothing is made up.
    assert_eq!(deployment.look_up(handle("alice")).await.directory, None);
    assert_eq!(deployment.checkpoint(), None);
    let done = deployment.publish().await;
    assert!(matches!(done, Published::Epoch { epoch: 1, labels: 2, .. }), "{done:?}");
    let by_handle = deployment.shown(&alice, handle("alice")).await.unwrap();
    let by_account = deployment.shown(&alice, account(&alice)).await.unwrap();
    assert_eq!(by_handle.entry, by_account.entry);
    assert!(by_account.satisfaction.unwitnessed);

    // A later one is shown too, and Alice still is.
    let bob = deployment.world.person("bob").await;
    deployment.world.clock.set(NOW + 2000);
    assert!(matches!(deployment.publish().await, Published::Epoch { epoch: 2, labels: 2, .. }));
    assert_eq!(deployment.shown(&bob, handle("bob")).await.unwrap().entry.epoch, 2);
    assert_eq!(deployment.shown(&alice, handle("alice")).await.unwrap().entry.epoch, 2);
    assert_eq!(deployment.publish().await, Published::Nothing);
    assert_eq!(epochs(&deployment.audited()).len(), 2);
}

#[tokio::test]
async fn a_list_that_changed_is_proved_once_it_is_published_and_its_history_shows_every_version() {
    let deployment = Deployment::new().await;
    let mut alice = deployment.world.person("alice").await;
    deployment.publish().await;
    let mut values = vec![account_value(&alice.list)];
    for round in 1..4 {
        let mut devices = alice.list.devices().to_vec();
        let key = nodoor_transparency::key::SigningKey::from_seed(crate::person::random());
        let fresh = Device::new(key.public(), crate::person::random(), crate::person::random());
        devices.push(fresh);
        let next = alice.list.successor(devices);
        let signed = next.sign(&[Signer::Device(&alice.device_key), Signer::Device(&key)]);
        let (connection, _) = deployment.world.login_connection().await;
        let put = Ask::ListPut(proto::ListPut { list: Some(signed) });
        assert_done(ask(&deployment.world.server, &connection, put).await);
        alice.list = next;
        values.push(account_value(&alice.list));
        // The newest list is in no epoch: no proof of an older one is passed off for it.
        assert_eq!(deployment.look_up(account(&alice)).await.directory, None);
        deployment.world.clock.set(NOW + round * 2000);
        deployment.publish().await;
        deployment.shown(&alice, account(&alice)).await.unwrap();
    }
    alice.reconnect(&deployment.world).await;
    let asked = Ask::History(proto::History { newest: 10 });
    let Answer::History(history) = alice.ask(&deployment.world, asked).await else { panic!() };
    let epoch = verify_epoch(&history.epoch.unwrap(), &deployment.policy(), NOW + MINUTE).unwrap();
    let label = account_label(&DEPLOYMENT, &alice.account);
    let shown = verify_history(&epoch.entry, &history.vrf_key, &label, &history.proof, 10).unwrap();
    assert_eq!(shown.iter().map(|one| one.value).collect::<Vec<_>>(), values);
    deployment.audited();

    let many = Ask::History(proto::History { newest: 1001 });
    assert_refused(&alice.ask(&deployment.world, many).await, Code::TooLarge);
}

#[tokio::test]
async fn a_removed_device_objects_within_a_week_of_ledger_time_and_no_later() {
    let deployment = Deployment::without_budgets().await;
    let world = &deployment.world;
    let alice = world.person("alice").await;
    deployment.publish().await;
    let put = async |list: &DeviceList, keys: &[&SigningKey]| {
        let signers: Vec<Signer<'_>> = keys.iter().map(|key| Signer::Device(key)).collect();
        let (connection, _) = world.login_connection().await;
        let put = Ask::ListPut(proto::ListPut { list: Some(list.sign(&signers)) });
        assert_done(ask(&world.server, &connection, put).await);
    };
    let dispute = async |list: &DeviceList, key: &SigningKey| {
        let (connection, _) = world.login_connection().await;
        let put = proto::DisputePut { dispute: Some(Dispute::sign(list, key)) };
        ask(&world.server, &connection, Ask::DisputePut(put)).await
    };
    let keys: [SigningKey; 4] = std::array::from_fn(|_| SigningKey::from_seed(random()));
    let mut devices = alice.list.devices().to_vec();
    devices.extend(keys.iter().map(|key| Device::new(key.public(), random(), random())));
    let all = alice.list.successor(devices.clone());
    put(&all, &[&alice.device_key, &keys[0], &keys[1], &keys[2], &keys[3]]).await;
    // One device goes, then two more in the same epoch, the last one in the next.
    let first = all.successor([0, 2, 3, 4].map(|at| devices[at].clone()).to_vec());
    let second = first.successor([0, 4].map(|at| devices[at].clone()).to_vec());
    let third = second.successor(vec![devices[0].clone()]);
    put(&first, &[&alice.device_key]).await;
    put(&second, &[&alice.device_key]).await;
    // As long as it is not logged its time does not run.
    world.clock.set(NOW + 8 * DAY);
    assert_done(dispute(&first, &keys[0]).await);
    let logged = NOW + 9 * DAY;
    world.clock.set(logged);
    deployment.publish().await;
    put(&third, &[&alice.device_key]).await;
    for at in [logged + DAY, logged + 2 * DAY, logged + 7 * DAY - 1] {
        world.clock.set(at);
        deployment.publish().await;
    }
    // The clock alone says nothing.
    world.clock.set(logged + 7 * DAY);
    assert_done(dispute(&second, &keys[1]).await);
    deployment.publish().await;
    world.clock.set(logged + 7 * DAY + MINUTE);
    deployment.publish().await;
    assert_refused(&dispute(&second, &keys[2]).await, Code::TooLate);
    assert_done(dispute(&third, &keys[3]).await);
    // Whoever did not hear the yes asks again.
    assert_done(dispute(&first, &keys[0]).await);
    assert_done(dispute(&second, &keys[1]).await);
}

#[tokio::test]
async fn an_account_that_changes_twice_in_an_epoch_is_published_once_and_as_it_is_last() {
    let deployment = Deployment::new().await;
    let alice = deployment.world.person("alice").await;
    let subject = nodoor_server::storage::directory::Subject::Account(alice.account);
    let marks = deployment.accounts.marks(None, 10).await.unwrap();
    assert!(marks.iter().any(|mark| mark.subject == subject && mark.version == 1));
    let mut alice = alice;
    for _ in 0..2 {
        let next = alice.list.successor(alice.list.devices().to_vec());
        let signed = next.sign(&[Signer::Device(&alice.device_key)]);
        let (connection, _) = deployment.world.login_connection().await;
        let put = Ask::ListPut(proto::ListPut { list: Some(signed) });
        assert_done(ask(&deployment.world.server, &connection, put).await);
        alice.list = next;
    }
    assert!(matches!(deployment.publish().await, Published::Epoch { labels: 2, .. }));
    deployment.shown(&alice, handle("alice")).await.unwrap();
    assert_eq!(deployment.accounts.marks(None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn the_head_and_consistency_are_shown_on_both_connections_and_the_log_only_grows() {
    let deployment = Deployment::new().await;
    assert_refused(
        &deployment.world.ask(Ask::LedgerHead(proto::LedgerHead {})).await,
        Code::LedgerWaits,
    );
    deployment.publish().await;
    let first = deployment.checkpoint().unwrap().head();
    let alice = deployment.world.person("alice").await;
    for later in 1..300 {
        // A heartbeat every five minutes.
        deployment.world.clock.set(NOW + later * 5 * MINUTE);
        assert!(matches!(deployment.publish().await, Published::Epoch { .. }));
    }
    let last = deployment.checkpoint().unwrap().head();
    assert!(last.size > 300);
    for (from, to) in [(first.size, last.size), (0, last.size), (257, last.size), (first.size, 256)]
    {
        let asked = Ask::Consistency(proto::Consistency { from, to });
        let Answer::Consistency(answer) = deployment.world.ask(asked).await else { panic!() };
        if (from, to) == (first.size, last.size) {
            let hashes: Vec<[u8; 32]> =
                answer.hashes.iter().map(|hash| (&**hash).try_into().unwrap()).collect();
            first.grows_into(&last, &hashes).unwrap();
            assert!(last.grows_into(&first, &hashes).is_err());
        }
    }
    for (from, to, code) in [(2, 1, Code::NotFound), (1, last.size + 1, Code::LedgerWaits)] {
        let asked = Ask::Consistency(proto::Consistency { from, to });
        assert_refused(&deployment.world.ask(asked).await, code);
    }
    let head = alice.ask(&deployment.world, Ask::LedgerHead(proto::LedgerHead {})).await;
    let Answer::LedgerHead(head) = head else { panic!("{head:?}") };
    let now = deployment.world.clock.now_ms();
    let logged = verify_epoch(&head, &deployment.policy(), now).unwrap();
    assert!(logged.entry.is_heartbeat());
    assert_eq!(logged.entry.time_ms, now);
    // The keys of each day's tokens are in it, a day ahead, and once.
    let tokens = |entry: &&Entry| matches!(entry, Entry::Governance(governance) if governance.kind == GovernanceKind::Tokens);
    assert_eq!(deployment.audited().iter().filter(tokens).count(), 3);
}

/// The library exports a VRF key that everybody knows, for its examples: with it every label is plain.
#[test]
fn nothing_that_ships_knows_the_librarys_own_vrf_key() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders: Vec<_> = ["crates", "apps"].map(|one| root.join(one)).to_vec();
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "tests" && name != "node_modules" {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("HardCodedAkdVRF"), "{}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 100);
    assert!(include_str!("ledger.rs").contains("HardCodedAkdVRF"), "the search finds it");
}

#[tokio::test]
async fn ledger_time_never_goes_back_and_a_clock_that_does_stops_nothing() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let _alice = deployment.world.person("alice").await;
    // The clock was an hour ahead: it is set back, and the log goes on at once, and goes on beating.
    deployment.world.clock.set(NOW - 60 * MINUTE);
    assert!(matches!(deployment.publish().await, Published::Epoch { labels: 2, .. }));
    assert_eq!(deployment.publish().await, Published::Nothing);
    for minutes in [55, 50] {
        deployment.world.clock.set(NOW - minutes * MINUTE);
        assert!(matches!(deployment.publish().await, Published::Epoch { labels: 0, .. }));
        assert_eq!(deployment.publish().await, Published::Nothing);
    }
    let deployment = deployment.restarted(None).await.unwrap();
    deployment.world.clock.set(NOW - 45 * MINUTE);
    assert!(matches!(deployment.publish().await, Published::Epoch { labels: 0, .. }));
    for epoch in epochs(&deployment.audited()) {
        assert_eq!(epoch.time_ms, NOW);
    }
    deployment.world.clock.set(NOW + 1);
    let _bob = deployment.world.person("bob").await;
    assert!(matches!(deployment.publish().await, Published::Epoch { labels: 2, .. }));
    assert_eq!(epochs(&deployment.audited()).last().unwrap().time_ms, NOW + 1);
}

#[tokio::test]
async fn a_clock_far_ahead_is_written_nowhere_before_the_operator_looked_at_it() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let _alice = deployment.world.person("alice").await;
    let year = 365 * 24 * 60 * MINUTE;
    deployment.world.clock.set(NOW + year);
    for _ in 0..2 {
        assert_eq!(deployment.publish().await, Published::ClockAhead { days: 365 });
    }
    deployment.world.clock.set(NOW + MINUTE);
    assert!(matches!(deployment.publish().await, Published::Epoch { labels: 2, .. }));
    deployment.world.clock.set(NOW + year);
    deployment.ledger.trust_clock();
    assert!(matches!(deployment.publish().await, Published::Epoch { labels: 0, .. }));
    // Once.
    deployment.world.clock.set(NOW + 2 * year);
    assert_eq!(deployment.publish().await, Published::ClockAhead { days: 365 });
}

/// A store that loses power where it is told to.
#[derive(Clone)]
struct Failing {
    store: LedgerMemory,
    before: Arc<AtomicBool>,
    after: Arc<AtomicBool>,
    promise: Arc<AtomicBool>,
    keep: Arc<AtomicBool>,
}

impl Failing {
    fn on(store: &LedgerMemory) -> Self {
        let never = || Arc::new(AtomicBool::new(false));
        let store = store.clone();
        Self { store, before: never(), after: never(), promise: never(), keep: never() }
    }
}

fn gone<T: Send + 'static>() -> Stored<'static, T> {
    Box::pin(std::future::ready(Err(StorageError::Failed("the power went".to_owned()))))
}

impl Directory for Failing {
    fn head(&self) -> Stored<'_, Option<bytes::Bytes>> {
        self.store.head()
    }
    fn nodes(&self, names: Vec<NodeName>) -> Stored<'_, Vec<Option<bytes::Bytes>>> {
        self.store.nodes(names)
    }
    fn versions(&self, label: bytes::Bytes) -> Stored<'_, Vec<(u64, bytes::Bytes)>> {
        self.store.versions(label)
    }
    fn version(&self, label: bytes::Bytes, up_to: u64) -> Stored<'_, Option<(u64, bytes::Bytes)>> {
        self.store.version(label, up_to)
    }
}

impl Log for Failing {
    fn size(&self) -> Stored<'_, u64> {
        self.store.size()
    }
    fn entries(&self, from: u64, count: usize) -> Stored<'_, Vec<bytes::Bytes>> {
        self.store.entries(from, count)
    }
    fn hashes(&self, level: u8, from: u64, count: usize) -> Stored<'_, Vec<[u8; 32]>> {
        self.store.hashes(level, from, count)
    }
    fn blob(&self, hash: [u8; 32]) -> Stored<'_, Option<bytes::Bytes>> {
        self.store.blob(hash)
    }
    fn note(&self, note: Note) -> Stored<'_, Option<bytes::Bytes>> {
        self.store.note(note)
    }
}

impl LedgerStorage for Failing {
    fn append(&self, append: LogAppend) -> Stored<'_, Appended> {
        if self.before.load(Ordering::Relaxed) {
            return gone();
        }
        let appended = self.store.append(append);
        if self.after.load(Ordering::Relaxed) { gone() } else { appended }
    }
    fn keep(&self, note: Note, value: bytes::Bytes) -> Stored<'_, ()> {
        if self.keep.load(Ordering::Relaxed) { gone() } else { self.store.keep(note, value) }
    }
    fn promised(&self) -> Stored<'_, u64> {
        self.store.promised()
    }
    fn promise(&self, size: u64) -> Stored<'_, ()> {
        if self.promise.load(Ordering::Relaxed) { gone() } else { self.store.promise(size) }
    }
    fn spend(&self, day: Day, name: [u8; 32], forget: Day) -> Stored<'_, bool> {
        self.store.spend(day, name, forget)
    }
}

#[tokio::test]
async fn a_crash_before_or_after_the_append_or_before_the_signature_forks_nothing() {
    for place in ["before the append", "after the append", "before the signature"] {
        let deployment = Deployment::new().await;
        deployment.publish().await;
        let alice = deployment.world.person("alice").await;
        deployment.world.clock.set(NOW + 2000);
        let failing = Failing::on(&deployment.store);
        let crashing = open(&deployment.accounts, Arc::new(failing.clone()), None).await.unwrap();
        let switch = match place {
            "before the append" => &failing.before,
            "after the append" => &failing.after,
            _ => &failing.promise,
        };
        switch.store(true, Ordering::Relaxed);
        let signed = |ledger: &Ledger| futures_now(ledger.file("pending")).unwrap().unwrap();
        let before = signed(&crashing);
        assert!(crashing.publish(NOW + 2000).await.is_err(), "{place}");
        if place == "before the append" {
            assert_eq!(signed(&crashing), before, "nothing was signed");
            // It goes on by itself once the store does.
            switch.store(false, Ordering::Relaxed);
            assert!(matches!(
                crashing.publish(NOW + 2000).await,
                Ok(Published::Epoch { labels: 2, .. })
            ));
        }
        // The process ends there and starts anew.
        drop(crashing);
        let deployment = deployment.restarted(None).await.unwrap();
        deployment.world.clock.set(NOW + 4000);
        deployment.publish().await;
        deployment.shown(&alice, handle("alice")).await.unwrap();
        let entries = deployment.audited();
        let changed = epochs(&entries).iter().filter(|epoch| epoch.labels > 0).count();
        assert_eq!(changed, 1, "{place}: published once");
        assert_eq!(deployment.accounts.marks(None, 10).await.unwrap(), [], "{place}");
    }
}

#[tokio::test]
async fn nobody_sees_a_checkpoint_that_a_power_cut_could_take_back() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let failing = Failing::on(&deployment.store);
    let crashing = open(&deployment.accounts, Arc::new(failing.clone()), None).await.unwrap();
    let served = |ledger: &Ledger| futures_now(ledger.file("checkpoint")).unwrap().unwrap();
    let before = served(&crashing);
    failing.keep.store(true, Ordering::Relaxed);
    assert!(crashing.publish(NOW + 6 * MINUTE).await.is_err());
    assert_eq!(served(&crashing), before);
    failing.keep.store(false, Ordering::Relaxed);
    crashing.publish(NOW + 6 * MINUTE).await.unwrap();
    assert_ne!(served(&crashing), before);
}

#[tokio::test]
async fn a_store_restored_from_an_old_copy_does_not_open() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let copy = deployment.store.copy();
    let _alice = deployment.world.person("alice").await;
    deployment.world.clock.set(NOW + 2000);
    deployment.publish().await;
    deployment.store.restore(&copy);
    let refused = deployment.restarted(None).await.err().unwrap();
    assert!(matches!(refused, LedgerError::Behind { size: 3, promised: 4 }), "{refused}");
    assert!(refused.to_string().contains("bring the missing entries back"), "{refused}");
}

#[tokio::test]
async fn two_writers_of_one_ledger_never_sign_two_trees() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let other = open(&deployment.accounts, Arc::new(deployment.store.clone()), None).await.unwrap();
    let _alice = deployment.world.person("alice").await;
    deployment.publish().await;
    let refused = other.publish(NOW + 6 * MINUTE).await;
    assert!(matches!(refused, Err(LedgerError::SomebodyElse)), "{refused:?}");
    // It signs what is there, which is the same.
    let theirs = futures_now(other.file("pending")).unwrap().unwrap();
    assert_eq!(Some(theirs.bytes.to_vec()), deployment.file("checkpoint"));
}

#[tokio::test]
async fn other_keys_and_a_weaker_policy_do_not_open() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let store: Arc<dyn LedgerStorage> = Arc::new(deployment.store.clone());
    let marks: Arc<dyn Marks> = Arc::new(deployment.accounts.clone());
    let other = LedgerKeys::from_seeds([7; 32], [2; 32], [3; 32]);
    let refused = Ledger::open(DEPLOYMENT, store, marks, other, None, NOW).await.err().unwrap();
    assert!(matches!(refused, LedgerError::Keys));

    let witness = witness("w1", 1);
    let deployment = Deployment::with_policy(Some(&policy_of(&[&witness], "w1"))).await;
    deployment.publish().await;
    let refused = deployment.restarted(None).await.err().unwrap();
    assert!(matches!(refused, LedgerError::PolicyRefused(_)));
}

fn witness(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::cosigner(name, [seed; 32]).unwrap()
}

fn policy_of(witnesses: &[&NoteSigner], quorum: &str) -> String {
    let line = |one: &&NoteSigner| {
        let name = one.verifier().name();
        format!("witness {name} {} https://{name}.example/\n", one.verifier())
    };
    format!("{}quorum {quorum}\n", witnesses.iter().map(line).collect::<String>())
}

#[tokio::test]
async fn what_is_served_always_satisfies_the_policy_and_the_log_waits_for_its_witnesses() {
    let (first, second) = (witness("w1", 1), witness("w2", 2));
    let text =
        policy_of(&[&first, &second], "both").replace("quorum", "group both all w1 w2\nquorum");
    let deployment = Deployment::with_policy(Some(&text)).await;
    let alice = deployment.world.person("alice").await;
    let hello = proto::Hello { versions: vec![1], kind: 1, token: None };
    let connection = deployment.world.server.connect([1; 16]);
    let hello = ask(&deployment.world.server, &connection, Ask::Hello(hello)).await;
    let Answer::Hello(hello) = hello else { panic!("{hello:?}") };
    let policy = Policy::parse(&hello.policy).unwrap();
    assert!(policy.has_quorum());

    assert!(matches!(deployment.publish().await, Published::Epoch { epoch: 1, .. }));
    assert_eq!(deployment.checkpoint(), None, "nobody cosigned");
    assert_eq!(deployment.look_up(account(&alice)).await.directory, None);
    assert_eq!(deployment.publish().await, Published::Waiting);

    let pending = SignedCheckpoint::parse(&deployment.file("pending").unwrap()).unwrap();
    assert_eq!(deployment.ledger.offer().unwrap().witnesses.len(), 2);
    let now = NOW / 1000;
    let mallory = witness("w2", 66);
    let cosign = async |body: String| deployment.ledger.cosign(body.as_bytes(), NOW).await.unwrap();
    assert_eq!(
        cosign(format!("{}\n", pending.cosignature(&mallory, now))).await,
        Cosigned::Unknown
    );
    assert_eq!(cosign("nonsense".to_owned()).await, Cosigned::Unknown);
    assert_eq!(cosign(format!("{}\n", pending.cosignature(&first, now))).await, Cosigned::Taken);
    assert_eq!(cosign(format!("{}\n", pending.cosignature(&first, now))).await, Cosigned::Unknown);
    assert_eq!(deployment.checkpoint(), None, "one of two");
    assert_eq!(deployment.ledger.offer().unwrap().witnesses.len(), 1);
    // A cosignature of the future is none, and bars the right one from nothing.
    let early = pending.cosignature(&second, now + 3600);
    assert_eq!(cosign(format!("{early}\n")).await, Cosigned::Unknown);
    assert_eq!(deployment.checkpoint(), None, "by a clock of the future");
    assert_eq!(deployment.ledger.offer().unwrap().witnesses.len(), 1);
    assert_eq!(cosign(format!("{}\n", pending.cosignature(&second, now))).await, Cosigned::Taken);
    assert!(deployment.checkpoint().is_some());

    let deployment = deployment.restarted(Some(&text)).await.unwrap();
    let pending = SignedCheckpoint::parse(&deployment.file("pending").unwrap()).unwrap();
    for one in [&first, &second] {
        let note = pending.clone().with(pending.cosignature(one, now)).unwrap();
        assert_eq!(deployment.ledger.cosign(&note.to_vec(), NOW).await.unwrap(), Cosigned::Taken);
    }
    let served = deployment.checkpoint().unwrap();
    assert_eq!(policy.satisfied(&served, NOW).unwrap().witnesses, ["w1", "w2"]);
    assert_eq!(deployment.ledger.offer().map(|offer| offer.witnesses.len()), None);
    let proof = deployment.look_up(account(&alice)).await.directory.unwrap();
    verify_epoch(&proof.epoch.unwrap(), &policy, NOW).unwrap();

    // The next epoch is written; what is served, and what is proved, stays the one before.
    let bob = deployment.world.person("bob").await;
    deployment.world.clock.set(NOW + 2000);
    assert!(matches!(deployment.publish().await, Published::Epoch { epoch: 2, .. }));
    assert_eq!(deployment.checkpoint(), Some(served.clone()));
    assert_eq!(deployment.look_up(account(&bob)).await.directory, None);
    let proof = deployment.look_up(account(&alice)).await.directory.unwrap();
    let logged = verify_epoch(&proof.epoch.unwrap(), &policy, NOW).unwrap();
    assert_eq!(logged.entry.epoch, 1);
    let label = account_label(&DEPLOYMENT, &alice.account);
    verify_lookup(&logged.entry, &proof.vrf_key, &label, &proof.account).unwrap();
    // Also after a restart.
    let deployment = deployment.restarted(Some(&text)).await.unwrap();
    assert_eq!(deployment.checkpoint(), Some(served));
    assert_eq!(deployment.publish().await, Published::Waiting);
}

#[tokio::test]
async fn another_policy_is_announced_in_the_log_and_in_force_seven_days_later() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let one = witness("w1", 1);
    let text = policy_of(&[&one], "w1");
    let deployment = deployment.restarted(Some(&text)).await.unwrap();
    deployment.world.clock.set(NOW + 1000);
    assert!(matches!(deployment.publish().await, Published::Epoch { labels: 0, .. }));
    let get = async || match deployment.world.ask(Ask::PolicyGet(proto::PolicyGet {})).await {
        Answer::Policy(policy) => policy,
        other => panic!("{other:?}"),
    };
    let before = deployment.file("policy").unwrap();
    assert!(!Policy::parse(&before).unwrap().has_quorum());
    let announced = deployment.audited().into_iter().find_map(|entry| match entry {
        Entry::Governance(entry) if entry.kind == GovernanceKind::Policy => Some(entry),
        _ => None,
    });
    let announced = announced.unwrap();
    let week = 7 * 24 * 60 * MINUTE;
    assert_eq!(announced.takes_effect_ms, NOW + 1000 + week);
    // Whoever asks is shown it at once, with its entry: a client wants to have seen it for a week.
    let shown = async || {
        let answer = get().await;
        assert_eq!(Some(answer.policy.to_vec()), announced.document);
        let entry = answer.entry.unwrap();
        let inclusion = nodoor_transparency::ledger::proof::Inclusion::of_answer(&entry).unwrap();
        inclusion.includes(&leaf_hash(&entry.entry)).unwrap();
    };
    shown().await;

    deployment.world.clock.set(NOW + 2000 + week);
    assert!(matches!(deployment.publish().await, Published::Epoch { .. }));
    assert_eq!(deployment.file("policy"), announced.document);
    shown().await;
    // From now on the witness is needed.
    deployment.world.clock.set(NOW + 400_000 + week);
    assert!(matches!(deployment.publish().await, Published::Epoch { .. }));
    assert_eq!(deployment.publish().await, Published::Waiting);
}

#[tokio::test]
async fn a_server_that_starts_after_its_witness_was_replaced_serves_what_it_served() {
    let (old, new, stays) = (witness("w1", 1), witness("w2", 2), witness("w3", 3));
    let all = |one: &NoteSigner, name: &str| {
        policy_of(&[one, &stays], "g").replace("quorum", &format!("group g all {name} w3\nquorum"))
    };
    let (first, second) = (all(&old, "w1"), all(&new, "w2"));
    let cosigned = async |deployment: &Deployment, by: &NoteSigner| {
        let now_ms = deployment.world.clock.now_ms();
        let pending = SignedCheckpoint::parse(&deployment.file("pending").unwrap()).unwrap();
        let line = format!("{}\n", pending.cosignature(by, now_ms / 1000));
        deployment.ledger.cosign(line.as_bytes(), now_ms).await.unwrap()
    };
    let satisfies = |deployment: &Deployment, text: &str| {
        let text = format!("log {}\n{text}", deployment.ledger.log_key());
        let policy = Policy::parse(text.as_bytes()).unwrap();
        policy.satisfied(&deployment.checkpoint().unwrap(), deployment.world.clock.now_ms()).is_ok()
    };
    let deployment = Deployment::with_policy(Some(&first)).await;
    let alice = deployment.world.person("alice").await;
    deployment.publish().await;
    assert_eq!(cosigned(&deployment, &old).await, Cosigned::Taken);
    assert_eq!(cosigned(&deployment, &stays).await, Cosigned::Taken);
    // The operator puts another file there; the log announces it under the old witness.
    let deployment = deployment.restarted(Some(&second)).await.unwrap();
    let mut now = NOW + 6 * MINUTE;
    deployment.world.clock.set(now);
    assert!(matches!(deployment.publish().await, Published::Epoch { .. }));
    assert_eq!(cosigned(&deployment, &new).await, Cosigned::Unknown, "not in force yet");
    assert_eq!(cosigned(&deployment, &old).await, Cosigned::Taken);
    assert_eq!(cosigned(&deployment, &stays).await, Cosigned::Taken);
    // A week later an epoch is served by the old witness, and from then on the new one counts.
    let day = 24 * 60 * MINUTE;
    now += 7 * day + MINUTE;
    deployment.world.clock.set(now);
    deployment.publish().await;
    assert_eq!(cosigned(&deployment, &old).await, Cosigned::Taken);
    assert_eq!(cosigned(&deployment, &stays).await, Cosigned::Taken);
    now += 6 * MINUTE;
    deployment.world.clock.set(now);
    deployment.publish().await;
    assert_eq!(cosigned(&deployment, &stays).await, Cosigned::Taken);
    assert_eq!(cosigned(&deployment, &new).await, Cosigned::Taken);
    let served = deployment.checkpoint().unwrap();
    assert!(satisfies(&deployment, &second) && !satisfies(&deployment, &first));
    // The old one is asked still, for those who have not seen the new one for a week.
    let offer = deployment.ledger.offer().unwrap();
    assert_eq!(offer.witnesses[0].0, *old.verifier());
    let deployment = deployment.restarted(Some(&second)).await.unwrap();
    deployment.world.clock.set(now);
    assert_eq!(deployment.checkpoint(), Some(served), "judged by the policy of its own time");
    let proof = deployment.look_up(account(&alice)).await.directory.unwrap();
    let policy = Policy::parse(format!("log {}\n{second}", deployment.ledger.log_key()).as_bytes());
    verify_epoch(&proof.epoch.unwrap(), &policy.unwrap(), now).unwrap();
    now += 6 * MINUTE;
    deployment.world.clock.set(now);
    deployment.publish().await;
    assert_eq!(cosigned(&deployment, &stays).await, Cosigned::Taken);
    assert_eq!(cosigned(&deployment, &new).await, Cosigned::Taken);
    assert_eq!(cosigned(&deployment, &old).await, Cosigned::Taken);
    assert!(satisfies(&deployment, &second) && satisfies(&deployment, &first));
    // For a month.
    for _ in 0..2 {
        now += 30 * day;
        deployment.world.clock.set(now);
        deployment.publish().await;
        assert_eq!(cosigned(&deployment, &stays).await, Cosigned::Taken);
        assert_eq!(cosigned(&deployment, &new).await, Cosigned::Taken);
    }
    assert_eq!(cosigned(&deployment, &old).await, Cosigned::Unknown, "replaced");
    assert_eq!(deployment.ledger.offer().map(|offer| offer.witnesses.len()), None);
}

#[tokio::test]
async fn what_an_operator_hands_in_is_logged_once_and_never_an_epoch() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let note = |text: &[u8]| {
        Entry::Governance(Governance::with_document(GovernanceKind::Note, text.to_vec(), NOW))
    };
    for (now, size) in [(NOW + 1000, 5), (NOW + 2000, 5)] {
        deployment.ledger.publish_with(vec![note(b"read this")], now).await.unwrap();
        assert_eq!(deployment.checkpoint().unwrap().head().size, size);
    }
    deployment.ledger.publish_with(vec![note(b"and this")], NOW + 3000).await.unwrap();
    let entries = deployment.audited();
    assert!(entries.contains(&note(b"read this")) && entries.contains(&note(b"and this")));
    let epoch = entries.into_iter().find(|entry| matches!(entry, Entry::Epoch(_))).unwrap();
    let refused = deployment.ledger.publish_with(vec![epoch], NOW + 4000).await;
    assert!(matches!(refused, Err(LedgerError::Form)));
}

/// Proofs are made while epochs come and go; each fits the entry that it comes with.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_proof_that_is_made_while_epochs_go_by_is_right() {
    let deployment = Arc::new(Deployment::without_budgets().await);
    let bob = deployment.world.person("bob").await;
    deployment.publish().await;
    let (account, newest) = (bob.account, account_value(&bob.list));
    let policy = deployment.policy();
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (ledger, over) = (deployment.ledger.clone(), Arc::clone(&over));
            let policy = policy.clone();
            tokio::spawn(async move {
                let mut seen = 0;
                while !over.load(Ordering::Relaxed) {
                    let proof = ledger.prove(account, &newest).await.unwrap().unwrap();
                    let epoch = verify_epoch(&proof.epoch.unwrap(), &policy, NOW * 2).unwrap();
                    let label = account_label(&DEPLOYMENT, &account);
                    verify_lookup(&epoch.entry, &proof.vrf_key, &label, &proof.account).unwrap();
                    seen = epoch.entry.epoch;
                    tokio::task::yield_now().await;
                }
                seen
            })
        })
        .collect();
    for number in 0..60_u64 {
        let (connection, _) = deployment.world.login_connection().await;
        let register = Ask::Register(Person::new("").register(&format!("somebody{number}")));
        assert_done(ask(&deployment.world.server, &connection, register).await);
        deployment.ledger.publish(NOW + number + 1).await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 1);
    }
}

#[tokio::test]
async fn two_stores_with_the_same_keys_and_accounts_come_to_the_same_roots() {
    let (first, second) = (Deployment::new().await, Deployment::new().await);
    let people: Vec<Person> = (0..5).map(|_| Person::new("")).collect();
    for deployment in [&first, &second] {
        for (person, name) in people.iter().zip(["anna", "bert", "cora", "dirk", "emma"]) {
            let (connection, _) = deployment.world.login_connection().await;
            let register = Ask::Register(person.register(name));
            assert_done(ask(&deployment.world.server, &connection, register).await);
        }
        deployment.publish().await;
    }
    let roots = |deployment: &Deployment| -> Vec<[u8; 32]> {
        epochs(&deployment.audited()).iter().map(|epoch| epoch.root).collect()
    };
    assert_eq!(roots(&first), roots(&second));
    assert_eq!(first.checkpoint(), second.checkpoint());
}

#[tokio::test]
async fn a_handle_is_claimed_anew_by_its_own_account_alone() {
    let deployment = Deployment::new().await;
    let alice = deployment.world.person("alice").await;
    let bob = deployment.world.person("bob").await;
    let claim = |person: &Person, name: &str, signer: &Person| {
        let handle = Handle::parse(name).unwrap();
        let claim = HandleClaim { handle, account: person.account };
        let handle_claim = Some(claim.sign(Signer::Recovery(&signer.recovery)));
        Ask::HandlePut(proto::HandlePut { handle_claim })
    };
    let refused = alice.ask(&deployment.world, claim(&alice, "bob", &alice)).await;
    assert_refused(&refused, Code::HandleTaken);
    let refused = alice.ask(&deployment.world, claim(&alice, "alice", &bob)).await;
    assert_refused(&refused, Code::BadSignature);
    let refused = alice.ask(&deployment.world, claim(&bob, "bob", &bob)).await;
    assert_refused(&refused, Code::BadSignature);
    assert_done(alice.ask(&deployment.world, claim(&alice, "alice", &alice)).await);
    let shown = deployment.look_up(handle("alice")).await.handle_claim.unwrap();
    assert!(shown.signer.is_empty(), "by the recovery key");
}

/// Marks without accounts.
#[derive(Default)]
struct Pile(Mutex<BTreeSet<Mark>>);

impl Marks for Pile {
    fn marks(&self, after: Option<Mark>, limit: usize) -> Stored<'_, Vec<Mark>> {
        let all = self.0.lock().unwrap();
        let some = all.iter().filter(|mark| after.is_none_or(|after| **mark > after));
        Box::pin(std::future::ready(Ok(some.take(limit).copied().collect())))
    }

    fn unmark(&self, marks: Vec<Mark>) -> Stored<'_, ()> {
        let mut all = self.0.lock().unwrap();
        marks.iter().for_each(|mark| assert!(all.remove(mark)));
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn what_one_epoch_does_not_hold_is_told_to_whoever_publishes() {
    let pile = Arc::new(Pile::default());
    let full = EPOCH_LABELS as u64;
    for number in 0..2 * full + 7 {
        let mut account = [0; 16];
        account[..8].copy_from_slice(&number.to_be_bytes());
        let subject = Subject::Account(AccountId(account));
        pile.0.lock().unwrap().insert(Mark { subject, version: 1, value: [1; 32] });
    }
    let store = Arc::new(LedgerMemory::default());
    let ledger = Ledger::open(DEPLOYMENT, store, pile, keys(), None, NOW).await.unwrap();
    for (labels, waiting) in [(full, full), (full, 7), (7, 0)] {
        let published = ledger.publish(NOW).await.unwrap();
        assert!(matches!(published, Published::Epoch { labels: l, .. } if l == labels));
        assert_eq!(ledger.statistics().waiting, waiting);
    }
    assert_eq!(ledger.publish(NOW).await.unwrap(), Published::Nothing);
}

#[tokio::test]
async fn a_mark_that_comes_while_an_epoch_is_made_is_not_lost() {
    let deployment = Deployment::new().await;
    let alice = deployment.world.person("alice").await;
    let seen = deployment.accounts.marks(None, 10).await.unwrap();
    let newer = Mark { version: 2, value: [5; 32], ..seen[0] };
    deployment.accounts.unmark(seen).await.unwrap();
    let mut alice = alice;
    let next = alice.list.successor(alice.list.devices().to_vec());
    let signed = next.sign(&[Signer::Device(&alice.device_key)]);
    let (connection, _) = deployment.world.login_connection().await;
    let put = Ask::ListPut(proto::ListPut { list: Some(signed) });
    assert_done(ask(&deployment.world.server, &connection, put).await);
    alice.list = next;
    let left = deployment.accounts.marks(None, 10).await.unwrap();
    assert_eq!((left.len(), left[0].version), (1, newer.version));
    assert_eq!(left[0].value, account_value(&alice.list));
}

/// The hours that the log has an entry of, in order, and whether each epoch has all before it.
async fn hours(it: &Deployment) -> Vec<u64> {
    let entries = it.store.entries(0, 10_000).await.unwrap();
    let mut cadence: Option<Cadence> = None;
    let mut hours = Vec::new();
    for entry in entries {
        match Entry::decode(&entry).unwrap() {
            Entry::Epoch(epoch) => {
                let cadence = cadence.get_or_insert(Cadence::begins(epoch.time_ms));
                assert_eq!(cadence.holds(epoch.time_ms), Ok(()));
            }
            Entry::Disclosure(entry) => {
                assert_eq!(cadence.as_mut().unwrap().take(&entry), Ok(()));
                hours.push(entry.hour);
            }
            _ => {}
        }
    }
    hours
}

#[tokio::test]
async fn every_hour_has_one_disclosure_entry_also_those_in_which_nobody_was_there() {
    let mut it = Deployment::new().await;
    it.publish().await;
    let first = hour_of(it.world.clock.now_ms());
    assert_eq!(hours(&it).await, Vec::<u64>::new());

    // One as the hour ends, however often it is asked.
    it.world.clock.set(NOW + HOUR_MS);
    assert!(matches!(it.publish().await, Published::Epoch { .. }));
    assert_eq!(it.publish().await, Published::Nothing);
    assert_eq!(hours(&it).await, [first]);

    // Two days without a server leave no gap.
    it = it.restarted(None).await.unwrap();
    it.world.clock.set(NOW + 51 * HOUR_MS);
    it.publish().await;
    let now = hour_of(it.world.clock.now_ms());
    assert!(hours(&it).await.into_iter().eq(first..now));
}

#[tokio::test]
async fn an_hour_of_nothing_looks_like_any_other_and_nobody_hands_one_in() {
    let it = Deployment::new().await;
    it.publish().await;
    it.world.clock.set(NOW + 3 * HOUR_MS);
    it.publish().await;
    let mut commitments = Vec::new();
    for entry in it.store.entries(0, 1_000).await.unwrap() {
        if let Entry::Disclosure(entry) = Entry::decode(&entry).unwrap() {
            commitments.push(entry.commitment);
        }
    }
    assert_eq!(commitments.len(), 3);
    commitments.dedup();
    assert_eq!(commitments.len(), 3);
    // What anybody could compute of an empty hour is not what stands there.
    let hour = hour_of(it.world.clock.now_ms()) - 1;
    for guess in [[[0; 32]; SLOTS], [empty_slot(&[0; 32]); SLOTS]] {
        assert!(!commitments.contains(&commit(hour, &guess).commitment));
    }
    let entry = Entry::Disclosure(commit(hour + 1, &[[7; 32]; SLOTS]));
    let handed_in = it.ledger.publish_with(vec![entry], it.world.clock.now_ms()).await;
    assert!(matches!(handed_in, Err(LedgerError::Form)));
}
