// SPDX-License-Identifier: AGPL-3.0-or-later
//! The key file of a witness or auditor: one line, `PRIVATE+KEY+<name>+<id>+<base64 of kind and seed>`, as the signed
//! note tools write it. Made where there is none, readable by its owner alone.

use std::{fs, io, path::Path};

use nodoor_transparency::ledger::note::{KeyKind, NoteSigner};
use zeroize::Zeroizing;

use super::files::write_secret;
use crate::failure::Failure;

const PREFIX: &str = "PRIVATE+KEY+";

/// The key in this file; a new one of this name if there is no such file.
///
/// # Errors
/// A file that is no key, a name that is none, or what the system says.
pub(crate) fn open(path: &Path, name: &str) -> Result<NoteSigner, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => parse(text.trim()).ok_or_else(|| {
            let hint = format!("{} is not a key file of a witness or auditor", path.display());
            Failure::Surroundings("key", hint)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, name),
        Err(error) => Err(Failure::Surroundings("key", format!("{}: {error}", path.display()))),
    }
}

fn make(path: &Path, name: &str) -> Result<NoteSigner, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut())
        .map_err(|_| Failure::Surroundings("system", "no randomness to be had".to_owned()))?;
    let signer = NoteSigner::cosigner(name, *seed).map_err(|_| {
        Failure::Usage("a name has no spaces and no plus, and at most 255 bytes".to_owned())
    })?;
    let data = [&[KeyKind::Cosignature as u8], seed.as_slice()].concat();
    let id = signer.verifier().id();
    let line = Zeroizing::new(format!("{PREFIX}{name}+{id:08x}+{}\n", base64(&data)));
    write_secret(path, &line)?;
    Ok(signer)
}

fn parse(line: &str) -> Option<NoteSigner> {
    let (name, rest) = line.strip_prefix(PREFIX)?.split_once('+')?;
    let (id, data) = rest.split_once('+')?;
    let data = Zeroizing::new(from_base64(data)?);
    let (kind, seed) = data.split_first()?;
    if *kind != KeyKind::Cosignature as u8 {
        return None;
    }
    let signer = NoteSigner::cosigner(name, seed.try_into().ok()?).ok()?;
    (format!("{:08x}", signer.verifier().id()) == id).then_some(signer)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = open(&path, "witness.example/w1").unwrap();
        let read = open(&path, "another name").unwrap();
        assert_eq!(made.verifier(), read.verifier());
        assert_eq!(read.verifier().name(), "witness.example/w1");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_key_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for text in
            ["", "hello", "PRIVATE+KEY+a+00000000+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            fs::write(&path, text).unwrap();
            assert_eq!(open(&path, "w").unwrap_err().exit_code(), 1, "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(open(&folder.path().join("new"), "two words").unwrap_err().exit_code(), 2);
    }
}
