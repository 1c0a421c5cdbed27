// SPDX-License-Identifier: AGPL-3.0-or-later
//! Handles that go from one account to another: asking for one, keeping ours, and what a chat says when a person's went.
//!
//! What the directory must show before a handle counts as another's is for [`crate::directory`] to say. A device that
//! hears of a claim to its account's handle says no by itself (decision 0013). Whether ours is still ours is asked on the
//! login connection, with our own history; only if it is said to be gone is it looked up, as anybody would.
//!
//! Spec: `docs/book/ledger.md`, 6.

use nodoor_transparency::{
    handover::logged_claim,
    key::Signer,
    ledger::checkpoint::TreeHead,
    statement::{HandleClaim, HandleNo},
};
use nodoor_view::{
    command::{Command as Asked, Reply},
    device::{Command, Event as DeviceEvent, Reply as DeviceReply},
    model::{ConversationId, Milliseconds, Problem, ProblemKind},
};
use nodoor_wire::{
    code::{Class, Code},
    handle::Handle,
    id::AccountId,
    proto::{self, answer, request},
};
use prost::Message as _;

use crate::{
    device::{
        Flight, Request,
        rows::{MOVING, Moving},
    },
    io::Wire,
    link::{class_of, problem_of},
    live::{Purpose, Sought},
    rows::{Line, key},
    step::{Step, problem, refused},
};

/// A handle that we wait for is asked for again at least so often, milliseconds.
const AT_LEAST: u64 = 6 * 3600 * 1000;
/// And not more often than this.
const AT_MOST: u64 = 5_000;

