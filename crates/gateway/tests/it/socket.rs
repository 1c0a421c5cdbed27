// SPDX-License-Identifier: AGPL-3.0-or-later
//! WebSockets: what closes them, what they carry.

use std::time::Duration;

use nodoor_bench::{
    actor::{Actor, Room, ack, anonymous, hello},
    socket::{Incoming, Opcode, Receiver, connect, connect_with},
};
use nodoor_gateway::Limits;
use nodoor_wire::{
    code::Code,
    limits,
    proto::{Answer, ConnectionKind, FromServer, Lookup, answer, from_server, lookup, request},
};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use crate::{Door, seconds};

#[tokio::test]
async fn bytes_that_are_no_request_are_told_so_and_closed() {
    let door = Door::open().await;
    let (mut sender, mut receiver) = connect(&door.address).await.unwrap();
    sender.queue_raw(Opcode::Binary, b"\xff\xff");
    sender.flush().await.unwrap();
    assert_eq!(refusal(&mut receiver).await, (0, Code::Malformed.number()));
    assert_eq!(closed(&mut receiver).await, Some(1002));
}

#[tokio::test]
async fn text_is_not_spoken_here() {
    let door = Door::open().await;
    let (mut sender, mut receiver) = connect(&door.address).await.unwrap();
    sender.queue_raw(Opcode::Text, b"hello");
    sender.flush().await.unwrap();
    assert_eq!(closed(&mut receiver).await, Some(1003));
}

#[tokio::test]
async fn a_frame_beyond_the_limit_is_not_read() {
    let door = Door::open().await;
    let (mut sender, mut receiver) = connect(&door.address).await.unwrap();
    sender.queue_raw(Opcode::Binary, &vec![0; limits::REQUEST + 1]);
    let _ = sender.flush().await;
    assert_eq!(closed(&mut receiver).await, Some(1009));
}

#[tokio::test]
async fn a_request_on_the_wrong_connection_is_refused_and_the_connection_stays() {
    let door = Door::open().await;
    let (mut login, _) = hello(&door.address, ConnectionKind::Login).await.unwrap();
    let of = Some(lookup::Of::Handle("nobody".into()));
    for _ in 0..2 {
        let lookup = request::Body::Lookup(Lookup { of: of.clone() });
        let answer = login.ask(lookup).await.unwrap();
        assert_eq!(code(&answer), Some(Code::WrongConnection.number()));
    }
    let mut anonymous = anonymous(&door.address).await.unwrap();
    let answer = anonymous.ask(request::Body::Subscribe(Default::default())).await.unwrap();
    assert_eq!(code(&answer), Some(Code::WrongConnection.number()));
}

