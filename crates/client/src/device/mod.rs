// SPDX-License-Identifier: AGPL-3.0-or-later
//! One's own devices: linked, named, removed, brought back by the recovery words; and what a removed one may still say.
//!
//! [`machine`] is what two devices agree on, [`exchange`] the code as their password, [`meeting`] moves it through the
//! server's rendezvous, [`lists`] puts a list and sees what a new one changed, [`joining`] makes a device of an account out
//! of keys that a list names, [`rooms`] brings devices into rooms and out of them, [`words`] are the recovery words,
//! [`handles`] asks for handles and keeps ours, [`contacts`] holds what we write to people whose devices disagree. Nothing here opens a message.
//! The server sees boxes that it cannot open, and signed lists, which are public.
//!
//! | key | record |
//! |---|---|
//! | `a/joining` | [`rows::Joining`]: keys that are not a device's yet |
//! | `a/list` | [`rows::Putting`]: a list of ours on its way |
//! | `a/handle` | [`rows::Moving`]: a handle of somebody else's that we asked for |
//! | `a/words` | [`rows::NewWords`]: recovery words that a list of ours on its way brings |
//! | `a/removed` | [`rows::Removed`]: this device is no longer one |
//! | `y/<device>` | [`rows::Named`]: a device of the account |
//!
//! *Crashes.* A meeting is in memory alone, and ends with the process. What is signed is on disk before it is sent: on
//! the new device its keys ([`rows::Joining`]), on the old one the whole list ([`rows::Putting`]). Each is repeated for a
//! day; the account's list at the server alone decides what came of it.
//!
//! Spec: `docs/book/ledger.md`, 8; `docs/book/protocol.md`, 1.

mod contacts;
mod exchange;
mod handles;
mod joining;
mod lists;
mod machine;
mod meeting;
mod rooms;
mod rows;
pub(crate) mod words;

use std::collections::HashSet;

use nodoor_view::{
    command::Reply,
    device::{Command, Event as DeviceEvent},
    event::Event,
    model::{DeviceRow, Milliseconds, ProblemKind},
};
use nodoor_wire::{
    id::{AccountId, DeviceId},
    proto::{self, answer},
};

use crate::{
    device::{meeting::Meeting, rows::Named},
    io::Wire,
    live::LinkState,
    names::tidy,
    selfgroup::About,
    step::{Step, refused},
};

/// Pause before something is asked again that was refused for now, milliseconds.
const PAUSE: u64 = 5_000;
/// How long what is signed is repeated, milliseconds.
const DAY: u64 = 24 * 3600 * 1000;

/// What is held in memory alone.
#[derive(Default)]
pub(crate) struct Volatile {
    /// A meeting under way.
    meeting: Option<Meeting>,
    /// Number of the newest meeting: answers of an older one mean nothing.
    meetings: u64,
    /// Our list.
    list: Flight,
    /// Our dispute.
    dispute: Flight,
    /// Our handle, signed anew.
    handle: Flight,
    /// A handle that we asked for.
    moving: Flight,
    /// Our no to somebody else's claim.
    keeping: Flight,
    /// The question whether our handle is ours.
    holding: Flight,
    /// It is to be asked.
    asks_if_ours: bool,
    /// Who asks for our handle.
    claimant: Option<AccountId>,
    /// When the account that we join is looked up again.
    join_again_at: u64,
    /// When rooms are looked through again for devices that lack or have to go.
    rooms_again_at: u64,
    /// When somebody is looked up again whose devices disagree.
    held_again_at: u64,
    /// Our own lists must be looked up before another is signed.
    stale: bool,
    /// Since when a removal waits for the log, and when it last did.
    silent: Option<(u64, u64)>,
    /// It was said that the log is waited for.
    log_awaited: bool,
    /// Letters of links that were answered here: each is good for one meeting.
    answered: HashSet<String>,
    /// Which recovery words were asked back.
    places: Vec<u8>,
    /// How many key packages the server had when it had no mailbox key of ours yet.
    pub(crate) packages_left: Option<u32>,
}

/// Something that is sent until it is answered for good.
#[derive(Default, Clone, Copy)]
struct Flight {
    under_way: bool,
    not_before: u64,
}

