// SPDX-License-Identifier: AGPL-3.0-or-later
//! Being called when something waits: Web Push and UnifiedPush, with an address that somebody else's program received.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use nodoor_view::{
    command::{Command, Reply},
    push::{Command as OfPush, State, Subscription},
};
use serde_json::json;

use crate::{arguments::PushVerb, failure::Failure, output, session::Session};

pub(super) async fn run(session: &Session, verb: &PushVerb) -> Result<(), Failure> {
    match verb {
        PushVerb::Show => {
            session.catch_up().await;
            show(session).await
        }
        PushVerb::Off => session.do_it(Command::Push { of: OfPush::Off }).await,
        PushVerb::Set { url, key, auth } => {
            let at = subscription(url, key.as_deref(), auth.as_deref())?;
            session.catch_up().await;
            if state(session).await?.server_key.is_some_and(|key| key.is_empty()) {
                let hint = session.texts.get("push-never", &[]);
                return Err(Failure::Surroundings("not_allowed", hint));
            }
            session.do_it(Command::Push { of: OfPush::Set { at } }).await
        }
    }
}

async fn show(session: &Session) -> Result<(), Failure> {
    let state = state(session).await?;
    let key = state.server_key.as_deref().map(|key| URL_SAFE_NO_PAD.encode(key));
    let said = match &state.endpoint {
        Some(endpoint) => session.texts.get("push-at", &[("url", endpoint.into())]),
        None => session.texts.get("push-nowhere", &[]),
    };
    let row = json!({ "endpoint": state.endpoint, "told": state.told, "server_key": key });
    output::row(session.json, &row, &said).map_err(|error| Failure::system(&error))
}

async fn state(session: &Session) -> Result<State, Failure> {
    match session.ask(Command::Push { of: OfPush::Show }).await? {
        Reply::Push(state) => Ok(state),
        _ => Err(Failure::unexpected()),
    }
}

fn subscription(url: &str, key: Option<&str>, auth: Option<&str>) -> Result<Subscription, Failure> {
    let wrong = |what: &str| Failure::Usage(what.to_owned());
    let bytes = |text: Option<&str>, length: usize| match text {
        None => Ok(Vec::new()),
        Some(text) => URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .ok()
            .filter(|bytes| bytes.len() == length)
            .ok_or_else(|| wrong("--key is 65 bytes and --auth 16, in base64url")),
    };
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    if !(url.starts_with("https://") || url.starts_with("http://127.0.0.1:")) || !plain {
        return Err(wrong("a push address begins with https://"));
    }
    Ok(Subscription { endpoint: url.to_owned(), key: bytes(key, 65)?, auth: bytes(auth, 16)? })
}
