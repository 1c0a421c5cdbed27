// SPDX-License-Identifier: AGPL-3.0-or-later
//! One socket as the server knows it: which of the two kinds it is, and which device speaks on it.
//!
//! Login and anonymous requests never share a connection, so that an address that sends is not joined to a
//! device that receives by the server's own state. Carries out `docs/book/protocol.md`, 2.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use nodoor_wire::{
    code::Code,
    id::{AccountId, DeviceId},
    proto::ConnectionKind,
};
use tokio::sync::Notify;

use crate::{
    anonymous::Allowance,
    delivery::{Outlet, Outlets},
    refusal::Refusal,
    server::Counters,
};

/// One connection of a client. Made by [`crate::Server::connect`]; dropping it ends its subscription.
pub struct Connection {
    budget_key: [u8; 16],
    allowance: OnceLock<Allowance>,
    state: Mutex<State>,
    subscribed: Notify,
    outlets: Arc<Outlets>,
    counters: Arc<Counters>,
}

struct State {
    stage: Stage,
    outlet: Option<Arc<Outlet>>,
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing said yet.
    Fresh,
    /// Anonymous, for good.
    Anonymous,
    /// Of the login kind, nobody logged in.
    Login { challenge: [u8; 32] },
    /// A device showed its login key.
    LoggedIn { challenge: [u8; 32], account: AccountId, device: DeviceId, since: u64 },
}

impl Connection {
    pub(crate) fn new(
        budget_key: [u8; 16],
        stage: Stage,
        outlets: Arc<Outlets>,
        counters: Arc<Counters>,
    ) -> Self {
        counters.connected(true);
        Self {
            budget_key,
            allowance: OnceLock::new(),
            state: Mutex::new(State { stage, outlet: None }),
            subscribed: Notify::new(),
            outlets,
            counters,
        }
    }

    pub(crate) fn budget_key(&self) -> &[u8; 16] {
        &self.budget_key
    }

    /// What a token allows this connection; nothing without one.
    pub(crate) fn allowance(&self) -> Option<&Allowance> {
        self.allowance.get()
    }

    /// A token was taken for this connection. The first one counts.
    pub(crate) fn allow(&self, allowance: Allowance) {
        let _ = self.allowance.set(allowance);
    }

    /// The first `Hello` decides the kind; the same one again gets the same challenge.
    pub(crate) fn hello(
        &self,
        kind: ConnectionKind,
        fresh_challenge: [u8; 32],
    ) -> Result<Option<[u8; 32]>, Refusal> {
        let mut state = self.state();
        match (state.stage, kind) {
            (Stage::Fresh, ConnectionKind::Login) => {
                state.stage = Stage::Login { challenge: fresh_challenge };
                Ok(Some(fresh_challenge))
            }
            (Stage::Fresh, ConnectionKind::Anonymous) => {
                state.stage = Stage::Anonymous;
                Ok(None)
            }
            (
                Stage::Login { challenge } | Stage::LoggedIn { challenge, .. },
                ConnectionKind::Login,
            ) => Ok(Some(challenge)),
            (Stage::Anonymous, ConnectionKind::Anonymous) => Ok(None),
            (_, ConnectionKind::Unspecified) => Err(Code::Malformed.into()),
            _ => Err(Code::WrongConnection.into()),
        }
    }

    /// Passes on an anonymous connection alone.
    pub(crate) fn anonymous(&self) -> Result<(), Refusal> {
        match self.state().stage {
            Stage::Anonymous => Ok(()),
            Stage::Fresh => Err(Code::Malformed.into()),
            _ => Err(Code::WrongConnection.into()),
        }
    }

    /// Passes on a login connection, logged in or not, and gives its challenge.
    pub(crate) fn login(&self) -> Result<[u8; 32], Refusal> {
        match self.state().stage {
            Stage::Login { challenge } | Stage::LoggedIn { challenge, .. } => Ok(challenge),
            Stage::Fresh => Err(Code::Malformed.into()),
            Stage::Anonymous => Err(Code::WrongConnection.into()),
        }
    }

    /// Passes when a device is logged in, and says since when, as [`crate::logins::Logins`] counts.
    pub(crate) fn device(&self) -> Result<(AccountId, DeviceId, u64), Refusal> {
        self.login()?;
        match self.state().stage {
            Stage::LoggedIn { account, device, since, .. } => Ok((account, device, since)),
            _ => Err(Code::Unauthorised.into()),
        }
    }

    /// A device showed its login key, which was looked up after `since`. One device a connection.
    pub(crate) fn log_in(
        &self,
        account: AccountId,
        device: DeviceId,
        since: u64,
    ) -> Result<(), Refusal> {
        let mut state = self.state();
        match state.stage {
            Stage::Login { challenge } => {
                state.stage = Stage::LoggedIn { challenge, account, device, since };
                Ok(())
            }
            Stage::LoggedIn { challenge, account, device: same, .. } if same == device => {
                state.stage = Stage::LoggedIn { challenge, account, device, since };
                Ok(())
            }
            _ => Err(Code::Unauthorised.into()),
        }
    }

    /// Begins a subscription; an earlier one of this or another connection ends.
    pub(crate) fn subscribe(&self, outlet: Outlet) {
        let outlet = Arc::new(outlet);
        self.outlets.open(&outlet);
        self.state().outlet = Some(outlet);
        self.subscribed.notify_one();
    }

    pub(crate) fn outlet(&self) -> Option<Arc<Outlet>> {
        self.state().outlet.clone()
    }

    /// The subscription ended: forget it unless a new one is there.
    pub(crate) fn forget(&self, ended: &Arc<Outlet>) {
        let mut state = self.state();
        if state.outlet.as_ref().is_some_and(|outlet| Arc::ptr_eq(outlet, ended)) {
            state.outlet = None;
        }
    }

    pub(crate) async fn subscribed(&self) {
        self.subscribed.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counters.connected(false);
        if let Some(outlet) = self.outlet() {
            self.outlets.leave(&outlet);
        }
    }
}
