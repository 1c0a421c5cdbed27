// SPDX-License-Identifier: AGPL-3.0-or-later
//! The real programs: `nodoord` on a free port, `nodoor` with a profile for each person.

#[cfg(test)]
mod alone;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod files;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod past;
#[cfg(test)]
mod push;
#[cfg(test)]
mod releases;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod verify;
#[cfg(test)]
mod words;
#[cfg(test)]
mod world;
