// SPDX-License-Identifier: AGPL-3.0-or-later
//! One anonymous request without a connection of its own.
//!
//! The same protobuf both ways as on the WebSocket; no Hello before it. The status is 200 whenever there is an
//! answer, a refusal included: the code is in it.
//!
//! Spec: `docs/book/protocol.md`, 2. `router` calls it.

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
};
use nodoor_wire::{
    code::Code,
    limits,
    proto::{Answer, FromServer, Refusal, Request, answer, from_server},
};
use prost::Message as _;
use tokio::time::timeout;

use crate::{Gateway, crowd::Caller};

/// Reads one request from a body, bounded in size and time, and answers it.
pub(crate) async fn answer(gateway: &Gateway, caller: &Caller, body: Body) -> Response<Body> {
    let read = timeout(gateway.limits.hello_within, to_bytes(body, limits::REQUEST)).await;
    let bytes: Bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return respond(StatusCode::PAYLOAD_TOO_LARGE, refusal(Code::TooLarge)),
        Err(_) => return respond(StatusCode::REQUEST_TIMEOUT, refusal(Code::Malformed)),
    };
    caller.finished();
    let Ok(request) = Request::decode(bytes) else {
        return respond(StatusCode::BAD_REQUEST, refusal(Code::Malformed));
    };
    let connection = gateway.server.connect_anonymous(caller.peer.key());
    respond(StatusCode::OK, gateway.server.handle(&connection, request).await)
}

fn refusal(code: Code) -> Answer {
    let refusal = Refusal { code: code.number(), ..Refusal::default() };
    Answer { id: 0, body: Some(answer::Body::Refusal(refusal)) }
}

fn respond(status: StatusCode, answer: Answer) -> Response<Body> {
    let message = FromServer { body: Some(from_server::Body::Answer(answer)) };
    let mut response = Response::new(Body::from(message.encode_to_vec()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/x-protobuf");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
