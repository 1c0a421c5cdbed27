// SPDX-License-Identifier: AGPL-3.0-or-later
//! Texts and the cleaner, at the interface others rely on.

#[cfg(test)]
mod clean;
#[cfg(test)]
mod export;
#[cfg(test)]
mod rich;
#[cfg(test)]
mod texts;
