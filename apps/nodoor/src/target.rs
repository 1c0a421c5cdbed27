// SPDX-License-Identifier: AGPL-3.0-or-later
//! `TO`: whom or what a command means.

use crate::failure::Failure;

/// A person, or a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A handle, without `@`, in lower case.
    Handle(String),
    /// The beginning of a conversation's id, in lower case.
    Id(String),
}

impl Target {
    /// Reads what a person wrote.
    ///
    /// # Errors
    /// A hint, for the usage line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(handle) = text.strip_prefix('@').filter(|handle| !handle.is_empty()) {
            return Ok(Self::Handle(handle.to_ascii_lowercase()));
        }
        let id = text.to_ascii_lowercase();
        if id.len() >= SHORTEST_ID && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self::Id(id))
        } else {
            Err(format!(
                "a person is written @handle, a conversation with {SHORTEST_ID} or more digits of its id"
            ))
        }
    }

    /// The row that is meant. `names` gives a row's handle (empty if it has none) and id.
    pub(crate) fn pick<T>(
        &self,
        rows: Vec<T>,
        names: impl Fn(&T) -> (&str, &str),
    ) -> Result<Option<T>, Failure> {
        let mut fitting = rows.into_iter().filter(|row| match (self, names(row)) {
            (Self::Handle(handle), (of_row, _)) => handle == of_row,
            (Self::Id(prefix), (_, id)) => id.starts_with(prefix),
        });
        match (fitting.next(), fitting.next(), self) {
            (Some(_), Some(_), Self::Id(_)) => Err(Failure::Said("ambiguous", "ambiguous")),
            (first, _, _) => Ok(first),
        }
    }
}

const SHORTEST_ID: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_handle_or_enough_of_an_id() {
        assert_eq!(Target::parse("@Ben"), Ok(Target::Handle("ben".into())));
        assert_eq!(Target::parse("0011AAff"), Ok(Target::Id("0011aaff".into())));
        for bad in ["ben", "0011aaf", "", "0011aafg00", "@"] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_that_fits_twice_is_asked_back_and_a_handle_takes_the_newest() {
        let rows = vec![("ben", "0011aaff00"), ("ben", "0011aaff11"), ("", "22334455")];
        let pick = |text| Target::parse(text).unwrap().pick(rows.clone(), |row| *row);
        assert_eq!(pick("@ben").unwrap(), Some(("ben", "0011aaff00")));
        assert_eq!(pick("22334455").unwrap(), Some(("", "22334455")));
        assert_eq!(pick("99999999").unwrap(), None);
        assert_eq!(pick("0011aaff").unwrap_err().exit_code(), 1);
    }
}
