// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a message costs, printed (`cargo test -p nodoor-e2ee cost -- --nocapture`; with `--release` for figures).

use std::time::Instant;

use crate::world::room_of;

#[test]
fn cost_of_a_kibibyte() {
    for size in [2, 32] {
        let devices = room_of(size);
        let (sender, reader) = (&devices[0], &devices[1]);
        let (mut from, mut to) = (sender.group(), reader.group());
        let runs = 50;
        let start = Instant::now();
        let frames: Vec<_> =
            (0..runs).map(|_| from.seal(&sender.disk, &sender.me, &[7; 1024]).unwrap()).collect();
        let sealed = start.elapsed() / runs;
        let start = Instant::now();
        for frame in &frames {
            to.open(&reader.disk, frame).unwrap();
        }
        let opened = start.elapsed() / runs;
        let start = Instant::now();
        reader.group();
        let loaded = start.elapsed();
        let disk: usize = reader.disk.0.borrow().values().map(Vec::len).sum();
        println!(
            "{size} members: seal {sealed:?}, open {opened:?}, load {loaded:?}; frame {} bytes, disk {disk} bytes",
            frames[0].len()
        );
        assert!(frames[0].len() < 1024 + 512);
    }
}
