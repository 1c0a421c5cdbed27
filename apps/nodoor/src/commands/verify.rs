// SPDX-License-Identifier: AGPL-3.0-or-later
//! How far the keys of a chat are checked, and the evidence that this device keeps.
//!
//! Spec: `docs/book/ledger.md`, 3 and 5.

use std::path::Path;

use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, EvidenceFile, LedgerState},
};
use serde::Serialize;

use super::people::print;
use crate::{failure::Failure, ledger::files, output, session::Session, target::Target};

/// `verify`.
#[derive(Serialize)]
struct Verified<'a> {
    state: &'a str,
    checked_at: Option<String>,
    ledger_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<String>,
}

/// `evidence save`.
#[derive(Serialize)]
struct Saved<'a> {
    file: &'a str,
}

/// Has the keys looked for in the public log, and prints what came of it; with `digits` also what two people compare.
pub(super) async fn verify(session: &Session, to: &Target, digits: bool) -> Result<(), Failure> {
    session.catch_up().await;
    let known = session.known(to).await?.is_some();
    let chat = session.open_chat(to).await?;
    let shown = check(session, chat.id, digits).await;
    if !known {
        // To look somebody up is not to open a chat: it goes, unless something came into it meanwhile.
        let _ = session.do_it(Command::Decline { conversation: chat.id }).await;
    }
    shown
}

async fn check(
    session: &Session,
    conversation: ConversationId,
    digits: bool,
) -> Result<(), Failure> {
    let Reply::Check(check) = session.ask(Command::Verify { conversation }).await? else {
        return Err(Failure::unexpected());
    };
    let digits = match digits.then_some(Command::Compare { conversation }) {
        Some(compare) => match session.ask(compare).await? {
            Reply::Digits(digits) => Some(digits),
            _ => return Err(Failure::unexpected()),
        },
        None => None,
    };
    let mut text = output::check(&check, &session.texts);
    for (n, digit) in digits.iter().flat_map(|digits| digits.chars().enumerate()) {
        // Three lines of four groups of five.
        match (n % 20, n % 5) {
            (0, _) => text.push('\n'),
            (_, 0) => text.push(' '),
            _ => (),
        }
        text.push(digit);
    }
    let row = Verified {
        state: check.state.name(),
        checked_at: check.checked_at.map(output::rfc3339),
        ledger_size: check.ledger_size,
        digits,
    };
    print(session, &row, &text)
}

/// Writes each file and prints its path.
pub(super) async fn save_evidence(session: &Session, folder: &Path) -> Result<(), Failure> {
    let Reply::Evidence(all) = session.ask(Command::Evidence).await? else {
        return Err(Failure::unexpected());
    };
    for path in write(&all, folder)? {
        print(session, &Saved { file: &path }, &path)?;
    }
    Ok(())
}

/// Writes evidence into a folder; the paths.
pub(crate) fn write(all: &[EvidenceFile], folder: &Path) -> Result<Vec<String>, Failure> {
    let one = |file: &EvidenceFile| {
        files::replace(folder, &file.name, file.text.as_bytes())
            .map_err(|error| Failure::system(&error))?;
        Ok(folder.join(&file.name).to_string_lossy().into_owned())
    };
    all.iter().map(one).collect()
}

/// The person has read what is proved.
pub(super) async fn answer_proof(session: &Session) -> Result<(), Failure> {
    match session.ask(Command::AnswerProof).await? {
        Reply::Ledger(_) => {
            session.finish().await;
            Ok(())
        }
        _ => Err(Failure::unexpected()),
    }
}

/// Says what is proved and was not read yet, if anything is.
pub(super) async fn warn(session: &Session) {
    if let Reply::Ledger(LedgerState { proof: Some(proof), .. }) =
        session.client.ask(Command::Ledger).await
        && !proof.answered
    {
        let what = session.texts.proof(&proof, session.address.as_str());
        let said = session.texts.get("proof-unanswered", &[("what", (&what).into())]);
        eprintln!("nodoor: {said}");
    }
}
