// SPDX-License-Identifier: AGPL-3.0-or-later
//! The sdk's store and profile, at the interface others rely on.

#[cfg(test)]
mod address;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bots;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod search;
#[cfg(test)]
mod store;
#[cfg(test)]
mod telegram;
