// SPDX-License-Identifier: AGPL-3.0-or-later
//! The system's randomness, drawn a page at a time: a salt an entry is too little to enter the kernel for.
//!
//! No generator of our own: what is handed out is what the system gave, and each byte is wiped here when it leaves, so
//! that a memory image does not show what was drawn before.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroize as _;

const PAGE: usize = 4096;

/// Random bytes of the system that nobody had yet.
pub(crate) struct Chance {
    page: Box<[u8; PAGE]>,
    /// Bytes handed out and wiped, from the beginning.
    used: usize,
}

impl Chance {
    /// Draws the first page.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn draw() -> Result<Self, getrandom::Error> {
        let mut page = Box::new([0; PAGE]);
        getrandom::fill(page.as_mut_slice())?;
        Ok(Self { page, used: 0 })
    }

    fn refill(&mut self) {
        // A system that gave randomness once and then stops leaves nothing safe to do; keys of zeros least of all.
        if getrandom::fill(self.page.as_mut_slice()).is_err() {
            std::process::abort();
        }
        self.used = 0;
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, mut bytes: &mut [u8]) -> Result<(), Infallible> {
        while !bytes.is_empty() {
            if self.used >= PAGE {
                self.refill();
            }
            let left = self.page.get_mut(self.used..).unwrap_or_default();
            let count = left.len().min(bytes.len());
            let (now, later) = bytes.split_at_mut(count);
            let (given, _) = left.split_at_mut(count);
            now.copy_from_slice(given);
            given.zeroize();
            self.used += count;
            bytes = later;
        }
        Ok(())
    }
}

impl TryCryptoRng for Chance {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_twice_and_nothing_given_stays() {
        let mut chance = Chance::draw().unwrap();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..3 * PAGE / 24 {
            let mut bytes = [0; 24];
            chance.try_fill_bytes(&mut bytes).unwrap();
            assert!(seen.insert(bytes));
            assert!(chance.page[..chance.used].iter().all(|byte| *byte == 0));
        }
        let mut large = vec![0; 3 * PAGE];
        chance.try_fill_bytes(&mut large).unwrap();
        assert!(large.windows(16).all(|part| part != [0; 16]));
    }
}
