// SPDX-License-Identifier: AGPL-3.0-or-later
//! A WebSocket client small enough to saturate a server from one core (RFC 6455, client side, no extensions).
//!
//! Frames are masked with the zero key: the server unmasks them all the same, and the load generator does
//! not pay for it. Nothing but test and measurement may use this: masks exist for browsers behind proxies.

use std::collections::VecDeque;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use nodoor_wire::proto::{self, Answer, FromServer, Request, from_server, request};
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// What a client may send in a frame (RFC 6455, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// UTF-8: never part of the protocol.
    Text = 1,
    /// One protobuf.
    Binary = 2,
    /// The end.
    Close = 8,
    /// Are you there?
    Ping = 9,
    /// I am.
    Pong = 10,
}

/// What a server sent.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, taken apart at once; a box would be measured"
)]
pub enum Incoming {
    /// A protobuf.
    Message(FromServer),
    /// To be answered by [`Sender::pong`].
    Ping(Bytes),
    /// An answer to a ping of ours.
    Pong,
    /// The end, with its code if there is one.
    Close(Option<u16>),
}

/// Opens a WebSocket at `ws://{address}/v1/ws`.
///
/// # Errors
/// The server cannot be reached, or does not upgrade; the error then carries its status line.
pub async fn connect(address: &str) -> Result<(Sender, Receiver)> {
    connect_with(address, "").await
}

/// As [`connect`], with further header lines, each ending in `\r\n`.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(address: &str, headers: &str) -> Result<(Sender, Receiver)> {
    let mut stream = TcpStream::connect(address).await.context("connect")?;
    stream.set_nodelay(true)?;
    let upgrade = format!(
        "GET /v1/ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{headers}\r\n"
    );
    stream.write_all(upgrade.as_bytes()).await?;
    let mut buffer = BytesMut::with_capacity(4096);
    let end = loop {
        ensure!(stream.read_buf(&mut buffer).await? > 0, "closed while upgrading");
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = buffer.split_to(end);
    let status = head.as_ref().split(|byte: &u8| *byte == b'\r').next().unwrap_or_default();
    ensure!(status.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(status));
    let (read, write) = stream.into_split();
    let sender = Sender { half: write, buffer: Vec::new() };
    Ok((sender, Receiver { half: read, buffer, ready: VecDeque::new() }))
}

/// The writing half: frames are queued, then flushed together.
#[derive(Debug)]
pub struct Sender {
    half: OwnedWriteHalf,
    buffer: Vec<u8>,
}

impl Sender {
    /// Queues a request.
    pub fn queue(&mut self, id: u64, body: request::Body) {
        let request = Request { id, body: Some(body) };
        self.head(Opcode::Binary, request.encoded_len());
        // A Vec grows as it is written to.
        let _ = request.encode(&mut self.buffer);
    }

    /// Queues any frame.
    pub fn queue_raw(&mut self, opcode: Opcode, payload: &[u8]) {
        self.head(opcode, payload.len());
        self.buffer.extend_from_slice(payload);
    }

    /// Writes everything queued.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn flush(&mut self) -> Result<()> {
        self.half.write_all(&self.buffer).await?;
        self.buffer.clear();
        Ok(())
    }

    /// Answers a ping.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn pong(&mut self, payload: &[u8]) -> Result<()> {
        self.queue_raw(Opcode::Pong, payload);
        self.flush().await
    }

    fn head(&mut self, opcode: Opcode, length: usize) {
        self.buffer.push(0x80 | opcode as u8);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ 0..=125), _) => self.buffer.push(0x80 | short),
            (_, Ok(medium)) => {
                self.buffer.push(0x80 | 126);
                self.buffer.extend_from_slice(&medium.to_be_bytes());
            }
            _ => {
                self.buffer.push(0x80 | 127);
                self.buffer.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        self.buffer.extend_from_slice(&[0; 4]);
    }
}

/// The reading half.
#[derive(Debug)]
pub struct Receiver {
    half: OwnedReadHalf,
    buffer: BytesMut,
    ready: VecDeque<Incoming>,
}

