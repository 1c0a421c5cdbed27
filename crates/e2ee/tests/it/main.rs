// SPDX-License-Identifier: AGPL-3.0-or-later
//! What members can do to each other, and what nobody can do to them.
