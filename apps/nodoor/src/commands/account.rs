// SPDX-License-Identifier: AGPL-3.0-or-later
//! The account itself: register, whoami, name, erase.

use nodoor_view::{
    command::{Command, Reply},
    model::{Problem, ProblemKind, Profile},
};

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
