// SPDX-License-Identifier: AGPL-3.0-or-later
//! What can be typed about groups.

use clap::Subcommand;

use super::duration;
use crate::target::Target;

#[derive(Debug, Subcommand)]
pub(crate) enum GroupVerb {
    /// Make a group
    Create {
        /// 1 to 100 characters
        title: String,
        /// Who is in it; may be given several times
        #[arg(long = "member", value_name = "@HANDLE")]
        members: Vec<String>,
    },
    /// Add a person to a group you lead
    Add {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
        /// Whom
        #[arg(value_name = "@HANDLE")]
        handle: String,
    },
    /// Remove a person from a group you lead
    Remove {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
        /// Whom
        #[arg(value_name = "@HANDLE")]
        handle: String,
    },
    /// Leave a group; what was received stays
    Leave {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
    },
    /// Who can read a group
    Members {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
    },
    /// Make somebody owner, admin or member; owners do that, and everybody may step down
    Role {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
        /// Whose; you yourself to step down
        #[arg(value_name = "@HANDLE")]
        handle: String,
        /// The new role
        role: RoleName,
    },
    /// Take somebody out, and let nobody add them again until --lift
    Ban {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
        /// Whom
        #[arg(value_name = "@HANDLE")]
        handle: String,
        /// End the ban
        #[arg(long)]
        lift: bool,
    },
    /// Who may write in a group, and how often; without options it says so
    Writing {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
        /// Who may write
        #[arg(long, value_name = "WHO")]
        who: Option<WhoWrites>,
        /// The pause between two messages of a member: 30s, 10m, 1h, off
        #[arg(long, value_name = "PAUSE", value_parser = duration)]
        slow: Option<u32>,
    },
    /// Make an invite link to a group you lead, or show yours; what it names reaches no server
    Link {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
        /// Make a new one, by which whoever has it comes in
        #[arg(long, conflicts_with_all = ["approval", "off"])]
        open: bool,
        /// Make a new one, and decide about each who asks by it
        #[arg(long, conflicts_with = "off")]
        approval: bool,
        /// End it
        #[arg(long)]
        off: bool,
    },
    /// Let somebody in who asks by your link; without a handle it lists who asks
    Approve {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
        /// Whom
        #[arg(value_name = "@HANDLE")]
        handle: Option<String>,
        /// Do not let them in
        #[arg(long, requires = "handle")]
        refuse: bool,
    },
    /// Ask to be let into a group by its link
    Join {
        /// The link
        link: String,
    },
    /// Rename a group you lead
    Rename {
        /// The id of the conversation
        #[arg(value_parser = Target::parse)]
        conversation: Target,
        /// 1 to 100 characters
        title: String,
    },
}

/// What somebody may do in a group.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum RoleName {
    /// Reads and writes
    Member,
    /// Also adds, removes, bans and says who may write
    Admin,
    /// Also makes admins and owners
    Owner,
}

/// Who may write in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WhoWrites {
    /// Everybody in it
    Everybody,
    /// Admins and owners
    Admins,
}
