// SPDX-License-Identifier: AGPL-3.0-or-later
//! The full screen.
use crate::{failure::Failure, session::Session, target::Target};

/// Runs until the person quits.
pub(crate) async fn run(
    _session: &Session,
    _to: Option<&Target>,
    _ascii: bool,
) -> Result<(), Failure> {
    Ok(())
}