impl Flight {
    fn may_go(&self, now: u64) -> bool {
        !self.under_way && self.not_before <= now
    }

    fn again_at(&mut self, at: u64) {
        *self = Self { under_way: false, not_before: at };
    }
}

/// What a request of this room was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// A box of this meeting.
    Put(u64, u8),
    /// A slot of this meeting.
    Get(u64, u8),
    /// Our list.
    List,
    /// Our dispute.
    Dispute,
    /// Our handle, signed anew.
    Handle,
    /// A handle that we asked for.
    Move,
    /// Our no to a claim.
    Keep,
    /// Whether our handle is ours.
    Hold,
}

impl Step<'_> {
    /// Carries out a command about devices; nothing if its answer has to wait.
    pub(crate) fn device_command(&mut self, of: &Command) -> Option<Reply> {
        match of {
            Command::LinkStart => return Some(self.link_start()),
            Command::LinkCode { code } => return self.link_code(code),
            Command::LinkCancel => return Some(self.link_cancel()),
            Command::Recover { handle, words } => return self.recover(handle, words),
            _ => {}
        }
        if self.account().is_none_or(|account| account.registering.is_some()) {
            return Some(refused(ProblemKind::NoAccount));
        }
        match of {
            Command::LinkApprove { link } => self.link_approve(link),
            Command::Rename { device, name } => Some(self.rename_device(device, name)),
            Command::Remove { device } => self.remove_device(device),
            Command::History { device, words } => Some(self.send_history(device, words)),
            Command::Dispute => self.dispute(),
            Command::Standing => {
                Some(Reply::Device(nodoor_view::device::Reply::Standing(self.standing())))
            }
            Command::WordsAsk => Some(self.words_ask()),
            Command::NewWords { words } => self.new_words(words),
            Command::MoveHandle { handle } => self.move_handle(handle),
            Command::Moving => Some(self.moving()),
            Command::WordsConfirm { words } => Some(self.words_confirm(words)),
            _ => Some(refused(ProblemKind::Internal)),
        }
    }

    /// Does whatever can be done now.
    pub(crate) fn advance_devices(&mut self) {
        self.advance_meeting();
        self.advance_joining();
        self.advance_own_list();
        self.see_own_list();
        self.advance_new_words();
        self.advance_dispute();
        self.advance_handle();
        self.advance_handles();
        self.advance_devices_in_rooms();
    }

    /// The times at which something here is due.
    pub(crate) fn devices_due(&self) -> impl Iterator<Item = u64> {
        let live = &self.live.device;
        let meeting = live.meeting.iter().flat_map(Meeting::due);
        let flights =
            [live.list, live.dispute, live.handle, live.moving, live.keeping, live.holding];
        let flights = flights.map(|flight| flight.not_before);
        let others = [live.join_again_at, live.rooms_again_at, live.held_again_at];
        meeting.chain(flights).chain(others)
    }

    /// After a start: what is on its way needs a connection.
    pub(crate) fn resume_devices(&mut self) {
        if self.joining().is_some_and(|joining| joining.list.is_some()) {
            self.want(Wire::Login);
        }
    }

    /// An answer for this room.
    pub(crate) fn device_answered(&mut self, of: Request, body: answer::Body) {
        match of {
            Request::Put(meeting, slot) => self.box_put(meeting, slot, &body),
            Request::Get(meeting, slot) => self.box_got(meeting, slot, &body),
            Request::List => self.own_list_answered(&body),
            Request::Dispute => self.dispute_answered(&body),
            Request::Handle => self.handle_answered(&body),
            Request::Move => self.move_answered(&body),
            Request::Keep => self.keep_answered(&body),
            Request::Hold => self.hold_answered(&body),
        }
    }

    /// A request of this room will have no answer.
    pub(crate) fn device_unanswered(&mut self, of: &Request) {
        match of {
            Request::Put(..) | Request::Get(..) => {
                if let Some(meeting) = &mut self.live.device.meeting {
                    meeting.interrupted();
                }
            }
            Request::List => self.live.device.list.under_way = false,
            Request::Dispute => self.live.device.dispute.under_way = false,
            Request::Handle => self.live.device.handle.under_way = false,
            Request::Move => self.live.device.moving.under_way = false,
            Request::Keep => self.live.device.keeping.under_way = false,
            Request::Hold => self.live.device.holding.under_way = false,
        }
    }

    /// Whether signed things may go over the login connection: it was greeted, whoever is logged in.
    pub(crate) fn may_sign(&self) -> bool {
        let link = &self.live.login;
        let greeted = link.state == LinkState::Greeting && self.live.challenge.is_some();
        self.live.unfit.is_none() && (greeted || link.state == LinkState::Ready)
    }

    /// Whether what was asked for signs a list, and the log is what it waits for: the server answers.
    pub(crate) fn awaits_log(&self, of: &Command) -> bool {
        let signs = matches!(
            of,
            Command::LinkApprove { .. }
                | Command::Remove { .. }
                | Command::NewWords { .. }
                | Command::Recover { .. }
        );
        signs && self.live.device.log_awaited && self.is_ready(Wire::Anonymous)
    }

    /// When to try again what was refused for now.
    fn later(&self, refusal: &proto::Refusal) -> u64 {
        self.now + (u64::from(refusal.retry_after_seconds) * 1000).max(PAUSE)
    }

    // ---- names ---------------------------------------------------------------------------------

    /// Our devices, this one first, then in the order they came.
    pub(crate) fn devices(&mut self) -> Vec<DeviceRow> {
        let Some(me) = self.me() else {
            return Vec::new();
        };
        let known = self.known(&me).map(|known| known.chain.newest().clone());
        let ids: Vec<DeviceId> =
            known.iter().flat_map(|list| list.devices().iter().map(|device| device.id)).collect();
        let mut rows: Vec<DeviceRow> = ids.iter().map(|id| self.device_row(id)).collect();
        rows.sort_by_key(|row| (!row.current, row.added_at));
        rows
    }

    /// One device, as it is called here.
    fn device_row(&self, id: &DeviceId) -> DeviceRow {
        let account = self.account().filter(|account| account.device == *id);
        let named: Named = self.disk.get(&rows::named(id)).unwrap_or_default();
        let (name, at) = match &account {
            Some(own) => (own.device_name.clone(), own.made_at),
            None => (named.name, named.added_at),
        };
        let added_at = Milliseconds(at);
        DeviceRow { device: id.to_hex(), name, added_at, current: account.is_some() }
    }

    fn rename_device(&mut self, device: &str, name: &str) -> Reply {
        let name = tidy(name, 60);
        if name.is_empty() {
            return refused(ProblemKind::Size);
        }
        let Some(id) = self.own_device(device) else {
            return refused(ProblemKind::NotADevice);
        };
        self.name_device(&id, &name);
        Reply::Done
    }

    /// Gives a device of ours its name. What came with the self group ends here too.
    pub(crate) fn name_device(&mut self, id: &DeviceId, name: &str) {
        if let Some(mut account) = self.account().filter(|account| account.device == *id) {
            name.clone_into(&mut account.device_name);
            self.set_account(&account);
        }
        let mut named: Named = self.disk.get(&rows::named(id)).unwrap_or_default();
        name.clone_into(&mut named.name);
        self.disk.put(rows::named(id), &named);
        self.own_devices_should_know(About::Device(*id));
    }

    /// Devices that came by this one.
    pub(crate) fn devices_linked_here(&mut self) -> Vec<DeviceId> {
        let ids = self.devices();
        let ids = ids.iter().filter_map(|row| DeviceId::from_hex(&row.device).ok());
        ids.filter(|id| self.device_linked_here(id).is_some()).collect()
    }

    /// When this device approved another one of the account's, milliseconds; nothing if it did not.
    pub(crate) fn device_linked_here(&self, id: &DeviceId) -> Option<u64> {
        let named: Named = self.disk.get(&rows::named(id))?;
        named.approved_here.then_some(named.added_at)
    }

    /// A device that the newest list of ours names.
    fn own_device(&mut self, device: &str) -> Option<DeviceId> {
        let id = DeviceId::from_hex(device).ok()?;
        let me = self.me()?;
        let known = self.known(&me)?;
        known.chain.newest().device(&id).map(|device| device.id)
    }

    fn tell_device(&mut self, what: DeviceEvent) {
        self.tell(Event::Device { what });
    }
}
