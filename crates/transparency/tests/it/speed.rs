// SPDX-License-Identifier: AGPL-3.0-or-later
//! How long verification takes. Prints figures and judges none, so that no machine makes it fail:
//! `cargo nextest run -p nodoor-transparency --release --run-ignored only --no-capture`.

use std::time::{Duration, Instant};

use nodoor_transparency::{
    audit::verify,
    directory::{verify_history, verify_lookup},
    ledger::tree::{Growth, leaf_hash},
};

use crate::directory_world::Olga;

fn measure<T>(what: &str, times: u32, mut run: impl FnMut() -> T) -> Duration {
    let mut fastest = Duration::MAX;
    let all = Instant::now();
    for _ in 0..times {
        let one = Instant::now();
        let _kept = run();
        fastest = fastest.min(one.elapsed());
    }
    println!("{what}: fastest {fastest:?}, mean {:?} of {times}", all.elapsed() / times);
    fastest
}

#[test]
#[ignore = "a measurement"]
fn verification_takes_this_long() {
    let mut olga = Olga::new();
    let label = |n: u32| n.to_be_bytes().to_vec();
    for batch in 0..4_u32 {
        let changes: Vec<_> = (0..5000).map(|n| (label(batch * 5000 + n), [1; 32])).collect();
        olga.publish(&changes);
    }
    let changes: Vec<_> = (0..1000).map(|n| (label(n * 7), [2; 32])).collect();
    olga.publish(&changes);
    let new: Vec<_> = (0..1000).map(|n| (label(1_000_000 + n), [1; 32])).collect();
    olga.publish(&new);
    let newest = olga.newest();

    let proof = olga.lookup(&label(7));
    println!("20,000 labels; lookup proof {} bytes", proof.len());
    measure("lookup proof verified", 200, || {
        verify_lookup(newest, &olga.vrf_key, &label(7), &proof).unwrap()
    });
    let history = olga.history(&label(7), 5);
    measure("history of 2 versions verified", 50, || {
        verify_history(newest, &olga.vrf_key, &label(7), &history, 5).unwrap()
    });
    for (at, what) in [(4, "1,000 changed labels"), (5, "1,000 new labels")] {
        let (entry, blob) = (&olga.epochs[at], &olga.blobs[at]);
        println!("audit blob of {what}: {} bytes", blob.len());
        measure(&format!("{what} audited by ours"), 20, || verify(entry, blob).unwrap());
        measure(&format!("{what} audited by akd"), 10, || {
            assert!(olga.akd_audits(blob, entry.previous_root, entry));
        });
    }
    let leaves: Vec<_> = (0..100_000_u64).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    measure("root of 100,000 entries", 5, || {
        let mut growth = Growth::new();
        leaves.iter().for_each(|leaf| growth.push(*leaf));
        growth.root()
    });
}
