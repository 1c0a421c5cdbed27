// SPDX-License-Identifier: AGPL-3.0-or-later
//! People with devices and rooms, as far as a server can tell them: real keys and signatures, opaque frames.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use nodoor_server::{
    Clock, Config, Connection, Server,
    storage::{Storage, memory::Memory},
};
use nodoor_transparency::{
    key::{self, Signer, SigningKey},
    list::{Device, DeviceList},
    statement::{HandleClaim, MailboxKey},
};
use nodoor_wire::{
    code::Code,
    handle::Handle,
    header::{COMMIT_LABEL, CommitHeader},
    id::{AccountId, BodyId, DeploymentId, DeviceId, HourKeyId, RoomId, Token, TransportId},
    proto::{self, answer::Body as Answer, request::Body as Ask},
    roster::Roster,
    sealed::{BodySecret, HourKey, MailboxSecret},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

/// A clock that stands where it is put.
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn at(now_ms: u64) -> Self {
        Self(AtomicU64::new(now_ms))
    }

    pub(crate) fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const NOW: u64 = 490_000 * HOUR;

/// A server and its clock, and its store where that is the model.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) clock: Arc<TestClock>,
    memory: Option<Memory>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let store = Memory::new(DeploymentId([9; 16]));
        Self { memory: Some(store.clone()), ..Self::on(store, config) }
    }

    pub(crate) fn on(store: impl Storage, config: Config) -> Self {
        let clock = Arc::new(TestClock(AtomicU64::new(NOW)));
        Self { server: open(store, config, &clock), clock, memory: None }
    }

    pub(crate) fn of(server: Server, clock: Arc<TestClock>) -> Self {
        Self { server, clock, memory: None }
    }

    pub(crate) fn store(&self) -> &Memory {
        self.memory.as_ref().unwrap()
    }

    /// The process ends and starts again on what is stored.
    pub(crate) fn restart(&mut self) {
        self.restart_with(Config::default());
    }

    pub(crate) fn restart_with(&mut self, config: Config) {
        self.server = open(self.store().clone(), config, &self.clock);
    }

    pub(crate) fn anonymous(&self) -> Connection {
        self.server.connect_anonymous([1; 16])
    }

    /// A request on a fresh anonymous connection.
    pub(crate) async fn ask(&self, body: Ask) -> Answer {
        ask(&self.server, &self.anonymous(), body).await
    }

    pub(crate) async fn login_connection(&self) -> (Connection, [u8; 32]) {
        let connection = self.server.connect([1; 16]);
        let challenge = hello(&self.server, &connection, proto::ConnectionKind::Login).await;
        (connection, challenge.as_ref().try_into().unwrap())
    }

    /// A registered person with a token, logged in and subscribed.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let mut person = Person::new(name);
        let (connection, _) = self.login_connection().await;
        assert_done(ask(&self.server, &connection, Ask::Register(person.register(name))).await);
        person.login(self).await;
        let put =
            proto::TokenPut { seeds: vec![person.seed.to_vec().into()], ..Default::default() };
        assert_done(person.ask(self, Ask::TokenPut(put)).await);
        person.subscribe(self).await;
        person.listen(self).await;
        person
    }
}

fn open(store: impl Storage, config: Config, clock: &Arc<TestClock>) -> Server {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let rng = rand_core::UnwrapErr(getrandom::SysRng);
    Server::open(store, config, clock, Box::new(rng)).unwrap()
}

pub(crate) async fn ask(server: &Server, connection: &Connection, body: Ask) -> Answer {
    let request = proto::Request { id: 77, body: Some(body) };
    let answer = server.handle(connection, request).await;
    assert_eq!(answer.id, 77);
    answer.body.unwrap()
}

