// SPDX-License-Identifier: AGPL-3.0-or-later
//! A meeting: the slots of [`super::machine`] sealed, put and fetched, one request at a time, until it is done or over.
//!
//! In memory alone. A box that was not answered is put again, byte for byte; a slot that is still empty is asked for
//! again. What was signed here is on disk before it is sent, so that a meeting that breaks off after that changes
//! nothing of what comes.
//!
//! Spec: `docs/book/ledger.md`, 8.

use std::collections::VecDeque;

use nodoor_transparency::{
    link::{Code, LinkKey, LinkSecret, box_data},
    meeting::{Answer, Outcome},
};
use nodoor_view::{
    command::{Command as Asked, Reply},
    device::{Command, Event as DeviceEvent, Linking, Reply as DeviceReply},
    model::{Milliseconds, Problem, ProblemKind},
};
use nodoor_wire::{
    code::Class,
    id::{AccountId, DeviceId},
    proto::{self, answer, request},
    sealed,
};

use crate::{
    device::{
        PAUSE, Request,
        machine::{
            Asking, Broken, Heard, Keys, Matched, Offered, Showing, Shown, TRIES, Tried, Waiting,
        },
    },
    io::Wire,
    link::class_of,
    live::{Purpose, Sought},
    names::tidy,
    step::{Step, problem, refused},
};

/// How long a link is good, milliseconds: the server forgets a meeting after that.
const LINK_LASTS: u64 = 5 * 60_000;
/// How long a code is good.
const CODE_LASTS: u64 = 2 * 60_000;
/// How long the other side has for its signature, and we for the last box.
const SIGNING_LASTS: u64 = 60_000;
/// Pause before an empty slot is asked for again. The server waits up to 20 s before it says so.
const AGAIN: u64 = 1_000;

/// A meeting under way.
pub(crate) struct Meeting {
    number: u64,
    place: [u8; 16],
    key: LinkKey,
    letters: String,
    until: u64,
    stage: Stage,
    /// Boxes to put, oldest first.
    puts: VecDeque<(u8, Vec<u8>)>,
    /// The slot we wait for.
    reading: Option<u8>,
    putting: bool,
    getting: bool,
    again_at: u64,
    /// The newest slot that we wrote.
    said: Option<u8>,
    /// It is over; the last box may be on its way.
    over: bool,
}

/// Where a meeting stands.
enum Stage {
    /// New device: waits for slot 1.
    Shown(Shown),
    /// New device: waits for the old one's word.
    Waiting(Waiting),
    /// New device: waits for the code.
    Asking(Asking),
    /// New device: the account's lists are being looked up, to judge the one that is offered.
    Matched(Matched),
    /// New device: signed, waits for the last word.
    Signed,
    /// Old device: waits for slot 0.
    Meeting,
    /// Old device: shows the code, waits for an attempt.
    Showing(Showing),
    /// Old device: signed, waits for the new one's signature.
    Offered(Offered),
    /// Old device: the list is on its way.
    Putting(DeviceId),
    /// Nowhere, while it is moved on.
    Between,
}

impl Meeting {
    fn new(number: u64, secret: &LinkSecret, stage: Stage, until: u64) -> Self {
        Self {
            number,
            place: secret.rendezvous(),
            key: secret.key(),
            letters: secret.letters(),
            until,
            stage,
            puts: VecDeque::new(),
            reading: None,
            putting: false,
            getting: false,
            again_at: 0,
            said: None,
            over: false,
        }
    }

    /// When something of it is due.
    pub(super) fn due(&self) -> impl Iterator<Item = u64> {
        [self.until, self.again_at].into_iter()
    }

    /// The connection broke.
    pub(super) fn interrupted(&mut self) {
        (self.putting, self.getting) = (false, false);
    }

    /// Seals a slot and puts it at the end of what goes out.
    fn put(&mut self, slot: u8, plain: &[u8]) {
        let data = box_data(&self.place, slot);
        self.said = Some(slot);
        self.puts.push_back((slot, sealed::seal(&self.key.0, slot.into(), &data, plain)));
    }

    fn open(&self, slot: u8, boxed: &[u8]) -> Result<Vec<u8>, Broken> {
        let data = box_data(&self.place, slot);
        sealed::open(&self.key.0, slot.into(), &data, boxed).map_err(|_| Broken::Forged)
    }

