// SPDX-License-Identifier: AGPL-3.0-or-later
//! What an operator may choose: who may register, and how much one address may ask for.

/// Settings of a server. [`Config::default`] suits a public server; [`Config::unlimited`] is for load tests.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who may register.
    pub registration: Registration,
    /// How much may be asked for.
    pub budgets: Budgets,
    /// Whether an anonymous connection needs a token for anything but look-ups, the ledger, and linking.
    pub tokens_needed: bool,
    /// Bytes of bodies that wait in memory for one connected device; beyond that it reads from disk.
    pub push_queue_bytes: usize,
    /// Bytes of room records and opened rosters that stay in memory, at least; twice as many at most.
    pub rooms_in_memory_bytes: usize,
    /// Mailboxes whose sequence and hour key stay in memory.
    pub mailboxes_in_memory: usize,
    /// What may wait in one mailbox.
    pub quota: Quota,
    /// Meetings of second devices that one address may begin within five minutes; a network of many four times as many.
    pub meetings_of_address: usize,
    /// Devices may be called on this machine, without TLS: for tests.
    pub push_to_loopback: bool,
    /// The clock is right however far it is from the last sweep: the operator says so. Holds for one sweep.
    pub clock_is_right: bool,
}

/// What may wait in one mailbox. What comes beyond it is stored nowhere, and nobody is told: as for a token that nobody
/// holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Entries.
    pub entries: u64,
    /// Bytes of the bodies that they lead to, each counted in full. Counted in memory: after a restart what waits counts
    /// as small.
    pub bytes: u64,
}

/// Who may register an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// Anyone.
    Open,
    /// Whoever brings this ticket.
    Ticket(String),
    /// Nobody.
    Closed,
}

/// A bucket of requests: `burst` at once, `per_minute` coming back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Requests at once.
    pub burst: u32,
    /// Requests that come back in a minute.
    pub per_minute: u32,
}

/// The budgets. Those of an address count per `budget_key` of [`crate::Server::connect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Anonymous requests of one address.
    pub anonymous: Budget,
    /// Tokens that one address shows for anonymous connections: each costs a check, also one that does not count.
    pub tokens: Budget,
    /// Files of the ledger fetched by one address.
    pub files: Budget,
    /// Registrations of one address.
    pub register: Budget,
    /// Logins, lists and disputes of one address: what costs signature checks before anybody is known.
    pub login: Budget,
    /// Requests of one device on its login connection.
    pub device: Budget,
    /// Key packages taken by one address.
    pub take: Budget,
    /// Single-use key packages taken of one account, by whomever. Beyond it the last-resort one is handed out.
    pub taken: Budget,
}

impl Budget {
    /// No bound at all.
    pub const UNLIMITED: Self = Self { burst: u32::MAX, per_minute: u32::MAX };

    /// The budget of so many together.
    pub(crate) fn times(self, count: u32) -> Self {
        Self {
            burst: self.burst.saturating_mul(count),
            per_minute: self.per_minute.saturating_mul(count),
        }
    }
}

impl Budgets {
    /// No bounds: for load tests alone.
    pub const UNLIMITED: Self = Self {
        anonymous: Budget::UNLIMITED,
        tokens: Budget::UNLIMITED,
        files: Budget::UNLIMITED,
        register: Budget::UNLIMITED,
        login: Budget::UNLIMITED,
        device: Budget::UNLIMITED,
        take: Budget::UNLIMITED,
        taken: Budget::UNLIMITED,
    };
}

impl Default for Budgets {
    /// Wide enough for a household behind one address, narrow enough that nobody makes a device upload key packages, and
    /// keep their tokens, all day long: an account of 16 devices is added four times at once, then a device a minute.
    fn default() -> Self {
        Self {
            anonymous: Budget { burst: 3000, per_minute: 3000 },
            tokens: Budget { burst: 300, per_minute: 300 },
            files: Budget { burst: 3000, per_minute: 3000 },
            register: Budget { burst: 20, per_minute: 2 },
            login: Budget { burst: 200, per_minute: 60 },
            device: Budget { burst: 3000, per_minute: 3000 },
            take: Budget { burst: 2000, per_minute: 60 },
            taken: Budget { burst: 64, per_minute: 1 },
        }
    }
}

impl Default for Quota {
    /// A month away from a lively group of fifty, receipts and all; and not so much that one filled mailbox matters
    /// to a disk.
    fn default() -> Self {
        Self { entries: 100_000, bytes: 256 * 1024 * 1024 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            registration: Registration::Open,
            budgets: Budgets::default(),
            tokens_needed: false,
            push_queue_bytes: 256 * 1024,
            rooms_in_memory_bytes: 64 * 1024 * 1024,
            mailboxes_in_memory: 50_000,
            quota: Quota::default(),
            meetings_of_address: 8,
            push_to_loopback: false,
            clock_is_right: false,
        }
    }
}

impl Config {
    /// The defaults without budgets: for load tests.
    #[must_use]
    pub fn unlimited() -> Self {
        let budgets = Budgets::UNLIMITED;
        Self { budgets, meetings_of_address: usize::MAX, ..Self::default() }
    }
}
