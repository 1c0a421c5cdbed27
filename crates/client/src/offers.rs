// SPDX-License-Identifier: AGPL-3.0-or-later
//! Key packages out in the world: what a device offers so that it can be added while it sleeps, and until when.
//!
//! Which of the single-use ones were taken the server does not say. So each has a row until a room has it; the whole
//! stock is renewed once a month, or sooner when somebody takes many; and what the server hands out no more is
//! forgotten 60 days later, private halves and token: whoever took one has had a month to use it, and no mailbox
//! holds a Welcome for longer. A device's tokens are thus bounded, whatever is taken, for as long as it lives.
//!
//! The last-resort package is everybody's: who takes it sees its token, and so does everybody else who takes it.
//! When somebody is blocked or declined who was let in by it, a new one takes its place and the server forgets the
//! token at once.
//!
//! Spec: `docs/book/protocol.md`, 2.1 and 7.

use nodoor_e2ee::{
    key_package::{self, Made},
    token,
};
use nodoor_wire::{
    id::{RoomId, Token},
    proto,
};

use crate::{
    io::Wire,
    live::Upload,
    rows::{Offer, Room, key},
    step::Step,
};

const DAY: u64 = 24 * 3600 * 1000;
/// The stock is renewed when the oldest of it has been offered for so long, milliseconds.
const OFFERED: u64 = 30 * DAY;
/// How long what is handed out no more can still open a Welcome, milliseconds: a month to use it, and as long as a
/// mailbox keeps.
const UNDER_WAY: u64 = 60 * DAY;
/// Stocks that may be out before all is renewed, and that are remembered at all: 1,000 and 2,000 packages. Reached only
/// if somebody takes them as fast as they come, when the oldest have nobody who waits for them.
const STOCKS_OUT: usize = 20;
const STOCKS: usize = 40;

