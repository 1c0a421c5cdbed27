// SPDX-License-Identifier: AGPL-3.0-or-later
//! People, their engines, the server, and the network between.

use std::{
    cell::Cell,
    collections::VecDeque,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use nodoor_client::{
    engine::Engine,
    io::{Effect, Input, Wire},
    store::{Found, MemoryStore, Rows, Store, StoreError, Wanted, WriteBatch},
};
use nodoor_server::{
    Clock, Config, Connection, Quota, Server,
    ledger::{Ledger, LedgerKeys},
    storage::{
        Day, Op, Outcome, Storage as _,
        blobs::Blobs as _,
        blobs_memory::BlobsMemory,
        directory::{Mark, Marks, Subject},
        ledger::{LedgerStorage as _, Log as _, Note},
        ledger_memory::LedgerMemory,
        memory::Memory,
    },
};
use nodoor_transparency::ledger::{
    checkpoint::SignedCheckpoint,
    entry::{Entry, Governance, GovernanceKind},
    note::NoteSigner,
};
use nodoor_view::{
    command::{Ask, Command, Reply},
    event::Event,
    model::{
        Content, ConversationId, ConversationRow, From, MessageRow, Problem, ProblemKind,
        RequestRow, SendState,
    },
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, DeploymentId},
    proto,
};
use prost::Message as _;
use tokio::runtime::Runtime;

use crate::{chance::Chance, files::Shelves, pen::Pen};

/// A clock that only the test moves.
#[derive(Debug, Clone)]
pub struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// One person with one device.
pub struct Person {
    /// Handle.
    pub handle: &'static str,
    /// The engine; `None` while the device is off.
    engine: Option<Engine<Shelf>>,
    /// The disk while the device is off.
    disk: MemoryStore,
    chance: Chance,
    login: Option<Connection>,
    anonymous: Option<Connection>,
    queue: VecDeque<Effect>,
    timer: u64,
    told: Vec<(u64, Reply)>,
    asked: u64,
    /// Asks without an answer yet.
    waiting: Vec<u64>,
    /// When the engine is started again, after a step that did not reach the disk.
    restart: u64,
    /// The disk takes no more while this is set.
    pub disk_full: Rc<Cell<bool>>,
    /// The most that its engine read of the disk at once, bytes of values.
    pub read_at_once: Rc<Cell<usize>>,
    /// Its files: where they are taken from and saved to, and the sealed ones.
    pub files: Shelves,
    /// Everything interfaces were told.
    pub events: Vec<Event>,
    /// No connection is made while this is set.
    pub offline: bool,
    /// How far this device's clock is off, milliseconds.
    pub skew: i64,
    /// How long its engine computed, for measurements: to the tick of the kernel, whoever else computes.
    pub spent: Duration,
    /// Kill the device after so many effects more: between two steps, or within what one caused.
    pub fuse: Option<u32>,
}

/// A disk that can be full.
struct Shelf {
    rows: MemoryStore,
    full: Rc<Cell<bool>>,
    read_at_once: Rc<Cell<usize>>,
}

impl Shelf {
    fn has_read(&self, bytes: usize) {
        self.read_at_once.set(self.read_at_once.get().max(bytes));
    }
}

impl Store for Shelf {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.rows.get(key)?;
        self.has_read(value.as_ref().map_or(0, Vec::len));
        Ok(value)
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Rows, StoreError> {
        let rows = self.rows.scan(from, to, reverse, limit)?;
        self.has_read(rows.iter().map(|(_, value)| value.len()).sum());
        Ok(rows)
    }

    fn keys(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.rows.keys(from, to, limit)
    }

    fn search(&self, wanted: &Wanted) -> Result<Vec<Found>, StoreError> {
        self.rows.search(wanted)
    }

    fn commit(&mut self, batch: WriteBatch) -> Result<(), StoreError> {
        if self.full.get() {
            return Err(StoreError("full".to_owned()));
        }
        self.rows.commit(batch)
    }
}

/// What the network does to a request before the server sees it, and to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Both arrive.
    Arrives,
    /// The request is lost and the connection breaks.
    RequestLost,
    /// The server does it, the answer is lost and the connection breaks.
    AnswerLost,
    /// Nothing comes back, and the connection stays.
    NeverAnswered,
}

