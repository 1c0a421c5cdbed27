// SPDX-License-Identifier: AGPL-3.0-or-later
//! kill -9 under load: what was acknowledged to a sender arrives, once; what the server says names nobody.
//!
//! Writers send numbered bodies over real sockets and note which got a yes. Readers keep what they saw as a client does: the
//! highest sequence with the entry, so that what comes again is skipped. The server is killed and started anew several
//! times; writers repeat what got no answer, byte for byte, until they have one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::Result;
use nodoor_bench::actor::{Actor, Room, ack, anonymous, done};
use nodoor_wire::proto::{self, answer, request};
use tokio::{runtime::Runtime, time::sleep};

use crate::daemon::Daemon;

const ROOMS: u8 = 4;
const READERS: u8 = 3;
const KILLS: usize = 5;

#[test]
fn every_acknowledged_message_arrives_once_however_often_the_server_is_killed() {
    let data = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let mut said = String::new();
    let daemon = start(data.path());
    let place = Arc::new(Place {
        address: Mutex::new(daemon.address.clone()),
        over: AtomicBool::new(false),
        yes: Mutex::new(0),
        more: Condvar::new(),
    });
    let scene = Arc::new(runtime.block_on(scene(&daemon.address)).unwrap());

    let writing = (0..ROOMS).map(|room| runtime.spawn(write(scene.clone(), room, place.clone())));
    let writing = writing.collect::<Vec<_>>();
    let read = scene
        .readers
        .iter()
        .enumerate()
        .map(|(reader, _)| runtime.spawn(read(scene.clone(), reader, place.clone())));
    let read = read.collect::<Vec<_>>();

    let mut daemon = daemon;
    for round in 0..KILLS {
        place.wait_for(100 * (round + 1));
        said += &daemon.kill();
        daemon = start(data.path());
        *place.address.lock().unwrap() = daemon.address.clone();
    }
    place.wait_for(100 * (KILLS + 1));
    place.over.store(true, SeqCst);

    let yes = writing.into_iter().map(|task| runtime.block_on(task).unwrap());
    let yes = yes.collect::<Vec<BTreeSet<u64>>>();
    let total = yes.iter().map(BTreeSet::len).sum::<usize>();
    assert!(total > 200, "only {total} messages were acknowledged: no load");
    for (reader, seen) in read.into_iter().enumerate() {
        // A reader returns once nothing came for a while after all writers were done.
        let seen = runtime.block_on(seen).unwrap();
        let room = reader / usize::from(READERS);
        for (number, times) in &seen {
            assert_eq!(*times, 1, "reader {reader} was given message {number} more than once");
        }
        let seen = seen.into_keys().collect::<BTreeSet<_>>();
        assert_eq!(seen, yes[room], "reader {reader} of room {room}");
    }

    let (status, _, last) = daemon.stop(rustix::process::Signal::TERM);
    assert!(status.success());
    said += &last;
    names_nobody(&said, &scene);
}

/// Where the server is now, and whether the writing is over.
struct Place {
    address: Mutex<String>,
    over: AtomicBool,
    /// Messages that got a yes so far.
    yes: Mutex<usize>,
    more: Condvar,
}

impl Place {
    /// Waits until so many messages got a yes.
    fn wait_for(&self, messages: usize) {
        let waiting = self.yes.lock().unwrap();
        let minute = Duration::from_secs(60);
        let few = |yes: &mut usize| *yes < messages;
        let waited = self.more.wait_timeout_while(waiting, minute, few).unwrap();
        assert!(!waited.1.timed_out(), "no load");
    }

    fn note_yes(&self) {
        *self.yes.lock().unwrap() += 1;
        self.more.notify_all();
    }

    fn address(&self) -> String {
        self.address.lock().unwrap().clone()
    }
}

struct Scene {
    rooms: Vec<Room>,
    readers: Vec<(Actor, [u8; 32])>,
}

fn start(data: &Path) -> Daemon {
    Daemon::start(data, &["--without-budgets"])
}

async fn scene(address: &str) -> Result<Scene> {
    let mut scene = Scene { rooms: Vec::new(), readers: Vec::new() };
    for room in 0..ROOMS {
        let mut tokens = Vec::new();
        for reader in 0..READERS {
            let actor = Actor::of_seed([room * READERS + reader + 1; 32]);
            let seed = actor.token_seed(u64::from(room));
            tokens.push(actor.register(address).await?.put_token(seed).await?);
            scene.readers.push((actor, seed));
        }
        let made = Room::of_seed([100 + room; 32], &tokens)?;
        made.found(&mut anonymous(address).await?).await?;
        scene.rooms.push(made);
    }
    Ok(scene)
}

