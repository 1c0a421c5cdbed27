// SPDX-License-Identifier: AGPL-3.0-or-later
//! The recovery words: print, ask back and erase, recover with them.

use nodoor_view::{
    command::{Command, Reply},
    device::{Command as OfDevices, Reply as DeviceReply},
};
use serde_json::json;

use super::{devices::line, people::print};
use crate::{failure::Failure, output::Me, session::Session};

/// They were erased here, or never were here.
const NOT_HERE: Failure = Failure::Said("not_here", "words-not-here");

pub(super) async fn show(session: &Session) -> Result<(), Failure> {
    match session.ask(Command::Words).await? {
        Reply::Words(words) => print(session, &json!({ "words": words }), &words),
        Reply::Nothing => Err(NOT_HERE),
        _ => Err(Failure::unexpected()),
    }
}

/// Asks three of them back, and erases them here.
pub(super) async fn confirm(session: &Session) -> Result<(), Failure> {
    let asked = Command::Device { of: OfDevices::WordsAsk };
    let places = match session.ask(asked).await? {
        Reply::Device(DeviceReply::Places { places }) => places,
        Reply::Nothing => return Err(NOT_HERE),
        _ => return Err(Failure::unexpected()),
    };
    let numbers: Vec<String> = places.iter().map(ToString::to_string).collect();
    let said = session.texts.get("words-asked", &[("places", (&numbers.join(", ")).into())]);
    print(session, &json!({ "places": places }), &said)?;
    let mut words: Vec<String> = Vec::new();
    while words.len() < places.len() {
        words.extend(line().await?.split_whitespace().map(str::to_owned));
    }
    match session.ask(Command::Device { of: OfDevices::WordsConfirm { words } }).await? {
        Reply::Done => {
            print(session, &json!({ "saved": true }), &session.texts.get("words-saved", &[]))
        }
        _ => Err(Failure::unexpected()),
    }
}

/// Makes this the only device of the account that goes by a handle.
pub(super) async fn recover(session: &Session, handle: &str, words: &str) -> Result<(), Failure> {
    let of = OfDevices::Recover { handle: handle.to_owned(), words: words.to_owned() };
    let Reply::Profile(profile) = session.ask(Command::Device { of }).await? else {
        return Err(Failure::unexpected());
    };
    session.remember_server()?;
    print(session, &Me::whole(&profile), &format!("@{} · {}", profile.handle, profile.server))?;
    // The keys others need to write to this device go up now.
    session.finish().await;
    Ok(())
}
