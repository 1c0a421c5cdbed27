// SPDX-License-Identifier: AGPL-3.0-or-later
//! Olga's directory: akd itself, in memory, and what a server would say of it.

use akd::{
    AkdLabel, AkdValue, AzksParallelismConfig, Directory, HistoryParams, WhatsAppV1Configuration,
    append_only_zks::AzksParallelismOption,
    ecvrf::HardCodedAkdVRF,
    storage::{StorageManager, memory::AsyncInMemoryDatabase},
};
use akd_core::proto::specs::types;
use nodoor_transparency::{directory::empty_root, ledger::entry::KtEpoch};
use protobuf::Message as _;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

type Akd = Directory<WhatsAppV1Configuration, AsyncInMemoryDatabase, HardCodedAkdVRF>;

pub(crate) struct Olga {
    akd: Akd,
    runtime: Runtime,
    pub(crate) vrf_key: Vec<u8>,
    pub(crate) epochs: Vec<KtEpoch>,
    pub(crate) blobs: Vec<Vec<u8>>,
}

impl Olga {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let storage = StorageManager::new_no_cache(AsyncInMemoryDatabase::new());
        let alone = AzksParallelismConfig {
            insertion: AzksParallelismOption::Disabled,
            preload: AzksParallelismOption::Disabled,
        };
        let akd = runtime.block_on(Akd::new(storage, HardCodedAkdVRF {}, alone)).unwrap();
        let vrf_key = runtime.block_on(akd.get_public_key()).unwrap().as_bytes().to_vec();
        Self { akd, runtime, vrf_key, epochs: Vec::new(), blobs: Vec::new() }
    }

    /// Publishes an epoch, its audit blob and what the ledger says of it.
    pub(crate) fn publish(&mut self, changes: &[(Vec<u8>, [u8; 32])]) {
        let updates = changes
            .iter()
            .map(|(label, value)| (AkdLabel(label.clone()), AkdValue(value.to_vec())));
        let now = self.runtime.block_on(self.akd.publish(updates.collect())).unwrap();
        let epoch = now.epoch();
        let proof = self.runtime.block_on(self.akd.audit(epoch - 1, epoch)).unwrap();
        let blob = types::SingleAppendOnlyProof::from(&proof.proofs[0]).write_to_bytes().unwrap();
        self.epochs.push(KtEpoch {
            epoch,
            root: now.hash(),
            previous_root: self.epochs.last().map_or_else(empty_root, |epoch| epoch.root),
            labels: changes.len() as u64,
            audit_blob: Some(Sha256::digest(&blob).into()),
            vrf_key: Sha256::digest(&self.vrf_key).into(),
            time_ms: epoch * 1000,
        });
        self.blobs.push(blob);
    }

    pub(crate) fn newest(&self) -> &KtEpoch {
        self.epochs.last().unwrap()
    }

    pub(crate) fn lookup(&self, label: &[u8]) -> Vec<u8> {
        let found = self.runtime.block_on(self.akd.lookup(AkdLabel(label.to_vec()))).unwrap();
        types::LookupProof::from(&found.0).write_to_bytes().unwrap()
    }

    pub(crate) fn history(&self, label: &[u8], newest: usize) -> Vec<u8> {
        types::HistoryProof::from(&self.raw_history(label, newest)).write_to_bytes().unwrap()
    }

    pub(crate) fn raw_history(&self, label: &[u8], newest: usize) -> akd::HistoryProof {
        let asked = HistoryParams::MostRecent(newest);
        self.runtime.block_on(self.akd.key_history(&AkdLabel(label.to_vec()), asked)).unwrap().0
    }

    /// What akd's own auditor says of a blob.
    pub(crate) fn akd_audits(&self, blob: &[u8], before: [u8; 32], entry: &KtEpoch) -> bool {
        let Ok(proof) = types::SingleAppendOnlyProof::parse_from_bytes(blob) else { return false };
        let Ok(proof) = akd::SingleAppendOnlyProof::try_from(&proof) else { return false };
        let proof = akd::AppendOnlyProof { proofs: vec![proof], epochs: vec![entry.epoch - 1] };
        let verified =
            akd::auditor::audit_verify::<WhatsAppV1Configuration>(vec![before, entry.root], proof);
        self.runtime.block_on(verified).is_ok()
    }
}
