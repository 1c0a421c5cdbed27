// SPDX-License-Identifier: AGPL-3.0-or-later
//! A webhook on this machine: what is posted to it goes to a chat.
//!
//! `alert PROFILE SERVER HANDLE TO LISTEN`: TO is the handle of whoever reads the alerts, LISTEN a loopback address such as
//! `127.0.0.1:9000`. `POST /` with the header `authorization: Bearer SECRET`, SECRET being `NODOOR_ALERT_SECRET`, and at most
//! 4 KiB of text. `202`: the alert is on disk, and goes out by itself. It accepts nobody and reads nothing.

use std::{convert::Infallible, env, net::SocketAddr, path::Path, rc::Rc};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::AUTHORIZATION,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use nodoor_sdk::account::{Account, Chat};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, task::LocalSet};

/// More is no alert.
const LONGEST: usize = 4096;
/// A secret that can be guessed is none.
const SHORTEST_SECRET: usize = 16;

struct Hook {
    account: Account,
    chat: Chat,
    secret: [u8; 32],
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [profile, server, handle, to, listen] = arguments.as_slice() else {
        eprintln!("alert PROFILE SERVER HANDLE TO LISTEN");
        std::process::exit(2);
    };
    let secret = env::var("NODOOR_ALERT_SECRET").unwrap_or_default();
    let listen: SocketAddr = listen.parse()?;
    if secret.len() < SHORTEST_SECRET {
        return Err("NODOOR_ALERT_SECRET needs 16 characters or more".into());
    }
    if !listen.ip().is_loopback() {
        return Err("alerts are taken from this machine alone: there is no TLS here".into());
    }
    let account = Account::open(Path::new(profile), server, None).await?;
    account.register(handle, "").await?;
    account.be_a_bot("Alerts").await?;
    let chat = account.chat_with(to).await?;
    let secret = Sha256::digest(format!("Bearer {secret}")).into();
    let hook = Rc::new(Hook { account, chat, secret });

    let listener = TcpListener::bind(listen).await?;
    println!("http://{}", listener.local_addr()?);
    let local = LocalSet::new();
    let serve = async {
        loop {
            let Ok((socket, _)) = listener.accept().await else { continue };
            let hook = Rc::clone(&hook);
            tokio::task::spawn_local(async move {
                let answer = service_fn(move |request| answer(Rc::clone(&hook), request));
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), answer)
                    .await;
            });
        }
    };
    local.run_until(serve).await
}

async fn answer(
    hook: Rc<Hook>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let status = take(&hook, request).await.err().unwrap_or(StatusCode::ACCEPTED);
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    Ok(answer)
}

async fn take(hook: &Hook, request: Request<Incoming>) -> Result<(), StatusCode> {
    // Hashes are compared: how long that takes says nothing of the secret.
    let shown = request.headers().get(AUTHORIZATION).map_or(&[][..], |shown| shown.as_bytes());
    if <[u8; 32]>::from(Sha256::digest(shown)) != hook.secret {
        return Err(StatusCode::UNAUTHORIZED);
    }
    if request.method() != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let body = Limited::new(request.into_body(), LONGEST).collect().await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes();
    let text = std::str::from_utf8(&body).map_err(|_| StatusCode::BAD_REQUEST)?.trim();
    if text.is_empty() {
        return Err(StatusCode::BAD_REQUEST);
    }
    let sent = hook.account.send(&hook.chat, text).await;
    sent.map(drop).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}
