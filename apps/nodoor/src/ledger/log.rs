// SPDX-License-Identifier: AGPL-3.0-or-later
//! A deployment's ledger, read as the files it is served as. Nothing of it is believed here.

use std::{collections::BTreeMap, fs, io, path::Path, time::Duration};

use bytes::Bytes;
use nodoor_sdk::native::{
    address::Address,
    http::{Http, HttpError},
};
use nodoor_transparency::ledger::{
    checkpoint::SignedCheckpoint,
    policy::{POLICY_BYTES, Policy},
    proof::{Inclusion, ProofFile},
    tree::{Hash, Tile, TreeError, inclusion_proof},
};
use tokio::time::sleep;

use super::files::replace;
use crate::failure::Failure;

/// How long to wait when the server asks for it, and how often for one file.
const SLOW_DOWN: Duration = Duration::from_secs(10);
const SLOW_DOWNS: u32 = 12;

/// Why a round came to nothing.
pub(crate) enum Stopped {
    /// Nobody answers, or half of it: later perhaps.
    Unreachable(String),
    /// It answers, and it is not what it says.
    Wrong(String),
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Unreachable(hint) => Self::Surroundings("unreachable", hint),
            Stopped::Wrong(hint) => Self::Surroundings("audit", hint),
        }
    }
}

/// The files of a log.
pub(crate) struct Log {
    http: Http,
    base: String,
}

impl Log {
    /// The ledger of the server at this address.
    ///
    /// # Errors
    /// No address of a server, or a file of certificates (`SSL_CERT_FILE`) that is none.
    pub(crate) fn at(server: &str) -> Result<Self, Failure> {
        let address = Address::parse(server).map_err(|error| Failure::Usage(error.to_string()))?;
        let roots = std::env::var_os("SSL_CERT_FILE");
        let http = Http::new(roots.as_deref().map(Path::new))
            .map_err(|error| Failure::Surroundings("tls", error.to_string()))?;
        Ok(Self { http, base: format!("{address}/ledger/") })
    }

    /// The policy that stands in this folder; at first the server's, kept from then on.
    ///
    /// # Errors
    /// It cannot be had, or is none.
    pub(crate) async fn pinned_policy(&self, folder: &Path) -> Result<Policy, Failure> {
        let failed = |hint: String| Failure::Surroundings("policy", hint);
        match fs::read(folder.join("policy")) {
            Ok(bytes) => Policy::parse(&bytes).map_err(|error| failed(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let missing = || failed("the server serves no policy".to_owned());
                let bytes = self.file("policy", POLICY_BYTES).await?.ok_or_else(missing)?;
                let policy = Policy::parse(&bytes).map_err(|error| failed(error.to_string()))?;
                replace(folder, "policy", &bytes)?;
                Ok(policy)
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    pub(crate) async fn file(&self, path: &str, limit: usize) -> Result<Option<Bytes>, Stopped> {
        let url = format!("{}{path}", self.base);
        let mut waits = 0;
        loop {
            let answer = self.http.get(&url, limit).await.map_err(unreachable)?;
            match answer.status {
                200 => return Ok(Some(answer.body)),
                404 => return Ok(None),
                // One address fetches so much a minute: a log from its beginning takes several.
                429 if waits < SLOW_DOWNS => {
                    waits += 1;
                    sleep(SLOW_DOWN).await;
                }
                status => return Err(Stopped::Unreachable(format!("the server answers {status}"))),
            }
        }
    }

    pub(crate) async fn cosign(&self, line: String) -> Result<bool, Stopped> {
        let url = format!("{}cosignature", self.base);
        let answer = self.http.post(&url, line.into(), 4096).await.map_err(unreachable)?;
        Ok(answer.status < 300)
    }

    /// That an entry stands in the tree of a checkpoint.
    pub(crate) async fn proof(
        &self,
        index: u64,
        entry: &[u8],
        shown: &SignedCheckpoint,
    ) -> Result<ProofFile, Stopped> {
        let size = shown.head().size;
        let hashes = self
            .hashes(size, |tiles| inclusion_proof(index, size, &mut |tile| tiles(tile)))
            .await?;
        let inclusion = Inclusion { index, hashes, checkpoint: shown.clone() };
        Ok(ProofFile { extra: Some(entry.to_vec()), inclusion })
    }

    /// Runs a proof over tiles that are fetched as it asks for them: it is repeated until none is missing.
    pub(crate) async fn hashes(
        &self,
        size: u64,
        proof: impl Fn(
            &mut dyn FnMut(Tile) -> Result<Vec<u8>, Tile>,
        ) -> Result<Vec<Hash>, TreeError<Tile>>,
    ) -> Result<Vec<Hash>, Stopped> {
        let mut have: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
        loop {
            let mut tiles = |tile: Tile| have.get(&tile).cloned().ok_or(tile);
            match proof(&mut tiles) {
                Ok(hashes) => return Ok(hashes),
                Err(TreeError::Read(tile)) => {
                    let missing =
                        || Stopped::Unreachable("the log does not serve its tiles".to_owned());
                    let bytes = self.file(&tile.path(), 256 * 32).await?.ok_or_else(missing)?;
                    have.insert(tile, bytes.to_vec());
                }
                Err(_) => return Err(Stopped::Wrong(format!("no proof in a tree of {size}"))),
            }
        }
    }
}

fn unreachable(error: HttpError) -> Stopped {
    Stopped::Unreachable(error.to_string())
}