impl Step<'_> {
    /// Asks for a handle that another account holds.
    pub(super) fn move_handle(&mut self, handle: &str) -> Option<Reply> {
        let Ok(handle) = Handle::parse(handle) else {
            return Some(refused(ProblemKind::HandleForm));
        };
        let account = self.account()?;
        let handle_text = handle.as_str().to_owned();
        let reply =
            |from| Some(Reply::Device(DeviceReply::Handle { handle: handle_text.clone(), from }));
        if account.handle == handle.as_str() {
            return reply(None);
        }
        let log_time = self.ledger().and_then(|ledger| ledger.held).map_or(0, |held| held.time);
        match self.disk.get::<Moving>(MOVING).filter(|moving| moving.handle == handle.as_str()) {
            Some(Moving { kept: true, .. }) => {
                self.disk.remove(MOVING);
                Some(refused(ProblemKind::HandleKept))
            }
            // Said by the server a moment ago, not only by what was written down then: somebody may have said no since.
            Some(Moving { from: Some(from), .. })
                if log_time < from && self.live.device.moving.not_before > self.now =>
            {
                reply(Some(Milliseconds(from)))
            }
            // On its way; or its time has come.
            Some(_) => None,
            None if self.disk.get::<Moving>(MOVING).is_some_and(|other| !other.kept) => {
                Some(refused(ProblemKind::HandleWaits))
            }
            None => {
                let key = self.device_key()?;
                let of = HandleClaim { handle: handle.clone(), account: account.account };
                let claim = of.sign(Signer::Device(&key)).encode_to_vec();
                let handle = handle.as_str().to_owned();
                self.disk.put(MOVING.to_vec(), &Moving { handle, claim, from: None, kept: false });
                self.live.device.moving = Flight::default();
                None
            }
        }
    }

    /// The handle that we ask for.
    pub(super) fn moving(&self) -> Reply {
        match self.disk.get::<Moving>(MOVING).filter(|moving| !moving.kept) {
            Some(Moving { handle, from, .. }) => {
                Reply::Device(DeviceReply::Moving { handle, from: from.map(Milliseconds) })
            }
            None => Reply::Nothing,
        }
    }

    /// Sends what there is to say about handles.
    pub(super) fn advance_handles(&mut self) {
        if !self.is_ready(Wire::Login) {
            return;
        }
        self.take_our_handle();
        let live = &self.live.device;
        let (moving, keeping, holding) = (live.moving, live.keeping, live.holding);
        if moving.may_go(self.now)
            && let Some(row) = self.disk.get::<Moving>(MOVING).filter(|row| !row.kept)
        {
            let claim = proto::SignedBytes::decode(row.claim.as_slice()).ok();
            let asked = proto::HandleMove { handle_claim: claim, known: row.from.is_some() };
            self.live.device.moving.under_way = true;
            let body = request::Body::HandleMove(asked);
            self.request(Wire::Login, body, Purpose::Device(Request::Move));
        }
        let own = self.account().and_then(|account| Handle::parse(&account.handle).ok());
        let (Some(handle), Some(key)) = (own, self.device_key()) else {
            return;
        };
        if keeping.may_go(self.now)
            && let Some(claimant) = self.live.device.claimant
        {
            let no = Some(HandleNo { handle, claimant }.sign(Signer::Device(&key)));
            self.live.device.keeping.under_way = true;
            let body = request::Body::HandleNo(proto::HandleNo { no });
            self.request(Wire::Login, body, Purpose::Device(Request::Keep));
        } else if self.live.device.asks_if_ours
            && holding.may_go(self.now)
            && let Some(account) = self.me()
        {
            let claim = Some(HandleClaim { handle, account }.sign(Signer::Device(&key)));
            self.live.device.holding.under_way = true;
            let asked = proto::HandleMove { handle_claim: claim, known: true };
            self.request(
                Wire::Login,
                request::Body::HandleMove(asked),
                Purpose::Device(Request::Hold),
            );
        }
    }

    /// The handle that our newest lists are looked up with is ours: one that moved to us, or that another device asked for.
    fn take_our_handle(&mut self) {
        let Some(mut account) = self.account().filter(|account| account.registering.is_none())
        else {
            return;
        };
        let claimed = self.known(&account.account).and_then(|known| known.handle.clone());
        let Some(handle) = claimed.filter(|handle| *handle != account.handle) else {
            return;
        };
        account.handle.clone_from(&handle);
        self.set_account(&account);
        let mut contact = self.contact(&account.account);
        contact.handle.clone_from(&handle);
        self.set_contact(&account.account, &contact);
        if self.disk.get::<Moving>(MOVING).is_some_and(|moving| moving.handle == handle) {
            self.disk.remove(MOVING);
        }
        self.tell_device(DeviceEvent::Handle { handle });
    }

    /// The server's answer to our asking.
    pub(super) fn move_answered(&mut self, body: &answer::Body) {
        let Some(mut row) = self.disk.get::<Moving>(MOVING) else {
            return self.live.device.moving.again_at(self.now + AT_MOST);
        };
        match body {
            answer::Body::HandleMove(waits) => {
                let left = waits.takes_effect_ms.saturating_sub(waits.ledger_time_ms);
                self.live.device.moving.again_at(self.now + left.clamp(AT_MOST, AT_LEAST));
                row.from = Some(waits.takes_effect_ms);
                self.disk.put(MOVING.to_vec(), &row);
            }
            answer::Body::Done(_) => {
                // The look-up shows it, as anybody sees it.
                self.live.device.moving.again_at(self.now + AT_MOST);
                if let Some(me) = self.me() {
                    self.seek(me);
                }
            }
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                let at = self.later(refusal);
                self.live.device.moving.again_at(at);
            }
            other => {
                self.disk.remove(MOVING);
                self.live.device.moving = Flight::default();
                let why = match other {
                    answer::Body::Refusal(refusal) => why_not(refusal),
                    _ => problem(ProblemKind::Internal),
                };
                if row.from.is_some() {
                    row.kept = true;
                    self.disk.put(MOVING.to_vec(), &row);
                    self.tell_device(DeviceEvent::HandleRefused { handle: row.handle });
                }
                self.fail_parked(&why, |ask| {
                    let of = &ask.command;
                    matches!(of, Asked::Device { of: Command::MoveHandle { .. } })
                });
            }
        }
    }

    /// Our own history came, under this head: with it, perhaps, a claim of somebody else to our handle.
    pub(crate) fn own_handle_shown(&mut self, claim: Option<&proto::LoggedEntry>, head: &TreeHead) {
        self.live.device.asks_if_ours = true;
        let own = self.account().and_then(|account| Handle::parse(&account.handle).ok());
        let (Some(claim), Some(handle)) = (claim, own) else {
            return;
        };
        let claimant = logged_claim(claim, head, &handle).filter(|by| !self.is_me(by));
        if claimant.is_some() && self.live.device.claimant != claimant {
            self.live.device.claimant = claimant;
            self.live.device.keeping = Flight::default();
            let handle = handle.as_str().to_owned();
            self.tell_device(DeviceEvent::HandleAsked { handle });
        }
    }

    /// The server's answer to our no.
    pub(super) fn keep_answered(&mut self, body: &answer::Body) {
        match body {
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                let at = self.later(refusal);
                self.live.device.keeping.again_at(at);
            }
            _ => {
                self.live.device.keeping = Flight::default();
                self.live.device.claimant = None;
            }
        }
    }

    /// The server's answer to whether our handle is ours.
    pub(super) fn hold_answered(&mut self, body: &answer::Body) {
        match body {
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                let at = self.later(refusal);
                return self.live.device.holding.again_at(at);
            }
            answer::Body::Refusal(refusal)
                if matches!(
                    Code::from_number(refusal.code),
                    Some(Code::HandleTaken | Code::Forbidden)
                ) =>
            {
                // What a connection says proves nothing: the directory has to show it.
                if let Some(account) = self.account() {
                    self.wish(Sought::Handle(account.handle), self.now);
                }
            }
            _ => {}
        }
        self.live.device.holding = Flight::default();
        self.live.device.asks_if_ours = false;
    }

    /// The directory proves that a handle went from one account, which it was bound to here, to another.
    pub(crate) fn handle_went(&mut self, from: &AccountId, handle: &str) {
        self.live.handles.remove(handle);
        let mut contact = self.contact(from);
        contact.handle.clear();
        contact.logged.handle.clear();
        // Its claim was of before.
        if let Ok(found) = proto::LookupAnswer::decode(contact.lookup.as_slice()) {
            let found = proto::LookupAnswer { handle_claim: None, ..found };
            contact.lookup = found.encode_to_vec();
        }
        self.set_contact(from, &contact);
        self.live.known.remove(from);
        if self.is_me(from) {
            if let Some(mut account) = self.account() {
                account.handle.clear();
                self.set_account(&account);
            }
            return self.tell_device(DeviceEvent::Handle { handle: String::new() });
        }
        let chat: Option<u64> = self.disk.get(&key::direct(from));
        if let Some(chat) = chat {
            self.line(ConversationId(chat), Line::HandleMoved { handle: handle.to_owned() });
        }
        self.fail_parked_for_handle(handle, &problem(ProblemKind::HandleMoved));
    }
}

fn why_not(refusal: &proto::Refusal) -> Problem {
    match Code::from_number(refusal.code) {
        Some(Code::Forbidden) => problem(ProblemKind::HandleKept),
        Some(Code::NotFound) => problem(ProblemKind::NotFound),
        _ => problem_of(refusal),
    }
}