/// What decides the fate of a person's request.
pub type Network = Box<dyn FnMut(usize, Wire, &proto::Request) -> Fate>;
/// What changes a frame to a person.
pub type Tampering = Box<dyn FnMut(usize, &mut proto::FromServer)>;

/// The world.
pub struct World {
    /// The server; what a test does with it directly is what Olga does.
    pub server: Server,
    /// Its disk.
    pub store: Memory,
    /// Where it keeps files: room for 64 MiB.
    pub blobs: BlobsMemory,
    /// How many bytes of a file move before the way breaks; none: all.
    pub moves_at_once: Option<usize>,
    /// Its ledger, if it keeps one.
    pub ledger: Option<Ledger>,
    /// Whether time that goes by brings an epoch every two seconds. Without it only [`World::publish`] does.
    pub epochs: bool,
    next_epoch: u64,
    log: LedgerMemory,
    policy: Option<String>,
    /// Who cosigns whatever the log signs.
    pub witnesses: Vec<NoteSigner>,
    config: Config,
    clock: Hand,
    runtime: Runtime,
    people: Vec<Person>,
    /// Decides the fate of each request; [`Fate::Arrives`] by default.
    pub fate: Network,
    /// Olga's hand: changes what the server says to a person before the person hears it. Nothing by default.
    pub tamper: Tampering,
    /// Requests that reached the server, or would have.
    pub requests: u64,
    seed: u64,
}

/// The ledger publishes this often, milliseconds.
const EPOCH: u64 = 2_000;
/// Key packages a device keeps at the server here: each costs milliseconds to make.
const KEY_PACKAGES: usize = 5;
/// Rounds of everybody's moves at one moment: more is a loop.
const SPIN: u32 = 20_000;
/// 2026-11-22T12:00:00Z.
const NOON: u64 = 1_795_348_800_000;

