// SPDX-License-Identifier: AGPL-3.0-or-later
//! Being called when something waits and the app is closed: what an interface asks, and what it is told.

use serde::{Deserialize, Serialize};

/// What an interface may ask about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// How it stands. Answer: `Push`.
    Show,
    /// This device is called here from now on, and nowhere else. Answer: `Done`, once the server has it; without a connection a
    /// problem, and the server is told with the next one.
    Set {
        /// Where.
        at: Subscription,
    },
    /// This device is called no more. Answer as of `Set`.
    Off,
}

/// Where a device is called.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// An RFC 8030 push resource: `https`.
    pub endpoint: String,
    /// What calls are sealed to: a point of P-256, 65 bytes; nothing, where nobody could open them.
    pub key: Vec<u8>,
    /// 16 bytes beside it; nothing without a key.
    pub auth: Vec<u8>,
}

// Whoever has it can have somebody called: not for a log.
impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription(..)")
    }
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// By what push services know the server: a browser subscribes with it. Empty: this server calls nobody. Missing: it was not
    /// reached since the start.
    pub server_key: Option<Vec<u8>>,
    /// Where this device is called; nothing if it is not.
    pub endpoint: Option<String>,
    /// The server has it so.
    pub told: bool,
}
