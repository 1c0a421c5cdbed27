// SPDX-License-Identifier: AGPL-3.0-or-later
//! One function a verb. Each opens the profile, asks, prints, waits until the server has it, and closes.

mod account;
mod backup;
pub(crate) mod devices;
mod export;
mod files;
mod groups;
mod import;
mod list;
mod marks;
mod messages;
mod past;
mod people;
mod push;
pub(crate) mod verify;
mod words;

use std::io::IsTerminal;

use crate::{
    arguments::{
        Arguments, AuditVerb, BackupVerb, DeviceVerb, EvidenceVerb, Global, HandleVerb, ImportVerb,
        UpdateVerb, Verb, WitnessVerb,
    },
    failure::Failure,
    ledger, plain,
    session::{DEFAULT_SERVER, Session, profile_folder},
    tui,
};

/// Carries out the command line.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let full_screen = matches!(&arguments.verb, None | Some(Verb::Chat { plain: false, .. }));
    if full_screen && !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        let hint = "the full screen needs a terminal; `nodoor --help` lists the commands";
        return Err(Failure::Usage(hint.to_owned()));
    }
    if let Some(verb) = &arguments.verb
        && let Some(outcome) = beside_the_ledger(verb, &arguments.global).await
    {
        return outcome;
    }
    let session = Session::open(arguments).await?;
    let outcome = match &arguments.verb {
        None => tui::run(&session, None, arguments.global.ascii).await,
        Some(Verb::Chat { to, plain: false }) => {
            tui::run(&session, Some(to), arguments.global.ascii).await
        }
        Some(Verb::Chat { to, plain: true }) => plain::run(&session, to).await,
        Some(verb) => {
            let outcome = carry_out(&session, verb).await;
            verify::warn(&session).await;
            outcome
        }
    };
    session.keep_policy().await;
    session.client.close().await;
    outcome
}

/// What anyone can run, without a profile; nothing if it takes one. Every sub-verb is named, so that none can be forgotten.
async fn beside_the_ledger(verb: &Verb, global: &Global) -> Option<Result<(), Failure>> {
    let json = global.json;
    let server = global.server.as_deref().unwrap_or(DEFAULT_SERVER);
    match verb {
        Verb::Witness { verb } => Some(match verb {
            WitnessVerb::Run(options) => {
                ledger::witness::run(options, global.server.as_deref(), json).await
            }
            WitnessVerb::Key { key, name } => ledger::witness::print_key(key, name, json),
        }),
        Verb::Audit { verb } => Some(match verb {
            AuditVerb::Run(options) => ledger::audit::run(options, server, json).await,
            AuditVerb::CheckRelease(options) => ledger::update::check_release(options, json),
        }),
        Verb::Release { verb } => Some(ledger::release::run(verb, server, json).await),
        Verb::Update { verb } => Some(match verb {
            UpdateVerb::Check(options) => match profile_folder(global) {
                Ok(profile) => ledger::update::check(options, &profile, json),
                Err(failure) => Err(failure),
            },
        }),
        Verb::Evidence { verb } => match verb {
            EvidenceVerb::Check { file } => Some(ledger::evidence::check(file, json)),
            EvidenceVerb::Save { .. } | EvidenceVerb::Answer => None,
        },
        _ => None,
    }
}

async fn carry_out(session: &Session, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Register { handle, ticket } => account::register(session, handle, ticket).await,
        Verb::Whoami => account::who_am_i(session).await,
        Verb::Name { name } => account::name(session, name).await,
        Verb::Words { new: true, .. } => words::renew(session).await,
        Verb::Words { confirm: false, .. } => words::show(session).await,
        Verb::Words { confirm: true, .. } => words::confirm(session).await,
        Verb::Handle { verb: HandleVerb::Show } => account::moving(session).await,
        Verb::Handle { verb: HandleVerb::Move { handle } } => {
            account::move_handle(session, handle).await
        }
        Verb::Push { verb } => push::run(session, verb).await,
        Verb::Recover { handle, words } => words::recover(session, handle, words).await,
        Verb::Device { verb } => of_devices(session, verb).await,
        Verb::Erase { .. } => account::erase(session).await,
        Verb::Send { to, file: Some(file), caption, .. } => {
            files::send(session, to, file, caption).await
        }
        Verb::Send { to, text, once, .. } => messages::send(session, to, text, *once).await,
        Verb::Save { message, path } => files::save(session, message, path).await,
        Verb::Receive { wait, count, ids } => messages::receive(session, *wait, *count, *ids).await,
        Verb::History { to, limit, ids } => messages::history(session, to, *limit, *ids).await,
        Verb::Reply { message, text } => marks::reply(session, message, text).await,
        Verb::Edit { message, text } => marks::edit(session, message, text).await,
        Verb::Delete { message, everyone } => marks::delete(session, message, *everyone).await,
        Verb::React { message, emoji } => marks::react(session, message, emoji).await,
        Verb::Pin { message, off } => marks::pin(session, message, *off).await,
        Verb::Pinned { to } => marks::pinned(session, to).await,
        Verb::Forward { message, to } => marks::forward(session, message, to).await,
        Verb::Open { message } => marks::open(session, message).await,
        Verb::Disappear { to, after } => marks::disappear(session, to, *after).await,
        Verb::Search { query, within, limit } => {
            past::search(session, query, within.as_ref(), *limit).await
        }
        Verb::Backup { verb: BackupVerb::Write { file, words } } => {
            backup::write(session, file, *words).await
        }
        Verb::Backup { verb: BackupVerb::Restore { file } } => backup::restore(session, file).await,
        Verb::Export { all, format, places } => export::run(session, *all, *format, places).await,
        Verb::Import { verb: ImportVerb::Telegram { folder } } => {
            import::telegram(session, folder).await
        }
        Verb::Conversations => people::conversations(session).await,
        Verb::Requests => people::requests(session).await,
        Verb::Accept { to } => people::accept(session, to).await,
        Verb::Decline { to } => people::decline(session, to).await,
        Verb::Block { to } => people::block(session, to).await,
        Verb::Unblock { to } => people::unblock(session, to).await,
        Verb::Group { verb } => groups::run(session, verb).await,
        Verb::List { verb } => list::run(session, verb).await,
        Verb::Verify { to, digits } => verify::verify(session, to, *digits).await,
        Verb::Evidence { verb: EvidenceVerb::Save { folder } } => {
            verify::save_evidence(session, folder).await
        }
        Verb::Evidence { verb: EvidenceVerb::Answer } => verify::answer_proof(session).await,
        // Done by `run`: what comes here was forgotten there.
        Verb::Chat { .. }
        | Verb::Witness { .. }
        | Verb::Audit { .. }
        | Verb::Evidence { verb: EvidenceVerb::Check { .. } }
        | Verb::Release { .. }
        | Verb::Update { .. } => Err(Failure::unexpected()),
    }
}

async fn of_devices(session: &Session, verb: &DeviceVerb) -> Result<(), Failure> {
    match verb {
        DeviceVerb::List => devices::list(session).await,
        DeviceVerb::Link => devices::link(session).await,
        DeviceVerb::Approve { link, history, .. } => {
            devices::approve(session, link, *history).await
        }
        DeviceVerb::History { id } => devices::send_history(session, id).await,
        DeviceVerb::Rename { id, name } => devices::rename(session, id, name).await,
        DeviceVerb::Remove { id, yes } => devices::remove(session, id, *yes).await,
        DeviceVerb::Dispute => devices::dispute(session).await,
    }
}
