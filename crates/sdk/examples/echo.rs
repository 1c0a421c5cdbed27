// SPDX-License-Identifier: AGPL-3.0-or-later
//! A bot that accepts whoever writes, and says again what they say.
//!
//! `echo PROFILE SERVER HANDLE`: a folder for its profile, the server's address, its handle without `@`. It runs until it
//! is stopped, and begins again where it was.

use std::{env, path::Path};

use nodoor_sdk::account::{Account, Arrival, Body, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [profile, server, handle] = arguments.as_slice() else {
        eprintln!("echo PROFILE SERVER HANDLE");
        std::process::exit(2);
    };
    let account = Account::open(Path::new(profile), server, None).await?;
    let me = account.register(handle, "").await?;
    account.be_a_bot("Echo").await?;
    println!("{}", me.invite_link);

    let mut arrivals = account.arrivals();
    while let Some(arrival) = arrivals.next().await? {
        match arrival {
            Arrival::Request(request) => {
                account.accept(&request).await?;
            }
            Arrival::Message(message) => {
                match &message.body {
                    // Two of us would talk for ever.
                    _ if message.from.is_bot => {}
                    Body::Text(text) => {
                        account.reply(&message, text).await?;
                    }
                    _ => account.react(&message, "👀").await?,
                }
                account.seen(&message).await?;
            }
            _ => {}
        }
    }
    Ok(())
}
