// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where this device is called when something waits for it: kept on disk, and said to the server until its yes, then once a week
//! when the device logs in.
//!
//! What is said again heals whatever was lost at the server; not on each login, or an address that was found to lead nowhere would
//! be called again after each. That it is switched off stays on disk until the server's yes.
//!
//! Spec: `docs/book/protocol.md`, 10.

use nodoor_view::{
    command::{Command, Reply},
    model::ProblemKind,
    push::{Command as OfPush, State, Subscription},
};
use nodoor_wire::{
    code::Class,
    limits,
    proto::{self, answer, request},
};

use crate::{
    io::Wire,
    link::{class_of, problem_of},
    live::Purpose,
    rows::{Called, key},
    step::{Step, refused},
};

/// A yes this old is asked for again, milliseconds.
const WEEK: u64 = 7 * 24 * 3600 * 1000;

impl Step<'_> {
    /// The answer to a command; nothing while the server is asked.
    pub(crate) fn push_command(&mut self, of: &OfPush) -> Option<Reply> {
        match of {
            OfPush::Show => Some(Reply::Push(self.push_state())),
            OfPush::Set { at } => self.call_me(at),
            OfPush::Off => self.call_me_no_more(),
        }
    }

    fn push_state(&self) -> State {
        let called = self.called();
        State {
            server_key: self.live.push_key.clone(),
            told: called.as_ref().is_none_or(|called| called.told_at > 0),
            endpoint: called.map(|called| called.endpoint).filter(|endpoint| !endpoint.is_empty()),
        }
    }

    fn call_me(&mut self, at: &Subscription) -> Option<Reply> {
        let keys = matches!((at.key.len(), at.auth.len()), (0, 0) | (65, 16));
        let size = at.endpoint.len() <= limits::PUSH_ENDPOINT;
        if !(keys && size && is_plain(&at.endpoint)) {
            return Some(refused(ProblemKind::NotFound));
        }
        if self.live.push_key.as_ref().is_some_and(Vec::is_empty) {
            return Some(refused(ProblemKind::NotFound));
        }
        let wanted = Called {
            endpoint: at.endpoint.clone(),
            key: at.key.clone(),
            auth: at.auth.clone(),
            told_at: 0,
        };
        match self.called() {
            Some(kept) if kept.is_at(&wanted) && kept.told_at > 0 => return Some(Reply::Done),
            Some(kept) if kept.is_at(&wanted) => {}
            _ => {
                self.disk.put(key::CALLED.to_vec(), &wanted);
                self.tell_where_called();
            }
        }
        None
    }

    fn call_me_no_more(&mut self) -> Option<Reply> {
        let Some(kept) = self.called() else { return Some(Reply::Done) };
        if !kept.endpoint.is_empty() {
            self.disk.put(key::CALLED.to_vec(), &Called::default());
            self.tell_where_called();
        }
        None
    }

    /// A login: says it, unless the server's yes is of these days.
    pub(crate) fn tell_again_where_called(&mut self) {
        let due = |called: Called| self.now.saturating_sub(called.told_at) >= WEEK;
        if self.called().is_some_and(due) {
            self.tell_where_called();
        }
    }

    /// Says it to the server, as it stands here.
    fn tell_where_called(&mut self) {
        let Some(called) = self.called().filter(|_| self.is_ready(Wire::Login)) else { return };
        if !called.endpoint.is_empty() && self.live.push_key.as_ref().is_some_and(Vec::is_empty) {
            // A server that called and does no longer.
            return;
        }
        let put = proto::PushPut {
            endpoint: called.endpoint.clone(),
            key: called.key.clone().into(),
            auth: called.auth.clone().into(),
        };
        self.request(Wire::Login, request::Body::PushPut(put), Purpose::Called(called));
    }

    /// The server's answer.
    pub(crate) fn called_answered(&mut self, asked: &Called, body: &answer::Body) {
        let Some(mut kept) = self.called().filter(|kept| kept.is_at(asked)) else { return };
        match body {
            answer::Body::Done(_) if kept.endpoint.is_empty() => self.disk.remove(key::CALLED),
            answer::Body::Done(_) => {
                kept.told_at = self.now;
                self.disk.put(key::CALLED.to_vec(), &kept);
            }
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Permanent => {
                self.disk.remove(key::CALLED);
                let problem = problem_of(refusal);
                self.fail_parked(&problem, |ask| matches!(ask.command, Command::Push { .. }));
            }
            _ => {}
        }
    }

    fn called(&self) -> Option<Called> {
        self.disk.get(key::CALLED)
    }
}

/// The server closes the connection over what it can see is none.
fn is_plain(endpoint: &str) -> bool {
    let scheme = endpoint.starts_with("https://") || endpoint.starts_with("http://127.0.0.1:");
    scheme && endpoint.bytes().all(|byte| byte.is_ascii_graphic())
}
