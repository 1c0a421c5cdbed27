// SPDX-License-Identifier: AGPL-3.0-or-later
//! One WebSocket: requests in, answers and deliveries out.
//!
//! One task a connection, one loop, no queue of its own. Several requests are under way; whatever is ready leaves in
//! one write. The yes to an acknowledgement, for which nobody waits, goes with whatever leaves next. A client that does not read stops the loop, and with it the reading of its requests and the taking
//! of its deliveries: what waits, waits in the store. An idle connection holds a 2 KiB read buffer and this task.
//!
//! Spec: `docs/book/protocol.md`, 2, 4 (delivery) and 8; RFC 6455. `router` calls it; it calls `server`.

use std::{
    future::{Future, ready},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _, stream::FuturesUnordered};
use nodoor_wire::{
    code::Code,
    limits,
    proto::{Answer, Draining, FromServer, Request, answer, from_server, request},
};
use prost::Message as _;
use tokio::time::{Instant, sleep_until, timeout};

use crate::{Gateway, crowd::Caller, metrics::Closed};

/// Sets the bounds of a WebSocket: what it may take in, and what it may keep.
pub(crate) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(limits::REQUEST)
        .max_frame_size(limits::REQUEST)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
}

/// Runs a connection to its end.
pub(crate) fn run(
    gateway: Arc<Gateway>,
    caller: Arc<Caller>,
    socket: WebSocket,
) -> impl Future<Output = ()> {
    // A future keeps a place for each move of what it holds: boxed first, an idle connection is half a KiB smaller.
    let socket = Box::new(socket);
    async move {
        gateway.metrics.opened();
        let mut line = Line { socket, gateway: &gateway, waiting: false, resting: false };
        let why = converse(&gateway, &caller, &mut line).await;
        line.end(why).await;
        gateway.metrics.closed(why);
    }
}

async fn converse(gateway: &Gateway, caller: &Caller, line: &mut Line<'_>) -> Closed {
    let (server, limits) = (&gateway.server, &gateway.limits);
    let connection = server.connect(caller.peer.key());
    let mut under_way = FuturesUnordered::new();
    let mut delivery = pin!(server.next_delivery(&connection));
    let mut drain = pin!(server.draining());
    let mut clock = pin!(sleep_until(Instant::now() + limits.hello_within));
    let mut rest = pin!(sleep_until(Instant::now()));
    let (mut greeted, mut lively, mut draining) = (false, true, false);
    loop {
        let done = tokio::select! {
            // In this order: what is finished leaves before more is begun, and it leaves together.
            biased;
            Some((is_ack, answer)) = under_way.next(), if !under_way.is_empty() => {
                let refused = is_malformed(&answer);
                let rests = is_ack && matches!(answer.body, Some(answer::Body::Done(_)));
                if rests && !line.resting {
                    rest.as_mut().reset(Instant::now() + REST);
                }
                let sent = line.put(from_server::Body::Answer(answer), rests).await;
                sent.and(if refused { Err(Closed::Malformed) } else { Ok(()) })
            }
            next = delivery.as_mut() => {
                delivery.set(server.next_delivery(&connection));
                line.put(from_server::Body::Deliver(next), false).await
            }
            message = line.socket.next(), if !draining && under_way.len() < limits.requests_under_way => {
                lively = true;
                caller.finished();
                match line.read(message) {
                    Ok(Some(request)) => {
                        if !greeted && matches!(request.body, Some(request::Body::Hello(_))) {
                            greeted = true;
                            clock.as_mut().reset(Instant::now() + limits.ping_every);
                        }
                        let is_ack = matches!(request.body, Some(request::Body::Ack(_)));
                        let handled = server.handle(&connection, request);
                        under_way.push(async move { (is_ack, handled.await) });
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(why) => Err(why),
                }
            }
            () = ready(()), if line.waiting => line.flush().await,
            () = rest.as_mut(), if line.resting => line.flush().await,
            () = drain.as_mut(), if !draining => {
                draining = true;
                clock.as_mut().reset(Instant::now() + limits.drain_within);
                line.put(from_server::Body::Draining(Draining {}), false).await
            }
            () = ready(()), if draining && under_way.is_empty() => Err(Closed::Draining),
            () = clock.as_mut() => {
                clock.as_mut().reset(Instant::now() + limits.ping_every);
                match (draining, greeted, std::mem::take(&mut lively)) {
                    (true, _, _) => Err(Closed::Draining),
                    (_, false, _) => Err(Closed::Silent),
                    (_, _, false) => Err(Closed::Stalled),
                    _ => line.ping().await,
                }
            }
        };
        if let Err(why) = done {
            return why;
        }
    }
}

fn is_malformed(answer: &Answer) -> bool {
    matches!(&answer.body, Some(answer::Body::Refusal(r)) if r.code == Code::Malformed.number())
}

/// The socket and what in it waits to be flushed.
struct Line<'a> {
    socket: Box<WebSocket>,
    gateway: &'a Gateway,
    /// Something leaves as soon as nothing more is ready.
    waiting: bool,
    /// Something leaves with what comes next, or after [`REST`].
    resting: bool,
}

