// SPDX-License-Identifier: AGPL-3.0-or-later
//! Budgets of requests: a token bucket for each key, on the clock that was passed in.
//!
//! A clock that jumps ahead fills a bucket to its brim and no further; one that runs backwards fills none
//! until it goes on. Loss of the memory is harmless: everybody's bucket is full again.

use std::sync::{Mutex, PoisonError};

use nodoor_wire::code::Code;

use crate::{bounded::Bounded, config::Budget, refusal::Refusal};

/// A network has as much as so many addresses: one customer's /48 has 65,536 of them.
const ADDRESSES: u32 = 16;
/// Addresses and accounts remembered of each kind of budget.
const KEYS: usize = 50_000;

/// The buckets of one kind of budget, by key.
pub(crate) struct Buckets {
    budget: Budget,
    buckets: Mutex<Bounded<[u8; 16], Bucket>>,
}

/// In thousandths of a request, so that slow budgets refill evenly.
#[derive(Debug)]
struct Bucket {
    left: u64,
    since_ms: u64,
}

impl Buckets {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, buckets: Mutex::new(Bounded::new(KEYS)) }
    }

    /// Takes `cost` requests from the bucket of an address and, if it is one of many in a network, from the network's.
    pub(crate) fn spend_by_address(
        &self,
        address: &[u8; 16],
        cost: u32,
        now_ms: u64,
    ) -> Result<(), Refusal> {
        self.spend(address, cost, now_ms)?;
        let (network, own) = address.split_at(8);
        if own.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let mut key = [0; 16];
        key.iter_mut().zip(network).for_each(|(to, from)| *to = *from);
        self.take(self.budget.times(ADDRESSES), &key, cost, now_ms)
    }

    /// Takes `cost` requests from a bucket, or says when there will be enough.
    pub(crate) fn spend(&self, key: &[u8; 16], cost: u32, now_ms: u64) -> Result<(), Refusal> {
        self.take(self.budget, key, cost, now_ms)
    }

    fn take(&self, budget: Budget, key: &[u8; 16], cost: u32, now_ms: u64) -> Result<(), Refusal> {
        if self.budget == Budget::UNLIMITED {
            return Ok(());
        }
        let brim = u64::from(budget.burst) * 1000;
        let cost = u64::from(cost) * 1000;
        if cost > brim {
            return Err(Code::TooLarge.into());
        }
        let per_minute = u64::from(budget.per_minute).max(1);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bucket = match buckets.get_mut(key) {
            Some(bucket) => Bucket { ..*bucket },
            None => Bucket { left: brim, since_ms: now_ms },
        };
        let passed_ms = now_ms.saturating_sub(bucket.since_ms);
        // Thousandths of a request a millisecond: per_minute * 1000 / 60_000.
        let gained = passed_ms.saturating_mul(per_minute) / 60;
        bucket.left = bucket.left.saturating_add(gained).min(brim);
        if gained > 0 || now_ms < bucket.since_ms {
            bucket.since_ms = now_ms;
        }
        let answer = match bucket.left.checked_sub(cost) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => {
                let wait_ms = (cost - bucket.left).saturating_mul(60) / per_minute;
                let wait = u32::try_from(wait_ms / 1000).unwrap_or(u32::MAX).saturating_add(1);
                Err(Refusal::slow_down(wait.min(3600)))
            }
        };
        buckets.insert(*key, bucket);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn a_network_of_many_addresses_has_a_budget_of_its_own() {
        let buckets = Buckets::new(Budget { burst: 10, per_minute: 1 });
        let spend = |address: u64, network: u8| {
            let mut key = [network; 16];
            key[8..].copy_from_slice(&address.to_be_bytes());
            buckets.spend_by_address(&key, 10, HOUR).is_ok()
        };
        let taken = (1..1000).filter(|address| spend(*address, 1)).count();
        assert_eq!(taken, 16);
        assert!(spend(1, 2) && spend(1000, 2), "another network has its own");
        assert!(spend(0, 3) && !spend(0, 3), "one that is alone is its own network");
    }

    #[test]
    fn a_bucket_empties_and_fills_whatever_the_clock_does() {
        let buckets = Buckets::new(Budget { burst: 2, per_minute: 1 });
        let spend = |now| buckets.spend(&[1; 16], 1, now).map_err(|refusal| refusal.code());
        assert_eq!(spend(10 * HOUR), Ok(()));
        assert_eq!(spend(10 * HOUR), Ok(()));
        assert_eq!(spend(10 * HOUR), Err(Code::SlowDown));
        assert_eq!(spend(10 * HOUR + 30_000), Err(Code::SlowDown));
        assert_eq!(spend(10 * HOUR + 60_000), Ok(()));
        // An hour back: nothing is gained, and a minute from there counts.
        assert_eq!(spend(9 * HOUR), Err(Code::SlowDown));
        assert_eq!(spend(9 * HOUR + 60_000), Ok(()));
        // Far ahead: the brim, no more.
        assert_eq!(spend(99 * HOUR), Ok(()));
        assert_eq!(spend(99 * HOUR), Ok(()));
        assert_eq!(spend(99 * HOUR), Err(Code::SlowDown));
        // Another key has a bucket of its own.
        assert!(buckets.spend(&[2; 16], 2, 99 * HOUR).is_ok());
    }
}
