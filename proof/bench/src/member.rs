// SPDX-License-Identifier: AGPL-3.0-or-later
//! Somebody who reads: opens every delivery, fetches what did not come with it, acknowledges.

use std::{cell::Cell, collections::HashMap, rc::Rc, time::Duration};

use anyhow::{Result, bail};
use nodoor_bench::{
    actor::{Login, Mailbox, Opened, acknowledge, done},
    socket::{Incoming, Opcode, Receiver, Sender},
};
use nodoor_wire::proto::{self, Answer, answer, from_server, request};
use tokio::time::{Instant, timeout_at};

use crate::meter::clock;

/// A logged-in, subscribed reader.
pub(crate) struct Member {
    sender: Sender,
    receiver: Receiver,
    mailbox: Mailbox,
    early: Vec<Incoming>,
    /// Entries whose bodies were asked for, by the request.
    fetching: HashMap<u64, Vec<Opened>>,
    next_id: u64,
    unanswered: Rc<Cell<u64>>,
    /// What is acknowledged next, and when.
    ack: proto::Ack,
    ack_at: Option<Instant>,
}

/// As the client: an acknowledgement waits so long, and for so many.
const ACK_SOON: Duration = Duration::from_millis(100);
const ACK_ENTRIES: usize = 32;

impl Member {
    /// Takes over a connection that has subscribed.
    pub(crate) fn new(login: Login) -> Self {
        let early = login.socket.deliveries.into_iter().map(|delivery| {
            let body = Some(from_server::Body::Deliver(delivery));
            Incoming::Message(proto::FromServer { body })
        });
        Self {
            early: early.collect(),
            sender: login.socket.sender,
            receiver: login.socket.receiver,
            mailbox: login.mailbox,
            fetching: HashMap::new(),
            next_id: 1 << 32,
            unanswered: Rc::default(),
            ack: proto::Ack::default(),
            ack_at: None,
        }
    }

    /// Fetches and acknowledgements without their answer yet.
    pub(crate) fn unanswered(&self) -> Rc<Cell<u64>> {
        self.unanswered.clone()
    }

    /// Reads until the connection ends. `each` is given every frame and when it came.
    pub(crate) async fn read(mut self, each: impl Fn(&[u8], u64)) -> Result<()> {
        let mut incoming = std::mem::take(&mut self.early);
        loop {
            let now = clock();
            for one in incoming.drain(..) {
                self.take(one, &each, now)?;
            }
            self.sender.flush().await?;
            let at = self.ack_at;
            let batch = async { self.receiver.batch().await.map(Iterator::collect::<Vec<_>>) };
            let came = match at {
                None => Some(batch.await?),
                Some(at) => timeout_at(at, batch).await.ok().transpose()?,
            };
            match came {
                Some(batch) => incoming.extend(batch),
                None => self.send_ack(),
            }
        }
    }

    fn take(&mut self, incoming: Incoming, each: &impl Fn(&[u8], u64), now: u64) -> Result<()> {
        match incoming {
            Incoming::Message(message) => match message.body {
                Some(from_server::Body::Deliver(delivery)) => {
                    let opened = self.mailbox.open(delivery)?;
                    if opened.iter().all(|entry| entry.body.is_some()) {
                        for entry in &opened {
                            each(&entry.frame(None)?, now);
                        }
                        self.acknowledge(&opened);
                    } else {
                        let wanted = opened.iter().map(Opened::release).collect();
                        let id = self.ask(request::Body::BodyGet(proto::BodyGet { wanted }));
                        self.fetching.insert(id, opened);
                    }
                }
                Some(from_server::Body::Answer(answer)) => self.answered(answer, each, now)?,
                _ => {}
            },
            Incoming::Ping(payload) => self.sender.queue_raw(Opcode::Pong, &payload),
            Incoming::Pong => {}
            Incoming::Close(code) => bail!("closed by the server ({code:?})"),
        }
        Ok(())
    }

    fn answered(&mut self, answer: Answer, each: &impl Fn(&[u8], u64), now: u64) -> Result<()> {
        self.unanswered.set(self.unanswered.get().saturating_sub(1));
        let Some(opened) = self.fetching.remove(&answer.id) else { return done(&answer) };
        let Some(answer::Body::BodyGet(got)) = answer.body else { bail!("no bodies") };
        let sealed = got.bodies.into_iter().map(|body| (body.id, body.sealed));
        let sealed = sealed.collect::<HashMap<_, _>>();
        for entry in &opened {
            let sealed = sealed.get(entry.body_id.as_bytes()).map(AsRef::as_ref);
            each(&entry.frame(sealed)?, now);
        }
        self.acknowledge(&opened);
        Ok(())
    }

    /// As the client does: with whatever comes in the next moment, at once where it is much.
    fn acknowledge(&mut self, opened: &[Opened]) {
        acknowledge(opened, &mut self.ack);
        if self.ack.releases.len() >= ACK_ENTRIES {
            return self.send_ack();
        }
        if self.ack_at.is_none() {
            self.ack_at = Some(Instant::now() + ACK_SOON);
            self.unanswered.set(self.unanswered.get() + 1);
        }
    }

    fn send_ack(&mut self) {
        if self.ack_at.take().is_some() {
            self.unanswered.set(self.unanswered.get().saturating_sub(1));
        }
        let ack = std::mem::take(&mut self.ack);
        self.ask(request::Body::Ack(ack));
    }

    fn ask(&mut self, body: request::Body) -> u64 {
        self.next_id += 1;
        self.unanswered.set(self.unanswered.get() + 1);
        self.sender.queue(self.next_id, body);
        self.next_id
    }
}
