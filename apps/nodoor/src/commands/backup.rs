// SPDX-License-Identifier: AGPL-3.0-or-later
//! `backup write` and `backup restore`: the engine gives and takes pieces in clear, the sealed file is written and read
//! here, a piece at a time.
//!
//! A file is written under another name beside its own, synced, and only then called as the person said. It is read twice:
//! first to know that it is whole, then to take in what it says.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, IsTerminal as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use nodoor_sdk::backup::{BackupError, Kind, Reader, Secret, Writer};
use nodoor_view::{
    command::{Command, Reply},
    past::{At, Command as OfPast, Counted, Reply as PastReply},
};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    people::print,
    words::{hidden_line, typed},
};
use crate::{failure::Failure, session::Session};

/// Writes a backup, sealed with the 24 words or with a passphrase.
pub(super) async fn write(session: &Session, path: &Path, words: bool) -> Result<(), Failure> {
    session.look_in().await;
    let secret = match words {
        true => {
            let typed = match session.ask(Command::Words).await? {
                Reply::Words(_) => Zeroizing::new(String::new()),
                _ => typed(session, "-").await?,
            };
            of_words(session, &typed, true).await?
        }
        false => Secret::Passphrase(new_passphrase(session).await?),
    };
    let beside = beside(path)?;
    let outcome = write_to(session, &beside, &secret).await;
    let done = outcome.and_then(|messages| {
        fs::rename(&beside, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(messages)
    });
    if done.is_err() {
        // What was begun is of no use to anybody.
        let _ = fs::remove_file(&beside);
    }
    let pieces = done?;
    let said =
        session.texts.get("backup-written", &[("path", (&path.display().to_string()).into())]);
    print(session, &json!({ "written": path.display().to_string(), "pieces": pieces }), &said)
}

async fn write_to(session: &Session, path: &Path, secret: &Secret) -> Result<u64, Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut writer = Writer::begin(BufWriter::new(file), secret)?;
    let (mut at, mut pieces): (Option<At>, u64) = (None, 0);
    let mut progress = Progress::new(session, "backup-writing");
    loop {
        let of = OfPast::Backup { at };
        let Reply::Past(PastReply::Piece { bytes, next }) =
            session.ask(Command::Past { of }).await?
        else {
            return Err(Failure::unexpected());
        };
        writer.piece(&Zeroizing::new(bytes))?;
        pieces += 1;
        progress.step(pieces);
        at = next;
        if at.is_none() {
            break;
        }
    }
    progress.end();
    let file = writer.end()?.into_inner().map_err(|error| Failure::system(error.error()))?;
    file.sync_all()?;
    Ok(pieces)
}

/// Takes in what a backup has and this device does not.
pub(super) async fn restore(session: &Session, path: &Path) -> Result<(), Failure> {
    session.look_in().await;
    let mut file = File::open(path)?;
    let secret = match nodoor_sdk::backup::kind(&file)? {
        Kind::Words => {
            let typed = match session.ask(Command::Words).await? {
                Reply::Words(_) => Zeroizing::new(String::new()),
                _ => typed(session, "-").await?,
            };
            of_words(session, &typed, false).await?
        }
        Kind::Passphrase => Secret::Passphrase(hidden_line(session, "backup-passphrase").await?),
    };
    let mut progress = Progress::new(session, "backup-checking");
    let mut pieces: u64 = 0;
    let mut whole = open(&mut file, &secret)?;
    while whole.piece()?.is_some() {
        pieces += 1;
        progress.step(pieces);
    }
    progress.end();
    let mut progress = Progress::new(session, "backup-restoring");
    let (mut counted, mut read) = (Counted::default(), 0);
    let mut reader = open(&mut file, &secret)?;
    while let Some(piece) = reader.piece()? {
        let of = OfPast::Restore { piece: piece.to_vec() };
        match session.ask(Command::Past { of }).await? {
            Reply::Past(PastReply::Counted(so_far)) => counted = so_far,
            _ => return Err(Failure::unexpected()),
        }
        read += 1;
        progress.step(read);
    }
    progress.end();
    session.finish().await;
    let values =
        [("messages", number(counted.messages).into()), ("chats", number(counted.chats).into())];
    let said = session.texts.get("backup-restored", &values);
    print(session, &json!({ "messages": counted.messages, "chats": counted.chats }), &said)
}

fn open<'f>(file: &'f mut File, secret: &Secret) -> Result<Reader<BufReader<&'f File>>, Failure> {
    file.seek(SeekFrom::Start(0))?;
    Ok(Reader::open(BufReader::new(&*file), secret)?)
}

async fn of_words(session: &Session, words: &str, writing: bool) -> Result<Secret, Failure> {
    let of = OfPast::BackupKey { words: words.to_owned(), writing };
    let Reply::Past(PastReply::Key(hexadecimal)) = session.ask(Command::Past { of }).await? else {
        return Err(Failure::unexpected());
    };
    let hexadecimal = Zeroizing::new(hexadecimal);
    let mut secret = Zeroizing::new([0; 32]);
    for (byte, pair) in secret.iter_mut().zip(hexadecimal.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).map_err(|_| Failure::unexpected())?;
    }
    Ok(Secret::Words(secret))
}

/// At a terminal it is typed twice: nobody sees what they type, and a backup under a slip is none.
async fn new_passphrase(session: &Session) -> Result<Zeroizing<String>, Failure> {
    let first = hidden_line(session, "backup-passphrase-new").await?;
    if std::io::stdin().is_terminal()
        && *hidden_line(session, "backup-passphrase-again").await? != *first
    {
        return Err(Failure::Said("differ", "backup-passphrases-differ"));
    }
    Ok(first)
}

/// `name.part` in the same folder; what is there under the right name is not written over.
fn beside(path: &Path) -> Result<PathBuf, Failure> {
    if path.exists() {
        return Err(Failure::Said("exists", "backup-exists"));
    }
    let mut name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(".part");
    let beside = path.with_file_name(name);
    // Left by a run that was cut off: nobody can read it to its end.
    let _ = fs::remove_file(&beside);
    Ok(beside)
}

pub(super) fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A line on standard error that counts, if a person looks at it.
pub(super) struct Progress<'s> {
    session: &'s Session,
    id: &'static str,
    shown: bool,
}

impl<'s> Progress<'s> {
    pub(super) fn new(session: &'s Session, id: &'static str) -> Self {
        Self { session, id, shown: std::io::stderr().is_terminal() && !session.json }
    }

    pub(super) fn step(&mut self, count: u64) {
        if self.shown && count.is_multiple_of(16) {
            eprint!("\r{}", self.session.texts.get(self.id, &[("count", number(count).into())]));
        }
    }

    pub(super) fn end(self) {
        if self.shown {
            eprintln!();
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let kind = match error {
            BackupError::WrongSecret | BackupError::EmptyPassphrase => "wrong_key",
            BackupError::Io(ref error) => return Self::system(error),
            _ => "backup",
        };
        Self::Surroundings(kind, error.to_string())
    }
}
