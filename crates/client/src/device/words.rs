// SPDX-License-Identifier: AGPL-3.0-or-later
//! The recovery words: shown while they are here, three of them asked back, then erased. What they are the key of is
//! decided by [`crate::account`]; what they do on a fresh device, by [`super::joining`].
//!
//! Spec: `docs/book/ledger.md`, 8.

use nodoor_transparency::key::Signer;
use nodoor_view::{
    command::{Ask, Command as Asked, Reply},
    device::{Command, Reply as DeviceReply},
    model::{Problem, ProblemKind},
};

use crate::{
    account::recovery_key,
    device::rows::{NEW_WORDS, NewWords, PUTTING, Putting},
    step::{Step, problem, refused},
};

/// How many words are asked back.
const ASKED: usize = 3;
/// How many there are.
const WORDS: u8 = 24;

/// What 24 words stand for; nothing if one is misspelt, or their check does not fit. Case and spacing are forgiven.
pub(crate) fn entropy_of(words: &str) -> Option<[u8; 32]> {
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

    /// The words, while they are here and nobody made new ones on another device.
    pub(crate) fn own_words(&mut self) -> Option<String> {
        self.own_entropy().and_then(|entropy| crate::account::words(&entropy))
    }

    fn own_entropy(&mut self) -> Option<[u8; 32]> {
        let account = self.account()?;
        let entropy = account.recovery_entropy?;
        let list = self.known(&account.account).map(|known| *known.chain.newest().recovery());
        // Before the registration was answered nothing else is known.
        (list.is_none() || list == Some(recovery_key(&entropy).public())).then_some(entropy)
    }

    /// New words instead of the old ones: a list that both keys sign. The old ones are typed, or are here still.
    pub(super) fn new_words(&mut self, words: &str) -> Option<Reply> {
        if self.is_removed() {
            return Some(refused(ProblemKind::NotADevice));
        }
        if self.is_stopped() {
            return Some(refused(ProblemKind::Stopped));
        }
        let typed = match words.trim().is_empty() {
            true => self.own_entropy(),
            false => entropy_of(words),
        };
        let chain = self.own_chain()?;
        let newest = chain.newest();
        let old = typed.map(|entropy| recovery_key(&entropy));
        let Some(old) = old.filter(|old| old.public() == *newest.recovery()) else {
            return Some(refused(ProblemKind::WrongWords));
        };
        if self.disk.get::<Putting>(PUTTING).is_some() || self.live.device.stale {
            return None;
        }
        if !self.may_sign_own_list() && !self.log_is_silent(newest.version()) {
            return None;
        }
        // A list that was refused may stand later: what is signed is not taken back, and two lists of one version are none.
        let refused: Option<NewWords> = self.disk.get(NEW_WORDS);
        let entropy =
            match refused.filter(|row| Some(row.version) == newest.version().checked_add(1)) {
                Some(row) => row.entropy,
                None => self.random(),
            };
        let new = recovery_key(&entropy);
        let list = newest.successor(newest.devices().to_vec()).with_recovery(new.public());
        let row = NewWords { entropy, version: list.version() };
        // Before the list is anywhere: without them the account would have words that nobody knows.
        self.disk.put(NEW_WORDS.to_vec(), &row);
        let signers = [Signer::Recovery(&old), Signer::Recovery(&new)];
        self.put_own_list(&list.sign(&signers), None);
        None
    }

    /// New words count once a list of ours with their key stands; they are dropped when another list stands in its place.
    pub(super) fn advance_new_words(&mut self) {
        let Some(row) = self.disk.get::<NewWords>(NEW_WORDS) else {
            return;
        };
        let key = recovery_key(&row.entropy).public();
        let Some(chain) = self.own_chain() else {
            return;
        };
        let Some(list) = chain.version(row.version) else {
            return;
        };
        self.disk.remove(NEW_WORDS);
        self.live.device.places.clear();
        let stands = *list.recovery() == key && *chain.newest().recovery() == key;
        if let (true, Some(mut account)) = (stands, self.account()) {
            account.recovery_entropy = Some(row.entropy);
            self.set_account(&account);
            self.answer_parked(&Reply::Done, is_new_words);
        } else {
            self.fail_parked(&problem(ProblemKind::ListChanged), is_new_words);
        }
    }

    /// Whether a list with new words was signed and none stands in its place yet.
    pub(super) fn awaits_new_words(&self) -> bool {
        self.disk.get::<NewWords>(NEW_WORDS).is_some()
    }

    /// The server will not have the list that brings new words, it says. It has the list: the words are kept, or the account
    /// could be made one whose words nobody knows.
    pub(super) fn new_words_refused(&mut self, why: &Problem) {
        if self.awaits_new_words() {
            self.fail_parked(why, is_new_words);
            self.look_at_own_list();
        }
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

fn is_new_words(ask: &Ask) -> bool {
    matches!(&ask.command, Asked::Device { of: Command::NewWords { .. } })
}