#[tokio::test]
async fn who_never_speaks_is_closed() {
    let hello_within = Duration::from_millis(100);
    let door = Door::with(Limits { hello_within, ..Limits::default() }).await;
    // A bare TCP connection, and a WebSocket that never says Hello.
    let mut silent = TcpStream::connect(&door.address).await.unwrap();
    let read = seconds(5, silent.read(&mut [0; 64])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    // One that did say it stays: it came before the one that is closed, so its time was over as well.
    let mut spoken = anonymous(&door.address).await.unwrap();
    let (_sender, mut receiver) = connect(&door.address).await.unwrap();
    assert_eq!(closed(&mut receiver).await, Some(1008));
    let of = Some(lookup::Of::Handle("nobody".into()));
    spoken.ask(request::Body::Lookup(Lookup { of })).await.unwrap();
}

#[tokio::test]
async fn who_answers_no_ping_is_closed_and_who_does_stays() {
    let ping_every = Duration::from_millis(100);
    let door = Door::with(Limits { ping_every, ..Limits::default() }).await;
    let dead = anonymous(&door.address).await.unwrap();
    let mut live = anonymous(&door.address).await.unwrap();
    let living = tokio::spawn(async move {
        // Waiting for deliveries answers pings.
        let _ = live.delivery().await;
    });
    let mut receiver = dead.receiver;
    assert_eq!(seconds(5, receiver.next()).await.unwrap(), Incoming::Ping("".into()));
    assert_eq!(closed(&mut receiver).await, Some(1000));
    assert!(!living.is_finished());
    living.abort();
}

#[tokio::test]
async fn another_sites_page_opens_no_websocket() {
    let door = Door::open().await;
    for foreign in ["https://elsewhere.example", "null", "http://127.0.0.1"] {
        let header = format!("Origin: {foreign}\r\n");
        let error = connect_with(&door.address, &header).await.unwrap_err();
        assert!(error.to_string().contains("403"), "{foreign}: {error}");
    }
    let own = format!("Origin: http://{}\r\n", door.address);
    connect_with(&door.address, &own).await.unwrap();
}

#[tokio::test]
async fn many_requests_at_once_are_all_answered() {
    let door = Door::with(Limits { requests_under_way: 4, ..Limits::default() }).await;
    let mut socket = anonymous(&door.address).await.unwrap();
    let of = Some(lookup::Of::Handle("nobody".into()));
    for id in 100..200 {
        socket.sender.queue(id, request::Body::Lookup(Lookup { of: of.clone() }));
    }
    socket.sender.flush().await.unwrap();
    let mut answered = Vec::new();
    while answered.len() < 100 {
        if let Some(answer) = answer_in(seconds(5, socket.receiver.next()).await.unwrap()) {
            answered.push(answer.id);
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, (100..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_alice_sends_is_pushed_to_bob_and_stays_gone_once_acknowledged() {
    let door = Door::open().await;
    let (alice, bob) = (Actor::of_seed([1; 32]), Actor::of_seed([2; 32]));
    let mut at_alice = alice.register(&door.address).await.unwrap();
    let mut at_bob = bob.register(&door.address).await.unwrap();
    let tokens = [
        at_alice.put_token(alice.token_seed(0)).await.unwrap(),
        at_bob.put_token(bob.token_seed(0)).await.unwrap(),
    ];
    let room = Room::of_seed([3; 32], &tokens).unwrap();
    let mut sending = anonymous(&door.address).await.unwrap();
    room.found(&mut sending).await.unwrap();
    at_bob.subscribe(0).await.unwrap();
    let answer = sending.ask(room.send([1; 16], "opaque".into())).await.unwrap();
    assert_eq!(code(&answer), None);

    let delivery = seconds(5, at_bob.socket.delivery()).await.unwrap();
    let opened = at_bob.mailbox.open(delivery).unwrap();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].frame(None).unwrap(), "opaque");
    at_bob.socket.ask(ack(&opened)).await.unwrap();
    drop(at_bob);

    let mut again = bob.login(&door.address).await.unwrap();
    again.subscribe(0).await.unwrap();
    sending.ask(room.send([2; 16], "next".into())).await.unwrap();
    let delivery = seconds(5, again.socket.delivery()).await.unwrap();
    assert_eq!(again.mailbox.open(delivery).unwrap()[0].frame(None).unwrap(), "next");
}

#[tokio::test]
async fn draining_tells_clients_and_ends() {
    let door = Door::open().await;
    let mut socket = anonymous(&door.address).await.unwrap();
    door.server.drain();
    let first = seconds(5, socket.receiver.next()).await.unwrap();
    assert!(
        matches!(&first, Incoming::Message(m) if matches!(m.body, Some(from_server::Body::Draining(_)))),
        "{first:?}"
    );
    assert_eq!(closed(&mut socket.receiver).await, Some(1001));
    drop(socket);
    seconds(5, door.serving).await.unwrap();
    assert!(TcpStream::connect(&door.address).await.is_err());
}

fn answer_in(incoming: Incoming) -> Option<Answer> {
    match incoming {
        Incoming::Message(FromServer { body: Some(from_server::Body::Answer(answer)) }) => {
            Some(answer)
        }
        _ => None,
    }
}

fn code(answer: &Answer) -> Option<u32> {
    match &answer.body {
        Some(answer::Body::Refusal(refusal)) => Some(refusal.code),
        _ => None,
    }
}

async fn refusal(receiver: &mut Receiver) -> (u64, u32) {
    let answer = answer_in(seconds(5, receiver.next()).await.unwrap()).unwrap();
    (answer.id, code(&answer).unwrap())
}

async fn closed(receiver: &mut Receiver) -> Option<u16> {
    loop {
        match seconds(5, receiver.next()).await {
            Ok(Incoming::Close(code)) => return code,
            Ok(_) => {}
            Err(error) => panic!("closed without a word: {error}"),
        }
    }
}
