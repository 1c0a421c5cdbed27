// SPDX-License-Identifier: AGPL-3.0-or-later
//! Tokens for the anonymous connection: taken blinded on the login connection, verified, kept, each spent once.
//!
//! The server may ask for a token before it does anything about rooms, and must not learn whose it is. So a batch is
//! taken ahead of need, under the one key of the day that the public log names, which is everybody's; a token goes from the disk in the same step
//! that hands out the frame that shows it, so that no crash shows it twice (it may be lost: another one is spent). One
//! token, one connection. Without any the rooms wait and the person is told; nothing that names us is ever shown instead.
//!
//! The day of a token is seen by whoever takes it. Were it a day of one's own, it would be a name: so tokens are taken of
//! the ledger's day alone, and shown only where the greeting of that very connection, which does not know us, names it.
//!
//! [`crate::room`] and [`crate::outbox`] ask [`Step::is_admitted`]; [`crate::link`] brings the answers here.
//!
//! Spec: `docs/book/ledger.md`, 7; RFC 9497 (VOPRF, ristretto255-SHA512).

use nodoor_transparency::ledger::{
    checkpoint::SignedCheckpoint,
    entry::{Entry, GovernanceKind},
    proof::Inclusion,
    tree::leaf_hash,
};
use nodoor_view::{
    event::Event,
    model::{Problem, ProblemKind},
};
use nodoor_wire::{
    PROTOCOL_VERSION,
    code::{Class, Code},
    proto::{self, answer, request},
};
use rand_core::CryptoRng;
use serde_bytes::ByteArray;
use voprf::{EvaluationElement, Group as _, Proof, Ristretto255, VoprfClient};

use crate::{
    io::Wire,
    ledger::Weighed,
    link::class_of,
    live::{Admission, LinkState, Purpose},
    rows::key,
    step::Step,
};

/// Tokens asked for at a time: a lost answer loses so many of those an account has a day.
const BATCH: usize = 16;
/// With fewer of the newest day than this more are asked for.
const LOW: usize = 4;
/// Pause after an answer that gave none, milliseconds.
const PAUSE: u64 = 3_600_000;
/// With no token of a day that an anonymous connection names, it is asked for its day again so rarely, milliseconds.
const DAY_AGAIN: u64 = 60_000;
/// The keys of a new day are asked for up to so much later, so that not everybody comes at midnight, milliseconds.
const SPREAD: u64 = 1_800_000;
const DAY: u64 = 24 * 3_600_000;

/// The public key of a day, as a `Hello` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayKey {
    /// Days of UTC since 1970.
    pub(crate) day: u32,
    /// A ristretto255 element.
    pub(crate) key: [u8; 32],
}

impl DayKey {
    /// The keys of a greeting, oldest first. What is no key is none.
    pub(crate) fn of_hello(hello: &proto::HelloAnswer) -> Vec<Self> {
        let read = |one: &proto::TokenKey| {
            let key = <[u8; 32]>::try_from(one.public_key.as_ref()).ok()?;
            Some(Self { day: one.day, key })
        };
        let mut keys: Vec<Self> = hello.token_keys.iter().filter_map(read).collect();
        keys.sort_unstable_by_key(|one| one.day);
        keys
    }

    /// Whether these are keys of today and the day before, or of today alone: of more days there could be one for each of us.
    fn are_of_two_days(keys: &[Self]) -> bool {
        let follows = |pair: &[Self]| matches!(pair, [a, b] if a.day.checked_add(1) == Some(b.day));
        keys.len() <= 2 && keys.windows(2).all(follows)
    }

    /// Whether two greetings name one key for every day they both name.
    pub(crate) fn agree(one: &[Self], other: &[Self]) -> bool {
        one.iter().all(|a| other.iter().all(|b| a.day != b.day || a.key == b.key))
    }
}

/// A batch on its way: what unblinds its answer.
pub(crate) struct Issue {
    of: DayKey,
    nonces: Vec<[u8; 32]>,
    blinds: Vec<VoprfClient<Ristretto255>>,
}