    /// Whether this device is the one that is linked.
    fn is_new(&self) -> bool {
        use Stage::{Asking, Matched, Shown, Signed, Waiting};
        matches!(self.stage, Shown(_) | Waiting(_) | Asking(_) | Matched(_) | Signed)
    }

    /// Says something in the next slot of ours, and waits for the one after it.
    fn say(&mut self, plain: &[u8]) {
        let slot = self.said.map_or(0, |said| said.saturating_add(2));
        self.put(slot, plain);
        self.reading = Some(slot.saturating_add(1));
    }
}

impl Step<'_> {
    // ---- commands ------------------------------------------------------------------------------

    pub(super) fn link_start(&mut self) -> Reply {
        if self.account().is_some() {
            return refused(ProblemKind::HasAccount);
        }
        let secret = LinkSecret::of(self.random());
        let keys =
            Keys { device_seed: self.random(), mls_seed: self.random(), login_seed: self.random() };
        let name = self.live.device_name.clone();
        let shown = Shown::begin(keys, &name);
        let slot_0 = shown.slot_0.clone();
        let until = self.now + LINK_LASTS;
        let meeting = self.meet(&secret, Stage::Shown(shown), until);
        meeting.put(0, &slot_0);
        meeting.reading = Some(1);
        let letters = meeting.letters.clone();
        self.want(Wire::Anonymous);
        Reply::Device(DeviceReply::Link { letters, until: Milliseconds(until) })
    }

    pub(super) fn link_approve(&mut self, link: &str) -> Option<Reply> {
        // A QR code's text is a sentence and then the letters.
        let letters = link.trim().lines().last().unwrap_or_default();
        let Ok(secret) = LinkSecret::parse(letters) else {
            return Some(refused(ProblemKind::LinkOver));
        };
        if self.is_stopped() {
            return Some(refused(ProblemKind::Stopped));
        }
        let standing = self.standing();
        match standing {
            nodoor_view::device::Standing::Good => {}
            nodoor_view::device::Standing::Removed { .. } => {
                return Some(refused(ProblemKind::NotADevice));
            }
            nodoor_view::device::Standing::Disputed => return Some(refused(ProblemKind::Disputed)),
        }
        let here = self.live.device.meeting.as_ref().filter(|meeting| !meeting.over);
        match here.filter(|meeting| meeting.letters == secret.letters()).map(|one| &one.stage) {
            Some(Stage::Showing(showing)) => {
                let (code, name) = (showing.code().to_string(), tidy(showing.name(), 60));
                return Some(Reply::Device(DeviceReply::Code { code, name }));
            }
            Some(_) => return None,
            None => {}
        }
        // Met once: another text in the same slot would be sealed under the same key and number.
        if self.live.device.answered.contains(&secret.letters()) {
            return Some(refused(ProblemKind::LinkOver));
        }
        if self.may_sign_own_list() {
            let until = self.now + CODE_LASTS;
            self.meet(&secret, Stage::Meeting, until).reading = Some(0);
        }
        self.want(Wire::Login);
        None
    }

    pub(super) fn link_code(&mut self, code: &str) -> Option<Reply> {
        let ours = |meeting: &&mut Meeting| meeting.is_new() && !meeting.over;
        let Some(meeting) = self.live.device.meeting.as_mut().filter(ours) else {
            return Some(refused(ProblemKind::LinkOver));
        };
        match &meeting.stage {
            Stage::Asking(asking) => match asking.typed(code, self.rng) {
                Ok(Some((waiting, attempt))) => {
                    // The other device says whether it was right; the command waits for that.
                    meeting.stage = Stage::Waiting(waiting);
                    meeting.say(&attempt);
                    None
                }
                Ok(None) => Some(refused(ProblemKind::WrongCode)),
                Err(broken) => {
                    self.end_meeting(broken);
                    Some(refused(ProblemKind::LinkOver))
                }
            },
            // Typed before the other side asked, or on its way.
            Stage::Shown(_) | Stage::Waiting(_) => None,
            _ => Some(Reply::Done),
        }
    }

    pub(super) fn link_cancel(&mut self) -> Reply {
        let stage = self.live.device.meeting.as_ref().map(|meeting| &meeting.stage);
        match stage {
            // What is signed is not taken back: it may be put by either side.
            Some(Stage::Signed | Stage::Offered(_) | Stage::Putting(_)) => {
                return refused(ProblemKind::Approved);
            }
            None => {}
            Some(_) => self.end_meeting(Broken::Told(Outcome::Ended)),
        }
        Reply::Done
    }

    // ---- slots ---------------------------------------------------------------------------------

    fn meet(&mut self, secret: &LinkSecret, stage: Stage, until: u64) -> &mut Meeting {
        let live = &mut self.live.device;
        live.meetings += 1;
        live.meeting.insert(Meeting::new(live.meetings, secret, stage, until))
    }

    /// Sends what is due of the meeting.
    pub(super) fn advance_meeting(&mut self) {
        let Some(meeting) = &self.live.device.meeting else {
            return;
        };
        if meeting.until <= self.now {
            let decided = matches!(meeting.stage, Stage::Signed | Stage::Putting(_));
            if meeting.over || decided {
                self.live.device.meeting = None;
            } else {
                self.end_meeting(Broken::Told(Outcome::Ended));
            }
        }
        self.judge_offer();
        // The list that comes of it is put where we say who we are: another device of ours is met there as well, and no
        // anonymous connection is known by it. Who has no account has no other place.
        let wire = if self.me().is_some() { Wire::Login } else { Wire::Anonymous };
        if !self.is_ready(wire) {
            return;
        }
        let now = self.now;
        let Some(meeting) = &mut self.live.device.meeting else {
            return;
        };
        if meeting.again_at > now {
            return;
        }
        let (number, id) = (meeting.number, meeting.place.to_vec().into());
        if let Some((slot, boxed)) = meeting.puts.front() {
            if !meeting.putting {
                meeting.putting = true;
                let slot = *slot;
                let put =
                    proto::RendezvousPut { id, slot: slot.into(), r#box: boxed.clone().into() };
                let of = Purpose::Device(Request::Put(number, slot));
                self.request(wire, request::Body::RendezvousPut(put), of);
            }
        } else if let Some(slot) = meeting.reading
            && !meeting.getting
        {
            meeting.getting = true;
            let get = proto::RendezvousGet { id, slot: slot.into() };
            let of = Purpose::Device(Request::Get(number, slot));
            self.request(wire, request::Body::RendezvousGet(get), of);
        } else if meeting.over {
            self.live.device.meeting = None;
        }
    }

    /// The server's answer to a box.
    pub(super) fn box_put(&mut self, number: u64, slot: u8, body: &answer::Body) {
        let (now, Some(meeting)) = (self.now, &mut self.live.device.meeting) else {
            return;
        };
        if meeting.number != number || meeting.puts.front().is_none_or(|(own, _)| *own != slot) {
            return;
        }
        meeting.putting = false;
        match body {
            answer::Body::Done(_) => {
                meeting.puts.pop_front();
            }
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                let seconds = u64::from(refusal.retry_after_seconds) * 1000;
                meeting.again_at = now + seconds.max(PAUSE);
            }
            // Somebody else wrote there.
            _ => self.end_meeting(Broken::Forged),
        }
    }

    /// The server's answer to a slot.
    pub(super) fn box_got(&mut self, number: u64, slot: u8, body: &answer::Body) {
        let now = self.now;
        let Some(meeting) = &mut self.live.device.meeting else {
            return;
        };
        if meeting.number != number {
            return;
        }
        meeting.getting = false;
        if meeting.reading != Some(slot) {
            return;
        }
        let boxed = match body {
            answer::Body::RendezvousGet(got) => got.r#box.clone(),
            answer::Body::Refusal(refusal) => {
                let seconds = u64::from(refusal.retry_after_seconds) * 1000;
                meeting.again_at = now + seconds.max(PAUSE);
                return;
            }
            _ => return self.end_meeting(Broken::Forged),
        };
        if boxed.is_empty() {
            meeting.again_at = now + AGAIN;
            return;
        }
        meeting.reading = None;
        let taken = meeting.open(slot, &boxed).and_then(|plain| self.take_slot(&plain));
        if let Err(broken) = taken {
            self.end_meeting(broken);
        }
    }

    fn take_slot(&mut self, plain: &[u8]) -> Result<(), Broken> {
        let Some(meeting) = &mut self.live.device.meeting else {
            return Ok(());
        };
        let stage = std::mem::replace(&mut meeting.stage, Stage::Between);
        match stage {
            Stage::Shown(shown) => {
                let waiting = shown.answered(plain)?;
                let account = waiting.host.account;
                meeting.stage = Stage::Waiting(waiting);
                // The old device says the first two things of its own accord.
                meeting.said = Some(1);
                meeting.reading = Some(2);
                self.seek(account);
            }
            Stage::Waiting(waiting) => match waiting.heard(plain)? {
                Heard::Ask(asking) => {
                    let tries_left = asking.tries_left;
                    meeting.stage = Stage::Asking(asking);
                    if tries_left < TRIES {
                        self.fail_code(ProblemKind::WrongCode);
                    }
                    self.tell_linking(Linking::CodeWanted { tries_left });
                }
                Heard::Right(matched) => {
                    let (account, log) = (matched.host.account, matched.host.log.clone());
                    meeting.stage = Stage::Matched(matched);
                    self.tell_linking(Linking::Matched);
                    if log.is_some_and(|log| self.go_on_with_log(&account, &log).is_none()) {
                        return Err(Broken::Forged);
                    }
                    self.judge_offer();
                }
            },
            Stage::Signed => match Answer::from_slice(plain).map_err(|_| Broken::Forged)? {
                Answer::End(Outcome::Done) => self.look_who_we_are(),
                Answer::End(why) => return Err(Broken::Told(why)),
                Answer::Try(_) | Answer::Offer { .. } => return Err(Broken::Forged),
            },
            Stage::Meeting => {
                let (Some(account), Some(chain)) = (self.account(), self.own_chain()) else {
                    return Err(Broken::ListChanged);
                };
                let code = self.draw_code();
                let of = (account.device, self.seen_log());
                let (showing, slot_1) = Showing::begin(plain, &chain, of, code, self.rng)?;
                let until = self.now + CODE_LASTS;
                if let Some(meeting) = &mut self.live.device.meeting {
                    self.live.device.answered.insert(meeting.letters.clone());
                    meeting.put(1, &slot_1);
                    meeting.said = Some(0);
                    meeting.say(&showing.slot());
                    meeting.stage = Stage::Showing(showing);
                    meeting.until = until;
                }
            }
            Stage::Showing(showing) => {
                let (Some(key), Some(chain)) = (self.device_key(), self.own_chain()) else {
                    return Err(Broken::ListChanged);
                };
                let tried = showing.tried(plain, &chain, &key, self.rng)?;
                let until = self.now + SIGNING_LASTS;
                let Some(meeting) = &mut self.live.device.meeting else {
                    return Ok(());
                };
                match tried {
                    Tried::Wrong(showing) => {
                        meeting.say(&showing.slot());
                        meeting.stage = Stage::Showing(*showing);
                    }
                    Tried::Right(offered) => {
                        meeting.say(&offered.slot);
                        meeting.stage = Stage::Offered(*offered);
                        meeting.until = meeting.until.max(until);
                        self.tell_linking(Linking::Matched);
                    }
                }
            }
            Stage::Offered(offered) => {
                let Some(chain) = self.own_chain() else {
                    return Err(Broken::ListChanged);
                };
                let (device, name) = (offered.device.id, tidy(&offered.name, 60));
                let list = offered.signed(plain, &chain)?;
                if let Some(meeting) = &mut self.live.device.meeting {
                    meeting.stage = Stage::Putting(device);
                    meeting.until = self.now + SIGNING_LASTS;
                }
                self.put_list_with(&list, device, &name);
            }
            Stage::Asking(_) | Stage::Matched(_) | Stage::Putting(_) | Stage::Between => {
                return Err(Broken::Forged);
            }
        }
        Ok(())
    }

    /// A fresh code, each as likely as any other.
    fn draw_code(&mut self) -> Code {
        loop {
            let number = u32::from_be_bytes(self.random());
            if number < u32::MAX - u32::MAX % Code::COUNT {
                return Code::of(number);
            }
        }
    }

    /// The new device judges what it is offered, once it holds the account's lists as slot 1 named them.
    fn judge_offer(&mut self) {
        let Some(Meeting { stage: Stage::Matched(matched), over: false, .. }) =
            &self.live.device.meeting
        else {
            return;
        };
        let matched = matched.clone();
        let (account, named) = (matched.host.account, matched.host.list);
        let chain = self.known(&account).map(|known| known.chain.clone());
        let Some(chain) = chain.filter(|chain| chain.by_hash(&named).is_some()) else {
            return self.seek(account);
        };
        match matched.judged(&chain) {
            Ok(signed) => {
                // On disk with this step, and only then sent.
                self.begin_joining(account, &signed.keys);
                if let Some(meeting) = &mut self.live.device.meeting {
                    meeting.say(&signed.signature);
                    meeting.stage = Stage::Signed;
                }
                self.tell_linking(Linking::Pending);
            }
            Err(broken) => self.end_meeting(broken),
        }
    }

    /// The list of this device's meeting is at the server, or will never be.
    pub(super) fn linked(&mut self, device: DeviceId, outcome: Outcome) {
        let ours = |meeting: &Meeting| matches!(meeting.stage, Stage::Putting(id) if id == device);
        let Some(meeting) = self.live.device.meeting.as_mut().filter(|meeting| ours(meeting))
        else {
            return;
        };
        if outcome == Outcome::Done {
            meeting.say(&Answer::End(outcome).to_vec());
            meeting.reading = None;
            meeting.over = true;
            let device = self.device_row(&device);
            self.tell_linking(Linking::Linked { device });
        } else {
            self.end_meeting(match outcome {
                Outcome::ListChanged => Broken::ListChanged,
                Outcome::TooManyDevices => Broken::TooManyDevices,
                other => Broken::Told(other),
            });
        }
    }

    /// Ends the meeting: the person is told, and from the old device the new one, as far as it still listens.
    fn end_meeting(&mut self, broken: Broken) {
        let ours = |meeting: &&mut Meeting| !meeting.over;
        let Some(meeting) = self.live.device.meeting.as_mut().filter(ours) else {
            return;
        };
        meeting.over = true;
        let outcome = match broken {
            Broken::Forged | Broken::Tries => Outcome::Refused,
            Broken::ListChanged => Outcome::ListChanged,
            Broken::TooManyDevices => Outcome::TooManyDevices,
            Broken::Told(outcome) => outcome,
        };
        meeting.until = self.now + SIGNING_LASTS;
        match meeting.said {
            // The old device's slots are the even ones from 2 on.
            Some(said) if said >= 2 && said.is_multiple_of(2) => {
                meeting.say(&Answer::End(outcome).to_vec());
            }
            // The new device has nothing to say, and before slot 1 there is nobody to say it to.
            _ => meeting.puts.clear(),
        }
        meeting.reading = None;
        let problem = problem(match outcome {
            Outcome::Refused if broken == Broken::Forged => ProblemKind::Forged,
            Outcome::ListChanged => ProblemKind::ListChanged,
            Outcome::TooManyDevices => ProblemKind::TooManyDevices,
            Outcome::Disputed => ProblemKind::Disputed,
            _ => ProblemKind::LinkOver,
        });
        self.fail_linking(&problem);
        self.tell_linking(Linking::Ended { problem });
    }

    fn fail_linking(&mut self, problem: &Problem) {
        self.fail_parked(problem, |ask| {
            matches!(
                &ask.command,
                Asked::Device { of: Command::LinkApprove { .. } | Command::LinkCode { .. } }
            )
        });
    }

    fn fail_code(&mut self, kind: ProblemKind) {
        self.fail_parked(&problem(kind), |ask| {
            matches!(&ask.command, Asked::Device { of: Command::LinkCode { .. } })
        });
    }

    pub(super) fn tell_linking(&mut self, state: Linking) {
        self.tell_device(DeviceEvent::Linking { state });
    }

    /// Asks for the lists of an account, unless that is under way.
    pub(super) fn seek(&mut self, account: AccountId) {
        self.wish(Sought::Account(account), self.now);
    }
}
