// SPDX-License-Identifier: AGPL-3.0-or-later
//! Groups. What changes one is on disk at once; the commit goes to the server before the command ends.

use nodoor_view::{
    command::{Command, Reply},
    group::{self, Charter, Role},
    model::{ConversationId, ConversationRow},
};

use super::people::{changed, print};
use crate::{
    arguments::{GroupVerb, RoleName, WhoWrites},
    failure::Failure,
    output::{self, Member, Writing},
    session::{NO_CONVERSATION, Session},
    target::Target,
};

pub(super) async fn run(session: &Session, verb: &GroupVerb) -> Result<(), Failure> {
    match verb {
        GroupVerb::Create { title, members } => {
            let command = Command::GroupCreate { title: title.clone(), members: members.clone() };
            let row = session.conversation(command).await?;
            changed(session, &row.reference).await
        }
        GroupVerb::Add { conversation, handle } => {
            let handle = handle.clone();
            change(session, conversation, |conversation| Command::GroupAdd { conversation, handle })
                .await
        }
        GroupVerb::Remove { conversation, handle } => {
            let handle = handle.clone();
            change(session, conversation, |conversation| Command::GroupRemove {
                conversation,
                handle,
            })
            .await
        }
        GroupVerb::Leave { conversation } => {
            change(session, conversation, |conversation| Command::GroupLeave { conversation }).await
        }
        GroupVerb::Rename { conversation, title } => {
            let title = title.clone();
            change(session, conversation, |conversation| Command::GroupRename {
                conversation,
                title,
            })
            .await
        }
        GroupVerb::Role { conversation, handle, role } => {
            let (handle, role) = (handle.clone(), Role::from(*role));
            lead(session, conversation, |conversation| group::Command::SetRole {
                conversation,
                handle,
                role,
            })
            .await
        }
        GroupVerb::Ban { conversation, handle, lift } => {
            let (handle, on) = (handle.clone(), !lift);
            lead(session, conversation, |conversation| group::Command::Ban {
                conversation,
                handle,
                on,
            })
            .await
        }
        GroupVerb::Writing { conversation, who, slow } => {
            writing(session, conversation, *who, *slow).await
        }
        GroupVerb::Link { conversation, open, approval, off } => {
            link(session, conversation, *open || *approval, *approval, *off).await
        }
        GroupVerb::Approve { conversation, handle: Some(handle), refuse } => {
            let (handle, on) = (handle.clone(), !refuse);
            lead(session, conversation, |conversation| group::Command::Answer {
                conversation,
                handle,
                on,
            })
            .await
        }
        GroupVerb::Approve { conversation, handle: None, .. } => {
            asking(session, conversation).await
        }
        GroupVerb::Join { link } => {
            let of = group::Command::Join { link: link.clone() };
            let row = session.conversation(Command::Group { of }).await?;
            changed(session, &row.reference).await
        }
        GroupVerb::Members { conversation } => members(session, conversation).await,
    }
}

async fn change(
    session: &Session,
    conversation: &Target,
    command: impl FnOnce(ConversationId) -> Command,
) -> Result<(), Failure> {
    let row = group(session, conversation).await?;
    session.do_it(command(row.id)).await?;
    changed(session, &row.reference).await
}

async fn lead(
    session: &Session,
    conversation: &Target,
    of: impl FnOnce(ConversationId) -> group::Command,
) -> Result<(), Failure> {
    change(session, conversation, |id| Command::Group { of: of(id) }).await
}

async fn charter(session: &Session, row: &ConversationRow) -> Result<Charter, Failure> {
    match session.ask(Command::Sheet { conversation: row.id }).await? {
        Reply::Sheet(sheet) => Ok(sheet.charter.unwrap_or_default()),
        _ => Err(Failure::unexpected()),
    }
}

/// Makes or ends one's link, and shows it.
async fn link(
    session: &Session,
    conversation: &Target,
    make: bool,
    approval: bool,
    off: bool,
) -> Result<(), Failure> {
    if make || off {
        let row = group(session, conversation).await?;
        let approval = make.then_some(approval);
        let of = group::Command::SetLink { conversation: row.id, approval };
        session.do_it(Command::Group { of }).await?;
        session.finish().await;
    }
    let row = group(session, conversation).await?;
    let link = charter(session, &row).await?.link;
    let none = || session.texts.get("link-none", &[]);
    let line = link.as_ref().map_or_else(none, |link| link.link.clone());
    print(session, &output::GroupLink::new(link.as_ref()), &line)
}

async fn asking(session: &Session, conversation: &Target) -> Result<(), Failure> {
    let row = group(session, conversation).await?;
    for person in charter(session, &row).await?.asking {
        print(session, &output::Asking::new(&person), &output::address(&person))?;
    }
    Ok(())
}

/// Changes who may write and how often, as far as it is given, or says it.
async fn writing(
    session: &Session,
    conversation: &Target,
    who: Option<WhoWrites>,
    slow: Option<u32>,
) -> Result<(), Failure> {
    let row = group(session, conversation).await?;
    let now = charter(session, &row).await?;
    if who.is_none() && slow.is_none() {
        let texts = &session.texts;
        let id = if now.announcements { "writing-admins" } else { "writing-everybody" };
        let mut line = texts.get(id, &[]);
        if now.slow > 0 {
            let pause = texts.span(now.slow);
            line =
                format!("{line} {}", texts.get("writing-slow", &[("span", pause.as_str().into())]));
        }
        return print(session, &Writing::new(&now), &line);
    }
    let announcements = who.map_or(now.announcements, |who| who == WhoWrites::Admins);
    let slow = slow.unwrap_or(now.slow);
    lead(session, conversation, |conversation| group::Command::SetConduct {
        conversation,
        announcements,
        slow,
    })
    .await
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Member => Self::Member,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}

async fn members(session: &Session, conversation: &Target) -> Result<(), Failure> {
    let row = group(session, conversation).await?;
    let Reply::Members(members) =
        session.ask(Command::GroupMembers { conversation: row.id }).await?
    else {
        return Err(Failure::unexpected());
    };
    for member in &members {
        let mut line = format!("{}  {}", output::address(&member.person), member.devices);
        if let Some(role) = output::role(member.role, &session.texts) {
            line.push_str(&format!("  {role}"));
        }
        print(session, &Member::new(member), &line)?;
    }
    Ok(())
}

/// The conversation, as the server has it now.
async fn group(session: &Session, conversation: &Target) -> Result<ConversationRow, Failure> {
    session.catch_up().await;
    session.known(conversation).await?.ok_or(NO_CONVERSATION)
}