pub(crate) async fn hello(
    server: &Server,
    connection: &Connection,
    kind: proto::ConnectionKind,
) -> bytes::Bytes {
    let hello = proto::Hello { versions: vec![1], kind: kind.into(), token: None };
    match ask(server, connection, Ask::Hello(hello)).await {
        Answer::Hello(answer) => answer.challenge,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn code(answer: &Answer) -> Option<Code> {
    match answer {
        Answer::Refusal(refusal) => Code::from_number(refusal.code),
        _ => None,
    }
}

pub(crate) fn assert_done(answer: Answer) {
    assert_eq!(code(&answer), None);
}

pub(crate) fn assert_refused(answer: &Answer, expected: Code) {
    assert_eq!(code(answer), Some(expected), "{answer:?}");
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// A device with its keys, its mailbox and at most one connection.
pub(crate) struct Person {
    pub(crate) account: AccountId,
    pub(crate) device: DeviceId,
    pub(crate) list: DeviceList,
    pub(crate) device_key: SigningKey,
    pub(crate) recovery: SigningKey,
    pub(crate) login_key: SigningKey,
    pub(crate) mailbox: MailboxSecret,
    pub(crate) seed: [u8; 32],
    pub(crate) commit_key: SigningKey,
    pub(crate) connection: Option<Connection>,
    pub(crate) hour_keys: Vec<HourKey>,
}

/// An entry as its device reads it.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) sequence: u64,
    pub(crate) room: RoomId,
    pub(crate) body_id: BodyId,
    pub(crate) secret: BodySecretBytes,
    pub(crate) body: Option<proto::body::Body>,
}

pub(crate) type BodySecretBytes = [u8; 32];

impl Person {
    pub(crate) fn new(_name: &str) -> Self {
        let device_key = SigningKey::from_seed(random());
        let recovery = SigningKey::from_seed(random());
        let login_key = SigningKey::from_seed(random());
        let device = Device::new(device_key.public(), random(), login_key.public());
        let list = DeviceList::first(recovery.public(), device.clone());
        Self {
            account: list.account(),
            device: device.id,
            list,
            device_key,
            recovery,
            login_key,
            mailbox: MailboxSecret::from_seed(random()),
            seed: random(),
            commit_key: SigningKey::from_seed(random()),
            connection: None,
            hour_keys: Vec::new(),
        }
    }

    pub(crate) fn token(&self) -> Token {
        Token::of_seed(&self.seed)
    }

    pub(crate) fn register(&self, handle: &str) -> proto::Register {
        let device = Signer::Device(&self.device_key);
        let claim = HandleClaim { handle: Handle::parse(handle).unwrap(), account: self.account };
        proto::Register {
            list: Some(self.list.sign(&[device, Signer::Recovery(&self.recovery)])),
            handle_claim: Some(claim.sign(device)),
            mailbox_key: Some(MailboxKey::sign(&self.mailbox.public(), NOW, &self.device_key)),
            ticket: String::new(),
        }
    }

    pub(crate) fn sign_login(&self, world: &World, challenge: &[u8; 32]) -> proto::Login {
        let bytes = key::login_bytes(&world.server.deployment(), challenge);
        proto::Login {
            account: self.account.to_bytes(),
            device: self.device.to_bytes(),
            signature: self.login_key.sign(key::label::LOGIN, &bytes).to_vec().into(),
        }
    }

    pub(crate) async fn login(&mut self, world: &World) {
        let (connection, challenge) = world.login_connection().await;
        let login = self.sign_login(world, &challenge);
        assert_done(ask(&world.server, &connection, Ask::Login(login)).await);
        self.connection = Some(connection);
    }

    pub(crate) async fn subscribe(&mut self, world: &World) {
        self.hour_keys.clear();
        let answer = self.ask(world, Ask::Subscribe(proto::Subscribe { after: 0 })).await;
        assert_done(answer);
    }

    /// A gateway asks for deliveries all the time: the first time what waits on disk, here nothing.
    pub(crate) async fn listen(&mut self, world: &World) {
        let next = world.server.next_delivery(self.connection());
        assert!(tokio::time::timeout(std::time::Duration::ZERO, next).await.is_err());
    }

    pub(crate) async fn reconnect(&mut self, world: &World) {
        self.login(world).await;
        self.subscribe(world).await;
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.connection.as_ref().unwrap()
    }

    pub(crate) async fn ask(&self, world: &World, body: Ask) -> Answer {
        ask(&world.server, self.connection(), body).await
    }

    /// The next delivery, opened; nothing if there is none.
    pub(crate) async fn receive(&mut self, world: &World) -> Vec<Read> {
        let next = world.server.next_delivery(self.connection());
        let wait = std::time::Duration::from_millis(200);
        let Ok(deliver) = tokio::time::timeout(wait, next).await else { return Vec::new() };
        self.open(deliver)
    }

    pub(crate) fn open(&mut self, deliver: proto::Deliver) -> Vec<Read> {
        for hour in &deliver.hour_keys {
            let id = HourKeyId::try_from(&*hour.key_id).unwrap();
            self.hour_keys.push(self.mailbox.open(&self.device, &id, &hour.sealed).unwrap());
        }
        deliver
            .entries
            .into_iter()
            .map(|entry| {
                let hour = self.hour_keys.iter().find(|hour| hour.id().0 == *entry.key_id).unwrap();
                let plain = hour.open_entry(&self.device, entry.sequence, &entry.sealed).unwrap();
                let plain = proto::EntryPlain::decode(&*plain).unwrap();
                let secret = BodySecret((&*plain.body_secret).try_into().unwrap());
                let body = (!entry.body.is_empty())
                    .then(|| proto::Body::decode(entry.body).unwrap().body.unwrap());
                Read {
                    sequence: entry.sequence,
                    room: RoomId::try_from(&*plain.room).unwrap(),
                    body_id: secret.id(),
                    secret: secret.0,
                    body,
                }
            })
            .collect()
    }

    pub(crate) async fn acknowledge(&self, world: &World, read: &[Read]) -> Answer {
        let releases = read.iter().map(|read| release(read.sequence, read.body_id)).collect();
        let up_to = read.last().unwrap().sequence;
        self.ask(world, Ask::Ack(proto::Ack { up_to, releases })).await
    }

    /// The sealed body of an entry, opened; nothing if the server has or gives none.
    pub(crate) async fn fetch(&self, world: &World, read: &Read) -> Option<proto::body::Body> {
        let wanted = vec![release(read.sequence, read.body_id)];
        let answer = self.ask(world, Ask::BodyGet(proto::BodyGet { wanted })).await;
        let Answer::BodyGet(answer) = answer else { panic!("{answer:?}") };
        let body = answer.bodies.into_iter().next().unwrap();
        let plain = BodySecret(read.secret).open(&body.sealed).ok()?;
        proto::Body::decode(&*plain).unwrap().body
    }
}

pub(crate) fn release(sequence: u64, body: BodyId) -> proto::Release {
    proto::Release { sequence, body_id: body.to_bytes() }
}

/// An epoch of a room as its members know it.
#[derive(Clone)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) epoch: u64,
    pub(crate) key: [u8; 32],
}

impl Room {
    /// A room at epoch 0 of these people.
    pub(crate) async fn found(world: &World, people: &[&Person]) -> Self {
        let room = Self { id: RoomId(random()), epoch: 0, key: random() };
        assert_done(world.ask(Ask::RoomFound(room.founding(people))).await);
        room
    }

    pub(crate) fn founding(&self, people: &[&Person]) -> proto::RoomFound {
        proto::RoomFound {
            room: self.id.to_bytes(),
            key_check: self.check(),
            roster: self.roster(people),
        }
    }

    pub(crate) fn check(&self) -> bytes::Bytes {
        Sha256::digest(self.key).to_vec().into()
    }

    pub(crate) fn roster(&self, people: &[&Person]) -> bytes::Bytes {
        let tokens = people.iter().map(|person| person.token().0).collect();
        let keys = people.iter().map(|person| person.commit_key.public()).collect();
        Roster::new(tokens, keys).unwrap().seal(&self.key, &self.id, self.epoch).into()
    }

    pub(crate) fn next(&self) -> Self {
        Self { id: self.id, epoch: self.epoch + 1, key: random() }
    }

    /// A commit to `next` with these members, signed by one of now, with a Welcome for some.
    pub(crate) fn commit(
        &self,
        next: &Self,
        signer: &Person,
        members: &[&Person],
        welcomed: &[&Person],
    ) -> proto::Commit {
        let welcomes = (!welcomed.is_empty()).then(|| proto::WelcomeOut {
            tokens: welcomed.iter().map(|person| person.token().to_bytes()).collect(),
            body: format!("welcome to epoch {}", next.epoch).into_bytes().into(),
        });
        let commit = proto::Commit {
            room: self.id.to_bytes(),
            epoch: self.epoch,
            key: self.key.to_vec().into(),
            frame: format!("commit of epoch {}", self.epoch).into_bytes().into(),
            next_roster: next.roster(members),
            next_key_check: next.check(),
            welcomes: welcomes.into_iter().collect(),
            ..Default::default()
        };
        sign(commit, &signer.commit_key)
    }

    pub(crate) async fn move_on(
        &self,
        world: &World,
        signer: &Person,
        members: &[&Person],
    ) -> Self {
        let next = self.next();
        let commit = self.commit(&next, signer, members, &[]);
        assert_done(world.ask(Ask::Commit(commit)).await);
        next
    }

    pub(crate) fn send(&self, text: &str) -> proto::Send {
        proto::Send {
            room: self.id.to_bytes(),
            epoch: self.epoch,
            key: self.key.to_vec().into(),
            transport_id: TransportId(random()).to_bytes(),
            frame: text.as_bytes().to_vec().into(),
            quiet: false,
        }
    }

    pub(crate) async fn say(&self, world: &World, text: &str) -> Answer {
        world.ask(Ask::Send(self.send(text))).await
    }

    pub(crate) fn catch_up(&self) -> Ask {
        Ask::CatchUp(proto::CatchUp {
            room: self.id.to_bytes(),
            epoch: self.epoch,
            key: self.key.to_vec().into(),
        })
    }
}

pub(crate) fn sign(mut commit: proto::Commit, key: &SigningKey) -> proto::Commit {
    let header = CommitHeader::of(&commit).to_vec();
    commit.commit_key = key.public().to_vec().into();
    commit.signature = key.sign(COMMIT_LABEL, &header).to_vec().into();
    commit
}

/// The texts among what was read.
pub(crate) fn texts(read: &[Read]) -> Vec<String> {
    read.iter()
        .filter_map(|read| match &read.body {
            Some(proto::body::Body::Frame(frame)) => {
                Some(String::from_utf8(frame.to_vec()).unwrap())
            }
            _ => None,
        })
        .collect()
}
