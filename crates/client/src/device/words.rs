// SPDX-License-Identifier: AGPL-3.0-or-later
//! The recovery words: shown while they are here, three of them asked back, then erased. What they are the key of is
//! decided by [`crate::account`]; what they do on a fresh device, by [`super::joining`].
//!
//! Spec: `docs/book/ledger.md`, 8.

use nodoor_view::{command::Reply, device::Reply as DeviceReply, model::ProblemKind};

use crate::{
    account::recovery_key,
    step::{Step, refused},
};

/// How many words are asked back.
const ASKED: usize = 3;
/// How many there are.
const WORDS: u8 = 24;

/// What 24 words stand for; nothing if one is misspelt, or their check does not fit. Case and spacing are forgiven.
pub(super) fn entropy_of(words: &str) -> Option<[u8; 32]> {
    let plain = words.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    let mnemonic = bip39::Mnemonic::parse_normalized(&plain).ok()?;
    <[u8; 32]>::try_from(mnemonic.to_entropy().as_slice()).ok()
}

impl Step<'_> {
    /// Whether these are the account's recovery words.
    pub(crate) fn are_own_words(&mut self, words: &str) -> bool {
        let key = entropy_of(words).map(|entropy| recovery_key(&entropy).public());
        let Some(me) = self.me() else {
            return false;
        };
        let known = self.known(&me).map(|known| *known.chain.newest().recovery());
        key.is_some() && key == known
    }

    fn own_words(&self) -> Option<String> {
        self.account()
            .and_then(|account| account.recovery_entropy)
            .and_then(|entropy| crate::account::words(&entropy))
    }

    /// Three places, drawn once and asked for until they are answered.
    pub(super) fn words_ask(&mut self) -> Reply {
        if self.own_words().is_none() {
            return Reply::Nothing;
        }
        while self.live.device.places.len() < ASKED {
            // 240 of 256: no word is asked for more often than another.
            let [byte] = self.random::<1>();
            let place = byte % WORDS + 1;
            if byte < 240 && !self.live.device.places.contains(&place) {
                self.live.device.places.push(place);
            }
        }
        self.live.device.places.sort_unstable();
        Reply::Device(DeviceReply::Places { places: self.live.device.places.clone() })
    }

    /// The three words: right, and they are gone here.
    pub(super) fn words_confirm(&mut self, typed: &[String]) -> Reply {
        let Some(words) = self.own_words() else {
            return Reply::Nothing;
        };
        let places = std::mem::take(&mut self.live.device.places);
        let words: Vec<&str> = words.split(' ').collect();
        let asked: Vec<&str> = places
            .iter()
            .filter_map(|place| words.get(usize::from(place.saturating_sub(1))).copied())
            .collect();
        let typed: Vec<String> = typed.iter().map(|word| word.trim().to_lowercase()).collect();
        if asked.len() != ASKED || typed != asked {
            return refused(ProblemKind::WrongWords);
        }
        if let Some(mut account) = self.account() {
            account.recovery_entropy = None;
            self.set_account(&account);
        }
        Reply::Done
    }
}
