// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who leads a group, who may not come in, and who may write how often: what we may change of it, what changed, and
//! whether a message keeps to it. What others may commit is the [`crate::gate`]'s.
//!
//! Spec: `docs/book/protocol.md`, 5 and 7.

use nodoor_e2ee::{
    charter::{Charter, Conduct, Link, MOST_BANS, MOST_LINKS},
    content::{Content, MimiContent},
    group::Leaf,
    roles::Role,
    room::{RoomContext, RoomKind},
};
use nodoor_view::group;
use nodoor_wire::id::{AccountId, RoomId};

use crate::{
    room::leading,
    rows::{Conducted, Intent, Line, Room},
    step::Step,
};

/// Changes of a group's conduct that are remembered: more than there are epochs whose messages can still be opened.
const REMEMBERED: usize = 8;

impl Step<'_> {
    /// What a group says of its people; nothing of another room.
    pub(crate) fn charter(&mut self, id: &RoomId) -> Option<Charter> {
        let context = self.with_group(id, |_, group| group.context().clone())?;
        Charter::of(&context).ok().filter(|_| context.kind == RoomKind::Group)
    }

    /// Whether a wish is one that the gate lets us carry out now.
    pub(crate) fn is_ours_to_do(&mut self, id: &RoomId, intent: &Intent) -> bool {
        let (Some(charter), Some(me)) = (self.charter(id), self.me()) else {
            return true;
        };
        let (roles, leads) = (&charter.roles, charter.leads(&me));
        match intent {
            Intent::Add(wanted) => {
                // Who founds a successor is its owner until the first commit.
                leads || wanted.iter().all(|who| who.account == me)
            }
            Intent::Remove(who) | Intent::Readd(who) => roles.may_remove(&me, &who.account),
            Intent::Prune(account) => roles.may_remove(&me, account),
            Intent::Ban(who, true) => leads && *who != me && roles.may_remove(&me, who),
            Intent::Rename(_) | Intent::Ban(_, false) | Intent::Conduct(..) | Intent::Link(_) => {
                leads
            }
            Intent::Role(who, role) => {
                let after = roles.with(*who, role_of(*role));
                after.is_some_and(|after| roles.may_become(&after, &me))
            }
            Intent::Update => true,
        }
    }

    /// The context that a wish makes of a group's, and the lines it leaves; nothing if it is so already, or cannot be.
    pub(crate) fn amended(
        &mut self,
        id: &RoomId,
        intent: &Intent,
    ) -> Option<(RoomContext, Vec<Line>)> {
        let by = self.me()?;
        let (before, leaves) =
            self.with_group(id, |_, group| (group.context().clone(), group.leaves().to_vec()))?;
        let mut charter = self.charter(id)?;
        match intent {
            Intent::Role(who, role) => {
                let there = leaves.iter().any(|leaf| leaf.name.account == *who);
                charter.roles = charter.roles.with(*who, role_of(*role)).filter(|_| there)?;
            }
            Intent::Ban(who, true) => {
                charter.bans.insert(*who);
                if charter.bans.len() > MOST_BANS {
                    return None;
                }
            }
            Intent::Ban(who, false) => _ = charter.bans.remove(who),
            Intent::Conduct(announcements, slow) => {
                charter.conduct = Conduct { announcements: *announcements, slow: *slow };
            }
            Intent::Link(link) => {
                charter.links.retain(|_, other| other.by != by);
                if let Some((id, approval)) = link {
                    charter.links.insert(*id, Link { by, approval: *approval });
                }
                if charter.links.len() > MOST_LINKS {
                    return None;
                }
            }
            _ => return None,
        }
        let mut after = before.clone();
        charter.write(&mut after);
        let lines = charter_lines(by, &before, &after, &leaves);
        (after != before).then_some((after, lines))
    }

    /// Remembers from which epoch on who may write, where that is not everybody.
    pub(crate) fn note_conduct(&self, room: &mut Room, epoch: u64, context: &RoomContext) {
        let charter = Charter::of(context).ok().filter(|_| context.kind == RoomKind::Group);
        let Some(Conduct { announcements, slow }) = charter.map(|charter| charter.conduct) else {
            return;
        };
        let free = !announcements && slow == 0;
        let led_by = if free { Vec::new() } else { leading(context) };
        let now = Conducted { since: epoch, announcements, slow, led_by };
        let same = |last: &Conducted| Conducted { since: epoch, ..last.clone() } == now;
        if room.conducts.last().map_or(free, same) {
            return;
        }
        room.conducts.push(now);
        if room.conducts.len() > REMEMBERED {
            room.conducts.remove(0);
        }
    }

    /// Whether what somebody says in an epoch keeps to what the group agreed on then. What changes no more than the speaker's
    /// own things does: reports, reactions, deletions.
    pub(crate) fn keeps_to_conduct(
        &mut self,
        room: &Room,
        from: &AccountId,
        (epoch, sent_at): (u64, u64),
        said: &MimiContent,
    ) -> bool {
        let Some(conduct) = binding(room, from, epoch) else {
            return true;
        };
        let speaks = matches!(
            said.body,
            Content::Text(_) | Content::Markdown(_) | Content::File(_) | Content::Unknown
        );
        let steers = matches!(said.body, Content::Timer { .. } | Content::Pin { .. });
        if conduct.announcements && (speaks || steers) {
            return false;
        }
        if conduct.slow == 0 || !speaks || said.replaces.is_some() {
            return true;
        }
        // Two devices of one person may each think that it is their turn; a third message is nobody's honest mistake.
        let sent_at = sent_at.min(self.now + SKEW);
        let pause = u64::from(conduct.slow) * 1000;
        let paces = self.live.paces.entry((room.room, *from)).or_default();
        paces.retain(|at| at.abs_diff(sent_at) < pause);
        let keeps = paces.len() < 2;
        if keeps {
            paces.push(sent_at);
        }
        keeps
    }

    /// Whether nobody but who leads it writes in a group, and we do not.
    pub(crate) fn only_reads(&self, room: &Room) -> bool {
        let conduct = self.me().and_then(|me| binding(room, &me, u64::MAX));
        conduct.is_some_and(|conduct| conduct.announcements)
    }

    /// Seconds until we may write the next message in a group.
    pub(crate) fn until_our_turn(&self, room: &Room) -> u32 {
        let Some(me) = self.me() else {
            return 0;
        };
        let pause = binding(room, &me, u64::MAX).map_or(0, |one| u64::from(one.slow) * 1000);
        if pause == 0 {
            return 0;
        }
        let last = self.messages_before(room.conversation, None, RECENT);
        let last = last.iter().find(|message| message.from == Some(me));
        let next = last.map_or(0, |message| message.sent_at + pause);
        let wait = next.saturating_sub(self.now).min(pause).div_ceil(1000);
        u32::try_from(wait).unwrap_or(u32::MAX)
    }
}

