// SPDX-License-Identifier: AGPL-3.0-or-later
//! The system's clock, handed to the server: the one place that asks it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, as the system says.
pub(crate) struct SystemClock;

impl nodoor_server::Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
