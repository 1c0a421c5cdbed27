// SPDX-License-Identifier: AGPL-3.0-or-later
//! Writes what an account can read into files, one a chat, in the form of `docs/book/export.md`, and ends.
//!
//! `archive PROFILE SERVER HANDLE FOLDER`. It accepts what invites it, so that groups can ask it in; run it each night, with
//! a folder that is not there yet. The files are not sealed: whoever has them can read them.

use std::{
    env,
    fs::{DirBuilder, OpenOptions},
    io::BufWriter,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use nodoor_sdk::account::{Account, Arrival, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [profile, server, handle, folder] = arguments.as_slice() else {
        eprintln!("archive PROFILE SERVER HANDLE FOLDER");
        std::process::exit(2);
    };
    let account = Account::open(Path::new(profile), server, None).await?;
    account.register(handle, "").await?;
    account.be_a_bot("Archive").await?;

    let mut arrivals = account.arrivals();
    while let Some(arrival) = arrivals.next_waiting().await? {
        match arrival {
            Arrival::Request(request) => {
                account.accept(&request).await?;
            }
            Arrival::Message(message) => account.seen(&message).await?,
            _ => {}
        }
    }

    let folder = Path::new(folder);
    DirBuilder::new().mode(0o700).create(folder)?;
    for chat in account.chats().await? {
        let path = folder.join(format!("{}.json", chat.id.get(..16).unwrap_or(&chat.id)));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let mut file = BufWriter::new(file);
        let messages = account.export(&chat, &mut file).await?;
        println!("{messages} {}", path.display());
    }
    account.finish().await;
    account.close().await;
    Ok(())
}