impl Issue {
    fn new(of: DayKey, count: usize, rng: &mut dyn CryptoRng) -> (Self, proto::TokenIssue) {
        let mut issue = Self { of, nonces: Vec::new(), blinds: Vec::new() };
        let mut ask = proto::TokenIssue { day: of.day, blinded: Vec::new() };
        for _ in 0..count {
            let mut nonce = [0; 32];
            rng.fill_bytes(&mut nonce);
            // It fails for inputs of 64 KiB and more.
            if let Ok(made) = VoprfClient::<Ristretto255>::blind(&nonce, &mut Draws(rng)) {
                ask.blinded.push(made.message.serialize().to_vec().into());
                issue.nonces.push(nonce);
                issue.blinds.push(made.state);
            }
        }
        (issue, ask)
    }

    /// The tokens of an answer; nothing if the proof is not one under the key of the day.
    fn finish(&self, answer: &proto::TokenIssueAnswer) -> Option<Vec<([u8; 32], [u8; 64])>> {
        if answer.evaluated.len() != self.blinds.len() || answer.proof.len() != 64 {
            return None;
        }
        let element = |bytes: &[u8]| match bytes.len() {
            32 => EvaluationElement::<Ristretto255>::deserialize(bytes).ok(),
            _ => None,
        };
        let evaluated = answer.evaluated.iter().map(|one| element(one));
        let evaluated = evaluated.collect::<Option<Vec<_>>>()?;
        let proof = Proof::deserialize(&answer.proof).ok()?;
        let key = Ristretto255::deserialize_elem(&self.of.key).ok()?;
        let inputs: Vec<&[u8]> = self.nonces.iter().map(<[u8; 32]>::as_slice).collect();
        let outputs =
            VoprfClient::batch_finalize(&inputs, &self.blinds, &evaluated, &proof, key).ok()?;
        let tokens = self.nonces.iter().zip(outputs);
        tokens.map(|(nonce, output)| Some((*nonce, output.ok()?.into()))).collect()
    }
}

