// SPDX-License-Identifier: AGPL-3.0-or-later
//! The scenarios. Each runs against a server that is up, and prints one JSON row a measurement.

mod fanout;
mod idle;
mod offline;
mod pairs;

use std::{cell::RefCell, future::Future, rc::Rc, sync::Arc, time::Duration};

use anyhow::Result;
use bytes::{BufMut as _, Bytes, BytesMut};
use nodoor_bench::{
    actor::{Actor, Login, Room, anonymous, done},
    socket::{Incoming, Receiver, Sender, Socket},
};
use nodoor_wire::{
    id::{Token, first_16, labelled_hash},
    proto::from_server,
};
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, spawn_local},
    time::sleep,
};

pub(crate) use self::{
    fanout::fanout,
    idle::{accounts, idle},
    offline::offline,
    pairs::pairs,
};
use crate::{
    cost::{load, memory_kib, round},
    member::Member,
    meter::{Meter, clock, tell_once},
};

/// What all scenarios have in common.
#[derive(Clone)]
pub(crate) struct Setting {
    /// host:port of the server.
    pub(crate) address: Rc<str>,
    /// The server's process.
    pub(crate) server: u32,
    /// Name of this peer in the rows.
    pub(crate) label: String,
    /// Free text in the rows: the summary groups open-loop runs by it.
    pub(crate) tag: String,
    /// Bytes of a body.
    pub(crate) size: usize,
    /// Seconds before measuring.
    pub(crate) warmup: f64,
    /// Seconds of measuring.
    pub(crate) secs: f64,
    /// Distinguishes the actors of this run from those of others.
    pub(crate) run: [u8; 32],
    /// Every row is kept here too.
    pub(crate) rows: Rc<RefCell<Vec<Value>>>,
}

impl Setting {
    fn actor(&self, number: u32) -> Actor {
        Actor::of_seed(self.seed("actor", u64::from(number)))
    }

    fn seed(&self, what: &str, number: u64) -> [u8; 32] {
        labelled_hash(what, &[self.run.as_slice(), &number.to_be_bytes()].concat())
    }

    /// Registers actors, a bounded number at a time, and gives each its token in a room of its choice.
    async fn register(
        &self,
        numbers: std::ops::Range<u32>,
        room_of: impl Fn(u32) -> u64,
    ) -> Result<Vec<(Login, Token)>> {
        let width = 32;
        each(numbers, width, |number| {
            let (actor, address, room) =
                (self.actor(number), self.address.clone(), room_of(number));
            async move {
                let mut login = actor.register(&address).await?;
                let token = login.put_token(actor.token_seed(room)).await?;
                Ok((login, token))
            }
        })
        .await
    }

    /// Founds a room on a connection of its own, which it returns.
    async fn found(&self, number: u64, tokens: &[Token]) -> Result<(Room, Socket)> {
        let room = Room::of_seed(self.seed("room", number), tokens)?;
        let mut socket = anonymous(&self.address).await?;
        room.found(&mut socket).await?;
        Ok((room, socket))
    }

    /// Subscribes and reads from now on, in a task of its own.
    async fn read(
        &self,
        mut login: Login,
        each: impl Fn(u64, u64) + 'static,
    ) -> Result<JoinHandle<()>> {
        login.subscribe(0).await?;
        let member = Member::new(login);
        Ok(spawn_local(async move {
            let read = member.read(|frame, now| each(stamp_of(frame), now));
            if let Err(error) = read.await {
                tell_once("reader", &error);
            }
        }))
    }

    fn print(&self, scenario: &str, parts: impl IntoIterator<Item = Value>) {
        let mut row = json!({
            "scenario": scenario, "peer": self.label, "driver": "nodoor", "tag": self.tag,
            "size": self.size, "durable": true, "tls": false, "loadavg": load(),
            "server_mib": round(memory_kib(self.server) / 1024.0),
        });
        for part in parts {
            if let (Value::Object(row), Value::Object(part)) = (&mut row, part) {
                row.extend(part);
            }
        }
        println!("{row}");
        self.rows.borrow_mut().push(row);
    }
}

/// Sends frames into a room and counts what the server says of them.
struct Source {
    room: Room,
    sender: Sender,
    filler: Bytes,
    serial: u64,
    seed: [u8; 32],
}

impl Source {
    /// A source and the task that reads its answers. `answered` is called for each.
    fn new(
        setting: &Setting,
        room: Room,
        socket: Socket,
        meter: Rc<Meter>,
        answered: impl Fn() + 'static,
    ) -> (Self, JoinHandle<()>) {
        let answers = spawn_local(read_answers(socket.receiver, meter, answered));
        let filler = Bytes::from(vec![0xa5; setting.size.saturating_sub(8)]);
        let seed = setting.seed("transport", clock());
        (Self { room, sender: socket.sender, filler, serial: 0, seed }, answers)
    }

    fn queue(&mut self, stamp: u64) {
        self.serial += 1;
        let mut frame = BytesMut::with_capacity(8 + self.filler.len());
        frame.put_u64(stamp);
        frame.extend_from_slice(&self.filler);
        let transport = u128::from_be_bytes(first_16(self.seed)) ^ u128::from(self.serial);
        let body = self.room.send(transport.to_be_bytes(), frame.freeze());
        self.sender.queue(self.serial, body);
    }

    async fn send(&mut self, stamp: u64) -> Result<()> {
        self.queue(stamp);
        self.sender.flush().await
    }
}

async fn read_answers(mut receiver: Receiver, meter: Rc<Meter>, answered: impl Fn()) {
    loop {
        let batch = match receiver.batch().await {
            Ok(batch) => batch,
            Err(error) => return tell_once("answers", &error),
        };
        for incoming in batch {
            if let Incoming::Message(message) = incoming
                && let Some(from_server::Body::Answer(answer)) = message.body
            {
                if let Err(error) = done(&answer) {
                    meter.refused(&error);
                }
                answered();
            }
        }
    }
}

/// Runs `make` for every number, `width` at a time, keeping order; stops at the first error.
async fn each<T, F>(
    numbers: std::ops::Range<u32>,
    width: usize,
    make: impl Fn(u32) -> F,
) -> Result<Vec<T>>
where
    T: 'static,
    F: Future<Output = Result<T>> + 'static,
{
    let places = Arc::new(Semaphore::new(width));
    let mut tasks = Vec::new();
    for number in numbers {
        let place = places.clone().acquire_owned().await?;
        let future = make(number);
        tasks.push(spawn_local(async move {
            let made = future.await;
            drop(place);
            made
        }));
    }
    let mut all = Vec::with_capacity(tasks.len());
    for task in tasks {
        all.push(task.await??);
    }
    Ok(all)
}

/// Waits for the time at which a sending is due and says how to stamp it: with the time due when it leaves more than 2 ms
/// late, so that a stalled server is not flattered.
async fn due(at: u64) -> u64 {
    while clock() < at {
        sleep(Duration::from_nanos(at.saturating_sub(clock()))).await;
    }
    let now = clock();
    if now - at < 2_000_000 { now } else { at }
}

fn stamp_of(frame: &[u8]) -> u64 {
    frame.first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default()
}

async fn seconds(secs: f64) {
    sleep(Duration::from_secs_f64(secs)).await;
}