impl Line<'_> {
    /// Puts a frame behind those that wait; one that rests makes nothing leave.
    async fn put(&mut self, body: from_server::Body, rests: bool) -> Result<(), Closed> {
        let bytes = FromServer { body: Some(body) }.encode_to_vec();
        self.waiting |= !rests;
        self.resting |= rests;
        let feed = self.socket.feed(Message::Binary(bytes.into()));
        within(self.gateway, feed).await
    }

    async fn ping(&mut self) -> Result<(), Closed> {
        let ping = self.socket.send(Message::Ping(Bytes::new()));
        within(self.gateway, ping).await
    }

    async fn flush(&mut self) -> Result<(), Closed> {
        (self.waiting, self.resting) = (false, false);
        within(self.gateway, self.socket.flush()).await
    }

    /// What a frame means. Bytes that are no request go on as an empty one: the server refuses it as malformed, and
    /// the connection closes after that answer as after every such.
    fn read(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<Request>, Closed> {
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                Ok(Some(Request::decode(bytes).unwrap_or_default()))
            }
            Some(Ok(Message::Text(_))) => Err(Closed::Text),
            Some(Ok(Message::Ping(_))) => {
                // The answer is queued by the library; it leaves with the next flush.
                self.waiting = true;
                Ok(None)
            }
            Some(Ok(Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Close(_))) | None => Err(Closed::Gone),
            Some(Err(error)) => Err(fault(error)),
        }
    }

    /// Says goodbye, and reads on for a moment: closing with unread bytes would reset the connection and could lose
    /// the answers just written.
    async fn end(&mut self, why: Closed) {
        let code = match why {
            Closed::Gone | Closed::Stalled => close_code::NORMAL,
            Closed::Malformed => close_code::PROTOCOL,
            Closed::Text => close_code::UNSUPPORTED,
            Closed::TooLarge => close_code::SIZE,
            Closed::Silent => close_code::POLICY,
            Closed::Draining => close_code::AWAY,
        };
        let frame = CloseFrame { code, reason: "".into() };
        let goodbye = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        let _ = timeout(self.gateway.limits.goodbye_within, goodbye).await;
    }
}

/// Waits for the client to take what it is sent, but not for ever.
async fn within(
    gateway: &Gateway,
    sending: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), Closed> {
    match timeout(gateway.limits.write_within, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Closed::Gone),
        Err(_) => Err(Closed::Stalled),
    }
}

fn fault(error: axum::Error) -> Closed {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => Closed::TooLarge,
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => Closed::Gone,
        Some(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => Closed::Malformed,
        _ => Closed::Gone,
    }
}

/// Read at once, and kept by an idle connection.
const READ_BUFFER: usize = 2 * 1024;
/// The yes to an acknowledgement waits so long for something to go with.
const REST: Duration = Duration::from_millis(100);
/// Answers that wait for each other at most before they leave.
const WRITE_BUFFER: usize = 32 * 1024;
