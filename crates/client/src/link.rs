// SPDX-License-Identifier: AGPL-3.0-or-later
//! The two connections: greeting, login, requests and their answers.
//!
//! Everything that goes out leaves through [`Step::request`]; every answer comes back to the module its
//! [`Purpose`] names. A connection that breaks loses what was in flight: rows on disk say what to repeat.
//!
//! Spec: `docs/book/protocol.md`, 2.

use nodoor_transparency::key::{SigningKey, label, login_bytes};
use nodoor_view::{
    command::Command,
    event::{Connection, Event},
    model::{Problem, ProblemKind},
};
use nodoor_wire::{
    PROTOCOL_VERSION,
    code::{Class, Code},
    id::DeploymentId,
    proto::{self, answer, from_server, request},
};
use prost::Message as _;

use crate::{
    io::{Effect, Wire},
    live::{Link, LinkState, Purpose},
    putback::Disk,
    rows::key,
    step::{Step, problem},
};

/// A clock further off than this is shown to the person, seconds.
const CLOCK_TOLERANCE: i64 = 300;

impl Step<'_> {
    /// The volatile half of a connection.
    pub(crate) fn link(&mut self, wire: Wire) -> &mut Link {
        match wire {
            Wire::Login => &mut self.live.login,
            Wire::Anonymous => &mut self.live.anonymous,
        }
    }

    /// Whether requests may go.
    pub(crate) fn is_ready(&self, wire: Wire) -> bool {
        let link = match wire {
            Wire::Login => &self.live.login,
            Wire::Anonymous => &self.live.anonymous,
        };
        link.state == LinkState::Ready
    }

    /// Asks the driver for a connection that is not there.
    pub(crate) fn want(&mut self, wire: Wire) {
        let link = self.link(wire);
        if link.state == LinkState::Closed {
            link.state = LinkState::Asked;
            self.effects.push(Effect::Connect(wire));
        }
    }

    /// Sends a request; its answer comes back to the purpose.
    pub(crate) fn request(&mut self, wire: Wire, body: request::Body, purpose: Purpose) {
        let link = self.link(wire);
        link.next += 1;
        let id = link.next;
        link.awaiting.insert(id, purpose);
        let frame = proto::Request { id, body: Some(body) }.encode_to_vec();
        self.effects.push(Effect::Frame(wire, frame));
    }

    /// A connection stands: greet.
    pub(crate) fn connected(&mut self, wire: Wire) {
        let before_account = self.account().is_none_or(|account| account.registering.is_some());
        *self.link(wire) = Link { state: LinkState::Greeting, before_account, ..Link::default() };
        let kind = match wire {
            Wire::Login => proto::ConnectionKind::Login,
            Wire::Anonymous => proto::ConnectionKind::Anonymous,
        };
        let hello =
            proto::Hello { versions: vec![PROTOCOL_VERSION], kind: kind.into(), token: None };
        self.request(wire, request::Body::Hello(hello), Purpose::Hello);
    }

    /// A connection is gone, and with it whatever was in flight on it.
    pub(crate) fn disconnected(&mut self, wire: Wire) {
        self.drop_unanswered(wire);
        if wire == Wire::Login {
            // The server delivers again what was not acknowledged.
            self.live.incoming.clear();
            self.nothing_stays();
            self.live.hour_keys.clear();
            self.live.bodies.clear();
            (self.live.fetching, self.live.forgetting) = (false, false);
            self.live.ack_again = None;
            (self.live.challenge, self.live.log_in_at) = (None, None);
            (self.live.issue, self.live.issue_after) = (None, 0);
        }
        self.live.lost = true;
        self.fail_parked(&problem(ProblemKind::Offline), |ask| ask.command == Command::Finish);
        self.hurry_parked();
        self.want(wire);
        self.tell_connection();
    }

    /// Another connection in the place of one that stands; what was in flight on it is asked again.
    pub(crate) fn renew(&mut self, wire: Wire) {
        self.drop_unanswered(wire);
        self.link(wire).state = LinkState::Asked;
        self.effects.push(Effect::Renew(wire));
    }

    fn drop_unanswered(&mut self, wire: Wire) {
        let lost = std::mem::take(self.link(wire));
        lost.awaiting.values().for_each(|purpose| self.unanswered(purpose));
    }

    /// A request will have no answer: what waits for one asks again.
    pub(crate) fn unanswered(&mut self, purpose: &Purpose) {
        match purpose {
            Purpose::Token(room)
            | Purpose::Take(room, _)
            | Purpose::Found(room)
            | Purpose::Commit(room)
            | Purpose::Send(room, _)
            | Purpose::CatchUp(room) => {
                self.live.busy.remove(room);
            }
            Purpose::Lookup(sought) => {
                if let Some(search) = self.live.searches.get_mut(sought) {
                    search.asked_at = None;
                }
            }
            Purpose::TokenKey(_) => self.live.asking_for_key = false,
            Purpose::Grows(..) => self.growth_lost(),
            Purpose::Pass(message) => self.pass_unanswered(*message),
            Purpose::Gossip(claim) => self.gossip_unanswered(claim),
            Purpose::History(_) => self.own_history_lost(),
            Purpose::Device(of) => self.device_unanswered(of),
            Purpose::Hello
            | Purpose::Register
            | Purpose::Login
            | Purpose::Policy
            | Purpose::Admission
            | Purpose::TokenKeys
            | Purpose::Tokens
            | Purpose::Nothing
            | Purpose::PackageTokens
            | Purpose::Packages
            | Purpose::MailboxKey
            | Purpose::Called(_)
            | Purpose::Ack(_)
            | Purpose::Forget(_)
            | Purpose::Bodies(_) => {}
        }
    }

    /// One frame of the server.
    pub(crate) fn frame(&mut self, wire: Wire, bytes: &[u8]) {
        let Ok(message) = proto::FromServer::decode(bytes) else {
            return;
        };
        match message.body {
            Some(from_server::Body::Answer(answer)) => {
                if let Some(purpose) = self.link(wire).awaiting.remove(&answer.id) {
                    // An answer without anything in it is a server at fault.
                    let fault =
                        proto::Refusal { code: Code::Internal.number(), ..Default::default() };
                    let body = answer.body.unwrap_or(answer::Body::Refusal(fault));
                    self.answered(wire, purpose, body);
                }
            }
            // Without a subscription of this run, entries before these may be unread: the next one brings all.
            Some(from_server::Body::Deliver(deliver))
                if wire == Wire::Login && self.is_ready(wire) =>
            {
                self.delivered(deliver);
            }
            _ => {}
        }
    }

    pub(crate) fn answered(&mut self, wire: Wire, purpose: Purpose, body: answer::Body) {
        if wire == Wire::Anonymous
            && let answer::Body::Refusal(refusal) = &body
            && self.is_about_admission(&purpose, refusal)
        {
            return;
        }
        if wire == Wire::Login
            && matches!(&body, answer::Body::Refusal(one) if one.code == Code::Unauthorised.number())
        {
            // Logged in no longer: a list may have removed this device.
            self.login_refused();
        }
        match (purpose, body) {
            (Purpose::Hello, answer::Body::Hello(hello)) => self.greeted(wire, &hello),
            (Purpose::Hello, answer::Body::Refusal(refusal))
                if class_of(&refusal) == Class::Permanent =>
            {
                self.does_not_fit(problem_of(&refusal).kind);
            }
            (Purpose::Register, body) => self.registered(body),
            (Purpose::Login, answer::Body::Login(login)) => self.logged_in(&login),
            (Purpose::Login, answer::Body::Refusal(refusal))
                if class_of(&refusal) == Class::Retry =>
            {
                let seconds = u64::from(refusal.retry_after_seconds).max(5);
                self.live.log_in_at = Some(self.now + seconds * 1000);
            }
            (Purpose::Device(of), body) => self.device_answered(of, body),
            // A login that does not verify will not do so later.
            (Purpose::Login | Purpose::Hello | Purpose::Nothing, _) => {}
            (Purpose::Admission, body) => self.admission_answered(&body),
            (Purpose::TokenKeys, body) => self.token_keys_answered(&body),
            (Purpose::TokenKey(key), body) => self.logged_key_answered(key, body),
            (Purpose::Tokens, body) => self.tokens_answered(&body),
            (Purpose::PackageTokens, body) => self.package_tokens_answered(&body),
            (Purpose::Packages, body) => self.packages_answered(&body),
            (Purpose::MailboxKey, body) => self.mailbox_key_answered(&body),
            (Purpose::Called(asked), body) => self.called_answered(&asked, &body),
            (Purpose::Ack(ack), body) => self.acknowledged(ack, &body),
            (Purpose::Forget(rows), body) => self.tokens_forgotten(&rows, &body),
            (Purpose::Token(room), body) => self.token_answered(&room, &body),
            (Purpose::Lookup(sought), body) => self.looked_up(sought, body),
            (Purpose::Grows(wire, growth), body) => self.growth_answered(wire, *growth, &body),
            (Purpose::Gossip(claim), body) => self.gossip_answered(*claim, &body),
            (Purpose::History(newest), body) => self.own_history_answered(newest, body),
            (Purpose::Policy, body) => self.policy_answered(&body),
            (Purpose::Take(room, who), body) => self.took(&room, who, body),
            (Purpose::Found(room), body) => self.founded(&room, body),
            (Purpose::Commit(room), body) => self.commit_answered(&room, body),
            (Purpose::Send(room, row), body) => self.send_answered(&room, &row, body),
            (Purpose::CatchUp(room), body) => self.caught_up(&room, body),
            (Purpose::Pass(message), body) => self.pass_answered(message, &body),
            (Purpose::Bodies(ids), body) => self.bodies_answered(&ids, body),
        }
    }

    fn greeted(&mut self, wire: Wire, hello: &proto::HelloAnswer) {
        let seconds = (i64::try_from(hello.now_ms).unwrap_or(0)
            - i64::try_from(self.now).unwrap_or(0))
            / 1000;
        if wire == Wire::Login && seconds.abs() > CLOCK_TOLERANCE {
            self.tell(Event::ClockWrong { seconds });
        }
        if hello.version != PROTOCOL_VERSION {
            return self.does_not_fit(ProblemKind::Version);
        }
        let account = self.account();
        let pinned = account.as_ref().and_then(|account| account.deployment);
        let expected = pinned.or(self.live.deployment);
        let deployment = DeploymentId::try_from(hello.deployment.as_ref()).ok();
        let deployment = deployment.filter(|shown| expected.is_none_or(|first| first == *shown));
        let Some(deployment) = deployment else {
            // Another server, on one connection at least: nothing is asked of it and nothing told.
            return self.does_not_fit(ProblemKind::Forged);
        };
        if !self.take_token_keys(wire, hello) {
            // Keys of our own: whoever spends a token of such a key is known.
            return self.does_not_fit(ProblemKind::Forged);
        }
        self.live.deployment = Some(deployment);
        if !self.pin_policy(&deployment, &hello.policy) {
            return self.does_not_fit(ProblemKind::Forged);
        }
        match (wire, account) {
            (Wire::Anonymous, _) => self.link(wire).state = LinkState::Ready,
            // Lists that the recovery key signed go before a login.
            (Wire::Login, None) => {
                self.live.challenge = <[u8; 32]>::try_from(hello.challenge.as_ref()).ok();
            }
            (Wire::Login, Some(mut account)) => {
                self.live.challenge = <[u8; 32]>::try_from(hello.challenge.as_ref()).ok();
                if account.deployment.is_none() {
                    account.deployment = Some(deployment);
                    self.set_account(&account);
                }
                if let Some(register) = &account.registering {
                    if let Ok(register) = proto::Register::decode(register.as_slice()) {
                        let body = request::Body::Register(register);
                        self.request(wire, body, Purpose::Register);
                    }
                    return;
                }
                self.log_in(&deployment);
            }
        }
        self.tell_connection();
    }

    /// The server we reach is of another version or not the one we know: the person is told, once, and what waits for
    /// it is answered. The driver goes on trying.
    fn does_not_fit(&mut self, kind: ProblemKind) {
        let problem = problem(kind);
        self.fail_parked(&problem, |_| true);
        if self.live.unfit.replace(kind) != Some(kind) {
            self.tell(Event::ServerUnfit { problem });
        }
    }

    /// Answers the challenge, for the deployment we registered with and never another's.
    pub(crate) fn log_in(&mut self, deployment: &DeploymentId) {
        self.live.log_in_at = None;
        if let (Some(account), Some(challenge)) = (self.account(), self.live.challenge)
            && account.deployment == Some(*deployment)
        {
            let bytes = login_bytes(deployment, &challenge);
            let login = proto::Login {
                account: account.account.to_bytes(),
                device: account.device.to_bytes(),
                signature: SigningKey::from_seed(account.login_seed)
                    .sign(label::LOGIN, &bytes)
                    .to_vec()
                    .into(),
            };
            self.request(Wire::Login, request::Body::Login(login), Purpose::Login);
        }
    }

    /// Tries a login again that was refused for a while.
    pub(crate) fn log_in_again(&mut self) {
        if self.live.log_in_at.is_some_and(|at| at <= self.now)
            && self.live.login.state == LinkState::Greeting
            && let Some(deployment) = self.deployment()
        {
            self.log_in(&deployment);
        }
    }

    fn logged_in(&mut self, login: &proto::LoginAnswer) {
        self.link(Wire::Login).state = LinkState::Ready;
        let disk = self.weigh_own_disk(login);
        self.came_back();
        let after = self.disk.get(key::LAST).unwrap_or(0);
        let subscribe = request::Body::Subscribe(proto::Subscribe { after });
        self.request(Wire::Login, subscribe, Purpose::Nothing);
        // Of an old copy neither the mailbox key nor the key packages that the server has need be known here.
        let renew_key = disk == Disk::Old { renew_key: true };
        let made_at = if renew_key { 0 } else { login.mailbox_key_made_at_ms };
        self.renew_mailbox_key(made_at);
        if disk != Disk::Newest && self.live.upload.is_none() {
            self.live.upload = self.make_new_stock();
        }
        if login.mailbox_key_made_at_ms == 0 {
            // Without a mailbox key of ours nothing reaches us: that first.
            self.live.device.packages_left = Some(login.key_packages_left);
        } else {
            self.refill_key_packages(login.key_packages_left);
        }
        self.live.push_key = Some(login.push_key.to_vec());
        self.tell_again_where_called();
        self.look_at_own_list();
        self.refill_tokens();
        self.live.offers_changed = true;
        self.tell_connection();
    }

    /// Tells interfaces how the connection stands, if that changed.
    pub(crate) fn tell_connection(&mut self) {
        let (login, anonymous) = (self.live.login.state, self.live.anonymous.state);
        let has_account = self.account().is_some_and(|account| account.registering.is_none());
        let login_stands = login == LinkState::Ready || !has_account;
        let state = if login_stands && anonymous == LinkState::Ready {
            Connection::Online
        } else if self.live.lost {
            Connection::Offline
        } else {
            Connection::Connecting
        };
        self.live.lost &= state != Connection::Online;
        if state == Connection::Online {
            self.live.unfit = None;
        }
        self.live.online_since = match (state, self.live.online_since) {
            (Connection::Online, since) => since.or(Some(self.now)),
            _ => None,
        };
        if self.live.told_connection != Some(state) {
            self.live.told_connection = Some(state);
            self.tell(Event::Connection { state });
        }
    }
}

/// What a refusal means for a person.
pub(crate) fn problem_of(refusal: &proto::Refusal) -> Problem {
    let kind = match Code::from_number(refusal.code) {
        Some(Code::HandleTaken) => ProblemKind::HandleTaken,
        Some(Code::HandleForm) => ProblemKind::HandleForm,
        Some(Code::NotFound | Code::NoKeyPackage) => ProblemKind::AccountGone,
        Some(Code::TooLarge) => ProblemKind::Size,
        Some(Code::SlowDown) => ProblemKind::SlowDown,
        Some(Code::StorageFull | Code::Internal | Code::LedgerWaits) => ProblemKind::Server,
        Some(Code::Forbidden) => ProblemKind::NotAMember,
        Some(Code::Version) => ProblemKind::Version,
        Some(Code::RegistrationClosed) => ProblemKind::RegistrationClosed,
        _ => ProblemKind::Internal,
    };
    Problem { kind, code: refusal.code, wait_seconds: refusal.retry_after_seconds }
}

/// How a refusal is to be taken. Numbers of later versions count as permanent.
pub(crate) fn class_of(refusal: &proto::Refusal) -> Class {
    Code::from_number(refusal.code).map_or(Class::Permanent, Code::class)
}
