// SPDX-License-Identifier: AGPL-3.0-or-later
//! `export`: chats as pages to read or as JSON for programs (`docs/book/export.md`), a page of messages in memory at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use jiff::{Timestamp, tz::TimeZone};
use nodoor_sdk::export as form;
use nodoor_view::{
    command::{Command, Place, Reply},
    export::{self, Head},
    model::{ConversationRow, From, MessageId, MessageRow},
};
use serde_json::json;

use super::{account, backup::number, people::print};
use crate::{arguments::Format, failure::Failure, output, session::Session, target::Target};

/// Rows asked for at once.
const ROWS: u32 = 200;

/// `export TO DIR`, `export --all DIR`.
pub(super) async fn run(
    session: &Session,
    all: bool,
    format: Format,
    places: &[String],
) -> Result<(), Failure> {
    match (all, places) {
        (true, [folder]) => export(session, None, format, Path::new(folder)).await,
        (false, [to, folder]) => {
            let to = Target::parse(to).map_err(Failure::Usage)?;
            export(session, Some(&to), format, Path::new(folder)).await
        }
        (true, _) => Err(Failure::Usage("export --all DIR".to_owned())),
        (false, _) => Err(Failure::Usage("export TO DIR, or export --all DIR".to_owned())),
    }
}

/// Writes a chat, or all, into a folder that is empty or not there.
async fn export(
    session: &Session,
    to: Option<&Target>,
    format: Format,
    folder: &Path,
) -> Result<(), Failure> {
    session.look_in().await;
    let chats = match to {
        Some(to) => vec![session.open_chat(to).await?],
        None => session.conversations().await?,
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if fs::read_dir(folder)?.next().is_some() {
        return Err(Failure::Said("exists", "export-not-empty"));
    }
    let me = account::profile(session).await?.handle;
    let mut all = 0;
    for chat in &chats {
        let name = chat.reference.get(..16).unwrap_or(&chat.reference);
        let mut rows = Rows { session, chat, after: None, over: false, ready: Vec::new() };
        all += match format {
            Format::Json => json_file(&mut rows, &folder.join(format!("{name}.json")), &me).await?,
            Format::Html => {
                let folder = folder.join(name);
                fs::DirBuilder::new().mode(0o700).create(&folder)?;
                html_pages(&mut rows, &folder, &me).await?
            }
        };
    }
    if format == Format::Html && to.is_none() {
        contents(session, &chats, folder)?;
    }
    File::open(folder)?.sync_all()?;
    let path = folder.display().to_string();
    let values = [("messages", number(all).into()), ("path", (&path).into())];
    let said = session.texts.get("export-done", &values);
    print(session, &json!({ "exported": path, "chats": chats.len(), "messages": all }), &said)
}

/// The messages of a chat, oldest first.
struct Rows<'a> {
    session: &'a Session,
    chat: &'a ConversationRow,
    after: Option<MessageId>,
    over: bool,
    ready: Vec<MessageRow>,
}

impl Rows<'_> {
    /// The next ones; none at the end.
    async fn next(&mut self) -> Result<Vec<MessageRow>, Failure> {
        if !self.ready.is_empty() {
            return Ok(std::mem::take(&mut self.ready));
        }
        if self.over {
            return Ok(Vec::new());
        }
        let message = self.after.unwrap_or(MessageId(0));
        let at = Place::After { message };
        let ask = Command::Messages { conversation: self.chat.id, at, limit: ROWS };
        let Reply::Messages(page) = self.session.ask(ask).await? else {
            return Err(Failure::unexpected());
        };
        self.over = !page.more_after;
        self.after = page.rows.last().map(|row| row.id).or(self.after);
        Ok(page.rows)
    }
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(BufWriter::new(file))
}

fn close(file: BufWriter<File>) -> Result<(), Failure> {
    let file = file.into_inner().map_err(|error| Failure::system(error.error()))?;
    Ok(file.sync_all()?)
}

async fn html_pages(rows: &mut Rows<'_>, folder: &Path, me: &str) -> Result<u64, Failure> {
    let (session, chat) = (rows.session, rows.chat);
    let texts = &session.texts;
    let (about, language) = (about(session), crate::language());
    let right_to_left = language.starts_with("ar");
    let (title, language) = (chat.title.as_str(), language.as_str());
    let (mut page, mut all) = (1, 0_u64);
    loop {
        // Whether there is a page after it is known before this one is written.
        let mut here = Vec::new();
        while here.len() < export::PAGE {
            let mut some = rows.next().await?;
            if some.is_empty() {
                break;
            }
            let room = export::PAGE - here.len();
            if some.len() > room {
                rows.ready = some.split_off(room);
            }
            here.append(&mut some);
        }
        rows.ready = rows.next().await?;
        let more = !rows.ready.is_empty();
        let head = Head { title, about: &about, language, right_to_left, page, more };
        let mut file = create(&folder.join(export::page_name(page)))?;
        file.write_all(export::begin(&head, texts).as_bytes())?;
        for row in &here {
            let who = match &row.from {
                From::Me => format!("@{me}"),
                From::Them(person) => texts.person(person),
                From::System => String::new(),
            };
            let (time, exact) = (output::local(row.sent_at), output::rfc3339(row.sent_at));
            file.write_all(export::message(row, &who, &time, &exact, texts).as_bytes())?;
            all += 1;
        }
        file.write_all(export::end(&head, texts).as_bytes())?;
        close(file)?;
        if !more {
            return Ok(all);
        }
        page += 1;
    }
}

/// The list of chats, where all were written.
fn contents(session: &Session, chats: &[ConversationRow], folder: &Path) -> Result<(), Failure> {
    let language = crate::language();
    let about = about(session);
    let right_to_left = language.starts_with("ar");
    let title = "Nodoor";
    let head =
        Head { title, about: &about, language: &language, right_to_left, page: 1, more: false };
    let mut file = create(&folder.join("index.html"))?;
    file.write_all(export::begin(&head, &session.texts).as_bytes())?;
    for chat in chats {
        let name = export::escaped(chat.reference.get(..16).unwrap_or(&chat.reference));
        let title = export::escaped(&chat.title);
        writeln!(file, "<li><a href=\"{name}/index.html\"><bdi>{title}</bdi></a></li>")?;
    }
    file.write_all(export::end(&head, &session.texts).as_bytes())?;
    close(file)
}

fn about(session: &Session) -> String {
    let day = Timestamp::now().to_zoned(TimeZone::system()).date().to_string();
    session.texts.get("export-about", &[("day", (&day).into())])
}

async fn json_file(rows: &mut Rows<'_>, path: &Path, me: &str) -> Result<u64, Failure> {
    let mut file = create(path)?;
    file.write_all(form::begin(rows.chat, me).as_bytes())?;
    let mut all = 0_u64;
    loop {
        let some = rows.next().await?;
        if some.is_empty() {
            break;
        }
        for row in &some {
            file.write_all(if all > 0 { b",\n" } else { b"\n" })?;
            file.write_all(form::message(row, &rows.session.texts).to_string().as_bytes())?;
            all += 1;
        }
    }
    file.write_all(form::END.as_bytes())?;
    close(file)?;
    Ok(all)
}
