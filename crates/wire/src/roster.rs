// SPDX-License-Identifier: AGPL-3.0-or-later
//! The roster of an epoch: delivery tokens and, apart from them, commit keys; each sorted, so that no
//! token is next to its own key. A pure function of the epoch's tree.

use crate::{id::RoomId, sealed};

/// Leaves a padded roster can hold. A roster is padded to the smallest class that fits.
pub const CLASSES: [usize; 6] = [4, 16, 64, 256, 1024, 4096];
/// Bytes of the largest roster, unsealed.
pub const LARGEST: usize = 4 + 4096 * 64;

/// Tokens and commit keys of an epoch, 32 bytes each, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    tokens: Vec<[u8; 32]>,
    commit_keys: Vec<[u8; 32]>,
}

/// The bytes are no roster, or not sealed under this key for this room and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a roster of this room and epoch")]
pub struct NotARoster;

impl Roster {
    /// Sorts both lists. One token and one key a leaf, 4,096 leaves at most.
    ///
    /// # Errors
    /// [`NotARoster`]: no leaf, too many, or a token or key that appears twice.
    pub fn new(
        mut tokens: Vec<[u8; 32]>,
        mut commit_keys: Vec<[u8; 32]>,
    ) -> Result<Self, NotARoster> {
        tokens.sort_unstable();
        commit_keys.sort_unstable();
        let roster = Self { tokens, commit_keys };
        if roster.is_sound() { Ok(roster) } else { Err(NotARoster) }
    }

    /// The delivery tokens, sorted.
    #[must_use]
    pub fn tokens(&self) -> &[[u8; 32]] {
        &self.tokens
    }

    /// Whether a commit key is of this epoch.
    #[must_use]
    pub fn has_commit_key(&self, key: &[u8; 32]) -> bool {
        self.commit_keys.binary_search(key).is_ok()
    }

    /// The padded bytes, sealed under the epoch's roster key. The same epoch gives the same bytes.
    #[must_use]
    pub fn seal(&self, key: &[u8; 32], room: &RoomId, epoch: u64) -> Vec<u8> {
        sealed::seal(key, 0, &additional_data(room, epoch), &self.to_padded())
    }

    /// Opens what [`Roster::seal`] made.
    ///
    /// # Errors
    /// [`NotARoster`].
    pub fn open(
        key: &[u8; 32],
        room: &RoomId,
        epoch: u64,
        sealed: &[u8],
    ) -> Result<Self, NotARoster> {
        let plain =
            sealed::open(key, 0, &additional_data(room, epoch), sealed).map_err(|_| NotARoster)?;
        Self::from_padded(&plain)
    }

    fn is_sound(&self) -> bool {
        !self.tokens.is_empty()
            && self.tokens.len() <= 4096
            && self.tokens.len() == self.commit_keys.len()
            && is_strictly_sorted(&self.tokens)
            && is_strictly_sorted(&self.commit_keys)
    }

    fn to_padded(&self) -> Vec<u8> {
        let class = CLASSES.into_iter().find(|c| *c >= self.tokens.len()).unwrap_or(4096);
        let mut plain = Vec::with_capacity(4 + class * 64);
        for list in [&self.tokens, &self.commit_keys] {
            plain.extend_from_slice(&u16::try_from(list.len()).unwrap_or(u16::MAX).to_be_bytes());
            list.iter().for_each(|item| plain.extend_from_slice(item));
        }
        plain.resize(4 + class * 64, 0);
        plain
    }

    fn from_padded(plain: &[u8]) -> Result<Self, NotARoster> {
        let (tokens, rest) = take_list(plain).ok_or(NotARoster)?;
        let (commit_keys, rest) = take_list(rest).ok_or(NotARoster)?;
        let roster = Self { tokens, commit_keys };
        let padding_is_zero = rest.iter().all(|byte| *byte == 0);
        if roster.is_sound() && padding_is_zero && plain.len() == roster.to_padded().len() {
            Ok(roster)
        } else {
            Err(NotARoster)
        }
    }
}

fn take_list(bytes: &[u8]) -> Option<(Vec<[u8; 32]>, &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<2>()?;
    let size = usize::from(u16::from_be_bytes(*count)) * 32;
    let (list, rest) = rest.split_at_checked(size)?;
    Some((list.as_chunks::<32>().0.to_vec(), rest))
}

fn is_strictly_sorted(list: &[[u8; 32]]) -> bool {
    list.iter().zip(list.iter().skip(1)).all(|(a, b)| a < b)
}

fn additional_data(room: &RoomId, epoch: u64) -> Vec<u8> {
    [b"nodoor roster v1".as_slice(), room.as_bytes(), &epoch.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId([7; 32]);

    #[test]
    fn roster_opens_for_its_room_epoch_and_key_only() {
        let roster = Roster::new(vec![[2; 32], [1; 32]], vec![[4; 32], [3; 32]]).unwrap();
        let sealed = roster.seal(&[9; 32], &ROOM, 5);
        assert_eq!(sealed.len(), 4 + 4 * 64 + 16);
        assert_eq!(Roster::open(&[9; 32], &ROOM, 5, &sealed), Ok(roster));
        assert_eq!(Roster::open(&[9; 32], &ROOM, 6, &sealed), Err(NotARoster));
        assert_eq!(Roster::open(&[8; 32], &ROOM, 5, &sealed), Err(NotARoster));
        assert_eq!(Roster::open(&[9; 32], &RoomId([8; 32]), 5, &sealed), Err(NotARoster));
    }

    #[test]
    fn roster_order_does_not_depend_on_leaf_order() {
        let one = Roster::new(vec![[1; 32], [2; 32]], vec![[3; 32], [4; 32]]).unwrap();
        let two = Roster::new(vec![[2; 32], [1; 32]], vec![[4; 32], [3; 32]]).unwrap();
        assert_eq!(one.seal(&[0; 32], &ROOM, 0), two.seal(&[0; 32], &ROOM, 0));
    }

    #[test]
    fn a_token_twice_is_no_roster() {
        assert!(Roster::new(vec![[1; 32], [1; 32]], vec![[3; 32], [4; 32]]).is_err());
        assert!(Roster::new(vec![], vec![]).is_err());
    }
}
