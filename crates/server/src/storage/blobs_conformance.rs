// SPDX-License-Identifier: AGPL-3.0-or-later
//! The suite of every store of files.

use sha2::{Digest as _, Sha256};

use super::{
    Day,
    blobs::{BlobError, BlobName, Blobs, UploadName},
    conformance::{Checked, Violation},
};

/// Makes the stores that the suite runs on.
pub trait Factory {
    /// The store.
    type Store: Blobs;
    /// A new, empty one with room for so many bytes.
    fn make(&mut self, most: u64) -> Self::Store;
    /// What is there after the process that held this store has gone.
    fn reopen(&mut self, store: Self::Store) -> Self::Store;
}

const TODAY: Day = Day(20_000);
const ONE: UploadName = UploadName([1; 32]);
const OTHER: UploadName = UploadName([2; 32]);

/// Runs everything, each on a store of its own.
///
/// # Errors
/// The first [`Violation`].
pub fn all<F: Factory>(factory: &mut F) -> Checked {
    for check in [
        an_upload_goes_on_after_a_restart_and_is_published_whole,
        what_has_another_hash_is_not_published,
        bytes_follow_one_another_and_end_where_they_were_announced,
        the_room_is_what_was_announced_and_comes_back,
        what_is_over_goes_and_what_was_renewed_stays,
    ] {
        check(factory)?;
    }
    Ok(())
}

fn ensure(holds: bool, promise: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(Violation::Promise(promise)) }
}

fn ok<T>(done: Result<T, BlobError>) -> Result<T, Violation> {
    done.map_err(|_| Violation::Promise("a call that should work does"))
}

fn name(bytes: &[u8]) -> BlobName {
    BlobName(Sha256::digest(bytes).into())
}

fn put(store: &impl Blobs, upload: UploadName, bytes: &[u8], today: Day) -> Checked {
    ok(store.begin(upload, bytes.len() as u64, today))?;
    ok(store.append(upload, 0, bytes))?;
    ok(store.publish(upload, name(bytes), today))
}

fn an_upload_goes_on_after_a_restart_and_is_published_whole<F: Factory>(of: &mut F) -> Checked {
    let store = of.make(1_000_000);
    let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
    let (head, tail) = bytes.split_at_checked(60_000).ok_or(Violation::Suite)?;
    ensure(ok(store.begin(ONE, 100_000, TODAY))? == 0, "an upload begins at 0")?;
    ensure(ok(store.append(ONE, 0, head))? == 60_000, "an append says how far it is")?;
    ok(store.sync(ONE))?;
    let store = of.reopen(store);
    ensure(ok(store.position(ONE))? == 60_000, "what was synced is there after a restart")?;
    ensure(ok(store.begin(ONE, 100_000, TODAY))? == 60_000, "begun twice is the same upload")?;
    ensure(store.length(name(&bytes)) == Err(BlobError::Unknown), "not there before it is whole")?;
    ok(store.append(ONE, 60_000, tail))?;
    ok(store.publish(ONE, name(&bytes), TODAY))?;
    ensure(store.position(ONE) == Err(BlobError::Unknown), "the upload is over")?;
    let store = of.reopen(store);
    ensure(ok(store.length(name(&bytes)))? == 100_000, "a blob has its length")?;
    let mut read = Vec::new();
    loop {
        let piece = ok(store.read(name(&bytes), read.len() as u64, 7_000))?;
        ensure(piece.len() <= 7_000, "no more is read than was asked")?;
        if piece.is_empty() {
            break;
        }
        read.extend_from_slice(&piece);
    }
    ensure(read == bytes, "what was put is read")?;
    ensure(ok(store.read(name(&bytes), 1 << 40, 10))?.is_empty(), "nothing is beyond the end")?;
    ensure(store.used_bytes() == 100_000, "what is used is what is there")
}

