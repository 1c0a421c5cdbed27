// SPDX-License-Identifier: AGPL-3.0-or-later
//! A profile: one folder on disk, one account, one process at a time.
//!
//! | file | what |
//! |---|---|
//! | `lock` | held while a process uses the folder; names it |
//! | `database`, `database-wal`, `database-shm` | SQLCipher |
//! | `key` | the database's key, if no passphrase was given when it was made |
//! | `salt` | of the passphrase, if one was |
//! | `server` | the address registered at |
//!
//! The folder is the person's alone (0700), each file 0600. A key file protects against nothing but a copy of the
//! database without it; a passphrase also against whoever takes the whole disk.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use crate::{native::address::Address, store::DatabaseKey};

/// A profile folder that this process holds.
#[derive(Debug)]
pub struct Profile {
    folder: PathBuf,
    _lock: File,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Another process has it.
    #[error("this profile is in use by {holder}")]
    InUse {
        /// Process number and command.
        holder: String,
    },
    /// The database was made with a passphrase, and none was given.
    #[error("this profile is locked with a passphrase")]
    NeedsPassphrase,
    /// A passphrase was given for a database that was made without one: it protects nothing, and says so.
    #[error(
        "this profile was made without a passphrase: its key lies beside it; give none, or use another profile"
    )]
    HasKeyFile,
    /// The passphrase has no characters.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The folder holds what is not ours: nothing was written into it.
    #[error("this folder holds other files; name an empty one, or one that is not there yet")]
    NotAProfile,
    /// The key file is not one.
    #[error("the key file of this profile is damaged")]
    KeyFile,
    /// The system gave no randomness.
    #[error("the system gave no random bytes")]
    Random,
    /// The folder cannot be read or written.
    #[error("the profile folder failed: {0}")]
    Io(#[from] io::Error),
}

/// What protects the database on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// A key file beside it, readable by this user alone.
    KeyFile,
    /// A passphrase, by Argon2id.
    Passphrase,
}

impl Profile {
    /// Makes the folder if it is not there, and takes its lock, waiting at most `wait`. `command` is what
    /// another process is told of this one (`nodoor receive`; no arguments, they may be a person's words).
    ///
    /// # Errors
    /// [`ProfileError::InUse`] names the process that has it, [`ProfileError::NotAProfile`] keeps a folder of others'
    /// files as it is.
    pub async fn take(folder: &Path, command: &str, wait: Duration) -> Result<Self, ProfileError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Once there is a database it is a profile, whatever a person keeps beside it.
        if !folder.join(DATABASE).exists() {
            for entry in fs::read_dir(folder)? {
                let name = entry?.file_name();
                if !FILES.iter().any(|file| name == *file) && name != SEALED {
                    return Err(ProfileError::NotAProfile);
                }
            }
        }
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join(LOCK))?;
        let until = Instant::now() + wait;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    lock.read_to_string(&mut holder)?;
                    let holder = if holder.is_empty() { "another process".into() } else { holder };
                    return Err(ProfileError::InUse { holder });
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        lock.set_len(0)?;
        lock.rewind()?;
        write!(lock, "process {} ({command})", std::process::id())?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// The address registered at, if one was.
    #[must_use]
    pub fn server(&self) -> Option<String> {
        fs::read_to_string(self.folder.join(SERVER)).ok().map(|text| text.trim().to_owned())
    }

    /// Remembers where the account is, in a folder that this process holds.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn remember_server(folder: &Path, server: &Address) -> Result<(), ProfileError> {
        let path = folder.join(SERVER);
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(writeln!(file, "{server}")?)
    }

    /// What protects the database; before there is one, what would.
    #[must_use]
    pub fn protection(&self, passphrase_given: bool) -> Protection {
        let salted = self.folder.join(SALT).exists();
        let keyed = self.folder.join(KEY).exists();
        if salted || (passphrase_given && !keyed) {
            Protection::Passphrase
        } else {
            Protection::KeyFile
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database's file, there and readable by this user alone before SQLite opens it: its journals take the same
    /// mode.
    pub(crate) fn database(&self) -> io::Result<PathBuf> {
        let path = self.folder.join(DATABASE);
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        Ok(path)
    }

    /// The database's key: read, derived, or made the first time. On disk before the database is.
    pub(crate) fn database_key(
        &self,
        passphrase: Option<&str>,
    ) -> Result<DatabaseKey, ProfileError> {
        if passphrase.is_some_and(str::is_empty) {
            return Err(ProfileError::EmptyPassphrase);
        }
        match self.protection(passphrase.is_some()) {
            Protection::KeyFile if passphrase.is_some() => Err(ProfileError::HasKeyFile),
            Protection::KeyFile => {
                let path = self.folder.join(KEY);
                if !path.exists() {
                    let fresh: Zeroizing<[u8; 32]> = random()?;
                    self.write_new(KEY, &Zeroizing::new(hex::encode(fresh.as_slice())))?;
                    return Ok(DatabaseKey(fresh));
                }
                let text = Zeroizing::new(fs::read_to_string(path)?);
                let mut key = Zeroizing::new([0; 32]);
                hex::decode_to_slice(text.trim(), &mut *key).map_err(|_| ProfileError::KeyFile)?;
                Ok(DatabaseKey(key))
            }
            Protection::Passphrase => {
                let passphrase = passphrase.ok_or(ProfileError::NeedsPassphrase)?;
                let path = self.folder.join(SALT);
                if !path.exists() {
                    let fresh: Zeroizing<[u8; 16]> = random()?;
                    self.write_new(SALT, &hex::encode(fresh.as_slice()))?;
                }
                let text = fs::read_to_string(path)?;
                let salt = hex::decode(text.trim()).map_err(|_| ProfileError::KeyFile)?;
                stretch(passphrase, &salt)
            }
        }
    }

    /// Deletes everything in the folder that is ours, the lock last.
    pub(crate) fn erase(&self) -> io::Result<()> {
        // The key first: whatever a crash leaves behind cannot be opened any more.
        for name in FILES {
            if name == LOCK {
                match fs::remove_dir_all(self.folder.join(SEALED)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        // Left in place if the person keeps something else there.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    fn write_new(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
        File::open(&self.folder)?.sync_all()
    }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, ProfileError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|_| ProfileError::Random)?;
    Ok(bytes)
}

/// Argon2id, 64 MiB, 3 passes, 1 lane (the second recommendation of RFC 9106, with one lane).
fn stretch(passphrase: &str, salt: &[u8]) -> Result<DatabaseKey, ProfileError> {
    let bad = |_| ProfileError::KeyFile;
    let params = argon2::Params::new(64 * 1024, 3, 1, Some(32)).map_err(bad)?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon.hash_password_into(passphrase.as_bytes(), salt, &mut *key).map_err(bad)?;
    Ok(DatabaseKey(key))
}

/// All of a profile, in the order in which it is erased.
const FILES: [&str; 7] = [KEY, SALT, DATABASE, "database-wal", "database-shm", SERVER, LOCK];
/// The folder of sealed files; it goes before the lock.
pub(super) const SEALED: &str = "files";
const LOCK: &str = "lock";
const DATABASE: &str = "database";
const KEY: &str = "key";
const SALT: &str = "salt";
const SERVER: &str = "server";
