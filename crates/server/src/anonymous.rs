// SPDX-License-Identifier: AGPL-3.0-or-later
//! Tokens: who may ask anonymously is decided on login, and nobody can tell afterwards who that was.
//!
//! A device fetches blinded tokens on its login connection and spends them, unblinded, each on one anonymous connection.
//! The server sees that a token is one of its own and was not spent before; the blinding hides when and for whom it was
//! made. One key a day for everybody, in `Hello` and in the ledger, so that no key marks a person.
//!
//! Spent tokens are kept by a hash for two days. How many an account had today is in memory alone: a restart gives each
//! another day's worth, no more.
//!
//! Carries out `docs/book/ledger.md`, 7; RFC 9497 (VOPRF, ristretto255-SHA512). `server` calls it.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use nodoor_wire::{
    code::Code,
    id::AccountId,
    proto::{self, answer},
};
use rand_core_06::{CryptoRng, RngCore};
use sha2::{Digest as _, Sha256};
use voprf::{BlindedElement, Group as _, Ristretto255, VoprfServer};
use zeroize::Zeroizing;

use crate::{
    bounded::Bounded,
    connection::Connection,
    entropy::Entropy,
    ledger::Ledger,
    refusal::{Handled, Refusal},
    server::Inner,
    storage::Day,
};

/// Tokens of an account and day: scripts open a connection a command, and a phone one at every tunnel.
const ISSUED: usize = 1_024;
/// Tokens of a batch.
const BATCH: usize = 64;
/// Requests of a connection that a token opened: more than the dearest commit costs.
pub(crate) const REQUESTS: u32 = 2_000;
/// Accounts whose count of today is remembered.
const COUNTED: usize = 100_000;
/// Days whose key is remembered.
const DAYS: usize = 4;
/// What a key is derived from beside the seed: the day follows.
const INFO: &[u8] = b"nodoor tokens v1";

type Key = VoprfServer<Ristretto255>;

/// The keys of the days, and who had how many.
pub(crate) struct Tokens {
    seed: Zeroizing<[u8; 32]>,
    /// Of the days asked for lately.
    keys: Mutex<Bounded<Day, Key>>,
    issued: Mutex<Bounded<(AccountId, Day), usize>>,
}

/// What a connection may still ask for, opened by a token.
pub(crate) struct Allowance(AtomicU32);

impl Allowance {
    pub(crate) fn spend(&self, cost: u32) -> Result<(), Refusal> {
        if cost > REQUESTS {
            // No other token would do: whoever tried one after the other would lose them all.
            return Err(Code::TooLarge.into());
        }
        let spend = |left: u32| left.checked_sub(cost);
        match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend) {
            Ok(_) => Ok(()),
            // Another token opens another connection.
            Err(_) => Err(Refusal::slow_down(1)),
        }
    }
}

impl Tokens {
    pub(crate) fn new(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self {
            seed: seed.clone(),
            keys: Mutex::new(Bounded::new(DAYS)),
            issued: Mutex::new(Bounded::new(COUNTED)),
        }
    }

    /// What the ledger says of a day's key: the day (4 bytes) and the public key.
    pub(crate) fn document(&self, day: Day) -> Vec<u8> {
        let key = self.public(day).unwrap_or_default();
        [day.0.to_be_bytes().as_slice(), &key].concat()
    }

    /// The keys that count on a day: its own and that of the day before.
    pub(crate) fn keys(&self, today: Day) -> Vec<proto::TokenKey> {
        let key =
            |day: Day| Some(proto::TokenKey { day: day.0, public_key: self.public(day)?.into() });
        counting(today).filter_map(key).collect()
    }

    fn public(&self, day: Day) -> Option<Vec<u8>> {
        self.key(day).map(|key| Ristretto255::serialize_elem(key.get_public_key()).to_vec())
    }

