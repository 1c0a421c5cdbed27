// SPDX-License-Identifier: AGPL-3.0-or-later
//! Which logins still count. A list that removes a device or changes its keys ends what it logged in before, also on
//! connections that stay open.
//!
//! Knows devices that changed since the process started, and when, counted in such changes; no connection is listed.
//! Carries out `docs/book/protocol.md`, 2. `crate::writer` ends logins when a list stands; `crate::accounts` asks at every
//! request of a device.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nodoor_wire::id::DeviceId;

/// Changes remembered. When there are more, all older logins end: they log in anew, which harms nobody.
const REMEMBERED: usize = 50_000;

/// The changes.
#[derive(Default)]
pub(crate) struct Logins(Mutex<State>);

#[derive(Default)]
struct State {
    /// Changes so far.
    now: u64,
    /// Logins from before this one have ended.
    floor: u64,
    ended: HashMap<DeviceId, u64>,
}

impl Logins {
    /// Now, to be asked before the login key is looked up.
    pub(crate) fn now(&self) -> u64 {
        self.state().now
    }

    /// Ends every login of a device so far.
    pub(crate) fn end(&self, device: DeviceId) {
        let mut state = self.state();
        state.now = state.now.saturating_add(1);
        if state.ended.len() >= REMEMBERED {
            state.ended.clear();
            state.floor = state.now;
        }
        let now = state.now;
        state.ended.insert(device, now);
    }

    /// Whether a login of then still counts.
    pub(crate) fn stands(&self, device: DeviceId, since: u64) -> bool {
        let state = self.state();
        since >= state.floor && state.ended.get(&device).is_none_or(|ended| since >= *ended)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(number: usize) -> DeviceId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        DeviceId(id)
    }

    #[test]
    fn a_login_from_before_a_change_does_not_count() {
        let logins = Logins::default();
        let before = logins.now();
        assert!(logins.stands(device(1), before));
        logins.end(device(1));
        assert!(!logins.stands(device(1), before));
        assert!(logins.stands(device(2), before));
        assert!(logins.stands(device(1), logins.now()));
    }

    #[test]
    fn nobody_buys_an_ended_login_back_by_making_others_end() {
        let logins = Logins::default();
        let stolen = logins.now();
        logins.end(device(0));
        for other in 1..=2 * REMEMBERED {
            logins.end(device(other));
            assert!(!logins.stands(device(0), stolen));
        }
        assert!(logins.state().ended.len() <= REMEMBERED);
        assert!(logins.stands(device(0), logins.now()));
    }
}