impl Receiver {
    /// The next frame.
    ///
    /// # Errors
    /// The connection is gone, or the server sent what is no frame or no `FromServer`.
    pub async fn next(&mut self) -> Result<Incoming> {
        loop {
            if let Some(incoming) = self.ready.pop_front() {
                return Ok(incoming);
            }
            self.read().await?;
        }
    }

    /// At least one frame, and all that came with it.
    ///
    /// # Errors
    /// As [`Receiver::next`].
    pub async fn batch(&mut self) -> Result<impl Iterator<Item = Incoming> + '_> {
        while self.ready.is_empty() {
            self.read().await?;
        }
        Ok(self.ready.drain(..))
    }

    async fn read(&mut self) -> Result<()> {
        self.buffer.reserve(32 * 1024);
        ensure!(
            self.half.read_buf(&mut self.buffer).await? > 0,
            "the server closed the connection"
        );
        while let Some((opcode, payload)) = take_frame(&mut self.buffer)? {
            self.ready.push_back(match opcode {
                2 => Incoming::Message(FromServer::decode(payload)?),
                8 => Incoming::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
                9 => Incoming::Ping(payload),
                10 => Incoming::Pong,
                other => bail!("frame of opcode {other}"),
            });
        }
        if self.buffer.is_empty() {
            // An idle connection keeps no buffer.
            self.buffer = BytesMut::new();
        }
        Ok(())
    }
}

/// One frame from the front, unmasked and whole, as servers send them here.
fn take_frame(buffer: &mut BytesMut) -> Result<Option<(u8, Bytes)>> {
    let Some([first, second]) = buffer.first_chunk().copied() else { return Ok(None) };
    ensure!(first & 0xf0 == 0x80 && second & 0x80 == 0, "fragmented, masked or reserved frame");
    let (head, length) = match second {
        126 => match buffer.get(2..4).and_then(|b| b.first_chunk()) {
            Some(length) => (4, usize::from(u16::from_be_bytes(*length))),
            None => return Ok(None),
        },
        127 => match buffer.get(2..10).and_then(|b| b.first_chunk()) {
            Some(length) => (10, usize::try_from(u64::from_be_bytes(*length))?),
            None => return Ok(None),
        },
        short => (2, usize::from(short)),
    };
    if buffer.len() < head + length {
        buffer.reserve(head + length);
        return Ok(None);
    }
    buffer.advance(head);
    Ok(Some((first & 0x0f, buffer.split_to(length).freeze())))
}

/// Both halves and a counter: asks one thing at a time. Deliveries that come meanwhile are kept.
#[derive(Debug)]
pub struct Socket {
    /// The writing half.
    pub sender: Sender,
    /// The reading half.
    pub receiver: Receiver,
    /// Deliveries that came while an answer was waited for.
    pub deliveries: VecDeque<proto::Deliver>,
    next_id: u64,
}

impl Socket {
    /// Opens a WebSocket.
    ///
    /// # Errors
    /// As [`connect`].
    pub async fn open(address: &str) -> Result<Self> {
        let (sender, receiver) = connect(address).await?;
        Ok(Self { sender, receiver, deliveries: VecDeque::new(), next_id: 1 })
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn ask(&mut self, body: request::Body) -> Result<Answer> {
        let id = self.next_id;
        self.next_id += 1;
        self.sender.queue(id, body);
        self.sender.flush().await?;
        loop {
            match self.step().await? {
                Some(answer) if answer.id == id => return Ok(answer),
                _ => {}
            }
        }
    }

    /// The next delivery.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn delivery(&mut self) -> Result<proto::Deliver> {
        loop {
            if let Some(delivery) = self.deliveries.pop_front() {
                return Ok(delivery);
            }
            self.step().await?;
        }
    }

    async fn step(&mut self) -> Result<Option<Answer>> {
        match self.receiver.next().await? {
            Incoming::Message(FromServer { body: Some(from_server::Body::Answer(answer)) }) => {
                return Ok(Some(answer));
            }
            Incoming::Message(FromServer { body: Some(from_server::Body::Deliver(delivery)) }) => {
                self.deliveries.push_back(delivery);
            }
            Incoming::Ping(payload) => self.sender.pong(&payload).await?,
            Incoming::Close(code) => bail!("closed by the server ({code:?})"),
            Incoming::Message(_) | Incoming::Pong => {}
        }
        Ok(None)
    }
}
