// SPDX-License-Identifier: AGPL-3.0-or-later
//! What was said: search.

use nodoor_view::{
    command::{Command, Reply},
    model::From,
    past::{Command as OfPast, Hits, Reply as PastReply},
};
use serde::Serialize;

use super::{account, people::print};
use crate::{failure::Failure, output, session::Session, target::Target};

/// Hits asked for at once.
const PAGE: u32 = 200;

/// `search`.
#[derive(Serialize)]
struct Hit<'a> {
    message: Option<&'a str>,
    conversation: &'a str,
    title: &'a str,
    /// `@handle`, or the account where there is none; null for lines of the app.
    from: Option<String>,
    sent_at: String,
    /// Around what was found, as one line.
    text: &'a str,
    /// Where in the text that is: bytes, `[from, to]`.
    marks: Vec<[usize; 2]>,
}

/// Prints the messages that have all words of a text, newest first.
pub(super) async fn search(
    session: &Session,
    query: &str,
    within: Option<&Target>,
    limit: usize,
) -> Result<(), Failure> {
    let me = account::profile(session).await?.handle;
    let conversation = match within {
        Some(to) => Some(session.open_chat(to).await?.id),
        None => None,
    };
    let (mut before, mut printed) = (None, 0);
    while printed < limit {
        let query = query.to_owned();
        let of = OfPast::Search { query, conversation, before, limit: PAGE };
        let found = hits(session, of).await?;
        if let Some(done) = found.indexed.filter(|_| printed == 0) {
            let done = [("done", u32::from(done).into())];
            eprintln!("nodoor: {}", session.texts.get("search-indexing", &done));
        }
        for hit in found.rows.iter().take(limit - printed) {
            let who = match &hit.from {
                From::Me => session.texts.get("me", &[]),
                From::Them(person) => output::address(person),
                From::System => String::new(),
            };
            let row = Hit {
                message: Some(hit.reference.as_str()).filter(|reference| !reference.is_empty()),
                conversation: &hit.chat,
                title: &hit.title,
                from: match &hit.from {
                    From::Me => Some(format!("@{me}")),
                    From::Them(person) => Some(output::address(person)),
                    From::System => None,
                },
                sent_at: output::rfc3339(hit.at),
                text: &hit.snippet,
                marks: hit.marks.iter().map(|mark| [mark.start, mark.end]).collect(),
            };
            let line = format!("{} [{}] {who}: {}", output::local(hit.at), hit.title, hit.snippet);
            print(session, &row, &line)?;
        }
        printed += found.rows.len();
        before = found.before;
        if before.is_none() {
            break;
        }
    }
    Ok(())
}

async fn hits(session: &Session, of: OfPast) -> Result<Hits, Failure> {
    match session.ask(Command::Past { of }).await? {
        Reply::Past(PastReply::Hits(hits)) => Ok(hits),
        _ => Err(Failure::unexpected()),
    }
}
