// SPDX-License-Identifier: AGPL-3.0-or-later
//! Many connections, large requests that never end, answers that nobody takes, names that are not ours.

use std::time::Duration;

use nodoor_bench::{
    actor::anonymous,
    socket::{Opcode, Socket, connect},
};
use nodoor_gateway::Limits;
use nodoor_wire::proto::{Lookup, lookup, request};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{Door, seconds};

const MIB: usize = 1024 * 1024;

async fn look_up(socket: &mut Socket) {
    let of = Some(lookup::Of::Handle("nobody".into()));
    seconds(5, socket.ask(request::Body::Lookup(Lookup { of }))).await.unwrap();
}

/// Whether a connection is closed before it said anything.
async fn is_turned_away(door: &Door) -> bool {
    let mut stream = TcpStream::connect(&door.address).await.unwrap();
    let ask = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", door.address);
    let _ = stream.write_all(ask.as_bytes()).await;
    matches!(seconds(5, stream.read(&mut [0; 64])).await, Ok(0) | Err(_))
}

#[tokio::test]
async fn a_peer_has_so_many_connections_and_no_more() {
    for limits in [
        Limits { connections_of_peer: 3, ..Limits::default() },
        Limits { connections: 3, ..Limits::default() },
    ] {
        let door = Door::with(limits).await;
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(anonymous(&door.address).await.unwrap());
        }
        assert!(is_turned_away(&door).await);
        for socket in &mut held {
            look_up(socket).await;
        }
        // A place is free again once the server has noticed that one went.
        held.pop();
        seconds(5, async { while is_turned_away(&door).await {} }).await;
    }
}

#[tokio::test]
async fn large_requests_that_never_end_have_a_bound() {
    for limits in [
        Limits { unfinished_bytes: MIB, ..Limits::default() },
        Limits { unfinished_bytes_of_peer: MIB, ..Limits::default() },
    ] {
        let door = Door::with(limits).await;
        let mut small = anonymous(&door.address).await.unwrap();
        // Two that begin four MiB each and send all but the end.
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let mut stream = upgraded(&door).await;
            let mut frame = vec![0x82, 0xff];
            frame.extend_from_slice(&(4 * MIB as u64).to_be_bytes());
            frame.extend_from_slice(&[0; 4]);
            frame.extend_from_slice(&vec![0; 2 * MIB]);
            let _ = stream.write_all(&frame).await;
            waiting.push(stream);
        }
        for mut stream in waiting {
            let mut rest = Vec::new();
            // Closed, long before a ping would have found it out.
            let _ = seconds(5, stream.read_to_end(&mut rest)).await;
        }
        look_up(&mut small).await;
        // What they held is free again, and what is whole is not counted.
        let (mut sender, mut receiver) = connect(&door.address).await.unwrap();
        for _ in 0..4 {
            sender.queue_raw(Opcode::Binary, &vec![0; MIB]);
        }
        sender.flush().await.unwrap();
        assert!(seconds(5, receiver.next()).await.is_ok());
    }
}

/// A WebSocket as its bare stream.
async fn upgraded(door: &Door) -> TcpStream {
    let mut stream = TcpStream::connect(&door.address).await.unwrap();
    let ask = format!(
        "GET /v1/ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        door.address
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    stream
}

#[tokio::test]
async fn who_takes_no_answer_is_closed() {
    let write_within = Duration::from_millis(100);
    let door = Door::with(Limits { write_within, ..Limits::default() }).await;
    let mut stream = TcpStream::connect(&door.address).await.unwrap();
    let ask = format!("GET /large.bin HTTP/1.1\r\nHost: {}\r\n\r\n", door.address);
    stream.write_all(ask.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 12]).await.unwrap();
    // Draining waits for connections that are being answered: it ends because this one is given up.
    door.server.drain();
    seconds(5, door.serving).await.unwrap();
}

#[tokio::test]
async fn a_page_that_pointed_its_name_here_is_another_sites() {
    let door = Door::open().await;
    let port = door.address.rsplit(':').next().unwrap();
    let status = async |origin: &str, host: &str| {
        let mut stream = TcpStream::connect(&door.address).await.unwrap();
        let ask = format!(
            "POST /v1/rpc HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut reply = String::new();
        let _ = seconds(5, stream.read_to_string(&mut reply)).await;
        reply.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    for foreign in
        ["attacker.example", "127.0.0.1.attacker.example", "localhost.example", "10.0.0.1"]
    {
        let host = format!("{foreign}:{port}");
        assert_eq!(status(&format!("http://{host}"), &host).await, 403, "{foreign}");
    }
    for own in ["127.0.0.1", "localhost", "[::1]"] {
        let host = format!("{own}:{port}");
        assert_eq!(status(&format!("http://{host}"), &host).await, 200, "{own}");
    }
    // Behind a proxy.
    assert_eq!(status("https://chat.example", "chat.example").await, 200);
}