impl World {
    /// An empty world whose server keeps no ledger and asks for no tokens.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::empty(seed, Config::unlimited())
    }

    /// An empty world whose server keeps a ledger, which is published as time goes by.
    #[must_use]
    pub fn with_ledger(seed: u64) -> Self {
        Self::logging(seed, Config::unlimited())
    }

    /// The same, and the server does nothing about rooms without a token.
    #[must_use]
    pub fn with_tokens_needed(seed: u64) -> Self {
        Self::logging(seed, Config { tokens_needed: true, ..Config::unlimited() })
    }

    /// An empty world in whose mailboxes only so many entries wait.
    #[must_use]
    pub fn with_mailboxes_of(seed: u64, entries: u64) -> Self {
        let quota = Quota { entries, bytes: u64::MAX };
        Self::empty(seed, Config { quota, ..Config::unlimited() })
    }

    fn logging(seed: u64, config: Config) -> Self {
        let mut world = Self::empty(seed, config);
        world.open_ledger([3; 32]);
        world.restart_server();
        world
    }

    fn empty(seed: u64, config: Config) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clock = Hand(Arc::new(AtomicU64::new(NOON)));
        let store = Memory::new(DeploymentId([7; 16]));
        let blobs = BlobsMemory::new(64 * 1024 * 1024);
        let server = Self::serve(&store, None, &config, &clock, seed);
        Self {
            server: server.with_blobs(Arc::new(blobs.clone())),
            store,
            blobs,
            moves_at_once: None,
            ledger: None,
            epochs: true,
            next_epoch: 0,
            log: LedgerMemory::default(),
            policy: None,
            witnesses: Vec::new(),
            config,
            clock,
            runtime,
            people: Vec::new(),
            fate: Box::new(|_, _, _| Fate::Arrives),
            tamper: Box::new(|_, _| {}),
            requests: 0,
            seed,
        }
    }

    fn serve(
        store: &Memory,
        ledger: Option<Ledger>,
        config: &Config,
        clock: &Hand,
        seed: u64,
    ) -> Server {
        let (store, config, clock) = (store.clone(), config.clone(), Arc::new(clock.clone()));
        let chance = Box::new(Chance::new(seed ^ 0x5eed));
        match ledger {
            Some(ledger) => Server::open_with_ledger(store, ledger, config, clock, chance),
            None => Server::open(store, config, clock, chance),
        }
        .unwrap()
    }

    /// Opens the ledger as a start of the server does. The next [`World::restart_server`] serves it.
    ///
    /// `tokens` is the seed of the keys of anonymous tokens: another one is an Olga who lost or changed it.
    pub fn open_ledger(&mut self, tokens: [u8; 32]) {
        self.open_ledger_with(tokens, Arc::new(self.store.clone()));
    }

    /// Olga publishes this value as the newest list of an account.
    pub fn write_into_directory(&mut self, account: AccountId, value: [u8; 32]) {
        let mark = Mark { subject: Subject::Account(account), version: u64::MAX, value };
        let pen = Pen { store: self.store.clone(), mark };
        self.open_ledger_with([3; 32], Arc::new(pen));
        self.restart_server();
    }

    fn open_ledger_with(&mut self, tokens: [u8; 32], marks: Arc<dyn Marks>) {
        let keys = LedgerKeys::from_seeds([1; 32], [2; 32], tokens);
        let log = Arc::new(self.log.clone());
        let (policy, now) = (self.policy.as_deref(), self.clock.now_ms());
        let open = Ledger::open(self.store.deployment(), log, marks, keys, policy, now);
        self.ledger = Some(self.runtime.block_on(open).unwrap());
    }

    /// Olga gives a handle to another account, whose claim this is, and says no word of it in the log.
    pub fn hand_over(
        &mut self,
        handle: Handle,
        from: AccountId,
        to: AccountId,
        handle_claim: proto::SignedBytes,
    ) {
        let moves = Op::MoveHandle { handle, from, to, handle_claim, version: 2 };
        let done = self.runtime.block_on(self.store.commit(vec![moves])).unwrap();
        assert_eq!(done, [Outcome::Done]);
    }

    /// Olga puts a list under an account, whoever signed it: it is served and published as any other.
    pub fn put_list(&mut self, account: AccountId, version: u64, list: proto::SignedList) {
        let (added, removed) = (Vec::new(), Vec::new());
        let puts = Op::PutList { account, version, list, added, removed };
        let done = self.runtime.block_on(self.store.commit(vec![puts])).unwrap();
        assert_eq!(done, [Outcome::Done]);
    }

    /// The operator puts another policy file there and starts the server again. The witnesses that it names cosign from
    /// then on if they stand in [`World::witnesses`].
    pub fn go_by_policy(&mut self, policy: &str) {
        self.policy = Some(policy.to_owned());
        self.open_ledger([3; 32]);
        self.restart_server();
    }

    /// Olga says that this is the policy, announced by the entry that she logs next, whose date is what she likes.
    pub fn announce_with_date(&mut self, policy: &str, takes_effect_ms: u64) {
        let ledger = self.ledger.clone().expect("the server keeps no ledger");
        let text = format!("log {}\n{policy}", ledger.log_key());
        let entry = Governance::with_document(
            GovernanceKind::Policy,
            text.clone().into_bytes(),
            takes_effect_ms,
        );
        let now = self.clock.now_ms();
        let index = self.runtime.block_on(self.log.size()).unwrap();
        self.runtime.block_on(ledger.publish_with(vec![Entry::Governance(entry)], now)).unwrap();
        let before =
            self.policy.as_ref().map(|before| format!("log {}\n{before}", ledger.log_key()));
        let first = (before.unwrap_or_default(), None::<u64>, 0_u64);
        let mut note = Vec::new();
        let all = ((first, (text, Some(index), takes_effect_ms)),);
        ciborium::into_writer(&all, &mut note).unwrap();
        self.runtime.block_on(self.log.keep(Note::Policies, note.into())).unwrap();
        self.cosign();
        self.go_by_policy(policy);
    }

    /// Logs what there is to log, has it cosigned, and serves it.
    pub fn publish(&mut self) {
        let ledger = self.ledger.clone().expect("the server keeps no ledger");
        self.runtime.block_on(ledger.publish(self.clock.now_ms())).unwrap();
        self.cosign();
        self.run();
    }

    fn cosign(&mut self) {
        let ledger = self.ledger.clone().expect("the server keeps no ledger");
        let pending = self.runtime.block_on(ledger.file("pending")).unwrap();
        let Some(pending) = pending else { return };
        let pending = SignedCheckpoint::parse(&pending.bytes).unwrap();
        let now = self.clock.now_ms();
        for witness in &self.witnesses {
            let line = format!("{}\n", pending.cosignature(witness, now / 1000));
            self.runtime.block_on(ledger.cosign(line.as_bytes(), now)).unwrap();
        }
    }

    /// The ledger's disk as it is now.
    #[must_use]
    pub fn backup_log(&self) -> LedgerMemory {
        self.log.copy()
    }

    /// Olga goes on with another copy of the ledger's disk, and signs what comes of it.
    pub fn go_on_with(&mut self, log: LedgerMemory) {
        self.log = log;
        self.open_ledger([3; 32]);
        self.restart_server();
    }

    /// What the server does each hour: whatever is too old goes.
    pub fn sweep(&self) {
        self.runtime.block_on(self.server.sweep()).unwrap();
    }

    /// Stops the server without warning and starts it again on the same disk: all connections break, what it held
    /// in memory is gone.
    pub fn restart_server(&mut self) {
        self.seed += 1;
        let ledger = self.ledger.clone();
        let server = Self::serve(&self.store, ledger, &self.config, &self.clock, self.seed);
        self.server = server.with_blobs(Arc::new(self.blobs.clone()));
        for person in 0..self.people.len() {
            self.cut(person);
        }
        self.run();
    }

    /// Somebody new registers.
    pub fn register(&mut self, handle: &'static str) -> usize {
        let person = self.begin_without_account(handle);
        let command = Command::Register { handle: handle.to_owned(), ticket: String::new() };
        match self.ask(person, command) {
            Reply::Profile(profile) => assert_eq!(profile.handle, handle),
            other => panic!("{handle} could not register: {other:?}"),
        }
        self.run();
        person
    }

    /// Somebody new, whose device is on and empty.
    pub fn begin_without_account(&mut self, handle: &'static str) -> usize {
        let person = self.people.len();
        self.people.push(Person {
            handle,
            engine: None,
            disk: MemoryStore::default(),
            chance: Chance::new(self.seed.wrapping_mul(1000) + person as u64),
            login: None,
            anonymous: None,
            queue: VecDeque::new(),
            timer: u64::MAX,
            told: Vec::new(),
            asked: 0,
            waiting: Vec::new(),
            restart: u64::MAX,
            disk_full: Rc::default(),
            read_at_once: Rc::default(),
            files: Shelves::default(),
            events: Vec::new(),
            offline: false,
            skew: 0,
            spent: Duration::ZERO,
            fuse: None,
        });
        self.switch_on(person);
        person
    }

    /// Starts a device from its disk.
    pub fn switch_on(&mut self, person: usize) {
        let one = &mut self.people[person];
        let disk = std::mem::take(&mut one.disk);
        let (full, read_at_once) = (Rc::clone(&one.disk_full), Rc::clone(&one.read_at_once));
        let disk = Shelf { rows: disk, full, read_at_once };
        let engine = Engine::new(disk, "http://127.0.0.1:8448", "test device");
        one.engine = Some(engine.with_key_packages(KEY_PACKAGES));
        self.give(person, Input::Start);
        self.run();
    }

    /// Kills a device: only what is on its disk remains.
    pub fn kill(&mut self, person: usize) {
        let one = &mut self.people[person];
        if let Some(engine) = one.engine.take() {
            one.disk = engine.into_store().rows;
        }
        one.queue.clear();
        one.told.clear();
        one.waiting.clear();
        one.restart = u64::MAX;
        (one.login, one.anonymous) = (None, None);
        one.timer = u64::MAX;
    }

    /// Breaks both connections of a person; they come back unless the person is offline.
    pub fn cut(&mut self, person: usize) {
        for wire in [Wire::Login, Wire::Anonymous] {
            self.cut_one(person, wire);
        }
    }

    fn cut_one(&mut self, person: usize, wire: Wire) {
        let one = &mut self.people[person];
        let slot = match wire {
            Wire::Login => &mut one.login,
            Wire::Anonymous => &mut one.anonymous,
        };
        if slot.take().is_some() {
            self.give(person, Input::Disconnected(wire));
        }
    }

    /// Takes a person off the net, or back on.
    pub fn set_offline(&mut self, person: usize, offline: bool) {
        self.people[person].offline = offline;
        if offline {
            self.cut(person);
        } else {
            for wire in [Wire::Login, Wire::Anonymous] {
                self.people[person].queue.push_back(Effect::Connect(wire));
            }
        }
        self.run();
    }

    /// Asks something and runs until it is answered.
    pub fn ask(&mut self, person: usize, command: Command) -> Reply {
        let ask = self.begin(person, command);
        for _ in 0..40 {
            self.run();
            if let Some(at) = self.people[person].told.iter().position(|(id, _)| *id == ask) {
                return self.people[person].told.swap_remove(at).1;
            }
            self.pass(Duration::from_secs(1));
        }
        panic!("{} was never answered", self.people[person].handle);
    }

    /// Asks something without waiting.
    pub fn begin(&mut self, person: usize, command: Command) -> u64 {
        let one = &mut self.people[person];
        one.asked += 1;
        let ask = one.asked;
        one.waiting.push(ask);
        self.give(person, Input::Ask(Ask { ask, command }));
        ask
    }

    /// The answer to something that was begun, if it is there.
    pub fn told(&mut self, person: usize, ask: u64) -> Option<Reply> {
        let told = &mut self.people[person].told;
        let at = told.iter().position(|(id, _)| *id == ask)?;
        Some(told.swap_remove(at).1)
    }

    /// Lets time go by; timers fire.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now() + u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        loop {
            self.run();
            let due = |person| self.timer_of(person).min(self.people[person].restart);
            let next = (0..self.people.len()).map(due).min();
            let epoch =
                if self.epochs && self.ledger.is_some() { self.next_epoch } else { u64::MAX };
            let next = next.unwrap_or(u64::MAX).min(epoch);
            if next > end {
                break;
            }
            self.clock.0.store(next.max(self.now()), Ordering::SeqCst);
            if epoch <= self.now() {
                self.publish();
                self.next_epoch = self.now() + EPOCH;
            }
            for person in 0..self.people.len() {
                if self.people[person].restart <= self.now() {
                    self.people[person].restart = u64::MAX;
                    self.give(person, Input::Start);
                }
                if self.timer_of(person) <= self.now() {
                    self.people[person].timer = u64::MAX;
                    self.give(person, Input::Timer);
                }
            }
        }
        self.clock.0.store(end, Ordering::SeqCst);
        self.run();
    }

    /// When a person's timer fires, by the true clock.
    fn timer_of(&self, person: usize) -> u64 {
        let one = &self.people[person];
        one.timer.saturating_add_signed(one.skew.saturating_neg())
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock.now_ms()
    }

    /// What a person's clock says.
    fn now_of(&self, person: usize) -> u64 {
        self.now().saturating_add_signed(self.people[person].skew)
    }

    /// A person's device, to make it fail.
    pub fn device(&mut self, person: usize) -> &mut Person {
        &mut self.people[person]
    }

    /// Whether a device is on.
    #[must_use]
    pub fn is_on(&self, person: usize) -> bool {
        self.people[person].engine.is_some()
    }

    /// The disk of a device that is off.
    pub fn disk(&mut self, person: usize) -> &mut MemoryStore {
        assert!(!self.is_on(person), "the device is on");
        &mut self.people[person].disk
    }

    /// What Olga, or anybody with a socket, asks the server anonymously.
    pub fn request(&mut self, body: proto::request::Body) -> proto::answer::Body {
        let connection = self.server.connect_anonymous([0xFF; 16]);
        let request = proto::Request { id: 1, body: Some(body) };
        let answer = self.runtime.block_on(self.server.handle(&connection, request));
        answer.body.unwrap()
    }

    /// The same, one after the other on one connection of a new address.
    pub fn request_on_one<const N: usize>(
        &mut self,
        bodies: [proto::request::Body; N],
    ) -> Vec<proto::answer::Body> {
        let connection = self.server.connect([0xFE; 16]);
        let requests = bodies.into_iter().zip(1..);
        let answers = requests.map(|(body, id)| {
            let request = proto::Request { id, body: Some(body) };
            self.runtime.block_on(self.server.handle(&connection, request)).body.unwrap()
        });
        answers.collect()
    }

    /// The server throws away the files that are over so many days from now. How many went.
    pub fn sweep_files(&self, days: u32) -> u64 {
        let today = Day::of_ms(self.clock.now_ms());
        self.blobs.sweep(Day(today.0 + days)).unwrap()
    }

    /// A person.
    #[must_use]
    pub fn person(&self, person: usize) -> &Person {
        &self.people[person]
    }

    fn give(&mut self, person: usize, input: Input) {
        let now = self.now_of(person);
        let one = &mut self.people[person];
        if let Some(engine) = &mut one.engine {
            let began = computed();
            let done = engine.handle(input, now, &mut one.chance);
            one.spent += computed().saturating_sub(began);
            match done {
                Ok(effects) => one.queue.extend(effects),
                Err(_) => self.failed(person),
            }
        }
    }

    /// What a driver does after a step that is not on disk.
    fn failed(&mut self, person: usize) {
        let restart = self.now() + 5_000;
        let one = &mut self.people[person];
        one.queue.clear();
        (one.login, one.anonymous) = (None, None);
        (one.timer, one.restart) = (u64::MAX, restart);
        let problem = Problem { kind: ProblemKind::Disk, code: 0, wait_seconds: 0 };
        let refused = |ask| (ask, Reply::Problem(problem.clone()));
        one.told.extend(one.waiting.drain(..).map(refused));
        one.events.push(Event::DiskTrouble);
    }

    /// Runs until nothing moves.
    pub fn run(&mut self) {
        let mut moved = true;
        let mut rounds = 0;
        while moved {
            rounds += 1;
            assert!(rounds < SPIN, "somebody asks and is answered without end");
            moved = false;
            for person in 0..self.people.len() {
                let waiting = self.people[person].queue.len();
                for _ in 0..waiting {
                    let Some(effect) = self.people[person].queue.pop_front() else {
                        break;
                    };
                    moved = true;
                    self.carry(person, effect);
                    self.burn_fuse(person);
                }
                moved |= self.deliver(person);
            }
        }
    }

    fn burn_fuse(&mut self, person: usize) {
        match &mut self.people[person].fuse {
            Some(0) => {
                self.people[person].fuse = None;
                self.kill(person);
            }
            Some(left) => *left -= 1,
            None => {}
        }
    }

    fn deliver(&mut self, person: usize) -> bool {
        let Some(login) = &self.people[person].login else {
            return false;
        };
        let server = &self.server;
        // The server pushes before it answers, so what is to come is there already.
        let pushed = self.runtime.block_on(async {
            tokio::select! {
                biased;
                deliver = server.next_delivery(login) => Some(deliver),
                () = std::future::ready(()) => None,
            }
        });
        let Some(deliver) = pushed else {
            return false;
        };
        self.hear(person, Wire::Login, proto::from_server::Body::Deliver(deliver));
        true
    }

    /// A person hears what the server says, or what Olga makes of it.
    pub fn hear(&mut self, person: usize, wire: Wire, body: proto::from_server::Body) {
        let mut message = proto::FromServer { body: Some(body) };
        (self.tamper)(person, &mut message);
        self.give(person, Input::Frame(wire, message.encode_to_vec()));
    }

    fn carry(&mut self, person: usize, effect: Effect) {
        match effect {
            Effect::Connect(wire) => {
                let one = &mut self.people[person];
                let slot = match wire {
                    Wire::Login => &mut one.login,
                    Wire::Anonymous => &mut one.anonymous,
                };
                if one.offline || one.engine.is_none() || slot.is_some() {
                    return;
                }
                *slot = Some(self.server.connect([u8::try_from(person).unwrap_or(0); 16]));
                self.give(person, Input::Connected(wire));
            }
            Effect::Renew(wire) => {
                let one = &mut self.people[person];
                match wire {
                    Wire::Login => one.login = None,
                    Wire::Anonymous => one.anonymous = None,
                }
                self.carry(person, Effect::Connect(wire));
            }
            Effect::Frame(wire, bytes) => self.send(person, wire, &bytes),
            Effect::Timer(at) => self.people[person].timer = at,
            Effect::Told(told) => {
                let one = &mut self.people[person];
                one.waiting.retain(|ask| *ask != told.ask);
                one.told.push((told.ask, told.reply));
            }
            Effect::Event(event) => self.people[person].events.push(event),
            Effect::File(message, work) => {
                let (files, most) = (self.server.files(), self.moves_at_once);
                let word = self.people[person].files.work(work, files.ok(), most);
                if let Some(word) = word {
                    self.give(person, Input::File(message, word));
                }
            }
            Effect::Erased => self.kill(person),
        }
    }

    fn send(&mut self, person: usize, wire: Wire, bytes: &[u8]) {
        let request = proto::Request::decode(bytes).unwrap();
        let one = &self.people[person];
        let connection = match wire {
            Wire::Login => &one.login,
            Wire::Anonymous => &one.anonymous,
        };
        let Some(connection) = connection else {
            return;
        };
        self.requests += 1;
        let fate = (self.fate)(person, wire, &request);
        if fate == Fate::NeverAnswered {
            return;
        }
        if fate == Fate::RequestLost {
            self.cut_one(person, wire);
            return;
        }
        let server = &self.server;
        let id = request.id;
        let waits = matches!(request.body, Some(proto::request::Body::RendezvousGet(_)));
        // Whoever asks for an empty slot would wait for it: the world does not stand still meanwhile.
        let nothing = proto::answer::Body::RendezvousGet(proto::RendezvousGetAnswer::default());
        let answer = self.runtime.block_on(async {
            tokio::select! {
                biased;
                answer = server.handle(connection, request) => answer,
                () = std::future::ready(()), if waits => proto::Answer { id, body: Some(nothing) },
            }
        });
        if fate == Fate::AnswerLost {
            self.cut_one(person, wire);
            return;
        }
        self.hear(person, wire, proto::from_server::Body::Answer(answer));
    }

    // ---- what people do ------------------------------------------------------------------------

    /// Opens the chat with a handle.
    pub fn chat(&mut self, person: usize, with: &str) -> ConversationRow {
        match self.ask(person, Command::OpenDirect { handle: with.to_owned() }) {
            Reply::Conversation(row) => row,
            other => panic!("no chat with @{with}: {other:?}"),
        }
    }

    /// Writes to a conversation.
    pub fn write(&mut self, person: usize, conversation: ConversationId, text: &str) -> MessageRow {
        let command = Command::SendText { conversation, text: text.to_owned() };
        match self.ask(person, command) {
            Reply::Sent(row) => row,
            other => panic!("could not write: {other:?}"),
        }
    }

    /// Opens the chat with a handle and writes.
    pub fn say(&mut self, person: usize, to: &str, text: &str) -> MessageRow {
        let chat = self.chat(person, to);
        self.write(person, chat.id, text)
    }

    /// Requests that wait.
    pub fn requests(&mut self, person: usize) -> Vec<RequestRow> {
        match self.ask(person, Command::Requests) {
            Reply::Requests(rows) => rows,
            other => panic!("no requests: {other:?}"),
        }
    }

    /// Accepts the first request.
    pub fn accept(&mut self, person: usize) -> ConversationRow {
        let request = self.requests(person).remove(0);
        match self.ask(person, Command::Accept { conversation: request.conversation }) {
            Reply::Conversation(row) => {
                self.run();
                row
            }
            other => panic!("could not accept: {other:?}"),
        }
    }

    /// The chat list.
    pub fn chats(&mut self, person: usize) -> Vec<ConversationRow> {
        match self.ask(person, Command::Conversations) {
            Reply::Conversations(rows) => rows,
            other => panic!("no chats: {other:?}"),
        }
    }

    /// All messages of a chat, oldest first.
    pub fn rows(&mut self, person: usize, conversation: ConversationId) -> Vec<MessageRow> {
        let at = nodoor_view::command::Place::Newest;
        match self.ask(person, Command::Messages { conversation, at, limit: 200 }) {
            Reply::Messages(page) => page.rows,
            other => panic!("no messages: {other:?}"),
        }
    }

    /// The texts of a chat, oldest first, each with `me` or the sender's handle.
    pub fn texts(&mut self, person: usize, conversation: ConversationId) -> Vec<String> {
        let rows = self.rows(person, conversation);
        rows.into_iter()
            .filter_map(|row| match (row.content, row.from) {
                (Content::Text(text), From::Me) => Some(format!("me: {text}")),
                (Content::Text(text), From::Them(them)) => Some(format!("{}: {text}", them.handle)),
                _ => None,
            })
            .collect()
    }

    /// States of one's own messages, oldest first.
    pub fn states(&mut self, person: usize, conversation: ConversationId) -> Vec<SendState> {
        self.rows(person, conversation).into_iter().filter_map(|row| row.state).collect()
    }
}

/// How long this thread has computed.
#[must_use]
pub fn computed() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(said.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}
