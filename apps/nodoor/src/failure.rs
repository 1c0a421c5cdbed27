// SPDX-License-Identifier: AGPL-3.0-or-later
//! Why a command did not do what it was asked: a kind for scripts, a hint for people.

use nodoor_sdk::{
    native::{OpenError, profile::ProfileError},
    store::OpenStoreError,
};
use nodoor_view::{
    model::{Problem, ProblemKind},
    text::{Lines, Texts, for_terminal},
};

/// A failure, and how it ends the program.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for what cannot be.
    Usage(String),
    /// The engine's answer.
    Problem(Problem),
    /// A sentence of the terminal's texts.
    Said(&'static str, &'static str),
    /// The surroundings: profile, address, system.
    Surroundings(&'static str, String),
    /// Nobody reads standard output any more: the end, and no failure.
    NobodyReads,
}

impl Failure {
    /// A fault of the operating system.
    pub(crate) fn system(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Surroundings("system", error.to_string()),
        }
    }

    /// Whether it is the engine's answer of this kind.
    pub(crate) fn is(&self, kind: ProblemKind) -> bool {
        matches!(self, Self::Problem(problem) if problem.kind == kind)
    }

    /// The engine answered something that does not belong to the question.
    pub(crate) fn unexpected() -> Self {
        Self::Surroundings("internal", "the engine gave an answer of another question".to_owned())
    }

    /// 2 for wrong use (what is typed cannot be meant), else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        let mistyped = self.is(ProblemKind::HandleForm) || self.is(ProblemKind::Size);
        if mistyped || matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }

    /// `kind: hint`, one line, clean.
    pub(crate) fn line(&self, texts: &Texts) -> String {
        let line = match self {
            Self::Usage(hint) => format!("usage: {hint}"),
            Self::Problem(problem) => format!("{}: {}", kind(problem), texts.problem(problem)),
            Self::Said(kind, id) => format!("{kind}: {}", texts.get(id, &[])),
            Self::Surroundings(kind, hint) => format!("{kind}: {hint}"),
            Self::NobodyReads => String::new(),
        };
        for_terminal(&line, Lines::Join)
    }
}

/// The kind as scripts know it: `not_found`.
fn kind(problem: &Problem) -> String {
    match serde_json::to_value(problem.kind) {
        Ok(serde_json::Value::String(kind)) => kind,
        _ => "problem".to_owned(),
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::system(&error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Profile(error) => error.into(),
            OpenError::Store(OpenStoreError::WrongKey) => Self::Surroundings(
                "wrong_key",
                "the key does not open this profile's database; check NODOOR_PASSPHRASE".to_owned(),
            ),
            other => Self::Surroundings("profile", other.to_string()),
        }
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::InUse { holder } => Self::Surroundings(
                "in_use",
                format!("{holder} has this profile; end it, or use another --profile"),
            ),
            ProfileError::NeedsPassphrase => Self::Surroundings(
                "locked",
                "this profile was made with a passphrase; set NODOOR_PASSPHRASE".to_owned(),
            ),
            other => Self::Surroundings("profile", other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_clean_line_with_a_kind_and_a_hint() {
        let texts = Texts::terminal("en");
        let problem = Problem { kind: ProblemKind::NotFound, code: 10, wait_seconds: 0 };
        let failure = Failure::Problem(problem);
        assert_eq!(failure.exit_code(), 1);
        assert_eq!(
            failure.line(&texts),
            "not_found: Nobody and nothing here has that name. Handles are exact."
        );
        let usage = Failure::Usage("a\u{1b}[31m\nb".to_owned());
        assert_eq!((usage.exit_code(), usage.line(&texts).as_str()), (2, "usage: a b"));
    }
}
