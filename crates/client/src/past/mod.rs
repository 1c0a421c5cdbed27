// SPDX-License-Identifier: AGPL-3.0-or-later
//! What was said: finding it ([`search`], kept up by [`index`]), taking it to another place ([`backup`]), and bringing in
//! what was said elsewhere ([`import`]).
//!
//! May not know: rooms, keys, files. Whoever drives the engine reads and writes the files, a piece at a time.

mod backup;
mod import;
pub(crate) mod index;
pub(crate) mod search;
