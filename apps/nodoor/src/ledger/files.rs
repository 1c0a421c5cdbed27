// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files that are whole or not there, for what a witness or auditor must never forget; keys; and what others wrote.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use crate::failure::Failure;

/// Writes a file whole or not at all, and durably.
pub(crate) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = folder.join(format!("{name}.new"));
    let mut file = fs::File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, folder.join(name))?;
    fs::File::open(folder)?.sync_all()
}

/// Writes a new file that its owner alone can read.
pub(crate) fn write_secret(path: &Path, line: &str) -> io::Result<()> {
    let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Reads a file of at most this many bytes.
///
/// # Errors
/// It is longer, or what the system says, with the file's name.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let named = |error: &dyn std::fmt::Display| {
        Failure::Surroundings("file", format!("{}: {error}", path.display()))
    };
    let file = fs::File::open(path).map_err(|error| named(&error))?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| named(&error))?;
    if bytes.len() > limit { Err(named(&"too large")) } else { Ok(bytes) }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads what [`hex`] writes.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let small = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (small && text.len().is_multiple_of(2)).then(|| {
        let pairs = (0..text.len()).step_by(2);
        pairs.filter_map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
    })
}