impl Step<'_> {
    /// So many single-use key packages, and a last-resort one.
    pub(crate) fn make_packages(&mut self, wanted: usize) -> Option<Upload> {
        let identity = self.identity()?;
        let mut seeds = Vec::new();
        let mut upload = proto::KeyPackagePut::default();
        for number in 0..=wanted {
            let single_use = number < wanted;
            let made = key_package::make(&self.disk, &identity, !single_use, self.rng);
            let Ok(Made { bytes, token }) = made else {
                continue;
            };
            let Some(seed) = token::seed(&self.disk, &token) else {
                continue;
            };
            seeds.push(seed.to_vec().into());
            let offer = Offer {
                package: bytes.clone(),
                unwanted: false,
                replaced_at: None,
                single_use,
                made_at: self.now,
            };
            self.disk.put(key::offer(&token), &offer);
            if single_use {
                upload.single_use.push(bytes.into());
            } else {
                upload.last_resort = bytes.into();
            }
        }
        let tokens = proto::TokenPut { seeds, of_key_packages: true };
        Some(Upload { tokens, packages: upload, again_at: None })
    }

    /// A whole stock in the place of what the server has.
    pub(crate) fn make_new_stock(&mut self) -> Option<Upload> {
        let mut upload = self.make_packages(self.live.stock)?;
        upload.packages.renew = true;
        Some(upload)
    }

    /// Whether the stock is a month old, or so many of it are out that it is time for others.
    pub(crate) fn is_stock_old(&self) -> bool {
        let mut out = self.offers();
        out.retain(|(_, offer)| offer.replaced_at.is_none());
        let old = |offer: &Offer| self.now.saturating_sub(offer.made_at) >= OFFERED;
        out.len() > self.most(STOCKS_OUT) || out.iter().any(|(_, offer)| old(offer))
    }

    /// Looks once a day at what is offered: connections may stand for months.
    pub(crate) fn renew_offers(&mut self) {
        if self.now < self.live.offers_due || !self.is_ready(Wire::Login) {
            return;
        }
        self.live.offers_due = self.now + DAY;
        self.live.offers_changed = true;
        if self.live.upload.is_none() && self.is_stock_old() {
            self.live.upload = self.make_new_stock();
            self.put_package_tokens();
        }
    }

    /// If a room is still reached by a shared token: that one is to go, because its people know it.
    pub(crate) fn disown_shared_token(&mut self, id: &RoomId) {
        if self.room(id).is_none_or(|room| room.closed && !self.is_retired(&room)) {
            return;
        }
        let Some(token) = self.token_in_use(id) else {
            return;
        };
        let offer = self.disk.get::<Offer>(&key::offer(&token));
        if let Some(mut offer) = offer.filter(|offer| !offer.single_use) {
            offer.unwanted = true;
            self.disk.put(key::offer(&token), &offer);
            self.live.offers_changed = true;
            self.replace_unwanted();
        }
    }

    /// Makes and uploads a new one if the server hands out one that is unwanted.
    pub(crate) fn replace_unwanted(&mut self) {
        let unwanted = |offer: &Offer| offer.unwanted && offer.replaced_at.is_none();
        if self.live.upload.is_none()
            && self.is_ready(Wire::Login)
            && self.offers().iter().any(|(_, offer)| unwanted(offer))
        {
            self.live.upload = self.make_packages(0);
            self.put_package_tokens();
        }
    }

    /// The server has these now, and of those they replace it hands out none.
    pub(crate) fn offered(&mut self, put: &proto::KeyPackagePut) {
        for (row, mut offer) in self.offers() {
            let over = if offer.single_use {
                put.renew && !put.single_use.iter().any(|one| *one == offer.package)
            } else {
                put.last_resort != offer.package
            };
            if over && offer.replaced_at.is_none() {
                offer.replaced_at = Some(self.now);
                self.disk.put(row, &offer);
            }
        }
        self.live.offers_changed = true;
    }

    /// A room has this single-use one: it is the room's from now on.
    pub(crate) fn is_used(&mut self, offer: &Token) {
        self.disk.remove(&key::offer(offer));
    }

    /// Forgets what nobody is given any more and nobody can still use, and its token, unless a room is still reached
    /// by it.
    pub(crate) fn retire_offers(&mut self) {
        if !std::mem::take(&mut self.live.offers_changed) {
            return;
        }
        let mut offers = self.offers();
        let too_many = offers.len().saturating_sub(self.most(STOCKS));
        offers.retain(|(_, offer)| offer.replaced_at.is_some());
        offers.sort_by_key(|(_, offer)| offer.replaced_at);
        let over = |(place, (_, offer)): &(usize, (Vec<u8>, Offer))| {
            let since = offer.replaced_at.map(|at| self.now.saturating_sub(at));
            *place < too_many || offer.unwanted || since.is_some_and(|since| since >= UNDER_WAY)
        };
        let retired: Vec<_> = offers.into_iter().enumerate().filter(over).collect();
        let shared = retired.iter().any(|(_, (_, offer))| !offer.single_use);
        let in_use = if shared { self.tokens_in_use() } else { Vec::new() };
        for (_, (row, offer)) in retired {
            let token = row.get(key::OFFERS.len()..).and_then(|id| Token::try_from(id).ok());
            let Some(token) = token.filter(|token| !in_use.contains(token)) else {
                continue;
            };
            // One that is damaged opens nothing either.
            let _ = key_package::forget(&self.disk, &offer.package);
            self.forget_token(token);
            self.disk.remove(&row);
        }
    }

    fn offers(&self) -> Vec<(Vec<u8>, Offer)> {
        let rows = self.disk.prefixed(key::OFFERS, usize::MAX);
        let read = |(row, value): (Vec<u8>, Vec<u8>)| Some((row, self.disk.decode(&value)?));
        rows.into_iter().filter_map(read).collect()
    }

    /// So many stocks, in packages.
    fn most(&self, stocks: usize) -> usize {
        stocks * self.live.stock.max(1)
    }

    /// The tokens by which rooms reach us now.
    fn tokens_in_use(&mut self) -> Vec<Token> {
        let rooms: Vec<Room> = self
            .disk
            .prefixed(key::ROOMS, usize::MAX)
            .iter()
            .filter_map(|(_, value)| self.disk.decode(value))
            .collect();
        let mut in_use = Vec::new();
        for room in rooms {
            // A room that was left for another is read for a week.
            if (!room.closed || self.is_retired(&room)) && !self.is_blocked(&room) {
                in_use.extend(self.token_in_use(&room.room));
            }
        }
        in_use
    }

    /// The token by which a room reaches us now.
    fn token_in_use(&mut self, id: &RoomId) -> Option<Token> {
        self.with_group(id, |_, group| group.leaf(group.own_index()).map(|leaf| leaf.token))?
    }
}
