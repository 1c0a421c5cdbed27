// SPDX-License-Identifier: AGPL-3.0-or-later
//! Encodings as others see them: random bytes, and bytes that must never change.

#[cfg(test)]
mod decoders;
#[cfg(test)]
mod encodings;
