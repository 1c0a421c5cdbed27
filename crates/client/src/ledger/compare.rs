// SPDX-License-Identifier: AGPL-3.0-or-later
//! Comparing in person: sixty digits that two people read to each other, or scan.
//!
//! Thirty digits speak for one account: its id and the newest list of its devices. A chat shows both people's, the smaller
//! first, so that both screens say the same. They need no log and no server: whoever was shown another account under the
//! other's handle, or another list of its devices, reads other digits. Decides nothing; that it was done is a date in the
//! sheet. Called by [`crate::command`]. Spec: `docs/book/ledger.md`, 9.

use nodoor_view::{
    command::Reply,
    model::{ConversationId, Kind, Milliseconds, ProblemKind},
};
use nodoor_wire::id::AccountId;
use sha2::{Digest as _, Sha256};

use crate::step::{Step, refused};

/// Digits of one account.
const HALF: usize = 30;

impl Step<'_> {
    /// The digits of a chat of two, both lists as this device knows them.
    pub(crate) fn compare(&mut self, id: ConversationId) -> Reply {
        let Some(other) = self.conversation(id).filter(|one| one.kind == Kind::Direct) else {
            return refused(ProblemKind::NotFound);
        };
        let mine = self.me().and_then(|me| self.digits_of(&me));
        match (mine, self.digits_of(&other.other)) {
            (Some(mine), Some(theirs)) => Reply::Digits(both(&mine, &theirs)),
            _ => refused(ProblemKind::NotFound),
        }
    }

    /// The person says that both screens show the same.
    pub(crate) fn compared(&mut self, id: ConversationId) -> Reply {
        let Some(other) = self.conversation(id).filter(|one| one.kind == Kind::Direct) else {
            return refused(ProblemKind::NotFound);
        };
        self.disk.put(row(&other.other), &self.now);
        Reply::Done
    }

    /// When the person last said so of this account.
    pub(crate) fn compared_at(&self, account: &AccountId) -> Option<Milliseconds> {
        self.disk.get(&row(account)).map(Milliseconds)
    }

    fn digits_of(&mut self, account: &AccountId) -> Option<String> {
        let newest = self.known(account)?.chain.newest().hash();
        Some(half(account, &newest))
    }
}

fn row(account: &AccountId) -> Vec<u8> {
    [b"lc/".as_slice(), account.as_bytes()].concat()
}

/// Six groups of five digits, each from five bytes: as good as even, 30 of the 32 of a SHA-256.
fn half(account: &AccountId, list: &[u8; 32]) -> String {
    let hash = Sha256::new()
        .chain_update(b"nodoor compare v1")
        .chain_update(account.as_bytes())
        .chain_update(list)
        .finalize();
    let groups = hash.chunks_exact(5).take(HALF / 5).map(|bytes| {
        let number = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    });
    groups.collect()
}

fn both(one: &str, other: &str) -> String {
    if one <= other { format!("{one}{other}") } else { format!("{other}{one}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_of_this_account_and_this_list_and_the_same_on_both_sides() {
        let (alice, bob) = (AccountId([1; 16]), AccountId([2; 16]));
        let (a, b) = (half(&alice, &[3; 32]), half(&bob, &[4; 32]));
        assert_eq!(both(&a, &b), both(&b, &a));
        assert_eq!(both(&a, &b).len(), 2 * HALF);
        assert!(both(&a, &b).bytes().all(|byte| byte.is_ascii_digit()));
        assert_ne!(a, half(&alice, &[4; 32]));
        assert_ne!(a, half(&bob, &[3; 32]));
    }

    /// From Python: `hashlib.sha256(b"nodoor compare v1" + bytes([1]*16) + bytes([3]*32))`, its groups as the book says.
    #[test]
    fn the_digits_are_those_of_the_book() {
        assert_eq!(half(&AccountId([1; 16]), &[3; 32]), "930589833660462793799822201552");
    }
}
