// SPDX-License-Identifier: AGPL-3.0-or-later
//! One's own devices: list, link, approve, rename, remove, dispute.

use std::{io::BufRead as _, time::Duration};

use nodoor_sdk::native::Events;
use nodoor_view::{
    command::{Command, Reply},
    device::{Command as OfDevices, Event as DeviceEvent, Linking, Reply as DeviceReply, Standing},
    event::Event,
    model::{DeviceRow, Problem, ProblemKind},
    text::Texts,
};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::{account, people::print, words::typed};
use crate::{
    failure::Failure,
    output::{self, Device, Me},
    session::Session,
};

/// How long a linking may take: the link, the code, and the list.
const LINK_WAIT: Duration = Duration::from_secs(7 * 60);

pub(super) async fn list(session: &Session) -> Result<(), Failure> {
    session.look_in().await;
    let Reply::Devices(rows) = session.ask(Command::Devices).await? else {
        return Err(Failure::unexpected());
    };
    for row in &rows {
        let mark = if row.current { "*" } else { " " };
        let line = format!("{mark} {}  {}  {}", row.name, output::local(row.added_at), row.device);
        print(session, &Device::new(row), &line)?;
    }
    if let Some(id) = standing_text(&standing(session).await?) {
        eprintln!("nodoor: {}", session.texts.get(id, &[]));
    }
    Ok(())
}

/// How the account stands.
pub(crate) async fn standing(session: &Session) -> Result<Standing, Failure> {
    let asked = Command::Device { of: OfDevices::Standing };
    match session.ask(asked).await? {
        Reply::Device(DeviceReply::Standing(standing)) => Ok(standing),
        _ => Err(Failure::unexpected()),
    }
}

/// The sentence of how an account stands; none if it stands well.
pub(crate) fn standing_text(standing: &Standing) -> Option<&'static str> {
    match standing {
        Standing::Good => None,
        Standing::Removed { may_dispute: true, .. } => Some("standing-may-dispute"),
        Standing::Removed { may_dispute: false, .. } => Some("standing-removed"),
        Standing::Disputed => Some("standing-disputed"),
    }
}

/// What an event of the account's devices says to its person, if it says something.
pub(crate) fn said(event: &Event, texts: &Texts) -> Option<String> {
    let Event::Device { what } = event else {
        return None;
    };
    let name = |device: &DeviceRow| {
        let short: String = device.device.chars().take(8).collect();
        if device.name.is_empty() { short } else { device.name.clone() }
    };
    match what {
        DeviceEvent::Added { device, by_words: true, .. } => {
            Some(texts.get("device-added-by-words", &[("name", (&name(device)).into())]))
        }
        DeviceEvent::Added { device, .. } => {
            Some(texts.get("device-added", &[("name", (&name(device)).into())]))
        }
        DeviceEvent::Removed { device, .. } if device.current => {
            Some(texts.get("device-removed-this", &[]))
        }
        DeviceEvent::Removed { device, .. } => {
            Some(texts.get("device-removed", &[("name", (&name(device)).into())]))
        }
        DeviceEvent::Standing { standing: Standing::Disputed } => {
            Some(texts.get("standing-disputed", &[]))
        }
        DeviceEvent::Handle { handle } if handle.is_empty() => Some(texts.get("handle-gone", &[])),
        DeviceEvent::Handle { handle } => {
            Some(texts.get("handle-yours", &[("handle", handle.into())]))
        }
        DeviceEvent::HandleAsked { handle } => {
            Some(texts.get("handle-asked", &[("handle", handle.into())]))
        }
        DeviceEvent::HandleRefused { handle } => {
            Some(texts.get("handle-refused", &[("handle", handle.into())]))
        }
        DeviceEvent::LogAwaited => Some(texts.get("log-awaited", &[])),
        DeviceEvent::Standing { .. } | DeviceEvent::Linking { .. } => None,
    }
}

/// On the new device: prints the link, reads the code, and waits until it is a device of the account.
pub(super) async fn link(session: &Session) -> Result<(), Failure> {
    let mut events = session.events();
    let asked = Command::Device { of: OfDevices::LinkStart };
    let Reply::Device(DeviceReply::Link { letters, .. }) = session.ask(asked).await? else {
        return Err(Failure::unexpected());
    };
    print(session, &json!({ "link": letters }), &letters)?;
    loop {
        let code = tokio::select! {
            line = line() => line?,
            ended = until_linked(&mut events) => {
                ended?;
                return Err(Failure::unexpected());
            }
        };
        let typed = Command::Device { of: OfDevices::LinkCode { code } };
        match session.client.ask(typed).await {
            Reply::Done => break,
            Reply::Problem(problem) if problem.kind == ProblemKind::WrongCode => {
                eprintln!("nodoor: {}", Failure::Problem(problem).line(&session.texts));
            }
            Reply::Problem(problem) => return Err(Failure::Problem(problem)),
            _ => return Err(Failure::unexpected()),
        }
    }
    until_linked(&mut events).await?;
    session.remember_server()?;
    // Others need its keys before it is anywhere.
    session.finish().await;
    let profile = account::profile(session).await?;
    print(session, &Me::whole(&profile), &format!("@{} · {}", profile.handle, profile.device))
}

