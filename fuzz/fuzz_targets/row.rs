// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rows of MLS state and of the client's own, as a disk gives them back: never panics, and agrees with `ciborium` about
//! what is written anew.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use nodoor_e2ee::store::from_slice;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    One(u16),
    Two(i8, String),
    Named { bytes: Vec<u8>, maybe: Option<bool> },
    Deeper(Box<Shape>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    shapes: Vec<Shape>,
    text: String,
    #[serde(default)]
    signed: Vec<i64>,
    #[serde(default)]
    perhaps: Option<u64>,
    #[serde(default)]
    fixed: [u8; 3],
    #[serde(default)]
    map: BTreeMap<u16, (char, Vec<u8>)>,
    #[serde(default)]
    unit: (),
}

fn reads<T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = from_slice::<T>(bytes) {
        let mut written = Vec::new();
        ciborium::into_writer(&value, &mut written).expect("a value that was read");
        assert_eq!(from_slice::<T>(&written).as_ref().ok(), Some(&value));
        assert_eq!(ciborium::from_reader::<T, _>(&*written).ok(), Some(value));
    }
}

fuzz_target!(|bytes: &[u8]| {
    reads::<Row>(bytes);
    reads::<Shape>(bytes);
    reads::<Vec<u8>>(bytes);
    reads::<Vec<Vec<i64>>>(bytes);
    reads::<BTreeMap<String, Option<bool>>>(bytes);
});
