// SPDX-License-Identifier: AGPL-3.0-or-later
//! The index of words: the disk finds what memory finds, in any script, and nothing stays of what was taken out.

use std::{path::Path, time::Instant};

use nodoor_client::{
    store::{Found, Indexed, MemoryStore, Store, Wanted, WriteBatch},
    words,
};
use nodoor_sdk::store::{DatabaseKey, Journal, SqliteStore};
use proptest::{collection::vec, prelude::*};
use rusqlite::Connection;
use zeroize::Zeroizing;

const KEY: u8 = 7;

fn open(path: &Path) -> SqliteStore {
    let key = DatabaseKey(Zeroizing::new([KEY; 32]));
    SqliteStore::open(Connection::open(path).unwrap(), &key, Journal::WriteAhead).unwrap()
}

/// The file beside the store, opened with its key.
fn beside(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let key = format!("PRAGMA key = \"x'{}'\"", hex::encode([KEY; 32]));
    connection.execute_batch(&key).unwrap();
    connection
}

fn said(at: u64, conversation: u64, text: &str) -> Indexed {
    let (links, files) = (text.contains("https://"), false);
    Indexed { at, conversation, words: words::folded(text), links, files }
}

fn put(store: &mut impl Store, message: u64, indexed: Option<Indexed>) {
    let mut batch = WriteBatch::default();
    batch.index.insert(message, indexed);
    store.commit(batch).unwrap();
}

fn found(store: &impl Store, query: &str) -> Vec<u64> {
    let wanted = Wanted { terms: words::asked(query), limit: 99, ..Wanted::default() };
    store.search(&wanted).unwrap().into_iter().map(|found| found.message).collect()
}

fn text() -> impl Strategy<Value = String> {
    let words = [
        "",
        "garden",
        "gard",
        "Gärten",
        "a",
        "ab",
        "abc",
        "北京",
        "京北",
        "北",
        "الكتاب",
        "كتاب",
        "👍",
    ];
    let more =
        ["nul\0l", "\"quoted\" AND", "https://example.org/a", "c1", "x* NOT y", "ꓐ", "한국", "a-b"];
    let word = prop::sample::select([&words[..], &more[..]].concat());
    vec(word, 0..6).prop_map(|words| words.join(" "))
}

fn indexed() -> impl Strategy<Value = Option<Indexed>> {
    prop::option::weighted(
        0.8,
        (0_u64..4, 1_u64..4, text()).prop_map(|(at, chat, text)| said(at, chat, &text)),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_disk_finds_what_memory_finds(
        batches in vec(prop::collection::btree_map(1_u64..12, indexed(), 0..8), 1..5),
        questions in vec((text(), prop::option::of(1_u64..4), any::<bool>(), 1_usize..5), 1..8),
    ) {
        let place = tempfile::tempdir().unwrap();
        let mut disk = open(&place.path().join("database"));
        let mut memory = MemoryStore::default();
        for index in batches {
            let batch = WriteBatch { index, ..WriteBatch::default() };
            disk.commit(batch.clone()).unwrap();
            memory.commit(batch).unwrap();
        }
        for (text, conversation, links, limit) in questions {
            let terms = words::asked(&text);
            let mut wanted = Wanted { terms, conversation, links, limit, ..Wanted::default() };
            // Page after page, to the end.
            loop {
                let (here, there) = (disk.search(&wanted).unwrap(), memory.search(&wanted).unwrap());
                prop_assert_eq!(&here, &there, "{:?}", wanted);
                let Some(Found { place, .. }) = here.last() else { break };
                wanted.before = Some(*place);
            }
        }
    }
}

#[test]
fn any_text_of_a_person_is_a_question_and_no_syntax() {
    let place = tempfile::tempdir().unwrap();
    let mut store = open(&place.path().join("database"));
    put(&mut store, 1, Some(said(5, 1, "meet me near the gate")));
    for text in [
        "\"",
        "meet AND",
        "NEAR(meet me)",
        "meet*",
        "words : meet",
        "' OR 1=1 --",
        "^meet",
        "\0meet",
    ] {
        let wanted = Wanted { terms: words::asked(text), limit: 9, ..Wanted::default() };
        store.search(&wanted).unwrap();
    }
    assert_eq!(found(&store, "NEAR(meet me)"), [1]);
}

#[test]
fn nothing_stays_on_the_disk_of_a_message_that_was_taken_out_or_changed() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("database");
    let mut store = open(&path);
    let pages = |path: &Path| {
        let mut plain = beside(path);
        plain.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let pages = plain.serialize("main").unwrap().to_vec();
        move |word: &str| pages.windows(word.len()).filter(|some| *some == word.as_bytes()).count()
    };
    let secret = |number: u64| format!("zq{number}xylophone{number}");
    let text = |number: u64| format!("the {} is in word{} and again", secret(number), number % 50);
    for number in 0..600 {
        put(&mut store, number, Some(said(number, 1, &text(number))));
    }
    assert!(pages(&path)(&secret(78)) > 0, "the test sees what is there");
    for number in 0..600 {
        match number % 3 {
            0 => put(&mut store, number, None),
            1 => put(&mut store, number, Some(said(number, 1, "changed"))),
            _ => {}
        }
    }
    assert_eq!(found(&store, &secret(78)), Vec::<u64>::new());
    assert_eq!(found(&store, &secret(80)), [80]);
    let left = pages(&path);
    for number in (0..600).filter(|number| number % 3 != 2) {
        // Its tail is in no other word: the index stores of a word what the word before it does not begin with.
        let word = secret(number);
        let tail = word.get(word.len() - 5..).unwrap();
        assert_eq!(left(&word), 0, "{word}");
        let others = (0..600).filter(|other| other % 3 == 2);
        if others.map(secret).all(|other| !other.contains(tail)) {
            assert_eq!(left(tail), 0, "the end of {word}");
        }
    }
}

