// SPDX-License-Identifier: AGPL-3.0-or-later
//! Groups of the sample data: roles, bans, who may write.

use nodoor_view::{
    command::Reply,
    group::{self, Charter, GroupLink, Role},
    model::{ConversationRow, ProblemKind, SystemLine},
};

use super::{Fake, data, problem};

impl Fake {
    pub(super) fn charter(&self, row: &ConversationRow) -> Charter {
        let told = self.charters.get(&row.id).cloned().unwrap_or_default();
        let others = row.devices.saturating_sub(1);
        let asking = data::people().into_iter().rev().take(1).collect();
        let asking = if told.link.is_some() { asking } else { told.asking };
        Charter { role: Role::Owner, same: others / 2, others, asking, ..told }
    }

    /// Leads a group as the engine would.
    pub(super) fn lead(&mut self, of: &group::Command) -> Reply {
        match of {
            group::Command::SetRole { conversation, handle, role } => {
                let Some((person, _)) = self.person(handle) else {
                    return problem(ProblemKind::NotFound);
                };
                self.roles.insert((*conversation, person.account.clone()), *role);
                let line = SystemLine::Role { by: None, who: Some(person), role: *role };
                self.line(*conversation, line);
            }
            group::Command::Ban { conversation, handle, on } => {
                let Some((who, _)) = self.person(handle) else {
                    return problem(ProblemKind::NotFound);
                };
                let banned = &mut self.charters.entry(*conversation).or_default().banned;
                banned.retain(|person| *person != who);
                if *on {
                    banned.push(who.clone());
                }
                self.line(*conversation, SystemLine::Banned { by: None, who, on: *on });
            }
            group::Command::SetConduct { conversation, announcements, slow } => {
                let charter = self.charters.entry(*conversation).or_default();
                let only = charter.announcements != *announcements;
                (charter.announcements, charter.slow) = (*announcements, *slow);
                let line = if only {
                    SystemLine::Announcements { by: None, on: *announcements }
                } else {
                    SystemLine::Slow { by: None, seconds: *slow }
                };
                self.line(*conversation, line);
            }
            group::Command::SetLink { conversation, approval } => {
                let link = approval.map(|approval| GroupLink {
                    link: format!("http://server.example/#@mira/{}", "5a".repeat(48)),
                    approval,
                });
                let on = link.is_some();
                self.charters.entry(*conversation).or_default().link = link;
                self.line(*conversation, SystemLine::Link { by: None, on });
            }
            group::Command::Answer { conversation, handle, on } => {
                let asking = &mut self.charters.entry(*conversation).or_default().asking;
                let who = asking.iter().position(|person| person.handle == *handle);
                let Some(who) = who.map(|at| asking.remove(at)) else {
                    return problem(ProblemKind::NotFound);
                };
                if *on {
                    self.line(*conversation, SystemLine::Added { by: None, who: Some(who) });
                }
            }
            group::Command::Join { .. } => return problem(ProblemKind::GroupLink),
        }
        Reply::Done
    }
}
