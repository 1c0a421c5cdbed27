// SPDX-License-Identifier: AGPL-3.0-or-later
//! A no, as handlers return it and as it travels.

use nodoor_wire::{
    code::{Class, Code},
    proto::{self, answer},
};

use crate::storage::StorageError;

/// Why a request is not done. Carries no text: what a person reads is the client's.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    code: Code,
    retry_after_seconds: u32,
}

/// What a handler returns.
pub(crate) type Handled = Result<answer::Body, Refusal>;

impl Refusal {
    /// Too many requests; again in so many seconds.
    pub(crate) fn slow_down(retry_after_seconds: u32) -> Self {
        Self { retry_after_seconds, ..Self::from(Code::SlowDown) }
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn into_body(self) -> answer::Body {
        answer::Body::Refusal(proto::Refusal {
            code: self.code.number(),
            retry_after_seconds: self.retry_after_seconds,
        })
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        let retry_after_seconds = if code.class() == Class::Retry { 5 } else { 0 };
        Self { code, retry_after_seconds }
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Full => Self::from(Code::StorageFull),
            StorageError::Damaged(_) | StorageError::Failed(_) => {
                tracing::error!(%error, "the storage did not answer");
                Self::from(Code::Internal)
            }
        }
    }
}

/// An identifier of exactly its length, or [`Code::Malformed`].
pub(crate) fn identifier<'a, T>(bytes: &'a [u8]) -> Result<T, Refusal>
where
    T: TryFrom<&'a [u8]>,
{
    T::try_from(bytes).map_err(|_| Refusal::from(Code::Malformed))
}

/// [`Code::TooLarge`] beyond a limit.
pub(crate) fn at_most(length: usize, limit: usize) -> Result<(), Refusal> {
    if length <= limit { Ok(()) } else { Err(Code::TooLarge.into()) }
}

/// A field that protobuf leaves out when it was not sent.
pub(crate) fn present<T>(field: Option<T>) -> Result<T, Refusal> {
    field.ok_or_else(|| Code::Malformed.into())
}