/// Sends numbered messages, four at a time, repeating what got no answer. Returns the numbers that got a yes: all it sent.
async fn write(scene: Arc<Scene>, room: u8, place: Arc<Place>) -> BTreeSet<u64> {
    let mut yes = BTreeSet::new();
    let mut waiting = BTreeSet::new();
    let mut next = 1;
    while !place.over.load(SeqCst) || !waiting.is_empty() {
        // Whatever ends it, a kill above all: connect again and repeat what waits.
        let _ = write_once(&scene, room, &place, &mut waiting, &mut next, &mut yes).await;
        sleep(Duration::from_millis(20)).await;
    }
    yes
}

async fn write_once(
    scene: &Scene,
    room: u8,
    place: &Place,
    waiting: &mut BTreeSet<u64>,
    next: &mut u64,
    yes: &mut BTreeSet<u64>,
) -> Result<()> {
    let mut socket = anonymous(&place.address()).await?;
    let mut fresh = waiting.clone();
    loop {
        while waiting.len() < 4 && !place.over.load(SeqCst) {
            waiting.insert(*next);
            fresh.insert(*next);
            *next += 1;
        }
        if waiting.is_empty() {
            return Ok(());
        }
        for number in std::mem::take(&mut fresh) {
            let mut transport = [room; 16];
            transport[8..].copy_from_slice(&number.to_be_bytes());
            let frame = [number.to_be_bytes().as_slice(), &[0xa5; 1000]].concat();
            let room = &scene.rooms[usize::from(room)];
            socket.sender.queue(1000 + number, room.send(transport, frame.into()));
        }
        socket.sender.flush().await?;
        let incoming = socket.receiver.next().await?;
        if let nodoor_bench::socket::Incoming::Message(message) = incoming
            && let Some(proto::from_server::Body::Answer(answer)) = message.body
        {
            done(&answer)?;
            waiting.remove(&(answer.id - 1000));
            yes.insert(answer.id - 1000);
            place.note_yes();
        }
    }
}

/// What a reader's device keeps: how often each message was given to the person, and the highest sequence.
struct Device {
    seen: BTreeMap<u64, u32>,
    processed: u64,
}

async fn read(scene: Arc<Scene>, reader: usize, place: Arc<Place>) -> BTreeMap<u64, u32> {
    let mut device = Device { seen: BTreeMap::new(), processed: 0 };
    loop {
        let before = device.seen.len();
        let over = place.over.load(SeqCst);
        let address = place.address();
        let reading = read_once(&scene.readers[reader].0, &address, &mut device);
        let quiet = tokio::time::timeout(Duration::from_secs(2), reading).await.is_err();
        if over && quiet && device.seen.len() == before {
            return device.seen;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn read_once(actor: &Actor, address: &str, device: &mut Device) -> Result<()> {
    let mut login = actor.login(address).await?;
    login.subscribe(device.processed).await?;
    loop {
        let delivery = login.socket.delivery().await?;
        let opened = login.mailbox.open(delivery)?;
        let missing = opened.iter().filter(|entry| entry.body.is_none());
        let wanted = missing.map(|entry| entry.release()).collect::<Vec<_>>();
        let mut bodies = BTreeMap::new();
        if !wanted.is_empty() {
            let ask = request::Body::BodyGet(proto::BodyGet { wanted });
            if let Some(answer::Body::BodyGet(got)) = login.socket.ask(ask).await?.body {
                bodies.extend(got.bodies.into_iter().map(|body| (body.id, body.sealed)));
            }
        }
        for entry in &opened {
            if entry.sequence <= device.processed {
                continue;
            }
            let sealed = bodies.get(entry.body_id.as_bytes()).map(AsRef::as_ref);
            let frame = entry.frame(sealed)?;
            let number = u64::from_be_bytes(frame[..8].try_into()?);
            // One transaction in a client: the message and the sequence.
            *device.seen.entry(number).or_default() += 1;
            device.processed = entry.sequence;
        }
        login.socket.ask(ack(&opened)).await?;
    }
}

fn names_nobody(said: &str, scene: &Scene) {
    assert!(said.contains("INFO"), "the log was not read");
    let said = said.to_lowercase();
    for (actor, token) in &scene.readers {
        for secret in [actor.handle(), actor.account.to_hex(), actor.device.to_hex(), hex(token)] {
            assert!(!said.contains(&secret), "the log names somebody");
        }
    }
    for room in &scene.rooms {
        assert!(!said.contains(&room.id.to_hex()), "the log names a room");
    }
    // What it listens on is its own affair and said on standard output; no other address may be there.
    for line in said.lines().filter(|line| !line.contains("nodoord listens on")) {
        assert!(!line.contains("127.0.0.1"), "the log holds an address: {line}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