impl Step<'_> {
    // ---- spending ------------------------------------------------------------------------------

    /// Whether the anonymous connection lets us ask about rooms now. If it takes a token for that, one is spent at
    /// the end of the step and whoever asked is tried again.
    pub(crate) fn is_admitted(&self) -> bool {
        let link = &self.live.anonymous;
        match link.admission {
            Admission::Given => true,
            Admission::Asked => false,
            // A server without tokens, or one that does without as long as we have none.
            Admission::None if link.token_keys.is_empty() && !link.barred => true,
            Admission::None => {
                let wanted = link.barred || self.has_token();
                self.live.admission_wanted.set(wanted);
                !wanted
            }
        }
    }

    /// Spends a token on the connection, if something waits for that.
    pub(crate) fn seek_admission(&mut self) {
        let wanted = self.live.admission_wanted.replace(false);
        let link = &self.live.anonymous;
        if !wanted || link.state != LinkState::Ready || link.admission != Admission::None {
            return;
        }
        if self.live.admission_after > self.now {
            return;
        }
        if !self.has_token() {
            self.ask_for_the_day();
            return self.say_out_of_tokens();
        }
        if self.live.anonymous.before_account {
            // It asked for our handle before that was ours: what it does from now on would be known as ours.
            return self.renew(Wire::Anonymous);
        }
        let Some(token) = self.take_token() else {
            return;
        };
        self.live.anonymous.admission = Admission::Asked;
        self.live.told_out_of_tokens = false;
        let hello = proto::Hello {
            versions: vec![PROTOCOL_VERSION],
            kind: proto::ConnectionKind::Anonymous.into(),
            token: Some(token),
        };
        self.request(Wire::Anonymous, request::Body::Hello(hello), Purpose::Admission);
        self.refill_tokens();
    }

    /// The server's answer to a token.
    pub(crate) fn admission_answered(&mut self, body: &answer::Body) {
        let admission = match body {
            answer::Body::Hello(_) => Admission::Given,
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                let seconds = u64::from(refusal.retry_after_seconds).max(5);
                self.live.admission_after = self.now + seconds * 1000;
                Admission::None
            }
            // This one did not count: the next one may.
            _ => Admission::None,
        };
        self.live.anonymous.admission = admission;
    }

    /// A refusal that is about the connection and not about the request: nothing of it is that room's business. Says
    /// whether it was one.
    pub(crate) fn is_about_admission(&mut self, of: &Purpose, refusal: &proto::Refusal) -> bool {
        let code = Code::from_number(refusal.code);
        let about_room = matches!(
            of,
            Purpose::Found(_)
                | Purpose::Commit(_)
                | Purpose::Send(..)
                | Purpose::CatchUp(_)
                | Purpose::Pass(_)
        );
        let admission = self.live.anonymous.admission;
        if code == Some(Code::Unauthorised) && (about_room || matches!(of, Purpose::Take(..))) {
            self.live.anonymous.barred = true;
            self.unanswered(of);
            if admission == Admission::Given {
                self.renew(Wire::Anonymous);
            }
            return true;
        }
        // A taking of key packages has budgets of its own beside the connection's.
        let used_up = code == Some(Code::SlowDown)
            && admission == Admission::Given
            && (about_room || matches!(of, Purpose::Lookup(_)));
        if used_up {
            self.unanswered(of);
            self.renew(Wire::Anonymous);
        }
        used_up
    }

    /// The days whose tokens may be shown on the anonymous connection, newest first: those that it names itself.
    fn days(&self) -> impl Iterator<Item = Vec<u8>> {
        self.live.anonymous.token_keys.iter().rev().map(|key| key::tokens_of(key.day))
    }

    fn has_token(&self) -> bool {
        self.days().any(|day| !self.disk.keys(&day, 1).is_empty())
    }

    /// Takes a token from the disk, of the newest day that everybody has. Whatever becomes of it, it is not there again.
    fn take_token(&mut self) -> Option<proto::SpentToken> {
        let row = self.days().find_map(|day| self.disk.prefixed(&day, 1).into_iter().next());
        let (row, value) = row?;
        self.disk.remove(&row);
        let output = self.disk.decode::<ByteArray<64>>(&value)?;
        let (day, nonce) = key::read_token(&row)?;
        let (nonce, output) = (nonce.to_vec().into(), output.to_vec().into());
        Some(proto::SpentToken { day, nonce, output })
    }

    /// An anonymous connection that outlived its day names a day that is over: it says which one it is now.
    fn ask_for_the_day(&mut self) {
        let named = self.live.anonymous.token_keys.last().map(|key| key.day);
        let newest = self.live.login.token_keys.last().map(|key| key.day);
        if named.is_some() && named < newest {
            self.live.admission_after = self.now + DAY_AGAIN;
            let hello = proto::Hello {
                versions: vec![PROTOCOL_VERSION],
                kind: proto::ConnectionKind::Anonymous.into(),
                token: None,
            };
            self.request(Wire::Anonymous, request::Body::Hello(hello), Purpose::Hello);
        }
    }

    /// Says, once until one is spent again, that rooms wait.
    fn say_out_of_tokens(&mut self) {
        self.refill_tokens();
        let may_come = self.live.issue.is_some() || !self.is_ready(Wire::Login);
        if may_come || self.live.told_out_of_tokens {
            return;
        }
        self.live.told_out_of_tokens = true;
        let wait = self.live.issue_after.saturating_sub(self.now) / 1000;
        let wait_seconds = u32::try_from(wait).unwrap_or(u32::MAX);
        let problem = Problem { kind: ProblemKind::OutOfTokens, code: 0, wait_seconds };
        self.tell(Event::ServerUnfit { problem });
    }

    // ---- taking --------------------------------------------------------------------------------

    /// Asks for tokens of the newest day, if few are left of it.
    pub(crate) fn refill_tokens(&mut self) {
        let Some(newest) = self.live.login.token_keys.last().copied() else {
            return;
        };
        if !self.is_ready(Wire::Login)
            || self.live.issue.is_some()
            || self.live.issue_after > self.now
        {
            return;
        }
        let of_day = key::tokens_of(newest.day);
        if self.disk.keys(&of_day, LOW).len() >= LOW {
            return;
        }
        if self.ledger().is_some() && self.live.logged_key != Some(newest) {
            return self.ask_for_logged_key(newest);
        }
        let (issue, ask) = Issue::new(newest, BATCH, self.rng);
        self.live.issue = Some(issue);
        self.request(Wire::Login, request::Body::TokenIssue(ask), Purpose::Tokens);
    }

    fn ask_for_logged_key(&mut self, key: DayKey) {
        if !std::mem::replace(&mut self.live.asking_for_key, true) {
            let get = proto::TokenKeyGet { day: key.day };
            self.request(Wire::Login, request::Body::TokenKeyGet(get), Purpose::TokenKey(key));
        }
    }

    /// The server's answer to where the log has a day's key. Until it is shown there, no token is taken under it.
    pub(crate) fn logged_key_answered(&mut self, key: DayKey, body: answer::Body) {
        self.live.asking_for_key = false;
        let answer::Body::TokenKey(shown) = &body else {
            self.live.issue_after = self.next_key_try();
            return;
        };
        match self.weigh(shown.epoch.as_ref()) {
            Weighed::Proved(under) => {
                let today = u64::from(key.day).abs_diff(under.entry.time_ms / DAY) <= 1;
                match shown.key.as_ref().and_then(|entry| logged_key(entry, &under.checkpoint)) {
                    // A day of which nobody else takes tokens would be our name.
                    Some(logged) if logged == key && !today => {
                        self.live.issue_after = self.now + PAUSE;
                        self.tell_forged();
                    }
                    Some(logged) if logged == key => {
                        self.key_is_logged();
                        self.live.logged_key = Some(key);
                        self.refill_tokens();
                    }
                    Some(logged) if logged.day == key.day => {
                        self.live.issue_after = self.now + PAUSE;
                        self.tell_forged();
                    }
                    _ => self.live.issue_after = self.next_key_try(),
                }
            }
            Weighed::Grows(to) => {
                self.live.asking_for_key = true;
                let beside = shown.epoch.as_ref().map(|epoch| epoch.inclusion.clone());
                let of = (Purpose::TokenKey(key), body);
                self.wait_for_growth(Wire::Login, of, *to, &beside.unwrap_or_default());
            }
            Weighed::Nothing => self.live.issue_after = self.next_key_try(),
        }
    }

    /// The server's answer to a batch.
    pub(crate) fn tokens_answered(&mut self, body: &answer::Body) {
        let Some(issue) = self.live.issue.take() else {
            return;
        };
        self.live.issue_after = self.now + PAUSE;
        match body {
            answer::Body::TokenIssue(answer) => match issue.finish(answer) {
                Some(tokens) => {
                    self.live.issue_after = 0;
                    for (nonce, output) in tokens {
                        let row = key::token(issue.of.day, &nonce);
                        self.disk.put(row, &ByteArray::new(output));
                    }
                }
                // Made under another key than everybody's: it would mark us. None of them is kept.
                None => self.tell_forged(),
            },
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                let seconds = u64::from(refusal.retry_after_seconds).max(60);
                self.live.issue_after = self.now + seconds * 1000;
            }
            // The day is over at the server: its keys are asked for anew.
            answer::Body::Refusal(refusal) if refusal.code == Code::NotFound.number() => {
                self.live.keys_due = self.now;
            }
            _ => {}
        }
    }

    /// Keys of a greeting on either connection. Says whether they are everybody's, as far as can be told: the same on
    /// the connection that says who we are and on the one that does not.
    pub(crate) fn take_token_keys(&mut self, wire: Wire, hello: &proto::HelloAnswer) -> bool {
        let keys = DayKey::of_hello(hello);
        let (login, anonymous) = (&self.live.login.token_keys, &self.live.anonymous.token_keys);
        let agreed = DayKey::agree(&keys, login) && DayKey::agree(&keys, anonymous);
        if !agreed || !DayKey::are_of_two_days(&keys) {
            return false;
        }
        let another_day =
            !self.link(wire).token_keys.is_empty() && self.link(wire).token_keys != keys;
        if wire == Wire::Anonymous && another_day {
            self.live.admission_after = 0;
        }
        if wire == Wire::Login
            && let Some(newest) = keys.last()
        {
            self.forget_old_tokens(newest.day);
            let spread = u64::from(u16::from_be_bytes(self.random())) * SPREAD / 65_536;
            let next_day = (u64::from(newest.day) + 1).saturating_mul(DAY) + spread;
            // A clock that is ahead asks once an hour.
            self.live.keys_due = next_day.max(self.now + PAUSE);
        }
        self.link(wire).token_keys = keys;
        true
    }

    /// Asks for the keys of a new day on a login connection that outlived the old one.
    pub(crate) fn renew_token_keys(&mut self) {
        let stands = self.is_ready(Wire::Login) && !self.live.login.token_keys.is_empty();
        if !stands || self.live.keys_due > self.now {
            return self.refill_tokens();
        }
        self.live.keys_due = self.now + PAUSE;
        let hello = proto::Hello {
            versions: vec![PROTOCOL_VERSION],
            kind: proto::ConnectionKind::Login.into(),
            token: None,
        };
        self.request(Wire::Login, request::Body::Hello(hello), Purpose::TokenKeys);
    }

    /// The same login connection's greeting of another day.
    pub(crate) fn token_keys_answered(&mut self, body: &answer::Body) {
        let answer::Body::Hello(hello) = body else {
            return;
        };
        if self.take_token_keys(Wire::Login, hello) {
            self.refill_tokens();
        } else {
            self.tell_forged();
        }
    }

    /// Tokens count on their day and on the one after.
    fn forget_old_tokens(&mut self, newest: u32) {
        let end = key::tokens_of(newest.saturating_sub(1));
        for (row, _) in self.disk.rows(key::TOKENS, &end, false, usize::MAX) {
            self.disk.remove(&row);
        }
    }

    fn tell_forged(&mut self) {
        let problem = Problem { kind: ProblemKind::Forged, code: 0, wait_seconds: 0 };
        self.tell(Event::ServerUnfit { problem });
    }

    /// When tokens or their keys are asked for again.
    pub(crate) fn tokens_due(&self) -> impl Iterator<Item = u64> {
        let stands = self.is_ready(Wire::Login) && !self.live.login.token_keys.is_empty();
        let after = (self.live.issue_after > self.now).then_some(self.live.issue_after);
        let login = stands.then_some(self.live.keys_due).into_iter().chain(after);
        login.filter(move |_| stands).chain(Some(self.live.admission_after))
    }
}

/// The key that a logged entry names, if it stands under this checkpoint.
fn logged_key(shown: &proto::LoggedEntry, under: &SignedCheckpoint) -> Option<DayKey> {
    let inclusion = Inclusion::of_answer(shown).ok()?;
    if inclusion.checkpoint.head() != under.head() {
        return None;
    }
    inclusion.includes(&leaf_hash(&shown.entry)).ok()?;
    match Entry::decode(&shown.entry).ok()? {
        Entry::Governance(entry) if entry.kind == GovernanceKind::Tokens => {
            let document = entry.document?;
            let (day, key) = document.split_first_chunk()?;
            Some(DayKey { day: u32::from_be_bytes(*day), key: key.try_into().ok()? })
        }
        _ => None,
    }
}

/// Randomness as voprf and spake2 ask for it.
pub(crate) struct Draws<'a>(pub(crate) &'a mut dyn CryptoRng);

impl rand_core_06::RngCore for Draws<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for Draws<'_> {}