fn what_has_another_hash_is_not_published<F: Factory>(of: &mut F) -> Checked {
    let store = of.make(1_000);
    ok(store.begin(ONE, 3, TODAY))?;
    ok(store.append(ONE, 0, b"abd"))?;
    let wrong = name(b"abc");
    ensure(store.publish(ONE, wrong, TODAY) == Err(BlobError::Hash), "another hash is refused")?;
    ensure(store.length(wrong) == Err(BlobError::Unknown), "and nothing is published")?;
    ensure(store.position(ONE) == Err(BlobError::Unknown), "and the upload is gone")?;
    ok(store.begin(ONE, 3, TODAY))?;
    ok(store.append(ONE, 0, b"ab"))?;
    let short = store.publish(ONE, name(b"ab"), TODAY);
    ensure(short == Err(BlobError::Hash), "what is not whole is not published")?;
    ensure(store.used_bytes() == 0, "nothing is left of either")
}

fn bytes_follow_one_another_and_end_where_they_were_announced<F: Factory>(of: &mut F) -> Checked {
    let store = of.make(1_000);
    ensure(store.append(ONE, 0, b"a") == Err(BlobError::Unknown), "nothing goes to no upload")?;
    ok(store.begin(ONE, 4, TODAY))?;
    ensure(store.begin(ONE, 5, TODAY) == Err(BlobError::Size), "a size does not change")?;
    ok(store.append(ONE, 0, b"ab"))?;
    for at in [0, 1, 3] {
        let elsewhere = store.append(ONE, at, b"x");
        ensure(elsewhere == Err(BlobError::Elsewhere(2)), "bytes go to the end and nowhere else")?;
    }
    ensure(store.append(ONE, 2, b"cde") == Err(BlobError::Size), "no more than was announced")?;
    ok(store.append(ONE, 2, b"cd"))?;
    ok(store.publish(ONE, name(b"abcd"), TODAY))?;
    put(&store, OTHER, b"abcd", TODAY)?;
    ensure(store.used_bytes() == 4, "the same bytes are one blob")
}

fn the_room_is_what_was_announced_and_comes_back<F: Factory>(of: &mut F) -> Checked {
    let store = of.make(100);
    ok(store.begin(ONE, 60, TODAY))?;
    ensure(store.begin(OTHER, 41, TODAY) == Err(BlobError::Full), "announced is taken")?;
    let store = of.reopen(store);
    ensure(store.begin(OTHER, 41, TODAY) == Err(BlobError::Full), "also after a restart")?;
    ok(store.begin(OTHER, 40, TODAY))?;
    ensure(ok(store.sweep(Day(TODAY.0 + 2)))? == 2, "unfinished uploads go")?;
    ensure(store.used_bytes() == 0, "and give their room back")?;
    put(&store, ONE, &[7; 100], TODAY)?;
    let store = of.reopen(store);
    ensure(store.begin(OTHER, 1, TODAY) == Err(BlobError::Full), "blobs take room too")
}

fn what_is_over_goes_and_what_was_renewed_stays<F: Factory>(of: &mut F) -> Checked {
    let store = of.make(1_000);
    put(&store, ONE, b"one", TODAY)?;
    put(&store, OTHER, b"other", TODAY)?;
    ensure(ok(store.sweep(Day(TODAY.0 + 30)))? == 0, "30 days are kept")?;
    let store = of.reopen(store);
    ok(store.renew(name(b"one"), Day(TODAY.0 + 20)))?;
    let store = of.reopen(store);
    ensure(ok(store.sweep(Day(TODAY.0 + 31)))? == 1, "and not more")?;
    ensure(store.length(name(b"other")) == Err(BlobError::Unknown), "what is over is gone")?;
    ensure(ok(store.length(name(b"one")))? == 3, "what was renewed is there")?;
    let gone = store.renew(name(b"other"), TODAY);
    ensure(gone == Err(BlobError::Unknown), "what is gone is not renewed")
}
