// SPDX-License-Identifier: AGPL-3.0-or-later
//! The engine's journal as a power cut leaves it.
//!
//! A batch whose bytes did not all reach the disk ends the journal. Where the end is missing, the engine cuts it off by
//! itself; where the end is there and something before it is not, it refuses the whole folder. That batch was not synced,
//! so nobody had a yes for it: it is cut off here and kept in the data folder; the files `commits` and `signed` say if it
//! was not so.
//!
//! Reads lengths alone: whether a batch is what was written is the engine's to say, by its checksum. `folder` and `ledger`
//! call it.

use std::{
    fs::{self, File},
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use fjall::Database;

use crate::folder::{OpenError, open_error};

/// Ends each batch.
const TRAILER: [u8; 4] = *b"FJL\x03";

/// One of the engine's databases in a data folder.
pub(crate) struct Place<'a> {
    /// The data folder.
    pub(crate) folder: &'a Path,
    /// The database's own folder in it.
    pub(crate) database: &'static str,
    /// The file there for what is cut off.
    pub(crate) cut: &'static str,
}

impl Place<'_> {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(self.database)
    }
}

/// Opens a database; without the last batch of its journal if that is what the engine refuses.
///
/// # Errors
/// [`OpenError`]: nothing was changed then.
pub(crate) fn open(
    place: &Place<'_>,
    open: impl Fn() -> fjall::Result<Database>,
) -> Result<Database, OpenError> {
    let journals = journals(&place.path())?;
    for journal in &journals {
        if !batches(journal)?.lengths_agree {
            return Err(OpenError::Journal);
        }
    }
    let refused = match open() {
        Err(error @ fjall::Error::JournalRecovery(_)) => error,
        other => return other.map_err(open_error),
    };
    let Some((journal, start)) = journals.last().zip(last_batch(&journals)?) else {
        return Err(open_error(refused));
    };
    let mut file = File::options().read(true).write(true).open(journal)?;
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let cut = place.folder.join(place.cut);
    fs::write(&cut, &tail)?;
    file.set_len(start)?;
    file.sync_all()?;
    match open() {
        Ok(database) => {
            tracing::warn!(
                "the journal ended in a write that was not whole; it was cut off and is in {}",
                place.cut
            );
            Ok(database)
        }
        Err(_) => {
            // It was not the last one: everything stays as it was found.
            file.set_len(start)?;
            file.seek(SeekFrom::Start(start))?;
            file.write_all(&tail)?;
            file.sync_all()?;
            fs::remove_file(cut)?;
            Err(OpenError::Journal)
        }
    }
}

/// The journals, oldest first.
fn journals(store: &Path) -> io::Result<Vec<PathBuf>> {
    let mut journals = Vec::new();
    let entries = match fs::read_dir(store) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if let (Some(number), Some("jnl")) = (number, path.extension().and_then(|e| e.to_str())) {
            journals.push((number, path));
        }
    }
    journals.sort();
    Ok(journals.into_iter().map(|(_, path)| path).collect())
}

/// Where the last batch of the last journal begins.
fn last_batch(journals: &[PathBuf]) -> io::Result<Option<u64>> {
    Ok(journals.last().map(|path| batches(path)).transpose()?.and_then(|found| found.last))
}

struct Batches {
    /// Where the last whole one begins.
    last: Option<u64>,
    /// The engine would end the process otherwise.
    lengths_agree: bool,
}

/// Walks over a journal, up to where it ends or makes no sense.
fn batches(path: &Path) -> io::Result<Batches> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = io::BufReader::new(file);
    let mut found = Batches { last: None, lengths_agree: true };
    let mut start = None;
    loop {
        let position = reader.stream_position()?;
        match walk(&mut reader, length) {
            Ok(Entry::Start) => start = Some(position),
            Ok(Entry::Item { lengths_agree: true }) => {}
            Ok(Entry::Item { lengths_agree: false }) => {
                return Ok(Batches { lengths_agree: false, ..found });
            }
            Ok(Entry::Clear) => {}
            Ok(Entry::End) => found.last = start.take().or(found.last),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(found),
            Err(error) => return Err(error),
        }
    }
}

enum Entry {
    Start,
    Item { lengths_agree: bool },
    End,
    Clear,
}

/// One entry of the journal's format, which is little endian.
fn walk(reader: &mut io::BufReader<File>, length: u64) -> io::Result<Entry> {
    let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let [tag] = take(reader)?;
    match tag {
        // Number of items (u32), sequence number (u64).
        1 => take::<12>(reader).map(|_| Entry::Start),
        // Type and compression (u8 each), keyspace (u64), lengths of key (u16), value, and value on disk (u32 each).
        2 => {
            let _: [u8; 10] = take(reader)?;
            let key = u16::from_le_bytes(take(reader)?);
            let value = u32::from_le_bytes(take(reader)?);
            let on_disk = u32::from_le_bytes(take(reader)?);
            // This store switches compression off: they are one. The engine asserts it, where assertions are on.
            if cfg!(debug_assertions) && value != on_disk {
                return Ok(Entry::Item { lengths_agree: false });
            }
            let skip = u64::from(key) + u64::from(on_disk);
            if reader.stream_position()?.saturating_add(skip) > length {
                return Err(end());
            }
            reader.seek_relative(i64::try_from(skip).unwrap_or(i64::MAX))?;
            Ok(Entry::Item { lengths_agree: true })
        }
        // Checksum (u64), trailer.
        3 => {
            let _: [u8; 8] = take(reader)?;
            if take(reader)? == TRAILER { Ok(Entry::End) } else { Err(end()) }
        }
        // Keyspace (u64).
        4 => take::<8>(reader).map(|_| Entry::Clear),
        _ => Err(end()),
    }
}

fn take<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}
