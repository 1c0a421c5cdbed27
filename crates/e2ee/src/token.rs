// SPDX-License-Identifier: AGPL-3.0-or-later
//! Delivery tokens of this device: each made from a random seed that is kept, because the server maps a token
//! to a mailbox only for who shows its seed (every member of a room sees the token itself).

use nodoor_wire::id::Token;
use rand_core::CryptoRng;

use crate::store::KeyValue;

/// Draws a token and keeps its seed.
pub fn draw(store: &dyn KeyValue, rng: &mut dyn CryptoRng) -> Token {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let token = Token::of_seed(&seed);
    store.put(key(&token), seed.to_vec());
    token
}

/// The seed of a token of this device.
pub fn seed(store: &dyn KeyValue, token: &Token) -> Option<[u8; 32]> {
    store.get(&key(token)).and_then(|seed| <[u8; 32]>::try_from(seed).ok())
}

/// Forgets the seed of a token that is dead.
pub fn forget(store: &dyn KeyValue, token: &Token) {
    store.delete(&key(token));
}

fn key(token: &Token) -> Vec<u8> {
    [b"e/token/".as_slice(), token.as_bytes()].concat()
}