/// A clock that is ahead by more than this is not believed, milliseconds.
const SKEW: u64 = 5 * 60 * 1000;
/// Among how many of the newest messages our last one is looked for.
const RECENT: usize = 200;

/// What binds an account that writes in an epoch of a group; nothing where it may write as it likes.
fn binding<'r>(room: &'r Room, who: &AccountId, epoch: u64) -> Option<&'r Conducted> {
    let conduct = room.conducts.iter().rev().find(|one| one.since <= epoch);
    conduct.filter(|one| (one.announcements || one.slow > 0) && !one.led_by.contains(who))
}

/// A role as it is kept: 0 member, 1 admin, 2 owner.
pub(crate) fn role_of(number: u8) -> Role {
    match number {
        0 => Role::Member,
        1 => Role::Admin,
        _ => Role::Owner,
    }
}

fn number_of(role: Role) -> u8 {
    match role {
        Role::Member => 0,
        Role::Admin => 1,
        Role::Owner => 2,
    }
}

/// A role as interfaces see it.
pub(crate) fn seen(role: Role) -> group::Role {
    match role {
        Role::Member => group::Role::Member,
        Role::Admin => group::Role::Admin,
        Role::Owner => group::Role::Owner,
    }
}

/// A role that an interface asks for, as it is kept.
pub(crate) fn kept(role: group::Role) -> u8 {
    match role {
        group::Role::Member => 0,
        group::Role::Admin => 1,
        group::Role::Owner => 2,
    }
}

/// What a commit changed of who leads a group, who may come in and who may write, as lines of its chat. Whoever goes
/// by it has a line of their own.
pub(crate) fn charter_lines(
    by: AccountId,
    before: &RoomContext,
    after: &RoomContext,
    leaves: &[Leaf],
) -> Vec<Line> {
    let (Ok(before), Ok(after)) = (Charter::of(before), Charter::of(after)) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let mut touched: Vec<AccountId> =
        before.roles.leading().chain(after.roles.leading()).copied().collect();
    touched.sort_unstable();
    touched.dedup();
    for who in touched {
        let role = after.roles.role(&who);
        let stays = leaves.iter().any(|leaf| leaf.name.account == who);
        if role != before.roles.role(&who) && stays {
            lines.push(Line::Role { by, who, role: number_of(role) });
        }
    }
    for who in after.bans.difference(&before.bans) {
        lines.push(Line::Banned { by, who: *who, on: true });
    }
    for who in before.bans.difference(&after.bans) {
        lines.push(Line::Banned { by, who: *who, on: false });
    }
    if before.conduct.announcements != after.conduct.announcements {
        lines.push(Line::Announcements { by, on: after.conduct.announcements });
    }
    if before.links != after.links {
        let on = after.links.len() >= before.links.len();
        lines.push(Line::Link { by, on });
    }
    if before.conduct.slow != after.conduct.slow {
        lines.push(Line::Slow { by, seconds: after.conduct.slow });
    }
    lines
}
