// SPDX-License-Identifier: AGPL-3.0-or-later
//! `import telegram`: reads `result.json` twice, the first time to know that all of it can be read, and hands the messages to
//! the engine, some hundreds at a time.

use std::{
    fs::File,
    io::BufReader,
    path::{Component, Path, PathBuf},
};

use nodoor_sdk::telegram::{Item, Named, ReadError, Survey, read, survey};
use nodoor_view::{
    command::{Command, Reply},
    past::{Command as OfPast, Imported, ImportedChat, Reply as PastReply},
};
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    backup::{Progress, number},
    people::print,
};
use crate::{failure::Failure, session::Session};

/// Messages handed in at once.
const BATCH: usize = 500;
/// Batches that wait, at most.
const AHEAD: usize = 4;

/// Some messages of a chat, and how many files of theirs are not in the folder.
struct Batch {
    chat: ImportedChat,
    messages: Vec<Imported>,
    missing: u64,
}

/// Imports the folder of an export.
pub(super) async fn telegram(session: &Session, folder: &Path) -> Result<(), Failure> {
    let path = match folder.is_dir() {
        true => folder.join("result.json"),
        false => folder.to_owned(),
    };
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let whole = path.clone();
    let checked = tokio::task::spawn_blocking(move || {
        survey(BufReader::new(File::open(whole)?)).map_err(Failure::from)
    });
    let survey = checked.await.map_err(|_| Failure::unexpected())??;
    let (sender, mut batches) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || send_all(&path, &folder, &survey, &sender));
    let mut progress = Progress::new(session, "import-taking");
    let (mut chats, mut messages, mut missing, mut seen) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut last: Option<String> = None;
    while let Some(Batch { chat, messages: some, missing: lacking }) = batches.recv().await {
        if last.as_ref() != Some(&chat.id) {
            chats += 1;
            last = Some(chat.id.clone());
        }
        missing += lacking;
        seen += u64::try_from(some.len()).unwrap_or(u64::MAX);
        let of = OfPast::Import { chat, messages: some };
        match session.ask(Command::Past { of }).await? {
            Reply::Past(PastReply::Counted(counted)) => messages += counted.messages,
            _ => return Err(Failure::unexpected()),
        }
        progress.step(seen / 16 * 16);
    }
    reading.await.map_err(|_| Failure::unexpected())??;
    progress.end();
    let values = [
        ("messages", number(messages).into()),
        ("chats", number(chats).into()),
        ("missing", number(missing).into()),
    ];
    let said = session.texts.get("import-done", &values);
    let row = json!({ "messages": messages, "chats": chats, "missing_files": missing });
    print(session, &row, said.trim_end())
}

fn send_all(
    path: &Path,
    folder: &Path,
    survey: &Survey,
    sender: &mpsc::Sender<Batch>,
) -> Result<(), Failure> {
    let mut batch: Option<Batch> = None;
    let mut take = |item| match item {
        Item::Chat(chat) => {
            let next = Batch { chat, messages: Vec::new(), missing: 0 };
            batch.replace(next).is_none_or(|full| sender.blocking_send(full).is_ok())
        }
        Item::Message(message, files) => {
            let Some(batch) = &mut batch else { return true };
            batch.messages.push(message);
            let missing = files.iter().filter(|file| !is_there(folder, file)).count();
            batch.missing += u64::try_from(missing).unwrap_or(u64::MAX);
            if batch.messages.len() < BATCH {
                return true;
            }
            let (chat, messages) = (batch.chat.clone(), std::mem::take(&mut batch.messages));
            let missing = std::mem::take(&mut batch.missing);
            sender.blocking_send(Batch { chat, messages, missing }).is_ok()
        }
    };
    let outcome = read(BufReader::new(File::open(path)?), survey, &mut take);
    match outcome {
        // Whoever takes them failed, and says why.
        Err(ReadError::Stopped) => return Ok(()),
        other => other?,
    }
    if let Some(rest) = batch {
        let _ = sender.blocking_send(rest);
    }
    Ok(())
}

/// Whether a file that a message names lies in the folder. A name that leads out of it does not.
fn is_there(folder: &Path, file: &Named) -> bool {
    let Named::Path(name) = file else { return false };
    let name = PathBuf::from(name);
    name.components().all(|part| matches!(part, Component::Normal(_)))
        && folder.join(name).is_file()
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::system(&error),
            other => Self::Surroundings("import", other.to_string()),
        }
    }
}
