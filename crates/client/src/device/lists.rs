// SPDX-License-Identifier: AGPL-3.0-or-later
//! Our own device lists: one is put at a time, from disk, until the server's definite answer; and what a newer one than
//! we knew changed, whoever signed it.
//!
//! The account row says up to which version this device has looked ([`crate::rows::Account`], `list_version`): what
//! came after it is told once. A list that removes this device leaves that number, and a row of its own.
//!
//! Spec: `docs/book/protocol.md`, 1; `docs/book/ledger.md`, 8.

use nodoor_transparency::{
    chain::Chain,
    key::Signer,
    list::DeviceList,
    meeting::Outcome,
    statement::{Dispute, HandleClaim},
};
use nodoor_view::{
    command::{Command as Asked, Reply},
    device::{Command, Event as DeviceEvent, Standing},
    model::{Milliseconds, Problem, ProblemKind},
};
use nodoor_wire::{
    code::{Class, Code},
    handle::Handle,
    id::{AccountId, DeviceId},
    proto::{self, answer, request},
};
use prost::Message as _;

use crate::{
    device::{
        DAY, Request,
        rows::{self, Named, PUTTING, Putting, REMOVED, Removed},
    },
    io::Wire,
    link::{class_of, problem_of},
    live::Purpose,
    step::{Step, problem, refused},
};

/// How long a removed device may object, milliseconds of ledger time.
const DISPUTE_WITHIN: u64 = 7 * DAY;
/// How long a removal waits for a log that shows nothing, milliseconds.
const SILENT: u64 = 2 * 60_000;
/// A look-up that was answered within so long and proved nothing: the log is what is waited for, milliseconds.
const ANSWERED: u64 = 60_000;

