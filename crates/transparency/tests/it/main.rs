// SPDX-License-Identifier: AGPL-3.0-or-later
//! Device lists and statements as others see them, the attack first.