/// On the device one has: prints the code at once, and signs after it was typed on the new device.
pub(super) async fn approve(session: &Session, link: &str, history: bool) -> Result<(), Failure> {
    // Before the two minutes of the code begin.
    let words = if history { Some(typed(session, "-").await?) } else { None };
    let mut events = session.events();
    let link = link.to_owned();
    let asked = Command::Device { of: OfDevices::LinkApprove { link } };
    let Reply::Device(DeviceReply::Code { code, name }) = session.ask(asked).await? else {
        return Err(Failure::unexpected());
    };
    print(session, &json!({ "code": code, "name": name }), &format!("{code}  {name}"))?;
    let device = until_linked(&mut events).await?;
    let short = device.device.clone();
    print(session, &json!({ "device": device.device, "name": device.name }), &short)?;
    // The new device makes its keys, and is then brought into the chats.
    session.finish().await;
    tokio::time::sleep(KEYS_WAIT).await;
    session.finish().await;
    if let Some(words) = words {
        give_history(session, &device.device, &words).await?;
    }
    Ok(())
}

/// Sends a device that was linked here what was said before it came.
pub(super) async fn send_history(session: &Session, device: &str) -> Result<(), Failure> {
    let words = typed(session, "-").await?;
    session.catch_up().await;
    give_history(session, device, &words).await
}

async fn give_history(session: &Session, device: &str, words: &str) -> Result<(), Failure> {
    let of = OfDevices::History { device: device.to_owned(), words: words.to_owned() };
    session.do_it(Command::Device { of }).await?;
    let said = session.texts.get("history-goes", &[]);
    print(session, &json!({ "history": device }), &said)?;
    session.finish().await;
    Ok(())
}

/// How long a new device is given to make its keys, before this one ends. It is brought in later just as well.
const KEYS_WAIT: Duration = Duration::from_secs(5);

/// The device that was linked, or why none was.
async fn until_linked(events: &mut Events) -> Result<DeviceRow, Failure> {
    let until = Instant::now() + LINK_WAIT;
    loop {
        match timeout_at(until, events.next()).await {
            Ok(Some(Event::Device { what: DeviceEvent::Linking { state } })) => match state {
                Linking::Linked { device } => return Ok(device),
                Linking::Ended { problem } => return Err(Failure::Problem(problem)),
                _ => {}
            },
            Ok(Some(_)) => {}
            Ok(None) => return Err(Failure::unexpected()),
            Err(_) => return Err(over()),
        }
    }
}

fn over() -> Failure {
    Failure::Problem(Problem { kind: ProblemKind::LinkOver, code: 0, wait_seconds: 0 })
}

/// A line of standard input; the end of it ends the linking.
pub(super) async fn line() -> Result<String, Failure> {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|bytes| (bytes > 0).then_some(line))
    });
    match read.await {
        Ok(Ok(Some(line))) => Ok(line.trim().to_owned()),
        Ok(Ok(None)) => Err(Failure::Said("usage", "nothing-typed")),
        Ok(Err(error)) => Err(Failure::system(&error)),
        Err(_) => Err(Failure::unexpected()),
    }
}

pub(super) async fn rename(session: &Session, device: &str, name: &str) -> Result<(), Failure> {
    let (id, name) = (device.to_owned(), name.to_owned());
    let of = OfDevices::Rename { device: id, name: name.clone() };
    session.do_it(Command::Device { of }).await?;
    print(session, &json!({ "device": device, "name": name }), &format!("{name}  {device}"))
}

/// Removes a device: done when the list is put and it is out of every room that this device is in.
/// This one only if the person is `sure`.
pub(super) async fn remove(session: &Session, device: &str, sure: bool) -> Result<(), Failure> {
    if !sure && super::account::profile(session).await?.device == device {
        return Err(Failure::Said("this_device", "remove-this-device"));
    }
    session.catch_up().await;
    let of = OfDevices::Remove { device: device.to_owned() };
    session.do_it(Command::Device { of }).await?;
    print(session, &json!({ "device": device }), device)?;
    session.finish().await;
    Ok(())
}

pub(super) async fn dispute(session: &Session) -> Result<(), Failure> {
    session.catch_up().await;
    session.do_it(Command::Device { of: OfDevices::Dispute }).await?;
    let said = session.texts.get("disputed", &[]);
    print(session, &json!({ "standing": "disputed" }), &said)
}
