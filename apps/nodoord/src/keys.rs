// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger's keys, and the one for push services: four files under `keys/` in the data folder, made with it, readable by
//! their owner alone.
//!
//! Each is 32 random bytes as one line of hex. The VRF's and the log's never change: a ledger that has entries does not
//! open without them, and new ones are made only beside an empty ledger. Keep a copy of the folder `keys` apart from the
//! backups of the rest.
//!
//! Spec: `docs/book/ledger.md`, 1, 2 and 7. `ledger` calls it.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};
use nodoor_server::ledger::LedgerKeys;
use zeroize::Zeroizing;

type Seed = Zeroizing<[u8; 32]>;

/// Reads the keys of a data folder. `is_new`: its ledger has no entry, so keys may be made.
///
/// # Errors
/// A key is missing, damaged, or cannot be read or made.
pub(crate) fn read_or_make(data: &Path, is_new: bool) -> Result<LedgerKeys> {
    let folder = data.join("keys");
    let seed = |name: &str| -> Result<Seed> {
        let path = folder.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                parse(&text).with_context(|| format!("the file keys/{name} holds no key"))
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("the file keys/{name} cannot be read"))
            }
            Err(_) if is_new || name == "tokens" => make(&folder, name),
            Err(_) => bail!(
                "the file keys/{name} is missing, and the ledger was begun with it; bring it back"
            ),
        }
    };
    let (vrf, log, tokens) = (seed("vrf")?, seed("log")?, seed("tokens")?);
    Ok(LedgerKeys::from_seeds(*vrf, *log, *tokens))
}

/// The key by which push services know this server, made when it is missing: devices then subscribe anew.
///
/// # Errors
/// It is damaged, or cannot be read or made.
pub(crate) fn push(data: &Path) -> Result<Seed> {
    let folder = data.join("keys");
    match fs::read_to_string(folder.join("push")) {
        Ok(text) => parse(&Zeroizing::new(text)).context("the file keys/push holds no key"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(&folder, "push"),
        Err(error) => Err(error).context("the file keys/push cannot be read"),
    }
}

/// Written aside, synced, renamed: whole or not there.
fn make(folder: &Path, name: &str) -> Result<Seed> {
    let mut seed = Seed::default();
    getrandom::fill(seed.as_mut_slice()).context("the system gives no randomness")?;
    let write = || -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let aside = folder.join(format!("{name}.new"));
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        let text = Zeroizing::new(to_hex(&seed));
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&aside, folder.join(name))?;
        fs::File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("the file keys/{name} cannot be made"))?;
    Ok(seed)
}

fn to_hex(seed: &Seed) -> String {
    seed.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse(text: &str) -> Result<Seed> {
    let digits = text.strip_suffix('\n').unwrap_or(text);
    ensure!(digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "hex");
    let mut seed = Seed::default();
    for (byte, at) in seed.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2).context("hex")?, 16)?;
    }
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_for_push_services_is_made_when_it_is_missed_and_kept() {
        let data = tempfile::tempdir().unwrap();
        let made = push(data.path()).unwrap();
        assert_eq!(made, push(data.path()).unwrap());
        let path = data.path().join("keys/push");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "short\n").unwrap();
        assert!(push(data.path()).is_err());
    }

    #[test]
    fn keys_are_made_once_for_a_new_ledger_and_read_by_their_owner_alone() {
        let data = tempfile::tempdir().unwrap();
        assert!(read_or_make(data.path(), false).is_err(), "not beside a ledger that has entries");
        read_or_make(data.path(), true).unwrap();
        let bytes = |name: &str| fs::read(data.path().join("keys").join(name)).unwrap();
        let (vrf, log, tokens) = (bytes("vrf"), bytes("log"), bytes("tokens"));
        assert!(vrf != log && log != tokens);
        for name in ["vrf", "log", "tokens"] {
            let mode = fs::metadata(data.path().join("keys").join(name)).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
        read_or_make(data.path(), false).unwrap();
        assert_eq!((vrf, log, tokens), (bytes("vrf"), bytes("log"), bytes("tokens")));
        fs::write(data.path().join("keys/log"), "short\n").unwrap();
        assert!(read_or_make(data.path(), true).is_err());
    }
}