    /// Nothing happens only if the derivation fails, which RFC 9497 gives a chance of 2^-252 a try.
    fn key(&self, day: Day) -> Option<Key> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get_mut(&day) {
            return Some(key.clone());
        }
        let info = [INFO, &day.0.to_be_bytes()].concat();
        let key = Key::new_from_seed(self.seed.as_slice(), &info).ok()?;
        keys.insert(day, key.clone());
        Some(key)
    }

    fn issue(
        &self,
        account: AccountId,
        issue: &proto::TokenIssue,
        today: Day,
        entropy: &Entropy,
    ) -> Result<proto::TokenIssueAnswer, Refusal> {
        let day = Day(issue.day);
        if !counting(today).any(|one| one == day) {
            return Err(Code::NotFound.into());
        }
        if issue.blinded.is_empty() || issue.blinded.len() > BATCH {
            return Err(Code::TooLarge.into());
        }
        let blinded = issue
            .blinded
            .iter()
            .map(|element| match element.len() {
                32 => BlindedElement::<Ristretto255>::deserialize(element).ok(),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(Code::BadSignature)?;
        self.count(account, day, blinded.len())?;
        let key = self.key(day).ok_or(Code::Internal)?;
        let evaluated = key.batch_blind_evaluate(&mut Draws(entropy), &blinded);
        let evaluated = evaluated.map_err(|_| Code::Internal)?;
        let bytes = |element: &[u8]| Bytes::copy_from_slice(element);
        Ok(proto::TokenIssueAnswer {
            evaluated: evaluated.messages.iter().map(|one| bytes(&one.serialize())).collect(),
            proof: bytes(&evaluated.proof.serialize()),
        })
    }

    fn count(&self, account: AccountId, day: Day, more: usize) -> Result<(), Refusal> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let had = issued.get_mut(&(account, day)).map_or(0, |had| *had);
        if had + more > ISSUED {
            return Err(Refusal::slow_down(3600));
        }
        issued.insert((account, day), had + more);
        Ok(())
    }

    /// Whether an output is that of the nonce under the key of its day.
    fn is_ours(&self, token: &proto::SpentToken) -> bool {
        let output = self.key(Day(token.day)).and_then(|key| key.evaluate(&token.nonce).ok());
        // An output is worth one connection and told to nobody: time tells no more than a try.
        output.is_some_and(|output| token.nonce.len() == 32 && *output == *token.output)
    }
}

/// The days whose keys count.
fn counting(today: Day) -> impl Iterator<Item = Day> {
    [today.0.checked_sub(1), Some(today.0)].into_iter().flatten().map(Day)
}

impl Inner {
    pub(crate) fn issue_tokens(
        &self,
        connection: &Connection,
        issue: &proto::TokenIssue,
    ) -> Handled {
        let (account, _) = self.known_device(connection)?;
        let today = Day::of_ms(self.clock.now_ms());
        let tokens = self.ledger()?.tokens();
        let answer = tokens.issue(account, issue, today, &self.entropy)?;
        Ok(answer::Body::TokenIssue(answer))
    }

    /// Takes a token for a connection.
    pub(crate) async fn take_token(&self, token: &proto::SpentToken) -> Result<Allowance, Refusal> {
        let ledger: &Ledger = self.ledger()?;
        let today = Day::of_ms(self.clock.now_ms());
        let counts = counting(today).any(|day| day == Day(token.day));
        if !counts || !ledger.tokens().is_ours(token) {
            return Err(Code::Unauthorised.into());
        }
        let name = Sha256::digest(&token.nonce).into();
        let oldest = counting(today).next().unwrap_or(today);
        if ledger.store().spend(Day(token.day), name, oldest).await? {
            Ok(Allowance(AtomicU32::new(REQUESTS)))
        } else {
            Err(Code::Unauthorised.into())
        }
    }
}

/// The server's randomness as voprf asks for it.
struct Draws<'a>(&'a Entropy);

impl RngCore for Draws<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.lock().fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Draws<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_token_could_pay_for_is_refused_for_good_and_costs_nothing() {
        let allowance = Allowance(AtomicU32::new(REQUESTS));
        let spend = |cost| allowance.spend(cost).map_err(|refusal| refusal.code());
        assert_eq!(spend(REQUESTS + 1), Err(Code::TooLarge));
        assert_eq!(spend(REQUESTS), Ok(()));
        assert_eq!(spend(1), Err(Code::SlowDown));
    }
}
