// SPDX-License-Identifier: AGPL-3.0-or-later
//! Writing in the person's own editor (`VISUAL`, `EDITOR`, else `vi`), through a file in the private profile folder
//! that is overwritten and deleted afterwards.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::Command,
};

/// Lets the person change a text. The terminal must be theirs meanwhile.
pub(super) fn edit(folder: &Path, text: &str) -> io::Result<String> {
    let path = folder.join("message.txt");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    let edited = written.and_then(|()| run(&path)).and_then(|()| fs::read_to_string(&path));
    wipe(&path);
    edited
}

/// An editor may be given with arguments (`code --wait`), as git takes it.
fn run(path: &Path) -> io::Result<()> {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let line = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program).args(words).arg(path).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program} failed"))) }
}

/// Best effort: journals and flash keep copies that no program reaches.
fn wipe(path: &Path) {
    if let Ok(metadata) = fs::metadata(path) {
        let zeros = vec![0; usize::try_from(metadata.len()).unwrap_or(0)];
        let overwrite = |file: &mut fs::File| file.write_all(&zeros).and_then(|()| file.sync_all());
        let _ = OpenOptions::new().write(true).open(path).and_then(|mut file| overwrite(&mut file));
    }
    let _ = fs::remove_file(path);
}
