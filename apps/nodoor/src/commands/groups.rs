// SPDX-License-Identifier: AGPL-3.0-or-later
//! Groups. What changes one is on disk at once; the commit goes to the server before the command ends.

use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationId, ConversationRow},
};

use super::people::{changed, print};
use crate::{
    arguments::GroupVerb,
    failure::Failure,
    output::{self, Member},
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

async fn members(session: &Session, conversation: &Target) -> Result<(), Failure> {
    let row = group(session, conversation).await?;
    let Reply::Members(members) =
        session.ask(Command::GroupMembers { conversation: row.id }).await?
    else {
        return Err(Failure::unexpected());
    };
    for member in &members {
        let line = format!("{}  {}", output::address(&member.person), member.devices);
        print(session, &Member::new(member), &line)?;
    }
    Ok(())
}

/// The conversation, as the server has it now.
async fn group(session: &Session, conversation: &Target) -> Result<ConversationRow, Failure> {
    session.catch_up().await;
    session.known(conversation).await?.ok_or(NO_CONVERSATION)
}
