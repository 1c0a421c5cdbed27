// SPDX-License-Identifier: AGPL-3.0-or-later
//! Why the server said no. Numbers are stable; texts are the clients' (`view`).

/// A refusal. [`Code::class`] says what a client does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum Code {
    /// The bytes are not a request. The connection closes.
    Malformed = 1,
    /// A field is longer than [`crate::limits`] allows.
    TooLarge = 2,
    /// No protocol version in common.
    Version = 3,
    /// This request belongs on the other connection.
    WrongConnection = 4,
    /// Not logged in, or the login did not verify.
    Unauthorised = 5,
    /// Unknown room or wrong key: deliberately one answer.
    Forbidden = 6,
    /// The epoch is not the head; the commits since the caller's epoch come with it.
    StaleEpoch = 7,
    /// The handle belongs to another account.
    HandleTaken = 8,
    /// The handle is not of the allowed form.
    HandleForm = 9,
    /// No such account or handle.
    NotFound = 10,
    /// A signature, list, claim or header does not verify.
    BadSignature = 11,
    /// The list is not the successor of the newest one.
    ListConflict = 12,
    /// A room of this id exists and is another's.
    RoomExists = 13,
    /// No key package left for a device asked for.
    NoKeyPackage = 14,
    /// Too many requests; `retry_after_seconds` is set.
    SlowDown = 15,
    /// The server cannot store more now; `retry_after_seconds` is set.
    StorageFull = 16,
    /// A fault of the server; `retry_after_seconds` is set.
    Internal = 17,
    /// Registration is closed, or the ticket does not do.
    RegistrationClosed = 18,
    /// The account is disputed: it adds no device.
    Disputed = 19,
    /// The log serves nothing new at the moment: what needs it waits. `retry_after_seconds` is set.
    LedgerWaits = 20,
    /// The deadline for this is over, by ledger time.
    TooLate = 21,
}

/// What a client does with a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Tell the person; trying again changes nothing.
    Permanent,
    /// Try again after `retry_after_seconds`.
    Retry,
    /// Apply what came with the answer, then do it again.
    Stale,
}

impl Code {
    /// All codes, in order of their numbers.
    pub const ALL: [Self; 21] = [
        Self::Malformed,
        Self::TooLarge,
        Self::Version,
        Self::WrongConnection,
        Self::Unauthorised,
        Self::Forbidden,
        Self::StaleEpoch,
        Self::HandleTaken,
        Self::HandleForm,
        Self::NotFound,
        Self::BadSignature,
        Self::ListConflict,
        Self::RoomExists,
        Self::NoKeyPackage,
        Self::SlowDown,
        Self::StorageFull,
        Self::Internal,
        Self::RegistrationClosed,
        Self::Disputed,
        Self::LedgerWaits,
        Self::TooLate,
    ];

    /// The code of a number, if this version knows it.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// The stable number.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32
    }

    /// What a client does with it.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::StaleEpoch => Class::Stale,
            Self::SlowDown | Self::StorageFull | Self::Internal | Self::LedgerWaits => Class::Retry,
            _ => Class::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_definition_is_in_the_list_of_all() {
        let (_, rest) = include_str!("code.rs").split_once("pub enum Code {\n").unwrap();
        let (body, _) = rest.split_once("\n}").unwrap();
        let defined: Vec<&str> = body
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"))
            .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
            .collect();
        let listed: Vec<String> = Code::ALL.iter().map(|code| format!("{code:?}")).collect();
        assert_eq!(listed, defined);
    }
}
