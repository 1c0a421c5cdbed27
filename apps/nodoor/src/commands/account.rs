// SPDX-License-Identifier: AGPL-3.0-or-later
//! The account itself: register, whoami, name, erase.

use nodoor_view::{
    command::{Command, Reply},
    device::{Command as OfDevices, Reply as DeviceReply},
    model::{Milliseconds, Problem, ProblemKind, Profile},
};
use serde_json::json;

use crate::{
    failure::Failure,
    output::{self, Me},
    session::Session,
};

/// Creates the account and remembers where. Done again with the same handle and server, it only says who one is.
pub(super) async fn register(session: &Session, handle: &str, ticket: &str) -> Result<(), Failure> {
    let command = Command::Register { handle: handle.to_owned(), ticket: ticket.to_owned() };
    let Reply::Profile(profile) = session.ask(command).await? else {
        return Err(Failure::unexpected());
    };
    session.remember_server()?;
    let line = format!("@{} · {}", profile.handle, profile.invite_link);
    output::row(session.json, &Me::registered(&profile), &line).map_err(|e| Failure::system(&e))?;
    // The keys others need to write to this device go up now.
    session.finish().await;
    Ok(())
}

pub(super) async fn who_am_i(session: &Session) -> Result<(), Failure> {
    let profile = profile(session).await?;
    print(session, &profile)
}

pub(super) async fn name(session: &Session, name: &str) -> Result<(), Failure> {
    match session.ask(Command::SetName { name: name.to_owned() }).await? {
        Reply::Profile(profile) => print(session, &profile),
        _ => Err(Failure::unexpected()),
    }
}

/// Asks for the handle of an account that is lost. Said again, it tells how it stands.
pub(super) async fn move_handle(session: &Session, handle: &str) -> Result<(), Failure> {
    session.catch_up().await;
    let of = OfDevices::MoveHandle { handle: handle.to_owned() };
    let asked = Command::Device { of };
    let Reply::Device(DeviceReply::Handle { handle, from }) = session.ask(asked).await? else {
        return Err(Failure::unexpected());
    };
    let said = match from {
        Some(from) => waits(session, &handle, from),
        None => session.texts.get("handle-yours", &[("handle", (&handle).into())]),
    };
    let row = json!({ "handle": handle, "yours": from.is_none(), "from": from });
    output::row(session.json, &row, &said).map_err(|error| Failure::system(&error))
}

/// The handle that is asked for. None is a failure.
pub(super) async fn moving(session: &Session) -> Result<(), Failure> {
    session.catch_up().await;
    let asked = Command::Device { of: OfDevices::Moving };
    let (handle, from) = match session.ask(asked).await? {
        Reply::Device(DeviceReply::Moving { handle, from }) => (handle, from),
        Reply::Nothing => {
            let hint = session.texts.get("handle-none", &[]);
            return Err(Failure::Surroundings("not_found", hint));
        }
        _ => return Err(Failure::unexpected()),
    };
    let said = match from {
        Some(from) => waits(session, &handle, from),
        None => session.texts.get("handle-waits-log", &[("handle", (&handle).into())]),
    };
    let row = json!({ "handle": handle, "yours": false, "from": from });
    output::row(session.json, &row, &said).map_err(|error| Failure::system(&error))
}

fn waits(session: &Session, handle: &str, from: Milliseconds) -> String {
    let when = output::local(from);
    session.texts.get("handle-waits", &[("handle", handle.into()), ("when", (&when).into())])
}

pub(super) async fn erase(session: &Session) -> Result<(), Failure> {
    session.do_it(Command::Erase).await
}

/// Who one is; before an account exists, a failure.
pub(crate) async fn profile(session: &Session) -> Result<Profile, Failure> {
    match session.ask(Command::WhoAmI).await? {
        Reply::Profile(profile) => Ok(profile),
        Reply::Nothing => {
            let kind = ProblemKind::NoAccount;
            Err(Failure::Problem(Problem { kind, code: 0, wait_seconds: 0 }))
        }
        _ => Err(Failure::unexpected()),
    }
}

fn print(session: &Session, profile: &Profile) -> Result<(), Failure> {
    let name = if profile.name.is_empty() { String::new() } else { format!(" ({})", profile.name) };
    let line = format!("@{}{name} · {}", profile.handle, profile.server);
    output::row(session.json, &Me::whole(profile), &line).map_err(|error| Failure::system(&error))
}