impl Step<'_> {
    /// Our own chain, as we hold it.
    pub(super) fn own_chain(&mut self) -> Option<Chain> {
        let me = self.me()?;
        self.known(&me).map(|known| known.chain.clone())
    }

    // ---- a list on its way ---------------------------------------------------------------------

    /// Puts a list that adds a device.
    pub(super) fn put_list_with(&mut self, list: &proto::SignedList, device: DeviceId, name: &str) {
        if self.disk.get::<Putting>(PUTTING).is_some() {
            // Of two lists that follow one, the server takes one: which, only its answer to that one says.
            return self.linked(device, Outcome::ListChanged);
        }
        let named = Named {
            name: name.to_owned(),
            added_at: self.now,
            approved_here: true,
            in_rooms: false,
        };
        self.disk.put(rows::named(&device), &named);
        self.put_own_list(list, Some(device));
    }

    pub(super) fn put_own_list(&mut self, list: &proto::SignedList, adds: Option<DeviceId>) {
        let putting = Putting { list: list.encode_to_vec(), since: self.now, adds };
        self.disk.put(PUTTING.to_vec(), &putting);
        self.live.device.list = super::Flight::default();
    }

    /// Sends the list that is on its way.
    pub(super) fn advance_own_list(&mut self) {
        if !self.live.device.list.may_go(self.now) || !self.may_sign() {
            return;
        }
        let Some(putting) = self.disk.get::<Putting>(PUTTING) else {
            return;
        };
        let list = proto::SignedList::decode(putting.list.as_slice()).ok();
        let Some(list) = list.filter(|_| self.now.saturating_sub(putting.since) < DAY) else {
            // Whether the server has it, only looking says.
            self.own_list_is_stale();
            return self.give_up_list(&putting, Outcome::Ended);
        };
        self.live.device.list.under_way = true;
        let put = request::Body::ListPut(proto::ListPut { list: Some(list) });
        self.request(Wire::Login, put, Purpose::Device(Request::List));
    }

    /// The server's answer to a list: our own one, or the one by which a device comes back with the words.
    pub(super) fn own_list_answered(&mut self, body: &answer::Body) {
        self.live.device.list.under_way = false;
        if let answer::Body::Refusal(refusal) = body
            && class_of(refusal) == Class::Retry
        {
            let at = self.later(refusal);
            return self.live.device.list.again_at(at);
        }
        if self.joining().is_some() {
            return self.joining_list_answered(body);
        }
        let Some(putting) = self.disk.get::<Putting>(PUTTING) else {
            return;
        };
        match body {
            answer::Body::Done(_) => {
                self.disk.remove(PUTTING);
                if let Ok(list) = proto::SignedList::decode(putting.list.as_slice()) {
                    self.own_chain_grew(&list);
                }
                self.see_own_list();
                if let Some(device) = putting.adds {
                    self.linked(device, Outcome::Done);
                }
            }
            answer::Body::Refusal(refusal) => {
                let outcome = match Code::from_number(refusal.code) {
                    Some(Code::ListConflict) => Outcome::ListChanged,
                    Some(Code::Disputed) => Outcome::Disputed,
                    Some(Code::TooLarge) => Outcome::TooManyDevices,
                    _ => Outcome::Refused,
                };
                self.give_up_list(&putting, outcome);
                if outcome == Outcome::ListChanged {
                    // Ours may be among those that are there now. A removal is tried again on top of them.
                    self.own_list_is_stale();
                } else {
                    let why = problem_of(refusal);
                    self.new_words_refused(&why);
                    self.fail_removals(&why);
                }
            }
            _ => self.give_up_list(&putting, Outcome::Refused),
        }
    }

    fn give_up_list(&mut self, putting: &Putting, outcome: Outcome) {
        self.disk.remove(PUTTING);
        if let Some(device) = putting.adds {
            self.disk.remove(&rows::named(&device));
            self.linked(device, outcome);
        }
    }

    /// Nothing more is signed before our own lists were looked up.
    pub(super) fn own_list_is_stale(&mut self) {
        if let Some(me) = self.me() {
            self.live.fresh.remove(&me);
            self.live.device.stale = true;
            self.seek(me);
        }
    }

    /// Whether our newest list is shown to be the newest one published; asks if not. Two lists of one version under our own
    /// keys would look as if we had forked our account.
    pub(super) fn may_sign_own_list(&mut self) -> bool {
        let Some(me) = self.me() else {
            return false;
        };
        let may = !self.live.device.stale && self.may_sign_after(&me);
        if may {
            self.live.device.silent = None;
            self.live.device.log_awaited = false;
        } else {
            self.await_log(me);
        }
        may
    }

    /// Asks until the log shows the newest list of an account, and says once that this is what is waited for.
    pub(super) fn await_log(&mut self, account: AccountId) {
        let looked = self.live.fresh.get(&account);
        let answered = looked.is_some_and(|at| self.now.saturating_sub(*at) < ANSWERED);
        if answered && !std::mem::replace(&mut self.live.device.log_awaited, true) {
            self.tell_device(DeviceEvent::LogAwaited);
        }
        self.seek_newest(account);
    }

    /// Whether a removal, or new words, have waited long enough for a log that shows nothing: whoever holds the log back keeps no
    /// thief's device, and no thief's words, on the account. Only on a list that was logged.
    pub(super) fn log_is_silent(&mut self, newest: u64) -> bool {
        let now = self.now;
        let asked = self.live.device.silent.filter(|(_, last)| now.saturating_sub(*last) <= SILENT);
        let since = asked.map_or(now, |(since, _)| since);
        self.live.device.silent = Some((since, now));
        let logged = self.me().map_or(0, |me| self.contact(&me).logged.version);
        let silent = now.saturating_sub(since) >= SILENT && newest <= logged;
        if silent {
            self.live.device.silent = None;
        }
        silent && !self.live.device.stale
    }

    /// A list of ours that the server took follows those we hold.
    fn own_chain_grew(&mut self, list: &proto::SignedList) {
        let (Some(me), Some(mut chain)) = (self.me(), self.own_chain()) else {
            return;
        };
        if chain.extend(list).is_err() {
            return self.own_list_is_stale();
        }
        let mut contact = self.contact(&me);
        if let Ok(mut found) = proto::LookupAnswer::decode(contact.lookup.as_slice()) {
            found.lists = chain.to_proto();
            contact.lookup = found.encode_to_vec();
            self.set_contact(&me, &contact);
            // Read again, with what it says of handle and disputes.
            self.live.known.remove(&me);
        }
    }

    // ---- what a newer list changed -------------------------------------------------------------

    /// Looks at what our newest list says that this device has not seen yet.
    pub(super) fn see_own_list(&mut self) {
        let Some(mut account) = self.account().filter(|account| account.registering.is_none())
        else {
            return;
        };
        let me = account.account;
        if self.live.device.stale && self.live.fresh.contains_key(&me) {
            self.live.device.stale = false;
        }
        let removed: Option<Removed> = self.disk.get(REMOVED);
        let seen = removed.as_ref().map_or(u64::from(account.list_version), |row| row.version);
        let newest = self.known(&me).map(|known| known.chain.newest().version());
        if newest.is_none_or(|newest| newest <= seen) {
            return;
        }
        let Some(chain) = self.own_chain() else {
            return;
        };
        for version in seen + 1..=chain.newest().version() {
            self.see_version(&chain, version, account.device);
        }
        let after = chain.newest();
        if after.device(&account.device).is_some() {
            account.list_version = u32::try_from(after.version()).unwrap_or(u32::MAX);
            self.set_account(&account);
            if removed.is_some() {
                self.disk.remove(REMOVED);
            }
        } else if let Some(mut removed) = self.disk.get::<Removed>(REMOVED) {
            removed.version = after.version();
            self.disk.put(REMOVED.to_vec(), &removed);
        }
        self.live.device.rooms_again_at = 0;
        self.live.device.handle = super::Flight::default();
        let standing = self.standing();
        self.tell_device(DeviceEvent::Standing { standing });
    }

    /// One version after another: who came, who went.
    fn see_version(&mut self, chain: &Chain, version: u64, own: DeviceId) {
        let (Some(before), Some(list)) = (chain.version(version - 1), chain.version(version))
        else {
            return;
        };
        let by_words = chain.is_by_recovery(version);
        for device in list.added_since(before) {
            let row = rows::named(&device.id);
            let known: Option<Named> = self.disk.get(&row);
            let approved_here = known.as_ref().is_some_and(|known| known.approved_here);
            let mut named = known.unwrap_or_default();
            if named.added_at == 0 {
                named.added_at = self.now;
            }
            self.disk.put(row, &named);
            if !approved_here && device.id != own {
                let by = chain.approver(version).filter(|_| !by_words);
                let by = by.map(|by| self.device_row(&by).name).unwrap_or_default();
                let device = self.device_row(&device.id);
                self.tell_device(DeviceEvent::Added { device, by, by_words });
            }
        }
        for device in list.removed_since(before) {
            let row = self.device_row(&device.id);
            self.tell_device(DeviceEvent::Removed { device: row, by_words });
            self.disk.remove(&rows::named(&device.id));
            if device.id == own {
                let removed = Removed {
                    version,
                    by: version,
                    since: self.now,
                    settled: by_words || chain.approver(version) == Some(own),
                    dispute: None,
                    disputed: false,
                };
                self.disk.put(REMOVED.to_vec(), &removed);
            }
        }
    }

    /// A login was refused for good: a list may have removed this device.
    pub(crate) fn login_refused(&mut self) {
        let registered = self.account().is_some_and(|account| account.registering.is_none());
        if registered && !self.is_removed() {
            self.own_list_is_stale();
        }
    }

    /// After each login: what other devices did meanwhile.
    pub(crate) fn look_at_own_list(&mut self) {
        if let Some(me) = self.me()
            && (self.awaits_new_words()
                || self.known(&me).is_some_and(|known| known.chain.newest().version() > 1))
        {
            self.live.fresh.remove(&me);
            self.seek(me);
        }
    }

    // ---- removal -------------------------------------------------------------------------------

    /// Removes a device: a list without it, then every room without it. Asked again until it is done.
    pub(super) fn remove_device(&mut self, device: &str) -> Option<Reply> {
        let Ok(id) = DeviceId::from_hex(device) else {
            return Some(refused(ProblemKind::NotADevice));
        };
        let chain = self.own_chain()?;
        if self.disk.get::<Putting>(PUTTING).is_some() || self.live.device.stale {
            return None;
        }
        let newest = chain.newest();
        if newest.device(&id).is_none() {
            let was_one = (1..newest.version())
                .filter_map(|version| chain.version(version))
                .any(|list| list.device(&id).is_some());
            return match was_one {
                false => Some(refused(ProblemKind::NotADevice)),
                // Whoever is out itself has no say in rooms any more: the others put it out.
                true if self.is_removed() || self.rooms_are_pruned() => Some(Reply::Done),
                true => None,
            };
        }
        let (Some(key), false) = (self.device_key(), self.is_removed()) else {
            return Some(refused(ProblemKind::NotADevice));
        };
        if !self.may_sign_own_list() && !self.log_is_silent(newest.version()) {
            return None;
        }
        let staying = newest.devices().iter().filter(|device| device.id != id).cloned().collect();
        let list = newest.successor(staying).sign(&[Signer::Device(&key)]);
        self.put_own_list(&list, None);
        None
    }

    fn fail_removals(&mut self, why: &Problem) {
        self.fail_parked(why, |ask| {
            matches!(&ask.command, Asked::Device { of: Command::Remove { .. } })
        });
    }

    /// Whether a list removed this device.
    pub(crate) fn is_removed(&self) -> bool {
        self.disk.get::<Removed>(REMOVED).is_some()
    }

    // ---- disputes ------------------------------------------------------------------------------

    /// How our account stands.
    pub(super) fn standing(&mut self) -> Standing {
        if let Some(removed) = self.disk.get::<Removed>(REMOVED) {
            let may_dispute = self.may_dispute(&removed);
            let since = Milliseconds(removed.since);
            return Standing::Removed { since, may_dispute };
        }
        let me = self.me();
        let known = me.and_then(|me| self.known(&me));
        match known.is_some_and(crate::directory::Known::is_disputed) {
            true => Standing::Disputed,
            false => Standing::Good,
        }
    }

    /// Not what the recovery key or this device signed, and within seven days of ledger time since the removing list was logged. Without
    /// a log the day on which we learnt of it counts.
    fn may_dispute(&mut self, removed: &Removed) -> bool {
        let Some(me) = self.me() else {
            return false;
        };
        let logged = self.contact(&me).logged.since;
        let since = logged.iter().find(|(version, _)| *version >= removed.by).map(|(_, at)| *at);
        let log_time = self.ledger().and_then(|ledger| ledger.held).map(|held| held.time);
        let now = since.and(log_time).unwrap_or(self.now);
        let since = since.unwrap_or(removed.since);
        !removed.settled && !removed.disputed && now.saturating_sub(since) < DISPUTE_WITHIN
    }

    /// Objects to our removal.
    pub(super) fn dispute(&mut self) -> Option<Reply> {
        let Some(mut removed) = self.disk.get::<Removed>(REMOVED) else {
            return Some(refused(ProblemKind::NotAllowed));
        };
        if removed.disputed {
            return Some(Reply::Done);
        }
        if removed.dispute.is_some() {
            return None;
        }
        let (Some(key), Some(chain)) = (self.device_key(), self.own_chain()) else {
            return Some(refused(ProblemKind::Internal));
        };
        let list: Option<&DeviceList> = chain.version(removed.by);
        let Some(list) = list.filter(|_| self.may_dispute(&removed)) else {
            return Some(refused(ProblemKind::NotAllowed));
        };
        removed.dispute = Some(Dispute::sign(list, &key).encode_to_vec());
        self.disk.put(REMOVED.to_vec(), &removed);
        None
    }

    pub(super) fn advance_dispute(&mut self) {
        if !self.live.device.dispute.may_go(self.now) || !self.may_sign() {
            return;
        }
        let removed: Option<Removed> = self.disk.get(REMOVED);
        let dispute = removed.and_then(|removed| removed.dispute);
        let Some(dispute) = dispute.and_then(|bytes| proto::SignedBytes::decode(&*bytes).ok())
        else {
            return;
        };
        self.live.device.dispute.under_way = true;
        let put = request::Body::DisputePut(proto::DisputePut { dispute: Some(dispute) });
        self.request(Wire::Login, put, Purpose::Device(Request::Dispute));
    }

    pub(super) fn dispute_answered(&mut self, body: &answer::Body) {
        self.live.device.dispute.under_way = false;
        let Some(mut removed) = self.disk.get::<Removed>(REMOVED) else {
            return;
        };
        match body {
            answer::Body::Done(_) => {
                (removed.dispute, removed.disputed) = (None, true);
                self.disk.put(REMOVED.to_vec(), &removed);
            }
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                let at = self.later(refusal);
                self.live.device.dispute.again_at(at);
            }
            _ => {
                removed.dispute = None;
                self.disk.put(REMOVED.to_vec(), &removed);
                let refused = problem(ProblemKind::NotAllowed);
                self.fail_parked(&refused, |ask| {
                    matches!(&ask.command, Asked::Device { of: Command::Dispute })
                });
            }
        }
    }

    // ---- the handle ----------------------------------------------------------------------------

    /// The claim of our handle stops counting when the device that signed it goes: we sign it anew.
    pub(super) fn advance_handle(&mut self) {
        if !self.live.device.handle.may_go(self.now) || !self.is_ready(Wire::Login) {
            return;
        }
        let Some(account) = self.account().filter(|account| !account.handle.is_empty()) else {
            return;
        };
        let known = self.known(&account.account);
        let lost = known.is_some_and(|known| {
            known.handle.is_none() && known.chain.newest().device(&account.device).is_some()
        });
        let (true, Ok(handle), Some(key)) =
            (lost, Handle::parse(&account.handle), self.device_key())
        else {
            return;
        };
        let claim = HandleClaim { handle, account: account.account }.sign(Signer::Device(&key));
        self.live.device.handle.under_way = true;
        let put = request::Body::HandlePut(proto::HandlePut { handle_claim: Some(claim) });
        self.request(Wire::Login, put, Purpose::Device(Request::Handle));
    }

    pub(super) fn handle_answered(&mut self, body: &answer::Body) {
        self.live.device.handle.again_at(self.now + DAY);
        match body {
            answer::Body::Done(_) => {
                if let Some(me) = self.me() {
                    self.seek(me);
                }
            }
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                let at = self.later(refusal);
                self.live.device.handle.again_at(at);
            }
            _ => {}
        }
    }
}
