// SPDX-License-Identifier: AGPL-3.0-or-later
//! Messages to people who are away; then all of them come and fetch.

use std::{cell::Cell, rc::Rc, time::Duration};

use anyhow::{Result, ensure};
use nodoor_wire::id::Token;
use serde_json::json;
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, spawn_local},
    time::timeout,
};

use super::{Setting, Source, each, seconds};
use crate::{
    cost::Span,
    member::Member,
    meter::{Meter, clock, tell_once},
};

/// `users` get `each_gets` messages from `senders`, of whom each waits for the server's yes every `batch`.
///
/// A room per user holds that user alone: the writer of the others scenarios' rooms reads as well, here only
/// what is stored for somebody away counts.
pub(crate) async fn offline(
    setting: &Setting,
    users: u32,
    each_gets: u32,
    senders: u32,
    batch: u32,
) -> Result<()> {
    ensure!(users.is_multiple_of(senders), "users must be a multiple of senders");
    let meter = Rc::<Meter>::default();
    let tokens = setting.register(0..users, u64::from).await?;
    let tokens = tokens.into_iter().map(|(_, token)| token).collect::<Vec<Token>>();
    let mut sources = Vec::new();
    for (number, token) in (0u64..).zip(&tokens) {
        let (room, socket) = setting.found(number, &[*token]).await?;
        sources.push((room, socket));
    }
    seconds(1.0).await;

    let total = u64::from(users) * u64::from(each_gets);
    let per = (users / senders) as usize;
    let span = Span::start(setting.server);
    let mut tasks = Vec::new();
    let mut answers = Vec::new();
    while !sources.is_empty() {
        let mut own = Vec::new();
        let answered = Rc::new(Semaphore::new(0));
        for (room, socket) in sources.drain(..per.min(sources.len())) {
            let answered = answered.clone();
            let (source, task) =
                Source::new(setting, room, socket, meter.clone(), move || answered.add_permits(1));
            own.push(source);
            answers.push(task);
        }
        tasks.push(spawn_local(async move {
            let (mut waiting, last) = (0, own.len() as u32 * each_gets);
            for serial in 1..=last {
                let place = serial as usize % own.len();
                if let Some(source) = own.get_mut(place) {
                    source.send(clock()).await?;
                }
                waiting += 1;
                if waiting == batch || serial == last {
                    answered.acquire_many(waiting).await?.forget();
                    waiting = 0;
                }
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let params = json!({"users": users, "each": each_gets, "senders": senders, "batch": batch});
    let cost = span.end(total);
    let refused = json!({"sent": total, "refused": meter.refusals()});
    setting.print("offline_store", [params.clone(), cost, refused]);

    let span = Span::start(setting.server);
    let held = each(0..users, 32, |number| {
        let (actor, address) = (setting.actor(number), setting.address.clone());
        let meter = meter.clone();
        async move {
            let mut login = actor.login(&address).await?;
            login.subscribe(0).await?;
            let member = Member::new(login);
            let unanswered = member.unanswered();
            let task = spawn_local(async move {
                let got = |frame: &[u8], now| meter.got(super::stamp_of(frame), now);
                if let Err(error) = member.read(got).await {
                    tell_once("reader", &error);
                }
            });
            Ok((task, unanswered))
        }
    })
    .await?;
    let whole = meter.until(total, Duration::from_secs(20)).await;
    let open = |(_, unanswered): &(_, Rc<Cell<u64>>)| unanswered.get() > 0;
    let acknowledged = timeout(Duration::from_secs(20), async {
        while held.iter().any(open) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let acknowledged = acknowledged.await.is_ok();
    let missing = total - meter.all().min(total);
    let cost = span.end(meter.all());
    let result = json!({"missing": missing, "whole": whole, "acknowledged": acknowledged});
    setting.print("offline_drain", [params, cost, result]);
    held.iter().for_each(|(task, _)| task.abort());
    answers.iter().for_each(JoinHandle::abort);
    Ok(())
}