/// What decision 0022 measured. `cargo test -p nodoor-sdk --features native search -- --ignored --nocapture`
#[test]
#[ignore = "a measurement of minutes"]
fn a_million_messages() {
    const MESSAGES: u64 = 1_000_000;
    const VOCABULARY: u64 = 40_000;
    // Few words are said often, most seldom (a word's rank is the cube of an even number): as people talk.
    let mut seed = 1_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let word = |rank: u64| {
        let mut word = String::new();
        let mut left = rank * 7919 + 11;
        for turn in 0..(3 + rank % 7) {
            let letters: &[u8] = if turn % 2 == 0 { b"bcdfghjklmnprstvw" } else { b"aeiouy" };
            word.push(char::from(letters[usize::try_from(left).unwrap() % letters.len()]));
            left = left / 5 + rank * turn;
        }
        word
    };
    let mut message = || {
        let length = 3 + (next() * 14.0) as u64;
        let words: Vec<String> =
            (0..length).map(|_| word((next().powi(3) * VOCABULARY as f64) as u64)).collect();
        words.join(" ")
    };
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("database");
    let mut store = open(&path);
    let begun = Instant::now();
    let mut batch = WriteBatch::default();
    let mut last = String::new();
    for number in 0..MESSAGES {
        last = message();
        batch.index.insert(number, Some(said(number * 60_000, number % 500, &last)));
        if number % 1_000 == 999 {
            store.commit(std::mem::take(&mut batch)).unwrap();
        }
    }
    drop(store);
    let store = open(&path);
    let size = std::fs::metadata(&path).unwrap().len();
    println!("{MESSAGES} in {:?}, {} MiB; like: {last}", begun.elapsed(), size >> 20);
    let common = word(3);
    let rare = word(VOCABULARY - 10);
    let eight = (0..VOCABULARY).map(word).find(|word| word.len() >= 8).unwrap();
    let questions = [
        "b",
        "w",
        "ba",
        "zz",
        &common[..3.min(common.len())],
        "bab",
        &common,
        &rare,
        &eight,
        "b c",
        "ba ca da",
        &format!("{common} {rare}"),
        &format!("{rare} {eight}"),
    ];
    for question in questions {
        for conversation in [None, Some(17)] {
            let terms = words::asked(question);
            let wanted = Wanted { terms, conversation, limit: 50, ..Wanted::default() };
            let cold = Instant::now();
            let hits = store.search(&wanted).unwrap().len();
            let cold = cold.elapsed();
            let begun = Instant::now();
            store.search(&wanted).unwrap();
            println!(
                "{question:>20} {conversation:?}: {hits} hits, first {cold:?}, then {:?}",
                begun.elapsed()
            );
        }
    }
}
